"""What is published of a programme: every step with its date and what it waits for, the cash, the leases, access by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estate.appraise.access import access_table, reach
from estate.money.costs import running_gbp_pa
from estate.money.law import year_label
from estate.money.release import UNDATED, day_of, leaving_years, works_year
from estate.place import Plan
from estate.problem import Ints, Solution, violations
from estate.programme.books import cash_table, funds_table
from estate.programme.cash import RECYCLED
from estate.programme.orders import Course, Line, began
from estate.programme.payback import paybacks
from estate.programme.succession import succession
from estate.programme.terms import Terms, asked, dated, dearer_gbp_pa, lease_ends

NOW = "nothing: it is taken as early as it may be"
LEASE = "its lease, or a date that is set"
READY = "the building: it cannot be had earlier"
WORTH = "nothing: it is worth no more a year earlier"
ROOM = "room, access or another rule: a year earlier the building is not ready, or somebody is left too far away"
MOVES = "the most moves in a year"
FIRST = "what must come first"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step taken: its pair or its site (the other is -1), the period, and the calendar and fractional years of it."""

    pair: int
    site: int
    period: int


def steps(terms: Terms, course: Course) -> list[Step]:
    """Every step, by period, buildings after the points that leave them."""
    pair, site = began(terms.orders, course)
    found = [Step(int(p), -1, int(pair[p])) for p in np.flatnonzero(pair >= 0)]
    found += [Step(-1, int(j), int(site[j])) for j in np.flatnonzero(site >= 0)]
    return sorted(found, key=lambda each: (each.period, each.pair < 0))


def programme_tables(terms: Terms, course: Course) -> Mapping[str, pd.DataFrame]:
    """``programme, cash, access_by_year, lease_diary``; with funds that are drawn on, ``funds``."""
    funds = funds_table(terms, course)
    return {
        "programme": _programme(terms, course),
        "cash": cash_table(terms, course),
        "access_by_year": _access(terms, course),
        "lease_diary": _leases(terms, course),
        **({"funds": funds} if len(funds) else {}),
    }


# ------------------------------------------------------------------------------------------------------ steps


