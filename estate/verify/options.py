"""Options side by side, read a second time: each plan held to its own rules, and every figure worked out again.

A plan is built from ``option_changes`` by id and costed from the ledger that it must have
(:func:`estate.verify.books.expected_ledger`); what keeping buildings fit costs is read from the tables here.  That an alternative
is the best under its rules rests on its proof.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from estate.scenario import altered
from estate.verify.accounts import RUNNING
from estate.verify.bills import ONE_OFF, RECEIPTS, Bills, in_parts, paid_a_year
from estate.verify.books import State, bearers, expected_ledger, leaving_shares, year_label
from estate.verify.case import Case, Decision, Finding, finding, number, plain, under
from estate.verify.financial import check_financial
from estate.verify.money import DUST, factors, leaves_after, pence, refits, running_pence, unworn_share, works_parts_gbp
from estate.verify.partners import changed
from estate.verify.programme import lease_end
from estate.verify.published import UNCHANGED, access, compare, journeys, moves, sites
from estate.verify.purses import by_agency, needs_again, purses
from estate.verify.rules import check_plan

TABLES = ("options", "option_agencies", "option_access", "option_changes", "financial_case")
KINDS = ("do nothing", "do minimum", "plan")
MOST_PAIRS = 5_000_000
"""With more pairs of zone and site than this, not all are stored: rules with wider limits were judged when the run was made."""
PRESENT_PENCE = 1.01
"""What a present value in whole pence may be off that of exact yearly sums."""
SHARE_PENCE = 1.0
"""What an agency's figure may be off for each sum that is shared in whole pence, of which it has a part."""


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """One option worked out again.

    ``whole`` (year after the base year, line) is pence to the penny; ``agency`` (agency, year, line) pence unrounded, signed as
    the ledger and with running cost in full; ``against`` (year) is its cash against today's estate.
    """

    row: Mapping[Any, Any]
    decision: Decision
    whole: defaultdict[tuple[int, str], float] = field(default_factory=lambda: defaultdict(float))
    agency: defaultdict[tuple[str, int, str], float] = field(default_factory=lambda: defaultdict(float))
    against: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    shares: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(agency, year) to how many sums it has a rounded share of."""

    @property
    def name(self) -> str:
        """What it is called."""
        return plain(self.row["option"])

    def total(self, *lines: str) -> float:
        """Pence of some lines, whenever they fall."""
        return sum(amount for (_, line), amount in self.whole.items() if line in lines)


def check_options(case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """Every table of the options, where there are any."""
    absent = [name for name in TABLES if name not in tables]
    if len(absent) == len(TABLES):
        return
    yield finding("options.tables", len(TABLES), absent, "tables of the options that are missing")
    if absent:
        return
    rows, changes = tables["options"].to_dict("records"), tables["option_changes"]
    kinds = [plain(row["kind"]) for row in rows]
    broken = [] if tuple(kinds[:3]) == KINDS and set(kinds[3:]) <= {"alternative"} else ["; ".join(kinds)]
    yield finding("options.kinds", len(rows), broken, "do nothing, do minimum and the plan come first")
    if broken:
        return
    names = {plain(row["option"]) for row in rows}
    unknown = {plain(each) for name in TABLES[1:] for each in tables[name]["option"]} - names
    yield finding("options.names", len(names), unknown, "options that are not in the table of options")
    plans = [changed(case, changes[changes["option"].map(plain) == plain(row["option"])]) for row in rows]
    same = [plain(row["option"]) for row, plan in zip(rows, plans, strict=True) if plan.host.keys() != case.today.host.keys()]
    same += [name for name, plan, true in zip(KINDS, plans, (case.today, case.today, decision), strict=False) if plan != true]
    yield finding("options.plans", len(plans), same, "options whose plan is not what their kind says")
    if same:
        return
    options = [_again(case, row, plan) for row, plan in zip(rows, plans, strict=True)]
    for each in options[3:]:
        yield from _check_rules(case, each)
    yield from _check_figures(case, options)
    yield from _check_agencies(case, options, tables["option_agencies"])
    yield from _check_access(case, options, tables["options"], tables["option_access"])
    for each in options:
        said = tables["financial_case"]
        mine = said[said["option"].map(plain) == each.name]
        yield from check_financial(case, each.name, each.agency, each.shares, mine)


def _check_rules(case: Case, option: Again) -> Iterator[Finding]:
    """An alternative keeps every rule of the settings that it was chosen under."""
    changes = json.loads(plain(option.row["changes"]))
    wider = any(key.startswith(("standards.", "rules.reach")) or key.endswith(".reach") for key in changes)
    if wider and len(case.zones) * len(case.sites) > MOST_PAIRS:
        return
    other = under(case, altered(case.scenario, changes))
    for found in check_plan(other, option.decision):
        yield finding(f"options.{found.rule}", found.checked, found.broken, f"'{option.name}': {found.says}")


# -------------------------------------------------------------------------------------------------- books


def _again(case: Case, row: Mapping[Any, Any], decision: Decision) -> Again:
    found = Again(row, decision)
    base, horizon = case.scenario.money.base_year, case.scenario.money.horizon_years
    want, today, bills = expected_ledger(case, decision), running_pence(case, case.today), _today(case)
    for year in range(horizon):
        found.whole[year, "running_cost"] -= today
        for agency, amount in bills.pence.items():
            found.agency[agency, year, "running_cost"] -= amount
            found.shares[agency, year] += bills.rounded[agency]
    entries = [(label, line, amount) for (_, label, line, *_), amount in want.exact.items()]
    entries += [(label, line, amount) for (label, line, _), amount in want.total.items()]
    for label, line, amount in entries:
        found.against[int(label[:4]) - base] += amount
        if line != SPARED:
            found.whole[int(label[:4]) - base, _called(line)] += amount
    for (agency, label, line, *_), amount in (*want.exact.items(), *want.share.items()):
        if line != SPARED:
            found.agency[agency, int(label[:4]) - base, _called(line)] += amount
            found.shares[agency, int(label[:4]) - base] += in_parts(amount)
    upkeep = () if row["kind"] == KINDS[0] else (*_repairs(case, decision), *_refits(case, decision), *_renewed(case, decision))
    for agency, year, line, amount in upkeep:
        found.whole[year, line] += amount
        found.agency[agency, year, line] += amount
        found.shares[agency, year] += in_parts(amount)
    return found


SPARED = "backlog_avoided"
"""Repairs are entered as they are met, so what a ledger says is spared is not."""


def _called(line: str) -> str:
    return "running_cost" if line in RUNNING else line


def _today(case: Case) -> Bills:
    """What each agency pays a year today."""
    if "paid today" not in case.memo:
        case.memo["paid today"] = paid_a_year(case, case.today)
    found: Bills = case.memo["paid today"]
    return found


type Entry = tuple[str, int, str, float]
"""Agency, year after the base year, line, pence: a share may be a part of a penny."""


def _repairs(case: Case, decision: Decision) -> Iterator[Entry]:
    """Repairs outstanding, met at every building that has not been left by the end of their year."""
    money, gone = case.scenario.money, set(case.released(decision))
    when = money.closing_year if money.backlog_year is None else money.backlog_year
    for site, row in case.sites.items():
        if not case.paid_today(site) or (site in gone and leaves_after(case, site) < when + 1 - DUST):
            continue
        for agency, share in leaving_shares(case, site).items():
            yield agency, when, "backlog_met", -share * pence(number(row["condition_backlog_gbp"]))


def _refits(case: Case, decision: Decision) -> Iterator[Entry]:
    """Fit-outs made again where a counter is today, for as long as it is there, and what is unworn of the last."""
    lasts = case.scenario.money.refit_years
    years = refits(case, 0, lasts)
    for point, home in case.today.host.items():
        agency = str(case.points[point]["agency"])
        if not years or not case.paid_today(home) or case.agencies[agency]["kind"] == "private":
            continue
        fitout, _, bias = works_parts_gbp(case, point, home)
        stays = decision.host[point] == home
        for year in years:
            if stays or leaves_after(case, home) >= year + 1 - DUST:
                yield agency, year, "refit", -pence(fitout + bias)
        if stays:
            worth = pence(pence(fitout + bias) * unworn_share(case, 0, lasts) / 100)
            yield agency, case.scenario.money.horizon_years - 1, "residual_value", worth


def _renewed(case: Case, decision: Decision) -> Iterator[Entry]:
    """What a lease costs more once it is renewed, until the building is left."""
    programme, horizon, gone = case.scenario.programme, case.scenario.money.horizon_years, set(case.released(decision))
    for site, gbp in (programme.renewed_gbp_pa if programme else {}).items():
        end = lease_end(case, site)
        if end is None:
            continue
        stop = leaves_after(case, site) if site in gone else float(horizon)
        users = _users(case, decision, site, gone=site in gone)
        for year in range(horizon):
            part = max(min(stop, year + 1.0) - max(end, float(year)), 0.0)
            dearer = pence((gbp - number(case.sites[site]["running_cost_gbp_pa"])) * part)
            for agency, share in users.items():
                yield agency, year, "renewed_lease", -share * dearer


def _users(case: Case, decision: Decision, site: str, *, gone: bool) -> Mapping[str, float]:
    """Who bears a site's cost, as shares: those there in the plan, or those who are to go until they have gone."""
    plan = case.today if gone else decision
    state = State({each: float(each in plan.open) for each in case.sites}, dict.fromkeys(case.moved(plan), 0.0))
    return bearers(case, plan, state)[site]


