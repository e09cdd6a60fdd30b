"""Share rules ("95% of people within the limit"): plans and their proof.

    reduction -> multipliers -> sets -> dives -> odd cuts -> dives -> neighbourhoods -> sets again -> odd cuts -> branch and bound

* **Reduction** (:mod:`estate.solve.reduce.items`): equal items merged, what may not be missed made a cover row.
* **Multipliers** by column generation in a box (:mod:`estate.solve.columns.boxstep`): the best there are, so the lists of
  sets are short.
* **Sets** (:mod:`estate.solve.columns.patterns`) are listed at these multipliers.
* **Dives** take what the linear programme (:mod:`estate.solve.shares.offers`) nearly says, before and after a few cuts.
* **Neighbourhoods** (:func:`.decompose.blocks.inside`) of each dive's plan, the cheapest first, are solved the same way:
  inside one, what may still be missed is what the rest of the plan leaves, so most items become cover rows or vanish.
* **Odd cuts** (:mod:`estate.solve.shares.rounding_cuts`) of points, sites, cover rows and items.
* **Sets again**: with the cuts' prices a set ``S`` at ``j`` is in no plan cheaper than ``bound + reduced_S - min_j``; those for
  which this is more than the best plan are left out before anything else is done with them.
* **Branch and bound** (:mod:`estate.solve.shares.strong_branching`), over the cuts that bind.

What was tried for plans and was no better, and the figures behind the constants: `scripts/bench/NOTES.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from estate.model.arrays import MONEY
from estate.problem import Ints, Problem, Solution, cost, offer_columns
from estate.solve import reduce
from estate.solve.columns import patterns
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import Core, core, is_pure
from estate.solve.columns.lagrangian import Dual, ascend, evaluate
from estate.solve.columns.patterns import Patterns
from estate.solve.decompose import blocks, greedy_drop
from estate.solve.shares.offers import OfferMaster, linked
from estate.solve.shares.rounding_cuts import OddCut
from estate.solve.shares.separation import odd_cuts
from estate.solve.shares.strong_branching import Tree
from estate.solve.watch import NEVER, Clock

BALL = 28
"""Sites of a neighbourhood."""
FEW = 250_000
"""Sets of the first lists: with fewer, the neighbourhoods of a plan end at worse ones."""
NEAR = 1.03
"""A plan is rarely further above the multipliers' bound than this when it is good."""
LARGE = 400
"""Sites above which neighbourhoods come before the dives: there they close the gap sooner."""
FIRST = 3
"""Rounds of cuts before the dives."""
MANY = 250_000
"""Most sets branched over."""


@dataclass(frozen=True, slots=True)
class ShareEffort:
    """How hard to try: all of it counted, none of it timed (the clock apart)."""

    gap: float = 0.0
    iterations: tuple[int, int, int] = (100, 0, 0)
    climbs: int = 60
    """Rounds of column generation in a box, at most."""
    sets: int = 2_000_000
    """Most sets listed."""
    rounds: int = 16
    """Rounds of cuts."""
    thirds: bool = True
    """Whether cuts are made of thirds of rows, too."""
    nodes: int = 50_000
    candidates: int = 10
    """Decisions measured at a node, at most."""
    dives: tuple[float, ...] = (0.9, 0.95, 0.8)
    """How sure the linear programme must be of what a dive takes at once: a dive before the cuts, the others after a few."""
    sweeps: int = 3
    """Sweeps of neighbourhoods, at most."""
    clock: Clock = NEVER
    seed: int = 0
    saw: Callable[[Solution | None, float], object] | None = None
    """Told of each better plan and bound (pence)."""

    def over(self) -> bool:
        """Whether the clock or the user says stop."""
        return self.clock.over() is not None

    def tell(self, plan: Solution | None, bound: float) -> None:
        """Pass on what is known."""
        if self.saw is not None:
            self.saw(plan, bound)


PART = ShareEffort(gap=1e-3, sets=250_000, rounds=3, thirds=False, nodes=40, dives=(0.9, 0.9), sweeps=0)
"""For a neighbourhood."""


@dataclass(frozen=True, slots=True)
class ShareResult:
    """The best plan, its value and a bound, pence."""

    plan: Solution
    value: int
    bound: float
    proven: bool
    """The search ended by itself: the plan is within the gap asked for of the optimum."""
    nodes: int


def solve(problem: Problem, effort: ShareEffort, *, plan: Solution) -> ShareResult:
    """The best plan of a problem with share rules, and its bound.

    Parameters
    ----------
    plan
        A plan to begin with: today's estate.

    Raises
    ------
    ValueError
        If the problem has rules that the core leaves out (:func:`estate.solve.columns.core.is_pure`).
    """
    if not is_pure(problem):
        raise ValueError("share rules are solved beside cover rows only")
    small = reduce.tighten(problem)
    plan = greedy_drop.drop(small.problem, core(small.problem), small.into(plan))
    effort.tell(plan, -np.inf)
    return _prove(small.problem, plan, effort)


