"""When each step has paid for itself: with the steps that belong together, in the money of all agencies.

A counter that leaves a building saves nothing until the building is let go, and a building that is opened nothing by itself: so
steps are counted together with those of the building that they empty, of the building newly opened that they fill, and of one
that a counter leaves as another comes in.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from estate.money.law import year_label
from estate.money.present_value import discounting
from estate.problem import Floats, Ints
from estate.programme.orders import Course, began
from estate.programme.terms import Terms

NEVER = "never"


def paybacks(terms: Terms, course: Course) -> dict[tuple[int, int], str]:
    """By step (its pair and its site; the other is -1), the year from which its group's discounted total is never below nothing.

    Over the horizon, of what is paid and banked once and of running cost saved; *never* where it ends below nothing.
    """
    scenario = terms.measured.scenario
    pair, site = began(terms.orders, course)
    taken = [(int(p), -1, int(pair[p])) for p in np.flatnonzero(pair >= 0)]
    taken += [(-1, int(j), int(site[j])) for j in np.flatnonzero(site >= 0)]
    together = _groups(terms, [(p, j) for p, j, _ in taken], site)
    worth = discounting(scenario).factor
    total: defaultdict[int, Floats] = defaultdict(lambda: np.zeros(len(worth)))
    for p, j, period in taken:
        frame = terms.ways.entries[period]
        mine = frame[(frame["pair"] == p) & (frame["site"] == j) & (frame["year"] < len(worth))]
        np.add.at(total[together[p, j]], mine["year"].to_numpy(dtype=np.int64), mine["pence"].to_numpy(dtype=np.float64))
    said = {group: _year(scenario.money.base_year, worth * flow) for group, flow in total.items()}
    return {(p, j): said[together[p, j]] for p, j, _ in taken}


def _year(base: int, present: Floats) -> str:
    """The first year from which a running total is never below nothing again."""
    short = np.flatnonzero(np.round(np.cumsum(present) / 100, 2) < 0)
    if not len(short):
        return year_label(base + int(np.flatnonzero(present)[0])) if present.any() else year_label(base)
    return NEVER if short[-1] == len(present) - 1 else year_label(base + int(short[-1]) + 1)


def _groups(terms: Terms, taken: list[tuple[int, int]], site: Ints) -> dict[tuple[int, int], int]:
    """The group of each step: with those that share a building let go, opened, or left by one and entered by another."""
    n = len(terms.measured.place.sites)
    moves = np.array([p for p, _ in taken if p >= 0], dtype=np.int64)
    home, to = terms.measured.place.point_site[terms.point[moves]], terms.orders.problem.pair_site[moves]
    shared = (site >= 0) | (np.isin(np.arange(n), home) & np.isin(np.arange(n), to))
    touched = []
    for at, (p, j) in enumerate(taken):
        if p < 0:
            touched.append((at, j))
        else:
            ends = int(terms.measured.place.point_site[terms.point[p]]), int(terms.orders.problem.pair_site[p])
            touched += [(at, each) for each in ends if shared[each]]
    rows, columns = (np.array([each[k] for each in touched], dtype=np.int64) for k in (0, 1))
    whole = len(taken) + n
    links = coo_matrix((np.ones(len(rows)), (rows, columns + len(taken))), shape=(whole, whole))
    _, label = connected_components(links, directed=False)
    return {step: int(label[at]) for at, step in enumerate(taken)}
