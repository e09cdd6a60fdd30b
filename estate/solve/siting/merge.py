"""Sites that another site makes superfluous, and zones that ask the same: left out where sites are the only decision.

Both reductions are for problems without access points, whose sites give their services whenever they are open
(:mod:`estate.solve.siting.choose_sites`); both leave the optimum as it was.

* A site is *dominated* by another that costs no more and reaches every row it reaches: a plan with it is no worse with the
  other in its place (Toregas and ReVelle 1973; column reduction in set covering, Garfinkel and Nemhauser 1972).  Rows that ask
  for two sites would miss the second, so they must ask for one.
* Share items with the same sites in reach are one item with their weights added up.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np

from estate.problem import Bools, CoverRows, Ints, Problem


@numba.njit(cache=True, nogil=True)
def _dominated(start, row, of_start, of_site, cost, order):
    """Columns that a column earlier in ``order`` or dearer to lose makes superfluous; columns list rows, and rows columns."""
    gone = np.zeros(len(cost), dtype=np.bool_)
    mark = np.full(len(of_start) - 1, -1, dtype=np.int64)
    for turn in range(len(order)):
        j = order[turn]
        first, last = start[j], start[j + 1]
        if first == last:
            gone[j] = True
            continue
        scarce = row[first]
        for e in range(first, last):
            r = row[e]
            mark[r] = j
            if of_start[r + 1] - of_start[r] < of_start[scarce + 1] - of_start[scarce]:
                scarce = r
        for f in range(of_start[scarce], of_start[scarce + 1]):
            k = of_site[f]
            size = start[k + 1] - start[k]
            if k == j or gone[k] or cost[k] > cost[j] or size < last - first:
                continue
            n = 0
            for e in range(start[k], start[k + 1]):
                n += mark[row[e]] == j
                if n + start[k + 1] - e - 1 < last - first:
                    break
            if n == last - first:
                gone[j] = True
                break
    return gone


def dominated_sites(problem: Problem, cost: Ints) -> Bools:
    """(J,) sites that no best cover needs, ``cost`` (J,) being what an open site costs; those that must be open are kept.

    Raises
    ------
    ValueError
        When a cover row asks for more than one site.
    """
    c = problem.cover
    if len(c) and int(c.need.max()) > 1:
        raise ValueError("a site that reaches more is no substitute where a row asks for two")
    J = problem.n_sites
    row = np.repeat(np.arange(len(c)), np.diff(c.start))
    use = ~problem.must_close[c.site]
    row, site = row[use], c.site[use]
    by_site = np.argsort(site, kind="stable")
    of_start = np.searchsorted(row, np.arange(len(c) + 1)).astype(np.int64)
    size = np.bincount(site, minlength=J)
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    order = np.lexsort((-np.arange(J), -cost, size)).astype(np.int64)  # small and dear first: its equal, later, stays
    gone: Bools = _dominated(start, row[by_site], of_start, site, cost, order)
    return gone & ~problem.must_open


def close(problem: Problem, sites: Bools) -> Problem:
    """The problem with more sites closed, and its cover rows without them."""
    c = problem.cover
    shut = problem.must_close | sites
    row = np.repeat(np.arange(len(c)), np.diff(c.start))
    keep = ~shut[c.site]
    start = np.searchsorted(row[keep], np.arange(len(c) + 1)).astype(np.int64)
    return replace(problem, must_close=shut, cover=CoverRows(c.service, c.need, start, c.site[keep], c.excuse))


@numba.njit(cache=True, nogil=True)
def _alike(start, site, key, order):
    """The first row (in ``order``, sorted by size and key) that has the same sites."""
    same = np.arange(len(start) - 1)
    for turn in range(1, len(order)):
        r = order[turn]
        size = start[r + 1] - start[r]
        back = turn - 1
        while back >= 0:
            q = order[back]
            if start[q + 1] - start[q] != size or key[q] != key[r]:
                break
            equal = same[q] == q
            for e in range(size):
                if not equal or site[start[q] + e] != site[start[r] + e]:
                    equal = False
                    break
            if equal:
                same[r] = q
                break
            back -= 1
    return same


def equal_rows(start: Ints, site: Ints, n_sites: int) -> Ints:
    """(R,) for each list of sites, the number of the first that is equal to it; the sites of a list are sorted."""
    n = len(start) - 1
    noise = np.random.default_rng(0).integers(0, 2**62, n_sites)
    row = np.repeat(np.arange(n), np.diff(start))
    key = np.zeros(n, dtype=np.int64)
    np.add.at(key, row, noise[site])  # wraps around: equal lists have equal keys, and unequal ones are looked at
    order = np.lexsort((np.arange(n), key, np.diff(start))).astype(np.int64)
    same: Ints = _alike(start, site, key, order)
    return same
