"""What is left of a problem when its least cost is known: the decisions that tied plans may take."""

from __future__ import annotations

from dataclasses import replace

from estate.problem import Floats, Goal, Problem
from estate.solve import reduce
from estate.solve.columns import side_rows
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import core
from estate.solve.columns.lagrangian import ascend, evaluate

type Multipliers = tuple[Floats, Floats]
"""(S,) and (R + N,): a multiplier for each point, and for each cover and side row."""


def narrow(problem: Problem, value: int) -> Problem:
    """The problem without what the best multipliers show to be dearer than ``value`` (pence); every plan of that cost is kept.

    :func:`estate.solve.reduce.tighten` says which plans each rule loses: only such as are strictly dearer than another.
    """
    return narrowed(problem, multipliers(problem, value), value)


def multipliers(problem: Problem, value: int) -> Multipliers | None:
    """The best multipliers of a problem with a plan of ``value`` (pence); None where the engine has none."""
    if problem.goal is not Goal.COST or problem.shares:
        return None
    sized = side_rows.of_one_size(problem)
    cut = core(sized)
    dual = climb(sized, cut, ascend(cut, float(value), iterations=(100, 0, 0)), plan=problem.today)
    return dual.point, dual.row


def narrowed(problem: Problem, given: Multipliers | None, value: int) -> Problem:
    """As :func:`narrow`, by any multipliers of the same points and rows: what they prove is worked out anew."""
    if given is None:
        return problem
    sized = side_rows.of_one_size(problem)
    small = reduce.tighten(sized, dual=evaluate(core(sized), *given), value=float(value)).problem
    return replace(small, side=side_rows.times(small.side, side_rows.sizes(problem.side)))
