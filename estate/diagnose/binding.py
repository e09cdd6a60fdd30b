"""What holds a building in the best plan: the rule and the zones, the room, or only the money.

:func:`bindings` says it of one building, with every zone by name; :func:`why_kept` of all that stay, briefly and at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from estate.diagnose.words import listed, plural
from estate.formulate import Formulated
from estate.place import Place
from estate.problem import Bools, Ints, Solution, area_used, covered_weight, offered
from estate.scenario import Journey, Scenario

MONEY = "the money: no access rule and no lack of room by itself stands in the way; other homes for what it holds cost more"


def bindings(place: Place, formulation: Formulated, best: Solution, j: int) -> tuple[str, ...]:
    """What would stand in the way if site ``j``, open in the best plan, closed and everything else stayed as it is there.

    Each is a clause: access rules with the zones that only this building serves within them, counters that no other open
    building may host or has room for; the money where there is none of these.
    """
    found = (*_rules(place, formulation, best, j), *_shares(formulation, best, j), *_room(place, formulation, best, j))
    return found or (MONEY,)


def _rules(place: Place, formulation: Formulated, best: Solution, j: int) -> Iterator[str]:
    """Rules under which some zone would have too few of the plan's buildings left within the limit."""
    problem, compiled = formulation.problem, formulation.compiled
    cover, there = compiled.cover, offered(problem, best)
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    serves = there[cover.service[row], cover.site]
    count = np.bincount(row[serves], minlength=len(cover))
    mine = np.zeros(len(cover), dtype=bool)
    mine[row[serves & (cover.site == j)]] = True
    lost = mine & (count <= cover.need)
    for r in np.unique(compiled.row_rule[lost]).tolist():
        rule, who = compiled.rules[r], np.unique(compiled.row_zone[lost & (compiled.row_rule == r)])
        home = rule.measure is Journey.HOME
        names = (place.zones if home else place.access_points).index.astype(str)[who]
        what = plural(len(who), "zone" if home else "counter")
        people = f", {int(place.zones['population'].to_numpy()[who].sum()):,} people" if home else ""
        yield f"the rule '{rule.name}': no other building of the plan serves {what} within it ({listed(list(names))}{people})"


def _shares(formulation: Formulated, best: Solution, j: int) -> Iterator[str]:
    """Rules for a share of people that would be missed."""
    there = offered(formulation.problem, best)
    without = there.copy()
    without[:, j] = False
    for rule in formulation.problem.shares:
        left = covered_weight(rule, without)
        if left < rule.required:
            yield f"the rule '{rule.name}': without it {left:,} people would be within it, and it asks for {rule.required:,}"


def _room(place: Place, formulation: Formulated, best: Solution, j: int) -> Iterator[str]:
    """Counters in it that no other building of the plan may host, and those that none has the room for, shared parts once."""
    problem = formulation.problem
    for s in np.flatnonzero(best.host[: len(formulation.points)] == j).tolist():
        elsewhere = problem.pair_site[(problem.pair_point == s) & (problem.pair_site != j)]
        standing = elsewhere[best.open[elsewhere]].tolist()
        name = str(place.access_points.index[formulation.points[s]])
        if not standing:
            yield f"where {name} may go: no other building of the plan may host it"
        elif not any(_fits(formulation, best, s, to) for to in standing):
            yield f"room: {name} fits into none of {plural(len(standing), 'other building')} of the plan that may host it"


def _fits(formulation: Formulated, best: Solution, s: int, to: int) -> bool:
    problem, host = formulation.problem, best.host.copy()
    host[s] = to
    return bool(area_used(problem, Solution(best.open, host))[to] <= problem.site_capacity[to])


# -------------------------------------------------------------------------------------------------- all buildings at once

MOST_SAID = 2
"""Rules named of one building; those that hold more people come first."""


def why_kept(place: Place, scenario: Scenario, formulation: Formulated, best: Solution) -> pd.Series[str]:
    """(J,) why each site stays in the best plan, as ``sites.csv`` says it; the lock where there is one, blank where it goes.

    Of a site that holds counters and was in use: the rules that no other building of the plan would meet in its place, else the
    counters that no other may host or has room for, else that other homes cost more.
    """
    why = formulation.state.why.copy()
    held = np.zeros(len(place.sites), dtype=bool)
    held[best.host[: len(formulation.points)]] = True
    free = np.flatnonzero(held & (why == "").to_numpy() & place.today.open & ~place.outside)
    there = offered(formulation.problem, best)
    by_rule = _held_by_rules(place, scenario, formulation, there)
    by_share = _held_by_shares(scenario, formulation, there)
    by_room = _held_by_room(place, scenario, formulation, best)
    for j in free.tolist():
        said = [*by_rule.get(j, ()), *by_share.get(j, ())][:MOST_SAID] or by_room.get(j, ())[:1]
        why.iloc[j] = f"kept: {' and '.join(said)}" if said else "kept: other homes for its counters would cost more"
    return why


