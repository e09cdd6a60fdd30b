"""Faults that show only when a whole run is driven: streets, contradictions, ties, extremes, clocks, paths, size.

As in ``test_faults``, each drives the real command line; what is refused must leave what was published as it was.
"""

from __future__ import annotations

import gzip
import json
import os
import pickle
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace as changed
from pathlib import Path
from types import SimpleNamespace

import networkx as nx
import numpy as np
import openpyxl
import pandas as pd
import pyproj
import pytest
import starter
from starter import replace, rows, snapshot, spoil, write

from estate.cli import group
from estate.cli.outcome import guarded
from estate.pipeline import decide as deciding
from estate.pipeline import job, publish
from estate.runs import staging
from estate.runs.staging import locked


def shown(folder: Path) -> dict[str, bytes | str]:
    """What a reader of the results finds; a lock left behind is nothing to read."""
    return {name: content for name, content in snapshot(folder).items() if not name.endswith(".lock")}


@pytest.fixture
def run(published, capfd):
    """Drive ``estate run`` on a folder: exit code and all it said, on one line."""

    def drive(folder: Path, *arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = guarded(group, ["run", str(folder), "--out", str(published), *arguments])
        said = capfd.readouterr()
        everything = " ".join((said.out + said.err).split())
        assert "Traceback" not in everything
        return code, everything

    return drive


@pytest.fixture
def refused(run, published):
    """Drive a run that must be refused with code 3, and harm nothing; what it said."""

    def drive(folder: Path, *arguments: str) -> str:
        before = shown(published)
        code, said = run(folder, *arguments)
        assert code == 3, said
        assert shown(published) == before
        return said

    return drive


# ------------------------------------------------------------------------------------------------------------ streets


def save_streets(folder: Path, name: str = "streets.graphml", **lengths: str) -> Path:
    """A street from each zone and site to the next, west to east, and an island far from all of them."""
    spots = [(float(each["easting"]), float(each["northing"])) for table in ("zones", "sites") for each in rows(folder, table)]
    turn = pyproj.Transformer.from_crs("EPSG:27700", "OGC:CRS84", always_xy=True)
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    ends = [*sorted(spots), (430_000.0, 280_000.0), (430_200.0, 280_000.0)]
    for k, (x, y) in enumerate(ends):
        lon, lat = turn.transform(x, y)
        graph.add_node(k, x=lon, y=lat)
    for k in (*range(len(spots) - 1), len(spots)):
        long = lengths.get(f"n{k}", "")
        for a, b in ((k, k + 1), (k + 1, k)):
            graph.add_edge(a, b, highway="residential", oneway="False", **({"length": long} if long else {}))
    nx.write_graphml(graph, folder / name)
    return folder / name


def on_streets(folder: Path, name: str = "streets.graphml") -> None:
    replace(folder, "# streets =", f'streets = "{name}" #')


def test_22_islands_and_bad_lengths_are_said_and_measured_on_the_map(tmp_path, run, published):
    folder = starter.make(tmp_path)
    save_streets(folder, n2="0.0", n5="-40.0", n7="NaN")
    on_streets(folder)
    code, said = run(folder)
    assert code == 0, said
    zones = pd.read_csv(published / "example" / "zones.csv")
    assert zones["distance_before_m"].notna().all()
    assert zones["distance_before_m"].between(0, 60_000).all()  # no length is negative, and no sentinel stands in


def test_22_whoever_cannot_get_there_is_a_blank_and_is_named(tmp_path, run, published):
    folder = starter.make(tmp_path)
    travel_table(folder, without="Z10")
    code, said = run(folder)
    assert code == 0, said
    assert "1 zones cannot reach any library by drive today: Z10" in said
    zones = pd.read_csv(published / "example" / "zones.csv").set_index("zone_id")
    assert zones.loc["Z10", ["distance_before_m", "distance_after_m"]].isna().all().all()
    assert zones.drop(index="Z10")["distance_after_m"].max() < 60_000
    access = pd.read_csv(published / "example" / "access.csv")
    assert (access.loc[access["group"] == "everyone", "unreached"] == 600).all()
    unknowns = pd.read_csv(published / "example" / "unknowns.csv").set_index("topic")
    assert unknowns.loc[["out of reach"], "not_known"].str.contains("600 people in Marsh End").all()


ENTITIES = '<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "aa"><!ENTITY b SYSTEM "file:///etc/hostname">]><osm>&b;</osm>'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("23 entities", ENTITIES.encode(), "cannot be read as OpenStreetMap data"),
        ("24 gzip bomb", gzip.compress(b"<osm version='0.6'>" + b" " * 40_000_000), "unpacks to more than"),
        ("25 pickle", pickle.dumps({"x": 1}), "not a street network that we read"),
        ("25 descriptor", b"<OGRVRTDataSource></OGRVRTDataSource>", "not a street network that we read"),
    ],
)
def test_hostile_streets_are_refused(tmp_path, refused, name, content, words):
    folder = starter.make(tmp_path)
    (folder / "streets.osm").write_bytes(content)
    on_streets(folder, "streets.osm")
    said = refused(folder)
    assert words in said
    assert "streets.osm" in said


