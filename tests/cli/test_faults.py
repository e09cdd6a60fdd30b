"""Faults to survive: each case spoils a good place, drives the real command line, and asserts how it ends and what it says.

``run`` is what is driven, not ``check``: a refusal must also leave what was published before exactly as it was.
"""

# ruff: noqa: E501  (a case a line reads as the table it is)

from __future__ import annotations

import io
import json
import os
import pickle
import sqlite3
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import starter
import xlsxwriter
from starter import replace, rows, settings, snapshot, spoil, write
from watch import opened

from estate.cli import group
from estate.cli.outcome import guarded


@dataclass(frozen=True)
class Fault:
    """What is done to the place, and the words that must be said; ``code`` is the exit code."""

    name: str
    do: Callable[[Path], object]
    words: tuple[str, ...]
    code: int = 3
    more: tuple[str, ...] = ()


def sites(option: str) -> Callable[[Path], None]:
    """Read the sites in another way."""
    return lambda folder: replace(folder, 'sites = "sites.csv"', f"sites = {option}")


def after(*steps: Callable[[Path], object]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        for step in steps:
            step(folder)

    return do


def cell(table: str, row: int, **cells: object) -> Callable[[Path], None]:
    return lambda folder: spoil(folder, table, row, **cells)


def content(name: str, data: bytes | str) -> Callable[[Path], object]:
    raw = data.encode() if isinstance(data, str) else data
    return lambda folder: (folder / name).write_bytes(raw)


def text(table: str, old: str, new: str) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        file = folder / f"{table}.csv"
        before = file.read_text()
        assert old in before
        file.write_text(before.replace(old, new, 1))

    return do


def points_of(folder: Path) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(rows(folder, "zones"), dtype="str")
    where = gpd.points_from_xy(frame.pop("easting").astype(float), frame.pop("northing").astype(float))
    return gpd.GeoDataFrame(frame, geometry=where, crs="EPSG:27700")


def zones_file(name: str, write_it: Callable[[gpd.GeoDataFrame, Path], object], option: str = "") -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        write_it(points_of(folder), folder)
        replace(folder, 'zones = "zones.csv"', f"zones = {option or repr(name)}")

    return do


def geojson(folder: Path, shapes: list[object], **top: object) -> None:
    """Zones with these geometries."""
    records = [{k: v for k, v in each.items() if k not in ("easting", "northing")} for each in rows(folder, "zones")]
    features = [{"type": "Feature", "properties": p, "geometry": g} for p, g in zip(records, shapes, strict=False)]
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features, **top}))
    replace(folder, 'zones = "zones.csv"', 'zones = "zones.geojson"')


def point(x: float, y: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": [x, y]}


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def many_layers(frame: gpd.GeoDataFrame, folder: Path) -> None:
    for name in ("lsoa", "wards"):
        frame.to_file(folder / "z.gpkg", layer=name)


def cut(name: str, write_it: Callable[[gpd.GeoDataFrame, Path], object], keep: float = 0.5) -> Callable[[Path], None]:
    """A file cut short."""

    def do(folder: Path) -> None:
        zones_file(name, write_it)(folder)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * keep)])

    return do


def shapefile(frame: gpd.GeoDataFrame, folder: Path) -> None:
    short = {"illustrative": "illustr", "rural_urban": "rurality"}
    frame.rename(columns=short).to_file(folder / "z.shp")
    (folder / "z.shx").unlink()


def far_cell(folder: Path) -> None:
    with xlsxwriter.Workbook(str(folder / "s.xlsx")) as book:
        page = book.add_worksheet()
        page.write(0, 0, "site_id")
        page.write(1_048_575, 16_383, "far")


def swapped(row: int | None = None) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        records = rows(folder, "sites")
        for each in records if row is None else records[row - 2 : row - 1]:
            each["easting"], each["northing"] = each["northing"], each["easting"]
        write(folder, "sites", records)

    return do


def scaled(factor: float) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        records = rows(folder, "sites")
        for each in records:
            each["easting"], each["northing"] = (str(float(each[name]) * factor) for name in ("easting", "northing"))
        write(folder, "sites", records)

    return do


def as_degrees(folder: Path) -> None:
    records = rows(folder, "sites")
    for each in records:
        each["lat"], each["lon"] = "-1.99", "52.14"  # swapped
        del each["easting"], each["northing"]
    write(folder, "sites", records)


