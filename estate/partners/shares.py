"""Ways to share what all save together, and for each: stable, or who would leave, with whom, and for how much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from estate.partners.coalitions import Asked, Coalitions, Leaving, Listed, rows
from estate.partners.core import (
    STABLE_PENCE,
    KnownGroups,
    LeastCore,
    least_change,
    least_core,
    least_subsidy,
    least_top_up,
    whole_pence,
)
from estate.partners.nucleolus import nucleolus
from estate.partners.shapley import Shapley
from estate.problem import Bools, Floats, Ints

AS_IT_FALLS, FLOOR_AREA, VISITS, SHAPLEY, NUCLEOLUS, LEAST_CHANGE, LEAST_CORE = (
    "as the plan falls", "by floor area", "by visits", "by what each brings on average (Shapley)",
    "least largest gain by leaving (nucleolus)", "least change that keeps everybody", "smallest reason to leave (least core)",
)  # fmt: skip
"""The ways to share, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way to share.

    ``pence`` (n,) is what each is better off a year; ``low`` and ``high`` where that is only known within an interval (by proof,
    or by drawing orders).  ``worst`` is the group that would gain most by leaving: ``worst.gains`` is shown by a plan, and no
    group gains more than ``worst.most``.  ``subsidy`` pence a year from outside are shared as well.
    """

    name: str
    pence: Ints
    worst: Leaving | None
    subsidy: int = 0
    low: Ints | None = None
    high: Ints | None = None
    orders: int = 0
    fund: int = 0
    """Pence a year from outside that would keep everybody as it is, with nothing taken from anybody."""

    @property
    def verdict(self) -> str:
        """``stable``, ``somebody would leave``, or ``not proven either way``; a pound a year is nobody's reason."""
        if self.worst is None or self.worst.most <= STABLE_PENCE:
            return STABLE
        return LEAVES if self.worst.gains > STABLE_PENCE else OPEN


STABLE, LEAVES, OPEN = "stable", "somebody would leave", "not proven either way"


def ways(
    coalitions: Coalitions,
    falls: Ints,
    area: Floats,
    visits: Floats | None,
    shapley: Shapley | None,
    *,
    met: Iterable[tuple[Bools, int]] = (),
) -> tuple[tuple[Way, ...], LeastCore, int]:
    """Every way to share, the least core, and the least subsidy (pence a year) that keeps everybody.

    Parameters
    ----------
    falls
        (n,) pence a year by which the plan itself leaves each better off.
    area, visits
        (n,) weights; None where visits are not known of everybody.
    shapley
        As found by the caller; None where it was not looked for.
    met
        Groups whose worth was found already, which need not be found again where they are not listed.
    """
    total = coalitions.together
    known = KnownGroups(coalitions, bound=coalitions.relaxed() if isinstance(coalitions, Asked) else None)
    for group, saves in met if isinstance(coalitions, Asked) else ():
        known.add(group, saves)
    by_area = in_proportion(total, area)
    reference = by_area.astype(np.float64)
    core = least_core(known, reference)
    subsidy = int(np.ceil(least_subsidy(known) - coalitions.grain)) if core.low > STABLE_PENCE else 0
    found = [_judged(coalitions, AS_IT_FALLS, falls), _judged(coalitions, FLOOR_AREA, by_area)]
    if visits is not None:
        found.append(_judged(coalitions, VISITS, in_proportion(total, visits)))
    if shapley is not None:
        each = [whole_pence(values, round(values.sum())) for values in (shapley.pence, shapley.low, shapley.high)]
        each[0] = whole_pence(shapley.pence, total)
        low, high = (None, None) if (shapley.low == shapley.high).all() else each[1:]
        found.append(_judged(coalitions, SHAPLEY, each[0], low=low, high=high, orders=shapley.orders))
    middle = nucleolus(coalitions, known, most=core.high)
    ends = [None, None] if middle.proven else [np.floor(middle.low).astype(np.int64), np.ceil(middle.high).astype(np.int64)]
    found.append(_judged(coalitions, NUCLEOLUS, whole_pence(middle.pence, total), low=ends[0], high=ends[1]))
    moved = least_change(known, falls.astype(np.float64), reference, subsidy=float(subsidy))
    if moved is not None:
        found.append(_judged(coalitions, LEAST_CHANGE, whole_pence(moved, total + subsidy), subsidy=subsidy))
    found.append(_judged(coalitions, LEAST_CORE, whole_pence(core.split, total)))
    return tuple(replace(way, fund=_fund(known, way)) for way in found), core, subsidy


def _fund(known: KnownGroups, way: Way) -> int:
    """The least top-up of a way, to the pound that is nobody's reason."""
    if way.verdict != LEAVES:
        return 0
    return int(np.ceil(least_top_up(known, way.pence.astype(np.float64)) - 1e-3))


def _judged(
    coalitions: Coalitions,
    name: str,
    pence: Ints,
    *,
    subsidy: int = 0,
    low: Ints | None = None,
    high: Ints | None = None,
    orders: int = 0,
) -> Way:
    return Way(name, pence, coalitions.worst(pence.astype(np.float64)), subsidy, low, high, orders)


def in_proportion(total: int, weight: Floats) -> Ints:
    """A total in whole pence by weight, largest fractions rounded up; equally where nobody has any."""
    given = weight if weight.sum() > 0 else np.ones(len(weight))
    return whole_pence(total * given / given.sum(), total)


def smallest_blocking(listed: Listed, split: Ints) -> tuple[list[Leaving], int]:
    """The groups that gain by leaving of which no smaller part does, most first, and how many groups gain in all."""
    gain = listed.excess(split.astype(np.float64))
    blocks = gain > STABLE_PENCE
    blocks[[0, -1]] = False
    some = blocks.copy()  # the group or a part of it
    number = np.arange(len(gain))
    for i in range(listed.n):
        with_ = number[number >> i & 1 == 1]
        some[with_] |= some[with_ ^ (1 << i)]
    smaller = np.zeros(len(gain), dtype=bool)
    for i in range(listed.n):
        with_ = number[number >> i & 1 == 1]
        smaller[with_] |= some[with_ ^ (1 << i)]
    least = np.flatnonzero(blocks & ~smaller)
    given = rows(listed.n)[least] @ split
    found = [
        Leaving(rows(listed.n)[m].astype(bool), int(listed.low[m]), float(gain[m]), float(listed.high[m] - x))
        for m, x in zip(least.tolist(), given.tolist(), strict=True)
    ]
    return sorted(found, key=lambda each: -each.gains), int(blocks.sum())


def blocking(coalitions: Coalitions, way: Way) -> tuple[list[Leaving], int | None]:
    """The groups to name for a way, and how many there are in all (None: not counted, where groups are not listed)."""
    if isinstance(coalitions, Listed):
        small, count = smallest_blocking(coalitions, way.pence)
        worst = [way.worst] if way.worst is not None and way.worst.gains > STABLE_PENCE else []
        named = {each.group.tobytes() for each in worst}
        return worst + [each for each in small if each.group.tobytes() not in named], count
    return ([way.worst] if way.worst is not None and way.worst.gains > STABLE_PENCE else []), None


def listed_words(names: Sequence[str], group: Bools) -> str:
    """The names of a group: ``A``, ``A and B``, ``A, B and C``."""
    some = [name for name, there in zip(names, group, strict=True) if there]
    return some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"
