"""``estate travel``: the travel tables by themselves, and the detour factor a street network supports."""

from __future__ import annotations

from pathlib import Path

import click

from estate.cli.options import JSON, OUT, PATH, QUIET, SET
from estate.cli.outcome import emit_json, print_issues, say, say_to_stderr


@click.command("travel", short_help="Build and report the travel table.")
@PATH
@SET
@OUT
@click.option(
    "--calibrate", is_flag=True, help="Fit the detour factor and speeds of the straight-line model to the street network."
)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table here.")
@QUIET
@JSON
def command(
    *, path: Path, changes: tuple[str, ...], out: Path, calibrate: bool, csv_file: Path | None, quiet: bool, as_json: bool
) -> None:
    """Measure how far everything in PATH is apart, and say how."""
    from estate.load import load
    from estate.pipeline.prepare import prepare
    from estate.scenario import load_scenario
    from estate.standards.journeys import calibration, travel_table

    scenario = load_scenario(path, changes)
    tell = say_to_stderr(quiet or as_json)
    if calibrate:
        fits = calibration(load(scenario), scenario, out / ".cache")
        if as_json:
            emit_json({mode: fit for mode, (fit, _) in fits.items()})
        else:
            for mode, (_, words) in fits.items():
                say(f"{mode}: {words}")
        return
    prepared = prepare(scenario, cache=out / ".cache", say=tell)
    travel = prepared.travel
    sizes = {f"{kind} {mode}": len(pairs) for kind in ("home", "between") for mode, pairs in getattr(travel, kind).items()}
    if csv_file is not None:
        travel_table(prepared.place, travel).to_csv(csv_file, index=False, lineterminator="\n")
    if as_json:
        emit_json(
            {"method": travel.method, "digest": travel.digest, "pairs": sizes, "notes": [n.as_row() for n in travel.notes]}
        )
        return
    say(f"Method: {travel.method}")
    for name, size in sizes.items():
        kind, mode = name.split()
        say(f"  {'zones to sites' if kind == 'home' else 'sites to sites':15} {mode:8} {size:>10,} pairs")
    print_issues(travel.notes)
    say(f"Next: estate run {path}")
