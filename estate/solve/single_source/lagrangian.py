"""The Lagrangian bound of single-source location.

Price "each client somewhere" with free ``u_s``.  What is left falls apart into a knapsack for each site and one over the sites:

    L(u) = sum_s u_s - max over y of sum_j (K_j - f_j) y_j
    K_j  = max over sets of clients with demand <= Q_j of  sum (u_s - c_js)
    y    : sum_j Q_j y_j >= sum_s d_s;  or  least <= sum_j y_j <= most

The row over ``y`` follows from the others, but not from their relaxation: with it the bound of the Holmberg instance of greatest
fixed cost (p58) is 0.46% below the optimum, without it 1.8%.  (Barcelo and Casanovas 1984; Beasley 1993; Holmberg, Roennqvist
and Yuan 1999; for p-median Cornuejols, Fisher and Nemhauser 1977.)

**Ascent** is a deflected subgradient (Camerini, Fratta and Maffioli 1975).  A running average of the sets chosen comes out
beside it: nearly the fractional solution of the linear bound (Barahona and Anbil 2000), and what branching goes by.

All values are whole multiples of 2**-6, so while they add up to less than 2**46 the bounds are exact in doubles, and no safety is
taken off; beyond, :func:`rounding_error` is.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, C901, PLR0913, PLR0917

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from estate.problem import Bools, Floats, Ints
from estate.solve.single_source.knapsack import GRAIN, Labels, best_set, dantzig, sort_by_rate

AVERAGE = 0.1
"""Weight of the newest sets in the running average."""


class ClientLists(NamedTuple):
    """The pairs still possible, site by site: clients ``who[first[j]:first[j + 1]]``; and each client's only site, or -1."""

    first: Ints
    who: Ints
    only: Ints
    number: Ints
    """(S,) how many sites are still possible for the client."""


class Scratch(NamedTuple):
    """Arrays used over and over.  ``taken`` and ``share`` go with ``Lists.who``."""

    gain: Floats
    opened: Bools
    opening: Floats
    """(J,) running average of ``opened``."""
    taken: Bools
    share: Floats
    """Running average of ``taken`` at opened sites."""
    slope: Floats
    profit: Floats
    key: Floats
    inside: Bools
    items: Ints
    chosen: Ints
    sites: Ints
    closing: Floats
    labels: Labels


