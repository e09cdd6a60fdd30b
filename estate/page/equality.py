"""Who goes farther, by place, by group and by deprivation: to any service, and for each; one threshold throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.appraise.access import label_columns
from estate.page import facts, geography, words
from estate.page.charts import WIDTH, Chart, short, span
from estate.page.facts import Bools, Journeys

if TYPE_CHECKING:
    from estate.runs.run import Run

MOST_LABELS = 16
"""A column of more values than this is too fine to be read as groups; districts and wards are shown whole."""
PLACES = ("district", "ward")
DECILES = ("imd_decile", "imd_decile_2015", "imd15_decile", "imd19_decile")
CODES = (*DECILES, "ruc11", "ruc11cd", "ruc21", "ruc21cd")
"""Columns of codes: their plain words are in columns of their own, or said as the most deprived fifth."""
FIFTH = 0.2
NEAR_M = 10_000.0
"""A town is what people call the land around it up to here."""


@dataclass(frozen=True, slots=True)
class Group:
    """People of a place or a group: how many go farther to any service, and the service for which most of them do.

    ``whole`` says that ``people`` is everybody of a place with a name of its own, of which a share can be told.
    """

    name: str
    people: float
    farther: float
    worst: str
    worst_people: float
    extra: str
    """How much farther those go for that service, on average."""
    by_service: tuple[float, ...]
    whole: bool = True


def group(trips: Journeys, name: str, chosen: Bools, *, whole: bool = True) -> Group:
    """The figures of the people of the chosen zones."""
    people = trips.people * chosen
    farther = trips.farther
    counts = (farther * people[:, None]).sum(axis=0)
    k = int(counts.argmax()) if counts.any() else -1
    extra = ""
    if k >= 0:
        more = facts.mean(np.where(farther[:, k], trips.change[:, k], np.nan), people)
        extra = f"{trips.unit.say(more)} farther on average" if more is not None else "who can no longer reach one"
    return Group(
        name,
        float(people.sum()),
        float(people[farther.any(axis=1)].sum()),
        trips.services[k] if k >= 0 else "",
        float(counts[k]) if k >= 0 else 0.0,
        extra,
        tuple(float(each) for each in counts),
        whole,
    )


def by_place(run: Run, trips: Journeys) -> list[Group]:
    """By district; where there is but one, by the town that people live nearest to; where there is none, by the building lost."""
    zones = run.place.zones
    if "district" in zones and len(_values(zones["district"])) > 1:
        return [_of(trips, zones["district"], value) for value in _values(zones["district"])]
    towns = geography.named_towns(run.place)
    if len(towns) > 1:
        where = zones[["easting_m", "northing_m"]].to_numpy(float)
        away = np.hypot(*(where[:, None, :] - np.array([at for _, at in towns])[None, :, :]).transpose(2, 0, 1))
        label = np.where(away.min(axis=1) <= NEAR_M, away.argmin(axis=1), -1)
        found = [group(trips, name, label == i) for i, (name, _) in enumerate(towns)]
        return [*found, group(trips, "the country away from the towns", label < 0)]
    return _by_loss(run, trips)


def _by_loss(run: Run, trips: Journeys) -> list[Group]:
    """By the building that was the nearest with a service and is so no longer."""
    frame = facts.table(run, "sites", ("site_id", "name"))
    names = frame.assign(site_id=frame["site_id"].astype(str)).set_index("site_id")["name"].reindex(run.place.sites.index)
    lost = np.where(trips.farther, trips.site_before, -1)
    return [
        group(trips, words.plain(names.iloc[site]), (lost == site).any(axis=1), whole=False)
        for site in np.unique(lost[lost >= 0]).tolist()
        if words.plain(names.iloc[site])
    ]


def _of(trips: Journeys, column: pd.Series, value: str) -> Group:
    return group(
        trips, words.RUC_2011.get(value) or words.plain(value), (column.map(words.clean) == value).to_numpy(dtype=bool)
    )


def _values(column: pd.Series) -> list[str]:
    found = sorted({words.clean(each) for each in column} - {""})
    return sorted(found, key=lambda text: (float(text), "") if text.replace(".", "", 1).isdigit() else (np.inf, text))


def groups(run: Run, trips: Journeys) -> list[tuple[str, list[Group]]]:
    """Every group the zones tell apart, under headings: everyone, deprivation, place by place, and each other label."""
    zones = run.place.zones
    found: list[tuple[str, list[Group]]] = []
    everyone = np.ones(len(zones), dtype=bool)
    found.append(("Everyone", [group(trips, "Everyone", everyone)]))
    if (fifth := most_deprived(run)) is not None:
        name, poor = fifth
        found.append(("Deprivation", [group(trips, name, poor), group(trips, "Everybody else", ~poor)]))
    labels = [*(each for each in PLACES if each in zones), *(each for each in label_columns(run.place) if each not in PLACES)]
    told: list[NDArray[np.int64]] = []
    for column in labels:
        values = _values(zones[column])
        if len(values) > 1 and (column in PLACES or len(values) <= MOST_LABELS) and column not in CODES:
            parts = pd.factorize(zones[column].astype(str))[0]
            if any((parts == other).all() for other in told):
                continue  # the codes of a column that is told already
            told.append(parts)
            heading = words.group_words(column)
            found.append((heading, [_of(trips, zones[column], value) for value in values]))
    return found


def most_deprived(run: Run) -> tuple[str, Bools] | None:
    """The people of the most deprived fifth: of the nation's areas where deciles are known, else of the people here by rank."""
    zones = run.place.zones
    column = next((name for name in DECILES if name in zones), None)
    if column is not None:
        decile = pd.to_numeric(zones[column], errors="coerce").to_numpy(float)
        poor = decile <= 2
        return ("Most deprived fifth of areas in England", poor) if poor.any() and not poor.all() else None
    if "imd_rank" not in zones:
        return None
    rank = pd.to_numeric(zones["imd_rank"], errors="coerce").to_numpy(float)
    people = zones["population"].to_numpy(float)
    order = np.argsort(np.where(np.isnan(rank), np.inf, rank), kind="stable")
    poor = np.zeros(len(zones), dtype=bool)
    poor[order[np.cumsum(people[order]) <= FIFTH * people.sum()]] = True
    return ("Most deprived fifth of people here", poor) if poor.any() and np.isfinite(rank).all() else None


