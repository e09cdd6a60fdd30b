"""What lies beside the four tables: the user's travel table, and the quiet background of the map."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from estate.errors import InputError, Issue, Severity, Where
from estate.load.cells import clean, parsed_numbers
from estate.load.crs import as_crs
from estate.load.raw import Raw, closest, plain, row_issues, suggestion
from estate.load.sniff import refusal
from estate.place import CRS
from estate.scenario import Scenario, TableFile

CONTEXT_KINDS = ("outline", "road", "town")


def travel_rows(raw: Raw, given: TableFile, scenario: Scenario, issues: list[Issue]) -> pd.DataFrame | None:
    """One file of the travel table as ``from_id, to_id, mode, distance_m, time_s``; a pair without a journey is left out.

    r5py's ``travel_time`` or ``travel_time_p50`` (minutes) become seconds.  A missing measure is NaN.
    """
    names = {plain(name): name for name in reversed(raw.frame.columns)}
    names |= {ours: theirs for ours, theirs in given.columns.items() if theirs in raw.frame.columns}
    # r5py's plain ``travel_time`` is the median: it stands for no other percentile.
    median = ("travel_time",) if scenario.travel.percentile == 50 else ()
    wanted = (f"travel_time_p{scenario.travel.percentile}", *median)
    minutes = next((names[each] for each in wanted if each in names), None)
    missing = [each for each in ("from_id", "to_id") if each not in names]
    if not missing and minutes is None and not {"distance_m", "time_s"} & set(names):
        missing = [f"distance_m, time_s or {wanted[0]}"]
    for each in missing:
        near = closest(each, raw.frame.columns)
        remedy = (
            f"did you mean '{near}'? map it with columns = {{...}}"
            if near
            else "a travel table has from_id, to_id, mode, distance_m, time_s"
        )
        issues.append(Issue("travel.no-column", f"has no column {each}", remedy, Where(raw.file, column=each)))
    if missing:
        return None
    mode = str(given.constants.get("mode", scenario.travel.mode))
    frame = pd.DataFrame({"from_id": clean(raw.frame[names["from_id"]]), "to_id": clean(raw.frame[names["to_id"]])})
    frame["mode"] = clean(raw.frame[names["mode"]]).str.casefold().replace("", mode) if "mode" in names else mode
    for ours, theirs, factor in (
        ("distance_m", names.get("distance_m"), 1.0),
        ("time_s", names.get("time_s", minutes), 60.0 if "time_s" not in names else 1.0),
    ):
        frame[ours] = np.nan if theirs is None else _measure(raw, theirs, issues) * factor * given.factors.get(ours, 1.0)
    blank = ((frame["from_id"] == "") | (frame["to_id"] == "")).to_numpy(dtype=bool)
    if blank.any():
        rows = raw.rows[blank]
        where = Where(raw.file, column="from_id, to_id")
        issues.extend(row_issues("travel.blank-id", where, rows, [""] * len(rows), "an id is blank", "delete the row"))
    unreached = frame["distance_m"].isna() & frame["time_s"].isna()
    return frame[~unreached & ~blank].assign(row=raw.rows[(~unreached & ~blank).to_numpy()])


def _measure(raw: Raw, name: str, issues: list[Issue]) -> pd.Series:
    text = clean(raw.frame[name])
    values, wrong = parsed_numbers(text.mask(text.str.casefold().isin(["nan", "inf", "<na>"]), ""))
    bad = wrong | (values < 0)
    if bad.any():
        where = Where(raw.file, column=name)
        chosen = bad.to_numpy(dtype=bool)
        remedy = "write a number of 0 or more; leave out pairs that cannot be travelled"
        issues.extend(
            row_issues("travel.measure", where, raw.rows[chosen], text[chosen].tolist(), "'{value}' is no measure", remedy)
        )
    return values.mask(bad)


def travel_table(
    parts: list[pd.DataFrame], zones: pd.Index, sites: pd.Index, file: str, issues: list[Issue]
) -> pd.DataFrame | None:
    """All files' rows between zones and sites of the place, sorted; pairs given twice must agree."""
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True)
    known = frame["from_id"].isin(zones.append(sites)) & frame["to_id"].isin(sites)
    where = Where(file)
    if len(frame) and not known.any():
        example = frame["from_id"].iloc[0]
        message = f"none of its {len(frame):,} rows goes between this place's zones and sites (first from_id: '{example}')"
        near = suggestion(str(example), list(zones[:200]))
        issues.append(Issue("travel.no-ids", message, f"use zone_id and site_id as ids; {near}", where))
    elif not known.all():
        message = (
            f"{int((~known).sum()):,} of its {len(frame):,} rows go to or from ids that are not in this place, and are not used"
        )
        issues.append(Issue("travel.other-ids", message, "", where, Severity.NOTE))
    frame = frame[known].drop(columns="row")
    keys = ["mode", "from_id", "to_id"]
    frame = frame.drop_duplicates()
    twice = frame.duplicated(keys, keep=False)
    if twice.any():
        a = frame[twice].iloc[0]
        message = (
            f"{int(twice.sum()):,} rows give a pair twice and differ, '{a['from_id']}' to '{a['to_id']}' by {a['mode']} first"
        )
        issues.append(Issue("travel.twice", message, "keep one row for each pair and mode", where))
        frame = frame[~frame.duplicated(keys)]
    ordered = frame.sort_values(keys).reset_index(drop=True)
    # A measure that no row gives is no column: a table of minutes has no metres.
    measures = [name for name in ("distance_m", "time_s") if ordered[name].notna().any()]
    return ordered[["from_id", "to_id", "mode", *measures]]


