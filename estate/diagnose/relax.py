"""The least that must give way for there to be a plan: by each rule alone, and all together.

**Alone.**  A rule can only be enough by itself when it is part of every cause, so the others are told at once: *not by this rule
alone*.  For the rest the least change is exact: apply it and there is a plan, change any less and there is none.

**Together.**  Where no rule is enough alone, the fewest that are enough wholly loosened give way, each tightened to the
least that the others, as they stand, leave room for: none of the changes can be made any smaller.  Of several such
answers the one with the least weight is given (:data:`WEIGHTS`, printed with it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations, islice

import numpy as np
import pandas as pd

from estate.diagnose import levers as lv
from estate.diagnose.conflict import Cause
from estate.diagnose.elastic import Elastic, OutOfTimeError
from estate.diagnose.levers import Lever, Loosened, ask
from estate.diagnose.members import Kind, Member, reaches
from estate.diagnose.words import nearest_left, rule_named
from estate.formulate.side import MAY_NOT_MERGE
from estate.scenario import Journey, Standard
from estate.standards.presets import limbs
from estate.standards.reach import nearest

WEIGHTS: Mapping[str, float] = {"percent": 1.0, "lift": 50.0}
"""What giving way weighs: 1 for each percent that a limit, share, area, count or budget changes by; 50 for a lock lifted."""
MOST_SETS = 60
"""Sets of levers of one size that are tried."""
MOST_TIGHTENED = 3
"""Sets that are enough, of which the one with the least weight is given."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One rule giving way.  ``amount`` is None where it is not enough alone; see :mod:`.levers` for its units."""

    lever: Lever
    amount: lv.Amount | None

    @property
    def enough(self) -> bool:
        """Whether this rule alone can restore a plan."""
        return self.amount is not None


@dataclass(frozen=True, slots=True)
class Least:
    """The least relaxations: each rule alone, and one combined answer (empty where nothing among the levers is enough)."""

    alone: tuple[Relaxation, ...]
    together: tuple[Relaxation, ...]
    weight: float
    untried: tuple[Lever, ...] = ()
    """Levers that the clock left no time for."""
    combined: bool = True
    """Whether there was time to look for changes together."""


def least_relaxations(e: Elastic, causes: Sequence[Cause]) -> Least:
    """The least that must give way, for causes found by :func:`.conflict.find_causes`."""
    found = [*_levers(e, causes)]
    keys = [{_key(e, member) for member in cause.members} for cause in causes]
    alone: list[Relaxation] = []
    untried: list[Lever] = []
    for n, lever in enumerate(found):
        # Each has its share of the time that is left: one that is slow leaves the others theirs.
        hurried = replace(e, clock=e.clock.share(1 / (len(found) - n + 1)))
        try:
            answer = lever.least(hurried, Loosened()) if all(lever.key in each for each in keys) else None
        except OutOfTimeError:
            untried.append(lever)
        else:
            alone.append(Relaxation(lever, None if answer is None else answer[0]))
    try:
        together, weight = _together(e, found, alone, keys)
    except OutOfTimeError:
        return Least(tuple(alone), (), 0.0, tuple(untried), combined=False)
    return Least(tuple(alone), together, weight, tuple(untried))


def _together(
    e: Elastic, found: Sequence[Lever], alone: Sequence[Relaxation], keys: Sequence[set[tuple[Kind, str]]]
) -> tuple[tuple[Relaxation, ...], float]:
    """The lightest answer found, with its weight; nothing where all of the levers are not enough."""
    best = min(([each] for each in alone if each.enough), key=lambda each: weight_of(e, each[0]), default=None)
    # A limit stands for its rule's tolerance and `beyond` as well: one lever for each rule.
    usable = [lever for lever in found if lever.what not in ("tolerance", "beyond")]
    for size in range(2, len(usable) + 1):
        if best:
            break
        sets = (c for c in combinations(usable, size) if all(any(lever.key in each for lever in c) for each in keys))
        enough = (c for c in islice(sets, MOST_SETS) if ask(e, _all(lever.wholly for lever in c)) is not None)
        answers = [_tightened(e, order) for c in islice(enough, MOST_TIGHTENED) for order in (c, c[::-1])]
        best = min(answers, key=lambda each: sum(weight_of(e, r) for r in each), default=None)
    return (tuple(best), sum(weight_of(e, r) for r in best)) if best else ((), 0.0)


