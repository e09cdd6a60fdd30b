"""How fast travel is, and whether it is right: the same network, queries and cut-off, by everybody, in one run.

    .venv/bin/python scripts/bench/travel.py compare --nodes 50000     OSMnx, networkx, pandana and estate, from a saved graph
    .venv/bin/python scripts/bench/travel.py big                       2,000,000 nodes x 5,000 sources within 5 km
    .venv/bin/python scripts/bench/travel.py read FILE.osm.pbf         an extract to a routable graph, against OSMnx
    .venv/bin/python scripts/bench/travel.py calibrate FILE POINTS     the detour that fits a network
    .venv/bin/python scripts/bench/travel.py car-minutes --data DIR    the straight line against published car minutes

Each verb prints a table, or one JSON object with ``--json``.  pandana runs in an environment of its own, made on first use; where
it cannot be installed it is skipped, and the reason is given.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from estate.errors import EstateError
from estate.travel import Points, Wanted, load_streets, network_pairs, straight
from estate.travel.calibrate import calibrate as fit_network
from estate.travel.calibrate import errors, through_origin
from estate.travel.search import Query, many_to_many, processors
from estate.travel.snap import UNITS, Located, join
from estate.travel.streets import Drawn, Network, assemble

HERE = Path(__file__).resolve().parent
Grid = dict[str, np.ndarray]


def street_grid(nodes: int, *, seed: int, gap_m: float = 100.0) -> Grid:
    """A seeded street grid: jittered corners, a tenth of the streets missing, a tenth of the rest one-way.

    ``lon`` and ``lat`` of about ``nodes`` corners around Oxford, and ``tail, head, length, both`` of the streets.
    """
    random = np.random.default_rng(seed)
    side = round(nodes**0.5)
    row, column = np.divmod(np.arange(side * side), side)
    east = 450_000 + gap_m * (column - side / 2) + random.uniform(-0.3, 0.3, side * side) * gap_m
    north = 250_000 + gap_m * (row - side / 2) + random.uniform(-0.3, 0.3, side * side) * gap_m
    k = np.arange(side * side)
    across, along = k[column < side - 1], k[row < side - 1]
    tail, head = np.concatenate([across, along]), np.concatenate([across + 1, along + side])
    there = random.random(len(tail)) < 0.9
    tail, head = tail[there], head[there]
    # Streets wind a little, so a length is not exactly the line between the corners; kept as printed decimals.
    line = np.hypot(east[tail] - east[head], north[tail] - north[head])
    length = np.round(line * random.uniform(1.0, 1.1, len(line)), 3)
    both = random.random(len(tail)) < 0.9
    return {"east": east, "north": north, "tail": tail, "head": head, "length": length, "both": both}


def grid_network(grid: Grid) -> Network:
    """The grid in memory, through the same door as a file."""
    n = len(grid["tail"])
    full = np.full(n, 30.0), np.ones(n, dtype=bool)
    columns = (grid[name] for name in ("east", "north", "tail", "head", "length"))
    return assemble(Drawn(*columns, full[0], grid["both"], full[1]), mode="drive", file="grid")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


class Report:
    """A row each, as a table or as JSON."""

    def __init__(self, title: str, *, as_json: bool, **facts: object) -> None:
        self.title, self.as_json, self.facts = title, as_json, facts
        self.rows: list[dict[str, Any]] = []

    def add(self, **row: object) -> None:
        self.rows.append(row)
        if not self.as_json:
            print("  " + ", ".join(f"{name} {shown(value)}" for name, value in row.items()), file=sys.stderr)

    def show(self) -> None:
        facts = {**self.facts, "processors": processors(), "peak_memory_gb": round(peak_gb(), 2)}
        if self.as_json:
            print(json.dumps({"benchmark": self.title, **facts, "rows": self.rows}))
            return
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        table = Table(*names, title=self.title)
        for row in self.rows:
            table.add_row(*(shown(row.get(name, "")) for name in names))
        console = Console()
        console.width = max(console.width, 160)
        console.print(table)
        console.print(", ".join(f"{name} {shown(value)}" for name, value in facts.items()))


def shown(value: object) -> str:
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Travel: speed, agreement, and the error of the straight line."""


# --- the same question to everybody ------------------------------------------------------------------------------------------


