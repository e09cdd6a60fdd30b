"""The engine: plans and proofs from a town to the nation.

    reduction -> greedy drop -> independent parts, twins as one -> prices -> neighbourhoods
      -> columns to the end, or blocks with priced borders

Each stage is in a room of its own (:mod:`~estate.solve.reduce`, :mod:`~estate.solve.places`, :mod:`~estate.solve.columns`,
:mod:`~estate.solve.sharing`); this module chooses.  The choice is made by the instance, part by part:

* what is not in the core (:func:`estate.solve.columns.core.is_pure`), or small, goes whole to HiGHS through the model in PuLP;
* share rules have a way of their own (:mod:`estate.solve.sharing.shares`);
* up to :data:`WHOLE` sites the problem is solved by columns and branch and bound: proof is the aim;
* beyond, neighbourhoods of :data:`SIZES` sites are rearranged, those first where plan and bound disagree most, until none brings
  anything (:mod:`estate.solve.places.sweep`), and the bound is the better of the Lagrangian's and the sum over blocks.

Measured on generated places, one core: a county to 0.01% in 1 to 7 s; three regions 0.7 to 0.8% from proven after 120 s;
the nation 1.9% after 1,085 s.

Bounds are only ever raised by what was proven, plans only replaced by better ones that :func:`estate.problem.violations` finds
nothing wrong with.  Work is counted in neighbourhoods, blocks and nodes, so a run under a work limit repeats exactly.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from estate.problem import Problem, Solution, cost, violations
from estate.solve import reduce
from estate.solve.answer import OPTIMAL_GAP, Answer, Limits, Progress, Status, relative_gap
from estate.solve.columns import master
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import Core, core, is_pure
from estate.solve.columns.lagrangian import Dual, ascend
from estate.solve.exact import FEWEST, POLL_S, Watch
from estate.solve.location import single_source
from estate.solve.places import blocks, components, greedy
from estate.solve.places import sweep as sweeps
from estate.solve.places.sweep import Sweep
from estate.solve.reduce import twins
from estate.solve.reduce.twins import Together
from estate.solve.sharing import shares

LEAST_S = 30.0
"""Time limits below this go to HiGHS: a machine's first run compiles the kernels (kept on disk), which takes as long."""
WHOLE = 250
"""Most sites solved whole."""
GRACE_S = 1.0
"""How long a search that is over may take to notice."""
BALL = 40
"""Sites of a neighbourhood where the whole is solved in the end."""
SIZES = (30, 50, 80)
"""Sites of neighbourhoods, by attempt, where it is not."""
EACH = 300
"""Sets of each building that a first look at a neighbourhood takes.  On one region, 45 s of CPU from a plan 11% above the bound
led to 1.9% above it with these and a dive, to 3.0% with the 12,000 sets nearest the bound; with 150 of each to 2.0%."""
BLOCK = 60
"""Sites of a block of the bound."""
TOGETHER = 3_000
"""Most sites whose multipliers are found in one programme."""
COARSE = (100, 0, 0)
"""Subgradient iterations that bring the multipliers near enough for column generation."""
FINER = (60, 120, 0)
"""Those for a place in parts, whose borders keep these multipliers for a while."""
FIRST, SECOND = 0.1, 0.6
"""Shares of the time by which neighbourhoods at coarse multipliers, and at the best, make way for the bound."""


