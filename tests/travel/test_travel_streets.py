"""Street networks: reading, cleaning, joining points, routes against an independent oracle, and refusals."""

import bz2
import gzip
import os
import pickle
import re
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import pyproj
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from estate.errors import InputError
from estate.travel import Points, Streets, Wanted, build_travel, load_streets, network_pairs
from estate.travel.snap import UNITS, join, locate
from estate.travel.streets import Drawn, Network, assemble, speeds, to_grid

HERE = np.array([400_000, 250_000])
"""Somewhere in the Midlands, EPSG:27700."""


def points(xy, prefix="p"):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    return Points(xy[:, 0], xy[:, 1], tuple(f"{prefix}{k:03d}" for k in range(len(xy))))


def as_dict(pairs, column="distance_m"):
    keys = zip(pairs.from_.tolist(), pairs.to.tolist(), strict=True)
    return dict(zip(keys, getattr(pairs, column).tolist(), strict=True))


def drawn(xy, segments, *, back=True, kmh=36.0, length=np.nan):
    """Streets from corner coordinates and (tail, head) pairs."""
    xy = np.asarray(xy, dtype=float) + HERE
    tail, head = np.array(segments).T
    n = len(segments)

    def full(value):
        return np.broadcast_to(np.asarray(value, dtype=float), n).copy()

    return Drawn(xy[:, 0], xy[:, 1], tail, head, full(length), full(kmh), full(back) > 0, np.ones(n, dtype=bool))


def network(xy, segments, *, mode="drive", **settings):
    return assemble(drawn(xy, segments, **settings), mode=mode, file="made")


def near(xy):
    return points(np.asarray(xy, dtype=float) + HERE)


# --- small made extracts ------------------------------------------------------------------------------------------------

LAT, LON = 52.65, -0.70
"""Nodes of the made extract, in degrees from here: a square, a one-way street, an island, and a clipped way."""
NODES = {
    1: (0, 0), 2: (0, 0.01), 3: (0.01, 0.01), 4: (0.01, 0), 5: (0.02, 0.0),
    10: (0.1, 0.1), 11: (0.1, 0.101),
}  # fmt: skip
WAYS = [
    ([1, 2], {"highway": "residential"}),
    ([2, 3], {"highway": "primary", "oneway": "yes"}),
    ([3, 4, 1], {"highway": "residential"}),
    ([4, 5], {"highway": "residential", "access": "private", "foot": "yes"}),
    ([5, 3], {"highway": "footway"}),
    ([10, 11], {"highway": "residential"}),
    ([3, 999], {"highway": "residential"}),
    ([1, 3], {"highway": "layby"}),
    ([2, 4], {"building": "yes"}),
    ([1, 2, 3, 1], {"highway": "pedestrian", "area": "yes"}),
]


def write_extract(path):
    with osmium.SimpleWriter(str(path)) as writer:
        for ref, (north, east) in NODES.items():
            writer.add_node(osmium.osm.mutable.Node(id=ref, location=(LON + east, LAT + north), version=1))
        for ref, (nodes, tags) in enumerate(WAYS, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=ref, nodes=nodes, tags=tags, version=1))
    return path


@pytest.fixture(params=["made.osm.pbf", "made.osm", "made.osm.gz", "made.osm.bz2"])
def extract(request, tmp_path):
    return write_extract(tmp_path / request.param)


def test_an_extract_reads_the_same_in_every_form(extract):
    walk = load_streets(extract, mode="walk")
    drive = load_streets(extract, mode="drive")
    assert (len(walk.x), len(walk.tail)) == (5, 6)
    assert (len(drive.x), len(drive.tail)) == (4, 4)  # no footway, no private street, no island
    assert drive.back.sum() == 3
    assert walk.back.all()
    x, y = to_grid(np.array([LON]), np.array([LAT]))
    assert np.hypot(walk.x - x, walk.y - y).min() < 0.01
    codes = {note.code for note in drive.notes}
    assert codes == {"travel.unknown-class", "travel.node-outside", "travel.island"}


