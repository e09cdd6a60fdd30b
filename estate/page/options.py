"""Options side by side, as the page shows them: what each costs, what it does to journeys, who is worse off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.options.finance import settings
from estate.options.tables import funding_totals
from estate.page import facts, words

if TYPE_CHECKING:
    from estate.runs.run import Run

type Say = Callable[[Any], str]

UNNAMED = "Another plan"
"""An option whose name may not be shown."""
COSTS: Mapping[str, tuple[str, Say]] = {
    "net_present_cost_gbp": ("Cost in all (net present cost)", words.gbp),
    "rank": ("Rank by that, of those that keep buildings fit", words.count),
    "less_than_minimum_gbp": ("Less than do minimum by", words.gbp),
    "running_cost_gbp_pa": ("Running cost a year", words.gbp),
    "one_off_gbp": ("One-off costs", words.gbp),
    "receipts_gbp": ("Capital receipts, once", words.gbp),
    "need_gbp": ("To find once, purse by purse", words.gbp),
    "repairs_met_gbp": ("Repairs outstanding that are met", words.gbp),
    "repairs_left_gbp": ("Repairs outstanding that are left undone", words.gbp),
    "refits_gbp": ("Fit-outs made again", words.gbp),
    "renewed_leases_gbp": ("Leases renewed, dearer by", words.gbp),
    "pays_back_in": ("Pays back in", words.clean),
}
"""A column of the table = what its line is called, and how its figures are said; a line of nothing but noughts is left out."""
PEOPLE: Mapping[str, tuple[str, Say]] = {
    "sites": ("Buildings in use", words.count),
    "hubs": ("Hubs", words.count),
    "moves": ("Counters that move", words.count),
    "merges": ("Of these, merged", words.count),
    "people_farther": ("People who go farther for a service", words.count),
    "most_farther_m": ("The farthest of them go farther by", lambda metres: words.miles(metres) if metres else ""),
    "most_longer_s": ("The farthest of them take longer by", lambda seconds: words.minutes(seconds) if seconds else ""),
}
FUNDS = {
    "capital_gbp": "Capital",
    "capital_vat_gbp": "VAT on it, not recovered",
    "from_receipts_gbp": "Met from receipts",
    "from_budget_gbp": "From budgets",
    "from_loans_gbp": "From loans",
    "to_find_gbp": "Still to find",
    "repaid_gbp": "Loans repaid (MRP)",
    "interest_gbp": "Interest",
    "one_off_revenue_gbp": "One-off revenue",
    "revenue_vat_gbp": "VAT on it, not recovered",
    "revenue_gbp": "All revenue, net",
}


def section(run: Run) -> dict[str, Any] | None:
    """What the section shows, or None where the plan was not set beside others (or may not be)."""
    if "options" not in run.tables:
        return None
    frame = facts.table(run, "options", ("option",))
    names = [words.clean(name) or UNNAMED for name in frame["option"]]
    return {
        "headings": ["", *names],
        "costs": _rows(frame, COSTS),
        "people": [*_rows(frame, PEOPLE), *_within(run, list(frame["option"]))],
        "what": [
            {"name": name, "text": words.clean_long(what)}
            for name, what in zip(names, facts.table(run, "options", ("what",))["what"], strict=True)
            if words.clean_long(what)
        ],
        "worse": _worse(frame, names),
        "funds": _funds(run),
        "left_out": [
            f"Not shown: {words.clean(each['name'])}, because {words.clean_long(each['why'])}."
            for each in run.manifest.get("options", {}).get("left_out", ())
        ],
    }


def _rows(frame: pd.DataFrame, lines: Mapping[str, tuple[str, Say]]) -> list[list[str]]:
    """A line for each column that says anything, a cell for each option."""
    found = []
    for column, (label, say) in lines.items():
        if column not in frame:
            continue
        cells = frame[column]
        amounts = pd.to_numeric(cells, errors="coerce")
        if not ((amounts.fillna(0) != 0) | (amounts.isna() & (cells.astype(str) != ""))).any():
            continue
        found.append([label, *("" if pd.isna(cell) or cell == "" else say(cell) for cell in cells)])
    return found


def _within(run: Run, options: list[str]) -> list[list[str]]:
    """For each service with a limit, the share of people who have it within that."""
    frame = facts.table(run, "option_access", ("option", "service", "limit", "people", "under_limit", "within_after"))
    frame["under_limit"] = frame["under_limit"].fillna(frame["people"])
    found = []
    for service, mine in frame[frame["limit"].astype(str) != ""].groupby("service", sort=False):
        label = f"{facts.service_label(run, str(service))} within {words.clean(mine['limit'].iloc[0])}"
        share = {row["option"]: words.share(row["within_after"], row["under_limit"]) for row in mine.to_dict("records")}
        found.append([label, *(share.get(each, "") for each in options)])
    return found


def _worse(frame: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Who is worse off under each plan, in words; nothing where that may not be shown."""
    found = []
    if "worse_off_in_all" not in frame:
        return []
    for name, row in zip(names, frame.to_dict("records"), strict=True):
        if row["kind"] in ("do nothing", "do minimum"):
            continue
        lines = [
            f"{said}: {words.clean_long(row[column])}." if row[column] else f"{said}: nobody."
            for column, said in (
                ("worse_off_a_year", "Running cost is more than today for"),
                ("worse_off_in_all", "All told it costs more than the minimum for"),
            )
        ]
        found.append({"name": name, "lines": lines})
    return found


def _funds(run: Run) -> dict[str, Any] | None:
    """The financial case over all purses and years, and the terms it is drawn up on."""
    if "financial_case" not in run.tables:
        return None
    totals = funding_totals(run.tables["financial_case"])
    columns = {name: label for name, label in FUNDS.items() if (totals[name] != 0).any()}
    asked, years = settings(run.scenario), run.scenario.money.horizon_years
    rise = f"prices rise by {words.percent(asked.inflation)} a year" if asked.inflation else "no inflation is set"
    tax = f"VAT at {words.percent(asked.vat)} is added to works and fees" if asked.vat else "no VAT is added or taken off"
    return {
        "note": f"Cash over {words.count(years)} years, in the money of each year: {rise}; {tax}. Loans pay for capital alone.",
        "headings": ["Option", *columns.values()],
        "rows": [
            [words.clean(row["option"]), *(words.gbp(row[name]) for name in columns)] for row in totals.to_dict("records")
        ],
    }
