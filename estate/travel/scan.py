"""The places of nodes, edges and their data in GraphML: one pass over the bytes, compiled by numba; attributes in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estate.problem import Ints
from estate.travel.search import compiled

NODE, EDGE, DATA = 0, 1, 2
KEY_BYTES = 7
"""Keys are compared as whole numbers, so they have at most so many characters; OSMnx's are ``d0``, ``d1`` ..."""

type Bytes = NDArray[np.uint8]

_ID, _SOURCE, _TARGET, _KEY = (np.frombuffer(word, dtype=np.uint8) for word in (b"id", b"source", b"target", b"key"))
_WORDS = (_ID, _SOURCE, _TARGET, _KEY)
"""The attributes that name a node, the ends of an edge, and what data are of."""


def packed(key: bytes) -> int:
    """A key as a whole number."""
    if not 0 < len(key) <= KEY_BYTES:
        raise ValueError(f"the key {key!r} is not one of OSMnx's")
    return int.from_bytes(key, "big")


def scan(text: Bytes, begin: int, keys: Ints) -> tuple[Ints, Ints, Ints]:
    """The elements after ``begin``: nodes, edges, and the data of the wanted keys.

    Returns
    -------
    nodes : (N, 2)
        Where each identifier starts and ends.
    edges : (E, 4)
        Where its source and its target start and end.
    data : (D, 4)
        Number of the key, number of the node or edge that the data belong to, where the value starts and ends.  Which of the
        two it belongs to goes by the key.

    Raises
    ------
    ValueError
        When an element lacks one of the attributes it must have.
    """
    most = _count(text, begin)
    nodes, edges, data = (np.empty((n, width), dtype=np.int64) for n, width in zip(most, (2, 4, 4), strict=True))
    n_data = _fill(text, begin, keys, _WORDS, nodes, edges, data)
    if n_data < 0:
        raise ValueError("it has nodes, edges or data of another form")
    return nodes, edges, data[:n_data]


def cut(text: Bytes, start: Ints, end: Ints) -> NDArray[np.bytes_]:
    """The bytes from ``start`` to ``end``, (n,) each, as an array of equal widths: for short values only."""
    width = max(1, int((end - start).max(initial=1)))
    out = np.zeros((len(start), width), dtype=np.uint8)
    _cut(text, start, end, out)
    values: NDArray[np.bytes_] = out.view(f"S{width}").ravel()
    return values


@compiled
def _cut(text: Bytes, start: Ints, end: Ints, out: Bytes) -> None:
    for i in range(len(start)):
        for k in range(end[i] - start[i]):
            out[i, k] = text[start[i] + k]


@compiled
def _kind(text: Bytes, at: int) -> int:
    """What starts at a ``<``: a node, an edge, data, or nothing of ours (-1)."""
    a, b, c, d, e = text[at + 1], text[at + 2], text[at + 3], text[at + 4], text[at + 5]
    if e > 32:
        return -1
    if a == 110 and b == 111 and c == 100 and d == 101:  # node
        return 0
    if a == 101 and b == 100 and c == 103 and d == 101:  # edge
        return 1
    if a == 100 and b == 97 and c == 116 and d == 97:  # data
        return 2
    return -1


@compiled
def _count(text: Bytes, begin: int) -> Ints:
    found = np.zeros(3, dtype=np.int64)
    for at in range(begin, len(text) - 6):
        if text[at] == 60:
            kind = _kind(text, at)
            if kind >= 0:
                found[kind] += 1
    return found


@compiled
def _attribute(text: Bytes, at: int) -> tuple[int, int, int, int]:
    """The next attribute of an element: where its name starts and ends, where its value does; -1 when none is left."""
    while at < len(text) and text[at] <= 32:
        at += 1
    name = at
    while at < len(text) and text[at] != 61 and text[at] > 32 and text[at] != 62 and text[at] != 47:
        at += 1
    stop = at
    while at < len(text) and text[at] <= 32:
        at += 1
    if stop == name or at >= len(text) or text[at] != 61:
        return -1, -1, -1, at
    at += 1
    while at < len(text) and text[at] <= 32:
        at += 1
    quote = text[at] if at < len(text) else 0
    if quote not in (34, 39):
        return -1, -1, -1, at
    start = at + 1
    at = start
    while at < len(text) and text[at] != quote:
        at += 1
    return name, stop, start, at


@compiled
def _named(text: Bytes, start: int, end: int, name: Bytes) -> bool:
    if end - start != len(name):
        return False
    same = True
    for k in range(len(name)):
        same &= text[start + k] == name[k]
    return same


@compiled
def _find(text: Bytes, at: int, name: Bytes) -> tuple[int, int]:
    """The value of an element's attribute, in whatever order they stand: where it starts and ends; -1 when it has none."""
    while True:
        first, stop, start, end = _attribute(text, at)
        if first < 0:
            return -1, -1
        if _named(text, first, stop, name):
            return start, end
        at = end + 1


@compiled
def _fill(  # noqa: C901, PLR0912  (one loop, compiled whole)
    text: Bytes, begin: int, keys: Ints, words: tuple[Bytes, Bytes, Bytes, Bytes], nodes: Ints, edges: Ints, data: Ints
) -> int:
    of_node, of_source, of_target, of_key = words
    n, m, k = 0, 0, 0
    owner = -1  # the node or edge whose data come
    at = begin
    last = len(text) - 6
    while at < last:
        if text[at] != 60:
            at += 1
            continue
        kind = _kind(text, at)
        if kind < 0:
            at += 1
            continue
        inside = at + 5
        if kind == 0:
            start, end = _find(text, inside, of_node)
            if start < 0:
                return -1
            nodes[n, 0], nodes[n, 1] = start, end
            owner = n
            n += 1
        elif kind == 1:
            start, end = _find(text, inside, of_source)
            other, other_end = _find(text, inside, of_target)
            if start < 0 or other < 0:
                return -1
            edges[m, 0], edges[m, 1], edges[m, 2], edges[m, 3] = start, end, other, other_end
            end = max(end, other_end)
            owner = m
            m += 1
        else:
            start, end = _find(text, inside, of_key)
            if start < 0:
                return -1
            key = 0
            for p in range(start, min(end, start + 8)):
                key = key << 8 | text[p]
            for which in range(len(keys)):
                if keys[which] == key:
                    value = end
                    while value < len(text) and text[value] != 62:
                        value += 1
                    stop = value + 1
                    while stop < len(text) and text[stop] != 60:
                        stop += 1
                    if owner < 0:
                        return -1
                    data[k, 0], data[k, 1], data[k, 2], data[k, 3] = which, owner, value + 1, stop
                    k += 1
                    end = stop - 1
                    break
        at = end + 1
    return k if n == len(nodes) and m == len(edges) else -1
