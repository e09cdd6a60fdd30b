"""Forced bounds: what the Lagrangian of :mod:`.single_source.lagrangian` says of each site and each pair, and what that fixes.

With ``y_j`` forced to 0 or 1, ``L`` bounds every plan that is so.  With client ``s`` forced into ``j``, site ``j`` is open and
its knapsack worth less by ``loss_js = K_j - K_j(s in)``; and a site ``i`` that took ``s`` must do without it, at a loss, or be
closed:

    L(s in j) >= max( L(y_j = 1),  L + max over i of min(K_i - K_i(s out), L(y_i = 0) - L) ) + loss_js

Dantzig's bound stands in for the knapsacks with ``s`` in or out.  Where a forced bound exceeds what a better plan may cost,
the opposite holds in every better plan: the pair or site is fixed, which tightens the next bounds (Beasley 1993; Holmberg,
Roennqvist and Yuan 1999).
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202, C901, PLR0912, PLR0913, PLR0917

from __future__ import annotations

import numba
import numpy as np

from estate.solve.single_source.knapsack import dantzig, sort_by_rate
from estate.solve.single_source.lagrangian import choose, fill, relax, rounding_error, site_order

EXACT_SITES = 60
"""Up to so many sites the knapsack over sites is solved for each site forced; beyond, Dantzig's bound on it is near enough."""


@numba.njit(cache=True, nogil=True)
def _without_client(place, lists, j, u, if_closed, base, gain, work, loss, second, where):
    """What opened site ``j`` loses without each client it takes: kept are the two greatest by client, and where the first is."""
    n, room, sure = fill(place, lists, j, u, work)
    value = gain[j] + place.site_cost[j] - sure
    all_in = place.demand[work.items[:n]].sum() <= room
    for e in range(lists.first[j], lists.first[j + 1]):
        s = lists.who[e]
        if not work.taken[e] or lists.only[s] == j:
            continue
        rest = value - work.profit[s] if all_in else dantzig(work.profit, place.demand, work.items[:n], room, s)
        lost = min(value - rest, if_closed[j] - base)
        if lost > loss[s]:
            loss[s], second[s], where[s] = lost, loss[s], j
        elif lost > second[s]:
            second[s] = lost


@numba.njit(cache=True, nogil=True)
def force(place, lists, state, u, exact, work, if_open, if_closed, if_there):
    """The bound at ``u``, and the bounds with each site open, each closed, and each pair of ``lists`` chosen.

    ``exact`` says whether the knapsack over sites is solved for each site forced.
    """
    base = relax(place, lists, state, u, work)
    if_open[:], if_closed[:], if_there[: lists.first[-1]] = base, base, base
    if base == np.inf:
        return base
    J, S = place.cost.shape
    gain, opened, spare = work.gain.copy(), work.opened.copy(), np.zeros(J, np.bool_)
    order, priced = site_order(place, gain), u.sum() - rounding_error(u, gain)
    for j in range(J):
        if state[j] == 0 and opened[j]:
            if_closed[j] = max(base, priced - choose(place, state, gain, order, j, -1, exact, spare, work))
        elif state[j] == 0:
            if_open[j] = max(base, priced - choose(place, state, gain, order, j, 1, exact, spare, work))
        else:
            if_open[j], if_closed[j] = (base, np.inf) if state[j] > 0 else (np.inf, base)
    loss, second, where = np.zeros(S), np.zeros(S), np.full(S, -1)
    for j in range(J):
        if opened[j]:
            _without_client(place, lists, j, u, if_closed, base, gain, work, loss, second, where)
    for j in range(J):
        n, room, sure = fill(place, lists, j, u, work)
        value = gain[j] + place.site_cost[j] - sure
        asked, ordered = place.demand[work.items[:n]].sum(), False
        for e in range(lists.first[j], lists.first[j + 1]):
            s = lists.who[e]
            there = work.profit[s]
            if lists.only[s] == j or work.taken[e]:
                there = value
            elif place.demand[s] > room:
                there = -np.inf
            elif asked + place.demand[s] <= room:
                there += value
            else:
                if not ordered:
                    work.items[:n] = sort_by_rate(work.profit, place.demand, work.items[:n], work.key)
                    ordered = True
                there += dantzig(work.profit, place.demand, work.items[:n], room - place.demand[s], s)
            elsewhere = second[s] if where[s] == j else loss[s]
            if_there[e] = max(base + elsewhere, if_open[j]) + max(value - there, 0.0)
    work.opened[:] = opened
    return base


@numba.njit(cache=True, nogil=True)
def fix(place, lists, state, alive, u, cutoff, work):
    """Mark off in ``state`` (J,) and ``alive`` (J, S) the sites and pairs whose forced bound exceeds ``cutoff``.

    Returns the bound itself, infinite where nothing is left, and how many sites and pairs were fixed.
    """
    J, S = alive.shape
    if_open, if_closed, if_there = np.empty(J), np.empty(J), np.empty(lists.first[-1])
    bound = force(place, lists, state, u, J <= EXACT_SITES, work, if_open, if_closed, if_there)
    sites, pairs = 0, 0
    if bound > cutoff:
        return bound, sites, pairs
    for j in range(J):
        for e in range(lists.first[j], lists.first[j + 1]):
            if if_there[e] > cutoff:
                alive[j, lists.who[e]] = False
                pairs += 1
        if state[j] == 0 and if_open[j] > cutoff:
            if if_closed[j] > cutoff:
                return np.inf, sites, pairs
            state[j] = -1
            alive[j, :] = False
            sites += 1
        elif state[j] == 0 and if_closed[j] > cutoff:
            state[j] = 1
            sites += 1
    for s in range(S):
        number, last = 0, -1
        for j in range(J):
            if alive[j, s]:
                number += 1
                last = j
        if number == 0:
            return np.inf, sites, pairs
        if number == 1 and state[last] == 0:
            state[last] = 1
            sites += 1
    return bound, sites, pairs
