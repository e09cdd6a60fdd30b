"""Present values at the Green Book's stepped rates, and the objective they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.money.columns import Floats, Ints
from estate.money.costs import hosting_gbp_pa, move_one_off_gbp, pence, running_gbp_pa
from estate.money.law import check_year, discount_factors
from estate.money.release import leaving_years, release, works_year
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
    ``openings`` = the running cost not yet paid.  All are linear in the decisions, and equal to what
    :mod:`estate.appraise.cashflow` finds.  ``worth`` is what a pound of each year counts, where not as the scenario discounts.
    """
    worth = discounting(scenario) if worth is None else worth
    home = place.point_site[point]
    leave = leaving_years(place, scenario)
    saved = worth.yearly_from(leave) / worth.annuity
    one_off = move_one_off_gbp(place, scenario, point, site).total * worth.once(works_year(leave[home])) / worth.annuity
    change = hosting_gbp_pa(place, point, site) - hosting_gbp_pa(place, point, home)
    moves = np.where(site == home, 0.0, one_off - change * (1 - saved[home]))
    table = release(place, scenario)
    sale = worth.once(table["year_receipt"].to_numpy())
    left = table["exit_gbp"].to_numpy() * worth.once(works_year(leave))
    left = left + (table["disposal_gbp"] - table["gross_gbp"]).to_numpy() * sale
    running = running_gbp_pa(place)
    opened = worth.yearly_from(np.full(len(running), float(scenario.money.closing_year))) / worth.annuity
    paid = place.today.open
    return moves, np.where(paid, left / worth.annuity + running * (1 - saved), 0.0), np.where(paid, 0.0, running * (1 - opened))


def annual_equivalent_pence(place: Place, scenario: Scenario, point: Ints, site: Ints) -> tuple[Ints, Ints]:
    """``moves`` and ``releases`` of :func:`annual_equivalent_gbp` in pence a year; for openings see :func:`opening_pence`."""
    moves, releases, _ = annual_equivalent_gbp(place, scenario, point, site)
    return pence(moves), pence(releases)


def opening_pence(place: Place, scenario: Scenario) -> Ints:
    """(J,) pence a year by which a newly opened site costs less than its running cost, since it opens in ``closing_year``."""
    none = np.zeros(0, dtype=np.int64)
    return pence(annual_equivalent_gbp(place, scenario, none, none)[2])
