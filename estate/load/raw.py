"""What every reader returns: a table of text as it stands in its file, with the numbers of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.wording import brief

MAX_ROWS = 1_000_000
MAX_COLUMNS = 2_000
MAX_CELL = 1_000_000
"""Characters in one cell."""
MOST_SHOWN = 20
"""Rows reported one by one for the same problem; the rest are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """One file's rows.

    ``frame``: every cell as text (``""`` when blank), columns named by the file's headings, each once.  ``rows``: (n,) row
    numbers as a spreadsheet shows them.  ``geometry``: (n,) shapely geometries, or None.  ``crs``: what the file says, or
    ``""``.  ``clashes``: headings that appear twice with different content, so that using one would be a guess.
    ``issues``: what the reader did that its file does not say.
    """

    file: str
    frame: pd.DataFrame
    rows: NDArray[np.int64]
    geometry: NDArray[np.object_] | None = None
    crs: str = ""
    clashes: tuple[str, ...] = ()
    digest: str = ""
    issues: tuple[Issue, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: NDArray[np.bool_]) -> Raw:
        """Only the chosen rows."""
        geometry = None if self.geometry is None else self.geometry[chosen]
        frame = self.frame.loc[chosen].reset_index(drop=True)
        return replace(self, frame=frame, rows=self.rows[chosen], geometry=geometry)


def from_columns(
    file: str,
    columns: Mapping[str, Sequence[str] | pd.Series],
    size: int,
    geometry: NDArray[np.object_] | None,
    crs: str,
) -> Raw:
    """Columns of text as :class:`Raw`; rows count from 2, as in a table whose heading is row 1."""
    named: dict[str, pd.Series] = {}
    for name, column in columns.items():
        named.setdefault(tidy_heading(name), pd.Series(column, dtype="str"))
    frame = pd.DataFrame(named, index=pd.RangeIndex(size))
    return Raw(file, frame, np.arange(2, size + 2, dtype=np.int64), geometry, crs)


def json_text(value: Any) -> str:
    """A value of JSON, or of a database, as a cell's text: ``""`` for null, whole numbers bare."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def tidy_heading(text: str) -> str:
    """A heading on one line, without the spaces around it."""
    return " ".join(str(text).replace("\ufeff", "").split())


def row_issues(
    code: str,
    where: Where,
    rows: NDArray[np.int64],
    values: Sequence[str],
    message: str,
    remedy: str = "",
    severity: Severity = Severity.ERROR,
) -> list[Issue]:
    """One issue for each row, the first :data:`MOST_SHOWN` of them; the last also counts the others.

    ``{value}`` in the message stands for the cell.  Of what does not stop a run, and is published with it,
    those named are the first by their cells: the same ones however the rows stand.
    """
    if severity is not Severity.ERROR:
        order = sorted(range(len(rows)), key=lambda i: (str(values[i]), rows[i]))
        rows, values = rows[order], [values[i] for i in order]
    shown = [
        Issue(
            code,
            message.replace("{value}", brief(str(value))),
            remedy,
            Where(where.file, int(row), where.column, brief(str(value))),
            severity,
        )
        for row, value in zip(rows[:MOST_SHOWN], values[:MOST_SHOWN], strict=True)
    ]
    more = len(rows) - len(shown)
    if more > 0:
        last = f" (the last is row {int(rows.max())})"
        text = f"{more:,} more rows have the same problem"
        shown.append(Issue(code, text, remedy, Where(where.file, column=where.column), severity, last))
    return shown
