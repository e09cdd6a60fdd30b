"""The nucleolus: the split whose largest gains by leaving are least, then the next largest, and so on (Schmeidler 1969).

It is one split, it is in the core wherever that is not empty, and it gives nothing to a player that adds nothing.  Found as the
usual sequence of linear programmes (Kopelowitz 1967; Maschler, Solan and Zamir 2013, chapter 20): make the largest gain least,
settle the groups that have that gain in every best split (those whose row has a price), and go on with the others.  A group in
the span of settled ones is settled with them.  Rows are made as needed.

Where a search for the worst group runs out of time its gain is only known to be between what was shown and what was proven.
No further step is then sure: the split is the nucleolus of the groups met, and what is known of the true one is an interval for
each player, the least and the most that it has in any split in which what was settled until then has its gains and no group met
gains more than was proven possible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.errors import SolverError
from estate.partners.coalitions import Coalitions, orthonormal, spanned
from estate.partners.core import MOST_ROWS, POUND, PRICED, KnownGroups, programme
from estate.problem import Floats
from estate.solve.highs import continuous

SAME_PENCE = 0.05
"""Gains nearer than this are one."""


@dataclass(frozen=True, slots=True, eq=False)
class Nucleolus:
    """Pence of each player (n,), and the interval in which it is proven to be: the same where every step was proven."""

    pence: Floats
    low: Floats
    high: Floats

    @property
    def proven(self) -> bool:
        """Whether it is known, not only an interval."""
        return bool((self.low == self.high).all())


def nucleolus(coalitions: Coalitions, known: KnownGroups | None = None, *, most: float = np.inf) -> Nucleolus:
    """The nucleolus of the plan in hand.

    Parameters
    ----------
    known
        Groups met already, which are added to.
    most
        Pence that no group gains more than in some split, where that is known.
    """
    n = coalitions.n
    settled, at = np.ones((1, n)), np.array([float(coalitions.together)])
    known, ends = KnownGroups(coalitions) if known is None else known, None
    for _ in range(MOST_ROWS):
        if len(settled) == n:
            split = np.linalg.solve(settled, at)
            return Nucleolus(split, *((split, split) if ends is None else ends))
        step = _next(known, settled, at)
        if ends is None and step.most > step.gain + 2 * coalitions.grain:
            ends = _reach(known, settled, at, min(step.most, most))
        before, most = len(settled), np.inf  # what was known is of the first step
        for group in step.tight:
            if spanned(group[None, :], orthonormal(settled))[0]:
                continue
            settled = np.vstack([settled, group])
            at = np.append(at, group @ step.split)
        if len(settled) == before:
            raise SolverError(f"no group is settled at a gain of {step.gain:.2f} pence")
    raise SolverError("the nucleolus has no end in sight")


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A split (n,) that makes the largest gain of unsettled groups least, and the groups that have that gain in every one."""

    split: Floats
    gain: float
    """Pence: in no split is the largest gain less."""
    most: float
    """No unsettled group gains more in this split."""
    tight: Floats


def _next(known: KnownGroups, settled: Floats, at: Floats) -> _Step:
    n, grain, basis = known.coalitions.n, known.coalitions.grain, orthonormal(settled)
    for _ in range(MOST_ROWS):
        group, saves = _unsettled(known, basis)
        k = len(group)
        matrix = np.vstack([np.column_stack([group, np.ones(k)]), np.column_stack([settled, np.zeros(len(settled))])])
        low, high = np.concatenate([saves, at]), np.concatenate([np.full(k, np.inf), at])
        least = np.append(np.full(n, -np.inf), -np.inf if k else 0.0)
        answer = continuous(programme(np.append(np.zeros(n), 1.0), matrix, low, high, least=least))
        if answer is None:
            raise SolverError("the nucleolus's programme has no answer, and it has one")
        split, gain = answer[0][:n] / POUND, float(answer[0][n]) / POUND
        worst = known.coalitions.worst(split, but=settled)
        if worst is None or (k and worst.gains <= gain + max(SAME_PENCE, grain)):
            most = gain if worst is None or worst.gains == worst.most else worst.most
            return _Step(split, gain, most, group[np.abs(answer[1][:k]) > PRICED])
        known.add(worst.group, worst.saves)
    raise SolverError("the nucleolus has no end in sight")


def _unsettled(known: KnownGroups, basis: Floats) -> tuple[Floats, Floats]:
    """The groups met (k, n) that are not in the span of settled ones, and what they save (k,)."""
    group, saves = known.rows()
    open_ = ~spanned(group, basis)
    return group[open_], saves[open_]


def _reach(known: KnownGroups, settled: Floats, at: Floats, most: float) -> tuple[Floats, Floats]:
    """The least and the most (n,) of each player: settled groups have what they have, and no other met gains over ``most``."""
    n = known.coalitions.n
    group, saves = _unsettled(known, orthonormal(settled))
    matrix = np.vstack([group, settled])
    low, high = np.concatenate([saves - most, at]), np.concatenate([np.full(len(saves), np.inf), at])
    ends = []
    for sign in (1.0, -1.0):
        found = []
        for each in np.eye(n):
            answer = continuous(programme(sign * each, matrix, low, high))
            found.append(-sign * np.inf if answer is None else float(each @ answer[0]) / POUND)
        ends.append(np.array(found))
    return ends[0], ends[1]
