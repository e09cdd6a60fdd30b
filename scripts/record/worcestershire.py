"""The plan for Worcestershire beside what the county then did, counter by counter, and the programme's dates beside its dates.

The model never closes a counter: it only moves it.  So a police counter that the record closed can at most share a building here,
and that is counted as a difference, not as agreement.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from estate.pipeline.decide import decide
from estate.pipeline.prepare import prepare
from estate.pipeline.programme import programmed
from estate.runs.files import read_run
from estate.scenario import load_scenario

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / "inputs" / "worcestershire"
RECORD = ROOT / "scripts" / "sources" / "data" / "outcomes.csv"


def outcome(run: Path | None = None) -> pd.DataFrame:
    """The record's counters with ``plan``, ``date`` (when the programme moves it) and ``same``.

    ``run`` is a stored run of the main job; without one it is solved afresh, as the programme always is; nothing is kept.
    """
    if run is None:
        decided = decide(prepare(load_scenario(PLACE)))
        moves, place = decided.appraisal.tables["moves"], decided.prepared.place
    else:
        stored = read_run(run)
        moves, place = stored.tables["moves"], stored.place
    with tempfile.TemporaryDirectory() as folder:
        found = programmed(PLACE / "programme.toml", out=Path(folder))
        if found.out is None:
            raise RuntimeError("the programme was not published")
        steps = read_run(found.out).tables["moves"].set_index("access_point_id")
    record = pd.read_csv(RECORD, dtype=str, keep_default_na=False)
    to = moves.set_index("access_point_id")["to_name"]
    points = place.access_points.loc[record["access_point_id"]]
    moved = record["access_point_id"].isin(to.index)
    home = points["site_id"].map(place.sites["name"]).to_numpy()
    record["service"], record["counter"] = points["service"].to_numpy(), points["name"].to_numpy()
    record["plan"] = np.where(moved, "moves to " + record["access_point_id"].map(to).fillna(""), "stays (" + home + ")")
    record["date"] = record["access_point_id"].map(steps["date"].astype(str)).fillna("")
    record["same"] = ((record["kind"] == "shared") & moved) | ((record["kind"] == "stayed") & ~moved)
    return record
