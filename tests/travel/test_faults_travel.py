"""Travel as people have it: matrices, other tools' headings, stand-ins for unreachable, ids that mean two things, street graphs.

Each file is one that public bug reports describe, made here small, with the right answer beside it.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import starter

from estate.cli import group
from estate.cli.outcome import guarded
from estate.errors import InputError
from estate.pipeline.prepare import prepare
from estate.standards.journeys import travel_table
from estate.travel import OwnTable, Points, Wanted, build_travel


@pytest.fixture
def folder(tmp_path):
    """The starter place, without a travel table of its own."""
    return starter.make(tmp_path)


def told(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """What ``estate run`` says when it refuses the place, on one line."""
    capfd.readouterr()
    code = guarded(group, ["run", str(folder), "--out", str(folder.parent / "maps")])
    said = capfd.readouterr()
    assert code == 3, said.err
    assert "Traceback" not in said.err
    return " ".join(said.err.split())


# -------------------------------------------------------------------------------------------------- tables of journeys


def read(
    folder: Path, content: str, *, option: str = '"t.csv"', changes: tuple[str, ...] = ("travel.mode=bus",)
) -> pd.DataFrame:
    """The travel table that a file becomes."""
    (folder / "t.csv").write_text(content)
    (folder / "estate.toml").write_text(
        (folder / "estate.toml").read_text().replace("[tables]\n", f"[tables]\ntravel = {option}\n")
    )
    travel = starter.place_of(folder, *changes).travel
    assert travel is not None
    return travel.set_index(["from_id", "to_id"])


SAME = {
    "a matrix in minutes": (
        "LSOA,ALDERTON-LIBRARY,BIRCHWICK-LIBRARY,\nZ01,12,\nZ02,,25\nALDERTON-LIBRARY,0,1\n",
        '{path = "t.csv", matrix = "minutes"}',
    ),
    "a matrix in hours": (
        "LSOA,ALDERTON-LIBRARY,BIRCHWICK-LIBRARY,Elsewhere\nZ01,0.2,,9\nZ02,,0.41666666666666667,9\n",
        '{path = "t.csv", matrix = "hours"}',
    ),
    "lines of an origin-destination matrix": (
        "OBJECTID,Name,OriginID,Total_Minutes\n1,Z01 - ALDERTON-LIBRARY,1,12\n2,Z02 - BIRCHWICK-LIBRARY,2,25\n",
        '"t.csv"',
    ),
    "the same from a Shapefile": (
        "Name,OriginID,Total_Minu\nZ01 - ALDERTON-LIBRARY,1,12\nZ02 - BIRCHWICK-LIBRARY,2,25\n",
        '"t.csv"',
    ),
    "names of origins and destinations, a unit that is said": (
        "OriginOID,OriginName,DestinationName,Total_Time\n1,Z01,ALDERTON-LIBRARY,12\n2,Z02,BIRCHWICK-LIBRARY,25\n",
        '{path = "t.csv", columns = {time_s = "Total_Time"}, factors = {time_s = 60}}',
    ),
    "r5r of today": ("from_id,to_id,travel_time_p50\nZ01,ALDERTON-LIBRARY,12\nZ02,BIRCHWICK-LIBRARY,25\n", '"t.csv"'),
    "r5r of three digits": (
        "from_id,to_id,travel_time_p005,travel_time_p050\nZ01,ALDERTON-LIBRARY,1,12\nZ02,BIRCHWICK-LIBRARY,2,25\n",
        '"t.csv"',
    ),
    "r5r of old": ("fromId,toId,travel_time\nZ01,ALDERTON-LIBRARY,12\nZ02,BIRCHWICK-LIBRARY,25\n", '"t.csv"'),
    "hours by another tool": (
        "FROM_ID,TO_ID,DURATION_H\nZ01,ALDERTON-LIBRARY,0.2\nZ02,BIRCHWICK-LIBRARY,0.41666667\n",
        '"t.csv"',
    ),
    "rows left out by a rule": (
        "from_id,to_id,travel_time\nZ01,ALDERTON-LIBRARY,12\nZ01,BIRCHWICK-LIBRARY,2147483647\nZ02,BIRCHWICK-LIBRARY,25\n",
        '{path = "t.csv", where = {travel_time = "!= 2147483647"}}',
    ),
}


@pytest.mark.parametrize("shape", SAME)
def test_a_travel_table_in_every_shape(shape, folder):
    content, option = SAME[shape]
    times = read(folder, content, option=option)["time_s"]
    assert times["Z01", "ALDERTON-LIBRARY"] == pytest.approx(720)
    assert times["Z02", "BIRCHWICK-LIBRARY"] == pytest.approx(1500)
    assert ("Z01", "BIRCHWICK-LIBRARY") not in times


def test_distances_with_their_units(folder):
    content = "Name,Total_Kilometers,Total_Minutes\nZ01 - ALDERTON-LIBRARY,1.5,12\n"
    row = read(folder, content).loc[("Z01", "ALDERTON-LIBRARY")]
    assert (row["distance_m"], row["time_s"]) == (1500, 720)


def test_an_id_may_hold_the_dash_that_parts_two(folder):
    for name in ("zones", "sites", "access_points"):
        file = folder / f"{name}.csv"
        file.write_text(file.read_text().replace("Z01", "Z - 01").replace("ALDERTON-LIBRARY", "ALDERTON - LIBRARY"))
    lines = ("Z - 01 - ALDERTON - LIBRARY,12", "Z02 - ALDERTON - LIBRARY,3", "Z02 - BIRCHWICK-LIBRARY,4", "X - Y - Z,1")
    times = read(folder, "\n".join(["Name,Total_Minutes", *lines]))["time_s"]
    assert times.to_dict() == {
        ("Z - 01", "ALDERTON - LIBRARY"): 720,
        ("Z02", "ALDERTON - LIBRARY"): 180,
        ("Z02", "BIRCHWICK-LIBRARY"): 240,
    }


REFUSED = {
    "a matrix that does not say its unit": (
        "LSOA,ALDERTON-LIBRARY,BIRCHWICK-LIBRARY\nZ01,12,30\n",
        ("t.csv, row 1: this is a matrix: 1 rows, and a column for each of 2 buildings", 'matrix = "minutes"'),
    ),
    "a matrix on its side": (
        "site,Z01,Z02,Z03\nALDERTON-LIBRARY,12,30,3\n",
        ("a row for each building and a column for each zone; people go from zones to buildings",),
    ),
    "a stand-in for unreachable": (
        "from_id,to_id,travel_time\nZ01,ALDERTON-LIBRARY,12\nZ02,ALDERTON-LIBRARY,2147483647\n",
        ("t.csv, row 3, column travel_time: '2147483647' is no journey: more than 48 hours", '"!= 2147483647"'),
    ),
    "another": (
        "from_id,to_id,distance_m\nZ01,ALDERTON-LIBRARY,12\nZ02,ALDERTON-LIBRARY,-1\nZ03,ALDERTON-LIBRARY,99999999\n",
        (
            "row 3, column distance_m: '-1' is no measure",
            "row 4, column distance_m: '99999999' is no journey: more than 2,000 km",
        ),
    ),
    "half a fact": (
        "from_id,to_id,distance_m,time_s\nZ01,ALDERTON-LIBRARY,12,10\nZ02,ALDERTON-LIBRARY,50,\n",
        ("t.csv, row 3, column time_s: time_s is blank and distance_m is not",),
    ),
    "a total that does not say its unit": (
        "Name,Total_Time\nZ01 - ALDERTON-LIBRARY,12\n",
        ("'Total_Time' does not say its unit", 'columns = {time_s = "Total_Time"}, factors = {time_s = 60}'),
    ),
    "another percentile": (
        "from_id,to_id,travel_time_p25,travel_time_p075\nZ01,ALDERTON-LIBRARY,12,15\n",
        ("no travel times at percentile 50; the table has 25, 75", "set travel.percentile"),
    ),
}


@pytest.mark.parametrize("shape", REFUSED)
def test_a_travel_table_that_is_refused_says_where_and_what_to_do(shape, folder, capfd):
    content, words = REFUSED[shape]
    (folder / "t.csv").write_text(content)
    starter.replace(folder, '# travel = "minutes.csv" ', 'travel = "t.csv" ')
    said = told(folder, capfd)
    for each in words:
        assert each in said


def test_a_stand_in_in_a_matrix_is_named_by_its_cell(folder, capfd):
    (folder / "t.csv").write_text("LSOA,ALDERTON-LIBRARY,BIRCHWICK-LIBRARY\nZ01,12,30\nZ02,4,2147483647\n")
    starter.replace(folder, '# travel = "minutes.csv" ', 'travel = {path = "t.csv", matrix = "minutes"} ')
    said = told(folder, capfd)
    assert "t.csv, row 3, column BIRCHWICK-LIBRARY: '2147483647' is no journey" in said
    assert "where =" not in said


def test_only_travel_comes_as_a_matrix(folder, capfd):
    starter.replace(folder, 'zones = "zones.csv"', 'zones = {path = "zones.csv", matrix = "minutes"}')
    assert "'matrix' goes with a travel table" in told(folder, capfd)


# ------------------------------------------------------------------------------------------ ids that mean two things

ROWS = "from_id,to_id{kind}\n0,0,{z}25\n0,1,{z}2\n1,0,{z}2\n1,1,{z}25\n2,0,{z}24\n2,1,{z}3\n3,0,{z}3\n3,1,{z}24\n"


def row_numbers(folder: Path, table: str, *, far: str = "") -> None:
    """A place whose zones and sites are numbered by row, as tools that make matrices number them: 0 and 1 are both."""
    (folder / "zones.csv").write_text("zone_id,population,easting,northing\n" + "".join(
        f"{n},100,{x},250000\n" for n, x in enumerate((400_000, 412_000, 401_000, 411_000))
    ))  # fmt: skip
    (folder / "agencies.csv").write_text("agency,name,kind\nco,Company,private\n")
    (folder / "sites.csv").write_text(
        "site_id,name,agency,kind,tenure,capacity_m2,running_cost_gbp_pa,easting,northing\n"
        "0,East,co,other,private,100,10000,412500,250000\n1,West,co,other,private,100,12000,400500,250000\n"
    )
    (folder / "access_points.csv").write_text(
        "access_point_id,site_id,service,agency,area_m2\nE,0,desk,co,10\nW,1,desk,co,10\n"
    )
    (folder / "m.csv").write_text(table)
    (folder / "estate.toml").write_text(
        f'name = "numbered"\n[tables]\ntravel = "m.csv"\n{far}\n[travel]\nmethod = "table"\nmode = "bus"\n'
        "[services.desk]\nfitout_gbp_m2 = 0\n"
        '[[standards]]\nname = "near"\nservice = "desk"\nlimit = "5 minutes"\nmeasure = "site-to-site"\ntest = "moved"\n'
    )


def test_ids_that_are_zones_and_sites_are_refused(folder, capfd):
    """Read as both, a home's two minutes to a counter would let the counter itself go to the other end of the place."""
    row_numbers(folder, ROWS.format(kind=",travel_time", z=""))
    said = told(folder, capfd)
    assert "m.csv, row 2, column from_id: '0' is both a zone and a site, so 4 rows could mean either" in said
    assert "from_kind" in said


