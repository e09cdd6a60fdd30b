"""HiGHS in process: its options, its quirks, and what it may be believed.

The one module that imports highspy.  :func:`run` solves a mixed-integer programme given as arrays: one thread, a seed, limits of
work and time, an honest bound; :func:`linear` is a linear programme that stays alive between solves.

What is known of the release in use (Huangfu and Hall 2018 for the method):

* its bound comes out of floating-point linear programming: :data:`MARGIN` is taken off;
* 1.15.1's presolve has been seen to call a feasible programme infeasible, so "no plan" needs *two witnesses*, with presolve and
  without it;
* 1.15.1's presolve also makes programmes some of whose plans break a row of the original.  HiGHS then says ("untransformed
  violations"), throws the plan away *and the branch with it*, and may call the start optimal that it was given: :func:`run`
  listens for the words, ends there, and begins again without presolve (`tests/solve/test_differential.py` has a place);
* with ``objective_bound`` set its dual bound is not to be trusted, so nothing here sets it;
* it drops a start that breaks a row without a word, and says ``kSolutionLimit`` at ``mip_max_nodes``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import highspy
import numpy as np

from estate.errors import SolverError
from estate.model.arrays import Arrays
from estate.problem import Floats
from estate.solve.watch import NEVER, Clock

INF: float = highspy.kHighsInf
Basis = highspy.HighsBasis
BASIC = highspy.HighsBasisStatus.kBasic
AT_BOUND = highspy.HighsModelStatus.kObjectiveBound

MARGIN = 1e-7
"""Relative safety taken off every bound that comes out of floating-point linear programming.

