"""Street networks as a few arrays: what a network is, and how a file's streets become one.

Every vertex of every street is a node, so a street is a chain of straight segments and any point of it can be joined.
Lengths are metres in EPSG:27700 unless the file states its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from estate.errors import InputError, Issue, Severity, Where
from estate.problem import Bools, Floats, Ints

MODES = ("walk", "drive")
LONGEST_SEGMENT_M = 200_000.0
"""A longer segment is a mistake in the file, not a street."""
_GREAT_BRITAIN = (0.0, 0.0, 700_000.0, 1_300_000.0)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A routable network for one mode: nodes and the segments between them.

    Arrays are (N,) for nodes and (S,) for segments.  ``x`` and ``y`` are EPSG:27700 metres; ``tail`` and ``head`` are nodes;
    ``length`` is in metres, ``seconds`` the time to go along; a segment runs from tail to head, and the other way as well
    where ``back``; points may be joined to it where ``join``.
    """

    mode: str
    x: Floats
    y: Floats
    tail: Ints
    head: Ints
    length: Floats
    seconds: Floats
    back: Bools
    join: Bools
    notes: tuple[Issue, ...] = ()


@dataclass(slots=True, eq=False)
class Drawn:
    """Streets as a file draws them, before anything is checked: arrays as in :class:`Network`, with ``kmh`` for speeds.

    A ``length`` of NaN means "as drawn": the straight line between its two nodes.
    """

    x: Floats
    y: Floats
    tail: Ints
    head: Ints
    length: Floats
    kmh: Floats
    back: Bools
    join: Bools
    notes: list[Issue] = field(default_factory=list)


@cache
def speeds() -> Mapping[str, Any]:
    """The speed table, ``speeds.toml``: km/h by road class and mode."""
    table: dict[str, Any] = tomllib.loads(files("estate.travel").joinpath("speeds.toml").read_text(encoding="utf-8"))
    return table


def classes(kind: str, mode: str) -> dict[str, tuple[float, bool]]:
    """Road class -> (km/h, whether points may be joined) of those usable in a mode; ``kind`` is ``osm`` or ``open_roads``."""
    return {name: (float(row[mode]), bool(row.get("join", True))) for name, row in speeds()[kind].items() if mode in row}


def to_grid(x: Floats, y: Floats, crs: str = "EPSG:4326") -> tuple[Floats, Floats]:
    """Longitude and latitude (or x and y of ``crs``) as EPSG:27700 metres; what cannot be converted is not finite."""
    east, north = Transformer.from_crs(crs, "EPSG:27700", always_xy=True).transform(x, y)
    return np.asarray(east, dtype=np.float64), np.asarray(north, dtype=np.float64)


def assemble(drawn: Drawn, *, mode: str, file: str) -> Network:
    """A clean, connected network.

    The rules, each counted in the notes when it bites:

    * a node that is not in Great Britain, and every segment that touches one, is left out;
    * a segment's length as drawn replaces a stated length that is missing, zero, negative, infinite or over 200 km;
      two nodes at one place stay 0 m apart;
    * walking ignores one-way streets;
    * only the largest component stays: strongly connected for driving (everywhere can be left as well as reached), connected
      for walking.  So an island, or a one-way street that leads nowhere, is never a place to start from or end at.

    Raises
    ------
    InputError
        When no street usable in the mode is left, or all that are lead one way only.
    """
    west, south, east, north = _GREAT_BRITAIN
    with np.errstate(invalid="ignore"):
        there = (drawn.x >= west) & (drawn.x <= east) & (drawn.y >= south) & (drawn.y <= north)
    notes = list(drawn.notes)
    used = there[drawn.tail] & there[drawn.head] & (drawn.tail != drawn.head)
    _count(notes, "travel.node-outside", int((~there).sum()), "nodes are missing from the file or outside Great Britain", file)
    tail, head = drawn.tail[used], drawn.head[used]
    if not len(tail):
        issue = Issue(
            "travel.no-streets",
            f"there are no streets in Great Britain for the mode '{mode}' in the file",
            "give the extract of the county itself, with its highways",
            Where(file),
        )
        raise InputError(issues=[issue])
    length, stated = np.hypot(drawn.x[tail] - drawn.x[head], drawn.y[tail] - drawn.y[head]), drawn.length[used]
    _refuse_long(length, file)
    with np.errstate(invalid="ignore"):
        good = (stated > 0) & (stated <= LONGEST_SEGMENT_M)
    mended = ~good & ~np.isnan(stated) & (length > 0)
    _count(
        notes, "travel.bad-length", int(mended.sum()), "lengths were zero, negative or impossible: measured on the map", file
    )
    length = np.where(good, stated, length)
    back = drawn.back[used] if mode == "drive" else np.ones(len(tail), dtype=bool)
    kept, left_out = _largest(len(drawn.x), tail, head, back, strong=mode == "drive")
    names = np.cumsum(kept) - 1
    inside = kept[tail] & kept[head]
    kind = "strongly connected" if mode == "drive" else "connected"
    _count(
        notes,
        "travel.island",
        left_out,
        f"nodes are not in the largest {kind} component ({int(kept.sum())} nodes) and are left out",
        file,
        Severity.NOTE,
    )
    if not inside.any():
        issue = Issue(
            "travel.no-streets",
            f"no two places can be reached from each other for the mode '{mode}' in the file: every street is one-way",
            "give the extract of the county itself, with its highways",
            Where(file),
        )
        raise InputError(issues=[issue])
    return Network(
        mode,
        drawn.x[kept],
        drawn.y[kept],
        names[tail[inside]],
        names[head[inside]],
        length[inside],
        length[inside] * 3.6 / drawn.kmh[used][inside],
        back[inside],
        drawn.join[used][inside],
        tuple(notes),
    )


