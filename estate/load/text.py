"""Tables without a geometry of their own: CSV and Excel."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from estate.errors import InputError, Issue, Where
from estate.load.raw import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Raw, from_grid
from estate.load.sniff import checked_members, corrupt, extract, refusal
from estate.scenario import TableFile
from estate.wording import closest, listed

if TYPE_CHECKING:
    import _csv

MAX_CELLS = 20_000_000
_SEPARATORS = (",", ";", "\t", "|")


# --------------------------------------------------------------------------------------------------------------- CSV


def read_csv(data: bytes, file: str, given: TableFile) -> Raw:
    """A CSV file: every cell as text.  A separator of semicolons, tabs or bars is recognised by the heading row.

    Raises
    ------
    InputError
        For a wrong encoding, ragged rows, stray quotes and what is too large, with row and line numbers.
    """
    text = _decoded(data, file, given.encoding)
    with _cell_limit():
        rows = _parse(text, file, given.header_row)
    if len(rows) < given.header_row or not any(cell.strip() for cell in rows[given.header_row - 1]):
        raise _no_heading(file, given.header_row)
    headings = rows[given.header_row - 1]
    while headings and not headings[-1].strip():
        headings = headings[:-1]
    body = _squared(rows[given.header_row :], len(headings), text, file, given.header_row)
    return from_grid(body, file, given.header_row + 1, headings)


def _decoded(data: bytes, file: str, encoding: str) -> str:
    where = Where(file, column="encoding", value=encoding)
    try:
        found = codecs.lookup(encoding)
        # hex, zip and the like are codecs too; only those that end in text will do
        name = found.name if isinstance(found.decode(b"")[0], str) and found._is_text_encoding else ""  # noqa: SLF001
    except (LookupError, ValueError):
        name = ""
    if not name:
        raise refusal("file.encoding", f"'{encoding}' is not an encoding", 'use "utf-8" or "cp1252"', where)
    if name == "utf-8" and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refusal("file.encoding", "is UTF-16 text", 'set encoding = "utf-16" for this file', where)
    try:
        return data.decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        near = data[max(0, error.start - 10) : error.start + 10].decode("cp1252", "replace")
        message = f"is not {encoding} text: line {line} holds byte 0x{data[error.start]:02x} near '{' '.join(near.split())}'"
        remedy = 'set encoding = "cp1252" for this file, or save it as UTF-8'
        raise refusal("file.encoding", message, remedy, where) from None
    except UnicodeError as error:
        raise refusal("file.encoding", f"is not {encoding} text: {error}", "correct the encoding", where) from None


@contextmanager
def _cell_limit() -> Iterator[None]:
    # The csv module keeps this for the whole process, so it is put back.
    before = csv.field_size_limit(MAX_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _reader(text: str, separator: str) -> _csv.Reader:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _parse(text: str, file: str, header_row: int) -> list[list[str]]:
    """All rows, heading and what stands above it included."""
    if text.count("\n") + text.count("\r") > 3 * MAX_ROWS:
        raise _too_many(file)
    reader = _reader(text, _separator(text, header_row))
    rows: list[list[str]] = []
    try:
        # extend() keeps the rows read before an error, so that the error can be placed
        rows.extend(reader)
    except csv.Error as error:
        row, line = len(rows) + 1, reader.line_num
        where = Where(file, row)
        if "field larger" in str(error):
            message = f"line {line}: a cell is longer than {MAX_CELL:,} characters"
            raise refusal("file.cell", message, "is a quote left open? leave such a column out", where) from None
        if "end of data" in str(error):
            line = _open_quote(text, rows, _separator(text, header_row))
            raise refusal(
                "file.quote", f"line {line}: a quote is opened and never closed", 'close it, or write "" for "', where
            ) from None
        raise refusal("file.quote", f"line {line}: a stray quote ({error})", 'write "" for a quote in a cell', where) from None
    if len(rows) > MAX_ROWS + header_row:
        raise _too_many(file)
    return rows


def _separator(text: str, header_row: int) -> str:
    line = "".join(text[: 64 * 1024].splitlines(keepends=True)[header_row - 1 : header_row])
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count) if any(each in bare for each in _SEPARATORS) else ","


def _open_quote(text: str, rows: Sequence[Sequence[str]], separator: str) -> int:
    """The line on which the row after these begins."""
    again = _reader(text, separator)
    for _ in rows:
        next(again)
    return again.line_num + 1


def _squared(rows: list[list[str]], width: int, text: str, file: str, header_row: int) -> list[list[str]]:
    """Rows of one width: blank surplus cells cut off, blank rows kept for their number; others refused."""
    if width > MAX_COLUMNS:
        message = f"has {width:,} columns; the most is {MAX_COLUMNS:,}"
        raise refusal("file.columns", message, "keep only the columns you need", Where(file, header_row))
    if set(map(len, rows)) <= {width}:
        return rows
    ragged = [n for n, row in enumerate(rows) if len(row) != width]
    blank = [""] * width
    bad: list[int] = []
    for n in ragged:
        row = rows[n]
        if not any(cell.strip() for cell in row):
            rows[n] = blank
        elif len(row) > width and not any(cell.strip() for cell in row[width:]):
            rows[n] = row[:width]
        else:
            bad.append(n)
    if bad:
        lines = _lines(text, [n + header_row for n in bad[:20]], header_row)
        issues = [
            Issue(
                "file.ragged",
                f"line {line}: {len(rows[n])} cells under {width} headings",
                "is a comma or a quote missing? put cells that hold commas in quotes",
                Where(file, n + header_row + 1),
            )
            for n, line in zip(bad[:20], lines, strict=True)
        ]
        if len(bad) > 20:
            message = f"{len(bad) - 20:,} more rows have the wrong number of cells"
            issues.append(Issue("file.ragged", message, "correct them too", Where(file)))
        raise InputError(issues=issues)
    return rows


def _lines(text: str, wanted: Sequence[int], header_row: int) -> list[int]:
    """The line on which each wanted row (0-based) begins."""
    reader = _reader(text, _separator(text, header_row))
    found, want = [], set(wanted)
    line = 1
    for n, _ in enumerate(reader):
        if n in want:
            found.append(line)
        if n >= max(want):
            break
        line = reader.line_num + 1
    return found


def _too_many(file: str) -> InputError:
    return refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only the rows of this place", Where(file))


def _no_heading(file: str, header_row: int) -> InputError:
    message = f"row {header_row} is blank or not there, and should hold the headings"
    return refusal("file.heading", message, "set header_row to the row of the headings", Where(file, header_row))


# ------------------------------------------------------------------------------------------------------------- Excel


def read_excel(data: bytes, file: str, given: TableFile) -> Raw:
    """One sheet of a workbook (``layer``, or the only one); cells as text, dates as ``2027-03-31``, whole numbers bare.

    A heading that was merged over several cells is used for each of them.
    """
    if data.startswith(b"PK"):
        _check_extent(data, file)
    label, cells, merged = _sheet(data, file, given.layer)
    if len(cells) < given.header_row:
        raise _no_heading(label, given.header_row)
    if len(cells) > MAX_ROWS + given.header_row:
        raise _too_many(label)
    headings = [_as_text(cell) for cell in cells[given.header_row - 1]]
    for (top, left), (bottom, right) in merged:
        if top <= given.header_row - 1 <= bottom and top < len(cells) and left < len(cells[top]):
            spread = _as_text(cells[top][left])
            headings[left : right + 1] = [each or spread for each in headings[left : right + 1]]
    if not any(each.strip() for each in headings):
        raise _no_heading(label, given.header_row)
    grid = [[_as_text(cell) for cell in row] for row in cells[given.header_row :]]
    return from_grid(grid, label, given.header_row + 1, headings)


type _Range = tuple[tuple[int, int], tuple[int, int]]


def _sheet(data: bytes, file: str, wanted: str) -> tuple[str, list[list[Any]], list[_Range]]:
    """What to call a sheet, its cells from A1, and its merged ranges (rows and columns from 0)."""
    import python_calamine  # noqa: PLC0415

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        name = _sheet_name(book.sheet_names, file, wanted)
        sheet = book.get_sheet_by_name(name)
        cells, merged = sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or []
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
    return f"{file}[{name}]" if len(book.sheet_names) > 1 else file, cells, merged


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


def _check_extent(data: bytes, file: str) -> None:
    """Refuse a sheet whose far-off cell would make the reader allocate billions of empty ones."""
    for member in checked_members(data, file):
        if not re.search(r"worksheets/.*\.xml$", member.filename, re.IGNORECASE):
            continue
        xml = extract(data, member, file)
        if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or re.search(rb"\br\s*=\s*[\"'][^\"'<>]{0,40}&", xml):
            raise corrupt(file, "a sheet holds XML that no spreadsheet writes")
        references = set(re.findall(rb"\br\s*=\s*[\"']\s*([A-Za-z]{1,9})[0-9]", xml))
        width = max((_column_number(each) for each in references), default=0)
        rows = re.findall(rb"\br\s*=\s*[\"']\s*[A-Za-z]{0,9}([0-9]{1,18})", xml)
        height = max(map(int, set(rows)), default=0)
        if width * height > MAX_CELLS or height > MAX_ROWS + 1000:
            message = f"has a sheet of {height:,} rows by {width:,} columns"
            raise refusal("file.rows", message, "delete the empty rows and columns at its end", Where(file))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


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
