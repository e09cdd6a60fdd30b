"""What a scenario changes in memory after the tables are read: adjustments, and which rows they touch."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.load.cells import Words, parsed_numbers
from estate.scenario import Adjust, Scenario
from estate.tables import TABLES, ColumnKind
from estate.wording import suggestion

_TEST = re.compile(r"\s*(<=|>=|!=|<|>|=)?\s*(.*?)\s*")


def rows_where(frame: pd.DataFrame, where: Mapping[str, object]) -> NDArray[np.bool_]:
    """(n,) the rows of a place's table that meet every condition: column (or the name of the index) = value.

    A value may begin with ``<=``, ``>=``, ``<``, ``>`` or ``!=``; flags are ``yes`` and ``no``; text is compared without
    case.  Missing numbers meet no condition but ``!=``.

    Raises
    ------
    KeyError
        When there is no such column.
    ValueError
        When a number is asked for and the value is none.
    """
    chosen = np.ones(len(frame), dtype=bool)
    flat = frame.reset_index()
    for name, value in where.items():
        column = flat[name]
        word = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        match = _TEST.fullmatch(word)
        sign, text = (match[1] or "=", match[2]) if match else ("=", word)
        if column.dtype == bool:
            column = column.map({True: "yes", False: "no"}).astype("str")
            text = {"true": "yes", "false": "no", "1": "yes", "0": "no"}.get(text.casefold(), text)
        if pd.api.types.is_numeric_dtype(column):
            chosen &= _COMPARE[sign](column.to_numpy(dtype=np.float64), float(text))
        elif sign in ("=", "!="):
            same = (column.astype("str").fillna("").str.casefold() == text.casefold()).to_numpy(dtype=bool)
            chosen &= same if sign == "=" else ~same
        else:
            raise ValueError(f"'{name}' holds text, and '{word}' compares numbers")
    return chosen


_COMPARE: Mapping[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "!=": operator.ne,
    "=": operator.eq,
}


def adjusted(
    frames: Mapping[str, pd.DataFrame], scenario: Scenario, words: Words, issues: list[Issue]
) -> dict[str, pd.DataFrame]:
    """The tables with the scenario's adjustments laid on, in order; the given frames stay as they are."""
    result = dict(frames)
    for each in scenario.adjust:
        where = Where(scenario.file.name, column=f"adjust.{each.name}")
        frame = result[each.table]
        known = [name for name in frame.columns if not name.startswith(("easting_m", "northing_m"))]
        if each.column not in known:
            message = f"'{each.column}' is not a column of {each.table}"
            issues.append(Issue("scenario.adjust", message, suggestion(each.column, known), where))
            continue
        try:
            chosen = rows_where(frame, each.where)
        except KeyError as error:
            name = str(error.args[0])
            names = [*known, *(str(level) for level in frame.index.names)]
            issues.append(Issue("scenario.adjust", f"'{name}' is not a column of {each.table}", suggestion(name, names), where))
            continue
        except ValueError as error:
            issues.append(Issue("scenario.adjust", f"'where' cannot be read: {error}", "compare a number with a number", where))
            continue
        if not chosen.any():
            message = f"no row of {each.table} is changed by it"
            issues.append(Issue("scenario.adjust", message, "correct 'where'", where, Severity.WARNING))
        result[each.table] = _marked(frame, _changed(frame, each, chosen, words, where, issues), each)
    return result | {"access_points": furnished(result["access_points"], scenario)}


BY_STAFF = "staff_fte x services."
"""How the ``area_m2_source`` begins of a floor area that was worked out from staff."""


def given_in_staff(points: pd.DataFrame, scenario: Scenario) -> NDArray[np.bool_]:
    """(n,) rows whose floor area their staff and the desks of their service give."""
    settings = scenario.services
    by_desk = {name for name, each in settings.items() if each.desk_m2 is not None}
    return (points["service"].isin(by_desk) & points["staff_fte"].notna()).to_numpy(dtype=bool)


