"""What a scenario changes that its anchor need not know: locks are bounds on columns, running costs another objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from estate.errors import Issue, raise_for
from estate.formulate import Formulated
from estate.load import rows_where
from estate.load.cells import service_words
from estate.load.change import adjusted
from estate.money import costs
from estate.place import Place
from estate.problem import Bools, Ints, Problem, Solution
from estate.scenario import Adjust, Objective, Scenario
from estate.solve.answer import value_of
from estate.solve.columns.tied import Multipliers, multipliers
from estate.whatif.programme import Solved, WholeModel

LIGHT = frozenset({"running_cost_gbp_pa", "hosting_cost_gbp_m2_pa"})
"""Columns of sites that only the objective reads (under ``running-cost`` with no budget)."""


STANDING = ("services", "point_site", "point_service", "outside", "public_landlord", "today", "offers_today")
"""What a place has worked out that costs have no part in."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """The changes that an anchor need not know: sites kept and closed (J,), and costs in pence (J,), (P,)."""

    keep: Bools
    close: Bools
    site_cost: Ints
    pair_cost: Ints


@dataclass(frozen=True, eq=False)
class Anchor:
    """A scenario without its light changes, ready to be solved under any of them."""

    scenario: Scenario
    place: Place
    formulation: Formulated
    best: Solved
    """Its best plan under no light change."""
    programme: WholeModel
    masks: dict[str, Bools] = field(default_factory=dict)
    """Which sites each lever touches, once it has been asked."""
    journeys: dict[Solution, tuple[float | None, float | None]] = field(default_factory=dict)
    """Mean and farthest distance (metres) under each plan that has been asked for."""
    states: dict[Solution, dict[str, str]] = field(default_factory=dict)
    """What becomes of each site under each plan that has been asked for."""

    @property
    def problem(self) -> Problem:
        """The arrays."""
        return self.programme.problem

    @cached_property
    def multipliers(self) -> Multipliers | None:
        """The best multipliers at the anchor's own costs: they give a bound under any light changes."""
        return None if self.best.solution is None else multipliers(self.problem, value_of(self.problem, self.best.solution))


def adjusted_place(place: Place, scenario: Scenario, adjust: tuple[Adjust, ...]) -> Place:
    """A place with adjustments laid on its tables; raises :class:`InputError` for one that does not fit."""
    if not adjust:
        return place
    names = ("agencies", "sites", "access_points", "zones", "rates", "hosting")
    issues: list[Issue] = []
    frames = {name: getattr(place, name) for name in names}
    changed = adjusted(frames, scenario.model_copy(update={"adjust": adjust}), service_words(scenario), issues)
    raise_for(issues)
    return replace(place, **changed)  # type: ignore[arg-type]


type _Split = tuple[Scenario, tuple[str, ...], tuple[str, ...], tuple[Adjust, ...]]


def without_light(scenario: Scenario, base: Scenario) -> _Split:
    """A scenario less its light changes, and those: sites kept, sites closed, adjustments of costs."""
    rules_, money = scenario.rules, scenario.money
    keep = tuple(sorted(set(rules_.keep) - set(base.rules.keep)))
    close = tuple(sorted(set(rules_.close) - set(base.rules.close)))
    if rules_.counts or set(keep) & set(rules_.close) or set(close) & {*rules_.keep, *rules_.fixed.values()}:
        keep, close = (), ()
    plain = rules_.model_copy(
        update={
            "keep": tuple(each for each in rules_.keep if each not in keep),
            "close": tuple(each for each in rules_.close if each not in close),
        }
    )
    first = len(base.adjust)
    own = scenario.adjust[first:] if scenario.adjust[:first] == base.adjust else ()
    simple = (
        money.objective is Objective.RUNNING_COST
        and money.capital_budget_gbp is None
        and not money.purses
        and not money.holding_share
        and money.longest_payback_years is None
        and all(each.table == "sites" and each.column in LIGHT for each in own)
    )
    adjust = own if simple else ()
    kept = scenario.adjust[: len(scenario.adjust) - len(adjust)]
    return scenario.model_copy(update={"rules": plain, "adjust": kept}), keep, close, adjust


def lockable(anchor: Anchor, keep: tuple[str, ...], close: tuple[str, ...]) -> bool:
    """Whether locks are bounds and nothing more: the sites exist, and none is closed that something holds open."""
    sites, problem = anchor.place.sites.index, anchor.problem
    kept, closed = sites.get_indexer(pd.Index(keep, dtype=object)), sites.get_indexer(pd.Index(close, dtype=object))
    if (kept < 0).any() or (closed < 0).any():
        return False
    outside = anchor.place.outside
    return not (problem.must_close[kept] | outside[kept]).any() and not (problem.must_open[closed] | outside[closed]).any()


