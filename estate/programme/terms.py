"""From a place and its scenario to the programme in arrays: when each step may be taken, and what it is worth then.

**Dates.**  A step decided for a year is taken when the year begins or, where a lease binds for longer, on the morning after it
lets go, in that year: what :func:`estate.money.release.leaving_years` says of a scenario whose ``closing_year`` is that year.
All prices, dates of payment and receipts of a period are those of that scenario, so that a programme of one year is today's
plan. A step whose lease lets go in a later year is not taken before that year; with ``within_years = false`` the last period
waits.

**Leases that end.**  A building in use whose lease ends within the years is kept at its present cost, or at what
``renewed_gbp_pa`` says from then on; with ``leases = "left"`` it is left by the year in which its lease ends, unless a rule keeps
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estate.errors import InputError, Issue, Where
from estate.formulate import Formulated, formulate
from estate.formulate.eligible import site_state
from estate.money.costs import hosting_gbp_pa, occupancy_gbp_pa, pence, running_gbp_pa
from estate.money.law import year_label
from estate.money.present_value import Discounting, annual_equivalent_gbp, discounting, until
from estate.money.purses import of_row
from estate.money.release import UNDATED, leaving_years, years_after
from estate.place import Place
from estate.problem import Bools, Floats, Ints, Problem, SideRows
from estate.programme.cash import Ways
from estate.programme.orders import Line, Orders
from estate.programme.purses import cash_lines
from estate.programme.succession import wrong
from estate.scenario import Programme, Scenario
from estate.standards.measured import Measured


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """A programme in arrays and the way back: ``years`` (T,) are those decided about, after the base year."""

    measured: Measured
    formulation: Formulated
    orders: Orders
    years: Ints
    point: Ints
    """(P,) position in the place of each pair's point."""
    ways: Ways
    worth: Discounting
    """What a pound of each year counts."""
    constant: int
    """Pence of net present value that no step changes: leases that are renewed dearer."""


def asked(scenario: Scenario) -> Programme:
    """The scenario's programme; :class:`~estate.errors.InputError` where it has none."""
    if scenario.programme is None:
        where = Where(scenario.file.name, column="programme")
        remedy = "add a section [programme], such as 'years = 10'; an empty one has the usual settings"
        raise InputError(issues=[Issue("programme.none", "the scenario has no programme", remedy, where)])
    return scenario.programme


def decision_years(scenario: Scenario) -> Ints:
    """(T,) the years that are decided about, after the base year."""
    programme, money = asked(scenario), scenario.money
    first = money.closing_year if programme.first_year is None else programme.first_year - money.base_year
    return first + np.arange(programme.years, dtype=np.int64)


def dated(scenario: Scenario, year: int) -> Scenario:
    """The scenario in which everything that is decided is taken in a year (after the base year)."""
    money = scenario.money.model_copy(update={"closing_year": int(year), "decided_for": {}})
    return scenario.model_copy(update={"money": money})


def terms_of(measured: Measured) -> Terms:
    """The programme of a place under a scenario.

    Raises
    ------
    InputError
        A scenario without a programme, one that optimises something else than money, prices displacement or lists decision years
        that lie before the base year or beyond the horizon; ids that are neither a building nor an access point.
    """
    place, scenario = measured.place, measured.scenario
    programme, years = asked(scenario), decision_years(scenario)
    closing = _closing(place, scenario)
    formulation = formulate(_free(measured, closing))
    _refuse(measured, formulation, years)
    problem, point = _with_homes(formulation.problem, place, formulation.points)
    kept = site_state(place, scenario).must_open
    kept = np.where(closing, kept, problem.must_open)
    problem = replace(problem, must_open=kept & place.today.open)
    site, home = problem.pair_site, place.point_site[point]
    pair_value, site_value, constant = _values(place, scenario, problem, point, years)
    site_value[problem.must_open & place.today.open] = 0  # never let go: what that would be worth only blurs the bound
    pair_may, site_may, site_open = _dates(place, scenario, problem, point, years)
    pair_may &= ~closing[site][:, None]
    fixed = _fixed(place, scenario)[point]
    pair_may &= ((fixed < 0) | (fixed == site))[:, None]
    site_open[closing, -1] = False
    ways = Ways(place, scenario, point, site, home, years)
    lines, sums = cash_lines(ways)
    lines = (*lines, *_payback(place, scenario, problem, point, years))
    side = problem.side
    asked_still = np.array([name != "payback" and of_row(place, scenario, name) is None for name in side.name], dtype=bool)
    problem = replace(problem, side=_chosen(problem, asked_still))
    orders = Orders(
        problem, pair_value, site_value, pair_may, site_may, site_open,
        pair_last=~closing[site] & ((fixed < 0) | (fixed == site)),
        site_last=kept, lines=lines, sums=sums.most, sum_dear=sums.dear, most_moves=programme.most_moves_a_year,
        before=tuple(
            (_thing(each.first, place, formulation), _thing(each.then, place, formulation)) for each in programme.before
        ),
    )  # fmt: skip
    return Terms(measured, formulation, orders, years, point, ways, worth_of(scenario), constant)


