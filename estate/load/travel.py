"""The user's own travel tables, in the shapes that the tools write, as one long table.

Four shapes are read:

* one row a pair, under our headings: ``from_id, to_id, mode*, from_kind*, distance_m*, time_s*``;
* the same from r5py or r5r: ``travel_time`` (the median) or ``travel_time_p50`` in minutes, ``fromId``, ``toId``;
* the lines of an origin-destination matrix by ArcGIS Network Analyst: ``Name`` as ``"from - to"``, ``Total_Minutes`` ...;
* a matrix, a row for each place and a column for each building, whose unit the scenario states (``matrix = "minutes"``).

What is not a figure, or is larger than any journey (the stand-ins that tools write for "unreachable"), is reported under the
file's own row, heading and value; a blank is a pair that cannot be travelled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.load.cells import clean, parsed_numbers
from estate.load.raw import Raw, row_issues
from estate.load.shape import chosen
from estate.scenario import TableFile, Travel
from estate.tables import MOST_TRAVEL_M, MOST_TRAVEL_S
from estate.wording import closest, listed, plain, suggestion

_MINUTE, _HOUR, _KM, _MILE = 60.0, 3600.0, 1000.0, 1609.344
_ENDS: Mapping[str, tuple[str, ...]] = {
    "from_id": ("from_id", "fromid", "originname", "origin_name"),
    "to_id": ("to_id", "toid", "destinationname", "destination_name"),
}
_MEASURES: Mapping[str, Mapping[str, float]] = {
    "distance_m": {
        "distance_m": 1.0, "total_meters": 1.0, "total_metres": 1.0, "total_kilometers": _KM, "total_miles": _MILE,
        "dist_km": _KM,
    },
    "time_s": {
        "time_s": 1.0, "total_seconds": 1.0, "total_minutes": _MINUTE, "total_traveltime": _MINUTE, "total_walktime": _MINUTE,
        "total_trucktraveltime": _MINUTE, "duration_h": _HOUR,
    },
}  # fmt: skip
"""Headings that say their unit, or whose tool fixes it, and what makes them metres or seconds."""
MATRIX_UNITS: Mapping[str, tuple[str, float]] = {
    "seconds": ("time_s", 1.0), "minutes": ("time_s", _MINUTE), "hours": ("time_s", _HOUR),
    "metres": ("distance_m", 1.0), "kilometres": ("distance_m", _KM), "miles": ("distance_m", _MILE),
}  # fmt: skip
_UNSAID = ("total_time", "total_distance", "total_length")
_MOST = {"distance_m": (MOST_TRAVEL_M, "m"), "time_s": (MOST_TRAVEL_S, "s")}
_PERCENTILE = re.compile(r"travel_time_p0*(\d{1,2})")
_CUT = 10
"""A Shapefile keeps ten letters of a heading."""
_KINDS = ("zone", "site")


@dataclass(frozen=True, slots=True)
class Known:
    """The ids that a travel table may speak of, in canonical order."""

    zones: pd.Index
    sites: pd.Index

    @property
    def both(self) -> pd.Index:
        """Ids that are a zone and a site as well, so that they alone say neither."""
        return self.zones.intersection(self.sites)


def travel_rows(raw: Raw, given: TableFile, travel: Travel, known: Known, issues: list[Issue]) -> pd.DataFrame | None:
    """One file as ``from_id, to_id, mode, from_kind, distance_m, time_s``; a pair without a journey is left out.

    ``from_kind`` is ``zone`` or ``site``, or blank for an id that is neither.  A missing measure is NaN.
    """
    raw = chosen(raw, given, issues)
    ends = _ends(raw, given, known)
    if ends is None and given.matrix:
        pairs = _from_matrix(raw, given, known, issues)
    elif ends is None and (shape := _looks_like_matrix(raw, known)):
        remedy = f'say its unit: travel = {{path = "{given.path}", matrix = "minutes"}} (or {", ".join(MATRIX_UNITS)})'
        issues.append(Issue("travel.matrix", shape, remedy, Where(raw.file, 1)))
        return None
    else:
        pairs = _from_pairs(raw, given, travel, ends, issues)
    if pairs is None:
        return None
    default = str(given.constants.get("mode", travel.mode))
    pairs["mode"] = pairs["mode"].str.casefold().replace("", default) if "mode" in pairs else default
    blank = ((pairs["from_id"] == "") | (pairs["to_id"] == "")).to_numpy(dtype=bool)
    if blank.any():
        rows = pairs["row"].to_numpy()[blank]
        where = Where(raw.file, column="from_id, to_id")
        issues.extend(row_issues("travel.blank-id", where, rows, [""] * len(rows), "an id is blank", "delete the row"))
    pairs = pairs[~blank & ~(pairs["distance_m"].isna() & pairs["time_s"].isna()).to_numpy(dtype=bool)]
    _refuse_halves(pairs, raw.file, issues)
    return _with_kinds(pairs, raw, given, known, issues)


# ------------------------------------------------------------------------------------------------------- a row a pair


def _ends(raw: Raw, given: TableFile, known: Known) -> pd.DataFrame | None:
    """``from_id, to_id`` of every row; None where no columns hold them."""
    names = _names(raw, given)
    found = {ours: next((names[each] for each in forms if each in names), None) for ours, forms in _ENDS.items()}
    if found["from_id"] is not None and found["to_id"] is not None:
        return pd.DataFrame({ours: clean(raw.frame[theirs]) for ours, theirs in found.items()})
    if "name" in names and not found["from_id"] and not found["to_id"]:
        cells = clean(raw.frame[names["name"]])
        if len(cells) and cells.str.contains(" - ", regex=False).all():
            return _named_pairs(cells, known)
    return None


def _names(raw: Raw, given: TableFile) -> dict[str, str]:
    """The file's headings by their even form, those that the scenario maps by our name."""
    names = {plain(name): name for name in reversed(raw.frame.columns)}
    return names | {ours: theirs for ours, theirs in given.columns.items() if theirs in raw.frame.columns}


