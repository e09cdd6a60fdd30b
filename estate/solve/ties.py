"""One answer: plans of equal value are told apart, exactly, in a fixed order of preference.

Where the search has proven its value to the penny, the plans that share it are compared by

1. cost (where the goal is something else), and running cost (where the cost is something else);
2. net one-off cost: of the sites let go, and of the points hosted away from home;
3. the number of points hosted away from home: without it, equal buildings swap their counters across a county;
4. how far those go, weighted by how much goes;
5. person-metres from home to the nearest site, over all near rows;
6. the order of ids: the plan whose list of hosts comes first, then whose list of open sites does.

Each step is a lexicographic one (Ehrgott 2005, Multicriteria Optimization, ch. 5): optimise the next measure while
the earlier ones are held at their optimum.  One solve tells whether there is a second plan at all.  Before the two dear steps,
distance and order, :func:`moving` tells which points and sites differ between *any* two plans still tied, and all others are
fixed: what is left is small, however large the problem.  To ask it sooner costs more than it saves: Warwickshire
cut from open lists, reach 5 miles, was not settled after 120 s when it was asked first, and is after 26.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from estate.model import Formulation, Measure, formulate, measure
from estate.problem import Bools, Goal, Ints, Problem, Solution
from estate.solve import through_pulp
from estate.solve.answer import Answer
from estate.solve.reduce.narrow import fix
from estate.solve.through_pulp import PulpRun
from estate.solve.watch import Watch
from estate.solve.whole import checked

SIGN = {Measure.COVERED: -1}
"""Measures of which more is better."""
WIDEST_RADIX = 1_000_000
"""Points are ordered in groups, as the digits of one number below this: well inside a solver's precision."""


class Door(Protocol):
    """What solves a step: :func:`estate.solve.through_pulp.run`, or something quicker for small ones."""

    def __call__(self, f: Formulation, watch: Watch, *, start: Solution | None, another: bool) -> PulpRun:
        """The best plan of a formulation; with ``another``, the first that is better than ``start`` will do."""


class _Halted(Exception):
    """The clock or the user ended the tie-break, or a solver could not finish a step."""


class Disproved(Exception):
    """A plan better than the one that was proven best: the proof was false."""

    def __init__(self, plan: Solution) -> None:
        super().__init__("a better plan than the best")
        self.plan = plan


@dataclass(slots=True)
class _Tied:
    """The plans still equal: the problem, what is held at its optimum, and the best plan so far."""

    problem: Problem
    watch: Watch
    plan: Solution
    held: dict[Measure, int]
    within: int | None
    door: Door

    def formulation(self, what: Measure | None, prefer: tuple[Ints, Ints] | None = None) -> Formulation:
        return formulate(self.problem, what, at_most=self.held, within=self.within, prefer=prefer)

    def best(self, f: Formulation, *, another: bool = False) -> Solution:
        """The plan that minimises ``f``, starting from the plan in hand; with ``another``, the first one that is better."""
        if self.watch.halted() or self.watch.looked_enough():
            raise _Halted
        outcome = self.door(f, self.watch, start=self.plan, another=another)
        # HiGHS interrupts itself for one reason only that is no limit: another plan was asked for, and there is one.
        there_is = another and outcome.ended == "interrupt" and not (self.watch.halted() or self.watch.looked_enough())
        if outcome.ended != "proven" and not there_is:
            raise _Halted
        found = checked(self.problem, outcome.solution)
        if found is None or not self.keeps(found):  # a held row stretched by the solver's tolerance proves nothing
            raise _Halted
        goal = self.problem.goal
        if goal is not Goal.FARTHEST and self._worth(found, Measure(goal)) < self._held(Measure(goal)):
            raise Disproved(found)
        return found

    def keeps(self, plan: Solution) -> bool:
        """Whether a plan is as good as what is held, in whole numbers."""
        return all(self._worth(plan, what) <= self._held(what) for what in self.held)

    def _worth(self, plan: Solution, what: Measure) -> int:
        """A measure of a plan, less being better."""
        return SIGN.get(what, 1) * measure(self.problem, plan, what)

    def _held(self, what: Measure) -> int:
        return SIGN.get(what, 1) * self.held[what]


def settle(
    problem: Problem,
    answer: Answer,
    watch: Watch,
    *,
    narrow: Callable[[Problem, int], Problem] | None = None,
    door: Door = through_pulp.run,
) -> Answer:
    """The answer with its ties broken; unchanged where none was asked for (``site_one_off`` is None) or nothing is proven.

    ``narrow(problem, value)`` may return the problem with decisions fixed that no plan of that value or better can have
    otherwise.  When time is up or the user stops, ``settled`` and ``repeatable`` are False and the plan is the best of
    those compared.
    """
    if problem.site_one_off is None:
        return replace(answer, settled=True)
    if answer.solution is None or answer.value is None or answer.stopped != "proven" or answer.gap != 0.0:
        return replace(answer, settled=answer.status == "infeasible")
    watch.phase = "ties"
    farthest = problem.goal is Goal.FARTHEST
    tied = _Tied(
        problem if narrow is None or watch.halted() else narrow(problem, answer.value),
        watch,
        answer.solution,
        {} if farthest else {Measure(problem.goal): answer.value},
        answer.value if farthest else None,
        door,
    )
    try:
        if not alone(tied):
            by_measures(tied)
            if several(tied):
                by_order(tied)
    except _Halted:
        pass
    except KeyboardInterrupt:  # between two solves; the proven plan is not lost to it
        if watch.stop.is_set():
            raise
        watch.stop.set()
    else:
        return replace(answer, solution=tied.plan, settled=True, seconds=watch.seconds())
    return replace(answer, solution=tied.plan, settled=False, repeatable=False, seconds=watch.seconds())


