"""What follows from a plan of a :class:`~estate.problem.Problem`: its cost, offers, area, people in reach, and broken rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from estate.problem.arrays import Bools, Goal, Ints, Problem, ShareRule, Solution, no_pairs


def offer_columns(problem: Problem) -> Ints:
    """The distinct (service, site) offers, (Q, 2), sorted by site and then service: the order of the ``offer`` columns."""
    hosted = np.column_stack([problem.point_service[problem.pair_point], problem.pair_site])
    both = np.concatenate([hosted, problem.inherent]).astype(np.int64)
    return np.unique(both[:, ::-1], axis=0)[:, ::-1] if len(both) else no_pairs()


def cost(problem: Problem, solution: Solution) -> int:
    """Whole pence a year of a solution (``site_cost . open + pair_cost . host``), whatever the goal."""
    chosen = solution.host[problem.pair_point] == problem.pair_site
    return int(problem.site_cost[solution.open].sum() + problem.pair_cost[chosen].sum())


def step(problem: Problem) -> int:
    """Pence that divide the cost of every plan: costs in round figures make plans differ by as much, or not at all."""
    return max(int(np.gcd.reduce(np.concatenate([problem.site_cost, problem.pair_cost, [0]]))), 1)


def offered(problem: Problem, solution: Solution) -> Bools:
    """(K, J) bools: where each service is present."""
    there = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    there[problem.point_service, solution.host] = True
    service, site = problem.inherent[:, 0], problem.inherent[:, 1]
    there[service, site] |= solution.open[site]
    chosen = solution.host[problem.pair_point] == problem.pair_site if problem.derived else np.zeros(0, dtype=bool)
    for each in problem.derived:
        parts = [np.bincount(problem.pair_site[part & chosen], minlength=problem.n_sites) > 0 for part in each.parts]
        there[each.service] |= np.all(parts, axis=0)
    return there


def area_used(problem: Problem, solution: Solution) -> Ints:
    """(J,) floor area in use, 0.1 m2: own parts added up, the largest hall once, the largest desk of each service once."""
    used = np.zeros(problem.n_sites, dtype=np.int64)
    np.add.at(used, solution.host, problem.point_own)
    hall = np.zeros(problem.n_sites, dtype=np.int64)
    np.maximum.at(hall, solution.host, problem.point_hall)
    desk = np.zeros((problem.n_services, problem.n_sites), dtype=np.int64)
    np.maximum.at(desk, (problem.point_service, solution.host), problem.point_desk)
    return used + hall + desk.sum(axis=0)


def column_values(problem: Problem, solution: Solution) -> NDArray[np.float64]:
    """The columns of the side rows in a plan: sites open (J), pairs chosen (P), services offered (Q), hubs (J)."""
    offers = offer_columns(problem)
    pair = solution.host[problem.pair_point] == problem.pair_site
    there = offered(problem, solution)[offers[:, 0], offers[:, 1]]
    return np.concatenate([solution.open, pair, there, hubs(problem, solution)]).astype(np.float64)


def hubs(problem: Problem, solution: Solution) -> Bools:
    """(J,) sites that host points of services of two or more kinds."""
    kind = problem.kinds[problem.point_service]
    there = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    there[kind[kind >= 0], solution.host[kind >= 0]] = True
    return np.asarray(there.sum(axis=0) >= 2)


def violations(problem: Problem, solution: Solution) -> Mapping[str, Ints]:
    """Every broken row by family, as indices (sites, points, cover rows, share rules, side rows); empty when feasible.

    The search calls it on every incumbent.  It is arithmetic on the same arrays, so it is *not* the referee, which works
    from the tables.
    """
    found: dict[str, Ints] = {}

    def note(family: str, bad: NDArray[np.bool_]) -> None:
        if bad.any():
            found[family] = np.flatnonzero(bad)

    pair = solution.host[problem.pair_point] == problem.pair_site
    note("somewhere", np.bincount(problem.pair_point[pair], minlength=problem.n_points) != 1)
    note("open", ~solution.open[solution.host])
    note("must_open", problem.must_open & ~solution.open)
    note("must_close", problem.must_close & solution.open)

    gains = np.zeros(problem.n_sites, dtype=bool)
    away = solution.host != problem.point_home
    gains[solution.host[away]] = True
    room = problem.site_capacity + np.where(gains, 0, problem.site_slack)
    note("area", area_used(problem, solution) > np.where(solution.open, room, 0))

    there = offered(problem, solution)
    cover = problem.cover
    if len(cover):
        row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
        reached = np.bincount(row, weights=there[cover.service[row], cover.site], minlength=len(cover))
        excused = (cover.excuse >= 0) & pair[np.maximum(cover.excuse, 0)] if len(pair) else cover.excuse >= 0
        note("cover", reached + excused < cover.need)
    note("share", np.array([covered_weight(rule, there) < rule.required for rule in problem.shares], dtype=bool))
    for family, triples, broken in (
        ("conflict", problem.conflict, np.logical_and),
        ("together", problem.together, np.logical_xor),
    ):
        a, b, site = triples.T
        note(family, broken(there[a, site], there[b, site]))
    if problem.goal in {Goal.TRAVEL, Goal.FARTHEST}:  # a row that nothing serves has no distance
        note("near", near_distance(problem, there) < 0)
    if len(problem.side):
        x, side = column_values(problem, solution), problem.side
        row = np.repeat(np.arange(len(side)), np.diff(side.start))
        activity = np.bincount(row, weights=side.value * x[side.column], minlength=len(side))
        scale = 1e-9 * np.maximum(1.0, np.abs(activity))
        note("side", (activity < side.lower - scale) | (activity > side.upper + scale))
    return found


BROKEN: Mapping[str, str] = {
    "somewhere": "an access point is not in exactly one building that may host it",
    "open": "an access point is in a building that is closed",
    "must_open": "a building that stays open is closed",
    "must_close": "a building that must close is open",
    "area": "a building is too full",
    "cover": "somebody is too far from a service",
    "share": "too few people are within a limit",
    "conflict": "two services share a building and may not",
    "together": "two services do not share a building and must",
    "near": "somebody reaches no building with a service",
    "side": "a count, a budget or a payback is not kept",
}
"""What a broken row of each family of :func:`violations` means, for people."""


def covered_weight(rule: ShareRule, there: Bools) -> int:
    """People of a share rule with an offer in reach, given :func:`offered`."""
    item = np.repeat(np.arange(len(rule.weight)), np.diff(rule.start))
    reached = np.bincount(item, weights=there[rule.service, rule.site], minlength=len(rule.weight)) > 0
    return int(rule.weight[reached].sum())


def near_distance(problem: Problem, there: Bools) -> Ints:
    """(N,) distance from each near row to its nearest offer; -1 where none of its sites offers the service."""
    near = problem.near
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    served = there[near.service[row], near.site]
    best = np.full(len(near), np.iinfo(np.int64).max)
    np.minimum.at(best, row[served], near.distance[served])
    return np.where(best == np.iinfo(np.int64).max, -1, best)
