"""If money turns out otherwise: the best programme of each case, what this one would be worth in it, and the least regret.

A programme's *regret* in a case is what it is worth less there than the best programme of that case.  The programme of least
regret is the one whose largest regret is smallest, and which every purse can pay for in every case: one more programme of the
same rows, in which what is made least is the largest regret.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estate.place import Place
from estate.programme.orders import Course, Line, Orders, began, total
from estate.programme.search import solve
from estate.programme.tables import over
from estate.programme.terms import Terms, asked, terms_of
from estate.scenario import Case, Scenario
from estate.solve.watch import NEVER, Clock
from estate.standards.measured import Measured

COLUMNS = [
    "case", "best_gbp", "this_programme_gbp", "regret_gbp", "short_gbp", "least_regret_programme_gbp", "its_regret_gbp", "status",
]  # fmt: skip
PLANNED = Case(name="As planned")
IMPOSSIBLE = "cannot be done"
DUST_GBP = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """The table of the cases, and the programme of least regret; None where no programme can be paid for in every case."""

    table: pd.DataFrame
    course: Course | None


def regret(terms: Terms, course: Course, clock: Clock = NEVER) -> Robust:
    """``cases``: one row for each case of the scenario, the planned one first.

    ``short_gbp`` is the most by which a purse would be below nothing if this programme went ahead with the loans and transfers it
    plans: then it could not, and nothing is said of its regret.  ``status`` is of the proof of ``best_gbp``, or says that what
    must be done cannot be paid for in the case.
    """
    cases = (PLANNED, *asked(terms.measured.scenario).cases)
    made = [terms, *(terms_of(under(terms.measured, case)) for case in cases[1:])]
    best = [course, *(solve(each.orders, clock=clock) for each in made[1:])]
    known = [each for each in best if each is not None]
    least = solve(_least_regret(made, known), clock=clock) if len(known) == len(best) else None
    rows = []
    for case, each, top in zip(cases, made, best, strict=True):
        mine, its = _worth(each, course), np.nan if least is None else _worth(each, least)
        lead, short = np.nan if top is None else (top.value + each.constant) / 100, _short(each.orders, course)
        rows.append(
            {
                "case": case.name,
                "best_gbp": lead,
                "this_programme_gbp": mine,
                "regret_gbp": np.nan if short > DUST_GBP else round(lead - mine, 2),
                "short_gbp": short,
                "least_regret_programme_gbp": its,
                "its_regret_gbp": round(lead - its, 2),
                "status": IMPOSSIBLE if top is None else str(top.status),
            }
        )
    return Robust(pd.DataFrame(rows, columns=COLUMNS), least)


def under(measured: Measured, case: Case) -> Measured:
    """The same place where receipts, works and savings are as in a case."""
    place, scenario = measured.place, measured.scenario
    return Measured.of(_place(place, case), _scenario(scenario, case), measured.travel)


def _place(place: Place, case: Case) -> Place:
    sites, rates, hosting = place.sites, place.rates, place.hosting
    factors = {
        "market_value_gbp": case.receipts, "agreed_price_gbp": case.receipts, "exit_cost_gbp": case.works,
        "disposal_cost_gbp": case.works, "running_cost_gbp_pa": case.savings, "rent_gbp_pa": case.savings,
        "hosting_cost_gbp_m2_pa": case.savings,
    }  # fmt: skip
    changed = {name: sites[name] * factor for name, factor in factors.items()}
    changed["years_to_sale"] = sites["years_to_sale"].fillna(0.0) + case.receipts_late_years
    works = {name: rates[name] * case.works for name in ("fitout_gbp_m2", "removal_gbp_m2")}
    return replace(
        place, sites=sites.assign(**changed), rates=rates.assign(**works),
        hosting=hosting.assign(cost_gbp_pa=hosting["cost_gbp_pa"] * case.savings),
    )  # fmt: skip


def _scenario(scenario: Scenario, case: Case) -> Scenario:
    services = {
        name: each if each.fitout_gbp_m2 is None else each.model_copy(update={"fitout_gbp_m2": each.fitout_gbp_m2 * case.works})
        for name, each in scenario.services.items()
    }
    exits = {site: price * case.works for site, price in scenario.money.pfi_exit_gbp.items()}
    money = scenario.money.model_copy(update={"pfi_exit_gbp": exits})
    return scenario.model_copy(update={"services": services, "money": money})


def _worth(terms: Terms, course: Course) -> float:
    """GBP that the steps of a programme are worth under other terms."""
    return (total(terms.orders.pair_value, terms.orders.site_value, *began(terms.orders, course)) + terms.constant) / 100


def _short(orders: Orders, course: Course) -> float:
    pair, site = began(orders, course)
    return max((round(over(line, pair, site, course) / 100, 2) for line in orders.lines), default=0.0)


def _least_regret(made: list[Terms], best: list[Course]) -> Orders:
    """The programme that makes the largest regret least, and that is paid for in every case."""
    first = made[0].orders
    lines: list[Line] = []
    sums: list[int] = []
    for each in made:
        start = len(sums)
        sums += each.orders.sums
        lines += [replace(line, money=tuple((n + start, part) for n, part in line.money)) for line in each.orders.lines]
    most = len(sums)
    for each, top in zip(made, best, strict=True):
        orders = each.orders
        lines.append(Line("regret", -orders.pair_value, -orders.site_value, -top.value, ((most, -1.0),)))
    none = np.zeros_like
    return replace(
        first, pair_value=none(first.pair_value), site_value=none(first.site_value), lines=tuple(lines),
        sums=(*sums, max(10 * max(abs(top.value) for top in best), 100)), sum_price=(*(0 for _ in sums), 1),
    )  # fmt: skip
