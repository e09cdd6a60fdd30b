"""What changes for people: distances before and after, by service and by group, and whether each standard is met.

Everything is a fact about a plan, measured on the travel tables; nothing here decides.  People of a zone are taken to live at its
population-weighted point and to use the nearest site with the service, which is what the data can say and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estate.place import Place, Plan, offers
from estate.problem import Bools, Floats, Ints
from estate.scenario import Metric, Standard
from estate.standards.measured import Measured

NOT_LABELS = ("name", "source", "illustrative", "licence", "licensed_as")
AFFECTED = (
    "zone_id",
    "name",
    "district",
    "service",
    "people",
    "distance_before_m",
    "distance_after_m",
    "farther_m",
    "time_before_s",
    "time_after_s",
    "longer_s",
    "nearest_before",
    "nearest_after",
)
SAME = {"m": 80, "s": 60}
"""A journey that changes by no more metres, or seconds, than this counts as the same, in every table, chart and sentence."""
MOST_VALUES = 60
"""A label column with more values than this is an identifier, not a group."""


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Nearest site with each service, (K, N): its position and how far, before or after; -1 where unreachable.

    ``within`` is 1 where a site with the service is within the limit that the zone's own rule sets
    (:attr:`estate.standards.measured.Measured.own_rules`), by that rule's own mode, 0 where none is, and -1 where no rule speaks
    for the zone, or none that can be tested.
    """

    site: Ints
    distance_m: Ints
    time_s: Ints
    within: Ints


def reach(measured: Measured, plan: Plan) -> Reach:
    """The nearest site of every zone and service under a plan, in the scenario's own mode.

    Nearest by distance where the tables have it, else by time; ties go to the first site by id.  Nobody travels to a service that
    is not public: -1 in every zone.
    """
    place = measured.place
    pairs = measured.travel.home[measured.scenario.travel.mode]
    there = offers(place, plan)
    n = len(place.zones)
    shape = (len(place.services), n)
    site, metres, seconds, inside = (np.full(shape, -1, dtype=np.int64) for _ in range(4))
    value = pairs.distance_m if pairs.has_distance else pairs.time_s
    for k, service in measured.public:
        for rule, mine in measured.own_rules.get(service, ()):
            if measured.testable(rule):
                inside[k, mine] = measured.reached(rule, there[k])[mine] > 0
        chosen = np.flatnonzero(there[k][pairs.to])
        order = chosen[np.lexsort((pairs.to[chosen], value[chosen], pairs.from_[chosen]))]
        zone, first = np.unique(pairs.from_[order], return_index=True)
        best = order[first]
        site[k, zone] = pairs.to[best]
        if pairs.has_distance:
            metres[k, zone] = pairs.distance_m[best]
        if pairs.has_time:
            seconds[k, zone] = pairs.time_s[best]
    return Reach(site, metres, seconds, inside)


def unit_of(before: Reach, k: int) -> str:
    """``m`` where the nearest site of service ``k`` has a distance in any zone, else ``s``: a bus table has only minutes."""
    return "m" if before.distance_m[k].max(initial=-1) >= 0 else "s"


def far(of: Reach, k: int, unit: str) -> Ints:
    """(N,) how far the nearest site with service ``k`` is, metres or seconds; -1 where unreachable."""
    return np.asarray(of.distance_m[k] if unit == "m" else of.time_s[k], dtype=np.int64)


def _limits(measured: Measured, service: str, metric: Metric) -> Floats:
    """(N,) the limit that each zone is under, where it is told in one figure of this metric; else NaN."""
    found = np.full(len(measured.place.zones), np.nan)
    for rule, mine in measured.own_rules.get(service, ()):
        if rule.limit and rule.limit.metric is metric:
            found[mine] = rule.limit.value
    return found


def _limit_words(rules: Sequence[tuple[Standard, Bools]], people: Floats) -> str:
    """The limits that some people are under, in the order of their rules: ``2 miles or 8 miles``."""
    said = [rule.limit.text for rule, mine in rules if rule.limit and people[mine].any()]
    return " or ".join(dict.fromkeys(said))


