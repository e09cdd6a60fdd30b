"""``estate partners``: who would sign the plan, who would leave, and what would keep them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from estate.cli.options import JSON, OUT, PATH, PUBLIC, QUIET, SET, solver, with_solver
from estate.cli.outcome import clean, emit_json, say, say_to_stderr
from estate.cli.verbs.run import interruptible

if TYPE_CHECKING:
    import pandas as pd

    from estate.pipeline.decide import Outcome


@click.command("partners", short_help="Who would sign, and who would leave.")
@PATH
@SET
@OUT
@solver
@click.option(
    "--question-time",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Time for the partners' questions; what is then not proven is an interval.",
)
@click.option(
    "--orders",
    type=click.IntRange(min=4),
    default=20,
    show_default=True,
    help="Orders of joining drawn where there are too many partners to list every group.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="A+B+C",
    help="Print the best plan of these agencies by themselves too; repeatable. Instead of partners.groups.",
)
@PUBLIC
@QUIET
@JSON
def command(  # noqa: PLR0913  (one for each option)
    *, path: Path, changes: tuple[str, ...], out: Path, question_time: float | None, orders: int, groups: tuple[str, ...],
    public: bool, quiet: bool, as_json: bool, **limits: Any,
) -> None:  # fmt: skip
    """Read PATH, choose the hubs, and ask of the plan whether its partners would sign.

    What each agency saves alone, what all save together, ways to share it, and for each way whether somebody, alone or with
    others, would do better by leaving.  The run is published under maps/ as 'estate run' does, with these tables beside it.
    """
    from estate.cli.progress import shown
    from estate.pipeline.job import run

    if groups:  # a list of lists is the same in JSON and in TOML
        changes = (*changes, f"partners.groups={json.dumps([group.split('+') for group in groups])}")
    changes = with_solver(changes, limits)
    with interruptible() as stop, shown(quiet=quiet or as_json) as progress:
        outcome = run(
            path, changes=changes, out=out, public=public, progress=progress, stop=stop,
            say=say_to_stderr(quiet or as_json), partners={"time_s": question_time, "orders": orders},
        )  # fmt: skip
    if as_json:
        emit_json({**outcome.manifest["partners"], "status": outcome.manifest["status"], "out": str(outcome.out)})
        return
    show(outcome)


def show(outcome: Outcome) -> None:
    """Print what each saves, and what each way to share would lead to."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    said, tables = outcome.manifest["partners"], outcome.appraisal.tables
    ways = tables["ways"]
    shares = tables["shares"]
    gain = dict(zip(zip(shares["agency"], shares["way"], strict=True), shares["gain_gbp_pa"], strict=True))
    table = Table(title=Text("Better off a year, £ thousand"), title_justify="left", title_style="bold", show_edge=False)
    for heading in ("agency", "alone", *LETTERS[: len(ways)]):
        first = heading == "agency"
        table.add_column(heading, justify="left" if first else "right", no_wrap=True, min_width=8 if first else 6)
    for row in tables["partners"].to_dict("records"):
        cells = [f"{row['alone_gbp_pa'] / 1000:,.1f}", *(f"{gain[row['agency'], way] / 1000:,.1f}" for way in ways["way"])]
        table.add_row(Text(clean(row["agency"])), *cells)
    table.add_section()
    table.add_row("Would all sign?", "", *(SIGNS[verdict] for verdict in ways["verdict"]))
    Console().print(table)
    say(f"\nTogether they save £{said['together_gbp_pa']:,.0f} a year; each alone, £{said['alone_gbp_pa']:,.0f}.")
    say(f"Sharing is worth £{said['pooling_gbp_pa']:,.0f} a year.")
    for letter, way, words in zip(LETTERS, ways["way"], ways["words"], strict=False):
        say(clean(f"\n{letter}  {way[0].upper()}{way[1:]}.  {words}"))
    _say_groups(tables["groups"], tables["group_plans"])
    if said["least_subsidy_gbp_pa"]:
        say(f"\nNo way to share keeps everybody without £{said['least_subsidy_gbp_pa']:,.0f} a year from outside.")
    say(f"\nPage:   {outcome.out}/index.html")
    say(f"Tables: {outcome.out}/partners.csv, groups.csv, ways.csv, shares.csv, blocking.csv, coalitions.csv, witnesses.csv")


def _say_groups(groups: pd.DataFrame, plans: pd.DataFrame) -> None:
    """What each group that was asked for could do by itself, and what that is worth."""
    for row in groups[groups["why"] == "asked for"].to_dict("records"):
        mine = plans[plans["group"] == row["group"]]
        moves, closes = (mine[mine["what"] == what] for what in ("moves", "closes"))
        say()
        say(
            clean(
                f"{row['group'].replace(';', ' + ')} by themselves save £{row['saves_gbp_pa']:,.0f} a year:"
                f" £{row['pooling_gbp_pa']:,.0f} more than each alone."
            )
        )
        for from_, counters in moves.groupby("from_name", sort=False):
            to = ", ".join(dict.fromkeys(counters["to_name"]))
            gone = "; let go" if (closes["from_name"] == from_).any() else ""
            say(clean(f"  {from_} to {to}{gone}"))


LETTERS = "ABCDEFGHIJ"
SIGNS = {"stable": "yes", "somebody would leave": "no", "not proven either way": "?"}
