"""A programme read a second time, from its published steps: every year's rules, dates, cash of every purse, present value.

Each year's estate is today's with the steps decided until then, and is held to every rule as a plan is.  Until the last year a
rule that today's estate breaks is not asked; payback is asked at the end alone, and budgets are the cash of the purses.  What a
purse pays and banks is worked out move by move and sale by sale with the year of each as the closing year.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from estate.errors import Issue
from estate.place import Place, Plan
from estate.scenario import Budget, Loan, Programme, Purse, Scenario
from estate.travel.pairs import TravelTables
from estate.verify.books import flexible_use, year_label
from estate.verify.case import Case, Decision, Finding, blank, case_of, decision_of, finding, number
from estate.verify.money import (
    DUST,
    day,
    decided,
    factors,
    goes_after,
    hosting_gbp,
    law_row,
    leaves_after,
    lets,
    pence,
    present_value_gbp,
    rent_gbp,
    running_gbp,
)
from estate.verify.purses import by_agency
from estate.verify.rules import check_plan, why_kept

LINES = {
    ("capital", -1): ("fitout", "opening_capital", "optimism_bias"),
    ("revenue", -1): ("removal", "exit_cost", "disposal_to_revenue", "holding_cost", "void_cost"),
    ("receipts", 1): ("capital_receipt", "disposal_from_receipt"),
    ("sums", 1): ("revenue_sum",),
}
"""The lines of ``cash`` behind each figure of :class:`~estate.verify.purses.Money`, and their sign."""
RECYCLED = "savings_recycled"

type Key = tuple[str, int, str]
"""Purse, year after the base year, line."""
type Saved = Callable[[str, float, float], Iterator[tuple[str, int, str, float]]]
"""What an agency saves a year, GBP, from a time on: agency, year, line, pence."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of ``programme``: ``year`` after the base year is when it was decided for."""

    kind: str
    point: str
    site: str
    to: str
    year: int


def referee_programme(
    place: Place, scenario: Scenario, travel: TravelTables, plan: Plan, tables: Mapping[str, pd.DataFrame], npv_gbp: float
) -> tuple[tuple[Issue, ...], dict[str, int]]:
    """What is wrong in a programme, and how many rows of each rule were looked at; ``plan`` is what stands at its end."""
    if scenario.programme is None:
        raise ValueError("the scenario has no programme")
    case = case_of(place, scenario, travel)
    steps = steps_of(case, tables["programme"])
    at_end = decision_of(case, plan)[0]
    odd = [] if at_end == _decided(case, steps) else ["the plan is not what the steps leave"]
    found = [
        finding("programme.end", len(steps), odd, "the plan at the end"),
        *_check_years(case, scenario.programme, steps),
        *_check_dates(case, scenario.programme, steps, tables["programme"]),
        *_check_cash(case, scenario.programme, steps, tables["cash"]),
        _check_npv(case, scenario.programme, steps, npv_gbp),
    ]
    if "invest" in tables:
        found.append(_check_invest(tables["invest"]))
    if "delay" in tables:
        found.append(_check_delay(tables["delay"]))
    if "cases" in tables:
        found.append(_check_cases(tables["cases"], npv_gbp))
    if "least_regret" in tables:
        robust = steps_of(case, tables["least_regret"])
        found += _check_years(case, scenario.programme, robust)
        found += _check_dates(case, scenario.programme, robust, tables["least_regret"])
        found.append(_check_least_regret(tables["cases"], npv_pence(case, scenario.programme, robust) / 100))
    checks: defaultdict[str, int] = defaultdict(int)
    for each in found:
        checks[each.rule] += each.checked
    return tuple(each.issue() for each in found if each.broken), dict(checks)


def steps_of(case: Case, table: pd.DataFrame) -> list[Step]:
    """The rows of a table of steps."""
    return [
        Step(row["step"], row["access_point_id"], row["site_id"], row["to_site_id"], int(row["decided_year"][:4]) - _base(case))
        for row in table.to_dict("records")
    ]


def _check_delay(table: pd.DataFrame) -> Finding:
    """To wait is never worth more than nothing, where it is proven (to the proof)."""
    worth = table.loc[table["status"] == "optimal", "worth_less_gbp"].tolist()
    broken = [f"{gbp:,.2f}" for gbp in worth if gbp < -MARGIN_GBP]
    return finding("programme.delay", len(table), broken, "what a year's delay would cost cannot be")


