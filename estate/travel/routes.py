"""A whole place on streets: the network of each mode, the points joined to it, both tables, and a cache of the result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from estate.errors import Issue
from estate.travel import cache as store
from estate.travel.network import network_pairs
from estate.travel.pairs import Pairs, Points, Wanted
from estate.travel.reading import load_streets
from estate.travel.snap import Located, far_points, locate

if TYPE_CHECKING:
    from estate.travel.ways import Streets

type _Tables = tuple[dict[str, Pairs], dict[str, Pairs]]


def streets_travel(
    zones: Points,
    sites: Points,
    way: Streets,
    home: Mapping[str, Wanted],
    between: Mapping[str, Wanted],
    folder: Path | None,
) -> tuple[_Tables, list[Issue], str]:
    """The tables, the notes and the method of :func:`estate.travel.build_travel` for a street network."""
    homes: dict[str, Pairs] = {}
    rest: dict[str, Pairs] = {}
    notes: list[Issue] = []
    for mode in sorted({*home, *between}):
        wanted = {"home": home.get(mode), "between": between.get(mode)}
        key = store.key(way.path, mode, way.warn_m, zones, sites, wanted)
        found = store.fetch(folder, key)
        if found is None:
            found = _one_mode(zones, sites, way, mode, wanted)
            store.put(folder, key, found)
        tables, said = found
        notes += said
        if "home" in tables:
            homes[mode] = tables["home"]
        if "between" in tables:
            rest[mode] = tables["between"]
    return (homes, rest), notes, f"streets of {way.path.name}"


def _one_mode(
    zones: Points, sites: Points, way: Streets, mode: str, wanted: Mapping[str, Wanted | None]
) -> tuple[dict[str, Pairs], list[Issue]]:
    network = load_streets(way.path, mode=mode)
    at: dict[str, tuple[Points, Located]] = {
        "home": (zones, locate(network, zones)),
        "between": (sites, locate(network, sites)),
    }
    notes = list(network.notes)
    tables = {}
    for name, (points, located) in at.items():
        notes += far_points(points, located, way.warn_m, "zones" if name == "home" else "sites")
        ask = wanted[name]
        if ask is not None:
            where = located, at["between"][1]
            tables[name] = network_pairs(network, points, sites, wanted=ask, located=where)
    return tables, notes
