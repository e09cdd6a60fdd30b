"""The same instance as somebody would write it in PuLP, and through the engine: seconds to proof, or the gap at a time."""

from __future__ import annotations

import resource
import statistics
import time

import pulp

from estate.problem import Problem
from estate.problem.generate import SIZES, place
from estate.solve import Answer, Limits, solve

MARKS = (5, 60)
"""Seconds at which the engine's best plan is told: how soon something good is in hand."""


def written_plainly(p: Problem) -> pulp.LpProblem:  # noqa: C901
    """The model as a textbook gives it, row by row: hosts counted in the access rows, halls and desks as continuous columns."""
    lp = pulp.LpProblem("estate", pulp.LpMinimize)
    J, S, P = p.n_sites, p.n_points, p.n_pairs
    opened = [lp.add_variable(f"open_{j}", int(p.must_open[j]), 1, cat="Integer") for j in range(J)]
    host = [lp.add_variable(f"host_{q}", 0, 1, cat="Integer") for q in range(P)]
    hall = [lp.add_variable(f"hall_{j}", 0) for j in range(J)]
    at = {(int(p.pair_point[q]), int(p.pair_site[q])): q for q in range(P)}
    by_point, by_site, by_offer = [[] for _ in range(S)], [[] for _ in range(J)], {}
    for (s, j), q in at.items():
        by_point[s].append(q)
        by_site[j].append((s, q))
        by_offer.setdefault((int(p.point_service[s]), j), []).append((s, q))
    expression = pulp.LpAffineExpression.from_list
    lp.setObjective(
        expression(
            [(opened[j], int(p.site_cost[j]) / 1e5) for j in range(J)]
            + [(host[q], int(p.pair_cost[q]) / 1e5) for q in range(P)]
        )
    )
    for s in range(S):
        lp.addConstraint(expression([(host[q], 1) for q in by_point[s]]) == 1)
    for (_, j), q in at.items():
        lp.addConstraint(host[q] <= opened[j])
    desk = {key: lp.add_variable(f"desk_{key[0]}_{key[1]}", 0) for key in by_offer}
    for key, members in by_offer.items():
        for s, q in members:
            lp.addConstraint(desk[key] >= int(p.point_desk[s]) * host[q])
    for j in range(J):
        for s, q in by_site[j]:
            lp.addConstraint(hall[j] >= int(p.point_hall[s]) * host[q])
        terms = [(host[q], int(p.point_own[s])) for s, q in by_site[j]] + [(hall[j], 1)]
        terms += [(desk[key], 1) for key in by_offer if key[1] == j]
        room = int(p.site_capacity[j] + p.site_slack[j])
        terms.append((opened[j], -room))
        if p.site_slack[j]:
            gain = lp.add_variable(f"gain_{j}", 0, 1, cat="Integer")
            terms.append((gain, int(p.site_slack[j])))
            for s, q in by_site[j]:
                if p.point_home[s] != j:
                    lp.addConstraint(gain >= host[q])
        lp.addConstraint(expression(terms) <= 0)
    c = p.cover
    for r in range(len(c)):
        k = int(c.service[r])
        sites = c.site[c.start[r] : c.start[r + 1]].tolist()
        lp.addConstraint(expression([(host[q], 1) for j in sites for _, q in by_offer.get((k, j), [])]) >= 1)
    return lp


def begin_today(lp: pulp.LpProblem, p: Problem) -> None:
    """Give every column its value in today's estate, for a solver to start from."""
    if p.today is None:
        raise ValueError("today's estate is no plan")
    value: dict[str, int] = {f"open_{j}": int(is_open) for j, is_open in enumerate(p.today.open)}
    for q, (s, j) in enumerate(zip(p.pair_point.tolist(), p.pair_site.tolist(), strict=True)):
        there = p.today.host[s] == j
        value[f"host_{q}"] = int(there)
        for name, asked in (
            (f"hall_{j}", int(p.point_hall[s])),
            (f"desk_{p.point_service[s]}_{j}", int(p.point_desk[s])),
            (f"gain_{j}", int(p.point_home[s] != j)),
        ):
            value[name] = max(value.get(name, 0), asked if there else 0)
    for variable in lp.variables():
        variable.varValue = value.get(variable.name, 0)


def solver(name: str, gap: float, time_s: float, *, start: bool = False) -> pulp.LpSolver:
    """The solver as it comes, with the gap, one thread and the limit."""
    common = {"msg": False, "gapRel": gap, "timeLimit": time_s, **({"warmStart": True} if start else {})}
    if name == "highs":
        return pulp.HiGHS(threads=1, **common)
    return pulp.COIN_CMD(threads=1, **common) if name == "cbc" else pulp.SCIP_PY(**common)


def warm() -> None:
    """Compile the kernels (once a machine; they are cached on disk)."""
    solve(place(SIZES["county"], 99).problem, Limits(time_s=5, gap=0.01))


def compare(
    size: str,
    seeds: tuple[int, ...],
    solvers: list[str],
    *,
    time_s: float,
    gap: float,
    plain_time_s: float | None = None,
    start: bool = False,
) -> list[dict[str, object]]:
    """One row for each seed and way of solving it; with ``start`` the plain side begins with today's estate, as ours does."""
    warm()
    rows = []
    for seed in seeds:
        p = place(SIZES[size], seed).problem
        wall, cpu = time.perf_counter(), time.process_time()
        answer = solve(p, Limits(gap=gap, time_s=time_s))
        done = _row(size, seed, "estate", wall, cpu, answer.value, answer.gap, str(answer.status))
        rows.append({**done, **{f"best_at_{s}_s": _best_at(answer, s) for s in MARKS}})
        for name in solvers:
            wall, cpu = time.perf_counter(), time.process_time()
            lp = written_plainly(p)
            if start:
                begin_today(lp, p)
            stats = lp.solve(solver(name, gap, plain_time_s or time_s, start=start))
            value = None if not stats.has_solution else round((pulp.value(lp.objective) or 0) * 1e5)
            bound = stats.best_bound
            off = None if value is None or bound is None else max(0.0, 1 - bound * 1e5 / value)
            done = _row(size, seed, f"plain {name}", wall, cpu, value, off, stats.status_str)
            rows.append({**done, **{f"best_at_{s}_s": None for s in MARKS}})
    return rows


def ratios(rows: list[dict[str, object]]) -> dict[str, object]:
    """Plain CPU seconds over ours by seed; a side that ran into its limit counts the seconds it had, so the ratio is a floor."""
    found: dict[str, object] = {}
    for way in sorted({str(r["way"]) for r in rows} - {"estate"}):
        ours = {r["seed"]: float(str(r["cpu_s"])) for r in rows if r["way"] == "estate"}
        each = {str(r["seed"]): round(float(str(r["cpu_s"])) / ours[r["seed"]], 1) for r in rows if r["way"] == way}
        found[way] = {"by seed": each, "median": statistics.median(each.values())}
    return found


def _best_at(answer: Answer, seconds: int) -> float | None:
    """The best plan the engine had after so many seconds, GBP a year."""
    seen = [best for at, best, _ in answer.trace if at <= seconds and best is not None]
    return min(seen) / 100 if seen else None


def _row(
    size: str, seed: int, way: str, wall: float, cpu: float, value: int | None, gap: float | None, status: str
) -> dict[str, object]:
    return {
        "size": size, "seed": seed, "way": way, "status": status, "value_gbp_pa": None if value is None else value / 100,
        "gap": gap, "cpu_s": round(time.process_time() - cpu, 2), "wall_s": round(time.perf_counter() - wall, 2),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }  # fmt: skip
