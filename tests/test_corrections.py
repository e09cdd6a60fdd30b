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
from estate.runs.corrections import MOST_SOLVED, Correction, corrections
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


def test_rows_that_come_and_go_settings_and_moves_are_said_and_not_solved(folder, maps, capfd):
    records = rows(folder, "zones")
    records[0]["easting"] = str(float(records[0]["easting"]) + 100)
    write(folder, "zones", [*records[:-1], {**records[-1], "zone_id": "Z99"}])
    run(folder, maps, "--set", "travel.detour=1.4")
    found = compared(capfd, maps / "example")
    assert found["settings"] == ["travel.detour: 1.3 -> 1.4"]
    words = {row["words"]: row["effect"] for row in found["cells"]}
    assert words["Z10: no longer there (zones)"].startswith("not tried by itself")
    assert words["Z99: new (zones)"].startswith("not tried by itself")
    assert "distances would have to be measured again" in next(v for k, v in words.items() if k.startswith("Z01: easting"))


def test_only_so_many_are_tried_one_by_one(folder, maps, capfd):
    for table, column in (("sites", "running_cost_gbp_pa"), ("zones", "population")):
        write(folder, table, [{**row, column: str(n + 1000)} for n, row in enumerate(rows(folder, table))])
    run(folder, maps)
    effects = [row["effect"] for row in compared(capfd, maps / "example")["cells"]]
    assert len(effects) == 18
    assert sum(each.startswith("by itself") for each in effects) == MOST_SOLVED
    assert sum(each.startswith("not tried") for each in effects) == 18 - MOST_SOLVED


def test_two_runs_of_one_name_are_told_apart_and_kept_where_they_are_found(folder, maps, capfd):
    assert guarded(group, ["compare", str(maps / "example")]) == 3
    assert "there is no earlier run" in capfd.readouterr().err
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
