"""``estate options``: doing nothing, doing the minimum, the plan and other plans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from estate.cli.options import JSON, OUT, PATH, PUBLIC, QUIET, SET, solver, with_solver
from estate.cli.outcome import clean, emit_json, print_issues, say, say_to_stderr
from estate.cli.verbs.run import interruptible

if TYPE_CHECKING:
    from estate.pipeline.decide import Outcome
    from estate.scenario import Alternative


@click.command("options", short_help="The plan beside doing nothing, the minimum and others.")
@PATH
@SET
@OUT
@solver
@click.option(
    "--alternative",
    "labels",
    multiple=True,
    metavar="LABEL",
    help="Another plan: the label of a scenario in the what-if file, such as 'close SITE'. Repeatable.",
)
@click.option(
    "--whatif",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The what-if file that has them; default: whatif.toml beside the scenario.",
)
@PUBLIC
@QUIET
@JSON
def command(
    *, path: Path, changes: tuple[str, ...], out: Path, labels: tuple[str, ...], file: Path | None, public: bool, quiet: bool,
    as_json: bool, **limits: Any,
) -> None:  # fmt: skip
    """Read PATH, choose the hubs, and set the plan beside doing nothing, doing the minimum, and other plans.

    Other plans are those of the scenario's section [options], those that --alternative names, or the usual two.  Present cost,
    payback, journeys and who is worse off stand in options.csv; cash in the money of each year, and out of what it is paid, in
    financial_case.csv.  The run is published under maps/ as 'estate run' does.
    """
    from estate.cli.progress import shown
    from estate.pipeline.job import run

    alternatives: tuple[Alternative, ...] = ()
    if labels:
        from estate.scenario.reading import find
        from estate.whatif.named import alternatives_of

        alternatives = alternatives_of(file or find(path).parent / "whatif.toml", labels)
    with interruptible() as stop, shown(quiet=quiet or as_json) as progress:
        outcome = run(
            path, changes=with_solver(changes, limits), out=out, public=public, progress=progress, stop=stop,
            say=say_to_stderr(quiet or as_json), options=alternatives,
        )  # fmt: skip
    if as_json:
        rows = outcome.appraisal.tables["options"].astype(object)
        emit_json(
            {
                "options": rows.where(rows.notna(), None).to_dict("records"),
                "left_out": outcome.manifest["options"]["left_out"],
                "status": outcome.manifest["status"],
                "out": str(outcome.out),
            }
        )
        return
    print_issues([each for each in outcome.issues if each.severity == "warning"], err=True)
    show(outcome)


def show(outcome: Outcome) -> None:
    """Print each option's present cost, its once and a year, and what it does to people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text("£ thousand; in all: net present cost; farther: people who go farther"),
        title_justify="left",
        title_style="bold",
        show_edge=False,
    )
    for heading in ("option", "in all", "less than\nminimum", "a year", "once", "pays\nback", "farther"):
        first = heading == "option"
        table.add_column(heading, justify="left" if first else "right", no_wrap=not first, min_width=16 if first else 5)
    rows = outcome.appraisal.tables["options"].to_dict("records")
    for row in rows:
        amounts = ("net_present_cost_gbp", "less_than_minimum_gbp", "running_cost_gbp_pa", "one_off_gbp")
        cells = [f"{row[name] / 1000:,.0f}" for name in amounts]
        table.add_row(Text(clean(row["option"])), *cells, row["pays_back_in"], f"{row['people_farther']:,}")
    Console().print(table)
    for row in rows:
        if row["worse_off_in_all"] and row["kind"] not in ("do nothing", "do minimum"):
            say(clean(f"\n{row['option']}: in all, dearer than the minimum for {row['worse_off_in_all']}."))
    for each in outcome.manifest["options"]["left_out"]:
        say(clean(f"\nNot in the table: {each['name']} ({each['why']})."))
    say(f"\nPage:   {outcome.out}/index.html")
    say(f"Tables: {outcome.out}/options.csv, option_agencies.csv, option_access.csv, option_changes.csv, financial_case.csv")
