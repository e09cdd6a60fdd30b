"""A scenario: every setting of a run, as frozen typed models read from TOML.

A scenario file may extend another (``extends``), and ``--set key=value`` or a what-if lays named changes on top, so a scenario
is always *base + patches*.  What is read here is only checked for shape, spelling and range; whether ids exist is checked
against the tables in :mod:`estate.validate`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from estate.errors import InputError, Issue, UsageError, Where

FILE_NAME = "estate.toml"
METRES = {"m": 1.0, "metre": 1.0, "metres": 1.0, "km": 1000.0, "kilometre": 1000.0, "kilometres": 1000.0}
METRES |= {"mile": 1609.344, "miles": 1609.344, "mi": 1609.344}
SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0, "minutes": 60.0}
_LIMIT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*", re.IGNORECASE)

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Settings(BaseModel):
    """Frozen, and strict about names: a misspelt key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Metric(StrEnum):
    """What a limit measures."""

    DISTANCE = "distance_m"
    TIME = "time_s"


class Limit(Settings):
    """A distance or a time, as written (``3 miles``) and as used (``4828.032`` m).  A journey is within it when ``<= value``."""

    text: str
    value: Positive
    metric: Metric

    @model_validator(mode="before")
    @classmethod
    def parse(cls, given: Any) -> Any:
        """Read ``"3 miles"``, ``"1200 m"``, ``"4.8 km"`` or ``"20 minutes"``."""
        if not isinstance(given, str):
            return given
        match = _LIMIT.fullmatch(given)
        unit = match[2].lower() if match else ""
        if match and unit in METRES:
            return {"text": given.strip(), "value": float(match[1]) * METRES[unit], "metric": Metric.DISTANCE}
        if match and unit in SECONDS:
            return {"text": given.strip(), "value": float(match[1]) * SECONDS[unit], "metric": Metric.TIME}
        raise ValueError(f"'{given}' is not a limit: write a number and a unit, such as '3 miles', '1200 m', '20 min'")

    @model_serializer
    def as_written(self) -> str:
        """Stored and hashed as it was written."""
        return self.text


class TableFile(Settings):
    """One file that fills a table; a plain path in the scenario is short for ``{path = ...}``."""

    path: str
    """The file, from the scenario's folder."""
    layer: str = ""
    """Layer of a GeoPackage, or sheet of a workbook."""
    header_row: Annotated[int, Field(ge=1)] = 1
    """The row that holds the headings, counted from 1."""
    encoding: str = "utf-8"
    """Of a CSV file: ``utf-8`` (with or without a byte order mark), ``cp1252``, ``utf-16``."""
    crs: str = ""
    """Where the file does not say it, e.g. ``EPSG:27700``."""
    columns: Mapping[str, str] = {}
    """Our column = their heading."""
    values: Mapping[str, Mapping[str, str]] = {}
    """Our column = {their word = our word}."""
    factors: Mapping[str, float] = {}
    """Our column = multiply by (square feet to m2: 0.09290304; GIA to NIA: 0.85)."""
    constants: Mapping[str, str | int | float | bool] = {}
    """Our column = one value for every row."""
    where: Mapping[str, str | Sequence[str]] = {}
    """Their heading = the value, or values, of the rows to take; ``"!= value"`` leaves rows out (``"!= "``: blank ones)."""
    template: Mapping[str, str] = {}
    """Our column = text with their headings in braces, such as ``{UPRN}-{Name}``."""
    matrix: Literal["", "seconds", "minutes", "hours", "metres", "kilometres", "miles"] = ""
    """The unit of a travel table that has a row for each zone and a column for each building."""


def _as_files(given: Any) -> Any:
    if isinstance(given, str):
        return ({"path": given},)
    if isinstance(given, Mapping):
        return (given,)
    if isinstance(given, Sequence):
        return tuple({"path": each} if isinstance(each, str) else each for each in given)
    return given


