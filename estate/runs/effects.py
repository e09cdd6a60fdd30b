"""What each correction of a register did to the plan: the first run's place with that one made, measured and solved again.

A correction that cannot stand by itself is made with those it needs: a new counter with its new building, a building that is no
longer there with the counters that were in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from estate.errors import InputError, Issue, Where, raise_for
from estate.formulate import Formulated, formulate
from estate.model import Measure
from estate.model import measure as measured
from estate.money.costs import plan_pence_pa
from estate.place import Place, Plan
from estate.problem import BROKEN, Goal, Solution, violations
from estate.runs.corrections import LOCATION, TABLES, TRAVEL, Correction, id_of, one_place
from estate.runs.files import digest_of
from estate.runs.run import Run
from estate.scenario import Method
from estate.solve import Limits, Status, solve
from estate.solve.answer import value_of
from estate.standards.journeys import ALL_PAIRS, measure, streets_file
from estate.standards.measured import Measured
from estate.travel import TravelTables
from estate.validate import check
from estate.wording import listed

MOST_TRIED = 30
"""Corrections that are made one at a time; further ones are made together."""
MOST_SECONDS = 30.0
"""Seconds that one of them may take."""
MOST_UNSETTLED = 3
"""After so many that were not settled in that time, the others are not tried."""
_TELLS = ("name", "source", "illustrative", "confidential", "uprn")
"""Columns that no figure depends on."""
_REFERS: Mapping[str, Mapping[str, str]] = {
    "sites": {"agency": "agencies"},
    "access_points": {"site_id": "sites", "agency": "agencies"},
    "hosting": {"access_point_id": "access_points", "site_id": "sites"},
}
"""By table, the columns that name a row of another."""


def with_effects(first: Run, second: Run, found: Sequence[Correction]) -> list[Correction]:
    """The same corrections, each with what it did to the first run's plan by itself, or with those it needs.

    The first :data:`MOST_TRIED` that a figure depends on are tried one by one, the rest together; none is where the second run
    is of another place.
    """
    if not one_place(first.place, second.place):
        effect = "not tried: fewer than half of the buildings are in both, so this is another place, not a corrected one"
        return [replace(each, effect=effect) for each in found]
    before = formulate(Measured.of(first.place, first.scenario, first.travel))
    sums = _sums(first.place, before, before.solution(first.plan))
    needed = _needed(first.place, second.place, found)
    counts = [n for n, each in enumerate(found) if not _tells(each)]
    effects = dict.fromkeys(set(range(len(found))) - set(counts), "no figure depends on it")
    solved: dict[frozenset[int], str] = {}
    for n in counts[:MOST_TRIED]:
        if sum("not settled" in each for each in solved.values()) >= MOST_UNSETTLED:
            effects[n] = f"not tried: {MOST_UNSETTLED} others were not settled in {MOST_SECONDS:.0f} s each"
            continue
        group = needed[n]
        if group not in solved:
            solved[group] = _effect(first, second, [found[each] for each in sorted(group)], sums)
        others = [found[each].row or found[each].words for each in sorted(group - {n})]
        effects[n] = (f"with {listed(others)}: " if others else "by itself: ") + solved[group]
    rest = counts[MOST_TRIED:]
    if rest:
        together = _effect(first, second, [found[n] for n in sorted(frozenset().union(*(needed[n] for n in rest)))], sums)
        effects |= dict.fromkeys(rest, f"tried with the others of the last {len(rest):,} listed here: {together}")
    return [replace(each, effect=effects[n]) for n, each in enumerate(found)]


def _tells(one: Correction) -> bool:
    return one.column in _TELLS or one.column.endswith("_source")


# ---------------------------------------------------------------------------------------------- what is made together


def _needed(first: Place, second: Place, found: Sequence[Correction]) -> list[frozenset[int]]:
    """For each correction, the positions of those that are made with it, itself among them.

    A row that is new, or a cell that names a new row, needs that row; a row that is no longer there needs every row that named
    it to be gone too, or to name another.
    """
    at = {(each.table, each.row, each.column): n for n, each in enumerate(found)}
    named = {name: _references(getattr(second, name), columns) for name, columns in _REFERS.items()}
    naming = [
        (table, row, column, other, value)
        for table, columns in _REFERS.items()
        for row, cells in _references(getattr(first, table), columns).items()
        for column, (other, value) in cells.items()
    ]
    by_target: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for table, row, column, other, value in naming:
        by_target.setdefault((other, value), []).append((table, row, column))

    def direct(one: Correction) -> Iterator[int]:
        if one.column or one.after:
            for column, (other, value) in named.get(one.table, {}).get(one.row, {}).items():
                new = at.get((other, value, ""))
                if one.column in ("", column) and new is not None and found[new].after:
                    yield new
        else:
            for table, row, column in by_target.get((one.table, one.row), []):
                yield from (at[key] for key in ((table, row, ""), (table, row, column)) if key in at)

    return [_closure(n, found, direct) for n in range(len(found))]


def _references(frame: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, dict[str, tuple[str, str]]]:
    """Row -> column -> the table and the row that the cell names."""
    flat = frame.reset_index()
    rows = [id_of(key) for key in frame.index]
    values = {column: flat[column].astype(str).tolist() for column in columns}
    return {row: {column: (columns[column], values[column][n]) for column in columns} for n, row in enumerate(rows)}


def _closure(start: int, found: Sequence[Correction], direct: Any) -> frozenset[int]:
    reached, waiting = {start}, [start]
    while waiting:
        fresh = set(direct(found[waiting.pop()])) - reached
        reached |= fresh
        waiting += fresh
    return frozenset(reached)


# ------------------------------------------------------------------------------------------------ the place they make


def corrected(first: Place, second: Place, chosen: Iterable[Correction]) -> Place:
    """The first place with some of its corrections, taken from the second."""
    chosen = list(chosen)
    frames: dict[str, Any] = {
        name: _table_with(getattr(first, name), getattr(second, name), [each for each in chosen if each.table == name])
        for name in TABLES
    }
    new = {each.row for each in chosen if each.table in ("sites", "zones") and not each.column and each.after}
    travel = second.travel if any(each.table == TRAVEL for each in chosen) else first.travel
    if new and travel is not None and second.travel is not None:
        touching = [table[table["from_id"].isin(new) | table["to_id"].isin(new)] for table in (travel, second.travel)]
        travel = pd.concat([travel.drop(index=touching[0].index), touching[1]], ignore_index=True)
    return Place(**frames, travel=travel, context=first.context)


def _table_with(frame: pd.DataFrame, other: pd.DataFrame, chosen: Sequence[Correction]) -> pd.DataFrame:
    if not chosen:
        return frame
    keys = {id_of(key): key for table in (frame, other) for key in table.index}
    gone = [keys[each.row] for each in chosen if each.row and not each.column and each.before]
    new = [keys[each.row] for each in chosen if each.row and not each.column and each.after]
    made = frame.drop(index=gone) if gone else frame.copy()
    for each in chosen:
        if not each.row:
            made = _with_column(made, other, each.column)
            continue
        for column in ("easting_m", "northing_m") if each.column == LOCATION else (each.column,) if each.column else ():
            made[column] = _with_cell(made, other, column, keys[each.row])
    if new:
        rows = other.loc[new]
        lacking = {column: _blank(made[column]) for column in made.columns if column not in rows}
        rows = rows.assign(**lacking)[list(made.columns)]
        made = pd.concat([made, rows]).astype(made.dtypes.to_dict()).sort_index() if len(made) else rows
    return made


def _with_column(frame: pd.DataFrame, other: pd.DataFrame, column: str) -> pd.DataFrame:
    """A table with, or without, a column that only the other has, or has not."""
    if column not in other.columns:
        return frame.drop(columns=column)
    values = other[column].reindex(frame.index)
    return frame.assign(**{column: values if values.dtype.kind in "fM" else values.fillna(_blank(other[column]))})


def _with_cell(frame: pd.DataFrame, other: pd.DataFrame, column: str, key: Any) -> pd.Series[Any]:
    """A column of one table with one cell of the other's; where numbers and words meet, all are words."""
    old, value = frame[column].copy(), other.loc[key, column]
    if pd.api.types.is_numeric_dtype(old) != pd.api.types.is_numeric_dtype(other[column]):
        old, value = old.map(_word).astype("str"), _word(value)
    old[key] = value
    return old


