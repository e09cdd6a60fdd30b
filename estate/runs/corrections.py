"""A register that comes again with corrections: which cells differ between two stored runs, and what each did to the plan.

A run keeps the rows it was made from, as they were read (``data/``, never part of what is published with ``--public``), so two
runs can be set side by side cell by cell.  What one correction did is found by making it alone: the first run's place with
that one cell changed, solved again and compared with the first run's plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from estate.formulate import Formulation, formulate
from estate.place import Place, Plan
from estate.problem import BROKEN, Goal, Solution, violations
from estate.runs.run import Run
from estate.solve import Limits, Status, solve
from estate.solve.answer import value_of
from estate.standards.measured import Measured
from estate.wording import brief, listed

MOST_SOLVED = 12
"""Corrections that are made one at a time; the effect of further ones is in the two plans together."""
MOST_SECONDS = 30.0
"""Seconds that one of them may take."""
_TABLES = ("agencies", "sites", "access_points", "zones", "rates", "hosting")
_MEASURED = ("easting_m", "northing_m")
"""Columns whose change moves something, so that distances would have to be measured again."""
_TELLS = ("name", "source", "illustrative", "confidential", "uprn")
"""Columns that no figure depends on."""
_UNITS = ("_gbp_m2_pa", "_gbp_pa", "_gbp_m2", "_gbp", "_m2", "_pa", "_fte")


@dataclass(frozen=True, slots=True)
class Correction:
    """One cell that differs, or (with ``column`` blank) a row that only one run has; blanks are ``""``."""

    table: str
    row: str
    name: str
    column: str
    before: str
    after: str
    effect: str = ""
    """What it did to the plan by itself; blank where it was not tried or touches no figure."""

    @property
    def words(self) -> str:
        """``0006: running cost 64,600 -> 46,600``."""
        if not self.column:
            return f"{self.row}: {self.before or self.after} ({self.table})"
        column = next((self.column.removesuffix(unit) for unit in _UNITS if self.column.endswith(unit)), self.column)
        return f"{self.row}: {column.replace('_', ' ')} {self.before or 'blank'} -> {self.after or 'blank'}"

    def as_row(self) -> dict[str, str]:
        """All of it as plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"words": self.words}


def corrections(first: Place, second: Place) -> list[Correction]:
    """Every cell that differs, by table and row; rows that only one of the two has are one correction each."""
    return [found for name in _TABLES for found in _of_table(name, getattr(first, name), getattr(second, name))]


def _of_table(table: str, first: pd.DataFrame, second: pd.DataFrame) -> Iterator[Correction]:
    for frame, other, word in ((first, second, "no longer there"), (second, first, "new")):
        for key in frame.index.difference(other.index):
            before, after = (word, "") if frame is first else ("", word)
            yield Correction(table, _id(key), _name(frame, key), "", before, after)
    both = first.index.intersection(second.index)
    columns = [*first.columns, *(each for each in second.columns if each not in first.columns)]
    found: list[tuple[int, int, Correction]] = []
    for n, column in enumerate(columns):
        a, b = (_cells(frame, column).reindex(both) for frame in (first, second))
        for k in np.flatnonzero((a != b).to_numpy(dtype=bool)).tolist():
            key = both[k]
            found.append((k, n, Correction(table, _id(key), _name(second, key), str(column), a.iloc[k], b.iloc[k])))
    yield from (each for *_, each in sorted(found, key=lambda one: one[:2]))


def _id(key: Any) -> str:
    return " x ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _name(frame: pd.DataFrame, key: Any) -> str:
    return str(frame.loc[key, "name"]) if "name" in frame.columns else ""


def _cells(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    """A column as people write it; what the table does not have is blank."""
    if column not in frame.columns:
        return pd.Series("", index=frame.index, dtype="str")
    return frame[column].map(_text).astype("str")


def _text(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.10g}"
    return brief(f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value))


# ------------------------------------------------------------------------------------------------------------- effects


