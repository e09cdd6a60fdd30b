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
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from estate.errors import Issue
from estate.place import Place, Plan
from estate.scenario import Programme, Scenario
from estate.travel.pairs import TravelTables
from estate.verify.books import year_label
from estate.verify.case import Case, Finding, blank, case_of, decision_of, finding, number
from estate.verify.cash import cash_of, check_cash, part_of
from estate.verify.money import (
    DUST,
    day,
    factors,
    leaves_after,
    present_value_gbp,
    running_gbp,
)
from estate.verify.rules import check_plan, why_kept
from estate.verify.steps import Step, base_of, body, dated, steps_of, taken, timed, years_of


def referee_programme(
    place: Place, scenario: Scenario, travel: TravelTables, plan: Plan, tables: Mapping[str, pd.DataFrame], npv_gbp: float
) -> tuple[tuple[Issue, ...], dict[str, int]]:
    """What is wrong in a programme, and how many rows of each rule were looked at; ``plan`` is what stands at its end."""
    if scenario.programme is None:
        raise ValueError("the scenario has no programme")
    case = case_of(place, scenario, travel)
    steps = steps_of(case, tables["programme"])
    at_end = decision_of(case, plan)[0]
    odd = [] if at_end == taken(case, steps) else ["the plan is not what the steps leave"]
    found = [
        finding("programme.end", len(steps), odd, "the plan at the end"),
        *_check_years(case, scenario.programme, steps),
        *_check_dates(case, scenario.programme, steps, tables["programme"]),
        *check_cash(case, scenario.programme, steps, tables["cash"], tables.get("funds")),
        _check_npv(case, scenario.programme, steps, npv_gbp),
        _check_bodies(case, steps, tables["programme"]),
        _check_payback(case, steps, tables["programme"]),
        _check_leases(case, scenario.programme, steps, tables["lease_diary"]),
    ]
    if "bodies" in tables:
        found.append(_check_ledger_of_bodies(case, tables["bodies"], tables["ledger"]))
    if "borrowing" in tables:
        found.append(_check_borrowing(tables["borrowing"], tables["cash"]))
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


# ------------------------------------------------------------------------------------------------------ rules


def _check_years(case: Case, programme: Programme, steps: list[Step]) -> Iterator[Finding]:
    """Every year's estate keeps the rules; nobody moves twice, nothing closes or opens twice."""
    seen: defaultdict[tuple[bool, str], int] = defaultdict(int)
    for step in steps:
        seen[step.kind == "move", step.point if step.kind == "move" else step.site] += 1
    twice = [name for (_, name), times in seen.items() if times > 1]
    yield finding("programme.once", len(seen), twice, "steps that are taken more than once")
    years = years_of(case, programme)
    legal = {each.rule for each in check_plan(dated(case, years[0]), case.today) if not each.broken}
    for year in years:
        now = timed(case, steps) if year == years[-1] else dated(case, year)
        for each in check_plan(now, taken(case, [step for step in steps if step.year <= year])):
            if year == years[-1] or (each.rule in legal and each.rule != "payback"):
                yield replace(each, rule=f"programme.{each.rule}", says=f"in {year_label(base_of(case) + year)}, {each.says}")
        if programme.most_moves_a_year is not None:
            moved = [step.point for step in steps if step.kind == "move" and step.year == year]
            broken = moved if len(moved) > programme.most_moves_a_year else []
            yield finding(
                "programme.most-moves", len(moved), broken, f"more moves in {year_label(base_of(case) + year)} than may be"
            )


