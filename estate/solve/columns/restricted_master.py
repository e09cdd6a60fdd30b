"""The linear programme over a pool of sets, with odd-set cuts.

The pool may hold hundreds of thousands of sets; those in the solver are the few that have priced in (Gilmore and Gomory 1961), so
a solve is 0.01-0.2 s.  A branch bans sets; a cut changes reduced costs and nothing else, since the pool holds all that matter.

Every bound is computed from the prices, not read from the solver: for any prices of the right signs, the rows' right hand sides
plus, for each site, its most negative reduced cost (a site has one set) bound the programme over the pool from below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from estate.model.arrays import MONEY, Arrays
from estate.problem import Bools, Floats, Ints, Problem
from estate.solve import highs
from estate.solve.columns import subset_row_cuts
from estate.solve.highs import INF

AT_ONCE = 400
"""Sets priced in between two solves, at most (and a quarter of the sites, where that is more)."""
STEP = 0.03
"""Rounds of cuts end when one closes less than this part of the gap to the best plan."""


@dataclass(frozen=True, slots=True, eq=False)
class SubsetRowCut:
    """An odd set of three rows, and its coefficients over the pool's columns."""

    rows: Ints
    covering: bool
    index: Ints
    value: Floats

    @property
    def lower(self) -> float:
        """Right hand side of a covering cut."""
        return 2.0 if self.covering else -np.inf

    @property
    def upper(self) -> float:
        """Right hand side of a packing cut."""
        return np.inf if self.covering else 1.0


def coefficients(by_row: csr_array, rows: Ints, *, covering: bool) -> tuple[Ints, Floats]:
    """The columns that an odd set of rows counts, and how often (see :mod:`estate.solve.columns.subset_row_cuts`)."""
    met = np.concatenate([by_row.indices[by_row.indptr[r] : by_row.indptr[r + 1]] for r in rows.tolist()])
    index, count = np.unique(met, return_counts=True)
    value = np.ceil(count / 2) if covering else np.floor(count / 2)
    return index[value > 0].astype(np.int64), value[value > 0]


