"""Who would leave and for how much, read a second time: from the tables by id, without a solver.

What a group saves is shown by a *witness*, a plan of its own: the referee builds it from the table, holds it to every rule of
the scenario and to the consents of the group, and costs it.  That no group saves more than is said rests on the solver's proof,
and is only held to what follows from it: a larger group saves no less.  Whether a way to share is stable, Shapley's value, the
nucleolus and the smallest largest gain are judged again from the groups as they are listed, and what would win a partner from
the plans with it and without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from estate.verify.access import price_pence
from estate.verify.accounts import check_accounts
from estate.verify.balance import Floats, is_nucleolus, smallest_largest_gain
from estate.verify.books import State, borne, expected_ledger, year_label
from estate.verify.case import Case, Decision, Finding, finding, number, plain
from estate.verify.groups import (
    check_group_plans,
    check_groups,
    check_inducements,
    check_order,
    check_powers,
    check_same_service,
)
from estate.verify.money import annual_equivalent_pence, factors, pence, running_pence
from estate.verify.rules import check_plan, takes_part
from estate.verify.vehicle import check_vehicle, to_members

TABLES = ("partners", "ways", "shares", "blocking", "coalitions", "witnesses")
ROUNDING_PENCE = 3
"""What a share of many may stand off its exact value."""
REASON_PENCE = 100
"""A pound a year is nobody's reason to leave."""

type Group = frozenset[str]


