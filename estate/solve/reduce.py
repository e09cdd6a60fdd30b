"""tmp"""

from __future__ import annotations
from dataclasses import replace
import numba
import numpy as np
from estate.problem import CoverRows, Ints, Problem


@numba.njit(cache=True)
def _minimal(start, item, need, order, universe):  # noqa: ANN001, ANN202
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
                if need[other] >= need[r]:
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


def cover_rows(problem):
    c = problem.cover
    n = len(c)
    length = np.diff(c.start)
    row = np.repeat(np.arange(n), length)
    Q = problem.n_services * problem.n_sites
    item = c.service[row] * problem.n_sites + c.site
    count = np.bincount(item, minlength=Q)
    # rarest first within each row
    order = np.lexsort((item, count[item], row))
    item = item[order]
    by = np.lexsort((np.arange(n), -c.need, length)).astype(np.int64)
    keep = np.flatnonzero(_minimal(c.start, item, c.need, by, Q))
    lens = length[keep]
    start = np.concatenate([[0], np.cumsum(lens)]).astype(np.int64)
    take = np.repeat(c.start[keep] - start[:-1], lens) + np.arange(start[-1])
    return replace(problem, cover=CoverRows(c.service[keep], c.need[keep], start, c.site[take], c.excuse[keep]))
