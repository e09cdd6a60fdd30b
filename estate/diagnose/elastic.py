"""The elastic programme of a scenario: anything in it can be let go, and it is asked again and again.

The usual programme (:mod:`estate.model`) has only the choices that the scenario allows.  This one has every choice that some
relaxation would allow, and each row (:mod:`.sheet`) and each barred choice knows the member (:mod:`.members`) it is there
for.  A question is a set of members that hold; the others are let go by bounds alone, so nothing is built twice.

What never gives way, and so is no member: an access point is in one building at most, what a building may host by its kind
(or the ``may_host`` and ``hosting`` tables), sites outside the place, and travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estate.diagnose.members import Kind, Member, Roster, reaches, roster, row_members
from estate.diagnose.sheet import Layout, SheetRows, bounds, cover_rows, joined, layout_of, other_rows
from estate.errors import SolverError
from estate.formulate import Formulated, derived, formulate
from estate.formulate.eligible import host_pairs, site_state, taking_part
from estate.formulate.rules import Compiled
from estate.model.arrays import Arrays
from estate.place import Place
from estate.problem import Bools, CoverRows, Floats, Goal, Ints, NearRows, Problem, Solution
from estate.scenario import Rules, Scenario, Service
from estate.solve import highs
from estate.solve.watch import NEVER, Clock
from estate.standards.measured import Measured
from estate.travel import TravelTables

AMPLE_M2 = 1e7
"""Floor area of a building whose capacity has been let go, m2."""


WITNESSES: tuple[Mapping[str, float | int | str | bool], ...] = ({"presolve_rule_off": 4096}, {"presolve": "off"})
"""Settings of HiGHS that must agree before it is believed that there is no plan.

