"""``estate check``: everything that is wrong or worth knowing, at once."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from estate.cli.options import JSON, PATH, SET
from estate.cli.outcome import emit_json, print_issues, say
from estate.errors import Issue
from estate.wording import counted


@click.command("check", short_help="List every problem in the inputs.")
@PATH
@SET
@JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV with a row for each issue.")
def command(*, path: Path, changes: tuple[str, ...], as_json: bool, as_csv: bool) -> int:
    """Check PATH: errors first, then warnings, then what was assumed.  Exit 3 when there are errors."""
    from estate.errors import errors_of
    from estate.pipeline.prepare import problems

    found = problems(path, changes)
    bad = errors_of(found)
    if as_json:
        emit_json({"ok": not bad, "errors": len(bad), "issues": [each.as_row() for each in found]})
    elif as_csv:
        _write_csv([each.as_row() for each in found])
    else:
        print_issues(_together(found))
        rest = len(found) - len(bad)
        say(
            f"\n{counted(len(bad), 'error', 'errors')}, {counted(rest, 'warning or note', 'warnings and notes')}."
            + ("" if bad else f"  Next: estate run {path}")
        )
    return 3 if bad else 0


def _together(found: Iterable[Issue]) -> list[Issue]:
    """Issues that differ by their row alone, as one: eighty blank cells of a column are one thing to do."""
    alike: dict[tuple[object, ...], list[Issue]] = {}
    for each in found:
        more = re.fullmatch(r"([\d,]+) more rows have the same problem.*", each.message)  # counts the rest of the ones before
        key = (each.code, each.severity, each.where.file, each.where.column, each.remedy)
        previous = next(reversed(alike), None)
        if more and previous is not None and previous[:5] == key:
            alike[previous].append(each)
        else:
            alike.setdefault((*key, each.message), []).append(each)
    return [_one(group) for group in alike.values()]


def _one(group: list[Issue]) -> Issue:
    first = group[0]
    if len(group) == 1 or first.where.row is None:
        return first
    rows = [each.where.row for each in group if each.where.row is not None]
    rest = group[-1].message.split()[0] if group[-1].where.row is None else ""
    total = len(rows) + (int(rest.replace(",", "")) if rest else 0)
    more = f" and {total - 5:,} more" if total > 5 else ""
    return replace(first, message=f"{first.message} ({total:,} rows: {', '.join(map(str, rows[:5]))}{more})")


def _write_csv(rows: list[dict[str, Any]]) -> None:
    columns = ["severity", "code", "file", "row", "id", "column", "value", "message", "rows", "remedy"]
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    # A cell that a spreadsheet would run as a formula is made inert.
    writer.writerows(
        {k: f"'{v}" if str(v).startswith(("=", "+", "-", "@", "\t")) else v for k, v in row.items()} for row in rows
    )