def worth_of(scenario: Scenario) -> Discounting:
    """What a pound of each year counts: at the Green Book's rates, or alike to the end of ``least_cost_to``."""
    programme = asked(scenario)
    found = discounting(scenario)
    if programme.least_cost_to is None:
        return found
    last = programme.least_cost_to - scenario.money.base_year
    return Discounting((np.arange(len(found.factor)) <= last).astype(np.float64))


# ------------------------------------------------------------------------------------------------------ values


def _values(place: Place, scenario: Scenario, problem: Problem, point: Ints, years: Ints) -> tuple[Ints, Ints, int]:
    """(P, T) and (J, T) pence of present value gained by each step in each year, and what no step changes."""
    worth, paid = worth_of(scenario), place.today.open & ~place.outside
    by_pair, by_site = _gains(place, scenario, problem.pair_site, point, years, worth)
    ends, dearer = lease_ends(place, scenario), dearer_gbp_pa(place, asked(scenario))
    spared = []
    for year in years.tolist():
        leave = leaving_years(place, dated(scenario, year))
        spared.append(np.where(np.isnan(ends), 0.0, dearer * worth.yearly_from(np.fmax(leave, np.nan_to_num(ends)))))
    renewed = np.where(np.isnan(ends), 0.0, dearer * worth.yearly_from(np.nan_to_num(ends)))
    by_site = by_site + np.where(paid[:, None], np.array(spared).T, 0.0)
    return pence(by_pair), pence(by_site), -int(pence(renewed[paid]).sum())


def _gains(place: Place, scenario: Scenario, site: Ints, point: Ints, years: Ints, worth: Discounting) -> tuple[Floats, Floats]:
    """(P, T) and (J, T) GBP of present value gained by each step in each year, as the books have it."""
    home = place.point_site[point]
    change = hosting_gbp_pa(place, point, site) - hosting_gbp_pa(place, point, home)
    running, paid = occupancy_gbp_pa(place), place.today.open & ~place.outside
    by_pair, by_site = np.zeros((len(site), len(years))), np.zeros((len(running), len(years)))
    for t, year in enumerate(years.tolist()):
        moves, letting_go, opening = annual_equivalent_gbp(place, dated(scenario, year), point, site, worth)
        by_pair[:, t] = np.where(site == home, 0.0, -worth.annuity * (moves + change))
        by_site[:, t] = worth.annuity * np.where(paid, running - letting_go, opening - running)
    return by_pair, by_site


def _payback(place: Place, scenario: Scenario, problem: Problem, point: Ints, years: Ints) -> Iterator[Line]:
    """From the year allowed on, the discounted total of all steps so far is not below nothing; rounded against the programme."""
    money = scenario.money
    if money.longest_payback_years is None:
        return
    site, home = problem.pair_site, place.point_site[point]
    for horizon in range(min(max(int(money.longest_payback_years), 1), money.horizon_years), money.horizon_years + 1):
        cut = until(scenario, horizon)
        worth = discounting(cut)
        by_pair, by_site = (-100 * gain for gain in _gains(place, cut, site, point, years, worth))
        spare = np.ceil(worth.annuity / 2)  # the books round each yearly sum to a penny
        pair = np.where((site != home)[:, None], np.ceil(by_pair) + spare, 0).astype(np.int64)
        name = f"payback by {year_label(money.base_year + horizon - 1)}"
        yield Line(name, pair, (np.ceil(by_site) + spare).astype(np.int64), 0, year=horizon - 1)


