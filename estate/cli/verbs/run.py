"""``estate run``: the main job."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from estate.cli.options import JSON, OUT, PATH, PUBLIC, QUIET, SET, solver, with_solver
from estate.cli.outcome import clean, emit_json, print_issues, say, say_to_stderr

SUMMARY = (
    "status", "objective_gbp_pa", "bound_gbp_pa", "gap", "baseline_gbp_pa", "saving_gbp_pa", "receipts_gbp", "one_off_gbp",
    "sites_before", "sites_after", "hubs_before", "hubs_after", "moves", "merges", "verified", "repeatable", "certificate",
)  # fmt: skip


@click.command("run", short_help="Choose the hubs.")
@PATH
@SET
@OUT
@solver
@click.option("--require-optimal", is_flag=True, help="Exit with 5 unless the plan is proven optimal.")
@click.option("--locks-from", type=click.Path(path_type=Path), metavar="RUN", help="Keep every decision of an earlier plan.")
@click.option("--options", is_flag=True, help="Set the plan beside doing nothing, the minimum and others, as 'estate options'.")
@click.option("--committee", is_flag=True, help="Answer beforehand, for the page, what if any building stays or goes.")
@PUBLIC
@QUIET
@JSON
def command(  # noqa: PLR0913  (one for each option)
    *, path: Path, changes: tuple[str, ...], out: Path, require_optimal: bool, locks_from: Path | None, options: bool,
    committee: bool, public: bool, quiet: bool, as_json: bool, **limits: Any,
) -> None:  # fmt: skip
    """Read PATH, choose the hubs, check the plan independently, and publish it under maps/.

    The first Ctrl-C stops the search and publishes the best verified plan; a second ends at once with nothing published.
    """
    from estate.cli.progress import shown
    from estate.errors import NotOptimalError
    from estate.pipeline.decide import stored
    from estate.pipeline.job import run

    changes = with_solver(changes, limits)
    if locks_from is not None:
        from estate.whatif import locks_from as locks

        changes = (*locks(locks_from, path), *changes)  # what the committee asks for overrides what was decided
    tell, more = say_to_stderr(quiet or as_json), None
    if committee:
        from estate.whatif.committee import with_committee

        more = partial(with_committee, say=tell)
    with interruptible() as stop, shown(quiet=quiet or as_json) as progress:
        outcome = run(
            path, changes=changes, out=out, public=public, progress=progress, stop=stop, say=tell,
            options=() if options else None, more=more,
        )  # fmt: skip
    manifest = outcome.manifest
    if public:
        from estate.page.public import left_out
        from estate.pipeline.publish import PUBLIC as FOLDER

        folder, missing = (outcome.out or out) / FOLDER, left_out(stored(outcome))
    if as_json:
        handed_out = {"public": str(folder), "public_leaves_out": missing} if public else {}
        emit_json({**{name: manifest[name] for name in SUMMARY}, "out": str(outcome.out), **handed_out})
    else:
        print_issues([each for each in outcome.issues if each.severity == "warning"], err=True)
        from estate.cli.director import show

        show(outcome)
        if public:
            say(f"Public: {folder}/index.html, with its tables; it leaves out:")
            for each in missing:
                say(clean(f"  {each}"))
    if require_optimal and manifest["status"] != "optimal":
        raise NotOptimalError(
            f"the plan is {manifest['status']}, with a gap of {manifest['gap']:.3%}; it is published in {outcome.out}"
        )


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """The first Ctrl-C sets the event; a second is an interrupt."""
    stop = threading.Event()

    def first(number: int, frame: Any) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        sys.stderr.write("\nstopping: the best plan so far will be checked and published (Ctrl-C again to end at once)\n")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
