"""Invest to save: what the next sum of capital in each year would buy, by choosing the programme again with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from estate.money.law import year_label
from estate.money.present_value import discounting
from estate.programme.books import years_of
from estate.programme.orders import Course, Orders
from estate.programme.purses import accounts, charges
from estate.programme.search import solve
from estate.programme.terms import Terms, asked
from estate.solve.watch import NEVER, Clock

COLUMNS = ["purse", "year", "capital_gbp", "worth_more_gbp", "at_most_gbp", "per_pound", "status"]


def invest_table(terms: Terms, course: Course, gbp: float, clock: Clock = NEVER) -> pd.DataFrame:
    """``invest``: one row for each purse with a capital budget and each year in which works could be paid.

    ``worth_more_gbp`` is by how much the programme is worth more with so much more capital at hand from that year on.  Works are
    costs already, so this is net of what the money is spent on, and money that stays unspent is not lost: what it costs to have
    it (interest above the discount rate) is to be set against ``per_pound``.  ``at_most_gbp`` is what the proof leaves open.
    """
    base, years = terms.measured.scenario.money.base_year, sorted({max(int(year) - 1, 0) for year in terms.years})
    purses = list(dict.fromkeys(line.purse for line in terms.orders.lines if line.kind == "capital"))
    rows = []
    for purse in purses:
        for year in years:
            again = solve(_richer(terms.orders, purse, year, round(gbp * 100)), clock=clock)
            if again is None:
                raise ValueError("more money made a programme impossible")
            more = again.value - course.value
            rows.append(
                {
                    "purse": purse,
                    "year": year_label(base + year),
                    "capital_gbp": gbp,
                    "worth_more_gbp": more / 100,
                    "at_most_gbp": max(again.bound - course.value, more) / 100,
                    "per_pound": round(more / 100 / gbp, 4),
                    "status": str(again.status),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _richer(orders: Orders, purse: str, year: int, pence: int) -> Orders:
    """The same programme where a purse has more capital at hand from a year on."""
    lines = tuple(
        replace(line, at_hand=line.at_hand + pence)
        if line.purse == purse and line.kind == "capital" and line.year >= year
        else line
        for line in orders.lines
    )
    return replace(orders, lines=lines)


# ------------------------------------------------------------------------------------------------------ what is borrowed

BORROWING = [
    "name", "purse", "drawn_gbp", "interest_gbp", "repaid_in", "worth_more_gbp", "costs_more_gbp", "earns_gbp", "status",
]  # fmt: skip
NOTHING_WITHOUT = "no programme without it"


def borrowing_table(terms: Terms, course: Course, clock: Clock = NEVER) -> pd.DataFrame:
    """``borrowing``: one row for each loan and fund, the programme chosen again without it.

    ``costs_more_gbp`` is the present value of what is paid back and of interest, less that of what is drawn, at the rates of the
    appraisal: what it costs to have the money.  ``earns_gbp`` is ``worth_more_gbp`` less that.  ``repaid_in`` is the year of the
    last payment; blank where nothing is drawn, or it is a grant.
    """
    scenario, place = terms.measured.scenario, terms.measured.place
    base, worth = scenario.money.base_year, discounting(scenario).factor
    lent = [each for account in accounts(place, scenario, years_of(terms))[0] for each in account.borrowed]
    programme = asked(scenario)
    sources = [
        (f"loan of {each.year} to {each.purse}", each.purse, [b for b in lent if b.terms is each]) for each in programme.loans
    ]
    sources += [(each.name, "", [b for b in lent if b.fund == each.name]) for each in programme.funds]
    rows = []
    for name, purse, columns in sources:
        sums = [(each.terms, float(course.sums[each.column]) / 100) for each in columns]
        flow, interest_of, last = np.zeros(len(worth)), 0.0, -1
        for loan, drawn in ((loan, drawn) for loan, drawn in sums if drawn >= DUST_GBP):
            repaid, interest = charges(loan, drawn)
            first = loan.year - base
            paid = np.append(-drawn, repaid + interest)[: max(len(worth) - first, 0)]
            flow[first : first + len(paid)] += paid
            interest_of += float(interest.sum())
            last = max(last, first + loan.years) if loan.years else last
        drawn = sum(each for _, each in sums)
        again = solve(_without(terms.orders, [each.column for each in columns]), clock=clock) if drawn >= DUST_GBP else course
        more = np.nan if again is None else (course.value - again.value) / 100
        costs = float(worth @ flow)
        rows.append(
            {
                "name": name,
                "purse": purse,
                "drawn_gbp": round(drawn, 2),
                "interest_gbp": round(interest_of, 2),
                "repaid_in": year_label(base + last) if last >= 0 else "",
                "worth_more_gbp": more,
                "costs_more_gbp": round(costs, 2),
                "earns_gbp": round(more - costs, 2),
                "status": NOTHING_WITHOUT if again is None else str(again.status),
            }
        )
    return pd.DataFrame(rows, columns=BORROWING)


DUST_GBP = 0.01


def _without(orders: Orders, columns: list[int]) -> Orders:
    """The same programme where some sums may not be drawn."""
    return replace(orders, sums=tuple(0 if n in columns else most for n, most in enumerate(orders.sums)))
