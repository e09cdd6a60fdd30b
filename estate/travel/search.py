"""A bounded Dijkstra that touches only what it reaches, compiled by numba.

The heap holds one whole number an entry, cost and node packed together, and the arrays it works in are wiped by undoing what
was touched, so a search costs what it reaches whatever the size of the network (Dijkstra 1959; the bound is the usual cut-off).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from estate.problem import Ints
from estate.travel.snap import UNITS, Graph, Int32s

NODE_BITS = 27
MOST_NODES = 1 << NODE_BITS
_MASK = MOST_NODES - 1
_NEVER = 2**62


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compiled, and kept on disk where numba finds a folder that it may write to; compiled afresh where it does not."""
    try:
        return numba.njit(function, nogil=True, cache=True)  # type: ignore[no-any-return]
    except RuntimeError:  # numba's "no locator available": a read-only installation without a home
        return numba.njit(function, nogil=True)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A many-to-many question, in UNITS.

    From ``source`` nodes with access legs ``source_leg`` (F,), to ``target`` nodes with legs ``target_leg`` (T,).  A search
    goes on to ``limit``, and until it has the nearest target of each of ``n_groups`` groups (target ``t`` is in
    ``group[group_start[t]:group_start[t + 1]]``) plus ``slack``, and until it has met the ``must`` targets of its source
    (``must[must_start[i]:must_start[i + 1]]``).
    """

    source: Ints
    source_leg: Ints
    target: Ints
    target_leg: Ints
    limit: int
    slack: int
    n_groups: int
    group_start: Ints
    group: Ints
    must_start: Ints
    must: Ints


def processors() -> int:
    """How many processors this process may use."""
    return getattr(os, "process_cpu_count", os.cpu_count)() or 1  # the former is new in Python 3.13


def many_to_many(graph: Graph, cost: Int32s, query: Query, *, threads: int | None = None) -> tuple[Ints, Ints, Ints]:
    """(from, to, cost in UNITS) of all targets met, which include all that the query asks for; in no useful order.

    ``cost`` is ``graph.metres`` or ``graph.seconds``; ``threads`` defaults to the processors this process may use.
    """
    if graph.n >= MOST_NODES:
        raise ValueError(f"a network has at most {MOST_NODES:,} nodes")
    # Targets at a node as a linked list: heads by node, and the next by target.
    first = np.full(graph.n, -1, dtype=np.int32)
    following = np.full(len(query.target), -1, dtype=np.int32)
    _link(query.target, first, following)
    threads = min(threads or processors(), max(1, len(query.source)))

    # A search goes one whole metre or second beyond what is asked: what rounding down could let in.
    def work(k: int) -> tuple[Ints, Ints, Ints]:
        return _search(
            graph.start, graph.head, cost, first, following,
            query.source, query.source_leg, query.target_leg, query.limit + UNITS, query.slack + UNITS,
            query.n_groups, query.group_start, query.group, query.must_start, query.must, k, threads,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(work, range(threads)))
    from_, to, found = (np.concatenate(column) for column in zip(*parts, strict=True))
    return from_, to, found


@compiled
def _link(target: Ints, first: Int32s, following: Int32s) -> None:
    for t in range(len(target) - 1, -1, -1):
        following[t] = first[target[t]]
        first[target[t]] = t


@compiled
def _push(heap: Ints, size: int, key: int) -> None:
    """Into a 4-ary heap of ``size`` keys, which has room."""
    at = size
    while at > 0:
        parent = (at - 1) >> 2
        if heap[parent] <= key:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = key


@compiled
def _pop(heap: Ints, size: int) -> int:
    """The least of ``size`` keys, leaving ``size - 1``."""
    top = heap[0]
    size -= 1
    key = heap[size]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        least, value = child, heap[child]
        for other in range(child + 1, min(child + 4, size)):
            if heap[other] < value:
                least, value = other, heap[other]
        if value >= key:
            break
        heap[at] = value
        at = least
    heap[at] = key
    return top  # type: ignore[no-any-return]


@compiled
def _grown(values: Ints) -> Ints:
    more = np.empty(2 * len(values), dtype=values.dtype)
    more[: len(values)] = values
    return more


@compiled
def _search(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917  (one loop, compiled whole)
    start: Ints, head: Int32s, cost: Int32s, first: Int32s, following: Int32s,
    source: Ints, source_leg: Ints, target_leg: Ints, limit: int, slack: int,
    n_groups: int, group_start: Ints, group: Ints, must_start: Ints, must: Ints, begin: int, step: int,
) -> tuple[Ints, Ints, Ints]:  # fmt: skip
    distance = np.full(len(start) - 1, _NEVER, dtype=np.int64)
    # Room for the most there can be, of which only what is used becomes memory: an arc is followed at most once a search.
    touched = np.empty(len(start) - 1, dtype=np.int64)
    heap = np.empty(len(head) + 1, dtype=np.int64)
    out_from, out_to, out_cost = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256, np.int64)
    best = np.empty(n_groups, dtype=np.int64)
    asked_by = np.full(len(target_leg), -1, dtype=np.int64)
    n_out = 0
    for i in range(begin, len(source), step):
        best[:] = _NEVER
        missing = n_groups
        left = 0
        for k in range(must_start[i], must_start[i + 1]):
            asked_by[must[k]] = i
            left += 1
        bound = limit if missing == 0 and left == 0 else _NEVER
        distance[source[i]] = source_leg[i]
        touched[0] = source[i]
        n_touched = 1
        heap[0] = source_leg[i] << NODE_BITS | source[i]
        size = 1
        while size > 0:
            key = _pop(heap, size)
            size -= 1
            u = key & _MASK
            d = key >> NODE_BITS
            if d > bound:
                break
            if d > distance[u]:
                continue
            t = first[u]
            if t >= 0:
                while t >= 0:
                    total = d + target_leg[t]
                    if n_out == len(out_to):
                        out_from, out_to, out_cost = _grown(out_from), _grown(out_to), _grown(out_cost)
                    out_from[n_out], out_to[n_out], out_cost[n_out] = i, t, total
                    n_out += 1
                    if asked_by[t] == i:
                        left -= 1
                    for k in range(group_start[t], group_start[t + 1]):
                        g = group[k]
                        if total < best[g]:
                            if best[g] == _NEVER:
                                missing -= 1
                            best[g] = total
                    t = following[t]
                if missing == 0 and left == 0:
                    bound = limit
                    for g in range(n_groups):
                        bound = max(bound, int(best[g]) + slack)
            for e in range(start[u], start[u + 1]):
                v = head[e]
                onward = d + cost[e]
                if onward <= bound and onward < distance[v]:
                    if distance[v] == _NEVER:
                        touched[n_touched] = v
                        n_touched += 1
                    distance[v] = onward
                    _push(heap, size, onward << NODE_BITS | v)
                    size += 1
        for k in range(n_touched):
            distance[touched[k]] = _NEVER
    return out_from[:n_out], out_to[:n_out], out_cost[:n_out]
