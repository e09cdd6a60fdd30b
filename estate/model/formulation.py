"""A programme as blocks of columns and families of rows, in arrays; and the same in PuLP."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pulp

from estate.problem import Bools, Floats, Ints, Problem, Solution, offered


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One family of rows, compressed: row ``r`` is ``lower <= sum value x column <= upper`` over ``start[r]:start[r+1]``."""

    family: str
    start: Ints
    column: Ints
    value: Floats
    lower: Floats
    upper: Floats

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One family of columns: bounds, whether integer, and the value that a plan implies for each."""

    name: str
    first: int
    lower: Floats
    upper: Floats
    integer: bool
    implied: Callable[[SolutionFacts], Floats | Bools]

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, slots=True, eq=False)
class Fillings:
    """What fits into buildings, by kinds of points (:mod:`estate.model.kinds`), in order of site.

    Shapes: n fillings, C kinds, S points, J sites.
    """

    of: Ints
    """(S,) the kind of each point."""
    service: Ints
    """(C,) the service of each kind."""
    taken_as: Ints
    """(J, C) the kind that each counts as at a site: itself, or a smaller one of its service."""
    site: Ints
    """(n,)"""
    count: Ints
    """(n, C) how many of each kind fit."""
    listed: Bools
    """(J,) sites that have fillings."""
    exact: Bools
    """(J,) those whose area is said by fillings alone: every kind counts as itself."""

    def chosen(self, plan: SolutionFacts) -> Bools:
        """(n,) the first filling of each site that has room for what a plan has there."""
        there = np.zeros((len(self.listed), len(self.service)), dtype=np.int64)
        np.add.at(there, (plan.solution.host, self.taken_as[plan.solution.host, self.of]), 1)
        fits = np.flatnonzero((self.count >= there[self.site]).all(axis=1) & (there.sum(axis=1) > 0)[self.site])
        first = np.zeros(len(self.site), dtype=bool)
        first[fits[np.unique(self.site[fits], return_index=True)[1]]] = True
        return first


@dataclass(frozen=True, slots=True, eq=False)
class SolutionFacts:
    """A solution and what follows from it, for :attr:`Block.implied`."""

    solution: Solution
    pair: Bools
    """(P,) the pairs chosen."""
    hosted: Bools
    """(K, J) services with a point hosted at the site."""
    there: Bools
    """(K, J) services offered, inherent ones included."""


@dataclass(slots=True, eq=False)
class Formulation:
    """Columns and rows of one problem under one objective (always minimised), ready for a solver or for PuLP.

    ``objective`` is in whole units of ``unit`` pence (or people, or person-metres): the largest that divides every
    coefficient, so that a plan's value is a whole number of units and a bound within one unit of it is a proof.
    ``sign`` is -1 where the measure is maximised; the measure is ``sign x unit x objective + constant``.
    """

    problem: Problem
    blocks: list[Block] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    objective: Floats = field(default_factory=lambda: np.zeros(0))
    unit: int = 1
    sign: int = 1
    constant: int = 0
    uses_near: bool = False
    """Whether any row or the objective is about distance: if not, near rows ask for no offer columns."""
    offer: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(Q,) the column that stands for each offer, or -1 where it can never be."""
    present: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(Q,) the column for "some point of the service is hosted here", or -1."""
    offer_at: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    """(K, J) the same columns by service and site."""
    fillings: Fillings | None = None
    """What fits into buildings by kinds of points, where their area is said so (:mod:`estate.model.kinds`)."""

    @property
    def n_columns(self) -> int:
        """Columns so far."""
        return self.blocks[-1].first + len(self.blocks[-1]) if self.blocks else 0

    def add_columns(
        self,
        name: str,
        upper: Floats,
        implied: Callable[[SolutionFacts], Floats | Bools],
        *,
        lower: Floats | None = None,
        integer: bool = False,
    ) -> Ints:
        """Append a block with bounds ``lower`` (0 unless given) to ``upper``; its column numbers."""
        first = self.n_columns
        low = np.zeros(len(upper)) if lower is None else lower
        self.blocks.append(Block(name, first, low, upper, integer, implied))
        return np.arange(first, first + len(upper), dtype=np.int64)

    def add_rows(
        self,
        family: str,
        row: Ints,
        column: Ints,
        value: Floats | Ints | float,
        *,
        n: int,
        lower: Floats | float = -math.inf,
        upper: Floats | float = math.inf,
    ) -> None:
        """Append ``n`` rows given as (row, column, value) triples; repeats are added up, column -1 is dropped."""
        keep = column >= 0
        weight = np.broadcast_to(np.asarray(value, dtype=np.float64), row.shape)[keep]
        row, column = row[keep], column[keep]
        order = np.lexsort((column, row))
        row, column, weight = row[order], column[order], weight[order]
        fresh = np.ones(len(row), dtype=bool)
        fresh[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        at = np.flatnonzero(fresh)
        weight = np.add.reduceat(weight, at) if len(at) else weight
        start = np.searchsorted(row[at], np.arange(n + 1))
        bounds = (np.broadcast_to(np.asarray(side, dtype=np.float64), (n,)) for side in (lower, upper))
        if n:
            self.rows.append(Rows(family, start, column[at], weight, *bounds))

    def by_filling(self) -> Bools:
        """(J,) sites whose links between points and building are in fillings."""
        return np.zeros(self.problem.n_sites, dtype=bool) if self.fillings is None else self.fillings.listed

    def values(self, solution: Solution) -> Floats:
        """The value of every column in a plan: the solver's start."""
        problem = self.problem
        hosted = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
        hosted[problem.point_service, solution.host] = True
        pair = solution.host[problem.pair_point] == problem.pair_site
        plan = SolutionFacts(solution, pair, hosted, offered(problem, solution))
        return np.concatenate([block.implied(plan).astype(np.float64) for block in self.blocks])

    def solution(self, values: Floats) -> Solution:
        """The plan nearest to column values: each point where its largest ``host`` is, each site as ``open`` rounds."""
        problem = self.problem
        J, P = problem.n_sites, problem.n_pairs
        order = np.lexsort((problem.pair_site, -values[J : J + P], problem.pair_point))
        first = np.searchsorted(problem.pair_point[order], np.arange(problem.n_points))
        return Solution(open=values[:J] > 0.5, host=problem.pair_site[order][first])

    def to_measure(self, value: float) -> float:
        """An objective value in the measure's own units (pence, people, person-metres)."""
        return self.sign * self.unit * value + self.constant


