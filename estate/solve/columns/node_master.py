"""The linear programme over sets at a node of a search: which buildings are open, who may be where, its prices and its bound.

:class:`~estate.solve.columns.boxstep.Box` with a column more for each building (how much of it is open: its sets add up to it)
and for each *group* of buildings (how many of it are open).  A node of :mod:`.columns.branch_and_price` says between what these
lie, and which points may not be in which building.  All of that is said in the pricing as well, with no change to its knapsack:

* a building that is shut has no set, one that is open counts whatever its set is worth;
* a price on a group's number is a part of the cost of each of its buildings (and what it is worth at the number's own limit is
  part of the bound);
* a point that may not be in a building is too dear there.

So sets are found at every node anew, and none need be listed: where sets tie without end (see
:func:`estate.solve.columns.patterns.endless`) no list could hold them.  (Branching that leaves the pricing as it is: Barnhart,
Johnson, Nemhauser, Savelsbergh and Vance 1998, who call such rules compatible.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from estate.model.arrays import MONEY
from estate.problem import Bools, Floats, Ints, Problem, Solution, step
from estate.solve.columns import patterns
from estate.solve.columns.boxstep import KEPT, Box
from estate.solve.columns.core import Core
from estate.solve.columns.lagrangian import Dual, evaluate_with_sets
from estate.solve.columns.pricing import work_space
from estate.solve.highs import INF

TOO_DEAR = 10**15
"""Pence of a pair that may not be."""
WIDEST = 1e4
"""Half side of the box, in dearest buildings, from which on a programme that leans on its helpers has no solution."""
TOLERANCE = 1e-7
"""Relative distance of a programme's value from the bound at which no set is missing."""
NEAR = 0.15
"""Mean buildings by which the first sets may be worse than the best."""


@dataclass(frozen=True, slots=True, eq=False)
class PricedNode:
    """What a branch has decided, and what is known of it.  Shapes: J sites, G groups, P slots."""

    lower: Floats
    """(J + G,) least that is open of each site and group."""
    upper: Floats
    barred: Bools
    """(P,) slots that may not be."""
    dual: Dual
    """The best multipliers known, and the bound that they prove."""
    count: Floats
    """(G,) the prices of the groups' numbers at these."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A solution of the programme: how much of what it uses."""

    helped: float
    """How much it leans on helpers: without them it has no solution, or not with the sets it has."""
    opened: Floats
    """(J + G,) how much of each site and group is open."""
    used: Floats
    """(sets,) how much of each set."""
    site: Ints
    member: csr_array
    """(sets, slots) what is in each set."""