A thousandth of the gap at which a plan may be called optimal.  HiGHS prices to a dual tolerance of 1e-7 on costs near 1."""

DOUBT = "untransformed violations"
"""What HiGHS says when a plan of the presolved programme is none of the original."""
MISTRUSTED = "mistrusted"
"""Why a run stopped that said so: nothing it proves from then on is believed."""

type Saw = Callable[[Floats | None, float], None]
"""Told of a plan (the columns' values, or None) and the bound."""
type Options = Mapping[str, float | int | str | bool]

QUIET: Options = {"output_flag": False, "threads": 1, "parallel": "off"}
"""One thread wherever HiGHS is called: a second one is worth more to another search."""

_KINDS = highspy.HighsModelStatus
ENDED = {
    _KINDS.kOptimal: "proven",
    _KINDS.kInfeasible: "infeasible",
    _KINDS.kUnboundedOrInfeasible: "infeasible",  # every column is bounded
    _KINDS.kTimeLimit: "time",
    _KINDS.kInterrupt: "interrupt",
}
"""Why a run stopped, in our words; any other status is a limit of work."""


@dataclass(frozen=True, slots=True)
class HighsRun:
    """What one run of HiGHS showed, in the arrays' own units."""

    x: Floats | None
    value: float
    bound: float
    """Safe lower bound; ``inf`` when the problem is proven infeasible (or no better than the cutoff)."""
    ended: str
    """``proven`` (within the gaps asked for), ``infeasible``, ``time``, ``work`` or ``interrupt``."""
    nodes: int

    @property
    def complete(self) -> bool:
        """The run ended by proof rather than by a limit."""
        return self.ended in {"proven", "infeasible"}


def run(  # noqa: PLR0913 - each limit is one
    arrays: Arrays,
    *,
    gap: float = 0.0,
    clock: Clock = NEVER,
    nodes: int | None = None,
    looks: int | None = None,
    seed: int = 0,
    start: Floats | None = None,
    saw: Saw | None = None,
    options: Options | None = None,
) -> HighsRun:
    """Solve the arrays as a mixed-integer programme.

    Parameters
    ----------
    nodes, looks
        Limits of work: nodes of the tree, and how often HiGHS looks up to ask whether to go on (between nodes, rounds of cuts and
        heuristics: always at the same places, where its counts of iterations stand still inside a tree).
    start
        Values of the columns in a plan to begin with.
    saw
        Told of every better plan, with the bound at that moment, and of the bound alone now and then (from HiGHS's thread,
        which waits).
    """
    settings: dict[str, float | int | str | bool] = {
        **QUIET, "random_seed": seed, "mip_rel_gap": gap, "mip_abs_gap": 1e-7, **(options or {}),
    }  # fmt: skip
    if nodes is not None:
        settings["mip_max_nodes"] = nodes
    found = _run(arrays, settings, clock, looks, start, saw)
    if found.ended in {"infeasible", MISTRUSTED} and settings.get("presolve") != "off":
        return _run(arrays, {**settings, "presolve": "off"}, clock, looks, start if found.x is None else found.x, saw)
    return found


def _run(
    arrays: Arrays,
    settings: Options,
    clock: Clock,
    looks: int | None,
    start: Floats | None,
    saw: Saw | None,
) -> HighsRun:
    h = highspy.Highs()
    for name, value in settings.items():
        h.setOptionValue(name, value)
    if (left := clock.left()) is not None:
        h.setOptionValue("time_limit", max(left, 0.01))
    h.passModel(lp(arrays))
    if start is not None:
        h.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
    h.HandleKeyboardInterrupt = False
    doubts = mistrusted(h) if settings.get("presolve") != "off" else []
    spent = _watched(h, looks, clock.stop, saw, doubts)
    h.run()
    info = h.getInfo()
    ended = ENDED.get(h.getModelStatus(), "work")
    if ended == "interrupt" and spent:
        ended = "work"
    if doubts:
        ended = MISTRUSTED
    there = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(h.getSolution().col_value) if there else None
    value = float(info.objective_function_value) if there else np.inf
    bound = np.inf if ended == "infeasible" else -np.inf if doubts else safe(info.mip_dual_bound)
    return HighsRun(x, value, bound, ended, int(info.mip_node_count))


def _watched(
    h: highspy.Highs,
    looks: int | None,
    stop: Callable[[], bool],
    saw: Saw | None,
    doubts: list[str],
) -> list[bool]:
    """Lay on the callbacks; the list gets an entry when the limit of looks ended the run.  In doubt no bound is told."""
    spent: list[bool] = []
    calls = 0

    def look(event: highspy.HighsCallbackEvent) -> None:
        nonlocal calls
        calls += 1
        if saw is not None and not doubts:
            saw(None, safe(event.data_out.mip_dual_bound))
        if looks is not None and calls > looks:
            spent.append(True)
        if spent or stop():
            event.interrupt()

    def better(event: highspy.HighsCallbackEvent) -> None:
        if saw is not None:
            out = event.data_out
            saw(np.array(out.mip_solution), -np.inf if doubts else safe(out.mip_dual_bound))

    h.cbMipInterrupt += look
    if stop is not NEVER.stop:  # asked at each iteration: not where nobody can say so
        h.cbSimplexInterrupt += lambda event: event.interrupt() if stop() else None
    if saw is not None:
        h.cbMipImprovingSolution += better
    return spent


def mistrusted(h: highspy.Highs) -> list[str]:
    """Listen for what shows that presolve has gone wrong: the list gets the words, and the run is asked to end there."""
    heard: list[str] = []

    def listen(event: highspy.HighsCallbackEvent) -> None:
        if DOUBT in event.message:
            heard.append(event.message.strip())

    h.setOptionValue("log_to_console", False)
    h.setOptionValue("output_flag", True)
    h.cbLogging += listen
    h.cbMipInterrupt += lambda event: event.interrupt() if heard else None
    return heard


def safe(bound: float) -> float:
    """A bound with :data:`MARGIN` taken off; minus infinity where there is none."""
    return bound - MARGIN * max(1.0, abs(bound)) if np.isfinite(bound) else -np.inf


def linear(**options: float | str | bool) -> highspy.Highs:
    """A linear programme to be filled and solved again and again: no presolve, so that the basis is kept."""
    h = highspy.Highs()
    for name, value in {**QUIET, "presolve": "off", **options}.items():
        h.setOptionValue(name, value)
    return h


def solved(h: highspy.Highs) -> bool:
    """Solve a living linear programme; whether it ended at its optimum."""
    h.run()
    return bool(h.getModelStatus() == _KINDS.kOptimal)


def continuous(arrays: Arrays) -> tuple[Floats, Floats] | None:
    """The best values of the columns and the dual value of each row, with no column whole; None where there are none.

    Raises
    ------
    SolverError
        When HiGHS ends in any other way.
    """
    h = highspy.Highs()
    for name, value in QUIET.items():
        h.setOptionValue(name, value)
    model = lp(arrays)
    model.integrality_ = []
    h.passModel(model)
    h.run()
    status = h.getModelStatus()
    if status in {_KINDS.kInfeasible, _KINDS.kUnboundedOrInfeasible}:
        return None
    if status != _KINDS.kOptimal:
        raise SolverError(f"HiGHS ended a linear programme with {h.modelStatusToString(status)}")
    found = h.getSolution()
    return np.array(found.col_value), np.array(found.row_dual)


def lp(arrays: Arrays) -> highspy.HighsLp:
    """The arrays as HiGHS takes them."""
    m = highspy.HighsLp()
    m.num_col_, m.num_row_ = len(arrays.cost), len(arrays.row_lower)
    m.col_cost_, m.col_lower_, m.col_upper_ = arrays.cost, arrays.lower, arrays.upper
    m.row_lower_, m.row_upper_ = arrays.row_lower, arrays.row_upper
    m.offset_ = arrays.offset
    m.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    m.a_matrix_.start_ = arrays.start.astype(np.int32)
    m.a_matrix_.index_ = arrays.index.astype(np.int32)
    m.a_matrix_.value_ = arrays.value
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    m.integrality_ = [kinds[int(i)] for i in arrays.integer]
    return m
