"""The place as the referee reads it: rows by id in plain dictionaries, and what one check found.

Nothing here knows a price, a limit or a rule; those are in the modules beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from estate.errors import Issue
from estate.place import Place, Plan
from estate.scenario import KIND_OF, ROOF, Scenario, Standard
from estate.standards.presets import rules as expanded
from estate.travel.pairs import TravelTables

type Row = Mapping[str, Any]

NAMED = 8
"""So many broken rows are named in a message; the rest are counted."""


def number(value: Any) -> float:
    """A cell as a number; a blank is nothing."""
    return 0.0 if value is None or pd.isna(value) else float(value)


def blank(value: Any) -> bool:
    """Whether a cell holds no number or date."""
    return value is None or bool(pd.isna(value))


def plain(cell: Any) -> str:
    """A cell of a published table as text; a blank is empty, and what was done to make text harmless is undone."""
    if blank(cell):
        return ""
    text = "".join(" " if ord(letter) < 32 else letter for letter in str(cell))
    return text[1:] if text.startswith("'") and text[1:2] in ("=", "+", "-", "@", " ") else text


@dataclass(frozen=True, slots=True)
class Decision:
    """A plan by id: the sites that are open and the site of each access point."""

    open: frozenset[str]
    host: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule checked on ``checked`` rows; ``broken`` names the rows that break it."""

    rule: str
    checked: int
    broken: tuple[str, ...]
    says: str

    def issue(self) -> Issue:
        """The broken rows as an issue."""
        some = "; ".join(self.broken[:NAMED])
        more = f"; and {len(self.broken) - NAMED} more" if len(self.broken) > NAMED else ""
        return Issue(f"referee.{self.rule}", f"{self.says}: {some}{more}", "this is a fault in the program: please report it")


def finding(rule: str, checked: int, broken: Iterable[str], says: str) -> Finding:
    """A finding, its broken rows in order."""
    return Finding(rule, checked, tuple(sorted(broken)), says)


@dataclass(frozen=True, eq=False)
class Case:
    """What is judged: the tables by id, the scenario with its presets written out, and the travel tables.

    Travel speaks of zones and sites by position, ``position`` and ``site_ids`` translate.  ``memo`` holds what two plans of one
    case share.
    """

    scenario: Scenario
    travel: TravelTables
    agencies: Mapping[str, Row]
    sites: Mapping[str, Row]
    points: Mapping[str, Row]
    zones: pd.DataFrame
    rates: Mapping[tuple[str, str], Row]
    hosting: Mapping[tuple[str, str], Row]
    standards: tuple[Standard, ...]
    site_ids: tuple[str, ...]
    position: Mapping[str, int]
    today: Decision
    memo: dict[Any, Any] = field(default_factory=dict)

    @property
    def services(self) -> tuple[str, ...]:
        """The services of the place, sorted."""
        return tuple(sorted({row["service"] for row in self.points.values()}))

    def public(self, service: str) -> bool:
        """Whether people come to a service: its settings say so, or say nothing."""
        setting = self.scenario.services.get(service)
        return setting is None or setting.public

    @property
    def visited(self) -> tuple[str, ...]:
        """The services of the place that people come to, sorted."""
        return tuple(each for each in self.services if self.public(each))

    def has(self, service: str) -> bool:
        """Whether some counter of a service, or of each of several that are met under one roof, is in the tables."""
        return set(service.split(ROOF)) <= set(self.services)

    def kinds(self, services: Iterable[str]) -> set[str]:
        """The kinds of thing that some services are to the people who come; spaces that nobody comes to are none."""
        found = set()
        for service in services:
            if self.public(service):
                setting = self.scenario.services.get(service)
                stated = setting.kind if setting is not None else ""
                found.add(stated or KIND_OF.get(service, service))
        return found

    def outside(self, site: str) -> bool:
        """Whether a site serves people but belongs to somebody else's estate."""
        return bool(self.sites[site]["status"] == "outside")

    def paid_today(self, site: str) -> bool:
        """Whether a site of the place is paid for today."""
        return site in self.today.open and not self.outside(site)

    def keeper(self, site: str) -> str:
        """The title holder, or where a property vehicle has the title who brought the building in."""
        row = self.sites[site]
        return str(row.get("brought_in_by") or row["agency"])

    def released(self, decision: Decision) -> list[str]:
        """Sites of the place that are paid for today and let go."""
        return [site for site in self.sites if self.paid_today(site) and site not in decision.open]

    def opened(self, decision: Decision) -> list[str]:
        """Sites of the place that are not in use today and are opened."""
        return [site for site in decision.open if site not in self.today.open]

    def moved(self, decision: Decision) -> list[str]:
        """Access points that leave their building."""
        return [point for point, site in decision.host.items() if site != self.today.host[point]]


def case_of(place: Place, scenario: Scenario, travel: TravelTables) -> Case:
    """The case of a place under a scenario."""
    sites: dict[str, Row] = place.sites.to_dict("index")  # type: ignore[assignment]
    points: dict[str, Row] = place.access_points.to_dict("index")  # type: ignore[assignment]
    home = {point: str(row["site_id"]) for point, row in points.items()}
    used = set(home.values())
    paid = {site for site, row in sites.items() if row["in_use"] or site in used or row["status"] == "outside"}
    ids = tuple(sites)
    return Case(
        scenario=scenario,
        travel=travel,
        agencies=place.agencies.to_dict("index"),  # type: ignore[arg-type]
        sites=sites,
        points=points,
        zones=place.zones.reset_index(),
        rates=place.rates.to_dict("index"),  # type: ignore[arg-type]
        hosting=place.hosting.to_dict("index"),  # type: ignore[arg-type]
        standards=expanded(scenario),
        site_ids=ids,
        position={site: at for at, site in enumerate(ids)},
        today=Decision(frozenset(paid), home),
    )


def under(case: Case, scenario: Scenario) -> Case:
    """The same tables and travel under another scenario."""
    return replace(case, scenario=scenario, standards=expanded(scenario), memo={})


def decision_of(case: Case, plan: Plan) -> tuple[Decision | None, Finding]:
    """A plan by id; None where it is not one open site or closed for each site, and one existing site for each point."""
    broken = []
    if plan.open.shape != (len(case.sites),) or plan.open.dtype != bool:
        broken.append(f"open has shape {plan.open.shape} for {len(case.sites)} sites")
    if plan.host.shape != (len(case.points),) or plan.host.dtype.kind not in "iu":
        broken.append(f"host has shape {plan.host.shape} for {len(case.points)} access points")
    else:
        broken += [
            f"{point} is at no site" for point, at in zip(case.points, plan.host, strict=True) if not 0 <= at < len(case.sites)
        ]
    found = finding("somewhere", len(case.points), broken, "every access point is at exactly one site")
    if broken:
        return None, found
    opened = frozenset(site for site, kept in zip(case.sites, plan.open, strict=True) if kept)
    return Decision(opened, {p: case.site_ids[at] for p, at in zip(case.points, plan.host.tolist(), strict=True)}), found
