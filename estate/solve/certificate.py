"""Multipliers that show how little a plan can cost, for somebody else to follow: the cases of a small search, each with its own.

A solver's bound rests on thousands of nodes and cuts that nobody can check.  Here a programme without them is relaxed
(:mod:`estate.model`, no column whole) and split by hand, a building open or shut, a counter in a building or not, the case with
the lowest bound first.  The row prices of each case left at the end are multipliers in the sense of
:mod:`estate.solve.columns.lagrangian`: whoever has the tables can work out what they prove
(:mod:`estate.verify.bound` does), and together the cases hold every plan.

Nothing that is found here is believed anywhere: it is a hint.  So a search of any kind may have proven the plan, and rules that
whoever checks does not know (side rows, services that may not or must share a building or are met under one roof) are left out
from the beginning.  In each row something may be left unmet at the price of some whole plans, so that a case in which there is
no plan has multipliers that say so.

Where that shows less than all, and beyond :data:`SPLIT` choices from the first, there is a list of one case as well, with the
multipliers of :mod:`estate.solve.columns.tied`: it knows which guests fit together, and a linear programme does not.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from estate.model import Measure, formulate
from estate.model.access import binding
from estate.model.arrays import Arrays, arrays
from estate.problem import Floats, Goal, Ints, Problem, SideRows, step
from estate.solve import highs

SPLIT = 15_000
"""Host pairs up to which a place is split into cases."""
MOST = 60_000
"""Host pairs up to which the best multipliers of one case are looked for."""
NODES = 400
"""Most cases looked at."""
EFFORT = 120_000_000
"""Most work on them: iterations of the simplex method times rows.  About a second of CPU."""
NEAR = 0.5
"""A case whose bound is within this part of a step of the plan's cost is done: costs in between there are none."""
UNMET = 2
"""Plans' worth that it costs to leave a row unmet: a case in which a little must be left unmet is soon too dear."""
WHOLE = 1e-6
"""What counts as a whole number."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """Decisions taken, and multipliers in pence: (S,) of points, (R,) at least 0 of cover rows and then items of share rules.

    A decision is a column of :mod:`estate.model` (sites, then host pairs) and whether it is 1.
    """

    decided: tuple[tuple[int, bool], ...]
    point: Floats
    row: Floats


def cases(problem: Problem, value: int, *, sites: int | None = None) -> Iterator[tuple[Leaf, ...]]:
    """The cases that show what they can of there being no plan below ``value`` (pence); none where the goal is no cost.

    ``sites`` is how many of the sites a decision may be about, the first so many; None: all.  Where they do not show all of it,
    another list follows, of one case with the best multipliers of the sets of each building: either may show more.
    """
    if problem.goal is not Goal.COST or not problem.n_points:
        return
    known = _known(problem)
    if problem.n_pairs <= SPLIT:
        search = _Search(known, value, problem.n_sites if sites is None else sites)
        yield tuple(search.run())
        if search.shown >= search.enough:
            return
    if problem.n_pairs <= MOST and (one := _one(known, value)):
        yield one


def _known(problem: Problem) -> Problem:
    """The problem as whoever checks it knows it; rows keep their numbers, and those that are not known ask for nothing."""
    none, roofs = np.zeros((0, 3), dtype=np.int64), [each.service for each in problem.derived]
    cover = replace(problem.cover, need=np.where(np.isin(problem.cover.service, roofs), 0, problem.cover.need))
    shares = tuple(replace(rule, required=0) if rule.service in roofs else rule for rule in problem.shares)
    return replace(problem, side=SideRows(), conflict=none, together=none, derived=(), cover=cover, shares=shares)


def _one(problem: Problem, value: int) -> tuple[Leaf, ...]:
    from estate.solve.columns.tied import multipliers  # noqa: PLC0415  (what is compiled is slow to load)

    given = multipliers(problem, value)
    return () if given is None else (Leaf((), *given),)


@dataclass(slots=True, eq=False)
class _Node:
    """A case and where its programme ended."""

    bound: float
    decided: tuple[tuple[int, bool], ...]
    x: Floats
    y: Floats
    nearest: int
    """The pair, of those not decided, that would cost least to change."""
    short: bool
    """Something is left unmet."""


class _Search:
    """Cases split from one linear programme, whose basis goes from each to the next."""

    def __init__(self, problem: Problem, value: int, sites: int) -> None:
        self.problem, self.f = problem, formulate(problem, Measure.COST)
        self.a: Arrays = arrays(self.f)
        self.enough = value - NEAR * step(problem)
        self.can = np.zeros(self.f.n_columns, dtype=bool)
        self.can[:sites] = True
        self.can[problem.n_sites : problem.n_sites + problem.n_pairs] = True
        self.first = self._families()
        self.spent, self.shown = 0, -np.inf
        a, inf = self.a, highs.INF
        h = self.lp = highs.linear()
        n, rows = len(a.cost), len(a.row_lower)
        h.addVars(n, a.lower, a.upper)
        h.changeColsCost(n, np.arange(n, dtype=np.int32), a.cost)
        lower, upper = np.maximum(a.row_lower, -inf), np.minimum(a.row_upper, inf)
        h.addRows(rows, lower, upper, len(a.index), a.start[:-1].astype(np.int32), a.index.astype(np.int32), a.value)
        row, sign = self._may_fail()
        m = len(row)
        price = np.full(m, float(UNMET * (abs(value) // self.f.unit + 1)))
        none = np.zeros(m)
        h.addCols(m, price, none, np.full(m, inf), m, np.arange(m, dtype=np.int32), row.astype(np.int32), sign)

    def _families(self) -> dict[str, int]:
        """The first row of each family."""
        sizes = [len(rows) for rows in self.f.rows]
        begin = np.cumsum([0, *sizes]).tolist()
        return {rows.family: first for rows, first in zip(self.f.rows, begin, strict=False)}

    def _priced(self) -> tuple[Ints, Ints, Ints]:
        """Rows that have a multiplier: of points, of cover rows and of items of share rules; -1 where there is none."""
        p, first = self.problem, self.first
        cover = np.full(len(p.cover), -1, dtype=np.int64)
        if "cover" in first:
            kept = binding(p)
            cover[kept] = first["cover"] + np.arange(len(kept))
        items = [np.arange(len(rule.weight)) + first[f"reach{r}"] if f"reach{r}" in first else np.full(len(rule.weight), -1)
                 for r, rule in enumerate(p.shares)]  # fmt: skip
        return np.arange(p.n_points) + first["somewhere"], cover, np.concatenate([np.zeros(0, dtype=np.int64), *items])

    def _may_fail(self) -> tuple[Ints, Floats]:
        """Rows that may be left unmet at a price, and how: points nowhere, zones without a service, items met by nobody."""
        point, cover, item = self._priced()
        cover, item = cover[cover >= 0], item[item >= 0]
        return np.concatenate([point, cover, item]), np.repeat([1.0, 1.0, -1.0], [len(point), len(cover), len(item)])

    def run(self) -> list[Leaf]:
        """Split the case with the lowest bound until all are done, or there has been enough work."""
        root = self._solved(())
        heap, done, n = [(root.bound, 0, root)], list[_Node](), 1
        while heap:
            _, _, node = heapq.heappop(heap)
            column = self._next(node)
            if column is None or node.bound >= self.enough or n + 2 > NODES or self.spent > EFFORT:
                done.append(node)
                continue
            for at in (False, True):
                child = self._solved((*node.decided, (column, at)))
                heapq.heappush(heap, (child.bound, n, child))
                n += 1
        self.shown = min(node.bound for node in done)
        return [self._case(node) for node in sorted(done, key=lambda node: node.decided)]

    def _solved(self, decided: tuple[tuple[int, bool], ...]) -> _Node:
        lower, upper = self.a.lower.copy(), self.a.upper.copy()
        p = self.problem
        for column, at in decided:
            if column < p.n_sites:
                lower[column] = upper[column] = float(at)
            elif at:  # nowhere else: that there may be no room is the multipliers' to say
                others = p.n_sites + np.flatnonzero(p.pair_point == p.pair_point[column - p.n_sites])
                upper[others[others != column]] = 0.0
            else:
                upper[column] = 0.0
        n = len(lower)
        self.lp.changeColsBounds(n, np.arange(n, dtype=np.int32), lower, upper)
        self.lp.run()
        info, found = self.lp.getInfo(), self.lp.getSolution()
        self.spent += max(int(info.simplex_iteration_count), 1) * len(self.a.row_lower)
        bound = self.f.unit * float(info.objective_function_value) + self.f.constant
        x, change = np.array(found.col_value), np.abs(np.array(found.col_dual)[:n])
        change[(lower == upper) | ~self.can] = np.inf
        change[: p.n_sites] = np.inf
        change[[column for column, _ in decided]] = np.inf
        nearest = int(np.argmin(change)) if np.isfinite(change).any() else -1
        short = bool((x[n:] > WHOLE).any())
        return _Node(bound, decided, x[:n], np.array(found.row_dual), nearest, short)

    def _next(self, node: _Node) -> int | None:
        """The building of most cost that is neither open nor shut, else the pair that is least decided.

        Where all are, and something is unmet all the same: the pair that could change most easily.
        """
        p = self.problem
        part = np.minimum(node.x, 1.0 - node.x) * self.can[: len(node.x)]
        part[[column for column, _ in node.decided]] = 0.0
        sites = part[: p.n_sites]
        if sites.max(initial=0.0) > WHOLE:
            return int(np.argmax(sites * (1.0 + np.abs(p.site_cost))))
        pairs = part[p.n_sites : p.n_sites + p.n_pairs]
        if pairs.max(initial=0.0) > WHOLE:
            return p.n_sites + int(np.argmax(pairs))
        return node.nearest if node.short and node.nearest >= 0 else None

    def _case(self, node: _Node) -> Leaf:
        point, cover, item = self._priced()
        y = np.append(node.y, 0.0) * self.f.unit
        row = np.concatenate([y[cover], -y[item]])
        return Leaf(node.decided, y[point], np.maximum(row, 0.0))
