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

from estate.law import binding, check_year, discount_factors
from estate.place import Place, todays_plan
from estate.scenario import Scenario

UNDATED = ("freehold", "pfi")
"""Tenures that no lease date holds back: nothing binds a freeholder, and a PFI contract is bought out."""

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


def pence(gbp: Floats) -> Ints:
    """GBP to whole pence, half to even, once.  Ten-thousandths of a penny are floating-point dust and go first."""
    return np.rint(np.round(np.asarray(gbp, dtype=np.float64) * 100, 4)).astype(np.int64)


def gbp(pence_: Ints) -> Floats:
    """Whole pence as GBP."""
    return np.asarray(pence_, dtype=np.int64) / 100


# ------------------------------------------------------------------------------------------------------ yearly costs


def running_gbp_pa(place: Place) -> Floats:
    """(J,) GBP a year while a site is open (``F_j``); 0 for sites outside the place."""
    return np.where(place.outside, 0.0, _numbers(place.sites, "running_cost_gbp_pa"))


def hosting_gbp_pa(place: Place, point: Ints, site: Ints) -> Floats:
    """(P,) GBP a year for hosting each point at each site above the site's own cost (``V_sj``).

    The hosting table's figure where it has one; else nothing at home, and floor area x ``hosting_cost_gbp_m2_pa`` elsewhere.

    Parameters
    ----------
    point, site
        (P,) positions in ``access_points`` and ``sites``.
    """
    area = _numbers(place.access_points, "area_m2")[point]
    usual = np.where(site == place.point_site[point], 0.0, area * _numbers(place.sites, "hosting_cost_gbp_m2_pa")[site])
    if len(place.hosting):
        key = place.hosting.index
        row = place.access_points.index.get_indexer(key.get_level_values(0)) * len(place.sites)
        row = row + place.sites.index.get_indexer(key.get_level_values(1))
        stated = pd.Series(place.hosting["cost_gbp_pa"].to_numpy(dtype=np.float64), index=row).dropna()
        found = stated.reindex(point * len(place.sites) + site).to_numpy()
        usual = np.where(np.isnan(found), usual, found)
    return np.where(place.outside[site], 0.0, usual)


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
    kinds = sorted(place.sites["kind"].unique())
    keys = pd.MultiIndex.from_product([place.services, kinds], names=["service", "site_kind"])
    columns = ["fitout_gbp_m2", "removal_gbp_m2"]
    exact = place.rates[columns].reindex(keys).astype(float)
    any_kind = pd.MultiIndex.from_arrays([keys.get_level_values(0), [""] * len(keys)])
    loose = place.rates[columns].reindex(any_kind).astype(float).set_axis(keys)
    result = exact.where(exact["fitout_gbp_m2"].notna(), loose)
    settings = [scenario.services.get(service) for service in keys.get_level_values(0)]
    own = [np.nan if each is None or each.fitout_gbp_m2 is None else each.fitout_gbp_m2 for each in settings]
    result["fitout_gbp_m2"] = result["fitout_gbp_m2"].fillna(pd.Series(own, keys, dtype=float))
    result["stated"] = result["fitout_gbp_m2"].notna()
    return result.fillna(dict.fromkeys(columns, 0.0))


def move_one_off_gbp(place: Place, scenario: Scenario, point: Ints, site: Ints) -> MoveCosts:
    """One-off costs of hosting each point at each site; ``point`` and ``site`` are (P,) positions.

    Optimism bias (Green Book supplementary guidance) is the scenario's uplift for the kind of the receiving building, on
    capital cost only.
    """
    rates = move_rates(place, scenario)
    kinds = rates.index.levels[1]  # type: ignore[attr-defined]
    kind = kinds.get_indexer(pd.Index(place.sites["kind"]))[site]
    row = place.point_service[point] * len(kinds) + kind
    away = site != place.point_site[point]
    area = np.where(away, _numbers(place.access_points, "area_m2")[point], 0.0)
    uplift = place.sites["kind"].map(dict(scenario.money.optimism_bias)).fillna(0.0).to_numpy(dtype=np.float64)[site]
    fitout = area * rates["fitout_gbp_m2"].to_numpy()[row]
    return MoveCosts(fitout, area * rates["removal_gbp_m2"].to_numpy()[row], fitout * uplift)


# ------------------------------------------------------------------------------------------------------ letting sites go


def leaving_years(place: Place, scenario: Scenario) -> Floats:
    """(J,) when each site can be left, in years after 1 April of the base year.

    ``closing_year``, or the day after the lease lets go if later: its break (the first day it can be broken), never later
    than its end.  A lease without dates binds nobody.  Nor do dates beside a freehold, or beside a PFI contract: its exit price
    buys the contract out, and to wait for its end as well would be to pay twice.
    """
    closing = float(scenario.money.closing_year)
    sites = place.sites
    end = _years_after(sites["lease_end"], scenario.money.base_year)
    broken = _years_after(sites["lease_break"], scenario.money.base_year)
    leave = np.fmax(closing, np.fmin(broken, end))
    return np.where(sites["tenure"].isin(UNDATED).to_numpy(), closing, leave)


def _years_after(last_day: pd.Series[pd.Timestamp], base_year: int) -> Floats:
    """The morning after a date, in financial years and fractions after 1 April of the base year; NaN without a date."""
    day = pd.DatetimeIndex(pd.to_datetime(last_day)) + pd.Timedelta(days=1)
    year = (day.year - (day.month < 4)).to_numpy(dtype=np.float64)
    known = ~np.isnan(year)
    whole = np.where(known, year, base_year).astype(np.int64)
    start = _april(whole)
    passed = (day.to_numpy().astype("datetime64[D]") - start).astype(np.float64)
    length = (_april(whole + 1) - start).astype(np.float64)
    return np.where(known, whole - base_year + passed / length, np.nan)


