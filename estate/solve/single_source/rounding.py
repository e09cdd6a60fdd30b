"""Plans for single-source location from what a relaxation chose, improved by exchanges.

The clients that the relaxation placed stay where they are cheapest; the others go where they would regret most not to go
(Martello and Toth 1981); then clients shift and swap, and sites open, close and change places, until nothing gains.  Where
every site has room for everybody each client is at its nearest, and the exchange of two sites is found for all pairs of sites
at once (Teitz and Bart 1968, as Whitaker 1983 counts it).

Sites that ``state`` (J,) marks 1 stay open, those marked -1 stay closed.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202, C901, PLR0912

from __future__ import annotations

import numba
import numpy as np

from estate.solve.single_source.instance import NEVER


@numba.njit(cache=True, nogil=True)
def cost_of(place, opened, host):
    """Cost of a plan; :data:`NEVER` or more where a client is nowhere, or not allowed where it is."""
    total = 0.0
    for j in range(len(opened)):
        if opened[j]:
            total += place.site_cost[j]
    for s in range(len(host)):
        total += place.cost[host[s], s] if host[s] >= 0 else NEVER
    return total


@numba.njit(cache=True, nogil=True)
def place_all(place, opened, host, room):
    """Give each client without a host an open site, greatest regret first; whether all have one."""
    S = len(host)
    best, second, where = np.zeros(S), np.zeros(S), np.full(S, -1)
    while True:
        pick, regret, stuck = -1, -1.0, -1
        for s in range(S):
            if host[s] >= 0:
                continue
            if where[s] < 0 or room[where[s]] < place.demand[s]:
                best[s], second[s], where[s] = NEVER, NEVER, -1
                for j in range(len(opened)):
                    if opened[j] and room[j] >= place.demand[s]:
                        c = place.cost[j, s]
                        if c < best[s]:
                            best[s], second[s], where[s] = c, best[s], j
                        elif c < second[s]:
                            second[s] = c
            if where[s] < 0:
                stuck = s
                break
            if second[s] - best[s] > regret:
                pick, regret = s, second[s] - best[s]
        if stuck >= 0:
            if not _make_room(place, opened, host, room, stuck):
                return False
        elif pick < 0:
            return True
        else:
            host[pick] = where[pick]
            room[where[pick]] -= place.demand[pick]


@numba.njit(cache=True, nogil=True)
def _make_room(place, opened, host, room, s):
    """Place ``s`` by moving one other client on, at least cost; whether it could be done."""
    best, out, to, at = NEVER, -1, -1, -1
    for r in range(len(host)):
        j = host[r]
        if j < 0 or room[j] + place.demand[r] < place.demand[s] or place.cost[j, s] == NEVER:
            continue
        for i in range(len(opened)):
            if i != j and opened[i] and room[i] >= place.demand[r] and place.cost[i, r] < NEVER:
                c = place.cost[j, s] + place.cost[i, r] - place.cost[j, r]
                if c < best:
                    best, out, to, at = c, r, i, j
    if out < 0:
        return False
    host[out], host[s] = to, at
    room[to] -= place.demand[out]
    room[at] += place.demand[out] - place.demand[s]
    return True


@numba.njit(cache=True, nogil=True)
def settle(place, opened, host, room, swaps):
    """Shift clients, and swap pairs of them where asked, while it gains."""
    S = len(host)
    again = True
    while again:
        again = False
        for s in range(S):
            h = host[s]
            best, to = place.cost[h, s], h
            for j in range(len(opened)):
                if opened[j] and place.cost[j, s] < best and room[j] >= place.demand[s]:
                    best, to = place.cost[j, s], j
            if to != h:
                room[h] += place.demand[s]
                room[to] -= place.demand[s]
                host[s] = to
                again = True
        if again or not swaps:
            continue
        for s in range(S):
            for r in range(s + 1, S):
                a, b = host[s], host[r]
                more = place.demand[r] - place.demand[s]
                gains = place.cost[b, s] + place.cost[a, r] < place.cost[a, s] + place.cost[b, r]
                if gains and room[a] >= more and room[b] >= -more:
                    host[s], host[r] = b, a
                    room[a] -= more
                    room[b] += more
                    again = True


@numba.njit(cache=True, nogil=True)
def _close(place, opened, host, room, j):
    """Close site ``j``: its clients go where they regret most not to; whether that is possible."""
    opened[j] = False
    for s in range(len(host)):
        if host[s] == j:
            host[s] = -1
            room[j] += place.demand[s]
    return place_all(place, opened, host, room)


@numba.njit(cache=True, nogil=True)
def _open(place, opened, host, room, j):
    """Open site ``j`` and let in the clients that gain, most for a unit of demand first."""
    opened[j] = True
    n, rate = 0, np.zeros(len(host))
    for s in range(len(host)):
        gain = place.cost[host[s], s] - place.cost[j, s]
        if gain > 0.0:
            n += 1
            rate[s] = -gain / max(place.demand[s], 0.5)
    for s in np.argsort(rate, kind="mergesort")[:n]:
        if room[j] >= place.demand[s]:
            room[host[s]] += place.demand[s]
            room[j] -= place.demand[s]
            host[s] = j


@numba.njit(cache=True, nogil=True)
def _take(place, trial, plan, best):
    """Keep a trial (sites, hosts, room) in ``plan`` if settling its clients makes it better; the better cost."""
    opened, host, room = trial
    if cost_of(place, opened, host) >= best + 0.01 * abs(best):  # not worth the look
        return best
    settle(place, opened, host, room, False)
    if cost_of(place, opened, host) >= best:
        return best
    settle(place, opened, host, room, True)
    plan[0][:], plan[1][:], plan[2][:] = trial
    return cost_of(place, opened, host)


@numba.njit(cache=True, nogil=True)
def _exchange(place, state, opened, host, room, thorough):
    """Improve a plan in place by closing, opening and (``thorough``) exchanging sites: one for one that loses clients to it."""
    J = len(opened)
    settle(place, opened, host, room, True)
    plan = (opened, host, room)
    best, before = cost_of(place, opened, host), np.inf
    while best < before:
        before = best
        for j in range(J):
            count = opened.sum()
            o, h, r = opened.copy(), host.copy(), room.copy()
            if opened[j]:
                if state[j] <= 0 and count > place.least and _close(place, o, h, r, j):
                    best = _take(place, (o, h, r), plan, best)
                continue
            if state[j] < 0:
                continue
            _open(place, o, h, r, j)
            if count < place.most:
                best = _take(place, (o.copy(), h.copy(), r.copy()), plan, best)
            if not thorough or opened[j]:
                continue
            loses = np.zeros(J, np.bool_)
            for s in range(len(host)):
                if h[s] != host[s]:
                    loses[host[s]] = True
            for i in range(J):
                if loses[i] and state[i] <= 0 and opened[i] and not opened[j]:
                    o2, h2, r2 = o.copy(), h.copy(), r.copy()
                    if _close(place, o2, h2, r2, i):
                        best = _take(place, (o2, h2, r2), plan, best)


@numba.njit(cache=True, nogil=True)
def _go_nearest(place, opened, host, first, second):
    """Each client to its cheapest open site; ``first`` and ``second`` get what its two cheapest cost."""
    first[:], second[:], host[:] = NEVER, NEVER, -1
    for j in range(len(opened)):
        if opened[j]:
            for s in range(len(host)):
                c = place.cost[j, s]
                if c < first[s]:
                    first[s], second[s], host[s] = c, first[s], j
                elif c < second[s]:
                    second[s] = c


@numba.njit(cache=True, nogil=True)
def _interchange(place, state, opened, host):
    """The same where everybody fits anywhere: the best of all openings, closings and exchanges, while one gains."""
    J, S = place.cost.shape
    first, second, lost = np.zeros(S), np.zeros(S), np.zeros(J)
    for _ in range(4 * J):
        _go_nearest(place, opened, host, first, second)
        count = opened.sum()
        best, into, out = 0.0, -1, -1
        for j in range(-1, J):
            if j >= 0 and (opened[j] or state[j] < 0):
                continue
            # What is gained by opening j (-1: none), and what closing i then loses.
            gain = -place.site_cost[j] if j >= 0 else 0.0
            lost[:] = 0.0
            for s in range(S):
                c = place.cost[j, s] if j >= 0 else NEVER
                if c < first[s]:
                    gain += first[s] - c
                elif host[s] >= 0:
                    lost[host[s]] += min(second[s], c) - first[s]
            if j >= 0 and count < place.most and gain > best:
                best, into, out = gain, j, -1
            for i in range(J):
                worth = gain + place.site_cost[i] - lost[i]
                if worth > best and opened[i] and state[i] <= 0 and (j >= 0 or count > place.least):
                    best, into, out = worth, j, i
        if best <= 0.0:
            return
        if into >= 0:
            opened[into] = True
        if out >= 0:
            opened[out] = False
    _go_nearest(place, opened, host, first, second)


@numba.njit(cache=True, nogil=True)
def round_off(place, lists, state, work, opened, host, thorough):
    """A plan near what the relaxation last chose (``work``), into ``opened`` and ``host``; its cost, or infinity."""
    J, S = place.cost.shape
    host[:] = -1
    for j in range(J):
        opened[j] = (work.opened[j] or state[j] > 0) and state[j] >= 0
        if opened[j]:
            for e in range(lists.first[j], lists.first[j + 1]):
                s = lists.who[e]
                if work.taken[e] and (host[s] < 0 or place.cost[j, s] < place.cost[host[s], s]):
                    host[s] = j
    if place.ample:
        _interchange(place, state, opened, host)
    else:
        room = place.capacity.copy()
        for s in range(S):
            if host[s] >= 0:
                room[host[s]] -= place.demand[s]
        while not place_all(place, opened, host, room):
            best, pick = np.inf, -1
            for j in range(J):
                rate = (place.site_cost[j] + 1.0) / (place.capacity[j] + 1.0)
                if not opened[j] and state[j] >= 0 and rate < best:
                    best, pick = rate, j
            if pick < 0:
                return np.inf
            opened[pick] = True
        _exchange(place, state, opened, host, room, thorough)
    empty = opened.copy()
    for s in range(S):
        if host[s] >= 0:
            empty[host[s]] = False
    for j in range(J):
        if empty[j] and state[j] <= 0 and opened.sum() > place.least:
            opened[j] = False
    value = cost_of(place, opened, host)
    return value if value < NEVER / 2 and place.least <= opened.sum() <= place.most else np.inf
