"""Odd cuts over sets: rows added up, divided by two or three, and rounded.

Take rows that ask for one (points, cover rows, and the items of share rules, an item being met by its own ``miss`` too) with a
weight ``w_r > 0``, rows that allow one (sites) with ``w_r < 0``, and divide their sum by ``q``.  Every ``x_S`` and ``miss_i`` is
a whole number at least 0, so rounding up is allowed on the left, and then on the right (Chvatal and Gomory):

    sum_S ceil(sum of w_r over the rows that S meets / q) x_S + sum_i ceil(w_i / q) miss_i  >=  ceil(sum_r w_r / q)

For ``q = 2`` these are the zero-half cuts (Caprara and Fischetti 1996), of which triples of covering rows and of packing rows
(:mod:`.columns.subset_row_cuts`; subset-row cuts, Jepsen et al. 2008) are the smallest.  A set meets a row at most once, so its
coefficient follows from the rows it is in whenever it is asked for: 300 cuts over 250,000 sets would be 75 million numbers.

Separation is a local search over the weights modulo ``q``, begun at each row: the best pair of changes is made, again and
again, and every sum on the way that the solution breaks is noted (as Andreello, Caprara and Fischetti 2007 weaken rows).

Halves of up to nine rows close about a tenth of what triples leave, thirds some more; quarters cost more than they bring
(`scripts/bench/NOTES.md`).
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917, ANN202, C901, PLR0912

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, Floats, Ints

ROWS = 9
"""Most rows of a cut."""
VIOLATED = 0.02
MOST = 600
"""Rows looked at, the tightest: the search takes the square of it, 0.7 s for so many."""
LOOSE = 0.5
"""Slack of a row from which on it is not looked at."""
OFTEN = 6
"""Most cuts of a round that one row is in."""
STEPS = 8
"""Pairs of changes made from each row."""
TRIES = 4
"""First halves of a pair looked at."""
STAY = 5
"""Steps that a weight stays as it is once it was changed."""


class OddCut(NamedTuple):
    """``sum_S ceil(weight of the rows that S meets / divisor) x_S + misses >= lower``."""

    row: Ints
    """Rows of the programme (points, sites, links); a cover row or an item is met through any of its links."""
    weight: Ints
    """Positive for rows that ask for one, negative for those that allow one."""
    divisor: int
    lower: int
    missed: Ints
    """Columns of the items among the rows; not met counts as one more way to meet."""


class Hits(NamedTuple):
    """Odd cuts by row: row ``r`` has ``weight[e]`` in cut ``cut[e]`` for e in start[r]..start[r + 1]."""

    start: Ints
    cut: Ints
    weight: Ints
    divisor: Ints


def by_row(cuts: list[OddCut], rows: int) -> Hits:
    """The cuts by row of the programme."""
    none = np.zeros(0, dtype=np.int64)
    row = np.concatenate([none, *(cut.row for cut in cuts)])
    number = np.repeat(np.arange(len(cuts)), [len(cut.row) for cut in cuts]).astype(np.int64)
    weight = np.concatenate([none, *(cut.weight for cut in cuts)])
    by = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]).astype(np.int64)
    return Hits(start, number[by], weight[by], np.array([cut.divisor for cut in cuts], dtype=np.int64))


@numba.njit(cache=True, nogil=True)
def _touch(start, row, i, hits, met, seen, touched):
    """Add up in ``met`` what set ``i`` weighs in each cut; lists those cuts in ``touched``, returns how many."""
    m = 0
    for e in range(start[i], start[i + 1]):
        for h in range(hits.start[row[e]], hits.start[row[e] + 1]):
            k = hits.cut[h]
            if not seen[k]:
                seen[k] = True
                touched[m] = k
                m += 1
            met[k] += hits.weight[h]
    return m


@numba.njit(cache=True, nogil=True)
def _counted(met, seen, k, hits):
    """What a set counts in cut ``k``, whose mark is wiped."""
    weight = met[k]
    met[k], seen[k] = 0, False
    return -((-weight) // hits.divisor[k])


@numba.njit(cache=True, nogil=True)
def coefficients(start, row, sets, hits, out_start, out_cut, out_value):
    """Coefficients of the chosen sets in the odd cuts, by set; returns how many, or -1 when there is no room."""
    met, seen = np.zeros(len(hits.divisor), np.int64), np.zeros(len(hits.divisor), np.bool_)
    touched = np.empty(len(hits.divisor), np.int64)
    n = 0
    for c in range(len(sets)):
        for t in range(_touch(start, row, sets[c], hits, met, seen, touched)):
            k = touched[t]
            value = _counted(met, seen, k, hits)
            if value:
                if n >= len(out_cut):
                    return -1
                out_cut[n], out_value[n] = k, value
                n += 1
        out_start[c + 1] = n
    return n


@numba.njit(cache=True, nogil=True)
def reduced_costs(cost, start, row, y, gain, hits, price, banned, out):
    """Reduced cost of every set; ``gain`` is the most that a row can add by cuts.

    Sets left out, and sets that ``gain`` shows to be at least 0, are given 0: nothing else is asked of them at a node.
    """
    met, seen = np.zeros(len(hits.divisor), np.int64), np.zeros(len(hits.divisor), np.bool_)
    touched = np.empty(len(hits.divisor), np.int64)
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
        for t in range(_touch(start, row, i, hits, met, seen, touched)):
            k = touched[t]
            value -= price[k] * _counted(met, seen, k, hits)
        out[i] = value


@numba.njit(cache=True, nogil=True)
def _shift(i, d, q, start, column, sign, value, weight):
    """Add ``d`` to a row's weight."""
    weight[i] = (weight[i] + d) % q
    for e in range(start[i], start[i + 1]):
        value[column[e]] = (value[column[e]] + sign[i] * d) % q


