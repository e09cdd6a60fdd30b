"""Groups that were asked about, whom to win and in what order, powers, and merged councils, read a second time by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from estate.verify.case import Case, Decision, Finding, finding, plain
from estate.verify.money import factors, pence

type Group = frozenset[str]
type Saves = Mapping[Group, int]
"""Pence a year that each group saves by itself."""

ROUNDING_PENCE = 3
"""What a bill may stand off its exact value for each agency."""


def check_groups(case: Case, players: tuple[str, ...], saves: Saves, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """``groups`` and ``group_plans``: every group that was asked for is there, and its figures and decisions are its plan's."""
    everybody, rows = frozenset(players), tables["groups"].to_dict("records")
    asked = {frozenset(each) for each in case.scenario.partners.groups}
    want = {everybody, *asked, *(frozenset({each}) for each in players)}
    got = [frozenset(plain(row["group"]).split(";")) for row in rows]
    odd = [";".join(sorted(each)) for each in want.symmetric_difference(got)]
    yield finding(
        "partners.groups-asked", len(want), odd, "groups that were asked for and are not there, or the other way round"
    )
    decided = {name: len(frame) for name, frame in tables["group_plans"].groupby(["group", "what"])}
    wrong = []
    for row, group in zip(rows, got, strict=True):
        alone = sum(saves.get(frozenset({each}), 0) for each in group)
        figures = tuple(pence(float(row[name])) for name in ("saves_gbp_pa", "alone_gbp_pa", "pooling_gbp_pa"))
        counts = tuple(decided.get((row["group"], what), 0) for what in ("moves", "closes"))
        if figures != (saves.get(group), alone, saves.get(group, 0) - alone) or counts != (
            row["counters_moved"], row["buildings_let_go"],
        ):  # fmt: skip
            wrong.append(plain(row["group"]))
    yield finding("partners.groups-figures", len(rows), wrong, "what a group saves, its worth, or how much it decides")


def check_group_plans(tables: Mapping[str, pd.DataFrame], plan: Mapping[Group, int]) -> Iterator[Finding]:
    """Each decision of a group that is named is one of the plan that shows what it saves, and none is left out."""
    witness = {number: set(_decisions(frame, "site_id")) for number, frame in tables["witnesses"].groupby("plan")}
    table = tables["group_plans"]
    to = table["to_site_id"].where(table["what"] != "closes", table["from_site_id"])
    said = {plain(name): set(_decisions(frame, "site_id")) for name, frame in table.assign(site_id=to).groupby("group")}
    groups = [plain(each) for each in tables["groups"]["group"]]
    wrong = [name for name in groups if said.get(name, set()) != witness.get(plan.get(frozenset(name.split(";")), -1), set())]
    yield finding("partners.groups-plans", len(groups), wrong, "groups whose decisions are not those of their plan")


def _decisions(frame: pd.DataFrame, site: str) -> Iterator[tuple[str, str, str]]:
    for what, point, where in zip(frame["what"], frame["access_point_id"], frame[site], strict=True):
        yield plain(what), plain(point), plain(where)


# ------------------------------------------------------------------------------------------------------ whom to win


def check_inducements(
    case: Case, players: tuple[str, ...], saves: Saves, of: Callable[[Group], Decision], gain: Callable[[Decision, str], float],
    table: pd.DataFrame,
) -> Iterator[Finding]:  # fmt: skip
    """What the others lose, both bills of who stays out, and the least that wins it: from the plan with it and without it.

    ``of`` is the plan of a group, ``gain`` the pence a year by which a plan lowers an agency's own bill.
    """
    everybody, rows = frozenset(players), {plain(row["agency"]): row for row in table.to_dict("records")}
    money = case.scenario.money
    annuity = sum(factors(money.base_year, money.horizon_years)[min(money.closing_year, money.horizon_years - 1) :])
    together = {each: gain(of(everybody), each) for each in players}
    wrong = sorted(set(rows) ^ everybody)
    for player in everybody & set(rows):
        said = {name: pence(float(rows[player][name])) for name in FIGURES}
        rest = everybody - {player}
        without = {each: gain(of(rest), each) for each in players}
        lose, joins, out, others, least, once = (said[name] for name in FIGURES)
        good = lose == saves[everybody] - saves[rest]
        good &= abs(joins - together[player]) <= ROUNDING_PENCE and abs(out - without[player]) <= ROUNDING_PENCE
        gained = sum(together[each] - without[each] for each in rest)
        good &= abs(others - gained) <= ROUNDING_PENCE * 2 * len(players)
        good &= least == max(out - joins, 0) and abs(once - least * annuity) <= 1
        good &= (rows[player]["others_can_pay"] == "yes") == (least == 0 or others >= least)
        wrong += [] if good else [player]
    yield finding("partners.inducements", len(rows), wrong, "what would win a partner")


