"""The run of what may be shown: everything worked out again as if the confidential rows were not there.

The rule, in one sentence: **no published byte depends on a confidential row**.  To leave rows out of finished tables is not
enough: a total less the rows that are shown is the one that is not, and the distances of a few zones to a building are its place
on the map.  So the place, the plan and the travel tables are cut down first, and every table and figure is computed from what is
left:

* **money** is of the buildings and counters that are shown, in every table, by agency and in total: there is nothing to subtract;
* **distances**, times, limits and the people they count are to the nearest building *that is shown*;
* a counter that moves between a shown building and one that is not keeps its row, without where the other building is, how far
  it is or what it is called: all such buildings are one, :data:`NOT_SHOWN`, which is nowhere;
* a confidential agency is :data:`NOT_NAMED` and has no id; its buildings and counters stay, unless they are confidential too.

What is published of the whole plan all the same: that it was checked, proven (its status and gap) and which of the shown
buildings it keeps; and which services the rows left out concern, so that a reader knows which
journeys may be shorter than they are told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.appraise import appraise
from estate.formulate.eligible import site_state
from estate.place import Place, Plan, confidential, shown
from estate.problem import Bools, Ints
from estate.scenario import ROOF
from estate.standards.journeys import ALL_PAIRS, among_shown
from estate.standards.measured import Measured
from estate.travel import Pairs, TravelTables
from estate.travel.pairs import make_pairs

if TYPE_CHECKING:
    from estate.runs.run import Run

NOBODY = ""
"""The id of what is not shown: none."""
NOT_SHOWN = "A building not shown"
NOT_NAMED = "An agency not named"
NOT_SAID = "not said"


@dataclass(frozen=True, slots=True, eq=False)
class _Hidden:
    """Which rows are left out, by position: sites (J,) and points (S,); and which points touch either (S,)."""

    sites: Bools
    points: Bools
    touched: Bools


def shown_run(run: Run) -> Run:
    """The run without its confidential rows, every table and figure computed again from the others.

    A run with nothing confidential is returned as it is.  The manifest's ``left_out`` names the services that a row left out
    offers, today or in the plan.
    """
    if not confidential(run.place):
        return run
    hidden = _hidden(run)
    where = _new_positions(hidden.sites)
    place, plan = _place(run, hidden), _plan(run, hidden, where)
    travel = _travel(run, place, where)
    why = site_state(place, run.scenario).why
    # The true reason that one of these stays may be a row left out: none is better than another's.
    unsaid = _unsaid(run, place, hidden, where)
    found = appraise(Measured.of(place, run.scenario, travel), plan, why)
    left_out = sorted({run.place.services[k] for k in run.place.point_service[hidden.touched]})
    tables = dict(found.tables)
    tables["sites"] = _sites(tables["sites"], unsaid)
    tables["moves"] = _moves(tables["moves"])
    tables["agencies"] = tables["agencies"][tables["agencies"]["agency"].isin(_used(place))].reset_index(drop=True)
    tables["standards"] = _standards(tables["standards"], left_out)
    tables["unknowns"] = pd.concat([_unknown(run, left_out), tables["unknowns"]], ignore_index=True)
    summary = {name: value for name, value in found.summary.items() if name != "warnings"}
    manifest = {**run.manifest, **summary, "left_out": left_out}
    return replace(run, place=replace(place, travel=None), plan=plan, travel=travel, manifest=manifest, tables=tables)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Ids and names of confidential rows as plain words, to be looked for in words that people wrote."""

    phrases: frozenset[str]

    def named_in(self, text: str) -> bool:
        """Whether any of them is in a text, as whole words."""
        words = f" {_plainly(text)} "
        return any(f" {phrase} " in words for phrase in self.phrases)


def secrets(run: Run) -> Secrets:
    """What the confidential rows of a run are called; not what a shown row is called too, nor a service, nor a bare number."""
    place, said, known = (
        run.place,
        set[str](),
        {*run.scenario.services, *map(run.scenario.service_label, run.scenario.services)},
    )
    for frame in (place.agencies, place.sites, place.access_points):
        names = [*frame.index.astype(str), *frame["name"].astype(str)]
        for name, each in zip(names, np.tile(shown(frame), 2), strict=True):
            (known if each else said).add(name)
    phrases = {_plainly(each) for each in said} - {_plainly(each) for each in known}
    return Secrets(frozenset(each for each in phrases if len(each) > 5 or re.search(r"[a-z].", each)))


def _plainly(text: str) -> str:
    """The words of a text, one space apart: ``Close-Xyz House`` and ``close xyz house`` are the same."""
    return " ".join(re.findall(r"\w+", text.casefold()))


# -------------------------------------------------------------------------------------------------- the place


def _hidden(run: Run) -> _Hidden:
    place = run.place
    sites = ~shown(place.sites)
    home, host = sites[place.point_site], sites[run.plan.host]
    points = ~shown(place.access_points) | (home & host)
    return _Hidden(sites, points, points | home | host)


def _new_positions(hidden: Bools) -> Ints:
    """(J,) where each site is among those that are shown; those that are not share place 0, before them all."""
    return np.where(hidden, 0, np.cumsum(~hidden)).astype(np.int64)


def _place(run: Run, hidden: _Hidden) -> Place:
    place = run.place
    named = shown(place.agencies)
    unnamed = set(place.agencies.index[~named])
    agencies = pd.concat([_blank(place.agencies, name=NOT_NAMED, kind="private", takes_part=True), place.agencies[named]])
    nowhere = _blank(place.sites, name=NOT_SHOWN, kind="other", status="outside", easting_m=np.nan, northing_m=np.nan)
    sites = pd.concat([nowhere, place.sites[~hidden.sites]])
    points = place.access_points[~hidden.points]
    sites, points = (
        frame.assign(agency=frame["agency"].where(~frame["agency"].isin(unnamed), NOBODY)) for frame in (sites, points)
    )
    away = hidden.sites[place.point_site[~hidden.points]]
    points = points.assign(site_id=points["site_id"].where(~away, NOBODY))
    pair = place.hosting.index
    kept = pair.get_level_values(0).isin(points.index) & pair.get_level_values(1).isin(sites.index)
    return replace(
        place,
        agencies=agencies,
        sites=sites,
        access_points=points,
        hosting=place.hosting[kept],
        issues=(),
        digests={},
        origin={},
    )


def _blank(frame: pd.DataFrame, **cells: Any) -> pd.DataFrame:
    """One row under no id that says nothing, but for the cells given."""
    kinds = frame.dtypes
    row: dict[Any, Any] = {}
    for column in frame.columns:
        kind = kinds[column]
        if pd.api.types.is_bool_dtype(kind):
            row[column] = False
        elif pd.api.types.is_numeric_dtype(kind):
            row[column] = 0
        else:
            row[column] = pd.NaT if pd.api.types.is_datetime64_any_dtype(kind) else ""
    made = pd.DataFrame([{**row, **cells}], index=pd.Index([NOBODY], name=frame.index.name))[list(frame.columns)]
    return made.astype(dict(kinds))


def _plan(run: Run, hidden: _Hidden, where: Ints) -> Plan:
    return Plan(open=np.append(True, run.plan.open[~hidden.sites]), host=where[run.plan.host[~hidden.points]])


def _travel(run: Run, place: Place, where: Ints) -> TravelTables:
    """The pairs between rows that are shown, by their new positions; nothing reaches, or is reached from, place 0."""
    whole = len(run.place.zones) * len(run.place.sites) <= ALL_PAIRS
    home = {
        mode: among_shown(_moved(pairs, where, both=False), place, run.scenario, mode, everything=whole)
        for mode, pairs in run.travel.home.items()
    }
    between = {mode: _moved(pairs, where, both=True) for mode, pairs in run.travel.between.items()}
    return TravelTables(home, between, method=run.travel.method)


def _moved(pairs: Pairs, where: Ints, *, both: bool) -> Pairs:
    kept = pairs.take((where[pairs.to] > 0) & ((where[pairs.from_] > 0) if both else True))
    from_ = where[kept.from_] if both else kept.from_
    return make_pairs(from_, where[kept.to], kept.distance_m, kept.time_s)


def _unsaid(run: Run, place: Place, hidden: _Hidden, where: Ints) -> Bools:
    """(J,) shown sites that hold, today or in the plan, a counter left out; and those of an agency that is not named."""
    result = (place.sites["agency"] == NOBODY).to_numpy(dtype=bool, copy=True)
    for at in (run.place.point_site, run.plan.host):
        result[where[at[hidden.points]]] = True
    return result


# -------------------------------------------------------------------------------------------------- the tables


def _used(place: Place) -> list[str]:
    """The agencies to list: all but the nameless one, unless a shown row of its is there."""
    real = place.sites.index != NOBODY
    there = (place.sites["agency"][real] == NOBODY).any() or (place.access_points["agency"] == NOBODY).any()
    return [each for each in place.agencies.index if each != NOBODY or there]


def _sites(table: pd.DataFrame, unsaid: Bools) -> pd.DataFrame:
    table = table.assign(why=table["why"].where(~unsaid, ""))
    return table[table["site_id"] != NOBODY].reset_index(drop=True)


def _moves(table: pd.DataFrame) -> pd.DataFrame:
    """No distance, no verdict and no word of a merge where an end is not shown."""
    open_ended = ((table["from_site_id"] == NOBODY) | (table["to_site_id"] == NOBODY)).to_numpy()
    blank = {name: table[name].where(~open_ended, "") for name in ("kind", "consultation", "consultation_reason")}
    far = {name: table[name].mask(open_ended) for name in ("distance_m", "time_s")}
    return table.assign(**blank, **far)


def _standards(table: pd.DataFrame, left_out: list[str]) -> pd.DataFrame:
    """Whether a rule is met, or kept, is not said where a row left out serves some of its people.

    The whole plan's answer is no substitute: it says on which side of a limit the building stands that is not shown.
    """
    here = table["service"].map(lambda service: not set(left_out).isdisjoint(str(service).split(ROOF))).astype(bool)
    met = {name: table[name].mask(here, NOT_SAID) for name in ("before", "after", "kept")}
    detail = {name: table[name].mask(here, "") for name in ("detail_before", "detail_after")}
    people = {name: table[name].mask(here) for name in ("beyond_before", "newly_beyond")}
    return table.assign(**met, **detail, **people)


def _unknown(run: Run, left_out: list[str]) -> pd.DataFrame:
    """The first thing that the public figures do not know."""
    labels = ", ".join(run.scenario.service_label(each) for each in left_out)
    journeys = f"; some offer {labels}, so that some journeys to these are shorter than is said here" if labels else ""
    return pd.DataFrame(
        [
            {
                "topic": "what is not shown",
                "not_known": f"buildings, counters or agencies that are confidential are left out of every figure{journeys}",
                "why_it_matters": "sums of money are of what is shown, and journeys are to the nearest building that is shown",
                "what_would_help": "the figures of the whole plan, which its owners have",
            }
        ]
    )
