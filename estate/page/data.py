"""What the page's scripts know: the run as compact JSON, one list per column, ids and names as plain text.

Sites, areas and services are referred to by position.  Distances are whole metres and times whole seconds, as in the tables, so
that the map's classes count the very people that the figures do; null when out of reach.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.page import facts, words
from estate.page.decision import numbers
from estate.page.facts import Floats, Journeys, Point
from estate.page.geography import Areas, insets, towns
from estate.page.map import Drawing

if TYPE_CHECKING:
    from estate.runs.run import Run

SITE_TEXT = ("name", "agency_name", "kind", "tenure", "district", "before", "after", "why")
SITE_NUMBERS = {
    "area_used_before_m2": "usedBefore",
    "area_used_after_m2": "usedAfter",
    "capacity_m2": "capacity",
    "running_cost_before_gbp_pa": "costBefore",
    "running_cost_after_gbp_pa": "costAfter",
    "net_receipt_gbp": "receipt",
}
NAMED = ("district", "ward", "parish", "postcode_district")
"""Columns of zones by which people look for where they live."""
ANY = "any"
"""The view of whatever service changes worst."""


def page_data(run: Run, drawing: Drawing, areas: Areas, trips: Journeys, points: list[Point]) -> dict[str, Any]:
    """Everything the scripts need to shade, label, search and explain the map."""
    return {
        "map": drawing.name,
        "layers": drawing.layers,
        "bounds": drawing.bounds,
        "view": "change" if any(point.home != point.host for point in points) else "plan",
        "service": ANY if len(trips.services) > 1 else next(iter(trips.services), ""),
        "numbers": numbers(run),
        "services": _services(run, trips),
        "outcomes": words.OUTCOMES,
        "sites": _sites(run),
        "points": _points(run, trips, points),
        "zones": _zones(run, areas, trips),
        "towns": towns(run.place),
        "insets": insets(run.place, numbers(run), [(each.home, each.host) for each in points if each.home != each.host]),
        "square": areas.square_m,
        "unit": _unit(run, trips),
    }


def _unit(run: Run, trips: Journeys) -> dict[str, Any]:
    """How journeys are told and shaded: where the classes end, in metres or seconds, and what each is called."""
    unit, ends = trips.unit, fitted(trips)
    return {
        "name": unit.name,
        "same": trips.same,
        "bands": [end * unit.size for end in unit.bands],
        "bandWords": words.classes(unit, unit.bands),
        "changes": [end * unit.size for end in ends],
        "changeWords": words.classes(unit, ends),
    } | ({"pace": pace} if unit is words.MILES and (pace := _pace(run)) else {})


def _pace(run: Run) -> float:
    """Seconds for a metre, where one pace holds for every journey as it does on straight lines; else 0."""
    zones = facts.table(run, "zones", ("distance_before_m", "time_before_s"))
    metres, seconds = (
        pd.to_numeric(zones[name], errors="coerce").to_numpy(float) for name in ("distance_before_m", "time_before_s")
    )
    known = np.isfinite(metres) & np.isfinite(seconds) & (metres > 0)
    if not known.any():
        return 0.0
    pace = float(seconds[known].sum() / metres[known].sum())
    return round(pace, 5) if bool((np.abs(seconds[known] - pace * metres[known]) <= 1.5).all()) else 0.0


STEPS = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 50)
"""Where a class of change may end, in miles; in minutes four times as many."""
INNER = (0.35, 0.65, 0.9)
"""Shares of the people whose journeys change that the inner ends of the classes should stand at."""
WIDEST = 5
"""How many times its lower end the upper end of the widest class may be, before the middle end is moved."""


def fitted(trips: Journeys) -> list[float]:
    """Up to three ends of classes, in the page's unit, fitted to the changes there are: the worst that each zone meets."""
    steps = np.array(STEPS) * (1 if trips.unit is words.MILES else 4)
    change = np.abs(trips.change[np.arange(len(trips.people)), trips.worst]) if trips.services else np.zeros(0)
    known = np.isfinite(change) & (change > trips.same)
    if not known.any():
        return [float(each) for each in steps[[1, 3, 5]]]
    order = np.argsort(change[known], kind="stable")
    value, people = change[known][order] / trips.unit.size, np.cumsum(trips.people[known][order])
    at = [int(np.searchsorted(people, share * people[-1])) for share in INNER]
    low, middle, high = (float(steps[np.abs(steps - value[i]).argmin()]) for i in at)
    if high > WIDEST * middle:
        # Most go a little farther and a few go far: a class from one to the other would tell nobody anything.
        middle = float(steps[np.abs(np.log(steps / np.sqrt(low * high))).argmin()])
    return sorted({low, middle, high})


def _services(run: Run, trips: Journeys) -> list[dict[str, str]]:
    limits = facts.limits(run)
    return [
        {"id": service, "label": words.plain(facts.service_label(run, service)), "limit": limits.get(service, "")}
        for service in trips.services
    ]


def coded(values: pd.Series) -> dict[str, list[Any]]:
    """A column of repeated words as a list of words and a position in it for each row."""
    text = values.map(words.clean)
    found = sorted(set(text))
    place = {word: i for i, word in enumerate(found)}
    return {"words": found, "at": [place[word] for word in text]}