def as_postcodes(folder: Path) -> None:
    records = rows(folder, "sites")
    for each in records:
        each["postcode"] = "ex1 1aa"
        del each["easting"], each["northing"]
    records[3]["postcode"] = "EX9 9ZZ"
    write(folder, "sites", records)


def gpkg(frame: gpd.GeoDataFrame, folder: Path) -> None:
    frame.to_file(folder / "z.gpkg", layer="zones")


def parquet(frame: gpd.GeoDataFrame, folder: Path) -> None:
    frame.to_parquet(folder / "z.parquet")


VRT = '<OGRVRTDataSource><OGRVRTLayer name="sites"><SrcDataSource>secret.csv</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
GDALG = '{"type": "gdal_streamed_alg", "command_line": "gdal vector read secret.csv"}'
STRAY = 'site_id,name\nA,"x"y"\n'
POSTCODES = '"EX1 1AA",10,401000,249000,"E92000001","","","","",""\n"EX2 2BB",10,401200,249100,"E92000001","","","","",""\n'

FILES = [
    Fault("1 missing", lambda f: (f / "sites.csv").unlink(), ("sites.csv", "no such file", "tables.sites")),
    Fault("1 misspelt", sites('"site.csv"'), ("site.csv", "did you mean 'sites.csv'?")),
    Fault("1 empty", content("sites.csv", b""), ("sites.csv", "is empty", "tables.sites")),
    Fault("1 only spaces", content("sites.csv", b" \n\n"), ("sites.csv", "is empty")),
    Fault("1 folder", after(lambda f: (f / "d").mkdir(), sites('"d"')), ("is a folder", "tables.sites")),
    Fault("1 pipe", after(lambda f: os.mkfifo(f / "p"), sites('"p"')), ("not an ordinary file",)),
    Fault("1 device", sites('"/dev/zero"'), ("not an ordinary file",)),
    Fault(
        "2 cp1252",
        lambda f: (f / "sites.csv").write_bytes((f / "sites.csv").read_text().replace("£", "Café £").encode("cp1252")),
        ("sites.csv", "line 2", 'encoding = "cp1252"'),
    ),
    Fault("2 no such encoding", sites('{path = "sites.csv", encoding = "klingon"}'), ("'klingon' is not an encoding",)),
    Fault("2 a codec that is no encoding", sites('{path = "sites.csv", encoding = "hex"}'), ("'hex' is not an encoding",)),
    Fault("3 column missing", text("sites", "capacity_m2", "capcity_m2"), ("no column 'capacity_m2'", "did you mean 'capcity_m2'?")),
    Fault("3 key missing", text("zones", "zone_id", "zoneid_code"), ("no column 'zone_id'", "zones.csv")),
    Fault("3 column twice", text("sites", "other_use_m2", "capacity_m2"), ("two columns are headed 'capacity_m2'",)),
    Fault("3 map to nothing", sites('{path = "sites.csv", columns = {name = "Titel"}}'), ("no column 'Titel'", "asked for by 'columns' for name")),
    Fault("4 duplicate id", cell("sites", 4, site_id="ALDERTON-LIBRARY"), ("'ALDERTON-LIBRARY' stands in rows 3, 4",)),
    Fault("4 blank id", cell("sites", 4, site_id="  "), ("sites.csv, row 4, column site_id", "is blank")),
    Fault("6 brackets", cell("sites", 3, running_cost_gbp_pa="(500)"), ("row 3", "running_cost_gbp_pa", "'(500)' is not a number")),
    Fault("6 inner space", cell("sites", 3, running_cost_gbp_pa="1 200"), ("'1 200' is not a number",)),
    Fault("6 words", cell("sites", 3, market_value_gbp="n/a"), ("'n/a' is not a number", "leave it blank")),
    Fault("6 German", cell("sites", 3, market_value_gbp="1.200,50"), ("'1.200,50' is not a number",)),
    Fault("7 negative", cell("sites", 5, capacity_m2="-1"), ("row 5", "'-1' is outside 0 to 10,000,000 of m2")),
    Fault("7 NaN", cell("sites", 5, capacity_m2="NaN"), ("row 5", "'NaN' is not a number")),
    Fault("7 inf", cell("sites", 5, capacity_m2="inf"), ("row 5", "'inf' is not a number")),
    Fault("7 huge", cell("sites", 5, capacity_m2="1e30"), ("row 5", "'1e30' is outside")),
    Fault("7 part of a person", cell("zones", 5, population="1.5"), ("row 5", "'1.5' is not a whole number")),
    Fault("8 service", cell("access_points", 3, service="libary"), ("row 3", "did you mean 'library'?", "police_desk")),
    Fault("8 tenure", cell("sites", 3, tenure="rented"), ("row 3", "'rented' is not a tenure", "freehold, leasehold")),
    Fault("8 host", cell("sites", 3, may_host="library;post_office"), ("'library;post_office' names a service", "library")),
    Fault("8 date", cell("sites", 4, lease_end="31st March"), ("row 4", "'31st March' is not a date", "2027-03-31")),
    Fault("8 flag", cell("agencies", 2, takes_part="maybe"), ("'maybe' is neither yes nor no",)),
    Fault("9 unknown site", cell("access_points", 2, site_id="TOWN-HALL"), ("row 2", "'TOWN-HALL' is not a known site", "did you mean")),
    Fault("9 unknown agency", cell("access_points", 2, agency="counsil"), ("'counsil' is not a known agency", "did you mean 'council'?")),
    Fault("10 huge cell", text("sites", "Alderton Town Hall", "x" * 1_200_000), ("line 2", "longer than 1,000,000 characters")),
    Fault("10 a million rows", content("zones.csv", "zone_id,population\n" + "a,1\n" * 1_000_002), ("more than 1,000,000 rows",)),
    Fault("10 ragged", text("sites", "Alderton Library", "Alderton, Library"), ("row 3", "line 3", "21 cells under 20 headings")),
    Fault("10 breaks off", lambda f: (f / "zones.csv").write_bytes((f / "zones.csv").read_bytes().rstrip()[:-40]), ("zones.csv", "its last row, 11, breaks off")),
    Fault("10 stray quote", content("sites.csv", STRAY), ("row 2", "line 2", "stray quote")),
    Fault("10 open quote", text("sites", "Alderton Library", '"Alderton Library'), ("line 3", "never closed")),
    Fault("10 line numbers after long cells", text("sites", "Alderton Town Hall", '"a\nb\nc",x'), ("row 2", "line 2")),
    Fault("11 cut GeoPackage", cut("z.gpkg", gpkg), ("z.gpkg", "corrupt")),
    Fault("11 cut Parquet", cut("z.parquet", parquet), ("z.parquet", "corrupt")),
    Fault("11 no shx", zones_file("z.shp", shapefile), ("z.shp", "corrupt", ".shx is missing")),
    Fault("11 cut GeoJSON", after(content("z.json", '{"type": "FeatureCollection", "features": [{"ty'), lambda f: replace(f, "zones.csv", "z.json")), ("corrupt",)),
    Fault("11 cut workbook", after(far_cell, lambda f: (f / "s.xlsx").write_bytes((f / "s.xlsx").read_bytes()[:900]), sites('"s.xlsx"')), ("corrupt",)),
    Fault("12 many layers", zones_file("z.gpkg", many_layers), ("2 layers and none is named: lsoa, wards", "layer =")),
    Fault("12 wrong layer", zones_file("", many_layers, "{path = 'z.gpkg', layer = 'ward'}"), ("no layer 'ward'", "did you mean 'wards'?")),
    Fault("13 zip escapes", after(content("z.zip", zipped({"../x.shp": b"", "a.shp": b""})), sites('"z.zip"')), ("leaves its folder",)),
    Fault("13 many members", after(content("z.zip", zipped({f"{n}.shp": b"" for n in range(1001)})), sites('"z.zip"')), ("1,001 files",)),
    Fault("13 bomb", after(content("z.zip", zipped({"a.shp": b"\0" * 60_000_000})), sites('"z.zip"')), ("would unpack from",)),
    Fault("13 far-off cell", after(far_cell, sites('"s.xlsx"')), ("1,048,576 rows by 16,384 columns",)),
    Fault("25 VRT", after(content("z.geojson", VRT), sites('"z.geojson"')), ("VRT descriptor", "not read")),
    Fault("25 GDALG", after(content("z.geojson", GDALG), sites('"z.geojson"')), ("GDALG descriptor",)),
    Fault("25 WFS", after(content("z.gpkg", "WFS:https://example.org/wfs"), sites('"z.gpkg"')), ("service descriptor",)),
    Fault("25 WFS as XML", after(content("z.gpkg", "<OGRWFSDataSource><URL>https://example.org</URL></OGRWFSDataSource>"), sites('"z.gpkg"')), ("XML or a service descriptor",)),
    Fault("25 web page", after(content("z.csv", "<!DOCTYPE html><html><p>404"), sites('"z.csv"')), ("web page",)),
    Fault("25 pickle", after(content("z.parquet", pickle.dumps({"a": 1})), sites('"z.parquet"')), ("pickle",)),
    Fault("25 gzip", after(content("z.csv", b"\x1f\x8b\x08\0\0\0\0\0"), sites('"z.csv"')), ("compressed file",)),
    Fault("25 address", sites('"https://example.org/sites.csv"'), ("is an address", "only local files")),
    Fault("25 vsicurl", sites('"/vsicurl/https://example.org/a.gpkg"'), ("is an address",)),
    Fault("25 vsizip", sites('"/vsizip/a.zip/b.shp"'), ("is an address",)),
    Fault("25 zip://", sites('"zip://a.zip"'), ("is an address",)),
    Fault("25 driver prefix", sites('"GPKG:a.gpkg"'), ("is an address",)),
    Fault("25 plain database", after(lambda f: sqlite3.connect(f / "z.gpkg").execute("CREATE TABLE a (b)").connection.close(), sites('"z.gpkg"')), ("SQLite database, not a GeoPackage",)),
    Fault("25 grid file in a CRS", lambda f: geojson(f, [point(-2, 52.1)] * 10, crs={"type": "name", "properties": {"name": "+proj=longlat +nadgrids=secret.gsb"}}), ("not a coordinate reference system",)),
]  # fmt: skip