FIGURES = (
    "all_lose_without_it_gbp_pa", "own_bill_falls_if_it_joins_gbp_pa", "own_bill_falls_if_it_stays_out_gbp_pa",
    "others_gain_by_it_gbp_pa", "least_inducement_gbp_pa", "least_inducement_once_gbp",
)  # fmt: skip


def check_order(players: tuple[str, ...], saves: Saves, table: pd.DataFrame) -> Iterator[Finding]:
    """An order of winning partners names each once, and says what those won so far save."""
    wrong, won, before = [], frozenset[str](), 0
    for row in table.sort_values("step").to_dict("records"):
        won, again = won | {plain(row["agency"])}, plain(row["agency"]) in won
        figures = pence(float(row["saves_then_gbp_pa"])), pence(float(row["adds_gbp_pa"]))
        if again or won not in saves or figures != (saves[won], saves[won] - before):
            wrong.append(f"step {row['step']}")
        before = figures[0]
    if len(table) and won != frozenset(players):
        wrong.append("not everybody is won")
    yield finding("partners.order", len(table), wrong, "steps in the order of winning partners")


# ------------------------------------------------------------------------------------------------------ law and successors

MAY_POOL = frozenset({"nhs", "local_authority_england"})
"""Who may put into one fund: National Health Service Act 2006, section 75; no other such power was read."""


def check_powers(case: Case, players: tuple[str, ...], table: pd.DataFrame) -> Iterator[Finding]:
    """Every two kinds of partners are there, under their own names, and none is said to pool that may not."""
    kind = {each: str(case.agencies[each]["kind"]) for each in players}
    of = {each: ";".join(player for player in players if kind[player] == each) for each in kind.values()}
    want = {(of[a], of[b]) for a in of for b in of if a != b or ";" in of[a]}
    rows = table.to_dict("records")
    wrong = [f"{a} to {b}" for a, b in want ^ {(plain(row["payers"]), plain(row["payees"])) for row in rows}]
    for row in rows:
        kinds = {kind.get(each, "") for name in ("payers", "payees") for each in plain(row[name]).split(";")}
        known = row["may_pay"] != "not known"
        if (row["may_pool"] == "yes" and kinds != MAY_POOL) or known != bool(plain(row["instrument"])):
            wrong.append(f"{row['payers']} to {row['payees']}: {row['may_pool']}")
    yield finding("partners.powers", len(rows), wrong, "powers to pool or to pay")


def check_same_service(case: Case, table: pd.DataFrame) -> Iterator[Finding]:
    """Counters of one service that several councils run and one would, counted again from the access points."""
    want: dict[tuple[str, str, str], tuple[set[str], list[str]]] = {}
    for way in case.scenario.reorganisation:
        for point, row in case.points.items():
            home = case.today.host[point]
            heir = way.heir_in(str(row["agency"]), str(case.sites[home]["district"]))
            if str(row["agency"]) in way.dissolved and not case.outside(home):
                councils, homes = want.setdefault((way.name, heir, str(row["service"])), (set(), []))
                councils.add(str(row["agency"]))
                homes.append(home)
    true = {key: (councils, len(homes), len(set(homes))) for key, (councils, homes) in want.items() if len(councils) > 1}
    said = {
        (plain(row["reorganisation"]), plain(row["successor"]), plain(row["service"])): (
            set(plain(row["councils"]).split(";")), int(row["counters"]), int(row["buildings_today"]),
        )
        for row in table.to_dict("records")
    }  # fmt: skip
    wrong = [" ".join(key) for key in {*true, *said} if true.get(key) != said.get(key)]
    yield finding("partners.same-service", len(said), wrong, "counters of one service of what becomes one council")
