"""A programme as it is published: its section of the page, its workbook, and what the public may see of it."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from estate.cli.verbs.programme import command
from estate.page import render
from estate.page.programme import section, stages
from estate.page.public import redacted
from estate.pipeline.judge import judge
from estate.runs.files import read_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("programme")
    result = CliRunner().invoke(command, ["inputs/worcestershire/programme.toml", "--out", str(out), "--json", "--public"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["status"] == "optimal"
    return out / "worcestershire-in-order-programme"


@pytest.fixture(scope="module")
def run(folder):
    return read_run(folder)


def test_redditchs_jobcentre_waits_for_prime_and_then_for_money(run):
    """What the place's README sets beside what was done."""
    moves = run.tables["moves"]
    jobcentres = moves[moves["service"] == "jobcentre"].set_index("from_site_id")["date"].to_dict()
    assert jobcentres == {"W-JCP-REDDITCH": "2019-04-01", "W-JCP-EVESHAM": "2022-04-01"}


def test_every_book_has_the_dates_of_the_steps(run):
    """moves.csv, sites.csv and the ledger say when; the stored run passes the referee again, which reads every date."""
    steps = run.tables["programme"]
    moved = steps[steps["step"] == "move"].set_index("access_point_id")["date"]
    assert run.tables["moves"].set_index("access_point_id")["date"].to_dict() == moved.to_dict()
    gone = steps[steps["step"] == "let go"].set_index("site_id")["date"]
    sites = run.tables["sites"].set_index("site_id")
    assert sites.loc[sites["after"] == "released", "date"].to_dict() == gone.to_dict()
    assert len(set(moved)) > 3
    assert run.manifest["complete_on"] == max(moved.max(), gone.max())
    npv = run.manifest["npv_gbp"]
    assert npv == pytest.approx(run.manifest["programme"]["worth_gbp"], abs=5.0)
    assert judge(run).ok


def test_a_date_that_is_moved_is_found(run):
    moves = run.tables["moves"].assign(date="2014-04-01")
    bad = type(run)(run.scenario, run.place, run.plan, run.travel, run.manifest, {**run.tables, "moves": moves})
    assert "referee.moves.date" in {each.code for each in judge(bad).failures}


def test_the_map_steps_from_today_to_the_plan(run):
    found = stages(run)
    assert (found[-1][1].host == run.plan.host).all()
    assert (found[-1][1].open == run.plan.open).all()
    moved = [int((plan.host != run.place.point_site).sum()) for _, plan in found]
    assert moved == sorted(set(moved))
    text = render(run)
    known = json.loads(text.split('id="estate-data">')[1].split("</script>")[0])["programme"]
    assert known["years"] == [label for label, _ in found]
    assert known["outcomes"][-1] == {}
    assert len(known["outcomes"][0]) > 2
    assert set(known["moves"].values()) == set(range(len(found)))
    assert "In which order" in text


def test_every_building_that_changes_has_its_row_and_every_purse_its_cash(run):
    shown = section(run)
    names = {row["name"] for row in shown["buildings"]}
    steps = run.tables["programme"]
    assert names == set(steps["building"]) | set(steps["to_building"]) - {""}
    for row in shown["buildings"]:
        assert len(row["cells"]) == len(shown["years"])
    assert [purse["name"] for purse in shown["purses"]] == ["Department for Work and Pensions", "the NHS trusts"]


def test_the_public_version_has_the_order_and_no_purse_price_or_lease(folder, run):
    text = (folder / "public" / "index.html").read_text()
    assert "In which order" in text
    for word in ("Purse by purse", "the NHS trusts", "Waits for", "Lease diary", "Cash by purse"):
        assert word not in text, word
    shown = redacted(run)
    assert set(shown.tables["programme"]) == {
        "year", "step", "access_point_id", "service", "agency", "site_id", "building", "to_site_id", "to_building",
    }  # fmt: skip
    assert not {"cash", "lease_diary", "invest"} & set(shown.tables)
    assert section(shown)["purses"] == []
    assert not (folder / "public" / "cash.csv").exists()


def test_the_workbook_adds_up_the_cash_with_live_sums(folder, run):
    book = openpyxl.load_workbook(folder / "finance.xlsx")
    sheet, values = book["Cash by year"], openpyxl.load_workbook(folder / "finance.xlsx", data_only=True)["Cash by year"]
    rows = [row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == "Left at the end of the year"]
    cash = run.tables["cash"]
    assert len(rows) == len(cash[["purse", "kind"]].drop_duplicates())
    assert all(str(sheet.cell(row, 3).value).startswith("=B") for row in rows)
    ends = sorted(round(values.cell(row, values.max_column - 1).value, 2) for row in rows)
    assert ends == sorted(cash.groupby(["purse", "kind"])["amount_gbp"].sum().round(2).tolist())
    steps = pd.DataFrame(book["Programme"].values)
    assert "Waits for" in set(steps.iloc[3])
