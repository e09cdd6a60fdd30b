"""Reading: every format gives the same place, text stays text, and the options of a table do what they say."""

import json
import os
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import starter
import xlsxwriter

from estate.errors import Severity
from estate.load import load, read_file, rows_where, survey
from estate.scenario import TableFile, load_scenario

TABLES = ("agencies", "sites", "access_points", "zones", "rates", "hosting")


@pytest.fixture
def folder(tmp_path):
    return starter.make(tmp_path)


def same(a, b):
    """Whether two places hold the same tables."""
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_like=True)


# ------------------------------------------------------------------------------------------------------------- typed


def test_types_and_defaults(folder):
    place = starter.place_of(folder)
    assert place.issues == ()
    assert list(place.sites.index) == sorted(place.sites.index)
    site = place.sites.loc["ALDERTON-TOWN-HALL"]
    assert site["running_cost_gbp_pa"] == 150_000.0  # written £150,000
    assert site["years_to_sale"] == 1.0  # a default
    assert site["in_use"] is np.True_ or site["in_use"] is True
    assert place.sites.loc["ALDERTON-JOBCENTRE", "lease_end"] == pd.Timestamp("2027-03-31")  # written 31/03/2027
    assert np.isnan(place.sites.loc["ALDERTON-JOBCENTRE", "market_value_gbp"])
    assert place.sites["lease_break"].isna().all()
    assert place.sites["epc"].eq("").all()
    assert place.zones["population"].dtype == np.int64
    assert place.zones["age65"].dtype == np.int64
    assert place.access_points.loc["JC-ALDERTON", "service"] == "jobcentre"  # written JCP
    assert place.access_points.loc["POL-ALDERTON", "service"] == "police_desk"  # written with a space
    assert set(place.digests) == {"agencies.csv", "sites.csv", "access_points.csv", "zones.csv", "rates.csv"}
    assert list(place.origin["sites"].columns) == ["file", "row"]
    first = place.origin["sites"].iloc[place.sites.index.get_loc("COLDBROOK-LIBRARY")]
    assert (first["file"], first["row"]) == ("sites.csv", 9)


def test_identifiers_and_names_stay_text(folder):
    records = starter.rows(folder, "sites")
    for record, key in zip(records, ["007", "1e5", "NA", "  padded ", "None", "null", "1.0", "nan"], strict=True):
        record["site_id"], record["name"] = key, key.strip()
    starter.write(folder, "sites", records)
    points = starter.rows(folder, "access_points")
    for point, key in zip(points, ["007", "padded", "1e5", "NA", "None", "null", "1.0", "nan"], strict=True):
        point["site_id"] = key
    starter.write(folder, "access_points", points)
    (folder / "keep-every-library.toml").unlink()
    place = starter.place_of(folder)
    assert set(place.sites.index) == {"007", "1e5", "NA", "padded", "None", "null", "1.0", "nan"}
    assert place.sites.loc["NA", "name"] == "NA"
    assert (place.point_site >= 0).all()
    assert not [each for each in starter.found(folder) if each.severity is Severity.ERROR]


def test_row_order_does_not_matter(folder):
    before = starter.place_of(folder)
    for table in ("agencies", "sites", "access_points", "zones", "rates"):
        starter.write(folder, table, reversed(starter.rows(folder, table)))
    same(before, starter.place_of(folder))


def test_outside_sites_cost_nothing(folder):
    starter.spoil(folder, "sites", 8, status="outside", running_cost_gbp_pa="", capacity_m2="", tenure="")
    site = starter.place_of(folder).sites.loc["BIRCHWICK-POLICE"]
    assert (site["running_cost_gbp_pa"], site["capacity_m2"], site["hosting_cost_gbp_m2_pa"]) == (0, 0, 0)
    starter.spoil(folder, "sites", 8, status="free")
    said = starter.refused(folder)
    for column in ("tenure", "capacity_m2", "running_cost_gbp_pa"):
        assert f"sites.csv, row 8, column {column}: {column} is blank" in said


