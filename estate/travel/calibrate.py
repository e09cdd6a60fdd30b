"""How good is the straight line: the detour and the speed that fit a street network, and the error that is left.

The model has two numbers, ``route metres = detour x straight metres`` and ``seconds = route metres / speed``.  Both are fitted
by least squares through the origin, which gives long journeys their due weight; the table by distance shows what it costs the
short ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from estate.errors import InputError, Issue
from estate.problem import Floats
from estate.travel.network import network_pairs
from estate.travel.pairs import Points, Wanted
from estate.travel.snap import locate
from estate.travel.streets import Network

BANDS_KM = (0.5, 2.0, 5.0, 10.0, 20.0, 40.0)
"""Straight-line distances between which the fit is shown; nearer than the first, legs to the street decide, not streets."""
_FARTHEST_LEG_M = 500.0


@dataclass(frozen=True, slots=True)
class Errors:
    """A model against what it stands for: percentages of the latter (positive: the model says more), and minutes or metres."""

    n: int
    r2: float
    bias: float
    """Mean error, in the unit of the figures."""
    mean_absolute: float
    p5_percent: float
    median_percent: float
    p95_percent: float


@dataclass(frozen=True, slots=True)
class Band:
    """One range of straight-line distance: its pairs, their median detour, and the median speed of the quickest route."""

    from_km: float
    to_km: float
    n: int
    detour: float
    kmh: float


@dataclass(frozen=True, slots=True)
class Fit:
    """The straight-line model that fits a network best, and what is left unexplained."""

    mode: str
    detour: float
    kmh: float
    distance: Errors
    """Of ``detour x straight line`` against the shortest route, metres."""
    time: Errors
    """Of that distance at ``kmh`` against the quickest route, minutes."""
    bands: tuple[Band, ...]


def through_origin(x: Floats, y: Floats) -> float:
    """The slope of the least-squares line ``y = slope x``."""
    return float((x * y).sum() / (x * x).sum())


def errors(model: Floats, real: Floats) -> Errors:
    """How a model's figures compare with the real ones, (n,) each, real above 0; ``r2`` is 1 - SSE / SST about the mean."""
    gap = model - real
    spread = float(((real - real.mean()) ** 2).sum())
    low, middle, high = np.percentile(100 * gap / real, [5, 50, 95])
    return Errors(
        len(real),
        1 - float((gap**2).sum()) / spread if spread else float("nan"),
        float(gap.mean()),
        float(np.abs(gap).mean()),
        float(low),
        float(middle),
        float(high),
    )


def calibrate(network: Network, points: Points, *, threads: int | None = None) -> Fit:
    """Fit the straight-line model to a network, over every pair of the given points.

    Parameters
    ----------
    network
        Walking or driving, from :func:`estate.travel.load_streets`.  It should reach beyond the points, or routes near its
        edge are longer than they are in truth.
    points
        Where people set out and arrive: zones, sites or both, EPSG:27700 metres.  Points over 500 m from a street are left
        out, and so are pairs nearer than 500 m or farther than 40 km.

    Raises
    ------
    InputError
        When fewer than ten pairs are left.
    """
    near = locate(network, points).leg_m <= _FARTHEST_LEG_M
    used = Points(points.x[near], points.y[near], tuple(np.asarray(points.names, dtype=object)[near]))
    pairs = network_pairs(network, used, used, wanted=Wanted(limit_m=np.inf), threads=threads)
    line = np.hypot(used.x[pairs.from_] - used.x[pairs.to], used.y[pairs.from_] - used.y[pairs.to])
    fits = (line >= BANDS_KM[0] * 1000) & (line < BANDS_KM[-1] * 1000) & (pairs.time_s > 0)
    if fits.sum() < 10:
        issue = Issue(
            "travel.too-few-pairs",
            f"only {int(fits.sum())} pairs of points are 0.5 to 40 km apart and near a street: too few to fit a detour",
            "calibrate on the network of the place itself",
        )
        raise InputError(issues=[issue])
    line, metres, seconds = line[fits], pairs.distance_m[fits].astype(float), pairs.time_s[fits].astype(float)
    detour = through_origin(line, metres)
    pace = through_origin(detour * line, seconds)
    bands = []
    for low, high in pairwise(BANDS_KM):
        inside = (line >= low * 1000) & (line < high * 1000)
        if inside.any():
            ratio, kmh = np.median(metres[inside] / line[inside]), np.median(metres[inside] / seconds[inside]) * 3.6
            bands.append(Band(low, high, int(inside.sum()), float(ratio), float(kmh)))
    return Fit(
        network.mode,
        detour,
        3.6 / pace,
        errors(detour * line, metres),
        errors(detour * line * pace / 60, seconds / 60),
        tuple(bands),
    )
