"""Graphs saved by OSMnx (``save_graphml``), read straight into arrays: no networkx graph is built.

GraphML as networkx writes it is regular enough to be scanned (:mod:`estate.travel.scan`).  A file with declarations, comments or
CDATA is another tool's work and is refused, entities with it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import InputError, Issue, Severity, Where
from estate.problem import Floats, Ints
from estate.travel.edges import TAGS, both_ways, crs_of, usable
from estate.travel.scan import cut, packed, scan
from estate.travel.streets import Drawn, bend, to_grid

_KEY = re.compile(rb"<key\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"""([\w.]+)\s*=\s*["']([^"']*)["']""")
_MOST_BYTES = 4 * 1024**3

type _Text = NDArray[np.bytes_]


def read_graphml(path: Path, *, mode: str, file: str) -> Drawn:
    """The streets of a saved OSMnx graph usable in a mode, with the file's own lengths.

    Which edges are used is :func:`estate.travel.edges.usable`.  The two directed edges of a two-way street become one segment; an
    edge of an undirected graph goes both ways, which is noted where it says that it is a one-way street.

    Raises
    ------
    InputError
        When the file is not a graph as OSMnx saves them.
    """
    try:
        return _read(_load(path), mode, file)
    except (ValueError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        issue = Issue(
            "travel.bad-graphml",
            f"this is not a graph as OSMnx saves it: {error}",
            "save it again with osmnx.save_graphml",
            Where(file),
        )
        raise InputError(issues=[issue]) from error


def _load(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is larger than 4 GiB; use the .osm.pbf extract")
    return path.read_bytes()


class _Columns:
    """The data of a file by part (node or edge) and attribute: the rows that have them, and the values."""

    def __init__(self, text: bytes) -> None:
        body = text.find(b"<graph ")
        if text.find(b"<!") >= 0 or body < 0:
            raise ValueError("it has declarations, comments or CDATA, or no graph")
        keys = [dict(_ATTRIBUTE.findall(key)) for key in _KEY.findall(text, 0, body)]
        ids = {(key[b"for"].decode(), key[b"attr.name"].decode()): key[b"id"] for key in keys}
        wanted = [("node", "x"), ("node", "y"), *(("edge", name) for name in ("length", "oneway", "geometry", *TAGS))]
        self.have = [each for each in wanted if each in ids]
        self.bytes = np.frombuffer(text, dtype=np.uint8)
        codes = np.array([packed(ids[each]) for each in self.have], dtype=np.int64)
        self.nodes, self.edges, self.data = scan(self.bytes, body, codes)
        crs = re.search(rb"""<data key=["']%s["']\s*>([^<]*)<""" % re.escape(ids.get(("graph", "crs"), b"?")), text)
        self.crs = crs[1].decode() if crs else ""
        head = dict(_ATTRIBUTE.findall(text[body : text.index(b">", body)]))
        self.undirected = head.get(b"edgedefault") == b"undirected"
        if text.find(b" directed=", body) >= 0:
            raise ValueError("some of its edges say for themselves whether they are directed")

    def where(self, part: str, name: str) -> tuple[Ints, Ints, Ints]:
        """The rows that have the attribute, and where each value starts and ends."""
        which = self.have.index((part, name)) if (part, name) in self.have else -1
        found = self.data[self.data[:, 0] == which]
        return found[:, 1], found[:, 2], found[:, 3]

    def values(self, part: str, name: str) -> tuple[Ints, _Text]:
        """The rows that have the attribute, and the values."""
        rows, start, end = self.where(part, name)
        return rows, cut(self.bytes, start, end)


def _read(text: bytes, mode: str, file: str) -> Drawn:
    columns = _Columns(text)
    nodes, edges = columns.nodes, columns.edges
    if not len(edges):
        raise ValueError("it has no edges")
    rows_x, x = columns.values("node", "x")
    rows_y, y = columns.values("node", "y")
    everyone = np.arange(len(nodes))
    if not (np.array_equal(rows_x, everyone) and np.array_equal(rows_y, everyone)):
        raise ValueError("some nodes have no coordinates")
    tail, head = _ends(columns)
    kmh, join = usable(
        {name: columns.values("edge", name) for name in TAGS if ("edge", name) in columns.have}, len(edges), mode
    )
    length = np.full(len(edges), -1.0)
    row, value = columns.values("edge", "length")
    length[row] = _floats(value)
    used = np.flatnonzero(kmh > 0)
    chosen, back = both_ways(tail[used], head[used], length[used], kmh[used])
    edge = used[chosen]
    notes: list[Issue] = []
    crs = crs_of(columns.crs, _floats(x), _floats(y), file, notes)
    east, north = to_grid(_floats(x), _floats(y), crs)
    if columns.undirected:
        back[:] = True
        notes += _one_way_note(columns, file)
    drawn = Drawn(east, north, tail[edge], head[edge], length[edge], kmh[edge], back, join[edge], notes)
    row, start, end = columns.where("edge", "geometry")
    if not len(row):
        return drawn
    shape = np.full(len(edges), -1)
    shape[row] = np.arange(len(row))
    curved = np.flatnonzero(shape[edge] >= 0)
    which = shape[edge[curved]]
    lines = shapely.from_wkt([text[a:b].decode() for a, b in zip(start[which].tolist(), end[which].tolist(), strict=True)])
    points = shapely.get_coordinates(lines)
    vertices = np.column_stack(to_grid(points[:, 0], points[:, 1], crs))
    return bend(drawn, curved, vertices, shapely.get_num_coordinates(lines).astype(np.int64))


def _one_way_note(columns: _Columns, file: str) -> list[Issue]:
    _, said = columns.values("edge", "oneway")
    n = int(np.isin(said, [b"True", b"true", b"yes", b"1"]).sum())
    message = f"the graph is undirected: {n} one-way streets go both ways"
    return (
        [Issue("travel.undirected", message, "save it directed, as OSMnx made it", Where(file), Severity.WARNING)] if n else []
    )


def _ends(columns: _Columns) -> tuple[Ints, Ints]:
    """The nodes, by number, that each edge goes from and to."""
    nodes, edges = columns.nodes, columns.edges
    start = np.concatenate([nodes[:, 0], edges[:, 0], edges[:, 2]])
    end = np.concatenate([nodes[:, 1], edges[:, 1], edges[:, 3]])
    names = cut(columns.bytes, start, end)
    if np.char.isdigit(names[: len(nodes)]).all() and names.dtype.itemsize <= 18:
        names = names.astype(np.int64)  # OpenStreetMap's are numbers, which sort faster
    ids, sought = names[: len(nodes)], names[len(nodes) :]
    order = np.argsort(ids)
    at = order[np.searchsorted(ids, sought, sorter=order).clip(max=len(ids) - 1)]
    if (ids[at] != sought).any():
        raise ValueError("some edges end at nodes that are not in it")
    return at[: len(edges)], at[len(edges) :]


def _floats(value: _Text) -> Floats:
    return value.astype(np.float64) if len(value) else np.zeros(0)
