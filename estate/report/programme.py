"""The sheets of a workbook that a programme has besides: its steps, the cash of every purse by year, access by year, leases."""

from __future__ import annotations

import pandas as pd
from xlsxwriter.utility import xl_rowcol_to_cell

from estate.report.sheet import FIRST, Col, Pen
from estate.runs.run import Run

STEPS = (
    Col("date", "Day", width=12), Col("works_year", "Works paid in", width=11), Col("step", "Step", width=9),
    Col("service", "Service", width=14), Col("agency", "Agency", width=12), Col("decided_by", "Decided by", width=12),
    Col("building", "From", "wrap", 30),
    Col("to_building", "To", "wrap", 30), Col("cost_gbp", "Costs", "gbp", 15, total=True),
    Col("receipt_gbp", "Brings", "gbp", 15, total=True), Col("receipt_year", "Brought in", width=11),
    Col("receipt_to", "Banked by", width=12), Col("worth_gbp", "Worth", "gbp", 15, total=True),
    Col("pays_back_in", "Paid back in", width=12), Col("a_year_later_gbp", "Lost if a year later", "gbp", 15),
    Col("waits_for", "Waits for", "wrap", 40),
)  # fmt: skip
ACCESS = (
    Col("year", "Year", width=10), Col("service", "Service", width=16), Col("people", "People", "int", 11),
    Col("limit", "Limit", "wrap", 24), Col("under_limit", "Under a limit", "int", 12),
    Col("within_before", "Within it today", "int", 12), Col("within_after", "Within it then", "int", 12),
    Col("mean_before_m", "Mean today, m", "int", 12), Col("mean_after_m", "Mean then, m", "int", 12),
    Col("better_off", "Nearer", "int", 11), Col("worse_off", "Farther", "int", 11),
)  # fmt: skip
LEASES = (
    Col("building", "Building", "wrap", 34), Col("agency", "Held by", width=12), Col("notice_by", "Notice by", width=12),
    Col("lease_break", "May be broken on", width=14), Col("lease_end", "Ends on", width=12), Col("left_on", "Left on", width=12),
    Col("renewed_gbp_pa", "Renewed at, a year", "gbp", 15), Col("becomes", "What becomes of it", "wrap", 30),
)  # fmt: skip
FUNDS = (
    Col("fund", "Fund", "wrap", 30), Col("purse", "Purse", "wrap", 30), Col("year", "Year", width=10),
    Col("drawn_gbp", "Drawn", "gbp", 15, total=True), Col("repaid_gbp", "Paid back", "gbp", 15, total=True),
    Col("owed_gbp", "Owed at its end", "gbp", 15), Col("left_gbp", "Left to lend", "gbp", 15),
)  # fmt: skip
BODIES = (
    Col("body", "Body", width=24),
    Col("year", "Year", width=10),
    Col("line", "What for", width=26),
    Col("amount_gbp", "Amount", "gbp", 15, total=True),
)
BORROWING = (
    Col("name", "Loan or fund", "wrap", 34), Col("drawn_gbp", "Drawn", "gbp", 15), Col("interest_gbp", "Interest", "gbp", 15),
    Col("repaid_in", "Paid back in", width=12), Col("worth_more_gbp", "Worth more by", "gbp", 15),
    Col("costs_more_gbp", "Costs, in present value", "gbp", 15), Col("earns_gbp", "Earns", "gbp", 15),
    Col("status", "Proof", width=14),
)  # fmt: skip
INVEST = (
    Col("purse", "Purse", "wrap", 34), Col("year", "From", width=10), Col("capital_gbp", "More capital", "gbp", 15),
    Col("worth_more_gbp", "Worth more by", "gbp", 15), Col("at_most_gbp", "At most by", "gbp", 15),
    Col("per_pound", "For each pound", "factor", 12), Col("status", "Proof", width=12),
)  # fmt: skip
DELAY = (
    Col("what", "What", width=10), Col("service", "Service", width=14), Col("building", "Building", "wrap", 34),
    Col("year", "From", width=10), Col("not_before", "To", width=10), Col("worth_less_gbp", "Costs", "gbp", 15),
    Col("at_least_gbp", "At least", "gbp", 15), Col("status", "Proof", width=14),
)  # fmt: skip
CASES = (
    Col("case", "Case", "wrap", 30), Col("best_gbp", "Best programme", "gbp", 16),
    Col("this_programme_gbp", "This programme", "gbp", 16), Col("regret_gbp", "Regret", "gbp", 15),
    Col("short_gbp", "A purse is short", "gbp", 15), Col("least_regret_programme_gbp", "Least regret", "gbp", 16),
    Col("its_regret_gbp", "Its regret", "gbp", 15), Col("status", "Proof", width=12),
)  # fmt: skip
TABLES = (
    ("programme", "Programme", "Who moves when, and what it waits for", STEPS),
    ("access_by_year", "Access by year", "What each year means for journeys, against today", ACCESS),
    ("lease_diary", "Lease diary", "When notice falls due, and what becomes of each building", LEASES),
    ("funds", "Funds", "What is drawn on each fund, paid back and owed in each year", FUNDS),
    ("bodies", "Bodies by year", "Who gains and pays in which year, by who there is then", BODIES),
    ("borrowing", "Loans and funds", "What the programme is worth more for each loan and fund, and what that costs", BORROWING),
    ("invest", "Invest to save", "What more capital in one purse from one year on would buy", INVEST),
    ("delay", "Cost of delay", "What a year's delay of each step, and of each receipt, would cost", DELAY),
    ("cases", "Cases", "If money turns out otherwise: the best programme then, and what this one is worth", CASES),
    ("least_regret", "Least regret", "The programme whose largest regret over the cases is smallest", STEPS),
)


