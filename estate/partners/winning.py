"""Who must be won, and what would do it: the least inducement for each, and an order in which partners can be won.

For each partner that might stay out: what the others then lose, what it would itself gain by joining, and the **least
inducement**: the yearly sum that makes joining as good for its own bill as staying out while the others go ahead.  The others can
pay it where what its joining brings their own bills is more.

An **order**: a chain of groups, each with one partner more, in which every group is *stable by itself* (it can share what it
saves so that no part of it would leave).  Of such chains the one that saves most on the way is taken, so those who bring nothing
come last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.partners.coalitions import Listed, rows
from estate.partners.core import STABLE_PENCE, KnownGroups, least_core
from estate.problem import Ints

MOST_LOOKS = 200
"""Groups that are looked into for an order before it is given up."""


@dataclass(frozen=True, slots=True)
class Inducement:
    """Of one partner that stays out, in pence a year by the objective in use."""

    others_lose: int
    """What all save together with it, less what the others save without it."""
    joins: int
    """By how much its own bill falls when it joins."""
    stays_out: int
    """By how much its own bill falls when the others go ahead without it."""
    others_gain: int
    """By how much the others' own bills fall because it joins."""

    @property
    def least(self) -> int:
        """What makes joining as good as staying out."""
        return max(self.stays_out - self.joins, 0)

    @property
    def payable(self) -> bool:
        """Whether nothing need be paid, or the others still gain when they pay it."""
        return self.least == 0 or self.others_gain >= self.least


def order(listed: Listed) -> list[tuple[int, int]] | None:
    """Players in an order in which each step is stable, with what the group then saves; None where none was found.

    By groups of rising size, the best way to each from those with one player fewer; a step that turns out not to be stable is
    ruled out and the way is looked for again.
    """
    n = listed.n
    ruled_out: set[int] = set()
    settled: set[int] = set()
    for _ in range(MOST_LOOKS):
        chain = _richest(listed.low, n, ruled_out)
        if chain is None:
            return None
        bad = next((m for m in chain if m not in settled and not _stable(listed, m)), None)
        if bad is None:
            before, found = 0, []
            for m in chain:
                found.append(((m ^ before).bit_length() - 1, int(listed.low[m])))
                before = m
            return found
        settled.update(m for m in chain[: chain.index(bad)])
        ruled_out.add(bad)
    return None


def _richest(worth: Ints, n: int, ruled_out: set[int]) -> list[int] | None:
    """The chain of groups, one player more each, whose worth adds up to most; of equal ones the first by player."""
    best = np.full(2**n, -1, dtype=np.int64)
    last = np.full(2**n, -1, dtype=np.int64)
    best[0] = 0
    for m in range(1, 2**n):
        if m in ruled_out:
            continue
        for i in range(n):
            before = m ^ (1 << i)
            if m >> i & 1 and best[before] >= 0 and best[before] + worth[m] > best[m]:
                best[m], last[m] = best[before] + worth[m], i
    if best[-1] < 0:
        return None
    chain, m = [], 2**n - 1
    while m:
        chain.append(m)
        m ^= 1 << int(last[m])
    return chain[::-1]


def _stable(listed: Listed, group: int) -> bool:
    """Whether a group can share what it saves so that no part of it gains by leaving, whatever the intervals hold."""
    members = [i for i in range(listed.n) if group >> i & 1]
    if len(members) == 1:
        return True
    part = (rows(len(members)).astype(np.int64) << np.array(members)).sum(axis=1)
    high = listed.high[part].copy()
    high[-1] = listed.low[group]
    inner = Listed(high, high)
    return least_core(KnownGroups(inner), np.full(len(members), inner.together / len(members))).low <= STABLE_PENCE
