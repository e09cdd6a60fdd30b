"""Single-source location and p-median, proven by branch and bound on the Lagrangian.

At each node: ascend from the parent's multipliers (:mod:`estate.solve.single_source.lagrangian`), fix what forced bounds fix
(:mod:`.single_source.fixing`), look for a plan nearby (:mod:`.single_source.rounding`), and split.  A site is
split open and closed; once the ascent is sure of the sites, a client's sites are split into the one it mostly chose and the
others.  The node of least bound comes next, so the least bound is the whole tree's.  Nothing is drawn at random: a run repeats
exactly.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from estate.problem import Bools, Floats, Ints, Problem, Solution, violations
from estate.solve import watch
from estate.solve.answer import value_of
from estate.solve.reduce.narrow import without_pairs
from estate.solve.single_source.fixing import fix
from estate.solve.single_source.instance import NEVER, Location, first_state, location, plan, suits
from estate.solve.single_source.knapsack import GRAIN, labels
from estate.solve.single_source.lagrangian import ClientLists, Scratch, ascend, list_pairs, scratch
from estate.solve.single_source.rounding import round_off

__all__ = ["SingleSourceResult", "narrow", "solve", "suits"]

ANYTHING = 1e300
"""The cutoff before there is a plan: only what is infeasible exceeds it."""
DECIDED = 0.05
"""A site that the ascent opened in so few, or all but so few, of its last steps is not split before a client is."""


SHORTER = 0.66
"""Each round of ascent begins with steps so much shorter than the one before."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to work at a node."""

    rounds: int
    """Most times to ascend and fix."""
    turns: int
    """Steps of an ascent."""
    patience: int
    """Steps without a better bound after which they get shorter."""
    scale: float
    """Length of the first ones (Held, Wolfe and Crowder 1974)."""


ROOT = Pace(rounds=5, turns=120, patience=10, scale=1.0)
NODE = Pace(rounds=2, turns=25, patience=6, scale=0.8)


@dataclass(frozen=True, slots=True)
class SingleSourceResult:
    """The end of a search; values in the problem's own units (pence, or metres times people)."""

    ended: str
    """``proven``, ``infeasible`` (that is proven too), ``gap``, ``time``, ``work`` or ``interrupt``."""
    solution: Solution | None
    value: int | None
    bound: float
    """No plan is worth less; infinite where it is proven that there is none."""
    nodes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """What is left to decide: ``state`` (J,) of sites, pairs still possible (packed), multipliers to start from."""

    state: Ints
    alive: NDArray[np.uint8]
    u: Floats


