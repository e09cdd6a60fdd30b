"""``plan.gpkg``: sites, moves and zones for QGIS, with styles that QGIS applies by itself (its ``layer_styles`` table)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from estate.place import CRS, Place

FIXED_DATE = "2000-01-01T00:00:00.000Z"
"""Written wherever GeoPackage asks for a date of change, so that the same plan gives the same bytes."""


def write_geopackage(file: Path, place: Place, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the layers ``sites`` (points), ``moves`` (lines from old to new) and ``zones`` (points), EPSG:27700.

    A move from or to a building that is not shown has no line, and is left out.
    """
    where = place.sites[["easting_m", "northing_m"]]
    sites, moves = tables["sites"], tables["moves"]
    xy = where.loc[sites["site_id"]].to_numpy(dtype=np.float64)
    ends = [where.reindex(moves[name]).to_numpy(dtype=np.float64) for name in ("from_site_id", "to_site_id")]
    drawn = np.isfinite(ends).all(axis=(0, 2))
    lines = np.asarray(shapely.linestrings(np.stack(ends, axis=1)[drawn]))
    wide = tables["zones"].pivot_table(
        index=["zone_id", "name", "population"], columns="service", values=["distance_before_m", "distance_after_m"]
    )
    wide.columns = wide.columns.map(lambda pair: f"{pair[1]}_{pair[0]}")
    zones = wide.reset_index()
    at = place.zones.loc[zones["zone_id"], ["easting_m", "northing_m"]].to_numpy(dtype=np.float64)
    layers = {
        "sites": gpd.GeoDataFrame(_plain(sites), geometry=shapely.points(xy), crs=CRS),
        "moves": gpd.GeoDataFrame(_plain(moves[drawn]), geometry=list(lines), crs=CRS),
        "zones": gpd.GeoDataFrame(_plain(zones), geometry=shapely.points(at), crs=CRS),
    }
    with _fixed_date():
        for name, layer in layers.items():
            layer.to_file(file, layer=name, driver="GPKG", engine="pyogrio", mode="a" if file.exists() else "w")
    _write_styles(file)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Nullable whole numbers as floats: a GeoPackage column with blanks."""
    whole = [column for column in table.columns if isinstance(table[column].dtype, pd.Int64Dtype)]
    return table.astype(dict.fromkeys(whole, "float64"))


@contextmanager
def _fixed_date() -> Iterator[None]:
    before = os.environ.get("OGR_CURRENT_DATE")
    os.environ["OGR_CURRENT_DATE"] = FIXED_DATE
    try:
        yield
    finally:
        if before is None:
            del os.environ["OGR_CURRENT_DATE"]
        else:
            os.environ["OGR_CURRENT_DATE"] = before


def _write_styles(file: Path) -> None:
    """The table QGIS looks for; one default style a layer."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT,"
            " f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,"
            " description TEXT, owner TEXT, ui TEXT, update_time DATETIME)"
        )
        for name in ("sites", "moves", "zones"):
            qml = resources.files("estate.report").joinpath("styles", f"{name}.qml").read_text(encoding="utf-8")
            database.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,"
                " styleSLD, useAsDefault, description, owner, update_time) VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', ?)",
                (name, name, qml, FIXED_DATE),
            )
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
            (FIXED_DATE,),
        )
