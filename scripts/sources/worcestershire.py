"""Worcestershire as it stood on 31 August 2014, before its services began to share buildings."""

from __future__ import annotations

import re
from pathlib import Path

from .common import (
    AGENCY_COLUMNS,
    DATA,
    POINT_COLUMNS,
    RATE_COLUMNS,
    SITE_COLUMNS,
    Assumptions,
    Places,
    Point,
    Report,
    Row,
    access_point,
    copy_assumptions,
    library_band,
    library_capacity,
    rates,
    read,
    write,
)
from .context import worcestershire_context
from .nhs import Eric
from .sites import area_used, finish
from .summary import summarise
from .zones import lsoa_zones

DISTRICTS = {
    "E07000234": "Bromsgrove",
    "E07000235": "Malvern Hills",
    "E07000236": "Redditch",
    "E07000237": "Worcester",
    "E07000238": "Wychavon",
    "E07000239": "Wyre Forest",
}
LIBRARY_SOURCE = "Arts Council England, libraries in England 2023"
Table = list[dict[str, object]]


def build(data: Path, folder: Path) -> None:
    """Write every table of the county into ``folder`` from the source files in ``data``."""
    a, report = Assumptions.load(), Report()
    eric = Eric(data / "nhs_eric_site_2015-16_worcestershire.csv", data / "nhs_eric_site_2013-14_worcestershire.csv")
    places = Places(data / "codepoint_open_2025-05_worcestershire.csv", DISTRICTS)
    for row in read(data / "jobcentres_worcestershire_2016.csv"):
        east, north = float(row["easting"]), float(row["northing"])
        places.listed[row["Postcode"]] = Point(round(east), round(north), DISTRICTS[row["ladcd"]])
    points: Table = _record_points(eric, a, report)
    drafts: Table = _libraries(data, a, places, points, report)
    drafts += _record_sites(places)
    drafts += _practices(data, a, places, points, report)
    _check_nhs(data, eric, drafts, report)
    sites = [finish(draft, a, eric, points) for draft in drafts]
    zones = lsoa_zones(data / "lsoa11_pwc_population_worcestershire.csv", places, folder)
    write(folder / "agencies.csv", AGENCY_COLUMNS, read(DATA / "agencies_worcestershire.csv"), ("agency",))
    write(folder / "sites.csv", SITE_COLUMNS, sites, ("site_id",))
    write(folder / "access_points.csv", POINT_COLUMNS, points, ("access_point_id",))
    write(folder / "rates.csv", RATE_COLUMNS, rates(a), ("service", "site_kind"))
    copy_assumptions(folder)
    worcestershire_context(data, folder, sites, DISTRICTS)
    report.show()
    summarise(sites, points, zones)


def _at(point: Point, note: str) -> dict[str, object]:
    return {
        "easting": point.easting,
        "northing": point.northing,
        "district": point.district,
        "location_approximate": "yes" if note else "no",
        "location_note": note,
    }


def _libraries(data: Path, a: Assumptions, places: Places, points: Table, report: Report) -> Table:
    ours = {row["library"]: row for row in read(DATA / "libraries_worcestershire.csv")}
    drafts: Table = []
    for row in read(data / "libraries_worcestershire_2023_geocoded.csv"):
        if row["type"] != "Static Library":
            report.drop("libraries", row["name"], f"{row['type'].lower()}: has no building of its own")
            continue
        own = ours.pop(row["name"])
        place = own["place"] or row["postcode"]
        point = places.find(place)
        places.sites[own["site_id"]] = point
        capacity = None
        same_building = own["uprn"] == "list" and own["kind"] == "library" and own["other_use"] == "no"
        if row["os_footprint_m2"] and same_building:
            capacity = library_capacity(a, float(row["os_footprint_m2"]))
        area = a("area", library_band(float(row["hours"])))
        if capacity:
            area = min(area, capacity * a("library_share") - area_used(points, own["site_id"]))
        drafts.append(
            {
                **{k: own[k] for k in ("site_id", "agency", "kind", "tenure", "may_host", "other_use", "size", "rate")},
                **_at(point, own["place_note"]),
                "name": own["site_name"],
                "capacity": capacity,
                "capacity_m2_source": "OS Open ground footprint x net_to_gross x storeys (assumptions.csv)",
                "market_value_gbp": own["market_value_gbp"],
                "market_value_gbp_source": own["market_value_source"],
                "postcode": "" if place.startswith("area:") else place,
                "uprn": row["uprn"] if own["uprn"] == "list" else "",
                "in_use": "yes",
                "source": "; ".join(filter(None, (LIBRARY_SOURCE, own["in_source"]))),
                "licence": "OGL-UK-3.0",
                "illustrative": "tenure" if not own["in_source"].startswith("Worcester News") else "",
            }
        )
        points.append(
            access_point(
                a,
                area,
                access_point_id=own["site_id"].replace("W-LIB", "LIB"),
                site_id=own["site_id"],
                service="library",
                agency="WCC",
                name=row["name"],
                source=f"{LIBRARY_SOURCE} (opening hours of 2023)",
                licence="OGL-UK-3.0",
            )
        )
    if ours:
        raise SystemExit(f"libraries_worcestershire.csv names libraries not in the list: {sorted(ours)}")
    return drafts


