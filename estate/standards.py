"""Access standards: the published presets, and the rules of a scenario compiled to coverage rows over arrays.

Two different measures exist and both are here: *home to site* (how far people travel) and *site to site* (how far a service is
displaced).  A zone that is beyond its limit today is held to today's distance (``no-worse``), or to the limit (``strict``).

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
:func:`people_needed` is what the optimiser and the page ask for, and the referee has its own (:mod:`estate.verify.access`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from estate.errors import InputError, Issue, Severity, Where
from estate.place import Place
from estate.problem import Bools, CoverRows, Ints, ShareRule
from estate.scenario import Limb, Limit, Measure, Metric, Scenario, Standard
from estate.travel import Pairs, Travel

_COMPARE = re.compile(r"\s*(<=|>=|<|>)\s*(-?[0-9.]+(?:e[+-]?[0-9]+)?)\s*", re.IGNORECASE)
_WARN = ("withdrawn", "advocacy", "rule of thumb")


@dataclass(frozen=True, slots=True)
class Preset:
    """A published standard: its rules as settings, and the paper they come from."""

    name: str
    title: str
    body: str
    status: str
    date: str
    confidence: str
    source: str
    note: str
    service: str
    rules: tuple[Mapping[str, Any], ...]


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset by name, from the table that ships with the package."""
    text = resources.files("estate").joinpath("standards.toml").read_text(encoding="utf-8")
    return {
        name: Preset(name, service=found.pop("service", ""), rules=tuple(found.pop("rules")), **found)
        for name, found in tomllib.loads(text).items()
    }


def rules(scenario: Scenario) -> tuple[Standard, ...]:
    """The scenario's standards with every preset expanded to its rules; those switched off are left out.

    A rule from a preset is named ``<standard>-<rule>``; what the scenario states overrides the preset.

    Raises
    ------
    InputError
        For presets that do not exist, and presets used without a service.
    """
    found: list[Standard] = []
    issues: list[Issue] = []
    for standard in scenario.standards:
        if not standard.on:
            continue
        if not standard.preset:
            found.append(standard)
            continue
        where = Where(scenario.file.name, column=f"standards.{standard.name}", value=standard.preset)
        preset = presets().get(standard.preset)
        if preset is None:
            remedy = f"the presets are: {', '.join(presets())}"
            issues.append(Issue("standards.preset", f"there is no standard '{standard.preset}'", remedy, where))
        elif not (standard.service or preset.service):
            issues.append(Issue("standards.service", f"'{standard.preset}' needs a service", "add service = ...", where))
        else:
            found.extend(_from_preset(standard, preset))
    if issues:
        raise InputError(issues=issues)
    return tuple(found)


def _from_preset(standard: Standard, preset: Preset) -> Iterator[Standard]:
    given = standard.model_dump(exclude_unset=True)
    given.pop("preset")
    for rule in preset.rules:
        base = {"service": preset.service, "source": preset.source, "status": preset.status, **rule}
        yield Standard.model_validate({**base, **given, "name": f"{standard.name}-{rule['name']}"})


def warnings(scenario: Scenario) -> tuple[Issue, ...]:
    """A warning for every preset in use that is not in force."""
    return tuple(
        Issue(
            "standards.status",
            f"'{each.preset}' is not in force: {presets()[each.preset].status}",
            "use it knowingly; the page says so too",
            Where(scenario.file.name, column=f"standards.{each.name}"),
            Severity.WARNING,
        )
        for each in scenario.standards
        if each.preset in presets() and each.on and presets()[each.preset].status.startswith(_WARN)
    )


def modes(scenario: Scenario, standards: Iterable[Standard]) -> tuple[str, ...]:
    """Every mode of travel that some rule measures, with the scenario's own first."""
    named = [limb.mode for rule in standards for limb in limbs(rule, scenario)]
    return tuple(dict.fromkeys([scenario.travel.mode, *named]))


def limbs(rule: Standard, scenario: Scenario) -> tuple[Limb, ...]:
    """The limits of a rule, each with its mode."""
    if rule.limit is None:
        raise InputError(issues=[Issue("standards.limit", f"'{rule.name}' has no limit")])
    return tuple(
        Limb(limit=each.limit, mode=each.mode or scenario.travel.mode)
        for each in (Limb(limit=rule.limit, mode=rule.mode), *rule.also)
    )


