"""Answers on disk: a Parquet dataset that survives anything.

Each *part* is one file, written under another name, flushed, and renamed: it is there whole or not at all, so ``kill -9`` at any
moment costs at most the parts that were being made.  A row is one scenario by its hash; the plan's sites and moves are lists
inside the row, so a scenario and its plan cannot be parted.  Should two parts hold one hash (a run killed while it was putting
parts together), the first is taken and they are the same.  A part that a failing disk has spoilt is left out and removed: its
scenarios have no answer any more, and are asked again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from estate.runs.staging import writing

_PAIR = pa.list_(pa.struct([("id", pa.string()), ("value", pa.string())]))
SCHEMA = pa.schema(
    [
        ("hash", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("objective", pa.float64()),
        ("bound", pa.float64()),
        ("running_cost_gbp_pa", pa.float64()),
        ("baseline_gbp_pa", pa.float64()),
        ("saving_gbp_pa", pa.float64()),
        ("net_one_off_gbp", pa.float64()),
        ("sites_after", pa.int64()),
        ("hubs_after", pa.int64()),
        ("moves", pa.int64()),
        ("mean_m", pa.float64()),
        ("farthest_m", pa.float64()),
        ("solved", pa.bool_()),
        ("settled", pa.bool_()),
        ("seconds", pa.float64()),
        ("sites", _PAIR),
        ("moved", _PAIR),
    ]
)
"""One row per scenario.  ``status``: optimal, feasible, infeasible, or failed; money in GBP (a year); distances in metres."""

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Store:
    """The dataset in one folder.  One writer at a time: the caller holds the batch's lock."""

    folder: Path

    def prepare(self) -> None:
        """Make the folder, and clear what a killed run left half-written and what cannot be read."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in (*self.folder.glob(".*.new"), *self.damaged()):
                left.unlink()

    def parts(self) -> list[Path]:
        """The parts, in a fixed order."""
        return sorted(self.folder.glob("part-*.parquet"))

    def damaged(self) -> list[Path]:
        """The parts that cannot be read whole."""
        return [part for part in self.parts() if _table(part) is None]

    def known(self) -> set[str]:
        """Hashes that have an answer; failures are not answers, and are tried again."""
        found = self.read()
        return set(found.index[found["status"] != FAILED])

    def write(self, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Add rows as a part of their own."""
        table = pa.Table.from_pylist([{name: row.get(name) for name in SCHEMA.names} for row in rows], schema=SCHEMA)
        target = self.folder / f"part-{rows[0]['hash'][:16]}-{len(rows)}.parquet"
        with writing(self.folder):
            return _whole(table, target)

    def read(self, hashes: Iterable[str] | None = None) -> pd.DataFrame:
        """Every answer once, indexed by hash; an answer wins over a failure of the same scenario."""
        tables = [table for part in self.parts() if (table := _table(part)) is not None]
        every = pa.concat_tables([SCHEMA.empty_table(), *tables]).to_pandas()
        every = every.iloc[(every["status"] == FAILED).to_numpy().argsort(kind="stable")]
        frame: pd.DataFrame = every.drop_duplicates("hash").set_index("hash").sort_index()
        return frame if hashes is None else frame.loc[frame.index.intersection(pd.Index(sorted(set(hashes))))]

    def forget(self, keep: Iterable[str]) -> int:
        """Put all parts together in one, with only the given hashes; how many rows went."""
        before = self.read()
        after = before.loc[before.index.isin(set(keep))]
        old = self.parts()
        with writing(self.folder):
            if len(after):
                table = pa.Table.from_pandas(after.reset_index(), schema=SCHEMA, preserve_index=False)
                target = _whole(table, self.folder / "part-all.parquet")
                old = [part for part in old if part != target]
            for part in old:
                part.unlink()
        return len(before) - len(after)


def _table(part: Path) -> pa.Table | None:
    """A part's rows; None where it is cut short, or its pages are not those that were written."""
    try:
        return pq.read_table(part, schema=SCHEMA, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        return None


def _whole(table: pa.Table, target: Path) -> Path:
    """A Parquet file that appears at once, flushed to disk."""
    new = target.with_name(f".{target.name}.new")
    pq.write_table(table, new, write_page_checksum=True)
    with new.open("rb") as opened:
        os.fsync(opened.fileno())
    new.replace(target)
    with suppress(OSError):  # the rename itself reaches the disk; not every file system allows it
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return target
