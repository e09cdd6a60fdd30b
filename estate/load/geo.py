"""Tables with a geometry: GeoJSON, GeoPackage, Shapefile.

GeoPackage is read through SQLite itself, with everything but reading switched off, and GeoJSON as JSON; only a
Shapefile, copied to a folder that holds nothing else, reaches GDAL.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import InputError, Where
from estate.load.parquet import arrow_text
from estate.load.raw import MAX_COLUMNS, MAX_ROWS, Raw, from_columns, json_text
from estate.load.sniff import checked_members, corrupt, extract, read_bytes, refusal
from estate.scenario import TableFile
from estate.wording import closest, listed

_SHAPE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


# ----------------------------------------------------------------------------------------------------------- GeoJSON


def read_geojson(data: bytes, file: str, given: TableFile) -> Raw:
    """A FeatureCollection: properties as text, WGS84 unless an old-style ``crs`` member says otherwise."""
    del given
    where = Where(file)
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise corrupt(file, f"not UTF-8: {error.reason}") from None
    except (ValueError, RecursionError) as error:
        raise corrupt(file, error) from None
    features = found.get("features") if isinstance(found, dict) and found.get("type") == "FeatureCollection" else None
    if not isinstance(features, list) or not all(isinstance(each, dict) for each in features):
        raise refusal("file.format", "is JSON, but not a GeoJSON FeatureCollection", "export it as GeoJSON", where)
    if len(features) > MAX_ROWS:
        raise refusal("file.rows", f"has more than {MAX_ROWS:,} features", "keep only those of this place", where)
    properties = [each.get("properties") or {} for each in features]
    if not all(isinstance(each, dict) for each in properties):
        raise corrupt(file, "the properties of a feature are not a table")
    names = list(dict.fromkeys(name for each in properties for name in each))
    if len(names) > MAX_COLUMNS:
        raise refusal("file.columns", f"has {len(names):,} properties", "keep only those you need", where)
    columns = {name: [json_text(each.get(name)) for each in properties] for name in names}
    try:
        texts = [json.dumps(each["geometry"]) if each.get("geometry") else None for each in features]
        geometry = shapely.from_geojson(texts)
    except (shapely.errors.GEOSException, ValueError, TypeError, RecursionError) as error:
        raise corrupt(file, error) from None
    return from_columns(file, columns, len(features), np.asarray(geometry, dtype=object), _json_crs(found, file))


def _json_crs(found: Mapping[str, Any], file: str) -> str:
    member = found.get("crs")
    if member is None:
        return "OGC:CRS84"
    name = (
        member.get("properties", {}).get("name")
        if isinstance(member, dict) and isinstance(member.get("properties"), dict)
        else None
    )
    if not isinstance(name, str):
        raise refusal("geo.crs", "has a 'crs' member that names no CRS", "remove it, or name an EPSG code", Where(file))
    return name


# -------------------------------------------------------------------------------------------------------- GeoPackage


def read_geopackage(data: bytes, file: str, given: TableFile) -> Raw:
    """One layer of a GeoPackage (``layer``, or the only one): cells as text, geometry from its own binary form."""
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(data)
        base.execute("PRAGMA trusted_schema = off")
        base.execute("PRAGMA cell_size_check = on")
        base.set_authorizer(_read_only)
        return _layer(base, file, given.layer)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError, shapely.errors.GEOSException, MemoryError) as error:
        raise corrupt(file, error) from None
    finally:
        base.close()


def _read_only(action: int, *_: str | None) -> int:
    """Nothing but reading: no attaching, no pragma, no function that is not SQLite's own."""
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _layer(base: sqlite3.Connection, file: str, wanted: str) -> Raw:
    layers = [
        name for (name,) in base.execute("SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes')")
    ]
    name = _chosen([each for each in layers if each != "layer_styles"], file, wanted)
    spatial = base.execute("SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?", (name,)).fetchone()
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = base.execute(f"SELECT * FROM {quoted} LIMIT {MAX_ROWS + 1}")  # noqa: S608  (quoted; the base is read-only)
    headings = [each[0] for each in cursor.description]
    rows = cursor.fetchall()
    if len(rows) > MAX_ROWS:
        raise refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only those of this place", Where(file))
    columns = dict(zip(headings, zip(*rows, strict=True) if rows else [()] * len(headings), strict=True))
    geometry, crs = None, ""
    if spatial:
        geometry = _package_geometry(columns.pop(spatial[0], ()), file)
        crs = _package_crs(base, spatial[1])
    texts = {heading: [_cell(value) for value in column] for heading, column in columns.items()}
    return from_columns(f"{file}[{name}]" if len(layers) > 1 else file, texts, len(rows), geometry, crs)


