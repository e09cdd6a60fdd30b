"""The main job, one way through: load, check, travel, formulate, solve, verify, appraise, publish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from estate.appraise import Appraisal, appraise
from estate.errors import (
    InfeasibleError,
    InputError,
    Issue,
    NoPlanError,
    Severity,
    VerificationError,
    errors_of,
    raise_for,
)
from estate.formulate import Formulation, formulate
from estate.formulate.eligible import site_state
from estate.journeys import measure, streets_file
from estate.judge import MONEY_GOALS, judge
from estate.load import load, survey
from estate.place import Place, Plan
from estate.results import Run, column_kinds, digest_of
from estate.scenario import Method, Scenario, digest, load_scenario, resolved
from estate.solve import Answer, Limits, Progress, Status, solve
from estate.solve.answer import OPTIMAL_GAP
from estate.standards import rules, share_today, warnings
from estate.travel import Travel
from estate.validate import check, missed_today
from estate.verify import Verdict

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
    if scenario.travel.method is Method.NETWORK and scenario.travel.streets:
        streets = streets_file(scenario, cache)
        if streets.is_file():
            inputs[scenario.travel.streets] = digest_of(streets)
    travel = measure(place, scenario, cache=cache)
    issues = (*issues, *travel.notes, *_missed(place, scenario, travel))
    return Prepared(scenario, place, travel, issues, dict(sorted(inputs.items())))


def _missed(place: Place, scenario: Scenario, travel: Travel) -> Iterator[Issue]:
    """A warning for each limit that half of its people are beyond today: perhaps it is not the limit that was meant."""
    for rule in rules(scenario):
        share = share_today(rule, place, scenario, travel)
        issue = None if share is None else missed_today(rule.name, share, file=scenario.file.name)
        if issue is not None:
            yield issue


def limits_of(scenario: Scenario) -> Limits:
    """The scenario's solver settings."""
    solver = scenario.solver
    return Limits(solver.gap, solver.time_limit_s, solver.work_limit, solver.threads, solver.seed, solver.name)


def _status(formulation: Formulation, answer: Answer) -> str:
    """The solver's status, held to the gap that people see: with a constant part the same proof may be worth less."""
    gap = _gap(formulation, answer)
    proven = answer.status is not Status.OPTIMAL or (gap is not None and gap <= OPTIMAL_GAP)
    return str(answer.status if proven else Status.FEASIBLE)


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
    from estate.publish import execution, publish  # noqa: PLC0415  (folium is slow to import)

    folder = publish(stored(outcome), out, execution(started, outcome.answer.seconds), public=public)
    return replace(outcome, out=folder)


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
    manifest = manifest_of(prepared, formulation, answer, appraisal)
    say("checking the plan independently")
    verdict = judge(Run(scenario, place, plan, travel, manifest, appraisal.tables))
    if not verdict.ok:
        raise VerificationError("the plan did not pass the independent check: nothing is published", verdict.failures)
    manifest |= {"verified": True, "verification": {"checks": dict(verdict.checks)}}
    return Outcome(prepared, formulation, answer, plan, verdict, appraisal, manifest)


def _no_plan(prepared: Prepared, answer: Answer) -> NoReturn:
    if answer.status is Status.INFEASIBLE:
        from estate.diagnose import reasons  # noqa: PLC0415  (only a failing run needs it)

        raise InfeasibleError("no plan can meet these rules", reasons(prepared.place, prepared.scenario, prepared.travel))
    raise NoPlanError(f"the search ended ({answer.stopped}) with no plan and no proof that there is none: give it more time")


def manifest_of(prepared: Prepared, formulation: Formulation, answer: Answer, appraisal: Appraisal) -> dict[str, Any]:
    """``run.json`` without what differs from run to run of the same inputs."""
    scenario = prepared.scenario
    constant, summary = formulation.constant, dict(appraisal.summary)
    money_goal = scenario.money.objective in MONEY_GOALS
    running = summary.pop("cost_gbp_pa")
    issues = [*prepared.issues, *formulation.notes, *_money_warnings(summary)]
    scale = 100 if money_goal else 1
    objective = None if answer.value is None else (answer.value + constant) / scale
    bound = None if answer.bound is None else (answer.bound + constant) / scale
    return {
        "name": scenario.name,
        "title": scenario.label,
        "description": scenario.description,
        "status": _status(formulation, answer),
        "objective": scenario.money.objective,
        "objective_gbp_pa": objective if money_goal else running,
        "objective_value": objective,
        "bound_gbp_pa": bound if money_goal else None,
        "bound_value": bound,
        "gap": _gap(formulation, answer),
        "running_cost_gbp_pa": running,
        "today_is_a_plan": not any(issue.code == "today.not-a-plan" for issue in formulation.notes),
        **summary,
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
    found = summary.pop("warnings", ())
    return [Issue(code, message, remedy, severity=Severity.WARNING) for code, message, remedy in found]


def stored(outcome: Outcome) -> Run:
    """An outcome as a run that can be published, drawn and compared."""
    prepared = outcome.prepared
    return Run(prepared.scenario, prepared.place, outcome.plan, prepared.travel, outcome.manifest, outcome.appraisal.tables)


def problems(path: Path, changes: tuple[str, ...] = ()) -> tuple[Issue, ...]:
    """Everything ``estate check`` has to say about a scenario and its tables, errors first; never raises for bad inputs."""
    try:
        scenario = load_scenario(path, changes)
    except InputError as error:
        return tuple(error.issues) or (Issue("input", str(error)),)
    place = survey(scenario)
    found = (*place.issues, *check(scenario, place), *warnings(scenario))
    if not errors_of(found):
        try:
            travel = measure(place, scenario)
            formulation = formulate(place, scenario, travel)
            found = (*found, *travel.notes, *_missed(place, scenario, travel), *formulation.notes)
        except InputError as error:
            found = (*found, *error.issues)
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda issue: order[str(issue.severity)]))
