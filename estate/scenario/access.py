"""Settings of services and of the access rules that hold for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from estate.scenario.limits import Limit, NotNegative, Positive, Settings

KIND_OF: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("clinic", "gp_practice", "health_centre", "pharmacy", "dentist"), "health")
    | dict.fromkeys(("council_office", "one_stop_shop", "contact_centre"), "council")
)
"""The kind that a service is of where its settings say nothing: an assumption of this program about what a visitor would call one
thing (the NHS; the council), not a published list.  ``services.NAME.kind`` says otherwise."""


class Service(Settings):
    """A kind of public counter."""

    label: str = ""
    """What people call it."""
    kind: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,31})?$")] = ""
    """Services of one kind are one to the people who come: a clinic beside a GP practice makes no hub.  Blank: as in
    :data:`KIND_OF`, else a kind of its own."""
    public: bool = True
    """``false``: people do not come to it (staff desks, storage, a call centre).  It needs floor area and a building, has no
    access rule, makes no hub, and is left out of every figure about people's journeys."""
    desk_m2: Positive | None = None
    """Floor area for each desk, in m2, with its share of everything else: an access point with ``staff_fte`` and no ``area_m2``
    needs ``staff_fte x desks_per_fte x desk_m2``."""
    desks_per_fte: Positive = 1.0
    """Desks for each full-time equivalent of staff."""
    aliases: tuple[str, ...] = ()
    """Other names the tables may use for it (``JCP``)."""
    hosts: tuple[str, ...] = ()
    """Kinds of building that may host it besides those it is in today; empty: any kind."""
    fitout_gbp_m2: NotNegative | None = None
    """Used where the rates table has no row for a service and kind of building."""
    reach: Limit | None = None
    """No counter of it moves farther than this from its building of today; instead of ``rules.reach``."""
    may_merge: bool = True
    """``false``: no counter of it goes where another is or comes, so that no place with the service is lost to a merge."""


ROOF = "+"
"""Between the names of services that are met under one roof."""


def under_one_roof(services: Iterable[str]) -> str:
    """What several services under one roof are called, in whatever order they are named: ``jobcentre+library``."""
    return ROOF.join(sorted(set(services)))


class Journey(StrEnum):
    """What is measured: how far people travel, or how far a service is moved."""

    HOME = "home-to-site"
    SITE = "site-to-site"


class Limb(Settings):
    """One test of a displacement rule."""

    limit: Limit
    """How far, or how long."""
    mode: str = ""
    """The mode it is measured in; blank: the scenario's own."""


class Standard(Settings):
    """One access rule.  With ``preset`` alone, the rule or rules of that published standard; other fields override it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Names the rule in results, and in ``--set standards.NAME.limit=...``."""
    service: str = ""
    """The service it is about."""
    services: tuple[str, ...] = ()
    """Instead of one: several services, met only by a building that has them all (with ``together = true``)."""
    together: bool = False
    """``true``: the ``services`` are under one roof."""
    preset: str = ""
    """A published standard to start from; 'estate standards' lists them."""
    measure: Journey = Journey.HOME
    """From home to a counter, or from the old counter to the new."""
    limit: Limit | None = None
    """How far, or how long: ``3 miles``, ``20 minutes``."""
    mode: str = ""
    """The mode it is measured in; blank: the scenario's own."""
    also: tuple[Limb, ...] = ()
    """Further limbs of a displacement rule (``3 miles`` *and* ``20 minutes by public transport``)."""
    join: Literal["all", "any"] = "all"
    """Whether every limb must hold, or one is enough."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The share of people who must be within the limit: 0.95 for 95%."""
    people: str = "everyone"
    """``everyone``, or a group column of the zones."""
    where: Mapping[str, str | bool | float] = {}
    """The zones it holds for: a label column and its value (``rural_urban = "urban"``, ``imd_rank = "<= 4926"``)."""
    each: str = ""
    """Hold separately for *each* value of this zone column."""
    beyond: Literal["no-worse", "strict"] = "no-worse"
    """Zones beyond the limit today: may not get worse, or must come within it."""
    tolerance: Limit | None = None
    """How much worse ``no-worse`` still allows."""
    test: Literal["moved", "nearest"] = "nearest"
    """Displacement: the point's own new site, or any site with the service near the old one."""
    action: Literal["forbid", "flag", "price"] = "forbid"
    """Displacement beyond the limit is forbidden, listed for consultation, or priced."""
    price_gbp: NotNegative = 0.0
    """Pounds a year for each displacement beyond the limit (``action = "price"``)."""
    backup: Annotated[int, Field(ge=1, le=3)] = 1
    """How many sites must be within the limit."""
    source: str = ""
    """Where the rule comes from; printed with it."""
    status: str = ""
    """Whether it is in force."""
    on: bool = True
    """``false`` switches the rule off."""

    @model_validator(mode="before")
    @classmethod
    def one_roof(cls, given: Any) -> Any:
        """Several services under one roof go by one name, :func:`under_one_roof` of them, wherever a service is named."""
        if not isinstance(given, Mapping) or not given.get("services"):
            return given
        services, own = tuple(given["services"]), str(given.get("service", ""))
        if len(set(services)) < 2 or not all(isinstance(each, str) for each in services):
            raise ValueError("'services' names two services or more, each once")
        if own and ROOF not in own:
            raise ValueError("name 'service' or 'services', not both")
        if not given.get("together"):
            raise ValueError(
                "'services' are met under one roof: say so with together = true, or give each a standard of its own"
            )
        if given.get("measure", Journey.HOME) != Journey.HOME:
            raise ValueError("services under one roof are measured from home to site")
        return {**given, "service": under_one_roof(services)}

    @model_serializer(mode="wrap")
    def overrides(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A preset is stored with what overrides it and no defaults: reading it back must not override anything more."""
        found: dict[str, Any] = whole(self)
        return {name: value for name, value in found.items() if not self.preset or name in self.model_fields_set}

    @model_validator(mode="after")
    def complete(self) -> Standard:
        """A rule of its own needs a service and a limit."""
        if not self.preset and (not self.service or self.limit is None):
            raise ValueError("a standard needs 'service' and 'limit', or a 'preset'")
        if self.backup > 1 and (self.share < 1 or self.each):
            raise ValueError("'backup' goes with a rule for everybody: share = 1 and no 'each'")
        return self
