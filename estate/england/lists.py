"""Open lists as they were published, read into one shape: zones of England and Wales, and points of five services.

A folder holds comma-separated files (``.gz`` may be added), known by how their names begin or what they contain:

    lsoa*        small areas of 2011: lsoa11cd, lsoa11nm, easting, northing, pop2011, pop_mid2022, ladcd, ruc11cd, imd15_rank
    libraries*   Arts Council England: name, type, operation_23, closed, hours, co_located_*, postcode, easting, northing, ladcd
    gp_*         NHS: ods_code, name, addr1 to addr5, commissioner, postcode, easting, northing, ladcd
    jobcentres*  DWP: JC Name, Postcode, Town/City, easting, northing, ladcd
    *council*    headquarters of about 2012 to 2015: name, Postcode, country, lon, lat
    police*      OpenStreetMap: name, lon, lat                                                         (optional)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
from scipy.spatial import cKDTree

from estate.england.areas import District, districts
from estate.errors import InputError, Issue, UsageError, Where

FAR_M = 5_000.0
"""A point with no small area's middle so near is taken to be outside England and Wales: some lists name no country."""

NEEDED = {
    "lsoa*": (
        "lsoa11cd", "lsoa11nm", "easting", "northing", "pop2011", "pop_mid2022", "ladcd", "ladnm", "ruc11cd", "imd15_rank",
    ),
    "libraries*": ("name", "type", "operation_23", "closed", "hours", "postcode", "easting", "northing", "ladcd"),
    "gp_*": ("ods_code", "name", "commissioner", "postcode", "easting", "northing", "ladcd"),
    "jobcentres*": ("JC Name", "Postcode", "Town/City", "easting", "northing", "ladcd"),
    "*council*": ("name", "Postcode", "authority-type", "country", "lon", "lat"),
    "police*": ("name", "lon", "lat"),
}  # fmt: skip
"""The lists and the columns that are used."""

NO_COUNTER = re.compile(
    r"\bhq\b|headquarters|training|college|custody|command|data cent|annexe|tactical|motorway|traffic|tunnels|transport police"
    r"|parks? police|no public|closed|unmanned|unused|\b(?:old|ex) police|red light|overseas|security|airport|powys|police house"
    r"|\bwards?\b|neighbo|\bteam\b|\broom\b|\bbox\b|\bbeat\b|fire station|garrison",
    re.IGNORECASE,
)
"""Police buildings that their own name says have no public counter, and names that are no territorial force's."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The folder's lists.  ``zones`` has ``ladcd`` of December 2021; ``points`` one row for each counter, with ``district``."""

    zones: pd.DataFrame
    points: pd.DataFrame
    dropped: tuple[tuple[str, str, str], ...] = field(default=())
    """What was left out: list, row, why."""


def at_hand(given: Path | None) -> Path:
    """The folder of lists that was named, or its folder ``england``.

    Raises
    ------
    UsageError
        When none was named, or there are no lists in it.
    """
    remedy = "name the folder that holds lsoa*.csv and the other lists, or set ESTATE_DATA to it"
    if given is None:
        raise UsageError("an area needs the open lists", [Issue("lists.missing", "no folder of lists is named", remedy)])
    for folder in (given, given / "england"):
        if any(folder.glob("lsoa*")):
            return folder
    raise UsageError("an area needs the open lists", [Issue("lists.missing", f"{given} holds no lists", remedy)])


def read(folder: Path) -> Lists:
    """Every list of a folder, the rows of England.

    Raises
    ------
    InputError
        When a list or one of its columns is missing, or a number cannot be read: all of it at once.
    """
    issues: list[Issue] = []
    frames = {pattern: _table(folder, pattern, issues) for pattern in NEEDED}
    if issues:
        raise InputError(issues=issues)
    zones = _zones(frames["lsoa*"], issues)
    if issues:
        raise InputError(issues=issues)
    dropped: list[tuple[str, str, str]] = []
    parts = [
        _libraries(frames["libraries*"], dropped),
        _practices(frames["gp_*"]),
        _jobcentres(frames["jobcentres*"]),
        _councils(frames["*council*"], dropped),
        _police(frames["police*"], dropped),
    ]
    points = pd.concat(parts, ignore_index=True)
    text = points.columns.difference(["x", "y"])
    points[text] = points[text].fillna("")
    points = _placed(points, zones, dropped)
    points = _council_homes(points, dropped)
    order = ["service", "name", "postcode", "x", "y"]
    return Lists(zones, points.sort_values(order, ignore_index=True), tuple(dropped))


