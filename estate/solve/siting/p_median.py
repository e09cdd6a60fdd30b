"""Which ``p`` sites serve everybody at least cost: multipliers, exchanges, and what they fix.

The p-median problem (Hakimi 1964) and maximal covering (Church and ReVelle 1974) are one problem here.  Row ``i`` lists sites
by rising cost ``c_ij``, and costs ``beyond_i`` where none of them is open (for covering: ``c_ij = 0``, ``beyond_i`` the weight
lost)::

    minimise  sum_i min(beyond_i, min_{j open} c_ij)      over at most p open sites

**Bound.**  Pricing "row i is served once" by ``u_i <= beyond_i`` leaves the choice of the ``p`` best sites (Cornuejols,
Fisher and Nemhauser 1977)::

    L(u) = sum_i u_i + (sum of the p least  rho_j),        rho_j = sum_i min(0, c_ij - u_i)

Only entries cheaper than ``u_i`` are looked at, and lists are sorted, so an iteration reads a few entries of each row.  The
ascent is a deflected subgradient (Camerini, Fratta and Maffioli 1975); every choice it makes is also valued as a plan.

**Plan.**  Best exchange of one open site for a closed one, all exchanges valued in one reading of the lists (Whitaker 1983;
Resende and Werneck 2007).

**What is fixed.**  A plan better than ``best`` costs at most ``best - 1``, everything being whole.  With ``r`` the p-th least
``rho`` and ``r'`` the next:

* site ``j`` not among the chosen stays closed when ``L - r + rho_j > best - 1``;
* site ``j`` among the chosen stays open when ``L - rho_j + r' > best - 1``;
* row ``i`` is served at ``c_ij <= u_i + (best - 1 - L)``, or not at all where ``beyond_i`` is within that too: to be served
  dearer adds ``c_ij - u_i`` to ``L`` (the reduced-cost argument of Beasley 1985, by row).

What is left goes to HiGHS as a problem of the same kind.
"""

# Compiled kernels: numba infers the types; one long function is faster than many.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0913, PLR0915, PLR0917

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numba
import numpy as np

from estate.problem import Bools, Floats, Ints

SAFETY = 1e-9
"""Taken off every bound, relative: a sum of 10**6 doubles errs by less than 10**6 x 2**-53 of its size."""
ROUND = 50
"""Iterations between two rounds of exchanges."""
MOST_ROUNDS = 40
LEAST_SCALE = 2e-3
"""The ascent is over when its step's scale has fallen below this."""
MOST_EXCHANGES = 20_000_000
"""Exchanges (sites x p) beyond which their table would not fit in a cache, nor be worth its memory."""


class NearestLists(NamedTuple):
    """Rows of sites by rising distance; the cost of an entry is ``weight[row] * distance[entry]``.

    Shapes: ``start`` (R + 1,), ``site`` and ``distance`` (E,), ``weight`` and ``beyond`` (R,); the costs are whole numbers.
    """

    start: Ints
    site: Ints
    distance: Ints
    weight: Ints
    beyond: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MedianDual:
    """The best plan seen, and what the multipliers prove."""

    value: float
    """Cost of ``open``."""
    open: Bools
    bound: float
    """No plan costs less."""
    row: Floats
    """(R,) ``u``."""
    closed: Bools
    """(J,) sites that are closed in every better plan."""
    kept: Bools
    """(J,) sites that are open in every better plan."""

    @property
    def room(self) -> float:
        """What a better plan may add to the bound; negative when there is none."""
        return self.value - 1 - self.bound


@numba.njit(cache=True, nogil=True)
def _choose(rho, must, may, p, chosen):
    """Marks the sites that must be open and the least of the others, ``p`` in all; the p-th least and the next."""
    J = len(rho)
    n = 0
    free = np.empty(J)
    taken = 0
    for j in range(J):
        chosen[j] = must[j]
        if must[j]:
            taken += 1
        elif may[j]:
            free[n] = rho[j]
            n += 1
    k = min(p - taken, n)
    if k <= 0:
        return -np.inf, 0.0 if n == 0 else free[:n].min()
    ordered = np.partition(free[:n], k - 1)
    last = ordered[k - 1]
    following = ordered[k:].min() if k < n else 0.0
    equal = k
    for j in range(J):
        if may[j] and not must[j] and rho[j] < last:
            chosen[j] = True
            equal -= 1
    for j in range(J):
        if equal > 0 and may[j] and not must[j] and rho[j] == last:
            chosen[j] = True
            equal -= 1
    return last, following


