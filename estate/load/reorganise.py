"""Councils that pass to successors: their buildings, counters, and with them receipts and plans, change hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Where
from estate.place import Place
from estate.scenario import Reorganisation, Scenario
from estate.wording import suggestion


def reorganised(place: Place, scenario: Scenario) -> Place:
    """The place under the reorganisation that the scenario names, if any; an unknown name is one of its issues."""
    if not scenario.reorganised:
        return place
    way = next((each for each in scenario.reorganisation if each.name == scenario.reorganised), None)
    if way is None:
        names = [each.name for each in scenario.reorganisation]
        words = f"there is no reorganisation '{scenario.reorganised}'"
        where = Where(scenario.file.name, column="reorganised", value=scenario.reorganised)
        issue = Issue("scenario.unknown-reorganisation", words, suggestion(scenario.reorganised, names), where)
        return replace(place, issues=(*place.issues, issue))
    unknown = [each for each in way.dissolved if each not in place.agencies.index]
    if unknown:
        where = Where(scenario.file.name, column="reorganisation", value=", ".join(unknown))
        words = f"{', '.join(unknown)}: not in the agencies table"
        issues = [
            Issue("scenario.unknown-id", words, suggestion(unknown[0], list(map(str, place.agencies.index))), where),
        ]
        return replace(place, issues=(*place.issues, *issues))
    return passed_on(place, way)


def passed_on(place: Place, way: Reorganisation) -> Place:
    """The place with every dissolved agency's buildings and counters its successor's.

    A successor is of the kind of the first agency that it takes over, and takes part where any of them does.  An agency that
    several share passes to each what is in its districts.
    """
    agencies = place.agencies[~place.agencies.index.isin(way.dissolved)]
    made = []
    for successor in way.successors:
        old = place.agencies.loc[list(successor.of)]
        first = old.iloc[0].copy()
        first["name"] = successor.name or successor.agency
        first["takes_part"] = bool(old["takes_part"].any())
        first["source"] = f"reorganisation '{way.name}', vesting {way.vesting_date.isoformat()}"
        first.name = successor.agency
        made.append(first)
    added = pd.DataFrame(made).astype(agencies.dtypes.to_dict())
    added.index.name = agencies.index.name
    kept = agencies[~agencies.index.isin(added.index)]  # a council may go on under its own id
    together = pd.concat([kept, added]).sort_index(kind="stable")
    together.index = together.index.astype(place.agencies.index.dtype)
    district = place.sites["district"].astype(str).to_numpy(dtype=object)
    owner, runs = place.sites["agency"], place.access_points["agency"]
    frames = {
        "sites": place.sites.assign(agency=_heirs(owner, district, way)),
        "access_points": place.access_points.assign(agency=_heirs(runs, district[place.point_site], way)),
    }
    if "brought_in_by" in place.sites:  # who brought a building into a vehicle passes on as well
        frames["sites"]["brought_in_by"] = _heirs(place.sites["brought_in_by"], district, way)
    origin = dict(place.origin)
    if "agencies" in origin and len(origin["agencies"]) == len(place.agencies):
        rows = origin["agencies"].set_axis(place.agencies.index)
        first_of = {successor.agency: successor.of[0] for successor in way.successors}
        at = [each if each in rows.index else first_of[each] for each in together.index]
        origin["agencies"] = rows.loc[at].reset_index(drop=True)
    return Place(
        together, frames["sites"], frames["access_points"], place.zones, place.rates, place.hosting, place.travel, place.context,
        place.issues, place.digests, origin,
    )  # fmt: skip


def _heirs(agency: pd.Series[str], district: NDArray[np.object_], way: Reorganisation) -> pd.Series[str]:
    """Whose each row is when its agency has passed on."""
    heirs = [way.heir_in(str(each), there) for each, there in zip(agency, district, strict=True)]
    return pd.Series(heirs, index=agency.index).astype(agency.dtype)
