"""Odd sets of three rows: the cuts that close most of what configuration columns leave open.

A fractional set partition is mostly made of odd cycles: three access points, any two of which share a set at one half each.  For
three packing rows (points, sites: ``<= 1``) and three covering rows (cover rows, points: ``>= 1``), with ``a_S`` the number of
the three that set ``S`` meets, dividing their sum by two and rounding gives

    sum_S floor(a_S / 2) x_S <= 1              subset-row cuts (Jepsen, Petersen, Spoorendonk and Pisinger 2008)
    sum_S ceil(a_S / 2) x_S  >= 2              the same for covering (odd-cover inequalities)

Both hold for every integer plan, whichever sets are in the programme, because they are Chvatal-Gomory rounds of rows it has.

With ``r_i`` the sum of ``x_S`` over the sets that meet row ``i``, ``p_ij`` over those that meet both and ``t`` over those that
meet all three, the sums are ``sum p - 2 t`` and ``sum r - sum p + 2 t``.  If no set meets both ``j`` and ``k``, neither cut is
broken (``p_ij + p_ik <= r_i``), so only triangles of the graph of rows that share a set are looked at.
"""

# Compiled kernels: numba infers the types; one long function is faster than many, and seeds its own generator.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912

from __future__ import annotations

import numba
import numpy as np
from scipy.sparse import csr_array

from estate.problem import Floats, Ints

VIOLATED = 0.02


@numba.njit(cache=True, nogil=True)
def _triangles(columns, rows, pairs, pair_sum, x, covering, most):
    """Broken cuts (violation, three rows) of a programme given by columns, by rows, and by pairs of rows that share a set."""
    start, row = columns
    by_start, by_column = rows
    pair_start, pair_row = pairs
    n_rows = len(by_start) - 1
    out, n = np.empty((most, 4)), 0
    total = np.zeros(n_rows)
    for i in range(n_rows):
        for e in range(by_start[i], by_start[i + 1]):
            total[i] += x[by_column[e]]
    first, third, meets = np.zeros(n_rows), np.zeros(n_rows), np.zeros(len(x), np.bool_)
    for i in range(n_rows):
        if covering and total[i] >= 1.5:
            continue
        for e in range(pair_start[i], pair_start[i + 1]):
            first[pair_row[e]] = pair_sum[e]
        for e in range(pair_start[i], pair_start[i + 1]):
            j = pair_row[e]
            if j <= i or (covering and total[j] >= 1.5):
                continue
            for f in range(by_start[j], by_start[j + 1]):
                meets[by_column[f]] = True
            for f in range(by_start[i], by_start[i + 1]):
                c = by_column[f]
                if meets[c]:
                    for g in range(start[c], start[c + 1]):
                        third[row[g]] += x[c]
            for f in range(pair_start[j], pair_start[j + 1]):
                k = pair_row[f]
                if k <= j or first[k] <= 0.0:
                    continue
                pairs = first[j] + first[k] + pair_sum[f]
                if covering:
                    broken = 2.0 - (total[i] + total[j] + total[k] - pairs + 2.0 * third[k])
                else:
                    broken = pairs - 2.0 * third[k] - 1.0
                if broken > VIOLATED and n < most:
                    out[n, 0], out[n, 1], out[n, 2], out[n, 3] = broken, i, j, k
                    n += 1
            for f in range(by_start[j], by_start[j + 1]):
                meets[by_column[f]] = False
            for f in range(by_start[i], by_start[i + 1]):
                c = by_column[f]
                for g in range(start[c], start[c + 1]):
                    third[row[g]] = 0.0
        for e in range(pair_start[i], pair_start[i + 1]):
            first[pair_row[e]] = 0.0
    return out[:n]


def separate(members: csr_array, x: Floats, *, covering: bool, at_most: int = 40) -> Ints:
    """The most violated triples, (n, 3), with no row in more than four of them.

    ``members`` is (rows, columns) 0/1: the sets in use, ``x`` how much of each.
    """
    by_column = members.T.tocsr()
    by_column.sort_indices()
    pairs = csr_array((members * x[None, :]) @ members.T)
    pairs.sort_indices()
    column, row, pair = ((m.indptr.astype(np.int64), m.indices.astype(np.int64)) for m in (by_column, members, pairs))
    found = _triangles(column, row, pair, pairs.data, x, covering, 20_000)
    used = np.zeros(members.shape[0], dtype=np.int64)
    chosen = []
    for t in np.argsort(-found[:, 0], kind="stable"):
        rows = found[t, 1:].astype(np.int64)
        if (used[rows] < 4).all():
            used[rows] += 1
            chosen.append(rows)
            if len(chosen) == at_most:
                break
    return np.unique(np.array(chosen, dtype=np.int64).reshape(-1, 3), axis=0)
