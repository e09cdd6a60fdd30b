"""The access rules of a scenario compiled to rows over arrays.

A zone that is beyond its limit today is held to today's distance (``no-worse``), or to the limit (``strict``).

Every rule becomes part of the problem, by these forms:

===================================  ===========================================================================
home to site, share 1                one cover row for each zone: some offering site within its limit
home to site, share below 1          a share rule for the group, or for each value of a column
site to site, ``nearest``, forbid    one cover row for each point: the service within the limit of its old site
site to site, ``moved``, forbid      host pairs beyond the limit are dropped
site to site, ``moved``, price       host pairs beyond the limit cost the price
site to site, ``nearest``, price     a priced row: the price is paid where the row is not met
site to site, flag                   no row: displaced points are listed for consultation
===================================  ===========================================================================

**A share of people** asks for the smallest whole number of people that is no less than share x people, worked out exactly in
decimals with the share as it is written: 0.95 of 101 people is 96 people, 0.916380575 of 955,113 (875,247.0001) is 875,248.
Under ``no-worse`` it never asks for more than are within the limit today.  A share is the shortest decimal that reads back as
the same number, so up to 15 significant digits are kept as written.  The rule is stated here and written twice:
:func:`~estate.standards.reach.people_needed` is what the optimiser and the page ask for, and the referee has its own
(:mod:`estate.verify.access`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse

from estate.errors import Issue, Severity, Where
from estate.problem import Bools, CoverRows, Ints, ShareRule
from estate.scenario import Journey, Objective, Standard
from estate.standards.measured import Measured
from estate.standards.reach import nearest, people_needed, reach_of
from estate.standards.words import by_mode


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """The rules of a scenario as rows over site positions.

    ``row_rule`` and ``row_zone`` say, for every cover row, the rule (position in ``rules``) and the zone or point it stands for
    (zones for home rules; access points, by position, for displacement rules).  ``share_rule`` does so for the share rules, whose
    items are the zones of ``share_zone``.
    ``allowed`` maps a point-moving rule to the site-to-site pairs it allows (``moved``).
    """

    rules: tuple[Standard, ...]
    cover: CoverRows
    row_rule: Ints
    row_zone: Ints
    shares: tuple[ShareRule, ...]
    share_rule: Ints
    share_zone: tuple[Ints, ...]
    priced: CoverRows
    priced_pence: Ints
    priced_rule: Ints
    priced_point: Ints
    moved: Mapping[int, Any]
    """Rule position = sparse (J, J) bool matrix of moves within the limit, for ``moved`` rules."""
    notes: tuple[Issue, ...] = ()


@dataclass(slots=True)
class _Rows:
    """Cover rows while they are collected: lists of arrays, joined once."""

    service: list[Ints]
    need: list[Ints]
    size: list[Ints]
    site: list[Ints]
    rule: list[Ints]
    who: list[Ints]

    @classmethod
    def empty(cls) -> _Rows:
        return cls([], [], [], [], [], [])

    def add(self, rule: int, service: int, who: Ints, need: Ints, reach: Any) -> None:
        """Rows ``who`` of a sparse reach matrix, each asking for ``need`` offers."""
        chosen = reach[who]
        chosen.sort_indices()
        self.service.append(np.full(len(who), service, dtype=np.int64))
        self.need.append(need.astype(np.int64))
        self.size.append(np.diff(chosen.indptr).astype(np.int64))
        self.site.append(chosen.indices.astype(np.int64))
        self.rule.append(np.full(len(who), rule, dtype=np.int64))
        self.who.append(who.astype(np.int64))

    def cover(self) -> CoverRows:
        if not self.service:
            return CoverRows()
        service = np.concatenate(self.service)
        start = np.concatenate([[0], np.cumsum(np.concatenate(self.size))]).astype(np.int64)
        return CoverRows(service, np.concatenate(self.need), start, np.concatenate(self.site), np.full(len(service), -1))


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def compile_rules(measured: Measured) -> Compiled:
    """Every rule of the scenario as rows over sites; see the module for the forms.

    Services are numbered as in :attr:`Place.services`, sites and zones by position.
    """
    made = _Made()
    for r, rule in enumerate(measured.rules):
        k = measured.service(rule)
        if k is None:
            continue
        made.notes.extend(_untested(rule, measured))
        (_home_rule if rule.measure is Journey.HOME else _site_rule)(made, r, rule, measured, k)
    return Compiled(
        measured.rules,
        made.hard.cover(),
        _joined(made.hard.rule),
        _joined(made.hard.who),
        tuple(made.shares),
        np.array(made.share_rule, dtype=np.int64),
        tuple(made.share_zone),
        made.soft.cover(),
        _joined(made.price),
        _joined(made.soft.rule),
        _joined(made.soft.who),
        made.moved,
        tuple(made.notes),
    )


@dataclass(slots=True)
class _Made:
    """What has been compiled so far."""

    hard: _Rows = field(default_factory=_Rows.empty)
    soft: _Rows = field(default_factory=_Rows.empty)
    price: list[Ints] = field(default_factory=list)
    shares: list[ShareRule] = field(default_factory=list)
    share_rule: list[int] = field(default_factory=list)
    share_zone: list[Ints] = field(default_factory=list)
    moved: dict[int, Any] = field(default_factory=dict)
    notes: list[Issue] = field(default_factory=list)

    def share(self, r: int, rules: Iterable[tuple[ShareRule, Ints]]) -> None:
        for each, zones in rules:
            self.shares.append(each)
            self.share_rule.append(r)
            self.share_zone.append(zones)


def _site_rule(made: _Made, r: int, rule: Standard, measured: Measured, k: int) -> None:
    """Displacement: moves that are allowed, or one row for each point; nothing where only a flag is asked for."""
    if not measured.testable(rule):
        return  # not tested, and noted so: it neither freezes nor prices a move
    place, allowed = measured.place, measured.within(rule)
    if rule.test == "moved":
        made.moved[r] = allowed
    elif rule.action != "flag":
        points = np.flatnonzero((place.point_service == k) & ~place.outside[place.point_site])
        reach = _with_self(allowed)[place.point_site[points]]
        rows = made.hard if rule.action == "forbid" else made.soft
        rows.add(r, k, points, np.ones(len(points), dtype=np.int64), _Picked(reach))
        if rule.action == "price":
            made.price.append(np.full(len(points), round(rule.price_gbp * 100), dtype=np.int64))


def _home_rule(made: _Made, r: int, rule: Standard, measured: Measured, k: int) -> None:
    """Home to site: by share, or for everybody."""
    if rule.share < 1 or rule.each:
        made.share(r, _shares(rule, measured, k))
        return
    _cover(made.hard, r, rule, measured, k)
    if measured.scenario.money.objective is Objective.PEOPLE_WITHIN and rule.backup == 1:
        # What is asked of everybody is also what the objective counts, with nothing more required of it.
        made.share(r, ((replace(each, required=0), zones) for each, zones in _shares(rule, measured, k)))


class _Picked:
    """Rows already picked from a matrix, in the order they are added."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __getitem__(self, who: Ints) -> Any:
        return self._rows


