"""Who pays and who gains: every entry of a plan against today's estate, to the penny (``ledger.csv``).

**Signs.** An amount is what an agency gains: cost given up, money received, are positive; cost taken on, money paid, negative.

**Years.** A yearly entry is written in every financial year of the horizon in which it falls (a building that closes in
mid-year saves part of that year), a one-off entry in its own year.  So any sum means money: over a year, that year's cash;
over a line, its total in the horizon; over an agency, what it gains in all, undiscounted.

**Running cost.** What a building costs (its own cost and the cost of hosting) is borne by those who use it: by floor area,
the practice today, with the area of other uses falling to the title holder; or by a lead agency, which is the title holder
where it uses the building and else the largest user.  Pence are shared out by largest remainder.

=======================  =====================================================================================
line                     what it is
=======================  =====================================================================================
``running_given_up``     running cost of a building that closes, or hosting that ends
``running_taken_on``     running cost of a building that opens, or hosting that begins
``space_charge``         a building that stays open costs the same but is shared differently: sums to 0 by site
``rent_paid``            rent that a tenant no longer pays, or pays now
``rent_received``        the same to a landlord who is a public body here: lost, or gained; with the line above it sums to 0
``fitout``, ``removal``, ``optimism_bias``   moving an access point, paid by the agency that runs it
``opening_capital``      building, buying or refurbishing a building that is not in use today, paid by the agency that holds it
``exit_cost``            leaving a building: paid by the holder of the lease or title, or by the tenants of a landlord
``capital_receipt``      gross proceeds of a sale, to the title holder; ``disposal_from_receipt`` is the cost it meets
``disposal_to_revenue``  sale costs beyond what the receipt may meet
``revenue_sum``          proceeds too small to be a capital receipt
``holding_cost``         an empty building until it is sold, to its title holder
``void_cost``            an empty building that its tenants left, to a landlord who is a public body here
``backlog_avoided``      repairs that need not be met, to who would have met them
``refit``                a fit-out, or what opening a building cost, spent again
``residual_value``       at the end of the horizon: the value of a building let go (missed), of a fit-out not yet worn
=======================  =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.appraise.receipts import released
from estate.money.bearers import Use, borne, hosting_pence, positions, rents, use_today
from estate.money.columns import Floats
from estate.money.entries import (
    CAPITAL,
    LATER,
    RECEIPTS,
    REVENUE,
    REVENUE_SUMS,
    later_moves,
    move_entries,
    move_payers,
    opening_entries,
    release_entries,
)
from estate.money.law import year_label
from estate.money.release import leaving_years, moving_years, opening_years
from estate.place import Place, Plan
from estate.scenario import Scenario

RUNNING = ("running_given_up", "running_taken_on", "space_charge")
RENTS = ("rent_paid", "rent_received")
YEARLY = RUNNING + RENTS
ONE_OFF = CAPITAL + REVENUE
PROCEEDS = RECEIPTS + REVENUE_SUMS
LINES = YEARLY + ONE_OFF + PROCEEDS + LATER
KEYS = ["year", "agency", "line", "site", "point"]


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The entries, in pence, by position in the place's frames (``point`` is -1 where an entry is a whole building's).

    ``yearly``, ``once`` and ``later`` have columns ``year`` (after the base year), ``agency, line, site, point, pence``;
    ``yearly`` covers the horizon, and ``later`` holds what neither makes the plan happen nor recurs every year.  ``steady`` is
    one year in which the plan is complete.  ``before`` and ``after`` are what each agency pays a year for each site
    (``site, agency, pence``) today and then, rent less what it receives among it.
    """

    yearly: pd.DataFrame
    once: pd.DataFrame
    later: pd.DataFrame
    steady: pd.DataFrame
    before: pd.DataFrame
    after: pd.DataFrame


def ledger(place: Place, scenario: Scenario, plan: Plan) -> Ledger:
    """Every entry of a plan against today's estate."""
    moved = plan.host != place.point_site
    before = borne(place, scenario, use_today(place))
    rent_before = _rent(place, scenario, use_today(place))
    final = Use(plan.host, np.where(moved, 0.0, 1.0), plan.open.astype(np.float64))
    steady = _entries(place, scenario, plan, before, final)
    steady = pd.concat([steady, _rent_entries(place, scenario, rent_before, final)], ignore_index=True)
    when = _When(leaving_years(place, scenario), moving_years(place, scenario), opening_years(place, scenario))
    new = plan.open & ~place.today.open
    leaving = np.concatenate([when.leave[released(place, plan)], when.go[moved], when.open[new]])
    last = int(np.ceil(leaving.max(initial=float(scenario.money.closing_year))))
    years = []
    for y in range(scenario.money.horizon_years):
        if y < last:
            use = _use(place, plan, when, y)
            rent = _rent_entries(place, scenario, rent_before, use)
            entries = pd.concat([_entries(place, scenario, plan, before, use), rent], ignore_index=True)
        else:
            entries = steady
        years.append(entries.assign(year=y))
    yearly = pd.concat(years, ignore_index=True)[[*KEYS, "pence"]]
    once = _once(place, scenario, plan, before)
    later = once["line"].isin(LATER)
    then = pd.concat([borne(place, scenario, final), _net_rent(place, scenario, final)], ignore_index=True)
    now = pd.concat([before, _net_rent(place, scenario, use_today(place))], ignore_index=True)
    return Ledger(yearly, once[~later], once[later], steady, now, then)


