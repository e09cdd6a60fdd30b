"""The nucleolus: the split whose largest gains by leaving are least, then the next largest, and so on (Schmeidler 1969).

It is one split, it is in the core wherever that is not empty, and it gives nothing to a player that adds nothing.  Found as the
usual sequence of linear programmes (Kopelowitz 1967; Maschler, Solan and Zamir 2013, chapter 20): make the largest gain least,
settle the groups that have that gain in every best split (those whose row has a price), and go on with the others.  A group in
the span of settled ones is settled with them.  Rows are made as needed.
"""

from __future__ import annotations

import numpy as np

from estate.errors import SolverError
from estate.partners.coalitions import Listed, spanned
from estate.partners.core import MOST_ROWS, POUND, PRICED, KnownGroups, programme
from estate.problem import Floats
from estate.solve.highs import continuous

SAME_PENCE = 0.05
"""Gains nearer than this are one."""


def nucleolus(coalitions: Listed) -> Floats:
    """The nucleolus (n,) in pence, of the plan in hand.

    All groups must be listed: of those that are settled already there are too many to be left out one by one.
    """
    n = coalitions.n
    settled, at = np.ones((1, n)), np.array([float(coalitions.together)])
    known = KnownGroups(coalitions)
    for _ in range(MOST_ROWS):
        basis = np.linalg.qr(settled.T)[0].T
        if len(basis) == n:
            return np.linalg.solve(settled, at)
        split, gain, tight = _next(known, settled, at, basis)
        before = len(settled)
        for group in tight:
            if spanned(group[None, :], np.linalg.qr(settled.T)[0].T)[0]:
                continue
            settled = np.vstack([settled, group])
            at = np.append(at, group @ split)
        if len(settled) == before:
            raise SolverError(f"no group is settled at a gain of {gain:.2f} pence")
    raise SolverError("the nucleolus has no end in sight")


def _next(known: KnownGroups, settled: Floats, at: Floats, basis: Floats) -> tuple[Floats, float, Floats]:
    """A split that makes the largest gain of unsettled groups least, that gain, and the groups that have it in every one."""
    n = known.coalitions.n
    for _ in range(MOST_ROWS):
        group, saves = known.rows()
        open_ = ~spanned(group, basis)
        group, saves = group[open_], saves[open_]
        k = len(group)
        matrix = np.vstack([np.column_stack([group, np.ones(k)]), np.column_stack([settled, np.zeros(len(settled))])])
        low, high = np.concatenate([saves, at]), np.concatenate([np.full(k, np.inf), at])
        least = np.append(np.full(n, -np.inf), -np.inf if k else 0.0)
        answer = continuous(programme(np.append(np.zeros(n), 1.0), matrix, low, high, least=least))
        if answer is None:
            raise SolverError("the nucleolus's programme has no answer, and it has one")
        split, gain = answer[0][:n] / POUND, float(answer[0][n]) / POUND
        worst = known.coalitions.worst(split, but=basis)
        if worst is None or (k and worst.gains <= gain + SAME_PENCE):
            return split, gain, group[np.abs(answer[1][:k]) > PRICED]
        known.add(worst.group, worst.saves)
    raise SolverError("the nucleolus has no end in sight")
