"""The published tables, cell by cell, against what the plan says they must hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from estate.scenario import Journey, Limb, Metric, Standard
from estate.verify.access import check_home, count, frame_of, limbs, near_pairs, offering, people, stands, tested
from estate.verify.bills import PAID, check_agencies
from estate.verify.books import check_ledger, flexible_use, receipts
from estate.verify.case import Case, Decision, Finding, blank, finding, number, plain
from estate.verify.money import (
    day,
    decided,
    goes_after,
    hosting_gbp,
    leaves_after,
    move_gbp,
    opening_parts_gbp,
    pence,
    running_gbp,
)
from estate.verify.one_roof import one_roof_again
from estate.verify.purses import needs_again, purses_again
from estate.verify.rules import area_units, merges, own_m2, room_units
from estate.verify.spaces import spaces_again
from estate.verify.transfers import check_transfers

LEDGER = ("agency", "year", "line", "site_id", "access_point_id", "amount_gbp")
GROUPS = ("service", "group", "value", "people")
CLOSE = 6e-4
"""Figures are printed to the penny, the metre or a thousandth of a square metre."""
PENNY = 0.0206
"""What several share may stand two pence off, as shares of one sum do."""
UNCHANGED = {"m": 80, "s": 60}
"""Metres or seconds more or less that nobody is told of."""
ROUNDED = 0.5 + 1e-6
"""A mean is printed to the whole number nearest to it."""


def standards(case: Case, decision: Decision) -> pd.DataFrame:
    """``standards``: whether the plan keeps each home-to-site rule as it is held to it, and whom the limit leaves out."""
    rows = []
    for rule in case.standards:
        row: dict[str, Any] = {"name": rule.name, "kept": "", "beyond_before": None, "newly_beyond": None}
        if rule.measure is Journey.HOME and case.has(rule.service):
            pairs = near_pairs(case, rule)
            if pairs is None or not all(tested(case, rule.measure, limb) for limb in limbs(case, rule)):
                row["kept"] = "not tested"
            else:
                met = [
                    count(pairs, offering(case, each, rule.service), len(case.zones)) >= rule.backup
                    for each in (case.today, decision)
                ]
                residents = people(case, rule)
                row["kept"] = "no" if any(found.broken for found in check_home(case, decision, rule)) else "yes"
                row["beyond_before"] = int(residents[~met[0]].sum())
                row["newly_beyond"] = int(residents[met[0] & ~met[1]].sum())
        rows.append(row)
    frame = pd.DataFrame(rows, columns=["name", "kept", "beyond_before", "newly_beyond"])
    return frame.astype(dict.fromkeys(("beyond_before", "newly_beyond"), "Float64"))


def check_tables(case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """Every table that is there and that the referee can work out."""
    if "ledger" in tables:
        absent = [column for column in LEDGER if column not in tables["ledger"]]
        yield finding("ledger.columns", len(LEDGER), absent, "columns missing from ledger")
        yield from [] if absent else check_ledger(case, decision, tables["ledger"])
    for name, again, keys, close in AGAIN:
        if name in tables:
            yield from compare(name, tables[name], again(case, decision), keys, close)
    if "kept" in tables.get("standards", ()):  # runs stored before the column came have none
        yield from compare("standards", tables["standards"], standards(case, decision), ["name"])
    if "agencies" in tables:
        absent = [column for column in PAID if column not in tables["agencies"]]
        yield finding("agencies.columns", len(PAID), absent, "columns missing from agencies")
        yield from [] if absent else check_agencies(case, decision, tables["agencies"])
    if "transfers" in tables and "agencies" in tables:
        yield from check_transfers(case, decision, tables)
    trips = journeys(case, decision) if "zones" in tables or "access" in tables else pd.DataFrame()
    if "zones" in tables:
        yield from compare("zones", tables["zones"], trips, ["zone_id", "service"])
    if "access" in tables:
        absent = [column for column in GROUPS if column not in tables["access"]]
        yield finding("access.columns", len(GROUPS), absent, "columns missing from access")
        if not absent:
            yield from check_groups(case, tables["access"])
            yield from compare("access", tables["access"], access(case, tables["access"], trips), GROUPS[:3])


def compare(name: str, said: pd.DataFrame, true: pd.DataFrame, keys: Sequence[str], close: float = CLOSE) -> Iterator[Finding]:
    """The same rows by key, and the same cells in every column of ``true``; words are compared as text, figures as numbers."""
    absent = [column for column in [*keys, *true.columns] if column not in said]
    yield finding(f"{name}.columns", len(true.columns), set(absent), f"columns missing from {name}")
    if absent or true.empty:
        extra = [] if absent else [str(len(said))] * bool(len(said))
        yield finding(f"{name}.rows", len(said), extra, f"rows of {name} that should not be there")
        return
    here, there = (frame.set_index(_key(frame, keys)) for frame in (said, true))
    twice = set(here.index[here.index.duplicated()])
    odd = twice | (set(here.index) ^ set(there.index))
    yield finding(f"{name}.rows", len(there), odd, f"rows of {name} that are missing, repeated or should not be there")
    here = here[~here.index.duplicated()].reindex(there.index)
    for column in true.columns.difference(list(keys), sort=False):
        want, got = there[column], here[column]
        if _numeric(want):
            wanted = want.astype("Float64").astype(float)
            cells = got if _numeric(got) else got.map(lambda cell: None if blank(cell) else cell)
            found = pd.to_numeric(cells, errors="coerce").astype("Float64").astype(float)
            wrong = ~((wanted - found).abs() <= (ROUNDED if "mean" in column else close)).to_numpy(dtype=bool)
            # A blank is right only where a blank is due, and a word is never a number.
            due = np.flatnonzero(wrong & wanted.isna().to_numpy())
            wrong[due] = [plain(cell) != "" for cell in got.iloc[due]]
        else:
            # Cells that are the same as they stand say the same; the others may still, when they are read as text.
            a, b = (np.asarray(each, dtype=object) for each in (want, got))
            wrong = np.array([x is not y and (type(x) is not type(y) or x != y) for x, y in zip(a, b, strict=True)], dtype=bool)
            unlike = np.flatnonzero(wrong)
            wrong[unlike] = [_cell(x) != _cell(y) for x, y in zip(a[unlike], b[unlike], strict=True)]
        yield finding(f"{name}.{column}", len(want), there.index[wrong], f"{name}, column {column}")


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _key(frame: pd.DataFrame, keys: Sequence[str]) -> pd.Index:
    cells = (frame[key].map(plain) for key in keys)
    return pd.Index([" / ".join(parts) for parts in zip(*cells, strict=True)], dtype=object)


def _cell(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) or str(cell) in ("True", "False") else plain(cell)


# -------------------------------------------------------------------------------------------------- sites and moves


def sites(case: Case, decision: Decision) -> pd.DataFrame:
    """``sites``: every site before and after."""
    plans = {"before": case.today, "after": decision}
    services = {name: _services(case, each) for name, each in plans.items()}
    area = {name: own_m2(case, each) for name, each in plans.items()}
    cost = {name: _running(case, each) for name, each in plans.items()}
    let = receipts(case, decision)
    net = dict(zip(let["site_id"], let["net_receipt_gbp"], strict=True)) if len(let) else {}
    rows = []
    for site, row in case.sites.items():
        found: dict[str, Any] = {"site_id": site, "agency_name": case.agencies.get(row["agency"], {}).get("name", "")}
        found |= {name: row[name] for name in ("name", "agency", "kind", "tenure", "district")}
        found |= {name: number(row[name]) for name in ("other_use_m2", "easting_m", "northing_m")}
        found["capacity_m2"] = number(row["capacity_m2"]) - number(row["other_use_m2"])
        found["net_receipt_gbp"] = float(net.get(site, "nan"))
        found["candidate"] = row["candidate"]
        found["opening_gbp"] = pence(sum(opening_parts_gbp(case, site))) / 100 if site in decision.open else 0.0
        found["date"] = _date(case, site, decision)
        for name, each in plans.items():
            found[f"services_{name}"] = ";".join(sorted(services[name][site]))
            found[f"area_used_{name}_m2"] = area[name].get(site, 0.0)
            found[f"running_cost_{name}_gbp_pa"] = cost[name][site] / 100
            found[name] = _state(case, site, each, services[name][site], had=services["before"][site])
        rows.append(found)
    return pd.DataFrame(rows)


def _date(case: Case, site: str, decision: Decision) -> str:
    """The day on which a site is let go or opened; blank where neither."""
    if case.outside(site) or (site in decision.open) == (site in case.today.open):
        return ""
    when = leaves_after(case, site) if site in case.today.open else decided(case, site)
    return day(case.scenario.money.base_year, when)


def _services(case: Case, decision: Decision) -> dict[str, set[str]]:
    """The services at every site, outside the place too."""
    found: dict[str, set[str]] = {site: set() for site in case.sites}
    for point, site in decision.host.items():
        found[site].add(case.points[point]["service"])
    return found


def _running(case: Case, decision: Decision) -> dict[str, int]:
    cost = {site: pence(running_gbp(case, site)) if site in decision.open else 0 for site in case.sites}
    for point, site in decision.host.items():
        cost[site] += pence(hosting_gbp(case, point, site))
    return cost


def _state(case: Case, site: str, decision: Decision, services: set[str], *, had: set[str]) -> str:
    """One word or phrase for what a site is under a plan."""
    if case.outside(site):
        return "outside"
    if site not in decision.open:
        return "released" if site in case.today.open else "not in use"
    if len(case.kinds(services)) > 1:
        return "hub"
    now, then = ({each for each in some if case.public(each)} for some in (services, had))
    return "closed to services" if then and not now else "retained"


def moves(case: Case, decision: Decision) -> pd.DataFrame:
    """``moves``: every access point that leaves its building."""
    mode = case.scenario.travel.mode
    pairs = case.travel.between.get(mode)
    far: dict[str, dict[tuple[int, int], int]] = {"distance_m": {}, "time_s": {}}
    if pairs is not None:
        ends = list(zip(pairs.from_.tolist(), pairs.to.tolist(), strict=True))
        far["distance_m"] = dict(zip(ends, pairs.distance_m.tolist(), strict=False))
        far["time_s"] = dict(zip(ends, pairs.time_s.tolist(), strict=False))
    verdicts, joined = consultation(case, decision), merges(case, decision)
    rows = []
    for point in case.moved(decision):
        row, old, new = case.points[point], case.today.host[point], decision.host[point]
        ends_of = case.position[old], case.position[new]
        rows.append(
            {
                "access_point_id": point,
                **{name: row[name] for name in ("name", "service", "agency")},
                "kind": "space" if not case.public(row["service"]) else "merge" if point in joined else "move",
                "from_site_id": old,
                "from_name": case.sites[old]["name"],
                "to_site_id": new,
                "to_name": case.sites[new]["name"],
                "date": day(case.scenario.money.base_year, goes_after(case, point)),
                **{name: float(value.get(ends_of, "nan")) for name, value in far.items()},
                "area_m2": number(row["area_m2"]),
                "one_off_gbp": pence(move_gbp(case, point, new)) / 100,
                "why": _leaves(case, decision, point),
                "decision": next((each.words for each in case.scenario.rules.decisions if point in each.access_points), ""),
                "consultation": verdicts.get(point, ""),
            }
        )
    return pd.DataFrame(rows)


def _leaves(case: Case, decision: Decision, point: str) -> str:
    """What a counter leaves its building for: that closes, or gains counters for which it would be too small with this one."""
    old = case.today.host[point]
    if old not in decision.open:
        return "its building closes"
    coming = sorted(
        {
            f"the {case.scenario.service_label(case.points[each]['service'])} from {case.sites[case.today.host[each]]['name']}"
            for each in case.moved(decision)
            if decision.host[each] == old
        }
    )
    stay = {each: site for each, site in decision.host.items() if site == old} | {point: old}
    row = case.sites[old]
    if not coming or area_units(case, replace(decision, host=stay))[old] <= room_units(
        number(row["capacity_m2"]) - number(row["other_use_m2"])
    ):
        return "part of the best plan within the rules"
    named = [*coming[:3], f"{len(coming) - 3} more"] if len(coming) > 3 else coming
    return "makes room for " + " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def places(case: Case, decision: Decision) -> pd.DataFrame:
    """``places``: how many sites of the place have each service, everywhere and by the site's district, before and after."""
    joined, moved = merges(case, decision), set(case.moved(decision))
    inside = [site for site in case.sites if not case.outside(site)]
    district = {site: plain(case.sites[site]["district"]) for site in case.sites}
    ways = {"everywhere": dict.fromkeys(case.sites, "")}
    if any(district.values()):
        ways["district"] = district
    before, after = _services(case, case.today), _services(case, decision)
    rows = []
    for service in case.visited:
        for group, of in ways.items():
            for value in sorted({of[site] for site in inside if service in before[site] | after[site]}):
                here = [site for site in inside if of[site] == value]
                leaving = {p for p in moved if case.points[p]["service"] == service and case.today.host[p] in here}
                row: dict[str, Any] = {"service": service, "group": group, "value": value}
                row["places_before"] = sum(service in before[site] for site in here)
                row["places_after"] = sum(service in after[site] for site in here)
                row["change"] = row["places_after"] - row["places_before"]
                rows.append(row | {"counters_moved": len(leaving), "counters_merged": len(leaving & joined)})
    return pd.DataFrame(rows)