def _tightened(e: Elastic, order: Sequence[Lever]) -> list[Relaxation]:
    """Levers that are enough wholly loosened, tightened in turn; those that are not needed are left out."""
    state = [lever.wholly for lever in order]
    answer = []
    for n, lever in enumerate(order):
        rest = _all(each for m, each in enumerate(state) if m != n)
        state[n] = Loosened()
        found = None if ask(e, rest) is not None else lever.least(e, rest)
        if found is not None:
            answer.append(Relaxation(lever, found[0]))
            state[n] = found[1]
    return answer


def _all(state: Iterable[Loosened]) -> Loosened:
    return reduce(Loosened.and_, state, Loosened())


def weight_of(e: Elastic, relaxation: Relaxation) -> float:
    """The weight of one change under :data:`WEIGHTS`."""
    lever, amount = relaxation.lever, relaxation.amount
    if lever.what in ("lift", "beyond"):
        return WEIGHTS["lift"]
    before, after = size_of(e, lever, amount)
    return WEIGHTS["percent"] * 100 * abs(after - before) / max(abs(before), 1e-9)


def size_of(e: Elastic, lever: Lever, amount: lv.Amount) -> tuple[float, float]:
    """What a lever stands at before and after: metres or seconds, a share, 0.1 m2, a count or pence."""
    kind, name = lever.key
    if lever.what in ("limit", "tolerance"):
        return limbs(rule_named(e, name), e.scenario)[0].limit.value, float(amount) + (
            limbs(rule_named(e, name), e.scenario)[0].limit.value if lever.what == "tolerance" else 0.0
        )
    if lever.what == "share":
        return rule_named(e, name).share, float(amount)
    if lever.what == "reach":
        limit = reaches(e.place, e.scenario)[name][0] if kind is Kind.REACH else rule_named(e, name).limit
        return (limit.value if limit else 0.0), float(amount)
    added = float(sum(amount.values()))
    if lever.what == "floor area":
        used = [column - e.at.extra for column in amount]
        before = float(e.base.problem.site_capacity[used].sum())
        return before, before + added
    r = e.problem.side.name.index(name)
    high, low = e.problem.side.upper[r], e.problem.side.lower[r]
    before = float(high if np.isfinite(high) else low)
    return before, before + added


# -------------------------------------------------------------------------------------------------- which levers there are


def _key(e: Elastic, member: Member) -> tuple[Kind, str]:
    """A share's groups are one rule."""
    if member.kind is Kind.SHARE:
        compiled = e.base.compiled
        g = [each.name for each in compiled.shares].index(member.name)
        return Kind.SHARE, compiled.rules[int(compiled.share_rule[g])].name
    return member.kind, member.name


def _levers(e: Elastic, causes: Sequence[Cause]) -> Iterator[Lever]:
    """The levers of everything that some cause names, one for each rule, lock or kind of give."""
    asked: dict[tuple[Kind, str], list[Member]] = {}
    for cause in causes:
        for member in cause.members:
            asked.setdefault(_key(e, member), []).append(member)
    dead = {cause.members[0] for cause in causes if len(cause.members) == 1 and cause.by_itself}
    for (kind, name), members in sorted(asked.items()):
        if kind is Kind.ACCESS:
            yield from _rule_levers(e, rule_named(e, name), [m for m in members if m in dead])
        elif kind not in (Kind.POINT, Kind.REACHED):
            yield LEVERS.get(kind, _lift)(e, kind, name)


def _area(e: Elastic, kind: Kind, name: str) -> Lever:
    sites = [e.at.extra + j for j in np.flatnonzero(~e.place.outside).tolist()]
    return lv.give_lever((kind, name), "floor area", sites, roomy=True)


