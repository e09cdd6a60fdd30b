"""How every command ends: one exit code, errors as people or programs read them, and nothing else on standard output."""

from __future__ import annotations

import errno
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from estate.errors import EstateError, Issue, Severity, WriteError

MOST_ISSUES = 200
"""Issues printed as text; the rest are counted, and all are in --json."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What writing a file meets where there is no room for it: no bug, wherever it happens."""

MARKS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def guarded(group: click.Group, arguments: Sequence[str]) -> int:  # noqa: PLR0911  (one return for each way to end)
    """Run the command line and say how it ended."""
    debug = "--debug" in arguments
    as_json = "--json" in arguments
    try:
        result = group.main(args=list(arguments), prog_name="estate", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return _fail("interrupted", 130)
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    except EstateError as error:
        if debug:
            traceback.print_exc()
        return _reported(error, as_json=as_json)
    except KeyboardInterrupt:
        return _fail("interrupted: nothing was published", 130)
    except OSError as error:
        if error.errno not in NO_ROOM:
            return _bug(error, debug=debug)
        where = f" ({error.filename})" if error.filename else ""
        return _fail(f"cannot write: {error.strerror}{where}: free some space; what was published before is unharmed", 8)
    except Exception as error:  # noqa: BLE001  (the last door: a bug is said to be one)
        return _bug(error, debug=debug)
    return result if isinstance(result, int) else 0


def _bug(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
        return 1
    return _fail(f"a bug in estate: {type(error).__name__}: {error}; run again with 'estate --debug ...' and report it", 1)


def _fail(message: str, code: int) -> int:
    say(f"estate: {message}", err=True)
    return code


def _reported(error: EstateError, *, as_json: bool) -> int:
    """The exit code of an error, after it is told; standard output that is full cannot be told of itself."""
    try:
        report(error, as_json=as_json)
    except WriteError as full:
        return _fail(str(full), error.exit_code)
    return error.exit_code


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines that may hold words out of files, safe for a terminal."""
    click.echo("\n".join(clean(line) for line in text.split("\n")), err=err)


def report(error: EstateError, *, as_json: bool) -> None:
    """Print an error with its complete list of issues, errors first."""
    if as_json:
        body = {"error": type(error).__name__, "exit": error.exit_code, "message": str(error)}
        click.echo(json.dumps({**body, "issues": [issue.as_row() for issue in error.issues]}, ensure_ascii=False))
    say(f"estate: {error}" if not error.issues or error.args[0] != _joined(error) else "estate:", err=True)
    print_issues(error.issues, err=True)


def _joined(error: EstateError) -> str:
    return "; ".join(str(issue) for issue in error.issues)


def print_issues(issues: Iterable[Issue], *, err: bool = False) -> None:
    """One issue a paragraph: what and where, then the remedy."""
    order = list(MARKS)
    found = sorted(issues, key=lambda issue: order.index(Severity(issue.severity)))
    for issue in found[:MOST_ISSUES]:
        place = f"{issue.where}: " if str(issue.where) else ""
        say(f"  {MARKS[Severity(issue.severity)]:7} {place + issue.text}", err=err)
        if issue.remedy:
            say(f"          -> {issue.remedy}", err=err)
    if len(found) > MOST_ISSUES:
        click.echo(f"  ... and {len(found) - MOST_ISSUES:,} more (all of them with --json)", err=err)


def clean(text: str) -> str:
    """Text from a file, safe for a terminal: no control characters, no reordering marks, not endless."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return kept if len(kept) <= 2000 else kept[:2000] + "..."


def emit_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON object on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, default=str))


def say_to_stderr(quiet: bool) -> Callable[[str], None]:  # noqa: FBT001
    """A reporter of progress in words."""

    def say(message: str) -> None:
        if not quiet:
            click.echo(f"  {clean(message)} ...", err=True)

    return say
