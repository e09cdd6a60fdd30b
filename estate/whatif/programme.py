"""A problem's mixed-integer programme as the arrays HiGHS takes, kept, and solved again under other costs and locks.

The rows are those of :mod:`estate.model`; PuLP is left out because building it costs half as much again as solving.  Every
solve is a *pure function* of the arrays, the costs, the locks and the start: a fresh solver, one thread, one seed, the gap
closed to half a unit.  What was solved before cannot change an answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import highspy
import numpy as np

from estate.model import Formulation, Measure, formulate
from estate.problem import Bools, Floats, Ints, Problem, Solution, violations

_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.5,  # the objective is whole units at every plan, so half a unit proves the optimum
    "mip_detect_symmetry": False,
}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one solve showed: ``ended`` is ``proven``, ``infeasible`` or ``time``; ``bound`` in pence."""

    ended: str
    solution: Solution | None
    bound: float | None


@dataclass(frozen=True, eq=False)
class Programme:
    """The arrays of one problem under its cost; locks and other costs are laid on at each solve."""

    problem: Problem

    @cached_property
    def formulation(self) -> Formulation:
        """Columns and rows of the model."""
        return formulate(self.problem, Measure.COST)

    @cached_property
    def _model(self) -> highspy.HighsLp:
        return _model(self.formulation)

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        blocks = self.formulation.blocks
        return np.concatenate([b.lower for b in blocks]), np.concatenate([b.upper for b in blocks])

    def solve(
        self,
        site_cost: Ints,
        pair_cost: Ints,
        *,
        keep: Bools | None = None,
        close: Bools | None = None,
        start: Solution | None = None,
        time_s: float | None = None,
        far_from: tuple[list[Solution], int] | None = None,
    ) -> Found:
        """The plan of least ``site_cost . open + pair_cost . host`` (pence) with the marked sites (J,) kept and closed.

        ``far_from``: plans, and the number of optional buildings by which the answer must differ from each.  A building
        then only stays open for a reason: one that is free to close must hold somebody.
        """
        f, problem = self.formulation, self.problem
        J, P = problem.n_sites, problem.n_pairs
        weight = np.concatenate([site_cost, pair_cost])
        unit = max(int(np.gcd.reduce(weight)), 1) if len(weight) else 1
        model = self._model
        lower, upper = (side.copy() for side in self._bounds)
        if far_from is not None:
            f = formulate(problem, Measure.COST)
            _apart(f, *far_from)
            model = _model(f)
        if keep is not None:
            lower[:J][keep] = 1.0
        if close is not None:
            upper[:J][close] = 0.0
            upper[J : J + P][close[problem.pair_site]] = 0.0
        if (lower > upper).any():
            return Found("infeasible", None, None)
        cost = np.zeros(f.n_columns)
        cost[: J + P] = weight // unit
        model.col_cost_, model.col_lower_, model.col_upper_ = cost, lower, upper
        highs: Any = highspy.Highs()
        for name, value in _OPTIONS.items():
            highs.setOptionValue(name, value)
        if time_s is not None:
            highs.setOptionValue("time_limit", time_s)
        highs.passModel(model)
        if start is not None:
            highs.setSolution(f.n_columns, np.arange(f.n_columns, dtype=np.int32), f.values(start))
        highs.run()
        return _read(highs, f, unit)


def _read(highs: Any, f: Formulation, unit: int) -> Found:
    status, info = highs.getModelStatus(), highs.getInfo()
    kinds = highspy.HighsModelStatus
    if status in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible):  # every column is bounded
        return Found("infeasible", None, None)
    there = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = f.solution(np.array(highs.getSolution().col_value)) if there else None
    bound = float(info.mip_dual_bound) * unit
    ended = "proven" if status == kinds.kOptimal else "time"
    return Found(ended, solution, bound if math.isfinite(bound) else None)


def _model(f: Formulation) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = f.n_columns, sum(len(rows) for rows in f.rows)
    model.row_lower_ = np.concatenate([rows.lower for rows in f.rows])
    model.row_upper_ = np.concatenate([rows.upper for rows in f.rows])
    offset = np.cumsum([0, *(rows.start[-1] for rows in f.rows)])
    starts = [rows.start[:-1] + first for rows, first in zip(f.rows, offset, strict=False)]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(np.concatenate(starts), offset[-1]).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([rows.column for rows in f.rows]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([rows.value for rows in f.rows])
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[block.integer] for block in f.blocks for _ in range(len(block))]
    return model


def _apart(f: Formulation, plans: list[Solution], least: int) -> None:
    """Rows ``sum over optional sites of |open - open in plan| >= least``, and ``open_j <= sum_s host_sj`` for those sites."""
    problem = f.problem
    optional = np.flatnonzero(~problem.must_open & ~problem.must_close)
    for plan in plans:
        there = plan.open[optional]
        value = np.where(there, -1.0, 1.0)
        f.add_rows("apart", np.zeros(len(optional), dtype=np.int64), optional, value, n=1, lower=float(least - there.sum()))
    number = np.full(problem.n_sites, -1, dtype=np.int64)
    number[optional] = np.arange(len(optional))
    pairs = np.flatnonzero(number[problem.pair_site] >= 0)
    row = np.concatenate([number[problem.pair_site[pairs]], np.arange(len(optional))])
    column = np.concatenate([problem.n_sites + pairs, optional])
    value = np.concatenate([np.ones(len(pairs)), -np.ones(len(optional))])
    f.add_rows("used", row, column, value, n=len(optional), lower=0.0)


def feasible(problem: Problem, plan: Solution, keep: Bools, close: Bools) -> bool:
    """Whether a plan meets every row of a problem, and the locks."""
    return not (keep & ~plan.open).any() and not (close & plan.open).any() and not violations(problem, plan)
