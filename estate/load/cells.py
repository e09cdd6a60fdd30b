"""From text to typed columns, a column at a time; every cell that does not fit is reported with its row.

What is accepted, and nothing else: numbers such as ``1200``, ``1,200.50``, ``£1,200``, ``1e5``; whole numbers; dates
(:mod:`estate.load.dates`); ``yes/no/true/false/1/0``; words of a list, whatever their case, spaces and hyphens.
Blank is missing: NaN, NaT, ``""`` or NA.  Nothing else becomes blank without a word (:mod:`estate.load.marks`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.load.dates import parsed_dates
from estate.load.marks import lost_digits, single_letters, spoilt, suppressed, why_spoilt
from estate.load.raw import MOST_SHOWN, row_issues
from estate.scenario import Scenario
from estate.tables import TABLES, Column, ColumnKind
from estate.wording import brief, counted, listed, plain, suggestion

# "Â£" is a pound sign that was saved as UTF-8 and opened as something else.
_NUMBER = r"[+-]?(?:Â?£)? ?[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?"
_YES = frozenset({"yes", "y", "true", "t", "1"})
_NO = frozenset({"no", "n", "false", "f", "0"})
_EDGES = " \t\r\n\v\f\u00a0\u200b\u2007\u202f\ufeff"
_MOSTLY = 0.8
"""The share of numbers at which a column with something else in it deserves a word."""
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
    stands_for: float | Literal["blank"] | None = None
    """What a suppressed figure stands for, where the scenario says."""
    known: bool = True
    """Whether the table specifies this column; one that it does not, nothing may ever read."""

    def refuse(self, bad: pd.Series, text: pd.Series, kind: str, message: str, remedy: str) -> None:
        """Keep one issue for each bad cell."""
        self._tell(bad, text, kind, message, remedy, Severity.ERROR)

    def _tell(self, bad: pd.Series, text: pd.Series, kind: str, message: str, remedy: str, severity: Severity) -> None:
        chosen = bad.to_numpy(dtype=bool)
        if chosen.any():
            code = f"{self.table}.{kind}"
            values = text[chosen].tolist()
            self.issues.extend(row_issues(code, self.where, self.rows[chosen], values, message, remedy, severity))

    def tell_spoilt(self, bad: pd.Series, text: pd.Series) -> None:
        """Errors of a spreadsheet: refused in a column that is specified, else a warning."""
        if not bad.any():
            return
        severity = Severity.ERROR if self.known else Severity.WARNING
        reasons = text.where(bad, "").map(lambda cell: why_spoilt(cell) if cell else ("", ""))
        for reason in sorted(set(reasons[bad])):
            self._tell(bad & (reasons == reason), text, "error-cell", reason[0], reason[1], severity)

    def note(self, chosen: pd.Series, text: pd.Series, kind: str, message: str, remedy: str) -> None:
        """Keep one warning for all the chosen cells of the column; their rows and contents are listed after the message.

        ``{cell is|cells are}`` stands for how many they are, with the words that agree.
        """
        if chosen.any():
            here = chosen.to_numpy(dtype=bool)
            cells = listed([f"row {row} '{brief(cell, 20)}'" for row, cell in zip(self.rows[here], text[here], strict=True)])
            message = re.sub(r"\{([^|{}]*)\|([^{}]*)\}", lambda words: counted(int(here.sum()), words[1], words[2]), message)
            self.issues.append(Issue(f"{self.table}.{kind}", message, remedy, self.where, Severity.WARNING, f": {cells}"))

    def tell_suppressed(self, marks: pd.Series, text: pd.Series) -> None:
        """Say what withheld figures were read as."""
        meaning = "blank" if self.stands_for in (None, "blank") else f"{self.stands_for:,.15g}"
        remedy = (
            "" if self.stands_for is not None else 'say what they stand for: suppressed = "blank", or a number, for this file'
        )
        message = f"{{suppressed figure is|suppressed figures are}} read as {meaning}"
        self.note(marks, text, "suppressed", message, remedy)


def typed(cells: Cells, column: pd.Series, words: Words, factor: float | None = None) -> pd.Series:
    """A column of text as its specification asks, with problems added to ``cells.issues``.

    Numbers become float64, flags ``boolean``, dates ``datetime64``, everything else text; ``factor`` multiplies numbers.
    A cell that was refused keeps a stand-in, so that it is not reported a second time as blank.
    """
    text = clean(column)
    bad = spoilt(text)
    if not bad.any():
        return _read(cells, text, words, factor)
    cells.tell_spoilt(bad, text)
    values = _read(cells, text.mask(bad, ""), words, factor)
    if cells.spec.kind in (ColumnKind.FLAG, ColumnKind.DATE):
        return values
    number = cells.spec.kind in (ColumnKind.NUMBER, ColumnKind.INTEGER)
    return values.mask(bad, cells.spec.low or 0) if number else values.mask(bad, text)


def _read(cells: Cells, text: pd.Series, words: Words, factor: float | None) -> pd.Series:
    spec = cells.spec
    readers: Mapping[ColumnKind, Callable[[], pd.Series]] = {
        ColumnKind.NUMBER: lambda: _numbers(cells, text, factor),
        ColumnKind.INTEGER: lambda: _numbers(cells, text, factor),
        ColumnKind.FLAG: lambda: _flags(cells, text),
        ColumnKind.DATE: lambda: _dates(cells, text),
        ColumnKind.CHOICE: lambda: _choices(cells, text),
        ColumnKind.SERVICE: lambda: _services(cells, text, words),
        ColumnKind.SERVICES: lambda: _service_lists(cells, text, words),
    }
    if spec.kind in readers:
        return readers[spec.kind]()
    _check_digits(cells, text)
    return text if spec.refers_to or spec.name.endswith("_id") else one_line(text)


def _check_digits(cells: Cells, text: pd.Series) -> None:
    """Ids that a spreadsheet has rounded: an error where the rows are told apart by them."""
    lost = lost_digits(text)
    remedy = "take the ids from the source again, with the column set to text before it is opened or saved"
    if cells.spec.name in _keys(cells.table):
        message = "'{value}' has lost its digits: a spreadsheet wrote it in scientific notation"
        cells.refuse(lost, text, "lost-digits", message, remedy)
    else:
        message = "{cell has lost its|cells have lost their} digits, written by a spreadsheet in scientific notation"
        cells.note(lost, text, "lost-digits", message, remedy)


def _keys(table: str) -> tuple[str, ...]:
    return TABLES[table].key if table in TABLES else ()


def _numbers(cells: Cells, text: pd.Series, factor: float | None) -> pd.Series:
    spec = cells.spec
    values, wrong = parsed_numbers(text)
    unit = _unit(spec.name)
    marks = suppressed(text, wrong)
    if cells.stands_for is not None:
        cells.tell_suppressed(marks, text)
        wrong &= ~marks
        values = values.mask(marks, np.nan if cells.stands_for == "blank" else cells.stands_for)
    else:
        or_blank = "" if spec.required else "leave it blank, or "
        remedy = f'a figure that was withheld? {or_blank}say what such cells stand for: suppressed = "blank", or a number'
        cells.refuse(marks, text, "not-a-number", "'{value}' is not a number", remedy)
    remedy = f"write a plain number{unit}, such as 1200 or £1,200" + (
        "" if spec.required else "; leave it blank if it is not known"
    )
    cells.refuse(wrong & ~marks, text, "not-a-number", "'{value}' is not a number", remedy)
    values = values.mask(wrong, spec.low or 0)
    if factor is not None:
        values = values * factor
    low, high = spec.low if spec.low is not None else -np.inf, spec.high if spec.high is not None else np.inf
    outside = (values < low) | (values > high)
    cells.refuse(
        outside, text, "range", f"'{{value}}' is outside {low:,.15g} to {high:,.15g}{unit}", "correct it; is the unit right?"
    )
    values = values.clip(low, high)
    if spec.kind is ColumnKind.INTEGER:
        part = values.notna() & (values != np.floor(values))
        cells.refuse(part, text, "not-whole", "'{value}' is not a whole number", "round it")
        values = values // 1
    return values


def parsed_numbers(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Clean text as float64 (NaN when blank), and which cells are neither blank nor a finite number."""
    given = text != ""
    fits = text.str.fullmatch(_NUMBER) & text.str.contains(r"[0-9]", regex=True)
    bare = text.where(fits, "").str.replace(r"[Â£, ]", "", regex=True)
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
    values, counted = parsed_dates(text)
    remedy = "write it as 2027-03-31 or 31/03/2027"
    cells.refuse(values.isna() & (text != ""), text, "not-a-date", "'{value}' is not a date", remedy)
    if counted.any():
        first = values[counted].min()
        are = "{date is a spreadsheet's day number|dates are a spreadsheet's day numbers}"
        message = f"{are}, the earliest {first.day} {first:%B %Y}"
        cells.note(counted, text, "day-number", message, "is that right? else write it as 2027-03-31")
    return values


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