def _word(value: Any) -> str:
    """A cell of a column of labels, as it is read where all are numbers but one."""
    return value if isinstance(value, str) else "" if pd.isna(value) else f"{value:.10g}"


def _blank(column: pd.Series[Any]) -> Any:
    if pd.api.types.is_bool_dtype(column):
        return False
    return np.nan if pd.api.types.is_numeric_dtype(column) else pd.NaT if column.dtype.kind == "M" else ""


def _travel_of(first: Run, place: Place) -> TravelTables:
    """How far apart everything is in the corrected place; measured again where anything has moved, come or gone.

    Raises
    ------
    InputError
        When it cannot be measured: the streets are not there, or not the same.
    """
    old = first.place
    still = place.travel is old.travel and all(
        _where(getattr(place, name)).equals(_where(getattr(old, name))) for name in ("sites", "zones")
    )
    # Of a large place only the pairs that matter are kept, and which do depends on where the services are today.
    if still and (len(old.zones) * len(old.sites) <= ALL_PAIRS or place.access_points is old.access_points):
        return first.travel
    settings = first.scenario.travel
    if settings.method is Method.NETWORK and settings.streets:
        file = streets_file(first.scenario)
        if not file.is_file() or digest_of(file) != first.manifest.get("inputs", {}).get(settings.streets):
            message = "the streets that it was measured on are not found from here, so distances cannot be measured again"
            remedy = "start the command in the folder of the place"
            raise InputError(issues=[Issue("compare.streets", message, remedy, Where(settings.streets))])
    return measure(place, first.scenario)


