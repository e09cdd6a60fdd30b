"""Least-cost covers by branching on pairs of rows: one site serves both, or none does.

**Set covering** (Toregas, Swain, ReVelle and Bergman 1971): ``min sum cost_j open_j``, every row with an open site.  In the plane
its linear relaxation is spread over sites that are nearly alike (250 of 680 at a fifth each), so closing one of them changes
nothing.  What counts is whether two rows ``r`` and ``s`` share their site.  Let ``T`` be the sites that serve both, and branch
(Ryan and Foster 1981, on rows to be covered exactly once; here on covering)

    some site of T is open:  sum_{j in T} open_j >= 1          none is:  open_j = 0 for all j in T

Both sides are set covering problems again.  The pair is the one with the greatest ``x(T) (1 - x(T)) min(u_r, u_s)``, ``x`` being
the relaxation's plan and ``u`` its multipliers: 170 nodes for 54 of 680 sites.  Pairs by ``x(T)``
near a half alone take ten times as many nodes.  Where rows of some price cannot be told apart, those without a surplus are asked.

**Bounds** are computed from the multipliers ``u >= 0`` that HiGHS's dual simplex leaves, not taken from its objective:

    L(u) = sum_r u_r + sum_j min(0, cost_j - sum_{r of j} u_r)

Costs are whole, so a node ends once ``L`` is above the best cover less one; a site whose reduced cost lifts ``L`` there is
closed.  Rows with a tenth to spare in the first relaxation are left out of the others (2.3 -> 2.1 s on the rows below) and
come back where a whole plan breaks them.

**Tried and left out**, on the same 913 x 683 rows and sites (relaxation 51.5, optimum 54; CPU seconds):

* zero-half cuts (Caprara and Fischetti 1996): three rows at a time lift the root to 51.95, larger odd sets to 52.2, in 8 rounds;
* a sweep over the place, states being the sets of rows served and what the multipliers show to be wasted so far (all that is
  wasted may add up to 1.5): 0.01-0.4 s on four regions, but beyond a million states here, and on nodes no faster than a branch;
* a depth-first search by the waste alone, also to end nodes that may waste next to nothing: it finds the same dead ends over and
  over; subgradient for the simplex: 50.9 in 0.04 s, where the simplex has 51.5 in 0.07;
* rows of great ``u`` to be served exactly once (reduced cost of the surplus): a tenth fewer nodes, in the same time.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912

from __future__ import annotations

from dataclasses import dataclass, field

import numba
import numpy as np

from estate.model.arrays import Arrays
from estate.problem import Bools, Floats, Ints
from estate.solve import highs
from estate.solve.siting import cover_search
from estate.solve.siting.cover_search import CoverLists, SearchLimit

LARGEST = 400_000
"""Entries beyond which the relaxation itself is too slow to be solved again and again."""

SPARE = 1.1
"""Activity at the root from which a row is left out of the relaxations that follow."""

CORE = 0.05
"""Greatest reduced cost, by cost, of the sites among which good covers are looked for: 0.02-0.1 find them about as fast, all
sites take three times as long."""

STEPS = 30
"""Exchanges, for each site, of a search for covers (20-80 ms for a region) at the root and before nodes 2, 3, 5, 9 ...; a quarter
of it after node :data:`FULL`.  With a quarter from node 2 on, one region of five finds its optimum late: 101 nodes for 11."""

FULL = 5

WORK = 200_000_000
"""Sites looked at in one search for covers, at most: a quarter of a second, during which nobody can stop it."""


@dataclass(frozen=True, slots=True, eq=False)
class BestCover:
    """The best cover below the limit, if any; no cover costs less than ``bound``; whether all was searched."""

    open: Bools | None
    bound: int
    complete: bool
    nodes: int


@numba.njit(cache=True, nogil=True)
def _bound(start, site, cost, dead, u, reduced):
    """What multipliers ``u >= 0`` prove, and the reduced costs (in place)."""
    reduced[:] = cost
    total = 0.0
    for r in range(len(start) - 1):
        if u[r] > 0.0:
            total += u[r]
            for e in range(start[r], start[r + 1]):
                reduced[site[e]] -= u[r]
    for j in range(len(cost)):
        if not dead[j] and reduced[j] < 0.0:
            total += reduced[j]
    return total


@numba.njit(cache=True, nogil=True)
def _pair(start, site, n, x, weight):
    """The two rows to branch on, of those with a weight; -1 where every two of them share their site wholly or not at all."""
    R = len(start) - 1
    tight = weight > 1e-9
    size = np.zeros(n + 1, dtype=np.int64)
    for r in range(R):
        if tight[r]:
            for e in range(start[r], start[r + 1]):
                if x[site[e]] > 1e-9:
                    size[site[e] + 1] += 1
    first = np.cumsum(size)
    at = first[:-1].copy()
    rows = np.empty(first[n], dtype=np.int64)
    for r in range(R):
        if tight[r]:
            for e in range(start[r], start[r + 1]):
                if x[site[e]] > 1e-9:
                    rows[at[site[e]]] = r
                    at[site[e]] += 1
    both = np.zeros(R)
    best, a, b = 1e-9, -1, -1
    for r in range(R):
        if not tight[r]:
            continue
        for e in range(start[r], start[r + 1]):
            j = site[e]
            if x[j] > 1e-9:
                for f in range(first[j], first[j + 1]):
                    if rows[f] > r:
                        both[rows[f]] += x[j]
        for e in range(start[r], start[r + 1]):
            j = site[e]
            if x[j] > 1e-9:
                for f in range(first[j], first[j + 1]):
                    s = rows[f]
                    if s > r and both[s] > 0.0:
                        score = both[s] * (1.0 - both[s]) * min(weight[r], weight[s])
                        both[s] = 0.0
                        if score > best:
                            best, a, b = score, r, s
    return a, b


@dataclass(slots=True, eq=False)
class _Node:
    """A set covering problem of the tree, and its relaxation."""

    extra: tuple[Ints, ...]
    dead: Bools
    basis: highs.Basis
    bound: float = -np.inf
    own: float = -np.inf
    """What ``u`` proves, beside which ``reduced`` means something; ``bound`` may be that of the node above."""
    x: Floats = field(default_factory=lambda: np.zeros(0))
    u: Floats = field(default_factory=lambda: np.zeros(0))
    reduced: Floats = field(default_factory=lambda: np.zeros(0))


class _Relaxation:
    """HiGHS's dual simplex on the rows, started from the basis of the node above."""

    def __init__(self, rows: CoverLists, cost: Floats, budget: SearchLimit) -> None:
        self.rows, self.cost, self.budget = rows, cost, budget
        self.extra: tuple[Ints, ...] = ()
        self.highs = h = highs.linear(simplex_strategy=1)
        if cost.min(initial=1.0) < 1e-3:  # of the dearest: one unit is little to the simplex
            h.setOptionValue("dual_feasibility_tolerance", 1e-10)
        J, R = rows.J, len(rows)
        relaxed = Arrays(
            cost, 0.0, np.zeros(J), np.full(J, np.inf), np.zeros(J, dtype=bool), np.ones(R), np.full(R, np.inf),
            rows.start, rows.site, np.ones(len(rows.site)), 1.0,
        )  # fmt: skip
        h.passModel(highs.lp(relaxed))
        if len(rows.site) > LARGEST // 20:  # a long run: asked at each iteration, which would slow down short ones
            h.HandleKeyboardInterrupt = False
            h.cbSimplexInterrupt += lambda event: event.interrupt() if budget.clock.stop() else None

    def solve(self, node: _Node, limit: float) -> None:
        """The node's bound, plan, multipliers and basis (in place); it may end where the bound is above ``limit``."""
        h, base = self.highs, len(self.rows)
        same = 0
        while same < min(len(self.extra), len(node.extra)) and self.extra[same] is node.extra[same]:
            same += 1
        if same < len(self.extra):
            h.deleteRows(len(self.extra) - same, np.arange(base + same, base + len(self.extra), dtype=np.int32))
        for row in node.extra[same:]:
            h.addRow(1.0, np.inf, len(row), row.astype(np.int32), np.ones(len(row)))
        self.extra = node.extra
        J = self.rows.J
        h.changeColsBounds(J, np.arange(J, dtype=np.int32), np.zeros(J), np.where(node.dead, 0.0, np.inf))
        lacking = base + len(node.extra) - len(node.basis.row_status)
        if node.basis.valid:
            if lacking:
                basis = highs.Basis()
                basis.col_status = node.basis.col_status
                basis.row_status = node.basis.row_status + [highs.BASIC] * lacking
                basis.valid = True
                node.basis = basis
            h.setBasis(node.basis)
        self._run(node, limit)
        if node.bound <= limit and h.getModelStatus() == highs.AT_BOUND:
            self._run(node, np.inf)  # its objective said more than its multipliers prove

    def _run(self, node: _Node, limit: float) -> None:
        h = self.highs
        h.setOptionValue("objective_bound", limit if np.isfinite(limit) else highs.INF)
        left = self.budget.clock.left()
        if left is not None:
            h.setOptionValue("time_limit", h.getRunTime() + max(left, 0.01))
        h.run()
        found = h.getSolution()
        rows = self.rows.more(node.extra)
        node.x, node.u = np.array(found.col_value), np.zeros(len(rows))
        if found.dual_valid:
            node.u = np.maximum(np.array(found.row_dual), 0.0)
        node.reduced = np.empty(rows.J)
        node.own = float(_bound(rows.start, rows.site, self.cost, node.dead, node.u, node.reduced))
        node.bound = max(node.bound, node.own)
        node.basis = h.getBasis()

    def keep(self, rows: Bools, node: _Node) -> None:
        """Leave out the other rows; ``node`` is the root just solved, whose multipliers are there."""
        out = np.flatnonzero(~rows).astype(np.int32)
        if len(out):
            self.highs.deleteRows(len(out), out)
            self.rows = self.rows.part(rows)
            node.u = node.u[rows]
            self.highs.run()
            node.basis = self.highs.getBasis()