@dataclass(slots=True)
class _Run:
    """Where a run stands."""

    limits: Limits
    progress: Callable[[Progress], None] | None
    stop: Callable[[], bool]
    began: float = field(default_factory=time.monotonic)
    plan: Solution | None = None
    value: int | None = None
    bound: float = -np.inf
    work: int = 0
    trace: list[tuple[float, int | None, float | None]] = field(default_factory=list)
    relay: Callable[[Solution, float], None] | None = None
    """Told of every better plan and bound: what a part's run tells the whole's."""

    def saw(self, problem: Problem, plan: Solution | None, bound: float = -np.inf) -> bool:
        """Take a plan if it is better and keeps every rule, a bound if it is higher; whether the plan was taken."""
        taken = False
        if plan is not None and (self.value is None or cost(problem, plan) < self.value) and not violations(problem, plan):
            self.plan, self.value, taken = plan, cost(problem, plan), True
        raised = bound > self.bound
        self.bound = max(self.bound, bound)
        if taken or raised:
            now = time.monotonic() - self.began
            known = self.bound if np.isfinite(self.bound) else None
            self.trace.append((round(now, 3), self.value, known))
            if self.progress is not None:
                self.progress(Progress(now, self.value, known, relative_gap(self.value, known)))
            if self.relay is not None and self.plan is not None:
                self.relay(self.plan, self.bound)
        return taken

    def gap(self) -> float:
        if self.value is None or not np.isfinite(self.bound):
            return np.inf
        return (self.value - self.bound) / max(abs(self.value), 1)

    def until(self) -> float | None:
        return None if self.limits.time_s is None else self.began + self.limits.time_s

    def over(self) -> str | None:
        """Why to stop now, if at all."""
        if self.stop():
            return "interrupt"
        end = self.until()
        if end is not None and time.monotonic() >= end:
            return "time"
        if self.limits.work is not None and self.work >= self.limits.work:
            return "work"
        return None


def suits(problem: Problem) -> bool:
    """Whether the engine is for this problem: every rule is in its core, it has points, and today's estate is a plan."""
    return is_pure(problem) and problem.n_points > 0 and problem.today is not None and not violations(problem, problem.today)


def wanted(problem: Problem, limits: Limits) -> bool:
    """Whether ``solve`` should come here."""
    quick = limits.time_s is not None and limits.time_s < LEAST_S
    ours = not quick and problem.n_pairs >= FEWEST and suits(problem)
    return limits.solver == "highs" and ours and not single_source.suits(problem)


def search_watched(problem: Problem, watch: Watch) -> Answer:  # noqa: C901 - two threads and two ways to be over
    """:func:`run` in a thread of its own, so that the caller's can take Ctrl-C; what ``solve`` calls.

    A thread that does not notice within :data:`GRACE_S` that it is over (it may be compiling) is left behind with what it has.
    """
    failed: list[BaseException] = []
    ended: list[Answer] = []
    halt = threading.Event()

    def show(now: Progress) -> None:
        watch.saw(now.best, now.bound)

    state = _Run(watch.limits, show, lambda: halt.is_set() or watch.stop.is_set())

    def work() -> None:
        try:
            ended.append(_run(problem, state))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread below
            failed.append(error)

    worker = threading.Thread(target=work, name="engine", daemon=True)
    worker.start()
    over: float | None = None
    while worker.is_alive():
        try:
            worker.join(POLL_S)
            watch.report()
        except KeyboardInterrupt:
            if watch.stop.is_set():
                raise
            watch.stop.set()
        if over is None and watch.halted():
            over = watch.seconds()
        if over is not None and watch.seconds() > over + GRACE_S and state.plan is not None:
            break
    if failed:
        raise failed[0]
    if not ended:
        plan, bound = state.plan, state.bound
        halt.set()
        kept = _Run(watch.limits, None, watch.stop.is_set, plan=plan, bound=bound)
        kept.value = None if plan is None else cost(problem, plan)
        ended.append(_answer(kept, watch.halted() or "time"))
    return replace(ended[0], trace=tuple(watch.trace), seconds=watch.seconds())


