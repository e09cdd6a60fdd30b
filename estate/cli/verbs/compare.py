"""``estate compare``: what differs between stored runs."""

from __future__ import annotations

from pathlib import Path

import click

from estate.cli.options import JSON
from estate.cli.outcome import clean, emit_json, say

MOST_SAID = 40
"""Settings or cells printed one by one."""


@click.command("compare", short_help="Differences between runs.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with the first two side by side.")
@JSON
def command(*, runs: tuple[Path, ...], page: Path | None, as_json: bool) -> None:
    """Say how each further RUN differs from the first, in pounds, buildings, counters and people, and why.

    Why: every setting and every cell of the tables that differs, and what each cell did to the plan by itself.  One RUN alone
    is compared with the run of that name before it.
    """
    from estate.runs.compare import differences, figures
    from estate.runs.files import labels, read_run

    runs = with_the_one_before(runs[0]) if len(runs) == 1 else runs
    stored = [read_run(run) for run in runs]
    found = [differences(stored[0], other) for other in stored[1:]]
    if page is not None:
        from estate.page import redraw

        redraw(runs[0], compare=runs[1], file=page)
    if as_json:
        emit_json({"runs": [figures(each) for each in stored], "differences": found})
        return
    for other, difference in zip(stored[1:], found, strict=True):
        say(clean("  ->  ".join(labels(stored[0], other))))
        for name, (a, b) in difference["figures"].items():
            say(f"  {name:32} {a:>16,.0f} {b:>16,.0f} {b - a:>+16,.0f}")
        for name in ("sites", "points"):
            for row in difference[name]:
                say(clean(f"  {row['name']}: {row['first']} -> {row['second']}"))
        if not difference["sites"] and not difference["points"]:
            say("  the same buildings and the same moves")
        _say("Settings that differ", [(each, "") for each in difference["settings"]])
        _say("Cells that differ", [(_where(row), row["effect"]) for row in difference["cells"]])
    if page is not None:
        say(f"Page: {page}")


def _say(title: str, rows: list[tuple[str, str]]) -> None:
    """Lines under a title, each with what it did; the first :data:`MOST_SAID` of them."""
    if rows:
        say(f"{title}: {len(rows):,}")
    for words, effect in rows[:MOST_SAID]:
        say(clean(f"  {words}"))
        if effect:
            say(clean(f"      {effect}"))
    if len(rows) > MOST_SAID:
        say(f"  ... and {len(rows) - MOST_SAID:,} more (all of them with --json)")


def _where(row: dict[str, str]) -> str:
    """The table, the cell, and the name of its row unless that is what differs."""
    name = f" ({row['name']})" if row["name"] and row["column"] != "name" else ""
    return f"{row['table'].replace('_', ' ')}, {row['words']}{name}"


def with_the_one_before(run: Path) -> tuple[Path, Path]:
    """The run before a run of the same name, and the run itself.

    Raises
    ------
    InputError
        When it is no run, or no earlier one is kept.
    """
    from estate.errors import InputError, Issue, Where
    from estate.runs.files import earlier_runs, read_manifest

    read_manifest(run)
    earlier = earlier_runs(run.parent, run.name)
    if not earlier:
        remedy = "name two runs; a run of other inputs or settings keeps the one before it"
        raise InputError(
            issues=[Issue("compare.alone", "there is no earlier run of it to compare with", remedy, Where(str(run)))]
        )
    return earlier[0][0], run
