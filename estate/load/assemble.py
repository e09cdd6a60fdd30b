"""Every file of a scenario, table by table, into a :class:`~estate.place.Place`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from estate.errors import Issue, Severity, Where, raise_for
from estate.load.cells import Cells, Words, guessed, service_words, typed
from estate.load.change import adjusted, given_in_staff
from estate.load.context import context_layer, in_order
from estate.load.files import Reading
from estate.load.merge import MergedFile, complete, merged
from estate.load.points import check_extent, extent_of, located, postcode_table
from estate.load.raw import Raw
from estate.load.reorganise import reorganised
from estate.load.shape import shaped
from estate.load.travel import Known, travel_rows, travel_table
from estate.load.vest import vested
from estate.place import CRS, Place
from estate.scenario import Scenario, TableFile
from estate.tables import LOCATION, TABLES, Column, ColumnKind, Table
from estate.wording import counted, listed

_OUTSIDE_MAY_OMIT = ("capacity_m2", "running_cost_gbp_pa", "tenure")
_OUTSIDE_FREE = (
    "running_cost_gbp_pa",
    "hosting_cost_gbp_m2_pa",
    "disposal_cost_gbp",
    "exit_cost_gbp",
    "condition_backlog_gbp",
    "capital_gbp",
)
_NEEDED = ("agencies", "sites", "access_points", "zones")


@dataclass(frozen=True, slots=True)
class _Job:
    """What reading one table needs to know of the scenario and of the other files."""

    scenario: Scenario
    reading: Reading
    words: Words
    postcodes: pd.DataFrame | None

    def asked(self, table: Table) -> frozenset[str]:
        """Columns of a table that rules and changes of the scenario name."""
        rules = self.scenario.rules
        named = [each.column for each in self.scenario.adjust if each.table == table.name]
        named += [name for each in self.scenario.adjust if each.table == table.name for name in each.where]
        if table.name == "sites":
            named += [*rules.barred, *rules.throughput, *(name for each in rules.counts for name in each.where)]
        return frozenset(named)

    @property
    def issues(self) -> list[Issue]:
        return self.reading.issues


def load(scenario: Scenario) -> Place:
    """The place that a scenario describes, as it is today, with the scenario's adjustments and added sites.

    Raises
    ------
    InputError
        With every problem found in all the files.  Warnings and notes are in ``Place.issues``.
    """
    place = survey(scenario)
    raise_for(place.issues)
    return place


def survey(scenario: Scenario) -> Place:
    """As :func:`load`, but errors stay in ``Place.issues``, so that what could be read can be checked as well.

    A cell that could not be read holds a stand-in, a table that could not be read has no rows: such a place may be checked,
    never used.
    """
    reading = Reading(scenario.folder)
    job = _Job(scenario, reading, service_words(scenario), _postcodes(scenario, reading))
    frames: dict[str, pd.DataFrame] = {}
    origin: dict[str, pd.DataFrame] = {}
    for name, table in TABLES.items():
        frames[name], origin[name] = _table(job, table)
    frames["sites"] = _free_outside(frames["sites"])
    _check_locations(frames, origin, reading.issues)
    frames = adjusted(frames, scenario, job.words, reading.issues)
    travel = _travel(scenario, frames, reading)
    context = _context(scenario, reading)
    digests = dict(sorted(reading.digests.items()))
    place = Place(**frames, travel=travel, context=context, issues=tuple(reading.issues), digests=digests, origin=origin)
    return vested(reorganised(place, scenario), scenario)


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


def _table(job: _Job, table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One table from all its files, and where each of its rows came from."""
    files: Sequence[TableFile] = getattr(job.scenario.tables, table.name)
    parts = [part for given in files if (part := _part(job, table, given)) is not None]
    if not parts:
        # It is optional, or none of its files could be read, which has been said.
        return _nothing(table)
    if table.name == "sites" and job.scenario.add_sites:
        parts.append(_added(job, table))
    paths = [given.path for given in files]
    whole = merged(table, parts, job.issues)
    frame = complete(table, whole, paths, _may_omit(table, whole.frame, job.scenario), job.issues)
    named = any(each.code == f"{table.name}.no-column" for each in job.issues)
    if not len(frame) and table.name in _NEEDED and not named:
        job.issues.append(Issue(f"{table.name}.empty", f"there are no rows of {table.name}", "add some", Where(listed(paths))))
    return frame, whole.origin


def _part(job: _Job, table: Table, given: TableFile) -> MergedFile | None:
    raw = job.reading.read(given, f"tables.{table.name}")
    return None if raw is None else _typed_part(job, table, shaped(raw, given, table, job.issues, job.asked(table)), given)