def to_pulp(f: Formulation) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """The same programme in PuLP, with its variables in column order; names are family and number.

    ``from_list`` is four times as fast as sums of products.  A row with two finite, different sides becomes two rows.
    """
    lp = pulp.LpProblem("estate", pulp.LpMinimize)
    x: list[pulp.LpVariable] = []
    for block in f.blocks:
        kind: Literal["Integer", "Continuous"] = "Integer" if block.integer else "Continuous"
        for i, (low, high) in enumerate(zip(block.lower.tolist(), block.upper.tolist(), strict=True)):
            x.append(lp.add_variable(f"{block.name}_{i}", low, high, kind))
    expression = pulp.LpAffineExpression.from_list
    active = np.flatnonzero(f.objective)
    lp.setObjective(expression(list(zip([x[c] for c in active], f.objective[active].tolist(), strict=True))))
    for rows in f.rows:
        terms = list(zip([x[c] for c in rows.column.tolist()], rows.value.tolist(), strict=True))
        start, lower, upper = rows.start.tolist(), rows.lower.tolist(), rows.upper.tolist()
        for r in range(len(rows)):
            body = expression(terms[start[r] : start[r + 1]])
            name = f"{rows.family}_{r}"
            if lower[r] == upper[r]:
                lp.addConstraint(body == lower[r], name)
                continue
            if lower[r] > -math.inf:
                lp.addConstraint(body >= lower[r], name)
            if upper[r] < math.inf:
                lp.addConstraint(body <= upper[r], name if lower[r] == -math.inf else f"{name}_upper")
    return lp, x