def decisions(case: Case, decision: Decision) -> pd.DataFrame:
    """``decisions``: every lock that somebody decided."""
    del decision
    rules, rows = case.scenario.rules, []
    for each in rules.decisions:
        said = {"decided_by": each.by, "decided_on": str(each.on), "minute": each.minute, "status": each.status}
        for site in each.sites:
            shut = site in rules.close or case.sites[site]["status"] == "close"
            name = case.sites[site]["name"]
            rows.append(
                {**said, "lock": "close" if shut else "keep", "site_id": site, "site_name": name, "access_point_id": ""}
            )
        for point in each.access_points:
            to = rules.fixed[point]
            rows.append({**said, "lock": "fixed", "site_id": to, "site_name": case.sites[to]["name"], "access_point_id": point})
    return pd.DataFrame(rows)


WORST = ("", "within", "not tested", "consult")
"""What is said of a displaced counter, from best to worst."""


def consultation(case: Case, decision: Decision) -> dict[str, str]:
    """The worst verdict of any displacement rule on each access point."""
    worst: dict[str, str] = {}
    for rule in case.standards:
        if rule.measure is Journey.SITE:
            for point, verdict in _verdicts(case, decision, rule):
                worst[point] = max(worst.get(point, ""), verdict, key=WORST.index)
    return worst


