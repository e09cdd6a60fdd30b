"""The atlas: every county's figures, the sum of them between what was found and what is proven, and five years of it.

``counties.csv`` has a row for each county; ``prize.csv`` what they come to, low, central and high; ``sites.csv`` and
``atlas.gpkg`` every building and move of every county; ``atlas.html`` is a page that links to each county's own.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from estate.nation.work import FAILED, NO_PLAN
from estate.page.nation import render_atlas
from estate.place import CRS
from estate.report.tables import write_tables
from estate.runs.staging import writing

YEARS = 5
"""As in the estimate of 2013 that it is set beside."""
COST_SPREAD = (0.7, 1.3)
"""Assumed: running costs a m2 as a share of the rates used, low and high."""
ONE_OFF_SPREAD = (1.5, 0.7)
"""Assumed: one-off costs as a share of the rates used, where the prize is least and where it is most."""
MONEY = (
    "baseline_gbp_pa", "running_cost_gbp_pa", "saving_gbp_pa", "objective_gbp_pa", "bound_gbp_pa", "one_off_gbp", "receipts_gbp",
    "need_gbp",
)  # fmt: skip
COUNTS = ("people", "sites_before", "sites_after", "hubs_before", "hubs_after", "released", "moves", "merges")


def totals(rows: pd.DataFrame) -> dict[str, float]:
    """Sums over the counties that have a plan.

    ``open_gbp_pa`` is how much better than these plans, in the unit of the objective, any plans under the same limits can be: the
    sum of what each county's proof leaves open; ``gap`` is the same as a share of the objective.
    """
    there = rows[~rows["status"].isin([FAILED, NO_PLAN])].reindex(columns=[*MONEY, *COUNTS])
    found = {name: float(there[name].sum()) for name in (*MONEY, *COUNTS)}
    left = max(found["objective_gbp_pa"] - found["bound_gbp_pa"], 0.0)
    gap = left / found["objective_gbp_pa"] if found["objective_gbp_pa"] else 0.0
    return found | {"open_gbp_pa": left, "gap": gap, "counties": float(len(there)), "asked": float(len(rows))}


def prize(rows: pd.DataFrame, receipts: pd.DataFrame) -> pd.DataFrame:
    """Five years of every county's plan: ``item``, ``low_gbp``, ``central_gbp``, ``high_gbp``, ``basis``.

    ``receipts`` are the counties' capital receipts.  Once the buildings have closed; years before that are not counted.
    """
    sums = totals(rows)
    yearly, once = sums["saving_gbp_pa"], sums["one_off_gbp"]
    receipts = receipts.reindex(columns=["low_gbp", "gross_gbp", "high_gbp", "disposal_cost_gbp"])
    cost = receipts["disposal_cost_gbp"].sum()
    sold = [float(receipts[name].sum() - cost) for name in ("low_gbp", "gross_gbp", "high_gbp")]
    lines = [
        (
            "Saved a year",
            *(yearly * share for share in (COST_SPREAD[0], 1.0, COST_SPREAD[1])),
            f"running costs at {COST_SPREAD[0]:.0%} and {COST_SPREAD[1]:.0%} of the assumed rates: an assumed spread",
        ),
        (
            "One-off costs",
            *(-once * share for share in (ONE_OFF_SPREAD[0], 1.0, ONE_OFF_SPREAD[1])),
            f"moves at {ONE_OFF_SPREAD[0]:.0%} and {ONE_OFF_SPREAD[1]:.0%} of the assumed rates: an assumed spread",
        ),
        ("Receipts, less the cost of selling", *sold, "the low and high values of the buildings sold, themselves assumed"),
    ]
    table = pd.DataFrame(lines, columns=["item", "low_gbp", "central_gbp", "high_gbp", "basis"])
    ends = ["low_gbp", "central_gbp", "high_gbp"]
    net = YEARS * table.loc[0, ends] + table.loc[1, ends] + table.loc[2, ends]
    table.loc[len(table)] = [f"Net over {YEARS} full years", *net, f"{YEARS} x the saving, less one-off costs, plus receipts"]
    table[ends] = table[ends].astype("float64").round()
    return table


def write_atlas(out: Path, rows: pd.DataFrame) -> None:
    """Write the tables, the GeoPackage and the page of the counties that have a plan under ``out``.

    Raises
    ------
    WriteError
        When they cannot be written.
    """
    there = rows.loc[~rows["status"].isin([FAILED, NO_PLAN]), "name"]
    sites, moves, receipts = (_joined(out, there, table) for table in ("sites", "moves", "capital_receipts"))
    worth = prize(rows, receipts)
    with writing(out):
        write_tables(out, {"counties": rows.drop(columns=["key"]), "prize": worth, "sites": sites})
        (out / "atlas.gpkg").unlink(missing_ok=True)
        if len(sites):
            _write_layers(out / "atlas.gpkg", sites, moves)
        page = render_atlas(rows, totals(rows), worth, sites)
        (out / "atlas.html").write_text(page, encoding="utf-8", newline="\n")


def _joined(out: Path, names: pd.Series, table: str) -> pd.DataFrame:
    """One table of every county, with its name in front."""
    frames = [pd.read_csv(out / name / f"{table}.csv", low_memory=False).assign(county=name) for name in names]
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["county"])
    return whole[["county", *whole.columns.drop("county")]]


def _write_layers(file: Path, sites: pd.DataFrame, moves: pd.DataFrame) -> None:
    """``sites`` (points) and ``moves`` (lines), EPSG:27700; sites have ids within their county."""
    at = sites.set_index(["county", "site_id"])[["easting_m", "northing_m"]]
    ends = [
        at.reindex(pd.MultiIndex.from_frame(moves[["county", name]])).to_numpy(dtype=np.float64)
        for name in ("from_site_id", "to_site_id")
    ]
    points = shapely.points(sites[["easting_m", "northing_m"]].to_numpy(dtype=np.float64))
    gpd.GeoDataFrame(sites, geometry=points, crs=CRS).to_file(file, layer="sites", driver="GPKG", engine="pyogrio")
    lines = np.atleast_1d(np.asarray(shapely.linestrings(np.stack(ends, axis=1)))).tolist()
    gpd.GeoDataFrame(moves, geometry=lines, crs=CRS).to_file(file, layer="moves", driver="GPKG", engine="pyogrio", mode="a")
