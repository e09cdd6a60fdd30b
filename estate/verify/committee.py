"""What a committee may ask, read a second time: each answer does what was asked, keeps every rule, and costs what is said.

That an answer is the best one rests on its proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from estate.verify.case import Case, Decision, Finding, finding, number, plain
from estate.verify.money import running_pence
from estate.verify.partners import changed, objective_pence
from estate.verify.rules import check_plan

TABLES = ("committee", "committee_changes")
ANSWERED = ("optimal", "feasible")
HALF_A_PENNY = 0.005

type Row = Mapping[Any, Any]
type Answers = Mapping[str, Decision]


def check_committee(case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """Both tables, where there are any."""
    absent = [name for name in TABLES if name not in tables]
    if len(absent) == len(TABLES):
        return
    yield finding("committee.tables", len(TABLES), absent, "tables of the committee's questions that are missing")
    if absent:
        return
    rows, changes = tables["committee"].to_dict("records"), tables["committee_changes"]
    steps = {plain(key): frame for key, frame in changes.groupby("question")}
    numbers = {plain(row["question"]) for row in rows}
    yield finding("committee.questions", len(rows), {str(each) for each in set(steps) - numbers}, "answers to no question")
    answers, strangers = {}, []
    for row in rows:
        if plain(row["status"]) in ANSWERED:
            answer = changed(case, steps.get(plain(row["question"]), changes.iloc[:0]))
            if answer.host.keys() == case.today.host.keys() and {*answer.host.values(), *answer.open} <= set(case.sites):
                answers[plain(row["question"])] = answer
            else:
                strangers.append(_name(row))
    yield finding("committee.known", len(rows), strangers, "answers that name what is not there")
    done = [row for row in rows if plain(row["question"]) in answers]
    yield finding("committee.asked", len(rows), _undone(done, answers), "answers that do not do what was asked")
    yield finding("committee.rules", len(rows), _broken(case, done, answers), "answers that break a rule")
    wrong = _wrong(case, decision, done, answers)
    yield finding("committee.figures", len(rows), wrong, "figures that do not follow from the answer")


def _name(row: Row) -> str:
    return f"question {plain(row['question'])}"


def _undone(rows: Sequence[Row], answers: Answers) -> Iterator[str]:
    """What was asked for stays, or goes."""
    for row in rows:
        for asked, site in ((row["asked"], plain(row["site_id"])), (row["also"], plain(row["also_site_id"]))):
            if site and (site in answers[plain(row["question"])].open) != (plain(asked) == "keep"):
                yield f"{_name(row)}: {site}"


def _broken(case: Case, rows: Sequence[Row], answers: Answers) -> Iterator[str]:
    """Each answer keeps every rule of the scenario; many questions have one answer."""
    known: dict[object, list[str]] = {}
    for row in rows:
        answer = answers[plain(row["question"])]
        key = answer.open, tuple(sorted(answer.host.items()))
        if key not in known:
            known[key] = [each.rule for each in check_plan(case, answer) if each.broken]
        yield from (f"{_name(row)}: {fault}" for fault in known[key])


def _wrong(case: Case, decision: Decision, rows: Sequence[Row], answers: Answers) -> Iterator[str]:
    """Running cost, what is more than the plan by the objective, and moves, worked out again."""
    best = objective_pence(case, decision)
    for row in rows:
        answer = answers[plain(row["question"])]
        true = {
            "running_cost_gbp_pa": running_pence(case, answer) / 100,
            "more_gbp_pa": (objective_pence(case, answer) - best) / 100,
            "moves": len(case.moved(answer)),
        }
        for column, value in true.items():
            if abs(number(row[column]) - value) > HALF_A_PENNY:
                yield f"{_name(row)}: {column} {row[column]}, not {value}"
