"""JSON in the forms that services and programs write it."""

from __future__ import annotations

import json

import pytest
import shapely

from estate.errors import InputError
from estate.load import read_file
from estate.scenario import TableFile

HALL = {"type": "Feature", "id": "S1", "properties": {"name": "Hall"}, "geometry": {"type": "Point", "coordinates": [-2, 52]}}
BARE = {"type": "Feature", "id": 7, "properties": {"name": "Shed"}, "geometry": None}
ESRI = {
    "geometryType": "esriGeometryPoint",
    "spatialReference": {"wkid": 102100, "latestWkid": 3857},
    "fields": [{"name": "lease_end", "type": "esriFieldTypeDate"}, {"name": "name", "type": "esriFieldTypeString"}],
    "features": [
        {"attributes": {"name": "Hall", "lease_end": 1806451200000}, "geometry": {"x": -222000.5, "y": 6800000}},
        {"attributes": {"name": "Shed", "lease_end": None}, "geometry": {"x": "NaN", "y": "NaN"}},
    ],
}
RING = [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]


def read(tmp_path, text):
    (tmp_path / "a").write_text(text if isinstance(text, str) else json.dumps(text))
    return read_file(TableFile(path="a"), tmp_path, "t")[0]


@pytest.mark.parametrize(
    "text",
    [
        {"type": "FeatureCollection", "features": [HALL, BARE]},
        [HALL, BARE],
        f"{json.dumps(HALL)}\n{json.dumps(BARE)}\n",
        f"\x1e{json.dumps(HALL)}\n\x1e{json.dumps(BARE)}\n",
    ],
    ids=["collection", "list", "lines", "sequence"],
)
def test_geojson_with_ids(tmp_path, text):
    raw = read(tmp_path, text)
    assert raw.frame.to_dict("list") == {"id": ["S1", "7"], "name": ["Hall", "Shed"]}
    assert raw.crs == "OGC:CRS84"
    assert [each and each.wkt for each in raw.geometry] == ["POINT (-2 52)", None]


def test_a_property_called_id_is_kept(tmp_path):
    raw = read(tmp_path, {"type": "FeatureCollection", "features": [{**HALL, "properties": {"id": "own"}}]})
    assert raw.frame["id"].tolist() == ["own"]


RECORDS = [{"site_id": "007", "n": 1200, "open": True}, {"site_id": "A", "n": None, "more": "x"}]


@pytest.mark.parametrize(
    "text",
    [RECORDS, {"data": RECORDS}, {"success": True, "result": {"records": RECORDS}}, "\n".join(map(json.dumps, RECORDS))],
    ids=["list", "envelope", "two envelopes", "lines"],
)
def test_plain_records(tmp_path, text):
    raw = read(tmp_path, text)
    assert raw.geometry is None
    assert raw.frame.to_dict("list") == {"site_id": ["007", "A"], "n": ["1200", ""], "open": ["yes", ""], "more": ["", "x"]}


def test_esri_json(tmp_path):
    raw = read(tmp_path, ESRI)
    assert raw.frame.to_dict("list") == {"name": ["Hall", "Shed"], "lease_end": ["2027-03-31", ""]}
    assert raw.crs == "EPSG:3857"
    assert [each and each.wkt for each in raw.geometry] == ["POINT (-222000.5 6800000)", None]


def test_rings_of_esri_json_in_any_order(tmp_path):
    shape = {"rings": [HOLE, RING, [[20, 0], [20, 5], [25, 5], [25, 0], [20, 0]]]}
    features = [{"attributes": {"a": 1}, "geometry": shape}]
    raw = read(tmp_path, {"spatialReference": {"wkid": 27700}, "features": features})
    assert raw.crs == "EPSG:27700"
    assert shapely.area(raw.geometry[0]) == 100 - 4 + 25


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ({"type": "Topology", "objects": {}}, "is TopoJSON"),
        ({"a": 1}, "neither GeoJSON (a FeatureCollection) nor a list of records"),
        ([1, 2], "neither GeoJSON"),
        ({**ESRI, "exceededTransferLimit": True}, "is only a part"),
        ({"type": "FeatureCollection", "properties": {"exceededTransferLimit": True}, "features": [HALL]}, "is only a part"),
        ('{"a": 1}\n{"a": \n', "is corrupt or cut short (line 2"),
        ({"features": [{"attributes": {"a": 1}, "geometry": {"curveRings": []}}]}, "a geometry with curves"),
    ],
    ids=["topology", "table", "numbers", "esri part", "part", "broken line", "curves"],
)
def test_json_that_is_refused(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert said in str(error.value)
