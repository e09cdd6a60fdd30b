"""The published tables as CSV: UTF-8, LF, decimal points, and no cell that a spreadsheet would run."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t")
"""What a spreadsheet takes for a formula, at the start of a cell, in full-width letters too."""


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write each table as ``<name>.csv``; those without columns are left out."""
    for name, table in tables.items():
        if len(table.columns):
            inert(table).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format=_number)


def _number(value: Any) -> str:
    """A number in full, without the dust of floating point: 12.5, never 12.500000000000002 or 1.25e+01.

    Twelve significant figures: money to the penny below ten thousand million, and discount factors close enough that each
    present value follows to the penny from the file's own figures.
    """
    text = np.format_float_positional(float(f"{value:.12g}"), trim="-")
    return "0" if text == "-0" else text


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; control characters become spaces."""
    result = table.copy()
    for column in result.columns:
        if not pd.api.types.is_numeric_dtype(result[column]) and not pd.api.types.is_bool_dtype(result[column]):
            code, words = pd.factorize(result[column].astype(object))
            # Each distinct text once: a column of ids and services repeats itself.
            clean = np.array([*map(_inert, words), None], dtype=object)
            result[column] = clean[code]
    return result


def _inert(value: object) -> object:
    if not isinstance(value, str):
        return value
    clean = value if value.isprintable() else "".join(" " if x != "\t" and _breaks(x) else x for x in value)
    first = unicodedata.normalize("NFKC", clean.lstrip(" \u00a0\ufeff\u200b")[:1])
    return "'" + clean if first.startswith(_FORMULA) else clean


def _breaks(letter: str) -> bool:
    """A control character (C0 or C1, U+0085 among them) or a line or paragraph separator."""
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp")
