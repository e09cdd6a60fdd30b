"""Published instances of capacitated and uncapacitated location through the same core, against their published optima."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np

from estate.problem import Problem, Solution, violations
from estate.solve import arrays, direct, textbook


def numbers(path: Path) -> list[float]:
    """Every number of a file; NUL bytes (some files end in them) are white space."""
    text = path.read_bytes().replace(b"\0", b" ").decode("ascii", errors="replace")
    return [float(t) for t in re.findall(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?", text)]


def optima(folder: Path) -> list[float]:
    """The file ``os``: one optimum a line, in the order of the instances."""
    return [float(line.split()[-1]) for line in (folder / "os").read_text().splitlines() if line.strip()]


def read(path: Path) -> tuple[Problem, int]:
    """A file ``sites clients``, then capacity and fixed cost by site, demands, and costs site by site.

    Costs may have up to five decimals: they are held as whole parts of one unit, and how many parts is returned.  In the
    Holmberg files the costs are one for each site and client; in the OR-Library's, too.  Numbers beyond those the header asks
    for are trailing tokens of some files, and ignored; fewer are an error.
    """
    values = numbers(path)
    sites, clients = int(values[0]), int(values[1])
    need = 2 + 2 * sites + clients + sites * clients
    if len(values) < need:
        raise ValueError(f"{path}: {len(values)} numbers, {need} asked for by its header")
    body = np.array(values[2:need])
    capacity, fixed = body[: 2 * sites].reshape(sites, 2).T
    demand = body[2 * sites : 2 * sites + clients]
    assign = body[2 * sites + clients :].reshape(sites, clients)
    unit = next(
        u
        for u in (1, 100, 1000, 10**5)
        if all(np.abs(a * u - np.round(a * u)).max() < 1e-6 * u for a in (fixed, assign)) or u == 10**5
    )
    scaled = [np.round(a * unit).astype(np.int64) for a in (fixed, assign)]
    return textbook.single_source(scaled[0], capacity.astype(np.int64), demand.astype(np.int64), scaled[1]), unit


def check(folder: Path, time_s: float) -> list[dict[str, object]]:
    """Solve each instance and compare."""
    published = optima(folder)
    rows = []
    for n, best in enumerate(published, start=1):
        path = folder / f"p{n}"
        if not path.exists():
            continue
        problem, unit = read(path)
        began = time.process_time()
        built, columns = arrays.build(problem)
        run = direct.run(built, time_s=time_s)
        seconds = time.process_time() - began
        plan: Solution | None = None if run.x is None else arrays.read(problem, columns, run.x)
        value = None if run.x is None else round(run.value / arrays.MONEY) / unit
        ok = value is not None and plan is not None and not violations(problem, plan) and abs(value - best) < 0.011
        rows.append(
            {
                "instance": f"{folder.name}/p{n}",
                "published": best,
                "value": value,
                "proven": run.complete,
                "match": ok,
                "cpu_s": round(seconds, 2),
            }
        )
    return rows
