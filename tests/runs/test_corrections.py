"""A register that comes again with corrections: the cells that differ, what each did to the plan, and the runs that are kept."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import starter
from starter import rows, spoil, write

from estate.cli import group
from estate.cli.outcome import guarded
from estate.page.compare import render_comparison
from estate.runs.corrections import Correction, corrections
from estate.runs.effects import MOST_TRIED
from estate.runs.files import earlier_runs, labels, read_run


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The starter place, run once."""
    root = tmp_path_factory.mktemp("once")
    run(starter.make(root), root / "maps")
    return root


@pytest.fixture
def folder(once, tmp_path):
    """The starter place as it was run."""
    shutil.copytree(once / "maps", tmp_path / "maps", symlinks=True)
    return shutil.copytree(once / "example", tmp_path / "example")


@pytest.fixture
def maps(folder):
    """The results of that run."""
    return folder.parent / "maps"


def run(folder: Path, maps: Path, *more: str) -> None:
    assert guarded(group, ["run", str(folder), "--out", str(maps), "-q", *more]) == 0


def compared(capfd: pytest.CaptureFixture[str], *runs: Path) -> dict[str, object]:
    capfd.readouterr()
    assert guarded(group, ["compare", *map(str, runs), "--json"]) == 0
    return json.loads(capfd.readouterr().out)["differences"][0]


CHANGES = [
    ("sites", 3, {"running_cost_gbp_pa": 20_000}),  # a library
    ("sites", 6, {"name": "Birchwick Library, High Street"}),
    ("sites", 8, {"other_use_m2": ""}),
    ("agencies", 4, {"takes_part": "no"}),
    ("zones", 2, {"population": 9_000}),
]


def corrected(folder: Path) -> None:
    for table, row, cells in CHANGES:
        spoil(folder, table, row, **cells)


def test_every_cell_that_differs_is_named_with_what_it_did(folder, maps, capfd):
    corrected(folder)
    run(folder, maps)
    found = {row["words"]: row["effect"] for row in compared(capfd, maps / "example")["cells"]}
    assert "ALDERTON-LIBRARY: running cost 72,000 -> 20,000" in found
    assert found["BIRCHWICK-LIBRARY: name Birchwick Library -> Birchwick Library, High Street"] == "no figure depends on it"
    assert found["police: takes part yes -> no"].startswith("by itself: ")
    assert found["Z01: population 2,100 -> 9,000"] == "by itself: the same plan"  # who lives where tells ties apart last
    assert guarded(group, ["compare", str(maps / "example")]) == 0
    text = capfd.readouterr().out
    assert f"Cells that differ: {len(found)}" in text
    assert "ALDERTON-LIBRARY: running cost 72,000 -> 20,000" in text


@pytest.mark.parametrize("change", [0, 4])
def test_the_effect_of_one_correction_is_that_of_a_run_with_it_alone(folder, maps, capfd, change):
    table, row, cells = CHANGES[change]
    spoil(folder, table, row, **cells)
    run(folder, maps, "--set", "name=alone")
    found = compared(capfd, maps / "example", maps / "alone")
    (cell,) = found["cells"]
    same = not found["sites"] and not found["points"]
    assert ("the same plan" in cell["effect"]) == same
    before, after = found["figures"]["running cost, GBP a year"]
    if same and before != after:
        assert f"£{abs(after - before):,.0f} a year {'less' if after < before else 'more'}" in cell["effect"]
    for each in found["sites"]:
        if {each["first"], each["second"]} >= {"released"}:
            assert each["name"] in cell["effect"]


LOFT = "BIRCHWICK-LOFT"


def moved(folder):
    records = rows(folder, "zones")
    records[4]["easting"] = str(float(records[4]["easting"]) + 9_000)
    write(folder, "zones", records)


def moved_building(folder):
    records = rows(folder, "sites")
    records[1]["northing"] = str(float(records[1]["northing"]) + 2_000)
    write(folder, "sites", records)


def new_building(folder):
    sites, points = rows(folder, "sites"), rows(folder, "access_points")
    sites.append({**sites[4], "site_id": LOFT, "name": "Birchwick Loft", "running_cost_gbp_pa": "1000"})
    points.append({**points[1], "access_point_id": "LOFT", "site_id": LOFT})
    write(folder, "sites", sites)
    write(folder, "access_points", points)


