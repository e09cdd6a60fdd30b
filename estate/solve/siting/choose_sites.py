"""Problems whose only decision is which sites to open: the textbook models, solved by their own structure.

Without access points every service is *inherent* and ``offer_kj = open_j``, so each rule and each goal is about sets of sites.
:func:`wanted` says whether a problem is of that kind; :func:`search` solves it by

| goal | model | how |
|---|---|---|
| ``cost`` | set covering | :mod:`estate.solve.siting.covering` |
| ``farthest`` | p-center | :mod:`estate.solve.siting.p_center`, a bisection over set coverings |
| ``travel`` | p-median | :mod:`estate.solve.siting.p_median`, then HiGHS on what it leaves undecided |
| ``covered`` | maximal covering | the same: a zone out of reach costs its weight |

More sites never harm the last three, so "exactly ``p``" is "at most ``p``", made up at the end.  What the multipliers leave
undecided is again a :class:`~estate.problem.Problem`, smaller, and goes to HiGHS as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.model import Measure, formulate
from estate.model.arrays import arrays
from estate.problem import Bools, CoverRows, Goal, Ints, NearRows, Problem, ShareRule, Solution
from estate.solve import highs, single_source
from estate.solve.single_source.instance import site_counts
from estate.solve.siting import covering, merge, p_center, p_median
from estate.solve.siting.covering import SearchLimit

OPTIONS: dict[str, float | int | str | bool] = {"mip_abs_gap": 0.5, "mip_heuristic_effort": 0.01, "mip_allow_restart": False}
"""HiGHS on what the multipliers leave.  Values are whole, so half a unit is a proof.  A good plan is in hand, so its own
heuristics are nearly left out, and restarts bring little: 10.1 -> 5.3 s for 200 of 1,500 sites and 5,000 zones within 5 km
(covering), 52 -> 41 s for the p-median of the same."""


@dataclass(frozen=True, slots=True)
class SitingResult:
    """Why the search ended, its plan, and its bound in the goal's own units."""

    ended: str
    solution: Solution | None
    bound: float | None


def wanted(problem: Problem) -> bool:
    """Whether sites are the only decision, and the rules are those of one of the models above."""
    if problem.n_points or len(problem.conflict) or len(problem.together) or (problem.site_capacity < 0).any():
        return False
    if any(rule.required > 0 for rule in problem.shares) or (counted := site_counts(problem)) is None:
        return False
    if problem.goal is Goal.COST:
        return not len(problem.side) and bool((problem.site_cost >= 0).all())
    if len(problem.cover) or counted[1] < 1:
        return False
    if problem.goal is Goal.TRAVEL:  # any open site serves anybody, so one is enough to be a plan
        near, J = problem.near, problem.n_sites
        everywhere = np.bincount(np.unique(problem.inherent, axis=0)[:, 0], minlength=problem.n_services) == J
        return bool((np.diff(near.start) == J).all() and everywhere[near.service].all() and (near.weight >= 0).all())
    return problem.goal is Goal.FARTHEST or all((rule.weight >= 0).all() for rule in problem.shares)


def search(problem: Problem, budget: SearchLimit) -> SitingResult:
    """The best plan of a :func:`wanted` problem and what is proven."""
    low, high = site_counts(problem) or (0, 0)
    may = ~problem.must_close
    if int(problem.must_open.sum()) > high or int(may.sum()) < low or low > high or (problem.must_open & ~may).any():
        return SitingResult("infeasible", None, None)
    offered = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    offered[problem.inherent[:, 0], problem.inherent[:, 1]] = True
    if problem.goal is Goal.COST:
        return _cover(problem, offered & may, budget)
    if problem.goal is Goal.TRAVEL and len(problem.near) and not may.any():
        return SitingResult("infeasible", None, None)
    if problem.goal is Goal.FARTHEST:
        ended, plan, bound = p_center.least_radius(problem, high, offered & may, budget)
        return SitingResult(ended, None if plan is None else _plan(problem, plan, low), bound)
    return _median(problem, high, low, offered & may, budget)