def furnished(points: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """The access points with the floor area of those given in staff alone, in whole tenths of a square metre, rounded up.

    Worked out anew where it was worked out before, so that a change of staff or of the ratio changes it.
    """
    source = points["area_m2_source"] if "area_m2_source" in points else pd.Series("", index=points.index, dtype="str")
    asked = given_in_staff(points, scenario) & (points["area_m2"].isna() | source.str.startswith(BY_STAFF)).to_numpy(dtype=bool)
    if not asked.any():
        return points
    area, said = points["area_m2"].to_numpy(dtype=np.float64, copy=True), source.tolist()
    for i in np.flatnonzero(asked).tolist():
        name = str(points["service"].iloc[i])
        setting = scenario.services[name]
        ratio = setting.desks_per_fte * float(setting.desk_m2 or 0.0)
        area[i] = np.ceil(round(float(points["staff_fte"].iloc[i]) * ratio * 10, 6)) / 10
        said[i] = f"{BY_STAFF}{name}: {setting.desks_per_fte:g} desks of {setting.desk_m2:g} m2"
    return points.assign(area_m2=area, area_m2_source=pd.Series(said, index=points.index, dtype="str"))


def _marked(before: pd.DataFrame, after: pd.DataFrame, each: Adjust) -> pd.DataFrame:
    """What an adjustment changed is an assumption of the scenario: marked so in its row, with where it comes from."""
    was, now = before[each.column], after[each.column]
    touched = ((was != now) & ~(was.isna() & now.isna())).to_numpy(dtype=bool)
    if not touched.any() or "illustrative" not in after:
        return after
    source = f"{each.column}_source"
    of_cell = after[source] if source in after else pd.Series("", index=after.index, dtype="str")
    said = f"the scenario's adjustment '{each.name}'"
    sources = [f"{old}; {said}" if old and new else said if new else old for old, new in zip(of_cell, touched, strict=True)]
    marks = [_with_mark(old, each.column) if new else old for old, new in zip(after["illustrative"], touched, strict=True)]
    text = {"illustrative": marks, source: sources}
    return after.assign(**{name: pd.Series(cells, index=after.index, dtype="str") for name, cells in text.items()})


def _with_mark(marks: str, column: str) -> str:
    known = [part.strip() for part in marks.replace(",", ";").split(";") if part.strip()]
    return marks if column in known else ";".join([*known, column])


def _changed(
    frame: pd.DataFrame, each: Adjust, chosen: NDArray[np.bool_], words: Words, where: Where, issues: list[Issue]
) -> pd.DataFrame:
    column = frame[each.column]
    spec = next((spec for spec in TABLES[each.table].columns if spec.name == each.column), None)
    if each.set is not None:
        value = _settable(each.set, column, spec.kind if spec else None, spec.choices if spec else (), words)
        if value is None:
            message = f"'{each.set}' does not fit {each.column}"
            remedy = suggestion(str(each.set), spec.choices) if spec and spec.choices else f"the column holds {column.dtype}"
            issues.append(Issue("scenario.adjust", message, remedy, where))
            return frame
        return frame.assign(**{each.column: column.mask(pd.Series(chosen, index=frame.index), value)})
    if not pd.api.types.is_numeric_dtype(column) or column.dtype == bool:
        message = f"{each.column} of {each.table} does not hold numbers"
        issues.append(Issue("scenario.adjust", message, "use 'set' instead of 'factor' or 'add'", where))
        return frame
    values = column.to_numpy(dtype=np.float64)
    changed = np.where(chosen, values * each.factor if each.factor is not None else values + (each.add or 0.0), values)
    if spec and spec.kind is ColumnKind.INTEGER:
        changed = np.floor(changed + 0.5)
    low, high = (spec.low, spec.high) if spec else (None, None)
    with np.errstate(invalid="ignore"):
        outside = (
            (changed < (-np.inf if low is None else low)) | (changed > (np.inf if high is None else high)) | np.isinf(changed)
        )
    if outside.any():
        first = str(frame.index[int(np.flatnonzero(outside)[0])])
        message = f"takes {int(outside.sum()):,} values of {each.column} out of range, '{first}' first"
        issues.append(Issue("scenario.adjust", message, "use a smaller change", where))
        return frame
    exact = (
        changed.astype(np.int64) if pd.api.types.is_integer_dtype(column) and (changed == np.floor(changed)).all() else changed
    )
    return frame.assign(**{each.column: exact})


def _settable(value: object, column: pd.Series, kind: ColumnKind | None, choices: tuple[str, ...], words: Words) -> object:
    """The value in the column's own type; None when it does not fit."""
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    if column.dtype == bool:
        return {"yes": True, "no": False, "true": True, "false": False}.get(text.casefold())
    if kind is ColumnKind.DATE:
        stamp = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        return None if pd.isna(stamp) else stamp
    if pd.api.types.is_numeric_dtype(column):
        number, wrong = parsed_numbers(pd.Series([text], dtype="str"))
        return None if wrong.any() else float(number.iloc[0])
    if kind is ColumnKind.SERVICE:
        return words.find(text)
    return text if not choices or text in choices else None
