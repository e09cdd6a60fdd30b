"""The two real counties: what is in them, that every figure says where it comes from, and that they can be rebuilt."""

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from repository import INPUTS, ROOT

PLACES = ("worcestershire", "rutland")
IDS = re.compile(r"[A-Za-z0-9_-]+")
MONEY_AND_AREA = (
    "capacity_m2",
    "other_use_m2",
    "running_cost_gbp_pa",
    "hosting_cost_gbp_m2_pa",
    "market_value_gbp",
    "value_low_gbp",
    "value_high_gbp",
    "disposal_cost_gbp",
    "exit_cost_gbp",
    "condition_backlog_gbp",
)


def table(place: str, name: str) -> list[dict[str, str]]:
    """The rows of a table, with those in its file of OpenStreetMap rows."""
    rows = []
    for path in (INPUTS / place / f"{name}.csv", INPUTS / place / f"{name}_osm.csv"):
        if path.exists():
            with path.open(encoding="utf-8", newline="") as stream:
                rows += list(csv.DictReader(stream))
    return rows


def total(rows: list[dict[str, str]], column: str) -> float:
    return sum(float(row[column] or 0) for row in rows)


def test_worcestershire_as_it_stood_in_2014():
    zones, sites = table("worcestershire", "zones"), table("worcestershire", "sites")
    points = table("worcestershire", "access_points")
    assert len(zones) == 364
    assert total(zones, "population") == 566_169
    assert total(zones, "pop_mid2022") == 609_216
    assert len({zone["district"] for zone in zones}) == 6
    assert len(sites) == 132
    assert Counter(point["service"] for point in points) == {
        "advice_centre": 4,
        "clinic": 15,
        "council_office": 12,
        "gp_practice": 78,
        "jobcentre": 6,
        "library": 23,
        "police_desk": 8,
    }
    districts = {zone["district"] for zone in zones}
    assert {site["district"] for site in sites} == districts


def test_rutland():
    zones, points = table("rutland", "zones"), table("rutland", "access_points")
    assert len(zones) == 116
    assert total(zones, "population") == 37_369
    assert Counter(point["service"] for point in points) == {
        "clinic": 1,
        "council_office": 1,
        "gp_practice": 6,
        "library": 4,
        "police_desk": 1,
    }


def test_what_shared_a_building_then_shares_a_site():
    at: dict[str, set[str]] = {}
    for point in table("worcestershire", "access_points"):
        at.setdefault(point["site_id"], set()).add(point["service"])
    assert at["W-LIB-MALVERN"] == {"library", "jobcentre", "council_office"}
    assert at["W-LIB-HIVE"] == {"library", "council_office"}
    assert at["W-LIB-DROITWICH"] == {"library", "council_office"}
    assert at["W-LIB-STOURPORT"] == {"library", "police_desk"}
    assert at["W-LIB-TENBURY"] == {"library", "advice_centre"}
    assert at["W-NHS-KIDDERMINSTER-HC"] == {"clinic", "gp_practice"}
    assert at["W-NHS-WALK-IN"] == {"clinic", "gp_practice"}
    # before the moves of 2015-18
    assert at["W-LIB-BROMSGROVE"] == at["W-LIB-KIDDERMINSTER"] == at["W-LIB-REDDITCH"] == {"library"}


def test_buildings_that_serve_something_else_say_so():
    sites = {site["site_id"]: site for site in table("worcestershire", "sites")}
    for name in ("W-CO-COUNTY-HALL", "W-LIB-CATSHILL", "W-LIB-ALVECHURCH", "W-LIB-HIVE", "W-NHS-EVESHAM-CH"):
        assert float(sites[name]["other_use_m2"]) > 0, name
    assert sites["W-LIB-CATSHILL"]["may_host"] == "none"
    assert sites["W-LIB-HIVE"]["tenure"] == "pfi"
    assert {name for name, site in sites.items() if site["in_use"] == "no"} == {"W-CO-PARKSIDE", "W-CO-STOURPORT-CIVIC"}


def test_nobody_gets_a_receipt_for_what_is_not_theirs():
    for place in PLACES:
        for site in table(place, "sites"):
            if site["tenure"] != "freehold":
                assert float(site["market_value_gbp"]) == 0, site["site_id"]
            if site["agency"] == "GP":
                assert (site["tenure"], site["may_host"]) == ("private", "none"), site["site_id"]
        takes_part = {agency["agency"]: agency["takes_part"] for agency in table(place, "agencies")}
        assert takes_part["GP"] == "no"
    jobcentres = [site for site in table("worcestershire", "sites") if site["site_id"].startswith("W-JCP")]
    assert len(jobcentres) == 5
    assert {(site["agency"], site["tenure"]) for site in jobcentres} == {("TRILLIUM", "leasehold")}


def test_hospital_figures_are_the_published_ones():
    sites = {site["site_id"]: site for site in table("worcestershire", "sites")}
    evesham = sites["W-NHS-EVESHAM-CH"]
    assert float(evesham["capacity_m2"]) == 9009
    assert float(evesham["running_cost_gbp_pa"]) == 676_585 + 1_014_337
    assert "capacity_m2" not in evesham["illustrative"].split(";")
    assert "running_cost_gbp_pa" not in evesham["illustrative"].split(";")


