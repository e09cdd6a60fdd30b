"""What may happen to buildings and counters, checked again by id.

Floor area is held to 0.1 m2: what a counter needs is rounded up and what a building has is rounded down, each after a thousandth
of that unit is forgiven.  Today is grandfathered: a counter may stay at home unless its building must close, services that
share today may go on sharing there, and a building over capacity today may keep or lose counters but not gain one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from estate.verify.access import check_access, journeys
from estate.verify.case import Case, Decision, Finding, finding, number
from estate.verify.money import annual_equivalent_pence, decided, running_pence
from estate.verify.purses import check_budgets

TRAVEL_GOALS = ("least-travel", "least-farthest")


def check_plan(case: Case, decision: Decision) -> Iterator[Finding]:
    """Every rule of the scenario on one plan."""
    yield from check_buildings(case, decision)
    yield from check_moves(case, decision)
    yield check_area(case, decision)
    yield from check_sharing(case, decision)
    yield from check_merging(case, decision)
    yield from check_counts(case, decision)
    yield from check_money(case, decision)
    yield from check_throughput(case, decision)
    yield from check_access(case, decision, frozenset(case.scenario.rules.fixed))
    if case.scenario.money.objective in TRAVEL_GOALS:
        lost = journeys(case, decision).query("far.isna()")
        names = case.zones["zone_id"].reindex(lost["zone"]).astype(str).to_numpy()
        broken = [f"{zone} {service}" for zone, service in zip(names, lost["service"], strict=True)]
        yield finding("reached", len(case.zones) * len(case.visited), broken, "somebody reaches no site")


# -------------------------------------------------------------------------------------------------- buildings


def takes_part(case: Case, agency: str) -> bool:
    """Whether an agency's counters and buildings may change."""
    row = case.agencies.get(agency)
    return row is None or bool(row["takes_part"] and agency not in case.scenario.rules.out)


def must_close(case: Case, site: str) -> bool:
    """Whether the scenario or the table closes a site."""
    return case.sites[site]["status"] == "close" or site in case.scenario.rules.close


def not_ready(case: Case, site: str) -> bool:
    """Whether a building that is not in use cannot be had yet in the year for which it is decided."""
    year = case.scenario.money.base_year + decided(case, site)
    return site not in case.today.open and number(case.sites[site]["ready_year"]) > year


def why_kept(case: Case) -> Mapping[str, str]:
    """Sites that must stay open, and the rule that says so."""
    rules, money = case.scenario.rules, case.scenario.money
    stuck = {case.today.host[p] for p, row in case.points.items() if not takes_part(case, row["agency"])}
    found = {}
    for site, row in case.sites.items():
        free = case.paid_today(site) and not must_close(case, site)
        if row["status"] == "outside":
            found[site] = "outside"
        elif row["status"] == "keep" or site in rules.keep:
            found[site] = "keep"
        elif site in stuck or (case.paid_today(site) and not takes_part(case, row["agency"])):
            found[site] = "not-taking-part"
        elif free and number(row["other_use_m2"]) > 0 and site not in rules.other_uses_move:
            found[site] = "other-uses"
        elif free and row["tenure"] == "pfi" and site not in money.pfi_exit_gbp:
            found[site] = "pfi"
    return found


def check_buildings(case: Case, decision: Decision) -> Iterator[Finding]:
    """Hosts are open; what must stay stays; what must close closes."""
    lost = [f"{point} in {site}" for point, site in decision.host.items() if site not in decision.open]
    yield finding("open", len(case.points), lost, "access points in a closed building")
    kept = why_kept(case)
    for reason in ("outside", "keep", "not-taking-part", "other-uses", "pfi"):
        held = [site for site, why in kept.items() if why == reason]
        yield finding(reason, len(held), set(held) - decision.open, f"sites that must stay open ({reason})")
    opened = case.opened(decision)
    yield finding(
        "ready", len(opened), [site for site in opened if not_ready(case, site)], "buildings opened before they can be had"
    )
    closed = [site for site in case.sites if must_close(case, site)]
    yield finding("close", len(closed), set(closed) & decision.open, "sites that must close")


# -------------------------------------------------------------------------------------------------- moves


def check_moves(case: Case, decision: Decision) -> Iterator[Finding]:
    """Each access point is at home or where it may go; a decision already taken is kept, and overrides what may go where."""
    fixed = case.scenario.rules.fixed
    wrong = [f"{point} at {decision.host[point]}" for point, site in fixed.items() if decision.host.get(point) != site]
    yield finding("fixed", len(fixed), wrong, "points fixed to another site")
    moved = [point for point in case.moved(decision) if point not in fixed]
    of_service = defaultdict(list)
    for point in moved:
        of_service[case.points[point]["service"]].append(point)
    reach = {service: reachable(case, service, points) for service, points in of_service.items()}
    broken = defaultdict(list)
    for point in moved:
        for reason in refusals(case, point, decision.host[point], reach):
            broken[reason].append(f"{point} at {decision.host[point]}")
    for reason, says in _REFUSALS.items():
        yield finding(reason, len(moved), broken[reason], f"moved although {says}")


