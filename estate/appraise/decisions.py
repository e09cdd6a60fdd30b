"""The register of decisions: who decided each lock, when, and where it is minuted (``decisions.csv``)."""

from __future__ import annotations

import pandas as pd

from estate.place import Place
from estate.scenario import Decision, Scenario

COLUMNS = ("decided_by", "decided_on", "minute", "status", "lock", "site_id", "site_name", "access_point_id")


def decisions_table(place: Place, scenario: Scenario) -> pd.DataFrame:
    """One row for each lock that a decision stands behind; ``lock`` is keep, close or fixed."""
    rows = []
    for each in scenario.rules.decisions:
        said = (each.by, each.on.isoformat(), each.minute, each.status)
        locks = [(lock_of(place, scenario, site), site, "") for site in each.sites]
        locks += [("fixed", scenario.rules.fixed.get(point, ""), point) for point in each.access_points]
        rows += [(*said, lock, site, place.sites["name"].get(site, ""), point) for lock, site, point in locks]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def lock_of(place: Place, scenario: Scenario, site: str) -> str:
    """``close``, ``keep``, or nothing where a site is free."""
    status = place.sites["status"].get(site, "")
    if status == "close" or site in scenario.rules.close:
        return "close"
    return "keep" if status == "keep" or site in scenario.rules.keep else ""


def behind_sites(scenario: Scenario) -> dict[str, Decision]:
    """The decision on each site that has one."""
    return {site: each for each in scenario.rules.decisions for site in each.sites}


def behind_points(scenario: Scenario) -> dict[str, Decision]:
    """The decision on each access point that has one."""
    return {point: each for each in scenario.rules.decisions for point in each.access_points}
