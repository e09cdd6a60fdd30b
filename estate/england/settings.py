"""The scenario and the README of a place cut from the lists: limits that fit its mix of town and country."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from estate.england import neighbourhoods
from estate.england.areas import Area
from estate.scenario.limits import METRES

DETOUR = 1.3
LADDER_MILES = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50)
WITHIN = 0.9
"""A limit is the least of the ladder that so many of the people it is for are within today."""

SERVICES = {
    "library": ("Library", ["library", "office"]),
    "council_office": ("Council office", ["office", "library"]),
    "jobcentre": ("Jobcentre", ["office", "library"]),
    "gp_practice": ("GP practice", ["health"]),
    "police_desk": ("Police desk", ["police", "office", "library"]),
}
"""Each service's label, and the kinds of building that may take it in."""

ATTRIBUTION = (
    "Contains OS data (c) Crown copyright and database right 2025",
    "Contains Royal Mail data (c) Royal Mail copyright and database right 2025",
    "Contains National Statistics data (c) Crown copyright and database right",
    "Contains NHS data (OGL v3)",
    "Contains public sector information licensed under the Open Government Licence v3.0 (Arts Council England, DWP)",
    neighbourhoods.ATTRIBUTION,
)
OSM = "(c) OpenStreetMap contributors, ODbL"


def title_of(area: Area) -> str:
    """An area's name as people say it: ``Bristol``, not ``Bristol, City of``."""
    return area.name.removesuffix(", City of").removesuffix(", County of")


EVERYWHERE = "all"
"""The row of :func:`limits` that is for everybody: how far a counter may move follows from it."""


def limits(sites: pd.DataFrame, points: pd.DataFrame, zones: pd.DataFrame) -> list[tuple[str, str, int, float]]:
    """(service, urban, rural or all, miles, share of their people within it today) for each that the place has, by service."""
    at = sites.set_index("site_id")[["easting", "northing"]].astype(float)
    found = []
    for service in [each for each in SERVICES if (points["service"] == each).any()]:
        there = at.loc[points.loc[points["service"] == service, "site_id"]].to_numpy()
        metres = cKDTree(there).query(zones[["easting", "northing"]].to_numpy(dtype=float))[0] * DETOUR
        for where in ("urban", "rural", EVERYWHERE):
            chosen = (((zones["rural_urban"] == where) | (where == EVERYWHERE)) & (zones["population"] > 0)).to_numpy()
            if not chosen.any():
                continue
            people = zones.loc[chosen, "population"].to_numpy(dtype=float)
            share = [float(people[metres[chosen] <= miles * METRES["mile"]].sum() / people.sum()) for miles in LADDER_MILES]
            rung = next((i for i, each in enumerate(share) if each >= WITHIN), len(LADDER_MILES) - 1)
            found.append((service, where, LADDER_MILES[rung], share[rung]))
    return found


def settings(
    area: Area, name: str, sites: pd.DataFrame, points: pd.DataFrame, zones: pd.DataFrame, files: tuple[str, ...]
) -> str:
    """``estate.toml``."""
    people = zones.groupby("rural_urban")["population"].sum()
    rural = float(people.get("rural", 0)) / max(float(people.sum()), 1)
    reach = 10 if rural >= 0.5 else 5
    title = title_of(area)

    def table(key: str) -> str:
        named = [f"{key}.csv", *([f"{key}_osm.csv"] if f"{key}_osm.csv" in files else [])]
        return f"{key} = {_toml(named if len(named) > 1 else named[0])}"

    lines = [
        f"# {title}, cut from open lists.  README.md says where figures come from, assumptions.csv what is assumed.",
        f'name = "{name}"',
        f'title = "{title}, from open lists"',
        'description = "Where counters and people are is as published; floor areas, costs, values and limits are assumed."',
        "base_date = 2025-09-30",
        "",
        "[tables]",
        'agencies = "agencies.csv"',
        table("sites"),
        table("access_points"),
        'zones = "zones.csv"',
        'rates = "rates.csv"',
        *(['context = "context.geojson"'] if "context.geojson" in files else []),
        "",
        "[travel]",
        f"detour = {DETOUR} # straight line x detour: no street network comes with the lists",
        "",
    ]
    found = limits(sites, points, zones)
    near = {service: miles for service, where, miles, _ in found if where == EVERYWHERE and miles < reach}
    for service in [each for each in SERVICES if (points["service"] == each).any()]:
        label, hosts = SERVICES[service]
        lines += [f"[services.{service}]", f'label = "{label}"', f"hosts = {_toml(hosts)}"]
        if service in near:
            lines += [f"reach = {_miles(near[service])} # assumed: no counter moves farther than nine in ten now go to one"]
        lines += [""]
    lines += [
        "# How far is too far: the least of 1, 2, 3, 5, 8, 10, 15, 20, 30 and 50 miles that nine in ten of the place's urban, or",
        "# rural, people are within today.  Who is beyond a limit may go a little farther than now: half a mile in town, a mile",
        "# in the country.  Yours to replace by what your members would sign.",
    ]
    for service, where, miles, share in [each for each in found if each[1] != EVERYWHERE]:
        lines += [
            "[[standards]]",
            f'name = "{service.replace("_", "-")}-{where}"',
            f'service = "{service}"',
            f"limit = {_miles(miles)}",
            f'where = {{ rural_urban = "{where}" }}',
            f'tolerance = "{"0.5 miles" if where == "urban" else "1 mile"}"',
            f'source = "this scenario: {share:.0%} of the {where} people are within it today"',
            "",
        ]
    lines += [
        "[rules]",
        f"reach = {_miles(reach)} # a counter stays in or near its own town",
        "",
        "[money]",
        'price_base = "2025-26"',
        "base_year = 2025",
        "closing_year = 3 # 2028, when the leases of Jobcentres are assumed to end",
        "",
        "[page]",
        "attribution = [",
        *(f"  {_toml(each)}," for each in (*ATTRIBUTION, *((OSM,) if "NOTICE_osm.txt" in files else ()))),
        "]",
        "",
    ]
    return "\n".join(lines)