def _verdicts(case: Case, decision: Decision, rule: Standard) -> Iterator[tuple[str, str]]:
    """Each displaced point under one rule: ``within``, ``consult``, or ``not tested`` where a missing limb decides."""
    there = offering(case, decision, rule.service)
    given = limbs(case, rule)
    near = [_within(case, limb) for limb in given if tested(case, rule.measure, limb)]
    missing = len(near) < len(given)
    together = all if rule.join == "all" else any
    for point, row in case.points.items():
        home, host = case.position[case.today.host[point]], case.position[decision.host[point]]
        gone = home not in there if rule.test == "nearest" else host != home
        if row["service"] != rule.service or case.outside(case.today.host[point]) or not gone:
            continue
        ends = there if rule.test == "nearest" else {host}
        # One office has to pass the limbs together.
        holds = bool(near) and any(together((home, end) in each for each in near) for end in ends)
        undecided = missing and (not near or holds == (rule.join == "all"))
        yield point, "not tested" if undecided else "within" if holds else "consult"


def _within(case: Case, limb: Limb) -> set[tuple[int, int]]:
    """(from, to) positions of sites within a limb."""
    key = ("between", limb.mode, limb.limit)
    if key not in case.memo:
        frame = frame_of(case, Journey.SITE, limb)
        close = pd.DataFrame() if frame is None else frame[frame["value"] <= limb.limit.value]
        case.memo[key] = set(zip(close["start"].tolist(), close["end"].tolist(), strict=True)) if len(close) else set()
    found: set[tuple[int, int]] = case.memo[key]
    return found


