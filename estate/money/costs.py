"""What everything costs, unrounded: the one source of money for the objective, the budgets, the ledger and the appraisal.

All amounts are GBP (float64) at the scenario's prices, by position in the place's frames; each is rounded once, by
:func:`pence`, where it enters the problem or the books.

**Time.**  Year 0 is the financial year that begins on 1 April of the base year, and the appraisal runs over
``horizon_years`` years, 0 to horizon - 1.  A building can be left when ``closing_year`` begins or, where a lease binds for
longer, on the day after its break or end: a time in years after the base date, such as 2.5 (:func:`leaving_years`).
Its points move on that day; rent and running cost run until then, and the new home's from then.
What must be ready for the move (fit-out, removal, dilapidations) is paid in the financial year before it is complete;
sale costs and proceeds fall ``years_to_sale`` later.  A building not in use today is paid for from ``closing_year``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.money.columns import Floats, Ints, numbers, words
from estate.place import Place, Plan
from estate.scenario import Scenario

_RATES = ("fitout_gbp_m2", "removal_gbp_m2")


def pence(gbp: Floats) -> Ints:
    """GBP to whole pence, half to even, once.  Ten-thousandths of a penny are floating-point dust and go first."""
    return np.rint(np.round(np.asarray(gbp, dtype=np.float64) * 100, 4)).astype(np.int64)


def gbp(pence_: Ints) -> Floats:
    """Whole pence as GBP."""
    return np.asarray(pence_, dtype=np.int64) / 100


# ------------------------------------------------------------------------------------------------------ yearly costs


def running_gbp_pa(place: Place) -> Floats:
    """(J,) GBP a year while a site is open (``F_j``); 0 for sites outside the place."""
    return np.where(place.outside, 0.0, numbers(place.sites, "running_cost_gbp_pa"))


def rent_gbp_pa(place: Place) -> Floats:
    """(J,) rent a year, whoever receives it; 0 for sites outside the place."""
    return np.where(place.outside, 0.0, numbers(place.sites, "rent_gbp_pa"))


def occupancy_gbp_pa(place: Place) -> Floats:
    """(J,) what a site costs a year while it is open, to all agencies together: running cost, and rent that leaves them.

    Each of the two is whole pence, as in the ledger: rounded together they could come to a penny less than the books.
    """
    rent = np.where(place.public_landlord, 0, pence(rent_gbp_pa(place)))
    return gbp(pence(running_gbp_pa(place)) + rent)


def hosting_gbp_pa(place: Place, point: Ints, site: Ints) -> Floats:
    """(P,) GBP a year for hosting each point at each site above the site's own cost (``V_sj``).

    The hosting table's figure where it has one; else nothing at home, and floor area x ``hosting_cost_gbp_m2_pa`` elsewhere.

    Parameters
    ----------
    point, site
        (P,) positions in ``access_points`` and ``sites``.
    """
    area = numbers(place.access_points, "area_m2")[point]
    usual = np.where(site == place.point_site[point], 0.0, area * numbers(place.sites, "hosting_cost_gbp_m2_pa")[site])
    if len(place.hosting):
        key = place.hosting.index
        row = place.access_points.index.get_indexer(key.get_level_values(0)) * len(place.sites)
        row = row + place.sites.index.get_indexer(key.get_level_values(1))
        stated = pd.Series(place.hosting["cost_gbp_pa"].to_numpy(dtype=np.float64), index=row).dropna()
        found = stated.reindex(point * len(place.sites) + site).to_numpy()
        usual = np.where(np.isnan(found), usual, found)
    return np.where(place.outside[site], 0.0, usual)


def plan_pence_pa(place: Place, plan: Plan) -> int:
    """Cost of a plan in whole pence a year: open buildings with rent that leaves the agencies, and hosting above that."""
    here = np.arange(len(place.access_points))
    return int(pence(occupancy_gbp_pa(place))[plan.open].sum() + pence(hosting_gbp_pa(place, here, plan.host)).sum())


# ------------------------------------------------------------------------------------------------------ one-off costs


@dataclass(frozen=True, slots=True, eq=False)
class MoveCosts:
    """(P,) one-off GBP of hosting each point at each site; 0 at home."""

    fitout: Floats
    """Floor area x the rate for the service and kind of building."""
    removal: Floats
    """Floor area x the removal rate: revenue, so without optimism bias."""
    bias: Floats
    """Optimism bias on the fit-out, by kind of building."""

    @property
    def total(self) -> Floats:
        """All three."""
        return self.fitout + self.removal + self.bias

    def parts_pence(self) -> dict[str, Ints]:
        """The three in pence, adding up to ``pence(total)``: the bias takes the rounding."""
        fitout, removal = pence(self.fitout), pence(self.removal)
        return {"fitout": fitout, "removal": removal, "optimism_bias": pence(self.total) - fitout - removal}


def move_rates(place: Place, scenario: Scenario) -> pd.DataFrame:
    """Fit-out and removal GBP per m2 by (service, kind of building): ``fitout_gbp_m2, removal_gbp_m2, stated``.

    The rates table's row for the kind; else its row for any kind; else the service's own ``fitout_gbp_m2``; else nothing, and
    ``stated`` is False.
    """
    kinds = np.unique(words(place.sites, "kind"))
    keys = pd.MultiIndex.from_product([place.services, kinds], names=["service", "site_kind"])
    found = _rates(place, scenario, kinds).reshape(-1, 2)
    result = pd.DataFrame(np.nan_to_num(found), index=keys, columns=list(_RATES))
    result["stated"] = ~np.isnan(found[:, 0])
    return result


def _rates(place: Place, scenario: Scenario, kinds: NDArray[np.object_]) -> Floats:
    """(K, kinds, 2) fit-out and removal GBP per m2, NaN where nothing is stated; see :func:`move_rates`."""
    rows = place.rates[list(_RATES)].to_numpy(dtype=np.float64)
    given = dict(zip(place.rates.index, rows, strict=True))
    unknown = np.full(2, np.nan)
    result = np.empty((len(place.services), len(kinds), 2))
    for k, service in enumerate(place.services):
        setting = scenario.services.get(service)
        own = np.nan if setting is None or setting.fitout_gbp_m2 is None else setting.fitout_gbp_m2
        for i, kind in enumerate(kinds):
            row = given.get((service, kind), unknown)
            fitout, removal = given.get((service, ""), unknown) if np.isnan(row[0]) else row
            result[k, i] = own if np.isnan(fitout) else fitout, removal
    return result


def move_one_off_gbp(place: Place, scenario: Scenario, point: Ints, site: Ints) -> MoveCosts:
    """One-off costs of hosting each point at each site; ``point`` and ``site`` are (P,) positions.

    Optimism bias (Green Book supplementary guidance) is the scenario's uplift for the kind of the receiving building, on
    capital cost only.
    """
    kinds, code = np.unique(words(place.sites, "kind"), return_inverse=True)
    kind = code[site]
    rates = np.nan_to_num(_rates(place, scenario, kinds))[place.point_service[point], kind]
    away = site != place.point_site[point]
    area = np.where(away, numbers(place.access_points, "area_m2")[point], 0.0)
    uplift = np.array([scenario.money.optimism_bias.get(each, 0.0) for each in kinds], dtype=np.float64)[kind]
    fitout = area * rates[:, 0]
    return MoveCosts(fitout, area * rates[:, 1], fitout * uplift)


# ------------------------------------------------------------------------------------------------------ letting sites go


# ------------------------------------------------------------------------------------------------------ present values
