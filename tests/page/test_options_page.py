"""Options side by side on Worcestershire: as the run is published, its workbook, its page, and what the public sees."""

import json

import openpyxl
import pandas as pd
import pytest
import starter
from repository import WORCESTERSHIRE

from estate.cli import main
from estate.errors import InputError
from estate.page.options import section
from estate.page.public import redacted
from estate.pipeline.job import run
from estate.pipeline.judge import judge
from estate.runs.files import read_run
from estate.scenario import Alternative
from estate.whatif.named import alternatives_of

COUNTY = WORCESTERSHIRE
TABLES = ("options", "option_agencies", "option_access", "option_changes", "financial_case")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    out = tmp_path_factory.mktemp("maps")
    with pytest.raises(SystemExit) as ended:
        main(["options", str(COUNTY / "options.toml"), "--out", str(out), "--public", "-q"])
    assert ended.value.code == 0
    return out / "worcestershire-options"


def test_every_table_is_published_and_judged_as_it_is_read_back(published):
    run = read_run(published)
    for name in TABLES:
        assert (published / f"{name}.csv").is_file()
    assert judge(run).ok
    rows = run.tables["options"].set_index("option")
    assert list(rows.index) == ["Do nothing", "Do minimum", "The plan", "Police stay out of libraries", "Nothing merged"]
    assert rows.loc["The plan", "pays_back_in"] == run.manifest["pays_back_in"]
    assert rows.loc["Do minimum", "repairs_met_gbp"] == rows.loc["Do nothing", "repairs_left_gbp"] == 6_581_488
    # The bureau of Worcester leaves the charity's building, so its landlord loses 12,960 of rent a year.
    assert rows.loc["The plan", "worse_off_a_year"] == "Worcester Hopmarket Charities (£12,960 a year)"


def test_the_workbook_s_formulas_give_what_its_cells_hold(published):
    book, values = (openpyxl.load_workbook(published / "finance.xlsx", data_only=each) for each in (False, True))
    case = pd.DataFrame(list(values["Financial case"].iter_rows(min_row=5, values_only=True)))
    sheet, shown = book["Sources of funds"], values["Sources of funds"]
    assert sheet["B5"].value.startswith("=SUMIF('Financial case'!$A$5:")
    for row in range(5, 10):
        for cell in sheet[row][1:]:
            column = openpyxl.utils.column_index_from_string(cell.value.split("!")[2][0]) - 1
            total = case.loc[case[0] == shown.cell(row, 1).value, column].sum()
            assert shown[cell.coordinate].value == pytest.approx(total, abs=0.005)
    options, said = book["Options"], values["Options"]
    assert options["E7"].value == "=C$6-C7"
    for row in range(5, 10):
        assert said.cell(row, 5).value == pytest.approx(said["C6"].value - said.cell(row, 3).value, abs=0.005)


def test_every_term_of_the_financial_case_is_stated(published):
    listed = pd.read_csv(published / "assumptions.csv").set_index(["id", "column"])["value"]
    assert float(listed["options", "inflation"]) == 0.02
    assert float(listed["VAT recovered", "nhs"]) == 0.5
    assert float(listed["loan to DWP", "most_gbp"]) == 1_000_000
    # Rents are the scenario's own, cell by cell.
    assert float(listed["W-JCP-EVESHAM", "rent_gbp_pa"]) == 35_280
    notes = " ".join(str(cell.value) for row in openpyxl.load_workbook(published / "finance.xlsx")["Notes"] for cell in row)
    assert "prices rise by 2.0% a year; VAT at 20% is added to fitout" in notes
    assert "Taken as new in year 0" in notes


def test_the_page_shows_costs_journeys_who_is_worse_off_and_what_pays(published):
    shown = section(read_run(published))
    costs = {row[0]: row[1:] for row in shown["costs"]}
    assert costs["Repairs outstanding that are left undone"] == ["£6,581,488", "£0", "£0", "£0", "£0"]
    assert costs["Pays back in"][:2] == ["", ""]
    assert any(row[0].startswith("Library within") for row in shown["people"])
    assert len(shown["worse"]) == 3
    assert "prices rise by 2.0% a year" in shown["funds"]["note"]
    text = (published / "index.html").read_text()
    assert 'id="options-title"' in text
    assert "Sources of funds" in openpyxl.load_workbook(published / "finance.xlsx").sheetnames


