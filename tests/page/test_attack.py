"""Nothing confidential can be found in the public version of a run, by least squares, subtraction or search."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from attack import counted, four, hide, located, named, subtracted
from page_fixture import INPUTS, county, run_of, town
from places import scenario_with

from estate.load import load
from estate.page.public import redacted
from estate.pipeline.publish import write_public
from estate.place import shown, todays_plan
from estate.report.tables import write_tables
from estate.runs.run import Run
from estate.scenario import load_scenario


@cache
def secretive(name: str) -> Run:
    """A real place with confidential sites, under a plan that moves counters (Worcestershire) or today's (the other)."""
    if name == "worcestershire":
        run = county()
    else:
        scenario = load_scenario(INPUTS / name, ("travel.method=straight-line",))
        place = load(scenario)
        run = run_of(place, scenario, todays_plan(place))
    return run_of(hide(run.place, four(run)), run.scenario, run.plan)


@pytest.mark.parametrize("name", ["worcestershire", "rutland"])
def test_the_attack_finds_nothing(name, tmp_path):
    run = secretive(name)
    assert (~shown(run.place.sites)).sum() == {"worcestershire": 4, "rutland": 2}[name]
    write_public(tmp_path / "public", run)
    assert located(tmp_path / "public", run.place) == []
    assert subtracted(tmp_path / "public", run.place) == []
    assert counted(tmp_path / "public", run.place) == []
    assert named(tmp_path / "public", run.place) == []


def test_the_attack_finds_what_only_loses_its_ids(tmp_path):
    """The attack itself: on tables from which the rows and ids are taken out, and nothing more, it finds the buildings."""
    run = secretive("worcestershire")
    hidden = set(run.place.sites.index[~shown(run.place.sites)])
    tables = {name: run.tables[name].copy() for name in ("sites", "zones", "agencies", "moves")}
    tables["sites"] = tables["sites"][~tables["sites"]["site_id"].isin(hidden)]
    for column in ("site_before", "site_after"):
        tables["zones"][column] = tables["zones"][column].where(~tables["zones"][column].isin(hidden), "")
    write_tables(tmp_path, tables)
    assert len(located(tmp_path, run.place)) >= 3
    assert subtracted(tmp_path, run.place)
    write_tables(tmp_path, {"moves": run.tables["moves"], "sites": run.tables["sites"]})
    assert named(tmp_path, run.place)


def _bytes(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_no_published_byte_depends_on_a_confidential_row(tmp_path):
    """The rule itself: whatever a confidential row says, the same is published."""
    published = []
    for n, cells in enumerate(
        (
            {"name": "Quiet House", "running_cost_gbp_pa": 77_123.0, "easting_m": 400_650.0, "market_value_gbp": 1e6},
            {
                "name": "Loud House",
                "running_cost_gbp_pa": 3.0,
                "easting_m": 400_850.0,
                "capacity_m2": 999.0,
                "lease_end": "2033-01-01",
            },
        )
    ):
        run = town(sites={"station": {"confidential": True, **cells}}, agencies={"dwp": {"confidential": True, "name": str(n)}})
        write_public(tmp_path / str(n), run)
        published.append(_bytes(tmp_path / str(n)))
    assert published[0] == published[1]
    assert len(published[0]) > 8


def test_nor_does_whether_a_rule_is_met():
    """Seen in a county cut from lists: a hidden building moved by 731 m, and the whole plan no longer met a limit."""
    rule = scenario_with(standards=[{"name": "near", "service": "police", "limit": "12 km"}])
    runs = [
        town(sites={"station": {"confidential": True, "easting_m": easting}}, scenario=rule)
        for easting in (400_650.0, 460_000.0)
    ]
    assert [run.tables["standards"]["before"][0] for run in runs] == ["met", "not met"]
    for run in runs:
        assert redacted(run).tables["standards"][["before", "after"]].to_numpy().tolist() == [["not said", "not said"]]


def test_a_counter_keeps_its_row_without_the_building_it_comes_from():
    public = redacted(town(sites={"station": {"confidential": True}}))
    row = public.tables["moves"].set_index("access_point_id").loc["p5"]
    assert row["from_site_id"] == ""
    assert row["from_name"] == "A building not shown"
    assert pd.isna(row["distance_m"])
    assert row["to_site_id"] == "hall"


def test_an_agency_has_no_name_and_no_id():
    public = redacted(town(agencies={"police": {"confidential": True}}))
    sites = public.tables["sites"].set_index("site_id")
    assert sites.loc["station", "agency"] == ""
    assert sites.loc["station", "agency_name"] == "An agency not named"
    assert set(public.tables["agencies"]["agency"]) == {"", "county", "dwp", "landlord"}


def test_a_counter_in_a_shown_building_leaves_its_sums():
    public = redacted(town(access_points={"p7": {"confidential": True}}))
    sites = public.tables["sites"].set_index("site_id")
    assert sites.loc["hall", "services_before"] == "council"
    assert sites.loc["hall", "area_used_before_m2"] == 200
    assert "what is not shown" in set(public.tables["unknowns"]["topic"])


def test_travel_that_is_missing_says_nothing(monkeypatch):
    """Where only the pairs that matter are kept, those to the nearest shown building are among them."""
    monkeypatch.setattr("estate.standards.journeys.ALL_PAIRS", 0)
    monkeypatch.setattr("estate.page.shown.ALL_PAIRS", 0)
    run = town(sites={"village": {"confidential": True}})
    zones = redacted(run).tables["zones"]
    rows = zones[zones["service"] == "library"]
    assert (rows["site_before"] == "library").all()
    assert np.isfinite(rows["distance_before_m"].astype(float)).all()