# -------------------------------------------------------------------------------------------------- figures


def _present(case: Case, option: Again) -> float:
    """Net present cost, pence."""
    worth = factors(case.scenario.money.base_year, case.scenario.money.horizon_years)
    return -sum(worth[year] * amount for (year, _), amount in option.whole.items() if year < len(worth))


def _check_figures(case: Case, options: list[Again]) -> Iterator[Finding]:
    """``options`` cell by cell; a present value may be a penny off."""
    money = case.scenario.money
    worth = factors(money.base_year, money.horizon_years)
    cost = [_present(case, each) for each in options]
    fit = sorted(round(each) for each in cost[1:])
    whole = sum(pence(number(row["condition_backlog_gbp"])) for site, row in case.sites.items() if case.paid_today(site))
    wrong = []
    for n, each in enumerate(options):
        state = sites(case, each.decision)
        true: dict[str, float] = {
            "net_present_cost_gbp": cost[n],
            "less_than_nothing_gbp": cost[0] - cost[n],
            "less_than_minimum_gbp": cost[1] - cost[n],
            "annual_equivalent_cost_gbp_pa": cost[n] / sum(worth),
            "running_cost_gbp_pa": running_pence(case, each.decision),
            "one_off_gbp": -each.total(*ONE_OFF),
            "receipts_gbp": each.total(*RECEIPTS),
            "revenue_sums_gbp": each.total("revenue_sum"),
            "repairs_met_gbp": -each.total("backlog_met"),
            "repairs_left_gbp": whole if n == 0 else 0.0,
            "refits_gbp": -each.total("refit"),
            "renewed_leases_gbp": -each.total("renewed_lease"),
            "need_gbp": _need(case, each.decision),
        }
        close = {name: 2 * PRESENT_PENCE if "less" in name else PRESENT_PENCE for name in list(true)[:4]}
        shared = sum(len(leaving_shares(case, site)) > 1 for site in case.released(each.decision))
        close |= {"need_gbp": 1.0 + shared * len(case.agencies)}
        wrong += [
            f"{each.name}, {name}: {each.row[name]}, not {amount / 100:.2f}"
            for name, amount in true.items()
            if not abs(number(each.row[name]) * 100 - amount) <= close.get(name, 0.51)
        ]
        moved = moves(case, each.decision)
        counts = {
            "sites": int(state["after"].isin(["hub", "retained"]).sum()) + _closed_to_services(state),
            "hubs": int((state["after"] == "hub").sum()),
            "moves": len(moved),
            "merges": int((moved["kind"] == "merge").sum()) if len(moved) else 0,
        }
        wrong += [f"{each.name}, {name}" for name, count in counts.items() if number(each.row[name]) != count]
        if plain(each.row["pays_back_in"]) != ("" if n < 2 else _payback(case, each, worth)):
            wrong.append(f"{each.name}, pays_back_in")
        rank = plain(each.row["rank"])
        if n and (not rank or fit[int(float(rank)) - 1] != min(fit, key=lambda one: abs(one - round(cost[n])))):
            wrong.append(f"{each.name}, rank")
    yield finding("options.figures", len(options) * 18, wrong, "figures of the options that are wrong")


