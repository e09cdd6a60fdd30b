"""Several files for one table: rows with one id become one row, on the condition that the files do not contradict each other.

The rule: within a file an id stands once.  In two files the rows are laid together: where only one file gives a value it is
taken, where both do they must agree, and a disagreement is an error that names both rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.errors import Issue, Severity, Where
from estate.load.raw import row_issues
from estate.tables import Column, ColumnKind, Table
from estate.wording import closest, listed, plain


@dataclass(frozen=True, slots=True, eq=False)
class MergedFile:
    """One file's typed rows: ``frame`` (missing values still missing) and ``origin`` (``file``, ``row``) beside it."""

    frame: pd.DataFrame
    origin: pd.DataFrame


def merged(table: Table, parts: Sequence[MergedFile], issues: list[Issue]) -> MergedFile:
    """All files' rows, one for each key, in order of key; the key columns are still columns."""
    usable = [part for part in parts if _keyed(table, part, issues)]
    if not usable:
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in table.key})
        return MergedFile(empty, pd.DataFrame({"file": pd.Series(dtype="str"), "row": pd.Series(dtype="int64")}))
    clean = [_once(table, _without_blank_keys(table, part, issues), issues) for part in usable]
    frame = pd.concat([_comparable(part.frame) for part in clean], ignore_index=True)
    origin = pd.concat([part.origin for part in clean], ignore_index=True)
    if len(clean) > 1:
        frame, origin = _laid_together(table, frame, origin, issues)
    order = frame.sort_values(list(table.key), kind="stable").index
    sorted_ = MergedFile(frame.loc[order].reset_index(drop=True), origin.loc[order].reset_index(drop=True))
    issues.extend(_twins(table, sorted_))
    return sorted_


def _keyed(table: Table, part: MergedFile, issues: list[Issue]) -> bool:
    """Whether a file has the key; a missing starred key (site kind of a rate) is blank."""
    for name in table.key:
        if name in part.frame:
            continue
        if table.column(name).required:
            issues.append(_no_column(table, name, str(part.origin["file"].iloc[0]) if len(part.origin) else "", part.frame))
            return False
        part.frame[name] = pd.Series("", index=part.frame.index, dtype="str")
    return True


def _no_column(table: Table, name: str, file: str, frame: pd.DataFrame) -> Issue:
    """A required column that is not there, with the heading that is most like it."""
    spec = table.column(name)
    near = closest(name, [str(each) for each in frame.columns if each not in {column.name for column in table.columns}])
    remedy = f'add it, or map it: columns = {{{name} = "{near or "their heading"}"}}'
    message = f"there is no column '{name}' ({spec.note or spec.kind})" + (f"; did you mean '{near}'?" if near else "")
    return Issue(f"{table.name}.no-column", message, remedy, Where(file, column=name))


def _without_blank_keys(table: Table, part: MergedFile, issues: list[Issue]) -> MergedFile:
    for name in table.key:
        blank = (part.frame[name] == "").to_numpy(dtype=bool)
        if blank.any() and table.column(name).required:
            for file in part.origin["file"].unique():
                here = blank & (part.origin["file"] == file).to_numpy()
                rows = part.origin["row"].to_numpy()[here]
                message, remedy = f"{name} is blank", "give every row an id, or delete the row"
                issues.extend(
                    row_issues(f"{table.name}.blank-id", Where(file, column=name), rows, [""] * len(rows), message, remedy)
                )
            keep = ~blank
            part = MergedFile(part.frame[keep].reset_index(drop=True), part.origin[keep].reset_index(drop=True))
    return part


