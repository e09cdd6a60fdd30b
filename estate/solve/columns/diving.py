"""A plan out of the linear programme over sets: price and dive.

The programme of a conurbation of 500 buildings in round figures uses most of what it uses whole.  So the sets that it uses most
are taken for good, some buildings at a time; what is left is priced again, and so on to the last point (diving with column
generation: Sadykov, Vanderbeck, Pessoa, Tahiri and Uchoa 2019 compare ways to do it).  A set is taken by keeping its points out
of all other buildings, so further ones may still join them.  Where the bound leaps, the last step is undone and one of its pairs
is left out.

What comes out is a plan, or almost one.  In the second case it is made one by a small programme that knows only the pairs of the
dive and those of the plan in hand, and so is never worse than the latter (:func:`between`).

Begun at converged prices, and priced again after each step as a node is, a dive of Greater Manchester (reach 5 miles) settles 584
of 607 points within 0.16% of the bound in 12 s of CPU.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estate.problem import Bools, Floats, Ints, Problem, Solution, cost, violations
from estate.solve.columns import compact
from estate.solve.columns.core import Core, core
from estate.solve.columns.lagrangian import Dual, evaluate
from estate.solve.columns.node_master import Look, NodeMaster, PricedNode
from estate.solve.reduce.narrow import without_pairs
from estate.solve.watch import NEVER, Clock

FIRST = 40
"""Rounds of pricing before the first sets are taken."""
ROUNDS = 8
"""Rounds after each time that sets were taken."""
TAKEN = 0.05
"""Share of the buildings that is settled at a time, at most."""
BOLD, FEWER = 0.3, 3
"""The share, and the rounds, by which a first plan is looked for before it is looked for with more care: of Greater Manchester
(reach 5 miles) 0.6% above the bound after 11 s of CPU, where care has 1.5% after 47."""
NEARLY = 0.05
"""Share of the points not settled up to which such a dive is finished."""
SURE = (0.8, 0.6)
"""From how much of it on a set is taken together with others, dive by dive; one, the most used, is always."""
LEAP = 0.002
"""Relative rise of the bound from which on a step is undone."""
UNDONE = 3
"""Steps that may be undone."""
USED = 1e-6
"""What the linear programme uses less of counts as not used."""
FEW = 0.2
"""Share of the points not settled up to which each may be anywhere in the small programme; else where the dive's last has it."""
LOOKS = 60
"""How often HiGHS may look up between two plans (:func:`estate.solve.highs.run`)."""
QUICK = 20
"""The same where a dive is one of many."""


def improve(
    problem: Problem,
    cut: Core,
    dual: Dual,
    plan: Solution,
    *,
    sure: float = SURE[0],
    clock: Clock = NEVER,
    bold: bool = False,
) -> Solution | None:
    """A plan better than ``plan`` out of the best multipliers ``dual``, or nearly the best; None where there is none.

    ``bold``: in long steps first, for a place so large that a dive with care takes most of a minute.
    """
    lp = NodeMaster(problem, cut, dual, plan)
    enough = float(cost(problem, plan))
    node, look = lp.solve(lp.root(dual), FIRST, enough)
    found = plan_from(lp, node, look, plan, sure=sure, enough=enough, clock=clock, bold=True) if bold else None
    return found or plan_from(lp, node, look, plan, sure=sure, enough=enough, clock=clock, looks=LOOKS)


def plan_from(  # noqa: PLR0913 - each says when to stop, or how
    lp: NodeMaster,
    node: PricedNode,
    look: Look,
    plan: Solution,
    *,
    sure: float,
    enough: float,
    clock: Clock = NEVER,
    looks: int = QUICK,
    bold: bool = False,
) -> Solution | None:
    """A plan better than ``plan`` out of a node and its solution, or None.

    No further is dived than to a bound of ``enough``.  ``bold``: in long steps, and where more than a few points are then not
    settled there is no plan: to look for one among so many choices takes longer than a dive with care.
    """
    problem, slots = lp.problem, lp.core
    limit = min(enough, node.dual.bound + LEAP * abs(node.dual.bound))
    most, rounds = max(1, round((BOLD if bold else TAKEN) * problem.n_sites)), FEWER if bold else ROUNDS
    settled = np.zeros(problem.n_points, dtype=bool)
    undone = 0
    while len(pick := _pick(lp, look, settled, sure, most)):
        if clock.over() is not None:
            return None
        before = node, look, settled
        barred, lower, settled = node.barred.copy(), node.lower.copy(), settled.copy()
        for each in pick.tolist():
            here = _slots(look, each)
            site, points = look.site[each], slots.slot_point[here]
            points = points[~settled[points]]
            barred |= np.isin(slots.slot_point, points) & (slots.slot_site != site)
            settled[points], lower[site] = True, 1.0
        node, look = lp.solve(replace(node, barred=barred, lower=lower), rounds, limit)
        if node.dual.bound < limit:
            continue
        node, look, settled = before
        undone += 1
        if undone > UNDONE:
            break
        barred = node.barred.copy()
        barred[_least(look, pick[-1], settled, slots)] = True
        other, seen = lp.solve(replace(node, barred=barred), rounds, limit)
        if other.dual.bound >= limit:
            break
        node, look = other, seen
    found = read(lp, look)
    if found is not None and cost(problem, found) < cost(problem, plan):
        return found
    if bold and (~settled).mean() > NEARLY:
        return None
    wanted = _pairs(problem, lp, node, look, settled)
    return between(problem, node.dual, plan, wanted, clock=clock, looks=looks)