def run(
    problem: Problem,
    limits: Limits,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Answer:
    """The best plan of a problem that :func:`suits`, and its proof."""
    return _run(problem, _Run(limits, progress, stop or (lambda: False)))


def _run(problem: Problem, state: _Run) -> Answer:
    if problem.today is None:
        raise ValueError("the engine starts from a plan: today's estate")
    state.saw(problem, problem.today, _least(problem))
    small = reduce.tighten(problem).problem
    if small.today is None:
        raise ValueError("the engine starts from a plan that survives the reductions")
    state.saw(problem, greedy.drop(small, core(small), small.today))
    return _answer(state, _apart(problem, components.components(small, ties=False), state))


def _apart(problem: Problem, parts: list[blocks.Part], state: _Run) -> str | None:
    """Independent parts one after the other, the smallest first, twins as one; the bound is the sum of theirs."""
    sure = [components.decided(part.problem) for part in parts]
    bounds = np.array([
        _least(part.problem) if plan is None else float(cost(part.problem, plan))
        for part, plan in zip(parts, sure, strict=True)
    ])  # fmt: skip
    pairs = np.cumsum([part.problem.n_pairs for part in parts])
    reasons = set()
    for i in reversed(range(len(parts))):
        part = parts[i]
        if sure[i] is not None or state.plan is None:  # the plan in hand has it as it must be
            continue
        due = part.problem.n_pairs / max(int(pairs[i]), 1)  # of what is left, for this part and the larger ones
        end, work = state.until(), state.limits.work
        limits = replace(
            state.limits,
            time_s=None if end is None else max(end - time.monotonic(), 0.0) * due,
            work=None if work is None else math.ceil(max(work - state.work, 0) * due),
        )

        joint = twins.together(part.problem)

        def relay(plan: Solution, bound: float, i: int = i, part: blocks.Part = part, joint: Together | None = joint) -> None:
            bounds[i] = max(bounds[i], bound)
            if state.plan is not None:
                found = plan if joint is None else joint.out(plan)
                state.saw(problem, blocks.merged(state.plan, part, found), float(bounds.sum()))

        inner, here = part.problem, components.share_of(state.plan, part)
        if joint is not None:
            inner, here = joint.problem, joint.into(here)
        run = _Run(limits, None, state.stop, plan=here, value=cost(inner, here), bound=bounds[i], relay=relay)
        relay(here, float(bounds[i]))  # bringing twins together may have paid
        reasons.add(_solve(inner, run))
        state.work += run.work
    state.saw(problem, None, float(bounds.sum()))
    return state.over() or next((reason for reason in ("interrupt", "time", "work", "gap") if reason in reasons), "proven")


def _solve(problem: Problem, state: _Run) -> str | None:
    """One part, from the plan in hand; why the search ended."""
    if (reason := state.over()) is not None:
        return reason
    if problem.shares:
        return _prove_shares(problem, state)
    cut = core(problem)
    if problem.n_sites > WHOLE:
        return _large(problem, cut, state)
    dual = _bound(problem, cut, state)
    if problem.n_sites > BALL and state.gap() > state.limits.gap:
        _improve(state, Sweep(problem, blocks.links(problem), dual, (BALL,)))
    if state.gap() <= state.limits.gap:
        return "gap"
    return state.over() or _prove(problem, cut, state, dual)


def _large(problem: Problem, cut: Core, state: _Run) -> str:
    """Plans and bounds in turn: neighbourhoods, the best multipliers, neighbourhoods, blocks, neighbourhoods."""
    near = blocks.links(problem)
    together = problem.n_sites <= TOGETHER
    target = float(problem.site_cost.sum() if state.value is None else state.value)
    dual = ascend(cut, 0.93 * target, iterations=COARSE if together else FINER)
    state.saw(problem, None, dual.bound)
    sweep = Sweep(problem, near, dual, SIZES)
    if reason := _improve(state, sweep, share=FIRST, most=problem.n_sites // BALL):
        return reason
    if together:
        dual = climb(problem, cut, dual, plan=state.plan, over=lambda: state.over() is not None)
    else:
        effort = master.Effort(climbs=30, until=state.until(), stop=state.stop)
        dual = sweeps.climb_in_parts(problem, cut, near, dual, TOGETHER // 2, effort)
    state.saw(problem, None, dual.bound)
    sweep.afresh(dual)
    if reason := _improve(state, sweep, share=SECOND):
        return reason
    if state.plan is not None:
        effort = _effort(state, gap=5e-4, pool=40_000, rounds=5, passes=4, nodes=60)
        bound, solved = sweeps.bound(problem, near, dual, state.plan, BLOCK, effort)
        state.work += solved
        state.saw(problem, None, bound)
    sweep.afresh()
    return _improve(state, sweep) or "work"


def _improve(state: _Run, sweep: Sweep, *, share: float = 1.0, most: int | None = None) -> str | None:
    """Neighbourhoods until all have been tried, or a share of the time is gone; why the run is over, if it is."""
    until = None if state.limits.time_s is None else state.began + share * state.limits.time_s
    large = sweep.problem.n_sites > WHOLE
    close = replace(_effort(state, gap=1e-3, pool=12_000, rounds=3, passes=3, nodes=40), dive=large)
    efforts = (replace(close, pool=50_000, passes=1, each=EACH), close)
    done = 0
    while state.plan is not None and (centre := sweep.next(state.plan)) is not None:
        if (reason := state.over()) is not None:
            return reason
        if state.gap() <= state.limits.gap:
            return "gap"
        if (until is not None and time.monotonic() > until) or done == most:
            return None
        state.work += 1
        done += 1
        state.saw(sweep.problem, sweep.step(state.plan, centre, efforts))
    return None


def _effort(state: _Run, *, gap: float, pool: int, rounds: int, passes: int, nodes: int) -> master.Effort:
    return master.Effort(gap=gap, pool=pool, rounds=rounds, passes=passes, nodes=nodes, until=state.until(), stop=state.stop)


def _least(problem: Problem) -> float:
    """What no plan can cost less than, at sight: buildings that must be open, and each point where it is cheapest."""
    cheapest = np.full(problem.n_points, np.iinfo(np.int64).max)
    np.minimum.at(cheapest, problem.pair_point, problem.pair_cost)
    free = np.minimum(problem.site_cost[~problem.must_open], 0).sum()
    return float(problem.site_cost[problem.must_open].sum() + free + cheapest.sum())


def _bound(problem: Problem, cut: Core, state: _Run) -> Dual:
    """The Lagrangian's bound and multipliers."""
    target = float(problem.site_cost.sum() if state.value is None else state.value)
    dual = ascend(cut, target, iterations=COARSE)
    dual = climb(problem, cut, dual, plan=state.plan, over=lambda: state.over() is not None)
    state.saw(problem, None, dual.bound)
    return dual


def _prove(problem: Problem, cut: Core, state: _Run, dual: Dual) -> str | None:
    """The whole by columns, to the gap asked for."""
    nodes = 20_000 if state.limits.work is None else max(1, state.limits.work - state.work)
    effort = master.Effort(
        gap=state.limits.gap,
        nodes=nodes, until=state.until(), stop=state.stop,
    )  # fmt: skip
    found = master.solve(problem, effort, plan=state.plan, dual=dual, cut=cut)
    state.work += found.nodes
    state.saw(problem, found.plan, found.bound)
    if found.proven or state.gap() <= state.limits.gap:
        return "proven" if found.proven else "gap"
    return state.over() or "work"


def _prove_shares(problem: Problem, state: _Run) -> str | None:
    """Share rules have a way of their own (:mod:`estate.solve.sharing.shares`)."""
    if state.plan is None:
        return None
    nodes = 50_000 if state.limits.work is None else max(1, state.limits.work - state.work)
    effort = shares.Effort(
        gap=state.limits.gap,
        nodes=nodes,
        until=state.until(),
        seed=state.limits.seed,
        stop=state.stop,
        saw=lambda plan, bound: state.saw(problem, plan, bound),
    )
    found = shares.solve(problem, effort, plan=state.plan)
    state.work += found.nodes
    state.saw(problem, found.plan, found.bound)
    if found.proven:
        return "proven" if state.limits.gap == 0.0 else "gap"
    return state.over() or "work"


def _answer(state: _Run, reason: str | None) -> Answer:
    seconds, reason = time.monotonic() - state.began, reason or "work"
    if state.value is None:
        return Answer(Status.UNKNOWN, None, None, None, None, reason == "work", reason, seconds, tuple(state.trace))
    bound = min(state.bound, float(state.value))
    gap = relative_gap(state.value, bound) or 0.0
    if gap == 0.0:
        reason = "proven"
    status = Status.OPTIMAL if reason in {"proven", "gap"} and gap <= OPTIMAL_GAP else Status.FEASIBLE
    return Answer(
        status, state.plan, state.value, bound, gap, reason in {"proven", "gap", "work"}, reason, seconds, tuple(state.trace)
    )
