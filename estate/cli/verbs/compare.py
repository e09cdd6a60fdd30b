"""``estate compare``: what differs between stored runs."""

from __future__ import annotations

from pathlib import Path

import click

from estate.cli.options import JSON
from estate.cli.outcome import clean, emit_json


@click.command("compare", short_help="Differences between runs.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with the first two side by side.")
@JSON
def command(*, runs: tuple[Path, ...], page: Path | None, as_json: bool) -> None:
    """Say how each further RUN differs from the first, in pounds, buildings, counters and people."""
    from estate.errors import UsageError
    from estate.runs.compare import differences, figures
    from estate.runs.files import read_run

    if len(runs) < 2:
        raise UsageError("compare needs two runs or more")
    stored = [read_run(run) for run in runs]
    found = [differences(stored[0], other) for other in stored[1:]]
    if page is not None:
        from estate.page import redraw

        redraw(runs[0], compare=runs[1], file=page)
    if as_json:
        emit_json({"runs": [figures(each) for each in stored], "differences": found})
        return
    for other, difference in zip(stored[1:], found, strict=True):
        click.echo(clean(f"{stored[0].scenario.label}  ->  {other.scenario.label}"))
        for name, (a, b) in difference["figures"].items():
            click.echo(f"  {name:32} {a:>16,.0f} {b:>16,.0f} {b - a:>+16,.0f}")
        for name in ("sites", "points"):
            for row in difference[name]:
                click.echo(clean(f"  {row['name']}: {row['first']} -> {row['second']}"))
        if not difference["sites"] and not difference["points"]:
            click.echo("  the same buildings and the same moves")
    if page is not None:
        click.echo(f"Page: {page}")
