"""From a place to the problem: which points may go where, at what cost, under which rows.

Everything geographic, legal and financial ends here; what leaves is :class:`estate.problem.Problem`, plain integers.

*Who may go where.*  A point may stay at home unless its building must close (today is grandfathered).  It may move to a site
that takes part, is not barred, is large enough alone, suits the service, and is within the move rules.  Agencies that do not
take part keep their points where they are and receive nobody.  A building stays open that is marked ``keep``, has other uses,
holds a point of an agency that does not take part, or is a PFI without an exit price.

*Sites outside the place* serve people and never change: they are open at no cost, with their services as inherent offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from estate.errors import Issue, Severity, Where
from estate.formulate.eligible import SiteState, area_units, host_pairs, site_state
from estate.formulate.priced import priced_solution, with_prices
from estate.formulate.rules import Compiled, compile_rules
from estate.formulate.side import side_rows
from estate.money import costs
from estate.money.opening import opening_gbp
from estate.money.present_value import annual_equivalent_pence, opening_pence
from estate.money.release import net_release_gbp
from estate.place import Place, Plan
from estate.problem import BROKEN, CoverRows, Derived, Goal, Ints, NearRows, Problem, Solution, area_used, violations
from estate.scenario import ROOF, Journey, Objective, Scenario
from estate.standards.measured import Measured
from estate.standards.reach import nearest
from estate.travel import TravelTables
from estate.travel.pairs import lookup

GOALS = {
    Objective.RUNNING_COST: Goal.COST,
    Objective.ANNUAL_EQUIVALENT: Goal.COST,
    Objective.PEOPLE_WITHIN: Goal.COVERED,
    Objective.LEAST_TRAVEL: Goal.TRAVEL,
    Objective.LEAST_FARTHEST: Goal.FARTHEST,
}


@dataclass(frozen=True, slots=True, eq=False)
class Formulated:
    """A problem and the way back to the place.

    ``points`` are the positions, in the place's frame, of the problem's points; its sites after the place's own stand for priced
    displacements.  ``constant`` (pence) is the part of the objective that no decision changes; ``state`` says what each site may
    become.
    """

    problem: Problem
    points: Ints
    constant: int
    compiled: Compiled
    state: SiteState
    cover_from: Ints
    """The row of ``compiled.cover`` that each cover row is, as far as they go; those after them are the priced rows."""
    notes: tuple[Issue, ...] = ()

    def __repr__(self) -> str:
        return f"<Formulated {self.problem!r}>"

    def plan(self, place: Place, solution: Solution) -> Plan:
        """A solution as a plan of the place."""
        host = place.point_site.copy()
        host[self.points] = solution.host[: len(self.points)]
        return Plan(open=solution.open[: len(place.sites)].copy(), host=host)

    def solution(self, plan: Plan) -> Solution:
        """A plan of the place as a solution, the way back from :meth:`plan`; whether it breaks a row is not asked."""
        return priced_solution(self.problem, self.compiled, Solution(plan.open.copy(), plan.host[self.points]))

    def row_names(self, place: Place) -> list[tuple[str, str]]:
        """For each cover row and then each item of a share rule: the rule, and the zone or access point it is about."""
        c = self.compiled
        rule = np.concatenate([c.row_rule[self.cover_from], c.priced_rule])
        who = np.concatenate([c.row_zone[self.cover_from], c.priced_point])
        about = [place.zones.index if c.rules[r].measure is Journey.HOME else place.access_points.index for r in rule.tolist()]
        names = [(c.rules[r].name, str(index[i])) for r, index, i in zip(rule.tolist(), about, who.tolist(), strict=True)]
        for r, zones in zip(c.share_rule.tolist(), c.share_zone, strict=True):
            names += [(c.rules[r].name, str(zone)) for zone in place.zones.index[zones]]
        return names


def formulate(measured: Measured, *, near: NearRows | None = None) -> Formulated:
    """The problem of a place under a scenario, whose rules are measured already.

    ``near`` is what an earlier call found (``problem.near``) for the same people, offers of today, travel and mode: it depends
    on nothing else.

    Raises
    ------
    InputError
        From the rules and the money settings it compiles.
    """
    place, scenario, travel = measured.place, measured.scenario, measured.travel
    compiled = compile_rules(measured)
    state = site_state(place, scenario)
    points = np.flatnonzero(~place.outside[place.point_site])
    point, site = host_pairs(place, scenario, travel, compiled, state)
    local = np.full(len(place.access_points), -1, dtype=np.int64)
    local[points] = np.arange(len(points))
    pair_cost, site_cost, constant = _costs(place, scenario, compiled, point, site, state)
    one_off = costs.move_one_off_gbp(place, scenario, point, site)
    area = {
        name: area_units(place.access_points[name].to_numpy()[points]) for name in ("area_m2", "hall_area_m2", "desk_area_m2")
    }
    capacity = area_units((place.sites["capacity_m2"] - place.sites["other_use_m2"]).to_numpy(), up=False)
    outside = np.argwhere(measured.offers_today & place.outside)
    n_services = len(measured.offers_today)
    cover, cover_from = _without_outside(compiled.cover, outside, n_services, len(place.sites))
    problem = Problem(
        n_services=n_services,
        site_cost=site_cost,
        site_capacity=np.where(place.outside, 0, np.maximum(capacity, 0)),
        point_service=place.point_service[points],
        point_own=area["area_m2"] - area["hall_area_m2"] - area["desk_area_m2"],
        point_hall=area["hall_area_m2"],
        point_desk=area["desk_area_m2"],
        pair_point=local[point],
        pair_site=site,
        pair_cost=pair_cost,
        point_home=place.point_site[points],
        site_slack=np.zeros(len(place.sites), dtype=np.int64),
        must_open=state.must_open,
        must_close=state.must_close,
        cover=cover,
        shares=compiled.shares,
        service_kind=_kinds(place, scenario, n_services),
        derived=derived(measured, point),
        inherent=outside.astype(np.int64).reshape(-1, 2),
        near=_near(place, scenario, travel) if near is None else near,
        goal=GOALS[scenario.money.objective],
        site_one_off=costs.pence(net_release_gbp(place, scenario)) * state.releasable,
        site_opening=costs.pence(opening_gbp(place, scenario).total),
        pair_one_off=costs.pence(one_off.total),
        pair_apart=_apart(place, scenario, travel, point, site),
    )
    if scenario.money.objective == "annual-equivalent":
        running = costs.pence(costs.hosting_gbp_pa(place, point, site))
        problem = replace(problem, site_running=costs.pence(costs.occupancy_gbp_pa(place)), pair_running=running)
    problem = _with_today(problem, place, points)
    problem = _with_sharing(problem, place, scenario)
    problem = with_prices(problem, compiled)
    problem = replace(problem, side=side_rows(problem, place, scenario, state))
    return Formulated(problem, points, constant, compiled, state, cover_from, compiled.notes + _today_notes(problem))


def _kinds(place: Place, scenario: Scenario, n_services: int) -> Ints:
    """(K + B,) the kind of each service, -1 where people do not come to it; several under one roof are none by themselves."""
    kinds = sorted({scenario.kind_of(each) for each in place.services})
    found = [kinds.index(scenario.kind_of(each)) if scenario.is_public(each) else -1 for each in place.services]
    return np.array(found + [-1] * (n_services - len(found)))


def derived(measured: Measured, point: Ints) -> tuple[Derived, ...]:
    """Services met under one roof, over host pairs whose points are these positions of the place."""
    place, service = measured.place, measured.place.point_service[point]
    return tuple(
        Derived(len(place.services) + b, tuple(service == place.services.index(each) for each in name.split(ROOF)))
        for b, name in enumerate(measured.roofs)
    )


# -------------------------------------------------------------------------------------------------- costs


def _costs(
    place: Place, scenario: Scenario, compiled: Compiled, point: Ints, site: Ints, state: SiteState
) -> tuple[Ints, Ints, int]:
    """(P,) pair pence, (J,) site pence and the constant: running cost, or annual-equivalent cost where asked for."""
    hosting = costs.hosting_gbp_pa(place, point, site)
    running = costs.occupancy_gbp_pa(place)
    constant = 0
    pair, fixed = costs.pence(hosting), costs.pence(running)
    if scenario.money.objective is Objective.ANNUAL_EQUIVALENT:
        moves, release = annual_equivalent_pence(place, scenario, point, site)
        # Letting a site go earns or costs `release` a year: a constant, less the same again while it stays open.
        release = np.where(state.releasable, release, 0)
        opening = opening_pence(place, scenario)
        pair, fixed, constant = pair + moves, fixed - release - opening, int(release.sum())
    for r, allowed in compiled.moved.items():
        rule = compiled.rules[r]
        if rule.action == "price":
            far = (place.access_points["service"].to_numpy()[point] == rule.service) & (site != place.point_site[point])
            far &= ~np.asarray(allowed[place.point_site[point], site]).ravel().astype(bool)
            pair = pair + far * round(rule.price_gbp * 100)
    return pair, fixed, constant


def _apart(place: Place, scenario: Scenario, travel: TravelTables, point: Ints, site: Ints) -> Ints:
    """(P,) how far each counter would go, times how much goes: visits a year if known for all that could move, else m2.

    In whole units of a tenth of a kilometre (or of a minute, where only times are known) times ten visits (or 1 m2): fine enough
    to tell plans of equal cost apart.  Where nothing is known of the way, one farther than any that is.
    """
    home = place.point_site[point]
    moving = np.flatnonzero(home != site)
    far = np.zeros(len(point), dtype=np.int64)
    pairs = travel.between.get(scenario.travel.mode)
    if pairs is None or not len(moving):
        return far
    found = lookup(
        pairs, pairs.distance_m if pairs.has_distance else pairs.time_s, home[moving], site[moving], len(place.sites)
    )
    unit = 100 if pairs.has_distance else 60
    far[moving] = np.maximum(np.where(found < 0, found.max(initial=0) + unit, found) // unit, 1)
    visits = place.access_points["visits_pa"].to_numpy(dtype=np.float64)[point]
    weight = place.access_points["area_m2"].to_numpy(dtype=np.float64)[point]
    if not np.isnan(visits[moving]).any():
        weight = np.nan_to_num(visits) / 10
    return far * np.maximum(np.ceil(weight), 1).astype(np.int64)


# -------------------------------------------------------------------------------------------------- rows


def _without_outside(cover: CoverRows, outside: Ints, n_services: int, n_sites: int) -> tuple[CoverRows, Ints]:
    """Rows less what sites outside the place always give, and which they are; rows that they meet alone are dropped."""
    always = np.zeros((n_services, n_sites), dtype=bool)
    if len(outside):
        always[outside[:, 0], outside[:, 1]] = True
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    given = always[cover.service[row], cover.site] if len(cover) else np.zeros(0, dtype=bool)
    need = cover.need - np.bincount(row[given], minlength=len(cover)).astype(np.int64)
    stays = need > 0
    entry = ~given & stays[row] if len(cover) else given
    size = np.bincount(row[entry], minlength=len(cover))[stays]
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    return CoverRows(cover.service[stays], need[stays], start, cover.site[entry], cover.excuse[stays]), np.flatnonzero(stays)


def _near(place: Place, scenario: Scenario, travel: TravelTables) -> NearRows:
    """From each zone with people, for each service that it reaches today, to every site in the home table, nearest first.

    Nobody travels to a service that is not public.  One that a zone cannot reach today is nobody's journey: it cannot be made a
    condition of a plan.
    """
    pairs = travel.home[scenario.travel.mode]
    distance = pairs.distance_m if pairs.has_distance else pairs.time_s
    people = place.zones["population"].to_numpy(dtype=np.int64)
    order = np.lexsort((pairs.to, distance, pairs.from_))
    order = order[people[pairs.from_[order]] > 0]
    zones, begin, size = np.unique(pairs.from_[order], return_index=True, return_counts=True)
    today = [
        nearest(pairs, distance, place.offers_today[k], len(people))[zones] >= 0 if scenario.is_public(each) else zones < 0
        for k, each in enumerate(place.services)
    ]
    service, row = np.nonzero(np.array(today).reshape(len(place.services), len(zones)))
    start = np.concatenate([[0], np.cumsum(size[row])]).astype(np.int64)
    entry = order[np.arange(start[-1]) + np.repeat(begin[row] - start[:-1], size[row])]
    return NearRows(service.astype(np.int64), people[zones[row]], start, pairs.to[entry], distance[entry])


def _with_today(problem: Problem, place: Place, points: Ints) -> Problem:
    """Today as a solution, and the floor area by which it exceeds what its buildings have."""
    today = place.today
    solution = Solution(today.open.copy(), today.host[points])
    slack = np.maximum(area_used(problem, solution) - problem.site_capacity, 0)
    return replace(problem, site_slack=np.where(place.outside, 0, slack), today=solution)


def _with_sharing(problem: Problem, place: Place, scenario: Scenario) -> Problem:
    """Services that may not share a building (today's pairings stay allowed), and services that must."""
    number = {service: k for k, service in enumerate(place.services)}
    there = np.zeros((len(place.services), len(place.sites)), dtype=bool)
    there[problem.point_service[problem.pair_point], problem.pair_site] = True
    now = np.zeros_like(there)
    now[place.point_service, place.point_site] = True

    def triples(pairs: tuple[tuple[str, str], ...], where: Mapping[str, bool]) -> Ints:
        found = [np.zeros((0, 3), dtype=np.int64)]
        for a, b in pairs:
            if a in number and b in number:
                i, j = number[a], number[b]
                either = there[i] | there[j] if where["either"] else there[i] & there[j] & ~(now[i] & now[j])
                sites = np.flatnonzero(either & ~place.outside)
                found.append(np.column_stack([np.full(len(sites), i), np.full(len(sites), j), sites]))
        return np.concatenate(found).astype(np.int64)

    return replace(
        problem,
        conflict=triples(scenario.rules.may_not_share, {"either": False}),
        together=triples(scenario.rules.must_share, {"either": True}),
    )


def _today_notes(problem: Problem) -> tuple[Issue, ...]:
    """Says so when the scenario rules today's estate out: then there is no promise that the answer never costs more."""
    broken = violations(problem, problem.today) if problem.today else {}
    if not broken:
        return ()
    families = "; ".join(BROKEN[family] for family in broken)
    return (
        Issue(
            "today.not-a-plan",
            f"today's estate does not meet this scenario ({families}), so the plan may cost more than today",
            where=Where(column="scenario"),
            severity=Severity.WARNING,
        ),
    )
