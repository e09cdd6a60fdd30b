"""The exact solve, and the one module that knows PuLP's solvers and HiGHS.

HiGHS (Huangfu and Hall 2018) runs in process through PuLP, in a thread of its own: the caller's thread stays free to
take Ctrl-C and to report progress, and each run gets its own HiGHS task scheduler.  PuLP's stock call would hold
Ctrl-C back until the limit and then lose the plan.

Proof to the penny.  The objective is a whole number of units at every plan (:class:`~estate.model.Formulation`), so
an absolute gap of half a unit is a proof of optimality: it leaves the other half for rounding in the solver's floats.
No float of the solver is reported as a value: the plan is read off, checked row by row, and valued in integers.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pulp
from pulp.constants import LpSolveStatus

from estate.errors import Issue, SolverError
from estate.model import Formulation, Measure, formulate, to_pulp
from estate.problem import BROKEN, Goal, Problem, Solution, violations
from estate.solve.answer import OPTIMAL_GAP, Answer, Limits, Progress, Status, relative_gap, value_of
from estate.solve.location import covering, single_source, sites

REFUSED = {"highspy": {"1.14.0": "it returned wrong optima"}}
"""Releases that must not be used, and why."""

ENDED: dict[LpSolveStatus, str] = {
    LpSolveStatus.Optimal: "proven",  # within the gaps asked for: told apart from "gap" by the bound
    LpSolveStatus.GapLimit: "gap",
    LpSolveStatus.Infeasible: "infeasible",
    LpSolveStatus.TimeLimit: "time",
    LpSolveStatus.NodeLimit: "work",
    LpSolveStatus.SolutionLimit: "work",  # HiGHS says this at `mip_max_nodes`
    LpSolveStatus.IterationLimit: "work",
    LpSolveStatus.MemoryLimit: "memory",
    LpSolveStatus.Interrupted: "interrupt",
}
"""Why a solver stopped, in our words.  Any other status is a breakdown: :class:`SolverError`."""

FEWEST = 600
"""Host pairs below which HiGHS is as fast on the model as it stands, and nothing need be compiled."""

POLL_S = 0.1
"""How often the waiting thread looks up: the delay of Ctrl-C and of progress."""


@dataclass(slots=True)
class Watch:
    """The clock, the wish to stop, and what a search has shown so far; shared by all the solves of one answer."""

    limits: Limits
    progress: Callable[[Progress], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    phase: str = "search"
    trace: list[tuple[float, int | None, float | None]] = field(default_factory=list)

    def seconds(self) -> float:
        """Wall-clock seconds since the answer was asked for."""
        return time.monotonic() - self.began

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self.limits.time_s is None else max(self.limits.time_s - self.seconds(), 0.0)

    def halted(self) -> str | None:
        """``interrupt`` or ``time`` when it is over."""
        if self.stop.is_set():
            return "interrupt"
        return "time" if self.left() == 0.0 else None

    def saw(self, best: float | None, bound: float | None) -> None:
        """Note the best value and bound, in the goal's units, when either has moved."""
        now = (None if best is None else round(best), bound)
        if self.phase == "search" and (not self.trace or self.trace[-1][1:] != now):
            self.trace.append((round(self.seconds(), 3), *now))

    def report(self) -> None:
        """Call ``progress`` with the latest figures."""
        if self.progress is not None:
            best, bound = self.trace[-1][1:] if self.trace else (None, None)
            self.progress(Progress(self.seconds(), best, bound, relative_gap(best, bound), self.phase))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One solver run: why it ended (a value of :data:`ENDED`), its plan, and its bound in objective units."""

    ended: str
    solution: Solution | None
    bound: float | None


class _Highs(pulp.HiGHS):
    """PuLP's HiGHS, run in a thread of its own and watched."""

    def __init__(self, watch: Watch, to_measure: Callable[[float], float], **options: Any) -> None:
        super().__init__(msg=False, **options)
        self.watch, self.to_measure = watch, to_measure

    def callSolver(self, lp: pulp.LpProblem) -> None:  # noqa: N802  (PuLP's name)
        highs: Any = lp.solverModel
        watch = self.watch
        failure: list[BaseException] = []

        def look(event: Any) -> None:
            out = event.data_out
            best, bound = out.mip_primal_bound, out.mip_dual_bound
            watch.saw(*(self.to_measure(x) if math.isfinite(x) else None for x in (best, bound)))
            if watch.stop.is_set():
                event.interrupt()

        def run() -> None:
            try:
                highs.run()
            except BaseException as error:  # noqa: BLE001  (handed to the caller's thread below)
                failure.append(error)

        highs.cbMipInterrupt.subscribe(look)
        worker = threading.Thread(target=run, name="highs", daemon=True)
        worker.start()
        wait(worker, watch)
        highs.clearCallbacks()
        if failure:
            raise failure[0]

    def findSolutionValues(self, lp: pulp.LpProblem) -> tuple[LpSolveStatus, bool]:  # noqa: N802  (PuLP's name)
        status, has_solution = super().findSolutionValues(lp)  # type: ignore[no-untyped-call]
        highs: Any = lp.solverModel
        # Every column is bounded, so "unbounded or infeasible" can only be the latter.
        unclear = pulp.apis.highs.highspy_mod.HighsModelStatus.kUnboundedOrInfeasible
        return (LpSolveStatus.Infeasible if highs.getModelStatus() == unclear else status), has_solution


