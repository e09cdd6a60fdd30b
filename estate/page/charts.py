"""Charts as plain shapes for a template to draw as SVG, each with a sentence that says what it shows and its figures as a table.

Every chart is 340 units wide, so that its words are as large on a phone as on a desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.page import facts, words
from estate.page.facts import Journeys
from estate.page.words import Unit

if TYPE_CHECKING:
    from estate.runs.run import Run

WIDTH = 340


@dataclass(slots=True)
class Chart:
    """Shapes to draw (tuples of numbers, classes and words) and the same facts in words and figures."""

    title: str
    summary: str
    height: float
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    """x, y, width, height, class."""
    dots: list[tuple[float, float, float, str]] = field(default_factory=list)
    """x, y, radius, class."""
    lines: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    """x1, y1, x2, y2, class."""
    labels: list[tuple[float, float, str, str]] = field(default_factory=list)
    """x, y, class (start, middle, end and more), words."""

    def bar(self, x: float, y: float, width: float, height: float, name: str) -> None:
        """A bar; nothing is drawn for nothing."""
        if width > 0 and height > 0:
            self.bars.append((round(x, 1), round(y, 1), round(width, 1), round(height, 1), name))

    def line(self, x1: float, y1: float, x2: float, y2: float, name: str) -> None:
        """A straight line."""
        self.lines.append((round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1), name))

    def dot(self, x: float, y: float, radius: float, name: str) -> None:
        """A dot."""
        self.dots.append((round(x, 1), round(y, 1), radius, name))

    def label(self, x: float, y: float, name: str, text: str) -> None:
        """Words; ``name`` holds their anchor and weight."""
        self.labels.append((round(x, 1), round(y, 1), name, text))


def _band_names(unit: Unit) -> list[str]:
    ends = [f"{end:g}" for end in unit.bands]
    inner = [f"{low}–{high}" for low, high in pairwise(ends)]
    return [f"under {ends[0]}", *inner, f"over {ends[-1]}"]


def distances(run: Run, trips: Journeys) -> list[Chart]:
    """For each service, how many people live how far from the nearest building with it: today and in the plan."""
    edges = np.array([0.0, *trips.unit.bands, np.inf]) * trips.unit.size
    edges[0] = -1.0
    names = _band_names(trips.unit)
    charts = []
    for k, service in enumerate(trips.services):
        before = np.histogram(trips.before[:, k], bins=edges, weights=trips.people)[0]
        after = np.histogram(trips.after[:, k], bins=edges, weights=trips.people)[0]
        label = words.plain(facts.service_label(run, service))
        chart = Chart(
            title=label,
            summary=_distance_words(trips, k),
            height=172,
            headings=(f"{trips.unit.name.capitalize()} from home", "People today", "People in the plan", "Change"),
            rows=[
                (name, words.count(b), words.count(a), words.count(a - b, signed=True))
                for name, b, a in zip(names, before, after, strict=True)
            ],
        )
        _paired_columns(chart, names, before, after, trips.unit.name)
        charts.append(chart)
    return charts


def _distance_words(trips: Journeys, k: int) -> str:
    before, after = facts.mean(trips.before[:, k], trips.people), facts.mean(trips.after[:, k], trips.people)
    farther, nearer = (float(trips.people[flag[:, k]].sum()) for flag in (trips.farther, trips.nearer))
    if before is None or after is None:
        return "No distances are recorded."
    if not farther and not nearer:
        return f"Nobody’s journey changes; the average is {trips.unit.say(before)}."
    moved = [f"{words.count(number)} people {way}" for number, way in ((farther, "farther"), (nearer, "nearer")) if number]
    same = trips.unit.say(before) == trips.unit.say(after)
    average = f"stays at {trips.unit.say(before)}" if same else f"goes from {trips.unit.say(before)} to {trips.unit.say(after)}"
    return f"The average {average}: {words.listed(moved)}."


def _paired_columns(chart: Chart, names: list[str], before: Any, after: Any, unit: str) -> None:
    top, floor, left = 14.0, 138.0, 8.0
    tallest = max(float(before.max(initial=0)), float(after.max(initial=0)), 1.0)
    step = (WIDTH - 2 * left) / len(names)
    total = max(float(before.sum()), 1.0)
    for i, name in enumerate(names):
        x = left + i * step
        for offset, value, kind in ((0.1, float(before[i]), "today"), (0.5, float(after[i]), "plan")):
            height = (floor - top) * value / tallest
            chart.bar(x + step * offset, floor - height, step * 0.38, height, kind)
        share = words.share(float(after[i]), total) if after[i] else ""
        chart.label(
            x + step / 2 + 8, floor - (floor - top) * float(max(after[i], before[i])) / tallest - 4, "middle small", share
        )
        chart.label(x + step / 2, floor + 14, "middle small", name)
    chart.line(left, floor, WIDTH - left, floor, "axis")
    chart.label(WIDTH / 2, floor + 30, "middle small quiet", f"{unit} from home")


def span(values: Sequence[float], room: float, least: float = 1.0) -> float:
    """Units a value, so that the largest fills the room."""
    return room / max([abs(value) for value in values] + [least])


def costs(run: Run) -> Chart | None:
    """What each agency pays a year, today and in the plan."""
    frame = facts.table(run, "agencies", ("agency", "name", "cost_before_gbp_pa", "cost_after_gbp_pa"))
    before = pd.to_numeric(frame["cost_before_gbp_pa"], errors="coerce")
    after = pd.to_numeric(frame["cost_after_gbp_pa"], errors="coerce")
    frame = frame.assign(b=before, a=after)[(before.notna() & after.notna()) & ((before != 0) | (after != 0))]
    if frame.empty:
        return None
    frame = frame.sort_values(["b", "agency"], ascending=[False, True], kind="stable").head(16)
    names = [words.plain(name) for name in frame["name"].where(frame["name"].notna(), frame["agency"])]
    saved = [name for name, b, a in zip(names, frame["b"], frame["a"], strict=True) if a < b - 0.5]
    more = [name for name, b, a in zip(names, frame["b"], frame["a"], strict=True) if a > b + 0.5]
    less = words.plural(len(saved), "agency pays less", "agencies pay less") if saved else "No agency pays less"
    extra = words.plural(len(more), "pays more", "pay more") if more else "none pays more"
    summary = f"{less}; {extra}."
    rows = [
        (name, words.gbp(b), words.gbp(a), words.gbp(a - b, signed=True))
        for name, b, a in zip(names, frame["b"], frame["a"], strict=True)
    ]
    chart = Chart(
        "What each agency pays a year", summary, 26 + 44 * len(names), ("Agency", "Today", "In the plan", "Change"), rows
    )
    scale = span([*frame["b"], *frame["a"]], WIDTH - 100)
    for i, (name, b, a) in enumerate(zip(names, frame["b"], frame["a"], strict=True)):
        y = 14 + 44 * i
        chart.label(0, y, "start", short(name, 44))
        chart.bar(0, y + 5, max(b * scale, 0.5), 9, "today")
        chart.bar(0, y + 15, max(a * scale, 0.5), 9, "plan")
        chart.label(max(a, b) * scale + 6, y + 18, "start small", compact(a - b))
    return chart


def compact(value: float) -> str:
    """A change in pounds for beside a bar: ``+£3k``, ``no change``."""
    size = abs(value)
    text = f"£{size / 1e6:.1f}m" if size >= 999_500 else f"£{size / 1e3:.0f}k" if size >= 1000 else f"£{size:.0f}"
    return "no change" if size < 1 else ("−" if value < 0 else "+") + text


def short(text: str, most: int) -> str:
    """The words, cut at so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def winners(run: Run, trips: Journeys) -> Chart | None:
    """By service: how many people live nearer, and how many farther."""
    if not trips.services:
        return None
    nearer = (trips.nearer * trips.people[:, None]).sum(axis=0)
    farther = (trips.farther * trips.people[:, None]).sum(axis=0)
    labels = [words.plain(facts.service_label(run, service)) for service in trips.services]
    whole = float(trips.people.sum())
    rows = [
        (label, words.count(n), words.count(f), words.count(whole - n - f))
        for label, n, f in zip(labels, nearer, farther, strict=True)
    ]
    most = labels[int(farther.argmax())]
    summary = (
        f"{most} changes most: {words.count(farther.max())} people live farther from one."
        if farther.any()
        else "Nobody lives farther away."
    )
    chart = Chart(
        "Who lives nearer, who farther", summary, 40 + 40 * len(labels), ("Service", "Nearer", "Farther", "No change"), rows
    )
    middle = WIDTH / 2
    scale = span([*nearer, *farther], middle - 62)
    chart.label(middle - 8, 12, "end small quiet", "◀ nearer")
    chart.label(middle + 8, 12, "start small quiet", "farther ▶")
    for i, label in enumerate(labels):
        y = 34 + 40 * i
        chart.label(0, y, "start", short(label, 40))
        chart.line(middle, y + 3, middle, y + 20, "axis")
        chart.bar(middle - nearer[i] * scale, y + 5, nearer[i] * scale, 13, "nearer")
        chart.bar(middle, y + 5, farther[i] * scale, 13, "farther")
        chart.label(middle - nearer[i] * scale - 5, y + 16, "end small", words.count(nearer[i]))
        chart.label(middle + farther[i] * scale + 5, y + 16, "start small", words.count(farther[i]))
    return chart
