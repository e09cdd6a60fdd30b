"""What a reader of workbooks leaves out, found in the workbook's own parts, and how much a sheet would unfold to.

The reader gives a blank both for a cell that holds an error and for a formula that was never calculated.  Here the sheet's
XML (in ``.xlsb`` its binary records) is looked through for those cells; and, before anything is unfolded, for cells so far
apart, or text repeated so often, that no memory would hold them.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from estate.errors import InputError, Where
from estate.load.marks import UNCALCULATED
from estate.load.raw import MAX_CELL, MAX_ROWS
from estate.load.sniff import checked_members, corrupt, extract, refusal

MAX_CELLS = 20_000_000
MAX_TEXT = 512 * 1024 * 1024
"""Characters that a sheet's cells may unfold to."""

type Range = tuple[tuple[int, int], tuple[int, int]]
type Cells = dict[tuple[int, int], str]
type Part = Callable[[str], bytes]
"""A member of the archive by its name; no bytes where there is none."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Cells (row and column from 0) with what stands in them, and merged ranges, that the reader does not tell."""

    cells: Mapping[tuple[int, int], str] = field(default_factory=dict)
    merged: tuple[Range, ...] = ()


def dropped(data: bytes, file: str, sheet: str, position: int) -> Dropped:
    """What the reader would drop from a sheet of an archive of parts, by its name and its position among the sheets.

    Raises
    ------
    InputError
        When the sheet would unfold to too much, or its parts cannot be followed.
    """
    members = {each.filename.lower(): each for each in checked_members(data, file)}

    def part(name: str) -> bytes:
        found = members.get(name.lower())
        content = b"" if found is None else extract(data, found, file)
        if name.endswith((".xml", ".rels")) and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
            raise corrupt(file, "a sheet holds XML that no spreadsheet writes")
        return content

    try:
        if "content.xml" in members:
            return _opendocument(part("content.xml"), file, position)
        if "xl/workbook.bin" in members:
            return _binary(part, file, sheet)
        return _open_xml(part, file, sheet)
    except InputError:
        raise
    except (ET.ParseError, LookupError, ValueError, StopIteration, OverflowError) as error:
        raise corrupt(file, f"the workbook's parts do not fit together: {error}") from None


def _check_size(height: int, width: int, file: str) -> None:
    if width * height > MAX_CELLS or height > MAX_ROWS + 1000:
        message = f"has a sheet of {height:,} rows by {width:,} columns"
        raise refusal("file.rows", message, "delete the empty rows and columns at its end", Where(file))


def _check_text(longest: int, total: int, file: str) -> None:
    remedy = "leave such a column out, or save the sheet as CSV"
    if longest > MAX_CELL:
        raise refusal("file.cell", f"a cell is longer than {MAX_CELL:,} characters", remedy, Where(file))
    if total > MAX_TEXT:
        message = f"its cells hold {total / 2**20:,.0f} MB of text; the most is {MAX_TEXT / 2**20:,.0f} MB"
        raise refusal("file.cell", message, remedy, Where(file))


def check_shared(lengths: NDArray[np.int64], used: NDArray[np.int64], file: str) -> None:
    """Text that is kept once and stands in many cells."""
    used = used[(used >= 0) & (used < len(lengths))]
    if len(used):
        _check_text(int(lengths[used].max()), int(lengths[used].sum()), file)


# ---------------------------------------------------------------------------------------------------------- Open XML

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?v>)", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_AT = re.compile(rb"\br\s*=\s*[\"']\s*([A-Za-z]{1,9})([0-9]{1,9})")
_KIND = re.compile(rb"\bt\s*=\s*[\"']\s*(\w+)")


