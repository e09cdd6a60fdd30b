"""Two searches of one problem side by side: the engine, and HiGHS on the whole programme.

Neither is always the better: the engine proves generated counties and conurbations far sooner, HiGHS many a real county in a
fraction of a second.  So both run, each in a thread, on the same reduced problem; what either finds is checked and put on one
board, and the first proof ends both.

**What repeats.**  Neither search looks at the board: a search's path depends on its inputs alone, and they meet only here.  A
plan proven to the penny, with its ties settled, is the same whoever proves it.  Under a limit of *work* both go on until each has
had its own amount, so the better of the two repeats.  Anything else, a stop by the clock or within a gap, depends on which of
them was first, and is not called repeatable.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from estate.errors import SolverError
from estate.model import Measure, formulate
from estate.model.arrays import arrays
from estate.problem import Floats, Problem, Solution, cost, step, violations
from estate.solve import engine, highs, reduce
from estate.solve.answer import OPTIMAL_GAP, Answer, Status, relative_gap
from estate.solve.watch import Watch, aside

HEAD_START_S = 0.5
"""Seconds that HiGHS has to itself on a place of :data:`QUICK` choices or fewer: most are proven by then, and nothing need be
compiled.  Neither search's path depends on when it begins."""
QUICK = 4_000
RACED = 150_000
"""Host pairs beyond which HiGHS does not come to the end of its root, and is left out."""


@dataclass(slots=True)
class Board:
    """The best plan and bound of a problem, whoever found them."""

    problem: Problem
    watch: Watch
    plan: Solution | None = None
    value: int | None = None
    bound: float = -np.inf
    step: int = 1
    """Pence that divide every plan's cost (:func:`estate.problem.step`): a bound within half of it is the value."""
    done: threading.Event = field(default_factory=threading.Event)
    """The gap asked for is proven."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    false: str = ""
    """What was claimed and cannot be: a bound above a plan.  Kept, since a callback of HiGHS throws nothing."""

    def saw(self, plan: Solution | None, bound: float) -> None:
        """Take a plan if it is better and keeps every rule, a bound if it is higher."""
        with self.lock:
            better = plan is not None and (self.value is None or cost(self.problem, plan) < self.value)
            if better and plan is not None and not violations(self.problem, plan):
                self.plan, self.value = plan, cost(self.problem, plan)
            self.bound = max(self.bound, bound)
            if self.value is not None and self.bound > self.value + 0.5 + 2 * highs.MARGIN * abs(self.value):
                self.false = f"a bound of {self.bound:.0f} pence was claimed beside a plan of {self.value}"
                self.done.set()
            known = self.bound if np.isfinite(self.bound) else None
            self.watch.saw(self.value, known)
            if self.value is not None and (self.proven() or self.value - self.bound <= self.watch.limits.gap * abs(self.value)):
                self.done.set()

    def proven(self) -> bool:
        """Whether no plan can be better by a step."""
        return self.value is not None and self.value - self.bound <= 0.5 * self.step


def search(problem: Problem, watch: Watch) -> Answer:
    """The best plan of a problem that :func:`estate.solve.engine.suits`; ties are not broken.

    Raises
    ------
    SolverError
        When a bound is claimed above a plan, or HiGHS finds no plan where there is one: nothing of such a run is believed.
    """
    board = Board(problem, watch, step=step(problem))
    board.saw(problem.today, -np.inf)
    if watch.halted() is None:
        aside(watch, "search", lambda: _both(problem, board, watch), may_leave=lambda: board.plan is not None)
    if board.false:
        raise SolverError(board.false)
    return _answer(board, watch)


def _both(problem: Problem, board: Board, watch: Watch) -> None:
    """Both searches until one has proven what was asked for, or each is over."""
    small = reduce.tighten(problem).problem
    clock = watch.clock.also(board.done.is_set)
    limits = watch.limits
    failed: list[BaseException] = []

    def highs_side() -> None:
        try:
            _whole(problem, small, board, watch)
        except BaseException as error:  # noqa: BLE001  (handed to the caller's thread below)
            failed.append(error)
            board.done.set()

    worker = None
    if small.n_pairs <= RACED:
        worker = threading.Thread(target=highs_side, name="highs", daemon=True)
        worker.start()
        if small.n_pairs <= QUICK:
            worker.join(HEAD_START_S)
    try:
        if not board.done.is_set():
            engine.run(problem, gap=limits.gap, clock=clock, work=limits.work, seed=limits.seed, told=board.saw)
    except BaseException:
        board.done.set()
        raise
    finally:
        if worker is not None:
            worker.join()
    if failed:
        raise failed[0]


def _whole(problem: Problem, small: Problem, board: Board, watch: Watch) -> None:
    """HiGHS on the whole programme of the reduced problem."""
    f = formulate(small, Measure.COST)
    limits = watch.limits

    def saw(x: Floats | None, bound: float) -> None:
        board.saw(None if x is None else f.solution(x), f.unit * bound + f.constant)

    run = highs.run(
        arrays(f),
        gap=limits.gap,
        clock=watch.clock.also(board.done.is_set),
        looks=None if limits.work is None else limits.work * engine.EACH_WORK,
        seed=limits.seed,
        start=None if small.today is None else f.values(small.today),
        saw=saw,
        options={"mip_abs_gap": 0.5},
    )
    if run.ended == "infeasible":
        raise SolverError("HiGHS says that there is no plan, and today's estate is one")
    plan, bound = None if run.x is None else f.solution(run.x), f.unit * run.bound + f.constant
    if run.ended == "proven" and plan is not None and limits.gap == 0.0:
        bound = float(cost(problem, plan))  # within half a unit, and plans differ by whole ones
    board.saw(plan, bound)


def _answer(board: Board, watch: Watch) -> Answer:
    """The board as an answer, and why the search is over."""
    seconds, trace = watch.seconds(), tuple(watch.trace)
    stopped = watch.halted() or "work"
    if board.value is None or board.plan is None:
        return Answer(Status.UNKNOWN, None, None, None, None, stopped == "work", stopped, seconds, trace)
    if board.proven():
        return Answer(Status.OPTIMAL, board.plan, board.value, float(board.value), 0.0, True, "proven", seconds, trace)
    known = board.bound if np.isfinite(board.bound) else None
    gap = relative_gap(board.value, known)
    stopped = "gap" if board.done.is_set() else stopped
    status = Status.OPTIMAL if gap is not None and gap <= OPTIMAL_GAP else Status.FEASIBLE
    return Answer(status, board.plan, board.value, known, gap, stopped == "work", stopped, seconds, trace)
