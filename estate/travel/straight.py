"""Straight line x detour: the travel model that needs nothing but coordinates."""

from __future__ import annotations

from itertools import chain

import numpy as np
from scipy.spatial import cKDTree

from estate.problem import Floats, Ints
from estate.travel.pairs import Pairs, Points, Wanted, keep, make_pairs, no_pairs, whole

_CHUNK = 2_000  # origins at a time: bounds the memory of the neighbour lists


def straight(from_: Points, to: Points, *, detour: float, speed_kmh: float, wanted: Wanted, fixed_s: float = 0.0) -> Pairs:
    """Every wanted pair, at ``detour`` times the straight line and one average speed.

    Parameters
    ----------
    from_, to
        Origins and destinations, EPSG:27700 metres.
    detour
        Route length over straight-line length, 1 or more; :func:`estate.travel.calibrate` fits it from a street network.
    speed_kmh
        Average speed along the route, km/h.
    wanted
        Which pairs to keep.
    fixed_s
        Seconds that every journey takes besides, 0 or more: to the car, and from where it is parked.  Who is there already, to
        the metre, takes none.

    Returns
    -------
    Pairs
        Each pair depends on its own two points only, so the order of the rows cannot matter.

    Raises
    ------
    ValueError
        For a detour below 1, a speed that is not positive, or a fixed part below 0.
    """
    if not (1 <= detour < np.inf and 0 < speed_kmh < np.inf and 0 <= fixed_s < np.inf):
        raise ValueError("the detour is 1 or more, the speed above 0, and the fixed part no less than 0")
    if not (len(from_) and len(to)):
        return no_pairs()
    metres_per_s = speed_kmh / 3.6
    origin, target = from_.xy, to.xy
    tree = cKDTree(target)
    radius = _radius(tree, origin, target, detour, metres_per_s, wanted)
    pieces: list[tuple[Ints, Ints, Floats]] = []
    for begin in range(0, len(origin), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        near = tree.query_ball_point(origin[part], radius[part])
        count = np.array([len(found) for found in near])
        a = np.repeat(np.arange(begin, begin + len(near)), count)
        b = np.fromiter(chain.from_iterable(near), dtype=np.int64, count=int(count.sum()))
        pieces.append((a, b, detour * np.hypot(from_.x[a] - to.x[b], from_.y[a] - to.y[b])))
    a, b, metres = (np.concatenate(column) for column in zip(*pieces, strict=True))
    found = make_pairs(a, b, whole(metres), whole(metres / metres_per_s + np.where(whole(metres) > 0, fixed_s, 0.0)))
    return keep(found, wanted, len(from_), len(to))


def _radius(tree: cKDTree, origin: Floats, target: Floats, detour: float, metres_per_s: float, wanted: Wanted) -> Floats:
    """(n,) straight-line metres around each origin that hold every wanted pair; a little too wide, the exact rule comes after."""
    today = tree.query(origin)[0]
    for sites in wanted.nearest_of:
        if len(sites):
            today = np.maximum(today, cKDTree(target[sites]).query(origin)[0])
    slack = max(wanted.slack_m, wanted.slack_s * metres_per_s)
    limit = max(wanted.limit_m or 0.0, (wanted.limit_s or 0.0) * metres_per_s)
    # One whole metre and one whole second more: what rounding down could let in.  A fixed part only brings limits nearer.
    reach = (np.maximum(limit, today * detour + slack) + 1 + metres_per_s) / detour
    both = np.concatenate([origin, target])
    everything = float(np.hypot(*(both.max(axis=0) - both.min(axis=0)))) + 1
    radius: Floats = np.minimum(reach, everything)
    return radius
