"""What waiting costs: each step, and each receipt, a year later, and the programme chosen again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from estate.errors import SolverError
from estate.money.law import year_label
from estate.programme.orders import Course, Orders
from estate.programme.search import solve
from estate.programme.tables import Step, steps
from estate.programme.terms import Terms, terms_of
from estate.solve.answer import Status
from estate.solve.watch import NEVER, Clock
from estate.standards.measured import Measured

COLUMNS = [
    "what", "access_point_id", "service", "site_id", "building", "year", "not_before", "worth_less_gbp", "at_least_gbp", "status",
]  # fmt: skip
IMPOSSIBLE = "cannot wait"
UNKNOWN = "not found in time"
LAST = "there is no later year"


def delay_table(terms: Terms, course: Course, clock: Clock = NEVER) -> pd.DataFrame:
    """``delay``: what it costs that one step is not taken before the year after its own, or that one sale is paid a year later.

    By how much the best programme is worth less then: everything else is chosen again.  Where that is not proven it is at most
    ``worth_less_gbp``, and at least ``at_least_gbp``.  A step that must be taken by then *cannot wait*.
    """
    rows = [*_steps(terms, course, clock), *_receipts(terms, course, clock)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _steps(terms: Terms, course: Course, clock: Clock) -> Iterator[dict[str, Any]]:
    for each in steps(terms, course):
        last = each.period + 1 == terms.orders.periods
        yield _row(terms, each, _nothing(LAST) if last else _cost(course, _later(terms.orders, each), clock))


def _later(orders: Orders, step: Step) -> Orders:
    """The same programme where a counter, or a building, waits at least until the year after."""
    pair_may, site_may = orders.pair_may.copy(), orders.site_may.copy()
    if step.pair >= 0:
        point = orders.problem.pair_point
        pair_may[point == point[step.pair], : step.period + 1] = False
    else:
        site_may[step.site, : step.period + 1] = False
    return replace(orders, pair_may=pair_may, site_may=site_may)


def _row(terms: Terms, step: Step, cost: dict[str, Any]) -> dict[str, Any]:
    place, base = terms.measured.place, terms.measured.scenario.money.base_year
    is_move = step.pair >= 0
    at = int(place.point_site[terms.point[step.pair]]) if is_move else step.site
    point = place.access_points.iloc[terms.point[step.pair]] if is_move else None
    year = base + int(terms.years[step.period])
    return {
        "what": "move" if is_move else "let go" if place.today.open[at] else "open",
        "access_point_id": "" if point is None else point.name,
        "service": "" if point is None else point["service"],
        "site_id": place.sites.index[at],
        "building": place.sites["name"].iloc[at],
        "year": year_label(year),
        "not_before": year_label(year + 1),
        **cost,
    }


def _nothing(status: str) -> dict[str, Any]:
    """No sum, and why."""
    return {"worth_less_gbp": np.nan, "at_least_gbp": np.nan, "status": status}


def _cost(course: Course, orders: Orders, clock: Clock) -> dict[str, Any]:
    """What the best of other orders is worth less, and the proof of it."""
    try:
        again = solve(orders, clock=clock)
    except SolverError:  # a search that is stopped may have found nothing: that is said, row by row
        return _nothing(UNKNOWN)
    if again is None:
        return _nothing(IMPOSSIBLE)
    less = course.value - again.value
    least = 0.0 if course.status is Status.OPTIMAL else -np.inf
    return {
        "worth_less_gbp": less / 100,
        "at_least_gbp": min(max(course.value - again.bound, least), less) / 100,
        "status": str(again.status),
    }


def _receipts(terms: Terms, course: Course, clock: Clock) -> Iterator[dict[str, Any]]:
    """Each building that is let go for money, with its sale paid a year later."""
    measured = terms.measured
    place, base = measured.place, measured.scenario.money.base_year
    for each in steps(terms, course):
        entries = terms.ways.entries[each.period]
        mine = entries[(entries["site"] == each.site) & (entries["pair"] < 0) & (entries["line"] == "capital_receipt")]
        if each.pair >= 0 or mine.empty:
            continue
        slow = place.sites["years_to_sale"].fillna(0.0)
        slow.iloc[each.site] += 1
        late = replace(place, sites=place.sites.assign(years_to_sale=slow))
        other = terms_of(Measured.of(late, measured.scenario, measured.travel))
        year = base + int(mine["year"].iloc[0])
        yield {
            "what": "receipt",
            "access_point_id": "",
            "service": "",
            "site_id": place.sites.index[each.site],
            "building": place.sites["name"].iloc[each.site],
            "year": year_label(year),
            "not_before": year_label(year + 1),
            **_cost(course, other.orders, clock),
        }
