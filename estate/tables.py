"""The input tables: every column's name, type, unit, range and meaning, in one place.

Reading, checking, ``estate schema`` and the starter templates all work from these specifications, so that a column is
described once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ColumnKind(StrEnum):
    """How a column's text is read."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    DATE = "date"
    CHOICE = "choice"
    SERVICE = "service"
    SERVICES = "services"
    """Services separated by semicolons, or ``none``."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.  ``low``/``high`` are inclusive; ``default`` fills a blank or a missing starred column."""

    name: str
    kind: ColumnKind = ColumnKind.TEXT
    note: str = ""
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    default: str | float | bool | None = None
    refers_to: str = ""
    """The table whose key this column holds."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table.  ``key`` columns identify a row; with ``located`` it has a point; ``extra`` keeps unknown columns."""

    name: str
    note: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    located: bool = False
    extra: bool = False

    def column(self, name: str) -> Column:
        """The specification of a column; ``KeyError`` when there is none."""
        for each in self.columns:
            if each.name == name:
                return each
        raise KeyError(name)


AGENCY_KINDS = (
    "local_authority_england",
    "parish_england",
    "police",
    "fire",
    "joint_authority_england",
    "combined_authority_england",
    "london_functional_body",
    "national_park_england",
    "local_authority_wales",
    "local_authority_scotland",
    "nhs",
    "central_government",
    "private",
    "other",
)
"""What the law tells apart: ``estate/money/law.toml`` says what binds each.  ``police`` and ``fire`` are bodies of England."""
SITE_KINDS = ("office", "library", "health", "police", "school", "community", "other")
TENURES = ("freehold", "leasehold", "pfi", "private")
STATUSES = ("free", "keep", "close", "outside")
CANDIDATES = ("", "build", "buy", "refurbish")

_MOST_GBP = 1e10
_MOST_M2 = 1e7

MOST_TRAVEL_M = 2_000_000
MOST_TRAVEL_S = 2 * 24 * 3600
"""The longest journeys that can be real: farther or later is a stand-in for "unreachable", which is refused."""


def _gbp(name: str, note: str, *, required: bool = False, default: float | None = None, low: float = 0) -> Column:
    return Column(name, ColumnKind.NUMBER, note, required=required, low=low, high=_MOST_GBP, default=default)


def _m2(name: str, note: str, *, required: bool = False, default: float | None = None) -> Column:
    return Column(name, ColumnKind.NUMBER, note, required=required, low=0, high=_MOST_M2, default=default)


_PROVENANCE = (
    Column("source", note="where the row's figures come from", default=""),
    Column("illustrative", note="the columns of this row that are assumed, separated by semicolons", default=""),
    Column("confidential", ColumnKind.FLAG, "left out of what is published with --public", default=False),
)

AGENCIES = Table(
    "agencies",
    "bodies that run access points or hold title to buildings",
    ("agency",),
    (
        Column("agency", note="short id", required=True),
        Column("name", note="what people call it", required=True),
        Column("kind", ColumnKind.CHOICE, "decides which law applies to it", required=True, choices=AGENCY_KINDS),
        Column("takes_part", ColumnKind.FLAG, "whether its points and buildings may change", default=True),
        *_PROVENANCE,
    ),
    extra=True,
)

SITES = Table(
    "sites",
    "buildings: candidate hubs",
    ("site_id",),
    (
        Column("site_id", note="an id of yours, or the UPRN", required=True),
        Column("name", required=True, note="what people call the building"),
        Column("agency", required=True, note="who holds the title", refers_to="agencies"),
        Column("kind", ColumnKind.CHOICE, "kind of building", required=True, choices=SITE_KINDS),
        Column("tenure", ColumnKind.CHOICE, "how the title is held", required=True, choices=TENURES),
        _m2("capacity_m2", "floor area (NIA) of the whole building that public services use or could use", required=True),
        _m2("other_use_m2", "floor area used by anything not in the access points", default=0),
        Column("in_use", ColumnKind.FLAG, "whether it is paid for today", default=True),
        Column("candidate", ColumnKind.CHOICE, "not in use: how it could be had", choices=CANDIDATES, default=""),
        _gbp("capital_gbp", "not in use: capital that opening it costs its agency, once", default=0),
        Column(
            "ready_year", ColumnKind.NUMBER, "not in use: the financial year in which it can open at first", low=2003, high=2200
        ),
        Column("life_years", ColumnKind.NUMBER, "not in use: years after which that capital is spent again", low=1, high=350),
        _gbp("running_cost_gbp_pa", "running cost while open", required=True),
        _gbp("rent_gbp_pa", "rent paid for it, besides the running cost", default=0),
        Column("landlord", note="who receives the rent; blank: nobody among the agencies", default="", refers_to="agencies"),
        _gbp("hosting_cost_gbp_m2_pa", "extra running cost for each m2 of points moved in", default=0),
        _gbp("market_value_gbp", "value with vacant possession; blank: unknown"),
        _gbp("value_low_gbp", "low end of the valuation"),
        _gbp("value_high_gbp", "high end of the valuation"),
        _gbp("agreed_price_gbp", "price agreed with a buyer"),
        _gbp("disposal_cost_gbp", "cost of selling: agents, legal, marketing", default=0),
        Column("years_to_sale", ColumnKind.NUMBER, "from closing to the receipt", low=0, high=20, default=1),
        Column("lease_end", ColumnKind.DATE, "leasehold: when the lease ends"),
        Column("lease_break", ColumnKind.DATE, "leasehold: the first date it can be broken"),
        _gbp("exit_cost_gbp", "leaving: dilapidations, break penalty", default=0),
        Column("status", ColumnKind.CHOICE, "free, keep, close, or outside the place", choices=STATUSES, default="free"),
        Column(
            "may_host", ColumnKind.SERVICES, "services it may receive; 'none'; blank: any that suit the building", default=""
        ),
        Column("step_free", ColumnKind.CHOICE, "step-free access", choices=("yes", "no", ""), default=""),
        Column("epc", ColumnKind.CHOICE, "energy rating", choices=("A+", "A", "B", "C", "D", "E", "F", "G", ""), default=""),
        _gbp("condition_backlog_gbp", "repairs outstanding", default=0),
        Column("uprn", note="Unique Property Reference Number", default=""),
        Column("district", default="", note="the district it is in"),
        Column("visits_capacity_pa", ColumnKind.NUMBER, "most visits a year it can take", low=0, high=1e9),
        *_PROVENANCE,
    ),
    located=True,
    extra=True,
)

