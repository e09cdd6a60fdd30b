"""Published location instances through our core, against their published optima and the textbook model in HiGHS.

Four layouts, told apart by what else is in the folder:

* ``os`` beside ``p1``, ``p2``, ...: single-source capacitated location; one optimum a line.  (Holmberg, Roennqvist and Yuan
  1999; the small capacitated set of the OR-Library in the same layout.)
* ``cap71.txt`` beside ``cap71.txt.opt``, or ``optimal-solutions.txt``: the OR-Library's warehouses with no limit on capacity.
* ``pmed1.txt`` beside ``pmedopt.txt``: the OR-Library's p-median on a network (Beasley 1985).

The two first hold costs site by site and client by client; both may hold up to five decimals.  A number that ends a file early
is an error; what follows the numbers that the header asks for (in one Holmberg file) and NUL bytes (in half of them) are not.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pulp
from bench.plain import solver
from scipy.sparse.csgraph import floyd_warshall

from estate.problem import Floats, Ints, Problem, textbook, violations
from estate.solve import single_source
from estate.solve.watch import Clock

TOLERANCE = 0.011
"""Published optima are given to two decimals, some cut rather than rounded."""
DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance in whole parts of a unit of money (or of length), ``unit`` parts to one."""

    name: str
    published: float
    unit: int
    fixed: Ints
    """(J,) cost of each site."""
    assign: Ints
    """(J, S) cost of each client at each site."""
    capacity: Ints | None = None
    demand: Ints | None = None
    count: int | None = None
    """How many sites open, in a p-median."""

    def problem(self) -> Problem:
        """The same as our core takes it."""
        if self.count is not None:
            return textbook.p_median(self.assign.T, np.ones(self.assign.shape[1], dtype=np.int64), self.count)
        if self.capacity is None or self.demand is None:
            return textbook.uncapacitated(self.fixed, self.assign)
        return textbook.single_source(self.fixed, self.capacity, self.demand, self.assign)


def numbers(path: Path, text: str | None = None) -> Iterator[float]:
    """The numbers of a file in turn; an early end, or a word, is an error that names the file and the place."""
    content = path.read_bytes().replace(b"\0", b" ").decode("ascii", errors="replace") if text is None else text
    for n, token in enumerate(content.split()):
        try:
            yield float(token)
        except ValueError:
            raise ValueError(f"{path}: number {n + 1} is {token!r}") from None
    raise ValueError(f"{path}: it ends before the numbers that its header asks for")


def _take(values: Iterator[float], *shape: int) -> Floats:
    return np.fromiter((next(values) for _ in range(int(np.prod(shape)))), dtype=float).reshape(shape)


def _size(path: Path, values: Iterator[float], n: int) -> list[int]:
    sizes = _take(values, n)
    if (sizes < 1).any() or (sizes % 1).any():
        raise ValueError(f"{path}: its header says {sizes.tolist()}")
    return [int(v) for v in sizes]


def _whole(path: Path, what: str, values: Floats) -> Ints:
    if (values % 1).any():
        raise ValueError(f"{path}: {what} are not whole numbers")
    return values.astype(np.int64)


def _parts(*arrays: Floats) -> tuple[int, list[Ints]]:
    """The least power of ten that makes every figure whole, and the figures in such parts."""
    for d in range(DECIMALS + 1):
        unit = 10**d
        whole = [np.round(a * unit) for a in arrays]
        if d == DECIMALS or all(np.abs(a * unit - w).max() < 1e-6 * unit for a, w in zip(arrays, whole, strict=True)):
            break
    return unit, [w.astype(np.int64) for w in whole]


def read_capacitated(path: Path, published: float) -> Instance:
    """``sites clients``, capacity and fixed cost by site, demands, then the costs site by site."""
    values = numbers(path)
    sites, clients = _size(path, values, 2)
    capacity, fixed = _take(values, sites, 2).T
    demand = _take(values, clients)
    unit, (site_cost, assign) = _parts(fixed, _take(values, sites, clients))
    room = np.floor(capacity).astype(np.int64)  # demands are whole, so part of a unit is no room
    return Instance(path.name, published, unit, site_cost, assign, room, _whole(path, "demands", demand))


