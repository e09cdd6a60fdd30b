"""A tiny made-up town for tests: three public bodies, six buildings, seven counters, six zones.

Market town (five buildings within a kilometre of each other) and a village 6 km east.  Everything is small enough to check
by hand, and any cell can be replaced: ``tiny_place(sites={"depot": {"market_value_gbp": 10_000}})``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estate.place import Place, Plan
from estate.scenario import Scenario, build
from estate.tables import ACCESS_POINTS, AGENCIES, HOSTING, RATES, SITES, ZONES, Column, ColumnKind, Table

type Cells = Mapping[str, Mapping[str, Any]]

AGENCY_ROWS: Cells = {
    "county": {"name": "Westshire County Council", "kind": "local_authority_england"},
    "dwp": {"name": "Department for Work and Pensions", "kind": "central_government"},
    "landlord": {"name": "Acme Estates Ltd", "kind": "private"},
    "police": {"name": "Westshire Police", "kind": "police"},
}

SITE_ROWS: Cells = {
    "clinic": {
        "name": "Riverside Clinic", "agency": "landlord", "kind": "health", "tenure": "private", "capacity_m2": 300.0,
        "running_cost_gbp_pa": 30_000.0, "easting_m": 400_800.0, "northing_m": 250_300.0, "step_free": "yes",
    },
    "hall": {
        "name": "Town Hall", "agency": "county", "kind": "office", "tenure": "freehold", "capacity_m2": 900.0,
        "other_use_m2": 200.0, "running_cost_gbp_pa": 90_000.0, "hosting_cost_gbp_m2_pa": 40.0,
        "market_value_gbp": 800_000.0, "value_low_gbp": 600_000.0, "value_high_gbp": 950_000.0,
        "disposal_cost_gbp": 20_000.0, "easting_m": 400_000.0, "northing_m": 250_000.0,
    },
    "jobcentre": {
        "name": "Jobcentre", "agency": "dwp", "kind": "office", "tenure": "leasehold", "capacity_m2": 400.0,
        "running_cost_gbp_pa": 60_000.0, "lease_end": "2030-03-31", "lease_break": "2027-03-31",
        "exit_cost_gbp": 25_000.0, "easting_m": 400_400.0, "northing_m": 250_100.0,
    },
    "library": {
        "name": "Library", "agency": "county", "kind": "library", "tenure": "freehold", "capacity_m2": 700.0,
        "running_cost_gbp_pa": 70_000.0, "hosting_cost_gbp_m2_pa": 30.0, "market_value_gbp": 400_000.0,
        "disposal_cost_gbp": 10_000.0, "easting_m": 400_300.0, "northing_m": 250_400.0, "step_free": "yes",
    },
    "station": {
        "name": "Police Station", "agency": "police", "kind": "police", "tenure": "freehold", "capacity_m2": 250.0,
        "running_cost_gbp_pa": 45_000.0, "market_value_gbp": 300_000.0, "disposal_cost_gbp": 15_000.0,
        "years_to_sale": 2.0, "easting_m": 400_600.0, "northing_m": 249_800.0,
    },
    "village": {
        "name": "Village Library & Shop", "agency": "county", "kind": "library", "tenure": "freehold", "capacity_m2": 150.0,
        "running_cost_gbp_pa": 12_000.0, "market_value_gbp": 120_000.0, "disposal_cost_gbp": 6_000.0,
        "easting_m": 406_000.0, "northing_m": 250_000.0, "district": "Vale",
    },
}  # fmt: skip

POINT_ROWS: Cells = {
    "p1": {"site_id": "hall", "service": "council", "agency": "county", "area_m2": 200.0, "hall_area_m2": 50.0},
    "p2": {"site_id": "library", "service": "library", "agency": "county", "area_m2": 300.0, "hall_area_m2": 60.0,
           "desk_area_m2": 100.0},
    "p3": {"site_id": "village", "service": "library", "agency": "county", "area_m2": 100.0, "hall_area_m2": 20.0,
           "desk_area_m2": 40.0},
    "p4": {"site_id": "jobcentre", "service": "jobcentre", "agency": "dwp", "area_m2": 250.0, "hall_area_m2": 40.0},
    "p5": {"site_id": "station", "service": "police", "agency": "police", "area_m2": 80.0, "hall_area_m2": 30.0},
    "p6": {"site_id": "clinic", "service": "clinic", "agency": "landlord", "area_m2": 280.0, "hall_area_m2": 50.0},
    "p7": {"site_id": "hall", "service": "police", "agency": "police", "area_m2": 20.0},
}  # fmt: skip

ZONE_ROWS: Cells = {
    f"z{n}": {
        "population": people, "name": name, "easting_m": east, "northing_m": north, "age65": people // 5,
        "no_car": people // 10 * n, "district": district, "rural_urban": kind, "imd_decile": float(n),
    }
    for n, people, name, east, north, district, kind in (
        (1, 2000, "Centre", 400_100.0, 250_100.0, "Town", "urban"),
        (2, 1800, "Northfield", 400_300.0, 251_500.0, "Town", "urban"),
        (3, 1500, "Southgate", 400_500.0, 248_600.0, "Town", "urban"),
        (4, 1200, "Westbury", 398_000.0, 250_000.0, "Town", "urban"),
        (5, 400, "Village", 406_100.0, 250_200.0, "Vale", "rural"),
        (6, 150, "Farm End", 409_500.0, 251_000.0, "Vale", "rural"),
    )
}  # fmt: skip

RATE_ROWS = (
    {"service": "jobcentre", "site_kind": "", "fitout_gbp_m2": 500.0, "removal_gbp_m2": 20.0},
    {"service": "jobcentre", "site_kind": "library", "fitout_gbp_m2": 400.0, "removal_gbp_m2": 20.0},
    {"service": "library", "site_kind": "", "fitout_gbp_m2": 350.0, "removal_gbp_m2": 30.0},
    {"service": "police", "site_kind": "", "fitout_gbp_m2": 600.0, "removal_gbp_m2": 10.0},
)

SETTINGS: Mapping[str, Any] = {
    "name": "tiny",
    "title": "A tiny town",
    "services": {
        "clinic": {"hosts": ["health"]},
        "council": {"label": "Council office", "hosts": ["office", "library"], "fitout_gbp_m2": 450},
        "jobcentre": {"label": "Jobcentre", "hosts": ["office", "library"]},
        "library": {"label": "Library", "hosts": ["office", "library", "community"]},
        "police": {"label": "Police desk", "hosts": ["office", "library", "police"]},
    },
    "standards": [
        {"name": "library-3-miles", "service": "library", "limit": "3 miles"},
        {"name": "jobcentre-8-km", "service": "jobcentre", "limit": "8 km"},
        {"name": "police-5-miles", "service": "police", "limit": "5 miles"},
    ],
    "money": {"price_base": "2025-26", "base_year": 2025, "optimism_bias": {"library": 0.1, "office": 0.2}},
}


def tiny_place(
    *, agencies: Cells | None = None, sites: Cells | None = None, access_points: Cells | None = None,
    zones: Cells | None = None, rates: tuple[Mapping[str, Any], ...] = RATE_ROWS, hosting: tuple[Mapping[str, Any], ...] = (),
) -> Place:  # fmt: skip
    """The town, with any cells replaced (or rows added) by id."""
    return Place(
        agencies=frame(AGENCIES, with_changes(AGENCY_ROWS, agencies)),
        sites=frame(SITES, with_changes(SITE_ROWS, sites)),
        access_points=frame(ACCESS_POINTS, with_changes(POINT_ROWS, access_points)),
        zones=frame(ZONES, with_changes(ZONE_ROWS, zones)),
        rates=keyed(RATES, rates),
        hosting=keyed(HOSTING, hosting),
    )


def tiny_scenario(**money: Any) -> Scenario:
    """The town's scenario; keywords are settings of its ``money`` section."""
    settings = {**SETTINGS, "money": {**SETTINGS["money"], **money}}
    return build(settings, folder=Path("tiny"), file=Path("tiny/estate.toml"))


