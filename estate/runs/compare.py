"""What differs between two stored runs, in pounds, buildings, counters and people."""

from __future__ import annotations

from typing import Any

import pandas as pd

from estate.runs.corrections import corrections, settings_changed
from estate.runs.effects import with_effects
from estate.runs.run import Run

FIGURES = {
    "running cost, GBP a year": "running_cost_gbp_pa",
    "saving, GBP a year": "saving_gbp_pa",
    "capital receipts, GBP": "receipts_gbp",
    "one-off costs, GBP": "one_off_gbp",
    "buildings in use": "sites_after",
    "shared hubs": "hubs_after",
    "counters that move": "moves",
}


def figures(run: Run) -> dict[str, float]:
    """The comparable figures of a run, and people within each service's limit."""
    found = {words: float(run.manifest[name]) for words, name in FIGURES.items()}
    access = run.tables["access"]
    everyone = access[(access["group"] == "everyone") & (access["limit"] != "")]
    for row in everyone.itertuples():
        found[f"people within {row.limit}: {row.service}"] = float(row.within_after)  # type: ignore[arg-type]
    return found


def differences(first: Run, second: Run) -> dict[str, Any]:
    """Figures that both have (as pairs), sites whose state differs, access points that end up in another building, and why.

    Why: the settings and the cells of the tables that differ, each cell with what it did to the plan by itself.
    """
    a, b = figures(first), figures(second)
    cells = corrections(first.place, second.place)
    return {
        "first": first.scenario.name,
        "second": second.scenario.name,
        "figures": {name: (a[name], b[name]) for name in a if name in b},
        "sites": _differing(_states(first), _states(second)),
        "points": _differing(_hosts(first), _hosts(second)),
        "settings": settings_changed(first, second),
        "cells": [each.as_row() for each in with_effects(first, second, cells)] if cells else [],
    }


def _states(run: Run) -> pd.DataFrame:
    sites = run.tables["sites"].set_index("site_id")
    return pd.DataFrame({"name": sites["name"], "state": sites["after"]})


def _hosts(run: Run) -> pd.DataFrame:
    points, sites = run.place.access_points, run.place.sites
    name = points["name"].where(points["name"] != "", points.index)
    return pd.DataFrame({"name": name, "state": sites["name"].to_numpy()[run.plan.host]}, index=points.index)


def _differing(first: pd.DataFrame, second: pd.DataFrame) -> list[dict[str, str]]:
    joined = first.add_suffix("_first").join(second.add_suffix("_second"), how="outer").fillna("not in this run")
    changed = joined[joined["state_first"] != joined["state_second"]]
    return [
        {
            "id": str(row.Index),
            "name": str(row.name_first if row.name_first != "not in this run" else row.name_second),
            "first": str(row.state_first),
            "second": str(row.state_second),
        }
        for row in changed.itertuples()
    ]
