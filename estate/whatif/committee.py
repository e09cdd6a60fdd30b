"""What a committee asks of a plan: what if that building stays after all, or goes; alone, and two at a time.

Every building that is free has one other fate than the plan's: kept where the plan lets it go, closed where the plan keeps it.
Each is solved, and so are all pairs of the :data:`LIKELIEST` whose other fate costs least.  Tables:

* ``committee``: a row for each question: ``question`` (a number), ``asked`` and ``site_id`` (``keep`` or ``close``), ``also`` and
  ``also_site_id`` for pairs; ``status``, and ``why_not``
  where there is no plan; ``more_gbp_pa``, by how much the best answer is
  dearer than the plan in the unit of the objective; its running cost, net one-off cost, buildings, counters that move, and the
  people who go farther than today for at least one service;
* ``committee_changes``: each answer as what it changes against today: ``moves``, ``opens`` and ``closes``.

Answers come from the batch's evaluator (:mod:`estate.whatif.reuse`), and are those of ``estate run`` with ``rules.keep`` and
``rules.close``, to the penny.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estate.appraise import Appraisal
from estate.appraise.access import reach
from estate.errors import InputError, Issue, VerificationError, Where
from estate.model import Measure, measure
from estate.money.costs import plan_pence_pa
from estate.options.tables import changes_of, farther
from estate.pipeline.decide import Outcome, stored
from estate.pipeline.judge import judge
from estate.pipeline.prepare import Say, prepare, quiet
from estate.place import Plan
from estate.runs.run import column_kinds
from estate.solve import Status
from estate.whatif.figures import why_not
from estate.whatif.patches import Family, WhatIf
from estate.whatif.reuse import Evaluator, Reply, Shared

LIKELIEST = 20
"""Buildings whose pairs are asked for: 190 of them."""
KEEP, CLOSE = "keep", "close"

type Ask = tuple[tuple[str, str], ...]
"""One or two of (``keep`` or ``close``, site id)."""


@dataclass(frozen=True, eq=False)
class Fate:
    """A question and what comes of it; ``plan`` is None where no plan can meet the rules, and ``why`` says why."""

    ask: Ask
    reply: Reply
    plan: Plan | None
    why: str


def with_committee(outcome: Outcome, *, likeliest: int = LIKELIEST, say: Say = quiet) -> Outcome:
    """The outcome with the tables ``committee`` and ``committee_changes``, judged again.

    Raises
    ------
    InputError
        For a scenario whose objective is not money, or whose rules a batch cannot hold.
    VerificationError
        When the referee disagrees with an answer.
    """
    scenario = outcome.prepared.scenario
    if not scenario.money.objective.in_money:
        where = Where(scenario.file.name, column="money.objective", value=str(scenario.money.objective))
        message = "a committee's questions are answered in money"
        raise InputError(issues=[Issue("committee.goal", message, "ask them of a plan of least cost", where)])
    evaluator = evaluator_of(outcome)
    singles = [((fate, site),) for site, fate in other_fates(outcome, evaluator)]
    say(f"asking what if, of {len(singles):,} buildings")
    answers = list(answered(evaluator, singles))
    dearer = sorted((a for a in answers if a.plan is not None), key=lambda a: (_value(a), a.ask))
    likely = sorted(a.ask[0] for a in dearer[:likeliest])
    pairs = list(itertools.combinations(likely, 2))
    say(f"asking what if, of {len(pairs):,} pairs")
    answers += answered(evaluator, pairs)
    tables = {**outcome.appraisal.tables, **committee_tables(outcome, answers)}
    manifest = {**outcome.manifest, "tables": column_kinds(tables)}
    appraised = replace(outcome, appraisal=Appraisal(tables, outcome.appraisal.summary), manifest=manifest)
    say("checking every answer")
    verdict = judge(stored(appraised))
    if not verdict.ok:
        raise VerificationError("the answers did not pass the independent check: nothing is published", verdict.failures)
    manifest |= {"verification": {"checks": dict(verdict.checks)}}
    return replace(appraised, verdict=verdict, manifest=manifest)


def evaluator_of(outcome: Outcome) -> Evaluator:
    """The batch's evaluator on a run's own scenario."""
    base = outcome.prepared.scenario
    plain = outcome.prepared if not base.adjust else prepare(base.model_copy(update={"adjust": ()}))
    whatif = WhatIf(name="committee", family=(Family(name="singles", kind="each-site"),))
    return Evaluator(Shared(whatif, base, replace(plain.place, context=None), plain.travel))


def other_fates(outcome: Outcome, evaluator: Evaluator) -> Iterator[tuple[str, str]]:
    """Each building in use that is free, with the fate that the plan does not give it; in order of id.

    What the scenario, the tables, another use or a counter that may not move hold as they are is not free.
    """
    place, plan = outcome.prepared.place, outcome.plan
    problem = evaluator.anchor(evaluator.shared.base, evaluator.shared.whatif.timeout_s).problem
    free = place.today.open & ~place.outside & ~problem.must_open & ~problem.must_close
    for j in sorted(np.flatnonzero(free).tolist(), key=lambda j: str(place.sites.index[j])):
        yield str(place.sites.index[j]), CLOSE if plan.open[j] else KEEP


def answered(evaluator: Evaluator, asks: Iterable[Ask]) -> Iterator[Fate]:
    """The best answer to each question."""
    rules = evaluator.shared.base.rules
    for ask in asks:
        wanted = {fate: [site for each, site in ask if each == fate] for fate in (KEEP, CLOSE)}
        changes = {f"rules.{fate}": sorted({*getattr(rules, fate), *sites}) for fate, sites in wanted.items() if sites}
        reply = evaluator.answer(changes, time_s=evaluator.shared.whatif.timeout_s)
        plan, why = None, reply.reason
        if reply.anchor is not None and reply.solution is not None and reply.place is not None:
            plan = reply.anchor.formulation.plan(reply.place, reply.solution)
        elif reply.status is Status.INFEASIBLE:
            why = why_not(reply)
        yield Fate(ask, reply, plan, why)


def _value(answer: Fate) -> int:
    """What an answer comes to, in the problem's unit."""
    return answer.reply.value if answer.reply.value is not None else np.iinfo(np.int64).max


