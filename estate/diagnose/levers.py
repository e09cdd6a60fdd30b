"""What can give way, and by how much: each a *lever* on the elastic programme.

A lever is loosened wholly or to a value, and can find the least value that leaves a plan, whatever the other levers do:

* limits, tolerances and reaches - bisection over the distinct distances (a longer limit never takes a choice away);
* floor area, counts and budgets - the least give, by the programme itself;
* a share of people - the largest least share over its groups, raised until there is no plan with more;
* locks - lifted or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from estate.diagnose.elastic import Elastic
from estate.diagnose.members import Kind
from estate.diagnose.sheet import SheetRows, cover_rows, joined
from estate.formulate.rules import compile_rules
from estate.problem import Floats, Ints
from estate.scenario import Journey, Limit, Metric, Standard
from estate.standards.measured import Measured
from estate.standards.presets import limbs

DUST = 1e-6
"""What the solver's columns may be off by, of one unit."""

type Amount = Any
"""A lever's value: metres or seconds, or give by column."""


@dataclass(frozen=True, slots=True)
class Loosened:
    """The programme with some levers loosened: what is let go, the rules as changed, and the give that is allowed."""

    gone: frozenset[int] = frozenset()
    rules: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Access rule = its changed settings."""
    bars: Mapping[int, Ints] = field(default_factory=dict)
    """Member = the choices that it bars instead."""
    give: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Column = (price, most)."""
    roomy: bool = False

    def and_(self, other: Loosened) -> Loosened:
        """Both."""
        rules = {name: {**self.rules.get(name, {}), **other.rules.get(name, {})} for name in {**self.rules, **other.rules}}
        give, bars = {**self.give, **other.give}, {**self.bars, **other.bars}
        return Loosened(self.gone | other.gone, rules, bars, give, self.roomy or other.roomy)


def ask(e: Elastic, loosened: Loosened, priced: Mapping[int, tuple[float, float]] | None = None) -> Floats | None:
    """The columns of a plan under loosened rules, at the least price of ``priced`` give, or None where there is none."""
    active = e.everything()
    active[list(loosened.gone)] = False
    bent = e
    if loosened.bars:
        bent = replace(e, barring=tuple((m, loosened.bars.get(m, pairs)) for m, pairs in e.barring))
    free = {column: (0.0, most) for column, (_, most) in loosened.give.items()} | dict(priced or {})
    access = rows_under(e, loosened) if loosened.rules else None
    return bent.least(active, free, access=access, roomy=loosened.roomy)


