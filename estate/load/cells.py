"""From text to typed columns, a column at a time; every cell that does not fit is reported with its row.

What is accepted, and nothing else: numbers such as ``1200``, ``1,200.50``, ``£1,200``, ``1e5``; whole numbers; dates as
``2027-03-31`` or ``31/03/2027``; ``yes/no/true/false/1/0``; words of a list, whatever their case, spaces and hyphens.
Blank is missing: NaN, NaT, ``""`` or NA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Where
from estate.load.raw import MOST_SHOWN, row_issues
from estate.scenario import Scenario
from estate.tables import Column, Kind
from estate.wording import brief, listed, plain, suggestion

_NUMBER = r"[+-]?£? ?[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?"
_YES = frozenset({"yes", "y", "true", "t", "1"})
_NO = frozenset({"no", "n", "false", "f", "0"})
_EDGES = " \t\r\n\v\f\u00a0\u200b\u2007\u202f\ufeff"
_CONTROLS = r"[\x00-\x08\x0e-\x1f\x7f]"


@dataclass(frozen=True, slots=True)
class Words:
    """The services a place has, and every word its tables may use for them (evened out by :func:`estate.wording.plain`)."""

    allowed: tuple[str, ...]
    by_word: Mapping[str, str]

    def find(self, word: str) -> str | None:
        """The service that a word means."""
        return self.by_word.get(plain(word))


def service_words(scenario: Scenario) -> Words:
    """Ids, labels and aliases of the scenario's services; ids win where two would claim one word."""
    by_word: dict[str, str] = {}
    for name, service in scenario.services.items():
        for word in (*service.aliases, service.label):
            if word:
                by_word.setdefault(plain(word), name)
    for name in scenario.services:
        by_word[plain(name)] = name
        by_word.setdefault(plain(f"{name}s"), name)
    return Words(tuple(sorted(scenario.services)), by_word)


def clean(column: pd.Series) -> pd.Series:
    """Text without the spaces around it, in one Unicode form; control characters become the replacement sign."""
    text = column.astype("str").fillna("").str.strip(_EDGES)
    if not text.str.isascii().all():
        text = text.str.normalize("NFC")
    return text.str.replace(_CONTROLS, "\ufffd", regex=True)


def one_line(column: pd.Series) -> pd.Series:
    """Text with every run of spaces and line ends inside it as one space."""
    return column.str.replace(r"[\s\u00a0]+", " ", regex=True)


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of one file, on its way to a type."""

    spec: Column
    where: Where
    rows: NDArray[np.int64]
    table: str
    issues: list[Issue]

    def refuse(self, bad: pd.Series, text: pd.Series, kind: str, message: str, remedy: str) -> None:
        """Keep one issue for each bad cell."""
        chosen = bad.to_numpy(dtype=bool)
        if chosen.any():
            code = f"{self.table}.{kind}"
            values = text[chosen].tolist()
            self.issues.extend(row_issues(code, self.where, self.rows[chosen], values, message, remedy))


def typed(cells: Cells, column: pd.Series, words: Words, factor: float | None = None) -> pd.Series:
    """A column of text as its specification asks, with problems added to ``cells.issues``.

    Numbers become float64, flags ``boolean``, dates ``datetime64``, everything else text; ``factor`` multiplies numbers.
    A cell that was refused keeps a stand-in, so that it is not reported a second time as blank.
    """
    spec = cells.spec
    if spec.kind in (Kind.NUMBER, Kind.INTEGER):
        return _numbers(cells, column, factor)
    text = clean(column)
    readers: Mapping[Kind, Callable[[], pd.Series]] = {
        Kind.FLAG: lambda: _flags(cells, text),
        Kind.DATE: lambda: _dates(cells, text),
        Kind.CHOICE: lambda: _choices(cells, text),
        Kind.SERVICE: lambda: _services(cells, text, words),
        Kind.SERVICES: lambda: _service_lists(cells, text, words),
    }
    if spec.kind in readers:
        return readers[spec.kind]()
    return text if spec.refers_to or spec.name.endswith("_id") else one_line(text)


def _numbers(cells: Cells, column: pd.Series, factor: float | None) -> pd.Series:
    spec = cells.spec
    if pd.api.types.is_numeric_dtype(column):
        text, values = column.astype("str"), column.astype("float64")
        wrong = pd.Series(np.isinf(values.to_numpy()), index=column.index)
    else:
        text = clean(column)
        values, wrong = parsed_numbers(text)
    unit = _unit(spec.name)
    remedy = (
        f"write a plain number{unit}, such as 1200 or £1,200; leave it blank if it is not known" if not spec.required else ""
    )
    cells.refuse(
        wrong,
        text,
        "not-a-number",
        "'{value}' is not a number",
        remedy or f"write a plain number{unit}, such as 1200 or £1,200",
    )
    values = values.mask(wrong, spec.low or 0)
    if factor is not None:
        values = values * factor
    low, high = spec.low if spec.low is not None else -np.inf, spec.high if spec.high is not None else np.inf
    outside = (values < low) | (values > high)
    cells.refuse(
        outside, text, "range", f"'{{value}}' is outside {low:,.15g} to {high:,.15g}{unit}", "correct it; is the unit right?"
    )
    values = values.clip(low, high)
    if spec.kind is Kind.INTEGER:
        part = values.notna() & (values != np.floor(values))
        cells.refuse(part, text, "not-whole", "'{value}' is not a whole number", "round it")
        values = values // 1
    return values


def parsed_numbers(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Clean text as float64 (NaN when blank), and which cells are neither blank nor a finite number."""
    given = text != ""
    fits = text.str.fullmatch(_NUMBER) & text.str.contains(r"[0-9]", regex=True)
    bare = text.where(fits, "").str.replace(r"[£, ]", "", regex=True)
    values = pd.to_numeric(bare.where(bare != "", "nan"), errors="coerce").astype("float64")
    wrong = given & ~np.isfinite(values)
    return values, wrong