@dataclass(slots=True)
class Pool:
    """The linear programme over a pool of sets; some of them are in the solver."""

    arrays: Arrays
    matrix: csc_array
    site: Ints
    """(columns,) each set's site; -1 for a column that is no set (an item of a share rule)."""
    n_sites: int
    site_row: int
    """Rows ``site_row + j`` say that site ``j`` has one set."""
    cut: list[SubsetRowCut] = field(default_factory=list)
    inside: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    order: list[int] = field(default_factory=list)
    lp: Any = field(default_factory=highs.linear)
    artificial: int = 0
    y: Floats = field(default_factory=lambda: np.zeros(0))
    """Prices of the rows, then of the cuts, at the best bound of the last solve."""
    reduced: Floats = field(default_factory=lambda: np.zeros(0))
    banned: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Sets left out: too dear for any better plan, or forbidden by the branch."""
    site_lower: Floats = field(default_factory=lambda: np.zeros(0))
    """1 where a site must have a set: no other may be, or the branch says so."""
    bound: float = -np.inf
    """Of the programme last solved, in solver's units."""
    by_row: csr_array = field(init=False)

    def __post_init__(self) -> None:
        self.by_row = csr_array(self.matrix)

    def begin(self, first: Ints) -> None:
        """Hand the rows and the first sets to the solver."""
        a, inf = self.arrays, INF
        h = self.lp
        rows = len(a.row_lower)
        none = np.zeros(0, dtype=np.int32)
        h.addRows(
            rows, np.maximum(a.row_lower, -inf), np.minimum(a.row_upper, inf), 0, np.zeros(rows, np.int32), none, np.zeros(0)
        )
        # A row may be out of reach of the first sets: dear helpers keep the programme feasible.
        need = np.flatnonzero(
            np.isfinite(a.row_lower) & (a.row_lower != 0)
        )  # a side row may ask for more than less than nothing
        need = np.union1d(need, self.site_row + np.arange(self.n_sites))  # branching may ask for a site
        dear = 10.0 * max(float(np.abs(a.cost).max(initial=1.0)), 1.0)
        m = len(need)
        h.addCols(
            m,
            np.full(m, dear),
            np.zeros(m),
            np.full(m, inf),
            m,
            np.arange(m, dtype=np.int32),
            need.astype(np.int32),
            np.ones(m),
        )
        self.artificial = m
        self.inside = np.zeros(len(a.cost), dtype=bool)
        self.banned = np.zeros(len(a.cost), dtype=bool)
        self.site_lower = a.row_lower[self.site_row : self.site_row + self.n_sites].copy()
        self.add(first)

    def add(self, columns: Ints) -> None:
        """Hand columns of the pool to the solver."""
        a = self.arrays
        full = self.matrix
        sub = csc_array(full[:, columns])
        if self.cut:
            start = np.concatenate([[0], np.cumsum([len(c.index) for c in self.cut])])
            index, value = (np.concatenate([getattr(c, name) for c in self.cut]) for name in ("index", "value"))
            extra = csr_array((value, index, start), shape=(len(self.cut), len(a.cost)))
            sub = csc_array(vstack([sub, csc_array(extra)[:, columns]]))
        upper = np.where(a.integer[columns], INF, 1.0)
        n = len(columns)
        self.lp.addCols(
            n,
            a.cost[columns],
            np.zeros(n),
            upper,
            sub.nnz,
            sub.indptr[:-1].astype(np.int32),
            sub.indices.astype(np.int32),
            sub.data,
        )
        self.inside[columns] = True
        self.order.extend(columns.tolist())

    def add_cut(self, rows: Ints, *, covering: bool) -> None:
        """Add the odd-set cut of three rows."""
        index, value = coefficients(self.by_row, rows, covering=covering)
        c = SubsetRowCut(rows, covering, index, value)
        self.cut.append(c)
        coefficient = np.zeros(len(self.arrays.cost))
        coefficient[index] = value
        here = coefficient[self.order]
        at = np.flatnonzero(here)
        self.lp.addRow(max(c.lower, -INF), min(c.upper, INF), len(at), (self.artificial + at).astype(np.int32), here[at])

    def short(self) -> bool:
        """Whether the programme as it stands leans on the helpers: it has no solution, or not yet."""
        return bool(np.array(self.lp.getSolution().col_value)[: self.artificial].max(initial=0.0) > 1e-7)

    def sides(self) -> tuple[Floats, Floats]:
        """Lower and upper side of every row and cut."""
        a = self.arrays
        rows = a.row_lower.copy()
        rows[self.site_row : self.site_row + self.n_sites] = self.site_lower
        return np.concatenate([rows, [c.lower for c in self.cut]]), np.concatenate([a.row_upper, [c.upper for c in self.cut]])

    def solve(self, over: Callable[[], bool], *, enough: float = np.inf) -> None:
        """Price sets in until none is missing, or the bound is ``enough``; sets ``y``, ``reduced`` and the safe ``bound``."""
        self.bound = -np.inf
        a = self.arrays
        rows = len(a.row_lower)
        sets = np.flatnonzero(self.site >= 0)
        rest = np.flatnonzero(self.site < 0)
        lower, upper = self.sides()
        for _ in range(200):
            self.lp.run()
            y = np.array(self.lp.getSolution().row_dual)
            y = np.where((y > 0) & ~np.isfinite(lower), 0.0, np.where((y < 0) & ~np.isfinite(upper), 0.0, y))
            reduced = a.cost - self.matrix.T @ y[:rows]
            for c, dual in zip(self.cut, y[rows:].tolist(), strict=True):
                if dual != 0.0:
                    reduced[c.index] -= c.value * dual
            worst = np.zeros(self.n_sites)
            free = sets[(reduced[sets] < 0) & ~self.banned[sets]]
            np.minimum.at(worst, self.site[free], reduced[free])
            bound = constant(y, lower, upper) + float(worst.sum()) + float(np.minimum(reduced[rest], 0.0).sum())
            if bound > self.bound:
                self.bound, self.y, self.reduced = bound, y, reduced
            missing = np.flatnonzero(~self.inside & ~self.banned & (reduced < -1e-9))
            if not len(missing) or self.bound >= enough or over():
                break
            self.add(missing[np.argsort(reduced[missing], kind="stable")[: max(AT_ONCE, self.n_sites // 4)]])

    def values(self) -> tuple[Ints, Floats]:
        """The sets in use, and how much."""
        x = np.array(self.lp.getSolution().col_value)[self.artificial :]
        use = np.flatnonzero(x > 1e-7)
        return np.array(self.order, dtype=np.int64)[use], x[use]


def constant(y: Floats, lower: Floats, upper: Floats) -> float:
    """What prices are worth on the right hand sides."""
    side = np.where(y > 0, np.where(np.isfinite(lower), lower, 0.0), np.where(np.isfinite(upper), upper, 0.0))
    return float(side @ y)


def cut(problem: Problem, pool: Pool, rounds: int, best: float, over: Callable[[], bool]) -> None:
    """Rounds of odd-set cuts, until they bring little or the bound reaches ``best`` (pence)."""
    S, J = problem.n_points, problem.n_sites
    covers = np.flatnonzero(pool.arrays.row_lower[S + J :][: len(problem.cover)] == 1.0) + S + J
    single = covers[problem.cover.excuse[covers - S - J] < 0] if len(covers) else covers
    points = np.flatnonzero(pool.arrays.row_lower[:S] == 1.0)
    most = 40 + J // 4
    families = ((False, np.arange(S + J)), (True, np.concatenate([points, single])))
    for _ in range(rounds):
        before = pool.bound
        if over() or pool.bound / MONEY >= best:
            break
        use, x = pool.values()
        use, x = use[pool.site[use] >= 0], x[pool.site[use] >= 0]
        if not ((x > 1e-6) & (x < 1 - 1e-6)).any():
            break
        here = csr_array(pool.matrix[:, use])
        added = 0
        for covering, rows in families:
            for triple in subset_row_cuts.separate(csr_array(here[rows]), x, covering=covering, at_most=most):
                pool.add_cut(rows[triple], covering=covering)
                added += 1
        if not added:
            break
        pool.solve(over)
        if pool.bound - before < STEP * max(best * MONEY - pool.bound, 0.0):
            break
