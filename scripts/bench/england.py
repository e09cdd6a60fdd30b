"""The national instance: where England's libraries, surgeries, Jobcentres, council offices and police counters really are.

Places and people are read from a folder of open lists (below); everything else (floor areas, costs, who may be whose guest)
is illustrative, drawn by :func:`estate.problem.generate.furnish` as for generated places.  A building is a postcode, or a
spot where there is no postcode; whatever shares it shares a building.  Access is straight line x 1.3, within the standard or
no worse than today.

The folder holds comma-separated files (``.gz`` may be added), known by how their names begin or what they contain:

    lsoa*        lsoa11cd, easting, northing, pop_mid2022, pop2011
    libraries*   type, operation_23, closed, postcode, easting, northing, ladcd
    gp_*         postcode, easting, northing, ladcd
    jobcentres*  Postcode, easting, northing, ladcd
    *council*    Postcode, country, lon, lat
    police*      name, lon, lat                                   (optional)
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
from pyproj import Transformer
from scipy.spatial import cKDTree

from estate.problem import Floats, Ints, Problem
from estate.problem.generate import Ground, furnish
from estate.solve import Limits, reduce, solve
from estate.solve.decompose import components

LIBRARY, CLINIC, COUNCIL, JOBCENTRE, POLICE = range(5)
SERVICES = ("library", "clinic", "council office", "Jobcentre", "police counter")
FAR_M = 5_000
"""A police station with no English zone's centre so near is taken to be elsewhere: its list names no country."""


@dataclass(frozen=True)
class England:
    """What was read, and what was left out and why."""

    ground: Ground
    dropped: dict[str, int]


def table(folder: Path, pattern: str, *, needed: bool = True) -> pd.DataFrame | None:
    """The one file of a kind, all cells as text."""
    found = sorted(path for path in folder.glob(pattern) if path.name.endswith((".csv", ".csv.gz")))
    if len(found) > 1 or (needed and not found):
        raise click.ClickException(f"{folder}: {len(found)} files called {pattern}, one is needed")
    return pd.read_csv(found[0], dtype=str, keep_default_na=False) if found else None


def located(frame: pd.DataFrame, to_grid: Callable[..., tuple[Floats, Floats]] | None) -> tuple[pd.DataFrame, int]:
    """The rows with a place, its grid metres in ``x`` and ``y``; how many have none."""
    names = ("easting", "northing") if to_grid is None else ("lon", "lat")
    place = frame[list(names)].apply(pd.to_numeric, errors="coerce")
    there = place.notna().all(axis=1)
    x, y = (place.loc[there, name].to_numpy() for name in names)
    if to_grid is not None:
        x, y = to_grid(x, y)
    kept = frame[there].assign(x=np.round(x), y=np.round(y))
    return kept, int((~there).sum())


def read(folder: Path) -> England:
    """The English rows of a folder's lists."""
    dropped: dict[str, int] = {}
    to_grid = Transformer.from_crs(4326, 27700, always_xy=True).transform

    def keep(frame: pd.DataFrame, mask: pd.Series, why: str) -> pd.DataFrame:
        dropped[why] = int((~mask).sum())
        return frame[mask]

    zones = table(folder, "lsoa*")
    zones = keep(zones, zones["lsoa11cd"].str.startswith("E"), "zones outside England")
    zones = zones.sort_values("lsoa11cd")
    zone_xy = zones[["easting", "northing"]].astype(float).to_numpy()
    people = zones["pop_mid2022"].where(zones["pop_mid2022"] != "", zones["pop2011"]).astype(int).to_numpy(np.int64)

    found = []
    for service, pattern, grid in (
        (LIBRARY, "libraries*", None),
        (CLINIC, "gp_*", None),
        (COUNCIL, "*council*", to_grid),
        (JOBCENTRE, "jobcentres*", None),
        (POLICE, "police*", to_grid),
    ):
        frame = table(folder, pattern, needed=service != POLICE)
        if frame is None:
            continue
        name = SERVICES[service]
        frame = frame.rename(columns=str.lower)
        if service == LIBRARY:
            kind, shut = frame["type"].str.lower(), frame["operation_23"].str.lower().isin({"closed", "temporary closure"})
            shut |= frame["closed"] != ""
            public = kind.str.startswith("static") & ~kind.str.contains("archive")
            frame = keep(frame, public, "libraries that move, or are in prisons or archives")
            frame = keep(frame, ~shut[public], "libraries closed")
        frame, nowhere = located(frame, grid)
        dropped[f"{name}: no place"] = nowhere
        if "ladcd" in frame:
            frame = keep(frame, frame["ladcd"].str.startswith("E"), f"{name}: outside England")
        elif "country" in frame:
            frame = keep(frame, frame["country"] == "England", f"{name}: outside England")
        else:
            away = cKDTree(zone_xy).query(frame[["x", "y"]].to_numpy())[0]
            frame = keep(frame, pd.Series(away <= FAR_M, index=frame.index), f"{name}: no English zone near")
        code = frame["postcode"].str.replace(" ", "").str.upper() if "postcode" in frame else pd.Series("", index=frame.index)
        found.append(pd.DataFrame({"service": service, "x": frame["x"], "y": frame["y"], "code": code}))
    return England(ground(pd.concat(found), zone_xy, people), dropped)


