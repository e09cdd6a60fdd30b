"""From OpenStreetMap to a first draft of a place's sites and access points: a list to correct instead of one to type.

What the map does not know is assumed from :data:`KINDS`, and every such column is listed in the row's ``illustrative``.
OpenStreetMap is under the ODbL: rows drafted from it carry its notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from estate.errors import DownloadError, InputError, Issue, Where
from estate.place import CRS

SOURCE = "OpenStreetMap, drafted"
NOTICE = "(c) OpenStreetMap contributors, ODbL"
NEAR_M = 15.0
"""A point this close to a building's outline is taken to be in it."""
NIA = 0.85
"""Net internal floor area for each m2 of footprint and storey: walls, stairs and ducts are the rest."""
MAX_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a draft assumes of a kind of counter until somebody knows better (floor areas m2, money GBP)."""

    service: str
    label: str
    agency: str
    kind: str
    capacity_m2: float
    area_m2: float
    running_gbp_m2: float = 100.0
    value_gbp_m2: float = 900.0


KINDS = {
    each.service: each
    for each in (
        Assumed("library", "Library", "council", "library", 350, 220),
        Assumed("police_desk", "Police desk", "police", "police", 500, 90),
        Assumed("council_office", "Council office", "council", "office", 1200, 180),
        Assumed("clinic", "Clinic", "nhs", "health", 600, 250),
        Assumed("gp_practice", "GP surgery", "gps", "health", 450, 350),
        Assumed("jobcentre", "Jobcentre", "dwp", "office", 600, 320),
        Assumed("social_facility", "Social facility", "charities", "community", 300, 150),
    )
}
"""The services that are drafted, with assumptions that are round numbers on purpose."""

AGENCIES = {
    "council": ("The council", "local_authority_england"),
    "police": ("The police", "police"),
    "nhs": ("The NHS", "nhs"),
    "gps": ("GP practices", "private"),
    "dwp": ("Department for Work and Pensions", "central_government"),
    "charities": ("Charities and others", "other"),
}

_TAGS = {"amenity": True, "office": True, "healthcare": True, "government": True, "social_facility": True}
_AMENITY = {
    "library": "library",
    "police": "police_desk",
    "townhall": "council_office",
    "clinic": "clinic",
    "health_centre": "clinic",
    "doctors": "gp_practice",
    "job_centre": "jobcentre",
    "social_facility": "social_facility",
    "social_centre": "social_facility",
}
_HEALTHCARE = {"clinic": "clinic", "centre": "clinic", "doctor": "gp_practice", "doctors": "gp_practice"}


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Tables in our own columns, as text and numbers, sorted by id; ``notes`` say what was found and assumed."""

    agencies: pd.DataFrame
    sites: pd.DataFrame
    access_points: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Thing:
    """Something on the map: its id there (``w123``), its tags, and its geometry in WGS84."""

    key: str
    tags: Mapping[str, str]
    shape: BaseGeometry


def draft_from_osm(source: str | Path) -> Draft:
    """Draft the sites and access points of a place.

    Parameters
    ----------
    source
        An OpenStreetMap file (``.osm.pbf``, ``.osm``), or, where there is no such file, the name of a place to download
        through OSMnx: the only use of the network connection here.

    Raises
    ------
    InputError
        When the file is damaged, or holds none of the services that are drafted.
    DownloadError
        When the download failed.
    """
    path = Path(source)
    looks_like_file = path.exists() or re.search(r"\.(osm|pbf|xml)(\.\w+)?$|[\\/]", str(source), re.IGNORECASE)
    counters, buildings = _from_file(path) if looks_like_file else _from_network(str(source))
    if not counters:
        where = Where(str(path.name))
        message = "holds no library, police station, town hall, clinic, surgery, employment office or social facility"
        raise InputError(issues=[Issue("osm.nothing", message, "is it the right place?", where)])
    return _drafted(counters, buildings)


def service_of(tags: Mapping[str, str]) -> str:
    """The service that an OpenStreetMap object's tags describe, or ``""``."""
    name = tags.get("name", "").casefold()
    if tags.get("disused") == "yes" or tags.get("abandoned") == "yes":
        return ""
    if re.search(r"\bjob ?centre\b", name):
        return "jobcentre"
    found = _AMENITY.get(tags.get("amenity", "")) or _HEALTHCARE.get(tags.get("healthcare", ""), "")
    if found:
        return found
    public = tags.get("amenity") == "public_building" or tags.get("office") == "government" or tags.get("building") == "civic"
    if public and re.search(r"\bcouncil\b|\bcivic (centre|offices?)\b|\btown hall\b", name):
        return "council_office"
    return "social_facility" if tags.get("social_facility") else ""


# ------------------------------------------------------------------------------------------------------------ sources


