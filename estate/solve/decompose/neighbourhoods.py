"""Better plans, a neighbourhood at a time, where plan and bound disagree most.

Large-neighbourhood search (Shaw 1998): free the points that the plan hosts in some thirty to a hundred buildings, solve that
problem by columns (:mod:`estate.solve.columns.enumeration`), put the answer back.  Three things make it fast.

*Where to look.*  At multipliers ``(u, v)`` the distance from a plan to the bound falls apart by building: with ``S_j`` the set
that the plan has at ``j``, and ``n_r`` the offers that meet row ``r``,

    cost - L = sum_j (reduced cost of S_j + profit_j) + sum_r v_r (n_r - need_r)

every term at least 0, and rearranging some buildings gains no more than about the terms in and around them.  So the next
neighbourhood is the one with the most to gain.

*How far.*  Where a neighbourhood brought nothing, the next one there is larger and looked at more closely, and is put off: each
attempt halves what is hoped for.  When something moves nearby, both begin again.  At first a look is
quick: some sets of every building, one programme, a dive.  It gains most while the gap is wide and little at the end.

*What is known already.*  The whole's multipliers are nearly the part's: a few rounds of
:func:`estate.solve.columns.boxstep.climb` repair them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Floats, Ints, Problem, Solution, cost, offered
from estate.solve.columns import branch_and_price, enumeration, side_rows
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import Core, core
from estate.solve.columns.lagrangian import Dual, evaluate
from estate.solve.decompose import blocks

REPAIR = 4
"""Rounds of column generation that fit the whole's multipliers to a part."""
AROUND = 10.0
"""Weight of what neighbours might gain beside what a building might."""


NODES = 20
"""Nodes of branch and price in a neighbourhood, at the first attempt."""
HOPE = 0.5
"""What an attempt that brought nothing leaves of the hope in a place."""


