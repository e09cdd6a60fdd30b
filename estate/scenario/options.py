"""Settings of options set side by side: which others there are, and what the financial case adds to the economic one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from estate.scenario.limits import Fraction, Settings
from estate.scenario.programme import Loan

WORKS_AND_FEES = (
    "fitout", "opening_capital", "optimism_bias", "refit", "backlog_met", "removal", "disposal_from_receipt",
    "disposal_to_revenue",
)  # fmt: skip
"""Lines of the books that bear value added tax unless a scenario says otherwise: works, and fees for moving and selling."""
MAY_BEAR_VAT = (*WORKS_AND_FEES, "exit_cost", "holding_cost", "void_cost")
"""Lines that are paid to somebody for something."""
DECIDES = (
    "rules.", "standards.", "services.", "money.objective", "money.purses", "money.capital_budget_gbp", "money.budget_basis",
    "money.running_budget_gbp_pa", "money.longest_payback_years",
)  # fmt: skip
"""Settings that choose between plans, and leave every figure of the place as it is."""


class Alternative(Settings):
    """Another plan to set beside this one: the best under other rules or another aim, on the same figures."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^.=]+$")]
    """What it is called."""
    changes: Annotated[Mapping[str, Any], Field(min_length=1)]
    """A setting's dotted name and its value, as in a what-if: rules, standards, services, or what money is to do."""

    @field_validator("changes")
    @classmethod
    def decides_only(cls, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Options are set side by side on the same figures: what changes a figure makes no option."""
        wrong = [key for key in changes if not key.startswith(DECIDES) or key.endswith(".fitout_gbp_m2")]
        if wrong:
            named = ", ".join(f"'{key}'" for key in wrong)
            raise ValueError(f"{named}: an alternative decides otherwise on the same figures, so it may change {_allowed()}")
        return changes


def _allowed() -> str:
    return ", ".join(f"{each}*" if each.endswith(".") else each for each in DECIDES)


class Options(Settings):
    """What 'estate options' sets beside the plan, and how its financial case is drawn up."""

    alternatives: tuple[Alternative, ...] = ()
    """Other plans; none: the usual two, which the table names."""
    inflation: Annotated[float, Field(ge=-0.05, le=0.25)] = 0.0
    """Rise of every price a year, in the financial case alone; budgets and loans are in the money of their year already."""
    vat: Fraction = 0.0
    """Rate of value added tax on ``vat_on``, whose amounts in the tables are then taken to be without it."""
    vat_on: tuple[str, ...] = WORKS_AND_FEES
    """Lines of the books that bear it."""
    vat_recovered: Mapping[str, Fraction] = {}
    """Kind of agency = the share of that tax it recovers; wanted for every kind that pays any, once a rate is set."""
    loans: tuple[Loan, ...] = ()
    """What purses may borrow for capital that receipts and budgets do not meet; none: the loans of the programme."""

    @model_validator(mode="after")
    def told_apart(self) -> Options:
        """Each alternative has a name of its own."""
        names = [each.name for each in self.alternatives]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two alternatives are called '{twice}': rename one")
        return self
