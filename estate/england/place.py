"""From the lists to a place: tables, settings and a README, as text, ready to be written into a folder.

What the lists say stands as they say it: names, places, people, districts, who runs what.  What they do not say (floor areas,
costs, values, tenures, how far is too far) comes from ``figures.csv``, one round rate for each kind, is rounded as registers
round, and is listed in each row's ``illustrative``.  Nothing is drawn at random: the same lists give the same bytes.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
import pyproj
from scipy.spatial import cKDTree

from estate.england import neighbourhoods
from estate.england.areas import Area, District, districts
from estate.england.lists import Lists
from estate.england.settings import readme, settings
from estate.errors import InputError, Issue

DISTRICT_LARGE = 150_000
"""People of a district whose Jobcentres are taken to be large."""

HQ_SOURCE = "list of UK council headquarters about 2012-15"
SOURCES = {
    "library": "Arts Council England, libraries in England 2023",
    "gp_practice": "NHS ODS, epraccur, September 2025",
    "jobcentre": "DWP, Jobcentre Plus office addresses 2016",
    "council_office": HQ_SOURCE,
    "police_desk": "OpenStreetMap",
}
LICENCES = {"council_office": "name and address as the council publishes them", "police_desk": "ODbL"}
OSM_NOTICE = "(c) OpenStreetMap contributors, ODbL"
KIND = {
    "library": "library",
    "council_office": "office",
    "jobcentre": "office",
    "gp_practice": "health",
    "police_desk": "police",
}
PREFIX = {"library": "LIB", "council_office": "CO", "jobcentre": "JCP", "gp_practice": "GP", "police_desk": "POL"}
ORDER = tuple(KIND)
"""Services in the order in which they give a shared building its name, kind and owner."""
FOOTPRINT = "OS Open ground footprint x net_to_gross x storeys, in bounds"
URBAN = ("A", "B", "C")
"""First letters of the 2011 rural-urban classes of built-up areas of 10,000 people or more."""
IMD_AREAS = 32_844


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A place cut from the lists: its tables, in our own columns and by id; what was left out and why.

    ``towns`` and, outside the place, ``beyond`` are names for the map, each with its longitude and latitude.
    """

    area: Area
    agencies: pd.DataFrame
    sites: pd.DataFrame
    points: pd.DataFrame
    zones: pd.DataFrame
    rates: pd.DataFrame
    towns: tuple[tuple[str, float, float], ...] = ()
    beyond: tuple[tuple[str, float, float], ...] = ()
    notes: tuple[str, ...] = field(default=())


@cache
def figures() -> Mapping[tuple[str, str], float]:
    """The one table of assumed rates, by item and key."""
    return {(row["item"], row["key"]): float(row["value"]) for row in figure_rows()}


