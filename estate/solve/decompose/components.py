"""Independent parts of a problem: solved apart, put together again, nothing lost.

Two sites are *linked* when something looks at both: a point that either could host, a cover row or its excuse, a share rule
(all of its items: they add up), a side row.  Rows on distance link where distance counts: as the goal, and for telling ties
apart (``ties``).  The parts are the connected components, so a plan is a plan of each part, its cost, travel and covered weight
are sums over parts, and so are bounds: ``optimum = sum of optima``.  Ties too: measures that add up are least in order when
they are so in each part, and the first list of hosts is first in each part.

The goal ``farthest`` does not add up: such a problem is one part.  What is left to decide in a part may be nothing
(:func:`decided`); those parts, and buildings that nothing asks for, need no solver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from estate.problem import (
    Bools,
    CoverRows,
    Goal,
    Ints,
    NearRows,
    Problem,
    ShareRule,
    SideRows,
    Solution,
    cost,
    offer_columns,
    violations,
)
from estate.solve.decompose.blocks import Part, merged


@dataclass(frozen=True, slots=True, eq=False)
class _Members:
    """Things by part: part ``c`` has ``order[start[c]:start[c + 1]]``, in their own order; ``rank`` is each one's place there."""

    order: Ints
    start: Ints
    rank: Ints

    def __getitem__(self, part: int) -> Ints:
        return self.order[self.start[part] : self.start[part + 1]]


def _members(part_of: Ints, parts: int) -> _Members:
    order = np.argsort(part_of, kind="stable")
    start = np.searchsorted(part_of[order], np.arange(parts + 1))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - start[part_of[order]]
    return _Members(order, start, rank)


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """The part of everything."""

    n: int
    site: Ints
    point: Ints
    cover: Ints
    share: Ints
    side: Ints
    near: Ints


def components(problem: Problem, *, ties: bool = True) -> list[Part]:
    """The independent parts of a problem, those with most pairs first (``offset`` 0, nobody ``optional``).

    Parts with no access points are put together into one.  Every site and point is in one part.

    Parameters
    ----------
    ties
        Rows on distance link the sites they name, if ties are to be told apart by them (``site_one_off`` is given).  Without,
        they link and are kept for the goal ``travel`` only: the optimum is the same, and parts are smaller.
    """
    if problem.goal is Goal.FARTHEST or not problem.n_sites:
        return [_whole(problem)]
    near = problem.goal is Goal.TRAVEL or (ties and problem.site_one_off is not None)
    if not near:
        problem = replace(problem, near=NearRows())
    at = _labels(problem)
    return [_whole(problem)] if at.n == 1 else _cut(problem, at)


def _whole(problem: Problem) -> Part:
    none = np.zeros(problem.n_points, dtype=bool)
    return Part(problem, np.arange(problem.n_sites), np.arange(problem.n_points), none, 0)


def _rows_of(start: Ints) -> Ints:
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def _labels(p: Problem) -> _Labels:
    """Connected components of the graph of sites and what looks at them."""
    cover, side = p.cover, p.side
    excused = np.flatnonzero(cover.excuse >= 0)
    of_column = np.concatenate([np.arange(p.n_sites), p.pair_site, offer_columns(p)[:, 1], np.arange(p.n_sites)])
    families: list[tuple[int, Ints, Ints]] = [  # how many there are, and which looks at which site
        (p.n_points, p.pair_point, p.pair_site),
        (
            len(cover),
            np.concatenate([_rows_of(cover.start), excused]),
            np.concatenate([cover.site, p.pair_site[cover.excuse[excused]]]),
        ),
        (
            len(p.shares),
            np.concatenate([np.zeros(0, dtype=np.int64), *(np.full(len(r.site), n) for n, r in enumerate(p.shares))]),
            np.concatenate([np.zeros(0, dtype=np.int64), *(r.site for r in p.shares)]),
        ),
        (len(side), _rows_of(side.start), of_column[side.column]),
        (len(p.near), _rows_of(p.near.start), p.near.site),
    ]
    first = p.n_sites + np.cumsum([0, *(n for n, _, _ in families)])
    who = np.concatenate([looks + f for (_, looks, _), f in zip(families, first[:-1], strict=True)])
    site = np.concatenate([s for _, _, s in families])
    total = int(first[-1])
    graph = coo_array((np.ones(len(who)), (who, site)), shape=(total, total))
    label = connected_components(graph, directed=False)[1].astype(np.int64)
    # What looks at no site at all (a row that cannot be met) is the first part's; parts without points are one.
    homeless = np.isin(label, label[: p.n_sites], invert=True)
    label[homeless] = label[0]
    peopled = np.zeros(int(label.max()) + 1, dtype=bool)
    peopled[label[p.pair_point + p.n_sites]] = True
    label = np.where(peopled[label], label, -1)
    pairs = np.bincount(label[p.pair_site] + 1, minlength=int(label.max()) + 2)
    names, number = np.unique(label, return_inverse=True)
    place = np.empty(len(names), dtype=np.int64)
    place[np.argsort(-pairs[names + 1], kind="stable")] = np.arange(len(names))
    return _Labels(len(names), *np.split(place[number], first[:-1]))


