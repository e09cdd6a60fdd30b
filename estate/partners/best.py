"""The best plan of a group, and the group that gains most by leaving: each with a proven interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.errors import SolverError
from estate.model import Measure, formulate
from estate.model.arrays import MONEY, arrays
from estate.partners.game import Game, members, programme, restricted
from estate.problem import Bools, Floats, Ints, Problem, Solution, cost, step, violations
from estate.solve import choose, highs, reduce
from estate.solve.answer import Limits
from estate.solve.watch import NEVER, Clock, Watch

NEAR_ENOUGH_PENCE = 25.0
"""How near the largest excess is looked for: splits are in pence, and nobody leaves for less than a pound."""
TOLLS, NEAR = 0.4, 0.1
"""Shares of the least difference between plans: what few moves may count for in all, and how near an optimum is looked for."""
LARGE = 4_000
"""Choices beyond which a group's worth is looked for by the search for large problems."""
LARGE_WORK = 200
"""How much work that may take where there is no clock, in the search's own count."""
FAR = 10**15
"""Pence that are more than any estate costs: a bound where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """What a group saves a year: the plan in hand saves ``low`` pence, and no plan of theirs more than ``high``."""

    plan: Solution
    low: int
    high: int
    needed: Bools
    """(n,) the players without whom the plan cannot be: the others of the group bring it nothing."""

    @property
    def exact(self) -> bool:
        """Nothing is left open."""
        return self.low == self.high


@dataclass(frozen=True, slots=True, eq=False)
class Excess:
    """The group that would gain most a year by leaving a split, with the plan it would have.

    ``pence`` is what this group gains (below nothing: loses); no group gains more than ``most_pence``.
    """

    group: Bools
    plan: Solution
    saved: int
    """Pence a year that the plan saves."""
    pence: int
    most_pence: int


def worth(game: Game, group: Bools, *, start: Solution | None = None, clock: Clock = NEVER) -> Worth:
    """What a group (n,) saves by itself; of its best plans one with few moves, so that few are needed for it."""
    problem = restricted(game, group)
    today = cost(problem, game.today)
    if problem.n_pairs > LARGE:
        return _worth_of_large(game, problem, clock)
    found = _least(problem, today, start or game.today, clock, few_moves=True)
    if found is None:
        raise SolverError("HiGHS found no plan, and today's estate is one")
    low = game.saving(found.plan)
    high = max(low, today - found.bound)
    return Worth(found.plan, low, high, game.needed(found.plan))


def _worth_of_large(game: Game, problem: Problem, clock: Clock) -> Worth:
    """By the search that suits a large problem, in the time there is."""
    found = _searched(problem, clock)
    low = game.saving(found.plan)
    high = FAR if found.bound is None else cost(problem, game.today) - found.bound
    return Worth(found.plan, low, max(low, high), game.needed(found.plan))


@dataclass(frozen=True, slots=True, eq=False)
class _Searched:
    plan: Solution
    bound: int | None
    """Pence that no plan costs less than, where that is known."""


def _searched(problem: Problem, clock: Clock) -> _Searched:
    """A problem with a plan to begin with, by :mod:`estate.solve.choose`, in the time there is."""
    limits = Limits(time_s=clock.left(), work=None if clock.until is not None else LARGE_WORK)
    found = choose.way(problem, limits).search(problem, Watch(limits))
    if found.solution is None or found.value is None:
        raise SolverError(f"the search ended ({found.stopped}) without a plan, and there is one to begin with")
    return _Searched(found.solution, None if found.bound is None else int(np.ceil(found.bound - 1e-6)))


def largest_excess(
    game: Game, split: Ints, *, among: Bools | None = None, outside: Ints | None = None, clock: Clock = NEVER
) -> Excess | None:
    """The group, neither empty nor the whole, with the largest excess over a split (n,) of pence; None where there is none.

    ``among`` and ``outside`` limit the groups that are looked at (:func:`~estate.partners.game.programme`).
    """
    problem = programme(game, split, among=among, outside=outside)
    today = cost(game.problem, game.today)
    begin = _to_begin_with(game, split, outside)
    found = (_least if problem.n_pairs <= LARGE else _least_of_large)(problem, today, begin, clock)
    if found is None:
        return None
    J = game.problem.n_sites
    plan = Solution(found.plan.open[:J], found.plan.host)
    group = members(game, found.plan)
    bare = group & (game.needed(plan) | (split < 0))  # whom the plan does without, and who is given something, stays
    inside = outside is not None and not (outside @ bare).any()
    group = bare if bare.any() and not inside else group
    saved = game.saving(plan)
    pence = saved - int(split[group].sum())
    return Excess(group, plan, saved, pence, max(pence, today - found.bound))


def _least_of_large(problem: Problem, origin: int, begin: Solution, clock: Clock) -> _Found | None:
    """By the search that suits a large problem, from what may be begun with, if that is a plan at all."""
    if violations(problem, begin):
        return _least(problem, origin, None, clock)
    found = _searched(replace(problem, today=begin), clock)
    return _Found(found.plan, -FAR if found.bound is None else found.bound)


def _to_begin_with(game: Game, split: Ints, outside: Ints | None) -> Solution:
    """Today's estate, and in the group one player only: of those that may be alone in it who is given least."""
    one = np.eye(game.n, dtype=bool)
    signed = np.zeros((0, game.n), dtype=np.int64) if outside is None else np.vstack([outside, -outside])
    may = np.ones(game.n, dtype=bool) if outside is None else outside.any(axis=0)
    alone = one[int(np.argmin(np.where(may, split, split.max() + 1)))]
    return Solution(np.concatenate([game.today.open, alone, signed @ alone > 0]), game.today.host)


