"""Identical access points of one building, taken as one where it is exact.

Two points are *twins* when no rule and no cost can tell them apart: the same service, areas and home, the same buildings to go to
at the same cost, and wherever one of them excuses a cover row by staying, the other excuses a row like it.  Two counters of one
service that a register lists one by one are like that; every plan then has its mirror images, and a search looks at all of them.

Twins go together without loss when any plan that parts them can be mended.  Let one be at ``a`` and another at ``b``.  Those at
``a`` may all *join* the one at ``b`` when

* ``cost_b <= cost_a``;
* all of ``b``'s candidates fit in it together, so there is room whatever else is there;
* what their service gives at ``a`` it gives at ``b``: every cover row and share item that the offer helps from ``a`` it helps
  from ``b`` and asks for one offer, or the building gives the service itself (an inherent offer);
* no rule asks that another service be at ``a`` where theirs is.

A row that one of them excuses by staying has its like, excused by another, who is elsewhere: so offers meet it, and still do.
The offer at ``b`` is there already, so no building opens and no rule on sharing looks at anything new.  A class is merged where,
of any two buildings, those at one may join those at the other: each step leaves one building fewer, and the plan is no dearer.
The merged point takes up ``n`` own parts, one hall and one desk, and costs ``n`` times as much.

Plans that tie may be lost (``<=``), so only a search for the least cost may use this; which of them is best is settled on the
problem as it was (:mod:`.ties`).  Where room is scarce twins must be kept apart: one may have to go where two cannot.

The idea is that of aggregating symmetric objects in integer programming (Margot 2010, section 17.3; Liberti 2012).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, Goal, Ints, Problem, Solution
from estate.solve.reduce import cover_rows, dominance


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """A problem in which twins are one point, and the way between its plans and those of the original."""

    problem: Problem
    speaker: Ints
    """(S,) the merged point that speaks for each original one."""
    joins: dict[int, Bools]
    """For each merged point that speaks for several: (n, n) whether those at its candidate ``a`` may join one at ``b``."""

    def out(self, plan: Solution) -> Solution:
        """A plan of the merged problem as one of the original: same sites, same cost."""
        return Solution(plan.open, plan.host[self.speaker])

    def into(self, plan: Solution) -> Solution:
        """A plan of the original with twins brought together: the same sites, no dearer."""
        _, first = np.unique(self.speaker, return_index=True)
        host = plan.host[first].copy()
        for point, joins in self.joins.items():
            site = self.problem.pair_site[self.problem.pair_point == point]
            at, *others = np.unique(np.searchsorted(site, plan.host[self.speaker == point])).tolist()
            for other in others:
                at = other if joins[at, other] else at
            host[point] = site[at]
        return Solution(plan.open, host)


def together(problem: Problem) -> Together | None:
    """The problem with twins merged wherever that is exact, or None where there is nothing to merge.

    Goal ``cost`` and no side rows.  Sites and services keep their numbers, points are renumbered in order.
    """
    p = problem
    if p.goal is not Goal.COST or len(p.side):
        return None
    look = _Look(p)
    found = [(members, joins) for members in _classes(p) if (joins := look.joins(members[0])) is not None]
    if not found:
        return None
    speaks = np.arange(p.n_points)
    for members, _ in found:
        speaks[members] = members[0]
    kept, speaker = np.unique(speaks, return_inverse=True)
    pair = np.flatnonzero(speaks[p.pair_point] == p.pair_point)
    size = np.bincount(speaker)
    merged = replace(
        p,
        point_service=p.point_service[kept],
        point_own=p.point_own[kept] * size,
        point_hall=p.point_hall[kept],
        point_desk=p.point_desk[kept],
        point_home=p.point_home[kept],
        pair_point=speaker[p.pair_point[pair]],
        pair_site=p.pair_site[pair],
        pair_cost=p.pair_cost[pair] * size[speaker[p.pair_point[pair]]],
        cover=replace(p.cover, excuse=_excuses(p, speaks, pair)),
        site_running=None,  # ties are told apart on the problem as it was
        pair_running=None,
        pair_apart=None,
        pair_one_off=None if p.pair_one_off is None else p.pair_one_off[pair] * size[speaker[p.pair_point[pair]]],
        today=None,
    )
    merged = cover_rows.with_rows(merged, cover_rows.minimal(merged))  # twins that excuse a row each now excuse the same one
    result = Together(merged, speaker, {int(speaker[members[0]]): joins for members, joins in found})
    if p.today is None:
        return result
    return replace(result, problem=replace(merged, today=result.into(p.today)))


def _excuses(p: Problem, speaks: Ints, pair: Ints) -> Ints:
    """(R,) the excuses of the cover rows as pairs of the speakers (``pair`` are those that are kept)."""
    excuse = p.cover.excuse.copy()
    has = np.flatnonzero(excuse >= 0)
    key = p.pair_point * p.n_sites + p.pair_site
    old = excuse[has]
    wanted = speaks[p.pair_point[old]] * p.n_sites + p.pair_site[old]
    excuse[has] = np.searchsorted(key[pair], wanted)
    return excuse


def _classes(p: Problem) -> Iterator[Ints]:
    """Points that are alike in all but their number, two or more of them, each class in order."""
    count = np.bincount(p.pair_point, minlength=p.n_points)
    start = np.concatenate([[0], np.cumsum(count)])
    looks = np.column_stack([p.point_service, p.point_own, p.point_hall, p.point_desk, p.point_home, count])
    _, kind, size = np.unique(looks, axis=0, return_inverse=True, return_counts=True)
    likely = np.flatnonzero((size[kind] > 1) & (count > 1))  # with one building there is nothing to decide
    excused = np.flatnonzero(p.cover.excuse >= 0)
    of_point: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    asked = excused[np.isin(p.pair_point[p.cover.excuse[excused]], likely)]
    for r in asked.tolist():
        sites = p.cover.site[p.cover.start[r] : p.cover.start[r + 1]]
        e = p.cover.excuse[r]
        of_point[int(p.pair_point[e])].append((
            int(p.pair_site[e]), int(p.cover.service[r]), int(p.cover.need[r]), sites.tobytes(),
        ))  # fmt: skip
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for s in likely.tolist():
        mine = slice(start[s], start[s + 1])
        key = (int(kind[s]), p.pair_site[mine].tobytes(), p.pair_cost[mine].tobytes(), tuple(sorted(of_point[s], key=repr)))
        alike[key].append(s)
    return (np.array(members) for members in alike.values() if len(members) > 1)


class _Look:
    """What :func:`together` asks of buildings, found once."""

    def __init__(self, p: Problem) -> None:
        K = p.n_services
        self.p = p
        self.roomy = dominance.roomy(p)
        self.inherent = np.zeros(p.n_sites * K, dtype=bool)
        self.inherent[p.inherent[:, 1] * K + p.inherent[:, 0]] = True
        self.named = np.zeros(p.n_sites * K, dtype=bool)
        self.named[p.together[:, 2] * K + p.together[:, 0]] = self.named[p.together[:, 2] * K + p.together[:, 1]] = True
        need, helps = dominance.helped(p)
        self.single = np.asarray(helps @ (need > 1).astype(float)).ravel() == 0
        self.helps: csr_array = helps

    def joins(self, point: int) -> Bools | None:
        """(n, n) whether twins of ``point`` at its candidate ``a`` may join one at ``b``; None if some two may not either way."""
        mine = self.p.pair_point == point
        site, cost = self.p.pair_site[mine], self.p.pair_cost[mine]
        at = site * self.p.n_services + self.p.point_service[point]
        helps = self.helps[at]
        shared = (helps @ helps.T).toarray()
        gives = self.inherent[at, None] | ((shared == np.diff(helps.indptr)[:, None]) & self.single[at, None])
        may: Bools = (cost[None, :] <= cost[:, None]) & self.roomy[site][None, :] & gives & ~self.named[at, None]
        np.fill_diagonal(may, val=True)
        return may if (may | may.T).all() else None
