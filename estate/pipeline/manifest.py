"""``run.json``: what a run says of itself."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from estate.appraise import Appraisal
from estate.errors import Issue, Severity
from estate.formulate import Formulated
from estate.pipeline.prepare import Prepared
from estate.place import confidential
from estate.runs.run import FORM, column_kinds
from estate.scenario import digest, resolved
from estate.solve import Answer, Status
from estate.solve.answer import OPTIMAL_GAP

PACKAGES = ("estate", "pulp", "highspy", "numpy", "pandas", "geopandas", "shapely", "pyproj", "folium", "osmnx", "scipy")


def _status(formulation: Formulated, answer: Answer) -> str:
    """The solver's status, held to the gap that people see: with a constant part the same proof may be worth less."""
    gap = _gap(formulation, answer)
    proven = answer.status is not Status.OPTIMAL or (gap is not None and gap <= OPTIMAL_GAP)
    return str(answer.status if proven else Status.FEASIBLE)


def _gap(formulation: Formulated, answer: Answer) -> float | None:
    """Relative gap of the objective with its constant part, which is what people see."""
    if answer.value is None or answer.bound is None:
        return None
    return abs(answer.value - answer.bound) / max(abs(answer.value + formulation.constant), 1)


def manifest_of(prepared: Prepared, formulation: Formulated, answer: Answer, appraisal: Appraisal) -> dict[str, Any]:
    """``run.json`` without what differs from run to run of the same inputs."""
    scenario = prepared.scenario
    constant = formulation.constant
    summary = {name: each for name, each in appraisal.summary.items() if name != "warnings"}
    money_goal = scenario.money.objective.in_money
    running = summary.pop("cost_gbp_pa")
    issues = issues_of(prepared, formulation, appraisal)
    scale = 100 if money_goal else 1
    objective = None if answer.value is None else (answer.value + constant) / scale
    bound = None if answer.bound is None else (answer.bound + constant) / scale
    return {
        "form": FORM,
        "name": scenario.name,
        "title": scenario.label,
        "description": scenario.description,
        "status": _status(formulation, answer),
        "objective": str(scenario.money.objective),
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
        "confidential": confidential(prepared.place),
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


def _in_order(issue: Issue) -> tuple[object, ...]:
    """Warnings first, then by what they are of: the same order however rows and columns stand in the files."""
    where = issue.where
    return issue.severity is not Severity.WARNING, issue.code, where.file, where.column, where.id, where.value, issue.message


def issues_of(prepared: Prepared, formulation: Formulated, appraisal: Appraisal) -> list[Issue]:
    """All that is worth knowing of a run: of its inputs, of its rules, and of what the plan does."""
    of_plan = appraisal.summary.get("warnings", ())
    warned = [Issue(code, message, remedy, severity=Severity.WARNING) for code, message, remedy in of_plan]
    return sorted((*prepared.issues, *formulation.notes, *warned), key=_in_order)