def _plan(problem: Problem, is_open: Bools, low: int) -> Solution:
    """The sites, made up to the least number with the first that may be open."""
    spare = np.flatnonzero(~is_open & ~problem.must_close)
    is_open = is_open.copy()
    is_open[spare[: max(low - int(is_open.sum()), 0)]] = True
    return Solution(is_open, np.zeros(0, dtype=np.int64))


def _cover(problem: Problem, offered: Bools, budget: SearchLimit) -> SitingResult:
    c = problem.cover
    row = np.repeat(np.arange(len(c)), np.diff(c.start))
    keep = offered[c.service[row], c.site]
    start = np.searchsorted(row[keep], np.arange(len(c) + 1)).astype(np.int64)
    able = replace(problem, cover=CoverRows(c.service, c.need, start, c.site[keep], c.excuse))
    found = covering.least(able, problem.site_cost, budget)
    if found.complete and found.open is None:
        return SitingResult("infeasible", None, None)
    return SitingResult(
        budget.ended(complete=found.complete), None if found.open is None else _plan(problem, found.open, 0), found.bound
    )


def _median(problem: Problem, p: int, low: int, offered: Bools, budget: SearchLimit) -> SitingResult:
    travel = problem.goal is Goal.TRAVEL
    small = problem if travel else _one_rule(problem, offered)
    lists = _near_lists(small.near) if travel else _share_lists(small.shares[0])
    total = 0 if travel else int(small.shares[0].weight.sum())
    sign = 1 if travel else -1

    def units(cost: float) -> float:
        return sign * (cost - total) if not travel else cost

    dual = p_median.solve(lists, problem.must_open, ~problem.must_close, p, over=budget.over)
    if dual.room < 0 or budget.over():
        done = dual.room < 0
        return SitingResult(
            budget.ended(complete=done), _plan(problem, dual.open, low), units(dual.value if done else dual.bound)
        )
    rest, fixed = (_travel_left if travel else _cover_left)(small, dual)
    if travel and single_source.suits(rest):
        return _branched(problem, rest, dual, low, budget)
    f = formulate(rest, Measure(rest.goal))
    run = highs.run(arrays(f), gap=budget.gap, clock=budget.clock, nodes=budget.nodes, seed=budget.seed, options=OPTIONS)
    best, plan = dual.value, dual.open
    if run.x is not None:
        found = f.solution(run.x).open
        value = float(p_median.value(lists, found))
        if value < best:
            best, plan = value, found
    bound = min(best, max(dual.bound, f.unit * run.bound + f.constant + fixed))
    if run.complete and budget.gap == 0.0:
        bound = best
    return SitingResult(budget.ended(complete=run.complete), _plan(problem, plan, low), units(bound))


def _branched(problem: Problem, rest: Problem, dual: p_median.MedianDual, low: int, budget: SearchLimit) -> SitingResult:
    """What is left of a p-median by its own branch and bound: pmed6 in 0.2 s of CPU, where HiGHS takes 2.2 on the same."""
    known = _plan(problem, dual.open, low)
    end = single_source.solve(rest, gap=budget.gap, clock=budget.clock, nodes=budget.nodes, start=known)
    best = int(dual.value)
    if end.solution is not None and end.value is not None and end.value < best:
        best, known = end.value, _plan(problem, end.solution.open, low)
    done = end.ended in {"proven", "infeasible"}  # infeasible: nothing is better than what was known
    bound = float(best) if done and budget.gap == 0.0 else min(float(best), max(dual.bound, end.bound))
    return SitingResult("proven" if done else end.ended, known, bound)


def _near_lists(near: NearRows) -> p_median.NearestLists:
    """The lists of a p-median problem: no row need pay more than its farthest site."""
    farthest = near.weight * near.distance[near.start[1:] - 1]
    return p_median.NearestLists(near.start, near.site, near.distance, near.weight, farthest.astype(float))