def _named_pairs(cells: pd.Series, known: Known) -> pd.DataFrame:
    """``"A - B"`` as its two ids.  An id may hold `` - `` itself: the cell is cut where both sides are known."""
    starts = known.zones.union(known.sites)
    ends = pd.DataFrame(index=cells.index, columns=["from_id", "to_id"], dtype="str")
    for k in range(int(cells.str.count(" - ").max())):
        halves = cells.str.extract(rf"^(?P<from_id>(?:.*? - ){{{k}}}.*?) - (?P<to_id>.*)$").apply(lambda half: half.str.strip())
        fits = halves["from_id"].isin(starts) & halves["to_id"].isin(known.sites)
        ends[fits] = halves[fits]
        ends = ends.fillna(halves)  # what fits nowhere is cut at its first
    return ends


def _from_pairs(
    raw: Raw, given: TableFile, travel: Travel, ends: pd.DataFrame | None, issues: list[Issue]
) -> pd.DataFrame | None:
    names = _names(raw, given)
    headings = {ours: _heading(names, ours, travel.percentile) for ours in _MEASURES}
    if ends is None or not any(headings.values()):
        issues.extend(_missing(raw, names, travel.percentile, no_ends=ends is None, no_measure=not any(headings.values())))
        return None
    pairs = ends.assign(row=raw.rows)
    for ours in ("mode", "from_kind"):
        if ours in names:
            pairs[ours] = clean(raw.frame[names[ours]])
    for ours, found in headings.items():
        if found is None:
            pairs[ours] = np.nan
            continue
        theirs, factor = found
        factor *= given.factors.get(ours, 1.0)
        pairs[ours] = _measure(raw.frame[theirs], raw.rows, ours, factor, Where(raw.file, column=theirs), issues)
    return pairs


def _heading(names: Mapping[str, str], ours: str, percentile: int) -> tuple[str, float] | None:
    """The file's heading of a measure, and what makes it metres or seconds."""
    for form, factor in _MEASURES[ours].items():
        for each in dict.fromkeys((form, form[:_CUT] if form.startswith("total_") else form)):
            if each in names:
                return names[each], factor
    by_percentile = _percentiles(names) if ours == "time_s" else {}
    return (by_percentile[percentile], _MINUTE) if percentile in by_percentile else None


def _percentiles(names: Mapping[str, str]) -> dict[int, str]:
    """The percentiles of travel time that a table has; a plain ``travel_time`` is the median and stands for no other."""
    found = {int(match[1]): theirs for form, theirs in names.items() if (match := _PERCENTILE.fullmatch(form))}
    return ({50: names["travel_time"]} if "travel_time" in names else {}) | found


