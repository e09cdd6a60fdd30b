"""One scenario answered quickly: whatever it does not change is taken from memory.

Three things are kept by a worker:

* the **place** as read, without adjustments, and its travel tables: no file is read again;
* **anchors**: the problem of a scenario without its *light* changes, with its model and its best plan.  Light changes are
  buildings kept and closed (bounds on columns) and running costs (another objective): they leave every row as it was;
* the anchor's **best plan**, which needs no solve where it is *sure* to be best still: the locks agree with it, and costs
  have only gone up where it does not go, and down where it does.

Plans of equal cost are told apart as ``estate run`` does (:mod:`estate.solve.ties`), so that a scenario's plan is the main
job's own, counter by counter, and with ``reuse=False``, where everything is read and built from nothing, it is the same.  An
anchor's plan that is sure to be best still needs no telling apart either.  What ties with it under the new costs tied with it
under the anchor's (:func:`estate.whatif.light.surely_best`: both differences are nil; inside a region: a difference that is
linear in the costs and never negative is nil all over a region where it is nil at a point inside), there it came first, and
what comes after cost does not ask what a building costs to run.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from estate.errors import InputError, Issue, Severity, Where, raise_for
from estate.formulate import formulate
from estate.load import load
from estate.model import Measure
from estate.model import formulate as formulate_model
from estate.place import Place
from estate.problem import Goal, NearRows, Problem, Solution, cost
from estate.scenario import Adjust, Scenario, digest, resolved
from estate.solve import Limits, Status, choose, through_pulp
from estate.solve.answer import value_of
from estate.solve.columns.tied import narrowed
from estate.solve.watch import Watch
from estate.standards.journeys import ALL_PAIRS, measure
from estate.standards.measured import Measured
from estate.standards.presets import modes, rules
from estate.travel import TravelTables
from estate.validate import CHECKS, check
from estate.whatif.light import (
    LIGHT,
    Anchor,
    Light,
    adjusted_place,
    exact_costs,
    light_of,
    lockable,
    no_locks,
    surely_best,
    without_light,
)
from estate.whatif.patches import Changes, WhatIf, scenario_of
from estate.whatif.programme import Solved, WholeModel, feasible, told
from estate.whatif.regions import Region, proven

MOST_ANCHORS = 16
_READ_BY_TRAVEL = frozenset({"site_id", "service", "status"})
WHO_OWNS = ("tables", "add_sites", "reorganised", "reorganisation", "vehicle")
"""Settings that decide what is read, and whose it is."""


@dataclass(frozen=True, eq=False)
class Shared:
    """What every worker gets, once: the what-if file's settings, the base, its place without adjustments, its travel."""

    whatif: WhatIf
    base: Scenario
    place: Place
    travel: TravelTables
    regions: tuple[Region, ...] = ()
    """Ranges of costs over which the base's plan is proven best."""

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The base as plain data."""
        return resolved(self.base)


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """The answer to one scenario.  Money in pence; ``bound`` is proven; ``solution`` is in the anchor problem's terms."""

    status: Status
    reason: str
    anchor: Anchor | None
    solution: Solution | None
    value: int | None = None
    bound: float | None = None
    place: Place | None = None
    light: Light | None = None
    solved: bool = True
    """False where the anchor's plan was sure to be best."""
    settled: bool = False
    """Plans of the same value have been told apart."""


