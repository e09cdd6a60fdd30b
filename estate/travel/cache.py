"""Finished street tables by content: the same streets, points, wants and program give the same key, and nothing else does.

Arrays are stored as ``.npz`` without pickles.  A damaged or half-written file is as good as none; a folder that cannot be
written to costs only time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from estate.errors import Issue, Severity, Where
from estate.travel.pairs import Pairs, Points, Wanted

_FORM = "1"
"""Changed whenever the same inputs would give other tables."""
_COLUMNS = ("from_", "to", "distance_m", "time_s")

type Kept = tuple[dict[str, Pairs], list[Issue]]


def key(path: Path, mode: str, warn_m: float, zones: Points, sites: Points, wanted: Mapping[str, Wanted | None]) -> str:
    """SHA-256 of everything that the tables of a mode depend on; empty when the streets cannot be read (loading will say why)."""
    sums = hashlib.sha256(json.dumps([_FORM, path.name, mode, warn_m]).encode())
    for name in sorted(wanted):
        ask = wanted[name]
        sums.update(f"{name} {ask.digest() if ask else 'none'};".encode())
    for points in (zones, sites):
        sums.update(np.ascontiguousarray(points.xy, dtype="<f8").tobytes())
        sums.update(json.dumps([str(name) for name in points.names]).encode())
    sums.update(files("estate.travel").joinpath("speeds.toml").read_bytes())
    try:
        with path.open("rb") as file:
            sums.update(hashlib.file_digest(file, "sha256").digest())
    except OSError:
        return ""
    return sums.hexdigest()


def fetch(folder: Path | None, name: str) -> Kept | None:
    """What was stored under a key, or None."""
    if folder is None or not name:
        return None
    try:
        with (folder / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
            notes = [_issue(row) for row in json.loads(str(stored["notes"]))]
            tables = {each: Pairs(*(stored[f"{each}.{column}"] for column in _COLUMNS)) for each in stored["tables"].tolist()}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    return tables, notes


def put(folder: Path | None, name: str, found: Kept) -> None:
    """Store under a key: written whole beside its place, then renamed into it."""
    if folder is None or not name:
        return
    tables, notes = found
    arrays: dict[str, Any] = {
        f"{each}.{column}": getattr(pairs, column) for each, pairs in tables.items() for column in _COLUMNS
    }
    arrays["tables"] = np.array(sorted(tables), dtype=np.str_)
    arrays["notes"] = np.array(json.dumps([asdict(note) for note in notes]))
    with suppress(OSError, RecursionError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            Path(temporary).replace(folder / f"{name}.npz")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _issue(row: dict[str, Any]) -> Issue:
    return Issue(**{**row, "where": Where(**row["where"]), "severity": Severity(row["severity"])})
