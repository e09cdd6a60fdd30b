"""The other linear rows: counts of sites and hubs, budgets, payback, throughput."""

from __future__ import annotations

import numpy as np

from estate.formulate.eligible import SiteState
from estate.money import costs
from estate.money.release import gross_release_gbp
from estate.place import Place
from estate.problem import Floats, Ints, Problem, SideRows, offer_columns
from estate.scenario import Scenario


def side_rows(problem: Problem, place: Place, scenario: Scenario, state: SiteState) -> SideRows:
    """Counts, budgets, payback and throughput, after any rows the problem has already."""
    found = _Side(problem)
    money = scenario.money
    inside = ~place.outside
    n_open, n_pairs = problem.n_sites, problem.n_pairs
    hub_base = n_open + n_pairs + len(offer_columns(problem))
    for count in scenario.rules.counts:
        chosen = inside.copy()
        for column, wanted in count.where.items():
            chosen &= (place.sites[column].astype(str) == wanted).to_numpy()
        columns = np.flatnonzero(chosen) + (hub_base if count.what == "hubs" else 0)
        where = "".join(f" where {column} is {wanted}" for column, wanted in count.where.items())
        low = -np.inf if count.at_least is None else count.at_least
        high = np.inf if count.at_most is None else count.at_most
        found.add(f"number of {count.what}{where}", columns, np.ones(len(columns)), low, high)
    running_site = costs.pence(costs.running_gbp_pa(place)).astype(float)
    running_pair = _real_pairs(problem, costs.pence(costs.hosting_gbp_pa(place, *_back(problem, place))).astype(float))
    all_columns = np.arange(n_open + n_pairs)
    running = np.concatenate([_padded(running_site, n_open), running_pair])
    baseline = float(costs.plan_pence_pa(place, place.today))
    if not money.objective.in_money:
        cap = baseline if money.running_budget_gbp_pa is None else money.running_budget_gbp_pa * 100
        found.add("running cost within the budget", all_columns, running, -np.inf, cap)
    if problem.site_one_off is None or problem.pair_one_off is None:
        return found.rows()
    if money.capital_budget_gbp is not None:
        release = costs.pence(gross_release_gbp(place, scenario)) if money.budget_basis == "gross" else None
        site_part = problem.site_one_off if release is None else _padded(release * state.releasable, n_open)
        value = np.concatenate([-site_part, problem.pair_one_off]).astype(float)
        found.add("capital budget", all_columns, value, -np.inf, money.capital_budget_gbp * 100 - float(site_part.sum()))
    if money.longest_payback_years is not None:
        # net one-off <= years x (cost today - cost after): linear in the decisions.
        value = np.concatenate([-problem.site_one_off, problem.pair_one_off]) + money.longest_payback_years * running
        high = money.longest_payback_years * baseline - float(problem.site_one_off.sum())
        found.add("payback", all_columns, value, -np.inf, high)
    for column, factor in scenario.rules.throughput.items():
        _throughput(found, problem, place, column, factor)
    return found.rows()


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
