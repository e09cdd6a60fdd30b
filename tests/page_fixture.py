"""Runs for the page's tests, made without a solver: real tables under a plan that was made up, and a town of hostile names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from places import SETTINGS, SITE_ROWS, scenario_with, tiny_place, tiny_plan
from repository import INPUTS

from estate.appraise import appraise
from estate.formulate import site_state
from estate.load import load
from estate.place import CRS, Place, Plan, todays_plan
from estate.runs.run import Run, column_kinds
from estate.scenario import Scenario, load_scenario, resolved
from estate.standards.journeys import measure
from estate.standards.measured import Measured

MOVING = ("jobcentre", "police_desk", "council_office", "advice_centre")

HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=2>",
    "${window.hacked=3}",
    "`+(window.hacked=4)+`",
    "</script><script>window.hacked=5</script>",
    "'\"><svg onload=window.hacked=6>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnirts desrever\u202c \u202eand one left open",
    "\U0001f3db\ufe0f emoji \U0001f469\u200d\U0001f692",
    "A" * 10_000,
    "NUL\x00 and bell\x07",
    "=cmd|' /C calc'!A0",
    "]]>--><!--",
)
"""Names that must show as text, and do nothing."""


def run_of(place: Place, scenario: Scenario, plan: Plan, **manifest: Any) -> Run:
    """A run as the pipeline would store it, but for the proof, which is made up."""
    travel = measure(place, scenario)
    found = appraise(Measured.of(place, scenario, travel), plan, site_state(place, scenario).why)
    agencies = found.tables["agencies"]
    before, after = (float(agencies[f"cost_{when}_gbp_pa"].sum()) for when in ("before", "after"))
    proof = {
        "name": scenario.name,
        "title": scenario.label,
        "description": scenario.description,
        "status": "optimal",
        "objective": "running-cost",
        "objective_gbp_pa": after,
        "bound_gbp_pa": after,
        "gap": 0.0,
        "baseline_gbp_pa": before,
        "saving_gbp_pa": before - after,
        **found.summary,
        "verified": True,
        "scenario": resolved(scenario),
        "repeatable": True,
        "issues": [issue.as_row() for issue in place.issues],
        "versions": {"estate": "0"},
        "inputs": dict(place.digests),
        "tables": column_kinds(found.tables),
    }
    return Run(scenario, place, plan, travel, {**proof, **manifest}, found.tables)


@cache
def county() -> Run:
    """Worcestershire, with every counter that may move put in the nearest library."""
    scenario = load_scenario(INPUTS / "worcestershire")
    place = load(scenario)
    return run_of(place, scenario, _to_libraries(place))


def _to_libraries(place: Place) -> Plan:
    host = place.point_site.copy()
    xy = place.sites[["easting_m", "northing_m"]].to_numpy(float)
    libraries = np.flatnonzero(place.sites["kind"] == "library")
    for s, service in enumerate(place.access_points["service"]):
        if service in MOVING:
            away = np.hypot(*(xy[libraries] - xy[host[s]]).T)
            if 0 < away.min() < 4000:
                host[s] = libraries[away.argmin()]
    opened = todays_plan(place).open.copy()
    emptied = np.setdiff1d(place.point_site, host)
    free = (place.sites["other_use_m2"] == 0).to_numpy() & ~place.outside
    opened[emptied[free[emptied]]] = False
    return Plan(open=opened, host=host)


def town(*, sites: Mapping[str, Any] | None = None, scenario: Scenario | None = None, **tables: Any) -> Run:
    """The tiny town under its sensible plan, with any cells replaced."""
    place = tiny_place(sites=sites, **tables)
    return run_of(place, scenario or scenario_with(), tiny_plan(place))


def hostile_town() -> Run:
    """The tiny town in which every name, label and reason is an attack."""
    names = iter(HOSTILE * 20)
    place = tiny_place()
    frames = {}
    for table in ("agencies", "sites", "access_points", "zones"):
        frame = getattr(place, table).copy()
        for column in ("name", "district", "source"):
            if column in frame:
                frame[column] = [next(names) for _ in range(len(frame))]
        frames[table] = frame
    frames["sites"]["illustrative"] = [next(names) for _ in range(len(frames["sites"]))]
    where = frames["sites"][["easting_m", "northing_m"]].to_numpy(float)
    shapes = [shapely.box(*where.min(axis=0) - 2000, *where.max(axis=0) + 2000), *shapely.points(where)]
    kinds = ["outline", *["town"] * len(where)]
    context = gpd.GeoDataFrame({"kind": kinds, "name": [next(names) for _ in kinds]}, geometry=shapes, crs=CRS)
    services = {name: {**each, "label": next(names)} for name, each in SETTINGS["services"].items()}
    scenario = scenario_with(
        title=HOSTILE[0] + HOSTILE[7], description=" ".join(HOSTILE), services=services, page={"attribution": list(HOSTILE)}
    )
    place = replace(place, context=context, **frames)
    run = run_of(place, scenario, tiny_plan(place), issues=[{"message": each} for each in HOSTILE])
    tables = {name: frame.copy() for name, frame in run.tables.items()}
    tables["sites"]["why"] = [next(names) for _ in range(len(tables["sites"]))]
    tables["moves"]["consultation_reason"] = [next(names) for _ in range(len(tables["moves"]))]
    return replace(run, tables=tables)


def nation(sites: int = 10_000, zones: int = 33_000) -> Run:
    """A run as large as England: tables of made-up numbers with nothing worked out."""
    rng = np.random.default_rng(7)
    services = ("clinic", "jobcentre", "library", "office", "police")
    s, z = np.arange(sites), np.arange(zones)
    site_ids, zone_ids = pd.Index([f"S{i:05}" for i in s]), pd.Index([f"E01{i:06}" for i in z])
    xy, home = rng.uniform((2.5e5, 1e5), (6e5, 5e5), (sites, 2)), rng.uniform((2.5e5, 1e5), (6e5, 5e5), (zones, 2))
    base = tiny_place()
    frame = pd.DataFrame(
        {
            "name": [f"Building {i} of Somewhere-under-Wychwood" for i in s],
            "agency": "county",
            "kind": "office",
            "status": "free",
            "easting_m": xy[:, 0],
            "northing_m": xy[:, 1],
            "illustrative": "capacity_m2",
            "confidential": False,
            "in_use": True,
        },
        index=site_ids,
    )
    points = pd.DataFrame(
        {"name": "", "site_id": site_ids, "service": np.array(services)[s % 5], "agency": "county"}, index=site_ids
    )
    people = pd.DataFrame(
        {
            "name": [f"Area {i}" for i in z],
            "population": rng.integers(1000, 2000, zones),
            "easting_m": home[:, 0],
            "northing_m": home[:, 1],
            "imd_decile": z % 10 + 1,
        },
        index=zone_ids,
    )
    place = replace(base, sites=frame, access_points=points, zones=people)
    host = np.where(s % 4 == 0, (s + 1) % sites, s)
    after = np.where(s % 4 == 0, "released", np.where(s % 4 == 1, "hub", "retained"))
    distance = rng.gamma(2, 2500, (zones, len(services))).round()
    farther = np.where(rng.random(distance.shape) < 0.3, distance + 900, distance)
    tables = {
        "sites": pd.DataFrame(
            {
                "site_id": site_ids, "name": frame["name"].to_numpy(), "agency": "county", "agency_name": "County Council",
                "kind": "office", "tenure": "freehold", "before": "retained", "after": after, "district": "Somewhere",
                "services_before": points["service"].to_numpy(), "services_after": points["service"].to_numpy(),
                "area_used_before_m2": rng.integers(50, 900, sites), "area_used_after_m2": rng.integers(50, 900, sites),
                "capacity_m2": 1000, "running_cost_before_gbp_pa": 50_000.0, "running_cost_after_gbp_pa": 40_000.0,
                "net_receipt_gbp": np.where(after == "released", 2e5, np.nan), "why": "kept: the least-cost plan uses it",
                "illustrative": "capacity_m2",
            }
        ),
        "zones": pd.DataFrame(
            {
                "zone_id": np.repeat(zone_ids, len(services)), "service": np.tile(services, zones),
                "distance_before_m": distance.ravel(), "distance_after_m": farther.ravel(),
                "within_before": "yes", "within_after": np.where(farther.ravel() < 20_000, "yes", "no"),
            }
        ),
    }  # fmt: skip
    manifest = {"name": "nation", "status": "feasible", "gap": 0.021, "moves": int((host != s).sum()), "receipts_gbp": 5e8}
    manifest |= {"baseline_gbp_pa": 5e8, "saving_gbp_pa": 1e8, "sites_before": sites, "sites_after": sites * 3 // 4}
    return Run(scenario_with(), place, Plan(np.ones(sites, dtype=bool), host), None, manifest, tables)  # type: ignore[arg-type]


SITE_IDS = sorted(SITE_ROWS)