def scenario_with(**sections: Any) -> Scenario:
    """The town's scenario with whole sections replaced, such as ``rules = {...}``."""
    return build({**SETTINGS, **sections}, folder=Path("tiny"), file=Path("tiny/estate.toml"))


def tiny_plan(place: Place) -> Plan:
    """A sensible decision: the Jobcentre moves to the library, the police desk to the town hall; their buildings close."""
    host = place.access_points["site_id"].to_dict() | {"p4": "library", "p5": "hall"}
    return plan_of(place, host)


def plan_of(place: Place, host: Mapping[str, str]) -> Plan:
    """A plan that keeps open exactly the sites that host something."""
    chosen = place.sites.index.get_indexer(pd.Index([host[point] for point in place.access_points.index])).astype(np.int64)
    opened = place.outside.copy()
    opened[chosen] = True
    return Plan(open=opened, host=chosen)


def with_changes(rows: Cells, changes: Cells | None) -> dict[str, dict[str, Any]]:
    """Rows with some cells replaced, and new rows where the id is new."""
    changes = changes or {}
    return {
        key: {**rows.get(key, {}), **changes.get(key, {})} for key in [*rows, *(each for each in changes if each not in rows)]
    }


def frame(table: Table, rows: Cells) -> pd.DataFrame:
    """Rows by id as a place holds them: sorted, every column there, typed and filled."""
    raw = pd.DataFrame.from_dict({key: dict(row) for key, row in rows.items()}, orient="index").sort_index()
    raw.index = pd.Index(raw.index.astype(str), name=table.key[0])
    for column in table.columns:
        if column.name not in table.key:
            raw[column.name] = typed(raw[column.name] if column.name in raw else pd.Series(np.nan, raw.index, object), column)
    return raw


def keyed(table: Table, rows: tuple[Mapping[str, Any], ...]) -> pd.DataFrame:
    """Rows of a table with two keys, indexed by both."""
    columns = [column.name for column in table.columns]
    raw = pd.DataFrame([dict(row) for row in rows], columns=columns)
    for column in table.columns:
        raw[column.name] = typed(raw[column.name], column)
    return raw.set_index(list(table.key)).sort_index()


def typed(values: pd.Series, column: Column) -> pd.Series:
    """A column's cells with its type and its default."""
    if column.kind in (ColumnKind.NUMBER, ColumnKind.INTEGER):
        numbers = pd.to_numeric(values).astype(float)
        filled = numbers if column.default is None else numbers.fillna(float(column.default))
        return filled.astype(np.int64) if column.kind is ColumnKind.INTEGER else filled
    if column.kind is ColumnKind.DATE:
        return pd.to_datetime(values)
    if column.kind is ColumnKind.FLAG:
        default = bool(column.default)
        return pd.Series([default if pd.isna(each) else bool(each) for each in values], values.index, bool)
    text = "" if column.default is None else str(column.default)
    return pd.Series([text if pd.isna(each) else str(each) for each in values], values.index, str)
