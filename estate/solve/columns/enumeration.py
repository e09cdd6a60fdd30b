"""Exact solution of a county: columns, cuts, then branch and bound.

1. Multipliers from :mod:`estate.solve.columns.boxstep` and a plan say which sets of points can matter
   (:mod:`estate.solve.columns.patterns`).
2. The linear programme over this pool, sets added as they price out (Gilmore and Gomory 1961).  Its duals are
   better multipliers, so the pool is listed again and is smaller.
3. Odd-set cuts (:mod:`.columns.subset_row_cuts`) and sets priced out by the better bound, in turn.
4. What is left is an integer programme with a tight bound, which :mod:`.columns.branch_and_bound`
   finishes.

If there are too many sets for the gap between bound and plan, the pool holds those within a smaller gap ``d`` of the bound
``L``.  Whatever it lacks costs at least ``L + d``, so ``min(its bound, L + d)`` is valid, and a plan found below ``L + d`` is
proven: the next pass starts from that plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, csr_array

from estate.model.arrays import MONEY
from estate.problem import Bools, Problem, Solution, cost, step, violations
from estate.solve.columns import branch_and_bound, compact, diving, patterns
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import Core, core
from estate.solve.columns.lagrangian import Dual, ascend, evaluate
from estate.solve.columns.restricted_master import Pool
from estate.solve.columns.restricted_master import cut as cut_rounds
from estate.solve.watch import NEVER, Clock

STEP = 0.99
"""A bound nearer a plan than this part of :func:`estate.problem.step` proves it best; the rest is for rounding."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try: all of it counted, none of it timed (the clock apart)."""

    gap: float = 0.0
    iterations: tuple[int, int, int] = (100, 0, 0)
    climbs: int = 60
    """Rounds of column generation in a box, at most."""
    pool: int = 300_000
    """Most sets listed at once."""
    each: int | None = None
    """Where plans are wanted and no proof: the best so many sets of each building are listed."""
    rounds: int = 8
    """Rounds of cuts."""
    passes: int = 6
    dive: bool = False
    """Round the linear programme to a plan before branching: worth it where the nodes are few."""
    nodes: int = 20_000
    dives: int = 0
    """Plans to dive for (:mod:`estate.solve.columns.diving`) where sets tie without end and every point must be somewhere."""
    rest: int | None = 0
    """How often HiGHS may look up on what columns leave open (None: as often as it takes)."""
    clock: Clock = NEVER

    def over(self) -> bool:
        """Whether the clock or the user says stop."""
        return self.clock.over() is not None


@dataclass(frozen=True, slots=True)
class ColumnResult:
    """A plan (None: none better than the one given), its value, and a bound; pence."""

    plan: Solution | None
    value: float
    bound: float
    proven: bool
    """``bound`` is the optimum (of what was asked), by proof to the solver's tolerance."""
    dual: Dual
    nodes: int = 0


def solve(  # noqa: C901 - the passes share their state
    problem: Problem,
    effort: Effort,
    *,
    plan: Solution | None = None,
    optional: Bools | None = None,
    dual: Dual | None = None,
    cut: Core | None = None,
) -> ColumnResult:
    """The best plan of a problem and its bound.

    Parameters
    ----------
    plan
        A plan to begin with and to beat.
    optional
        (S,) points that need not be anywhere (priced out of a larger problem).
    dual
        Multipliers to begin with, instead of ascending from nothing.
    cut
        The problem's core where the caller has it.
    """
    c = core(problem, optional) if cut is None else cut
    value = np.inf if plan is None else float(cost(problem, plan))
    if dual is None:
        target = value if np.isfinite(value) else float(problem.site_cost.sum())
        dual = multipliers(problem, c, target, effort, plan)
    bound, nodes = dual.bound, 0
    dives = effort.dives if optional is None else 0
    spare = min(value - bound, 0.5 * abs(bound) + 1.0)  # without a plan, half as much again
    proven = False
    previous = limit = np.inf
    for turn in range(effort.passes):
        if spare < 0 or effort.over():
            break
        found, spare = patterns.within(problem, c, dual, spare, effort.pool, each=effort.each)
        limit = dual.bound + spare
        if limit <= dual.bound and dives and plan is not None:  # the list would be some of those that tie
            break
        if plan is not None:
            found = patterns.with_plan(problem, c, found, plan)
        pool = _pool(problem, c, found, optional)
        pool.solve(effort.over)
        better = _multipliers(problem, c, pool)
        bound = max(bound, better.bound)
        if turn + 1 < effort.passes and better.bound > dual.bound + 0.1 * max(min(value, limit) - dual.bound, 0.0):
            # The pool can be listed again about the better multipliers.
            spare = max(min(value - better.bound, 2.0 * spare), 0.0)
            dual = better
            continue
        cut_rounds(problem, pool, effort.rounds, min(value, limit), effort.over)
        pool_bound = pool.bound / MONEY
        bound = max(bound, min(pool_bound, limit))
        got, ran = _integer(problem, c, found, pool, value, effort)
        nodes += ran.nodes
        # A side row of large sums may be broken by less than the linear programme sees: then nothing is proven by it.
        sound = got is None or not len(problem.side) or not violations(problem, got)
        if got is not None and sound and (here := float(cost(problem, got))) < value:
            plan, value = got, here
        bound = max(bound, min(ran.bound / MONEY, limit, value))
        if ran.complete and sound and value <= limit and value - bound < STEP * step(problem):
            proven, bound = True, value
        if np.isfinite(value) and value - bound <= effort.gap * abs(value):
            break
        if not ran.complete or value <= limit:
            break
        # The pool was short of the plan: list it again now that the plan is better.
        if value - dual.bound >= previous:
            break
        previous = spare = value - dual.bound
    now = ColumnResult(plan, value, min(bound, value), proven, dual, nodes)
    if proven or plan is None:
        return now
    return _beyond(problem, c, now, plan, limit, replace(effort, dives=dives), optional)


