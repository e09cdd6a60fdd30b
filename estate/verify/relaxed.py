"""What every plan must keep, as far as a bound needs it: who may be where, at what cost, and which sites a row asks for.

Read from the tables as the rest of the referee reads them (:mod:`estate.verify.rules`, :mod:`estate.verify.access`,
:mod:`estate.verify.money`), so that any plan the referee accepts keeps all that is here:

* a counter is in one of the buildings listed for it, a building with a counter is open, what must stay stays;
* a building's guests fit in it;
* each row of an access rule has as many buildings with its service among those listed as it asks for; a rule by share is one
  row for each zone, of which those with enough people together must have one; a displacement at a price may be paid for instead.

Left out, which lets more plans through and never fewer: standards on services met under one roof, services that may not or must
share a building, counters that may not merge, numbers of buildings and hubs, budgets, paybacks, visits a year, and that no agency
be worse off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.scenario import Journey, Standard
from estate.verify.access import asked_of_all, held_to_today, near_pairs, offering, people, share_asked, share_label
from estate.verify.case import Case, number
from estate.verify.guests import Guests, Whole
from estate.verify.money import factors, hosting_gbp, leaving_gbp, moving_gbp, occupied_gbp, opening_gbp, pence
from estate.verify.rules import (
    area_units,
    must_close,
    need_units,
    not_ready,
    reachable,
    refusals,
    room_units,
    why_kept,
)

type Name = tuple[str, str]
"""A row by name: a rule, and a zone or an access point."""


@dataclass(frozen=True, slots=True, eq=False)
class Buildings:
    """The buildings of the place and who may come, for the cost objectives; pence a year.

    ``pairs`` of a building are ``start[j]:start[j + 1]`` of ``point`` and ``cost``.
    """

    sites: tuple[str, ...]
    points: tuple[str, ...]
    services: tuple[str, ...]
    guests: tuple[Guests, ...]
    start: Whole
    point: Whole
    cost: Whole
    open_cost: Whole
    kept: NDArray[np.bool_]
    shut: NDArray[np.bool_]
    constant: int
    """What no decision changes: letting every building go that is paid for today."""
    step: int
    """Pence that divide the difference between any two plans' costs."""


def supported(case: Case) -> bool:
    """Whether a bound can be worked out: the objective is a cost, and the plan has no years."""
    return case.scenario.money.objective.in_money and case.scenario.programme is None


# -------------------------------------------------------------------------------------------------- buildings


def buildings(case: Case) -> Buildings:
    """The buildings and pairs of a case."""
    sites = tuple(site for site in case.sites if not case.outside(site))
    points = tuple(point for point in case.points if not case.outside(case.today.host[point]))
    number_of = {point: i for i, point in enumerate(points)}
    worth = _worth(case)
    coming: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for point, site, price in _pairs(case, points):
        coming[site].append((point, price + _guest_pence(case, point, site, worth)))
    open_cost, constant = _open_pence(case, sites, worth)
    before, kept = area_units(case, case.today), why_kept(case)
    guests = tuple(_guests(case, site, [point for point, _ in coming[site]], before.get(site, 0)) for site in sites)
    cost = np.array([each for site in sites for _, each in coming[site]], dtype=np.int64)
    prices = [pence(rule.price_gbp) for rule in case.standards if rule.measure is Journey.SITE and rule.action == "price"]
    return Buildings(
        sites,
        points,
        case.services,
        guests,
        np.cumsum([0, *(len(coming[site]) for site in sites)]).astype(np.int64),
        np.array([number_of[point] for site in sites for point, _ in coming[site]], dtype=np.int64),
        cost,
        open_cost,
        np.array([site in kept for site in sites], dtype=bool),
        np.array([_shut(case, site) for site in sites], dtype=bool),
        constant,
        gcd(*np.abs(cost).tolist(), *np.abs(open_cost).tolist(), *prices) or 1,
    )


def _shut(case: Case, site: str) -> bool:
    """Whether no plan has a building open."""
    return must_close(case, site) or not_ready(case, site)


def _worth(case: Case) -> list[float] | None:
    """Present value of a pound in each year, where one-off sums are part of the objective."""
    money = case.scenario.money
    return factors(money.base_year, money.horizon_years) if money.objective == "annual-equivalent" else None


def _pairs(case: Case, points: Collection[str]) -> Iterator[tuple[str, str, int]]:
    """Each counter with each building where it may be, and the price in pence of displacing it so far."""
    fixed = case.scenario.rules.fixed
    of_service: defaultdict[str, list[str]] = defaultdict(list)
    for point in points:
        of_service[case.points[point]["service"]].append(point)
    for service, mine in of_service.items():
        near = {service: reachable(case, service, mine)}
        goals = _goals(case, near[service])
        limits = list(_limits(case, service))
        for point in mine:
            home = case.today.host[point]
            free = [home, *(site for site in goals(home) if site != home and not any(refusals(case, point, site, near)))]
            for site in [fixed[point]] if point in fixed else free:
                far = [rule for rule, within in limits if site != home and (home, site) not in within]
                barred = point not in fixed and any(rule.action == "forbid" for rule in far)
                if not barred and not _shut(case, site) and not case.outside(site):
                    yield point, site, sum(pence(rule.price_gbp) for rule in far if rule.action == "price")