def _missing(raw: Raw, names: Mapping[str, str], percentile: int, *, no_ends: bool, no_measure: bool) -> list[Issue]:
    """What a table of pairs lacks, with what it may be called there."""
    found = []
    if no_ends:
        for ours, forms in _ENDS.items():
            if any(each in names for each in forms):
                continue
            near = closest(ours, raw.frame.columns)
            remedy = (
                f"did you mean '{near}'? map it with columns = {{...}}"
                if near
                else "a travel table has from_id, to_id, mode, distance_m, time_s; a matrix is headed by site_id"
            )
            found.append(Issue("travel.no-column", f"has no column {ours}", remedy, Where(raw.file, column=ours)))
    if no_measure:
        have = sorted(_percentiles(names))
        unsaid = next(
            (names[each] for each in ("total_time", "total_distance", "total_length", "total_leng") if each in names), ""
        )
        ours = "time_s" if unsaid.casefold().endswith("time") else "distance_m"
        if have:
            message = f"there are no travel times at percentile {percentile}; the table has {', '.join(map(str, have))}"
            remedy = "set travel.percentile to one of these"
        elif unsaid:
            message = f"'{unsaid}' does not say its unit"
            remedy = f'say it: columns = {{{ours} = "{unsaid}"}}, factors = {{{ours} = 60}} (what makes it seconds, or metres)'
        else:
            message = f"has no column distance_m, time_s or travel_time_p{percentile}"
            remedy = "add distance_m (metres), time_s (seconds) or travel_time (minutes)"
        found.append(Issue("travel.no-column", message, remedy, Where(raw.file, 1, unsaid or f"travel_time_p{percentile}")))
    return found


# ------------------------------------------------------------------------------------------------------------ a matrix


def _looks_like_matrix(raw: Raw, known: Known) -> str:
    """What a table is said to be whose headings are places of ours; blank where they are not."""
    heads = pd.Index([str(each).strip() for each in raw.frame.columns[1:]])
    if not len(heads) or not len(raw):
        return ""
    first = clean(raw.frame.iloc[:, 0])
    if heads.isin(known.sites).mean() > 0.5:
        return f"this is a matrix: {len(first):,} rows, and a column for each of {len(heads):,} buildings"
    if heads.isin(known.zones).mean() > 0.5 and first.isin(known.sites).mean() > 0.5:
        return "this is a matrix with a row for each building and a column for each zone; people go from zones to buildings"
    return ""


def _from_matrix(raw: Raw, given: TableFile, known: Known, issues: list[Issue]) -> pd.DataFrame | None:
    heads = [str(each) for each in raw.frame.columns[1:]]
    places = [head for head in heads if head in known.sites]
    if not places:
        example = heads[0] if heads else ""
        turned = bool(heads) and pd.Index(heads).isin(known.zones).any()
        message = f"no heading of the matrix is a building of this place (the first is '{example}')"
        remedy = "turn it: a row for each zone, a column for each building" if turned else suggestion(example, known.sites)
        issues.append(Issue("travel.matrix", message, remedy, Where(raw.file, 1, str(example))))
        return None
    if len(places) < len(heads):
        others = [head for head in heads if head not in known.sites]
        message = f"{len(others):,} columns of the matrix are not buildings of this place, and are not used: {listed(others)}"
        issues.append(Issue("travel.other-ids", message, "", Where(raw.file, 1), Severity.NOTE))
    measure, factor = MATRIX_UNITS[given.matrix]
    starts = clean(raw.frame.iloc[:, 0])
    parts = []
    for head in places:
        values = _measure(raw.frame[head], raw.rows, measure, factor, Where(raw.file, column=head), issues, matrix=True)
        parts.append(pd.DataFrame({"from_id": starts, "to_id": head, "row": raw.rows, measure: values}))
    return pd.concat(parts, ignore_index=True).reindex(columns=["from_id", "to_id", "row", "distance_m", "time_s"])


# ------------------------------------------------------------------------------------------------------------- figures


def _measure(
    column: pd.Series,
    rows: NDArray[np.int64],
    ours: str,
    factor: float,
    where: Where,
    issues: list[Issue],
    *,
    matrix: bool = False,
) -> pd.Series:
    """A column in metres or seconds; blank, ``nan`` and ``inf`` are unreachable, anything else that is no journey is told."""
    text = clean(column)
    values, wrong = parsed_numbers(text.mask(text.str.casefold().isin(["nan", "inf", "<na>"]), ""))
    bad = (wrong | (values < 0)).to_numpy(dtype=bool)
    if bad.any():
        remedy = "write a number of 0 or more; leave out pairs that cannot be travelled"
        issues.extend(row_issues("travel.measure", where, rows[bad], text[bad].tolist(), "'{value}' is no measure", remedy))
    most, unit = _MOST[ours]
    far = ((values * factor > most) & ~wrong).to_numpy(dtype=bool)
    if far.any():
        value = str(text[far].iloc[0])
        longest = f"{most / _HOUR:,.0f} hours" if unit == "s" else f"{most / _KM:,.0f} km"
        message = f"'{{value}}' is no journey: more than {longest}, as tools write for a pair that cannot be travelled"
        # In a matrix a row is many pairs.
        remedy = "leave the cell blank" + (
            "" if matrix else f', or leave such rows out: where = {{{where.column} = "!= {value}"}}'
        )
        issues.extend(row_issues("travel.too-far", where, rows[far], text[far].tolist(), message, remedy))
    return values.mask(bad | far) * factor


