"""Where each service is to be had, today and in the plan: ``places.csv``, and which moves are merges.

A counter that moves is *merged* when its new building also holds, in the plan, a counter of its service that is in another
building than it today: one that stays there, or one that comes there too.  Counters that share a building today and go on
together merge with nobody.  A building that another counter leaves as this one comes is no merge either: there are as many
places as before.

The table is one of its own because its districts are those of buildings; those of ``access.csv`` are where people live.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.place import Place, Plan
from estate.problem import Bools

EVERYWHERE = "everywhere"
"""The group of the row that counts the whole place; the others are of a ``district``."""


def merged(place: Place, plan: Plan) -> Bools:
    """(S,) access points that move to a building where, in the plan, they meet their service from another building."""
    together = pd.DataFrame({"service": place.point_service, "host": plan.host, "home": place.point_site})
    homes = together.groupby(["service", "host"])["home"].transform("nunique").to_numpy()
    moves = plan.host != place.point_site
    return np.asarray(moves & (homes > 1) & ~place.outside[plan.host], dtype=bool)


def places_table(place: Place, plan: Plan, public: Bools | None = None) -> pd.DataFrame:
    """One row for each service, everywhere and then by the district of the building, with how many places offer it.

    ``counters_moved`` and ``counters_merged`` (some of those moved) are counted where the counter is today.  Buildings outside
    the place are not counted.  A district in which a service neither is nor comes has no row for it; there are no rows by
    district where no building states one.  Services that people do not come to (not in ``public``, (K,)) have no rows.
    """
    points = pd.DataFrame({"service": place.access_points["service"].to_numpy(), "home": place.point_site, "host": plan.host})
    points["moved"] = plan.host != place.point_site
    points["merged"] = merged(place, plan)
    points = points if public is None else points[public[place.point_service]]
    district = place.sites["district"].fillna("").astype(str).to_numpy()
    grouped = {EVERYWHERE: np.full(len(place.sites), "", dtype=object), "district": district.astype(object)}
    if not (district != "").any():
        del grouped["district"]
    parts = []
    for group, value in grouped.items():
        counts = {}
        for name, column in (("places_before", "home"), ("places_after", "host")):
            at = points[~place.outside[points[column]]].drop_duplicates(["service", column])
            counts[name] = at.groupby(["service", value[at[column]]]).size()
        mine = points[~place.outside[points["home"]]]
        for name in ("moved", "merged"):
            counts[f"counters_{name}"] = mine.groupby(["service", value[mine["home"]]])[name].sum()
        part = pd.DataFrame(counts).fillna(0).astype(np.int64).rename_axis(["service", "value"]).reset_index()
        parts.append(part.assign(group=group))
    table = pd.concat(parts, ignore_index=True)
    table["change"] = table["places_after"] - table["places_before"]
    columns = ["service", "group", "value", "places_before", "places_after", "change", "counters_moved", "counters_merged"]
    order = table["group"].map({name: at for at, name in enumerate(grouped)})
    table = table.assign(order=order).sort_values(["service", "order", "value"], kind="stable")
    return table[columns].reset_index(drop=True)


def changed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows, everywhere, of services that more or fewer places have in the plan than today."""
    return table[(table["group"] == EVERYWHERE) & (table["change"] != 0)]
