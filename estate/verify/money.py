"""The referee's own sums: running cost, one-off costs, receipts, equivalent annual cost.  GBP in, whole pence out.

Each amount (one site's running cost, one point's hosting, one move, one release, one opening) is rounded once, half to even,
to a whole penny, after ten-thousandths of a penny are dropped as floating-point dust; totals add whole pence.
Present values are added up year by year, from the Green Book rates in the dated table ``law.toml``.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

from estate.verify.case import Case, Decision, blank, number

DAY = dt.timedelta(days=1)
DUST = 1e-9


def pence(gbp: float) -> int:
    """GBP to whole pence, half to even."""
    return round(round(gbp * 100, 4))


# -------------------------------------------------------------------------------------------------- yearly


def running_gbp(case: Case, site: str) -> float:
    """GBP a year while a site is open; nothing outside the place."""
    return 0.0 if case.outside(site) else number(case.sites[site]["running_cost_gbp_pa"])


def lets(case: Case, site: str) -> str:
    """The public body among the agencies that lets a site out and receives its rent, or nobody."""
    landlord = str(case.sites[site]["landlord"])
    return landlord if landlord in case.agencies and case.agencies[landlord]["kind"] != "private" else ""


def rent_gbp(case: Case, site: str) -> float:
    """GBP of rent a year."""
    return 0.0 if case.outside(site) else number(case.sites[site]["rent_gbp_pa"])


def occupied_gbp(case: Case, site: str) -> float:
    """GBP a year while a site is open, to the agencies together, each of its two sums in whole pence.

    Rent to one of them moves money and costs none.
    """
    return (pence(running_gbp(case, site)) + (0 if lets(case, site) else pence(rent_gbp(case, site)))) / 100


def empty_gbp(case: Case, site: str) -> float:
    """GBP a year while a site stands empty."""
    return case.scenario.money.holding_share.get(case.sites[site]["kind"], 0.0) * running_gbp(case, site)


def stands_empty(case: Case, site: str) -> dict[str, float]:
    """Years for which a site let go is somebody's to look after: until its sale, or with its landlord while it is void."""
    if sells(case, site):
        return {"holding_cost": number(case.sites[site]["years_to_sale"])}
    return {"void_cost": case.scenario.money.void_years} if lets(case, site) else {}


def spared_gbp(case: Case, site: str) -> float:
    """GBP of repairs that leaving a site spares: those of a year that has not ended when it is left."""
    year = case.scenario.money.backlog_year
    return (
        number(case.sites[site]["condition_backlog_gbp"])
        if year is not None and leaves_after(case, site) < year + 1 - DUST
        else 0.0
    )


def refits(case: Case, works: int, lasts: int | None) -> list[int]:
    """Years in which what is made in year ``works``, and lasts so many, is made again."""
    found = []
    while lasts is not None and (works := works + lasts) < case.scenario.money.horizon_years:
        found.append(works)
    return found


def unworn_share(case: Case, works: int, lasts: int | None) -> float:
    """How much of what was made last is left when the horizon ends: it serves so many years after the one it is made in."""
    money = case.scenario.money
    if not money.residual_value or lasts is None or works > money.horizon_years - 1:
        return 0.0
    served = money.horizon_years - 1 - max([works, *refits(case, works, lasts)])
    return (lasts - served) / lasts


def opening_parts_gbp(case: Case, site: str) -> tuple[float, float]:
    """GBP that opening a building that is not in use costs once, and the optimism bias on it."""
    row = case.sites[site]
    if case.outside(site) or case.paid_today(site):
        return 0.0, 0.0
    capital = number(row["capital_gbp"])
    return capital, capital * case.scenario.money.optimism_bias.get(row["kind"], 0.0)


def life(case: Case, site: str) -> int | None:
    """Years for which what opening a building cost lasts; None where no end is stated."""
    years = case.sites[site]["life_years"]
    return None if blank(years) else math.floor(years)


def hosting_gbp(case: Case, point: str, site: str) -> float:
    """GBP a year above the site's own cost: as stated, else nothing at home, else floor area x the site's rate."""
    if case.outside(site):
        return 0.0
    stated = case.hosting.get((point, site))
    if stated is not None and not blank(stated["cost_gbp_pa"]):
        return float(stated["cost_gbp_pa"])
    if site == case.today.host[point]:
        return 0.0
    return number(case.points[point]["area_m2"]) * number(case.sites[site]["hosting_cost_gbp_m2_pa"])


def running_pence(case: Case, decision: Decision) -> int:
    """Running cost of a plan, pence a year."""
    buildings = sum(pence(occupied_gbp(case, site)) for site in decision.open)
    return buildings + sum(pence(hosting_gbp(case, point, site)) for point, site in decision.host.items())


# -------------------------------------------------------------------------------------------------- one-off


def move_parts_gbp(case: Case, point: str, site: str) -> tuple[float, float, float]:
    """One-off GBP of a move: fit-out by service and kind of building, removal, and optimism bias on the fit-out."""
    return (0.0, 0.0, 0.0) if site == case.today.host[point] else works_parts_gbp(case, point, site)