def wait(worker: threading.Thread, watch: Watch) -> None:
    """Wait for a solver thread.  The first Ctrl-C asks it for its best plan; a second one is the caller's."""
    while worker.is_alive():
        try:
            worker.join(POLL_S)
            watch.report()
        except KeyboardInterrupt:
            if watch.stop.is_set():
                raise
            watch.stop.set()


def check_solver(name: str) -> None:
    """Raise :class:`SolverError` when the solver is unknown, missing or a release known to be wrong."""
    packages = {"highs": "highspy", "cbc": "cbcbox", "scip": "pyscipopt"}
    if name not in packages:
        remedy = f"use one of {', '.join(sorted(packages))}"
        raise SolverError(issues=[Issue("solver.unknown", f"no solver is called {name!r}", remedy)])
    package = packages[name]
    try:
        found = version(package)
    except PackageNotFoundError:
        issue = Issue("solver.missing", f"the solver {name} is not installed", f"pip install {package}")
        raise SolverError(issues=[issue]) from None
    if found in REFUSED.get(package, {}):
        message = f"{package} {found} is refused: {REFUSED[package][found]}"
        raise SolverError(issues=[Issue("solver.refused", message, f"pip install --upgrade {package}")])


def run(f: Formulation, watch: Watch, *, start: Solution | None = None, gap: float = 0.0) -> Outcome:
    """Solve one formulation through PuLP, from ``start`` where that is a plan.

    ``work`` limits hold for the main search only; the clock holds for everything.
    """
    outcome = _run(f, watch, start=start, gap=gap)
    if outcome.ended == "infeasible" and watch.limits.solver == "highs":
        # HiGHS 1.15.1's presolve has been seen to call a feasible programme infeasible: "no plan" needs both to say so.
        return _run(f, watch, start=start, gap=gap, presolve="off")
    return outcome


