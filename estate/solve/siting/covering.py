"""Least sites that cover every row.

**Set covering** (Toregas, Swain, ReVelle and Bergman 1971).  Implied rows (:mod:`estate.solve.reduce`) and dominated sites
(:mod:`estate.solve.siting.merge`) are dropped in turn until neither finds any; what is left is searched by
:mod:`estate.solve.siting.cover_tree`, or by HiGHS as arrays where rows ask for two sites or the costs are of many sizes.

Where the question is only whether so many sites are enough (:mod:`.siting.p_center`), most cases need no relaxation:
a good cover (:mod:`estate.solve.siting.cover_search`) says yes, rows that share no site say no.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from estate.model import Measure, formulate
from estate.model.arrays import arrays
from estate.problem import Bools, Goal, Ints, Problem, SideRows
from estate.solve import highs, reduce
from estate.solve.reduce import cover_rows
from estate.solve.siting import cover_search, cover_tree, merge
from estate.solve.siting.cover_search import CoverLists, SearchLimit

__all__ = ["Cover", "SearchLimit", "least", "reduced"]

DEAREST = 10_000_000
"""Cost of a site, in their common measure, beyond which a bound in doubles is too coarse to tell covers apart."""

FIRST = 300
"""Exchanges (:mod:`~estate.solve.siting.cover_search`) before the first relaxation: 1-3 ms for a region."""


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """The best cover found and what is proven: no cover costs less than ``bound`` (``inf``: there is none)."""

    open: Bools | None
    value: int | None
    bound: float
    complete: bool


@numba.njit(cache=True, nogil=True)
def _apart(of_start, of_site, order, J):
    """How many rows, shortest first, share no site with one taken before: each needs a site of its own."""
    taken = np.zeros(J, dtype=np.bool_)
    n = 0
    for t in range(len(order)):
        r = order[t]
        clear = True
        for f in range(of_start[r], of_start[r + 1]):
            if taken[of_site[f]]:
                clear = False
                break
        if clear:
            n += 1
            for f in range(of_start[r], of_start[r + 1]):
                taken[of_site[f]] = True
    return n


def reduced(problem: Problem, cost: Ints) -> Problem:
    """The problem without implied rows and dominated sites (closed), taken in turn until neither finds any."""
    single = not len(problem.cover) or int(problem.cover.need.max()) <= 1
    while True:
        problem = reduce.without_implied(problem)
        if not single:
            return problem
        gone = merge.dominated_sites(problem, cost) & ~problem.must_close
        if not gone.any():
            return problem
        problem = merge.close(problem, gone)


def least(problem: Problem, cost: Ints, budget: SearchLimit, *, enough: int | None = None) -> Cover:
    """The cheapest sites that meet the cover rows, ``cost`` (J,) each.

    With ``enough``, all that is asked is whether a cover of at most that cost exists: the search ends with one, or with a bound
    above it.
    """
    asks = cover_rows.with_rows(problem, np.flatnonzero(problem.cover.need > 0))
    small = reduced(replace(asks, site_cost=cost, shares=(), side=SideRows(), goal=Goal.COST), cost)
    c = small.cover
    if (np.diff(c.start) < c.need).any():
        return Cover(None, None, np.inf, complete=True)
    given = problem.must_open | (cost == 0)
    asked = np.zeros(problem.n_sites, dtype=bool)
    asked[c.site] = True
    given &= asked | problem.must_open
    base = int(cost[given].sum())
    rows = CoverLists(c.start, c.site, problem.n_sites)
    rows = rows.part(rows.sum(given * 1.0) < 0.5)
    used, site = np.unique(rows.site, return_inverse=True)
    rows = CoverLists(rows.start, site, len(used))
    unit = max(int(np.gcd.reduce(cost[used])), 1) if len(used) else 1
    price = cost[used] // unit
    twice = int(c.need.max(initial=0)) > 1
    if twice or len(c.site) > cover_tree.LARGEST or int(price.min(initial=1)) < 0 or int(price.max(initial=0)) > DEAREST:
        return _by_highs(small, cost, budget, enough)

    def cover(plan: Bools | None, bound: float, *, complete: bool) -> Cover:
        if plan is None:
            return Cover(None, None, bound, complete)
        is_open = given.copy()
        is_open[used[plan]] = True
        return Cover(is_open, base + unit * int(price[plan].sum()), bound, complete)

    target = 0 if enough is None else (enough - base) // unit
    if target < 0:
        return cover(None, float(base), complete=False)
    start: Bools | None = cover_search.search(rows, price, target, FIRST)
    below = int(price[start].sum())
    if enough is not None:
        if below <= target:
            return cover(start, float("-inf"), complete=False)
        n = int(_apart(rows.start, rows.site, np.argsort(np.diff(rows.start), kind="stable"), rows.J))
        if n > target:
            return cover(None, float(base + unit * n), complete=False)
        start, below = None, target + 1
    found = cover_tree.solve(rows, price, below, start, budget, enough=target)
    return cover(found.open, float(base + unit * found.bound), complete=found.complete)


def _by_highs(small: Problem, cost: Ints, budget: SearchLimit, enough: int | None) -> Cover:
    """The same by HiGHS on the reduced rows."""
    f = formulate(small, Measure.COST)
    options: dict[str, float | int | str | bool] = {} if enough is None else {"objective_target": float(enough // f.unit)}
    run = highs.run(arrays(f), gap=budget.gap, clock=budget.clock, nodes=budget.nodes, seed=budget.seed, options=options)
    plan = None if run.x is None else f.solution(run.x).open
    found = None if plan is None else int(cost[plan].sum())
    return Cover(plan, found, run.bound * f.unit, run.complete)
