"""What keeping or losing one site costs: the best plan, and the best plan with that one decision turned round."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estate.appraise.places import merged
from estate.diagnose.binding import bindings
from estate.diagnose.conflict import find_causes
from estate.diagnose.elastic import elastic
from estate.diagnose.words import issue_of, listed, plural, site_name_in, square
from estate.errors import InfeasibleError, InputError, Issue, NoPlanError, Where
from estate.formulate import Formulated, formulate
from estate.place import Place, Plan
from estate.problem import cost
from estate.scenario import Scenario
from estate.solve import Answer, Limits, Status, solve
from estate.standards.measured import Measured
from estate.travel import TravelTables

PENCE = 100


@dataclass(frozen=True, slots=True)
class OnlyHere:
    """People who would have no building in reach for a service but for this one."""

    service: str
    zones: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True, eq=False)
class SitePrice:
    """One site: what the best plan does with it, why, and what the opposite costs.  Money is GBP a year."""

    site: str
    name: str
    kept: bool
    """In the best plan."""
    why: str
    best_gbp_pa: float
    """The best plan's cost under the scenario's objective where that is money, else its running cost."""
    opposite_gbp_pa: float | None
    """The same with the site lost (or kept); None where there is no such plan."""
    price_gbp_pa: float | None
    """How much dearer the opposite is.  Less than nothing where only a lock holds the site: what the lock costs."""
    hosts: tuple[str, ...]
    """Access points in it, in the best plan (where it is let go: in the plan that keeps it)."""
    binding: tuple[str, ...]
    """What holds it in the best plan: the lock; or the rules and zones, the room, the money (:func:`.binding.bindings`)."""
    nowhere_else: tuple[str, ...]
    """Access points that no other building may host."""
    only_here: tuple[OnlyHere, ...]
    moves: tuple[tuple[str, str, str, bool], ...]
    """(access point, from, to, merged): what is elsewhere in the opposite plan, and whether it joins its own service there."""
    opened: tuple[str, ...]
    closed: tuple[str, ...]
    """Other sites that the opposite plan has open, or not, besides."""
    other_use_m2: float
    """Floor area of the site's other uses, which lose their home where it is lost; no figure pays for another."""
    reasons: tuple[Issue, ...]
    """Why the opposite is impossible, where it is."""
    proven: bool
    """Both plans are proven best."""

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        row = {name: getattr(self, name) for name in self.__slots__ if name not in ("only_here", "moves", "reasons")}
        return row | {
            "only_here": [{"service": o.service, "zones": list(o.zones), "people": o.people} for o in self.only_here],
            "moves": [{"access_point": s, "from": a, "to": b, "merges": merges} for s, a, b, merges in self.moves],
            "reasons": [issue.as_row() for issue in self.reasons],
        }


