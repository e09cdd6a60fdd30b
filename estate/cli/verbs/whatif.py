"""``estate whatif``: a batch of scenarios."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from estate.cli.options import JSON, OUT, QUIET
from estate.cli.outcome import emit_json, say, say_to_stderr

if TYPE_CHECKING:
    from estate.whatif.workers import Progress


@click.command("whatif", short_help="Run a batch of scenarios.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@OUT
@click.option("--dry-run", is_flag=True, help="Say how many scenarios there are, and about how long they take.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Workers on this machine; by default one for each processor.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="A Dask scheduler of your own: tcp://host:8786 or tls://...")
@click.option("--no-reuse", is_flag=True, help="Read and build everything for each scenario: slow, and the same answers.")
@QUIET
@JSON
def command(
    *, file: Path, out: Path, dry_run: bool, workers: int | None, scheduler: str, no_reuse: bool, quiet: bool, as_json: bool
) -> None:
    """Answer every scenario of a what-if FILE that has no answer yet, and publish maps/<name>/index.html.

    It may be stopped at any moment: the next run does only what is missing.  Exit codes: 9 when some scenarios failed (the
    page is published and lists them), 8 when another run of the same batch is going on.
    """
    from estate.errors import EstateError
    from estate.page import redraw
    from estate.runs.run import MANIFEST
    from estate.whatif.batch import plan_batch
    from estate.whatif.job import run_batch

    tell = say_to_stderr(quiet or as_json)
    if dry_run:
        batch = plan_batch(file, out, tell)
        found = {
            "scenarios": len(batch.items),
            "distinct": len(set(batch.hashes)),
            "answered": len(set(batch.hashes)) - len(batch.asks) - len(batch.wrong),
            "to_answer": len(batch.asks),
            "wrong": len(batch.wrong),
            "estimate_s": round(batch.estimate_s(workers or 0), 1),
        }
        if as_json:
            emit_json(found)
            return
        say(
            f"{found['scenarios']:,} scenarios, {found['distinct']:,} of them distinct; {found['answered']:,} have an answer,"
            f" {found['to_answer']:,} do not: about {found['estimate_s']:,.0f} s"
        )
        return
    with shown(quiet=quiet) as progress:
        night = run_batch(
            file, out=out, scheduler=scheduler, workers=workers or 0, reuse=not no_reuse, say=tell, shown=progress
        )
    run, drawn = out / night.batch.shared.base.name, None
    if (run / MANIFEST).is_file():
        try:
            drawn = redraw(run)
        except EstateError as error:  # the night itself is published
            tell(f"{run} cannot be drawn again with what was found: {error}")
    counts = {str(status): int(n) for status, n in night.rows["status"].value_counts().items()}
    if as_json:
        emit_json(
            {"scenarios": len(night.rows), "answered": night.solved, **counts, "seconds": night.seconds, "out": str(night.out)}
        )
        return
    said = ", ".join(f"{n:,} {status}" for status, n in counts.items())
    say(f"{len(night.rows):,} scenarios ({said}), {night.solved:,} answered in {night.seconds:,.0f} s: {night.out}/index.html")
    if drawn:
        say(f"{drawn} tells what was found as well")


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Progress: a bar on a terminal, else a line of JSON at most every second, on standard error."""
    if quiet:
        yield lambda *_: None
        return
    if not sys.stderr.isatty():
        import time

        last = [0.0]

        def line(done: int, total: int, failed: int) -> None:
            if done == total or time.monotonic() - last[0] > 1:
                last[0] = time.monotonic()
                click.echo(json.dumps({"done": done, "of": total, "failed": failed}), err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("scenarios"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[failed]} failed"))
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, failed=0)
        yield lambda done, total, failed: bar.update(task, completed=done, total=total, failed=failed)
