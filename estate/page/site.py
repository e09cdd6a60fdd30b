"""One building on one sheet of paper, for a ward member: what happens, who moves, who is affected, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.errors import InputError, Issue
from estate.page import assets, facts, geography, words
from estate.page import public as publishing
from estate.page.facts import Journeys, Point
from estate.page.sketch import sketch

if TYPE_CHECKING:
    from estate.runs.run import Run

SENTENCES = {
    "hub": "It stays, and is shared by public services of two or more kinds.",
    "retained": "It stays in use.",
    "released": "It is no longer needed, and can be let go.",
    "closed to services": "It stays for its other uses, but no longer has a public counter.",
    "not in use": "It is not in use today, and the plan does not need it.",
    "outside": "It belongs to somebody else’s estate, and the plan does not change it.",
}


@dataclass(frozen=True, slots=True)
class Affected:
    """People for whom this is the nearest building with a service today: how many go farther, and how much."""

    service: str
    people: str
    farther: str
    extra: str


def render_site(run: Run, site_id: str, *, public: bool = False) -> str:
    """One page about one building, to print; raises :class:`InputError` for a building that the run has not, or may not show."""
    if public:
        run = publishing.redacted(run)
    frame = facts.table(run, "sites", ("site_id", "name", "after"))
    found = frame[frame["site_id"].astype(str) == site_id]
    if site_id not in run.place.sites.index or found.empty:
        wanted = site_id.lower()
        known = zip(frame["site_id"].astype(str), frame["name"].astype(str), strict=True)
        close = [key for key, name in known if wanted in key.lower() or wanted in name.lower()][:3]
        remedy = f"did you mean {' or '.join(close)}?" if close else "sites.csv lists the ids"
        raise InputError(issues=[Issue("site.unknown", f"there is no building '{words.plain(site_id)}' on this page", remedy)])
    here = int(run.place.sites.index.get_indexer(pd.Index([site_id]))[0])
    row = found.iloc[0].to_dict()
    points = facts.points(run)
    names = {str(key): words.clean(name) for key, name in zip(frame["site_id"], frame["name"], strict=True)}
    label = [names.get(str(key), publishing.NOT_SHOWN) for key in run.place.sites.index]
    links = [(point.home, point.host) for point in points if here in (point.home, point.host) and point.home != point.host]
    coordinates = run.place.sites[["easting_m", "northing_m"]].reset_index(drop=True)
    after = frame.assign(site_id=frame["site_id"].astype(str)).set_index("site_id")["after"].reindex(run.place.sites.index)
    focus = [here, *sorted({end for link in links for end in link} - {here})]
    context = {
        "title": f"{words.plain(row['name'])}: what the plan means",
        "kind": "site",
        "public": public,
        "missing": publishing.notice(run),
        "scenario": words.clean(run.scenario.label),
        "name": words.clean(row["name"]),
        "outcome": str(row["after"]),
        "outcome_word": words.OUTCOMES.get(str(row["after"]), words.clean(row["after"])),
        "sentence": SENTENCES.get(str(row["after"]), ""),
        "why": words.reason(row.get("why")),
        "leaving": [_move(run, point, label, to=True) for point in points if point.home == here != point.host],
        "arriving": [_move(run, point, label, to=False) for point in points if point.host == here != point.home],
        "staying": [_staying(run, point) for point in points if point.home == here == point.host],
        "affected": affected(run, facts.journeys(run), here),
        "facts": _facts(run, row, site_id),
        "picture": sketch(
            coordinates.assign(after=after.to_numpy()), geography.outline(run.place), width=340, links=links, focus=focus
        ),
        "proof": words.proof(run.manifest, run.scenario.money.objective),
        "attribution": run.scenario.page.attribution,
    }
    return assets.write(
        "site.html.j2", context, styles=[assets.static(name) for name in ("page.css", "sketch.css", "site.css")]
    )


def _move(run: Run, point: Point, label: list[str], *, to: bool) -> dict[str, Any]:
    moves = facts.table(
        run, "moves", ("access_point_id", "kind", "distance_m", "consultation", "consultation_reason", "one_off_gbp")
    )
    found = moves[moves["access_point_id"].astype(str) == point.point_id]
    row = found.iloc[0].to_dict() if len(found) else {}
    distance = row.get("distance_m")
    return {
        "service": words.clean(facts.service_label(run, point.service)),
        "name": words.clean(point.name),
        "merges": row.get("kind") == "merge",
        "where": label[point.host if to else point.home],
        "distance": "" if distance is None or pd.isna(distance) else words.miles(distance),
        "cost": words.gbp(row.get("one_off_gbp")),
        "consultation": point.consultation,
        "reason": words.rule_sentence(row.get("consultation_reason")),
    }


def _staying(run: Run, point: Point) -> dict[str, str]:
    return {"service": words.clean(facts.service_label(run, point.service)), "name": words.clean(point.name)}


def affected(run: Run, trips: Journeys, here: int) -> list[Affected]:
    """By service: the people whose nearest building this is today, and how much farther they go in the plan."""
    rows = []
    for k, service in enumerate(trips.services):
        mine = trips.site_before[:, k] == here
        farther = mine & trips.farther[:, k]
        if not mine.any():
            continue
        extra = facts.mean(np.where(farther, trips.change[:, k], np.nan), trips.people)
        rows.append(
            Affected(
                words.clean(facts.service_label(run, service)),
                words.count(trips.people[mine].sum()),
                words.count(trips.people[farther].sum()),
                trips.unit.say(extra) if extra is not None else "",
            )
        )
    return rows


def _facts(run: Run, row: Mapping[Any, Any], site_id: str) -> list[tuple[str, str, bool]]:
    """(what, how much, whether it is assumed) for the figures of the building that may be shown."""
    marked = facts.assumed_columns(row.get("illustrative"))
    lines: list[tuple[str, str, bool]] = []

    def add(label: str, text: str, column: str = "") -> None:
        if text:
            lines.append((label, text, column in marked))

    add("Held by", words.clean(row.get("agency_name")), "agency")
    add("Tenure", words.clean(row.get("tenure")), "tenure")
    add("District", words.clean(row.get("district")))
    add("Floor area", words.area(row.get("capacity_m2")), "capacity_m2")
    add("Used today", words.area(row.get("area_used_before_m2")))
    add("Used in the plan", words.area(row.get("area_used_after_m2")))
    add("Running cost a year today", words.gbp(row.get("running_cost_before_gbp_pa")), "running_cost_gbp_pa")
    add("Running cost a year in the plan", words.gbp(row.get("running_cost_after_gbp_pa")), "running_cost_gbp_pa")
    receipts = facts.table(run, "capital_receipts", ("site_id", "net_receipt_gbp", "why_nil"))
    if float(row.get("opening_gbp") or 0):
        add("Cost of opening, once", words.gbp(row.get("opening_gbp")), "capital_gbp")
    found = receipts[receipts["site_id"].astype(str) == site_id]
    if len(found):
        nil = words.clean(found.iloc[0]["why_nil"])
        add("Net receipt", words.gbp(found.iloc[0]["net_receipt_gbp"]) + (f": {nil}" if nil else ""), "market_value_gbp")
    return lines
