"""Present values at the Green Book's stepped rates, and the objective they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.money.columns import Floats, Ints, numbers
from estate.money.costs import hosting_gbp_pa, move_one_off_gbp, occupancy_gbp_pa, pence
from estate.money.law import check_year, discount_factors
from estate.money.opening import lives, opening_gbp
from estate.money.release import empty_gbp_pa, empty_years, leaving_years, moving_years, opening_years, release, works_year
from estate.place import Place
from estate.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class Discounting:
    """Present values over the horizon, at the Green Book's stepped rates."""

    factor: Floats
    """(horizon,) by year after the base year."""

    @property
    def annuity(self) -> float:
        """Present value of a pound in every year: a present value divided by it is an equivalent annual amount."""
        return float(self.factor.sum())

    def once(self, year: Ints) -> Floats:
        """Present value of a pound paid in a year; 0 beyond the horizon."""
        return np.where(year < len(self.factor), self.factor[np.minimum(year, len(self.factor) - 1)], 0.0)

    def yearly_from(self, start: Floats) -> Floats:
        """Present value of a pound a year from ``start`` (years after the base date, fractions allowed) to the horizon."""
        remaining = np.append(np.cumsum(self.factor[::-1])[::-1], 0.0)
        worth: Floats = np.interp(start, np.arange(len(remaining)), remaining)
        return worth


def discounting(scenario: Scenario) -> Discounting:
    """Factors for the scenario's base year and horizon; :class:`~estate.errors.InputError` for a year outside the table."""
    check_year(scenario.money.base_year)
    return Discounting(discount_factors(scenario.money.base_year, scenario.money.horizon_years))


def annual_equivalent_gbp(
    place: Place, scenario: Scenario, point: Ints, site: Ints, worth: Discounting | None = None
) -> tuple[Floats, Floats, Floats]:
    """What turns the running-cost objective into equivalent annual cost: (P,) of moves, (J,) of releases, (J,) of openings.

    With ``B`` the present value of a pound in every year, a plan's equivalent annual cost is its running cost, plus for every
    pair chosen ``moves`` = one-off / B less the hosting not yet paid before the move, plus for every site let go ``releases``
    = (exit and sale costs - proceeds) / B plus the running cost still paid until it closes, less for every site newly opened
    ``openings`` = the running cost not yet paid - what opening it costs / B.  All are linear in the decisions, and equal to what
    :mod:`estate.appraise.cashflow` finds.  ``worth`` is what a pound of each year counts, where not as the scenario discounts.
    """
    worth = discounting(scenario) if worth is None else worth
    home = place.point_site[point]
    leave, go = leaving_years(place, scenario), moving_years(place, scenario)
    saved = worth.yearly_from(leave) / worth.annuity
    cost = move_one_off_gbp(place, scenario, point, site)
    one_off = cost.total * worth.once(works_year(go))[point] / worth.annuity
    every = np.full(len(go), fitout_lasts(scenario))
    one_off += (cost.fitout + cost.bias) * refit_factor(scenario, worth, works_year(go), every)[point] / worth.annuity
    change = hosting_gbp_pa(place, point, site) - hosting_gbp_pa(place, point, home)
    moves = np.where(site == home, 0.0, one_off - change * (1 - worth.yearly_from(go)[point] / worth.annuity))
    table = release(place, scenario)
    sale = worth.once(table["year_receipt"].to_numpy())
    left = table["exit_gbp"].to_numpy() * worth.once(works_year(leave))
    left = left + (table["disposal_gbp"] - table["gross_gbp"]).to_numpy() * sale
    empty, until = empty_gbp_pa(place, scenario), empty_years(place, scenario)
    for years in (until["sale"].to_numpy(), until["void"].to_numpy()):
        left = left + empty * (worth.yearly_from(leave) - worth.yearly_from(leave + years))
    left = left - backlog_avoided_gbp(place, scenario) * worth.once(np.full(len(leave), scenario.money.backlog_year or 0))
    if scenario.money.residual_value:
        left = left + table["gross_gbp"].to_numpy() * worth.factor[-1]
    running = occupancy_gbp_pa(place)
    opens = opening_years(place, scenario)
    built = works_year(opens)
    capital = opening_gbp(place, scenario).total
    capital = capital * (worth.once(built) + refit_factor(scenario, worth, built, lives(place)))
    opened = running * (1 - worth.yearly_from(opens) / worth.annuity) - capital / worth.annuity
    paid = place.today.open
    return moves, np.where(paid, left / worth.annuity + running * (1 - saved), 0.0), np.where(paid, 0.0, opened)