def light_of(anchor: Anchor, keep: tuple[str, ...], close: tuple[str, ...], adjust: tuple[Adjust, ...]) -> tuple[Place, Light]:
    """Light changes as arrays, and the place that they make."""
    problem, sites = anchor.problem, anchor.place.sites.index
    kept, closed = no_locks(problem)
    kept[sites.get_indexer(pd.Index(keep, dtype=object))] = True
    closed[sites.get_indexer(pd.Index(close, dtype=object))] = True
    if not adjust:
        return anchor.place, Light(kept, closed, problem.site_cost, problem.pair_cost)
    place = repriced(anchor, adjust)
    pair_cost = problem.pair_cost
    real = problem.pair_point < len(anchor.formulation.points)
    if any(each.column == "hosting_cost_gbp_m2_pa" for each in adjust):
        point, site = anchor.formulation.points[problem.pair_point[real]], problem.pair_site[real]
        change = costs.pence(costs.hosting_gbp_pa(place, point, site)) - costs.pence(
            costs.hosting_gbp_pa(anchor.place, point, site)
        )
        pair_cost = pair_cost.copy()
        pair_cost[real] += change
    site_cost = problem.site_cost.copy()
    n = len(place.sites)
    site_cost[:n] += costs.pence(costs.running_gbp_pa(place)) - costs.pence(costs.running_gbp_pa(anchor.place))
    return place, Light(kept, closed, site_cost, pair_cost)


def repriced(anchor: Anchor, adjust: tuple[Adjust, ...]) -> Place:
    """The anchor's place with light adjustments: as :func:`adjusted_place`, and quicker where all are factors within range."""
    place = anchor.place
    columns = {name: place.sites[name].to_numpy(dtype=np.float64) for name in LIGHT}
    for each in adjust:
        if each.factor is None or each.factor < 0:
            return adjusted_place(place, anchor.scenario, adjust)
        key = repr(sorted(each.where.items()))
        if key not in anchor.masks:
            adjusted_place(place, anchor.scenario, (each,))  # says what is wrong with it, once
            anchor.masks[key] = rows_where(place.sites, each.where)
        columns[each.column] = np.where(anchor.masks[key], columns[each.column] * each.factor, columns[each.column])
    if not all(np.isfinite(value[~np.isnan(value)]).all() for value in columns.values()):
        return adjusted_place(place, anchor.scenario, adjust)
    changed = replace(place, sites=place.sites.assign(**columns))
    # Costs move nobody: what the place has worked out about who is where holds.
    changed.__dict__.update({name: getattr(place, name) for name in STANDING})
    return changed


def no_locks(problem: Problem) -> tuple[Bools, Bools]:
    """No site kept and none closed: two arrays (J,)."""
    return np.zeros(problem.n_sites, dtype=bool), np.zeros(problem.n_sites, dtype=bool)


def surely_best(anchor: Anchor, light: Light) -> bool:
    """Whether the anchor's plan is best without a solve.

    For any plan ``y`` and the anchor's best ``x``: ``c'(y) - c'(x) = c(y) - c(x) + d.(y - x)`` with ``d = c' - c``.  The first
    difference is never negative, nor is the second where ``d >= 0`` off ``x`` and ``d <= 0`` on it.
    """
    plan, problem = anchor.best.solution, anchor.problem
    if plan is None or anchor.best.ended != "proven" or (light.keep & ~plan.open).any() or (light.close & plan.open).any():
        return False
    site, pair = light.site_cost - problem.site_cost, light.pair_cost - problem.pair_cost
    chosen = plan.host[problem.pair_point] == problem.pair_site
    fixed = problem.must_open | problem.must_close
    site_ok = fixed | np.where(plan.open, site <= 0, site >= 0)
    return bool(site_ok.all() and np.where(chosen, pair <= 0, pair >= 0).all())


def exact_costs(anchor: Anchor, levers: Sequence[Adjust]) -> bool:
    """Whether no two levers touch one cell, and all the costs they touch are whole pounds (:mod:`estate.whatif.regions`)."""
    touched = {column: np.zeros(len(anchor.place.sites), dtype=np.int64) for column in LIGHT}
    for lever in levers:
        touched[lever.column] += rows_where(anchor.place.sites, lever.where)
    if any((count > 1).any() for count in touched.values()):
        return False
    return not (anchor.problem.site_cost % 100).any() and not (anchor.problem.pair_cost % 100).any()