def test_sixty_problems_are_all_told_at_once(folder):
    records = starter.rows(folder, "sites")
    for record in records:
        record.update(tenure="freehld", capacity_m2="-1", running_cost_gbp_pa="(500)", easting="")
    starter.write(folder, "sites", records)
    said = starter.refused(folder)
    assert said.count("column capacity_m2") == said.count("column running_cost_gbp_pa") == 8
    assert "'freehld' is not a tenure (8 rows: 2, 3, 4, 5, 6 and 3 more) -> did you mean 'freehold'?" in said


# ----------------------------------------------------------------------------------------------------------- formats


def sheet_of(folder, table, path, *, sheet="Sheet1", title_rows=0, others=()):
    """A workbook with a table in it, numbers as numbers and dates as dates."""
    records = starter.rows(folder, table)
    with xlsxwriter.Workbook(str(folder / path)) as book:
        for name in others:
            book.add_worksheet(name).write(0, 0, "nothing here")
        page = book.add_worksheet(sheet)
        bold, date = book.add_format({"bold": True}), book.add_format({"num_format": "dd/mm/yyyy"})
        for n in range(title_rows):
            page.write(n, 0, f"Title {n}")
        for j, name in enumerate(records[0]):
            page.write(title_rows, j, name, bold)
            for i, record in enumerate(records):
                value = record[name]
                if name == "lease_end" and value:
                    page.write_datetime(title_rows + 1 + i, j, pd.to_datetime(value, format="%d/%m/%Y"), date)
                elif value.replace(".", "", 1).isdigit():
                    page.write_number(title_rows + 1 + i, j, float(value))
                else:
                    page.write(title_rows + 1 + i, j, value)


def test_excel_with_a_sheet_and_a_heading_row(folder):
    before = starter.place_of(folder)
    sheet_of(folder, "sites", "partner.xlsx", sheet="Assets", title_rows=3, others=["Notes"])
    starter.replace(folder, 'sites = "sites.csv"', 'sites = {path = "partner.xlsx", layer = "assets", header_row = 4}')
    place = starter.place_of(folder)
    same(before, place)
    assert place.origin["sites"]["row"].min() == 5
    starter.replace(folder, ', layer = "assets"', "")
    assert "2 sheets and none is named: Notes, Assets" in starter.refused(folder)


def test_excel_merged_headings(folder, tmp_path):
    path = tmp_path / "merged.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.merge_range(0, 0, 1, 0, "agency")
        page.merge_range(0, 1, 0, 2, "About it")
        page.write_row(1, 1, ["name", "kind"])
        page.write_row(2, 0, ["council", "The Council", "local authority england"])
    raw, _ = read_file(TableFile(path="merged.xlsx", header_row=2), tmp_path, "tables.agencies")
    assert list(raw.frame.columns) == ["agency", "name", "kind"]
    assert raw.rows.tolist() == [3]


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "parquet", "geoparquet", "shp", "zip"])
def test_every_format_gives_the_same_zones(folder, kind):
    before = starter.place_of(folder)
    records = starter.rows(folder, "zones")
    frame = pd.DataFrame(records, dtype="str")
    points = gpd.points_from_xy(frame.pop("easting").astype(float), frame.pop("northing").astype(float))
    frame["population"], frame["age65"] = frame["population"].astype(int), frame["age65"].astype(int)
    shapes = gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:27700")
    option = "{path = 'zones.dat'}"
    if kind == "geojson":
        shapes.to_crs("EPSG:4326").to_file(folder / "z.geojson", driver="GeoJSON")
        (folder / "z.geojson").rename(folder / "zones.dat")
    elif kind == "gpkg":
        shapes.to_file(folder / "z.gpkg", layer="zones", driver="GPKG")
        shapes.head(1).to_file(folder / "z.gpkg", layer="other", driver="GPKG")
        (folder / "z.gpkg").rename(folder / "zones.dat")
        option = "{path = 'zones.dat', layer = 'zones'}"
    elif kind == "geoparquet":
        shapes.to_parquet(folder / "zones.dat")
    elif kind == "parquet":
        pd.DataFrame(records).astype({"population": int, "easting": float, "northing": float}).to_parquet(folder / "zones.dat")
    else:
        long = shapes.rename(columns={"illustrative": "illustr", "rural_urban": "rurality"})
        long.to_file(folder / "zones.shp")
        option = "{path = 'zones.shp', columns = {illustrative = 'illustr', rural_urban = 'rurality'}}"
        if kind == "zip":
            with zipfile.ZipFile(folder / "zones.dat", "w") as archive:
                for each in folder.glob("zones.??*"):
                    if each.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                        archive.write(each, f"inner/{each.name}")
            option = option.replace("zones.shp", "zones.dat")
    starter.replace(folder, 'zones = "zones.csv"', f"zones = {option}")
    place = starter.place_of(folder)
    for column in ("easting_m", "northing_m"):
        # by way of degrees a point moves by millimetres
        assert np.allclose(place.zones[column], before.zones[column], atol=0.01)
    rest = before.zones.columns.drop(["easting_m", "northing_m"])
    pd.testing.assert_frame_equal(place.zones[rest], before.zones[rest])
    if kind == "shp":
        assert {name for name in place.digests if name.startswith("zones.")} >= {
            "zones.shp",
            "zones.dbf",
            "zones.shx",
            "zones.prj",
        }


