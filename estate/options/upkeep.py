"""What it takes to keep buildings fit that are kept: repairs outstanding, fit-outs made again, leases renewed.

Doing nothing does none of it.  Every other option does it for what it keeps, and is spared it for what it lets go, so that a
plan is not set beside an estate that is left to fall down.  Three lines, signed as the ledger's:

* ``backlog_met``: repairs outstanding at a building that is not left by the end of ``money.backlog_year`` (where that is none, of
  ``money.closing_year``), paid by those who would pay for leaving it;
* ``refit``: the fit-out of a counter that is still at home, every ``money.refit_years`` years from the base year, at the rate
  of its service and kind of building and with the optimism bias; what is not worn of the last one at the end is
  ``residual_value``.  No table says how old a fit-out is, so all are taken as new in year 0.  What a private body renews is not
  public money and not counted;
* ``renewed_lease``: what a lease costs more a year once it has been renewed (``programme.renewed_gbp_pa``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.money.bearers import Use, borne, leavers, positions, share_out, use_today, users
from estate.money.columns import Ints, numbers, words
from estate.money.costs import move_rates, pence
from estate.money.present_value import backlog_avoided_gbp, fitout_lasts, refit_years, unworn
from estate.money.release import leaving_years
from estate.place import Place, Plan
from estate.problem import Bools
from estate.programme.terms import dearer_gbp_pa, lease_ends
from estate.scenario import Scenario

COLUMNS = {"year": "int64", "agency": "int64", "line": "object", "site": "int64", "point": "int64", "pence": "int64"}


def upkeep(place: Place, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    """Every entry of keeping fit what a plan keeps: ``year, agency, line, site, point, pence`` by position, no zeros."""
    rows = [_repairs(place, scenario, plan), _refits(place, scenario, plan), _renewed(place, scenario, plan)]
    found = pd.concat(rows, ignore_index=True)[list(COLUMNS)].astype(COLUMNS)
    return found[found["pence"] != 0].reset_index(drop=True)


def repairs_year(scenario: Scenario) -> int:
    """The year (after the base year) in which repairs outstanding are met."""
    money = scenario.money
    return money.closing_year if money.backlog_year is None else money.backlog_year


def backlog_pence(place: Place, scenario: Scenario, plan: Plan) -> tuple[Ints, Ints]:
    """(J,) repairs outstanding at each building in use today, and those of them that a plan has to meet."""
    then = scenario.money.model_copy(update={"backlog_year": repairs_year(scenario)})
    gone = _paid(place) & ~plan.open
    spared = backlog_avoided_gbp(place, scenario.model_copy(update={"money": then}))
    whole = pence(np.where(_paid(place), numbers(place.sites, "condition_backlog_gbp"), 0.0))
    return whole, whole - np.where(gone, pence(spared), 0)


def _paid(place: Place) -> Bools:
    return place.today.open & ~place.outside


def _repairs(place: Place, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    met = -backlog_pence(place, scenario, plan)[1]
    payer = leavers(place, borne(place, scenario, use_today(place)), np.flatnonzero(met))
    site = payer["site"].to_numpy(dtype=np.int64)
    shared = share_out(met, site, payer["weight"].to_numpy(dtype=np.float64))
    year = repairs_year(scenario)
    return pd.DataFrame(
        {"year": year, "agency": payer["agency"], "line": "backlog_met", "site": site, "point": -1, "pence": shared}
    )


def _refits(place: Place, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    """Fit-outs made again where a counter is today, for as long as it is there, and what is left of the last."""
    agency, _ = positions(place)
    rates, kind = move_rates(place, scenario)["fitout_gbp_m2"], words(place.sites, "kind")[place.point_site]
    bias = np.array([scenario.money.optimism_bias.get(each, 0.0) for each in kind], dtype=np.float64)
    keys = pd.MultiIndex.from_arrays([words(place.access_points, "service"), kind])
    cost = numbers(place.access_points, "area_m2") * rates.reindex(keys).to_numpy(dtype=np.float64) * (1 + bias)
    private = place.agencies["kind"].to_numpy(dtype=object)[agency] == "private"
    made = -pence(np.where(_paid(place)[place.point_site] & ~private, cost, 0.0))
    leave = np.where(plan.host == place.point_site, np.inf, leaving_years(place, scenario)[place.point_site])
    again, end = refit_years(scenario, 0, fitout_lasts(scenario)), scenario.money.horizon_years - 1
    frames = [_of_points(place, agency, year, "refit", np.where(leave < year + 1 - 1e-9, 0, made)) for year in again]
    if again:
        # Pounds, rounded once: a counter that has left wears nothing out here any more.
        left = -pence(made * unworn(scenario, 0, fitout_lasts(scenario)) / 100)
        frames.append(_of_points(place, agency, end, "residual_value", np.where(np.isinf(leave), left, 0)))
    return pd.concat([pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS), *frames], ignore_index=True)


def _of_points(place: Place, agency: Ints, year: int, line: str, amount: Ints) -> pd.DataFrame:
    here = np.arange(len(agency))
    return pd.DataFrame(
        {"year": year, "agency": agency, "line": line, "site": place.point_site, "point": here, "pence": amount}
    )


def _renewed(place: Place, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    """What renewed leases cost more, from the end of each to the horizon or until the building is left, by who uses it then."""
    none = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    if scenario.programme is None:
        return none
    ends, dearer = lease_ends(place, scenario), dearer_gbp_pa(place, scenario.programme)
    leave = np.where(plan.open, np.inf, leaving_years(place, scenario))
    found = [none]
    today = users(place, scenario, use_today(place))
    then = users(
        place, scenario, Use(plan.host, (plan.host == place.point_site).astype(np.float64), plan.open.astype(np.float64))
    )
    kept = plan.open[then["site"].to_numpy(dtype=np.int64)]
    who = pd.concat([then[kept], today[~plan.open[today["site"].to_numpy(dtype=np.int64)]]], ignore_index=True)
    site, weight = who["site"].to_numpy(dtype=np.int64), who["weight"].to_numpy(dtype=np.float64)
    for year in range(scenario.money.horizon_years):
        part = np.clip(np.minimum(leave, year + 1) - np.fmax(np.nan_to_num(ends, nan=np.inf), year), 0, 1)
        amount = -pence(dearer * part)
        shared = share_out(amount, site, weight)
        found.append(
            pd.DataFrame(
                {"year": year, "agency": who["agency"], "line": "renewed_lease", "site": site, "point": -1, "pence": shared}
            )
        )
    return pd.concat(found, ignore_index=True)