def works_parts_gbp(case: Case, point: str, site: str) -> tuple[float, float, float]:
    """GBP of fitting a point out at a site, of removing it, and of the optimism bias, whether or not it is there today."""
    service, kind = case.points[point]["service"], case.sites[site]["kind"]
    stated = [case.rates[key] for key in ((service, kind), (service, "")) if key in case.rates]
    row = next((each for each in stated if not blank(each["fitout_gbp_m2"])), None)
    setting = case.scenario.services.get(service)
    own = setting.fitout_gbp_m2 if setting else None
    area = number(case.points[point]["area_m2"])
    fitout = area * (number(row["fitout_gbp_m2"]) if row else (own or 0.0))
    removal = area * (number(row["removal_gbp_m2"]) if row else 0.0)
    return fitout, removal, fitout * case.scenario.money.optimism_bias.get(kind, 0.0)


def move_gbp(case: Case, point: str, site: str) -> float:
    """One-off GBP of a move, all told."""
    return sum(move_parts_gbp(case, point, site))


def exit_gbp(case: Case, site: str) -> float:
    """GBP of leaving a building: dilapidations and break penalty, or the price of a PFI contract."""
    row = case.sites[site]
    price = case.scenario.money.pfi_exit_gbp.get(site) if row["tenure"] == "pfi" else None
    return number(row["exit_cost_gbp"]) if price is None else price


def sells(case: Case, site: str) -> bool:
    """Whether a public body holds the freehold, so that letting it go is a sale."""
    owner = case.agencies.get(case.sites[site]["agency"], {})
    return bool(case.sites[site]["tenure"] == "freehold" and owner.get("kind", "other") != "private")


def sale_gbp(case: Case, site: str) -> float:
    """Gross GBP of a sale: the price agreed, else the market value; nothing where there is no sale."""
    row = case.sites[site]
    return number(row["market_value_gbp"] if blank(row["agreed_price_gbp"]) else row["agreed_price_gbp"]) * sells(case, site)


def disposal_gbp(case: Case, site: str) -> float:
    """GBP of selling; nothing where there is no sale."""
    return number(case.sites[site]["disposal_cost_gbp"]) * sells(case, site)


# -------------------------------------------------------------------------------------------------- equivalent annual


@cache
def _law() -> Any:
    return tomllib.loads(resources.files("estate.money").joinpath("law.toml").read_text(encoding="utf-8"))


def _in_force(name: str, year: int) -> Any:
    """The first row of the dated table that covers a financial year, or None."""
    return next(_rows(name, year), None)


def _rows(name: str, year: int) -> Iterator[Any]:
    """The rows of a rule that cover a financial year."""
    rows = (each for each in _law()["rule"] if each["id"] == name)
    return (each for each in rows if each["from_year"] <= year <= each.get("to_year", year))


def law_value(name: str, kind: str, year: int) -> float | None:
    """The figure of a rule that binds a kind of agency in a financial year; None where none does."""
    row = law_row(name, kind, year)
    return None if row is None else float(row["value"])


def law_row(name: str, kind: str, year: int) -> Any:
    """The row of a rule that binds a kind of agency in a financial year; None where none does."""
    return next((row for row in _rows(name, year) if kind in row["binds"]), None)


def factors(base_year: int, years: int) -> list[float]:
    """Present value of a pound in year 0, 1, ...: each year's rate is that of its band."""
    bands = _in_force("discount-rate", base_year)["bands"]
    worth = [1.0]
    for n in range(1, years):
        rate = next(band["rate"] for band in bands if n <= band.get("to", n))
        worth.append(worth[-1] / (1 + rate))
    return worth


def leaves_after(case: Case, site: str) -> float:
    """Years after 1 April of the base year: the year decided for, or the morning after the lease lets go if that is later.

    No date holds back a freehold, or a PFI contract that is bought out.
    """
    return max(decided(case, site), _lets_go(case, site))


def goes_after(case: Case, point: str) -> float:
    """When an access point leaves: the year it is decided for, or its building's, and not before the lease lets go."""
    home = case.today.host[point]
    return max(decided(case, point if point in case.scenario.money.decided_for else home), _lets_go(case, home))


def decided(case: Case, name: str) -> float:
    """The year, after the base year, for which a building or an access point is decided."""
    money = case.scenario.money
    return float(money.decided_for[name] - money.base_year if name in money.decided_for else money.closing_year)


def _lets_go(case: Case, site: str) -> float:
    """The morning after a lease lets go, in years after the base date; the beginning of time where nothing binds."""
    row = case.sites[site]
    dates = [row[name] for name in ("lease_break", "lease_end") if not blank(row[name])]
    if row["tenure"] in ("freehold", "pfi") or not dates:
        return -math.inf
    morning = min(dates).date() + DAY
    year = morning.year - (morning < dt.date(morning.year, 4, 1))
    start, end = dt.date(year, 4, 1), dt.date(year + 1, 4, 1)
    return float(year - case.scenario.money.base_year + (morning - start) / (end - start))