def test_one_way_streets_bind_driving_and_not_walking(extract):
    corners = points(np.column_stack(to_grid(np.array([LON + 0.01, LON + 0.01]), np.array([LAT, LAT + 0.01]))))
    drive, walk = (
        as_dict(network_pairs(load_streets(extract, mode=mode), corners, corners, wanted=Wanted(limit_m=1e9)))
        for mode in ("drive", "walk")
    )
    assert drive[0, 1] < drive[1, 0] / 2
    assert walk[0, 1] == walk[1, 0] == drive[0, 1]


def test_a_name_is_not_believed(tmp_path):
    path = write_extract(tmp_path / "made.osm.pbf")
    path = path.rename(tmp_path / "made.graphml")
    assert len(load_streets(path, mode="walk").x) == 5


# --- rules ---------------------------------------------------------------------------------------------------------------


def test_islands_and_one_way_dead_ends_are_left_out_with_a_count():
    xy = [(0, 0), (100, 0), (100, 100), (500, 500), (600, 500), (0, 300)]
    made = network(xy, [(0, 1), (1, 2), (2, 0), (3, 4), (2, 5)], back=[1, 0, 1, 1, 0])
    assert len(made.x) == 3
    assert "3 nodes are not in the largest strongly connected component (3 nodes)" in str(made.notes[-1])
    walked = network(xy, [(0, 1), (1, 2), (2, 0), (3, 4), (2, 5)], back=[1, 0, 1, 1, 0], mode="walk")
    assert len(walked.x) == 4


def test_zero_negative_and_missing_lengths_are_measured_on_the_map():
    xy = [(0, 0), (100, 0), (200, 0), (300, 0), (400, 0), (500, 0), (500, 0)]
    made = network(xy, [(k, k + 1) for k in range(6)], length=[0.0, -5.0, np.nan, np.inf, 120.0, 0.0], mode="walk")
    assert made.length.tolist() == [100, 100, 100, 100, 120, 0]
    assert [note.code for note in made.notes] == ["travel.bad-length"]
    assert made.notes[0].message.startswith("3 lengths")


def test_streets_elsewhere_and_streets_too_long_are_refused():
    with pytest.raises(InputError, match="no streets in Great Britain"):
        network([(5e6, 0), (5e6, 1)], [(0, 1)])
    with pytest.raises(InputError, match="is not a street"):
        network([(0, 0), (0, 300_000)], [(0, 1)])


def test_points_join_the_nearest_place_and_the_leg_is_added():
    made = network([(0, 0), (1_000, 0)], [(0, 1)])
    pairs = network_pairs(made, near([(250, 30)]), near([(750, 40), (-30, 0)]), wanted=Wanted(limit_m=1e6))
    assert pairs.distance_m.tolist() == [30 + 500 + 40, 30 + 250 + 30]
    leg = 3.6 / speeds()["access"]["drive"]
    assert pairs.time_s.tolist() == [round(70 * leg + 50), round(60 * leg + 25)]


def test_neighbours_far_from_any_street_are_joined_directly():
    made = network([(0, 0), (1_000, 0)], [(0, 1)])
    pairs = network_pairs(made, near([(500, 800), (500, 5)]), near([(530, 840), (500, 800)]), wanted=Wanted(limit_m=1e6))
    assert as_dict(pairs) == {(0, 0): 50, (0, 1): 0, (1, 0): 836, (1, 1): 795}


def test_the_shortest_distance_and_the_quickest_time_may_be_different_routes():
    xy = [(0, 0), (1_000, 0), (500, 500)]
    made = network(xy, [(0, 1), (0, 2), (2, 1)], kmh=[18, 72, 72])
    pairs = network_pairs(made, near([xy[0]]), near([xy[1]]), wanted=Wanted(limit_m=1e6))
    assert (pairs.distance_m.tolist(), pairs.time_s.tolist()) == ([1000], [round(2 * np.hypot(500, 500) / 20)])


def random_town(seed, mode="drive", side=9):
    """A jittered street grid with holes, one-way streets and mixed speeds."""
    random = np.random.default_rng(seed)
    row, column = np.divmod(np.arange(side * side), side)
    xy = np.column_stack([column, row]) * 100 + random.uniform(-30, 30, (side * side, 2))
    across = [(k, k + 1) for k in range(side * side) if column[k] < side - 1]
    along = [(k, k + side) for k in range(side * side) if row[k] < side - 1]
    segments = [each for each in across + along if random.random() < 0.9]
    back = random.random(len(segments)) < 0.8
    return network(xy, segments, mode=mode, back=back, kmh=random.choice([20.0, 40.0, 60.0], len(segments)))