_REFUSALS = {
    "point-out": "its agency does not take part",
    "point-outside": "it is outside the place",
    "host-out": "the new building's owner does not take part",
    "host-outside": "the new building is outside the place",
    "barred": "the new building may receive nobody",
    "may-host": "the new building may not host the service",
    "hosting": "the hosting table says no",
    "reach": "the new building is beyond reach",
}


def refusals(case: Case, point: str, site: str, reach: Mapping[str, set[tuple[str, str]] | None]) -> Iterator[str]:
    """Why a point may not move to a site; ``reach`` by service as :func:`reachable` says."""
    who, where, rules = case.points[point], case.sites[site], case.scenario.rules
    home = case.today.host[point]
    if not takes_part(case, who["agency"]):
        yield "point-out"
    if case.outside(home):
        yield "point-outside"
    if not takes_part(case, where["agency"]):
        yield "host-out"
    if case.outside(site):
        yield "host-outside"
    if any(str(where[column]) in values for column, values in rules.barred.items()):
        yield "barred"
    setting = case.scenario.services.get(who["service"])
    if where["may_host"]:
        suits = who["service"] in where["may_host"].split(";")
    else:
        suits = not (setting and setting.hosts) or where["kind"] in setting.hosts
    if not suits:
        yield "may-host"
    row = case.hosting.get((point, site))
    if row is not None and not row["allowed"]:
        yield "hosting"
    near = reach[who["service"]]
    if near is not None and (home, site) not in near:
        yield "reach"


def reachable(case: Case, service: str, points: Sequence[str]) -> set[tuple[str, str]] | None:
    """(from, to) sites near enough for counters of a service to move between, from the homes of these; None: any are.

    The service's own ``reach`` stands instead of ``rules.reach``.
    """
    own = case.scenario.services.get(service)
    limit = case.scenario.rules.reach if own is None or own.reach is None else own.reach
    if limit is None:
        return None
    pairs = case.travel.between[case.scenario.travel.mode]
    value, ids = pairs.measure(limit.metric.value), case.site_ids
    wanted = {case.position[case.today.host[point]] for point in points}
    return {
        (ids[a], ids[b]) for a, b, far in zip(pairs.from_, pairs.to, value, strict=True) if a in wanted and far <= limit.value
    }


# -------------------------------------------------------------------------------------------------- floor area


def need_units(m2: object) -> int:
    """Floor area needed, in whole 0.1 m2, rounded up."""
    return math.ceil(number(m2) * 10 - 1e-3)


def room_units(m2: float) -> int:
    """Floor area there is, in whole 0.1 m2, rounded down and never below nothing."""
    return max(math.floor(m2 * 10 + 1e-3), 0)


def area_units(case: Case, decision: Decision) -> dict[str, int]:
    """Floor area in use at each site, 0.1 m2: the hall once for all, the desk once for a service, the rest added up."""
    own: defaultdict[str, int] = defaultdict(int)
    halls: defaultdict[str, list[int]] = defaultdict(list)
    desks: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for point, site in decision.host.items():
        row = case.points[point]
        hall, desk = need_units(row["hall_area_m2"]), need_units(row["desk_area_m2"])
        own[site] += need_units(row["area_m2"]) - hall - desk
        halls[site].append(hall)
        desks[site, row["service"]].append(desk)
    used = {site: own[site] + max(each) for site, each in halls.items()}
    for (site, _), desk_of_one in desks.items():
        used[site] += max(desk_of_one)
    return used


def own_m2(case: Case, decision: Decision) -> dict[str, float]:
    """Floor area in use at each site as printed, m2 to a thousandth: the same sum as :func:`area_units` before rounding."""
    points = pd.DataFrame.from_dict(dict(case.points), orient="index")[["service", "area_m2", "hall_area_m2", "desk_area_m2"]]
    points = points.fillna(0.0).assign(site=pd.Series(decision.host))
    desks = points.groupby(["site", "service"])["desk_area_m2"].max().groupby("site").sum()
    site = points.groupby("site")
    own = site["area_m2"].sum() - site["hall_area_m2"].sum() - site["desk_area_m2"].sum()
    return dict((own + site["hall_area_m2"].max() + desks).round(3))


def check_area(case: Case, decision: Decision) -> Finding:
    """Everything fits, or is what was already there."""
    used, before = area_units(case, decision), area_units(case, case.today)
    gaining = {decision.host[point] for point in case.moved(decision)}
    broken = []
    for site, units in used.items():
        row = case.sites[site]
        room = room_units(number(row["capacity_m2"]) - number(row["other_use_m2"]))
        if site not in gaining:
            room = max(room, before.get(site, 0))
        if not case.outside(site) and units > room:
            broken.append(f"{site} needs {units / 10:g} m2 of {room / 10:g}")
    return finding("area", len(used), broken, "more floor area than there is")


# -------------------------------------------------------------------------------------------------- sharing and counts


