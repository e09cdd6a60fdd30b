"""What the morning reader gets, worked out from the rows of a night: plain tables, no drawing.

Every figure is a difference of two proven answers.  What could not be proven says so in its ``status``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.place import Plan
from estate.problem import Solution
from estate.whatif.store import FAILED

if TYPE_CHECKING:
    from estate.whatif.batch import Batch

KEPT = ("hub", "retained", "closed to services")
ASSUMPTIONS = ("grid", "list", "sample", "ranges")
"""Kinds of family that change what is believed, not what is decided."""

MOST_PLANS = 60
"""Plans compared for regret: the ones that are best most often."""


def base_row(rows: pd.DataFrame) -> Mapping[str, Any]:
    """The base scenario's row."""
    return {str(name): value for name, value in rows.iloc[0].items()}


def frontier(rows: pd.DataFrame) -> pd.DataFrame:
    """Proven points of least travel for a running cost, none dominated: ``label, running_cost_gbp_pa, mean_m, sites_after``.

    A point is dominated when another costs no more and means no more travel, and is better in one of the two.
    """
    points = rows[(rows["kind"] == "frontier") & (rows["status"] == "optimal")]
    points = points.sort_values(["running_cost_gbp_pa", "mean_m"], kind="stable")
    before = points["mean_m"].cummin().shift(fill_value=np.inf)
    return points.loc[
        points["mean_m"] < before, ["label", "running_cost_gbp_pa", "mean_m", "farthest_m", "sites_after", "status"]
    ]