@numba.njit(cache=True, nogil=True)
def _price(start, site, distance, weight, u, rho):
    """``rho_j`` of every site."""
    rho[:] = 0.0
    for i in range(len(weight)):
        limit = u[i]
        w = weight[i]
        for e in range(start[i], start[i + 1]):
            c = w * distance[e]
            if c >= limit:
                break
            rho[site[e]] += c - limit


@numba.njit(cache=True, nogil=True)
def _ascend(start, site, distance, weight, beyond, u, must, may, p, iterations, scale, goal, best_open, bound):
    """Subgradient iterations on ``u``; the bound and its multipliers, the cost of ``best_open``, the scale that is left.

    ``goal`` is the cost of the best plan known; ``best_open`` becomes the best of those met here.
    """
    R, J = len(weight), len(must)
    rho = np.zeros(J)
    chosen = np.zeros(J, dtype=np.bool_)
    top = u.copy()
    direction = np.zeros(R)
    slope = np.zeros(R)
    best = np.inf
    stalled = 0
    for _ in range(iterations):
        _price(start, site, distance, weight, u, rho)
        _choose(rho, must, may, p, chosen)
        value = 0.0
        total = 0.0
        norm = 0.0
        for j in range(J):
            if chosen[j]:
                value += rho[j]
        for i in range(R):
            value += u[i]
            served = 0
            cost = beyond[i]
            for e in range(start[i], start[i + 1]):
                c = weight[i] * distance[e]
                if c >= cost and c >= u[i]:
                    break
                if chosen[site[e]]:
                    cost = min(cost, c)
                    if c >= u[i]:
                        break
                    served += 1
            total += cost
            g = 1.0 - served
            if g > 0 and u[i] >= beyond[i]:
                g = 0.0
            slope[i] = g
        if total < best:
            best = total
            best_open[:] = chosen
            goal = min(goal, best)
        if value > bound:
            bound = value
            top[:] = u
            stalled = 0
        else:
            stalled += 1
            if stalled >= 15:
                scale *= 0.66
                stalled = 0
        for i in range(R):
            direction[i] = 0.3 * direction[i] + 0.7 * slope[i]
            norm += direction[i] * direction[i]
        if norm < 1e-12 or bound > goal - 1 or scale < LEAST_SCALE:
            break
        step = scale * max(goal - value, 1e-6 * abs(goal)) / norm
        for i in range(R):
            u[i] = min(u[i] + step * direction[i], beyond[i])
    return bound, top, best, scale


@numba.njit(cache=True, nogil=True)
def _exchange(start, site, distance, weight, beyond, is_open, must, may, passes):
    """Best exchanges of one site for another until none helps (in place); the cost."""
    R, J = len(weight), len(may)
    p = 0
    for j in range(J):
        p += is_open[j]
    rank = np.full(J, -1)
    held = np.empty(p, dtype=np.int64)
    n = 0
    for j in range(J):
        if is_open[j]:
            rank[j] = n
            held[n] = j
            n += 1
    gain = np.zeros(J)
    loss = np.zeros(p)
    extra = np.zeros((J, p))
    value = 0.0
    for _ in range(passes):
        gain[:] = 0.0
        loss[:] = 0.0
        extra[:] = 0.0
        value = 0.0
        for i in range(R):
            first = second = beyond[i]
            by = -1
            w = weight[i]
            for e in range(start[i], start[i + 1]):
                c = w * distance[e]
                if c >= beyond[i]:
                    break
                if is_open[site[e]]:
                    if by < 0:
                        first = c
                        by = rank[site[e]]
                    else:
                        second = c
                        break
            value += first
            if by >= 0:
                loss[by] += second - first
            for e in range(start[i], start[i + 1]):
                c = w * distance[e]
                if c >= second:
                    break
                j = site[e]
                if is_open[j] or not may[j]:
                    continue
                if c < first:
                    gain[j] += first - c
                    if by >= 0:
                        extra[j, by] += second - first
                else:
                    extra[j, by] += second - c
        most = 0.5
        goes = comes = -1
        for j in range(J):
            if is_open[j] or not may[j]:
                continue
            for r in range(p):
                if not must[held[r]] and gain[j] - loss[r] + extra[j, r] > most:
                    most = gain[j] - loss[r] + extra[j, r]
                    goes, comes = r, j
        if comes < 0:
            break
        is_open[held[goes]] = False
        is_open[comes] = True
        rank[held[goes]] = -1
        held[goes] = comes
        rank[comes] = goes
        value -= most
    return value