class _Goals(NamedTuple):
    """Where a counter might go from each home; ``every`` where any building is near enough."""

    every: tuple[str, ...] | None
    near: Mapping[str, list[str]]

    def __call__(self, home: str) -> Collection[str]:
        return self.near.get(home, []) if self.every is None else self.every


def _goals(case: Case, near: set[tuple[str, str]] | None) -> _Goals:
    if near is None:
        return _Goals(case.site_ids, {})
    found: defaultdict[str, list[str]] = defaultdict(list)
    for home, site in sorted(near):
        found[home].append(site)
    return _Goals(None, found)


def _limits(case: Case, service: str) -> Iterator[tuple[Standard, set[tuple[str, str]]]]:
    """Rules on how far a counter of a service may itself move, and the moves within them."""
    for rule in case.standards:
        if rule.measure is Journey.SITE and rule.service == service and rule.test == "moved" and rule.action != "flag":
            pairs = near_pairs(case, rule)
            if pairs is not None:
                ids = case.site_ids
                yield rule, {(ids[a], ids[b]) for a, b in zip(pairs["start"], pairs["end"], strict=True)}


def _guest_pence(case: Case, point: str, site: str, worth: list[float] | None) -> int:
    """What a counter in a building adds to the objective."""
    moved = worth is not None and site != case.today.host[point]
    return pence(hosting_gbp(case, point, site)) + (pence(moving_gbp(case, point, site, worth or [])) if moved else 0)


def _open_pence(case: Case, sites: tuple[str, ...], worth: list[float] | None) -> tuple[Whole, int]:
    """What each building adds while it is open, and what letting all go adds that are paid for today."""
    cost, constant = np.array([pence(occupied_gbp(case, site)) for site in sites], dtype=np.int64), 0
    for j, site in enumerate(sites if worth is not None else ()):
        if case.paid_today(site):
            leaving = pence(leaving_gbp(case, site, worth or []))
            cost[j] -= leaving
            constant += leaving
        else:
            cost[j] += pence(opening_gbp(case, site, worth or []))
    return cost, constant


def _guests(case: Case, site: str, points: list[str], before: int) -> Guests:
    rows = [case.points[point] for point in points]
    hall, desk, area = (
        np.array([need_units(row[name]) for row in rows], dtype=np.int64)
        for name in ("hall_area_m2", "desk_area_m2", "area_m2")
    )
    there = case.sites[site]
    room = room_units(number(there["capacity_m2"]) - number(there["other_use_m2"]))
    service = np.array([case.services.index(row["service"]) for row in rows], dtype=np.int64)
    home = np.array([case.today.host[point] == site for point in points], dtype=bool)
    return Guests(service, area - hall - desk, hall, desk, home, room, max(room, before))


# -------------------------------------------------------------------------------------------------- rows


class Rows(NamedTuple):
    """The rows that a certificate names, (R,) each, in its order.

    ``sum of the service's offers at the sites listed >= need``; of a share's rows that many of ``shares[share]`` must be met.
    """

    service: Whole
    need: Whole
    """Less what buildings outside the place give; below 0 it is met with some to spare."""
    price: Whole
    """Pence for which the row need not be met, or -1."""
    share: Whole
    """Which of ``shares`` the row is one of, or -1."""
    weight: Whole
    """Its people, where it is."""
    entry_row: Whole
    entry_site: Whole
    """Position among the place's own buildings."""
    shares: tuple[tuple[int, int], ...]
    """For each: people who must have a row met, and people whose row is not named."""


class _Found(NamedTuple):
    """Rows of one rule: which, what they ask for, and pairs of them and sites by position."""

    rows: list[int]
    need: list[int]
    price: int
    pairs: pd.DataFrame
    """``who, end``: position in ``rows``, and of a site."""
    share: list[int]
    weight: list[int]
    shares: list[tuple[int, int]]


