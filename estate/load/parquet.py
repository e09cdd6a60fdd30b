"""Parquet and GeoParquet, and text from Arrow columns."""

from __future__ import annotations

import io
import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from estate.errors import InputError, Where
from estate.load.curves import shapes_from_wkb
from estate.load.raw import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Raw, from_columns, json_text
from estate.load.sniff import corrupt, refusal
from estate.scenario import TableFile

MAX_TEXT = 2 * 1024**3
"""Characters a Parquet file may unpack to."""


def read_parquet(data: bytes, file: str, given: TableFile) -> Raw:
    """A Parquet file; with ``geo`` metadata (GeoParquet: WKB or GeoArrow) also its geometry.  Nested columns are left out."""
    del given
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    where = Where(file)
    try:
        book = pq.ParquetFile(io.BytesIO(data))
        schema = book.schema_arrow
        if book.metadata.num_rows > MAX_ROWS:
            raise refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only those of this place", where)
        if len(schema) > MAX_COLUMNS:
            raise refusal("file.columns", f"has {len(schema):,} columns", "keep only those you need", where)
        geo = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        # Dictionaries stay packed, so that one long value repeated a million times is seen before it is unpacked.
        packed = [
            f.name
            for f in schema
            if pa.types.is_string(f.type) or pa.types.is_binary(f.type) or pa.types.is_large_string(f.type)
        ]
        flat = [f.name for f in schema if not pa.types.is_nested(f.type)]
        table = pq.ParquetFile(io.BytesIO(data), read_dictionary=packed).read(columns=flat)
        primary = geo.get("primary_column", "")
        geometry, crs = None, ""
        if primary:
            spec = geo["columns"][primary]
            if spec.get("encoding") == "WKB" and primary in table.column_names:
                geometry = shapes_from_wkb(_unpacked(table.column(primary), file, MAX_TEXT).to_pylist(), file)
            elif spec.get("encoding") in _NATIVE and primary in schema.names:
                geometry = _native(book.read(columns=[primary]), spec["encoding"])
            else:
                message = f"holds its geometry as {spec.get('encoding')}"
                raise refusal("geo.encoding", message, "save it with WKB geometry", where)
            stated = spec.get("crs", "OGC:CRS84")
            crs = _json_named(stated)
        columns = {
            name: arrow_text(table.column(name), file) for name in table.column_names if name not in geo.get("columns", {})
        }
    except InputError:
        raise
    except (pa.ArrowException, shapely.errors.GEOSException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise corrupt(file, error) from None
    return from_columns(file, columns, table.num_rows, geometry, crs)


_NATIVE = ("point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon")
"""Encodings of GeoParquet 1.1 that keep coordinates as numbers, as GeoArrow does."""


def _native(table: Any, encoding: str) -> NDArray[np.object_]:
    """A column of GeoArrow's separate or interleaved coordinates as geometries; the file says their kind."""
    import pyarrow as pa  # noqa: PLC0415

    marked = table.schema.field(0).with_metadata({"ARROW:extension:name": f"geoarrow.{encoding}"})
    frame = gpd.GeoDataFrame.from_arrow(table.cast(pa.schema([marked])))
    return np.asarray(frame.geometry.to_numpy(), dtype=object)


def _json_named(stated: Any) -> str:
    """A CRS of GeoParquet (PROJ JSON) by its code where it has one; ``""`` for none."""
    if not isinstance(stated, dict):
        return str(stated or "")
    code = stated.get("id")
    if isinstance(code, dict) and {"authority", "code"} <= set(code):
        return f"{code['authority']}:{code['code']}"
    return json.dumps({name: value for name, value in stated.items() if name != "$schema"})


def _unpacked(column: Any, file: str, most_cell: int = MAX_CELL) -> Any:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if not pa.types.is_dictionary(column.type):
        return column
    total = 0
    for chunk in column.chunks:
        sizes = pc.binary_length(chunk.dictionary)
        total += (pc.sum(pc.take(sizes, chunk.indices)).as_py() or 0) if len(chunk) else 0
        if (pc.max(sizes).as_py() or 0) > most_cell or total > MAX_TEXT:
            raise refusal(
                "file.cell", f"holds a cell longer than {most_cell:,} characters", "leave that column out", Where(file)
            )
    return column.cast(column.type.value_type)


def arrow_text(column: Any, file: str) -> list[str] | pd.Series:
    """A column of Arrow as text, ``""`` for null; raises :class:`InputError` where it would unpack to too much."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    column = _unpacked(column, file)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [""] * len(column)
    if pa.types.is_integer(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pd.Series(pc.fill_null(column.cast(pa.string()), "").to_pandas(), dtype="str")
    if pa.types.is_date(column.type):
        return pd.Series(pc.fill_null(column.cast(pa.date32()).cast(pa.string()), "").to_pandas(), dtype="str")
    if pa.types.is_timestamp(column.type):
        return [_stamp(value) for value in column.to_pylist()]
    return [json_text(value) for value in column.to_pylist()]


def _stamp(value: Any) -> str:
    return "" if value is None else str(value).removesuffix(" 00:00:00")
