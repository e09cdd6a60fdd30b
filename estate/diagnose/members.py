"""What can be let go: every rule, place and lock of a scenario as a *member*, and the rows that are there for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from estate.formulate import Formulated
from estate.formulate.eligible import taking_part
from estate.place import Place
from estate.problem import Goal, Ints, Problem
from estate.scenario import Journey, Limit, Scenario


class Kind(StrEnum):
    """What sort of thing a member is."""

    ACCESS = "access"
    """An access rule, for some zones (or, for displacement, some access points)."""
    REACHED = "reached"
    """The objective asks how far people travel, so everybody must be able to reach the service at all."""
    SHARE = "share"
    """A rule for a share of people, in the whole place or a group."""
    POINT = "home"
    """Access points of a service need a home."""
    AREA = "floor area"
    """Buildings hold no more than their floor area."""
    KEEP = "keep"
    """Buildings stay open, for one reason."""
    CLOSE = "close"
    FIXED = "fixed"
    """A decision taken: this access point goes to that site."""
    SIDE = "count or budget"
    APART = "may not share"
    TOGETHER = "must share"
    BARRED = "barred"
    OUT = "does not take part"
    REACH = "reach"
    """No access point moves farther: that of all, or a service's own (:func:`reaches`)."""
    MOVED = "moved"
    """A displacement rule on a point's own new site."""


LOCKS = frozenset({Kind.KEEP, Kind.CLOSE, Kind.FIXED, Kind.OUT, Kind.BARRED, Kind.REACH, Kind.MOVED})
"""Members that say what may be done, rather than what must be achieved."""


@dataclass(frozen=True, slots=True)
class Member:
    """One thing that can be let go.

    ``name`` is a rule, a service, a reason, a site, an access point, an agency or a column, by ``kind``.  ``who`` lists what it
    holds for here: zones or access points of an access rule, access points that need a home, sites with their floor area.
    The programme's own members, its *atoms*, hold for one each; :func:`merged` tells those of one name together.
    """

    kind: Kind
    name: str
    who: tuple[str, ...] = ()

    def atoms(self) -> Iterator[Member]:
        """The programme's members that this one stands for."""
        return iter([self]) if not self.who else (Member(self.kind, self.name, (each,)) for each in self.who)


def merged(atoms: Iterable[Member]) -> tuple[Member, ...]:
    """Atoms of the same kind and name told together."""
    who: dict[tuple[Kind, str], list[str]] = {}
    for each in atoms:
        who.setdefault((each.kind, each.name), []).extend(each.who)
    return tuple(Member(kind, name, tuple(sorted(set(found)))) for (kind, name), found in who.items())


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The atoms, the access rules' first and in the order of their rows; ``number`` finds one."""

    atoms: tuple[Member, ...]
    number: Mapping[Member, int]

    def numbers(self, found: Iterable[Member]) -> Ints:
        """The number of each, or -1."""
        return np.array([self.number.get(each, -1) for each in found], dtype=np.int64)

    def one_of_each(self, kind: Kind, names: Sequence[str], who: Sequence[str]) -> Ints:
        """The number of each (name, who) of a kind, or -1."""
        return self.numbers(Member(kind, name, (each,)) for name, each in zip(names, who, strict=True))


