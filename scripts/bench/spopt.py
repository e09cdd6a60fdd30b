"""The textbook models: spopt in an environment of its own, and the same instances through our core.

spopt 0.7 writes its models pair by pair in PuLP 3; the project uses PuLP 4.  So the first use makes a virtual environment in the
user's cache from ``requirements/spopt.txt`` (hashed pins), and spopt's side runs there (``spopt_side.py``) on arrays in a
temporary folder.

Timed on both sides: from the cost matrix to the plan, so the building of the model is in, the making of the matrix (shared) out.
CPU seconds, one thread.  Imports, and on our side the compiling of kernels (once a machine), are left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estate.problem import Problem, textbook
from estate.problem.generate import SIZES, Size, place
from estate.solve import Limits, solve
from estate.solve.answer import Answer

PINS = Path(__file__).resolve().parent.parent.parent / "requirements" / "spopt.txt"
SIDE = Path(__file__).resolve().parent / "spopt_side.py"
TOWN = Size(sites=250, zones=1_000, side_m=66_000)
DETOUR = 1.3
SEEDS = range(5)
GAP = 1e-4
"""What HiGHS leaves open by default on spopt's side; ours leaves nothing."""


@dataclass(frozen=True)
class Instance:
    """One model with its numbers; ``distance`` is (clients, sites) in metres."""

    name: str
    model: str
    distance: NDArray[np.int64] = field(repr=False)
    weight: NDArray[np.int64] = field(repr=False)
    capacity: NDArray[np.int64] | None = field(default=None, repr=False)
    limit: int = 0
    p: int = 0
    spopt: bool = True
    """Whether spopt is asked too."""

    def problem(self) -> Problem:
        """The same as a special case of our problem."""
        capacity = np.zeros(0, dtype=np.int64) if self.capacity is None else self.capacity
        made = {
            "lscp": lambda: textbook.lscp(self.distance, self.limit),
            "mclp": lambda: textbook.mclp(self.distance, self.weight, self.limit, self.p),
            "p-median": lambda: textbook.p_median(self.distance, self.weight, self.p),
            "p-center": lambda: textbook.p_center(self.distance, self.p),
            "clscp-so": lambda: textbook.capacitated_lscp(self.distance, self.weight, capacity, self.limit),
            "capacitated p-median": lambda: textbook.capacitated_p_median(self.distance, self.weight, capacity, self.p),
        }
        return made[self.model]()