def programme_sheets(pen: Pen, run: Run, prices: str) -> None:
    """A sheet for each table of a programme that the run has."""
    for name, sheet, title, columns in TABLES:
        if name in run.tables:
            pen.table(sheet, title, prices, columns, run.tables[name])
    if len(cash := run.tables.get("cash", pd.DataFrame())):
        _cash(pen, cash, prices)


def _cash(pen: Pen, cash: pd.DataFrame, prices: str) -> None:
    """Each purse and kind of money: its lines by year, and under them what is left, as live sums."""
    years = sorted(cash["year"].unique())
    columns = (
        Col("line", "Line", "wrap", 34),
        *(Col(year, year, "pounds", 12) for year in years),
        Col("all", "All", "pounds", 13),
    )
    sheet = pen.sheet("Cash by year")
    pen.top(sheet, "Cash of each purse by year", f"Money in is positive. {prices} A kind without a budget has no limit.")
    pen.headings(sheet, FIRST - 1, columns, widths=[column.width for column in columns])
    row, last = FIRST, len(years)
    for (purse, kind), rows in cash.groupby(["purse", "kind"], sort=False):
        pen.text(sheet, row, 0, f"{purse}: {kind}", pen.bold)
        by_line = rows.pivot_table(index="line", columns="year", values="amount_gbp", aggfunc="sum", sort=False)
        table = by_line.reindex(columns=years).fillna(0.0).round(2)
        first = row = row + 1
        for line, amounts in zip(table.index, table.to_numpy().tolist(), strict=True):
            pen.text(sheet, row, 0, str(line).replace("_", " ").capitalize())
            for at, amount in enumerate(amounts, start=1):
                pen.value(sheet, row, at, amount, "pounds")
            span = f"{xl_rowcol_to_cell(row, 1)}:{xl_rowcol_to_cell(row, last)}"
            sheet.write_formula(row, last + 1, f"=SUM({span})", pen.cell["pounds"], round(sum(amounts), 2))
            row += 1
        pen.text(sheet, row, 0, "Left at the end of the year", pen.total["text"])
        left = table.sum().cumsum().round(2).tolist()
        for at, amount in enumerate(left, start=1):
            before = f"{xl_rowcol_to_cell(row, at - 1)}+" if at > 1 else ""
            span = f"{xl_rowcol_to_cell(first, at)}:{xl_rowcol_to_cell(row - 1, at)}"
            sheet.write_formula(row, at, f"={before}SUM({span})", pen.total["pounds"], amount)
        pen.text(sheet, row, last + 1, "", pen.total["text"])
        row += 2
    sheet.freeze_panes(FIRST, 1)
    sheet.repeat_rows(FIRST - 1)
