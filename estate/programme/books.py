"""The cash of a programme's purses, and what is owed to its funds, year by year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd

from estate.money.law import year_label
from estate.problem import Ints
from estate.programme.cash import BANKED, RECYCLED, SPENT
from estate.programme.orders import Course, began
from estate.programme.purses import Account, accounts, charges
from estate.programme.succession import succession
from estate.programme.terms import Terms
from estate.scenario import Loan

KINDS = {"capital": (*SPENT["capital"], *BANKED["capital"]), "revenue": (*SPENT["revenue"], *BANKED["revenue"], RECYCLED)}
SAVINGS = (RECYCLED, "given_to_capital", "loan_repaid", "loan_interest", "fund_repaid")
"""Of revenue without a budget, the lines that make what is left of savings: the rest is not limited."""
PASSED_ON, PASSED_IN = "passed_to_successor", "passed_from_predecessor"
FUNDS = ["fund", "purse", "year", "drawn_gbp", "repaid_gbp", "owed_gbp", "left_gbp"]

type _Row = tuple[str, int, str, str, int]
"""Purse, year after the base year, kind, line, pence."""


def cash_table(terms: Terms, course: Course) -> pd.DataFrame:
    """``purse, year, kind, line, amount_gbp`` of every purse with a limit: signed, so that every sum is money."""
    place, scenario = terms.measured.place, terms.measured.scenario
    pair, site = began(terms.orders, course)
    taken: list[pd.DataFrame] = []
    for t, frame in enumerate(terms.ways.entries):
        chosen = np.isin(frame["pair"], np.flatnonzero(pair == t)) | np.isin(frame["site"], np.flatnonzero(site == t))
        taken.append(frame[chosen])
    entries = pd.concat(taken, ignore_index=True)
    found, _ = accounts(place, scenario, years_of(terms))
    rows = [row for account in found for row in _of_account(terms, account, course, entries)]
    found_rows = pd.DataFrame(rows, columns=["purse", "year", "kind", "line", "pence"])
    keys = ["purse", "year", "kind", "line"]
    table = found_rows[found_rows["pence"] != 0].groupby(keys, as_index=False).agg({"pence": "sum"})
    labels = [year_label(scenario.money.base_year + int(year)) for year in table["year"]]
    return pd.DataFrame({**{key: table[key] for key in keys}, "year": labels, "amount_gbp": table["pence"] / 100})


def years_of(terms: Terms) -> Ints:
    """(Y,) the years, after the base year, from the first to the last with entries."""
    return np.arange(1 + max((int(frame["year"].max()) for frame in terms.ways.entries if len(frame)), default=0))


def _of_account(terms: Terms, account: Account, course: Course, entries: pd.DataFrame) -> Iterator[_Row]:
    """The cash of one purse; where it ends at vesting, what it has left passes on, and what it owes is its successor's."""
    then, rows = succession(terms.measured.scenario), list(_lines(terms, account, course, entries))
    if not account.passes_to:
        yield from rows
        return
    left: defaultdict[str, int] = defaultdict(int)
    for _, year, kind, line, pence in rows:
        yield account.purse.name if year < then.year else account.passes_to, year, kind, line, pence
        counts = account.purse.basis == "net" or line not in BANKED[kind]
        if year < then.year and counts and (kind in account.kinds or (kind == "revenue" and line in SAVINGS)):
            left[kind] += pence
    for kind, pence in left.items():
        yield account.purse.name, then.year, kind, PASSED_ON, -pence
        yield account.passes_to, then.year, kind, PASSED_IN, pence


