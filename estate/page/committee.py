"""Committee mode on the page: what if this building stays, or goes; answers solved beforehand, with what else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.options.tables import changes_of
from estate.page import words

if TYPE_CHECKING:
    from estate.runs.run import Run

type Steps = Mapping[tuple[str, str], str]

FATES = {"keep": "stays", "close": "goes"}
PENNY = 0.005
MOST_SAID = 6
"""Changes that are said of one answer; the file has them all."""


def section(run: Run) -> dict[str, Any] | None:
    """The questions with their answers in words; None where none were asked, or they may not be shown.

    ``buildings`` are those with a question of their own, by name; ``answers`` are by the numbers of one or two of them, joined by
    a comma, as the page's script asks for them; ``paired`` are the numbers of those that may be asked for together.
    """
    if "committee" not in run.tables or "committee_changes" not in run.tables:
        return None
    table = run.tables["committee"].fillna({"also_site_id": "", "why_not": ""})
    plan = _steps(pd.DataFrame(changes_of(run.place, run.plan), columns=["what", "access_point_id", "site_id", "site_name"]))
    changes = {key: _steps(frame) for key, frame in run.tables["committee_changes"].groupby("question")}
    singles = table[table["also_site_id"] == ""].sort_values(["name", "site_id"])
    number = {str(site): i for i, site in enumerate(singles["site_id"])}
    answers, rows = {}, []
    for row in table.to_dict("records"):
        asked = [str(site) for site in (row["site_id"], row["also_site_id"]) if site]
        lines = _lines(run, row, changes.get(row["question"], {}), plan, asked)
        answers[",".join(map(str, sorted(number[site] for site in asked)))] = lines
        if len(asked) == 1:
            more = row["more_gbp_pa"]
            said = {"name": words.plain(row["name"]), "asked": FATES[row["asked"]], "more": "", "lines": lines}
            rows.append((float("inf"), said) if pd.isna(more) else (float(more), {**said, "more": words.gbp(more)}))
    pairs = table[table["also_site_id"] != ""]
    return {
        "buildings": [(words.plain(row["name"]), FATES[row["asked"]]) for row in singles.to_dict("records")],
        "paired": sorted({number[str(site)] for site in [*pairs["site_id"], *pairs["also_site_id"]]}),
        "answers": answers,
        "rows": [said for _, said in sorted(rows, key=lambda each: (each[0], each[1]["name"]))],
        "pairs": len(pairs),
    }


def _steps(frame: pd.DataFrame) -> Steps:
    """(what, which) to the building that it goes to: counters by id, buildings by their own."""
    point = frame["access_point_id"].fillna("").astype(str)
    which = point.where(point != "", frame["site_id"].astype(str))
    return dict(zip(zip(frame["what"].astype(str), which, strict=True), frame["site_id"].astype(str), strict=True))


def _lines(run: Run, row: Mapping[Any, Any], steps: Steps, plan: Steps, asked: Sequence[str]) -> list[str]:
    """An answer in sentences: what it costs, whom it touches, what else changes against the plan."""
    if row["status"] not in ("optimal", "feasible"):
        return [f"No plan can do that{': ' + words.plain(row['why_not']) if row['why_not'] else ''}."]
    more = float(row["more_gbp_pa"])
    cost = "It costs no more than the plan" if abs(more) < PENNY else f"It costs {words.gbp(more)} a year more than the plan"
    proof = "" if row["status"] == "optimal" else "; this is the best found, not proven"
    farther = words.plural(row["people_farther"], "person goes", "people go")
    moving = words.plural(row["moves"], "counter that moves", "counters that move")
    what = f"{words.plural(row['sites'], 'building')} in use, {moving}"
    return [
        f"{cost}{proof}.",
        f"{what}; {farther} farther than today for at least one service.",
        _else(run, steps, plan, asked),
    ]


def _else(run: Run, steps: Steps, plan: Steps, asked: Sequence[str]) -> str:
    """What else differs from the plan, in a sentence."""
    site = run.place.sites["name"].map(words.plain)
    points = run.place.access_points
    said = []
    for what, which in sorted({key for key in {*steps, *plan} if steps.get(key) != plan.get(key)}):
        there = (what, which) in steps
        if what != "moves":
            if which not in asked:
                said.append(f"{site[which]} {'closes' if (what == 'closes') == there else 'stays open'}")
        elif there:
            said.append(f"{words.plain(points['name'][which])} goes to {site[steps[what, which]]}")
        else:
            said.append(f"{words.plain(points['name'][which])} stays in {site[points['site_id'][which]]}")
    if not said:
        return "Nothing else changes against the plan."
    more = len(said) - MOST_SAID
    rest = f", and {words.plural(more, 'more change')}" if more > 0 else ""
    return f"Against the plan: {'; '.join(said[:MOST_SAID])}{rest}."
