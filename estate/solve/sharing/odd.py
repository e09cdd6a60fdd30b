"""Odd cuts over sets, as the three rows they come from: what a set's coefficient is, and which cuts are violated.

Of three rows that each ask for one, a set that meets ``n`` counts ``ceil(n / 2)`` towards 2; of three rows that each allow one,
it counts ``floor(n / 2)`` towards 1 (:mod:`estate.solve.columns.cuts` has the argument and the references).  An item of a
share rule is such a row too, with its ``miss`` as one more way to meet it.  The coefficients are worked out from the rows a
set is in whenever they are asked for: 300 cuts over 250,000 sets would be 75 million numbers.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917, ANN202

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from estate.problem import Bools, Ints


class OddCut(NamedTuple):
    """Half of how many of three rows a set meets, rounded up (covering: at least 2) or down (packing: at most 1)."""

    covering: bool
    row: Ints
    """Rows of the programme (points, sites, links); a cover row or an item is met through any of its links."""
    bit: Ints
    """Which of the three each belongs to: 1, 2 or 4."""
    missed: Ints
    """Columns of the items among the three; not met counts as one more way to meet."""


class Hits(NamedTuple):
    """Odd cuts by row: row ``r`` has bit ``bit[e]`` in cut ``cut[e]`` for e in start[r]..start[r + 1]."""

    start: Ints
    cut: Ints
    bit: Ints
    covering: Bools


def by_row(cuts: list[OddCut], rows: int) -> Hits:
    """The cuts by row of the programme."""
    row = np.concatenate([np.zeros(0, dtype=np.int64), *(cut.row for cut in cuts)])
    number = np.repeat(np.arange(len(cuts)), [len(cut.row) for cut in cuts]).astype(np.int64)
    bit = np.concatenate([np.zeros(0, dtype=np.int64), *(cut.bit for cut in cuts)])
    by = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]).astype(np.int64)
    return Hits(start, number[by], bit[by], np.array([cut.covering for cut in cuts], dtype=bool))


@numba.njit(cache=True)
def _touch(start, row, i, hits, met, touched):
    """Mark in ``met`` which rows of each cut set ``i`` is in; lists those cuts in ``touched``, returns how many."""
    m = 0
    for e in range(start[i], start[i + 1]):
        for h in range(hits.start[row[e]], hits.start[row[e] + 1]):
            k = hits.cut[h]
            if met[k] == 0:
                touched[m] = k
                m += 1
            met[k] |= hits.bit[h]
    return m


@numba.njit(cache=True)
def _counted(met, k, hits):
    """What a set counts in cut ``k``, whose mark is wiped."""
    count = (met[k] & 1) + (met[k] >> 1 & 1) + (met[k] >> 2 & 1)
    met[k] = 0
    return (count + 1) // 2 if hits.covering[k] else count // 2


@numba.njit(cache=True)
def coefficients(start, row, sets, hits, out_start, out_cut, out_value):
    """Coefficients of the chosen sets in the odd cuts, by set; returns how many, or -1 when there is no room."""
    met = np.zeros(len(hits.covering), np.int64)
    touched = np.empty(len(hits.covering), np.int64)
    n = 0
    for c in range(len(sets)):
        for t in range(_touch(start, row, sets[c], hits, met, touched)):
            k = touched[t]
            value = _counted(met, k, hits)
            if value:
                if n >= len(out_cut):
                    return -1
                out_cut[n], out_value[n] = k, value
                n += 1
        out_start[c + 1] = n
    return n


@numba.njit(cache=True)
def reduced_costs(cost, start, row, y, gain, hits, price, banned, out):
    """Reduced cost of every set; ``gain`` is the most that a row can add by covering cuts.

    Sets left out, and sets that ``gain`` shows to be at least 0, are given 0: nothing else is asked of them at a node.
    """
    met = np.zeros(len(hits.covering), np.int64)
    touched = np.empty(len(hits.covering), np.int64)
    for i in range(len(cost)):
        out[i] = 0.0
        if banned[i]:
            continue
        value, most = cost[i], 0.0
        for e in range(start[i], start[i + 1]):
            value -= y[row[e]]
            most += gain[row[e]]
        if value - most >= 0.0:
            continue
        for t in range(_touch(start, row, i, hits, met, touched)):
            k = touched[t]
            value -= price[k] * _counted(met, k, hits)
        out[i] = value
