"""Graphs saved by OSMnx as a GeoPackage (``save_graph_geopackage``): the layers ``nodes`` and ``edges``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import shapely

from estate.errors import InputError, Issue, Where
from estate.problem import Bools, Floats, Ints
from estate.travel.edges import TAGS, Values, both_ways, crs_of, usable
from estate.travel.streets import Drawn, bend, to_grid

_ENDS = ("u", "v")


def read_package(path: Path, *, mode: str, file: str) -> Drawn:
    """The streets usable in a mode, with the graph's own lengths (metres).

    OSMnx saves the graph undirected unless it is told otherwise, one row a street, so ``oneway`` decides: a street goes both
    ways unless it is one-way, and then from ``from`` to ``to`` (else from ``u`` to ``v``).  Which edges are used is
    :func:`estate.travel.edges.usable`.

    Raises
    ------
    InputError
        When a column is missing, an edge ends at a node that is not there, or the file is damaged.
    """
    try:
        where, nodes, ids = _layer(path, "nodes", ("osmid",))
        crs, lines, columns = _layer(path, "edges", ("length", "oneway", "from", "to", *_ENDS, *TAGS))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FieldError) as error:
        raise _error(f"the file is corrupt: {error}", file) from error
    missing = [name for name in _ENDS if name not in columns] + (["osmid"] if "osmid" not in ids else [])
    if missing:
        raise _error(f"its nodes or edges have no column {', '.join(missing)}", file)
    if where != crs or not (shapely.get_type_id(nodes) == shapely.GeometryType.POINT).all():
        raise _error("its nodes are not points in the coordinate reference system of its edges", file)
    drawn = (shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(lines)
    if not drawn.any():
        raise _error("it has no edges", file)
    return _draw(nodes, pd.Index(ids["osmid"]), lines[drawn], {k: v[drawn] for k, v in columns.items()}, crs, mode, file)


def _layer(path: Path, layer: str, wanted: tuple[str, ...]) -> tuple[str, Any, dict[str, Any]]:
    """A layer's reference system, its shapes, and those of the wanted columns that it has."""
    have = [str(name) for name in pyogrio.read_info(path, layer=layer)["fields"]]
    meta, _, shapes, fields = pyogrio.raw.read(path, layer=layer, columns=[n for n in wanted if n in have], force_2d=True)
    return str(meta["crs"] or ""), shapely.from_wkb(shapes), dict(zip(map(str, meta["fields"]), fields, strict=True))


def _draw(nodes: Any, ids: pd.Index[Any], lines: Any, columns: dict[str, Any], crs: str, mode: str, file: str) -> Drawn:
    tail, head = (ids.get_indexer(pd.Index(columns[name])) for name in _ENDS)
    if ids.has_duplicates or (tail < 0).any() or (head < 0).any():
        raise _error("some edges end at nodes that are not in it, or that are in it twice", file)
    one_way = _flag(columns["oneway"]) if "oneway" in columns else np.zeros(len(lines), dtype=bool)
    if {"from", "to"} <= set(columns):
        against = one_way & (ids.get_indexer(pd.Index(columns["from"])) == head) & (tail != head)
        tail, head = np.where(against, head, tail), np.where(against, tail, head)
    kmh, join = usable({name: _said(columns[name]) for name in TAGS if name in columns}, len(lines), mode)
    length = _number(columns["length"]) if "length" in columns else np.full(len(lines), np.nan)
    used = np.flatnonzero(kmh > 0)
    chosen, paired = both_ways(tail[used], head[used], length[used], kmh[used])
    edge = used[chosen]
    notes: list[Issue] = []
    place = shapely.get_coordinates(nodes)
    named = crs_of(crs, place[:, 0], place[:, 1], file, notes)
    east, north = to_grid(place[:, 0], place[:, 1], named)
    back = paired | ~one_way[edge]
    drawn = Drawn(east, north, tail[edge], head[edge], length[edge], kmh[edge], back, join[edge], notes)
    points = shapely.get_coordinates(lines[edge])
    vertices = np.column_stack(to_grid(points[:, 0], points[:, 1], named))
    return bend(drawn, np.arange(len(edge)), vertices, shapely.get_num_coordinates(lines[edge]).astype(np.int64))


def _flag(column: Any) -> Bools:
    """Whether each street is one-way: the column is boolean, a number, or text."""
    return np.isin(pd.Series(column).astype(str).str.casefold().to_numpy(dtype=str), ["true", "1", "1.0", "yes"])


def _number(column: Any) -> Floats:
    return pd.to_numeric(pd.Series(column), errors="coerce").to_numpy(dtype=np.float64)


def _said(column: Any) -> Values:
    there: Ints = np.flatnonzero(pd.notna(column))
    return there, np.asarray(column, dtype=object)[there].astype(str)


def _error(message: str, file: str) -> InputError:
    remedy = "save it again with osmnx.save_graph_geopackage, or osmnx.save_graphml"
    return InputError(
        issues=[Issue("travel.bad-graph", f"this is not a graph as OSMnx saves it: {message}", remedy, Where(file))]
    )
