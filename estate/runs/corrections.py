"""A register that comes again with corrections: which cells of the tables, and which settings, differ between two stored runs.

A run keeps the rows it was made from, as they were read (``data/``, never part of what is published with ``--public``), so two
runs can be set side by side cell by cell.  :mod:`estate.runs.effects` says what each correction did to the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estate.place import Place
from estate.runs.run import Run
from estate.scenario import Method
from estate.wording import brief

TABLES = ("agencies", "sites", "access_points", "zones", "rates", "hosting")
LOCATION = "location"
"""The column that stands for a point's easting and northing, which are one fact."""
TRAVEL = "travel"
"""The user's own travel table, whose rows differ as one correction."""
_PLACED = ("easting_m", "northing_m")
_KEY = ("from_kind", "from_id", "to_id", "mode", "percentile")
_UNITS = ("_gbp_m2_pa", "_gbp_pa", "_gbp_m2", "_gbp", "_m2", "_pa", "_fte")


@dataclass(frozen=True, slots=True)
class Correction:
    """One cell that differs; a row (``column`` blank) or a column (``row`` blank) that only one run has.  Blanks are ``""``."""

    table: str
    row: str
    name: str
    column: str
    before: str
    after: str
    effect: str = ""
    """What it did to the plan by itself."""

    @property
    def words(self) -> str:
        """``0006: running cost 64,600 -> 46,600``."""
        if self.table == TRAVEL:
            return self.after
        if not self.column or not self.row:
            what = self.row or f"column {self.column}"
            return f"{what}: {self.before or self.after}"
        column = next((self.column.removesuffix(unit) for unit in _UNITS if self.column.endswith(unit)), self.column)
        moved = f" (moved {_metres(self.before, self.after)})" if self.column == LOCATION else ""
        return f"{self.row}: {column.replace('_', ' ')} {self.before or 'blank'} -> {self.after or 'blank'}{moved}"

    def as_row(self) -> dict[str, str]:
        """All of it as plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"words": self.words}


def corrections(first: Place, second: Place) -> list[Correction]:
    """Every cell that differs, by table and row; rows and columns that only one of the two has are one correction each.

    A point's easting and northing are one cell, and so is the whole of a travel table.
    """
    found = [each for name in TABLES for each in _of_table(name, getattr(first, name), getattr(second, name))]
    return found + list(_of_travel(first, second))


def one_place(first: Place, second: Place) -> bool:
    """Whether the second is the first corrected, rather than another place: half of the buildings or more are in both."""
    both = len(first.sites.index.intersection(second.sites.index))
    return 2 * both >= max(len(first.sites), len(second.sites))


def _of_table(table: str, first: pd.DataFrame, second: pd.DataFrame) -> Iterator[Correction]:
    for frame, other, word in ((first, second, "no longer there"), (second, first, "new")):
        for key in frame.index.difference(other.index):
            before, after = (word, "") if frame is first else ("", word)
            yield Correction(table, id_of(key), _name(frame, key), "", before, after)
    both = first.index.intersection(second.index)
    found: list[tuple[int, int, Correction]] = []
    for n, column in enumerate(_columns(first, second)):
        if column != LOCATION and (column in first.columns) != (column in second.columns):
            before, after = ("no longer there", "") if column in first.columns else ("", "new")
            yield Correction(table, "", "", column, before, after)
            continue
        a, b = (_cells(frame, column).reindex(both) for frame in (first, second))
        for k in np.flatnonzero((a != b).to_numpy(dtype=bool)).tolist():
            key = both[k]
            found.append((k, n, Correction(table, id_of(key), _name(second, key), column, a.iloc[k], b.iloc[k])))
    yield from (each for *_, each in sorted(found, key=lambda one: one[:2]))


def _columns(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    every = [*first.columns, *(each for each in second.columns if each not in first.columns)]
    placed = set(_PLACED) <= set(every)
    return [str(each) for each in every if each not in _PLACED] + ([LOCATION] if placed else [])


def _of_travel(first: Place, second: Place) -> Iterator[Correction]:
    """The travel tables as one correction; rows of what only one place has come and go with it."""
    if first.travel is None or second.travel is None:
        if first.travel is not None or second.travel is not None:
            words = "the travel table: " + ("new" if first.travel is None else "no longer there")
            yield Correction(TRAVEL, "", "", "rows", "", words)
        return
    known = {*first.zones.index, *first.sites.index} & {*second.zones.index, *second.sites.index}
    a, b = (each[each["from_id"].isin(known) & each["to_id"].isin(known)] for each in (first.travel, second.travel))
    keys = [each for each in _KEY if each in a and each in b]
    values = sorted({*a.columns, *b.columns} - {*keys})
    both = a.reindex(columns=[*keys, *values]).merge(b.reindex(columns=[*keys, *values]), on=keys, how="outer", indicator=True)
    old, new = (both[[f"{each}_{side}" for each in values]].to_numpy() for side in ("x", "y"))
    same = ((old == new) | (pd.isna(old) & pd.isna(new))).all(axis=1) & (both["_merge"] == "both").to_numpy()
    if not same.all():
        yield Correction(TRAVEL, "", "", "rows", "", f"the travel table: {int((~same).sum()):,} of its rows differ")


def id_of(key: Any) -> str:
    """A row's key as people write it: ``L1``, or ``L1 x S2`` where it is two."""
    return " x ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _name(frame: pd.DataFrame, key: Any) -> str:
    return str(frame.loc[key, "name"]) if "name" in frame.columns else ""


def _cells(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    """A column as people write it."""
    if column == LOCATION:
        return frame["easting_m"].map("{:.10g}".format) + " " + frame["northing_m"].map("{:.10g}".format)
    return frame[column].map(_text).astype("str")


def _metres(before: str, after: str) -> str:
    a, b = (np.array(each.split(), dtype=np.float64) for each in (before, after))
    return f"{np.hypot(*(b - a)):,.0f} m"


def _text(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.10g}"
    return brief(f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value))


def settings_changed(first: Run, second: Run) -> list[str]:
    """Every setting that differs: ``travel.detour: 1.3 -> 1.4``; items of a list of tables go by their name."""
    a, b = (dict(_flat(run.manifest["scenario"])) for run in (first, second))
    found = [
        f"{key}: {a.get(key, 'not set')} -> {b.get(key, 'not set')}"
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key) and key not in ("name", "title", "description")
    ]
    streets = first.scenario.travel.streets
    both = first.scenario.travel.method is second.scenario.travel.method is Method.NETWORK
    if both and streets == second.scenario.travel.streets:
        old, new = (run.manifest.get("inputs", {}).get(streets) for run in (first, second))
        found += [f"{streets}: the file of streets is another than it was"] if old != new else []
    return found


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) and "name" in each for each in value):
        for each in value:
            yield from _flat({key: inner for key, inner in each.items() if key != "name"}, f"{path}.{each['name']}")
    else:
        yield path, brief(str(value))
