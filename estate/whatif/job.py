"""The job: a what-if file in, every scenario answered once, the morning page out."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd

from estate.errors import BatchError, Issue
from estate.runs.staging import locked
from estate.whatif.batch import FEW, Batch, Night, Say, Shown, audited, plan_batch, rows_of
from estate.whatif.interrupt import Interrupt, remembered
from estate.whatif.patches import read
from estate.whatif.store import FAILED
from estate.whatif.workers import PART_S, Helper, Row, answers, answers_here, cluster


def run_batch(
    path: Path,
    *,
    out: Path = Path("maps"),
    scheduler: str = "",
    workers: int = 0,
    reuse: bool = True,
    say: Say = lambda _: None,
    shown: Shown = lambda *_: None,
) -> Night:
    """Answer every scenario of a what-if file that has no answer yet, and publish ``out/<name>/index.html``.

    Raises
    ------
    InputError
        For a what-if file, a base scenario or tables that are wrong.
    WriteError
        When another run of the same batch holds the lock, or results cannot be written.
    BatchError
        When the page is published but some scenarios failed.
    KeyboardInterrupt
        After Ctrl-C: answers are kept for the next run, and nothing is published.
    """
    began = time.perf_counter()
    whatif, _ = read(path)
    with remembered() as interrupt, locked(out, f"whatif-{whatif.name}"):
        batch = plan_batch(path, out, say)
        interrupt.check()
        batch.store.prepare()
        if reuse and len(batch.asks) > FEW:
            batch = replace(batch, shared=replace(batch.shared, regions=batch.evaluator.regions()))
        say(f"{len(batch.items):,} scenarios, {len(batch.asks):,} to answer, about {batch.estimate_s(workers):,.0f} s")
        _answer(batch, scheduler, workers, interrupt, reuse=reuse, shown=shown)
        rows = rows_of(batch)
        _base_is_there(rows)
        say("checking some of them by the main job")
        audit = audited(batch, rows, interrupt.check)
        seconds = time.perf_counter() - began
        night = Night(batch, rows, audit, seconds, len(batch.asks))
        say("writing the page")
        from estate.whatif.publish import publish_night  # noqa: PLC0415  (folium is slow to import)

        with interrupt.held():
            night = replace(night, out=publish_night(night, out, interrupt.check))
            batch.store.forget(batch.hashes)
    bad = [each for each in audit if not each["agrees"]]
    if night.failed or bad:
        issues = [
            Issue("whatif.failed", f"{row.family}: {row.label}: {row.reason}")
            for row in rows[rows["status"] == FAILED].head(20).itertuples()
        ]
        issues += [Issue("whatif.audit", f"{each['label']}: the main job finds {each['found']}") for each in bad]
        raise BatchError(f"the batch finished, and {night.failed + len(bad)} scenarios failed; {night.out}", issues)
    return night


def _base_is_there(rows: pd.DataFrame) -> None:
    """Everything on the page is said against the base: without its answer there is no page."""
    base = rows.iloc[0]
    if base["status"] == FAILED:
        issue = Issue("whatif.failed", f"{base['label']}: {base['reason']}", "run it again: answers so far are kept")
        raise BatchError("the base scenario has no answer, so that nothing is published", [issue])


def _answer(batch: Batch, scheduler: str, workers: int, interrupt: Interrupt, *, reuse: bool, shown: Shown) -> None:
    """Answer what is missing, writing parts as answers come: also those that came before an interrupt."""
    helper = Helper(
        f"estate-{batch.whatif.name}-{hashlib.sha256(batch.world.encode()).hexdigest()[:12]}", batch.shared, reuse=reuse
    )
    timeout, waiting, last = batch.whatif.timeout_s, list(batch.wrong), time.monotonic()
    done = failed = 0

    def take(rows: list[Row]) -> None:
        nonlocal done, failed, last
        interrupt.check()  # what was cut short is no answer
        waiting.extend(rows)
        done += len(rows)
        failed += sum(row["status"] == FAILED for row in rows)
        shown(done, len(batch.asks), failed)
        if time.monotonic() - last > PART_S:
            batch.store.write(waiting)
            waiting.clear()
            last = time.monotonic()

    try:
        if len(batch.asks) <= FEW and not scheduler:
            for rows in answers_here(helper, batch.asks, timeout):
                take(rows)
        elif batch.asks:
            with cluster(scheduler, workers) as client:
                for rows in answers(client, helper, batch.asks, timeout):
                    take(rows)
    finally:
        if waiting:
            batch.store.write(waiting)
