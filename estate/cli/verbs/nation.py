"""``estate nation``: every county of England."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from estate.cli.options import JSON, QUIET, SET, solver, with_solver
from estate.cli.outcome import emit_json, say, say_to_stderr
from estate.cli.verbs.whatif import shown


@click.command("nation", short_help="Run every county of England, and an atlas.")
@click.argument("lists", metavar="[LISTS]", envvar="ESTATE_DATA", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("maps/nation"),
    show_default=True,
    help="Folder for the atlas and every county's run.",
)
@click.option("--area", "areas", multiple=True, metavar="NAME", help="Only this county or area; may be given more than once.")
@SET
@solver
@click.option("--workers", type=click.IntRange(1, 1024), help="Workers on this machine; by default one for each processor.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="A Dask scheduler of your own, whose workers see --out.")
@QUIET
@JSON
def command(
    *,
    lists: Path | None,
    out: Path,
    areas: tuple[str, ...],
    changes: tuple[str, ...],
    workers: int | None,
    scheduler: str,
    quiet: bool,
    as_json: bool,
    **limits: Any,
) -> None:
    """Cut every county of England from LISTS, a folder of open lists (or ESTATE_DATA), run each, and write an atlas.

    It may be stopped at any moment: the next run does only what is missing.  Exit code 9: some counties have no plan (the
    atlas is written, and says why).
    """
    from estate.nation.atlas import totals
    from estate.nation.job import run_nation

    tell = say_to_stderr(quiet or as_json)
    with shown(quiet=quiet) as progress:
        nation = run_nation(
            lists,
            out=out,
            areas=areas,
            changes=with_solver(changes, limits),
            scheduler=scheduler,
            workers=workers or 0,
            say=tell,
            shown=progress,
        )
    sums = totals(nation.rows)
    if as_json:
        emit_json({**sums, "answered": nation.answered, "out": str(nation.out)})
        return
    how_many = f"{sums['counties']:,.0f} {'county' if sums['counties'] == 1 else 'counties'}"
    say(
        f"{how_many}: {sums['sites_before']:,.0f} buildings become {sums['sites_after']:,.0f}, "
        f"£{sums['saving_gbp_pa']:,.0f} saved a year of £{sums['baseline_gbp_pa']:,.0f} (all costs assumed), "
        f"at most {sums['gap']:.2%} from the best"
    )
    say(f"Page:   {out}/atlas.html\nTables: {out}/counties.csv, prize.csv, sites.csv, atlas.gpkg\nNext:   open the page")
