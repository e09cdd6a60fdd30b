"""No agency worse off, without payments: a rule on what each pays, made of rows as they are needed.

A building's cost is split by floor area, so what an agency pays is a fraction of decisions and no row can say it at once.
Instead the best plan is found, its books are opened, and for each agency that is worse off a row is added that rules out what
makes it so, until nobody is.  Two kinds of row, both true of every plan in which the agency is not worse off:

* *its own counters*: even with everybody beside them who could ever be, and so the smallest shares there can be, where its
  counters are leaves it worse off; then not all of them may be there;
* *as it stands*: who is in the buildings where it has a counter or holds the title, and which of the buildings it holds or leaves
  are open, settles what it pays; one of these has to be different.

So the answer is exact, and the price of the rule is what the best plan then costs more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estate.appraise.ledger import ledger
from estate.errors import InfeasibleError, Issue, NoPlanError, Where
from estate.formulate import Formulated
from estate.load.vest import holds_titles, members
from estate.money.costs import hosting_gbp_pa, running_gbp_pa
from estate.money.present_value import annual_equivalent_pence
from estate.partners.best import worth
from estate.partners.game import game_of, players_of
from estate.partners.partnership import gains
from estate.place import Plan
from estate.problem import Bools, Ints, Problem, SideRows, Solution, violations
from estate.scenario import WorseOff
from estate.solve import Answer, Limits, Progress, Status, choose, solve
from estate.solve.watch import Watch
from estate.standards.measured import Measured

MOST_ROUNDS = 400
"""Plans that are looked at before the rule is given up."""
PENNIES = 5
"""Shares are rounded to the penny in each building: so little less is not worse off."""


@dataclass(frozen=True, slots=True, eq=False)
class Fair:
    """The best plan in which no agency is worse off, and what that costs a year."""

    answer: Answer
    price: int
    """Pence a year more than the best plan without the rule, by the objective in use."""
    rounds: int
    rule: WorseOff

    def as_json(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "against": self.rule.against, "measured": self.rule.measured, "transfers": self.rule.transfers,
            "price_gbp_pa": self.price / 100, "plans_looked_at": self.rounds,
        }  # fmt: skip


def fair(
    measured: Measured,
    formulation: Formulated,
    first: Answer,
    limits: Limits,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Fair | None:
    """The best plan under ``rules.no_agency_worse_off``, from the best without it; None where the scenario does not ask.

    Raises
    ------
    InfeasibleError
        When it is proven that no plan leaves nobody worse off.
    NoPlanError
        When the search ended before one was found.
    """
    rule = measured.scenario.rules.no_agency_worse_off
    if rule is None or first.solution is None:
        return None
    floor = _floors(measured, rule)
    if rule.transfers:
        _payable(measured, formulation, first, rule, floor)
        return Fair(first, 0, 0, rule)
    problem, answer = formulation.problem, first
    for looked in range(1, MOST_ROUNDS + 1):
        if answer.solution is None:
            _none(rule, answer)
            raise NoPlanError("the search ended with no plan under rules.no_agency_worse_off")
        plan = formulation.plan(measured.place, answer.solution)
        worse = _worse_off(measured, plan, rule, floor)
        if not worse and (looked == 1 or answer.settled):
            price = (answer.value or 0) - (first.value or 0)
            return Fair(answer, price, looked, rule)
        for agency in worse:
            problem = _without(measured, formulation, problem, plan, rule, agency, floor[agency])
        problem = replace(problem, today=problem.today if _holds(problem, problem.today) else None)
        if worse:
            watch = Watch(limits, progress, stop or threading.Event())
            answer = choose.way(problem, limits).search(problem, watch)
        else:
            answer = solve(problem, limits, progress=progress, stop=stop)
    raise NoPlanError(
        f"{MOST_ROUNDS} plans were looked at, and some agency is worse off in each: allow payments, or another measure"
    )


def _none(rule: WorseOff, answer: Answer) -> None:
    if answer.status is not Status.INFEASIBLE:
        return
    words = f"no plan leaves every agency as well off as {rule.against} by {rule.measured} without payments between them"
    where = Where(column="rules.no_agency_worse_off")
    remedy = "allow payments (transfers = true), or hold them against today"
    raise InfeasibleError("no plan can meet these rules", (Issue("fair.none", words, remedy, where),))


def _floors(measured: Measured, rule: WorseOff) -> dict[str, int]:
    """For each agency that takes part and runs a counter, the pence a year that it must be better off than today."""
    players = players_of(measured.place, measured.scenario)
    if rule.against == "today":
        return dict.fromkeys(players, 0)
    game, formulation = game_of(measured)
    found = {}
    for i, player in enumerate(game.players):
        alone = worth(game, np.eye(game.n, dtype=bool)[i])
        own = gains(measured, formulation.plan(measured.place, alone.plan), rule.measured)[player]
        found[player] = max(int(own), 0)
    return found


def _worse_off(measured: Measured, plan: Plan, rule: WorseOff, floor: dict[str, int]) -> list[str]:
    gain = gains(measured, plan, rule.measured)
    return [agency for agency, least in floor.items() if int(gain[agency]) < least - PENNIES]


def _payable(measured: Measured, formulation: Formulated, answer: Answer, rule: WorseOff, floor: dict[str, int]) -> None:
    """With payments between them it is enough that all together are no worse off."""
    if answer.solution is None:
        return
    gain = gains(measured, formulation.plan(measured.place, answer.solution), rule.measured)
    if sum(int(gain[agency]) for agency in floor) < sum(floor.values()):
        words = f"together the agencies are worse off than {rule.against} by {rule.measured}, so no payments can help"
        where = Where(column="rules.no_agency_worse_off")
        raise InfeasibleError("no plan can meet these rules", (Issue("fair.none", words, "take the rule out", where),))


# ------------------------------------------------------------------------------------------------------ rows


def _without(
    measured: Measured, formulation: Formulated, problem: Problem, plan: Plan, rule: WorseOff, agency: str, floor: int
) -> Problem:
    """The problem with a row that rules out what leaves an agency worse off in a plan."""
    place = measured.place
    runs = place.access_points["agency"].astype(str).to_numpy()[formulation.points] == agency
    here = plan.host[formulation.points]
    mine = np.flatnonzero(runs)
    real = problem.pair_point < len(formulation.points)
    chosen = np.zeros(problem.n_pairs, dtype=bool)
    chosen[real] = here[problem.pair_point[real]] == problem.pair_site[real]
    if _most_it_can_gain(measured, formulation, problem, plan, agency, rule) < floor - PENNIES:
        own = np.flatnonzero(chosen & np.isin(problem.pair_point, mine))
        return _with_row(problem, own, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    title = np.flatnonzero(_held(measured, agency))
    there = np.union1d(here[mine], title)
    looked = real & np.isin(problem.pair_site, there)
    watched = np.union1d(problem.point_home[mine], title)
    return _with_row(
        problem,
        np.flatnonzero(looked & chosen),
        np.flatnonzero(looked & ~chosen),
        watched[plan.open[watched]],
        watched[~plan.open[watched]],
    )


def _most_it_can_gain(
    measured: Measured, formulation: Formulated, problem: Problem, plan: Plan, agency: str, rule: WorseOff
) -> float:
    """Pence a year that an agency can at most be better off with its counters where they are, whoever is beside them."""
    place, scenario = measured.place, measured.scenario
    area = place.access_points["area_m2"].to_numpy(dtype=np.float64)
    mine = place.access_points["agency"].astype(str).to_numpy() == agency
    sites = len(place.sites)
    own = np.bincount(plan.host[mine], weights=area[mine], minlength=sites)
    others = np.nan_to_num(place.sites["other_use_m2"].to_numpy(dtype=np.float64))
    foreign = problem.pair_point < len(formulation.points)
    foreign[foreign] &= ~mine[formulation.points[problem.pair_point[foreign]]]
    point = formulation.points[problem.pair_point[foreign]]
    others = others + np.bincount(problem.pair_site[foreign], weights=area[point], minlength=sites)[:sites]
    outside = place.outside[place.point_site]
    others = others + np.bincount(place.point_site[outside], weights=area[outside], minlength=sites)
    who = np.flatnonzero(mine)
    cost = running_gbp_pa(place) + np.bincount(
        plan.host[who], weights=hosting_gbp_pa(place, who, plan.host[who]), minlength=sites
    )
    used = own > 0
    least = 100 * float((cost[used] * own[used] / (own[used] + others[used])).sum())
    if scenario.money.split != "floor-area":
        least = 0.0  # a lead agency may pay all, or nothing
    most = _bill_today(measured, agency) - least
    if rule.measured == "running-cost":
        return most
    moves, releases = annual_equivalent_pence(place, scenario, who, plan.host[who])
    title = _held(measured, agency)
    return max(most, 0.0) - float(np.minimum(moves, 10**12).sum()) + float(np.maximum(-releases[title], 0).sum())


def _held(measured: Measured, agency: str) -> Bools:
    """(J,) the buildings whose sale an agency has a share in: its own, and as its member all that a vehicle holds."""
    place, scenario = measured.place, measured.scenario
    title = place.sites["agency"].astype(str).to_numpy()
    held: Bools = (title == agency) | (place.keeper == agency)
    if agency in members(place, scenario):
        held |= title == holds_titles(scenario)
    return held


def _bill_today(measured: Measured, agency: str) -> int:
    """Pence a year that an agency bears of today's estate."""
    place = measured.place
    before = ledger(place, measured.scenario, place.today).before
    at = place.agencies.index.get_loc(agency)
    return int(before.loc[before["agency"] == at, "pence"].sum())


def _holds(problem: Problem, plan: Solution | None) -> bool:
    return plan is not None and not violations(problem, plan)


def _with_row(problem: Problem, chosen: Ints, other: Ints, is_open: Ints, closed: Ints) -> Problem:
    """One row more: at least one of these decisions is different."""
    J, side = problem.n_sites, problem.side
    column = np.concatenate([J + chosen, J + other, is_open, closed])
    value = np.concatenate([-np.ones(len(chosen)), np.ones(len(other)), -np.ones(len(is_open)), np.ones(len(closed))])
    row = SideRows(
        (*side.name, "no agency worse off"),
        np.append(side.lower, 1.0 - len(chosen) - len(is_open)),
        np.append(side.upper, np.inf),
        np.append(side.start, side.start[-1] + len(column)).astype(np.int64),
        np.concatenate([side.column, column]).astype(np.int64),
        np.concatenate([side.value, value]),
    )
    return replace(problem, side=row)