def site_price(
    place: Place,
    scenario: Scenario,
    travel: TravelTables,
    site: str,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> SitePrice:
    """What keeping or losing a site costs a year.

    Raises
    ------
    InputError
        For a site that is not there, with the closest match.
    InfeasibleError
        When the scenario has no plan at all; its issues say why.
    NoPlanError
        When a limit ended the search without a plan.
    """
    j = _position(place, scenario, site)
    formulation = formulate(Measured.of(place, scenario, travel))
    answer = solve(formulation.problem, limits)
    if answer.status is Status.INFEASIBLE:
        raise InfeasibleError("no plan can meet these rules, so nothing can be priced", _causes(place, scenario, travel))
    best, best_pence = _plan(place, scenario, formulation, answer)
    kept = bool(best.open[j])
    issues: tuple[Issue, ...] = ()
    other: Plan | None = None
    pence: int | None = None
    proven = answer.status is Status.OPTIMAL
    if place.outside[j]:
        message = f"{site} is outside the place: it serves people and never changes"
        issues = (Issue("price.outside", message, where=Where(column="status", value="outside")),)
    else:
        turned = _turned(place, scenario, site, keep=not kept)
        second = formulate(Measured.of(*turned, travel))
        opposite = solve(second.problem, limits)
        if opposite.status is Status.INFEASIBLE:
            issues = _causes(*turned, travel)
        else:
            other, pence = _plan(*turned, second, opposite)
            proven &= opposite.status is Status.OPTIMAL
    state = formulation.state
    shown = best if kept or other is None else other
    points = place.access_points.index.astype(str)
    price = None if pence is None else (pence - best_pence) / PENCE
    only, alone = _only_here(place, formulation, j), _nowhere_else(formulation, j)
    return SitePrice(
        site=site,
        name=str(place.sites["name"].iloc[j]),
        kept=kept,
        why=_why(state.why.iloc[j], kept=kept, must_close=bool(state.must_close[j]), price=price, possible=not issues),
        best_gbp_pa=best_pence / PENCE,
        opposite_gbp_pa=None if pence is None else pence / PENCE,
        price_gbp_pa=price,
        hosts=tuple(points[shown.host == j]),
        binding=_binding(place, formulation, answer, j, state.why.iloc[j]),
        nowhere_else=tuple(points[alone]),
        only_here=only,
        moves=_moves(place, best, other),
        opened=_changed(place, best, other, j, to_open=True),
        closed=_changed(place, best, other, j, to_open=False),
        other_use_m2=float(np.nan_to_num(place.sites["other_use_m2"].iloc[j])),
        reasons=issues,
        proven=proven,
    )


def _binding(place: Place, formulation: Formulated, answer: Answer, j: int, lock: str) -> tuple[str, ...]:
    """What holds a site that the best plan has open; nothing of one that it lets go."""
    if answer.solution is None or not answer.solution.open[j] or place.outside[j]:
        return ()
    return (f"a lock: {lock.removeprefix('kept: ')}",) if lock else bindings(place, formulation, answer.solution, j)


def _causes(place: Place, scenario: Scenario, travel: TravelTables) -> tuple[Issue, ...]:
    programme = elastic(place, scenario, travel)
    return tuple(issue_of(programme, cause) for cause in find_causes(programme).found)


def _position(place: Place, scenario: Scenario, site: str) -> int:
    ids = place.sites.index.astype(str)
    if site in ids:
        return int(ids.get_indexer(ids[ids == site])[0])
    names = {str(name).casefold(): each for each, name in zip(ids, place.sites["name"], strict=True)}
    exact = {each.casefold(): each for each in ids}
    close = difflib.get_close_matches(site.casefold(), [*exact, *names], n=1, cutoff=0.5)
    match = {**names, **exact}[close[0]] if close else ""
    remedy = f"did you mean {site_name_in(place, match)}?" if match else "give a site_id of the sites table"
    where = Where(scenario.file.name, column="--site", value=site[:80])
    raise InputError(issues=[Issue("explain.unknown-site", f"there is no site '{site[:80]}'", remedy, where)])


def _turned(place: Place, scenario: Scenario, site: str, *, keep: bool) -> tuple[Place, Scenario]:
    """The place and scenario with one site kept, or lost, whatever they said of it."""
    rules = scenario.rules
    kept = tuple(each for each in rules.keep if each != site)
    lost = tuple(each for each in rules.close if each != site)
    changed = {"keep": (*kept, site), "close": lost} if keep else {"keep": kept, "close": (*lost, site)}
    status = place.sites["status"].copy()
    status[site] = "free"
    return (
        replace(place, sites=place.sites.assign(status=status)),
        scenario.model_copy(update={"rules": rules.model_copy(update=changed)}),
    )


def _plan(place: Place, scenario: Scenario, formulation: Formulated, answer: Answer) -> tuple[Plan, int]:
    """The plan, and its pence a year: the objective where that is money, else the running cost."""
    if answer.solution is None:
        raise NoPlanError(f"the search ended ({answer.stopped}) with no plan: give it more time")
    money = scenario.money.objective.in_money
    pence = answer.value if money and answer.value is not None else cost(formulation.problem, answer.solution)
    return formulation.plan(place, answer.solution), pence + (formulation.constant if money else 0)


def _why(lock: str, *, kept: bool, must_close: bool, price: float | None, possible: bool) -> str:
    if must_close and not kept:
        return "let go: the scenario says so"
    if kept and lock:
        return lock
    if not possible:
        return "kept: there is no plan without it" if kept else "let go: there is no plan with it"
    if price == 0:
        return "kept, or let go, at the same cost: the tie is broken by one-off cost and then distance"
    return f"{'kept' if kept else 'let go'}: the opposite costs {_apart(price) if price is not None else 'something more'}"


def _apart(price: float) -> str:
    """A difference a year as people say it: ``£1,200 a year more``, ``£1,200 a year less``, ``the same``."""
    pounds = f"£{abs(price):,.0f} a year"
    return "the same" if price == 0 else f"{pounds} more" if price > 0 else f"{pounds} less"


def _nowhere_else(formulation: Formulated, j: int) -> Any:
    """Positions, in the place's frame, of the access points whose one choice is this site."""
    p = formulation.problem
    choices = np.bincount(p.pair_point, minlength=p.n_points)
    mine = p.pair_point[(p.pair_site == j) & (choices[p.pair_point] == 1)]
    return formulation.points[mine[mine < len(formulation.points)]]


def _only_here(place: Place, formulation: Formulated, j: int) -> tuple[OnlyHere, ...]:
    """Zones for which, of the buildings that could serve them within their limit, none is left without this one."""
    p, compiled = formulation.problem, formulation.compiled
    cover = compiled.cover
    there = np.zeros((p.n_services, p.n_sites), dtype=bool)
    there[p.point_service[p.pair_point], p.pair_site] = True
    there[p.inherent[:, 0], p.inherent[:, 1]] = True
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    possible = there[cover.service[row], cover.site]
    count = np.bincount(row[possible], minlength=len(cover))
    mine = np.zeros(len(cover), dtype=bool)
    mine[row[possible & (cover.site == j)]] = True
    home = np.array([compiled.rules[r].measure.value == "home-to-site" for r in compiled.row_rule.tolist()], dtype=bool)
    lone = np.flatnonzero(mine & (count <= cover.need) & home)
    found = []
    for k in np.unique(cover.service[lone]).tolist():
        zones = np.unique(compiled.row_zone[lone[cover.service[lone] == k]])
        people = int(place.zones["population"].to_numpy()[zones].sum())
        found.append(OnlyHere(place.services[k], tuple(place.zones.index.astype(str)[zones]), people))
    return tuple(found)


def _moves(place: Place, best: Plan, other: Plan | None) -> tuple[tuple[str, str, str, bool], ...]:
    if other is None:
        return ()
    sites, points = place.sites.index.astype(str), place.access_points.index.astype(str)
    changed = np.flatnonzero(best.host != other.host).tolist()
    joins = merged(place, other)
    return tuple((points[s], sites[best.host[s]], sites[other.host[s]], bool(joins[s])) for s in changed)


def _changed(place: Place, best: Plan, other: Plan | None, j: int, *, to_open: bool) -> tuple[str, ...]:
    if other is None:
        return ()
    changed = (best.open != other.open) & (other.open == to_open)
    changed[j] = False
    return tuple(place.sites.index.astype(str)[changed])


def in_words(place: Place, scenario: Scenario, price: SitePrice) -> list[str]:
    """The price of a site as lines for people."""
    label: Mapping[str, str] = {each: scenario.service_label(each).lower() for each in place.services}
    lines = [f"{site_name_in(place, price.site)}: {price.why}."]
    if price.hosts:
        lines.append(f"{'It hosts' if price.kept else 'Kept, it would host'} {listed(price.hosts)}.")
    lines += [f"What holds it: {each}." for each in price.binding]
    if price.nowhere_else:
        lines.append(f"No other building may host {listed(price.nowhere_else)}.")
    lines += [
        f"It is the only building that could serve {plural(len(each.zones), 'zone')} ({each.people:,} people) within their"
        f" {label[each.service]} limit: {listed(each.zones)}."
        for each in price.only_here
    ]
    opposite = "Losing it" if price.kept else "Keeping it"
    if price.price_gbp_pa is None:
        lines.append(f"{opposite} is impossible:")
        return lines
    lines.append(f"{opposite} costs {_apart(price.price_gbp_pa)}: £{price.opposite_gbp_pa:,.0f} not £{price.best_gbp_pa:,.0f}.")
    if price.kept and price.other_use_m2:
        lines.append(
            f"Its other uses ({square(price.other_use_m2)}) would be homeless, and no figure here pays for another home."
        )
    lines += [
        f"  {s} would be at {b}, not {a}{', merged with the same service there' if merges else ''}"
        for s, a, b, merges in price.moves
    ]
    lines += [f"  {site} would stay open" for site in price.opened] + [f"  {site} would be let go" for site in price.closed]
    if not price.proven:
        lines.append("Not both plans are proven best, so the price is an estimate.")
    return lines