def oracle(made, a, b, cost):
    """Every distance, by SciPy, on the joined graph: (F, T)."""
    located = [locate(made, each) for each in (a, b)]
    both = type(located[0])(
        *(np.concatenate([getattr(each, name) for each in located]) for name in ("segment", "share", "leg_m"))
    )
    graph, node = join(made, both)
    tail = np.repeat(np.arange(graph.n), np.diff(graph.start))
    matrix = coo_array((getattr(graph, cost) / UNITS, (tail, graph.head)), shape=(graph.n, graph.n)).tocsr()
    leg = both.leg_m * (1 if cost == "metres" else 3.6 / speeds()["access"][made.mode])
    between = dijkstra(matrix, indices=node[: len(a)])[:, node[len(a) :]]
    return leg[: len(a), None] + between + leg[None, len(a) :]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limits", [(250.0, None), (None, 45.0), (300.0, 20.0), (np.inf, None)])
def test_routes_agree_with_an_independent_search(seed, limits):
    random = np.random.default_rng(100 + seed)
    made = random_town(seed)
    a, b = near(random.uniform(0, 800, (14, 2))), near(random.uniform(0, 800, (9, 2)))
    wanted = Wanted(*limits, groups={"x": np.array([0, 3]), "y": np.array([8])})
    found = network_pairs(made, a, b, wanted=wanted, threads=2)
    metres, seconds = oracle(made, a, b, "metres"), oracle(made, a, b, "seconds")
    line = np.hypot(a.x[:, None] - b.x, a.y[:, None] - b.y)
    direct = line <= np.maximum(locate(made, a).leg_m[:, None], locate(made, b).leg_m[None, :])
    metres = np.where(direct, np.minimum(metres, line), metres)
    seconds = np.where(direct, np.minimum(seconds, line * 3.6 / speeds()["access"]["drive"]), seconds)
    assert np.abs(found.distance_m - metres[found.from_, found.to]).max() <= 0.51
    assert np.abs(found.time_s - seconds[found.from_, found.to]).max() <= 0.51

    whole_m, whole_s = np.floor(metres + 0.5), np.floor(seconds + 0.5)
    expected = np.zeros(metres.shape, dtype=bool)
    for value, limit, active in ((whole_m, limits[0], True), (whole_s, limits[1], limits[1] is not None)):
        if active:
            today = np.maximum(value[:, [0, 3]].min(axis=1), value[:, 8])[:, None]
            expected |= (value <= (-1 if limit is None else limit)) | (value <= today)
    assert set(as_dict(found)) == set(zip(*(each.tolist() for each in np.nonzero(expected)), strict=True))


def test_row_order_and_threads_do_not_matter():
    random = np.random.default_rng(7)
    made = random_town(3)
    a, b = random.uniform(0, 800, (20, 2)), random.uniform(0, 800, (15, 2))
    wanted = Wanted(limit_m=400, limit_s=60)
    first = network_pairs(made, near(a), near(b), wanted=wanted, threads=1)
    i, j = random.permutation(20), random.permutation(15)
    other = network_pairs(made, near(a[i]), near(b[j]), wanted=wanted, threads=3)
    for column in ("distance_m", "time_s"):
        turned = {(i[p], j[q]): value for (p, q), value in as_dict(other, column).items()}
        assert turned == as_dict(first, column)


def test_walking_has_one_speed_so_time_follows_distance():
    made = network([(0, 0), (960, 0)], [(0, 1)], mode="walk", kmh=4.8)
    pairs = network_pairs(made, near([(0, 0)]), near([(960, 0)]), wanted=Wanted(limit_s=720))
    assert (pairs.distance_m.tolist(), pairs.time_s.tolist()) == ([960], [720])


# --- saved graphs and OS Open Roads ----------------------------------------------------------------------------------------


