"""Graphs saved by OSMnx (``save_graphml``), read straight into arrays: no networkx graph is built.

GraphML as networkx writes it is regular enough to be scanned (:mod:`estate.travel.scan`).  A file with declarations, comments or
CDATA is another tool's work and is refused, entities with it.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import InputError, Issue, Where
from estate.problem import Bools, Floats, Ints
from estate.travel.osm import allowed
from estate.travel.scan import cut, packed, scan
from estate.travel.streets import Drawn, bend, classes, to_grid

_KEY = re.compile(rb"<key\b([^>]*)>")
_ATTRIBUTE = re.compile(rb'([\w.]+)="([^"]*)"')
_TAGS = ("highway", "access", "foot", "motor_vehicle", "motorcar", "vehicle")
_MOST_BYTES = 4 * 1024**3
_QUOTED = re.compile(r"'([^']*)'")

type _Text = NDArray[np.bytes_]


def read_graphml(path: Path, *, mode: str, file: str) -> Drawn:
    """The streets of a saved OSMnx graph usable in a mode, with the file's own lengths.

    An edge is used when its ``highway`` is a class of the mode (of several, the first that is); a graph with no ``highway``
    at all is taken to be streets of class ``road``.  The two directed edges of a two-way street become one segment.

    Raises
    ------
    InputError
        When the file is not a graph as OSMnx saves them.
    """
    try:
        return _read(_load(path), mode)
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
        wanted = [("node", "x"), ("node", "y"), *(("edge", name) for name in ("length", "geometry", *_TAGS))]
        self.have = [each for each in wanted if each in ids]
        self.bytes = np.frombuffer(text, dtype=np.uint8)
        codes = np.array([packed(ids[each]) for each in self.have], dtype=np.int64)
        self.nodes, self.edges, self.data = scan(self.bytes, body, codes)
        crs = re.search(rb'<data key="%s">([^<]*)<' % re.escape(ids.get(("graph", "crs"), b"?")), text)
        self.crs = crs[1].decode() if crs else "EPSG:4326"

    def where(self, part: str, name: str) -> tuple[Ints, Ints, Ints]:
        """The rows that have the attribute, and where each value starts and ends."""
        which = self.have.index((part, name)) if (part, name) in self.have else -1
        found = self.data[self.data[:, 0] == which]
        return found[:, 1], found[:, 2], found[:, 3]

    def values(self, part: str, name: str) -> tuple[Ints, _Text]:
        """The rows that have the attribute, and the values."""
        rows, start, end = self.where(part, name)
        return rows, cut(self.bytes, start, end)


def _read(text: bytes, mode: str) -> Drawn:
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
    kmh, join = _usable(columns, mode)
    length = np.full(len(edges), -1.0)
    row, value = columns.values("edge", "length")
    length[row] = _floats(value)
    used = np.flatnonzero(kmh > 0)
    chosen, back = _both_ways(tail[used], head[used], length[used], kmh[used])
    edge = used[chosen]
    east, north = to_grid(_floats(x), _floats(y), columns.crs)
    drawn = Drawn(east, north, tail[edge], head[edge], length[edge], kmh[edge], back, join[edge])
    row, start, end = columns.where("edge", "geometry")
    if not len(row):
        return drawn
    shape = np.full(len(edges), -1)
    shape[row] = np.arange(len(row))
    curved = np.flatnonzero(shape[edge] >= 0)
    which = shape[edge[curved]]
    lines = shapely.from_wkt([text[a:b].decode() for a, b in zip(start[which].tolist(), end[which].tolist(), strict=True)])
    points = shapely.get_coordinates(lines)
    vertices = np.column_stack(to_grid(points[:, 0], points[:, 1], columns.crs))
    return bend(drawn, curved, vertices, shapely.get_num_coordinates(lines).astype(np.int64))


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


def _both_ways(tail: Ints, head: Ints, length: Floats, kmh: Floats) -> tuple[Ints, Bools]:
    """One edge for each street, and whether it may be used against its direction: OSMnx writes one edge a direction."""
    up = tail < head
    ends = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((~up, kmh, length.round(3), *ends))
    columns = np.column_stack([ends[0], ends[1], (length * 1000).round(), kmh])[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (columns[1:] != columns[:-1]).any(axis=1)
    street = np.cumsum(new) - 1
    ups, downs = (np.bincount(street, weights=each) > 0 for each in (up[order], ~up[order]))
    return order[new], ups & downs


def _usable(columns: _Columns, mode: str) -> tuple[Floats, Bools]:
    """For each edge its speed in km/h (0: not usable) and whether points may be joined to it.

    Tags are judged once for each combination that occurs, of which a county has some dozens.
    """
    codes, words = [], []
    for name in _TAGS:
        code = np.zeros(len(columns.edges), dtype=np.int64)
        different: list[str] = [""]
        row, value = columns.values("edge", name)
        if len(row):
            unique, inverse = np.unique(value, return_inverse=True)
            code[row] = inverse + 1
            different += [unescape(each.decode("utf-8")) for each in unique]
        codes.append(code)
        words.append(different)
    combined = np.ravel_multi_index(codes, [len(each) for each in words])
    _, first, kind = np.unique(combined, return_index=True, return_inverse=True)
    table = classes("osm", mode)
    speed, join = np.zeros(len(first)), np.zeros(len(first), dtype=bool)
    for k, at in enumerate(first):
        tags = {name: each[code[at]] for name, each, code in zip(_TAGS, words, codes, strict=True) if code[at]}
        highway = tags.get("highway", "") if ("edge", "highway") in columns.have else "road"
        found = [name for name in _QUOTED.findall(highway) or [highway] if name in table]
        if found and allowed(tags, mode):
            speed[k], join[k] = table[found[0]]
    return speed[kind], join[kind]
