"""Share rules: the same county as somebody would write it in PuLP for HiGHS, and through the engine, at the same CPU seconds."""

from __future__ import annotations

import time

import highspy
import pulp
from bench.plain import written_plainly

from estate.problem import Problem, cost
from estate.problem.generate import SIZES, place
from estate.solve.shares import search as shares
from estate.solve.watch import Clock

SEEDS = (0, 1, 2)


def plain(p: Problem, cpu_s: float) -> tuple[float | None, float | None]:
    """Value and bound, pence, of HiGHS through PuLP, stopped at so much CPU (HiGHS itself can be told only of the clock)."""
    lp = written_plainly(p)
    began = time.process_time()
    solver = pulp.HiGHS(msg=False, threads=1, timeLimit=20 * cpu_s)

    def stop(event) -> None:  # noqa: ANN001
        if time.process_time() - began > cpu_s:
            event.interrupt()

    solver.createAndConfigureSolver(lp)
    solver.buildSolverModel(lp)
    h = lp.solverModel
    h.HandleKeyboardInterrupt = False
    h.cbMipInterrupt += stop
    h.cbSimplexInterrupt += stop
    h.run()
    info = h.getInfo()
    value = (
        info.objective_function_value if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible else None
    )
    return (None if value is None else value * 1e5), info.mip_dual_bound * 1e5


def compare(size: str, seeds: tuple[int, ...], *, cpu_s: float, share: float) -> list[dict[str, object]]:
    """One row for each seed and way."""
    warm = place(SIZES["county"], 99, share=share).problem  # compiles the kernels (once a machine; kept on disk)
    shares.solve(warm, shares.ShareEffort(gap=0.02, nodes=20, sweeps=0), plan=warm.today)
    rows: list[dict[str, object]] = []
    for seed in seeds:
        p = place(SIZES[size], seed, share=share).problem
        began = time.process_time()
        effort = shares.ShareEffort(gap=1e-4, clock=Clock(stop=lambda began=began: time.process_time() - began > cpu_s))
        found = shares.solve(p, effort, plan=p.today)
        rows.append(_row(size, seed, "estate", began, cost(p, found.plan), found.bound))
        began = time.process_time()
        value, bound = plain(p, cpu_s)
        rows.append(_row(size, seed, "plain highs", began, value, bound))
    return rows


def _row(size: str, seed: int, way: str, began: float, value: float | None, bound: float | None) -> dict[str, object]:
    gap = None if value is None or bound is None else max(0.0, 1 - bound / value)
    return {
        "size": size, "seed": seed, "way": way, "value_gbp_pa": None if value is None else round(value / 100),
        "bound_gbp_pa": None if bound is None else round(bound / 100), "gap": gap,
        "cpu_s": round(time.process_time() - began, 1),
    }  # fmt: skip
