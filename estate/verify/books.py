"""The money that is published, worked out again: capital receipts, and who pays and gains what in which year.

Amounts are pence.  A yearly cost is borne by those who use a building, by floor area (the area of other uses is its title
holder's) or by a lead agency.  Where several share, the pence of each are checked to the rounding and their sum exactly.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from estate.verify.case import Case, Decision, Finding, blank, finding, number
from estate.verify.money import (
    DUST,
    decided,
    disposal_gbp,
    empty_gbp,
    exit_gbp,
    goes_after,
    hosting_gbp,
    law_row,
    law_value,
    leaves_after,
    lets,
    life,
    move_parts_gbp,
    opening_parts_gbp,
    pence,
    refits,
    rent_gbp,
    running_gbp,
    sale_gbp,
    sells,
    spared_gbp,
    stands_empty,
    unworn_share,
)

ROUNDING = 2.0
"""A share of a sum may be this many pence off its exact value: one before, one after."""

type Key = tuple[str, str, str, str, str]
"""Agency, year, line, site, access point."""


def year_label(year: int) -> str:
    """2025 is ``2025-26``."""
    return f"{year}-{(year + 1) % 100:02d}"


# -------------------------------------------------------------------------------------------------- receipts


@dataclass(frozen=True, slots=True)
class Proceeds:
    """What letting one site go brings, in pence; ``year`` is that of the sale, after the base year."""

    gross: int
    disposal: int
    met: int
    revenue: int
    year: int

    @property
    def net(self) -> int:
        """The capital receipt left to use."""
        return 0 if self.revenue else self.gross - self.met


def proceeds(case: Case, site: str) -> Proceeds:
    """The sale of a site under the dated rules for its owner: a small sum is revenue, and sale costs are met up to a share."""
    year = math.floor(leaves_after(case, site) + number(case.sites[site]["years_to_sale"]) + DUST)
    kind = str(case.agencies.get(case.sites[site]["agency"], {}).get("kind", "other"))
    when = case.scenario.money.base_year + year
    gross, disposal = sale_gbp(case, site), disposal_gbp(case, site)
    small = gross <= (law_value("small-sum", kind, when) or 0.0)
    share = law_value("disposal-cost", kind, when)
    met = 0.0 if small else min(disposal, gross if share is None else share * gross)
    return Proceeds(pence(gross), pence(disposal), math.floor(round(met * 100, 4)), pence(gross) if small else 0, year)


def receipts(case: Case, decision: Decision) -> pd.DataFrame:
    """``capital_receipts``: one row for each building let go, the figures in GBP."""
    rows = []
    for site in case.released(decision):
        row, sold = case.sites[site], proceeds(case, site)
        owner = case.agencies.get(row["agency"], {})
        ranged = sold.gross > 0 and blank(row["agreed_price_gbp"])
        low, high = (
            pence(float(row[name])) if ranged and not blank(row[name]) else sold.gross
            for name in ("value_low_gbp", "value_high_gbp")
        )
        year = case.scenario.money.base_year + sold.year
        most = law_value("under-value", str(owner.get("kind", "other")), year)
        short = 0 if blank(row["agreed_price_gbp"]) else pence(number(row["market_value_gbp"])) - sold.gross
        rows.append(
            {
                "site_id": site,
                "name": row["name"],
                "agency": row["agency"],
                "agency_kind": owner.get("kind", "other"),
                "tenure": row["tenure"],
                "gross_gbp": sold.gross / 100,
                "low_gbp": low / 100,
                "high_gbp": high / 100,
                "disposal_cost_gbp": sold.disposal / 100,
                "disposal_met_from_receipt_gbp": sold.met / 100,
                "disposal_to_revenue_gbp": (sold.disposal - sold.met) / 100,
                "net_receipt_gbp": sold.net / 100,
                "revenue_sum_gbp": sold.revenue / 100,
                "years_to_sale": number(row["years_to_sale"]),
                "receipt_year": year_label(year) if sold.gross else "",
                "under_value_flag": sells(case, site) and most is not None and short > most * 100,
            }
        )
    return pd.DataFrame(rows)


def flexible_use(case: Case, decision: Decision) -> pd.DataFrame:
    """``flexible_use``: receipts against the revenue cost of reform, direction by direction, the figures in GBP.

    Read from the plan: receipts as they are sold, removal as points move, leaving costs as they are shared.  Pounds that several
    share are rounded to the penny here, and may stand a penny off.
    """
    money = case.scenario.money
    banked, paid = defaultdict[tuple[str, int], float](float), defaultdict[tuple[str, int], float](float)

    def works(leave: float) -> int:
        return money.base_year + _works(leave)

    for point in case.moved(decision):
        removal = pence(move_parts_gbp(case, point, decision.host[point])[1])
        paid[case.points[point]["agency"], works(goes_after(case, point))] += removal
    for site in case.released(decision):
        sold = proceeds(case, site)
        banked[case.sites[site]["agency"], money.base_year + sold.year] += sold.net
        for agency, share in leaving_shares(case, site).items():
            paid[agency, works(leaves_after(case, site))] += pence(exit_gbp(case, site)) * share
    rows = []
    for agency in sorted(case.agencies):
        kind, left = str(case.agencies[agency].get("kind", "other")), defaultdict[str, float](float)
        years = sorted({year for who, year in [*banked, *paid] if who == agency})
        for year in years:
            got, cost = banked.get((agency, year), 0.0), paid.get((agency, year), 0.0)
            if not (got or cost) or law_row("use-of-receipts", kind, year) is None:
                continue
            row = law_row("flexible-use", kind, year)
            hand = 0.0
            if row is not None:
                hand = left[row["instrument"]] + got
                left[row["instrument"]] = hand - min(hand, cost)
            figures = {"receipts_gbp": got, "unspent_gbp": hand, "reform_cost_gbp": cost, "eligible_gbp": min(hand, cost)}
            rows.append({"agency": agency, "year": year_label(year)} | {name: each / 100 for name, each in figures.items()})
    return pd.DataFrame(rows)


# -------------------------------------------------------------------------------------------------- the ledger


LATER = ("backlog_avoided", "refit", "residual_value")
"""Lines of what neither makes the plan happen nor recurs: in the present value, in no account and no purse."""


@dataclass(slots=True)
class Expected:
    """What a ledger must say: entries to the penny, and sums to the penny with the share of each agency."""

    exact: defaultdict[Key, int] = field(default_factory=lambda: defaultdict(int))
    total: defaultdict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    """(year, line, site) of whole buildings."""
    share: defaultdict[tuple[str, str, str, str], float] = field(default_factory=lambda: defaultdict(float))
    """(agency, year, line, site), unrounded."""


@dataclass(frozen=True, slots=True)
class State:
    """How much of a year each site is open, and each moved point is still at home."""

    open: Mapping[str, float]
    home: Mapping[str, float]


def _state(case: Case, decision: Decision, when: Mapping[str, float], year: int) -> State:
    """``when`` is when each site is left or opens, and each moved point goes."""

    def until(name: str) -> float:
        return min(1.0, max(0.0, when[name] - year))

    is_open = {}
    for site in case.sites:
        today, after = site in case.today.open, site in decision.open
        is_open[site] = (1.0 if today else 1.0 - until(site)) if after else (until(site) if today else 0.0)
    return State(is_open, {point: until(point) for point in case.moved(decision)})


def bearers(case: Case, decision: Decision, state: State) -> dict[str, dict[str, float]]:
    """Who bears each site's cost, as shares that add up to 1."""
    area: dict[str, defaultdict[str, float]] = {site: defaultdict(float) for site in case.sites}
    for point, site in decision.host.items():
        row = case.points[point]
        at_home = state.home.get(point, 1.0)
        area[case.today.host[point]][row["agency"]] += number(row["area_m2"]) * at_home
        area[site][row["agency"]] += number(row["area_m2"]) * (1 - at_home)
    found = {}
    for site, row in case.sites.items():
        title = case.keeper(site)
        area[site][title] += number(row["other_use_m2"]) * state.open[site]
        users = {agency: m2 for agency, m2 in sorted(area[site].items()) if m2 > 0} or {title: 1.0}
        if case.scenario.money.split == "lead-agency":
            users = {title if title in users else max(users, key=lambda each: users[each]): 1.0}
        whole = sum(users.values())
        found[site] = {agency: m2 / whole for agency, m2 in users.items()}
    return found


