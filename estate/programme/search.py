"""The best course of a programme, with its proof: first of the last year dated, then with the rows that its course breaks.

Each round is one mixed-integer programme (:mod:`estate.programme.rows`) in which the years between are asked fewer rows than
there are.  Its bound holds for the whole.  Where its course keeps every row it is the answer; where it breaks some, they are
asked for in the next round, and the course is mended meanwhile: as much of its steps as can be, in their best order, under all
rows.  What a round finds out is never lost: the best course kept begins the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.errors import SolverError
from estate.model.arrays import MONEY, arrays
from estate.problem import Bools
from estate.programme.orders import Course, Orders, began, total
from estate.programme.rows import Between, build
from estate.programme.sums import least
from estate.solve import highs
from estate.solve.answer import OPTIMAL_GAP, Status
from estate.solve.watch import NEVER, Clock

NEAR = 1e-3
"""The gap at which a mended course is good enough."""
LOOKS = 500
"""How often HiGHS may look up while it mends one (:func:`estate.solve.highs.run`)."""
ROUND = 0.8
"""The share of the time left that a round may take, so that its course can still be mended."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What one programme showed: the course may break rows that were not asked for."""

    course: Course | None
    bound: float
    ended: str


def solve(orders: Orders, *, gap: float = 0.0, clock: Clock = NEVER, seed: int = 0) -> Course | None:
    """The best programme; None where there is provably none.

    Raises
    ------
    SolverError
        When the search ended with neither a programme nor a proof.
    """
    between = Between.of(orders)
    asked, best, bound = between.core, None, np.inf
    while True:
        last = bool(asked[between.breakable].all())
        found = _run(orders, between, asked, gap, clock if last else clock.share(ROUND), seed, best)
        if found.ended == "infeasible":
            return None
        bound, course = min(bound, found.bound), found.course
        broken = np.zeros(len(asked), dtype=bool)
        if course is not None and not last:
            broken = between.broken([course.state(t) for t in range(orders.periods - 1)])
            course = _mended(orders, between, course, seed) if broken.any() else course
        if course is not None and (best is None or course.value > best.value):
            best = course
        if not broken.any() or found.ended != "proven" or _closed(best, bound, gap):
            break
        more = asked | between.and_helpers(broken)
        asked = asked | between.breakable if (more == asked).all() else more
    if best is None:
        raise SolverError(f"the search for a programme ended ({found.ended}) with none and no proof that there is none")
    ended = "proven" if found.ended == "proven" or _closed(best, bound, gap) else found.ended
    bound = max(bound, float(best.value))
    left = (bound - best.value) / max(abs(best.value), 1)
    status = Status.OPTIMAL if ended == "proven" and left <= OPTIMAL_GAP else Status.FEASIBLE
    return least(orders, replace(best, status=status, bound=bound, gap=left, stopped=ended))


def _closed(best: Course | None, bound: float, gap: float) -> bool:
    """Whether no course can be better by more than the gap asked for, and what a bound of HiGHS is safe by."""
    return best is not None and bound - best.value <= max(gap, 2 * highs.MARGIN) * max(abs(best.value), 1)


def _mended(orders: Orders, between: Between, course: Course, seed: int) -> Course | None:
    """As much of a course's steps as can be, in their best order, with every row asked of every year.

    So much is done even when time is up: a course that breaks rows is none.
    """
    pair, site = began(orders, course)
    may = orders.pair_may & (pair >= 0)[:, None], orders.site_may & (site >= 0)[:, None]
    some = replace(orders, pair_may=may[0], site_may=may[1])
    return _run(some, between, between.breakable, NEAR, NEVER, seed, None, LOOKS).course


def _run(
    orders: Orders, between: Between, asked: Bools, gap: float, clock: Clock, seed: int, start: Course | None,
    looks: int | None = None,
) -> _Found:  # fmt: skip
    """The best course when the years between are held to these rows, from a course or from doing nothing."""
    f, constant = build(orders, between, asked)
    T, size = orders.periods, between.base.n_columns
    states = [orders.today if start is None else start.state(t) for t in range(T)]
    sums = np.zeros(len(orders.sums)) if start is None else start.sums * MONEY
    values = np.concatenate([*(between.base.values(each) for each in states), sums])
    found = highs.run(
        replace(arrays(f), offset=-constant), gap=gap, clock=clock, looks=looks, seed=seed, start=values
    )  # fmt: skip
    bound = float(np.floor(-found.bound / MONEY))  # a programme is worth whole pence
    if found.x is None:
        return _Found(None, bound, found.ended)
    states = [between.base.solution(found.x[t * size : (t + 1) * size]) for t in range(T)]
    opened, host = np.array([each.open for each in states]), np.array([each.host for each in states])
    course = Course(Status.FEASIBLE, opened, host, found.x[T * size :] / MONEY, 0, 0.0, 0.0)
    value = total(orders.pair_value, orders.site_value, *began(orders, course))
    value -= round(float(course.sums @ np.array(orders.sum_price))) if orders.sum_price else 0
    return _Found(replace(course, value=value), bound, found.ended)