def _check_cases(table: pd.DataFrame, npv_gbp: float) -> Finding:
    """No programme is better in a case than the best of it; the planned case is this programme; sums are as printed."""
    rows = table.to_dict("records")
    proven = [row for row in rows if row["status"] == "optimal"]
    broken = [f"{row['case']}: better than the best" for row in proven if number(row["regret_gbp"]) < -MARGIN_GBP]
    for worth, less in (("this_programme_gbp", "regret_gbp"), ("least_regret_programme_gbp", "its_regret_gbp")):
        said = [row for row in rows if not blank(row[less])]
        broken += [f"{row['case']}: {less}" for row in said if abs(row["best_gbp"] - row[worth] - row[less]) > 0.02]
    broken += [
        f"{row['case']}: it cannot be paid for" for row in rows if row["short_gbp"] > 0.02 and not blank(row["regret_gbp"])
    ]
    if abs(rows[0]["this_programme_gbp"] - npv_gbp) > 0.02:
        broken.append("as planned it is another programme")
    return finding("programme.cases", len(rows), broken, "the cases cannot be")


def _check_least_regret(table: pd.DataFrame, npv_gbp: float) -> Finding:
    """The programme of least regret is worth as planned what is said, and its largest regret is no larger than this one's."""
    broken = [] if abs(table["least_regret_programme_gbp"].iloc[0] - npv_gbp) <= 1.0 else ["it is worth something else"]
    if not table["regret_gbp"].isna().any() and table["its_regret_gbp"].max() > table["regret_gbp"].max() + MARGIN_GBP:
        broken.append("this programme is regretted less")
    return finding("programme.least-regret", len(table), broken, "the programme of least regret")


def _check_invest(table: pd.DataFrame) -> Finding:
    """More money is never worth less than nothing, nor less for coming earlier, where both are proven (to the proof)."""
    broken = []
    for purse, rows in table.groupby("purse", sort=False):
        proven = rows[rows["status"] == "optimal"].sort_values("year")
        worth = proven["worth_more_gbp"].tolist()
        broken += [f"{purse}: {gbp:,.2f}" for gbp in worth if gbp < -MARGIN_GBP]
        broken += [f"{purse}: {a:,.2f}, then {b:,.2f}" for a, b in itertools.pairwise(worth) if b > a + MARGIN_GBP]
    return finding("programme.invest", len(table), broken, "what more capital would buy cannot be")


MARGIN_GBP = 1_000.0
"""A programme is proven to 0.01%: of ten million, so much."""


def chosen_for_value(scenario: Scenario) -> bool:
    """Whether a programme is free to do nothing, and looks for value over the horizon."""
    programme = scenario.programme
    return programme is None or (programme.least_cost_to is None and programme.leases == "renewed")


def without_budgets(scenario: Scenario) -> Scenario:
    """The scenario in which money is no matter."""
    money = scenario.money.model_copy(update={"purses": (), "capital_budget_gbp": None})
    return scenario.model_copy(update={"money": money})


def _base(case: Case) -> int:
    return case.scenario.money.base_year


def _dated(case: Case, year: int) -> Case:
    """The case in which everything is decided for a year, and no budget is asked."""
    scenario = without_budgets(case.scenario)
    money = scenario.money.model_copy(update={"closing_year": year, "decided_for": {}})
    return replace(case, scenario=scenario.model_copy(update={"money": money}))


def _timed(case: Case, steps: list[Step]) -> Case:
    """The case in which every step is decided for its own year."""
    years = {step.point if step.kind == "move" else step.site: _base(case) + step.year for step in steps}
    scenario = without_budgets(case.scenario)
    money = scenario.money.model_copy(update={"decided_for": years})
    return replace(case, scenario=scenario.model_copy(update={"money": money}))


def _decided(case: Case, steps: list[Step]) -> Decision:
    """Today's estate with some steps taken."""
    opened, host = set(case.today.open), dict(case.today.host)
    for step in steps:
        if step.kind == "move":
            host[step.point] = step.to
        elif step.kind == "open":
            opened.add(step.site)
        else:
            opened.discard(step.site)
    return Decision(frozenset(opened), host)


def _years(case: Case, programme: Programme) -> list[int]:
    first = case.scenario.money.closing_year if programme.first_year is None else programme.first_year - _base(case)
    return list(range(first, first + programme.years))


# ------------------------------------------------------------------------------------------------------ rules