def prices(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """For each free building what keeping and losing it costs a year more than the best plan: the dearer choice first.

    One of the two is nothing: the plan has done it.  ``margin_gbp_pa`` is the other, so a close call has a small one.
    """
    base = base_row(rows)
    kept = {pair["id"]: pair["value"] for pair in base["sites"]}
    found = []
    each = rows[rows["kind"] == "each-site"]
    for site in sorted({str(label).partition(" ")[2] for label in each["label"]}):
        pair = {way: each[each["label"] == f"{way} {site}"].iloc[0] for way in ("keep", "close")}
        more = {way: _more(row, base) for way, row in pair.items()}
        said = [f"{way}: {row['reason'] or row['status']}" for way, row in pair.items() if more[way] is None]
        known = [value for value in more.values() if value is not None]
        found.append(
            {
                "site_id": site,
                "name": names.get(site, site),
                "in_the_plan": kept.get(site, ""),
                "price_of_keeping_gbp_pa": more["keep"],
                "price_of_losing_gbp_pa": more["close"],
                "margin_gbp_pa": max(known) if len(known) == len(pair) else None,
                "note": "; ".join(said),
            }
        )
    columns = ["site_id", "name", "in_the_plan", "price_of_keeping_gbp_pa", "price_of_losing_gbp_pa", "margin_gbp_pa", "note"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["margin_gbp_pa", "site_id"], na_position="last", ignore_index=True)


def _more(row: Mapping[str, Any] | pd.Series, base: Mapping[str, Any]) -> float | None:
    """GBP a year that a proven answer costs more than the base's; None where it is not proven."""
    return round(float(row["objective"]) - float(base["objective"]), 2) if row["status"] == "optimal" else None


def frequencies(rows: pd.DataFrame, free: tuple[str, ...], names: Mapping[str, str]) -> pd.DataFrame:
    """For each free building, in how many of the scenarios about assumptions it is kept: ``kept, scenarios, share``."""
    chosen = rows[rows["kind"].isin(ASSUMPTIONS) & rows["sites"].notna()].drop_duplicates("hash")
    count = dict.fromkeys(free, 0)
    for pairs in chosen["sites"]:
        for pair in pairs:
            if pair["id"] in count and pair["value"] in KEPT:
                count[pair["id"]] += 1
    n = len(chosen)
    frame = pd.DataFrame({"site_id": list(count), "name": [names.get(s, s) for s in count], "kept": list(count.values())})
    frame["scenarios"] = n
    frame["share"] = frame["kept"] / max(n, 1)
    return frame.sort_values(["share", "site_id"], ascending=[False, True], ignore_index=True)


def tornado(rows: pd.DataFrame) -> pd.DataFrame:
    """One assumption at a time: the yearly saving at its low and at its high end, widest first."""
    base = base_row(rows)
    each = rows[rows["kind"] == "ranges"]
    found = []
    for setting in dict.fromkeys(str(label).rpartition(" ")[0] for label in each["label"]):
        ends = {end: each[each["label"] == f"{setting} {end}"].iloc[0] for end in ("low", "high")}
        saving = {end: float(row["saving_gbp_pa"]) if row["status"] == "optimal" else np.nan for end, row in ends.items()}
        values = {end: next(iter(json.loads(row["changes"]).values())) for end, row in ends.items()}
        same = [_plan_key(row) == _plan_key(base) for row in ends.values()]
        found.append(
            {
                "assumption": setting,
                "low": values["low"],
                "high": values["high"],
                "saving_at_low_gbp_pa": saving["low"],
                "saving_at_high_gbp_pa": saving["high"],
                "swing_gbp_pa": abs(saving["high"] - saving["low"]),
                "plan_changes": not all(same),
            }
        )
    columns = ["assumption", "low", "high", "saving_at_low_gbp_pa", "saving_at_high_gbp_pa", "swing_gbp_pa", "plan_changes"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["swing_gbp_pa", "assumption"], ascending=[False, True], ignore_index=True)


def _plan_key(row: Mapping[str, Any] | pd.Series) -> str:
    """A plan's identity: what becomes of each site, and which points move."""
    parts = [row.get("sites"), row.get("moved")]
    if any(part is None or isinstance(part, float) for part in parts):
        return ""
    text = json.dumps([[(pair["id"], pair["value"]) for pair in part] for part in parts if part is not None])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def regret(rows: pd.DataFrame, batch: Batch) -> pd.DataFrame:
    """Each plan's greatest regret over the chosen scenarios, least first.

    Regret is what a plan costs in a scenario (GBP a year) above the scenario's own best.  A plan that breaks a rule of some
    scenario has none to compare (``breaks``).  Columns: ``plan, example, best_in, scenarios, breaks, worst_in, max_regret_gbp_pa,
    mean_regret_gbp_pa, is_base``.
    """
    anchor = batch.base.anchor
    chosen = rows[rows["regret"].fillna(value=False).astype(bool) & (rows["status"] == "optimal")].drop_duplicates("hash")
    chosen = chosen[~chosen["kind"].isin(["frontier", "alternatives"])]
    columns = [
        "plan",
        "example",
        "best_in",
        "scenarios",
        "breaks",
        "worst_in",
        "max_regret_gbp_pa",
        "mean_regret_gbp_pa",
        "is_base",
    ]
    if anchor is None or len(chosen) < 2 or anchor.problem.n_points != len(anchor.formulation.points):
        return pd.DataFrame(columns=columns)
    keys = chosen.apply(_plan_key, axis=1)
    first = chosen.assign(plan=keys).drop_duplicates("plan").set_index("plan")
    common = keys.value_counts()
    base_key = _plan_key(base_row(rows))
    order = sorted(common.index, key=lambda key: (key != base_key, -int(common[key]), key))[:MOST_PLANS]
    plans = [_solution(first.loc[key], batch) for key in order]
    table = np.full((len(chosen), len(order)), np.nan)
    for n, (changes, best) in enumerate(zip(chosen["changes"], chosen["objective"], strict=True)):
        costs = batch.evaluator.prices(json.loads(changes), plans)
        table[n] = [np.nan if each is None else each / 100 - best for each in costs]
    found = []
    labels = chosen["label"].tolist()
    for p, key in enumerate(order):
        column = table[:, p]
        breaks = int(np.isnan(column).sum())
        whole = not breaks
        found.append(
            {
                "plan": key,
                "example": first.loc[key, "label"],
                "best_in": int(common[key]),
                "scenarios": len(chosen),
                "breaks": breaks,
                "worst_in": labels[int(np.nanargmax(column))] if whole else "",
                "max_regret_gbp_pa": round(float(column.max()), 2) if whole else None,
                "mean_regret_gbp_pa": round(float(column.mean()), 2) if whole else None,
                "is_base": key == base_key,
            }
        )
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["max_regret_gbp_pa", "best_in", "plan"], ascending=[True, False, True], ignore_index=True)


