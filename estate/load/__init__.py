"""From a scenario to a place: every file read, every cell typed, every problem found and told at once.

Reading goes in small steps, one module each: ``sniff`` opens a file and says by its content what it is, ``text`` and ``geo``
read it as text with the numbers of its rows, ``shape`` applies the scenario's column map, ``cells`` types it a column at a
time, ``points`` finds where each row is, ``merge`` lays several files together, ``change`` applies the scenario's adjustments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from estate.errors import Issue, Severity, Where, raise_for
from estate.load.cells import Cells, Words, guessed, service_words, typed
from estate.load.change import adjusted, rows_where
from estate.load.context import context_layer, travel_rows, travel_table
from estate.load.files import Reading, read_file
from estate.load.merge import Part, complete, merged
from estate.load.points import check_extent, extent_of, located, postcode_table
from estate.load.raw import Raw, listed
from estate.load.shape import shaped
from estate.place import CRS, Place
from estate.scenario import Scenario, TableFile
from estate.tables import LOCATION, TABLES, Column, Table

__all__ = ["load", "read_file", "rows_where"]

_OUTSIDE_MAY_OMIT = ("capacity_m2", "running_cost_gbp_pa", "tenure")
_OUTSIDE_FREE = (
    "running_cost_gbp_pa",
    "hosting_cost_gbp_m2_pa",
    "disposal_cost_gbp",
    "exit_cost_gbp",
    "condition_backlog_gbp",
)


def load(scenario: Scenario) -> Place:
    """The place that a scenario describes, as it is today, with the scenario's adjustments and added sites.

    Raises
    ------
    InputError
        With every problem found in all the files.  Warnings and notes are in ``Place.issues``.
    """
    reading = Reading(scenario.folder)
    words = service_words(scenario)
    postcodes = _postcodes(scenario, reading)
    frames: dict[str, pd.DataFrame] = {}
    origin: dict[str, pd.DataFrame] = {}
    for name, table in TABLES.items():
        files: Sequence[TableFile] = getattr(scenario.tables, name)
        parts = [part for given in files if (part := _part(given, table, words, postcodes, reading)) is not None]
        if table.name == "sites" and scenario.add_sites:
            parts += _added(scenario, table, words, postcodes, reading.issues)
        if files and not parts:
            # none of the files could be read, which has been said
            frames[name], origin[name] = _nothing(table)
            continue
        whole = merged(table, parts, reading.issues)
        optional = _may_omit(table, whole.frame)
        listed_files = [given.path for given in files]
        if files:
            frames[name] = complete(table, whole, listed_files, optional, reading.issues)
        else:
            frames[name], _ = _nothing(table)
        origin[name] = whole.origin
        if not len(whole.frame) and name in ("agencies", "sites", "access_points", "zones"):
            issue = Issue(f"{name}.empty", f"there are no rows of {name}", "add some", Where(listed(listed_files)))
            if not any(each.code == f"{name}.no-column" for each in reading.issues):
                reading.issues.append(issue)
    frames["sites"] = _free_outside(frames["sites"])
    _check_locations(frames, origin, reading.issues)
    frames = adjusted(frames, scenario, words, reading.issues)
    travel = _travel(scenario, frames, reading)
    context = _context(scenario, reading)
    raise_for(reading.issues)
    return Place(
        **frames,
        travel=travel,
        context=context,
        issues=tuple(reading.issues),
        digests=dict(sorted(reading.digests.items())),
        origin=origin,
    )


def _postcodes(scenario: Scenario, reading: Reading) -> pd.DataFrame | None:
    """The table of postcodes, indexed by their form; None when the scenario names none."""
    found = []
    for given in scenario.tables.postcodes:
        raw = reading.read(given, "tables.postcodes")
        if raw is not None:
            spec = Table("postcodes", "", ("postcode",), (), located=True, extra=True)
            found.append(postcode_table(shaped(raw, given, spec, reading.issues), given.crs, reading.issues))
    if not found:
        return None
    every = pd.concat(found)
    return every[~every.index.duplicated()]


def _part(given: TableFile, table: Table, words: Words, postcodes: pd.DataFrame | None, reading: Reading) -> Part | None:
    raw = reading.read(given, f"tables.{table.name}")
    if raw is None:
        return None
    ours = shaped(raw, given, table, reading.issues)
    return _typed_part(ours, table, words, given.factors, given.crs, postcodes, reading.issues)


def _typed_part(
    raw: Raw,
    table: Table,
    words: Words,
    factors: Mapping[str, float],
    crs: str,
    postcodes: pd.DataFrame | None,
    issues: list[Issue],
) -> Part:
    """A file's rows with every column typed, and the point of each."""
    specs = {each.name: each for each in (*table.columns, *(LOCATION if table.located else ()))}
    columns: dict[str, pd.Series] = {}
    for name, text in raw.frame.items():
        spec = specs.get(str(name))
        if spec is not None:
            cells = Cells(spec, Where(raw.file, column=spec.name), raw.rows, table.name, issues)
            columns[spec.name] = typed(cells, text, words, factors.get(spec.name))
        elif table.name == "zones":
            columns[str(name)] = guessed(text) * factors.get(str(name), 1) if str(name) in factors else guessed(text)
        else:
            columns[str(name)] = typed(Cells(Column(str(name)), Where(raw.file), raw.rows, table.name, issues), text, words)
    frame = pd.DataFrame(columns, index=raw.frame.index)
    if table.located:
        frame = located(raw, frame, crs, postcodes, table.name, issues)
    origin = pd.DataFrame({"file": pd.Series([raw.file] * len(raw), dtype="str"), "row": raw.rows})
    return Part(frame.reset_index(drop=True), origin)