def figure_rows() -> list[dict[str, str]]:
    """The rows of ``figures.csv``: put beside the figures made from them."""
    text = (resources.files("estate") / "england" / "figures.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def cut(lists: Lists, area: Area, *, border: bool = False) -> Cut:
    """The zones and counters of an area's districts, under roofs, with agencies and every assumed figure.

    With ``border`` so are the counters beyond the edge that people here may go to (:func:`beyond`): they are never changed and
    cost nothing.

    Raises
    ------
    InputError
        When the lists have nobody, or no counter, in the area.
    """
    zones = _zones(lists.zones[lists.zones["ladcd"].isin(area.codes)])
    here = lists.points[lists.points["district"].isin(area.codes)]
    if not len(here) or not zones["population"].sum():
        issue = Issue("lists.nothing", f"the lists have no people or no counter in {area.name}", "are they the whole lists?")
        raise InputError(issues=[issue])
    points = _points(here, zones)
    sites, points = _sites(points)
    found = points["service"].value_counts()
    absent = [service for service in ORDER if service not in found.index]
    notes = [f"{found[service]} {PLURAL[service]}" for service in ORDER if service in found.index]
    notes += [f"no {PLURAL[service]} on the lists" for service in absent]
    if border:
        theirs, outside = _beyond(lists.points, area, zones, [each for each in ORDER if each in found.index])
        if len(theirs):
            sites, points = pd.concat([sites, theirs], ignore_index=True), pd.concat([points, outside], ignore_index=True)
        notes += [f"{len(outside)} counters beyond the edge that people here may go to"]
    agencies = _agencies(sites, points)
    mine = _towns(points)
    own = {name for name, _, _ in mine}
    beyond = tuple(each for each in _neighbours(lists.points, area, zones) if each[0] not in own)
    return Cut(area, agencies, sites, points, zones, _rates(points), mine, beyond, tuple(notes))


PLURAL = {
    "library": "libraries",
    "council_office": "council offices",
    "jobcentre": "Jobcentres",
    "gp_practice": "GP practices",
    "police_desk": "police desks",
}


# --------------------------------------------------------------------------------------------------------------- zones


def _zones(rows: pd.DataFrame) -> pd.DataFrame:
    """Small areas with the labels that rules are written for."""
    urban = rows["ruc11cd"].str[0].isin(URBAN)
    rank = rows["imd15_rank"]
    return pd.DataFrame(
        {
            "zone_id": rows["lsoa11cd"],
            "name": neighbourhoods.people_say(rows["lsoa11nm"]),
            "population": rows["population"],
            "easting": rows["easting"],
            "northing": rows["northing"],
            "district": [districts()[code].name for code in rows["ladcd"]],
            "district_code": rows["ladcd"],
            "rural_urban": urban.map({True: "urban", False: "rural"}),
            "ruc11": rows["ruc11cd"],
            "imd_rank": rank.where(rank > 0, "").astype(str),
            "imd_decile": (-(-rank * 10 // IMD_AREAS)).where(rank > 0, "").astype(str),
            "country": "England",
            "name_source": neighbourhoods.SOURCE,
            "source": "ONS LSOA 2011 population-weighted centroids and 2011 rural-urban classification",
            "population_source": rows["estimated"].map({True: "ONS mid-2022 estimate", False: "Census 2011 (ONS)"}),
            "imd_rank_source": f"Index of Multiple Deprivation 2015, rank of {IMD_AREAS:,} areas in England",
            "licence": "OGL-UK-3.0",
        }
    ).sort_values("zone_id", ignore_index=True)


# -------------------------------------------------------------------------------------------------------------- points


def _points(rows: pd.DataFrame, zones: pd.DataFrame) -> pd.DataFrame:
    """Access points with ids, agencies and assumed floor areas."""
    practices = _practices(rows)
    people = zones.groupby("district_code")["population"].sum()
    large = rows["district"].map(people).fillna(0) >= DISTRICT_LARGE
    size = rows["size"].where(rows["service"] != "jobcentre", large.map({True: "jobcentre_large", False: "jobcentre_small"}))
    area = size.map(lambda key: figures()["area", key])
    share = {part: rows["service"].map(lambda key, part=part: figures()[part, key]) for part in ("hall_share", "desk_share")}
    civic = rows["note"] == "civic"
    source = rows["service"].map(SOURCES).where(~civic, f"{SOURCES['library']}: co-located with civic services")
    assumed = pd.Series("area_m2;hall_area_m2;desk_area_m2", index=rows.index)
    assumed = assumed.where(~(civic | (rows["service"] == "police_desk")), "service;" + assumed)
    return rows.assign(
        access_point_id=_ids(rows),
        size=size,
        agency_name=[_runs(row, practices) for row in rows.itertuples()],
        area_m2=area,
        hall_area_m2=(area * share["hall_share"]).round(),
        desk_area_m2=(area * share["desk_share"]).round(),
        source=source + rows["ref"].map(lambda ref: f" ({ref})" if ref else ""),
        area_m2_source="assumptions.csv: area, " + size,
        licence=rows["service"].map(LICENCES).where(~civic).fillna("OGL-UK-3.0"),
        illustrative=assumed,
    )


NTH = ("", ", another commissioner", ", a third commissioner", ", other commissioners")


def _practices(rows: pd.DataFrame) -> Mapping[str, str]:
    """What the practices of each NHS commissioner are called: by the district that most are in, as the list has its code only."""
    mine = rows[rows["service"] == "gp_practice"]
    codes = sorted(mine["run"].unique())
    if len(codes) <= 1:
        return dict.fromkeys(codes, "GP practices")
    most = {code: mine.loc[mine["run"] == code, "district"].mode().min() for code in codes}
    names = {code: f"GP practices, {districts()[home].name} and round it" for code, home in most.items()}
    # The largest of those that share a district has the plain name.
    told: dict[str, list[str]] = {}
    for code in sorted(codes, key=lambda code: (-(mine["run"] == code).sum(), code)):
        told.setdefault(names[code], []).append(code)
    return {code: names[code] + NTH[min(told[names[code]].index(code), len(NTH) - 1)] for code in codes}


def _runs(row: Any, practices: Mapping[str, str]) -> str:
    """Who runs a counter, by name; practices by their commissioner's code."""
    district = districts()[row.district]
    if row.service == "library":
        return "Independent community libraries" if row.run == "icl" else district.library_authority
    if row.service == "council_office":
        return row.run or district.council
    if row.service == "jobcentre":
        return "Department for Work and Pensions"
    if row.service == "gp_practice":
        return practices[row.run]
    return force(district)


def force(district: District) -> str:
    """A police force's name from its area's."""
    return {"City of London": "City of London Police", "Metropolitan Police": "Metropolitan Police Service"}.get(
        district.police, f"{district.police.replace('&', 'and')} Police"
    )


def _ids(rows: pd.DataFrame) -> pd.Series:
    """Ids that people can read: ``LIB-ALCESTER``; the postcode, then a number, tells namesakes apart."""
    stem = rows["service"].map(PREFIX) + "-" + rows["ref"].where(rows["ref"] != "", rows["name"]).map(slug)
    stem = stem.where(rows["note"] != "civic", stem + "-CIVIC")
    twice = stem.duplicated(keep=False)
    stem = stem.where(~twice, (stem + "-" + rows["postcode"].map(slug)).str.rstrip("-"))
    nth = stem.groupby(stem).cumcount()
    return stem.where(nth == 0, stem + "-" + (nth + 1).astype(str))


def slug(text: str) -> str:
    """Capitals, digits and hyphens."""
    return re.sub(r"[^A-Z0-9]+", "-", text.upper().replace("'", "").replace("COUNCIL SERVICES, ", "")).strip("-")[:40]


# --------------------------------------------------------------------------------------------------------------- sites


def _sites(points: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One building for each postcode, or for each spot where the list has no postcode; the points with their building."""
    spot = points["x"].astype(int).astype(str) + " " + points["y"].astype(int).astype(str)
    roof = points["postcode"].str.replace(" ", "").str.upper()
    rank = points["service"].map({service: i for i, service in enumerate(ORDER)})
    points = points.assign(roof=roof.where(roof != "", spot), rank=rank).sort_values(["roof", "rank", "access_point_id"])
    first = points.drop_duplicates("roof").set_index("roof")
    points = points.assign(site_id=points["roof"].map("S-" + first["access_point_id"]))
    rows = [_site(here.iloc[0], here) for _, here in points.groupby("roof", sort=True)]
    keep = ["access_point_id", "site_id", "service", "agency_name", "name", "area_m2", "hall_area_m2", "desk_area_m2", "source"]
    keep += ["area_m2_source", "licence", "illustrative", "town", "x", "y"]
    sites = pd.DataFrame(rows).sort_values("site_id", ignore_index=True)
    # One number for two libraries miles apart is a slip of the list: neither keeps it.
    sites["uprn"] = sites["uprn"].where(~sites["uprn"].duplicated(keep=False), "")
    return sites, points[keep].sort_values("access_point_id", ignore_index=True)


def _site(first: pd.Series, here: pd.DataFrame) -> dict[str, object]:
    """A building from the points in it: what is known, and every assumed figure, rounded as registers round."""
    a, service = figures(), str(first["service"])
    kind, size = KIND[service], str(first["size"])
    needed = float(here["area_m2"].sum())
    capacity, note = _capacity(first, needed)
    shared = first["shared"] == "yes"
    other = a["other_use", size] if ("other_use", size) in a else capacity * a["other_use", "library"] if shared else 0.0
    capacity = nearest(max(capacity, needed + other) if not shared else capacity + other, "area", up=True)
    tenure = {"jobcentre": "leasehold", "gp_practice": "private"}.get(service, "freehold")
    rate = "jobcentre" if service == "jobcentre" else kind
    value = nearest(capacity * a["market_value", kind], "market_value") if tenure == "freehold" else 0.0
    assumed = ["agency", "tenure", "capacity_m2", "running_cost_gbp_pa"] + ["other_use_m2"] * (other > 0)
    if tenure == "freehold":
        assumed += ["market_value_gbp", "value_low_gbp", "value_high_gbp", "disposal_cost_gbp", "years_to_sale"]
    if tenure == "leasehold":
        assumed += ["lease_end", "exit_cost_gbp"]
    names = list(dict.fromkeys(here["name"]))
    return {
        "site_id": f"S-{first['access_point_id']}",
        "name": _building(service, str(first["name"])),
        "agency_name": "Private landlords" if tenure == "leasehold" else first["agency_name"],
        "kind": kind,
        "tenure": tenure,
        "capacity_m2": capacity,
        "other_use_m2": nearest(other, "area"),
        "running_cost_gbp_pa": nearest(capacity * a["running_cost", rate], "running_cost"),
        "market_value_gbp": value,
        "value_low_gbp": round(value * a["value_low", "all"]) if value else "",
        "value_high_gbp": round(value * a["value_high", "all"]) if value else "",
        "disposal_cost_gbp": round(value * a["disposal_cost", "all"]),
        "years_to_sale": a["years_to_sale", "all"] if value else "",
        "lease_end": "2028-03-31" if tenure == "leasehold" else "",
        "exit_cost_gbp": nearest(capacity * a["exit_cost", "leasehold"], "running_cost") if tenure == "leasehold" else 0,
        "easting": int(first["x"]),
        "northing": int(first["y"]),
        "postcode": first["postcode"],
        "uprn": first["uprn"],
        "district": districts()[str(first["district"])].name,
        "location_note": f"one postcode taken as one building: {'; '.join(names)}" if len(names) > 1 else "",
        "source": here["source"].iloc[0],
        "capacity_m2_source": note,
        "running_cost_gbp_pa_source": f"assumptions.csv: running_cost, {rate}",
        "market_value_gbp_source": f"assumptions.csv: market_value, {kind}" if value else f"nil: {tenure}",
        "licence": here["licence"].iloc[0],
        "illustrative": ";".join(assumed),
    }


def _building(service: str, name: str) -> str:
    if service == "library":
        return name if "librar" in name.casefold() else f"{name} Library"
    return name + {"jobcentre": " Jobcentre", "council_office": " offices"}.get(service, "")


def _capacity(first: pd.Series, needed: float) -> tuple[float, str]:
    """Floor area, and where it comes from: a mapped footprint within reason, the size of such a place, or what it holds."""
    a, service, size = figures(), str(first["service"]), str(first["size"])
    if ("size", size) in a:
        return a["size", size], f"assumptions.csv: size, {size}"
    room = needed * a["room", service]
    footprint = float(first["footprint"] or 0)
    if not footprint or first["shared"] == "yes":
        return room, f"assumptions.csv: area x room, {service}"
    storeys = a["storeys", "footprint_600_or_more" if footprint >= 600 else "footprint_under_600"]
    floor = footprint * a["net_to_gross", "all"] * storeys
    return float(np.clip(floor, needed, needed * a["room", "most"])), FOOTPRINT


def nearest(value: float, what: str, *, up: bool = False) -> int:
    """A figure as a register has it: to the nearest 50 m2 or 1,000 pounds, and never nil for something."""
    step = figures()["round", what]
    steps = -(-value // step) if up else round(value / step)
    return int(max(steps, 1 if value > 0 else 0) * step)


# ------------------------------------------------------------------------------------------- agencies, rates and towns


BEYOND = "Bodies beyond the edge"
"""Who runs, in these books, what others run outside the place."""
BEYOND_M = 50_000.0
"""A counter beyond the edge and farther than this from every home in the place serves nobody here."""


def _beyond(
    points: pd.DataFrame, area: Area, zones: pd.DataFrame, services: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Buildings and counters outside the area that its people may go to, in the shape of :func:`_sites`.

    They are the ones that are nearest to somebody's home, and what shares their roof: as none of them ever changes, no other can
    matter.  Their costs and areas are nobody's business here and stay blank.
    """
    homes = zones.loc[zones["population"] > 0, ["easting", "northing"]].to_numpy(dtype=np.float64)
    others = points[~points["district"].isin(area.codes)]
    near: set[Any] = set()
    for service in services:
        there = others[others["service"] == service]
        away, nearest_one = cKDTree(there[["x", "y"]].to_numpy(dtype=np.float64)).query(homes)
        near |= set(there.index[np.unique(nearest_one[away <= BEYOND_M])])
    if not near:
        return pd.DataFrame(columns=["site_id"]), pd.DataFrame(columns=["access_point_id"])
    # With everything else under the same roof: a council's desk in a library comes with the library.
    roofs = others.loc[sorted(near), "postcode"]
    rows = _points(others[others.index.isin(list(near)) | others["postcode"].isin(set(roofs) - {""})], zones)
    rows = rows.assign(access_point_id="X-" + rows["access_point_id"], agency_name=BEYOND)
    sites, made = _sites(rows)
    known = ["site_id", "name", "kind", "easting", "northing", "postcode", "district", "location_note", "source", "licence"]
    blank = sites.assign(**dict.fromkeys(sites.columns.difference(known), ""))
    return blank.assign(agency_name=BEYOND, status="outside"), made


POLICE = {"City of London Police": "local_authority_england", "Metropolitan Police Service": "london_functional_body"}
"""Forces whose body is no police and crime commissioner: the Common Council, and the Mayor's Office for Policing and Crime."""


def _agencies(sites: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Everybody who runs a counter or holds a building, by name."""
    names = sorted({*sites["agency_name"], *points["agency_name"]})
    councils = {each.council for each in districts().values()} | {each.county_council for each in districts().values()}
    rows = []
    for name in names:
        kind, source, assumed = "private", "assumption: the lists name no owner", "name;kind"
        if name in councils:
            kind, source, assumed = "local_authority_england", "ONS lookups of districts and counties; councils of 2025", ""
        elif name.endswith((" Police", " Police Service")):
            kind, source, assumed = (
                POLICE.get(name, "police"),
                "ONS lookup of districts to police force areas, December 2021",
                "",
            )
        elif name.startswith("GP practices"):
            source, assumed = f"{SOURCES['gp_practice']}: practices of one commissioner, where most of them are", "takes_part"
        elif name.startswith("Department"):
            kind, source, assumed = "central_government", SOURCES["jobcentre"], ""
        elif name == BEYOND:
            kind, source, assumed = "other", "no agency: stands for all that run counters outside the place", ""
        elif name.startswith("Independent"):
            kind, source, assumed = "other", SOURCES["library"], "takes_part"
        part = "no" if name == BEYOND else "yes"
        row = {"agency": slug(name).lower(), "name": name, "kind": kind, "takes_part": part}
        rows.append({**row, "source": source, "illustrative": assumed})
    return pd.DataFrame(rows).sort_values("agency", ignore_index=True)


def _rates(points: pd.DataFrame) -> pd.DataFrame:
    """Fit-out and removal for every service of the place and kind of building."""
    a, here = figures(), set(points["service"])
    rows = [
        {
            "service": service,
            "site_kind": kind,
            "fitout_gbp_m2": round(a["fitout", service] * a["fitout_factor", kind]),
            "removal_gbp_m2": a["removal", "all"],
            "source": "assumptions.csv: fitout x fitout_factor, removal",
            "illustrative": "fitout_gbp_m2;removal_gbp_m2",
        }
        for service in sorted(here)
        for kind in ("health", "library", "office", "police")
    ]
    return pd.DataFrame(rows)


def _towns(points: pd.DataFrame) -> tuple[tuple[str, float, float], ...]:
    """Town names for the map, which stand at their first Jobcentre: longitude and latitude."""
    named = points[points["town"] != ""].drop_duplicates("town").sort_values("town")
    if not len(named):
        return ()
    lon, lat = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(named["x"], named["y"])
    return tuple(zip(named["town"], np.round(lon, 5).tolist(), np.round(lat, 5).tolist(), strict=True))


NEIGHBOUR_M = 15_000.0
"""Towns of other districts this near to somebody's home here are named on the map."""


def _neighbours(points: pd.DataFrame, area: Area, zones: pd.DataFrame) -> tuple[tuple[str, float, float], ...]:
    """Towns beyond the area, for the map's edge: as :func:`_towns`, of other districts, near to its small areas."""
    beyond = points[~points["district"].isin(area.codes) & (points["service"] == "jobcentre")]
    if not len(beyond):
        return ()
    homes = cKDTree(zones[["easting", "northing"]].to_numpy(dtype=np.float64))
    away, _ = homes.query(beyond[["x", "y"]].to_numpy(dtype=np.float64))
    return _towns(beyond[away <= NEIGHBOUR_M])


# --------------------------------------------------------------------------------------------------------------- files


def texts(place: Cut, name: str) -> dict[str, str]:
    """The files of a place.  Rows that rest on OpenStreetMap are in files of their own, with the notice."""
    number = {row.name: row.agency for row in place.agencies.set_index("name", drop=False).itertuples(index=False)}
    sites = place.sites.assign(agency=place.sites["agency_name"].map(number)).drop(columns="agency_name")
    points = place.points.assign(agency=place.points["agency_name"].map(number)).drop(columns=["agency_name", "town", "x", "y"])
    mapped = sites["licence"] == "ODbL"
    theirs = points["licence"] == "ODbL"
    found = {
        "agencies.csv": place.agencies,
        "sites.csv": sites[~mapped],
        "access_points.csv": points[~theirs],
        "zones.csv": place.zones,
        "rates.csv": place.rates,
        "assumptions.csv": pd.DataFrame(figure_rows()),
    }
    if mapped.any():
        found["sites_osm.csv"] = sites[mapped]
    if theirs.any():
        found["access_points_osm.csv"] = points[theirs]
    files = {file: _csv(frame) for file, frame in found.items()}
    if theirs.any():
        files["NOTICE_osm.txt"] = (
            f"sites_osm.csv, access_points_osm.csv: {OSM_NOTICE}\nhttps://www.openstreetmap.org/copyright\n"
        )
    if place.towns or place.beyond:
        files["context.geojson"] = _context(place.towns, place.beyond)
    files["estate.toml"] = settings(place.area, name, sites, points, place.zones, tuple(files))
    files["README.md"] = readme(place.area, name, place.notes, sites, points, place.zones)
    return files


def _csv(frame: pd.DataFrame) -> str:
    """Whole numbers without a point; LF line ends."""
    whole: Callable[[object], object] = lambda v: int(v) if isinstance(v, float) and v.is_integer() else v  # noqa: E731
    return frame.map(whole).to_csv(index=False, lineterminator="\n")


def _context(towns: Sequence[tuple[str, float, float]], beyond: Sequence[tuple[str, float, float]]) -> str:
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {"kind": kind, "name": name},
                "geometry": {"type": "Point", "coordinates": [lon, lat]},
            },
            ensure_ascii=False,
        )
        for kind, named in (("town", towns), ("neighbour", beyond))
        for name, lon, lat in named
    ]
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
