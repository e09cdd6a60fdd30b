"""The financial case: what each purse pays in the money of each year, and out of what (``financial_case.csv``).

Beside the economic case, which is in one year's prices and adds present values, this is cash as a treasurer budgets for it:

* **nominal**: every price rises by ``options.inflation`` a year from the base year; budgets and loans are in the money of their
  year;
* **value added tax** that an agency does not recover, at ``options.vat`` on the lines of ``options.vat_on``; a figure of the
  tables is then taken to be without it.  What it recovers is no cost and is not shown;
* **capital apart from revenue**: fit-out, its optimism bias, fit-outs made again and repairs are capital; all else is revenue;
* **sources of capital**, in this order: capital receipts once they are banked, capital budgets once they are at hand, and loans
  in their year, for what is then and later not met.  What is left is still to be found.  A receipt pays for no revenue here:
  what a direction would allow is in ``flexible_use.csv``;
* **loans**: repayment (minimum revenue provision) and interest from the year after they are drawn, which are revenue.  They pay
  for capital alone: guidance of 2022 bars borrowing for the revenue cost of reform.

The residual value of what stands at the end is no cash and has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.money.columns import Floats, Ints
from estate.money.entries import CAPITAL, RECEIPTS, REVENUE, REVENUE_SUMS
from estate.money.law import year_label
from estate.money.purses import at_hand_pence, purses
from estate.options.option import RUNNING, Option
from estate.programme.purses import charges
from estate.scenario import Loan, Options, Purse, Scenario

LINES = {
    "capital": (*CAPITAL, "refit", "backlog_met"),
    "running_cost": (RUNNING, "renewed_lease"),
    "one_off_revenue": REVENUE,
    "capital_receipts": RECEIPTS,
    "revenue_sums": REVENUE_SUMS,
}
"""Columns of the financial case = the lines of an option's books that they add up."""
INCOME = ("capital_receipts", "revenue_sums")
COLUMNS = (
    "running_cost", "one_off_revenue", "revenue_vat", "repaid", "interest", "revenue_sums", "revenue", "capital", "capital_vat",
    "from_receipts", "from_budget", "from_loans", "to_find", "capital_receipts", "receipts_left", "borrowed", "owed",
)  # fmt: skip
"""All in GBP: ``revenue`` is what the five before it come to less the sums; ``capital`` and its tax are what the four sources
meet."""


def settings(scenario: Scenario) -> Options:
    """The scenario's settings of options, or the usual ones."""
    return scenario.options or Options()


def loans_of(scenario: Scenario) -> tuple[Loan, ...]:
    """What may be borrowed: the options' own loans, else those of the programme."""
    own = settings(scenario).loans
    return own or (scenario.programme.loans if scenario.programme else ())


def financial_case(option: Option) -> pd.DataFrame:
    """One row for each purse and year of the horizon in which it has any money to do with: ``option, purse, year`` and GBP.

    Everything is a positive amount of what its column says; ``owed`` and ``receipts_left`` stand at the end of the year.
    """
    place, scenario = option.place, option.scenario
    sums = _sums(option)
    frames = []
    for purse in purses(place, scenario):
        member = place.agencies.index.isin(purse.agencies)
        pence = {name: np.rint(np.round(amount[member].sum(axis=0), 4)).astype(np.int64) for name, amount in sums.items()}
        frames.append(_of_purse(scenario, purse, pence).assign(option=option.name, purse=purse.name))
    found = pd.concat(frames, ignore_index=True)
    amounts = [f"{name}_gbp" for name in COLUMNS]
    busy = (found[amounts] != 0).any(axis=1)
    return found.loc[busy, ["option", "purse", "year", *amounts]].reset_index(drop=True)


def _sums(option: Option) -> dict[str, Floats]:
    """By column (A, H) nominal pence of each agency and year, unrounded; tax that is not recovered beside them."""
    scenario, place = option.scenario, option.place
    horizon, asked = scenario.money.horizon_years, settings(scenario)
    rise = (1 + asked.inflation) ** np.arange(horizon)
    kinds = place.agencies["kind"].to_numpy(dtype=object)
    borne = np.array([asked.vat * (1 - asked.vat_recovered.get(kind, 0.0)) for kind in kinds], dtype=np.float64)
    entries = option.entries[option.entries["year"] < horizon]

    def of(lines: Sequence[str]) -> Floats:
        mine = entries[entries["line"].isin(lines)]
        found = np.zeros((len(place.agencies), horizon))
        np.add.at(found, (mine["agency"].to_numpy(dtype=np.int64), mine["year"].to_numpy(dtype=np.int64)), mine["pence"])
        return found * rise

    sums = {name: of(lines) * (1 if name in INCOME else -1) for name, lines in LINES.items()}
    works = [line for line in asked.vat_on if line in LINES["capital"]]
    fees = [line for line in asked.vat_on if line not in works]
    return sums | {"capital_vat": -of(works) * borne[:, None], "revenue_vat": -of(fees) * borne[:, None]}