@pytest.mark.parametrize("place", PLACES)
def test_keys_and_references(place):
    sites, points = table(place, "sites"), table(place, "access_points")
    agencies = {row["agency"] for row in table(place, "agencies")}
    ids = [site["site_id"] for site in sites]
    for keys in (ids, [p["access_point_id"] for p in points], [z["zone_id"] for z in table(place, "zones")]):
        assert len(set(keys)) == len(keys)
        assert all(IDS.fullmatch(key) for key in keys)
    assert {point["site_id"] for point in points} <= set(ids)
    assert {row["agency"] for row in sites + points} <= agencies
    assert len(table(place, "rates")) == 7 * 7


@pytest.mark.parametrize("place", PLACES)
def test_areas_fit(place):
    used: Counter[str] = Counter()
    for point in table(place, "access_points"):
        used[point["site_id"]] += int(point["area_m2"])
        assert float(point["hall_area_m2"]) + float(point["desk_area_m2"]) <= float(point["area_m2"])
    for site in table(place, "sites"):
        assert used[site["site_id"]] + float(site["other_use_m2"]) <= float(site["capacity_m2"]), site["site_id"]


@pytest.mark.parametrize("place", PLACES)
def test_every_figure_has_a_source_or_is_marked(place):
    for name in ("agencies", "sites", "access_points", "zones", "rates"):
        for row in table(place, name):
            assert row["source"], row
            assert name in ("agencies", "rates") or row["licence"], row
            marked = {each for each in row.get("illustrative", "").split(";") if each}
            assert marked <= set(row), marked - set(row)
            for column in MONEY_AND_AREA:
                if name == "sites" and float(row[column] or 0) > 0 and column not in marked:
                    assert row[f"{column}_source"], (row["site_id"], column)
            if name == "access_points":
                assert {"area_m2", "hall_area_m2", "desk_area_m2"} <= marked
            # a place known only by its town or street says so, and says where it was put
            assert name != "sites" or (row["location_approximate"] == "yes") == bool(row["location_note"])


@pytest.mark.parametrize("place", PLACES)
def test_zone_labels(place):
    for zone in table(place, "zones"):
        rank = int(zone["imd_rank"])
        assert int(zone["imd_decile"]) == min(10, (rank - 1) * 10 // 32_844 + 1)
        assert zone["rural_urban"] == ("urban" if zone["ruc11"][0] in "ABC" else "rural")
        worst = rank <= 0.15 * 32_844 and zone["rural_urban"] == "urban"
        assert zone["deprived_urban"] == ("yes" if worst else "no")
        assert int(zone["people_urban"]) + int(zone["people_rural"]) == int(zone["population"])


@pytest.mark.parametrize("place", PLACES)
def test_everything_is_in_its_county(place):
    zones = table(place, "zones")
    east, north = [int(z["easting"]) for z in zones], [int(z["northing"]) for z in zones]
    for site in table(place, "sites"):
        assert min(east) - 3000 <= int(site["easting"]) <= max(east) + 3000, site["site_id"]
        assert min(north) - 3000 <= int(site["northing"]) <= max(north) + 3000, site["site_id"]


def test_context_is_light_and_rows_from_openstreetmap_are_apart():
    county = INPUTS / "worcestershire" / "context.geojson"
    assert county.stat().st_size < 150_000
    drawn = json.loads(county.read_text(encoding="utf-8"))["features"]
    assert Counter(each["properties"]["kind"] for each in drawn) == {"outline": 6, "town": 17, "neighbour": 17}
    rutland = json.loads((INPUTS / "rutland" / "context_osm.geojson").read_text(encoding="utf-8"))
    assert "OpenStreetMap" in rutland["notice"]
    assert {each["properties"]["kind"] for each in rutland["features"]} == {"outline", "road", "river", "town"}
    for place in PLACES:
        for path in sorted((INPUTS / place).glob("*.csv")):
            rests_on_osm = "ODbL" in path.read_text(encoding="utf-8")
            assert rests_on_osm == path.stem.endswith("_osm"), path
        text = (INPUTS / place / "README.md").read_text(encoding="utf-8")
        assert "Contains OS data © Crown copyright and database right 2025" in text
    assert "© OpenStreetMap contributors" in (INPUTS / "rutland" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", PLACES)
def test_the_folder_is_rebuilt_byte_for_byte(place, tmp_path):
    data = os.environ.get("ESTATE_DATA")
    if not data or not (Path(data) / place).is_dir():
        pytest.skip(f"the source files are not here: set ESTATE_DATA to the folder that holds {place}/")
    command = [sys.executable, ROOT / "scripts" / "build_inputs", place, data, "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "dropped" in done.stdout
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {name: (INPUTS / place / name).read_bytes() for name in built}
    assert [name for name in built if built[name] != kept[name]] == []
    assert not any(b"\r" in content for content in built.values())