def test_a_geopackage_keeps_ids_and_takes_one_layer(tmp_path):
    frame = gpd.GeoDataFrame(
        {"zone_id": ["007", "1e5"], "n": [1, None]}, geometry=gpd.points_from_xy([1, 2], [3, 4]), crs=27700
    )
    frame.to_file(tmp_path / "a.gpkg", layer="one")
    raw, _ = read_file(TableFile(path="a.gpkg"), tmp_path, "tables.zones")
    assert raw.frame["zone_id"].tolist() == ["007", "1e5"]
    assert raw.frame["n"].tolist() == ["1", ""]
    assert raw.crs == "EPSG:27700"
    assert shapely.get_x(raw.geometry).tolist() == [1.0, 2.0]


def test_context_layers_are_repaired_and_converted(folder):
    bow = [[[-2.01, 52.1], [-1.99, 52.12], [-1.99, 52.1], [-2.01, 52.12], [-2.01, 52.1]]]
    features = [
        {
            "type": "Feature",
            "properties": {"kind": "Outline", "name": "Bow"},
            "geometry": {"type": "Polygon", "coordinates": bow},
        },
        {
            "type": "Feature",
            "properties": {"kind": "town", "name": "A"},
            "geometry": {"type": "Point", "coordinates": [-2, 52.1, 7]},
        },
        {"type": "Feature", "properties": {"kind": "town", "name": "None"}, "geometry": None},
    ]
    (folder / "back.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    starter.replace(folder, '# context = "outlines.geojson" ', 'context = "back.geojson" ')
    layer = starter.place_of(folder).context
    assert layer.crs.to_epsg() == 27700
    assert layer["kind"].tolist() == ["outline", "town"]
    assert layer.geometry.is_valid.all()
    assert 399_000 < layer.total_bounds[0] < 401_000


# ----------------------------------------------------------------------------------------------------------- options


def test_columns_values_factors_constants_where_and_template(folder):
    starter.write(
        folder,
        "sites",
        [
            {"Ref": "A1", "Name": "Hall", "Street": "High St", "Held": "Long lease", "Sq ft (GIA)": "10,000",
             "X": 401000, "Y": 249000, "Use": "Office"},
            {"Ref": "A2", "Name": "Field", "Street": "Mill Lane", "Held": "FREEHOLD", "Sq ft (GIA)": "",
             "X": 401000, "Y": 249000, "Use": "Land"},
        ],
        "register.csv",
    )  # fmt: skip
    option = """[[tables.sites]]
path = "register.csv"
columns = {tenure = "Held", capacity_m2 = "Sq ft (GIA)", easting = "X", northing = "y"}
template = {site_id = "R-{Ref}", name = "{Name}, {Street}"}
values = {tenure = {"long LEASE" = "leasehold"}}
factors = {capacity_m2 = 0.0789675}
constants = {agency = "council", kind = "office", running_cost_gbp_pa = 1000}
where = {Use = ["Office", "Library"]}

[[tables.sites]]
path = "sites.csv"
"""
    starter.replace(folder, 'sites = "sites.csv"\n', "")
    starter.replace(folder, "[travel]", option + "\n[travel]")
    place = starter.place_of(folder)
    site = place.sites.loc["R-A1"]
    assert site["name"] == "Hall, High St"
    assert site["tenure"] == "leasehold"
    assert site["capacity_m2"] == pytest.approx(10_000 * 0.09290304 * 0.85, rel=1e-5)
    assert site["running_cost_gbp_pa"] == 1000.0
    assert site["Use"] == "Office"
    assert "R-A2" not in place.sites.index
    starter.replace(folder, '"Sq ft (GIA)",', '"Sq feet",')
    said = starter.refused(folder)
    assert "there is no column 'Sq feet'" in said
    assert "did you mean 'Sq ft (GIA)'?" in said


def test_several_files_are_laid_together(folder):
    records = starter.rows(folder, "sites")
    values = [
        {"site_id": each["site_id"], "market_value_gbp": each.pop("market_value_gbp"), "source": "valuer"} for each in records
    ]
    before = starter.place_of(folder)
    starter.write(folder, "sites", records)
    starter.write(folder, "sites", values, "values.csv")
    starter.replace(folder, 'sites = "sites.csv"', 'sites = ["sites.csv", "values.csv"]')
    place = starter.place_of(folder)
    pd.testing.assert_frame_equal(place.sites.drop(columns="source"), before.sites.drop(columns="source"), check_like=True)
    assert place.sites["source"].eq("invented example; valuer").all()
    assert [each.code for each in place.issues] == ["sites.merged"]
    values[0]["name"] = "Another name"
    starter.write(folder, "sites", values, "values.csv")
    said = starter.refused(folder)
    assert "'ALDERTON-TOWN-HALL': says 'Another name', and sites.csv, row 2 says 'Alderton Town Hall'" in said
    assert "values.csv, row 2, column name" in said


def test_adjustments_are_made_in_memory(folder):
    starter.settings(
        folder,
        """
[[adjust]]
name = "dear-libraries"
table = "sites"
column = "running_cost_gbp_pa"
factor = 1.5
where = {kind = "library"}

[[adjust]]
name = "shut"
table = "sites"
column = "status"
set = "keep"
where = {site_id = "COLDBROOK-LIBRARY"}

[[adjust]]
name = "growth"
table = "zones"
column = "population"
factor = 1.0333
where = {population = ">= 2000"}
""",
    )
    text = (folder / "sites.csv").read_bytes()
    place = starter.place_of(folder)
    assert place.sites.loc["COLDBROOK-LIBRARY", "running_cost_gbp_pa"] == 22_500
    assert place.sites.loc["ALDERTON-TOWN-HALL", "running_cost_gbp_pa"] == 150_000
    assert place.sites.loc["COLDBROOK-LIBRARY", "status"] == "keep"
    assert place.zones.loc["Z01", "population"] == 2170
    assert place.zones.loc["Z02", "population"] == 1900
    assert place.zones["population"].dtype == np.int64
    assert (folder / "sites.csv").read_bytes() == text
    # What a scenario changes it assumes: the cell is marked so, and says where it comes from.
    library, hall = (place.sites.loc[each] for each in ("COLDBROOK-LIBRARY", "ALDERTON-TOWN-HALL"))
    assert {"running_cost_gbp_pa", "status"} <= set(library["illustrative"].split(";"))
    assert library["running_cost_gbp_pa_source"].endswith("the scenario's adjustment 'dear-libraries'")
    assert "adjustment" not in hall["running_cost_gbp_pa_source"] + place.zones.loc["Z02", "population_source"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('column = "runing_cost"\nfactor = 2', "did you mean 'running_cost_gbp_pa'"),
        ('column = "name"\nfactor = 2', "use 'set' instead"),
        ('column = "running_cost_gbp_pa"\nfactor = -1', "out of range"),
        ('column = "running_cost_gbp_pa"\nfactor = 2\nwhere = {knd = "library"}', "did you mean 'kind'"),
        ('column = "tenure"\nset = "rented"', "does not fit tenure"),
        ('column = "running_cost_gbp_pa"\nfactor = 2\nwhere = {capacity_m2 = "big"}', "cannot be read"),
    ],
)
def test_bad_adjustments(folder, change, words):
    starter.settings(folder, f'[[adjust]]\nname = "a"\ntable = "sites"\n{change}')
    said = starter.refused(folder)
    assert words in said
    assert "adjust.a" in said


