"""FlatGeobuf, KML, GML, MapInfo and GeoArrow: read inside the same walls as everything else."""

# ruff: noqa: E501  (a case a line reads as the table it is)

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from estate.errors import InputError
from estate.load import read_file
from estate.scenario import TableFile

FORMS = {"z.fgb": "FlatGeobuf", "z.kml": "KML", "z.gml": "GML", "z.tab": "MapInfo File", "z.parquet": ""}


@pytest.fixture
def frame():
    boxes = [shapely.box(400_000, 250_000, 400_100, 250_100), shapely.box(410_000, 250_000, 410_100, 250_100)]
    return gpd.GeoDataFrame({"zone_id": ["007", "B"]}, geometry=boxes, crs=27700)


def written(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path, geometry_encoding="geoarrow")
    else:
        (frame.to_crs(4326) if path.suffix == ".kml" else frame).to_file(path, driver=FORMS[path.name])


@pytest.mark.parametrize("name", FORMS)
def test_further_formats(tmp_path, frame, name):
    written(frame, tmp_path / name)
    raw, digests = read_file(TableFile(path=name), tmp_path, "t")
    order = raw.frame["zone_id"].argsort()  # FlatGeobuf keeps rows in the order of their place
    assert raw.frame["zone_id"][order].tolist() == ["007", "B"]
    there = gpd.GeoSeries(raw.geometry[order], crs=raw.crs).to_crs(27700)
    assert np.allclose(there.centroid.x, [400_050, 410_050], atol=0.1)
    assert np.allclose(there.area, 10_000, atol=1)
    assert set(digests) >= ({"z.tab", "z.dat", "z.map", "z.id"} if name == "z.tab" else {name})


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("z.kml", "<Folder>", "<NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink><Folder>", "leads elsewhere (NetworkLink)"),
        ("z.kml", "<kml ", '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml ', "XML or a service descriptor"),
        ("z.kml", 'schemaUrl="#z"', 'schemaUrl="http://127.0.0.1:9/"', "leads elsewhere (schemaUrl"),
        ("z.kml", "</kml>", "", "is corrupt or cut short"),
        ("z.gml", "<ogr:zone_id>", '<ogr:other xlink:href="http://127.0.0.1:9/" xmlns:xlink="http://www.w3.org/1999/xlink"/><ogr:zone_id>', "leads elsewhere (xlink:href"),
        ("z.tab", "Type NATIVE", "Type LINKED", "MapInfo table of a kind that is not read"),
        ("z.tab", "Definition Table", 'Open Table "/etc/passwd"\nDefinition Table', "may lead to other files"),
    ],
)  # fmt: skip
def test_what_leads_elsewhere_is_refused(tmp_path, frame, name, old, new, said):
    written(frame, tmp_path / name)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        read_file(TableFile(path=name), tmp_path, "t")
    assert said in str(error.value)


def test_a_schema_is_not_fetched(tmp_path, frame):
    """Where GML says its schema is, somebody listens: and nobody comes."""
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        written(frame, tmp_path / "z.gml")
        address = f"http://127.0.0.1:{server.getsockname()[1]}/z.xsd"
        text = (tmp_path / "z.gml").read_text()
        assert "z.xsd" in text
        (tmp_path / "z.gml").write_text(text.replace("z.xsd", address))
        assert len(read_file(TableFile(path="z.gml"), tmp_path, "t")[0]) == 2
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("name", ["z.fgb", "z.tab", "z.kml"])
def test_cut_short(tmp_path, frame, name):
    written(frame, tmp_path / name)
    short = tmp_path / name.replace(".tab", ".dat")
    short.write_bytes(short.read_bytes()[: len(short.read_bytes()) // 3])
    with pytest.raises(InputError, match="corrupt"):
        read_file(TableFile(path=name), tmp_path, "t")
