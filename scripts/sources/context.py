"""Light background for the map: outlines, roads and town names in longitude and latitude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TOWNS = {
    "Worcester": "W-LIB-HIVE",
    "Kidderminster": "W-LIB-KIDDERMINSTER",
    "Redditch": "W-LIB-REDDITCH",
    "Bromsgrove": "W-LIB-BROMSGROVE",
    "Malvern": "W-LIB-MALVERN",
    "Evesham": "W-LIB-EVESHAM",
    "Droitwich Spa": "W-LIB-DROITWICH",
    "Stourport-on-Severn": "W-LIB-STOURPORT",
    "Pershore": "W-LIB-PERSHORE",
    "Bewdley": "W-LIB-BEWDLEY",
    "Tenbury Wells": "W-LIB-TENBURY",
    "Upton-upon-Severn": "W-LIB-UPTON",
    "Broadway": "W-LIB-BROADWAY",
    "Rubery": "W-LIB-RUBERY",
    "Hagley": "W-LIB-HAGLEY",
    "Alvechurch": "W-LIB-ALVECHURCH",
    "Wythall": "W-LIB-WYTHALL",
}
TOLERANCE_M = 60.0


def feature(kind: str, name: str, geometry: Mapping[str, object]) -> dict[str, object]:
    """A GeoJSON feature with the two properties the map knows."""
    return {"type": "Feature", "properties": {"kind": kind, "name": name}, "geometry": geometry}


def rounded(coordinates: object, digits: int = 5) -> object:
    """Coordinates to five decimals: about a metre."""
    if isinstance(coordinates, float | int):
        return round(float(coordinates), digits)
    return [rounded(each, digits) for each in coordinates]  # type: ignore[attr-defined]


def towns(places: Mapping[str, tuple[float, float]], kind: str = "town") -> list[dict[str, object]]:
    """Named points, from EPSG:27700 metres."""
    from pyproj import Transformer

    to_lonlat = Transformer.from_crs(27700, 4326, always_xy=True)
    found = []
    for name, (east, north) in sorted(places.items()):
        lon, lat = to_lonlat.transform(east, north)
        found.append(feature(kind, name, {"type": "Point", "coordinates": [round(lon, 5), round(lat, 5)]}))
    return found


NEIGHBOUR_M = 15_000.0


def neighbours(england: Path, land: Any, districts: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Towns beyond the county and near to it, from the national list of Jobcentres: each at its first; none without the list."""
    import shapely

    from .common import read

    found: dict[str, tuple[float, float]] = {}
    for file in sorted(england.glob("jobcentres*.csv")):
        for row in read(file):
            if row["ladcd"] and row["ladcd"] not in districts and row["easting"]:
                at = float(row["easting"]), float(row["northing"])
                if land.distance(shapely.Point(at)) <= NEIGHBOUR_M:
                    found.setdefault(row["Town/City"].title(), at)
    return {name: at for name, at in found.items() if name}


def worcestershire_context(
    data: Path, folder: Path, sites: Sequence[Mapping[str, object]], districts: Mapping[str, str]
) -> None:
    """District outlines dissolved from their LSOAs, simplified without breaking shared edges; towns, the neighbours' too."""
    import geopandas as gpd
    import shapely

    from .common import write_geojson

    areas = gpd.read_file(data / "worcestershire_lsoa11.geojson")[["LADCD_ACTIVE", "geometry"]].to_crs(27700)
    merged = areas.dissolve("LADCD_ACTIVE").sort_index()
    merged["geometry"] = shapely.coverage_simplify(merged.geometry.to_numpy(), TOLERANCE_M)
    outlines = merged.to_crs(4326)
    features = []
    for code, shape in outlines.geometry.items():
        drawn = shapely.geometry.mapping(shape)
        geometry = {"type": drawn["type"], "coordinates": rounded(drawn["coordinates"])}
        features.append(feature("outline", districts[str(code)], geometry))
    at = {str(site["site_id"]): (float(str(site["easting"])), float(str(site["northing"]))) for site in sites}
    features += towns({name: at[site] for name, site in TOWNS.items()})
    features += towns(neighbours(data.parent / "england", areas.geometry.union_all(), districts), "neighbour")
    notice = (
        "Neighbouring towns stand at their Jobcentres of 2016. Contains OS data © Crown copyright and database right 2025. "
        "Contains National Statistics data © Crown "
        "copyright and database right. Town names stand at their libraries."
    )
    write_geojson(folder / "context.geojson", features, notice)
