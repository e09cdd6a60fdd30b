"""The job: a folder of open lists in, every county run once, the atlas out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from distributed import as_completed

from estate.england import at_hand, cut, read, texts
from estate.errors import BatchError, Issue
from estate.nation.atlas import write_atlas
from estate.nation.counties import name_of, named
from estate.nation.work import FAILED, NO_PLAN, CountyAsk, Row, answer, key_of
from estate.runs.run import MANIFEST
from estate.runs.staging import locked, writing
from estate.whatif.interrupt import remembered
from estate.whatif.workers import cluster, workers_here

PLACES, ROWS = ".places", ".nation"
"""Under the output folder: the counties' inputs, and the row of each that has been answered."""

type Say = Callable[[str], None]
type Shown = Callable[[int, int, int], None]


@dataclass(frozen=True, eq=False)
class Nation:
    """What was found: a row for each county asked for, how many were run now, and where the atlas is."""

    rows: pd.DataFrame
    answered: int
    out: Path


def run_nation(
    lists: Path | None,
    *,
    out: Path = Path("maps/nation"),
    areas: tuple[str, ...] = (),
    changes: tuple[str, ...] = (),
    scheduler: str = "",
    workers: int = 0,
    say: Say = lambda _: None,
    shown: Shown = lambda *_: None,
) -> Nation:
    """Run every county of England, or the areas named, and write the atlas; what was answered before is not run again.

    Each county is a published run ``out/<name>`` of its own.  Counters beyond its edge serve its people and are never changed.

    Raises
    ------
    UsageError
        When there are no lists, or something is no area of England.
    InputError
        When a list cannot be read, or has nothing in an area.
    WriteError
        When results cannot be written, or another job works in the same folder.
    BatchError
        When the atlas is written, but some counties have no plan.
    KeyboardInterrupt
        After Ctrl-C: the counties that are done stay done.
    """
    with remembered() as interrupt, locked(out, "nation"):
        say("cutting the counties from the lists")
        asks = _asks(lists, out, areas, changes)
        rows = {ask.name: row for ask in asks if (row := _known(out, ask)) is not None}
        missing = [ask for ask in asks if ask.name not in rows]
        say(f"{len(asks):,} counties, {len(missing):,} to run")
        for row in _answers(missing, scheduler, workers, shown):
            interrupt.check()
            _keep(out, row)
            rows[row["name"]] = row
        table = pd.DataFrame([rows[ask.name] for ask in asks])
        say("writing the atlas")
        with interrupt.held():
            interrupt.check()
            write_atlas(out, table)
    bad = table[table["status"].isin([FAILED, NO_PLAN])]
    if len(bad):
        issues = [Issue("nation.county", f"{row.title}: {row.reason}") for row in bad.itertuples()]
        raise BatchError(f"{len(bad)} of {len(table)} counties have no plan; the atlas of the others is in {out}", issues)
    return Nation(table, len(missing), out)


def _asks(given: Path | None, out: Path, areas: tuple[str, ...], changes: tuple[str, ...]) -> list[CountyAsk]:
    """Every county's inputs, written where they are new, in order of name."""
    lists = read(at_hand(given))
    asks = []
    for area in named(areas):
        name = name_of(area)
        files = texts(cut(lists, area, border=True), name)
        _write(out / PLACES / name, files)
        asks.append(CountyAsk(name, area.name, out / PLACES / name, out, changes, key_of(files, changes)))
    return asks


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """A county's folder, whole; the same files are left alone."""
    there = {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir()} if folder.is_dir() else {}
    if there == dict(files):
        return
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _known(out: Path, ask: CountyAsk) -> Row | None:
    """The row of a county that was answered for the same inputs, by the same versions, and whose run is still there."""
    file = out / ROWS / f"{ask.name}.json"
    try:
        row: Row = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    there = row.get("status") == NO_PLAN or (out / ask.name / MANIFEST).is_file()
    return row if row.get("key") == ask.key and row.get("status") != FAILED and there else None


def _keep(out: Path, row: Row) -> None:
    """A row on disk, whole or not at all."""
    file = out / ROWS / f"{row['name']}.json"
    with writing(out):
        file.parent.mkdir(exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(row, indent=1), encoding="utf-8", newline="\n")
        new.replace(file)


def _answers(asks: list[CountyAsk], scheduler: str, workers: int, shown: Shown) -> Iterator[Row]:
    """The rows as they come; a county whose worker died is run again alone, and fails alone."""
    if not asks:
        return
    done = failed = 0
    if len(asks) == 1 and not scheduler:
        yield answer(asks[0])
        shown(1, 1, 0)
        return
    with cluster(scheduler, min(workers or workers_here(), len(asks))) as client:
        futures = {client.submit(answer, ask, pure=False): ask for ask in asks}
        again: list[CountyAsk] = []
        for future in as_completed(list(futures), loop=client.loop):  # type: ignore[no-untyped-call]
            if future.status != "finished":
                again.append(futures[future])
                continue
            row = future.result()
            done, failed = done + 1, failed + (row["status"] in (FAILED, NO_PLAN))
            shown(done, len(asks), failed)
            yield row
        for ask in again:
            try:
                row = client.submit(answer, ask, pure=False).result()
            except Exception as error:  # noqa: BLE001  (a dead worker, in whatever way Dask puts it)
                reason = f"its worker died: a crash, or out of memory ({type(error).__name__})"
                row = {"name": ask.name, "title": ask.title, "key": ask.key, "status": FAILED, "reason": reason}
            done, failed = done + 1, failed + (row["status"] in (FAILED, NO_PLAN))
            shown(done, len(asks), failed)
            yield row
