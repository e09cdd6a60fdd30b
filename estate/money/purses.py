"""Purses: whose money pays, and what of it is at hand in each year.

Funds are not pooled unless the scenario says who pools and under which power (``money.purses``); an agency that no purse names
keeps its own.  A budget holds what a purse has spent by the end of each year to what has come to hand by then.  Capital and
revenue are held apart, and under ``net`` a receipt counts from the year in which it is banked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.money.columns import Floats, Ints
from estate.money.costs import pence
from estate.money.entries import (
    CAPITAL,
    RECEIPTS,
    REVENUE,
    REVENUE_SUMS,
    move_entries,
    move_payers,
    opening_entries,
    release_entries,
)
from estate.money.law import year_label
from estate.place import Place
from estate.scenario import Budget, Purse, Scenario

SPENT = {"capital": CAPITAL, "revenue": REVENUE}
"""The lines that a budget of each kind pays for."""
BANKED = {"capital": RECEIPTS, "revenue": REVENUE_SUMS}
"""The lines that count towards it under ``net``."""
EVERYBODY = "all agencies"
"""The pool that ``money.capital_budget_gbp`` stands for."""


def purses(place: Place, scenario: Scenario) -> tuple[Purse, ...]:
    """Every purse: those of the scenario, then one for each agency that none of them names."""
    stated = scenario.money.purses
    named = {agency for each in stated for agency in each.agencies}
    own = (str(agency) for agency in place.agencies.index if agency not in named)
    return (*stated, *(Purse.model_construct(name=agency, agencies=(agency,)) for agency in own))


def limited(place: Place, scenario: Scenario) -> tuple[Purse, ...]:
    """The purses that have a budget; ``money.capital_budget_gbp`` is one of every agency together."""
    money = scenario.money
    found = [each for each in money.purses if each.budgets]
    if money.capital_budget_gbp is not None:
        everybody = tuple(place.agencies.index.astype(str))
        cap = (Budget(gbp=money.capital_budget_gbp),)
        found.append(Purse(name=EVERYBODY, agencies=everybody, basis=money.budget_basis, budgets=cap))
    return tuple(found)


def at_hand_pence(purse: Purse, kind: str, base_year: int, years: Ints) -> Ints:
    """(n,) what has come to hand by the end of each year (after the base year)."""
    came = [(max((each.year or base_year) - base_year, 0), each.gbp) for each in purse.budgets if each.kind == kind]
    sums = [pence(np.array([gbp for year, gbp in came if year <= until])).sum() for until in years.tolist()]
    return np.array(sums, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class BudgetRow:
    """What a purse has spent by the end of a year is at most ``at_hand``, all in pence.

    ``pair`` (P,) is what each move adds, ``site`` (J,) what letting each site go adds (a receipt is below nothing), ``opened``
    (J,) what opening each adds.
    """

    name: str
    pair: Ints
    site: Ints
    opened: Ints
    at_hand: int


def row_name(purse: str, kind: str, year: int) -> str:
    """The name of a row, as diagnoses print it; ``year`` is the calendar year in which the financial year begins."""
    return f"budget of {purse}: {kind} to {year_label(year)}"


def of_row(place: Place, scenario: Scenario, name: str) -> tuple[Purse, str, int] | None:
    """The purse, the kind of budget and the calendar year of a row; None for a row that is none of these."""
    for purse in limited(place, scenario):
        for kind in SPENT:
            start = row_name(purse.name, kind, 0).removesuffix(year_label(0))
            if name.startswith(start) and name.removeprefix(start)[:4].isdigit():
                return purse, kind, int(name.removeprefix(start)[:4])
    return None


def budget_rows(place: Place, scenario: Scenario, point: Ints, site: Ints) -> Iterator[BudgetRow]:
    """A row for each purse, kind and year in which something may be spent, less those that a later one implies.

    Parameters
    ----------
    point, site
        (P,) positions of the host pairs.
    """
    found = limited(place, scenario)
    if not found:
        return
    base, moves = scenario.money.base_year, move_entries(place, scenario, point, site)
    payer, when = move_payers(place, scenario, point)
    entries, openings = release_entries(place, scenario), opening_entries(place, scenario)
    for purse in found:
        member = place.agencies.index.isin(purse.agencies)
        mine, new = (each[member[each["agency"].to_numpy(dtype=np.int64)]] for each in (entries, openings))
        for kind in sorted({each.kind for each in purse.budgets}):
            cost = -sum((moves[line] for line in SPENT[kind] if line in moves), start=np.zeros(len(point), dtype=np.int64))
            cost = np.where(member[payer], cost, 0)
            spent = mine[mine["line"].isin(SPENT[kind])]
            banked = mine[mine["line"].isin(BANKED[kind])] if purse.basis == "net" else mine.iloc[:0]
            built = new[new["line"].isin(SPENT[kind])]
            paid = (spent["year"].to_numpy(dtype=np.int64), built["year"].to_numpy(dtype=np.int64))
            years = np.unique(np.concatenate([when[cost > 0], *paid]))
            at_hand = at_hand_pence(purse, kind, base, years)
            for n, (year, sum_) in enumerate(zip(years.tolist(), at_hand.tolist(), strict=True)):
                after = years[n + 1] if n + 1 < len(years) else None
                if after is not None and at_hand[n + 1] == sum_ and not banked["year"].between(year + 1, after).any():
                    continue
                pair = np.where(when <= year, cost, 0)
                until = pd.concat([spent, banked])[lambda each, year=year: each["year"] <= year]
                opened = -_by_site(place, built[built["year"] <= year])
                yield BudgetRow(row_name(purse.name, kind, base + year), pair, -_by_site(place, until), opened, sum_)


def _by_site(place: Place, entries: pd.DataFrame) -> Ints:
    total = np.zeros(len(place.sites), dtype=np.int64)
    np.add.at(total, entries["site"].to_numpy(dtype=np.int64), entries["pence"].to_numpy(dtype=np.int64))
    return total


def need_pence(income: Floats | Ints) -> int:
    """What must be found: the sum of what each purse lacks, none of it met by what another has left."""
    return int(-np.minimum(income, 0).sum())
