"""The cash of a programme read a second time: what every step costs and brings each purse, and that none is below nothing.

What a purse pays and banks is worked out move by move and sale by sale with the year of each as the closing year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from estate.scenario import Budget, Fund, Loan, Programme, Purse
from estate.verify.books import flexible_use, year_label
from estate.verify.case import Case, Finding, finding, number
from estate.verify.money import (
    decided,
    goes_after,
    hosting_gbp,
    law_row,
    leaves_after,
    lets,
    pence,
    rent_gbp,
    running_gbp,
)
from estate.verify.purses import by_agency
from estate.verify.steps import Step, base_of, body, holder, taken, timed, vesting

LINES = {
    ("capital", -1): ("fitout", "opening_capital", "optimism_bias"),
    ("revenue", -1): ("removal", "exit_cost", "disposal_to_revenue", "holding_cost", "void_cost"),
    ("receipts", 1): ("capital_receipt", "disposal_from_receipt"),
    ("sums", 1): ("revenue_sum",),
}
"""The lines of ``cash`` behind each figure of :class:`~estate.verify.purses.Money`, and their sign."""
RECYCLED = "savings_recycled"
PASSED = ("passed_to_successor", "passed_from_predecessor")
"""Lines of both kinds of money: kept apart here as ``capital:...`` and ``revenue:...``."""
CAPITAL_AND_REVENUE = {
    "capital": (
        *LINES["capital", -1], *LINES["receipts", 1], "taken_from_revenue", "used_for_reform", "loan_drawn", "fund_drawn",
    ),
    "revenue": (
        *LINES["revenue", -1], *LINES["sums", 1], RECYCLED, "given_to_capital", "met_from_receipts", "loan_repaid",
        "loan_interest", "fund_repaid",
    ),
}  # fmt: skip
"""Every line of each kind of money, but budgets and what passes at vesting."""
SAVINGS = (RECYCLED, "given_to_capital", "loan_repaid", "loan_interest", "fund_repaid")
"""Of revenue that has no budget, what is left of savings."""

type Key = tuple[str, int, str]
"""Purse, year after the base year, line."""
type Saved = Callable[[str, float, float], Iterator[tuple[str, int, str, float]]]
"""What an agency saves a year, GBP, from a time on: agency, year, line, pence."""


def check_cash(
    case: Case, programme: Programme, steps: list[Step], table: pd.DataFrame, funds: pd.DataFrame | None
) -> Iterator[Finding]:
    """Every purse's lines are what its steps cost and bring, and no purse or fund is below nothing by the end of any year."""
    money = case.scenario.money
    limited = [each for each in money.purses if each.budgets]
    if money.capital_budget_gbp is not None:
        one = (Budget(gbp=money.capital_budget_gbp),)
        limited.append(Purse(name="all agencies", agencies=tuple(case.agencies), basis=money.budget_basis, budgets=one))
    said: defaultdict[Key, float] = defaultdict(float)
    for row in table.to_dict("records"):
        line = f"{row['kind']}:{row['line']}" if row["line"] in PASSED else row["line"]
        said[row["purse"], int(row["year"][:4]) - base_of(case), line] += row["amount_gbp"] * 100
    want = _wanted(case, programme, steps, limited)
    last = max((year for _, year, _ in (*said, *want)), default=0)
    figures = {**{name: lines for (name, _), lines in LINES.items()}, RECYCLED: (RECYCLED,)}
    wrong = [
        f"{purse.name}, {year_label(base_of(case) + year)}, {name}: {stands / 100:,.2f}, not {truth / 100:,.2f}"
        for purse in limited
        for year in range(last + 1)
        for name, lines in figures.items()
        for stands, truth in [(sum(said[purse.name, year, line] for line in lines), want[purse.name, year, name])]
        if abs(stands - truth) > 2.0 * (len(steps) + 1)
    ]
    short: list[str] = []
    for purse in limited:
        wrong += _wrong_money(case, purse, said, last)
        wrong += _wrong_reform(case, purse, steps, said, last)
        short += _short(case, purse, said, last)
    wrong += _wrong_loans(case, programme, limited, said, last)
    wrong += _wrong_passing(case, limited, said, last)
    looked = len(limited) * (last + 1) * len(figures)
    yield finding("programme.cash", looked, wrong, "cash that is not what the steps cost and bring")
    yield finding("programme.below-nothing", looked, short, "purses below nothing")
    owed = list(_wrong_funds(case, programme, limited, said, pd.DataFrame() if funds is None else funds))
    yield finding("programme.funds", len(programme.funds), owed, "funds that lend what they have not, or are not paid back")


