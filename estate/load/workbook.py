"""One sheet of a workbook: Excel's ``.xlsx``, ``.xlsm``, ``.xlsb`` and ``.xls``, and OpenDocument's ``.ods``."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from estate.errors import InputError, Issue, Severity, Where
from estate.load import excel97, sheet_parts
from estate.load.grid import column_letters, from_grid, headed, likely_heading
from estate.load.marks import MERGED
from estate.load.raw import MAX_ROWS, Raw
from estate.load.sheet_parts import Dropped, Range
from estate.load.sniff import corrupt, refusal
from estate.load.text import too_many
from estate.scenario import TableFile
from estate.wording import brief, closest, listed


def read_workbook(data: bytes, file: str, given: TableFile) -> Raw:
    """One sheet of a workbook (``layer``, or the only one); cells as text, dates as ``2027-03-31``, whole numbers bare.

    An error, and a formula whose value is not stored, stay in their cell as text, to be refused where the cell is read.  A
    heading that was merged over several cells is used for each of them, and a cell merged down several rows fills them,
    which is said; a figure that was so merged is refused, since it belongs to none of the rows alone.
    """
    label, cells, lost = _sheet(data, file, given.layer)
    if len(cells) > MAX_ROWS + given.header_row:
        raise too_many(label)
    width = max(map(len, cells), default=0)
    grid = [[_as_text(cell) for cell in row] + [""] * (width - len(row)) for row in cells]
    for (row, column), words in lost.cells.items():
        if row < len(grid) and column < width:
            grid[row][column] = words
    issues = _filled_down(grid, cells, lost.merged, given.header_row, label)
    headings = list(headed(grid, label, given))
    for (top, left), (bottom, right) in lost.merged:
        if top <= given.header_row - 1 <= bottom and top < len(grid) and left < width:
            headings[left : right + 1] = [each or grid[top][left] for each in headings[left : right + 1]]
    remedy = likely_heading(grid, given.header_row)
    raw = from_grid(grid[given.header_row :], label, given.header_row + 1, headings, remedy=remedy)
    return replace(raw, issues=(*issues, *raw.issues))


def _filled_down(
    grid: list[list[str]], cells: Sequence[Sequence[Any]], merged: Sequence[Range], header_row: int, file: str
) -> list[Issue]:
    """Fill cells that were merged down rows, in place, and say so; one figure for several rows becomes a mark."""
    words: dict[int, list[str]] = {}
    for (top, left), (bottom, right) in sorted(merged):
        last = min(bottom, len(grid) - 1)
        box = right - left + 1 > max(2, len(grid[0]) // 2) if grid else True  # a note across the sheet, not a label
        if top < header_row or last <= top or box or left >= len(grid[top]) or not grid[top][left].strip():
            continue
        value = cells[top][left] if left < len(cells[top]) else ""
        figure = isinstance(value, (int, float)) and not isinstance(value, bool)
        for row in range(top, last + 1):
            grid[row][left] = MERGED if figure else grid[top][left]
        if not figure:
            words.setdefault(left, []).append(f"'{brief(grid[top][left], 30)}' in rows {top + 1} to {last + 1}")
    return [
        Issue(
            "file.merged",
            f"column {column_letters(column + 1)}: cells merged down several rows were read as filled: {listed(those)}",
            "",
            Where(file, header_row + 1),
            Severity.WARNING,
        )
        for column, those in sorted(words.items())
    ]


def _sheet(data: bytes, file: str, wanted: str) -> tuple[str, list[list[Any]], Dropped]:
    """What to call a sheet, its cells from A1, and what its reader leaves out."""
    import python_calamine  # noqa: PLC0415

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        name = _sheet_name(book.sheet_names, file, wanted)
        at = book.sheet_names.index(name)
        archive = data.startswith(b"PK")
        lost = sheet_parts.dropped(data, file, name, at) if archive else excel97.dropped(data, file, at)
        sheet = book.get_sheet_by_name(name)
        cells = sheet.to_python(skip_empty_area=False)
        lost = replace(lost, merged=(*lost.merged, *(sheet.merged_cell_ranges or ())))
    except InputError:
        raise
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        locked = "password" in str(error).lower() or "encrypt" in str(error).lower()
        raise corrupt(file, "it is protected by a password" if locked else error) from None
    except BaseException as error:
        # The reader is written in Rust, whose panics are no ordinary exceptions.
        if type(error).__name__ != "PanicException":
            raise
        raise corrupt(file, "the workbook's parts do not fit together") from None
    return f"{file}[{name}]" if len(book.sheet_names) > 1 else file, cells, lost


def _sheet_name(names: Sequence[str], file: str, wanted: str) -> str:
    if wanted:
        match = next((each for each in names if each.strip().casefold() == wanted.strip().casefold()), None)
        if match is not None:
            return match
        near = closest(wanted, names)
        remedy = f"did you mean '{near}'?" if near else f"the sheets are: {listed(names, 20)}"
        raise refusal("file.layer", f"has no sheet '{wanted}'", remedy, Where(file, column="layer", value=wanted))
    if len(names) == 1:
        return names[0]
    message = f"has {len(names)} sheets and none is named: {listed(names, 20)}"
    raise refusal("file.layer", message, 'say which: {path = "...", layer = "..."}', Where(file, column="layer"))


def _as_text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return "" if cell is None else str(cell)
