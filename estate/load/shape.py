"""From a file's own headings to ours: the options of a table in the scenario, applied to text."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from estate.errors import Issue, Severity, Where
from estate.load.cells import clean, one_line
from estate.load.raw import Raw
from estate.scenario import TableFile
from estate.tables import LOCATION, Table
from estate.wording import closest, counted, listed, plain, suggestion

_SAME: Mapping[str, Sequence[str]] = {
    "easting": ("eastings", "easting_m", "oseast1m"),
    "northing": ("northings", "northing_m", "osnrth1m"),
    "lat": ("latitude",),
    "lon": ("long", "lng", "longitude"),
    "lat_lon": ("latlon", "lat_long", "latlong", "latitude_longitude", "geo_point", "geo_point_2d"),
    "geometry": ("wkt", "geom", "the_geom", "wkt_geom", "geometry_wkt", "geom_wkt"),
    "grid_reference": ("grid_ref", "gridref", "gridreference", "os_grid_ref", "os_grid_reference", "osgr", "ngr"),
    "postcode": ("post_code", "postal_code", "pcds"),
}
"""Headings that can only mean one thing."""
_KEPT = ("_source", "source", "_note", "licence", "licensed_as")
"""How columns end that say where a figure comes from; they are carried along."""
_UNITS = ("_gbp", "_gbp_pa", "_gbp_m2", "_gbp_m2_pa", "_m2", "_pa", "_fte")
"""How columns end that hold a figure of ours."""
_DATA = (
    r"[A-Za-z]{1,2}[0-9][A-Za-z0-9]? *[0-9][A-Za-z]{2}",  # a postcode
    r"[A-Za-z]{1,2}[0-9]{4,8}",  # a code of the statistics office, or of the NHS
    r"[+-]?[0-9]{5,}(?:\.[0-9]+)?|[+-]?[0-9]+\.[0-9]+",  # a coordinate or a date; years and small numbers may be headings
    r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}",
)
"""Forms that cells have, and headings do not."""


def shaped(raw: Raw, given: TableFile, table: Table, issues: list[Issue], asked: Collection[str] = ()) -> Raw:
    """Rows chosen by ``where``; columns by ``template``, ``columns``, ``values`` and ``constants``, named as ours.

    Headings that are ours already, in any case and with any spaces, need no map.  Others keep their own name; ``asked`` are those
    that the scenario's rules read.
    """
    ours = [each.name for each in (*table.columns, *(LOCATION if table.located else ()))]
    translations = given.values  # noqa: PD011  (a setting, not a frame)
    if not table.extra:
        named = (*given.columns, *given.template, *given.constants, *translations, *given.factors)
        issues.extend(_unknown(table, name, ours, raw.file) for name in dict.fromkeys(named) if name not in ours)
    if given.header_row and table.name != "postcodes":
        issues.extend(_eaten(raw, given.header_row))
    raw = chosen(raw, given, issues)
    used: set[str] = set()
    # What a template uses may still be read under its own name as well: an id made of the name leaves the name.
    columns = {name: _templated(raw, name, text, issues) for name, text in given.template.items()}
    for name, heading in given.columns.items():
        found = _heading(raw, heading, "columns", name, issues)
        if found is not None:
            columns[name] = raw.frame[found]
            used.add(found)
    _take_ours(raw, ours, columns, used, issues)
    extras = [head for head in raw.frame.columns if head not in used and head not in columns]
    if table.extra:
        columns |= {head: raw.frame[head] for head in extras}
    for name, value in given.constants.items():
        word = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        columns[name] = pd.Series([word] * len(raw), index=raw.frame.index, dtype="str")
    for name, words in translations.items():
        if name in columns:
            columns[name] = _translated(columns[name], words)
    issues.extend(_about_extras(raw, table, given, columns, extras, asked))
    return replace(raw, frame=pd.DataFrame(columns, index=raw.frame.index))


def _eaten(raw: Raw, header_row: int) -> Iterable[Issue]:
    """A warning where headings have the form of the cells below them: then the first row of a list has been taken for them."""
    for head in raw.frame.columns:
        form = next((each for each in _DATA if re.fullmatch(each, head)), None)
        below = clean(raw.frame[head].head(50))
        below = below[below != ""]
        if form is not None and len(below) and below.str.fullmatch(form).all():
            message = f"the headings look like a row of the list: '{head}' stands above '{below.iloc[0]}'"
            remedy = 'if there are no headings, set header_row = 0, and name columns by number: columns = {name = "2"}'
            yield Issue("file.first-row", message, remedy, Where(raw.file, header_row, head), Severity.WARNING)
            return


def _unknown(table: Table, name: str, ours: Sequence[str], file: str) -> Issue:
    message = f"'{name}' is not a column of {table.name}"
    return Issue(f"{table.name}.unknown-column", message, suggestion(name, ours), Where(file, column=name))


def _take_ours(raw: Raw, ours: Sequence[str], columns: dict[str, pd.Series], used: set[str], issues: list[Issue]) -> None:
    """Columns that the file heads as we do; a heading that the map gave to another column is not read a second time."""
    heads = list(raw.frame.columns)
    forms = {plain(head): head for head in sorted(heads, reverse=True)}
    for name in ours:
        head = name if name in heads else next((forms[each] for each in (name, *_SAME.get(name, ())) if each in forms), None)
        if name in columns or head is None or head in used:
            continue
        if head in raw.clashes:
            issues.append(_clash(raw, head))
        columns[name] = raw.frame[head]
        used.add(head)


def chosen(raw: Raw, given: TableFile, issues: list[Issue]) -> Raw:
    """The rows that ``where`` asks for."""
    for heading, wanted in given.where.items():
        found = _heading(raw, heading, "where", heading, issues)
        if found is None:
            continue
        words = [wanted] if isinstance(wanted, str) else list(wanted)
        without = {each.removeprefix("!=").strip() for each in words if each.startswith("!=")}
        among = {each.strip() for each in words if not each.startswith("!=")}
        cells = one_line(clean(raw.frame[found]))
        taken = (~cells.isin(without) & (cells.isin(among) if among else True)).to_numpy(dtype=bool)
        if not taken.any():
            there = suggestion(min(among or without), [each for each in cells.unique()[:200] if each])
            where = Where(raw.file, column=found, value=listed(words))
            issues.append(Issue("file.where", f"no row has {listed(words)} under '{found}'", there, where))
        raw = raw.take(taken)
    return raw


def _heading(raw: Raw, wanted: str, option: str, name: str, issues: list[Issue]) -> str | None:
    """The file's heading that an option names, exactly or but for case and spaces; None, with the problem kept."""
    heads = sorted(raw.frame.columns)
    found = wanted if wanted in heads else next((each for each in heads if plain(each) == plain(wanted)), None)
    if found is None:
        where = Where(raw.file, column=wanted)
        message = f"there is no column '{wanted}' (asked for by '{option}' for {name})"
        issues.append(Issue("file.no-column", message, suggestion(wanted, heads), where))
    elif found in raw.clashes:
        issues.append(_clash(raw, found))
    return found


