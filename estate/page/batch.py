"""The morning page: what a night of what-ifs found, in the order in which a team asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from estate.page import assets, geography, words
from estate.page.charts import WIDTH, Chart
from estate.page.sketch import sketch

SHADES = 5
"""Steps of colour on the map of how often a building is kept."""

MOST_ROWS = 300
"""Rows of a table on the page; the CSV beside it has them all."""

CLOSE_CALL_GBP_PA = 5_000
"""A building whose other outcome costs less than this a year is called a close call."""


@dataclass(frozen=True, eq=False)
class Morning:
    """What the page shows; ``tables`` are those of :mod:`estate.whatif.morning`, money in GBP (a year), distances in metres."""

    title: str
    base_title: str
    finished: str
    every_hours: float
    seconds: float
    answered: int
    scenarios: int
    distinct: int
    statuses: Mapping[str, int]
    base: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    changed: Mapping[str, Any]
    audit: Sequence[Mapping[str, Any]]
    sites: pd.DataFrame
    context: gpd.GeoDataFrame | None
    labels: Mapping[str, str]
    attribution: Sequence[str]


def render_batch(night: Morning) -> str:
    """The night as one HTML file."""
    tables = night.tables
    context = {
        "title": f"{words.plain(night.title)}: what could change, and what it would cost",
        "kind": "batch",
        "public": False,
        "name": words.clean(night.title),
        "base": words.clean(night.base_title),
        "finished": night.finished,
        "finished_words": _date(night.finished),
        "every_hours": night.every_hours,
        "minutes": f"{night.seconds / 60:.1f}",
        "answered": night.answered,
        "scenarios": night.scenarios,
        "distinct": night.distinct,
        "failed": night.statuses.get("failed", 0),
        "infeasible": night.statuses.get("infeasible", 0),
        "optimal": night.statuses.get("optimal", 0),
        "lines": _lines(night),
        "figures": _figures(night),
        "changed": _changed(night),
        "audit": [dict(each) for each in night.audit],
        "audit_ok": all(each["agrees"] for each in night.audit),
        "frontier": _frontier(night),
        "tornado": _tornado(night),
        "map": _map(night),
        "shown": {name: table(name, tables[name]) for name in TITLES if len(tables.get(name, ()))},
        "attribution": [words.clean(line) for line in night.attribution],
    }
    return assets.write(
        "batch.html.j2",
        context,
        styles=[assets.static("page.css"), assets.static("sketch.css"), assets.static("batch.css")],
        scripts=[assets.static("core.js"), assets.static("tables.js"), assets.static("batch.js")],
    )


def _date(text: str) -> str:
    when = dt.datetime.fromisoformat(text)
    return f"{when:%A} {when.day} {when:%B %Y, %H:%M} UTC"


# -------------------------------------------------------------------------------------------------- in words


def _lines(night: Morning) -> list[str]:
    """The two minutes: one sentence for each question."""
    tables, said = night.tables, []
    prices = tables["prices"]
    margin = prices["margin_gbp_pa"].astype(float)
    close = prices[margin < CLOSE_CALL_GBP_PA]
    if len(prices):
        names = words.listed([words.clean(name) for name in close["name"].head(4)])
        rest = f": {names}{' and others' if len(close) > 4 else ''}" if len(close) else _closest(prices)
        could = f"{words.plural(len(prices), 'building')} that could be kept or closed"
        cost = words.gbp(CLOSE_CALL_GBP_PA)
        said.append(
            f"{words.count(len(close))} of the {could} are close calls: the other way would cost under {cost} a year{rest}."
            if len(close)
            else f"None of the {could} is a close call: any of them the other way would cost {cost} a year or more{rest}."
        )
    if len(tables["tornado"]):
        first = tables["tornado"].iloc[0]
        name = _lever(night, str(first["assumption"]))
        low, high = sorted([first["saving_at_low_gbp_pa"], first["saving_at_high_gbp_pa"]])
        said.append(
            f"What matters most is {name}: over its range the saving goes from {words.gbp(low)} to {words.gbp(high)} a year."
        )
    regret = tables["regret"].dropna(subset=["max_regret_gbp_pa"])
    if len(regret):
        best, ours = regret.iloc[0], regret[regret["is_base"].astype(bool)]
        n = words.plural(best["scenarios"], "scenario")
        if bool(best["is_base"]):
            said.append(
                f"Of {words.plural(len(regret), 'plan')} compared, the base plan has the least maximum regret over {n}:"
                f" {words.gbp(best['max_regret_gbp_pa'])} a year."
            )
        else:
            also = f"; the base plan’s is {words.gbp(ours.iloc[0]['max_regret_gbp_pa'])}" if len(ours) else ""
            said.append(
                f"The plan that is best in scenario {words.clean(best['example'])} has the least maximum regret over {n}:"
                f" {words.gbp(best['max_regret_gbp_pa'])} a year{also}."
            )
    if len(tables["alternatives"]):
        first = tables["alternatives"].iloc[0]
        if first["more_than_the_best_gbp_pa"] is not None:
            said.append(
                f"The best plan that differs by {words.plural(first['buildings_that_differ'], 'building')} or more costs"
                f" {words.gbp(first['more_than_the_best_gbp_pa'])} a year more: proven."
            )
    return said


def _closest(prices: pd.DataFrame) -> str:
    """The clear call that is nearest to a close one; the table has the least margin first."""
    first = prices.iloc[0]
    if pd.isna(first["margin_gbp_pa"]):
        return ""
    return f"; the nearest to it is {words.clean(first['name'])}, at {words.gbp(first['margin_gbp_pa'])} a year"


def _lever(night: Morning, setting: str) -> str:
    """A setting as people call it."""
    parts = setting.split(".")
    if parts[0] == "adjust" and len(parts) > 1:
        return words.plain(night.labels.get(parts[1], parts[1].replace("-", " ")))
    return words.plain(" ".join(part.replace("_", " ") for part in parts[1:]) if len(parts) > 1 else setting)


def _figures(night: Morning) -> list[dict[str, Any]]:
    base, n = night.base, night.statuses
    saving, hubs, moves = (words.count(base[name]) for name in ("saving_gbp_pa", "hubs_after", "moves"))
    proven, none, failed = (n.get(name, 0) for name in ("optimal", "infeasible", "failed"))
    items = [
        ("Running cost, base plan", words.gbp_short(base["running_cost_gbp_pa"]), f"£{saving} a year less than today"),
        ("Buildings in the base plan", words.count(base["sites_after"]), f"{hubs} shared hubs, {moves} counters move"),
        ("Scenarios", words.count(night.scenarios), f"{words.count(proven)} proven best, {words.count(none)} with no plan"),
        ("Failures", words.count(failed), "see the list at the end" if failed else "every scenario has an answer"),
    ]
    return [{"label": label, "value": value, "lines": [line], "assumed": ""} for label, value, line in items]


def _changed(night: Morning) -> dict[str, Any]:
    """What changed since the last night, ready to print."""
    found = night.changed
    rows = [
        {
            "scenario": words.clean(each["scenario"]),
            "before": _answer(each["status_before"], each["objective_before"]),
            "now": _answer(each["status_now"], each["objective_now"]),
            "plan": "another plan" if each["plan_changed"] else "the same plan",
        }
        for each in found.get("answers", [])[:20]
    ]
    return {
        "first": found.get("first", False),
        "again": found.get("again", False),
        "before": _date(found["finished_before"]) if found.get("finished_before") else "",
        "inputs": [words.clean(each) for each in found.get("inputs", [])],
        "versions": [words.clean(each) for each in found.get("versions", [])],
        "new": len(found.get("new", [])),
        "gone": len(found.get("gone", [])),
        "answers": len(found.get("answers", [])),
        "rows": rows,
    }


def _answer(status: str, value: float | None) -> str:
    return words.gbp(value) if status == "optimal" and value is not None else STATUSES.get(status, words.clean(status))


# -------------------------------------------------------------------------------------------------- drawings


def _frontier(night: Morning) -> Chart | None:
    """Cost across, distance up: every point proven, none dominated."""
    found = night.tables["frontier"]
    if len(found) < 2:
        return None
    cost, metres = found["running_cost_gbp_pa"].to_numpy(float), found["mean_m"].to_numpy(float)
    saves, nearer = words.gbp(cost[-1] - cost[0]), _average(metres[0] - metres[-1])
    chart = Chart(
        title="Cost against distance",
        summary=f"{words.gbp(cost[0])} a year is the least. {saves} more brings the average journey {nearer} nearer.",
        height=220,
        headings=("Running cost a year", "More than the least", "Average journey", "Buildings"),
        rows=[
            (words.gbp(c), words.gbp(c - cost[0], signed=True), f"{m / words.METRES_PER_MILE:.3f} miles", words.count(n))
            for c, m, n in zip(cost, metres, found["sites_after"], strict=True)
        ],
    )
    left, right, top, floor = 16.0, WIDTH - 16.0, 24.0, 176.0
    x = left + (right - left) * (cost - cost.min()) / max(float(np.ptp(cost)), 1.0)
    y = top + (floor - top) * (metres.max() - metres) / max(float(np.ptp(metres)), 1e-9)
    chart.line(left - 8, floor + 8, right + 8, floor + 8, "axis")
    for i in range(len(x)):
        if i:
            chart.line(x[i - 1], y[i - 1], x[i], y[i], "link")
        chart.dot(x[i], y[i], 4.5, "plan")
    chart.label(left - 8, floor + 26, "start small", f"£{cost[0] / 1e6:.3f} million")
    chart.label(right + 8, floor + 26, "end small", f"£{cost[-1] / 1e6:.3f} million")
    chart.label(WIDTH / 2, floor + 42, "middle small quiet", "running cost a year")
    chart.label(left - 8, top - 10, "start small quiet", f"average journey {_average(metres[0])}")
    chart.label(right + 8, floor - 8, "end small quiet", _average(metres[-1]))
    return chart


def _average(metres: float) -> str:
    """An average over everybody moves by hundredths of a mile, which :func:`words.miles` would round away."""
    return f"{metres / words.METRES_PER_MILE:.2f} miles"


def _tornado(night: Morning) -> Chart | None:
    """A bar for each assumption, from the saving at its low end to that at its high end."""
    columns = ["saving_at_low_gbp_pa", "saving_at_high_gbp_pa"]
    found = night.tables["tornado"].dropna(subset=columns).head(14)
    if not len(found):
        return None
    base = float(night.base["saving_gbp_pa"])
    low, high = (found[f"saving_at_{end}_gbp_pa"].to_numpy(float) for end in ("low", "high"))
    names = [_lever(night, str(each)) for each in found["assumption"]]
    chart = Chart(
        title="Which assumption matters most",
        summary=f"The yearly saving, {words.gbp(base)} in the base, at the two ends of each range, one assumption at a time.",
        height=60.0 + 34 * len(found),
        headings=("Assumption", "Low", "Saving at low", "High", "Saving at high", "Does the plan change?"),
        rows=[
            (name, f"{a}", words.gbp(s), f"{b}", words.gbp(t), "yes" if bool(c) else "no")
            for name, a, s, b, t, c in zip(names, found["low"], low, found["high"], high, found["plan_changes"], strict=True)
        ],
    )
    ends = np.concatenate([low, high, [base]])
    left, right = 12.0, WIDTH - 12.0
    span = max(float(np.ptp(ends)), 1.0)

    def at(value: float) -> float:
        return left + (right - left) * (value - float(ends.min())) / span

    for i, name in enumerate(names):
        y = 22.0 + 34 * i
        chart.label(left, y - 3, "start small", name)
        for value, shade in ((low[i], "farther"), (high[i], "nearer")):
            a, b = sorted((at(base), at(value)))
            chart.bar(a, y + 2, b - a, 12, shade)
        chart.line(at(base), y, at(base), y + 16, "axis")  # by bar: one line through all would strike out the names
    bottom = 22.0 + 34 * len(names)
    chart.label(left, bottom + 10, "start small quiet", words.gbp_short(ends.min()))
    chart.label(right, bottom + 10, "end small quiet", words.gbp_short(ends.max()))
    middle = min(max(at(base), left + 50), right - 50)
    chart.label(middle, bottom + 26, "middle small quiet", f"{words.gbp_short(base)} in the base")
    return chart


def _map(night: Morning) -> dict[str, Any] | None:
    """Free buildings, shaded by how often they are kept."""
    found = night.tables["frequencies"]
    if not len(found) or not int(found["scenarios"].iloc[0]):
        return None
    place = found.merge(night.sites[["site_id", "easting_m", "northing_m"]], on="site_id")
    step = np.minimum((place["share"].to_numpy(float) * SHADES).astype(int), SHADES - 1)
    place["after"] = [f"f{s} r{i}" for i, s in enumerate(step)]
    drawn = sketch(place, geography.outline_of(night.context), width=520)
    marks = []
    for x, y, name in drawn.marks:
        shade, row = name.replace("-", " ").split()[:2]
        one = place.iloc[int(row[1:])]
        said = f"{words.plain(one['name'])}: kept in {words.count(one['kept'])} of {words.count(one['scenarios'])}"
        marks.append({"x": x, "y": y, "shade": shade, "said": said})
    always, never = int((place["share"] == 1).sum()), int((place["share"] == 0).sum())
    n = words.count(found["scenarios"].iloc[0])
    summary = f"Over {n} scenarios, {words.plural(always, 'building')} of {len(place)} always kept, {never} never."
    return {"width": drawn.width, "height": drawn.height, "outline": drawn.outline, "marks": marks, "summary": summary}


# -------------------------------------------------------------------------------------------------- tables

TITLES: Mapping[str, tuple[str, str]] = {
    "prices": (
        "The price of each building",
        "What it costs a year to keep a building, and to lose it, next to the best plan: the difference of two proven answers.",
    ),
    "alternatives": (
        "Other plans nearly as good",
        "Each is the best that differs enough from the best plan and from those above it.",
    ),
    "regret": (
        "Regret",
        (
            "How much more a plan costs, at worst, than the best plan of each scenario would have cost there. Only plans that"
            " were best somewhere are compared."
        ),
    ),
    "frequencies": ("How often each building is kept", "Over the scenarios that change assumptions."),
    "troubles": ("Scenarios without a proven answer", "Failures first; then those for which no plan exists, with the reason."),
    "scenarios": ("Every scenario", "One row each."),
}

COLUMNS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "prices": [
        ("name", "Building", "text"),
        ("in_the_plan", "In the base plan", "outcome"),
        ("price_of_keeping_gbp_pa", "Keeping costs", "gbp"),
        ("price_of_losing_gbp_pa", "Losing costs", "gbp"),
        ("margin_gbp_pa", "Margin", "gbp"),
        ("note", "Note", "text"),
    ],
    "alternatives": [
        ("alternative", "Plan", "text"),
        ("more_than_the_best_gbp_pa", "More than the best", "gbp"),
        ("buildings_that_differ", "Buildings that differ", "count"),
        ("keeps", "Keeps instead", "text"),
        ("loses", "Loses instead", "text"),
        ("status", "Proof", "status"),
    ],
    "regret": [
        ("example", "Plan of scenario", "text"),
        ("best_in", "Best in", "count"),
        ("max_regret_gbp_pa", "Greatest regret", "gbp"),
        ("mean_regret_gbp_pa", "Average regret", "gbp"),
        ("worst_in", "Worst in", "text"),
        ("breaks", "Breaks a rule in", "count"),
    ],
    "frequencies": [
        ("name", "Building", "text"),
        ("kept", "Kept in", "count"),
        ("scenarios", "Of", "count"),
        ("share", "Share", "share"),
    ],
    "troubles": [
        ("family", "Family", "text"),
        ("label", "Scenario", "text"),
        ("status", "Status", "status"),
        ("reason", "Reason", "text"),
    ],
    "scenarios": [
        ("family", "Family", "text"),
        ("label", "Scenario", "text"),
        ("status", "Status", "status"),
        ("running_cost_gbp_pa", "Running cost a year", "gbp"),
        ("saving_gbp_pa", "Saving a year", "gbp"),
        ("sites_after", "Buildings", "count"),
        ("moves", "Moves", "count"),
        ("mean_m", "Average journey", "miles"),
    ],
}
"""By table: the column, its heading, and how its cells are written."""

STATUSES: Mapping[str, str] = {
    "optimal": "proven best",
    "feasible": "best found, not proven",
    "infeasible": "no plan exists",
    "failed": "failed",
}
"""A scenario's status as people say it."""

