"""The same instance as somebody would write it in PuLP, and through the engine: seconds to proof, or the gap at a time."""

from __future__ import annotations

import resource
import statistics
import time
from itertools import combinations

import numpy as np
import pulp

from estate.problem import Problem, Solution, hubs, offer_columns, offered
from estate.problem.generate import SIZES, place
from estate.solve import Answer, Limits, solve

MARKS = (5, 60)
"""Seconds at which the engine's best plan is told: how soon something good is in hand."""


def written_plainly(p: Problem) -> pulp.LpProblem:  # noqa: C901, PLR0912
    """The model as a textbook gives it, row by row: hosts counted in the access rows, halls and desks as continuous columns.

    Every family of :class:`~estate.problem.Problem` but those of distance; a column for an offer or a hub only where a row asks.
    """
    lp = pulp.LpProblem("estate", pulp.LpMinimize)
    J, S, P = p.n_sites, p.n_points, p.n_pairs
    opened = [lp.add_variable(f"open_{j}", int(p.must_open[j]), int(not p.must_close[j]), cat="Integer") for j in range(J)]
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
    services_at: list[list[tuple[int, int]]] = [[] for _ in range(J)]
    for key in by_offer:
        services_at[key[1]].append(key)
    for key, members in by_offer.items():
        for s, q in members:
            lp.addConstraint(desk[key] >= int(p.point_desk[s]) * host[q])
    for j in range(J):
        for s, q in by_site[j]:
            lp.addConstraint(hall[j] >= int(p.point_hall[s]) * host[q])
        terms = [(host[q], int(p.point_own[s])) for s, q in by_site[j]] + [(hall[j], 1)]
        terms += [(desk[key], 1) for key in services_at[j]]
        room = int(p.site_capacity[j] + p.site_slack[j])
        terms.append((opened[j], -room))
        if p.site_slack[j]:
            gain = lp.add_variable(f"gain_{j}", 0, 1, cat="Integer")
            terms.append((gain, int(p.site_slack[j])))
            for s, q in by_site[j]:
                if p.point_home[s] != j:
                    lp.addConstraint(gain >= host[q])
        lp.addConstraint(expression(terms) <= 0)
    offers = _Offers(lp, p, opened, host, by_offer)
    c = p.cover
    for r in range(len(c)):
        sites = c.site[c.start[r] : c.start[r + 1]].tolist()
        reach = [term for j in sites for term in offers.counted(int(c.service[r]), j, once=int(c.need[r]) > 1)]
        excuse = [(host[int(c.excuse[r])], 1)] if c.excuse[r] >= 0 else []
        lp.addConstraint(expression(reach + excuse) >= int(c.need[r]))
    for n, rule in enumerate(p.shares):
        covered = [lp.add_variable(f"covered_{n}_{i}", 0, 1) for i in range(len(rule.weight))]
        for i, column in enumerate(covered):
            sites = rule.site[rule.start[i] : rule.start[i + 1]].tolist()
            reach = [(v, -a) for j in sites for v, a in offers.counted(rule.service, j)]
            lp.addConstraint(expression([(column, 1), *reach]) <= 0)
        lp.addConstraint(expression(list(zip(covered, rule.weight.tolist(), strict=True))) >= rule.required)
    for a, b, j in p.conflict.tolist():
        lp.addConstraint(offers.column(a, j) + offers.column(b, j) <= 1)
    for a, b, j in p.together.tolist():
        lp.addConstraint(offers.column(a, j) - offers.column(b, j) == 0)
    _side_rows(lp, p, opened, host, offers)
    return lp


