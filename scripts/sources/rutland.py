"""Rutland as it stood on 31 August 2014: a second county built like the first, for which real streets are at hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pyproj import Transformer

from estate.england import neighbourhoods

from .common import (
    AGENCY_COLUMNS,
    DATA,
    POINT_COLUMNS,
    RATE_COLUMNS,
    SITE_COLUMNS,
    Assumptions,
    Report,
    Row,
    access_point,
    copy_assumptions,
    library_band,
    library_capacity,
    rates,
    read,
    write,
    write_geojson,
)
from .nhs import Eric
from .osm import Extract
from .sites import finish
from .summary import summarise
from .zones import labels, people

BOUNDARY = 57398
"""The county's boundary relation in OpenStreetMap."""

NOTICE = "© OpenStreetMap contributors, February 2018, under the Open Database License (ODbL 1.0)"
OA_COLUMNS = [
    "zone_id",
    "name",
    "population",
    "people_urban",
    "people_rural",
    "people_deprived_urban",
    "easting",
    "northing",
    "lsoa",
    "district",
    "rural_urban",
    "ruc11",
    "imd_rank",
    "imd_decile",
    "deprived_urban",
    "country",
    "name_source",
    "source",
    "population_source",
    "imd_rank_source",
    "licence",
]
Table = list[dict[str, object]]


def build(data: Path, folder: Path) -> None:
    """Write every table of the county into ``folder``; rows that rest on OpenStreetMap go to files of their own."""
    a, report = Assumptions.load(), Report()
    eric = Eric(data.parent / "property" / "nhs_eric_site_2015-16_england.csv")
    record = read(DATA / "record_rutland_sites.csv")
    wanted = frozenset(row["place"].partition(":")[2] for row in record if row["place"].startswith("osm:"))
    extract = Extract(data / "rutland-2018-02.osm.pbf", wanted, BOUNDARY)
    libraries = _libraries(data, report)
    places = _places(data, extract, libraries, report)
    points = [_point(row, a, libraries) for row in read(DATA / "record_rutland_points.csv")]
    tables = {row["site_id"]: row["table"] for row in record}
    sites = [finish(_draft(row, a, places, libraries), a, eric, points) for row in record]
    zones = _zones(data, folder)
    for name, suffix in (("", ""), ("OpenStreetMap", "_osm")):
        mine = [site for site in sites if tables[str(site["site_id"])] == f"sites{suffix}"]
        here = [point for point in points if tables[str(point["site_id"])] == f"sites{suffix}"]
        write(folder / f"sites{suffix}.csv", SITE_COLUMNS, mine, ("site_id",))
        write(folder / f"access_points{suffix}.csv", POINT_COLUMNS, here, ("access_point_id",))
        if name:
            (folder / "NOTICE_osm.txt").write_text(
                f"context_osm.geojson, sites_osm.csv and access_points_osm.csv: {NOTICE}\n"
                "https://www.openstreetmap.org/copyright\n",
                encoding="utf-8",
                newline="\n",
            )
    write(folder / "agencies.csv", AGENCY_COLUMNS, read(DATA / "agencies_rutland.csv"), ("agency",))
    write(folder / "rates.csv", RATE_COLUMNS, rates(a), ("service", "site_kind"))
    copy_assumptions(folder)
    write_geojson(folder / "context_osm.geojson", extract.context(), NOTICE)
    for what, why in DROPPED:
        report.drop("public record", what, why)
    report.show()
    summarise(sites, points, zones)


DROPPED = (
    ("Uppingham police station, Leicester Road", "sold in 2011-12; the beat team in the town hall had no counter on record"),
    ("OpenStreetMap police node 2379993795 near Cottesmore", "no public enquiry desk on record there"),
    ("Jobcentre", "the county has none"),
    ("advice centres", "no list at hand"),
)


def _libraries(data: Path, report: Report) -> dict[str, Row]:
    kept = {}
    for row in read(data / "libraries_2023.csv"):
        if row["type"] == "Static Library":
            kept[row["name"]] = row
        else:
            report.drop("libraries", row["name"], f"{row['type'].lower()}: not a public lending library")
    return kept


