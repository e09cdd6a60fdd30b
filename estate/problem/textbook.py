"""The location models of the textbooks, as special cases of the one problem.

Candidate facilities are sites; a client that needs a facility within reach is a cover row; a facility offers its service whenever
it is open (an *inherent* offer), so these models have no access points, unless clients are assigned whole to facilities with a
capacity: then each client is an access point, and its demand is its floor area.

| model | here | reference |
|---|---|---|
| LSCP | least number of open sites, every client covered | Toregas, Swain, ReVelle and Bergman 1971 |
| MCLP | most people covered by ``p`` sites | Church and ReVelle 1974 |
| p-median | least weighted distance to the nearest of ``p`` sites | Hakimi 1964; ReVelle and Swain 1970 |
| p-center | least greatest distance to the nearest of ``p`` sites | Hakimi 1964; Minieka 1970 |
| single-source capacitated | fixed and assignment cost, each client whole to one site | Neebe and Rao 1983 |
| capacitated LSCP | least sites whose capacities hold all demand, which may be split | Current and Storbeck 1988 |
| capacitated p-median | p-median, each client whole to one of ``p`` sites with room | Mulvey and Beck 1984 |

Demand that may be split is a point for each unit of it: with whole demands and capacities some best split is whole (the
assignment of units to given sites is a transportation problem).

Distances are whole metres; ``distance[i, j]`` is from client ``i`` to site ``j``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estate.problem.arrays import CoverRows, Goal, Ints, NearRows, Problem, ShareRule, SideRows


def _facilities(n: int, **fields: object) -> Problem:
    """Sites that offer the one service whenever they are open, and nothing else."""
    none = np.zeros(0, dtype=np.int64)
    base = Problem(
        n_services=1,
        site_cost=np.zeros(n, dtype=np.int64),
        site_capacity=np.zeros(n, dtype=np.int64),
        point_service=none,
        point_own=none,
        point_hall=none,
        point_desk=none,
        pair_point=none,
        pair_site=none,
        pair_cost=none,
        point_home=none,
        site_slack=np.zeros(n, dtype=np.int64),
        must_open=np.zeros(n, dtype=bool),
        must_close=np.zeros(n, dtype=bool),
        inherent=np.column_stack([np.zeros(n, dtype=np.int64), np.arange(n)]),
    )
    values = {name: getattr(base, name) for name in Problem.__dataclass_fields__}
    return Problem(**{**values, **fields})


def _lists(within: np.ndarray) -> tuple[Ints, Ints]:
    """Starts and sites of a clients x sites mask."""
    sites = max(within.shape[1], 1)
    entry = np.flatnonzero(within)  # in a fifth of the time that two coordinates take
    return np.searchsorted(entry, np.arange(len(within) + 1) * sites).astype(np.int64), entry % sites


def _count(n: int, p: int) -> SideRows:
    return SideRows(
        (f"{p} sites",), np.array([float(p)]), np.array([float(p)]), np.array([0, n]), np.arange(n, dtype=np.int64), np.ones(n)
    )


def lscp(distance: Ints, limit: int) -> Problem:
    """Location set covering: its cost is the number of sites (in pence)."""
    clients, sites = distance.shape
    start, site = _lists(distance <= limit)
    zero = np.zeros(clients, dtype=np.int64)
    rows = CoverRows(zero, zero + 1, start, site, zero - 1)
    return _facilities(sites, site_cost=np.ones(sites, dtype=np.int64), cover=rows)


def mclp(distance: Ints, weight: Ints, limit: int, p: int) -> Problem:
    """Maximal covering: its value is the weight within ``limit`` of ``p`` sites."""
    start, site = _lists(distance <= limit)
    rule = ShareRule("covered", 0, weight.astype(np.int64), start, site, 0)
    return _facilities(distance.shape[1], shares=(rule,), side=_count(distance.shape[1], p), goal=Goal.COVERED)


def _near(distance: Ints, weight: Ints) -> NearRows:
    clients, sites = distance.shape
    # Distance and site as one number: sorted in half the time that an argsort takes.
    metres, site = np.divmod(np.sort(distance.astype(np.int64) * sites + np.arange(sites), axis=1).ravel(), sites)
    return NearRows(np.zeros(clients, dtype=np.int64), weight.astype(np.int64), np.arange(clients + 1) * sites, site, metres)


def p_median(distance: Ints, weight: Ints, p: int) -> Problem:
    """p-median: its value is the weighted distance to the nearest of ``p`` sites."""
    return _facilities(distance.shape[1], near=_near(distance, weight), side=_count(distance.shape[1], p), goal=Goal.TRAVEL)


def p_center(distance: Ints, p: int) -> Problem:
    """p-center: its value is the greatest distance to the nearest of ``p`` sites."""
    ones = np.ones(distance.shape[0], dtype=np.int64)
    return _facilities(distance.shape[1], near=_near(distance, ones), side=_count(distance.shape[1], p), goal=Goal.FARTHEST)


def single_source(fixed: Ints, capacity: Ints, demand: Ints, assign: Ints) -> Problem:
    """Single-source capacitated location; ``assign[j, i]`` is the cost of client ``i`` at site ``j``."""
    sites, clients = assign.shape
    zero = np.zeros(clients, dtype=np.int64)
    point, site = np.divmod(np.arange(clients * sites), sites)
    fits = demand[point] <= capacity[site]
    point, site = point[fits], site[fits]
    return _facilities(
        sites,
        site_cost=fixed.astype(np.int64),
        site_capacity=capacity.astype(np.int64),
        point_service=zero,
        point_own=demand.astype(np.int64),
        point_hall=zero,
        point_desk=zero,
        pair_point=point.astype(np.int64),
        pair_site=site.astype(np.int64),
        pair_cost=assign[site, point].astype(np.int64),
        point_home=zero - 1,
        inherent=np.zeros((0, 2), dtype=np.int64),
    )


def capacitated_lscp(distance: Ints, demand: Ints, capacity: Ints, limit: int) -> Problem:
    """Capacitated set covering, demand split at will among sites within ``limit``: its cost is the number of sites."""
    sites = distance.shape[1]
    client = np.repeat(np.arange(len(demand)), demand)
    point, site = np.nonzero(distance[client] <= limit)
    zero = np.zeros(len(client), dtype=np.int64)
    return _facilities(
        sites,
        site_cost=np.ones(sites, dtype=np.int64),
        site_capacity=capacity.astype(np.int64),
        point_service=zero,
        point_own=zero + 1,
        point_hall=zero,
        point_desk=zero,
        pair_point=point.astype(np.int64),
        pair_site=site.astype(np.int64),
        pair_cost=np.zeros(len(point), dtype=np.int64),
        point_home=zero - 1,
        inherent=np.zeros((0, 2), dtype=np.int64),
    )


def capacitated_p_median(distance: Ints, weight: Ints, capacity: Ints, p: int) -> Problem:
    """Capacitated p-median: its cost is the weighted distance; a client takes ``weight`` of its site's capacity."""
    sites = distance.shape[1]
    whole = single_source(np.zeros(sites, dtype=np.int64), capacity, weight, (weight[:, None] * distance).T)
    return replace(whole, side=_count(sites, p))


def uncapacitated(fixed: Ints, assign: Ints) -> Problem:
    """Uncapacitated (simple plant) location; ``assign[j, i]`` is the cost of client ``i`` at site ``j``."""
    sites, clients = assign.shape
    return single_source(fixed, np.full(sites, clients, dtype=np.int64), np.ones(clients, dtype=np.int64), assign)
