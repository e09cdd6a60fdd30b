"""The workbook's sheets of options side by side, and of the financial case."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xlsxwriter.utility

from estate.options.finance import settings
from estate.options.tables import funding_totals
from estate.report.sheet import FIRST, Col, Pen
from estate.runs.run import Run

OPTIONS = (
    Col("option", "Option", "wrap", 24), Col("rank", "Rank", "int", 7),
    Col("net_present_cost_gbp", "Net present cost", "gbp", 18),
    Col("less_than_nothing_gbp", "Less than do nothing", "gbp", 17),
    Col("less_than_minimum_gbp", "Less than do minimum", "gbp", 17),
    Col("annual_equivalent_cost_gbp_pa", "Equivalent annual cost", "gbp", 17),
    Col("running_cost_gbp_pa", "Running cost a year", "gbp", 17),
    Col("one_off_gbp", "One-off costs", "gbp", 16), Col("receipts_gbp", "Capital receipts", "gbp", 16),
    Col("revenue_sums_gbp", "Revenue sums", "gbp", 14), Col("repairs_met_gbp", "Repairs met", "gbp", 16),
    Col("repairs_left_gbp", "Repairs left undone", "gbp", 16), Col("refits_gbp", "Fit-outs made again", "gbp", 16),
    Col("renewed_leases_gbp", "Leases renewed, dearer by", "gbp", 15), Col("need_gbp", "To find, purse by purse", "gbp", 16),
    Col("pays_back_in", "Pays back in", width=12), Col("sites", "Buildings", "int", 10), Col("hubs", "Hubs", "int", 8),
    Col("moves", "Counters that move", "int", 10), Col("merges", "Of these, merged", "int", 9),
    Col("people_farther", "People who go farther", "int", 12), Col("most_farther_m", "Farthest of them, m more", "int", 12),
    Col("worse_off_a_year", "Worse off a year than today", "wrap", 34),
    Col("worse_off_in_all", "Worse off in all than do minimum", "wrap", 34), Col("what", "What it is", "wrap", 60),
)  # fmt: skip
AGENCIES = (
    Col("option", "Option", "wrap", 24), Col("name", "Agency", "wrap", 34),
    Col("running_cost_gbp_pa", "Running cost a year", "gbp", 17),
    Col("one_off_gbp", "One-off costs", "gbp", 16), Col("receipts_gbp", "Capital receipts", "gbp", 16),
    Col("revenue_sums_gbp", "Revenue sums", "gbp", 14), Col("upkeep_gbp", "Repairs, fit-outs, leases", "gbp", 16),
    Col("need_gbp", "To find itself, once", "gbp", 16), Col("net_present_cost_gbp", "Net present cost", "gbp", 18),
    Col("more_than_minimum_gbp", "More than under do minimum", "gbp", 17),
)  # fmt: skip
CASE = (
    Col("option", "Option", "wrap", 24), Col("purse", "Purse", "wrap", 22), Col("year", "Year", width=10),
    Col("running_cost_gbp", "Running cost", "gbp", 16), Col("one_off_revenue_gbp", "One-off, revenue", "gbp", 15),
    Col("revenue_vat_gbp", "VAT on it not recovered", "gbp", 14), Col("repaid_gbp", "Loans repaid (MRP)", "gbp", 14),
    Col("interest_gbp", "Interest", "gbp", 14), Col("revenue_sums_gbp", "Revenue sums", "gbp", 14),
    Col("revenue_gbp", "Revenue, net", "gbp", 17), Col("capital_gbp", "Capital", "gbp", 15),
    Col("capital_vat_gbp", "VAT on it not recovered", "gbp", 14), Col("from_receipts_gbp", "Met from receipts", "gbp", 15),
    Col("from_budget_gbp", "Met from budgets", "gbp", 15), Col("from_loans_gbp", "Met from loans", "gbp", 15),
    Col("to_find_gbp", "Still to find", "gbp", 15), Col("capital_receipts_gbp", "Receipts banked", "gbp", 15),
    Col("receipts_left_gbp", "Receipts unspent, end", "gbp", 15), Col("borrowed_gbp", "Borrowed", "gbp", 15),
    Col("owed_gbp", "Owed, end", "gbp", 15),
)  # fmt: skip
STANDS = ("receipts_left_gbp", "owed_gbp")
"""What stands at the end of a year adds up to nothing over years."""


def option_sheets(pen: Pen, run: Run, prices: str) -> None:
    """The sheets, where the run has options."""
    if "options" not in run.tables:
        return
    _options(pen, run, prices)
    note = f"{prices} Above nothing in the last column: the agency pays more than if only the minimum were done."
    pen.table("Options by agency", "What each option costs each agency", note, AGENCIES, run.tables["option_agencies"])
    frame, asked = run.tables["financial_case"], settings(run.scenario)
    tax = f"VAT at {asked.vat:.0%} where it is not recovered" if asked.vat else "no VAT is added or taken off"
    rise = f"prices rise by {asked.inflation:.1%} a year" if asked.inflation else "no inflation is set, so prices stay"
    note = f"Cash in the money of each year: {rise}; {tax}. Residual values are no cash."
    columns = [
        column if column.name not in ("option", "purse") else Col(column.name, column.heading, "text", column.width)
        for column in CASE
    ]
    pen.table("Financial case", "Financial case: cash by purse and year", note, columns, frame)
    _funding(pen, frame, note)


def _options(pen: Pen, run: Run, prices: str) -> None:
    """One row an option; what each costs less than others is worked out in the sheet."""
    frame, name = run.tables["options"], "Options"
    note = f"All that the agencies pay less what they receive. {prices} What is kept is kept fit, but under do nothing."
    pen.table(name, "Options side by side", note, OPTIONS, frame)
    sheet = pen.book.get_worksheet_by_name(name)
    letter = _letter(OPTIONS, "net_present_cost_gbp")
    for column, against in (("less_than_nothing_gbp", FIRST + 1), ("less_than_minimum_gbp", FIRST + 2)):
        at = [each.name for each in OPTIONS].index(column)
        for n, value in enumerate(frame[column].tolist(), start=FIRST):
            sheet.write_formula(n, at, f"={letter}${against}-{letter}{n + 1}", pen.cell["gbp"], value)


def _letter(columns: tuple[Col, ...], name: str) -> str:
    found: str = xlsxwriter.utility.xl_col_to_name([each.name for each in columns].index(name))
    return found


def _funding(pen: Pen, frame: pd.DataFrame, note: str) -> None:
    """Each option's cash over all purses and years: live sums of the sheet before."""
    totals: Any = funding_totals(frame)
    columns = tuple(column for column in CASE if column.name not in ("purse", "year", *STANDS))
    pen.table("Sources of funds", "What each option takes, and out of what", f"All purses and years. {note}", columns, totals)
    sheet, last = pen.book.get_worksheet_by_name("Sources of funds"), FIRST + len(frame)
    for at, column in enumerate(columns[1:], start=1):
        letter = _letter(CASE, column.name)
        for n, value in enumerate(totals[column.name].tolist(), start=FIRST):
            where = f"'Financial case'!$A${FIRST + 1}:$A${last},$A{n + 1},'Financial case'!{letter}${FIRST + 1}:{letter}${last}"
            sheet.write_formula(n, at, f"=SUMIF({where})", pen.cell["gbp"], value)