def _places(data: Path, extract: Extract, libraries: dict[str, Row], report: Report) -> dict[str, tuple[int, int]]:
    """EPSG:27700 metres by place: a library, a surgery, a hospital, or something in OpenStreetMap."""
    metres = Transformer.from_crs(4326, 27700, always_xy=True)
    now = {row["postcode"]: row for row in read(data / "gp_practices_2025-09.csv")}
    places = {f"osm:{key}": point for key, point in extract.points.items()}
    for name, row in libraries.items():
        places[f"library:{name}"] = round(float(row["easting"])), round(float(row["northing"]))
    for row in read(data / "nhs_choices_2014_gp_surgeries.csv"):
        same = now.get(row["Postcode"])
        if same:
            at = round(float(same["easting"])), round(float(same["northing"]))
        else:
            east, north = metres.transform(float(row["Longitude"]), float(row["Latitude"]))
            at = round(east), round(north)
        places[f"gp:{row['OrganisationCode']} {row['Postcode']}"] = at
    for row in read(data / "nhs_choices_2014_hospitals.csv"):
        if row["OrganisationCode"] == "RY8CW":
            report.drop("NHS Choices hospitals", f"RY8CW {row['OrganisationName']}", "second listing of RT5PC")
        east, north = metres.transform(float(row["Longitude"]), float(row["Latitude"]))
        places[f"nhs:{row['OrganisationCode']}"] = round(east), round(north)
    for row in read(data / "nhs_choices_2014_clinics.csv"):
        report.drop(
            "NHS Choices clinics", f"{row['OrganisationCode']} {row['OrganisationName']}", "a GP surgery, listed as such"
        )
    return places


def _point(row: Row, a: Assumptions, libraries: dict[str, Row]) -> dict[str, object]:
    key, status = row.pop("area"), row.pop("visits_status")
    row.pop("table")
    area = a("area", key) if not key.startswith("library:") else _library_area(libraries[key.partition(":")[2]], a)
    return access_point(a, area, **row, visits_pa_source=status)


def _library_area(row: Row, a: Assumptions) -> float:
    area = a("area", library_band(float(row["hours"])))
    if row["os_footprint_m2"]:
        area = min(area, library_capacity(a, float(row["os_footprint_m2"])) * a("library_share"))
    return area


def _draft(row: Row, a: Assumptions, places: dict[str, tuple[int, int]], libraries: dict[str, Row]) -> dict[str, object]:
    east, north = places[row["place"]]
    kind, _, name = row["place"].partition(":")
    draft: dict[str, object] = {
        **{k: v for k, v in row.items() if k not in {"place", "place_note", "assumed", "table"}},
        "easting": east,
        "northing": north,
        "district": "Rutland",
        "location_approximate": "yes" if row["place_note"] else "no",
        "location_note": row["place_note"],
        "illustrative": row["assumed"],
    }
    library = libraries[name] if kind == "library" else None
    if library:
        draft["uprn"] = library["uprn"]
        if library["os_footprint_m2"] and row["other_use"] == "no":
            draft["capacity"] = library_capacity(a, float(library["os_footprint_m2"]))
            draft["capacity_m2_source"] = "OS Open ground footprint x net_to_gross x storeys (assumptions.csv)"
    return draft


def _zones(data: Path, folder: Path) -> Table:
    """One zone for each output area, with the labels of its LSOA."""
    areas = {row["lsoa11cd"]: row for row in read(data / "lsoa11_pwc_population.csv")}
    names = dict(zip(areas, neighbourhoods.people_say(area["lsoa11nm"] for area in areas.values()), strict=True))
    number: Counter[str] = Counter()
    rows: Table = []
    for row in read(data / "oa11_points_population.csv"):
        area = areas[row["lsoa11cd"]]
        number[row["lsoa11cd"]] += 1
        rows.append(
            people(
                {
                    "zone_id": row["oa11cd"],
                    "name": f"{names[row['lsoa11cd']]}, {number[row['lsoa11cd']]}",
                    "name_source": f"{neighbourhoods.SOURCE}; output areas are numbered within it",
                    "lsoa": row["lsoa11cd"],
                    "population": int(row["pop2011"]),
                    "easting": round(float(row["easting"])),
                    "northing": round(float(row["northing"])),
                    "source": "ONS output areas 2011; the point is the mean of the area's postcodes",
                    "population_source": "Census 2011 (ONS)",
                    **labels(area),
                }
            )
        )
    write(folder / "zones.csv", OA_COLUMNS, rows, ("zone_id",))
    return rows
