"""The plan as an investment: cash by year, present value, payback, and what would have to change for it to be worth nothing.

Everything is against today's estate, in the scenario's prices, at the Green Book's stepped real rates.  Signs are the
ledger's: money saved or received is positive, money paid negative.  Receipts fall once and savings every year, so they are
only ever added as present values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estate.appraise.ledger import ONE_OFF, YEARLY, Ledger
from estate.money.columns import Floats
from estate.money.entries import LATER
from estate.money.law import discount_factors, rule, year_label
from estate.money.present_value import Discounting, discounting
from estate.scenario import Scenario, Sensitivity

SALE_COST = "disposal_from_receipt"
SALES = ("capital_receipt", "revenue_sum")


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """GBP by year of the horizon, (H,) each, costs negative.

    ``saving`` of running cost, ``one_off`` costs, ``sale_costs`` that receipts meet (the other sale costs are revenue, and stand
    with the one-off costs), ``sales``, gross, and ``later``: backlog avoided, fit-outs made again, residual value.
    """

    saving: Floats
    one_off: Floats
    sale_costs: Floats
    sales: Floats
    later: Floats
    worth: Discounting

    @property
    def net(self) -> Floats:
        """Cash of each year."""
        return self.saving + self.one_off + self.sale_costs + self.sales + self.later

    def npv(self) -> float:
        """Net present value, GBP in year 0: ``sum of factor x net``."""
        return float(self.worth.factor @ self.net)

    def changed(self, what: Sensitivity) -> Flows:
        """The same plan with other receipts, one-off costs (all sale costs among them) or savings, or with either later."""
        saving = _later(self.saving, what.delay_years)
        sales, costs = (_later(each, what.receipts_late_years) for each in (self.sales, self.sale_costs))
        dearer = self.one_off * what.one_off, costs * what.one_off
        return Flows(saving * what.savings, *dearer, sales * what.receipts, self.later, self.worth)

    def payback_year(self) -> int | None:
        """The year in which the plan pays back: the first from which its discounted total is never negative again.

        0 where it never is; None where it ends below nothing.  There is no other payback in the program.
        """
        short = np.flatnonzero(np.round(np.cumsum(self.worth.factor * self.net), 2) < 0)
        if not len(short):
            return 0
        return None if short[-1] == len(self.net) - 1 else int(short[-1]) + 1


def _later(flow: Floats, years: int) -> Floats:
    """What falls in each year, so many years later; what falls beyond the horizon is left out."""
    kept = max(len(flow) - years, 0)
    return np.append(np.zeros(len(flow) - kept), flow[:kept])


def flows(scenario: Scenario, book: Ledger) -> Flows:
    """The ledger's entries by year; those beyond the horizon (a lease that ends later) are left out."""
    horizon = scenario.money.horizon_years
    entries = pd.concat([book.yearly, book.once, book.later], ignore_index=True)
    entries = entries[entries["year"] < horizon]

    def by_year(*lines: str) -> Floats:
        chosen = entries[entries["line"].isin(lines)]
        total = np.zeros(horizon, dtype=np.int64)
        np.add.at(total, chosen["year"].to_numpy(dtype=np.int64), chosen["pence"].to_numpy(dtype=np.int64))
        return total / 100

    return Flows(
        by_year(*YEARLY), by_year(*ONE_OFF), by_year(SALE_COST), by_year(*SALES), by_year(*LATER), discounting(scenario)
    )


