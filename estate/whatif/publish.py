"""A night on disk: the page, the CSVs and the whole dataset, switched to in one step."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from estate.errors import InputError, Issue, Where
from estate.page.batch import Morning, render_batch
from estate.pipeline.manifest import PACKAGES
from estate.report.tables import write_tables
from estate.runs.run import MANIFEST
from estate.runs.staging import staged
from estate.whatif import morning
from estate.whatif.batch import Batch, Night

BATCH = "batch.json"
"""The manifest of a published batch."""


def publish_night(night: Night, out: Path, check: Callable[[], None] = lambda: None) -> Path:
    """Write ``out/<name>/`` whole: ``index.html``, CSVs, ``scenarios.parquet``, ``plan_sites.parquet``, ``batch.json``.

    ``check`` raises where the batch was interrupted; it is called last, before what was written takes the place of what was.

    Raises
    ------
    InputError
        When the name is taken by a run.
    WriteError
        When it cannot be written; what was there before is unharmed.
    """
    name = night.batch.whatif.name
    if (out / name / MANIFEST).exists():
        issue = Issue("whatif.name", f"{out / name} is a run", "give the what-if file another name", Where(name))
        raise InputError(issues=[issue])
    tables = tables_of(night)
    manifest = manifest_of(night)
    before = read_batch(out / name)
    # The same scenarios on the same inputs and versions: the same night, published over itself.
    if before is not None and before.get("world") == manifest["world"] and before["answers"] == manifest["answers"]:
        change = {**before.get("changed", {}), "again": True}
    else:
        change = morning.changed(before, manifest)
    manifest |= {"changed": change}
    execution = {
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(night.seconds, 3),
        "answered": night.solved,
        "machine": platform.platform(),
        "cpus": os.cpu_count(),
    }
    key = f"{name}-{hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]}"
    with staged(out, name, key) as folder:
        write_tables(folder, tables)
        _write_dataset(folder, night.rows)
        page = render_batch(_for_page(night, tables, change, execution))
        (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
        text = json.dumps({**manifest, "execution": execution}, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / BATCH).write_text(text + "\n", encoding="utf-8", newline="\n")
        check()
    return out / name


def read_batch(folder: Path) -> dict[str, Any] | None:
    """The manifest of the last published night; None where there is none to read."""
    try:
        found: dict[str, Any] = json.loads((folder / BATCH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def tables_of(night: Night) -> dict[str, pd.DataFrame]:
    """Every CSV of a night, by name."""
    rows, batch = night.rows, night.batch
    names = site_names(batch)
    free = tuple(s for s in _free(batch) if s in names)
    flat = rows.drop(columns=["sites", "moved", "regret"])
    return {
        "scenarios": flat.assign(seconds=None).drop(columns=["seconds", "solved"]),
        "frontier": morning.frontier(rows),
        "prices": morning.prices(rows, names),
        "frequencies": morning.frequencies(rows, free, names),
        "tornado": morning.tornado(rows),
        "regret": morning.regret(rows, batch),
        "alternatives": morning.alternatives(rows, names),
        "troubles": morning.troubles(rows),
    }


def site_names(batch: Batch) -> dict[str, str]:
    """What each building is called."""
    sites = batch.shared.place.sites
    return {str(site): str(name) or str(site) for site, name in sites["name"].items()}


def _free(batch: Batch) -> tuple[str, ...]:
    anchor = batch.base.anchor
    if anchor is None:
        return ()
    n = len(anchor.place.sites)
    free = ~anchor.problem.must_open[:n] & ~anchor.problem.must_close[:n] & ~anchor.place.outside
    return tuple(map(str, anchor.place.sites.index[free]))


def _write_dataset(folder: Path, rows: pd.DataFrame) -> None:
    """A row per scenario, and the plans' sites and moves in long form: ``hash, what, id, value``."""
    rows.drop(columns=["sites", "moved"]).to_parquet(folder / "scenarios.parquet", index=False)
    long = [
        {"hash": row["hash"], "what": what, "id": pair["id"], "value": pair["value"]}
        for row in rows.drop_duplicates("hash").to_dict("records")
        for what, column in (("site", "sites"), ("move", "moved"))
        if hasattr(row[column], "__len__")
        for pair in row[column]
    ]
    pd.DataFrame(long, columns=["hash", "what", "id", "value"]).to_parquet(folder / "plan_sites.parquet", index=False)


def manifest_of(night: Night) -> dict[str, Any]:
    """``batch.json`` without what differs from run to run of the same inputs."""
    batch, rows = night.batch, night.rows
    return {
        "name": batch.whatif.name,
        "title": batch.whatif.title,
        "base": batch.shared.base.name,
        "expected_every_hours": batch.whatif.expected_every_hours,
        "scenarios": len(rows),
        "distinct": int(rows["hash"].nunique()),
        "statuses": {str(status): int(n) for status, n in rows["status"].value_counts().sort_index().items()},
        "inputs": dict(batch.prepared.inputs),
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "world": hashlib.sha256(batch.world.encode()).hexdigest(),
        "audit": [dict(each) for each in night.audit],
        "answers": morning.summary(rows),
    }


def _for_page(
    night: Night, tables: Mapping[str, pd.DataFrame], change: Mapping[str, Any], execution: Mapping[str, Any]
) -> Morning:
    batch, rows = night.batch, night.rows
    base = morning.base_row(rows)
    sites = batch.shared.place.sites[["name", "easting_m", "northing_m"]].reset_index(names="site_id")
    return Morning(
        title=batch.whatif.title or batch.whatif.name,
        base_title=batch.shared.base.label,
        finished=str(execution["finished"]),
        every_hours=batch.whatif.expected_every_hours,
        seconds=night.seconds,
        answered=night.solved,
        scenarios=len(rows),
        distinct=int(rows["hash"].nunique()),
        statuses={str(k): int(v) for k, v in rows["status"].value_counts().items()},
        base=base,
        tables=tables,
        changed=change,
        audit=night.audit,
        sites=sites,
        context=batch.prepared.place.context,
        labels={lever.name: lever.label for lever in batch.whatif.adjust if lever.label},
        attribution=batch.shared.base.page.attribution,
    )
