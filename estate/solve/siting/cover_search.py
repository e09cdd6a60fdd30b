"""A good cover fast: exchange of sites with weights on the rows that are hard to serve.

Row weighting local search (Gao, Weise and Li 2015; for general costs the scores are per unit of cost): from a cover, sites go
whose rows' weights are least for their cost until some row is unserved; then one more goes, and for an unserved row the site
comes that gains most, and every row still unserved weighs one more.

Among the sites of little reduced cost in the linear relaxation it is at the optimum of the five generated regions in 3,000 to
30,000 steps, 5-50 ms, where greedy alone is 10-25% above.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0913, PLR0915, PLR0917

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from estate.problem import Bools, Floats, Ints
from estate.solve.watch import NEVER, Clock

TABU = 2
"""Steps before a site that has changed may come again.  The paper waits for a change among its neighbours instead: as good, at
twice the time."""


@dataclass(frozen=True, slots=True)
class SearchLimit:
    """When to stop: the clock, HiGHS's nodes, a relative gap; and the seed."""

    clock: Clock = NEVER
    nodes: int | None = None
    gap: float = 0.0
    seed: int = 0

    def over(self) -> bool:
        """Whether to stop now."""
        return self.clock.over() is not None

    def ended(self, *, complete: bool) -> str:
        """Why a search is over, in the words of :class:`~estate.solve.answer.Answer`."""
        if complete:
            return "proven"
        return self.clock.over() or "work"


@dataclass(frozen=True, slots=True, eq=False)
class CoverLists:
    """Row ``r`` is served by the sites ``site[start[r]:start[r + 1]]``, of ``J``."""

    start: Ints
    site: Ints
    J: int

    def __len__(self) -> int:
        return len(self.start) - 1

    def part(self, keep: Bools) -> CoverLists:
        """The rows of ``keep`` (R,)."""
        length = np.diff(self.start)
        return CoverLists(
            np.concatenate([[0], np.cumsum(length[keep])]).astype(np.int64), self.site[np.repeat(keep, length)], self.J
        )

    def more(self, extra: tuple[Ints, ...]) -> CoverLists:
        """With further rows at the end."""
        if not extra:
            return self
        ends = self.start[-1] + np.cumsum([len(row) for row in extra])
        return CoverLists(np.concatenate([self.start, ends]), np.concatenate([self.site, *extra]), self.J)

    def sum(self, x: Floats) -> Floats:
        """(R,) sums of ``x`` (J,) over the rows' sites."""
        whole = np.concatenate([[0.0], np.cumsum(x[self.site])])
        out: Floats = whole[self.start[1:]] - whole[self.start[:-1]]
        return out

    def list(self, r: int) -> Ints:
        """The sites of one row."""
        return self.site[self.start[r] : self.start[r + 1]]

    def by_site(self) -> tuple[Ints, Ints]:
        """Starts and rows of each site."""
        row = np.repeat(np.arange(len(self)), np.diff(self.start))
        start = np.concatenate([[0], np.cumsum(np.bincount(self.site, minlength=self.J))]).astype(np.int64)
        return start, row[np.argsort(self.site, kind="stable")]


@numba.njit(cache=True, nogil=True)
def _greedy(start, row, of_start, of_site, cost):
    """Takes the site with most rows still unserved for its cost, until none is left; then drops what is superfluous."""
    J, R = len(cost), len(of_start) - 1
    gain = np.zeros(J, dtype=np.int64)
    times = np.zeros(R, dtype=np.int64)
    left = R
    chosen = np.zeros(J, dtype=np.bool_)
    for r in range(R):
        for f in range(of_start[r], of_start[r + 1]):
            gain[of_site[f]] += 1
    while left > 0:
        best = -1
        for j in range(J):
            if gain[j] > 0 and (best < 0 or gain[j] * cost[best] > gain[best] * cost[j]):
                best = j
        chosen[best] = True
        for e in range(start[best], start[best + 1]):
            r = row[e]
            if times[r] == 0:
                left -= 1
                for f in range(of_start[r], of_start[r + 1]):
                    gain[of_site[f]] -= 1
            times[r] += 1
    for j in range(J):
        if chosen[j]:
            spare = True
            for e in range(start[j], start[j + 1]):
                if times[row[e]] < 2:
                    spare = False
                    break
            if spare:
                chosen[j] = False
                for e in range(start[j], start[j + 1]):
                    times[row[e]] -= 1
    return chosen


