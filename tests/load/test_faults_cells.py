"""What people's cells and sheets hold: nothing becomes blank or zero without a word, and what can be read is read."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
import starter
import xlsxwriter
import xlwt
from opendocument import ods
from starter import replace, rows, write

from estate.errors import Severity
from estate.load import read_file
from estate.load.dates import parsed_dates
from estate.scenario import TableFile


@pytest.fixture
def folder(tmp_path):
    return starter.make(tmp_path)


def told(folder, code, *changes):
    return [str(each) for each in starter.found(folder, *changes) if each.code == code]


def as_workbook(folder, table, change=lambda page: None, name="t.xlsx"):
    """The table as a workbook, with a change made to its sheet."""
    book = openpyxl.Workbook()
    page = book.active
    records = rows(folder, table)
    page.append(list(records[0]))
    for record in records:
        page.append([float(value) if value.replace(".", "", 1).isdigit() else value or None for value in record.values()])
    change(page)
    book.save(folder / name)
    replace(folder, f'{table} = "{table}.csv"', f'{table} = "{name}"')


def column_of(page, heading):
    return next(cell.column for cell in page[1] if cell.value == heading)


# ----------------------------------------------------------------------------------------------------- errors in cells


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?"])
def test_a_workbooks_error_is_refused_where_it_stands(folder, error):
    def spoil(page):
        cell = page.cell(2, column_of(page, "other_use_m2"))
        cell.value, cell.data_type = error, "e"

    as_workbook(folder, "sites", spoil)
    said = starter.refused(folder)
    assert f"t.xlsx, row 2, column other_use_m2: '{error}' is a spreadsheet's error, not a value -> mend the formula" in said


def test_a_formula_without_its_value_is_refused(folder):
    as_workbook(folder, "sites", lambda page: page.cell(3, column_of(page, "running_cost_gbp_pa"), "=1000*72"))
    said = starter.refused(folder)
    assert (
        "row 3, column running_cost_gbp_pa: holds a formula whose value is not stored in the file -> open the workbook" in said
    )


def test_a_formula_written_as_nought_was_never_calculated(tmp_path):
    def written(name, value):
        with xlsxwriter.Workbook(str(tmp_path / name)) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, ["a", "b"])
            page.write_row(1, 0, ["x", 1])
            page.write_formula(2, 1, "=B2*2", None, value)
            page.write(2, 0, "y")
        return read_file(TableFile(path=name), tmp_path, "t")[0].frame["b"].tolist()

    assert written("no.xlsx", 0) == ["1", "#UNCALCULATED!"]
    assert written("yes.xlsx", 2) == ["1", "2"]


def test_errors_in_csv_and_in_columns_that_nothing_reads(folder):
    records = rows(folder, "sites")
    records[0]["other_use_m2"] = "#REF!"
    records[1]["remarks"] = "#N/A"
    write(folder, "sites", records)
    assert "row 2, column other_use_m2: '#REF!' is a spreadsheet's error" in starter.refused(folder)
    assert "sites.csv, row 3, column remarks" in told(folder, "sites.error-cell")[-1]
    severities = {each.severity for each in starter.found(folder) if each.where.column == "remarks" and "error" in each.code}
    assert severities == {Severity.WARNING}


# ------------------------------------------------------------------------------------------------- withheld figures


@pytest.mark.parametrize("mark", ["*", "<5", "c", "..", "[x]", "[low]", "-", "n/a", "12%", "1 to 4", ":", "suppressed"])
def test_a_withheld_figure_leaves_a_group_a_group(folder, mark):
    starter.spoil(folder, "zones", 2, age65=mark)
    place = starter.place_of(folder)
    assert place.zones["age65"].dtype == float
    assert place.zones["age65"].isna().sum() == 1
    assert (
        f"zones.csv, column age65: 1 suppressed figure is read as blank: row 2 '{mark}'" in told(folder, "zones.suppressed")[0]
    )
    replace(folder, 'zones = "zones.csv"', 'zones = {path = "zones.csv", suppressed = 2}')
    assert starter.place_of(folder).zones.loc["Z01", "age65"] == 2


def test_a_withheld_figure_in_a_column_of_ours_is_refused_until_it_means_something(folder):
    starter.spoil(folder, "sites", 3, market_value_gbp="[c]", capacity_m2="<5")
    said = starter.refused(folder)
    assert "row 3, column market_value_gbp: '[c]' is not a number" in said
    assert 'leave it blank, or say what such cells stand for: suppressed = "blank"' in said
    replace(folder, 'sites = "sites.csv"', 'sites = {path = "sites.csv", suppressed = 5}')
    place = starter.place_of(folder)
    assert place.sites.loc["ALDERTON-LIBRARY", ["market_value_gbp", "capacity_m2"]].tolist() == [5, 5]
    replace(folder, "suppressed = 5", 'suppressed = "blank"')
    assert "capacity_m2 is blank" in starter.refused(folder)


def test_labels_stay_labels(folder):
    records = rows(folder, "zones")
    for n, record in enumerate(records):
        record.update(band="c" if n > 2 else "1", code=f"00{n}", people="many" if n == 4 else "10")
    write(folder, "zones", records)
    place = starter.place_of(folder)
    assert place.zones["band"].tolist() == ["1"] * 3 + ["c"] * 7
    assert place.zones["code"].iloc[3] == "003"
    assert place.zones["people"].iloc[4] == "many"
    assert "read as labels, not numbers, because of 1 cell: row 6 'many'" in told(folder, "zones.mixed")[0]


# -------------------------------------------------------------------------------------------------------- lost digits


def test_digits_lost_in_a_key_are_an_error_and_elsewhere_a_warning(folder):
    starter.spoil(folder, "sites", 3, uprn="1.00121E+11")
    assert starter.place_of(folder).sites.loc["ALDERTON-LIBRARY", "uprn"] == "1.00121E+11"
    assert "column uprn: 1 cell has lost its digits" in told(folder, "sites.lost-digits")[0]
    starter.spoil(folder, "sites", 3, site_id="1.00121E+11")
    assert "row 3, column site_id: '1.00121E+11' has lost its digits" in starter.refused(folder)


# -------------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "text",
    ["2027-03-31", "20270331", "31/03/2027", "31.03.2027", "31/03/27", "31-Mar-2027", "31-Mar-27", "31st March 2027",
     "31/03/2027 00:00:00", "2027-03-31T00:00:00Z", "2027-03-31T00:00:00.000+01:00", "46477"],
)  # fmt: skip
def test_dates_in_many_forms(folder, text):
    starter.spoil(folder, "sites", 4, lease_end=text)
    assert str(starter.place_of(folder).sites.loc["ALDERTON-JOBCENTRE", "lease_end"]) == "2027-03-31 00:00:00"
    assert bool(told(folder, "sites.day-number")) == (text == "46477")


@pytest.mark.parametrize("text", ["03/31/2027", "30/02/2027", "31 March", "2027", "soon"])
def test_no_dates(text):
    import pandas as pd

    values, _ = parsed_dates(pd.Series([text], dtype="str"))
    assert values.isna().all()


# ------------------------------------------------------------------------------------------------------------- sheets


def test_cells_merged_down_rows_are_filled_and_said(folder):
    def merge(page):
        district = column_of(page, "district")
        for row in range(3, 6):
            page.cell(row, district).value = None
        page.merge_cells(start_row=2, end_row=5, start_column=district, end_column=district)

    as_workbook(folder, "sites", merge)
    assert starter.place_of(folder).sites["district"].value_counts().to_dict() == {"North": 4, "South": 4}
    assert "cells merged down several rows were read as filled: 'North' in rows 2 to 5" in told(folder, "file.merged")[0]


def test_one_figure_merged_over_several_rows_is_refused(folder):
    def merge(page):
        at = column_of(page, "running_cost_gbp_pa")
        page.cell(4, at).value = None
        page.merge_cells(start_row=3, end_row=4, start_column=at, end_column=at)

    as_workbook(folder, "sites", merge)
    said = starter.refused(folder)
    assert "row 3, column running_cost_gbp_pa: is one figure merged over several rows -> unmerge" in said


def test_opendocument_is_read_like_excel(folder):
    before = starter.place_of(folder)
    ods(folder / "sites.dat", rows(folder, "sites"))
    replace(folder, 'sites = "sites.csv"', 'sites = "sites.dat"')
    assert starter.place_of(folder).sites.equals(before.sites)
    records = rows(folder, "sites")
    records[2]["other_use_m2"] = "#REF!"
    ods(folder / "sites.dat", records)
    assert "sites.dat, row 4, column other_use_m2: '#REF!' is a spreadsheet's error" in starter.refused(folder)


def test_a_workbook_that_would_unfold_to_too_much_is_refused_before_it_is_read(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "s.xlsx")) as book:
        page = book.add_worksheet()
        for row in range(3000):
            page.write_string(row, 0, "x" * 32_000 + str(row % 2))
    data = io.BytesIO((tmp_path / "s.xlsx").read_bytes())
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"x" * 32_000, b"x" * 900_000) if "shared" in name else content)
    with pytest.raises(Exception, match="its cells hold 2,575 MB of text; the most is 512 MB"):
        read_file(TableFile(path="t.xlsx"), tmp_path, "t")


# ------------------------------------------------------------------------------------------------------------ Excel 97


def as_xls(folder, change=lambda page, headings: None):
    """The sites as a workbook of Excel 97 to 2003, behind another sheet, with a change made to theirs."""
    book = xlwt.Workbook()
    book.add_sheet("Notes").write(0, 0, "é— 漢" * 8_000)  # goes on over several records
    page = book.add_sheet("Sites", cell_overwrite_ok=True)
    records = rows(folder, "sites")
    headings = list(records[0])
    for n, line in enumerate([headings, *(list(each.values()) for each in records)]):
        for column, value in enumerate(line):
            if value:
                page.write(n, column, float(value) if n and value.replace(".", "", 1).isdigit() else value)
    change(page, headings)
    book.save(str(folder / "t.xls"))
    replace(folder, 'sites = "sites.csv"', 'sites = {path = "t.xls", layer = "Sites"}')


def test_excel_97_is_read_like_excel(folder):
    before = starter.place_of(folder)
    as_xls(folder)
    assert starter.place_of(folder).sites.equals(before.sites)


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (lambda page, at: page.row(1).set_cell_error(at, 23), "'#REF!' is a spreadsheet's error, not a value -> mend"),
        (lambda page, at: page.row(1).set_cell_error(at, 42), "'#N/A' is a spreadsheet's error, not a value -> mend"),
        (lambda page, at: page.write(1, at, xlwt.Formula("1/0")), "holds a formula whose value is not stored in the file"),
    ],
)
def test_what_excel_97_cannot_give_is_refused_where_it_stands(folder, fill, said):
    as_xls(folder, lambda page, headings: fill(page, headings.index("other_use_m2")))
    assert f"t.xls[Sites], row 2, column other_use_m2: {said}" in starter.refused(folder)


def test_cells_of_excel_97_merged_down_rows_are_filled_and_said(folder):
    as_xls(folder, lambda page, headings: page.write_merge(1, 4, *[headings.index("district")] * 2, "North"))
    assert starter.place_of(folder).sites["district"].value_counts().to_dict() == {"North": 4, "South": 4}
    assert "cells merged down several rows were read as filled: 'North' in rows 2 to 5" in told(folder, "file.merged")[0]


def test_text_of_excel_97_that_stands_in_too_many_cells_is_refused_before_it_is_read(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("S")
    for row in range(17_000):
        page.write(row, 0, "x" * 32_767)
    book.save(str(tmp_path / "t.xls"))
    with pytest.raises(Exception, match="its cells hold 531 MB of text; the most is 512 MB"):
        read_file(TableFile(path="t.xls"), tmp_path, "t")


# -------------------------------------------------------------------------------------------- short rows, notes, totals


def test_rows_that_a_spreadsheet_cut_short_are_filled_with_blanks(folder):
    records = [{**each, "illustrative": "", "source": ""} for each in rows(folder, "sites")]
    write(folder, "sites", records)
    before = starter.place_of(folder)
    lines = (folder / "sites.csv").read_text().splitlines()
    (folder / "sites.csv").write_text("\n".join([*lines[:5], *(line.removesuffix(",,") for line in lines[5:]), ""]))
    assert starter.place_of(folder).sites.equals(before.sites)
    assert "4 rows end before the last heading (rows 6, 7, 8, 9)" in told(folder, "file.short")[0]


def test_notes_and_totals_after_a_table_are_left_out_and_said(folder):
    before = starter.place_of(folder)
    records = rows(folder, "zones")
    total = {**dict.fromkeys(records[0], ""), "zone_id": "Total"}
    total |= {name: str(sum(int(each[name]) for each in records)) for name in ("population", "age65")}
    write(folder, "zones", [*records, total])
    with (folder / "zones.csv").open("a") as stream:
        stream.write("\nSource: mid-year estimates\n[x] means not available\n")
    place = starter.place_of(folder)
    assert place.zones.equals(before.zones)
    assert (
        "row 14: rows after the table are left out, as notes (14, 15): 'Source: mid-year estimates'"
        in told(folder, "file.notes")[0]
    )
    assert "row 12: the row is a total" in told(folder, "file.total")[0]


def test_a_row_of_sums_without_a_name_is_a_total(folder):
    records = rows(folder, "zones")
    total = dict.fromkeys(records[0], "") | {"population": str(sum(int(each["population"]) for each in records))}
    write(folder, "zones", [*records, total])
    assert len(starter.place_of(folder).zones) == 10
    total["population"] = "1"
    write(folder, "zones", [*records, total])
    assert "row 12, column zone_id: zone_id is blank" in starter.refused(folder)


# --------------------------------------------------------------------------------------------------------- no headings

PRACTICES = '"A99001","FIRST SURGERY","Y63","WR1 1AA","19740401"\n"A99002","SECOND SURGERY","Y63","WR1 1AB","19740401"\n'


def test_a_list_without_headings(tmp_path):
    (tmp_path / "gp.csv").write_text(PRACTICES)
    raw, _ = read_file(TableFile(path="gp.csv", header_row=0), tmp_path, "t")
    assert list(raw.frame.columns) == ["1", "2", "3", "4", "5"]
    assert raw.frame["1"].tolist() == ["A99001", "A99002"]
    assert raw.rows.tolist() == [1, 2]
    raw, _ = read_file(TableFile(path="gp.csv", header_row=0, headings=("code", "name")), tmp_path, "t")
    assert list(raw.frame.columns) == ["code", "name", "3", "4", "5"]
    assert TableFile(path="gp.csv", columns={"site_id": 1}).columns == {"site_id": "1"}


def test_a_first_row_that_looks_like_data_is_a_warning(folder):
    (folder / "gp.csv").write_text(PRACTICES)
    (folder / "pc.csv").write_text("postcode,easting,northing\nWR1 1AA,400900,249100\nWR1 1AB,401200,248800\n")
    constants = (
        'constants = {agency = "council", kind = "health", tenure = "private", capacity_m2 = 1, running_cost_gbp_pa = 1}'
    )
    option = f'{{path = "gp.csv", columns = {{site_id = "A99001", name = "FIRST SURGERY", postcode = "WR1 1AA"}}, {constants}}}'
    replace(folder, 'sites = "sites.csv"', f'sites = ["sites.csv", {option}]')
    replace(folder, '# postcodes = "codepoint.csv" ', 'postcodes = "pc.csv" ')
    assert (
        "the headings look like a row of the list: 'A99001' stands above 'A99002' -> if there are no headings"
        in told(folder, "file.first-row")[0]
    )
    replace(
        folder,
        'columns = {site_id = "A99001", name = "FIRST SURGERY", postcode = "WR1 1AA"}',
        "header_row = 0, columns = {site_id = 1, name = 2, postcode = 4}",
    )
    assert {"A99001", "A99002"} <= set(starter.place_of(folder).sites.index)
    assert not told(folder, "file.first-row")


def test_a_title_above_the_headings_is_seen(folder):
    text = (folder / "zones.csv").read_text()
    (folder / "zones.csv").write_text("Population of small areas\n\n" + text)
    assert "the headings seem to be in row 3: set header_row" in starter.refused(folder)
    replace(folder, 'zones = "zones.csv"', 'zones = {path = "zones.csv", header_row = 3}')
    assert len(starter.place_of(folder).zones) == 10


# ------------------------------------------------------------------------------------------------------------- columns


def test_a_figure_that_nobody_reads_is_a_warning_with_the_nearest_that_is_read(folder):
    records = rows(folder, "sites")
    for record in records:
        record.update(purchase_cost_gbp="900000", caretaker="J. Smith", heating="gas")
    write(folder, "sites", records)
    said = told(folder, "sites.unread-column")
    assert "sites.csv, column purchase_cost_gbp: nothing reads 'purchase_cost_gbp': it is not a column of sites" in said[0]
    assert "the nearest column that is read is 'exit_cost_gbp'" in said[0]
    assert "2 columns are not read for sites: caretaker, heating" in said[1]
    replace(folder, '# barred = {step_free = ["no"]}', 'barred = {heating = ["oil"], caretaker = ["none"]}')
    assert len(told(folder, "sites.unread-column")) == 1