def save_osmnx(path, *, curved=True):
    """What ``osmnx.save_graphml`` writes, made with networkx."""
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    for ref, (north, east) in NODES.items():
        graph.add_node(ref, y=LAT + north, x=LON + east)
    bend = f"LINESTRING ({LON} {LAT}, {LON + 0.005} {LAT + 0.004}, {LON + 0.01} {LAT})"
    back = f"LINESTRING ({LON + 0.01} {LAT}, {LON + 0.005} {LAT + 0.004}, {LON} {LAT})"
    for u, v, tags in [
        (1, 2, {"length": "900.0", "highway": "residential", "oneway": "False", "geometry": bend}),
        (2, 1, {"length": "900.0", "highway": "residential", "oneway": "False", "geometry": back}),
        (2, 3, {"length": "1112.0", "highway": "['primary', 'residential']", "oneway": "True", "name": "A & B <i>"}),
        (3, 1, {"length": "1300.0", "highway": "residential", "oneway": "False"}),
        (1, 3, {"length": "1300.0", "highway": "residential", "oneway": "False"}),
        (3, 4, {"length": "680.0", "highway": "footway", "oneway": "False"}),
        (4, 3, {"length": "680.0", "highway": "footway", "oneway": "False"}),
        (10, 11, {"length": "70.0", "highway": "residential", "oneway": "False"}),
    ]:
        if not curved:
            tags.pop("geometry", None)
        graph.add_edge(u, v, **tags)
    nx.write_graphml(graph, path)
    return path


def test_a_saved_osmnx_graph_keeps_its_lengths_and_its_bends(tmp_path):
    path = save_osmnx(tmp_path / "made.graphml")
    drive = load_streets(path, mode="drive")
    assert (len(drive.x), len(drive.tail)) == (4, 4)  # the bend is a node
    assert drive.length.sum() == pytest.approx(900 + 1112 + 1300)
    assert drive.back.sum() == 3
    walk = load_streets(path, mode="walk")
    assert walk.length.sum() == pytest.approx(900 + 1112 + 1300 + 680)
    straight = load_streets(save_osmnx(tmp_path / "b.graphml", curved=False), mode="drive")
    assert (len(straight.x), straight.length.sum()) == (3, pytest.approx(900 + 1112 + 1300))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("<graph ", "<!DOCTYPE x [<!ENTITY a 'b'>]><graph ", 1),
        lambda text: text.replace('source="1"', 'source="77"'),
        lambda text: text.replace(">900.0<", ">long<"),
        lambda text: text[: len(text) // 3],
        lambda text: text.replace("LINESTRING (", "LINESTRONG ("),
    ],
)
def test_a_damaged_graph_is_refused(tmp_path, damage):
    path = save_osmnx(tmp_path / "made.graphml")
    path.write_text(damage(path.read_text()))
    with pytest.raises(InputError, match="not a graph as OSMnx saves it"):
        load_streets(path, mode="drive")


def same_streets(one, other) -> bool:
    """Whether two networks have the same streets, wherever their nodes are numbered."""

    def streets(made):
        ends = np.column_stack([made.x[made.tail], made.y[made.tail], made.x[made.head], made.y[made.head]]).round(3)
        turned = made.back & (ends[:, :2].tolist() > ends[:, 2:].tolist())
        ends[turned] = ends[turned][:, [2, 3, 0, 1]]
        return sorted(
            (*row, length, back) for row, length, back in zip(ends.tolist(), made.length.round(3), made.back, strict=True)
        )

    return streets(one) == streets(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: re.sub(r'<edge source="(\d+)" target="(\d+)"( id="\d+")?', r'<edge id="0" source="\1" target="\2"', text),
        lambda text: re.sub(r'<edge source="(\d+)" target="(\d+)"', r"<edge  target = '\2'\n source='\1'", text),
        lambda text: text.replace("<data key", "<data\n  key").replace('<node id="', '<node label="x" id="'),
        lambda text: text.replace("epsg:4326", "{'init': 'epsg:4326'}"),
        lambda text: text.replace("epsg:4326", "{&apos;init&apos;: &apos;epsg:4326&apos;}"),
        lambda text: text.replace("epsg:4326", "None"),
        lambda text: text.replace("epsg:4326", ""),
        lambda text: text.replace("epsg:4326", "EPSG:4326"),
        lambda text: text.replace("epsg:4326", pyproj.CRS("EPSG:4326").to_wkt().replace('"', "&quot;")),
    ],
)
@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_graphml_in_any_order_and_with_any_name_of_its_crs(tmp_path, change, mode):
    path = save_osmnx(tmp_path / "made.graphml")
    before, text = load_streets(path, mode=mode), path.read_text()
    changed = change(text)
    assert changed != text
    path.write_text(changed)
    assert same_streets(load_streets(path, mode=mode), before)