def test_a_column_tells_zones_and_sites_apart(folder):
    rows = ROWS.format(kind=",from_kind,travel_time", z="zone,") + "0,1,site,30\n1,0,site,31\n"
    row_numbers(folder, rows)
    prepared = prepare(starter.scenario_of(folder))
    travel = prepared.travel
    home, between = travel.home["bus"], travel.between["bus"]
    assert home.time_s[(home.from_ == 0) & (home.to == 1)].tolist() == [120]
    assert between.time_s[(between.from_ == 0) & (between.to == 1)].tolist() == [1800]
    assert len(home) == 8
    # What is written is read back the same.
    travel_table(prepared.place, travel).to_csv(folder / "m.csv", index=False)
    assert prepare(starter.scenario_of(folder)).travel.digest == travel.digest


def test_or_a_file_of_each(folder):
    row_numbers(folder, ROWS.format(kind=",travel_time", z=""))
    (folder / "between.csv").write_text("from_id,to_id,travel_time\n0,1,30\n1,0,31\n")
    starter.replace(
        folder,
        'travel = "m.csv"',
        'travel = [{path = "m.csv", constants = {from_kind = "zone"}}, {path = "between.csv", constants = {from_kind = "site"}}]',
    )
    travel = prepare(starter.scenario_of(folder)).travel
    assert travel.between["bus"].time_s.tolist() == [0, 1800, 1860, 0]
    assert len(travel.home["bus"]) == 8


def test_homes_alone_leave_the_rule_between_buildings_without_data(folder, capfd):
    row_numbers(folder, ROWS.format(kind=",from_kind,travel_time", z="zone,"))
    assert "the travel table has no site-to-site rows" in told(folder, capfd)


def test_the_interface_refuses_such_ids_too():
    frame = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "b"], "time_s": [60, 0]})
    zones, sites = (Points(*(pd.Series([0.0, 1.0]).to_numpy(),) * 2, names) for names in (("a", "b"), ("b", "c")))
    with pytest.raises(InputError) as caught:
        build_travel(zones, sites, OwnTable(frame), home={"bus": Wanted(limit_s=600)}, between={})
    assert [each.code for each in caught.value.issues] == ["travel.shared-id"]