def _check_years(case: Case, programme: Programme, steps: list[Step]) -> Iterator[Finding]:
    """Every year's estate keeps the rules; nobody moves twice, nothing closes or opens twice."""
    seen: defaultdict[tuple[bool, str], int] = defaultdict(int)
    for step in steps:
        seen[step.kind == "move", step.point if step.kind == "move" else step.site] += 1
    twice = [name for (_, name), times in seen.items() if times > 1]
    yield finding("programme.once", len(seen), twice, "steps that are taken more than once")
    years = _years(case, programme)
    legal = {each.rule for each in check_plan(_dated(case, years[0]), case.today) if not each.broken}
    for year in years:
        now = _timed(case, steps) if year == years[-1] else _dated(case, year)
        for each in check_plan(now, _decided(case, [step for step in steps if step.year <= year])):
            if year == years[-1] or (each.rule in legal and each.rule != "payback"):
                yield replace(each, rule=f"programme.{each.rule}", says=f"in {year_label(_base(case) + year)}, {each.says}")
        if programme.most_moves_a_year is not None:
            moved = [step.point for step in steps if step.kind == "move" and step.year == year]
            broken = moved if len(moved) > programme.most_moves_a_year else []
            yield finding(
                "programme.most-moves", len(moved), broken, f"more moves in {year_label(_base(case) + year)} than may be"
            )


def _check_dates(case: Case, programme: Programme, steps: list[Step], table: pd.DataFrame) -> Iterator[Finding]:
    """Nothing before its lease lets go, outside its window, or before what it waits for; dates as printed."""
    years, early, printed = _years(case, programme), [], []
    when: dict[str, int] = {}
    for step, date in zip(steps, table["date"].astype(str), strict=True):
        name = step.point if step.kind == "move" else step.site
        when[name] = step.year
        held = step.kind != "open"
        free = leaves_after(_dated(case, 0), step.site) if held else 0.0
        waits = step.year == years[-1] and not programme.within_years
        if step.year not in years or (step.year < math.floor(free + DUST) and not waits):
            early.append(f"{name} in {year_label(_base(case) + step.year)}")
        start = leaves_after(_dated(case, step.year), step.site) if held else float(step.year)
        if date != day(_base(case), start):
            printed.append(f"{name}: {date}, not {day(_base(case), start)}")
    yield finding("programme.lease", len(steps), early, "steps before their lease lets go, or outside the years")
    yield finding("programme.date", len(steps), printed, "dates that are wrong")
    outside = [
        each.of
        for each in programme.windows
        if each.of in when
        and not (each.not_before or 0) <= _base(case) + when[each.of] <= (each.not_after or _base(case) + 10_000)
    ]
    yield finding("programme.window", len(programme.windows), outside, "steps outside their window")
    wrong = [
        each.then
        for each in programme.before
        if each.then in when and not (each.first in when and when[each.first] < when[each.then])
    ]
    yield finding("programme.before", len(programme.before), wrong, "steps that do not wait for what comes first")
    if programme.leases == "left":
        ends = {site: lease_end(case, site) for site in case.sites}
        kept = [
            site
            for site, end in ends.items()
            if end is not None and years[0] <= math.floor(end) <= years[-1] and when.get(site, 10_000) > math.floor(end)
        ]
        yield finding("programme.left", len(ends), set(kept) - set(why_kept(case)), "buildings kept beyond their lease")


# ------------------------------------------------------------------------------------------------------ cash


def _check_cash(case: Case, programme: Programme, steps: list[Step], table: pd.DataFrame) -> Iterator[Finding]:
    """Every purse's lines are what its steps cost and bring, and no purse is below nothing by the end of any year."""
    money = case.scenario.money
    limited = [each for each in money.purses if each.budgets]
    if money.capital_budget_gbp is not None:
        one = (Budget(gbp=money.capital_budget_gbp),)
        limited.append(Purse(name="all agencies", agencies=tuple(case.agencies), basis=money.budget_basis, budgets=one))
    said: defaultdict[Key, float] = defaultdict(float)
    for row in table.to_dict("records"):
        said[row["purse"], int(row["year"][:4]) - _base(case), row["line"]] += row["amount_gbp"] * 100
    want = _wanted(case, programme, steps, limited)
    last = max((year for _, year, _ in (*said, *want)), default=0)
    figures = {**{name: lines for (name, _), lines in LINES.items()}, RECYCLED: (RECYCLED,)}
    wrong = [
        f"{purse.name}, {year_label(_base(case) + year)}, {name}: {stands / 100:,.2f}, not {truth / 100:,.2f}"
        for purse in limited
        for year in range(last + 1)
        for name, lines in figures.items()
        for stands, truth in [(sum(said[purse.name, year, line] for line in lines), want[purse.name, year, name])]
        if abs(stands - truth) > 2.0 * (len(steps) + 1)
    ]
    short: list[str] = []
    for purse in limited:
        wrong += _wrong_money(case, purse, programme, said, last)
        wrong += _wrong_reform(case, purse, steps, said, last)
        short += _short(case, purse, said, last)
    looked = len(limited) * (last + 1) * len(figures)
    yield finding("programme.cash", looked, wrong, "cash that is not what the steps cost and bring")
    yield finding("programme.below-nothing", looked, short, "purses below nothing")


