"""Branch and bound over the linear programme of sets and offers, with strong branching.

Every decision is about a row ``r`` at a site ``j``: do the sets in use at ``j`` contain it?  The site's own row asks whether it
is open, a link whether it offers a service, a point whether it hosts it.  *No* leaves out the sets at ``j`` with ``r``; *yes*
leaves out those without, asks the site for a set and, for a point, leaves out the sets elsewhere that hold it.  So a decision
is a change of bounds, and the programme's rows stay as they are (Ryan and Foster 1981).

The decision to branch on is the one with the best product of the two children's rises (Achterberg, Koch and Martin 2005:
reliability branching).  A rise is measured by :data:`ITERATIONS` of the dual simplex, the first :data:`RELIABLE` times a
decision comes up, and read from what was measured afterwards: a fifth of the nodes that
branching on the building nearest a half takes.

The child that agrees with the linear programme goes first (a dive finds plans), then the open node with the least bound.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, Floats, Ints
from estate.solve.highs import INF
from estate.solve.shares.offers import OfferMaster

ITERATIONS = 40
CANDIDATES = 10
"""Decisions measured at a node, at most, where no other number is given."""
LOOK = 40
"""Decisions looked at."""
RELIABLE = 3
STALL = 8
"""Candidates in a row without a better one, after which the best is taken."""
LEAST = 1e-6
DIVE = 100
"""Nodes between two dives."""
TELL = 20
"""Nodes between two reports of the bound."""


class RowDecision(NamedTuple):
    """Whether the sets in use at a site are in a row."""

    row: int
    site: int
    up: bool


@dataclass(frozen=True, slots=True)
class BranchedResult:
    """The end of a search, in the solver's unit."""

    chosen: Ints | None
    """The sets of the best plan, if one is better than the value given."""
    bound: float
    nodes: int
    complete: bool


@dataclass(slots=True)
class _Rises:
    """Rises of the bound for a unit of change, by decision: (down, up, times); ``mean`` over all of them."""

    seen: dict[tuple[int, int], tuple[float, float, int]] = field(default_factory=dict)
    mean: tuple[float, float, int] = (1.0, 1.0, 1)

    def of(self, key: tuple[int, int]) -> tuple[float, float]:
        down, up, times = self.seen.get(key, self.mean)
        return down / times, up / times

    def note(self, key: tuple[int, int], down: float, up: float) -> None:
        for name in (key, None):
            d, u, times = self.mean if name is None else self.seen.get(key, (0.0, 0.0, 0))
            if name is None:
                self.mean = (d + down, u + up, times + 1)
            else:
                self.seen[key] = (d + down, u + up, times + 1)


