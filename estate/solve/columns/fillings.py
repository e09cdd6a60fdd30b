"""The linear programme over counts by kind, as tight as the one over sets of points, and branch and bound on it.

With fillings in place of areas (:mod:`estate.model.kinds`), what one building can hold is, for one filling, so many points of
each kind and each point once: a uniform matroid for each kind.  Fillings in part add these up, and sums of matroids' polytopes
have the sums of their ranks (Edmonds 1970).  So the hull of what a building can hold is said by::

    sum_{s in T} host_sj <= sum_n min(|T|, count_nc) filling_jn          for all sets T of points of a kind c

of which the worst broken is found by sorting: the ``t`` points that are most there, for each ``t``.  A dozen rounds of a few
dozen such rows give the bound that column generation over sets of points gives (:mod:`estate.solve.columns.boxstep`): for a
conurbation of 506 buildings the same 22,588,833 in 0.9 s of CPU instead of 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from estate.errors import SolverError
from estate.model import Formulation
from estate.model.arrays import Arrays, arrays
from estate.problem import Floats, Ints, Solution, cost, violations
from estate.solve import highs
from estate.solve.watch import NEVER, Clock

ROUNDS = 40
"""Rounds of cuts: 12 to 16 were needed where reach is 5 to 30 miles."""
BROKEN = 1e-4
"""By how much a row must be broken to be added."""
FEW = 0.1
"""Area rows, beside fillings, up to which the bound is near enough to that over sets."""
DIRECT = 150
"""Buildings up to which HiGHS has all columns from the start."""
WIDER = (0.02, 0.1, 0.5)
"""Mean buildings up to which a column's reduced cost may be in the programmes before: Greater Manchester (reach 5 miles) has
27,051,000 after 5 s of CPU with the first of them, 27,010,000 and 26,996,000 with the others; West Midlands nothing, 22,779,000
with the second."""
LOOKS = 30
"""How often HiGHS may look up in each of those: 4 to 12 s of CPU there."""
USED = 1e-9
"""What the linear programme uses less of counts as not used."""
NEAR = 0.02
"""Gap up to which the plan in hand is a start: from one 37% above the bound HiGHS's heuristics go astray."""
ABSOLUTE: highs.Options = {"mip_abs_gap": 0.5}
"""Plans differ by whole units."""

type Told = Callable[[Solution | None, float], object]


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """The linear programme at its end, in the arrays' own units."""

    arrays: Arrays
    """With the cuts."""
    x: Floats
    reduced: Floats
    bound: float
    """Minus infinity where it was not solved."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """Where the cuts of a programme can be.  Shapes: P pairs, G groups (of one site and kind), n fillings."""

    pair: Ints
    """Host columns, group by group."""
    start: Ints
    """(G + 1,) first of each group in ``pair``."""
    size: Ints
    """(G,) the largest number of ``t``."""
    filling: Ints
    """Entries: a filling's column for each group in which it has room."""
    room: Ints
    of: Ints
    """(G + 1,) first entry of each group."""
    tail: csr_array
    """(sum of sizes, columns) row ``t`` of a group adds up the fillings with room for ``t`` or more."""

    def broken(self, x: Floats) -> list[tuple[Ints, Floats]]:
        """The worst broken row of each group as columns and values (at most 0)."""
        G = len(self.size)
        group = np.repeat(np.arange(G), np.diff(self.start))
        order = np.lexsort((self.pair, -x[self.pair], group))
        pair, there = self.pair[order], x[self.pair[order]]
        rank = np.arange(len(pair)) - self.start[group]
        inside = rank < self.size[group]
        row = np.concatenate([[0], np.cumsum(self.size)])
        over = there[inside] - self.tail @ x
        of = group[inside]
        total = np.cumsum(over)
        total -= np.concatenate([[0.0], total])[row[of]]
        worst = np.full(G, BROKEN)
        np.maximum.at(worst, of, total)
        hit = np.flatnonzero((total == worst[of]) & (total > BROKEN))
        hit = hit[np.unique(of[hit], return_index=True)[1]]
        found = []
        for g, t in zip(of[hit].tolist(), (hit - row[of[hit]] + 1).tolist(), strict=True):
            entry = slice(self.of[g], self.of[g + 1])
            column = np.concatenate([pair[self.start[g] : self.start[g] + t], self.filling[entry]])
            value = np.concatenate([np.ones(t), -np.minimum(self.room[entry], t)])
            found.append((column, value))
        return found