def _wanted(case: Case, programme: Programme, steps: list[Step], limited: list[Purse]) -> defaultdict[Key, float]:
    """Pence of each figure by purse and year, as the steps of each decision year make it."""
    want: defaultdict[Key, float] = defaultdict(float)
    timed = _timed(case, steps)
    once = (
        (agency, when, name, sign * amount)
        for agency, each in by_agency(timed, _decided(case, steps)).items()
        for name, sign in LINES
        for when, amount in getattr(each, name).items()
    )
    for agency, when, line, amount in (*once, *_yearly(timed, steps)):
        for purse in limited:
            if agency in purse.agencies:
                share = programme.recycled.get(purse.name, 0.0) if line == RECYCLED else 1.0
                want[purse.name, when, line] += share * amount
    return want


def _wrong_money(case: Case, purse: Purse, programme: Programme, said: Mapping[Key, float], last: int) -> Iterator[str]:
    """Budgets, loans and transfers that are not as the scenario has them."""
    base, loans = _base(case), [each for each in programme.loans if each.purse == purse.name]
    drawn = {each.year - base: said[purse.name, each.year - base, "loan_drawn"] for each in loans}
    for year in range(last + 1):
        hand = sum(pence(each.gbp) for each in purse.budgets if max((each.year or base) - base, 0) == year)
        if abs(said[purse.name, year, "budget"] - hand) > 0.5:
            yield f"{purse.name}: a budget in {year_label(base + year)}"
        if abs(said[purse.name, year, "given_to_capital"] + said[purse.name, year, "taken_from_revenue"]) > 0.5:
            yield f"{purse.name}: what revenue gave in {year_label(base + year)} is not what capital took"
        if abs(said[purse.name, year, "used_for_reform"] + said[purse.name, year, "met_from_receipts"]) > 0.5:
            yield f"{purse.name}: what receipts gave in {year_label(base + year)} is not what reform got"
        if len(drawn) == len(loans):
            charge = sum(sum(charged(each, drawn[each.year - base], year - (each.year - base))) for each in loans)
            stands = said[purse.name, year, "loan_repaid"] + said[purse.name, year, "loan_interest"]
            if abs(stands + charge) > 2.0 * len(loans) + 0.5:
                yield f"{purse.name}: loan charges in {year_label(base + year)}"
    for each in loans:
        if drawn[each.year - base] > sum(100 * one.most_gbp for one in loans if one.year == each.year) + 0.5:
            yield f"{purse.name}: more is borrowed in {each.year} than may be"


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
    table = flexible_use(_timed(case, steps), _decided(case, steps))
    rows = [
        row
        for row in table.to_dict("records")
        if row["agency"] in purse.agencies
        and law_row("flexible-use", str(case.agencies[row["agency"]]["kind"]), int(row["year"][:4])) is not None
    ]
    banked = spent = 0.0
    for year in range(last + 1):
        of_year = [row for row in rows if row["year"] == year_label(_base(case) + year)]
        banked += sum(100 * row["receipts_gbp"] for row in of_year)
        spent += used[year]
        most = sum(100 * row["reform_cost_gbp"] for row in of_year)
        if used[year] > most + len(steps) + 1 or spent > banked + len(steps) + 1:
            yield f"{purse.name}: receipts give too much to reform in {year_label(_base(case) + year)}"


