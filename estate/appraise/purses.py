"""What each purse spends, banks and must still find, year by year (``purses.csv``).

Funds are not pooled unless the scenario says so: what one purse has left over meets nothing that another needs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from estate.appraise.ledger import Ledger
from estate.money.columns import Floats, Ints
from estate.money.entries import CAPITAL, RECEIPTS, REVENUE, REVENUE_SUMS
from estate.money.law import year_label
from estate.money.purses import at_hand_pence, need_pence, purses
from estate.place import Place
from estate.scenario import Purse, Scenario

OWN = "its own"
"""The power of a purse that one agency holds."""


def purses_table(place: Place, scenario: Scenario, book: Ledger) -> pd.DataFrame:
    """One row for each purse and year in which it spends, banks or is given anything, GBP to the penny.

    Of the year: ``capital_spent_gbp``, ``receipts_gbp`` (less the sale costs that they meet), ``revenue_spent_gbp``,
    ``revenue_sums_gbp``, and the budgets that come to hand, ``capital_budget_gbp`` and ``revenue_budget_gbp``.  By its end:
    ``capital_left_gbp`` and ``revenue_left_gbp`` of the budgets (blank where there is none), and ``need_gbp``, what the purse has
    spent beyond all that it has banked, before any budget.
    """
    frames = [_rows(place, scenario, book, each) for each in purses(place, scenario)]
    return pd.concat(frames, ignore_index=True)


def _rows(place: Place, scenario: Scenario, book: Ledger, purse: Purse) -> pd.DataFrame:
    member = place.agencies.index.isin(purse.agencies)
    mine = book.once[member[book.once["agency"].to_numpy(dtype=np.int64)]]
    base = scenario.money.base_year
    came = [max((each.year or base) - base, 0) for each in purse.budgets]
    years = np.unique(np.array([*mine["year"], *came], dtype=np.int64))

    def of_year(lines: Iterable[str]) -> Ints:
        total = np.zeros(len(years), dtype=np.int64)
        chosen = mine[mine["line"].isin(tuple(lines))]
        np.add.at(total, np.searchsorted(years, chosen["year"].to_numpy(dtype=np.int64)), chosen["pence"].to_numpy())
        return total

    capital, revenue, banked, sums = -of_year(CAPITAL), -of_year(REVENUE), of_year(RECEIPTS), of_year(REVENUE_SUMS)
    counts = purse.basis == "net"

    def budget(kind: str, spent: Ints, income: Ints) -> tuple[Floats, Floats]:
        """What comes to hand in each year, and what is left by its end; NaN without such a budget."""
        if not any(each.kind == kind for each in purse.budgets):
            return np.full(len(years), np.nan), np.full(len(years), np.nan)
        hand = at_hand_pence(purse, kind, base, years)
        left = hand - np.cumsum(spent) + counts * np.cumsum(income)
        return np.diff(hand, prepend=0) / 100, left / 100

    capital_budget, capital_left = budget("capital", capital, banked)
    revenue_budget, revenue_left = budget("revenue", revenue, sums)
    short = np.cumsum(capital + revenue - banked - sums)
    return pd.DataFrame(
        {
            "purse": purse.name,
            "agencies": ";".join(purse.agencies),
            "power": OWN if len(purse.agencies) == 1 else purse.power,
            "year": np.array([year_label(base + year) for year in years.tolist()], dtype=object),
            "capital_budget_gbp": capital_budget,
            "capital_spent_gbp": capital / 100,
            "receipts_gbp": banked / 100,
            "capital_left_gbp": capital_left,
            "revenue_budget_gbp": revenue_budget,
            "revenue_spent_gbp": revenue / 100,
            "revenue_sums_gbp": sums / 100,
            "revenue_left_gbp": revenue_left,
            "need_gbp": np.maximum(short, 0) / 100,
        }
    ).astype({"power": "str", "year": "str", "purse": "str", "agencies": "str"})


def needs_table(place: Place, book: Ledger) -> pd.DataFrame:
    """By agency alone, in pence: ``need`` beyond its own receipts, ``spare`` of them, and ``peak``, the most that it is short.

    ``need`` and ``spare`` are over all years; ``peak`` is at the end of the year in which it is largest, since a receipt helps
    from the year in which it is banked.
    """
    rows = book.once.pivot_table(index="agency", columns="year", values="pence", aggfunc="sum", fill_value=0)
    rows = rows.reindex(range(len(place.agencies)), fill_value=0).sort_index(axis=1)
    total = rows.sum(axis=1).to_numpy(dtype=np.int64)
    lowest = rows.cumsum(axis=1).min(axis=1).fillna(0).to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {"need": np.maximum(-total, 0), "spare": np.maximum(total, 0), "peak": np.maximum(-lowest, 0)},
        index=place.agencies.index,
    )


def needs_summary(place: Place, scenario: Scenario, needs: pd.DataFrame) -> dict[str, float]:
    """What must be found: by purse, by each agency alone, and were all of them one; and the receipts that are left."""
    net = needs["spare"] - needs["need"]
    by_purse = np.array(
        [net.reindex(list(each.agencies), fill_value=0).sum() for each in purses(place, scenario)], dtype=np.int64
    )
    return {
        "need_gbp": need_pence(by_purse) / 100,
        "own_need_gbp": need_pence(net.to_numpy(dtype=np.int64)) / 100,
        "pooled_need_gbp": need_pence(np.array([net.sum()], dtype=np.int64)) / 100,
        "spare_receipts_gbp": int(np.maximum(by_purse, 0).sum()) / 100,
    }
