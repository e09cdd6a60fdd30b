"""Who bears what: a building's yearly cost among those who use it, and the cost of leaving it among those who held it.

By floor area, the practice today, with the area of other uses falling to the title holder; or by a lead agency, which is the
title holder where it uses the building and else the largest user.  Pence are shared out by largest remainder.  Where a title is
with a property vehicle, who brought it in stands for the title holder in all of this (:attr:`estate.place.Place.keeper`): the
vehicle passes the whole cost on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.money.columns import Floats, Ints
from estate.money.costs import hosting_gbp_pa, pence, rent_gbp_pa, running_gbp_pa
from estate.place import Place
from estate.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """Who is where in a year.

    ``host`` (S,) is each point's site in a plan, ``home`` (S,) how much of the year (0 to 1) it is still at its home of today,
    ``open`` (J,) how much of the year each site is open.
    """

    host: Ints
    home: Floats
    open: Floats


def use_today(place: Place) -> Use:
    """Today's estate, the whole year."""
    return Use(place.point_site, np.ones(len(place.access_points)), place.today.open.astype(np.float64))


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


def positions(place: Place) -> tuple[Ints, Ints]:
    """Positions of each point's agency (S,) and of each site's title holder (J,)."""
    find = place.agencies.index.get_indexer
    of_points, of_sites = pd.Index(place.access_points["agency"]), pd.Index(place.sites["agency"])
    return find(of_points).astype(np.int64), find(of_sites).astype(np.int64)


def users(place: Place, scenario: Scenario, use: Use) -> pd.DataFrame:
    """``site, agency, weight``: who bears each site's cost in a year; one that nobody uses falls to its keeper."""
    agency, _ = positions(place)
    keeper = place.agencies.index.get_indexer(pd.Index(place.keeper)).astype(np.int64)
    area = place.access_points["area_m2"].to_numpy(dtype=np.float64)
    other = np.nan_to_num(place.sites["other_use_m2"].to_numpy(dtype=np.float64)) * use.open
    here = np.arange(len(place.sites))
    rows = pd.DataFrame(
        {
            "site": np.concatenate([place.point_site, use.host, here]),
            "agency": np.concatenate([agency, agency, keeper]),
            "weight": np.concatenate([area * use.home, area * (1 - use.home), other]),
        }
    )
    found = rows.groupby(["site", "agency"])["weight"].sum().reset_index()
    used = found.groupby("site")["weight"].transform("sum") > 0
    is_keeper = found["agency"].to_numpy() == keeper[found["site"]]
    found["weight"] = found["weight"].where(used, is_keeper.astype(np.float64))
    found = found[found["weight"] > 0]
    if scenario.money.split == "lead-agency":
        is_keeper = found["agency"].to_numpy() == keeper[found["site"]]
        found = found.assign(other=~is_keeper, less=-found["weight"]).sort_values(["site", "other", "less", "agency"])
        found = found.drop_duplicates("site").assign(weight=1.0)
    return found[["site", "agency", "weight"]].reset_index(drop=True)


def hosting_pence(place: Place, use: Use) -> tuple[Ints, Ints]:
    """(S,) pence of hosting in the year at the home of today, and at the plan's site where that is another."""
    here = np.arange(len(place.access_points))
    at_home = pence(hosting_gbp_pa(place, here, place.point_site) * use.home)
    return at_home, pence(hosting_gbp_pa(place, here, use.host) * (1 - use.home))


def borne(place: Place, scenario: Scenario, use: Use) -> pd.DataFrame:
    """``site, agency, pence``: who bears what of each site's running cost in a year."""
    found = users(place, scenario, use)
    cost = pence(running_gbp_pa(place) * use.open)
    at_home, away = hosting_pence(place, use)
    np.add.at(cost, place.point_site, at_home)
    np.add.at(cost, use.host, away)
    shared = share_out(cost, found["site"].to_numpy(), found["weight"].to_numpy())
    return found[["site", "agency"]].assign(pence=shared)


def rents(place: Place, scenario: Scenario, use: Use) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``site, agency, pence`` of rent in a year: what each pays, and what a public landlord among the agencies receives.

    Those who bear the running cost pay the rent in the same shares, except the landlord himself; where only he is left there is
    no rent.  A private landlord's rent leaves the agencies, so nobody here receives it.
    """
    rent = pence(rent_gbp_pa(place) * use.open)
    public = place.public_landlord
    landlord = np.where(public, place.agencies.index.get_indexer(pd.Index(place.sites["landlord"])), -1)
    found = users(place, scenario, use)
    site = found["site"].to_numpy()
    found = found[(landlord[site] != found["agency"].to_numpy()) & (rent[site] != 0)].reset_index(drop=True)
    paid = share_out(rent, found["site"].to_numpy(), found["weight"].to_numpy())
    payers = found[["site", "agency"]].assign(pence=paid)
    total = np.zeros(len(rent), dtype=np.int64)
    np.add.at(total, payers["site"].to_numpy(), paid)
    let = np.flatnonzero(public & (total != 0))
    return payers, pd.DataFrame({"site": let, "agency": landlord[let], "pence": total[let]})


def leavers(place: Place, before: pd.DataFrame, sites: Ints) -> pd.DataFrame:
    """``site, agency, weight``: who pays for leaving each of these sites, where ``before`` is :func:`borne` of today.

    The title holder of a freehold or a PFI contract.  In a lease, and wherever the title is private, the tenants:
    today's users by what they bear, unless the title holder is one of them and so holds the lease.
    """
    at, holder = positions(place)
    title = pd.DataFrame({"site": sites, "agency": holder[sites], "weight": 1.0})
    private = place.agencies["kind"].to_numpy(dtype=object)[holder[sites]] == "private"
    let = np.isin(place.sites["tenure"].to_numpy(dtype=object)[sites], ["leasehold", "private"])
    own = np.isin(sites, place.point_site[at == holder[place.point_site]])
    tenants = before[before["site"].isin(sites[(let | private) & ~own]) & (before["pence"] > 0)].rename(
        columns={"pence": "weight"}
    )
    by_title = title[~title["site"].isin(tenants["site"])]
    return pd.concat([by_title, tenants]).sort_values(["site", "agency"], ignore_index=True).astype({"weight": np.float64})