@dataclass(frozen=True, slots=True, eq=False)
class Funding:
    """Out of what capital is paid, pence by year: the three sources, what each loan draws, and what is still to be found."""

    receipts: Ints
    budget: Ints
    loans: Ints
    drawn: tuple[int, ...]
    to_find: Ints
    receipts_left: Ints


def funded(need: Ints, banked: Ints, budget: Ints, loans: Sequence[tuple[int, int]]) -> Funding:
    """Sources of a purse's capital by year, in order: receipts, budget, loans (year drawn, most pence).

    What a year leaves unspent of the first two is at hand in the next.  A loan is drawn in its year, as far as what that year
    and the later ones have not met otherwise.
    """
    n = len(need)
    of_receipts, of_budget, of_loans, left = (np.zeros(n, dtype=np.int64) for _ in range(4))
    receipts_at_hand = budget_at_hand = 0
    for year in range(n):
        receipts_at_hand += int(banked[year])
        budget_at_hand += int(budget[year])
        of_receipts[year] = min(receipts_at_hand, need[year])
        of_budget[year] = min(budget_at_hand, need[year] - of_receipts[year])
        receipts_at_hand -= int(of_receipts[year])
        budget_at_hand -= int(of_budget[year])
        left[year] = receipts_at_hand
    short = need - of_receipts - of_budget
    drawn = []
    for first, most in loans:
        here = short[max(first, 0) :]
        met = np.diff(np.minimum(np.cumsum(here), most), prepend=0)
        here -= met
        of_loans[max(first, 0) :] += met
        drawn.append(int(met.sum()))
    return Funding(of_receipts, of_budget, of_loans, tuple(drawn), short, left)


def _of_purse(scenario: Scenario, purse: Purse, pence: dict[str, Ints]) -> pd.DataFrame:
    base, horizon = scenario.money.base_year, scenario.money.horizon_years
    years = np.arange(horizon)
    loans = sorted((each for each in loans_of(scenario) if each.purse == purse.name), key=lambda each: each.year)
    budgeted = any(each.kind == "capital" for each in purse.budgets)
    banked = pence["capital_receipts"] * (purse.basis == "net" or not budgeted)
    hand = np.diff(at_hand_pence(purse, "capital", base, years), prepend=0)
    terms = [(each.year - base, round(each.most_gbp * 100)) for each in loans]
    found = funded(pence["capital"] + pence["capital_vat"], banked, hand, terms)
    borrowed, repaid, interest = (np.zeros(horizon, dtype=np.int64) for _ in range(3))
    for loan, (first, _), drawn in zip(loans, terms, found.drawn, strict=True):
        paid = [np.diff(np.rint(np.cumsum(each) * 100), prepend=0).astype(np.int64) for each in charges(loan, drawn / 100)]
        here = np.arange(loan.years) + max(first, 0) + 1
        within = here < horizon
        if drawn:
            borrowed[max(first, 0)] += drawn
            np.add.at(repaid, here[within], paid[0][within])
            np.add.at(interest, here[within], paid[1][within])
    revenue = sum((pence[name] for name in ("running_cost", "one_off_revenue", "revenue_vat")), start=repaid + interest)
    columns = pence | {
        "repaid": repaid,
        "interest": interest,
        "revenue": revenue - pence["revenue_sums"],
        "from_receipts": found.receipts,
        "from_budget": found.budget,
        "from_loans": found.loans,
        "to_find": found.to_find,
        "receipts_left": found.receipts_left,
        "borrowed": borrowed,
        "owed": np.cumsum(borrowed - repaid),
    }
    labels = np.array([year_label(base + int(year)) for year in years], dtype=object)
    return pd.DataFrame({"year": labels} | {f"{name}_gbp": columns[name] / 100 for name in COLUMNS}).astype({"year": "str"})
