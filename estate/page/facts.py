"""What the page says, worked out from a stored run: distances as arrays, people better and worse off, who is where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.appraise.access import SAME
from estate.page import words
from estate.page.words import Unit

if TYPE_CHECKING:
    from estate.runs.run import Run

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]


def table(run: Run, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
    """A table of the run with at least these columns (blank where the run has none); empty when there is no such table."""
    frame = run.tables.get(name)
    frame = pd.DataFrame() if frame is None else frame.reset_index(drop=True)
    missing = {column: pd.Series([None] * len(frame), dtype=object) for column in columns if column not in frame}
    return frame.assign(**missing) if missing else frame


def number(manifest: Mapping[str, Any], key: str) -> float | None:
    """A figure of the manifest, or None."""
    value = manifest.get(key)
    return None if value is None or pd.isna(value) else float(value)


def cell(value: Any) -> float | None:
    """A number in a table's cell, or None where it is blank."""
    return None if value is None or value == "" or pd.isna(value) else float(value)


@dataclass(frozen=True, slots=True, eq=False)
class Journeys:
    """From home to the nearest building with each service: (Z, K) arrays, zones in the place's order.

    ``before`` and ``after`` are metres, or seconds where the run knows no distances (``unit`` says which), NaN out of reach.
    ``within_before`` and ``within_after`` are 1, 0, or NaN where no limit applies.  ``site_before`` and ``site_after`` are
    positions in the place's sites, -1 for none.
    """

    services: tuple[str, ...]
    people: Floats
    before: Floats
    after: Floats
    within_before: Floats
    within_after: Floats
    site_before: Ints
    site_after: Ints
    unit: Unit = words.MILES

    @property
    def change(self) -> Floats:
        """(Z, K) how much farther; NaN where either journey is out of reach."""
        return self.after - self.before

    @property
    def worst(self) -> Ints:
        """(Z,) the service for which each zone goes farthest farther, or can no longer go; without one, comes nearest nearer."""
        lost = np.isfinite(self.before) & ~np.isfinite(self.after)
        change = np.where(lost, np.inf, np.nan_to_num(self.change))
        if not self.services:
            return np.zeros(len(change), dtype=np.int64)
        return np.where(change.max(axis=1) > self.same, change.argmax(axis=1), change.argmin(axis=1))

    @property
    def same(self) -> float:
        """A journey that changes by no more than this counts as the same, here as in the tables."""
        return float(SAME["m" if self.unit is words.MILES else "s"])

    @property
    def farther(self) -> Bools:
        """(Z, K) worse off: a longer journey, or one that is no longer possible."""
        return (self.change > self.same) | (np.isfinite(self.before) & ~np.isfinite(self.after))

    @property
    def nearer(self) -> Bools:
        """(Z, K) better off."""
        return (self.change < -self.same) | (~np.isfinite(self.before) & np.isfinite(self.after))


def journeys(run: Run) -> Journeys:
    """The ``zones`` table as arrays."""
    zones = run.place.zones
    names = (
        "zone_id",
        "service",
        "distance_before_m",
        "distance_after_m",
        "time_before_s",
        "time_after_s",
        "within_before",
        "within_after",
        "site_before",
        "site_after",
    )
    frame = table(run, "zones", names)
    found = sorted(frame["service"].dropna().unique()) if len(frame) else []
    services = tuple(found)
    shape = (len(zones), len(services))
    row = zones.index.get_indexer(pd.Index(frame["zone_id"].astype(str)))
    column = pd.Index(services, dtype=object).get_indexer(pd.Index(frame["service"]))
    known = (row >= 0) & (column >= 0)

    def floats(name: str) -> Floats:
        result = np.full(shape, np.nan)
        result[row[known], column[known]] = pd.to_numeric(frame[name], errors="coerce").astype(float).to_numpy()[known]
        return result

    def flags(name: str) -> Floats:
        result = np.full(shape, np.nan)
        result[row[known], column[known]] = frame[name].map(_flag).to_numpy(float)[known]
        return result

    def sites(name: str) -> Ints:
        result = np.full(shape, -1, dtype=np.int64)
        text = frame[name].fillna("").astype(str)
        result[row[known], column[known]] = run.place.sites.index.get_indexer(pd.Index(text))[known]
        return result

    before, after, unit = floats("distance_before_m"), floats("distance_after_m"), words.MILES
    if not np.isfinite(before).any():
        before, after, unit = floats("time_before_s"), floats("time_after_s"), words.MINUTES
    return Journeys(
        services=services,
        people=zones["population"].to_numpy(float),
        before=before,
        after=after,
        within_before=flags("within_before"),
        within_after=flags("within_after"),
        site_before=sites("site_before"),
        site_after=sites("site_after"),
        unit=unit,
    )


def _flag(value: Any) -> float:
    """1.0 for yes, 0.0 for no, NaN for a blank."""
    if value is None or value == "" or (not isinstance(value, str) and pd.isna(value)):
        return float("nan")
    return float(truth(value))


