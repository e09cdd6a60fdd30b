"""What the modelling door costs: a county's model built in PuLP and copied into HiGHS, against its arrays loaded directly."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pulp

from estate.model import Measure, formulate, to_pulp
from estate.model.arrays import arrays
from estate.problem import Problem
from estate.problem.generate import SIZES, place
from estate.solve import Limits, highs, solve

TURNS = 5


def through_pulp(problem: Problem) -> None:
    """Formulate, build in PuLP, and copy into a HiGHS object, without solving."""
    lp, _ = to_pulp(formulate(problem, Measure(problem.goal)))
    solver = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(lp)
    solver.buildSolverModel(lp)


def through_arrays(problem: Problem) -> None:
    """Build the arrays and pass them to a HiGHS object."""
    highs.linear().passModel(highs.lp(arrays(formulate(problem, Measure(problem.goal)))))


def seconds(action: Callable[[Problem], None], problem: Problem) -> float:
    """Median CPU seconds of some turns."""
    taken = []
    for _ in range(TURNS):
        began = time.process_time()
        action(problem)
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def compare(seeds: tuple[int, ...]) -> list[dict[str, object]]:
    """One row for each seeded county."""
    solve(place(SIZES["county"], 99).problem, Limits(time_s=5, gap=0.01))  # compiles
    rows: list[dict[str, object]] = []
    for seed in seeds:
        problem = place(SIZES["county"], seed).problem
        door, load = seconds(through_pulp, problem), seconds(through_arrays, problem)
        began = time.process_time()
        solve(problem, Limits(gap=1e-4))
        solving = time.process_time() - began
        rows.append({
            "seed": seed, "pulp_s": round(door, 4), "arrays_s": round(load, 4), "ratio": round(door / load, 1),
            "solve_s": round(solving, 2), "door_share_of_solve": f"{100 * door / solving:.1f}%",
        })  # fmt: skip
    return rows
