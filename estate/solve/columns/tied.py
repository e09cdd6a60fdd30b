"""What is left of a problem when its least cost is known: the decisions that tied plans may take."""

from __future__ import annotations

from estate.problem import Problem
from estate.solve import reduce
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import core, is_pure
from estate.solve.columns.lagrangian import ascend


def narrow(problem: Problem, value: int) -> Problem:
    """The problem without what the best multipliers show to be dearer than ``value`` (pence); every plan of that cost is kept.

    :func:`estate.solve.reduce.tighten` says which plans each rule loses: only such as are strictly dearer than another.
    """
    if not is_pure(problem) or problem.shares:
        return problem
    cut = core(problem)
    dual = climb(problem, cut, ascend(cut, float(value), iterations=(100, 0, 0)), plan=problem.today)
    return reduce.tighten(problem, dual=dual, value=float(value)).problem