def guessed(cells: Cells, column: pd.Series, factor: float | None = None) -> pd.Series:
    """A column without a specification: numbers where every cell is one (blank: missing) and none has a leading zero.

    Cells that stand for a withheld figure do not make labels of a column of numbers: they are reported, and missing, or what
    the scenario says.  Otherwise text: ``007`` and ``E07000234`` are names.  ``factor`` multiplies numbers.
    """
    text = one_line(clean(column))
    bad = spoilt(text)
    cells.tell_spoilt(bad, text)
    given = (text != "") & ~bad
    if not given.any() or text.str.match(r"[+-]?0[0-9]").any():
        return text
    values, wrong = parsed_numbers(text)
    wrong &= ~bad
    odd = wrong & ~suppressed(text, wrong)
    numbers = int((given & ~wrong).sum())
    letters = int(single_letters(text, wrong).sum())
    if not numbers or odd.any() or letters > numbers:
        if numbers >= _MOSTLY * given.sum():
            message = "the column is read as labels, not numbers, because of {cell|cells}"
            cells.note(wrong, text, "mixed", message, "correct them, if it counts people")
        return text
    _check_digits(cells, text)
    cells.tell_suppressed(wrong, text)
    values = values.mask(wrong, cells.stands_for if isinstance(cells.stands_for, (int, float)) else np.nan)
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
