#!/usr/bin/env -S sh -c 'exec "$(dirname "$0")/../../.venv/bin/python" "$0" "$@"'
"""Scenarios a minute on the county: a naive script, ours with reuse off, ours with one worker and with two; answers compared.

usage: scripts/bench/whatif.py [--scenarios 120] [--file inputs/worcestershire/whatif.toml]

*Naive*: the tables and the travel are read once, which flatters it, and so is our own fast formulation; then each scenario writes
its PuLP programme plainly, one row for each zone and service, and solves it with CBC through pulp[cbc] as it
comes, one process a core.  *Reuse off*: each scenario reads every file and
builds everything (`estate whatif --no-reuse`), on the same two workers; a twelfth of the scenarios, because it is slow.  *Ours*:
`estate whatif`.  Times are of the scenarios alone, the start of processes apart (both need some seconds).  CPU is this program's
and its children's: on a machine that does other work besides, the one to look at.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pulp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.plain import written_plainly

from estate.formulate import formulate
from estate.standards.measured import Measured
from estate.whatif.batch import plan_batch
from estate.whatif.workers import Helper, answers, cluster

ROOT = Path(__file__).resolve().parents[2]
CORES = 2
KINDS = ("each-site", "each-agency", "ranges", "grid", "list", "sample", "alternatives")

_known = {}


def naive_start(file: str) -> None:
    with TemporaryDirectory() as folder:
        _known["evaluator"] = plan_batch(Path(file), Path(folder), lambda _: None).evaluator


def naive(changes: dict[str, object]) -> tuple[str, float | None]:
    """One scenario, everything rebuilt: tables, rows, PuLP; CBC as it comes."""
    evaluator = _known["evaluator"]
    scenario = evaluator.scenario(changes)
    place = evaluator.place(scenario)
    made = formulate(Measured.of(place, scenario, evaluator.travel(scenario, place)))
    p = made.problem
    lp = written_plainly(p)
    stats = lp.solve(pulp.COIN_CMD(msg=False))
    if not stats.has_solution:
        return "infeasible", None
    chosen = {v.name for v in lp.variables() if (v.varValue or 0) > 0.5}
    pence = sum(int(c) for j, c in enumerate(p.site_cost) if f"open_{j}" in chosen)
    pence += sum(int(c) for q, c in enumerate(p.pair_cost) if f"host_{q}" in chosen)
    return "optimal", (pence + made.constant) / 100


def cpu() -> float:
    """CPU seconds of this process and its children, living and dead."""
    times = os.times()
    alive = sum(sum(child.cpu_times()[:4]) for child in psutil.Process().children(recursive=True))
    return sum(times[:4]) + alive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", type=int, default=120)
    parser.add_argument("--file", default=str(ROOT / "inputs" / "worcestershire" / "whatif.toml"))
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        batch = plan_batch(Path(given.file), Path(folder), lambda _: None)
    began, before = time.perf_counter(), cpu()
    regions = batch.evaluator.regions()
    once = time.perf_counter() - began, cpu() - before
    batch = replace(batch, shared=replace(batch.shared, regions=regions))
    plain = {digest: item for item, digest in zip(batch.items, batch.hashes, strict=True) if item.kind in KINDS[:-1]}
    asks = [ask for ask in batch.asks if ask.hash in plain]
    asks = asks[:: max(len(asks) // given.scenarios, 1)][: given.scenarios]
    found: dict[str, dict[str, float | None]] = {}
    rows: dict[str, tuple[float, float, int]] = {}

    def ours(name: str, workers: int, chosen: list, *, reuse: bool) -> None:
        with cluster("", workers) as client:
            helper = Helper(name, batch.shared, reuse=reuse)
            list(answers(client, helper, chosen[:: max(len(chosen) // 8, 1)], 600))  # processes started, modules imported
            client.unregister_worker_plugin(name)
            wall, used = time.perf_counter(), cpu()
            fresh = Helper(f"{name} measured", batch.shared, reuse=reuse)
            result = [row for some in answers(client, fresh, chosen, 600) for row in some]
            rows[name] = (time.perf_counter() - wall, cpu() - used, len(chosen))
            found[name] = {row["hash"]: row.get("objective") for row in result}

    with ProcessPoolExecutor(CORES, get_context("spawn"), naive_start, (given.file,)) as pool:
        list(pool.map(naive, [{}] * (4 * CORES)))
        wall, used = time.perf_counter(), cpu()
        result = list(pool.map(naive, [dict(ask.changes) for ask in asks], chunksize=4))
        rows["naive"] = (time.perf_counter() - wall, cpu() - used, len(asks))
        found["naive"] = {ask.hash: value for ask, (_, value) in zip(asks, result, strict=True)}
    ours("reuse off", CORES, asks[::12], reuse=False)
    ours("one worker", 1, asks, reuse=True)
    ours("two workers", CORES, asks, reuse=True)

    apart = [
        (name, key, value, found["naive"][key])
        for name in rows
        for key, value in found[name].items()
        if (value is None) != (found["naive"][key] is None)
        or (value is not None and abs(value - (found["naive"][key] or 0)) > 0.5)
    ]
    base_wall, base_cpu = (rows["naive"][i] / rows["naive"][2] for i in (0, 1))
    print("| way | scenarios a minute | CPU ms each | times naive (wall) | times naive (CPU) |")
    print("|---|---|---|---|---|")
    for name, (wall, used, n) in rows.items():
        times = f"{base_wall * n / wall:.1f} | {base_cpu * n / used:.1f}"
        print(f"| {name} | {60 * n / wall:,.0f} | {1000 * used / n:,.1f} | {times} |")
    scaling = rows["one worker"][0] / rows["two workers"][0]
    print(f"\nproving regions, once for all scenarios: {once[0]:.2f} s, CPU {once[1]:.2f} s; proven: {len(regions)}")
    print(f"one worker to two: {scaling:.2f} times; answers that differ: {len(apart)} of {len(asks)} {json.dumps(apart[:3])}")


if __name__ == "__main__":
    main()
