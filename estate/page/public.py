"""What may be published: a run without the values, receipts and prices of single buildings, lease terms and confidential rows.

Three rules, and everything that is published goes through :func:`redacted`:

1. No byte depends on a confidential row: :mod:`estate.page.shown` works everything out again without them.
2. Everything is left out unless it is listed here, so that a new column is private until somebody decides otherwise.
3. What is private of every building (values, receipts, prices, one-off costs) is said only as a total over three buildings or
   more, and in round figures; and not at all on a page that sets plans side by side which differ by fewer than three.

Sentences that people wrote are left out where they speak of prices or leases, or name a confidential row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.page import facts, words
from estate.page.shown import NOBODY, NOT_SHOWN, Secrets, secrets, shown_run
from estate.place import shown
from estate.runs.run import CERTIFICATE
from estate.scenario import Objective

if TYPE_CHECKING:
    from estate.runs.run import Run

FEWEST = 3
"""A total over fewer buildings than this is as good as their prices."""

DIGITS = 2
"""How many figures of a private total are said: 12,345,678 is 12,000,000."""

TABLES: Mapping[str, tuple[str, ...]] = {
    "sites": (
        "site_id", "name", "agency", "agency_name", "kind", "tenure", "candidate", "before", "after", "services_before",
        "services_after",
        "area_used_before_m2", "area_used_after_m2", "capacity_m2", "running_cost_before_gbp_pa", "running_cost_after_gbp_pa",
        "why", "district", "illustrative", "easting_m", "northing_m",
    ),
    "moves": (
        "access_point_id", "name", "service", "kind", "agency", "from_site_id", "from_name", "to_site_id", "to_name",
        "distance_m", "time_s", "area_m2", "why", "consultation", "consultation_reason",
    ),
    "places": (
        "service", "group", "value", "places_before", "places_after", "change", "counters_moved", "counters_merged",
    ),
    "spaces": (
        "service", "agency", "spaces", "area_m2", "staff_fte", "spaces_moved", "area_moved_m2", "staff_moved_fte",
        "mean_distance_m", "most_distance_m", "mean_time_s", "most_time_s",
    ),
    "one_roof": (
        "services", "rule", "limit", "buildings_before", "buildings_after", "people", "people_before", "people_after",
    ),
    "access": (
        "service", "group", "value", "people", "limit", "under_limit", "within_before", "within_after", "mean_before_m",
        "mean_after_m", "median_before_m", "median_after_m", "p95_before_m", "p95_after_m", "better_off", "worse_off",
        "worse_mean_m",
    ),
    "zones": (
        "zone_id", "name", "service", "population", "district", "site_before", "site_after", "distance_before_m",
        "distance_after_m", "time_before_s", "time_after_s", "limit_m", "within_before", "within_after",
    ),
    "standards": (
        "name", "service", "rule", "source", "status", "before", "after", "detail_before", "detail_after", "kept",
        "beyond_before", "newly_beyond",
    ),
    "affected": (
        "zone_id", "name", "district", "service", "people", "distance_before_m", "distance_after_m", "farther_m",
    ),
    "agencies": ("agency", "name", "cost_before_gbp_pa", "cost_after_gbp_pa", "gain_gbp_pa"),
    "options": (
        "option", "kind", "running_cost_gbp_pa", "sites", "hubs", "moves", "merges", "people_farther", "most_farther_m",
        "most_longer_s",
    ),
    "option_access": (
        "option", "service", "people", "limit", "under_limit", "within_before", "within_after", "mean_before_m",
        "mean_after_m", "median_before_m", "median_after_m", "p95_before_m", "p95_after_m", "better_off", "worse_off",
        "worse_mean_m",
    ),
    "programme": (
        "year", "step", "access_point_id", "service", "agency", "site_id", "building", "to_site_id", "to_building",
    ),
    "access_by_year": (
        "year", "service", "people", "limit", "under_limit", "within_before", "within_after", "mean_before_m",
        "mean_after_m", "better_off", "worse_off", "worse_mean_m",
    ),
    "unknowns": ("topic", "not_known", "why_it_matters", "what_would_help"),
    "assumptions": ("table", "id", "column", "value", "source"),
}  # fmt: skip
"""The columns that may be published, by table."""

MANIFEST = (
    "status", "gap", "baseline_gbp_pa", "saving_gbp_pa", "sites_before", "sites_after", "hubs_before", "hubs_after",
    "moves", "merges", "spaces_moved", "staff_moved_fte", "verified", "repeatable", "versions", "left_out",
)  # fmt: skip
SENTENCES = ("why", "consultation_reason", "option")
"""Columns of sentences that may speak of prices or leases."""
WORDS = ("rule", "source", "detail_before", "detail_after", "not_known", "why_it_matters", "what_would_help")
"""Further columns of sentences, which may name a row."""
PLACE_SITES = ("name", "agency", "kind", "status", "in_use", "district", "easting_m", "northing_m", "illustrative")
PLACE_POINTS = ("name", "site_id", "service", "agency", "illustrative")

_PRIVATE_FIGURE = re.compile(
    r"value|price|receipt|disposal|lease|exit|years_to_sale|fitout|removal|agreed|gross|net_|\brent|landlord|backlog|capital_gbp|opening_capital",
    re.IGNORECASE,
)
_PRIVATE_WORDS = re.compile(
    r"£|GBP|\brents?\b|\blease|\breceipt|\bvalue|\bprice|\bsale\b|\bsold\b|\bdilapidation|\bbuyer", re.IGNORECASE
)


__all__ = ["NOT_SHOWN", "left_out", "notice", "redacted", "without_receipts"]


def redacted(run: Run) -> Run:
    """The run as it may be published."""
    names = secrets(run)
    run = shown_run(run)
    tables = {
        name: _said(_columns(facts.table(run, name), columns), names) for name, columns in TABLES.items() if name in run.tables
    }
    if "assumptions" in tables:
        tables["assumptions"] = _assumptions(tables["assumptions"])
    if rented(run):
        # A sum with rents in it, less the running cost of its buildings, which is published, is what they are let for.
        tables.pop("agencies", None)
        if "options" in tables:
            tables["options"] = tables["options"].drop(columns="running_cost_gbp_pa")
    sites = _columns(run.place.sites, PLACE_SITES)
    place = replace(
        run.place,
        sites=sites.assign(
            shown=sites.index != NOBODY, illustrative=_public_marks(run.place.sites.get("illustrative"), len(sites))
        ),
        access_points=_columns(run.place.access_points, PLACE_POINTS),
        travel=None,
        issues=(),
        digests={},
    )
    name = _unnamed(run.scenario.name, names) or "plan"
    said = {key: _unnamed(getattr(run.scenario, key), names) for key in ("title", "description")}
    scenario = run.scenario.model_copy(update={**said, "name": name})
    return replace(run, scenario=scenario, place=place, tables=tables, manifest={**_manifest(run), "name": name})


def rented(run: Run) -> bool:
    """Whether any building has a rent, which is no part of its running cost and is not published."""
    return bool((pd.to_numeric(run.place.sites.get("rent_gbp_pa", pd.Series(dtype=float))) > 0).any())


def left_out(run: Run) -> list[str]:
    """What the public version of a run leaves out, a clause each, for whoever is about to hand it on."""
    public = redacted(run)
    tables = [f"{name}.csv" for name in run.tables if name not in public.tables]
    columns = [
        f"{name}.{column}" for name, table in public.tables.items() for column in run.tables[name] if column not in table
    ]
    files = [*sorted(tables), "finance.xlsx", *([CERTIFICATE] if run.certificate is not None else [])]
    found = [f"{', '.join(files)} and the folder data"]
    if columns:
        found.append(f"{len(columns)} columns of the other tables ({', '.join(columns)})")
    for what, frame in (
        ("buildings", run.place.sites),
        ("access points", run.place.access_points),
        ("agencies", run.place.agencies),
    ):
        hidden = int((~shown(frame)).sum())
        if hidden:
            found.append(f"{hidden} confidential {what}")
    if rented(run):
        found.append("rents: the running costs shown are those of the buildings alone")
    if "receipts_gbp" not in public.manifest:
        found.append(f"the total of receipts, which fewer than {FEWEST} buildings bring")
    return found


def _columns(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    return frame[[column for column in columns if column in frame]]


def _said(frame: pd.DataFrame, names: Secrets) -> pd.DataFrame:
    """A table with only what may be said in its sentences, and marks only on columns that are shown."""
    said = {column: [_unpriced(_unnamed(text, names)) for text in frame[column]] for column in SENTENCES if column in frame}
    said |= {column: [_unnamed(text, names) for text in frame[column]] for column in WORDS if column in frame}
    marks = {"illustrative": _public_marks(frame["illustrative"], len(frame))} if "illustrative" in frame else {}
    return frame.assign(**said, **marks)


def _unpriced(text: str) -> str:
    """Somebody's words, without the sentences that speak of prices and leases."""
    return " ".join(each for each in _sentences(text) if not _PRIVATE_WORDS.search(each))


