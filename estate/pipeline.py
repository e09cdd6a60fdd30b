"""The main job, one way through: load, check, travel, formulate, solve, verify, appraise, publish."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from estate.appraise import Appraisal, appraise
from estate.errors import (
    InfeasibleError,
    InputError,
    Issue,
    NoPlanError,
    Severity,
    VerificationError,
    Where,
    errors_of,
    raise_for,
)
from estate.formulate import Formulation, formulate
from estate.formulate.eligible import site_state
from estate.load import load
from estate.place import Place, Plan, todays_plan
from estate.results import MANIFEST, Run, column_kinds, digest_of, staged, write_data, write_manifest
from estate.scenario import Limit, Measure, Method, Metric, Scenario, digest, load_scenario, resolved
from estate.solve import Answer, Limits, Progress, Status, solve
from estate.standards import limbs, modes, rules, warnings
from estate.travel import Points, Straight, Streets, Table, Travel, Wanted, Way, build_travel
from estate.validate import check
from estate.verify import Claim, Verdict, referee

ALL_PAIRS = 5_000_000
"""Up to this many zone-to-site pairs every pair is kept, so that any distance can be reported; beyond it, those that matter."""
PACKAGES = ("estate", "pulp", "highspy", "numpy", "pandas", "geopandas", "shapely", "pyproj", "folium", "osmnx", "scipy")

type Say = Callable[[str], None]


def _quiet(message: str) -> None:
    del message


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A place read, checked and measured: what every run of its scenarios starts from."""

    scenario: Scenario
    place: Place
    travel: Travel
    issues: tuple[Issue, ...]
    inputs: Mapping[str, str]
    """SHA-256 of every file that was read, by its path as the scenario gives it."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A finished run: the plan, its proof, the referee's verdict, the tables and the manifest; ``out`` is where it is."""

    prepared: Prepared
    formulation: Formulation
    answer: Answer
    plan: Plan
    verdict: Verdict
    appraisal: Appraisal
    manifest: Mapping[str, Any]
    out: Path | None = None


# -------------------------------------------------------------------------------------------------- steps


def prepare(scenario: Scenario, *, cache: Path | None = None, say: Say = _quiet) -> Prepared:
    """Load, check and measure a scenario's place; raises :class:`InputError` with everything that is wrong."""
    say("reading the tables")
    place = load(scenario)
    issues = (*place.issues, *check(scenario, place), *warnings(scenario))
    raise_for(issues)
    say("measuring travel")
    inputs = dict(place.digests)
    if scenario.travel.method is Method.NETWORK:
        streets = _streets(scenario)
        if streets.is_file():
            inputs[scenario.travel.streets] = digest_of(streets)
    travel = measure(place, scenario, cache=cache)
    return Prepared(scenario, place, travel, (*issues, *travel.notes), dict(sorted(inputs.items())))


def measure(place: Place, scenario: Scenario, *, cache: Path | None = None) -> Travel:
    """The travel tables that the scenario's rules and reports need."""
    zones, sites = _points(place.zones), _points(place.sites)
    way = _way(place, scenario)
    able = _able(way)
    needed = [mode for mode in modes(scenario, rules(scenario)) if able is None or mode in able or mode == scenario.travel.mode]
    groups = {
        service: np.unique(place.point_site[place.point_service == k]).astype(np.int64)
        for k, service in enumerate(place.services)
    }
    everything = len(zones) * len(sites) <= ALL_PAIRS
    home = {mode: _wanted(scenario, mode, Measure.HOME, groups, everything=everything) for mode in needed}
    between = {mode: _wanted(scenario, mode, Measure.SITE, {}, everything=len(sites) ** 2 <= ALL_PAIRS) for mode in needed}
    return build_travel(zones, sites, way, home=home, between=between, cache=cache)


def _points(frame: pd.DataFrame) -> Points:
    x, y = (frame[name].to_numpy(dtype=np.float64) for name in ("easting_m", "northing_m"))
    return Points(x, y, tuple(frame.index.astype(str)))


