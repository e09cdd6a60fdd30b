"""``estate check``: everything that is wrong or worth knowing, at once."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import click

from estate.cli.options import JSON, PATH, SET
from estate.cli.outcome import emit_json, print_issues


@click.command("check", short_help="List every problem in the inputs.")
@PATH
@SET
@JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV with a row for each issue.")
def command(*, path: Path, changes: tuple[str, ...], as_json: bool, as_csv: bool) -> int:
    """Check PATH: errors first, then warnings, then what was assumed.  Exit 3 when there are errors."""
    from estate.errors import errors_of
    from estate.pipeline import problems

    found = problems(path, changes)
    bad = errors_of(found)
    if as_json:
        emit_json({"ok": not bad, "errors": len(bad), "issues": [each.as_row() for each in found]})
    elif as_csv:
        _write_csv([each.as_row() for each in found])
    else:
        print_issues(found)
        rest = len(found) - len(bad)
        click.echo(f"\n{len(bad)} errors, {rest} warnings and notes." + ("" if bad else f"  Next: estate run {path}"))
    return 3 if bad else 0


def _write_csv(rows: list[dict[str, Any]]) -> None:
    columns = ["severity", "code", "file", "row", "column", "value", "message", "remedy"]
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    # A cell that a spreadsheet would run as a formula is made inert.
    writer.writerows(
        {k: f"'{v}" if str(v).startswith(("=", "+", "-", "@", "\t")) else v for k, v in row.items()} for row in rows
    )
