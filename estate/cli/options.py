"""Options that several commands share, so that one option means one thing everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

type Command = Callable[..., Any]

PATH = click.argument("path", type=click.Path(path_type=Path))
RUN = click.argument("run", type=click.Path(path_type=Path))
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, all else on standard error."
)
OUT = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("maps"), show_default=True, help="Where results go."
)
SET = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting: travel.detour=1.4. Repeatable."
)
PUBLIC = click.option("--public", is_flag=True, help="Leave out what harms a sale or a negotiation.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="Say nothing while working.")

_SOLVER = (
    click.option(
        "--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop looking after this."
    ),
    click.option("--work-limit", type=click.IntRange(min=1), metavar="N", help="Stop after this much work: repeats exactly."),
    click.option("--gap", type=click.FloatRange(0, 1), metavar="SHARE", help="Stop at this gap: 0.01 is 1%."),
    click.option("--threads", type=click.IntRange(1, 64), help="Threads for the solver."),
)
_SETTING = {
    "time_limit": "solver.time_limit_s",
    "work_limit": "solver.work_limit",
    "gap": "solver.gap",
    "threads": "solver.threads",
}


def solver(command: Command) -> Command:
    """Add the solver's options."""
    for option in reversed(_SOLVER):
        command = option(command)
    return command


def with_solver(changes: tuple[str, ...], given: dict[str, Any]) -> tuple[str, ...]:
    """``--set`` changes with the solver's options written as settings."""
    return changes + tuple(f"{_SETTING[name]}={given[name]}" for name in _SETTING if given.get(name) is not None)
