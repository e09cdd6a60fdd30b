"""From a prepared scenario to a plan with its proof, its books and the referee's verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from estate.appraise import Appraisal, appraise
from estate.diagnose.binding import why_kept
from estate.errors import InfeasibleError, Issue, NoPlanError, VerificationError
from estate.formulate import Formulated, formulate
from estate.pipeline.certificate import certified
from estate.pipeline.judge import judge
from estate.pipeline.manifest import issues_of, manifest_of
from estate.pipeline.prepare import Prepared, Say, quiet
from estate.place import Plan
from estate.runs.run import Run
from estate.scenario import Scenario
from estate.solve import Answer, Limits, Progress, Status, solve
from estate.verify import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class PageHtml:
    """A page as the text of one HTML file, which asks nothing of the network."""

    html: str

    def __repr__(self) -> str:
        return f"<Page of {len(self.html) / 1e6:.1f} MB>"

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:45rem;border:0"></iframe>'


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A finished run: the plan, its proof, the referee's verdict, the tables and the manifest; ``out`` is where it is."""

    prepared: Prepared
    formulation: Formulated
    answer: Answer
    plan: Plan
    verdict: Verdict
    appraisal: Appraisal
    manifest: Mapping[str, Any]
    out: Path | None = None
    certificate: Mapping[str, Any] | None = None
    """Why no plan can cost much less (:mod:`estate.pipeline.certificate`), where there is one."""

    def __repr__(self) -> str:
        saving, where = self.manifest.get("saving_gbp_pa"), "" if self.out is None else f", published in {self.out}"
        saved = "" if saving is None else f", saves GBP {saving:,.0f} a year"
        return f"<Outcome {self.prepared.scenario.name}: {self.answer.status}{saved}, {self.plan!r}{where}>"

    def page(self, *, public: bool = False) -> PageHtml:
        """The planner's page, which a notebook shows as it is; ``public``: what may be handed out."""
        from estate.page import render  # noqa: PLC0415  (folium is slow to import)

        return PageHtml(render(stored(self), public=public))

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every published table by name."""
        return self.appraisal.tables

    @property
    def issues(self) -> list[Issue]:
        """All that is worth knowing of the run, warnings first."""
        return issues_of(self.prepared, self.formulation, self.appraisal)


def limits_of(scenario: Scenario) -> Limits:
    """The scenario's solver settings; a limit of time that is given stands alone, unless one of work is given too."""
    solver = scenario.solver
    timed = solver.time_limit_s is not None and "work_limit" not in solver.model_fields_set
    work = None if timed else solver.work_limit
    return Limits(solver.gap, solver.time_limit_s, work, solver.threads, solver.seed, solver.name)


def decide(
    prepared: Prepared,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    say: Say = quiet,
) -> Outcome:
    """Formulate, solve, verify and appraise a prepared scenario; nothing is written."""
    scenario, place, travel = prepared.scenario, prepared.place, prepared.travel
    formulation = formulate(prepared.measured)
    problem = formulation.problem
    say(
        f"looking for the best plan: {len(place.sites):,} sites, {problem.n_points:,} access points, {problem.n_pairs:,} choices"
    )
    answer = solve(problem, limits_of(scenario), progress=progress, stop=stop)
    if answer.solution is None:
        _no_plan(prepared, answer)
    held = None
    if scenario.rules.no_agency_worse_off is not None:
        from estate.partners.fair import fair  # noqa: PLC0415  (only where it is asked for)

        say("looking for the best plan in which no agency is worse off")
        held = fair(prepared.measured, formulation, answer, limits_of(scenario), progress=progress, stop=stop)
        answer = answer if held is None else held.answer
    if answer.solution is None:
        _no_plan(prepared, answer)
    plan = formulation.plan(place, answer.solution)
    appraisal = appraise(prepared.measured, plan, why_kept(place, scenario, formulation, answer.solution))
    manifest = manifest_of(prepared, formulation, answer, appraisal)
    if held is not None:
        manifest |= {"no_agency_worse_off": held.as_json()}
    say("checking the plan independently")
    verdict = judge(Run(scenario, place, plan, travel, manifest, appraisal.tables))
    if not verdict.ok:
        raise VerificationError("the plan did not pass the independent check: nothing is published", verdict.failures)
    say("working out how much of the proof can be followed")
    found = certified(place, scenario, travel, formulation, answer)
    certificate, confirmed = (None, None) if found is None else found
    manifest |= {
        "verified": True,
        "verification": {"checks": dict(verdict.checks)},
        "certificate": None if confirmed is None else asdict(confirmed),
    }
    return Outcome(prepared, formulation, answer, plan, verdict, appraisal, manifest, certificate=certificate)


def _no_plan(prepared: Prepared, answer: Answer) -> NoReturn:
    if answer.status is Status.INFEASIBLE:
        from estate.diagnose import EXPLAIN_S, reasons  # noqa: PLC0415  (only a failing run needs it)

        found = reasons(prepared.place, prepared.scenario, prepared.travel, EXPLAIN_S)
        raise InfeasibleError("no plan can meet these rules", found)
    raise NoPlanError(f"the search ended ({answer.stopped}) with no plan and no proof that there is none: give it more time")


def stored(outcome: Outcome) -> Run:
    """An outcome as a run that can be published, drawn and compared."""
    prepared = outcome.prepared
    return Run(
        prepared.scenario, prepared.place, outcome.plan, prepared.travel, outcome.manifest, outcome.appraisal.tables,
        outcome.certificate,
    )  # fmt: skip