def lease_ends(place: Place, scenario: Scenario) -> Floats:
    """(J,) when the lease of each building in use ends, in years after the base date; NaN where none does or it has ended."""
    ends = years_after(place.sites["lease_end"], scenario.money.base_year)
    held = place.today.open & ~place.outside & ~np.isin(place.sites["tenure"].to_numpy(dtype=object), UNDATED)
    return np.where(held & (np.nan_to_num(ends, nan=-1.0) >= 0), ends, np.nan)


def dearer_gbp_pa(place: Place, programme: Programme) -> Floats:
    """(J,) by how much a renewed lease costs more a year than today's."""
    stated = np.array([programme.renewed_gbp_pa.get(str(site), np.nan) for site in place.sites.index])
    return np.where(np.isnan(stated), 0.0, stated - running_gbp_pa(place))


# ------------------------------------------------------------------------------------------------------ dates


def _dates(place: Place, scenario: Scenario, problem: Problem, point: Ints, years: Ints) -> tuple[Bools, Bools, Bools]:
    """(P, T) and (J, T) whether each step may be taken in each year, and (J, T) whether each building may be open in it."""
    programme = asked(scenario)
    free = np.floor(leaving_years(place, dated(scenario, 0)) + 1e-9)
    may = years[None, :] >= free[:, None]
    if not programme.within_years:
        may[:, -1] = True
    in_use = place.today.open & ~place.outside
    ready = np.nan_to_num(place.sites["ready_year"].to_numpy(dtype=np.float64)) - scenario.money.base_year
    site_may = np.where(in_use[:, None], may, years[None, :] >= ready[:, None])
    pair_may = may[place.point_site[point]]
    base = scenario.money.base_year
    for each in programme.windows:
        when = np.ones(len(years), dtype=bool)
        when &= True if each.not_before is None else years >= each.not_before - base
        when &= True if each.not_after is None else years <= each.not_after - base
        if each.of in place.sites.index:
            site_may[place.sites.index.get_loc(each.of)] &= when
        else:
            pair_may[point == place.access_points.index.get_loc(each.of)] &= when
    site_open = np.ones((len(place.sites), len(years)), dtype=bool)
    if programme.leases == "left":
        ends = lease_ends(place, scenario)
        left = ~np.isnan(ends) & (np.floor(np.nan_to_num(ends)) >= years[0]) & ~problem.must_open
        site_open &= ~(left[:, None] & (years[None, :] >= np.floor(np.nan_to_num(ends))[:, None]))
    return pair_may, site_may, site_open


# ------------------------------------------------------------------------------------------------------ the end, apart


def _closing(place: Place, scenario: Scenario) -> Bools:
    """(J,) the buildings that must be closed at the end."""
    found: Bools = (place.sites["status"].to_numpy(dtype=object) == "close") | place.sites.index.isin(scenario.rules.close)
    return found


def _fixed(place: Place, scenario: Scenario) -> Ints:
    """(S,) the site each point must end at, or -1."""
    found = np.full(len(place.access_points), -1, dtype=np.int64)
    point, site = list(scenario.rules.fixed), list(scenario.rules.fixed.values())
    found[place.access_points.index.get_indexer(pd.Index(point))] = place.sites.index.get_indexer(pd.Index(site))
    return found


def _free(measured: Measured, closing: Bools) -> Measured:
    """The same place where what must be closed in the end may still be open, and takes in nobody; candidates can be had at once.

    In which year each may be closed or opened is asked of every year for itself.
    """
    sites = measured.place.sites
    status, may_host = sites["status"].where(~closing, "free"), sites["may_host"].where(~closing, "none")
    place = replace(measured.place, sites=sites.assign(status=status, may_host=may_host, ready_year=np.nan))
    rules = measured.scenario.rules.model_copy(update={"close": ()})
    return Measured.of(place, measured.scenario.model_copy(update={"rules": rules}), measured.travel)


