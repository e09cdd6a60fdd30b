"""The sheets of a workbook that a plan put to its partners has besides."""

from __future__ import annotations

from estate.report.sheet import Col, Pen
from estate.runs.run import Run

PARTNERS = (
    Col("name", "Agency", "wrap", 34), Col("alone_gbp_pa", "Saves alone, a year", "gbp", 15, total=True),
    Col("brings_gbp_pa", "Brings at the end, a year", "gbp", 15),
    Col("own_bill_alone_gbp_pa", "Own bill falls alone by", "gbp", 15),
    Col("own_bill_together_gbp_pa", "Own bill falls in the plan by", "gbp", 15, total=True),
    Col("plan_needs_it", "The plan needs it", width=12),
)  # fmt: skip
GROUPS = (
    Col("names", "Who", "wrap", 60), Col("why", "Listed as", width=12), Col("members", "Agencies", "int", 10),
    Col("saves_gbp_pa", "Save by themselves, a year", "gbp", 15), Col("alone_gbp_pa", "Each of them alone", "gbp", 15),
    Col("pooling_gbp_pa", "Worth of acting together", "gbp", 15), Col("counters_moved", "Counters that move", "int", 12),
    Col("buildings_let_go", "Buildings let go", "int", 12),
)  # fmt: skip
GROUP_PLANS = (
    Col("group", "Who", "wrap", 40), Col("what", "What", width=10), Col("access_point_id", "Counter", "wrap", 22),
    Col("agency", "Agency", width=14), Col("from_name", "From", "wrap", 34), Col("to_name", "To", "wrap", 34),
)  # fmt: skip
WAYS = (
    Col("way", "Way to share", "wrap", 34), Col("verdict", "Would all sign?", "wrap", 20),
    Col("shared_gbp_pa", "Shared, a year", "gbp", 15), Col("to_others_gbp_pa", "Goes to others", "gbp", 14),
    Col("moved_gbp_pa", "Money moved, a year", "gbp", 15), Col("subsidy_gbp_pa", "From outside, a year", "gbp", 14),
    Col("gains_gbp_pa", "Most that leaving gains", "gbp", 15), Col("fund_gbp_pa", "A fund that keeps all", "gbp", 15),
    Col("words", "In words", "wrap", 70),
)  # fmt: skip
SHARES = (
    Col("way", "Way to share", "wrap", 34), Col("name", "Agency", "wrap", 34), Col("gain_gbp_pa", "Gets a year", "gbp", 15),
    Col("alone_gbp_pa", "Saves alone", "gbp", 15), Col("better_than_alone_gbp_pa", "Better than alone by", "gbp", 15),
)  # fmt: skip
LEAVING = (
    Col("way", "Way to share", "wrap", 34), Col("names", "Who", "wrap", 60), Col("saves_gbp_pa", "Save by themselves", "gbp", 15),
    Col("given_gbp_pa", "Are given", "gbp", 15), Col("gains_gbp_pa", "Would gain", "gbp", 15),
)  # fmt: skip
WINNING = (
    Col("name", "Agency", "wrap", 34), Col("all_lose_without_it_gbp_pa", "All lose without it", "gbp", 15),
    Col("own_bill_falls_if_it_joins_gbp_pa", "Own bill falls if it joins", "gbp", 15),
    Col("own_bill_falls_if_it_stays_out_gbp_pa", "Own bill falls if it stays out", "gbp", 15),
    Col("least_inducement_gbp_pa", "Least that wins it, a year", "gbp", 15),
    Col("least_inducement_once_gbp", "The same, once", "gbp", 15), Col("others_can_pay", "Can the others pay it?", width=12),
)  # fmt: skip
PAYMENTS = (
    Col("what_for", "What for", "wrap", 38), Col("from_name", "From", "wrap", 34), Col("to_name", "To", "wrap", 34),
    Col("amount_gbp_pa", "A year", "gbp", 14), Col("from_year", "First year", width=11), Col("to_year", "Last year", width=11),
)  # fmt: skip
ACCOUNTS = (
    Col("measure", "Nobody worse off", "wrap", 22), Col("agency", "Agency", width=16), Col("year", "Year", width=10),
    Col("opening_gbp", "Opening", "gbp", 15), Col("interest_gbp", "Interest", "gbp", 14),
    Col("invested_gbp", "Put in", "gbp", 15),
    Col("receipts_gbp", "Sales", "gbp", 14), Col("saved_gbp", "Saved", "gbp", 14), Col("credited_gbp", "Paid to it", "gbp", 14),
    Col("closing_gbp", "Closing", "gbp", 15),
)  # fmt: skip
PURSES = (
    Col("name", "Purse", "wrap", 34), Col("one_off_gbp", "One-off costs", "gbp", 15), Col("receipts_gbp", "Sales", "gbp", 15),
    Col("must_find_gbp", "Must find", "gbp", 15), Col("has_over_gbp", "Has over", "gbp", 15),
    Col("worth_of_pooling_gbp", "Worth of pooling", "gbp", 15),
)  # fmt: skip
POWERS = (
    Col("payer_kind", "Who pays", "wrap", 26), Col("payee_kind", "Whom", "wrap", 26), Col("payers", "Payers", "wrap", 24),
    Col("payees", "Paid", "wrap", 24), Col("may_pool", "May pool", width=10), Col("may_pay", "May pay", width=10),
    Col("instrument", "Under", "wrap", 40), Col("says", "What it says", "wrap", 50), Col("limits", "Limits", "wrap", 50),
    Col("sure", "Read in the instrument", width=12),
)  # fmt: skip
AGREEMENT = (
    Col("part", "Part", width=18), Col("agency", "Agency", width=16), Col("other_agency", "Other agency", width=16),
    Col("words", "Term", "wrap", 60), Col("site_id", "Building", "wrap", 24), Col("access_point_id", "Counter", "wrap", 20),
    Col("year", "Year", width=10), Col("amount_gbp", "Pounds", "gbp", 15), Col("area_m2", "Area, m2", "number", 10),
    Col("source", "From", width=16),
)  # fmt: skip
VEHICLE = (
    Col("name", "Member", "wrap", 34), Col("value_in_gbp", "Value in", "gbp", 15, total=True),
    Col("equity_percent", "Equity, %", "number", 10), Col("bill_today_gbp_pa", "Bill today", "gbp", 15, total=True),
    Col("bill_by_itself_gbp_pa", "Bill by itself", "gbp", 15, total=True),
    Col("charge_for_space_gbp_pa", "Charged for space", "gbp", 15, total=True),
    Col("charge_for_overhead_gbp_pa", "Charged for overhead", "gbp", 15, total=True),
    Col("better_than_by_itself_gbp_pa", "Better than by itself", "gbp", 15, total=True),
    Col("sales_by_title_gbp", "Sales, by title", "gbp", 15, total=True),
    Col("sales_by_equity_gbp", "Sales, by equity", "gbp", 15, total=True), Col("on_leaving_gbp", "On leaving", "gbp", 15),
    Col("note", "Note", "wrap", 40),
)  # fmt: skip
UNRAVELLING = (
    Col("overhead_shared", "Overhead shared", width=16), Col("step", "Step", "int", 8), Col("name", "Member", "wrap", 34),
    Col("charge_gbp_pa", "Charged", "gbp", 15), Col("by_itself_gbp_pa", "Would pay by itself", "gbp", 15),
    Col("leaves", "Leaves", width=10),
)  # fmt: skip
VEHICLE_TITLES = (
    Col("site_id", "Building", "wrap", 24), Col("name", "Name", "wrap", 40), Col("brought_in_by", "Brought in by", width=14),
    Col("value_gbp", "Worth", "gbp", 15, total=True), Col("in_plan", "In the plan", width=12),
    Col("receipt_gbp", "Its sale brings", "gbp", 15, total=True),
)  # fmt: skip
VEHICLE_BOOKS = (
    Col("year", "Year", width=10), Col("line", "What", "wrap", 28), Col("agency", "Agency", width=16),
    Col("amount_gbp", "Takes, or pays", "gbp", 15),
)  # fmt: skip
REORGANISATION = (
    Col("reorganisation", "Mapping", "wrap", 30), Col("vesting_date", "Vesting", width=12),
    Col("partners", "Partners", "int", 10),
    Col("together_gbp_pa", "Together, a year", "gbp", 15), Col("alone_gbp_pa", "Each alone, a year", "gbp", 15),
    Col("pooling_gbp_pa", "Worth of sharing", "gbp", 15), Col("as_the_plan_falls", "As the plan falls", "wrap", 22),
    Col("most_that_leaving_gains_gbp_pa", "Most that leaving gains", "gbp", 15),
    Col("least_subsidy_gbp_pa", "From outside, a year", "gbp", 15),
)  # fmt: skip
CONSENTS = (
    Col("reorganisation", "Mapping", "wrap", 26), Col("agency", "Agency", width=14), Col("successor", "Successor", "wrap", 20),
    Col("what", "What", "wrap", 20), Col("site_id", "Building", "wrap", 24), Col("year", "Year", width=10),
    Col("amount_gbp", "Amount", "gbp", 15), Col("over_gbp", "Consent above", "gbp", 13), Col("law", "Under", "wrap", 40),
)  # fmt: skip
SAME_SERVICE = (
    Col("reorganisation", "Mapping", "wrap", 26), Col("successor", "Successor", "wrap", 20),
    Col("service", "Service", "wrap", 20), Col("councils", "Councils today", "wrap", 30), Col("counters", "Counters", "int", 10),
    Col("buildings_today", "Buildings today", "int", 12), Col("buildings_in_plan", "In the plan", "int", 12),
    Col("merged_in_plan", "Merged in the plan", "wrap", 40), Col("nearest_counter", "The two nearest", "wrap", 34),
    Col("nearest_other", "And", "wrap", 34), Col("apart_m", "Apart, m", "number", 12),
)  # fmt: skip
SHEETS = (
    ("partners", "Partners", "What each agency saves alone, and what it brings to the saving of all", PARTNERS),
    ("groups", "Groups", "What each alone, each group that was asked about, and all together would save", GROUPS),
    ("group_plans", "Plans of groups", "What each of these groups would do by itself", GROUP_PLANS),
    ("ways", "Ways to share", "Ways to share what is saved, and whether all would sign", WAYS),
    ("shares", "Shares", "What each agency gets in each way", SHARES),
    ("blocking", "Who would leave", "Groups that would save more by themselves", LEAVING),
    ("inducements", "Whom to win", "What would make joining as good as staying out", WINNING),
    ("payments", "Payments", "Who would pay whom, every year", PAYMENTS),
    ("account", "Accounts", "The account of each agency, year by year, with interest at the discount rate", ACCOUNTS),
    ("own_purses", "Own purses", "What each must find itself, and out of one purse", PURSES),
    ("powers", "Legal powers", "By which power partners may pool money or pay one another, as far as it was found", POWERS),
    ("vehicle", "Vehicle", "A property vehicle: what each member brings, is charged, and would pay by itself", VEHICLE),
    ("unravelling", "Vehicle holds", "Who would leave the vehicle, step by step, by how its overhead is shared", UNRAVELLING),
    (
        "vehicle_titles",
        "Vehicle's buildings",
        "Buildings whose title passes to the vehicle, and who brings them",
        VEHICLE_TITLES,
    ),
    ("vehicle_books", "Vehicle's books", "What the vehicle takes and pays; every year adds up to nothing", VEHICLE_BOOKS),
    ("reorganisation", "Reorganisation", "The partners under each mapping of councils to successors", REORGANISATION),
    ("consents", "Consents", "Disposals and contracts that may need a successor's consent before vesting", CONSENTS),
    ("same_service", "One council's counters", "Counters of one service that several councils run and one would", SAME_SERVICE),
    ("agreement", "Heads of terms", "What an agreement would have to say", AGREEMENT),
)


def partner_sheets(pen: Pen, run: Run, prices: str) -> None:
    """A sheet for each table of the partners that the run has."""
    for name, sheet, title, columns in SHEETS:
        if name in run.tables:
            pen.table(
                sheet, title, f"{prices} A year's figure is of a year in which the plan is complete.", columns, run.tables[name]
            )