def _wanted(case: Case, programme: Programme, steps: list[Step], limited: list[Purse]) -> defaultdict[Key, float]:
    """Pence of each figure by purse and year, as the steps of each decision year make it."""
    want: defaultdict[Key, float] = defaultdict(float)
    then = timed(case, steps)
    once = (
        (agency, when, name, sign * amount)
        for agency, each in by_agency(then, taken(case, steps)).items()
        for name, sign in LINES
        for when, amount in getattr(each, name).items()
    )
    for agency, when, line, amount in (*once, *_yearly(then, steps)):
        for purse in limited:
            if body(case, agency, when) in purse.agencies:
                share = programme.recycled.get(purse.name, 0.0) if line == RECYCLED else 1.0
                want[purse.name, when, line] += share * amount
    return want


def _wrong_money(case: Case, purse: Purse, said: Mapping[Key, float], last: int) -> Iterator[str]:
    """Budgets and transfers that are not as the scenario has them."""
    base = base_of(case)
    for year in range(last + 1):
        hand = sum(pence(each.gbp) for each in purse.budgets if max((each.year or base) - base, 0) == year)
        if abs(said[purse.name, year, "budget"] - hand) > 0.5:
            yield f"{purse.name}: a budget in {year_label(base + year)}"
        if abs(said[purse.name, year, "given_to_capital"] + said[purse.name, year, "taken_from_revenue"]) > 0.5:
            yield f"{purse.name}: what revenue gave in {year_label(base + year)} is not what capital took"
        if abs(said[purse.name, year, "used_for_reform"] + said[purse.name, year, "met_from_receipts"]) > 0.5:
            yield f"{purse.name}: what receipts gave in {year_label(base + year)} is not what reform got"


def _wrong_loans(case: Case, programme: Programme, limited: list[Purse], said: Mapping[Key, float], last: int) -> Iterator[str]:
    """Loans beyond what may be borrowed, and charges that are not those of what was drawn, of whoever has the purse by then."""
    base, purses = base_of(case), {each.name: each for each in limited}
    loans = [each for each in programme.loans if each.purse in purses]
    drawn = {(each.purse, each.year - base): said[each.purse, each.year - base, "loan_drawn"] for each in loans}
    for each in loans:
        most = sum(100 * one.most_gbp for one in loans if (one.purse, one.year) == (each.purse, each.year))
        if drawn[each.purse, each.year - base] > most + 0.5:
            yield f"{each.purse}: more is borrowed in {each.year} than may be"
    if len(drawn) < len(loans):
        return  # two loans of one year are one sum in the cash
    for name in purses:
        for year in range(last + 1):
            mine = [each for each in loans if holder(case, purses[each.purse], year) == name]
            due = sum(sum(charged(each, drawn[each.purse, each.year - base], year - (each.year - base))) for each in mine)
            stands = said[name, year, "loan_repaid"] + said[name, year, "loan_interest"]
            if abs(stands + due) > 2.0 * len(mine) + 0.5:
                yield f"{name}: loan charges in {year_label(base + year)}"


def _counted(purse: Purse, kind: str) -> tuple[str, ...]:
    """The lines that make what a purse has left of a kind, besides its budgets; without one, what is left of savings alone."""
    if not any(each.kind == kind for each in purse.budgets):
        return SAVINGS if kind == "revenue" else ()
    banked = () if purse.basis == "net" else (*LINES["receipts", 1], *LINES["sums", 1])
    return tuple(line for line in CAPITAL_AND_REVENUE[kind] if line not in banked)


def _wrong_passing(case: Case, limited: list[Purse], said: Mapping[Key, float], last: int) -> Iterator[str]:
    """What passes at vesting that is not what was left, or that does not arrive."""
    first, _ = vesting(case)
    for kind in CAPITAL_AND_REVENUE:
        came: defaultdict[str, float] = defaultdict(float)
        for purse in limited:
            heir = holder(case, purse, first)
            counted = _counted(purse, kind)
            left = sum(said[purse.name, year, line] for year in range(min(first, last + 1)) for line in counted)
            left += sum(pence(each.gbp) for each in purse.budgets if each.kind == kind) if heir != purse.name else 0
            gone = -said[purse.name, first, f"{kind}:{PASSED[0]}"]
            if abs(gone - (left if heir != purse.name else 0.0)) > 1.0:
                yield f"{purse.name}: {kind} of {gone / 100:,.2f} passes on, not {left / 100:,.2f}"
            came[heir] += gone if heir != purse.name else 0.0
        for purse in limited:
            if abs(said[purse.name, first, f"{kind}:{PASSED[1]}"] - came[purse.name]) > 1.0:
                yield f"{purse.name}: {kind} that a predecessor left"