def in_words(rule: Standard, scenario: Scenario) -> str:
    """The rule as a sentence for people."""
    join = " and " if rule.join == "all" else " or "
    limit = join.join(f"{each.limit.text}{_by(each.mode)}" for each in limbs(rule, scenario))
    if rule.measure is Measure.SITE:
        what = "the nearest remaining counter" if rule.test == "nearest" else "the counter's own new building"
        then = {"forbid": "never farther", "flag": "else consult", "price": f"else £{rule.price_gbp:,.0f} a year"}[rule.action]
        return f"{what} within {limit} of a counter that leaves; {then}"
    who = "people" if rule.people == "everyone" else f"people in '{rule.people}'"
    where = "".join(f", {column} {value}" for column, value in rule.where.items())
    each = f", in each {rule.each.replace('_', ' ')}" if rule.each else ""
    more = f"more than {rule.tolerance.text} " if rule.tolerance else ""
    beyond = f"; nobody beyond it today goes {more}farther" if rule.beyond == "no-worse" and rule.share == 1 else ""
    backup = f" of {rule.backup} sites" if rule.backup > 1 else ""
    return f"{percent(rule.share)} of {who}{where} within {limit}{backup}{each}{beyond}"


def percent(share: float) -> str:
    """A share as a percentage with every decimal it was written with: ``95%``, ``91.6380575%``."""
    return f"{(Decimal(repr(float(share))) * 100).normalize():f}%"


