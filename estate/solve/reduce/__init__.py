"""Everything that can be left out of a problem before it is solved, without losing a best plan.

:func:`tighten` applies these to a fixpoint.  Sites, points and services keep their numbers, so a plan means the same before and
after; host pairs and rows are fewer.  *All but 5, 7, 8 and 9 keep every plan there is*; what those lose is strictly dearer than
something they keep, so plans that tie are still there to be told apart (:mod:`estate.solve.ties`).

1. *Pairs that cannot be.*  The point does not fit in the building, alone or beside those who have nowhere else to go; the
   building must close; a service that must not be there with it is there whenever the building is open.
2. *Rows that say nothing.*  A cover row lists only offers that can be.  One that is met in every plan (a point that has nowhere
   else, an inherent offer of a building that must open) counts as met and leaves the row.  Rows implied by others go, and those
   met wherever a point goes; a point on which a row rests stays in it (:mod:`estate.solve.reduce.cover_rows`).
3. *What must be.*  A row with no offer to spare needs all it has: their buildings open, and an offer with one candidate point
   has that point.
4. *Who must be where.*  A point with one building left makes that building open.
5. *Buildings with no use.*  No pair, no inherent offer, a cost above nothing, and no side row that could want it open: closed.
6. *Share rules* with fewer items (:mod:`estate.solve.reduce.items`).
7. *Dominated pairs* (:mod:`estate.solve.reduce.dominance`): the point could always go elsewhere for less.
8. *Too dear for a better plan* (:mod:`estate.solve.reduce.elimination`), where multipliers and a value to beat are given.
9. *Buildings that pay for themselves.*  A cost below nothing, and no rule that could want it closed: open, guests or not.

Identical points can be one (:mod:`.reduce.twins`): that renumbers points and may lose ties, so it is not among these.

The rules are those of preprocessing in integer programming (Savelsbergh 1994) and in set covering (Toregas and ReVelle 1972)
with this problem's own floor areas and coverage in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.model.arrays import fits_alone
from estate.problem import Bools, CoverRows, Floats, Ints, Problem, Solution, offer_columns, violations
from estate.solve.columns.lagrangian import Dual
from estate.solve.reduce import cover_rows, dominance, elimination, items
from estate.solve.reduce.narrow import without_pairs


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """A smaller problem for the same question.  A plan of it is a plan of the original as it stands, at the same cost."""

    problem: Problem
    pair: Ints
    """(P',) the original number of each host pair that is left."""
    becomes: Ints
    """(R,) what each row of the original (cover rows, then the items of every share rule) is now, or -1."""
    moves: tuple[dominance.Moves, ...] = ()

    def into(self, plan: Solution) -> Solution:
        """A plan of the original made into one of the smaller problem, no dearer.

        Points leave dominated buildings, buildings of no use close, those that pay for themselves open.  What rule 8 has
        shown to be too dear stays as it was: such a plan costs more than the value that was to be beaten.
        """
        for step in self.moves:
            plan = step.applied(plan)
        return Solution((plan.open | self.problem.must_open) & ~self.problem.must_close, plan.host)

    def multipliers(self, dual: Dual) -> Dual:
        """Multipliers found for the original, on what is left of it (they bound it; :func:`lagrangian.evaluate` says how)."""
        left = np.flatnonzero(self.becomes >= 0)
        row = np.bincount(self.becomes[left], np.maximum(dual.row[left], 0.0), minlength=_n_rows(self.problem))
        return replace(dual, row=np.concatenate([row, dual.row[len(self.becomes) :]]))  # side rows stay


def _n_rows(problem: Problem) -> int:
    return len(problem.cover) + sum(len(rule.weight) for rule in problem.shares)


def tighten(
    problem: Problem, *, optional: Bools | None = None, dual: Dual | None = None, value: float | None = None
) -> Reduced:
    """The problem with all that can be left out left out.

    Parameters
    ----------
    optional
        (S,) points that need not be anywhere (see :func:`estate.solve.decompose.blocks.priced`): never taken to be forced.
    dual, value
        Multipliers of this problem (goal ``cost``) and the pence of a plan: every plan that costs at most ``value`` is kept.
    """
    free = np.zeros(problem.n_points, dtype=bool) if optional is None else optional
    now = Reduced(problem, np.arange(problem.n_pairs), np.arange(_n_rows(problem)))
    if dual is not None and value is not None:
        found = elimination.by_bound(problem, dual, value, optional=optional)
        marked = replace(problem, must_open=found.must_open, must_close=found.must_close)
        now = _without(replace(now, problem=marked), found.drop)
    now = _with_rows(now, cover_rows.minimal(now.problem))
    while True:
        now = _settled(now, free)
        met = cover_rows.met_wherever(now.problem, free)
        now = _with_rows(now, np.flatnonzero(~met))
        away = cover_rows.elsewhere(now.problem)
        if away.any():
            now = _without(now, away)
            continue
        light = items.lighter(now.problem, free)
        if light is not None:
            now = replace(now, problem=light.problem, becomes=_then(now.becomes, light.becomes))
            continue
        moves = dominance.dominated(now.problem)
        if moves is None:
            break
        now = _without(replace(now, moves=(*now.moves, moves)), moves.drop)
    now = _with_rows(now, cover_rows.minimal(now.problem))
    return replace(now, problem=replace(now.problem, today=_started(now, problem.today)))


def _started(now: Reduced, today: Solution | None) -> Solution | None:
    """Today's estate as a plan of the smaller problem, where it is one."""
    if today is None:
        return None
    plan = now.into(today)
    return None if violations(now.problem, plan) else plan


def _without(now: Reduced, drop: Bools) -> Reduced:
    if not drop.any():
        return now
    # Plans in between are not kept: `today` is found again at the end.
    return replace(now, problem=without_pairs(replace(now.problem, today=None), drop), pair=now.pair[~drop])


def _settled(now: Reduced, free: Bools) -> Reduced:
    """Rules 1 to 5 until they find nothing more."""
    while True:
        seen = _look(now.problem, free)
        if not seen.changes(now.problem):
            return now
        marked = replace(now.problem, must_open=seen.must_open, must_close=seen.must_close, cover=seen.cover)
        now = _without(replace(now, problem=marked, becomes=_then(now.becomes, _ranks(seen.rows, now.problem))), seen.drop)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What one look at a problem shows."""

    drop: Bools
    must_open: Bools
    must_close: Bools
    cover: CoverRows
    rows: Bools

    def changes(self, p: Problem) -> bool:
        return bool(
            self.drop.any()
            or not self.rows.all()
            or len(self.cover.site) < len(p.cover.site)
            or (self.cover.excuse != p.cover.excuse).any()
            or (self.must_open != p.must_open).any()
            or (self.must_close != p.must_close).any()
        )


def _look(p: Problem, free: Bools) -> _Seen:
    K, J, S = p.n_services, p.n_sites, p.n_points
    point, site = p.pair_point, p.pair_site
    at = site * K + p.point_service[point]  # (service, site) as one number: an offer
    inherent = np.zeros(J * K, dtype=bool)
    inherent[p.inherent[:, 1] * K + p.inherent[:, 0]] = True

    drop = ~fits_alone(p) | p.must_close[site]
    alone = np.bincount(point[~drop], minlength=S) == 1
    forced = ~drop & alone[point] & ~free[point]
    drop |= ~forced & _crowded(p, forced, at)
    drop |= _barred(p, drop, forced, inherent, at)

    candidates = np.bincount(at[~drop], minlength=J * K)
    offered = np.zeros(J * K, dtype=bool)  # in every plan
    offered[at[forced & ~drop]] = True
    must_open = p.must_open.copy()
    must_open[site[forced & ~drop]] = True
    offered |= inherent & np.repeat(must_open, K)
    can = (candidates > 0) | (inherent & np.repeat(~p.must_close, K))

    cover, kept, needed, excused = _rows(p, can, offered, drop, forced & ~drop)
    must_open[needed // K] = True
    must_open |= (p.site_cost < 0) & ~p.must_close & _may_open(p)
    only = np.zeros(J * K, dtype=bool)
    only[needed] = True
    fixed = ~drop & only[at] & (candidates[at] == 1) & ~inherent[at]
    fixed[excused] = True
    held = np.zeros(S, dtype=bool)
    held[point[fixed]] = True
    drop |= held[point] & ~fixed

    useful = np.bincount(site[~drop], minlength=J) + np.bincount(p.inherent[:, 1], minlength=J)
    idle = (useful == 0) & (p.site_cost > 0) & ~must_open & _may_close(p)
    return _Seen(drop, must_open & ~(p.must_close & ~p.must_open), p.must_close | idle, cover, kept)


def _crowded(p: Problem, forced: Bools, at: Ints) -> Bools:
    """(P,) whether the pair's point has no room beside those who have no other building."""
    K, J = p.n_services, p.n_sites
    point, site = p.pair_point, p.pair_site
    who, where = point[forced], site[forced]
    own = np.zeros(J, dtype=np.int64)
    hall = np.zeros(J, dtype=np.int64)
    desk = np.zeros(J * K, dtype=np.int64)
    np.add.at(own, where, p.point_own[who])
    np.maximum.at(hall, where, p.point_hall[who])
    np.maximum.at(desk, at[forced], p.point_desk[who])
    guests = np.zeros(J, dtype=bool)
    guests[where[p.point_home[who] != where]] = True
    total = desk.reshape(J, K).sum(axis=1)
    area = own[site] + p.point_own[point] + np.maximum(hall[site], p.point_hall[point])
    area = area + total[site] - desk[at] + np.maximum(desk[at], p.point_desk[point])
    at_home = (p.point_home[point] == site) & ~guests[site]
    crowded: Bools = area > p.site_capacity[site] + np.where(at_home, p.site_slack[site], 0)
    return crowded


def _barred(p: Problem, drop: Bools, forced: Bools, inherent: Bools, at: Ints) -> Bools:
    """(P,) pairs that a rule on two services in one building rules out: the other is (or can never be) there."""
    K = p.n_services
    there = inherent.copy()
    there[at[forced & ~drop]] = True
    can = inherent | (np.bincount(at[~drop], minlength=len(inherent)) > 0)
    bar = np.zeros(len(inherent), dtype=bool)
    for first, second in ((0, 1), (1, 0)):
        clash, pair = p.conflict, p.together
        bar[clash[:, 2] * K + clash[:, second]] |= there[clash[:, 2] * K + clash[:, first]]
        bar[pair[:, 2] * K + pair[:, second]] |= ~can[pair[:, 2] * K + pair[:, first]]
    barred: Bools = bar[at] & ~drop
    return barred


def _rows(p: Problem, can: Bools, offered: Bools, drop: Bools, forced: Bools) -> tuple[CoverRows, Bools, Ints, Ints]:
    """The cover rows less what is sure or cannot be, which are kept, and the offers and excuses they cannot spare."""
    c = p.cover
    n = len(c)
    row = np.repeat(np.arange(n), np.diff(c.start))
    at = c.site * p.n_services + c.service[row]
    excused = np.flatnonzero(c.excuse >= 0)
    sure = np.bincount(row, offered[at], n).astype(np.int64)
    sure[excused] += forced[c.excuse[excused]]
    excuse = c.excuse.copy()
    excuse[excused[(drop | forced)[c.excuse[excused]]]] = -1
    need = c.need - sure
    kept = need > 0
    keep = can[at] & ~offered[at] & kept[row]
    left = np.bincount(row[keep], minlength=n)
    tight = kept & (left + (excuse >= 0) <= need)
    start = np.concatenate([[0], np.cumsum(left[kept])]).astype(np.int64)
    cover = CoverRows(c.service[kept], need[kept], start, c.site[keep], excuse[kept])
    return cover, kept, np.unique(at[keep & tight[row]]), excuse[tight & (excuse >= 0)]


def _may_close(p: Problem) -> Bools:
    """(J,) sites that no side row could want open: its term there can only help the row's other side."""
    return ~_wanted(p, p.side.lower, p.side.upper)


def _may_open(p: Problem) -> Bools:
    """(J,) sites that no side row could want closed, and whose inherent offers no rule on sharing names."""
    may = ~_wanted(p, p.side.upper, p.side.lower)
    gives = np.zeros(p.n_sites, dtype=bool)
    gives[p.inherent[:, 1]] = True
    ruled = np.zeros(p.n_sites, dtype=bool)
    ruled[np.concatenate([p.conflict[:, 2], p.together[:, 2]])] = True
    return may & ~(gives & ruled)


def _wanted(p: Problem, rising: Floats, falling: Floats) -> Bools:
    """(J,) sites with a term in a side row bounded on the side given: ``rising`` where it is above 0, else ``falling``.

    An inherent offer of the site is a term of it.
    """
    side, K = p.side, max(p.n_services, 1)
    offers = offer_columns(p)
    given = np.isin(offers[:, 1] * K + offers[:, 0], p.inherent[:, 1] * K + p.inherent[:, 0])
    none = np.full(p.n_pairs, -1)
    of = np.concatenate([np.arange(p.n_sites), none, np.where(given, offers[:, 1], -1), np.full(p.n_sites, -1)])
    row = np.repeat(np.arange(len(side)), np.diff(side.start))
    wants = np.where(side.value > 0, np.isfinite(rising[row]), np.isfinite(falling[row])) & (side.value != 0)
    site = of[side.column[wants]] if len(side.column) else side.column
    wanted = np.zeros(p.n_sites, dtype=bool)
    wanted[site[site >= 0]] = True
    return wanted


def _with_rows(now: Reduced, keep: Ints) -> Reduced:
    if len(keep) == len(now.problem.cover):
        return now
    kept = np.zeros(len(now.problem.cover), dtype=bool)
    kept[keep] = True
    return replace(now, problem=cover_rows.with_rows(now.problem, keep), becomes=_then(now.becomes, _ranks(kept, now.problem)))


def _ranks(kept: Bools, problem: Problem) -> Ints:
    """What rows become when only some of the cover rows are kept."""
    all_ = np.concatenate([kept, np.ones(_n_rows(problem) - len(kept), dtype=bool)])
    return np.where(all_, np.cumsum(all_) - 1, -1)


def _then(first: Ints, second: Ints) -> Ints:
    """One renumbering after another."""
    return np.where(first >= 0, second[first], -1) if len(second) else np.full(len(first), -1)


def without_implied(problem: Problem) -> Problem:
    """The problem without the cover rows that others imply."""
    return cover_rows.with_rows(problem, cover_rows.minimal(problem))
