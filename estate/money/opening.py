"""What it costs to have a building that is not in use today, and when it can be had: candidates to build, buy or refurbish.

Nothing is paid for a candidate until it is opened.  Its capital, with the optimism bias of its kind of building, is paid by the
agency that would hold it, in the financial year before it opens; where it has a life, the same is spent again when that ends,
within the horizon.  Yearly costs begin when it opens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.money.columns import Floats, numbers, raw, words
from estate.money.release import opening_years
from estate.place import Place
from estate.problem import Bools
from estate.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class OpeningCosts:
    """(J,) GBP that opening each site costs once; 0 for a site in use, or outside the place."""

    capital: Floats
    bias: Floats

    @property
    def total(self) -> Floats:
        """Both."""
        return self.capital + self.bias


def not_in_use(place: Place) -> Bools:
    """(J,) the sites of the place that nobody pays for today."""
    return ~place.today.open & ~place.outside


def opening_gbp(place: Place, scenario: Scenario) -> OpeningCosts:
    """What opening each site costs, and the optimism bias on it (Green Book supplementary guidance) by kind of building."""
    capital = np.where(not_in_use(place), numbers(place.sites, "capital_gbp"), 0.0)
    uplift = [scenario.money.optimism_bias.get(each, 0.0) for each in words(place.sites, "kind")]
    return OpeningCosts(capital, capital * np.array(uplift, dtype=np.float64))


def lives(place: Place) -> Floats:
    """(J,) whole years for which what opening a site cost lasts; NaN where no end is stated."""
    return np.floor(raw(place.sites, "life_years"))


def not_ready(place: Place, scenario: Scenario) -> Bools:
    """(J,) the sites not in use that cannot be had yet in the year for which they are decided."""
    ready = np.nan_to_num(raw(place.sites, "ready_year"))
    found: Bools = not_in_use(place) & (ready > scenario.money.base_year + opening_years(place, scenario))
    return found
