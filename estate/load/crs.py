"""Coordinate reference systems by name, without opening anything."""

from __future__ import annotations

import re

import pyproj

from estate.errors import Where
from estate.load.sniff import refusal

_OPENS = re.compile(r"^\s*[+@]|://|\+proj|grids|parameterfile|extension|filename", re.IGNORECASE)


def as_crs(text: str, file: str, column: str = "crs") -> pyproj.CRS:
    """A CRS by name.

    Raises
    ------
    InputError
        When there is no such CRS.
    """
    error = refusal(
        "geo.crs",
        f"'{text[:60]}' is not a coordinate reference system that is read",
        'write an EPSG code, such as "EPSG:27700"',
        Where(file, column=column),
    )
    # An EPSG code, a URN, WKT or PROJ JSON is only parsed; a pipeline, an address or a grid file would be opened.
    if len(text) > 100_000 or _OPENS.search(text):
        raise error
    try:
        return pyproj.CRS.from_user_input(text)
    except (pyproj.exceptions.CRSError, ValueError, TypeError, UnicodeError):
        raise error from None
