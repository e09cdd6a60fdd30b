"""The cells of a sheet, or of a CSV file, as a table: which row holds the headings, and which rows are the table's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from estate.errors import Issue, Severity, Where
from estate.load.closing import closing
from estate.load.raw import Raw, tidy_heading
from estate.load.sniff import refusal
from estate.scenario import TableFile
from estate.wording import counted, listed

_LOOKED_AT = 20
"""Rows at the top that are searched for the headings."""


def headed(rows: Sequence[Sequence[str]], file: str, given: TableFile) -> Sequence[str]:
    """The headings: those of ``header_row``; where it is 0, the scenario's own ``headings``, or 1, 2, 3 ...

    Raises
    ------
    InputError
        When that row is blank or not there.
    """
    if given.header_row == 0:
        width = max(map(len, rows[: 10 * _LOOKED_AT]), default=0)
        named = list(given.headings)[:width]
        return named + [str(n) for n in range(len(named) + 1, width + 1)]
    if len(rows) < given.header_row or not any(cell.strip() for cell in rows[given.header_row - 1]):
        message = f"row {given.header_row} is blank or not there, and should hold the headings"
        where = Where(file, given.header_row)
        raise refusal("file.heading", message, "set header_row to the row of the headings", where)
    return rows[given.header_row - 1]


def likely_heading(rows: Sequence[Sequence[str]], header_row: int) -> str:
    """A remedy that names the row of the headings, where the one that was asked for is a title; ``""`` where it is none."""
    full = [sum(bool(cell.strip()) for cell in row) for row in rows[:_LOOKED_AT]]
    widest = max(full, default=0)
    if header_row and len(full) >= header_row and full[header_row - 1] < 2 < widest:
        return f"is that row a title? the headings seem to be in row {full.index(widest) + 1}: set header_row"
    return ""


def from_grid(
    grid: Sequence[Sequence[str]],
    file: str,
    first_row: int,
    headings: Sequence[str],
    *,
    short: Collection[int] = (),
    remedy: str = "",
) -> Raw:
    """Rows of equal length under their headings.

    Blank rows, and what stands after the table (:mod:`estate.load.closing`), are left out; so are columns without a heading,
    which is said where they hold anything.  ``short`` are the rows (from 0) that ended early;
    ``remedy`` is what to do where the headings seem to be another row.
    """
    names = [tidy_heading(each) for each in headings]
    # Each column is filled from a tuple, so that nothing guesses a type.
    columns = list(zip(*grid, strict=True)) if grid else [()] * len(names)
    kept: dict[str, pd.Series] = {}
    clashes: list[str] = []
    unheaded: list[int] = []
    for n, (name, column) in enumerate(zip(names, columns, strict=True), 1):
        if not name:
            unheaded += [n] if any(cell.strip() for cell in column) else []
            continue
        series = pd.Series(list(column), dtype="str")
        if name not in kept:
            kept[name] = series
        elif not kept[name].str.strip().equals(series.str.strip()):
            clashes.append(name)
    left_out, issues = closing(grid, file, first_row, len(kept))
    blank = np.ones(len(grid), dtype=bool)
    for series in kept.values():
        blank &= (series.str.strip() == "").to_numpy(dtype=bool)
    blank[left_out] = True
    ended = [first_row + n for n in sorted(short) if not blank[n]]
    if ended:
        ends = counted(len(ended), "row ends", "rows end")
        message = f"{ends} before the last heading (rows {listed(ended)}): the cells that are not there are blank"
        issues.append(Issue("file.short", message, "", Where(file, ended[0]), Severity.WARNING))
    if unheaded:
        message = (
            f"columns {listed([column_letters(n) for n in unheaded])} hold cells and have no heading, so nothing reads them"
        )
        remedy = remedy or "give them a heading, if they matter"
        issues.append(Issue("file.no-heading", message, remedy, Where(file, max(first_row - 1, 1)), Severity.WARNING))
    frame = pd.DataFrame(kept, index=pd.RangeIndex(len(grid)))
    rows = np.arange(first_row, first_row + len(grid), dtype=np.int64)
    raw = Raw(file, frame, rows, clashes=tuple(clashes), issues=tuple(issues))
    return raw.take(~blank) if blank.any() else raw


def column_letters(number: int) -> str:
    """A column as a spreadsheet names it: 28 is AB."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