def gone_building(folder):
    for table in ("sites", "access_points"):
        write(folder, table, [each for each in rows(folder, table) if each["site_id"] != "ALDERTON-LIBRARY"])


def gone_zone(folder):
    write(folder, "zones", rows(folder, "zones")[:-1])


def another_home(folder):
    spoil(folder, "access_points", 3, site_id="ALDERTON-TOWN-HALL")


@pytest.mark.parametrize("change", [moved, moved_building, new_building, gone_building, gone_zone, another_home])
def test_what_moves_comes_or_goes_is_measured_and_solved_again(folder, maps, capfd, change):
    """The effect that is told is what a run with that correction alone gives."""
    change(folder)
    run(folder, maps, "--set", "name=alone")
    found = compared(capfd, maps / "example", maps / "alone")
    whole = max(found["cells"], key=lambda cell: len(cell["effect"].split(": ")[0]))  # the one that needs the others
    assert whole["effect"].startswith(("by itself: ", "with "))
    states = [each for each in found["sites"] if "not in this run" not in (each["first"], each["second"])]
    for each in states:
        if {each["first"], each["second"]} >= {"released"}:
            assert each["name"] in whole["effect"]
    plan, old = read_run(maps / "alone"), read_run(maps / "example")
    if "the same plan" in whole["effect"]:
        assert not [each for each in states if "released" in (each["first"], each["second"])]
        change = plan.manifest["running_cost_gbp_pa"] - old.manifest["running_cost_gbp_pa"]
        assert (f"£{abs(change):,.0f} a year {'less' if change < 0 else 'more'}" in whole["effect"]) == bool(change)


def test_a_correction_that_cannot_stand_alone_is_made_with_those_it_needs(folder, maps, capfd):
    new_building(folder)
    gone_building(folder)
    moved(folder)
    run(folder, maps, "--set", "travel.detour=1.4")
    found = compared(capfd, maps / "example")
    assert found["settings"] == ["travel.detour: 1.3 -> 1.4"]
    words = {row["words"]: row["effect"] for row in found["cells"]}
    assert words["LOFT: new"].startswith(f"with {LOFT}: ")
    assert words[f"{LOFT}: new"].startswith("by itself: ")
    assert words["ALDERTON-LIBRARY: no longer there"].startswith("with LIB-ALDERTON: ")
    assert words["LIB-ALDERTON: no longer there"].startswith("by itself: ")
    assert next(key for key in words if key.startswith("Z05: location ")).endswith(" (moved 9,000 m)")
    assert not [each for each in words.values() if "not tried" in each]


def test_a_place_that_a_correction_alone_would_spoil_is_not_tried_and_said(folder, maps, capfd):
    spoil(folder, "access_points", 3, area_m2=900, hall_area_m2=700)
    spoil(folder, "sites", 3, capacity_m2=2000)
    run(folder, maps)
    words = {row["words"]: row["effect"] for row in compared(capfd, maps / "example")["cells"]}
    hall = next(effect for key, effect in words.items() if "hall area" in key)
    assert hall.startswith("by itself: not tried, since alone it makes no place that can be run: ")


def test_another_place_is_not_a_corrected_one(folder, maps, capfd):
    for table in ("sites", "access_points"):
        write(folder, table, [{**each, "site_id": f"X-{each['site_id']}"} for each in rows(folder, table)])
    run(folder, maps, "--set", "name=alone")
    effects = {row["effect"] for row in compared(capfd, maps / "example", maps / "alone")["cells"]}
    assert len(effects) == 1
    assert "this is another place" in effects.pop()


def test_a_travel_table_that_comes_again_is_one_correction(folder, maps, capfd):
    assert guarded(group, ["travel", str(folder), "--csv", str(folder / "t.csv")]) == 0
    starter.replace(folder, 'zones = "zones.csv"', 'zones = "zones.csv"\ntravel = "t.csv"')
    starter.replace(folder, "[travel]", '[travel]\nmethod = "table"')
    run(folder, maps, "--set", "name=first")
    text = (folder / "t.csv").read_text().splitlines()
    (folder / "t.csv").write_text("\n".join([text[0], *(line.replace("drive,", "drive,9") for line in text[1:3]), *text[3:]]))
    run(folder, maps, "--set", "name=second")
    (cell,) = compared(capfd, maps / "first", maps / "second")["cells"]
    assert cell["words"] == "the travel table: 2 of its rows differ"
    assert cell["effect"].startswith("by itself: ")