def _hosting(case: Case, decision: Decision, state: State) -> Iterator[tuple[str, int, int]]:
    """(point, pence at home, pence at the new site) of hosting in a year, for every point."""
    for point, site in decision.host.items():
        home, at_home = case.today.host[point], state.home.get(point, 1.0)
        yield point, pence(hosting_gbp(case, point, home) * at_home), pence(hosting_gbp(case, point, site) * (1 - at_home))


def borne(case: Case, decision: Decision, state: State) -> dict[tuple[str, str], float]:
    """(site, agency) to pence of a year, unrounded."""
    cost = {site: pence(running_gbp(case, site) * share) for site, share in state.open.items()}
    for point, old, new in _hosting(case, decision, state):
        cost[case.today.host[point]] += old
        cost[decision.host[point]] += new
    shares = bearers(case, decision, state)
    return {(site, agency): cost[site] * share for site, users in shares.items() for agency, share in users.items()}


def _add_year(case: Case, decision: Decision, said: Expected, label: str, state: State, before: _Before) -> None:
    """The running entries of one year against today."""

    def line(site: str) -> str:
        if site in case.today.open:
            return "space_charge" if site in decision.open else "running_given_up"
        return "running_taken_on"

    rest = dict(before.borne)
    for key, amount in borne(case, decision, state).items():
        rest[key] = rest.get(key, 0.0) - amount
    for point, old, new in _hosting(case, decision, state):
        agency, home, host = case.points[point]["agency"], case.today.host[point], decision.host[point]
        given = before.hosting[point] - old
        said.exact[agency, label, "running_given_up", home, point] += given
        said.exact[agency, label, "running_taken_on", host, point] -= new
        rest[home, agency] = rest.get((home, agency), 0.0) - given
        rest[host, agency] = rest.get((host, agency), 0.0) + new
    for (site, agency), amount in rest.items():
        said.share[agency, label, line(site), site] += amount
    now, then = before.rent, rents(case, decision, state)
    change: defaultdict[tuple[str, str], float] = defaultdict(float)
    for place in {*now, *then}:
        site, agency, rent_line = place
        amount = now.get(place, 0.0) - then.get(place, 0.0)
        said.share[agency, label, rent_line, site] += amount
        change[rent_line, site] += amount
    for (rent_line, site), amount in change.items():
        said.total[label, rent_line, site] += round(amount)
    for site, share in state.open.items():
        today = pence(running_gbp(case, site)) if site in case.today.open else 0
        said.total[label, line(site), site] += today - pence(running_gbp(case, site) * share)


