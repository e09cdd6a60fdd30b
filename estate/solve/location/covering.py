"""Least sites that cover every row.

**Set covering** (Toregas, Swain, ReVelle and Bergman 1971).  Implied rows (:mod:`estate.solve.reduce`) and dominated sites
(:mod:`estate.solve.location.merge`) are dropped in turn until neither finds any; what is left goes to HiGHS as arrays.

Where the question is only whether so many sites are enough (:mod:`estate.solve.location.center`), most cases need no solver: a
greedy cover (Chvatal 1979) says yes, rows that share no site say no.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numba
import numpy as np

from estate.problem import Bools, Goal, Ints, Problem, SideRows
from estate.solve import arrays, direct, reduce
from estate.solve.location import merge


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: seconds left (None: no limit), whether the user has had enough, HiGHS's nodes, relative gap, and seed."""

    left: Callable[[], float | None]
    stop: Callable[[], bool]
    nodes: int | None = None
    gap: float = 0.0
    seed: int = 0

    def over(self) -> bool:
        """Whether to stop now."""
        return self.stop() or self.left() == 0.0

    def ended(self, *, complete: bool) -> str:
        """Why a search is over, in the words of :class:`~estate.solve.answer.Answer`."""
        if complete:
            return "proven"
        if self.stop():
            return "interrupt"
        return "time" if self.left() == 0.0 else "work"


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """The best cover found and what is proven: no cover costs less than ``bound`` (``inf``: there is none)."""

    open: Bools | None
    value: int | None
    bound: float
    complete: bool


@numba.njit(cache=True)
def _greedy(start, row, of_start, of_site, cost, chosen, served):
    """Takes the site with most rows still unserved for its cost, until none is left; then drops what is superfluous."""
    J, R = len(cost), len(served)
    gain = np.zeros(J, dtype=np.int64)
    times = np.zeros(R, dtype=np.int64)
    left = 0
    fixed = chosen.copy()
    for j in range(J):
        if chosen[j]:
            for e in range(start[j], start[j + 1]):
                times[row[e]] += 1
    for r in range(R):
        if times[r] == 0:
            left += 1
            for f in range(of_start[r], of_start[r + 1]):
                gain[of_site[f]] += 1
    while left > 0:
        best = -1
        for j in range(J):
            if gain[j] > 0 and (best < 0 or gain[j] * cost[best] > gain[best] * cost[j]):
                best = j
        if best < 0:
            return False
        chosen[best] = True
        for e in range(start[best], start[best + 1]):
            r = row[e]
            if times[r] == 0:
                left -= 1
                for f in range(of_start[r], of_start[r + 1]):
                    gain[of_site[f]] -= 1
            times[r] += 1
    for j in range(J):
        if chosen[j] and not fixed[j]:
            spare = True
            for e in range(start[j], start[j + 1]):
                if times[row[e]] < 2:
                    spare = False
                    break
            if spare:
                chosen[j] = False
                for e in range(start[j], start[j + 1]):
                    times[row[e]] -= 1
    return True


@numba.njit(cache=True)
def _apart(of_start, of_site, order, J):
    """How many rows, shortest first, share no site with one taken before: each needs a site of its own."""
    taken = np.zeros(J, dtype=np.bool_)
    n = 0
    for t in range(len(order)):
        r = order[t]
        clear = True
        for f in range(of_start[r], of_start[r + 1]):
            if taken[of_site[f]]:
                clear = False
                break
        if clear:
            n += 1
            for f in range(of_start[r], of_start[r + 1]):
                taken[of_site[f]] = True
    return n


def reduced(problem: Problem, cost: Ints) -> Problem:
    """The problem without implied rows and dominated sites (closed), taken in turn until neither finds any."""
    single = not len(problem.cover) or int(problem.cover.need.max()) <= 1
    while True:
        problem = reduce.cover_rows(problem)
        if not single:
            return problem
        gone = merge.dominated_sites(problem, cost) & ~problem.must_close
        if not gone.any():
            return problem
        problem = merge.close(problem, gone)


def least(problem: Problem, cost: Ints, budget: Budget, *, enough: int | None = None) -> Cover:
    """The cheapest sites that meet the cover rows, ``cost`` (J,) each.

    With ``enough``, all that is asked is whether a cover of at most that cost exists: the search ends with one, or with a bound
    above it.
    """
    small = reduced(replace(problem, site_cost=cost, shares=(), side=SideRows(), goal=Goal.COST), cost)
    c = small.cover
    if (np.diff(c.start) < c.need).any():
        return Cover(None, None, np.inf, complete=True)
    J = problem.n_sites
    row = np.repeat(np.arange(len(c)), np.diff(c.start))
    plan: Bools | None = None
    if enough is not None and int(c.need.max(initial=0)) <= 1:
        by_site = np.argsort(c.site, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(c.site, minlength=J))]).astype(np.int64)
        plan = problem.must_open.copy()
        _greedy(start, row[by_site], c.start, c.site, cost, plan, np.zeros(len(c), dtype=np.int64))
        value = int(cost[plan].sum())
        if value <= enough:
            return Cover(plan, value, float("-inf"), complete=False)
        if int(cost.min(initial=0)) >= 1:
            n = int(_apart(c.start, c.site, np.argsort(np.diff(c.start), kind="stable"), J))
            if n > enough:
                return Cover(None, None, float(n), complete=False)
    unit = max(int(np.gcd.reduce(cost)), 1) if len(cost) else 1
    built, columns = arrays.build(small)
    built = replace(built, cost=built.cost / (built.unit * unit))
    options: dict[str, float | int | str | bool] = {} if enough is None else {"objective_target": float(enough // unit)}
    run = decided(built, budget, options)
    plan = None if run.x is None else arrays.read(small, columns, run.x).open
    found = None if plan is None else int(cost[plan].sum())
    return Cover(plan, found, run.bound * unit, run.complete)


def decided(built: arrays.Arrays, budget: Budget, options: dict[str, float | int | str | bool]) -> direct.Run:
    """HiGHS on the arrays; that there is no plan must be found with presolve and without it."""

    def run(**more: str) -> direct.Run:
        return direct.run(
            built, gap=budget.gap, time_s=budget.left(), nodes=budget.nodes, seed=budget.seed, stop=budget.stop,
            options={**options, **more},
        )  # fmt: skip

    found = run()
    # HiGHS 1.15.1's presolve has been seen to call a feasible programme infeasible.
    return run(presolve="off") if found.complete and found.x is None else found
