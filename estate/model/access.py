"""Rows about people: coverage, shares of people, and distance to the nearest site."""

from __future__ import annotations

import numpy as np

from estate.model.formulation import Formulation, SolutionFacts
from estate.model.measures import LinearMeasure, beyond
from estate.problem import Bools, Ints, Problem, ShareRule, near_distance

MOST_ROW_PAIRS = 10_000_000
"""Beyond so many pairs of cover and near rows, looking for what is sure to be served costs more than it saves."""


def cover(f: Formulation) -> None:
    """``sum_{j in row} offer_kj + host_excuse >= need``: set covering (Toregas et al. 1971), with backup at need 2.

    One row of each kind: neighbouring zones often ask the same.  None where a site that must offer the service is in
    reach anyway.
    """
    problem, rows = f.problem, f.problem.cover
    of_entry = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    kept = binding(problem)
    number = np.full(len(rows), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    entry = number[of_entry] >= 0
    row, column = of_entry[entry], f.offer_at[rows.service[of_entry[entry]], rows.site[entry]]
    excuse = np.where(rows.excuse >= 0, problem.n_sites + rows.excuse, -1)[kept]
    f.add_rows("cover", np.concatenate([number[row], np.arange(len(kept))]), np.concatenate([column, excuse]), 1,
               n=len(kept), lower=rows.need[kept].astype(np.float64))  # fmt: skip


def binding(problem: Problem) -> Ints:
    """The cover rows that are written down: one of each kind, and none that sites which must offer the service meet anyway."""
    rows = problem.cover
    of_entry = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    always = certain_offers(problem)[rows.service[of_entry], rows.site]
    sure = np.bincount(of_entry[always], minlength=len(rows))
    return distinct(problem, np.flatnonzero(rows.need > sure))


def distinct(problem: Problem, among: Ints) -> Ints:
    """Of the cover rows numbered in ``among``, the first of each kind: same service, need, excuse and sites."""
    rows = problem.cover
    kinds = {
        (*key, rows.site[start:stop].tobytes()): r
        for r, start, stop, *key in zip(
            *(a[among[::-1]].tolist() for a in (np.arange(len(rows)), rows.start[:-1], rows.start[1:])),
            *(a[among[::-1]].tolist() for a in (rows.service, rows.need, rows.excuse)),
            strict=True,
        )
    }
    return np.array(sorted(kinds.values()), dtype=np.int64)


def certain_offers(problem: Problem) -> Bools:
    """(K, J) offers that every plan has: inherent ones of sites that must open, and of points with one candidate."""
    always = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    always[problem.inherent[:, 0], problem.inherent[:, 1]] = problem.must_open[problem.inherent[:, 1]]
    settled = np.bincount(problem.pair_point, minlength=problem.n_points)[problem.pair_point] == 1
    always[problem.point_service[problem.pair_point[settled]], problem.pair_site[settled]] = True
    return always


def share(f: Formulation, *, want_all: bool) -> Ints:
    """``covered_i <= sum_{j in item} offer_kj ;  sum_i w_i covered_i >= required`` (Church and ReVelle 1974).

    The columns ``covered``, rule after rule; empty unless ``want_all`` where no rule binds.
    """
    problem = f.problem
    columns: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for r, rule in enumerate(problem.shares):
        n = len(rule.weight)
        if not want_all and rule.required <= 0:
            columns.append(np.full(n, -1, dtype=np.int64))
            continue
        item = np.repeat(np.arange(n), np.diff(rule.start))

        def reached(plan: SolutionFacts, rule: ShareRule = rule, item: Ints = item, n: int = n) -> Bools:
            return np.bincount(item, weights=plan.there[rule.service, rule.site], minlength=n) > 0

        covered = f.add_columns(f"covered{r}", np.ones(n), reached, integer=True)
        column = f.offer_at[rule.service, rule.site]
        f.add_rows(f"reach{r}", np.concatenate([np.arange(n), item]), np.concatenate([covered, column]),
                   np.repeat([1, -1], [n, len(item)]), n=n, upper=0)  # fmt: skip
        f.add_rows(f"share{r}", np.zeros(n, dtype=np.int64), covered, rule.weight, n=1, lower=float(rule.required))
        columns.append(covered)
    return np.concatenate(columns)


def radius(f: Formulation, within: int) -> None:
    """``sum_{j: d_rj <= within} offer_kj >= 1`` for every near row: the p-center decision problem."""
    near = f.problem.near
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    inside = near.distance <= within
    column = np.where(inside, f.offer_at[near.service[row], near.site], -1)
    f.add_rows("radius", row, column, 1, n=len(near), lower=1)


def travel(f: Formulation, *, must_be_served: bool) -> LinearMeasure:
    """Person-metres by radius: ``far_rm = 1`` when row ``r`` has no offer within its ``m``-th distinct distance.

    ``far_rm + sum_{j: d_rj = d_m} offer_kj >= far_r,m-1`` with ``far_r0 = 1``, at the cost
    ``weight_r (d_r1 + sum_m (d_r,m+1 - d_rm) far_rm)``: at a binary plan the distance to the nearest offer.  The last
    ``far`` of a row means unserved: forbidden when ``must_be_served``, else at the distance :func:`beyond`.
    """
    problem, near = f.problem, f.problem.near
    n = len(near)
    row = np.repeat(np.arange(n), np.diff(near.start))
    column = f.offer_at[near.service[row], near.site]
    certain = served_within(problem)
    keep = (column >= 0) & (near.distance <= certain[row])
    row, column, distance = row[keep], column[keep], near.distance[keep]
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (row[1:] != row[:-1]) | (distance[1:] != distance[:-1])
    step = np.cumsum(fresh) - 1  # the (row, distinct distance) that each entry belongs to
    first = np.flatnonzero(fresh)
    step_row, step_distance = row[first], distance[first]
    m = len(first)
    last = np.ones(m, dtype=bool)
    last[:-1] = step_row[1:] != step_row[:-1]
    leads = np.ones(m, dtype=bool)
    leads[1:] = last[:-1]
    following = np.append(step_distance[1:], 0)
    rise = np.where(last, beyond(problem) - step_distance, following - step_distance)
    nearest = np.full(n, beyond(problem), dtype=np.int64)
    nearest[step_row[leads]] = step_distance[leads]

    def unserved(plan: SolutionFacts) -> Bools:
        there = near_distance(problem, plan.there)
        return np.where(there < 0, beyond(problem), there)[step_row] > step_distance

    # The last step of a row that is sure to be served by then needs neither column nor row.
    free = ~last | (certain[step_row] >= beyond(problem)) & (not must_be_served)
    needed = ~last | (certain[step_row] >= beyond(problem))
    number = np.cumsum(needed) - 1
    far = np.full(m, -1, dtype=np.int64)
    far[needed] = f.add_columns("far", free[needed].astype(np.float64), lambda plan: unserved(plan)[needed])
    if must_be_served and (empty := n - len(np.unique(step_row))):
        f.add_rows("unserved", np.zeros(0, np.int64), np.zeros(0, np.int64), 1, n=empty, lower=1)
    entry, chained = needed[step], np.flatnonzero(~leads & needed)
    f.add_rows(
        "far",
        np.concatenate([number[needed], number[step[entry]], number[chained]]),
        np.concatenate([far[needed], column[entry], far[chained - 1]]),
        np.repeat([1, 1, -1], [needed.sum(), entry.sum(), len(chained)]),
        n=int(needed.sum()),
        lower=leads[needed].astype(np.float64),
    )
    weight = near.weight[step_row] * rise
    return LinearMeasure(far[needed], weight[needed], int((near.weight * nearest).sum()))


def served_within(problem: Problem) -> Ints:
    """(N,) a distance within which each near row is sure to have an offer in any plan; :func:`beyond` where none is.

    A site that must stay open gives its inherent offers; a point with one candidate is hosted there; a cover row
    (``need`` 1 or more, no excuse) has an offer among its sites, so within its farthest.
    """
    near, rows, none = problem.near, problem.cover, beyond(problem)
    found = np.full(len(near), none, dtype=np.int64)
    row = np.repeat(np.arange(len(near)), np.diff(near.start))
    always = certain_offers(problem)
    sure = always[near.service[row], near.site]
    np.minimum.at(found, row[sure], near.distance[sure])
    binding = distinct(problem, np.flatnonzero((rows.need >= 1) & (rows.excuse < 0)))
    if len(binding) * len(near) > MOST_ROW_PAIRS:
        return found
    for k in np.unique(near.service):
        mine = np.flatnonzero(near.service == k)
        rank = np.full(len(near), -1, dtype=np.int64)
        rank[mine] = np.arange(len(mine))
        here = rank[row] >= 0
        distance = np.full((len(mine), problem.n_sites), none, dtype=np.int64)
        distance[rank[row[here]], near.site[here]] = near.distance[here]
        for r in binding[rows.service[binding] == k]:
            sites = rows.site[rows.start[r] : rows.start[r + 1]]
            if len(sites):
                found[mine] = np.minimum(found[mine], distance[:, sites].max(axis=1))
    return found
