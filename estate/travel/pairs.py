"""Who can reach what: points, the pairs between them in long form, and the rule that says which pairs are worth keeping.

A pair that is not in the table is unreachable.  There is no big number that stands for "too far", here or anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estate.errors import InputError, Issue
from estate.problem import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Places in a canonical order; a *position* is an index into these arrays.

    ``x`` and ``y`` are (n,) eastings and northings in metres, EPSG:27700, and ``names`` the n identifiers.
    """

    x: Floats
    y: Floats
    names: Sequence[str] | NDArray[np.str_]

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.y) == len(self.names):
            raise ValueError("x, y and names must have one entry a point")
        if not (np.isfinite(self.x).all() and np.isfinite(self.y).all()):
            raise ValueError("coordinates must be finite")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def xy(self) -> Floats:
        """The coordinates as (n, 2), EPSG:27700 metres."""
        return np.column_stack([self.x, self.y])


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Travel from positions to positions, long form, sorted by (``from_``, ``to``), each pair at most once.

    ``distance_m`` is in whole metres and ``time_s`` in whole seconds, both rounded half up.  A missing pair is unreachable.
    On streets the distance is that of the shortest route and the time that of the quickest, which may be different routes.
    A measure nobody gave (a table of minutes has no metres) is an array of length 0: ask with :meth:`measure`.
    """

    from_: Ints
    to: Ints
    distance_m: Ints
    time_s: Ints

    def __len__(self) -> int:
        return len(self.from_)

    @property
    def has_distance(self) -> bool:
        """Whether ``distance_m`` was given."""
        return len(self.distance_m) == len(self.from_)

    @property
    def has_time(self) -> bool:
        """Whether ``time_s`` was given."""
        return len(self.time_s) == len(self.from_)

    def measure(self, name: str) -> Ints:
        """``distance_m`` or ``time_s``, (n,).

        Raises
        ------
        InputError
            When the measure was not given: a rule in metres cannot be judged on a table of minutes.
        """
        values: Ints = {"distance_m": self.distance_m, "time_s": self.time_s}[name]
        if len(values) != len(self.from_):
            unit = "distances" if name == "distance_m" else "times"
            issue = Issue(
                "travel.no-measure",
                f"the travel table has no {unit}, and a rule needs them",
                f"add a {name} column, or state the limit in the other measure",
            )
            raise InputError(issues=[issue])
        return values

    def take(self, chosen: Bools) -> Pairs:
        """Only the chosen pairs, (n,) bools."""
        return Pairs(
            self.from_[chosen],
            self.to[chosen],
            self.distance_m[chosen] if self.has_distance else self.distance_m,
            self.time_s[chosen] if self.has_time else self.time_s,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Which pairs are kept.

    A pair is kept when its distance is at most ``limit_m``, or its time at most ``limit_s`` (the widest limit of any rule in
    the mode; ``None``: no rule in that measure; ``inf``: every pair), or when it is no farther than the farthest, over the
    services, of today's nearest sites from that origin (plus ``slack_m`` or ``slack_s``, the widest tolerance of a
    ``no-worse`` rule).  So each origin keeps the nearest site of each service at any distance, and the nearest site at all.

    ``groups`` maps a service to the positions (in ``to``) of the sites that offer it today.  ``shown`` does so for the sites
    that may be published, where some may not: their pairs are kept by the same rule, so that what is published can be measured
    without the others.
    """

    limit_m: float | None = None
    limit_s: float | None = None
    groups: Mapping[str, Ints] = field(default_factory=dict)
    slack_m: float = 0.0
    slack_s: float = 0.0
    shown: Mapping[str, Ints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for value in (self.limit_m, self.limit_s, self.slack_m, self.slack_s):
            if value is not None and not value >= 0:
                raise ValueError("limits must be zero or more")

    def digest(self) -> str:
        """SHA-256 of the content, for cache keys."""
        sums = hashlib.sha256(repr((self.limit_m, self.limit_s, self.slack_m, self.slack_s)).encode())
        for name, sites in sorted([*self.groups.items(), *self.shown.items()], key=lambda each: each[0]):
            sums.update(repr((name, np.sort(sites).tolist())).encode())
        return sums.hexdigest()

    @property
    def nearest_of(self) -> tuple[Ints, ...]:
        """Every group whose nearest site is kept from each origin."""
        return (*self.groups.values(), *self.shown.values())


@dataclass(frozen=True, slots=True, eq=False)
class TravelTables:
    """The finished travel tables of a place, by mode.

    ``home`` goes from zones to sites, ``between`` from sites to sites.  ``notes`` are warnings and facts for the reports,
    ``method`` says in words how the figures were made, and ``digest`` identifies their content.
    """

    home: Mapping[str, Pairs]
    between: Mapping[str, Pairs]
    notes: tuple[Issue, ...] = ()
    method: str = ""
    digest: str = ""

    def __repr__(self) -> str:
        return f"<TravelTables {', '.join(sorted({*self.home, *self.between}))}: {self.method}>"


def whole(values: ArrayLike) -> Ints:
    """Rounded half up to whole units: 0.5 becomes 1, 1.5 becomes 2 (numpy's own rounding goes to even)."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5).astype(np.int64)


def make_pairs(from_: Ints, to: Ints, distance_m: Ints, time_s: Ints) -> Pairs:
    """Pairs in canonical order, whatever order they come in."""
    order = np.lexsort((to, from_))
    return Pairs(
        from_[order].astype(np.int64),
        to[order].astype(np.int64),
        distance_m[order] if len(distance_m) == len(from_) else distance_m,
        time_s[order] if len(time_s) == len(from_) else time_s,
    )


def lookup(pairs: Pairs, value: Ints, from_: Ints, to: Ints, n_to: int) -> Ints:
    """(n,) the value of chosen pairs; -1 where a pair is missing (unreachable, or beyond every limit)."""
    if not len(pairs):
        return np.full(len(from_), -1, dtype=np.int64)
    key = pairs.from_ * n_to + pairs.to
    wanted = from_ * n_to + to
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, value[at], -1).astype(np.int64)


def no_pairs() -> Pairs:
    """Nothing reaches anything."""
    none = np.zeros(0, dtype=np.int64)
    return Pairs(none, none, none, none)


def keep(pairs: Pairs, wanted: Wanted, n_from: int, n_to: int) -> Pairs:
    """Only the pairs that :class:`Wanted` asks for, judged on the whole metres and seconds that everybody sees.

    ``n_from`` and ``n_to`` are the numbers of origins and destinations.
    """
    chosen = np.zeros(len(pairs), dtype=bool)
    if pairs.has_distance:
        if wanted.limit_m is not None:
            chosen |= pairs.distance_m <= wanted.limit_m
        chosen |= pairs.distance_m <= _today(pairs, pairs.distance_m, wanted, n_from, n_to)[pairs.from_] + wanted.slack_m
    if pairs.has_time and (wanted.limit_s is not None or not pairs.has_distance):
        if wanted.limit_s is not None:
            chosen |= pairs.time_s <= wanted.limit_s
        chosen |= pairs.time_s <= _today(pairs, pairs.time_s, wanted, n_from, n_to)[pairs.from_] + wanted.slack_s
    return pairs.take(chosen)


def _today(pairs: Pairs, value: Ints, wanted: Wanted, n_from: int, n_to: int) -> Floats:
    """(n_from,) the farthest, over services, of today's nearest; at least the nearest site at all; 0 where nothing is reached."""
    farthest = _nearest(pairs.from_, value, n_from)
    for sites in wanted.nearest_of:
        offers = np.zeros(n_to, dtype=bool)
        offers[sites] = True
        there = offers[pairs.to]
        farthest = np.maximum(farthest, _nearest(pairs.from_[there], value[there], n_from))
    return farthest


def _nearest(from_: Ints, value: Ints, n_from: int) -> Floats:
    nearest = np.full(n_from, np.inf)
    np.minimum.at(nearest, from_, value.astype(np.float64))
    return np.where(np.isinf(nearest), 0.0, nearest)


def unreached(pairs: Pairs, wanted: Wanted, n_from: int, n_to: int) -> Mapping[str, Ints]:
    """By service, the origins (positions) that reach none of its sites today; services that all reach are left out."""
    missing = {}
    for service, sites in wanted.groups.items():
        offers = np.zeros(n_to, dtype=bool)
        offers[sites] = True
        reached = np.zeros(n_from, dtype=bool)
        reached[pairs.from_[offers[pairs.to]]] = True
        if not reached.all():
            missing[service] = np.flatnonzero(~reached)
    return missing
