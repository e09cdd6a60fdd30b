"""Displacement at a price, in the problem's own terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from estate.formulate.rules import Compiled
from estate.problem import CoverRows, Ints, Problem, SideRows, Solution, offer_columns, offered


def with_prices(problem: Problem, compiled: Compiled) -> Problem:
    """Priced displacement: a further point, *near* at no cost where the service is offered in reach, else *far* at a price.

    Each priced row adds a point of a service of its own with two pairs, to two sites that are always open, and
    a side row ``host_near <= offers in reach`` (added with the others).
    """
    rows = compiled.priced
    if not len(rows):
        return problem
    n, j = len(rows), problem.n_sites
    none = np.zeros(n, dtype=np.int64)
    first = problem.n_points
    point = np.repeat(np.arange(first, first + n), 2)
    two = np.zeros(2, dtype=np.int64)
    near = problem.near
    return replace(
        problem,
        n_services=problem.n_services + 1,
        site_cost=np.concatenate([problem.site_cost, two]),
        site_capacity=np.concatenate([problem.site_capacity, two]),
        site_slack=np.concatenate([problem.site_slack, two]),
        must_open=np.concatenate([problem.must_open, [True, True]]),
        must_close=np.concatenate([problem.must_close, [False, False]]),
        site_one_off=None if problem.site_one_off is None else np.concatenate([problem.site_one_off, two]),
        point_service=np.concatenate([problem.point_service, none + problem.n_services]),
        point_own=np.concatenate([problem.point_own, none]),
        point_hall=np.concatenate([problem.point_hall, none]),
        point_desk=np.concatenate([problem.point_desk, none]),
        point_home=np.concatenate([problem.point_home, none + j]),
        pair_point=np.concatenate([problem.pair_point, point]),
        pair_site=np.concatenate([problem.pair_site, np.tile([j, j + 1], n)]),
        pair_cost=np.concatenate([problem.pair_cost, np.column_stack([none, compiled.priced_pence]).ravel()]),
        site_running=_and(problem.site_running, 2),
        pair_running=_and(problem.pair_running, 2 * n),
        pair_apart=_and(problem.pair_apart, 2 * n),
        pair_one_off=_and(problem.pair_one_off, 2 * n),
        near=near,
        today=None
        if problem.today is None
        else Solution(np.concatenate([problem.today.open, [True, True]]), np.concatenate([problem.today.host, none + j])),
        side=_price_rows(problem, rows),
    )


def priced_solution(problem: Problem, compiled: Compiled, solution: Solution) -> Solution:
    """A solution of the problem without prices in the terms of the problem with them: each further point near, else far."""
    rows = compiled.priced
    if not len(rows):
        return solution
    near = np.full(len(rows), problem.n_sites - 2)
    whole = Solution(np.concatenate([solution.open, [True, True]]), np.concatenate([solution.host, near]))
    row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    there = offered(problem, whole)[rows.service[row], rows.site[row]]
    reached = np.bincount(row[there], minlength=len(rows)) > 0
    return Solution(whole.open, np.concatenate([solution.host, np.where(reached, near, near + 1)]))


def _and(values: Ints | None, n: int) -> Ints | None:
    """The values, and nothing for ``n`` more."""
    return None if values is None else np.concatenate([values, np.zeros(n, dtype=np.int64)])


def _price_rows(problem: Problem, rows: CoverRows) -> SideRows:
    """``sum of offers in reach - host_near >= 0`` for each priced row, over the columns of the problem *with* prices."""
    offers = offer_columns(problem)
    number = pd.MultiIndex.from_arrays([offers[:, 0], offers[:, 1]])
    row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    found = number.get_indexer(pd.MultiIndex.from_arrays([rows.service[row], rows.site]))
    row, found = row[found >= 0], found[found >= 0]
    n, base = len(rows), problem.n_sites + 2
    n_pairs = problem.n_pairs + 2 * n
    near_pair = problem.n_pairs + 2 * np.arange(n)
    rows_all = np.concatenate([row, np.arange(n)])
    column = np.concatenate([base + n_pairs + found, base + near_pair])
    value = np.concatenate([np.ones(len(row)), -np.ones(n)])
    order = np.lexsort((column, rows_all))
    start = np.concatenate([[0], np.cumsum(np.bincount(rows_all, minlength=n))]).astype(np.int64)
    names = tuple("a priced displacement is near only with an offer in reach" for _ in range(n))
    return SideRows(names, np.zeros(n), np.full(n, np.inf), start, column[order].astype(np.int64), value[order])