def _flags(cells: Cells, text: pd.Series) -> pd.Series:
    def read(word: str) -> bool | None:
        low = word.casefold()
        return True if low in _YES else False if low in _NO else None

    values = _mapped(text, read).astype("boolean")
    cells.refuse(values.isna() & (text != ""), text, "not-a-flag", "'{value}' is neither yes nor no", "write yes or no")
    return values


def _dates(cells: Cells, text: pd.Series) -> pd.Series:
    iso = pd.to_datetime(text.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    british = pd.to_datetime(text, format="%d/%m/%Y", errors="coerce")
    values = iso.where(text.str.fullmatch(r"\d{4}-\d\d-\d\d(?:[ T][0-9:.]+)?"), british)
    remedy = "write it as 2027-03-31 or 31/03/2027"
    cells.refuse(values.isna() & (text != ""), text, "not-a-date", "'{value}' is not a date", remedy)
    return values.astype("datetime64[s]")


def _choices(cells: Cells, text: pd.Series) -> pd.Series:
    by_form = {plain(each): each for each in cells.spec.choices if each}
    values = _mapped(text, lambda word: by_form.get(plain(word)))
    noun = cells.spec.name.replace("_", " ")
    bad = values.isna() & (text != "")
    _refuse_words(
        cells, bad, text, "unknown-word", f"'{{value}}' is not a {noun}", lambda word: suggestion(word, cells.spec.choices)
    )
    return values.where(~bad, text).astype("str").fillna("")


def _services(cells: Cells, text: pd.Series, words: Words) -> pd.Series:
    values = _mapped(text, words.find)
    bad = values.isna() & (text != "")
    message = "'{value}' is not one of the scenario's services"
    _refuse_words(cells, bad, text, "unknown-service", message, lambda word: _service_remedy(word, words))
    return values.where(~bad, text).astype("str").fillna("")


def _service_remedy(word: str, words: Words) -> str:
    return f"{suggestion(word, words.allowed)}; or add it under [services], or as an alias"


def _service_lists(cells: Cells, text: pd.Series, words: Words) -> pd.Series:
    def read(cell: str) -> str | None:
        if plain(cell) in ("none", "any"):
            return "none" if plain(cell) == "none" else ""
        found = [words.find(part) for part in cell.replace(",", ";").split(";") if part.strip()]
        known = [each for each in found if each is not None]
        return ";".join(sorted(set(known))) if len(known) == len(found) else None

    def remedy(cell: str) -> str:
        unknown = [part.strip() for part in cell.replace(",", ";").split(";") if part.strip() and words.find(part) is None]
        return _service_remedy(unknown[0], words) if unknown else "separate services with semicolons"

    values = _mapped(text, read)
    bad = values.isna() & (text != "")
    _refuse_words(cells, bad, text, "unknown-service", "'{value}' names a service the scenario does not have", remedy)
    return values.astype("str").fillna("")


def _refuse_words(cells: Cells, bad: pd.Series, text: pd.Series, kind: str, message: str, remedy: Callable[[str], str]) -> None:
    """One issue for each different word: where it stands first, how often, and a suggestion."""
    wrong = text[bad]
    for word in wrong.unique()[:MOST_SHOWN]:
        rows = cells.rows[(bad & (text == word)).to_numpy(dtype=bool)]
        where = Where(cells.where.file, int(rows[0]), cells.where.column, brief(str(word)))
        often = f" ({len(rows):,} rows: {listed(rows)})" if len(rows) > 1 else ""
        issue = Issue(f"{cells.table}.{kind}", message.replace("{value}", brief(str(word))) + often, remedy(str(word)), where)
        cells.issues.append(issue)
    more = wrong.nunique() - MOST_SHOWN
    if more > 0:
        message = f"{more:,} more words are not known"
        cells.issues.append(Issue(f"{cells.table}.{kind}", message, "is this the right column?", cells.where))


def _mapped(text: pd.Series, read: Callable[[str], object]) -> pd.Series:
    """``read`` applied to each different word once; ``""`` and what it cannot read become missing."""
    codes, words = pd.factorize(text)
    values = np.array([read(str(word)) if word else None for word in words] or [None], dtype=object)
    return pd.Series(values[codes] if len(codes) else np.array([], dtype=object), index=text.index, dtype=object)


def guessed(column: pd.Series, factor: float | None = None) -> pd.Series:
    """A column without a specification: numbers where every cell is one (blank: missing) and none has a leading zero.

    Otherwise text: ``007`` and ``E07000234`` are names.  ``factor`` multiplies numbers.
    """
    text = one_line(clean(column))
    given = text[text != ""]
    if given.empty or given.str.match(r"[+-]?0[0-9]").any():
        return text
    values, wrong = parsed_numbers(text)
    if wrong.any():
        return text
    if factor is not None:
        return values * factor
    whole = values.notna().all() and (values == np.floor(values)).all() and (values.abs() < 2**53).all()
    return values.astype("int64") if whole else values


def _unit(name: str) -> str:
    ends: Iterable[tuple[str, str]] = (
        ("_gbp_m2_pa", " of GBP per m2 a year"),
        ("_gbp_m2", " of GBP per m2"),
        ("_gbp_pa", " of GBP a year"),
        ("_gbp", " of GBP"),
        ("_m2", " of m2"),
        ("_m", " of metres"),
        ("_s", " of seconds"),
        ("_pa", " a year"),
    )
    return next((unit for end, unit in ends if name.endswith(end)), "")
