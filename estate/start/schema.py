"""Every setting and every column, for people and for programs: JSON Schema, and empty tables to fill in.

The scenario's part is pydantic's own schema of :class:`estate.scenario.Scenario`, with each setting's docstring as its
description; the tables' part is built from :mod:`estate.tables`.  Nothing is described twice.
"""

from __future__ import annotations

import ast
import csv
import datetime as dt
import inspect
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel

from estate.errors import Issue, UsageError, Where
from estate.scenario import Scenario
from estate.scenario.files import TableFile
from estate.scenario.limits import Limit, Settings
from estate.tables import LOCATION, TABLES, Column, ColumnKind, Table
from estate.wording import suggestion

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """One JSON Schema (2020-12): ``scenario`` describes ``estate.toml``, ``tables`` a row of each table."""
    scenario = _without_folder(_described(Scenario.model_json_schema(mode="validation")))
    definitions = scenario.pop("$defs")
    return {
        "$schema": DIALECT,
        "title": "estate: the scenario and the tables of a place",
        "type": "object",
        "properties": {
            "scenario": scenario,
            "tables": {
                "type": "object",
                "description": "for each table, a row of it; a blank cell is a missing value",
                "properties": {name: row_schema(table) for name, table in TABLES.items()},
            },
        },
        "$defs": definitions,
    }


def row_schema(table: Table) -> dict[str, Any]:
    """JSON Schema of one row of a table."""
    columns = (*table.columns, *(LOCATION if table.located else ()))
    return {
        "type": "object",
        "description": table.note,
        "properties": {each.name: _column_schema(each) for each in columns},
        "required": [each.name for each in columns if each.required],
        "additionalProperties": table.extra,
    }


def _column_schema(column: Column) -> dict[str, Any]:
    kinds: Mapping[ColumnKind, dict[str, Any]] = {
        ColumnKind.NUMBER: {"type": "number"},
        ColumnKind.INTEGER: {"type": "integer"},
        ColumnKind.FLAG: {"type": "boolean"},
        ColumnKind.DATE: {"type": "string", "format": "date"},
        ColumnKind.CHOICE: {"type": "string", "enum": list(column.choices)},
    }
    found = {**kinds.get(column.kind, {"type": "string"}), "description": describe(column)}
    if column.low is not None:
        found["minimum"] = column.low
    if column.high is not None:
        found["maximum"] = column.high
    if column.default not in (None, ""):
        found["default"] = column.default
    if column.refers_to:
        found["x-refers-to"] = column.refers_to
    return found


def describe(column: Column, *, blank: bool = True) -> str:
    """What a column means, what it may hold and, with ``blank``, what a blank stands for, in one line."""
    parts = [column.note or column.name.replace("_", " ")]
    if column.kind is ColumnKind.CHOICE:
        parts.append("one of: " + ", ".join(each for each in column.choices if each))
    elif column.kind is ColumnKind.FLAG:
        parts.append("yes or no")
    elif column.kind is ColumnKind.DATE:
        parts.append("2027-03-31 or 31/03/2027")
    elif column.kind is ColumnKind.SERVICES:
        parts.append("separated by semicolons")
    if column.refers_to:
        parts.append(f"an id of {column.refers_to}")
    if blank and not column.required and column.default not in (None, ""):
        word = (
            ("yes" if column.default else "no")
            if isinstance(column.default, bool)
            else f"{column.default:g}"
            if isinstance(column.default, (int, float))
            else column.default
        )
        parts.append(f"blank: {word}")
    return "; ".join(parts)


# ----------------------------------------------------------------------------------------------------------- settings


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """Field docstrings (the text under a field) as descriptions, which pydantic itself leaves out."""
    texts = _field_texts()
    for name, part in (("Scenario", schema), *schema.get("$defs", {}).items()):
        for field, found in part.get("properties", {}).items():
            text = texts.get((name, field))
            if text and "description" not in found:
                found["description"] = text
    return schema


