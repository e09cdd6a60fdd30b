"""A problem cut by site and by offer: the flat arrays that the compiled kernels share.

The kernels (:mod:`estate.solve.columns.lagrangian`, :mod:`estate.solve.columns.patterns`, :mod:`estate.solve.places.greedy`)
look at a problem from a building's side: who could come here, which service is each, what does each need.  :class:`Core` holds
exactly that.  It covers goal ``cost`` with cover rows and share rules; what it leaves out (conflicts, services together, side
rows) only makes the relaxation looser, so bounds stay valid, and :func:`is_pure` says whether a plan of the core is a plan of
the problem.

*Slots* are host pairs sorted by (site, service, pair).  *Groups* are runs of slots of one service at one site: the offers that
have a candidate.  *Rows* are the cover rows followed by the items of every share rule; an item that is not covered costs
weight, a row that is not covered is forbidden.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estate.problem import Bools, Goal, Ints, Problem, offer_columns


class Core(NamedTuple):
    """See the module (a tuple, so that compiled code can take it).  Shapes: J sites, P slots, G groups, R rows."""

    n_points: int
    site_cost: Ints
    capacity: Ints
    slack: Ints
    must_open: Bools
    site_group: Ints
    """(J + 1,) first group of each site."""
    group_slot: Ints
    """(G + 1,) first slot of each group."""
    group_service: Ints
    group_offer: Ints
    """(G,) row of :func:`estate.problem.offer_columns`."""
    group_inherent: Bools
    slot_pair: Ints
    slot_point: Ints
    slot_site: Ints
    slot_own: Ints
    slot_hall: Ints
    slot_desk: Ints
    slot_cost: Ints
    slot_home: Bools
    point_start: Ints
    """(S + 1,) first entry of each point in ``point_slot``."""
    point_slot: Ints
    offer_start: Ints
    """(Q + 1,) first row of each offer in ``offer_row``."""
    offer_row: Ints
    row_need: Ints
    row_rule: Ints
    """(R,) -1 for a cover row, else the share rule whose item it is."""
    row_weight: Ints
    slot_excuse_start: Ints
    """(P + 1,) first entry of each slot in ``slot_excuse_row``: the rows for which it counts as an offer does."""
    slot_excuse_row: Ints
    rule_required: Ints
    inherent_start: Ints
    """(J + 1,) first entry of each site in ``inherent_offer``."""
    inherent_offer: Ints
    optional: Bools
    """(S,) points that need not be anywhere: their multiplier may not be positive."""


def is_pure(problem: Problem) -> bool:
    """Whether every constraint of the problem is in its core."""
    return problem.goal is Goal.COST and not len(problem.conflict) and not len(problem.together) and not len(problem.side)


def csr(key: Ints, n: int) -> tuple[Ints, Ints]:
    """Starts, and the order that sorts ``key`` stably: entries of group g are ``order[start[g]:start[g + 1]]``."""
    order = np.argsort(key, kind="stable").astype(np.int64)
    start = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n))]).astype(np.int64)
    return start, order


def core(problem: Problem, optional: Bools | None = None) -> Core:
    """Cut a problem by site; ``optional`` points need not be anywhere."""
    K = problem.n_services
    service = problem.point_service[problem.pair_point]
    order = np.lexsort((np.arange(problem.n_pairs), service, problem.pair_site)).astype(np.int64)
    point, site = problem.pair_point[order], problem.pair_site[order]
    label = site * K + service[order]
    fresh = np.r_[True, label[1:] != label[:-1]] if len(label) else np.zeros(0, dtype=bool)
    first = np.flatnonzero(fresh).astype(np.int64)
    offers = offer_columns(problem)
    key = offers[:, 1] * K + offers[:, 0]
    inherent = np.searchsorted(key, problem.inherent[:, 1] * K + problem.inherent[:, 0]).astype(np.int64)
    is_inherent = np.zeros(len(offers), dtype=bool)
    is_inherent[inherent] = True
    group_offer = np.searchsorted(key, label[first]).astype(np.int64)
    group_site = site[first]

    row_service, row_site, start, need, rule, weight = _rows(problem)
    row = np.repeat(np.arange(len(need)), np.diff(start))
    at = np.minimum(np.searchsorted(key, row_site * K + row_service), max(len(key) - 1, 0))
    there = key[at] == row_site * K + row_service if len(key) else np.zeros(len(row), dtype=bool)
    row, offer = row[there], at[there].astype(np.int64)
    offer_start, by_offer = csr(offer, len(offers))

    slot_of = np.empty(problem.n_pairs, dtype=np.int64)
    slot_of[order] = np.arange(problem.n_pairs)
    asked = np.flatnonzero(problem.cover.excuse >= 0)
    excuse_start, by_slot = csr(slot_of[problem.cover.excuse[asked]], problem.n_pairs)
    inherent_start, by_site = csr(problem.inherent[:, 1], problem.n_sites)
    point_start, by_point = csr(point, problem.n_points)
    return Core(
        n_points=problem.n_points,
        site_cost=problem.site_cost,
        capacity=np.where(problem.must_close, -1, problem.site_capacity),  # nobody fits
        slack=np.where(problem.must_close, 0, problem.site_slack),
        must_open=problem.must_open,
        site_group=np.searchsorted(group_site, np.arange(problem.n_sites + 1)).astype(np.int64),
        group_slot=np.append(first, len(order)).astype(np.int64),
        group_service=offers[group_offer, 0],
        group_offer=group_offer,
        group_inherent=is_inherent[group_offer],
        slot_pair=order,
        slot_point=point,
        slot_site=site,
        slot_own=problem.point_own[point],
        slot_hall=problem.point_hall[point],
        slot_desk=problem.point_desk[point],
        slot_cost=problem.pair_cost[order],
        slot_home=problem.point_home[point] == site,
        point_start=point_start,
        point_slot=by_point,
        offer_start=offer_start,
        offer_row=row[by_offer],
        row_need=need,
        row_rule=rule,
        row_weight=weight,
        slot_excuse_start=excuse_start,
        slot_excuse_row=asked[by_slot].astype(np.int64),
        rule_required=np.array([r.required for r in problem.shares], dtype=np.int64),
        inherent_start=inherent_start,
        inherent_offer=inherent[by_site],
        optional=np.zeros(problem.n_points, dtype=bool) if optional is None else optional,
    )


def _rows(problem: Problem) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """Cover rows and share items in one list: service and site by entry; start, need, rule and weight by row."""
    cover = problem.cover
    lengths = [np.diff(cover.start)] + [np.diff(r.start) for r in problem.shares]
    service = [np.repeat(cover.service, lengths[0])] + [np.full(len(r.site), r.service, dtype=np.int64) for r in problem.shares]
    site = [cover.site] + [r.site for r in problem.shares]
    need = [cover.need] + [np.ones(len(r.weight), dtype=np.int64) for r in problem.shares]
    rule = [np.full(len(cover), -1, dtype=np.int64)] + [
        np.full(len(r.weight), n, dtype=np.int64) for n, r in enumerate(problem.shares)
    ]
    weight = [np.zeros(len(cover), dtype=np.int64)] + [r.weight for r in problem.shares]
    start = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    return (
        np.concatenate(service),
        np.concatenate(site),
        start,
        np.concatenate(need),
        np.concatenate(rule),
        np.concatenate(weight),
    )