class _Offers:
    """Columns for "some point of the service is here", made when a row asks for one."""

    def __init__(
        self,
        lp: pulp.LpProblem,
        p: Problem,
        opened: list[pulp.LpVariable],
        host: list[pulp.LpVariable],
        by_offer: dict[tuple[int, int], list[tuple[int, int]]],
    ) -> None:
        self._lp, self._opened, self._host, self._by_offer = lp, opened, host, by_offer
        self._inherent = {(int(k), int(j)) for k, j in p.inherent}
        self._kinds = p.kinds.tolist()
        self._made: dict[tuple[int, int], pulp.LpVariable] = {}

    def counted(self, k: int, j: int, *, once: bool = False) -> list[tuple[pulp.LpVariable, int]]:
        """What an access row adds up at a site: the site itself, its hosts, or, to count a site once, the offer."""
        if (k, j) in self._inherent:
            return [(self._opened[j], 1)]
        here = self._by_offer.get((k, j), [])
        return [(self.column(k, j), 1)] if once and len(here) > 1 else [(self._host[q], 1) for _, q in here]

    def column(self, k: int, j: int) -> pulp.LpVariable:
        """The offer's own column, linked to its hosts both ways."""
        if (k, j) in self._inherent:
            return self._opened[j]
        if (k, j) not in self._made:
            column = self._lp.add_variable(f"offer_{k}_{j}", 0, 1, cat="Integer")
            here = [self._host[q] for _, q in self._by_offer.get((k, j), [])]
            for each in here:
                self._lp.addConstraint(column >= each)
            self._lp.addConstraint(pulp.LpAffineExpression.from_list([(column, 1), *((each, -1) for each in here)]) <= 0)
            self._made[k, j] = column
        return self._made[k, j]

    def hub(self, j: int) -> pulp.LpVariable:
        """1 exactly where points of services of two or more kinds are hosted."""
        here = [(self._kinds[k], self._hosted(k, j)) for k, site in self._by_offer if site == j and self._kinds[k] >= 0]
        column = self._lp.add_variable(f"hub_{j}", 0, 1, cat="Integer")
        for kind in {kind for kind, _ in here}:
            self._lp.addConstraint(column <= pulp.lpSum(each for other, each in here if other != kind))
        for (kind, one), (other, another) in combinations(here, 2):
            if kind != other:
                self._lp.addConstraint(one + another <= 1 + column)
        return column

    def _hosted(self, k: int, j: int) -> pulp.LpVariable:
        """As :meth:`column`, of points alone: what a site gives by itself makes no hub."""
        if (k, j) not in self._inherent:
            return self.column(k, j)
        self._inherent.discard((k, j))
        found = self.column(k, j)
        self._inherent.add((k, j))
        return found


def _side_rows(
    lp: pulp.LpProblem, p: Problem, opened: list[pulp.LpVariable], host: list[pulp.LpVariable], offers: _Offers
) -> None:
    """Budgets, paybacks and counts, over opens, hosts, offers and hubs; each row scaled to numbers near 1."""
    listed = offer_columns(p).tolist()
    hubs: dict[int, pulp.LpVariable] = {}
    ends = np.cumsum([p.n_sites, p.n_pairs, len(listed), p.n_sites])

    def column(c: int) -> pulp.LpVariable:
        family = int(np.searchsorted(ends, c, side="right"))
        at = c - (int(ends[family - 1]) if family else 0)
        if family < 2:
            return (opened, host)[family][at]
        if family == 2:
            return offers.column(*listed[at])
        return hubs.setdefault(at, hubs[at] if at in hubs else offers.hub(at))

    side = p.side
    for r in range(len(side)):
        value = side.value[side.start[r] : side.start[r + 1]]
        scale = float(np.abs(value).max(initial=1.0))
        columns = [column(int(c)) for c in side.column[side.start[r] : side.start[r + 1]]]
        terms = pulp.LpAffineExpression.from_list([(v, float(a) / scale) for v, a in zip(columns, value, strict=True)])
        if np.isfinite(side.lower[r]):
            lp.addConstraint(terms >= float(side.lower[r]) / scale)
        if np.isfinite(side.upper[r]):
            lp.addConstraint(terms <= float(side.upper[r]) / scale)


def read_plan(lp: pulp.LpProblem, p: Problem) -> Solution:
    """The plan in the columns' values: a site is open if its column is or if it hosts."""
    value = {v.name: v.varValue or 0.0 for v in lp.variables()}
    chosen = np.array([value[f"host_{q}"] > 0.5 for q in range(p.n_pairs)], dtype=bool)
    host = np.full(p.n_points, -1, dtype=np.int64)
    host[p.pair_point[chosen]] = p.pair_site[chosen]
    return Solution(np.array([value[f"open_{j}"] > 0.5 for j in range(p.n_sites)], dtype=bool), host)


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
            (f"offer_{p.point_service[s]}_{j}", 1),
        ):
            value[name] = max(value.get(name, 0), asked if there else 0)
    there = offered(p, p.today)
    for n, rule in enumerate(p.shares):
        for i in range(len(rule.weight)):
            value[f"covered_{n}_{i}"] = int(there[rule.service, rule.site[rule.start[i] : rule.start[i + 1]]].any())
    value |= {f"hub_{j}": int(hub) for j, hub in enumerate(hubs(p, p.today))}
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