_SAY: Mapping[str, Callable[[Any], str]] = {
    "gbp": words.gbp,
    "count": words.count,
    "share": words.percent,
    "miles": _average,
}


def table(name: str, frame: pd.DataFrame) -> dict[str, Any]:
    """A table as the shared template draws it."""
    title, intro = TITLES[name]
    columns = COLUMNS[name]
    rows = [
        [_cell(value, kind) for value, (_, _, kind) in zip(row, columns, strict=True)]
        for row in frame[[column for column, _, _ in columns]].head(MOST_ROWS).itertuples(index=False, name=None)
    ]
    headings = [(heading, kind in _SAY) for _, heading, kind in columns]
    return {
        "name": name,
        "title": title,
        "intro": intro,
        "total": len(frame),
        "headings": headings,
        "rows": rows,
        "file": name,
        "assumed": (),
    }


def _cell(value: Any, kind: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"sort": None, "site": -1, "outcome": "", "mark": ""}
    blank = value is None or (not isinstance(value, str) and bool(pd.isna(value)))
    if kind in _SAY:
        return {**cell, "text": "" if blank else _SAY[kind](value), "sort": "" if blank else float(value)}
    if kind == "outcome" and not blank:
        return {**cell, "text": words.OUTCOMES.get(str(value), words.clean(value)), "outcome": str(value).replace(" ", "-")}
    if kind == "status":
        return {**cell, "text": STATUSES.get(str(value), words.clean(value))}
    return {**cell, "text": "" if blank else words.clean(value)}