def _with_self(allowed: Any) -> Any:
    """A service that stays in the building is not displaced: the diagonal always counts."""
    return (allowed + sparse.identity(allowed.shape[0], dtype=bool, format="csr")).tocsr()


def _cover(rows: _Rows, r: int, rule: Standard, measured: Measured, k: int) -> None:
    """Home to site for everyone counted: within the limit, or no worse than today."""
    reach = measured.within(rule)
    today = measured.offers_today[k]
    people = measured.people(rule) > 0
    met = measured.reached(rule, today)
    zones = np.flatnonzero(people & (met > 0)) if rule.beyond == "no-worse" else np.flatnonzero(people)
    need = np.minimum(rule.backup, met[zones]) if rule.beyond == "no-worse" else np.full(len(zones), rule.backup)
    rows.add(r, k, zones, need, reach)
    if rule.beyond == "no-worse":
        beyond = np.flatnonzero(people & (met == 0))
        worse, reachable = _no_worse(rule, measured, today) if len(beyond) else (reach, people)
        beyond = beyond[reachable[beyond]]
        rows.add(r, k, beyond, np.ones(len(beyond), dtype=np.int64), worse)


def _no_worse(rule: Standard, measured: Measured, today: Bools) -> tuple[Any, Bools]:
    """Sparse (n, m) sites no farther than today's nearest (plus the tolerance), and the zones that reach one today."""
    limb = measured.limbs(rule)[0]
    pairs, n = measured.travel.home[limb.mode], len(measured.place.zones)
    value = pairs.measure(limb.limit.metric.value)
    now = nearest(pairs, value, today, n)
    slack = rule.tolerance.value if rule.tolerance and rule.tolerance.metric is limb.limit.metric else 0.0
    farthest = np.where(now >= 0, now + slack, -1.0)
    return reach_of(pairs, value <= farthest[pairs.from_], n, len(measured.place.sites)), now >= 0


def _shares(rule: Standard, measured: Measured, k: int) -> Iterator[tuple[ShareRule, Ints]]:
    """A share of people and the zones it counts, for the place or for each value of a column.

    Under ``no-worse`` it is never more than is met today.
    """
    reach = measured.within(rule)
    today = measured.reached(rule, measured.offers_today[k]) > 0
    for value, people in measured.groups(rule):
        total = int(people.sum())
        if not total:
            continue
        wanted = people_needed(rule.share, total)
        required = min(wanted, int(people[today].sum())) if rule.beyond == "no-worse" else wanted
        zones = np.flatnonzero(people)
        picked = reach[zones]
        label = rule.name + (f" {value}" if value else "")
        rows = picked.indptr.astype(np.int64), picked.indices.astype(np.int64)
        yield ShareRule(label, k, people[zones], *rows, required), zones


def _untested(rule: Standard, measured: Measured) -> Iterator[Issue]:
    for limb, has_data in measured.tested(rule):
        if not has_data:
            yield Issue(
                "standards.not-tested",
                f"'{rule.name}': {limb.limit.text}{by_mode(limb.mode)} is not tested: there is no travel data for it",
                f"give a travel table with mode '{limb.mode}'",
                Where(measured.scenario.file.name, column=f"standards.{rule.name}"),
                Severity.WARNING,
            )
