"""Exact solution of a county: columns, cuts, then a small integer programme.

1. Multipliers from :mod:`estate.solve.lagrangian` (0.2 s for 100 sites) and a plan say which sets of points can matter
   (:mod:`estate.solve.patterns`): 4,000 to 300,000.
2. The linear programme over this pool, sets added as they price out (Gilmore and Gomory 1961): 0.01-0.1 s.  Its duals are
   better multipliers, so the pool is listed again and is smaller.
3. Odd-set cuts (:mod:`estate.solve.cuts`) and sets priced out by the better bound, in turn.  On three generated counties the
   linear bound went from 0.29%, 0.45% and 0.96% below the optimum to 0.07%, 0.19% and 0.28%.
4. What is left (700 to 30,000 sets) is an integer programme with a tight bound, which HiGHS finishes in few nodes.

If there are too many sets for the gap between bound and plan, the pool holds those within a smaller gap ``d`` of the bound
``L``.  Whatever it lacks costs at least ``L + d``, so ``min(its bound, L + d)`` is valid, and a plan found below ``L + d`` is
proven: the next pass starts from that plan.

Every bound is computed from the multipliers, not read from the solver: for any multipliers of the right signs, rows' right
hand sides plus, for each site, its most negative reduced cost (a site has one set) bound the programme from below.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from estate.problem import Bools, Floats, Ints, Problem, Solution, cost
from estate.solve import branch, cuts, patterns
from estate.solve.arrays import MONEY, Arrays
from estate.solve.boxstep import climb
from estate.solve.core import Core, core
from estate.solve.lagrangian import Dual, ascend, evaluate


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try: all of it counted, none of it timed (``until`` apart)."""

    gap: float = 0.0
    iterations: tuple[int, int, int] = (100, 0, 0)
    climbs: int = 60
    """Rounds of column generation in a box, at most."""
    pool: int = 300_000
    """Most sets listed at once."""
    first_gap: float = 0.5
    """How far above the bound the first pool reaches, at most."""
    rounds: int = 8
    """Rounds of cuts."""
    passes: int = 6
    nodes: int = 20_000
    until: float | None = None
    """``time.monotonic()`` at which to stop."""
    seed: int = 0
    stop: Callable[[], bool] | None = None

    def over(self) -> bool:
        """Whether the clock or the user says stop."""
        return (self.until is not None and time.monotonic() > self.until) or (self.stop is not None and self.stop())

    def left(self) -> float | None:
        """Seconds left."""
        return None if self.until is None else max(self.until - time.monotonic(), 0.02)


@dataclass(frozen=True, slots=True)
class Result:
    """A plan (None: none better than the one given), its value, and a bound; pence."""

    plan: Solution | None
    value: float
    bound: float
    proven: bool
    """``bound`` is the optimum (of what was asked), by proof to the solver's tolerance."""
    dual: Dual
    nodes: int = 0