def _open_xml(part: Part, file: str, sheet: str) -> Dropped:
    book = part("xl/workbook.xml")
    entry = next(each for each in _elements(book) if each.tag.endswith("}sheet") and each.get("name") == sheet)
    key = next(value for name, value in entry.attrib.items() if name.endswith("}id"))
    targets = {each.get("Id"): each.get("Target", "") for each in _elements(part("xl/_rels/workbook.xml.rels"))}
    xml = part(posixpath.normpath(posixpath.join("/xl", targets[key])).lstrip("/"))
    if not xml or re.search(rb"\br\s*=\s*[\"'][^\"'<>]{0,40}&", xml):
        raise corrupt(file, "a sheet holds XML that no spreadsheet writes")
    letters = set(re.findall(rb"\br\s*=\s*[\"']\s*([A-Za-z]{1,9})[0-9]", xml))
    numbers = set(re.findall(rb"\br\s*=\s*[\"']\s*[A-Za-z]{0,9}([0-9]{1,18})", xml))
    _check_size(max(map(int, numbers), default=0), max(map(_column_number, letters), default=0), file)
    shared = re.finditer(rb"<(?:\w+:)?si\b(?:[^>]*/>|.*?</(?:\w+:)?si>)", part("xl/sharedStrings.xml"), re.DOTALL)
    lengths = np.array([each.end() - each.start() for each in shared], dtype=np.int64)
    used = re.findall(rb"\bt\s*=\s*[\"']s[\"'][^>]*>\s*<(?:\w+:)?v\b[^>]*>\s*([0-9]{1,9})\s*<", xml)
    check_shared(lengths, np.array(used, dtype=np.int64), file)
    never = bool(re.search(rb"fullCalcOnLoad\s*=\s*[\"'](?:1|true)", book))
    return Dropped(_odd_cells(xml, asks_to_calculate=never))


def _elements(xml: bytes) -> Iterator[ET.Element]:
    return ET.fromstring(xml).iter()  # noqa: S314  (declares no entity: see ``part``)


def _odd_cells(xml: bytes, *, asks_to_calculate: bool) -> Cells:
    """Errors, and formulas without a value.

    A program that does not calculate leaves the value out, or writes 0 for every formula and asks whoever opens the workbook to
    calculate it.
    """
    found: Cells = {}
    if not re.search(rb"<(?:\w+:)?f\b|\bt\s*=\s*[\"']e[\"']", xml):
        return found
    zero: Cells = {}
    calculated = False
    for match in _CELL.finditer(xml):
        attributes, inside = match[1], match[2] or b""
        kind = _KIND.search(attributes)
        value = _VALUE.search(inside)
        text = (value[1] or b"").strip() if value else b""
        if kind and kind[1] == b"e":
            found[_position(xml, match)] = text.decode("utf-8", "replace") or "#N/A"
        elif _FORMULA.search(inside):
            if not text and not (kind and kind[1] == b"str" and value):
                found[_position(xml, match)] = UNCALCULATED
            elif text == b"0" and asks_to_calculate:
                zero[_position(xml, match)] = UNCALCULATED
            else:
                calculated = True
    return found if calculated else found | zero


def _position(xml: bytes, match: re.Match[bytes]) -> tuple[int, int]:
    """A cell's row and column from 0: what it says, or how many stand before it."""
    said = _AT.search(match[1])
    if said:
        return int(said[2]) - 1, _column_number(said[1]) - 1
    start = max(xml.rfind(b"<row", 0, match.start()), xml.rfind(b":row", 0, match.start()))
    row = re.match(rb"[<:]row\b[^>]*?\br\s*=\s*[\"']([0-9]{1,9})", xml[start : match.start()])
    before = len(re.findall(rb"<(?:\w+:)?row\b", xml[:start]))
    column = len(re.findall(rb"<(?:\w+:)?c\b", xml[start : match.start()]))
    return (int(row[1]) - 1 if row else before), column


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


# ------------------------------------------------------------------------------------------------------------ binary

_ROW, _ERROR, _SHARED, _FORMULA_ERROR, _STRING_ITEM, _SHEET = 0, 3, 7, 11, 19, 156
ERROR_NAMES = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}


