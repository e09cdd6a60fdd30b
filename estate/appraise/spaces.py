"""Space that is not public: who sits where, and how far staff are moved (``spaces.csv``).

Where staff live is not asked, so what is reported is one figure a move: how far the new building is from the old.  No journey to
work gets longer by more than that.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from estate.place import Plan
from estate.standards.measured import Measured
from estate.travel.pairs import lookup

COLUMNS = [
    "service", "agency", "spaces", "area_m2", "staff_fte", "spaces_moved", "area_moved_m2", "staff_moved_fte", "mean_distance_m",
    "most_distance_m", "mean_time_s", "most_time_s",
]  # fmt: skip


def spaces_table(measured: Measured, plan: Plan) -> pd.DataFrame:
    """One row for each service that is not public and agency: its spaces, floor area and staff, and what of them moves.

    The mean is over the staff that move where each of the row's spaces that move states them, else over spaces.  Distances are
    blank where a move is not measured; outside the place nothing is counted.
    """
    place, scenario = measured.place, measured.scenario
    public = np.array([scenario.is_public(each) for each in place.services], dtype=bool)
    pairs = measured.travel.between.get(scenario.travel.mode)
    points = place.access_points[["service", "agency", "area_m2", "staff_fte"]].copy()
    moved = plan.host != place.point_site
    for name, there in (("distance_m", pairs and pairs.has_distance), ("time_s", pairs and pairs.has_time)):
        far = np.full(len(points), np.nan)
        if pairs is not None and there:
            found = lookup(pairs, getattr(pairs, name), place.point_site[moved], plan.host[moved], len(place.sites))
            far[moved] = np.where(found < 0, np.nan, found)
        points[name] = far
    inside = ~public[place.point_service] & ~place.outside[place.point_site]
    rows = []
    for (service, agency), part in points.assign(moved=moved)[inside].groupby(["service", "agency"], sort=True):
        goes = part[part["moved"]]
        weight = (
            goes["staff_fte"] if goes["staff_fte"].notna().all() and goes["staff_fte"].sum() > 0 else goes["staff_fte"] * 0 + 1
        )
        weight = weight.fillna(1.0)
        row: dict[str, object] = {
            "service": service,
            "agency": agency,
            "spaces": len(part),
            "area_m2": round(float(part["area_m2"].sum()), 1),
            "staff_fte": round(float(part["staff_fte"].sum()), 1),
            "spaces_moved": len(goes),
            "area_moved_m2": round(float(goes["area_m2"].sum()), 1),
            "staff_moved_fte": round(float(goes["staff_fte"].sum()), 1),
        }
        for name in ("distance_m", "time_s"):
            known = len(goes) > 0 and bool(goes[name].notna().all())
            row[f"mean_{name}"] = round(float(np.average(goes[name], weights=weight))) if known else None
            row[f"most_{name}"] = round(float(goes[name].max())) if known else None
        rows.append(row)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype(dict.fromkeys([each for each in COLUMNS if each.endswith(("distance_m", "time_s"))], "Int64"))


def moved_staff(table: pd.DataFrame) -> Mapping[str, float | int]:
    """What the summary says of spaces; nothing where there are none."""
    if table.empty:
        return {}
    return {
        "spaces_moved": int(table["spaces_moved"].sum()),
        "staff_moved_fte": round(float(table["staff_moved_fte"].sum()), 1),
    }
