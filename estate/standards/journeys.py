"""Which journeys a scenario needs, measured: the travel tables for its rules and reports."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.errors import InputError, Issue, Where
from estate.load.sniff import stays_below
from estate.place import Place, shown
from estate.problem import Bools, Ints
from estate.scenario import ROOF, Journey, Limit, Method, Metric, Scenario, Standard
from estate.standards.presets import limbs, modes, rules
from estate.travel import OwnTable, Pairs, Points, Straight, Streets, TravelTables, Wanted, Way, build_travel, keep

if TYPE_CHECKING:
    from estate.travel.calibrate import Fit

ALL_PAIRS = 5_000_000
"""Up to this many zone-to-site pairs every pair is kept, so that any distance can be reported; beyond it, those that matter."""
_CACHE = ".cache"


def measure(
    place: Place, scenario: Scenario, *, asked: tuple[Standard, ...] | None = None, cache: Path | None = None
) -> TravelTables:
    """The travel tables that the scenario's rules (``asked``, where the caller has expanded them) and reports need."""
    zones, sites = _points(place.zones), _points(place.sites)
    asked = rules(scenario) if asked is None else asked
    ways = {mode: _way(place, scenario, mode, cache) for mode in modes(scenario, asked)}
    # A mode that nothing can measure is left out: its limbs are said to be not tested.  The scenario's own may not be.
    needed = [mode for mode, way in ways.items() if way is not None]
    everything = len(zones) * len(sites) <= ALL_PAIRS
    home = {mode: _wanted(scenario, asked, mode, Journey.HOME, place, everything=everything) for mode in needed}
    every = len(sites) ** 2 <= ALL_PAIRS
    between = {mode: _wanted(scenario, asked, mode, Journey.SITE, None, everything=every) for mode in needed}
    chosen = {mode: way for mode, way in ways.items() if way is not None}
    return build_travel(zones, sites, chosen, home=home, between=between, cache=cache)


def _points(frame: pd.DataFrame) -> Points:
    x, y = (frame[name].to_numpy(dtype=np.float64) for name in ("easting_m", "northing_m"))
    return Points(x, y, tuple(frame.index.astype(str)))


def _way(place: Place, scenario: Scenario, mode: str, cache: Path | None) -> Way | None:
    """How a mode is measured: by the table where it has the mode, else by the scenario's method; None where neither can.

    So a table of public transport minutes stands beside streets or the straight line for the other modes.
    """
    travel = scenario.travel
    table = place.travel
    if table is not None and mode in set(table["mode"].astype(str)):
        return OwnTable(table, travel.percentile)
    if travel.method is Method.TABLE and mode == travel.mode:
        where = Where(scenario.file.name, column="tables.travel")
        has = "no table is named" if table is None else f"its modes are {', '.join(sorted(set(table['mode'].astype(str))))}"
        message = f"travel.method is 'table' for the mode '{mode}', and {has}"
        raise InputError(issues=[Issue("travel.no-table", message, "name a table with that mode", where)])
    speeds = {"walk": travel.walk_kmh, "drive": travel.drive_kmh}
    if travel.method is Method.TABLE or mode not in speeds:
        if mode == travel.mode:
            where = Where(scenario.file.name, column="travel.mode", value=mode)
            raise InputError(
                issues=[Issue("travel.no-mode", f"nothing measures the mode '{mode}'", "give a travel table", where)]
            )
        return None
    if travel.method is Method.NETWORK:
        return Streets(streets_file(scenario, cache), travel.snap_warn_m)
    fixed = {"walk": 60 * travel.walk_minutes_fixed, "drive": 60 * travel.drive_minutes_fixed}
    return Straight(travel.detour, speeds, fixed)


def streets_file(scenario: Scenario, cache: Path | None = None) -> Path:
    """Where the street network is: downloaded by place name where the scenario asks for that, else the file it names.

    A relative path is looked for beside the scenario, then where the command was started.
    """
    if scenario.travel.place and not scenario.travel.streets:
        from estate.travel.download import download_streets  # noqa: PLC0415  (osmnx is slow to import)

        return download_streets(scenario.travel.place, cache or Path(_CACHE))
    if not scenario.travel.streets:
        where = Where(scenario.file.name, column="travel.streets")
        message = "travel on streets needs a street network, and none is named"
        remedy = (
            "set travel.streets to an OpenStreetMap extract of the place (.osm.pbf or .osm, from any extract service),"
            " a graph saved by OSMnx (.graphml), or OS Open Roads as GeoPackage (from the OS Data Hub)"
        )
        raise InputError(issues=[Issue("travel.no-streets", message, remedy, where)])
    given = Path(scenario.travel.streets)
    beside = scenario.folder / given
    path = beside if beside.exists() or not given.exists() else given
    # A pipe or a device may never end, so what it is comes before whatever opens or hashes it.
    if path.exists() and not path.is_dir() and not (path.is_file() and path.stat().st_size):
        message = "is empty" if path.is_file() else "is not an ordinary file"
        where = Where(scenario.travel.streets, column="travel.streets")
        raise InputError(issues=[Issue("travel.special", message, "name a file of streets", where)])
    stays_below(path, scenario.folder, Where(scenario.travel.streets, column="travel.streets"))
    return path


