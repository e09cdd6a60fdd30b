"""Two plans side by side: linked maps, and the differences in buildings, people and pounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from estate.page import assets, charts, data, facts, geography, words
from estate.page import map as atlas
from estate.page import public as publishing
from estate.page.facts import Journeys, Point
from estate.runs import corrections, effects, files

if TYPE_CHECKING:
    from estate.runs.run import Run

LONGEST_EFFECT = 2_000
"""Characters of what one of them did, which may name several buildings and counters."""
MOST_CELLS = 500
"""Cells that differ, listed on a page: more are another place, not corrections."""


def render_comparison(a: Run, b: Run, *, public: bool = False) -> str:
    """Two runs on one page, as the text of one HTML file.

    With ``public`` both are redacted, sums of money whose difference would give away a building are left out too, and so are
    the rows of the tables that the plans were made from.
    """
    why = {"settings": [], "cells": [], "more": 0} if public else _why(a, b)
    if public:
        apart = len(_sold(a) ^ _sold(b))
        a, b = publishing.redacted(a), publishing.redacted(b)
        if 0 < apart < publishing.FEWEST:
            a, b = publishing.without_receipts(a), publishing.without_receipts(b)
    runs = (a, b)
    trips = tuple(facts.journeys(run) for run in runs)
    points = tuple(facts.points(run) for run in runs)
    areas = tuple(geography.areas(run.place) for run in runs)
    drawings = [
        atlas.draw(run, area, found, number=n + 1) for n, (run, area, found) in enumerate(zip(runs, areas, points, strict=True))
    ]
    known = [
        # Numbers belong to the list of one plan: two plans side by side have none.
        data.page_data(run, drawing, area, trip, found) | {"numbers": {}, "insets": []}
        for run, drawing, area, trip, found in zip(runs, drawings, areas, trips, points, strict=True)
    ]
    differ = _outcome_differences(a, b)
    for each, run in zip(known, runs, strict=True):
        where = run.place.sites.index.get_indexer(pd.Index([row["site_id"] for row in differ], dtype=object))
        each["differ"] = sorted(int(i) for i in where if i >= 0)
    place, labels = _labels(a, b)
    context = {
        "title": ": ".join(
            [*([words.plain(place)] if place else []), " and ".join(map(words.plain, labels)), "two plans side by side"]
        ),
        "place": place,
        "kind": "compare",
        "public": public,
        "missing": publishing.notice(a) or publishing.notice(b),
        "labels": labels,
        "names": [words.clean(run.manifest.get("name") or run.scenario.name) for run in runs],
        "descriptions": [words.clean(run.scenario.description) for run in runs],
        "proofs": [words.proof(run.manifest, run.scenario.money.objective) for run in runs],
        "figures": _figures(runs, trips),
        "drawings": [Markup(drawing.html) for drawing in drawings],  # noqa: S704 - folium's empty elements
        "services": _shared_services(known),
        "outcomes": [
            {"id": name.replace(" ", "-"), "label": label, "note": words.OUTCOME_NOTES[name]}
            for name, label in words.OUTCOMES.items()
        ],
        "sites": differ,
        "why": why,
        "points": _point_differences(a, b, points),
        "people": _people(a, b, trips),
        "agencies": _agencies(a, b),
        "attribution": [*dict.fromkeys([*a.scenario.page.attribution, *b.scenario.page.attribution])],
        "notice": assets.LEAFLET_NOTICE,
        "licence": assets.leaflet_licence(),
        "data": {"sides": known},
    }
    scripts = ("core.js", "marks.js"), ("map.js", "keyboard.js", "legend.js", "panel.js", "compare.js")
    return assets.write(
        "compare.html.j2",
        context,
        styles=[
            assets.leaflet("leaflet.css"),
            *(assets.static(name) for name in ("page.css", "map.css", "compare.css", "print.css")),
        ],
        scripts=[
            assets.leaflet("leaflet.js"),
            *(assets.static(name) for name in scripts[0]),
            *(drawing.script for drawing in drawings),
            *(assets.static(name) for name in scripts[1]),
        ],
        tiles=a.scenario.page.tiles or b.scenario.page.tiles,
    )


def _labels(a: Run, b: Run) -> tuple[str, tuple[str, str]]:
    """The title that both have, if one, and what each plan is called; runs of one name are told apart by when they were made."""
    first, second = files.labels(a, b)
    title = a.scenario.label
    both = [each.removeprefix(f"{title}, ") for each in (first, second)]
    if title == b.scenario.label and both[0] != first and both[1] != second:
        return words.clean(title), (words.clean(_begun(both[0])), words.clean(_begun(both[1])))
    return "", (words.clean(first), words.clean(second))


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def _why(a: Run, b: Run) -> dict[str, Any]:
    """The settings and the cells of the tables that differ, each cell with what it did to plan A by itself."""
    cells = effects.with_effects(a, b, corrections.corrections(a.place, b.place))
    return {
        "settings": [{"words": words.clean(each)} for each in corrections.settings_changed(a, b)],
        "cells": [
            {
                "table": each.table.replace("_", " "),
                "name": words.clean(each.name),
                "words": words.clean(each.words),
                "effect": words.clean(each.effect, LONGEST_EFFECT),
            }
            for each in cells[:MOST_CELLS]
        ],
        "more": max(len(cells) - MOST_CELLS, 0),
    }


def _sold(run: Run) -> set[str]:
    frame = facts.table(run, "capital_receipts", ("site_id", "net_receipt_gbp"))
    return set(frame.loc[pd.to_numeric(frame["net_receipt_gbp"], errors="coerce").fillna(0) != 0, "site_id"].astype(str))


def _figures(runs: tuple[Run, Run], trips: tuple[Journeys, ...]) -> list[dict[str, str]]:
    """A line per figure: what, in one plan, in the other, and the difference (second less first)."""
    rows: list[dict[str, str]] = []

    def add(label: str, values: Iterable[float | None], say: Any) -> None:
        first, second = values
        if first is not None and second is not None:
            rows.append(
                {
                    "label": label,
                    "a": say(first),
                    "b": say(second),
                    "change": say(second - first, signed=True) if round(second - first) else "same",
                }
            )

    add("Running cost a year", [facts.after_cost(run) for run in runs], words.gbp)
    for label, key, say in (
        ("Buildings in use", "sites_after", words.count),
        ("Shared hubs", "hubs_after", words.count),
        ("Counters that move", "moves", words.count),
        ("Net receipts, once", "receipts_gbp", words.gbp),
        ("One-off costs", "one_off_gbp", words.gbp),
    ):
        add(label, [facts.number(run.manifest, key) for run in runs], say)
    who = [facts.people(trip) for trip in trips]
    if all(each.limited for each in who):
        add("People within every limit", [each.within_after for each in who], words.count)
    add("People farther than today from a service", [each.farther for each in who], words.count)
    return rows


def _shared_services(known: list[dict[str, Any]]) -> list[dict[str, str]]:
    both = {item["id"] for item in known[0]["services"]} & {item["id"] for item in known[1]["services"]}
    every = (
        [{"id": data.ANY, "label": "Any service: the worst change"}] if all(data.ANY in each["zones"] for each in known) else []
    )
    return [*every, *(item for item in known[0]["services"] if item["id"] in both)]


def _outcome_differences(a: Run, b: Run) -> list[dict[str, Any]]:
    columns = ("site_id", "name", "after", "running_cost_after_gbp_pa")
    frames = [
        facts.table(run, "sites", columns).assign(site_id=lambda f: f["site_id"].astype(str)).set_index("site_id")
        for run in (a, b)
    ]
    ids = sorted(set(frames[0].index) | set(frames[1].index))
    rows = []
    for site in ids:
        first, second = (frame.loc[site] if site in frame.index else None for frame in frames)
        outcomes = [None if row is None else str(row["after"]) for row in (first, second)]
        if outcomes[0] == outcomes[1]:
            continue
        known = first if first is not None else second
        rows.append(
            {
                "site_id": site,
                "name": words.clean(known["name"] if known is not None else site),
                "outcomes": [(name or "").replace(" ", "-") for name in outcomes],
                "said": ["not there" if name is None else words.OUTCOMES.get(name, name) for name in outcomes],
            }
        )
    return rows


def _point_differences(a: Run, b: Run, points: tuple[list[Point], ...]) -> list[dict[str, str]]:
    """Counters that the two plans put in different buildings."""
    names = []
    for run in (a, b):
        frame = facts.table(run, "sites", ("site_id", "name"))
        by_id = dict(zip(frame["site_id"].astype(str), frame["name"], strict=True))
        names.append([words.clean(by_id.get(str(site), publishing.NOT_SHOWN)) for site in run.place.sites.index])
    there = {point.point_id: point for point in points[1]}
    rows = []
    for point in points[0]:
        other = there.get(point.point_id)
        if other is None or a.place.sites.index[point.host] == b.place.sites.index[other.host]:
            continue
        rows.append(
            {
                "service": words.clean(facts.service_label(a, point.service)),
                "name": words.clean(point.name),
                "today": names[0][point.home],
                "a": names[0][point.host],
                "b": names[1][other.host],
            }
        )
    return rows


def _people(a: Run, b: Run, trips: tuple[Journeys, ...]) -> charts.Chart | None:
    """Who would live nearer, and who farther, in the second plan than in the first; None where the zones are not the same."""
    first, second = trips
    if not a.place.zones.index.equals(b.place.zones.index) or first.unit != second.unit:
        return None
    common = [service for service in first.services if service in second.services]
    i, j = ([trip.services.index(service) for service in common] for trip in trips)
    between = Journeys(
        services=tuple(common),
        people=second.people,
        before=first.after[:, i],
        after=second.after[:, j],
        within_before=first.within_after[:, i],
        within_after=second.within_after[:, j],
        site_before=np.zeros((len(second.people), len(common)), dtype=np.int64),
        site_after=np.zeros((len(second.people), len(common)), dtype=np.int64),
        unit=second.unit,
    )
    return charts.winners(b, between)


def _agencies(a: Run, b: Run) -> list[dict[str, str]]:
    frames = [
        facts.table(run, "agencies", ("agency", "name", "cost_after_gbp_pa")).drop_duplicates("agency").set_index("agency")
        for run in (a, b)
    ]
    rows = []
    for agency in sorted(set(frames[0].index) & set(frames[1].index), key=str):
        costs = [pd.to_numeric(frame.loc[agency, "cost_after_gbp_pa"], errors="coerce") for frame in frames]
        if any(pd.isna(cost) for cost in costs) or round(costs[0]) == round(costs[1]):
            continue
        change = words.gbp(costs[1] - costs[0], signed=True)
        rows.append(
            {
                "name": words.clean(frames[0].loc[agency, "name"]),
                "a": words.gbp(costs[0]),
                "b": words.gbp(costs[1]),
                "change": change,
            }
        )
    return rows
