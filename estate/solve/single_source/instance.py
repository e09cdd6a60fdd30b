"""Location with each client whole to one site, as dense arrays: what :mod:`estate.solve.single_source.lagrangian` works on.

    min  sum_j f_j y_j + sum_js c_js x_js
         sum_j x_js = 1                          each client somewhere, whole
         sum_s d_s x_js <= Q_j y_j               capacity
         least <= sum_j y_j <= most              number of sites, where the problem asks for it

Two kinds of :class:`~estate.problem.Problem` are of this form:

* goal ``cost``, points of plain areas and no rows but capacity: single-source capacitated location (Neebe and Rao 1983), and
  uncapacitated location (Balinski 1965) where everybody fits anywhere;
* goal ``travel`` and clients that go to the nearest of so many sites: p-median (Hakimi 1964).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from estate.problem import Bools, Floats, Goal, Ints, Problem, Solution

NEVER = 2.0**45
"""Cost of a pair that is not allowed."""
GREATEST = 2.0**40
"""All the other costs of a plan add up to less than this."""
MOST_PAIRS = 4_000_000
"""Most sites times clients: 32 MB, and about 10 ms a bound."""


class Location(NamedTuple):
    """One instance (a tuple, so that compiled code can take it).  Shapes: J sites, S clients."""

    site_cost: Floats
    capacity: Ints
    demand: Ints
    cost: Floats
    """(J, S), :data:`NEVER` where the pair is not allowed."""
    least: int
    most: int
    """Sites that may be open: 0 and J where the problem does not say."""
    ample: bool
    """Every site has room for everybody."""
    step: int
    """Costs of plans are whole multiples of this."""


def site_counts(problem: Problem) -> tuple[int, int] | None:
    """The least and most sites that may be open, by the problem's side rows; None where these say anything else."""
    J, side = problem.n_sites, problem.side
    low, high = 0, J
    for r in range(len(side)):
        column, value = (a[side.start[r] : side.start[r + 1]] for a in (side.column, side.value))
        if len(column) != J or not np.array_equal(np.sort(column), np.arange(J)) or not (value == 1).all():
            return None
        if side.lower[r] > 0:
            low = max(low, math.ceil(side.lower[r]))
        if side.upper[r] < J:
            high = min(high, math.floor(side.upper[r]))
    return low, high


def _assigned(problem: Problem) -> bool:
    """Whether points go to sites of limited area, and nothing else counts."""
    shared = problem.site_slack.any() or problem.point_hall.any() or problem.point_desk.any()
    return problem.goal is Goal.COST and problem.n_points > 0 and not len(problem.inherent) and not shared


def _travelling(problem: Problem) -> bool:
    """Whether clients go to their nearest open site, and nothing else counts."""
    near = problem.near
    if problem.goal is not Goal.TRAVEL or problem.n_points or not len(near):
        return False
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    offers = problem.inherent[:, 0] * problem.n_sites + problem.inherent[:, 1]
    return bool(np.isin(near.service[row] * problem.n_sites + near.site, offers).all())


def suits(problem: Problem) -> bool:
    """Whether the problem is one of these kinds and no more, and of a size for dense arrays."""
    if len(problem.cover) or problem.shares or len(problem.conflict) or len(problem.together) or site_counts(problem) is None:
        return False
    if not (_assigned(problem) or _travelling(problem)):
        return False
    client, _, cost = _pairs(problem)
    clients = max(problem.n_points, len(problem.near))
    dearest = np.zeros(clients, dtype=np.int64)
    np.maximum.at(dearest, client, np.abs(cost))
    fixed = problem.site_cost if problem.goal is Goal.COST else np.zeros(0, dtype=np.int64)
    total = float(dearest.sum()) + float(fixed.sum())
    return problem.n_sites * clients <= MOST_PAIRS and total < GREATEST and bool((fixed >= 0).all())


def _pairs(problem: Problem) -> tuple[Ints, Ints, Ints]:
    """Client, site and cost of each pair."""
    if problem.goal is Goal.COST:
        return problem.pair_point, problem.pair_site, problem.pair_cost
    near = problem.near
    row = np.repeat(np.arange(len(near)), np.diff(near.start)).astype(np.int64)
    return row, near.site, near.weight[row] * near.distance


def location(problem: Problem) -> Location:
    """The arrays of a problem that :func:`suits`."""
    J = problem.n_sites
    client, site, worth = _pairs(problem)
    if problem.goal is Goal.COST:
        fixed, capacity, demand = problem.site_cost, problem.site_capacity, problem.point_own
    else:
        fixed, capacity, demand = (np.zeros(n, dtype=np.int64) for n in (J, J, len(problem.near)))
    fits = demand[client] <= capacity[site]
    cost = np.full((J, len(demand)), NEVER)
    cost[site[fits], client[fits]] = worth[fits]
    least, most = site_counts(problem) or (0, J)
    most = max(most, -1)
    step = int(np.gcd.reduce(np.concatenate([worth, fixed, [0]])))
    ample = bool((capacity >= demand.sum()).all())
    return Location(fixed.astype(float), capacity, demand, cost, least, most, ample, max(step, 1))


def first_state(problem: Problem) -> Ints:
    """(J,) 1 for sites that must be open, -1 for those that must be closed (or both, which no plan is), else 0."""
    state: Ints = np.where(problem.must_close, -1, problem.must_open).astype(np.int64)
    return state


def plan(problem: Problem, is_open: Bools, host: Ints) -> Solution:
    """The decision in the problem's own terms: clients that are not points have no host."""
    return Solution(is_open.copy(), host.copy() if problem.n_points else np.zeros(0, dtype=np.int64))