def test_added_sites(folder):
    starter.settings(
        folder,
        """
[[add_sites]]
site_id = "NEW-HUB"
name = "New hub"
agency = "council"
kind = "office"
tenure = "freehold"
capacity_m2 = 900
running_cost_gbp_pa = 60000
easting = 401200
northing = 249100
""",
    )
    place = starter.place_of(folder)
    assert place.sites.loc["NEW-HUB", "capacity_m2"] == 900
    assert not place.sites.loc["NEW-HUB", "in_use"]
    assert place.origin["sites"]["file"].iloc[place.sites.index.get_loc("NEW-HUB")] == "estate.toml add_sites"


def test_rows_where(folder):
    place = starter.place_of(folder)
    assert rows_where(place.zones, {"population": "<= 800"}).sum() == 2
    assert rows_where(place.zones, {"rural_urban": "Urban"}).sum() == 7
    assert rows_where(place.zones, {"rural_urban": "!= urban", "age65": "> 220"}).sum() == 2
    assert rows_where(place.zones, {"zone_id": "Z01"}).tolist() == [True] + [False] * 9
    assert rows_where(place.sites, {"in_use": True}).all()
    with pytest.raises(KeyError):
        rows_where(place.zones, {"nothing": "1"})
    with pytest.raises(ValueError, match="compares numbers"):
        rows_where(place.zones, {"rural_urban": "<= 3"})


