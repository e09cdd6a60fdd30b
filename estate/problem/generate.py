"""Seeded estates for tests and benchmarks: towns, zones, buildings and access points that never existed.

A generated place has the features that make real estates hard, in proportions that a county property team would recognise:

* **clustered towns** - town sizes follow a rank-size rule; buildings and people gather round their centres, some are rural;
* **several points in a building** - one building in five has a second counter today, one in twenty a third;
* **shared floor area** - each access point's area is its own part, a *hall* (reception, waiting) that a building needs once,
  and a *desk* (counter, back office of one service) that a building needs once for each service;
* **other uses** - part of some buildings is not available to hosts, and some of those must stay open;
* **today is a plan** - everyone is at home, some buildings are over their capacity, and each zone's limit is the standard or
  today's distance, whichever is longer (``no-worse``).

All money is invented: GBP per m2 drawn around plausible office costs.  The same seed gives the same arrays on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from scipy.spatial import cKDTree

from estate.problem.arrays import CoverRows, Floats, Ints, Problem, ShareRule, Solution


@dataclass(frozen=True, slots=True)
class Size:
    """How big a generated place is."""

    sites: int
    zones: int
    side_m: float
    """Side of the square it lies in, metres: the same density of buildings at each size."""


COUNTY = Size(sites=100, zones=400, side_m=42_000)
REGION = Size(sites=1_500, zones=5_000, side_m=163_000)
NATION = Size(sites=13_000, zones=33_000, side_m=480_000)
SIZES = {"county": COUNTY, "region": REGION, "nation": NATION}

#                      library clinic council jobcentre police
_SERVICE_SHARE = (0.30, 0.28, 0.16, 0.10, 0.16)
_OWN_M2 = (140, 190, 160, 150, 70)
_HALL_M2 = (40, 60, 50, 40, 25)
_DESK_M2 = (60, 50, 40, 30, 25)
_LIMIT_M = (5_000, 5_000, 10_000, 12_000, 10_000)
#: Services that do not share a building's other kind: rows are guests, columns the kind of building.
_COMPATIBLE = np.array(
    [[1, 0, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 0, 1, 0, 1]],
    dtype=bool,
)
_DETOUR = 1.3
_MOVE_M = 8_000
_MOST_HOSTS = 24
_BATCH = 2_000
"""Centres looked round at once: their neighbours are held as lists for that long."""
_LETTABLE = 0.9
"""Share of sites whose owner receives guests at all."""


@dataclass(frozen=True, slots=True)
class GeneratedPlace:
    """A generated place: the problem, and what a test may want to draw."""

    problem: Problem
    site_xy: Floats
    zone_xy: Floats
    zone_people: Ints


def place(size: Size, seed: int, *, share: float | None = None) -> GeneratedPlace:
    """A generated place of the given size.

    Parameters
    ----------
    size
        :data:`COUNTY`, :data:`REGION`, :data:`NATION`, or any other.
    seed
        Equal seeds give equal places.
    share
        ``None``: every zone must stay within its limit.  A number such as ``0.95``: for each service that share of people
        (or today's share where that is smaller) must be within the standard, and no zone has a rule of its own.
    """
    rng = np.random.default_rng(seed)
    town_xy, town_size = _towns(size, rng)
    site_xy = _scatter(size, size.sites, town_xy, town_size, 1_100, 0.15, rng)
    zone_xy = _scatter(size, size.zones, town_xy, town_size, 2_000, 0.20, rng)
    people = rng.integers(1_200, 2_100, size.zones).astype(np.int64)

    kind = rng.choice(5, size.sites, p=_SERVICE_SHARE)
    point_site, point_service = _points(kind, rng)
    problem = furnish(Ground(site_xy, kind, point_site, point_service, zone_xy, people), rng, share=share)
    return GeneratedPlace(problem, site_xy, zone_xy, people)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where buildings, access points and people are (made up, or read from real lists); metres.

    Services are, in this order: library, clinic, council office, Jobcentre, police counter.
    """

    site_xy: Floats
    """(J, 2)."""
    kind: Ints
    """(J,) the service whose building it is: it says which others may be guests."""
    point_site: Ints
    """(S,) sorted, with ``point_service`` sorted within each building."""
    point_service: Ints
    zone_xy: Floats
    """(I, 2)."""
    people: Ints


def furnish(ground: Ground, rng: np.random.Generator, *, share: float | None = None) -> Problem:
    """The problem of a place whose buildings are where ``ground`` says: areas, costs, guests and access are invented."""
    sites, site_xy = len(ground.kind), ground.site_xy
    point_site, point_service = ground.point_site, ground.point_service
    own, hall, desk = (_areas(mean, point_service, rng) for mean in (_OWN_M2, _HALL_M2, _DESK_M2))

    used = np.bincount(point_site, own, sites).astype(np.int64)
    for extra in (hall, desk):  # good enough for sizing the building; `violations` has the exact rule
        used += np.bincount(point_site, extra, sites).astype(np.int64)
    fit = used * rng.uniform(1.0, 2.6, sites)
    capacity = np.maximum(fit, rng.choice([0, 5_000, 12_000], sites, p=[0.80, 0.15, 0.05])).astype(np.int64)
    over = rng.random(sites) < 0.04
    capacity = np.where(over, (used * 0.9).astype(np.int64), capacity)
    elsewhere = np.where(rng.random(sites) < 0.15, rng.uniform(0.2, 0.8, sites) * capacity, 0.0)
    must_open = (elsewhere > 0) & (rng.random(sites) < 0.5)

    gross_m2 = (np.maximum(capacity, used) + elsewhere) / 10 * 1.15
    site_cost = np.round(gross_m2 * rng.lognormal(np.log(135.0), 0.35, sites) + 9_000).astype(np.int64) * 100

    point, host, cost = _pairs(ground, own + hall + desk, capacity, rng)
    bare = Problem(
        n_services=5,
        site_cost=site_cost,
        site_capacity=capacity,
        point_service=point_service,
        point_own=own,
        point_hall=hall,
        point_desk=desk,
        pair_point=point,
        pair_site=host,
        pair_cost=cost,
        point_home=point_site,
        site_slack=np.maximum(_used(sites, point_site, point_service, own, hall, desk) - capacity, 0),
        must_open=must_open,
        must_close=np.zeros(sites, dtype=bool),
        today=Solution(open=np.ones(sites, dtype=bool), host=point_site),
    )
    cover, shares = _access(bare, site_xy, ground.zone_xy, ground.people, share)
    return replace(bare, cover=cover, shares=shares)


def _towns(size: Size, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Town centres, and shares of the whole by a rank-size rule."""
    n = max(3, size.sites // 10)
    weight = 1.0 / (np.arange(n) + 3.0) ** 0.8
    return rng.uniform(0.06, 0.94, (n, 2)) * size.side_m, weight / weight.sum()


def _scatter(
    size: Size, n: int, town_xy: Floats, town_size: Floats, spread_m: float, rural: float, rng: np.random.Generator
) -> Floats:
    """``n`` points: a share spread evenly, the others round towns whose spread grows with the root of their size."""
    town = rng.choice(len(town_xy), n, p=town_size)
    radius = spread_m * np.sqrt(town_size[town] * len(town_xy))
    xy = town_xy[town] + rng.normal(0.0, 1.0, (n, 2)) * radius[:, None]
    away = rng.random(n) < rural
    xy[away] = rng.uniform(0.02, 0.98, (int(away.sum()), 2)) * size.side_m
    return np.round(xy)


def _points(kind: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The building and service of each access point: the building's own service first, then further counters."""
    sites = len(kind)
    site, service = [np.arange(sites)], [kind]
    for chance in (0.20, 0.05):
        more = np.flatnonzero(rng.random(sites) < chance)
        site.append(more)
        service.append(rng.integers(0, 5, len(more)))
    point_site, point_service = np.concatenate(site), np.concatenate(service)
    order = np.lexsort((point_service, point_site))
    return point_site[order].astype(np.int64), point_service[order].astype(np.int64)


def _areas(mean_m2: tuple[int, ...], service: Ints, rng: np.random.Generator) -> Ints:
    """Floor area around each service's mean, in whole m2 (held as 0.1 m2)."""
    m2 = np.array(mean_m2)[service] * rng.lognormal(0.0, 0.35, len(service))
    return np.maximum(np.round(m2), 1).astype(np.int64) * 10


def _used(sites: int, site: Ints, service: Ints, own: Ints, hall: Ints, desk: Ints) -> Ints:
    used = np.bincount(site, own, sites).astype(np.int64)
    one_hall = np.zeros(sites, dtype=np.int64)
    np.maximum.at(one_hall, site, hall)
    one_desk = np.zeros((5, sites), dtype=np.int64)
    np.maximum.at(one_desk, (service, site), desk)
    total: Ints = used + one_hall + one_desk.sum(axis=0)
    return total


def within(xy: Floats, centre: Floats, radius: Floats) -> tuple[Ints, Ints]:
    """Which points of ``xy`` are within each centre's own radius: couples (centre, point), sorted."""
    tree = cKDTree(xy)
    who, what = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for first in range(0, len(centre), _BATCH):
        part = slice(first, first + _BATCH)
        found = tree.query_ball_point(centre[part], radius[part], return_sorted=True)
        length = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
        who.append(first + np.repeat(np.arange(len(found)), length))
        what.append(np.fromiter(chain.from_iterable(found), dtype=np.int64, count=int(length.sum())))
    return np.concatenate(who), np.concatenate(what)


def _pairs(ground: Ground, area: Ints, capacity: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Host pairs: home, and the nearest compatible buildings within the move rule that are large enough."""
    site_xy, kind, home = ground.site_xy, ground.kind, ground.point_site
    receives = rng.random(len(kind)) < _LETTABLE
    rent = rng.uniform(25.0, 60.0, len(kind))
    s, j = within(site_xy, site_xy[home], np.full(len(home), _MOVE_M / _DETOUR))
    may = (j != home[s]) & receives[j] & _COMPATIBLE[ground.point_service[s], kind[j]] & (capacity[j] >= area[s])
    s, j = s[may], j[may]
    away = np.hypot(*(site_xy[j] - site_xy[home[s]]).T)
    order = np.lexsort((j, away, s))
    s, j = s[order], j[order]
    near = np.arange(len(s)) - np.searchsorted(s, s) < _MOST_HOSTS - 1
    point = np.concatenate([np.arange(len(home)), s[near]])
    site = np.concatenate([home, j[near]])
    order = np.lexsort((site, point))
    pair_point, pair_site = point[order], site[order]
    cost = np.round(area[pair_point] / 10 * rent[pair_site]).astype(np.int64) * 100
    return pair_point, pair_site, np.where(pair_site == home[pair_point], 0, cost)


def _access(
    bare: Problem, site_xy: Floats, zone_xy: Floats, people: Ints, share: float | None
) -> tuple[CoverRows, tuple[ShareRule, ...]]:
    """Cover rows (each zone within the standard, or no worse than today) or share rules, for each service."""
    zones = len(zone_xy)
    of_service: list[Ints] = []
    starts, lists = [np.zeros(1, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    shares: list[ShareRule] = []
    for k in range(5):
        pairs_k = bare.point_service[bare.pair_point] == k
        offers = np.unique(bare.pair_site[pairs_k])
        homes = np.unique(bare.point_home[bare.point_service == k])
        if not len(homes):
            continue
        nearest = cKDTree(site_xy[homes]).query(zone_xy)[0] * _DETOUR
        limit = np.full(zones, float(_LIMIT_M[k])) if share is not None else np.maximum(_LIMIT_M[k], nearest + 1)
        zone, offer = within(site_xy[offers], zone_xy, limit / _DETOUR * (1 + 1e-9))
        site = offers[offer]
        near = np.hypot(*(zone_xy[zone] - site_xy[site]).T) * _DETOUR <= limit[zone]
        length = np.bincount(zone[near], minlength=zones)
        if share is None:
            lists.append(site[near])
            starts.append(starts[-1][-1] + np.cumsum(length))
            of_service.append(np.full(zones, k, dtype=np.int64))
            continue
        met = int(people[nearest <= _LIMIT_M[k]].sum())
        required = min(int(np.ceil(share * int(people.sum()))), met)
        start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        shares.append(ShareRule(f"service {k}", k, people, start, site[near], required))
    if share is not None:
        return CoverRows(), tuple(shares)
    service = np.concatenate([np.zeros(0, dtype=np.int64), *of_service])
    rows = len(service)
    return (
        CoverRows(
            service=service,
            need=np.ones(rows, dtype=np.int64),
            start=np.concatenate(starts),
            site=np.concatenate(lists),
            excuse=np.full(rows, -1, dtype=np.int64),
        ),
        (),
    )
