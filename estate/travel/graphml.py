"""Graphs saved by OSMnx (``save_graphml``), read straight into arrays: no networkx graph is built.

GraphML as networkx writes it is regular enough to be scanned: each wanted ``<data>`` element belongs to the last node or edge
that starts before it.  A file with declarations, comments or CDATA is another tool's work and is refused, entities with it.
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
from estate.travel.streets import Drawn, bend, classes, to_grid

_KEY = re.compile(rb"<key\b([^>]*)>")
_ATTRIBUTE = re.compile(rb'([\w.]+)="([^"]*)"')
_NODE = re.compile(rb'<node\b[^>]*?\bid="([^"]*)"')
_EDGE = re.compile(rb'<edge\b[^>]*?\bsource="([^"]*)"[^>]*?\btarget="([^"]*)"')
_TAGS = ("highway", "access", "foot", "motor_vehicle", "motorcar", "vehicle")
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
    text = path.read_bytes()
    try:
        return _read(text, mode)
    except (ValueError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        issue = Issue(
            "travel.bad-graphml",
            f"this is not a graph as OSMnx saves it: {error}",
            "save it again with osmnx.save_graphml",
            Where(file),
        )
        raise InputError(issues=[issue]) from error


def _read(text: bytes, mode: str) -> Drawn:
    body = text.find(b"<graph ")
    if text.find(b"<!") >= 0 or body < 0:
        raise ValueError("it has declarations, comments or CDATA, or no graph")
    keys = _keys(text[:body])
    ids = np.array(_NODE.findall(text))
    matches = [(match.start(), match[1], match[2]) for match in _EDGE.finditer(text)]
    if len(ids) != text.count(b"<node") or len(matches) != text.count(b"<edge") or not matches:
        raise ValueError("it has nodes or edges of another form")
    edge_at = np.array([match[0] for match in matches])
    ends = np.array([match[1:] for match in matches])

    x, y = (_floats(_column(text, keys["node", name])[1]) for name in ("x", "y"))
    if not len(x) == len(y) == len(ids):
        raise ValueError("some nodes have no coordinates")
    order = np.argsort(ids)
    tail, head = order[np.searchsorted(ids, ends.T, sorter=order).clip(max=len(ids) - 1)]
    if (ids[tail] != ends[:, 0]).any() or (ids[head] != ends[:, 1]).any():
        raise ValueError("some edges end at nodes that are not in it")

    kmh, join = _usable(text, keys, edge_at, mode)
    length = np.full(len(edge_at), -1.0)
    if ("edge", "length") in keys:
        row, value = _rows(text, keys["edge", "length"], edge_at)
        length[row] = _floats(value)
    crs = _column(text, keys["graph", "crs"])[1] if ("graph", "crs") in keys else np.array([b"EPSG:4326"])
    name = str(crs[0], "utf-8")
    used = np.flatnonzero(kmh > 0)
    chosen, back = _both_ways(tail[used], head[used], length[used], kmh[used])
    edge = used[chosen]
    x, y = to_grid(x, y, name)
    drawn = Drawn(x, y, tail[edge], head[edge], length[edge], kmh[edge], back, join[edge])
    if ("edge", "geometry") not in keys:
        return drawn
    row, value = _rows(text, keys["edge", "geometry"], edge_at)
    drawn_as = np.full(len(edge_at), -1)
    drawn_as[row] = np.arange(len(row))
    curved = np.flatnonzero(drawn_as[edge] >= 0)
    lines = shapely.from_wkt([str(each, "ascii") for each in value[drawn_as[edge[curved]]]])
    points = shapely.get_coordinates(lines)
    vertices = np.column_stack(to_grid(points[:, 0], points[:, 1], name))
    return bend(drawn, curved, vertices, shapely.get_num_coordinates(lines).astype(np.int64))


def _keys(head: bytes) -> dict[tuple[str, str], bytes]:
    """(node, edge or graph; attribute) -> the key that marks it in the file."""
    found = [dict(_ATTRIBUTE.findall(key)) for key in _KEY.findall(head)]
    return {(key[b"for"].decode(), key[b"attr.name"].decode()): key[b"id"] for key in found}


def _column(text: bytes, key: bytes) -> tuple[Ints, _Text]:
    """Where the data of a key stand in the file, and what they are."""
    pattern = re.compile(rb'<data key="%s">([^<]*)<' % re.escape(key))
    found = [(match.start(), match[1]) for match in pattern.finditer(text)]
    return np.array([at for at, _ in found], dtype=np.int64), np.array([value for _, value in found], dtype=np.bytes_)


def _rows(text: bytes, key: bytes, edge_at: Ints) -> tuple[Ints, _Text]:
    """The edges (by number) that have data of a key, and the data."""
    at, value = _column(text, key)
    return np.searchsorted(edge_at, at) - 1, value


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


def _usable(text: bytes, keys: dict[tuple[str, str], bytes], edge_at: Ints, mode: str) -> tuple[Floats, Bools]:
    """For each edge its speed in km/h (0: not usable) and whether points may be joined to it.

    Tags are judged once for each combination that occurs, of which a county has some dozens.
    """
    codes, words = [], []
    for name in _TAGS:
        code = np.zeros(len(edge_at), dtype=np.int64)
        different: list[str] = [""]
        if ("edge", name) in keys:
            row, value = _rows(text, keys["edge", name], edge_at)
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
        highway = tags.get("highway", "") if ("edge", "highway") in keys else "road"
        found = [name for name in _QUOTED.findall(highway) or [highway] if name in table]
        if found and allowed(tags, mode):
            speed[k], join[k] = table[found[0]]
    return speed[kind], join[kind]