def _programme(terms: Terms, course: Course) -> pd.DataFrame:
    """One row for each step, signed as people speak: costs and receipts are both positive."""
    place, scenario, problem = terms.measured.place, terms.measured.scenario, terms.orders.problem
    base, rows, bodies = scenario.money.base_year, [], succession(scenario)
    sites, points = place.sites, place.access_points
    back = paybacks(terms, course)
    for each in steps(terms, course):
        year = int(terms.years[each.period])
        then = leaving_years(place, dated(scenario, year))
        entries = terms.ways.entries[each.period]
        entries = entries[(entries["pair"] == each.pair) & (entries["site"] == each.site) & (entries["line"] != RECYCLED)]
        is_move = each.pair >= 0
        at = int(place.point_site[terms.point[each.pair]]) if is_move else each.site
        opened = not is_move and not place.today.open[each.site]
        when = float(year) if opened else float(then[at])
        point = points.iloc[terms.point[each.pair]] if is_move else None
        to = int(problem.pair_site[each.pair]) if is_move else -1
        brings = entries[entries["pence"] > 0]
        agency = str(sites["agency"].iloc[each.site] if point is None else point["agency"])
        works, banked = int(works_year(np.array([when]))[0]), int(brings["year"].max()) if len(brings) else -1
        rows.append(
            {
                "year": year_label(base + int(np.floor(when + 1e-9))),
                "date": day_of(base, when),
                "works_year": year_label(base + works),
                "decided_year": year_label(base + year),
                "step": "move" if is_move else "open" if opened else "let go",
                "access_point_id": points.index[terms.point[each.pair]] if is_move else "",
                "service": "" if point is None else point["service"],
                "agency": agency,
                "decided_by": bodies.body(agency, works),
                "site_id": sites.index[at],
                "building": sites["name"].iloc[at],
                "to_site_id": sites.index[to] if is_move else "",
                "to_building": sites["name"].iloc[to] if is_move else "",
                "cost_gbp": -int(entries.loc[entries["pence"] < 0, "pence"].sum()) / 100,
                "receipt_gbp": int(brings["pence"].sum()) / 100,
                "receipt_year": year_label(base + banked) if len(brings) else "",
                "receipt_to": bodies.body(str(sites["agency"].iloc[at]), banked) if len(brings) else "",
                "worth_gbp": _worth(terms, each, each.period) / 100,
                "pays_back_in": back[each.pair, each.site],
                "a_year_later_gbp": _later(terms, each) / 100,
                "waits_for": _waits_for(terms, course, each),
            }
        )
    columns = [
        "year", "date", "works_year", "decided_year", "step", "access_point_id", "service", "agency", "decided_by", "site_id",
        "building", "to_site_id", "to_building", "cost_gbp", "receipt_gbp", "receipt_year", "receipt_to", "worth_gbp",
        "pays_back_in", "a_year_later_gbp", "waits_for",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _worth(terms: Terms, step: Step, period: int) -> int:
    value = terms.orders.pair_value[step.pair] if step.pair >= 0 else terms.orders.site_value[step.site]
    return int(value[period]) if period < len(value) else 0


def _later(terms: Terms, step: Step) -> int:
    """Pence lost where this step alone is taken a year later, by its own costs and savings; not at all, after the last year."""
    return _worth(terms, step, step.period) - _worth(terms, step, step.period + 1)


def _waits_for(terms: Terms, course: Course, step: Step) -> str:
    """Why a step is not taken a year earlier: the first thing that stands in the way of it alone, or with its whole building."""
    orders, t = terms.orders, step.period
    may = orders.pair_may[step.pair] if step.pair >= 0 else orders.site_may[step.site]
    if t == 0:
        return NOW
    if not may[t - 1]:
        return LEASE if step.pair >= 0 or orders.today.open[step.site] else READY
    opened, host = course.open.copy(), course.host.copy()
    if step.pair >= 0:
        host[t - 1, orders.problem.pair_point[step.pair]] = orders.problem.pair_site[step.pair]
        opened[t - 1, orders.problem.pair_site[step.pair]] = True
    else:
        gone = not opened[t, step.site]
        host[t - 1] = np.where(host[t - 1] == step.site, host[t], host[t - 1]) if gone else host[t - 1]
        opened[t - 1, step.site] = not gone
    earlier = Course(course.status, opened, host, course.sums, 0, 0.0, 0.0)
    pair, site = began(orders, earlier)
    moved = np.bincount(pair[pair >= 0], minlength=orders.periods)
    if orders.most_moves is not None and moved[t - 1] > orders.most_moves:
        return MOVES
    if any(_breaks(pair, site, orders.problem.pair_point, each) for each in orders.before):
        return FIRST
    state, now = violations(orders.problem, Solution(opened[t - 1], host[t - 1])), violations(orders.problem, orders.today)
    if any(len(np.setdiff1d(rows, now.get(family, rows[:0]))) for family, rows in state.items()):
        return ROOM
    short = [each for each in orders.lines if over(each, pair, site, course) > 0.5]
    return f"money: {short[0].name}" if short else WORTH


def _breaks(pair: Ints, site: Ints, point: Ints, rule: tuple[tuple[bool, int], tuple[bool, int]]) -> bool:
    """Whether a step comes no later than what it has to wait for."""

    def when(thing: tuple[bool, int]) -> int:
        is_site, at = thing
        if is_site:
            return int(site[at])
        mine = pair[(point == at) & (pair >= 0)]
        return int(mine[0]) if len(mine) else -1

    first, then = when(rule[0]), when(rule[1])
    return then >= 0 and (first < 0 or then <= first)


def over(line: Line, pair: Ints, site: Ints, course: Course) -> float:
    """Pence by which a purse is beyond what it has, with the transfers and loans of the course."""
    p, j = np.flatnonzero(pair >= 0), np.flatnonzero(site >= 0)
    spent = line.pair[p, pair[p]].sum() + line.site[j, site[j]].sum()
    return float(spent + sum(part * course.sums[n] for n, part in line.money) - line.at_hand)


# ------------------------------------------------------------------------------------------------------ access and leases


def _access(terms: Terms, course: Course) -> pd.DataFrame:
    """For each year and service: buildings open, people within the limit, and how far the farther-off go."""
    measured = terms.measured
    place, base = measured.place, measured.scenario.money.base_year
    before = reach(measured, place.today)
    frames = []
    for t, year in enumerate(terms.years.tolist()):
        plan = terms.formulation.plan(place, course.state(t))
        table = access_table(measured, before, reach(measured, Plan(plan.open, plan.host)))
        frames.append(table[table["group"] == table["group"].iloc[0]].assign(year=year_label(base + year)))
    found = pd.concat(frames, ignore_index=True)
    kept = [str(name) for name in found.columns if name not in ("year", "group", "value")]
    return pd.DataFrame({name: found[name] for name in ("year", *kept)})


def _leases(terms: Terms, course: Course) -> pd.DataFrame:
    """Every lease of a building in use that ends or may be broken: when notice falls due, and what becomes of it."""
    place, scenario = terms.measured.place, terms.measured.scenario
    months = 6 if scenario.programme is None else scenario.programme.notice_months
    _, site = began(terms.orders, course)
    sites = place.sites
    held = place.today.open & ~place.outside & ~np.isin(sites["tenure"].to_numpy(dtype=object), UNDATED)
    held &= (sites["lease_end"].notna() | sites["lease_break"].notna()).to_numpy()
    rows, ends = [], lease_ends(place, scenario)
    dearer, running = dearer_gbp_pa(place, asked(scenario)), running_gbp_pa(place)
    for j in np.flatnonzero(held).tolist():
        base, left = scenario.money.base_year, site[j] >= 0
        when = float(leaving_years(place, dated(scenario, int(terms.years[site[j]])))[j]) if left else np.inf
        goes_on = not np.isnan(ends[j]) and ends[j] < min(when, scenario.money.horizon_years)
        date = sites["lease_break"].iloc[j] if pd.notna(sites["lease_break"].iloc[j]) else sites["lease_end"].iloc[j]
        last = pd.Timestamp(day_of(base, when)) - pd.Timedelta(days=1) if left else pd.Timestamp(date)
        rows.append(
            {
                "site_id": sites.index[j],
                "building": sites["name"].iloc[j],
                "agency": sites["agency"].iloc[j],
                "lease_break": _day(sites["lease_break"].iloc[j]),
                "lease_end": _day(sites["lease_end"].iloc[j]),
                "notice_by": _day(last - pd.DateOffset(months=months)),
                "left_on": day_of(base, when) if left else "",
                "renewed_gbp_pa": round(float(running[j] + dearer[j]), 2) if goes_on else np.nan,
                "becomes": _becomes(left=left, goes_on=goes_on, dearer=float(dearer[j])),
            }
        )
    columns = ["site_id", "building", "agency", "lease_break", "lease_end", "notice_by", "left_on", "renewed_gbp_pa", "becomes"]
    return pd.DataFrame(rows, columns=columns)


def _becomes(*, left: bool, goes_on: bool, dearer: float) -> str:
    """What becomes of a leased building."""
    cost = "at what is stated" if dearer else "taken to cost what it costs today"
    if left:
        return f"left, after its lease has ended: renewed until then, {cost}" if goes_on else "left"
    return f"kept: renewed when it ends, {cost}" if goes_on else "kept: its lease does not end within the years appraised"


def _day(value: Any) -> str:
    return "" if pd.isna(value) else pd.Timestamp(value).strftime("%Y-%m-%d")