class Tables(Settings):
    """Which file, or files, fill each table; paths are relative to the scenario's folder."""

    agencies: tuple[TableFile, ...] = (TableFile(path="agencies.csv"),)
    """Who runs counters or owns buildings."""
    sites: tuple[TableFile, ...] = (TableFile(path="sites.csv"),)
    """The buildings."""
    access_points: tuple[TableFile, ...] = (TableFile(path="access_points.csv"),)
    """Each service at each building today."""
    zones: tuple[TableFile, ...] = (TableFile(path="zones.csv"),)
    """Where people live."""
    rates: tuple[TableFile, ...] = ()
    """What fitting out and moving cost."""
    hosting: tuple[TableFile, ...] = ()
    """Pairs of access point and site that differ from the rule."""
    travel: tuple[TableFile, ...] = ()
    """A travel table of your own: ``from_id, to_id, mode, distance_m, time_s``, as r5py or ArcGIS writes it, or a matrix."""
    postcodes: tuple[TableFile, ...] = ()
    """Where postcodes are: Code-Point Open as published, or ``postcode, easting, northing``."""
    context: tuple[TableFile, ...] = ()
    """Outlines, roads and town names for the map: ``kind``, ``name`` and a geometry."""

    _files = field_validator("*", mode="before")(_as_files)

    @model_validator(mode="after")
    def matrices(self) -> Tables:
        """Only a travel table comes as a matrix."""
        others = [getattr(self, name) for name in type(self).model_fields if name != "travel"]
        if any(each.matrix for files in others for each in files):
            raise ValueError("'matrix' goes with a travel table")
        return self


class Method(StrEnum):
    """How travel is measured."""

    STRAIGHT = "straight-line"
    NETWORK = "network"
    TABLE = "table"


class Travel(Settings):
    """How far apart everything is."""

    method: Method = Method.STRAIGHT
    """How journeys are measured."""
    mode: Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,31}$")] = "drive"
    """The mode of rules that do not name one: ``walk``, ``drive``, or a mode of the travel table."""
    detour: Annotated[float, Field(ge=1, le=5)] = 1.3
    """Road metres for each straight-line metre (straight line only)."""
    walk_kmh: Positive = 4.8
    """Walking speed (straight line only)."""
    drive_kmh: Positive = 45.0
    """Door-to-door average speeds (straight line only); a network uses speeds by road class."""
    streets: str = ""
    """A street network: ``.osm.pbf``, ``.osm``, a graph saved by OSMnx, or an OS Open Roads GeoPackage.  Implies network."""
    place: str = ""
    """A place name to download through OSMnx: the only setting that uses the network connection.  Implies network."""
    snap_warn_m: Positive = 500.0
    """Warn when a point is farther than this from the nearest street."""
    percentile: Annotated[int, Field(ge=1, le=99)] = 50
    """The percentile of travel time to use, where a travel table gives several (``travel_time_p50``)."""

    @model_validator(mode="before")
    @classmethod
    def imply_network(cls, given: Any) -> Any:
        """Naming a street network chooses the network method, unless the scenario says otherwise."""
        if isinstance(given, Mapping) and (given.get("streets") or given.get("place")):
            return {"method": "network", **given}
        return given


class Service(Settings):
    """A kind of public counter."""

    label: str = ""
    """What people call it."""
    aliases: tuple[str, ...] = ()
    """Other names the tables may use for it (``JCP``)."""
    hosts: tuple[str, ...] = ()
    """Kinds of building that may host it besides those it is in today; empty: any kind."""
    fitout_gbp_m2: NotNegative | None = None
    """Used where the rates table has no row for a service and kind of building."""


class Measure(StrEnum):
    """What is measured: how far people travel, or how far a service is moved."""

    HOME = "home-to-site"
    SITE = "site-to-site"


class Limb(Settings):
    """One test of a displacement rule."""

    limit: Limit
    """How far, or how long."""
    mode: str = ""
    """The mode it is measured in; blank: the scenario's own."""