@dataclass(frozen=True, slots=True)
class People:
    """Residents, each counted once: farther from at least one service, or nearer to one and farther from none.

    ``much_farther`` is farther by more than a mile (or ten minutes).
    """

    everyone: float
    limited: bool
    within_after: float
    farther: float
    much_farther: float
    nearer: float
    unit: Unit


def people(trips: Journeys) -> People:
    """Who is better or worse off."""
    residents, worse = trips.people, trips.farther.any(axis=1)
    return People(
        everyone=float(residents.sum()),
        limited=bool(np.isfinite(trips.within_after).any()),
        within_after=float(residents[~(trips.within_after == 0).any(axis=1)].sum()),
        farther=float(residents[worse].sum()),
        much_farther=float(residents[(trips.change > trips.unit.much * trips.unit.size).any(axis=1)].sum()),
        nearer=float(residents[trips.nearer.any(axis=1) & ~worse].sum()),
        unit=trips.unit,
    )


def after_cost(run: Run) -> float | None:
    """Running cost a year of the plan: the objective is something else when the scenario says so, the saving is not."""
    before, saving = number(run.manifest, "baseline_gbp_pa"), number(run.manifest, "saving_gbp_pa")
    return number(run.manifest, "objective_gbp_pa") if before is None or saving is None else before - saving


def mean(journey: Floats, weight: Floats) -> float | None:
    """Mean of the journeys that are possible, weighted by people; None when there are none."""
    known = np.isfinite(journey) & (weight > 0)
    total = weight[known].sum()
    return float((journey[known] * weight[known]).sum() / total) if total else None


@dataclass(frozen=True, slots=True)
class Point:
    """An access point as the page shows it; ``home`` and ``host`` are positions in the place's sites."""

    point_id: str
    name: str
    service: str
    agency: str
    home: int
    host: int
    consultation: str
    merges: bool


def points(run: Run) -> list[Point]:
    """Every access point that may be shown, with where it is today and where the plan puts it."""
    frame = run.place.access_points
    moves = table(run, "moves", ("access_point_id", "consultation", "kind"))
    merging = set(moves.loc[moves["kind"] == "merge", "access_point_id"].astype(str))
    asked = dict(zip(moves["access_point_id"].astype(str), moves["consultation"].map(words.consultation), strict=True))
    shown = frame["shown"].to_numpy(bool) if "shown" in frame else np.ones(len(frame), dtype=bool)
    return [
        Point(
            str(point_id),
            name or "",
            service,
            agency,
            int(home),
            int(host),
            asked.get(str(point_id), ""),
            str(point_id) in merging,
        )
        for point_id, name, service, agency, home, host, show in zip(
            frame.index,
            frame["name"],
            frame["service"],
            frame["agency"],
            run.place.point_site,
            run.plan.host,
            shown,
            strict=True,
        )
        if show
    ]


def truth(value: Any) -> bool:
    """Whether a cell says yes: True, 1, yes, consult; a blank, no, none, within (the limit) and 0 say no."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return False
    if isinstance(value, str):
        return value.strip().lower() not in ("", "no", "false", "0", "none", "n", "within")
    return bool(value)


def limits(run: Run) -> dict[str, str]:
    """Each service's limit as the ``access`` table says it: what "within the limit" means on the page too."""
    access = table(run, "access", ("service", "group", "limit"))
    everyone = access[access["group"] == "everyone"]
    return {str(service): str(limit) for service, limit in zip(everyone["service"], everyone["limit"], strict=True) if limit}


def service_label(run: Run, service: str) -> str:
    """What people call a service."""
    return str(run.scenario.service_label(service))


def agency_names(run: Run) -> dict[str, str]:
    """Agency id to the name that people know."""
    frame = run.place.agencies
    return {str(agency): str(name) for agency, name in zip(frame.index, frame["name"], strict=True)}


def receipts(run: Run) -> tuple[float, float | None, float | None, int]:
    """Receipts by building: the total, its low and high, and how many buildings bring one."""
    frame = table(run, "capital_receipts", ("net_receipt_gbp", "low_gbp", "high_gbp"))
    net = pd.to_numeric(frame["net_receipt_gbp"], errors="coerce").fillna(0)
    low, high = (pd.to_numeric(frame[name], errors="coerce") for name in ("low_gbp", "high_gbp"))
    known = bool(len(frame)) and bool(low.notna().any() and high.notna().any())
    return float(net.sum()), float(low.sum()) if known else None, float(high.sum()) if known else None, int((net != 0).sum())


def assumed(run: Run, column: str, name: str = "sites") -> int:
    """How many rows of an input table have an assumed figure in this column."""
    frame = getattr(run.place, name)
    if "illustrative" not in frame:
        return 0
    return int(frame["illustrative"].fillna("").astype(str).map(lambda text: column in assumed_columns(text)).sum())


def assumed_columns(text: Any) -> set[str]:
    """The columns named in an ``illustrative`` cell."""
    return {part.strip() for part in str(text or "").replace(",", ";").split(";") if part.strip()}
