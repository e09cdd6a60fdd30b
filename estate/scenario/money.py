"""Settings of money: prices, discounting, and what is optimised."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from estate.scenario.limits import Fraction, NotNegative, Positive, Settings
from estate.scenario.purses import Purse


class Objective(StrEnum):
    """What is made least, or most: everything else that differs by objective asks here, or is keyed by it."""

    RUNNING_COST = "running-cost"
    ANNUAL_EQUIVALENT = "annual-equivalent"
    PEOPLE_WITHIN = "people-within"
    LEAST_TRAVEL = "least-travel"
    LEAST_FARTHEST = "least-farthest"

    @property
    def in_money(self) -> bool:
        """Whether its value is GBP a year (pence inside), and not people, metres or seconds."""
        return self in (Objective.RUNNING_COST, Objective.ANNUAL_EQUIVALENT)

    @property
    def better(self) -> str:
        """What is said of a plan that is better by it: "no other plan ..."."""
        return _BETTER[self]


_BETTER = {
    Objective.RUNNING_COST: "has a lower running cost",
    Objective.ANNUAL_EQUIVALENT: "costs less a year, with one-off costs and receipts spread over time",
    Objective.PEOPLE_WITHIN: "brings more people within the limits",
    Objective.LEAST_TRAVEL: "means less travel",
    Objective.LEAST_FARTHEST: "brings the farthest people closer",
}


class Sensitivity(Settings):
    """One row of the option table: what is changed, in the books only (the plan stays)."""

    name: str
    """What it is called in the option table."""
    receipts: NotNegative = 1.0
    """Receipts times this."""
    one_off: NotNegative = 1.0
    """One-off costs times this."""
    savings: NotNegative = 1.0
    """Savings times this."""
    delay_years: Annotated[int, Field(ge=0, le=10)] = 0
    """Savings begin so many years later."""
    receipts_late_years: Annotated[int, Field(ge=0, le=20)] = 0
    """Every sale is paid so many years later."""


class Money(Settings):
    """Prices, discounting, and what is optimised."""

    objective: Objective = Objective.RUNNING_COST
    """What is made least, or most."""
    price_base: str = ""
    """The prices that every figure is in, e.g. ``2015-16``."""
    base_year: Annotated[int, Field(ge=2003, le=2100)] = 2025
    """Financial year 0, by the calendar year it begins in; discounting and dated rules start here."""
    horizon_years: Annotated[int, Field(ge=1, le=350)] = 30
    """Years that are appraised; the Green Book's rates step down to 1.0% from year 301."""
    closing_year: Annotated[int, Field(ge=0, le=20)] = 1
    """Years after the base year in which buildings are let go, unless a lease says later."""
    decided_for: Mapping[str, Annotated[int, Field(ge=2003, le=2200)]] = {}
    """Building or access point = the financial year for which it is decided, where that is not ``closing_year``.

    An access point that is not named goes when its building of today may.
    """
    running_budget_gbp_pa: NotNegative | None = None
    """With another objective than cost: running cost may not exceed this (none: today's)."""
    purses: tuple[Purse, ...] = ()
    """Whose money it is: budgets of agencies, and of pools that they have agreed on."""
    capital_budget_gbp: NotNegative | None = None
    """The most capital that all agencies together may spend; pools them all, which ``purses`` need not."""
    budget_basis: Literal["gross", "net"] = "gross"
    """Whether receipts count towards that budget, from the year in which they are banked."""
    longest_payback_years: Positive | None = None
    """The plan has paid back by the end of so many years from year 0: its discounted total is below nothing no longer."""
    holding_share: Mapping[str, Fraction] = {}
    """Kind of building = share of its running cost that is still paid while it is empty: from closing to sale, or void."""
    void_years: NotNegative = 1.0
    """Years that a building left by its tenants stays empty with a landlord among the agencies, who bears its holding cost."""
    backlog_year: Annotated[int, Field(ge=0, le=60)] | None = None
    """Year after the base year in which repairs outstanding are met, which a building left by then avoids; none: never."""
    refit_years: Annotated[int, Field(ge=1, le=60)] | None = None
    """A fit-out is made again, at the same cost, every so many years; none: once is for good."""
    residual_value: bool = False
    """Whether what stands at the end of the horizon counts: a building let go is missed at its value, a fit-out not yet worn."""
    optimism_bias: Mapping[str, Fraction] = {}
    """Kind of building = uplift on one-off capital costs."""
    split: Literal["floor-area", "lead-agency"] = "floor-area"
    """How a shared building's running cost is split between its agencies."""
    pfi_exit_gbp: Mapping[str, NotNegative] = {}
    """PFI site = the price of leaving: without one it cannot be released."""
    sensitivities: tuple[Sensitivity, ...] = (
        Sensitivity(name="Receipts halved", receipts=0.5),
        Sensitivity(name="Receipts two years late", receipts_late_years=2),
        Sensitivity(name="One-off costs up 24%", one_off=1.24),
        Sensitivity(name="Savings a year late", delay_years=1),
        Sensitivity(name="Savings down 10%", savings=0.9),
        Sensitivity(name="All of these", receipts=0.5, one_off=1.24, savings=0.9, delay_years=1),
    )
    """Rows of the option table."""