def day(base: int, when: float) -> str:
    """A time in years after 1 April of the base year as a date."""
    whole = math.floor(when + DUST)
    start, end = dt.date(base + whole, 4, 1), dt.date(base + whole + 1, 4, 1)
    return (start + dt.timedelta(days=round((when - whole) * (end - start).days))).isoformat()


def annual_equivalent_pence(case: Case, decision: Decision) -> int:
    """Running cost with every change in the year it happens, as the equal yearly sum of the same present value, pence.

    Until a building is left its points stay, and cost what they did; what a move needs is paid in the last financial year
    that begins before it; a sale is paid ``years_to_sale`` later; a building opened is paid for from the year decided for, and
    its capital in the year before.  Beyond the horizon nothing counts.
    """
    money = case.scenario.money
    worth = factors(money.base_year, money.horizon_years)
    return running_pence(case, decision) + sum(pence(each) for each in dated_gbp(case, decision, worth))


def present_value_gbp(case: Case, decision: Decision, worth: Sequence[float]) -> float:
    """What a plan is worth against today's estate, nothing rounded, where a pound of each year counts as ``worth`` says."""
    saved = sum(occupied_gbp(case, site) for site in case.today.open - decision.open)
    saved -= sum(occupied_gbp(case, site) for site in decision.open - case.today.open)
    for point in case.moved(decision):
        saved += hosting_gbp(case, point, case.today.host[point]) - hosting_gbp(case, point, decision.host[point])
    return sum(worth) * (saved - sum(dated_gbp(case, decision, worth)))


def dated_gbp(case: Case, decision: Decision, worth: Sequence[float]) -> Iterator[float]:
    """What each move, release and opening adds to running cost, as an equal yearly sum: what is paid or banked once, and when."""
    for point in case.moved(decision):
        yield moving_gbp(case, point, decision.host[point], worth)
    for site in case.released(decision):
        yield leaving_gbp(case, site, worth)
    for site in decision.open:
        if not case.outside(site) and not case.paid_today(site):
            yield opening_gbp(case, site, worth)


def _before(worth: Sequence[float], years: float) -> float:
    """Share of the present value of a yearly pound that falls in the first so many years."""
    return sum(each * min(1.0, max(0.0, years - n)) for n, each in enumerate(worth)) / sum(worth)


def _once(worth: Sequence[float], year: int) -> float:
    """A pound paid once in a year as an equal yearly sum."""
    return worth[year] / sum(worth) if year < len(worth) else 0.0


def _again(case: Case, worth: Sequence[float], year: int, lasts: int | None) -> float:
    """A pound that is spent again as often as it is worn, less what is unworn at the end, as an equal yearly sum."""
    later = sum(worth[each] for each in refits(case, year, lasts))
    return (later - unworn_share(case, year, lasts) * worth[-1]) / sum(worth)


def moving_gbp(case: Case, point: str, new: str, worth: Sequence[float]) -> float:
    """What a move adds: fitting out and removal, the refits, and less the change in hosting until it happens."""
    leave = goes_after(case, point)
    change = hosting_gbp(case, point, new) - hosting_gbp(case, point, case.today.host[point])
    year = max(math.ceil(leave - DUST) - 1, 0)
    fitout, _, bias = move_parts_gbp(case, point, new)
    renewed = (fitout + bias) * _again(case, worth, year, case.scenario.money.refit_years)
    return move_gbp(case, point, new) * _once(worth, year) + renewed - change * _before(worth, leave)


def leaving_gbp(case: Case, site: str, worth: Sequence[float]) -> float:
    """What letting a building go adds: its exit and sale, holding it while empty, and its cost until then."""
    money, leave = case.scenario.money, leaves_after(case, site)
    sold = _once(worth, math.floor(leave + number(case.sites[site]["years_to_sale"]) + DUST))
    proceeds = (disposal_gbp(case, site) - sale_gbp(case, site)) * sold
    for years in stands_empty(case, site).values():
        proceeds += empty_gbp(case, site) * (_before(worth, leave + years) - _before(worth, leave))
    proceeds -= spared_gbp(case, site) * _once(worth, money.backlog_year or 0)
    proceeds += sale_gbp(case, site) * worth[-1] / sum(worth) if money.residual_value else 0.0
    exit_paid = exit_gbp(case, site) * _once(worth, max(math.ceil(leave - DUST) - 1, 0))
    return exit_paid + proceeds + occupied_gbp(case, site) * _before(worth, leave)


def opening_gbp(case: Case, site: str, worth: Sequence[float]) -> float:
    """What opening a building adds: its capital, the year before the one decided for, from which it is paid for."""
    year = max(int(decided(case, site)) - 1, 0)
    built = sum(opening_parts_gbp(case, site)) * (_once(worth, year) + _again(case, worth, year, life(case, site)))
    return built - occupied_gbp(case, site) * _before(worth, decided(case, site))