@numba.njit(cache=True, nogil=True)
def _turn(j, start, row, of_start, of_site, chosen, times, weight, score):
    """Site ``j`` goes if it is chosen, else it comes: who serves each row, and the scores of all."""
    come = not chosen[j]
    chosen[j] = come
    score[j] = -score[j]
    for e in range(start[j], start[j + 1]):
        r = row[e]
        before = times[r]
        times[r] = before + 1 if come else before - 1
        if before + times[r] == 1:  # between unserved and served once: what the others could gain
            gain = -weight[r] if come else weight[r]
            for f in range(of_start[r], of_start[r + 1]):
                if of_site[f] != j:
                    score[of_site[f]] += gain
        elif before + times[r] == 3:  # between once and twice: what the other would lose
            gain = weight[r] if come else -weight[r]
            for f in range(of_start[r], of_start[r + 1]):
                if chosen[of_site[f]] and of_site[f] != j:
                    score[of_site[f]] += gain
                    break


@numba.njit(cache=True, nogil=True)
def _leave(j, start, row, of_start, of_site, chosen, times, weight, score, bare, n):
    """Site ``j`` goes; the rows that then lack a site join the ``n`` in ``bare``.  Returns how many there are."""
    _turn(j, start, row, of_start, of_site, chosen, times, weight, score)
    for e in range(start[j], start[j + 1]):
        if times[row[e]] == 0:
            bare[n] = row[e]
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _exchange(start, row, of_start, of_site, cost, first, floor, steps):
    """The best cover found in so many steps, from the cover ``first``; it ends at a cost of ``floor``."""
    J, R = len(cost), len(of_start) - 1
    chosen = first.copy()
    best = first.copy()
    value = 0
    times = np.zeros(R, dtype=np.int64)
    for j in range(J):
        if chosen[j]:
            value += cost[j]
            for e in range(start[j], start[j + 1]):
                times[row[e]] += 1
    least = value
    weight = np.ones(R, dtype=np.int64)
    score = np.zeros(J, dtype=np.int64)  # what the weighted rows served would lose (chosen: below 0) or gain by a change
    for j in range(J):
        for e in range(start[j], start[j + 1]):
            if chosen[j] and times[row[e]] == 1:
                score[j] -= 1
    stays = np.zeros(J, dtype=np.bool_)
    for r in range(R):
        if of_start[r + 1] - of_start[r] == 1:
            stays[of_site[of_start[r]]] = True
    changed = np.zeros(J, dtype=np.int64)
    bare = np.empty(R, dtype=np.int64)
    recent = -1
    n = 0
    seed = np.uint64(88172645463325252)
    for step in range(1, steps + 1):
        while n == 0:
            if value < least:
                least = value
                best[:] = chosen
            if least <= floor:
                return best
            out = _cheapest(cost, chosen, stays, score, changed, -1)
            if out < 0:
                return best
            n = _leave(out, start, row, of_start, of_site, chosen, times, weight, score, bare, n)
            value -= cost[out]
            changed[out] = step
        out = _cheapest(cost, chosen, stays, score, changed, recent)
        if out >= 0:
            n = _leave(out, start, row, of_start, of_site, chosen, times, weight, score, bare, n)
            value -= cost[out]
            changed[out] = step
        while n > 0:
            seed ^= seed << np.uint64(13)
            seed ^= seed >> np.uint64(7)
            seed ^= seed << np.uint64(17)
            r = bare[np.int64(seed % np.uint64(n))]
            come = -1
            for f in range(of_start[r], of_start[r + 1]):
                k = of_site[f]
                if value + cost[k] >= least or changed[k] > step - TABU:
                    continue
                a = score[k] * cost[come] - score[come] * cost[k] if come >= 0 else 1
                if a > 0 or (a == 0 and changed[k] < changed[come]):
                    come = k
            if come < 0:
                break
            _turn(come, start, row, of_start, of_site, chosen, times, weight, score)
            value += cost[come]
            changed[come] = step
            recent = come
            left = 0
            for i in range(n):
                if times[bare[i]] == 0:
                    bare[left] = bare[i]
                    left += 1
            n = left
        for i in range(n):
            r = bare[i]
            weight[r] += 1
            for f in range(of_start[r], of_start[r + 1]):
                score[of_site[f]] += 1
    return best


@numba.njit(cache=True, nogil=True)
def _cheapest(cost, chosen, stays, score, changed, recent):
    """The chosen site that loses least for its cost, of equals the one that has stayed longest; not the latest to come."""
    out = -1
    for j in range(len(cost)):
        if chosen[j] and not stays[j] and j != recent:
            a = score[j] * cost[out] - score[out] * cost[j] if out >= 0 else 1
            if a > 0 or (a == 0 and changed[j] < changed[out]):
                out = j
    return out


def search(rows: CoverLists, cost: Ints, floor: int, steps: int) -> Bools:
    """(J,) a good cover, ``cost`` (J,) each and above 0: greedy, then so many exchanges, or fewer if its cost is ``floor``."""
    start, row = rows.by_site()
    first = _greedy(start, row, rows.start, rows.site, cost)
    found: Bools = _exchange(start, row, rows.start, rows.site, cost, first, floor, steps)
    return found