@main.command()
@click.option("--nodes", default=50_000, show_default=True)
@click.option("--sources", default=500, show_default=True)
@click.option("--targets", default=500, show_default=True)
@click.option("--limit", default=5_000.0, show_default=True, help="The cut-off, metres.")
@click.option("--seed", default=1, show_default=True)
@click.option("--sample", default=0, help="Ask the others only so many of the sources, and scale; 0: all.")
@click.option("--without", multiple=True, type=click.Choice(["osmnx", "networkx", "pandana"]))
@json_option
def compare(
    *, nodes: int, sources: int, targets: int, limit: float, seed: int, sample: int, without: tuple[str, ...], as_json: bool
) -> None:
    """From a graph saved on disk to the finished table, by each way; the answers must agree to the metre."""
    grid = street_grid(nodes, seed=seed)
    random = np.random.default_rng(seed + 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.graphml"
        save_as_osmnx(grid, path)
        # Ends are nodes of the largest strongly connected component, so that everybody may be asked.
        network = load_streets(path, mode="drive")
        source, target = random.choice(len(network.x), sources), random.choice(len(network.x), targets)
        names = node_names(grid, network)
        report = Report(
            "many to many from a saved graph",
            as_json=as_json,
            nodes=len(network.x),
            sources=sources,
            targets=targets,
            limit_m=limit,
        )

        a, b = (Points(network.x[at], network.y[at], tuple(map(str, range(len(at))))) for at in (source, target))
        cold, _ = timed(lambda: estate_way(path, a, b, limit))  # compiles, or loads what was compiled
        total, (read, truth) = timed(lambda: estate_way(path, a, b, limit))
        report.add(way="estate", read_s=read, query_s=total - read, total_s=total, ms_a_source=1000 * (total - read) / sources)
        report.facts["first_call_s"] = round(cold, 2)
        asked = np.arange(sources)[: sample or sources]
        question = names[source[asked]], names[target], limit
        for way, ask in (("osmnx", osmnx_way), ("networkx", networkx_way)):
            if way not in without:
                add_other(report, way, ask(path, *question), truth, total, len(asked))
        if "pandana" not in without:
            try:
                result = pandana_way(network, source[asked], target, limit, Path(folder))
                add_other(report, "pandana", result, truth, total, len(asked))
            except (OSError, subprocess.CalledProcessError) as error:
                reason = getattr(error, "stderr", None) or str(error)
                report.add(way="pandana", skipped=str(reason).strip().splitlines()[-1][:200])
        report.show()
    if not all(row.get("agrees", True) for row in report.rows):
        raise SystemExit(1)


def save_as_osmnx(grid: Grid, path: Path) -> None:
    """The grid as the graph that an OSMnx user has on disk."""
    import networkx as nx
    import osmnx
    from pyproj import Transformer

    lon, lat = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True).transform(grid["east"], grid["north"])
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_nodes_from((k, {"x": x, "y": y}) for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)))
    for tail, head, length, both in zip(*(grid[name].tolist() for name in ("tail", "head", "length", "both")), strict=True):
        tags = {"osmid": tail, "highway": "residential", "oneway": not both, "reversed": False, "length": length}
        graph.add_edge(tail, head, **tags)
        if both:
            graph.add_edge(head, tail, **{**tags, "reversed": True})
    osmnx.save_graphml(graph, path)


def node_names(grid: Grid, network: Network) -> np.ndarray:
    """The grid's number of each node of the network read back from the file."""
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([grid["east"], grid["north"]]))
    return tree.query(np.column_stack([network.x, network.y]))[1]


Answer = dict[tuple[int, int], float]


def estate_way(path: Path, a: Points, b: Points, limit: float) -> tuple[float, Answer]:
    read, network = timed(lambda: load_streets(path, mode="drive"))
    pairs = network_pairs(network, a, b, wanted=Wanted(limit_m=limit))
    near = pairs.distance_m <= limit  # the nearest of each origin is kept beyond it
    keys = zip(pairs.from_[near].tolist(), pairs.to[near].tolist(), strict=True)
    return read, dict(zip(keys, pairs.distance_m[near].tolist(), strict=True))


def osmnx_way(path: Path, sources: np.ndarray, targets: np.ndarray, limit: float) -> tuple[float, float, Answer]:
    """What an OSMnx user writes: load the graph, and for each source the distances within the cut-off."""
    import osmnx

    read, graph = timed(lambda: osmnx.load_graphml(path))
    query, found = timed(lambda: search(graph, sources.tolist(), targets.tolist(), limit))
    return read, query, found


