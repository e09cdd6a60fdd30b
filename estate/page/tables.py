"""The tables of the page: which columns, under which plain headings, each cell as words and as a number to sort by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.page import facts, words
from estate.page.catalogue import SPECS
from estate.page.facts import Journeys
from estate.page.spec import Spec
from estate.wording import figure_words

if TYPE_CHECKING:
    from estate.runs.run import Run

MOST_ROWS = 600
"""Longer tables are cut here, and say so: the whole is in the file beside the page."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, the number it sorts by, the building it opens, and the mark of what its figure rests on."""

    text: str
    sort: float | None = None
    site: int = -1
    outcome: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A table ready for the template."""

    name: str
    title: str
    intro: str
    headings: list[tuple[str, str]]
    """The words, and how the column is set: ``number``, ``wide``, ``middling`` or nothing."""
    rows: list[list[Cell]]
    total: int
    file: str
    """The CSV that has it all."""
    assumed: frozenset[int] = frozenset()
    """Columns in which most figures are assumed: the heading says so, and the cells mark those on record."""


OUTCOME_ORDER = {name: order for order, name in enumerate(words.OUTCOMES)}


def build(run: Run) -> list[Shown]:
    """Every table that the run has, ready to show."""
    return [shown for spec in SPECS if (shown := show(run, spec)) is not None]


def show(run: Run, spec: Spec) -> Shown | None:
    """One table, or None when the run has no such rows."""
    frame = facts.table(run, spec.name)
    columns = {name: heading for name, heading in (spec.columns or _headings(frame)).items() if _filled(frame, name)}
    if frame.empty or not columns:
        return None
    whole = len(frame)
    if spec.name == "sites" and "after" in frame:
        order = frame["after"].map(OUTCOME_ORDER).fillna(len(OUTCOME_ORDER))
        frame = frame.assign(order=order).sort_values(["order", "name"], kind="stable")
    frame = _as_shares(frame).head(MOST_ROWS) if spec.name == "access" else frame.head(MOST_ROWS)
    makers = [(name, _maker(run, name)) for name in columns]
    sites = {site: i for i, site in enumerate(run.place.sites.index)}
    known = [spec.assumed.get(name, name) for name in columns]
    records = frame.to_dict("records")
    marks = [facts.assumed_columns(record.get("illustrative")) for record in records]
    mostly = {i for i, name in enumerate(known) if sum(name in marked for marked in marks) > len(marks) / 2}
    rows = []
    for record, marked in zip(records, marks, strict=True):
        cells = [_cell(name, make, record, sites) for name, make in makers]
        rows.append([_marked(cell, known[i] in marked, i in mostly) for i, cell in enumerate(cells)])
    headings = [(text, _setting([row[i] for row in rows])) for i, text in enumerate(columns.values())]
    return Shown(spec.name, spec.title, spec.intro, headings, rows, whole, spec.name, frozenset(mostly))


def areas(run: Run, trips: Journeys) -> Shown | None:
    """What the map shades, row by row: every small area's worst change, those that lose most first."""
    zones, service = run.place.zones, trips.worst
    moved = np.flatnonzero((trips.farther | trips.nearer).any(axis=1))
    if not len(moved):
        return None
    at = np.arange(len(zones)), service
    before, after, change = trips.before[at], trips.after[at], trips.change[at]
    order = moved[np.lexsort((moved, -np.nan_to_num(change[moved], nan=np.inf)))]
    names = zones["name"].where(zones["name"].astype(str) != "", zones.index.to_series()) if "name" in zones else zones.index
    named: dict[str, Any] = {"Small area": np.asarray(names, dtype=object)}
    if "district" in zones:
        named["District"] = zones["district"].to_numpy(dtype=object)
    labels = [words.clean(facts.service_label(run, each)) for each in trips.services]

    def far(value: float, *, signed: bool = False) -> Cell:
        known = bool(np.isfinite(value))
        return Cell(trips.unit.say(value, signed=signed) if known else "out of reach", float(value) if known else None)

    rows = [
        [
            *(Cell(words.clean(column[i])) for column in named.values()),
            Cell(words.count(trips.people[i]), float(trips.people[i])),
            Cell(labels[service[i]]),
            far(before[i]),
            far(after[i]),
            far(change[i], signed=True),
        ]
        for i in order[:MOST_ROWS]
    ]
    titles = [*named, "People", "Service that changes most", "Today", "In the plan", "Change"]
    headings = [(text, _setting([row[i] for row in rows])) for i, text in enumerate(titles)]
    intro = "What the map shades: each small area with a change, for the service for which it is worst."
    return Shown("areas", "Change by small area", intro, headings, rows, len(order), "zones")


def _setting(cells: list[Cell]) -> str:
    """How wide a column has to be for its words not to be broken."""
    if any(cell.sort is not None for cell in cells):
        return "number"
    longest = max((len(cell.text) for cell in cells), default=0)
    return "wide" if longest > 30 else "middling" if longest > 12 else ""


def _as_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """People within their own limit as a share of those who are under one; blank where no limit applies."""
    if "people" not in frame:
        return frame
    # A run stored before limits were each person's own has no column of who is under one.
    people = pd.to_numeric(frame["under_limit" if "under_limit" in frame else "people"], errors="coerce")
    found = {
        name: pd.to_numeric(frame[name], errors="coerce") / people
        for name in ("within_before", "within_after")
        if name in frame
    }
    return frame.assign(**found)