HiGHS 1.15.1 calls some of these programmes infeasible that have a plan: its presolve's aggregator (rule 4096) is at fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Elastic:
    """The programme with everything in it.  Shapes: M members, R rows, P choices (host pairs)."""

    place: Place
    scenario: Scenario
    travel: TravelTables
    base: Formulated
    """The scenario as it stands."""
    roster: Roster
    problem: Problem
    """With every choice that some relaxation allows; ``cover`` and ``shares`` are the scenario's."""
    points: Ints
    """Position, in the place's frame, of each of the problem's points."""
    at: Layout
    rows: SheetRows
    """Every row but the access rules'."""
    access: SheetRows
    """The access rules' rows: members 0, 1, 2 ... in order."""
    barring: tuple[tuple[int, Ints], ...]
    """(member, choices that it bars)."""
    taken: Mapping[int, int]
    """A ``fixed`` member = the choice it has made, whatever bars it."""
    hard: tuple[tuple[int, Ints], ...]
    """(member, choices) barred even to a decision taken: closed buildings, and those too small for the point alone."""
    shut: Ints
    """(J,) the member that closes a site, or -1."""
    kept: Ints
    """(J,) the member that keeps a site open, or -1."""
    measured: Measured
    """The scenario's rules on the place."""
    clock: Clock = NEVER
    """When to stop asking: a question that is not answered by then raises :class:`OutOfTimeError`."""

    def everything(self) -> Bools:
        """(M,) all members hold: the scenario itself."""
        return np.ones(len(self.roster.atoms), dtype=bool)

    def choices(self, active: Bools, *, roomy: bool = False) -> Bools:
        """(P,) the choices that are left when the active members hold; ``roomy``: floor area apart."""
        left = np.ones(self.problem.n_pairs, dtype=bool)
        for m, pairs in self.barring:
            if m < 0 or active[m]:
                left[pairs] = False
        for m, pair in self.taken.items():
            if active[m]:
                left[self.problem.pair_point == self.problem.pair_point[pair]] = False
                left[pair] = True
        for m, pairs in self.hard:
            if active[m] and not (roomy and self.roster.atoms[m].kind is Kind.AREA):
                left[pairs] = False
        return left

    def plan(self, active: Bools, *, access: SheetRows | None = None) -> Solution | None:
        """A plan that meets the active members, or None where there is proven to be none.

        ``access`` stands in for the access rules' own rows: the same rules with other limits.

        Raises
        ------
        SolverError
            When the solver breaks down.
        """
        x = self.least(active, access=access)
        return None if x is None else self.read(x)

    def impossible(self, active: Bools, effort: int) -> bool:
        """Whether it is proven, with no more than this effort, that no plan meets the active members.

        ``effort`` counts branch-and-bound nodes; 0 is the linear relaxation alone.  No plan is looked for.
        """
        try:
            return self.least(active, effort=effort) is None
        except _UndecidedError:
            return False

    def least(
        self, active: Bools, give: Mapping[int, tuple[float, float]] | None = None, *, access: SheetRows | None = None,
        roomy: bool = False, effort: int | None = None,
    ) -> Floats | None:  # fmt: skip
        """The columns of a plan that meets the active members at least cost, or None where there is none.

        ``give`` frees columns of give (column = price, most); ``roomy`` lets in what only floor area keeps out.
        """
        J, P = self.problem.n_sites, self.problem.n_pairs
        holds = np.append(active, True)  # -1: always
        lower, upper, integer = bounds(self.problem, self.at)
        upper[J : J + P] = self.choices(active, roomy=roomy)
        shut = (self.shut >= 0) & holds[self.shut]
        kept = (self.kept >= 0) & holds[self.kept]
        if (shut & kept).any():
            return None
        upper[:J], lower[:J] = np.where(shut, 0.0, upper[:J]), np.where(kept, 1.0, lower[:J])
        price = np.zeros(self.at.total)
        for column, (value, most) in (give or {}).items():
            upper[column], price[column] = most, value
        rows = joined(self.rows, self.access if access is None else access)
        asked = holds[rows.member]
        # A point that is let go may be nowhere, never in two places: the upper side of an equation stays.
        loose = np.arange(len(rows.member)) < self.problem.n_points
        rows = replace(rows, lower=np.where(asked, rows.lower, -np.inf)).take(asked | loose)
        return _solved(rows, price, (lower, upper), integer, effort, self.clock)

    def read(self, x: Floats) -> Solution:
        """The plan in the solver's columns; a point that was let go and is nowhere reads -1."""
        p = self.problem
        host = np.full(p.n_points, -1, dtype=np.int64)
        chosen = x[self.at.host : self.at.host + p.n_pairs] > 0.5
        host[p.pair_point[chosen]] = p.pair_site[chosen]
        return Solution(x[: p.n_sites] > 0.5, host)


def elastic(place: Place, scenario: Scenario, travel: TravelTables, clock: Clock = NEVER) -> Elastic:
    """The elastic programme of a scenario; raises :class:`InputError` as :func:`estate.formulate.formulate` does."""
    measured = Measured.of(place, scenario, travel)
    base = formulate(measured)
    wide, points, natural = _wide(place, scenario, travel)
    reached = _reached(base.problem)
    problem = replace(
        wide,
        n_services=base.problem.n_services,
        service_kind=base.problem.service_kind,
        derived=derived(measured, points[wide.pair_point]),
        inherent=base.problem.inherent[base.problem.inherent[:, 1] < len(place.sites)],
        cover=_both(base.compiled.cover, reached),
        shares=base.compiled.shares,
        near=NearRows(),
        must_open=place.outside.copy(),
        must_close=np.zeros(wide.n_sites, dtype=bool),
    )
    J = len(place.sites)
    near = travel.home[scenario.travel.mode].from_
    near_zones = np.unique(near[place.zones["population"].to_numpy()[near] > 0])
    atoms = roster(place, scenario, base, near_zones, problem.side.name)
    at = layout_of(problem)
    area = base.problem.site_capacity[:J], base.problem.site_slack[:J]
    rows = other_rows(problem, at, row_members(atoms, place, scenario, problem, points), area)
    access = cover_rows(problem.cover, at, np.arange(len(problem.cover)))
    bars = _bars(place, scenario, travel, base, problem, points, atoms, natural)
    return Elastic(place, scenario, travel, base, atoms, problem, points, at, rows, access, *bars, measured, clock)


class OutOfTimeError(Exception):
    """The clock ended before a question was answered."""