def rows_under(e: Elastic, loosened: Loosened) -> SheetRows:
    """The access rows of the rules as changed; those that are let go stay let go."""
    changed = tuple(
        rule.model_copy(update=dict(loosened.rules.get(rule.name, {}))) for rule in e.base.compiled.rules if not rule.preset
    )
    compiled = compile_rules(Measured.of(e.place, e.scenario.model_copy(update={"standards": changed}), e.travel))
    gone = {e.roster.atoms[m].name for m in loosened.gone if e.roster.atoms[m].kind is Kind.ACCESS}
    kept = np.array([compiled.rules[r].name not in gone for r in compiled.row_rule.tolist()], dtype=bool)
    rows = cover_rows(compiled.cover, e.at, np.full(len(compiled.cover), -1)).take(kept)
    reached = np.array([atom.kind is Kind.REACHED for atom in e.roster.atoms[: len(e.access.member)]], dtype=bool)
    return joined(rows, e.access.take(reached)) if reached.any() else rows


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing that can give way.  ``least`` is asked with every other lever as it stands in the :class:`Loosened`."""

    key: tuple[Kind, str]
    """Which members of a cause it answers."""
    what: str
    """``limit``, ``tolerance``, ``beyond``, ``share``, ``reach``, ``floor area``, ``give`` or ``lift``."""
    wholly: Loosened
    least: Callable[[Elastic, Loosened], tuple[Amount, Loosened] | None]
    """The least value and what it loosens; None where even all of it is not enough."""


# -------------------------------------------------------------------------------------------------- limits


def limit_lever(e: Elastic, rule: Standard, setting: str, floor: int) -> Lever:
    """A rule's limit or tolerance; no value below ``floor`` can do (m or s)."""
    limb = limbs(rule, e.scenario)[0]
    pairs = (e.travel.home if rule.measure is Journey.HOME else e.travel.between)[limb.mode]
    value = np.unique(pairs.measure(limb.limit.metric.value))
    if setting == "tolerance":
        # Each zone may go as much farther as one of its pairs is beyond today's nearest.
        today = e.measured.offers_today[e.measured.service(rule)]
        now = np.full(len(e.place.zones), np.iinfo(np.int64).max // 2)
        there = today[pairs.to]
        measure = pairs.measure(limb.limit.metric.value)
        np.minimum.at(now, pairs.from_[there], measure[there])
        value = np.unique(np.maximum(measure - now[pairs.from_], 0))
    old: Limit | None = limb.limit if setting == "limit" else rule.tolerance
    values = value[value > max(old.value if old else 0, floor - 1)]

    def at(v: int) -> Loosened:
        return Loosened(rules={rule.name: {setting: limit_of(v, limb.limit.metric)}})

    wholly = at(int(values[-1])) if len(values) else Loosened()
    return Lever((Kind.ACCESS, rule.name), setting, wholly, lambda e_, rest: _bisect(e_, rest, values, at))


def reach_lever(e: Elastic, member: int, limit: Limit, mode: str) -> Lever:
    """How far access points may move: a reach, or a displacement rule on their own new site."""
    atom = e.roster.atoms[member]
    pairs = e.travel.between[mode]
    J = len(e.place.sites)
    key = pairs.from_ * J + pairs.to
    order = np.argsort(key)
    barred = dict(e.barring)[member]
    home = e.place.point_site[e.points[e.problem.pair_point[barred]]]
    wanted = home * J + e.problem.pair_site[barred]
    at_ = np.minimum(np.searchsorted(key[order], wanted), max(len(key) - 1, 0))
    far = np.where(key[order][at_] == wanted, pairs.measure(limit.metric.value)[order][at_], -1)
    values = np.unique(far[far >= 0])

    def at(v: int) -> Loosened:
        return Loosened(bars={member: barred[(far < 0) | (far > v)]})

    wholly = at(int(values[-1])) if len(values) else Loosened()
    return Lever((atom.kind, atom.name), "reach", wholly, lambda e_, rest: _bisect(e_, rest, values, at))


def _bisect(e: Elastic, rest: Loosened, values: Ints, at: Callable[[int], Loosened]) -> tuple[Amount, Loosened] | None:
    """The least of the sorted values that leaves a plan; the first is tried first, since it often is the answer."""
    if not len(values) or ask(e, rest.and_(at(int(values[-1])))) is None:
        return None
    if ask(e, rest.and_(at(int(values[0])))) is not None:
        return int(values[0]), at(int(values[0]))
    low, high = 0, len(values) - 1  # values[low] does not do, values[high] does
    while high - low > 1:
        middle = (low + high) // 2
        if ask(e, rest.and_(at(int(values[middle])))) is None:
            low = middle
        else:
            high = middle
    return int(values[high]), at(int(values[high]))


def limit_of(value: float, metric: Metric) -> Limit:
    """A limit in whole metres or seconds."""
    unit = "m" if metric is Metric.DISTANCE else "s"
    return Limit(text=f"{value:.0f} {unit}", value=float(value), metric=metric)


# -------------------------------------------------------------------------------------------------- give


def give_lever(key: tuple[Kind, str], what: str, columns: Sequence[int], *, roomy: bool = False) -> Lever:
    """Give by whole units: floor area over sites (0.1 m2), a count, pence."""
    freed = dict.fromkeys(columns, (1.0, np.inf))

    def least(e: Elastic, rest: Loosened) -> tuple[Amount, Loosened] | None:
        x = ask(e, rest.and_(Loosened(roomy=roomy)), freed)
        if x is None:
            return None
        amount = {column: float(np.ceil(x[column] - DUST)) for column in columns if x[column] > DUST}
        return amount, Loosened(give={column: (0.0, most) for column, most in amount.items()}, roomy=roomy)

    return Lever(key, what, Loosened(give=freed, roomy=roomy), least)


def share_lever(e: Elastic, rule: Standard) -> Lever:
    """The share of people: for all the groups of a rule at once."""
    compiled = e.base.compiled
    r = [each.name for each in compiled.rules].index(rule.name)
    mine = np.flatnonzero(compiled.share_rule == r).tolist()
    total = {g: int(compiled.shares[g].weight.sum()) for g in mine}
    required = {g: compiled.shares[g].required for g in mine}
    freed = {e.at.short + g: (1.0 / total[g], float(required[g])) for g in mine}

    def least(e: Elastic, rest: Loosened) -> tuple[Amount, Loosened] | None:
        x = ask(e, rest, freed)
        best: float | None = None
        while x is not None:
            covered = {g: required[g] - round(float(x[e.at.short + g])) for g in mine}
            best = min(covered[g] / total[g] for g in mine if covered[g] < required[g])
            # More than this in every group that is held to more: is there a plan?
            more = {g: min(int(np.floor(best * total[g] + DUST)) + 1, required[g]) for g in mine}
            if all(more[g] >= required[g] for g in mine):
                break
            x = ask(e, rest, {e.at.short + g: (1.0 / total[g], float(required[g] - more[g])) for g in mine})
        if best is None:
            return None
        allowed = {e.at.short + g: (0.0, max(required[g] - np.ceil(best * total[g] - DUST), 0.0)) for g in mine}
        return best, Loosened(give=allowed)

    return Lever((Kind.SHARE, rule.name), "share", Loosened(give=freed), least)


def lift_lever(key: tuple[Kind, str], what: str, loosened: Loosened) -> Lever:
    """Something that is lifted, or stays."""

    def least(e: Elastic, rest: Loosened) -> tuple[Amount, Loosened] | None:
        return None if ask(e, rest.and_(loosened)) is None else (True, loosened)

    return Lever(key, what, loosened, least)