ACCESS_POINTS = Table(
    "access_points",
    "one service at one building today",
    ("access_point_id",),
    (
        Column("access_point_id", required=True, note="an id of yours"),
        Column("site_id", required=True, note="the building it is in today", refers_to="sites"),
        Column("service", ColumnKind.SERVICE, "which service", required=True),
        Column("agency", required=True, note="who runs it", refers_to="agencies"),
        Column("name", default="", note="what people call it"),
        _m2(
            "area_m2",
            "floor area it needs, with hall and desk; may be blank where staff_fte and services.NAME.desk_m2 give it",
            required=True,
        ),
        _m2("hall_area_m2", "part of it that can be shared by all: reception, waiting, meeting rooms", default=0),
        _m2("desk_area_m2", "part of it that one service needs once: counter, stock, back office", default=0),
        Column("visits_pa", ColumnKind.NUMBER, "visits a year", low=0, high=1e9),
        Column("staff_fte", ColumnKind.NUMBER, "staff, full-time equivalent", low=0, high=1e6),
        *_PROVENANCE,
    ),
    extra=True,
)

ZONES = Table(
    "zones",
    "small areas where people live",
    ("zone_id",),
    (
        Column("zone_id", required=True, note="LSOA, output area or an id of yours"),
        Column("population", ColumnKind.INTEGER, "residents", required=True, low=0, high=1e7),
        Column("name", default="", note="what people call it"),
        Column("source", default="", note="where the row's figures come from"),
        Column("illustrative", default="", note="the columns of this row that are assumed"),
    ),
    located=True,
    extra=True,
)

RATES = Table(
    "rates",
    "one-off cost of moving a service into a kind of building",
    ("service", "site_kind"),
    (
        Column("service", ColumnKind.SERVICE, "which service", required=True),
        Column(
            "site_kind",
            ColumnKind.CHOICE,
            "kind of building it moves into; blank: any",
            choices=(*SITE_KINDS, ""),
            default="",
        ),
        _gbp("fitout_gbp_m2", "fitting out", required=True),
        _gbp("removal_gbp_m2", "moving out of the old building", default=0),
        *_PROVENANCE,
    ),
)

HOSTING = Table(
    "hosting",
    "pairs of access point and site that differ from the rule",
    ("access_point_id", "site_id"),
    (
        Column("access_point_id", required=True, note="the point", refers_to="access_points"),
        Column("site_id", required=True, note="the building", refers_to="sites"),
        _gbp("cost_gbp_pa", "yearly cost of hosting it there, instead of area x hosting_cost_gbp_m2_pa"),
        Column("allowed", ColumnKind.FLAG, "no: it may not move there", default=True),
        Column("source", default="", note="where it comes from"),
    ),
)

LOCATION = (
    Column("easting", ColumnKind.NUMBER, "metres east, EPSG:27700 unless the table's crs says otherwise", low=-1e8, high=1e8),
    Column("northing", ColumnKind.NUMBER, "metres north, likewise", low=-1e8, high=1e8),
    Column("lat", ColumnKind.NUMBER, "latitude, WGS84 degrees; instead of easting and northing", low=-1e8, high=1e8),
    Column("lon", ColumnKind.NUMBER, "longitude, WGS84 degrees (west is negative)", low=-1e8, high=1e8),
    Column("lat_lon", note="latitude and longitude in one cell: 52.14, -1.98"),
    Column("geometry", note="a point or an outline as text, such as POINT (-1.98 52.14)"),
    Column("grid_reference", note="two letters and figures, such as SO 85 54"),
    Column("postcode", note="instead of coordinates, with a table of postcodes"),
)
"""Where a row of a ``located`` table is: one of these ways, or a geometry in the file."""

TABLES: Mapping[str, Table] = {each.name: each for each in (AGENCIES, SITES, ACCESS_POINTS, ZONES, RATES, HOSTING)}
"""The tables by name.  Travel, postcodes and context have shapes of their own (:mod:`estate.load`)."""