def _miles(miles: int) -> str:
    return f'"{miles} mile{"s" if miles > 1 else ""}"'


def _toml(value: str | list[str]) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "[" + ", ".join(_toml(each) for each in value) + "]"


def readme(
    area: Area, name: str, notes: tuple[str, ...], sites: pd.DataFrame, points: pd.DataFrame, zones: pd.DataFrame
) -> str:
    """``README.md``: what was found, what was assumed, what to do now."""
    members = ", ".join(f"{each.name} ({each.code})" for each in area.districts)
    found = "\n".join(f"* {note}" for note in notes)
    rows = "\n".join(f"| {s} | {where} | {miles} | {share:.1%} |" for s, where, miles, share in limits(sites, points, zones))
    people = int(np.asarray(zones["population"]).sum())
    return f"""# {title_of(area)}, from open lists

{people:,} people in {len(zones):,} small areas; {len(points):,} counters in {len(sites):,} buildings. Districts: {members}.

## What was found

{found}

## Where it comes from

| what | source |
|---|---|
| small areas, people | ONS: population-weighted points of the LSOAs of 2011, mid-2022 estimates. OGL v3 |
| names of neighbourhoods | House of Commons Library, MSOA names; a letter for each small area. Open Parliament Licence v3.0 |
| town or country, deprivation | ONS rural-urban classification of 2011; Index of Multiple Deprivation 2015. OGL v3 |
| libraries, and council services that share their building | Arts Council England, libraries in England 2023. OGL v3 |
| GP practices (main surgeries only) | NHS ODS, September 2025. OGL v3 |
| Jobcentres | DWP's addresses of 2016: **before the closures of 2017-18** |
| council headquarters | a list of about 2012 to 2015: a council that has since gone is shown under its successor |
| police | OpenStreetMap, incomplete; **that a station has a public counter is assumed** (`*_osm.csv`, ODbL) |
| districts, counties, police areas | ONS lookups of Local Authority District to County and to Police Force Area, December 2021 |

## What was assumed

Every floor area, cost, value and tenure, by one round rate for each kind (`assumptions.csv`), rounded to 50 m2, 1,000 pounds a
year and 25,000 pounds of value as registers are; each row lists its assumed columns in `illustrative`. One postcode is taken as
one building. GP practices are private contractors, those of one NHS commissioner shown as one and taken to take part. Libraries
that the list says share a building with a school, a surgery or the like keep it open. People beyond the edge are not
counted, nor are counters beyond it.

Limits, in miles by road (straight line x {DETOUR}), with the share of people within them today. The row of all is how far a
counter may move, where that is less than the reach of the place:

| service | people | miles | within |
|---|---|---|---|
{rows}

## What to do now

1. Compare `access_points.csv` with each agency's own list; correct, delete, add.
2. Replace assumptions by your registers' figures, and take the column's name out of the row's `illustrative`.
3. Set limits that your members would sign (`[[standards]]` in `estate.toml`).
4. `estate check {name}`, then `estate run {name}`.
"""