def _from_file(path: Path) -> tuple[list[_Thing], list[_Thing]]:
    """Counters and building outlines of an OpenStreetMap file."""
    import osmium  # noqa: PLC0415

    kind = _kind_of(path)
    counters, buildings = [], []
    try:
        keys = osmium.filter.KeyFilter("building", *_TAGS)
        for each in osmium.FileProcessor(osmium.io.File(str(path), kind)).with_areas(keys).with_filter(keys):
            thing = _thing(each)
            if thing is not None and service_of(thing.tags):
                counters.append(thing)
            if thing is not None and thing.tags.get("building", "no") != "no" and thing.key[0] != "n":
                buildings.append(thing)
    except (RuntimeError, ValueError, osmium.InvalidLocationError, shapely.errors.GEOSException) as error:
        message = f"is corrupt or cut short ({' '.join(str(error).split())[:120]})"
        raise InputError(issues=[Issue("osm.corrupt", message, "download it again", Where(path.name))]) from None
    return counters, buildings


def _kind_of(path: Path) -> str:
    """``pbf`` or ``osm``, by content; raises :class:`InputError` for anything else, and for XML that declares entities."""
    where = Where(path.name)
    if not path.is_file():
        raise InputError(issues=[Issue("osm.missing", f"there is no file {path.name}", "give a .osm.pbf or .osm file", where)])
    if path.stat().st_size > MAX_BYTES:
        remedy = "cut it to the place, for example with 'osmium extract'"
        raise InputError(issues=[Issue("osm.large", "is larger than 1 GB", remedy, where)])
    with path.open("rb") as stream:
        start = stream.read(65536)
    if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
        raise InputError(issues=[Issue("osm.entities", "declares XML entities, which no map does", "download it again", where)])
    if b"OSMHeader" in start[:64]:
        return "pbf"
    if re.match(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<osm", start, re.DOTALL):
        return "osm"
    raise InputError(issues=[Issue("osm.format", "is not an OpenStreetMap file", "give a .osm.pbf or .osm file", where)])


def _thing(each: Any) -> _Thing | None:
    """An OpenStreetMap node or area; None for a way, which comes again as an area if it is one."""
    import osmium  # noqa: PLC0415

    tags = {tag.k: tag.v for tag in each.tags}
    if isinstance(each, osmium.osm.Node):
        return _Thing(f"n{each.id}", tags, shapely.Point(each.location.lon, each.location.lat))
    if isinstance(each, osmium.osm.Area):
        shape = shapely.from_wkb(osmium.geom.WKBFactory().create_multipolygon(each))
        return _Thing(f"{'w' if each.from_way() else 'r'}{each.orig_id()}", tags, shape)
    return None


def _from_network(place: str) -> tuple[list[_Thing], list[_Thing]]:
    """The same for a place name, downloaded."""
    import osmnx  # noqa: PLC0415

    try:
        frame = osmnx.features_from_place(place, {**_TAGS, "building": True})
    except Exception as error:  # noqa: BLE001  (OSMnx, requests and its parsers share no root)
        message = f"'{place}' could not be downloaded: {' '.join(str(error).split())[:160]}"
        remedy = "check the name and the connection, or give an OpenStreetMap file"
        raise DownloadError(issues=[Issue("osm.download", message, remedy)]) from None
    tags = [name for name in frame.columns if name != "geometry"]
    things = []
    for (element, number), row in frame.iterrows():
        known = {name: str(row[name]) for name in tags if isinstance(row[name], str)}
        things.append(_Thing(f"{element[0]}{number}", known, row.geometry))
    buildings = [each for each in things if "building" in each.tags and each.shape.geom_type in ("Polygon", "MultiPolygon")]
    return [each for each in things if service_of(each.tags)], buildings


# ------------------------------------------------------------------------------------------------------------- tables


def _drafted(counters: list[_Thing], buildings: list[_Thing]) -> Draft:
    counters = sorted(counters, key=lambda each: (each.key[0] == "n", each.key))
    outlines = _grid([each.shape for each in buildings])
    shapes = _grid([each.shape for each in counters])
    home = _buildings_of(shapes, outlines)
    site_of = [f"osm-{buildings[b].key if b >= 0 else each.key}" for each, b in zip(counters, home, strict=True)]
    sites: dict[str, dict[str, Any]] = {}
    points: dict[str, dict[str, Any]] = {}
    for each, shape, b, site in zip(counters, shapes, home, site_of, strict=True):
        assumed = KINDS[service_of(each.tags)]
        building = buildings[b].tags if b >= 0 else {}
        point_id = f"{assumed.service}-{site.removeprefix('osm-')}"
        if point_id in points:
            continue  # a counter drawn both as a point and as the building it is in
        if site not in sites:
            sites[site] = _site(site, assumed, each, building, outlines[b] if b >= 0 else shape, outlined=b >= 0)
        points[point_id] = _point(point_id, site, assumed, each)
    _fit(sites, points)
    agencies = {each["agency"] for each in (*sites.values(), *points.values())}
    rows = [
        {"agency": key, "name": name, "kind": kind, "takes_part": "yes", "source": SOURCE, "illustrative": "name;kind"}
        for key, (name, kind) in AGENCIES.items()
        if key in agencies
    ]
    counts = pd.Series([each["service"] for each in points.values()]).value_counts().sort_index()
    outlined = sum(site.startswith(("osm-w", "osm-r")) for site in sites)
    notes = (
        f"{len(points)} access points in {len(sites)} buildings: " + ", ".join(f"{n} {name}" for name, n in counts.items()),
        f"{outlined} of the buildings have an outline, whose area gives capacity_m2; the others have an assumed size",
        "costs, values, tenures, owners and the floor area of each counter are assumptions, listed in 'illustrative'",
        "the map is seldom complete: compare with the agencies' own lists, and add what is missing",
    )
    return Draft(_table(rows, "agency"), _table(sites.values(), "site_id"), _table(points.values(), "access_point_id"), notes)


def _site(
    key: str, assumed: Assumed, thing: _Thing, building: Mapping[str, str], shape: BaseGeometry, *, outlined: bool
) -> dict[str, Any]:
    centre = shape.centroid if shape.geom_type == "Point" or shape.contains(shape.centroid) else shape.representative_point()
    storeys = _storeys(building.get("building:levels", ""))
    capacity = round(float(shape.area) * storeys * NIA) if outlined else round(assumed.capacity_m2)
    tags = {**building, **thing.tags}
    street = " ".join(tags.get(f"addr:{part}", "") for part in ("housenumber", "street")).strip()
    return {
        "site_id": key,
        "name": building.get("name") or tags.get("addr:housename") or _name(thing, assumed),
        "agency": assumed.agency,
        "kind": assumed.kind,
        "tenure": "freehold",
        "capacity_m2": max(capacity, 1),
        "running_cost_gbp_pa": round(capacity * assumed.running_gbp_m2),
        "market_value_gbp": round(capacity * assumed.value_gbp_m2),
        "easting": round(float(centre.x)),
        "northing": round(float(centre.y)),
        "address": ", ".join(each for each in (street, tags.get("addr:place", ""), tags.get("addr:city", "")) if each),
        "postcode": tags.get("addr:postcode", ""),
        "footprint_m2": round(float(shape.area)) if outlined else "",
        "step_free": {"yes": "yes", "no": "no"}.get(tags.get("wheelchair", ""), ""),
        "source": SOURCE,
        "licence": "ODbL",
        "illustrative": "agency;kind;tenure;capacity_m2;running_cost_gbp_pa;market_value_gbp",
    }


def _point(key: str, site: str, assumed: Assumed, thing: _Thing) -> dict[str, Any]:
    return {
        "access_point_id": key,
        "site_id": site,
        "service": assumed.service,
        "agency": assumed.agency,
        "name": _name(thing, assumed),
        "area_m2": assumed.area_m2,
        "hall_area_m2": round(assumed.area_m2 * 0.3),
        "desk_area_m2": round(assumed.area_m2 * 0.2),
        "operator": thing.tags.get("operator", ""),
        "source": SOURCE,
        "licence": "ODbL",
        "illustrative": "agency;area_m2;hall_area_m2;desk_area_m2",
    }


def _name(thing: _Thing, assumed: Assumed) -> str:
    return thing.tags.get("name") or thing.tags.get("addr:housename") or f"{assumed.label} (no name on the map)"


def _storeys(text: str) -> float:
    return min(max(float(text), 1.0), 30.0) if re.fullmatch(r"\d{1,2}(\.\d)?", text) else 1.0


def _fit(sites: Mapping[str, dict[str, Any]], points: Mapping[str, dict[str, Any]]) -> None:
    """Counters made smaller, in proportion, where together they would not fit their building."""
    for key, site in sites.items():
        here = [each for each in points.values() if each["site_id"] == key]
        wanted = sum(each["area_m2"] for each in here)
        scale = min(1.0, 0.9 * site["capacity_m2"] / wanted)
        for each in here:
            for name in ("area_m2", "hall_area_m2", "desk_area_m2"):
                each[name] = max(round(each[name] * scale), 1) if name == "area_m2" else int(each[name] * scale)


def _buildings_of(shapes: NDArray[np.object_], outlines: NDArray[np.object_]) -> NDArray[np.int64]:
    """(n,) the building that each thing is in or beside, or -1."""
    home = np.full(len(shapes), -1, dtype=np.int64)
    if not len(outlines):
        return home
    tree = shapely.STRtree(outlines)
    inner = shapely.point_on_surface(shapes)
    thing, building = tree.query(inner, predicate="dwithin", distance=NEAR_M)
    gap = shapely.distance(inner[thing], outlines[building])
    order = np.lexsort((building, gap, thing))
    first = np.unique(thing[order], return_index=True)[1]
    home[thing[order][first]] = building[order][first]
    return home


def _grid(shapes: Iterable[BaseGeometry]) -> NDArray[np.object_]:
    """WGS84 shapes on the British National Grid, metres."""
    array = np.array(list(shapes), dtype=object)
    if not len(array):
        return array
    turn = pyproj.Transformer.from_crs("OGC:CRS84", CRS, always_xy=True)
    moved = shapely.transform(array, lambda xy: np.column_stack(turn.transform(xy[:, 0], xy[:, 1])))
    return np.asarray(shapely.make_valid(moved, method="structure", keep_collapsed=False), dtype=object)


def _table(rows: Iterable[dict[str, Any]], key: str) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).sort_values(key).reset_index(drop=True)
