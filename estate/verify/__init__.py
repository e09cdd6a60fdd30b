"""The referee: whether a plan keeps every rule and whether what is said of it is true, worked out again from the tables.

It shares nothing with what it judges: no model, no solver, no formulation, no cost module; a contract on imports and a test
hold it to that.  It reads the tables by id, works in plain dictionaries and group-bys where the optimiser works in arrays, and
takes from elsewhere only data: the place, the scenario, the travel tables, the dated rates, and the presets written out as
settings (:func:`estate.standards.presets.rules`; a second reading of the same file of presets would find nothing).

Conventions: costs are whole pence, each amount rounded once, half to even (:mod:`estate.verify.money`); floor area is in
0.1 m2, needs rounded up and room rounded down with a thousandth forgiven (:mod:`estate.verify.rules`); people are whole
(:mod:`estate.verify.access`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from estate.errors import Issue
from estate.place import Place, Plan
from estate.scenario import Scenario
from estate.travel.pairs import TravelTables
from estate.verify.access import journeys, people_within, price_pence
from estate.verify.bound import Confirmed
from estate.verify.case import Case, Decision, Finding, case_of, decision_of, finding
from estate.verify.committee import check_committee
from estate.verify.money import annual_equivalent_pence, running_pence
from estate.verify.options import check_options
from estate.verify.partners import check_partners, check_worse_off
from estate.verify.published import check_tables
from estate.verify.rules import check_plan, own_m2
from estate.verify.vehicle import check_titles

OPTIMAL_GAP = 1e-4
"""No answer with a larger proven relative gap may be called optimal."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of a plan.  What is None is not claimed, and not judged.

    ``objective_pence`` and ``bound_pence`` are what was optimised and its proven bound: pence a year for the cost objectives,
    people for ``people-within``, person-metres for ``least-travel``, metres for ``least-farthest``.
    """

    status: str
    objective_pence: int | None
    bound_pence: float | None = None
    gap: float | None = None
    """Relative: ``|objective - bound| / max(|objective|, 1)``."""
    today_is_a_plan: bool | None = None
    """Whether today's estate is said to keep every rule."""
    running_pence: int | None = None
    """Running cost of the plan, pence a year."""
    baseline_pence: int | None = None
    """Running cost of today's estate, pence a year."""
    area_m2: Mapping[str, float] | None = None
    """Floor area in use after, by site; a site left out is claimed to be empty."""
    chosen_for_value: bool = True
    """Whether the plan is the best by the scenario's objective, so that today's estate can be no better."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the referee found.

    ``cost_pence`` and ``baseline_pence`` are the running cost of the plan and of today's estate, pence a year; ``objective`` is
    what the scenario optimises, in its own unit, and ``objective_today`` the same of today's estate.  ``checks`` counts the rows
    of each rule that were looked at.
    """

    ok: bool
    failures: tuple[Issue, ...]
    cost_pence: int
    baseline_pence: int
    checks: Mapping[str, int]
    objective: int = 0
    objective_today: int = 0
    today_is_a_plan: bool = False
    confirmed: Confirmed | None = None
    """How much of the bound follows from the tables, where a certificate says how."""


def referee(place: Place, scenario: Scenario, travel: TravelTables, plan: Plan, *, claim: Claim) -> Verdict:
    """Judge a plan and what is claimed of it; ``travel`` holds the tables that the plan was made with."""
    case = case_of(place, scenario, travel)
    baseline = running_pence(case, case.today)
    decision, shape = decision_of(case, plan)
    if decision is None:
        return Verdict(ok=False, failures=(shape.issue(),), cost_pence=0, baseline_pence=baseline, checks={})
    legal = not any(found.broken for found in check_plan(case, case.today))
    verdict = Verdict(
        ok=True,
        failures=(),
        cost_pence=running_pence(case, decision),
        baseline_pence=baseline,
        checks={},
        objective=objective_of(case, decision),
        objective_today=objective_of(case, case.today),
        today_is_a_plan=legal,
    )
    findings = [
        shape,
        *check_plan(case, decision),
        *check_worse_off(case, decision),
        *check_titles(case),
        *check_claim(case, decision, claim, verdict),
    ]
    checks: Counter[str] = Counter()
    for found in findings:
        checks[found.rule] += found.checked
    failures = tuple(found.issue() for found in findings if found.broken)
    return Verdict(
        ok=not failures,
        failures=failures,
        cost_pence=verdict.cost_pence,
        baseline_pence=baseline,
        checks=dict(checks),
        objective=verdict.objective,
        objective_today=verdict.objective_today,
        today_is_a_plan=legal,
    )