class Tree:
    """A search; see the module."""

    def __init__(self, lp: OfferMaster, best: float, over: Callable[[], bool], *, candidates: int = CANDIDATES) -> None:
        """Plans worth less than ``best`` are looked for; ``lp`` is solved."""
        self.lp, self.best, self.over, self.candidates = lp, best, over, candidates
        n = len(lp.site)
        rows = lp.n_points + lp.n_sites + lp.n_links
        owner = np.repeat(np.arange(n), np.diff(lp.start))
        self._with = csr_array((np.ones(len(owner), dtype=np.int8), (lp.row, owner)), shape=(rows, n))
        self._root, self._excess = lp.bound, lp.excess()

    def search(  # noqa: C901, PLR0912, PLR0915 - dives, reports and the ways a node ends
        self,
        *,
        gap: float,
        least: float,
        nodes: int,
        saw: Callable[[Ints | None, float], None] | None = None,
    ) -> BranchedResult:
        """The best plan.  A branch is given up within a relative ``gap``, or ``least``, of the best.

        ``saw`` is told of each better plan, and now and then of the bound.
        """
        lp = self.lp
        self._rises = _Rises()
        chosen: Ints | None = None
        heap: list[tuple[float, int, tuple[RowDecision, ...]]] = []
        node: tuple[RowDecision, ...] | None = ()
        inherited, given_up, done, dived = self._root, np.inf, 0, 0
        while True:
            close = max(gap * abs(self.best), least)
            if node is None:
                while heap and heap[0][0] >= self.best - close:
                    given_up = min(given_up, heapq.heappop(heap)[0])
                if not heap:
                    break
                inherited, _, node = heapq.heappop(heap)
                if done - dived >= DIVE:
                    dived = done
                    use_ = self.dive(node)
                    if use_ is not None:
                        chosen = use_
                        if saw is not None:
                            saw(use_, -np.inf)
            if done >= nodes or self.over():
                heapq.heappush(heap, (inherited, -1, node))
                break
            done += 1
            if saw is not None and done % TELL == 0:
                saw(None, min([inherited, self.best, given_up, *(entry[0] for entry in heap)]))
            lp.restrict(*self._bounds(node))
            lp.solve(self.over, enough=self.best - close)
            bound = max(inherited, lp.bound)
            choice = None
            if bound < self.best - close:
                use, x, _ = lp.values()
                short = lp.short()
                if not short and (x > 1 - 1e-5).all():
                    value = float(lp.cost[use].sum())  # not the solver's: sets may have been added since it ran
                    if value < self.best - 1e-9:
                        self.best, chosen = value, use
                        if saw is not None:
                            saw(use, -np.inf)
                else:
                    choice = self._choose(node, use, x)
                    if choice is None and short and not self.over():
                        bound = np.inf  # all decided, and no plan
            if choice is None:
                given_up = min(given_up, bound)
                node = None
                continue
            heapq.heappush(heap, (bound, done, (*node, choice._replace(up=not choice.up))))
            node, inherited = (*node, choice), bound
        bound = min([self.best, given_up, *(entry[0] for entry in heap)])
        return BranchedResult(chosen, bound, done, not heap)

    def dive(self, node: tuple[RowDecision, ...] = (), *, sure: float = 0.9, turns: int = 60) -> Ints | None:
        """A plan by taking what the linear programme nearly says: all decisions at ``sure`` or more, or else the surest one.

        Where they leave nothing better than ``best``, the first of them is taken the other way, as long as that is not the second
        time in a row.
        """
        lp = self.lp
        root = before = node
        turned = False
        for _ in range(turns):
            if self.over():
                return None
            lp.restrict(*self._bounds(node))
            lp.solve(self.over, enough=self.best, turns=3)
            use, x, _ = lp.values()
            short = lp.short()
            if lp.bound >= self.best or short:
                if turned or node == root:
                    return None
                node, turned = (*before, node[len(before)]._replace(up=not node[len(before)].up)), True
                continue
            if (x > 1 - 1e-5).all():
                value = float(lp.cost[use].sum())  # not the solver's: sets may have been added since it ran
                if value >= self.best:
                    return None
                self.best = value
                return use
            candidates = sorted(self._open(node, use, x), key=lambda c: (-c[2], c[0]))
            if not candidates:
                return None
            take = max(1, sum(c[2] >= sure for c in candidates))
            before, turned = node, False
            node = (*node, *(RowDecision(row, site, True) for row, site, _ in candidates[:take]))
        return None

    def ascend(self) -> None:
        """Back to the root."""
        self.lp.restrict(*self._bounds(()))
        self.lp.solve(self.over)

    def _bounds(self, node: tuple[RowDecision, ...]) -> tuple[Bools, Floats]:
        """Sets left out and sites that must have one."""
        lp = self.lp
        banned = self._excess > (self.best - self._root) + 1e-9 * max(1.0, abs(self.best))
        site_lower = np.where(lp.shut, 0.0, 1.0)
        for decision in node:
            has = self._has(decision.row)
            at = lp.site == decision.site
            if decision.up:
                site_lower[decision.site] = 1.0
                banned |= at & ~has
                if decision.row < lp.n_points:
                    banned |= has & ~at
            else:
                banned |= at & has
        return banned, site_lower

    def _has(self, row: int) -> Bools:
        has = np.zeros(len(self.lp.site), dtype=bool)
        has[self._with.indices[self._with.indptr[row] : self._with.indptr[row + 1]]] = True
        return has

    def _open(self, node: tuple[RowDecision, ...], use: Ints, x: Floats) -> list[tuple[int, int, float]]:
        """Undecided (row, site, value): sites and links, or points where those are whole."""
        lp = self.lp
        of, row = lp.members(use)
        key, place = np.unique(row * lp.n_sites + lp.site[use][of], return_inverse=True)
        value = np.bincount(place, x[of], len(key))
        decided = np.array([d.row * lp.n_sites + d.site for d in node], dtype=np.int64)
        part = (value > LEAST) & (value < 1 - LEAST) & ~np.isin(key, decided)
        kind = key // lp.n_sites >= lp.n_points
        if (part & kind).any():
            part &= kind
        at = np.flatnonzero(part)
        rows, sites = np.divmod(key[at], lp.n_sites)
        return list(zip(rows.tolist(), sites.tolist(), value[at].tolist(), strict=True))

    def _choose(self, node: tuple[RowDecision, ...], use: Ints, x: Floats) -> RowDecision | None:
        """The decision to branch on, with the side that agrees with the linear programme."""
        candidates = self._open(node, use, x)
        if not candidates:
            return None
        lp = self.lp
        here = float(lp.lp.getInfo().objective_function_value)
        most = max(self.best - here, LEAST)

        def score(down: float, up: float) -> float:
            return max(down, LEAST) * max(up, LEAST)

        def expected(row: int, site: int, value: float) -> float:
            down, up = self._rises.of((row, site))
            return score(down * value, up * (1 - value))

        candidates.sort(key=lambda c: (-expected(*c), -min(c[2], 1 - c[2]), c[0]))
        chosen, top, stall, measured = candidates[0], -1.0, 0, 0
        basis = lp.lp.getBasis()
        columns = np.array(lp.order, dtype=np.int64)
        for candidate in candidates[:LOOK]:
            row, site, value = candidate
            if self._rises.seen.get((row, site), (0.0, 0.0, 0))[2] >= RELIABLE:
                worth = expected(row, site, value)
            elif measured == self.candidates:
                continue
            else:
                measured += 1
                down, up = (
                    min(max(self._rise(RowDecision(row, site, side), columns) - here, 0.0), most) for side in (False, True)
                )
                lp.lp.setBasis(basis)
                self._rises.note((row, site), down / max(value, 0.05), up / max(1 - value, 0.05))
                worth = score(down, up)
            stall += 1
            if worth > top:
                chosen, top, stall = candidate, worth, 0
            if stall == STALL:
                break
        row, site, value = chosen
        return RowDecision(row, site, value >= 0.5)

    def _rise(self, decision: RowDecision, columns: Ints) -> float:
        """The programme's value after a few iterations with a decision taken; all but the basis is put back."""
        lp, h = self.lp, self.lp.lp
        live = np.flatnonzero(columns >= 0)
        sets = columns[live]
        has, at = self._has(decision.row)[sets], lp.site[sets] == decision.site
        out = at & (has != decision.up)
        if decision.up and decision.row < lp.n_points:
            out |= has & ~at
        out &= ~lp.banned[sets]
        index = (lp.first + live[out]).astype(np.int32)
        n, j = len(index), lp.n_points + decision.site
        h.changeColsBounds(n, index, np.zeros(n), np.zeros(n))
        if decision.up:
            h.changeRowBounds(j, 1.0, 1.0)
        h.setOptionValue("simplex_iteration_limit", ITERATIONS)
        h.run()
        value = float(h.getInfo().objective_function_value)
        h.setOptionValue("simplex_iteration_limit", 2**31 - 1)
        h.changeColsBounds(n, index, np.zeros(n), np.full(n, INF))
        h.changeRowBounds(j, lp.row_lower[j], 1.0)
        return value
