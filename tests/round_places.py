"""Seeded places of the kind that registers describe: few sizes, few costs, and so many ties.

Generated estates draw every figure from a wide range, so no two buildings are alike.  In a register floor areas come by rate and
costs in round thousands, hosting costs nothing, leases cost more to leave than to keep (a building's yearly cost is then
*negative* under an annual equivalent), the same service stands twice in one building, and decisions taken before bind.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estate.problem import CoverRows, Problem, ShareRule, SideRows, Solution, hubs, offered, violations


def place(seed: int, *, sites: tuple[int, int] = (6, 22), beyond_core: bool = False) -> Problem:
    """A place of so many sites in which today's estate is a plan; with ``beyond_core``, further families of rules."""
    rng = np.random.default_rng(seed)
    while True:
        p = _place(rng, int(rng.integers(*sites)))
        if p.today is not None and not violations(p, p.today):
            return _beyond(p, rng) if beyond_core else p


def _place(rng: np.random.Generator, J: int) -> Problem:
    K = int(rng.integers(1, 5))
    towns = rng.uniform(0, 20_000, (max(J // 5, 1), 2))
    xy = towns[rng.integers(0, len(towns), J)] + rng.normal(0, 1_200, (J, 2))
    # Counters: most buildings have one, some two, now and then two of one service; a few are empty or outside the place.
    outside = rng.random(J) < rng.choice([0.0, 0.15])
    empty = ~outside & (rng.random(J) < 0.1)
    home = np.concatenate([np.flatnonzero(~outside & ~empty)] * 2)
    home = np.sort(home[rng.random(len(home)) < 0.65])
    if not len(home):
        home = np.flatnonzero(~outside)[:1]
    S = len(home)
    service = rng.integers(0, K, S)
    sizes = rng.choice([80, 100, 150, 180, 300], (K,))
    area = sizes[service] * 10
    hall = (rng.random() < 0.4) * rng.choice([0, 200, 300], K)[service]
    desk = (rng.random() < 0.3) * rng.choice([0, 150], K)[service]
    used = np.bincount(home, weights=area, minlength=J).astype(np.int64)
    capacity = np.where(rng.random(J) < 0.85, np.maximum(used, 1_000), 0) + rng.choice([0, 0, 1_000, 1_500, 3_000], J)
    capacity[outside] = 0
    slack = np.maximum(used - capacity, 0)  # at most this: halls and desks shared take less

    cost = rng.choice([30, 40, 60, 90], J) * 100_000
    annual = rng.random() < 0.5  # an annual equivalent: leaving some buildings costs more a year than keeping them
    cost = np.where(annual & (rng.random(J) < 0.35), -rng.choice([5, 20, 40], J) * 100_000, cost)
    cost[outside] = 0
    free = rng.random(J) < 0.05
    cost[free] = 0

    reach = rng.choice([3_000.0, 8_000.0, 50_000.0])
    apart = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    kind = rng.integers(0, 2, J)
    hosts = np.array([rng.choice([-1, 0, 1]) for _ in range(K)])  # which kind of building takes the service; -1 any
    may = (apart[home] <= reach) & ((hosts[service][:, None] < 0) | (kind[None, :] == hosts[service][:, None]))
    may &= ~outside[None, :] & ((area[:, None] <= capacity[None, :]) | (rng.random((S, J)) < 0.1))
    may[np.arange(S), home] = True
    locked = rng.random(S) < 0.08
    may[locked] = False
    may[np.arange(S), home] = True
    point, site = np.nonzero(may)
    moving = rng.choice([0, 0, 200, 900]) * 100 * annual
    pair_cost = np.where(site == home[point], 0, moving * (1 + service[point] % 2)).astype(np.int64)
    if rng.random() < 0.2:
        pair_cost = pair_cost + (site != home[point]) * rng.choice([0, 100_000], len(point))
    must_open = outside | (rng.random(J) < 0.1)
    must_close = empty & (rng.random(J) < 0.3) & ~must_open

    zones = rng.integers(15, 50)
    where = np.concatenate([towns[rng.integers(0, len(towns), zones)] + rng.normal(0, 2_500, (zones, 2))])
    people = rng.choice([900, 1_400, 1_500, 1_800], zones)
    far = np.hypot(*(where[:, None, :] - xy[None, :, :]).transpose(2, 0, 1)).round().astype(np.int64)
    inherent = np.array([(k, j) for j in np.flatnonzero(outside) for k in range(K) if rng.random() < 0.5], dtype=np.int64)
    p = Problem(
        n_services=K,
        site_cost=cost.astype(np.int64),
        site_capacity=capacity.astype(np.int64),
        point_service=service,
        point_own=np.maximum(area - hall - desk, 0).astype(np.int64),
        point_hall=hall.astype(np.int64),
        point_desk=desk.astype(np.int64),
        pair_point=point,
        pair_site=site,
        pair_cost=pair_cost.astype(np.int64),
        point_home=home,
        site_slack=slack,
        must_open=must_open,
        must_close=must_close,
        inherent=inherent.reshape(-1, 2),
        today=Solution((must_open | np.isin(np.arange(J), home)) & ~must_close, home.copy()),
        site_one_off=np.where(outside, 0, rng.choice([0, 500_000, -900_000], J)),
        pair_one_off=np.where(site == home[point], 0, rng.choice([1_000, 2_000]) * area[point]).astype(np.int64),
    )
    there = offered(p, p.today)
    near = rng.random() < 0.3
    p = replace(p, cover=_cover(p, rng, far, apart, there, displaced=near))
    if rng.random() < 0.35:
        p = replace(p, shares=_shares(p, rng, far, people, there))
    return p


def _cover(
    p: Problem, rng: np.random.Generator, far: np.ndarray, apart: np.ndarray, there: np.ndarray, *, displaced: bool
) -> CoverRows:
    """Everybody within a limit or no worse than today (with a tolerance); displaced counters have their service near."""
    rows: list[tuple[int, int, np.ndarray, int]] = []
    for k in range(p.n_services):
        if not there[k].any() or rng.random() < 0.2:
            continue
        limit, tolerance = int(rng.choice([2_000, 4_000, 9_000])), int(rng.choice([0, 800]))
        for z in range(len(far)):
            today = int(far[z, there[k]].min())
            within = np.flatnonzero(far[z] <= (limit if today <= limit else today + tolerance))
            rows.append((k, 2 if rng.random() < 0.02 and there[k, within].sum() > 1 else 1, within, -1))
    if displaced:
        k = int(rng.integers(0, p.n_services))
        for s in np.flatnonzero(p.point_service == k):
            here = np.flatnonzero((p.pair_point == s) & (p.pair_site == p.point_home[s]))
            rows.append((k, 1, np.flatnonzero(apart[p.point_home[s]] <= 4_000), int(here[0])))
    start = np.concatenate([[0], np.cumsum([len(r[2]) for r in rows])]).astype(np.int64)
    return CoverRows(
        np.array([r[0] for r in rows], dtype=np.int64),
        np.array([r[1] for r in rows], dtype=np.int64),
        start,
        np.concatenate([np.zeros(0, dtype=np.int64), *(r[2] for r in rows)]),
        np.array([r[3] for r in rows], dtype=np.int64),
    )


def _shares(
    p: Problem, rng: np.random.Generator, far: np.ndarray, people: np.ndarray, there: np.ndarray
) -> tuple[ShareRule, ...]:
    rules = []
    for k in np.flatnonzero(there.any(axis=1))[: int(rng.integers(1, 3))].tolist():
        near = far <= int(rng.choice([2_000, 3_000]))
        today = int(people[(near & there[k]).any(axis=1)].sum())
        item, site = np.nonzero(near)
        start = np.searchsorted(item, np.arange(len(people) + 1)).astype(np.int64)
        wanted = min(today, int(rng.choice([0.6, 0.9, 0.95]) * people.sum()))
        rules.append(ShareRule(f"share {k}", k, people.astype(np.int64), start, site.astype(np.int64), wanted))
    return tuple(rules)


def _beyond(p: Problem, rng: np.random.Generator) -> Problem:
    """Budgets, paybacks and counts, throughput, services that may not share or must: each such that today is still a plan."""
    J, P, Q = p.n_sites, p.n_pairs, len(_offers(p))
    there = offered(p, p.today)
    rows = _rows(p, rng, there)
    if rng.random() < 0.5:  # a capital budget: one-off costs less receipts of what is let go
        value = np.concatenate([-p.site_one_off, p.pair_one_off]).astype(float)
        spent = -float(p.site_one_off[~p.today.open].sum())
        budget = float(rng.choice([200_000, 1_000_000])) - min(spent, 0.0)
        rows.append(("budget", np.arange(J + P), value, -np.inf, budget - float(p.site_one_off.sum())))
    if rng.random() < 0.3:  # the last services are of one kind, or make no hub
        kind = np.arange(p.n_services)
        kind[-2:] = int(rng.choice([-1, 0]))
        p = replace(p, service_kind=kind)
    if rng.random() < 0.4:  # at most so many hubs
        now = int(hubs(p, p.today).sum())
        rows.append(("hubs", J + P + Q + np.arange(J), np.ones(J), -np.inf, float(now + rng.integers(0, 2))))
    if rng.random() < 0.3:  # at least so many buildings
        rows.append(("sites", np.arange(J), np.ones(J), float(max(int(p.today.open.sum()) - rng.integers(1, 4), 0)), np.inf))
    if rng.random() < 0.2:  # at least so many hubs
        now = int(hubs(p, p.today).sum())
        rows.append(("hubs", J + P + Q + np.arange(J), np.ones(J), float(max(now - rng.integers(0, 2), 0)), np.inf))
    if rng.random() < 0.2:  # a service in exactly so many places
        k = int(rng.integers(0, p.n_services))
        mine = np.flatnonzero(_offers(p)[:, 0] == k)
        now = float(there[k].sum())
        rows.append(("places", J + P + mine, np.ones(len(mine)), now - float(rng.integers(0, 2)), now))
    conflict, together = np.zeros((0, 3), dtype=np.int64), np.zeros((0, 3), dtype=np.int64)
    if p.n_services > 1 and rng.random() < 0.4:
        sites = np.flatnonzero(~(there[0] & there[1]))
        conflict = np.column_stack([np.zeros(len(sites), dtype=np.int64), np.ones(len(sites), dtype=np.int64), sites])
    if p.n_services > 2 and rng.random() < 0.3:
        sites = np.flatnonzero(there[0] == there[2])
        together = np.column_stack([np.zeros(len(sites), dtype=np.int64), np.full(len(sites), 2), sites]).astype(np.int64)
    columns = [r[1][r[2] != 0] for r in rows]
    side = SideRows(
        tuple(r[0] for r in rows),
        np.array([r[3] for r in rows], dtype=float),
        np.array([r[4] for r in rows], dtype=float),
        np.concatenate([[0], np.cumsum([len(c) for c in columns])]).astype(np.int64),
        np.concatenate([np.zeros(0, dtype=np.int64), *columns]),
        np.concatenate([np.zeros(0), *(r[2][r[2] != 0] for r in rows)]),
    )
    q = replace(p, side=side, conflict=conflict, together=together)
    return q if not violations(q, q.today) else p


def _rows(p: Problem, rng: np.random.Generator, there: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray, float, float]]:
    """Rows that one building keeps or breaks by itself, and rows that a point keeps by staying."""
    J, P = p.n_sites, p.n_pairs
    rows: list[tuple[str, np.ndarray, np.ndarray, float, float]] = []
    if rng.random() < 0.3:  # throughput: visits within what a building can take, or has today
        visits = rng.choice([10, 20, 30], p.n_points)
        today = np.bincount(p.today.host, visits, J)
        for j in np.flatnonzero(rng.random(J) < 0.5).tolist():
            pairs = np.flatnonzero(p.pair_site == j)
            value = np.concatenate([[-max(float(today[j]), float(rng.choice([20, 40])))], visits[p.pair_point[pairs]]])
            rows.append(("visits", np.concatenate([[j], J + pairs]), value, -np.inf, 0.0))
    if rng.random() < 0.2:  # counters of a service may not merge
        k = int(rng.integers(0, p.n_services))
        for j in range(J):
            pairs = np.flatnonzero((p.pair_site == j) & (p.point_service[p.pair_point] == k))
            most = float(max(((p.today.host == j) & (p.point_service == k)).sum(), 1))
            rows.append(("apart", J + pairs, np.ones(len(pairs)), -np.inf, most))
    if rng.random() < 0.2:  # who leaves has the service near what is left
        place = {(int(k), int(j)): q for q, (k, j) in enumerate(_offers(p).tolist())}
        for s in rng.permutation(p.n_points)[:4].tolist():
            k, home = int(p.point_service[s]), int(p.point_home[s])
            pair = np.flatnonzero((p.pair_point == s) & (p.pair_site == home))
            near = [place[k, j] for j in rng.permutation(J)[: J // 3].tolist() if (k, j) in place and j != home]
            rows.append(("leaves", np.concatenate([J + pair, J + P + np.array(near, dtype=np.int64)]),
                         np.ones(len(near) + 1), 1.0, np.inf))  # fmt: skip
    return rows


def _offers(p: Problem) -> np.ndarray:
    from estate.problem import offer_columns

    return offer_columns(p)