@dataclass(frozen=True, slots=True)
class _Before:
    """Today: what each agency bears at each site, and each point's hosting at home, pence a year."""

    borne: Mapping[tuple[str, str], float]
    hosting: Mapping[str, int]
    rent: Mapping[tuple[str, str, str], float]


def rents(case: Case, decision: Decision, state: State) -> dict[tuple[str, str, str], float]:
    """(site, agency, line) to pence of a year: paid by all there but the landlord, received (below nothing) by one of ours."""
    found: dict[tuple[str, str, str], float] = {}
    for site, users in bearers(case, decision, state).items():
        whole, landlord = pence(rent_gbp(case, site) * state.open[site]), lets(case, site)
        tenants = {agency: share for agency, share in users.items() if agency != landlord}
        if not whole or not tenants:
            continue
        for agency, share in tenants.items():
            found[site, agency, "rent_paid"] = whole * share / sum(tenants.values())
        if landlord:
            found[site, landlord, "rent_received"] = -float(whole)
    return found


def expected_ledger(case: Case, decision: Decision) -> Expected:
    """Every entry that the ledger of a plan must hold."""
    money, said = case.scenario.money, Expected()
    today = State({site: float(site in case.today.open) for site in case.sites}, {})
    hosted = {point: old for point, old, _ in _hosting(case, case.today, today)}
    before = _Before(borne(case, case.today, today), hosted, rents(case, case.today, today))
    when = {site: leaves_after(case, site) if site in case.today.open else decided(case, site) for site in case.sites}
    when |= {point: goes_after(case, point) for point in case.moved(decision)}
    for year in range(money.horizon_years):
        _add_year(case, decision, said, year_label(money.base_year + year), _state(case, decision, when, year), before)

    for point in case.moved(decision):
        _add_move(case, said, point, decision.host[point])
    for site in case.released(decision):
        _add_release(case, said, site)
    for site in case.opened(decision):
        _add_opening(case, said, site)
    return said


