"""Ranges of running costs over which the base's plan is sure to be best: proven once, at points around it.

The least cost of a problem is a concave function of its costs, so a plan that is best at some points of costs is best all over
their convex hull.  Levers multiply costs, so a sample's ranges are a box of such points, as long as no two levers touch one cell
and nothing is rounded: the costs they touch are whole pounds and the factors whole per cents, so every cost is whole pence.
Tried are the corners of the box; for a corner where the plan fails, the last points where it does not, on the way there from
the base and from the corners next to it.  A draw from inside the hull needs no solve.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from estate.problem import Floats
from estate.scenario import Adjust

MOST_LEVERS = 6
"""64 corners; with more levers than this they cost more than they save."""

INSIDE = 1e-6
"""Per cent by which a point must be inside every facet: more than rounding can amount to."""

type Point = tuple[int, ...]
"""A factor for each lever, in per cent."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Levers (a table's cells and how they are chosen), and the facets of the hull of their factors (F, levers + 1)."""

    levers: Mapping[str, Adjust]
    facets: Floats

    def holds(self, adjust: Sequence[Adjust]) -> bool:
        """Whether these adjustments, others of the region's levers being left alone, are inside it."""
        given = {each.name: each for each in adjust}
        if not set(given) <= set(self.levers) or len(given) < len(adjust):
            return False
        for name, each in given.items():
            lever = self.levers[name]
            if each.factor is None or not whole(100 * each.factor):
                return False
            if (each.table, each.column, each.where) != (lever.table, lever.column, lever.where):
                return False
        point = [100 * (given[name].factor or 0.0) if name in given else 100.0 for name in self.levers]
        return bool((self.facets[:, :-1] @ np.array(point) + self.facets[:, -1] <= -INSIDE).all())


def proven(
    ranges: Mapping[str, tuple[Adjust, float, float]], best_at: Callable[[Sequence[Adjust]], bool], *, most: int
) -> Region | None:
    """The hull of the points where ``best_at`` holds, after at most so many questions; None where there is none."""
    if not 1 < len(ranges) <= MOST_LEVERS or 2 ** len(ranges) > most:
        return None
    levers = [lever for lever, _, _ in ranges.values()]

    def good(point: Point) -> bool:
        return best_at([a.model_copy(update={"factor": f / 100}) for a, f in zip(levers, point, strict=True)])

    sides = [(min(round(100 * low), 100), max(round(100 * high), 100)) for _, low, high in ranges.values()]
    found = _good_points(list(itertools.product(*sides)), good, most)
    try:
        hull = ConvexHull(np.array(found, dtype=np.float64))
    except (QhullError, ValueError):  # the points have no inside
        return None
    return Region(dict(zip(ranges, levers, strict=True)), hull.equations)


def _good_points(corners: Sequence[Point], good: Callable[[Point], bool], most: int) -> list[Point]:
    """The corners that are good, and for each of the others the last points that are, on the way there from those that are."""
    base: Point = (100,) * len(corners[0])
    found = [corner for corner in corners if good(corner)]
    bad = [corner for corner in corners if corner not in found]
    ways = [(base, corner) for corner in bad]
    ways += [(near, corner) for corner in bad for near in found if sum(a != b for a, b in zip(near, corner, strict=True)) == 1]
    asked = len(corners)
    for start, end in ways:
        inner, outer = start, end
        while asked < most:
            middle: Point = tuple((a + b) // 2 for a, b in zip(inner, outer, strict=True))
            if middle in (inner, outer):
                break
            asked += 1
            inner, outer = (middle, outer) if good(middle) else (inner, middle)
        found.append(inner)
    return sorted(set(found))


def whole(value: float) -> bool:
    """Whether a number is a whole one, as far as floats can tell."""
    return abs(value - round(value)) < 1e-6
