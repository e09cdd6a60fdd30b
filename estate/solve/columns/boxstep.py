"""The best multipliers of the Lagrangian, by column generation in a box.

The Lagrangian of :mod:`estate.solve.columns.lagrangian` and the linear programme over configuration columns
(:mod:`estate.solve.columns.patterns`) are duals of each other, so its best multipliers are that programme's row prices.  Two
ways lead there.  A subgradient costs nothing a step and slows down.
Column generation takes the prices of a programme over the sets seen so far, asks each building for its best set at those
prices, and adds it; but with few sets the prices fly about, and the bound at them is worthless for hundreds of rounds.

So the prices are held in a *box* about the best multipliers known (the boxstep method, Marsten, Hogan and Blankenship 1975; du
Merle, Villeneuve, Desrosiers and Hansen 1999 on stabilised column generation).  In the linear programme the box is a pair of
columns for each row: one unit more may be bought at the upper price, one less sold at the lower.  A round whose bound rises
moves the box there; one that keeps enough of what the programme promised widens it (as a trust region does).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csc_array, csr_array

from estate.model.arrays import MONEY
from estate.problem import Floats, Problem, Solution
from estate.solve import highs
from estate.solve.columns import patterns
from estate.solve.columns.core import Core
from estate.solve.columns.lagrangian import Dual, evaluate_with_sets
from estate.solve.columns.pricing import work_space
from estate.solve.highs import INF

KEPT = 0.3
"""Share of the promised rise that a round must bring for the box to widen."""


class Box:
    """The linear programme over the sets seen so far, its prices held in a box."""

    def __init__(self, problem: Problem, core: Core, first: patterns.Patterns) -> None:
        self.problem, self.core = problem, core
        S, J, R = problem.n_points, problem.n_sites, len(core.row_need)
        h = self.lp = highs.linear()
        arrays = patterns.programme(problem, core, first)
        self.rows = len(arrays.row_lower)
        side = np.arange(self.rows - len(core.side_need), self.rows)
        self.priced = np.concatenate([np.arange(S), S + J + np.arange(R), side])
        """Rows of the programme that have a multiplier: points, cover rows and the items of share rules, side rows."""
        self.held: list[patterns.Patterns] = []
        """The sets in the programme, in the order of their columns."""
        self.seen: set[int] = set()
        inf = INF
        lower = np.maximum(arrays.row_lower, -inf)
        lower[:S][core.optional] = -inf
        lower[S : S + J] = np.where(problem.must_open, 1.0, 0.0)
        none = np.zeros(0)
        h.addRows(
            self.rows, lower, np.minimum(arrays.row_upper, inf), 0, np.zeros(self.rows, np.int32), none.astype(np.int32), none
        )
        n = len(self.priced)
        both = np.tile(self.priced, 2).astype(np.int32)
        sign = np.repeat([1.0, -1.0], n)
        h.addCols(
            2 * n, np.zeros(2 * n), np.zeros(2 * n), np.full(2 * n, inf), 2 * n, np.arange(2 * n, dtype=np.int32), both, sign
        )
        matrix = csc_array(csr_array((arrays.value, arrays.index, arrays.start), shape=(self.rows, len(arrays.cost))))
        self._add(arrays.cost, matrix, np.where(arrays.integer, inf, arrays.upper))
        self.held.append(first)
        self.seen.update(patterns.keys(first).tolist())

    def _add(self, cost: Floats, matrix: csc_array, upper: Floats) -> None:
        self.lp.addCols(
            len(cost),
            cost,
            np.zeros(len(cost)),
            upper,
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )

    def add(self, found: patterns.Patterns) -> None:
        """Further sets, less those that are in already."""
        key = patterns.keys(found)
        fresh = np.array([each not in self.seen for each in key.tolist()], dtype=bool)
        if not fresh.any():
            return
        self.seen.update(key.tolist())
        found = patterns.some(found, np.flatnonzero(fresh))
        a = patterns.programme(self.problem, self.core, found)
        n = len(found.site)  # the items of share rules are in the programme already
        matrix = csc_array(csr_array((a.value, a.index, a.start), shape=(self.rows, len(a.cost))))
        self._add(a.cost[:n], csc_array(matrix[:, :n]), np.full(n, INF))
        self.held.append(found)

    def hold(self, dual: Dual, width: float) -> None:
        """Put the box about these multipliers, ``width`` pence either way."""
        at = np.concatenate([dual.point, dual.row])
        least = np.concatenate([np.full(len(dual.point), -np.inf), np.zeros(len(dual.row))])
        cost = np.concatenate([at + width, -np.maximum(at - width, least)]) * MONEY
        self.lp.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)

    def prices(self) -> tuple[float, Floats, Floats]:
        """The programme's value in pence, and its prices as multipliers."""
        self.lp.run()
        y = np.array(self.lp.getSolution().row_dual)[self.priced] / MONEY
        S = self.problem.n_points
        return float(self.lp.getInfo().objective_function_value) / MONEY, y[:S], np.maximum(y[S:], 0.0)


def climb(
    problem: Problem,
    core: Core,
    dual: Dual,
    *,
    plan: Solution | None = None,
    rounds: int = 60,
    width: float | None = None,
    close: float = 2e-4,
    over: Callable[[], bool] = lambda: False,
) -> Dual:
    """The best multipliers found from ``dual`` on.

    ``width`` is the box's half side at first (pence; a twentieth of the mean building where none is given).  The search ends
    when the bound is within a relative ``close`` of the programme's value with the box no longer binding, after so many
    ``rounds``, or when ``over``.
    """
    if width is None:
        width = 0.05 * float(problem.site_cost.mean()) + 1.0
    few = patterns.worth_keeping(problem, core, dual, dual.bound + 3.0 * width, most=40 * problem.n_sites + 5_000, each=30)
    first = few if few is not None else patterns.nobody(problem, core)
    box = Box(problem, core, first if plan is None else patterns.with_plan(problem, core, first, plan))
    box.add(patterns.nobody(problem, core))
    best, work = dual, work_space()
    box.hold(best, width)
    stalled = 0
    for _ in range(rounds):
        promise, u, v = box.prices()
        now, found = evaluate_with_sets(core, u, v, work)
        box.add(patterns.of_slots(problem, core, found))
        rise, promised = now.bound - best.bound, promise - best.bound
        if rise > 0:
            best = now
        if promised <= close * abs(best.bound):
            if width > 1e3 * problem.site_cost.mean():
                break
            width *= 2.0
            box.hold(best, width)
            stalled += 1
            if stalled > 3:
                break
        elif rise > 0:
            stalled = 0
            if rise >= KEPT * promised:
                width *= 1.5
            box.hold(best, width)
        if over():
            break
    return best
