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
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.law import binding, check_year, discount_factors
from estate.place import Place, todays_plan
from estate.scenario import Scenario

_RATES = ("fitout_gbp_m2", "removal_gbp_m2")

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
    kinds = np.unique(_words(place.sites, "kind"))
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
    kinds, code = np.unique(_words(place.sites, "kind"), return_inverse=True)
    kind = code[site]
    rates = np.nan_to_num(_rates(place, scenario, kinds))[place.point_service[point], kind]
    away = site != place.point_site[point]
    area = np.where(away, _numbers(place.access_points, "area_m2")[point], 0.0)
    uplift = np.array([scenario.money.optimism_bias.get(each, 0.0) for each in kinds], dtype=np.float64)[kind]
    fitout = area * rates[:, 0]
    return MoveCosts(fitout, area * rates[:, 1], fitout * uplift)


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
    return np.where(np.isin(_words(sites, "tenure"), UNDATED), closing, leave)


def _years_after(last_day: pd.Series[pd.Timestamp], base_year: int) -> Floats:
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
    kind = np.array([kinds.get(agency, "other") for agency in _words(sites, "agency")], dtype=object)
    tenure = _words(sites, "tenure")
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
    pfi_price = np.array([prices.get(site, np.nan) for site in sites.index], dtype=np.float64)
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


def net_release_gbp(place: Place, scenario: Scenario) -> Floats:
    """(J,) net one-off GBP of letting each site go: exit and sale costs less all proceeds, whenever they fall."""
    found = _released(place, scenario)
    net: Floats = found["exit_gbp"] + found["disposal_gbp"] - found["gross_gbp"]
    return net


def gross_release_gbp(place: Place, scenario: Scenario) -> Floats:
    """(J,) one-off GBP of letting each site go before any proceeds."""
    found = _released(place, scenario)
    gross: Floats = found["exit_gbp"] + found["disposal_gbp"]
    return gross


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


def _words(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    return frame[column].to_numpy(dtype=object)


def _raw(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(dtype=np.float64)


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    return np.nan_to_num(_raw(frame, column))
