"""The engine: plans and proofs from a town to the nation, building by building.

    reduction -> greedy drop -> independent parts, twins as one -> prices -> neighbourhoods
      -> columns and the rest to the end, or blocks with priced borders and neighbourhoods, ever larger

Each stage is in a room of its own (:mod:`~estate.solve.reduce`, :mod:`~estate.solve.decompose`, :mod:`~estate.solve.columns`,
:mod:`~estate.solve.shares`); this module is their order.  It depends on the instance, part by part:

* share rules without side rows have a way of their own (:mod:`estate.solve.shares.search`);
* where floor areas are of few kinds, as in registers, points are counted by kind (:mod:`estate.solve.columns.fillings`), up to
  :data:`COUNTED` host pairs and with any further rules: West Yorkshire (reach 5 miles, 397 buildings) is proven in 14 s of CPU;
* where sets tie without end, as in towns in round figures, neighbourhoods and then the whole are searched by branch and price
  (:mod:`estate.solve.columns.branch_and_price`);
* up to :data:`WHOLE` sites the problem is solved by columns and branch and bound, and what they leave by HiGHS
  (:mod:`estate.solve.columns.compact`): proof is the aim; with side rows or rules on two services these and ever larger
  neighbourhoods take turns;
* beyond, neighbourhoods of :data:`SIZES` sites are rearranged, those first where plan and bound disagree most
  (:mod:`.decompose.neighbourhoods`), and the bound is the better of the Lagrangian's and the sum over blocks.  Then both grow
  (:data:`GROW`), round after round, until one block is the whole.

It ends when the gap asked for is proven or a limit was reached, never by itself.  Bounds are only ever raised by what was
proven, plans only replaced by better ones that :func:`estate.problem.violations` finds nothing wrong with.  Work is counted in
neighbourhoods, blocks and nodes, so a run under a work limit repeats exactly.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from estate.model import Measure, formulate
from estate.problem import Floats, Goal, Problem, Solution, cost, step, violations
from estate.solve import reduce
from estate.solve.columns import branch_and_price, compact, diving, enumeration, fillings, patterns, side_rows
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import Core, core, is_pure
from estate.solve.columns.lagrangian import Dual, ascend
from estate.solve.decompose import blocks, components, greedy_drop, neighbourhoods
from estate.solve.decompose.neighbourhoods import Sweep
from estate.solve.reduce import twins
from estate.solve.shares import search as shares
from estate.solve.watch import NEVER, Clock

WHOLE = 250
"""Most sites solved whole."""
COUNTED = 150_000
"""Most host pairs of a place in which points are counted by kind."""
BALL = 40
"""Sites of a neighbourhood where the whole is solved in the end."""
SIZES = (30, 50, 80)
"""Sites of neighbourhoods, by attempt, where it is not."""
TIED = (60, 100)
"""The same where sets tie without end (:mod:`estate.solve.columns.branch_and_price`)."""
ROUND = 10_000
"""Pence by which plans differ, or a multiple: where it is as much, a few nodes of branch and price come first of all."""
FIRST_NODES = 20
"""So many: a town in round figures is proven with them in a third of the time that lists of sets take."""
AT_ONCE = 150
"""Sites up to which such a place is searched as one from the start."""
EACH = 300
"""Sets of each building that a first look at a neighbourhood takes: some of each, with a dive, lead further than
the sets nearest the bound."""
BLOCK = 60
"""Sites of a block of the bound."""
GROW = 1.6
"""How much larger neighbourhoods and blocks are in each further round."""
TOGETHER = 3_000
"""Most sites whose multipliers are found in one programme."""
COARSE = (100, 0, 0)
"""Subgradient iterations that bring the multipliers near enough for column generation."""
FINER = (60, 120, 0)
"""Those for a place in parts, whose borders keep these multipliers for a while."""
EARLY = 10
"""Rounds of column generation that tell whether sets tie without end, and give a first plan where they do."""
FIRST, SECOND = 0.1, 0.6
"""Shares of the time by which neighbourhoods at coarse multipliers, and at the best, make way for the bound."""
LOOKS = 40
"""How often HiGHS may look up (:func:`estate.solve.highs.run`) on what the columns of a neighbourhood or a block leave open.