# -------------------------------------------------------------------------------------------------- people


def own_rules(case: Case, service: str) -> pd.Series[int]:
    """For each zone, the position among the standards of the rule that says what its people's limit is; -1 for none.

    The first home-to-site rule of the service for everyone where its conditions hold, else the first for some of the people.
    """
    found = pd.Series(-1, index=range(len(case.zones)))
    for everyone in (True, False):
        for n, rule in enumerate(case.standards):
            if rule.measure is Journey.HOME and rule.service == service and (rule.people == "everyone") is everyone:
                found = found.mask((found < 0) & stands(case, rule).reset_index(drop=True), n)
    return found


def journeys(case: Case, decision: Decision) -> pd.DataFrame:
    """``zones``: the nearest site of every zone and service, before and after, and whether it is within the limit."""
    pairs = case.travel.home[case.scenario.travel.mode]
    names = [name for name, has in (("distance_m", pairs.has_distance), ("time_s", pairs.has_time)) if has]
    frame = pd.DataFrame({"zone": pairs.from_, "end": pairs.to, **{name: getattr(pairs, name) for name in names}})
    frame = frame.sort_values(["zone", names[0], "end"], kind="stable") if names else frame
    parts = []
    for service in case.visited:
        part = case.zones[["zone_id", "population"]].assign(service=service)
        own = own_rules(case, service)
        near = {n: near_pairs(case, case.standards[n]) for n in sorted(set(own) - {-1})}
        for metric in Metric:
            limit = {n: r.limit.value for n in near if (r := case.standards[n]).limit and r.limit.metric is metric}
            part["limit_m" if metric is Metric.DISTANCE else "limit_s"] = own.map(limit).to_numpy(float)
        for when, each in (("before", case.today), ("after", decision)):
            there = offering(case, each, service)
            best = frame[frame["end"].isin(there)].drop_duplicates("zone").set_index("zone").reindex(range(len(part)))
            part[f"site_{when}"] = best["end"].map(dict(enumerate(case.site_ids))).fillna("").to_numpy()
            part[f"distance_{when}_m"] = best["distance_m"].to_numpy(float) if "distance_m" in best else float("nan")
            part[f"time_{when}_s"] = best["time_s"].to_numpy(float) if "time_s" in best else float("nan")
            reached = {n: set(close.loc[close["end"].isin(there), "start"]) for n, close in near.items() if close is not None}
            part[f"within_{when}"] = [
                "" if rule not in reached else "yes" if zone in reached[rule] else "no" for zone, rule in own.items()
            ]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def check_groups(case: Case, table: pd.DataFrame) -> Iterator[Finding]:
    """Every service has the same groups, everyone among them, and the values of a label take in everyone."""
    groups = {
        service: set(zip(part["group"], part["value"].map(plain), strict=True)) for service, part in table.groupby("service")
    }
    every = set().union(*groups.values(), {("everyone", "")})
    broken = [service for service in case.visited if groups.get(service) != every]
    yield finding("access.groups", len(table), broken, "services that lack a group of people")
    labels = table[~table["group"].isin(["everyone", "people"])]
    people = pd.to_numeric(labels["people"], errors="coerce").groupby([labels["service"], labels["group"]]).sum()
    short = people[people != case.zones["population"].sum()]
    yield finding(
        "access.labels", len(people), [" ".join(map(str, each)) for each in short.index], "not everyone is in a group"
    )