def _once(table: Table, part: MergedFile, issues: list[Issue]) -> MergedFile:
    """One file's rows with each key once; others are named with all their rows, and only the first is kept."""
    again = part.frame.duplicated(list(table.key), keep=False).to_numpy()
    if not again.any():
        return part
    keys = part.frame.loc[again, list(table.key)].agg(" and ".join, axis=1)
    rows = part.origin.loc[again, "row"].groupby(keys.to_numpy(), sort=False).agg(list)
    file = str(part.origin["file"].iloc[0])
    for key, those in list(rows.items())[:20]:
        message = f"'{key}' stands in rows {listed(those)}"
        where = Where(file, int(those[1]), ", ".join(table.key), str(key))
        issues.append(Issue(f"{table.name}.duplicate-id", message, "keep one, or give each its own id", where))
    if len(rows) > 20:
        message = f"{len(rows) - 20:,} more ids stand in several rows"
        issues.append(Issue(f"{table.name}.duplicate-id", message, "give each row its own id", Where(file)))
    keep = ~part.frame.duplicated(list(table.key)).to_numpy()
    return MergedFile(part.frame[keep].reset_index(drop=True), part.origin[keep].reset_index(drop=True))


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Text with missing values for blanks, so that a blank gives way to what another file says."""
    return frame.assign(**{str(name): frame[name].mask(frame[name] == "") for name in frame if frame[name].dtype == "str"})


def _laid_together(
    table: Table, frame: pd.DataFrame, origin: pd.DataFrame, issues: list[Issue]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    key = list(table.key)
    frame[key] = frame[key].fillna("")
    if not frame.duplicated(key).any():
        return frame, origin
    groups = frame.groupby(key, sort=False, dropna=False)
    first = groups.transform("first")
    count = 0
    for name in first.columns:
        given = frame[name]
        if name == "illustrative" or str(name).endswith("source"):
            first[name] = groups[name].transform(_joined)
            continue
        differs = given.notna() & first[name].notna() & (given != first[name]).fillna(value=False)
        if pd.api.types.is_float_dtype(given):
            differs &= ~np.isclose(given, first[name], rtol=1e-9, atol=1e-9)
        for i in np.flatnonzero(differs.to_numpy(dtype=bool))[:20]:
            other = int(groups.ngroup().eq(groups.ngroup().iloc[i]).to_numpy().argmax())
            there = f"{origin['file'].iloc[other]}, row {origin['row'].iloc[other]}"
            message = f"'{' and '.join(frame.loc[i, key])}': says '{given.iloc[i]}', and {there} says '{first[name].iloc[i]}'"
            where = Where(str(origin["file"].iloc[i]), int(origin["row"].iloc[i]), str(name), str(given.iloc[i]))
            remedy = "make the files agree, or leave the cell blank in one"
            issues.append(Issue(f"{table.name}.contradiction", message, remedy, where))
            count += 1
    keep = ~frame.duplicated(key).to_numpy()
    one = pd.concat([frame[key], first], axis=1)[keep].reset_index(drop=True)
    if not count:
        message = f"{int((~keep).sum()):,} rows of {table.name} stand in several files and were laid together"
        where = Where(str(origin["file"][~keep].iloc[0]))
        issues.append(Issue(f"{table.name}.merged", message, "", where, Severity.NOTE))
    return one, origin[keep].reset_index(drop=True)


def _joined(words: pd.Series) -> str:
    """Where figures come from, of all the files that gave some."""
    return "; ".join(dict.fromkeys(words.dropna()))


def _twins(table: Table, part: MergedFile) -> list[Issue]:
    """Ids that differ only by case, spaces or punctuation are allowed, and worth a look."""
    if len(table.key) != 1 or part.frame.empty:
        return []
    ids = part.frame[table.key[0]]
    forms = ids.map(plain)
    twin = forms.duplicated(keep=False) & (forms != "")
    if not twin.any():
        return []
    pairs = ids[twin].groupby(forms[twin], sort=True).agg(list)
    named = listed([" and ".join(f"'{each}'" for each in those[:3]) for those in pairs])
    first = int(np.flatnonzero(twin.to_numpy())[0])
    file, row, twin_id = str(part.origin["file"].iloc[first]), int(part.origin["row"].iloc[first]), str(ids.iloc[first])
    where = Where(file, row, table.key[0], twin_id, twin_id)
    message = f"ids that differ only by case, spaces or punctuation: {named}"
    return [Issue(f"{table.name}.twin-id", message, "are they the same? write them alike", where, Severity.WARNING)]


def complete(
    table: Table, part: MergedFile, files: Sequence[str], optional: dict[str, pd.Series], issues: list[Issue]
) -> pd.DataFrame:
    """The frame with every column of the table, defaults filled, indexed by key; columns of the file's own follow by name.

    ``optional`` maps a required column to the rows (bool) that may nevertheless leave it blank.
    """
    frame = part.frame.copy()
    for spec in table.columns:
        if spec.name not in frame:
            if spec.required and len(part.origin):
                issues.append(_no_column(table, spec.name, listed(files), frame))
            frame[spec.name] = _blank(spec, frame.index)
        elif spec.required:
            missing = frame[spec.name].isna() | (frame[spec.name].astype("str") == "")
            if spec.name in optional:
                missing &= ~optional[spec.name]
            _refuse_blanks(table, spec, missing, part.origin, issues)
        frame[spec.name] = _filled(spec, frame[spec.name])
    if table.located and "easting_m" not in frame:
        frame["easting_m"], frame["northing_m"] = np.nan, np.nan  # no file had the key, so no row is left
    for name in frame:
        if frame[name].dtype == "str" or frame[name].dtype == object:
            frame[name] = frame[name].astype("str").fillna("")
    listed_first = [spec.name for spec in table.columns]
    frame = frame[[*listed_first, *sorted(str(name) for name in frame if name not in listed_first)]]
    return frame.set_index(table.key[0] if len(table.key) == 1 else list(table.key))


def _refuse_blanks(table: Table, spec: Column, missing: pd.Series, origin: pd.DataFrame, issues: list[Issue]) -> None:
    blank = missing.to_numpy(dtype=bool)
    for file in pd.unique(origin["file"][blank]):
        rows = np.sort(origin["row"].to_numpy()[blank & (origin["file"] == file).to_numpy()])
        message = f"{spec.name} is blank ({spec.note})" if spec.note else f"{spec.name} is blank"
        issues.extend(
            row_issues(f"{table.name}.blank", Where(file, column=spec.name), rows, [""] * len(rows), message, "fill it in")
        )


def _blank(spec: Column, index: pd.Index) -> pd.Series:
    if spec.kind in (ColumnKind.NUMBER, ColumnKind.INTEGER):
        return pd.Series(np.nan, index=index, dtype="float64")
    if spec.kind is ColumnKind.FLAG:
        return pd.Series(pd.NA, index=index, dtype="boolean")
    if spec.kind is ColumnKind.DATE:
        return pd.Series(pd.NaT, index=index, dtype="datetime64[s]")
    return pd.Series("", index=index, dtype="str")


def unfilled(spec: Column, index: pd.Index) -> pd.Series:
    """A column that nobody has filled in: its default in every row, or a blank of its kind."""
    return _filled(spec, _blank(spec, index))


def _filled(spec: Column, column: pd.Series) -> pd.Series:
    if spec.kind is ColumnKind.FLAG:
        return column.astype("boolean").fillna(bool(spec.default)).astype(bool)
    if spec.kind is ColumnKind.DATE:
        return column
    if spec.kind in (ColumnKind.NUMBER, ColumnKind.INTEGER):
        number = column if spec.default is None else column.fillna(float(spec.default))
        return number.astype("int64") if spec.kind is ColumnKind.INTEGER and number.notna().all() else number
    text = column.astype("str").fillna("")
    return text.mask(text == "", str(spec.default)) if spec.default else text
