"""spopt's side of `scripts/benchmark spopt`: runs in spopt's own environment, which does not have the project.

spopt_side.py FOLDER: reads order.json and the arrays it names, writes answers.json.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pulp
from spopt.locate import LSCP, MCLP, PCenter, PMedian


def cpu_s() -> float:
    """CPU seconds of this process and of the solvers it has started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def build(model: str, limit: int, p: int, arrays: dict[str, np.ndarray]) -> LSCP | MCLP | PMedian | PCenter:
    """The model from the cost matrix."""
    distance, weight, capacity = arrays["distance"], arrays["weight"], arrays.get("capacity")
    if model == "lscp":
        return LSCP.from_cost_matrix(distance, limit)
    if model == "mclp":
        return MCLP.from_cost_matrix(distance, weight, limit, p)
    if model == "p-median":
        return PMedian.from_cost_matrix(distance, weight, p)
    if model == "p-center":
        return PCenter.from_cost_matrix(distance, p)
    if model == "clscp-so":
        return LSCP.from_cost_matrix(distance, limit, demand_quantity_arr=weight, facility_capacity_arr=capacity)
    return PMedian.from_cost_matrix(distance, weight, p, facility_capacities=capacity)


def main() -> None:
    """Answer every instance of the order."""
    folder = Path(sys.argv[1])
    order = json.loads((folder / "order.json").read_text())
    warnings.simplefilter("ignore")
    answers = {}
    for asked in order["instances"]:
        with np.load(folder / asked["file"]) as held:
            arrays = dict(held)
        limits = {"msg": False, "threads": 1, "timeLimit": order["time_s"], "gapRel": order["gap"]}
        solver = pulp.HiGHS(**limits) if order["solver"] == "highs" else pulp.PULP_CBC_CMD(**limits)
        began = cpu_s()
        made = build(asked["model"], asked["limit"], asked["p"], arrays)
        built = cpu_s()
        wall = time.perf_counter()
        made.solve(solver, results=False)
        # A run stopped by its time limit is called optimal too, so only one that ended well before it counts as proof.
        early = time.perf_counter() - wall < 0.9 * order["time_s"]
        proven = early and made.problem.sol_status == pulp.LpSolutionOptimal
        value = made.problem.objective.value()
        answers[asked["name"]] = {
            "value": value, "proven": proven, "build_s": built - began, "solve_s": cpu_s() - built,
        }  # fmt: skip
        del made
    versions = {name: version(name) for name in ("spopt", "pulp", "highspy")}
    (folder / "answers.json").write_text(json.dumps({"versions": versions, "answers": answers}))


if __name__ == "__main__":
    main()
