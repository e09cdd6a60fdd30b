"""From files to a programme that has passed the referee: decided, carried out in the books with every date, and published whole.

What is published is a run like any other, of the scenario in which each step is decided for its own year (``money.decided_for``):
every table, the page, the workbook and the map layers are of the plan that stands at the end, with the money of every year as the
steps fall.  The tables of the programme come on top.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estate.appraise import Appraisal, appraise
from estate.errors import InfeasibleError, Issue, SolverError, VerificationError
from estate.formulate import formulate
from estate.money.law import year_label
from estate.pipeline.decide import Outcome, stored
from estate.pipeline.judge import judge
from estate.pipeline.manifest import manifest_of
from estate.pipeline.prepare import Prepared, Say, prepare, quiet
from estate.place import Plan
from estate.problem import Problem, Solution
from estate.programme.books import bodies_table
from estate.programme.delay import delay_table
from estate.programme.explain import stands_in_the_way, why_none
from estate.programme.invest import borrowing_table, invest_table
from estate.programme.orders import Course
from estate.programme.regret import regret
from estate.programme.search import solve
from estate.programme.succession import succession
from estate.programme.tables import programme_tables
from estate.programme.terms import Terms, asked, terms_of
from estate.runs.run import column_kinds
from estate.scenario import Objective, Scenario, load_scenario
from estate.solve import Answer
from estate.solve.answer import value_of
from estate.solve.watch import Clock
from estate.standards.measured import Measured
from estate.verify import Verdict


@dataclass(frozen=True, slots=True)
class More:
    """What else is asked of a programme, each by choosing it again.

    ``invest_gbp``: with so much more capital in each purse and year.  ``delay``: with each step, and each receipt, a year later.
    ``cases``: under every case of the scenario, and the programme of least regret over them.
    """

    invest_gbp: float | None = None
    delay: bool = False
    cases: bool = False


MORE = More()


@dataclass(frozen=True, slots=True, eq=False)
class Programmed:
    """A programme with its proof, and the run in which it is carried out."""

    terms: Terms
    course: Course
    outcome: Outcome

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every table of the run."""
        return self.outcome.appraisal.tables

    @property
    def summary(self) -> Mapping[str, Any]:
        """What is said of the programme: the manifest's ``programme``."""
        found: Mapping[str, Any] = self.outcome.manifest["programme"]
        return found

    @property
    def out(self) -> Path | None:
        """Where it is written."""
        return self.outcome.out


def programmed(
    path: Path,
    *,
    changes: tuple[str, ...] = (),
    out: Path = Path("maps"),
    public: bool = False,
    stop: threading.Event | None = None,
    say: Say = quiet,
    more: More = MORE,
) -> Programmed:
    """Read a scenario, choose plan and order together, and publish the run ``<scenario>-programme`` under ``out``.

    Raises
    ------
    InputError
        For a bad scenario, bad inputs, or a programme that names what is not there.
    InfeasibleError
        When it is proven that no programme exists.
    VerificationError
        When the referee disagrees: nothing is written.
    WriteError
        When the results cannot be written; what was there before is unharmed.
    """
    started = time.time()
    scenario = load_scenario(path, changes)
    asked(scenario)
    prepared = prepare(scenario, cache=out / ".cache", say=say)
    terms = terms_of(prepared.measured)
    limit, stops = scenario.solver.time_limit_s, stop or threading.Event()
    clock = Clock(None if limit is None else time.monotonic() + limit, stops.is_set)
    say(f"choosing plan and order over {len(terms.years)} years")
    began = time.monotonic()
    course = solve(terms.orders, gap=scenario.solver.gap, clock=clock, seed=scenario.solver.seed)
    took = time.monotonic() - began
    if course is None:
        say("looking for what stands in the way")
        raise InfeasibleError("no programme can meet these rules", _reasons(terms, stops))
    tables = {**programme_tables(terms, course), **asked_besides(terms, course, more, stops, say)}
    outcome = carried_out(prepared, terms, course, tables, say=say)
    say("writing the results")
    from estate.pipeline.publish import execution, publish  # noqa: PLC0415  (folium is slow to import)

    folder = publish(stored(outcome), out, execution(started, took), public=public)
    return Programmed(terms, course, replace(outcome, out=folder))


