"""A programme over years, ours against the same model in PuLP and HiGHS: every row in every year, the same cores and clock.

A case is a place: cut from the open lists, a scenario file that is there, or generated.  One without a section ``[programme]``
is given one: so many years, and a purse for each agency with so much capital a year and its own receipts, which binds wherever
an agency would spend more.  A generated county has one purse.  Seconds, those of the limit too, are of processor time in one
process, so that what else the machine does counts little; of solving, without the reading and building of either side.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

AREAS = (
    "Shropshire", "Worcestershire", "Warwickshire", "Herefordshire", "Rutland", "Cornwall", "Durham", "Oxfordshire",
    "Leicestershire", "Cumbria", "Derbyshire", "Devon", "Dorset", "East Sussex", "Gloucestershire", "Lincolnshire", "Norfolk",
    "Somerset", "Suffolk", "Wiltshire",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What is decided: an area, the scenario file of a place, or a seed (``kind`` says which); for how many years.

    ``gbp`` is what each agency has a year; 0: no limit.
    """

    place: str
    years: int
    gbp: int
    kind: str = "area"


def orders_of(case: Case, folder: Path | None, work: Path) -> Any:
    """The arrays of a case."""
    from estate.pipeline.prepare import prepare
    from estate.programme.terms import terms_of
    from estate.scenario import load_scenario

    if case.kind == "seed":
        from estate.problem.generate import COUNTY, place

        return generated(place(COUNTY, int(case.place)).problem, case.years, case.gbp)
    if case.kind == "file":
        file = Path(case.place)
    else:
        from estate.england import area_of, at_hand, cut, read, texts

        file = work / case.place.lower().replace(" ", "-") / "estate.toml"
        if not file.exists():
            file.parent.mkdir(parents=True)
            for name, text in texts(cut(read(at_hand(folder)), area_of(case.place)), file.parent.name).items():
                (file.parent / name).write_text(text, encoding="utf-8")
    scenario = load_scenario(file)
    if scenario.programme is None:
        scenario = load_scenario(file, tuple(_settings(case, scenario, prepare(scenario).place)))
    return terms_of(prepare(scenario).measured).orders


def generated(problem: Any, years: int, gbp: int) -> Any:
    """A generated place with one purse: GBP 600 a square metre moved; two years on, a sale at four years' running cost."""
    from estate.programme.orders import Line, Orders

    horizon, late = 30, 2
    factor = 1.035 ** -np.arange(horizon + 1)
    away = problem.pair_site != problem.point_home[problem.pair_point]
    area = (problem.point_own + problem.point_hall + problem.point_desk)[problem.pair_point]
    works, receipt = np.where(away, area * 6_000, 0), 4 * problem.site_cost
    P, J, Y = problem.n_pairs, problem.n_sites, years + late
    move, sale = np.zeros((P, years), dtype=np.int64), np.zeros((J, years), dtype=np.int64)
    spent, banked = np.zeros((P, years, Y), dtype=np.int64), np.zeros((J, years, Y), dtype=np.int64)
    for t in range(years):
        yearly = factor[t + 1 : horizon].sum()
        move[:, t] = np.where(away, -np.rint(works * factor[t] + problem.pair_cost * yearly), 0)
        sale[:, t] = np.rint(problem.site_cost * yearly + receipt * factor[t + late])
        spent[:, t, t:], banked[:, t, t + late :] = works[:, None], -receipt[:, None]
    sale[problem.must_open] = 0
    every = (np.ones((n, years), dtype=bool) for n in (P, J, J))
    lines = (Line(f"year {y}", spent[:, :, y], banked[:, :, y], 100 * gbp * (y + 1), year=y) for y in range(Y))
    return Orders(problem, move, sale, *every, np.ones(P, dtype=bool), problem.must_open, tuple(lines))


