"""From a decided plan to a published run: the manifest and every file of it, whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from estate.errors import InputError, Issue, Where, WriteError
from estate.page import render, write_gallery
from estate.page.public import redacted
from estate.report.geopackage import write_geopackage
from estate.report.tables import write_tables
from estate.report.workbook import write_workbook
from estate.runs.files import digest_of, write_certificate, write_data, write_manifest
from estate.runs.run import Run
from estate.runs.staging import locked, staged, writing

INDEX_WAIT_S = 60.0
"""Seconds to wait for others that are writing the list of runs: each takes a moment."""
PUBLIC = "public"
"""The folder of a run that may be handed out, the only one: its page, tables and map layers as :mod:`estate.page.public` says."""


def publish(run: Run, out: Path, execution: Mapping[str, Any], *, public: bool = False) -> Path:
    """Write a run whole under ``out``, switch to it, and list it in ``out/index.html``.

    With ``public``, a folder ``public/`` in it holds what may be published.

    Raises
    ------
    InputError
        When an input changed while the run was working.
    WriteError
        When the results cannot be written; what was there before is unharmed.
    """
    key = f"{run.scenario.name}-{_key(run.manifest)}"
    with staged(out, run.scenario.name, key) as folder:
        write_data(folder, run.place, run.travel, run.plan)
        write_tables(folder, run.tables)
        write_geopackage(folder / "plan.gpkg", run.place, run.tables)
        write_workbook(folder / "finance.xlsx", run)
        if run.certificate is not None:
            write_certificate(folder, run.certificate)
        (folder / "index.html").write_text(render(run), encoding="utf-8", newline="\n")
        if public:
            write_public(folder / PUBLIC, run)
        _unchanged(run)
        write_manifest(folder, {**run.manifest, "execution": dict(execution)})
    _list(out, out / run.scenario.name)
    return out / run.scenario.name


def _list(out: Path, published: Path) -> None:
    """Bring ``out/index.html`` up to date, once whoever else is doing so has finished.

    Raises
    ------
    WriteError
        When the list cannot be written; it says that the run itself is published.
    """
    try:
        with locked(out, "index", wait_s=INDEX_WAIT_S), writing(out):
            write_gallery(out)
    except WriteError as error:
        message = f"the run is published: {published}; only the list {out / 'index.html'} is not up to date ({error})"
        raise WriteError(f"{message}; the next run writes it again") from error


def write_public(folder: Path, run: Run) -> None:
    """Write what may be handed out of a run into a new folder: the page, the tables and ``plan.gpkg``."""
    folder.mkdir()
    (folder / "index.html").write_text(render(run, public=True), encoding="utf-8", newline="\n")
    shown = redacted(run)
    write_tables(folder, shown.tables)
    write_geopackage(folder / "plan.gpkg", shown.place, shown.tables)


def _key(manifest: Mapping[str, Any]) -> str:
    """Identity of a run: the scenario, the inputs, the travel and the versions."""
    parts = {name: manifest[name] for name in ("scenario_digest", "inputs", "travel", "versions")}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _unchanged(run: Run) -> None:
    """Every input is still the file that was read."""
    folder, inputs = run.scenario.folder, run.manifest["inputs"]
    files = {name: folder / name if (folder / name).exists() else Path(name) for name in inputs}
    changed = [
        Issue("input.changed", "changed while the run was working", "run again", Where(name))
        for name, file in files.items()
        if not file.is_file() or digest_of(file) != inputs[name]
    ]
    if changed:
        raise InputError("inputs changed during the run: nothing is published", changed)


def execution(started: float, solve_seconds: float) -> dict[str, Any]:
    """What differs from run to run of the same inputs: times and the machine."""
    return {
        "started": dt.datetime.fromtimestamp(started, dt.UTC).isoformat(timespec="seconds"),
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "solve_seconds": round(solve_seconds, 3),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }
