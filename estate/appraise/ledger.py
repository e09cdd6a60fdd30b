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
``fitout``, ``removal``, ``optimism_bias``   moving an access point, paid by the agency that runs it
``exit_cost``            leaving a building: paid by the holder of the lease or title, or by the tenants of a landlord
``capital_receipt``      gross proceeds of a sale, to the title holder; ``disposal_from_receipt`` is the cost it meets
``disposal_to_revenue``  sale costs beyond what the receipt may meet
``revenue_sum``          proceeds too small to be a capital receipt
=======================  =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.appraise.receipts import proceeds_pence, released
from estate.money.columns import Floats, Ints
from estate.money.costs import hosting_gbp_pa, move_one_off_gbp, pence, running_gbp_pa
from estate.money.law import year_label
from estate.money.release import leaving_years, release, works_year
from estate.place import Place, Plan
from estate.scenario import Scenario

RUNNING = ("running_given_up", "running_taken_on", "space_charge")
ONE_OFF = ("fitout", "removal", "optimism_bias", "exit_cost", "disposal_to_revenue")
PROCEEDS = ("capital_receipt", "disposal_from_receipt", "revenue_sum")
LINES = RUNNING + ONE_OFF + PROCEEDS
KEYS = ["year", "agency", "line", "site", "point"]


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The entries, in pence, by position in the place's frames (``point`` is -1 where an entry is a whole building's).

    ``yearly`` and ``once`` have columns ``year`` (after the base year), ``agency, line, site, point, pence``; ``yearly`` covers
    the horizon.  ``steady`` is one year in which the plan is complete.  ``before`` and ``after`` are what each agency pays a
    year for each site (``site, agency, pence``) today and then.
    """

    yearly: pd.DataFrame
    once: pd.DataFrame
    steady: pd.DataFrame
    before: pd.DataFrame
    after: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class _Year:
    """How much of a year (0 to 1) each site is open (J,), and each point is at its home of today (S,)."""

    open: Floats
    home: Floats


def ledger(place: Place, scenario: Scenario, plan: Plan) -> Ledger:
    """Every entry of a plan against today's estate."""
    full = np.ones(len(place.access_points))
    moved = plan.host != place.point_site
    before = _borne(place, scenario, plan, _Year(place.today.open.astype(np.float64), full))
    final = _Year(plan.open.astype(np.float64), np.where(moved, 0.0, full))
    steady = _entries(place, scenario, plan, before, final)
    leave = leaving_years(place, scenario)
    leaving = np.concatenate([leave[released(place, plan)], leave[place.point_site[moved]]])
    last = int(np.ceil(leaving.max(initial=float(scenario.money.closing_year))))
    years = []
    for y in range(scenario.money.horizon_years):
        entries = _entries(place, scenario, plan, before, _state(place, scenario, plan, leave, y)) if y < last else steady
        years.append(entries.assign(year=y))
    yearly = pd.concat(years, ignore_index=True)[[*KEYS, "pence"]]
    return Ledger(yearly, _once(place, scenario, plan, before), steady, before, _borne(place, scenario, plan, final))


def ledger_table(place: Place, scenario: Scenario, book: Ledger) -> pd.DataFrame:
    """``ledger.csv``: ``agency, year, line, site_id, access_point_id, amount_gbp``; years as ``2026-27``."""
    table = pd.concat([book.yearly, book.once], ignore_index=True)
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


def share_out(amount: Ints, group: Ints, weight: Floats) -> Ints:
    """Whole pence of each group's amount among its rows by weight, by largest remainder: every group adds up exactly.

    Parameters
    ----------
    amount
        (G,) pence to share, either sign.
    group, weight
        (N,) group of each row and its weight; every group that has an amount has a positive weight.  Ties go to the first row.
    """
    total = np.bincount(group, weights=weight, minlength=len(amount))
    exact = np.abs(amount)[group] * (weight / np.where(total > 0, total, 1.0)[group])
    whole = np.floor(exact).astype(np.int64)
    given = np.zeros(len(amount), dtype=np.int64)
    np.add.at(given, group, whole)
    order = np.lexsort((np.arange(len(group)), np.round(whole - exact, 9), group))
    first = np.searchsorted(group[order], np.arange(len(amount)))
    rank = np.arange(len(group)) - first[group[order]]
    whole[order] += rank < (np.abs(amount) - given)[group[order]]
    return whole * np.sign(amount)[group]