def _wrong_funds(
    case: Case, programme: Programme, limited: list[Purse], said: Mapping[Key, float], table: pd.DataFrame
) -> Iterator[str]:
    """Funds drawn on by who may not or when they may not, beyond what they hold, or not paid back as agreed."""
    base, purses = base_of(case), {each.name: each for each in limited}
    rows = {(row["fund"], row["purse"], int(row["year"][:4])): row for row in table.to_dict("records")}
    moved: defaultdict[Key, float] = defaultdict(float)
    for (name, who, year), row in rows.items():
        fund = next((each for each in programme.funds if each.name == name), None)
        if fund is None or who not in purses:
            yield f"{name}, {who}: no such fund, or no such purse"
            continue
        may = who in fund.purses if fund.purses else any(each.kind == "capital" for each in purses[who].budgets)
        if row["drawn_gbp"] and not (may and fund.first_year <= year <= fund.last_year):
            yield f"{name}: {who} may not draw on it in {year}"
        moved[who, year - base, "fund_drawn"] += 100 * row["drawn_gbp"]
        moved[holder(case, purses[who], year - base), year - base, "fund_repaid"] -= 100 * row["repaid_gbp"]
    for fund in programme.funds:
        yield from _owed(fund, {(who, year): row for (name, who, year), row in rows.items() if name == fund.name})
    kept = {(who, year, line): each for (who, year, line), each in said.items() if line in ("fund_drawn", "fund_repaid")}
    for key in {*kept, *moved}:
        if abs(kept.get(key, 0.0) - moved[key]) > 2.0:
            yield f"{key[0]}, {year_label(base + key[1])}: {key[2]} is not what the funds say"


def _owed(fund: Fund, rows: Mapping[tuple[str, int], Mapping[Hashable, Any]]) -> Iterator[str]:
    """What a fund's rows, by purse and year, say wrongly of what is paid back, owed and left."""
    years, n = sorted({year for _, year in rows}), fund.repaid_over_years
    owed: defaultdict[str, float] = defaultdict(float)
    room = 2.0 * len(years)
    for year in years:
        here = {who: row for (who, when), row in rows.items() if when == year}
        for who, row in here.items():
            lent = [100 * each["drawn_gbp"] for (name, when), each in rows.items() if name == who and when < year <= when + n]
            owed[who] += 100 * (row["drawn_gbp"] - row["repaid_gbp"])
            if abs(100 * row["repaid_gbp"] - sum(lent) / max(n, 1)) > room or abs(100 * row["owed_gbp"] - owed[who]) > 1.0:
                yield f"{fund.name}, {who}: what is paid back or owed in {year}"
        left = 100 * fund.gbp - sum(owed.values())
        if left < -room or any(abs(100 * row["left_gbp"] - left) > 1.0 for row in here.values()):
            yield f"{fund.name}: {left / 100:,.2f} left in {year}"
    if n and any(abs(each) > room for each in owed.values()):
        yield f"{fund.name}: never paid back"


def charged(loan: Loan, drawn: float, after: int) -> tuple[float, float]:
    """Pence repaid and pence of interest so many years after a loan was drawn, worked down year by year."""
    owed, level = drawn, drawn / loan.years
    if loan.repaid == "annuity" and loan.rate:
        level = drawn * loan.rate / (1 - (1 + loan.rate) ** -loan.years)
    for n in range(1, loan.years + 1):
        interest = owed * loan.rate
        repaid = level - interest if loan.repaid == "annuity" else level
        if n == after:
            return repaid, interest
        owed -= repaid
    return 0.0, 0.0


def _wrong_reform(case: Case, purse: Purse, steps: list[Step], said: Mapping[Key, float], last: int) -> Iterator[str]:
    """Years in which receipts give more than reform costs its members under a direction, or than they have banked under one."""
    used = [said[purse.name, year, "met_from_receipts"] for year in range(last + 1)]
    if not any(used):
        return
    if case.scenario.programme is None or not case.scenario.programme.flexible_use:
        yield f"{purse.name}: receipts are used for reform"
    table = flexible_use(timed(case, steps), taken(case, steps))
    rows = [
        row
        for row in table.to_dict("records")
        if row["agency"] in purse.agencies
        and law_row("flexible-use", str(case.agencies[row["agency"]]["kind"]), int(row["year"][:4])) is not None
    ]
    banked = spent = 0.0
    for year in range(last + 1):
        of_year = [row for row in rows if row["year"] == year_label(base_of(case) + year)]
        banked += sum(100 * row["receipts_gbp"] for row in of_year)
        spent += used[year]
        most = sum(100 * row["reform_cost_gbp"] for row in of_year)
        if used[year] > most + len(steps) + 1 or spent > banked + len(steps) + 1:
            yield f"{purse.name}: receipts give too much to reform in {year_label(base_of(case) + year)}"


