"""What holds a building in the best plan: the rule and the zones, the room, or only the money."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from estate.diagnose.words import listed, plural
from estate.formulate import Formulation
from estate.place import Place
from estate.problem import Solution, area_used, covered_weight, offered
from estate.scenario import Measure

MONEY = "the money: no access rule and no lack of room by itself stands in the way; other homes for what it holds cost more"


def bindings(place: Place, formulation: Formulation, best: Solution, j: int) -> tuple[str, ...]:
    """What would stand in the way if site ``j``, open in the best plan, closed and everything else stayed as it is there.

    Each is a clause: access rules with the zones that only this building serves within them, counters that no other open
    building may host or has room for; the money where there is none of these.
    """
    found = (*_rules(place, formulation, best, j), *_shares(formulation, best, j), *_room(place, formulation, best, j))
    return found or (MONEY,)


def _rules(place: Place, formulation: Formulation, best: Solution, j: int) -> Iterator[str]:
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
        home = rule.measure is Measure.HOME
        names = (place.zones if home else place.access_points).index.astype(str)[who]
        what = plural(len(who), "zone" if home else "counter")
        people = f", {int(place.zones['population'].to_numpy()[who].sum()):,} people" if home else ""
        yield f"the rule '{rule.name}': no other building of the plan serves {what} within it ({listed(list(names))}{people})"


def _shares(formulation: Formulation, best: Solution, j: int) -> Iterator[str]:
    """Rules for a share of people that would be missed."""
    there = offered(formulation.problem, best)
    without = there.copy()
    without[:, j] = False
    for rule in formulation.problem.shares:
        left = covered_weight(rule, without)
        if left < rule.required:
            yield f"the rule '{rule.name}': without it {left:,} people would be within it, and it asks for {rule.required:,}"


def _room(place: Place, formulation: Formulation, best: Solution, j: int) -> Iterator[str]:
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


def _fits(formulation: Formulation, best: Solution, s: int, to: int) -> bool:
    problem, host = formulation.problem, best.host.copy()
    host[s] = to
    return bool(area_used(problem, Solution(best.open, host))[to] <= problem.site_capacity[to])
