"""Causes and members as sentences for a property team: names, people, miles, square metres."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from estate.diagnose.conflict import Cause
from estate.diagnose.elastic import Elastic
from estate.diagnose.members import LOCKS, Kind, Member, reaches
from estate.errors import Issue, Where
from estate.formulate.side import MAY_NOT_MERGE
from estate.money.law import year_label
from estate.money.purses import at_hand_pence, of_row
from estate.place import Place
from estate.problem import AREA_UNITS_PER_M2, Bools
from estate.scenario import ROOF, Journey, Limit, Metric, Standard
from estate.standards.presets import limbs
from estate.standards.words import in_words

MOST_NAMED = 5
"""Zones, points or sites named in one sentence; the rest are counted."""
METRES_A_MILE = 1609.344
SECONDS_A_MINUTE = 60


def issue_of(e: Elastic, cause: Cause) -> Issue:
    """A cause as an issue: what cannot hold together, and what would do."""
    asked = [each for each in cause.members if each.kind not in LOCKS]
    first = asked[0] if asked else cause.members[0]
    rest = [each for each in cause.members if each is not first]
    where = Where(e.scenario.file.name, column=_setting(first))
    if first.kind is Kind.ACCESS and cause.by_itself:
        return _out_of_reach(e, first, rest, where)
    if first.kind is Kind.POINT and cause.by_itself:
        return _homeless(e, first, rest, where)
    if {each.kind for each in asked} == {Kind.POINT, Kind.AREA}:
        return _too_full(e, cause, where)
    clauses = "; ".join(f"({n}) {phrase(e, each)}" for n, each in enumerate(cause.members, 1))
    if len(cause.members) == 1:
        return Issue("infeasible.rule", f"this cannot be met: {phrase(e, first)}", "relax it", where)
    return Issue("infeasible.conflict", f"these cannot all hold: {clauses}", "let one of them give way", where)


def phrase(e: Elastic, member: Member) -> str:
    """One member as a clause."""
    return PHRASES[member.kind](e, member)


def _access(e: Elastic, member: Member) -> str:
    rule = rule_named(e, member.name)
    return f"'{member.name}' ({in_words(rule, e.scenario)}) for {_who(e, rule, member.who)}"


def _reached(e: Elastic, member: Member) -> str:
    service = e.scenario.service_label(member.name).lower()
    return f"the objective needs {plural(len(member.who), 'zone')} ({listed(member.who)}) to reach a {service} at all"


def _homes(e: Elastic, member: Member) -> str:
    area = e.place.access_points["area_m2"].to_dict()
    label = e.scenario.service_label(member.name).lower()
    if len(member.who) == 1:
        return f"{member.who[0]} ({label}, {square(area[member.who[0]])})"
    return f"{len(member.who):,} access points ({label}: {listed(member.who)})"


def _keep(e: Elastic, member: Member) -> str:
    why = member.name.removeprefix("kept: ")
    if len(member.who) == 1:
        return f"{site_name(e, member.who[0])} stays open ({why})"
    return f"{len(member.who):,} buildings stay open ({why}: {listed(member.who)})"


def _floor_area(e: Elastic, member: Member) -> str:
    total = square(sum(room_m2(e, site) for site in member.who))
    if len(member.who) == 1:
        return f"{site_name(e, member.who[0])} has {total} for access points"
    return f"{len(member.who):,} buildings ({listed(member.who)}) have {total} for access points"


def _bounds(e: Elastic, member: Member) -> str:
    side, money = e.problem.side, e.scenario.money
    r = side.name.index(member.name)
    low, high = side.lower[r], side.upper[r]
    if (budget := of_row(e.place, e.scenario, member.name)) is not None:
        purse, kind, year = budget
        hand = at_hand_pence(purse, kind, money.base_year, np.array([year - money.base_year]))[0] / 100
        return f"the {kind} budget of {purse.name}: £{hand:,.0f} to {year_label(year)} ({purse.basis})"
    if member.name == "payback" and money.longest_payback_years is not None:
        return f"payback within {money.longest_payback_years:g} years"
    if member.name.startswith("running cost"):
        return f"running cost of at most £{high / 100:,.0f} a year"
    if member.name.endswith(MAY_NOT_MERGE):
        return member.name
    parts = [f"at least {low:,.0f}"] if np.isfinite(low) else []
    parts += [f"at most {high:,.0f}"] if np.isfinite(high) and high else []
    return f"{member.name}{': ' if parts else ''}{' and '.join(parts)}"


def _farther(e: Elastic, member: Member) -> str:
    limit, services = reaches(e.place, e.scenario)[member.name]
    whose = "" if len(services) == len(e.place.services) else f" of {listed(services)}"
    return f"no access point{whose} moves farther than {limit.text}"


PHRASES: Mapping[Kind, Callable[[Elastic, Member], str]] = {
    Kind.ACCESS: _access,
    Kind.SHARE: lambda e, m: f"'{m.name}': {in_words(rule_of_share(e, m.name), e.scenario)}",
    Kind.REACHED: _reached,
    Kind.POINT: lambda e, m: f"{_homes(e, m)} need{'s' if len(m.who) == 1 else ''} a home",
    Kind.AREA: _floor_area,
    Kind.KEEP: _keep,
    Kind.CLOSE: lambda e, m: f"{site_name(e, m.name)} must close",
    Kind.FIXED: lambda e, m: f"{m.name} is fixed to {site_name(e, e.scenario.rules.fixed[m.name])}",
    Kind.SIDE: _bounds,
    Kind.APART: lambda _, m: f"{m.name} may not share a building",
    Kind.TOGETHER: lambda _, m: f"{m.name} must share their buildings",
    Kind.BARRED: lambda e, m: f"a building whose {m.name} is {', '.join(e.scenario.rules.barred[m.name])} receives nobody",
    Kind.OUT: lambda _, m: f"{m.name} does not take part",
    Kind.REACH: _farther,
    Kind.MOVED: lambda e, m: f"'{m.name}' ({in_words(rule_named(e, m.name), e.scenario)})",
}
"""Each kind of member as a clause."""


# -------------------------------------------------------------------------------------------------- common causes


def _out_of_reach(e: Elastic, first: Member, rest: Sequence[Member], where: Where) -> Issue:
    """Zones (or displaced counters) with no possible site within the limit: who, the nearest, and the limit that would do."""
    rule = rule_named(e, first.name)
    limb = limbs(rule, e.scenario)[0]
    service = e.scenario.service_label(rule.service).lower()
    given = f"since {_and(phrase(e, each) for each in rest)}, " if rest else ""
    who = _who(e, rule, first.who)
    backup = f" {rule.backup} sites" if rule.backup > 1 else " building"
    message = f"'{rule.name}': {given}{who} have no{backup} that may host a {service} within {limb.limit.text}"
    if rule.backup > 1:
        message = message.replace("have no", "do not have")
    if beyond_today(e, rule, first.who).any():
        message += f" (or no farther than today{f' plus {rule.tolerance.text}' if rule.tolerance else ''})"
    value, zone, site = nearest_left(e, rule, first.who)
    if value < 0:
        return Issue("infeasible.out-of-reach", message + "; no such building is in the travel table", "add one", where)
    message += f"; nearest is {site_name(e, site)}, {measured(value, limb.limit)} from {zone}"
    remedy = f"a limit of {measured(value, limb.limit, up=True)} would do for {'all of these' if len(first.who) > 1 else 'it'}"
    return Issue("infeasible.out-of-reach", message, remedy + (", or let one of the locks go" if rest else ""), where)


def nearest_left(e: Elastic, rule: Standard, who: Sequence[str]) -> tuple[int, str, str]:
    """The one whose nearest possible site is farthest: the value (m or s), its id, that site; -1 where one has none."""
    limb = limbs(rule, e.scenario)[0]
    home = rule.measure is Journey.HOME
    pairs = (e.travel.home if home else e.travel.between)[limb.mode]
    value = pairs.measure(limb.limit.metric.value)
    possible = possible_sites(e, rule.service)
    ids = e.place.zones.index if home else e.place.access_points.index
    worst = (-2, "", "")
    for each in who:
        at = ids.get_loc(each)
        at = at if home else int(e.place.point_site[at])
        mine = np.flatnonzero((pairs.from_ == at) & possible[pairs.to])
        mine = mine[np.argsort(value[mine], kind="stable")]
        if len(mine) < rule.backup:
            return -1, each, ""
        best = mine[rule.backup - 1]
        worst = max(worst, (int(value[best]), each, str(e.place.sites.index[pairs.to[best]])))
    return worst


def possible_sites(e: Elastic, service: str) -> Bools:
    """(J,) sites that could offer a service under every lock of the scenario, outside sites included."""
    left = e.choices(e.everything())
    p = e.problem
    every = []
    for each in service.split(ROOF):
        k = e.place.services.index(each)
        there: Bools = e.place.offers_today[k] & e.place.outside
        there[p.pair_site[left & (p.point_service[p.pair_point] == k)]] = True
        every.append(there)
    return np.all(every, axis=0)


def beyond_today(e: Elastic, rule: Standard, who: Sequence[str]) -> Bools:
    """Whether ``no-worse`` is what holds each of these zones: it has no site within the limit today."""
    if rule.measure is not Journey.HOME or rule.beyond != "no-worse":
        return np.zeros(len(who), dtype=bool)
    limb = limbs(rule, e.scenario)[0]
    pairs = e.travel.home[limb.mode]
    near = pairs.measure(limb.limit.metric.value) <= limb.limit.value
    met = np.zeros(len(e.place.zones), dtype=bool)
    today = e.measured.offers_today[e.measured.service(rule)]
    met[pairs.from_[near & today[pairs.to]]] = True
    beyond: Bools = ~met[e.place.zones.index.get_indexer(pd.Index(who))]
    return beyond


def _homeless(e: Elastic, first: Member, rest: Sequence[Member], where: Where) -> Issue:
    """An access point with nowhere to go, and what bars each building."""
    reasons = [phrase(e, each) for each in rest if each.kind is not Kind.AREA]
    for small in (each.who for each in rest if each.kind is Kind.AREA):
        most = max(small, key=lambda site: (room_m2(e, site), site))
        roomiest = f"the largest, {most}, has {square(room_m2(e, most))}" if len(small) > 1 else f"{square(room_m2(e, most))}"
        reasons.append(f"{listed(small)} {'are' if len(small) > 1 else 'is'} too small ({roomiest})")
    message = f"{_homes(e, first)} has nowhere to go: {_and(reasons) if reasons else 'no building may host it'}"
    return Issue("infeasible.nowhere-to-go", message, "let one of these go, or add a building ('add_sites')", where)


def _too_full(e: Elastic, cause: Cause, where: Where) -> Issue:
    """Access points that need more floor area than the buildings open to them have."""
    homes = [each for each in cause.members if each.kind is Kind.POINT]
    points = [s for each in homes for s in each.who]
    sites = [site for each in cause.members if each.kind is Kind.AREA for site in each.who]
    locks = [phrase(e, each) for each in cause.members if each.kind in LOCKS]
    need, have = shared_need_m2(e, points), sum(room_m2(e, site) for site in sites)
    message = (
        f"{_and(_homes(e, each) for each in homes)} need {square(need)} even where shared parts count once;"
        f" the buildings left to them ({listed([site_name(e, site) for site in sites])}) have {square(have)}"
    )
    if need <= have:
        message += ", not in parts that fit"
    if locks:
        message += f", since {_and(locks)}"
    short = f"{square(need - have)} more floor area, or " if need > have else ""
    return Issue("infeasible.floor-area", message, f"{short}let one of these go", where)


# -------------------------------------------------------------------------------------------------- figures


def room_m2(e: Elastic, site: str) -> float:
    """Floor area for access points, m2: capacity less other uses, and what today's exceed it by."""
    j = e.place.sites.index.get_loc(site)
    p = e.base.problem
    return float(p.site_capacity[j] + p.site_slack[j]) / AREA_UNITS_PER_M2