class NodeMaster(Box):
    """See the module."""

    def __init__(self, problem: Problem, core: Core, dual: Dual, plan: Solution, groups: Bools | None = None) -> None:
        J, S = problem.n_sites, problem.n_points
        mean = float(np.abs(problem.site_cost).mean())
        few = patterns.worth_keeping(problem, core, dual, dual.bound + NEAR * mean, most=40 * J + 5_000, each=30)
        first = patterns.with_plan(problem, core, few if few is not None else patterns.nobody(problem, core), plan)
        super().__init__(problem, core, first)
        self.groups = np.zeros((0, J), dtype=bool) if groups is None else groups
        """(G, J) whose number may be branched on."""
        self._before = len(self.held[0].site)
        self._helpers = 2 * len(self.priced)
        self._count = self.lp.getNumCol()
        """Columns ``_count + i`` say how much of each site, then of each group, is open."""
        G = len(self.groups)
        for j in range(J):
            self.lp.changeRowBounds(S + j, 0.0, 0.0)
        self.lp.addRows(G, np.zeros(G), np.zeros(G), 0, np.zeros(G, np.int32), np.zeros(0, np.int32), np.zeros(0))
        rows = [np.r_[S + j, self.rows + np.flatnonzero(self.groups[:, j])] for j in range(J)] + [
            np.array([self.rows + g]) for g in range(G)
        ]
        values = [np.r_[-1.0, np.ones(len(row) - 1)] for row in rows[:J]] + [np.array([-1.0])] * G
        self.lower = np.concatenate([np.where(problem.must_open, 1.0, 0.0), np.zeros(G)])
        self.upper = np.concatenate([np.where(problem.must_close, 0.0, 1.0), self.groups.sum(axis=1).astype(float)])
        start = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        self.lp.addCols(
            J + G, np.zeros(J + G), self.lower, self.upper, int(start[-1]), start[:-1].astype(np.int32),
            np.concatenate(rows).astype(np.int32), np.concatenate(values),
        )  # fmt: skip
        self.add(patterns.bare(problem, np.flatnonzero(~problem.must_close)))
        self.width = 0.05 * mean + 1.0
        self.step = step(problem)
        self._banned = np.zeros(0, dtype=bool)
        self._work = work_space()
        self._taken = np.zeros(0, dtype=np.int64)

    def root(self, dual: Dual) -> PricedNode:
        """Nothing decided yet."""
        return PricedNode(
            self.lower, self.upper, np.zeros(len(self.core.slot_point), dtype=bool), dual, np.zeros(len(self.groups))
        )

    def _impose(self, node: PricedNode) -> None:
        """Say what a node has decided."""
        changed = np.flatnonzero((node.lower != self.lower) | (node.upper != self.upper))
        if len(changed):
            at = (self._count + changed).astype(np.int32)
            self.lp.changeColsBounds(len(at), at, node.lower[changed], node.upper[changed])
        self.lower, self.upper = node.lower, node.upper
        size, slot = self._sets()
        n = len(size)
        out = np.bincount(np.repeat(np.arange(n), size), node.barred[slot], n) > 0
        before = np.zeros(n, dtype=bool)
        before[: len(self._banned)] = self._banned
        changed = np.flatnonzero(out != before)
        if len(changed):
            at = self._column(changed).astype(np.int32)
            self.lp.changeColsBounds(len(at), at, np.zeros(len(at)), np.where(out[changed], 0.0, INF))
        self._banned = out

    def _sets(self) -> tuple[Ints, Ints]:
        """The size of each set, and all their slots in a row."""
        return np.concatenate([np.diff(found.start) for found in self.held]), np.concatenate([f.slot for f in self.held])

    def _column(self, sets: Ints) -> Ints:
        """The columns of these sets: those that were there first (then share items and counts), and all others after them."""
        late = self._count + len(self.lower) - self._before
        return sets + np.where(sets < self._before, self._helpers, late)

    def price(self, node: PricedNode, u: Floats, v: Floats, count: Floats) -> tuple[Dual, Ints]:
        """The bound that these prices prove at a node, and the slots of each site's best set."""
        c, J = self.core, self.problem.n_sites
        shut = node.upper[:J] < 0.5
        # Whole pence, rounded down: a building that costs less makes the bound lower, and it holds.
        cost = np.floor(c.site_cost - count @ self.groups).astype(np.int64) if len(count) else c.site_cost
        cost = np.where(shut, np.maximum(cost, self._reach(v)), cost)
        here = c._replace(
            site_cost=cost,
            capacity=np.where(shut, -1, c.capacity),
            slack=np.where(shut, 0, c.slack),
            must_open=node.lower[:J] > 0.5,
            slot_cost=np.where(node.barred, TOO_DEAR, c.slot_cost),
        )
        start = self._taken[~node.barred[self._taken] & ~shut[c.slot_site[self._taken]]]
        found, self._taken = evaluate_with_sets(here, u, v, self._work, start)
        limit = np.where(count > 0, node.lower[J:], node.upper[J:])
        return replace(found, bound=found.bound + float(count @ limit)), self._taken

    def _reach(self, v: Floats) -> int:
        """More than the rows could give for any building that is open."""
        c, R = self.core, len(self.core.row_need)
        return math.ceil(v[:R].sum() + (v[R:][c.side_row] * np.abs(c.side_value)).sum()) + 1

    def solve(self, node: PricedNode, rounds: int, enough: float) -> tuple[PricedNode, Look]:
        """The node with the best multipliers found in so many rounds, or until its bound is ``enough``, and a solution.

        Sets are priced in at prices that are held in a box, as in :func:`estate.solve.columns.boxstep.climb`.
        """
        self._impose(node)
        least = node.dual.bound  # what was proven of the parent holds here
        best, slots = self.price(node, node.dual.point, node.dual.row, node.count)
        count = node.count
        self.add(patterns.of_slots(self.problem, self.core, slots))
        width = self.width
        self.hold(best, width)
        near = max(TOLERANCE * abs(best.bound), 0.01 * self.step)
        for _ in range(rounds):
            promise, u, v, price = self.prices_and_counts()
            now, slots = self.price(node, u, v, price)
            had = len(self.seen)
            self.add(patterns.of_slots(self.problem, self.core, slots))
            rise, promised = now.bound - best.bound, promise - best.bound
            if rise > 0:
                best, count = now, price
            if best.bound >= enough:
                break
            if promised <= near:
                if self.helped() < 1e-7:
                    break
                width *= 4.0
            elif rise > 0:
                width *= 1.5 if rise >= KEPT * promised else 1.0
            elif len(self.seen) == had:
                if self.helped() < 1e-7:
                    break
                width *= 2.0
            else:
                continue
            if width > WIDEST * float(np.abs(self.problem.site_cost).max(initial=1)):
                break
            self.hold(best, width)
        dual = replace(best, bound=max(best.bound, least))
        return replace(node, dual=dual, count=count), self.look()

    def prices_and_counts(self) -> tuple[float, Floats, Floats, Floats]:
        """The programme's value in pence, its prices as multipliers, and the price of each group's number."""
        value, u, v = self.prices()
        y = np.array(self.lp.getSolution().row_dual)[self.rows :] / MONEY
        return value, u, v, y

    def helped(self) -> float:
        """How much the last solution leans on helpers."""
        return float(np.array(self.lp.getSolution().col_value)[: self._helpers].sum())

    def look(self) -> Look:
        """The last solution (sets that came since are not used)."""
        x = np.array(self.lp.getSolution().col_value)
        size, slot = self._sets()
        column = self._column(np.arange(len(size)))
        x = np.concatenate([x, np.zeros(max(int(column.max(initial=0)) + 1 - len(x), 0))])
        start = np.concatenate([[0], np.cumsum(size)])
        member = csr_array((np.ones(len(slot)), slot, start), shape=(len(size), len(self.core.slot_point)))
        site = np.concatenate([found.site for found in self.held])
        opened = x[self._count : self._count + len(self.lower)]
        return Look(float(x[: self._helpers].sum()), opened, x[column], site, member)