def read_uncapacitated(path: Path, published: float) -> Instance:
    """``sites clients``, capacity (or the word) and fixed cost by site, then for each client its demand and costs by site."""
    values = numbers(path, path.read_text(encoding="ascii").replace("capacity", "0"))
    sites, clients = _size(path, values, 2)
    fixed = _take(values, sites, 2)[:, 1]
    rows = _take(values, clients, 1 + sites)
    unit, (site_cost, assign) = _parts(fixed, rows[:, 1:].T)
    return Instance(path.stem, published, unit, site_cost, assign)


def read_median(path: Path, published: float) -> Instance:
    """``nodes edges p``, then edges with their lengths: the last holds where an edge is given twice."""
    values = numbers(path)
    nodes, edges, p = _size(path, values, 3)
    length = np.full((nodes, nodes), np.inf)
    np.fill_diagonal(length, 0.0)
    for a, b, metres in _whole(path, "edges", _take(values, edges, 3)).tolist():
        length[a - 1, b - 1] = length[b - 1, a - 1] = metres
    distance = floyd_warshall(length)
    if np.isinf(distance).any():
        raise ValueError(f"{path}: the network is in pieces")
    return Instance(path.stem, published, 1, np.zeros(nodes, dtype=np.int64), distance.astype(np.int64), count=p)


def _natural(path: Path) -> tuple[int, str]:
    return int(re.sub(r"\D", "", path.name) or -1), path.name