def among_shown(pairs: Pairs, place: Place, scenario: Scenario, mode: str, *, everything: bool) -> Pairs:
    """The zone-to-site pairs that would have been kept had a place with no confidential row been measured.

    ``place`` is the place as it may be shown, and ``pairs`` are by its positions; ``everything`` says whether all pairs were
    kept.  Without this, which pairs are missing would say where the sites that are left out are nearest.
    """
    if everything or (place.travel is not None and mode in set(place.travel["mode"].astype(str))):
        return pairs
    wanted = _wanted(scenario, rules(scenario), mode, Journey.HOME, place, everything=False)
    return keep(pairs, wanted, len(place.zones), len(place.sites))


def _offers_today(place: Place, chosen: Bools, asked: Iterable[Standard]) -> dict[str, Ints]:
    """By service, and by services under one roof, the positions of the sites at which one of the chosen points (S,) is today."""
    found = {
        service: np.unique(place.point_site[chosen & (place.point_service == k)]).astype(np.int64)
        for k, service in enumerate(place.services)
    }
    for name in {rule.service for rule in asked if ROOF in rule.service}:
        there = [found.get(each, np.zeros(0, dtype=np.int64)) for each in name.split(ROOF)]
        found[name] = functools.reduce(np.intersect1d, there)
    return found


def _wanted(
    scenario: Scenario, asked: Iterable[Standard], mode: str, kind: Journey, place: Place | None, *, everything: bool
) -> Wanted:
    """The widest limits of any rule in a mode, and the nearest of each service; every pair where that is affordable."""
    asked = tuple(asked)
    groups = _offers_today(place, np.ones(len(place.access_points), dtype=bool), asked) if place else {}
    if everything:
        return Wanted(limit_m=np.inf, limit_s=np.inf, groups=groups)
    seen = shown(place.access_points) & shown(place.sites)[place.point_site] if place else None
    open_ = _offers_today(place, seen, asked) if place and seen is not None else {}
    used = [
        (limb.limit, rule.tolerance)
        for rule in asked
        if rule.measure is kind
        for limb in limbs(rule, scenario)
        if limb.mode == mode
    ]
    if kind is Journey.SITE and mode == scenario.travel.mode:
        used += [(reach, None) for reach in scenario.reaches]
    widest = {metric: max((x.value for x, _ in used if x.metric is metric), default=None) for metric in Metric}
    slack = {metric: max((_in(t, metric) for _, t in used if t), default=0.0) for metric in Metric}
    return Wanted(
        widest[Metric.DISTANCE], widest[Metric.TIME], groups, slack[Metric.DISTANCE], slack[Metric.TIME],
        {name: sites for name, sites in open_.items() if len(sites) < len(groups[name])},
    )  # fmt: skip


def _in(limit: Limit, metric: Metric) -> float:
    return limit.value if limit.metric is metric else 0.0


def travel_table(place: Place, travel: TravelTables) -> pd.DataFrame:
    """The tables in long form, ``from_id, to_id, mode, distance_m, time_s``: what ``travel.method = "table"`` reads back.

    Where an id is a zone and a site as well, ``from_kind`` says which is meant.
    """
    zones, sites = place.zones.index.to_numpy(), place.sites.index.to_numpy()
    parts = [_long(pairs, zones, sites, mode).assign(from_kind="zone") for mode, pairs in travel.home.items()]
    parts += [_long(pairs, sites, sites, mode).assign(from_kind="site") for mode, pairs in travel.between.items()]
    whole = pd.concat(parts, ignore_index=True)
    return whole if place.zones.index.isin(sites).any() else whole.drop(columns="from_kind")


def _long(pairs: Pairs, from_: Any, to: Any, mode: str) -> pd.DataFrame:
    frame = pd.DataFrame({"from_id": from_[pairs.from_], "to_id": to[pairs.to], "mode": mode})
    if pairs.has_distance:
        frame["distance_m"] = pairs.distance_m
    if pairs.has_time:
        frame["time_s"] = pairs.time_s
    return frame


def calibration(place: Place, scenario: Scenario, cache: Path | None = None) -> dict[str, tuple[dict[str, Any], str]]:
    """By mode, how well the straight line fits the scenario's streets: the figures, and a sentence to paste from.

    Raises
    ------
    InputError
        When the scenario names no street network.
    """
    from estate.travel.calibrate import calibrate  # noqa: PLC0415  (numba is slow to import)
    from estate.travel.reading import load_streets  # noqa: PLC0415

    file = streets_file(scenario, cache)
    both = pd.concat([place.zones[["easting_m", "northing_m"]], place.sites[["easting_m", "northing_m"]]])
    fits = {mode: calibrate(load_streets(file, mode=mode), _points(both)) for mode in ("drive", "walk")}
    return {mode: (asdict(fit), _in_words(mode, fit)) for mode, fit in fits.items()}


def _in_words(mode: str, fit: Fit) -> str:
    distance, time = fit.distance, fit.time
    return (
        f"detour = {fit.detour:.3f}, {mode}_kmh = {fit.kmh:.1f} over {distance.n:,} pairs; distance r2 {distance.r2:.3f}, error"
        f" {distance.p5_percent:+.0f}% to {distance.p95_percent:+.0f}% (5th to 95th percentile); time r2 {time.r2:.3f}, mean"
        f" absolute error {time.mean_absolute:.1f} min"
    )