def _filled(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool((frame[name].notna() & (frame[name].astype(str) != "")).any())


SITE_OF = {"name": "site_id", "from_name": "from_site_id", "to_name": "to_site_id"}
"""A name column = the column that says which building it names."""


ASSUMED, RECORDED = "ᵃ", "ʳ"


def _marked(cell: Cell, assumed: bool, mostly: bool) -> Cell:  # noqa: FBT001
    """A figure's mark: where most of a column is assumed its heading says so, and the exceptions are marked instead."""
    if cell.sort is None or assumed == mostly:
        return cell
    return replace(cell, mark=ASSUMED if assumed else RECORDED)


def _cell(name: str, make: Callable[[Any], Cell], record: Mapping[Any, Any], sites: Mapping[str, int]) -> Cell:
    made = make(record[name])
    site = sites.get(str(record.get(SITE_OF[name], "")), -1) if name in SITE_OF and record.get("shown", True) else -1
    return replace(made, site=site)


def _maker(run: Run, name: str) -> Callable[[Any], Cell]:
    """How a column's values become words: some columns have words of their own, the rest go by the unit in their name."""
    agencies = facts.agency_names(run)
    own: dict[str, Callable[[Any], Cell]] = {
        "services": lambda value: Cell(_services(run, value)),
        "services_before": lambda value: Cell(_services(run, value)),
        "services_after": lambda value: Cell(_services(run, value)),
        "service": lambda value: Cell(words.clean(facts.service_label(run, str(value)))),
        "agency": lambda value: Cell(words.clean(agencies.get(str(value), value))),
        "before": _outcome,
        "after": _outcome,
        "why": lambda value: Cell(words.reason(value)),
        "consultation": lambda value: Cell(words.consultation(value)),
        "consultation_reason": lambda value: Cell(words.rule_sentence(value)),
        "column": lambda value: Cell(figure_words(words.clean(value)).capitalize()),
        "table": lambda value: Cell(TABLES.get(str(value), words.clean(value).replace("_", " ").capitalize())),
        "under_value_flag": lambda value: Cell("Yes" if facts.truth(value) else "No"),
        "group": lambda value: Cell(words.group_words(str(value))),
        "value": lambda value: Cell(words.clean(value).replace("_", " ")),
        "within_before": _number(lambda value: words.share(value, 1.0)),
        "within_after": _number(lambda value: words.share(value, 1.0)),
    }
    if name in own:
        return own[name]
    for suffix, say in UNITS.items():
        if name.endswith(suffix):
            signed = name.startswith(("change", "gain", "farther")) or name == "net_gbp"
            return _number(partial(say, signed=True) if signed else say)
    return _free


TABLES = {"sites": "Buildings", "access_points": "Counters", "zones": "Small areas", "rates": "Rates", "agencies": "Agencies"}


def _services(run: Run, value: Any) -> str:
    return words.clean(", ".join(facts.service_label(run, part.strip()) for part in _parts(value)))


def _outcome(value: Any) -> Cell:
    known = str(value) in words.OUTCOMES
    return Cell(words.OUTCOMES.get(str(value), words.clean(value)), outcome=str(value).replace(" ", "-") if known else "")


def _parts(value: Any) -> list[str]:
    return [part for part in str(value or "").split(";") if part.strip()] if not _is_blank(value) else []


def _is_blank(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _number(say: Callable[[Any], str]) -> Callable[[Any], Cell]:
    def make(value: Any) -> Cell:
        number = pd.to_numeric(value, errors="coerce")
        if _is_blank(value) or pd.isna(number):
            return Cell("" if _is_blank(value) else words.clean(value))
        return Cell(say(number), float(number))

    return make


def _free(value: Any) -> Cell:
    if _is_blank(value):
        return Cell("")
    if isinstance(value, bool):
        return Cell("Yes" if value else "No")
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        number = float(value)
        return Cell(f"{number:,.0f}" if number.is_integer() else f"{number:,.2f}", number)
    return Cell(words.clean(value))


UNITS: Mapping[str, Callable[..., str]] = {
    "_gbp": words.gbp,
    "_gbp_pa": words.gbp,
    "_m2": words.area,
    "_m": words.miles,
    "_s": words.minutes,
}


def _headings(frame: pd.DataFrame) -> dict[str, str]:
    """A heading out of a column's name: no underscores, no units (the cells carry them), no ids where there are names."""
    found = {}
    for name in map(str, frame.columns):
        if name in ("illustrative", "confidential", "shown") or (
            name.endswith("_id") and len(frame.columns) > 1 and _named(frame)
        ):
            continue
        bare = name
        for suffix, said in {"_gbp_pa": " a year", "_gbp": "", "_m2": "", "_m": "", "_s": ""}.items():
            if bare.endswith(suffix):
                bare = bare.removesuffix(suffix) + said
                break
        bare = bare.replace("_", " ").replace("p95", "95% within").replace("npv", "value today").strip()
        found[name] = bare[:1].upper() + bare[1:]
    return found


def _named(frame: pd.DataFrame) -> bool:
    return any(str(column) == "name" or str(column).endswith("_name") for column in frame.columns)