def roster(place: Place, scenario: Scenario, base: Formulated, near_zones: Ints, side: tuple[str, ...]) -> Roster:
    """Every atom of a scenario.

    ``near_zones`` are the positions of the zones in the problem's near rows, ``side`` the names of its side rows.
    """
    compiled, rules = base.compiled, scenario.rules
    zones, points, sites = (frame.index.astype(str) for frame in (place.zones, place.access_points, place.sites))
    by_row = [(compiled.rules[r], who) for r, who in zip(compiled.row_rule.tolist(), compiled.row_zone.tolist(), strict=True)]
    found = [Member(Kind.ACCESS, rule.name, ((zones if rule.measure is Journey.HOME else points)[i],)) for rule, i in by_row]
    if base.problem.goal in (Goal.TRAVEL, Goal.FARTHEST):
        public = [each for each in place.services if scenario.is_public(each)]
        found += [Member(Kind.REACHED, service, (zones[i],)) for service in public for i in near_zones.tolist()]
    rows = len(found)
    found += [Member(Kind.SHARE, each.name) for each in compiled.shares]
    services = place.access_points["service"].tolist()
    found += [Member(Kind.POINT, services[p], (points[p],)) for p in base.points.tolist()]
    state = base.state
    inside = np.flatnonzero(~place.outside).tolist()
    found += [Member(Kind.AREA, "", (sites[j],)) for j in inside]
    found += [Member(Kind.KEEP, state.why.iloc[j], (sites[j],)) for j in inside if state.must_open[j]]
    found += [Member(Kind.CLOSE, sites[j]) for j in inside if state.must_close[j]]
    found += [Member(Kind.FIXED, s) for s in sorted(rules.fixed)]
    found += [Member(Kind.SIDE, name) for name in side]
    found += [Member(Kind.APART, both(pair)) for pair in rules.may_not_share]
    found += [Member(Kind.TOGETHER, both(pair)) for pair in rules.must_share]
    found += [Member(Kind.BARRED, column) for column in sorted(rules.barred)]
    found += [Member(Kind.OUT, str(agency)) for agency in place.agencies.index[~taking_part(place, scenario)]]
    found += [Member(Kind.REACH, name) for name in reaches(place, scenario)]
    found += [Member(Kind.MOVED, compiled.rules[r].name) for r in compiled.moved if compiled.rules[r].action == "forbid"]
    atoms = (*found[:rows], *dict.fromkeys(found[rows:]))
    return Roster(atoms, {atom: m for m, atom in enumerate(atoms)})


def reaches(place: Place, scenario: Scenario) -> dict[str, tuple[Limit, tuple[str, ...]]]:
    """By setting, each limit on how far counters move, and the services that it holds for; those that hold for none left out."""
    held: dict[str, tuple[Limit, tuple[str, ...]]] = {}
    for service in place.services:
        limit, setting = scenario.reach_of(service), scenario.services.get(service)
        name = f"services.{service}.reach" if setting and setting.reach else "rules.reach"
        if limit is not None:
            held[name] = (limit, (*held.get(name, (limit, ()))[1], service))
    return dict(sorted(held.items()))


def both(pair: tuple[str, str]) -> str:
    """Two services that may not, or must, share."""
    return f"{pair[0]} and {pair[1]}"


def row_members(all_: Roster, place: Place, scenario: Scenario, problem: Problem, points: Ints) -> dict[str, Ints]:
    """By family of rows (:func:`.sheet.other_rows`), the number of the atom that each is there for, or -1."""
    names = place.services
    ids, sites = place.access_points.index.astype(str)[points], place.sites.index.astype(str)

    def pairs(kind: Kind, triples: Ints, settings: tuple[tuple[str, str], ...]) -> Ints:
        asked = {frozenset(pair): Member(kind, both(pair)) for pair in reversed(settings)}
        return all_.numbers(asked[frozenset((names[a], names[b]))] for a, b, _ in triples.tolist())

    return {
        "point": all_.one_of_each(Kind.POINT, [names[k] for k in problem.point_service.tolist()], list(ids)),
        "area": all_.one_of_each(Kind.AREA, [""] * len(sites), list(sites)),
        "share": all_.numbers(Member(Kind.SHARE, each.name) for each in problem.shares),
        "conflict": pairs(Kind.APART, problem.conflict, scenario.rules.may_not_share),
        "together": pairs(Kind.TOGETHER, problem.together, scenario.rules.must_share),
        "side": all_.numbers(Member(Kind.SIDE, name) for name in problem.side.name),
    }
