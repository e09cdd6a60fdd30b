"""A small still map as plain shapes, for a list of runs and for a sheet of paper: outline, marks, and the way things move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

MOST_MARKS = 400
"""A thumbnail shows this many buildings at most; those that change come first."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Shapes in a box of ``width`` by ``height``: an SVG path, (x, y, class) marks, links, (x, y, text) numbers."""

    width: int
    height: int
    outline: str
    marks: list[tuple[float, float, str]]
    links: list[tuple[float, float, float, float]] = field(default_factory=list)
    numbers: list[tuple[float, float, str]] = field(default_factory=list)


def sketch(
    sites: pd.DataFrame,
    outline: BaseGeometry | None,
    *,
    width: int = 320,
    links: Iterable[tuple[int, int]] = (),
    focus: Sequence[int] = (),
    numbers: Mapping[int, int] = MappingProxyType({}),
) -> Sketch:
    """A still map of the ``sites`` table (``easting_m, northing_m, after``); ``links``, ``focus`` and ``numbers`` are rows of it.

    With ``focus`` the frame is the neighbourhood of those rows instead of the whole place.
    """
    x, y = (pd.to_numeric(sites[name], errors="coerce").to_numpy(float) for name in ("easting_m", "northing_m"))
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return Sketch(width, width // 2, "", [])
    framed = np.isin(np.arange(len(x)), list(focus)) if focus else known
    west, south, east, north = (float(f(a[framed & known])) for f, a in ((np.min, x), (np.min, y), (np.max, x), (np.max, y)))
    if outline is not None and not focus:
        west, south, east, north = outline.bounds
    margin = max(east - west, north - south) * 0.3 + 1500 if focus else max(east - west, north - south) * 0.03 + 200
    west, south, east, north = west - margin, south - margin, east + margin, north + margin
    scale = width / max(east - west, 1.0)
    height = round(min(max((north - south) * scale, width * 0.5), width * 1.15))
    scale = min(scale, height / max(north - south, 1.0))
    shift_x = (width - (east - west) * scale) / 2

    def at(px: float, py: float) -> tuple[float, float]:
        return round((px - west) * scale + shift_x, 1), round((north - py) * scale, 1)

    order = {"hub": 1, "released": 0}
    after: list[str] = sites["after"].astype(str).tolist() if "after" in sites else ["retained"] * len(x)
    chosen = sorted(np.flatnonzero(known), key=lambda i: (order.get(after[i], 2), i))[:MOST_MARKS]
    inside = [i for i in reversed(chosen) if west <= x[i] <= east and south <= y[i] <= north]
    marks = [(*at(x[i], y[i]), after[i].replace(" ", "-") + (" focus" if i in focus[:1] else "")) for i in inside]
    lines = [(*at(x[a], y[a]), *at(x[b], y[b])) for a, b in links if known[a] and known[b]]
    named = [(at(x[i], y[i]), str(number)) for i, number in numbers.items() if known[i]]
    return Sketch(width, height, _path(outline, scale, at), marks, lines, _beside(named))


SPOTS = ((10.0, 0.0), (-10.0, 0.0), (0.0, -11.0), (0.0, 11.0), (14.0, -10.0), (-14.0, -10.0), (14.0, 10.0), (-14.0, 10.0))
"""Where a number may stand about its mark, the first choice first."""


def _beside(named: Iterable[tuple[tuple[float, float], str]]) -> list[tuple[float, float, str]]:
    """Each number beside its mark, where none stands yet and no other mark of a number is."""
    given = list(named)
    taken, found = [at for at, _ in given], []
    for (x, y), text in given:
        near = [(x + right, y + down) for right, down in SPOTS]
        free = [at for at in near if all(abs(at[0] - px) > 8 or abs(at[1] - py) > 8 for px, py in taken)]
        spot = (free or near)[0]
        taken.append(spot)
        found.append((round(spot[0], 1), round(spot[1], 1), text))
    return found


def _path(outline: BaseGeometry | None, scale: float, at: Callable[[float, float], tuple[float, float]]) -> str:
    if outline is None or outline.is_empty:
        return ""
    shape = shapely.simplify(outline, 1.2 / scale)
    rings = [part.exterior for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return "".join("M" + "L".join(f"{px:g} {py:g}" for px, py in (at(*xy) for xy in ring.coords)) + "Z" for ring in rings)