def zone_table(measured: Measured, before: Reach, after: Reach) -> pd.DataFrame:
    """One row for each zone and service: nearest site and how far, before and after (``zones.csv``)."""
    place = measured.place
    ids = np.append(place.sites.index.to_numpy(dtype=object), "")
    parts = []
    for k, service in measured.public:
        limit_m, limit_s = (_limits(measured, service, metric) for metric in Metric)
        part = pd.DataFrame(
            {
                "zone_id": place.zones.index,
                "name": place.zones["name"].to_numpy(),
                "service": service,
                "population": place.zones["population"].to_numpy(),
                "district": place.zones["district"].to_numpy() if "district" in place.zones else "",
                "site_before": ids[before.site[k]],
                "site_after": ids[after.site[k]],
                "distance_before_m": _blank(before.distance_m[k]),
                "distance_after_m": _blank(after.distance_m[k]),
                "time_before_s": _blank(before.time_s[k]),
                "time_after_s": _blank(after.time_s[k]),
                "limit_m": limit_m,
                "limit_s": limit_s,
                "within_before": _within(before, k),
                "within_after": _within(after, k),
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True).sort_values(["zone_id", "service"], kind="stable", ignore_index=True)


def _blank(value: Ints) -> pd.Series[Any]:
    """Whole numbers with blanks where unreachable: never a sentinel in a table."""
    return pd.Series(pd.array(np.where(value < 0, 0, value), dtype="Int64")).mask(value < 0)


def _within(of: Reach, k: int) -> pd.Series[Any]:
    """Yes, no, or blank where the service has no limit in tables."""
    return pd.Series(of.within[k]).map({1: "yes", 0: "no", -1: ""})


# -------------------------------------------------------------------------------------------------- by group


def label_columns(place: Place) -> tuple[str, ...]:
    """Zone columns that put people in groups: text with 2 to 60 values, and deciles."""
    found = []
    for column in sorted(place.zones.columns):
        values = place.zones[column]
        text = not pd.api.types.is_numeric_dtype(values) and not str(column).endswith(("_source", "_note", "_licence"))
        named = text and column not in NOT_LABELS
        if (named or str(column).endswith("decile")) and 2 <= values.astype(str).nunique() <= MOST_VALUES:
            found.append(str(column))
    return tuple(found)


def group_columns(measured: Measured) -> tuple[str, ...]:
    """Zone columns that count people (``age65``): whole numbers no larger than the zone's population; and any a rule counts."""
    place = measured.place
    people = place.zones["population"]
    used = {rule.people for rule in measured.rules} - {"everyone"}
    skip = ("imd", "pop", "easting", "northing", "lat", "lon", "ruc")
    found = []
    for column in sorted(place.zones.columns):
        values = place.zones[column]
        counts = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        whole = counts and bool((values.dropna() % 1 == 0).all() and (values.fillna(0) <= people).all())
        if column in used or (whole and not str(column).startswith(skip)):
            found.append(str(column))
    return tuple(found)


def _groups(measured: Measured) -> Iterator[tuple[str, str, Floats]]:
    """(column, value, people of each zone) for everyone, each label value and each group column."""
    place = measured.place
    people = place.zones["population"].to_numpy(dtype=np.float64)
    yield "everyone", "", people
    for column in label_columns(place):
        text = place.zones[column].map(_plain)
        for value in sorted(text.unique(), key=_in_order):
            yield column, value, np.where((text == value).to_numpy(), people, 0.0)
    for column in group_columns(measured):
        yield "people", column, np.nan_to_num(place.zones[column].to_numpy(dtype=np.float64))


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _in_order(text: str) -> tuple[float, str]:
    return (float(text), "") if text.replace(".", "", 1).isdigit() else (np.inf, text)


def access_table(measured: Measured, before: Reach, after: Reach) -> pd.DataFrame:
    """One row for each service, group and value (``access.csv``): people within the limit and distances, before and after.

    Distances are weighted by people.  ``better_off`` and ``worse_off`` count people whose nearest site comes nearer or goes
    farther by more than :data:`SAME`; ``worse_mean_m`` is how much farther, on average, for those worse off.  ``unreached`` are
    people with no route.  ``limit`` names every limit that somebody of the group is under, ``under_limit`` counts the people who
    are under one that can be tested, and ``within_before`` and ``within_after`` those of them who are within their own.
    Where the travel tables have no distances, seconds stand in their place, in columns that end in ``_s``.
    """
    rows = []
    groups = tuple(_groups(measured))
    for k, service in measured.public:
        rules, limited = measured.own_rules.get(service, ()), before.within[k] >= 0
        unit = unit_of(before, k)
        was, now = far(before, k, unit), far(after, k, unit)
        change, same = np.where((was >= 0) & (now >= 0), now - was, 0), SAME[unit]
        inside = [(_within(each, k) == "yes").to_numpy() for each in (before, after)]
        for group, value, people in groups:
            worse = float(people[change > same].sum())
            row: dict[str, Any] = {
                "service": service,
                "group": group,
                "value": value,
                "people": round(float(people.sum())),
                "limit": _limit_words(rules, people),
                "under_limit": (under := round(float(people[limited].sum()))),
                "within_before": round(float(people[inside[0]].sum())) if under else None,
                "within_after": round(float(people[inside[1]].sum())) if under else None,
            }
            for name, each in (("before", was), ("after", now)):
                row |= _spread(each, people, name, unit)
            row |= {
                "better_off": round(float(people[change < -same].sum())),
                "worse_off": round(worse),
                f"worse_mean_{unit}": round(float((people * change)[change > same].sum()) / worse) if worse else None,
                "unreached": round(float(people[now < 0].sum())),
            }
            rows.append(row)
    frame = pd.DataFrame(rows)
    whole = [c for c in frame.columns if c not in ("service", "group", "value", "limit")]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _spread(far: Ints, people: Floats, name: str, unit: str) -> dict[str, int | None]:
    """Mean, median and 95th percentile over people who can reach a site at all."""
    reached = (far >= 0) & (people > 0)
    keys = [f"{what}_{name}_{unit}" for what in ("mean", "median", "p95")]
    if not reached.any():
        return dict.fromkeys(keys)
    weight, value = people[reached], far[reached].astype(np.float64)
    return dict(
        zip(
            keys,
            (
                round(float(np.average(value, weights=weight))),
                weighted_quantile(value, weight, 0.5),
                weighted_quantile(value, weight, 0.95),
            ),
            strict=True,
        )
    )


def weighted_quantile(value: Floats, weight: Floats, share: float) -> int:
    """The least value that at least ``share`` of the weight does not exceed (the inverted distribution function)."""
    order = np.argsort(value, kind="stable")
    total = np.cumsum(weight[order])
    return round(float(value[order][np.searchsorted(total, share * total[-1] * (1 - 1e-12))]))


def affected_table(place: Place, before: Reach, after: Reach, most: int = 50) -> pd.DataFrame:
    """The worst-affected places by name: zones whose nearest site goes farther by more than :data:`SAME`, the most first.

    By distance (``farther_m``) where the travel tables have it, else by time (``longer_s``).
    """
    rows = []
    for k, service in enumerate(place.services):
        unit = unit_of(before, k)
        was, now = far(before, k, unit), far(after, k, unit)
        change = np.where((was >= 0) & (now >= 0), now - was, 0)
        rows += [(unit, int(change[i]), i, service, k) for i in np.flatnonzero(change > SAME[unit]).tolist()]
    rows.sort(key=lambda row: (row[0], -row[1], row[2], row[3]))
    names = np.append(place.sites["name"].to_numpy(dtype=object), "")
    timed = any(row[0] == "s" for row in rows)
    found = [
        {
            "zone_id": place.zones.index[i],
            "name": place.zones["name"].iloc[i],
            "district": place.zones["district"].iloc[i] if "district" in place.zones else "",
            "service": service,
            "people": int(place.zones["population"].iloc[i]),
            "distance_before_m": before.distance_m[k, i],
            "distance_after_m": after.distance_m[k, i],
            "farther_m": change if unit == "m" else -1,
            "time_before_s": before.time_s[k, i],
            "time_after_s": after.time_s[k, i],
            "longer_s": change if unit == "s" else -1,
            "nearest_before": names[before.site[k, i]],
            "nearest_after": names[after.site[k, i]],
        }
        for unit, change, i, service, k in rows[:most]
    ]
    frame = pd.DataFrame(found, columns=AFFECTED)
    for column in AFFECTED:
        if column.endswith(("_m", "_s")):
            frame[column] = _blank(frame[column].to_numpy(dtype=np.int64)).to_numpy()
    return frame if timed else frame.drop(columns=["time_before_s", "time_after_s", "longer_s"])


def people_within(access: pd.DataFrame) -> pd.DataFrame:
    """The director's lines: people within each service's limit, before and after."""
    everyone = access[(access["group"] == "everyone") & (access["limit"] != "")]
    return everyone[["service", "limit", "people", "within_before", "within_after", "worse_off"]]
