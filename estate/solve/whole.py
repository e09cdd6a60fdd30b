"""The exact solve of a problem as one programme, through PuLP, whatever its goal and rules."""

from __future__ import annotations

import numpy as np

from estate.errors import SolverError
from estate.model import Measure, formulate
from estate.problem import BROKEN, Goal, Problem, Solution, violations
from estate.solve.answer import OPTIMAL_GAP, Answer, Status, relative_gap, value_of
from estate.solve.through_pulp import run
from estate.solve.watch import Watch


def start_of(problem: Problem) -> Solution | None:
    """Today's estate where it truly is a plan: HiGHS drops a bad start without a word."""
    return problem.today if problem.today is not None and not violations(problem, problem.today) else None


def checked(problem: Problem, solution: Solution | None) -> Solution | None:
    """The plan, once every row has been found to hold in integers."""
    if solution is not None and (broken := violations(problem, solution)):
        families = ", ".join(f"{BROKEN[family]} ({len(rows)} times)" for family, rows in broken.items())
        raise SolverError(f"the solver returned a plan that breaks rules: {families}")
    return solution


def search(problem: Problem, watch: Watch, *, start: Solution | None = None) -> Answer:
    """The best plan under the problem's goal, with its proof; ties are not broken.  ``start`` is a plan to begin with."""
    if problem.goal is Goal.FARTHEST:
        return farthest(problem, watch)
    f = formulate(problem, Measure(problem.goal))
    outcome = run(f, watch, start=start_of(problem) if start is None else start, gap=watch.limits.gap)
    bound = None if outcome.bound is None else f.to_measure(outcome.bound)
    return conclude(problem, watch, outcome.ended, checked(problem, outcome.solution), bound, unit=f.unit)


def farthest(problem: Problem, watch: Watch) -> Answer:
    """Least maximum distance: bisection over the distinct distances, each step a covering problem.

    Minieka (1970), The m-center problem, SIAM Rev. 12: the optimum is one of the listed distances, and a distance is
    within reach exactly when the covering problem at that radius has a plan.
    """
    radius = np.unique(problem.near.distance)
    best, ended = start_of(problem), "proven"
    if best is None:  # any plan at all, to start from
        outcome = run(formulate(problem, None, within=int(radius.max(initial=0))), watch)
        best, ended = checked(problem, outcome.solution), outcome.ended
        if best is None:
            return conclude(problem, watch, ended, None, None)
    value = value_of(problem, best)
    low, high = 0, int(np.searchsorted(radius, value))  # the optimum is one of radius[low..high], and best has radius[high]
    while low < high and ended == "proven":
        watch.saw(value, float(radius[low]))
        middle = (low + high) // 2
        outcome = run(formulate(problem, None, within=int(radius[middle])), watch)
        if outcome.ended == "infeasible":
            low = middle + 1
            continue
        ended = outcome.ended
        if (found := checked(problem, outcome.solution)) is not None:
            best, value = found, value_of(problem, found)
            high = int(np.searchsorted(radius, value))
    bound = float(radius[low]) if low < len(radius) else float(value)
    return conclude(problem, watch, "proven" if low == high else ended, best, bound)


def conclude(
    problem: Problem, watch: Watch, ended: str, solution: Solution | None, bound: float | None, *, unit: int = 1
) -> Answer:
    """The answer that a search's end amounts to.  A bound within half a unit of the value *is* the value."""
    seconds = watch.seconds()
    if solution is None:
        status = Status.INFEASIBLE if ended == "infeasible" else Status.UNKNOWN
        stopped = "proven" if ended == "infeasible" else ended
        bound = None if ended == "infeasible" else bound
        return Answer(status, None, None, bound, None, stopped in {"proven", "work"}, stopped, seconds, _trace(watch))
    value = value_of(problem, solution)
    if bound is not None:
        maximised = problem.goal is Goal.COVERED
        bound = max(bound, float(value)) if maximised else min(bound, float(value))
        if ended == "proven" and abs(value - bound) <= 0.5 * unit:
            bound = float(value)
    elif ended == "proven" and watch.limits.gap == 0.0:
        bound = float(value)
    gap = relative_gap(value, bound)
    stopped = "gap" if ended == "proven" and gap != 0.0 else ended
    watch.saw(value, bound)
    proven = stopped in {"proven", "gap"} and gap is not None and gap <= OPTIMAL_GAP
    status = Status.OPTIMAL if proven else Status.FEASIBLE
    return Answer(status, solution, value, bound, gap, stopped in {"proven", "gap", "work"}, stopped, seconds, _trace(watch))


def _trace(watch: Watch) -> tuple[tuple[float, int | None, float | None], ...]:
    return tuple(watch.trace)
