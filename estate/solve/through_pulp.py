"""A formulation solved through PuLP: HiGHS in process, or CBC and SCIP as second opinions.

HiGHS runs in a thread of its own (:func:`.watch.aside`): the caller's thread stays free to take Ctrl-C and to report
progress, and each run gets its own HiGHS task scheduler.  PuLP's stock call would hold Ctrl-C back until the limit and then lose
the plan.

Proof to the penny.  The objective is a whole number of units at every plan (:class:`~estate.model.Formulation`), so an absolute
gap of half a unit is a proof of optimality: it leaves the other half for rounding in the solver's floats.  No float of the solver
is reported as a value: the plan is read off, checked row by row, and valued in integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pulp
from pulp.constants import LpSolveStatus

from estate.errors import Issue, SolverError
from estate.model import Formulation, to_pulp
from estate.problem import Solution
from estate.solve.highs import MISTRUSTED, mistrusted
from estate.solve.watch import Watch, aside

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


@dataclass(frozen=True, slots=True)
class PulpRun:
    """One solver run: why it ended (a value of :data:`ENDED`), its plan, and its bound in objective units."""

    ended: str
    solution: Solution | None
    bound: float | None


class _Highs(pulp.HiGHS):
    """PuLP's HiGHS, run in a thread of its own and watched."""

    def __init__(self, watch: Watch, to_measure: Callable[[float], float], *, another: bool = False, **options: Any) -> None:
        super().__init__(msg=False, **options)
        self.watch, self.to_measure, self.another = watch, to_measure, another
        self.doubts: list[str] = []
        """Presolve has been seen to go wrong (:data:`estate.solve.highs.DOUBT`)."""

    def callSolver(self, lp: pulp.LpProblem) -> None:  # noqa: N802  (PuLP's name)
        highs: Any = lp.solverModel
        watch = self.watch

        self.doubts = doubts = mistrusted(highs)
        first: list[float] = []

        def look(event: Any) -> None:
            out = event.data_out
            if doubts:
                return
            best, bound = out.mip_primal_bound, out.mip_dual_bound
            watch.saw(*(self.to_measure(x) if math.isfinite(x) else None for x in (best, bound)))
            if not first and math.isfinite(best):
                first.append(best)
            found = self.another and bool(first) and best < first[0] - 0.5
            watch.looks += watch.phase == "ties"
            if watch.stop.is_set() or found or watch.looked_enough():
                event.interrupt()

        highs.cbMipInterrupt.subscribe(look)
        aside(watch, "highs", highs.run)
        highs.clearCallbacks()

    def findSolutionValues(self, lp: pulp.LpProblem) -> tuple[LpSolveStatus, bool]:  # noqa: N802  (PuLP's name)
        status, has_solution = super().findSolutionValues(lp)  # type: ignore[no-untyped-call]
        highs: Any = lp.solverModel
        # Every column is bounded, so "unbounded or infeasible" can only be the latter.
        unclear = pulp.apis.highs.highspy_mod.HighsModelStatus.kUnboundedOrInfeasible
        return (LpSolveStatus.Infeasible if highs.getModelStatus() == unclear else status), has_solution


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


def run(f: Formulation, watch: Watch, *, start: Solution | None = None, gap: float = 0.0, another: bool = False) -> PulpRun:
    """Solve one formulation through PuLP, from ``start`` where that is a plan.

    A limit of ``work`` holds for the main search, and for ties by how often HiGHS looks up
    (:meth:`estate.solve.watch.Watch.looked_enough`); the clock holds for everything.  With ``another``, HiGHS stops at the first
    plan better than ``start``.
    """
    outcome = _run(f, watch, start=start, gap=gap, another=another)
    if outcome.ended in {"infeasible", MISTRUSTED} and watch.limits.solver == "highs":
        # HiGHS 1.15.1's presolve goes wrong at times (see :mod:`estate.solve.highs`): it needs a second witness without it.
        return _run(f, watch, start=start, gap=gap, another=another, presolve="off")
    return outcome


def _run(
    f: Formulation, watch: Watch, *, start: Solution | None, gap: float, another: bool, presolve: str = "choose"
) -> PulpRun:
    limits = watch.limits
    check_solver(limits.solver)
    lp, x = to_pulp(f)
    if start is not None:
        for variable, value in zip(x, f.values(start).tolist(), strict=True):
            variable.varValue = value
    solver = _solver(f, watch, warm=start is not None, gap=gap, another=another, presolve=presolve)
    stats = lp.solve(solver)
    if isinstance(solver, _Highs) and solver.doubts and presolve != "off":
        return PulpRun(MISTRUSTED, None, None)
    if stats.status not in ENDED:
        raise SolverError(f"the solver {limits.solver} broke down: {stats.status_str}")
    ended = ENDED[stats.status]
    bound = stats.best_bound
    if limits.solver == "scip":  # PuLP does not pass SCIP's bound on
        scip: Any = lp.solverModel
        bound = scip.getDualbound()
        bound = bound if abs(bound) < scip.infinity() else None
    if ended == "infeasible" or not stats.has_solution:
        return PulpRun(ended, None, bound)
    values = np.array([block for part in f.blocks for block in part.lower])
    for i, variable in enumerate(x):
        if variable.varValue is not None:
            values[i] = variable.varValue
    return PulpRun(ended, f.solution(values), bound)


def _solver(f: Formulation, watch: Watch, *, warm: bool, gap: float, another: bool, presolve: str) -> pulp.LpSolver:
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
    return _Highs(watch, f.to_measure, another=another, threads=limits.threads, **options, **common)
