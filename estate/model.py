"""The mixed-integer programme of a :class:`~estate.problem.Problem`, row family by row family, and its PuLP form.

The problem is single-source capacitated facility location with shared space, joined to set covering.  Each function
below adds one family of columns and rows; its docstring is the formula.  Notation as in :mod:`estate.problem`:
sites ``j``, points ``s`` of service ``k``, host pairs ``p = (s, j)``.  All columns are bounded.

What makes the relaxation strong, and what is left out because it adds nothing:

* **Coverage counts a service once per site.**  Rows add up ``offer_kj``, never ``host_sj``: two libraries in one
  building serve a zone once.  Where a service has one candidate at a site, ``offer`` *is* that ``host`` column; where
  the site gives the service by itself (*inherent*), ``offer`` is ``open``.
* ``host_sj <= open_j`` for every pair (Holmberg, Ronnqvist and Yuan 1999 for the strong single-source form); the
  links are implied for integers by floor area, but not for fractions.  None where ``open_j`` is fixed to 1.
* ``offer_kj >= host_sj`` only where something could gain from an offer denied (conflicts, pairs that go together,
  hubs, side rows); ``offer_kj <= sum host`` only where something gains from an offer claimed.
* No area row where all candidates fit together; a ``hall`` or ``desk`` column only where two candidates could share
  it; a pair too large for its site by itself is fixed to 0.
* Distances use the *radius* form of the p-median problem (Cornuejols, Nemhauser and Wolsey 1980; Elloumi 2010): one
  column ``far_rm`` per row and distinct distance, so equal distances cost one column and the matrix stays sparse.

References
----------
Cornuejols, Nemhauser, Wolsey (1980), A canonical representation of simple plant location problems and its
applications, SIAM J. Alg. Disc. Meth. 1.  Church, ReVelle (1974), The maximal covering location problem, Papers of the
RSA 32.  Elloumi (2010), A tighter formulation of the p-median problem, J. Comb. Optim. 19.  Holmberg, Ronnqvist, Yuan
(1999), An exact algorithm for the capacitated facility location problems with single sourcing, EJOR 113.  Toregas,
Swain, ReVelle, Bergman (1971), The location of emergency service facilities, Oper. Res. 19.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
import pulp

from estate.problem import (
    Bools,
    Floats,
    Goal,
    Ints,
    Problem,
    ShareRule,
    Solution,
    cost,
    covered_weight,
    near_distance,
    offer_columns,
    offered,
)

MOST_ROW_PAIRS = 10_000_000
"""Beyond so many pairs of cover and near rows, looking for what is sure to be served costs more than it saves."""


class Measure(StrEnum):
    """A whole number that a plan is judged by; less is better for all but ``COVERED``."""

    COST = "cost"
    """Pence a year."""
    ONE_OFF = "one_off"
    """Net one-off pence: of the sites not open, and of the points hosted away from home."""
    COVERED = "covered"
    """People (weight) within reach, over the items of ``shares``."""
    TRAVEL = "travel"
    """Person-metres from home to the nearest offer, over ``near``."""


def measure(problem: Problem, solution: Solution, what: Measure) -> int:
    """The exact value of a plan, in the units of ``what``, by integer arithmetic on the arrays."""
    if what is Measure.COST:
        return cost(problem, solution)
    if what is Measure.ONE_OFF:
        site, pair = one_off(problem)
        chosen = solution.host[problem.pair_point] == problem.pair_site
        return int(site[~solution.open].sum() + pair[chosen].sum())
    there = offered(problem, solution)
    if what is Measure.COVERED:
        return sum(covered_weight(rule, there) for rule in problem.shares)
    distance = near_distance(problem, there)
    return int((problem.near.weight * np.where(distance < 0, beyond(problem), distance)).sum())


def one_off(problem: Problem) -> tuple[Ints, Ints]:
    """One-off pence by site when it is not open (J,), and by pair when it is chosen (P,): nothing at home."""
    site = np.zeros(problem.n_sites, dtype=np.int64) if problem.site_one_off is None else problem.site_one_off
    pair = np.zeros(problem.n_pairs, dtype=np.int64) if problem.pair_one_off is None else problem.pair_one_off
    return site, np.where(problem.pair_site == problem.point_home[problem.pair_point], 0, pair)


def beyond(problem: Problem) -> int:
    """The distance that a near row counts when none of its sites offers the service: one more than any listed.

    Only comparisons between plans use it; where travel is the goal such a plan is not feasible.
    """
    return int(problem.near.distance.max(initial=0)) + 1


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
    implied: Callable[[Plan], Floats | Bools]

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
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

    @property
    def n_columns(self) -> int:
        """Columns so far."""
        return self.blocks[-1].first + len(self.blocks[-1]) if self.blocks else 0

    def add_columns(
        self,
        name: str,
        upper: Floats,
        implied: Callable[[Plan], Floats | Bools],
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

    def values(self, solution: Solution) -> Floats:
        """The value of every column in a plan: the solver's start."""
        problem = self.problem
        hosted = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
        hosted[problem.point_service, solution.host] = True
        pair = solution.host[problem.pair_point] == problem.pair_site
        plan = Plan(solution, pair, hosted, offered(problem, solution))
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