PLACES = [
    Fault("14 no CRS", zones_file("z.gpkg", lambda z, f: z.set_crs(None, allow_override=True).to_file(f / "z.gpkg")), ("without saying its coordinate", "set crs")),
    Fault("14 bad CRS", sites('{path = "sites.csv", crs = "EPSG:999999"}'), ("'EPSG:999999' is not a coordinate reference system",)),
    Fault("15 grid in GeoJSON", lambda f: geojson(f, [point(401_000 + n, 249_000) for n in range(10)]), ("10 rows are nowhere in Great Britain: implausible coordinates", 'crs = "EPSG:27700"')),
    Fault("16 lat and lon swapped", as_degrees, ("lat and lon look swapped", "8 rows")),
    Fault("16 swapped", swapped(), ("8 rows lie outside the study area", "rows 2, 3, 4, 5, 6 and 3 more", "look swapped")),
    Fault("16 one swapped", swapped(4), ("1 rows lie outside", "row 4", "look swapped")),
    Fault("16 zero", cell("sites", 4, easting="0", northing="0"), ("row 4", "0, 0 means that the location is not known")),
    Fault("16 kilometres", scaled(0.001), ("look like kilometres",)),
    Fault("16 half a point", cell("sites", 4, northing=""), ("row 4", "only one of the two coordinates")),
    Fault("17 two statements", zones_file("z.gpkg", gpkg, "{path = 'z.gpkg', crs = 'EPSG:4326'}"), ("says its CRS is OSGB36", "scenario says WGS 84")),
    Fault("18 Web Mercator unsaid", scaled(20), ("nowhere in Great Britain",)),
    Fault("19 null geometry", lambda f: geojson(f, [point(-2, 52.1)] * 9 + [None]), ("1 row has no location", "rows 11")),
    Fault("19 lines", lambda f: geojson(f, [point(-2, 52.1)] * 9 + [{"type": "LineString", "coordinates": [[-2, 52], [-2, 52.1]]}]), ("its geometry is a line", "row 11")),
    Fault("21 no table of postcodes", as_postcodes, ("8 rows have a postcode and no coordinates", "Code-Point Open")),
    Fault("21 unknown postcode", after(as_postcodes, content("cpo.csv", POSTCODES), lambda f: replace(f, '# postcodes = "codepoint.csv" ', 'postcodes = "cpo.csv" ')), ("row 5", "postcode 'EX9 9ZZ' is not in the table")),
]  # fmt: skip

