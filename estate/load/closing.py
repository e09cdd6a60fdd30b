"""What stands after a table in the same sheet: totals, and the notes of a statistics download."""

from __future__ import annotations

import re
from collections.abc import Sequence

from estate.errors import Issue, Severity, Where
from estate.wording import brief, listed

_MOST = 100
"""Rows at the end of a table that are looked at."""
_LONG = 60
"""A lone cell with more characters than this is a sentence."""
_NOTE = re.compile(
    r"\s*(sources?|notes?|footnotes?|key|copyright|©|\(c\)|crown|contains|statistics|figures|this|these|see|for|to|the|all|data"
    r"|published|produced|extracted|accessed|downloaded|last|next|contact|e-?mail|https?:|www\.|end of|disclaimer"
    r"|\*|†|‡|~|\[\w{1,5}\]|[0-9]+[.)] )",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"\s*((grand|overall|sub|county|district|column)[ -]?)?totals?\s*:?\s*|\s*sum\s*:?\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[£ ]*-?[0-9][0-9,]*(?:\.[0-9]+)?\s*")


def closing(grid: Sequence[Sequence[str]], file: str, first_row: int, width: int) -> tuple[list[int], list[Issue]]:
    """Which rows (from 0) of a table are not its own, and a warning that says so.

    Left out are rows of a single cell that begin as notes do or follow a blank row, at the end; and a first or last row that
    calls itself a total, or holds nothing but the sums of its columns.
    """
    if width < 3 or not grid:
        return [], []
    notes = _notes(grid)
    issues = []
    if notes:
        words = next(cell for cell in grid[notes[0]] if cell.strip())
        rows = listed([first_row + n for n in notes])
        message = f"rows after the table are left out, as notes ({rows}): '{brief(words)}'"
        issues.append(Issue("file.notes", message, "", Where(file, first_row + notes[0]), Severity.WARNING))
    end = notes[0] if notes else len(grid)
    own = [n for n in range(end) if n < 1 or n >= end - _MOST]
    filled = [n for n in own if any(cell.strip() for cell in grid[n])]
    totals = [n for n in dict.fromkeys((*filled[-1:], *filled[:1])) if len(filled) > 1 and _is_total(grid, n, end)]
    for n in totals:
        message = f"the row is a total ('{brief(' '.join(cell for cell in grid[n] if cell.strip()), 40)}') and is left out"
        where = Where(file, first_row + n)
        issues.append(Issue("file.total", message, "if it is a row of its own, name it otherwise", where, Severity.WARNING))
    return [*totals, *notes], issues


def _filled(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell.strip()]


def _notes(grid: Sequence[Sequence[str]]) -> list[int]:
    start = len(grid)
    for n in range(len(grid) - 1, max(len(grid) - _MOST, 0) - 1, -1):
        cells = _filled(grid[n])
        if len(cells) > 1 and not (len(cells) == 2 and _NOTE.match(cells[0]) and len(grid[n]) > 4):
            break
        start = n
    tail = range(start, len(grid))
    after_blank = next((n for n in tail if not _filled(grid[n])), len(grid))
    like = next((n for n in tail for cell in _filled(grid[n])[:1] if _NOTE.match(cell) or len(cell) > _LONG), len(grid))
    return [n for n in range(min(after_blank, like), len(grid)) if _filled(grid[n])]


def _is_total(grid: Sequence[Sequence[str]], n: int, end: int) -> bool:
    cells = _filled(grid[n])
    if _TOTAL.fullmatch(cells[0]):
        return True
    if n == 0 or len(cells) < 1 or not all(map(_NUMBER.fullmatch, cells)):
        return False
    sums = [(at, _value(cell)) for at, cell in enumerate(grid[n]) if cell.strip()]
    for at, total in sums:
        column = [row[at] for m, row in enumerate(grid[:end]) if m != n and row[at].strip()]
        if len(column) < 2 or not all(map(_NUMBER.fullmatch, column)):
            return False
        if abs(sum(map(_value, column)) - total) > 0.5 + 1e-6 * abs(total):
            return False
    return True


def _value(cell: str) -> float:
    return float(re.sub(r"[£,\s]", "", cell))
