"""Rows about buildings: who is hosted where, in how much space, beside whom, and how many of each."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from estate.model.formulation import Formulation, SolutionFacts
from estate.problem import Bools, Floats, Ints, Problem, hubs, offer_columns

FEW_SERVICES = 5
"""So many services at a site: all their sets have a row where hubs are counted."""


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
    ``host_sj <= open_j`` for all other pairs, but for sites whose fillings say it (:mod:`estate.model.kinds`).
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
    _derived(f)

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
    free = live[~(tied | problem.must_open[problem.pair_site] | f.by_filling()[problem.pair_site])[live]]
    n = len(free)
    f.add_rows("host_open", np.tile(np.arange(n), 2), np.concatenate([J + free, problem.pair_site[free]]),
               np.repeat([1, -1], n), n=n, upper=0)  # fmt: skip


def _derived(f: Formulation) -> None:
    """``offer_dj <= open_j`` and, for each part, ``offer_dj <= sum of host_p over its pairs at j``; a column where a row asks.

    Rows only gain from an offer claimed, so that it is at most what the plan has is enough.
    """
    problem, J = f.problem, f.problem.n_sites
    live = alive(f)
    asked = _claims(f)
    for each in problem.derived:
        count = np.array([np.bincount(problem.pair_site[part & live], minlength=J) for part in each.parts])
        sites = np.flatnonzero((count > 0).all(axis=0) & (f.offer_at[each.service] < 0) & asked[each.service])
        n, k = len(sites), each.service

        def there(plan: SolutionFacts, k: int = k, sites: Ints = sites) -> Bools:
            found: Bools = plan.there[k, sites]
            return found

        column = f.add_columns(f"derived{k}", np.ones(n), there, integer=True)
        f.offer_at[k, sites] = column
        rank = np.full(J, -1, dtype=np.int64)
        rank[sites] = np.arange(n)
        f.add_rows(f"derived{k}_open", np.tile(np.arange(n), 2), np.concatenate([column, sites]),
                   np.repeat([1, -1], n), n=n, upper=0)  # fmt: skip
        for p, part in enumerate(each.parts):
            pairs = np.flatnonzero(part & live & (rank[problem.pair_site] >= 0))
            row = np.concatenate([np.arange(n), rank[problem.pair_site[pairs]]])
            f.add_rows(f"derived{k}_{p}", row, np.concatenate([column, J + pairs]),
                       np.repeat([1, -1], [n, len(pairs)]), n=n, upper=0)  # fmt: skip


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


def _claims(f: Formulation) -> Bools:
    """(K, J) offers that a cover, share or near row gains from."""
    problem = f.problem
    cover, near = problem.cover, problem.near
    claims = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    claims[np.repeat(cover.service, np.diff(cover.start)), cover.site] = True
    for rule in problem.shares:
        claims[rule.service, rule.site] = True
    if f.uses_near:
        claims[np.repeat(near.service, np.diff(near.start)), near.site] = True
    return claims


def _uses(f: Formulation, Q: int) -> tuple[Bools, Bools]:
    """(Q,) offers that some row gains from when claimed, and from when denied."""
    problem, claims = f.problem, _claims(f)
    denials = np.zeros_like(claims)
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

    ``gain_j >= host_sj`` for every ``s`` not at home in ``j``; ``hall_j`` and ``desk_kj`` are the largest of those hosted, by
    :func:`_increments`.  Rows only where the candidates do not all fit together.
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
    if f.fillings is not None:
        tight &= ~f.fillings.listed
    sites = np.flatnonzero(tight)
    rank = np.full(J, -1, dtype=np.int64)
    rank[sites] = np.arange(len(sites))
    live, s, j, k = (a[tight[j]] for a in (live, s, j, k))

    own = problem.point_own[s].copy()
    row, column, value = [rank[j]], [J + live], [own]
    shared = (
        ("hall", j, problem.point_hall[s], J, True),
        ("desk", k * J + j, problem.point_desk[s], K * J, False),
    )
    for name, group, size, n_groups, rests_on_open in shared:
        needs = size > 0
        several = np.bincount(group[needs], minlength=n_groups) > 1
        own += np.where(needs & ~several[group], size, 0)  # nobody to share with: part of its own area
        base = np.full(n_groups, -1, dtype=np.int64)
        if rests_on_open:
            all_need = np.bincount(group[~needs], minlength=n_groups) == 0
            base[all_need] = np.arange(n_groups)[all_need]
        shares = np.flatnonzero(needs & several[group])
        of_group, at, step = _increments(f, name, (group[shares], size[shares], J + live[shares]), base)
        row.append(rank[of_group % J])
        column.append(at)
        value.append(step)

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


def _increments(f: Formulation, name: str, members: tuple[Ints, Ints, Ints], base: Ints) -> tuple[Ints, Ints, Ints]:
    """The largest shared part of each group, as (group, column, area) terms: by increments.

    The distinct sizes ``c_1 < c_2 < ...`` among a group's candidates become ``c_1 level_1 + sum_t (c_t - c_{t-1}) level_t`` with
    ``level_t >= host_s`` wherever ``size_s >= c_t``.  The usual ``largest >= size_s host_s`` has the same integer points and a
    weaker relaxation: there a point that is half hosted pays for half of a hall that it may share with another half.

    ``members`` are the group, size and ``host`` column of each candidate; ``base`` is the column on which a group's first
    increment rests, or -1.  A site's hall rests on ``open`` where everybody who could come needs one: the first increment fits
    wherever a candidate does, so an open building without guests is none the worse.
    """
    group, size, host = members
    key = np.unique(np.column_stack([group, size]), axis=0)
    of_group, c = key.T
    first = np.ones(len(key), dtype=bool)
    first[1:] = of_group[1:] != of_group[:-1]
    step = c - np.where(first, 0, np.append(0, c[:-1]))
    fresh = ~(first & (base[of_group] >= 0))
    J = f.problem.n_sites

    def reached(plan: SolutionFacts) -> Bools:
        part = f.problem.point_hall if name == "hall" else f.problem.point_desk
        at = plan.solution.host if name == "hall" else f.problem.point_service * J + plan.solution.host
        largest = np.zeros(len(base), dtype=np.int64)
        np.maximum.at(largest, at, part)
        there: Bools = largest[of_group[fresh]] >= c[fresh]
        return there

    column = base[of_group].copy()
    column[fresh] = f.add_columns(name, np.ones(int(fresh.sum())), reached)
    # Each candidate is under every increment of its group up to its own size.
    begin = np.searchsorted(of_group, group)
    end = np.searchsorted(of_group * (int(c.max(initial=0)) + 1) + c, group * (int(c.max(initial=0)) + 1) + size) + 1
    count = end - begin
    owner = np.repeat(np.arange(len(group)), count)
    level = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    owner, level = owner[fresh[level]], level[fresh[level]]
    n = len(owner)
    f.add_rows(f"{name}_host", np.tile(np.arange(n), 2), np.concatenate([column[level], host[owner]]),
               np.repeat([1, -1], n), n=n, lower=0)  # fmt: skip
    return of_group, column, step


def _gains(problem: Problem, plan: SolutionFacts) -> Floats:
    """(J,) 1 where the site hosts a point that is not at home there."""
    gains = np.zeros(problem.n_sites)
    gains[plan.solution.host[plan.solution.host != problem.point_home]] = 1
    return gains


def services_by_site(f: Formulation) -> None:
    """``offer_aj + offer_bj <= open_j`` (conflict);  ``offer_aj = offer_bj`` (together)."""
    for family, triples, value, lower in (
        ("conflict", f.problem.conflict, (1, 1, -1), -math.inf),
        ("together", f.problem.together, (1, -1, 0), 0.0),
    ):
        n = len(triples)
        column = np.concatenate([*(f.offer_at[triples[:, which], triples[:, 2]] for which in (0, 1)), triples[:, 2]])
        f.add_rows(family, np.tile(np.arange(n), 3), column, np.repeat(value, n), n=n, lower=lower, upper=0.0)


def hub(f: Formulation) -> Ints:
    """``hub_j = 1`` exactly when services of two kinds or more are hosted at ``j``; the (J,) columns, -1 where never.

    ``sum_{k in T} present_kj <= open_j + (|T| - 1) hub_j`` for all ``T`` of two services of different kinds, and of all where no
    two are of a kind (of any number, where there are few): an open building has one kind, or is a hub.
    ``hub_j <= sum of present_kj over the services of other kinds than a`` for every kind ``a``.
    """
    problem = f.problem
    pairs = offer_columns(problem)
    kind = problem.kinds[pairs[:, 0]]
    can = (f.present >= 0) & (kind >= 0)
    kinds_at = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    kinds_at[kind[can], pairs[can, 1]] = True
    sites = np.flatnonzero(kinds_at.sum(axis=0) > 1)
    columns = f.add_columns("hub", np.ones(len(sites)), lambda plan: hubs(problem, plan.solution)[sites], integer=True)
    where = np.full(problem.n_sites, -1, dtype=np.int64)
    where[sites] = columns
    both: list[tuple[Ints, Floats]] = []
    rest: list[tuple[int, Ints]] = []
    for h, site in zip(columns, sites, strict=True):
        mine = can & (pairs[:, 1] == site)
        here, of = f.present[mine], kind[mine]
        sizes = range(2, len(here) + 1) if len(here) <= FEW_SERVICES else (2, len(here))
        for at in (list(each) for size in sizes for each in combinations(range(len(here)), size)):
            if len(set(of[at].tolist())) == len(at):
                column = np.array([*here[at], site, h], dtype=np.int64)
                both.append((column, np.array([*np.ones(len(at)), -1.0, 1.0 - len(at)])))
        rest += [(int(h), here[of != a]) for a in np.unique(of).tolist()]
    n, none = len(both), np.zeros(0)
    size = np.array([len(column) for column, _ in both], dtype=np.int64)
    column = np.concatenate([none.astype(np.int64), *(column for column, _ in both)])
    value = np.concatenate([none, *(value for _, value in both)])
    f.add_rows("hub_both", np.repeat(np.arange(n), size), column, value, n=n, upper=0)
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
    hub_columns = hub(f) if _uses_hub(problem) else np.full(J, -1, dtype=np.int64)
    column = np.concatenate([np.arange(J + P), f.offer, hub_columns])
    row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    f.add_rows("side", row, column[rows.column], rows.value, n=len(rows), lower=rows.lower, upper=rows.upper)
