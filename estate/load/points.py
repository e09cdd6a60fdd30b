"""Where every row is: eastings and northings, latitude and longitude, a geometry, or a postcode; all become EPSG:27700.

The conversion from WGS84 is PROJ's, without a grid file: within about 5 m of OSTN15, and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from estate.errors import InputError, Issue, Severity, Where
from estate.load.crs import as_crs
from estate.load.postcodes import by_postcode, headed_postcodes
from estate.load.raw import Raw, row_issues
from estate.load.written import written_degrees, written_shapes, written_squares
from estate.place import CRS
from estate.wording import counted, listed

_EAST, _NORTH = 700_000.0, 1_300_000.0
"""The extent of the British National Grid, metres."""
_ORIGIN_M = 2_000.0
"""Nothing stands this close to the grid's origin, in the sea off Scilly; zeros and kilometres land there."""
_FAR_M = 20_000.0
_FAR_TIMES = 4.0


@cache
def _to_grid(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, CRS, always_xy=True)


def located(
    raw: Raw, frame: pd.DataFrame, stated: str, postcodes: pd.DataFrame | None, table: str, issues: list[Issue]
) -> pd.DataFrame:
    """The frame with ``easting_m`` and ``northing_m`` (EPSG:27700; NaN where a row has no location).

    The first of these that a row has is used: ``easting, northing`` (in the CRS ``stated`` for the table, else EPSG:27700),
    ``lat, lon``, both of them in one cell (``lat_lon``), the file's geometry (in the CRS it says, else the one stated), a
    geometry as text, a ``grid_reference``, ``postcode``.
    """
    if "geometry" in frame and raw.geometry is None:
        shapes, own = written_shapes(raw, frame["geometry"], issues)
        raw = replace(raw, geometry=shapes, crs="" if stated else own)
    if "lat_lon" in frame and "lat" not in frame and "lon" not in frame:
        frame = frame.join(written_degrees(raw, frame["lat_lon"], issues))
    x, y = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    try:
        crs = as_crs(stated, raw.file) if stated else None
        for east, north in (_grid(raw, frame, crs, issues), _degrees(raw, frame, issues), _shapes(raw, crs, table, issues)):
            free = np.isnan(x) & np.isfinite(east) & np.isfinite(north)
            x[free], y[free] = east[free], north[free]
    except InputError as error:
        issues.extend(error.issues)
    if "grid_reference" in frame:
        east, north = written_squares(raw, frame["grid_reference"], issues)
        free = np.isnan(x)
        x[free], y[free] = east[free], north[free]
    free = np.isnan(x)
    if "postcode" in frame and free.any():
        east, north = by_postcode(raw, frame["postcode"].where(free, ""), postcodes, issues)
        x[free], y[free] = east[free], north[free]
    kept = frame.drop(columns=["easting", "northing", "lat", "lon", "lat_lon", "geometry"], errors="ignore")
    return kept.assign(easting_m=x, northing_m=y)


