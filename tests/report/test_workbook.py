"""finance.xlsx: what a finance officer opens, in a real spreadsheet."""

import subprocess
import zipfile
from types import SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from places import plan_of, tiny_place, tiny_scenario

from estate.appraise.books import books
from estate.report.tables import write_tables
from estate.report.workbook import write_workbook

EVIL = "=cmd|' /C calc'!A0"
SHEETS = ["Summary", "Receipts", "Ledger", "Cash flow", "Sensitivities", "Moves", "Agencies", "Purses", "Assumptions", "Notes"]


def a_run(place=None, plan=None, *, status="optimal", gap=0.0):
    """What the workbook needs of a stored run, of the tiny town."""
    place = place or tiny_place(
        sites={
            "station": {"name": EVIL, "source": "@SUM(1)", "illustrative": "market_value_gbp"},
            "village": {"name": "+44 Village", "market_value_gbp": 9_000.0},
        },
        agencies={"police": {"name": "-Police & Co"}},
    )
    host = place.access_points["site_id"].to_dict() | {"p3": "library", "p4": "library", "p5": "hall"}
    plan = plan or plan_of(place, host)
    scenario = tiny_scenario().model_copy(update={"title": EVIL, "description": "=1+1"})
    found = books(place, scenario, plan)
    moved = np.flatnonzero(plan.host != place.point_site)
    points, sites = place.access_points.iloc[moved], place.sites
    moves = pd.DataFrame(
        {
            "access_point_id": points.index,
            "name": EVIL,
            "service": points["service"].to_numpy(),
            "kind": "move",
            "agency": points["agency"].to_numpy(),
            "from_name": sites["name"].to_numpy()[place.point_site[moved]],
            "to_name": sites["name"].to_numpy()[plan.host[moved]],
            "distance_m": pd.array([500] * len(moved), dtype="Int64"),
            "time_s": pd.array([pd.NA] * len(moved), dtype="Int64"),
            "area_m2": points["area_m2"].to_numpy(),
            "one_off_gbp": 1000.5,
            "consultation": "",
            "consultation_reason": "=HYPERLINK(1)",
        }
    )
    manifest = {
        **found.summary,
        "status": status,
        "gap": gap,
        "bound_gbp_pa": found.summary["cost_gbp_pa"],
        "verified": True,
        "sites_before": 6,
        "sites_after": 3,
        "hubs_before": 1,
        "hubs_after": 2,
        "versions": {"pulp": "4.2"},
        "inputs": {"sites.csv": "ab" * 32},
        "issues": [{"code": "x", "severity": "warning", "message": "=look out", "file": "sites.csv", "row": 3}],
    }
    return SimpleNamespace(
        place=place, scenario=scenario, plan=plan, manifest=manifest, tables={**found.tables, "moves": moves}
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    file = tmp_path_factory.mktemp("workbook") / "finance.xlsx"
    run = a_run()
    write_workbook(file, run)
    return SimpleNamespace(
        file=file, run=run, formulas=openpyxl.load_workbook(file), shown=openpyxl.load_workbook(file, data_only=True)
    )


def cells(book):
    return [(sheet.title, cell) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def column(book, sheet, heading, kind=float):
    """The cells under a heading on the fourth row, to the end of the table."""
    at = next(cell.column for cell in book[sheet][4] if cell.value == heading)
    found = []
    for row in range(5, book[sheet].max_row + 1):
        value = book[sheet].cell(row, at).value
        if book[sheet].cell(row, 1).value in (None, "Total"):
            break
        found.append(kind(value) if value is not None else kind(0))
    return found


def total(book, sheet, heading):
    at = next(cell.column for cell in book[sheet][4] if cell.value == heading)
    row = next(cell.row for cell in book[sheet]["A"] if cell.value == "Total")
    return book[sheet].cell(row, at).value


def test_the_sheets_in_order(written):
    assert written.formulas.sheetnames == SHEETS
    assert written.formulas.active.title == "Summary"


def test_text_is_never_a_formula(written):
    formulas = [str(cell.value) for _, cell in cells(written.formulas) if cell.data_type == "f"]
    assert formulas
    allowed = ("=SUM(", "=B", "=C", "=D", "=I", "=K", "='Receipts'!", "='Agencies'!", "='Cash flow'!")
    assert all(formula.startswith(allowed) for formula in formulas)
    texts = [cell.value for _, cell in cells(written.formulas) if cell.data_type == "s"]
    for user_text in (EVIL, "+44 Village", "-Police & Co", "@SUM(1)", "=1+1", "=HYPERLINK(1)"):
        assert any(user_text in text for text in texts), user_text


def test_totals_are_live_and_agree(written):
    run = written.run
    for sheet, heading, name, field in (
        ("Receipts", "Gross", "capital_receipts", "gross_gbp"),
        ("Receipts", "Capital receipt, net", "capital_receipts", "net_receipt_gbp"),
        ("Receipts", "Revenue sum", "capital_receipts", "revenue_sum_gbp"),
        ("Agencies", "Running cost a year, today", "agencies", "cost_before_gbp_pa"),
        ("Agencies", "Gain a year", "agencies", "gain_gbp_pa"),
        ("Moves", "One-off cost", "moves", "one_off_gbp"),
    ):
        value = total(written.shown, sheet, heading)
        assert value == pytest.approx(run.tables[name][field].sum(), abs=0.01), heading
        assert value == pytest.approx(sum(column(written.shown, sheet, heading)), abs=0.01), heading
        assert str(total(written.formulas, sheet, heading)).startswith("=SUM(")


def test_present_values_are_what_their_formulas_give(written):
    # Worked again from the cells that the formulas read, in their order: the total is the plan's net present value.
    net, factor, running = (column(written.shown, "Cash flow", name) for name in ("Net", "Factor", "Total so far"))
    so_far = np.cumsum(np.array(net, dtype=float) * np.array(factor, dtype=float))
    assert running == pytest.approx(so_far, abs=1e-6)
    assert total(written.shown, "Cash flow", "Present value") == pytest.approx(so_far[-1], abs=0.005)
    assert round(so_far[-1], 2) == written.run.manifest["npv_gbp"]
    assert str(total(written.formulas, "Cash flow", "Present value")).startswith("=SUM(")


def test_the_ledger_sheet_adds_up_to_the_plan(written):
    summary = written.run.manifest
    assert total(written.shown, "Ledger", "In a complete year") == pytest.approx(summary["saving_gbp_pa"], abs=0.005)
    assert total(written.shown, "Ledger", "Once") == pytest.approx(-summary["net_one_off_gbp"], abs=0.005)


def test_numbers_are_numbers_in_pounds(written):
    sheet = written.formulas["Receipts"]
    heads = {cell.value: cell.column for cell in sheet[4]}
    cell = sheet.cell(5, heads["Gross"])
    assert cell.data_type == "n"
    assert cell.number_format.startswith("£#,##0.00")
    assert written.formulas["Sensitivities"]["B5"].number_format.startswith("0%")


def test_frozen_headings_and_print_set_up(written):
    for sheet in written.formulas:
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.fitToWidth in (None, 1)  # 1 is the default
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "&P" in sheet.oddFooter.right.text
    for name in ("Receipts", "Ledger", "Cash flow", "Moves", "Agencies", "Purses", "Assumptions"):
        assert written.formulas[name].freeze_panes == "B5"
    assert written.formulas["Ledger"].print_title_rows == "$4:$4"


def test_the_cash_flow_has_its_chart_and_live_arithmetic(written):
    sheet = written.formulas["Cash flow"]
    assert len(sheet._charts) == 1
    assert sheet["D5"].value == "=B5-C5"
    assert sheet["I5"].value == "=D5+E5+F5+G5+H5"
    assert sheet["L7"].value == "=K7+L6"


def test_the_summary_links_its_totals_and_reads_as_a_paper(written):
    sheet = written.shown["Summary"]
    rows = {row[0].value.strip(): row[1].value for row in sheet.iter_rows(min_row=4) if row[0].value}
    summary = written.run.manifest
    assert rows["Net present value"] == pytest.approx(summary["npv_gbp"], abs=0.2)
    assert rows["One-off costs, with sale costs charged to revenue"] == summary["one_off_gbp"]
    assert rows["Pays back in: discounted total not below nothing from"] == summary["pays_back_in"]
    assert "Over 40 years from 2025-26" in rows or "Over 30 years from 2025-26" in rows


def test_the_cash_flow_sheet_reconciles_with_the_summary(written):
    summary = written.run.manifest
    assert total(written.shown, "Cash flow", "One-off costs") == -summary["one_off_gbp"]
    sales, met = (total(written.shown, "Cash flow", name) for name in ("Sales, gross", "Sale costs met from receipts"))
    assert sales + met == pytest.approx(summary["receipts_gbp"] + summary["revenue_sums_gbp"], abs=0.005)


def test_moves_are_told_in_names(written):
    sheet = written.shown["Moves"]
    assert [sheet["C5"].value, sheet["D5"].value, sheet["E5"].value] == ["Library", "move", "Westshire County Council"]


def test_every_illustrative_figure_is_listed(written):
    sheet = written.shown["Assumptions"]
    rows = [[cell.value for cell in row[:5]] for row in sheet.iter_rows(min_row=5)]
    assert ["sites", "station", "market_value_gbp", 300_000, "assumed; the row rests on: @SUM(1)"] in rows
    assert any(row[:2] == ["scenario", "optimism bias"] for row in rows)


def test_the_csv_says_each_figure_in_full(written, tmp_path):
    write_tables(tmp_path, {"cash_flow": written.run.tables["cash_flow"]})
    found = pd.read_csv(tmp_path / "cash_flow.csv")
    assert (found["discount_factor"] * found["net_gbp"] - found["present_value_gbp"]).abs().max() < 0.0051
    odd = pd.DataFrame({"x": [12.500000000000002, 0.1 + 0.2, -0.0, 1e-7, 9_999_999_999.99, 123_456_789.01 * 1.0, np.nan]})
    write_tables(tmp_path, {"odd": odd})
    said = (tmp_path / "odd.csv").read_text().split("\n")[1:-1]
    assert said == ["12.5", "0.3", "0", "0.0000001", "9999999999.99", "123456789.01", '""']


def test_notes_say_prices_rates_proof_and_versions(written):
    words = " ".join(str(cell.value) for row in written.shown["Notes"] for cell in row if cell.value)
    for expected in ("2025-26", "3.5% to year 30", "optimal", "0.0000%", "pulp", "SI 2003/3146 regulation 23(h)", "=look out"):
        assert expected in words


def test_the_same_run_gives_the_same_bytes(written, tmp_path):
    write_workbook(tmp_path / "again.xlsx", a_run())
    assert (tmp_path / "again.xlsx").read_bytes() == written.file.read_bytes()
    with zipfile.ZipFile(written.file) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_a_plan_that_changes_nothing_can_be_written(tmp_path):
    place = tiny_place()
    write_workbook(tmp_path / "none.xlsx", a_run(place, plan_of(place, place.access_points["site_id"].to_dict())))
    book = openpyxl.load_workbook(tmp_path / "none.xlsx")
    assert book["Receipts"]["D5"].value == "=0"


def test_what_is_not_proven_says_so_with_its_gap(tmp_path):
    write_workbook(tmp_path / "feasible.xlsx", a_run(status="feasible", gap=0.0123))
    words = openpyxl.load_workbook(tmp_path / "feasible.xlsx")["Summary"]["A2"].value
    assert "feasible, not proven best (gap 1.23%)" in words


def test_long_and_odd_text_is_cut_and_cleaned(tmp_path):
    place = tiny_place(sites={"station": {"name": "x" * 40_000 + "\x07\ufffe\U0001f3db"}})
    write_workbook(tmp_path / "long.xlsx", a_run(place))
    longest = max(len(str(cell.value)) for _, cell in cells(openpyxl.load_workbook(tmp_path / "long.xlsx")))
    assert longest <= 32_767


RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"""


def test_libreoffice_opens_it_and_reckons_the_same(written, soffice, tmp_path):
    profile = tmp_path / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(RECALCULATE)
    out = tmp_path / "out"
    command = [
        soffice,
        f"-env:UserInstallation={profile.parent.as_uri()}",
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(out),
    ]
    subprocess.run([*command, str(written.file)], check=True, capture_output=True, timeout=240)
    reckoned = openpyxl.load_workbook(out / "finance.xlsx", data_only=True)
    compared = 0
    for name, cell in cells(written.formulas):
        if cell.data_type != "f":
            continue
        ours, theirs = written.shown[name][cell.coordinate].value, reckoned[name][cell.coordinate].value
        assert isinstance(theirs, (int, float)), (name, cell.coordinate, theirs)
        assert theirs == pytest.approx(ours, abs=0.2), (name, cell.coordinate)
        compared += 1
    assert compared > 100
