"""CSV files."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from estate.errors import InputError, Issue, Where
from estate.load.grid import from_grid, headed, likely_heading
from estate.load.raw import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Raw
from estate.load.sniff import corrupt, refusal
from estate.scenario import TableFile

if TYPE_CHECKING:
    import _csv

_SEPARATORS = (",", ";", "\t", "|")


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
    headings = list(headed(rows, file, given))
    while headings and not headings[-1].strip():
        headings = headings[:-1]
    remedy = likely_heading(rows, given.header_row)
    body, short = _squared(rows[given.header_row :], len(headings), text, file, given.header_row, remedy)
    return from_grid(body, file, given.header_row + 1, headings, short=short)


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
        raise too_many(file)
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
        raise too_many(file)
    return rows


def _separator(text: str, header_row: int) -> str:
    n = max(header_row, 1)
    line = "".join(text[: 64 * 1024].splitlines(keepends=True)[n - 1 : n])
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count) if any(each in bare for each in _SEPARATORS) else ","


def _open_quote(text: str, rows: Sequence[Sequence[str]], separator: str) -> int:
    """The line on which the row after these begins."""
    again = _reader(text, separator)
    for _ in rows:
        next(again)
    return again.line_num + 1


def _squared(
    rows: list[list[str]], width: int, text: str, file: str, header_row: int, remedy: str
) -> tuple[list[list[str]], list[int]]:
    """Rows of one width, and which of them (from 0) ended early.

    A spreadsheet does not write the blank cells at the end of a row, so a shorter row is filled up; a longer one with more than
    blanks in it is refused, and so is a last row that breaks off without the end of its line.
    """
    if width > MAX_COLUMNS:
        message = f"has {width:,} columns; the most is {MAX_COLUMNS:,}"
        raise refusal("file.columns", message, "keep only the columns you need", Where(file, header_row))
    if set(map(len, rows)) <= {width}:
        return rows, []
    short: list[int] = []
    bad: list[int] = []
    for n, row in enumerate(rows):
        if len(row) == width:
            continue
        if len(row) < width:
            short += [n] if row else []
            rows[n] = row + [""] * (width - len(row))
        elif not any(cell.strip() for cell in row[width:]):
            rows[n] = row[:width]
        else:
            bad.append(n)
    if short and short[-1] == len(rows) - 1 and not text.endswith(("\n", "\r")) and any(rows[-1][1:]):
        raise corrupt(file, f"its last row, {len(rows) + header_row}, breaks off")
    if bad:
        lines = _lines(text, [n + header_row for n in bad[:20]], header_row)
        issues = [
            Issue(
                "file.ragged",
                f"line {line}: {len(rows[n])} cells under {width} headings",
                remedy or "is a comma or a quote missing? put cells that hold commas in quotes",
                Where(file, n + header_row + 1),
            )
            for n, line in zip(bad[:20], lines, strict=True)
        ]
        if len(bad) > 20:
            message = f"{len(bad) - 20:,} more rows have the wrong number of cells"
            issues.append(Issue("file.ragged", message, "correct them too", Where(file)))
        raise InputError(issues=issues)
    return rows, short


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


def too_many(file: str) -> InputError:
    """The refusal of a table with more rows than are read."""
    return refusal("file.rows", f"has more than {MAX_ROWS:,} rows", "keep only the rows of this place", Where(file))
