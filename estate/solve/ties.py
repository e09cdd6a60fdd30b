"""One answer: plans of equal value are told apart, exactly, in a fixed order of preference.

Where the search has proven its value to the penny, the plans that share it are compared by

1. running cost (where the goal is something else);
2. net one-off cost: of the sites let go, and of the points hosted away from home;
3. person-metres from home to the nearest site, over all near rows;
4. the order of ids: the plan whose list of hosts comes first, then whose list of open sites does.

Each step is a lexicographic one (Ehrgott 2005, Multicriteria Optimization, ch. 5): optimise the next measure while
the earlier ones are held at their optimum.  Four devices keep the steps short.  The plan is first improved with the
set of open sites fixed, which is nearly free and gives the full step its start.  Each step starts from the last one's
plan.  The last order is only gone through after one solve has found that a second plan is left at all.  And a caller
that has bounds of its own can narrow the problem first (``narrow``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from estate.model import Formulation, Measure, formulate, measure
from estate.problem import Goal, Ints, Problem, Solution
from estate.solve.answer import Answer
from estate.solve.exact import Watch, checked, run

WIDEST_RADIX = 1_000_000
"""Points are ordered in groups, as the digits of one number below this: well inside a solver's precision."""


class _Halted(Exception):
    """The clock or the user ended the tie-break."""


@dataclass(slots=True)
class _Tied:
    """The plans still equal: the problem, what is held at its optimum, and the best plan so far."""

    problem: Problem
    watch: Watch
    plan: Solution
    held: dict[Measure, int]
    within: int | None

    def formulation(self, what: Measure | None, prefer: tuple[Ints, Ints] | None = None) -> Formulation:
        return formulate(self.problem, what, at_most=self.held, within=self.within, prefer=prefer)

    def best(self, f: Formulation) -> Solution:
        """The plan that minimises ``f``, starting from the plan in hand."""
        if self.watch.halted():
            raise _Halted
        outcome = run(f, self.watch, start=self.plan)
        if outcome.ended != "proven" or outcome.solution is None:
            raise _Halted
        found = checked(self.problem, outcome.solution)
        if found is None or not self.keeps(found):  # a held row stretched by the solver's tolerance proves nothing
            raise _Halted
        return found

    def keeps(self, plan: Solution) -> bool:
        """Whether a plan is as good as what is held, in whole numbers."""
        sign = {Measure.COVERED: -1}
        return all(
            sign.get(what, 1) * measure(self.problem, plan, what) <= sign.get(what, 1) * value
            for what, value in self.held.items()
        )


def settle(
    problem: Problem, answer: Answer, watch: Watch, *, narrow: Callable[[Problem, int], Problem] | None = None
) -> Answer:
    """The answer with its ties broken; unchanged where none was asked for (``site_one_off`` is None) or nothing is proven.

    ``narrow(problem, value)`` may return the problem with sites fixed open or closed that no plan of that value or
    better can have otherwise.  When time is up or the user stops, ``settled`` and ``repeatable`` are False and the plan
    is the best of those compared.
    """
    if problem.site_one_off is None:
        return replace(answer, settled=True)
    if answer.solution is None or answer.value is None or answer.stopped != "proven" or answer.gap != 0.0:
        return answer
    watch.phase = "ties"
    measures = [Measure.COST, Measure.ONE_OFF, *([Measure.TRAVEL] if len(problem.near) else [])]
    held: dict[Measure, int] = {}
    if problem.goal is not Goal.FARTHEST:
        held[Measure(problem.goal)] = answer.value
    tied = _Tied(
        problem if narrow is None else narrow(problem, answer.value),
        watch,
        answer.solution,
        held,
        answer.value if problem.goal is Goal.FARTHEST else None,
    )
    try:
        by_measures(tied, [what for what in measures if what not in held])
        if not alone(tied):
            by_order(tied)
    except _Halted:
        return replace(answer, solution=tied.plan, repeatable=False, seconds=watch.seconds())
    return replace(answer, solution=tied.plan, settled=True, seconds=watch.seconds())


def by_measures(tied: _Tied, measures: list[Measure]) -> None:
    """Optimise each measure in turn, holding the earlier ones; first with the open sites as they are."""
    whole, held = tied.problem, dict(tied.held)
    tied.problem = replace(whole, must_open=tied.plan.open, must_close=~tied.plan.open)
    for problem in (tied.problem, whole):
        tied.problem, tied.held = problem, dict(held)
        for what in measures:
            tied.plan = tied.best(tied.formulation(what))
            tied.held[what] = measure(whole, tied.plan, what)


def alone(tied: _Tied) -> bool:
    """Whether no other plan is left: the one least like the plan in hand is the plan itself."""
    problem, plan = tied.problem, tied.plan
    chosen = (plan.host[problem.pair_point] == problem.pair_site).astype(np.int64)
    other = tied.best(tied.formulation(None, (np.where(plan.open, 1, -1).astype(np.int64), chosen)))
    return bool(np.array_equal(other.open, plan.open) and np.array_equal(other.host, plan.host))


def by_order(tied: _Tied) -> None:
    """The plan whose hosts, in the order of points, come first in the order of sites; then whose open sites do.

    A group of points is one number, its digits the ranks of the hosts; once least, the group is fixed.  A point that
    is at its first candidate already cannot come earlier, and costs nothing.
    """
    problem = tied.problem
    P = problem.n_pairs
    first = np.searchsorted(problem.pair_point, np.arange(problem.n_points))
    rank = np.arange(P) - first[problem.pair_point]
    choices = np.diff(np.append(first, P))
    fixed = np.full(problem.n_points, False)
    point = 0
    none = np.zeros(problem.n_sites, dtype=np.int64)
    while point < problem.n_points:
        weight, radix = np.zeros(P, dtype=np.int64), 1
        group = []
        while point < problem.n_points and radix * choices[point] <= WIDEST_RADIX:
            radix *= int(choices[point])
            group.append(point)
            point += 1
        scale = radix
        for s in group:
            scale //= int(choices[s])
            mine = slice(first[s], first[s] + choices[s])
            weight[mine] = rank[mine] * scale
        if any(tied.plan.host[s] != problem.pair_site[first[s]] for s in group):
            tied.plan = tied.best(_fix(tied.formulation(None, (none, weight)), tied.plan, fixed))
        fixed[group] = True
    sites = np.arange(problem.n_sites)
    digits = 20  # 2 ** 20 is about WIDEST_RADIX
    for begin in range(0, problem.n_sites, digits):
        block = sites[begin : begin + digits]
        if not tied.plan.open[block].any():
            continue
        weight = np.zeros(problem.n_sites, dtype=np.int64)
        weight[block] = 1 << np.arange(len(block))[::-1]
        f = _fix(tied.formulation(None, (weight, np.zeros(P, dtype=np.int64))), tied.plan, fixed)
        f.blocks[0].lower[:begin] = f.blocks[0].upper[:begin] = tied.plan.open[:begin]
        tied.plan = tied.best(f)


def _fix(f: Formulation, plan: Solution, points: np.ndarray) -> Formulation:
    """Hold the marked points where the plan hosts them."""
    problem = f.problem
    mine = points[problem.pair_point]
    chosen = plan.host[problem.pair_point] == problem.pair_site
    host = f.blocks[1]
    host.lower[mine] = host.upper[mine] = chosen[mine]
    return f