def _april(year: Ints) -> NDArray[np.datetime64]:
    """The first of April of each year."""
    months: NDArray[np.datetime64] = ((year - 1970) * 12 + 3).astype("datetime64[M]")
    return months.astype("datetime64[D]")


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
    check_year(scenario.money.base_year)
    sites, prices = place.sites, scenario.money.pfi_exit_gbp
    kind = sites["agency"].map(place.agencies["kind"]).fillna("other").to_numpy(dtype=object)
    tenure = sites["tenure"].to_numpy(dtype=object)
    paid = todays_plan(place).open & ~place.outside
    leave = leaving_years(place, scenario)
    year_receipt = np.floor(leave + np.nan_to_num(_raw(sites, "years_to_sale")) + 1e-9).astype(np.int64)

    no_price = (tenure == "pfi") & ~sites.index.isin(list(prices))
    sold = paid & (tenure == "freehold") & (kind != "private")
    value, agreed = _raw(sites, "market_value_gbp"), _raw(sites, "agreed_price_gbp")
    asked = np.where(np.isnan(agreed), value, agreed)
    gross = np.where(sold, np.nan_to_num(asked), 0.0)
    disposal = np.where(sold, _numbers(sites, "disposal_cost_gbp"), 0.0)
    small, share = _limits(kind, year_receipt + scenario.money.base_year)
    is_revenue = gross <= small
    met = np.where(is_revenue, 0.0, np.minimum(disposal, share * gross))
    pfi_price = sites.index.to_series().map(dict(prices)).to_numpy(dtype=np.float64)
    leaving = np.where((tenure == "pfi") & ~no_price, pfi_price, _numbers(sites, "exit_cost_gbp"))
    reason = np.select(
        [place.outside, ~paid, no_price, tenure == "pfi", tenure == "leasehold", tenure == "private", kind == "private",
         np.isnan(asked), ~np.isnan(agreed) & (gross == 0), gross == 0, is_revenue],
        ["outside the place: never changed", "not paid for today: it cannot be released", "PFI contract with no exit price",
         "PFI: the building is not the occupier's to sell", "leasehold: the landlord keeps the building",
         "private landlord: no public receipt", "private owner: no public receipt", "no valuation is given",
         "agreed to go for nothing", "valued at nothing", "a small sum: revenue, not a capital receipt"],
        default="",
    )  # fmt: skip
    return pd.DataFrame(
        {
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
        },
        index=sites.index,
    )


def _limits(kind: NDArray[np.object_], year: Ints) -> tuple[Floats, Floats]:
    """(J,) the sum up to which proceeds are revenue, and the share of a receipt that sale costs may take, by owner and year."""
    small, share = np.zeros(len(kind)), np.ones(len(kind))
    for each, when in set(zip(kind.tolist(), year.tolist(), strict=True)):
        here = (kind == each) & (year == when)
        line, cap = binding("small-sum", each, when), binding("disposal-cost", each, when)
        small[here] = line.value if line else 0.0
        share[here] = cap.value if cap else 1.0
    return small, share


def net_release_gbp(place: Place, scenario: Scenario) -> Floats:
    """(J,) net one-off GBP of letting each site go: exit and sale costs less all proceeds, whenever they fall."""
    table = release(place, scenario)
    return (table["exit_gbp"] + table["disposal_gbp"] - table["gross_gbp"]).to_numpy(dtype=np.float64)


def gross_release_gbp(place: Place, scenario: Scenario) -> Floats:
    """(J,) one-off GBP of letting each site go before any proceeds."""
    table = release(place, scenario)
    return (table["exit_gbp"] + table["disposal_gbp"]).to_numpy(dtype=np.float64)


# ------------------------------------------------------------------------------------------------------ present values


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


def annual_equivalent_gbp(place: Place, scenario: Scenario, point: Ints, site: Ints) -> tuple[Floats, Floats, Floats]:
    """What turns the running-cost objective into equivalent annual cost: (P,) of moves, (J,) of releases, (J,) of openings.

    With ``B`` the present value of a pound in every year, a plan's equivalent annual cost is its running cost, plus for every
    pair chosen ``moves`` = one-off / B less the hosting not yet paid before the move, plus for every site let go ``releases``
    = (exit and sale costs - proceeds) / B plus the running cost still paid until it closes, less for every site newly opened
    ``openings`` = the running cost not yet paid.  All are linear in the decisions, and equal to what
    :mod:`estate.appraise.cashflow` finds.
    """
    worth = discounting(scenario)
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
    paid = todays_plan(place).open
    return moves, np.where(paid, left / worth.annuity + running * (1 - saved), 0.0), np.where(paid, 0.0, running * (1 - opened))


def annual_equivalent_pence(place: Place, scenario: Scenario, point: Ints, site: Ints) -> tuple[Ints, Ints]:
    """``moves`` and ``releases`` of :func:`annual_equivalent_gbp` in pence a year; for openings see :func:`opening_pence`."""
    moves, releases, _ = annual_equivalent_gbp(place, scenario, point, site)
    return pence(moves), pence(releases)


def opening_pence(place: Place, scenario: Scenario) -> Ints:
    """(J,) pence a year by which a newly opened site costs less than its running cost, since it opens in ``closing_year``."""
    none = np.zeros(0, dtype=np.int64)
    return pence(annual_equivalent_gbp(place, scenario, none, none)[2])


def _raw(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(dtype=np.float64)


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    return np.nan_to_num(_raw(frame, column))