Large places begin without: on a conurbation a first round of them costs more than it brings."""
NODES = 300
"""Nodes that the columns of a place below :data:`WHOLE` have at first."""
TURN = 60
"""Looks of HiGHS in the first turn of a part beside which others are open."""
MORE = 4
"""How much more each way has the next time round."""
EACH_WORK = 5
"""Looks of HiGHS that count as one neighbourhood."""

type Told = Callable[[Solution | None, float], object]


@dataclass(slots=True)
class EngineRun:
    """Where a run stands: the plan in hand, its value and the bound, and when to stop."""

    gap_wanted: float
    clock: Clock
    step: int = 1
    """Pence that divide every plan's cost (:func:`estate.problem.step`)."""
    work_limit: int | None = None
    seed: int = 0
    told: Told | None = None
    """Told of every better plan and bound."""
    began: float = 0.0
    plan: Solution | None = None
    value: int | None = None
    bound: float = -np.inf
    work: int = 0
    looks: int | None = None
    """How often HiGHS may look up on counts by kind, where other parts wait for their turn (None: to the end)."""

    def saw(self, problem: Problem, plan: Solution | None, bound: float = -np.inf) -> bool:
        """Take a plan if it is better and keeps every rule, a bound if it is higher; whether the plan was taken."""
        taken = False
        if plan is not None and (self.value is None or cost(problem, plan) < self.value) and not violations(problem, plan):
            self.plan, self.value, taken = plan, cost(problem, plan), True
        raised = bound > self.bound
        self.bound = max(self.bound, bound)
        if (taken or raised) and self.told is not None and self.plan is not None:
            self.told(self.plan, self.bound)
        return taken

    def close(self) -> bool:
        """Whether the gap asked for is proven; less than a step of the costs is none."""
        return self.proven() or (self.value is not None and self.value - self.bound <= self.gap_wanted * abs(self.value))

    def proven(self) -> bool:
        """Whether no plan can be better: one that is would be better by a step."""
        return self.value is not None and self.value - self.bound < enumeration.STEP * self.step

    def over(self) -> str | None:
        """Why to stop now, if at all."""
        if self.close():
            return "gap"
        if (reason := self.clock.over()) is not None:
            return reason
        return "work" if self.work_limit is not None and self.work >= self.work_limit else None

    def within(self, due: float, part: Problem, plan: Solution, bound: float, told: Told) -> EngineRun:
        """A run on a part, with the share of time and work that is due to it of what is left."""
        work = None if self.work_limit is None else math.ceil(max(self.work_limit - self.work, 0) * due)
        return EngineRun(
            self.gap_wanted, self.clock.share(due), step(part), work, self.seed, told, time.monotonic(), plan, cost(part, plan),
            bound,
        )  # fmt: skip


def suits(problem: Problem) -> bool:
    """Whether the engine is for this problem: the goal is cost, it has points, and today's estate is a plan."""
    there = problem.goal is Goal.COST and problem.n_points > 0 and problem.today is not None
    return there and problem.today is not None and not violations(problem, problem.today)


def run(
    problem: Problem,
    *,
    gap: float = 0.0,
    clock: Clock = NEVER,
    work: int | None = None,
    seed: int = 0,
    told: Told | None = None,
) -> EngineRun:
    """The best plan of a problem that :func:`suits`, and a bound: where the search stood when it was over."""
    if problem.today is None:
        raise ValueError("the engine starts from a plan: today's estate")
    state = EngineRun(gap, clock, step(problem), work, seed, told, time.monotonic())
    state.saw(problem, problem.today, _least(problem))
    small = reduce.tighten(side_rows.of_one_size(problem)).problem
    if small.today is None:
        raise ValueError("the engine starts from a plan that survives the reductions")
    state.saw(problem, small.today)
    state.saw(problem, greedy_drop.drop(small, core(small), small.today))
    _apart(problem, components.components(small, ties=False), state)
    return state