def test_a_graph_without_a_crs_says_how_it_was_read(tmp_path):
    path = save_osmnx(tmp_path / "made.graphml")
    path.write_text(path.read_text().replace("epsg:4326", "None"))
    assert "travel.no-crs" in [note.code for note in load_streets(path, mode="walk").notes]


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ("{'proj': 'utm', 'zone': 30}", "'{'proj': 'utm', 'zone': 30}' is not a coordinate reference system"),
        ("{'init': 'epsg:99999'}", "'epsg:99999' is not a coordinate reference system"),
        ("+proj=longlat +nadgrids=secret.gsb", "is not a coordinate reference system"),
        ("{" * 5000, "is not a coordinate reference system"),
    ],
)
def test_a_crs_that_is_not_read_is_refused_by_name(tmp_path, crs, words):
    path = save_osmnx(tmp_path / "made.graphml")
    path.write_text(path.read_text().replace("epsg:4326", crs))
    with pytest.raises(InputError, match=re.escape(words)):
        load_streets(path, mode="walk")


def test_metres_without_a_crs_are_refused(tmp_path):
    path = save_osmnx(tmp_path / "made.graphml")
    path.write_text(re.sub(r">52\.(\d+)<", r">252.\1<", path.read_text().replace("epsg:4326", "")))
    with pytest.raises(
        InputError, match=r"states no coordinate reference system \(crs is ''\), and its coordinates are not degrees"
    ):
        load_streets(path, mode="walk")


def test_an_undirected_graph_goes_both_ways(tmp_path):
    path = save_osmnx(tmp_path / "made.graphml")
    path.write_text(path.read_text().replace('edgedefault="directed"', 'edgedefault="undirected"'))
    made = load_streets(path, mode="drive")
    assert made.back.all()
    assert made.length.sum() == pytest.approx(900 + 1112 + 1300)
    assert "the graph is undirected: 1 one-way streets go both ways" in [note.message for note in made.notes]
    path.write_text(path.read_text().replace("<edge ", '<edge directed="true" ', 1))
    with pytest.raises(InputError, match="say for themselves whether they are directed"):
        load_streets(path, mode="drive")


def test_streets_that_all_lead_one_way_are_refused(tmp_path):
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for ref, (north, east) in list(NODES.items())[:2]:
        graph.add_node(ref, y=LAT + north, x=LON + east)
    graph.add_edge(1, 2, length="900.0", highway="residential")
    nx.write_graphml(graph, tmp_path / "one.graphml")
    with pytest.raises(InputError, match="every street is one-way"):
        load_streets(tmp_path / "one.graphml", mode="drive")
    assert len(load_streets(tmp_path / "one.graphml", mode="walk").x) == 2


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_osmnxs_own_geopackage_is_the_same_network(tmp_path, directed, mode):
    import osmnx

    path = save_osmnx(tmp_path / "made.graphml")
    graph = nx.read_graphml(path, node_type=int, force_multigraph=True)
    for u, v, tags in graph.edges(data=True):
        line = shapely.LineString([(graph.nodes[end]["x"], graph.nodes[end]["y"]) for end in (u, v)])
        shape = shapely.from_wkt(tags["geometry"]) if "geometry" in tags else line
        tags.update(osmid=1, length=float(tags["length"]), oneway=tags["oneway"] == "True", geometry=shape)
    osmnx.save_graph_geopackage(graph, tmp_path / "made.gpkg", directed=directed)
    made = load_streets(tmp_path / "made.gpkg", mode=mode)
    assert same_streets(made, load_streets(path, mode=mode))
    assert not made.back.all() or mode == "walk"