def asked_besides(terms: Terms, course: Course, more: More, stop: threading.Event, say: Say) -> dict[str, pd.DataFrame]:
    """``invest, delay, cases, least_regret``: those that are asked for.

    Each question has as much time as the programme itself; one that is not answered in it is said, and has no table.
    """
    limit, found = terms.measured.scenario.solver.time_limit_s, dict[str, pd.DataFrame]()

    def clock() -> Clock:
        return Clock(None if limit is None else time.monotonic() + limit, stop.is_set)

    try:
        if more.invest_gbp is not None:
            say("choosing again with more capital in each year")
            found["invest"] = invest_table(terms, course, more.invest_gbp, clock())
            if len(lent := borrowing_table(terms, course, clock())):
                found["borrowing"] = lent
        if more.delay:
            say("choosing again with each step, and each receipt, a year later")
            found["delay"] = delay_table(terms, course, clock())
        if more.cases:
            say("choosing again in every case")
            robust = regret(terms, course, clock())
            found["cases"] = robust.table
            if robust.course is not None:
                found["least_regret"] = programme_tables(terms, robust.course)["programme"]
    except SolverError as error:
        say(f"not answered in time, and left out: {error}")
    return found


def _reasons(terms: Terms, stop: threading.Event) -> tuple[Issue, ...]:
    """Why there is no programme, as far as it is found in the time that explanations have."""
    from estate.diagnose import EXPLAIN_S  # noqa: PLC0415  (only where there is none)

    try:
        return why_none(terms, Clock(time.monotonic() + EXPLAIN_S, stop.is_set))
    except SolverError:
        remedy = "lift what may stand in the way: purses, windows, leases that are left, the most moves in a year"
        return (Issue("programme.unexplained", "there is provably none; why was not found in time", remedy),)


@dataclass(frozen=True, slots=True)
class Order:
    """Whether there is a programme (None: not settled in time), and what stands in its way."""

    feasible: bool | None
    issues: tuple[Issue, ...]

    @property
    def words(self) -> str:
        """The answer, in a sentence."""
        if self.feasible is None:
            return "Whether it can be put in order was not settled in the time allowed: --time-limit SECONDS allows more."
        return (
            "There is a programme of it: 'estate programme' finds the best."
            if self.feasible
            else "There is no programme of it."
        )

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        said = [{"code": each.code, "message": each.message, "remedy": each.remedy} for each in self.issues]
        return {"feasible": self.feasible, "issues": said}


def whatever_the_money(scenario: Scenario) -> Scenario:
    """The scenario without purses: of a programme, what can be paid for is a question of its order, not of its plan."""
    money = scenario.money.model_copy(update={"purses": (), "capital_budget_gbp": None})
    return scenario.model_copy(update={"money": money})


def order_of(measured: Measured, allowed_s: float) -> Order:
    """Whether a scenario's programme exists, and if not, why: what 'estate explain' says of it."""
    clock = Clock(time.monotonic() + allowed_s)
    try:
        issues = stands_in_the_way(terms_of(measured), clock)
    except SolverError:
        return Order(None, ())
    return Order(not issues, issues)


def carried_out(
    prepared: Prepared, terms: Terms, course: Course, tables: Mapping[str, pd.DataFrame], *, say: Say = quiet
) -> Outcome:
    """The run in which a programme is carried out, judged: the plan at its end, with each step in its own year."""
    scenario = in_its_years(prepared.scenario, tables["programme"])
    measured = Measured.of(prepared.place, scenario, prepared.travel)
    formulation = formulate(measured)
    plan = terms.formulation.plan(prepared.place, course.state(-1))
    appraisal = appraise(measured, plan, formulation.state.why)
    bodies = bodies_table(terms, appraisal.tables["ledger"])
    more = {"bodies": bodies, "consents": consents_of(measured, plan, terms)} if len(bodies) else {}
    appraisal = Appraisal({**appraisal.tables, **tables, **more}, appraisal.summary)
    dated = replace(prepared, measured=measured)
    answer = _answer(formulation.problem, formulation.solution(plan), terms, course)
    manifest = manifest_of(dated, formulation, answer, appraisal)
    manifest |= {"tables": column_kinds(appraisal.tables), "programme": summary(terms, course, tables)}
    outcome = Outcome(dated, formulation, answer, plan, Verdict(True, (), 0, 0, {}), appraisal, manifest)
    say("checking every year independently")
    verdict = judge(stored(outcome))
    if not verdict.ok:
        raise VerificationError("the programme did not pass the independent check: nothing is published", verdict.failures)
    manifest |= {"verified": True, "verification": {"checks": dict(verdict.checks)}}
    return replace(outcome, verdict=verdict, manifest=manifest)


