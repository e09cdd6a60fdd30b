"""The exact 0/1 knapsack that every bound on single-source location rests on.

    K(room) = max over sets of the items with sum area <= room of sum profit

solved by a dynamic programme over *labels* (area, profit), none larger and poorer than another, in falling order of profit
for a unit of area.  A label is dropped when Dantzig's bound (1957: fill the room that is left with the best of what follows,
the last item in part) cannot lift it above the best set known; with the greedy set to begin with, a few dozen labels survive
where the table by area would have thousands of cells (Pisinger 1997 does the same from the middle outwards).

Profits are whole multiples of :data:`GRAIN`, so sums and comparisons in doubles are exact up to 2**46; only Dantzig's bound
divides, and is widened by :data:`GROW`.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, C901, PLR0912, PLR0915

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from estate.problem import Floats, Ints

GRAIN = 2.0**-6
"""Multipliers are rounded to this, of a unit of cost."""
GROW = 1.0 + 1e-12
"""Bounds that divide are widened by this."""
LABELS = 200_000
"""Room for the labels of one knapsack."""


class Labels(NamedTuple):
    """Room for labels: area, profit, the label each came from, the item it added; and two lists of those alive."""

    area: Ints
    profit: Floats
    origin: Ints
    item: Ints
    alive: Ints
    after: Ints


def labels(n: int = LABELS) -> Labels:
    """Room for ``n`` labels."""
    return Labels(*(np.zeros(n, t) for t in (np.int64, float, np.int64, np.int64, np.int64, np.int64)))


@numba.njit(cache=True, nogil=True)
def sort_by_rate(profit, area, items, key):
    """``items`` in falling order of profit for a unit of area (those of no area first)."""
    for i in range(len(items)):
        s = items[i]
        key[i] = -profit[s] / area[s] if area[s] else -np.inf
    return items[np.argsort(key[: len(items)], kind="mergesort")]


@numba.njit(cache=True, nogil=True)
def dantzig(profit, area, order, room, skip):
    """Upper bound on what the items of ``order`` but ``skip`` are worth in ``room``."""
    total = 0.0
    for s in order:
        if s == skip:
            continue
        if area[s] > room:
            return (total + room * profit[s] / area[s]) * GROW
        room -= area[s]
        total += profit[s]
    return total


@numba.njit(cache=True, nogil=True)
def best_set(profit, area, order, room, skip, chosen, space):
    """The best set's profit and size; its items go to ``chosen``.

    ``order`` holds items of positive profit by :func:`sort_by_rate`; ``skip`` is an item left out, or -1.  Should the labels
    outgrow their space, Dantzig's bound is returned (still an upper bound) with the greedy set.
    """
    n, best, size, left, all_in = 0, 0.0, 0, room, True
    items = np.empty(len(order), np.int64)
    for s in order:
        if s == skip:
            continue
        items[n] = s
        n += 1
        if area[s] <= left:
            left -= area[s]
            best += profit[s]
            chosen[size] = s
            size += 1
        else:
            all_in = False
    if all_in:
        return best, size
    # What the items up to each one take and are worth.
    taken, worth = np.zeros(n + 1, np.int64), np.zeros(n + 1)
    for i in range(n):
        taken[i + 1] = taken[i] + area[items[i]]
        worth[i + 1] = worth[i] + profit[items[i]]
    alive, after = space.alive, space.after
    space.area[0], space.profit[0], space.origin[0], space.item[0] = 0, 0.0, -1, -1
    alive[0] = 0
    count, pool, top = 1, 1, -1
    for i in range(n):
        s = items[i]
        if pool + count > len(space.area) or 2 * count > len(alive):
            return dantzig(profit, area, order, room, skip), size
        a = b = kept = 0
        last, end = -1.0, n
        while a < count or b < count:
            # The next by area: a label without this item, or one with it.
            if b >= count or (a < count and space.area[alive[a]] <= space.area[alive[b]] + area[s]):
                label, with_it = alive[a], False
                here, value = space.area[label], space.profit[label]
                a += 1
            else:
                label, with_it = alive[b], True
                here, value = space.area[label] + area[s], space.profit[label] + profit[s]
                b += 1
                if here > room:
                    b = count
                    continue
            if value <= last:
                continue
            spare = room - here
            while end > i + 1 and taken[end] - taken[i + 1] > spare:
                end -= 1
            bound = value + worth[end] - worth[i + 1]
            if end < n:
                bound += (spare - taken[end] + taken[i + 1]) * profit[items[end]] / area[items[end]]
            if with_it and value > best:
                best, top = value, pool
            elif bound * GROW < best + GRAIN:
                continue
            last = value
            if with_it:
                space.area[pool], space.profit[pool], space.origin[pool], space.item[pool] = here, value, label, s
                label = pool
                pool += 1
            after[kept] = label
            kept += 1
        alive, after = after, alive
        count = kept
        if count == 0:
            break
    if top >= 0:
        size = 0
        while space.item[top] >= 0:
            chosen[size] = space.item[top]
            size += 1
            top = space.origin[top]
    return best, size
