"""Small helpers of the checks: where a row stands in its file, and where a setting stands in the scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.load.raw import MOST_SHOWN
from estate.place import Place
from estate.scenario import Scenario
from estate.wording import brief


def row_of(place: Place, table: str, position: int, column: str = "", value: object = "") -> Where:
    """Where a row of a table came from."""
    origin = place.origin.get(table)
    if origin is None or position >= len(origin):
        return Where(table, column=column, value=brief(str(value)))
    frame: pd.DataFrame = getattr(place, table)
    key = name(frame, position) if len(frame) == len(origin) else ""
    return Where(str(origin["file"].iloc[position]), int(origin["row"].iloc[position]), column, brief(str(value)), key)


def rows(
    place: Place,
    table: str,
    chosen: NDArray[np.bool_],
    code: str,
    column: str,
    message: str,
    remedy: str = "",
    severity: Severity = Severity.ERROR,
) -> Iterator[Issue]:
    """One issue for each chosen row; ``{value}`` and ``{id}`` in the texts stand for the cell and the row's id.

    The first rows are named one by one, as they stand in their files, and the last issue counts the others.  Of what does not
    stop a run, and is published with it, those named are the first by id: the same ones however the rows stand.
    """
    frame: pd.DataFrame = getattr(place, table)
    positions = in_file_order(place, table, chosen)
    by_id = positions if severity is Severity.ERROR else np.sort(positions)
    first, rest = (positions[np.isin(positions, each)] for each in (by_id[:MOST_SHOWN], by_id[MOST_SHOWN:]))
    for i in first:
        value = frame[column].iloc[i] if column in frame else ""
        texts = [
            text.replace("{value}", brief(str(value))).replace("{id}", brief(name(frame, int(i)))) for text in (message, remedy)
        ]
        yield Issue(code, texts[0], texts[1], row_of(place, table, int(i), column, value), severity)
    if len(rest):
        last = row_of(place, table, int(rest[-1]), column)
        text = f"{len(rest):,} more rows have the same problem"
        yield Issue(code, text, "", Where(last.file, column=column), severity, f" (the last is row {last.row})")


def in_file_order(place: Place, table: str, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The positions of the chosen rows as they stand in their files, so that a list can be worked down."""
    positions = np.flatnonzero(chosen)
    origin = place.origin.get(table)
    if origin is None or len(origin) != len(chosen):
        return positions
    here = origin.iloc[positions]
    return positions[np.lexsort((here["row"].to_numpy(), here["file"].to_numpy().astype(str)))]


def name(frame: pd.DataFrame, position: int) -> str:
    """A row's id; of a table with two key columns, both."""
    key = frame.index[position]
    return " and ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def at(frame: pd.DataFrame, key: str) -> int:
    """The position of an id in a frame."""
    return int(frame.index.get_indexer(pd.Index([key]))[0])


def setting(scenario: Scenario, path: str, value: object = "") -> Where:
    """Where a setting stands: the scenario file, its line where that can be told, and the path of the setting."""
    return Where(scenario.file.name, line_of(scenario, path.rpartition(".")[2], str(value)), path, brief(str(value)))


def line_of(scenario: Scenario, key: str, value: str) -> int | None:
    """The line of the scenario's own file where a value stands in a setting; None where a base or a change set it."""
    try:
        lines = scenario.file.read_text(encoding="utf-8-sig").splitlines() if scenario.file.is_file() else []
    except (OSError, UnicodeDecodeError):
        return None
    starts = [n for n, line in enumerate(lines) if re.match(rf"\s*\[*\"?{re.escape(key)}\"?\]*\s*(=|$)", line)]
    for start in starts:
        for n in range(start, min(start + 200, len(lines))):
            if not value or re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", lines[n]):
                return n + 1
            if n > start and re.match(r"\s*(\[|[\w\"-]+\s*=)", lines[n]):
                break
    return None


def both(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