def _short(case: Case, purse: Purse, said: Mapping[Key, float], last: int) -> Iterator[str]:
    """Years at whose end a purse is below nothing, by kind."""
    kinds = {each.kind for each in purse.budgets}
    base = _base(case)
    hand = {
        kind: [
            sum(pence(b.gbp) for b in purse.budgets if b.kind == kind and max((b.year or base) - base, 0) <= year)
            for year in range(last + 1)
        ]
        for kind in ("capital", "revenue")
    }
    net = purse.basis == "net"
    counted = {
        "capital": (
            *LINES["capital", -1], "taken_from_revenue", "used_for_reform", "loan_drawn",
            *(LINES["receipts", 1] if net else ()),
        ),
        "revenue": (
            *LINES["revenue", -1], RECYCLED, "given_to_capital", "met_from_receipts", "loan_repaid", "loan_interest",
            *(LINES["sums", 1] if net else ()),
        ),
    }  # fmt: skip
    if "revenue" not in kinds:
        counted["revenue"] = (RECYCLED, "given_to_capital", "loan_repaid", "loan_interest")
    for kind, lines in counted.items():
        if kind == "capital" and "capital" not in kinds:
            continue
        total = 0.0
        for year in range(last + 1):
            total += sum(said[purse.name, year, line] for line in lines)
            left = total + hand[kind][year]
            uses = kind in kinds or any(said[purse.name, n, "given_to_capital"] for n in range(year + 1))
            if left < -1.0 - 0.01 * last and uses:
                yield f"{purse.name}: {kind}, {-left / 100:,.2f} by the end of {year_label(base + year)}"


def _yearly(case: Case, steps: list[Step]) -> Iterator[tuple[str, int, str, float]]:
    """Agency, year, line and pence of running cost and rent saved by each step, from the day it is taken."""
    horizon = case.scenario.money.horizon_years

    def saved(agency: str, gbp: float, start: float) -> Iterator[tuple[str, int, str, float]]:
        for year in range(horizon):
            yield agency, year, RECYCLED, 100 * gbp * _part(year, start, horizon)

    for step in steps:
        if step.kind == "move":
            change = hosting_gbp(case, step.point, step.site) - hosting_gbp(case, step.point, step.to)
            yield from saved(case.points[step.point]["agency"], change, goes_after(case, step.point))
        elif step.kind == "open":
            yield from saved(case.sites[step.site]["agency"], -running_gbp(case, step.site), decided(case, step.site))
        else:
            yield from _let_go(case, step.site, saved)


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


def _part(year: int, start: float, stop: float) -> float:
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


# ------------------------------------------------------------------------------------------------------ present value


def _check_npv(case: Case, programme: Programme, steps: list[Step], said_gbp: float) -> Finding:
    """The worth of all steps, year by year."""
    npv = npv_pence(case, programme, steps)
    broken = [f"£{said_gbp:,.2f}, not £{npv / 100:,.2f}"] if abs(said_gbp * 100 - npv) > len(steps) + 2 else []
    return finding("programme.npv", len(steps), broken, "the present value is not that of the steps")


def npv_pence(case: Case, programme: Programme, steps: list[Step]) -> float:
    """Pence of present value against today's estate: the plan with the date of every step, and leases that are renewed dearer."""
    money = case.scenario.money
    H, worth = money.horizon_years, factors(money.base_year, money.horizon_years)
    if programme.least_cost_to is not None:
        worth = [float(money.base_year + year <= programme.least_cost_to) for year in range(H)]
    timed = _timed(case, steps)
    total = present_value_gbp(timed, _decided(case, steps), worth)
    gone = {step.site: leaves_after(timed, step.site) for step in steps if step.kind == "let go"}
    for site, gbp in programme.renewed_gbp_pa.items():
        end = lease_end(case, site)
        if end is not None:
            years = range(H)
            until = max(gone.get(site, float(H)), end)
            total -= (gbp - running_gbp(case, site)) * sum(worth[year] * _part(year, end, min(until, H)) for year in years)
    return 100 * total


def lease_end(case: Case, site: str) -> float | None:
    """When the lease of a building in use ends, in years after the base date; None where none does, or it has ended."""
    row = case.sites[site]
    if not case.paid_today(site) or row["tenure"] in ("freehold", "pfi") or blank(row["lease_end"]):
        return None
    morning = row["lease_end"].date() + dt.timedelta(days=1)
    year = morning.year - (morning < dt.date(morning.year, 4, 1))
    start, end = dt.date(year, 4, 1), dt.date(year + 1, 4, 1)
    found = year - _base(case) + (morning - start) / (end - start)
    return found if found >= 0 else None