def test_streets_that_are_not_there_say_where_to_get_them(tmp_path, refused):
    folder = starter.make(tmp_path)
    said = refused(folder, "--set", "travel.streets=county.osm.pbf")
    assert "county.osm.pbf" in said
    assert "OpenStreetMap extract (.osm.pbf)" in said


def test_streets_that_are_named_and_not_used_are_said(tmp_path, capfd):
    folder = starter.make(tmp_path)
    chosen = ("--set", "travel.method=straight-line", "--set", "travel.streets=county.osm.pbf")
    assert guarded(group, ["check", str(folder), *chosen]) == 0
    assert "so the streets are not used" in " ".join(capfd.readouterr().out.split())


# ----------------------------------------------------------------------------------------------------------- scenario


@pytest.mark.parametrize("base", ["/etc/passwd", "../other/estate.toml", "linked.toml"])
def test_27_a_base_outside_the_place_is_refused(tmp_path, refused, base):
    folder = starter.make(tmp_path)
    outside = tmp_path / "other" / "estate.toml"
    outside.parent.mkdir()
    outside.write_text('name = "secret"\n')
    (folder / "linked.toml").symlink_to(outside)
    (folder / "what-if.toml").write_text(f'extends = "{base}"\nname = "what-if"\n')
    said = refused(folder / "what-if.toml")
    assert "extends" in said
    assert "secret" not in said


@pytest.mark.parametrize("name", ["x" * 300, "\U0001f4da", "../x", "-x", "a/b", ""])
def test_28_names_that_no_folder_may_have(tmp_path, refused, name):
    folder = starter.make(tmp_path)
    replace(folder, 'name = "example"', f'name = "{name}"')
    assert "name" in refused(folder)


def test_29_a_contradiction_names_both_lines(tmp_path, refused):
    folder = starter.make(tmp_path)
    replace(folder, "keep = [] ", 'keep = ["ALDERTON-POLICE"] ')
    replace(folder, "close = [] ", 'close = ["ALDERTON-POLICE"] ')
    said = refused(folder)
    lines = [n for n, line in enumerate((folder / "estate.toml").read_text().splitlines(), 1) if "ALDERTON-POLICE" in line]
    assert len(lines) == 2
    assert all(f"estate.toml, row {n}" in said for n in lines)


# ------------------------------------------------------------------------------------------------- ties and extremes


def test_34_no_costs_and_all_ties_give_one_answer(tmp_path, run, published):
    folder = starter.make(tmp_path)
    free = [{**each, "running_cost_gbp_pa": "0", "hosting_cost_gbp_m2_pa": "0"} for each in rows(folder, "sites")]
    write(folder, "sites", free)
    assert run(folder)[0] == 0
    first = (published / "example" / "sites.csv").read_bytes()
    write(folder, "sites", free[::-1])
    code, said = run(folder)
    assert code == 0, said
    assert (published / "example" / "sites.csv").read_bytes() == first
    assert json.loads((published / "example" / "run.json").read_text())["status"] == "optimal"


