"""OpenStreetMap extracts, ``.osm.pbf`` and ``.osm``, with pyosmium: ways and nodes straight into arrays."""

from __future__ import annotations

import bz2
import gzip
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import osmium

from estate.errors import InputError, Issue, Severity, Where
from estate.travel.streets import Drawn, chains, classes, to_grid

_ACCESS = {"walk": ("foot", "access"), "drive": ("motorcar", "motor_vehicle", "vehicle", "access")}
"""The tags that decide, the most telling first (OpenStreetMap wiki, Key:access)."""
_CLOSED = frozenset({"no", "private", "agricultural", "forestry", "delivery", "military", "emergency"})
_ONE_WAY = frozenset({"yes", "true", "1"})
_NOWHERE = 2_147_483_647  # libosmium's coordinate of a node that is not in the file

_MOST_UNPACKED = 4 * 1024**3
_MOST_RATIO = 100  # OpenStreetMap XML packs to about a fifteenth; a bomb to a thousandth


def read_osm(path: Path, *, form: str, mode: str, file: str) -> Drawn:
    """The streets of an extract usable in a mode.

    ``form`` is ``pbf``, ``osm`` (XML), ``osm.gz`` or ``osm.bz2``.  The rules are those of the OpenStreetMap wiki: the class is
    ``highway``; areas are left out; the most specific access tag decides; ``oneway``, and motorways and roundabouts being
    one-way by nature, count when driving.

    Raises
    ------
    InputError
        For a damaged file, XML with entities, or a packed file that unpacks to far more than its size.
    """
    if form in ("osm.gz", "osm.bz2"):
        _cap(path, form, file)
    table = classes("osm", mode)
    refs: list[int] = []
    place: list[tuple[int, int]] = []
    ways: list[tuple[int, float, bool, bool]] = []
    unknown: Counter[str] = Counter()
    known = {*classes("osm", "walk"), *classes("osm", "drive")}
    try:
        # The form is stated, so that libosmium neither guesses from the name nor takes the name for an address.
        ways_of_file = (
            osmium.FileProcessor(osmium.io.File(str(path.resolve()), form), osmium.osm.NODE | osmium.osm.WAY)
            .with_locations()
            .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            .with_filter(osmium.filter.KeyFilter("highway"))
        )
        for way in ways_of_file:
            tags = dict(way.tags)
            row = table.get(tags["highway"])
            if row is None:
                if tags["highway"] not in known:
                    unknown[tags["highway"]] += 1
                continue
            if tags.get("area") == "yes" or not allowed(tags, mode):
                continue
            nodes = [(node.ref, node.x, node.y) for node in way.nodes]  # type: ignore[union-attr]  # only ways come through
            if len(nodes) < 2:
                continue
            direction = one_way(tags)
            if direction < 0:
                nodes.reverse()
            refs += [node[0] for node in nodes]
            place += [node[1:] for node in nodes]
            ways.append((len(nodes), *row, direction == 0))
    except (RuntimeError, ValueError) as error:
        issue = Issue(
            "travel.bad-osm",
            f"the file cannot be read as OpenStreetMap data: {error}",
            "download the extract again; XML with entities is refused",
            Where(file),
        )
        raise InputError(issues=[issue]) from error
    return _draw(refs, place, ways, _unknown_note(unknown, file))


def _draw(
    refs: list[int], place: list[tuple[int, int]], ways: list[tuple[int, float, bool, bool]], notes: list[Issue]
) -> Drawn:
    _, first, node = np.unique(np.array(refs, dtype=np.int64), return_index=True, return_inverse=True)
    raw = np.array(place, dtype=np.int64).reshape(-1, 2)[first]
    there = (raw != _NOWHERE).all(axis=1)
    degrees = np.where(there[:, None], raw / 1e7, np.inf)
    x, y = to_grid(degrees[:, 0], degrees[:, 1])
    columns = np.array(ways, dtype=np.float64).reshape(-1, 4)
    tail, way = chains(columns[:, 0].astype(np.int64))
    kmh, join, both = columns[way, 1], columns[way, 2] > 0, columns[way, 3] > 0
    return Drawn(x, y, node[tail], node[tail + 1], np.full(len(tail), np.nan), kmh, both, join, notes)


def allowed(tags: Mapping[str, str], mode: str) -> bool:
    """Whether the public may use the way in the mode: the most specific access tag that is present decides."""
    for key in _ACCESS[mode]:
        if key in tags:
            return tags[key] not in _CLOSED
    return True


def one_way(tags: Mapping[str, str]) -> int:
    """1: only as drawn; -1: only against it; 0: both ways."""
    value = tags.get("oneway", "")
    if value in _ONE_WAY:
        return 1
    if value in ("-1", "reverse"):
        return -1
    if value == "no":
        return 0
    return int(tags["highway"] in ("motorway", "motorway_link") or tags.get("junction") in ("roundabout", "circular"))


def _unknown_note(unknown: Counter[str], file: str) -> list[Issue]:
    if not unknown:
        return []
    some = ", ".join(f"{name} ({n})" for name, n in sorted(unknown.items(), key=lambda each: (-each[1], each[0]))[:6])
    return [
        Issue(
            "travel.unknown-class",
            f"{sum(unknown.values())} ways are of classes that the speed table does not know and are left out: {some}",
            where=Where(file),
            severity=Severity.NOTE,
        )
    ]


def _cap(path: Path, form: str, file: str) -> None:
    """Refuse a packed file that unpacks to far more than a street map does; nothing is written while finding out."""
    most = min(_MOST_UNPACKED, 10_000_000 + _MOST_RATIO * path.stat().st_size)
    opener = gzip.open if form == "osm.gz" else bz2.open
    total = 0
    try:
        with opener(path, "rb") as packed:
            while block := packed.read(1 << 20):
                total += len(block)
                if total > most:
                    issue = Issue(
                        "travel.bomb",
                        f"the file unpacks to more than {most / 1e6:,.0f} MB, far more than its size warrants",
                        "use the .osm.pbf form of the extract",
                        Where(file),
                    )
                    raise InputError(issues=[issue])
    except (OSError, EOFError) as error:
        issue = Issue("travel.bad-osm", f"the packed file is damaged: {error}", "download it again", Where(file))
        raise InputError(issues=[issue]) from error