def _lines(terms: Terms, account: Account, course: Course, entries: pd.DataFrame) -> Iterator[_Row]:
    """The cash of one purse: its budgets, what its steps cost and bring, and the sums that were chosen."""
    purse, scenario = account.purse, terms.measured.scenario
    base = scenario.money.base_year
    member = succession(scenario).members(terms.measured.place, purse, len(years_of(terms)))
    mine = entries[member[entries["agency"].to_numpy(dtype=np.int64), entries["year"].to_numpy(dtype=np.int64)]]
    kinds = {line: kind for kind, lines in KINDS.items() for line in lines}
    for each in purse.budgets:
        yield purse.name, max((each.year or base) - base, 0), each.kind, "budget", round(each.gbp * 100)
    # Rounded as the rows of the programme are: what is recycled down, what is taken back of it up.
    share = np.where(mine["line"].to_numpy() == RECYCLED, account.share, 1.0)
    amount = np.floor(mine["pence"].to_numpy() * share).astype(np.int64).tolist()
    for year, line, pence_ in zip(mine["year"].tolist(), mine["line"].tolist(), amount, strict=True):
        yield purse.name, year, kinds[line], line, pence_
    for year, column in account.transfer.items():
        given = round(float(course.sums[column]))
        yield purse.name, year, "revenue", "given_to_capital", -given
        yield purse.name, year, "capital", "taken_from_revenue", given
    for (_, year, _), column in account.flexible.items():
        used = round(float(course.sums[column]))
        yield purse.name, year, "capital", "used_for_reform", -used
        yield purse.name, year, "revenue", "met_from_receipts", used
    for lent in account.borrowed:
        drawn, source = round(float(course.sums[lent.column])), "fund" if lent.fund else "loan"
        yield purse.name, lent.terms.year - base, "capital", f"{source}_drawn", drawn
        for n, (repaid, interest) in enumerate(zip(*charged(lent.terms, drawn), strict=True), start=1):
            yield purse.name, lent.terms.year - base + n, "revenue", f"{source}_repaid", -repaid
            yield purse.name, lent.terms.year - base + n, "revenue", f"{source}_interest", -interest


def charged(loan: Loan, drawn: int) -> tuple[list[int], list[int]]:
    """Whole pence repaid, adding up to what was drawn, and of interest, in each year after a sum was drawn."""
    repaid, interest = charges(loan, drawn)
    whole = np.diff(np.rint(np.cumsum(repaid)), prepend=0.0).astype(np.int64)
    return whole.tolist(), np.rint(interest).astype(np.int64).tolist()


# ------------------------------------------------------------------------------------------------------ funds


def funds_table(terms: Terms, course: Course) -> pd.DataFrame:
    """``fund, purse, year, drawn_gbp, repaid_gbp, owed_gbp, left_gbp``: from the first sum drawn until the last is paid back.

    ``owed_gbp`` is by the purse at the end of the year, ``left_gbp`` what the fund could lend then.
    """
    scenario = terms.measured.scenario
    funds = scenario.programme.funds if scenario.programme else ()
    found, _ = accounts(terms.measured.place, scenario, years_of(terms))
    rows = []
    for fund in funds:
        moved: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        for account in found:
            for each in account.borrowed:
                drawn = round(float(course.sums[each.column])) if each.fund == fund.name else 0
                if not drawn:
                    continue
                moved[account.purse.name, each.terms.year][0] += drawn
                for n, repaid in enumerate(charged(each.terms, drawn)[0], start=1):
                    moved[account.purse.name, each.terms.year + n][1] += repaid
        years = [year for _, year in moved]
        for year in range(min(years), max(years) + 1) if years else ():
            out = sum(drawn - repaid for (_, when), (drawn, repaid) in moved.items() if when <= year)
            for purse in sorted({who for who, _ in moved}):
                drawn, repaid = moved.get((purse, year), [0, 0])
                owed = sum(a - b for (who, when), (a, b) in moved.items() if who == purse and when <= year)
                figures = (drawn, repaid, owed, round(fund.gbp * 100) - out)
                rows.append((fund.name, purse, year_label(year), *(pence / 100 for pence in figures)))
    return pd.DataFrame(rows, columns=FUNDS)


def bodies_table(terms: Terms, ledger: pd.DataFrame) -> pd.DataFrame:
    """``body, year, line, amount_gbp``: the ledger by who there is in each year; nothing where nobody is dissolved."""
    then, base = succession(terms.measured.scenario), terms.measured.scenario.money.base_year
    if not then.heir:
        return pd.DataFrame(columns=["body", "year", "line", "amount_gbp"])
    years = ledger["year"].str[:4].astype(int) - base
    body = [then.body(agency, year) for agency, year in zip(ledger["agency"].astype(str), years, strict=True)]
    whole = ledger.assign(body=body, pence=(ledger["amount_gbp"] * 100).round().astype("int64"))
    found = whole.groupby(["body", "year", "line"], as_index=False)["pence"].sum()
    found = found[found["pence"] != 0].reset_index(drop=True)
    return pd.DataFrame(
        {"body": found["body"], "year": found["year"], "line": found["line"], "amount_gbp": found["pence"] / 100}
    )
