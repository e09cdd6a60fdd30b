"""Points as one cell of text: a geometry (WKT, WKB in hexadecimal, GeoJSON), ``52.14, -1.98``, or a grid reference."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.load.cells import clean, parsed_numbers
from estate.load.raw import Raw, row_issues

_WKT = re.compile(r"\s*(?:SRID=([0-9]{1,6});)?\s*((?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\b", re.IGNORECASE)
_HEX = re.compile(r"0[01][0-9A-Fa-f]{40,}")
_PAIR = r"[(\[]?\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*°?\s*[,; ]\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*°?\s*[)\]]?"
_SQUARES = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
"""The letters of the National Grid's 500 km and 100 km squares, from the north-west, without I."""


def written_shapes(raw: Raw, column: pd.Series, issues: list[Issue]) -> tuple[NDArray[np.object_], str]:
    """(n,) geometries of a column of text, and their CRS: what they say (``SRID=27700;``), else as their numbers are.

    Numbers within the globe's degrees are degrees; others are metres of the British National Grid.
    """
    text = clean(column)
    shapes = np.full(len(text), None, dtype=object)
    bad = np.zeros(len(text), dtype=bool)
    srid = ""
    for n, cell in enumerate(text):
        match = _WKT.match(cell)
        try:
            if match:
                shapes[n] = shapely.from_wkt(cell[match.start(2) :])
                srid = srid or match[1] or ""
            elif _HEX.fullmatch(cell):
                shapes[n] = shapely.from_wkb(cell)
                srid = srid or str(shapely.get_srid(shapes[n]) or "")
            elif cell.startswith("{"):
                shapes[n] = shapely.from_geojson(cell)
            else:
                bad[n] = bool(cell)
        except (shapely.errors.GEOSException, ValueError, NotImplementedError):
            bad[n] = True
    if bad.any():
        where = Where(raw.file, column="geometry")
        remedy = "write it as POINT (-1.98 52.14), with longitude or easting first"
        values = text[bad].tolist()
        issues.extend(row_issues("geo.text", where, raw.rows[bad], values, "'{value}' is not a geometry", remedy))
    bounds = shapely.total_bounds(shapes)
    degrees = bool((np.abs(np.nan_to_num(bounds)) <= 180).all())
    return shapes, f"EPSG:{srid}" if srid else "OGC:CRS84" if degrees else "EPSG:27700"


def written_degrees(raw: Raw, column: pd.Series, issues: list[Issue]) -> pd.DataFrame:
    """``lat`` and ``lon`` of a column of pairs; NaN where a cell is blank, or is no pair, which is an issue."""
    text = clean(column)
    parts = text.str.extract(rf"^{_PAIR}$")
    bad = (parts[0].isna() & (text != "")).to_numpy(dtype=bool)
    if bad.any():
        where = Where(raw.file, column="lat_lon")
        message, remedy = "'{value}' is not a latitude and a longitude", "write degrees, such as 52.14, -1.98"
        issues.extend(row_issues("geo.text", where, raw.rows[bad], text[bad].tolist(), message, remedy))
    return pd.DataFrame({name: parsed_numbers(parts[n].fillna(""))[0] for n, name in enumerate(("lat", "lon"))})


def written_squares(raw: Raw, column: pd.Series, issues: list[Issue]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eastings and northings (EPSG:27700) of the middle of each grid reference's square: ``SO 85 54`` is one of a kilometre.

    The letters name a square of 100 km, and half of the figures are metres east in it, half north, to the precision given.
    """
    text = clean(column).str.upper().str.replace(r"[\s,]+", "", regex=True)
    parts = text.str.extract(r"^([HJNOST])([A-HJ-Z])((?:[0-9]{2}){1,5})$")
    known = parts[0].notna().to_numpy(dtype=bool)
    bad = ~known & (text != "").to_numpy(dtype=bool)
    if bad.any():
        where = Where(raw.file, column="grid_reference")
        message, remedy = (
            "'{value}' is not a grid reference",
            "write two letters and an even number of figures, such as SO 85 54",
        )
        issues.extend(row_issues("geo.text", where, raw.rows[bad], clean(column)[bad].tolist(), message, remedy))
    first, second = (parts[n].fillna("S").map(_SQUARES.index).to_numpy(dtype=np.int64) for n in range(2))
    # The grid's origin is the corner of SV: the 500 km square S stands two columns east and one row above the lettering's own.
    east = (first % 5 - 2) * 500_000 + second % 5 * 100_000
    north = (3 - first // 5) * 500_000 + (4 - second // 5) * 100_000
    figures = parts[2].fillna("")
    half = (figures.str.len() // 2).to_numpy()
    size = 10.0 ** (5 - half)
    inside = [
        pd.to_numeric(piece, errors="coerce").to_numpy(dtype=np.float64)
        for piece in (
            pd.Series([each[: len(each) // 2] for each in figures], dtype="str"),
            pd.Series([each[len(each) // 2 :] for each in figures], dtype="str"),
        )
    ]
    x, y = (corner + part * size + size / 2 for corner, part in zip((east, north), inside, strict=True))
    coarse = known & (size >= 100)
    if coarse.any():
        worst = float(size[coarse].max())
        message = (
            f"{int(coarse.sum()):,} rows are placed by a grid reference, in the middle of a square of up to {worst:,.0f} m"
        )
        severity = Severity.WARNING if worst >= 1000 else Severity.NOTE
        issues.append(Issue("geo.by-square", message, "", Where(raw.file, column="grid_reference"), severity))
    return np.where(known, x, np.nan), np.where(known, y, np.nan)