def _table(folder: Path, pattern: str, issues: list[Issue]) -> pd.DataFrame:
    """The one file of a pattern, all cells as text, blanks stripped."""
    found = sorted(path for path in folder.glob(pattern) if path.name.endswith((".csv", ".csv.gz")))
    where = Where(str(folder / pattern))
    if not found and pattern == "police*":
        return pd.DataFrame(columns=list(NEEDED[pattern]), dtype=str)
    if len(found) != 1:
        message = f"{len(found)} files are called {pattern}.csv or .csv.gz; one is needed"
        issues.append(Issue("lists.file", message, "name the folder that holds the open lists", where))
        return pd.DataFrame(columns=list(NEEDED[pattern]), dtype=str)
    try:
        frame = pd.read_csv(found[0], dtype=str, keep_default_na=False)
    except (OSError, ValueError, EOFError) as error:
        message = f"cannot be read: {' '.join(str(error).split())[:120]}"
        issues.append(Issue("lists.unreadable", message, "fetch it again", Where(found[0].name)))
        return pd.DataFrame(columns=list(NEEDED[pattern]), dtype=str)
    for name in NEEDED[pattern]:
        if name not in frame:
            remedy = "is it the list that its name says?"
            issues.append(Issue("lists.column", f"has no column {name}", remedy, Where(found[0].name, column=name)))
    frame.attrs["file"] = found[0].name
    stripped: pd.DataFrame = frame.apply(lambda column: column.str.strip())
    return stripped


def _zones(frame: pd.DataFrame, issues: list[Issue]) -> pd.DataFrame:
    """Small areas with whole numbers; the population of 2011 stands where there is no later estimate."""
    zones = frame.copy()
    zones["estimated"] = zones["pop_mid2022"] != ""
    zones["population"] = zones["pop_mid2022"].where(zones["estimated"], zones["pop2011"])
    for name in ("easting", "northing", "population", "imd15_rank"):
        blank_is_fine = (zones[name] == "") & (name == "imd15_rank")
        value = pd.to_numeric(zones[name], errors="coerce")
        bad = np.flatnonzero(value.isna() & ~blank_is_fine)
        for i in bad[:20].tolist():
            where = Where(str(frame.attrs["file"]), row=i + 2, column=name, value=str(zones[name].iloc[i]))
            issues.append(Issue("lists.number", "is no number", "correct it, or leave the row out", where))
        zones[name] = value.fillna(0).round().astype(np.int64)
    return zones.sort_values("lsoa11cd", ignore_index=True)


def _drop(dropped: list[tuple[str, str, str]], what: str | pd.Series, names: pd.Series, why: str) -> None:
    """Note rows that are left out."""
    lists = [what] * len(names) if isinstance(what, str) else list(what)
    dropped.extend((each, name, why) for each, name in zip(lists, names, strict=True))


def titled(text: str) -> str:
    """``ST JOHN'S MEDICAL CTR`` as ``St John's Medical Ctr``: the NHS list is in capitals."""
    return re.sub(r"[A-Za-z]+('[A-Za-z]+)?", lambda match: match[0].capitalize(), " ".join(text.split()))


def _points(frame: pd.DataFrame, service: str, **columns: pd.Series | str) -> pd.DataFrame:
    """Rows in one shape; ``x``, ``y`` in EPSG:27700 metres, not a number where the list gives no place."""
    grid = "easting" in frame
    place = frame[["easting", "northing"] if grid else ["lon", "lat"]].apply(pd.to_numeric, errors="coerce")
    x, y = (place[name].to_numpy(dtype=np.float64) for name in place)
    if not grid and len(frame):
        x, y = pyproj.Transformer.from_crs(4326, 27700, always_xy=True).transform(x, y)
    return pd.DataFrame(
        {"service": service, "x": np.round(x), "y": np.round(y), "size": "", "note": "", "shared": "", **columns},
        index=frame.index,
    )


