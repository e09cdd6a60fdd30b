"""A :class:`~estate.problem.Problem` as the sparse arrays that HiGHS takes, without a modelling layer between.

:mod:`estate.model` writes the same mathematics in PuLP, one named row at a time, for people to read and for any solver to
solve.  This module is for the inside of a search, where hundreds of small problems are built and thrown away: a county takes
4-7 ms here.  The tests hold the two to the same optimum on random instances.

The formulation is the strong one (Aardal 1998 and Holmberg et al. 1999 discuss the single-source capacitated case):

* *coverage once for each service and site* - the cover rows count ``offer_kj``, not the points behind it.  On a generated
  county this lifts the linear bound from 13% below the optimum to 6%;
* ``offer`` columns that have one candidate point are that point's ``host`` column, and inherent ones are the ``open``
  column, so nothing is added where nothing can be gained;
* *halls and desks by increments* - the distinct hall sizes ``c_1 < c_2 < ...`` among a site's candidates become
  ``hall_j = c_1 open_j + sum_t (c_t - c_{t-1}) level_t`` with ``level_t >= host_s`` wherever ``hall_s >= c_t``.  The usual
  ``hall_j >= hall_s host_sj`` has the same integer points and a weaker relaxation, because a half-hosted point then pays for
  half a hall; here a point that is half hosted in a building that is wholly open pays for the whole first increment.

The first increment rests on ``open_j`` although an open building that hosts nobody needs no hall: harmless, because a pair is
only kept if its point fits alone, so ``c_1`` fits in every building that has a candidate.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, Floats, Goal, Ints, Problem, Solution, offer_columns

MONEY = 1e-5
"""Solver's unit of money in pence: GBP 1,000, so that costs are near 1 and the solver's tolerances mean what they say."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each family of columns starts, and which column stands for each offer."""

    offers: Ints
    """(Q, 2) service and site, as :func:`estate.problem.offer_columns`."""
    offer: Ints
    """(Q,) the column that stands for it: its own, its only candidate's, or its site's."""
    host: int
    covered: tuple[int, ...]
    """First column of each share rule's items."""
    near: int
    total: int


@dataclass(frozen=True, slots=True)
class Arrays:
    """Minimise ``cost x + offset`` with ``row_lower <= A x <= row_upper``, ``lower <= x <= upper`` (``A`` by rows)."""

    cost: Floats
    offset: float
    lower: Floats
    upper: Floats
    integer: Bools
    row_lower: Floats
    row_upper: Floats
    start: Ints
    index: Ints
    value: Floats
    unit: float
    """One unit of the problem's own objective in the solver's."""


@dataclass(slots=True)
class _Rows:
    """Rows gathered in blocks: each block has its own row numbers from 0."""

    row: list[Ints] = field(default_factory=list)
    column: list[Ints] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    n: int = 0
    whole: list[Ints] = field(default_factory=list)
    """Further integer columns."""

    def add(
        self, n: int, entries: list[tuple[Ints, Ints, Floats | float]], lower: Floats | float, upper: Floats | float
    ) -> None:
        """Add ``n`` rows from entries of (row, column, value)."""
        if not n:
            return
        for row, column, value in entries:
            self.row.append(np.asarray(row, dtype=np.int64) + self.n)
            self.column.append(np.asarray(column, dtype=np.int64))
            self.value.append(np.broadcast_to(np.asarray(value, dtype=float), (len(row),)))
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=float), (n,)))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=float), (n,)))
        self.n += n


