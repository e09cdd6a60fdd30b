"""Invest to save: what the next sum of capital in each year would buy, by choosing the programme again with it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from estate.money.law import year_label
from estate.programme.orders import Course, Orders
from estate.programme.search import solve
from estate.programme.terms import Terms
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