def _libraries(frame: pd.DataFrame, dropped: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Public static libraries that were open in 2023, and council services that the list says share their building."""
    kind, run = frame["type"].str.casefold(), frame["operation_23"].str.casefold()
    shut = run.isin(["closed", "temporary closure"]) | (frame["closed"] != "")
    public = kind == "static library"
    _drop(dropped, "libraries", frame.loc[~public, "name"], "no public library of its own building")
    _drop(dropped, "libraries", frame.loc[public & shut, "name"], "closed")
    frame = frame[public & ~shut]
    hours = pd.to_numeric(frame["hours"], errors="coerce").fillna(0.0)
    bands = pd.cut(hours, [-1, 10, 25, 35, 45, np.inf], right=False, labels=["0h", "10h", "25h", "35h", "45h"]).astype(str)
    others = [name for name in OTHER_BODIES if name in frame]
    shared = (frame[others] != "").any(axis=1) if others else pd.Series(data=False, index=frame.index)
    feet = frame["os_footprint_m2"] if "os_footprint_m2" in frame else pd.Series("", index=frame.index)
    libraries = _points(
        frame,
        "library",
        name=frame["name"],
        postcode=frame["postcode"],
        ladcd=frame["ladcd"],
        size="library_" + bands,
        run=frame["operation_23"].str.casefold(),
        shared=shared.map({True: "yes", False: ""}),
        footprint=feet,
        uprn=frame.get("uprn", ""),
    )
    civic = frame["co_located_civic"].str.casefold() == "x" if "co_located_civic" in frame else shared & False
    offices = libraries[civic.to_numpy()].assign(service="council_office", size="council_civic", note="civic", run="", uprn="")
    return pd.concat([libraries, offices.assign(name="Council services, " + offices["name"])])


OTHER_BODIES = tuple(
    f"co_located_{name}"
    for name in (
        "carehome_hostel", "faithbuildings", "health", "hotel", "industrial_business", "museum", "artscentre", "retail",
        "schools_colleges", "universities_highereducation",
    )
)  # fmt: skip
"""Marks of a library that shares its building with a body that stays when the library goes."""


def _practices(frame: pd.DataFrame) -> pd.DataFrame:
    said = frame[[name for name in ("name", "addr1", "addr2") if name in frame]].agg(" ".join, axis=1)
    centre = said.str.contains(r"health cent|medical cent|health ctr|medical ctr|primary care", case=False)
    return _points(
        frame,
        "gp_practice",
        name=frame["name"].map(titled),
        postcode=frame["postcode"],
        ladcd=frame["ladcd"],
        ref=frame["ods_code"],
        run=frame["commissioner"],
        size=centre.map({True: "gp_centre", False: "gp_surgery"}),
    )


def _jobcentres(frame: pd.DataFrame) -> pd.DataFrame:
    names = frame["JC Name"].str.replace(r"\s*\b(jobcentre|job centre|jcp)( plus)?$", "", case=False, regex=True)
    town = frame["Town/City"].map(titled)
    return _points(
        frame, "jobcentre", name=names, postcode=frame["Postcode"], ladcd=frame["ladcd"], size="jobcentre", town=town
    )


def _councils(frame: pd.DataFrame, dropped: list[tuple[str, str, str]]) -> pd.DataFrame:
    frame = frame[frame["country"] == "England"]
    other = frame["authority-type"] == "Other"
    _drop(dropped, "councils", frame.loc[other, "name"], "not a council with a counter")
    frame = frame[~other]
    return _points(frame, "council_office", name=frame["name"], postcode=frame["Postcode"], ladcd="", size="council_main")


def _police(frame: pd.DataFrame, dropped: list[tuple[str, str, str]]) -> pd.DataFrame:
    named = frame["name"].str.contains(r"[a-z]{3}", case=False) & ~frame["name"].str.casefold().isin(["police", "heddlu"])
    counter = ~frame["name"].map(lambda name: NO_COUNTER.search(name) is not None)
    dropped += [
        ("police", name or "(no name)", "no public counter, by its name") for name in frame.loc[~(named & counter), "name"]
    ]
    frame = frame[named & counter]
    return _points(frame, "police_desk", name=frame["name"], postcode="", ladcd="", size="police_desk")


def _placed(points: pd.DataFrame, zones: pd.DataFrame, dropped: list[tuple[str, str, str]]) -> pd.DataFrame:
    """The points of England with their district of December 2021: the list's code, or the nearest small area's."""
    nowhere = points["x"].isna() | points["y"].isna()
    dropped += [
        (service, name, "the list gives no place") for service, name in points.loc[nowhere, ["service", "name"]].to_numpy()
    ]
    points = points[~nowhere].reset_index(drop=True)
    away, nearest = cKDTree(zones[["easting", "northing"]].to_numpy()).query(points[["x", "y"]].to_numpy())
    known = points["ladcd"].isin(list(districts()))
    points["district"] = points["ladcd"].where(known, zones["ladcd"].to_numpy()[nearest])
    inside = known | ((away <= FAR_M) & points["district"].isin(list(districts())))
    _drop(dropped, points.loc[~inside, "service"], points.loc[~inside, "name"], "outside England")
    return points[inside].reset_index(drop=True)


def _council_homes(points: pd.DataFrame, dropped: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Headquarters with the council of today that runs them (``run``): by name, else as successor where they stand."""
    main = points["size"] == "council_main"
    upper = {_bare(each.county_council): each.county_council for each in districts().values() if each.county_council}
    own = {_bare(each.name): each for each in districts().values()}
    keep = np.ones(len(points), dtype=bool)
    run, home = points["run"].to_numpy(dtype=object), points["district"].to_numpy(dtype=object)
    for i in np.flatnonzero(main).tolist():
        here, name = districts()[home[i]], points["name"].iloc[i]
        if re.search(r"county council$", name, re.IGNORECASE) and _bare(name) in upper:
            run[i] = upper[_bare(name)]
            keep[i] = here.county_council == run[i]
            if not keep[i]:
                dropped.append(("councils", name, f"its headquarters are in {here.name}, outside its own area"))
            continue
        match = own.get(_bare(name))
        if match is not None and _neighbours(match, here):
            run[i], home[i] = match.council, match.code
        else:
            run[i] = here.council
    return points.assign(run=run, district=home)[keep].reset_index(drop=True)


def _neighbours(one: District, other: District) -> bool:
    """A headquarters just over its district's edge is still the district's; one in another region is a slip of the list."""
    return one.region == other.region


def _bare(name: str) -> str:
    """A council's name without what says which kind of council it is."""
    text = name.casefold().replace("&", "and").replace("-", " ").replace("'", "")
    text = re.sub(r"\b(london borough of|royal borough of|city of|council of the|county of)\b", " ", text)
    text = re.sub(r"\b(metropolitan|county|district|borough|city|council|corporation|and district)\b", " ", text)
    return re.sub(r"[^a-z ]", "", " ".join(text.split())).strip()
