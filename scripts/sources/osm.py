"""What is taken from an OpenStreetMap extract: points, main roads, rivers and a boundary.  All of it is ODbL."""

from __future__ import annotations

from pathlib import Path

import osmium
import shapely
import shapely.ops
from pyproj import Transformer

from .context import feature, rounded

MAIN_ROADS = ("motorway", "trunk", "primary", "secondary")
TOWN_NAMES = ("Oakham", "Uppingham", "Ketton", "Ryhall", "Empingham", "Market Overton", "Cottesmore", "Whissendine")
TOLERANCE_M = 40.0

_to_metres = Transformer.from_crs(4326, 27700, always_xy=True)
_to_lonlat = Transformer.from_crs(27700, 4326, always_xy=True)


class Extract:
    """One pass over the file: ``points`` in EPSG:27700 metres by id (``n1``, ``w1``), and the map's context."""

    def __init__(self, path: Path, wanted: frozenset[str], boundary: int) -> None:
        self.points: dict[str, tuple[int, int]] = {}
        self._roads: dict[str, list[shapely.LineString]] = {}
        self._rivers: dict[str, list[shapely.LineString]] = {}
        self._places: dict[str, dict[str, object]] = {}
        self._outline: shapely.Geometry | None = None
        factory = osmium.geom.WKBFactory()
        for each in osmium.FileProcessor(str(path)).with_locations().with_areas():
            if each.is_node():
                self._node(each, wanted)
            elif each.is_way():
                self._way(each, wanted, factory)
                self._river(each, factory)
            elif each.is_area() and not each.from_way() and each.orig_id() == boundary:
                self._outline = _metres(shapely.from_wkb(factory.create_multipolygon(each)))

    def _node(self, node: osmium.osm.Node, wanted: frozenset[str]) -> None:
        if f"n{node.id}" in wanted:
            east, north = _to_metres.transform(node.location.lon, node.location.lat)
            self.points[f"n{node.id}"] = round(east), round(north)
        name = node.tags.get("name")
        if name in TOWN_NAMES and node.tags.get("place") in ("town", "village"):
            at = [round(node.location.lon, 5), round(node.location.lat, 5)]
            self._places[name] = feature("town", name, {"type": "Point", "coordinates": at})

    def _way(self, way: osmium.osm.Way, wanted: frozenset[str], factory: osmium.geom.WKBFactory) -> None:
        if f"w{way.id}" in wanted:
            centre = _metres(shapely.from_wkb(factory.create_linestring(way))).envelope.centroid
            self.points[f"w{way.id}"] = round(centre.x), round(centre.y)
        number = way.tags.get("ref")
        if number and way.tags.get("highway") in MAIN_ROADS and len(way.nodes) > 1:
            line = _metres(shapely.from_wkb(factory.create_linestring(way)))
            self._roads.setdefault(number, []).append(line)

    def _river(self, way: osmium.osm.Way, factory: osmium.geom.WKBFactory) -> None:
        if way.tags.get("waterway") == "river" and len(way.nodes) > 1:
            line = _metres(shapely.from_wkb(factory.create_linestring(way)))
            self._rivers.setdefault(way.tags.get("name") or "river", []).append(line)

    def context(self) -> list[dict[str, object]]:
        """Outline, main roads by number, rivers and town names, in longitude and latitude."""
        if self._outline is None:
            raise SystemExit("the extract has no county boundary")
        features = [_drawn("outline", "Rutland", self._outline.simplify(TOLERANCE_M))]
        for kind, found in (("road", self._roads), ("river", self._rivers)):
            for name, lines in sorted(found.items()):
                joined = shapely.ops.linemerge(shapely.union_all(lines)) if len(lines) > 1 else lines[0]
                inside = joined.intersection(self._outline.buffer(500)).simplify(TOLERANCE_M)
                if not inside.is_empty:
                    features.append(_drawn(kind, name, inside.normalize()))
        return features + [place for _, place in sorted(self._places.items())]


def _metres(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, _to_metres.transform, interleaved=False)


def _drawn(kind: str, name: str, shape: shapely.Geometry) -> dict[str, object]:
    drawn = shapely.geometry.mapping(shapely.transform(shape, _to_lonlat.transform, interleaved=False))
    return feature(kind, name, {"type": drawn["type"], "coordinates": rounded(drawn["coordinates"])})