class Standard(Settings):
    """One access rule.  With ``preset`` alone, the rule or rules of that published standard; other fields override it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Names the rule in results, and in ``--set standards.NAME.limit=...``."""
    service: str = ""
    """The service it is about."""
    preset: str = ""
    """A published standard to start from; 'estate standards' lists them."""
    measure: Measure = Measure.HOME
    """From home to a counter, or from the old counter to the new."""
    limit: Limit | None = None
    """How far, or how long: ``3 miles``, ``20 minutes``."""
    mode: str = ""
    """The mode it is measured in; blank: the scenario's own."""
    also: tuple[Limb, ...] = ()
    """Further limbs of a displacement rule (``3 miles`` *and* ``20 minutes by public transport``)."""
    join: Literal["all", "any"] = "all"
    """Whether every limb must hold, or one is enough."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The share of people who must be within the limit: 0.95 for 95%."""
    people: str = "everyone"
    """``everyone``, or a group column of the zones."""
    where: Mapping[str, str | bool | float] = {}
    """The zones it holds for: a label column and its value (``rural_urban = "urban"``, ``imd_rank = "<= 4926"``)."""
    each: str = ""
    """Hold separately for *each* value of this zone column."""
    beyond: Literal["no-worse", "strict"] = "no-worse"
    """Zones beyond the limit today: may not get worse, or must come within it."""
    tolerance: Limit | None = None
    """How much worse ``no-worse`` still allows."""
    test: Literal["moved", "nearest"] = "nearest"
    """Displacement: the point's own new site, or any site with the service near the old one."""
    action: Literal["forbid", "flag", "price"] = "forbid"
    """Displacement beyond the limit is forbidden, listed for consultation, or priced."""
    price_gbp: NotNegative = 0.0
    """Pounds a year for each displacement beyond the limit (``action = "price"``)."""
    backup: Annotated[int, Field(ge=1, le=3)] = 1
    """How many sites must be within the limit."""
    source: str = ""
    """Where the rule comes from; printed with it."""
    status: str = ""
    """Whether it is in force."""
    on: bool = True
    """``false`` switches the rule off."""

    @model_serializer(mode="wrap")
    def overrides(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A preset is stored with what overrides it and no defaults: reading it back must not override anything more."""
        found: dict[str, Any] = whole(self)
        return {name: value for name, value in found.items() if not self.preset or name in self.model_fields_set}

    @model_validator(mode="after")
    def complete(self) -> Standard:
        """A rule of its own needs a service and a limit."""
        if not self.preset and (not self.service or self.limit is None):
            raise ValueError("a standard needs 'service' and 'limit', or a 'preset'")
        if self.backup > 1 and (self.share < 1 or self.each):
            raise ValueError("'backup' goes with a rule for everybody: share = 1 and no 'each'")
        return self


class Count(Settings):
    """At least or at most so many hubs or sites, in the whole place or where a site column has a value."""

    what: Literal["sites", "hubs"] = "sites"
    """Sites that stay open, or hubs."""
    at_least: Annotated[int, Field(ge=0)] | None = None
    """The fewest there may be."""
    at_most: Annotated[int, Field(ge=0)] | None = None
    """The most there may be."""
    where: Mapping[str, str] = {}
    """Site column = value: only these sites are counted."""


class Rules(Settings):
    """What may go where, and the decisions already taken."""

    keep: tuple[str, ...] = ()
    """Sites that stay open."""
    close: tuple[str, ...] = ()
    """Sites that must close."""
    fixed: Mapping[str, str] = {}
    """Access point = site: a decision taken."""
    may_not_share: tuple[tuple[str, str], ...] = ()
    """Pairs of services that may not be in one building, besides where they are today."""
    must_share: tuple[tuple[str, str], ...] = ()
    """Pairs of services that must be in one building."""
    barred: Mapping[str, tuple[str, ...]] = {}
    """Site column = values that may not receive anybody (``epc = ["F", "G"]``, ``step_free = ["no"]``)."""
    out: tuple[str, ...] = ()
    """Agencies that do not take part, besides those whose table row says so."""
    other_uses_move: tuple[str, ...] = ()
    """Sites whose other uses can move, so that they may close."""
    reach: Limit | None = None
    """No point moves farther than this from its site of today (a limit on the search as much as on people)."""
    counts: tuple[Count, ...] = ()
    """How many sites or hubs there may be."""
    throughput: Mapping[str, Positive] = {}
    """Site column with its yearly visits capacity: ``{column = factor}``."""


class Sensitivity(Settings):
    """One row of the option table: what is changed, in the books only (the plan stays)."""

    name: str
    """What it is called in the option table."""
    receipts: NotNegative = 1.0
    """Receipts times this."""
    one_off: NotNegative = 1.0
    """One-off costs times this."""
    savings: NotNegative = 1.0
    """Savings times this."""
    delay_years: Annotated[int, Field(ge=0, le=10)] = 0
    """Savings begin so many years later."""


class Money(Settings):
    """Prices, discounting, and what is optimised."""

    objective: Literal["running-cost", "annual-equivalent", "people-within", "least-travel", "least-farthest"] = "running-cost"
    """What is made least, or most."""
    price_base: str = ""
    """The prices that every figure is in, e.g. ``2015-16``."""
    base_year: Annotated[int, Field(ge=2003, le=2100)] = 2025
    """Financial year 0, by the calendar year it begins in; discounting and dated rules start here."""
    horizon_years: Annotated[int, Field(ge=1, le=125)] = 30
    """Years that are appraised."""
    closing_year: Annotated[int, Field(ge=0, le=20)] = 1
    """Years after the base year in which buildings are let go, unless a lease says later."""
    running_budget_gbp_pa: NotNegative | None = None
    """With another objective than cost: running cost may not exceed this (none: today's)."""
    capital_budget_gbp: NotNegative | None = None
    """The most that may be spent once."""
    budget_basis: Literal["gross", "net"] = "gross"
    """Whether receipts count towards the capital budget."""
    longest_payback_years: Positive | None = None
    """Net one-off cost is at most so many years of saving."""
    optimism_bias: Mapping[str, Fraction] = {}
    """Kind of building = uplift on one-off capital costs."""
    split: Literal["floor-area", "lead-agency"] = "floor-area"
    """How a shared building's running cost is split between its agencies."""
    pfi_exit_gbp: Mapping[str, NotNegative] = {}
    """PFI site = the price of leaving: without one it cannot be released."""
    sensitivities: tuple[Sensitivity, ...] = (
        Sensitivity(name="Receipts halved", receipts=0.5),
        Sensitivity(name="One-off costs up 24%", one_off=1.24),
        Sensitivity(name="Savings a year late", delay_years=1),
        Sensitivity(name="Savings down 10%", savings=0.9),
        Sensitivity(name="All of these", receipts=0.5, one_off=1.24, savings=0.9, delay_years=1),
    )
    """Rows of the option table."""


class Adjust(Settings):
    """A change to a table, laid on after it is read: what-ifs on costs, values, rates and demand."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """What the change is called."""
    table: Literal["agencies", "sites", "access_points", "zones", "rates"]
    """The table it changes."""
    column: str
    """The column it changes."""
    factor: float | None = None
    """Multiply by this."""
    add: float | None = None
    """Add this."""
    set: str | float | bool | None = None
    """Put this in its place."""
    where: Mapping[str, str] = {}
    """Column = value: only these rows; a value may begin with ``<=``, ``>=``, ``<``, ``>`` or ``!=``."""

    @model_validator(mode="after")
    def one_change(self) -> Adjust:
        """Exactly one of factor, add, set."""
        if sum(each is not None for each in (self.factor, self.add, self.set)) != 1:
            raise ValueError("give exactly one of 'factor', 'add' and 'set'")
        return self


class Solver(Settings):
    """How hard to look."""

    name: Literal["highs", "cbc", "scip"] = "highs"
    """Which solver; the others are second opinions."""
    gap: Fraction = 0.0
    """Stop at this relative gap; 0: prove to the penny."""
    time_limit_s: Positive | None = None
    """Stop after so many seconds: such a run need not repeat exactly."""
    work_limit: Annotated[int, Field(ge=1)] | None = None
    """Stop after this much work, counted so that it repeats exactly."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of the solver."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Where it begins to look."""


class Page(Settings):
    """The planner's page."""

    tiles: str = ""
    """A tile address: off by default, since the page must work with no network."""
    tiles_attribution: str = ""
    """Whose tiles they are."""
    attribution: tuple[str, ...] = ()
    """Lines of acknowledgement printed on the page and in the workbook."""


class Scenario(Settings):
    """Everything a run needs to know.  ``folder`` is where relative paths start; it is not part of the identity."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Names the folder of the results: lower-case letters, digits and hyphens."""
    title: str = ""
    """What the page is headed."""
    description: str = ""
    """A sentence under the title."""
    base_date: dt.date | None = None
    """When the tables were true."""
    tables: Tables = Tables()
    """Which files fill the tables."""
    travel: Travel = Travel()
    """How far apart everything is."""
    services: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Service] = Field(min_length=1)
    """The kinds of counter, each under its own name."""
    standards: tuple[Standard, ...] = ()
    """How far people may have to go."""
    rules: Rules = Rules()
    """What may go where, and decisions taken."""
    money: Money = Money()
    """Prices, discounting, and what is optimised."""
    adjust: tuple[Adjust, ...] = ()
    """Changes laid on the tables after they are read."""
    add_sites: tuple[Mapping[str, str | float | bool], ...] = ()
    """Further rows of the sites table: a building that could be used."""
    solver: Solver = Solver()
    """How hard to look."""
    page: Page = Page()
    """The planner's page."""
    folder: Path = Field(default=Path(), exclude=True)
    file: Path = Field(default=Path(), exclude=True)

    @field_validator("name")
    @classmethod
    def writable(cls, name: str) -> str:
        """The name becomes a folder: not one that Windows keeps for devices."""
        if re.fullmatch(r"con|prn|aux|nul|(com|lpt)[0-9]", name):
            raise ValueError(f"'{name}' is a device on Windows, so it cannot name a folder: choose another")
        return name

    @property
    def label(self) -> str:
        """The title, or the name."""
        return self.title or self.name

    def service_label(self, service: str) -> str:
        """What people call a service: its label, or its name with spaces."""
        found = self.services.get(service)
        return found.label if found and found.label else service.replace("_", " ").capitalize()


# ---------------------------------------------------------------------------------------------------------- reading


def find(path: Path) -> Path:
    """The scenario file a path means: itself, or ``estate.toml`` in a folder."""
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        remedy = "give a place folder that holds estate.toml, or a scenario file; 'estate new DIR' makes one"
        raise InputError(issues=[Issue("scenario.missing", f"no scenario at {file}", remedy, Where(str(path)))])
    return file


def load_scenario(path: Path, changes: Sequence[str] = ()) -> Scenario:
    """Read a scenario with what it extends, lay ``key=value`` changes on it, and check it.

    Raises :class:`InputError` with every problem at once, or :class:`UsageError` for a change that cannot be read.
    """
    file = find(path)
    patches = [parse_change(change) for change in changes]
    settings = patched(_read_chain(file, ()), patches)
    try:
        return build(settings, folder=file.parent, file=file)
    except InputError as error:
        if not patches:
            raise
        try:
            build(_read_chain(file, ()), folder=file.parent, file=file)
        except InputError:
            raise error from None
        raise UsageError("a --set does not fit the settings", error.issues) from None


def build(settings: Mapping[str, Any], *, folder: Path, file: Path) -> Scenario:
    """Check raw settings and freeze them; raises :class:`InputError` listing everything that is wrong."""
    try:
        return Scenario.model_validate({**settings, "folder": folder, "file": file})
    except ValidationError as error:
        raise InputError(issues=[_issue(each, file) for each in error.errors()]) from None


def resolved(scenario: Scenario) -> dict[str, Any]:
    """The settings as plain JSON data, without paths of this machine: what is stored, hashed and patched."""
    return scenario.model_dump(mode="json", exclude_none=True)


def digest(scenario: Scenario) -> str:
    """SHA-256 of the settings in canonical form: a scenario's identity."""
    text = json.dumps(resolved(scenario), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# ---------------------------------------------------------------------------------------------------------- patches

type Patch = tuple[tuple[str, ...], Any]


def parse_change(change: str) -> Patch:
    """``travel.detour=1.4`` as a path and a value; the value is TOML, or else plain text."""
    key, equals, text = change.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise UsageError(f"--set {change}: write it as key=value, for example travel.detour=1.4")
    try:
        return path, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return path, text


def patched(settings: Mapping[str, Any], patches: Iterable[Patch]) -> dict[str, Any]:
    """Settings with values replaced along dotted paths.  Items of a list of tables are addressed by their ``name``."""
    result = json.loads(json.dumps(settings, default=str))
    for path, value in patches:
        _put(result, path, value)
    return dict(result)


def _put(target: Any, path: Sequence[str], value: Any) -> None:
    head, *rest = path
    if isinstance(target, list):
        item = next((each for each in target if isinstance(each, dict) and each.get("name") == head), None)
        if item is None:
            item = {"name": head}
            target.append(item)
        if rest:
            _put(item, rest, value)
        else:
            item.update(value if isinstance(value, Mapping) else {"on": value})
        return
    if not isinstance(target, dict):
        raise UsageError(f"'{'.'.join(path)}' leads into a value that has no parts")
    if rest:
        _put(target.setdefault(head, [] if head in ("standards", "adjust") else {}), rest, value)
    else:
        target[head] = value


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``base``: tables merge by key, lists of named tables by name, anything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = merged(old, value)
        elif isinstance(old, list) and isinstance(value, list) and _all_named([*old, *value]):
            by_name = {each["name"]: each for each in old}
            for each in value:
                by_name[each["name"]] = merged(by_name.get(each["name"], {}), each)
            result[key] = list(by_name.values())
        else:
            result[key] = value
    return result


def _all_named(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(each, Mapping) and "name" in each for each in items)


def _read_chain(file: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    here = file.resolve()
    if here in seen:
        chain = " -> ".join(each.name for each in (*seen, here))
        raise InputError(issues=[Issue("scenario.loop", f"'extends' goes round in a circle: {chain}", where=Where(str(file)))])
    settings = _read(file)
    base = settings.pop("extends", None)
    if base is None:
        return settings
    return merged(_read_chain(_base_of(file, base), (*seen, here)), settings)


def _base_of(file: Path, base: Any) -> Path:
    where = Where(str(file), column="extends", value=str(base))
    if not isinstance(base, str) or not base or "\\" in base or Path(base).is_absolute() or ".." in Path(base).parts:
        remedy = "name a scenario in this folder or below it"
        raise InputError(issues=[Issue("scenario.extends", f"'extends = {base!r}' leaves the folder", remedy, where)])
    path = file.parent / base
    if path.is_symlink() or not path.resolve().is_relative_to(file.parent.resolve()):
        raise InputError(issues=[Issue("scenario.extends", "'extends' follows a link out of the folder", where=where)])
    return find(path)


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        issue = Issue("scenario.encoding", f"is not UTF-8 text: {error.reason}", "save it as UTF-8", Where(str(file)))
        raise InputError(issues=[issue]) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(issues=[Issue("scenario.toml", f"is not valid TOML: {error}", where=Where(str(file)))]) from None
    except OSError as error:
        raise InputError(issues=[Issue("scenario.unreadable", f"cannot be read: {error}", where=Where(str(file)))]) from None


def _issue(found: Any, file: Path) -> Issue:
    path = ".".join(str(part) for part in found["loc"])
    where = Where(file.name, column=path, value=str(found.get("input", ""))[:80])
    if found["type"] == "extra_forbidden":
        last = str(found["loc"][-1])
        known = _keys_at(found["loc"][:-1])
        close = difflib.get_close_matches(last, known, n=1)
        remedy = f"did you mean '{close[0]}'?" if close else f"the settings here are: {', '.join(sorted(known))}"
        return Issue("scenario.unknown-key", f"'{path}' is not a setting", remedy, where)
    if found["type"] == "missing":
        return Issue("scenario.missing-key", f"'{path}' is missing", "add it; 'estate schema' lists every setting", where)
    message = found["msg"].removeprefix("Value error, ")
    remedy = "write 0.95 for 95%" if path.endswith("share") else "'estate schema' lists every setting and its range"
    return Issue("scenario.value", f"'{path}': {message}", remedy, where)


def _keys_at(path: Sequence[Any]) -> list[str]:
    """The setting names allowed at a path of the model, for suggestions."""
    model: Any = Scenario
    for part in path:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, Settings)):
            continue
        named = model.model_fields.get(str(part))
        model = _model_in(named.annotation) if named else model
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, Settings) else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    inner = [_model_in(each) for each in get_args(annotation)]
    return next((each for each in inner if each is not None), None)