def ledger_table(place: Place, scenario: Scenario, book: Ledger) -> pd.DataFrame:
    """``ledger.csv``: ``agency, year, line, site_id, access_point_id, amount_gbp``; years as ``2026-27``."""
    table = pd.concat([book.yearly, book.once, book.later], ignore_index=True)
    order = {line: n for n, line in enumerate(LINES)}
    table = table.assign(order=table["line"].map(order)).sort_values(
        ["year", "agency", "order", "site", "point"], kind="stable"
    )
    base = scenario.money.base_year
    labels = {int(year): year_label(base + int(year)) for year in table["year"].unique()}
    return pd.DataFrame(
        {
            "agency": place.agencies.index.to_numpy()[table["agency"]],
            "year": table["year"].map(labels).to_numpy(dtype=object),
            "line": table["line"].to_numpy(dtype=object),
            "site_id": place.sites.index.to_numpy()[table["site"]],
            "access_point_id": np.append(place.access_points.index.to_numpy(dtype=object), "")[table["point"]],
            "amount_gbp": table["pence"].to_numpy() / 100,
        }
    )


# ------------------------------------------------------------------------------------------------------ running cost


@dataclass(frozen=True, slots=True, eq=False)
class _When:
    """In years after the base date: ``leave`` (J,) and ``go`` (S,) of buildings and points, ``open`` (J,) of new buildings."""

    leave: Floats
    go: Floats
    open: Floats


def _use(place: Place, plan: Plan, when: _When, year: int) -> Use:
    """Who is where in one year: a point goes, and a building closes, when it can be left."""
    today = place.today.open
    until, opened = np.clip(when.leave - year, 0.0, 1.0), np.clip(year + 1.0 - when.open, 0.0, 1.0)
    is_open = np.where(plan.open, np.where(today, 1.0, opened), np.where(today, until, 0.0))
    return Use(plan.host, np.where(plan.host != place.point_site, np.clip(when.go - year, 0.0, 1.0), 1.0), is_open)


def _entries(place: Place, scenario: Scenario, plan: Plan, before: pd.DataFrame, use: Use) -> pd.DataFrame:
    """The running entries of one year against today: columns ``agency, line, site, point, pence``, no zeros."""
    agency, _ = positions(place)
    here = np.arange(len(place.access_points))
    given_up = hosting_pence(place, use_today(place))[0] - hosting_pence(place, use)[0]
    by_point = pd.DataFrame(
        {
            "agency": np.concatenate([agency, agency]),
            "line": np.repeat(["running_given_up", "running_taken_on"], len(here)),
            "site": np.concatenate([place.point_site, plan.host]),
            "point": np.concatenate([here, here]),
            "pence": np.concatenate([given_up, -hosting_pence(place, use)[1]]),
        }
    )
    # Whatever else changes in what an agency bears at a site is the building's own cost, or the way it is shared.
    after = borne(place, scenario, use)
    change = pd.concat([before, after.assign(pence=-after["pence"]), by_point.assign(pence=-by_point["pence"])])
    rest = change.groupby(["site", "agency"])["pence"].sum().reset_index()
    today = place.today.open[rest["site"]]
    line = np.where(today & plan.open[rest["site"]], RUNNING[2], np.where(today, RUNNING[0], RUNNING[1]))
    found = pd.concat([by_point, rest.assign(line=line, point=-1)], ignore_index=True)
    return found.loc[found["pence"] != 0, ["agency", "line", "site", "point", "pence"]].reset_index(drop=True)


def _rent(place: Place, scenario: Scenario, use: Use) -> pd.DataFrame:
    """``site, agency, line, pence``: rent paid, and received (below nothing), in a year."""
    paid, received = rents(place, scenario, use)
    return pd.concat([paid.assign(line=RENTS[0]), received.assign(line=RENTS[1], pence=-received["pence"])], ignore_index=True)


def _net_rent(place: Place, scenario: Scenario, use: Use) -> pd.DataFrame:
    return _rent(place, scenario, use)[["site", "agency", "pence"]]


def _rent_entries(place: Place, scenario: Scenario, before: pd.DataFrame, use: Use) -> pd.DataFrame:
    """Rent of one year against today: columns ``agency, line, site, point, pence``, no zeros."""
    after = _rent(place, scenario, use)
    change = pd.concat([before, after.assign(pence=-after["pence"])], ignore_index=True)
    found = change.groupby(["agency", "line", "site"])["pence"].sum().reset_index().assign(point=-1)
    return found.loc[found["pence"] != 0, ["agency", "line", "site", "point", "pence"]].reset_index(drop=True)


# ------------------------------------------------------------------------------------------------------ one-off


def _once(place: Place, scenario: Scenario, plan: Plan, before: pd.DataFrame) -> pd.DataFrame:
    """Entries that fall once: columns of :class:`Ledger`, no zeros."""
    moved = np.flatnonzero(plan.host != place.point_site)
    payer, year = move_payers(place, scenario, moved)
    frames = [
        pd.DataFrame({"year": year, "agency": payer, "line": line, "site": plan.host[moved], "point": moved, "pence": amount})
        for line, amount in move_entries(place, scenario, moved, plan.host[moved]).items()
    ]
    frames.append(later_moves(place, scenario, moved, plan.host[moved])[[*KEYS, "pence"]])
    entries = release_entries(place, scenario, before)
    frames.append(entries[entries["site"].isin(released(place, plan))].assign(point=-1)[[*KEYS, "pence"]])
    new = opening_entries(place, scenario)
    frames.append(new[plan.open[new["site"].to_numpy(dtype=np.int64)]].assign(point=-1)[[*KEYS, "pence"]])
    found = pd.concat(frames, ignore_index=True)
    return found[found["pence"] != 0].reset_index(drop=True)
