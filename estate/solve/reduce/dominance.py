"""Host pairs that no best plan uses, because the point could always go elsewhere for less.

Pair ``(s, j)`` is *dominated* by ``(s, d)`` when any plan with ``s`` at ``j`` stays a plan, and gets cheaper, when ``s`` goes to
``d`` and nothing else changes:

* *it pays*: ``cost_sd + C_d < cost_sj`` (no ``C_d`` where ``d`` must be open), strictly, so that no tie is lost;
* *there is room whatever else is there*: all of ``d``'s candidate points together fit in it, so no floor area is in the way;
* *nobody loses access*: every cover row and share item that service ``k`` of ``s`` helps from ``j``, it helps from ``d``, and
  asks for one offer only (the row then holds with ``d`` alone).  No row is excused by ``s`` at ``j``;
* *no other rule looks*: no side row, and no rule on services in one building at ``j`` or ``d`` that names ``k``.

Leaving ``j`` breaks nothing there: its area falls, and it gains nobody.  The moves are argued from any plan at all, so all
dominated pairs may go at once: following the moves costs less at each step, and so ends at a plan that uses none of them.

Where floor area is scarce there are few: capacity is what makes single-source location hard, and "there is room" is asked for
here without looking at costs.  What is dear rather than impossible is found by :mod:`estate.solve.reduce.elimination`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, Goal, Ints, Problem, Solution

WIDEST = 2_000_000
"""Most (pair, better pair) couples looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Dominated pairs, and where their points go instead."""

    drop: Bools
    """(P,) of the problem looked at."""
    target: Ints
    """(D, 3) rows of (point, from, to), sorted by point and from."""

    def applied(self, plan: Solution) -> Solution:
        """The plan with every move made that it calls for; cheaper at each step, so it ends."""
        host, is_open = plan.host.copy(), plan.open.copy()
        point, source, goal = self.target.T
        while len(now := np.flatnonzero(host[point] == source)):
            host[point[now]] = goal[now]
            is_open[goal[now]] = True
        return Solution(is_open, host)


def dominated(problem: Problem) -> Moves | None:
    """The dominated pairs, or None where there are none (or the goal or the rules are of another kind)."""
    p = problem
    if p.goal is not Goal.COST or len(p.side) or not p.n_pairs:
        return None
    K = p.n_services
    has_room = roomy(p)
    named = np.zeros(p.n_sites * K, dtype=bool)  # services at sites that a rule on sharing names
    for t in (p.conflict, p.together):
        named[t[:, 2] * K + t[:, 0]] = named[t[:, 2] * K + t[:, 1]] = True
    crowd = np.zeros(p.n_sites, dtype=bool)  # opening these for one more service may break such a rule
    crowd[np.concatenate([p.conflict[:, 2], p.together[:, 2]])] = True
    at = p.pair_site * K + p.point_service[p.pair_point]
    excuses = np.zeros(p.n_pairs, dtype=bool)
    excuses[p.cover.excuse[p.cover.excuse >= 0]] = True
    need, helps = helped(p)
    plain = ~named[at] & ~p.must_close[p.pair_site]
    entry = np.where(p.must_open[p.pair_site], 0, np.maximum(p.site_cost[p.pair_site], 0)) + p.pair_cost
    to = np.flatnonzero(has_room[p.pair_site] & plain & (p.must_open[p.pair_site] | ~crowd[p.pair_site]))
    if not len(to):
        return None
    # Every pair beside every roomy one of its point that costs less, opening included.
    leaves = np.flatnonzero(plain & ~excuses)
    first = np.searchsorted(p.pair_point[to], p.pair_point[leaves])
    count = np.searchsorted(p.pair_point[to], p.pair_point[leaves], side="right") - first
    if int(count.sum()) > WIDEST:
        return None
    old = np.repeat(leaves, count)
    new = to[np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)]
    pays = entry[new] < p.pair_cost[old]
    old, new = old[pays], new[pays]
    inherent = np.zeros(p.n_sites * K, dtype=bool)
    inherent[p.inherent[:, 1] * K + p.inherent[:, 0]] = True
    from_, to_ = helps[at[old]], helps[at[new]]
    size = np.diff(from_.indptr)
    both = np.asarray(from_.multiply(to_).sum(axis=1)).ravel()
    single = np.asarray(from_ @ (need > 1).astype(float)).ravel() == 0
    keeps = inherent[at[old]] | ((both == size) & single)
    old, new = old[keeps], new[keeps]
    if not len(old):
        return None
    order = np.lexsort((new, entry[new], old))  # the cheapest way out of each
    old, new = old[order], new[order]
    once = np.r_[True, old[1:] != old[:-1]]
    old, new = old[once], new[once]
    drop = np.zeros(p.n_pairs, dtype=bool)
    drop[old] = True
    return Moves(drop, np.column_stack([p.pair_point[old], p.pair_site[old], p.pair_site[new]]))


def roomy(p: Problem) -> Bools:
    """(J,) whether all candidates of a site fit in it together."""
    K, J = p.n_services, p.n_sites
    own = np.zeros(J, dtype=np.int64)
    hall = np.zeros(J, dtype=np.int64)
    desk = np.zeros(J * K, dtype=np.int64)
    np.add.at(own, p.pair_site, p.point_own[p.pair_point])
    np.maximum.at(hall, p.pair_site, p.point_hall[p.pair_point])
    np.maximum.at(desk, p.pair_site * K + p.point_service[p.pair_point], p.point_desk[p.pair_point])
    fits: Bools = own + hall + desk.reshape(J, K).sum(axis=1) <= p.site_capacity
    return fits


def helped(p: Problem) -> tuple[Ints, csr_array]:
    """What each (site, service) helps: (J K, R) with a one for each cover row and share item, and their needs."""
    K = p.n_services
    start = [p.cover.start, *(rule.start for rule in p.shares)]
    rows = [np.repeat(np.arange(len(s) - 1), np.diff(s)) for s in start]
    service = [p.cover.service[rows[0]], *(np.full(len(r.site), r.service) for r in p.shares)]
    site = np.concatenate([p.cover.site, *(r.site for r in p.shares)])
    first = np.cumsum([0, *(len(s) - 1 for s in start)])
    row = np.concatenate([r + f for r, f in zip(rows, first[:-1], strict=True)])
    need = np.concatenate([p.cover.need, *(np.ones(len(r.weight), dtype=np.int64) for r in p.shares)])
    at = site * K + np.concatenate(service)
    return need, csr_array((np.ones(len(at)), (at, row)), shape=(p.n_sites * K, len(need)))