def backlog_avoided_gbp(place: Place, scenario: Scenario) -> Floats:
    """(J,) repairs outstanding that need not be met where a site is left before the end of the year in which they would be."""
    year = scenario.money.backlog_year
    if year is None:
        return np.zeros(len(place.sites))
    in_time = leaving_years(place, scenario) < year + 1 - 1e-9
    return np.where(place.today.open & ~place.outside & in_time, numbers(place.sites, "condition_backlog_gbp"), 0.0)


def fitout_lasts(scenario: Scenario) -> float:
    """Years after which a fit-out is made again; NaN where it never is."""
    return np.nan if scenario.money.refit_years is None else float(scenario.money.refit_years)


def refit_years(scenario: Scenario, works: int, every: float) -> list[int]:
    """The years within the horizon in which what is made in year ``works``, and lasts so many, is made again; NaN: never."""
    return [] if np.isnan(every) else list(range(works + int(every), scenario.money.horizon_years, int(every)))


def unworn(scenario: Scenario, works: int, every: float) -> float:
    """The share of what was made last that is not worn at the end of the horizon; it serves the years after its own."""
    end = scenario.money.horizon_years
    if np.isnan(every) or not scenario.money.residual_value or works >= end:
        return 0.0
    last = [works, *refit_years(scenario, works, every)][-1]
    return 1 - (end - 1 - last) / int(every)


def refit_factor(scenario: Scenario, worth: Discounting, works: Ints, every: Floats) -> Floats:
    """(n,) present value of a pound that is spent again within the horizon, less what is unworn at its end."""
    keys = list(zip(works.tolist(), np.nan_to_num(every).tolist(), strict=True))  # NaN differs from itself

    def factor(year: int, lasts: float) -> float:
        again = np.array(refit_years(scenario, year, lasts or np.nan), dtype=np.int64)
        return float(worth.factor[again].sum() - unworn(scenario, year, lasts or np.nan) * worth.factor[-1])

    found = {key: factor(*key) for key in set(keys)}
    return np.array([found[key] for key in keys], dtype=np.float64)


def until(scenario: Scenario, years: int) -> Scenario:
    """The scenario with a horizon of so many years; what stands at the end counts only at the end of its own."""
    money = scenario.money
    ends = money.residual_value and years == money.horizon_years
    return scenario.model_copy(update={"money": money.model_copy(update={"horizon_years": years, "residual_value": ends})})


def payback_horizons(place: Place, scenario: Scenario) -> list[int]:
    """Horizons over which a plan that must pay back in time may not be below nothing: the years allowed, and some after.

    Between two years in which something begins or is paid, the discounted total only rises or only falls, so that it is enough to
    look at these, and at the whole horizon.
    """
    money = scenario.money
    end = money.horizon_years
    first = min(max(int(money.longest_payback_years or end), 1), end)
    leave, go = leaving_years(place, scenario), moving_years(place, scenario)
    works = works_year(np.append(leave, go))
    empty = leave[:, None] + empty_years(place, scenario).to_numpy()
    begins = [
        works,
        np.floor(leave),
        np.ceil(leave),
        np.floor(go),
        np.ceil(go),
        np.floor(empty).ravel(),
        np.ceil(empty).ravel(),
    ]
    years = {int(each) for each in np.concatenate([*begins, release(place, scenario)["year_receipt"].to_numpy()])}
    years |= {again for year in set(works.tolist()) for again in refit_years(scenario, year, fitout_lasts(scenario))}
    opens = opening_years(place, scenario)
    years |= {*opens.astype(int).tolist(), *works_year(opens).tolist(), money.backlog_year or 0}
    for year, lasts in set(zip(works_year(opens).tolist(), np.nan_to_num(lives(place)).tolist(), strict=True)):
        years |= set(refit_years(scenario, year, lasts or np.nan))
    later = {each for year in years for each in (year, year + 1) if first < each < end}
    return sorted({first, *later, end})


def annual_equivalent_pence(place: Place, scenario: Scenario, point: Ints, site: Ints) -> tuple[Ints, Ints]:
    """``moves`` and ``releases`` of :func:`annual_equivalent_gbp` in pence a year; for openings see :func:`opening_pence`."""
    moves, releases, _ = annual_equivalent_gbp(place, scenario, point, site)
    return pence(moves), pence(releases)


def opening_pence(place: Place, scenario: Scenario) -> Ints:
    """(J,) pence a year by which a newly opened site costs less than its running cost, since it opens later."""
    none = np.zeros(0, dtype=np.int64)
    return pence(annual_equivalent_gbp(place, scenario, none, none)[2])