# ------------------------------------------------------------------------------------------------------------ travel


def test_a_travel_table_and_one_from_r5py(folder):
    lines = [
        "from_id,to_id,mode,distance_m,time_s",
        "Z01,ALDERTON-LIBRARY,walk,300,240",
        "Z02,ALDERTON-LIBRARY,Walk,1200,960",
        "ZZ,QQ,walk,1,1",
    ]
    (folder / "t.csv").write_text("\n".join(lines))
    starter.replace(folder, '# travel = "minutes.csv" ', 'travel = "t.csv" ')
    place = starter.place_of(folder)
    assert place.travel.to_dict("list") == {
        "from_id": ["Z01", "Z02"], "to_id": ["ALDERTON-LIBRARY"] * 2, "mode": ["walk"] * 2,
        "distance_m": [300.0, 1200.0], "time_s": [240.0, 960.0],
    }  # fmt: skip
    assert [each.code for each in place.issues] == ["travel.other-ids"]
    (folder / "t.csv").write_text(
        "from_id,to_id,travel_time_p50,travel_time_p90\nZ01,ALDERTON-LIBRARY,12.5,20\nZ02,ALDERTON-LIBRARY,,\n"
    )
    place = starter.place_of(folder, "travel.mode=transit", "travel.percentile=90")
    assert place.travel.to_dict("list") == {
        "from_id": ["Z01"], "to_id": ["ALDERTON-LIBRARY"], "mode": ["transit"], "time_s": [1200.0]
    }  # fmt: skip
    (folder / "t.csv").write_text(
        "from_id,to_id,time_s\nZ01,ALDERTON-LIBRARY,-5\nZ02,ALDERTON-LIBRARY,soon\nZ01,ALDERTON-LIBRARY,9\n"
    )
    said = starter.refused(folder)
    assert "row 2, column time_s: '-5' is no measure" in said
    assert "row 3, column time_s: 'soon' is no measure" in said
    (folder / "t.csv").write_text("from,to,time_s\nZ01,ALDERTON-LIBRARY,5\n")
    assert "has no column from_id" in starter.refused(folder)


