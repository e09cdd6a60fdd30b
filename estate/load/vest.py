"""A property vehicle: the freeholds of its members pass to it, and it stands among the agencies.

Leases, PFI contracts and the rents of members who let stay with who has them, and so do the titles of who stays out.  Each
building keeps a record of who brought it in (``brought_in_by``): its other uses and its empty rooms are still charged to that
member, and a newcomer is still let in by it.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from estate.errors import Issue, Where
from estate.place import Place
from estate.scenario import Scenario, Vehicle
from estate.tables import AGENCY_KINDS
from estate.wording import suggestion


def members(place: Place, scenario: Scenario) -> tuple[str, ...]:
    """Those who join the vehicle of a scenario, sorted: its members that take part."""
    if scenario.vehicle is None:
        return ()
    part = place.agencies.index[place.agencies["takes_part"].to_numpy(dtype=bool)]
    return tuple(sorted(set(scenario.vehicle.members) & set(part.astype(str)) - set(scenario.rules.out)))


def holds_titles(scenario: Scenario) -> str:
    """The id of the vehicle to which titles have passed; blank where there is none."""
    return scenario.vehicle.agency if scenario.vehicle is not None and scenario.vehicle.holds_titles else ""


def vested(place: Place, scenario: Scenario) -> Place:
    """The place with its members' freeholds in the vehicle, where the scenario has one that holds titles.

    What does not fit (an id that is taken, an unknown kind) is one of its issues.
    """
    vehicle = scenario.vehicle
    if vehicle is None or not holds_titles(scenario):
        return place
    if issues := _misfits(place, scenario, vehicle):
        return replace(place, issues=(*place.issues, *issues))
    title = place.sites["agency"].astype(str)
    passes = title.isin(members(place, scenario)) & (place.sites["tenure"] == "freehold") & ~place.outside
    sites = place.sites.assign(
        agency=title.mask(passes, vehicle.agency).astype(place.sites["agency"].dtype),
        brought_in_by=title.where(passes, "").astype(object),
    )
    blank = dict.fromkeys(place.agencies.columns, "")  # all but the flags are text
    row = {**blank, "name": vehicle.name, "kind": vehicle.kind, "takes_part": True, "source": "scenario: vehicle"}
    if "confidential" in blank:
        row["confidential"] = False
    made = pd.DataFrame([row], index=pd.Index([vehicle.agency], name=place.agencies.index.name))
    together = pd.concat([place.agencies, made.reindex(columns=place.agencies.columns).astype(place.agencies.dtypes.to_dict())])
    together.index = together.index.astype(place.agencies.index.dtype)
    agencies = together.sort_index(kind="stable")
    origin = dict(place.origin)
    if "agencies" in origin and len(origin["agencies"]) == len(place.agencies):
        rows = origin["agencies"].set_axis(place.agencies.index)
        own = pd.DataFrame({"file": scenario.file.name, "row": 0}, index=[vehicle.agency]).reindex(columns=rows.columns)
        origin["agencies"] = pd.concat([rows, own]).loc[list(agencies.index)].reset_index(drop=True)
    return replace(place, agencies=agencies, sites=sites, origin=origin)


def _misfits(place: Place, scenario: Scenario, vehicle: Vehicle) -> list[Issue]:
    found = []
    if vehicle.agency in place.agencies.index:
        where = Where(scenario.file.name, column="vehicle.agency", value=vehicle.agency)
        words = f"'{vehicle.agency}' is the id of an agency already"
        found.append(Issue("scenario.vehicle-id", words, "give the vehicle an id of its own (vehicle.agency)", where))
    if vehicle.kind not in AGENCY_KINDS:
        where = Where(scenario.file.name, column="vehicle.kind", value=vehicle.kind)
        words = f"'{vehicle.kind}' is not a kind of agency"
        found.append(Issue("scenario.unknown-kind", words, suggestion(vehicle.kind, AGENCY_KINDS), where))
    return found