def _cut(p: Problem, at: _Labels) -> list[Part]:
    """Every part's arrays, in the order of the whole."""
    pair_part = at.point[p.pair_point]
    offers = offer_columns(p)
    sites, points, pairs = (_members(x, at.n) for x in (at.site, at.point, pair_part))
    offer = _members(at.site[offers[:, 1]], at.n)
    inherent, conflict, together = (_members(at.site[t[:, -1]], at.n) for t in (p.inherent, p.conflict, p.together))
    rows, entries = _members(at.cover, at.n), _members(at.cover[_rows_of(p.cover.start)], at.n)
    sides, terms = _members(at.side, at.n), _members(at.side[_rows_of(p.side.start)], at.n)
    nears, visits = _members(at.near, at.n), _members(at.near[_rows_of(p.near.start)], at.n)
    home = np.where((p.point_home >= 0) & (at.site[p.point_home] == at.point), sites.rank[p.point_home], -1)
    excuse = np.where(p.cover.excuse >= 0, pairs.rank[p.cover.excuse], -1) if p.n_pairs else p.cover.excuse
    J, P, Q = p.n_sites, p.n_pairs, len(offers)
    kind = np.searchsorted([J, J + P, J + P + Q], p.side.column, side="right")
    rank = np.concatenate([sites.rank, pairs.rank, offer.rank, sites.rank])[p.side.column]

    def starts(start: Ints, which: Ints) -> Ints:
        return np.concatenate([[0], np.cumsum(np.diff(start)[which])]).astype(np.int64)

    def renumbered(triples: Ints, members: _Members, c: int) -> Ints:
        mine = triples[members[c]]
        return np.column_stack([mine[:, :-1], sites.rank[mine[:, -1]]])

    parts = []
    for c in range(at.n):
        j, s, q, r, e = sites[c], points[c], pairs[c], rows[c], entries[c]
        shift = np.cumsum([0, len(j), len(q), len(offer[c])])
        problem = replace(
            p,
            site_cost=p.site_cost[j],
            site_capacity=p.site_capacity[j],
            site_slack=p.site_slack[j],
            must_open=p.must_open[j],
            must_close=p.must_close[j],
            point_service=p.point_service[s],
            point_own=p.point_own[s],
            point_hall=p.point_hall[s],
            point_desk=p.point_desk[s],
            point_home=home[s],
            pair_point=points.rank[p.pair_point[q]],
            pair_site=sites.rank[p.pair_site[q]],
            pair_cost=p.pair_cost[q],
            cover=CoverRows(
                p.cover.service[r], p.cover.need[r], starts(p.cover.start, r), sites.rank[p.cover.site[e]], excuse[r]
            ),
            shares=tuple(_share(rule, sites.rank) for n, rule in enumerate(p.shares) if at.share[n] == c),
            inherent=renumbered(p.inherent, inherent, c),
            conflict=renumbered(p.conflict, conflict, c),
            together=renumbered(p.together, together, c),
            side=SideRows(
                tuple(p.side.name[i] for i in sides[c].tolist()),
                p.side.lower[sides[c]],
                p.side.upper[sides[c]],
                starts(p.side.start, sides[c]),
                shift[kind[terms[c]]] + rank[terms[c]],
                p.side.value[terms[c]],
            ),
            near=NearRows(
                p.near.service[nears[c]],
                p.near.weight[nears[c]],
                starts(p.near.start, nears[c]),
                sites.rank[p.near.site[visits[c]]],
                p.near.distance[visits[c]],
            ),
            site_one_off=None if p.site_one_off is None else p.site_one_off[j],
            site_opening=None if p.site_opening is None else p.site_opening[j],
            pair_one_off=None if p.pair_one_off is None else p.pair_one_off[q],
            site_running=None if p.site_running is None else p.site_running[j],
            pair_running=None if p.pair_running is None else p.pair_running[q],
            pair_apart=None if p.pair_apart is None else p.pair_apart[q],
            today=None if p.today is None else Solution(p.today.open[j], sites.rank[p.today.host[s]]),
        )
        parts.append(Part(problem, j, s, np.zeros(len(s), dtype=bool), 0))
    return parts


def _share(rule: ShareRule, rank: Ints) -> ShareRule:
    return replace(rule, site=rank[rule.site])


def share_of(plan: Solution, part: Part) -> Solution:
    """What a plan of the whole is in an independent part."""
    return Solution(plan.open[part.sites], np.searchsorted(part.sites, plan.host[part.points]))


def decided(problem: Problem) -> Solution | None:
    """The one plan of a part that leaves nothing to decide (one pair a point, every site's state known), else None.

    The plan may break rules: then there is none.
    """
    known: Bools = problem.must_open | problem.must_close
    if problem.n_pairs != problem.n_points or not known.all():
        return None
    if not np.array_equal(problem.pair_point, np.arange(problem.n_points)):
        return None
    return Solution(problem.must_open.copy(), problem.pair_site.copy())


def whole(
    problem: Problem, solve_part: Callable[[Problem], tuple[Solution | None, float]], *, ties: bool = True
) -> tuple[Solution | None, float]:
    """Solve a problem (goals ``cost``) part by part and put the plan together; the bound is the sum of the parts' bounds.

    ``solve_part`` gives a plan of a part (None where it has none to give) and a bound in pence, ``inf`` where it has proven
    that there is no plan.  It is not called for parts that are decided.  Without a plan for one part there is none.
    """
    parts = components(problem, ties=ties)
    plan: Solution | None = Solution(np.zeros(problem.n_sites, dtype=bool), np.zeros(problem.n_points, dtype=np.int64))
    bound = 0.0
    for part in parts:
        sure = decided(part.problem)
        if sure is None:
            found, low = solve_part(part.problem)
        elif violations(part.problem, sure):
            found, low = None, np.inf
        else:
            found, low = sure, float(cost(part.problem, sure))
        bound += low
        plan = None if plan is None or found is None else merged(plan, part, found)
    return plan, bound
