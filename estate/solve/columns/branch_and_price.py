"""Branch and price: plan and proof where sets tie without end.

Registers have floor areas by rate and costs in round figures, so in a town any of a great many sets of points is as good as any
other, and lists of sets (:mod:`.columns.branch_and_bound`) cannot be made.  But *which buildings are open* is nearly settled by
the linear programme: of a conurbation's 509 buildings it leaves 21 in part.  So the branches are on that: how many of a group are
open (buildings that cost the same take one another's place, and one of them decided decides nothing), and which buildings; only
then who is where.  Sets are priced in at each node (:mod:`.columns.node_master`).  Neighbourhoods of 60 buildings that
HiGHS leaves at 2% after 30 s of CPU are proven in 1 to 10 s.

A node whose buildings are all decided by the programme seldom is a plan, and a dive (:mod:`.columns.diving`) from there
most often finds one at the node's bound.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from estate.problem import Bools, Problem, Solution, cost
from estate.solve.columns import diving
from estate.solve.columns.core import Core
from estate.solve.columns.lagrangian import Dual
from estate.solve.columns.node_master import Look, NodeMaster, PricedNode
from estate.solve.watch import NEVER, Clock

LEVELS = (0.0, 0.25, 0.5, 0.75, 0.9)
"""Shares of the buildings that cost less than those of a group of dear ones."""
ROUNDS = 40
"""Rounds of pricing at a node, at most."""
WHOLE = 1e-5
"""Nearer a whole number than this counts as whole."""
AGAIN = 10
"""Nodes from one dive to the next while none has buildings that are all decided."""
DIVES = 3
"""Dives in a row that may bring nothing; from then on they are put off, each by a node more (ten where not all is decided)."""


type Told = Callable[[Solution | None, float], object]


@dataclass(frozen=True, slots=True)
class PricedResult:
    """A plan better than the one given (or None), the value of the best known, and a bound; pence."""

    plan: Solution | None
    value: float
    bound: float
    complete: bool
    """Nothing was left open within the gap asked for."""
    nodes: int


@dataclass(slots=True)
class _Best:
    """The best plan so far, and when a node need not be looked at."""

    problem: Problem
    step: int
    gap: float
    told: Told
    value: float
    plan: Solution
    better: bool = False

    def enough(self) -> float:
        """The bound from which on nothing that matters is better: plans differ by whole steps."""
        return self.value - max(self.step - 0.5, self.gap * abs(self.value))

    def take(self, found: Solution | None) -> bool:
        """Whether it is better than the best."""
        if found is None or cost(self.problem, found) >= self.value:
            return False
        self.plan, self.value, self.better = found, float(cost(self.problem, found)), True
        self.told(found, -np.inf)
        return True


def search(
    problem: Problem,
    cut: Core,
    dual: Dual,
    plan: Solution,
    *,
    nodes: int,
    gap: float = 0.0,
    clock: Clock = NEVER,
    told: Told = lambda _plan, _bound: None,
) -> PricedResult:
    """The best plan of a problem without share rules, from a plan and multipliers on.

    ``told`` hears of every better plan, and of the bound of all that is open whenever it rises.
    """
    lp = NodeMaster(problem, cut, dual, plan, groups(problem))
    best = _Best(problem, lp.step, gap, told, float(cost(problem, plan)), plan)
    heap: list[tuple[float, int, PricedNode]] = []
    node: PricedNode | None = lp.root(dual)
    low, given_up = -np.inf, np.inf
    done = ticket = dived = idle = 0
    while True:
        if node is None:
            if not heap or heap[0][0] >= best.enough():
                break
            node = heapq.heappop(heap)[2]
        if done >= nodes or clock.over() is not None:
            heapq.heappush(heap, (node.dual.bound, -1, node))
            break
        done += 1
        node, look = lp.solve(node, ROUNDS, best.enough())
        bound = node.dual.bound
        now = min(bound, given_up, heap[0][0] if heap else np.inf)
        if now > low:
            low = now
            told(None, min(low, best.value))
        choice = _site(lp, node, look)
        if choice is None:
            best.take(diving.read(lp, look))
        wait = max(0, idle - DIVES) if choice is None else AGAIN * max(1, idle - DIVES)
        if bound < best.enough() and (done == 1 or done - dived >= wait):
            dived, sure = done, diving.SURE[idle % len(diving.SURE)]
            found = diving.plan_from(lp, node, look, best.plan, sure=sure, enough=best.enough(), clock=clock)
            idle = 0 if best.take(found) else idle + 1
        children = _children(node, choice, look) if choice is not None else _pair(lp, node, look)
        if bound >= best.enough() or children is None:  # nothing better, or nothing left to decide
            given_up, node = min(given_up, bound), None
            continue
        node, other = children
        heapq.heappush(heap, (bound, ticket, other))
        ticket += 1
    low = min(given_up, heap[0][0] if heap else np.inf, best.value)
    proven = low >= best.value - (lp.step - 0.5)  # a better plan would be better by a step
    complete = low >= best.enough()
    return PricedResult(best.plan if best.better else None, best.value, best.value if proven else low, complete, done)


def groups(problem: Problem) -> Bools:
    """(G, J) buildings that cost the same and have as much room; and all that cost at least as much, for some costs."""
    free = ~problem.must_open & ~problem.must_close
    alike = np.column_stack([problem.site_cost, problem.site_capacity])[free]
    kinds, size = np.unique(alike, axis=0, return_counts=True)
    cost_, room = problem.site_cost, problem.site_capacity
    found = [free & (cost_ == kind[0]) & (room == kind[1]) for kind in kinds[size > 1]]
    if free.any():
        levels = np.unique(np.quantile(cost_[free], LEVELS, method="lower"))
        found += [free & (cost_ >= level) for level in levels.tolist()]
    found = [each for each in found if each.sum() > 1]
    return np.unique(np.array(found), axis=0) if found else np.zeros((0, problem.n_sites), dtype=bool)


def _site(lp: NodeMaster, node: PricedNode, look: Look) -> int | None:
    """The building or group to branch on: that most in doubt for its cost; None where all are whole."""
    part = look.opened - np.floor(look.opened)
    doubt = np.minimum(part, 1.0 - part)
    doubt[(doubt < WHOLE) | (node.lower == node.upper)] = 0.0
    price = np.abs(lp.problem.site_cost).astype(float)
    mean = (lp.groups @ price) / np.maximum(lp.groups.sum(axis=1), 1)
    weight = doubt * np.maximum(np.concatenate([price, mean]), 1.0)
    return int(weight.argmax()) if weight.max(initial=0.0) > 0.0 else None


def _children(node: PricedNode, at: int, look: Look) -> tuple[PricedNode, PricedNode]:
    """Fewer and more of it; first the one that the programme is nearer to."""
    part = look.opened[at]
    lower, upper = node.lower.copy(), node.upper.copy()
    lower[at], upper[at] = np.ceil(part - WHOLE), np.floor(part + WHOLE)
    fewer = replace(node, upper=upper)
    more = replace(node, lower=lower)
    return (more, fewer) if part - np.floor(part) >= 0.5 else (fewer, more)


def _pair(lp: NodeMaster, node: PricedNode, look: Look) -> tuple[PricedNode, PricedNode] | None:
    """A point in a building or not: the one most in doubt."""
    there = look.used @ look.member
    doubt = np.minimum(there, 1.0 - there)
    at = int(doubt.argmax()) if len(doubt) else 0
    if not len(doubt) or doubt[at] < WHOLE:
        return None
    with_it, without = _bar(lp, node, at, fix=True), _bar(lp, node, at, fix=False)
    return (with_it, without) if there[at] >= 0.5 else (without, with_it)


def _bar(lp: NodeMaster, node: PricedNode, slot: int, *, fix: bool) -> PricedNode:
    """A point only in one building, or not there."""
    barred = node.barred.copy()
    if fix:
        barred |= lp.core.slot_point == lp.core.slot_point[slot]
        barred[slot] = node.barred[slot]
    else:
        barred[slot] = True
    return replace(node, barred=barred)