def shared_need_m2(e: Elastic, points: Iterable[str]) -> float:
    """The least m2 that some points can need: together in one building, the largest hall and each service's largest desk once."""
    p = e.problem
    chosen = np.isin(e.place.access_points.index.astype(str)[e.points], list(points))
    desk = np.zeros(p.n_services, dtype=np.int64)
    np.maximum.at(desk, p.point_service[chosen], p.point_desk[chosen])
    units = int(p.point_own[chosen].sum() + p.point_hall[chosen].max(initial=0) + desk.sum())
    return units / AREA_UNITS_PER_M2


def rule_named(e: Elastic, name: str) -> Standard:
    """An access rule by name."""
    return {rule.name: rule for rule in e.base.compiled.rules}[name]


def rule_of_share(e: Elastic, name: str) -> Standard:
    """The access rule behind a share of people in the place or a group."""
    compiled = e.base.compiled
    n = [each.name for each in compiled.shares].index(name)
    return compiled.rules[int(compiled.share_rule[n])]


def site_name(e: Elastic, site: str) -> str:
    """``W-LIB-REDDITCH (Redditch Library)``."""
    return site_name_in(e.place, site)


def site_name_in(place: Place, site: str) -> str:
    """The same, in a place."""
    name = str(place.sites["name"].get(site, ""))
    return f"{site} ({name})" if name and name != site else site