class Evaluator:
    """Answers scenarios of one what-if file; with ``reuse=False`` it keeps nothing and reads every file each time."""

    def __init__(self, shared: Shared, *, reuse: bool = True) -> None:
        self.shared, self.reuse = shared, reuse
        self._anchors: OrderedDict[str, Anchor] = OrderedDict()
        self._near: NearRows | None = None
        """Who is near what, which the base's place and travel decide alone."""

    def scenario(self, changes: Changes) -> Scenario:
        """The scenario that changes make; raises :class:`InputError`."""
        return scenario_of(self.shared.whatif, self.shared.base, self.shared.settings, changes)

    def plain(self, scenario: Scenario) -> Scenario:
        """A scenario without its light changes: its anchor's."""
        return without_light(scenario, self.shared.base)[0]

    def answer(self, changes: Changes, special: Mapping[str, int] | None = None, *, time_s: float | None = None) -> Reply:
        """The best plan of one scenario, with its proof.

        Raises
        ------
        InputError
            When the scenario or the tables it changes are wrong.
        """
        scenario = self.scenario(changes)
        _refuse_what_batches_cannot_hold(scenario)
        plain, keep, close, adjust = without_light(scenario, self.shared.base)
        anchor = self.anchor(plain, time_s)
        if not lockable(anchor, keep, close):
            anchor, keep, close, adjust = self.anchor(scenario, time_s), (), (), ()
        place, light = light_of(anchor, keep, close, adjust)
        if special:
            return _alternative(anchor, special["rank"], special["differ_by"], time_s)
        if anchor.problem.goal is not Goal.COST:
            return _reply(anchor, light, anchor.best, place, solved=True)
        if self.reuse and (surely_best(anchor, light) or self._in_a_region(anchor, light, adjust)):
            return _reply(anchor, light, anchor.best, place, solved=False)
        return _solved(anchor, light, place, time_s)

    def _in_a_region(self, anchor: Anchor, light: Light, adjust: tuple[Adjust, ...]) -> bool:
        """Whether the costs are inside a proven region of the base, and the locks agree with its plan."""
        plan = anchor.best.solution
        if (
            plan is None
            or anchor.scenario != self.shared.base
            or (light.keep & ~plan.open).any()
            or (light.close & plan.open).any()
        ):
            return False
        return any(region.holds(adjust) for region in self.shared.regions)

    def regions(self) -> tuple[Region, ...]:
        """A proven region for each sample of the file whose ranges are costs alone, where there is one."""
        whatif, base = self.shared.whatif, self.shared.base
        anchor = self.anchor(base, whatif.timeout_s)
        found = []
        for family in whatif.family:
            ends: dict[str, tuple[Adjust, float, float]] = {}
            for key, (low, high) in family.ranges.items():
                name = key.removeprefix("adjust.").removesuffix(".factor")
                lever = next((each for each in whatif.adjust if f"adjust.{each.name}.factor" == key), None)
                if lever is None or lever.table != "sites" or lever.column not in LIGHT:
                    ends = {}
                    break
                ends[name] = (Adjust(**lever.model_dump(exclude={"label"}), factor=1.0), low, high)
            light = without_light(base.model_copy(update={"adjust": (*base.adjust, *(e[0] for e in ends.values()))}), base)[3]
            if family.kind == "sample" and len(light) == len(ends) and exact_costs(anchor, [each[0] for each in ends.values()]):
                region = proven(ends, lambda adjust: _best_at(anchor, tuple(adjust), whatif.timeout_s), most=family.count // 2)
                found += [region] if region is not None else []
        return tuple(found)

    def prices(self, changes: Changes, plans: Sequence[Solution]) -> list[int | None]:
        """What plans (in the terms of the base's problem) cost under a scenario, in pence; None for one that is no plan of it."""
        plain, keep, close, adjust = without_light(self.scenario(changes), self.shared.base)
        anchor = self.anchor(plain, None)
        if not lockable(anchor, keep, close):
            return [None for _ in plans]
        _, light = light_of(anchor, keep, close, adjust)
        problem = replace(anchor.problem, site_cost=light.site_cost, pair_cost=light.pair_cost)
        fits = [len(plan.host) == problem.n_points and feasible(problem, plan, light.keep, light.close) for plan in plans]
        return [cost(problem, plan) if fit else None for plan, fit in zip(plans, fits, strict=True)]

    # ---------------------------------------------------------------------------------------------- anchors

    def anchor(self, scenario: Scenario, time_s: float | None) -> Anchor:
        """The anchor of a scenario, from memory where it is there."""
        if not self.reuse:
            return self._build(scenario, time_s)
        key = digest(scenario)
        if key in self._anchors:
            self._anchors.move_to_end(key)
        else:
            self._anchors[key] = self._build(scenario, time_s)
            if len(self._anchors) > MOST_ANCHORS:
                # The first is the base's, which most scenarios need.
                del self._anchors[list(self._anchors)[1]]
        return self._anchors[key]

    def _build(self, scenario: Scenario, time_s: float | None) -> Anchor:
        place = self.place(scenario)
        raise_for(_checked(scenario, place, known=self.reuse and place is self.shared.place))
        travel = self.travel(scenario, place)
        known = self.reuse and place is self.shared.place and travel is self.shared.travel
        formulation = formulate(Measured.of(place, scenario, travel), near=self._near if known else None)
        if known:
            self._near = formulation.problem.near
        problem, programme = formulation.problem, WholeModel(formulation.problem)
        if problem.goal is Goal.COST:
            today = (
                problem.today if problem.today is not None and feasible(problem, problem.today, *no_locks(problem)) else None
            )
            best = programme.solve(problem.site_cost, problem.pair_cost, start=today, time_s=time_s)
            best = told(problem, best, time_s, choose.way(problem, Limits()).narrow)
        else:
            best = _other_goal(problem, time_s)
        return Anchor(scenario, place, formulation, best, programme)

    def place(self, scenario: Scenario) -> Place:
        """The place under a scenario's adjustments: from memory, unless the scenario reads other files."""
        base = self.shared.base
        same = _called(scenario) == _called(base) and all(getattr(scenario, name) == getattr(base, name) for name in WHO_OWNS)
        return adjusted_place(self.shared.place, scenario, scenario.adjust) if same and self.reuse else load(scenario)

    def travel(self, scenario: Scenario, place: Place) -> TravelTables:
        """The travel tables: the base's, unless the scenario needs others."""
        base, shared = self.shared.base, self.shared.travel
        moved = len(place.sites) != len(self.shared.place.sites) or any(a.column in _READ_BY_TRAVEL for a in scenario.adjust)
        everything = len(place.zones) * len(place.sites) <= ALL_PAIRS and len(place.sites) ** 2 <= ALL_PAIRS
        alike = everything or (scenario.standards, scenario.reaches) == (base.standards, base.reaches)
        there = set(modes(scenario, rules(scenario))) <= set(modes(base, rules(base)))
        if self.reuse and not moved and alike and there and scenario.travel == base.travel:
            return shared
        return measure(place, scenario)


def _called(scenario: Scenario) -> dict[str, tuple[object, ...]]:
    """What reading the tables needs to know of each service: what they may call it, what a desk takes; and if people come."""
    return {
        name: (each.label, each.aliases, each.desk_m2, each.desks_per_fte, each.public)
        for name, each in scenario.services.items()
    }


def _checked(scenario: Scenario, place: Place, *, known: bool) -> tuple[Issue, ...]:
    """What is wrong; of tables that have been checked already, only what the scenario asks of them."""
    if not known:
        return check(scenario, place)
    about_rules = [each for each in CHECKS if each.__module__ == "estate.validate.rules"]
    return tuple(issue for each in about_rules for issue in each(scenario, place))


# -------------------------------------------------------------------------------------------------- answers


def _best_at(anchor: Anchor, adjust: tuple[Adjust, ...], time_s: float) -> bool:
    """Whether the anchor's plan is best at these costs."""
    plan, problem = anchor.best.solution, anchor.problem
    if plan is None or anchor.best.ended != "proven":
        return False
    _, light = light_of(anchor, (), (), adjust)
    found = anchor.programme.solve(light.site_cost, light.pair_cost, start=plan, time_s=time_s)
    there = replace(problem, site_cost=light.site_cost, pair_cost=light.pair_cost)
    return found.ended == "proven" and found.solution is not None and cost(there, plan) == cost(there, found.solution)


def _solved(anchor: Anchor, light: Light, place: Place, time_s: float | None) -> Reply:
    plan, problem = anchor.best.solution, anchor.problem
    start = plan if plan is not None and feasible(problem, plan, light.keep, light.close) else None
    found = anchor.programme.solve(
        light.site_cost, light.pair_cost, keep=light.keep, close=light.close, start=start, time_s=time_s
    )
    here = replace(
        problem,
        site_cost=light.site_cost,
        pair_cost=light.pair_cost,
        must_open=problem.must_open | light.keep,
        must_close=problem.must_close | light.close,
    )
    found = told(here, found, time_s, lambda less, value: narrowed(less, anchor.multipliers, value))
    return _reply(anchor, light, found, place, solved=True)


def _other_goal(problem: Problem, time_s: float | None) -> Solved:
    """The best plan under another goal than cost, and the cheapest of those: otherwise a frontier would hold dominated points.

    Ties are told apart no further: with people's distances as the goal that takes the county seconds for each point, and a
    frontier shows pounds and distances only.
    """
    watch = Watch(Limits(time_s=time_s))
    answer = choose.way(problem, watch.limits).search(problem, watch)
    best = Solved("infeasible" if answer.status is Status.INFEASIBLE else answer.stopped, answer.solution, answer.bound)
    if answer.solution is None or answer.value is None or best.ended != "proven":
        return best
    farthest = problem.goal is Goal.FARTHEST
    held = {} if farthest else {Measure(problem.goal): answer.value}
    within = answer.value if farthest else None
    cheapest = through_pulp.run(
        formulate_model(problem, Measure.COST, at_most=held, within=within), watch, start=answer.solution
    )
    keeps = cheapest.solution is not None and value_of(problem, cheapest.solution) == answer.value
    return replace(best, solution=cheapest.solution) if cheapest.ended == "proven" and keeps else replace(best, ended="time")


def _alternative(anchor: Anchor, rank: int, differ_by: int, time_s: float | None) -> Reply:
    """The best plan that differs by so many buildings from the best and from every earlier alternative."""
    free = Light(*no_locks(anchor.problem), anchor.problem.site_cost, anchor.problem.pair_cost)
    found = anchor.best
    plans: list[Solution] = []
    for _ in range(rank):
        if found.solution is None:
            break
        plans.append(found.solution)
        found = anchor.programme.solve(free.site_cost, free.pair_cost, far_from=(plans, differ_by), time_s=time_s)
    none = "no further plan differs by so many buildings"
    return _reply(anchor, free, found, anchor.place, solved=True, nothing=none)


def _reply(anchor: Anchor, light: Light, found: Solved, place: Place, *, solved: bool, nothing: str = "") -> Reply:
    problem = replace(anchor.problem, site_cost=light.site_cost, pair_cost=light.pair_cost)
    if found.solution is None:
        status = Status.INFEASIBLE if found.ended == "infeasible" else Status.UNKNOWN
        reason = nothing if status is Status.INFEASIBLE else "no plan and no proof within the time allowed"
        return Reply(status, reason, anchor, None, light=light)
    if not feasible(problem, found.solution, light.keep, light.close):
        raise_for([Issue("whatif.broken-plan", "the solver returned a plan that breaks rules", severity=Severity.ERROR)])
    value = value_of(problem, found.solution)
    proven = found.ended == "proven"
    status = Status.OPTIMAL if proven else Status.FEASIBLE
    reason = "" if proven else "the best found within the time allowed"
    bound = float(value) if proven else found.bound
    if not solved and anchor.best.ended != "proven":
        bound = None
    return Reply(status, reason, anchor, found.solution, value, bound, place, light, solved, found.settled)


def _refuse_what_batches_cannot_hold(scenario: Scenario) -> None:
    """A rule on what each agency pays needs its books at every step: a batch would leave it out without a word."""
    rule = scenario.rules.no_agency_worse_off
    if rule is not None and not (rule.transfers and rule.against == "today"):
        words = "a batch cannot hold a plan to what each agency pays"
        remedy = "take rules.no_agency_worse_off out of the batch, and run 'estate run' with it on the scenario you choose"
        where = Where(scenario.file.name, column="rules.no_agency_worse_off")
        raise InputError(issues=[Issue("whatif.worse-off", words, remedy, where)])
