"""Where things are, in the forms in which people have it: points as text, curves, postcodes, and text of other encodings."""

from __future__ import annotations

import json
import math
import sqlite3
import struct

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import starter
from starter import replace, rows, write

from estate.errors import InputError
from estate.load import read_file
from estate.load.curves import shapes_from_wkb
from estate.scenario import TableFile


@pytest.fixture
def folder(tmp_path):
    return starter.make(tmp_path)


def degrees(records):
    points = gpd.GeoSeries.from_xy([float(r["easting"]) for r in records], [float(r["northing"]) for r in records], crs=27700)
    return points.to_crs(4326)


def square(x, y):
    """A point of the fixture's squares, to a metre: its grid reference."""
    return f"{'SO' if x < 400_000 else 'SP'} {int(x % 100_000):05d} {int(y % 100_000):05d}"


WRITTEN = {
    "wkt": ("geometry", lambda shape, x, y: shape.wkt),
    "grid in wkt": ("WKT", lambda shape, x, y: f"POINT ({x} {y})"),
    "wkt that says its grid": ("geom", lambda shape, x, y: f"SRID=27700;POINT ({x} {y})"),
    "hexadecimal": ("the_geom", lambda shape, x, y: shapely.to_wkb(shapely.set_srid(shape, 4326), hex=True, include_srid=True)),
    "GeoJSON in a cell": ("geometry", lambda shape, x, y: shapely.to_geojson(shape)),
    "pair": ("lat_lon", lambda shape, x, y: f"{shape.y:.7f}, {shape.x:.7f}"),
    "pair in brackets": ("Geo Point", lambda shape, x, y: f"({shape.y:.7f}; {shape.x:.7f})"),
    "grid reference": ("Grid Ref", lambda shape, x, y: square(x, y)),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_points_as_text(folder, form):
    heading, text = WRITTEN[form]
    before = starter.place_of(folder).sites[["easting_m", "northing_m"]]
    records = rows(folder, "sites")
    for record, shape in zip(records, degrees(records), strict=True):
        record[heading] = text(shape, float(record.pop("easting")), float(record.pop("northing")))
    write(folder, "sites", records)
    after = starter.place_of(folder).sites[["easting_m", "northing_m"]]
    assert ((before - after).abs() <= 0.5 + 1e-6).all().all()
    records[2][heading] = "somewhere"
    write(folder, "sites", records)
    assert "row 4" in starter.refused(folder)
    assert "'somewhere' is not a" in starter.refused(folder)


def test_a_short_grid_reference_is_the_middle_of_its_square_and_said(folder):
    records = rows(folder, "sites")
    for record in records:
        record["grid_reference"] = (
            f"SP {float(record.pop('easting')) // 1000 % 100:02.0f} {float(record.pop('northing')) // 1000 % 100:02.0f}"
        )
    write(folder, "sites", records)
    assert starter.place_of(folder).sites.loc["ALDERTON-TOWN-HALL", ["easting_m", "northing_m"]].tolist() == [401_500, 249_500]
    said = [each for each in starter.found(folder) if each.code == "geo.by-square"]
    assert "in the middle of a square of up to 1,000 m" in said[0].message


def test_latitude_and_longitude_swapped_in_geojson_are_called_that(folder):
    records = rows(folder, "sites")
    features = [
        {"type": "Feature", "properties": record, "geometry": {"type": "Point", "coordinates": [shape.y, shape.x]}}
        for record, shape in zip(records, degrees(records), strict=True)
    ]
    for record in records:
        del record["easting"], record["northing"]
    (folder / "sites.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    replace(folder, 'sites = "sites.csv"', 'sites = "sites.geojson"')
    assert "latitude and longitude are swapped" in starter.refused(folder)


# -------------------------------------------------------------------------------------------------------------- curves


def wkb(kind, *parts, count=None):
    return struct.pack("<BII", 1, kind, len(parts) if count is None else count) + b"".join(parts)


def xy(*points):
    return struct.pack(f"<{2 * len(points)}d", *(each for point in points for each in point))


CIRCLE = wkb(8, xy((400_000, 250_000), (400_010, 250_000), (400_000, 250_000)), count=3)
HALF = wkb(9, wkb(8, xy((0, 0), (1, 1), (2, 0)), count=3), wkb(2, xy((2, 0), (0, 0)), count=2))


def test_curves_are_drawn_as_lines():
    disc, half, two, wall = shapes_from_wkb(
        [wkb(10, CIRCLE), wkb(10, HALF), wkb(12, wkb(10, HALF), wkb(3, wkb_ring())), wkb(11, CIRCLE)], "f"
    )
    assert disc.area == pytest.approx(math.pi * 25, rel=2e-3)
    assert half.area == pytest.approx(math.pi / 2, rel=2e-3)
    assert two.area == pytest.approx(math.pi / 2 + 100, rel=1e-3)
    assert all(each.is_valid for each in (disc, half, two))
    assert wall.length == pytest.approx(math.pi * 10, rel=1e-3)


def wkb_ring():
    return struct.pack("<I", 5) + xy((10, 10), (20, 10), (20, 20), (10, 20), (10, 10))


def test_a_curve_that_is_cut_short_or_unknown_is_refused_by_its_row():
    with pytest.raises(InputError, match=r"is corrupt or cut short .the geometry of row 3"):
        shapes_from_wkb([wkb(10, CIRCLE), wkb(10, CIRCLE[:30])], "f")
    with pytest.raises(InputError, match=r"row 3: its geometry is of a kind that is not read .type 99. -> linearise it"):
        shapes_from_wkb([wkb(10, CIRCLE), wkb(99, CIRCLE)], "f")


def test_curved_outlines_in_a_geopackage(folder):
    records = rows(folder, "sites")
    frame = pd.DataFrame(records).astype({"easting": float, "northing": float})
    boxes = shapely.box(frame["easting"] - 5, frame["northing"] - 5, frame["easting"] + 5, frame["northing"] + 5)
    before = starter.place_of(folder).sites[["easting_m", "northing_m"]]
    gpd.GeoDataFrame(frame.drop(columns=["easting", "northing"]), geometry=boxes, crs=27700).to_file(
        folder / "s.gpkg", layer="s"
    )
    with sqlite3.connect(folder / "s.gpkg") as base:
        base.execute("DROP TRIGGER IF EXISTS rtree_s_geom_update6")
        for name in [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            base.execute(f'DROP TRIGGER "{name}"')
        for n, (x, y) in enumerate(zip(frame["easting"], frame["northing"], strict=True), 1):
            ring = wkb(8, xy((x - 5, y), (x + 5, y), (x - 5, y)), count=3)
            head = b"GP\0\x01" + struct.pack("<i", 27700)
            base.execute("UPDATE s SET geom = ? WHERE fid = ?", (head + wkb(10, ring), n))
    base.close()
    replace(folder, 'sites = "sites.csv"', 'sites = "s.gpkg"')
    after = starter.place_of(folder).sites[["easting_m", "northing_m"]]
    assert ((before - after).abs() < 0.1).all().all()


# ----------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("written", "label", "said", "right"),
    [
        ("cp1252", "", "", ""),
        ("utf-8", "", "", ""),
        ("cp1252", "UTF-8", "its text is not utf-8, as its .cpg says", "cp1252"),
        ("utf-8", "ISO-8859-1", "its .cpg says ISO-8859-1, and its text is UTF-8", "utf-8"),
        ("cp1252", "klingon", "its .cpg says 'klingon', which is not an encoding", "cp1252"),
        ("cp1252", "1252", "", ""),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning:pyogrio", "ignore::RuntimeWarning:pyogrio")
def test_a_shapefiles_text_and_its_cpg(tmp_path, written, label, said, right):
    frame = gpd.GeoDataFrame({"name": ["Café £", "plain"]}, geometry=gpd.points_from_xy([1, 2], [3, 4]), crs=27700)
    frame.to_file(tmp_path / "a.shp", encoding=written)
    (tmp_path / "a.cpg").unlink()
    if label:
        (tmp_path / "a.cpg").write_text(label)
    given = TableFile(path="a.shp")
    if said:
        with pytest.raises(InputError) as error:
            read_file(given, tmp_path, "t")
        assert said in str(error.value)
        assert f'"{right}"' in str(error.value)
        given = TableFile(path="a.shp", encoding=right)
    assert read_file(given, tmp_path, "t")[0].frame["name"].tolist() == ["Café £", "plain"]


# ----------------------------------------------------------------------------------------------------------- postcodes

POSTCODES = {
    "ONSPD": "pcd,pcds,dointr,oseast1m,osnrth1m,osgrdind\nEX1 1AA,EX1  1AA,1980,401000,249000,1\nEX9 9ZZ,EX9  9ZZ,1980,,,9\n",
    "Code-Point": "PC,PQ,EA,NO,CY\nEX1 1AA,10,401000,249000,E92\n",
    "degrees": "postcode,latitude,longitude\nEX1 1AA,52.139295,-1.986804\n",
}


@pytest.mark.parametrize("form", POSTCODES)
def test_tables_of_postcodes_as_published(folder, form):
    records = rows(folder, "sites")
    for record in records:
        record["postcode"] = "ex1 1aa"
        del record["easting"], record["northing"]
    write(folder, "sites", records)
    (folder / "pc.csv").write_text(POSTCODES[form])
    replace(folder, '# postcodes = "codepoint.csv" ', 'postcodes = "pc.csv" ')
    place = starter.place_of(folder)
    assert np.allclose(place.sites["easting_m"], 401_000, atol=5)
    assert np.allclose(place.sites["northing_m"], 249_000, atol=5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pcds,oseast1m,osnrth1m\n", "pc.csv: holds headings and no postcodes"),
        ("postcode,easting,northing\nEX1 1AA,0,0\n", "pc.csv: holds no postcode with a location"),
        ("town,x,y\nA,1,2\n", "has no column postcode (it has: town, x, y) -> map them"),
    ],
)
def test_tables_of_postcodes_without_any(folder, text, said):
    records = rows(folder, "sites")
    for record in records:
        record["postcode"] = "ex1 1aa"
        del record["easting"], record["northing"]
    write(folder, "sites", records)
    (folder / "pc.csv").write_text(text)
    replace(folder, '# postcodes = "codepoint.csv" ', 'postcodes = "pc.csv" ')
    assert said in starter.refused(folder)