def test_a_geopackage_of_nodes_and_edges_that_lacks_something_is_refused(tmp_path):
    nodes = gpd.GeoDataFrame({"osmid": [1, 2]}, geometry=gpd.points_from_xy([LON, LON + 0.01], [LAT, LAT]), crs="EPSG:4326")
    line = [shapely.LineString(nodes.geometry.tolist())]
    for columns, words in (
        ({"u": [1], "v": [3]}, "some edges end at nodes that are not in it"),
        ({"u": [1], "highway": ["residential"]}, "its nodes or edges have no column v"),
    ):
        path = tmp_path / f"{len(words)}.gpkg"
        nodes.to_file(path, layer="nodes")
        gpd.GeoDataFrame(columns, geometry=line, crs="EPSG:4326").to_file(path, layer="edges")
        with pytest.raises(InputError, match=words):
            load_streets(path, mode="walk")


def save_open_roads(path, *, crs="EPSG:27700", layer="road_link", **columns):
    lines = ["LINESTRING (0 0, 50 50, 100 0)", "LINESTRING (100 0, 200 0)", "LINESTRING (50 -50, 50 90)"]
    lines = [shapely.affinity.translate(shapely.from_wkt(each), 400_000, 250_000) for each in lines]
    frame = {
        "road_function": ["Local Road", "A Road", "Motorway"],
        "start_node": ["a", "b", "c"],
        "end_node": ["b", "d", "e"],
        "length": [142, 100, 140],
        **columns,
    }
    gpd.GeoDataFrame(frame, geometry=lines, crs=crs).to_file(path, layer=layer, driver="GPKG")
    return path


def test_open_roads_links_meet_at_their_nodes_and_bridges_do_not(tmp_path):
    made = load_streets(save_open_roads(tmp_path / "oproad.gpkg"), mode="drive")
    assert (len(made.x), made.length.sum(), made.back.all()) == (4, pytest.approx(242), True)
    assert any("no one-way streets" in note.message for note in made.notes)
    assert any("largest strongly connected" in note.message for note in made.notes)
    pairs = network_pairs(made, near([(0, 0)]), near([(200, 0)]), wanted=Wanted(limit_m=1e5))
    assert pairs.distance_m.tolist() == [242]


def test_open_roads_of_another_shape_is_refused(tmp_path):
    with pytest.raises(InputError, match="the layers are streets: neither a road_link"):
        load_streets(save_open_roads(tmp_path / "a.gpkg", layer="streets"), mode="drive")
    with pytest.raises(InputError, match="not EPSG:27700"):
        load_streets(save_open_roads(tmp_path / "b.gpkg", crs="EPSG:3857"), mode="drive")
    path = save_open_roads(tmp_path / "c.gpkg")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError):
        load_streets(path, mode="drive")


# --- refusals ----------------------------------------------------------------------------------------------------------------

BOMB = '<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><osm version="0.6"><node id="1" lat="52" lon="-1"><tag k="name" v="&b;"/></node></osm>'  # noqa: E501


def test_entities_in_xml_are_refused(tmp_path):
    for name, text in (("bomb", BOMB), ("file", BOMB.replace('"aaaa"', 'SYSTEM "file:///etc/hostname"'))):
        path = tmp_path / f"{name}.osm"
        path.write_text(text)
        with pytest.raises(InputError, match="cannot be read as OpenStreetMap data"):
            load_streets(path, mode="walk")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_bomb_is_refused(tmp_path, pack):
    path = tmp_path / "small.osm"
    path.write_bytes(pack(b"<osm version='0.6'>" + b" " * 40_000_000))
    with pytest.raises(InputError, match="unpacks to more than"):
        load_streets(path, mode="walk")


