"""Reading, places, assumed figures and byte-stable writing: what both counties share."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low

DATA = Path(__file__).parent / "data"
"""Tables written by hand: assumptions, and what the public record says where no list is published."""

BASE_DATE = "2014-08-31"
IMD_AREAS = 32_844
"""Small areas ranked by the Index of Multiple Deprivation 2015 in England; rank 1 is the most deprived."""

SERVICES = ("advice_centre", "clinic", "council_office", "gp_practice", "jobcentre", "library", "police_desk")
KINDS = ("office", "library", "health", "police", "school", "community", "other")

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """The rows of a CSV file as text, blanks stripped."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [{k: (v or "").strip() for k, v in row.items()} for row in csv.DictReader(stream)]


def write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]], key: Sequence[str]) -> int:
    """Write rows in order of ``key``, columns in the order given, LF line ends; the number of rows."""
    ordered = sorted(rows, key=lambda row: [str(row[k]) for k in key])
    keys = [tuple(str(row[k]) for k in key) for row in ordered]
    if len(set(keys)) != len(keys):
        twice = sorted({k for k in keys if keys.count(k) > 1})
        raise SystemExit(f"{path.name}: the same key twice: {twice}")
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="raise")
        out.writeheader()
        out.writerows({column: text(row.get(column, "")) for column in columns} for row in ordered)
    return len(ordered)


