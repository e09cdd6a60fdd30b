"""Geometry from WKB, with arcs and surfaces that the geometry library does not hold drawn as lines and polygons.

A curve of SQL/MM (CircularString, CompoundCurve, CurvePolygon, MultiCurve, MultiSurface) is drawn with a vertex for every four
degrees of an arc, which on a building's outline is millimetres; triangles and faces become polygons.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import Where
from estate.load.sniff import corrupt, refusal

_STEP = math.radians(4)
_POINT, _LINE, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON, _COLLECTION = range(1, 8)
_CIRCULAR, _COMPOUND, _CURVE_POLYGON, _MULTI_CURVE, _MULTI_SURFACE = range(8, 13)
_FACES, _TIN, _TRIANGLE = 15, 16, 17
_DEEPEST = 20
_MANY: Mapping[int, Callable[[Sequence[Any]], Any]] = {
    _MULTIPOINT: shapely.MultiPoint,
    **dict.fromkeys((_MULTILINE, _MULTI_CURVE), shapely.MultiLineString),
    **dict.fromkeys((_MULTIPOLYGON, _MULTI_SURFACE, _FACES, _TIN), shapely.MultiPolygon),
    _COLLECTION: shapely.GeometryCollection,
}

type _Ring = list[tuple[float, float]]


def shapes_from_wkb(blobs: Sequence[bytes | None], file: str) -> NDArray[np.object_]:
    """(n,) geometries, two-dimensional where they had to be drawn as lines.

    Raises
    ------
    InputError
        For a kind of geometry that is not known, and for what is not WKB, with its row and what to do.
    """
    try:
        return np.asarray(shapely.from_wkb(np.array(blobs, dtype=object)), dtype=object)
    except (NotImplementedError, shapely.errors.GEOSException):
        return np.array([_shape(blob, row, file) for row, blob in enumerate(blobs, 2)], dtype=object)


def _shape(blob: bytes | None, row: int, file: str) -> Any:
    try:
        return shapely.from_wkb(blob)
    except (NotImplementedError, shapely.errors.GEOSException):
        pass
    try:
        return _Reader(blob or b"").geometry()
    except (struct.error, ValueError, IndexError, shapely.errors.GEOSException) as error:
        raise corrupt(file, f"the geometry of row {row}: {error}") from None
    except NotImplementedError as error:
        message = f"its geometry is of a kind that is not read ({error})"
        raise refusal(
            "geo.kind", message, "linearise it (draw its curves as lines) and save it again", Where(file, row)
        ) from None


class _Reader:
    """One geometry of WKB, from its first byte on."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.order, self.size = "<", 2

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(self.order + form, self.data, self.at)
        self.at += struct.calcsize("=" + form)
        return values

    def _head(self) -> int:
        self.order = "<" if self.data[self.at] == 1 else ">"
        self.at += 1
        (code,) = self._take("I")
        height, measure = bool(code & 0x80000000), bool(code & 0x40000000)  # as PostGIS marks them
        if code & 0x20000000:
            self.at += 4
        kind = code & 0x0FFFFFFF
        self.size = 2 + height + measure + (0, 1, 1, 2)[kind // 1000 if kind < 4000 else 0]
        return int(kind % 1000)

    def _vertices(self) -> _Ring:
        (count,) = self._take("I")
        if count * self.size * 8 > len(self.data) - self.at:
            raise ValueError("cut short")
        return [tuple(self._take("d" * self.size)[:2]) for _ in range(count)]

    def geometry(self, depth: int = 0) -> Any:
        """The geometry that begins here."""
        kind = self._head()
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if kind == _POINT:
            return shapely.Point(self._take("d" * self.size)[:2])
        if kind in (_LINE, _CIRCULAR, _COMPOUND):
            return shapely.LineString(self._curve(kind, depth))
        if kind in (_POLYGON, _TRIANGLE, _CURVE_POLYGON):
            straight = kind != _CURVE_POLYGON
            count = range(*self._take("I"))
            return _polygon([self._vertices() if straight else self._curve(self._head(), depth + 1) for _ in count])
        if kind not in _MANY:
            raise NotImplementedError(f"type {kind}")
        return _MANY[kind]([self.geometry(depth + 1) for _ in range(*self._take("I"))])

    def _curve(self, kind: int, depth: int) -> _Ring:
        """The vertices of a line, an arc, or a chain of them."""
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if kind == _LINE:
            return self._vertices()
        if kind == _CIRCULAR:
            return _drawn(self._vertices())
        if kind != _COMPOUND:
            raise NotImplementedError(f"type {kind} in a curve")
        chain: _Ring = []
        for _ in range(*self._take("I")):
            piece = self._curve(self._head(), depth + 1)
            chain += piece[1:] if chain and piece and chain[-1] == piece[0] else piece
        return chain


def _polygon(rings: Sequence[_Ring]) -> Any:
    return shapely.Polygon(rings[0], rings[1:]) if rings else shapely.Polygon()


def _drawn(points: _Ring) -> _Ring:
    """A chain of arcs, each through three points, as vertices."""
    line = points[:1]
    for start, middle, end in zip(points[:-2:2], points[1:-1:2], points[2::2], strict=True):
        line += _arc(start, middle, end)
    return line


def _arc(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> _Ring:
    """The vertices after ``a`` of the arc from ``a`` by ``b`` to ``c``; a full circle where ``a`` is ``c``."""
    (ax, ay), (bx, by), (cx, cy) = a, b, c
    if a == c:
        x, y = (ax + bx) / 2, (ay + by) / 2
        sweep = 2 * math.pi
    else:
        # About ``a``, so that the squares of eastings do not eat the digits.
        px, py, qx, qy = bx - ax, by - ay, cx - ax, cy - ay
        twice = 2 * (px * qy - py * qx)
        if abs(twice) < 1e-12 * (math.hypot(px, py) * math.hypot(qx, qy) + 1e-300):
            return [b, c]
        p2, q2 = px * px + py * py, qx * qx + qy * qy
        x, y = ax + (qy * p2 - py * q2) / twice, ay + (px * q2 - qx * p2) / twice
        sweep = (math.atan2(cy - y, cx - x) - math.atan2(ay - y, ax - x)) % (2 * math.pi)
        if twice < 0:
            sweep -= 2 * math.pi
    start, radius = math.atan2(ay - y, ax - x), math.hypot(ax - x, ay - y)
    steps = max(2, math.ceil(abs(sweep) / _STEP))
    turned = [start + sweep * n / steps for n in range(1, steps)]
    return [*((x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in turned), c]
