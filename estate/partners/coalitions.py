"""What groups are worth: as a list of all of them where there are few players, else by asking for the worst.

A group is a row of bools (n,); in a list, group ``m`` has the players whose bits are set in ``m`` (player 0 is the lowest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Protocol

import numpy as np

from estate.partners.best import NEAR_ENOUGH_PENCE, Excess, Worth, largest_excess, relaxed, worth
from estate.partners.game import Game
from estate.problem import Bools, Floats, Ints
from estate.solve.watch import NEVER, Clock

MOST_LISTED = 14
"""Most players whose 2^n groups are all listed."""
EACH = 0.25
"""Share of the time left that one question may take."""
ALIKE = 1e-7
"""How far a group may be from the span of others and still be in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaving:
    """A group, what it saves by itself, and how much the worst group of all can gain by leaving (pence a year)."""

    group: Bools
    saves: int
    gains: float
    most: float
    """No group gains more than this."""


class Coalitions(Protocol):
    """All that sharing needs to know of a game: how many players, what all save together, and who would leave a split."""

    @property
    def n(self) -> int:
        """Players."""

    @property
    def together(self) -> int:
        """Pence a year that all save together, by the plan in hand."""

    @property
    def grain(self) -> float:
        """Pence by which a gain may be out because splits are rounded before they are looked at."""

    def worst(self, split: Floats, *, but: Floats | None = None) -> Leaving | None:
        """The group with the largest excess over a split of pence, neither empty nor whole.

        ``but`` (r, n): groups in the span of these groups are not looked at; None when no other is left.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Every group's worth, as an interval: ``low`` and ``high`` (2^n,) pence a year."""

    low: Ints
    high: Ints

    @property
    def n(self) -> int:
        """Players."""
        return len(self.low).bit_length() - 1

    @property
    def together(self) -> int:
        """What all save together, by the plan in hand."""
        return int(self.low[-1])

    @property
    def grain(self) -> float:
        """Splits are looked at as they are."""
        return 0.01

    @property
    def exact(self) -> bool:
        """Every worth is known to the penny."""
        return bool((self.low == self.high).all())

    def excess(self, split: Ints | Floats) -> Floats:
        """(2^n,) how much each group gains by leaving a split, by the plan in hand; the empty and the whole are 0 by name."""
        return self.low - rows(self.n) @ split

    def worst(self, split: Floats, *, but: Floats | None = None) -> Leaving | None:
        """See :class:`Coalitions`."""
        all_rows = rows(self.n)
        given = all_rows @ split
        open_ = np.ones(len(given), dtype=bool)
        open_[[0, -1]] = False
        if but is not None:
            open_ &= ~spanned(all_rows, orthonormal(but))
        if not open_.any():
            return None
        gain = np.where(open_, self.low - given, -np.inf)
        at = _first_of_the_fewest(gain, all_rows)
        most = np.where(open_, self.high - given, -np.inf).max()
        return Leaving(all_rows[at].astype(bool), int(self.low[at]), float(gain[at]), float(most))


def _first_of_the_fewest(gain: Floats, all_rows: Floats) -> int:
    """The group with the largest gain; of equal ones (to a tenth of a penny) that with the fewest players, then the first."""
    best = np.flatnonzero(gain >= gain.max() - 0.1)
    return int(best[np.argmin(all_rows[best].sum(axis=1))])


def rows(n: int) -> Floats:
    """(2^n, n) every group as a row of noughts and ones."""
    found: Floats = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.float64)
    return found


def spanned(groups: Floats, basis: Floats) -> Bools:
    """Which groups (rows) are in the span of orthonormal rows."""
    rest = groups - (groups @ basis.T) @ basis
    inside: Bools = np.abs(rest).max(axis=1, initial=0.0) < ALIKE
    return inside


def orthonormal(groups: Floats) -> Floats:
    """Rows of the same span, of length 1 and at right angles; the groups are linearly independent."""
    basis: Floats = np.linalg.qr(groups.T)[0].T
    return basis