def _run(f: Formulation, watch: Watch, *, start: Solution | None, gap: float, presolve: str = "choose") -> Outcome:
    limits = watch.limits
    check_solver(limits.solver)
    lp, x = to_pulp(f)
    if start is not None:
        for variable, value in zip(x, f.values(start).tolist(), strict=True):
            variable.varValue = value
    stats = lp.solve(_solver(f, watch, warm=start is not None, gap=gap, presolve=presolve))
    if stats.status not in ENDED:
        raise SolverError(f"the solver {limits.solver} broke down: {stats.status_str}")
    ended = ENDED[stats.status]
    bound = stats.best_bound
    if limits.solver == "scip":  # PuLP does not pass SCIP's bound on
        scip: Any = lp.solverModel
        bound = scip.getDualbound()
        bound = bound if abs(bound) < scip.infinity() else None
    if ended == "infeasible" or not stats.has_solution:
        return Outcome(ended, None, bound)
    values = np.array([block for part in f.blocks for block in part.lower])
    for i, variable in enumerate(x):
        if variable.varValue is not None:
            values[i] = variable.varValue
    return Outcome(ended, f.solution(values), bound)


def _solver(f: Formulation, watch: Watch, *, warm: bool, gap: float, presolve: str) -> pulp.LpSolver:
    """The PuLP solver for the limits.  Half a unit of the objective is the absolute gap of a proof."""
    limits = watch.limits
    work = limits.work if watch.phase == "search" else None
    common: dict[str, Any] = {"timeLimit": watch.left(), "gapRel": gap, "gapAbs": 0.5, "warmStart": warm}
    if limits.solver == "cbc":
        return pulp.COIN_CMD(msg=False, threads=limits.threads, randomSeed=limits.seed + 1, maxNodes=work, **common)
    if limits.solver == "scip":
        return pulp.SCIP_PY(msg=False, maxNodes=work, **common)
    # Fewer trials before a branching score is trusted: faster on some generated counties, slower on others.
    options: dict[str, Any] = {"mip_pscost_minreliable": 2, "random_seed": limits.seed, "presolve": presolve}
    if work is not None:
        options["mip_max_nodes"] = work
    return _Highs(watch, f.to_measure, threads=limits.threads, **options, **common)


def start_of(problem: Problem) -> Solution | None:
    """Today's estate where it truly is a plan: HiGHS drops a bad start without a word."""
    return problem.today if problem.today is not None and not violations(problem, problem.today) else None


def checked(problem: Problem, solution: Solution | None) -> Solution | None:
    """The plan, once every row has been found to hold in integers."""
    if solution is not None and (broken := violations(problem, solution)):
        families = ", ".join(f"{BROKEN[family]} ({len(rows)} times)" for family, rows in broken.items())
        raise SolverError(f"the solver returned a plan that breaks rules: {families}")
    return solution


def search(problem: Problem, watch: Watch) -> Answer:
    """The best plan under the problem's goal, with its proof; ties are not broken."""
    if watch.limits.solver == "highs" and sites.wanted(problem):
        return only_sites(problem, watch)
    if watch.limits.solver == "highs" and problem.n_pairs >= FEWEST and single_source.suits(problem):
        return assigned(problem, watch)
    if problem.goal is Goal.FARTHEST:
        return farthest(problem, watch)
    f = formulate(problem, Measure(problem.goal))
    outcome = run(f, watch, start=start_of(problem), gap=watch.limits.gap)
    bound = None if outcome.bound is None else f.to_measure(outcome.bound)
    return conclude(problem, watch, outcome.ended, checked(problem, outcome.solution), bound, unit=f.unit)


def only_sites(problem: Problem, watch: Watch) -> Answer:
    """A problem that :mod:`estate.solve.location.sites` solves by its structure."""
    limits = watch.limits
    budget = covering.Budget(watch.left, watch.stop.is_set, limits.work, limits.gap, limits.seed)
    end = _watched(watch, "sites", lambda: sites.search(problem, budget))
    return conclude(problem, watch, end.ended, checked(problem, end.solution), end.bound)


