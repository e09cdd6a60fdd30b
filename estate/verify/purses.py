"""Whose money pays, worked out again: what each agency spends and banks in each year, and what its purse has at hand.

Read from the plan, move by move and sale by sale; nothing is taken from the ledger.  The cost of leaving a building that several
share is not rounded here, so that a purse may stand a penny off for each such building.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from estate.scenario import Budget, Purse
from estate.verify.books import empty_costs, leaving_shares, proceeds, year_label
from estate.verify.case import Case, Decision, Finding, finding
from estate.verify.money import DUST, decided, exit_gbp, goes_after, leaves_after, move_parts_gbp, opening_parts_gbp, pence

type Year = int
"""After the base year."""


@dataclass(slots=True)
class Money:
    """Pence of one agency or purse by year: ``capital`` and ``revenue`` paid, ``receipts`` and ``sums`` banked."""

    capital: defaultdict[Year, float] = field(default_factory=lambda: defaultdict(float))
    revenue: defaultdict[Year, float] = field(default_factory=lambda: defaultdict(float))
    receipts: defaultdict[Year, float] = field(default_factory=lambda: defaultdict(float))
    sums: defaultdict[Year, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, other: Money) -> None:
        """Another's money on top."""
        for name in ("capital", "revenue", "receipts", "sums"):
            for year, amount in getattr(other, name).items():
                getattr(self, name)[year] += amount

    @property
    def years(self) -> set[Year]:
        """Years with any of it."""
        parts = (self.capital, self.revenue, self.receipts, self.sums)
        return {year for part in parts for year, amount in part.items() if abs(amount) > DUST}


def by_agency(case: Case, decision: Decision) -> dict[str, Money]:
    """What every agency pays and banks once."""
    found = {agency: Money() for agency in case.agencies}

    def works(leave: float) -> Year:
        return max(math.ceil(leave - DUST) - 1, 0)

    for point in case.moved(decision):
        money, year = found[case.points[point]["agency"]], works(goes_after(case, point))
        fitout, removal, bias = move_parts_gbp(case, point, decision.host[point])
        money.capital[year] += pence(fitout + removal + bias) - pence(removal)
        money.revenue[year] += pence(removal)
    for site in case.opened(decision):
        found[case.sites[site]["agency"]].capital[works(decided(case, site))] += pence(sum(opening_parts_gbp(case, site)))
    for site in case.released(decision):
        sold, holder = proceeds(case, site), found[case.sites[site]["agency"]]
        holder.receipts[sold.year] += sold.net
        holder.sums[sold.year] += sold.revenue
        holder.revenue[sold.year] += sold.disposal - sold.met
        for who, year, _, amount in empty_costs(case, site):
            found[who].revenue[year] += amount
        for agency, share in leaving_shares(case, site).items():
            found[agency].revenue[works(leaves_after(case, site))] += pence(exit_gbp(case, site)) * share
    return found


def purses(case: Case) -> tuple[Purse, ...]:
    """The purses of the scenario, and one for each agency that it leaves out."""
    stated = case.scenario.money.purses
    alone = [agency for agency in case.agencies if not any(agency in each.agencies for each in stated)]
    return (*stated, *(Purse.model_construct(name=agency, agencies=(agency,)) for agency in alone))


def given(case: Case, purse: Purse, kind: str, until: Year) -> int:
    """Pence of a kind that a purse has been given by the end of a year."""
    base = case.scenario.money.base_year
    return sum(pence(each.gbp) for each in purse.budgets if each.kind == kind and (each.year or base) <= base + until)


def left(case: Case, purse: Purse, kind: str, money: Money, until: Year) -> float:
    """Pence of a budget left by the end of a year."""
    spent, banked = (money.capital, money.receipts) if kind == "capital" else (money.revenue, money.sums)

    def so_far(of: defaultdict[Year, float]) -> float:
        return sum(amount for year, amount in of.items() if year <= until)

    return given(case, purse, kind, until) - so_far(spent) + (so_far(banked) if purse.basis == "net" else 0.0)


def check_budgets(case: Case, decision: Decision) -> Iterator[Finding]:
    """No purse spends more of a kind, by the end of any year, than it has come to have."""
    money = case.scenario.money
    limited = [each for each in money.purses if each.budgets]
    if money.capital_budget_gbp is not None:
        one = (Budget(gbp=money.capital_budget_gbp),)
        limited.append(Purse(name="all agencies", agencies=tuple(case.agencies), basis=money.budget_basis, budgets=one))
    paid = by_agency(case, decision) if limited else {}
    shared = sum(len(leaving_shares(case, site)) > 1 for site in case.released(decision)) if limited else 0
    for purse in limited:
        whole = Money()
        for agency in purse.agencies:
            whole.add(paid.get(agency, Money()))
        for kind in sorted({each.kind for each in purse.budgets}):
            spending = whole.capital if kind == "capital" else whole.revenue
            broken = []
            for year in sorted(year for year, amount in spending.items() if amount > DUST):
                over = -left(case, purse, kind, whole, year)
                if over > shared + 0.01:
                    broken.append(f"£{over / 100:,.2f} too much by {year_label(money.base_year + year)}")
            yield finding("budget", len(spending), broken, f"the {kind} budget of {purse.name} is not kept")


def purses_again(case: Case, decision: Decision) -> pd.DataFrame:
    """``purses``: one row for each purse and year, the figures in GBP."""
    paid, base, rows = by_agency(case, decision), case.scenario.money.base_year, []
    for purse in purses(case):
        whole = Money()
        for agency in purse.agencies:
            whole.add(paid.get(agency, Money()))  # a successor is nobody yet
        came = {max((each.year or base) - base, 0) for each in purse.budgets}
        short, before = 0.0, {"capital": 0, "revenue": 0}
        for year in sorted(whole.years | came):
            row = {"purse": purse.name, "agencies": ";".join(purse.agencies), "year": year_label(base + year)}
            of_year = {
                "capital_spent_gbp": whole.capital[year],
                "receipts_gbp": whole.receipts[year],
                "revenue_spent_gbp": whole.revenue[year],
                "revenue_sums_gbp": whole.sums[year],
            }
            short += of_year["capital_spent_gbp"] + of_year["revenue_spent_gbp"]
            short -= of_year["receipts_gbp"] + of_year["revenue_sums_gbp"]
            figures: dict[str, float] = {**of_year, "need_gbp": max(short, 0.0)}
            for kind in ("capital", "revenue"):
                has = any(each.kind == kind for each in purse.budgets)
                hand = given(case, purse, kind, year)
                figures[f"{kind}_budget_gbp"] = hand - before[kind] if has else math.nan
                figures[f"{kind}_left_gbp"] = left(case, purse, kind, whole, year) if has else math.nan
                before[kind] = hand
            rows.append({**row, **{name: amount / 100 for name, amount in figures.items()}})
    return pd.DataFrame(rows)


def needs_again(case: Case, decision: Decision) -> pd.DataFrame:
    """``agencies``: what each must find itself, what its sales leave it, and the most it is short by the end of a year."""
    rows = []
    for agency, money in by_agency(case, decision).items():
        so_far, lowest = 0.0, 0.0
        for year in sorted(money.years):
            so_far += money.receipts[year] + money.sums[year] - money.capital[year] - money.revenue[year]
            lowest = min(lowest, so_far)
        figures = {"need_gbp": max(-so_far, 0.0), "spare_gbp": max(so_far, 0.0), "peak_need_gbp": -lowest}
        rows.append({"agency": agency} | {name: amount / 100 for name, amount in figures.items()})
    return pd.DataFrame(rows)