def _unnamed(text: Any, names: Secrets) -> str:
    """Somebody's words, without the sentences that name a confidential row."""
    return " ".join(each for each in _sentences(text) if not names.named_in(each))


def _sentences(text: Any) -> list[str]:
    return re.split(r"(?<=[.;])\s+", "" if text is None or pd.isna(text) else str(text))


def _public_marks(marks: pd.Series | None, count: int) -> list[str]:
    """Which columns are assumed, naming only columns that are shown."""
    if marks is None:
        return [""] * count
    return [
        ";".join(sorted(c for c in facts.assumed_columns(text) if not _PRIVATE_FIGURE.search(c))) for text in marks.fillna("")
    ]


def _assumptions(frame: pd.DataFrame) -> pd.DataFrame:
    private = pd.Series(data=False, index=frame.index)
    for column in ("column", "table"):
        if column in frame:
            private |= frame[column].astype(str).str.contains(_PRIVATE_FIGURE)
    if "table" in frame:
        private |= ~frame["table"].astype(str).isin(("sites", "access_points", "zones", "agencies"))
    if "source" in frame:
        private |= frame["source"].astype(str).str.contains(_PRIVATE_WORDS)
    return frame[~private].reset_index(drop=True)


def _manifest(run: Run) -> dict[str, Any]:
    manifest = {key: run.manifest[key] for key in MANIFEST if key in run.manifest}
    if rented(run):
        columns = ("running_cost_before_gbp_pa", "running_cost_after_gbp_pa")
        cost = facts.table(run, "sites", columns)
        before, after = (round(float(pd.to_numeric(cost[name]).sum()), 2) for name in columns)
        manifest |= {"baseline_gbp_pa": before, "saving_gbp_pa": round(before - after, 2), "rents_left_out": True}
    *_, sold = facts.receipts(run)
    if sold == 0 or sold >= FEWEST:
        manifest |= {key: _rounded(run.manifest.get(key)) for key in ("receipts_gbp", "npv_gbp")}
        manifest |= {"horizon_years": run.manifest.get("horizon_years"), "receipt_buildings": sold}
        manifest["receipts_assumed"] = facts.assumed(run, "market_value_gbp")
    if not (run.manifest.get("left_out") or rented(run)) and run.scenario.money.objective is Objective.RUNNING_COST:
        # The bound of another objective holds receipts, and of a place with rents these; with rows left out it holds theirs.
        manifest["bound_gbp_pa"] = run.manifest.get("bound_gbp_pa")
    moved = facts.table(run, "moves", ("from_site_id",))["from_site_id"].nunique()
    if moved == 0 or moved >= FEWEST:
        manifest["one_off_gbp"] = _rounded(run.manifest.get("one_off_gbp"))
    return manifest


def _rounded(amount: Any) -> float | None:
    """An amount in round figures: :data:`DIGITS` of them."""
    return None if amount is None or pd.isna(amount) else float(f"{float(amount):.{DIGITS - 1}e}")


def notice(run: Run) -> str:
    """What a reader of a redacted run must know about what it leaves out, in a sentence or two; empty where that is nothing."""
    services, rents = run.manifest.get("left_out"), run.manifest.get("rents_left_out")
    told = "Rents are left out of every figure here, so that costs are those of running the buildings." if rents else ""
    if services is None:
        return told
    said = "Some buildings, counters or agencies are confidential and are left out of every figure here, sums of money too."
    if services:
        labels = words.listed([words.plain(run.scenario.service_label(each)) for each in services])
        said += f" Journeys are to the nearest building that is shown, so that some to these are shorter: {labels}."
    return f"{said} {told}".strip()


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