def _record_sites(places: Places) -> Table:
    drafts: Table = []
    for row in read(DATA / "record_worcestershire_sites.csv"):
        place = row.pop("place")
        point = places.find(place)
        places.sites[row["site_id"]] = point
        capacity = row.pop("capacity_m2")
        row["eric_code"] = row.pop("eric")
        drafts.append(
            {
                **row,
                **_at(point, row.pop("place_note")),
                "capacity": float(capacity) if capacity else None,
                "capacity_m2_source": "source" if capacity else "",
                "postcode": place.removeprefix("list:") if not place.startswith(("area:", "site:")) else "",
                "illustrative": row.pop("assumed"),
            }
        )
        drafts[-1].pop("place_note"), drafts[-1].pop("assumed")
        if capacity:
            drafts[-1]["published"] = True
    return drafts


def _record_points(eric: Eric, a: Assumptions, report: Report) -> Table:
    by_site = {row["site_id"]: row for row in read(DATA / "record_worcestershire_sites.csv")}
    found: Table = []
    for row in read(DATA / "record_worcestershire_points.csv"):
        key, status = row.pop("area"), row.pop("visits_status")
        area = a("area", key)
        if key == "clinic_centre":
            area *= eric.area(by_site[row["site_id"]]["eric"])[0]
        found.append(access_point(a, area, **row, visits_pa_source=status))
    for what, why in DROPPED:
        report.drop("public record", what, why)
    return found


DROPPED = (
    ("council hubs in Stourport High Street and Bewdley Load Street", "closed on 29 August 2014, before the base date"),
    ("Tenbury customer service centre", "planned in 2007 for the library's extension; no record that it opened"),
    ("Wyre Forest House, Kidderminster", "no record of a public counter there"),
    ("police at Evesham Community Contact Centre", "not among the front counters named when they were reviewed in 2014"),
    ("Citizens Advice in Evesham, Droitwich and Pershore", "last on record in February 2010"),
    ("Citizens Advice in Bromsgrove and Malvern", "no citable record of a bureau at the base date"),
    ("police headquarters and former station in the OpenStreetMap extract", "neither had a public counter"),
)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", name.upper().replace("'", "")).strip("-")


