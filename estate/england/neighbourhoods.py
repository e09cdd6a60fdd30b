"""What people call the small areas that the statistics number: ``St Paul's, part B`` for ``Bristol 023B``.

``neighbourhoods.csv`` has the name of every middle layer super output area (MSOA) of 2011 in England under the number that its
small areas (LSOAs) carry: the House of Commons Library's names, which are in wide use.  They are under the Open Parliament
Licence v3.0; whoever shows them prints :data:`ATTRIBUTION`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

SOURCE = "House of Commons Library MSOA names; the part is the letter of the LSOA's official name"
ATTRIBUTION = "Contains Parliamentary information licensed under the Open Parliament Licence v3.0 (neighbourhood names)"


@cache
def _names() -> Mapping[str, str]:
    text = (resources.files("estate") / "england" / "neighbourhoods.csv").read_text(encoding="utf-8")
    return {row["area"]: row["name"] for row in csv.DictReader(text.splitlines())}


def people_say(official: Iterable[str]) -> list[str]:
    """A name that people use for each official LSOA name of a place (``Redditch 005B``), all of them different.

    The letter tells the parts of a neighbourhood apart.  Where two neighbourhoods of the place have one name, the district is
    said too; an area that the table does not know keeps its official name.
    """
    given: Sequence[str] = list(official)
    found = _names()
    parts = [(name[:-1], name[-1:]) for name in given]
    meant: dict[str, set[str]] = {}
    for area, _ in parts:
        if area in found:
            meant.setdefault(found[area], set()).add(area)
    said = {
        area: name if len(areas) == 1 else f"{name} ({area.rpartition(' ')[0]})"
        for name, areas in meant.items()
        for area in areas
    }
    # Two of one name in one district: only the number tells them apart.
    twice = {name for name, times in Counter(said.values()).items() if times > 1}
    said = {area: f"{found[area]} ({area})" if name in twice else name for area, name in said.items()}
    return [f"{said[area]}, part {letter}" if area in said else name for name, (area, letter) in zip(given, parts, strict=True)]