def matrix(run: Run, trips: Journeys) -> tuple[list[str], list[list[str]]]:
    """The groups as a table: people, who go farther to any service, and the share of the group for each service."""
    services = [k for k in range(len(trips.services)) if trips.farther[:, k].any()]
    labels = [words.plain(facts.service_label(run, trips.services[k])) for k in services]
    headings = ["Group", "People", "Go farther, to any service", "Share", *labels]
    rows = []
    for heading, found in groups(run, trips):
        for each in found:
            name = each.name if heading in ("Everyone", "Deprivation") else f"{heading}: {each.name}"
            shares = [words.share(each.by_service[k], each.people) for k in services]
            farther = words.share(each.farther, each.people)
            rows.append([name, words.count(each.people), words.count(each.farther), farther, *shares])
    return headings, rows


def deprivation(run: Run, trips: Journeys) -> Chart | None:
    """For each service, the share of the most deprived fifth who go farther beside the share of everybody else."""
    fifth = most_deprived(run)
    if fifth is None or not trips.farther.any():
        return None
    poor, rest = group(trips, fifth[0], fifth[1]), group(trips, "Everybody else", ~fifth[1])
    shown = [k for k in range(len(trips.services)) if poor.by_service[k] or rest.by_service[k]]
    labels = ["Any service", *(words.plain(facts.service_label(run, trips.services[k])) for k in shown)]
    parts = [
        (poor.farther / poor.people, rest.farther / rest.people),
        *((poor.by_service[k] / poor.people, rest.by_service[k] / rest.people) for k in shown),
    ]
    worst = max(range(1, len(parts)), key=lambda i: parts[i][0] - parts[i][1])
    a, b = parts[worst]
    verdict = "a larger" if a > b else "a smaller" if a < b else "the same"
    summary = (
        f"{words.share(*_whole(parts[0][0]))} of the most deprived fifth go farther to some service, against"
        f" {words.share(*_whole(parts[0][1]))} of everybody else. {verdict.capitalize()} share of them does where it differs"
        f" most, for a {labels[worst]}: {words.share(*_whole(a))} against {words.share(*_whole(b))}."
    )
    rows = [(label, words.share(*_whole(x)), words.share(*_whole(y))) for label, (x, y) in zip(labels, parts, strict=True)]
    chart = Chart(
        "Deprivation: who goes farther", summary, 16 + 44 * len(labels), ("Service", fifth[0], "Everybody else"), rows
    )
    scale = span([each for pair in parts for each in pair], WIDTH - 60, 0.01)
    for i, (label, (x, y)) in enumerate(zip(labels, parts, strict=True)):
        top = 14 + 44 * i
        chart.label(0, top, "start", short(label, 40))
        for offset, value, kind in ((5, x, "farther"), (16, y, "today")):
            chart.bar(0, top + offset, max(value * scale, 0.5), 9, kind)
            chart.label(value * scale + 6, top + offset + 8, "start small", words.share(*_whole(value)))
    return chart


def _whole(share: float) -> tuple[float, float]:
    return share, 1.0
