"""The atlas of England: what sharing would save, county by county, and where each county's own page is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from estate.page import assets, words

MAP_WIDTH = 360.0
LARGEST = 16.0
"""Radius of the county that saves most, on the map."""
LEFT_OUT = (
    "services that no open list names: advice centres, clinics, courts, and most police desks",
    "back offices, staff and what services cost: only the buildings that the public enters are here",
    "what it costs to agree: partners’ own interests, leases that bind, listed buildings, politics",
    "buildings that are worth more than the rates say, and those that nobody would buy",
)
"""What the national figure leaves out, in the order of the page."""
BESIDE = (
    (
        "Whole-place community budgets, net over five years",
        "£9.4 to £20.6 billion",
        "Ernst & Young for the Local Government Association, January 2013: services redesigned, not buildings alone",
    ),
    (
        "One Public Estate by May 2019: receipts, and saved a year",
        "£164 million, and £24 million",
        "reported by the programme, against forecasts of £615 and £158 million for 2020",
    ),
)
"""Estimates and results by others: what, how much, whose."""


def render_atlas(rows: pd.DataFrame, sums: dict[str, float], prize: pd.DataFrame, sites: pd.DataFrame) -> str:
    """The page, as the text of one file; ``rows`` has a row for each county, ``sites`` every county's buildings."""
    there = rows[rows["baseline_gbp_pa"].notna()] if "baseline_gbp_pa" in rows else rows.iloc[:0]
    at = sites.reindex(columns=["county", "easting_m", "northing_m"]).groupby("county").median()
    context = {
        "title": "Shared public buildings in England, county by county",
        "kind": "nation",
        "public": True,
        "sums": sums,
        "objective": str(there["objective"].iloc[0]) if len(there) else "",
        "counties": [_county(row) for row in there.sort_values("title").to_dict("records")],
        "missing": [
            {"title": row["title"], "reason": row["reason"]}
            for row in rows[~rows["name"].isin(there["name"])].to_dict("records")
        ],
        "prize": [
            (row.item, *(words.gbp_short(end, signed=True) for end in (row.low_gbp, row.central_gbp, row.high_gbp)), row.basis)
            for row in prize.itertuples()
        ],
        "beside": BESIDE,
        "left_out": LEFT_OUT,
        "map": _map(there, at),
        "assumed": int(there["illustrative_figures"].sum()) if len(there) else 0,
    }
    return assets.write("nation.html.j2", context, styles=[assets.static("page.css"), assets.static("nation.css")])


def _county(row: Mapping[Any, Any]) -> dict[str, str]:
    """A row of the table, in words."""
    return {
        "title": words.plain(row["title"]),
        "href": f"{quote(row['name'])}/index.html",
        "people": words.count(row["people"]),
        "buildings": f"{words.count(row['sites_before'])} → {words.count(row['sites_after'])}",
        "moves": words.count(row["moves"]),
        "cost": words.gbp_short(row["baseline_gbp_pa"]),
        "saving": words.gbp_short(row["saving_gbp_pa"]),
        "share": words.percent(row["saving_gbp_pa"] / row["baseline_gbp_pa"]) if row["baseline_gbp_pa"] else "",
        "proof": "proven best" if row["status"] == "optimal" else f"at most {row['gap']:.1%} from the best",
    }


def _map(rows: pd.DataFrame, at: pd.DataFrame) -> dict[str, Any]:
    """A disc for each county where its buildings are, as large as what it saves."""
    if not len(rows):
        return {"width": MAP_WIDTH, "height": 10.0, "discs": []}
    xy = at.reindex(rows["name"]).to_numpy(dtype=np.float64)
    low, high = xy.min(axis=0), xy.max(axis=0)
    edge = LARGEST + 4
    scale = (MAP_WIDTH - 2 * edge) / max(high[0] - low[0], 1.0)
    saving = rows["saving_gbp_pa"].to_numpy(dtype=np.float64)
    radius = LARGEST * np.sqrt(np.maximum(saving, 0.0) / max(saving.max(), 1.0))
    discs = [
        (round(edge + (x - low[0]) * scale, 1), round(edge + (high[1] - y) * scale, 1), round(float(r), 1), title)
        for (x, y), r, title in zip(xy, radius, rows["title"], strict=True)
    ]
    return {"width": MAP_WIDTH, "height": round(2 * edge + (high[1] - low[1]) * scale, 1), "discs": discs}
