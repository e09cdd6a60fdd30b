"""Branch and bound over a pool of sets.

A general solver spends seconds on the presolve of such a set partition (probing every pair of a site's sets) and restarts;
here a node is a few milliseconds: bounds are set on the sets in the linear programme, the dual simplex goes on from the
parent's basis, and sets of the pool that now price out come in.

Branching is on the decisions of the model, not on sets (Ryan and Foster 1981): first whether a site is open, then whether it
hosts a point.  Both are kept by leaving sets out, so no row changes but "this site has a set".  The child that agrees with the
linear programme is searched first (a dive finds plans), then the open node with the least bound.
"""

# ruff: noqa: D102, PLR0915 - a protocol's methods are documented where they are; a search has its terms

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Bools, Floats, Ints
from estate.solve.highs import INF

WHOLE = 0.9
"""A set of which the linear programme takes as much is kept in a dive."""
TURNS = 3
"""Steps of a dive that may be undone."""


class LinearRelaxation(Protocol):
    """What branching needs of the pool's linear programme (:class:`estate.solve.columns.enumeration._Pool`)."""

    site: Ints
    site_row: int
    lp: Any
    artificial: int
    order: list[int]
    reduced: Floats
    bound: float
    banned: Bools
    site_lower: Floats

    def solve(self, over: Callable[[], bool], *, enough: float = ...) -> None: ...
    def values(self) -> tuple[Ints, Floats]: ...
    def short(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class BranchNode:
    """A branch: sites decided, and (point, site) pairs decided."""

    sites: tuple[tuple[int, bool], ...] = ()
    pairs: tuple[tuple[int, int, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class BoundedResult:
    """The end of a search, in the solver's units."""

    chosen: Ints | None
    """The sets of the best plan, if one is better than the one given."""
    value: float
    bound: float
    nodes: int
    complete: bool


def search(
    pool: LinearRelaxation,
    members: csr_array,
    shut: Bools,
    best: float,
    *,
    gap: float,
    least: float,
    nodes: int,
    over: Callable[[], bool],
) -> BoundedResult:
    """The best plan in the pool that costs less than ``best``.

    ``members`` is (points, sets) 0/1; ``shut`` says which sites may have no set.  A branch is given up when its bound is within
    a relative ``gap``, or ``least``, of the best plan.
    """
    by_point = members.tocsr()
    by_set = members.T.tocsr()
    n_sets = by_point.shape[1]
    base = pool.banned.copy()
    chosen: Ints | None = None
    heap: list[tuple[float, int, BranchNode]] = []
    ticket, done, given_up = 0, 0, np.inf
    node: BranchNode | None = BranchNode()
    inherited = pool.bound
    while True:
        close = max(gap * abs(best), least) if np.isfinite(best) else 0.0
        if node is None:
            while heap and heap[0][0] >= best - close:
                given_up = min(given_up, heapq.heappop(heap)[0])
            if not heap:
                break
            inherited, _, node = heapq.heappop(heap)
        if done >= nodes or over():
            heapq.heappush(heap, (inherited, -1, node))
            break
        done += 1
        _apply(pool, node, by_point, base, n_sets, shut)
        pool.solve(over, enough=best - close)
        bound = max(inherited, pool.bound)
        if bound >= best - close:
            given_up = min(given_up, bound)
            node = None
            continue
        use, x = pool.values()
        sets = (use < n_sets) & (x > 1e-5)
        use, x = use[sets], x[sets]
        if not pool.short() and (x > 1 - 1e-5).all():
            value = float(pool.lp.getInfo().objective_function_value)
            if value < best - 1e-9:
                best, chosen = value, use
            given_up = min(given_up, bound)  # nothing better below
            node = None
            continue
        choice = _branch(pool, node, use, x, by_set)
        if choice is None:  # no decision left: an empty branch
            # It has no plan, if it is short; but a helper may be cheaper than what a side row asks for, so nothing is made of it.
            given_up = min(given_up, bound)
            node = None
            continue
        first, second = choice
        heapq.heappush(heap, (bound, ticket, second))
        ticket += 1
        node, inherited = first, bound
    pool.banned = base
    open_bound = min((entry[0] for entry in heap), default=np.inf)
    complete = not heap
    close = max(gap * abs(best), least) if np.isfinite(best) else 0.0
    return BoundedResult(
        chosen, best, min(best, open_bound, given_up) if np.isfinite(best) else min(open_bound, given_up), done, complete
    )


def dive(
    pool: LinearRelaxation, n_sets: int, shut: Bools, best: float, *, over: Callable[[], bool]
) -> tuple[Ints, float] | None:
    """A plan that costs less than ``best`` by rounding, and its value: the largest sets of the linear programme are kept in turn.

    A step that leads nowhere is undone and its least set left out; :data:`TURNS` such are allowed.  The programme is as it was
    afterwards.
    """
    open_ = np.where(shut, 0.0, 1.0)
    sites = pool.site[:n_sets]
    first, banned, lower = pool.banned, pool.banned, open_
    kept = np.zeros(len(open_), dtype=bool)
    turns, found = 0, None
    while not over():
        use, x = pool.values()
        sets = (use < n_sets) & (x > 1e-5)
        use, x = use[sets], x[sets]
        if not pool.short() and (x > 1 - 1e-5).all():
            value = float(pool.lp.getInfo().objective_function_value)
            found = (use, value) if value < best - 1e-9 else None
            break
        free = ~kept[sites[use]]
        use, x = use[free], x[free]
        if not len(use):
            break
        take = use[x >= min(WHOLE, x.max())]
        take = take[np.unique(sites[take], return_index=True)[1]]  # of two halves of a building, one
        there = sites[take]
        narrower, asked = banned.copy(), lower.copy()
        narrower[:n_sets] |= np.isin(sites, there)
        narrower[take] = False
        asked[there] = 1.0
        _put(pool, narrower, asked, n_sets)
        pool.solve(over, enough=best)
        if pool.bound < best and not pool.short():
            banned, lower = narrower, asked
            kept[there] = True
            continue
        turns += 1
        if turns > TURNS:
            break
        banned = banned.copy()
        banned[use[np.where(x >= min(WHOLE, x.max()), x, np.inf).argmin()]] = True
        _put(pool, banned, lower, n_sets)
        pool.solve(over, enough=best)
        if pool.bound >= best:
            break
    _put(pool, first, open_, n_sets)
    pool.solve(over)
    return found


def _apply(pool: LinearRelaxation, node: BranchNode, by_point: csr_array, base: Bools, n_sets: int, shut: Bools) -> None:
    """Leave out the sets that a node forbids."""
    banned = base.copy()
    sites = pool.site[:n_sets]
    lower = np.where(shut, 0.0, 1.0)
    for j, is_open in node.sites:
        if is_open:
            lower[j] = 1.0
        else:
            banned[:n_sets][sites == j] = True
    for s, j, hosts in node.pairs:
        with_point = np.zeros(n_sets, dtype=bool)
        with_point[by_point.indices[by_point.indptr[s] : by_point.indptr[s + 1]]] = True
        at_site = sites == j
        banned[:n_sets] |= (with_point ^ at_site) if hosts else (with_point & at_site)
    _put(pool, banned, lower, n_sets)


def _put(pool: LinearRelaxation, banned: Bools, lower: Floats, n_sets: int) -> None:
    """Say to the solver which sets are out and which sites must have one."""
    pool.banned = banned
    here = np.asarray(pool.order, dtype=np.int64)
    upper = np.where(banned[here], 0.0, np.where(here < n_sets, INF, 1.0))
    n = len(here)
    pool.lp.changeColsBounds(n, (pool.artificial + np.arange(n)).astype(np.int32), np.zeros(n), upper)
    for j in np.flatnonzero(lower != pool.site_lower).tolist():
        pool.lp.changeRowBounds(pool.site_row + j, lower[j], 1.0)
    pool.site_lower = lower


def _branch(
    pool: LinearRelaxation, node: BranchNode, use: Ints, x: Floats, by_set: csr_array
) -> tuple[BranchNode, BranchNode] | None:
    """The two children: the one that agrees with the linear programme first."""
    site = pool.site[use]
    openness = np.bincount(site, x)
    decided = {j for j, _ in node.sites}
    # Between a third and two thirds is a real question; among those, the building that most of the plan turns on.
    weight = np.minimum(openness, 1 - openness)
    for j in decided:
        if j < len(weight):
            weight[j] = 0.0
    if len(weight) and weight.max() > 1e-6:
        j = int(weight.argmax())
        up = openness[j] >= 0.5
        return tuple(BranchNode((*node.sites, (j, side)), node.pairs) for side in (up, not up))  # type: ignore[return-value]
    share: dict[tuple[int, int], float] = {}
    for i, value in zip(use.tolist(), x.tolist(), strict=True):
        for s in by_set.indices[by_set.indptr[i] : by_set.indptr[i + 1]].tolist():
            key = (s, int(pool.site[i]))
            share[key] = share.get(key, 0.0) + value
    settled = {(s, j) for s, j, _ in node.pairs}
    open_ = [(min(f, 1 - f), -s, -j) for (s, j), f in share.items() if 1e-6 < f < 1 - 1e-6 and (s, j) not in settled]
    if not open_:
        return None
    _, s, j = max(open_)
    s, j = -s, -j
    up = share[s, j] >= 0.5
    return tuple(BranchNode(node.sites, (*node.pairs, (s, j, side))) for side in (up, not up))  # type: ignore[return-value]
