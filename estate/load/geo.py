"""Tables with a geometry: GeoPackage and Shapefile.

GeoPackage is read through SQLite itself, with everything but reading switched off; only a Shapefile, copied to a folder that
holds nothing else, reaches GDAL.
"""

from __future__ import annotations

import codecs
import re
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import InputError, Where
from estate.load.curves import shapes_from_wkb
from estate.load.parquet import arrow_text
from estate.load.raw import MAX_CELL, MAX_ROWS, Raw, from_columns, json_text
from estate.load.sniff import checked_members, corrupt, extract, read_bytes, refusal
from estate.scenario import TableFile
from estate.wording import closest, listed

_SHAPE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


# -------------------------------------------------------------------------------------------------------- GeoPackage


def read_geopackage(data: bytes, file: str, given: TableFile) -> Raw:
    """One layer of a GeoPackage (``layer``, or the only one): cells as text, geometry from its own binary form."""
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(data)
        base.execute("PRAGMA trusted_schema = off")
        base.execute("PRAGMA cell_size_check = on")
        # One value may be an outline of many vertices; text is held to a cell's length below.
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_VALUE)
        deadline = time.monotonic() + _MOST_S
        base.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
        base.set_authorizer(_read_only)
        return _layer(base, file, given.layer)
    except sqlite3.DataError:
        raise _too_long(file, _MOST_VALUE) from None
    except (sqlite3.Error, OverflowError, UnicodeDecodeError, shapely.errors.GEOSException, MemoryError) as error:
        raise corrupt(file, error) from None
    finally:
        base.close()


def _read_only(action: int, *_: str | None) -> int:
    """Nothing but reading: no attaching, no pragma, no function that is not SQLite's own."""
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


_MOST_VALUE = 64 * 1024 * 1024
"""Bytes of one value."""
_MOST_BYTES = 1024 * 1024 * 1024
"""Bytes of all the values of a layer."""
_MOST_S = 60.0
"""Seconds for all that is asked of a database; half a gigabyte is read in a few."""


def _too_long(file: str, most: int) -> InputError:
    return refusal("file.cell", f"holds a cell longer than {most:,} characters", "leave that column out", Where(file))