@dataclass(slots=True)
class _Tree:
    """A search: its best plan and the nodes that are open."""

    place: Location
    work: Scratch
    root: Ints
    gap: float
    over: Callable[[], str | None]
    """Why to stop now, if at all."""
    value: float = math.inf
    opened: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    host: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    heap: list[tuple[float, int, _Node]] = field(default_factory=list)
    made: int = 0

    def cutoff(self) -> float:
        """Nothing with a bound above this is wanted: a better plan is better by a whole step."""
        if not math.isfinite(self.value):
            return ANYTHING
        return self.value - max(self.place.step, self.gap * abs(self.value))

    def bound(self) -> float:
        """What no plan is worth less than: the least of the open nodes, and of what exceeded the cutoff, in whole steps."""
        step = self.place.step
        waits = self.heap[0][0] if self.heap else math.inf
        least = math.ceil(waits / step) * step if math.isfinite(waits) else waits
        if not math.isfinite(self.value):
            return least
        return min(least, self.value, (math.floor(self.cutoff() / step) + 1) * step)

    def take(self, value: float, opened: Bools, host: Ints) -> None:
        """Keep a plan if it is better."""
        if value < self.value:
            self.value, self.opened, self.host = value, opened, host

    def near(self, lists: ClientLists, *, thorough: bool) -> None:
        """A plan near what was last relaxed."""
        opened, host = np.zeros(len(self.root), dtype=bool), np.zeros(self.place.cost.shape[1], dtype=np.int64)
        value = round_off(self.place, lists, self.root, self.work, opened, host, thorough)
        self.take(value, opened, host)

    def visit(self, bound: float, state: Ints, alive: Bools, u: Floats, pace: Pace) -> None:
        """Bound, fix, round and split one node; its arrays are used up."""
        place, work = self.place, self.work
        root = pace is ROOT
        if not _room(place, state):
            return
        for turn in range(pace.rounds):
            lists = list_pairs(alive)
            if not lists.number.all():
                return
            scale = pace.scale * SHORTER**turn
            reached = ascend(place, lists, state, u, self.value, pace.turns, scale, pace.patience, self.cutoff(), work)
            opening, share = work.opening.copy(), work.share[: len(lists.who)].copy()
            if reached <= self.cutoff():
                reached, sites, pairs = fix(place, lists, state, alive, u, self.cutoff(), work)
            if reached <= self.cutoff():
                self.near(lists, thorough=root)
            bound = max(bound, reached)
            if bound > self.cutoff():
                return
            if (not root and not sites and pairs < len(lists.who) // 10) or self.over() is not None:
                break
        self.split(bound, state, alive, u, lists, opening, share)

    def split(
        self, bound: float, state: Ints, alive: Bools, u: Floats, lists: ClientLists, opening: Floats, share: Floats
    ) -> None:
        """Two nodes for one, by what the ascent was least sure of."""
        doubt = np.where(state == 0, np.minimum(opening, 1.0 - opening), -1.0)
        j = int(doubt.argmax())
        if doubt[j] > DECIDED:
            for to in (1, -1):
                child = state.copy()
                child[j] = to
                rest = alive.copy()
                rest[j] &= to > 0
                self.push(bound, child, rest, u)
            return
        many = alive.sum(axis=0) > 1
        if not many.any():
            return  # one plan is left, and it has been rounded off
        # By client: how much of it the ascent had at each site; it is in doubt where that is much at several, or none at all.
        there = np.zeros(alive.shape)
        site = np.repeat(np.arange(len(state)), np.diff(lists.first))
        there[site, lists.who] = share * opening[site]
        there = np.where(alive, there, -1.0)
        most = there.max(axis=0)
        unplaced = np.abs(1.0 - np.maximum(there, 0.0).sum(axis=0))
        unsure = np.minimum(most, 1.0 - most) + 0.5 * unplaced
        s = int(np.where(many, unsure, -np.inf).argmax())
        first = int(there[:, s].argmax())
        for here in (True, False):
            child, rest = state.copy(), alive.copy()
            rest[:, s] &= (np.arange(len(state)) == first) == here
            if here:
                child[first] = 1
            self.push(bound, child, rest, u)

    def push(self, bound: float, state: Ints, alive: Bools, u: Floats) -> None:
        """Keep a node for later."""
        self.made += 1
        heapq.heappush(self.heap, (bound, self.made, _Node(state, np.packbits(alive), u.copy())))


def solve(
    problem: Problem,
    *,
    gap: float = 0.0,
    clock: watch.Clock = watch.NEVER,
    nodes: int | None = None,
    start: Solution | None = None,
    saw: Callable[[Solution | None, float], None] | None = None,
) -> SingleSourceResult:
    """The best plan of a problem that :func:`suits`, and how good it is proven to be.

    ``start`` is a plan to better.  ``saw`` is told the best plan and the bound after every node that moved either.

    Raises
    ------
    ValueError
        When the problem is not of this kind.
    """
    if not suits(problem):
        raise ValueError("not single-source location: see estate.solve.single_source.instance")
    place = location(problem)
    J, S = place.cost.shape
    state = first_state(problem)
    alive = (place.cost < NEVER) & (state >= 0)[:, None]

    tree = _Tree(place, scratch(J, S, labels()), state.copy(), gap, clock.over)
    if start is not None and not violations(problem, start):
        tree.take(value_of(problem, start), start.open, start.host)
    if not (problem.must_open & problem.must_close).any():
        tree.push(-math.inf, state, alive, _first_multipliers(place, alive))

    visited, ended, told = 0, None, (math.inf, -math.inf)
    while tree.heap and tree.heap[0][0] <= tree.cutoff():
        if visited:
            ended = clock.over() or ("work" if nodes is not None and visited >= nodes else None)
        if ended is not None:
            break
        bound, _, node = heapq.heappop(tree.heap)
        alive = np.unpackbits(node.alive, count=J * S).reshape(J, S).astype(bool)
        tree.visit(bound, node.state, alive, node.u, NODE if visited else ROOT)
        visited += 1
        if saw is not None and (tree.value, tree.bound()) != told:
            told = (tree.value, tree.bound())
            saw(_plan(problem, tree), told[1])
    best, bound = _plan(problem, tree), tree.bound()
    if best is None:
        return SingleSourceResult(ended or "infeasible", None, None, bound, visited)
    ended = "proven" if bound >= tree.value else ended or "gap"
    return SingleSourceResult(ended, best, int(tree.value), bound, visited)


def narrow(problem: Problem, value: int) -> Problem:
    """The problem without the pairs, and with the sites decided, that no plan worth ``value`` or less can have otherwise.

    The same bounds as the search's, at its root: for :func:`estate.solve.ties.settle`, and for HiGHS on what is left.
    """
    place, state = location(problem), first_state(problem)
    alive = (place.cost < NEVER) & (state >= 0)[:, None]
    work, u = scratch(problem.n_sites, place.cost.shape[1], labels()), _first_multipliers(place, alive)
    for turn in range(ROOT.rounds):
        lists = list_pairs(alive)
        if not lists.number.all():
            break
        ascend(place, lists, state, u, float(value), ROOT.turns, ROOT.scale * SHORTER**turn, ROOT.patience, math.inf, work)
        bound, sites, pairs = fix(place, lists, state, alive, u, float(value), work)
        if bound > value or sites + pairs < len(lists.who) // 20:
            break
    decided = replace(problem, must_open=problem.must_open | (state > 0), must_close=problem.must_close | (state < 0))
    return without_pairs(decided, ~alive[problem.pair_site, problem.pair_point])


def _room(place: Location, state: Ints) -> bool:
    """Whether the sites that may be open together have room for everybody: the sites decided, and the largest of the others."""
    opened = state > 0
    more = place.most - int(opened.sum())
    largest = np.sort(place.capacity[state == 0])[::-1][: max(more, 0)]
    return more >= 0 and bool(place.capacity[opened].sum() + largest.sum() >= place.demand.sum())


def _first_multipliers(place: Location, alive: Bools) -> Floats:
    """Between each client's two cheapest sites."""
    two = np.sort(np.where(alive, place.cost, np.inf), axis=0)[:2]
    u = np.where(np.isfinite(two), two, two[:1]).mean(axis=0)
    rounded: Floats = np.round(np.where(np.isfinite(u), u, 0.0) / GRAIN) * GRAIN
    return rounded


def _plan(problem: Problem, tree: _Tree) -> Solution | None:
    return plan(problem, tree.opened, tree.host) if math.isfinite(tree.value) else None