@pytest.mark.parametrize(
    "content",
    [pickle.dumps({"x": 1}), b"<OGRVRTDataSource></OGRVRTDataSource>", b'{"type": "gdal_streamed_alg"}', b"", b"PK\x03\x04"],
)
def test_other_content_is_refused_whatever_its_name(tmp_path, content):
    for name in ("a.osm.pbf", "a.gpkg", "a.graphml"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a street network that we read"):
            load_streets(path, mode="walk")


@pytest.mark.parametrize(
    "path", ["https://example.org/a.osm.pbf", "/vsicurl/https://example.org/a", "zip://a.zip", "none.osm", "."]
)
def test_a_missing_file_says_what_is_needed_and_where_to_get_it(path):
    with pytest.raises(InputError) as caught:
        load_streets(path, mode="drive")
    assert caught.value.exit_code == 3
    assert "OpenStreetMap extract (.osm.pbf)" in str(caught.value)
    assert "OS Open Roads" in str(caught.value)


def test_truncated_extracts_are_refused(tmp_path):
    path = write_extract(tmp_path / "a.osm.pbf")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError):
        load_streets(path, mode="drive")


def test_other_modes_need_a_table(tmp_path):
    with pytest.raises(InputError, match="only walk and drive"):
        load_streets(write_extract(tmp_path / "a.osm"), mode="bus")


# --- a whole place -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def town(tmp_path):
    path = write_extract(tmp_path / "a.osm.pbf")
    east, north = to_grid(np.array([LON, LON + 0.01, LON + 0.01, LON]), np.array([LAT, LAT, LAT + 0.01, LAT + 0.01]))
    xy = np.column_stack([east, north])
    return path, points(xy + np.array([5, 700])), points(xy[:3])


def test_a_place_on_streets_names_far_points_and_is_cached_by_content(town, tmp_path):
    path, zones, sites = town
    ask = {"home": {"walk": Wanted(limit_m=3_000, groups={"library": np.array([0])})}, "between": {"drive": Wanted()}}
    way = Streets(path, warn_m=300)
    first = build_travel(zones, sites, way, **ask, cache=tmp_path / "cache")
    (warning, *_) = [note for note in first.notes if note.code == "travel.far-from-street"]
    assert "zones are farther than 300 m" in warning.message
    assert set(first.home) == {"walk"}
    assert set(first.between) == {"drive"}
    stored = sorted((tmp_path / "cache").glob("*.npz"))
    assert len(stored) == 2
    again = build_travel(zones, sites, way, **ask, cache=tmp_path / "cache")
    plain = build_travel(zones, sites, way, **ask)
    assert again.digest == first.digest == plain.digest
    assert again.notes == first.notes == plain.notes
    for each in stored:  # a damaged cache costs time, nothing else
        each.write_bytes(each.read_bytes()[:100])
    assert build_travel(zones, sites, way, **ask, cache=tmp_path / "cache").digest == first.digest
    moved = build_travel(points(zones.xy + np.array([9, 0])), sites, way, **ask, cache=tmp_path / "cache")
    assert moved.digest != first.digest


def test_a_cache_that_cannot_be_written_costs_only_time(town, tmp_path):
    path, zones, sites = town
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    travel = build_travel(zones, sites, Streets(path), home={"walk": Wanted()}, between={}, cache=blocked)
    assert len(travel.home["walk"])


def test_real_streets_of_a_county():
    folder = os.environ.get("ESTATE_DATA")
    path = Path(folder or ".") / "rutland" / "rutland-2018-02.osm.pbf"
    if not folder or not path.is_file():
        pytest.skip("needs ESTATE_DATA with rutland/rutland-2018-02.osm.pbf")
    made = load_streets(path, mode="drive")
    assert 15_000 < len(made.x) < 25_000
    ends = points([(486_100, 308_800), (486_700, 299_700)])  # Oakham and Uppingham: 6 to 7 miles by the A6003
    pairs = as_dict(network_pairs(made, ends, ends, wanted=Wanted(limit_m=np.inf)))
    assert 9_500 < pairs[0, 1] < 11_500
    assert pairs[0, 0] == 0


def test_networks_are_plain_arrays():
    made = random_town(0)
    assert isinstance(made, Network)
    assert made.length.dtype == np.float64


def test_compiled_code_works_where_nothing_may_be_written(monkeypatch):
    import numba

    from estate.travel.search import compiled

    def refuses(function, *, nogil, cache=False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return ("compiled", function, nogil)

    monkeypatch.setattr(numba, "njit", refuses)
    assert compiled(len) == ("compiled", len, True)