def _with_homes(problem: Problem, place: Place, points: Ints) -> tuple[Problem, Ints]:
    """The problem with a pair at home for every point, and (P,) the position in the place of each pair's point.

    A point that is fixed elsewhere has none in a plan; in a programme it starts there.
    """
    S = problem.n_points
    at_home = problem.pair_site == problem.point_home[problem.pair_point]
    without = np.setdiff1d(np.arange(S), problem.pair_point[at_home])
    home = problem.point_home[without]
    order = np.lexsort((np.append(problem.pair_site, home), np.append(problem.pair_point, without)))
    old = np.empty(len(order), dtype=np.int64)
    old[order] = np.arange(len(order))  # where each pair is now

    def with_(values: Ints | None, extra: Ints) -> Ints | None:
        return None if values is None else np.append(values, extra)[order]

    none = np.zeros(len(without), dtype=np.int64)
    pair_point, pair_site = np.append(problem.pair_point, without)[order], np.append(problem.pair_site, home)[order]
    hosting = pence(hosting_gbp_pa(place, points[without], home))
    column, J, P = problem.side.column, problem.n_sites, problem.n_pairs
    excuse = problem.cover.excuse
    column = np.select([column < J, column < J + P], [column, J + old[np.clip(column - J, 0, P - 1)]], column + len(without))
    made = replace(
        problem,
        pair_point=pair_point,
        pair_site=pair_site,
        pair_cost=np.append(problem.pair_cost, hosting)[order],
        pair_apart=with_(problem.pair_apart, none),
        pair_one_off=with_(problem.pair_one_off, none),
        pair_running=with_(problem.pair_running, hosting),
        cover=replace(problem.cover, excuse=np.where(excuse >= 0, old[np.maximum(excuse, 0)], -1)),
        side=replace(problem.side, column=column),
    )
    return made, points[pair_point]


def _chosen(problem: Problem, kept: Bools) -> SideRows:
    """The side rows that are kept."""
    side = problem.side
    size = np.diff(side.start)
    entry = np.repeat(kept, size)
    return replace(
        side,
        name=tuple(name for name, keep in zip(side.name, kept.tolist(), strict=True) if keep),
        lower=side.lower[kept],
        upper=side.upper[kept],
        start=np.append(0, np.cumsum(size[kept])).astype(np.int64),
        column=side.column[entry],
        value=side.value[entry],
    )


# ------------------------------------------------------------------------------------------------------ refusals


def _thing(name: str, place: Place, formulation: Formulated) -> tuple[bool, int]:
    """Whether a name is a building's, and its position in the problem."""
    if name in place.sites.index:
        return True, int(place.sites.index.get_indexer(pd.Index([name]))[0])
    point = place.access_points.index.get_indexer(pd.Index([name]))[0]
    return False, int(np.flatnonzero(formulation.points == point)[0])


def _refuse(measured: Measured, formulation: Formulated, years: Ints) -> None:
    """Everything about the programme that cannot be, at once."""
    scenario = measured.scenario
    money, found = scenario.money, [*_unknown(measured, formulation), *wrong(scenario)]
    if not money.objective.in_money:
        words = f"a programme is chosen by money, and the objective is '{money.objective}'"
        found.append(("objective", words, "set money.objective to running-cost or annual-equivalent"))
    if formulation.problem.n_points != len(formulation.points):
        words = "a standard prices displacement, which a programme cannot yet weigh year by year"
        found.append(("priced", words, "let the standard forbid or flag it"))
    if years[0] < 0 or years[-1] >= money.horizon_years:
        first, last, end = (money.base_year + int(year) for year in (years[0], years[-1], money.horizon_years - 1))
        words = f"its years, {first} to {last}, are not all within {money.base_year} to {end}"
        found.append(("years", words, "choose other years, or a longer money.horizon_years"))
    where = Where(scenario.file.name, column="programme")
    if found:
        raise InputError(issues=[Issue(f"programme.{code}", words, remedy, where) for code, words, remedy in found])


def _unknown(measured: Measured, formulation: Formulated) -> Iterator[tuple[str, str, str]]:
    """Names in the programme that nothing has."""
    place, scenario = measured.place, measured.scenario
    programme = asked(scenario)
    purses = {each.name for each in scenario.money.purses}
    drawn = (name for fund in programme.funds for name in fund.purses)
    for name in (*programme.recycled, *(each.purse for each in programme.loans), *drawn):
        if name not in purses:
            yield "purse", f"'{name}' is not a purse", "name one of money.purses"
    inside = set(place.access_points.index[formulation.points]) | set(place.sites.index)
    named = [each.of for each in programme.windows]
    for name in (*named, *(name for each in programme.before for name in (each.first, each.then))):
        if name not in inside:
            yield "unknown-id", f"'{name}' is neither a building nor an access point", "write an id of the tables"
    for name in programme.renewed_gbp_pa:
        if name not in place.sites.index:
            yield "unknown-id", f"'{name}' is not a building", "write a site_id"