def _give(e: Elastic, kind: Kind, name: str) -> Lever:
    # The slack of one is money, which says nothing of years; the other holds or does not.
    if name == "payback" or name.endswith(MAY_NOT_MERGE):
        return _lift(e, kind, name)
    rows = [r for r, each in enumerate(e.problem.side.name) if each == name]
    return lv.give_lever((kind, name), "give", [first + r for r in rows for first in (e.at.over, e.at.under)])


def _reach(e: Elastic, kind: Kind, name: str) -> Lever:
    number = e.roster.number[Member(kind, name)]
    if kind is Kind.REACH:
        return lv.reach_lever(e, number, reaches(e.place, e.scenario)[name][0], e.scenario.travel.mode)
    first, *more = limbs(rule_named(e, name), e.scenario)
    return _lift(e, kind, name) if more else lv.reach_lever(e, number, first.limit, first.mode)


def _lift(e: Elastic, kind: Kind, name: str) -> Lever:
    return lv.lift_lever((kind, name), "lift", Loosened(gone=_atoms(e, kind, name)))


LEVERS: Mapping[Kind, Callable[[Elastic, Kind, str], Lever]] = {
    Kind.AREA: _area,
    Kind.SIDE: _give,
    Kind.REACH: _reach,
    Kind.MOVED: _reach,
    Kind.SHARE: lambda e, _, name: lv.share_lever(e, rule_named(e, name)),
}
"""The lever of each kind of member; anything else is lifted."""


def _atoms(e: Elastic, kind: Kind, name: str) -> frozenset[int]:
    """The atoms of a lock; an agency that does not take part also keeps its buildings open."""
    why = {Kind.OUT: ("kept: its owner does not take part", "kept: it holds a counter of an agency that does not take part")}
    atoms = {m for m, atom in enumerate(e.roster.atoms) if (atom.kind, atom.name) == (kind, name)}
    if kind is Kind.OUT:
        state = e.base.state
        points = e.place.access_points
        own = {str(site) for site in e.place.sites.index[e.place.sites["agency"] == name]}
        held = own | set(points.loc[points["agency"] == name, "site_id"].astype(str))
        atoms |= {
            m
            for m, atom in enumerate(e.roster.atoms)
            if atom.kind is Kind.KEEP and atom.name in why[kind] and atom.who[0] in held and state.why[atom.who[0]] == atom.name
        }
    return frozenset(atoms)


def _rule_levers(e: Elastic, rule: Standard, dead: Sequence[Member]) -> Iterator[Lever]:
    """A rule's limit; for zones beyond it today also how much worse they may get, or whether they must come within it."""
    if rule.also or rule.backup > 1:
        yield lv.lift_lever((Kind.ACCESS, rule.name), "lift", Loosened(gone=_atoms(e, Kind.ACCESS, rule.name)))
        return
    floor = max((nearest_left(e, rule, member.who)[0] for member in dead), default=0)
    yield lv.limit_lever(e, rule, "limit", floor)
    if rule.measure is not Journey.HOME:
        return
    if rule.beyond == "strict":
        loosened = Loosened(rules={rule.name: {"beyond": "no-worse"}})
        yield lv.lift_lever((Kind.ACCESS, rule.name), "beyond", loosened)
        return
    limb = limbs(rule, e.scenario)[0]
    pairs = e.travel.home[limb.mode]
    today = e.measured.offers_today[e.measured.service(rule)]
    now = nearest(pairs, pairs.measure(limb.limit.metric.value), today, len(e.place.zones))
    who = e.place.zones.index.get_indexer(pd.Index([zone for member in dead for zone in member.who]))
    worse = max((nearest_left(e, rule, [str(e.place.zones.index[i])])[0] - int(now[i]) for i in who.tolist()), default=0)
    if (now[who] > limb.limit.value).all():
        yield lv.limit_lever(e, rule, "tolerance", worse)


__all__ = ["WEIGHTS", "Least", "Relaxation", "least_relaxations", "size_of", "weight_of"]