def _sites(run: Run) -> dict[str, Any]:
    """One entry per site of the place, in its order; a site that may not be shown has no name and no outcome."""
    frame = facts.table(run, "sites", ("site_id", *SITE_TEXT, *SITE_NUMBERS, "illustrative"))
    frame = frame.assign(site_id=frame["site_id"].astype(str)).set_index("site_id").reindex(run.place.sites.index)
    names = [words.clean(each) for each in frame["name"]]
    ids = [words.clean(each) if name else "" for each, name in zip(frame.index, names, strict=True)]
    result: dict[str, Any] = {"id": ids, "name": names}
    frame["why"] = frame["why"].map(words.reason)
    result |= {column: coded(frame[column]) for column in SITE_TEXT[1:]}
    for column, short in SITE_NUMBERS.items():
        numbers = pd.to_numeric(frame[column], errors="coerce")
        if numbers.notna().any():
            result[short] = whole(numbers.to_numpy(float))
    result["assumed"] = coded(
        frame["illustrative"].map(lambda text: ";".join(sorted(facts.assumed_columns(words.clean(text)))))
    )
    return result


def _points(run: Run, trips: Journeys, points: list[Point]) -> dict[str, list[Any]]:
    names = facts.agency_names(run)
    agencies = sorted({point.agency for point in points})
    place = {agency: i for i, agency in enumerate(agencies)}
    service = {name: i for i, name in enumerate(trips.services)}
    labels = {point.service: words.plain(facts.service_label(run, point.service)) for point in points}
    return {
        "agencies": [words.clean(names.get(agency, agency)) for agency in agencies],
        "name": [words.clean(point.name) or labels[point.service] for point in points],
        "service": [service.get(point.service, -1) for point in points],
        "label": [labels[point.service] if point.service not in service else 0 for point in points],
        "agency": [place[point.agency] for point in points],
        "home": [point.home for point in points],
        "host": [point.host for point in points],
        "consult": [point.consultation for point in points],
        "merge": [int(point.merges) for point in points],
    }


def _zones(run: Run, areas: Areas, trips: Journeys) -> dict[str, Any]:
    """One entry per area on the map; where areas hold several zones their journeys are averaged over the people in them."""
    count = len(areas.shapes)
    held = np.bincount(areas.member, minlength=count)
    people = np.bincount(areas.member, weights=trips.people, minlength=count)
    first = np.full(count, -1, dtype=np.int64)
    first[areas.member[::-1]] = np.arange(len(areas.member))[::-1]
    single = not areas.square_m
    result: dict[str, Any] = {"people": whole(people)}
    result["held"] = held.tolist()
    frame = run.place.zones.iloc[first]
    if single:
        named = (
            frame["name"].where(frame["name"].astype(str) != "", frame.index.to_series()) if "name" in frame else frame.index
        )
        result["name"] = [words.clean(name) for name in named]
        result |= {column: coded(frame[column]) for column in NAMED if column in frame}
    before, after = grouped(trips.before, areas, trips.people), grouped(trips.after, areas, trips.people)
    for k, service in enumerate(trips.services):
        journey: dict[str, Any] = _journey(before[:, k], after[:, k])
        if single:
            journey |= {
                "siteBefore": trips.site_before[first, k].tolist(),
                "siteAfter": trips.site_after[first, k].tolist(),
                "within": _within(trips.within_after[first, k]),
            }
        result[service] = journey
    if len(trips.services) > 1:
        result[ANY] = {"of": replace(trips, before=before, after=after).worst.tolist()}
    return result


def grouped(distance_m: Floats, areas: Areas, people: Floats) -> Floats:
    """(areas, K) mean journeys of the zones in each area, weighted by people; NaN if any of them is out of reach."""
    count = len(areas.shapes)
    if count == len(areas.member):
        result = np.empty_like(distance_m)
        result[areas.member] = distance_m
        return result
    weight = np.maximum(people, 1e-9)
    total = np.bincount(areas.member, weights=weight, minlength=count)
    columns = [np.bincount(areas.member, weights=weight * column, minlength=count) / total for column in distance_m.T]
    return np.stack(columns, axis=1) if columns else np.empty((count, 0))


def _journey(before: Floats, after: Floats) -> dict[str, Any]:
    """Journeys before, and the change to them."""
    return {"before": whole(before), **spread(before, after)}


def spread(before: Floats, after: Floats) -> dict[str, Any]:
    """The journeys that change: mostly none, so they are listed by position."""
    change = np.where(np.isfinite(after), np.round(after), -1.0)
    same = np.isclose(before, after, rtol=0.0, atol=0.5, equal_nan=True)
    return {
        "at": np.flatnonzero(~same).tolist(),
        "after": [None if value < 0 else int(value) for value in change[~same]],
    }


def _within(flags: Floats) -> list[int]:
    """1 within the limit, 0 beyond it, -1 where there is none."""
    return [int(each) for each in np.where(np.isnan(flags), -1, flags)]


def whole(values: Floats) -> list[int | None]:
    """Whole numbers, null for NaN."""
    return [
        int(value) if known else None for value, known in zip(np.round(np.nan_to_num(values)), np.isfinite(values), strict=True)
    ]
