"""From points to pairs along the streets: shortest distance and quickest time, for the wanted pairs only."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from estate.problem import Bools, Floats, Ints
from estate.travel.pairs import Pairs, Points, Wanted, keep, make_pairs, no_pairs, whole
from estate.travel.search import Query, many_to_many
from estate.travel.snap import UNITS, Graph, Int32s, Located, join, locate
from estate.travel.streets import Network, speeds

_EVERYTHING = 2**60


def network_pairs(
    network: Network,
    from_: Points,
    to: Points,
    *,
    wanted: Wanted,
    located: tuple[Located, Located] | None = None,
    threads: int | None = None,
) -> Pairs:
    """Every wanted pair along the streets of a network, in its mode.

    A route is the straight leg from the origin to the nearest street, the streets, and the straight leg to the destination;
    legs are travelled at the ``[access]`` speeds of the speed table.  ``distance_m`` is that of the shortest route and
    ``time_s`` that of the quickest.  Two points nearer to each other than one of them is to its street are joined directly, so
    that neighbours are not sent around by a road far from both.

    Parameters
    ----------
    network
        From :func:`estate.travel.load_streets`.
    from_, to
        Origins and destinations, EPSG:27700 metres.
    wanted
        Which pairs to keep.
    located
        Where the points meet the streets, when the caller has asked already (:func:`estate.travel.snap.locate`).
    threads
        Searches run at the same time; by default the processors that this process may use.
    """
    if not (len(from_) and len(to)):
        return no_pairs()
    a, b = located or (locate(network, from_), locate(network, to))
    both = Located(*(np.concatenate([getattr(a, name), getattr(b, name)]) for name in ("segment", "share", "leg_m")))
    graph, node = join(network, both)
    kmh = float(speeds()["access"][network.mode])
    ask = _Asker(graph, node, both.leg_m, kmh, len(from_), wanted, threads)
    i, j, metres, seconds = ask.both_measures()
    near_i, near_j, line = _neighbours(from_, to, a.leg_m, b.leg_m)
    i, j, metres, seconds = _least(
        np.concatenate([i, near_i]),
        np.concatenate([j, near_j]),
        np.concatenate([metres, line]),
        np.concatenate([seconds, line * 3.6 / kmh]),
    )
    return keep(make_pairs(i, j, whole(metres), whole(seconds)), wanted, len(from_), len(to))


class _Asker:
    """The searches that one :func:`network_pairs` needs: they share everything but the measure and what is asked."""

    def __init__(
        self, graph: Graph, node: Ints, leg_m: Floats, kmh: float, n_from: int, wanted: Wanted, threads: int | None
    ) -> None:
        self.graph, self.wanted, self.threads = graph, wanted, threads
        self.access = 3.6 / kmh
        self.pace = _one_pace(graph)
        self.source, self.target = node[:n_from], node[n_from:]
        self.leg_m = np.rint(leg_m * UNITS).astype(np.int64)
        self.leg_s = np.rint(leg_m * 3.6 / kmh * UNITS).astype(np.int64)

    def both_measures(self) -> tuple[Ints, Ints, Floats, Floats]:
        """(from, to, metres, seconds) of every pair wanted in either measure.

        First all that is wanted by distance; then, by time, all that is wanted and the times of the former; then the distances
        of what only the second found.
        """
        wanted = self.wanted
        if self.pace is not None and (wanted.limit_s is None or abs(self.pace - self.access) < 1e-9):
            # One speed everywhere: the shortest route is the quickest.  One second more: what rounding down could let in.
            second = 1 / self.pace
            limit = max(wanted.limit_m or 0.0, (wanted.limit_s or 0.0) * second)
            slack = max(wanted.slack_m, wanted.slack_s * second)
            i, j, metres = self._search(self.graph.metres, self.leg_m, limit + second, slack + second, today=True)
            legs = self.leg_m[i] + self.leg_m[len(self.source) + j]
            return i, j, metres / UNITS, ((metres - legs) * self.pace + legs * self.access) / UNITS
        i, j, metres = self._search(self.graph.metres, self.leg_m, wanted.limit_m, wanted.slack_m, today=True)
        p, q, seconds = self._search(
            self.graph.seconds, self.leg_s, wanted.limit_s, wanted.slack_s, today=wanted.limit_s is not None, must=(i, j)
        )
        n = len(self.target)
        known, timed = i * n + j, p * n + q
        extra = ~np.isin(timed, known)
        if wanted.limit_s is None:
            extra[:] = False  # met on the way, and nobody asked
        if extra.any():
            # Only a fifth search would time what this one meets on the way: what is not asked for is let go.
            k, m, more = self._search(self.graph.metres, self.leg_m, None, 0.0, today=False, must=(p[extra], q[extra]))
            asked = np.isin(k * n + m, timed[extra])
            i, j, metres = (np.concatenate(each) for each in ((i, k[asked]), (j, m[asked]), (metres, more[asked])))
            known = i * n + j
        place = np.argsort(timed)
        at = place[np.searchsorted(timed, known, sorter=place).clip(max=len(timed) - 1)] if len(timed) else timed
        both = timed[at] == known if len(timed) else np.zeros(len(known), dtype=bool)
        return i[both], j[both], metres[both] / UNITS, seconds[at][both] / UNITS

    def _search(
        self,
        cost: Int32s,
        leg: Ints,
        limit: float | None,
        slack: float,
        *,
        today: bool,
        must: tuple[Ints, Ints] | None = None,
    ) -> tuple[Ints, Ints, Ints]:
        n_from, n_to = len(self.source), len(self.target)
        groups = [np.unique(sites) for sites in self.wanted.nearest_of if len(sites)] if today else []
        if today:
            groups.append(np.arange(n_to))  # the nearest at all
        member = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
        number = np.repeat(np.arange(len(groups)), [len(group) for group in groups]).astype(np.int64)
        asker, asked = must or (member[:0], member[:0])
        query = Query(
            self.source,
            leg[:n_from],
            self.target,
            leg[n_from:],
            _units(limit or 0.0),
            _units(slack),
            len(groups),
            *_rows(member, number, n_to),
            *_rows(asker, asked, n_from),
        )
        return many_to_many(self.graph, cost, query, threads=self.threads)


def _one_pace(graph: Graph) -> float | None:
    """Seconds a metre, when it is the same on every street (to the rounding of UNITS); else None."""
    total = int(graph.metres.sum(dtype=np.int64))
    if not total:
        return None
    pace = float(graph.seconds.sum(dtype=np.int64)) / total
    # To the nearest tenth of a m/h, so that rounding does not decide what the pace is.
    pace = 3.6 / round(3.6 / pace, 4)
    return pace if np.abs(graph.seconds - graph.metres * pace).max() <= 2 + pace else None


def _units(value: float) -> int:
    return int(min(value * UNITS, _EVERYTHING))


def _rows(row: Ints, value: Ints, n: int) -> tuple[Ints, Ints]:
    """(start, values) of compressed rows."""
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=n), out=start[1:])
    return start, value[np.argsort(row, kind="stable")]


def _neighbours(from_: Points, to: Points, leg_from: Floats, leg_to: Floats) -> tuple[Ints, Ints, Floats]:
    """Pairs no farther apart, in a straight line, than the farther of the two is from its street."""
    origins, targets = cKDTree(from_.xy), cKDTree(to.xy)
    one = _flat(targets.query_ball_point(from_.xy, leg_from))
    two = _flat(origins.query_ball_point(to.xy, leg_to))
    i, j = np.concatenate([one[0], two[1]]), np.concatenate([one[1], two[0]])
    return i, j, np.hypot(from_.x[i] - to.x[j], from_.y[i] - to.y[j])


def _flat(lists: np.ndarray) -> tuple[Ints, Ints]:
    count = np.array([len(each) for each in lists], dtype=np.int64)
    inner = np.concatenate([np.zeros(0, dtype=np.int64), *(np.array(each, dtype=np.int64) for each in lists if each)])
    return np.repeat(np.arange(len(lists)), count), inner


def _least(i: Ints, j: Ints, metres: Floats, seconds: Floats) -> tuple[Ints, Ints, Floats, Floats]:
    """Each pair once, with the least of each measure."""
    order = np.lexsort((j, i))
    i, j, metres, seconds = i[order], j[order], metres[order], seconds[order]
    new: Bools = np.ones(len(i), dtype=bool)
    new[1:] = (i[1:] != i[:-1]) | (j[1:] != j[:-1])
    first = np.flatnonzero(new)
    return i[first], j[first], np.minimum.reduceat(metres, first), np.minimum.reduceat(seconds, first)