def root(f: Formulation, *, clock: Clock = NEVER) -> Root:
    """The linear programme of a formulation by kinds without links, cut until no row is missing."""
    a = arrays(f)
    cuts = _cuts(f)
    h = highs.linear()
    h.passModel(highs.lp(replace(a, integer=np.zeros(len(a.cost), dtype=bool))))
    h.HandleKeyboardInterrupt = False
    if clock is not NEVER:
        h.cbSimplexInterrupt += lambda event: event.interrupt() if clock.over() is not None else None
    added: list[tuple[Ints, Floats]] = []
    x, reduced, bound = np.zeros(len(a.cost)), np.zeros(len(a.cost)), -np.inf
    for _ in range(ROUNDS):
        if clock.over() is not None or not highs.solved(h):
            break
        found = h.getSolution()
        x, reduced, bound = (
            np.array(found.col_value),
            np.array(found.col_dual),
            highs.safe(h.getInfo().objective_function_value),
        )
        broken = cuts.broken(x)
        if not broken:
            break
        added += broken
        for column, value in broken:
            h.addRow(-highs.INF, 0.0, len(column), column.astype(np.int32), value)
    return Root(_with(a, added), x, reduced, bound)


def _cuts(f: Formulation) -> _Cuts:
    """Where a formulation's cuts can be: groups of candidates of one kind at a site that lists its fillings."""
    found = f.fillings
    if found is None:
        raise ValueError("the formulation is not by kinds")
    problem, J, C = f.problem, f.problem.n_sites, len(found.service)
    first = next(block.first for block in f.blocks if block.name == "filling") if len(found.site) else 0
    pair = np.flatnonzero((f.blocks[1].upper > 0) & found.listed[problem.pair_site])
    site, point = problem.pair_site[pair], problem.pair_point[pair]
    key = site * C + found.taken_as[site, found.of[point]]
    order = np.argsort(key, kind="stable")
    group, start, members = np.unique(key[order], return_index=True, return_counts=True)
    which, c = np.nonzero(found.count)
    entry = np.searchsorted(group, found.site[which] * C + c)
    by_group = np.argsort(entry, kind="stable")
    which, entry, room = which[by_group], entry[by_group], found.count[which, c][by_group]
    of = np.searchsorted(entry, np.arange(len(group) + 1))
    most = np.zeros(len(group), dtype=np.int64)
    np.maximum.at(most, entry, room)
    size = np.minimum(most, members)
    row = np.concatenate([[0], np.cumsum(size)])
    each = np.repeat(np.arange(len(entry)), np.minimum(room, size[entry]))
    t = np.arange(len(each)) - np.searchsorted(each, np.arange(len(entry)))[each]
    tail = csr_array((np.ones(len(each)), (row[entry[each]] + t, first + which[each])), shape=(int(row[-1]), f.n_columns))
    return _Cuts(J + pair[order], np.append(start, len(pair)), size, first + which, room, of, tail)


