"""``estate schema``: every column and setting."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from estate.cli.options import JSON
from estate.cli.outcome import emit_json, say


@click.command("schema", short_help="Every column and setting.")
@click.argument("table", required=False)
@click.option("--excel", type=click.Path(path_type=Path, dir_okay=False), help="Write an empty workbook with notes here.")
@click.option("--settings", is_flag=True, help="Only the settings of estate.toml.")
@JSON
def command(*, table: str | None, excel: Path | None, settings: bool, as_json: bool) -> None:
    """Every setting and every column: its name, unit, default and meaning; with --json as JSON Schema.

    With TABLE, that table as an empty CSV to fill in.
    """
    from estate.runs.staging import writing
    from estate.start.listing import everything, settings_text
    from estate.start.schema import csv_template, excel_template, json_schema, row_schema, table_named

    width = shutil.get_terminal_size().columns
    if excel is not None:
        with writing(excel.parent):
            excel.write_bytes(excel_template() if table is None else excel_template([table]))
        say(f"Workbook: {excel}")
    elif as_json:
        schema = json_schema()
        emit_json(schema if table is None else {"$schema": schema["$schema"], **row_schema(table_named(table))})
    elif table is not None:
        sys.stdout.write(csv_template(table))
    else:
        say(settings_text(width) if settings else everything(width))