def _fetched(cursor: sqlite3.Cursor, file: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    total = 0
    while batch := cursor.fetchmany(10_000):
        sized = [value for row in batch for value in row if isinstance(value, (str, bytes))]
        if any(isinstance(value, str) and len(value) > MAX_CELL for value in sized):
            raise _too_long(file, MAX_CELL)
        total += sum(map(len, sized))
        if total > _MOST_BYTES:
            message = f"holds more than {_MOST_BYTES // 2**20:,} MB of values"
            raise refusal("file.large", message, "keep only the rows of this place", Where(file))
        rows.extend(batch)
    return rows


def _check_tables(base: sqlite3.Connection, names: Sequence[str], file: str) -> None:
    """A view, a virtual table or a computed column is a program: only tables that hold what they show are read."""
    for name in names:
        row = base.execute("SELECT type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE", (name,)).fetchone()
        if row is None:
            raise corrupt(file, f"it has no table {name}")
        kind, sql = str(row[0]), " ".join(str(row[1]).split()).upper()
        if kind != "table" or sql.startswith("CREATE VIRTUAL") or re.search(r"\bAS\s*\(", sql):
            message = f"'{name}' is a view or is computed, and only plain tables are read"
            remedy = "export it as a layer of its own"
            raise refusal("file.view", message, remedy, Where(file, column="layer", value=name))


def _layer(base: sqlite3.Connection, file: str, wanted: str) -> Raw:
    _check_tables(base, ("gpkg_contents",), file)
    layers = [
        name for (name,) in base.execute("SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes')")
    ]
    name = choose_layer([each for each in layers if each != "layer_styles"], file, wanted)
    kept = {str(row[0]) for row in base.execute("SELECT name FROM sqlite_master")}
    known = [each for each in ("gpkg_geometry_columns", "gpkg_spatial_ref_sys") if each in kept]
    _check_tables(base, [name, *known], file)
    spatial = None
    if "gpkg_geometry_columns" in known:
        spatial = _spatial(base, name)
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = base.execute(f"SELECT * FROM {quoted} LIMIT {MAX_ROWS + 1}")  # noqa: S608  (quoted; the base is read-only)
    headings = [each[0] for each in cursor.description]
    rows = _fetched(cursor, file)
    if len(rows) > MAX_ROWS:
        raise refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only those of this place", Where(file))
    columns = dict(zip(headings, zip(*rows, strict=True) if rows else [()] * len(headings), strict=True))
    geometry, crs = None, ""
    if spatial:
        geometry = _package_geometry(columns.pop(spatial[0], ()), file)
        crs = _package_crs(base, spatial[1])
    texts = {heading: [_cell(value) for value in column] for heading, column in columns.items()}
    return from_columns(f"{file}[{name}]" if len(layers) > 1 else file, texts, len(rows), geometry, crs)


def _spatial(base: sqlite3.Connection, name: str) -> tuple[str, int] | None:
    """A layer's column of geometry, and the number of its CRS."""
    query = "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?"
    found: tuple[str, int] | None = base.execute(query, (name,)).fetchone()
    return found


def choose_layer(layers: Sequence[str], file: str, wanted: str) -> str:
    """The layer that is wanted, or the only one; raises :class:`InputError` that lists them."""
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
    return shapes_from_wkb(found, file)


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
    shape = stems[choose_layer(sorted(stems), file, given.layer)]
    parts = {}
    for suffix in _SHAPE_PARTS:
        match = next((each for name, each in members.items() if name.lower() == shape.lower()[:-4] + suffix), None)
        if match is not None:
            parts[suffix] = extract(data, match, file)
    return _shapes(parts, file, given)


def _encoding(parts: Mapping[str, bytes], file: str, given: TableFile) -> str:
    """The encoding of a Shapefile's text: what the scenario says, else what its ``.cpg`` says, else what its bytes are.

    Raises
    ------
    InputError
        When its text is not what is said.
    """
    head = int.from_bytes(parts[".dbf"][8:10], "little")
    text = parts[".dbf"][head:]
    stated = given.encoding if "encoding" in given.model_fields_set else ""
    label = parts.get(".cpg", b"").decode("ascii", "replace").strip().removeprefix("ANSI ").removesuffix("\0")
    name = stated or _PAGES.get(label, label if not label.isdigit() else f"cp{label}")
    utf8 = _decodes(text, "utf-8")
    if not name:
        return "utf-8" if utf8 else "cp1252"
    where, remedy = Where(file, column="encoding", value=name), 'set encoding = "cp1252" or "utf-8" for this file'
    try:
        codecs.lookup(name)
    except LookupError:
        source = "'encoding' is" if stated else "its .cpg says"
        raise refusal("file.encoding", f"{source} '{name}', which is not an encoding", remedy, where) from None
    if not _decodes(text, name):
        source = "as the scenario says" if stated else "as its .cpg says"
        raise refusal("file.encoding", f"its text is not {name}, {source}", remedy, where)
    if not stated and utf8 and not text.isascii() and codecs.lookup(name).name != "utf-8":
        message = f"its .cpg says {name}, and its text is UTF-8"
        raise refusal("file.encoding", message, 'set encoding = "utf-8" for this file', where)
    return name


_PAGES = {"65001": "utf-8", "88591": "iso-8859-1", "System": "", "UTF-8": "utf-8"}
"""Code pages as a ``.cpg`` writes them, where Python calls them otherwise."""


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


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
        encoding = _encoding(parts, file, given)
        try:
            meta, table = pyogrio.read_arrow(Path(folder) / "layer.shp", encoding=encoding)
            name = meta["geometry_name"] or "wkb_geometry"
            geometry = shapes_from_wkb(table.column(name).to_pylist(), file) if name in table.column_names else None
            columns = {each: arrow_text(table.column(each), file) for each in table.column_names if each != name}
        except InputError:
            raise
        except (pyogrio.errors.DataSourceError, shapely.errors.GEOSException, RuntimeError, OSError, ValueError) as error:
            raise corrupt(file, str(error).replace(folder, "")) from None
    return from_columns(file, columns, table.num_rows, geometry, str(meta["crs"] or ""))
