"""A problem's mixed-integer programme as the arrays HiGHS takes, kept, and solved again under other costs and locks.

The rows are those of :mod:`estate.model`; PuLP is left out because building it costs half as much again as solving.  Every
solve is a *pure function* of the arrays, the costs, the locks and the start: a fresh solver, one thread, one seed, the gap
closed to half a unit.  What was solved before cannot change an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from estate.model import Formulation, Measure, formulate
from estate.model.arrays import Arrays, arrays
from estate.problem import Bools, Ints, Problem, Solution, violations
from estate.solve import Answer, Limits, Status, highs, told_apart
from estate.solve.answer import value_of
from estate.solve.through_pulp import PulpRun
from estate.solve.watch import Clock, Watch

OPTIONS: highs.Options = {
    "mip_abs_gap": 0.5,  # the objective is whole units at every plan, so half a unit proves the optimum
    "mip_detect_symmetry": False,
}


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """What one solve showed: ``ended`` is ``proven``, ``infeasible`` or ``time``; ``bound`` in pence.

    ``settled``: plans of the same value have been told apart, as ``estate run`` does.
    """

    ended: str
    solution: Solution | None
    bound: float | None
    settled: bool = False


@dataclass(frozen=True, eq=False)
class WholeModel:
    """The arrays of one problem under its cost; locks and other costs are laid on at each solve."""

    problem: Problem

    @cached_property
    def formulation(self) -> Formulation:
        """Columns and rows of the model."""
        return formulate(self.problem, Measure.COST)

    @cached_property
    def _arrays(self) -> Arrays:
        return arrays(self.formulation)

    def solve(
        self,
        site_cost: Ints,
        pair_cost: Ints,
        *,
        keep: Bools | None = None,
        close: Bools | None = None,
        start: Solution | None = None,
        time_s: float | None = None,
        far_from: tuple[list[Solution], int] | None = None,
    ) -> Solved:
        """The plan of least ``site_cost . open + pair_cost . host`` (pence) with the marked sites (J,) kept and closed.

        ``far_from``: plans, and the number of optional buildings by which the answer must differ from each.  A building
        then only stays open for a reason: one that is free to close must hold somebody.
        """
        f, problem = self.formulation, self.problem
        J, P = problem.n_sites, problem.n_pairs
        weight = np.concatenate([site_cost, pair_cost])
        unit = max(int(np.gcd.reduce(weight)), 1) if len(weight) else 1
        built = self._arrays
        if far_from is not None:
            f = formulate(problem, Measure.COST)
            _apart(f, *far_from)
            built = arrays(f)
        lower, upper = built.lower.copy(), built.upper.copy()
        if keep is not None:
            lower[:J][keep] = 1.0
        if close is not None:
            upper[:J][close] = 0.0
            upper[J : J + P][close[problem.pair_site]] = 0.0
        if (lower > upper).any():
            return Solved("infeasible", None, None)
        price = np.zeros(f.n_columns)
        price[: J + P] = weight // unit
        run = highs.run(
            replace(built, cost=price, lower=lower, upper=upper),
            clock=Clock(None if time_s is None else time.monotonic() + time_s),
            start=None if start is None else f.values(start),
            options=OPTIONS,
        )
        if run.ended == "infeasible":
            return Solved("infeasible", None, None)
        bound = run.bound * unit
        return Solved(run.ended, None if run.x is None else f.solution(run.x), bound if np.isfinite(bound) else None)


def told(problem: Problem, found: Solved, time_s: float | None, narrow: Callable[[Problem, int], Problem] | None) -> Solved:
    """What was found: of the plans that are its equals, the one that ``estate run`` would choose.

    ``narrow`` takes from the problem what no plan of that value has (:func:`estate.solve.told_apart`).
    """
    if found.ended != "proven" or found.solution is None:
        return found
    value = value_of(problem, found.solution)
    proven = Answer(Status.OPTIMAL, found.solution, value, float(value), 0.0, repeatable=True, stopped="proven", seconds=0.0)
    answer = told_apart(problem, proven, Watch(Limits(time_s=time_s)), narrow=narrow, door=_step)
    return replace(found, solution=answer.solution, settled=answer.settled)


def _step(f: Formulation, watch: Watch, *, start: Solution | None, another: bool) -> PulpRun:
    """One step of telling plans apart, by the arrays: most are over before PuLP would have written them down."""
    del another  # the best of all is as good, and soon found
    clock = Clock(None if (left := watch.left()) is None else time.monotonic() + left)
    run = highs.run(arrays(f), clock=clock, start=None if start is None else f.values(start), options=OPTIONS)
    return PulpRun(run.ended, None if run.x is None else f.solution(run.x), run.bound)


def _apart(f: Formulation, plans: list[Solution], least: int) -> None:
    """Rows ``sum over optional sites of |open - open in plan| >= least``, and ``open_j <= sum_s host_sj`` for those sites."""
    problem = f.problem
    optional = np.flatnonzero(~problem.must_open & ~problem.must_close)
    for plan in plans:
        there = plan.open[optional]
        value = np.where(there, -1.0, 1.0)
        f.add_rows("apart", np.zeros(len(optional), dtype=np.int64), optional, value, n=1, lower=float(least - there.sum()))
    number = np.full(problem.n_sites, -1, dtype=np.int64)
    number[optional] = np.arange(len(optional))
    pairs = np.flatnonzero(number[problem.pair_site] >= 0)
    row = np.concatenate([number[problem.pair_site[pairs]], np.arange(len(optional))])
    column = np.concatenate([problem.n_sites + pairs, optional])
    value = np.concatenate([np.ones(len(pairs)), -np.ones(len(optional))])
    f.add_rows("used", row, column, value, n=len(optional), lower=0.0)


def feasible(problem: Problem, plan: Solution, keep: Bools, close: Bools) -> bool:
    """Whether a plan meets every row of a problem, and the locks."""
    return not (keep & ~plan.open).any() and not (close & plan.open).any() and not violations(problem, plan)