SCENARIO = [
    Fault("26 misspelt", lambda f: replace(f, "detour = 1.3", "detuor = 1.3"), ("travel.detuor", "did you mean 'detour'?")),
    Fault("26 share of 95", lambda f: replace(f, "share = 0.95", "share = 95"), ("standards.1.share", "write 0.95 for 95%")),
    Fault("26 infinite", lambda f: replace(f, "detour = 1.3", "detour = inf"), ("travel.detour",)),
    Fault("26 unknown service", lambda f: replace(f, 'service = "jobcentre"', 'service = "job_center"'), ("'job_center' is not a service", "did you mean 'jobcentre'?")),
    Fault("26 several at once", after(lambda f: replace(f, "detour = 1.3", "detuor = 1.3"), lambda f: replace(f, "share = 0.95", "share = 95")), ("detuor", "share")),
    Fault("26 unknown zone column", lambda f: replace(f, 'each = "district"', 'each = "distrit"'), ("'distrit' is not a column of zones", "did you mean 'district'?")),
    Fault("26 text as a group", lambda f: replace(f, "share = 0.95 ", 'people = "rural_urban" '), ("'rural_urban' is a group of people", "row 2")),
    Fault("26 no such zones", lambda f: replace(f, "share = 0.95 ", 'where = {rural_urban = "rual"}\nshare = 0.95 '), ("no zone has rural_urban = 'rual'", "rural")),
    Fault("26 barred column", lambda f: replace(f, '# barred = {step_free = ["no"]}', 'barred = {stepfree = ["no"]}'), ("'stepfree' is not a column of sites", "did you mean 'step_free'?")),
    Fault("26 unknown ids", lambda f: replace(f, "keep = [] ", 'keep = ["ALDERTON-LIBARY"] '), ("'ALDERTON-LIBARY' is not a site", "did you mean 'ALDERTON-LIBRARY'?")),
    Fault("27 loop", lambda f: settings_first(f, 'extends = "estate.toml"'), ("circle", "estate.toml -> estate.toml")),
    Fault("27 missing base", lambda f: settings_first(f, 'extends = "nothing.toml"'), ("nothing.toml",)),
    Fault("27 escapes", lambda f: settings_first(f, 'extends = "../other/estate.toml"'), ("leaves the folder",)),
    Fault("28 name", lambda f: replace(f, 'name = "example" ', 'name = "../x" '), ("name",)),
    Fault(
        "29 keep and close",
        after(lambda f: replace(f, "keep = [] ", 'keep = ["ALDERTON-LIBRARY"] '), lambda f: replace(f, "close = [] ", 'close = ["ALDERTON-LIBRARY"] ')),
        ("'ALDERTON-LIBRARY' is to be kept (estate.toml, row 85, column rules.keep) and to be closed (estate.toml, row 86",),
    ),
    Fault(
        "29 keep and close, by table and scenario",
        after(cell("sites", 3, status="keep"), lambda f: replace(f, "close = [] ", 'close = ["ALDERTON-LIBRARY"] ')),
        ("is to be kept (sites.csv, row 3, column status) and to be closed (estate.toml, row 86",),
    ),
    Fault(
        "29 more keeps than the maximum",
        after(
            lambda f: replace(f, "keep = [] ", 'keep = ["ALDERTON-LIBRARY", "BIRCHWICK-LIBRARY"] '),
            lambda f: settings(f, '[[rules.counts]]\nwhat = "sites"\nat_most = 1'),
        ),
        ("at most 1 sites may stay, and 2 are to be kept",),
    ),
    Fault("29 fixed to a closed site", after(lambda f: replace(f, "close = [] ", 'close = ["ALDERTON-LIBRARY"] '), lambda f: replace(f, '# "JC-ALDERTON"', '"JC-ALDERTON"')), ("fixed to 'ALDERTON-LIBRARY', which is to be closed",)),
    Fault("30 bad --set", lambda f: None, ("travel.detour",), code=2, more=("--set", "travel.detour=0.5")),
    Fault("30 --set without a value", lambda f: None, ("key=value",), code=2, more=("--set", "travel.detour")),
]  # fmt: skip


