"""Every setting and column as text for a terminal: what it is called, its unit, what a blank stands for, what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from estate.start.schema import describe, ordered, setting_rows
from estate.tables import LOCATION, TABLES, Column, ColumnKind, Table

_UNITS = (
    ("_gbp_m2_pa", "GBP per m2 a year"),
    ("_gbp_m2", "GBP per m2"),
    ("_gbp_pa", "GBP a year"),
    ("_gbp", "GBP"),
    ("_m2", "m2"),
    ("_fte", "full-time staff"),
    ("years_to_sale", "years"),
    ("_pa", "a year"),
    ("easting", "m, EPSG:27700"),
    ("northing", "m, EPSG:27700"),
    ("lat", "degrees"),
    ("lon", "degrees"),
    ("population", "people"),
)
"""The end of a column's name = its unit."""
_KINDS = {
    ColumnKind.FLAG: "yes or no",
    ColumnKind.DATE: "date",
    ColumnKind.CHOICE: "a word",
    ColumnKind.SERVICE: "a service",
    ColumnKind.SERVICES: "services",
}


def unit_of(column: Column) -> str:
    """The unit of a column's figures, or what kind of word it holds."""
    if column.kind in (ColumnKind.NUMBER, ColumnKind.INTEGER):
        return next((unit for end, unit in _UNITS if column.name.endswith(end)), "number")
    return _KINDS.get(column.kind, "text")


def settings_text(width: int = 100) -> str:
    """Every setting of a scenario: name, default, meaning; ``*`` in a name stands for a name of your own."""
    rows = [(name, default or "-", meaning) for name, default, meaning in setting_rows()]
    return "\n".join(_table(("setting", "default", "meaning"), rows, width))


def columns_text(table: Table, width: int = 100) -> str:
    """Every column of a table: name, unit, whether it is needed or what a blank stands for, meaning."""
    columns = [*ordered(table), *(LOCATION[2:] if table.located else ())]
    rows = [(each.name, unit_of(each), _blank(each), describe(each, blank=False)) for each in columns]
    return "\n".join([f"{table.name}: {table.note}", *_table(("column", "unit", "default", "meaning"), rows, width)])


def everything(width: int = 100) -> str:
    """All settings and all columns."""
    parts = ["Settings of estate.toml", settings_text(width), *(columns_text(table, width) for table in TABLES.values())]
    return "\n\n".join(parts) + "\n"


def _blank(column: Column) -> str:
    """What a missing or blank cell stands for."""
    if column.required:
        return "needed"
    if isinstance(column.default, bool):
        return "yes" if column.default else "no"
    return f"{column.default:g}" if isinstance(column.default, int | float) else column.default or "-"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    """Aligned columns, the last one wrapped to the width of the terminal."""
    sizes = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head) - 1)]
    indent = 2 + sum(size + 2 for size in sizes)
    for row in (head, *rows):
        start = "  " + "".join(f"{cell:{size}}  " for cell, size in zip(row, sizes, strict=False))
        yield from textwrap.wrap(start + row[-1], max(width, indent + 24), subsequent_indent=" " * indent) or [start]