def committee_tables(outcome: Outcome, answers: Iterable[Fate]) -> dict[str, pd.DataFrame]:
    """Both tables, questions in the order given, numbered from 1."""
    measured, place = outcome.prepared.measured, outcome.prepared.place
    names, before = place.sites["name"], reach(measured, place.today)
    best = outcome.answer.value
    people: dict[bytes, int] = {}
    rows, changes = [], []
    for number, each in enumerate(answers, start=1):
        (asked, site), (also, other) = each.ask[0], each.ask[1] if len(each.ask) > 1 else ("", "")
        row = {
            "question": number,
            "asked": asked,
            "site_id": site,
            "name": names[site],
            "also": also,
            "also_site_id": other,
            "also_name": names[other] if other else "",
            "status": str(each.reply.status),
            "why_not": each.why,
        }
        reply = each.reply
        if each.plan is not None and reply.anchor is not None and reply.solution is not None:
            problem, plan = reply.anchor.problem, each.plan
            key = plan.open.tobytes() + plan.host.tobytes()
            if key not in people:
                people[key] = farther(measured, before, reach(measured, plan))["people_farther"]
            one_off = measure(problem, reply.solution, Measure.ONE_OFF) if problem.site_one_off is not None else 0
            value = reply.value
            row |= {
                "more_gbp_pa": float("nan") if value is None or best is None else (value - best) / 100,
                "running_cost_gbp_pa": plan_pence_pa(place, plan) / 100,
                "net_one_off_gbp": one_off / 100,
                "sites": int((plan.open & ~place.outside).sum()),
                "moves": int((plan.host != place.point_site).sum()),
                "people_farther": people[key],
            }
            changes.append(pd.DataFrame(changes_of(place, plan), columns=CHANGES[1:]).assign(question=number))
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    whole = pd.concat(changes, ignore_index=True)[CHANGES] if changes else pd.DataFrame(columns=CHANGES)
    return {"committee": table, "committee_changes": whole.astype({**dict.fromkeys(CHANGES, "str"), "question": "int64"})}


COLUMNS = {
    "question": "int64", "asked": "str", "site_id": "str", "name": "str", "also": "str", "also_site_id": "str",
    "also_name": "str", "status": "str", "why_not": "str", "more_gbp_pa": "float64", "running_cost_gbp_pa": "float64",
    "net_one_off_gbp": "float64", "sites": "Int64", "moves": "Int64", "people_farther": "Int64",
}  # fmt: skip
CHANGES = ["question", "what", "access_point_id", "site_id", "site_name"]
