"""Who may go where: what may happen to each site, and the host pairs that are allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.formulate.rules import Compiled
from estate.money.opening import not_ready
from estate.place import Place
from estate.problem import AREA_UNITS_PER_M2, Bools, Floats, Ints
from estate.scenario import Scenario
from estate.travel import TravelTables


def area_units(m2: Floats, *, up: bool = True) -> Ints:
    """Whole units of 0.1 m2: needs are rounded up and room down, after a thousandth is forgiven (12.3 is 12.3)."""
    units = np.nan_to_num(m2.astype(np.float64)) * AREA_UNITS_PER_M2
    return (np.ceil(units - 1e-3) if up else np.floor(units + 1e-3)).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SiteState:
    """What may happen to each site (J,), and why it must stay (words, blank where it need not)."""

    must_open: Bools
    must_close: Bools
    receives: Bools
    """May receive a point from elsewhere, other things allowing."""
    releasable: Bools
    """Paid for today and free to be let go."""
    why: pd.Series[str]


def taking_part(place: Place, scenario: Scenario) -> Bools:
    """(A,) agencies whose points and buildings may change."""
    return place.agencies["takes_part"].to_numpy(dtype=bool) & ~place.agencies.index.isin(scenario.rules.out)


def site_state(place: Place, scenario: Scenario) -> SiteState:
    """Which sites must stay open, must close, may receive, may be released; the first reason wins."""
    sites, rules = place.sites, scenario.rules
    part = taking_part(place, scenario)
    title_part = _of_agency(place, sites, part)
    stuck = np.zeros(len(sites), dtype=bool)
    stuck[place.point_site[~_of_agency(place, place.access_points, part)]] = True
    status, tenure = (sites[name].to_numpy(dtype=object) for name in ("status", "tenure"))
    late = not_ready(place, scenario)
    close = (status == "close") | sites.index.isin(rules.close) | late
    in_use = place.today.open & ~place.outside
    can_move = sites.index.isin(rules.other_uses_move)
    no_exit = ~sites.index.isin(list(scenario.money.pfi_exit_gbp))
    reasons: list[tuple[str, Bools]] = [
        ("outside the place: it serves people and never changes", place.outside),
        ("kept: the scenario says so", (status == "keep") | sites.index.isin(rules.keep)),
        ("kept: it holds a counter of an agency that does not take part", stuck),
        ("kept: its owner does not take part", ~title_part & in_use),
        ("kept: it has other uses", (sites["other_use_m2"].to_numpy() > 0) & ~can_move & in_use & ~close),
        ("kept: a PFI contract with no exit price", (tenure == "pfi") & no_exit & in_use & ~close),
    ]
    held = np.array([each for _, each in reasons])
    must = held.any(axis=0)
    words = np.array([*(each for each, _ in reasons), ""], dtype=object)
    why = pd.Series(words[np.where(must, held.argmax(axis=0), len(reasons))], index=sites.index)
    why[late & ~must] = "not ready in the year for which it is decided"
    barred = np.zeros(len(sites), dtype=bool)
    for column, values in rules.barred.items():
        barred |= sites[column].astype(str).isin(values).to_numpy()
    receives = title_part & ~barred & ~close & ~place.outside
    return SiteState(must, close, receives & (sites["may_host"].to_numpy(dtype=object) != "none"), in_use & ~must, why)


def _of_agency(place: Place, frame: pd.DataFrame, part: Bools) -> Bools:
    """(n,) whether each row's agency takes part; one that is nobody's does."""
    row = place.agencies.index.get_indexer(pd.Index(frame["agency"]))
    return np.append(part, True)[row]  # -1 is the last


def host_pairs(
    place: Place, scenario: Scenario, travel: TravelTables, compiled: Compiled, state: SiteState
) -> tuple[Ints, Ints]:
    """Every allowed (access point, site), by position in the place's frames, sorted; points outside the place have none."""
    points = place.access_points
    mobile = _of_agency(place, points, taking_part(place, scenario))
    inside = ~place.outside[place.point_site]
    allowed = _suits(place, scenario)[place.point_service] & state.receives & (mobile & inside)[:, None]
    alone = area_units(points["area_m2"].to_numpy())[:, None]
    room = area_units((place.sites["capacity_m2"] - place.sites["other_use_m2"]).to_numpy(), up=False)
    allowed &= alone <= room[None, :]
    allowed &= _within_moves(place, scenario, travel, compiled)
    _mark(allowed, place, place.hosting.index[~place.hosting["allowed"].to_numpy(dtype=bool)], to=False)
    home = place.point_site
    here = np.arange(len(points))
    # Pairings of today stay allowed, unless the building must close.
    allowed[here, home] = inside & ~state.must_close[home]
    for name, to in scenario.rules.fixed.items():
        s, j = points.index.get_loc(name), place.sites.index.get_loc(to)
        allowed[s] = False
        allowed[s, j] = inside[s]  # what is outside the place stays where it is, and decides nothing
    point, site = np.nonzero(allowed)
    return point.astype(np.int64), site.astype(np.int64)


def _mark(allowed: Bools, place: Place, pairs: pd.Index, *, to: bool) -> None:
    if len(pairs):
        s = place.access_points.index.get_indexer(pairs.get_level_values(0))
        j = place.sites.index.get_indexer(pairs.get_level_values(1))
        allowed[s, j] = to


def _suits(place: Place, scenario: Scenario) -> Bools:
    """(K, J) whether a site suits a service: what the site says it may host, else the kinds of building the service names."""
    kind = place.sites["kind"].to_numpy(dtype=object)
    stated = place.sites["may_host"].to_numpy(dtype=object)
    listed = [set(str(each).split(";")) for each in stated]
    result = np.zeros((len(place.services), len(place.sites)), dtype=bool)
    for k, service in enumerate(place.services):
        setting = scenario.services.get(service)
        kinds = setting.hosts if setting and setting.hosts else ()
        by_kind = np.isin(kind, kinds) if kinds else np.ones(len(kind), dtype=bool)
        named = np.array([service in each for each in listed], dtype=bool)
        result[k] = np.where(stated == "", by_kind, named)
    return result


def _within_moves(place: Place, scenario: Scenario, travel: TravelTables, compiled: Compiled) -> Bools:
    """(S, J) moves within the reach of each service and every ``moved`` rule that forbids."""
    n_sites = len(place.sites)
    result = np.ones((len(place.access_points), n_sites), dtype=bool)
    reaches = [scenario.reach_of(service) for service in place.services]
    for reach in dict.fromkeys(each for each in reaches if each is not None):
        pairs = travel.between[scenario.travel.mode]
        near = pairs.take(pairs.measure(reach.metric.value) <= reach.value)
        matrix = np.zeros((n_sites, n_sites), dtype=bool)
        matrix[near.from_, near.to] = True
        held = np.array([each == reach for each in reaches])[place.point_service]
        result[held] &= matrix[place.point_site[held]]
    for r, allowed in compiled.moved.items():
        rule = compiled.rules[r]
        if rule.action == "forbid":
            held = place.access_points["service"].to_numpy() == rule.service
            result[held] &= allowed.toarray()[place.point_site[held]]
    return result