def _who(e: Elastic, rule: Standard, who: Sequence[str]) -> str:
    if rule.measure is Journey.SITE:
        return f"{plural(len(who), 'access point')} ({listed(who)})"
    people = int(e.place.zones["population"].reindex(list(who)).sum())
    return f"{plural(len(who), 'zone')} ({listed(who)}; {people:,} people)"


def measured(value: float, like: Limit, *, up: bool = False) -> str:
    """A distance in miles and metres, or a time in minutes; ``up``: rounded so that it still does."""
    if like.metric is Metric.TIME:
        minutes = np.ceil(value / SECONDS_A_MINUTE * 10) / 10 if up else value / SECONDS_A_MINUTE
        return f"{minutes:.1f} minutes"
    miles = np.ceil(value / METRES_A_MILE * 100) / 100 if up else value / METRES_A_MILE
    return f"{miles:.2f} miles ({value:,.0f} m)"


def square(m2: float) -> str:
    """Floor area in words."""
    return f"{m2:,.0f} m2" if float(m2).is_integer() or m2 >= 100 else f"{m2:,.1f} m2"


def plural(n: int, what: str) -> str:
    """``1 zone``, ``3 zones``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def listed(names: Sequence[Any]) -> str:
    """The first few names, and how many more."""
    shown = [str(each) for each in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _and(parts: Iterable[str]) -> str:
    *most, last = list(parts)
    return f"{', '.join(most)} and {last}" if most else last


def _setting(member: Member) -> str:
    """The setting a member comes from, where it is one."""
    settings = {Kind.CLOSE: "rules.close", Kind.KEEP: "rules.keep", Kind.REACH: member.name, Kind.OUT: "rules.out"}
    settings |= dict.fromkeys((Kind.ACCESS, Kind.SHARE, Kind.MOVED), f"standards.{member.name}")
    settings |= {Kind.FIXED: f"rules.fixed.{member.name}", Kind.BARRED: f"rules.barred.{member.name}"}
    return settings.get(member.kind, "")
