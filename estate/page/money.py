"""Whose money: what each agency spends, gets and has still to find, and cash by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from estate.page import facts, words
from estate.page.charts import WIDTH, Chart, compact, span

if TYPE_CHECKING:
    from estate.runs.run import Run

MOST_YEARS = 16
LONG_YEARS = 20
"""An agency that gets its own money back only after more years than this is named beside the total."""
NEED = ("one_off_gbp", "receipts_gbp", "need_gbp", "gain_gbp_pa")
NEVER = "never"
LABEL = 52.0
"""About how wide the name of a financial year is in a chart."""


def _agencies(run: Run) -> pd.DataFrame:
    """The agencies that spend, get or save anything, those with most to find first; empty where that may not be shown."""
    frame = facts.table(run, "agencies")
    if frame.empty or any(name not in frame for name in NEED):
        return pd.DataFrame()
    frame = frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce").fillna(0.0) for name in NEED})
    frame = frame[(frame[list(NEED)].abs() >= 1).any(axis=1)]
    return frame.sort_values(["need_gbp", "one_off_gbp", "agency"], ascending=[False, False, True], kind="stable")


def _recovered(need: float, gain: float) -> str:
    """Years in which an agency's own saving gives back what it had to find itself, no interest counted."""
    if need < 1:
        return "nothing to recover"
    if gain < 1:
        return NEVER
    years = need / gain
    return f"{years:.1f}" if years < 10 else words.count(years)


def by_agency(run: Run) -> tuple[list[str], list[list[str]]] | None:
    """Agency, spent once, sales bring, to find itself, saved a year, years to recover: each from its own purse."""
    frame = _agencies(run)
    if frame.empty:
        return None
    headings = ["Agency", "Spends once", "Sales bring", "Must find itself", "Saves a year", "Years to recover it"]
    rows = [
        [
            words.clean(row["name"]),
            *(words.gbp(row[name]) for name in NEED[:3]),
            words.gbp(row["gain_gbp_pa"], signed=True) if abs(row["gain_gbp_pa"]) >= 1 else "nothing",
            _recovered(row["need_gbp"], row["gain_gbp_pa"]),
        ]
        for row in frame.to_dict("records")
    ]
    return headings, rows


def hard_bargains(run: Run) -> list[str]:
    """The agencies for which the plan is a poor use of their own money, in words; those that never recover it first."""
    frame = _agencies(run)
    found = []
    for row in frame.to_dict("records"):
        need, gain = row["need_gbp"], row["gain_gbp_pa"]
        if need >= 1 and (gain < 1 or need / gain > LONG_YEARS):
            name = words.clean(row["name"])
            if gain < 1:
                more = f"pays {words.gbp(-gain)} a year more" if gain <= -1 else "saves nothing"
                found.append((float("inf"), f"{name} must find {words.gbp(need)} and {more}."))
            else:
                years = words.count(need / gain)
                found.append(
                    (need / gain, f"{name} must find {words.gbp(need)} to save {words.gbp(gain)} a year: {years} years.")
                )
    return [text for _, text in sorted(found, key=lambda each: -each[0])]


def cash(run: Run) -> Chart | None:
    """Cash by year of all agencies together: out below the line, in above it, until it is paid back and a little beyond."""
    frame = facts.table(run, "cash_flow", ("financial_year", "net_gbp", "cumulative_present_value_gbp", "saving_gbp"))
    net = pd.to_numeric(frame["net_gbp"], errors="coerce").fillna(0.0).to_numpy(float)
    so_far = pd.to_numeric(frame["cumulative_present_value_gbp"], errors="coerce").fillna(0.0).to_numpy(float)
    if not len(net) or not net.any():
        return None
    short = np.flatnonzero(np.round(so_far, 2) < 0)
    turn = int(short[-1]) + 1 if len(short) else 0
    count = min(len(net), MOST_YEARS, max(turn + 3, 6))
    years = [words.plain(year) for year in frame["financial_year"]]
    lowest = int(so_far.argmin())
    deepest = (
        f"At its deepest, in {years[lowest]}, the partners together are {words.gbp_short(-so_far[lowest])} out of pocket. "
        if so_far[lowest] < 0
        else ""
    )
    back = f"It is paid back in {years[turn]}" if turn < len(net) else f"It is not paid back by {years[-1]}"
    summary = f"{deepest}{back}, counting later money at what it is worth now. One agency’s money does not pay for another’s."
    rows = [(years[i], words.gbp(net[i], signed=True), words.gbp(so_far[i], signed=True)) for i in range(len(net))]
    chart = Chart("Cash by year, all agencies", summary, 214, ("Year", "Out or in", "Worth now, so far"), rows)
    shown, line = net[:count], so_far[:count]
    top, bottom = 20.0, 168.0
    high, low = max(float(shown.max()), float(line.max()), 0.0), min(float(shown.min()), float(line.min()), 0.0)
    scale = span([high - low], bottom - top)
    zero = top + high * scale
    step = (WIDTH - 16) / count
    named: list[int] = []
    # The deepest year and the one that pays back matter most; a year that would run into one of them is not named.
    for i in (lowest, turn, 0):
        if i < count and all(abs(i - other) * step > LABEL for other in named):
            named.append(i)
    for i in range(count):
        x, value = 8 + i * step, float(shown[i])
        chart.bar(
            x + step * 0.15, zero - max(value, 0) * scale, step * 0.7, abs(value) * scale, "plan" if value > 0 else "farther"
        )
        if i in named:
            at = min(max(x + step / 2, LABEL / 2), WIDTH - LABEL / 2)
            chart.label(at, bottom + 16, "middle small", years[i])
    for i in range(count - 1):
        x = 8 + (i + 0.5) * step
        chart.line(x, zero - float(line[i]) * scale, x + step, zero - float(line[i + 1]) * scale, "link")
    for i in range(count):
        chart.dot(8 + (i + 0.5) * step, zero - float(line[i]) * scale, 3, "today")
    chart.line(8, zero, WIDTH - 8, zero, "axis")
    most = int(np.abs(shown).argmax())
    middle = zero - float(shown[most]) * scale / 2 + 4
    chart.label(8 + (most + 0.9) * step, middle, "start small", compact(float(shown[most])))
    chart.label(WIDTH / 2, 206, "middle small quiet", "columns: each year; line: worth now, so far")
    return chart
