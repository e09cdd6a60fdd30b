"""``maps/index.html``: every run with a small picture, its figures, its status and its date, newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import pandas as pd
from shapely.geometry.base import BaseGeometry

from estate.page import assets, facts, geography, words
from estate.page.sketch import Sketch, sketch
from estate.runs.files import earlier_runs, list_runs
from estate.runs.run import DATA, Run
from estate.scenario import Objective

MOST_OUTLINES = 100
"""Beyond this many runs the pictures do without outlines, so that a night's thousand what-ifs list quickly."""


def render_gallery(runs: Iterable[Run]) -> str:
    """The list of runs as one HTML file; each links to ``<name>/index.html`` beside it.

    It holds no prices, but every building and every total: where a run has confidential rows the page says INTERNAL.
    """
    cards = []
    for run in runs:
        sites = facts.table(run, "sites", ("easting_m", "northing_m", "after"))
        cards.append(_card(run.manifest, sites, geography.outline(run.place)))
    return _page(cards)


def write_gallery(out: Path) -> Path:
    """Write ``index.html`` for the runs published under a folder, from their manifests and small tables only."""
    cards = []
    found = list_runs(out)
    for name, manifest in found:
        file = out / name / "sites.csv"
        sites = pd.read_csv(file, dtype=str, keep_default_na=False) if file.is_file() else pd.DataFrame()
        sites = sites.reindex(columns=["easting_m", "northing_m", "after"])
        outline = _outline(out / name) if len(found) <= MOST_OUTLINES else None
        cards.append(_card({**manifest, "name": name}, sites, outline) | {"earlier": _earlier(out, name)})
    page = out / "index.html"
    new = out / ".index.html.new"
    new.write_text(_page(cards), encoding="utf-8", newline="\n")
    new.replace(page)
    return page


def _earlier(out: Path, name: str) -> list[dict[str, str]]:
    """The runs of a name before its last one: when, what was found, and where they are."""
    found = []
    for folder, manifest in earlier_runs(out, name):
        saving = facts.number(manifest, "saving_gbp_pa")
        found.append(
            {
                "href": f"{quote(folder.relative_to(out).as_posix())}/index.html",
                "folder": folder.relative_to(out).as_posix(),
                "date": _date(str((manifest.get("execution") or {}).get("finished") or "")),
                "saving": words.gbp_short(None if saving is None else -saving, signed=True),
                "buildings": f"{words.count(manifest.get('sites_before'))} → {words.count(manifest.get('sites_after'))}",
            }
        )
    return found


def _outline(folder: Path) -> BaseGeometry | None:
    file = folder / DATA / "context.parquet"
    return geography.outline_of(gpd.read_parquet(file)) if file.is_file() else None


def _card(manifest: Mapping[str, Any], sites: pd.DataFrame, outline: BaseGeometry | None) -> dict[str, Any]:
    name = words.clean(manifest.get("name"))
    saving = facts.number(manifest, "saving_gbp_pa")
    finished = str((manifest.get("execution") or {}).get("finished") or "")
    picture: Sketch = sketch(sites, outline, width=300)
    return {
        "name": name,
        "internal": bool(manifest.get("confidential")),
        "href": f"{quote(name)}/index.html",
        "title": words.clean(manifest.get("title") or name),
        "description": words.clean(manifest.get("description")),
        "proof": words.proof(manifest, str(manifest.get("objective") or Objective.RUNNING_COST)),
        "date": _date(finished),
        "finished": finished,
        "earlier": [],
        "picture": picture,
        "figures": [
            ("Running cost a year", words.gbp_short(None if saving is None else -saving, signed=True)),
            ("Buildings", f"{words.count(manifest.get('sites_before'))} → {words.count(manifest.get('sites_after'))}"),
            ("Shared hubs", f"{words.count(manifest.get('hubs_before'))} → {words.count(manifest.get('hubs_after'))}"),
            ("Counters that move", words.count(manifest.get("moves"))),
        ],
    }


def _date(text: str) -> str:
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        return ""
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _page(cards: list[dict[str, Any]]) -> str:
    cards = sorted(cards, key=lambda card: (card["finished"], card["name"]), reverse=True)
    public = not any(card["internal"] for card in cards)
    context = {"title": "Plans for shared public buildings", "kind": "gallery", "public": public, "cards": cards}
    return assets.write(
        "gallery.html.j2",
        context,
        styles=[assets.static("page.css"), assets.static("sketch.css"), assets.static("gallery.css")],
    )
