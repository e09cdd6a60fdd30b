"""What lies beside the tables: the quiet background of the map."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from estate.errors import InputError, Issue, Where
from estate.load.cells import clean
from estate.load.crs import as_crs
from estate.load.raw import Raw, row_issues
from estate.load.sniff import refusal
from estate.place import CRS
from estate.scenario import TableFile

CONTEXT_KINDS = ("outline", "road", "river", "town", "neighbour")


def in_order(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The features by kind, name and shape: the same map however they stand in their files."""
    wkb = shapely.to_wkb(layer.geometry.to_numpy(), hex=True)
    order = pd.DataFrame({"kind": layer["kind"].to_numpy(), "name": layer["name"].to_numpy(), "wkb": wkb})
    return layer.iloc[order.sort_values(["kind", "name", "wkb"]).index].reset_index(drop=True)


def context_layer(raw: Raw, given: TableFile, issues: list[Issue]) -> gpd.GeoDataFrame | None:
    """One file of background: ``kind``, ``name``, and geometry in EPSG:27700, repaired if broken.

    The kinds are outline, road, river, town, and neighbour: a town beyond the place.
    """
    try:
        return _layer(raw, given)
    except InputError as error:
        issues.extend(error.issues)
        return None


def _layer(raw: Raw, given: TableFile) -> gpd.GeoDataFrame:
    if raw.geometry is None:
        raise refusal("context.no-geometry", "holds no geometry", "give a GeoJSON or GeoPackage layer", Where(raw.file))
    if not (raw.crs or given.crs):
        message = "holds geometry without saying its coordinate reference system"
        raise refusal("geo.no-crs", message, 'set crs for this file, such as crs = "EPSG:27700"', Where(raw.file, column="crs"))
    crs = as_crs(raw.crs or given.crs, raw.file)
    frame = pd.DataFrame(index=raw.frame.index)
    for name in ("kind", "name"):
        constant = given.constants.get(name)
        source = given.columns.get(name, name)
        frame[name] = str(constant) if constant is not None else clean(raw.frame[source]) if source in raw.frame else ""
    frame["kind"] = frame["kind"].str.casefold()
    wrong = (~frame["kind"].isin(CONTEXT_KINDS)).to_numpy(dtype=bool)
    if wrong.any():
        where = Where(raw.file, column="kind")
        remedy = f'use one of: {", ".join(CONTEXT_KINDS)}; or constants = {{kind = "outline"}}'
        message = "'{value}' is not a kind of background"
        raise InputError(
            issues=row_issues("context.kind", where, raw.rows[wrong], frame["kind"][wrong].tolist(), message, remedy)
        )
    shapes = shapely.force_2d(raw.geometry)
    sound = shapely.is_valid(shapes) | shapely.is_missing(shapes)
    shapes = np.where(sound, shapes, shapely.make_valid(shapes, method="structure", keep_collapsed=False))
    layer = gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)
    layer = layer[~(layer.geometry.isna() | layer.geometry.is_empty)]
    where = Where(raw.file, column="geometry")
    if crs.is_geographic and len(layer) and (np.abs(layer.total_bounds) > 181).any():
        raise refusal("geo.implausible", "implausible coordinates: these are not degrees", 'set crs = "EPSG:27700"', where)
    moved = (layer if crs == pyproj.CRS(CRS) else layer.to_crs(CRS)).set_crs(CRS, allow_override=True)
    if len(moved) and not np.isfinite(moved.total_bounds).all():
        raise refusal("geo.implausible", f"has coordinates that do not exist in {crs.name}", "correct crs", where)
    return moved