def in_its_years(scenario: Scenario, steps: pd.DataFrame) -> Scenario:
    """The scenario in which every step is decided for its own year, and value is what is looked for."""
    names = steps["access_point_id"].where(steps["step"] == "move", steps["site_id"])
    years = dict(zip(names.astype(str), steps["decided_year"].str[:4].astype(int).tolist(), strict=True))
    money = scenario.money.model_copy(update={"objective": Objective.ANNUAL_EQUIVALENT, "decided_for": years})
    return scenario.model_copy(update={"name": f"{scenario.name}-programme", "money": money})


def _answer(problem: Problem, solution: Solution, terms: Terms, course: Course) -> Answer:
    """The plan at the end with its proof: what the programme's bound leaves open, as an equal yearly sum."""
    value = value_of(problem, solution)
    annuity = terms.worth.annuity
    bound = None if asked(terms.measured.scenario).least_cost_to else value - (course.bound - course.value) / annuity
    gap = None if bound is None else (value - bound) / max(abs(value), 1)
    repeatable = course.stopped not in ("time", "interrupt")
    return Answer(course.status, solution, value, bound, gap, repeatable, course.stopped, 0.0)


def summary(terms: Terms, course: Course, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What is said of a programme: its proof, what it is worth, and when it is complete."""
    scenario = terms.measured.scenario
    steps = tables["programme"]
    aim = asked(scenario).least_cost_to
    return {
        "name": scenario.name,
        "title": scenario.label,
        "aim": "greatest net present value" if aim is None else f"least cost to {year_label(aim)}, not discounted",
        "status": str(course.status),
        "worth_gbp": (course.value + terms.constant) / 100,
        "at_most_gbp": (course.bound + terms.constant) / 100,
        "gap": course.gap,
        "years": [year_label(scenario.money.base_year + int(year)) for year in terms.years],
        "moves_by_year": _by_year(terms, steps, "move"),
        "let_go_by_year": _by_year(terms, steps, "let go"),
        "complete_on": str(steps["date"].max()) if len(steps) else "",
        "leases_that_end": asked(scenario).leases,
        "funds": _funds(tables.get("funds")),
        **_vesting(scenario),
    }


def _funds(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """How much is drawn on each fund, and when the last of it is paid back (blank: a grant)."""
    if table is None:
        return []
    found = []
    for name, rows in table.groupby("fund", sort=False):
        paid = rows[rows["repaid_gbp"] > 0]
        drawn = round(float(rows["drawn_gbp"].sum()), 2)
        found.append({"name": str(name), "drawn_gbp": drawn, "repaid_in": str(paid["year"].max()) if len(paid) else ""})
    return found


def _vesting(scenario: Scenario) -> dict[str, Any]:
    """From when successors decide, pay and are paid, and whose they are."""
    then = succession(scenario)
    if then.way is None:
        return {}
    names = {each.agency: each.name or each.agency for each in then.way.successors}
    return {
        "vesting_date": then.way.vesting_date.isoformat(),
        "successors": {old: names[new] for old, new in then.heir.items()},
    }


def consents_of(measured: Measured, plan: Plan, terms: Terms) -> pd.DataFrame:
    """Disposals and contracts before vesting that may need a successor's consent."""
    from estate.partners.reorganisation import consents_table  # noqa: PLC0415  (only where councils are dissolved)

    way = succession(terms.measured.scenario).way
    return consents_table(measured, plan, way) if way is not None else pd.DataFrame()


def _by_year(terms: Terms, steps: pd.DataFrame, kind: str) -> list[int]:
    base = terms.measured.scenario.money.base_year
    year = steps.loc[steps["step"] == kind, "decided_year"].str[:4].astype(int) - base
    return np.bincount(year - int(terms.years[0]), minlength=len(terms.years)).astype(int).tolist() if len(year) else []