def test_34_one_site(tmp_path, run, published):
    folder = starter.make(tmp_path)
    write(folder, "sites", rows(folder, "sites")[:1])
    write(folder, "access_points", [each for each in rows(folder, "access_points") if each["site_id"] == "ALDERTON-TOWN-HALL"])
    code, said = run(folder)
    assert code == 0, said
    assert pd.read_csv(published / "example" / "sites.csv")["after"].tolist() == ["retained"]


def test_34_nobody_lives_there(tmp_path, refused):
    folder = starter.make(tmp_path)
    write(folder, "zones", [{**each, "population": "0", "age65": "0"} for each in rows(folder, "zones")])
    assert "nobody lives in any zone" in refused(folder)


def test_36_a_run_that_the_clock_stops_shows_its_gap(tmp_path, run, published, monkeypatch):
    from estate.solve import Status

    honest = deciding.solve

    def stopped(problem, limits, **keywords):
        answer = honest(problem, limits, **keywords)
        return changed(answer, status=Status.FEASIBLE, bound=answer.bound * 0.9, gap=0.1, stopped="time", repeatable=False)

    monkeypatch.setattr(deciding, "solve", stopped)
    folder = starter.make(tmp_path)
    code, said = run(folder, "--time-limit", "1")
    assert code == 0, said
    assert "10.00%" in said
    page = (published / "example" / "index.html").read_text()
    assert "10.00%" in page or "10.0%" in page or "10%" in page
    assert "Proven best" not in page
    book = openpyxl.load_workbook(published / "example" / "finance.xlsx", read_only=True)
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]
    assert "feasible" in cells
    assert any(cell.startswith("10.0000%") for cell in cells)


def test_37_costs_thirteen_orders_apart_are_warned_of_and_solved(tmp_path, run, published):
    folder = starter.make(tmp_path)
    spoil(folder, "sites", 2, running_cost_gbp_pa="10,000,000,000")
    spoil(folder, "sites", 3, running_cost_gbp_pa="0.01")
    code, said = run(folder)
    assert code == 0, said
    assert "row 2, column running_cost_gbp_pa: its running cost is £7,142,857.14 a m2" in said
    assert "row 3, column running_cost_gbp_pa" in said
    assert json.loads((published / "example" / "run.json").read_text())["verified"] is True


# ------------------------------------------------------------------------------------------- clocks, locks and paths


def test_46_the_clock_and_the_country_change_nothing(tmp_path):
    folder = starter.make(tmp_path)
    outs = {}
    for zone, language in (("UTC", "C"), ("Pacific/Auckland", "de_DE.UTF-8")):
        out = tmp_path / zone.replace("/", "-")
        command = [sys.executable, "-c", "from estate.cli import main; main()", "run", str(folder), "--out", str(out), "-q"]
        environment = {**os.environ, "TZ": zone, "LC_ALL": language, "LANG": language}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        outs[zone] = snapshot(out / "example")
        manifest = json.loads(outs[zone].pop("run.json"))
        outs[zone]["run.json"] = json.dumps({k: v for k, v in manifest.items() if k != "execution"}).encode()
    first, second = outs.values()
    assert first == second


def test_46_two_at_once_and_the_second_is_turned_away(tmp_path, run, published):
    from estate.runs.staging import staged

    folder = starter.make(tmp_path)
    before = shown(published)
    with staged(published, "example", "held"):
        code, said = run(folder)
        assert shown(published) == before
    assert code == 8
    assert "another run of 'example' is writing" in said


