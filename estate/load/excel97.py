"""What a reader leaves out of the ``.xls`` workbooks of Excel 5 to 2003, found in their records ([MS-XLS]).

As in :mod:`estate.load.sheet_parts`: cells that hold an error, formulas that were never calculated, and text that is stored once
and stands in so many cells that no memory would hold it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from estate.load.marks import UNCALCULATED
from estate.load.sheet_parts import ERROR_NAMES, Cells, Dropped, check_shared
from estate.load.sniff import corrupt

_BEGIN, _END, _SHEET, _STRINGS, _CONTINUED = 0x0809, 0x000A, 0x0085, 0x00FC, 0x003C
_FORMULA, _SHARED, _ERROR = 0x0006, 0x00FD, 0x0205
_NO_TEXT = b"\x03\0\0\0\0\0\xff\xff"
_ON_LOAD = 0x02
"""The flag of a formula that is to be calculated when the workbook is opened."""


def dropped(data: bytes, file: str, position: int) -> Dropped:
    """What the reader would drop from the sheet at a position among the sheets.

    Raises
    ------
    InputError
        When the records cannot be followed, or the sheet would unfold to too much.
    """
    import olefile  # noqa: PLC0415

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as parts:
            stream = parts.openstream("Workbook" if parts.exists("Workbook") else "Book").read()
            saved = parts.exists("\x05SummaryInformation")
        starts = [int.from_bytes(body[:4], "little") for kind, body in _records(stream, 0) if kind == _SHEET]
        return Dropped(_odd_cells(stream, starts[position], file, saved=saved))
    except (OSError, LookupError, ValueError, OverflowError) as error:
        raise corrupt(file, f"the workbook's parts do not fit together: {error}") from None


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of one part of the workbook, those of the charts inside it left out."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = int.from_bytes(stream[at : at + 2], "little"), int.from_bytes(stream[at + 2 : at + 4], "little")
        depth += kind == _BEGIN
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + size]
        depth -= kind == _END
        if depth == 0:
            return
        at += 4 + size
    raise ValueError("a part has no end")


def _odd_cells(stream: bytes, start: int, file: str, *, saved: bool) -> Cells:
    """Errors, and formulas without a value.

    A formula here always has a value, but a program that does not calculate writes 0 for every one and asks whoever opens the
    workbook to calculate it, or writes an empty text; which also is what many a formula gives, so ``saved`` says that there is
    the summary that Excel and LibreOffice keep of a workbook, and such programs do not.
    """
    found: Cells = {}
    zero: Cells = {}
    calculated = False
    used: list[int] = []
    for kind, body in _records(stream, start):
        if kind not in (_ERROR, _FORMULA, _SHARED):
            continue
        cell = (int.from_bytes(body[:2], "little"), int.from_bytes(body[2:4], "little"))
        if kind == _SHARED:
            used.append(int.from_bytes(body[6:10], "little"))
        elif kind == _ERROR and body[7]:
            found[cell] = ERROR_NAMES.get(body[6], "#N/A")
        elif kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:
            found[cell] = ERROR_NAMES.get(body[8], "#N/A")
        elif kind == _FORMULA and ((body[6:14] == bytes(8) and body[14] & _ON_LOAD) or (body[6:14] == _NO_TEXT and not saved)):
            zero[cell] = UNCALCULATED
        elif kind == _FORMULA:
            calculated = True
    check_shared(np.array(_lengths(_texts(stream)), dtype=np.int64), np.array(used, dtype=np.int64), file)
    return found if calculated else found | zero


def _texts(stream: bytes) -> list[bytes]:
    """The records of the texts that are kept once for the whole workbook, the first without its heading."""
    parts: list[bytes] = []
    for kind, body in _records(stream, 0):
        if kind == _STRINGS:
            parts = [body[8:]]
        elif kind == _CONTINUED and parts:
            parts.append(body)
        elif parts:
            break
    return parts


def _lengths(parts: list[bytes]) -> list[int]:
    """Characters of each text of some records; one may go on from record to record."""
    lengths: list[int] = []
    n = at = 0
    while n < len(parts):
        if at >= len(parts[n]):
            n, at = n + 1, at - len(parts[n])
            continue
        head = parts[n][at : at + 9]
        count, flags = int.from_bytes(head[:2], "little"), head[2]
        lengths.append(count)
        at += 3
        after = 0
        if flags & 0x08:  # runs of letters in other fonts, which stand behind the text
            after += 4 * int.from_bytes(parts[n][at : at + 2], "little")
            at += 2
        if flags & 0x04:  # how a text of East Asia is pronounced
            after += int.from_bytes(parts[n][at : at + 4], "little")
            at += 4
        wide = flags & 0x01
        while count and n < len(parts):
            fits = min(count, (len(parts[n]) - at) >> wide)
            count -= fits
            at += fits << wide
            if count:  # the next record begins with how the rest is written
                n, at = n + 1, 1
                wide = parts[n][0] & 0x01
        at += after
    return lengths