@dataclass(slots=True)
class _State:
    """A proof under way."""

    problem: Problem
    links: Problem
    core: Core
    """Of ``links``."""
    plan: Solution
    value: int
    dual: Dual
    """The best multipliers of points and links, and what they and the rules' prices prove."""
    bound: float

    def take(self, plan: Solution, effort: ShareEffort) -> None:
        """A plan, if it is better."""
        if cost(self.problem, plan) < self.value:
            self.plan, self.value = plan, cost(self.problem, plan)
            effort.tell(plan, self.bound)


def _prove(problem: Problem, plan: Solution, effort: ShareEffort) -> ShareResult:
    """A tightened problem by sets, cuts, dives and branch and bound."""
    value = cost(problem, plan)
    whole = core(problem)
    first = ascend(whole, float(value), iterations=effort.iterations)
    if value > NEAR * first.bound:  # steps were too long: the plan is far above the optimum
        again = ascend(whole, NEAR * first.bound, iterations=effort.iterations, start=(first.point, first.row))
        first = max(first, again, key=lambda dual: dual.bound)
    effort.tell(None, first.bound)
    first = climb(problem, whole, first, plan=plan, rounds=effort.climbs, over=effort.over)
    effort.tell(None, first.bound)
    links = linked(problem)
    link_core = core(links)
    dual = _by_link(problem, links, whole, link_core, first)
    state = _State(problem, links, link_core, plan, value, dual, first.bound)
    if _close(state, effort):
        return _result(state, effort, 0)
    left = max(problem.n_sites // 4, 1) if effort.sweeps and problem.n_sites > BALL else 0
    if problem.n_sites > LARGE:
        left -= _improved(state, state.plan, effort, left)
    few = min(FEW, effort.sets)
    lp, limit = _listed(state, few, effort)
    starts = _dive(state, lp, effort, effort.dives[:1])
    _cut(state, lp, limit, replace(effort, rounds=min(effort.rounds, FIRST), thirds=False))
    starts += _dive(state, lp, effort, effort.dives[1:])
    for start in sorted(starts, key=lambda plan: cost(problem, plan)) or [state.plan]:
        if left <= 0:
            break
        left -= _improved(state, start, effort, left)
    if effort.sets > few and not effort.over() and not _close(state, effort):
        lp, limit = _filtered(state, lp, effort)
        _cut(state, lp, limit, effort)
        lp = _lean(state, lp, effort)
    return _branched(state, lp, limit, effort)


def _improved(state: _State, plan: Solution, effort: ShareEffort, most: int) -> int:
    """Each neighbourhood of a plan in turn rearranged, until a sweep brings nothing or ``most`` were; returns how many."""
    problem = state.problem
    near = blocks.links(problem)
    rng = np.random.default_rng(effort.seed)
    part_effort = replace(PART, clock=effort.clock)
    done = 0
    for _ in range(effort.sweeps):
        before = cost(problem, plan)
        seen = np.zeros(problem.n_sites, dtype=bool)
        for j in rng.permutation(problem.n_sites).tolist():
            if seen[j]:
                continue
            if done >= most or effort.over() or _close(state, effort):
                return done
            sites = blocks.ball(near, j, BALL)
            seen[sites] = True
            part = blocks.inside(problem, plan, sites)
            if not len(part.points):
                continue
            done += 1
            here = Solution(plan.open[sites], np.searchsorted(sites, plan.host[part.points]))
            small = reduce.tighten(part.problem)
            found = _prove(small.problem, small.into(here), part_effort)
            if found.value < cost(part.problem, here):
                plan = blocks.merged(plan, part, found.plan)
                state.take(plan, effort)
        if cost(problem, plan) == before:
            break
    return done


def _close(state: _State, effort: ShareEffort) -> bool:
    return state.value - state.bound <= max(effort.gap * state.value, 0.5)


def _result(state: _State, effort: ShareEffort, nodes: int) -> ShareResult:
    proven = _close(state, effort)
    bound = float(state.value) if proven and effort.gap == 0.0 else min(state.bound, float(state.value))
    return ShareResult(state.plan, state.value, bound, proven, nodes)


def _dive(state: _State, lp: OfferMaster, effort: ShareEffort, sures: tuple[float, ...]) -> list[Solution]:
    """The plans of dives from the root, each of them free to end above the best."""
    plans = []
    for sure in sures:
        if effort.over():
            break
        tree = Tree(lp, (state.value + max(abs(state.value), 1)) * MONEY, effort.over)
        chosen = tree.dive(sure=sure)
        if chosen is not None:
            plans.append(_read(state, lp, chosen))
            state.take(plans[-1], effort)
        tree.ascend()
    return plans


def _read(state: _State, lp: OfferMaster, chosen: Ints) -> Solution:
    x = np.zeros(len(lp.site))
    x[chosen] = 1.0
    return patterns.read(state.links, state.core, lp.found, x)


def _by_link(problem: Problem, links: Problem, whole: Core, link_core: Core, dual: Dual) -> Dual:
    """Multipliers of rows and items, added up by link; what they prove is unchanged."""
    cover = links.cover
    owner = np.repeat(np.arange(len(whole.offer_start) - 1), np.diff(whole.offer_start))
    by_offer = np.bincount(owner, dual.row[whole.offer_row], len(whole.offer_start) - 1)
    offer = np.flatnonzero(cover.excuse < 0)
    place = np.full((problem.n_services, problem.n_sites), -1)
    given = offer_columns(problem)
    place[given[:, 0], given[:, 1]] = np.arange(len(given))
    price = np.zeros(len(cover))
    price[offer] = by_offer[place[cover.service[offer], cover.site]]
    asked = np.flatnonzero(problem.cover.excuse >= 0)
    at = len(offer) + np.searchsorted(cover.excuse[len(offer) :], problem.cover.excuse[asked])
    np.add.at(price, at, dual.row[asked])
    return replace(evaluate(link_core, dual.point, price), bound=dual.bound)


def _listed(state: _State, most: int, effort: ShareEffort) -> tuple[OfferMaster, float]:
    """The solved programme over the sets within reach of the plan, or of as much above the bound as ``most`` sets allow.

    Also returns that limit: the sets are all that a plan cheaper than it can use.
    """
    found, limit = _sets(state, most)
    lp = OfferMaster(state.problem, state.links, state.core, patterns.with_plan(state.links, state.core, found, state.plan))
    lp.solve(effort.over)
    return lp, limit


def _sets(state: _State, most: int) -> tuple[Patterns, float]:
    spare = max(state.value - state.dual.bound, 0.0)
    found, spare = patterns.within(state.links, state.core, state.dual, spare, most)
    return found, state.dual.bound + spare


def _filtered(state: _State, lp: OfferMaster, effort: ShareEffort) -> tuple[OfferMaster, float]:
    """The programme over every set that the cuts' prices do not rule out."""
    found, limit = _sets(state, effort.sets)
    found = patterns.with_plan(state.links, state.core, found, state.plan)
    binding = _binding(lp)
    every = OfferMaster(state.problem, state.links, state.core, found, binding)
    every.solve(effort.over)
    least = every.bound + every.excess()
    top = (state.value + 1e-9 * max(abs(state.value), 1)) * MONEY  # with room for the rounding of sums
    kept = np.flatnonzero((least <= top) | np.isinf(found.least))
    if len(kept) > MANY:
        kept = np.sort(kept[np.argsort(least[kept], kind="stable")[:MANY]])
        limit = min(limit, float(least[kept].max()) / MONEY)
        kept = np.union1d(kept, np.flatnonzero(np.isinf(found.least)))
    elif len(kept) > 0.7 * len(found.site):
        return every, limit
    size = np.diff(found.start)[kept]
    start = np.concatenate([[0], np.cumsum(size)])
    slot = found.slot[np.repeat(found.start[kept] - start[:-1], size) + np.arange(start[-1])]
    order = np.where(np.isinf(found.least[kept]), np.inf, least[kept])
    fewer = Patterns(found.site[kept], start.astype(np.int64), slot, order, found.shut, found.dearest)
    less = OfferMaster(state.problem, state.links, state.core, fewer, binding)
    less.solve(effort.over)
    return less, limit


def _binding(lp: OfferMaster) -> list[OddCut]:
    return [cut for cut, row in zip(lp.odd, lp.odd_row, strict=True) if abs(lp.y[row]) > 1e-7]


def _lean(state: _State, lp: OfferMaster, effort: ShareEffort) -> OfferMaster:
    """The programme without the cuts that do nothing: two thirds of them, and a quarter of a node's time."""
    lean = OfferMaster(state.problem, state.links, state.core, lp.found, _binding(lp))
    lean.solve(effort.over)
    return lean


def _cut(state: _State, lp: OfferMaster, limit: float, effort: ShareEffort) -> None:
    """Rounds of odd cuts: halves, then thirds too, while a round brings a fiftieth of what the rounds before it did."""
    best = state.value * MONEY
    begun = lp.bound
    divisors: tuple[int, ...] = (2,)
    for _ in range(effort.rounds):
        before = lp.bound
        if effort.over() or lp.bound >= best:
            break
        found = odd_cuts(lp, divisors)
        for cut in found:
            lp.cut(cut)
        lp.solve(effort.over)
        state.bound = max(state.bound, min(lp.bound / MONEY, limit))
        effort.tell(None, state.bound)
        rise = lp.bound - before
        if rise < 0.1 * (lp.bound - begun) and effort.thirds:
            divisors = (2, 3)
        if not found or rise < 0.02 * (lp.bound - begun):
            break
    state.bound = max(state.bound, min(lp.bound / MONEY, limit))


def _branched(state: _State, lp: OfferMaster, limit: float, effort: ShareEffort) -> ShareResult:
    """Branch and bound."""

    def saw(chosen: Ints | None, bound: float) -> None:
        if chosen is not None:
            state.take(_read(state, lp, chosen), effort)
        state.bound = max(state.bound, min(bound / MONEY, limit))
        effort.tell(None, state.bound)

    tree = Tree(lp, state.value * MONEY, effort.over, candidates=effort.candidates)
    found = tree.search(gap=effort.gap, least=0.5 * MONEY, nodes=effort.nodes, saw=saw)
    saw(None, found.bound)
    return _result(state, effort, found.nodes)
