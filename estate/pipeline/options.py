"""A decided plan set beside doing nothing, doing the minimum and other plans: chosen, appraised alike, and put to the referee."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from estate.appraise import Appraisal
from estate.errors import InfeasibleError, InputError, Issue, NoPlanError, VerificationError, errors_of
from estate.money.purses import limited
from estate.options.finance import settings
from estate.options.option import KINDS, Option
from estate.options.tables import option_tables
from estate.pipeline.decide import Outcome, decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.prepare import Prepared, Say, again, quiet
from estate.place import Plan
from estate.runs.run import column_kinds
from estate.scenario import Alternative, Objective, altered
from estate.validate import check

USUAL = 5
"""Options where the scenario names none: nothing, the minimum, the plan, and two others."""
MOST_LETTERS = 80
"""Of an option's name."""
NEAR = "1 mile"
"""How far a counter moves in the nearest kind of sharing."""


def with_options(
    outcome: Outcome, *, cache: Path | None = None, stop: threading.Event | None = None, say: Say = quiet
) -> Outcome:
    """The outcome with the tables of its options (:mod:`estate.options.tables`), judged again.

    An alternative for which there is no plan is left out, and so is one of the usual that comes to the plan of another; the
    manifest says so.

    Raises
    ------
    InputError
        For an alternative that names what is not there.
    VerificationError
        When the referee disagrees with a plan or a table.
    """
    prepared, scenario = outcome.prepared, outcome.prepared.scenario
    place = prepared.place
    facts: dict[str, Any] = {"place": place, "scenario": scenario, "changes": {}}
    options = [
        Option("Do nothing", KINDS[0], place.today, **facts),
        Option("Do minimum", KINDS[1], place.today, **facts),
        Option("The plan", KINDS[2], outcome.plan, **facts, status=outcome.manifest["status"], gap=outcome.manifest["gap"]),
    ]
    left_out = []
    named = settings(scenario).alternatives
    for each in named or usual(outcome):
        if not named and len(options) == USUAL:
            break
        say(f"looking for another plan: {each.name}")
        try:
            other = decide(again(prepared, altered(scenario, each.changes), cache=cache), stop=stop)
        except (InfeasibleError, NoPlanError) as error:
            left_out.append({"name": each.name, "why": str(error)})
            continue
        if not named and any(_alike(other.plan, known.plan) for known in options):
            left_out.append({"name": each.name, "why": "it is the plan of another option here"})
            continue
        facts["changes"] = dict(each.changes)
        options.append(
            Option(each.name, KINDS[3], other.plan, **facts, status=other.manifest["status"], gap=other.manifest["gap"])
        )
    say("setting the options side by side")
    tables = {**outcome.appraisal.tables, **option_tables(prepared.measured, options)}
    used = [{"name": each.name, "changes": dict(each.changes)} for each in options if each.kind == KINDS[3]]
    said = {"alternatives": used, "left_out": left_out}
    manifest = {**outcome.manifest, "options": said, "tables": column_kinds(tables)}
    appraised = replace(outcome, appraisal=Appraisal(tables, outcome.appraisal.summary), manifest=manifest)
    verdict = judge(stored(appraised))
    if not verdict.ok:
        raise VerificationError("the options did not pass the independent check: nothing is published", verdict.failures)
    manifest |= {"verification": {"checks": dict(verdict.checks)}}
    return replace(appraised, verdict=verdict, manifest=manifest)


def check_alternatives(prepared: Prepared) -> None:
    """Refuse every alternative that names what is not there, before anything is looked for."""
    found: list[Issue] = []
    for each in settings(prepared.scenario).alternatives:
        try:
            issues = errors_of(check(altered(prepared.scenario, each.changes), prepared.place))
        except InputError as error:
            issues = tuple(error.issues)
        found += [replace(issue, message=f"alternative '{each.name}': {issue.message}") for issue in issues]
    if found:
        raise InputError(issues=found)


def _alike(one: Plan, other: Plan) -> bool:
    return bool((one.open == other.open).all() and (one.host == other.host).all())


def usual(outcome: Outcome) -> Iterator[Alternative]:
    """Plans that are worth setting beside another where the scenario names none; the first two that differ are taken.

    Another aim in money; sharing without any merging; money enough, where there are budgets; sharing with the building round the
    corner; and the plan's own buildings kept, of those that it lets go the largest first.
    """
    prepared, scenario = outcome.prepared, outcome.prepared.scenario
    names = {
        Objective.ANNUAL_EQUIVALENT: "Least equivalent annual cost",
        Objective.RUNNING_COST: "Least running cost",
    }
    for other, name in names.items():
        if other is not scenario.money.objective:
            yield Alternative(name=name, changes={"money.objective": str(other)})
    unmerged = {f"services.{service}.may_merge": False for service in scenario.services}
    yield Alternative(name="Shared, with nothing merged", changes=unmerged)
    if limited(prepared.place, scenario):
        yield Alternative(name="With money enough", changes={"money.purses": [], "money.capital_budget_gbp": None})
    between = prepared.travel.between.get(scenario.travel.mode)
    if between is not None and between.has_distance:
        own = {f"services.{name}.reach": NEAR for name, service in scenario.services.items() if service.reach}
        yield Alternative(name=f"Shared within {NEAR}", changes={"rules.reach": NEAR, **own})
    sites = outcome.appraisal.tables["sites"]
    gone = sites[sites["after"] == "released"].sort_values(["area_used_before_m2", "site_id"], ascending=[False, True])
    for site, name in zip(gone["site_id"], gone["name"], strict=True):
        label = re.sub("[.=]", " ", f"With {name} kept")[:MOST_LETTERS].strip()
        yield Alternative(name=label, changes={"rules.keep": sorted({*scenario.rules.keep, str(site)})})
