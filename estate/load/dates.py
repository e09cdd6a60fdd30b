"""Dates as people and their programs write them.

Read are ``2027-03-31``, ``20270331``, ``31/03/2027``, ``31.03.2027``, ``31-03-27``, ``31-Mar-2027``, ``31 March 2027``, each
also with a time after it (``31/03/2027 00:00:00``, ``2027-03-31T00:00:00Z``), and a spreadsheet's own day numbers (``46477``).
The day stands before the month, as in Britain, and a year of two digits is of this century: a lease that ends in 45 ends in
2045.  The time, and the time zone it is told in, are left off.
"""

from __future__ import annotations

import pandas as pd

_TIME = (
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = r"(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?"
_YEAR = r"[0-9]{4}|[0-9]{2}"
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
"""Day numbers that are read as dates: 1954 to 2119."""
_DAY_ZERO = pd.Timestamp("1899-12-30")
"""A spreadsheet's day 0, as Excel counts from March 1900 on."""


def parsed_dates(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Clean text as ``datetime64[s]`` (NaT when blank or no date), and which of them were a spreadsheet's day numbers."""
    words, at = pd.factorize(text)[::-1]
    plain = pd.Series(list(words), dtype="str")
    values = pd.Series(pd.NaT, index=plain.index, dtype="datetime64[s]")
    for year_first, pattern in (
        (True, rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}"),
        (True, r"([12][0-9]{3})([01][0-9])([0-3][0-9])"),
        (False, rf"([0-9]{{1,2}})[-/. ]([0-9]{{1,2}})[-/. ]({_YEAR}){_TIME}"),
        (False, rf"([0-9]{{1,2}})(?:st|nd|rd|th)?[-/. ]+((?i:{'|'.join(_MONTHS)}){_NAMED})\.?[-/., ]+({_YEAR}){_TIME}"),
    ):
        parts = plain.str.extract(f"^(?:{pattern})$")
        first, month, last = (parts[n].fillna("") for n in range(3))
        year, day = (first, last) if year_first else (last, first)
        number = month.str.slice(0, 3).str.casefold().map({name: f"{n:02d}" for n, name in enumerate(_MONTHS, 1)})
        month = number.where(number.notna(), month.str.zfill(2))
        written = year.where(year.str.len() != 2, "20" + year) + "-" + month + "-" + day.str.zfill(2)
        found = pd.to_datetime(written, format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")
        values = values.fillna(found)
    serial = plain.str.fullmatch(r"[0-9]{5}(?:\.[0-9]+)?")
    days = pd.to_numeric(plain.where(serial, "0"), errors="coerce") // 1
    serial &= (days >= _FIRST_SERIAL) & (days <= _LAST_SERIAL)
    counted = (_DAY_ZERO + pd.to_timedelta(days.where(serial, 0), unit="D")).astype("datetime64[s]")
    values = values.where(~serial, counted)
    spread = pd.Series(values.to_numpy()[at], index=text.index, dtype="datetime64[s]")
    return spread, pd.Series(serial.to_numpy(dtype=bool)[at], index=text.index)
