"""Settings of what may go where, and of decisions already taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from estate.scenario.limits import Limit, Positive, Settings
from estate.scenario.partners import WorseOff


class Count(Settings):
    """At least or at most so many hubs or sites, in the whole place or where a site column has a value."""

    what: Literal["sites", "hubs"] = "sites"
    """Sites that stay open, or hubs: buildings with public services of two or more kinds."""
    at_least: Annotated[int, Field(ge=0)] | None = None
    """The fewest there may be."""
    at_most: Annotated[int, Field(ge=0)] | None = None
    """The most there may be."""
    where: Mapping[str, str] = {}
    """Site column = value: only these sites are counted."""


class Decision(Settings):
    """Who decided a lock, when, and where that is minuted."""

    by: Annotated[str, Field(min_length=1)]
    """Who decided: ``Cabinet``."""
    on: dt.date
    """When."""
    minute: str = ""
    """Where it is recorded: ``minute 41``."""
    status: Literal["provisional", "final"] = "provisional"
    """Whether it may still change."""
    sites: tuple[str, ...] = ()
    """Sites that it keeps or closes: each is in ``keep`` or ``close``, or so marked in its table."""
    access_points: tuple[str, ...] = ()
    """Access points that it fixes: each is in ``fixed``."""

    @property
    def words(self) -> str:
        """``Cabinet, 12 November 2026, minute 41``, with a word more where it is not final."""
        said = [self.by, f"{self.on.day} {self.on:%B %Y}", *([self.minute] if self.minute else [])]
        return ", ".join(said) + (" (provisional)" if self.status == "provisional" else "")


class Rules(Settings):
    """What may go where, and the decisions already taken."""

    keep: tuple[str, ...] = ()
    """Sites that stay open."""
    close: tuple[str, ...] = ()
    """Sites that must close."""
    fixed: Mapping[str, str] = {}
    """Access point = site: a decision taken."""
    decisions: tuple[Decision, ...] = ()
    """The register: who decided which of these locks."""
    may_not_share: tuple[tuple[str, str], ...] = ()
    """Pairs of services that may not be in one building, besides where they are today."""
    must_share: tuple[tuple[str, str], ...] = ()
    """Pairs of services that must be in one building."""
    barred: Mapping[str, tuple[str, ...]] = {}
    """Site column = values that may not receive anybody (``epc = ["F", "G"]``, ``step_free = ["no"]``)."""
    out: tuple[str, ...] = ()
    """Agencies that do not take part, besides those whose table row says so."""
    other_uses_move: tuple[str, ...] = ()
    """Sites whose other uses can move, so that they may close."""
    reach: Limit | None = None
    """No point moves farther than this from its site of today, unless its service says (a limit on the search as well)."""
    counts: tuple[Count, ...] = ()
    """How many sites or hubs there may be."""
    throughput: Mapping[str, Positive] = {}
    """Site column with its yearly visits capacity: ``{column = factor}``."""
    no_agency_worse_off: WorseOff | None = None
    """No agency that takes part pays more than today, or than by itself; none: not asked."""