def text(value: object) -> str:
    """A cell: whole numbers without a point, others with two decimals at most."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def write_geojson(path: Path, features: Sequence[Mapping[str, object]], notice: str) -> None:
    """One feature a line, so that a change shows as a line."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in features)
    head = json.dumps({"notice": notice}, ensure_ascii=False)[1:-1]
    path.write_text(f'{{"type":"FeatureCollection",{head},"features":[\n{lines}\n]}}\n', encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Assumptions:
    """The one table of rates; ``a("area", "library_45h")`` is a number from it."""

    values: Mapping[tuple[str, str], float]

    @classmethod
    def load(cls) -> Assumptions:
        """The table under ``data``."""
        return cls({(r["item"], r["key"]): float(r["value"]) for r in read(DATA / "assumptions.csv")})

    def __call__(self, item: str, key: str = "all") -> float:
        try:
            return self.values[item, key]
        except KeyError:
            raise SystemExit(f"assumptions.csv has no row for {item}, {key}") from None


@dataclass
class Report:
    """What was dropped and why, printed at the end."""

    dropped: list[tuple[str, str, str]] = field(default_factory=list)

    def drop(self, table: str, what: str, why: str) -> None:
        """Note one record that was left out."""
        self.dropped.append((table, what, why))

    def show(self) -> None:
        """Print every record left out."""
        print(f"dropped {len(self.dropped)} records:")
        for table, what, why in sorted(self.dropped):
            print(f"  {table}: {what}: {why}")


@dataclass(frozen=True)
class Point:
    """EPSG:27700 metres, and the district it is in."""

    easting: int
    northing: int
    district: str


class Places:
    """Where things are.

    A place is a postcode; ``area:`` and the beginning of postcodes, for their middle; ``list:`` and a postcode, for the
    point its list gives; or ``site:`` and a building placed before.
    """

    def __init__(self, codepoint: Path, districts: Mapping[str, str]) -> None:
        self.postcodes: dict[str, Point] = {}
        self.lsoa: dict[str, str] = {}
        for row in read(codepoint):
            if row["ladcd"] in districts:
                point = Point(round(float(row["easting"])), round(float(row["northing"])), districts[row["ladcd"]])
                self.postcodes[row["postcode"]] = point
                self.lsoa[row["postcode"]] = row["lsoa11cd"]
        self.listed: dict[str, Point] = {}
        self.sites: dict[str, Point] = {}

    def find(self, place: str) -> Point:
        """The point of a place; an unknown one stops the build."""
        kind, _, rest = place.partition(":")
        if not rest:
            return self.postcodes[place]
        if kind == "list":
            return self.listed[rest]
        if kind == "site":
            return self.sites[rest]
        near = [point for postcode, point in sorted(self.postcodes.items()) if postcode.startswith(rest)]
        names = [point.district for point in near]
        return Point(
            median_low(point.easting for point in near),
            median_low(point.northing for point in near),
            max(sorted(set(names)), key=names.count),
        )


SITE_COLUMNS = [
    "site_id",
    "name",
    "agency",
    "kind",
    "tenure",
    "capacity_m2",
    "other_use_m2",
    "in_use",
    "running_cost_gbp_pa",
    "hosting_cost_gbp_m2_pa",
    "market_value_gbp",
    "value_low_gbp",
    "value_high_gbp",
    "disposal_cost_gbp",
    "years_to_sale",
    "lease_end",
    "exit_cost_gbp",
    "status",
    "may_host",
    "condition_backlog_gbp",
    "easting",
    "northing",
    "location_approximate",
    "location_note",
    "postcode",
    "uprn",
    "ods_code",
    "eric_code",
    "district",
    "source",
    "capacity_m2_source",
    "running_cost_gbp_pa_source",
    "market_value_gbp_source",
    "condition_backlog_gbp_source",
    "licence",
    "illustrative",
]
POINT_COLUMNS = [
    "access_point_id",
    "site_id",
    "service",
    "agency",
    "name",
    "area_m2",
    "hall_area_m2",
    "desk_area_m2",
    "visits_pa",
    "ods_code",
    "source",
    "area_m2_source",
    "visits_pa_source",
    "licence",
    "illustrative",
]

RATES_NOTE = "assumptions.csv"


def access_point(a: Assumptions, area_m2: float, **row: str) -> dict[str, object]:
    """An access point of ``area_m2`` with the shares of hall and desk of its service."""
    service = row["service"]
    area = round(area_m2)
    assumed = ["area_m2", "hall_area_m2", "desk_area_m2"]
    if row.get("visits_pa_source", "").endswith("assumed"):
        assumed.append("visits_pa")
    return {
        **row,
        "area_m2": area,
        "hall_area_m2": round(area * a("hall_share", service)),
        "desk_area_m2": round(area * a("desk_share", service)),
        "area_m2_source": RATES_NOTE,
        "illustrative": ";".join(assumed),
    }


def money(row: dict[str, object], a: Assumptions, rate: str, published_cost: float | None = None) -> dict[str, object]:
    """Add every sum of money to a site that has its capacity; what is assumed is listed in ``illustrative``."""
    capacity = float(str(row["capacity_m2"]))
    kind = str(row["kind"])
    assumed = [each for each in str(row.get("illustrative", "")).split(";") if each]
    if published_cost is None:
        row["running_cost_gbp_pa"] = round(capacity * a("running_cost", rate), -2)
        row["running_cost_gbp_pa_source"] = f"{RATES_NOTE}: running_cost, {rate}"
        assumed.append("running_cost_gbp_pa")
    else:
        row["running_cost_gbp_pa"] = round(published_cost)
    sold = row["tenure"] == "freehold"
    asked = str(row.get("market_value_gbp", ""))
    value = float(asked) if asked else round(capacity * a("market_value", kind), -3) if sold else 0.0
    leased = row["tenure"] == "leasehold"
    if not sold:
        row["market_value_gbp_source"] = f"nil: nothing for a public body to sell ({row['tenure']})"
    elif not asked:
        row["market_value_gbp_source"] = f"{RATES_NOTE}: market_value, {kind}"
    row |= {
        "hosting_cost_gbp_m2_pa": a("hosting_cost", kind),
        "market_value_gbp": value,
        "value_low_gbp": round(value * a("value_low"), -3),
        "value_high_gbp": round(value * a("value_high"), -3),
        "disposal_cost_gbp": round(value * a("disposal_cost"), -2),
        "years_to_sale": a("years_to_sale"),
        "exit_cost_gbp": round(capacity * a("exit_cost", "leasehold"), -2) if leased else 0.0,
    }
    assumed.append("hosting_cost_gbp_m2_pa")
    # nothing is assumed where the tenure leaves nothing to sell: the value is nil
    assumed += ["market_value_gbp"] if sold and not asked else []
    assumed += ["value_low_gbp", "value_high_gbp", "disposal_cost_gbp", "years_to_sale"] if sold else []
    assumed += ["exit_cost_gbp"] if leased else []
    row["illustrative"] = ";".join(assumed)
    return row


def rates(a: Assumptions) -> list[dict[str, object]]:
    """Fit-out and removal for every service and kind of building, whole pounds a square metre."""
    return [
        {
            "service": service,
            "site_kind": kind,
            "fitout_gbp_m2": round(a("fitout", service) * a("fitout_factor", kind)),
            "removal_gbp_m2": a("removal"),
            "source": f"{RATES_NOTE}: fitout x fitout_factor, removal",
            "illustrative": "fitout_gbp_m2;removal_gbp_m2",
        }
        for service in SERVICES
        for kind in KINDS
    ]


RATE_COLUMNS = ("service", "site_kind", "fitout_gbp_m2", "removal_gbp_m2", "source", "illustrative")
AGENCY_COLUMNS = ("agency", "name", "kind", "takes_part", "source")


def copy_assumptions(folder: Path) -> None:
    """Put the one table of rates beside the figures made from it."""
    rows = read(DATA / "assumptions.csv")
    write(folder / "assumptions.csv", list(rows[0]), rows, ("item", "key"))


def library_band(hours: float) -> str:
    """The row of the rates table for a library open so many hours a week."""
    for least in (45, 35, 25, 10):
        if hours >= least:
            return f"library_{least}h"
    return "library_0h"


def library_capacity(a: Assumptions, footprint_m2: float) -> float:
    """Usable floor area of a library building from its ground footprint."""
    storeys = a("storeys", "footprint_600_or_more" if footprint_m2 >= 600 else "footprint_under_600")
    return footprint_m2 * a("net_to_gross") * storeys