def _practices(data: Path, a: Assumptions, places: Places, points: Table, report: Report) -> Table:
    own = {(r["ods_code"], r["postcode"]): r for r in read(DATA / "gp_worcestershire.csv")}
    listed = read(data / "nhs_choices_2014_gp_surgeries_worcestershire.csv")
    today = {r["ods_code"]: r for r in read(data / "gp_practices_worcestershire_2025-09.csv")}
    by_code: dict[str, list[Row]] = {}
    for row in listed:
        by_code.setdefault(row["OrganisationCode"], []).append(row)
    at = {row["Postcode"] for row in listed}
    for code, row in sorted(today.items()):
        if code in by_code:
            continue
        if row["postcode"] in at:
            report.drop("GP practices 2025", f"{code} {row['name']}", "same surgery under an earlier code in 2014")
            continue
        by_code[code] = [{"OrganisationName": row["name"].title(), "Postcode": row["postcode"], "late": "yes"}]
    drafts: dict[str, dict[str, object]] = {}
    for code, rows in sorted(by_code.items()):
        now = today.get(code, {}).get("postcode", "")
        main = next((r for r in rows if r["Postcode"] == now), rows[0])
        for row in rows:
            postcode = row["Postcode"]
            extra = own.pop((code, postcode), {})
            name = extra.get("site_name") or row.get("Address1") or row["OrganisationName"]
            site = extra.get("site_id") or f"W-GP-{_slug(name)}"
            late = "late" in row
            source = f"NHS ODS September 2025 ({code}; not in the 2014 list)" if late else f"NHS Choices 2014 ({code})"
            licence = "OGL-UK-3.0" if late else "OGL-UK-2.0"
            size = extra.get("size") or ("gp_main" if row is main else "gp_branch")
            points.append(
                access_point(
                    a,
                    a("area", size),
                    access_point_id=f"GP-{code}" if row is main else f"GP-{code}-{postcode.replace(' ', '')}",
                    site_id=site,
                    service="gp_practice",
                    agency="GP",
                    name=re.sub(r"\s+", " ", row["OrganisationName"]),
                    ods_code=code,
                    source=source,
                    licence=licence,
                )
            )
            if site.startswith("W-NHS"):
                continue
            hall = size == "gp_hall"
            draft = drafts.setdefault(
                site,
                {
                    "site_id": site,
                    "name": name,
                    "agency": "VILLAGE-HALL" if hall else "GP",
                    "kind": "community" if hall else "health",
                    "tenure": "private",
                    "may_host": "none",
                    "other_use": "yes" if hall else "no",
                    "size": "village_hall" if hall else "",
                    "rate": "community" if hall else "health_private",
                    "capacity": None,
                    "in_use": "yes",
                    "postcode": postcode,
                    "ods_code": "",
                    "source": "",
                    "licence": licence,
                    "illustrative": "agency;tenure",
                    **_at(places.find(postcode), ""),
                },
            )
            draft["ods_code"] = ";".join(sorted({*str(draft["ods_code"]).split(";"), code} - {""}))
            draft["source"] = "; ".join(sorted({*str(draft["source"]).split("; "), source} - {""}))
    if own:
        raise SystemExit(f"gp_worcestershire.csv names surgeries not in the lists: {sorted(own)}")
    return list(drafts.values())


def _check_nhs(data: Path, eric: Eric, drafts: Table, report: Report) -> None:
    decided = {row["ods_code"]: row for row in read(DATA / "nhs_decisions_worcestershire.csv")}
    sites = {str(draft["site_id"]) for draft in drafts}
    seen: set[str] = set()
    for name in ("clinics", "hospitals"):
        for row in read(data / f"nhs_choices_2014_{name}_worcestershire.csv"):
            code, table = row["OrganisationCode"], f"NHS Choices {name}"
            if code in seen:
                report.drop(table, f"{code} {row['OrganisationName']}", "the same record listed again")
                continue
            seen.add(code)
            decision = decided[code]
            if decision["decision"] == "drop":
                report.drop(table, f"{code} {row['OrganisationName']}", decision["reason"])
            elif decision["decision"] not in sites:
                raise SystemExit(f"{code}: no site {decision['decision']}")
    if seen != set(decided):
        raise SystemExit(f"nhs_decisions_worcestershire.csv: not in the lists: {sorted(set(decided) - seen)}")
    kept = {str(draft.get("eric_code", "")) for draft in drafts}
    for code, name in eric.names.items():
        if code not in kept:
            report.drop("NHS ERIC", f"{code} {name}", _why_not(code))


def _why_not(code: str) -> str:
    if code == "AGGRE":
        return "many small sites added together"
    if code.startswith("RWP"):
        return "the acute trust's: the acute hospitals' estate is not in play"
    if code in {"R1A1C", "R1ADJ"}:
        return "support facility: no public counter"
    return "mental health, learning disability or inpatient unit: not a clinic open to all"
