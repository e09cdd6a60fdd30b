"""Settings of travel: how far apart everything is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from estate.scenario.limits import NotNegative, Positive, Settings


class Method(StrEnum):
    """How travel is measured."""

    STRAIGHT = "straight-line"
    NETWORK = "network"
    TABLE = "table"


class Travel(Settings):
    """How far apart everything is."""

    method: Method = Method.STRAIGHT
    """How journeys are measured."""
    mode: Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,31}$")] = "drive"
    """The mode of rules that do not name one: ``walk``, ``drive``, or a mode of the travel table."""
    detour: Annotated[float, Field(ge=1, le=5)] = 1.3
    """Road metres for each straight-line metre (straight line only)."""
    walk_kmh: Positive = 4.8
    """Walking speed (straight line only)."""
    drive_kmh: Positive = 45.0
    """Average speed by car (straight line only); a network uses speeds by road class."""
    walk_minutes_fixed: NotNegative = 0.0
    """Minutes that every walk takes besides its distance (straight line only)."""
    drive_minutes_fixed: NotNegative = 0.0
    """Minutes that every drive takes besides its distance: to the car, and from where it is parked (straight line only)."""
    streets: str = ""
    """A street network: ``.osm.pbf``, ``.osm``, a graph saved by OSMnx, or an OS Open Roads GeoPackage.  Implies network."""
    place: str = ""
    """A place name to download through OSMnx: the only setting that uses the network connection.  Implies network."""
    snap_warn_m: Positive = 500.0
    """Warn when a point is farther than this from the nearest street."""
    percentile: Annotated[int, Field(ge=1, le=99)] = 50
    """The percentile of travel time to use, where a travel table gives several (``travel_time_p50``)."""

    @model_validator(mode="before")
    @classmethod
    def imply_network(cls, given: Any) -> Any:
        """Naming a street network chooses the network method, unless the scenario says otherwise."""
        if isinstance(given, Mapping) and (given.get("streets") or given.get("place")):
            return {"method": "network", **given}
        return given