def services_at(case: Case, decision: Decision) -> dict[str, set[str]]:
    """The services at each site of the place."""
    found: dict[str, set[str]] = {site: set() for site in case.sites if not case.outside(site)}
    for point, site in decision.host.items():
        if site in found:
            found[site].add(case.points[point]["service"])
    return found


def check_sharing(case: Case, decision: Decision) -> Iterator[Finding]:
    """Services that may not share a building, unless they do so there today; services that must."""
    after, before = services_at(case, decision), services_at(case, case.today)
    for a, b in case.scenario.rules.may_not_share:
        broken = [site for site, there in after.items() if {a, b} <= there and not {a, b} <= before[site]]
        yield finding("may-not-share", len(after), broken, f"{a} and {b} may not share a building")
    for a, b in case.scenario.rules.must_share:
        if a in case.services and b in case.services:
            broken = [site for site, there in after.items() if (a in there) != (b in there)]
            yield finding("must-share", len(after), broken, f"{a} and {b} must share a building")


def merges(case: Case, decision: Decision) -> set[str]:
    """Access points that leave for a building where another of their service is, which does not share theirs today."""
    met: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for point, site in decision.host.items():
        met[site, case.points[point]["service"]].add(case.today.host[point])
    return {
        point
        for point in case.moved(decision)
        if met[decision.host[point], case.points[point]["service"]] - {case.today.host[point]}
        and not case.outside(decision.host[point])
    }


def check_merging(case: Case, decision: Decision) -> Iterator[Finding]:
    """Services that may not merge: nobody moves in with another of them."""
    found = merges(case, decision)
    for service, setting in sorted(case.scenario.services.items()):
        if not setting.may_merge and service in case.services:
            points = [point for point, row in case.points.items() if row["service"] == service]
            broken = [f"{point} at {decision.host[point]}" for point in found.intersection(points)]
            yield finding("may-not-merge", len(points), broken, f"counters of {service} may not merge")


def check_counts(case: Case, decision: Decision) -> Iterator[Finding]:
    """At least and at most so many sites or hubs."""
    services = services_at(case, decision)
    for count in case.scenario.rules.counts:
        chosen = [s for s in services if all(str(case.sites[s][column]) == value for column, value in count.where.items())]
        held = [s for s in chosen if (len(case.kinds(services[s])) > 1 if count.what == "hubs" else s in decision.open)]
        low = 0 if count.at_least is None else count.at_least
        high = len(chosen) if count.at_most is None else count.at_most
        broken = [] if low <= len(held) <= high else [f"{len(held)}, not {low} to {high}"]
        yield finding("counts", 1, broken, f"number of {count.what} {dict(count.where) or ''}".rstrip())


# -------------------------------------------------------------------------------------------------- money and visits


def check_money(case: Case, decision: Decision) -> Iterator[Finding]:
    """Budgets and payback, to a hundredth of a penny."""
    money = case.scenario.money
    cost, today = running_pence(case, decision), running_pence(case, case.today)

    def within(rule: str, spent: float, limit: float, says: str) -> Finding:
        broken = [f"£{spent / 100:,.2f} over £{limit / 100:,.2f}"] if spent > limit + 0.01 else []
        return finding(rule, 1, broken, says)

    if not money.objective.in_money:
        cap = today if money.running_budget_gbp_pa is None else money.running_budget_gbp_pa * 100
        yield within("running-budget", cost, cap, "running cost over its budget")
    yield from check_budgets(case, decision)
    if money.longest_payback_years is not None:
        first = min(max(int(money.longest_payback_years), 1), money.horizon_years)
        short = [years for years in range(first, money.horizon_years + 1) if below_nothing(case, decision, years)]
        broken = [f"below nothing after {years} years" for years in short]
        yield finding("payback", money.horizon_years + 1 - first, broken, "not paid back in time")


def below_nothing(case: Case, decision: Decision, years: int) -> bool:
    """Whether the plan's discounted total over its first so many years is negative."""
    money = case.scenario.money
    ends = money.residual_value and years == money.horizon_years
    short = money.model_copy(update={"horizon_years": years, "residual_value": ends})
    cut = replace(case, scenario=case.scenario.model_copy(update={"money": short}))
    return annual_equivalent_pence(cut, decision) > running_pence(case, case.today)


def check_throughput(case: Case, decision: Decision) -> Iterator[Finding]:
    """Visits a year within what each site can take, where it says; a site over that today may have what it has."""

    def load(of: Decision) -> defaultdict[str, float]:
        total: defaultdict[str, float] = defaultdict(float)
        for point, site in of.host.items():
            total[site] += number(case.points[point]["visits_pa"])
        return total

    visits, today = load(decision), load(case.today)
    for column, factor in case.scenario.rules.throughput.items():
        stated = {s: float(row[column]) for s, row in case.sites.items() if row[column] == row[column] and not case.outside(s)}
        broken = [
            f"{s}: {visits[s]:g} visits" for s, room in stated.items() if visits[s] > max(room * factor, today[s]) * (1 + 1e-9)
        ]
        yield finding("throughput", len(stated), broken, f"more visits than {column} x {factor:g}")