def _where(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["easting_m", "northing_m"]]


# ------------------------------------------------------------------------------------------------------------- effects


def _effect(first: Run, second: Run, chosen: Sequence[Correction], before: _Sums) -> str:
    """What the first run's plan becomes when only some corrections are made."""
    place = corrected(first.place, second.place, chosen)
    try:
        raise_for(check(first.scenario, place))
        formulation = formulate(Measured.of(place, first.scenario, _travel_of(first, place)))
    except InputError as error:
        said = error.issues[0]
        return f"not tried, since alone it makes no place that can be run: {said.message}; {said.remedy}".removesuffix("; ")
    answer = solve(formulation.problem, Limits(time_s=MOST_SECONDS, threads=first.scenario.solver.threads))
    if answer.status is Status.INFEASIBLE:
        return "no plan is left"
    if answer.solution is None or answer.status is not Status.OPTIMAL or answer.value is None:
        return f"not settled in {MOST_SECONDS:.0f} s"
    return _told(formulation, place, _kept(first.plan, first.place, place), answer.solution, before)


def _told(formulation: Formulated, place: Place, plan: Plan, best: Solution, before: _Sums) -> str:
    """The old plan and the best one of the corrected place beside each other, and what else it does to the sums."""
    problem = formulation.problem
    old = formulation.solution(plan)
    changes = _changes(place, plan, formulation.plan(place, best))
    broken = violations(problem, old)
    gain = value_of(problem, old) - value_of(problem, best)
    after = _sums(place, formulation, best)
    sums = [f"today's estate costs {_pounds(after.today - before.today)}"] if after.today != before.today else []
    if after.once != before.once:
        sums.append(f"one-off costs less receipts: {_pounds(after.once - before.once, '')}")
    if not changes:
        told = "the same plan"
        sums = [f"it costs {_pounds(after.plan - before.plan)}", *sums] if after.plan != before.plan else sums
    elif broken:
        told = f"the old plan is no plan ({'; '.join(BROKEN[each] for each in broken)}); the best then: {changes}"
    elif not gain:
        told = f"another plan as good, by the order that ties are settled in: {changes}"
    else:
        told = f"another plan: {changes}" + (f", {_pounds(-gain)} than the old plan" if problem.goal is Goal.COST else "")
    return "; ".join([told, *sums])


class _Sums(NamedTuple):
    """Pence: running cost a year of a plan and of today's estate, and the plan's one-off costs less receipts."""

    plan: int
    today: int
    once: int


def _sums(place: Place, formulation: Formulated, solution: Solution) -> _Sums:
    plan = formulation.plan(place, solution)
    once = measured(formulation.problem, solution, Measure.ONE_OFF)
    return _Sums(plan_pence_pa(place, plan), plan_pence_pa(place, place.today), once)


def _kept(plan: Plan, old: Place, place: Place) -> Plan:
    """A plan of one place as a plan of its corrected form.

    What it does not know stays as it is today, and so does a counter that it left where it was, wherever that is said to be now.
    """
    known = old.sites.index.get_indexer(place.sites.index)
    is_open = np.where(known >= 0, plan.open[known], place.today.open)
    away = plan.host != old.point_site
    hosts = pd.Series(old.sites.index[plan.host[away]], index=old.access_points.index[away], dtype=object)
    host = place.sites.index.get_indexer(pd.Index(hosts.reindex(place.access_points.index), dtype=object))
    return Plan(open=is_open, host=np.where(host >= 0, host, place.point_site).astype(np.int64))


def _changes(place: Place, old: Plan, new: Plan) -> str:
    """Which buildings differ and which counters are elsewhere, by name."""
    name = place.sites["name"].astype(str)
    points = place.access_points
    called = [each or str(key) for key, each in points["name"].astype(str).items()]
    parts = [
        f"{listed(name[differ])} {word}"
        for differ, word in ((new.open & ~old.open, "kept"), (old.open & ~new.open, "let go"))
        if differ.any()
    ]
    moved = np.flatnonzero(new.host != old.host)
    return ", ".join(
        [*parts, *([listed([f"{called[s]} at {name.iloc[new.host[s]]}" for s in moved], 3)] if len(moved) else [])]
    )


def _pounds(pence: int, when: str = " a year") -> str:
    return f"£{abs(pence) / 100:,.0f}{when} {'less' if pence < 0 else 'more'}"