def _works(leave: float) -> int:
    """The year (after the base year) in which what a step at a time needs is paid."""
    return max(math.ceil(leave - DUST) - 1, 0)


def _add_move(case: Case, said: Expected, point: str, host: str) -> None:
    """What a move costs once, and what its fit-out costs again."""
    money, agency, year = case.scenario.money, case.points[point]["agency"], _works(goes_after(case, point))
    fitout, removal, bias = move_parts_gbp(case, point, host)
    parts = {"fitout": pence(fitout), "removal": pence(removal)}
    parts["optimism_bias"] = pence(fitout + removal + bias) - sum(parts.values())
    for line, amount in parts.items():
        said.exact[agency, year_label(money.base_year + year), line, host, point] -= amount
    made = pence(fitout + bias)
    for again in refits(case, year, money.refit_years):
        said.exact[agency, year_label(money.base_year + again), "refit", host, point] -= made
    end = year_label(money.base_year + money.horizon_years - 1)
    said.exact[agency, end, "residual_value", host, point] += pence(made * unworn_share(case, year, money.refit_years) / 100)


def _add_opening(case: Case, said: Expected, site: str) -> None:
    """What opening a building costs once, and again when that is worn."""
    money, holder, year = case.scenario.money, case.sites[site]["agency"], _works(decided(case, site))
    capital, bias = opening_parts_gbp(case, site)
    whole, label = pence(capital + bias), year_label(money.base_year + year)
    said.exact[holder, label, "opening_capital", site, ""] -= pence(capital)
    said.exact[holder, label, "optimism_bias", site, ""] -= whole - pence(capital)
    for again in refits(case, year, life(case, site)):
        said.exact[holder, year_label(money.base_year + again), "refit", site, ""] -= whole
    end = year_label(money.base_year + money.horizon_years - 1)
    said.exact[holder, end, "residual_value", site, ""] += pence(whole * unworn_share(case, year, life(case, site)) / 100)


