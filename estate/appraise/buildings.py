"""What happens to each building and to each access point: ``sites.csv`` and ``moves.csv``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from estate.appraise.decisions import behind_points, behind_sites
from estate.appraise.met import displacement
from estate.appraise.places import merged
from estate.appraise.reasons import why_it_moves
from estate.money import costs
from estate.money.opening import opening_gbp
from estate.money.release import day_of, leaving_years, moving_years, opening_years
from estate.place import Place, Plan, area_used_m2, offers
from estate.problem import Bools
from estate.scenario import Journey, Scenario
from estate.standards.measured import Measured
from estate.standards.words import in_words
from estate.travel.pairs import lookup


def services_at(place: Place, plan: Plan) -> pd.Series[str]:
    """(J,) the services at each site under a plan, sorted and separated by semicolons."""
    frame = pd.DataFrame({"site": plan.host, "service": place.access_points["service"].to_numpy()})
    joined = frame.drop_duplicates().sort_values("service").groupby("site")["service"].agg(";".join)
    return joined.reindex(range(len(place.sites)), fill_value="").set_axis(place.sites.index)


def public_services(place: Place, scenario: Scenario) -> Bools:
    """(K,) the services that people come to."""
    return np.array([scenario.is_public(each) for each in place.services], dtype=bool)


def hubs(place: Place, scenario: Scenario, plan: Plan) -> Bools:
    """(J,) sites of the place that hold points of public services of two or more kinds."""
    there, kinds = offers(place, plan), np.array([scenario.kind_of(each) for each in place.services], dtype=object)
    public = public_services(place, scenario)
    count = sum((there[public & (kinds == kind)].any(axis=0).astype(np.int64) for kind in np.unique(kinds)), start=0)
    return np.asarray((count >= 2) & ~place.outside)


def state_words(place: Place, scenario: Scenario, plan: Plan, *, after: bool) -> pd.Series[str]:
    """(J,) ``hub``, ``retained``, ``released``, ``closed to services``, ``not in use`` or ``outside``.

    A site kept open with no public access point in it is *retained* if it never had one, and *closed to services* if its counters
    moved away while its other uses, or people at desks, keep it open.
    """
    today = place.today
    public = public_services(place, scenario)
    has, had = (offers(place, each)[public].any(axis=0) for each in (plan, today))
    cases = [
        (place.outside, "outside"),
        (~plan.open & ~today.open, "not in use"),
        (~plan.open & today.open & after, "released"),
        (plan.open & ~has & had & after, "closed to services"),
        (hubs(place, scenario, plan), "hub"),
    ]
    holds, words = zip(*cases, strict=True)
    return pd.Series(np.select(holds, words, default="retained").astype(object), index=place.sites.index)


def sites_table(place: Place, plan: Plan, receipts: pd.DataFrame, why: pd.Series[str], scenario: Scenario) -> pd.DataFrame:
    """One row for each site, before and after."""
    today = place.today
    sites = place.sites
    running = costs.pence(costs.running_gbp_pa(place)) / 100
    here = np.arange(len(place.access_points))
    extra_before, extra = (
        np.bincount(each.host, weights=costs.pence(costs.hosting_gbp_pa(place, here, each.host)) / 100, minlength=len(sites))
        for each in (today, plan)
    )
    after = state_words(place, scenario, plan, after=True)
    net = receipts.set_index("site_id")["net_receipt_gbp"].reindex(sites.index).to_numpy(dtype=np.float64)
    names = sites["agency"].map(place.agencies["name"])
    return pd.DataFrame(
        {
            "site_id": sites.index,
            "name": sites["name"].to_numpy(),
            "agency": sites["agency"].to_numpy(),
            "agency_name": names.to_numpy(),
            "kind": sites["kind"].to_numpy(),
            "tenure": sites["tenure"].to_numpy(),
            "before": state_words(place, scenario, today, after=False).to_numpy(),
            "after": after.to_numpy(),
            "services_before": services_at(place, today).to_numpy(),
            "services_after": services_at(place, plan).to_numpy(),
            "area_used_before_m2": area_used_m2(place, today.host),
            "area_used_after_m2": area_used_m2(place, plan.host),
            "capacity_m2": (sites["capacity_m2"] - sites["other_use_m2"]).to_numpy(),
            "other_use_m2": sites["other_use_m2"].to_numpy(),
            "running_cost_before_gbp_pa": np.round(np.where(today.open, running, 0.0) + extra_before, 2),
            "running_cost_after_gbp_pa": np.round(np.where(plan.open, running, 0.0) + extra, 2),
            "net_receipt_gbp": net,
            "candidate": sites["candidate"].to_numpy(),
            "opening_gbp": np.where(plan.open, costs.pence(opening_gbp(place, scenario).total), 0) / 100,
            "date": _dates(place, plan, scenario),
            "why": _why(place, plan, after, _decided(scenario, after, why), scenario).to_numpy(),
            "district": sites["district"].to_numpy(),
            "easting_m": sites["easting_m"].to_numpy(),
            "northing_m": sites["northing_m"].to_numpy(),
            "illustrative": sites["illustrative"].to_numpy(),
            "source": sites["source"].to_numpy(),
        }
    )


def _dates(place: Place, plan: Plan, scenario: Scenario) -> list[str]:
    """(J,) the day on which each site is let go or opened; blank where neither."""
    changed, base = (plan.open != place.today.open) & ~place.outside, scenario.money.base_year
    when = np.where(place.today.open, leaving_years(place, scenario), opening_years(place, scenario))
    return [day_of(base, year) if change else "" for year, change in zip(when.tolist(), changed.tolist(), strict=True)]


def _decided(scenario: Scenario, after: pd.Series[str], why: pd.Series[str]) -> pd.Series[str]:
    """Why each site had to stay or go, by whose decision where the register has one."""
    result = why.copy()
    for site, decision in behind_sites(scenario).items():
        if site in result.index:
            result[site] = f"{'released' if after[site] == 'released' else 'kept'}: {decision.words}"
    return result


CANDIDATES = {"": "brought into use", "build": "built", "buy": "bought", "refurbish": "refurbished and brought into use"}
"""What becomes of a building that is not in use today and is opened."""


def _why(place: Place, plan: Plan, after: pd.Series[str], why: pd.Series[str], scenario: Scenario) -> pd.Series[str]:
    """In words, what explains each site's fate; a forced stay says who forced it."""
    today = place.today
    public = public_services(place, scenario)[place.point_service]
    goes, joins = plan.host != place.point_site, merged(place, plan) & public
    gains, leaves, gains_merged, leaves_merged, spaces_in, spaces_out = (
        np.bincount(each[chosen], minlength=len(place.sites))
        for chosen in (goes & public, joins, goes & ~public)
        for each in (plan.host, place.point_site)
    )
    result = why.copy()
    free = result == ""
    words = {
        "released": "released: everything in it fits elsewhere at less cost, within the limits",
        "hub": "kept: the least-cost plan uses it as a hub",
        "retained": "kept: the least-cost plan uses it",
        "closed to services": "kept for its other uses; its counters move",
        "not in use": "not used by the plan",
    }
    for state, sentence in words.items():
        result[free & (after == state)] = sentence
    opened = free & plan.open & ~today.open
    for how, done in CANDIDATES.items():
        result[opened & (place.sites["candidate"] == how).to_numpy(dtype=bool)] = f"{done}: the plan needs it"
    counted = zip(gains, gains_merged, spaces_in, leaves, leaves_merged, spaces_out, strict=True)
    moved = [_moved(*map(int, each)) for each in counted]
    return result + pd.Series(moved, index=result.index)