def _closed_to_services(state: pd.DataFrame) -> int:
    """Buildings that stay open for other uses alone."""
    return int((state["after"] == "closed to services").sum())


def _need(case: Case, decision: Decision) -> float:
    """What must be found purse by purse, pence."""
    paid, total = by_agency(case, decision), 0.0
    for purse in purses(case):
        net = sum(
            sum(money.receipts.values()) + sum(money.sums.values()) - sum(money.capital.values()) - sum(money.revenue.values())
            for money in (paid[agency] for agency in purse.agencies)
        )
        total -= min(net, 0.0)
    return total


def _payback(case: Case, option: Again, worth: list[float]) -> str:
    """The first year from which the discounted total against today's estate is never below nothing again."""
    total, first = 0.0, 0
    for year, factor in enumerate(worth):
        total += factor * option.against.get(year, 0.0) / 100
        if round(total, 2) < 0:
            first = year + 1
    return "never" if first == len(worth) else year_label(case.scenario.money.base_year + first)


def _check_agencies(case: Case, options: list[Again], table: pd.DataFrame) -> Iterator[Finding]:
    """``option_agencies``: every agency's own, to the rounding of its shares; columns add up to the option's."""
    worth = factors(case.scenario.money.base_year, case.scenario.money.horizon_years)
    wrong, least = [], _costs_of(options[1], worth)
    for each in options:
        mine = table[table["option"].map(plain) == each.name].assign(agency=table["agency"].map(plain)).set_index("agency")
        if not mine.index.is_unique or not set(mine.index) <= set(case.agencies):
            wrong.append(f"{each.name}: agencies that are listed twice or unknown")
            continue
        present, bills = _costs_of(each, worth), paid_a_year(case, each.decision)
        needs = {row["agency"]: 100 * row["need_gbp"] for row in needs_again(case, each.decision).to_dict("records")}
        more = {agency: present[agency] - least[agency] for agency in case.agencies} if each is not options[0] else {}
        rises = {agency: bills.pence[agency] - _today(case).pence[agency] for agency in case.agencies}
        for name, by in (("worse_off_in_all", more), ("worse_off_a_year", rises)):
            wrong += [
                f"{each.name}, {name}: {agency}"
                for agency in _misnamed(case, plain(each.row[name]), by, _room(each, options[1]))
            ]
        for agency in case.agencies:

            def of(*lines: str, agency: str = agency, each: Again = each) -> float:
                return sum(amount for (who, _, line), amount in each.agency.items() if who == agency and line in lines)

            true = {
                "running_cost_gbp_pa": bills.pence[agency],
                "need_gbp": needs.get(agency, 0.0),
                "one_off_gbp": -of(*ONE_OFF),
                "receipts_gbp": of(*RECEIPTS),
                "revenue_sums_gbp": of("revenue_sum"),
                "upkeep_gbp": -of("backlog_met", "refit", "renewed_lease"),
                "net_present_cost_gbp": present[agency],
                "more_than_minimum_gbp": present[agency] - least[agency],
            }
            room = _room(each, options[1])[agency]
            wrong += [
                f"{each.name}, {agency}, {name}: {number(mine[name].get(agency)):.2f}, not {amount / 100:.2f}"
                for name, amount in true.items()
                if not abs(number(mine[name].get(agency)) * 100 - amount) <= room
            ]
        for name in ("running_cost_gbp_pa", "one_off_gbp", "receipts_gbp", "revenue_sums_gbp", "net_present_cost_gbp"):
            if abs(float(mine[name].sum()) - number(each.row[name])) > 0.005:
                wrong.append(f"{each.name}, {name}: the agencies add up to {mine[name].sum():.2f}")
    yield finding("options.agencies", len(table), wrong, "what options cost each agency")


