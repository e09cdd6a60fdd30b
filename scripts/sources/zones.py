"""Demand zones: people, and the labels that access rules are written for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from estate.england import neighbourhoods

from .common import IMD_AREAS, Places, Row, read, write

URBAN = ("A", "B", "C")
"""First letters of the 2011 rural-urban classes of built-up areas of 10,000 people or more."""

DEPRIVED_SHARE = 0.15
"""Worst share of England's small areas counted as deprived (Hansard 28 January 2008)."""

ZONE_COLUMNS = [
    "zone_id",
    "name",
    "population",
    "people_urban",
    "people_rural",
    "people_deprived_urban",
    "pop_mid2022",
    "easting",
    "northing",
    "lsoa",
    "district",
    "rural_urban",
    "ruc11",
    "imd_rank",
    "imd_decile",
    "deprived_urban",
    "postcode_district",
    "postcode_district_share",
    "country",
    "name_source",
    "source",
    "population_source",
    "imd_rank_source",
    "postcode_district_source",
    "licence",
]


def labels(area: Row) -> dict[str, object]:
    """Rural-urban class and deprivation of a small area; decile 1 is the most deprived tenth of England's areas."""
    rank = int(float(area["imd15_rank"]))
    urban = area["ruc11cd"][0] in URBAN
    return {
        "district": area["ladnm"],
        "rural_urban": "urban" if urban else "rural",
        "ruc11": area["ruc11cd"],
        "imd_rank": rank,
        "imd_decile": -(-rank * 10 // IMD_AREAS),
        "deprived_urban": "yes" if urban and rank <= IMD_AREAS * DEPRIVED_SHARE else "no",
        "country": "England",
        "imd_rank_source": "Index of Multiple Deprivation 2015, rank of 32,844 areas in England",
        "licence": "OGL-UK-3.0",
    }


def people(row: dict[str, object]) -> dict[str, object]:
    """Add the people an urban, rural or deprived urban rule counts."""
    count = row["population"]
    urban = row["rural_urban"] == "urban"
    return row | {
        "people_urban": count if urban else 0,
        "people_rural": 0 if urban else count,
        "people_deprived_urban": count if row["deprived_urban"] == "yes" else 0,
    }


def lsoa_zones(source: Path, places: Places, folder: Path) -> list[dict[str, object]]:
    """Write one zone for each LSOA, with the postcode district that most of its postcodes are in."""
    districts: dict[str, Counter[str]] = {}
    for postcode, lsoa in sorted(places.lsoa.items()):
        districts.setdefault(lsoa, Counter())[postcode.split()[0]] += 1
    wards = _wards(source.parent / "worcestershire_ward.geojson", read(source))
    rows = []
    names = neighbourhoods.people_say(area["lsoa11nm"] for area in read(source))
    for area, name in zip(read(source), names, strict=True):
        counts = districts[area["lsoa11cd"]]
        best = min(counts, key=lambda name, counts=counts: (-counts[name], name))  # type: ignore[misc]
        rows.append(
            people(
                {
                    "zone_id": area["lsoa11cd"],
                    "name": name,
                    "name_source": neighbourhoods.SOURCE,
                    "lsoa": area["lsoa11cd"],
                    "population": int(area["pop2011"]),
                    "pop_mid2022": int(float(area["pop_mid2022"])),
                    "easting": int(area["easting"]),
                    "northing": int(area["northing"]),
                    "ward": wards[area["lsoa11cd"]],
                    "ward_source": "ONS wards of 2025: the one that holds the population-weighted centroid",
                    "postcode_district": best,
                    "postcode_district_share": counts[best] / counts.total(),
                    "source": "ONS LSOA 2011 population-weighted centroids and 2011 rural-urban classification",
                    "population_source": "Census 2011 (ONS); pop_mid2022: ONS mid-2022 estimate",
                    "postcode_district_source": "Code-Point Open May 2025: district of most of the LSOA's postcodes",
                    **labels(area),
                }
            )
        )
    columns = [*ZONE_COLUMNS]
    columns.insert(columns.index("district") + 1, "ward")
    columns.insert(columns.index("postcode_district_source"), "ward_source")
    write(folder / "zones.csv", columns, rows, ("zone_id",))
    return rows


def _wards(source: Path, areas: list[Row]) -> dict[str, str]:
    """The ward that holds each area's centroid, by the area's code; of one that none holds, the nearest."""
    import geopandas as gpd
    import shapely

    wards = gpd.read_file(source).to_crs(27700)
    tree = shapely.STRtree(wards.geometry.to_numpy())
    at = [shapely.Point(float(area["easting"]), float(area["northing"])) for area in areas]
    return {area["lsoa11cd"]: str(wards["WD25NM"].iloc[n]) for area, n in zip(areas, tree.nearest(at), strict=True)}