def referee_tables(
    place: Place, scenario: Scenario, travel: TravelTables, plan: Plan, tables: Mapping[str, pd.DataFrame]
) -> tuple[Issue, ...]:
    """What is wrong in published tables: ``sites, moves, zones, access, capital_receipts, ledger``, as made or as read back.

    Every figure and id is worked out again and compared, by row and column; sentences are not.  A table that is absent is
    not checked.
    """
    case = case_of(place, scenario, travel)
    decision, shape = decision_of(case, plan)
    found = [shape] if decision is None else [
        *check_tables(case, decision, tables), *check_partners(case, tables), *check_options(case, decision, tables),
        *check_committee(case, decision, tables),
    ]  # fmt: skip
    return tuple(each.issue() for each in found if each.broken)


def objective_of(case: Case, decision: Decision) -> int:
    """What the scenario optimises: pence a year with any price of displacement, people, person-metres or metres."""
    objective = case.scenario.money.objective
    if objective == "running-cost":
        return running_pence(case, decision) + price_pence(case, decision)
    if objective == "annual-equivalent":
        return annual_equivalent_pence(case, decision) + price_pence(case, decision)
    if objective == "people-within":
        return people_within(case, decision)
    trips = journeys(case, decision).dropna(subset="far")
    if objective == "least-travel":
        return int((trips["people"] * trips["far"].astype("int64")).sum())
    return 0 if trips.empty else int(trips["far"].max())


def check_claim(case: Case, decision: Decision, claim: Claim, truth: Verdict) -> Iterator[Finding]:
    """Whether every figure claimed is the figure found, and the status no better than its proof."""
    figures = {
        "objective": (claim.objective_pence, truth.objective),
        "running-cost": (claim.running_pence, truth.cost_pence),
        "baseline": (claim.baseline_pence, truth.baseline_pence),
    }
    for name, (said, found) in figures.items():
        broken = [f"{said}, not {found}"] if said is not None and said != found else []
        yield finding(f"claim.{name}", int(said is not None), broken, f"the {name} claimed is wrong")
    if claim.area_m2 is not None:
        yield _check_areas(case, decision, claim.area_m2)
    said_today = claim.today_is_a_plan
    broken = [f"claimed {said_today}"] if said_today is not None and said_today != truth.today_is_a_plan else []
    yield finding("claim.today", int(said_today is not None), broken, "whether today's estate keeps every rule")
    yield _check_status(claim, truth, most=case.scenario.money.objective == "people-within")
    # A budget may have to be met by spending more travel, but today's estate, where it is a plan, is always at hand.
    worse = truth.objective < truth.objective_today
    if case.scenario.money.objective != "people-within":
        worse = truth.objective > truth.objective_today
    broken = [f"{truth.objective} against {truth.objective_today}"] if worse and truth.today_is_a_plan else []
    if claim.chosen_for_value:
        yield finding("no-worse-than-today", int(truth.today_is_a_plan), broken, "today's estate is a better plan")


def _check_areas(case: Case, decision: Decision, said: Mapping[str, float]) -> Finding:
    """Floor area as printed, to 0.1 m2; whether it fits is judged on the rounded units."""
    used = {site: m2 for site, m2 in own_m2(case, decision).items() if not case.outside(site)}
    wrong = [
        f"{site}: {said.get(site, 0.0):g} m2, not {used.get(site, 0.0):g}"
        for site in {*used, *said}
        if site not in case.sites or not abs(said.get(site, 0.0) - used.get(site, 0.0)) < 0.05
    ]
    return finding("claim.area", len(used), wrong, "the floor area claimed is wrong")


def _check_status(claim: Claim, truth: Verdict, *, most: bool) -> Finding:
    """Only ``optimal`` and ``feasible`` go with a plan, and ``optimal`` only with a proof within 0.01%."""
    broken = []
    bound = claim.bound_pence
    known = bound is not None and math.isfinite(bound)
    gap = abs(truth.objective - bound) / max(abs(truth.objective), 1) if bound is not None and known else None
    if claim.status not in ("optimal", "feasible"):
        broken.append(f"status '{claim.status}' with a plan")
    if bound is not None and known:
        # Half a unit of the objective is what a solver's bound may be out by in its last digits.
        beyond = truth.objective - bound if most else bound - truth.objective
        if beyond > 0.5:
            broken.append(f"the bound {bound:.2f} is past the plan's {truth.objective}")
    if claim.status == "optimal" and (gap is None or gap > OPTIMAL_GAP):
        broken.append(f"'optimal' with {'no bound' if gap is None else f'a gap of {gap:.4%}'}")
    if claim.gap is not None and (gap is None or not math.isclose(claim.gap, gap, rel_tol=1e-6, abs_tol=1e-9)):
        broken.append(f"a gap of {claim.gap:.6%}, not {'known' if gap is None else f'{gap:.6%}'}")
    return finding("claim.status", 1, broken, "the status is better than its proof")


__all__ = ["Claim", "Verdict", "referee", "referee_tables"]