def _field_texts() -> dict[tuple[str, str], str]:
    found = {}
    for model in Settings.__subclasses__():
        cls = cast("ast.ClassDef", ast.parse(inspect.getsource(model)).body[0])
        for field, text in zip(cls.body, cls.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                value = text.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[cls.name, field.target.id] = " ".join(value.value.replace("``", "'").split())
    return found


def _without_folder(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the two fields that say where a scenario was read, and with ``extends``, which is resolved before it is one."""
    properties = {name: found for name, found in schema["properties"].items() if name not in ("folder", "file")}
    base = {"type": "string", "description": "another scenario in this folder or below it, on which this one is laid"}
    # In a file a limit is text such as "3 miles", a table a path, and whatever a base gives need not be repeated.
    schema["$defs"]["Limit"] = {"type": "string", "description": "a number and a unit: '3 miles', '1200 m', '20 min'"}
    path = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/TableFile"}]}
    for found in schema["$defs"]["Tables"]["properties"].values():
        found.clear()
        found["anyOf"] = [*path["anyOf"], {"type": "array", "items": path}]
    for found in properties.values():
        if isinstance(found.get("default"), (dict, list)):
            del found["default"]  # each setting inside it states its own
    return {**schema, "properties": {"extends": base, **properties}}


def setting_rows(model: type[BaseModel] = Scenario, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every setting as (path, default, meaning), for a text listing; ``*`` in a path stands for a name of your own."""
    texts = _field_texts()
    for name, field in model.model_fields.items():
        if name in ("folder", "file"):
            continue
        here = f"{path}{name}"
        inner = _model_in(field.annotation)
        single = inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel)
        if not single or inner is Limit:
            yield here, "" if field.is_required() else _short(field.default), texts.get((model.__name__, name), "")
        # The options of a table's file are the same for all, so they are listed once.
        if inner and inner is not Limit and not (inner is TableFile and name != "sites"):
            yield from setting_rows(inner, f"{here}." if single else f"{here}.*.")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings that a field holds, alone or in a list or a table."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each)) is not None), None)


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 40 and text not in ("()", "{}") else ""


# ---------------------------------------------------------------------------------------------------------- templates


def table_named(name: str) -> Table:
    """A table by name; raises :class:`UsageError` with the closest."""
    if name in TABLES:
        return TABLES[name]
    message = f"there is no template of '{name}'"
    raise UsageError(issues=[Issue("schema.table", message, suggestion(name, TABLES), Where(column=name))])


def csv_template(name: str) -> str:
    """The heading row of a table, ready to fill in; required columns first."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(each.name for each in ordered(table_named(name)))
    return stream.getvalue()


def excel_template(names: Iterable[str] = tuple(TABLES)) -> bytes:
    """A workbook with an empty sheet for each table, notes on every heading, lists for words, and a sheet of meanings.

    The same bytes every time: the workbook's own date is fixed.
    """
    import xlsxwriter  # noqa: PLC0415

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.set_properties({"title": "estate: empty tables", "created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001
        needed = book.add_format({"bold": True, "bg_color": "#D9E8F5", "bottom": 1})
        starred = book.add_format({"bg_color": "#F3F3F3", "bottom": 1})
        text = book.add_format({"num_format": "@"})
        tables = [table_named(name) for name in names]
        for table in tables:
            sheet = book.add_worksheet(table.name)
            sheet.freeze_panes(1, 1)
            for i, column in enumerate(ordered(table)):
                sheet.write_string(0, i, column.name, needed if column.required else starred)
                sheet.write_comment(0, i, describe(column), {"x_scale": 2})
                # Identifiers stay text: a spreadsheet would turn 007 into 7.
                plain = column.kind not in (ColumnKind.NUMBER, ColumnKind.INTEGER, ColumnKind.DATE)
                sheet.set_column(i, i, max(12, len(column.name) + 2), text if plain else None)
                words = [each for each in column.choices if each] or (["yes", "no"] if column.kind is ColumnKind.FLAG else [])
                if words:
                    sheet.data_validation(1, i, 5000, i, {"validate": "list", "source": words, "ignore_blank": True})
        _meanings(book, tables)
    return stream.getvalue()


def _meanings(book: Any, tables: Iterable[Table]) -> None:
    sheet = book.add_worksheet("meanings")
    bold = book.add_format({"bold": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    for i, heading in enumerate(("table", "column", "needed", "meaning")):
        sheet.write_string(0, i, heading, bold)
    sheet.set_column(0, 1, 26)
    sheet.set_column(3, 3, 90, wrap)
    row = 1
    for table in tables:
        for column in ordered(table):
            for i, cell in enumerate((table.name, column.name, "yes" if column.required else "", describe(column))):
                sheet.write_string(row, i, cell)
            row += 1


def ordered(table: Table) -> list[Column]:
    """Required columns, the point, then the others."""
    located = list(LOCATION[:2]) if table.located else []
    required = [each for each in table.columns if each.required]
    return [*required, *located, *(each for each in table.columns if not each.required)]