def _moved(*counts: int) -> str:
    """What comes in and what goes out: counters, those of them that merge, and spaces that are not public, of each."""
    parts = []
    for way, (n, merge, spaces) in (("in", counts[:3]), ("out", counts[3:])):
        parts += [_counters(n, merge, way)] if n else []
        parts += [f"{spaces} staff space{'s' if spaces > 1 else ''} {way}"] if spaces else []
    return f" ({', '.join(parts)})" if parts else ""


def _counters(n: int, merge: int, way: str) -> str:
    said = f"1 counter moves {way}" if n == 1 else f"{n} counters move {way}"
    if not merge:
        return said
    return f"{said} and merges" if n == 1 else f"{said}, {merge} of them to merge"


def moves_table(measured: Measured, plan: Plan) -> pd.DataFrame:
    """One row for each access point that moves; distances are from the old building to the new, blank where not measured.

    ``kind`` is ``space`` where the service is not public, ``merge`` where a counter joins its own service
    (:func:`.places.merged`), else ``move``; ``why`` says what it leaves its building for (:func:`.reasons.why_it_moves`).
    """
    place, scenario = measured.place, measured.scenario
    moved = np.flatnonzero(plan.host != place.point_site)
    points, sites = place.access_points.iloc[moved], place.sites
    from_, to = place.point_site[moved], plan.host[moved]
    one_off = costs.pence(costs.move_one_off_gbp(place, scenario, moved, to).total) / 100
    pairs = measured.travel.between.get(scenario.travel.mode)
    verdict, reason = _consultation(measured, plan)
    decided = behind_points(scenario)
    return pd.DataFrame(
        {
            "access_point_id": points.index,
            "name": points["name"].to_numpy(),
            "service": points["service"].to_numpy(),
            "kind": np.where(
                ~public_services(place, scenario)[place.point_service[moved]],
                "space",
                np.where(merged(place, plan)[moved], "merge", "move"),
            ),
            "agency": points["agency"].to_numpy(),
            "from_site_id": sites.index[from_],
            "from_name": sites["name"].to_numpy()[from_],
            "to_site_id": sites.index[to],
            "to_name": sites["name"].to_numpy()[to],
            "date": [day_of(scenario.money.base_year, year) for year in moving_years(place, scenario)[moved].tolist()],
            "distance_m": _pair(pairs.distance_m if pairs and pairs.has_distance else None, pairs, from_, to, len(sites)),
            "time_s": _pair(pairs.time_s if pairs and pairs.has_time else None, pairs, from_, to, len(sites)),
            "area_m2": points["area_m2"].to_numpy(),
            "one_off_gbp": one_off,
            "why": why_it_moves(place, plan, moved, scenario),
            "decision": [decided[each].words if each in decided else "" for each in points.index],
            "consultation": verdict.to_numpy()[moved],
            "consultation_reason": reason.to_numpy()[moved],
        }
    )


def _pair(value: Any, pairs: Any, from_: Any, to: Any, n: int) -> Any:
    if value is None:
        return pd.array([pd.NA] * len(from_), dtype="Int64")
    found = lookup(pairs, value, from_, to, n)
    return pd.Series(pd.array(np.maximum(found, 0), dtype="Int64")).mask(found < 0).array


def _consultation(measured: Measured, plan: Plan) -> tuple[pd.Series[str], pd.Series[str]]:
    """(S,) ``consult``, ``not tested``, ``within`` or blank; and the rule that says so.  The worst verdict of any rule stands."""
    worst = {"": 0, "within": 1, "not tested": 2, "consult": 3}
    verdict = pd.Series("", index=measured.place.access_points.index, dtype=object)
    reason = verdict.copy()
    for rule in measured.rules:
        if rule.measure is not Journey.SITE or measured.service(rule) is None:
            continue
        found = displacement(rule, measured, plan)
        worse = found.map(worst) > verdict.map(worst)
        verdict[worse] = found[worse]
        reason[worse] = f"{rule.name}: {in_words(rule, measured.scenario)}"
    return verdict, reason
