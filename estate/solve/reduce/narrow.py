"""A problem with some decisions taken: smaller arrays for the same plans, numbered as before where plans are concerned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estate.model import offer_index
from estate.problem import Bools, CoverRows, Derived, Problem, SideRows, Solution, offer_columns


def without_pairs(problem: Problem, drop: Bools) -> Problem:
    """The problem without the host pairs marked in ``drop`` (P,): their points may not be hosted there.

    Sites, points and services keep their numbers, so a solution means the same in both.  An excuse whose pair is gone
    is gone; side rows lose the terms of pairs and offers that can no longer be.
    """
    kept = np.flatnonzero(~drop)
    number = np.full(problem.n_pairs, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    cover = problem.cover
    excuse = np.where(cover.excuse >= 0, number[np.maximum(cover.excuse, 0)], -1) if problem.n_pairs else cover.excuse
    smaller = replace(
        problem,
        pair_point=problem.pair_point[kept],
        pair_site=problem.pair_site[kept],
        pair_cost=problem.pair_cost[kept],
        pair_one_off=None if problem.pair_one_off is None else problem.pair_one_off[kept],
        pair_running=None if problem.pair_running is None else problem.pair_running[kept],
        pair_apart=None if problem.pair_apart is None else problem.pair_apart[kept],
        cover=CoverRows(cover.service, cover.need, cover.start, cover.site, excuse),
        derived=tuple(Derived(each.service, tuple(part[kept] for part in each.parts)) for each in problem.derived),
        today=None,
        side=SideRows(),
    )
    if problem.today is not None:
        stays = np.isin(pair_keys(problem)[kept], solution_keys(problem, problem.today)).sum() == problem.n_points
        smaller = replace(smaller, today=problem.today if stays else None)
    side = problem.side
    if not len(side):
        return smaller
    before = offer_columns(problem)
    J, P, Q = problem.n_sites, problem.n_pairs, len(before)
    offers = offer_index(smaller, before[:, 0], before[:, 1])
    new_q = len(offer_columns(smaller))
    column = np.concatenate([
        np.arange(J),
        np.where(number >= 0, J + number, -1),
        np.where(offers >= 0, J + len(kept) + offers, -1),
        J + len(kept) + new_q + np.arange(J),
    ])[side.column] if J + P + Q else side.column  # fmt: skip
    row = np.repeat(np.arange(len(side)), np.diff(side.start))
    there = column >= 0
    start = np.searchsorted(row[there], np.arange(len(side) + 1))
    return replace(smaller, side=SideRows(side.name, side.lower, side.upper, start, column[there], side.value[there]))


def pair_keys(problem: Problem) -> np.ndarray:
    """(P,) one number for each (point, site) pair."""
    return problem.pair_point * problem.n_sites + problem.pair_site


def solution_keys(problem: Problem, solution: Solution) -> np.ndarray:
    """(S,) the same numbers for the pairs that a solution chooses."""
    return np.arange(problem.n_points) * problem.n_sites + solution.host


def fix(problem: Problem, plan: Solution, *, points: Bools, sites: Bools) -> Problem:
    """The problem with the marked points hosted, and the marked sites open or closed, as in ``plan``."""
    chosen = plan.host[problem.pair_point] == problem.pair_site
    fixed = replace(
        problem,
        must_open=problem.must_open | (sites & plan.open),
        must_close=problem.must_close | (sites & ~plan.open),
    )
    return without_pairs(fixed, points[problem.pair_point] & ~chosen)