def test_the_public_version_has_no_prices_of_any_option(published):
    public = published / "public"
    shown = pd.read_csv(public / "options.csv")
    assert not {each for each in shown if "gbp" in each}  # what offices are let for could be worked out of it
    hidden = {"option_agencies", "option_changes", "financial_case", "purses", "agencies"}
    assert not hidden & {each.stem for each in public.glob("*.csv")}
    page = (public / "index.html").read_text()
    assert 'id="options-title"' in page
    run = read_run(published)
    for row in run.tables["options"].to_dict("records"):
        for name in ("net_present_cost_gbp", "receipts_gbp", "one_off_gbp", "need_gbp"):
            if row[name]:
                assert f"£{row[name]:,.0f}" not in page


def test_no_rent_can_be_worked_out_of_what_is_public(published):
    """Running cost in all, as the public page has it, is that of the buildings it lists: nothing is left that would be a rent."""
    public = redacted(read_run(published))
    sites = pd.read_csv(published / "public" / "sites.csv")
    before, after = (sites[f"running_cost_{when}_gbp_pa"].sum() for when in ("before", "after"))
    assert public.manifest["baseline_gbp_pa"] == before
    assert public.manifest["saving_gbp_pa"] == before - after
    assert "bound_gbp_pa" not in public.manifest
    assert "Rents are left out" in (published / "public" / "index.html").read_text()


def test_where_a_scenario_names_none_two_that_differ_are_found(tmp_path):
    """Nobody could pay for anything, so the other aims come to today's estate; money enough does not."""
    folder = starter.make(tmp_path)
    said = run(folder, out=tmp_path / "maps", changes=("money.capital_budget_gbp=0",), options=()).manifest["options"]
    assert said["alternatives"][0]["name"] == "With money enough"
    assert {each["why"] for each in said["left_out"]} == {"it is the plan of another option here"}
    free = run(folder, out=tmp_path / "maps", options=())
    rows = free.appraisal.tables["options"]
    assert len(rows) == 5
    assert rows["running_cost_gbp_pa"].iloc[3:].ge(rows["running_cost_gbp_pa"].iloc[2]).all()


def test_an_alternative_without_a_plan_is_left_out_and_said(tmp_path):
    folder = starter.make(tmp_path)
    sites = starter.place_of(folder).sites
    every = sites.index[sites["status"] == "free"].tolist()
    other = Alternative(name="Close all", changes={"rules.close": every})
    said = run(folder, out=tmp_path / "maps", options=(other,)).manifest["options"]
    assert said["alternatives"] == []
    assert said["left_out"] == [{"name": "Close all", "why": "no plan can meet these rules"}]


def test_alternatives_that_name_what_is_not_there_are_refused_together_and_at_once(tmp_path):
    changes = ({"rules.close": ["nowhere"]}, {"rules.out": ["nobody"], "standards.none.limit": "1 mile"})
    others = tuple(Alternative(name=f"other {n}", changes=each) for n, each in enumerate(changes))
    with pytest.raises(InputError) as refused:
        run(starter.make(tmp_path), out=tmp_path / "maps", options=others)
    said = [str(each) for each in refused.value.issues]
    assert said[0].startswith("estate.toml, column rules.close: alternative 'other 0': 'nowhere' is not a site")
    assert "alternative 'other 1'" in said[1]


def test_a_what_if_is_an_option_where_it_decides_something():
    file = COUNTY / "whatif.toml"
    found = alternatives_of(file, ["police stay out of libraries", "close W-LIB-EVESHAM", "without RBC"])
    assert [dict(each.changes) for each in found] == [
        {"rules.may_not_share": [["library", "police_desk"]]},
        {"rules.close": ["W-LIB-EVESHAM"]},
        {"rules.out": ["RBC"]},
    ]


def test_a_label_that_is_no_option_is_refused_with_all_others(capsys):
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "options",
                str(COUNTY),
                "-q",
                "--json",
                "--alternative",
                "population up a tenth",
                "--alternative",
                "police stay out",
            ]
        )
    assert ended.value.code == 3
    said = json.loads(capsys.readouterr().out)["issues"]
    assert [each["code"] for each in said] == ["whatif.no-option"] * 2
    assert "did you mean 'police stay out of libraries'" in said[1]["remedy"]
