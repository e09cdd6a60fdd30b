"""Parts of a problem that are problems themselves.

:func:`inside` frees the points that a plan hosts in some sites and leaves the rest of the plan as it is: its best plan is at
least as good as the one we have (large-neighbourhood search, Shaw 1998).

:func:`priced` cuts a part out and prices what crosses the border with whole-pence multipliers: a point that could also go
elsewhere is optional and worth ``u_s``, a cover row that others could meet becomes worth ``v_r`` for the first offer.  For any
multipliers, the constant and the parts' optima add up to a lower bound on the whole: the Lagrangian of
:mod:`estate.solve.columns.lagrangian`, with a block of a hundred sites solved exactly where that has one site.

A priced cover row needs no new kind of row: a free helper site (one for each row that crosses) could serve it.  The helper
costs ``v_r`` when it is open, so meeting the row inside the block saves exactly that: ``v_r min(1, offers)``, which is no more
than ``v_r offers``, so the bound is at least as good as pricing every offer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, CoverRows, Goal, Ints, Problem, ShareRule, Solution, offered
from estate.solve.columns import side_rows


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part and where its sites and points are in the whole."""

    problem: Problem
    sites: Ints
    points: Ints
    optional: Bools
    offset: int
    """Added to the part's cost to give its share of the bound (:func:`priced`)."""
    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """The rows of the whole's core that the part's are, in order (:func:`inside`), or its cover rows (:func:`priced`)."""


def inside(problem: Problem, plan: Solution, sites: Ints) -> Part:
    """The problem of rearranging the points hosted in ``sites`` (sorted) among them, all else as in ``plan``."""
    local = np.full(problem.n_sites, -1)
    local[sites] = np.arange(len(sites))
    points = np.flatnonzero(local[plan.host] >= 0)
    place = np.full(problem.n_points, -1)
    place[points] = np.arange(len(points))
    there = offered(problem, plan)
    there[:, sites] = False  # what the others give

    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    met = np.bincount(row, there[cover.service[row], cover.site], len(cover)).astype(np.int64)
    excuse = cover.excuse
    pair_of = np.full(problem.n_pairs, -1)
    keep_pair = (place[problem.pair_point] >= 0) & (local[problem.pair_site] >= 0)
    pair_of[keep_pair] = np.arange(int(keep_pair.sum()))
    has = excuse >= 0
    e = np.maximum(excuse, 0)
    if len(problem.pair_point):
        stays = has & (plan.host[problem.pair_point[e]] == problem.pair_site[e]) & (place[problem.pair_point[e]] < 0)
        free = has & (pair_of[e] >= 0)
    else:
        stays, free = has & False, has & False
    need = cover.need - met - stays
    rows = need > 0
    part_cover = _cut(cover, rows, local, np.where(free, pair_of[e], -1), need)
    shares = tuple(_share(rule, there, local) for rule in problem.shares)
    part = _part(problem, sites, points, keep_pair, local, place)
    side, kept = side_rows.cut_to(problem, plan, part, sites, np.flatnonzero(keep_pair))
    items = np.concatenate([np.zeros(0, dtype=bool), *(each for _, each in shares)])
    first = len(cover) + len(items)
    numbers = (np.flatnonzero(rows), len(cover) + np.flatnonzero(items), first + side_rows.multiplied(problem.side, kept))
    return Part(
        replace(part, cover=part_cover, shares=tuple(rule for rule, _ in shares), side=side),
        sites,
        points,
        np.zeros(len(points), dtype=bool),
        0,
        np.concatenate(numbers),
    )


def merged(plan: Solution, part: Part, found: Solution) -> Solution:
    """The whole plan with a part's plan in it."""
    host, open_ = plan.host.copy(), plan.open.copy()
    host[part.points] = part.sites[found.host[: len(part.points)]]
    open_[part.sites] = found.open[: len(part.sites)]
    return Solution(open_, host)


def _cut(cover: CoverRows, rows: Bools, local: Ints, excuse: Ints, need: Ints) -> CoverRows:
    """The chosen rows over the sites of a part."""
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    keep = rows[row] & (local[cover.site] >= 0)
    number = np.cumsum(rows) - 1
    n = int(rows.sum())
    start = np.concatenate([[0], np.cumsum(np.bincount(number[row[keep]], minlength=n))]).astype(np.int64)
    return CoverRows(
        cover.service[rows], need[rows].astype(np.int64), start, local[cover.site[keep]], excuse[rows].astype(np.int64)
    )