def relaxed(game: Game, together: int) -> tuple[Floats, float]:
    """The split (n,) of ``together`` pence that is best when plans may be in fractions, and what no group gains over it.

    With fractions allowed, what a group saves is a concave function ``v`` of how much each player is in it, and never less than
    what it is.  The least of its largest excess over all splits of ``V`` is, the two turned round, the largest that
    ``v(t, ..., t) - t V`` is for one ``t``: a single linear programme in which all are in to the same extent, whose prices for
    that are the split.  The core is not empty where that is nothing (Bondareva 1963; Shapley 1967; Goemans and Skutella 2004).
    """
    problem = programme(game, np.zeros(game.n, dtype=np.int64))
    small = reduce.tighten(problem).problem
    f = formulate(small, Measure.COST)
    given, n, J = arrays(f), game.n, game.problem.n_sites
    columns = len(given.cost)  # and t is one more
    alike = np.column_stack([J + np.arange(n), np.full(n, columns)])
    lower, upper = np.append(given.lower, 0.0), np.append(given.upper, 1.0)
    lower[J : J + n], upper[J : J + n] = 0.0, 1.0  # whoever a reduction has in or out is in to the same extent
    answer = highs.continuous(
        replace(
            given,
            cost=np.append(given.cost * f.unit, together) * MONEY,
            lower=lower,
            upper=upper,
            integer=np.zeros(columns + 1, dtype=bool),
            row_lower=np.append(given.row_lower, np.zeros(n)),
            row_upper=np.append(given.row_upper, np.zeros(n)),
            start=np.concatenate([given.start, given.start[-1] + 2 * np.arange(1, n + 1)]),
            index=np.concatenate([given.index, alike.ravel()]),
            value=np.concatenate([given.value, np.tile([1.0, -1.0], n)]),
        )
    )
    if answer is None:
        raise SolverError("HiGHS says that there is no plan, and today's estate is one")
    values, prices = answer
    money = float(given.cost @ values[:columns]) * f.unit + together * float(values[columns])
    split = -prices[-n:] / MONEY
    split += (together - split.sum()) / n  # what rounding left
    return split, cost(game.problem, game.today) - money + NEAR_ENOUGH_PENCE


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    plan: Solution
    bound: int
    """Pence that no plan costs less than."""


def _least(problem: Problem, origin: int, start: Solution | None, clock: Clock, *, few_moves: bool = False) -> _Found | None:
    """The plan of least cost and a bound, by HiGHS on the reduced arrays; None where there is no plan.

    ``origin`` (pence) is where costs are counted from, so that the solver's figures are savings and not budgets.  ``few_moves``
    adds to each move less than plans can differ by, all told: the least cost stays the least.
    """
    small = reduce.tighten(problem).problem
    f = formulate(small, Measure.COST)
    given, unit = arrays(f), step(problem)
    money = given.cost * f.unit
    tolls, near = 0.0, max(TOLLS * unit, NEAR_ENOUGH_PENCE)
    if few_moves:
        tolls, near = TOLLS * unit, NEAR * unit
        away = small.pair_site != small.point_home[small.pair_point]
        money[small.n_sites + np.flatnonzero(away)] += tolls / max(small.n_points, 1)
    begin = None if start is None or violations(small, start) else f.values(start)
    wanted = replace(given, cost=money * MONEY, offset=-origin * MONEY)
    run = highs.run(wanted, clock=clock, start=begin, options={"mip_abs_gap": near * MONEY})
    if run.ended == "infeasible" and begin is None:
        return None
    plan = f.solution(run.x) if run.x is not None else None if begin is None else start
    if plan is None or run.ended == "infeasible":
        raise SolverError(f"HiGHS ended ({run.ended}) without a plan, and there is one")
    if broken := violations(problem, plan):
        raise SolverError(f"HiGHS returned a plan that breaks rules: {', '.join(broken)}")
    value = cost(problem, plan)
    bound = run.bound / MONEY + origin
    if run.ended == "proven":
        bound = max(bound, float(value) - near)
    # Every plan costs a whole number of units.
    least = -FAR if not np.isfinite(bound) else int(np.ceil((bound - tolls) / unit - 1e-9)) * unit
    return _Found(plan, min(value, least))