def networkx_way(path: Path, sources: np.ndarray, targets: np.ndarray, limit: float) -> tuple[float, float, Answer]:
    """Plain networkx: a DiGraph with one weight and nothing else."""
    import networkx as nx

    def load() -> nx.DiGraph:
        graph = nx.DiGraph()
        given = nx.read_graphml(path, node_type=int)
        graph.add_weighted_edges_from(((u, v, float(length)) for u, v, length in given.edges(data="length")), weight="length")
        return graph

    read, graph = timed(load)
    query, found = timed(lambda: search(graph, sources.tolist(), targets.tolist(), limit))
    return read, query, found


def search(graph: Any, sources: list[int], targets: list[int], limit: float) -> Answer:
    import networkx as nx

    found: Answer = {}
    for i, source in enumerate(sources):
        reached = nx.single_source_dijkstra_path_length(graph, source, cutoff=limit, weight="length")
        found |= {(i, j): reached[target] for j, target in enumerate(targets) if target in reached}
    return found


def pandana_way(
    network: Network, sources: np.ndarray, targets: np.ndarray, limit: float, folder: Path
) -> tuple[float, float, Answer]:
    """pandana in its own environment, given arrays: it has no reader of saved graphs, so its reading is charged nothing."""
    python = Path(os.environ.get("ESTATE_BENCH_PANDANA", HERE.parents[1] / ".cache" / "pandana" / "bin" / "python"))
    if not python.is_file():
        run("uv", "venv", "-q", "-p", sys.executable, str(python.parents[1]))
        run("uv", "pip", "install", "-q", "-p", str(python), "pandana")
    both = network.back
    np.savez(
        folder / "asked.npz",
        x=network.x,
        y=network.y,
        tail=np.concatenate([network.tail, network.head[both]]),
        head=np.concatenate([network.head, network.tail[both]]),
        length=np.concatenate([network.length, network.length[both]]),
        sources=sources,
        targets=targets,
        limit=limit,
    )
    said = run(str(python), str(HERE / "pandana_way.py"), str(folder / "asked.npz"), str(folder / "answer.npz"))
    times = json.loads(said.splitlines()[-1])
    with np.load(folder / "answer.npz") as answer:
        keys = zip(answer["source"].tolist(), answer["target"].tolist(), strict=True)
        found = dict(zip(keys, answer["metres"].tolist(), strict=True))
    return times["build_s"], times["query_s"], found


def run(*command: str) -> str:
    beside = Path(sys.executable).parent
    path = os.pathsep.join([str(beside), os.environ["PATH"]])
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "PATH": path}).stdout


def add_other(report: Report, way: str, result: tuple[float, float, Answer], truth: Answer, ours: float, asked: int) -> None:
    """Times scaled to all sources, and agreement on those asked: the same pairs to the metre, but for pairs at the cut-off."""
    read, query, found = result
    sources = int(report.facts["sources"])  # type: ignore[call-overload]
    query *= sources / asked
    mine = {pair: metres for pair, metres in truth.items() if pair[0] < asked}
    limit = float(report.facts["limit_m"])  # type: ignore[arg-type]
    odd = [max(mine.get(pair, 0), found.get(pair, 0)) for pair in mine.keys() ^ found.keys()]
    gap = max((abs(mine[pair] - found[pair]) for pair in mine.keys() & found.keys()), default=0.0)
    report.add(
        way=way,
        read_s=read,
        query_s=query,
        total_s=read + query,
        ms_a_source=1000 * query / sources,
        times_slower=(read + query) / ours,
        worst_gap_m=float(gap),
        agrees=bool(gap <= 1.0 and all(abs(value - limit) <= 1.0 for value in odd)),
    )


