"""The referee: it agrees with the formulation on thousands of random plans, and catches every single change to a right answer."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import scenario_with, tiny_place

from estate.formulate import Formulation, formulate
from estate.place import Place, Plan, todays_plan
from estate.problem import Goal, Solution, cost, violations
from estate.scenario import Scenario
from estate.solve.answer import value_of
from estate.travel import Pairs, Points, Straight, Travel, Wanted, build_travel
from estate.verify import Claim, referee

ALLOWED = {"errors", "scenario", "tables", "place", "standards", "travel.pairs"}
JUDGES_WORDS = ("referee.claim.", "referee.no-worse-than-today")


def travel_of(place: Place, modes: tuple[str, ...] = ("drive", "walk")) -> Travel:
    """Every pair of the place by straight line."""
    zones, sites = (
        Points(frame["easting_m"].to_numpy(), frame["northing_m"].to_numpy(), tuple(frame.index))
        for frame in (place.zones, place.sites)
    )
    wanted = {mode: Wanted(np.inf, np.inf) for mode in modes}
    return build_travel(zones, sites, Straight(1.3, {"drive": 40.0, "walk": 4.8}), home=wanted, between=wanted)


# -------------------------------------------------------------------------------------------------- independence


def test_the_referee_imports_only_data():
    for file in Path("estate/verify").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if name.startswith("estate."):
                    part = name.removeprefix("estate.")
                    assert part in ALLOWED or part.startswith("verify"), f"{file.name} imports {name}"
            if isinstance(node, ast.ImportFrom) and node.module == "estate.standards":
                assert [each.name for each in node.names] == ["rules"], "only the presets written out"


# -------------------------------------------------------------------------------------------------- random agreement


def a_place(rng: np.random.Generator) -> Place:
    """The tiny town with much about it drawn at random, one building that is empty and one outside the place."""

    def some(chance: float, **cells: Any) -> dict[str, Any]:
        return cells if rng.random() < chance else {}

    sites: dict[str, dict[str, Any]] = {
        name: {
            **some(0.3, capacity_m2=float(rng.integers(50, 900))),
            **some(0.2, other_use_m2=float(rng.integers(0, 60))),
            **some(0.15, status=str(rng.choice(["keep", "close"]))),
            **some(0.15, tenure=str(rng.choice(["pfi", "leasehold", "freehold", "private"]))),
            **some(0.2, may_host=str(rng.choice(["none", "library", "library;police", "council;jobcentre;clinic"]))),
            **some(0.3, epc=str(rng.choice(["A", "F", "G"]))),
            **some(0.3, visits_capacity_pa=float(rng.integers(1, 90))),
            **some(0.5, running_cost_gbp_pa=float(np.round(rng.random() * 1e5, 3))),
            **some(0.3, hosting_cost_gbp_m2_pa=float(np.round(rng.random() * 50, 3))),
            **some(0.2, agreed_price_gbp=float(rng.integers(0, 500_000))),
        }
        for name in ("clinic", "hall", "jobcentre", "library", "station", "village")
    }
    sites["depot"] = {
        "name": "Depot", "agency": str(rng.choice(["county", "police", "dwp"])), "kind": str(rng.choice(["office", "library"])),
        "tenure": "freehold", "capacity_m2": float(rng.integers(100, 1500)), "running_cost_gbp_pa": 20_000.0 * rng.random(),
        "in_use": bool(rng.random() < 0.5), "easting_m": 401_000.0, "northing_m": 250_900.0, "market_value_gbp": 50_000.0,
        "hosting_cost_gbp_m2_pa": 12.345, "epc": str(rng.choice(["B", "F"])), "district": "Vale",
    }  # fmt: skip
    points: dict[str, dict[str, Any]] = {
        f"p{n}": {
            **some(0.4, area_m2=float(np.round(rng.random() * 200, 2)), hall_area_m2=0.0, desk_area_m2=0.0),
            **some(0.5, visits_pa=float(rng.integers(1, 60))),
        }
        for n in range(1, 8)
    }
    points["p8"] = {"site_id": str(rng.choice(["library", "hall"])), "service": "library", "agency": "county",
                    "area_m2": 50.0, "desk_area_m2": 20.5}  # fmt: skip
    if rng.random() < 0.4:
        sites["away"] = {
            "name": "Over the border", "agency": "other", "kind": "library", "tenure": "freehold", "capacity_m2": 500.0,
            "status": "outside", "running_cost_gbp_pa": 5e4, "easting_m": 404_000.0, "northing_m": 250_000.0,
        }  # fmt: skip
        points["p9"] = {"site_id": "away", "service": "library", "agency": "other", "area_m2": 100.0}
    agencies = {"other": {"name": "Other", "kind": "other"}, str(rng.choice(["dwp", "police"])): some(0.2, takes_part=False)}
    zones = {f"z{n}": some(0.2, population=int(rng.integers(0, 2000))) for n in range(1, 7)}
    hosting = tuple(
        {"access_point_id": f"p{s}", "site_id": j, **some(0.6, cost_gbp_pa=float(rng.integers(0, 9000)))}
        | some(0.5, allowed=False)
        for s in range(1, 8)
        for j in ("hall", "library", "station")
        if rng.random() < 0.1
    )
    return tiny_place(agencies=agencies, sites=sites, access_points=points, zones=zones, hosting=hosting)


def a_scenario(rng: np.random.Generator, place: Place) -> Scenario:
    """Rules, standards and money of every kind, each now and then."""

    def sometimes(chance: float, key: str, make: Any) -> dict[str, Any]:
        return {key: make()} if rng.random() < chance * often else {}

    often = rng.choice([0.0, 0.3, 1.0])
    sites, services = list(place.sites.index), list(place.services)
    inside = [site for site in sites if site != "away"]

    def two() -> list[list[str]]:
        return [[str(each) for each in rng.choice(services, 2, replace=False)]]

    def limit(low: int = 200, high: int = 9000) -> str:
        return f"{rng.integers(low, high)} m" if rng.random() < 0.8 else f"{rng.integers(1, 30)} min"

    rules = {
        **sometimes(0.1, "keep", lambda: [str(rng.choice(inside))]),
        **sometimes(0.1, "close", lambda: [str(rng.choice(inside))]),
        **sometimes(0.15, "fixed", lambda: {f"p{rng.integers(1, 9)}": str(rng.choice(inside))}),
        **sometimes(0.2, "may_not_share", two),
        **sometimes(0.07, "must_share", two),
        **sometimes(0.15, "barred", lambda: {"epc": ["F", "G"]}),
        **sometimes(0.1, "out", lambda: [str(rng.choice(["county", "police", "dwp", "landlord"]))]),
        **sometimes(0.3, "other_uses_move", lambda: [str(rng.choice(inside))]),
        **sometimes(0.2, "reach", limit),
        **sometimes(0.15, "throughput", lambda: {"visits_capacity_pa": 1.5}),
        **sometimes(0.2, "counts", lambda: [
            {"what": str(rng.choice(["sites", "hubs"])), "at_least": int(rng.integers(0, 3)), "at_most": int(rng.integers(2, 7)),
             **sometimes(0.5, "where", lambda: {"kind": "library"})}]),
    }  # fmt: skip
    standards, often = [], 1.0
    for n in range(int(rng.integers(0, 5))):
        rule: dict[str, Any] = {"name": f"rule-{n}", "service": str(rng.choice(services)), "limit": limit()}
        if rng.random() < 0.4:
            rule |= sometimes(0.4, "mode", lambda: str(rng.choice(["walk", "transit"])))
            rule |= {"measure": "site-to-site", "test": str(rng.choice(["moved", "nearest"]))}
            rule |= {"action": str(rng.choice(["forbid", "flag", "price"])), "price_gbp": float(rng.integers(1, 9000)) / 7}
        else:
            rule |= sometimes(0.2, "mode", lambda: "walk")
            rule |= sometimes(0.4, "share", lambda: float(rng.choice([0.5, 0.9, 0.95, 0.333])))
            rule |= sometimes(0.2, "each", lambda: str(rng.choice(["district", "rural_urban"])))
            rule |= sometimes(0.2, "where", lambda: {"rural_urban": "Urban"} if rng.random() < 0.5 else {"imd_decile": "<= 4"})
            rule |= sometimes(0.2, "people", lambda: str(rng.choice(["age65", "no_car"])))
            rule |= sometimes(0.3, "beyond", lambda: "strict")
            rule |= sometimes(0.3, "tolerance", lambda: limit(1, 2000))
            if "share" not in rule and "each" not in rule:
                rule |= sometimes(0.2, "backup", lambda: 2)
        limbs = lambda: [{"limit": limit(), "mode": str(rng.choice(["walk", "drive", "transit"]))}]  # noqa: E731
        rule |= sometimes(0.3, "also", limbs)
        rule |= sometimes(0.4, "join", lambda: "any")
        standards.append(rule)
    goals = ["running-cost", "annual-equivalent", "people-within", "least-travel", "least-farthest"]
    money = {
        "price_base": "2025-26", "base_year": 2025, "closing_year": int(rng.integers(0, 4)),
        "horizon_years": int(rng.choice([3, 30, 60])), "objective": str(rng.choice(goals, p=[0.4, 0.3, 0.1, 0.1, 0.1])),
        "optimism_bias": {"library": 0.1, "office": 0.2},
        **sometimes(0.2, "capital_budget_gbp", lambda: float(rng.integers(0, 300_000))),
        **sometimes(0.5, "budget_basis", lambda: "net"),
        **sometimes(0.2, "longest_payback_years", lambda: float(rng.integers(1, 12))),
        **sometimes(0.3, "running_budget_gbp_pa", lambda: float(rng.integers(200_000, 400_000))),
        **sometimes(0.5, "pfi_exit_gbp", lambda: {"hall": 5000.0, "library": 7000.0, "station": 0.0}),
    }  # fmt: skip
    return scenario_with(rules=rules, standards=standards, money=money)


def with_gaps(rng: np.random.Generator, travel: Travel) -> Travel:
    """Travel with some pairs that cannot be travelled."""

    def fewer(pairs: Pairs) -> Pairs:
        return pairs.take((rng.random(len(pairs)) < 0.9) | (pairs.from_ == pairs.to))

    return Travel({m: fewer(p) for m, p in travel.home.items()}, {m: fewer(p) for m, p in travel.between.items()})


def a_plan(rng: np.random.Generator, place: Place, made: Formulation) -> Plan:
    """Mostly among what the formulation allows, sometimes anything."""
    host = place.point_site.copy()
    pairs = made.problem
    for s in rng.permutation(len(made.points))[: rng.integers(0, 4)]:
        choices = pairs.pair_site[pairs.pair_point == s]
        anywhere = not len(choices) or rng.random() < 0.05
        host[made.points[s]] = rng.integers(len(place.sites)) if anywhere else rng.choice(choices)
    is_open = np.isin(np.arange(len(place.sites)), host) | place.outside
    today = todays_plan(place).open
    is_open |= made.problem.must_open[: len(place.sites)] & (rng.random() < 0.95)
    is_open ^= (rng.random(len(place.sites)) < 0.04) & today
    return Plan(is_open, host)


def as_solution(place: Place, made: Formulation, plan: Plan) -> Solution:
    """A plan in the problem's terms: its priced rows take the cheaper of their two ends."""
    rows = made.compiled.priced
    there = np.zeros((len(place.services), len(place.sites)), dtype=bool)
    there[place.point_service, plan.host] = True
    near = [there[k, rows.site[a:b]].any() for k, a, b in zip(rows.service, rows.start[:-1], rows.start[1:], strict=True)]
    extra = [len(place.sites) + (not each) for each in near]
    two = [True, True] if len(made.problem.site_cost) > len(place.sites) else []
    host = np.concatenate([plan.host[made.points], np.array(extra, dtype=np.int64)])
    return Solution(np.concatenate([plan.open, np.array(two, dtype=bool)]), host)