def _apart(problem: Problem, parts: list[blocks.Part], state: EngineRun) -> None:
    """Independent parts one after the other, the smallest first; the bound is the sum of theirs.

    Each has its share of the time and work that is left.  Parts that end early leave theirs to those still open, which go on
    from their plan in hand.
    """
    sure = [components.decided(part.problem) for part in parts]
    bounds = np.array([
        _least(part.problem) if plan is None else float(cost(part.problem, plan))
        for part, plan in zip(parts, sure, strict=True)
    ])  # fmt: skip
    open_ = [i for i in range(len(parts)) if sure[i] is None]  # of the others the plan in hand has what must be
    turn = TURN
    while open_ and state.over() is None:
        until = np.cumsum([parts[i].problem.n_pairs for i in open_])
        state.looks, turn = turn if len(open_) > 1 else None, turn * MORE
        proven = [_part(problem, parts[i], state, bounds, i, parts[i].problem.n_pairs / max(int(t), 1))
                  for i, t in reversed(list(zip(open_, until, strict=True)))]  # fmt: skip
        open_ = [i for i, done in zip(open_, reversed(proven), strict=True) if not done]
    state.saw(problem, None, float(bounds.sum()))


def _part(problem: Problem, part: blocks.Part, state: EngineRun, bounds: Floats, i: int, due: float) -> bool:
    """The ``i``-th part, twins as one, in the share that is due to it of what is left; whether the gap asked for is proven."""
    if state.plan is None:
        return False
    joint = twins.together(part.problem)

    def relay(plan: Solution | None, bound: float) -> None:
        bounds[i] = max(bounds[i], bound)
        if state.plan is not None and plan is not None:
            found = plan if joint is None else joint.out(plan)
            state.saw(problem, blocks.merged(state.plan, part, found), float(bounds.sum()))

    inner, here = part.problem, components.share_of(state.plan, part)
    if joint is not None:
        inner, here = joint.problem, joint.into(here)
    within = state.within(due, inner, here, float(bounds[i]), relay)
    within.looks = state.looks
    relay(here, float(bounds[i]))  # bringing twins together may have paid
    _solve(inner, within)
    if within.proven() and within.value is not None:
        relay(within.plan, float(within.value))
    state.work += max(within.work, 1)
    return within.close()


def _solve(problem: Problem, state: EngineRun) -> None:
    """One part, from the plan in hand."""
    if state.over() is not None:
        return
    if problem.shares and is_pure(problem):
        _prove_shares(problem, state)
        return
    if problem.n_pairs <= COUNTED and _by_kinds(problem, state):
        return
    cut = core(problem)
    if problem.n_sites > WHOLE and not problem.shares:
        _large(problem, cut, state)
        return
    target = float(problem.site_cost.sum() if state.value is None else state.value)
    dual = ascend(cut, target, iterations=COARSE)
    dual = climb(problem, cut, dual, plan=state.plan, over=lambda: state.clock.over() is not None)
    state.saw(problem, None, dual.bound)
    tied = patterns.endless(problem, cut, dual)
    if not is_pure(problem):
        _in_turn(problem, cut, state, dual, tied=tied)
        return
    if tied:
        _tied(problem, cut, state, dual)
        return
    if state.step >= ROUND:
        _tree(problem, cut, state, dual, FIRST_NODES)
    if problem.n_sites > BALL and state.over() is None:
        _improve(state, Sweep(problem, blocks.links(problem), dual, (BALL,)))
    if state.over() is None:
        _prove(problem, cut, state, dual)


def _by_kinds(problem: Problem, state: EngineRun) -> bool:
    """HiGHS on counts by kind, to the end; False where too many buildings have too many fillings to say so."""
    f = formulate(problem, Measure.COST, by_kinds=True, links=False)
    if not fillings.suits(f) or state.plan is None:
        return False
    looks = state.looks
    if state.work_limit is not None:
        most = (state.work_limit - state.work) * EACH_WORK
        looks = most if looks is None else min(looks, most)
    found = fillings.search(
        f, state.plan, gap=state.gap_wanted, clock=state.clock, looks=looks,
        told=lambda plan, bound: state.saw(problem, plan, bound),
    )  # fmt: skip
    state.saw(problem, found.plan, found.bound)
    if looks is not None:
        state.work += math.ceil(looks / EACH_WORK)
    return True


def _tied(problem: Problem, cut: Core, state: EngineRun, dual: Dual) -> None:
    """Where sets tie without end: neighbourhoods, then all of it, by branch and price; what is left by HiGHS."""
    if problem.n_sites > AT_ONCE:
        _dive(problem, cut, state, dual)
        _improve(state, Sweep(problem, blocks.links(problem), dual, TIED, tied=True))
    _tree(problem, cut, state, dual, 20_000)
    _rest(problem, state, dual)