def _added(scenario: Scenario, table: Table, words: Words, postcodes: pd.DataFrame | None, issues: list[Issue]) -> list[Part]:
    """Sites that the scenario adds, read as a file's rows would be."""
    names = list(dict.fromkeys(name for row in scenario.add_sites for name in row))
    texts = {name: pd.Series([_word(row.get(name, "")) for row in scenario.add_sites], dtype="str") for name in names}
    file = f"{scenario.file.name or 'scenario'} add_sites"
    rows = np.arange(1, len(scenario.add_sites) + 1, dtype=np.int64)
    raw = Raw(file, pd.DataFrame(texts), rows)
    unused = TableFile(path=file)
    part = _typed_part(shaped(raw, unused, table, issues), table, words, {}, "", postcodes, issues)
    if "in_use" not in part.frame:
        # nobody pays for a building that is only an idea
        part.frame["in_use"] = pd.Series(False, index=part.frame.index, dtype="boolean")
    return [part]


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _nothing(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An empty table with all its columns, and its empty origin."""
    keys = pd.DataFrame({name: pd.Series(dtype="str") for name in table.key})
    origin = pd.DataFrame({"file": pd.Series(dtype="str"), "row": pd.Series(dtype="int64")})
    if table.located:
        keys = keys.assign(easting_m=np.float64(), northing_m=np.float64())
    return complete(table, Part(keys, origin), [], {}, []), origin


def _may_omit(table: Table, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Required figures that nobody needs of a site outside the place."""
    if table.name != "sites" or "status" not in frame:
        return {}
    return {name: frame["status"].fillna("") == "outside" for name in _OUTSIDE_MAY_OMIT}


def _free_outside(sites: pd.DataFrame) -> pd.DataFrame:
    """Sites outside the place cost nothing."""
    outside = sites["status"] == "outside"
    if not outside.any():
        return sites
    free = {name: sites[name].mask(outside, 0.0) for name in _OUTSIDE_FREE}
    tenure = sites["tenure"].mask(outside & (sites["tenure"] == ""), "private")
    capacity = sites["capacity_m2"].mask(outside & sites["capacity_m2"].isna(), 0.0)
    return sites.assign(**free, tenure=tenure, capacity_m2=capacity)


def _check_locations(frames: Mapping[str, pd.DataFrame], origin: Mapping[str, pd.DataFrame], issues: list[Issue]) -> None:
    """Every site and zone has a point, and the points belong together."""
    told = any(each.code.startswith("geo.") and each.severity is Severity.ERROR for each in issues)
    for name in ("sites", "zones"):
        frame = frames[name]
        if not len(frame) or "easting_m" not in frame:
            continue
        nowhere = frame["easting_m"].isna().to_numpy()
        if nowhere.any() and not told:
            first = origin[name].iloc[int(np.flatnonzero(nowhere)[0])]
            rows = listed(origin[name]["row"].to_numpy()[nowhere])
            message = f"{int(nowhere.sum()):,} rows have no location (rows {rows})"
            remedy = "give easting and northing, or lat and lon, or a geometry, or a postcode with a table of postcodes"
            issues.append(Issue(f"{name}.no-location", message, remedy, Where(str(first["file"]), int(first["row"]))))
    zones, sites = frames["zones"], frames["sites"]
    basis = zones if zones["easting_m"].notna().any() else sites
    extent = extent_of(basis["easting_m"].to_numpy(dtype=np.float64), basis["northing_m"].to_numpy(dtype=np.float64))
    for name in ("sites", "zones"):
        if len(frames[name]):
            issues.extend(check_extent(name, frames[name], origin[name], extent))


def _travel(scenario: Scenario, frames: Mapping[str, pd.DataFrame], reading: Reading) -> pd.DataFrame | None:
    parts, files = [], []
    for given in scenario.tables.travel:
        raw = reading.read(given, "tables.travel")
        rows = travel_rows(raw, given, scenario, reading.issues) if raw is not None else None
        if rows is not None:
            parts.append(rows)
            files.append(given.path)
    return travel_table(parts, frames["zones"].index, frames["sites"].index, listed(files), reading.issues)


def _context(scenario: Scenario, reading: Reading) -> gpd.GeoDataFrame | None:
    layers = []
    for given in scenario.tables.context:
        raw = reading.read(given, "tables.context")
        layer = context_layer(raw, given, reading.issues) if raw is not None else None
        if layer is not None and len(layer):
            layers.append(layer)
    if not layers:
        return None
    return gpd.GeoDataFrame(pd.concat(layers, ignore_index=True), geometry="geometry", crs=CRS)
