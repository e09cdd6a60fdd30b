"""Ranges of running costs over which the base's plan is sure to be best: proven once, at the corners.

The least cost of a problem is a concave function of its costs, and a plan that is best at every corner of a box of costs is best
all over it.  Levers multiply costs, so a sample's ranges are such a box, as long as no two levers touch one cell and nothing is
rounded: the costs they touch are whole pounds and the factors whole per cents, so every cost in the box is whole pence.  Where
the plan fails at some corner, smaller boxes around the base are tried.  A draw from inside a proven box needs no solve.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from estate.scenario import Adjust

SIZES = (1.0, 0.95, 0.9, 0.8, 0.65, 0.5, 0.25)
"""Boxes tried, as shares of the ranges around the base."""

MOST_LEVERS = 6
"""64 corners; with more levers than this they cost more than they save."""


@dataclass(frozen=True, slots=True)
class Box:
    """By lever (a table's cells and how they are chosen), the factors from and to which the base's plan is best."""

    levers: Mapping[str, tuple[Adjust, float, float]]

    def holds(self, adjust: Sequence[Adjust]) -> bool:
        """Whether these adjustments, others of the box's levers being left alone, are inside it."""
        given = {each.name: each for each in adjust}
        if not set(given) <= set(self.levers) or len(given) < len(adjust):
            return False
        for name, (lever, low, high) in self.levers.items():
            each = given.get(name)
            factor = 1.0 if each is None else each.factor
            if factor is None or not low <= factor <= high or not whole(100 * factor):
                return False
            if each is not None and (each.table, each.column, each.where) != (lever.table, lever.column, lever.where):
                return False
        return True


def proven(ranges: Mapping[str, tuple[Adjust, float, float]], best_at: Callable[[Sequence[Adjust]], bool]) -> Box | None:
    """The largest box of :data:`SIZES` at all of whose corners ``best_at`` holds; None where none does."""
    if not ranges or len(ranges) > MOST_LEVERS:
        return None
    for size in SIZES:
        # From 1, the base, towards each end.
        ends = {
            name: (lever, _percent(1 + size * (min(low, 1.0) - 1)), _percent(1 + size * (max(high, 1.0) - 1)))
            for name, (lever, low, high) in ranges.items()
        }
        corners = itertools.product(*(((lever, low), (lever, high)) for lever, low, high in ends.values()))
        if all(best_at([lever.model_copy(update={"factor": factor}) for lever, factor in corner]) for corner in corners):
            return Box(ends)
    return None


def _percent(value: float) -> float:
    return round(value, 2)


def whole(value: float) -> bool:
    """Whether a number is a whole one, as far as floats can tell."""
    return abs(value - round(value)) < 1e-6