def settings_first(folder: Path, line: str) -> None:
    file = folder / "estate.toml"
    file.write_text(f"{line}\n{file.read_text()}")


@pytest.mark.parametrize("fault", [*FILES, *PLACES, *SCENARIO], ids=lambda fault: fault.name)
@pytest.mark.filterwarnings("ignore::UserWarning:geopandas", "ignore::UserWarning:pyogrio", "ignore::RuntimeWarning:pyogrio")
def test_fault(fault, tmp_path, published, capfd):
    folder = starter.make(tmp_path)
    (tmp_path / "secret.csv").write_text("site_id,name\nSECRET,secret\n")
    (folder / "secret.csv").write_text("site_id,name\nSECRET,secret\n")
    fault.do(folder)
    before = snapshot(published)
    capfd.readouterr()
    code = guarded(group, ["run", str(folder), "--out", str(published), *fault.more])
    said = capfd.readouterr()
    everything = " ".join((said.out + said.err).split())
    assert code == fault.code, everything
    for words in fault.words:
        assert words in everything
    assert "SECRET" not in everything
    assert "Traceback" not in everything
    assert snapshot(published) == before


def test_one_of_each_group_through_a_real_process(tmp_path):
    import subprocess

    folder = starter.make(tmp_path)
    spoil(folder, "sites", 3, running_cost_gbp_pa="(500)")
    command = [sys.executable, "-c", "from estate.cli import main; main()", "check", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert [each for each in json.loads(done.stdout)["issues"] if each["row"] == 3 and each["column"] == "running_cost_gbp_pa"]


# --------------------------------------------------------------------------------------------- allowed, and said


def test_2_a_byte_order_mark_is_accepted(tmp_path):
    folder = starter.make(tmp_path)
    (folder / "sites.csv").write_bytes(b"\xef\xbb\xbf" + (folder / "sites.csv").read_bytes())
    assert len(starter.place_of(folder).sites) == 8


def test_3_a_misspelt_optional_column_is_a_warning(tmp_path):
    folder = starter.make(tmp_path)
    text("sites", "step_free", "stepfree_")(folder)
    told = [each for each in starter.found(folder) if each.code == "sites.unknown-column"]
    assert [(str(each.severity), each.remedy) for each in told] == [("warning", "did you mean 'step_free'?")]


def test_4_case_twins_are_a_warning(tmp_path):
    folder = starter.make(tmp_path)
    records = rows(folder, "zones")
    records[1]["zone_id"] = "z01"
    write(folder, "zones", records)
    told = [each for each in starter.found(folder) if each.code == "zones.twin-id"]
    assert "'Z01' and 'z01'" in told[0].message


def test_9_a_site_without_a_point_is_information(tmp_path):
    folder = starter.make(tmp_path)
    spoil(folder, "access_points", 9, site_id="BIRCHWICK-LIBRARY")
    told = [each for each in starter.found(folder) if each.code == "sites.idle"]
    assert str(told[0].severity) == "note"
    assert "COLDBROOK-LIBRARY" in told[0].message


def test_18_another_grid_is_converted_when_it_is_said(tmp_path):
    folder = starter.make(tmp_path)
    before = starter.place_of(folder).sites[["easting_m", "northing_m"]]
    records = rows(folder, "sites")
    frame = gpd.GeoSeries.from_xy([float(r["easting"]) for r in records], [float(r["northing"]) for r in records], crs=27700)
    for record, shape in zip(records, frame.to_crs("EPSG:3857"), strict=True):
        record["easting"], record["northing"] = shape.x, shape.y
    write(folder, "sites", records)
    sites('{path = "sites.csv", crs = "EPSG:3857"}')(folder)
    after_ = starter.place_of(folder).sites[["easting_m", "northing_m"]]
    assert ((before - after_).abs() < 0.01).all().all()


def test_19_broken_outlines_are_repaired_and_counted(tmp_path):
    folder = starter.make(tmp_path)
    bow = {"type": "Polygon", "coordinates": [[[-2, 52.1], [-1.99, 52.11], [-1.99, 52.1], [-2, 52.11], [-2, 52.1]]]}
    multi = {"type": "MultiPoint", "coordinates": [[-2, 52.1, 5], [-2.01, 52.1, 6]]}
    geojson(folder, [bow, bow, multi, *([point(-2, 52.1)] * 7)])
    told = {each.code: each.text for each in starter.found(folder)}
    assert "2 outlines cross themselves and were repaired (rows 2, 3)" in told["geo.repaired"]
    assert "1 pairs of zones overlap" in told["zones.overlap"]


def test_20_many_sites_on_one_point_are_allowed(tmp_path):
    folder = starter.make(tmp_path)
    records = rows(folder, "sites")
    write(folder, "sites", [*records, *({**records[1], "site_id": f"S{n}"} for n in range(300))])
    told = [each for each in starter.found(folder) if each.code == "sites.one-point"]
    assert "301" in told[0].message


def test_21_postcodes_in_any_form(tmp_path):
    folder = starter.make(tmp_path)
    as_postcodes(folder)
    spoil(folder, "sites", 5, postcode="Ex2-2bB ")
    (folder / "cpo.csv").write_text(POSTCODES)
    replace(folder, '# postcodes = "codepoint.csv" ', 'postcodes = "cpo.csv" ')
    place = starter.place_of(folder)
    assert place.sites.loc["ALDERTON-POLICE", "easting_m"] == 401_200
    assert place.sites.loc["ALDERTON-LIBRARY", "northing_m"] == 249_000
    assert [each.code for each in place.issues] == ["geo.by-postcode"]


def test_23_an_osm_file_that_declares_entities_is_refused(tmp_path, capfd):
    bomb = '<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]><osm>&b;</osm>'
    (tmp_path / "a.osm").write_text(bomb)
    assert guarded(group, ["new", str(tmp_path / "new"), "--from-osm", str(tmp_path / "a.osm")]) == 3
    assert "entities" in capfd.readouterr().err
    assert not (tmp_path / "new").exists()


def test_42_odd_names_stay_text(tmp_path):
    folder = starter.make(tmp_path)
    names = [
        "<script>alert(1)</script>",
        "${x}`y`",
        "a\u202eb",
        "\U0001f4da",
        "x" * 10_000,
        "nul\0end",
        "=cmd|' /C'!A0",
        "@SUM(1)",
    ]
    records = rows(folder, "sites")
    for record, name in zip(records, names, strict=True):
        record["name"] = name
    write(folder, "sites", records)
    place = starter.place_of(folder)
    kept = [place.sites.loc[record["site_id"], "name"] for record in records]
    assert kept == [name.replace("\0", "\ufffd") for name in names]


def test_a_database_cannot_lead_elsewhere(tmp_path):
    """A view in a GeoPackage that calls a function or reads another database is refused, not run."""
    folder = starter.make(tmp_path)
    gpkg(points_of(folder), folder)
    with sqlite3.connect(folder / "z.gpkg") as base:
        base.execute("CREATE VIEW evil AS SELECT load_extension('x') AS zone_id")
        base.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('evil', 'attributes', 'evil')")
    base.close()
    replace(folder, 'zones = "zones.csv"', "zones = {path = 'z.gpkg', layer = 'evil'}")
    assert "'evil' is a view or is computed" in starter.refused(folder)


def test_a_shapefile_opens_nothing_else(tmp_path):
    """A file that begins like a Shapefile reaches its reader alone in an empty folder."""
    folder = starter.make(tmp_path)
    header = struct.pack(">i5i i", 9994, 0, 0, 0, 0, 0, 50) + struct.pack("<2i8d", 1000, 1, *[0.0] * 8)
    for suffix in ("shp", "shx"):
        (folder / f"z.{suffix}").write_bytes(header)
    (folder / "z.dbf").write_bytes(b"<OGRVRTDataSource>")
    replace(folder, 'zones = "zones.csv"', 'zones = "z.shp"')
    said = starter.refused(folder)
    assert said.startswith("z.shp: ")
    assert "more than 1,000,000 rows" in said or "corrupt" in said


@pytest.mark.parametrize("fault", [each for each in FILES if each.name.startswith("25 ")], ids=lambda fault: fault.name)
def test_25_nothing_else_is_opened(fault, tmp_path):
    """Reading a hostile file touches no network connection, no process, and no file that the scenario does not name."""
    folder = starter.make(tmp_path)
    fault.do(folder)
    starter.refused(folder)  # imports everything first
    seen = opened(folder, lambda: starter.refused(folder))
    named = {"estate.toml", "agencies.csv", "sites.csv", "access_points.csv", "zones.csv", "rates.csv"}
    assert seen <= named | {"z.geojson", "z.gpkg", "z.csv", "z.parquet", "zones.geojson"}