def _chosen(layers: Sequence[str], file: str, wanted: str) -> str:
    where = Where(file, column="layer", value=wanted)
    if wanted:
        match = next((each for each in layers if each.casefold() == wanted.casefold()), None)
        if match is not None:
            return match
        near = closest(wanted, layers)
        remedy = f"did you mean '{near}'?" if near else f"the layers are: {listed(layers, 20)}"
        raise refusal("file.layer", f"has no layer '{wanted}'", remedy, where)
    if len(layers) == 1:
        return layers[0]
    if not layers:
        raise refusal("file.layer", "has no layers", "export the layer again", where)
    message = f"has {len(layers)} layers and none is named: {listed(layers, 20)}"
    raise refusal("file.layer", message, 'say which: {path = "...", layer = "..."}', where)


def _package_geometry(blobs: Sequence[Any], file: str) -> NDArray[np.object_]:
    """Geometry from GeoPackage binary: a short heading, an envelope whose size the heading gives, then WKB."""
    sizes = (0, 32, 48, 48, 64)
    found: list[bytes | None] = []
    for blob in blobs:
        if blob is None:
            found.append(None)
            continue
        if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8 or (blob[3] >> 1 & 7) > 4:
            raise corrupt(file, "a geometry is not in GeoPackage form")
        found.append(None if blob[3] & 0x10 else blob[8 + sizes[blob[3] >> 1 & 7] :])
    return np.asarray(shapely.from_wkb(found), dtype=object)


def _package_crs(base: sqlite3.Connection, srs: int) -> str:
    if srs in (-1, 0):
        return ""
    query = "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?"
    row = base.execute(query, (srs,)).fetchone()
    if row is None:
        return ""
    organisation, code, definition = (str(each) for each in row)
    # GDAL writes "Undefined SRS" as a local engineering system, which says nothing.
    unknown = definition.lower().startswith(("undefined", "local_cs", "engcrs", "engineeringcrs"))
    return f"{organisation}:{code}" if organisation.upper() == "EPSG" else "" if unknown else definition


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        return ""
    return json_text(value)


# --------------------------------------------------------------------------------------------------------- Shapefile


def read_shapefile(path: Path, data: bytes, file: str, given: TableFile) -> tuple[Raw, Mapping[str, str]]:
    """A Shapefile with its companions beside it, and the SHA-256 of each companion by its path."""
    parts, digests = {".shp": data}, {}
    for suffix in _SHAPE_PARTS[1:]:
        beside = next((each for each in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if each.is_file()), None)
        if beside is not None:
            name = str(Path(file).with_suffix(beside.suffix))
            parts[suffix], digests[name] = read_bytes(beside, name, "tables")
    return _shapes(parts, file, given), digests


def read_zipped_shapefile(data: bytes, file: str, given: TableFile) -> Raw:
    """A zip archive with one Shapefile in it, or several of which ``layer`` names one."""
    members = {each.filename: each for each in checked_members(data, file) if "__MACOSX" not in each.filename}
    stems = {Path(name).stem: name for name in members if name.lower().endswith(".shp")}
    shape = stems[_chosen(sorted(stems), file, given.layer)]
    parts = {}
    for suffix in _SHAPE_PARTS:
        match = next((each for name, each in members.items() if name.lower() == shape.lower()[:-4] + suffix), None)
        if match is not None:
            parts[suffix] = extract(data, match, file)
    return _shapes(parts, file, given)


def _shapes(parts: Mapping[str, bytes], file: str, given: TableFile) -> Raw:
    import pyogrio  # noqa: PLC0415

    missing = [suffix for suffix in _SHAPE_PARTS[:3] if suffix not in parts]
    if missing:
        raise corrupt(file, f"its {' and '.join(missing)} is missing")
    if int.from_bytes(parts[".dbf"][4:8], "little") > MAX_ROWS:
        raise refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only those of this place", Where(file))
    with tempfile.TemporaryDirectory() as folder:
        for suffix, content in parts.items():
            (Path(folder) / f"layer{suffix}").write_bytes(content)
        encoding = given.encoding if given.encoding != "utf-8" or ".cpg" not in parts else None
        try:
            meta, table = pyogrio.read_arrow(Path(folder) / "layer.shp", encoding=encoding)
            name = meta["geometry_name"] or "wkb_geometry"
            geometry = (
                np.asarray(shapely.from_wkb(table.column(name).to_pylist()), dtype=object)
                if name in table.column_names
                else None
            )
            columns = {each: arrow_text(table.column(each), file) for each in table.column_names if each != name}
        except InputError:
            raise
        except (pyogrio.errors.DataSourceError, shapely.errors.GEOSException, RuntimeError, OSError, ValueError) as error:
            raise corrupt(file, str(error).replace(folder, "")) from None
    return from_columns(file, columns, table.num_rows, geometry, str(meta["crs"] or ""))
