"""The short table that ends a run: what a director would ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from estate.appraise.access import people_within
from estate.appraise.places import changed
from estate.cli.outcome import clean, say
from estate.scenario import Objective
from estate.wording import confirmed, not_repeatable, why_stopped

if TYPE_CHECKING:
    from estate.pipeline.decide import Outcome


def proof(manifest: Any) -> str:
    """The status in plain words."""
    gap = manifest["gap"]
    if manifest["status"] == "optimal":
        goal = manifest["objective"]
        least = "no plan costs less" if Objective(goal).in_money else f"no plan does better at '{goal}'"
        return f"proven best: {least}" if gap < 1e-9 else f"proven best to within {max(gap, 1e-4):.2%}"
    return f"best found; at most {gap:.2%} from the best possible" if gap is not None else "best found; no bound"


def show(outcome: Outcome) -> None:
    """Print the table, the proof and where the results are."""
    m = outcome.manifest
    table = Table(title=Text(clean(m["title"])), title_justify="left", title_style="bold", header_style="bold", show_edge=False)
    for heading in ("", "today", "plan", "change"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=bool(heading))
    money = (m["baseline_gbp_pa"], m["running_cost_gbp_pa"])
    table.add_row("Running cost, £ a year", *_three(*money))
    table.add_row("Buildings in use", *_three(m["sites_before"], m["sites_after"]))
    table.add_row("Shared hubs", *_three(m["hubs_before"], m["hubs_after"]))
    scenario = outcome.prepared.scenario
    for row in people_within(outcome.appraisal.tables["access"]).itertuples():
        label = f"People within {row.limit}: {scenario.service_label(str(row.service))}"
        table.add_row(Text(clean(label)), *_three(int(row.within_before), int(row.within_after)))  # type: ignore[arg-type]
    table.add_section()
    for row in changed(outcome.appraisal.tables["places"]).itertuples():
        label = f"Places with a {scenario.service_label(str(row.service))}"
        table.add_row(Text(clean(label)), *_three(int(row.places_before), int(row.places_after)))  # type: ignore[arg-type]
    table.add_section()
    table.add_row("Counters that move", "", f"{m['moves']:,}", "")
    if m["merges"]:
        table.add_row("  of these, merge with their own service", "", f"{m['merges']:,}", "")
    table.add_row("Capital receipts, £ (once)", "", f"{m['receipts_gbp']:,.0f}", "")
    table.add_row("One-off costs, £", "", f"{m['one_off_gbp']:,.0f}", "")
    table.add_row("To find once, purse by purse, £", "", f"{m['need_gbp']:,.0f}", "")
    Console().print(table)
    if "no_agency_worse_off" in m:
        from estate.page.partners import fair_words

        say(f"\n{fair_words(m['no_agency_worse_off'])}")
    if m["illustrative_figures"]:
        say(f"\nIllustrative: {m['illustrative_figures']:,} input figures are assumed, and marked so wherever they show.")
    say(f"\nStatus: {m['status']} - {proof(m)}; checked independently.")
    for line in confirmed(m.get("certificate")):
        say(f"        {line}")
    if why := not_repeatable(m):
        say(f"        Not repeatable: {why}.")
    sentence, remedy = why_stopped(str(m["stopped"]))
    if sentence:
        say(f"        {sentence}. To know more, {remedy}.")
    say(f"Page:   {outcome.out}/index.html")
    say(f"Tables: {outcome.out}/*.csv, finance.xlsx, plan.gpkg")
    say(f"Next:   open the page, or 'estate explain {outcome.prepared.scenario.file} --site ID' to price one building")


def _three(before: float, after: float) -> tuple[str, str, str]:
    change = after - before
    return f"{before:,.0f}", f"{after:,.0f}", f"{change:+,.0f}" if round(change) else "0"
