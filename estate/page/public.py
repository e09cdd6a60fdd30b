"""What may be published: a run without the values, receipts and prices of single buildings, lease terms and confidential rows.

Everything is left out unless it is listed here, so that a new column is private until somebody decides otherwise.  Totals stay
when nobody can work a single building out of them: a sum over fewer than three buildings is left out, and so is a set of sums
whose difference would be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.page import facts

if TYPE_CHECKING:
    from estate.runs.run import Run

FEWEST = 3
"""A total over fewer buildings than this is as good as their prices."""

NOT_SHOWN = "A building not shown"

TABLES: Mapping[str, tuple[str, ...]] = {
    "sites": (
        "site_id", "name", "agency", "agency_name", "kind", "tenure", "before", "after", "services_before", "services_after",
        "area_used_before_m2", "area_used_after_m2", "capacity_m2", "running_cost_before_gbp_pa", "running_cost_after_gbp_pa",
        "why", "district", "illustrative", "easting_m", "northing_m",
    ),
    "moves": (
        "access_point_id", "name", "service", "agency", "from_site_id", "from_name", "to_site_id", "to_name", "distance_m",
        "time_s", "area_m2", "consultation", "consultation_reason",
    ),
    "access": (
        "service", "group", "value", "people", "limit", "within_before", "within_after", "mean_before_m", "mean_after_m",
        "median_before_m", "median_after_m", "p95_before_m", "p95_after_m", "better_off", "worse_off", "worse_mean_m",
    ),
    "zones": (
        "zone_id", "name", "service", "population", "district", "site_before", "site_after", "distance_before_m",
        "distance_after_m", "time_before_s", "time_after_s", "limit_m", "within_before", "within_after",
    ),
    "standards": ("name", "service", "rule", "source", "status", "before", "after", "detail_before", "detail_after"),
    "affected": (
        "zone_id", "name", "district", "service", "people", "distance_before_m", "distance_after_m", "farther_m",
    ),
    "agencies": ("agency", "name", "cost_before_gbp_pa", "cost_after_gbp_pa", "gain_gbp_pa"),
    "unknowns": ("topic", "not_known", "why_it_matters", "what_would_help"),
    "assumptions": ("table", "id", "column", "value", "source"),
}  # fmt: skip
"""The columns that may be published, by table."""

MANIFEST = (
    "name", "title", "status", "gap", "baseline_gbp_pa", "objective_gbp_pa", "bound_gbp_pa", "saving_gbp_pa", "sites_before",
    "sites_after", "hubs_before", "hubs_after", "moves", "verified", "repeatable", "versions", "standards",
)  # fmt: skip
PLACE_SITES = ("name", "agency", "kind", "status", "district", "easting_m", "northing_m", "illustrative")
PLACE_POINTS = ("name", "site_id", "service", "agency", "illustrative")

_PRIVATE_FIGURE = re.compile(
    r"value|price|receipt|disposal|lease|exit|years_to_sale|fitout|removal|agreed|gross|net_", re.IGNORECASE
)
_PRIVATE_WORDS = re.compile(r"£|GBP|\blease|\breceipt|\bvalue|\bprice|\bsale\b|\bsold\b|\bdilapidation|\bbuyer", re.IGNORECASE)


def redacted(run: Run) -> Run:
    """The run as it may be published."""
    site_shown, point_shown = _shown(run.place.sites), _shown(run.place.access_points)
    hidden_sites = set(run.place.sites.index[~site_shown].astype(str))
    hidden_points = set(run.place.access_points.index[~point_shown].astype(str))
    hidden_agencies = set(run.place.agencies.index[~_shown(run.place.agencies)].astype(str))
    tables = {name: _columns(facts.table(run, name), columns) for name, columns in TABLES.items() if name in run.tables}
    for name in ("sites", "moves"):
        if name in tables:
            tables[name] = _rows(tables[name], hidden_sites, hidden_points, hidden_agencies)
    if "zones" in tables:
        tables["zones"] = _without_names(tables["zones"], hidden_sites)
    if "assumptions" in tables:
        tables["assumptions"] = _assumptions(tables["assumptions"], hidden_sites | hidden_points | hidden_agencies)
    if hidden_agencies:
        tables.pop("agencies", None)  # with the total known, the ones left out would be the difference
    if 0 < len(hidden_sites) < FEWEST and "sites" in tables:
        tables["sites"] = tables["sites"].drop(
            columns=["running_cost_before_gbp_pa", "running_cost_after_gbp_pa"], errors="ignore"
        )
    agencies = run.place.agencies.assign(
        name=run.place.agencies["name"].where(
            ~run.place.agencies.index.astype(str).isin(hidden_agencies), "An agency not named"
        )
    )
    place = replace(
        run.place,
        agencies=agencies,
        sites=_columns(run.place.sites, PLACE_SITES).assign(
            shown=site_shown, illustrative=_public_marks(run.place.sites.get("illustrative"), len(site_shown))
        ),
        access_points=_columns(run.place.access_points, PLACE_POINTS).assign(shown=point_shown),
        issues=(),
    )
    return replace(run, place=place, tables=tables, manifest=_manifest(run))


def left_out(run: Run) -> list[str]:
    """What the public version of a run leaves out, a clause each, for whoever is about to hand it on."""
    shown = redacted(run)
    tables = [f"{name}.csv" for name in run.tables if name not in shown.tables]
    columns = [f"{name}.{column}" for name, table in shown.tables.items() for column in run.tables[name] if column not in table]
    found = [f"{', '.join(sorted(tables))}, finance.xlsx and plan.gpkg"] if tables else ["finance.xlsx and plan.gpkg"]
    if columns:
        found.append(f"{len(columns)} columns of the other tables ({', '.join(columns)})")
    for what, frame in (
        ("buildings", run.place.sites),
        ("access points", run.place.access_points),
        ("agencies", run.place.agencies),
    ):
        hidden = int((~_shown(frame)).sum())
        if hidden:
            found.append(f"{hidden} confidential {what}")
    if "receipts_gbp" not in shown.manifest:
        found.append(f"the total of receipts, which fewer than {FEWEST} buildings bring")
    return found


def _shown(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if "confidential" not in frame:
        return np.ones(len(frame), dtype=bool)
    return ~frame["confidential"].map(facts.truth).to_numpy(bool)


def _columns(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    return frame[[column for column in columns if column in frame]]


def _rows(frame: pd.DataFrame, sites: set[str], points: set[str], agencies: set[str]) -> pd.DataFrame:
    """Without confidential rows, and without their names where other rows mention them."""
    gone = pd.Series(data=False, index=frame.index)
    for column, hidden in (("site_id", sites), ("access_point_id", points)):
        if column in frame:
            gone |= frame[column].astype(str).isin(hidden)
    result = frame[~gone].copy()
    for key, name in (("from_site_id", "from_name"), ("to_site_id", "to_name")):
        if key in result and name in result:
            result[name] = result[name].where(~result[key].astype(str).isin(sites), NOT_SHOWN)
    if "agency" in result and "agency_name" in result:
        result["agency_name"] = result["agency_name"].where(~result["agency"].astype(str).isin(agencies), "An agency not named")
    for column in ("why", "consultation_reason"):
        if column in result:
            result[column] = [_public_words(text) for text in result[column]]
    if "illustrative" in result:
        result["illustrative"] = _public_marks(result["illustrative"], len(result))
    return result


def _without_names(zones: pd.DataFrame, hidden: set[str]) -> pd.DataFrame:
    """Zones that do not say which confidential building is their nearest."""
    where = [column for column in ("site_before", "site_after") if column in zones]
    return zones.assign(**{column: zones[column].where(~zones[column].astype(str).isin(hidden), "") for column in where})


def _public_words(text: Any) -> str:
    """A reason, sentence by sentence, without those that speak of prices and leases."""
    sentences = re.split(r"(?<=[.;])\s+", "" if text is None or pd.isna(text) else str(text))
    return " ".join(each for each in sentences if not _PRIVATE_WORDS.search(each))


def _public_marks(marks: pd.Series | None, count: int) -> list[str]:
    """Which columns are assumed, naming only columns that are shown."""
    if marks is None:
        return [""] * count
    return [
        ";".join(sorted(c for c in facts.assumed_columns(text) if not _PRIVATE_FIGURE.search(c))) for text in marks.fillna("")
    ]


def _assumptions(frame: pd.DataFrame, hidden: set[str]) -> pd.DataFrame:
    private = pd.Series(data=False, index=frame.index)
    for column in ("column", "table"):
        if column in frame:
            private |= frame[column].astype(str).str.contains(_PRIVATE_FIGURE)
    if "table" in frame:
        private |= ~frame["table"].astype(str).isin(("sites", "access_points", "zones", "agencies"))
    if "id" in frame:
        private |= frame["id"].astype(str).isin(hidden)
    if "source" in frame:
        private |= frame["source"].astype(str).str.contains(_PRIVATE_WORDS)
    return frame[~private]


def _manifest(run: Run) -> dict[str, Any]:
    manifest = {key: run.manifest[key] for key in MANIFEST if key in run.manifest}
    *_, sold = facts.receipts(run)
    if sold == 0 or sold >= FEWEST:
        manifest |= {key: run.manifest.get(key) for key in ("receipts_gbp", "npv_gbp", "horizon_years", "payback_years")}
        manifest |= {"receipt_buildings": sold, "receipts_assumed": facts.assumed(run, "market_value_gbp")}
    moved = facts.table(run, "moves", ("from_site_id",))["from_site_id"].nunique()
    if moved == 0 or moved >= FEWEST:
        manifest["one_off_gbp"] = run.manifest.get("one_off_gbp")
    return manifest


def without_receipts(run: Run) -> Run:
    """A redacted run without its total of receipts: where setting it beside another would give away a building's."""
    return replace(
        run,
        manifest={
            key: value
            for key, value in run.manifest.items()
            if key not in ("receipts_gbp", "one_off_gbp", "npv_gbp", "payback_years")
        },
    )