@numba.njit(cache=True, nogil=True)
def _middle(start, distance, weight, beyond, rank):
    """The first multipliers: the cost at a rank in each list, or halfway to doing without."""
    u = np.empty(len(weight))
    for i in range(len(weight)):
        e = min(start[i] + rank, start[i + 1] - 1)
        c = beyond[i] if e < start[i] else float(weight[i] * distance[e])
        u[i] = min(c, beyond[i]) if c > 0 else beyond[i] / 2
    return u


def solve(
    lists: NearestLists, must: Bools, may: Bools, p: int, *, rounds: int = MOST_ROUNDS, over: Callable[[], bool] = lambda: False
) -> MedianDual:
    """Multipliers and exchanges until nothing is left to prove or the ascent is over; ``over()`` is asked now and then.

    There must be a plan: ``must`` has at most ``p`` sites, all of them in ``may``.  ``beyond`` is finite: where a row must be
    served and lists every site, its greatest cost.
    """
    J = len(must)
    p = min(p, int(may.sum()))
    u = _middle(lists.start, lists.distance, lists.weight, lists.beyond, -(-J // max(p, 1)))
    best, plan = np.inf, np.zeros(J, dtype=bool)
    bound, scale = -np.inf, 1.0
    for _ in range(rounds):
        bound, u, found, scale = _ascend(*lists, u, must, may, p, ROUND, scale, best, trial := plan.copy(), bound)
        if p > 0 and J * p <= MOST_EXCHANGES:
            found = _exchange(*lists, trial, must, may, 10 * p)
        if found < best:
            best, plan = found, trial
        if bound > best - 1 or scale < LEAST_SCALE or over():
            break
    bound -= SAFETY * max(1.0, abs(bound), float(np.abs(u).sum()))
    nothing = np.zeros(J, dtype=bool)
    return decide(lists, must, may, p, MedianDual(best, plan, bound, u, nothing, nothing))


def decide(lists: NearestLists, must: Bools, may: Bools, p: int, dual: MedianDual) -> MedianDual:
    """The same, with the sites that its multipliers decide for every plan better than its own."""
    rho = np.zeros(len(must))
    _price(*lists[:4], dual.row, rho)
    chosen = np.zeros(len(must), dtype=bool)
    last, following = _choose(rho, must, may, p, chosen)
    closed = ~may | (~chosen & (dual.bound - last + rho > dual.value - 1))
    kept = must | (chosen & (dual.bound - rho + following > dual.value - 1))
    return replace(dual, closed=closed, kept=kept)


@numba.njit(cache=True, nogil=True)
def _value(start, site, distance, weight, beyond, is_open):
    total = 0.0
    for i in range(len(weight)):
        cost = beyond[i]
        for e in range(start[i], start[i + 1]):
            c = weight[i] * distance[e]
            if c >= cost:
                break
            if is_open[site[e]]:
                cost = c
                break
        total += cost
    return total


def value(lists: NearestLists, is_open: Bools) -> float:
    """The cost of a plan."""
    return float(_value(lists.start, lists.site, lists.distance, lists.weight, lists.beyond, is_open))