def _share_lists(rule: ShareRule) -> p_median.NearestLists:
    """The lists of a covering problem: nothing within reach, the weight of the item beyond it."""
    return p_median.NearestLists(
        rule.start, rule.site, np.zeros(len(rule.site), dtype=np.int64), rule.weight, rule.weight.astype(float)
    )


def _one_rule(problem: Problem, offered: Bools) -> Problem:
    """All share rules as one, of the sites that may be open, equal items merged (:mod:`estate.solve.siting.merge`)."""
    service = np.concatenate([np.full(len(r.weight), r.service) for r in problem.shares])
    length = np.concatenate([np.diff(r.start) for r in problem.shares])
    site = np.concatenate([r.site for r in problem.shares])
    weight = np.concatenate([r.weight for r in problem.shares])
    row = np.repeat(np.arange(len(weight)), length)
    keep = offered[service[row], site]
    row, site = row[keep], site[keep]
    start = np.searchsorted(row, np.arange(len(weight) + 1)).astype(np.int64)
    same = merge.equal_rows(start, site, problem.n_sites)
    weight = np.bincount(same, weight, len(weight)).astype(np.int64)
    return replace(problem, n_services=1, inherent=_everywhere(problem.n_sites), shares=(_rule(start, site, weight, same),))


def _rule(start: Ints, site: Ints, weight: Ints, same: Ints) -> ShareRule:
    """The items that stand for themselves."""
    row = np.repeat(np.arange(len(weight)), np.diff(start))
    own = same == np.arange(len(weight))
    keep = own[row]
    kept = np.concatenate([[0], np.cumsum(np.diff(start)[own])]).astype(np.int64)
    return ShareRule("covered", 0, weight[own], kept, site[keep], 0)


def _everywhere(n: int) -> Ints:
    return np.column_stack([np.zeros(n, dtype=np.int64), np.arange(n)])


def _travel_left(problem: Problem, dual: p_median.MedianDual) -> tuple[Problem, float]:
    """The p-median problem of the plans better than ``dual``'s: fewer sites, and lists that end where they must be served."""
    near = problem.near
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    keep = (near.weight[row] * near.distance <= dual.row[row] + dual.room) & ~dual.closed[near.site]
    kept = np.flatnonzero(dual.kept[near.site] & keep)
    sure = np.full(len(near), len(row))
    np.minimum.at(sure, row[kept], kept)  # nobody goes past a site that is sure to be open
    keep &= np.arange(len(row)) <= sure[row]
    start = np.searchsorted(row[keep], np.arange(len(near) + 1)).astype(np.int64)
    lists_left = NearRows(near.service, near.weight, start, near.site[keep], near.distance[keep])
    return replace(problem, must_open=dual.kept, must_close=dual.closed, near=lists_left), 0.0


def _cover_left(problem: Problem, dual: p_median.MedianDual) -> tuple[Problem, float]:
    """The covering problem of the plans better than ``dual``'s, and what its value lacks: the weight of the items given up."""
    rule = problem.shares[0]
    row = np.repeat(np.arange(len(rule.weight)), np.diff(rule.start))
    sure = np.zeros(len(rule.weight), dtype=bool)
    sure[row[dual.kept[rule.site]]] = True
    keep = ~dual.closed[rule.site] & ~sure[row]
    start = np.searchsorted(row[keep], np.arange(len(rule.weight) + 1)).astype(np.int64)
    same = merge.equal_rows(start, rule.site[keep], problem.n_sites)
    weight = np.bincount(same, np.where(sure, 0, rule.weight), len(same)).astype(np.int64)
    same = np.where((np.diff(start) == 0) & (same == np.arange(len(same))), -1, same)
    left = _rule(start, rule.site[keep], weight, same)
    total = int(rule.weight.sum())
    secured = int(rule.weight[sure].sum())
    return replace(problem, must_open=dual.kept, must_close=dual.closed, shares=(left,)), float(total - secured)