def _largest(n: int, tail: Ints, head: Ints, back: Bools, *, strong: bool) -> tuple[Bools, int]:
    """Which nodes are in the largest component, and how many with a street are not.  Equal sizes: the one met first."""
    a, b = np.concatenate([tail, head[back]]), np.concatenate([head, tail[back]])
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n)).tocsr()
    _, label = connected_components(graph, directed=True, connection="strong" if strong else "weak")
    street = np.zeros(n, dtype=bool)
    street[tail] = street[head] = True
    sizes = np.bincount(label[street], minlength=len(label))
    first = np.flatnonzero(sizes[label] == sizes.max())[0]  # lowest node, so that labels do not matter
    kept: Bools = (label == label[first]) & street
    return kept, int(street.sum() - kept.sum())


def _refuse_long(length: Floats, file: str) -> None:
    if (length > LONGEST_SEGMENT_M).any():
        issue = Issue(
            "travel.long-segment",
            f"a street segment of {length.max() / 1000:,.0f} km is not a street",
            "check the file's coordinates and its coordinate reference system",
            Where(file),
        )
        raise InputError(issues=[issue])


def _count(notes: list[Issue], code: str, n: int, what: str, file: str, severity: Severity = Severity.WARNING) -> None:
    if n:
        notes.append(Issue(code, f"{n} {what}", where=Where(file), severity=severity))


def chains(count: Ints) -> tuple[Ints, Ints]:
    """Segments of polylines laid end to end: positions of tails and heads, and the line each segment belongs to.

    ``count`` is the (L,) number of vertices of each line.
    """
    line = np.repeat(np.arange(len(count)), count)
    tail = np.flatnonzero(line[1:] == line[:-1]) if len(line) else np.zeros(0, dtype=np.int64)
    return tail, line[tail] if len(line) else tail


def bend(drawn: Drawn, curved: Ints, vertices: Floats, count: Ints) -> Drawn:
    """The same streets, with those that are curved cut into straight segments at their vertices.

    Parameters
    ----------
    curved
        (C,) numbers of the segments that have a shape of their own.
    vertices, count
        Their shapes, laid end to end, (V, 2) EPSG:27700 metres with both ends, and the (C,) number of vertices of each.  A
        stated length is shared out in proportion.
    """
    last = np.cumsum(count) - 1
    first = last - count + 1
    node = np.full(len(vertices), -1)
    # A shape may be drawn from either end: from the one that its first vertex is nearer to.
    start = np.column_stack([drawn.x[drawn.tail[curved]], drawn.y[drawn.tail[curved]]])
    end = np.column_stack([drawn.x[drawn.head[curved]], drawn.y[drawn.head[curved]]])
    turned = np.linalg.norm(vertices[first] - start, axis=1) > np.linalg.norm(vertices[first] - end, axis=1)
    node[first] = np.where(turned, drawn.head[curved], drawn.tail[curved])
    node[last] = np.where(turned, drawn.tail[curved], drawn.head[curved])
    inner = np.flatnonzero(node < 0)
    node[inner] = len(drawn.x) + np.arange(len(inner))
    x, y = np.concatenate([drawn.x, vertices[inner, 0]]), np.concatenate([drawn.y, vertices[inner, 1]])
    tail, of = chains(count)
    a, b = np.where(turned[of], node[tail + 1], node[tail]), np.where(turned[of], node[tail], node[tail + 1])
    piece = np.hypot(x[a] - x[b], y[a] - y[b])
    whole = np.bincount(of, weights=piece, minlength=len(count))
    with np.errstate(invalid="ignore", divide="ignore"):
        stated = drawn.length[curved]
        factor = np.where((stated > 0) & (stated <= LONGEST_SEGMENT_M) & (whole > 0), stated / whole, np.nan)
    straight = np.ones(len(drawn.tail), dtype=bool)
    straight[curved] = False

    def both(column: Any, bent: Any) -> Any:
        return np.concatenate([column[straight], bent])

    edge = curved[of]
    return Drawn(
        x,
        y,
        both(drawn.tail, a),
        both(drawn.head, b),
        both(drawn.length, piece * factor[of]),
        both(drawn.kmh, drawn.kmh[edge]),
        both(drawn.back, drawn.back[edge]),
        both(drawn.join, drawn.join[edge]),
        drawn.notes,
    )
