"""Displacement at a price, in the problem's own terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estate.formulate.rules import Compiled
from estate.problem import CoverRows, Ints, Problem, Solution, offered


def with_prices(problem: Problem, compiled: Compiled) -> Problem:
    """Priced displacement: a cover row that a further site, which costs the price while it is open, could meet as well.

    Each priced row has a site of its own, with no room and an inherent offer of the row's service; no other row looks at it.  So
    the price is paid exactly where no offer is in reach, and no search need know that there is such a thing.
    """
    rows = compiled.priced
    if not len(rows):
        return problem
    n, new = len(rows), problem.n_sites + np.arange(len(rows))
    none, no = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    owner = np.concatenate([np.repeat(np.arange(n), np.diff(rows.start)), np.arange(n)])
    site = np.concatenate([rows.site, new])
    order = np.lexsort((site, owner))
    cover = problem.cover
    start = rows.start + np.arange(n + 1)
    today = problem.today
    return replace(
        problem,
        site_cost=np.concatenate([problem.site_cost, compiled.priced_pence]),
        site_capacity=np.concatenate([problem.site_capacity, none]),
        site_slack=np.concatenate([problem.site_slack, none]),
        must_open=np.concatenate([problem.must_open, no]),
        must_close=np.concatenate([problem.must_close, no]),
        site_one_off=_and(problem.site_one_off, n),
        site_opening=_and(problem.site_opening, n),
        site_running=_and(problem.site_running, n),
        inherent=np.concatenate([problem.inherent, np.column_stack([rows.service, new])]),
        cover=CoverRows(
            np.concatenate([cover.service, rows.service]),
            np.concatenate([cover.need, np.ones(n, dtype=np.int64)]),
            np.concatenate([cover.start, cover.start[-1] + start[1:]]),
            np.concatenate([cover.site, site[order]]),
            np.concatenate([cover.excuse, none - 1]),
        ),
        today=None if today is None else priced_solution(problem, compiled, today),
    )


def priced_solution(problem: Problem, compiled: Compiled, solution: Solution) -> Solution:
    """A solution in the terms of the problem with prices: those are paid (the further sites open) where no offer is in reach.

    ``problem`` is the one with prices, or without.
    """
    rows = compiled.priced
    if not len(rows):
        return solution
    row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    there = offered(replace(problem, inherent=problem.inherent[problem.inherent[:, 1] < len(solution.open)]), solution)
    reached = np.bincount(row[there[rows.service[row], rows.site]], minlength=len(rows)) > 0
    return Solution(np.concatenate([solution.open, ~reached]), solution.host)


def _and(values: Ints | None, n: int) -> Ints | None:
    """The values, and nothing for ``n`` more."""
    return None if values is None else np.concatenate([values, np.zeros(n, dtype=np.int64)])