class _UndecidedError(SolverError):
    """The solver ended with neither a plan nor a proof."""


def _solved(
    rows: SheetRows, price: Floats, between: tuple[Floats, Floats], integer: Bools, effort: int | None, clock: Clock
) -> Floats | None:
    """The columns of a cheapest point, or None where there is none; columns that can only be 0 are left out first."""
    lower, upper = between
    live = upper > 0
    matrix = rows.matrix[:, live]
    empty = np.diff(matrix.indptr) == 0
    if (rows.lower[empty] > 0).any() or (rows.upper[empty] < 0).any():
        return None
    some = ~empty
    matrix = matrix[some]
    arrays = Arrays(
        price[live], 0.0, lower[live], upper[live], integer[live], rows.lower[some], rows.upper[some],
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data, 1.0,
    )  # fmt: skip
    if effort == 0:
        arrays = replace(arrays, integer=np.zeros(int(live.sum()), dtype=bool))
    for witness in WITNESSES:
        hurry = {} if effort is None else {"mip_heuristic_effort": 0.0}
        if clock.over():
            raise OutOfTimeError
        found = highs.run(arrays, clock=clock, nodes=effort or None, options={**witness, **hurry})
        if found.x is not None:
            x = np.zeros(len(live))
            x[live] = found.x
            return x
        if not found.complete and clock.over():
            raise OutOfTimeError
        if not found.complete:
            raise _UndecidedError("the solver could not tell whether some of the rules can hold together")
    return None


# -------------------------------------------------------------------------------------------------- every choice


def _loose(place: Place, scenario: Scenario) -> tuple[Place, Scenario]:
    """The place and scenario with every lock and rule about who may go where let go; counts, budgets and sharing stay."""
    sites = place.sites.copy()
    sites["status"] = sites["status"].where(sites["status"] == "outside", "free")
    sites["capacity_m2"] = AMPLE_M2 + sites["other_use_m2"]
    agencies = place.agencies.assign(takes_part=True)
    services = {name: each.model_copy(update={"reach": None}) for name, each in scenario.services.items()}
    rules = scenario.rules.model_copy(
        update={name: Rules.model_fields[name].get_default() for name in ("keep", "close", "fixed", "barred", "out", "reach")}
    )
    return (
        replace(place, sites=sites, agencies=agencies),
        scenario.model_copy(update={"rules": rules, "services": services, "standards": ()}),
    )


def _wide(place: Place, scenario: Scenario, travel: TravelTables) -> tuple[Problem, Ints, Bools]:
    """The problem with every choice, its points, and (P,) the choices that are natural rather than only a decision taken."""
    open_place, open_scenario = _loose(place, scenario)
    first = formulate(Measured.of(open_place, open_scenario, travel))
    J = len(place.sites)
    key = first.points[first.problem.pair_point] * J + first.problem.pair_site
    extra = np.setdiff1d(np.array(_decided(place, scenario), dtype=np.int64), key)
    if not len(extra):
        return first.problem, first.points, np.ones(len(key), dtype=bool)
    # A decision taken may break what a building may host: let the kinds go as well, and bar the rest of what that brings.
    services = {name: each.model_copy(update={"hosts": ()}) for name, each in open_scenario.services.items()}
    hosting = open_place.hosting.assign(allowed=True)
    anything = replace(open_place, sites=open_place.sites.assign(may_host=""), hosting=hosting)
    second = formulate(Measured.of(anything, open_scenario.model_copy(update={"services": services}), travel))
    wider = second.points[second.problem.pair_point] * J + second.problem.pair_site
    return second.problem, second.points, np.isin(wider, key)


def _decided(place: Place, scenario: Scenario) -> list[int]:
    """Each decision taken, as the position of its access point x sites + the position of its site."""
    s = place.access_points.index.get_indexer(pd.Index(list(scenario.rules.fixed), dtype=object))
    j = place.sites.index.get_indexer(pd.Index(list(scenario.rules.fixed.values()), dtype=object))
    return [int(each) for each in s * len(place.sites) + j]