def _way(place: Place, scenario: Scenario) -> Way:
    travel = scenario.travel
    if travel.method is Method.TABLE:
        if place.travel is None:
            where = Where(scenario.file.name, column="tables.travel")
            raise InputError(
                issues=[Issue("travel.no-table", "travel.method is 'table' and no table is named", "name it", where)]
            )
        return Table(place.travel, travel.percentile)
    if travel.method is Method.NETWORK:
        return Streets(_streets(scenario), travel.snap_warn_m)
    return Straight(travel.detour, {"walk": travel.walk_kmh, "drive": travel.drive_kmh})


def _streets(scenario: Scenario) -> Path:
    """Where the street network is; a relative path is looked for beside the scenario, then where the command was started."""
    if not scenario.travel.streets:
        where = Where(scenario.file.name, column="travel.streets")
        message = "travel on streets needs a street network, and none is named"
        remedy = (
            "set travel.streets to an OpenStreetMap extract of the place (.osm.pbf or .osm, from any extract service),"
            " a graph saved by OSMnx (.graphml), or OS Open Roads as GeoPackage (from the OS Data Hub)"
        )
        raise InputError(issues=[Issue("travel.no-streets", message, remedy, where)])
    given = Path(scenario.travel.streets)
    beside = scenario.folder / given
    return beside if beside.exists() or not given.exists() else given


def _able(way: Way) -> set[str] | None:
    """The modes a way of measuring can give, or None for any it is asked for."""
    match way:
        case Straight():
            return set(way.speed_kmh)
        case Table():
            return set(way.frame["mode"].astype(str)) if "mode" in way.frame else None
        case _:
            return {"walk", "drive"}


def _wanted(scenario: Scenario, mode: str, kind: Measure, groups: Mapping[str, Any], *, everything: bool) -> Wanted:
    """The widest limits of any rule in a mode; every pair where that is affordable."""
    if everything:
        return Wanted(limit_m=np.inf, limit_s=np.inf, groups=groups)
    used = [
        (limb.limit, rule.tolerance)
        for rule in rules(scenario)
        if rule.measure is kind
        for limb in limbs(rule, scenario)
        if limb.mode == mode
    ]
    reach = scenario.rules.reach
    if kind is Measure.SITE and reach is not None and mode == scenario.travel.mode:
        used.append((reach, None))
    widest = {metric: max((x.value for x, _ in used if x.metric is metric), default=None) for metric in Metric}
    slack = {metric: max((_in(t, metric) for _, t in used if t), default=0.0) for metric in Metric}
    return Wanted(widest[Metric.DISTANCE], widest[Metric.TIME], groups, slack[Metric.DISTANCE], slack[Metric.TIME])


def _in(limit: Limit, metric: Metric) -> float:
    return limit.value if limit.metric is metric else 0.0


def limits_of(scenario: Scenario) -> Limits:
    """The scenario's solver settings."""
    solver = scenario.solver
    return Limits(solver.gap, solver.time_limit_s, solver.work_limit, solver.threads, solver.seed, solver.name)


def claim_of(formulation: Formulation, answer: Answer, appraisal: Appraisal) -> Claim:
    """What the solver and the books say of a plan, for the referee to judge."""
    constant, sites = formulation.constant, appraisal.tables["sites"]
    inside = sites[sites["after"] != "outside"]
    return Claim(
        status=str(answer.status),
        objective_pence=None if answer.value is None else answer.value + constant,
        bound_pence=None if answer.bound is None else answer.bound + constant,
        gap=_gap(formulation, answer),
        today_is_a_plan=not any(issue.code == "today.not-a-plan" for issue in formulation.notes),
        running_pence=round(appraisal.summary["cost_gbp_pa"] * 100),
        baseline_pence=round(appraisal.summary["baseline_gbp_pa"] * 100),
        area_m2=dict(zip(inside["site_id"], inside["area_used_after_m2"], strict=True)),
    )


def _gap(formulation: Formulation, answer: Answer) -> float | None:
    """Relative gap of the objective with its constant part, which is what people see."""
    if answer.value is None or answer.bound is None:
        return None
    return abs(answer.value - answer.bound) / max(abs(answer.value + formulation.constant), 1)


# -------------------------------------------------------------------------------------------------- the job