@dataclass(slots=True, eq=False)
class _Best:
    """The rows as they were, and the best cover so far."""

    rows: CoverLists
    cost: Ints
    value: int
    """Its cost; one more than what is of interest where there is none yet."""
    plan: Bools | None
    gap: float
    enough: int

    def proof(self) -> float:
        """A bound above this leaves nothing better, costs being whole; with room for the rounding of sums."""
        return self.value - 1 + 1e-6 + 1e-9 * self.value

    def limit(self) -> float:
        """A bound above this is as near as was asked for."""
        return min(self.proof(), self.value * (1.0 - self.gap))

    def look_at(self, plan: Bools) -> None:
        """Keep a cover if it is better."""
        value = int(self.cost[plan].sum())
        if value < self.value:
            self.value, self.plan = value, plan

    def improve(self, node: _Node, price: Floats, steps: int) -> None:
        """Looks for a better cover among the sites of little reduced cost."""
        core = np.flatnonzero((node.reduced < CORE * price) & ~node.dead)
        number = np.full(self.rows.J, -1)
        number[core] = np.arange(len(core))
        site = number[self.rows.site]
        row = np.repeat(np.arange(len(self.rows)), np.diff(self.rows.start))[site >= 0]
        start = np.searchsorted(row, np.arange(len(self.rows) + 1)).astype(np.int64)
        if (np.diff(start) == 0).any():
            return
        steps = min(steps, WORK // max(len(core), 1))
        floor = max(int(np.ceil(node.bound * float(self.cost.max()) - 1e-6)), self.enough)
        found = cover_search.search(CoverLists(start, site[site >= 0], len(core)), self.cost[core], floor, steps)
        plan = np.zeros(self.rows.J, dtype=bool)
        plan[core[found]] = True
        self.look_at(plan)

    def branches(self, node: _Node, rows: CoverLists) -> list[tuple[tuple[Ints, ...], Bools]]:
        """Problems, as further rows and closed sites, that hold every better cover of the node; ``rows`` are those in use."""
        now = rows.more(node.extra)
        a, b = _pair(now.start, now.site, now.J, node.x, node.u)
        if a < 0:  # sites that serve the same rows of some price: let the other rows without a surplus tell them apart
            a, b = _pair(now.start, now.site, now.J, node.x, (now.sum(node.x) < 1 + 1e-6).astype(float))
        if a >= 0:
            shared = np.intersect1d(now.list(a), now.list(b))
            return _either(node, shared[~node.dead[shared]])
        plan = node.x > 0.5
        broken = self.rows.sum(plan.astype(float)) < 0.5
        whole = not ((node.x > 1e-6) & (node.x < 1 - 1e-6)).any()
        if not broken.any():
            self.look_at(plan)
        elif whole:  # rows that had been left out
            lost = self.rows.part(broken)
            return [((*node.extra, *(s[~node.dead[s]] for s in map(lost.list, range(len(lost))))), node.dead)]
        single = [int(row[0]) for row in node.extra if len(row) == 1]
        open_already = np.zeros(now.J, dtype=bool)
        open_already[single] = True
        choice = np.where(open_already | node.dead, -1.0, np.minimum(node.x, 1.0) * (1.0 - np.minimum(node.x, 1.0)))
        j = int(choice.argmax())
        if choice[j] <= 1e-6 * 0.5:  # whole: what is open and not yet so in every plan of the node
            sure = np.flatnonzero(plan & ~open_already & ~node.dead)
            if not len(sure):
                return []
            j = int(sure[0])
        return _either(node, np.array([j]))


def _either(node: _Node, sites: Ints) -> list[tuple[tuple[Ints, ...], Bools]]:
    """One of the sites is open, or none."""
    closed = node.dead.copy()
    closed[sites] = True
    return [((*node.extra, sites), node.dead), (node.extra, closed)]


def solve(rows: CoverLists, cost: Ints, below: int, start: Bools | None, budget: SearchLimit, *, enough: int = 0) -> BestCover:
    """The cheapest cover that costs less than ``below``.

    ``cost`` (J,) is whole and above 0, every row has a site, and ``start`` is a cover of cost ``below``, or None.  The search
    ends with any cover of at most ``enough``, or when the budget is used up.
    """
    if not len(rows):
        return BestCover(np.zeros(rows.J, dtype=bool), 0, complete=True, nodes=0)
    top = float(cost.max())
    price = cost / top
    best = _Best(rows, cost, below, start, budget.gap, enough)
    lp = _Relaxation(rows, price, budget)
    root = _Node((), np.zeros(rows.J, dtype=bool), highs.Basis())
    lp.solve(root, best.limit() / top)
    best.improve(root, price, STEPS * rows.J)
    lp.keep(rows.sum(root.x) < SPARE, root)
    waiting, done, near = [root], 0, np.inf
    while waiting and best.value > enough:
        if budget.over() or (budget.nodes is not None and done >= budget.nodes):
            break
        node = waiting.pop()
        if node.bound * top > best.limit():
            if node.bound * top <= best.proof():
                near = min(near, node.bound * top)
            continue
        done += 1
        if done > 1 and (done - 1) & (done - 2) == 0:
            best.improve(node, price, STEPS * rows.J // (1 if done <= FULL else 4))
        node.dead = node.dead | ((node.own + node.reduced) * top > best.proof())
        children: list[_Node] = []
        for extra, dead in best.branches(node, lp.rows):
            if (lp.rows.more(extra).sum((~dead).astype(float)) < 0.5).any():  # a row without a site
                continue
            child = _Node(extra, dead, node.basis, node.bound)
            lp.solve(child, best.proof() / top)
            if child.bound * top <= best.proof():
                children.append(child)
        waiting += sorted(children, key=lambda child: child.bound)
    lowest = min([near, *(node.bound * top for node in waiting)])
    bound = best.value if lowest > best.proof() else int(np.ceil(lowest - 1e-6 - 1e-9 * best.value))
    return BestCover(best.plan, min(bound, best.value), not waiting, done)
