"""One side of one real case, in a process of its own: what it found, when, and what it cost.

    real_side.py WAY PROBLEM.pickle OUT.json TIME_S GAP CORES START

WAY is ``ours`` (``estate.solve.solve``, with the product's own default of no gap), ``plain`` (the textbook's rows in PuLP, HiGHS)
or ``model`` (the rows of ``estate.model`` in PuLP, HiGHS).  The clock starts with the arrays in memory.  Ours includes its own
model building; PuLP's is timed apart, so that the other sides' plans are not late because PuLP is slow to write a model.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


class Clock:
    """Wall and processor seconds, child processes included, since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), self._used()

    @staticmethod
    def _used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(each.ru_utime + each.ru_stime for each in both)

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    @property
    def cpu_s(self) -> float:
        return round(self._used() - self._cpu, 2)


def ours(problem: Any, time_s: float, gap: float, cores: int, start: bool) -> dict[str, Any]:  # noqa: FBT001
    """The product's search as it comes; ``gap`` and ``start`` are the others' terms."""
    del gap, start
    from estate.problem import violations
    from estate.solve import Limits, solve

    clock = Clock()
    answer = solve(problem, Limits(time_s=time_s, threads=cores))
    seconds, cpu = clock.wall_s, clock.cpu_s
    broken = [] if answer.solution is None else list(violations(problem, answer.solution))
    return {
        "build_s": 0.0, "seconds": seconds, "cpu_s": cpu, "value": answer.value, "bound": answer.bound,
        "status": str(answer.status), "stopped": answer.stopped, "broken": broken,
        "trace": [list(each[:3]) for each in answer.trace],
    }  # fmt: skip


def plain(problem: Any, time_s: float, gap: float, cores: int, start: bool) -> dict[str, Any]:  # noqa: FBT001
    """The textbook's rows in PuLP for HiGHS."""
    from bench.plain import begin_today, read_plan, written_plainly

    began = time.perf_counter()
    lp = written_plainly(problem)
    if start:
        begin_today(lp, problem)
    built = time.perf_counter() - began
    return _highs(problem, lp, 1e5, 0, built, time_s, gap, cores, start, lambda: read_plan(lp, problem))


def model(problem: Any, time_s: float, gap: float, cores: int, start: bool) -> dict[str, Any]:  # noqa: FBT001
    """The product's own rows in PuLP for HiGHS."""
    del start
    import numpy as np

    from estate.model import Measure, formulate, to_pulp
    from estate.problem import Solution

    began = time.perf_counter()
    f = formulate(problem, Measure.COST)
    lp, columns = to_pulp(f)
    built = time.perf_counter() - began

    def plan() -> Solution:
        block = {each.name: each for each in f.blocks}
        x = np.array([column.varValue or 0.0 for column in columns])
        chosen = x[block["host"].first :][: problem.n_pairs] > 0.5
        host = np.full(problem.n_points, -1, dtype=np.int64)
        host[problem.pair_point[chosen]] = problem.pair_site[chosen]
        return Solution(x[block["open"].first :][: problem.n_sites] > 0.5, host)

    return _highs(problem, lp, f.unit * f.sign, f.constant, built, time_s, gap, cores, False, plan)


def _highs(  # noqa: PLR0917
    problem: Any,
    lp: Any,
    unit: float,
    constant: int,
    built: float,
    time_s: float,
    gap: float,
    cores: int,
    start: bool,  # noqa: FBT001
    plan: Any,
) -> dict[str, Any]:
    """HiGHS on a PuLP model, its plans and bounds noted as they come; the plan it ends with is checked and priced exactly."""
    import highspy
    import pulp

    from estate.problem import cost, violations

    solver = pulp.HiGHS(msg=False, threads=cores, timeLimit=time_s, gapRel=gap, warmStart=start)
    began = time.perf_counter()
    solver.createAndConfigureSolver(lp)
    solver.buildSolverModel(lp)
    h = lp.solverModel
    trace: list[list[float | None]] = []
    loading = time.perf_counter() - began
    clock = Clock()

    def note(event: Any) -> None:
        best, bound = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        found = [None if abs(each) > 1e29 else each * unit + constant for each in (best, bound)]
        if not trace or trace[-1][1:] != found:
            trace.append([clock.wall_s, *found])

    h.HandleKeyboardInterrupt = False
    h.cbMipImprovingSolution += note
    h.cbMipLogging += note
    h.run()
    seconds, cpu = clock.wall_s, clock.cpu_s
    info, status = h.getInfo(), h.getModelStatus()
    value, broken = None, []
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        for variable, x in zip(lp.exported_variables(), h.getSolution().col_value, strict=True):
            variable.varValue = x
        found = plan()
        broken = list(violations(problem, found))
        value = cost(problem, found)
    bound = info.mip_dual_bound
    done = status == highspy.HighsModelStatus.kOptimal
    bad = status == highspy.HighsModelStatus.kInfeasible
    return {
        "build_s": built + loading, "seconds": seconds, "cpu_s": cpu, "value": value,
        "bound": None if abs(bound) > 1e29 else bound * unit + constant,
        "status": "infeasible" if bad else "optimal" if done else "feasible" if value is not None else "unknown",
        "stopped": h.modelStatusToString(status), "trace": trace, "broken": broken,
    }  # fmt: skip


def main() -> None:
    way, source, target, time_s, gap, cores, start = sys.argv[1:]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    with Path(source).open("rb") as stream:
        problem = pickle.load(stream)  # noqa: S301  (written by the parent)
    found = {"ours": ours, "plain": plain, "model": model}[way](
        problem, float(time_s), float(gap), int(cores), start == "start"
    )
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    Path(target).write_text(json.dumps({**found, "peak_gib": round(max(peaks) / 2**20, 2)}, default=float))


if __name__ == "__main__":
    main()