def run(
    path: Path,
    *,
    changes: tuple[str, ...] = (),
    out: Path = Path("maps"),
    public: bool = False,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    say: Say = _quiet,
) -> Outcome:
    """From files to a published run: the whole of ``estate run``.

    Raises
    ------
    InputError
        For a bad scenario or bad inputs, or inputs that changed during the run.
    InfeasibleError
        When it is proven that no plan exists; its issues say why.
    NoPlanError
        When the search ended with neither a plan nor a proof.
    VerificationError
        When the referee disagrees: nothing is published.
    WriteError
        When the results cannot be written; what was there before is unharmed.
    """
    started = time.time()
    scenario = load_scenario(path, changes)
    prepared = prepare(scenario, cache=out / ".cache", say=say)
    outcome = decide(prepared, progress=progress, stop=stop, say=say)
    say("writing the results")
    return publish(outcome, out, started=started, public=public)


def decide(
    prepared: Prepared,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    say: Say = _quiet,
) -> Outcome:
    """Formulate, solve, verify and appraise a prepared scenario; nothing is written."""
    scenario, place, travel = prepared.scenario, prepared.place, prepared.travel
    formulation = formulate(place, scenario, travel)
    problem = formulation.problem
    say(
        f"looking for the best plan: {len(place.sites):,} sites, {problem.n_points:,} access points, {problem.n_pairs:,} choices"
    )
    answer = solve(problem, limits_of(scenario), progress=progress, stop=stop)
    if answer.solution is None:
        _no_plan(prepared, answer)
    plan = formulation.plan(place, answer.solution)
    appraisal = appraise(place, scenario, travel, plan, site_state(place, scenario).why)
    say("checking the plan independently")
    verdict = referee(place, scenario, travel, plan, claim=claim_of(formulation, answer, appraisal))
    if not verdict.ok:
        raise VerificationError("the plan did not pass the independent check: nothing is published", verdict.failures)
    manifest = manifest_of(prepared, formulation, answer, verdict, appraisal)
    return Outcome(prepared, formulation, answer, plan, verdict, appraisal, manifest)


def _no_plan(prepared: Prepared, answer: Answer) -> NoReturn:
    if answer.status is Status.INFEASIBLE:
        from estate.diagnose import reasons  # noqa: PLC0415  (only a failing run needs it)

        raise InfeasibleError("no plan can meet these rules", reasons(prepared.place, prepared.scenario, prepared.travel))
    raise NoPlanError(f"the search ended ({answer.stopped}) with no plan and no proof that there is none: give it more time")


def manifest_of(
    prepared: Prepared, formulation: Formulation, answer: Answer, verdict: Verdict, appraisal: Appraisal
) -> dict[str, Any]:
    """``run.json`` without what differs from run to run of the same inputs."""
    scenario = prepared.scenario
    constant, summary = formulation.constant, dict(appraisal.summary)
    money_goal = scenario.money.objective in ("running-cost", "annual-equivalent")
    scale = 100 if money_goal else 1
    objective = None if answer.value is None else (answer.value + constant) / scale
    bound = None if answer.bound is None else (answer.bound + constant) / scale
    issues = [*prepared.issues, *formulation.notes, *_money_warnings(summary)]
    return {
        "name": scenario.name,
        "title": scenario.label,
        "description": scenario.description,
        "status": str(answer.status),
        "objective": scenario.money.objective,
        "objective_gbp_pa": objective if money_goal else verdict.cost_pence / 100,
        "objective_value": objective,
        "bound_gbp_pa": bound if money_goal else None,
        "bound_value": bound,
        "gap": _gap(formulation, answer),
        "baseline_gbp_pa": verdict.baseline_pence / 100,
        "running_cost_gbp_pa": verdict.cost_pence / 100,
        "saving_gbp_pa": (verdict.baseline_pence - verdict.cost_pence) / 100,
        **{name: value for name, value in summary.items() if name not in ("baseline_gbp_pa", "saving_gbp_pa", "cost_gbp_pa")},
        "verified": verdict.ok,
        "verification": {"checks": dict(verdict.checks)},
        "repeatable": answer.repeatable,
        "stopped": answer.stopped,
        "settled": answer.settled,
        "illustrative_figures": len(appraisal.tables.get("assumptions", ())),
        "price_base": scenario.money.price_base,
        "issues": [each.as_row() for each in issues],
        "travel": {"method": prepared.travel.method, "digest": prepared.travel.digest},
        "scenario": resolved(scenario),
        "scenario_digest": digest(scenario),
        "inputs": dict(prepared.inputs),
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "tables": column_kinds(appraisal.tables),
    }


