"""What columns leave open, as one compact programme for HiGHS.

Where floor is plentiful and hosting costs nothing, as registers in round figures have it, most points have a price of nothing at
the best multipliers and any set of them is as good as any other: the bound is tight and the list of sets without end.  The
programme of :mod:`estate.model` has one column for each pair whatever may be combined, so such a problem, hard for columns, is
easy for branch and bound.  What multipliers have shown to be too dear (:mod:`.reduce.elimination`) is left out first,
and the search begins from the plan in hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.errors import SolverError
from estate.model import Measure, formulate
from estate.model.arrays import arrays
from estate.problem import Bools, Problem, Solution, cost, violations
from estate.solve import highs, reduce
from estate.solve.columns.lagrangian import Dual
from estate.solve.watch import Clock

HEURISTICS = 0.02
"""HiGHS's effort on heuristics of its own: a good plan is in hand (its default is 0.05)."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A plan better than the one given, if one was found, and a bound in pence."""

    plan: Solution | None
    bound: float
    complete: bool
    """The bound is the optimum: the plan's value, or the given plan's where none is better."""


def solve(
    problem: Problem,
    dual: Dual,
    plan: Solution,
    *,
    gap: float,
    looks: int | None,
    clock: Clock,
    optional: Bools | None = None,
) -> Rest:
    """The best plan of a problem from a plan and multipliers on, within a relative ``gap``.

    ``optional`` (S,) points need not be anywhere: an empty building without cost takes them.  ``looks`` as in
    :func:`estate.solve.highs.run`.

    Raises
    ------
    SolverError
        When HiGHS says that there is no plan, and there is the one that it was given.
    """
    value = cost(problem, plan)
    reduced = reduce.tighten(problem, optional=optional, dual=dual, value=value)
    small, begin = reduced.problem, reduced.into(plan)
    if optional is not None and optional.any():
        small = _with_nowhere(small, optional)
        begin = Solution(np.append(begin.open, True), np.where(begin.host < 0, problem.n_sites, begin.host))
    f = formulate(small, Measure.COST)
    start = None if violations(small, begin) else f.values(begin)
    run = highs.run(
        arrays(f), gap=gap, clock=clock, looks=looks, start=start,
        options={"mip_abs_gap": 0.5, "mip_heuristic_effort": HEURISTICS},
    )  # fmt: skip
    if run.ended == "infeasible" and start is not None:
        raise SolverError("HiGHS says that there is no plan, and it was given one")
    bound = min(f.unit * run.bound + f.constant, float(value))  # what was left out costs more than the plan in hand
    if run.x is None:
        return Rest(None, bound, run.complete)
    found = f.solution(run.x)
    found = Solution(found.open[: problem.n_sites], np.where(found.host < problem.n_sites, found.host, -1))
    here = cost(problem, found)
    if run.ended == "proven" and gap == 0.0:
        bound = float(min(here, value))  # within half a unit, and plans differ by whole ones
    return Rest(found if here < value else None, bound, run.complete)


def _with_nowhere(problem: Problem, optional: Bools) -> Problem:
    """The problem with one more site, open and without cost, that takes every optional point."""
    some = np.flatnonzero(optional)
    point, site = np.append(problem.pair_point, some), np.append(problem.pair_site, np.full(len(some), problem.n_sites))
    order = np.lexsort((site, point))
    where = np.argsort(order)
    cover = problem.cover
    ample = int((problem.point_own + problem.point_hall + problem.point_desk).sum())
    return replace(
        problem,
        site_cost=np.append(problem.site_cost, 0),
        site_capacity=np.append(problem.site_capacity, ample),
        site_slack=np.append(problem.site_slack, 0),
        must_open=np.append(problem.must_open, True),
        must_close=np.append(problem.must_close, False),
        pair_point=point[order],
        pair_site=site[order],
        pair_cost=np.append(problem.pair_cost, np.zeros(len(some), dtype=np.int64))[order],
        cover=replace(cover, excuse=np.where(cover.excuse >= 0, where[cover.excuse], -1) if problem.n_pairs else cover.excuse),
        today=None,
    )