def by_measures(tied: _Tied) -> None:
    """Optimise the measures in turn, each held from then on."""
    p = tied.problem
    told = [
        Measure.COST,
        *([Measure.RUNNING] if p.site_running is not None else []),
        Measure.ONE_OFF,
        Measure.MOVES,
        *([Measure.APART] if p.pair_apart is not None else []),
    ]
    for what in told:
        hold(tied, what)
    if len(p.near) and Measure.TRAVEL not in tied.held and several(tied):
        hold(tied, Measure.TRAVEL)


def hold(tied: _Tied, what: Measure) -> None:
    """Optimise one measure, and hold it."""
    if what not in tied.held:
        tied.plan = tied.best(tied.formulation(what))
        tied.held[what] = measure(tied.problem, tied.plan, what)


def alone(tied: _Tied) -> bool:
    """Whether the plan in hand is the only one; the first other plan ends the search for one."""
    none = np.zeros(tied.problem.n_points, dtype=bool), np.zeros(tied.problem.n_sites, dtype=bool)
    other = tied.best(unlike(tied, *none), another=True)
    return bool((other.host == tied.plan.host).all() and (other.open == tied.plan.open).all())


def least_like(tied: _Tied, points: Bools, sites: Bools) -> Solution:
    """The tied plan least like the one in hand, the marked points (S,) and sites (J,) not counted."""
    return tied.best(unlike(tied, points, sites))


def unlike(tied: _Tied, points: Bools, sites: Bools) -> Formulation:
    """The search for it."""
    problem, plan = tied.problem, tied.plan
    chosen = plan.host[problem.pair_point] == problem.pair_site
    alike = np.where(plan.open, 1, -1) * ~sites
    return tied.formulation(None, (alike, (chosen & ~points[problem.pair_point]).astype(np.int64)))


def several(tied: _Tied) -> bool:
    """Whether a second plan is left; if so, everything that is the same in all of them is fixed in ``tied.problem``."""
    points, sites = moving(tied)
    if points.any() or sites.any():
        tied.problem = fix(tied.problem, tied.plan, points=~points, sites=~sites)
        return True
    return False


def moving(tied: _Tied) -> tuple[Bools, Bools]:
    """The points (S,) and sites (J,) that differ between some two of the tied plans.

    The plan least like the one in hand, counting only what has not been seen to move: when it is no different there,
    nothing else moves in any tied plan.
    """
    plan = tied.plan
    points, sites = np.zeros(tied.problem.n_points, dtype=bool), np.zeros(tied.problem.n_sites, dtype=bool)
    while True:
        other = least_like(tied, points, sites)
        new_points, new_sites = (other.host != plan.host) & ~points, (other.open != plan.open) & ~sites
        if not new_points.any() and not new_sites.any():
            return points, sites
        points |= new_points
        sites |= new_sites


def by_order(tied: _Tied) -> None:
    """The plan whose hosts, in the order of points, come first in the order of sites; then whose open sites do.

    A group of points is one number, its digits the ranks of their hosts; once least, the group is fixed.
    """
    n_points, n_sites = tied.problem.n_points, tied.problem.n_sites
    none = np.zeros(n_sites, dtype=np.int64)
    choices = np.bincount(tied.problem.pair_point, minlength=n_points)
    for group in groups(choices):
        problem = tied.problem
        digit = np.zeros(n_points, dtype=np.int64)
        digit[group] = place_values(choices[group])
        rank = np.arange(problem.n_pairs) - np.searchsorted(problem.pair_point, problem.pair_point)
        tied.plan = tied.best(tied.formulation(None, (none, rank * digit[problem.pair_point])))
        tied.problem = fix(problem, tied.plan, points=digit > 0, sites=none > 0)
    states = np.where(tied.problem.must_open | tied.problem.must_close, 1, 2)
    for group in groups(states):
        problem = tied.problem
        weight = none.copy()
        weight[group] = place_values(states[group])
        tied.plan = tied.best(tied.formulation(None, (weight, np.zeros(problem.n_pairs, dtype=np.int64))))
        tied.problem = fix(problem, tied.plan, points=np.zeros(n_points, dtype=bool), sites=weight > 0)


def groups(radix: Ints) -> list[Ints]:
    """The digits with a choice (radix above 1), in order, cut so that each group's number stays below the widest."""
    cuts: list[list[int]] = []
    width = WIDEST_RADIX + 1
    for digit in np.flatnonzero(radix > 1).tolist():
        width *= int(radix[digit])
        if width > WIDEST_RADIX:
            cuts.append([])
            width = int(radix[digit])
        cuts[-1].append(digit)
    return [np.array(cut, dtype=np.int64) for cut in cuts]


def place_values(radix: Ints) -> Ints:
    """What each digit of a mixed-radix number is worth, the first digit most."""
    return np.append(np.cumprod(radix[:0:-1])[::-1], 1).astype(np.int64)
