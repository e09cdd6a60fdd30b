"""Share rules made small: equal items merged, and what may not be missed made a cover row.

A share rule, ``sum_i weight_i covered_i >= required``, is a knapsack over what is *not* covered: with ``spare = sum_i weight_i -
required``,

    sum_i weight_i miss_i <= spare        miss_i >= 1 - sum_{j in reach_i} offer_j

Items that the same sites reach are one item; items that nothing reaches are missed and items that a sure offer reaches are
covered.  If item ``i`` is missed, then so is every item whose reach lies inside ``reach_i``; where those together weigh more
than ``spare``, item ``i`` may not be missed and becomes a cover row ``sum_{j in reach_i} offer_j >= 1`` (the closure of a
knapsack with precedence, as in Park and Park 1997).  Items that reach all the sites of a cover row are covered by it.

The set of plans is unchanged.  Of 400 items a service, a generated county keeps 24 to 126, and one to eighteen cover rows that
are worth more to a relaxation than the knapsack.  What is left of the knapsack is nearly integral: inequalities ``pi offer >=
min { pi y : y keeps the service's rules }`` at the linear programme's own prices, the cuts of a Lagrangian decomposition
(Guignard and Kim 1987), raised its bound by less than 0.001% on three counties, and were given up.
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import numpy as np
from scipy.sparse import coo_array, csr_array

from estate.problem import Bools, CoverRows, Ints, Problem, ShareRule, offer_columns
from estate.solve import reduce


def hardened(problem: Problem) -> Problem:
    """The problem with every share rule reduced, and the cover rows that follow from them; the same plans are feasible."""
    can = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    offers = offer_columns(problem)
    can[offers[:, 0], offers[:, 1]] = True
    sure = np.zeros_like(can)
    given = problem.inherent[problem.must_open[problem.inherent[:, 1]]]
    sure[given[:, 0], given[:, 1]] = True
    merged = [_merged(rule, can[rule.service], sure[rule.service]) for rule in problem.shares]
    cover = problem.cover
    rows = [
        (int(cover.service[r]), cover.site[cover.start[r] : cover.start[r + 1]])
        for r in np.flatnonzero((cover.need >= 1) & (cover.excuse < 0)).tolist()
    ]
    fresh = [(rule.service, rule.site[rule.start[i] : rule.start[i + 1]]) for rule in merged for i in _hard(rule)]
    small = [_softened(rule, [sites for k, sites in rows + fresh if k == rule.service]) for rule in merged]
    more = _rows(fresh)
    joined = CoverRows(
        np.concatenate([cover.service, more.service]),
        np.concatenate([cover.need, more.need]),
        np.concatenate([cover.start, cover.start[-1] + more.start[1:]]),
        np.concatenate([cover.site, more.site]),
        np.concatenate([cover.excuse, more.excuse]),
    )
    return reduce.cover_rows(replace(problem, cover=joined, shares=tuple(rule for rule in small if rule.required > 0)))


def _rows(rows: list[tuple[int, Ints]]) -> CoverRows:
    """Cover rows that ask for one offer each."""
    n = len(rows)
    start = np.concatenate([[0], np.cumsum([len(sites) for _, sites in rows])]).astype(np.int64)
    site = np.concatenate([np.zeros(0, dtype=np.int64), *(sites for _, sites in rows)])
    service = np.array([k for k, _ in rows], dtype=np.int64)
    return CoverRows(service, np.ones(n, dtype=np.int64), start, site, np.full(n, -1, dtype=np.int64))


def _merged(rule: ShareRule, can: Bools, sure: Bools) -> ShareRule:
    """Items by reach; those that are reached for sure, or by nobody, are left out."""
    items = len(rule.weight)
    item = np.repeat(np.arange(items), np.diff(rule.start))
    covered = np.bincount(item, sure[rule.site], items) > 0
    keep = can[rule.site] & ~covered[item]
    item, site = item[keep], rule.site[keep]
    start = np.searchsorted(item, np.arange(items + 1))
    weight: dict[tuple[int, ...], int] = {}
    for i in np.flatnonzero(np.diff(start)).tolist():
        reach = tuple(np.unique(site[start[i] : start[i + 1]]).tolist())
        weight[reach] = weight.get(reach, 0) + int(rule.weight[i])
    reaches = sorted((reach for reach, w in weight.items() if w > 0), key=lambda reach: (len(reach), reach))
    arrays = [np.array(reach, dtype=np.int64) for reach in reaches]
    return _rule(rule, arrays, [weight[reach] for reach in reaches], rule.required - int(rule.weight[covered].sum()))


def _rule(rule: ShareRule, reaches: list[Ints], weights: list[int], required: int) -> ShareRule:
    """A rule with these items, its weights divided by their greatest common divisor (and what may be missed, rounded down)."""
    unit = max(gcd(*weights), 1)
    spare = sum(weights) - required
    weight = np.array(weights, dtype=np.int64) // unit
    start = np.concatenate([[0], np.cumsum([len(reach) for reach in reaches])]).astype(np.int64)
    site = np.concatenate([np.zeros(0, dtype=np.int64), *reaches])
    return ShareRule(rule.name, rule.service, weight, start, site, int(weight.sum()) - spare // unit)


def _inside(start: Ints, site: Ints, outer_start: Ints, outer_site: Ints) -> tuple[Ints, Ints]:
    """Pairs (list, outer list) of which the first lies wholly inside the second."""
    width = int(max(site.max(initial=0), outer_site.max(initial=0))) + 1
    a = csr_array((np.ones(len(site)), site, start), shape=(len(start) - 1, width))
    b = csr_array((np.ones(len(outer_site)), outer_site, outer_start), shape=(len(outer_start) - 1, width))
    common = coo_array(a @ b.T)
    whole = common.data >= np.diff(start)[common.coords[0]]
    return common.coords[0][whole].astype(np.int64), common.coords[1][whole].astype(np.int64)


def _hard(rule: ShareRule) -> list[int]:
    """Items that may not be missed, because all that lies inside their reach would be missed with them."""
    spare = int(rule.weight.sum()) - rule.required
    if spare < 0:
        return []  # no plan keeps the rule: it stays as it is
    inside, outer = _inside(rule.start, rule.site, rule.start, rule.site)
    lost = np.bincount(outer, rule.weight[inside], len(rule.weight))
    hard: list[int] = np.flatnonzero(lost > spare).tolist()
    return hard


def _softened(rule: ShareRule, rows: list[Ints]) -> ShareRule:
    """The rule without the items that these cover rows cover."""
    asked = _rows([(rule.service, sites) for sites in rows])
    covered = np.zeros(len(rule.weight), dtype=bool)
    covered[_inside(asked.start, asked.site, rule.start, rule.site)[1]] = True
    keep = np.flatnonzero(~covered).tolist()
    required = rule.required - int(rule.weight[covered].sum())
    return _rule(rule, [rule.site[rule.start[i] : rule.start[i + 1]] for i in keep], rule.weight[keep].tolist(), required)