@dataclass(slots=True)
class _Pool:
    """The linear programme over a pool of sets, with cuts; some of the sets are in the solver."""

    arrays: Arrays
    matrix: csc_array
    site: Ints
    n_sites: int
    site_row: int
    """Rows ``site_row + j`` say that site ``j`` has one set."""
    cut: list[tuple[float, float, Ints, Floats]] = field(default_factory=list)
    inside: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    order: list[int] = field(default_factory=list)
    lp: highspy.Highs = field(default_factory=highspy.Highs)
    artificial: int = 0
    y: Floats = field(default_factory=lambda: np.zeros(0))
    reduced: Floats = field(default_factory=lambda: np.zeros(0))
    banned: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Sets left out: too dear for any better plan, or forbidden by the branch."""
    site_lower: Floats = field(default_factory=lambda: np.zeros(0))
    """1 where a site must have a set: no other may be, or the branch says so."""
    bound: float = -np.inf
    """Of the programme last solved, in solver's units."""

    def begin(self, first: Ints) -> None:
        a, inf = self.arrays, highspy.kHighsInf
        h = self.lp
        for name, value in (("output_flag", False), ("threads", 1), ("parallel", "off"), ("presolve", "off")):
            h.setOptionValue(name, value)
        rows = len(a.row_lower)
        none = np.zeros(0, dtype=np.int32)
        h.addRows(
            rows, np.maximum(a.row_lower, -inf), np.minimum(a.row_upper, inf), 0, np.zeros(rows, np.int32), none, np.zeros(0)
        )
        # A row may be out of reach of the first sets: dear helpers keep the programme feasible.
        need = np.flatnonzero(a.row_lower > 0)
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
        a = self.arrays
        full = self.matrix
        if self.cut:
            extra = self._cut_rows()
            full = csc_array(vstack([full, extra]))
        sub = csc_array(full[:, columns])
        upper = np.where(a.integer[columns], highspy.kHighsInf, 1.0)
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

    def _cut_rows(self) -> csr_array:
        start = np.concatenate([[0], np.cumsum([len(c[2]) for c in self.cut])])
        index = np.concatenate([c[2] for c in self.cut])
        value = np.concatenate([c[3] for c in self.cut])
        return csr_array((value, index, start), shape=(len(self.cut), len(self.arrays.cost)))

    def add_cut(self, lower: float, upper: float, index: Ints, value: Floats) -> None:
        self.cut.append((lower, upper, index, value))
        coefficient = np.zeros(len(self.arrays.cost))
        coefficient[index] = value
        here = coefficient[self.order]
        at = np.flatnonzero(here)
        inf = highspy.kHighsInf
        self.lp.addRow(max(lower, -inf), min(upper, inf), len(at), (self.artificial + at).astype(np.int32), here[at])

    def short(self) -> bool:
        """Whether the programme as it stands leans on the helpers: it has no solution, or not yet."""
        return bool(np.array(self.lp.getSolution().col_value)[: self.artificial].max(initial=0.0) > 1e-7)

    def solve(self, over: Callable[[], bool], *, enough: float = np.inf) -> None:
        """Price sets in until none is missing, or the bound is ``enough``; sets ``y``, ``reduced`` and the safe ``bound``."""
        self.bound = -np.inf
        a = self.arrays
        rows = len(a.row_lower)
        for _ in range(200):
            self.lp.run()
            y = np.array(self.lp.getSolution().row_dual)
            rows_lower = a.row_lower.copy()
            rows_lower[self.site_row : self.site_row + self.n_sites] = self.site_lower
            lower = np.concatenate([rows_lower, [c[0] for c in self.cut]])
            upper = np.concatenate([a.row_upper, [c[1] for c in self.cut]])
            y = np.where((y > 0) & ~np.isfinite(lower), 0.0, np.where((y < 0) & ~np.isfinite(upper), 0.0, y))
            reduced = a.cost - self.matrix.T @ y[:rows]
            for (_, _, index, value), dual in zip(self.cut, y[rows:], strict=True):
                if dual != 0.0:
                    reduced[index] -= value * dual
            side = np.where(y > 0, np.where(np.isfinite(lower), lower, 0.0), np.where(np.isfinite(upper), upper, 0.0))
            worst = np.zeros(self.n_sites)
            sets = len(self.site)
            free = np.flatnonzero((reduced[:sets] < 0) & ~self.banned[:sets])
            np.minimum.at(worst, self.site[free], reduced[free])
            bound = float(side @ y) + float(worst.sum()) + float(np.minimum(reduced[sets:], 0.0).sum())
            if bound > self.bound:
                self.bound, self.y, self.reduced = bound, y, reduced
            missing = np.flatnonzero(~self.inside & ~self.banned & (reduced < -1e-9))
            if not len(missing) or self.bound >= enough or over():
                break
            self.add(missing[np.argsort(reduced[missing], kind="stable")[:400]])

    def values(self) -> tuple[Ints, Floats]:
        """The sets in use, and how much."""
        x = np.array(self.lp.getSolution().col_value)[self.artificial :]
        use = np.flatnonzero(x > 1e-7)
        return np.array(self.order, dtype=np.int64)[use], x[use]