def access(case: Case, table: pd.DataFrame, trips: pd.DataFrame) -> pd.DataFrame:
    """``access`` for the groups that a table lists; a group that is none of the place's has no row."""
    by_service = {str(service): part.reset_index(drop=True) for service, part in trips.groupby("service", sort=False)}
    far = {service: _distances(part, own_rules(case, service)) for service, part in by_service.items()}
    rows: list[dict[str, Any]] = []
    for (group, value), listed in table.groupby(["group", table["value"].map(plain)], sort=False):
        weight = _people(case, str(group), str(value))
        for service in listed["service"]:
            if service in far and weight is not None:
                key = {"service": service, "group": group, "value": value}
                rows.append(key | _summary(case, far[service], np.asarray(weight, dtype=np.float64)))
    found = pd.DataFrame(rows)
    return found[[column for column in found.columns if not column.endswith(("_m", "_s")) or column in table]]


def _people(case: Case, group: str, value: str) -> pd.Series[float] | None:
    """People of each zone in a group; None where there is no such group."""
    population = case.zones["population"].astype(float)
    if group == "everyone":
        return population
    if group == "people":
        return case.zones[value].fillna(0).astype(float) if value in case.zones else None
    if group not in case.zones:
        return None
    text = case.zones[group].map(lambda cell: f"{cell:g}" if isinstance(cell, float) else str(cell))
    return population.where(text == value, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Far:
    """How far each zone is from one service, before and after, in metres or else seconds (NaN: out of reach)."""

    unit: str
    far: Mapping[str, NDArray[np.float64]]
    inside: Mapping[str, NDArray[np.bool_]]
    limited: NDArray[np.bool_]
    """The zones whose own limit can be tested."""
    rule: NDArray[np.int64]
    """The position of each zone's own rule among the standards, -1 for none."""


def _distances(trips: pd.DataFrame, own: pd.Series[int]) -> _Far:
    unit = "m" if trips["distance_before_m"].notna().any() else "s"
    what = "distance" if unit == "m" else "time"
    return _Far(
        unit,
        {when: trips[f"{what}_{when}_{unit}"].to_numpy(dtype=float) for when in ("before", "after")},
        {when: (trips[f"within_{when}"] == "yes").to_numpy() for when in ("before", "after")},
        (trips["within_before"] != "").to_numpy(),
        np.asarray(own, dtype=np.int64),
    )


def _summary(case: Case, trips: _Far, weight: NDArray[np.float64]) -> dict[str, Any]:
    """One row of ``access``."""
    here = sorted(set(trips.rule[weight > 0].tolist()) - {-1}, key=lambda n: (case.standards[n].people != "everyone", n))
    limits = [limit.text for n in here if (limit := case.standards[n].limit)]
    under = round(float(weight[trips.limited].sum()))
    change = np.nan_to_num(trips.far["after"] - trips.far["before"])
    more, less = change > UNCHANGED[trips.unit], change < -UNCHANGED[trips.unit]
    worse = float(weight[more].sum())
    row: dict[str, Any] = {
        "people": round(float(weight.sum())),
        "limit": " or ".join(dict.fromkeys(limits)),
        "under_limit": under,
        "better_off": round(float(weight[less].sum())),
        "worse_off": round(worse),
        "worse_mean_m": float((weight * change)[more].sum()) / worse if worse else float("nan"),
        "unreached": round(float(weight[np.isnan(trips.far["after"])].sum())),
    }
    other = "s" if trips.unit == "m" else "m"
    for when, far in trips.far.items():
        row[f"within_{when}"] = float(round(float(weight[trips.inside[when]].sum()))) if under else float("nan")
        row |= {f"{what}_{when}_{trips.unit}": value for what, value in _spread(far, weight).items()}
        row |= {f"{what}_{when}_{other}": float("nan") for what in SPREAD}
    return row


SPREAD = ("mean", "median", "p95")


def _spread(far: NDArray[np.float64], weight: NDArray[np.float64]) -> dict[str, float]:
    """Mean, and the least distances that half and 95% of those who can get there do not exceed."""
    there = sorted((x, w) for x, w in zip(far.tolist(), weight.tolist(), strict=True) if w > 0 and not math.isnan(x))
    whole = sum(w for _, w in there)
    if not there:
        return dict.fromkeys(SPREAD, float("nan"))
    found = {"mean": sum(x * w for x, w in there) / whole}
    for name, share in (("median", 0.5), ("p95", 0.95)):
        running = 0.0
        for x, w in there:
            running += w
            if running >= share * whole * (1 - 1e-12):
                found[name] = x
                break
    return found


AGAIN: tuple[tuple[str, Callable[[Case, Decision], pd.DataFrame], Sequence[str], float], ...] = (
    ("capital_receipts", receipts, ["site_id"], CLOSE),
    ("flexible_use", flexible_use, ["agency", "year"], PENNY),
    ("decisions", decisions, ["site_id", "access_point_id"], CLOSE),
    ("purses", purses_again, ["purse", "year"], PENNY),
    ("agencies", needs_again, ["agency"], PENNY),
    ("sites", sites, ["site_id"], CLOSE),
    ("moves", moves, ["access_point_id"], CLOSE),
    ("places", places, ["service", "group", "value"], CLOSE),
    ("spaces", spaces_again, ["service", "agency"], CLOSE),
    ("one_roof", one_roof_again, ["services", "rule"], CLOSE),
)
"""Tables that are worked out again whole: how, by which key, and how close their figures must be."""