def _check_dates(case: Case, programme: Programme, steps: list[Step], table: pd.DataFrame) -> Iterator[Finding]:
    """Nothing before its lease lets go, outside its window, or before what it waits for; dates as printed."""
    years, early, printed = years_of(case, programme), [], []
    when: dict[str, int] = {}
    for step, date in zip(steps, table["date"].astype(str), strict=True):
        name = step.point if step.kind == "move" else step.site
        when[name] = step.year
        held = step.kind != "open"
        free = leaves_after(dated(case, 0), step.site) if held else 0.0
        waits = step.year == years[-1] and not programme.within_years
        if step.year not in years or (step.year < math.floor(free + DUST) and not waits):
            early.append(f"{name} in {year_label(base_of(case) + step.year)}")
        start = leaves_after(dated(case, step.year), step.site) if held else float(step.year)
        if date != day(base_of(case), start):
            printed.append(f"{name}: {date}, not {day(base_of(case), start)}")
    yield finding("programme.lease", len(steps), early, "steps before their lease lets go, or outside the years")
    yield finding("programme.date", len(steps), printed, "dates that are wrong")
    outside = [
        each.of
        for each in programme.windows
        if each.of in when
        and not (each.not_before or 0) <= base_of(case) + when[each.of] <= (each.not_after or base_of(case) + 10_000)
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


# ------------------------------------------------------------------------------------------------------ who, and paid back when


def _check_bodies(case: Case, steps: list[Step], table: pd.DataFrame) -> Finding:
    """Who decides a step is who there is when its works are paid, and who banks a receipt who there is by then."""
    base, broken = base_of(case), []
    for step, row in zip(steps, table.to_dict("records"), strict=True):
        agency = str(case.points[step.point]["agency"] if step.kind == "move" else case.sites[step.site]["agency"])
        banked = str(row["receipt_year"] or "")
        to = body(case, str(case.sites[step.site]["agency"]), int(banked[:4]) - base) if banked else ""
        if row["decided_by"] != body(case, agency, int(row["works_year"][:4]) - base) or (row["receipt_to"] or "") != to:
            broken.append(f"{step.point or step.site}: {row['decided_by']}, {row['receipt_to']}")
    return finding("programme.bodies", len(steps), broken, "steps decided, or receipts banked, by who is not there then")


def _check_leases(case: Case, programme: Programme, steps: list[Step], table: pd.DataFrame) -> Finding:
    """Notice falls due so many months before the last day in a building, or before its lease lets go; what renewals cost."""
    then, wrong = timed(case, steps), []
    gone = {step.site for step in steps if step.kind == "let go"}
    for row in table.to_dict("records"):
        site = str(row["site_id"])
        leaves = day(base_of(case), leaves_after(then, site)) if site in gone else ""
        dates = [case.sites[site][name] for name in ("lease_break", "lease_end")]
        last = pd.Timestamp(leaves) - pd.Timedelta(days=1) if leaves else next(date for date in dates if not blank(date))
        notice = (last - pd.DateOffset(months=programme.notice_months)).date().isoformat()
        end = lease_end(case, site)
        goes_on = end is not None and end < min(
            leaves_after(then, site) if leaves else math.inf, case.scenario.money.horizon_years
        )
        gbp = programme.renewed_gbp_pa.get(site, running_gbp(case, site)) if goes_on else math.nan
        same = blank(row["renewed_gbp_pa"]) if math.isnan(gbp) else abs(row["renewed_gbp_pa"] - gbp) < 0.01
        if (row["notice_by"], row["left_on"] or "") != (notice, leaves) or not same:
            wrong.append(f"{site}: {row['notice_by']}, {row['left_on']}, {row['renewed_gbp_pa']}")
    return finding("programme.leases", len(table), wrong, "the lease diary")


def _check_ledger_of_bodies(case: Case, table: pd.DataFrame, ledger: pd.DataFrame) -> Finding:
    """Every entry of the ledger is of who there is in its year."""
    total: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for row in ledger.to_dict("records"):
        who = body(case, str(row["agency"]), int(str(row["year"])[:4]) - base_of(case))
        total[who, str(row["year"]), str(row["line"])] += row["amount_gbp"]
    for row in table.to_dict("records"):
        total[str(row["body"]), str(row["year"]), str(row["line"])] -= row["amount_gbp"]
    wrong = [" ".join(key) for key, amount in total.items() if abs(amount) > 0.005]
    return finding("programme.bodies", len(table), wrong, "entries that are of who is not there in that year")


def _check_borrowing(table: pd.DataFrame, cash: pd.DataFrame) -> Finding:
    """What loans and funds lend is what is drawn; without one no programme is worth more; what each earns adds up."""
    drawn = cash.loc[cash["line"].isin(["loan_drawn", "fund_drawn"]), "amount_gbp"].sum()
    wrong = [] if abs(drawn - table["drawn_gbp"].sum()) <= 0.02 * (len(table) + 1) else ["what is drawn"]
    for row in table.to_dict("records"):
        more = row["worth_more_gbp"]
        if not blank(more) and abs(more - row["costs_more_gbp"] - row["earns_gbp"]) > 0.02:
            wrong.append(f"{row['name']}: what it earns")
        if row["status"] == "optimal" and row["worth_more_gbp"] < -MARGIN_GBP:
            wrong.append(f"{row['name']}: worth less for it")
    return finding("programme.borrowing", len(table), wrong, "what loans and funds earn cannot be")


def _check_payback(case: Case, steps: list[Step], table: pd.DataFrame) -> Finding:
    """From the year printed on, and from none before, what a step and those it belongs with have cost is paid back."""
    H, base, broken = case.scenario.money.horizon_years, base_of(case), []
    worth = factors(base, H)
    said = dict(zip(map(id, steps), table["pays_back_in"].astype(str), strict=True))
    for group in _together(steps):
        cash = [worth[year] * amount for year, amount in enumerate(cash_of(case, group))]
        total, room = list(itertools.accumulate(cash)), 2.0 * len(group) + 2.0
        for step in group:
            label = said[id(step)]
            if label == "never":
                wrong = total[-1] > room
            else:
                year = int(label[:4]) - base
                wrong = min(total[year:]) < -room or (year > 0 and total[year - 1] > room and any(total[:year]))
            if wrong:
                broken.append(f"{step.point or step.site}: {label}")
    return finding("programme.payback", len(steps), broken, "steps that are not paid back when it is said")


def _together(steps: list[Step]) -> list[list[Step]]:
    """Steps that share a building let go or opened, or one that a counter leaves and another enters, and all linked by these."""
    moves = [step for step in steps if step.kind == "move"]
    changed = {step.site for step in steps if step.kind != "move"} | ({s.site for s in moves} & {s.to for s in moves})
    groups: list[tuple[set[str], list[Step]]] = []
    for step in steps:
        sites, mine = {step.site, step.to} & changed, [step]
        for other in [each for each in groups if each[0] & sites]:
            groups.remove(other)
            sites, mine = sites | other[0], other[1] + mine
        groups.append((sites, mine))
    return [mine for _, mine in groups]


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
    then = timed(case, steps)
    total = present_value_gbp(then, taken(case, steps), worth)
    gone = {step.site: leaves_after(then, step.site) for step in steps if step.kind == "let go"}
    for site, gbp in programme.renewed_gbp_pa.items():
        end = lease_end(case, site)
        if end is not None:
            years = range(H)
            until = max(gone.get(site, float(H)), end)
            total -= (gbp - running_gbp(case, site)) * sum(worth[year] * part_of(year, end, min(until, H)) for year in years)
    return 100 * total


def lease_end(case: Case, site: str) -> float | None:
    """When the lease of a building in use ends, in years after the base date; None where none does, or it has ended."""
    row = case.sites[site]
    if not case.paid_today(site) or row["tenure"] in ("freehold", "pfi") or blank(row["lease_end"]):
        return None
    morning = row["lease_end"].date() + dt.timedelta(days=1)
    year = morning.year - (morning < dt.date(morning.year, 4, 1))
    start, end = dt.date(year, 4, 1), dt.date(year + 1, 4, 1)
    found = year - base_of(case) + (morning - start) / (end - start)
    return found if found >= 0 else None
