"""``finance.xlsx``: the books as a finance officer takes them to a committee.

Text is always written as text, so that nothing a user typed can run; totals are live formulas with the value already in
them; dates are fixed, so that the same run gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from estate.appraise.ledger import LINES, YEARLY
from estate.money.law import year_label
from estate.report.notes import notes
from estate.report.options import option_sheets
from estate.report.partners import partner_sheets
from estate.report.programme import programme_sheets
from estate.report.sheet import FIRST, Col, Pen, Total, clean
from estate.runs.run import Run, worth_knowing

MOST_WARNINGS = 8
"""On the summary; the notes have them all."""
MOST_YEARS_A_PAGE = 45
"""A longer cash flow prints on several pages."""
LINE_WORDS = {"fitout": "Fit-out"}
CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001  (XlsxWriter takes naive dates; fixed, for the same bytes)
RECEIPTS = (
    Col("name", "Building", "wrap", 30), Col("agency_name", "Title held by", "wrap", 26), Col("tenure", "Tenure", width=11),
    Col("gross_gbp", "Gross", "gbp", 15, total=True), Col("low_gbp", "Low", "gbp", 15, total=True),
    Col("high_gbp", "High", "gbp", 15, total=True), Col("disposal_cost_gbp", "Cost of sale", "gbp", 13, total=True),
    Col("disposal_met_from_receipt_gbp", "Met from receipt", "gbp", 13, total=True),
    Col("disposal_to_revenue_gbp", "Charged to revenue", "gbp", 13, total=True),
    Col("net_receipt_gbp", "Capital receipt, net", "gbp", 15, total=True),
    Col("revenue_sum_gbp", "Revenue sum", "gbp", 13, total=True), Col("receipt_year", "Year", width=10),
)  # fmt: skip
REASONS = (
    Col("name", "Building", "wrap"), Col("why_nil", "Why nil", "wrap"), Col("site_id", "Site", "wrap"),
    Col("rule", "Rules", "wrap"), Col("consent", "Sale under value", "wrap"),
    Col("flexible_use", "Use for reform costs", "wrap"), Col("illustrative", "Assumed figures", "wrap"),
)  # fmt: skip
"""What the law says of each; the widest share two or three columns of the table above."""
REASON_SPANS = ((0, 0), (1, 1), (2, 2), (3, 4), (5, 6), (7, 9), (10, 11))
LEDGER = (
    Col("agency_name", "Agency", "wrap", 30), Col("line", "Line", width=22), Col("site_id", "Site", width=12),
    Col("site_name", "Building", "wrap", 34), Col("access_point_id", "Access point", width=14),
    Col("from_year", "First year", width=11), Col("yearly_gbp", "In a complete year", "gbp", 18, total=True),
    Col("once_gbp", "Once", "gbp", 18, total=True),
)  # fmt: skip
MOVES = (
    Col("access_point_id", "Access point", width=14), Col("name", "Name", "wrap", 28), Col("service", "Service", width=14),
    Col("kind", "Move or merge", width=9), Col("agency", "Agency", "wrap", 26), Col("from_name", "From", "wrap", 28),
    Col("to_name", "To", "wrap", 28), Col("date", "Day", width=12),
    Col("distance_m", "Distance, m", "int", 12), Col("time_s", "Time, s", "int", 10),
    Col("area_m2", "Area, m2", "number", 10), Col("one_off_gbp", "One-off cost", "gbp", 16, total=True),
    Col("why", "Why", "wrap", 30), Col("decision", "Decided by", "wrap", 28),
    Col("consultation", "Consultation", width=13), Col("consultation_reason", "Reason", "wrap", 36),
)  # fmt: skip
AGENCIES = (
    Col("name", "Agency", "wrap", 34), Col("cost_before_gbp_pa", "Running cost a year, today", "gbp", 17, total=True),
    Col("cost_after_gbp_pa", "Running cost a year, plan", "gbp", 17, total=True),
    Col("gain_gbp_pa", "Gain a year", "gbp", 16, total=True), Col("transfer_gbp_pa", "Transfer a year", "gbp", 15, total=True),
    Col("one_off_gbp", "One-off costs", "gbp", 16, total=True), Col("receipts_gbp", "Capital receipts", "gbp", 16, total=True),
    Col("revenue_sums_gbp", "Revenue sums", "gbp", 14, total=True),
    Col("need_gbp", "To find itself, once", "gbp", 16, total=True), Col("spare_gbp", "Left of its sales", "gbp", 15, total=True),
    Col("peak_need_gbp", "Most it is short", "gbp", 16),
    Col("annual_equivalent_gain_gbp_pa", "Gain as an annual equivalent", "gbp", 17, total=True),
    Col("annual_equivalent_transfer_gbp_pa", "Transfer on that basis", "gbp", 15, total=True),
)  # fmt: skip
TRANSFERS = (
    Col("basis", "On", "wrap", 34), Col("from_name", "From", "wrap", 17), Col("to_name", "To", "wrap", 17),
    Col("amount_gbp_pa", "A year", "gbp", 16),
)  # fmt: skip
DECISIONS = (
    Col("decided_by", "Decided by", "wrap", 30), Col("decided_on", "On", width=12), Col("minute", "Minute", "wrap", 24),
    Col("status", "Status", width=12), Col("lock", "What", width=10), Col("site_id", "Site", "wrap", 16),
    Col("site_name", "Building", "wrap", 34), Col("access_point_id", "Access point", "wrap", 16),
)  # fmt: skip
PURSES = (
    Col("purse", "Purse", "wrap", 26), Col("agencies", "Agencies", "wrap", 22), Col("power", "Pooled under", "wrap", 22),
    Col("year", "Year", width=10), Col("capital_budget_gbp", "Capital budget", "gbp", 15),
    Col("capital_spent_gbp", "Capital spent", "gbp", 15, total=True),
    Col("receipts_gbp", "Receipts banked", "gbp", 15, total=True),
    Col("capital_left_gbp", "Capital budget left", "gbp", 15), Col("revenue_budget_gbp", "Revenue budget", "gbp", 15),
    Col("revenue_spent_gbp", "Revenue spent", "gbp", 15, total=True),
    Col("revenue_sums_gbp", "Revenue sums", "gbp", 14, total=True), Col("revenue_left_gbp", "Revenue budget left", "gbp", 15),
    Col("need_gbp", "Still to find by its end", "gbp", 16),
)  # fmt: skip
SENSITIVITIES = (
    Col("name", "Case", "wrap", 34), Col("receipts", "Receipts", "percent", 11), Col("one_off", "One-off costs", "percent", 11),
    Col("savings", "Savings", "percent", 11), Col("delay_years", "Savings late, years", "int", 10),
    Col("receipts_late_years", "Receipts late, years", "int", 10),
    Col("npv_gbp", "Net present value", "pounds", 18), Col("change_gbp", "Change", "pounds", 16),
    Col("annual_equivalent_saving_gbp_pa", "Saving a year, annual equivalent", "pounds", 18),
    Col("pays_back_in", "Pays back in", width=13),
)  # fmt: skip
SWITCHING = (
    Col("what", "What changes, alone", "wrap", 34), Col("change_percent", "Change", "change", 11),
    Col("words", "In words"),
)  # fmt: skip
ASSUMPTIONS = (
    Col("table", "Table", width=14), Col("id", "Row", "wrap", 28), Col("column", "Figure", width=26),
    Col("value", "Value", "general", 16), Col("source", "Source", "wrap", 70),
)  # fmt: skip
CASH_FLOW = (
    Col("financial_year", "Year", width=10), Col("running_cost_before_gbp", "Running cost, today", "pounds", 15, total=True),
    Col("running_cost_after_gbp", "Running cost, plan", "pounds", 15, total=True), Col("saving_gbp", "Saving", "pounds", 14),
    Col("one_off_gbp", "One-off costs", "pounds", 14, total=True),
    Col("sale_costs_met_gbp", "Sale costs met from receipts", "pounds", 14, total=True),
    Col("sales_gbp", "Sales, gross", "pounds", 14, total=True),
    Col("later_gbp", "Backlog, refits, residual value", "pounds", 14, total=True),
    Col("net_gbp", "Net", "pounds", 14), Col("discount_factor", "Factor", "factor", 9),
    Col("present_value_gbp", "Present value", "pounds", 15, total=True),
    Col("cumulative_present_value_gbp", "Total so far", "pounds", 15),
)  # fmt: skip


def write_workbook(file: Path, run: Run) -> None:
    """Write the workbook of a run.

    Sheets: Summary, Receipts, Ledger, Cash flow, Sensitivities, Moves, Agencies, Purses, Assumptions, Notes; a programme, and a
    plan that was set beside other options or put to its partners, have their sheets before the assumptions.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), options) as workbook:
        workbook.set_properties({"title": clean(run.scenario.label), "created": CREATED})
        _write(Pen(workbook, run.scenario.label), run)


