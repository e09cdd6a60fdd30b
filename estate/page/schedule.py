"""The tables of a programme as the page shows them: steps, cash, leases, and what was asked besides."""

from __future__ import annotations

from estate.page.spec import Spec

STEPS = {
    "date": "Day",
    "year": "Year",
    "works_year": "Works paid in",
    "step": "Step",
    "service": "Service",
    "decided_by": "Decided by",
    "building": "Building",
    "to_building": "To",
    "cost_gbp": "Costs",
    "receipt_gbp": "Brings",
    "receipt_year": "Brought in",
    "receipt_to": "To whom",
    "worth_gbp": "Worth",
    "pays_back_in": "Paid back in",
    "a_year_later_gbp": "Lost if a year later",
    "waits_for": "Waits for",
}
"""The columns of steps, whichever programme they are of."""

SCHEDULE = (
    Spec("programme", "Steps of the programme", "Every step, in the order in which they are taken.", STEPS),
    Spec(
        "cash",
        "Cash by purse and year",
        "What each purse with a limit receives and pays: its lines add up to what it has left.",
        {"purse": "Purse", "year": "Year", "kind": "Kind of money", "line": "What for", "amount_gbp": "Amount"},
    ),
    Spec(
        "access_by_year",
        "Access in every year",
        "What each year of the programme means for journeys, against today.",
        {
            "year": "Year",
            "service": "Service",
            "within_before": "Within the limit today",
            "within_after": "Within it in that year",
            "mean_after_m": "Average distance",
            "worse_off": "Farther than today",
            "better_off": "Nearer than today",
        },
    ),
    Spec(
        "lease_diary",
        "Lease diary",
        "Every lease that ends or may be broken: when notice falls due, and what becomes of the building.",
        {
            "building": "Building",
            "agency": "Held by",
            "notice_by": "Notice by",
            "lease_break": "May be broken on",
            "lease_end": "Ends on",
            "left_on": "Left on",
            "renewed_gbp_pa": "Renewed at, a year",
            "becomes": "What becomes of it",
        },
    ),
    Spec(
        "funds",
        "Funds",
        "What is drawn on each fund, paid back and still owed at the end of each year, and what it could lend then.",
        {
            "fund": "Fund",
            "purse": "Purse",
            "year": "Year",
            "drawn_gbp": "Drawn",
            "repaid_gbp": "Paid back",
            "owed_gbp": "Owed",
            "left_gbp": "Left to lend",
        },
    ),
    Spec(
        "bodies",
        "Who gains and pays in which year",
        "The ledger by who there is in each year: from vesting on, what is a dissolved council's today is its successor's.",
        {"body": "Body", "year": "Year", "line": "What for", "amount_gbp": "Amount"},
    ),
    Spec(
        "borrowing",
        "What loans and funds earn",
        "The programme chosen again without each loan and each fund; what it costs to have the money stands beside it.",
        {
            "name": "Loan or fund",
            "drawn_gbp": "Drawn",
            "interest_gbp": "Interest",
            "repaid_in": "Paid back in",
            "worth_more_gbp": "Worth more by",
            "costs_more_gbp": "Costs, in present value",
            "earns_gbp": "Earns",
            "status": "Proof",
        },
    ),
    Spec(
        "invest",
        "What more capital would buy",
        "The programme chosen again with more capital in one purse from one year on.",
        {
            "purse": "Purse",
            "year": "From",
            "capital_gbp": "More capital",
            "worth_more_gbp": "Worth more by",
            "per_pound": "For each pound",
            "status": "Proof",
        },
    ),
    Spec(
        "delay",
        "What waiting costs",
        "The programme chosen again with one step not before the year after, or one sale paid a year later.",
        {
            "what": "What",
            "service": "Service",
            "building": "Building",
            "year": "From",
            "not_before": "To",
            "worth_less_gbp": "Costs",
            "status": "Proof",
        },
    ),
    Spec(
        "cases",
        "If money turns out otherwise",
        "The best programme of each case, what this one would be worth in it, and the one whose largest regret is smallest.",
        {
            "case": "Case",
            "best_gbp": "Best programme",
            "this_programme_gbp": "This programme",
            "regret_gbp": "Regret",
            "short_gbp": "A purse is short by",
            "least_regret_programme_gbp": "Programme of least regret",
            "its_regret_gbp": "Its regret",
        },
    ),
    Spec("least_regret", "The programme of least regret", "Its steps, in the order in which they are taken.", STEPS),
)