def _settings(case: Case, scenario: Any, place: Any) -> Iterator[str]:
    """A programme, and a purse for each agency."""
    yield f"programme.years={case.years}"
    yield "programme.within_years=false"
    if not case.gbp:
        return
    base = scenario.money.base_year
    budgets = ",".join(f"{{gbp={case.gbp},year={base + year}}}" for year in range(case.years))
    purses = (
        f'{{name="purse of {agency}",agencies=["{agency}"],basis="net",budgets=[{budgets}]}}' for agency in place.agencies.index
    )
    yield f"money.purses=[{','.join(purses)}]"


def ours(orders: Any, time_s: float) -> dict[str, Any]:
    """The product's search as it comes."""
    from estate.programme.search import solve
    from estate.solve.watch import Clock

    wall, cpu = time.perf_counter(), time.process_time()
    course = solve(orders, clock=Clock(stop=lambda: time.process_time() > cpu + time_s))
    return _row(None if course is None else course.value, None if course is None else course.bound, wall, cpu)


def plain(orders: Any, time_s: float) -> dict[str, Any]:
    """Every row of the model in every year, in PuLP, solved by HiGHS as PuLP calls it."""
    import pulp

    from estate.model import to_pulp
    from estate.model.arrays import MONEY
    from estate.programme.rows import build

    formulation, constant = build(orders)
    lp, _ = to_pulp(formulation)
    solver = pulp.HiGHS(msg=False, threads=1, gapRel=1e-4)
    solver.createAndConfigureSolver(lp)
    solver.buildSolverModel(lp)
    wall, cpu = time.perf_counter(), time.process_time()

    def look(event: Any) -> None:
        if time.process_time() > cpu + time_s:
            event.interrupt()

    lp.solverModel.HandleKeyboardInterrupt = False
    lp.solverModel.cbMipInterrupt += look
    lp.solverModel.cbSimplexInterrupt += look
    lp.solverModel.run()
    info = lp.solverModel.getInfo()
    found = info.primal_solution_status == 2
    sign = 1 if lp.sense == pulp.LpMinimize else -1
    value = (constant - sign * info.objective_function_value) / MONEY if found else None
    bound = (constant - sign * info.mip_dual_bound) / MONEY
    return _row(value, bound if np.isfinite(bound) else None, wall, cpu)


def _row(value: float | None, bound: float | None, wall: float, cpu: float) -> dict[str, Any]:
    gap = None if value is None or bound is None else max(bound - value, 0.0) / max(abs(value), 1.0)
    return {
        "value_gbp": None if value is None else round(value / 100),
        "bound_gbp": None if bound is None else round(bound / 100),
        "gap": gap,
        "wall_s": round(time.perf_counter() - wall, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
    }


def run(cases: Sequence[Case], folder: Path | None, time_s: float, *, against: bool) -> Iterator[dict[str, Any]]:
    """One row for each case and side."""
    with tempfile.TemporaryDirectory() as work:
        for case in cases:
            orders = orders_of(case, folder, Path(work))
            sizes = {
                "place": case.place,
                "years": orders.periods,
                "pairs": orders.problem.n_pairs,
                "cash_rows": len(orders.lines),
            }
            yield {**sizes, "side": "ours", **ours(orders, time_s)}
            if against:
                yield {**sizes, "side": "plain", **plain(orders, time_s)}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many of ours are proven, the median of their processor seconds, the largest gap, and where the other side is better."""
    mine = [row for row in rows if row["side"] == "ours"]
    other = {row["place"]: row for row in rows if row["side"] == "plain"}
    gaps = [row["gap"] for row in mine if row["gap"] is not None]
    worse = [
        row["place"]
        for row in mine
        if row["place"] in other and (other[row["place"]]["value_gbp"] or -np.inf) > (row["value_gbp"] or -np.inf) + 1
    ]
    return {
        "cases": len(mine),
        "proven": sum(gap <= 1e-4 for gap in gaps),
        "median_cpu_s": statistics.median(row["cpu_s"] for row in mine) if mine else None,
        "plain_median_cpu_s": statistics.median(row["cpu_s"] for row in other.values()) if other else None,
        "largest_gap": max(gaps, default=None),
        "plain_has_a_better_programme": worse,
    }
