"""The best course of a programme, with its proof: first of the last year dated, then with the rows that its course breaks.

Each round is one mixed-integer programme (:mod:`estate.programme.rows`) in which the years between are asked fewer rows than
there are.  Its bound holds for the whole.  Where its course keeps every row it is the answer; where it breaks some, they are
asked for in the next round, and the course is mended meanwhile: as much of its steps as can be, in their best order, under all
rows.  What a round finds out is never lost: the best course kept begins the next.  In a large place each round begins with end
states at the prices of the years (:mod:`estate.programme.prices`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from estate.errors import SolverError
from estate.model.arrays import MONEY, arrays
from estate.problem import Bools, Solution
from estate.programme.orders import Course, Orders, began, total
from estate.programme.prices import floor_under
from estate.programme.rows import Between, Floor, build
from estate.programme.sums import least
from estate.solve import highs
from estate.solve.answer import OPTIMAL_GAP, Status
from estate.solve.watch import NEVER, Clock

LARGE = 5_000
"""Moves times periods from which end states are priced first (:mod:`estate.programme.prices`)."""
FLOOR = 0.2
"""The share of the time left that a floor under them may take."""
NEAR = 1e-3
"""The gap at which a mended course is good enough."""
LOOKS = 500
"""How often HiGHS may look up while it mends one (:func:`estate.solve.highs.run`)."""
ROUND = 0.8
"""The share of the time left that a round may take, so that its course can still be mended."""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A programme to be solved: the rows that the years between are asked, and the floors under its end states."""

    orders: Orders
    between: Between
    asked: Bools
    floors: Sequence[Floor] = ()


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
        When the search ended with neither a programme nor a proof, or the solver contradicts a programme that is at hand.
    """
    between = Between.of(orders)
    asked, best, bound = between.core, None, np.inf
    floors: list[Floor] = []
    while True:
        last = bool(asked[between.breakable].all())
        if orders.pair_value.size > LARGE and (priced := floor_under(orders, between, asked, floors, clock.share(FLOOR), seed)):
            floors.append(priced[0])
            best = _better(best, _towards(orders, between, priced[1], seed))
        task = _Task(orders, between, asked, floors)
        found = _run(task, gap, clock if last else clock.share(ROUND), seed, best)
        if found.ended == "infeasible":
            if best is not None:
                raise SolverError("the solver says that there is no programme, and one is at hand")
            return None
        bound, course = min(bound, found.bound), found.course
        broken = np.zeros(len(asked), dtype=bool)
        if course is not None and not last:
            broken = between.broken([course.state(t) for t in range(orders.periods - 1)])
            course = _towards(orders, between, course.state(-1), seed) if broken.any() else course
        best = _better(best, course)
        if not broken.any() or found.ended != "proven" or _closed(best, bound, gap):
            break
        more = asked | between.and_helpers(broken)
        asked = asked | between.breakable if (more == asked).all() else more
    if best is None:
        raise SolverError(f"the search for a programme ended ({found.ended}) with none and no proof that there is none")
    ended = "proven" if found.ended == "proven" or _closed(best, bound, gap) else found.ended
    if best.value - bound > max(1.0, 2 * highs.MARGIN * abs(best.value)):
        raise SolverError(f"a programme is worth {best.value - bound:,.0f} pence more than the bound that the solver proves")
    bound = max(bound, float(best.value))
    left = (bound - best.value) / max(abs(best.value), 1)
    status = Status.OPTIMAL if ended == "proven" and left <= OPTIMAL_GAP else Status.FEASIBLE
    return least(orders, replace(best, status=status, bound=bound, gap=left, stopped=ended))


def _closed(best: Course | None, bound: float, gap: float) -> bool:
    """Whether no course can be better by more than the gap asked for, and what a bound of HiGHS is safe by."""
    return best is not None and bound - best.value <= max(gap, 2 * highs.MARGIN) * max(abs(best.value), 1)


def _better(best: Course | None, course: Course | None) -> Course | None:
    """The course that is worth more; the first where they are worth the same."""
    return course if best is None or (course is not None and course.value > best.value) else best


def _towards(orders: Orders, between: Between, end: Solution, seed: int) -> Course | None:
    """As much of an end state as can be, in the best order, with every row asked of every year.

    So much is done even when time is up: a course that breaks rows is none.
    """
    problem = orders.problem
    moved = (end.host[problem.pair_point] == problem.pair_site) & (problem.pair_site != problem.point_home[problem.pair_point])
    changed = end.open != orders.today.open
    some = replace(orders, pair_may=orders.pair_may & moved[:, None], site_may=orders.site_may & changed[:, None])
    return _run(_Task(some, between, between.breakable), NEAR, NEVER, seed, None, LOOKS).course


def _run(task: _Task, gap: float, clock: Clock, seed: int, start: Course | None, looks: int | None = None) -> _Found:
    """The best course of a programme, from a course or from doing nothing."""
    orders, between = task.orders, task.between
    f, constant = build(orders, between, task.asked, task.floors)
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
