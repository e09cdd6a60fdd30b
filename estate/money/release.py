"""What letting a building go costs and brings, and when it can be left."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.money.columns import Floats, Ints, numbers, raw, words
from estate.money.costs import running_gbp_pa
from estate.money.law import binding, check_year
from estate.place import Place
from estate.scenario import Scenario

UNDATED = ("freehold", "pfi")
"""Tenures that no lease date holds back: nothing binds a freeholder, and a PFI contract is bought out."""


def leaving_years(place: Place, scenario: Scenario) -> Floats:
    """(J,) when each site can be left, in years after 1 April of the base year.

    The year for which it is decided (``closing_year``, where nothing says otherwise), or the day after the lease lets go if
    later: its break (the first day it can be broken), never later than its end.  A lease without dates binds nobody.  Nor do
    dates beside a freehold, or beside a PFI contract: its exit price buys the contract out, and to wait for its end as well would
    be to pay twice.
    """
    return np.fmax(decided_years(place.sites.index, scenario), _free(place, scenario))


def moving_years(place: Place, scenario: Scenario) -> Floats:
    """(S,) when each access point leaves, if it does: when it is decided for, or else its building, and never before a lease.

    Nobody waits for a building that is decided for a later year than the counter.
    """
    own = decided_years(place.access_points.index, scenario)
    named = place.access_points.index.isin(list(scenario.money.decided_for))
    home = decided_years(place.sites.index, scenario)[place.point_site]
    return np.fmax(np.where(named, own, home), _free(place, scenario)[place.point_site])


def opening_years(place: Place, scenario: Scenario) -> Floats:
    """(J,) when each site not in use today opens, if it does."""
    return decided_years(place.sites.index, scenario)


def decided_years(names: pd.Index[str], scenario: Scenario) -> Floats:
    """(n,) the year, after the base year, for which each building or access point is decided."""
    money = scenario.money
    found = np.full(len(names), float(money.closing_year))
    if money.decided_for:
        at = names.get_indexer(pd.Index(list(money.decided_for), dtype=object))
        years = np.array(list(money.decided_for.values()), dtype=np.float64) - money.base_year
        found[at[at >= 0]] = years[at >= 0]
    return found


def _free(place: Place, scenario: Scenario) -> Floats:
    """(J,) when each site's lease lets go, in years after the base date; NaN where nothing binds."""
    sites = place.sites
    end = years_after(sites["lease_end"], scenario.money.base_year)
    broken = years_after(sites["lease_break"], scenario.money.base_year)
    return np.where(np.isin(words(sites, "tenure"), UNDATED), np.nan, np.fmin(broken, end))


def years_after(last_day: pd.Series[pd.Timestamp], base_year: int) -> Floats:
    """The morning after a date, in financial years and fractions after 1 April of the base year; NaN without a date."""
    last: NDArray[np.datetime64] = last_day.to_numpy(dtype="datetime64[D]")
    day = last + np.timedelta64(1, "D")
    known = ~np.isnat(day)
    month = np.where(known, day, np.datetime64(f"{base_year}-04")).astype("datetime64[M]").astype(np.int64)
    whole = 1970 + (month - 3) // 12
    start = _april(whole)
    passed = (day - start).astype(np.float64)
    length = (_april(whole + 1) - start).astype(np.float64)
    return np.where(known, whole - base_year + passed / length, np.nan)


def _april(year: Ints) -> NDArray[np.datetime64]:
    """The first of April of each year."""
    months: NDArray[np.datetime64] = ((year - 1970) * 12 + 3).astype("datetime64[M]")
    return months.astype("datetime64[D]")


def day_of(base: int, when: float) -> str:
    """A time in years after 1 April of the base year as a date."""
    whole = int(np.floor(when + 1e-9))
    start, end = (np.datetime64(f"{base + whole + more}-04-01", "D") for more in (0, 1))
    days = round((when - whole) * int((end - start) / np.timedelta64(1, "D")))
    return str(start + np.timedelta64(days, "D"))


def spoken_day(day: str) -> str:
    """``2028-04-01`` as 1 April 2028."""
    when = dt.date.fromisoformat(day)
    return f"{when.day} {when:%B %Y}"


def works_year(leave: Floats) -> Ints:
    """The financial year in which what a move needs is paid: the last that begins before the day of the move."""
    year: Ints = np.maximum(np.ceil(leave - 1e-9) - 1, 0).astype(np.int64)
    return year


def release(place: Place, scenario: Scenario) -> pd.DataFrame:
    """What letting each site go would cost and bring, by site.

    Columns: ``exit_gbp`` (dilapidations, break penalty, PFI price), ``gross_gbp`` (agreed price, else market value),
    ``disposal_gbp`` = ``from_receipt_gbp`` (met from the receipt) + ``to_revenue_gbp``; ``receipt_gbp`` (capital receipt
    less what it meets), ``revenue_gbp`` (a sum too small to be a capital receipt), ``leave`` (years after the base date),
    ``year_closed`` and ``year_receipt`` (whole years after the base year), ``disposed`` (a public body parts with a freehold at
    a known price, perhaps nothing), ``allowed``, ``reason`` (why it may not be released, or why it brings nothing).

    Receipts follow title: a leasehold, PFI or private building brings its occupiers nothing, and a private owner's sale is no
    public receipt.  For English local authorities SI 2003/3146 regulation 10 makes a gross sum of 10,000 or less revenue, and
    regulation 23(h) lets the receipt meet sale costs up to 4% of it.  For others no rule in the table applies: sale costs are
    set against the proceeds as far as they go.
    """
    return pd.DataFrame(_released(place, scenario), index=place.sites.index)


