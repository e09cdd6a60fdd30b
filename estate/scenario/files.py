"""Settings of the tables: which file fills each, and changes laid on them after they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from estate.scenario.limits import Settings


class TableFile(Settings):
    """One file that fills a table; a plain path in the scenario is short for ``{path = ...}``."""

    path: str
    """The file, from the scenario's folder."""
    layer: str = ""
    """Layer of a GeoPackage, or sheet of a workbook."""
    header_row: Annotated[int, Field(ge=0)] = 1
    """The row that holds the headings, counted from 1; 0: there is none, and columns are called 1, 2, 3 ..."""
    headings: tuple[str, ...] = ()
    """With ``header_row = 0``: what the columns are called, from the first."""
    encoding: str = "utf-8"
    """Of a CSV file: ``utf-8`` (with or without a byte order mark), ``cp1252``, ``utf-16``."""
    crs: str = ""
    """Where the file does not say it, e.g. ``EPSG:27700``."""
    columns: Mapping[str, str] = {}
    """Our column = their heading (its number, where there is none)."""
    suppressed: Annotated[float, Field(allow_inf_nan=False)] | Literal["blank"] | None = None
    """What a withheld figure (``*``, ``<5``, ``c``, ``[x]``, ``n/a``) stands for: ``"blank"``, or a number.  Not said: refused in
    a column of ours, blank and reported in a group of people."""
    values: Mapping[str, Mapping[str, str]] = {}
    """Our column = {their word = our word}."""
    factors: Mapping[str, float] = {}
    """Our column = multiply by (square feet to m2: 0.09290304; GIA to NIA: 0.85)."""
    constants: Mapping[str, str | int | float | bool] = {}
    """Our column = one value for every row."""
    where: Mapping[str, str | Sequence[str]] = {}
    """Their heading = the value, or values, of the rows to take; ``"!= value"`` leaves rows out (``"!= "``: blank ones)."""
    template: Mapping[str, str] = {}
    """Our column = text with their headings in braces, such as ``{UPRN}-{Name}``."""
    matrix: Literal["", "seconds", "minutes", "hours", "metres", "kilometres", "miles"] = ""
    """The unit of a travel table that has a row for each zone and a column for each building."""

    @field_validator("columns", mode="before")
    @classmethod
    def numbered(cls, given: Any) -> Any:
        """A column of a file without headings may be called by its number."""
        if not isinstance(given, Mapping):
            return given
        return {ours: str(theirs) if type(theirs) is int else theirs for ours, theirs in given.items()}


def _as_files(given: Any) -> Any:
    if isinstance(given, str):
        return ({"path": given},)
    if isinstance(given, Mapping):
        return (given,)
    if isinstance(given, Sequence):
        return tuple({"path": each} if isinstance(each, str) else each for each in given)
    return given


class Tables(Settings):
    """Which file, or files, fill each table; paths are relative to the scenario's folder."""

    agencies: tuple[TableFile, ...] = (TableFile(path="agencies.csv"),)
    """Who runs counters or owns buildings."""
    sites: tuple[TableFile, ...] = (TableFile(path="sites.csv"),)
    """The buildings."""
    access_points: tuple[TableFile, ...] = (TableFile(path="access_points.csv"),)
    """Each service at each building today."""
    zones: tuple[TableFile, ...] = (TableFile(path="zones.csv"),)
    """Where people live."""
    rates: tuple[TableFile, ...] = ()
    """What fitting out and moving cost."""
    hosting: tuple[TableFile, ...] = ()
    """Pairs of access point and site that differ from the rule."""
    travel: tuple[TableFile, ...] = ()
    """A travel table of your own: ``from_id, to_id, mode, distance_m, time_s``, as r5py or ArcGIS writes it, or a matrix."""
    postcodes: tuple[TableFile, ...] = ()
    """Where postcodes are: Code-Point Open as published, or ``postcode, easting, northing``."""
    context: tuple[TableFile, ...] = ()
    """Outlines, roads and town names for the map: ``kind``, ``name`` and a geometry."""

    _files = field_validator("*", mode="before")(_as_files)

    @model_validator(mode="after")
    def matrices(self) -> Tables:
        """Only a travel table comes as a matrix."""
        others = [getattr(self, name) for name in type(self).model_fields if name != "travel"]
        if any(each.matrix for files in others for each in files):
            raise ValueError("'matrix' goes with a travel table")
        return self


class Adjust(Settings):
    """A change to a table, laid on after it is read: what-ifs on costs, values, rates and demand."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """What the change is called."""
    table: Literal["agencies", "sites", "access_points", "zones", "rates"]
    """The table it changes."""
    column: str
    """The column it changes."""
    factor: float | None = None
    """Multiply by this."""
    add: float | None = None
    """Add this."""
    set: str | float | bool | None = None
    """Put this in its place."""
    where: Mapping[str, str] = {}
    """Column = value: only these rows; a value may begin with ``<=``, ``>=``, ``<``, ``>`` or ``!=``."""

    @model_validator(mode="after")
    def one_change(self) -> Adjust:
        """Exactly one of factor, add, set."""
        if sum(each is not None for each in (self.factor, self.add, self.set)) != 1:
            raise ValueError("give exactly one of 'factor', 'add' and 'set'")
        return self