def _share(rule: ShareRule, there: Bools, local: Ints) -> tuple[ShareRule, Bools]:
    """A share rule over a part, and the items it keeps: what the others cover counts already."""
    n = len(rule.weight)
    item = np.repeat(np.arange(n), np.diff(rule.start))
    met = np.bincount(item, there[rule.service, rule.site], n) > 0
    keep = (local[rule.site] >= 0) & ~met[item]
    count = np.bincount(item[keep], minlength=n)
    some = count > 0
    start = np.concatenate([[0], np.cumsum(count[some])]).astype(np.int64)
    required = max(rule.required - int(rule.weight[met].sum()), 0)
    return ShareRule(rule.name, rule.service, rule.weight[some], start, local[rule.site[keep]], required), some


def _part(problem: Problem, sites: Ints, points: Ints, pairs: Bools, local: Ints, place: Ints) -> Problem:
    """Sites, points and pairs of a part; no rows."""
    conflict, together = (
        np.column_stack([t[:, :2], local[t[:, 2]]])[local[t[:, 2]] >= 0] for t in (problem.conflict, problem.together)
    )
    given = problem.inherent
    home = problem.point_home[points]
    return Problem(
        n_services=problem.n_services,
        site_cost=problem.site_cost[sites],
        site_capacity=problem.site_capacity[sites],
        point_service=problem.point_service[points],
        point_own=problem.point_own[points],
        point_hall=problem.point_hall[points],
        point_desk=problem.point_desk[points],
        pair_point=place[problem.pair_point[pairs]],
        pair_site=local[problem.pair_site[pairs]],
        pair_cost=problem.pair_cost[pairs],
        point_home=np.where(home >= 0, local[home], -1),
        site_slack=problem.site_slack[sites],
        must_open=problem.must_open[sites],
        must_close=problem.must_close[sites],
        inherent=np.column_stack([given[:, 0], local[given[:, 1]]])[local[given[:, 1]] >= 0],
        conflict=conflict,
        together=together,
    )


def priced(problem: Problem, sites: Ints, u: Ints, v: Ints) -> Part:
    """The part of a problem in ``sites`` (sorted), with whole-pence multipliers on points and cover rows that cross.

    ``u`` and ``v`` are (S,) and (cover rows,).  The bound on the whole is ``sum of (part optimum + offset)`` over a partition
    into parts, plus ``u_s`` of every point and ``need_r v_r`` of every row that crosses parts (:func:`crossing`).
    """
    if problem.goal is not Goal.COST or len(problem.side) or problem.shares:
        raise ValueError("parts are priced for cover rows only")
    local = np.full(problem.n_sites, -1)
    local[sites] = np.arange(len(sites))
    pairs = local[problem.pair_site] >= 0
    points = np.unique(problem.pair_point[pairs])
    place = np.full(problem.n_points, -1)
    place[points] = np.arange(len(points))
    elsewhere = np.zeros(problem.n_points, dtype=bool)
    elsewhere[problem.pair_point[~pairs]] = True
    optional = elsewhere[points]
    part = _part(problem, sites, points, pairs, local, place)
    worth = np.where(optional, u[points], 0)
    part = replace(part, pair_cost=part.pair_cost - worth[part.pair_point])

    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    within = np.bincount(row, local[cover.site] >= 0, len(cover))
    total = np.diff(cover.start)
    pair_of = np.full(problem.n_pairs, -1)
    pair_of[pairs] = np.arange(int(pairs.sum()))
    e = np.maximum(cover.excuse, 0)
    has = cover.excuse >= 0
    excused_in = has & (pair_of[e] >= 0) if len(problem.pair_point) else has & False
    touches = (within > 0) | excused_in
    crosses = touches & ((within < total) | (has & ~excused_in))
    v = np.where(crosses, v, 0)
    rows = touches & (~crosses | (v > 0))
    part_cover = _cut(cover, rows, local, np.where(excused_in, pair_of[e], -1), cover.need)
    # A helper site for each row that crosses: open at `v_r`, it meets the row.  A row that asks for more gets as many.
    helped = np.flatnonzero(crosses[rows])
    price = v[rows][helped]
    times = part_cover.need[helped]
    helper_row, helper_cost = np.repeat(helped, times), np.repeat(price, times)
    part = _with_helpers(replace(part, cover=part_cover), helper_row, helper_cost)
    offset = -int((price * times).sum())
    return Part(part, sites, points, optional, offset, np.flatnonzero(rows))


