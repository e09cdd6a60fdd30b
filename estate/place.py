"""A place as it is today: the tables in memory, in canonical order (by id), every column typed and every default filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue

CRS = "EPSG:27700"
"""British National Grid: the one CRS inside the program."""


@dataclass(frozen=True, eq=False)
class Place:
    """The frames of a place.

    ``agencies``, ``sites``, ``access_points`` and ``zones`` are indexed by their id (text) and sorted by it, so a position in
    one of them is a position in every array of a run.  ``sites`` and ``zones`` have ``easting_m`` and ``northing_m``
    (EPSG:27700).  Missing numbers are NaN, missing text is ``""``, missing dates NaT; flags are bool.
    ``rates`` is indexed by (service, site_kind), ``hosting`` by (access_point_id, site_id).  ``travel`` is the user's own
    table (``from_id, to_id, mode, distance_m, time_s``) or None; ``context`` the map's quiet background (``kind`` outline, road,
    river or town; ``name``; geometry, EPSG:27700), or None.  Columns that a table does not specify are text, but those of
    ``zones`` are numbers where every cell is one.
    ``digests`` is the SHA-256 of every file that was read, by its path as the scenario gives it.
    """

    agencies: pd.DataFrame
    sites: pd.DataFrame
    access_points: pd.DataFrame
    zones: pd.DataFrame
    rates: pd.DataFrame
    hosting: pd.DataFrame
    travel: pd.DataFrame | None = None
    context: gpd.GeoDataFrame | None = None
    issues: tuple[Issue, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """For each table, the ``file`` and spreadsheet ``row`` of every row, in the frame's order."""

    def __repr__(self) -> str:
        counts = {"agencies": self.agencies, "sites": self.sites, "access points": self.access_points, "zones": self.zones}
        return f"<Place {', '.join(f'{len(frame):,} {name}' for name, frame in counts.items())}>"

    @cached_property
    def services(self) -> tuple[str, ...]:
        """The services of the place, sorted: a service's number in every array is its position here."""
        return tuple(sorted(self.access_points["service"].unique()))

    @cached_property
    def point_site(self) -> NDArray[np.int64]:
        """(S,) position of each access point's site of today."""
        return self.sites.index.get_indexer(pd.Index(self.access_points["site_id"])).astype(np.int64)

    @cached_property
    def point_service(self) -> NDArray[np.int64]:
        """(S,) position of each access point's service in :attr:`services`."""
        return pd.Index(self.services).get_indexer(pd.Index(self.access_points["service"])).astype(np.int64)

    @cached_property
    def outside(self) -> NDArray[np.bool_]:
        """(J,) sites that serve people but belong to somebody else's estate: never changed, cost nothing."""
        return (self.sites["status"] == "outside").to_numpy()

    @cached_property
    def keeper(self) -> NDArray[np.object_]:
        """(J,) the agency whose affair each building is: who brought it into a property vehicle, else the title holder.

        To it fall other uses and a building that nobody uses, and it is asked who may come in.
        """
        title = self.sites["agency"].astype(str).to_numpy(dtype=object)
        brought = self.brought_in_by
        return np.where(brought != "", brought, title)

    @cached_property
    def brought_in_by(self) -> NDArray[np.object_]:
        """(J,) who passed the title of each building to a property vehicle; blank where it did not pass."""
        none = pd.Series("", index=self.sites.index)
        return self.sites.get("brought_in_by", none).astype(str).to_numpy(dtype=object)

    @cached_property
    def public_landlord(self) -> NDArray[np.bool_]:
        """(J,) whether rent goes to a public body among the agencies: a transfer, no cost to them all together."""
        kind = self.agencies["kind"].reindex(self.sites["landlord"]).to_numpy(dtype=object)
        return np.array([isinstance(each, str) and each != "private" for each in kind], dtype=bool)

    @cached_property
    def today(self) -> Plan:
        """Today's estate as a plan (:func:`todays_plan`), worked out once: read-only."""
        plan = todays_plan(self)
        for each in (plan.open, plan.host):
            each.flags.writeable = False
        return plan

    @cached_property
    def offers_today(self) -> NDArray[np.bool_]:
        """(K, J) where each service is offered today: read-only."""
        there = offers(self, self.today)
        there.flags.writeable = False
        return there


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The decision, by position in the place's frames.

    ``open`` (J,) bool: sites kept open (outside sites count as open); ``host`` (S,): the site of each access point.
    """

    open: NDArray[np.bool_]
    host: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<Plan {int(self.open.sum()):,} of {len(self.open):,} sites open, {len(self.host):,} access points>"


def shown(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """(n,) the rows of a table that are not marked confidential: what may be published."""
    if "confidential" not in frame:
        return np.ones(len(frame), dtype=bool)
    return ~frame["confidential"].to_numpy(dtype=bool)


def confidential(place: Place) -> bool:
    """Whether anything in the place is marked confidential."""
    return not all(shown(frame).all() for frame in (place.agencies, place.sites, place.access_points))


def todays_plan(place: Place) -> Plan:
    """Today's estate as a plan: every point at home, every site that is paid for open."""
    hosts = np.zeros(len(place.sites), dtype=bool)
    hosts[place.point_site] = True
    return Plan(open=place.sites["in_use"].to_numpy(dtype=bool) | hosts | place.outside, host=place.point_site.copy())


def offers(place: Place, plan: Plan) -> NDArray[np.bool_]:
    """(K, J) where each service is offered under a plan."""
    there = np.zeros((len(place.services), len(place.sites)), dtype=bool)
    there[place.point_service, plan.host] = True
    return there


def area_used_m2(place: Place, host: NDArray[np.int64]) -> NDArray[np.float64]:
    """(J,) floor area in use, m2: own parts added up, the largest hall once, the largest desk of each service once.

    ``host`` is (S,) the site of each access point; one that is at no site (-1) takes no room.
    """
    known = host >= 0
    points, at = place.access_points[known], host[known]
    whole, hall_area, desk_area = (
        points[name].to_numpy(dtype=np.float64) for name in ("area_m2", "hall_area_m2", "desk_area_m2")
    )
    used, hall = np.zeros(len(place.sites)), np.zeros(len(place.sites))
    np.add.at(used, at, whole - hall_area - desk_area)
    np.maximum.at(hall, at, hall_area)
    desk = np.zeros((len(place.sites), max(len(place.services), 1)))
    np.maximum.at(desk, (at, place.point_service[known]), desk_area)
    return np.asarray(np.round(used + hall + desk.sum(axis=1), 3))