def _tree(problem: Problem, cut: Core, state: EngineRun, dual: Dual, nodes: int) -> None:
    """So many nodes of branch and price over all of a place."""
    if state.over() is not None or state.plan is None:
        return
    found = branch_and_price.search(
        problem, cut, dual, state.plan, nodes=_left(state, nodes), gap=state.gap_wanted, clock=state.clock,
        told=lambda plan, bound: state.saw(problem, plan, bound),
    )  # fmt: skip
    state.work += found.nodes
    state.saw(problem, found.plan, found.bound)


def _in_turn(problem: Problem, cut: Core, state: EngineRun, dual: Dual, *, tied: bool) -> None:
    """Columns, HiGHS and ever larger neighbourhoods: with side rows what is easy for one is hard for another.

    Each has a little, then each has more, until a neighbourhood would be the whole.  Half of a county in which two pairs of
    services may not share is proven by HiGHS in 0.7 s where columns and neighbourhoods take 9; where hubs are limited only large
    neighbourhoods find the plans.
    """
    if tied:
        _dive(problem, cut, state, dual)
    near, size, more = blocks.links(problem), float(BALL), 1
    while state.over() is None and size < problem.n_sites:
        if not tied:
            _prove(problem, cut, state, dual, nodes=NODES * more, rest=False)
        _rest(problem, state, dual, looks=LOOKS * more)
        _improve(state, Sweep(problem, near, dual, (round(size),)), looks=LOOKS * more)
        size, more = size * GROW, more * MORE
    if tied:
        _rest(problem, state, dual)
    elif state.over() is None:
        _prove(problem, cut, state, dual)