def with_effects(first: Run, second: Run, found: Sequence[Correction]) -> list[Correction]:
    """The same corrections, each with what it did to the first run's plan by itself.

    Those that move something, or add or remove a row, would need distances that were never measured, and are left to the two
    plans together; so are those after the first :data:`MOST_SOLVED`.
    """
    before = formulate(Measured.of(first.place, first.scenario, first.travel))
    cost = _total(before, _as_solution(before, first.plan))
    done, tried = [], 0
    for each in found:
        effect = ""
        if each.column in _TELLS or each.column.endswith("_source"):
            effect = "no figure depends on it"
        elif not each.column or each.column in _MEASURED:
            effect = "not tried by itself: distances would have to be measured again"
        elif tried >= MOST_SOLVED:
            effect = f"not tried by itself: {MOST_SOLVED} others were"
        else:
            tried += 1
            effect = "by itself: " + _alone(first, _corrected(first.place, second.place, each), cost)
        done.append(replace(each, effect=effect))
    return done


def _corrected(first: Place, second: Place, one: Correction) -> Place:
    """The first place with one cell of the second's."""
    frame, other = getattr(first, one.table), getattr(second, one.table)
    key = next(key for key in frame.index if _id(key) == one.row)
    column = frame[one.column].copy() if one.column in frame.columns else pd.Series("", index=frame.index)
    changed = other.loc[key, one.column] if one.column in other.columns else _blank(column)
    column = column.astype(object) if column.dtype == object else column
    column[key] = changed
    kept = {name: getattr(first, name) for name in (*_TABLES, "travel", "context")}
    return Place(**{**kept, one.table: frame.assign(**{one.column: column})})


def _blank(column: pd.Series[Any]) -> Any:
    return np.nan if pd.api.types.is_numeric_dtype(column) else pd.NaT if column.dtype.kind == "M" else ""


def _as_solution(formulation: Formulation, plan: Plan) -> Solution:
    return Solution(plan.open.copy(), plan.host[formulation.points])


def _total(formulation: Formulation, solution: Solution) -> int:
    return value_of(formulation.problem, solution) + formulation.constant


def _alone(first: Run, place: Place, cost: int) -> str:
    """What the first run's plan becomes when only one cell is another."""
    formulation = formulate(Measured.of(place, first.scenario, first.travel))
    problem, old = formulation.problem, _as_solution(formulation, first.plan)
    broken = violations(problem, old)
    answer = solve(problem, Limits(time_s=MOST_SECONDS, threads=first.scenario.solver.threads))
    if answer.status is Status.INFEASIBLE:
        return "no plan is left"
    if answer.solution is None or answer.status is not Status.OPTIMAL or answer.value is None:
        return f"not settled in {MOST_SECONDS:.0f} s"
    money = problem.goal is Goal.COST
    changes = _changes(place, first.plan, formulation.plan(place, answer.solution))
    if not changes:
        change = _total(formulation, old) - cost
        return "the same plan" + (f", which costs {_pounds(change)}" if money and change else "")
    if broken:
        return f"the old plan is no plan ({'; '.join(BROKEN[each] for each in broken)}); the best then: {changes}"
    if value_of(problem, old) == answer.value:
        return f"another plan as good, by the order that ties are settled in: {changes}"
    gain = f", £{(value_of(problem, old) - answer.value) / 100:,.0f} a year better than the old plan" if money else ""
    return f"another plan: {changes}{gain}"


def _pounds(pence: int) -> str:
    return f"£{abs(pence) / 100:,.0f} a year {'less' if pence < 0 else 'more'}"


def _changes(place: Place, old: Plan, new: Plan) -> str:
    """Which buildings differ, by name, and how many counters are elsewhere."""
    name = place.sites["name"].astype(str)
    parts = [
        f"{listed(name[differ])} {word}"
        for differ, word in ((new.open & ~old.open, "kept"), (old.open & ~new.open, "let go"))
        if differ.any()
    ]
    moved = int((new.host != old.host).sum())
    return ", ".join([*parts, *([f"{moved} counter{'s' if moved > 1 else ''} elsewhere"] if moved else [])])


# ------------------------------------------------------------------------------------------------------------ settings


def settings_changed(first: Run, second: Run) -> list[str]:
    """Every setting that differs: ``travel.detour: 1.3 -> 1.4``; items of a list of tables go by their name."""
    a, b = (dict(_flat(run.manifest["scenario"])) for run in (first, second))
    return [
        f"{key}: {a.get(key, 'not set')} -> {b.get(key, 'not set')}"
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key) and key not in ("name", "title", "description")
    ]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) and "name" in each for each in value):
        for each in value:
            yield from _flat({key: inner for key, inner in each.items() if key != "name"}, f"{path}.{each['name']}")
    else:
        yield path, brief(str(value))