@pytest.mark.parametrize("block", range(8))
def test_agrees_with_the_formulation_on_random_plans(block):
    legal = 0
    for seed in range(block * 30, block * 30 + 30):
        rng = np.random.default_rng(seed)
        place = a_place(rng)
        scenario = a_scenario(rng, place)
        travel = with_gaps(rng, travel_of(place))
        made = formulate(place, scenario, travel)
        problem = made.problem
        for n in range(12):
            plan = todays_plan(place) if n == 0 else a_plan(rng, place, made)
            solution = as_solution(place, made, plan)
            broken = violations(problem, solution)
            still = (plan.host == place.point_site)[place.outside[place.point_site]].all()
            verdict = referee(place, scenario, travel, plan, claim=Claim("feasible", None))
            failures = [each for each in verdict.failures if not each.code.startswith(JUDGES_WORDS)]
            assert (not failures) == (not broken and still), (seed, n, broken, failures)
            if failures:
                continue
            legal += 1
            goal = value_of(problem, solution) if problem.goal is not Goal.COST else cost(problem, solution) + made.constant
            assert verdict.objective == goal, (seed, n)
            again = referee(place, scenario, travel, plan, claim=Claim("feasible", goal + 1))
            assert any(each.code == "referee.claim.objective" for each in again.failures)
    assert legal > 20