def build(problem: Problem) -> tuple[Arrays, Columns]:
    """The problem's mixed-integer programme and the meaning of its columns."""
    J, P = problem.n_sites, problem.n_pairs
    service = problem.point_service[problem.pair_point]
    offers = offer_columns(problem)
    key = offers[:, 1] * problem.n_services + offers[:, 0]
    pair_offer = np.searchsorted(key, problem.pair_site * problem.n_services + service)
    hosted = np.bincount(pair_offer, minlength=len(offers))
    inherent = np.zeros(len(offers), dtype=bool)
    inherent[np.searchsorted(key, problem.inherent[:, 1] * problem.n_services + problem.inherent[:, 0])] = True
    only = np.zeros(len(offers), dtype=np.int64)
    only[pair_offer] = np.arange(P)

    own = (hosted > 1) & ~inherent
    n = J + P
    offer = np.where(inherent, offers[:, 1], J + only)
    offer[own] = n + np.arange(int(own.sum()))
    n += int(own.sum())
    pairs = J + np.arange(P)
    rows = _Rows()

    S = problem.n_points
    rows.add(S, [(problem.pair_point, pairs, 1.0)], 1.0, 1.0)
    linked = own[pair_offer]
    m = int(linked.sum())
    rows.add(m, [(np.arange(m), pairs[linked], 1.0), (np.arange(m), offer[pair_offer[linked]], -1.0)], -np.inf, 0.0)
    bare = np.flatnonzero(~linked)
    rows.add(
        len(bare),
        [(np.arange(len(bare)), pairs[bare], 1.0), (np.arange(len(bare)), problem.pair_site[bare], -1.0)],
        -np.inf,
        0.0,
    )
    q = np.flatnonzero(own)
    at = np.arange(len(q))
    rows.add(len(q), [(at, offer[q], 1.0), (at, offers[q, 1], -1.0)], -np.inf, 0.0)
    place = np.full(len(offers), -1)
    place[q] = at
    rows.add(len(q), [(at, offer[q], 1.0), (place[pair_offer[linked]], pairs[linked], -1.0)], -np.inf, 0.0)

    n = _areas(problem, rows, n, offer, pair_offer, inherent)
    _cover(problem, rows, offer, key)
    n, covered = _shares(problem, rows, n, offer, key)
    for triples, lower, sign in ((problem.conflict, -np.inf, 1.0), (problem.together, 0.0, -1.0)):
        t = np.arange(len(triples))
        a, b = (_offer_of(problem, offer, key, triples[:, c], triples[:, 2]) for c in (0, 1))
        keep = [(t[c >= 0], c[c >= 0], v) for c, v in ((a, 1.0), (b, sign))]
        rows.add(len(triples), list(keep), lower, 1.0 if sign > 0 else 0.0)
    n = _side(problem, rows, n, offers, offer, pair_offer, hosted, inherent)
    first_near = n
    n = _near(problem, rows, n, offer, key)
    columns = Columns(offers, offer, J, covered, first_near, n)
    return _finish(problem, rows, columns), columns


def _offer_of(problem: Problem, offer: Ints, key: Ints, service: Ints, site: Ints) -> Ints:
    """The column that stands for each (service, site), -1 where it cannot be offered."""
    wanted = site * problem.n_services + service
    if not len(key):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, offer[at], -1)


def _areas(problem: Problem, rows: _Rows, n: int, offer: Ints, pair_offer: Ints, inherent: Bools) -> int:
    """Floor area, shared parts once, and what a building that is over capacity today may keep."""
    J, P = problem.n_sites, problem.n_pairs
    point, site = problem.pair_point, problem.pair_site
    pairs = J + np.arange(P)
    entries: list[tuple[Ints, Ints, Floats | float]] = [(site, pairs, problem.point_own[point].astype(float))]
    fits = fits_alone(problem)
    for size, group, base in (
        (problem.point_hall[point], site, np.arange(J)),
        (problem.point_desk[point], pair_offer, np.where(inherent, -1, offer)),
    ):
        n = _levels(rows, entries, n, size[fits], (group[fits], site[fits], base), pairs[fits])
    slack = problem.site_slack
    entries.append((np.arange(J), np.arange(J), -(problem.site_capacity + slack).astype(float)))
    over = np.flatnonzero(slack > 0)
    gain = np.full(J, -1)
    gain[over] = n + np.arange(len(over))
    entries.append((over, gain[over], slack[over].astype(float)))
    guest = np.flatnonzero((gain[site] >= 0) & (problem.point_home[point] != site))
    at = np.arange(len(guest))
    rows.add(len(guest), [(at, pairs[guest], 1.0), (at, gain[site[guest]], -1.0)], -np.inf, 0.0)
    rows.add(J, entries, -np.inf, 0.0)
    return n + len(over)


def fits_alone(problem: Problem) -> Bools:
    """(P,) whether the pair's point fits in its site with nobody else there."""
    point, site = problem.pair_point, problem.pair_site
    area = problem.point_own[point] + problem.point_hall[point] + problem.point_desk[point]
    room = problem.site_capacity[site] + np.where(problem.point_home[point] == site, problem.site_slack[site], 0)
    fits: Bools = area <= room
    return fits