def _clash(raw: Raw, heading: str) -> Issue:
    message = f"two columns are headed '{heading}' and differ"
    return Issue("file.twice", message, "rename or remove one of them", Where(raw.file, column=heading))


def _templated(raw: Raw, name: str, template: str, issues: list[Issue]) -> pd.Series:
    """Text with headings in braces, filled for each row."""
    result = pd.Series([""] * len(raw), index=raw.frame.index, dtype="str")
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        where = Where(raw.file, column=name, value=template)
        issues.append(
            Issue("file.template", f"the template for {name} cannot be read: {error}", "write {Heading} in braces", where)
        )
        return result
    for literal, heading, _, _ in parts:
        result = result + literal
        if heading is not None:
            found = _heading(raw, heading, "template", name, issues)
            if found is not None:
                result = result + clean(raw.frame[found])
    return result.str.replace(r"(?:, ?)+$|^(?:, ?)+|(, )(?:, )+", r"\1", regex=True)  # "Civic Centre, " where a cell is blank


def _translated(column: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """Cells replaced by our word for theirs, whatever their case; other cells stay."""
    by_form = {plain(theirs): ours for theirs, ours in words.items()}
    cells = clean(column)
    different = {each: by_form[plain(each)] for each in cells.unique() if plain(each) in by_form}
    return cells.replace(different)


def _about_extras(
    raw: Raw,
    table: Table,
    given: TableFile,
    columns: Mapping[str, pd.Series],
    extras: Iterable[str],
    asked: Collection[str],
) -> Iterable[Issue]:
    """What becomes of columns that are not ours.

    A warning for one that looks like ours misspelt, or holds a figure in our units: it names the nearest that is read.  Zones
    keep every column, as a group of people or a label; of other tables nothing reads the rest, which one note says.
    """
    ours = [each.name for each in (*table.columns, *(LOCATION if table.located else ()))]
    unfilled = [name for name in ours if name not in columns]
    unread: list[str] = []
    for head in extras:
        if head in asked or plain(head).endswith(_KEPT):
            continue
        where = Where(raw.file, column=head)
        near = closest(head, unfilled, cutoff=0.8) if len(plain(head)) > 3 else ""
        figure = table.extra and table.name != "zones" and not given.columns and plain(head).endswith(_UNITS)
        if near:
            message = f"'{head}' is not a column of {table.name} and is not read as one"
            yield Issue(f"{table.name}.unknown-column", message, f"did you mean '{near}'?", where, Severity.WARNING)
        elif not table.extra:
            message = f"'{head}' is not a column of {table.name} and is left out"
            yield Issue(f"{table.name}.unknown-column", message, "remove it, or ignore this", where, Severity.WARNING)
        elif figure:
            near = closest(head, ours, cutoff=0.5)
            remedy = f"the nearest column that is read is '{near}'" if near else "'estate schema' lists what is read"
            message = f"nothing reads '{head}': it is not a column of {table.name}"
            yield Issue(f"{table.name}.unread-column", message, remedy, where, Severity.WARNING)
        else:
            unread.append(head)
    if unread and table.extra and table.name not in ("zones", "postcodes"):
        unread.sort()
        are = counted(len(unread), "column is", "columns are")  # another table may read the file too
        message = f"{are} not read for {table.name.replace('_', ' ')}: {listed(unread, 9)}"
        where = Where(raw.file, column=unread[0])
        yield Issue(f"{table.name}.unread-column", message, "map them, if they matter: columns = {...}", where, Severity.NOTE)