def _table(path: Path) -> dict[str, float]:
    """``name optimum`` a line; other lines are headings."""
    lines = (line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return {line[0]: float(line[1]) for line in lines if len(line) == 2 and re.fullmatch(r"\d+\.?\d*", line[1])}


def instances(folder: Path) -> Iterator[Instance]:
    """Every instance of a folder that has a published optimum, in the order of their numbers."""
    if (folder / "os").exists():
        lines = (folder / "os").read_text(encoding="ascii").split("\n")
        optima = [float(line.split()[-1]) for line in lines if line.strip()]
        for n, best in enumerate(optima, start=1):
            if (folder / f"p{n}").exists():
                yield read_capacitated(folder / f"p{n}", best)
        return
    if (folder / "pmedopt.txt").exists():
        table = _table(folder / "pmedopt.txt")
        for path in sorted(folder.glob("pmed*.txt"), key=_natural):
            if path.stem in table:
                yield read_median(path, table[path.stem])
        return
    table = _table(folder / "optimal-solutions.txt") if (folder / "optimal-solutions.txt").exists() else {}
    for path in sorted(folder.glob("cap*.txt"), key=_natural):
        told = path.with_name(path.name + ".opt")  # where each client goes, and last the cost: more decimals than the table
        if told.exists():
            yield read_uncapacitated(path, float(told.read_text(encoding="ascii").split()[-1]))
        elif path.stem in table:
            yield read_uncapacitated(path, table[path.stem])


def written_plainly(instance: Instance) -> pulp.LpProblem:
    """The model as a textbook gives it: ``x <= y`` for each pair, a row for each client, capacity for each site."""
    lp = pulp.LpProblem("location", pulp.LpMinimize)
    J, S = instance.assign.shape
    # Clients with no capacity to share need no integer columns: each goes whole to its nearest.
    kind = "Continuous" if instance.capacity is None else "Integer"
    y = [lp.add_variable(f"open_{j}", 0, 1, cat="Integer") for j in range(J)]
    x = [[lp.add_variable(f"host_{s}_{j}", 0, 1, cat=kind) for s in range(S)] for j in range(J)]
    expression = pulp.LpAffineExpression.from_list
    cost, unit = instance.assign.tolist(), instance.unit
    lp.setObjective(
        expression(
            [(y[j], int(instance.fixed[j]) / unit) for j in range(J)]
            + [(x[j][s], cost[j][s] / unit) for j in range(J) for s in range(S)]
        )
    )
    for s in range(S):
        lp.addConstraint(expression([(x[j][s], 1) for j in range(J)]) == 1)
    for j in range(J):
        for s in range(S):
            lp.addConstraint(x[j][s] <= y[j])
        if instance.capacity is not None and instance.demand is not None:
            terms = [(x[j][s], int(instance.demand[s])) for s in range(S)]
            lp.addConstraint(expression([*terms, (y[j], -int(instance.capacity[j]))]) <= 0)
    if instance.count is not None:
        lp.addConstraint(expression([(v, 1) for v in y]) == instance.count)
    return lp


def warm() -> None:
    """Compile the kernels (once a machine; they are cached on disk)."""
    rng = np.random.default_rng(0)
    cost = rng.integers(1, 50, (4, 12))
    single_source.solve(textbook.single_source(np.full(4, 9), np.full(4, 12), np.full(12, 3), cost))
    single_source.solve(textbook.p_median(cost.T, np.ones(12, dtype=np.int64), 2))


def ours(instance: Instance, gap: float, time_s: float) -> dict[str, object]:
    """One instance through our core, its arrays included."""
    began = time.process_time()
    problem = instance.problem()
    found = single_source.solve(problem, gap=gap, clock=Clock(time.monotonic() + time_s))
    seconds = time.process_time() - began
    value = None if found.value is None else found.value / instance.unit
    sound = found.solution is not None and not violations(problem, found.solution)
    closed = found.ended in {"proven", "infeasible", "gap"}
    return {
        "value": value,
        "proven": closed,
        "match": sound and value is not None and _same(value, instance.published, gap),
        "nodes": found.nodes,
        "cpu_s": round(seconds, 3),
    }


def plain(instance: Instance, gap: float, time_s: float) -> dict[str, object]:
    """One instance as somebody would write it in PuLP, building included, solved by HiGHS as it comes."""
    began = time.process_time()
    lp = written_plainly(instance)
    stats = lp.solve(solver("highs", gap, time_s))
    seconds = time.process_time() - began
    value = pulp.value(lp.objective) if stats.has_solution else None
    return {
        "plain_value": None if value is None else round(float(value), DECIMALS),
        "plain_proven": stats.status_str == "Optimal",
        "plain_cpu_s": round(seconds, 3),
    }


def _same(value: float, published: float, gap: float) -> bool:
    return abs(value - published) <= TOLERANCE + gap * abs(published)


def check(folder: Path, *, gap: float, time_s: float, against_plain: bool) -> list[dict[str, object]]:
    """Solve each instance both ways and compare; an empty folder is an error."""
    warm()
    rows = []
    for instance in instances(folder):
        row: dict[str, object] = {"instance": f"{folder.name}/{instance.name}", "published": instance.published}
        row |= ours(instance, gap, time_s)
        if against_plain:
            row |= plain(instance, gap, time_s)
        rows.append(row)
    if not rows:
        raise ValueError(f"{folder}: no instance with a published optimum (files `os`, `pmedopt.txt` or `cap*.txt.opt`)")
    return rows


def totals(rows: list[dict[str, object]], time_s: float) -> dict[str, object]:
    """Seconds of CPU to proven optimality; an instance that a side does not prove counts its time limit there, at least."""
    out: dict[str, object] = {}
    sums = {}
    for side, label in (("", "estate"), ("plain_", "plain HiGHS")):
        if f"{side}proven" not in rows[0]:
            continue
        seconds = [(float(str(r[f"{side}cpu_s"])), bool(r[f"{side}proven"])) for r in rows]
        sums[label] = sum(s if proven else max(s, time_s) for s, proven in seconds)
        out[label] = f"{sums[label]:.2f} s of CPU, {sum(p for _, p in seconds)} of {len(rows)} proven"
        if not all(p for _, p in seconds):  # on a busy machine the limit, in seconds of clock, is not all CPU
            out[label] = f"{out[label]} ({sum(s for s, _ in seconds):.2f} s used)"
    if len(sums) > 1:
        out["ratio, plain / estate"] = round(sums["plain HiGHS"] / max(sums["estate"], 1e-3), 1)
    return out
