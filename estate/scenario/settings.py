"""The whole of a scenario, and the settings of the solver and the page."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from estate.scenario.access import KIND_OF, ROOF, Service, Standard
from estate.scenario.files import Adjust, Tables
from estate.scenario.limits import Fraction, Limit, Positive, Settings
from estate.scenario.money import Money
from estate.scenario.options import Options
from estate.scenario.partners import Partners, Reorganisation, Vehicle
from estate.scenario.programme import Programme
from estate.scenario.rules import Rules
from estate.scenario.travel import Travel


class Solver(Settings):
    """How hard to look."""

    name: Literal["highs", "cbc", "scip"] = "highs"
    """Which solver; the others are second opinions."""
    gap: Fraction = 0.0
    """Stop at this relative gap; 0: prove to the penny."""
    time_limit_s: Positive | None = None
    """Stop after so many seconds: such a run need not repeat exactly.  The limit of work then holds only where it is given."""
    work_limit: Annotated[int, Field(ge=1)] = 5_000
    """Stop after this much work (neighbourhoods, blocks, nodes), counted so that it repeats exactly: minutes on a conurbation."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of the solver."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Where it begins to look."""


class Page(Settings):
    """The planner's page."""

    tiles: str = ""
    """A tile address: off by default, since the page must work with no network."""
    tiles_attribution: str = ""
    """Whose tiles they are."""
    attribution: tuple[str, ...] = ()
    """Lines of acknowledgement printed on the page and in the workbook."""


class Scenario(Settings):
    """Everything a run needs to know.  ``folder`` is where relative paths start; it is not part of the identity."""

    def __repr__(self) -> str:
        return f"<Scenario {self.name}: {', '.join(self.services)}; {len(self.standards)} standards>"

    __str__ = __repr__

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Names the folder of the results: lower-case letters, digits and hyphens."""
    title: str = ""
    """What the page is headed."""
    description: str = ""
    """A sentence under the title."""
    base_date: dt.date | None = None
    """When the tables were true."""
    tables: Tables = Tables()
    """Which files fill the tables."""
    travel: Travel = Travel()
    """How far apart everything is."""
    services: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Service] = Field(min_length=1)
    """The kinds of counter, each under its own name."""
    standards: tuple[Standard, ...] = ()
    """How far people may have to go."""
    rules: Rules = Rules()
    """What may go where, and decisions taken."""
    money: Money = Money()
    """Prices, discounting, and what is optimised."""
    partners: Partners = Partners()
    """What 'estate partners' is asked besides: groups of agencies whose own best plan is wanted."""
    vehicle: Vehicle | None = None
    """A single property vehicle, whose books and whose holding together 'estate partners' works out."""
    reorganisation: tuple[Reorganisation, ...] = ()
    """Ways in which councils may pass to successors: 'estate partners' sets them side by side."""
    reorganised: str = ""
    """The one of them that this run is under, by name; blank: as the agencies stand."""
    programme: Programme | None = None
    """Over which years, in which order and with which money 'estate programme' carries a plan out; without it, all at once."""
    options: Options | None = None
    """What 'estate options' sets beside the plan: other plans, and the terms of the financial case."""
    adjust: tuple[Adjust, ...] = ()
    """Changes laid on the tables after they are read."""
    add_sites: tuple[Mapping[str, str | float | bool], ...] = ()
    """Further rows of the sites table: a building that could be used."""
    solver: Solver = Solver()
    """How hard to look."""
    page: Page = Page()
    """The planner's page."""
    folder: Path = Field(default=Path(), exclude=True)
    file: Path = Field(default=Path(), exclude=True)

    @field_validator("name")
    @classmethod
    def writable(cls, name: str) -> str:
        """The name becomes a folder: not one that Windows keeps for devices."""
        if re.fullmatch(r"con|prn|aux|nul|(com|lpt)[0-9]", name):
            raise ValueError(f"'{name}' is a device on Windows, so it cannot name a folder: choose another")
        return name

    @property
    def label(self) -> str:
        """The title, or the name."""
        return self.title or self.name

    def service_label(self, service: str) -> str:
        """What people call a service: its label, or its name with spaces."""
        if ROOF in service:
            first, *others = (self.service_label(each) for each in service.split(ROOF))
            *middle, last = (each[:1].lower() + each[1:] for each in others)
            return f"{', '.join([first, *middle])} and {last} under one roof"
        found = self.services.get(service)
        return found.label if found and found.label else service.replace("_", " ").capitalize()

    def kind_of(self, service: str) -> str:
        """What kind of thing a service is to the people who come: its own ``kind``, else the usual one, else itself."""
        found = self.services.get(service)
        return (found.kind if found else "") or KIND_OF.get(service, service)

    def is_public(self, service: str) -> bool:
        """Whether people come to a service."""
        found = self.services.get(service)
        return found is None or found.public

    def reach_of(self, service: str) -> Limit | None:
        """How far a counter of a service may move: the service's own ``reach``, else ``rules.reach``; None: anywhere."""
        found = self.services.get(service)
        return found.reach if found and found.reach else self.rules.reach

    @property
    def reaches(self) -> tuple[Limit, ...]:
        """Every limit on how far counters may move, each once: that of all, and those of single services."""
        every = (self.rules.reach, *(each.reach for _, each in sorted(self.services.items())))
        return tuple(dict.fromkeys(each for each in every if each is not None))


# ---------------------------------------------------------------------------------------------------------- reading


# ---------------------------------------------------------------------------------------------------------- patches