def _reached(problem: Problem) -> CoverRows:
    """Goals about travel need every near row served at all."""
    near = problem.near
    if problem.goal not in (Goal.TRAVEL, Goal.FARTHEST):
        return CoverRows()
    return CoverRows(near.service, np.ones(len(near), np.int64), near.start, near.site, np.full(len(near), -1))


def _both(a: CoverRows, b: CoverRows) -> CoverRows:
    return CoverRows(
        np.concatenate([a.service, b.service]),
        np.concatenate([a.need, b.need]),
        np.concatenate([a.start, a.start[-1] + b.start[1:]]),
        np.concatenate([a.site, b.site]),
        np.concatenate([a.excuse, b.excuse]),
    )


# -------------------------------------------------------------------------------------------------- barred choices


def _bars(
    place: Place, scenario: Scenario, travel: TravelTables, base: Formulated, problem: Problem, points: Ints,
    atoms: Roster, natural: Bools,
) -> tuple[tuple[tuple[int, Ints], ...], dict[int, int], tuple[tuple[int, Ints], ...], Ints, Ints]:  # fmt: skip
    """What each member bars, for the fields of :class:`Elastic` from ``barring`` on."""
    J = len(place.sites)
    ids = place.sites.index.astype(str)
    key = points[problem.pair_point] * J + problem.pair_site
    barring = [(-1, np.flatnonzero(~natural))]
    for member, (one_place, one_scenario, compiled) in _one_by_one(place, scenario, base.compiled):
        s, j = host_pairs(one_place, one_scenario, travel, compiled, site_state(one_place, one_scenario))
        barring.append((atoms.number[member], np.flatnonzero(~np.isin(key, s * J + j))))
    where = {k: p for p, k in enumerate(key.tolist())}
    taken = {
        atoms.number[Member(Kind.FIXED, s)]: where[key]
        for s, key in zip(scenario.rules.fixed, _decided(place, scenario), strict=True)
    }
    alone = (problem.point_own + problem.point_hall + problem.point_desk)[problem.pair_point]
    slack = np.where(problem.point_home[problem.pair_point] == problem.pair_site, base.problem.site_slack[problem.pair_site], 0)
    small = alone > base.problem.site_capacity[problem.pair_site] + slack
    shut = atoms.numbers(Member(Kind.CLOSE, site) for site in ids)
    kept = atoms.one_of_each(Kind.KEEP, base.state.why.tolist(), list(ids))
    hard = [(int(shut[j]), np.flatnonzero(problem.pair_site == j)) for j in np.flatnonzero(shut >= 0)]
    room = atoms.one_of_each(Kind.AREA, [""] * J, list(ids))
    hard += [
        (int(room[j]), np.flatnonzero(small & (problem.pair_site == j))) for j in np.unique(problem.pair_site[small]).tolist()
    ]
    return tuple(barring), taken, tuple(hard), shut, kept


def _one_by_one(
    place: Place, scenario: Scenario, compiled: Compiled
) -> Iterator[tuple[Member, tuple[Place, Scenario, Compiled]]]:
    """Each rule about who may go where, alone: the place, scenario and rules with no other."""
    free_place, free = _loose(place, scenario)
    none = replace(compiled, moved={})

    def with_rules(**changes: object) -> Scenario:
        return free.model_copy(update={"rules": free.rules.model_copy(update=changes)})

    for column, values in sorted(scenario.rules.barred.items()):
        yield Member(Kind.BARRED, column), (free_place, with_rules(barred={column: values}), none)
    part = taking_part(place, scenario)
    for agency in place.agencies.index[~part]:
        yield Member(Kind.OUT, str(agency)), (free_place, with_rules(out=(agency,)), none)
    for name, (limit, services) in reaches(place, scenario).items():
        own = {each: free.services.get(each, Service()).model_copy(update={"reach": limit}) for each in services}
        yield Member(Kind.REACH, name), (free_place, free.model_copy(update={"services": {**free.services, **own}}), none)
    for r, allowed in compiled.moved.items():
        rule = compiled.rules[r]
        if rule.action == "forbid":
            yield Member(Kind.MOVED, rule.name), (free_place, free, replace(compiled, moved={r: allowed}))