def test_a_price_for_displacement_is_no_obstacle(folder, maps, capfd):
    starter.settings(
        folder,
        '[[standards]]\nname = "near"\nservice = "library"\nmeasure = "site-to-site"\n'
        'limit = "1 km"\naction = "price"\nprice_gbp = 100.0',
    )
    run(folder, maps, "--set", "name=first")
    spoil(folder, "sites", 3, running_cost_gbp_pa=20_000)
    run(folder, maps, "--set", "name=second")
    (cell,) = compared(capfd, maps / "first", maps / "second")["cells"]
    assert cell["effect"].startswith("by itself: ")


def test_only_so_many_are_tried_one_by_one_and_the_others_together(folder, maps, capfd):
    for table, names in (
        ("sites", ("running_cost_gbp_pa", "market_value_gbp")),
        ("zones", ("population", "age65", "no_car", "district")),
    ):
        records = [
            {**row, **{name: str(n + 1000 + k) for k, name in enumerate(names)}} for n, row in enumerate(rows(folder, table))
        ]
        write(folder, table, records)
    run(folder, maps)
    effects = [row["effect"] for row in compared(capfd, maps / "example")["cells"]]
    assert len(effects) == 16 + 30 + 1  # the new column is one
    assert sum(each.startswith("by itself") for each in effects) == MOST_TRIED
    rest = {each for each in effects if not each.startswith("by itself")}
    assert len(rest) == 1
    assert rest.pop().startswith(f"tried with the others of the last {len(effects) - MOST_TRIED} listed here: ")


def test_two_runs_of_one_name_are_told_apart_and_kept_where_they_are_found(folder, maps, capfd):
    assert guarded(group, ["compare", str(maps / "example")]) == 3
    assert "there is no earlier run" in capfd.readouterr().err
    assert guarded(group, ["compare", str(maps / "exampel")]) == 3
    assert "is not a stored run" in capfd.readouterr().err
    first = read_run(maps / "example")
    corrected(folder)
    run(folder, maps)
    run(folder, maps)  # the same again is the same run
    ((kept, manifest),) = earlier_runs(maps, "example")
    assert manifest["scenario_digest"] == first.manifest["scenario_digest"]
    index = (maps / "index.html").read_text()
    assert f'href="{kept.relative_to(maps).as_posix()}/index.html"' in index
    assert "1 earlier run of other tables or settings" in index
    a, b = labels(first, read_run(maps / "example"))
    when = r"run of \d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC"
    assert a == b or (re.search(when, a) and re.search(when, b))
    later = dict(first.manifest) | {"execution": {"finished": "2031-02-03T04:05:06+00:00"}}
    assert labels(first, type(first)(**{**vars(first), "manifest": later}))[1].endswith("run of 2031-02-03 04:05 UTC")


def test_the_page_says_which_cells_and_the_public_page_does_not(folder, maps):
    first = read_run(maps / "example")
    corrected(folder)
    run(folder, maps, "--public")
    second = read_run(maps / "example")
    page = render_comparison(first, second)
    assert "ALDERTON-LIBRARY: running cost 72,000 -&gt; 20,000" in page
    assert "What was changed between them" in page
    assert "What was changed between them" not in render_comparison(first, second, public=True)
    assert not list((maps / "example" / "public").rglob("*.parquet"))


def test_cells_are_compared_as_they_are_written(folder):
    first = starter.place_of(folder)
    assert corrections(first, starter.place_of(folder)) == []
    spoil(folder, "sites", 4, lease_end="2030-01-02", illustrative="", step_free="no")
    found = corrections(first, starter.place_of(folder))
    assert Correction("sites", "ALDERTON-JOBCENTRE", "Alderton Jobcentre", "lease_end", "2027-03-31", "2030-01-02") in found
    assert {each.column for each in found} == {"lease_end", "illustrative", "step_free"}