# ------------------------------------------------------------------------------------------------------ running cost


def _state(place: Place, scenario: Scenario, plan: Plan, leave: Floats, year: int) -> _Year:
    today = place.today.open
    until = np.clip(leave - year, 0.0, 1.0)
    opened = np.clip(year + 1.0 - scenario.money.closing_year, 0.0, 1.0)
    is_open = np.where(plan.open, np.where(today, 1.0, opened), np.where(today, until, 0.0))
    return _Year(is_open, np.where(plan.host != place.point_site, until[place.point_site], 1.0))


def _users(place: Place, scenario: Scenario, plan: Plan, state: _Year) -> pd.DataFrame:
    """``site, agency, weight``: who bears each site's cost in a year; one that nobody uses falls to its title holder."""
    agency, title = _positions(place)
    area = place.access_points["area_m2"].to_numpy(dtype=np.float64)
    other = np.nan_to_num(place.sites["other_use_m2"].to_numpy(dtype=np.float64)) * state.open
    here = np.arange(len(place.sites))
    rows = pd.DataFrame(
        {
            "site": np.concatenate([place.point_site, plan.host, here]),
            "agency": np.concatenate([agency, agency, title]),
            "weight": np.concatenate([area * state.home, area * (1 - state.home), other]),
        }
    )
    users = rows.groupby(["site", "agency"])["weight"].sum().reset_index()
    used = users.groupby("site")["weight"].transform("sum") > 0
    is_title = users["agency"].to_numpy() == title[users["site"]]
    users["weight"] = users["weight"].where(used, is_title.astype(np.float64))
    users = users[users["weight"] > 0]
    if scenario.money.split == "lead-agency":
        is_title = users["agency"].to_numpy() == title[users["site"]]
        users = users.assign(other=~is_title, less=-users["weight"]).sort_values(["site", "other", "less", "agency"])
        users = users.drop_duplicates("site").assign(weight=1.0)
    return users[["site", "agency", "weight"]].reset_index(drop=True)


def _positions(place: Place) -> tuple[Ints, Ints]:
    """Positions of each point's agency (S,) and of each site's title holder (J,)."""
    find = place.agencies.index.get_indexer
    of_points, of_sites = pd.Index(place.access_points["agency"]), pd.Index(place.sites["agency"])
    return find(of_points).astype(np.int64), find(of_sites).astype(np.int64)


def _hosting(place: Place, plan: Plan, state: _Year) -> tuple[Ints, Ints]:
    """(S,) pence of hosting in the year at the home of today, and at the plan's site where that is another."""
    here = np.arange(len(place.access_points))
    at_home = pence(hosting_gbp_pa(place, here, place.point_site) * state.home)
    return at_home, pence(hosting_gbp_pa(place, here, plan.host) * (1 - state.home))


def _borne(place: Place, scenario: Scenario, plan: Plan, state: _Year) -> pd.DataFrame:
    """``site, agency, pence``: who bears what of each site's running cost in a year."""
    users = _users(place, scenario, plan, state)
    cost = pence(running_gbp_pa(place) * state.open)
    at_home, away = _hosting(place, plan, state)
    np.add.at(cost, place.point_site, at_home)
    np.add.at(cost, plan.host, away)
    shared = share_out(cost, users["site"].to_numpy(), users["weight"].to_numpy())
    return users[["site", "agency"]].assign(pence=shared)


