"""The financial case, read a second time: nominal sums from an option's books, and what a source of funds may be.

The order of the sources is not followed again: what is printed of them is held to what it must be.  No source gives more than
it has, none is passed over while the next is used, and together they meet the capital to the penny.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pandas as pd

from estate.scenario import Options, Purse
from estate.verify.books import year_label
from estate.verify.case import Case, Finding, finding, plain
from estate.verify.cash import charged
from estate.verify.money import pence
from estate.verify.purses import given, purses

LINES = {
    "capital": ("fitout", "opening_capital", "optimism_bias", "refit", "backlog_met"),
    "running_cost": ("running_cost", "renewed_lease"),
    "one_off_revenue": ("removal", "exit_cost", "disposal_to_revenue", "holding_cost", "void_cost"),
    "capital_receipts": ("capital_receipt", "disposal_from_receipt"),
    "revenue_sums": ("revenue_sum",),
}
NOMINAL = (*LINES, "capital_vat", "revenue_vat")
SOURCES = ("from_receipts", "from_budget", "from_loans", "to_find")
COLUMNS = (*NOMINAL, *SOURCES, "receipts_left", "borrowed", "repaid", "interest", "owed", "revenue")

type Cash = Mapping[tuple[str, int, str], float]
"""(agency, year after the base year, line) to pence, signed as the ledger."""


def check_financial(
    case: Case, option: str, cash: Cash, shares: Mapping[tuple[str, int], int], table: pd.DataFrame
) -> Iterator[Finding]:
    """The rows of one option; ``shares`` is of how many sums each agency has a rounded share in each year."""
    money = case.scenario.money
    names = {plain(each) for each in table["purse"]}
    unknown = names - {each.name for each in purses(case)}
    yield finding("financial.purses", len(names), unknown, f"purses of '{option}' that nobody has")
    years = {year_label(money.base_year + n): n for n in range(money.horizon_years)}
    sums: list[str] = []
    funds: list[str] = []
    want = _nominal(case, cash)
    for purse in purses(case):
        said = {years[plain(row["year"])]: row for row in table[table["purse"].map(plain) == purse.name].to_dict("records")}
        got = {
            (year, name): pence(float(said[year][f"{name}_gbp"])) if year in said else 0
            for year in range(money.horizon_years)
            for name in COLUMNS
        }
        for year in range(money.horizon_years):
            rise = max((1 + _asked(case).inflation) ** year, 1.0)
            room = 1.01 + rise * sum(shares.get((agency, year), 0) for agency in purse.agencies)
            for name in NOMINAL:
                true = sum(want[agency, year, name] for agency in purse.agencies)
                if abs(got[year, name] - true) > room:
                    label = year_label(money.base_year + year)
                    sums.append(f"{purse.name}, {label}, {name}: {got[year, name] / 100:.2f}, not {true / 100:.2f}")
        funds += _funds(case, purse, got)
    yield finding("financial.sums", len(table), sums, f"cash of '{option}' that is wrong")
    yield finding("financial.funds", len(table), funds, f"sources of funds of '{option}' that cannot be")


def _asked(case: Case) -> Options:
    return case.scenario.options or Options()


def _nominal(case: Case, cash: Cash) -> defaultdict[tuple[str, int, str], float]:
    """(agency, year, column) to pence of the year, amounts paid and amounts received both above nothing."""
    asked, found = _asked(case), defaultdict[tuple[str, int, str], float](float)
    column_of = {line: name for name, lines in LINES.items() for line in lines}
    for (agency, year, line), amount in cash.items():
        if line not in column_of or year >= case.scenario.money.horizon_years:
            continue
        name = column_of[line]
        then = amount * (1 + asked.inflation) ** year
        found[agency, year, name] += then if name in ("capital_receipts", "revenue_sums") else -then
        if line in asked.vat_on:
            borne = asked.vat * (1 - asked.vat_recovered.get(str(case.agencies[agency]["kind"]), 0.0))
            found[agency, year, "capital_vat" if name == "capital" else "revenue_vat"] -= then * borne
    return found


def _funds(case: Case, purse: Purse, got: Mapping[tuple[int, str], int]) -> Iterator[str]:
    """What cannot be in the printed sources of one purse."""
    base = case.scenario.money.base_year
    counted = purse.basis == "net" or not any(each.kind == "capital" for each in purse.budgets)
    left = of_budget = lent = owed = 0
    for year in range(case.scenario.money.horizon_years):
        now = {name: amount for (when, name), amount in got.items() if when == year}
        left += (now["capital_receipts"] if counted else 0) - now["from_receipts"]
        of_budget += now["from_budget"]
        lent += now["borrowed"] - now["from_loans"]
        owed += now["borrowed"] - now["repaid"]
        idle = given(case, purse, "capital", year) - of_budget
        paid = sum(now[name] for name in ("running_cost", "one_off_revenue", "revenue_vat", "repaid", "interest"))
        later = now["from_loans"] + now["to_find"]
        wrong = {
            "the sources do not come to the capital": sum(now[name] for name in SOURCES) - now["capital"] - now["capital_vat"],
            "receipts": left < 0 or left != now["receipts_left"] or (left and now["from_budget"] + later),
            "budgets": idle < 0 or (idle and later),
            "loans": lent < 0 or (lent and now["to_find"]) or min(now[name] for name in SOURCES) < 0,
            "what is owed": owed - now["owed"],
            "revenue does not add up": paid - now["revenue_sums"] - now["revenue"],
        }
        said = [what for what, broken in wrong.items() if broken]
        said += _of_loans(case, purse, got, year)
        yield from (f"{purse.name}, {year_label(base + year)}: {what}" for what in said)


def _of_loans(case: Case, purse: Purse, got: Mapping[tuple[int, str], int], year: int) -> Iterator[str]:
    """What of a year is not as the loans have it: they are drawn in the order of the list, and charged from the next year on."""
    programme, base = case.scenario.programme, case.scenario.money.base_year
    offered = _asked(case).loans or (programme.loans if programme else ())
    loans = [(loan, max(loan.year - base, 0)) for loan in offered if loan.purse == purse.name]
    if got[year, "borrowed"] > sum(pence(loan.most_gbp) for loan, first in loans if first == year):
        yield "more is borrowed than may be"
    due, taken = [0.0, 0.0], defaultdict[int, int](int)
    for loan, first in loans:
        drawn = min(got.get((first, "borrowed"), 0) - taken[first], pence(loan.most_gbp))
        taken[first] += drawn
        due = [sum(pair) for pair in zip(due, charged(loan, drawn, year - first), strict=True)]
    room = 1.01 * (1 + len(loans))
    if any(abs(got[year, name] - amount) > room for name, amount in zip(("repaid", "interest"), due, strict=True)):
        yield "what loans cost"