# --- size ----------------------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--nodes", default=2_000_000, show_default=True)
@click.option("--sources", default=5_000, show_default=True)
@click.option("--targets", default=5_000, show_default=True)
@click.option("--limit", default=5_000.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--check", default=3, show_default=True, help="Sources to check against SciPy.")
@click.option("--networkx", default=0, show_default=True, help="Sources to ask plain networkx too.")
@json_option
def big(*, nodes: int, sources: int, targets: int, limit: float, seed: int, check: int, networkx: int, as_json: bool) -> None:
    """A big network in memory: nodes to nodes, no points to join."""
    network = grid_network(street_grid(nodes, seed=seed))
    random = np.random.default_rng(seed + 1)
    at = random.choice(len(network.x), sources + targets)
    none = np.zeros(0, dtype=np.int64)
    build, (graph, _) = timed(lambda: join(network, Located(none, none.astype(float), none.astype(float))))
    zeros = np.zeros(sources + targets + 1, dtype=np.int64)
    query = Query(
        at[:sources], zeros[:sources], at[sources:], zeros[:targets], int(limit * UNITS), 0,
        0, zeros[: targets + 1], none, zeros[: sources + 1], none,
    )  # fmt: skip
    many_to_many(
        graph, graph.metres, Query(**{**{name: getattr(query, name) for name in Query.__slots__}, "source": at[:1]})
    )  # compile
    spent, (from_, to, cost) = timed(lambda: many_to_many(graph, graph.metres, query))
    within = cost <= limit * UNITS
    report = Report("a big network in memory", as_json=as_json, nodes=graph.n, arcs=len(graph.head), limit_m=limit)
    row = {"sources": sources, "targets": targets, "pairs": int(within.sum()), "build_s": build, "query_s": spent}
    right = agrees(graph, query, from_, to, cost, within, check)
    report.add(way="estate", **row, ms_a_source=1000 * spent / sources, agrees=right)
    if networkx:
        row, slow, same = plain_networkx(graph, query, (from_[within], to[within], cost[within]), networkx)
        report.add(way="networkx", **row, ms_a_source=1000 * slow, times_slower=slow * sources / spent, agrees=same)
        right &= same
    report.show()
    if not right:
        raise SystemExit(1)


def plain_networkx(graph: Any, query: Query, ours: tuple[np.ndarray, ...], sources: int) -> tuple[dict[str, Any], float, bool]:
    """The first sources on a DiGraph in memory: what to report, seconds a source, and whether the answers are the same."""
    import networkx as nx

    def load() -> nx.DiGraph:
        made = nx.DiGraph()
        tail = np.repeat(np.arange(graph.n), np.diff(graph.start))
        made.add_weighted_edges_from(
            zip(tail.tolist(), graph.head.tolist(), graph.metres.tolist(), strict=True), weight="length"
        )
        return made

    build, made = timed(load)
    spent, found = timed(lambda: search(made, query.source[:sources].tolist(), query.target.tolist(), query.limit))
    few = ours[0] < sources
    mine = {(i, j): cost for i, j, cost in zip(*(column[few].tolist() for column in ours), strict=True)}
    row = {"sources": sources, "targets": len(query.target), "pairs": len(found), "build_s": build, "query_s": spent}
    return row, spent / sources, mine == found


def agrees(
    graph: Any, query: Query, from_: np.ndarray, to: np.ndarray, cost: np.ndarray, within: np.ndarray, check: int
) -> bool:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    matrix = csr_array((graph.metres.astype(float), graph.head, graph.start.astype(np.int32)), shape=(graph.n, graph.n))
    for i in range(check):
        truth = dijkstra(matrix, indices=query.source[i], limit=query.limit)[query.target]
        mine = np.full(len(query.target), np.inf)
        mine[to[within & (from_ == i)]] = cost[within & (from_ == i)]
        if not np.array_equal(truth, mine):
            return False
    return True


@main.command()
@click.argument("extract", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def read(*, extract: Path, as_json: bool) -> None:
    """An OpenStreetMap extract to a routable graph: ours, and OSMnx on the same data as XML."""
    import osmium
    import osmnx

    report = Report("an extract to a routable graph", as_json=as_json, extract=extract.name)
    load_streets(extract, mode="drive")  # imports
    ours = {mode: timed(lambda mode=mode: load_streets(extract, mode=mode)) for mode in ("walk", "drive")}
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "extract.osm"
        with osmium.SimpleWriter(str(xml)) as writer:
            for thing in osmium.FileProcessor(str(extract)):
                writer.add(thing)
        for mode, (spent, network) in ours.items():
            report.add(way=f"estate, {mode}", read_s=spent, nodes=len(network.x))
        for simplify in (False, True):
            spent, graph = timed(lambda simplify=simplify: osmnx.graph_from_xml(xml, simplify=simplify))
            name = "osmnx.graph_from_xml" + ("" if simplify else ", not simplified")
            report.add(way=name, read_s=spent, nodes=len(graph), times_slower=spent / max(each for each, _ in ours.values()))
    report.show()


# --- how good is the straight line ---------------------------------------------------------------------------------------------


@main.command("calibrate")
@click.argument("streets", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("points", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mode", type=click.Choice(["walk", "drive"]), default="drive", show_default=True)
@json_option
def calibrate(*, streets: Path, points: Path, mode: str, as_json: bool) -> None:
    """The detour and speed that fit STREETS between the POINTS of a table (easting, northing)."""
    frame = pd.read_csv(points)
    made = Points(frame["easting"].to_numpy(float), frame["northing"].to_numpy(float), tuple(frame.iloc[:, 0].astype(str)))
    try:
        fit = fit_network(load_streets(streets, mode=mode), made)
    except EstateError as error:
        raise click.ClickException(str(error)) from error
    report = Report(
        "straight line x detour, fitted", as_json=as_json, mode=mode, detour=round(fit.detour, 3), kmh=round(fit.kmh, 1)
    )
    for measure in ("distance", "time"):
        report.add(fit=measure, **asdict(getattr(fit, measure)))
    for band in fit.bands:
        report.add(fit=f"{band.from_km:g} to {band.to_km:g} km", n=band.n, median_detour=band.detour, median_kmh=band.kmh)
    report.show()


@main.command("car-minutes")
@click.option(
    "--data",
    envvar="ESTATE_DATA",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of source data; or ESTATE_DATA.",
)
@click.option("--detour", default=1.3, show_default=True)
@click.option("--kmh", default=40.0, show_default=True)
@click.option("--minutes-fixed", default=0.0, show_default=True, help="Minutes that every drive takes besides its distance.")
@json_option
def car_minutes(*, data: Path, detour: float, kmh: float, minutes_fixed: float, as_json: bool) -> None:
    """The straight-line model against published car minutes from Worcestershire's small areas to hospitals.

    Also fits the speed and the fixed part together, by least squares over the journeys within 20 km.
    """
    folder = data / "worcestershire"
    minutes = pd.read_csv(folder / "lsoa11_worcestershire_to_hospital_car_minutes.csv", index_col="lsoa11cd").drop(
        columns="LSOA"
    )
    zones = pd.read_csv(folder / "lsoa11_pwc_population_worcestershire.csv", index_col="lsoa11cd").loc[minutes.index]
    ends = pd.read_csv(folder / "hospital_postcodes_coords.csv", index_col="postcode").loc[minutes.columns]
    a = Points(zones["easting"].to_numpy(float), zones["northing"].to_numpy(float), tuple(zones.index))
    b = Points(ends["BNG_E"].to_numpy(float), ends["BNG_N"].to_numpy(float), tuple(ends.index))
    pairs = straight(a, b, detour=detour, speed_kmh=kmh, fixed_s=60 * minutes_fixed, wanted=Wanted(limit_m=np.inf))
    real, model = minutes.to_numpy()[pairs.from_, pairs.to], pairs.time_s / 60
    line = pairs.distance_m / detour / 1000
    rural = zones["ruc11cd"].str[0].isin(["D", "E", "F"]).to_numpy()[pairs.from_]
    report = Report("straight line against car minutes", as_json=as_json, detour=detour, kmh=kmh, minutes_fixed=minutes_fixed)
    pace, start = np.polyfit(detour * line[line < 20], real[line < 20], 1)
    report.facts["fitted_within_20_km"] = f"{start:.1f} min fixed, then {60 / pace:.1f} km/h"
    county = pairs.to == list(minutes.columns).index("WR51DD")
    slope, fixed = np.polyfit(line[county], real[county], 1)
    report.facts["worcestershire_royal"] = f"{fixed:.1f} min + {slope:.2f} min a straight km"
    kinds = [("within 5 km", line < 5), ("5 to 10 km", (line >= 5) & (line < 10)), ("10 to 20 km", (line >= 10) & (line < 20))]
    kinds += [
        ("within 20 km", line < 20),
        ("within 20 km, urban", (line < 20) & ~rural),
        ("within 20 km, rural", (line < 20) & rural),
    ]
    kinds += [("Worcestershire Royal", county), ("all hospitals", line > 0)]
    for name, chosen in kinds:
        best = 60 * detour / through_origin(line[chosen], real[chosen])
        report.add(journeys=name, **asdict(errors(model[chosen], real[chosen])), best_kmh=best)
    report.show()


if __name__ == "__main__":
    main()