def scratch(J: int, S: int, labels: Labels) -> Scratch:
    """Room for J sites and S clients."""
    n = max(J, S)
    return Scratch(
        gain=np.zeros(J), opened=np.zeros(J, bool), opening=np.zeros(J), taken=np.zeros(J * S, bool), share=np.zeros(J * S),
        slope=np.zeros(S), profit=np.zeros(S), key=np.zeros(n), inside=np.zeros(S, bool), items=np.zeros(n, np.int64),
        chosen=np.zeros(n, np.int64), sites=np.zeros(n, np.int64), closing=np.zeros(J), labels=labels,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def list_pairs(alive):
    """The pairs marked in ``alive`` (J, S)."""
    J, S = alive.shape
    first, who = np.zeros(J + 1, np.int64), np.empty(alive.sum(), np.int64)
    only, number = np.full(S, -1), np.zeros(S, np.int64)
    n = 0
    for j in range(J):
        for s in range(S):
            if alive[j, s]:
                who[n] = s
                n += 1
                number[s] += 1
                only[s] = j
        first[j + 1] = n
    for s in range(S):
        if number[s] != 1:
            only[s] = -1
    return ClientLists(first, who, only, number)


@numba.njit(cache=True, nogil=True)
def fill(place, lists, j, u, work):
    """Profits of the clients of site ``j``: how many are worth having, the room for them, the worth of those sure to come.

    ``work.items`` gets the former in falling order of profit by demand, or unsorted where all fit (room is then ample).
    """
    room, sure, n = place.capacity[j], 0.0, 0
    for e in range(lists.first[j], lists.first[j + 1]):
        s = lists.who[e]
        p = u[s] - place.cost[j, s]
        work.profit[s] = p
        if lists.only[s] == j:
            sure += p
            room -= place.demand[s]
        elif p > 0.0:
            work.items[n] = s
            n += 1
    asked, kept = 0, 0
    for i in range(n):
        s = work.items[i]
        if place.demand[s] <= room:
            asked += place.demand[s]
            work.items[kept] = s
            kept += 1
    if asked > room:
        work.items[:kept] = sort_by_rate(work.profit, place.demand, work.items[:kept], work.key)
    return kept, room, sure


@numba.njit(cache=True, nogil=True)
def choose(place, state, gain, order, site, to, exact, opened, work):
    """Best sum of gains over the sites that may be open together, with ``site`` forced ``to`` 1 or -1 (or none: -1).

    ``order`` is the sites in falling order of gain (count rows) or of loss for a unit of capacity.  ``opened`` gets the choice;
    where it need not be ``exact``, only an upper bound comes back.
    """
    total, J = 0.0, len(gain)
    if place.least > 0 or place.most < J:
        n = 0
        for j in range(J):
            opened[j] = (to if j == site else state[j]) > 0
            if opened[j]:
                total += gain[j]
                n += 1
        for j in order:
            if state[j] == 0 and j != site and n < place.most and (gain[j] > 0.0 or n < place.least):
                opened[j] = True
                total += gain[j]
                n += 1
        return total if place.least <= n <= place.most else -np.inf
    spare, n = -place.demand.sum(), 0
    for j in order:
        now = to if j == site else state[j]
        opened[j] = now >= 0
        if now < 0:
            continue
        spare += place.capacity[j]
        total += gain[j]
        if now == 0 and gain[j] < 0.0:
            work.closing[j] = -gain[j]
            work.sites[n] = j
            n += 1
    if spare < 0:
        return -np.inf
    if not exact:
        return total + dantzig(work.closing, place.capacity, work.sites[:n], spare, -1)
    value, size = best_set(work.closing, place.capacity, work.sites[:n], spare, -1, work.chosen, work.labels)
    for i in range(size):
        opened[work.chosen[i]] = False
    return total + value


@numba.njit(cache=True, nogil=True)
def site_order(place, gain):
    """The order that :func:`choose` asks for."""
    key = np.empty(len(gain))
    for j in range(len(gain)):
        if place.least > 0 or place.most < len(gain):
            key[j] = -gain[j]
        else:
            key[j] = gain[j] / max(place.capacity[j], 1)
    return np.argsort(key, kind="mergesort")


@numba.njit(cache=True, nogil=True)
def rounding_error(u, gain):
    """More than the sums of a bound can be wrong by."""
    mass = np.abs(u).sum() + np.abs(gain).sum()
    return 0.0 if mass < 2.0**46 else mass * 2.0**-40


@numba.njit(cache=True, nogil=True)
def relax(place, lists, state, u, work):
    """The bound at ``u``, with the sets chosen and the subgradient; infinite where nothing can be feasible."""
    total = 0.0
    for s in range(len(u)):
        total += u[s]
        work.slope[s] = 1.0
    for j in range(len(state)):
        work.gain[j] = 0.0
        for e in range(lists.first[j], lists.first[j + 1]):
            work.taken[e] = False
        if state[j] < 0:
            continue
        n, room, sure = fill(place, lists, j, u, work)
        if room < 0:
            return np.inf
        value, size = best_set(work.profit, place.demand, work.items[:n], room, -1, work.chosen, work.labels)
        work.gain[j] = sure + value - place.site_cost[j]
        for i in range(size):
            work.inside[work.chosen[i]] = True
        for e in range(lists.first[j], lists.first[j + 1]):
            s = lists.who[e]
            work.taken[e] = work.inside[s] or lists.only[s] == j
            work.inside[s] = False
    total -= choose(place, state, work.gain, site_order(place, work.gain), -1, 0, True, work.opened, work)
    total -= rounding_error(u, work.gain)
    for j in range(len(state)):
        if work.opened[j]:
            for e in range(lists.first[j], lists.first[j + 1]):
                if work.taken[e]:
                    work.slope[lists.who[e]] -= 1.0
    return total


@numba.njit(cache=True, nogil=True)
def ascend(place, lists, state, u, target, turns, scale, patience, stop_at, work):
    """The best bound of so many steps from ``u``, which becomes the multipliers that prove it.

    ``target`` is a plan's cost, or infinity (it sets the step); a bound above ``stop_at`` ends the ascent.
    """
    best, best_u, stall = -np.inf, u.copy(), 0
    direction = np.zeros(len(u))
    work.opening[:] = 0.0
    work.share[: lists.first[-1]] = 0.0
    for turn in range(turns):
        value = relax(place, lists, state, u, work)
        weight = AVERAGE if turn else 1.0
        for j in range(len(state)):
            work.opening[j] += weight * (work.opened[j] - work.opening[j])
            for e in range(lists.first[j], lists.first[j + 1]):
                work.share[e] += weight * ((work.taken[e] and work.opened[j]) - work.share[e])
        if value > best:
            if value - best > 1e-5 * abs(value):
                stall = 0
            best = value
            best_u[:] = u
            if best > stop_at:
                break
        else:
            stall += 1
            if stall >= patience:
                scale *= 0.66
                stall = 0
        norm = 0.0
        for s in range(len(u)):
            direction[s] = 0.3 * direction[s] + 0.7 * work.slope[s] if turn else work.slope[s]
            norm += direction[s] * direction[s]
        if norm < 1e-9:
            break
        aim = target if target < np.inf else best + 0.05 * abs(best) + 1.0
        step = scale * max(aim - value, 1e-4 * abs(aim)) / norm
        for s in range(len(u)):
            u[s] = np.round((u[s] + step * direction[s]) / GRAIN) * GRAIN
    u[:] = best_u
    return best