def _large(problem: Problem, cut: Core, state: EngineRun) -> None:
    """Plans and bounds in turn: neighbourhoods, the best multipliers, neighbourhoods, blocks; then all of it larger."""
    near = blocks.links(problem)
    together = problem.n_sites <= TOGETHER
    target = float(problem.site_cost.sum() if state.value is None else state.value)
    dual = ascend(cut, 0.93 * target, iterations=COARSE if together else FINER)
    state.saw(problem, None, dual.bound)
    sweep = Sweep(problem, near, dual, SIZES)
    tied = False
    if together:
        dual = climb(problem, cut, dual, plan=state.plan, rounds=EARLY, over=lambda: state.clock.over() is not None)
        state.saw(problem, None, dual.bound)
        tied = patterns.endless(problem, cut, dual)
    if tied and is_pure(problem):
        dual = climb(problem, cut, dual, plan=state.plan, over=lambda: state.clock.over() is not None)
        state.saw(problem, None, dual.bound)
        _tied(problem, cut, state, dual)
        return
    if tied:
        _dive(problem, cut, state, dual)
    else:
        _improve(state, sweep, share=FIRST, most=problem.n_sites // BALL, looks=0)
    if state.over() is not None:
        return
    if together:
        dual = climb(problem, cut, dual, plan=state.plan, over=lambda: state.clock.over() is not None)
    else:
        effort = enumeration.Effort(climbs=30, clock=state.clock)
        dual = neighbourhoods.climb_in_parts(problem, cut, near, dual, TOGETHER // 2, effort)
    state.saw(problem, None, dual.bound)
    if tied:
        _dive(problem, cut, state, dual)
    sweep.afresh(dual)
    _improve(state, sweep, share=SECOND, looks=0)
    size, looks, grown = float(BLOCK), 0, 1.0
    while state.over() is None and state.plan is not None:
        if size >= problem.n_sites:
            _prove(problem, cut, state, dual)
            return
        effort = replace(_effort(state, gap=5e-4 / grown, pool=40_000, rounds=5, passes=4, nodes=60), rest=looks)
        bound, solved = neighbourhoods.bound(problem, near, dual, state.plan, round(size), effort)
        state.work += solved
        state.saw(problem, None, bound)
        sweep.afresh()
        _improve(state, sweep, looks=looks)
        size, looks, grown = size * GROW, max(LOOKS, round(looks * GROW * GROW)), grown * GROW
        sweep.sizes = tuple(min(round(each * GROW), problem.n_sites) for each in sweep.sizes)


def _dive(problem: Problem, cut: Core, state: EngineRun, dual: Dual) -> None:
    """A plan out of the best multipliers, joined with the plan in hand."""
    if state.over() is not None or state.plan is None:
        return
    state.saw(problem, diving.improve(problem, cut, dual, state.plan, clock=state.clock, bold=True))
    state.work += math.ceil(problem.n_sites / BALL)


def _improve(state: EngineRun, sweep: Sweep, *, share: float = 1.0, most: int | None = None, looks: int = LOOKS) -> None:
    """Neighbourhoods until all have been tried, a share of the time is gone, or the run is over."""
    until = None if state.clock.until is None else state.began + share * (state.clock.until - state.began)
    large = sweep.problem.n_sites > WHOLE
    close = replace(_effort(state, gap=1e-3, pool=12_000, rounds=3, passes=3, nodes=40), dive=large, dives=1, rest=looks)
    efforts = (replace(close, pool=50_000, passes=1, each=EACH), replace(close, dives=len(diving.SURE)))
    done = 0
    while state.plan is not None and (centre := sweep.next(state.plan)) is not None and state.over() is None:
        if (until is not None and time.monotonic() > until) or done == most:
            return
        state.work += 1
        done += 1
        state.saw(sweep.problem, sweep.step(state.plan, centre, efforts))


def _effort(state: EngineRun, *, gap: float, pool: int, rounds: int, passes: int, nodes: int) -> enumeration.Effort:
    return enumeration.Effort(gap=gap, pool=pool, rounds=rounds, passes=passes, nodes=nodes, clock=state.clock)


def _least(problem: Problem) -> float:
    """What no plan can cost less than, at sight: buildings that must be open, and each point where it is cheapest."""
    cheapest = np.full(problem.n_points, np.iinfo(np.int64).max)
    np.minimum.at(cheapest, problem.pair_point, problem.pair_cost)
    free = np.minimum(problem.site_cost[~problem.must_open], 0).sum()
    return float(problem.site_cost[problem.must_open].sum() + free + cheapest.sum())


def _left(state: EngineRun, most: int) -> int:
    """Nodes that a tree may have."""
    return most if state.work_limit is None else max(1, min(most, state.work_limit - state.work))


def _prove(problem: Problem, cut: Core, state: EngineRun, dual: Dual, *, nodes: int = 20_000, rest: bool = True) -> None:
    """The whole by columns, and what they leave by HiGHS (``rest``), to the gap asked for."""
    if state.plan is None or state.over() is not None:
        return
    effort = enumeration.Effort(gap=state.gap_wanted, nodes=_left(state, nodes), clock=state.clock)
    found = enumeration.solve(problem, effort, plan=state.plan, dual=dual, cut=cut)
    state.work += found.nodes
    state.saw(problem, found.plan, found.bound)
    if rest:
        _rest(problem, state, found.dual)


def _rest(problem: Problem, state: EngineRun, dual: Dual, *, looks: int | None = None) -> None:
    """HiGHS on what multipliers and the plan in hand leave, for so many looks (None: to the end, or as work is left)."""
    if state.over() is not None or state.plan is None:
        return
    if state.work_limit is not None:
        most = (state.work_limit - state.work) * EACH_WORK
        looks = most if looks is None else min(looks, most)
    left = compact.solve(problem, dual, state.plan, gap=state.gap_wanted, looks=looks, clock=state.clock)
    state.saw(problem, left.plan, left.bound)
    if looks is not None:
        state.work += math.ceil(looks / EACH_WORK)


def _prove_shares(problem: Problem, state: EngineRun) -> None:
    """Share rules have a way of their own (:mod:`estate.solve.shares.search`)."""
    if state.plan is None:
        return
    effort = shares.ShareEffort(
        gap=state.gap_wanted,
        nodes=_left(state, 50_000),
        clock=state.clock,
        seed=state.seed,
        saw=lambda plan, bound: state.saw(problem, plan, bound),
    )
    found = shares.solve(problem, effort, plan=state.plan)
    state.work += found.nodes
    state.saw(problem, found.plan, found.bound)
    if state.over() is None and state.plan is not None:
        cut = core(problem)
        _rest(problem, state, climb(problem, cut, ascend(cut, float(state.value or 0), iterations=COARSE), plan=state.plan))