def _released(place: Place, scenario: Scenario) -> dict[str, NDArray[Any]]:
    """The columns of :func:`release`."""
    check_year(scenario.money.base_year)
    sites, prices = place.sites, scenario.money.pfi_exit_gbp
    kinds = dict(zip(place.agencies.index, place.agencies["kind"], strict=True))
    kind = np.array([kinds.get(agency, "other") for agency in words(sites, "agency")], dtype=object)
    tenure = words(sites, "tenure")
    paid = place.today.open & ~place.outside
    leave = leaving_years(place, scenario)
    year_receipt = np.floor(leave + np.nan_to_num(raw(sites, "years_to_sale")) + 1e-9).astype(np.int64)

    no_price = (tenure == "pfi") & ~sites.index.isin(list(prices))
    sold = paid & (tenure == "freehold") & (kind != "private")
    value, agreed = raw(sites, "market_value_gbp"), raw(sites, "agreed_price_gbp")
    asked = np.where(np.isnan(agreed), value, agreed)
    gross = np.where(sold, np.nan_to_num(asked), 0.0)
    disposal = np.where(sold, numbers(sites, "disposal_cost_gbp"), 0.0)
    small, share = _limits(kind, year_receipt + scenario.money.base_year)
    is_revenue = gross <= small
    met = np.where(is_revenue, 0.0, np.minimum(disposal, share * gross))
    pfi_price = np.array([prices.get(site, np.nan) for site in sites.index], dtype=np.float64)
    leaving = np.where((tenure == "pfi") & ~no_price, pfi_price, numbers(sites, "exit_cost_gbp"))
    reason = np.select(
        [place.outside, ~paid, no_price, tenure == "pfi", tenure == "leasehold", tenure == "private", kind == "private",
         np.isnan(asked), ~np.isnan(agreed) & (gross == 0), gross == 0, is_revenue],
        ["outside the place: never changed", "not paid for today: it cannot be released", "PFI contract with no exit price",
         "PFI: the building is not the occupier's to sell", "leasehold: the landlord keeps the building",
         "private landlord: no public receipt", "private owner: no public receipt", "no valuation is given",
         "agreed to go for nothing", "valued at nothing", "a small sum: revenue, not a capital receipt"],
        default="",
    )  # fmt: skip
    return {
        "exit_gbp": np.where(paid, leaving, 0.0),
        "disposal_gbp": disposal,
        "from_receipt_gbp": met,
        "to_revenue_gbp": disposal - met,
        "gross_gbp": gross,
        "receipt_gbp": np.where(is_revenue, 0.0, gross - met),
        "revenue_gbp": np.where(is_revenue, gross, 0.0),
        "leave": leave,
        "year_closed": np.floor(leave + 1e-9).astype(np.int64),
        "year_receipt": year_receipt,
        "disposed": sold & ~np.isnan(asked),
        "allowed": paid & ~no_price,
        "reason": reason,
    }


def _limits(kind: NDArray[np.object_], year: Ints) -> tuple[Floats, Floats]:
    """(J,) the sum up to which proceeds are revenue, and the share of a receipt that sale costs may take, by owner and year."""
    small, share = np.zeros(len(kind)), np.ones(len(kind))
    for each, when in set(zip(kind.tolist(), year.tolist(), strict=True)):
        here = (kind == each) & (year == when)
        line, cap = binding("small-sum", each, when), binding("disposal-cost", each, when)
        small[here] = line.value if line else 0.0
        share[here] = cap.value if cap else 1.0
    return small, share


def empty_gbp_pa(place: Place, scenario: Scenario) -> Floats:
    """(J,) GBP a year that an empty building still costs: the share of running cost that its kind keeps."""
    share = np.array([scenario.money.holding_share.get(kind, 0.0) for kind in words(place.sites, "kind")], dtype=np.float64)
    return share * running_gbp_pa(place)


def empty_years(place: Place, scenario: Scenario) -> pd.DataFrame:
    """How long each site let go stays empty at a public body's cost: ``sale`` and ``void`` (J,), in years after it is left.

    A freehold of a public body is held until it is sold; a building left by its tenants stays ``void_years`` with a landlord who
    is a public body among the agencies.  A building of anybody else costs them nothing once it is left.
    """
    sold = _sold(place)
    until = np.where(sold, np.nan_to_num(raw(place.sites, "years_to_sale")), 0.0)
    void = np.where(place.public_landlord & ~sold & place.today.open & ~place.outside, scenario.money.void_years, 0.0)
    return pd.DataFrame({"sale": until, "void": void}, index=place.sites.index)


def _sold(place: Place) -> NDArray[np.bool_]:
    """(J,) whether letting a site go is a sale: a public body's freehold, in use today."""
    kind = place.agencies["kind"].reindex(place.sites["agency"]).fillna("other").to_numpy(dtype=object)
    owned = (words(place.sites, "tenure") == "freehold") & (kind != "private")
    found: NDArray[np.bool_] = owned & place.today.open & ~place.outside
    return found


def net_release_gbp(place: Place, scenario: Scenario) -> Floats:
    """(J,) net one-off GBP of letting each site go: exit, sale and holding costs less all proceeds, whenever they fall."""
    found = _released(place, scenario)
    held = empty_gbp_pa(place, scenario) * empty_years(place, scenario).sum(axis=1).to_numpy()
    net: Floats = found["exit_gbp"] + found["disposal_gbp"] - found["gross_gbp"] + held
    return net
