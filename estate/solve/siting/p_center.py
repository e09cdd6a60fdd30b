"""The least radius at which ``p`` sites reach everybody: the p-center problem (Hakimi 1964).

``p`` sites reach everybody within ``r`` exactly when the least cover at radius ``r`` has at most ``p`` sites (Minieka 1970), so
the radius is found by bisection.  It starts from the distance that even all sites together leave, and from a farthest-first plan
(Gonzalez 1985).  A cover in hand moves the upper end to the distance that it really needs; a refused radius moves the lower end
to the next distance that occurs.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import math
from dataclasses import replace

import numba
import numpy as np

from estate.problem import Bools, CoverRows, NearRows, Problem
from estate.solve.siting import covering
from estate.solve.siting.covering import SearchLimit


@numba.njit(cache=True, nogil=True)
def _farthest(start, site, distance, service, is_open):
    """The greatest distance to the nearest open site; -1 where a row has none."""
    most = 0
    for i in range(len(start) - 1):
        found = -1
        for e in range(start[i], start[i + 1]):
            if is_open[service[i], site[e]]:
                found = distance[e]
                break
        if found < 0:
            return -1
        most = max(most, found)
    return most


@numba.njit(cache=True, nogil=True)
def _inside(start, distance, radius):
    """The end of each row's entries within the radius."""
    end = np.empty(len(start) - 1, dtype=np.int64)
    for i in range(len(end)):
        end[i] = start[i] + np.searchsorted(distance[start[i] : start[i + 1]], radius, side="right")
    return end


@numba.njit(cache=True, nogil=True)
def _following(start, distance, radius):
    """The least distance beyond the radius, -1 where there is none."""
    least = -1
    for i in range(len(start) - 1):
        e = start[i] + np.searchsorted(distance[start[i] : start[i + 1]], radius, side="right")
        if e < start[i + 1] and (least < 0 or distance[e] < least):
            least = distance[e]
    return least


@numba.njit(cache=True, nogil=True)
def _farthest_first(start, site, distance, service, offered, p, is_open):
    """Opens the nearest site of whoever is farthest from any, until ``p`` are open (in place)."""
    left = p - is_open.sum()
    while left > 0:
        most, who = -1, -1
        for i in range(len(start) - 1):
            nearest, d = -1, -1
            for e in range(start[i], start[i + 1]):
                if offered[service[i], site[e]]:
                    if nearest < 0:
                        nearest = site[e]
                    if is_open[site[e]]:
                        d = distance[e]
                        break
            if d < 0:
                d = np.iinfo(np.int64).max
            if not is_open[nearest] and d > most:
                most, who = d, nearest
        if who < 0:
            return
        is_open[who] = True
        left -= 1


def least_radius(problem: Problem, p: int, offered: Bools, budget: SearchLimit) -> tuple[str, Bools | None, float | None]:
    """Why the search ended, at most ``p`` sites, and the radius that none can better; ``offered`` is (K, J)."""
    near = problem.near
    lists = (near.start, near.site, near.distance, near.service)
    all_open = int(_farthest(*lists, offered))
    if all_open < 0:
        return "infeasible", None, None
    exact = replace(budget, gap=0.0)
    ones = np.ones(problem.n_sites, dtype=np.int64)
    first = problem.must_open.copy()
    _farthest_first(*lists, offered, p, first)
    reach = int(_farthest(*lists, offered & first))
    plan: Bools | None = None if reach < 0 else first
    below, above = all_open, reach if reach >= 0 else int(near.distance.max())
    while (below < above or plan is None) and not budget.over():
        radius = (below + above) // 2
        step = replace(problem, cover=_within(near, offered, radius), near=NearRows())
        found = covering.least(step, ones, exact, enough=p)
        if found.open is not None and found.value is not None and found.value <= p:
            plan = found.open
            above = int(_farthest(*lists, offered & plan))
        elif math.ceil(found.bound) > p:
            below = int(_following(near.start, near.distance, radius))
            if below < 0:
                return "infeasible", None, None
        else:
            break
    return budget.ended(complete=plan is not None and below >= above), plan, float(below)


def _within(near: NearRows, offered: Bools, radius: int) -> CoverRows:
    """One cover row for each near row: an offer within the radius."""
    end = _inside(near.start, near.distance, radius)
    length = end - near.start[:-1]
    row = np.repeat(np.arange(len(near)), length)
    entry = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + near.start[row]
    site = near.site[entry]
    keep = offered[near.service[row], site]
    row, site = row[keep], site[keep]
    site = site[np.lexsort((site, row))]
    start = np.searchsorted(row, np.arange(len(near) + 1)).astype(np.int64)
    ones = np.ones(len(near), dtype=np.int64)
    return CoverRows(near.service, ones, start, site, -ones)
