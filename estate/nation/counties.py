"""The counties of England, such that every district is in exactly one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from estate.england.areas import Area, District, area_of, districts

CITY, LONDON = "City of London", "Greater London"
"""The City is a ceremonial county of its own within London: one place here."""


def counties() -> tuple[Area, ...]:
    """The 47 ceremonial counties (Lieutenancies Act 1997, schedule 1), the City with the rest of London, in order of name.

    Ceremonial counties take in unitary districts, so that a town and the country round it are one place.
    """
    members: dict[str, list[District]] = {}
    for each in districts().values():
        members.setdefault(LONDON if each.lieutenancy == CITY else each.lieutenancy, []).append(each)
    return tuple(
        Area(name, "lieutenancy", tuple(sorted(found, key=lambda each: each.code))) for name, found in sorted(members.items())
    )


def named(texts: tuple[str, ...]) -> tuple[Area, ...]:
    """The counties asked for, all of them where none is; any other area of England is taken as it is.

    Raises
    ------
    UsageError
        When something is no area of England.
    """
    if not texts:
        return counties()
    known: Mapping[str, Area] = {each.name.casefold(): each for each in counties()}
    asked = [known.get(text.strip().casefold()) or area_of(text) for text in texts]
    return tuple({name_of(each): each for each in asked}.values())


def name_of(area: Area) -> str:
    """The scenario's name: ``west-yorkshire``."""
    return re.sub(r"[^a-z0-9]+", "-", area.name.casefold().replace("'", "")).strip("-")
