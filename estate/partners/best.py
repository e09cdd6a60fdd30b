"""The best plan of a group, and the group that gains most by leaving: each with a proven interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.errors import SolverError
from estate.model import Measure, formulate
from estate.model.arrays import MONEY, arrays
from estate.partners.game import WHOLE, Game, members, programme, restricted
from estate.problem import Bools, Floats, Ints, Problem, SideRows, Solution, cost, step, violations
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
    """By the search that suits a large problem (:mod:`estate.solve.choose`), in the time there is."""
    limits = Limits(time_s=clock.left(), work=None if clock.until is not None else LARGE_WORK)
    found = choose.way(problem, limits).search(problem, Watch(limits))
    if found.solution is None or found.value is None:
        raise SolverError(f"the search ended ({found.stopped}) without a plan, and today's estate is one")
    low = game.saving(found.solution)
    least = found.value if found.bound is None else found.bound
    high = FAR if found.bound is None else cost(problem, game.today) - int(np.ceil(least - 1e-6))
    return Worth(found.solution, low, max(low, high), game.needed(found.solution))


def largest_excess(
    game: Game, split: Ints, *, among: Bools | None = None, outside: Ints | None = None, clock: Clock = NEVER
) -> Excess | None:
    """The group, neither empty nor the whole, with the largest excess over a split (n,) of pence; None where there is none.

    ``among`` and ``outside`` limit the groups that are looked at (:func:`~estate.partners.game.programme`).
    """
    problem = programme(game, split, among=among, outside=outside)
    today = cost(game.problem, game.today)
    found = _least(problem, today, _to_begin_with(game, split, outside), clock, few_moves=False)
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


def _to_begin_with(game: Game, split: Ints, outside: Ints | None) -> Solution:
    """Today's estate, and in the group one player only: of those that may be alone in it who is given least."""
    one = np.eye(game.n, dtype=bool)
    signed = np.zeros((0, game.n), dtype=np.int64) if outside is None else np.vstack([outside, -outside])
    may = np.ones(game.n, dtype=bool) if outside is None else outside.any(axis=0)
    alone = one[int(np.argmin(np.where(may, split, split.max() + 1)))]
    return Solution(np.concatenate([game.today.open, alone, signed @ alone > 0]), game.today.host)


def relaxed(game: Game, together: int) -> tuple[Floats, float]:
    """A split (n,) of ``together`` pence out of prices, and what no group can gain by leaving it more than.

    With fractions allowed, what a group saves is a concave function of who is in it; the prices ``x`` of being in it at
    everybody are a slope there, so ``v(S) <= v_lp(N) - x(N less S)``.  Brought to ``together``, no group gains more than about
    what fractions save beyond it: Goemans and Skutella (2004), for whom the core is not empty exactly when that is nothing.
    """
    problem = programme(game, np.zeros(game.n, dtype=np.int64))
    free = replace(problem.side, upper=np.where(_sizes(problem.side), np.inf, problem.side.upper))
    small = reduce.tighten(replace(problem, side=free)).problem
    f = formulate(small, Measure.COST)
    given = arrays(f)
    money = given.cost * f.unit * MONEY
    answer = highs.continuous(replace(given, cost=money))
    if answer is None:
        raise SolverError("HiGHS says that there is no plan, and today's estate is one")
    row = np.repeat(np.arange(len(given.row_lower)), np.diff(given.start))
    price = money.copy()
    np.subtract.at(price, given.index, given.value * answer[1][row])
    J = game.problem.n_sites
    split = np.maximum(-price[J : J + game.n], 0.0) / MONEY
    most = cost(game.problem, game.today) - float(money @ answer[0]) / MONEY
    whole = float(split.sum())
    if whole > together:
        return split * together / whole, most - together + NEAR_ENOUGH_PENCE
    return split + (together - whole) / game.n, most - whole + NEAR_ENOUGH_PENCE


def _sizes(side: SideRows) -> Bools:
    """Which rows keep the whole group out."""
    return np.array([name == WHOLE for name in side.name], dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    plan: Solution
    bound: int
    """Pence that no plan costs less than."""


def _least(problem: Problem, origin: int, start: Solution | None, clock: Clock, *, few_moves: bool) -> _Found | None:
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
