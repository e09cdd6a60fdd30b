"""Odd sets of three rows: the cuts that close most of what configuration columns leave open.

A fractional set partition is mostly made of odd cycles: three access points, any two of which share a set at one half each.  For
three packing rows (points, sites: ``<= 1``) and three covering rows (cover rows, points: ``>= 1``), with ``a_S`` the number of
the three that set ``S`` meets, dividing their sum by two and rounding gives

    sum_S floor(a_S / 2) x_S <= 1              subset-row cuts (Jepsen, Petersen, Spoorendonk and Pisinger 2008)
    sum_S ceil(a_S / 2) x_S  >= 2              the same for covering (odd-cover inequalities)

Both hold for every integer plan, whichever sets are in the programme, because they are Chvatal-Gomory rounds of rows it has.
All sets are in the pool already, so a cut changes reduced costs and nothing else.
"""

# Compiled kernels: numba infers the types; one long function is faster than many, and seeds its own generator.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912

from __future__ import annotations

import numba
import numpy as np

from estate.problem import Floats, Ints

VIOLATED = 0.02


@numba.njit(cache=True)
def _packing(start, item, x, n_rows, most):
    """Triples of rows whose sets of two or more add up to more than 1; columns list their rows."""
    pair = np.zeros((n_rows, n_rows))
    for c in range(len(x)):
        for a in range(start[c], start[c + 1]):
            for b in range(start[c], start[c + 1]):
                pair[item[a], item[b]] += x[c]
    out, n = np.empty((most, 4)), 0
    triple = np.zeros(n_rows)
    for i in range(n_rows):
        for j in range(i + 1, n_rows):
            if pair[i, j] <= 0.0:
                continue
            # x of columns that meet i and j and k, for every k.
            triple[:] = 0.0
            for c in range(len(x)):
                has = 0
                for a in range(start[c], start[c + 1]):
                    if item[a] == i or item[a] == j:
                        has += 1
                if has == 2:
                    for a in range(start[c], start[c + 1]):
                        triple[item[a]] += x[c]
            for k in range(n_rows):
                if k in (i, j) or (k < j and pair[i, k] > 0.0 and pair[j, k] > 0.0):
                    continue  # found from another pair
                value = pair[i, j] + pair[i, k] + pair[j, k] - 2.0 * triple[k]
                if value > 1.0 + VIOLATED and n < most:
                    out[n, 0], out[n, 1], out[n, 2], out[n, 3] = value - 1.0, i, j, k
                    n += 1
    return out[:n]


@numba.njit(cache=True)
def _covering(start, item, x, n_rows, most):
    """Triples of rows for which the sets that meet an odd number of them add up to less than their slack allows."""
    pair = np.zeros((n_rows, n_rows))
    for c in range(len(x)):
        for a in range(start[c], start[c + 1]):
            for b in range(start[c], start[c + 1]):
                pair[item[a], item[b]] += x[c]
    out, n = np.empty((most, 4)), 0
    triple = np.zeros(n_rows)
    for i in range(n_rows):
        if pair[i, i] >= 1.5:
            continue
        for j in range(i + 1, n_rows):
            if pair[j, j] >= 1.5 or pair[i, j] <= 0.0:
                continue
            triple[:] = 0.0
            for c in range(len(x)):
                has = 0
                for a in range(start[c], start[c + 1]):
                    if item[a] == i or item[a] == j:
                        has += 1
                if has == 2:
                    for a in range(start[c], start[c + 1]):
                        triple[item[a]] += x[c]
            for k in range(j + 1, n_rows):
                if pair[k, k] >= 1.5:
                    continue
                # meet(1) + meet(2) + 2 meet(3), by inclusion and exclusion
                three = triple[k]
                two = pair[i, j] + pair[i, k] + pair[j, k] - 3.0 * three
                one = pair[i, i] + pair[j, j] + pair[k, k] - 2.0 * two - 3.0 * three
                value = one + two + 2.0 * three
                if value < 2.0 - VIOLATED and n < most:
                    out[n, 0], out[n, 1], out[n, 2], out[n, 3] = 2.0 - value, i, j, k
                    n += 1
    return out[:n]


def separate(start: Ints, item: Ints, x: Floats, n_rows: int, *, covering: bool, at_most: int = 40) -> Ints:
    """The most violated triples, (n, 3), with no row in more than four of them."""
    find = _covering if covering else _packing
    found = find(start, item, x, n_rows, 20_000)
    order = np.argsort(-found[:, 0], kind="stable")
    used = np.zeros(n_rows, dtype=np.int64)
    chosen = []
    for t in order:
        rows = found[t, 1:].astype(np.int64)
        if (used[rows] < 4).all():
            used[rows] += 1
            chosen.append(np.sort(rows))
            if len(chosen) == at_most:
                break
    return np.unique(np.array(chosen, dtype=np.int64).reshape(-1, 3), axis=0)