def _levels(
    rows: _Rows,
    entries: list[tuple[Ints, Ints, Floats | float]],
    n: int,
    size: Ints,
    where: tuple[Ints, Ints, Ints],
    pairs: Ints,
) -> int:
    """The increments of one shared part; ``where`` is each pair's group and site, and each group's base column or -1."""
    group, site, base = where
    order = np.lexsort((size, group))
    g, c = group[order], size[order]
    new_group = np.r_[True, g[1:] != g[:-1]] if len(g) else np.zeros(0, dtype=bool)
    step = new_group | np.r_[True, c[1:] != c[:-1]] if len(g) else new_group
    first = np.flatnonzero(step)
    before = np.where(new_group[first], 0, c[first - 1])
    grows = c[first] - before > 0
    based = new_group[first] & (base[g[first]] >= 0)
    column = np.where(based, base[g[first]], -1)
    fresh = grows & ~based
    column[fresh] = n + np.arange(int(fresh.sum()))
    use = grows
    entries.append((site[order][first[use]], column[use], (c[first] - before)[use].astype(float)))
    # A pair is under every increment of its group up to its own size.
    last = np.searchsorted(first, np.arange(len(order)), side="right") - 1
    opening = np.searchsorted(first, np.flatnonzero(new_group)[np.cumsum(new_group) - 1])
    count = last - opening + 1
    owner = np.repeat(np.arange(len(order)), count)
    level = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(opening, count)
    keep = fresh[level]
    owner, level = owner[keep], level[keep]
    at = np.arange(len(owner))
    rows.add(len(owner), [(at, pairs[order][owner], 1.0), (at, column[level], -1.0)], -np.inf, 0.0)
    return n + int(fresh.sum())


def _cover(problem: Problem, rows: _Rows, offer: Ints, key: Ints) -> None:
    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    column = _offer_of(problem, offer, key, cover.service[row], cover.site)
    there = column >= 0
    excused = np.flatnonzero(cover.excuse >= 0)
    entries: list[tuple[Ints, Ints, Floats | float]] = [(row[there], column[there], 1.0)]
    entries.append((excused, problem.n_sites + cover.excuse[excused], 1.0))
    rows.add(len(cover), entries, cover.need.astype(float), np.inf)


def _shares(problem: Problem, rows: _Rows, n: int, offer: Ints, key: Ints) -> tuple[int, tuple[int, ...]]:
    firsts = []
    for rule in problem.shares:
        items = len(rule.weight)
        item = np.repeat(np.arange(items), np.diff(rule.start))
        column = _offer_of(problem, offer, key, np.full(len(item), rule.service), rule.site)
        there = column >= 0
        covered = n + np.arange(items)
        rows.add(items, [(item[there], column[there], 1.0), (np.arange(items), covered, -1.0)], 0.0, np.inf)
        rows.add(1, [(np.zeros(items, dtype=np.int64), covered, rule.weight.astype(float))], float(rule.required), np.inf)
        firsts.append(n)
        n += items
    return n, tuple(firsts)


def _side(
    problem: Problem, rows: _Rows, n: int, offers: Ints, offer: Ints, pair_offer: Ints, hosted: Ints, inherent: Bools
) -> int:
    """Side rows; ``hub`` columns (and what they rest on) only where a row asks for them."""
    J, P, Q = problem.n_sites, problem.n_pairs, len(offers)
    side = problem.side
    if not len(side):
        return n
    meaning = np.concatenate([np.arange(J + P), offer, np.full(J, -1)])
    wanted = np.unique(side.column[side.column >= J + P + Q]) - (J + P + Q)
    hub = n + np.arange(len(wanted))
    meaning[J + P + Q + wanted] = hub
    rows.whole.append(hub)
    n += len(wanted)
    at_site = np.full(J, -1)
    at_site[wanted] = np.arange(len(wanted))
    # Presence of a hosted service: the offer's column, or its own where the offer is inherent as well as hosted.
    present = offer.copy()
    both = np.flatnonzero((at_site[offers[:, 1]] >= 0) & inherent & (hosted > 0))
    present[both] = n + np.arange(len(both))
    n += len(both)
    place = np.full(Q, -1)
    place[both] = np.arange(len(both))
    under = np.flatnonzero(place[pair_offer] >= 0)
    at = np.arange(len(under))
    rows.add(len(under), [(at, J + under, 1.0), (at, present[pair_offer[under]], -1.0)], -np.inf, 0.0)
    m = np.arange(len(both))
    rows.add(len(both), [(m, present[both], 1.0), (place[pair_offer[under]], J + under, -1.0)], -np.inf, 0.0)
    q = np.flatnonzero((at_site[offers[:, 1]] >= 0) & (hosted > 0))
    row = at_site[offers[q, 1]]
    w = np.arange(len(wanted))
    kind = problem.kinds[offers[q, 0]]
    for one in range(problem.n_services):  # of kind ``one`` alone is no hub; of it and another is
        mine, other = kind == one, (kind >= 0) & (kind != one)
        rows.add(len(wanted), [(w, hub, 1.0), (row[other], present[q[other]], -1.0)], -np.inf, 0.0)
        for a in np.flatnonzero(mine).tolist():
            b = np.flatnonzero(other & (row == row[a]))
            n_b, at_b = len(b), np.arange(len(b))
            column = [np.full(n_b, present[q[a]]), present[q[b]], np.full(n_b, hub[row[a]])]
            rows.add(n_b, [(at_b, c, v) for c, v in zip(column, (1.0, 1.0, -1.0), strict=True)], -np.inf, 1.0)
    line = np.repeat(np.arange(len(side)), np.diff(side.start))
    rows.add(len(side), [(line, meaning[side.column], side.value)], side.lower, side.upper)
    return n