def _slots(look: Look, each: int) -> Ints:
    """The slots of a set."""
    return look.member.indices[look.member.indptr[each] : look.member.indptr[each + 1]].astype(np.int64)


def _pick(lp: NodeMaster, look: Look, settled: Bools, sure: float, most: int) -> Ints:
    """The sets to take: the most used, and those as good as sure, no site and no point twice."""
    size = np.diff(look.member.indptr)
    opened = (~settled[lp.core.slot_point]).astype(float)
    open_ = np.flatnonzero((look.used > USED) & (look.member @ opened > 0))
    pick: list[int] = []
    sites: set[int] = set()
    points: set[int] = set()
    for each in open_[np.lexsort((-size[open_], -np.round(look.used[open_], 6)))].tolist():
        if len(pick) == most or (pick and look.used[each] < sure):
            break
        here = [s for s in lp.core.slot_point[_slots(look, each)].tolist() if not settled[s]]
        if int(look.site[each]) not in sites and points.isdisjoint(here):
            pick.append(each)
            sites.add(int(look.site[each]))
            points.update(here)
    return np.array(pick, dtype=np.int64)


def _least(look: Look, each: int, settled: Bools, slots: Core) -> int:
    """The slot of a set, its point not settled, that all sets together use least."""
    there: Floats = look.used @ look.member
    here = _slots(look, each)
    here = here[~settled[slots.slot_point[here]]]
    return int(here[there[here].argmin()])


def read(lp: NodeMaster, look: Look) -> Solution | None:
    """The plan that a solution is, where it uses whole sets and keeps every rule."""
    problem = lp.problem
    if look.helped > USED or ((look.used > USED) & (look.used < 1.0 - USED)).any():
        return None
    host = np.full(problem.n_points, -1, dtype=np.int64)
    here = np.flatnonzero(look.used @ look.member > 0.5)
    host[lp.core.slot_point[here]] = lp.core.slot_site[here]
    found = Solution(look.opened[: problem.n_sites] > 0.5, host)
    return None if (host < 0).any() or violations(problem, found) else found


def _pairs(problem: Problem, lp: NodeMaster, node: PricedNode, look: Look, settled: Bools) -> Bools:
    """(S, J) the pairs of a dive: those taken, and where points that are not settled might be."""
    free = ~node.barred & (node.upper[: problem.n_sites] > 0.5)[lp.core.slot_site]
    used = look.used @ look.member > USED
    few = (~settled).mean() <= FEW
    keep = free & (settled[lp.core.slot_point] | few | used)
    wanted = np.zeros((problem.n_points, problem.n_sites), dtype=bool)
    wanted[lp.core.slot_point[keep], lp.core.slot_site[keep]] = True
    return wanted


def between(
    problem: Problem, dual: Dual, plan: Solution, wanted: Bools, *, clock: Clock = NEVER, looks: int = LOOKS
) -> Solution | None:
    """The best plan with only the pairs of ``plan`` and those ``wanted`` (S, J), where it is better than ``plan``."""
    host = np.where(wanted.any(axis=1), wanted.argmax(axis=1), -1)
    wanted = wanted.copy()
    wanted[np.arange(problem.n_points), plan.host] = True
    wanted |= _helpful(problem, host)[problem.point_service]
    small = without_pairs(problem, ~wanted[problem.pair_point, problem.pair_site])
    here = evaluate(core(small), dual.point, dual.row)
    found = compact.solve(small, here, plan, gap=0.0, looks=looks, clock=clock).plan
    return found if found is not None and cost(problem, found) < cost(problem, plan) else None


def _helpful(problem: Problem, host: Ints) -> Bools:
    """(services, sites) offers that would meet a row that hosting so leaves unmet."""
    there = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    hosted = np.flatnonzero(host >= 0)
    there[problem.point_service[hosted], host[hosted]] = True
    there[problem.inherent[:, 0], problem.inherent[:, 1]] = True
    cover = problem.cover
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    short = np.bincount(row, there[cover.service[row], cover.site], len(cover)) < cover.need
    helpful = np.zeros_like(there)
    helpful[cover.service[row[short[row]]], cover.site[short[row]]] = True
    return helpful
