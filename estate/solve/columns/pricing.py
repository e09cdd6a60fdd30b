"""The best set of points for one building at given prices: a knapsack with shared halls and desks (compiled).

A set's area is exact: own parts added up, the largest hall once, the largest desk of each service once.  A *label* dynamic
programme runs for each hall size ``c`` at capacity ``A_j - c``: a frontier of (area, value) pairs, each dearer and larger than
the one before.  A service enters either absent, or with one of its desk sizes and at least one of its points.  Labels never
outnumber the distinct areas, so nothing is rounded; only if a building's areas could make more than :data:`CELLS` labels are
areas floored to a coarser unit, which enlarges the family of sets and keeps the bound valid.

Rules on two services in one building, and what it is worth or costs that two kinds of service or more meet in it (a hub), are
branched over when the best set without them breaks or meets one: a service is then barred there, or must be there
(:func:`site_set`).
"""

# Compiled kernels: numba infers the types; one long function is faster than many, and seeds its own generator.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202, C901, PLR0912, PLR0913, PLR0915, PLR0917

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from estate.problem import Floats, Ints
from estate.solve.columns.core import ALWAYS

NODES = 64
"""Most knapsacks for one building; the bound of what is left open then counts, and no set goes with it."""
CELLS = 4_000
"""Most labels of one frontier; areas are floored to a coarser unit where a building's capacity could make more."""

GROW = 1.0 + 1e-9
"""Upper bounds that divide and multiply again are widened by this."""


class Work(NamedTuple):
    """Labels of :func:`site_best`: area, value, the label it came from and the slot it added."""

    area: Ints
    value: Floats
    origin: Ints
    slot: Ints


def work_space() -> Work:
    """Room for the labels of one dynamic programme."""
    n = 60 * CELLS
    return Work(np.zeros(n, np.int64), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64))


@numba.njit(cache=True, nogil=True)
def set_value(core, j, profit, bonus, chosen):
    """What the chosen slots of site ``j`` are worth."""
    value = 0.0
    for g in range(core.site_group[j], core.site_group[j + 1]):
        there = False
        for s in range(core.group_slot[g], core.group_slot[g + 1]):
            if chosen[s]:
                value += profit[s]
                there = True
        if there:
            value += bonus[g]
    return value