def _near(problem: Problem, rows: _Rows, n: int, offer: Ints, key: Ints) -> int:
    """Each near row goes to one of its sites that offers the service (only for the goals on distance)."""
    if problem.goal not in (Goal.TRAVEL, Goal.FARTHEST):
        return n
    near = problem.near
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    column = _offer_of(problem, offer, key, near.service[row], near.site)
    entry = np.arange(len(row))
    goes = n + entry
    there = column >= 0
    rows.add(len(near), [(row, goes, 1.0)], 1.0, 1.0)
    rows.add(len(row), [(entry, goes, 1.0), (entry[there], column[there], -1.0)], -np.inf, 0.0)
    n += len(row)
    if problem.goal is Goal.FARTHEST:
        far = np.full(len(near), n)
        rows.add(len(near), [(row, goes, near.distance.astype(float)), (np.arange(len(near)), far, -1.0)], -np.inf, 0.0)
        n += 1
    return n


def _finish(problem: Problem, rows: _Rows, columns: Columns) -> Arrays:
    """Costs, bounds and the matrix by rows."""
    J, P, n = problem.n_sites, problem.n_pairs, columns.total
    cost, upper = np.zeros(n), np.ones(n)
    lower = np.zeros(n)
    lower[:J] = problem.must_open
    upper[:J] = np.where(problem.must_close, 0.0, 1.0)
    integer = np.zeros(n, dtype=bool)
    integer[: J + P] = True
    integer[columns.offer] = True
    for whole in rows.whole:
        integer[whole] = True
    upper[J : J + P] = np.where(fits_alone(problem), 1.0, 0.0)
    unit = 1.0
    if problem.goal is Goal.COST:
        unit = MONEY
        cost[:J], cost[J : J + P] = problem.site_cost * unit, problem.pair_cost * unit
    elif problem.goal is Goal.COVERED:
        for first, rule in zip(columns.covered, problem.shares, strict=True):
            cost[first : first + len(rule.weight)] = -rule.weight
    elif problem.goal is Goal.TRAVEL:
        row = np.repeat(np.arange(len(problem.near)), np.diff(problem.near.start))
        cost[columns.near :] = problem.near.weight[row] * problem.near.distance
    else:
        cost[n - 1] = 1.0
        upper[n - 1] = np.inf
    empty = np.zeros(0)
    matrix = csr_array(
        (
            np.concatenate([*rows.value, empty]),
            (np.concatenate([*rows.row, empty]).astype(np.int64), np.concatenate([*rows.column, empty]).astype(np.int64)),
        ),
        shape=(rows.n, n),
    )
    matrix.sum_duplicates()
    return Arrays(
        cost=cost,
        offset=0.0,
        lower=lower,
        upper=upper,
        integer=integer,
        row_lower=np.concatenate([*rows.lower, empty]),
        row_upper=np.concatenate([*rows.upper, empty]),
        start=matrix.indptr.astype(np.int64),
        index=matrix.indices.astype(np.int64),
        value=matrix.data,
        unit=unit,
    )


def read(problem: Problem, columns: Columns, x: Floats) -> Solution:
    """The decision in a solver's point: open sites, and each point's building."""
    J, P = problem.n_sites, problem.n_pairs
    host = np.full(problem.n_points, -1, dtype=np.int64)
    chosen = x[columns.host : columns.host + P] > 0.5
    host[problem.pair_point[chosen]] = problem.pair_site[chosen]
    return Solution(open=x[:J] > 0.5, host=host)
