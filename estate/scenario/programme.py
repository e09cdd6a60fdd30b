"""Settings of a programme: over which years a plan is carried out, in which order, and what pays for each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from estate.scenario.limits import Fraction, NotNegative, Settings

type CalendarYear = Annotated[int, Field(ge=2003, le=2200)]
"""A financial year, by the calendar year in which it begins."""


class Window(Settings):
    """When something may happen, if it happens at all."""

    of: Annotated[str, Field(min_length=1)]
    """A building (let go, or newly opened) or an access point (moved)."""
    not_before: CalendarYear | None = None
    """The first year in which it may."""
    not_after: CalendarYear | None = None
    """The last."""


class Before(Settings):
    """Something that must come in an earlier year than something else."""

    first: Annotated[str, Field(min_length=1)]
    """A building or an access point, let go, opened or moved by then."""
    then: Annotated[str, Field(min_length=1)]
    """What waits for it."""


class Loan(Settings):
    """Money that a purse may borrow; charges are revenue, from the year after it is drawn."""

    purse: Annotated[str, Field(min_length=1)]
    """Whose it is, as ``money.purses`` names it."""
    most_gbp: NotNegative
    """The most that may be drawn."""
    year: CalendarYear
    """When it is drawn."""
    rate: Fraction
    """Interest a year on what is outstanding, such as 0.05."""
    years: Annotated[int, Field(ge=1, le=60)]
    """Over how many years it is repaid."""
    repaid: Literal["straight-line", "annuity"] = "straight-line"
    """Minimum revenue provision: equal repayments, or equal charges."""


class Fund(Settings):
    """Money that purses may draw for capital and pay back out of revenue: what comes back is lent again."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^.=]+$")]
    """What it is called."""
    gbp: NotNegative
    """How much is in it: so much may be owed to it at a time, or drawn in all where it is a grant."""
    first_year: CalendarYear
    """The first year in which it may be drawn on."""
    last_year: CalendarYear
    """The last."""
    repaid_over_years: Annotated[int, Field(ge=0, le=60)]
    """Each sum drawn is paid back in so many equal parts, from the year after it is drawn; 0: a grant, which is not."""
    purses: tuple[str, ...] = ()
    """Who may draw on it; none: every purse with a capital budget."""


class Case(Settings):
    """How money may turn out: a row of the cases under which a programme is chosen again."""

    name: Annotated[str, Field(min_length=1)]
    """What it is called."""
    receipts: NotNegative = 1.0
    """Prices of sales times this."""
    receipts_late_years: Annotated[int, Field(ge=0, le=20)] = 0
    """Every sale is paid so many years later."""
    works: NotNegative = 1.0
    """One-off costs times this."""
    savings: NotNegative = 1.0
    """Running costs, and so savings, times this."""


class Programme(Settings):
    """Decision years, apart from ``money.horizon_years``: a plan and its order are chosen together.

    Whose money pays, and when it comes to hand, is ``money.purses``.
    """

    first_year: CalendarYear | None = None
    """The first year in which anything moves; none: ``money.closing_year`` after the base year."""
    years: Annotated[int, Field(ge=1, le=40)] = 10
    """How many years there are to decide about."""
    least_cost_to: CalendarYear | None = None
    """Least cost, not discounted, to the end of this year; none: the greatest net present value over the horizon."""
    most_moves_a_year: Annotated[int, Field(ge=1)] | None = None
    """So many access points move in a year at most."""
    within_years: bool = True
    """Everything is done within the years; else a lease that lets go later is waited for, as the last step."""
    recycled: Mapping[str, Fraction] = {}
    """Purse = the share of the running cost it saves that it may spend again."""
    leases: Literal["renewed", "left"] = "renewed"
    """What becomes of a building in use when its lease ends: kept at its present cost (or as stated), or left by then."""
    renewed_gbp_pa: Mapping[str, NotNegative] = {}
    """Building = its running cost a year once its lease has been renewed."""
    notice_months: Annotated[int, Field(ge=0, le=36)] = 6
    """Months of notice before a lease is broken or ends: dates of the lease diary."""
    windows: tuple[Window, ...] = ()
    """When things may happen."""
    before: tuple[Before, ...] = ()
    """What must come before what."""
    loans: tuple[Loan, ...] = ()
    """What may be borrowed."""
    funds: tuple[Fund, ...] = ()
    """What may be drawn and is paid back, or is granted."""
    reorganised_as: str = ""
    """Which ``reorganisation`` takes place: from its vesting date successors decide, pay and are paid."""
    flexible_use: bool = False
    """Whether receipts may meet removal and leaving costs where a direction allows it: both in its years, of one authority."""
    cases: tuple[Case, ...] = (
        Case(name="Receipts a fifth lower", receipts=0.8),
        Case(name="Receipts two years late", receipts_late_years=2),
        Case(name="Works up 24%", works=1.24),
        Case(name="Savings down 10%", savings=0.9),
    )
    """How money may turn out: what the programme would be worth then, and which does least badly over all of them."""
