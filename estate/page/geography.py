"""From British National Grid to what a map draws: zones as areas (squares, when there are very many), sites, background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.geometry
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from estate.page.words import plain
from estate.place import CRS, Place

MOST_ZONES = 3000
"""Beyond this many zones the map groups them into squares, and says so."""
MOST_SQUARES = 2500
SQUARES_M = (1000, 2000, 5000, 10_000, 20_000, 50_000)
DETAIL_M = 40.0
"""Outlines are drawn to about this accuracy: under a pixel at the scale of a county."""

HULL = 0.25
"""How closely the land follows the centres where no outline is given: 0 runs through every one, 1 is their convex hull."""

type Feature = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Areas:
    """What is shaded on the map.

    ``shapes`` are polygons (or points, where no polygon can be made) in EPSG:27700; ``member`` (Z,) is each zone's position in
    them; ``square_m`` is the side of the squares, 0 when every zone has a shape of its own.
    """

    shapes: NDArray[np.object_]
    member: NDArray[np.int64]
    square_m: int = 0


def areas(place: Place) -> Areas:
    """An area for every zone: the land nearer to its centre of population than to any other, cut at the place's outline."""
    points = _points(place.zones)
    if len(points) > MOST_ZONES:
        return _squares(points)
    unique, member = np.unique(shapely.get_coordinates(points), axis=0, return_inverse=True)
    member = member.reshape(-1).astype(np.int64)
    centres = np.array(shapely.points(unique), dtype=object, ndmin=1)
    if len(unique) < 4:
        return Areas(centres, member)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(centres), ordered=True))
    land = outline(place)
    cut = np.asarray(shapely.intersection(cells, land if land is not None else _neighbourhood(centres)))
    # A centre just outside the outline (an island, a rough coast) would lose its area: it keeps a small round one.
    lost = np.flatnonzero(shapely.is_empty(cut))
    cut[lost] = shapely.buffer(centres[lost], 300)
    return Areas(np.asarray(shapely.simplify(cut, DETAIL_M)), member)


def _squares(points: NDArray[np.object_]) -> Areas:
    """The finest squares that are few enough to draw quickly."""
    coordinates = shapely.get_coordinates(points)
    for side in SQUARES_M:
        corners, member = np.unique(np.floor(coordinates / side) * side, axis=0, return_inverse=True)
        if len(corners) <= MOST_SQUARES or side == SQUARES_M[-1]:
            break
    shapes = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + side, corners[:, 1] + side)
    return Areas(shapes, member.reshape(-1).astype(np.int64), side)


def _neighbourhood(centres: NDArray[np.object_]) -> BaseGeometry:
    """Without an outline: the land that the centres lie on, and a little more than the usual way between neighbours beyond."""
    tree = shapely.STRtree(centres)
    _, distance = tree.query_nearest(centres, return_distance=True, exclusive=True)
    land = cast("BaseGeometry", shapely.concave_hull(shapely.multipoints(centres), ratio=HULL))
    return cast("BaseGeometry", land.buffer(2 * float(np.median(distance)) + 500))


def _kind(context: gpd.GeoDataFrame | None, kind: str) -> gpd.GeoDataFrame | None:
    if context is None or "kind" not in context:
        return None
    rows = context[(context["kind"] == kind) & context.geometry.notna()]
    rows = rows.to_crs(CRS) if rows.crs is not None and rows.crs != CRS else rows
    return rows if len(rows) else None


def outline(place: Place) -> BaseGeometry | None:
    """The place's outline as one area (EPSG:27700), or None when the context has none."""
    return outline_of(place.context)


def outline_of(context: gpd.GeoDataFrame | None) -> BaseGeometry | None:
    """As :func:`outline`, from the context alone."""
    rows = _kind(context, "outline")
    if rows is None:
        return None
    shapes = rows.geometry.to_numpy()
    polygons = polygons_of(shapes)
    if not len(polygons):
        polygons = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapes)))
    whole = shapely.union_all(shapely.make_valid(shapely.simplify(polygons, DETAIL_M))) if len(polygons) else None
    # The gaps that simplifying leaves between neighbours are closed again.
    return None if whole is None or whole.is_empty else shapely.buffer(shapely.buffer(whole, DETAIL_M), -DETAIL_M)


