"""Space that is not public, counted again: how much of it each agency has, and how far its staff are moved."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from estate.verify.case import Case, Decision, blank, number


def spaces_again(case: Case, decision: Decision) -> pd.DataFrame:
    """``spaces``: one row for each service that nobody visits and agency that has some."""
    between = case.travel.between.get(case.scenario.travel.mode)
    ways: dict[str, dict[tuple[int, int], int]] = {"distance_m": {}, "time_s": {}}
    if between is not None:
        ends = list(zip(between.from_.tolist(), between.to.tolist(), strict=True))
        for name, values in (("distance_m", between.distance_m), ("time_s", between.time_s)):
            ways[name] = dict(zip(ends, values.tolist(), strict=False))
    held: dict[tuple[str, str], list[str]] = {}
    for point, row in case.points.items():
        if not case.public(row["service"]) and not case.outside(case.today.host[point]):
            held.setdefault((row["service"], row["agency"]), []).append(point)
    return pd.DataFrame([_row(case, decision, key, points, ways) for key, points in held.items()])


def _row(
    case: Case, decision: Decision, key: tuple[str, str], points: list[str], ways: dict[str, dict[tuple[int, int], int]]
) -> dict[str, Any]:
    gone = [each for each in points if decision.host[each] != case.today.host[each]]
    sums = {
        f"{name}{which}{unit}": round(math.fsum(number(case.points[each][f"{name}{unit}"]) for each in some), 1)
        for name, unit in (("area", "_m2"), ("staff", "_fte"))
        for which, some in (("", points), ("_moved", gone))
    }
    row: dict[str, Any] = {"service": key[0], "agency": key[1], "spaces": len(points), "spaces_moved": len(gone), **sums}
    stated = all(not blank(case.points[each]["staff_fte"]) for each in gone) and sums["staff_moved_fte"] > 0
    for name, far in ways.items():
        ends = [(case.position[case.today.host[each]], case.position[decision.host[each]]) for each in gone]
        known = [far.get(each) for each in ends]
        row[f"mean_{name}"] = row[f"most_{name}"] = float("nan")
        if gone and all(each is not None and each >= 0 for each in known):
            weight = [number(case.points[each]["staff_fte"]) if stated else 1.0 for each in gone]
            total = math.fsum(w * float(v or 0) for w, v in zip(weight, known, strict=True))
            row[f"mean_{name}"] = float(round(total / math.fsum(weight)))
            row[f"most_{name}"] = float(max(v or 0 for v in known))
    return row
