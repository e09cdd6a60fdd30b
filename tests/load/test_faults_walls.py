"""Reading a file opens that file and its own companions, and nothing else: no other file, connection or process."""

# ruff: noqa: E501  (a case a line reads as the table it is)

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import starter
import xlwt
from opendocument import ods
from starter import replace, rows
from watch import opened

from estate.errors import EstateError
from estate.load import survey
from estate.scenario import load_scenario

TABLES = {"estate.toml", "agencies.csv", "access_points.csv", "zones.csv", "rates.csv"}
BAIT = ("secret.csv", "sites.prj", "sites.qpj", "sites.cpg", "sites.gfs", "sites.xsd", "sites.aux.xml", "sites.kml.aux.xml", "sites.fgb.aux.xml", "sites.gml.aux.xml",
        "sites.tab.aux.xml", "sites.xls.aux.xml", "sites.ods.aux.xml", "sites.properties", "gdalrc", "layer.gfs", "layer.xsd", "layer.aux.xml", "sites.csvt", "grid.gsb")  # fmt: skip
DRIVERS = {"sites.fgb": "FlatGeobuf", "sites.kml": "KML", "sites.gml": "GML", "sites.tab": "MapInfo File"}
FORMS = [*DRIVERS, "sites.parquet", "sites.ods", "sites.xls", "sites.esri.json", "sites.geojsonl", "sites.records.json"]


@pytest.fixture
def folder(tmp_path):
    """The starter place with bait beside its tables."""
    folder = starter.make(tmp_path)
    for name in BAIT:
        (folder / name).write_text("site_id,name\nSECRET,secret\n")
    return folder


def frame_of(folder: Path) -> gpd.GeoDataFrame:
    records = gpd.pd.DataFrame(rows(folder, "sites"))
    points = gpd.points_from_xy(records.pop("easting").astype(float), records.pop("northing").astype(float))
    return gpd.GeoDataFrame(records, geometry=points, crs=27700)


def as_file(folder: Path, name: str) -> None:
    """The sites in another form, and the scenario that names it."""
    frame, path = frame_of(folder), folder / name
    records = rows(folder, "sites")
    if name == "sites.parquet":
        frame.to_parquet(path, geometry_encoding="geoarrow")
    elif name == "sites.ods":
        ods(path, records)
    elif name == "sites.xls":
        book = xlwt.Workbook()
        page = book.add_sheet("S")
        for n, line in enumerate([list(records[0]), *(list(each.values()) for each in records)]):
            for column, value in enumerate(line):
                page.write(n, column, value)
        book.save(str(path))
    elif name == "sites.esri.json":
        shapes = [{"x": point.x, "y": point.y} for point in frame.geometry]
        features = [
            {"attributes": a, "geometry": g}
            for a, g in zip(frame.drop(columns="geometry").to_dict("records"), shapes, strict=True)
        ]
        path.write_text(
            json.dumps({"geometryType": "esriGeometryPoint", "spatialReference": {"wkid": 27700}, "features": features})
        )
    elif name == "sites.geojsonl":
        path.write_text("\n".join(json.dumps(each) for each in json.loads(frame.to_crs(4326).to_json())["features"]))
    elif name == "sites.records.json":
        path.write_text(json.dumps(records))
    else:
        (frame.to_crs(4326) if name == "sites.kml" else frame).to_file(path, driver=DRIVERS[name])
    replace(folder, 'sites = "sites.csv"', f'sites = "{name}"')
    (folder / "sites.csv").unlink()


def read(folder: Path) -> str:
    """Read the place, whether or not it is refused; all that is said."""
    try:
        return "\n".join(map(str, survey(load_scenario(folder)).issues))
    except EstateError as error:
        return "\n".join(map(str, error.issues))


@pytest.mark.parametrize("name", FORMS)
def test_a_good_file_is_read_and_nothing_else_is_opened(folder, name):
    before = starter.place_of(folder)
    as_file(folder, name)
    assert starter.place_of(folder).sites.index.equals(before.sites.index)  # and everything is imported
    own = {"sites.tab", "sites.dat", "sites.map", "sites.id"} if name == "sites.tab" else {name}
    assert opened(folder, lambda: read(folder)) == TABLES | own


