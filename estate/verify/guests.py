"""The most that the guests of one building can be worth, in whole numbers: a knapsack, worked out again.

Every counter that could come is worth a sum, every service that is there another, once.  Own areas add up, the largest hall
counts once, the largest desk of each service once (:func:`estate.verify.rules.area_units`).  The best set is found by trying each
hall size and, for each, floor area unit by unit, so nothing rests on a tolerance.  Only where a building has more than
:data:`CELLS` units to spare are areas counted in coarser ones, needs rounded down: then more fits, and the answer can be too
high, never too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

type Whole = NDArray[np.int64]

CELLS = 4_000
"""Most units of floor area that are told apart."""
NOT = -(1 << 62)
"""Less than any set is worth: sums stay below 2**55 in size (:mod:`estate.verify.bound`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Guests:
    """Those who could come to one building, (n,) each: areas in 0.1 m2; and the room there is.

    ``room_at_home`` is for as long as nobody new comes: what is there today may be more than fits.
    """

    service: Whole
    own: Whole
    hall: Whole
    desk: Whole
    home: NDArray[np.bool_]
    room: int
    room_at_home: int


def most(guests: Guests, worth: Whole, bonus: Whole) -> int:
    """The most that any set of them which fits is worth, nobody being 0.

    ``worth`` is (n,), below 0 or above; ``bonus`` is (K,) and never below 0.
    """
    useful = worth + bonus[guests.service] > 0
    best = _within(guests, useful, worth, bonus, guests.room)
    if guests.room_at_home > guests.room:
        best = max(best, _within(guests, useful & guests.home, worth, bonus, guests.room_at_home))
    return best


def _within(g: Guests, useful: NDArray[np.bool_], worth: Whole, bonus: Whole, room: int) -> int:
    """The same among the useful ones, within so much room."""
    chosen = np.flatnonzero(useful & (g.own + g.hall + g.desk <= room))
    if not len(chosen):
        return 0
    # With no limit on area: all that are worth something, and of a service that has none of these the least bad.
    gains = chosen[worth[chosen] > 0]
    lonely = chosen[~np.isin(g.service[chosen], g.service[gains])]
    if len(lonely):
        order = lonely[np.lexsort((g.own[lonely] + g.desk[lonely], -worth[lonely], g.service[lonely]))]
        _, first = np.unique(g.service[order], return_index=True)
        gains = np.concatenate([gains, order[first]])
    services, of = np.unique(g.service[gains], return_inverse=True)
    desks = np.zeros(len(services), dtype=np.int64)
    np.maximum.at(desks, of, g.desk[gains])
    if int(g.own[gains].sum() + g.hall[gains].max() + desks.sum()) <= room:
        return int(worth[gains].sum() + bonus[services].sum())
    halls: list[int] = np.unique(g.hall[chosen]).tolist()
    return max(0, *(_under(g, chosen[g.hall[chosen] <= hall], worth, bonus, room - hall) for hall in halls))


def _under(g: Guests, chosen: Whole, worth: Whole, bonus: Whole, space: int) -> int:
    """The most among the chosen where their own parts and desks fit in ``space``."""
    common = gcd(*g.own[chosen].tolist(), *g.desk[chosen].tolist()) or 1
    unit = max(common, -(-space // CELLS))
    own, desk, cells = g.own[chosen] // unit, g.desk[chosen] // unit, space // unit + 1
    value, service = worth[chosen], g.service[chosen]
    best = np.zeros(cells, dtype=np.int64)
    for k in np.unique(service).tolist():
        mine = np.flatnonzero(service == k)
        with_it = best
        for largest in np.unique(desk[mine]).tolist():
            if largest >= cells:
                break
            nobody, somebody = np.full(cells, NOT), np.full(cells, NOT)
            nobody[largest:] = best[: cells - largest] + bonus[k]
            for i in mine[desk[mine] <= largest].tolist():
                take = int(own[i])
                if take < cells:
                    came = np.maximum(nobody, somebody)[: cells - take] + value[i]
                    somebody[take:] = np.maximum(somebody[take:], came)
            with_it = np.maximum(with_it, somebody)
        best = with_it
    return int(best.max())