def _binary(part: Part, file: str, sheet: str) -> Dropped:
    """Of the records of [MS-XLSB], rows, cells, sheets and shared strings are looked at."""
    key = next(
        key
        for kind, body in _records(part("xl/workbook.bin"))
        if kind == _SHEET
        for key, name in [_sheet(body)]
        if name == sheet
    )
    targets = {each.get("Id"): each.get("Target", "") for each in _elements(part("xl/_rels/workbook.bin.rels"))}
    found: Cells = {}
    used: list[int] = []
    row, height, width = 0, 0, 0
    for kind, body in _records(part(posixpath.normpath(posixpath.join("/xl", targets[key])).lstrip("/"))):
        if kind == _ROW:
            row = int.from_bytes(body[:4], "little")
            height = max(height, row + 1)
        elif 1 <= kind <= _FORMULA_ERROR:
            column = int.from_bytes(body[:4], "little")
            width = max(width, column + 1)
            if kind in (_ERROR, _FORMULA_ERROR):
                found[row, column] = ERROR_NAMES.get(body[8], "#N/A")
            elif kind == _SHARED:
                used.append(int.from_bytes(body[8:12], "little"))
    _check_size(height, width, file)
    lengths = [len(body) // 2 for kind, body in _records(part("xl/sharedStrings.bin")) if kind == _STRING_ITEM]
    check_shared(np.array(lengths, dtype=np.int64), np.array(used, dtype=np.int64), file)
    return Dropped(found)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind = kind & 0x7F | data[at] << 7
            at += 1
        size = shift = 0
        while True:
            size |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not data[at - 1] & 0x80 or shift > 21:
                break
        yield kind, data[at : at + size]
        at += size


def _sheet(body: bytes) -> tuple[str, str]:
    """The relation and the name of a sheet: two strings, each with its length before it."""
    first = int.from_bytes(body[8:12], "little") * 2 + 12
    second = int.from_bytes(body[first : first + 4], "little") * 2 + first + 4
    return body[12:first].decode("utf-16-le"), body[first + 4 : second].decode("utf-16-le")


# ------------------------------------------------------------------------------------------------------ OpenDocument

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_EXTENSION = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_CELL_TAGS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


@dataclass(frozen=True, slots=True)
class _Run:
    """A cell of OpenDocument with where it begins, and over how many rows and columns it is repeated."""

    table: int
    row: int
    column: int
    rows: int
    columns: int
    cell: ET.Element

    @property
    def words(self) -> str:
        return "".join(self.cell.itertext())


def _opendocument(xml: bytes, file: str, position: int) -> Dropped:
    """The whole document is walked, since its reader unfolds every sheet; repeated cells are counted, not unfolded."""
    found: Cells = {}
    merged: list[Range] = []
    total = width = table = 0
    for run in _runs(xml):
        if run.cell.get(f"{_OFFICE}value-type") or run.cell.get(f"{_TABLE}formula") or run.words:
            width = max(width if run.table == table else 0, run.column + run.columns)
            table = run.table
            total += len(run.words) * run.columns * run.rows
            _check_text(len(run.words), total, file)
            _check_size(run.row + run.rows, width, file)
        if run.table == position:
            odd = _odd_text(run.cell, run.words)
            if odd:
                found |= {(run.row + r, run.column + c): odd for r in range(run.rows) for c in range(run.columns)}
            down, across = (_count(run.cell, f"number-{what}-spanned") for what in ("rows", "columns"))
            if down > 1 or across > 1:
                merged.append(((run.row, run.column), (run.row + down - 1, run.column + across - 1)))
    return Dropped(found, tuple(merged))


def _runs(xml: bytes) -> Iterator[_Run]:
    table, row = -1, 0
    cells: list[ET.Element] = []
    for event, element in ET.iterparse(io.BytesIO(xml), ("start", "end")):  # noqa: S314  (declares no entity: see ``part``)
        if event == "start":
            if element.tag == f"{_TABLE}table":
                table, row = table + 1, 0
        elif element.tag in _CELL_TAGS:
            cells.append(element)
        elif element.tag == f"{_TABLE}table-row":
            rows, column = _count(element, "number-rows-repeated"), 0
            for cell in cells:
                columns = _count(cell, "number-columns-repeated")
                yield _Run(table, row, column, rows, columns, cell)
                column += columns
            row += rows
            cells = []
            element.clear()


def _count(element: ET.Element, name: str) -> int:
    return max(int(element.get(f"{_TABLE}{name}", "1")), 1)


def _odd_text(cell: ET.Element, words: str) -> str:
    formula = cell.get(f"{_TABLE}formula")
    error = words.startswith(("#", "Err:"))
    if cell.get(f"{_EXTENSION}value-type") == "error" or (formula and error):
        return words if error else "#N/A"
    return UNCALCULATED if formula and not cell.get(f"{_OFFICE}value-type") and not words else ""
