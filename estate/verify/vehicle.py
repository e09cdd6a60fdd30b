"""A property vehicle, read a second time: titles, bills and charges by id, its books, and whether it unravels as it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pandas as pd

from estate.verify.books import LATER, State, borne, expected_ledger, proceeds, year_label
from estate.verify.case import Case, Decision, Finding, finding, plain
from estate.verify.money import pence, sale_gbp

ROUNDING_PENCE = 40
"""What a bill may stand off its exact value: a penny or two in each building that is shared."""


def vehicle_of(case: Case) -> str:
    """The id of the vehicle that titles have passed to; blank where none have."""
    setting = case.scenario.vehicle
    return setting.agency if setting is not None and setting.holds_titles else ""


def members(case: Case) -> tuple[str, ...]:
    """Those of its members that take part."""
    setting, out = case.scenario.vehicle, set(case.scenario.rules.out)
    named = setting.members if setting is not None else ()
    return tuple(sorted(each for each in named if case.agencies[each]["takes_part"] and each not in out))


def equity(case: Case) -> dict[str, float]:
    """Each member's share: by what its buildings are worth today, or equal; they add up to 1."""
    setting = case.scenario.vehicle
    value = dict.fromkeys(members(case), 0.0)
    for site in case.sites:
        if case.paid_today(site) and case.keeper(site) in value:
            value[case.keeper(site)] += sale_gbp(case, site)
    whole = sum(value.values())
    if setting is None or setting.equity == "equal" or not whole:
        return {each: 1 / len(value) for each in value}
    return {each: of / whole for each, of in value.items()}


def to_members(case: Case, gain: Mapping[str, float]) -> dict[str, float]:
    """Figures by agency with the vehicle's own passed on to its members."""
    found = dict(gain)
    left = found.pop(vehicle_of(case), 0.0)
    for each, share in equity(case).items() if left else ():
        found[each] = found.get(each, 0.0) + left * share
    return found


def check_titles(case: Case) -> Iterator[Finding]:
    """The freeholds of its members are the vehicle's and no others; each is in its own agency's name besides."""
    holder = vehicle_of(case)
    if not holder:
        return
    joined, wrong = members(case), []
    for site, row in case.sites.items():
        passes = case.keeper(site) in joined and row["tenure"] == "freehold" and not case.outside(site)
        if (row["agency"] == holder) != passes or bool(row.get("brought_in_by")) != passes:
            wrong.append(site)
    yield finding("vehicle.titles", len(case.sites), wrong, "titles that are not with whom they should be")


def check_vehicle(
    case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame], saves: Mapping[str, int]
) -> Iterator[Finding]:
    """The vehicle's tables, where the scenario has one; ``saves`` is what each partner saves by itself, pence."""
    setting, table = case.scenario.vehicle, tables["vehicle"]
    if setting is None:
        yield finding("vehicle.asked", 1, ["vehicle"], "a vehicle that the scenario does not have")
        return
    today, after, share = _bills(case, case.today), _bills(case, decision), equity(case)
    wrong = []
    overhead = 0
    for row in table.to_dict("records"):
        agency = plain(row["agency"])
        said = {name: pence(float(row[name])) for name in FIGURES}
        owned = (site for site in case.sites if case.keeper(site) == agency and case.paid_today(site))
        value = sum(sale_gbp(case, site) for site in owned)
        true = {"bill_today_gbp_pa": today.get(agency, 0.0), "charge_for_space_gbp_pa": after.get(agency, 0.0)}
        good = all(abs(said[name] - amount) <= ROUNDING_PENCE for name, amount in true.items())
        good &= said["bill_by_itself_gbp_pa"] == said["bill_today_gbp_pa"] - saves.get(agency, 0)
        good &= said["charge_gbp_pa"] == said["charge_for_space_gbp_pa"] + said["charge_for_overhead_gbp_pa"]
        good &= said["better_than_by_itself_gbp_pa"] == said["bill_by_itself_gbp_pa"] - said["charge_gbp_pa"]
        good &= abs(said["value_in_gbp"] - 100 * value) <= 1
        good &= abs(float(row["equity_percent"]) - 100 * share.get(agency, 0.0)) < 0.001
        wrong += [] if good else [agency]
        overhead += said["charge_for_overhead_gbp_pa"]
    sums = [] if overhead == pence(setting.overhead_gbp_pa) and len(table) == len(share) else ["overhead or members"]
    sales = [pence(float(table[name].sum())) for name in ("sales_by_title_gbp", "sales_by_equity_gbp")]
    sums += [] if sales[0] == sales[1] else ["sales"]
    yield finding("vehicle.members", len(table), wrong, "what a vehicle does to a member")
    yield finding("vehicle.sums", len(table), sums, "what a vehicle shares out")
    yield _unravels(tables["unravelling"], pence(setting.overhead_gbp_pa), table)
    if vehicle_of(case):
        yield _brought_in(case, decision, tables["vehicle_titles"])
        yield _balances(case, decision, tables["vehicle_books"])


