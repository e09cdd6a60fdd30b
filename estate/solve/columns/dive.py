"""A plan out of the best multipliers: price and dive.

The linear programme over sets (:mod:`estate.solve.columns.boxstep`) of a conurbation of 500 buildings in round figures ends 0.4%
below the best plan known, and most of what it uses it uses whole.  So the sets that it uses most are taken for good, some
buildings at a time; what is left is priced again without the points that are settled, and so on to the last point (diving with
column generation: Sadykov, Vanderbeck, Pessoa, Tahiri and Uchoa 2019 compare ways to do it).  Points may be taken twice on the
way, since a set without one of its points is a set that costs no more; and a row may be given up at a price.

What comes out is therefore almost a plan.  It is made one by a small programme that knows only the pairs of the dive and those of
the plan in hand, and so is never worse than the latter (:func:`between`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array

from estate.model.arrays import MONEY
from estate.problem import Bools, Ints, Problem, Solution, cost
from estate.solve.columns import patterns, rest
from estate.solve.columns.boxstep import Box
from estate.solve.columns.building import Work, work_space
from estate.solve.columns.core import Core, core
from estate.solve.columns.lagrangian import Dual, evaluate, evaluate_with_sets
from estate.solve.columns.patterns import Patterns
from estate.solve.reduce.narrow import without_pairs
from estate.solve.watch import NEVER, Clock

FIRST = 12
"""Rounds of column generation before the first sets are taken, with prices free."""
ROUNDS = 2
"""Rounds after each time that sets were taken."""
TAKEN = 0.05
"""Share of the buildings that is settled at a time, at most."""
SURE = (0.6, 0.8)
"""From how much of it on a set is taken together with others, dive by dive; one, the most used, is always."""
DEAR = 3.0
"""Price of a row that is given up, in dearest buildings."""
USED = 1e-6
"""What the linear programme uses less of counts as not used."""
LOOKS = 200
"""How often HiGHS may look up between two plans (:func:`estate.solve.highs.run`)."""


class _Programme(Box):
    """The linear programme over sets, and which sets they are."""

    def __init__(self, problem: Problem, cut: Core, first: Patterns) -> None:
        super().__init__(problem, cut, first)
        self.held = [first]
        self.priced_columns = 2 * len(self.priced)

    def add(self, found: Patterns) -> None:
        super().add(found)
        self.held.append(found)

    def free(self, price: float) -> None:
        """No box: a row may be given up at a price (pence), and met more than once for nothing."""
        n = len(self.priced)
        costs = np.concatenate([np.full(n, price), np.zeros(n)]) * MONEY
        self.lp.changeColsCost(2 * n, np.arange(2 * n, dtype=np.int32), costs)

    def take(self, sets: Ints) -> None:
        """These sets for good."""
        ones = np.ones(len(sets))
        self.lp.changeColsBounds(len(sets), (self.priced_columns + sets).astype(np.int32), ones, ones)

    def used(self) -> np.ndarray:
        """(sets,) how much of each set is used."""
        return np.array(self.lp.getSolution().col_value)[self.priced_columns :]

    def sites(self) -> Ints:
        """(sets,) the site of each set."""
        return np.concatenate([found.site for found in self.held])

    def members(self) -> csr_array:
        """(sets, points) who is in each set."""
        size = np.concatenate([np.diff(found.start) for found in self.held])
        point = self.core.slot_point[np.concatenate([found.slot for found in self.held])]
        start = np.concatenate([[0], np.cumsum(size)])
        return csr_array((np.ones(len(point), dtype=np.int64), point, start), shape=(len(size), self.problem.n_points))


def improve(
    problem: Problem, cut: Core, dual: Dual, plan: Solution, *, sure: float = SURE[0], clock: Clock = NEVER
) -> Solution | None:
    """A plan better than ``plan`` out of the best multipliers ``dual``, or nearly the best; None where there is none."""
    taken = sets(problem, cut, dual, plan, sure=sure, over=lambda: clock.over() is not None)
    return None if taken is None else between(problem, dual, plan, taken, clock=clock)


def sets(
    problem: Problem, cut: Core, dual: Dual, plan: Solution, *, sure: float = SURE[0], over: Callable[[], bool] = lambda: False
) -> list[tuple[int, Ints]] | None:
    """Sets that are almost a plan, as sites and the points there; None when it was ``over`` first.

    ``plan`` is a plan, whose sets are in the programme from the start.
    """
    least = patterns.nobody(problem, cut)
    near = dual.bound + 0.15 * float(problem.site_cost.mean())
    few = patterns.worth_keeping(problem, cut, dual, near, most=40 * problem.n_sites + 5_000, each=60)
    lp = _Programme(problem, cut, patterns.with_plan(problem, cut, least if few is None else few, plan))
    lp.add(least)
    lp.free(DEAR * float(problem.site_cost.max()))
    settled, gone = np.zeros(problem.n_points, dtype=bool), np.zeros(problem.n_sites, dtype=bool)
    work = work_space()
    taken: list[tuple[int, Ints]] = []
    rounds, most = FIRST, max(1, round(TAKEN * problem.n_sites))
    while not over():
        _price(lp, settled, gone, rounds, work)
        lp.prices()
        used, site, members = lp.used(), lp.sites(), lp.members()
        free = np.flatnonzero((used > USED) & ~gone[site])
        if not len(free):
            return taken
        pick = _pick(free[np.argsort(-used[free], kind="stable")], used, site, members, sure, most)
        lp.take(pick)
        for each in pick.tolist():
            here = members.indices[members.indptr[each] : members.indptr[each + 1]].astype(np.int64)
            taken.append((int(site[each]), here))
            settled[here] = gone[site[each]] = True
        rounds = ROUNDS
    return None


def _price(lp: _Programme, settled: Bools, gone: Bools, rounds: int, work: Work) -> None:
    """Sets of what is not settled yet, as long as any would make the programme cheaper."""
    nowhere = -float(lp.problem.site_cost.sum()) - 1.0
    for _ in range(rounds):
        _, u, v = lp.prices()
        # A penny more for each point fills buildings that have room with points whose price is nothing.
        now, slots = evaluate_with_sets(lp.core, np.where(settled, nowhere, u + 1.0), v, work)
        site = lp.core.slot_site[slots]
        slots = slots[~gone[site] & ~settled[lp.core.slot_point[slots]] & (now.site_profit[site] > 1.0)]
        if not len(slots):
            return
        lp.add(patterns.of_slots(lp.problem, lp.core, slots))


def _pick(order: Ints, used: np.ndarray, site: Ints, members: csr_array, sure: float, most: int) -> Ints:
    """The sets to take: the most used, and those as good as sure, no site and no point twice."""
    pick: list[int] = []
    sites: set[int] = set()
    points: set[int] = set()
    for each in order.tolist():
        if len(pick) == most or (pick and used[each] < sure):
            break
        here = members.indices[members.indptr[each] : members.indptr[each + 1]].tolist()
        if int(site[each]) not in sites and points.isdisjoint(here):
            pick.append(each)
            sites.add(int(site[each]))
            points.update(here)
    return np.array(pick, dtype=np.int64)


def between(
    problem: Problem, dual: Dual, plan: Solution, taken: Sequence[tuple[int, Ints]], *, clock: Clock, looks: int = LOOKS
) -> Solution | None:
    """The best plan with only the pairs of ``plan`` and of the sets taken, where it is better than ``plan``."""
    wanted = np.zeros((problem.n_points, problem.n_sites), dtype=bool)
    host = np.full(problem.n_points, -1, dtype=np.int64)
    for site, points in taken:
        wanted[points, site] = True
        host[points[host[points] < 0]] = site
    wanted[np.arange(problem.n_points), plan.host] = True
    wanted |= _helpful(problem, host)[problem.point_service]
    small = without_pairs(problem, ~wanted[problem.pair_point, problem.pair_site])
    here = evaluate(core(small), dual.point, dual.row)
    found = rest.solve(small, here, plan, gap=0.0, looks=looks, clock=clock).plan
    return found if found is not None and cost(problem, found) < cost(problem, plan) else None


def _helpful(problem: Problem, host: Ints) -> Bools:
    """(services, sites) offers that would meet a row that hosting so leaves unmet."""
    there = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    hosted = np.flatnonzero(host >= 0)
    there[problem.point_service[hosted], host[hosted]] = True
    there[problem.inherent[:, 0], problem.inherent[:, 1]] = True
    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    short = np.bincount(row, there[cover.service[row], cover.site], len(cover)) < cover.need
    helpful = np.zeros_like(there)
    helpful[cover.service[row[short[row]]], cover.site[short[row]]] = True
    return helpful
