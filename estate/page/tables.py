"""The tables of the page: which columns, under which plain headings, each cell as words and as a number to sort by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.page import facts, words

if TYPE_CHECKING:
    from estate.results import Run

MOST_ROWS = 600
"""Longer tables are cut here, and say so: the whole is in the file beside the page."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A table of the run as the page shows it; without ``columns``, every column under a heading made of its name."""

    name: str
    title: str
    intro: str
    columns: Mapping[str, str]
    assumed: Mapping[str, str] = field(default_factory=dict)
    """Column = the input column whose being assumed makes it an assumed figure."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, the number it sorts by, the building it opens, whether the figure is assumed."""

    text: str
    sort: float | None = None
    site: int = -1
    outcome: str = ""
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A table ready for the template."""

    name: str
    title: str
    intro: str
    headings: list[tuple[str, bool]]
    """The words, and whether the column holds numbers."""
    rows: list[list[Cell]]
    total: int


SPECS = (
    Spec(
        "sites",
        "Buildings",
        "Every building, what happens to it, and why. Choose a name to see it on the map.",
        {
            "name": "Building",
            "after": "In the plan",
            "agency_name": "Held by",
            "district": "District",
            "services_before": "Services today",
            "services_after": "Services in the plan",
            "area_used_before_m2": "Floor area used today",
            "area_used_after_m2": "Used in the plan",
            "capacity_m2": "Floor area there is",
            "running_cost_before_gbp_pa": "Running cost a year today",
            "running_cost_after_gbp_pa": "In the plan (cost a year)",
            "net_receipt_gbp": "Receipt if sold",
            "why": "Why",
        },
        {
            "area_used_before_m2": "area_m2",
            "area_used_after_m2": "area_m2",
            "capacity_m2": "capacity_m2",
            "running_cost_before_gbp_pa": "running_cost_gbp_pa",
            "running_cost_after_gbp_pa": "running_cost_gbp_pa",
            "net_receipt_gbp": "market_value_gbp",
        },
    ),
    Spec(
        "moves",
        "Moves",
        "Each counter that moves to another building, how far, and what the move costs once.",
        {
            "name": "Counter",
            "service": "Service",
            "agency": "Run by",
            "from_name": "From",
            "to_name": "To",
            "distance_m": "Distance",
            "time_s": "Time",
            "area_m2": "Floor area",
            "one_off_gbp": "One-off cost",
            "consultation": "Consultation",
            "consultation_reason": "Reason",
        },
    ),
    Spec(
        "capital_receipts",
        "Receipts",
        "What letting each building go brings in, once, to the body that holds its title.",
        {
            "name": "Building",
            "agency_name": "Title held by",
            "tenure": "Tenure",
            "gross_gbp": "Sale price",
            "low_gbp": "Low",
            "high_gbp": "High",
            "disposal_cost_gbp": "Cost of selling",
            "net_receipt_gbp": "Net receipt",
            "revenue_sum_gbp": "Paid to revenue",
            "receipt_year": "Year",
            "consent": "Consent needed",
            "under_value_flag": "Under value",
            "rule": "Rule",
            "why_nil": "Why nothing",
        },
        {"gross_gbp": "market_value_gbp", "net_receipt_gbp": "market_value_gbp", "disposal_cost_gbp": "disposal_cost_gbp"},
    ),
    Spec(
        "access",
        "People and distance",
        "How far people live from the nearest building with each service, for everyone and for groups.",
        {
            "service": "Service",
            "group": "Group",
            "value": "Which",
            "people": "People",
            "limit": "Limit",
            "within_before": "Within the limit today",
            "within_after": "Within, in the plan",
            "mean_before_m": "Average today",
            "mean_after_m": "Average in the plan",
            "median_before_m": "Half live within, today",
            "median_after_m": "Half live within, plan",
            "p95_before_m": "95% live within, today",
            "p95_after_m": "95% live within, plan",
            "better_off": "Nearer",
            "worse_off": "Farther",
            "worse_mean_m": "Farther by, on average",
        },
    ),
    Spec("affected", "Worst affected places", "Where journeys grow most.", {}),
    Spec(
        "agencies",
        "Who pays and who gains",
        "Running cost a year by agency, with what each receives and spends once.",
        {
            "name": "Agency",
            "cost_before_gbp_pa": "Cost a year today",
            "cost_after_gbp_pa": "Cost a year in the plan",
            "gain_gbp_pa": "Gain a year",
            "receipts_gbp": "Receipts (once)",
            "one_off_gbp": "One-off costs",
        },
    ),
    Spec("consultation", "Consultation", "Whom the law or good practice says to ask before a counter moves or closes.", {}),
    Spec("sensitivities", "If things turn out differently", "The same plan, with the figures changed as each row says.", {}),
    Spec(
        "assumptions",
        "Assumptions",
        "Every figure that is assumed rather than taken from a record, and where it comes from.",
        {"table": "Table", "id": "Row", "column": "Figure", "value": "Value", "source": "Where it comes from"},
    ),
)

OUTCOME_ORDER = {name: order for order, name in enumerate(words.OUTCOMES)}


def build(run: Run) -> list[Shown]:
    """Every table that the run has, ready to show."""
    return [shown for spec in SPECS if (shown := show(run, spec)) is not None]


def show(run: Run, spec: Spec) -> Shown | None:
    """One table, or None when the run has no such rows."""
    frame = facts.table(run, spec.name)
    columns = {name: heading for name, heading in (spec.columns or _headings(frame)).items() if _filled(frame, name)}
    if frame.empty or not columns:
        return None
    whole = len(frame)
    if spec.name == "sites" and "after" in frame:
        order = frame["after"].map(OUTCOME_ORDER).fillna(len(OUTCOME_ORDER))
        frame = frame.assign(order=order).sort_values(["order", "name"], kind="stable")
    if spec.name == "affected" or whole > MOST_ROWS:
        frame = frame.head(MOST_ROWS)
    makers = [(name, _maker(run, name)) for name in columns]
    sites = {site: i for i, site in enumerate(run.place.sites.index)}
    rows = []
    for record in frame.to_dict("records"):
        marked = facts.assumed_columns(record.get("illustrative"))
        rows.append([_cell(name, make, record, sites, spec.assumed.get(name, name) in marked) for name, make in makers])
    numeric = [any(row[i].sort is not None for row in rows) for i in range(len(columns))]
    headings = list(zip(columns.values(), numeric, strict=True))
    return Shown(spec.name, spec.title, spec.intro, headings, rows, whole)


def _filled(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool((frame[name].notna() & (frame[name].astype(str) != "")).any())


SITE_OF = {"name": "site_id", "from_name": "from_site_id", "to_name": "to_site_id"}
"""A name column = the column that says which building it names."""


def _cell(name: str, make: Callable[[Any], Cell], record: Mapping[Any, Any], sites: Mapping[str, int], assumed: bool) -> Cell:  # noqa: FBT001
    made = make(record[name])
    site = sites.get(str(record.get(SITE_OF[name], "")), -1) if name in SITE_OF and record.get("shown", True) else -1
    return Cell(made.text, made.sort, site, made.outcome, assumed and made.sort is not None)


def _maker(run: Run, name: str) -> Callable[[Any], Cell]:
    """How a column's values become words: by its unit, which is in its name."""
    if name in ("services_before", "services_after"):
        return lambda value: Cell(words.clean(", ".join(facts.service_label(run, part.strip()) for part in _parts(value))))
    if name == "service":
        return lambda value: Cell(words.clean(facts.service_label(run, str(value))))
    if name == "agency":
        names = facts.agency_names(run)
        return lambda value: Cell(words.clean(names.get(str(value), value)))
    if name in ("before", "after"):
        return lambda value: Cell(words.OUTCOMES.get(str(value), words.clean(value)), outcome=str(value).replace(" ", "-"))
    if name in ("consultation", "under_value_flag"):
        return _yes
    for suffix, say in UNITS.items():
        if name.endswith(suffix):
            return _number(say)
    return _free


