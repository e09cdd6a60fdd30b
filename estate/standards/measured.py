"""The rules of a scenario on a place, each expanded and measured once: made in preparation, and handed to whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from estate.place import Place, Plan, offers
from estate.problem import Bools, Ints
from estate.scenario import ROOF, Journey, Limb, Limit, Metric, Scenario, Standard
from estate.standards.presets import limbs, rules
from estate.standards.reach import counted, groups, holds_in, reach_of
from estate.travel import Pairs, TravelTables


@dataclass(frozen=True, eq=False)
class Measured:
    """A place, its travel, and a scenario's rules: presets expanded; limbs, people and reach worked out when first asked for.

    Formulation, appraisal and diagnosis all ask here, so that none of them measures a rule again or in another way; the referee
    alone does (:mod:`estate.verify`).  What is returned is shared: never change it.
    """

    place: Place
    scenario: Scenario
    travel: TravelTables
    rules: tuple[Standard, ...]
    """The standards that are on, every preset expanded to its rules."""
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"<Measured {self.scenario.name}: {self.place!r}, {len(self.rules)} access rules>"

    @classmethod
    def of(cls, place: Place, scenario: Scenario, travel: TravelTables) -> Measured:
        """The rules of a scenario on a place; raises :class:`~estate.errors.InputError` for presets that do not exist."""
        return cls(place, scenario, travel, rules(scenario))

    @cached_property
    def own_rules(self) -> Mapping[str, tuple[tuple[Standard, Bools], ...]]:
        """For each service, what "within the limit" means in tables: home-to-site rules, each with the zones (N,) it speaks for.

        A zone's own limit is that of the first rule for everyone whose conditions hold there, so that a limit for towns says
        nothing of the country; failing that, of the first rule for some of its people.  A zone may have none.
        """
        found: dict[str, list[tuple[Standard, Bools]]] = {}
        free: dict[str, Bools] = {}
        home = [rule for rule in self.rules if rule.measure is Journey.HOME]
        for rule in sorted(home, key=lambda rule: rule.people != "everyone"):
            left = free.setdefault(rule.service, np.ones(len(self.place.zones), dtype=bool))
            mine = left & holds_in(rule, self.place)
            if mine.any():
                found.setdefault(rule.service, []).append((rule, mine))
                left &= ~mine
        return {service: tuple(rules) for service, rules in found.items()}

    @cached_property
    def roofs(self) -> tuple[str, ...]:
        """Services under one roof that some rule asks for, sorted: each goes by one name, and is numbered after the services."""
        named = {rule.service for rule in self.rules if ROOF in rule.service}
        return tuple(sorted(each for each in named if set(each.split(ROOF)) <= set(self.place.services)))

    @cached_property
    def _number(self) -> Mapping[str, int]:
        return {service: k for k, service in enumerate((*self.place.services, *self.roofs))}

    def offers(self, plan: Plan) -> Bools:
        """(K + B, J) where each service, and then each of :attr:`roofs`, is offered under a plan."""
        there = offers(self.place, plan)
        every = [there[[self._number[each] for each in name.split(ROOF)]].all(axis=0) for name in self.roofs]
        return np.concatenate([there, np.array(every, dtype=bool).reshape(-1, there.shape[1])])

    @cached_property
    def offers_today(self) -> Bools:
        """The same of today's estate: read-only."""
        there = self.offers(self.place.today)
        there.flags.writeable = False
        return there

    @cached_property
    def public(self) -> tuple[tuple[int, str], ...]:
        """The services that people come to, each with its number: whose journeys are measured."""
        return tuple((k, each) for k, each in enumerate(self.place.services) if self.scenario.is_public(each))

    def service(self, rule: Standard) -> int | None:
        """The number of a rule's service in :attr:`Place.services`, or of :attr:`roofs` after them; None: there is none."""
        return self._number.get(rule.service)

    def tables(self, rule: Standard) -> Mapping[str, Pairs]:
        """The travel tables that a rule is measured on, by mode."""
        return self.travel.home if rule.measure is Journey.HOME else self.travel.between

    def limbs(self, rule: Standard) -> tuple[Limb, ...]:
        """The limits of a rule, each with its mode."""
        found: tuple[Limb, ...] = self._once(("limbs", id(rule)), rule, lambda: limbs(rule, self.scenario))
        return found

    def tested(self, rule: Standard) -> tuple[tuple[Limb, bool], ...]:
        """Each limb, and whether there is data to test it; a limb without data is *not tested*, never met."""
        tables = self.tables(rule)
        return tuple((each, _has(tables.get(each.mode), each.limit)) for each in self.limbs(rule))

    def testable(self, rule: Standard) -> bool:
        """Whether any limb can be tested."""
        return any(has for _, has in self.tested(rule))

    def wholly_testable(self, rule: Standard) -> bool:
        """Whether every limb can be tested."""
        return all(has for _, has in self.tested(rule))

    def people(self, rule: Standard) -> Ints:
        """(N,) people of each zone whom the rule counts."""
        found: Ints = self._once(("people", id(rule)), rule, lambda: counted(rule, self.place))
        return found

    def groups(self, rule: Standard) -> tuple[tuple[str, Ints], ...]:
        """The groups a rule holds for, each with its people (N,): the whole place, or each value of a column."""
        found: tuple[tuple[str, Ints], ...] = self._once(("groups", id(rule)), rule, lambda: tuple(groups(rule, self.place)))
        return found

    def within(self, rule: Standard) -> Any:
        """Sparse bool matrix (CSR, columns sorted) of the pairs that pass the rule's tested limbs.

        (N, J) for a home-to-site rule, (J, J) for a displacement rule.  Rules with the same limits share one.
        """
        used = tuple((each.mode, each.limit.metric, each.limit.value) for each, has in self.tested(rule) if has)
        key = ("within", rule.measure, rule.join, used)
        return self._once(key, rule, lambda: self._within(rule))

    def _within(self, rule: Standard) -> Any:
        m = len(self.place.sites)
        n = len(self.place.zones) if rule.measure is Journey.HOME else m
        result: Any = None
        for limb, has_data in self.tested(rule):
            if not has_data:
                continue
            pairs = self.tables(rule)[limb.mode]
            one = reach_of(pairs, pairs.measure(limb.limit.metric.value) <= limb.limit.value, n, m)
            result = one if result is None else (result.multiply(one) if rule.join == "all" else (result + one))
        matrix: Any = (sparse.csr_matrix((n, m), dtype=bool) if result is None else result).tocsr().astype(bool)
        matrix.sort_indices()
        return matrix

    def reached(self, rule: Standard, there: Bools) -> Ints:
        """How many of the sites where the service is (``there``, (J,)) are within a rule's limit, from each zone or site."""
        return np.asarray(self.within(rule) @ there.astype(np.int64))

    def share_today(self, rule: Standard) -> float | None:
        """The share of a home-to-site rule's people who are within its limit today; None where it cannot be tested."""
        k = self.service(rule)
        if rule.measure is not Journey.HOME or k is None:
            return None
        people = self.people(rule)
        if not people.sum() or not self.wholly_testable(rule):
            return None
        met = self.reached(rule, self.offers_today[k]) >= rule.backup
        return float(people[met].sum() / people.sum())

    def stuck_today(self, rule: Standard) -> int:
        """People beyond a ``no-worse`` rule's limit today who may go no farther at all, for the rule has no tolerance."""
        k = self.service(rule)
        if rule.measure is not Journey.HOME or rule.beyond != "no-worse" or rule.share < 1 or rule.each or k is None:
            return 0
        same_unit = rule.tolerance is not None and rule.tolerance.metric is self.limbs(rule)[0].limit.metric
        if same_unit or not self.wholly_testable(rule):
            return 0
        return int(self.people(rule)[self.reached(rule, self.offers_today[k]) == 0].sum())

    def _once(self, key: Hashable, rule: Standard, make: Callable[[], Any]) -> Any:
        """What is known under a key, made when it is first asked for; the rule is kept too, so that its id stays its own."""
        if key not in self._known:
            self._known[key] = (make(), rule)
        return self._known[key][0]


def _has(pairs: Pairs | None, limit: Limit) -> bool:
    return pairs is not None and (pairs.has_distance if limit.metric is Metric.DISTANCE else pairs.has_time)
