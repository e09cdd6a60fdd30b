"""England's districts, and the counties, police areas and regions that they make up.

``areas.csv`` has one row for each of the 309 districts of December 2021, the vintage of the lists of small areas, with

* ``council``: the district's council of today, or the unitary council that took its place in April 2023 (``later`` is that
  council's code, which newer lists use); ``county_council``: the upper tier, where there is one;
* ``county``: the county, metropolitan county or Greater London;  ``lieutenancy``: the ceremonial county, which takes in
  unitary districts (Lieutenancies Act 1997, schedule 1);
* ``police``: the police force area;  ``region``: the statistical region.

County, police area and region follow the Office for National Statistics' lookups of Local Authority District to County, to
Police Force Area and to Region (December 2021, England); the changes of 2023 are the Cumbria, North Yorkshire and Somerset
(Structural Changes) Orders 2022.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from estate.errors import Issue, UsageError, Where

KINDS = ("county", "district", "unitary", "police", "lieutenancy", "region")
"""Kinds of area, in the order in which a name is looked up: Durham is the county council's area, not the force's."""


@dataclass(frozen=True, slots=True)
class District:
    """A row of ``areas.csv``."""

    code: str
    name: str
    council: str
    county_council: str
    county: str
    lieutenancy: str
    police: str
    region: str
    later: str

    @property
    def library_authority(self) -> str:
        """Who must provide libraries (Public Libraries and Museums Act 1964, s4): the county council, else the district's own."""
        return self.county_council or self.council


@dataclass(frozen=True, slots=True)
class Area:
    """What somebody asked for: ``name`` as people say it, and its districts in order of code."""

    name: str
    kind: str
    districts: tuple[District, ...]
    others: tuple[str, ...] = ()
    """Other areas that the same words could mean, written as they can be asked for (``police:Durham``)."""

    @property
    def codes(self) -> frozenset[str]:
        """The districts' codes."""
        return frozenset(each.code for each in self.districts)


@cache
def districts() -> Mapping[str, District]:
    """Every district of England by its code."""
    text = (resources.files("estate") / "england" / "areas.csv").read_text(encoding="utf-8")
    return {row["code"]: District(**row) for row in csv.DictReader(text.splitlines())}


@cache
def _names() -> Mapping[str, Mapping[str, tuple[str, tuple[District, ...]]]]:
    """For each kind of area, its plain name -> the name and the districts."""
    every = districts().values()
    found: dict[str, dict[str, tuple[str, tuple[District, ...]]]] = {kind: {} for kind in KINDS}
    for kind in ("county", "police", "lieutenancy", "region"):
        for name in sorted({getattr(each, kind) for each in every} - {""}):
            found[kind][_plain(name)] = name, tuple(each for each in every if getattr(each, kind) == name)
    for each in every:
        found["district"][_plain(each.name)] = each.name, (each,)
    for code in sorted({each.later for each in every} - {""}):
        before = tuple(each for each in every if each.later == code)
        found["unitary"][_plain(before[0].council)] = before[0].council.removesuffix(" Council"), before
    found["county"] |= {"london": found["county"]["greater london"]}
    found["district"] |= {"hull": found["district"]["kingston upon hull"]}
    return found


def area_of(text: str) -> Area:
    """The area that a name, a code, or several of them separated by commas, mean.

    A name may be a county, a district, a unitary council, a police area, a ceremonial county or a region, looked up in that
    order; ``police:Durham`` or ``region:West Midlands`` says which.  ``England`` is all of it.

    Raises
    ------
    UsageError
        When something is no area of England; says which names are nearest.
    """
    whole = _one(text)
    if whole is not None:
        return whole
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    found = [_one(part) for part in parts]
    wrong = [part for part, area in zip(parts, found, strict=True) if area is None]
    if wrong or not parts:
        raise UsageError("there is no such area in England", [_unknown(part) for part in wrong or [text]])
    areas = [area for area in found if area is not None]
    chosen = {each.code: each for area in areas for each in area.districts}
    return Area(" and ".join(area.name for area in areas), "several", tuple(chosen[code] for code in sorted(chosen)))


def _one(text: str) -> Area | None:
    """The area of one name or code; None when there is none."""
    code = text.strip().upper()
    if code in districts():
        return Area(districts()[code].name, "district", (districts()[code],))
    kind, colon, name = (part.strip() for part in text.partition(":"))
    asked = _plain(name if colon else text)
    later = [each for each in districts().values() if each.later == code]
    if code and later:
        return Area(later[0].council.removesuffix(" Council"), "unitary", tuple(later))
    if not colon and asked in ("england", "the whole of england"):
        return Area("England", "country", tuple(districts().values()))
    kinds: Sequence[str] = [each for each in KINDS if not colon or each == kind.casefold()]
    meant = [(each, *_names()[each][asked]) for each in kinds if asked in _names()[each]]
    if not meant:
        return None
    kind, name, members = meant[0]
    others = tuple(f"{k}:{n}" for k, n, m in meant[1:] if m != members)
    return Area(name, kind, members, others)


def _plain(name: str) -> str:
    """A name without what people leave out: case, punctuation, *County Durham*, *Bristol, City of*, *Kent County Council*."""
    text = re.sub(r"[^a-z0-9 ]+", " ", name.casefold().replace("&", " and ").replace("'", "").replace("-", " "))
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" (county|city|borough|district|metropolitan borough|metropolitan district)? ?council$", "", text)
    text = re.sub(r" (county|city) of$", "", text)
    text = re.sub(r"^(county|the royal borough of|royal borough of|london borough of|the) (?!of )", "", text)
    return re.sub(r"^city of (?!london)", "", text) or name.casefold().strip()


def _unknown(part: str) -> Issue:
    known = {plain: name for kind in KINDS for plain, (name, _) in _names()[kind].items()}
    near = difflib.get_close_matches(_plain(part.rpartition(":")[2]), list(known), n=3, cutoff=0.6)
    if re.fullmatch(r"[A-Za-z]\d{8}", part.strip()):
        remedy = "give a district's code of December 2021, such as E07000222, or one of the unitaries of 2023"
    elif near:
        remedy = f"did you mean {' or '.join(known[each] for each in near)}?"
    else:
        remedy = "give a county, district, unitary, police area or region, or districts' codes separated by commas"
    return Issue("area.unknown", f"'{part}' is no county, district, police area or region of England", remedy, Where("--area"))