@dataclass(slots=True)
class Sweep:
    """A search over neighbourhoods: what has been tried since it last changed."""

    problem: Problem
    near: csr_array
    dual: Dual
    sizes: tuple[int, ...]
    """Buildings of a neighbourhood at the first, second... attempt."""
    tied: bool = False
    """Sets tie without end: branch and price (:mod:`estate.solve.columns.branch_and_price`), where there is no list to make."""
    tries: Ints = field(init=False)
    """(J,) attempts at each building."""
    weight: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.tries = np.zeros(self.problem.n_sites, dtype=np.int64)
        self.weight = AROUND / np.maximum(np.asarray(self.near.sum(axis=1)).ravel(), 1e-9)

    def afresh(self, dual: Dual | None = None) -> None:
        """Look everywhere again, at these multipliers if they are given."""
        self.tries[:] = 0
        self.dual = dual or self.dual

    def next(self, plan: Solution) -> int | None:
        """The building to begin at; None when all has been tried."""
        left = self.tries < len(self.sizes)
        if not left.any():
            return None
        gap = by_site(self.problem, self.dual, plan)
        # A building's term can be a little below 0 where multipliers are not the best.
        score = (np.maximum(gap, 0.0) + self.weight * (self.near @ gap)) * HOPE**self.tries
        return int(np.where(left, score, -np.inf).argmax())

    def step(self, plan: Solution, centre: int, efforts: Sequence[enumeration.Effort]) -> Solution | None:
        """A better plan that differs only in the neighbourhood, or None; ``efforts`` by attempt, the last for all that follow."""
        attempt = int(self.tries[centre]) + 1
        size, effort = self.sizes[attempt - 1], efforts[min(attempt, len(efforts)) - 1]
        sites = blocks.ball(self.near, centre, size)
        self.tries[centre] = attempt
        part = blocks.inside(self.problem, plan, sites)
        if not len(part.points):
            return None
        here = Solution(plan.open[sites], np.searchsorted(sites, plan.host[part.points]))
        cut = core(part.problem)
        dual = evaluate(cut, self.dual.point[part.points], self.dual.row[part.rows])
        found: branch_and_price.PricedResult | enumeration.ColumnResult
        if self.tied:
            found = branch_and_price.search(part.problem, cut, dual, here, nodes=NODES * attempt, clock=effort.clock)
        else:
            dual = climb(part.problem, cut, dual, plan=here, rounds=REPAIR, over=effort.over)
            found = enumeration.solve(part.problem, effort, plan=here, dual=dual, cut=cut)
        if found.plan is None or found.value >= cost(part.problem, here):
            inner = blocks.ball(self.near, centre, max(2, size // 3))
            self.tries[inner] = np.maximum(self.tries[inner], attempt)
            return None
        better = blocks.merged(plan, part, found.plan)
        moved = np.flatnonzero(better.host != plan.host)
        changed = np.unique(np.concatenate([better.host[moved], plan.host[moved]]))
        self.tries[np.unique(csr_array(self.near[changed]).indices)] = 0
        self.tries[centre] = attempt
        return better


def by_site(problem: Problem, dual: Dual, plan: Solution) -> Floats:
    """(J,) pence by which each building keeps a plan above the bound; a row's excess is split among those that meet it."""
    hosts = plan.host[problem.pair_point] == problem.pair_site
    there = offered(problem, plan)
    gap = np.where(plan.open, problem.site_cost, 0).astype(float)
    np.add.at(gap, problem.pair_site[hosts], problem.pair_cost[hosts] - dual.point[problem.pair_point[hosts]])
    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    met = there[cover.service[row], cover.site]
    row, site = row[met], cover.site[met]
    count = np.bincount(row, minlength=len(cover))
    excused = np.flatnonzero(cover.excuse >= 0)
    excused = excused[hosts[cover.excuse[excused]]]
    np.add.at(count, excused, 1)
    excess = dual.row[: len(cover)] * (count - cover.need) / np.maximum(count, 1)
    np.add.at(gap, site, excess[row] - dual.row[row])
    np.add.at(gap, problem.pair_site[cover.excuse[excused]], excess[excused] - dual.row[excused])
    gap -= side_rows.worth(problem, plan, dual.row)
    return gap + np.where(problem.must_open, dual.site_profit, np.maximum(dual.site_profit, 0.0))


def bound(
    problem: Problem, near: csr_array, dual: Dual, plan: Solution, size: int, effort: enumeration.Effort
) -> tuple[float, int]:
    """A bound as a sum over blocks of about ``size`` sites, borders priced by the multipliers, and how many were solved.

    When time is up the blocks not reached count as what the multipliers prove of them, so the sum is a bound at any moment.
    """
    problem, total = side_rows.priced(problem, core(problem), dual.row)
    part_of = blocks.partition(near, size)
    u, v = np.round(dual.point).astype(np.int64), _whole_pence(problem, dual.row)
    points, rows = blocks.crossing(problem, part_of)
    total += float(u[points].sum() + (v * problem.cover.need)[rows].sum())
    solved = 0
    for b in range(int(part_of.max()) + 1):
        part, cut, local = priced(problem, np.flatnonzero(part_of == b), u, v)
        total += part.offset
        if effort.over():
            total += local.bound
            continue
        local = climb(part.problem, cut, local, rounds=2 * REPAIR, over=effort.over)
        plan_here = seen(plan, part, part_of, b)
        found = enumeration.solve(part.problem, effort, plan=plan_here, optional=part.optional, dual=local, cut=cut)
        total += found.bound
        solved += 1
    return total, solved


def _whole_pence(problem: Problem, row: Floats) -> Ints:
    """Multipliers of the cover rows as blocks take them."""
    return np.maximum(np.round(row[: len(problem.cover)]), 0).astype(np.int64)


def priced(problem: Problem, sites: Ints, u: Ints, v: Ints) -> tuple[blocks.Part, Core, Dual]:
    """A part with its borders priced, its core, and what the whole's multipliers prove of it."""
    part = blocks.priced(problem, sites, u, v)
    cut = core(part.problem, part.optional)
    at = np.where(part.optional, 0, u[part.points]).astype(float)  # an optional point's price is in its pairs' costs
    return part, cut, evaluate(cut, at, v[part.rows].astype(float))


def seen(plan: Solution, part: blocks.Part, part_of: Ints, block: int) -> Solution:
    """A plan as a block sees it: guests from elsewhere are nowhere, rows unmet take their helper."""
    inside = part_of[plan.host[part.points]] == block
    host = np.where(inside, np.searchsorted(part.sites, plan.host[part.points]), -1)
    helpers = np.ones(part.problem.n_sites - len(part.sites), dtype=bool)
    return Solution(np.concatenate([plan.open[part.sites], helpers]), host)


def climb_in_parts(problem: Problem, cut: Core, near: csr_array, dual: Dual, size: int, effort: enumeration.Effort) -> Dual:
    """Better multipliers for a place too large for one programme: part by part, those of the borders held.

    Once round in parts of about ``size`` sites, and once more in others, so that most borders are inside a part one time.
    """
    best = dual
    problem, _ = side_rows.priced(problem, cut, dual.row)
    for dense_first in (False, True):
        part_of = blocks.partition(near, size, dense_first=dense_first)
        crosses = blocks.crossing(problem, part_of)[1]
        u, v = best.point.copy(), best.row.copy()
        for b in range(int(part_of.max()) + 1):
            if effort.over():
                break
            whole_u, whole_v = np.round(u).astype(np.int64), _whole_pence(problem, v)
            part, core_here, local = priced(problem, np.flatnonzero(part_of == b), whole_u, whole_v)
            better = climb(part.problem, core_here, local, rounds=effort.climbs, close=1e-3, over=effort.over)
            points, rows = ~part.optional, ~crosses[part.rows]
            u[part.points[points]] = better.point[points]
            v[part.rows[rows]] = better.row[rows]
        found = evaluate(cut, u, v)
        best = found if found.bound > best.bound else best
    return best
