"""Settings of purses: whose money pays for a plan, and how much of it there is in which year."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from estate.scenario.limits import NotNegative, Settings


class Budget(Settings):
    """A sum that comes to hand; what a year leaves unspent is at hand in the next."""

    gbp: NotNegative
    """How much."""
    kind: Literal["capital", "revenue"] = "capital"
    """Capital pays for fit-out; revenue for removal, leaving a building, and sale costs that no receipt may meet."""
    year: Annotated[int, Field(ge=2003, le=2200)] | None = None
    """The financial year from which it is at hand, by the calendar year it begins in; none: the base year."""


class Purse(Settings):
    """The money of one agency, or of several that pool theirs.

    An agency that no purse names keeps a purse of its own, without a limit.  A kind of spending of which a purse has no budget is
    not limited.
    """

    name: Annotated[str, Field(min_length=1, pattern=r"^[^.=]+$")]
    """What it is called; of one agency or of a pool."""
    agencies: Annotated[tuple[str, ...], Field(min_length=1)]
    """The agencies whose money it is: several only where they have agreed to pool."""
    power: str = ""
    """The legal power by which several pool, e.g. ``NHS Act 2006 s75``: printed, and asked for where there are several."""
    basis: Literal["gross", "net"] = "gross"
    """Net: a receipt counts towards the budget of its kind from the year in which it is banked; gross: it does not."""
    budgets: tuple[Budget, ...] = ()
    """What comes to hand, by kind and year."""
