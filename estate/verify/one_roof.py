"""Services met in one visit, counted again: the buildings that have several, and the people who are near one."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pandas as pd

from estate.scenario import ROOF, Journey, Standard
from estate.verify.access import count, near_pairs, offering, people, stands
from estate.verify.case import Case, Decision


def one_roof_again(case: Case, decision: Decision) -> pd.DataFrame:
    """``one_roof``: the standards on services under one roof, and every two services of two kinds that share a building."""
    home = [rule for rule in case.standards if rule.measure is Journey.HOME]
    rows = [
        _row(case, decision, rule.service, rule, named=True) for rule in home if ROOF in rule.service and case.has(rule.service)
    ]
    for one, other in combinations(case.visited, 2):
        if len(case.kinds((one, other))) < 2:
            continue
        first, second = (_first(case, home, each) for each in (one, other))
        rule = None
        if first and second and first.limit and second.limit and first.limit.metric is second.limit.metric:
            rule = second if second.limit.value < first.limit.value else first
        row = _row(case, decision, f"{one}{ROOF}{other}", rule, named=False)
        if row["buildings_before"] or row["buildings_after"]:
            rows.append(row)
    return pd.DataFrame(rows)


def _first(case: Case, home: list[Standard], service: str) -> Standard | None:
    """The first rule of a service that speaks for anybody: those for everyone before those for some."""
    mine = [rule for rule in home if rule.service == service and stands(case, rule).any()]
    return next(iter(sorted(mine, key=lambda rule: rule.people != "everyone")), None)


def _row(case: Case, decision: Decision, services: str, rule: Standard | None, *, named: bool) -> dict[str, Any]:
    there = [offering(case, each, services) for each in (case.today, decision)]
    row: dict[str, Any] = {
        "services": services.replace(ROOF, ";"),
        "rule": rule.name if rule and named else "",
        "limit": rule.limit.text if rule and rule.limit else "",
        "buildings_before": float(len(there[0])),
        "buildings_after": float(len(there[1])),
        **dict.fromkeys(("people", "people_before", "people_after"), float("nan")),
    }
    near = near_pairs(case, rule) if rule else None
    if rule is not None and near is not None:
        residents = people(case, rule) if named else case.zones["population"]
        row["people"] = float(residents.sum())
        for when, sites in zip(("before", "after"), there, strict=True):
            row[f"people_{when}"] = float(residents[count(near, sites, len(case.zones)) > 0].sum())
    return row