# ----------------------------------------------------------------------------------------------------- a land list


CHELTENHAM = """
name = "cheltenham"
[services.office]

[tables]
agencies = "agencies.csv"
access_points = "points.csv"
zones = "zones.csv"

[[tables.sites]]
path = "{list}"
encoding = "cp1252"
columns = {{ site_id = "AssetCode", uprn = "UPRN", tenure = "TenureType", easting = "GeoX", northing = "GeoY" }}
template = {{ name = "{{PropertyName}}, {{StreetName}}" }}
constants = {{ agency = "cheltenham", kind = "other" }}

[tables.sites.where]
HoldingType = "Land and Building"
TenureDetail = ["Occupied by local authority", "Occupied by Local Authority"]
AssetCode = "!= 09/00996/SITE" # one code for two things, an estate and its playing field
GeoX = "!= " # one row has no coordinates

[[tables.sites]]
path = "costs.csv"
"""


def test_a_published_land_list_loads_unedited(tmp_path):
    data = os.environ.get("ESTATE_DATA")
    source = Path(data or "") / "property" / "cheltenham_land_and_assets_2021.csv"
    if not data or not source.is_file():
        pytest.skip("ESTATE_DATA does not name the folder of source data with property/cheltenham_land_and_assets_2021.csv")
    relative = os.path.relpath(source, tmp_path).replace("\\", "/")
    (tmp_path / "estate.toml").write_text(CHELTENHAM.format(list=relative))
    (tmp_path / "agencies.csv").write_text("agency,name,kind\ncheltenham,Cheltenham Borough Council,local_authority_england\n")
    (tmp_path / "zones.csv").write_text("zone_id,population,easting,northing\nZ1,1000,394800,222500\nZ2,900,396000,223500\n")
    (tmp_path / "costs.csv").write_text("site_id,capacity_m2,running_cost_gbp_pa\n")
    (tmp_path / "points.csv").write_text("access_point_id,site_id,service,agency,area_m2\n")
    place = survey(load_scenario(tmp_path))
    # All that is left to say is what the list does not hold.
    errors = {(each.code, each.where.column) for each in place.issues if each.severity is Severity.ERROR}
    assert errors == {("sites.blank", "capacity_m2"), ("sites.blank", "running_cost_gbp_pa"), ("access_points.empty", "")}
    assert len(place.sites) == 86
    assert set(place.sites["tenure"]) == {"freehold", "leasehold"}
    assert place.sites["easting_m"].between(390_000, 400_000).all()
    costs = ["site_id,capacity_m2,running_cost_gbp_pa", *(f'"{key}",300,30000' for key in place.sites.index)]
    (tmp_path / "costs.csv").write_text("\n".join(costs))
    first = place.sites.index[0]
    (tmp_path / "points.csv").write_text(
        f'access_point_id,site_id,service,agency,area_m2\nP1,"{first}",office,cheltenham,100\n'
    )
    assert len(load(load_scenario(tmp_path)).sites) == 86


# --------------------------------------------------------------------------------------------------------- encodings