def assigned(problem: Problem, watch: Watch) -> Answer:
    """Single-source location, by :mod:`estate.solve.location.single_source`."""
    limits = watch.limits

    def saw(best: Solution | None, bound: float) -> None:
        watch.saw(None if best is None else value_of(problem, best), bound if math.isfinite(bound) else None)

    end = _watched(
        watch,
        "single-source",
        lambda: single_source.solve(
            problem,
            gap=limits.gap,
            time_s=watch.left(),
            nodes=limits.work,
            start=start_of(problem),
            stop=watch.stop.is_set,
            saw=saw,
        ),
    )
    bound = end.bound if math.isfinite(end.bound) else None
    return conclude(problem, watch, end.ended, checked(problem, end.solution), bound)


def _watched[T](watch: Watch, name: str, search: Callable[[], T]) -> T:
    """What a search in a thread of its own returns, while this one takes Ctrl-C and shows progress."""
    check_solver(watch.limits.solver)
    found: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            found.append(search())
        except BaseException as error:  # noqa: BLE001  (handed to the caller's thread below)
            failure.append(error)

    worker = threading.Thread(target=work, name=name, daemon=True)
    worker.start()
    wait(worker, watch)
    if failure:
        raise failure[0]
    return found[0]


def farthest(problem: Problem, watch: Watch) -> Answer:
    """Least maximum distance: bisection over the distinct distances, each step a covering problem.

    Minieka (1970), The m-center problem, SIAM Rev. 12: the optimum is one of the listed distances, and a distance is
    within reach exactly when the covering problem at that radius has a plan.
    """
    radius = np.unique(problem.near.distance)
    best, ended = start_of(problem), "proven"
    if best is None:  # any plan at all, to start from
        outcome = run(formulate(problem, None, within=int(radius.max(initial=0))), watch)
        best, ended = checked(problem, outcome.solution), outcome.ended
        if best is None:
            return conclude(problem, watch, ended, None, None)
    value = value_of(problem, best)
    low, high = 0, int(np.searchsorted(radius, value))  # the optimum is one of radius[low..high], and best has radius[high]
    while low < high and ended == "proven":
        watch.saw(value, float(radius[low]))
        middle = (low + high) // 2
        outcome = run(formulate(problem, None, within=int(radius[middle])), watch)
        if outcome.ended == "infeasible":
            low = middle + 1
            continue
        ended = outcome.ended
        if (found := checked(problem, outcome.solution)) is not None:
            best, value = found, value_of(problem, found)
            high = int(np.searchsorted(radius, value))
    bound = float(radius[low]) if low < len(radius) else float(value)
    return conclude(problem, watch, "proven" if low == high else ended, best, bound)


def conclude(
    problem: Problem, watch: Watch, ended: str, solution: Solution | None, bound: float | None, *, unit: int = 1
) -> Answer:
    """The answer that a search's end amounts to.  A bound within half a unit of the value *is* the value."""
    seconds = watch.seconds()
    if solution is None:
        status = Status.INFEASIBLE if ended == "infeasible" else Status.UNKNOWN
        stopped = "proven" if ended == "infeasible" else ended
        bound = None if ended == "infeasible" else bound
        return Answer(status, None, None, bound, None, stopped in {"proven", "work"}, stopped, seconds, _trace(watch))
    value = value_of(problem, solution)
    if bound is not None:
        maximised = problem.goal is Goal.COVERED
        bound = max(bound, float(value)) if maximised else min(bound, float(value))
        if ended == "proven" and abs(value - bound) <= 0.5 * unit:
            bound = float(value)
    elif ended == "proven" and watch.limits.gap == 0.0:
        bound = float(value)
    gap = relative_gap(value, bound)
    stopped = "gap" if ended == "proven" and gap != 0.0 else ended
    watch.saw(value, bound)
    proven = stopped in {"proven", "gap"} and gap is not None and gap <= OPTIMAL_GAP
    status = Status.OPTIMAL if proven else Status.FEASIBLE
    return Answer(status, solution, value, bound, gap, stopped in {"proven", "gap", "work"}, stopped, seconds, _trace(watch))


def _trace(watch: Watch) -> tuple[tuple[float, int | None, float | None], ...]:
    return tuple(watch.trace)
