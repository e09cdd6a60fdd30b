"""The steps of a programme as published, and the case in which some of them are taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from estate.scenario import Programme, Purse, Scenario
from estate.verify.case import Case, Decision


@dataclass(frozen=True, slots=True)
class Step:
    """One row of ``programme``: ``year`` after the base year is when it was decided for."""

    kind: str
    point: str
    site: str
    to: str
    year: int


def steps_of(case: Case, table: pd.DataFrame) -> list[Step]:
    """The rows of a table of steps."""
    return [
        Step(
            row["step"], row["access_point_id"], row["site_id"], row["to_site_id"], int(row["decided_year"][:4]) - base_of(case)
        )
        for row in table.to_dict("records")
    ]


def without_budgets(scenario: Scenario) -> Scenario:
    """The scenario in which money is no matter."""
    money = scenario.money.model_copy(update={"purses": (), "capital_budget_gbp": None})
    return scenario.model_copy(update={"money": money})


def base_of(case: Case) -> int:
    """The base year."""
    return case.scenario.money.base_year


def dated(case: Case, year: int) -> Case:
    """The case in which everything is decided for a year, and no budget is asked."""
    scenario = without_budgets(case.scenario)
    money = scenario.money.model_copy(update={"closing_year": year, "decided_for": {}})
    return replace(case, scenario=scenario.model_copy(update={"money": money}))


def timed(case: Case, steps: list[Step]) -> Case:
    """The case in which every step is decided for its own year."""
    years = {step.point if step.kind == "move" else step.site: base_of(case) + step.year for step in steps}
    scenario = without_budgets(case.scenario)
    money = scenario.money.model_copy(update={"decided_for": years})
    return replace(case, scenario=scenario.model_copy(update={"money": money}))


def taken(case: Case, steps: list[Step]) -> Decision:
    """Today's estate with some steps taken."""
    opened, host = set(case.today.open), dict(case.today.host)
    for step in steps:
        if step.kind == "move":
            host[step.point] = step.to
        elif step.kind == "open":
            opened.add(step.site)
        else:
            opened.discard(step.site)
    return Decision(frozenset(opened), host)


def years_of(case: Case, programme: Programme) -> list[int]:
    """The years that are decided about, after the base year."""
    first = case.scenario.money.closing_year if programme.first_year is None else programme.first_year - base_of(case)
    return list(range(first, first + programme.years))


# ------------------------------------------------------------------------------------------------------ who there is


def vesting(case: Case) -> tuple[int, Mapping[str, str]]:
    """The first whole year after the base year that successors have, and whose each is; without a reorganisation nobody's."""
    name = case.scenario.programme.reorganised_as if case.scenario.programme else ""
    for way in case.scenario.reorganisation:
        if name and way.name == name:
            day = way.vesting_date
            return day.year + (day.month > 4 or (day.month == 4 and day.day > 1)) - base_of(case), way.heir
    return 10**6, {}


def body(case: Case, agency: str, year: int) -> str:
    """Who an agency of today is in a year."""
    first, heir = vesting(case)
    return heir.get(agency, agency) if year >= first else agency


def holder(case: Case, purse: Purse, year: int) -> str:
    """The purse that has a purse's money in a year: its own, or its successor's where all of it is dissolved by then."""
    first, heir = vesting(case)
    if year < first or any(heir.get(each, each) == each for each in purse.agencies):
        return purse.name
    heirs = {heir[each] for each in purse.agencies}
    return next((each.name for each in case.scenario.money.purses if heirs <= set(each.agencies)), purse.name)
