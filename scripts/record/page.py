"""The page of evidence: what was closed beside what would have been, for a reader who does not believe it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estate.page import assets
from estate.page.charts import WIDTH, Chart, span
from record.libraries import AS_DONE, CHANCE, LAST, OURS, WAYS, Case, harm

HERE = Path(__file__).resolve().parent
LONGEST_LIST = 20
"""Authorities drawn in the chart; its table has all of them."""
DRAWN = 4
"""Authorities with a map of their own."""
MAP_WIDTH = 320.0
WAY_WORDS = {
    AS_DONE: "As done",
    "least travel": "Ours: least travel",
    "within 2 miles": "Ours: fewest beyond two miles",
    "deprived first": "Ours: least for the most deprived fifth",
    "smallest first": "Rule of thumb: fewest users first",
    "nearest neighbour": "Rule of thumb: nearest neighbour",
    CHANCE: "At random (mean)",
}
MEASURES = {
    "extra_km": "Mean extra distance",
    "beyond": "More beyond two miles",
    "deprived_km": "Mean extra, most deprived fifth",
}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each way: for each measure the authorities in which it is better than, the same as and worse than what was done,
    its median over authorities, and the worst it does beside the record; and the closures that it shares with the record."""
    rows = []
    wide = {measure: table.pivot_table(index="authority", columns="way", values=measure, dropna=False) for measure in MEASURES}
    for way in (*WAYS, CHANCE):
        mine = table[table["way"] == way]
        row: dict[str, Any] = {"way": way, "closed": int(mine["closed"].sum()), "same": float(mine["same"].sum())}
        for measure, values in wide.items():
            apart = (values[way] - values[AS_DONE]).dropna()
            row |= {
                f"{measure}_better": int((apart < -1e-9).sum()),
                f"{measure}_same": int((apart.abs() <= 1e-9).sum()),
                f"{measure}_worse": int((apart > 1e-9).sum()),
                f"{measure}_median": float(values[way].median()),
                f"{measure}_worst_apart": float(apart.max()),
                f"{measure}_worst_where": str(apart.idxmax()) if apart.max() > 1e-9 else "",
            }
        rows.append(row)
    return pd.DataFrame(rows)


def render(
    cases: list[Case], table: pd.DataFrame, chosen: pd.DataFrame, offices: list[tuple[Any, ...]], county: pd.DataFrame
) -> str:
    """The page as the text of one file.  ``offices`` has for each area its name, ways, offices and the most that could go."""
    wide = table.pivot_table(index="authority", columns="way", values="extra_km", dropna=False)
    people = pd.Series({case.name: int(case.people.sum()) for case in cases})
    saved = ((wide[AS_DONE] - wide[OURS[0]]) * people).sort_values(ascending=False)
    by_name = {case.name: case for case in cases}
    context = {
        "title": "What was closed, and what would have been chosen",
        "kind": "evidence",
        "public": True,
        "ways": summary(table).to_dict("records"),
        "way_words": WAY_WORDS,
        "first": summary(table).set_index("way").loc[OURS[0]].to_dict(),
        "authorities": len(cases),
        "closures": int(table.loc[table["way"] == AS_DONE, "closed"].sum()),
        "chance": float(table.loc[table["way"] == CHANCE, "same"].sum()),
        "share": float((wide[OURS[0]] / wide[AS_DONE])[wide[AS_DONE] > 0].median()),
        "chart": farther(wide),
        "maps": [drawn(by_name[name], chosen[chosen["authority"] == name]) for name in saved.index[:DRAWN]],
        "offices": [
            {"area": area, "ways": ways.to_dict("records"), "table": listed.to_dict("records"), "most": most}
            for area, ways, listed, most in offices
        ],
        "county": county.to_dict("records"),
        "agree": county.groupby("service", sort=False)["same"].agg(["sum", "size"]).reset_index().to_dict("records"),
    }
    styles = [assets.static("page.css"), (HERE / "evidence.css").read_text(encoding="utf-8")]
    return assets.write("evidence.html.j2", context, styles=styles, templates=HERE)


