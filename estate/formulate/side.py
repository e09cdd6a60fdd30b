"""The other linear rows: counts of sites and hubs, budgets, payback, throughput, services that may not merge."""

from __future__ import annotations

import numpy as np

from estate.formulate.eligible import SiteState
from estate.money import costs
from estate.money.present_value import annual_equivalent_pence, opening_pence, payback_horizons, until
from estate.money.purses import budget_rows
from estate.place import Place
from estate.problem import Floats, Ints, Problem, SideRows, offer_columns
from estate.scenario import Scenario


def side_rows(problem: Problem, place: Place, scenario: Scenario, state: SiteState) -> SideRows:
    """Counts, services that may not merge, budgets, payback and throughput, after any rows the problem has already."""
    found = _Side(problem)
    money = scenario.money
    n_open, n_pairs = problem.n_sites, problem.n_pairs
    _counts(found, problem, place, scenario)
    for service, setting in sorted(scenario.services.items()):
        if not setting.may_merge and service in place.services:
            _apart(found, problem, place, service)
    running_site = costs.pence(costs.occupancy_gbp_pa(place)).astype(float)
    running_pair = _real_pairs(problem, costs.pence(costs.hosting_gbp_pa(place, *_back(problem, place))).astype(float))
    all_columns = np.arange(n_open + n_pairs)
    running = np.concatenate([_padded(running_site, n_open), running_pair])
    baseline = float(costs.plan_pence_pa(place, place.today))
    if not money.objective.in_money:
        cap = baseline if money.running_budget_gbp_pa is None else money.running_budget_gbp_pa * 100
        found.add("running cost within the budget", all_columns, running, -np.inf, cap)
    if problem.site_one_off is None or problem.pair_one_off is None:
        return found.rows()
    for row in budget_rows(place, scenario, *_back(problem, place)):
        site_part = _padded(row.site * state.releasable, n_open)
        value = np.concatenate([_padded(row.opened, n_open) - site_part, _real_pairs(problem, row.pair.astype(float))])
        found.add(row.name, all_columns, value, -np.inf, row.at_hand - float(site_part.sum()))
    if money.longest_payback_years is not None:
        _payback(found, problem, place, scenario, state)
    for column, factor in scenario.rules.throughput.items():
        _throughput(found, problem, place, column, factor)
    return found.rows()


def _counts(found: _Side, problem: Problem, place: Place, scenario: Scenario) -> None:
    """So many sites or hubs."""
    hub_base = problem.n_sites + problem.n_pairs + len(offer_columns(problem))
    for count in scenario.rules.counts:
        chosen = ~place.outside
        for column, wanted in count.where.items():
            chosen &= (place.sites[column].astype(str) == wanted).to_numpy()
        columns = np.flatnonzero(chosen) + (hub_base if count.what == "hubs" else 0)
        where = "".join(f" where {column} is {wanted}" for column, wanted in count.where.items())
        low = -np.inf if count.at_least is None else count.at_least
        high = np.inf if count.at_most is None else count.at_most
        found.add(f"number of {count.what}{where}", columns, np.ones(len(columns)), low, high)


def _payback(found: _Side, problem: Problem, place: Place, scenario: Scenario, state: SiteState) -> None:
    """From the year allowed on, the plan costs no more than today's estate over the years so far, as an equal yearly sum."""
    point, site = _back(problem, place)
    for years in payback_horizons(place, scenario):
        cut = until(scenario, years)
        moves, release = annual_equivalent_pence(place, cut, point, site)
        release = np.where(state.releasable, release, 0)
        by_site = costs.pence(costs.occupancy_gbp_pa(place)) - release - opening_pence(place, cut)
        by_pair = costs.pence(costs.hosting_gbp_pa(place, point, site)) + moves
        value = np.concatenate([_padded(by_site, problem.n_sites), _real_pairs(problem, by_pair.astype(float))])
        high = costs.plan_pence_pa(place, place.today) - int(release.sum())
        found.add("payback", np.arange(problem.n_sites + problem.n_pairs), value, -np.inf, float(high))


MAY_NOT_MERGE = "may not merge"


def may_not_merge(service: str) -> str:
    """The name of each row that keeps counters of a service apart; it ends in :data:`MAY_NOT_MERGE`."""
    return f"counters of {service} {MAY_NOT_MERGE}"