def _parts(value: Any) -> list[str]:
    return [part for part in str(value or "").split(";") if part.strip()] if not _is_blank(value) else []


def _is_blank(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _yes(value: Any) -> Cell:
    if isinstance(value, str) and value.strip().lower() not in ("yes", "no", "true", "false", ""):
        return Cell(words.clean(value))
    return Cell("Yes" if facts.truth(value) else "No")


def _number(say: Callable[[Any], str]) -> Callable[[Any], Cell]:
    def make(value: Any) -> Cell:
        number = pd.to_numeric(value, errors="coerce")
        if _is_blank(value) or pd.isna(number):
            return Cell("" if _is_blank(value) else words.clean(value))
        return Cell(say(number), float(number))

    return make


def _free(value: Any) -> Cell:
    if _is_blank(value):
        return Cell("")
    if isinstance(value, bool):
        return Cell("Yes" if value else "No")
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        number = float(value)
        return Cell(f"{number:,.0f}" if number.is_integer() else f"{number:,.2f}", number)
    return Cell(words.clean(value))


def _minutes(value: Any) -> str:
    return words.minutes(value)


UNITS: Mapping[str, Callable[[Any], str]] = {
    "_gbp": words.gbp,
    "_gbp_pa": words.gbp,
    "_m2": words.area,
    "_m": words.miles,
    "_s": _minutes,
}


def _headings(frame: pd.DataFrame) -> dict[str, str]:
    """A heading out of a column's name: no underscores, no units (the cells carry them), no ids where there are names."""
    found = {}
    for name in map(str, frame.columns):
        if name in ("illustrative", "confidential", "shown") or (
            name.endswith("_id") and len(frame.columns) > 1 and _named(frame)
        ):
            continue
        bare = name
        for suffix, said in {"_gbp_pa": " a year", "_gbp": "", "_m2": "", "_m": "", "_s": ""}.items():
            if bare.endswith(suffix):
                bare = bare.removesuffix(suffix) + said
                break
        bare = bare.replace("_", " ").replace("p95", "95% within").replace("npv", "value today").strip()
        found[name] = bare[:1].upper() + bare[1:]
    return found


def _named(frame: pd.DataFrame) -> bool:
    return any(str(column) == "name" or str(column).endswith("_name") for column in frame.columns)