def _refuse_halves(pairs: pd.DataFrame, file: str, issues: list[Issue]) -> None:
    """A row with one measure and not the other, where its mode has both, is half a fact."""
    for name, other in (("distance_m", "time_s"), ("time_s", "distance_m")):
        has = pairs[name].notna().groupby(pairs["mode"]).transform("any")
        rows = pairs["row"].to_numpy()[(has & pairs[name].isna()).to_numpy(dtype=bool)]
        message = f"{name} is blank and {other} is not"
        remedy = "give both, or leave both blank where there is no way"
        issues.extend(row_issues("travel.half-pair", Where(file, column=name), rows, [""] * len(rows), message, remedy))


# --------------------------------------------------------------------------------------------------- zones or buildings


def _with_kinds(pairs: pd.DataFrame, raw: Raw, given: TableFile, known: Known, issues: list[Issue]) -> pd.DataFrame:
    """``from_kind`` filled in: what the file says, else what the id is; an id that is both must be told apart."""
    word = str(given.constants.get("from_kind", ""))
    given_kind = pairs["from_kind"] if "from_kind" in pairs else pd.Series(word, index=pairs.index, dtype="str")
    said = given_kind.str.casefold()
    wrong = (~said.isin(["", *_KINDS])).to_numpy(dtype=bool)
    if wrong.any():
        where = Where(raw.file, column="from_kind")
        rows = pairs["row"].to_numpy()[wrong]
        message = "'{value}' is no kind of place to start from"
        issues.extend(row_issues("travel.kind", where, rows, said[wrong].tolist(), message, "write zone or site"))
    is_zone, is_site = pairs["from_id"].isin(known.zones), pairs["from_id"].isin(known.sites)
    by_id = pd.Series(np.select([is_zone & ~is_site, is_site & ~is_zone], ["zone", "site"], ""), index=pairs.index)
    kind = said.mask(said == "", by_id)
    unclear = (is_zone & is_site & (kind == "")).to_numpy(dtype=bool)
    if unclear.any():
        ids = pairs["from_id"][unclear]
        message = (
            f"'{ids.iloc[0]}' is both a zone and a site, so {int(unclear.sum()):,} rows could mean either"
            f" (ids that are both: {listed(known.both)})"
        )
        remedy = (
            "add a column from_kind that says zone or site; or give a file of each,"
            ' {path = "homes.csv", constants = {from_kind = "zone"}}; or make the ids differ'
        )
        where = Where(raw.file, int(pairs["row"].to_numpy()[unclear][0]), "from_id", str(ids.iloc[0]))
        issues.append(Issue("travel.shared-id", message, remedy, where))
    return pairs.assign(from_kind=kind)


def travel_table(parts: list[pd.DataFrame], known: Known, file: str, issues: list[Issue]) -> pd.DataFrame | None:
    """All files' rows from zones and sites of the place to its sites, sorted; pairs given twice must agree."""
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True)
    starts = np.where(frame["from_kind"] == "zone", frame["from_id"].isin(known.zones), frame["from_id"].isin(known.sites))
    used = starts & frame["to_id"].isin(known.sites)
    where = Where(file)
    if len(frame) and not used.any():
        example = frame["from_id"].iloc[0]
        message = f"none of its {len(frame):,} rows goes between this place's zones and sites (first from_id: '{example}')"
        near = suggestion(str(example), list(known.zones[:200]))
        issues.append(Issue("travel.no-ids", message, f"use zone_id and site_id as ids; {near}", where))
    elif not used.all():
        message = (
            f"{int((~used).sum()):,} of its {len(frame):,} rows go to or from ids that are not in this place, and are not used"
        )
        issues.append(Issue("travel.other-ids", message, "", where, Severity.NOTE))
    frame = frame[used].drop(columns="row")
    keys = ["mode", "from_kind", "from_id", "to_id"]
    frame = frame.drop_duplicates()
    twice = frame.duplicated(keys, keep=False)
    if twice.any():
        a = frame[twice].iloc[0]
        message = (
            f"{int(twice.sum()):,} rows give a pair twice and differ, '{a['from_id']}' to '{a['to_id']}' by {a['mode']} first"
        )
        issues.append(Issue("travel.twice", message, "keep one row for each pair and mode", where))
        frame = frame[~frame.duplicated(keys)]
    ordered = frame.sort_values(["mode", "from_id", "to_id", "from_kind"]).reset_index(drop=True)
    # A measure that no row gives is no column: a table of minutes has no metres.  Kinds matter where ids do not say them.
    measures = [name for name in ("distance_m", "time_s") if ordered[name].notna().any()]
    kinds = ["from_kind"] if len(known.both) else []
    return ordered[["from_id", "to_id", "mode", *kinds, *measures]]
