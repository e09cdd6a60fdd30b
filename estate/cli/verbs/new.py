"""``estate new``: a starter place."""

from __future__ import annotations

from pathlib import Path

import click

from estate.cli.outcome import say


@click.command("new", short_help="Make a starter place.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--from-osm", default="", metavar="FILE_OR_PLACE", help="Draft sites and counters from OpenStreetMap tags.")
@click.option("--area", default="", metavar="NAME_OR_CODES", help="Cut a place of England from open lists (--lists).")
@click.option("--lists", envvar="ESTATE_DATA", type=click.Path(path_type=Path), help="The folder of lists, or ESTATE_DATA.")
def command(*, folder: Path, from_osm: str, area: str, lists: Path | None) -> None:
    """Make DIR: tables to fill in, a commented scenario, what-ifs, a README.  Nothing in DIR is ever overwritten."""
    from estate.start.new import new

    for file in new(folder, from_osm=from_osm, area=area, lists=lists):
        say(f"  {file}")
    say(f"Next: read {folder}/README.md, then 'estate check {folder}' and 'estate run {folder}'")