def _with_helpers(part: Problem, row: Ints, price: Ints) -> Problem:
    """Sites with no room that give one row's service when open."""
    h, J = len(row), part.n_sites
    if not h:
        return part
    new = J + np.arange(h)
    cover = part.cover
    owner = np.concatenate([np.repeat(np.arange(len(cover)), np.diff(cover.start)), row])
    site = np.concatenate([cover.site, new])
    order = np.lexsort((site, owner))
    start = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(cover)))]).astype(np.int64)
    zero, no = np.zeros(h, dtype=np.int64), np.zeros(h, dtype=bool)
    return replace(
        part,
        site_cost=np.concatenate([part.site_cost, price]),
        site_capacity=np.concatenate([part.site_capacity, zero]),
        site_slack=np.concatenate([part.site_slack, zero]),
        must_open=np.concatenate([part.must_open, no]),
        must_close=np.concatenate([part.must_close, no]),
        inherent=np.concatenate([part.inherent, np.column_stack([cover.service[row], new])]),
        cover=replace(cover, start=start, site=site[order]),
    )


def crossing(problem: Problem, part_of: Ints) -> tuple[Bools, Bools]:
    """Points and cover rows whose sites lie in more than one part (``part_of`` is (J,))."""

    def spread(owner: Ints, site: Ints, n: int) -> Bools:
        low, high = np.full(n, np.iinfo(np.int64).max), np.full(n, -1)
        np.minimum.at(low, owner, part_of[site])
        np.maximum.at(high, owner, part_of[site])
        return (high > low) & (high >= 0)

    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    has = np.flatnonzero(cover.excuse >= 0)
    owner = np.concatenate([row, has])
    site = np.concatenate([cover.site, problem.pair_site[cover.excuse[has]]])
    return spread(problem.pair_point, problem.pair_site, problem.n_points), spread(owner, site, len(cover))


def links(problem: Problem, *, widest: int = 16) -> csr_array:
    """How near sites are, with no map: shared points, and shared cover rows of at most ``widest`` sites."""
    cover = problem.cover
    length = np.diff(cover.start)
    row = np.repeat(np.arange(len(cover)), length)
    short = length[row] <= widest
    owner = np.concatenate([problem.pair_point, problem.n_points + row[short]])
    site = np.concatenate([problem.pair_site, cover.site[short]])
    n = problem.n_points + len(cover)
    size = np.bincount(owner, minlength=n)
    members = csr_array((1.0 / size[owner], (owner, site)), shape=(n, problem.n_sites))
    return csr_array(members.T @ members)


def ball(near: csr_array, centre: int, size: int) -> Ints:
    """Up to ``size`` sites about one, each next the one most linked to those before it (sorted)."""
    score = np.zeros(near.shape[0])
    chosen = [centre]
    score[centre] = -np.inf
    while len(chosen) < size:
        lo, hi = near.indptr[chosen[-1]], near.indptr[chosen[-1] + 1]
        score[near.indices[lo:hi]] += near.data[lo:hi]
        best = int(score.argmax())
        if score[best] <= 0:
            break
        chosen.append(best)
        score[best] = -np.inf
    return np.sort(np.array(chosen, dtype=np.int64))


def partition(near: csr_array, size: int, *, dense_first: bool = False) -> Ints:
    """(J,) block of each site: balls of ``size``, taken from what is left, the most isolated first (or the least)."""
    n = near.shape[0]
    part = np.full(n, -1)
    left = near.copy()
    degree = np.asarray(near.sum(axis=1)).ravel()
    block = 0
    for j in np.argsort(-degree if dense_first else degree, kind="stable").tolist():
        if part[j] >= 0:
            continue
        score = np.zeros(n)
        chosen = [j]
        part[j] = block
        while len(chosen) < size:
            lo, hi = left.indptr[chosen[-1]], left.indptr[chosen[-1] + 1]
            at = left.indices[lo:hi]
            free = part[at] < 0
            score[at[free]] += left.data[lo:hi][free]
            best = int(score.argmax())
            if score[best] <= 0:
                break
            score[best] = 0.0
            part[best] = block
            chosen.append(best)
        block += 1
    # Scraps join the block they are most linked to.
    count = np.bincount(part)
    for j in np.flatnonzero(count[part] < size // 6).tolist():
        at = near.indices[near.indptr[j] : near.indptr[j + 1]]
        pull = np.bincount(part[at], near.data[near.indptr[j] : near.indptr[j + 1]], block)
        pull[part[j]] = 0.0
        if pull.max() > 0:
            part[j] = int(pull.argmax())
    return np.unique(part, return_inverse=True)[1].astype(np.int64)