def _solution(row: pd.Series, batch: Batch) -> Solution:
    """A stored plan in the terms of the base's problem."""
    anchor = batch.base.anchor
    if anchor is None:  # the caller has checked
        raise ValueError("no base plan")
    place = anchor.place
    state = {pair["id"]: pair["value"] for pair in row["sites"]}
    kept = np.array([state.get(str(site), "retained") in KEPT for site in place.sites.index])
    host = place.point_site.copy()
    for pair in row["moved"]:
        host[place.access_points.index == pair["id"]] = np.flatnonzero(place.sites.index == pair["value"])
    return anchor.formulation.solution(Plan(kept | place.outside, host))


def alternatives(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The best plans that differ by enough buildings, each with its proven distance from the best, and how it differs."""
    base = base_row(rows)
    before = {pair["id"]: pair["value"] in KEPT for pair in base["sites"]}
    found = []
    for _, row in rows[rows["kind"] == "alternatives"].iterrows():
        if not isinstance(row["sites"], list | np.ndarray):
            continue
        now = {pair["id"]: pair["value"] in KEPT for pair in row["sites"]}
        differ = sorted(site for site in now if now[site] != before.get(site))
        found.append(
            {
                "alternative": row["label"],
                "status": row["status"],
                "running_cost_gbp_pa": row["running_cost_gbp_pa"],
                "more_than_the_best_gbp_pa": _more(row, base),
                "buildings_that_differ": len(differ),
                "keeps": "; ".join(names.get(site, site) for site in differ if now[site]),
                "loses": "; ".join(names.get(site, site) for site in differ if not now[site]),
                "mean_m": row["mean_m"],
            }
        )
    columns = [
        "alternative",
        "status",
        "running_cost_gbp_pa",
        "more_than_the_best_gbp_pa",
        "buildings_that_differ",
        "keeps",
        "loses",
    ]
    return pd.DataFrame(found, columns=[*columns, "mean_m"])


def troubles(rows: pd.DataFrame) -> pd.DataFrame:
    """Scenarios without a proven answer, and why: ``family, label, status, reason``; failures first."""
    bad = rows[rows["status"] != "optimal"]
    bad = bad.assign(order=(bad["status"] != FAILED).astype(int)).sort_values(["order", "family", "label"])
    return bad[["family", "label", "status", "reason"]].reset_index(drop=True)


# -------------------------------------------------------------------------------------------------- last night


def summary(rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Each scenario's answer in short, for the next night to compare with: status, objective, plan."""
    return {
        f"{row['family']}: {row['label']}": [row["status"], _number(row["objective"]), _plan_key(row)]
        for _, row in rows.iterrows()
    }


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 2)


def changed(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the last published night: inputs, versions, scenarios and answers."""
    if before is None:
        return {"first": True, "inputs": [], "versions": [], "new": [], "gone": [], "answers": []}

    def differing(key: str) -> list[str]:
        old, new = before.get(key, {}), now[key]
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))

    old, new = before.get("answers", {}), now["answers"]
    answers = []
    for label in sorted(set(old) & set(new)):
        (status_0, value_0, plan_0), (status_1, value_1, plan_1) = old[label], new[label]
        if (status_0, value_0) != (status_1, value_1) or plan_0 != plan_1:
            answers.append(
                {
                    "scenario": label,
                    "status_before": status_0,
                    "status_now": status_1,
                    "objective_before": value_0,
                    "objective_now": value_1,
                    "plan_changed": plan_0 != plan_1,
                }
            )
    size = [abs((each["objective_now"] or 0) - (each["objective_before"] or 0)) for each in answers]
    order = sorted(range(len(answers)), key=lambda i: (not answers[i]["scenario"].startswith("base"), -size[i]))
    return {
        "first": False,
        "finished_before": before.get("execution", {}).get("finished", ""),
        "inputs": differing("inputs"),
        "versions": differing("versions"),
        "new": sorted(set(new) - set(old)),
        "gone": sorted(set(old) - set(new)),
        "answers": [answers[i] for i in order],
    }
