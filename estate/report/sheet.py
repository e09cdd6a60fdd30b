"""Writing sheets: cells by kind, tables with live totals, print set-up; text is always written as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xlsxwriter

type Total = tuple[str, float]
"""A live total: the formula that refers to it, and its value."""

FIRST = 4
"""The first row of a table, after its title, its note, a space and the headings."""
LONGEST = 32_000
"""Characters in a cell; Excel allows 32,767."""

INK, RULE, PALE = "#1d2733", "#8a97a6", "#eef2f6"
MONEY = '£#,##0.00_);[Red]-£#,##0.00_);"–"_)'
POUNDS = '£#,##0_);[Red]-£#,##0_);"–"_)'
NUMBER_FORMATS = {
    "text": "@",
    "wrap": "@",
    "gbp": MONEY,
    "pounds": POUNDS,
    "plain": '£#,##0_);-£#,##0_);"–"_)',
    "percent": "0%_)",
    "change": '+0.0"%"_);-0.0"%"_);0.0"%"_)',
    "int": "#,##0_)",
    "signed": '+#,##0_);-#,##0_);"–"_)',
    "number": "#,##0.0_)",
    "factor": "0.0000_)",
    "general": "General_)",
}
"""By kind; ``_)`` leaves a little room before the next column."""
TEXTS = ("text", "wrap")
LINE = 12.75
"""Points of a line of text."""
FULL = 1.12
"""Characters of ordinary text to a unit of width, which is that of a digit."""


@dataclass(frozen=True, slots=True)
class Col:
    """One column of a sheet: its name in the table, its heading, how it is shown, its width, whether it is added up."""

    name: str
    heading: str
    kind: str = "text"
    width: float = 14.0
    total: bool = False


class Pen:
    """The styles of one workbook, and the ways to write with them."""

    def __init__(self, workbook: xlsxwriter.Workbook, title: str) -> None:
        self.book, self.title = workbook, clean(title)
        plain = {"font_name": "Arial", "font_size": 10, "font_color": INK, "valign": "top"}
        make = workbook.add_format
        self.cell = {
            kind: make({**plain, "num_format": code, "text_wrap": kind == "wrap", "indent": int(kind in TEXTS)})
            for kind, code in NUMBER_FORMATS.items()
        }
        self.cell["right"] = make({**plain, "num_format": "@", "align": "right"})
        self.sentence = make({**plain, "text_wrap": True})
        total = {**plain, "bold": True, "top": 1, "top_color": RULE, "bg_color": PALE}
        self.total = {kind: make({**total, "num_format": code}) for kind, code in NUMBER_FORMATS.items()}
        head = {
            **plain,
            "bold": True,
            "text_wrap": True,
            "bottom": 1,
            "bottom_color": RULE,
            "bg_color": PALE,
            "valign": "bottom",
        }
        self.head, self.head_right = make({**head, "indent": 1}), make({**head, "align": "right", "indent": 1})
        self.big, self.bold = make({**plain, "bold": True, "font_size": 16}), make({**plain, "bold": True, "font_size": 11})
        self.quiet = make({**plain, "font_color": "#56616e"})
        self._widths: dict[str, dict[int, float]] = {}

    def sheet(self, name: str, *, landscape: bool = True) -> Any:
        """A new sheet, set up to print on A4 with its name and page numbers."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        (sheet.set_landscape if landscape else sheet.set_portrait)()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        # In a footer, & begins a code.
        sheet.set_footer(f"&L&8{self.title[:80].replace('&', '&&')}&C&8{name}&R&8&P of &N")
        return sheet

    def text(self, sheet: Any, row: int, column: int, value: object, style: Any = None) -> None:
        """One cell of text, whatever it looks like."""
        sheet.write_string(row, column, clean(value), style or self.cell["text"])

    def value(self, sheet: Any, row: int, column: int, value: Any, kind: str, styles: Mapping[str, Any] | None = None) -> None:
        """One cell, by its kind; what is missing is left blank."""
        style = (styles or self.cell)[kind]
        if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            sheet.write_blank(row, column, None, style)
        elif kind in ("text", "wrap") or isinstance(value, (str, bool)):
            words = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
            self.text(sheet, row, column, words, style)
        else:
            sheet.write_number(row, column, float(value), style)

    def headings(self, sheet: Any, row: int, columns: Sequence[Col], *, widths: Sequence[float] = ()) -> None:
        """The headings of a table, over numbers to the right; with ``widths`` they set the columns' widths."""
        for at, column in enumerate(columns):
            self.text(sheet, row, at, column.heading, self.head if column.kind in TEXTS else self.head_right)
        for at, width in enumerate(widths):
            self.width(sheet, at, width)
        sheet.set_row(row, LINE * max(self._lines(sheet, at, column.heading) for at, column in enumerate(columns)) + 4)

    def width(self, sheet: Any, column: int, width: float) -> None:
        """Set a column's width, in characters."""
        sheet.set_column(column, column, width)
        self._widths.setdefault(sheet.get_name(), {})[column] = width

    def _lines(self, sheet: Any, column: int, value: object) -> int:
        """How many lines a text takes in a column: readers that do not measure need to be told the height of a row."""
        return max(math.ceil(len(str(value)) / (FULL * self._widths.get(sheet.get_name(), {}).get(column, 9.0))), 1)

    def rows(self, sheet: Any, row: int, columns: Sequence[Col], frame: pd.DataFrame) -> int:
        """The cells of a table from ``row`` on; gives the row after the last."""
        shown = [frame[column.name].tolist() if column.name in frame else [None] * len(frame) for column in columns]
        for n in range(len(frame)):
            height = 1
            for at, column in enumerate(columns):
                value = shown[at][n]
                self.value(sheet, row + n, at, value, column.kind)
                if column.kind == "wrap":
                    height = max(height, self._lines(sheet, at, value))
            sheet.set_row(row + n, LINE * height + 2)
        return row + len(frame)

    def table(
        self, name: str, title: str, note: str, columns: Sequence[Col], frame: pd.DataFrame, *, repeat: bool = True
    ) -> dict[str, Total]:
        """A sheet with one table and, under it, live totals; gives each one by column.  ``repeat``: headings on every page."""
        sheet = self.sheet(name)
        self.top(sheet, title, note)
        self.headings(sheet, FIRST - 1, columns, widths=fitted(columns, frame))
        end = self.rows(sheet, FIRST, columns, frame)
        sheet.freeze_panes(FIRST, 1)
        if repeat:
            sheet.repeat_rows(FIRST - 1)
        if len(frame):
            sheet.autofilter(FIRST - 1, 0, end - 1, len(columns) - 1)
        return self.totals(sheet, name, end, columns, frame)

    def spread(
        self, sheet: Any, row: int, columns: Sequence[Col], spans: Sequence[tuple[int, int]], frame: pd.DataFrame
    ) -> None:
        """A table of texts whose columns take the spans (first and last) of the columns above it."""
        widths = self._widths[sheet.get_name()]
        room = [sum(widths[at] for at in range(first, last + 1)) for first, last in spans]
        lines = [
            [column.heading for column in columns],
            *frame[[column.name for column in columns]].astype(str).to_numpy().tolist(),
        ]
        for n, cells in enumerate(lines):
            style = self.cell["wrap"] if n else self.head
            for (first, last), value in zip(spans, cells, strict=True):
                if last > first:
                    sheet.merge_range(row + n, first, row + n, last, "", style)
                self.text(sheet, row + n, first, value, style)
            height = max(math.ceil(len(value) / (FULL * space)) for value, space in zip(cells, room, strict=True))
            sheet.set_row(row + n, LINE * max(height, 1) + 3)

    def top(self, sheet: Any, title: str, note: str) -> None:
        """The title of a sheet and a line under it."""
        self.text(sheet, 0, 0, title, self.big)
        self.text(sheet, 1, 0, note, self.cell["text"])
        sheet.set_row(0, 24)

    def totals(self, sheet: Any, name: str, end: int, columns: Sequence[Col], frame: pd.DataFrame) -> dict[str, Total]:
        """Live totals under a table that begins at row ``FIRST``; gives each one by column."""
        found: dict[str, Total] = {}
        if not any(column.total for column in columns):
            return found
        for at, column in enumerate(columns):
            if not column.total:
                self.text(sheet, end, at, "Total" if at == 0 else "", self.total["text"])
                continue
            value = round(float(pd.to_numeric(frame[column.name]).sum()), 2) if column.name in frame else 0.0
            letter = xlsxwriter.utility.xl_col_to_name(at)
            formula = f"=SUM({letter}{FIRST + 1}:{letter}{end})" if end > FIRST else "=0"
            sheet.write_formula(end, at, formula, self.total[column.kind], value)
            found[column.name] = (f"='{name}'!{letter}{end + 1}", value)
        return found

    def linked(self, sheet: Any, row: int, column: int, value: Total | float | str, kind: str) -> float:
        """A figure, a live reference to the total it comes from, or words in its place; gives its value."""
        if isinstance(value, tuple):
            sheet.write_formula(row, column, value[0], self.cell[kind], value[1])
            return value[1]
        if isinstance(value, str):
            self.text(sheet, row, column, value, self.cell["right"])
            return math.nan
        self.value(sheet, row, column, float(value), kind)
        return float(value)

    def paragraphs(self, sheet: Any, row: int, heading: str, sentences: Sequence[str]) -> int:
        """Sentences under a heading, each merged over four columns; gives the next free row."""
        self.text(sheet, row, 0, heading, self.bold)
        for sentence in sentences:
            row += 1
            words = clean(sentence)
            sheet.merge_range(row, 0, row, 3, "", self.sentence)
            sheet.write_string(row, 0, words, self.sentence)
            sheet.set_row(row, LINE * max(1, math.ceil(len(words) / 108)) + 4)
        return row + 1


def fitted(columns: Sequence[Col], frame: pd.DataFrame) -> list[float]:
    """Widths of a table's columns in characters: plain text may ask for more than its own, up to 34."""
    longest = [max((len(str(value)) for value in frame[each.name]), default=0) if each.name in frame else 0 for each in columns]
    return [
        min(max(each.width, size + 3.0), 34.0) if each.kind == "text" else each.width
        for each, size in zip(columns, longest, strict=True)
    ]


def clean(value: object) -> str:
    """Text for a cell: nothing that XML cannot hold, and not longer than Excel takes."""
    text = "".join(letter if _fit(letter) else " " for letter in str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _fit(letter: str) -> bool:
    return letter in "\n\t" or " " <= letter < "\ud800" or "\udfff" < letter < "\ufffe" or letter > "\uffff"