def _room(*options: Again) -> defaultdict[str, float]:
    """What an agency's figures may stand off, pence."""
    found: defaultdict[str, float] = defaultdict(lambda: 1.01)
    for each in options:
        for (agency, _), count in each.shares.items():
            found[agency] += SHARE_PENCE * count
    return found


def _misnamed(case: Case, said: str, more: Mapping[str, float], room: Mapping[str, float]) -> Iterator[str]:
    """Agencies that are worse off by more than a pound and not named, or named and not; two of one name cannot be told apart."""
    names = Counter(str(row["name"]) for row in case.agencies.values())
    for agency, row in case.agencies.items():
        if names[str(row["name"])] > 1:
            continue
        named = f"; {row['name']} (£" in f"; {said}"
        if named != (more.get(agency, 0.0) > 100) and abs(more.get(agency, 0.0) - 100) > room[agency]:
            yield agency


def _costs_of(option: Again, worth: list[float]) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for (agency, year, _), amount in option.agency.items():
        found[agency] -= worth[year] * amount if year < len(worth) else 0.0
    return found


# -------------------------------------------------------------------------------------------------- people


def _check_access(case: Case, options: list[Again], table: pd.DataFrame, said: pd.DataFrame) -> Iterator[Finding]:
    """``option_access`` as ``access`` is read, and the people who go farther for any service."""
    wrong = []
    for n, each in enumerate(options):
        trips = journeys(case, each.decision)
        mine = said[said["option"].map(plain) == each.name].drop(columns="option").assign(group="everyone", value="")
        true = access(case, mine, trips)
        yield from compare("option_access", mine, true, ["service", "group", "value"])
        lacking = set(case.visited) ^ set(mine["service"].map(plain))
        yield finding("options.services", len(case.visited), lacking, f"services of '{each.name}'")
        farther = _farther(case, trips)
        wrong += [f"{each.name}, {name}" for name, true_ in farther.items() if number(table.iloc[n][name]) != true_]
    yield finding("options.people", len(options), wrong, "people who go farther")


def _farther(case: Case, trips: pd.DataFrame) -> dict[str, int]:
    """People who go farther for any service, and the most that anybody does, in metres and in seconds."""
    zones: set[Any] = set()
    most = {"m": 0.0, "s": 0.0}
    for service in case.visited:
        mine = trips[trips["service"] == service]
        unit, columns = "m", ["distance_before_m", "distance_after_m"]
        if mine[columns[0]].isna().all():
            unit, columns = "s", ["time_before_s", "time_after_s"]
        change = (mine[columns[1]] - mine[columns[0]]).fillna(0.0)
        lost = mine[columns[0]].notna() & mine[columns[1]].isna()
        zones |= set(mine.loc[(change > UNCHANGED[unit]) | lost, "zone_id"])
        most[unit] = max(most[unit], float(change.max()) if len(change) else 0.0)
    people = case.zones.loc[case.zones["zone_id"].isin(zones), "population"].sum()
    return {"people_farther": round(float(people)), "most_farther_m": int(most["m"]), "most_longer_s": int(most["s"])}