def _beyond(
    problem: Problem, c: Core, now: ColumnResult, plan: Solution, limit: float, effort: Effort, optional: Bools | None
) -> ColumnResult:
    """What is done where sets without end tie at the best multipliers, and no list can hold them.

    A list that holds all that could be better is branched over, and HiGHS is no help there.
    """
    if limit <= now.dual.bound:
        for sure in diving.SURE[: effort.dives]:
            plan = diving.improve(problem, c, now.dual, plan, sure=sure, clock=effort.clock) or plan
        value = float(cost(problem, plan))
        now = replace(now, plan=plan, value=value, bound=min(now.bound, value))
    short = effort.each is None and limit < now.value - max(effort.gap * abs(now.value), 0.5)
    if not short or effort.rest == 0 or effort.over():
        return now
    left = compact.solve(problem, now.dual, plan, gap=effort.gap, looks=effort.rest, clock=effort.clock, optional=optional)
    value = now.value if left.plan is None else float(cost(problem, left.plan))
    bound = min(max(now.bound, left.bound), value)
    proven = left.complete and value - bound < STEP * step(problem)
    return replace(now, plan=left.plan or plan, value=value, bound=value if proven else bound, proven=proven)


def multipliers(problem: Problem, c: Core, target: float, effort: Effort, plan: Solution | None) -> Dual:
    """Near the best: a coarse subgradient brings them into the neighbourhood, column generation in a box the rest."""
    dual = ascend(c, target, iterations=effort.iterations)
    return climb(problem, c, dual, plan=plan, rounds=effort.climbs, over=effort.over)


def _pool(problem: Problem, c: Core, found: patterns.Patterns, optional: Bools | None) -> Pool:
    arrays = patterns.programme(problem, c, found)
    if optional is not None:
        lower = arrays.row_lower.copy()
        lower[: problem.n_points][optional] = 0.0
        arrays = replace(arrays, row_lower=lower)
    rows = len(arrays.row_lower)
    matrix = csc_array(csr_array((arrays.value, arrays.index, arrays.start), shape=(rows, len(arrays.cost))))
    n = len(found.site)
    site = np.concatenate([found.site, np.full(len(arrays.cost) - n, -1)])
    pool = Pool(arrays, matrix, site, problem.n_sites, problem.n_points)
    least = np.argsort(found.least, kind="stable")[: max(600, 3 * problem.n_sites)]
    least = np.union1d(least, np.flatnonzero(np.isinf(found.least)))
    pool.begin(np.concatenate([np.sort(least), np.arange(n, len(arrays.cost))]).astype(np.int64))
    return pool


def _multipliers(problem: Problem, c: Core, pool: Pool) -> Dual:
    """The pool's duals as multipliers of the Lagrangian, evaluated exactly over all sets."""
    S, J, R, N = problem.n_points, problem.n_sites, len(c.row_need), len(c.side_need)
    side = len(pool.arrays.row_lower) - N
    v = np.concatenate([pool.y[S + J : S + J + R], pool.y[side : side + N]])
    return evaluate(c, pool.y[:S] / MONEY, np.maximum(v, 0.0) / MONEY)


def _integer(
    problem: Problem, c: Core, found: patterns.Patterns, pool: Pool, best: float, effort: Effort
) -> tuple[Solution | None, branch_and_bound.BoundedResult]:
    """Branch and bound over the sets that can still be in a plan cheaper than ``best``."""
    S, n, top = problem.n_points, len(found.site), best * MONEY
    if np.isfinite(top):
        pool.banned = pool.reduced > top - pool.bound + 1e-9 * max(1.0, abs(top))
    dived = branch_and_bound.dive(pool, n, found.shut, top, over=effort.over) if effort.dive else None
    if dived is not None:
        top = dived[1]
        pool.banned |= pool.reduced > top - pool.bound + 1e-9 * max(1.0, abs(top))
    members = csr_array(pool.matrix.tocsr()[:S, :n])
    ran = branch_and_bound.search(
        pool, members, found.shut, top, gap=effort.gap, least=STEP * step(problem) * MONEY, nodes=effort.nodes, over=effort.over
    )
    chosen = ran.chosen if ran.chosen is not None or dived is None else dived[0]
    if chosen is None:
        return None, ran
    x = np.zeros(n)
    x[chosen] = 1.0
    return patterns.read(problem, c, found, x), ran