def formulate(
    problem: Problem,
    what: Measure | None,
    *,
    at_most: Mapping[Measure, int] | None = None,
    within: int | None = None,
    prefer: tuple[Ints, Ints] | None = None,
) -> Formulation:
    """The programme that optimises ``what`` (None: any plan), with limits on other measures.

    ``at_most`` holds each of its measures to a value (at least, for ``COVERED``): the steps of a lexicographic
    optimum.  ``within`` asks that every near row has an offer within that distance (the p-center decision problem).
    ``prefer`` is an objective of its own, weights (J,) on ``open`` and (P,) on ``host``, in place of a measure.
    """
    limits = dict(at_most or {})
    used = {what, *limits}
    f = Formulation(problem, uses_near=Measure.TRAVEL in used or within is not None)
    open_and_host(f)
    offers(f)
    somewhere(f)
    area(f)
    cover(f)
    terms: dict[Measure, Terms] = {}
    covered = share(f, want_all=Measure.COVERED in used)
    terms[Measure.COVERED] = Terms(covered, -np.concatenate([np.zeros(0, dtype=np.int64), *_weights(problem)]))
    services_by_site(f)
    side(f)
    if within is not None:
        radius(f, within)
    if Measure.TRAVEL in used:
        terms[Measure.TRAVEL] = travel(f, must_be_served=problem.goal in {Goal.TRAVEL, Goal.FARTHEST})
    sites, pairs = np.arange(problem.n_sites), problem.n_sites + np.arange(problem.n_pairs)
    both = np.concatenate([sites, pairs])
    terms[Measure.COST] = Terms(both, np.concatenate([problem.site_cost, problem.pair_cost]))
    by_site, by_pair = one_off(problem)
    terms[Measure.ONE_OFF] = Terms(both, np.concatenate([-by_site, by_pair]), int(by_site.sum()))
    for other, value in limits.items():
        limit(f, other, terms[other], value)
    f.objective = np.zeros(f.n_columns)
    chosen = terms[what] if what is not None else None if prefer is None else Terms(both, np.concatenate(prefer))
    if chosen is not None:
        f.unit = max(int(np.gcd.reduce(chosen.weight)), 1) if len(chosen.weight) else 1
        f.sign = -1 if what is Measure.COVERED else 1
        f.constant = chosen.constant
        np.add.at(f.objective, chosen.column, chosen.weight // f.unit)
    return f


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """A linear measure: ``constant + sum weight x column`` in whole units."""

    column: Ints
    weight: Ints
    constant: int = 0


def _weights(problem: Problem) -> list[Ints]:
    return [rule.weight for rule in problem.shares]


def limit(f: Formulation, what: Measure, terms: Terms, value: int) -> None:
    """``measure <= value`` (``covered >= value``), divided by the common unit of its coefficients."""
    room = (-value if what is Measure.COVERED else value) - terms.constant
    unit = max(int(np.gcd.reduce(terms.weight)), 1) if len(terms.weight) else 1
    row = np.zeros(len(terms.column), dtype=np.int64)
    f.add_rows(f"limit_{what}", row, terms.column, terms.weight // unit, n=1, upper=float(room // unit))


def open_and_host(f: Formulation) -> None:
    """``open_j`` and ``host_sj`` binary; 0 where the site must close or the point cannot fit even alone."""
    problem = f.problem
    f.add_columns(
        "open",
        (~problem.must_close).astype(np.float64),
        lambda plan: plan.solution.open,
        lower=problem.must_open.astype(np.float64),
        integer=True,
    )
    s, j = problem.pair_point, problem.pair_site
    alone = (problem.point_own + problem.point_hall + problem.point_desk)[s]
    room = problem.site_capacity[j] + np.where(problem.point_home[s] == j, problem.site_slack[j], 0)
    possible = (alone <= room) & ~problem.must_close[j]
    f.add_columns("host", possible.astype(np.float64), lambda plan: plan.pair, integer=True)


def alive(f: Formulation) -> Bools:
    """(P,) the pairs not fixed to 0."""
    return f.blocks[1].upper > 0


def somewhere(f: Formulation) -> None:
    """``sum_j host_sj = 1`` for every point."""
    problem = f.problem
    column = np.where(alive(f), problem.n_sites + np.arange(problem.n_pairs), -1)
    f.add_rows("somewhere", problem.pair_point, column, 1, n=problem.n_points, lower=1, upper=1)


def offers(f: Formulation) -> None:
    """Which column stands for ``offer_kj``, and the links that tie it to ``host`` and ``open``.

    ``offer_kj <= sum_{s in k} host_sj`` and ``offer_kj <= open_j`` where a cover, share or near row (or any row that
    may gain from it) uses the offer; ``host_sj <= offer_kj`` where a row may gain from its absence;
    ``host_sj <= open_j`` for all other pairs.
    """
    problem = f.problem
    J, P = problem.n_sites, problem.n_pairs
    pairs = offer_columns(problem)
    Q = len(pairs)
    of_pair = offer_index(problem, problem.point_service[problem.pair_point], problem.pair_site)
    live = np.flatnonzero(alive(f))
    count = np.bincount(of_pair[live], minlength=Q)
    only = np.full(Q, -1, dtype=np.int64)
    only[of_pair[live]] = J + live
    claimed, denied = _uses(f, Q)
    inherent = np.zeros(Q, dtype=bool)
    inherent[offer_index(problem, problem.inherent[:, 0], problem.inherent[:, 1])] = True
    by_hub = _uses_hub(problem)
    # A site's own offer is `open`; its hosts matter then only where hubs are counted.
    needed = np.flatnonzero((count > 1) & ((claimed | denied) & ~inherent | by_hub))
    service, site = pairs[needed, 0], pairs[needed, 1]
    present = f.add_columns("offer", np.ones(len(needed)), lambda plan: plan.hosted[service, site], integer=True)
    f.present = np.where(count == 1, only, -1)
    f.present[needed] = present
    f.offer = np.where(inherent, pairs[:, 1], f.present)
    f.offer_at = np.full((problem.n_services, J), -1, dtype=np.int64)
    f.offer_at[pairs[:, 0], pairs[:, 1]] = f.offer

    up = needed[claimed[needed] | by_hub]
    n = len(up)
    f.add_rows("offer_open", np.tile(np.arange(n), 2), np.concatenate([f.present[up], pairs[up, 1]]),
               np.repeat([1, -1], n), n=n, upper=0)  # fmt: skip
    rank = np.full(Q, -1, dtype=np.int64)
    rank[up] = np.arange(n)
    mine = live[rank[of_pair[live]] >= 0]
    f.add_rows("offer_host", np.concatenate([np.arange(n), rank[of_pair[mine]]]),
               np.concatenate([f.present[up], J + mine]), np.repeat([1, -1], [n, len(mine)]), n=n, upper=0)  # fmt: skip

    down = np.zeros(Q, dtype=bool)
    down[needed] = denied[needed] | by_hub
    low = live[down[of_pair[live]]]
    n = len(low)
    f.add_rows("host_offer", np.tile(np.arange(n), 2), np.concatenate([J + low, f.present[of_pair[low]]]),
               np.repeat([1, -1], n), n=n, upper=0)  # fmt: skip
    tied = np.zeros(P, dtype=bool)
    tied[low] = rank[of_pair[low]] >= 0  # host <= offer <= open
    free = live[~tied[live] & ~problem.must_open[problem.pair_site[live]]]
    n = len(free)
    f.add_rows("host_open", np.tile(np.arange(n), 2), np.concatenate([J + free, problem.pair_site[free]]),
               np.repeat([1, -1], n), n=n, upper=0)  # fmt: skip


def offer_index(problem: Problem, service: Ints, site: Ints) -> Ints:
    """The rows of :func:`~estate.problem.offer_columns` that hold (service, site), or -1 where nobody could offer it."""
    pairs = offer_columns(problem)
    K = max(problem.n_services, 1)
    key, wanted = pairs[:, 1] * K + pairs[:, 0], site * K + service
    at = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
    return np.where(key[at] == wanted, at, -1) if len(key) else np.full(len(wanted), -1, dtype=np.int64)


def _uses_hub(problem: Problem) -> bool:
    first = problem.n_sites + problem.n_pairs + len(offer_columns(problem))
    return bool((problem.side.column >= first).any())


def _uses(f: Formulation, Q: int) -> tuple[Bools, Bools]:
    """(Q,) offers that some row gains from when claimed, and from when denied."""
    problem = f.problem
    cover, near = problem.cover, problem.near
    claims, denials = (np.zeros((problem.n_services, problem.n_sites), dtype=bool) for _ in range(2))
    claims[np.repeat(cover.service, np.diff(cover.start)), cover.site] = True
    for rule in problem.shares:
        claims[rule.service, rule.site] = True
    if f.uses_near:
        claims[np.repeat(near.service, np.diff(near.start)), near.site] = True
    for a, b, site in (problem.conflict.T, problem.together.T):
        denials[a, site] = denials[b, site] = True
    a, b, site = problem.together.T
    claims[a, site] = claims[b, site] = True
    service, site = offer_columns(problem).T
    claimed, denied = claims[service, site], denials[service, site]
    at = problem.side.column - problem.n_sites - problem.n_pairs
    at = at[(at >= 0) & (at < Q)]
    claimed[at] = denied[at] = True
    return claimed, denied


def area(f: Formulation) -> None:
    """``sum own_s host_sj + hall_j + sum_k desk_kj <= (capacity_j + slack_j) open_j - slack_j gain_j``.

    ``hall_j >= hall_s host_sj``, ``desk_kj >= desk_s host_sj``, ``gain_j >= host_sj`` for every ``s`` not at home in
    ``j``.  Rows only where the candidates do not all fit together.
    """
    problem = f.problem
    J, K = problem.n_sites, problem.n_services
    live = np.flatnonzero(alive(f))
    s, j = problem.pair_point[live], problem.pair_site[live]
    k = problem.point_service[s]
    # Everyone at once: the most that could be asked of the site.
    most = np.bincount(j, weights=problem.point_own[s], minlength=J).astype(np.int64)
    hall, desk = np.zeros(J, dtype=np.int64), np.zeros((K, J), dtype=np.int64)
    np.maximum.at(hall, j, problem.point_hall[s])
    np.maximum.at(desk, (k, j), problem.point_desk[s])
    tight = most + hall + desk.sum(axis=0) > problem.site_capacity
    sites = np.flatnonzero(tight)
    rank = np.full(J, -1, dtype=np.int64)
    rank[sites] = np.arange(len(sites))
    live, s, j, k = (a[tight[j]] for a in (live, s, j, k))

    own = problem.point_own[s].copy()
    row, column, value = [rank[j]], [J + live], [own]
    shared = (("hall", j, problem.point_hall[s], J), ("desk", k * J + j, problem.point_desk[s], K * J))
    for name, group, size, n_groups in shared:
        needs = size > 0
        several = np.bincount(group[needs], minlength=n_groups) > 1
        own += np.where(needs & ~several[group], size, 0)  # nobody to share with: part of its own area
        groups = np.flatnonzero(several)
        largest = np.zeros(n_groups, dtype=np.int64)
        np.maximum.at(largest, group, size)
        part = f.add_columns(name, largest[groups].astype(np.float64), _shared_area(problem, name, groups))
        where = np.full(n_groups, -1, dtype=np.int64)
        where[groups] = part
        row.append(rank[groups % J])
        column.append(part)
        value.append(np.ones(len(groups), dtype=np.int64))
        link = np.flatnonzero(needs & several[group])
        n = len(link)
        f.add_rows(f"{name}_host", np.tile(np.arange(n), 2), np.concatenate([where[group[link]], J + live[link]]),
                   np.concatenate([np.ones(n), -size[link]]), n=n, lower=0)  # fmt: skip

    slack = problem.site_slack
    incoming = problem.point_home[s] != j
    gaining = np.unique(j[incoming & (slack[j] > 0)])
    gain = f.add_columns("gain", np.ones(len(gaining)), lambda plan: _gains(problem, plan)[gaining])
    where = np.full(J, -1, dtype=np.int64)
    where[gaining] = gain
    link = np.flatnonzero(incoming & (where[j] >= 0))
    n = len(link)
    f.add_rows("gain_host", np.tile(np.arange(n), 2), np.concatenate([where[j[link]], J + live[link]]),
               np.repeat([1, -1], n), n=n, lower=0)  # fmt: skip
    f.add_rows(
        "area",
        np.concatenate([*row, rank[sites], rank[gaining]]),
        np.concatenate([*column, sites, gain]),
        np.concatenate([*value, -(problem.site_capacity + slack)[sites], slack[gaining]]),
        n=len(sites),
        upper=0,
    )


def _shared_area(problem: Problem, name: str, groups: Ints) -> Callable[[Plan], Floats | Bools]:
    """The largest ``hall`` (``desk``) among the points hosted in each group."""
    J = problem.n_sites
    size = problem.point_hall if name == "hall" else problem.point_desk

    def implied(plan: Plan) -> Floats:
        at = plan.solution.host if name == "hall" else problem.point_service * J + plan.solution.host
        largest = np.zeros(max(problem.n_services, 1) * J)
        np.maximum.at(largest, at, size.astype(np.float64))
        return largest[groups]

    return implied


def _gains(problem: Problem, plan: Plan) -> Floats:
    """(J,) 1 where the site hosts a point that is not at home there."""
    gains = np.zeros(problem.n_sites)
    gains[plan.solution.host[plan.solution.host != problem.point_home]] = 1
    return gains


def cover(f: Formulation) -> None:
    """``sum_{j in row} offer_kj + host_excuse >= need``: set covering (Toregas et al. 1971), with backup at need 2.

    One row of each kind: neighbouring zones often ask the same.  None where a site that must offer the service is in
    reach anyway.
    """
    problem, rows = f.problem, f.problem.cover
    of_entry = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    always = certain_offers(problem)[rows.service[of_entry], rows.site]
    sure = np.bincount(of_entry[always], minlength=len(rows))
    kept = distinct(problem, np.flatnonzero(rows.need > sure))
    number = np.full(len(rows), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    entry = number[of_entry] >= 0
    row, column = of_entry[entry], f.offer_at[rows.service[of_entry[entry]], rows.site[entry]]
    excuse = np.where(rows.excuse >= 0, problem.n_sites + rows.excuse, -1)[kept]
    f.add_rows("cover", np.concatenate([number[row], np.arange(len(kept))]), np.concatenate([column, excuse]), 1,
               n=len(kept), lower=rows.need[kept].astype(np.float64))  # fmt: skip


def distinct(problem: Problem, among: Ints) -> Ints:
    """Of the cover rows numbered in ``among``, the first of each kind: same service, need, excuse and sites."""
    rows = problem.cover
    kinds = {
        (*key, rows.site[start:stop].tobytes()): r
        for r, start, stop, *key in zip(
            *(a[among[::-1]].tolist() for a in (np.arange(len(rows)), rows.start[:-1], rows.start[1:])),
            *(a[among[::-1]].tolist() for a in (rows.service, rows.need, rows.excuse)),
            strict=True,
        )
    }
    return np.array(sorted(kinds.values()), dtype=np.int64)


def certain_offers(problem: Problem) -> Bools:
    """(K, J) offers that every plan has: inherent ones of sites that must open, and of points with one candidate."""
    always = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    always[problem.inherent[:, 0], problem.inherent[:, 1]] = problem.must_open[problem.inherent[:, 1]]
    settled = np.bincount(problem.pair_point, minlength=problem.n_points)[problem.pair_point] == 1
    always[problem.point_service[problem.pair_point[settled]], problem.pair_site[settled]] = True
    return always


def share(f: Formulation, *, want_all: bool) -> Ints:
    """``covered_i <= sum_{j in item} offer_kj ;  sum_i w_i covered_i >= required`` (Church and ReVelle 1974).

    The columns ``covered``, rule after rule; empty unless ``want_all`` where no rule binds.
    """
    problem = f.problem
    columns: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for r, rule in enumerate(problem.shares):
        n = len(rule.weight)
        if not want_all and rule.required <= 0:
            columns.append(np.full(n, -1, dtype=np.int64))
            continue
        item = np.repeat(np.arange(n), np.diff(rule.start))

        def reached(plan: Plan, rule: ShareRule = rule, item: Ints = item, n: int = n) -> Bools:
            return np.bincount(item, weights=plan.there[rule.service, rule.site], minlength=n) > 0

        covered = f.add_columns(f"covered{r}", np.ones(n), reached, integer=True)
        column = f.offer_at[rule.service, rule.site]
        f.add_rows(f"reach{r}", np.concatenate([np.arange(n), item]), np.concatenate([covered, column]),
                   np.repeat([1, -1], [n, len(item)]), n=n, upper=0)  # fmt: skip
        f.add_rows(f"share{r}", np.zeros(n, dtype=np.int64), covered, rule.weight, n=1, lower=float(rule.required))
        columns.append(covered)
    return np.concatenate(columns)


def services_by_site(f: Formulation) -> None:
    """``offer_aj + offer_bj <= 1`` (conflict);  ``offer_aj = offer_bj`` (together)."""
    for family, triples, sign, lower, upper in (
        ("conflict", f.problem.conflict, 1, -math.inf, 1.0),
        ("together", f.problem.together, -1, 0.0, 0.0),
    ):
        n = len(triples)
        column = np.concatenate([f.offer_at[triples[:, which], triples[:, 2]] for which in (0, 1)])
        f.add_rows(family, np.tile(np.arange(n), 2), column, np.repeat([1, sign], n), n=n, lower=lower, upper=upper)


def hub(f: Formulation) -> Ints:
    """``hub_j = 1`` exactly when two services or more are hosted at ``j``; the (J,) columns, -1 where never.

    ``present_aj + present_bj - 1 <= hub_j`` for all ``a < b``;  ``hub_j <= sum_{k != a} present_kj`` for all ``a``.
    """
    problem = f.problem
    pairs = offer_columns(problem)
    can = f.present >= 0
    sites = np.flatnonzero(np.bincount(pairs[can, 1], minlength=problem.n_sites) > 1)
    columns = f.add_columns("hub", np.ones(len(sites)), lambda plan: plan.hosted.sum(axis=0)[sites] > 1, integer=True)
    where = np.full(problem.n_sites, -1, dtype=np.int64)
    where[sites] = columns
    both: list[tuple[int, int, int]] = []
    rest: list[tuple[int, Ints]] = []
    for h, site in zip(columns, sites, strict=True):
        here = f.present[can & (pairs[:, 1] == site)]
        both += [(int(here[a]), int(here[b]), int(h)) for a in range(len(here)) for b in range(a + 1, len(here))]
        rest += [(int(h), np.delete(here, a)) for a in range(len(here))]
    triples = np.array(both, dtype=np.int64).reshape(-1, 3)
    n = len(triples)
    f.add_rows("hub_both", np.repeat(np.arange(n), 3), triples.ravel(), np.tile([1, 1, -1], n), n=n, upper=1)
    n = len(rest)
    size = np.array([1 + len(others) for _, others in rest], dtype=np.int64)
    column = np.concatenate([np.zeros(0, dtype=np.int64), *(np.append(h, others) for h, others in rest)])
    value = np.concatenate([np.zeros(0), *(np.append(1, -np.ones(len(others))) for _, others in rest)])
    f.add_rows("hub_rest", np.repeat(np.arange(n), size), column, value, n=n, upper=0)
    return where


def side(f: Formulation) -> None:
    """``lower <= A (open, host, offer, hub) <= upper``: budgets, counts, paybacks, throughput."""
    problem, rows = f.problem, f.problem.side
    J, P = problem.n_sites, problem.n_pairs
    hubs = hub(f) if _uses_hub(problem) else np.full(J, -1, dtype=np.int64)
    column = np.concatenate([np.arange(J + P), f.offer, hubs])
    row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    f.add_rows("side", row, column[rows.column], rows.value, n=len(rows), lower=rows.lower, upper=rows.upper)


def radius(f: Formulation, within: int) -> None:
    """``sum_{j: d_rj <= within} offer_kj >= 1`` for every near row: the p-center decision problem."""
    near = f.problem.near
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    inside = near.distance <= within
    column = np.where(inside, f.offer_at[near.service[row], near.site], -1)
    f.add_rows("radius", row, column, 1, n=len(near), lower=1)


def travel(f: Formulation, *, must_be_served: bool) -> Terms:
    """Person-metres by radius: ``far_rm = 1`` when row ``r`` has no offer within its ``m``-th distinct distance.

    ``far_rm + sum_{j: d_rj = d_m} offer_kj >= far_r,m-1`` with ``far_r0 = 1``, at the cost
    ``weight_r (d_r1 + sum_m (d_r,m+1 - d_rm) far_rm)``: at a binary plan the distance to the nearest offer.  The last
    ``far`` of a row means unserved: forbidden when ``must_be_served``, else at the distance :func:`beyond`.
    """
    problem, near = f.problem, f.problem.near
    n = len(near)
    row = np.repeat(np.arange(n), np.diff(near.start))
    column = f.offer_at[near.service[row], near.site]
    certain = served_within(problem)
    keep = (column >= 0) & (near.distance <= certain[row])
    row, column, distance = row[keep], column[keep], near.distance[keep]
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (row[1:] != row[:-1]) | (distance[1:] != distance[:-1])
    step = np.cumsum(fresh) - 1  # the (row, distinct distance) that each entry belongs to
    first = np.flatnonzero(fresh)
    step_row, step_distance = row[first], distance[first]
    m = len(first)
    last = np.ones(m, dtype=bool)
    last[:-1] = step_row[1:] != step_row[:-1]
    leads = np.ones(m, dtype=bool)
    leads[1:] = last[:-1]
    following = np.append(step_distance[1:], 0)
    rise = np.where(last, beyond(problem) - step_distance, following - step_distance)
    nearest = np.full(n, beyond(problem), dtype=np.int64)
    nearest[step_row[leads]] = step_distance[leads]

    def unserved(plan: Plan) -> Bools:
        there = near_distance(problem, plan.there)
        return np.where(there < 0, beyond(problem), there)[step_row] > step_distance

    # The last step of a row that is sure to be served by then needs neither column nor row.
    free = ~last | (certain[step_row] >= beyond(problem)) & (not must_be_served)
    needed = ~last | (certain[step_row] >= beyond(problem))
    number = np.cumsum(needed) - 1
    far = np.full(m, -1, dtype=np.int64)
    far[needed] = f.add_columns("far", free[needed].astype(np.float64), lambda plan: unserved(plan)[needed])
    if must_be_served and (empty := n - len(np.unique(step_row))):
        f.add_rows("unserved", np.zeros(0, np.int64), np.zeros(0, np.int64), 1, n=empty, lower=1)
    entry, chained = needed[step], np.flatnonzero(~leads & needed)
    f.add_rows(
        "far",
        np.concatenate([number[needed], number[step[entry]], number[chained]]),
        np.concatenate([far[needed], column[entry], far[chained - 1]]),
        np.repeat([1, 1, -1], [needed.sum(), entry.sum(), len(chained)]),
        n=int(needed.sum()),
        lower=leads[needed].astype(np.float64),
    )
    weight = near.weight[step_row] * rise
    return Terms(far[needed], weight[needed], int((near.weight * nearest).sum()))


def served_within(problem: Problem) -> Ints:
    """(N,) a distance within which each near row is sure to have an offer in any plan; :func:`beyond` where none is.

    A site that must stay open gives its inherent offers; a point with one candidate is hosted there; a cover row
    (``need`` 1 or more, no excuse) has an offer among its sites, so within its farthest.
    """
    near, rows, none = problem.near, problem.cover, beyond(problem)
    found = np.full(len(near), none, dtype=np.int64)
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    always = certain_offers(problem)
    sure = always[near.service[row], near.site]
    np.minimum.at(found, row[sure], near.distance[sure])
    binding = distinct(problem, np.flatnonzero((rows.need >= 1) & (rows.excuse < 0)))
    if len(binding) * len(near) > MOST_ROW_PAIRS:
        return found
    for k in np.unique(near.service):
        mine = np.flatnonzero(near.service == k)
        rank = np.full(len(near), -1, dtype=np.int64)
        rank[mine] = np.arange(len(mine))
        here = rank[row] >= 0
        distance = np.full((len(mine), problem.n_sites), none, dtype=np.int64)
        distance[rank[row[here]], near.site[here]] = near.distance[here]
        for r in binding[rows.service[binding] == k]:
            sites = rows.site[rows.start[r] : rows.start[r + 1]]
            if len(sites):
                found[mine] = np.minimum(found[mine], distance[:, sites].max(axis=1))
    return found


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
