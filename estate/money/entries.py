"""Every one-off entry that a plan could have, by move and by release, in whole pence: the ledger picks those of its plan.

Budgets are rows over the same entries, so that what a purse is held to is what its books say.  Signs are the ledger's: money
received is positive, money paid negative.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.money.bearers import borne, leavers, positions, share_out, use_today
from estate.money.columns import Ints
from estate.money.costs import move_one_off_gbp, pence
from estate.money.opening import lives, not_in_use, opening_gbp
from estate.money.present_value import backlog_avoided_gbp, fitout_lasts, refit_years, unworn
from estate.money.release import empty_gbp_pa, empty_years, leaving_years, moving_years, opening_years, release, works_year
from estate.place import Place
from estate.scenario import Scenario

CAPITAL = ("fitout", "opening_capital", "optimism_bias")
"""Lines of capital spending: what is built or bought."""
REVENUE = ("removal", "exit_cost", "disposal_to_revenue", "holding_cost", "void_cost")
"""Lines of one-off revenue spending: a capital receipt may not pay for them, outside a direction."""
RECEIPTS = ("capital_receipt", "disposal_from_receipt")
"""A capital receipt, and the sale costs that it meets."""
REVENUE_SUMS = ("revenue_sum",)
"""Proceeds too small to be a capital receipt."""
LATER = ("backlog_avoided", "refit", "residual_value")
"""What is not paid or banked to make the plan happen: in the present value, in no purse and no one-off total."""


def move_entries(place: Place, scenario: Scenario, point: Ints, site: Ints) -> dict[str, Ints]:
    """(P,) pence of each move by line, 0 at home; :func:`move_payers` says who pays, and when."""
    return {line: -cost for line, cost in move_one_off_gbp(place, scenario, point, site).parts_pence().items()}


def move_payers(place: Place, scenario: Scenario, point: Ints) -> tuple[Ints, Ints]:
    """(P,) position of the agency that pays for moving each point, and the year (after the base year) in which it does."""
    agency, _ = positions(place)
    return agency[point], works_year(moving_years(place, scenario))[point]


def release_entries(place: Place, scenario: Scenario, before: pd.DataFrame | None = None) -> pd.DataFrame:
    """What letting each site go would enter: ``site, agency, year, line, pence`` by position, no zeros.

    ``before`` is :func:`~estate.money.bearers.borne` of today, where it is at hand.
    """
    _, title = positions(place)
    table = release(place, scenario)
    gone = np.flatnonzero(place.today.open & ~place.outside)
    money = proceeds_pence(table.iloc[gone])
    ready = works_year(leaving_years(place, scenario))
    when, holder = table["year_receipt"].to_numpy()[gone], title[gone]
    signed = {
        "capital_receipt": money["gross"] - money["revenue"],
        "disposal_from_receipt": -money["from_receipt"],
        "disposal_to_revenue": -money["to_revenue"],
        "revenue_sum": money["revenue"],
    }
    frames = [_lines(line, gone, holder, when, amount.to_numpy()) for line, amount in signed.items()]
    payer = leavers(place, borne(place, scenario, use_today(place)) if before is None else before, gone)
    cost = np.zeros(len(place.sites), dtype=np.int64)
    cost[gone] = -money["exit"].to_numpy()
    site = payer["site"].to_numpy()
    paid = share_out(cost, site, payer["weight"].to_numpy())
    frames.append(_lines("exit_cost", site, payer["agency"].to_numpy(), ready[site], paid))
    frames += _empty(place, scenario, gone)
    if scenario.money.backlog_year is not None:
        spared = pence(backlog_avoided_gbp(place, scenario))
        year = np.full(len(site), scenario.money.backlog_year)
        shared = share_out(spared, site, payer["weight"].to_numpy())
        frames.append(_lines("backlog_avoided", site, payer["agency"].to_numpy(), year, shared))
    if scenario.money.residual_value:
        end = np.full(len(gone), _last(scenario))
        frames.append(_lines("residual_value", gone, holder, end, -money["gross"].to_numpy()))
    found = pd.concat(frames, ignore_index=True)
    return found[found["pence"] != 0].reset_index(drop=True)


def opening_entries(place: Place, scenario: Scenario) -> pd.DataFrame:
    """What opening each site that is not in use would enter: ``site, agency, year, line, pence`` by position, no zeros.

    The agency that would hold it pays.  What is spent again when its life ends, and what is unworn at the end of the horizon, are
    entries of :data:`LATER`.
    """
    new = np.flatnonzero(not_in_use(place))
    cost, holder, lasts = opening_gbp(place, scenario), positions(place)[1][new], lives(place)
    capital, whole = pence(cost.capital)[new], pence(cost.total)[new]
    works = works_year(opening_years(place, scenario))[new]
    frames = [
        _lines("opening_capital", new, holder, works, -capital),
        _lines("optimism_bias", new, holder, works, capital - whole),
    ]
    for at, who, year, spent in zip(new.tolist(), holder.tolist(), works.tolist(), whole.tolist(), strict=True):
        again = np.array(refit_years(scenario, year, float(lasts[at])), dtype=np.int64)
        frames.append(_lines("refit", np.full(len(again), at), np.full(len(again), who), again, np.full(len(again), -spent)))
        rest = pence(np.array([spent * unworn(scenario, year, float(lasts[at])) / 100]))
        frames.append(_lines("residual_value", np.array([at]), np.array([who]), np.array([_last(scenario)]), rest))
    found = pd.concat(frames, ignore_index=True)
    return found[found["pence"] != 0].reset_index(drop=True)


def _last(scenario: Scenario) -> int:
    """The last year of the horizon."""
    return scenario.money.horizon_years - 1


def later_moves(place: Place, scenario: Scenario, point: Ints, site: Ints) -> pd.DataFrame:
    """Fit-outs made again, and what is unworn of the last: ``point, site, agency, year, line, pence``, no zeros."""
    payer, works = move_payers(place, scenario, point)
    cost = move_one_off_gbp(place, scenario, point, site)
    spent = pence(cost.fitout + cost.bias)
    rows, every = [], fitout_lasts(scenario)
    for at, (who, year, amount) in enumerate(zip(payer.tolist(), works.tolist(), spent.tolist(), strict=True)):
        here = {"point": int(point[at]), "site": int(site[at]), "agency": who}
        rows += [{**here, "year": again, "line": "refit", "pence": -amount} for again in refit_years(scenario, year, every)]
        rest = int(pence(np.array([amount * unworn(scenario, year, every) / 100]))[0])
        rows.append({**here, "year": _last(scenario), "line": "residual_value", "pence": rest})
    kinds = {"point": "int64", "site": "int64", "agency": "int64", "year": "int64", "line": "object", "pence": "int64"}
    found = pd.DataFrame(rows, columns=list(kinds)).astype(kinds)
    return found[found["pence"] != 0].reset_index(drop=True)


def _empty(place: Place, scenario: Scenario, gone: Ints) -> list[pd.DataFrame]:
    """What each building costs while it is empty, year by year: its holder until it is sold, or its landlord while it is void."""
    yearly, until = empty_gbp_pa(place, scenario)[gone], empty_years(place, scenario).iloc[gone]
    leave = leaving_years(place, scenario)[gone]
    landlord = place.agencies.index.get_indexer(pd.Index(place.sites["landlord"]))[gone]
    payers = {"holding_cost": ("sale", positions(place)[1][gone]), "void_cost": ("void", landlord)}
    found = []
    for line, (column, payer) in payers.items():
        end = leave + until[column].to_numpy()
        for year in range(int(np.floor(leave.min(initial=0.0))), int(np.ceil(end.max(initial=0.0)))):
            part = np.clip(end, year, year + 1) - np.clip(leave, year, year + 1)
            found.append(_lines(line, gone, payer, np.full(len(gone), year), -pence(yearly * part)))
    return found


def _lines(line: str, site: Ints, agency: Ints, year: Ints, amount: Ints) -> pd.DataFrame:
    return pd.DataFrame({"site": site, "agency": agency, "year": year, "line": line, "pence": amount})


def proceeds_pence(table: pd.DataFrame) -> pd.DataFrame:
    """The amounts of :func:`estate.money.release.release` in whole pence, adding up exactly.

    Columns ``exit, gross, disposal, from_receipt, to_revenue, receipt, revenue``.  What a receipt may meet is rounded
    down, so that 4% is never exceeded.
    """
    exit_cost, gross, disposal = (pence(table[f"{name}_gbp"].to_numpy()) for name in ("exit", "gross", "disposal"))
    met = np.floor(np.round(table["from_receipt_gbp"].to_numpy() * 100, 4)).astype(np.int64)
    revenue = pence(table["revenue_gbp"].to_numpy())
    return pd.DataFrame(
        {
            "exit": exit_cost,
            "gross": gross,
            "disposal": disposal,
            "from_receipt": met,
            "to_revenue": disposal - met,
            "receipt": np.where(revenue > 0, 0, gross - met),
            "revenue": revenue,
        },
        index=table.index,
    )