def _apart(found: _Side, problem: Problem, place: Place, service: str) -> None:
    """At each site, counters of a service from one building of today at most: a site keeps its own, or takes another's.

    Counters that share a building today may go on sharing, there or elsewhere.  Where each has a building to itself the row is
    ``sum of host_sj <= 1``.  A building of n counters counts each of them as 1/n, which alone would let one of them in beside
    another building's n-th part; so each of the n has a row as well in which it counts whole.  Rows are multiplied through so
    that their figures are whole.
    """
    inside = np.flatnonzero(~place.outside[place.point_site])
    mine = np.zeros(problem.n_points, dtype=bool)
    mine[: len(inside)] = place.point_service[inside] == place.services.index(service)
    pairs = np.flatnonzero(mine[problem.pair_point])
    by_site = pairs[np.argsort(problem.pair_site[pairs], kind="stable")]
    sites, begin = np.unique(problem.pair_site[by_site], return_index=True)
    for site, chosen in zip(sites.tolist(), np.split(by_site, begin)[1:], strict=True):
        home = problem.point_home[problem.pair_point[chosen]]
        _, group, size = np.unique(home, return_inverse=True, return_counts=True)
        if len(size) < 2 or place.outside[site]:
            continue
        whole = int(np.lcm.reduce(size))
        weight = (whole // size)[group]
        for one in [None, *np.flatnonzero(size[group] > 1).tolist()]:
            value = weight.copy()
            if one is not None:
                value[group == group[one]] = 0
                value[one] = whole
            found.add(may_not_merge(service), problem.n_sites + chosen, value.astype(np.float64), -np.inf, whole)


def _throughput(found: _Side, problem: Problem, place: Place, column: str, factor: float) -> None:
    """Visits a year within what each site can take, where it states a number; today's visits stand (grandfathered)."""
    point, _ = _back(problem, place)
    visits = _real_pairs(problem, np.nan_to_num(place.access_points["visits_pa"].to_numpy()[point]))
    today = np.bincount(
        place.point_site, weights=np.nan_to_num(place.access_points["visits_pa"].to_numpy()), minlength=len(place.sites)
    )
    room = place.sites[column].to_numpy(dtype=np.float64) * factor
    room = np.where(np.isnan(room), room, np.maximum(room, today))
    for j in np.flatnonzero(~np.isnan(room) & ~place.outside).tolist():
        pairs = np.flatnonzero(problem.pair_site == j)
        columns = np.concatenate([[j], problem.n_sites + pairs])
        name = f"visits a year at {place.sites.index[j]}"
        found.add(name, columns, np.concatenate([[-room[j]], visits[pairs]]), -np.inf, 0.0)


def _back(problem: Problem, place: Place) -> tuple[Ints, Ints]:
    """The real host pairs as positions in the place's frames."""
    inside = np.flatnonzero(~place.outside[place.point_site])
    real = problem.pair_point < len(inside)
    return inside[problem.pair_point[real]], problem.pair_site[real]


def _real_pairs(problem: Problem, value: Floats) -> Floats:
    return _padded(value, problem.n_pairs)


def _padded(value: Ints | Floats, n: int) -> Floats:
    return np.concatenate([value, np.zeros(n - len(value))]).astype(np.float64)


class _Side:
    """Side rows while they are collected, after those the problem has."""

    def __init__(self, problem: Problem) -> None:
        self._before = problem.side
        self._made: list[tuple[str, Ints, Floats, float, float]] = []

    def add(self, name: str, column: Ints, value: Floats, low: float, high: float) -> None:
        keep = value != 0
        self._made.append((name, column[keep].astype(np.int64), value[keep].astype(np.float64), low, high))

    def rows(self) -> SideRows:
        old = self._before
        if not self._made:
            return old
        names, columns, values, low, high = zip(*self._made, strict=True)
        sizes = np.array([len(each) for each in columns], dtype=np.int64)
        return SideRows(
            old.name + names,
            np.concatenate([old.lower, low]).astype(np.float64),
            np.concatenate([old.upper, high]).astype(np.float64),
            np.concatenate([old.start, old.start[-1] + np.cumsum(sizes)]).astype(np.int64),
            np.concatenate([old.column, *columns]),
            np.concatenate([old.value, *values]),
        )
