"""The account between agencies, the payments and the purses, read a second time from a plan's ledger by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pandas as pd

from estate.verify.books import LATER, expected_ledger, year_label
from estate.verify.case import Case, Decision, Finding, finding, plain
from estate.verify.money import factors, pence
from estate.verify.vehicle import equity, vehicle_of

RUNNING = ("running_given_up", "running_taken_on", "space_charge", "rent_paid", "rent_received")
PROCEEDS = ("capital_receipt", "disposal_from_receipt", "revenue_sum")
ROUNDING_PENCE = 3.0
"""What the sum of an agency's shares in a year may stand off for each building it shares in."""
WORTH_PENCE = 3_000.0
"""What rounding each year may come to over the whole term."""

type ByYear = Mapping[tuple[str, str, str], float]
"""(agency, year, invested or receipts or saved) to pence."""


def check_accounts(case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """``account``, ``payments``, ``settlements`` and ``own_purses`` of a plan."""
    cash, shares = _cash(case, decision)
    yield from _check_account(case, tables["account"], cash, shares)
    yield from _check_payments(tables["payments"], tables["settlements"], tables["account"])
    yield from _check_worth(case, tables["settlements"], cash)
    yield from _check_purses(tables["own_purses"], cash)


def _cash(case: Case, decision: Decision) -> tuple[ByYear, Mapping[tuple[str, str], int]]:
    """Every agency's cash by year and kind within the horizon, and how many rounded shares it is made of."""
    want, last = expected_ledger(case, decision), case.scenario.money.base_year + case.scenario.money.horizon_years
    years = {year_label(each) for each in range(case.scenario.money.base_year, last)}
    found: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    shares: defaultdict[tuple[str, str], int] = defaultdict(int)
    for (agency, year, line, *_), amount in (*want.exact.items(), *want.share.items()):
        if year in years and line not in LATER:
            kind = "saved" if line in RUNNING else "receipts" if line in PROCEEDS else "invested"
            found[agency, year, kind] += amount
            shares[agency, year] += 1
    for year, kind in {(year, kind) for agency, year, kind in found if agency == vehicle_of(case)}:
        amount = found.pop((vehicle_of(case), year, kind))
        for agency, share in equity(case).items():
            found[agency, year, kind] += amount * share
            shares[agency, year] += shares[vehicle_of(case), year] + 1
    return found, shares


def _check_account(case: Case, table: pd.DataFrame, cash: ByYear, shares: Mapping[tuple[str, str], int]) -> Iterator[Finding]:
    """Each line adds up, carries on from the one before, bears that year's rate, and holds the plan's own cash."""
    money = case.scenario.money
    worth = factors(money.base_year, money.horizon_years)
    labels = [year_label(money.base_year + n) for n in range(money.horizon_years)]
    sums, cashes, credited = [], [], defaultdict[tuple[str, str], int](int)
    for (measure, agency), frame in table.groupby(["measure", "agency"], sort=False):
        name, balance = f"{measure}, {plain(agency)}", 0
        if [plain(each) for each in frame["year"]] != labels:
            sums.append(f"{name}: not the years of the horizon")
            continue
        for n, row in enumerate(frame.to_dict("records")):
            p = {column: pence(float(row[f"{column}_gbp"])) for column in COLUMNS}
            due = 0.0 if not n else balance * (worth[n - 1] / worth[n] - 1)
            if p["opening"] != balance or abs(p["interest"] - due) > 0.51:
                sums.append(f"{name}, {labels[n]}: opening or interest")
            balance = sum(p[column] for column in COLUMNS if column != "closing")
            if p["closing"] != balance:
                sums.append(f"{name}, {labels[n]}: closing")
            for kind in ("saved", "receipts", "invested"):
                true = cash.get((plain(agency), labels[n], kind), 0.0)
                if abs(p[kind] - true) > ROUNDING_PENCE * max(shares.get((plain(agency), labels[n]), 0), 1):
                    cashes.append(f"{name}, {labels[n]}: {kind}")
            credited[str(measure), labels[n]] += p["credited"]
    yield finding("accounts.sums", len(table), sums, "lines of an account")
    yield finding("accounts.cash", len(table), cashes, "cash of an account")
    odd = [f"{measure}, {year}: {left}" for (measure, year), left in credited.items() if left]
    yield finding("accounts.credits", len(credited), odd, "credits that do not add up to nothing, pence")


COLUMNS = ("opening", "interest", "invested", "receipts", "saved", "credited", "closing")


def _check_payments(payments: pd.DataFrame, settlements: pd.DataFrame, account: pd.DataFrame) -> Iterator[Finding]:
    """Payments of each measure come to each agency's credit, which is what the account credits it."""
    wrong = []
    for measure, frame in settlements.groupby("measure", sort=False):
        net: defaultdict[str, int] = defaultdict(int)
        for row in payments[payments["what_for"] == f"nobody worse off, {measure}"].to_dict("records"):
            net[plain(row["from_agency"])] -= pence(float(row["amount_gbp_pa"]))
            net[plain(row["to_agency"])] += pence(float(row["amount_gbp_pa"]))
        mine = account[account["measure"] == measure]
        for row in frame.to_dict("records"):
            agency, credit = plain(row["agency"]), pence(float(row["credit_gbp_pa"]))
            booked = mine.loc[mine["agency"].map(plain) == agency, "credited_gbp"]
            last = pence(float(booked.iloc[-1])) if len(booked) else 0
            if net[agency] != credit or last != credit:
                wrong.append(f"{measure}, {agency}")
    low = [f"{row['from_agency']} to {row['to_agency']}" for row in payments.to_dict("records") if not row["amount_gbp_pa"] > 0]
    yield finding("accounts.payments", len(payments), [*wrong, *low], "payments that are not the credits")


def _check_worth(case: Case, table: pd.DataFrame, cash: ByYear) -> Iterator[Finding]:
    """Worth before and after, and that nobody is left short of what the measure asks for, where that is said to be possible."""
    money = case.scenario.money
    worth = factors(money.base_year, money.horizon_years)
    first = min(money.closing_year, money.horizon_years - 1)
    annuity = sum(worth[first:])
    at = {year_label(money.base_year + n): each for n, each in enumerate(worth)}
    true: defaultdict[str, float] = defaultdict(float)
    for (agency, year, _), amount in cash.items():
        true[agency] += amount * at[year]
    wrong, short = [], []
    for row in table.to_dict("records"):
        name = f"{row['measure']}, {row['agency']}"
        after = true[plain(row["agency"])] + pence(float(row["credit_gbp_pa"])) * annuity
        said = [pence(float(row[column])) for column in ("worth_gbp", "worth_after_gbp")]
        if any(abs(a - b) > WORTH_PENCE for a, b in zip(said, (true[plain(row["agency"])], after), strict=True)):
            wrong.append(name)
        asked = pence(float(row["asked_gbp"]))
        if (row["possible"] == "yes" and after < asked - WORTH_PENCE) or (row["measure"] == "against today" and asked):
            short.append(name)
    yield finding("accounts.worth", len(table), wrong, "worth before or after credits")
    yield finding("accounts.nobody-worse-off", len(table), short, "agencies left short of what is promised")


def _check_purses(table: pd.DataFrame, cash: ByYear) -> Iterator[Finding]:
    """What each must find itself, and a common purse."""
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (agency, _, kind), amount in cash.items():
        total[agency, kind] += amount
    wrong, needs, has, short = [], 0, 0, 0
    for row in table.to_dict("records"):
        agency = plain(row["agency"])
        need, got, find = (pence(float(row[column])) for column in ("one_off_gbp", "receipts_gbp", "must_find_gbp"))
        if agency:
            right = abs(need + total[agency, "invested"]) <= 100 and abs(got - total[agency, "receipts"]) <= 100
            wrong += [] if right and find == max(need - got, 0) else [agency]
            needs, has, short = needs + need, has + got, short + find
        elif (need, got, find, pence(float(row["worth_of_pooling_gbp"]))) != (
            needs, has, max(needs - has, 0), short - max(needs - has, 0),
        ):  # fmt: skip
            wrong.append("the common purse")
    yield finding("accounts.purses", len(table), wrong, "purses")
