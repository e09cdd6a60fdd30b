"""``estate programme``: which buildings are shared and who moves in which year, chosen together, and what pays for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from estate.cli.options import JSON, OUT, PATH, PUBLIC, QUIET, SET, solver, with_solver
from estate.cli.outcome import clean, emit_json, say, say_to_stderr
from estate.cli.verbs.run import interruptible

if TYPE_CHECKING:
    from estate.pipeline.programme import Programmed


@click.command("programme", short_help="Who moves when, and what pays for it.")
@PATH
@SET
@OUT
@solver
@click.option(
    "--invest",
    type=click.FloatRange(min=0, min_open=True),
    metavar="GBP",
    help="Also what so much more capital in each purse and year would buy, by choosing again.",
)
@click.option("--delay", is_flag=True, help="Also what a year's delay of each step, and of each receipt, would cost.")
@click.option("--cases", is_flag=True, help="Also the best programme of every case, and the one of least regret over them all.")
@click.option(
    "--locks-from", type=click.Path(path_type=Path), metavar="RUN", help="Put the decisions of an earlier plan in order."
)
@PUBLIC
@QUIET
@JSON
def command(
    *, path: Path, changes: tuple[str, ...], out: Path, locks_from: Path | None, public: bool, quiet: bool, as_json: bool,
    **settings: Any,
) -> None:  # fmt: skip
    """Read PATH, and choose its plan and the order of it together over the years of its section [programme].

    Every year's estate keeps every rule, and no purse is ever below nothing.  What is published, under
    maps/<scenario>-programme/, is a run like any other, with the money of every year as the steps fall; and besides the steps
    with their dates, the cash by purse and year, access by year and a lease diary.
    """
    from estate.pipeline.programme import More, programmed

    more = More(*(settings.pop(name) for name in ("invest", "delay", "cases")))
    changes = with_solver(changes, settings)
    if locks_from is not None:
        from estate.whatif import locks_from as locks

        changes = (*locks(locks_from, path), *changes)  # what the committee asks for overrides what was decided
    with interruptible() as stop:
        found = programmed(
            path,
            changes=changes,
            out=out,
            public=public,
            stop=stop,
            say=say_to_stderr(quiet or as_json),
            more=more,
        )
    if as_json:
        emit_json({**found.summary, "verified": found.outcome.verdict.ok, "out": str(found.out)})
        return
    show(found)


def show(found: Programmed) -> None:
    """Print every step with its date, and what the whole is worth."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    said = found.summary
    table = Table(title=Text(clean(said["title"])), title_justify="left", title_style="bold", show_edge=False)
    for heading in ("date", "step", "from", "to", "£", "waits for"):
        table.add_column(heading, justify="right" if heading == "£" else "left")
    for row in found.tables["programme"].to_dict("records"):
        what = row["service"] if row["step"] == "move" else row["step"]
        money = row["receipt_gbp"] - row["cost_gbp"]
        cells = (row["date"], what, row["building"], row["to_building"], f"{money:,.0f}", row["waits_for"])
        table.add_row(*(Text(clean(str(cell))) for cell in cells))
    Console().print(table)
    proof = "proven best" if said["status"] == "optimal" else f"within {said['gap']:.2%} of the best there can be"
    say(f"\nWorth £{said['worth_gbp']:,.0f} ({said['aim']}; {proof}); complete on {said['complete_on'] or 'the first day'}.")
    for line in asked_besides(found):
        say(clean(line))
    say(
        f"Checked independently in every year.  Page: {found.out}/index.html; programme.csv, cash.csv, access_by_year.csv and"
        " lease_diary.csv stand beside it."
    )


def asked_besides(found: Programmed) -> Iterator[str]:
    """What more capital would buy, what waiting costs, and what is regretted, a line each."""
    tables = found.tables
    for row in tables["invest"].to_dict("records") if "invest" in tables else ():
        bought = f"£{row['capital_gbp']:,.0f} more from {row['year']}: worth £{row['worth_more_gbp']:,.0f} more"
        yield f"{row['purse']}: {bought}, {row['per_pound']:.2f} for each pound"
    for row in tables["delay"].to_dict("records") if "delay" in tables else ():
        what = (
            f"the sale of {row['building']}"
            if row["what"] == "receipt"
            else f"{row['service'] or row['what']}, {row['building']}"
        )
        sum_ = f"£{row['worth_less_gbp']:,.0f}" if row["status"] == "optimal" else f"at most £{row['worth_less_gbp']:,.0f}"
        cost = row["status"] if math.isnan(row["worth_less_gbp"]) else f"costs {sum_}"
        yield f"{what}: to wait from {row['year']} to {row['not_before']} {cost}"
    for row in tables["cases"].to_dict("records") if "cases" in tables else ():
        short = f"a purse is £{row['short_gbp']:,.0f} short"
        mine = short if math.isnan(row["regret_gbp"]) else f"£{row['regret_gbp']:,.0f} less than the best of the case"
        its = "there is none" if math.isnan(row["its_regret_gbp"]) else f"£{row['its_regret_gbp']:,.0f} less"
        yield f"{row['case']}: {mine}; the programme of least regret: {its}"