def _write(pen: Pen, run: Run) -> None:
    tables, base = run.tables, run.manifest.get("price_base") or "the scenario's own"
    prices = f"GBP at {base} prices."
    summary = pen.sheet("Summary", landscape=False)
    every = "In a complete year: every year once the plan is complete. ledger.csv has all years."
    book = entries(tables["ledger"], run)
    totals = {
        "receipts": _receipts(pen, tables["capital_receipts"], prices),
        "ledger": pen.table("Ledger", "Ledger", f"Against today's estate; a gain is positive. {prices} {every}", LEDGER, book),
        "cash": _cash_flow(pen, run, prices),
    }
    _sensitivities(pen, run, prices)
    moves = tables["moves"].assign(
        service=[run.scenario.service_label(each) for each in tables["moves"]["service"]],
        agency=tables["moves"]["agency"].map(run.place.agencies["name"]),
    )
    pen.table("Moves", "Access points that move", f"{prices} Distances from the old building to the new.", MOVES, moves)
    totals["agencies"] = _agencies(pen, run, prices)
    note = f"{prices} Purses are apart unless partners pool them; a receipt counts in the year in which it is banked."
    pen.table("Purses", "Whose money pays, by year", note, PURSES, run.tables["purses"])
    option_sheets(pen, run, prices)
    programme_sheets(pen, run, prices)
    partner_sheets(pen, run, prices)
    if (decided := run.tables.get("decisions")) is not None and len(decided):
        pen.table("Decisions", "Who decided what", "What the plan had to keep to.", DECISIONS, decided)
    pen.table("Assumptions", "Assumptions", "Every figure that is assumed rather than taken from a record.", ASSUMPTIONS,
                tables["assumptions"])  # fmt: skip
    _notes(pen, run)
    _summary(pen, run, summary, totals, prices)