def people_needed(share: float, people: int) -> int:
    """The fewest whole people that make a share of ``people``, exactly; see the module for the rule."""
    digits, tens = Decimal(repr(float(share))).as_tuple()[1:]
    top, bottom = int("".join(map(str, digits))), 10 ** -min(int(tens), 0)
    needed: int = -(-top * 10 ** max(int(tens), 0) * people // bottom)
    return needed


def _by(mode: str) -> str:
    return {"walk": " on foot", "drive": " by road", "transit": " by public transport"}.get(mode, f" ({mode})")


# -------------------------------------------------------------------------------------------------- zones and groups


def counted(rule: Standard, place: Place) -> Ints:
    """(N,) people of each zone whom the rule counts: its group column, where its conditions hold; whole people."""
    column = "population" if rule.people == "everyone" else rule.people
    people = np.floor(place.zones[column].to_numpy(dtype=np.float64) + 0.5)
    chosen = np.ones(len(place.zones), dtype=bool)
    for name, wanted in rule.where.items():
        chosen &= matches(place.zones[name], wanted)
    return np.where(chosen, np.nan_to_num(people), 0).astype(np.int64)


def matches(column: pd.Series[Any], wanted: str | float | bool) -> Bools:  # noqa: FBT001
    """(n,) whether each value is the wanted one; ``"<= 4926"`` compares numbers (a blank is never a match)."""
    comparison = _COMPARE.fullmatch(wanted) if isinstance(wanted, str) else None
    if comparison is None and isinstance(wanted, str | bool):
        return (column.astype(str).str.casefold() == str(wanted).casefold()).to_numpy(dtype=bool)
    number = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    if comparison is None:  # a number: 3 is 3, whether the column holds 3, 3.0 or "3"
        return np.asarray(number == wanted, dtype=bool)
    bound = float(comparison[2])
    compare = {"<=": np.less_equal, ">=": np.greater_equal, "<": np.less, ">": np.greater}[comparison[1]]
    return np.asarray(compare(number, bound) & ~np.isnan(number), dtype=bool)


def groups(rule: Standard, place: Place) -> Iterator[tuple[str, Ints]]:
    """The groups a rule holds for, each with its people (N,): the whole place, or each value of a column."""
    people = counted(rule, place)
    if not rule.each:
        yield "", people
        return
    label = place.zones[rule.each].astype(str)
    for value in sorted(label.unique()):
        yield value, np.where((label == value).to_numpy(), people, 0)


# -------------------------------------------------------------------------------------------------- reach


def offers_today(place: Place, service: int) -> Bools:
    """(J,) the sites that offer a service today."""
    there = np.zeros(len(place.sites), dtype=bool)
    there[place.point_site[place.point_service == service]] = True
    return there


def nearest(pairs: Pairs, value: Ints, sites: Bools, n: int) -> Ints:
    """(n,) least value from each origin to a chosen site; -1 where none can be reached."""
    there = sites[pairs.to]
    origin, value = pairs.from_[there], value[there]
    best = np.full(n, -1, dtype=np.int64)
    if len(origin):
        first = np.flatnonzero(np.append(True, origin[1:] != origin[:-1]))  # pairs are sorted by origin
        best[origin[first]] = np.minimum.reduceat(value, first)
    return best


def _reach(pairs: Pairs, chosen: Bools, n: int, m: int) -> Any:
    """Sparse (n, m) bool matrix (CSR) of the chosen pairs: they are sorted, so nothing is."""
    to = pairs.to[chosen]
    start = np.concatenate([[0], np.cumsum(np.bincount(pairs.from_[chosen], minlength=n))])
    return sparse.csr_matrix((np.ones(len(to), dtype=bool), to, start), shape=(n, m))


def tested(rule: Standard, scenario: Scenario, tables: Mapping[str, Pairs]) -> tuple[tuple[Limb, bool], ...]:
    """Each limb, and whether there is data to test it; a limb without data is *not tested*, never met."""
    return tuple((each, _has(tables.get(each.mode), each.limit)) for each in limbs(rule, scenario))


def _has(pairs: Pairs | None, limit: Limit) -> bool:
    return pairs is not None and (pairs.has_distance if limit.metric is Metric.DISTANCE else pairs.has_time)


def within(rule: Standard, scenario: Scenario, tables: Mapping[str, Pairs], n: int, m: int) -> Any:
    """Sparse (n, m) bool matrix (CSR): pairs that pass the rule's tested limbs."""
    result: Any = None
    for limb, has_data in tested(rule, scenario, tables):
        if not has_data:
            continue
        pairs = tables[limb.mode]
        one = _reach(pairs, pairs.measure(limb.limit.metric.value) <= limb.limit.value, n, m)
        result = one if result is None else (result.multiply(one) if rule.join == "all" else (result + one))
    return (sparse.csr_matrix((n, m), dtype=bool) if result is None else result).tocsr().astype(bool)


def share_today(rule: Standard, place: Place, scenario: Scenario, travel: Travel) -> float | None:
    """The share of a home-to-site rule's people who are within its limit today; None where it cannot be tested."""
    if rule.measure is not Measure.HOME or rule.service not in place.services:
        return None
    people = counted(rule, place)
    if not people.sum() or not all(has for _, has in tested(rule, scenario, travel.home)):
        return None
    reach = within(rule, scenario, travel.home, len(place.zones), len(place.sites))
    met = np.asarray(reach @ offers_today(place, place.services.index(rule.service)).astype(np.int64)) >= rule.backup
    return float(people[met].sum() / people.sum())


# -------------------------------------------------------------------------------------------------- compilation


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """The rules of a scenario as rows over site positions.

    ``row_rule`` and ``row_zone`` say, for every cover row, the rule (position in ``rules``) and the zone or point it stands for
    (zones for home rules; access points, by position, for displacement rules).  ``share_rule`` does so for the share rules.
    ``allowed`` maps a point-moving rule to the site-to-site pairs it allows (``moved``).
    """

    rules: tuple[Standard, ...]
    cover: CoverRows
    row_rule: Ints
    row_zone: Ints
    shares: tuple[ShareRule, ...]
    share_rule: Ints
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


def compile_rules(place: Place, scenario: Scenario, travel: Travel) -> Compiled:
    """Every rule of the scenario as rows over sites; see the module for the forms.

    Services are numbered as in :attr:`Place.services`, sites and zones by position.
    """
    found = rules(scenario)
    number = {service: k for k, service in enumerate(place.services)}
    made = _Made()
    for r, rule in enumerate(found):
        k = number.get(rule.service)
        if k is None:
            continue
        home = rule.measure is Measure.HOME
        made.notes.extend(_untested(rule, scenario, travel.home if home else travel.between))
        (_home_rule if home else _site_rule)(made, r, rule, scenario, place, travel, k)
    return Compiled(
        found,
        made.hard.cover(),
        _joined(made.hard.rule),
        _joined(made.hard.who),
        tuple(made.shares),
        np.array(made.share_rule, dtype=np.int64),
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
    moved: dict[int, Any] = field(default_factory=dict)
    notes: list[Issue] = field(default_factory=list)

    def share(self, r: int, rules: Iterable[ShareRule]) -> None:
        for each in rules:
            self.shares.append(each)
            self.share_rule.append(r)


def _site_rule(made: _Made, r: int, rule: Standard, scenario: Scenario, place: Place, travel: Travel, k: int) -> None:
    """Displacement: moves that are allowed, or one row for each point; nothing where only a flag is asked for."""
    if not any(has for _, has in tested(rule, scenario, travel.between)):
        return  # not tested, and noted so: it neither freezes nor prices a move
    allowed = within(rule, scenario, travel.between, len(place.sites), len(place.sites))
    if rule.test == "moved":
        made.moved[r] = allowed
    elif rule.action != "flag":
        points = np.flatnonzero((place.point_service == k) & ~place.outside[place.point_site])
        reach = _with_self(allowed)[place.point_site[points]]
        rows = made.hard if rule.action == "forbid" else made.soft
        rows.add(r, k, points, np.ones(len(points), dtype=np.int64), _Picked(reach))
        if rule.action == "price":
            made.price.append(np.full(len(points), round(rule.price_gbp * 100), dtype=np.int64))


def _home_rule(made: _Made, r: int, rule: Standard, scenario: Scenario, place: Place, travel: Travel, k: int) -> None:
    """Home to site: by share, or for everybody."""
    if rule.share < 1 or rule.each:
        made.share(r, _shares(rule, scenario, place, travel, k))
        return
    _cover(made.hard, r, rule, scenario, place, travel, k)
    if scenario.money.objective == "people-within" and rule.backup == 1:
        # What is asked of everybody is also what the objective counts, with nothing more required of it.
        made.share(r, (replace(each, required=0) for each in _shares(rule, scenario, place, travel, k)))


class _Picked:
    """Rows already picked from a matrix, in the order they are added."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __getitem__(self, who: Ints) -> Any:
        return self._rows


def _with_self(allowed: Any) -> Any:
    """A service that stays in the building is not displaced: the diagonal always counts."""
    return (allowed + sparse.identity(allowed.shape[0], dtype=bool, format="csr")).tocsr()


def _cover(rows: _Rows, r: int, rule: Standard, scenario: Scenario, place: Place, travel: Travel, k: int) -> None:
    """Home to site for everyone counted: within the limit, or no worse than today."""
    n, m = len(place.zones), len(place.sites)
    reach = within(rule, scenario, travel.home, n, m)
    today = offers_today(place, k)
    people = counted(rule, place) > 0
    met = np.asarray(reach @ today.astype(np.int64))
    zones = np.flatnonzero(people & (met > 0)) if rule.beyond == "no-worse" else np.flatnonzero(people)
    need = np.minimum(rule.backup, met[zones]) if rule.beyond == "no-worse" else np.full(len(zones), rule.backup)
    rows.add(r, k, zones, need, reach)
    if rule.beyond == "no-worse":
        beyond = np.flatnonzero(people & (met == 0))
        worse, reachable = _no_worse(rule, scenario, travel, today, n, m) if len(beyond) else (reach, people)
        beyond = beyond[reachable[beyond]]
        rows.add(r, k, beyond, np.ones(len(beyond), dtype=np.int64), worse)


def _no_worse(rule: Standard, scenario: Scenario, travel: Travel, today: Bools, n: int, m: int) -> tuple[Any, Bools]:
    """Sparse (n, m) sites no farther than today's nearest (plus the tolerance), and the zones that reach one today."""
    limb = limbs(rule, scenario)[0]
    pairs = travel.home[limb.mode]
    value = pairs.measure(limb.limit.metric.value)
    now = nearest(pairs, value, today, n)
    slack = rule.tolerance.value if rule.tolerance and rule.tolerance.metric is limb.limit.metric else 0.0
    farthest = np.where(now >= 0, now + slack, -1.0)
    return _reach(pairs, value <= farthest[pairs.from_], n, m), now >= 0


def _shares(rule: Standard, scenario: Scenario, place: Place, travel: Travel, k: int) -> Iterator[ShareRule]:
    """A share of people, for the place or for each value of a column; under ``no-worse`` never more than is met today."""
    n, m = len(place.zones), len(place.sites)
    reach = within(rule, scenario, travel.home, n, m)
    reach.sort_indices()
    today = np.asarray(reach @ offers_today(place, k).astype(np.int64)) > 0
    for value, people in groups(rule, place):
        total = int(people.sum())
        if not total:
            continue
        wanted = people_needed(rule.share, total)
        required = min(wanted, int(people[today].sum())) if rule.beyond == "no-worse" else wanted
        zones = np.flatnonzero(people)
        picked = reach[zones]
        label = rule.name + (f" {value}" if value else "")
        yield ShareRule(label, k, people[zones], picked.indptr.astype(np.int64), picked.indices.astype(np.int64), required)


def _untested(rule: Standard, scenario: Scenario, tables: Mapping[str, Pairs]) -> Iterator[Issue]:
    for limb, has_data in tested(rule, scenario, tables):
        if not has_data:
            yield Issue(
                "standards.not-tested",
                f"'{rule.name}': {limb.limit.text}{_by(limb.mode)} is not tested: there is no travel data for it",
                f"give a travel table with mode '{limb.mode}'",
                Where(scenario.file.name, column=f"standards.{rule.name}"),
                Severity.WARNING,
            )
