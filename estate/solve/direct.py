"""Runs HiGHS on arrays: one thread, a seed, a work limit, an honest bound.

Kept apart from PuLP: this is the engine inside the search.  What HiGHS reports is turned into a :class:`Run` whose bound is
made safe (see :data:`MARGIN`), and whose status says only what was proven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np

from estate.problem import Floats
from estate.solve.arrays import Arrays

MARGIN = 1e-7
"""Relative safety taken off every bound that comes out of floating-point linear programming.

A thousandth of the gap at which a plan may be called optimal.  HiGHS prices to a dual tolerance of 1e-7 on costs near 1."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of HiGHS showed, in the arrays' own units."""

    x: Floats | None
    value: float
    bound: float
    """Safe lower bound; ``inf`` when the problem is proven infeasible (or no better than the cutoff)."""
    complete: bool
    """The run ended by proof rather than by a limit."""
    nodes: int


def run(
    arrays: Arrays,
    *,
    gap: float = 0.0,
    time_s: float | None = None,
    nodes: int | None = None,
    seed: int = 0,
    stop: Callable[[], bool] | None = None,
    options: dict[str, float | int | str | bool] | None = None,
) -> Run:
    """Solve the arrays as a mixed-integer programme."""
    h = highspy.Highs()
    settings: dict[str, float | int | str | bool] = {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "random_seed": seed,
        "mip_rel_gap": gap,
        "mip_abs_gap": 1e-7,
        **(options or {}),
    }
    if time_s is not None:
        settings["time_limit"] = max(time_s, 0.01)
    if nodes is not None:
        settings["mip_max_nodes"] = nodes
    for name, value in settings.items():
        h.setOptionValue(name, value)
    h.passModel(model(arrays))
    if stop is not None:
        h.HandleKeyboardInterrupt = False
        asked = stop

        def interrupt(event: highspy.HighsCallbackEvent) -> None:
            if asked():
                event.interrupt()

        h.cbMipInterrupt += interrupt
        h.cbSimplexInterrupt += interrupt
    h.run()
    status = h.getModelStatus()
    info = h.getInfo()
    infeasible = status == highspy.HighsModelStatus.kInfeasible
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(h.getSolution().col_value) if found else None
    value = float(info.objective_function_value) if found else np.inf
    bound = np.inf if infeasible else float(info.mip_dual_bound)
    if np.isfinite(bound):
        bound -= MARGIN * max(1.0, abs(bound))
    complete = infeasible or status == highspy.HighsModelStatus.kOptimal
    return Run(x, value, bound, complete, int(info.mip_node_count))


def model(arrays: Arrays) -> highspy.HighsLp:
    """The arrays as HiGHS takes them."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(arrays.cost), len(arrays.row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = arrays.cost, arrays.lower, arrays.upper
    lp.row_lower_, lp.row_upper_ = arrays.row_lower, arrays.row_upper
    lp.offset_ = arrays.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = arrays.start.astype(np.int32)
    lp.a_matrix_.index_ = arrays.index.astype(np.int32)
    lp.a_matrix_.value_ = arrays.value
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(i)] for i in arrays.integer]
    return lp