def _pair(
    raw: Raw, frame: pd.DataFrame, first: str, second: str, issues: list[Issue]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two columns as arrays; NaN where either is missing, and an issue where only one is."""
    empty = np.full(len(frame), np.nan)
    if first not in frame or second not in frame:
        if first in frame or second in frame:
            there, absent = (first, second) if first in frame else (second, first)
            where = Where(raw.file, column=absent)
            issues.append(Issue("geo.half", f"has '{there}' but no '{absent}'", f"add '{absent}'", where))
        return empty, empty
    a, b = frame[first].to_numpy(dtype=np.float64), frame[second].to_numpy(dtype=np.float64)
    half = np.isnan(a) != np.isnan(b)
    if half.any():
        where = Where(raw.file, column=f"{first}, {second}")
        blank = [""] * int(half.sum())
        issues.extend(
            row_issues("geo.half", where, raw.rows[half], blank, "only one of the two coordinates is there", "give both")
        )
    return np.where(half, np.nan, a), np.where(half, np.nan, b)


def _grid(
    raw: Raw, frame: pd.DataFrame, crs: pyproj.CRS | None, issues: list[Issue]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = _pair(raw, frame, "easting", "northing", issues)
    # Columns called lat and lon are never in the CRS stated for a grid, so only this pair is converted by it.
    if crs is None or crs == pyproj.CRS(CRS):
        _refuse_implausible(raw, x, y, x, y, "easting, northing", "set crs for this file if they are on another grid", issues)
        return x, y
    east, north = _transformed(x, y, crs)
    _refuse_implausible(raw, x, y, east, north, "easting, northing", f"are these {crs.to_string()}? correct crs", issues)
    return east, north


def _degrees(raw: Raw, frame: pd.DataFrame, issues: list[Issue]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lat, lon = _pair(raw, frame, "lat", "lon", issues)
    east, north = _transformed(lon, lat, pyproj.CRS("OGC:CRS84"))
    swapped = (np.abs(lat) < 12) & (lon > 45) & (lon < 65)
    remedy = (
        "lat and lon look swapped" if swapped.any() else "degrees are needed: grid coordinates belong in easting and northing"
    )
    _refuse_implausible(raw, lat, lon, east, north, "lat, lon", remedy, issues)
    return east, north


def _transformed(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if crs.is_geographic:
        # Outside the globe PROJ would wrap or return infinity; such numbers are not degrees at all.
        x, y = np.where(np.abs(x) <= 180, x, np.inf), np.where(np.abs(y) <= 90, y, np.inf)
    known = np.isfinite(x) & np.isfinite(y)
    east, north = np.full(len(x), np.nan), np.full(len(x), np.nan)
    east[np.isinf(x) | np.isinf(y)] = np.inf
    if known.any():
        try:
            east[known], north[known] = _to_grid(crs).transform(x[known], y[known])
        except pyproj.exceptions.ProjError:
            east[known] = np.inf
    return east, north


def _refuse_implausible(
    raw: Raw,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    column: str,
    remedy: str,
    issues: list[Issue],
) -> None:
    """One issue for all rows of a file that are nowhere on the British National Grid; such rows lose their location."""
    given = ~(np.isnan(x) | np.isnan(y))
    with np.errstate(invalid="ignore"):
        bad = given & ~((east >= 0) & (east <= _EAST) & (north >= 0) & (north <= _NORTH))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        some = counted(int(bad.sum()), "row is", "rows are")
        message = f"{some} nowhere in Great Britain: implausible coordinates (rows {listed(raw.rows[bad])})"
        value = f"{x[first]:.12g}, {y[first]:.12g}"
        issues.append(Issue("geo.implausible", message, remedy, Where(raw.file, int(raw.rows[first]), column, value)))
        east[bad], north[bad] = np.nan, np.nan


def _shapes(
    raw: Raw, stated: pyproj.CRS | None, table: str, issues: list[Issue]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A point for each geometry: itself, or a point inside a polygon, after repair."""
    empty = np.full(len(raw), np.nan)
    if raw.geometry is None:
        return empty, empty
    own = as_crs(raw.crs, raw.file) if raw.crs else None
    if own is not None and stated is not None and own != stated and not own.equals(stated, ignore_axis_order=True):
        message = f"says its CRS is {own.name}, and the scenario says {stated.name}"
        issues.append(
            Issue("geo.crs", message, "remove crs from the scenario, or correct the file", Where(raw.file, column="crs"))
        )
        return empty, empty
    crs = own or stated
    if crs is None:
        message = "holds geometry without saying its coordinate reference system"
        issues.append(
            Issue("geo.no-crs", message, 'set crs for this file, such as crs = "EPSG:27700"', Where(raw.file, column="crs"))
        )
        return empty, empty
    shapes = repaired(raw, shapely.force_2d(raw.geometry), issues)
    inside = shapely.point_on_surface(shapes)
    centre = shapely.centroid(shapes)
    centre = np.where(shapely.contains(shapes, centre), centre, inside)
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    east, north = _transformed(x, y, crs)
    remedy = "correct crs"
    if crs.is_geographic:
        there = np.isfinite(x) & np.isfinite(y)
        # Great Britain lies between 49 and 61 degrees north, and 9 west and 2 east.
        turned = there & (x > 49) & (x < 61.5) & (y > -9) & (y < 2.5)
        if turned.any() and 2 * turned.sum() >= there.sum():
            remedy = "latitude and longitude are swapped: in GeoJSON, WKT and the like, longitude comes first"
        else:
            remedy = 'these look like grid coordinates: add a "crs" to the file or set crs = "EPSG:27700"'
    _refuse_implausible(raw, x, y, east, north, "geometry", remedy, issues)
    if table == "zones":
        issues.extend(_overlaps(raw, shapes))
    return east, north


def repaired(raw: Raw, shapes: NDArray[np.object_], issues: list[Issue]) -> NDArray[np.object_]:
    """Geometries with bow-ties and the like made valid, and counted; lines and empty ones become None, and are named."""
    kinds = shapely.get_type_id(shapes)
    nothing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    line = np.isin(kinds, (1, 2, 5)) & ~nothing
    where = Where(raw.file, column="geometry")
    if line.any():
        blank = [""] * int(line.sum())
        issues.extend(
            row_issues("geo.line", where, raw.rows[line], blank, "its geometry is a line", "give a point or an outline")
        )
    shapes = shapes.copy()
    shapes[nothing | line] = None
    bad = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if bad.any():
        shapes = np.where(bad, shapely.make_valid(shapes, method="structure", keep_collapsed=False), shapes)
        message = f"{int(bad.sum()):,} outlines cross themselves and were repaired"
        rows = f" (rows {listed(raw.rows[bad])})"
        issues.append(Issue("geo.repaired", message, "look at them in a map", where, Severity.WARNING, rows))
    sliver = np.isin(kinds, (3, 6)) & ~nothing & (shapely.area(shapes) == 0)
    if sliver.any():
        message = f"{int(sliver.sum()):,} outlines have no area (rows {listed(raw.rows[sliver])})"
        issues.append(Issue("geo.sliver", message, "draw them again, or give points", where))
    return np.asarray(shapes, dtype=object)


def _overlaps(raw: Raw, shapes: NDArray[np.object_]) -> Sequence[Issue]:
    """Zones that cover the same ground would count people twice."""
    areas = np.isin(shapely.get_type_id(shapes), (3, 6))
    if areas.sum() < 2:
        return ()
    which = np.flatnonzero(areas)
    tree = shapely.STRtree(shapes[which])
    a, b = tree.query(shapes[which], predicate="intersects")
    a, b = which[a[a < b]], which[b[a < b]]
    shared = shapely.area(shapely.intersection(shapes[a], shapes[b]))
    much = shared > 0.05 * np.minimum(shapely.area(shapes[a]), shapely.area(shapes[b]))
    if not much.any():
        return ()
    rows = [f"{raw.rows[i]} and {raw.rows[j]}" for i, j in zip(a[much], b[much], strict=True)]
    message = f"{int(much.sum()):,} pairs of zones overlap, and their people may be counted twice"
    where, pairs = Where(raw.file, int(raw.rows[a[much][0]]), "geometry"), f" (rows {listed(rows)})"
    return (Issue("zones.overlap", message, "use zones that do not overlap", where, Severity.WARNING, pairs),)


def postcode_table(raw: Raw, stated: str, issues: list[Issue]) -> pd.DataFrame:
    """Postcodes with ``easting_m, northing_m`` (EPSG:27700), indexed by their form; no rows where the table has none."""
    read = headed_postcodes(raw, issues)
    if read is None:
        return pd.DataFrame({"easting_m": [], "northing_m": []}, index=pd.Index([], dtype="str"), dtype="float64")
    rows, frame = read
    bare = Raw(raw.file, frame, rows, crs=raw.crs, digest=raw.digest)
    placed = located(bare, frame, stated, None, "postcodes", issues)
    # Of a code that stands twice the same one is taken, however the rows stand.
    known = placed.dropna(subset=["easting_m", "northing_m"]).sort_values(["code", "easting_m", "northing_m"])
    return known.drop_duplicates("code").set_index("code")[["easting_m", "northing_m"]]


# ------------------------------------------------------------------------------------------------------------ extent


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a place is: its median point and how far from it a point may plausibly be, metres (EPSG:27700)."""

    east: float
    north: float
    reach: float

    def far(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points are not of this place."""
        with np.errstate(invalid="ignore"):
            origin = (np.abs(x) < _ORIGIN_M) & (np.abs(y) < _ORIGIN_M)
            return origin | (np.hypot(x - self.east, y - self.north) > self.reach)


def extent_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Extent | None:
    """The extent of points (medians, so that a quarter of them may be wrong); None when there are none."""
    known = np.isfinite(x) & np.isfinite(y) & ~((np.abs(x) < _ORIGIN_M) & (np.abs(y) < _ORIGIN_M))
    if not known.any():
        return None
    east, north = float(np.median(x[known])), float(np.median(y[known]))
    typical = float(np.quantile(np.hypot(x[known] - east, y[known] - north), 0.75))
    return Extent(east, north, _FAR_M + _FAR_TIMES * typical)


def check_extent(table: str, frame: pd.DataFrame, origin: pd.DataFrame, extent: Extent | None) -> list[Issue]:
    """One issue for the rows of each file that lie far from the place, with what probably happened to them."""
    x, y = frame["easting_m"].to_numpy(dtype=np.float64), frame["northing_m"].to_numpy(dtype=np.float64)
    reference = extent or Extent(0, 0, np.inf)
    far = reference.far(x, y) & np.isfinite(x)
    issues = []
    for file in pd.unique(origin["file"][far]):
        here = far & (origin["file"] == file).to_numpy()
        rows = np.sort(origin["row"].to_numpy()[here])
        first = int(np.flatnonzero(here & (origin["row"] == rows[0]).to_numpy())[0])
        message = f"{int(here.sum()):,} rows lie outside the study area (rows {listed(rows)})"
        value = f"{x[first]:.0f}, {y[first]:.0f}"
        where = Where(str(file), int(rows[0]), "easting, northing", value)
        issues.append(Issue(f"{table}.far", message, _guess(x[here], y[here], reference), where))
    return issues


def _guess(x: NDArray[np.float64], y: NDArray[np.float64], extent: Extent) -> str:
    if not extent.far(y, x).any():
        return "easting and northing look swapped"
    if not extent.far(x * 1000, y * 1000).any():
        return "these look like kilometres: use metres, or factors = {easting = 1000, northing = 1000}"
    if ((np.abs(x) < 1) & (np.abs(y) < 1)).all():
        return "0, 0 means that the location is not known: leave it blank, and give a postcode"
    return "correct the coordinates or their crs, or leave the rows out"
