"""The user's own travel table: any mode, any tool, for example public transport minutes from r5py.

Two shapes are read, one row a pair, from the file's own headings:

* ``from_id, to_id, mode*, distance_m*, time_s*`` - metres and seconds, at least one of the two;
* an r5py ``TravelTimeMatrix`` saved as it is: ``from_id, to_id, travel_time`` in minutes (r5py's name for the median), or
  ``travel_time_p25, travel_time_p50 ...`` of which the scenario chooses a percentile.

``from_id`` and ``to_id`` hold zone and site identifiers: zone to site rows feed the home-to-site rules, site to site rows the
displacement rules.  Where an identifier is a zone and a site as well, a column ``from_kind`` (``zone`` or ``site``) tells its
rows apart (:func:`told_apart`); without one they are refused.  A pair that is absent, or whose figures are blank (r5py writes
NaN), is unreachable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import InputError, Issue, Severity, Where
from estate.problem import Bools, Floats, Ints
from estate.tables import MOST_TRAVEL_M, MOST_TRAVEL_S
from estate.travel.pairs import Pairs, make_pairs, whole

_SHOWN = 20
_PERCENTILE = re.compile(r"travel_time_p0*(\d{1,2})")
_BLANK = frozenset({"", "nan", "na", "n/a", "none", "null", "<na>"})

type Names = Sequence[str] | NDArray[np.str_]


def read_table(
    frame: pd.DataFrame, from_names: Names, to_names: Names, *, mode: str, percentile: int = 50, file: str = "travel"
) -> Pairs:
    """The rows of one mode between the given places.

    Parameters
    ----------
    frame
        The table, text or numbers, first row of data = row 2 of the file.
    from_names, to_names
        Identifiers in canonical order; rows that name neither are left alone (see :func:`unknown_names`).
    mode
        The mode wanted.  A table without a ``mode`` column is all of this mode.
    percentile
        Which ``travel_time_pNN`` to use, 1-99; a plain ``travel_time`` is the median.
    file
        What to call the table in messages.

    Returns
    -------
    Pairs
        A measure the table does not have is an array of length 0.

    Raises
    ------
    InputError
        With every bad row: missing columns, text that is not a number, negative or impossible figures (stand-ins for
        "unreachable" such as 2147483647), one measure without the other, repeated pairs.
    """
    metres, seconds, time_column = _columns(frame, percentile, file)
    start = _positions(frame["from_id"], from_names)
    end = _positions(frame["to_id"], to_names)
    used = (start >= 0) & (end >= 0)
    if "mode" in frame:
        used &= _text(frame["mode"]).str.lower().to_numpy() == mode.lower()
    rows = np.flatnonzero(used)
    issues: list[Issue] = []
    distance = _numbers(frame, metres, rows, MOST_TRAVEL_M, file, issues)
    time = _numbers(frame, seconds, rows, MOST_TRAVEL_S / (60 if time_column == "minutes" else 1), file, issues)
    if time is not None and time_column == "minutes":
        time = time * 60
    _stop(issues)
    distance, time, there = _reached(distance, time, rows, file, issues)
    a, b, at = start[rows][there], end[rows][there], rows[there]
    _refuse_repeats(frame, a, b, at, file, issues)
    _stop(issues)
    absent = np.zeros(0, dtype=np.int64)
    return make_pairs(
        a,
        b,
        absent if distance is None else whole(distance[there]),
        absent if time is None else whole(time[there]),
    )


def told_apart(frame: pd.DataFrame, zones: Names, sites: Names, *, kind: str, file: str = "travel") -> pd.DataFrame:
    """The rows that start from one kind of place, ``zone`` or ``site``.

    Raises
    ------
    InputError
        When the table has no ``from_kind`` and some of its rows start from what is a zone and a site as well: read as both,
        a journey from home would stand for one between buildings.
    """
    if "from_kind" in frame:
        return frame[_text(frame["from_kind"]).str.lower() == kind]
    both = set(zones) & set(sites)
    rows = np.flatnonzero(_text(frame["from_id"]).isin(both)) if both else np.zeros(0, dtype=np.int64)
    if len(rows):
        value = str(frame["from_id"].iloc[rows[0]])
        issue = Issue(
            "travel.shared-id",
            f"'{value}' is both a zone and a site, so {len(rows):,} rows could mean either",
            "add a column from_kind that says zone or site, or make the ids differ",
            Where(file, int(rows[0]) + 2, "from_id", value),
        )
        raise InputError(issues=[issue])
    return frame


def unknown_names(frame: pd.DataFrame, known: Names, *, file: str = "travel") -> tuple[Issue, ...]:
    """A warning for identifiers in the table that are neither zones nor sites: often a sign of another vintage of codes."""
    found = pd.unique(pd.concat([_text(frame["from_id"]), _text(frame["to_id"])]))
    strange = sorted(set(found) - set(known) - {""})
    if not strange:
        return ()
    some = ", ".join(strange[:5]) + (" ..." if len(strange) > 5 else "")
    return (
        Issue(
            "travel.unknown-id",
            f"{len(strange)} identifiers in the travel table are neither zones nor sites and are not used: {some}",
            "check that the table was made for the same zones and sites",
            Where(file),
            Severity.WARNING,
        ),
    )


def with_selves(pairs: Pairs, n: int) -> Pairs:
    """The same pairs, and each of the ``n`` places 0 from itself: a table seldom lists that, and staying is always possible."""
    have = np.zeros(n, dtype=bool)
    have[pairs.from_[pairs.from_ == pairs.to]] = True
    more = np.flatnonzero(~have)
    zero = np.zeros(len(more), dtype=np.int64)
    return make_pairs(
        np.concatenate([pairs.from_, more]),
        np.concatenate([pairs.to, more]),
        np.concatenate([pairs.distance_m, zero]) if pairs.has_distance else pairs.distance_m,
        np.concatenate([pairs.time_s, zero]) if pairs.has_time else pairs.time_s,
    )


def _stop(issues: Iterable[Issue]) -> None:
    """Raise with everything found so far, if anything was."""
    found = tuple(issues)
    if found:
        raise InputError(issues=found)


def _columns(frame: pd.DataFrame, percentile: int, file: str) -> tuple[str, str, str]:
    """The columns of metres and of time, and the unit of the latter (``seconds`` or ``minutes``)."""
    missing = [name for name in ("from_id", "to_id") if name not in frame]
    _stop(
        Issue("travel.missing-column", f"there is no {name} column", f"add a {name} column", Where(file, 1, name))
        for name in missing
    )
    metres = "distance_m" if "distance_m" in frame else ""
    if "time_s" in frame:
        return metres, "time_s", "seconds"
    offered = {int(match[1]): str(name) for name in frame if (match := _PERCENTILE.fullmatch(str(name)))}
    if "travel_time" in frame:
        offered.setdefault(50, "travel_time")
    if percentile in offered:
        return metres, offered[percentile], "minutes"
    if offered:
        have = ", ".join(str(each) for each in sorted(offered))
        issue = Issue(
            "travel.no-percentile",
            f"there are no travel times at percentile {percentile}; the table has {have}",
            f"set travel.percentile to one of these, or make the table with percentiles=[{percentile}]",
            Where(file, 1, f"travel_time_p{percentile}"),
        )
        raise InputError(issues=[issue])
    if metres:
        return metres, "", ""
    issue = Issue(
        "travel.missing-column",
        "there is neither a distance nor a time column",
        "add distance_m (metres), time_s (seconds) or travel_time (minutes)",
        Where(file, 1),
    )
    raise InputError(issues=[issue])


def _text(column: pd.Series) -> pd.Series:
    return column.astype("str").str.strip()


def _positions(column: pd.Series, names: Names) -> Ints:
    found: Ints = pd.Index(np.asarray(names, dtype=object)).get_indexer(pd.Index(_text(column).to_numpy(dtype=object)))
    return found.astype(np.int64)


def _numbers(frame: pd.DataFrame, column: str, rows: Ints, most: float, file: str, issues: list[Issue]) -> Floats | None:
    """(n,) figures of the rows, NaN where blank; None when the column is absent or blank throughout."""
    if not column:
        return None
    given = frame[column].iloc[rows]
    if pd.api.types.is_numeric_dtype(given):
        values = given.to_numpy(dtype=np.float64, na_value=np.nan)
        blank = np.isnan(values)
    else:
        text = _text(given)
        blank = text.str.lower().isin(_BLANK).to_numpy()
        values = pd.to_numeric(text.where(~blank), errors="coerce").to_numpy(dtype=np.float64)
    bad = ~blank & ~((values >= 0) & (values <= most))
    issues += [
        Issue(
            "travel.bad-figure",
            f"{given.iloc[k]} is not between 0 and {most:,.0f} ({int(bad.sum())} such rows)",
            "leave out a pair that cannot be reached; no figure stands for it",
            Where(file, int(rows[k]) + 2, column, str(given.iloc[k])),
        )
        for k in np.flatnonzero(bad)[:_SHOWN]
    ]
    return None if blank.all() else values


def _reached(
    distance: Floats | None, time: Floats | None, rows: Ints, file: str, issues: list[Issue]
) -> tuple[Floats | None, Floats | None, Bools]:
    """Which rows are reachable; a row with one measure and not the other is refused, for it would be half a fact."""
    if distance is None or time is None:
        values = distance if time is None else time
        there = np.zeros(len(rows), dtype=bool) if values is None else ~np.isnan(values)
        return distance, time, there
    half = np.isnan(distance) != np.isnan(time)
    for k in np.flatnonzero(half)[:_SHOWN]:
        column = "distance_m" if np.isnan(distance[k]) else "time_s"
        issues.append(
            Issue(
                "travel.half-pair",
                f"{column} is blank and the other measure is not ({int(half.sum())} such rows)",
                "give both, or leave both blank where there is no way",
                Where(file, int(rows[k]) + 2, column),
            )
        )
    return distance, time, ~np.isnan(distance)


def _refuse_repeats(frame: pd.DataFrame, a: Ints, b: Ints, at: Ints, file: str, issues: list[Issue]) -> None:
    order = np.lexsort((at, b, a))
    a, b, at = a[order], b[order], at[order]
    again = np.flatnonzero((a[1:] == a[:-1]) & (b[1:] == b[:-1])) + 1
    for k in again[:_SHOWN]:
        row, first = int(at[k]), int(at[k - 1])
        issues.append(
            Issue(
                "travel.repeated-pair",
                f"{frame['from_id'].iloc[row]} to {frame['to_id'].iloc[row]} is also in row {first + 2} ({len(again)} such rows)",
                "keep one row a pair and mode",
                Where(file, row + 2, "to_id", str(frame["to_id"].iloc[row])),
            )
        )