def ground(points: pd.DataFrame, zone_xy: Floats, people: Ints) -> Ground:
    """Buildings from points: one for each postcode, and one for each spot.  The order of rows does not matter."""
    points = points.sort_values(["code", "x", "y", "service"])
    spot = points["x"].astype(int).astype(str) + " " + points["y"].astype(int).astype(str)
    key = points["code"].where(points["code"] != "", spot)
    xy = points.groupby(key.to_numpy())[["x", "y"]].transform("first").to_numpy()
    site_xy, site = np.unique(xy, axis=0, return_inverse=True)
    service = points["service"].to_numpy(np.int64)
    order = np.lexsort((service, site))
    site, service = site[order].astype(np.int64), service[order]
    kind = service[np.searchsorted(site, np.arange(len(site_xy)))]  # the first of its services
    return Ground(site_xy, kind, site, service, zone_xy, people)


def counts(problem: Problem) -> dict[str, int]:
    """The sizes that a reduction changes."""
    return {
        "pairs": problem.n_pairs,
        "rows": len(problem.cover),
        "must_open": int(problem.must_open.sum()),
        "must_close": int(problem.must_close.sum()),
    }


def peak_gib() -> float:
    """Most memory this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def measure(folder: Path, time_s: float, seed: int) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Read, build, reduce and solve; the steps with their cost, and what came out."""
    steps: list[dict[str, object]] = []
    wall, cpu = time.perf_counter(), time.process_time()

    def done(step: str) -> None:
        nonlocal wall, cpu
        now, busy = time.perf_counter(), time.process_time()
        steps.append({"step": step, "cpu_s": round(busy - cpu, 2), "wall_s": round(now - wall, 2), "peak_gib": peak_gib()})
        wall, cpu = time.perf_counter(), time.process_time()

    england = read(folder)
    done("read")
    problem = furnish(england.ground, np.random.default_rng(seed))
    done("build")
    small = reduce.tighten(problem).problem
    done("reduce")
    parts = components.components(small, ties=False)
    done("parts")
    answer = solve(problem, Limits(time_s=time_s))
    done("solve")
    here = np.bincount(england.ground.point_service, minlength=len(SERVICES))
    return steps, {
        "figures": "places and people as listed; floor areas, costs and who may share are illustrative",
        "sites": problem.n_sites,
        "zones": len(england.ground.people),
        "people": int(england.ground.people.sum()),
        "points": dict(zip(SERVICES, here.tolist(), strict=True)),
        "left_out": england.dropped,
        "before": counts(problem),
        "after": counts(small),
        "parts": len(parts),
        "largest_part_sites": max(len(part.sites) for part in parts),
        "today_gbp_pa": int(problem.site_cost.sum()) / 100,
        "plan_gbp_pa": None if answer.value is None else answer.value / 100,
        "bound_gbp_pa": None if answer.bound is None else round(answer.bound / 100, 2),
        "gap": answer.gap,
        "status": str(answer.status),
        "stopped": answer.stopped,
        "open_sites": None if answer.solution is None else int(answer.solution.open.sum()),
        "peak_gib": peak_gib(),
    }