def context_layer(raw: Raw, given: TableFile, issues: list[Issue]) -> gpd.GeoDataFrame | None:
    """One file of background: ``kind`` (outline, road or town), ``name`` and geometry in EPSG:27700, repaired where broken."""
    try:
        return _layer(raw, given)
    except InputError as error:
        issues.extend(error.issues)
        return None


def _layer(raw: Raw, given: TableFile) -> gpd.GeoDataFrame:
    if raw.geometry is None:
        raise refusal("context.no-geometry", "holds no geometry", "give a GeoJSON or GeoPackage layer", Where(raw.file))
    if not (raw.crs or given.crs):
        message = "holds geometry without saying its coordinate reference system"
        raise refusal("geo.no-crs", message, 'set crs for this file, such as crs = "EPSG:27700"', Where(raw.file, column="crs"))
    crs = as_crs(raw.crs or given.crs, raw.file)
    frame = pd.DataFrame(index=raw.frame.index)
    for name in ("kind", "name"):
        constant = given.constants.get(name)
        source = given.columns.get(name, name)
        frame[name] = str(constant) if constant is not None else clean(raw.frame[source]) if source in raw.frame else ""
    frame["kind"] = frame["kind"].str.casefold()
    wrong = (~frame["kind"].isin(CONTEXT_KINDS)).to_numpy(dtype=bool)
    if wrong.any():
        where = Where(raw.file, column="kind")
        remedy = f'use one of: {", ".join(CONTEXT_KINDS)}; or constants = {{kind = "outline"}}'
        message = "'{value}' is not a kind of background"
        raise InputError(
            issues=row_issues("context.kind", where, raw.rows[wrong], frame["kind"][wrong].tolist(), message, remedy)
        )
    shapes = shapely.force_2d(raw.geometry)
    sound = shapely.is_valid(shapes) | shapely.is_missing(shapes)
    shapes = np.where(sound, shapes, shapely.make_valid(shapes, method="structure", keep_collapsed=False))
    layer = gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)
    layer = layer[~(layer.geometry.isna() | layer.geometry.is_empty)]
    where = Where(raw.file, column="geometry")
    if crs.is_geographic and len(layer) and (np.abs(layer.total_bounds) > 181).any():
        raise refusal("geo.implausible", "implausible coordinates: these are not degrees", 'set crs = "EPSG:27700"', where)
    moved = (layer if crs == pyproj.CRS(CRS) else layer.to_crs(CRS)).set_crs(CRS, allow_override=True)
    if len(moved) and not np.isfinite(moved.total_bounds).all():
        raise refusal("geo.implausible", f"has coordinates that do not exist in {crs.name}", "correct crs", where)
    return moved