def _entries(place: Place, scenario: Scenario, plan: Plan, before: pd.DataFrame, state: _Year) -> pd.DataFrame:
    """The running entries of one year against today: columns ``agency, line, site, point, pence``, no zeros."""
    agency, _ = _positions(place)
    here = np.arange(len(place.access_points))
    nobody = _Year(state.open, np.ones(len(here)))
    given_up = _hosting(place, plan, nobody)[0] - _hosting(place, plan, state)[0]
    by_point = pd.DataFrame(
        {
            "agency": np.concatenate([agency, agency]),
            "line": np.repeat(["running_given_up", "running_taken_on"], len(here)),
            "site": np.concatenate([place.point_site, plan.host]),
            "point": np.concatenate([here, here]),
            "pence": np.concatenate([given_up, -_hosting(place, plan, state)[1]]),
        }
    )
    # Whatever else changes in what an agency bears at a site is the building's own cost, or the way it is shared.
    after = _borne(place, scenario, plan, state)
    change = pd.concat([before, after.assign(pence=-after["pence"]), by_point.assign(pence=-by_point["pence"])])
    rest = change.groupby(["site", "agency"])["pence"].sum().reset_index()
    today = place.today.open[rest["site"]]
    line = np.where(today & plan.open[rest["site"]], RUNNING[2], np.where(today, RUNNING[0], RUNNING[1]))
    found = pd.concat([by_point, rest.assign(line=line, point=-1)], ignore_index=True)
    return found.loc[found["pence"] != 0, ["agency", "line", "site", "point", "pence"]].reset_index(drop=True)


# ------------------------------------------------------------------------------------------------------ one-off


def _once(place: Place, scenario: Scenario, plan: Plan, before: pd.DataFrame) -> pd.DataFrame:
    """Entries that fall once: columns of :class:`Ledger`, no zeros."""
    agency, title = _positions(place)
    moved = np.flatnonzero(plan.host != place.point_site)
    leave = leaving_years(place, scenario)
    ready = works_year(leave)
    frames = []
    parts = move_one_off_gbp(place, scenario, moved, plan.host[moved]).parts_pence()
    for line, cost in parts.items():
        frames.append(_lines(line, ready[place.point_site[moved]], agency[moved], plan.host[moved], moved, -cost))
    gone = released(place, plan)
    table = release(place, scenario).iloc[gone]
    money = proceeds_pence(table)
    when, holder, none = table["year_receipt"].to_numpy(), title[gone], np.full(len(gone), -1)
    signed = {
        "capital_receipt": money["gross"] - money["revenue"],
        "disposal_from_receipt": -money["from_receipt"],
        "disposal_to_revenue": -money["to_revenue"],
        "revenue_sum": money["revenue"],
    }
    frames += [_lines(line, when, holder, gone, none, amount.to_numpy()) for line, amount in signed.items()]
    payer = _leavers(place, before, gone)
    cost = np.zeros(len(place.sites), dtype=np.int64)
    cost[gone] = -money["exit"].to_numpy()
    site = payer["site"].to_numpy()
    paid = share_out(cost, site, payer["weight"].to_numpy())
    frames.append(_lines("exit_cost", ready[site], payer["agency"].to_numpy(), site, np.full(len(site), -1), paid))
    found = pd.concat(frames, ignore_index=True)
    return found[found["pence"] != 0].reset_index(drop=True)


def _leavers(place: Place, before: pd.DataFrame, gone: Ints) -> pd.DataFrame:
    """``site, agency, weight``: who pays for leaving.

    The title holder of a freehold or a PFI contract.  In a lease, and wherever the title is private, the tenants:
    today's users by what they bear, unless the title holder is one of them and so holds the lease.
    """
    holder = _positions(place)[1]
    title = pd.DataFrame({"site": gone, "agency": holder[gone], "weight": 1.0})
    private = place.agencies["kind"].to_numpy(dtype=object)[holder[gone]] == "private"
    let = np.isin(place.sites["tenure"].to_numpy(dtype=object)[gone], ["leasehold", "private"])
    own = np.isin(gone, place.point_site[_positions(place)[0] == holder[place.point_site]])
    users = before[before["site"].isin(gone[(let | private) & ~own]) & (before["pence"] > 0)].rename(
        columns={"pence": "weight"}
    )
    by_title = title[~title["site"].isin(users["site"])]
    return pd.concat([by_title, users]).sort_values(["site", "agency"], ignore_index=True).astype({"weight": np.float64})


def _lines(line: str, year: Ints, agency: Ints, site: Ints, point: Ints, amount: Ints) -> pd.DataFrame:
    return pd.DataFrame({"year": year, "agency": agency, "line": line, "site": site, "point": point, "pence": amount})