def across(groups: Floats) -> Ints:
    """(k, n) whole-number rows at right angles to groups (r, n): a group is in their span exactly where all products are 0.

    By elimination in fractions, so that nothing is rounded.
    """
    n, table, pivots = groups.shape[1], [[Fraction(int(cell)) for cell in row] for row in groups], list[int]()
    for column in range(n):
        done = len(pivots)
        first = next((row for row in table[done:] if row[column]), None)
        if first is None:
            continue
        table.remove(first)
        first = [cell / first[column] for cell in first]
        table = [[cell - row[column] * lead for cell, lead in zip(row, first, strict=True)] for row in table]
        table.insert(done, first)
        pivots.append(column)
    found = []
    for free in sorted(set(range(n)) - set(pivots)):
        row = [Fraction(0)] * n
        row[free] = Fraction(1)
        for pivot, lead in zip(pivots, table, strict=False):
            row[pivot] = -lead[free]
        scale = lcm(*(cell.denominator for cell in row))
        found.append([int(cell * scale) for cell in row])
    return np.array(found, dtype=np.int64).reshape(-1, n)


# ------------------------------------------------------------------------------------------------------ of a place


@dataclass(slots=True, eq=False)
class Asked:
    """The groups of a game by one programme: every answer is a plan, kept as a witness."""

    game: Game
    whole: Worth
    clock: Clock = NEVER
    witnesses: dict[bytes, Excess] = field(default_factory=dict)
    """The plan of every group that was named."""

    @property
    def n(self) -> int:
        """Players."""
        return self.game.n

    @property
    def together(self) -> int:
        """What all save together, by the plan in hand."""
        return self.whole.low

    @property
    def grain(self) -> float:
        """Splits are rounded to the penny, and an excess is found to within a few."""
        return self.n + NEAR_ENOUGH_PENCE

    def relaxed(self) -> tuple[Floats, float]:
        """A split out of prices, and what no group gains by leaving it more than (:func:`estate.partners.best.relaxed`)."""
        return relaxed(self.game, self.together)

    def worst(self, split: Floats, *, but: Floats | None = None) -> Leaving | None:
        """See :class:`Coalitions`."""
        pence = np.rint(split).astype(np.int64)
        outside = None if but is None else across(but)
        found = largest_excess(self.game, pence, outside=outside, clock=self.clock.share(EACH))
        if found is None:
            return None
        self.witnesses[found.group.tobytes()] = found
        return Leaving(found.group, found.saved, found.pence, found.most_pence)


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """All groups of a game, with the plans that show what they are worth."""

    listed: Listed
    plans: tuple[Worth, ...]
    """What was solved: the worth of the other groups follows from these."""
    best: Ints
    """(2^n,) which of them shows what a group saves, or -1 where that is nothing."""


def census(game: Game, *, clock: Clock = NEVER, say: Callable[[int], None] | None = None) -> Census:
    """What every group is worth, most of them without a solve.

    A plan found for a group serves every group that has the players it *needs*; and a group saves no more than any larger one
    (who joins may stay as he is).  So the groups are taken from the whole down, each solved only while what is known leaves its
    worth open, with the best plan known as a start.  Of plans of equal worth those with few moves are sought, for they need few.
    """
    n = game.n
    all_rows, size = rows(n).astype(bool), rows(n).sum(axis=1).astype(np.int64)
    number = np.arange(2**n)
    low, high = np.zeros(2**n, dtype=np.int64), np.full(2**n, np.iinfo(np.int64).max)
    high[0] = 0
    best = np.full(2**n, -1, dtype=np.int64)
    plans: list[Worth] = []
    from_the_whole_down = number[np.lexsort((number, -size))].tolist()
    for m in from_the_whole_down:
        if low[m] == high[m]:
            continue
        found = worth(game, all_rows[m], start=None if best[m] < 0 else plans[best[m]].plan, clock=clock)
        needed = int((found.needed.astype(np.int64) << np.arange(n)).sum())
        serves = ((number & needed) == needed) & (low < found.low)
        low[serves], best[serves] = found.low, len(plans)
        plans.append(found)
        inside = (number & m) == number
        high[inside] = np.minimum(high[inside], found.high)
        if say is not None:
            say(len(plans))
    return Census(Listed(low, np.maximum(low, high)), tuple(plans), best)
