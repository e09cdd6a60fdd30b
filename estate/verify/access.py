"""Every access rule, counted again from the travel tables by group-by; a pair that is not there cannot be travelled.

*Home to site*, for everybody counted: a zone that meets the limit today must still meet it; one beyond it may not get worse
(``no-worse``, plus a tolerance) or must come within it (``strict``).  *By share*: enough people within it or, under
``no-worse``, as many as today where that is fewer; people are whole, and enough is the smallest whole number that is no less than
share x people with the share as written (the rule of :mod:`estate.formulate.rules`, in fractions here).  *Displacement*: the
counter's own new building (``moved``), or some building with the service near its old one (``nearest``).  A limb without
travel data is not tested; a rule with no tested limb asks for nothing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil
from typing import Any

import pandas as pd

from estate.scenario import ROOF, Journey, Limb, Metric, Standard
from estate.travel.pairs import Pairs
from estate.verify.case import Case, Decision, Finding, finding
from estate.verify.money import pence

_COMPARE: dict[str, Callable[[Any, float], Any]] = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_COMPARISON = re.compile(r"(?P<sign>[<>]=?)\s*(?P<bound>-?\d+(\.\d*)?(e[+-]?\d+)?)", re.IGNORECASE)


def offering(case: Case, decision: Decision, service: str) -> set[int]:
    """Positions of the sites that offer a service; or all of several, whose names are joined."""
    if ROOF in service:
        return set.intersection(*(offering(case, decision, each) for each in service.split(ROOF)))
    return {case.position[site] for point, site in decision.host.items() if case.points[point]["service"] == service}


# -------------------------------------------------------------------------------------------------- pairs


def limbs(case: Case, rule: Standard) -> list[Limb]:
    """The limits of a rule, each with its mode."""
    first = [Limb(limit=rule.limit, mode=rule.mode)] if rule.limit else []
    return [Limb(limit=each.limit, mode=each.mode or case.scenario.travel.mode) for each in (*first, *rule.also)]


def frame_of(case: Case, measure: Journey, limb: Limb) -> pd.DataFrame | None:
    """``start, end, value`` in the limb's measure, or None where there is no data for it."""
    pairs: Pairs | None = (case.travel.home if measure is Journey.HOME else case.travel.between).get(limb.mode)
    if pairs is None:
        return None
    has = pairs.has_distance if limb.limit.metric is Metric.DISTANCE else pairs.has_time
    if not has:
        return None
    value = pairs.distance_m if limb.limit.metric is Metric.DISTANCE else pairs.time_s
    return pd.DataFrame({"start": pairs.from_, "end": pairs.to, "value": value})


def tested(case: Case, measure: Journey, limb: Limb) -> bool:
    """Whether there is data for a limb."""
    return frame_of(case, measure, limb) is not None


def near_pairs(case: Case, rule: Standard) -> pd.DataFrame | None:
    """``start, end`` of the pairs that pass the rule's tested limbs; None where no limb can be tested."""
    key = ("near", rule.measure, rule.limit, rule.mode, rule.also, rule.join)
    if key not in case.memo:
        near: pd.DataFrame | None = None
        for limb in limbs(case, rule):
            frame = frame_of(case, rule.measure, limb)
            if frame is None:
                continue
            passed = frame.loc[frame["value"] <= limb.limit.value, ["start", "end"]]
            if near is None:
                near = passed
            elif rule.join == "all":
                near = near.merge(passed, on=["start", "end"])
            else:
                near = pd.concat([near, passed]).drop_duplicates()
        case.memo[key] = near
    found: pd.DataFrame | None = case.memo[key]
    return found


def count(pairs: pd.DataFrame, ends: set[int], n: int) -> pd.Series[int]:
    """How many of the chosen ends each of n starts has."""
    return pairs.loc[pairs["end"].isin(ends), "start"].value_counts().reindex(range(n), fill_value=0)


# -------------------------------------------------------------------------------------------------- people


def _holds(column: pd.Series[Any], wanted: str | float | bool) -> pd.Series[bool]:  # noqa: FBT001
    """Whether each cell is the wanted value, or on the right side of a number; a blank never is."""
    numbers = pd.to_numeric(column, errors="coerce")
    if isinstance(wanted, str) and (found := _COMPARISON.fullmatch(wanted.strip())):
        right: pd.Series[bool] = _COMPARE[found["sign"]](numbers, float(found["bound"])) & numbers.notna()
        return right
    if not isinstance(wanted, str | bool):
        return numbers == wanted
    return column.map(lambda cell: str(cell).casefold() == str(wanted).casefold())


