"""JSON in the forms that tables come in: GeoJSON, whole or a line each, plain records, and Esri's."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import Where
from estate.load.raw import MAX_COLUMNS, MAX_ROWS, Raw, from_columns, json_text
from estate.load.sniff import corrupt, refusal
from estate.scenario import TableFile

_ENVELOPES = ("records", "results", "result", "data", "rows", "items", "entities", "value")
"""What services call the list of records in an answer."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SPHERICAL = (102100, 102113, 900913)
"""Esri's and others' old numbers for Web Mercator, EPSG:3857."""

type _Record = Mapping[str, Any]


def read_json(data: bytes, file: str, given: TableFile) -> Raw:
    """A file of JSON; of GeoJSON and Esri JSON also the geometry.

    The features' own ids of GeoJSON stand under ``id``, where no property is so called.
    GeoJSON is WGS84 unless an old-style ``crs`` member says otherwise; Esri JSON says its own spatial reference.
    """
    del given
    found = _parsed(data, file)
    if isinstance(found, dict) and found.get("type") == "Topology":
        raise refusal("file.format", "is TopoJSON, which is not read", "convert it to GeoJSON", Where(file))
    _check_whole(found, file)
    features = _features(found)
    if features is None:
        return _table(_records(found, file), None, "", file)
    if any("attributes" in each for each in features):
        return _esri(found if isinstance(found, dict) else {}, features, file)
    properties = [each.get("properties") or {} for each in features]
    if not all(isinstance(each, dict) for each in properties):
        raise corrupt(file, "the properties of a feature are not a table")
    if any("id" in each for each in features) and not any("id" in each for each in properties):
        properties = [{"id": each.get("id"), **its} for each, its in zip(features, properties, strict=True)]
    try:
        texts = [json.dumps(each["geometry"]) if each.get("geometry") else None for each in features]
        geometry = np.asarray(shapely.from_geojson(texts), dtype=object)
    except (shapely.errors.GEOSException, ValueError, TypeError, RecursionError) as error:
        raise corrupt(file, error) from None
    return _table(properties, geometry, _crs(found, file), file)


def _parsed(data: bytes, file: str) -> Any:
    """The whole as one value, or a list of the values on its lines."""
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise corrupt(file, f"not UTF-8: {error.reason}") from None
    try:
        return json.loads(text.lstrip("\x1e"))
    except RecursionError as error:
        raise corrupt(file, error) from None
    except ValueError as error:
        whole = error
    lines = [line for line in text.replace("\x1e", "\n").split("\n") if line.strip()]
    if len(lines) < 2 or len(lines) > MAX_ROWS + 1 or not all(line.strip().startswith("{") for line in lines):
        raise corrupt(file, whole) from None
    found = []
    for n, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            # Not a value a line after all, but one that is broken: what its reader said is more to the point.
            raise corrupt(file, f"line {n}: {error}" if found else whole) from None
    return found


def _check_whole(found: Any, file: str) -> None:
    """A service that stops at its limit says so in the answer, which otherwise looks whole."""
    outer = (
        [found, *(each for each in (found.get("properties"), found.get("result")) if isinstance(each, dict))]
        if isinstance(found, dict)
        else []
    )
    if any(each.get("exceededTransferLimit") is True for each in outer):
        message = "is only a part: the service stopped at its limit (exceededTransferLimit)"
        raise refusal("file.part", message, "download it in pages, or as a file, and give the whole", Where(file))


def _features(found: Any) -> Sequence[_Record] | None:
    """The features of GeoJSON or Esri JSON, one or many; None where it is neither."""
    if isinstance(found, dict):
        found = found.get("features") if isinstance(found.get("features"), list) else [found]
    if not isinstance(found, list) or not found:
        return [] if found == [] else None
    if not all(
        isinstance(each, dict) and (each.get("type") == "Feature" or isinstance(each.get("attributes"), dict)) for each in found
    ):
        return None
    return found


def _records(found: Any, file: str) -> Sequence[_Record]:
    """A list of tables of one row, alone or in the envelope of a service."""
    for _ in range(3):
        if isinstance(found, list) and found and all(isinstance(each, dict) for each in found):
            return found
        inner = [found[name] for name in _ENVELOPES if name in found] if isinstance(found, dict) else []
        if not inner:
            break
        found = inner[0]
    message = "is JSON, but neither GeoJSON (a FeatureCollection) nor a list of records"
    raise refusal("file.format", message, "export it as GeoJSON, or as [{...}, {...}]", Where(file))


def _table(records: Sequence[_Record], geometry: NDArray[np.object_] | None, crs: str, file: str) -> Raw:
    where = Where(file)
    if len(records) > MAX_ROWS:
        raise refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only those of this place", where)
    names = list(dict.fromkeys(name for each in records for name in each))
    if len(names) > MAX_COLUMNS:
        raise refusal("file.columns", f"has {len(names):,} properties", "keep only those you need", where)
    columns = {name: [json_text(each.get(name)) for each in records] for name in names}
    return from_columns(file, columns, len(records), geometry, crs)


def _crs(found: Any, file: str) -> str:
    member = found.get("crs") if isinstance(found, dict) else None
    if member is None:
        return "OGC:CRS84"
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise refusal("geo.crs", "has a 'crs' member that names no CRS", "remove it, or name an EPSG code", Where(file))
    return name


# --------------------------------------------------------------------------------------------------------------- Esri


def _esri(found: _Record, features: Sequence[_Record], file: str) -> Raw:
    """Features of ``attributes`` and ``geometry``; dates, which are milliseconds there, as ``2027-03-31``."""
    fields = found.get("fields")
    dates = (
        {each.get("name") for each in fields if isinstance(each, dict) and each.get("type") == "esriFieldTypeDate"}
        if isinstance(fields, list)
        else set()
    )
    records = [
        {name: _day(value) if name in dates else value for name, value in (each.get("attributes") or {}).items()}
        for each in features
    ]
    own = next((each["geometry"].get("spatialReference") for each in features if isinstance(each.get("geometry"), dict)), None)
    stated = found.get("spatialReference") or own or {}
    code = stated.get("latestWkid") or stated.get("wkid") if isinstance(stated, dict) else None
    crs = (
        f"EPSG:{3857 if code in _SPHERICAL else code}"
        if code
        else str(stated.get("wkt") or "")
        if isinstance(stated, dict)
        else ""
    )
    try:
        shapes = np.array([_esri_shape(each.get("geometry")) for each in features], dtype=object)
    except (shapely.errors.GEOSException, ValueError, TypeError, KeyError, IndexError) as error:
        raise corrupt(file, error) from None
    return _table(records, shapes if any(each is not None for each in shapes) else None, crs, file)


def _day(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e14:
        return value
    return (_EPOCH + dt.timedelta(milliseconds=value)).date().isoformat()


def _esri_shape(shape: Any) -> Any:
    if not isinstance(shape, dict):
        return None
    if "x" in shape:
        return None if shape["x"] in (None, "NaN") else shapely.Point(float(shape["x"]), float(shape["y"]))
    if "points" in shape:
        return shapely.MultiPoint([each[:2] for each in shape["points"]])
    if "paths" in shape:
        return shapely.MultiLineString([[each[:2] for each in path] for path in shape["paths"]])
    if "rings" in shape:
        # Rings stand in no order: what lies inside an odd number of them is inside.
        return shapely.build_area(shapely.MultiLineString([[each[:2] for each in ring] for ring in shape["rings"]]))
    raise ValueError("a geometry with curves, or of an unknown kind")
