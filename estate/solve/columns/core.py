"""A problem cut by site and by offer: the flat arrays that the compiled kernels share.

The kernels (:mod:`.columns.lagrangian`, :mod:`.columns.patterns`, :mod:`.decompose.greedy_drop`)
look at a problem from a building's side: who could come here, which service is each, what does each need.  :class:`Core` holds
exactly that, for the goal ``cost``.

*Slots* are host pairs sorted by (site, service, pair).  *Groups* are runs of slots of one service at one site: the offers that
have a candidate.  *Rows* are the cover rows followed by the items of every share rule; an item that is not covered costs
weight, a row that is not covered is forbidden.

*Side rows* are all written ``sum a x >= need``: first those with a lower side, then those with an upper side, turned about.
Whatever family of rules they come from, a multiplier only changes what a site, a slot, an offer or a hub is worth.  Multipliers
of all rows stand in one list: the rows, then the side rows.

*Clashes* are rules on two services in one building: they are part of what a set of points may be, as floor area is.  So are side
rows that look at one building and that every further point there can only break (throughput, counters that may not merge):
``local``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack

from estate.problem import Bools, Floats, Goal, Ints, Problem, offer_columns


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
    group_kind: Ints
    """(G,) the kind of its service, -1 where it makes no hub."""
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
    side_need: Floats
    """(N,) right hand sides of the side rows."""
    side_start: Ints
    """(J + P + Q + J + 1,) first term of each column: sites open, slots, offers, hubs."""
    side_row: Ints
    side_value: Floats
    clash_start: Ints
    """(J + 1,) first entry of each site in ``clash``."""
    clash: Ints
    """(n, 3) rows of (group, group, 0: never both, 1: both or neither); :data:`ALWAYS` and :data:`NEVER` are groups too."""
    local_start: Ints
    """(J + 1,) first entry of each site in ``local``: side rows that a set of points keeps or breaks by itself."""
    local: Ints


ALWAYS, NEVER = -1, -2
"""In a clash: a service that the site gives whenever it is open, and one that nobody could bring there."""
DOUBT = 1e-9
"""Taken off the right hand side of a side row, relative: what :func:`estate.problem.violations` forgives."""


def is_pure(problem: Problem) -> bool:
    """Whether the problem has cover rows and share rules only: no side rows, and no rule on two services in one building."""
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
    side = _side(problem, slot_of, len(offers))
    clash_start, clash = _clashes(problem, group_site, offers[group_offer, 0])
    return Core(
        n_points=problem.n_points,
        site_cost=problem.site_cost,
        capacity=np.where(problem.must_close, -1, problem.site_capacity),  # nobody fits
        slack=np.where(problem.must_close, 0, problem.site_slack),
        must_open=problem.must_open,
        site_group=np.searchsorted(group_site, np.arange(problem.n_sites + 1)).astype(np.int64),
        group_slot=np.append(first, len(order)).astype(np.int64),
        group_kind=problem.kinds[offers[group_offer, 0]],
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
        side_need=side.need,
        side_start=side.start,
        side_row=side.row,
        side_value=side.value,
        clash_start=clash_start,
        clash=clash,
        local_start=side.local_start,
        local=side.local,
    )


class _Side(NamedTuple):
    """The side rows as ``>=`` rows by column, and those that are the business of one building alone."""

    need: Floats
    start: Ints
    row: Ints
    value: Floats
    local_start: Ints
    local: Ints


def _side(problem: Problem, slot_of: Ints, n_offers: int) -> _Side:
    side, J, P = problem.side, problem.n_sites, problem.n_pairs
    below, above = np.flatnonzero(np.isfinite(side.lower)), np.flatnonzero(np.isfinite(side.upper))
    width = 2 * J + P + n_offers
    terms = csr_array((side.value, side.column, side.start), shape=(len(side), width))
    rows = csr_array(vstack([terms[below], -terms[above]]))
    need = np.concatenate([side.lower[below], -side.upper[above]])
    rows.eliminate_zeros()
    need = need - DOUBT * np.maximum(1.0, np.abs(need))
    entries = rows.tocoo()
    row, column = (each.astype(np.int64) for each in entries.coords)
    value = entries.data.astype(np.float64)
    is_pair = (column >= J) & (column < J + P)
    local_start, local = _local(problem, row, column, value, len(need))
    column[is_pair] = J + slot_of[column[is_pair] - J]
    start, order = csr(column, width)
    return _Side(need, start, row[order], value[order], local_start, local)


def _local(problem: Problem, row: Ints, column: Ints, value: Floats, n: int) -> tuple[Ints, Ints]:
    """By site, the side rows over it and its pairs alone that no further point there can help to meet."""
    J, P = problem.n_sites, problem.n_pairs
    looks = np.concatenate([np.arange(J), problem.pair_site])
    plain = column < J + P
    site = looks[np.where(plain, column, 0)]
    low, high = np.full(n, J), np.full(n, -1)
    np.minimum.at(low, row, site)
    np.maximum.at(high, row, site)
    other = np.bincount(row, ~plain | ((column >= J) & (value > 0)), n) > 0
    rows = np.flatnonzero((low == high) & ~other)
    start, order = csr(high[rows], J)
    return start, rows[order]


def _clashes(problem: Problem, group_site: Ints, group_service: Ints) -> tuple[Ints, Ints]:
    """The rules on two services in one building, by site, in terms of groups."""
    J, K = problem.n_sites, problem.n_services
    group = np.full((K, J), NEVER, dtype=np.int64)
    group[group_service, group_site] = np.arange(len(group_site))
    group[problem.inherent[:, 0], problem.inherent[:, 1]] = ALWAYS
    found = [np.zeros((0, 4), dtype=np.int64)]
    for kind, triples in enumerate((problem.conflict, problem.together)):
        a, b, site = triples.T
        found.append(np.column_stack([site, group[a, site], group[b, site], np.full(len(site), kind)]))
    every = np.concatenate(found)
    mute = np.where(every[:, 3] == 0, (every[:, 1:3] == NEVER).any(axis=1), every[:, 1] == every[:, 2])
    start, order = csr(every[~mute, 0], J)
    return start, every[~mute][order][:, 1:].copy()


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