def cash_flow_table(scenario: Scenario, cash: Flows, baseline_gbp_pa: float) -> pd.DataFrame:
    """One row for each year of the horizon, signed as the ledger; ``present_value_gbp = discount_factor x net_gbp``.

    Within the horizon ``one_off_gbp`` adds up to the summary's one-off costs, and ``sale_costs_met_gbp`` and ``sales_gbp`` to its
    receipts and revenue sums.
    """
    years = np.arange(len(cash.net))
    present = cash.worth.factor * cash.net
    return pd.DataFrame(
        {
            "year": years,
            "financial_year": [year_label(scenario.money.base_year + int(year)) for year in years],
            "running_cost_before_gbp": baseline_gbp_pa,
            "running_cost_after_gbp": np.round(baseline_gbp_pa - cash.saving, 2),
            "saving_gbp": cash.saving,
            "one_off_gbp": cash.one_off,
            "sale_costs_met_gbp": cash.sale_costs,
            "sales_gbp": cash.sales,
            "later_gbp": cash.later,
            "net_gbp": np.round(cash.net, 2),
            "discount_factor": cash.worth.factor,
            "present_value_gbp": np.round(present, 2),
            "cumulative_present_value_gbp": np.round(np.cumsum(present), 2),
        }
    )


def sensitivities_table(scenario: Scenario, cash: Flows) -> pd.DataFrame:
    """The option table: the plan as it stands, and as each sensitivity changes it (the plan itself stays the same)."""
    rows = []
    long = rule("discount-rate-long", scenario.money.base_year)
    cases = [(each, cash.changed(each)) for each in (Sensitivity(name="As planned"), *scenario.money.sensitivities)]
    if len(cash.net) > long.value and long.reaches(len(cash.net)):
        lower = Discounting(discount_factors(scenario.money.base_year, len(cash.net), long.id))
        cases.append((Sensitivity(name="Lower discount rates of 2026, for long horizons"), replace(cash, worth=lower)))
    for each, what_if in cases:
        year = what_if.payback_year()
        rows.append(
            {
                "name": each.name,
                "receipts": each.receipts,
                "one_off": each.one_off,
                "savings": each.savings,
                "delay_years": each.delay_years,
                "receipts_late_years": each.receipts_late_years,
                "npv_gbp": round(what_if.npv(), 2),
                "change_gbp": round(what_if.npv() - cash.npv(), 2),
                "annual_equivalent_saving_gbp_pa": round(what_if.npv() / what_if.worth.annuity, 2),
                "pays_back_in": "never" if year is None else year_label(scenario.money.base_year + year),
            }
        )
    return pd.DataFrame(rows)


_SUBJECT = {"receipts": "Receipts", "one_off": "One-off costs", "savings": "Running-cost savings"}


def switching_table(cash: Flows) -> pd.DataFrame:
    """How far each part would have to change, alone, for the plan to be worth nothing; one-off costs with all sale costs.

    Columns ``what, present_value_gbp, change_percent, npv_there_gbp, words``.  The net present value is linear in each
    part, so the change is exact; ``npv_there_gbp`` is evaluated again with it, and is 0 within a pound.  Blank where no change
    of that part alone decides.
    """
    whole = cash.npv()
    parts = {"receipts": cash.sales, "one_off": cash.one_off + cash.sale_costs, "savings": cash.saving}
    rows = []
    for name, flow in parts.items():
        part = float(cash.worth.factor @ flow)
        change = -100 * whole / part if part else float("nan")
        there = float("nan")
        if change >= -100:
            there = cash.changed(Sensitivity.model_validate({"name": name, name: max(1 + change / 100, 0.0)})).npv()
        rows.append(
            {
                "what": _SUBJECT[name],
                "present_value_gbp": round(part, 2),
                "change_percent": change if change >= -100 else float("nan"),
                "npv_there_gbp": there if np.isnan(there) else round(there, 2),
                "words": _switch_words(name, part, change, whole),
            }
        )
    return pd.DataFrame(rows)


def _switch_words(name: str, part: float, change: float, whole: float) -> str:
    subject = _SUBJECT[name]
    if not part:
        return f"The plan has no {subject.lower()}."
    if change < -100:
        worth = f"still worth £{whole - part:,.0f}" if whole > 0 else "still worth less than nothing"
        return f"{subject} alone do not decide it: with none at all, the plan is {worth}."
    verb = "fall" if change < 0 else "rise"
    then = "be worth nothing" if whole > 0 else "break even"
    return f"{subject} would have to {verb} by {abs(change):,.1f}% for the plan to {then}."