def _with(a: Arrays, rows: list[tuple[Ints, Floats]]) -> Arrays:
    """Arrays with further rows of at most 0."""
    if not rows:
        return a
    more = np.cumsum([len(column) for column, _ in rows])
    return replace(
        a,
        row_lower=np.concatenate([a.row_lower, np.full(len(rows), -np.inf)]),
        row_upper=np.concatenate([a.row_upper, np.zeros(len(rows))]),
        start=np.concatenate([a.start, a.start[-1] + more]),
        index=np.concatenate([a.index, *(column for column, _ in rows)]),
        value=np.concatenate([a.value, *(value for _, value in rows)]),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan better than the one given, if one was found, a bound in pence, and whether that is the end."""

    plan: Solution | None
    bound: float
    complete: bool


def suits(f: Formulation) -> bool:
    """Whether nearly all buildings that can be too full say so by fillings."""
    rows = {each.family: len(each) for each in f.rows}
    return f.fillings is not None and rows.get("area", 0) - int(
        (f.fillings.listed & ~f.fillings.exact).sum()
    ) <= FEW * rows.get("filling_open", 0)


def search(
    f: Formulation,
    plan: Solution,
    *,
    gap: float = 0.0,
    clock: Clock = NEVER,
    looks: int | None = None,
    told: Told = lambda _plan, _bound: None,
) -> Found:
    """The best plan of a formulation by kinds (without links) from a plan on: cuts, then HiGHS on ever more columns.

    ``looks`` limits the work of the last of these, on all columns, as in :func:`estate.solve.highs.run`; ``told`` hears of every
    better plan and bound.
    """
    problem = f.problem
    at = root(f, clock=clock)
    best = _Best(f, plan, float(cost(problem, plan)), told)
    best.take(None, at.bound)
    if problem.n_sites > DIRECT:
        for wider in WIDER:
            if clock.over() is None:
                highs.run(_narrowed(f, at, best, wider), gap=gap, clock=clock, looks=LOOKS, start=best.near(),
                          saw=lambda x, _bound: best.take(x, -np.inf), options=ABSOLUTE)  # fmt: skip
    if clock.over() is not None:
        return Found(best.better(), best.bound, complete=False)
    a = _fixed(f, at, best)
    run = highs.run(a, gap=gap, clock=clock, looks=looks, start=f.values(best.plan), saw=best.take, options=ABSOLUTE)
    if run.ended == "infeasible":
        raise SolverError("HiGHS says that there is no plan, and it was given one")
    best.take(run.x, run.bound)
    if run.ended == "proven" and gap == 0.0:
        best.bound = best.value  # within half a unit, and plans differ by whole ones
    return Found(best.better(), best.bound, run.complete)


@dataclass(slots=True)
class _Best:
    """The best plan so far, and the bound; pence."""

    f: Formulation
    plan: Solution
    value: float
    told: Told
    bound: float = -np.inf
    improved: bool = False

    def take(self, x: Floats | None, bound: float) -> None:
        """Take a plan if it is better and keeps every rule, a bound (in units) if it is higher; what is left out is dearer."""
        found = None if x is None else self.f.solution(x)
        if found is not None and cost(self.f.problem, found) < self.value and not violations(self.f.problem, found):
            self.plan, self.value, self.improved = found, float(cost(self.f.problem, found)), True
        else:
            found = None
        raised = min(self.f.unit * bound + self.f.constant, self.value)
        if found is not None or raised > self.bound:
            self.bound = max(self.bound, raised)
            self.told(found, self.bound)

    def near(self) -> Floats | None:
        """The plan as a start, where it is near enough to the bound to be worth it."""
        return self.f.values(self.plan) if self.value - self.bound <= NEAR * abs(self.bound) else None

    def better(self) -> Solution | None:
        """The best plan, where it is better than the one at first."""
        return self.plan if self.improved else None


def _narrowed(f: Formulation, at: Root, best: _Best, wider: float) -> Arrays:
    """The programme with what the linear one uses, and what is nearly as good: reduced costs up to so many mean buildings.

    Buildings that are wholly open there stay so.
    """
    a, J = at.arrays, f.problem.n_sites
    now = f.values(best.plan) > 0.5
    lower, upper = a.lower.copy(), a.upper.copy()
    upper[a.integer & ~now & (at.x < USED) & (at.reduced > wider * np.abs(a.cost[:J]).mean())] = 0.0
    lower[:J][now[:J] & (at.x[:J] > 1.0 - USED)] = 1.0
    return replace(a, lower=lower, upper=upper)


def _fixed(f: Formulation, at: Root, best: _Best) -> Arrays:
    """The programme less what no better plan has, by reduced costs; the plan in hand stays in it."""
    a = at.arrays
    value = (best.value - f.constant) / f.unit
    room = value - 1.0 - at.bound + 0.01 + highs.MARGIN * 10 * abs(value)
    now = f.values(best.plan) > 0.5
    lower, upper = a.lower.copy(), a.upper.copy()
    upper[a.integer & ~now & (at.x < USED) & (at.reduced > room)] = 0.0
    lower[a.integer & now & (at.x > 1.0 - USED) & (at.reduced < -room)] = 1.0
    return replace(a, lower=lower, upper=upper)