def _matrix(clients: NDArray[np.float64], sites: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.round(np.hypot(*(clients[:, None] - sites).transpose(2, 0, 1)) * DETOUR).astype(np.int64)


def shared() -> list[Instance]:
    """The thirty: five seeds of six models, small enough for both sides to prove in a moment."""
    made = []
    for seed in SEEDS:
        rng = np.random.default_rng([30, seed])
        d = _matrix(rng.uniform(0, 10_000, (60, 2)), rng.uniform(0, 10_000, (20, 2)))
        w = rng.integers(1, 100, 60)
        limit = int(d.min(axis=1).max()) + 200
        made += [
            Instance(f"lscp-{seed}", "lscp", d, w, limit=limit),
            Instance(f"mclp-{seed}", "mclp", d, w, limit=2_500, p=4),
            Instance(f"p-median-{seed}", "p-median", d, w, p=4),
            Instance(f"p-center-{seed}", "p-center", d, w, p=5),
        ]
        few = d[:24, :8]
        units = rng.integers(1, 4, 24)
        room = rng.integers(12, 20, 8)
        reach = int(np.sort(few, axis=1)[:, 3].max())
        made += [
            Instance(f"clscp-so-{seed}", "clscp-so", few, units, room, limit=reach),
            Instance(f"capacitated-p-median-{seed}", "capacitated p-median", few, units, room, p=4),
        ]
    return made


def timed(size: str, seed: int) -> list[Instance]:
    """The instances of a size, on the generated places that the other benchmarks use."""
    if size == "small":
        return []
    d, w = _place(SIZES[size], seed)
    reach = int(d.min(axis=1).max())
    if size == "county":
        return [
            Instance("county lscp, every zone", "lscp", d, w, limit=reach),
            Instance("county mclp 5 km, p=20", "mclp", d, w, limit=5_000, p=20),
            Instance("county p-median, p=20", "p-median", d, w, p=20),
            Instance("county p-center, p=5", "p-center", d, w, p=5),
        ]
    near = d.min(axis=1) <= 10_000
    small, people = _place(TOWN, seed)
    return [
        Instance("region lscp 10 km, zones in reach", "lscp", d[near], w[near], limit=10_000),
        Instance("region lscp, every zone", "lscp", d, w, limit=reach),
        Instance("region mclp 5 km, p=100", "mclp", d, w, limit=5_000, p=100),
        Instance("region mclp 5 km, p=200", "mclp", d, w, limit=5_000, p=200),
        Instance("250 sites p-median, p=25", "p-median", small, people, p=25),
        Instance("250 sites p-center, p=15", "p-center", small, people, p=15),
        # 7.5 million integer columns, built pair by pair, are more than spopt's side can be asked.
        Instance("region p-median, p=200", "p-median", d, w, p=200, spopt=False),
        Instance("region p-center, p=100", "p-center", d, w, p=100, spopt=False),
    ]


def _place(size: Size, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    made = place(size, seed)
    return _matrix(made.zone_xy, made.site_xy), made.zone_people


def environment() -> Path:
    """The Python of spopt's environment, made on first use."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "estate"
    digest = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = base / f"spopt-{digest}"
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"Making spopt's environment in {folder}: once, a minute or two", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--require-hashes", "-r", str(PINS)], check=True)
        done.touch()
    return python


def theirs(instances: list[Instance], solver: str, time_s: float, gap: float) -> tuple[dict[str, str], dict[str, Any]]:
    """spopt's versions, and its answer to each instance by name."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        asked = []
        for n, i in enumerate(instances):
            arrays = {"distance": i.distance, "weight": i.weight}
            np.savez(folder / f"{n}.npz", **arrays, **({} if i.capacity is None else {"capacity": i.capacity}))
            asked.append({"file": f"{n}.npz", "name": i.name, "model": i.model, "limit": i.limit, "p": i.p})
        order = {"solver": solver, "time_s": time_s, "gap": gap, "instances": asked}
        (folder / "order.json").write_text(json.dumps(order))
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        subprocess.run([str(environment()), "-P", str(SIDE), scratch], check=True, env={**os.environ, **one})
        answer = json.loads((folder / "answers.json").read_text())
    return answer["versions"], answer["answers"]


def ours(instance: Instance, time_s: float) -> tuple[Answer, float]:
    """The answer and its CPU seconds, from the cost matrix to the plan."""
    began = time.process_time()
    answer = solve(instance.problem(), Limits(time_s=time_s))
    return answer, time.process_time() - began


def compare(
    size: str, seed: int, solver: str, time_s: float, only: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[dict[str, object]], list[str]]:
    """Versions, a row for each timed instance (the thirty by model), and the names of those whose values differ.

    ``only`` leaves the timed instances whose names hold one of its words.
    """
    thirty = shared()
    more = [i for i in timed(size, seed) if not only or any(word in i.name for word in only)]
    for i in thirty + timed("county", seed):  # compiles the kernels
        ours(i, time_s)
    versions, small = theirs(thirty, solver, time_s, 0.0)
    _, large = theirs([i for i in more if i.spopt], solver, time_s, GAP) if more else ({}, {})
    rows: list[dict[str, object]] = []
    wrong: list[str] = []
    by_model: dict[str, list[tuple[dict[str, Any], Answer, float]]] = {}
    for i in thirty:
        answer, cpu_s = ours(i, time_s)
        wrong += [i.name] * differs(small[i.name], answer, 0.0)
        by_model.setdefault(i.model, []).append((small[i.name], answer, cpu_s))
    for model, found in by_model.items():
        told = {k: sum(t[k] for t, _, _ in found) for k in ("value", "build_s", "solve_s")}
        proven = all(a.gap == 0.0 for _, a, _ in found)
        value = sum(a.value or 0 for _, a, _ in found)
        rows.append(_row(f"shared {model} x{len(found)}", told, value, sum(s for _, _, s in found), proven=proven))
    for i in more:
        answer, cpu_s = ours(i, time_s)
        if i.spopt:
            wrong += [i.name] * differs(large[i.name], answer, GAP)
        rows.append(_row(i.name, large.get(i.name), answer.value, cpu_s, proven=answer.gap == 0.0))
    return versions, rows, wrong


def differs(told: dict[str, Any], answer: Answer, gap: float) -> bool:
    """Whether two proven values disagree (by more than the gap spopt's side was allowed)."""
    if not told["proven"] or answer.gap != 0.0:
        return False
    value = answer.value or 0
    return told["value"] is None or abs(told["value"] - value) > gap * abs(value) + 0.01


def _row(name: str, told: dict[str, Any] | None, value: int | None, cpu_s: float, *, proven: bool) -> dict[str, object]:
    known = told or {"value": "not run", "build_s": 0.0, "solve_s": 0.0}
    total = known["build_s"] + known["solve_s"]
    return {
        "instance": name, "spopt_value": known["value"], "value": value, "proven": proven,
        "spopt_build_s": round(known["build_s"], 2), "spopt_solve_s": round(known["solve_s"], 2),
        "cpu_s": round(cpu_s, 3), "ratio": round(total / cpu_s, 1) if told else "",
    }  # fmt: skip


def expected(solver: str = "highs") -> dict[str, object]:
    """spopt's values of the thirty, with the versions that gave them: what the tests keep."""
    versions, found = theirs(shared(), solver, 60.0, 0.0)
    unproven = [name for name, told in found.items() if not told["proven"]]
    if unproven:
        raise RuntimeError(f"spopt proved nothing for {', '.join(unproven)}")
    return {
        "made_by": "scripts/benchmark spopt --write tests/spopt_expected.json",
        "versions": versions,
        "values": {name: round(told["value"]) for name, told in found.items()},
    }
