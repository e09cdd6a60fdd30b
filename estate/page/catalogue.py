"""Which tables the page shows, which of their columns, and the plain heading of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spec:
    """A table of the run as the page shows it; without ``columns``, every column under a heading made of its name."""

    name: str
    title: str
    intro: str
    columns: Mapping[str, str]
    assumed: Mapping[str, str] = field(default_factory=dict)
    """Column = the input column whose being assumed makes it an assumed figure."""


SPECS = (
    Spec(
        "sites",
        "Buildings",
        "Every building, what happens to it, and why. Choose a name to see it on the map.",
        {
            "name": "Building",
            "after": "In the plan",
            "agency_name": "Held by",
            "district": "District",
            "services_before": "Services today",
            "services_after": "Services in the plan",
            "area_used_before_m2": "Floor area used today",
            "area_used_after_m2": "Used in the plan",
            "capacity_m2": "Floor area there is",
            "running_cost_before_gbp_pa": "Running cost a year today",
            "running_cost_after_gbp_pa": "In the plan (cost a year)",
            "net_receipt_gbp": "Receipt if sold",
            "why": "Why",
        },
        {
            "area_used_before_m2": "area_m2",
            "area_used_after_m2": "area_m2",
            "capacity_m2": "capacity_m2",
            "running_cost_before_gbp_pa": "running_cost_gbp_pa",
            "running_cost_after_gbp_pa": "running_cost_gbp_pa",
            "net_receipt_gbp": "market_value_gbp",
        },
    ),
    Spec(
        "moves",
        "Moves",
        "Each counter that moves to another building, how far, and what the move costs once. One that merges joins another of its"
        " service there: fewer places may be left: see Places with each service.",
        {
            "name": "Counter",
            "service": "Service",
            "kind": "Move or merge",
            "agency": "Run by",
            "from_name": "From",
            "to_name": "To",
            "distance_m": "Distance",
            "time_s": "Time",
            "area_m2": "Floor area",
            "one_off_gbp": "One-off cost",
            "consultation": "Consultation",
            "consultation_reason": "Reason",
        },
    ),
    Spec(
        "places",
        "Places with each service",
        "How many buildings have each service, today and in the plan, and by the building’s district.",
        {
            "service": "Service",
            "group": "Counted",
            "value": "District",
            "places_before": "Places today",
            "places_after": "Places in the plan",
            "change": "Change",
            "counters_moved": "Counters that move",
            "counters_merged": "Of these, merged",
        },
    ),
    Spec(
        "capital_receipts",
        "Receipts",
        "What letting each building go brings in, once, to the body that holds its title.",
        {
            "name": "Building",
            "agency_name": "Title held by",
            "tenure": "Tenure",
            "gross_gbp": "Sale price",
            "low_gbp": "Low",
            "high_gbp": "High",
            "disposal_cost_gbp": "Cost of selling",
            "net_receipt_gbp": "Net receipt",
            "revenue_sum_gbp": "Paid to revenue",
            "receipt_year": "Year",
            "consent": "Consent needed",
            "under_value_flag": "Under value",
            "rule": "Rule",
            "why_nil": "Why nothing",
        },
        {"gross_gbp": "market_value_gbp", "net_receipt_gbp": "market_value_gbp", "disposal_cost_gbp": "disposal_cost_gbp"},
    ),
    Spec(
        "access",
        "People and distance",
        "How far people live from the nearest building with each service, for everyone and for groups.",
        {
            "service": "Service",
            "group": "Group",
            "value": "Which",
            "people": "People",
            "limit": "Limit",
            "within_before": "Within the limit today",
            "within_after": "Within, in the plan",
            "mean_before_m": "Average today",
            "mean_after_m": "Average in the plan",
            "median_before_m": "Half live within, today",
            "median_after_m": "Half live within, plan",
            "p95_before_m": "95% live within, today",
            "p95_after_m": "95% live within, plan",
            "better_off": "Nearer",
            "worse_off": "Farther",
            "worse_mean_m": "Farther by, on average",
        },
    ),
    Spec(
        "affected",
        "Worst affected places",
        "Where journeys grow most, the longest first.",
        {
            "name": "Place",
            "district": "District",
            "service": "Service",
            "people": "People",
            "distance_before_m": "Distance today",
            "distance_after_m": "In the plan",
            "farther_m": "Farther by",
            "nearest_before": "Nearest today",
            "nearest_after": "Nearest in the plan",
        },
    ),
    Spec(
        "agencies",
        "Who pays and who gains",
        "Running cost a year by agency, with what each receives and spends once.",
        {
            "name": "Agency",
            "cost_before_gbp_pa": "Cost a year today",
            "cost_after_gbp_pa": "Cost a year in the plan",
            "gain_gbp_pa": "Gain a year",
            "receipts_gbp": "Receipts (once)",
            "one_off_gbp": "One-off costs",
        },
    ),
    Spec(
        "transfers",
        "Payments between agencies",
        "Payments a year after which nobody is worse off than today, in proportion to what each gains.",
        {"basis": "Counted on", "from_name": "From", "to_name": "To", "amount_gbp_pa": "A year"},
    ),
    Spec(
        "partners",
        "Partners",
        "What each agency saves by itself, and by how much the saving of all falls if it alone stays out.",
        {
            "name": "Agency",
            "alone_gbp_pa": "Saves alone, a year",
            "brings_gbp_pa": "Brings at the end, a year",
            "own_bill_alone_gbp_pa": "Own bill falls alone by",
            "own_bill_together_gbp_pa": "Own bill falls in the plan by",
            "plan_needs_it": "The plan needs it",
        },
    ),
    Spec(
        "shares",
        "Ways to share",
        "What each agency gets in each way, and against going alone.",
        {
            "way": "Way to share",
            "name": "Agency",
            "gain_gbp_pa": "Gets a year",
            "alone_gbp_pa": "Saves alone",
            "better_than_alone_gbp_pa": "Better than alone by",
        },
    ),
    Spec(
        "blocking",
        "Who would leave",
        "Groups that would save more by themselves than a way to share gives them. coalitions.csv has every group that was looked"
        " at, witnesses.csv the plan that shows what each saves.",
        {
            "way": "Way to share",
            "names": "Who",
            "saves_gbp_pa": "Save by themselves",
            "given_gbp_pa": "Are given",
            "gains_gbp_pa": "Would gain",
        },
    ),
    Spec(
        "payments",
        "Payments between partners",
        "Payments a year that make a way to share come true, or leave nobody worse off.",
        {
            "what_for": "What for",
            "from_name": "From",
            "to_name": "To",
            "amount_gbp_pa": "A year",
            "from_year": "First year",
            "to_year": "Last year",
        },
    ),
    Spec(
        "settlements",
        "Nobody worse off",
        "What the plan is worth to each agency now, before and after payments; and if savings come in at four fifths.",
        {
            "measure": "Measured",
            "name": "Agency",
            "invested_gbp": "Puts in once",
            "receipts_gbp": "Sales bring",
            "worth_gbp": "Worth before",
            "credit_gbp_pa": "Is paid a year",
            "worth_after_gbp": "Worth after",
            "worth_after_if_savings_80_gbp": "If savings are 80%",
        },
    ),
    Spec(
        "account",
        "Accounts year by year",
        "Each agency’s account: what it was out of pocket or ahead, with interest at the discount rate, money in and out.",
        {
            "measure": "Measured",
            "agency": "Agency",
            "year": "Year",
            "opening_gbp": "Opening",
            "interest_gbp": "Interest",
            "invested_gbp": "Put in",
            "receipts_gbp": "Sales",
            "saved_gbp": "Saved",
            "credited_gbp": "Paid to it",
            "closing_gbp": "Closing",
        },
    ),
    Spec(
        "agreement",
        "Heads of terms",
        "What an agreement would have to say, each line from the table it names.",
        {
            "part": "Part",
            "agency": "Agency",
            "words": "Term",
            "site_id": "Building",
            "year": "Year",
            "amount_gbp": "Pounds",
            "area_m2": "Floor area",
            "source": "From",
        },
    ),
    Spec(
        "consultation",
        "Consultation",
        "Counters whose move a rule says to ask people about, or that could not be tested.",
        {
            "name": "Counter",
            "service": "Service",
            "from_name": "From",
            "to_name": "To",
            "distance_m": "Distance",
            "consultation": "Consultation",
            "consultation_reason": "The rule",
        },
    ),
    Spec(
        "sensitivities",
        "If things turn out differently",
        "The same plan with the figures changed as each row says. Value today is every later pound at what it is worth now.",
        {
            "name": "What changes",
            "npv_gbp": "Value today",
            "change_gbp": "Change to it",
            "annual_equivalent_saving_gbp_pa": "The same as a saving a year of",
            "pays_back_in": "Pays back in",
        },
    ),
    Spec(
        "switching", "How far it could go wrong", "What it would take for the plan to be worth nothing.", {"words": "In words"}
    ),
    Spec(
        "cash_flow",
        "Year by year",
        "Money out and in, each year. The last columns turn later pounds into what they are worth now.",
        {
            "financial_year": "Year",
            "running_cost_before_gbp": "Running cost, today’s estate",
            "running_cost_after_gbp": "Running cost, the plan",
            "saving_gbp": "Saved",
            "one_off_gbp": "One-off costs",
            "sale_costs_met_gbp": "Costs of sale, met from receipts",
            "sales_gbp": "Sales",
            "net_gbp": "Left over",
            "present_value_gbp": "Worth now",
            "cumulative_present_value_gbp": "Worth now, so far",
        },
    ),
    Spec(
        "assumptions",
        "Assumptions",
        "Every figure that is assumed rather than taken from a record, and where it comes from.",
        {"table": "Table", "id": "Row", "column": "Figure", "value": "Value", "source": "Where it comes from"},
    ),
)
