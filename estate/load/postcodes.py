"""Where postcodes are: the table of them, in the forms in which it is published, and the rows that it places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.load.cells import parsed_numbers
from estate.load.raw import Raw, row_issues
from estate.wording import counted, plain

_POSTCODE = r"[A-Za-z]{1,2}\d[A-Za-z\d]? *\d[A-Za-z]{2}"
_HEADINGS: Mapping[str, Sequence[str]] = {
    "postcode": ("pcds", "pcd", "pcd2", "pcd7", "pcd8", "pc", "post_code", "postal_code"),
    "easting": ("oseast1m", "east1m", "ea", "eastings", "x"),
    "northing": ("osnrth1m", "north1m", "no", "northings", "y"),
    "lat": ("latitude",),
    "lon": ("long", "longitude"),
}
"""What ONSPD, NSPL, Code-Point Open and others call the columns."""


def postcode_form(text: pd.Series) -> pd.Series:
    """Postcodes in capitals without spaces: ``wr1 1aa`` is ``WR11AA``."""
    return text.astype("str").fillna("").str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)


def by_postcode(
    raw: Raw, column: pd.Series, postcodes: pd.DataFrame | None, issues: list[Issue]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eastings and northings of a column of postcodes; NaN where there is none, and an issue where it is not in the table."""
    wanted = postcode_form(column)
    given = (wanted != "").to_numpy(dtype=bool)
    empty = np.full(len(raw), np.nan)
    where = Where(raw.file, column="postcode")
    if not given.any():
        return empty, empty
    if postcodes is None:
        first = int(np.flatnonzero(given)[0])
        message = f"{int(given.sum()):,} rows have a postcode and no coordinates, and there is no table of postcodes"
        remedy = 'name one: [tables] postcodes = "codepoint.csv" (Code-Point Open has the columns)'
        issues.append(Issue("geo.no-postcodes", message, remedy, Where(raw.file, int(raw.rows[first]), "postcode")))
        return empty, empty
    if postcodes.empty:
        return empty, empty  # which has been said of the table
    at = postcodes.index.get_indexer(pd.Index(wanted))
    unknown = given & (at < 0)
    if unknown.any():
        message = "postcode '{value}' is not in the table of postcodes: mistyped, or no longer in use"
        values = column[unknown].tolist()
        issues.extend(
            row_issues("geo.postcode", where, raw.rows[unknown], values, message, "correct it, or give easting and northing")
        )
    found = given & (at >= 0)
    if found.any():
        message = (
            f"{counted(int(found.sum()), 'row is', 'rows are')} placed by postcode, which can be 100 m or more from the door"
        )
        issues.append(Issue("geo.by-postcode", message, "", where, Severity.NOTE))
    x, y = postcodes["easting_m"].to_numpy(), postcodes["northing_m"].to_numpy()
    return np.where(found, x[at], np.nan), np.where(found, y[at], np.nan)


def headed_postcodes(raw: Raw, issues: list[Issue]) -> tuple[NDArray[np.int64], pd.DataFrame] | None:
    """Row numbers, and columns ``code`` (:func:`postcode_form`) with ``easting, northing`` or ``lat, lon`` as numbers.

    The headings of ONSPD (``pcds, oseast1m, osnrth1m``) and of Code-Point Open (``PC, PQ, EA, NO``) are known.  Code-Point Open
    as published has no heading row, so a first "heading" that is itself a postcode is data: postcode, quality, easting,
    northing.  Duplicates after the first, and rows without coordinates (blank, or 0, 0), are left out.  None, with the problem
    kept, where columns or rows are missing.
    """
    frame, rows, names = raw.frame, raw.rows, list(raw.frame.columns)
    if "postcode" not in names and len(names) >= 4 and pd.Series(names[:1]).str.fullmatch(_POSTCODE).all():
        first = pd.DataFrame([names], columns=names, dtype="str")
        frame = pd.concat([first, frame], ignore_index=True).iloc[:, [0, 2, 3]]
        frame = frame.set_axis(["postcode", "easting", "northing"], axis=1)
        rows = np.concatenate([[1], rows])
    heads = {plain(head): head for head in reversed(list(frame.columns))}
    found = {ours: next((heads[each] for each in (ours, *theirs) if each in heads), None) for ours, theirs in _HEADINGS.items()}
    pair = next((pair for pair in (("easting", "northing"), ("lat", "lon")) if all(found[each] for each in pair)), None)
    if found["postcode"] is None or pair is None:
        absent = [each for each in ("postcode", "easting", "northing") if found[each] is None]
        message = f"has no column {' or '.join(absent)} (it has: {', '.join(names[:12])})"
        remedy = 'map them: columns = {postcode = "...", easting = "...", northing = "..."}'
        issues.append(Issue("postcodes.no-column", message, remedy, Where(raw.file, column=absent[0])))
        return None
    numbers = {ours: parsed_numbers(frame[str(found[ours])].str.strip())[0] for ours in pair}
    table = pd.DataFrame({"code": postcode_form(frame[found["postcode"]]), **numbers})
    nowhere = table[list(pair)].isna().any(axis=1) | (table[list(pair)] == 0).all(axis=1)
    chosen = ((table["code"] != "") & ~nowhere & ~table["code"].duplicated()).to_numpy(dtype=bool)
    if not chosen.any():
        message = "holds no postcode with a location" if len(frame) else "holds headings and no postcodes"
        issues.append(Issue("postcodes.empty", message, "give the rows of this place", Where(raw.file)))
        return None
    return rows[chosen], table[chosen].reset_index(drop=True)