def _rule_words(scenario: Scenario, formulation: Formulated, r: int) -> str:
    rule = formulation.compiled.rules[r]
    limit = f" ({rule.limit.text})" if rule.limit else ""
    return f"the rule for {scenario.service_label(rule.service)}{limit}"


def _held_by_rules(place: Place, scenario: Scenario, formulation: Formulated, there: Bools) -> dict[int, list[str]]:
    """By site: the rules that some zone meets only with it, those of most people first."""
    compiled = formulation.compiled
    cover = compiled.cover
    if not len(cover):
        return {}
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    serves = there[cover.service[row], cover.site]
    row, site = row[serves], cover.site[serves]
    tight = np.bincount(row, minlength=len(cover))[row] <= cover.need[row]
    frame = pd.DataFrame({"site": site[tight], "rule": compiled.row_rule[row[tight]], "who": compiled.row_zone[row[tight]]})
    home = np.array([rule.measure is Journey.HOME for rule in compiled.rules])[frame["rule"]]
    people = place.zones["population"].to_numpy(dtype=np.float64)
    frame["people"] = np.where(home, people[np.where(home, frame["who"], 0)], 0.0)
    sums = frame.drop_duplicates(["site", "rule", "who"]).groupby(["site", "rule"])["people"].agg(["size", "sum"]).reset_index()
    found: dict[int, list[str]] = {}
    for each in sums.sort_values(["site", "sum", "rule"], ascending=[True, False, True]).to_dict("records"):
        of_homes = compiled.rules[each["rule"]].measure is Journey.HOME
        who = plural(each["size"], "small area" if of_homes else "counter") + (
            f" ({each['sum']:,.0f} people)" if of_homes else ""
        )
        words = f"only it keeps {_rule_words(scenario, formulation, each['rule'])} for {who}"
        found.setdefault(each["site"], []).append(words)
    return found


def _held_by_shares(scenario: Scenario, formulation: Formulated, there: Bools) -> dict[int, list[str]]:
    """By site: the rules for a share of people that would be missed without it."""
    found: dict[int, list[str]] = {}
    for rule, r in zip(formulation.problem.shares, formulation.compiled.share_rule.tolist(), strict=True):
        item = np.repeat(np.arange(len(rule.weight)), np.diff(rule.start))
        serves = there[rule.service][rule.site]
        item, site = item[serves], rule.site[serves]
        count = np.bincount(item, minlength=len(rule.weight))
        alone = count[item] == 1
        lost = np.bincount(site[alone], weights=rule.weight[item[alone]], minlength=there.shape[1])
        spare = int(rule.weight[count > 0].sum()) - rule.required
        for j in np.flatnonzero(lost > max(spare, 0)).tolist():
            words = f"without it {lost[j]:,.0f} more people would be beyond {_rule_words(scenario, formulation, r)}"
            found.setdefault(j, []).append(f"{words}, which allows {max(spare, 0):,}")
    return found


def _held_by_room(place: Place, scenario: Scenario, formulation: Formulated, best: Solution) -> dict[int, list[str]]:
    """By site: its counters that no other building of the plan may host, and those that none has room for as it is."""
    problem, n = formulation.problem, len(formulation.points)
    used = area_used(problem, best)
    hall, desk = np.zeros(problem.n_sites, dtype=np.int64), np.zeros((problem.n_services, problem.n_sites), dtype=np.int64)
    np.maximum.at(hall, best.host, problem.point_hall)
    np.maximum.at(desk, (problem.point_service, best.host), problem.point_desk)
    s, to = problem.pair_point, problem.pair_site
    elsewhere = (s < n) & best.open[to] & (best.host[s] != to)
    s, to = s[elsewhere], to[elsewhere]
    more = _grown(problem.point_hall[s], hall[to]) + _grown(problem.point_desk[s], desk[problem.point_service[s], to])
    fits = used[to] + problem.point_own[s] + more <= problem.site_capacity[to]
    may, room = np.bincount(s, minlength=problem.n_points) > 0, np.bincount(s[fits], minlength=problem.n_points) > 0
    found: dict[int, list[str]] = {}
    for point in np.flatnonzero(~room[:n]).tolist():
        label = scenario.service_label(place.services[place.point_service[formulation.points[point]]])
        words = (
            f"its {label} fits into no other building that stays"
            if may[point]
            else f"no other building that stays may take its {label}"
        )
        found.setdefault(int(best.host[point]), []).append(words)
    return found


def _grown(needed: Ints, there: Ints) -> Ints:
    """What a shared part has to grow by for another that needs so much."""
    return np.asarray(np.maximum(needed - there, 0), dtype=np.int64)
