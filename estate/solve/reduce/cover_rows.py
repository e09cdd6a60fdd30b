"""Cover rows that say nothing, and what a row that rests on one point says about the point.

**Implied rows.**  A cover row is *implied* by another of the same service that asks for at least as many offers among some of
the same sites: every plan that meets the other meets it.  (An excuse counts as one more thing that meets a row: a row with one
implies only rows with the same.)  A county
keeps 100 rows of 2,000, a region 1,900 of 25,000.  Rows are taken shortest first.  A kept row is filed under its rarest item,
and a new row looks only at those filed under its own items: 0.04 s for a region.

**Rows met wherever a point goes.**  A point must be somewhere.  If everywhere it could be is in a row of its service that asks
for one offer, the row is met in every plan.  (The linear relaxation knows it too, so its bound loses nothing.)

**Rows that rest on one point.**  If all the offers that could meet a row are one point's, the point must be at one of them, and
its other pairs go; several such rows leave it what they have in common.
"""

# Compiled kernels: numba infers the types; one long function is faster than many, and seeds its own generator.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, CoverRows, Ints, Problem


def minimal(problem: Problem) -> Ints:
    """The cover rows that no other implies (their numbers, rising)."""
    c = problem.cover
    n = len(c)
    length = np.diff(c.start)
    row = np.repeat(np.arange(n), length)
    Q = problem.n_services * problem.n_sites
    item = c.service[row] * problem.n_sites + c.site
    count = np.bincount(item, minlength=Q)
    # rarest first within each row
    item = item[np.lexsort((item, count[item], row))]
    by = np.lexsort((np.arange(n), c.excuse >= 0, -c.need, length)).astype(np.int64)
    return np.flatnonzero(_implied(c.start, item, c.need, c.excuse, by, Q)).astype(np.int64)


def with_rows(problem: Problem, keep: Ints) -> Problem:
    """The problem with only the cover rows numbered in ``keep``."""
    c = problem.cover
    lens = np.diff(c.start)[keep]
    start = np.concatenate([[0], np.cumsum(lens)]).astype(np.int64)
    take = np.repeat(c.start[keep] - start[:-1], lens) + np.arange(start[-1])
    return replace(problem, cover=CoverRows(c.service[keep], c.need[keep], start, c.site[take], c.excuse[keep]))


@numba.njit(cache=True, nogil=True)
def _implied(start, item, need, excuse, order, universe):  # noqa: ANN001, ANN202, C901
    """Rows that no other row implies; rows are taken in ``order`` (short first)."""
    keep = np.zeros(len(need), dtype=np.bool_)
    mark = np.zeros(universe, dtype=np.int64)
    head = np.full(universe, -1, dtype=np.int64)  # kept rows by their first item
    follow = np.full(len(need), -1, dtype=np.int64)
    for turn in range(len(order)):
        r = order[turn]
        for e in range(start[r], start[r + 1]):
            mark[item[e]] = turn + 1
        implied = False
        for e in range(start[r], start[r + 1]):
            other = head[item[e]]
            while other >= 0 and not implied:
                if need[other] >= need[r] and (excuse[other] < 0 or excuse[other] == excuse[r]):
                    inside = True
                    for f in range(start[other], start[other + 1]):
                        if mark[item[f]] != turn + 1:
                            inside = False
                            break
                    implied = inside
                other = follow[other]
            if implied:
                break
        if implied:
            continue
        keep[r] = True
        if start[r + 1] > start[r]:
            first = item[start[r]]
            follow[r] = head[first]
            head[first] = r
    return keep


def met_wherever(problem: Problem, free: Bools) -> Bools:
    """(R,) rows that ask for one offer and hold every site where some point of their service could be.

    ``free`` points (S,) need not be anywhere and meet nothing.
    """
    p, c = problem, problem.cover
    K = p.n_services
    row = np.repeat(np.arange(len(c)), np.diff(c.start))
    held = csr_array((np.ones(len(row), dtype=np.int32), (c.site * K + c.service[row], row)), shape=(p.n_sites * K, len(c)))
    offer = p.pair_site * K + p.point_service[p.pair_point]
    could = csr_array((np.ones(p.n_pairs, dtype=np.int32), (p.pair_point, offer)), shape=(p.n_points, p.n_sites * K))
    both = (could @ held).tocoo()
    choices = np.bincount(p.pair_point, minlength=p.n_points)
    met = np.zeros(len(c), dtype=bool)
    met[both.col[(both.data == choices[both.row]) & ~free[both.row]]] = True
    return met & (c.need <= 1)


def elsewhere(problem: Problem) -> Bools:
    """(P,) pairs of points on which a row rests that holds them not."""
    p, c = problem, problem.cover
    K, Q = p.n_services, p.n_services * p.n_sites
    row = np.repeat(np.arange(len(c)), np.diff(c.start))
    offer = p.pair_site * K + p.point_service[p.pair_point]
    count = np.bincount(offer, minlength=Q)
    only = np.full(Q, -1)
    only[offer] = np.arange(p.n_pairs)
    only[(count != 1)] = -1
    given = np.zeros(Q, dtype=bool)
    given[p.inherent[:, 1] * K + p.inherent[:, 0]] = True
    at = c.site * K + c.service[row]
    excused = np.flatnonzero(c.excuse >= 0)
    # What could meet each row: pairs, each once; rows with an offer of several points, or of none, say nothing here.
    vague = np.bincount(row, (count[at] > 1) | given[at], len(c)) > 0
    couple = np.concatenate([row[only[at] >= 0] * p.n_pairs + only[at[only[at] >= 0]], excused * p.n_pairs + c.excuse[excused]])
    owner, pair = np.divmod(np.unique(couple), max(p.n_pairs, 1))
    point = p.pair_point[pair]
    low, high = np.full(len(c), p.n_points), np.full(len(c), -1)
    np.minimum.at(low, owner, point)
    np.maximum.at(high, owner, point)
    rests = (low == high) & ~vague & (c.need >= 1)
    asked = np.bincount(high[rests], minlength=p.n_points)
    has = np.bincount(pair[rests[owner]], minlength=p.n_pairs)
    out: Bools = has < asked[p.pair_point]
    return out
