"""What is left of a problem when its least cost is known: the decisions that tied plans may take."""

from __future__ import annotations

from dataclasses import replace

from estate.problem import Goal, Problem
from estate.solve import reduce
from estate.solve.columns import rows
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import core
from estate.solve.columns.lagrangian import ascend


def narrow(problem: Problem, value: int) -> Problem:
    """The problem without what the best multipliers show to be dearer than ``value`` (pence); every plan of that cost is kept.

    :func:`estate.solve.reduce.tighten` says which plans each rule loses: only such as are strictly dearer than another.
    """
    if problem.goal is not Goal.COST or problem.shares:
        return problem
    sized = rows.of_one_size(problem)
    cut = core(sized)
    dual = climb(sized, cut, ascend(cut, float(value), iterations=(100, 0, 0)), plan=problem.today)
    small = reduce.tighten(sized, dual=dual, value=float(value)).problem
    return replace(small, side=rows.times(small.side, rows.sizes(problem.side)))