def _receipts(pen: Pen, frame: pd.DataFrame, prices: str) -> dict[str, Total]:
    note = f"What each building let go brings, to the holder of its title. {prices}"
    found = pen.table("Receipts", "Capital receipts", note, RECEIPTS, frame, repeat=False)
    sheet = pen.book.get_worksheet_by_name("Receipts")
    row = FIRST + len(frame) + 2
    pen.text(sheet, row, 0, "What the rules say of each", pen.bold)
    spaced = frame.assign(illustrative=[text.replace(";", "; ") for text in frame["illustrative"]])
    pen.spread(sheet, row + 1, REASONS, REASON_SPANS, spaced)
    return found


def _cash_flow(pen: Pen, run: Run, prices: str) -> dict[str, Total]:
    """Cash by year with live arithmetic, and its chart."""
    frame, name = run.tables["cash_flow"], "Cash flow"
    # Kept unrounded, so that the value in each cell is what its formula gives, and the total that of its column, over any years.
    present = frame["net_gbp"] * frame["discount_factor"]
    frame = frame.assign(present_value_gbp=present, cumulative_present_value_gbp=present.cumsum())
    sheet = pen.sheet(name)
    pen.top(sheet, name, f"Against today's estate. {prices} Real terms; factors from the Green Book's stepped rates.")
    pen.headings(sheet, FIRST - 1, CASH_FLOW, widths=[column.width for column in CASH_FLOW])
    if len(frame) <= MOST_YEARS_A_PAGE:
        sheet.fit_to_pages(1, 1)
    end = pen.rows(sheet, FIRST, CASH_FLOW, frame)
    for n, row in enumerate(frame.itertuples(index=False), start=FIRST + 1):
        before = f"+L{n - 1}" if n > FIRST + 1 else ""
        for column, formula, value in (
            (3, f"=B{n}-C{n}", row.saving_gbp),
            (8, f"=D{n}+E{n}+F{n}+G{n}+H{n}", row.net_gbp),
            (10, f"=I{n}*J{n}", row.present_value_gbp),
            (11, f"=K{n}{before}", row.cumulative_present_value_gbp),
        ):
            sheet.write_formula(n - 1, column, formula, pen.cell["pounds"], value)
    sheet.freeze_panes(FIRST, 1)
    sheet.repeat_rows(FIRST - 1)
    found = pen.totals(sheet, name, end, CASH_FLOW, frame)
    chart = pen.book.add_chart({"type": "column"})
    years = [name, FIRST, 0, end - 1, 0]
    chart.add_series({"name": "Net cash of the year", "categories": years, "values": [name, FIRST, 8, end - 1, 8],
                      "fill": {"color": "#2f6f9f"}, "gap": 60})  # fmt: skip
    line = pen.book.add_chart({"type": "line"})
    line.add_series({"name": "Present value, total so far", "categories": years, "values": [name, FIRST, 11, end - 1, 11],
                     "line": {"color": "#c2570c", "width": 2.25}})  # fmt: skip
    chart.combine(line)
    chart.set_title({"name": "Net cash by year, and present value so far", "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": '£#,##0,"k"', "major_gridlines": {"visible": True, "line": {"color": "#dde3ea"}}})
    chart.set_x_axis({"label_position": "low", "interval_unit": max(len(frame) // 10, 1), "num_font": {"rotation": -45}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 980, "height": 340})
    sheet.insert_chart(end + 2, 0, chart, {"description": "Columns: net cash of each year. Line: discounted total so far."})
    return found


def _sensitivities(pen: Pen, run: Run, prices: str) -> None:
    tables, sheet = run.tables, pen.sheet("Sensitivities")
    pen.top(sheet, "If things turn out differently", f"The same plan with other figures. {prices} 100% is as planned.")
    pen.headings(sheet, FIRST - 1, SENSITIVITIES, widths=[column.width for column in SENSITIVITIES])
    end = pen.rows(sheet, FIRST, SENSITIVITIES, tables["sensitivities"])
    pen.text(sheet, end + 1, 0, "Switching values: what would bring the net present value to nothing", pen.bold)
    pen.headings(sheet, end + 2, SWITCHING)
    for n, row in enumerate(tables["switching"].itertuples(index=False), start=end + 3):
        pen.text(sheet, n, 0, row.what)
        pen.value(sheet, n, 1, row.change_percent, "change")
        pen.text(sheet, n, 2, row.words)
    sheet.freeze_panes(FIRST, 1)


def _agencies(pen: Pen, run: Run, prices: str) -> dict[str, Total]:
    frame = run.tables["agencies"]
    concerned = frame[(frame[["cost_before_gbp_pa", "cost_after_gbp_pa", "one_off_gbp", "receipts_gbp"]] != 0).any(axis=1)]
    found = pen.table(
        "Agencies", "Who pays and who gains", f"{prices} Against today's estate; gains are positive.", AGENCIES, concerned
    )
    sheet = pen.book.get_worksheet_by_name("Agencies")
    row = FIRST + len(concerned) + 3
    pen.text(sheet, row, 0, "Transfers a year that leave nobody worse off, in proportion to what each gains", pen.bold)
    pen.headings(sheet, row + 1, TRANSFERS)
    transfers = run.tables["transfers"]
    end = pen.rows(sheet, row + 2, TRANSFERS, transfers)
    if not len(transfers):
        pen.text(sheet, end, 0, "None: see the sentences of the summary.")
    return found


def _notes(pen: Pen, run: Run) -> None:
    sheet = pen.sheet("Notes", landscape=False)
    pen.text(sheet, 0, 0, "Notes", pen.big)
    columns = (Col("label", "", "wrap"), Col("words", "", "wrap"))
    for column, width in enumerate((34, 84)):
        pen.width(sheet, column, width)
    row = 2
    for heading, lines in notes(run):
        pen.text(sheet, row, 0, heading, pen.bold)
        row = pen.rows(sheet, row + 1, columns, pd.DataFrame(lines, columns=["label", "words"])) + 1


def _summary(pen: Pen, run: Run, sheet: Any, totals: Mapping[str, Mapping[str, Total]], prices: str) -> None:
    found = run.manifest
    for column, width in enumerate((52, 18, 18, 18)):
        pen.width(sheet, column, width)
    status = str(found.get("status", ""))
    gap = "unknown" if found.get("gap") is None else f"{found['gap']:.2%}"
    proof = "proven to be the best plan under these rules" if status == "optimal" else f"{status}, not proven best (gap {gap})"
    pen.top(sheet, pen.title, f"The plan against today's estate; {proof}. {prices}")
    row = 3
    for column, heading in enumerate(("", "Today", "The plan", "Change")):
        pen.text(sheet, row, column, heading, pen.head_right if column else pen.head)
    paid = totals["agencies"]
    pairs: list[tuple[str, str, Total | float, Total | float]] = [
        ("Running cost a year", "pounds", paid["cost_before_gbp_pa"], paid["cost_after_gbp_pa"]),
        ("Net present cost", "pounds", found["npc_before_gbp"], found["npc_after_gbp"]),
        ("Equivalent annual cost", "pounds", found["baseline_gbp_pa"], found["annual_equivalent_cost_gbp_pa"]),
        ("Buildings in use", "int", found["sites_before"], found["sites_after"]),
        ("Hubs: buildings with public services of two kinds or more", "int", found["hubs_before"], found["hubs_after"]),
    ]  # fmt: skip
    for label, kind, before, after in pairs:
        row += 1
        pen.text(sheet, row, 0, label)
        worth = [pen.linked(sheet, row, column, value, kind) for column, value in ((1, before), (2, after))]
        change = pen.cell["plain" if kind == "pounds" else "signed"]
        sheet.write_formula(row, 3, f"=C{row + 1}-B{row + 1}", change, round(worth[1] - worth[0], 2))
    money = run.scenario.money
    blocks: dict[str, list[tuple[str, str, Total | float | str]]] = {
        "Once": [
            ("Capital receipts, net of the sale costs they may meet", "pounds", totals["receipts"]["net_receipt_gbp"]),
            ("   if sold at the low end of the valuations, gross", "pounds", totals["receipts"]["low_gbp"]),
            ("Sums too small to be capital receipts (revenue)", "pounds", totals["receipts"]["revenue_sum_gbp"]),
            ("One-off costs, with sale costs charged to revenue", "pounds", totals["agencies"]["one_off_gbp"]),
            ("To find, purse by purse (what one has left meets nothing of another's)", "pounds", found["need_gbp"]),
            ("   if every agency went alone", "pounds", totals["agencies"]["need_gbp"]),
            ("   if all of them were one purse", "pounds", found["pooled_need_gbp"]),
        ],
        f"Over {money.horizon_years} years from {year_label(money.base_year)}": [
            ("Net present value", "pounds", totals["cash"]["present_value_gbp"]),
            ("Pays back in: discounted total not below nothing from", "right", _or_never(found.get("pays_back_in"))),
        ],
    }  # fmt: skip
    for heading, lines in blocks.items():
        row += 2
        pen.text(sheet, row, 0, heading, pen.head)
        pen.text(sheet, row, 1, "", pen.head_right)
        for label, kind, figure in lines:
            row += 1
            pen.text(sheet, row, 0, label)
            pen.linked(sheet, row, 1, figure, kind)
    row = pen.paragraphs(sheet, row + 2, "In words", found.get("in_words", ()))
    warned = [each for each in found.get("issues", ()) if each.get("severity") == "warning"]
    cautions = [worth_knowing(each) for each in warned[:MOST_WARNINGS]]
    if len(warned) > MOST_WARNINGS:
        cautions.append(f"{len(warned) - MOST_WARNINGS} further warnings: see Notes.")
    assumed = len(run.tables["assumptions"])
    cautions.append(f"{assumed:,} figures are assumed or set by the scenario: the sheet Assumptions lists every one.")
    pen.paragraphs(sheet, row + 1, "Take care", cautions)
    sheet.activate()


def _or_never(figure: float | str | None) -> float | str:
    return "never" if figure is None else figure


def entries(ledger: pd.DataFrame, run: Run) -> pd.DataFrame:
    """The ledger with one row an entry: ``from_year``, what it is in a complete year (the last of the horizon), or once."""
    keys = ["agency", "line", "site_id", "access_point_id"]
    names, sites = run.place.agencies["name"], run.place.sites["name"]
    yearly = ledger["line"].isin(YEARLY)
    last = run.tables["cash_flow"]["financial_year"].iloc[-1]
    table = ledger.assign(
        yearly_gbp=ledger["amount_gbp"].where(yearly & (ledger["year"] == last)),
        once_gbp=ledger["amount_gbp"].where(~yearly),
    )
    found = table.groupby(keys, sort=False).agg(
        from_year=("year", "min"), yearly_gbp=("yearly_gbp", "sum"), once_gbp=("once_gbp", "sum")
    )
    found = found.round(2).replace({"yearly_gbp": {0.0: float("nan")}, "once_gbp": {0.0: float("nan")}}).reset_index()
    found["agency_name"], found["site_name"] = found["agency"].map(names), found["site_id"].map(sites)
    found["order"] = found["line"].map({line: n for n, line in enumerate(LINES)})
    found = found.sort_values(["agency", "order", "site_id", "access_point_id"], kind="stable", ignore_index=True)
    return found.assign(line=[LINE_WORDS.get(line, line.replace("_", " ").capitalize()) for line in found["line"]])
