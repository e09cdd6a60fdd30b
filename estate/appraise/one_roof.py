"""Which services are met in one visit: buildings that have several, and how many people are near one (``one_roof.csv``)."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from estate.place import Plan
from estate.problem import Bools
from estate.scenario import ROOF, Standard
from estate.standards.measured import Measured

COLUMNS = [
    "services", "rule", "limit", "buildings_before", "buildings_after", "people", "people_before", "people_after",
]  # fmt: skip


def one_roof_table(measured: Measured, plan: Plan) -> pd.DataFrame:
    """One row for each standard on services under one roof, then for every two services that share a building.

    Two public services of different kinds have a row where a building has both, today or in the plan, by the shorter limit of
    their own first rules: whoever is within it of a building with both meets both in one visit.  Without such a limit, or where
    one is a distance and the other a time, people are not counted.  Buildings outside the place serve people, and are counted.
    """
    today, after = measured.offers_today, measured.offers(plan)
    rows = []
    for rule in measured.rules:
        k = measured.service(rule)
        if ROOF in rule.service and k is not None:
            rows.append(_row(measured, rule.service.split(ROOF), rule.name, rule, (today[k], after[k])))
    kind = measured.scenario.kind_of
    for (a, one), (b, other) in combinations(measured.public, 2):
        both = today[a] & today[b], after[a] & after[b]
        if kind(one) != kind(other) and (both[0].any() or both[1].any()):
            rows.append(_row(measured, [one, other], "", shorter(measured, one, other), both))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype(dict.fromkeys([each for each in COLUMNS if each.startswith(("buildings", "people"))], "Int64"))


def shorter(measured: Measured, one: str, other: str) -> Standard | None:
    """The first rule of one of two services whose limit is the shorter; None where they cannot be set side by side."""
    own = [measured.own_rules.get(each, ()) for each in (one, other)]
    if not all(own):
        return None
    first, second = (rules[0][0] for rules in own)
    if first.limit is None or second.limit is None or first.limit.metric is not second.limit.metric:
        return None
    return first if first.limit.value <= second.limit.value else second


def _row(
    measured: Measured, services: list[str], name: str, rule: Standard | None, there: tuple[Bools, Bools]
) -> dict[str, str | int | None]:
    row: dict[str, str | int | None] = {
        "services": ";".join(services),
        "rule": name,
        "limit": rule.limit.text if rule and rule.limit else "",
        "buildings_before": int(there[0].sum()),
        "buildings_after": int(there[1].sum()),
    }
    if rule is not None and measured.testable(rule):
        people = measured.people(rule) if name else measured.place.zones["population"].to_numpy()
        row["people"] = int(people.sum())
        for when, each in zip(("before", "after"), there, strict=True):
            row[f"people_{when}"] = int(people[measured.reached(rule, each) > 0].sum())
    return row
