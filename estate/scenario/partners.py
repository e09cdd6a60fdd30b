"""Settings of partners: nobody worse off, a property vehicle, and councils that pass to successors."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from estate.scenario.limits import NotNegative, Settings


class WorseOff(Settings):
    """No agency may be worse off, without payments between them."""

    against: Literal["today", "alone"] = "today"
    """What each is held against: its bill today, or its bill if it does the best that it can do by itself."""
    measured: Literal["running-cost", "annual-equivalent"] = "running-cost"
    """Its share of running cost, or that with one-off costs and receipts spread over the years."""
    transfers: bool = False
    """With payments between agencies: against today this asks nothing of a plan that saves anything, and says so."""


class Partners(Settings):
    """What 'estate partners' is asked besides."""

    groups: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    """Groups of agencies, each by their ids, whose own best plan is printed: ``[["RBC", "WMP"], ["WCC", "DWP", "CAB"]]``."""

    @model_validator(mode="after")
    def each_once(self) -> Self:
        """No agency twice in a group, and no group twice."""
        for group in self.groups:
            twice = sorted({each for each in group if group.count(each) > 1})
            if twice:
                raise ValueError(f"{', '.join(twice)}: named twice in the group {'+'.join(group)}")
        sets = [frozenset(group) for group in self.groups]
        again = next((group for n, group in enumerate(self.groups) if frozenset(group) in sets[:n]), None)
        if again is not None:
            raise ValueError(f"the group {'+'.join(again)} is asked for twice")
        return self


class Vehicle(Settings):
    """A body to which its members pass the titles of their buildings, and which charges them for space."""

    name: str = "the property vehicle"
    """What it is called."""
    agency: Annotated[str, Field(min_length=1, max_length=64)] = "VEHICLE"
    """Its short id: it is an agency beside the others, with books of its own."""
    kind: str = "other"
    """Its kind of agency, by which the law of its sales is looked up; 'other' is bound by none that is known here."""
    members: Annotated[tuple[str, ...], Field(min_length=2)]
    """Agencies that join it; one that does not take part stays out of it too."""
    holds_titles: bool = True
    """Whether the freeholds of its members pass to it, and with them sales, their cost, and buildings while they are empty;
    else it only manages, and titles stay where they are."""
    overhead_gbp_pa: NotNegative = 0.0
    """What it costs to run, a year."""
    equity: Literal["value", "equal"] = "value"
    """Shares in it: by the value of the buildings brought in, or equal."""
    overhead: Literal["equal", "in-proportion"] = "in-proportion"
    """How its overhead is charged: the same to each, or in proportion to what each would pay by itself."""


class Successor(Settings):
    """A new council and the agencies it takes over from."""

    agency: Annotated[str, Field(min_length=1, max_length=64)]
    """Its short id."""
    name: str = ""
    """What people call it."""
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    """The agencies that are dissolved into it."""
    districts: tuple[str, ...] = ()
    """Its part of an agency that several successors share, as a county council in two: what is in these districts (sites)."""


class Reorganisation(Settings):
    """A mapping of agencies to successors, to whom buildings, counters, receipts and plans pass on a day."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """What the mapping is called."""
    vesting_date: dt.date
    """The day on which the successors take over."""
    direction_date: dt.date | None = None
    """From when the disposals and contracts of councils to be dissolved may need consent; none: from the base year."""
    successors: Annotated[tuple[Successor, ...], Field(min_length=1)]
    """The new councils."""

    @model_validator(mode="after")
    def once_each(self) -> Self:
        """An agency that passes to several successors is shared by district, and no district is two successors'."""
        shared = self.shared
        for successor in self.successors:
            for each in sorted(shared & set(successor.of)):
                if not successor.districts:
                    raise ValueError(f"{each}: passes to several successors, so each needs its districts ({successor.agency})")
        named = [each for successor in self.successors for each in successor.districts]
        twice = sorted({each for each in named if named.count(each) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: a district is one successor's")
        return self

    @property
    def shared(self) -> frozenset[str]:
        """Agencies that pass to more than one successor."""
        gone = [each for successor in self.successors for each in set(successor.of)]
        return frozenset(each for each in gone if gone.count(each) > 1)

    @property
    def dissolved(self) -> tuple[str, ...]:
        """The agencies that pass to a successor, sorted."""
        return tuple(sorted({each for successor in self.successors for each in successor.of}))

    @property
    def heir(self) -> dict[str, str]:
        """The successor of each agency that is dissolved; of a shared one the first."""
        return {each: self.heir_in(each, "") for each in self.dissolved}

    def heir_in(self, agency: str, district: str) -> str:
        """Who takes over what an agency has in a district; the agency itself where it is not dissolved.

        What a shared agency has outside every district that is named passes to the first successor that shares it.
        """
        takes = [successor for successor in self.successors if agency in successor.of]
        there = [successor for successor in takes if district in successor.districts]
        return (there or takes)[0].agency if takes else agency
