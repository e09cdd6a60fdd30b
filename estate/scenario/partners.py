"""Settings of partners: a property vehicle, and nobody worse off."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from estate.scenario.limits import NotNegative, Settings


class WorseOff(Settings):
    """No agency may be worse off, without payments between them."""

    against: Literal["today", "alone"] = "today"
    """What each is held against: its bill today, or its bill if it does the best that it can do by itself."""
    measured: Literal["running-cost", "annual-equivalent"] = "running-cost"
    """Its share of running cost, or that with one-off costs and receipts spread over the years."""
    transfers: bool = False
    """With payments between agencies: against today this asks nothing of a plan that saves anything, and says so."""


class Vehicle(Settings):
    """A body to which its members pass the titles of their buildings, and which charges them for space."""

    name: str = "the property vehicle"
    """What it is called."""
    members: Annotated[tuple[str, ...], Field(min_length=2)]
    """Agencies that pass their titles to it."""
    overhead_gbp_pa: NotNegative = 0.0
    """What it costs to run, a year."""
    equity: Literal["value", "equal"] = "value"
    """Shares in it: by the value of the buildings brought in, or equal."""
    overhead: Literal["equal", "in-proportion"] = "in-proportion"
    """How its overhead is charged: the same to each, or in proportion to what each would pay by itself."""
