"""``estate map``: redraw the page of a stored run, or put two side by side."""

from __future__ import annotations

from pathlib import Path

import click

from estate.cli.options import PUBLIC, RUN
from estate.cli.outcome import say


@click.command("map", short_help="Redraw a page.")
@RUN
@click.option("--compare", type=click.Path(path_type=Path), metavar="RUN", help="Draw this run beside it.")
@click.option("--site", metavar="ID", help="A one-page print view of one building.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Write the page here.")
@PUBLIC
def command(*, run: Path, compare: Path | None, site: str | None, file: Path | None, public: bool) -> None:
    """Redraw the page of RUN from what is stored with it."""
    from estate.page import redraw

    written = redraw(run, compare=compare, site=site, file=file, public=public)
    say(f"Page: {written}")
