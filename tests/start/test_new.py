"""Starting a place: the starter runs as it stands, OpenStreetMap gives a draft, and the schema describes everything."""

import gzip
import json
import os
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import python_calamine
import starter
from click.testing import CliRunner
from repository import ROOT

from estate.cli import group
from estate.cli.outcome import guarded
from estate.errors import DownloadError, InputError, UsageError, WriteError
from estate.scenario import Scenario, load_scenario
from estate.start.draft import NOTICE, draft_from_osm, service_of
from estate.start.listing import columns_text, unit_of
from estate.start.new import new, scenario_name
from estate.start.schema import csv_template, excel_template, json_schema, setting_rows
from estate.tables import TABLES
from estate.whatif.patches import Family
from estate.whatif.patches import read as read_whatif

OSM = """<?xml version="1.0"?><osm version="0.6">
 <node id="1" version="1" lat="52.1000" lon="-2.0000"/><node id="2" version="1" lat="52.1000" lon="-1.9997"/>
 <node id="3" version="1" lat="52.1002" lon="-1.9997"/><node id="4" version="1" lat="52.1002" lon="-2.0000"/>
 <node id="5" version="1" lat="52.1001" lon="-1.9998"><tag k="amenity" v="police"/><tag k="name" v="Police desk"/></node>
 <node id="6" version="1" lat="52.2" lon="-2.1"><tag k="office" v="employment_agency"/><tag k="name" v="Jobcentre Plus"/></node>
 <node id="7" version="1" lat="52.2" lon="-2.2"><tag k="amenity" v="cafe"/></node>
 <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="building" v="yes"/><tag k="amenity" v="library"/><tag k="name" v="Central Library"/><tag k="building:levels" v="2"/>
 </way></osm>"""


@pytest.fixture
def rutland():
    """The county's OpenStreetMap extract, where the source data are at hand."""
    data = os.environ.get("ESTATE_DATA")
    file = Path(data or "") / "rutland" / "rutland-2018-02.osm.pbf"
    if not data or not file.is_file():
        pytest.skip("ESTATE_DATA does not name the folder of source data with rutland/rutland-2018-02.osm.pbf")
    return file


