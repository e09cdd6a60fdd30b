"""A run on disk: the manifest, what is needed to check it again anywhere, and publication that is whole or not at all.

Layout under the output folder (``maps/`` by default)::

    <name>          -> .runs/<key>     a link, switched in one step: a reader finds the old run or the new, never half of one
    .runs/<key>/    index.html, the tables, finance.xlsx, plan.gpkg, run.json, data/
    .runs/<name>.lock

``data/`` holds the place, the travel tables and the plan as Parquet, so that ``estate verify`` and ``estate map`` work on a run
that was moved to another machine.  Where links cannot be made, the folder itself is renamed aside and in, and the next command
repairs what a crash in between left behind.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from estate.errors import InputError, Issue, Where, WriteError
from estate.place import Place, Plan
from estate.scenario import Scenario, build
from estate.travel import Pairs, Travel

RUNS = ".runs"
MANIFEST = "run.json"
DATA = "data"
TABLES = (
    "sites",
    "moves",
    "capital_receipts",
    "access",
    "zones",
    "ledger",
    "standards",
    "agencies",
    "affected",
    "consultation",
    "inequality",
    "unknowns",
    "cash_flow",
    "sensitivities",
    "switching",
    "transfers",
    "assumptions",
)
"""The published tables, in the order people read them; a table with no columns is left out."""

_FRAMES = ("agencies", "sites", "access_points", "zones", "rates", "hosting", "travel")


@dataclass(frozen=True, eq=False)
class Run:
    """A stored run: what was decided, on what, and every table of it."""

    scenario: Scenario
    place: Place
    plan: Plan
    travel: Travel
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]


# -------------------------------------------------------------------------------------------------- writing


def digest_of(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_data(folder: Path, place: Place, travel: Travel, plan: Plan) -> None:
    """Write the place, travel and plan as Parquet under ``folder/data``; the same content gives the same bytes."""
    data = folder / DATA
    data.mkdir(parents=True)
    for name in _FRAMES:
        frame = getattr(place, name)
        if frame is not None:
            frame.to_parquet(data / f"{name}.parquet")
    if place.context is not None:
        place.context.to_parquet(data / "context.parquet")
    for kind, tables in (("home", travel.home), ("between", travel.between)):
        for mode, pairs in tables.items():
            columns = {each.name: getattr(pairs, each.name) for each in fields(Pairs)}
            long = {name: column for name, column in columns.items() if len(column) == len(pairs)}
            pd.DataFrame(long).to_parquet(data / f"travel-{kind}-{mode}.parquet")
    pd.DataFrame({"site_id": place.sites.index, "open": plan.open}).to_parquet(data / "plan-sites.parquet")
    hosts = pd.DataFrame({"access_point_id": place.access_points.index, "site_id": place.sites.index[plan.host]})
    hosts.to_parquet(data / "plan-hosts.parquet")


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``run.json`` with the SHA-256 of every other file of the run."""
    files = {
        str(file.relative_to(folder).as_posix()): digest_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }
    text = json.dumps({**manifest, "files": files}, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


@contextmanager
def locked(out: Path, name: str) -> Iterator[None]:
    """Hold the output folder's lock for one scenario; raises :class:`WriteError` when another run has it."""
    runs = out / RUNS
    with writing(out):
        runs.mkdir(parents=True, exist_ok=True)
        lock = (runs / f"{name}.lock").open("a")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WriteError(f"another run of '{name}' is writing to {out}: wait for it, or choose another --out") from None
        yield


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn a failure to write into :class:`WriteError` with what to do."""
    try:
        yield
    except OSError as error:
        hints = {
            errno.ENOSPC: "the disk is full: free some space",
            errno.EACCES: "the folder is read-only or the file is open elsewhere",
            errno.EROFS: "the folder is read-only",
            errno.ENAMETOOLONG: "the path is too long: choose a shorter --out",
        }
        hint = hints.get(error.errno or 0, error.strerror or str(error))
        raise WriteError(f"cannot write to {where}: {hint}; what was published before is unharmed") from error


@contextmanager
def staged(out: Path, name: str, key: str) -> Iterator[Path]:
    """A folder to fill; when the block ends well it becomes ``<out>/<name>`` in one step, else it is removed.

    The scenario's lock is held throughout.  Runs of the same key are replaced; others stay.
    """
    with locked(out, name):
        repair(out, name)
        stage = out / RUNS / f".{key}.writing"
        with writing(out):
            shutil.rmtree(stage, ignore_errors=True)
            stage.mkdir()
        try:
            with writing(out):
                yield stage
                _publish(out, name, key, stage)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _publish(out: Path, name: str, key: str, stage: Path) -> None:
    _sync(stage)
    target = _fresh(out / RUNS, key)
    stage.rename(target)
    link = out / name
    new = out / f".{name}.new"
    with suppress(FileNotFoundError):
        new.unlink()
    try:
        new.symlink_to(target.relative_to(out), target_is_directory=True)
    except OSError:
        _swap(link, target)
    else:
        if link.is_dir() and not link.is_symlink():
            link.rename(_fresh(out / RUNS, f"{name}.before-links"))
        new.replace(link)
    for old in (out / RUNS).glob(f"{key}*"):
        if old != target and old.is_dir() and not old.name.startswith("."):
            shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Flush every file to disk, so that a power cut cannot leave a link to empty files."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def _swap(link: Path, target: Path) -> None:
    """Without links: the old folder is renamed aside and the new one in; :func:`repair` mends a crash in between."""
    aside = link.with_name(f".{link.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if link.exists():
        link.rename(aside)
    target.rename(link)
    shutil.rmtree(aside, ignore_errors=True)


def repair(out: Path, name: str) -> None:
    """Put back what a crash between two renames left aside, and clear what a killed run left half-written."""
    aside, link = out / f".{name}.old", out / name
    if aside.exists() and not link.exists():
        aside.rename(link)
    with suppress(FileNotFoundError):
        (out / f".{name}.new").unlink()
    for left in (out / RUNS).glob(f".{name}-*.writing"):
        # Only this scenario's, whose lock is held: its name, a dash and the digest of a run.
        if re.fullmatch(rf"\.{re.escape(name)}-[0-9a-f]{{12}}\.writing", left.name):
            shutil.rmtree(left, ignore_errors=True)


def _fresh(folder: Path, key: str) -> Path:
    """A name that nothing has: the key, or the key with the least free number."""
    path, n = folder / key, 2
    while path.exists():
        path, n = folder / f"{key}-{n}", n + 1
    return path


# -------------------------------------------------------------------------------------------------- reading


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run; raises :class:`InputError` where there is none."""
    file = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "name a folder that 'estate run' published, such as maps/worcestershire"
        raise InputError(issues=[Issue("run.missing", "is not a stored run", remedy, Where(str(folder)))]) from None
    except (OSError, ValueError) as error:
        raise InputError(issues=[Issue("run.corrupt", f"cannot be read: {error}", "run again", Where(str(file)))]) from None
    return found


def read_run(folder: Path) -> Run:
    """A stored run, complete.

    Raises
    ------
    InputError
        When a file is missing or is not the one that was published.
    """
    manifest = read_manifest(folder)
    _check_files(folder, manifest)
    data = folder / DATA
    frames = {name: _parquet(data / f"{name}.parquet") for name in _FRAMES}
    context = data / "context.parquet"
    place = Place(
        **frames,  # type: ignore[arg-type]
        context=gpd.read_parquet(context) if context.exists() else None,
        issues=tuple(_issue_of(row) for row in manifest.get("issues", ())),
        digests=manifest.get("inputs", {}),
    )
    scenario = build(manifest["scenario"], folder=folder, file=folder / MANIFEST)
    is_open = pd.read_parquet(data / "plan-sites.parquet").set_index("site_id")["open"]
    hosts = pd.read_parquet(data / "plan-hosts.parquet").set_index("access_point_id")["site_id"]
    plan = Plan(
        open=is_open.reindex(place.sites.index).to_numpy(dtype=bool),
        host=place.sites.index.get_indexer(pd.Index(hosts.reindex(place.access_points.index))).astype(np.int64),
    )
    travel = Travel(
        home=dict(_tables(data, "home")),
        between=dict(_tables(data, "between")),
        method=manifest.get("travel", {}).get("method", ""),
        digest=manifest.get("travel", {}).get("digest", ""),
    )
    kinds = manifest.get("tables", {})
    tables = {name: _table(folder / f"{name}.csv", kinds.get(name, {})) for name in TABLES if name in kinds}
    return Run(scenario, place, plan, travel, manifest, tables)


def _check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Everything listed is there, and what the run is checked and redrawn from is what was published."""
    stored = {folder / name: digest for name, digest in manifest.get("files", {}).items()}
    missing = [file for file in stored if not file.is_file()]
    data = [file for file in stored if file.parent.name == DATA and file.is_file()]
    changed = [file for file in data if digest_of(file) != stored[file]]
    issues = [Issue("run.file-missing", "is missing from the run", "run again", Where(str(file))) for file in missing]
    issues += [Issue("run.file-changed", "is not what was published", "run again", Where(str(file))) for file in changed]
    if issues:
        raise InputError(issues=issues)


def _parquet(file: Path) -> pd.DataFrame | None:
    return pd.read_parquet(file) if file.exists() else None


def _tables(data: Path, kind: str) -> Iterator[tuple[str, Pairs]]:
    none = np.zeros(0, dtype=np.int64)
    for file in sorted(data.glob(f"travel-{kind}-*.parquet")):
        frame = pd.read_parquet(file)
        columns = {each.name: frame[each.name].to_numpy() if each.name in frame else none for each in fields(Pairs)}
        yield file.stem.removeprefix(f"travel-{kind}-"), Pairs(**columns)


def column_kinds(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """Whether each column of each table holds numbers or text: kept in the manifest, so that ``007`` is read back as text."""
    return {
        name: {
            str(column): "number" if pd.api.types.is_numeric_dtype(table[column].dtype) else "text"
            for column in table.columns
            if not pd.api.types.is_bool_dtype(table[column].dtype)
        }
        for name, table in tables.items()
    }


def _table(file: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    for column in frame.columns:
        if kinds.get(column) == "number":
            frame[column] = pd.to_numeric(frame[column].replace("", np.nan))
    return frame


def _issue_of(row: Mapping[str, Any]) -> Issue:
    where = Where(row.get("file", ""), row.get("row"), row.get("column", ""), row.get("value", ""))
    return Issue(row["code"], row["message"], row.get("remedy", ""), where, row["severity"])


def list_runs(out: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every published run under an output folder, as (name, manifest), newest first."""
    found = [
        (entry.name, read_manifest(entry))
        for entry in (sorted(out.iterdir()) if out.is_dir() else [])
        if not entry.name.startswith(".") and (entry / MANIFEST).is_file()
    ]
    return sorted(found, key=lambda each: (each[1].get("execution", {}).get("finished", ""), each[0]), reverse=True)