def check_partners(case: Case, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """Every table of the partners, where there are any."""
    absent = [name for name in TABLES if name not in tables]
    if len(absent) == len(TABLES):
        return
    yield finding("partners.tables", len(TABLES), absent, "tables of the partners that are missing")
    if absent:
        return
    found = _game(case, tables)
    yield from _check_witnesses(case, found)
    yield from _check_groups(found)
    yield from _check_partners(case, found, tables["partners"])
    yield from _check_shares(case, found, tables["shares"])
    yield from _check_ways(found, tables["ways"], tables["shares"], tables["blocking"])
    if "groups" in tables:
        yield from check_groups(case, found.players, found.low, tables)
        yield from check_group_plans(tables, found.plan)
    if "inducements" in tables:
        plan_of = lambda group: found.witness[found.plan[group]]  # noqa: E731
        bill = lambda decision, agency: _gain(case, decision, agency)  # noqa: E731
        yield from check_inducements(case, found.players, found.low, plan_of, bill, tables["inducements"])
        yield from check_order(found.players, found.low, tables["winning"])
    if "powers" in tables:
        yield from check_powers(case, found.players, tables["powers"])
    if "same_service" in tables:
        yield from check_same_service(case, tables["same_service"])
    if "account" in tables:
        yield from check_accounts(case, found.witness[found.plan[found.everybody]], tables)
    if "vehicle" in tables:
        saves = {each: found.low[frozenset({each})] for each in found.players}
        yield from check_vehicle(case, found.witness[found.plan[found.everybody]], tables, saves)


@dataclass(frozen=True, slots=True, eq=False)
class _Game:
    players: tuple[str, ...]
    low: Mapping[Group, int]
    """Pence a year that each group is said to save."""
    high: Mapping[Group, int]
    plan: Mapping[Group, int]
    needs: Mapping[Group, Group]
    witness: Mapping[int, Decision]
    says: Mapping[int, list[Group]]
    """The groups that rest on each plan."""

    @property
    def listed(self) -> bool:
        """Whether every group is there."""
        return len(self.low) == (1 << len(self.players)) - 1

    @property
    def everybody(self) -> Group:
        """The group of all."""
        return frozenset(self.players)


def players(case: Case) -> tuple[str, ...]:
    """Agencies that take part and run an access point inside the place, sorted."""
    run = {row["agency"] for point, row in case.points.items() if not case.outside(case.today.host[point])}
    return tuple(sorted(str(each) for each in run if takes_part(case, each)))


def _game(case: Case, tables: Mapping[str, pd.DataFrame]) -> _Game:
    low, high, plan, needs = {}, {}, {}, {}
    witnesses = tables["witnesses"]
    says: dict[int, list[Group]] = {}
    for row in tables["coalitions"].to_dict("records"):
        group = _group(row["group"])
        low[group], high[group] = pence(float(row["saves_gbp_pa"])), pence(float(row["saves_at_most_gbp_pa"]))
        plan[group], needs[group] = int(row["plan"]), _group(row["plan_needs"])
        says.setdefault(int(row["plan"]), []).append(group)
    witness = {each: changed(case, witnesses[witnesses["plan"] == each]) for each in says}
    return _Game(players(case), low, high, plan, needs, witness, says)


def _group(cell: Any) -> Group:
    return frozenset(each for each in plain(cell).split(";") if each)


def changed(case: Case, rows: pd.DataFrame) -> Decision:
    """Today's estate with the changes that a table gives: ``what`` (moves, opens, closes), ``access_point_id``, ``site_id``."""
    opened, host = set(case.today.open), dict(case.today.host)
    for row in rows.to_dict("records"):
        site = plain(row["site_id"])
        if row["what"] == "moves":
            host[plain(row["access_point_id"])] = site
        elif row["what"] == "opens":
            opened.add(site)
        else:
            opened.discard(site)
    return Decision(frozenset(opened), host)


# ------------------------------------------------------------------------------------------------------ witnesses


def _check_witnesses(case: Case, game: _Game) -> Iterator[Finding]:
    """Each plan keeps every rule, needs only who is in its groups, and saves what it is said to save."""
    broken, wrong, strangers = [], [], []
    today = objective_pence(case, case.today)
    for number_, decision in game.witness.items():
        known = set(decision.host) == set(case.today.host) and {*decision.host.values(), *decision.open} <= set(case.sites)
        faults = [each.rule for each in check_plan(case, decision) if each.broken] if known else ["it names what is not there"]
        broken += [f"plan {number_}: {fault}" for fault in faults]
        if not known:
            continue
        needed, stays = _needed(case, game, decision)
        broken += [f"plan {number_}: {site} is closed, and is nobody's to close" for site in stays]
        saved = today - objective_pence(case, decision)
        for group in game.says[number_]:
            name = ";".join(sorted(group))
            if game.needs[group] != needed or not needed <= group:
                strangers.append(f"{name}: plan {number_} needs {';'.join(sorted(needed)) or 'nobody'}")
            if game.low[group] != saved:
                wrong.append(f"{name}: {game.low[group]}, not {saved}")
    yield finding("partners.witness-rules", len(game.witness), broken, "plans of groups that break a rule")
    yield finding("partners.witness-consent", len(game.low), strangers, "plans of groups that need somebody else, or others")
    yield finding("partners.witness-saving", len(game.low), wrong, "pence a year that a group's own plan saves")


def objective_pence(case: Case, decision: Decision) -> int:
    """Pence a year by the objective in use, prices of displacement included."""
    annual = case.scenario.money.objective == "annual-equivalent"
    cost = annual_equivalent_pence(case, decision) if annual else running_pence(case, decision)
    return cost + price_pence(case, decision)


def _needed(case: Case, game: _Game, decision: Decision) -> tuple[Group, list[str]]:
    """Whom a plan needs, and the buildings it closes that nobody may close.

    The agency of each counter that moves; the owner of each building that takes somebody in or closes.  Where he is no player,
    who has a counter there today consents to newcomers, and the building closes only if it is let and a player is a tenant.
    """
    tenants: dict[str, set[str]] = {site: set() for site in case.sites}
    for point, row in case.points.items():
        if row["agency"] in game.players:
            tenants[case.today.host[point]].add(str(row["agency"]))
    needed: set[str] = set()
    for point in case.moved(decision):
        owner = case.keeper(decision.host[point])
        needed.add(str(case.points[point]["agency"]))
        needed |= {owner} if owner in game.players else tenants[decision.host[point]]
    stays = []
    for site in sorted(case.today.open - decision.open):
        if case.keeper(site) in game.players:
            needed.add(case.keeper(site))
        elif case.sites[site]["tenure"] not in ("leasehold", "private") or not tenants[site]:
            stays.append(site)
    return frozenset(needed), stays


# ------------------------------------------------------------------------------------------------------ groups


def _check_groups(game: _Game) -> Iterator[Finding]:
    """Known partners only; nothing below nothing; no interval upside down; a larger group saves no less."""
    strange = [";".join(sorted(group)) for group in game.low if not group or not group <= game.everybody]
    yield finding("partners.groups", len(game.low), strange, "groups of others than the partners")
    if strange:
        return
    upside = [";".join(sorted(g)) for g in game.low if not 0 <= game.low[g] <= game.high[g]]
    yield finding("partners.intervals", len(game.low), upside, "what groups save, least and most")
    falls = []
    for group in game.low:
        larger = (group | {each} for each in game.players if each not in group) if game.listed else (game.everybody,)
        falls += [";".join(sorted(more)) for more in larger if more in game.low and game.high[more] < game.low[group]]
    yield finding("partners.joining", len(game.low), set(falls), "groups that are said to save less than a part of them")


# ------------------------------------------------------------------------------------------------------ each partner


def _check_partners(case: Case, game: _Game, table: pd.DataFrame) -> Iterator[Finding]:
    """What each saves alone and brings at the end, from the groups; its own bill, from its own plan."""
    said = {plain(row["agency"]): row for row in table.to_dict("records")}
    yield finding("partners.rows", len(said), set(said) ^ set(game.players), "partners that are missing or are none")
    wrong = []
    whole = game.everybody
    for player in set(said) & set(game.players):
        row, one, rest = said[player], frozenset({player}), whole - {player}
        want = {
            "alone_gbp_pa": game.low[one],
            "alone_at_most_gbp_pa": game.high[one],
            "brings_at_least_gbp_pa": game.low[whole] - game.high[rest],
            "brings_gbp_pa": game.low[whole] - game.low[rest],
            "brings_at_most_gbp_pa": game.high[whole] - game.low[rest],
        }
        wrong += [f"{player}, {name}" for name, value in want.items() if pence(float(row[name])) != value]
        for name, group in (("own_bill_alone_gbp_pa", one), ("own_bill_together_gbp_pa", whole)):
            true = _gain(case, game.witness[game.plan[group]], player)
            wrong += [f"{player}, {name}"] if abs(pence(float(row[name])) - true) > ROUNDING_PENCE else []
        wrong += [f"{player}, plan_needs_it"] if (row["plan_needs_it"] == "yes") != (player in game.needs[whole]) else []
    yield finding("partners.figures", 8 * len(said), wrong, "figures of partners")


def check_worse_off(case: Case, decision: Decision) -> Iterator[Finding]:
    """No agency that takes part pays more than today, where the rule asks so without payments."""
    rule = case.scenario.rules.no_agency_worse_off
    if rule is None or rule.transfers:
        return
    # What each could do by itself is the solver's to prove; it is never less than today.
    worse = [each for each in players(case) if _gain(case, decision, each, rule.measured) < -WORSE_PENCE]
    yield finding("no-agency-worse-off", len(players(case)), worse, "agencies that pay more than today")


WORSE_PENCE = 60
"""A bill may stand a penny off in each building that is shared."""


def _gain(case: Case, decision: Decision, agency: str, by: str = "") -> float:
    """Pence a year by which a plan lowers an agency's own bill, by the objective in use unless told."""
    measured = by or str(case.scenario.money.objective)
    key = ("partners.gain", measured, decision.open, tuple(sorted(decision.host.items())))
    if key not in case.memo:
        if measured == "annual-equivalent":
            case.memo[key] = _annual_gains(case, decision)
        else:
            today = State({site: float(site in case.today.open) for site in case.sites}, {})
            after = State({s: float(s in decision.open) for s in case.sites}, dict.fromkeys(case.moved(decision), 0.0))
            gain: dict[str, float] = {}
            for sign, plan, state in ((1, case.today, today), (-1, decision, after)):
                for (_, who), amount in borne(case, plan, state).items():
                    gain[who] = gain.get(who, 0.0) + sign * amount
            case.memo[key] = gain
        case.memo[key] = to_members(case, case.memo[key])
    found: dict[str, float] = case.memo[key]
    return found.get(agency, 0.0)


def _annual_gains(case: Case, decision: Decision) -> dict[str, float]:
    """By agency, the equal yearly sum of the same present value as every entry of a plan's ledger."""
    money = case.scenario.money
    worth = factors(money.base_year, money.horizon_years)
    at = {year_label(money.base_year + n): each / sum(worth) for n, each in enumerate(worth)}
    want = expected_ledger(case, decision)
    gain: dict[str, float] = {}
    for (agency, year, *_), amount in (*want.exact.items(), *want.share.items()):
        gain[agency] = gain.get(agency, 0.0) + amount * at.get(year, 0.0)
    return gain


# ------------------------------------------------------------------------------------------------------ shares


def _check_shares(case: Case, game: _Game, table: pd.DataFrame) -> Iterator[Finding]:
    """Each way adds up; and those that a second reading can work out are as it finds them."""
    wrong, whole = [], game.low[game.everybody]
    for way, frame in table.groupby("way", sort=False):
        got = {plain(a): pence(float(g)) for a, g in zip(frame["agency"], frame["gain_gbp_pa"], strict=True)}
        if set(got) != set(game.players):
            wrong.append(f"{way}: not the partners")
            continue
        for row in frame.to_dict("records"):
            alone = game.low[frozenset({plain(row["agency"])})]
            figures = (row["alone_gbp_pa"], row["better_than_alone_gbp_pa"])
            if tuple(pence(float(each)) for each in figures) != (alone, pence(float(row["gain_gbp_pa"])) - alone):
                wrong.append(f"{way}, {row['agency']}: against going alone")
        want = _expected(case, game, str(way))
        wrong += [f"{way}, {player}" for player in game.players if want and abs(got[player] - want[player]) > ROUNDING_PENCE]
        kept = str(way) in ("as the plan falls", "least change that keeps everybody")  # others gain too; a subsidy is shared
        if not kept and sum(got.values()) != whole:
            wrong.append(f"{way}: adds up to {sum(got.values())}, not {whole}")
    yield finding("partners.shares", len(table), wrong, "what a way to share gives")


def _expected(case: Case, game: _Game, way: str) -> Mapping[str, float]:
    """What a way gives each, where the referee can work it out; else nothing."""
    whole = game.low[game.everybody]
    if way == "as the plan falls":
        return {each: _gain(case, game.witness[game.plan[game.everybody]], each) for each in game.players}
    for name, column in (("by floor area", "area_m2"), ("by visits", "visits_pa")):
        if way == name:
            weight = dict.fromkeys(game.players, 0.0)
            for point, row in case.points.items():
                if row["agency"] in weight and not case.outside(case.today.host[point]):
                    weight[str(row["agency"])] += number(row[column])
            total = sum(weight.values())
            return {each: whole * value / total for each, value in weight.items()} if total else {}
    return _shapley(game) if "Shapley" in way and game.listed else {}


def _shapley(game: _Game) -> Mapping[str, float]:
    """Each group's worth, shared out by the sizes of groups: what each brings on average over all orders."""
    n = len(game.players)
    weight = [0.0, *(factorial(size - 1) * factorial(n - size) / factorial(n) for size in range(1, n + 1))]
    value = dict.fromkeys(game.players, 0.0)
    for group, low in game.low.items():
        for each in group:
            value[each] += weight[len(group)] * (low - game.low.get(group - {each}, 0))
    return value


# ------------------------------------------------------------------------------------------------------ who would leave


def _is_what_it_is_called(way: str, groups: Floats, gain: Floats) -> bool:
    """Whether a way that promises the smallest gains by leaving keeps its word (:mod:`estate.verify.balance`)."""
    if "nucleolus" in way:
        return is_nucleolus(groups, gain)
    return "least core" not in way or smallest_largest_gain(groups, gain)


def _check_ways(game: _Game, ways: pd.DataFrame, shares: pd.DataFrame, blocking: pd.DataFrame) -> Iterator[Finding]:
    """The largest gain by leaving is what the groups say, the verdict is no better, and every group named gains what is said."""
    wrong, named = [], []
    groups = [group for group in game.low if group != game.everybody]
    inside = np.array([[each in group for each in game.players] for group in groups], dtype=np.float64)
    low = np.array([game.low[group] for group in groups], dtype=np.float64)
    high = np.array([game.high[group] for group in groups], dtype=np.float64)
    got = {
        (str(way), plain(agency)): pence(float(gain))
        for way, agency, gain in zip(shares["way"], shares["agency"], shares["gain_gbp_pa"], strict=True)
    }
    for row in ways.to_dict("records"):
        way = str(row["way"])
        given = np.array([got.get((way, each), 0) for each in game.players], dtype=np.float64)
        gain, most = (float((worth - inside @ given).max()) for worth in (low, high))
        said, bound = (pence(float(row[name])) for name in ("gains_gbp_pa", "gains_at_most_gbp_pa"))
        if game.listed and (abs(said - gain) > 1 or abs(bound - most) > 1):
            wrong.append(f"{way}: the largest gain is {gain:.0f}")
        if not game.listed and gain > said + 1:
            wrong.append(f"{way}: a group gains {gain:.0f}")
        least = (
            "stable" if bound <= REASON_PENCE else "somebody would leave" if said > REASON_PENCE else "not proven either way"
        )
        if row["verdict"] != least:
            wrong.append(f"{way}: {row['verdict']}, not {least}")
        if game.listed and not _is_what_it_is_called(way, inside, low - inside @ given):
            wrong.append(f"{way}: it is not that")
        fund = pence(float(row["fund_gbp_pa"]))
        if (row["verdict"] == "somebody would leave") != (fund > 0) or fund < (said - 1 if fund else 0):
            wrong.append(f"{way}: a fund of {fund} is less than one group would gain")
        if pence(float(row["shared_gbp_pa"])) != int(given.sum()):
            wrong.append(f"{way}: shared")
    for row in blocking.to_dict("records"):
        group = _group(row["group"])
        paid = sum(got.get((str(row["way"]), each), 0) for each in group)
        figures = tuple(pence(float(row[name])) for name in ("saves_gbp_pa", "given_gbp_pa", "gains_gbp_pa"))
        saves = game.low.get(group, -1)
        if figures != (saves, paid, saves - paid) or saves - paid <= REASON_PENCE:
            named.append(f"{row['way']}: {row['group']}")
    yield finding("partners.ways", len(ways), wrong, "what a way to share leads to")
    yield finding("partners.blocking", len(blocking), named, "groups that would leave")