def _short(case: Case, purse: Purse, said: Mapping[Key, float], last: int) -> Iterator[str]:
    """Years at whose end a purse is below nothing, by kind."""
    kinds = {each.kind for each in purse.budgets}
    base = base_of(case)
    hand = {
        kind: [
            sum(pence(b.gbp) for b in purse.budgets if b.kind == kind and max((b.year or base) - base, 0) <= year)
            for year in range(last + 1)
        ]
        for kind in ("capital", "revenue")
    }
    counted = {kind: _counted(purse, kind) for kind in CAPITAL_AND_REVENUE}
    for kind, lines in counted.items():
        if kind == "capital" and "capital" not in kinds:
            continue
        total = 0.0
        for year in range(last + 1):
            total += sum(said[purse.name, year, line] for line in lines)
            total += sum(said[purse.name, year, f"{kind}:{line}"] for line in PASSED)
            left = total + hand[kind][year]
            uses = kind in kinds or any(said[purse.name, n, "given_to_capital"] for n in range(year + 1))
            if left < -1.0 - 0.01 * last and uses:
                yield f"{purse.name}: {kind}, {-left / 100:,.2f} by the end of {year_label(base + year)}"


def _yearly(case: Case, steps: list[Step]) -> Iterator[tuple[str, int, str, float]]:
    """Agency, year, line and pence of running cost and rent saved by each step, from the day it is taken."""
    horizon = case.scenario.money.horizon_years

    def saved(agency: str, gbp: float, start: float) -> Iterator[tuple[str, int, str, float]]:
        for year in range(horizon):
            yield agency, year, RECYCLED, 100 * gbp * part_of(year, start, horizon)

    for step in steps:
        if step.kind == "move":
            change = hosting_gbp(case, step.point, step.site) - hosting_gbp(case, step.point, step.to)
            yield from saved(case.points[step.point]["agency"], change, goes_after(case, step.point))
        elif step.kind == "open":
            yield from saved(case.sites[step.site]["agency"], -running_gbp(case, step.site), decided(case, step.site))
        else:
            yield from _let_go(case, step.site, saved)


def cash_of(case: Case, steps: list[Step]) -> list[float]:
    """Pence that some steps cost and bring all agencies together in each year of the horizon, running cost saved included."""
    found = [0.0] * case.scenario.money.horizon_years
    then = timed(case, steps)
    for money in by_agency(then, taken(case, steps)).values():
        for name, sign in LINES:
            for year, amount in getattr(money, name).items():
                if year < len(found):
                    found[year] += sign * amount
    for _, year, _, amount in _yearly(then, steps):
        found[year] += amount
    return found


def _let_go(case: Case, site: str, saved: Saved) -> Iterator[tuple[str, int, str, float]]:
    """What those save who bear a building's cost and rent today, and what its landlord among the agencies loses."""
    leave, bearers, landlord = leaves_after(case, site), _bearers(case, site), lets(case, site)
    for agency, share in bearers.items():
        yield from saved(agency, running_gbp(case, site) * share, leave)
    tenants = {agency: share for agency, share in bearers.items() if agency != landlord}
    for agency, share in tenants.items():
        yield from saved(agency, rent_gbp(case, site) * share / sum(tenants.values()), leave)
    if landlord and tenants:
        yield from saved(landlord, -rent_gbp(case, site), leave)


def part_of(year: int, start: float, stop: float) -> float:
    """The part of a year that lies between two times."""
    return max(0.0, min(stop, year + 1.0) - max(start, float(year)))


def _bearers(case: Case, site: str) -> Mapping[str, float]:
    """Who bears a building's own cost today, by share: floor area, or its lead agency."""
    area: defaultdict[str, float] = defaultdict(float)
    for point, row in case.points.items():
        if case.today.host[point] == site:
            area[row["agency"]] += number(row["area_m2"])
    owner = case.sites[site]["agency"]
    area[owner] += number(case.sites[site]["other_use_m2"])
    whole = sum(area.values())
    if not whole:
        return {owner: 1.0}
    if case.scenario.money.split == "lead-agency":
        users = {agency: m2 for agency, m2 in area.items() if m2}
        return {owner if owner in users else min(users, key=lambda agency: (-users[agency], agency)): 1.0}
    return {agency: m2 / whole for agency, m2 in area.items() if m2}
