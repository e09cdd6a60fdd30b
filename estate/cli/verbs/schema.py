"""``estate schema``: every column and setting."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from estate.cli.outcome import emit_json


@click.command("schema", short_help="Every column and setting.")
@click.argument("table", required=False)
@click.option("--excel", type=click.Path(path_type=Path, dir_okay=False), help="Write an empty workbook with notes here.")
@click.option("--settings", is_flag=True, help="List the settings of estate.toml as text.")
def command(*, table: str | None, excel: Path | None, settings: bool) -> None:
    """Print the JSON Schema of all settings and tables; with TABLE, that table as an empty CSV to fill in."""
    from estate.runs.staging import writing
    from estate.start.schema import csv_template, excel_template, json_schema, setting_rows

    if excel is not None:
        with writing(excel.parent):
            excel.write_bytes(excel_template() if table is None else excel_template([table]))
        click.echo(f"Workbook: {excel}")
    elif table is not None:
        sys.stdout.write(csv_template(table))
    elif settings:
        for name, default, meaning in setting_rows():
            click.echo(f"{name:32} {default:16} {meaning}")
    else:
        emit_json(json_schema())