def test_encodings(folder):
    records = starter.rows(folder, "sites")
    records[0]["name"] = "Café Hall £"
    starter.write(folder, "sites", records)
    text = (folder / "sites.csv").read_text(encoding="utf-8")
    for encoding in ("utf-8-sig", "cp1252", "utf-16"):
        (folder / "sites.csv").write_bytes(text.encode(encoding))
        if encoding == "utf-8-sig":
            place = starter.place_of(folder)
        else:
            assert f'set encoding = "{encoding}"' in starter.refused(folder)
            starter.replace(folder, 'sites = "sites.csv"', f'sites = {{path = "sites.csv", encoding = "{encoding}"}}')
            place = starter.place_of(folder)
            starter.replace(folder, f'sites = {{path = "sites.csv", encoding = "{encoding}"}}', 'sites = "sites.csv"')
        assert place.sites.loc["ALDERTON-TOWN-HALL", "name"] == "Café Hall £"


def test_other_separators(folder):
    records = [{**each, "illustrative": ""} for each in starter.rows(folder, "zones")]
    starter.write(folder, "zones", records)
    before = starter.place_of(folder)
    for separator in ";\t|":
        lines = [separator.join(records[0]), *(separator.join(each.values()) for each in records)]
        (folder / "zones.csv").write_text("\r\n".join(lines))
        same(before, starter.place_of(folder))


def test_headings_in_any_case(folder):
    before = starter.place_of(folder)
    text = (folder / "zones.csv").read_text().splitlines()
    text[0] = text[0].replace("zone_id", "Zone ID").replace("easting", "Eastings ").replace("northing", "NORTHING")
    (folder / "zones.csv").write_text("\n".join(text))
    same(before, starter.place_of(folder))


def test_windows_paths_spaces_and_signs_in_names(folder):
    (folder / "my tables #1").mkdir()
    (folder / "zones.csv").rename(folder / "my tables #1" / "zönes.csv")
    starter.replace(folder, 'zones = "zones.csv"', "zones = 'my tables #1\\zönes.csv'")
    assert len(starter.place_of(folder).zones) == 10


def test_unicode_forms_of_an_id_are_one(folder):
    composed, apart = "Z\u00e9", "Ze\u0301"
    starter.spoil(folder, "sites", 2, site_id=composed)
    starter.spoil(folder, "access_points", 2, site_id=apart)
    (folder / "keep-every-library.toml").unlink()
    assert not [each for each in starter.found(folder) if each.severity is Severity.ERROR]


def test_memory_bytes_are_hashed(folder):
    import hashlib

    place = starter.place_of(folder)
    assert place.digests["zones.csv"] == hashlib.sha256((folder / "zones.csv").read_bytes()).hexdigest()


def test_flags_and_dates_of_several_files(folder):
    records = starter.rows(folder, "sites")
    for each in records:
        del each["lease_end"]
    records[0]["in_use"] = "yes"
    starter.write(folder, "sites", records)
    leases = [
        {"site_id": "ALDERTON-JOBCENTRE", "lease_end": "2027-03-31", "in_use": "", "market_value_gbp": ""},
        {"site_id": "ALDERTON-TOWN-HALL", "lease_end": "", "in_use": "TRUE", "market_value_gbp": "1,100,000"},
    ]
    starter.write(folder, "sites", leases, "leases.csv")
    starter.replace(folder, 'sites = "sites.csv"', 'sites = ["leases.csv", "sites.csv"]')
    place = starter.place_of(folder)
    assert place.sites["in_use"].dtype == bool
    assert place.sites["in_use"].all()
    assert place.sites["lease_end"].dtype.kind == "M"
    assert place.sites.loc["ALDERTON-JOBCENTRE", "lease_end"] == pd.Timestamp("2027-03-31")
    assert place.sites.loc["ALDERTON-TOWN-HALL", "market_value_gbp"] == 1_100_000
    leases[1]["in_use"] = "no"
    starter.write(folder, "sites", leases, "leases.csv")
    assert "says 'True', and leases.csv, row 3 says 'False'" in starter.refused(folder)