@numba.njit(cache=True, nogil=True)
def _worth(q, start, column, x, slack, sign, value, weight, until, step, side, out):
    """By how much adding ``d`` to row ``i``'s weight would break the cut more, as ``out[i, d - 1]``."""
    for i in range(len(slack)):
        for d in range(1, q):
            if until[i] > step:
                out[i, d - 1] = -1e9
                continue
            new = (weight[i] + d) % q
            change = ((-(side + sign[i] * d)) % q - (-side) % q) - slack[i] * (new - weight[i])
            for e in range(start[i], start[i + 1]):
                c = column[e]
                v = value[c]
                change -= x[c] * ((-(v + sign[i] * d)) % q - (-v) % q)
            out[i, d - 1] = change / q


@numba.njit(cache=True, nogil=True)
def _sums(q, start, column, x, slack, sign, steps, tries, most_rows, least, most):
    """Sums of rows that are broken after rounding; see :func:`separate`."""
    n = len(slack)
    rows, by, m = np.empty((most, n), np.int8), np.empty(most), 0
    weight, value = np.zeros(n, np.int64), np.zeros(len(x), np.int64)
    first, second = np.empty((n, q - 1)), np.empty((n, q - 1))
    until = np.zeros(n, np.int64)
    pick, add = np.empty(tries, np.int64), np.empty(tries, np.int64)
    for r in range(n):
        for d0 in range(1, q):
            weight[:], value[:], until[:] = 0, 0, 0
            _shift(r, d0, q, start, column, sign, value, weight)
            side = (sign[r] * d0) % q
            now = ((-side) % q - slack[r] * d0) / q
            for e in range(start[r], start[r + 1]):
                now -= x[column[e]] * ((-value[column[e]]) % q) / q
            for step in range(steps):
                _worth(q, start, column, x, slack, sign, value, weight, until, step, side, first)
                for t in range(tries):
                    top = np.argmax(first)
                    pick[t], add[t] = top // (q - 1), top % (q - 1) + 1
                    first[pick[t], add[t] - 1] = -1e9
                best, a, da, b, db = -1e9, -1, 0, -1, 0
                for t in range(tries):
                    i, d = pick[t], add[t]
                    if until[i] > step:
                        continue
                    old = now
                    s2 = (side + sign[i] * d) % q
                    new = (weight[i] + d) % q
                    now2 = old + (((-s2) % q - (-side) % q) - slack[i] * (new - weight[i])) / q
                    for e in range(start[i], start[i + 1]):
                        c = column[e]
                        now2 -= x[c] * ((-(value[c] + sign[i] * d)) % q - (-value[c]) % q) / q
                    _shift(i, d, q, start, column, sign, value, weight)
                    _worth(q, start, column, x, slack, sign, value, weight, until, step, s2, second)
                    for k in range(n):
                        if k != i:
                            for d2 in range(1, q):
                                if now2 + second[k, d2 - 1] > best:
                                    best, a, da, b, db = now2 + second[k, d2 - 1], i, d, k, d2
                    _shift(i, q - d, q, start, column, sign, value, weight)
                if a < 0:
                    break
                _shift(a, da, q, start, column, sign, value, weight)
                _shift(b, db, q, start, column, sign, value, weight)
                side = (side + sign[a] * da + sign[b] * db) % q
                until[a] = until[b] = step + STAY
                now = best
                if now > least and m < most:
                    size = 0
                    for i in range(n):
                        size += weight[i] > 0
                    if size <= most_rows:
                        by[m] = now
                        for i in range(n):
                            rows[m, i] = weight[i]
                        m += 1
    return by[:m], rows[:m]


def separate(members: csr_array, x: Floats, packing: Bools, q: int, *, at_most: int = 80) -> list[tuple[Ints, Ints]]:
    """Sums of rows that ``x`` breaks once they are divided by ``q`` and rounded, as (rows, weights), the most broken first.

    ``members`` is (rows, columns) 0/1; ``packing`` (rows,) says which rows allow one instead of asking for it.  No row is in more
    than :data:`OFTEN` of the sums.
    """
    total = members @ x
    slack = np.maximum(np.where(packing, 1.0 - total, total - 1.0), 0.0)
    near = np.flatnonzero(slack < LOOSE)
    near = np.sort(near[np.argsort(slack[near], kind="stable")[:MOST]])
    part = members[near]
    part.sort_indices()
    sign = np.where(packing[near], -1, 1)
    by, found = _sums(
        q,
        part.indptr.astype(np.int64),
        part.indices.astype(np.int64),
        x,
        slack[near],
        sign,
        STEPS,
        TRIES,
        ROWS,
        VIOLATED,
        20_000,
    )
    used = np.zeros(members.shape[0], dtype=np.int64)
    chosen, seen = [], set()
    for t in np.argsort(-by, kind="stable"):
        key = found[t].tobytes()
        if key in seen:
            continue
        seen.add(key)
        at = np.flatnonzero(found[t])
        if (used[near[at]] < OFTEN).all():
            used[near[at]] += 1
            chosen.append((near[at], found[t][at].astype(np.int64) * sign[at]))
            if len(chosen) == at_most:
                break
    return chosen