def _add_release(case: Case, said: Expected, site: str) -> None:
    """What letting a site go costs and brings."""
    money, sold, holder = case.scenario.money, proceeds(case, site), case.sites[site]["agency"]
    lines = {
        "capital_receipt": sold.gross - sold.revenue,
        "disposal_from_receipt": -sold.met,
        "disposal_to_revenue": sold.met - sold.disposal,
        "revenue_sum": sold.revenue,
    }
    for line, amount in lines.items():
        said.exact[holder, year_label(money.base_year + sold.year), line, site, ""] += amount
    if money.residual_value:
        said.exact[holder, year_label(money.base_year + money.horizon_years - 1), "residual_value", site, ""] -= sold.gross
    for who, year, line, amount in empty_costs(case, site):
        said.exact[who, year_label(money.base_year + year), line, site, ""] -= amount
    shared = {"exit_cost": (_works(leaves_after(case, site)), -pence(exit_gbp(case, site)))}
    if money.backlog_year is not None:
        shared["backlog_avoided"] = money.backlog_year, pence(spared_gbp(case, site))
    for line, (year, amount) in shared.items():
        label = year_label(money.base_year + year)
        said.total[label, line, site] += amount
        for agency, share in leaving_shares(case, site).items():
            said.share[agency, label, line, site] += amount * share


def empty_costs(case: Case, site: str) -> Iterator[tuple[str, int, str, int]]:
    """(who pays, year after the base year, line, pence) of a building let go, for as long as it stands empty."""
    start = leaves_after(case, site)
    for line, years in stands_empty(case, site).items():
        who = case.sites[site]["agency"] if line == "holding_cost" else lets(case, site)
        for year in range(math.floor(start), math.ceil(start + years)):
            part = min(start + years, year + 1.0) - max(start, float(year))
            yield who, year, line, pence(empty_gbp(case, site) * max(part, 0.0))


def leaving_shares(case: Case, site: str) -> dict[str, float]:
    """Who pays for leaving: the title holder; in a lease or from a private owner, the tenants by what they bear today."""
    if "borne today" not in case.memo:
        today = State({each: float(each in case.today.open) for each in case.sites}, {})
        case.memo["borne today"] = borne(case, case.today, today)
    row = case.sites[site]
    holder = row["agency"]
    let = row["tenure"] in ("leasehold", "private") or case.agencies.get(holder, {}).get("kind") == "private"
    own = any(case.points[p]["agency"] == holder for p, at in case.today.host.items() if at == site)
    users = {agency: amount for (at, agency), amount in case.memo["borne today"].items() if at == site and amount > 0.5}
    if not let or own or not users:
        return {holder: 1.0}
    whole = sum(users.values())
    return {agency: amount / whole for agency, amount in users.items()}


def check_ledger(case: Case, decision: Decision, table: pd.DataFrame) -> Iterator[Finding]:
    """A published ledger against what it must say."""
    want = expected_ledger(case, decision)
    exact = dict(want.exact)
    total, share = dict(want.total), dict(want.share)
    columns = ["agency", "year", "line", "site_id", "access_point_id"]
    keys = [
        tuple("" if blank(cell) else str(cell) for cell in row) for row in table[columns].itertuples(index=False, name=None)
    ]
    amounts = pd.to_numeric(table["amount_gbp"], errors="coerce").mul(100).round(4)
    repeated = pd.Series(keys, dtype=object).duplicated()
    yield finding(
        "ledger.keys", len(keys), {_words(key) for key, twice in zip(keys, repeated, strict=True) if twice}, "entered twice"
    )
    wrong: list[str] = []
    for key, amount in zip(keys, amounts, strict=True):
        agency, year, line, site, point = key
        if not point and (year, line, site) in total:
            total[year, line, site] -= amount
            off = share.pop((agency, year, line, site), 0.0) - amount
            wrong += [_words(key)] if not abs(off) <= ROUNDING else []
        elif exact.pop((agency, year, line, site, point), 0) != amount:
            wrong.append(_words(key))
    wrong += [_words(key) for key, amount in exact.items() if amount]
    wrong += [_words((agency, *rest)) for (agency, *rest), amount in share.items() if abs(amount) > ROUNDING]
    wrong += [_words(key) for key, amount in total.items() if amount]
    yield finding("ledger.amounts", len(keys), set(wrong), "entries of the ledger that are wrong or missing")


def _words(key: Any) -> str:
    return " ".join(str(part) for part in key if part)
