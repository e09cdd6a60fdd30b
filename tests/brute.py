"""Small random problems and their optimum by looking at every plan: the oracle for the solver.

The rules are written again here, from the mathematics in :mod:`estate.problem`, on arrays over all plans at once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from estate.problem import CoverRows, Derived, Goal, NearRows, Problem, ShareRule, SideRows, Solution, violations


@dataclass(frozen=True)
class Everything:
    """Every plan of a problem (N of them): its decisions, whether it is feasible, and what it is worth."""

    open: np.ndarray  # (N, J)
    host: np.ndarray  # (N, S)
    feasible: np.ndarray  # (N,)
    keys: np.ndarray  # (N, m): goal (to minimise), cost, running cost, one-off, moves, how far, person-metres


def everything(p: Problem) -> Everything:
    """All combinations of open sites and hosts in open sites."""
    J, S, K = p.n_sites, p.n_points, p.n_services
    choices = [p.pair_site[p.pair_point == s] for s in range(S)]
    host = np.array(list(itertools.product(*choices)), dtype=np.int64).reshape(-1 if S else 1, S)
    masks = np.array(list(itertools.product([False, True], repeat=J)))
    rows, which = [], []
    for m, mask in enumerate(masks):
        inside = np.flatnonzero(mask[host].all(axis=1))
        rows.append(inside)
        which.append(np.full(len(inside), m))
    host, is_open = host[np.concatenate(rows)], masks[np.concatenate(which)]
    n = len(host)
    plan = np.arange(n)

    present = np.zeros((n, K, J), dtype=bool)
    used = np.zeros((n, J), dtype=np.int64)
    hall = np.zeros((n, J), dtype=np.int64)
    desk = np.zeros((n, K, J), dtype=np.int64)
    gains = np.zeros((n, J), dtype=bool)
    for s in range(S):
        k, j = p.point_service[s], host[:, s]
        present[plan, k, j] = True
        used[plan, j] += p.point_own[s]
        hall[plan, j] = np.maximum(hall[plan, j], p.point_hall[s])
        desk[plan, k, j] = np.maximum(desk[plan, k, j], p.point_desk[s])
        gains[plan, j] |= j != p.point_home[s]
    offer = present.copy()
    for k, j in p.inherent:
        offer[:, k, j] |= is_open[:, j]
    for each in p.derived:
        for j in range(J):
            here = np.ones(n, dtype=bool)
            for part in each.parts:
                here &= np.any([host[:, p.pair_point[q]] == j for q in np.flatnonzero(part & (p.pair_site == j))], axis=0)
            offer[:, each.service, j] |= here
    room = p.site_capacity + np.where(gains, 0, p.site_slack)
    ok = ((used + hall + desk.sum(axis=1) <= room) | ~is_open).all(axis=1)
    ok &= (is_open | ~p.must_open).all(axis=1) & ~(is_open & p.must_close).any(axis=1)

    pair = host[:, p.pair_point] == p.pair_site
    c = p.cover
    for r in range(len(c)):
        count = offer[:, c.service[r], c.site[c.start[r] : c.start[r + 1]]].sum(axis=1)
        ok &= count + (pair[:, c.excuse[r]] if c.excuse[r] >= 0 else 0) >= c.need[r]
    people = np.zeros(n, dtype=np.int64)
    for rule in p.shares:
        reached = np.zeros(n, dtype=np.int64)
        for i, weight in enumerate(rule.weight):
            reached += weight * offer[:, rule.service, rule.site[rule.start[i] : rule.start[i + 1]]].any(axis=1)
        ok &= reached >= rule.required
        people += reached
    for a, b, j in p.conflict:
        ok &= ~(offer[:, a, j] & offer[:, b, j])
    for a, b, j in p.together:
        ok &= offer[:, a, j] == offer[:, b, j]
    if len(p.side):
        columns = sorted({(j, k) for k, j in p.inherent} | set(zip(p.pair_site, p.point_service[p.pair_point], strict=True)))
        offers = [offer[:, k, j] for j, k in columns]
        x = np.column_stack([is_open, pair, *offers, _kinds(p, present) > 1]).astype(float)
        for r in range(len(p.side)):
            at = slice(p.side.start[r], p.side.start[r + 1])
            activity = x[:, p.side.column[at]] @ p.side.value[at]
            ok &= (activity >= p.side.lower[r] - 1e-9) & (activity <= p.side.upper[r] + 1e-9)

    far = int(p.near.distance.max(initial=0)) + 1
    metres, farthest = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for r in range(len(p.near)):
        at = slice(p.near.start[r], p.near.start[r + 1])
        there = offer[:, p.near.service[r], p.near.site[at]]
        nearest = np.where(there, p.near.distance[at], far).min(axis=1, initial=far)
        metres += p.near.weight[r] * nearest
        farthest = np.maximum(farthest, nearest)
    if p.goal in {Goal.TRAVEL, Goal.FARTHEST}:
        ok &= farthest < far
    away = pair @ (p.pair_site != p.point_home[p.pair_point]).astype(np.int64) if p.n_pairs else np.zeros(n, dtype=np.int64)
    away -= int((p.point_home < 0).sum())
    apart = np.zeros(n, dtype=np.int64) if p.pair_apart is None else pair @ p.pair_apart
    running = np.zeros(n, dtype=np.int64) if p.site_running is None else is_open @ p.site_running + pair @ p.pair_running
    cost = is_open @ p.site_cost + pair @ p.pair_cost
    one_off = np.zeros(n, dtype=np.int64)
    if p.site_one_off is not None:
        one_off += ~is_open @ p.site_one_off
    if p.pair_one_off is not None:
        one_off += pair @ np.where(p.pair_site == p.point_home[p.pair_point], 0, p.pair_one_off)
    goal = {Goal.COST: cost, Goal.COVERED: -people, Goal.TRAVEL: metres, Goal.FARTHEST: farthest}[p.goal]
    return Everything(is_open, host, ok, np.column_stack([goal, cost, running, one_off, away, apart, metres]))


def _kinds(p: Problem, present):
    """How many kinds of service are hosted at each site of each plan."""
    of = list(range(p.n_services)) if p.service_kind is None else p.service_kind.tolist()
    count = np.zeros((len(present), p.n_sites), dtype=np.int64)
    for kind in set(of) - {-1}:
        count += present[:, [k for k, each in enumerate(of) if each == kind]].any(axis=1)
    return count


@lru_cache(512)  # by identity: problems are never changed after they are made
def plans(p: Problem) -> dict[tuple[tuple[int, ...], tuple[bool, ...]], int]:
    """Every feasible plan, as (hosts, open sites), and its cost."""
    every = everything(p)
    at = np.flatnonzero(every.feasible)
    return {(tuple(every.host[i].tolist()), tuple(every.open[i].tolist())): int(every.keys[i, 1]) for i in at}


@lru_cache(4096)
def best(p: Problem) -> tuple[int | None, Solution | None]:
    """The optimal value of the goal, and the one plan that all the tie-breaks lead to."""
    every = everything(p)
    at = np.flatnonzero(every.feasible)
    if not len(at):
        return None, None
    keys = np.column_stack([every.keys[at], every.host[at], every.open[at]])
    first = at[np.lexsort(keys.T[::-1])[0]]
    value = int(every.keys[first, 0])
    return (-value if p.goal is Goal.COVERED else value), Solution(every.open[first], every.host[first])


@cache
def random_problem(seed: int, *, goal: Goal = Goal.COST, ties: bool = False) -> Problem:
    """A small problem that mixes every family of rows; ``ties`` draws costs from few values, so that plans tie."""
    rng = np.random.default_rng(seed)
    J, S, K = int(rng.integers(2, 6)), int(rng.integers(1, 7)), int(rng.integers(1, 4))
    service = rng.integers(0, K, S)
    home = rng.integers(0, J, S)
    home[rng.random(S) < 0.1] = -1
    allowed = rng.random((S, J)) < 0.5
    allowed[np.arange(S), np.maximum(home, 0)] = True
    point, site = np.nonzero(allowed)
    own, hall, desk = rng.integers(0, 60, S), rng.integers(0, 30, S) * rng.integers(0, 2, S), rng.integers(0, 20, S)
    used = np.bincount(np.maximum(home, 0), weights=own + hall + desk, minlength=J).astype(np.int64)
    capacity = np.where(rng.random(J) < 0.7, used, 0) + rng.integers(0, 120, J)
    slack = np.maximum(used - capacity, 0) * (rng.random(J) < 0.8)
    price = (lambda *n: rng.integers(1, 4, n) * 100) if ties else (lambda *n: rng.integers(1, 100_000, n))
    p = Problem(
        n_services=K,
        site_cost=price(J),
        site_capacity=capacity,
        point_service=service,
        point_own=own,
        point_hall=hall,
        point_desk=desk,
        pair_point=point,
        pair_site=site,
        pair_cost=np.where(site == home[point], 0, price(len(point)) // (1 if rng.random() < 0.5 else 10)),
        point_home=home,
        site_slack=slack,
        must_open=rng.random(J) < 0.1,
        must_close=rng.random(J) < 0.05,
        service_kind=None if seed % 2 else np.minimum([seed % 3 - 1, 0, seed % 4 - 1][:K], K - 1),
        goal=goal,
        cover=_cover(rng, J, K, point, site, home),
        shares=_shares(rng, J, K, always=goal is Goal.COVERED),
        inherent=_some(rng, [(k, j) for k in range(K) for j in range(J)], 0.06, 2),
        conflict=_some(rng, [(a, b, j) for a in range(K) for b in range(a) for j in range(J)], 0.08, 3),
        together=_some(rng, [(a, b, j) for a in range(K) for b in range(a) for j in range(J)], 0.05, 3),
        near=_near(rng, J, K, some=goal in {Goal.TRAVEL, Goal.FARTHEST} or rng.random() < 0.7),
        site_one_off=price(J) - 200 if ties or rng.random() < 0.5 else None,
    )
    p = replace(
        p,
        pair_one_off=None if p.site_one_off is None else price(len(point)),
        pair_apart=np.where(site == home[point], 0, 1 + (7 * point + 3 * site + seed) % 4) if seed % 2 else None,
        site_running=(np.arange(J) + seed) % 3 if seed % 5 == 0 else None,
        pair_running=(point + site + seed) % 2 if seed % 5 == 0 else None,
        side=_side(rng, p) if goal is not Goal.COVERED else _budget(rng, p),
    )
    today = Solution(~p.must_close | np.isin(np.arange(J), home), np.maximum(home, 0))
    # Most problems should have a plan: what today's estate breaks is mostly left out.
    none = {
        "cover": CoverRows(), "share": (), "conflict": p.conflict[:0], "together": p.together[:0], "side": SideRows(),
        "must_open": np.zeros(J, dtype=bool), "must_close": np.zeros(J, dtype=bool), "near": NearRows(),
    }  # fmt: skip
    for family in violations(p, today):
        if family in none and rng.random() < 0.85 and not (family == "near" and goal in {Goal.TRAVEL, Goal.FARTHEST}):
            p = replace(p, **{{"share": "shares"}.get(family, family): none[family]})
    return replace(p, today=None if violations(p, today) else today)


def with_derived(p: Problem, seed: int) -> Problem | None:
    """The problem with two services under one roof and a service of some counters only, and rules on both; None: one service."""
    rng, K, J = np.random.default_rng(seed), p.n_services, p.n_sites
    if K < 2:
        return None
    service = p.point_service[p.pair_point]
    a, b = rng.choice(K, 2, replace=False).tolist()
    long = (rng.random(p.n_points) < 0.6)[p.pair_point]
    roof, some = Derived(K, (service == a, service == b)), Derived(K + 1, ((service == a) & long,))
    start, sites = _lists(rng, 2, J, 0.9)
    c = p.cover
    cover = CoverRows(
        np.concatenate([c.service, [K, K + 1]]), np.concatenate([c.need, [1, 1]]),
        np.concatenate([c.start, c.start[-1] + start[1:]]), np.concatenate([c.site, sites]), np.concatenate([c.excuse, [-1, -1]]),
    )  # fmt: skip
    start, sites = _lists(rng, 4, J, 0.5)
    weight = rng.integers(1, 50, 4)
    rule = ShareRule("under one roof", K, weight, start, sites, int(weight.sum() * rng.random() * 0.7))
    kinds = np.append(p.kinds, [-1, -1])
    keeps = {"cover": cover} if seed % 3 else {"shares": (*p.shares, rule)}
    q = replace(p, n_services=K + 2, service_kind=kinds, derived=(roof, some), today=None, **keeps)
    return replace(q, today=None if p.today is None or violations(q, p.today) else p.today)


def _some(rng, rows, share, width):
    return np.array([row for row in rows if rng.random() < share], dtype=np.int64).reshape(-1, width)


def _lists(rng, n, J, chance):
    sites = [np.flatnonzero(rng.random(J) < chance) for _ in range(n)]
    start = np.concatenate([[0], np.cumsum([len(s) for s in sites])]).astype(np.int64)
    return start, np.concatenate([np.zeros(0, dtype=np.int64), *sites])


def _cover(rng, J, K, point, site, home):
    n = int(rng.integers(0, 5))
    start, sites = _lists(rng, n, J, 0.75)
    at_home = np.flatnonzero(site == home[point])
    excuse = np.where(rng.random(n) < 0.3, rng.choice(at_home, n) if len(at_home) else -1, -1).astype(np.int64)
    return CoverRows(rng.integers(0, K, n), np.where(rng.random(n) < 0.15, 2, 1), start, sites, excuse)


def _shares(rng, J, K, *, always):
    rules = []
    for r in range(int(rng.integers(1 if always else 0, 3))):
        n = int(rng.integers(1, 6))
        start, sites = _lists(rng, n, J, 0.5)
        weight = rng.integers(1, 50, n)
        rules.append(
            ShareRule(f"share {r}", int(rng.integers(0, K)), weight, start, sites, int(weight.sum() * rng.random() * 0.6))
        )
    return tuple(rules)


def _near(rng, J, K, *, some):
    n = int(rng.integers(1, 6)) if some else 0
    start, sites = _lists(rng, n, J, 0.85)
    distance = rng.integers(1, 8, len(sites)) * 100
    row = np.repeat(np.arange(n), np.diff(start))
    order = np.lexsort((sites, distance, row))
    return NearRows(rng.integers(0, K, n), rng.integers(1, 50, n), start, sites[order], distance[order])


def _side(rng, p):
    """Counts of open sites and of hubs, a limit on some offers, a budget: each sometimes."""
    J, P = p.n_sites, p.n_pairs
    Q = len({(k, j) for k, j in p.inherent} | set(zip(p.point_service[p.pair_point], p.pair_site, strict=True)))
    hubs = J + P + Q + np.arange(J)
    rows = []
    if rng.random() < 0.2:
        rows.append(("at most so many sites", -np.inf, int(rng.integers(1, J + 1)), np.arange(J), np.ones(J)))
    if rng.random() < 0.15:
        rows.append(("at least one hub", 1, np.inf, hubs, np.ones(J)))
    if rng.random() < 0.15:
        rows.append(("at most one hub", -np.inf, 1, hubs, np.ones(J)))
    if rng.random() < 0.2 and Q:
        some = J + P + rng.choice(Q, int(rng.integers(1, Q + 1)), replace=False)
        rows.append(("offers", float(rng.integers(0, 2)), float(rng.integers(1, 4)), some, np.ones(len(some))))
    if rng.random() < 0.2:
        rows.append(("throughput", -np.inf, float(rng.integers(20, 90)), J + np.arange(P), rng.integers(1, 30, P) * 1.0))
    return _rows(rows)


def _budget(rng, p):
    J = p.n_sites
    return _rows([("sites", -np.inf, int(rng.integers(1, J + 1)), np.arange(J), np.ones(J))])


def _rows(rows):
    if not rows:
        return SideRows()
    names, lower, upper, columns, values = zip(*rows, strict=True)
    start = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
    sides = (np.array(side, dtype=float) for side in (lower, upper))
    return SideRows(names, *sides, start, np.concatenate(columns), np.concatenate(values))