def test_the_starter_runs_as_it_stands(tmp_path, capfd):
    folder = tmp_path / "My New Place!"
    assert guarded(group, ["new", str(folder)]) == 0
    assert guarded(group, ["check", str(folder)]) == 0
    capfd.readouterr()
    assert guarded(group, ["run", str(folder), "--out", str(tmp_path / "maps"), "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["status"] == "optimal"
    assert result["verified"] is True
    assert result["saving_gbp_pa"] > 0
    assert result["moves"] > 0
    assert load_scenario(folder).name == "my-new-place"


@pytest.mark.parametrize("whatif", ["receipts-count.toml", "keep-every-library.toml"])
def test_its_whatifs_are_valid(tmp_path, whatif):
    folder = starter.make(tmp_path)
    assert guarded(group, ["check", str(folder / whatif)]) == 0


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "there").mkdir()
    assert len(new(tmp_path / "there")) == 10
    before = (tmp_path / "there" / "sites.csv").read_bytes()
    with pytest.raises(WriteError, match="not empty"):
        new(tmp_path / "there")
    with pytest.raises(WriteError):
        new(tmp_path / "there" / "sites.csv")
    assert (tmp_path / "there" / "sites.csv").read_bytes() == before


@pytest.mark.parametrize(("folder", "name"), [("Ünïted  Kingdom", "n-ted-kingdom"), ("!!!", "place"), ("x" * 90, "x" * 40)])
def test_names_of_folders_become_names_of_scenarios(folder, name):
    assert scenario_name(Path("/places") / folder) == name


LISTS = (
    "england/lsoa11_pwc_population_england_wales.csv",
    "england/libraries_england_2023_geocoded.csv.gz",
    "england/jobcentres_gb_2016_districts_geocoded.csv",
)


def follow(text: str, folder: Path, lists: tuple[str, ...]) -> None:
    """Do what a document says: its last two blocks are ``agencies.csv`` and ``estate.toml``; the lists go beside them."""
    data = Path(os.environ.get("ESTATE_DATA") or "nowhere")
    if not all((data / each).is_file() for each in lists):
        pytest.skip(f"ESTATE_DATA does not name the folder of source data with {', '.join(lists)}")
    folder.mkdir()
    (folder / "agencies.csv").write_text(text.rpartition("```csv\n")[2].partition("```")[0])
    (folder / "estate.toml").write_text(text.rpartition("```toml\n")[2].partition("```")[0])
    for each in lists:
        content = (data / each).read_bytes()
        target = folder / Path(each).name.removesuffix(".gz")
        target.write_bytes(gzip.decompress(content) if each.endswith(".gz") else content)


def test_a_whole_place_from_published_lists(tmp_path, capfd):
    """The starter's README, followed: its last settings on the lists as published, a council's own among them."""
    readme = (starter.make(tmp_path) / "README.md").read_text()
    follow(readme, tmp_path / "place", (*LISTS, "property/cheltenham_land_and_assets_2021.csv"))
    place = starter.place_of(tmp_path / "place")
    assert place.zones["population"].sum() == 115_732
    assert dict(place.access_points["service"].value_counts()) == {"library": 7, "jobcentre": 1, "council_office": 1}
    assert guarded(group, ["run", str(tmp_path / "place"), "--out", str(tmp_path / "maps"), "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert (result["status"], result["verified"]) == ("optimal", True)


def test_the_starter_with_a_land_list_laid_in(tmp_path):
    """The starter's README, its first settings: what is left to fill in is said in a few lines, not two hundred."""
    data = Path(os.environ.get("ESTATE_DATA") or "nowhere") / "property" / "cheltenham_land_and_assets_2021.csv"
    if not data.is_file():
        pytest.skip(f"ESTATE_DATA does not name the folder of source data with property/{data.name}")
    folder = starter.make(tmp_path)
    (folder / data.name).write_bytes(data.read_bytes())
    (folder / "floor_areas_and_costs.csv").write_text("site_id,capacity_m2,running_cost_gbp_pa\n")
    starter.replace(folder, 'sites = "sites.csv"\n', "")
    block = (folder / "README.md").read_text().split("```toml\n")[1].split("```")[0]
    starter.replace(folder, "# context =", f"{block}\n# context =")
    result = CliRunner().invoke(group, ["check", str(folder)])
    said = [line for line in result.output.splitlines() if line.startswith("  error")]
    assert len(said) == 3 + 8  # capacity, running cost, the agency; the counters that are still in the starter's buildings
    assert "row 38, column capacity_m2: capacity_m2 is blank" in said[0]
    assert "(86 rows: 38, 42, 43, 54, 58 and 81 more)" in said[0]


def test_another_place_by_inputs_readme(tmp_path, capfd):
    """``inputs/README.md``, followed: North Devon out of five national lists."""
    lists = (*LISTS, "england/gp_practices_epraccur_2025-09_active_geocoded.csv", "england/uk_council_headquarters.csv")
    follow((ROOT / "inputs" / "README.md").read_text(), tmp_path / "north-devon", lists)
    assert guarded(group, ["check", str(tmp_path / "north-devon"), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["issues"]
    assert sorted(each["code"] for each in found if each["severity"] == "warning") == ["sites.lease", "sites.no-value"]
    assert guarded(group, ["run", str(tmp_path / "north-devon"), "--out", str(tmp_path / "maps"), "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert (result["status"], result["verified"], result["sites_before"]) == ("optimal", True, 18)
    assert result["saving_gbp_pa"] > 0


# -------------------------------------------------------------------------------------------------------------- draft


def test_a_draft_from_a_map(tmp_path):
    (tmp_path / "a.osm").write_text(OSM)
    draft = draft_from_osm(tmp_path / "a.osm")
    points = draft.access_points.set_index("access_point_id")
    assert dict(points["service"]) == {
        "jobcentre-n6": "jobcentre", "library-w10": "library", "police_desk-w10": "police_desk"
    }  # fmt: skip
    assert points.loc["police_desk-w10", "site_id"] == "osm-w10"  # the desk is inside the library's outline
    site = draft.sites.set_index("site_id").loc["osm-w10"]
    assert site["footprint_m2"] == pytest.approx(457, rel=0.02)  # 20.5 m by 22.3 m
    assert site["capacity_m2"] == pytest.approx(site["footprint_m2"] * 2 * 0.85, rel=0.01)
    assert site["name"] == "Central Library"
    for table in (draft.sites, draft.access_points):
        assert (table["source"] == "OpenStreetMap, drafted").all()
        assert (table["licence"] == "ODbL").all()
        assert (table["illustrative"] != "").all()
    assert draft.sites.equals(draft_from_osm(tmp_path / "a.osm").sites)


def test_a_drafted_place_needs_only_people(tmp_path, capfd):
    (tmp_path / "a.osm").write_text(OSM)
    folder = tmp_path / "draft"
    assert guarded(group, ["new", str(folder), "--from-osm", str(tmp_path / "a.osm")]) == 0
    assert guarded(group, ["check", str(folder)]) == 3
    said = capfd.readouterr().out
    assert said.count("  error ") == 1
    assert "there are no rows of zones" in said
    assert NOTICE in (folder / "estate.toml").read_text()
    assert NOTICE in (folder / "README.md").read_text()
    with (folder / "zones.csv").open("a") as stream:
        stream.write("Z1,1000,Town,mine,,397000,255600,\n")
    assert guarded(group, ["check", str(folder)]) == 0


def test_rutland_drafted_against_its_published_lists(rutland, tmp_path):
    draft = draft_from_osm(rutland)
    points = draft.access_points
    assert points["service"].value_counts().to_dict() == {
        "library": 3, "police_desk": 2, "council_office": 2, "gp_practice": 1
    }  # fmt: skip
    sites = draft.sites.set_index("site_id")
    published = pd.read_csv(rutland.parent / "libraries_2023.csv")
    public = published[published["type"].eq("Static Library") & published["authority"].eq("Rutland")]
    assert set(public["name"]) == {"Oakham", "Uppingham", "Ryhall", "Ketton"}
    mapped = sites.loc[points.loc[points["service"] == "library", "site_id"]]
    near = {
        name
        for name, east, north in zip(public["name"], public["easting"], public["northing"], strict=True)
        if (
            ((mapped["easting"] - east) ** 2 + (mapped["northing"] - north) ** 2) ** 0.5 < 250
        ).any()  # the list is placed by postcode
    }
    assert near == {"Oakham", "Uppingham", "Ryhall"}  # Ketton's was not on the map in 2018
    assert sites.loc[mapped.index, "footprint_m2"].astype(float).between(100, 1000).all()
    new(tmp_path / "rutland", from_osm=str(rutland))
    zones = pd.read_csv(rutland.parent / "lsoa11_pwc_population.csv")
    zones = zones.rename(columns={"lsoa11cd": "zone_id", "pop2011": "population"})
    zones[["zone_id", "population", "easting", "northing"]].to_csv(tmp_path / "rutland" / "zones.csv", index=False)
    assert guarded(group, ["check", str(tmp_path / "rutland")]) == 0


@pytest.mark.parametrize(
    ("tags", "service"),
    [
        ({"amenity": "library"}, "library"),
        ({"amenity": "doctors"}, "gp_practice"),
        ({"healthcare": "centre"}, "clinic"),
        ({"amenity": "townhall"}, "council_office"),
        ({"amenity": "public_building", "name": "Rutland County Council"}, "council_office"),
        ({"amenity": "public_building", "name": "Village Hall"}, ""),
        ({"office": "government", "name": "Job Centre Plus"}, "jobcentre"),
        ({"amenity": "library", "disused": "yes"}, ""),
        ({"social_facility": "food_bank"}, "social_facility"),
        ({"amenity": "cafe"}, ""),
    ],
)
def test_services_by_tag(tags, service):
    assert service_of(tags) == service


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<osm version='0.6'></osm>", "holds no library"),
        (b"not a map", "not an OpenStreetMap file"),
        (b"<osm version='0.6'><node id='1'", "corrupt"),
        (b"\x00\x00\x00\x0e\x0a\x09OSMHeader\x18\x05junk", "corrupt"),
        (b"\x1f\x8b\x08\x00bomb", "not an OpenStreetMap file"),
    ],
)
def test_bad_maps(tmp_path, content, words):
    (tmp_path / "a.osm.pbf").write_bytes(content)
    with pytest.raises(InputError, match=words):
        draft_from_osm(tmp_path / "a.osm.pbf")
    with pytest.raises(InputError, match="no file"):
        draft_from_osm(tmp_path / "missing.osm.pbf")


def test_a_place_name_without_a_network_is_a_kind_refusal():
    with pytest.raises(DownloadError, match="could not be downloaded"):
        draft_from_osm("Rutland, England")


def test_the_starters_what_ifs_run_and_their_comments_name_every_kind(tmp_path, capsys):
    folder = starter.make(tmp_path)
    text = (folder / "whatif.toml").read_text()
    for kind in get_args(Family.model_fields["kind"].annotation):
        assert re.search(rf"^#     {kind} ", text, re.MULTILINE), kind
    for name in Family.model_fields:
        assert name in text
    assert guarded(group, ["whatif", str(folder / "whatif.toml"), "--out", str(tmp_path / "maps"), "--workers", "1", "-q"]) == 0
    assert "scenarios (" in capsys.readouterr().out
    assert (tmp_path / "maps" / "example-whatifs" / "index.html").is_file()


def test_a_drafts_what_ifs_speak_of_its_own_standards(tmp_path):
    (tmp_path / "a.osm").write_text(OSM)
    new(tmp_path / "drafted", from_osm=str(tmp_path / "a.osm"))
    changes, _ = read_whatif(tmp_path / "drafted" / "whatif.toml")
    names = {each.name for each in load_scenario(tmp_path / "drafted").standards}
    axes = [axis for family in changes.family for axis in family.axes]
    assert axes
    assert {axis.split(".")[1] for axis in axes} <= names


# ------------------------------------------------------------------------------------------------------------- schema


def test_the_schema_describes_every_setting_and_column():
    schema = json_schema()
    assert set(schema["properties"]["scenario"]["properties"]) == {*Scenario.model_fields, "extends"} - {"folder", "file"}
    for name, table in TABLES.items():
        row = schema["properties"]["tables"]["properties"][name]
        assert {each.name for each in table.columns} <= set(row["properties"])
        assert all(found["description"] for found in row["properties"].values())
    assert json.loads(json.dumps(schema)) == schema
    listed = {path: meaning for path, _, meaning in setting_rows()}
    assert {"travel.detour", "standards.*.limit", "services.*.aliases", "tables.sites.*.header_row"} <= set(listed)
    assert [path for path, meaning in listed.items() if not meaning] == []


def test_the_schema_reads_as_text_and_as_json_where_asked(capsys):
    assert guarded(group, ["schema"]) == 0
    text = capsys.readouterr().out
    for table in TABLES.values():
        assert f"{table.name}: {table.note}" in text
        for column in table.columns:
            assert re.search(rf"^  {column.name} +{re.escape(unit_of(column))} ", text, re.MULTILINE)
    line = next(each for each in text.splitlines() if each.startswith("  running_cost_gbp_pa"))
    assert re.split(r"\s{2,}", line.strip()) == ["running_cost_gbp_pa", "GBP a year", "needed", "running cost while open"]
    assert re.search(r"^  travel\.detour +1\.3 +Road metres", text, re.MULTILINE)
    assert not any(len(each) > 120 for each in columns_text(TABLES["sites"], 120).splitlines())
    assert guarded(group, ["schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert guarded(group, ["schema", "zones", "--json"]) == 0
    assert "zone_id" in json.loads(capsys.readouterr().out)["properties"]


def test_the_starter_fits_the_schema(tmp_path):
    import tomllib

    schema = json_schema()
    scenario, parts = schema["properties"]["scenario"]["properties"], schema["$defs"]
    plain = tomllib.loads((starter.make(tmp_path) / "estate.toml").read_text())
    assert set(plain) <= set(scenario)
    for name in ("tables", "travel", "rules", "money"):
        assert set(plain[name]) <= set(parts[name.capitalize()]["properties"])
    assert {key for each in plain["standards"] for key in each} <= set(parts["Standard"]["properties"])
    assert {key for each in plain["services"].values() for key in each} <= set(parts["Service"]["properties"])


def test_templates_are_read_back(tmp_path):
    for name, table in TABLES.items():
        headings = csv_template(name).strip().split(",")
        assert [each.name for each in table.columns if each.required] == headings[: sum(c.required for c in table.columns)]
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(excel_template()))
    assert book.sheet_names == [*TABLES, "meanings"]
    assert book.get_sheet_by_name("zones").to_python()[0] == csv_template("zones").strip().split(",")
    assert zipfile.ZipFile(BytesIO(excel_template())).testzip() is None
    assert excel_template() == excel_template()
    with pytest.raises(UsageError, match="did you mean 'sites'"):
        csv_template("site")