FIGURES = (
    "value_in_gbp", "bill_today_gbp_pa", "bill_by_itself_gbp_pa", "charge_for_space_gbp_pa", "charge_for_overhead_gbp_pa",
    "charge_gbp_pa", "better_than_by_itself_gbp_pa",
)  # fmt: skip


def _bills(case: Case, decision: Decision) -> Mapping[str, float]:
    """What each agency bears a year under a plan that is complete, pence."""
    state = State({site: float(site in decision.open) for site in case.sites}, dict.fromkeys(case.moved(decision), 0.0))
    bill: dict[str, float] = {}
    for (_, agency), amount in borne(case, decision, state).items():
        bill[agency] = bill.get(agency, 0.0) + amount
    return bill


def _brought_in(case: Case, decision: Decision, table: pd.DataFrame) -> Finding:
    """Each building that the vehicle holds is listed, with who brought it in, its worth, and what its sale brings."""
    wrong, seen = [], set()
    for row in table.to_dict("records"):
        site = plain(row["site_id"])
        seen.add(site)
        sold = proceeds(case, site) if site in case.released(decision) else None
        brings = 0 if sold is None else sold.revenue or sold.net
        worth = sale_gbp(case, site) if case.paid_today(site) else 0.0
        good = plain(row["brought_in_by"]) == case.keeper(site) and pence(float(row["receipt_gbp"])) == brings
        wrong += [] if good and abs(pence(float(row["value_gbp"])) - 100 * worth) <= 1 else [site]
    held = {site for site, row in case.sites.items() if row["agency"] == vehicle_of(case)}
    return finding("vehicle.brought-in", len(held), {*wrong, *(held ^ seen)}, "buildings in a vehicle")


def _balances(case: Case, decision: Decision, table: pd.DataFrame) -> Finding:
    """Every year adds up to nothing, and what is shared out or called up is the vehicle's own cash in the ledger, by equity."""
    base, years = case.scenario.money.base_year, case.scenario.money.horizon_years
    labels = {year_label(base + n) for n in range(years)}
    want, cash = expected_ledger(case, decision), defaultdict[str, float](float)
    for (agency, year, line, *_), amount in (*want.exact.items(), *want.share.items()):
        if agency == vehicle_of(case) and year in labels and line not in LATER:
            cash[year] += amount
    total, falls = defaultdict[str, int](int), defaultdict[tuple[str, str], int](int)
    for row in table.to_dict("records"):
        amount, year = pence(float(row["amount_gbp"])), plain(row["year"])
        total[year] += amount
        if "by equity" in plain(row["line"]):
            falls[year, plain(row["agency"])] -= amount
    wrong = [year for year, left in total.items() if left or year not in labels]
    wrong += [
        f"{year}, {agency}"
        for year in labels
        for agency, share in equity(case).items()
        if abs(falls[year, agency] - cash[year] * share) > ROUNDING_PENCE
    ]
    return finding("vehicle.books", len(table), wrong, "years of a vehicle's books")


def _unravels(table: pd.DataFrame, overhead: int, joined: pd.DataFrame) -> Finding:
    """At each step charges cover the overhead, and who leaves is the one for whom it is most too dear; who is left stays."""
    space = {plain(a): pence(float(v)) for a, v in zip(joined["agency"], joined["charge_for_space_gbp_pa"], strict=True)}
    wrong = []
    for rule, steps in table.groupby("overhead_shared", sort=False):
        left = set(space)
        for number, step in steps.groupby("step", sort=True):
            rows = {plain(row["agency"]): row for row in step.to_dict("records")}
            over = {a: pence(float(row["charge_gbp_pa"])) - pence(float(row["by_itself_gbp_pa"])) for a, row in rows.items()}
            paid = sum(pence(float(row["charge_gbp_pa"])) - space.get(agency, 0) for agency, row in rows.items())
            gone = {agency for agency, row in rows.items() if row["leaves"] == "yes"}
            due = max(over.values(), default=0)
            fits = (not gone and due <= 0) or (len(gone) == 1 and due > 0 and over[next(iter(gone))] == due)
            if set(rows) != left or paid != overhead or not fits:
                wrong.append(f"{rule}, step {number}")
            left -= gone
        if left and not steps[steps["step"] == steps["step"].max()]["leaves"].eq("no").all():
            wrong.append(f"{rule}: it does not end")
    return finding("vehicle.unravelling", len(table), wrong, "how a vehicle unravels")