HOSTILE = [
    ("sites.kml", "<Folder>", "<NetworkLink><Link><href>BAIT</href></Link></NetworkLink><Folder>", "leads elsewhere (NetworkLink)"),
    ("sites.kml", "<Folder>", '<Folder><Style><IconStyle><Icon><atom:link href="BAIT" xmlns:atom="a"/></Icon></IconStyle></Style>', "leads elsewhere"),
    ("sites.kml", "<kml ", '<!DOCTYPE kml [<!ENTITY a SYSTEM "BAIT">]><kml ', "XML or a service descriptor"),
    ("sites.gml", "<ogr:FeatureCollection", '<!DOCTYPE g [<!ENTITY a SYSTEM "BAIT">]><ogr:FeatureCollection', "XML or a service descriptor"),
    ("sites.gml", "<ogr:site_id>", '<ogr:more xlink:href="BAIT" xmlns:xlink="http://www.w3.org/1999/xlink"/><ogr:site_id>', "leads elsewhere (xlink:href"),
    ("sites.gml", "sites.xsd", "BAIT", ""),
    ("sites.gml", 'srsName="urn:ogc:def:crs:EPSG::27700"', 'srsName="BAIT"', "without saying its coordinate reference system"),
    ("sites.tab", "Type NATIVE", 'Type LINKED Charset "WindowsLatin1"', "a kind that is not read"),
    ("sites.tab", "Definition Table", 'Open Table "BAIT"\nDefinition Table', "may lead to other files"),
    ("sites.tab", "Definition Table", 'Definition Table\n  File "BAIT"', "may lead to other files"),
    ("sites.esri.json", '{"wkid": 27700}', '{"wkt": "+proj=longlat +nadgrids=BAIT"}', "is not a coordinate reference system"),
    ("sites.esri.json", '{"wkid": 27700}', '{"wkt": "BAIT"}', "is not a coordinate reference system"),
    ("sites.esri.json", '{"geometryType"', '{"url": "BAIT", "geometryType"', ""),
    ("sites.geojsonl", '{"id": "0"', '{"crs": {"type": "link", "properties": {"href": "BAIT", "type": "proj4"}}, "id": "0"', ""),
    ("sites.geojsonl", '{"id": "0"', '{"crs": {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=BAIT"}}, "id": "0"', ""),
    ("sites.geojsonl", '{"id": "0"', '{"$ref": "BAIT", "id": "0"', ""),
]  # fmt: skip


@pytest.mark.parametrize("bait", ["file", "address"])
@pytest.mark.parametrize(("name", "old", "new", "said"), HOSTILE)
def test_a_file_that_leads_elsewhere_is_not_followed(folder, name, old, new, said, bait):
    lure = str(folder / "grid.gsb") if bait == "file" else "http://127.0.0.1:9/grid.gsb"
    as_file(folder, name)
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new.replace("BAIT", lure)))
    assert said in read(folder)
    own = {"sites.tab", "sites.dat", "sites.map", "sites.id"} if name == "sites.tab" else {name}
    assert opened(folder, lambda: read(folder)) <= TABLES | own
    assert "SECRET" not in read(folder)


SOURCE = '<table:table-source xlink:type="simple" xlink:href="{lure}" xmlns:xlink="http://www.w3.org/1999/xlink" table:table-name="S"/>'


@pytest.mark.parametrize("bait", ["file", "address"])
def test_linked_sheets_and_external_formulas_are_not_followed(folder, bait):
    lure = str(folder / "secret.csv") if bait == "file" else "http://127.0.0.1:9/secret.csv"
    as_file(folder, "sites.ods")
    with zipfile.ZipFile(folder / "sites.ods") as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    formula = f'<table:table-cell table:formula="of:=\'{lure}\'#$S.A1" office:value-type="string"><text:p>kept</text:p></table:table-cell></table:table-row>'
    body = parts["content.xml"].replace('table:name="T">', 'table:name="T">' + SOURCE.format(lure=lure), 1)
    parts["content.xml"] = body.replace("</table:table-row>", formula, 1)
    with zipfile.ZipFile(folder / "sites.ods", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert survey(load_scenario(folder)).sites.index.size == 8
    assert opened(folder, lambda: read(folder)) == TABLES | {"sites.ods"}


def test_the_grid_that_a_crs_of_parquet_names_is_not_opened(folder):
    import pyarrow.parquet as pq

    as_file(folder, "sites.parquet")
    table = pq.read_table(folder / "sites.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["crs"] = f"+proj=longlat +nadgrids={folder / 'grid.gsb'}"
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), folder / "sites.parquet")
    assert "not a coordinate reference system" in read(folder)
    assert opened(folder, lambda: read(folder)) == TABLES | {"sites.parquet"}


def test_what_libraries_below_python_open_is_seen(folder):
    """The watch itself: GDAL and the C library open files that no audit hook tells of."""
    import pyogrio

    as_file(folder, "sites.gml")
    assert {"sites.gml", "sites.xsd"} <= opened(folder, lambda: pyogrio.read_info(folder / "sites.gml"))