def test_46_the_list_of_runs_waits_its_turn(tmp_path, run, published, monkeypatch):
    """Different places at once share only the list of runs: whoever comes second waits a moment, and is in it."""
    folder = starter.make(tmp_path)
    other, waited = ExitStack(), []

    def sleep(seconds):
        waited.append(seconds)
        other.close()  # the other one is done

    monkeypatch.setattr(staging, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    other.enter_context(locked(published, "index"))
    code, said = run(folder)
    assert len(waited) == 1
    assert code == 0, said
    assert "example/index.html" in (published / "index.html").read_text()


def test_46_a_list_that_stays_locked_is_said_to_be_all_that_is_missing(tmp_path, run, published, monkeypatch):
    monkeypatch.setattr(publish, "INDEX_WAIT_S", 0.2)
    folder = starter.make(tmp_path)
    with locked(published, "index"):
        code, said = run(folder)
    assert code == 8
    assert f"the run is published: {published / 'example'}; only the list {published / 'index.html'} is not up to date" in said
    assert (published / "example" / "run.json").is_file()
    code, said = run(folder)
    assert code == 0, said


def test_47_inputs_edited_while_it_works(tmp_path, refused, monkeypatch):
    folder = starter.make(tmp_path)
    decide = job.decide

    def slow(*arguments, **keywords):
        outcome = decide(*arguments, **keywords)
        spoil(folder, "zones", 2, population=2101)
        return outcome

    monkeypatch.setattr(job, "decide", slow)
    said = refused(folder)
    assert "zones.csv" in said
    assert "changed while the run was working" in said


def test_50_spaces_signs_and_unicode_forms_in_paths(tmp_path, capfd):
    home = tmp_path / "Große Straße #1 (copy)"
    home.mkdir()
    folder = starter.make(home, "Éstate & co")
    (folder / "zones.csv").rename(folder / "zonés #2.csv")
    replace(folder, 'zones = "zones.csv"', 'zones = ".\\\\zonés #2.csv"')
    out = home / "maps #2"
    assert guarded(group, ["run", str(folder), "--out", str(out), "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert (out / "state-co" / "index.html").is_file()
    assert guarded(group, ["verify", result["out"]]) == 0


# ------------------------------------------------------------------------------------------------------------- travel


def travel_table(folder: Path, *, without: str = "", between: bool = True) -> None:
    """Straight lines as a travel table of one's own; one zone may have no route at all."""
    ends = [(each["zone_id"], each) for each in rows(folder, "zones") if each["zone_id"] != without]
    ends += [(each["site_id"], each) for each in rows(folder, "sites")] if between else []
    found = [
        {"from_id": a, "to_id": site["site_id"], "mode": "drive", "distance_m": round(np.hypot(*(apart(one, site))))}
        for a, one in ends
        for site in rows(folder, "sites")
        if a != site["site_id"]
    ]
    write(folder, "travel", found)
    replace(folder, '# travel = "minutes.csv" ', 'travel = "travel.csv" ')
    replace(folder, '# method = "table" ', 'method = "table" ')


def apart(one: dict[str, str], other: dict[str, str]) -> tuple[float, float]:
    return float(one["easting"]) - float(other["easting"]), float(one["northing"]) - float(other["northing"])


def test_51_a_table_that_would_freeze_every_move(tmp_path, refused):
    folder = starter.make(tmp_path)
    travel_table(folder, between=False)
    said = refused(folder)
    assert "no site-to-site rows for the mode 'drive'" in said
    assert "add the site-to-site pairs" in said


def test_49_many_zones_keep_the_page_small_and_it_says_so(tmp_path, run, published):
    """Three thousand zones here, to be quick; the page is drawn in the same simplified way from there on."""
    folder = starter.make(tmp_path)
    rng = np.random.default_rng(1)
    n = 3_000
    spots = {"easting": 395_000 + rng.integers(0, 17_000, n), "northing": 246_000 + rng.integers(0, 9_000, n)}
    zones = {"zone_id": [f"Z{k:05}" for k in range(n)], "population": 100, "age65": 20, "district": "North", **spots}
    pd.DataFrame(zones).to_csv(folder / "zones.csv", index=False)
    started = time.monotonic()
    code, said = run(folder)
    assert code == 0, said
    assert time.monotonic() - started < 120
    assert (published / "example" / "index.html").stat().st_size < 3_000_000
