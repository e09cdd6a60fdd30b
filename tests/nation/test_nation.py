"""Every county: England is parted without rest, each is a run of its own, what is done stays done, and the sums are the runs'."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner
from england_lists import lists

from estate.cli import group
from estate.england import cut, read
from estate.england.areas import districts
from estate.errors import BatchError
from estate.nation.atlas import prize, totals
from estate.nation.counties import counties, name_of, named
from estate.nation.job import run_nation
from estate.nation.work import FAILED, NO_PLAN
from estate.runs.files import read_manifest


def test_every_district_is_in_one_county():
    codes = [each.code for area in counties() for each in area.districts]
    assert len(counties()) == 47
    assert sorted(codes) == sorted(districts())
    assert len({name_of(area) for area in counties()}) == 47


def test_a_county_is_asked_for_by_name_and_any_area_goes():
    assert [area.name for area in named(("Kent", "rutland"))] == ["Kent", "Rutland"]
    assert "Warwick" in [each.name for each in named(("Warwick",))[0].districts]


def test_beyond_the_edge_counters_serve_and_are_nobodys(tmp_path):
    """Coventry's practice is the nearest to nobody but Coventry's people; Craven is too far to serve anybody."""
    found = read(lists(tmp_path))
    area = named(("E08000026",))[0]  # Coventry: one practice, and the nearest of everything else is in Warwickshire
    alone, whole = cut(found, area), cut(found, area, border=True)
    beyond = whole.sites[whole.sites["status"] == "outside"]
    assert list(alone.sites["site_id"]) == [each for each in whole.sites["site_id"] if each not in set(beyond["site_id"])]
    assert set(alone.points["service"]) == set(whole.points["service"]), (
        "a service that the place has not is no business of its"
    )
    assert len(beyond) > 0
    assert (beyond["agency_name"] == "Bodies beyond the edge").all()
    assert (beyond["running_cost_gbp_pa"] == "").all()
    assert (whole.agencies.set_index("name")["takes_part"]["Bodies beyond the edge"]) == "no"


@pytest.fixture(scope="module")
def nation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    out = tmp_path_factory.mktemp("nation")
    return lists(folder), out, run_nation(folder, out=out, areas=("E07000222", "E07000163"), workers=1)


def test_each_county_is_a_run_and_the_sums_are_theirs(nation):
    _, out, found = nation
    assert found.answered == 2
    assert list(found.rows["name"]) == ["warwick", "craven"]
    manifests = [read_manifest(out / name) for name in found.rows["name"]]
    sums = totals(found.rows)
    for figure in ("saving_gbp_pa", "baseline_gbp_pa", "receipts_gbp", "sites_after", "people"):
        assert sums[figure] == pytest.approx(sum(manifest[figure] for manifest in manifests))
    assert sums["gap"] == 0
    sites = pd.read_csv(out / "sites.csv")
    assert len(sites) == sum(len(pd.read_csv(out / name / "sites.csv")) for name in found.rows["name"])
    assert len(gpd.read_file(out / "atlas.gpkg", layer="sites")) == len(sites)
    page = (out / "atlas.html").read_text()
    assert all(f'href="{name}/index.html"' in page for name in found.rows["name"])
    assert "http" not in page.split("<body")[1]


def test_what_is_done_stays_done_and_what_changed_is_done_again(nation):
    folder, out, _ = nation
    again = run_nation(folder, out=out, areas=("E07000222", "E07000163"), workers=1)
    assert again.answered == 0
    (out / "craven").unlink()
    assert run_nation(folder, out=out, areas=("E07000222", "E07000163"), workers=1).answered == 1, "its run was gone"
    other = run_nation(folder, out=out, areas=("E07000163",), changes=("rules.reach='3 miles'",), workers=1)
    assert other.answered == 1


def test_one_county_that_fails_is_said_and_the_others_stand(tmp_path):
    folder = lists(tmp_path)
    out = tmp_path / "out"
    with pytest.raises(BatchError, match="1 of 1 counties have no plan") as told:
        run_nation(folder, out=out, areas=("E07000163",), changes=("rules.reach='nonsense'",))
    assert "reach" in str(told.value.issues[0])
    row = json.loads((out / ".nation" / "craven.json").read_text())
    assert row["status"] == FAILED
    assert "Without a plan" in (out / "atlas.html").read_text()
    assert run_nation(folder, out=out, areas=("E07000163",)).answered == 1, "a failure is asked again"


def test_sums_leave_out_who_has_no_plan():
    rows = pd.DataFrame(
        {
            "status": ["optimal", "feasible", FAILED, NO_PLAN],
            "saving_gbp_pa": [10.0, 20.0, None, None],
            "baseline_gbp_pa": [100.0, 200.0, None, None],
            "objective_gbp_pa": [90.0, 180.0, None, None],
            "bound_gbp_pa": [90.0, 171.0, None, None],
            "one_off_gbp": [5.0, 40.0, None, None],
        }
    )
    sums = totals(rows)
    assert (sums["saving_gbp_pa"], sums["open_gbp_pa"], sums["counties"], sums["asked"]) == (30.0, 9.0, 2.0, 4.0)
    assert sums["gap"] == pytest.approx(9 / 270)
    receipts = pd.DataFrame({"low_gbp": [30.0], "gross_gbp": [50.0], "high_gbp": [60.0], "disposal_cost_gbp": [2.0]})
    table = prize(rows, receipts).set_index("item")
    assert list(table.loc["Net over 5 full years", ["low_gbp", "central_gbp", "high_gbp"]]) == [
        round(5 * 21 - 67.5 + 28),
        5 * 30 - 45 + 48,
        round(5 * 39 - 31.5 + 58),
    ]
    assert (table["low_gbp"] <= table["high_gbp"]).all()


def test_the_command_says_what_was_found_and_where(tmp_path):
    folder = lists(tmp_path)
    result = CliRunner().invoke(group, ["nation", str(folder), "--area", "E07000163", "--out", str(tmp_path / "out"), "-q"])
    assert result.exit_code == 0, result.output
    assert "1 counties" not in result.output
    assert "atlas.html" in result.output