def people(case: Case, rule: Standard) -> pd.Series[int]:
    """Whole people of each zone whom a rule counts."""
    key = ("people", rule.people, tuple(rule.where.items()))
    if key not in case.memo:
        column = case.zones["population" if rule.people == "everyone" else rule.people]
        case.memo[key] = ((column.fillna(0).astype(float) + 0.5) // 1).where(stands(case, rule), 0).astype("int64")
    found: pd.Series[int] = case.memo[key]
    return found


def stands(case: Case, rule: Standard) -> pd.Series[bool]:
    """The zones where every condition of a rule holds."""
    found = pd.Series(data=True, index=case.zones.index)
    for name, wanted in rule.where.items():
        found &= _holds(case.zones[name], wanted)
    return found


# -------------------------------------------------------------------------------------------------- home to site


def asked_of_all(case: Case, rule: Standard) -> pd.Series[int]:
    """How many sites within its limit each zone is promised by a rule for everybody; 0 where nobody lives."""
    was = today(case, rule)
    asked = was.clip(upper=rule.backup) if rule.beyond == "no-worse" else pd.Series(rule.backup, index=was.index)
    return asked.where(people(case, rule) > 0, 0)


def today(case: Case, rule: Standard) -> pd.Series[int]:
    """How many sites within the limit each zone has today."""
    pairs = near_pairs(case, rule)
    n = len(case.zones)
    return pd.Series(0, index=range(n)) if pairs is None else count(pairs, offering(case, case.today, rule.service), n)


def held_to_today(case: Case, rule: Standard) -> tuple[pd.DataFrame, pd.Series[float]] | None:
    """Every pair by the rule's first limb, and how far its counter may be from each zone that is beyond the limit today.

    NaN for all other zones.  None where the rule asks for no such thing, or there are no data.
    """
    first = limbs(case, rule)[0]
    frame = frame_of(case, Journey.HOME, first)
    if frame is None or rule.beyond != "no-worse":
        return None
    slack = rule.tolerance.value if rule.tolerance and rule.tolerance.metric is first.limit.metric else 0.0
    beyond = (people(case, rule) > 0) & (today(case, rule) == 0)
    return frame, (nearest(frame, offering(case, case.today, rule.service)).reindex(beyond.index) + slack).where(beyond)


def nearest(frame: pd.DataFrame, ends: set[int]) -> pd.Series[float]:
    """How far each start is from the nearest of the chosen ends; without those that reach none."""
    far: pd.Series[float] = frame[frame["end"].isin(ends)].groupby("start")["value"].min()
    return far


def check_home(case: Case, decision: Decision, rule: Standard) -> Iterator[Finding]:
    """A home-to-site rule on one plan."""
    pairs = near_pairs(case, rule)
    if pairs is None:
        return
    now = count(pairs, offering(case, decision, rule.service), len(case.zones))
    if rule.share < 1 or rule.each:
        yield _check_share(case, rule, now)
        return
    asked = asked_of_all(case, rule)
    says = f"'{rule.name}': within {rule.limit.text if rule.limit else ''} of {rule.service}"
    yield _zones(case, f"standard.{rule.name}", asked > 0, now < asked, says)
    if (held := held_to_today(case, rule)) is not None:
        frame, farthest = held
        far = nearest(frame, offering(case, decision, rule.service)).reindex(farthest.index)
        worse = farthest.notna() & (far.isna() | (far > farthest))
        says = f"'{rule.name}': beyond the limit today and farther after"
        yield _zones(case, f"no-worse.{rule.name}", farthest.notna(), worse, says)


def _zones(case: Case, code: str, held: pd.Series[bool], broken: pd.Series[bool], says: str) -> Finding:
    return finding(code, int(held.sum()), case.zones.loc[broken.to_numpy(), "zone_id"].astype(str), says)


def share_asked(case: Case, rule: Standard) -> pd.DataFrame:
    """``all, wanted`` by value of the rule's column (one row where it names none): people, and how many must be within."""
    residents, was = people(case, rule), today(case, rule)
    table = pd.DataFrame({"all": residents, "was": residents * (was >= rule.backup)}).groupby(share_label(case, rule)).sum()
    table = table[table["all"] > 0]
    wanted = [ceil(Fraction(str(rule.share)) * int(total)) for total in table["all"]]
    if rule.beyond == "no-worse":
        wanted = [min(most, int(was)) for most, was in zip(wanted, table["was"], strict=True)]
    return table.assign(wanted=wanted)[["all", "wanted"]]


def share_label(case: Case, rule: Standard) -> Any:
    """(n,) the value of the rule's column for each zone, as text."""
    if rule.each:
        return case.zones[rule.each].astype(str).to_numpy()
    return pd.Series("everyone", index=case.zones.index).to_numpy()


def _check_share(case: Case, rule: Standard, now: pd.Series[int]) -> Finding:
    asked = share_asked(case, rule)
    within = (people(case, rule) * (now >= rule.backup)).groupby(share_label(case, rule)).sum().reindex(asked.index)
    short = within < asked["wanted"]
    broken = [f"{value}: {within[value]} people of {asked['wanted'][value]}" for value in asked.index[short]]
    return finding(f"share.{rule.name}", len(asked), broken, f"'{rule.name}': people within the limit")


# -------------------------------------------------------------------------------------------------- displacement


def displaced(case: Case, decision: Decision, rule: Standard) -> tuple[list[str], int]:
    """Access points that a displacement rule says are too far from where they were, and how many it looked at."""
    pairs = near_pairs(case, rule)
    held = [p for p, row in case.points.items() if row["service"] == rule.service and not case.outside(case.today.host[p])]
    if pairs is None:
        return [], 0
    home = {point: case.position[case.today.host[point]] for point in held}
    pairs = pairs[pairs["start"].isin(set(home.values()))]
    if rule.test == "moved":
        within = set(zip(pairs["start"], pairs["end"], strict=True))
        new = {point: case.position[decision.host[point]] for point in held}
        return [p for p in held if new[p] != home[p] and (home[p], new[p]) not in within], len(held)
    there = offering(case, decision, rule.service)
    reached = set(pairs.loc[pairs["end"].isin(there), "start"]) | there
    return [point for point in held if home[point] not in reached], len(held)


def price_pence(case: Case, decision: Decision) -> int:
    """Pence a year of displacement at a price."""
    return sum(
        pence(rule.price_gbp) * len(displaced(case, decision, rule)[0])
        for rule in case.standards
        if rule.measure is Journey.SITE and rule.action == "price"
    )


def check_access(case: Case, decision: Decision, exempt: frozenset[str]) -> Iterator[Finding]:
    """Every standard on one plan; points in ``exempt`` were moved by a decision already taken."""
    for rule in case.standards:
        if rule.measure is Journey.HOME:
            if case.has(rule.service):
                yield from check_home(case, decision, rule)
        elif rule.action == "forbid":
            far, looked = displaced(case, decision, rule)
            allowed = exempt if rule.test == "moved" else frozenset()
            broken = [f"{point} at {decision.host[point]}" for point in far if point not in allowed]
            yield finding(f"displacement.{rule.name}", looked, broken, f"'{rule.name}': displaced too far")


# -------------------------------------------------------------------------------------------------- other goals


def journeys(case: Case, decision: Decision) -> pd.DataFrame:
    """``zone, service, people, far``: the nearest site from every zone with people, for every service it reaches today.

    In the scenario's own mode, in metres (else seconds); NaN where the plan takes the service out of reach.
    """
    pairs = case.travel.home[case.scenario.travel.mode]
    value = pairs.distance_m if pairs.has_distance else pairs.time_s
    frame = pd.DataFrame({"zone": pairs.from_, "end": pairs.to, "far": value})
    residents = case.zones["population"]
    frame = frame[frame["zone"].map(residents) > 0]
    zones = pd.Index(sorted(frame["zone"].unique()))
    parts = []
    for service in case.visited:
        now, today = (
            frame[frame["end"].isin(offering(case, each, service))].groupby("zone")["far"].min().reindex(zones)
            for each in (decision, case.today)
        )
        part = pd.DataFrame({"zone": zones, "service": service, "people": residents.loc[zones].to_numpy(), "far": now})
        parts.append(part[today.notna().to_numpy()])
    return pd.concat(parts, ignore_index=True)


def people_within(case: Case, decision: Decision) -> int:
    """People within the limits of the home-to-site rules, added over rules; rules that ask for backup are not counted."""
    total = 0
    for rule in case.standards:
        counts = rule.measure is Journey.HOME and rule.backup == 1 and case.has(rule.service)
        pairs = near_pairs(case, rule) if counts else None
        if pairs is not None:
            now = count(pairs, offering(case, decision, rule.service), len(case.zones))
            total += int(people(case, rule)[now >= 1].sum())
    return total
