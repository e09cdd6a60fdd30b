"""A property vehicle, read a second time: bills and charges by id, and whether it unravels as it is said to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from estate.verify.books import State, borne
from estate.verify.case import Case, Decision, Finding, finding, plain
from estate.verify.money import pence, sale_gbp

ROUNDING_PENCE = 40
"""What a bill may stand off its exact value: a penny or two in each building that is shared."""


def check_vehicle(
    case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame], saves: Mapping[str, int]
) -> Iterator[Finding]:
    """``vehicle`` and ``unravelling``, where the scenario has one; ``saves`` is what each partner saves by itself, pence."""
    setting, table = case.scenario.vehicle, tables["vehicle"]
    if setting is None:
        yield finding("vehicle.asked", 1, ["vehicle"], "a vehicle that the scenario does not have")
        return
    today, after = _bills(case, case.today), _bills(case, decision)
    wrong, value = [], {}
    overhead, equity = 0, 0.0
    for row in table.to_dict("records"):
        agency = plain(row["agency"])
        said = {name: pence(float(row[name])) for name in FIGURES}
        owned = (site for site, of in case.sites.items() if of["agency"] == agency and case.paid_today(site))
        value[agency] = sum(sale_gbp(case, site) for site in owned)
        true = {"bill_today_gbp_pa": today.get(agency, 0.0), "charge_for_space_gbp_pa": after.get(agency, 0.0)}
        good = all(abs(said[name] - amount) <= ROUNDING_PENCE for name, amount in true.items())
        good &= said["bill_by_itself_gbp_pa"] == said["bill_today_gbp_pa"] - saves.get(agency, 0)
        good &= said["charge_gbp_pa"] == said["charge_for_space_gbp_pa"] + said["charge_for_overhead_gbp_pa"]
        good &= said["better_than_by_itself_gbp_pa"] == said["bill_by_itself_gbp_pa"] - said["charge_gbp_pa"]
        good &= abs(said["value_in_gbp"] - 100 * value[agency]) <= 1
        wrong += [] if good else [agency]
        overhead, equity = overhead + said["charge_for_overhead_gbp_pa"], equity + float(row["equity_percent"])
    sums = [] if overhead == pence(setting.overhead_gbp_pa) and abs(equity - 100) < 0.01 else ["overhead or equity"]
    sales = [pence(float(table[name].sum())) for name in ("sales_by_title_gbp", "sales_by_equity_gbp")]
    sums += [] if sales[0] == sales[1] else ["sales"]
    yield finding("vehicle.members", len(table), wrong, "what a vehicle does to a member")
    yield finding("vehicle.sums", len(table), sums, "what a vehicle shares out")
    yield _unravels(tables["unravelling"], pence(setting.overhead_gbp_pa), table)


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


def _unravels(table: pd.DataFrame, overhead: int, members: pd.DataFrame) -> Finding:
    """At each step charges cover the overhead, and who leaves is the one for whom it is most too dear; who is left stays."""
    space = {plain(a): pence(float(v)) for a, v in zip(members["agency"], members["charge_for_space_gbp_pa"], strict=True)}
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