def _money_warnings(summary: dict[str, Any]) -> list[Issue]:
    """The books' own warnings, taken out of the summary to stand with the others."""
    remedy = "set money.longest_payback_years, or the objective annual-equivalent"
    return [Issue("money.payback", each, remedy, severity=Severity.WARNING) for each in summary.pop("warnings", ())]


def publish(outcome: Outcome, out: Path, *, started: float, public: bool = False) -> Outcome:
    """Write a run whole and switch to it; raises :class:`InputError` when an input changed while it ran."""
    from estate.page import render  # noqa: PLC0415  (folium is slow to import)
    from estate.report.geopackage import write_geopackage  # noqa: PLC0415
    from estate.report.tables import write_tables  # noqa: PLC0415
    from estate.report.workbook import write_workbook  # noqa: PLC0415

    prepared, manifest = outcome.prepared, dict(outcome.manifest)
    scenario, place, tables = prepared.scenario, prepared.place, outcome.appraisal.tables
    key = f"{scenario.name}-{_key(manifest)}"
    with staged(out, scenario.name, key) as folder:
        write_data(folder, place, prepared.travel, outcome.plan)
        write_tables(folder, tables)
        write_geopackage(folder / "plan.gpkg", place, outcome.plan, tables)
        stored = Run(scenario, place, outcome.plan, prepared.travel, manifest, tables)
        write_workbook(folder / "finance.xlsx", stored)
        (folder / "index.html").write_text(render(stored, public=public), encoding="utf-8", newline="\n")
        _unchanged(prepared)
        manifest["execution"] = _execution(outcome.answer, started)
        write_manifest(folder, manifest)
    return Outcome(
        prepared,
        outcome.formulation,
        outcome.answer,
        outcome.plan,
        outcome.verdict,
        outcome.appraisal,
        manifest,
        out / scenario.name,
    )


def _key(manifest: Mapping[str, Any]) -> str:
    """Identity of a run: the scenario, the inputs, the travel and the versions."""
    parts = {name: manifest[name] for name in ("scenario_digest", "inputs", "travel", "versions")}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _unchanged(prepared: Prepared) -> None:
    """Every input is still the file that was read."""
    folder = prepared.scenario.folder
    files = {name: folder / name if (folder / name).exists() else Path(name) for name in prepared.inputs}
    changed = [
        Issue("input.changed", "changed while the run was working", "run again", Where(name))
        for name, file in files.items()
        if not file.is_file() or digest_of(file) != prepared.inputs[name]
    ]
    if changed:
        raise InputError("inputs changed during the run: nothing is published", changed)


def _execution(answer: Answer, started: float) -> dict[str, Any]:
    """What differs from run to run: times and the machine."""
    now = dt.datetime.now(dt.UTC)
    return {
        "started": dt.datetime.fromtimestamp(started, dt.UTC).isoformat(timespec="seconds"),
        "finished": now.isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "solve_seconds": round(answer.seconds, 3),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def problems(path: Path, changes: tuple[str, ...] = ()) -> tuple[Issue, ...]:
    """Everything ``estate check`` has to say about a scenario and its tables, errors first; never raises for bad inputs."""
    try:
        scenario = load_scenario(path, changes)
        place = load(scenario)
    except InputError as error:
        return tuple(error.issues) or (Issue("input", str(error)),)
    found = (*place.issues, *check(scenario, place), *warnings(scenario))
    if not errors_of(found):
        try:
            travel = measure(place, scenario)
            formulation = formulate(place, scenario, travel)
            found = (*found, *travel.notes, *formulation.notes)
        except InputError as error:
            found = (*found, *error.issues)
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda issue: order[str(issue.severity)]))


def today_of(prepared: Prepared) -> Plan:
    """Today's estate as a plan."""
    return todays_plan(prepared.place)


__all__ = ["MANIFEST", "Outcome", "Prepared", "decide", "measure", "prepare", "problems", "publish", "run"]
