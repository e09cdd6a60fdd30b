"""Receipts that may pay for the revenue cost of reform, by agency and year (``flexible_use.csv``).

A direction lets a local authority meet the revenue cost of reform from capital receipts.  Both must fall in its years: the
receipt is banked in one of them and so is the cost paid.  What may be used in a year is therefore the smaller of the qualifying
receipts that are unspent by then and the qualifying cost of that year.  Of what a plan costs, removal and leaving a building
are revenue; fit-out is capital, which a receipt may meet anyway, and so is not counted here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.appraise.ledger import Ledger
from estate.money.law import Rule, binding, called, year_label
from estate.place import Place
from estate.scenario import Scenario

REFORM = ("removal", "exit_cost")
"""Lines of the ledger that are the revenue cost of reform."""
RECEIPT = ("capital_receipt", "disposal_from_receipt")
COLUMNS = {
    "agency": "str",
    "name": "str",
    "year": "str",
    "receipts_gbp": "float64",
    "unspent_gbp": "float64",
    "reform_cost_gbp": "float64",
    "eligible_gbp": "float64",
    "direction": "str",
    "conditions": "str",
}


def flexible_use_table(place: Place, scenario: Scenario, book: Ledger) -> pd.DataFrame:
    """One row for each local authority and year in which it banks a receipt or pays for reform; GBP to the penny.

    ``receipts_gbp`` is what is banked in the year, ``unspent_gbp`` the qualifying receipts at hand in it (the year's own and what
    earlier years of the same direction leave), ``reform_cost_gbp`` the cost of the year, ``eligible_gbp`` the smaller of the
    last two.  Where no direction names the agency in the year, ``direction`` says so and nothing is at hand or eligible.
    """
    rows = []
    for agency, years in _sums(book).items():
        name, kind = place.agencies.index[agency], str(place.agencies["kind"].iloc[agency])
        unspent: dict[str, int] = {}
        for year, (receipt, cost) in sorted(years.items()):
            when = scenario.money.base_year + year
            if binding("use-of-receipts", kind, when) is None:
                continue
            rule = binding("flexible-use", kind, when)
            hand = unspent.get(rule.instrument, 0) + receipt if rule else 0
            use = min(hand, cost)
            if rule:
                unspent[rule.instrument] = hand - use
            told = rule.instrument if rule else f"closed: no direction in this table names {called(kind)} in {year_label(when)}"
            amounts = [pence / 100 for pence in (receipt, hand, cost, use)]
            label = place.agencies["name"].iloc[agency]
            rows.append((name, label, year_label(when), *amounts, told, "; ".join(rule.conditions) if rule else ""))
    found = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return found.sort_values(["agency", "year"], kind="stable", ignore_index=True)


def _sums(book: Ledger) -> dict[int, dict[int, tuple[int, int]]]:
    """Agency to year to (receipts less the sale costs they meet, cost of reform), in pence."""
    once = book.once[book.once["line"].isin((*REFORM, *RECEIPT))]
    cost = once["line"].isin(REFORM).to_numpy()
    pence = once["pence"].to_numpy()
    split = once.assign(receipt=np.where(cost, 0, pence), cost=np.where(cost, -pence, 0))
    total = split.groupby(["agency", "year"])[["receipt", "cost"]].sum()
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for (agency, year), receipt, spent in total.itertuples():
        found.setdefault(int(agency), {})[int(year)] = (int(receipt), int(spent))
    return found


def flexible_words(receipts: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """What the direction lets the owner of each receipt do with it, a sentence for each row of ``capital_receipts``.

    It is said open only where the plan has a cost that the receipt may meet: to the amount, over the years that remain.
    """
    small = receipts["revenue_sum_gbp"] > 0
    columns = (receipts["agency"], receipts["agency_kind"], receipts["receipt_year"], small)
    return [_words(*cells, table) for cells in zip(*columns, strict=True)]


def _words(agency: str, kind: str, label: str, small: bool, table: pd.DataFrame) -> str:  # noqa: FBT001 - a column's cell
    if not label:
        return ""
    if small:
        return "not needed: the sum is revenue"
    when = int(label[:4])
    if binding("use-of-receipts", kind, when) is None:
        return f"no rule in this table applies to {called(kind)}"
    rule = binding("flexible-use", kind, when)
    if rule is None:
        return f"closed: no direction in this table names {called(kind)} in {label}"
    return _open(rule, table[(table["agency"] == agency) & (table["direction"] == rule.instrument) & (table["year"] >= label)])


def _open(rule: Rule, rows: pd.DataFrame) -> str:
    until = year_label(rule.to_year) if rule.to_year is not None else "on"
    pence = round(float(rows["eligible_gbp"].sum()) * 100)
    if not pence:
        return f"nothing to use it on: no removal or leaving cost of its owner falls between the receipt and {until}"
    terms = f"; {'; '.join(rule.conditions)}" if rule.conditions else ""
    return f"open to {until}, for up to £{pence / 100:,.2f} of its owner's removal and leaving costs: {rule.instrument}{terms}"