@numba.njit(cache=True, nogil=True)
def site_best(core, j, profit, bonus, floor, cells, taken, work):
    """Best value over sets of points at site ``j`` (at least 0: nobody); marks the set in ``taken`` by slot.

    ``profit`` is by slot, ``bonus`` by group (0 where the offer is inherent; below 0 where a side row makes it cost).  On entry
    ``taken`` holds a set that fits, the best of the last call: a start.  Sets worth no more than ``floor`` are not looked for:
    the answer is then at most ``floor``.
    """
    lo, hi = core.site_group[j], core.site_group[j + 1]
    group_slot, own, hall, desk, home = core.group_slot, core.slot_own, core.slot_hall, core.slot_desk, core.slot_home
    capacity, slack = core.capacity[j], core.slack[j]
    far = np.int64(1) << 60
    best = max(floor, set_value(core, j, profit, bonus, taken))
    rest, worth, ratio = np.zeros(hi - lo + 1), np.zeros(hi - lo), np.zeros(hi - lo)
    for only_home in range(2):
        if only_home == 1 and slack == 0:
            break
        room = capacity + (slack if only_home == 1 else 0)
        unit = max(np.int64(1), room // cells)
        # Hall sizes in use, largest first; each is one dynamic programme over the points with halls no larger.
        previous = far
        while True:
            c = np.int64(-1)
            for g in range(lo, hi):
                for s in range(group_slot[g], group_slot[g + 1]):
                    if profit[s] + max(bonus[g], 0.0) > 0.0 and c < hall[s] < previous and (only_home == 0 or home[s]):
                        c = hall[s]
            if c < 0:
                break
            previous = c
            if room < c:
                continue
            space = (room - c + unit - 1) // unit
            # Each group's worth with no limit on area, and its best worth for a unit of area.
            for g in range(lo, hi):
                gain, one, rate = 0.0, -1e300, 0.0
                for s in range(group_slot[g], group_slot[g + 1]):
                    if hall[s] <= c and (only_home == 0 or home[s]):
                        gain += max(profit[s], 0.0)
                        one = max(one, profit[s])
                        if profit[s] > 0.0:
                            rate = max(rate, profit[s] / max(own[s] // unit, 1e-3))
                        rate = max(rate, (profit[s] + bonus[g]) / max((own[s] + desk[s]) // unit, 1e-3))
                worth[g - lo] = max((gain if one > 0.0 else one) + bonus[g], 0.0)
                ratio[g - lo] = rate
            order = np.argsort(-ratio)
            rest[hi - lo] = 0.0
            for turn in range(hi - lo - 1, -1, -1):
                rest[turn] = rest[turn + 1] + worth[order[turn]]
            if rest[0] <= best:
                break  # smaller halls admit fewer points
            if ratio[order[0]] * space * GROW <= best:
                continue
            pool = 1
            work.area[0], work.value[0], work.origin[0], work.slot[0] = 0, 0.0, -1, -1
            base = np.zeros(1, dtype=np.int64)  # the frontier: labels with area and value both rising
            for turn in range(hi - lo):
                g = lo + order[turn]
                if worth[order[turn]] <= 0.0:
                    continue
                rate = ratio[order[turn]] * GROW  # groups come in falling order of it
                front = base
                a, b = group_slot[g], group_slot[g + 1]
                gain = 0.0
                for s in range(a, b):
                    if hall[s] <= c and (only_home == 0 or home[s]):
                        gain += max(profit[s], 0.0)
                seen = far
                while True:
                    d = np.int64(-1)
                    for s in range(a, b):
                        if hall[s] > c or (only_home == 1 and not home[s]):
                            continue
                        if profit[s] + max(bonus[g], 0.0) > 0.0 and d < desk[s] < seen:
                            d = desk[s]
                    if d < 0:
                        break
                    seen = d
                    present = np.zeros(0, dtype=np.int64)
                    after = gain + rest[turn + 1]
                    for s in range(a, b):
                        if hall[s] > c or desk[s] > d or (only_home == 1 and not home[s]):
                            continue
                        if profit[s] + max(bonus[g], 0.0) <= 0.0:
                            continue
                        # This point as the first of its service, and beside those already present.
                        first_area, first_value = (own[s] + d) // unit, profit[s] + bonus[g]
                        add_area = own[s] // unit
                        after -= max(profit[s], 0.0)
                        beside = len(present) if profit[s] > 0.0 else 0
                        merged = np.empty(len(present) + len(base) + beside, dtype=np.int64)
                        n = i1 = i2 = i3 = 0
                        value = best - after
                        while True:
                            a1 = work.area[present[i1]] if i1 < len(present) else far
                            a2 = work.area[base[i2]] + first_area if i2 < len(base) else far
                            a3 = work.area[present[i3]] + add_area if i3 < beside else far
                            if a1 <= a2 and a1 <= a3:
                                if a1 == far:
                                    break
                                if work.value[present[i1]] > value:
                                    value = work.value[present[i1]]
                                    merged[n] = present[i1]
                                    n += 1
                                i1 += 1
                                continue
                            if a2 <= a3:
                                area, origin, v = a2, base[i2], work.value[base[i2]] + first_value
                                i2 += 1
                                if area > space:
                                    i2 = len(base)
                            else:
                                area, origin, v = a3, present[i3], work.value[present[i3]] + profit[s]
                                i3 += 1
                                if area > space:
                                    i3 = beside
                            if area <= space and v > value and v + rate * (space - area) > best and pool < len(work.area):
                                work.area[pool], work.value[pool] = area, v
                                work.origin[pool], work.slot[pool] = origin, s
                                value = v
                                merged[n] = pool
                                n += 1
                                pool += 1
                        present = merged[:n]
                    # Those present beside those where the service is absent.
                    merged = np.empty(len(front) + len(present), dtype=np.int64)
                    n = i1 = i2 = 0
                    value = best - rest[turn + 1]
                    while i1 < len(front) or i2 < len(present):
                        if i2 >= len(present) or (i1 < len(front) and work.area[front[i1]] <= work.area[present[i2]]):
                            pick = front[i1]
                            i1 += 1
                        else:
                            pick = present[i2]
                            i2 += 1
                        if work.value[pick] > value:
                            value = work.value[pick]
                            merged[n] = pick
                            n += 1
                    front = merged[:n]
                # A label survives only if the rest could lift it above the best.
                rate = ratio[order[turn + 1]] * GROW if turn + 1 < hi - lo else 0.0
                n = 0
                kept = np.empty(len(front), dtype=np.int64)
                for i in range(len(front)):
                    if work.value[front[i]] + min(rest[turn + 1], rate * (space - work.area[front[i]])) > best:
                        kept[n] = front[i]
                        n += 1
                base = kept[:n]
                if n == 0:
                    break
            if pool >= len(work.area):
                best = max(best, rest[0])  # out of work space: the optimistic value is still a valid bound
                continue
            if len(base) and work.value[base[len(base) - 1]] > best:
                top = base[len(base) - 1]
                best = work.value[top]
                for s in range(group_slot[lo], group_slot[hi]):
                    taken[s] = False
                while work.slot[top] >= 0:
                    taken[work.slot[top]] = True
                    top = work.origin[top]
    return best


@numba.njit(cache=True, nogil=True)
def clashing(core, j, there):
    """The first rule on two services at ``j`` that a set breaks, or -1; ``there`` is by group of the site."""
    lo = core.site_group[j]
    for c in range(core.clash_start[j], core.clash_start[j + 1]):
        a, b = core.clash[c, 0], core.clash[c, 1]
        one = a == ALWAYS or (a >= 0 and there[a - lo])
        other = b == ALWAYS or (b >= 0 and there[b - lo])
        if (core.clash[c, 2] == 0 and one and other) or (core.clash[c, 2] == 1 and one != other):
            return c
    return np.int64(-1)


@numba.njit(cache=True, nogil=True)
def site_set(core, j, profit, bonus, hub, floor, cells, taken, work):
    """:func:`site_best` among the sets that no rule on two services forbids, ``hub`` counted where two kinds of service meet.

    Never less than the best of them is worth.  Where it is more, ``taken`` holds a set that is worth less, or breaks a rule.
    """
    lo, hi = core.site_group[j], core.site_group[j + 1]
    if hi == lo or (hub == 0.0 and core.clash_start[j] == core.clash_start[j + 1]):
        return site_best(core, j, profit, bonus, floor, cells, taken, work)
    m = hi - lo
    a, b = core.group_slot[lo], core.group_slot[hi]
    own_profit, own_bonus, chosen = profit[a:b].copy(), bonus[lo:hi].copy(), taken[a:b].copy()
    lift = 1.0
    for i in range(b - a):
        lift += max(own_profit[i], 0.0)
    for i in range(m):
        lift += abs(own_bonus[i])
    status, above = np.zeros((NODES * (m + 2), m), dtype=np.int64), np.zeros(NODES * (m + 2))
    above[0] = 1e300
    there = np.zeros(m, dtype=np.bool_)
    n, seen, best = 1, 0, floor
    # The set of the last call is a start, if it is one.
    worth, several = _worth(core, j, profit, bonus, taken, there)
    if clashing(core, j, there) < 0:
        best = max(best, worth + (hub if several else 0.0))
    while n > 0:
        n -= 1
        if above[n] <= best:
            continue
        seen += 1
        if seen > NODES:
            best = max(best, above[: n + 1].max())
            break
        state, upper = status[n].copy(), above[n]
        held = 0
        first, free, several_held = np.int64(-1), False, False
        kind_held = np.int64(-1)
        for i in range(m):
            kind = core.group_kind[lo + i]
            held += state[i] == 2
            if kind >= 0 and state[i] != 1:
                free = free or 0 <= first != kind
                first = kind
            if kind >= 0 and state[i] == 2:
                several_held = several_held or 0 <= kind_held != kind
                kind_held = kind
            if state[i] == 1:
                profit[core.group_slot[lo + i] : core.group_slot[lo + i + 1]] = -1e300
            elif state[i] == 2:
                bonus[lo + i] += lift
        extra = hub if free else 0.0
        least = best - max(extra, 0.0) + held * lift
        taken[a:b] = False
        value = site_best(core, j, profit, bonus, least, cells, taken, work)
        profit[a:b], bonus[lo:hi] = own_profit, own_bonus
        if value <= least:
            continue
        value -= held * lift
        upper = min(upper, value + max(extra, 0.0))
        worth, several = _worth(core, j, profit, bonus, taken, there)
        if abs(worth - value) > 1e-6 * (1.0 + abs(value)):  # an optimistic value, and no set
            best = max(best, upper)
            continue
        c = clashing(core, j, there)
        if c >= 0:
            for way in range(2):
                above[n] = upper
                status[n] = state
                possible = True
                for which in range(2):
                    g = core.clash[c, which]
                    if core.clash[c, 2] == 0 and which != way:
                        continue
                    to = 1 if core.clash[c, 2] == 0 else 1 + way  # bar one or the other; bar both, or hold both
                    if g < 0:
                        possible = possible and (to == 2) == (g == ALWAYS)
                    elif state[g - lo] not in (0, to):
                        possible = False
                    else:
                        status[n, g - lo] = to
                n += possible
            continue
        net = worth + (extra if several else 0.0)
        if net > best:
            best = net
            chosen = taken[a:b].copy()
        if extra < 0.0 and several and not several_held:  # a hub is worth no more than this: what of each kind alone?
            for i in range(m):
                kind = core.group_kind[lo + i]
                earlier = kind < 0 or (kind_held >= 0 and kind != kind_held)
                for before in range(i):
                    earlier = earlier or core.group_kind[lo + before] == kind
                if not earlier:  # the first of its kind
                    above[n] = min(upper, value)
                    status[n] = state
                    for other in range(m):
                        if core.group_kind[lo + other] >= 0 and core.group_kind[lo + other] != kind:
                            status[n, other] = 1
                    n += 1
        elif extra > 0.0 and not several:
            best = max(best, upper)
    taken[a:b] = chosen
    return best


@numba.njit(cache=True, nogil=True)
def _worth(core, j, profit, bonus, taken, there):
    """What the set in ``taken`` is worth, and whether two kinds of service are in it; marks the groups in ``there``."""
    lo = core.site_group[j]
    value, first, several = 0.0, np.int64(-1), False
    for g in range(lo, core.site_group[j + 1]):
        there[g - lo] = False
        for s in range(core.group_slot[g], core.group_slot[g + 1]):
            if taken[s]:
                value += profit[s]
                there[g - lo] = True
        if there[g - lo]:
            value += bonus[g]
            if core.group_kind[g] >= 0:
                several = several or 0 <= first != core.group_kind[g]
                first = core.group_kind[g]
    return value, several