def rows_of(case: Case, names: list[Name], sites: tuple[str, ...]) -> tuple[Rows, list[Name]]:
    """The rows of these names, and the names of none."""
    by_rule: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for r, (named, about) in enumerate(names):
        by_rule[named][about] = r
    R = len(names)
    service, need, price, share, weight = (np.full(R, each, dtype=np.int64) for each in (-1, 0, -1, -1, 0))
    entries, shares = [(np.zeros(0, np.int64), np.zeros(0, np.int64))], list[tuple[int, int]]()
    place = np.full(len(case.site_ids), -1, dtype=np.int64)
    place[[case.position[site] for site in sites]] = np.arange(len(sites))
    rules = {rule.name: rule for rule in case.standards}
    if len(rules) < len(case.standards):  # a name that means two rules means none
        rules = {}
    for name, who in by_rule.items():
        if (rule := rules.get(name)) is None or rule.service not in case.services:
            continue
        for found in (_home if rule.measure is Journey.HOME else _displaced)(case, rule, who):
            at = np.array(found.rows, dtype=np.int64)
            row, end = at[found.pairs["who"].to_numpy(dtype=np.int64)], found.pairs["end"].to_numpy(dtype=np.int64)
            outside = {each for each in offering(case, case.today, rule.service) if place[each] < 0}
            given = np.isin(end, list(outside))
            service[at] = case.services.index(rule.service)
            need[at] = found.need
            np.subtract.at(need, row[given], 1)
            price[at] = found.price
            share[at] = np.array(found.share, dtype=np.int64) + len(shares) * (np.array(found.share) >= 0)
            weight[at] = found.weight
            shares += found.shares
            inside = place[end] >= 0
            entries.append((row[inside], place[end[inside]]))
    entry_row, entry_site = (np.concatenate(each) for each in zip(*entries, strict=True))
    unknown = [names[r] for r in np.flatnonzero(service < 0).tolist()]
    return Rows(service, need, price, share, weight, entry_row, entry_site, tuple(shares)), unknown


def _home(case: Case, rule: Standard, who: Mapping[str, int]) -> Iterator[_Found]:
    """Rows of a home-to-site rule: for everybody, those that may not get worse, or by share."""
    near = near_pairs(case, rule)
    if near is None:
        return
    zone = case.zones["zone_id"].astype(str)
    named = np.flatnonzero(zone.isin(list(who)).to_numpy())
    if rule.share < 1 or rule.each:
        yield _by_share(case, rule, who, near, named)
        return
    asked = asked_of_all(case, rule).to_numpy()
    held = held_to_today(case, rule)
    within = [int(i) for i in named if asked[i] > 0]
    yield _Found([who[zone[i]] for i in within], asked[within].tolist(), -1, _picked(near, within),
                 [-1] * len(within), [0] * len(within), [])  # fmt: skip
    if held is not None:
        frame, farthest = held
        beyond = [int(i) for i in named if farthest.notna().iloc[i]]
        frame = frame[frame["value"] <= frame["start"].map(farthest)]
        yield _Found([who[zone[i]] for i in beyond], [1] * len(beyond), -1, _picked(frame, beyond),
                     [-1] * len(beyond), [0] * len(beyond), [])  # fmt: skip


def _picked(pairs: pd.DataFrame, starts: list[int]) -> pd.DataFrame:
    """``who, end`` of the pairs that begin at these positions, ``who`` being their rank."""
    rank = pd.Series(range(len(starts)), index=starts, dtype="int64")
    mine = pairs[pairs["start"].isin(starts)]
    return pd.DataFrame({"who": mine["start"].map(rank), "end": mine["end"]}).astype("int64")


def _by_share(case: Case, rule: Standard, who: Mapping[str, int], near: pd.DataFrame, named: Whole) -> _Found:
    """One row for each zone; that a zone counts as reached only with as many sites as ``backup`` says is left out."""
    zone, label, residents = case.zones["zone_id"].astype(str), share_label(case, rule), people(case, rule).to_numpy()
    asked = share_asked(case, rule)
    number_of = {value: g for g, value in enumerate(asked.index)}
    zones = [int(i) for i in named if residents[i] > 0]
    group = [number_of[label[i]] for i in zones]
    listed = np.zeros(len(asked), dtype=np.int64)
    np.add.at(listed, group, residents[zones])
    shares = [(int(wanted), int(total) - int(mine))
              for wanted, total, mine in zip(asked["wanted"], asked["all"], listed, strict=True)]  # fmt: skip
    rows = [who[zone[i]] for i in zones]
    return _Found(rows, [0] * len(zones), -1, _picked(near, zones), group, residents[zones].tolist(), shares)


def _displaced(case: Case, rule: Standard, who: Mapping[str, int]) -> Iterator[_Found]:
    """Rows of a rule that some building with the service be near each one's old building."""
    pairs = near_pairs(case, rule)
    if pairs is None or rule.test == "moved" or rule.action == "flag":
        return
    held = [p for p, row in case.points.items()
            if p in who and row["service"] == rule.service and not case.outside(case.today.host[p])]  # fmt: skip
    home = [case.position[case.today.host[point]] for point in held]
    frames = [
        pd.DataFrame({"who": i, "end": sorted({*pairs.loc[pairs["start"] == at, "end"], at})}) for i, at in enumerate(home)
    ]
    price = pence(rule.price_gbp) if rule.action == "price" else -1
    found = pd.concat([pd.DataFrame({"who": [], "end": []}), *frames]).astype("int64")
    yield _Found([who[point] for point in held], [1] * len(held), price, found, [-1] * len(held), [0] * len(held), [])
