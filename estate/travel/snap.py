"""Joining points to streets: where each point meets the network, and the network with those meeting places as nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import Issue, Severity
from estate.problem import Bools, Floats, Ints
from estate.travel.pairs import Points
from estate.travel.streets import Network

UNITS = 10_000
"""Costs are whole numbers of 0.1 mm or 0.1 ms, so that a route's cost does not depend on the order of adding it up."""

type Int32s = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where points (P,) meet the streets: on which segment, how far along it (0 to 1), and ``leg_m`` metres away."""

    segment: Ints
    share: Floats
    leg_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Compressed rows of arcs: node ``u`` leads to ``head[start[u]:start[u + 1]]`` at ``metres`` and ``seconds`` (in UNITS)."""

    start: Ints
    head: Int32s
    metres: Int32s
    seconds: Int32s

    @property
    def n(self) -> int:
        """The number of nodes."""
        return len(self.start) - 1


def locate(network: Network, points: Points) -> Located:
    """The nearest place of the network to each point, among streets that points may be joined to.

    Of several segments at the same distance the first in the file counts.  Distances are straight lines, EPSG:27700 metres.
    """
    usable = np.flatnonzero(network.join) if network.join.any() else np.arange(len(network.tail))
    a = np.column_stack([network.x, network.y])[network.tail[usable]]
    b = np.column_stack([network.x, network.y])[network.head[usable]]
    lines: Any = shapely.linestrings(np.stack([a, b], axis=1))
    tree = shapely.STRtree(lines)
    point, found = tree.query_nearest(shapely.points(points.xy), all_matches=True)
    order = np.lexsort((found, point))
    found = found[order][np.unique(point[order], return_index=True)[1]]
    a, b = a[found], b[found]
    along = b - a
    square = (along**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(square > 0, ((points.xy - a) * along).sum(axis=1) / square, 0.0).clip(0.0, 1.0)
    leg = np.linalg.norm(points.xy - (a + share[:, None] * along), axis=1)
    return Located(usable[found].astype(np.int64), share, leg)


def far_points(points: Points, located: Located, warn_m: float, what: str) -> tuple[Issue, ...]:
    """A warning that names the points farther than ``warn_m`` metres from any street, farthest first."""
    far = np.flatnonzero(located.leg_m > warn_m)
    if not len(far):
        return ()
    far = far[np.lexsort((far, -located.leg_m[far]))]
    some = ", ".join(f"{points.names[i]} ({located.leg_m[i]:,.0f} m)" for i in far[:10])
    return (
        Issue(
            "travel.far-from-street",
            f"{len(far)} {what} are farther than {warn_m:,.0f} m from the nearest street: {some}"
            + (" ..." if len(far) > 10 else ""),
            "check their points, and that the street network covers the place; the distance is added to every route",
            severity=Severity.WARNING,
        ),
    )


def join(network: Network, located: Located) -> tuple[Graph, Ints]:
    """The network's graph with every meeting place as a node, and the (P,) node of each point.

    Whole units are shared out along a split segment, so that its parts add up to it exactly.
    """
    n = len(network.x)
    metres = np.rint(network.length * UNITS).astype(np.int64)
    seconds = np.rint(network.seconds * UNITS).astype(np.int64)
    node = np.where(located.share <= 0, network.tail[located.segment], network.head[located.segment])
    inside = np.flatnonzero((located.share > 0) & (located.share < 1))
    where = np.column_stack([located.segment[inside], located.share[inside]])
    cuts, cut_of = np.unique(where, axis=0, return_inverse=True)
    node[inside] = n + cut_of.ravel()
    cut = cuts[:, 0].astype(np.int64)
    split = np.unique(cut)
    # Every split segment as a chain: its tail, its meeting places in order, its head.
    of = np.concatenate([split, cut, split])
    share = np.concatenate([np.zeros(len(split)), cuts[:, 1], np.ones(len(split))])
    at = np.concatenate([network.tail[split], n + np.arange(len(cut)), network.head[split]])
    order = np.lexsort((share, of))
    of, share, at = of[order], share[order], at[order]
    first = np.flatnonzero(of[1:] == of[:-1])
    piece = of[first]

    def part(units: Ints) -> Ints:
        along = np.rint(share * units[of]).astype(np.int64)
        parts: Ints = along[first + 1] - along[first]
        return parts

    whole = np.ones(len(network.tail), dtype=bool)
    whole[split] = False
    return _graph(
        n + len(cut),
        np.concatenate([network.tail[whole], at[first]]),
        np.concatenate([network.head[whole], at[first + 1]]),
        np.concatenate([metres[whole], part(metres)]),
        np.concatenate([seconds[whole], part(seconds)]),
        np.concatenate([network.back[whole], network.back[piece]]),
    ), node


def _graph(n: int, tail: Ints, head: Ints, metres: Ints, seconds: Ints, back: Bools) -> Graph:
    a, b = np.concatenate([tail, head[back]]), np.concatenate([head, tail[back]])
    order = np.argsort(a, kind="stable")
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(a, minlength=n), out=start[1:])
    m, s = np.concatenate([metres, metres[back]]), np.concatenate([seconds, seconds[back]])
    return Graph(start, b[order].astype(np.int32), m[order].astype(np.int32), s[order].astype(np.int32))