def polygons_of(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The polygons in any shapes: a repaired outline may come with stray lines beside it."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return np.asarray(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])


def background(place: Place) -> list[Feature]:
    """Outlines and roads as features whose ``kind`` property styles them."""
    features: list[Feature] = []
    for kind in ("outline", "river", "road"):
        rows = _kind(place.context, kind)
        if rows is not None:
            given = rows.geometry.to_numpy()
            rings = polygons_of(given) if kind == "outline" else given
            shapes = np.asarray(shapely.simplify(rings if len(rings) else given, DETAIL_M))
            shapes = shapes[~shapely.is_empty(shapes)]
            if kind != "outline":
                shapes = np.array([shapely.line_merge(shapely.union_all(shapes))], dtype=object)
            features += [feature(shape, {"kind": kind}) for shape in lonlat(shapes, 4)]
    return features


def towns(place: Place) -> list[dict[str, Any]]:
    """Town names, where to write them, and whether they lie beyond the place; its own first, each group by name."""
    found = []
    for kind in ("town", "neighbour"):
        rows = _kind(place.context, kind)
        if rows is None or "name" not in rows:
            continue
        rows = rows.sort_values("name", kind="stable")
        centres = shapely.centroid(rows.geometry.to_numpy())
        away = _beyond(place, centres) | (kind == "neighbour")
        found += [
            {"name": plain(name), "at": [shapely.get_y(point).item(), shapely.get_x(point).item()], "beyond": beyond}
            for name, point, beyond in zip(rows["name"], lonlat(centres, 4), away.tolist(), strict=True)
            if plain(name)
        ]
    return sorted(found, key=lambda town: town["beyond"])[:60]


def _beyond(place: Place, centres: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which points lie outside the place: its outline, or else the land about its zones."""
    land = outline(place)
    if land is None:
        homes = _points(place.zones)
        land = _neighbourhood(homes) if len(homes) > 3 else None
    return ~shapely.covers(land, centres) if land is not None else np.zeros(len(centres), dtype=bool)


def named_towns(place: Place) -> list[tuple[str, tuple[float, float]]]:
    """The towns of the place itself by name, each with its easting and northing; none is said twice."""
    rows = _kind(place.context, "town")
    if rows is None or "name" not in rows:
        return []
    centres = shapely.centroid(rows.geometry.to_numpy())
    here = ~_beyond(place, centres)
    rows, where = rows[here], shapely.get_coordinates(centres[here]).tolist()
    found = {plain(name): (at[0], at[1]) for name, at in zip(rows["name"], where, strict=True) if plain(name)}
    return sorted(found.items())


TOGETHER_M = 4000.0
"""Buildings that close this near one another are one town's."""
MOST_INSETS = 4
ROOM_M = 900.0
LEAST_M = 5000.0
"""A town's inset is at least so wide and high: closer, nobody knows where it is."""


def insets(place: Place, closing: Mapping[int, int], moves: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """The towns where two buildings or more close, the most first: ``name``, how many, and ``bounds`` with where they move to.

    ``closing`` are the sites that close, by position; ``moves`` are (from, to).  A town as wide as half the place needs none.
    """
    where = place.sites[["easting_m", "northing_m"]].to_numpy(float)
    sites = np.array(sorted(closing), dtype=np.int64)
    if len(sites) < 2:
        return []
    near = np.hypot(*(where[sites][:, None] - where[sites][None]).transpose(2, 0, 1)) <= TOGETHER_M
    _, town = connected_components(near)
    zones = place.zones[["easting_m", "northing_m"]].to_numpy(float)
    whole = float(np.max(zones.max(axis=0) - zones.min(axis=0)))
    names, found = named_towns(place), []
    for each in np.unique(town):
        mine = sites[town == each]
        middle = where[mine].mean(axis=0)
        hosts = [to for home, to in moves if home in mine and np.hypot(*(where[to] - middle)) <= TOGETHER_M]
        at = where[[*mine, *hosts]]
        middle = (at.min(axis=0) + at.max(axis=0)) / 2
        reach = np.maximum((at.max(axis=0) - at.min(axis=0)) / 2 + ROOM_M, LEAST_M / 2)
        low, high = middle - reach, middle + reach
        if len(mine) < 2 or float(np.max(high - low)) > whole / 2:
            continue
        corners = lonlat(np.array(shapely.points([low, high]), dtype=object, ndmin=1), 4)
        away = {name: float(np.hypot(*(np.array(at) - middle))) for name, at in names}
        nearest = min(away, key=lambda name: away[name], default="")
        near_by = nearest and away[nearest] <= TOGETHER_M
        name = nearest if near_by else f"Near {plain(place.sites['name'].iloc[mine[0]])}"
        bounds = [[lat, lon] for lon, lat in shapely.get_coordinates(corners).tolist()]
        found.append((-len(mine), name, bounds))
    return [{"name": name, "count": -less, "bounds": bounds} for less, name, bounds in sorted(found)[:MOST_INSETS]]


def lonlat(shapes: NDArray[np.object_], digits: int) -> NDArray[np.object_]:
    """Shapes in longitude and latitude (EPSG:4326), rounded: 4 digits are about 10 m, 5 about 1 m."""
    moved = gpd.GeoSeries(list(shapes), crs=CRS).to_crs("EPSG:4326").to_numpy()
    return np.asarray(shapely.transform(moved, lambda xy: np.round(xy, digits)))


def feature(shape: BaseGeometry, properties: dict[str, Any]) -> Feature:
    """A GeoJSON feature: geometry and numbers of ours, never a name."""
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}


def indexed(shapes: NDArray[np.object_], digits: int) -> list[Feature]:
    """Features numbered ``i`` by position, for the page's data to describe."""
    return [feature(shape, {"i": i}) for i, shape in enumerate(lonlat(shapes, digits))]


def shown(place: Place) -> NDArray[np.bool_]:
    """(J,) the sites that may be on the map: all, but for confidential ones of a page to publish."""
    sites = place.sites
    return sites["shown"].to_numpy(bool) if "shown" in sites else np.ones(len(sites), dtype=bool)


def site_points(place: Place) -> NDArray[np.object_]:
    """(J,) the sites as points, EPSG:27700."""
    return _points(place.sites)


def _points(frame: pd.DataFrame) -> NDArray[np.object_]:
    return np.array(shapely.points(frame[["easting_m", "northing_m"]].to_numpy(float)), dtype=object, ndmin=1)