def solve(  # noqa: C901 - the passes share their state
    problem: Problem,
    effort: Effort,
    *,
    plan: Solution | None = None,
    optional: Bools | None = None,
    dual: Dual | None = None,
    cut: Core | None = None,
    best: float | None = None,
) -> Result:
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
    best
        Value to beat, where that is not ``plan``'s cost.
    """
    c = core(problem, optional) if cut is None else cut
    value = float(cost(problem, plan)) if best is None and plan is not None else (np.inf if best is None else best)
    if dual is None:
        target = value if np.isfinite(value) else float(problem.site_cost.sum())
        dual = multipliers(problem, c, target, effort, plan)
    bound, nodes = dual.bound, 0
    spare = min(value - bound, effort.first_gap * abs(bound) + 1.0)
    proven = False
    previous = np.inf
    for _ in range(effort.passes):
        if spare < 0 or effort.over():
            break
        found, spare = _listed(problem, c, dual, spare, effort)
        limit = dual.bound + spare
        if plan is not None:
            found = patterns.with_plan(problem, c, found, plan)
        pool, keep = _pool(problem, c, found, optional)
        pool.solve(effort.over)
        better = _multipliers(problem, c, pool)
        bound = max(bound, better.bound)
        if better.bound > dual.bound + 0.1 * max(min(value, limit) - dual.bound, 0.0):
            # The pool can be listed again about the better multipliers.
            spare = max(min(value - better.bound, 2.0 * spare), 0.0)
            dual = better
            continue
        _cut(problem, pool, effort, min(value, limit))
        pool_bound = pool.bound / MONEY
        bound = max(bound, min(pool_bound, limit))
        got, ran = _integer(problem, c, found, keep, pool, value, effort)
        nodes += ran.nodes
        if got is not None and (here := float(cost(problem, got))) < value:
            plan, value = got, here
        bound = max(bound, min(ran.bound / MONEY, limit, value))
        if ran.complete and value <= limit and value - bound <= 0.5:
            proven, bound = True, value
        if np.isfinite(value) and value - bound <= effort.gap * abs(value):
            break
        if not ran.complete or value <= limit:
            break
        # The pool was short of the plan: list it again now that the plan is better.
        if value - dual.bound >= previous:
            break
        previous = spare = value - dual.bound
    return Result(plan, value, min(bound, value), proven, dual, nodes)


def multipliers(problem: Problem, c: Core, target: float, effort: Effort, plan: Solution | None) -> Dual:
    """Near the best: a coarse subgradient brings them into the neighbourhood, column generation in a box the rest."""
    dual = ascend(c, target, iterations=effort.iterations)
    return climb(problem, c, dual, plan=plan, rounds=effort.climbs, over=effort.over)


def _listed(problem: Problem, c: Core, dual: Dual, spare: float, effort: Effort) -> tuple[patterns.Patterns, float]:
    """Sets within ``spare`` of the bound, or within as much of it as the pool holds."""
    while True:
        found = patterns.worth_keeping(problem, c, dual, dual.bound + spare, most=effort.pool)
        if found is not None:
            return found, spare
        spare *= 0.6


def _pool(problem: Problem, c: Core, found: patterns.Patterns, optional: Bools | None) -> tuple[_Pool, Ints]:
    arrays, keep = patterns.programme(problem, c, found)
    if optional is not None:
        lower = arrays.row_lower.copy()
        lower[: problem.n_points][optional] = 0.0
        arrays = replace(arrays, row_lower=lower)
    rows = len(arrays.row_lower)
    matrix = csc_array(csr_array((arrays.value, arrays.index, arrays.start), shape=(rows, len(arrays.cost))))
    pool = _Pool(arrays, matrix, found.site[keep], problem.n_sites, problem.n_points)
    least = np.argsort(found.least[keep], kind="stable")[: max(600, 3 * problem.n_sites)]
    least = np.union1d(least, np.flatnonzero(np.isinf(found.least[keep])))
    pool.begin(np.concatenate([np.sort(least), np.arange(len(keep), len(arrays.cost))]).astype(np.int64))
    return pool, keep


def _multipliers(problem: Problem, c: Core, pool: _Pool) -> Dual:
    """The pool's duals as multipliers of the Lagrangian, evaluated exactly over all sets."""
    S, J, R = problem.n_points, problem.n_sites, len(c.row_need)
    u, v = pool.y[:S] / MONEY, np.maximum(pool.y[S + J : S + J + R], 0.0) / MONEY
    return evaluate(c, u, v)


def _cut(problem: Problem, pool: _Pool, effort: Effort, best: float) -> None:
    """Rounds of odd-set cuts."""
    S, J = problem.n_points, problem.n_sites
    covers = np.flatnonzero(pool.arrays.row_lower[S + J :][: len(problem.cover)] == 1.0) + S + J
    single = covers[problem.cover.excuse[covers - S - J] < 0] if len(covers) else covers
    points = np.flatnonzero(pool.arrays.row_lower[:S] == 1.0)
    by_row, most = pool.matrix.tocsr(), 40 + problem.n_sites // 4
    families = ((False, np.arange(S + J)), (True, np.concatenate([points, single])))
    parts = [(covering, by_row[rows], csc_array(by_row[rows])) for covering, rows in families]
    for _ in range(effort.rounds):
        before = pool.bound
        if effort.over() or pool.bound / MONEY >= best:
            break
        use, x = pool.values()
        use, x = use[use < len(pool.site)], x[use < len(pool.site)]
        if not ((x > 1e-6) & (x < 1 - 1e-6)).any():
            break
        added = 0
        for covering, rows, columns in parts:
            triples = cuts.separate(csr_array(columns[:, use]), x, covering=covering, at_most=most)
            for triple in triples:
                met = np.concatenate([rows.indices[rows.indptr[r] : rows.indptr[r + 1]] for r in triple])
                index, count = np.unique(met, return_counts=True)
                value = np.ceil(count / 2) if covering else np.floor(count / 2)
                index, value = index[value > 0].astype(np.int64), value[value > 0]
                pool.add_cut(2.0 if covering else -np.inf, np.inf if covering else 1.0, index, value)
                added += 1
        if not added:
            break
        pool.solve(effort.over)
        if pool.bound - before < 0.03 * max(best * MONEY - pool.bound, 0.0):
            break


def _integer(
    problem: Problem, c: Core, found: patterns.Patterns, keep: Ints, pool: _Pool, best: float, effort: Effort
) -> tuple[Solution | None, branch.Found]:
    """Branch and bound over the sets that can still be in a plan cheaper than ``best``."""
    S, top = problem.n_points, best * MONEY
    if np.isfinite(top):
        pool.banned = pool.reduced > top - pool.bound + 1e-9 * max(1.0, abs(top))
    members = csr_array(pool.matrix.tocsr()[:S, : len(keep)])
    ran = branch.search(
        pool, members, S, found.shut, top, gap=effort.gap, least=0.5 * MONEY, nodes=effort.nodes, over=effort.over
    )
    if ran.chosen is None:
        return None, ran
    x = np.zeros(len(keep))
    x[ran.chosen] = 1.0
    return patterns.read(problem, c, found, keep, x), ran