def farther(wide: pd.DataFrame) -> Chart:
    """How much farther residents go, as done and by least travel, where the two differ most."""
    ours, done = wide[OURS[0]], wide[AS_DONE]
    order = (done - ours).abs().sort_values(ascending=False).index
    shown = order[:LONGEST_LIST]
    better, worse = int((ours < done - 1e-9).sum()), int((ours > done + 1e-9).sum())
    chart = Chart(
        title="How much farther residents go for a library, on average",
        summary=f"Choosing by least travel leaves people nearer than what was done in {better} of {len(wide)} authorities, "
        f"and farther in {worse}. Drawn: the {len(shown)} where the two differ most.",
        height=30 + 22 * len(shown),
        headings=("Authority", "As done, km", "Least travel, km", "Difference, km"),
        rows=[
            (name, f"{done[name]:.3f}", f"{ours[name]:.3f}", f"{ours[name] - done[name]:+.3f}".replace("-", "−"))
            for name in order
        ],
    )
    left = 150.0
    scale = span([*done[shown], *ours[shown]], WIDTH - left - 14, least=1e-6)
    chart.line(left, 8, left, chart.height - 18, "axis")
    for i, name in enumerate(shown):
        y = 18.0 + 22 * i
        chart.label(left - 6, y + 4, "end small", name if len(name) < 25 else name[:23] + "…")
        chart.line(left + done[name] * scale, y, left + ours[name] * scale, y, "link")
        chart.dot(left + done[name] * scale, y, 4.5, "done")
        chart.bar(left + ours[name] * scale - 4, y - 4, 8, 8, "ours")
    chart.label(left, chart.height - 4, "start small quiet", "0 km")
    chart.label(WIDTH - 14, chart.height - 4, "end small quiet", f"{max(done[shown].max(), ours[shown].max()):.2f} km")
    return chart


def drawn(case: Case, chosen: pd.DataFrame) -> dict[str, Any]:
    """A map of one authority in SVG units: homes, and its libraries by who would close them; and the names of those."""
    then = case.years[LAST]
    done = set(chosen.loc[chosen["way"] == AS_DONE, "library"])
    ours = set(chosen.loc[chosen["way"] == OURS[0], "library"])
    own = then.own
    low = np.minimum(case.xy.min(axis=0), own[["x", "y"]].to_numpy().min(axis=0))
    high = np.maximum(case.xy.max(axis=0), own[["x", "y"]].to_numpy().max(axis=0))
    scale = (MAP_WIDTH - 24) / (high - low).max()

    def at(xy: np.ndarray) -> np.ndarray:
        return np.round(np.column_stack([12 + (xy[:, 0] - low[0]) * scale, 12 + (high[1] - xy[:, 1]) * scale]), 1)

    kinds = {
        library: "both" if library in done & ours else "done" if library in done else "ours" if library in ours else "kept"
        for library in own.index
    }
    names = {
        kind: sorted(case.library[library] for library, its in kinds.items() if its == kind)
        for kind in ("both", "done", "ours")
    }
    return {
        "name": case.name,
        "width": round(24 + (high - low)[0] * scale, 1),
        "height": round(24 + (high - low)[1] * scale, 1),
        "homes": at(case.xy).tolist(),
        "libraries": [
            (*place, kinds[library])
            for library, place in sorted(
                zip(own.index, at(own[["x", "y"]].to_numpy()).tolist(), strict=True),
                key=lambda pair: ("kept", "both", "done", "ours").index(kinds[pair[0]]),
            )
        ],
        "names": names,
        "km": {"done": _extra_km(case, chosen, AS_DONE), "ours": _extra_km(case, chosen, OURS[0])},
    }


def _extra_km(case: Case, chosen: pd.DataFrame, way: str) -> str:
    """Mean extra distance by one way, in words."""
    gone = chosen.loc[chosen["way"] == way, ["library", "year"]]
    return f"{harm(case, dict(gone.itertuples(index=False)))['extra_km']:.2f}"