def _typed_part(job: _Job, table: Table, raw: Raw, given: TableFile) -> MergedFile:
    """A file's rows with every column typed, and the point of each."""
    numbers = job.scenario.rules.throughput if table.name == "sites" else ()
    asked = {name: Column(name, ColumnKind.NUMBER) for name in numbers}
    specs = asked | {each.name: each for each in (*table.columns, *(LOCATION if table.located else ()))}
    columns: dict[str, pd.Series] = {}
    for name, text in raw.frame.items():
        spec = specs.get(str(name))
        where = Where(raw.file, column=str(name))
        known = spec is not None
        cells = Cells(
            spec or Column(str(name)), where, raw.rows, table.name, job.issues, stands_for=given.suppressed, known=known
        )
        factor = given.factors.get(str(name))
        guess = not known and table.name == "zones"
        columns[str(name)] = guessed(cells, text, factor) if guess else typed(cells, text, job.words, factor)
    frame = pd.DataFrame(columns, index=raw.frame.index)
    if table.located:
        frame = located(raw, frame, given.crs, job.postcodes, table.name, job.issues)
    origin = pd.DataFrame({"file": pd.Series([raw.file] * len(raw), dtype="str"), "row": raw.rows})
    return MergedFile(frame.reset_index(drop=True), origin)


def _added(job: _Job, table: Table) -> MergedFile:
    """Sites that the scenario adds, read as a file's rows would be."""
    added = job.scenario.add_sites
    names = list(dict.fromkeys(name for row in added for name in row))
    texts = {name: pd.Series([_word(row.get(name, "")) for row in added], dtype="str") for name in names}
    file = f"{job.scenario.file.name or 'scenario'} add_sites"
    given = TableFile(path=file)
    raw = Raw(file, pd.DataFrame(texts), np.arange(1, len(added) + 1, dtype=np.int64))
    part = _typed_part(job, table, shaped(raw, given, table, job.issues, job.asked(table)), given)
    if "in_use" not in part.frame:
        # Nobody pays yet for a building that is only an idea.
        part.frame["in_use"] = pd.Series(False, index=part.frame.index, dtype="boolean")
    return part


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _nothing(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An empty table with all its columns, and its empty origin."""
    keys = pd.DataFrame({name: pd.Series(dtype="str") for name in table.key})
    origin = pd.DataFrame({"file": pd.Series(dtype="str"), "row": pd.Series(dtype="int64")})
    if table.located:
        keys = keys.assign(easting_m=np.float64(), northing_m=np.float64())
    return complete(table, MergedFile(keys, origin), [], {}, []), origin


def _may_omit(table: Table, frame: pd.DataFrame, scenario: Scenario) -> dict[str, pd.Series]:
    """Required figures that nobody needs of a site outside the place, and floor areas that are given in staff."""
    if table.name == "access_points" and {"service", "staff_fte"} <= set(frame):
        return {"area_m2": pd.Series(given_in_staff(frame, scenario), index=frame.index)}
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
            rows = origin[name][nowhere].sort_values(["file", "row"])
            first = rows.iloc[0]
            message = f"{counted(len(rows), 'row has', 'rows have')} no location (rows {listed(rows['row'])})"
            remedy = (
                "give easting and northing, lat and lon (lat_lon: both in one cell), a grid_reference, a geometry, or a postcode"
                " with a table of postcodes"
            )
            issues.append(Issue(f"{name}.no-location", message, remedy, Where(str(first["file"]), int(first["row"]))))
    zones, sites = frames["zones"], frames["sites"]
    basis = zones if zones["easting_m"].notna().any() else sites
    extent = extent_of(basis["easting_m"].to_numpy(dtype=np.float64), basis["northing_m"].to_numpy(dtype=np.float64))
    for name in ("sites", "zones"):
        if len(frames[name]):
            issues.extend(check_extent(name, frames[name], origin[name], extent))


def _travel(scenario: Scenario, frames: Mapping[str, pd.DataFrame], reading: Reading) -> pd.DataFrame | None:
    known = Known(frames["zones"].index, frames["sites"].index)
    parts, files = [], []
    for given in scenario.tables.travel:
        raw = reading.read(given, "tables.travel")
        rows = travel_rows(raw, given, scenario.travel, known, reading.issues) if raw is not None else None
        if rows is not None:
            parts.append(rows)
            files.append(given.path)
    return travel_table(parts, known, listed(files), reading.issues)


def _context(scenario: Scenario, reading: Reading) -> gpd.GeoDataFrame | None:
    layers = []
    for given in scenario.tables.context:
        raw = reading.read(given, "tables.context")
        layer = context_layer(raw, given, reading.issues) if raw is not None else None
        if layer is not None and len(layer):
            layers.append(layer)
    if not layers:
        return None
    return in_order(gpd.GeoDataFrame(pd.concat(layers, ignore_index=True), geometry="geometry", crs=CRS))
