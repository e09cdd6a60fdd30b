"""The programme in arrays: the states of all years as one mixed-integer programme, and its proof.

A *step* is a point that leaves home for another building, a building in use that is let go, or one not in use that is opened.
``begun_t`` is 1 from the period in which a step is taken, and never falls::

    maximise  sum_t value_t (begun_t - begun_t-1)
    every row of the problem, in every period                             what a period leaves is a plan
    0 <= begun_t - begun_t-1 <= may_t                                     taken once, when it may be
    sum of moves begun in t <= most                                       so many a year
    begun(then)_t <= begun(first)_t-1                                     one thing waits for another
    sum_t spent_t (begun_t - begun_t-1) + money <= at hand                for every purse, kind of money and year

``begun`` of a move is its ``host`` column and of a building let go ``1 - open``, so no column is added for a step.

**What the years between need not ask.**  A row whose terms all rise with the programme, or all fall, holds in every period where
it holds today and in the last: of the years between only rows are kept that a part of a programme can break.  A row that today's
estate breaks (a count of buildings, a strict standard) may be broken until the last period as far as today does, never farther.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estate.errors import SolverError
from estate.model import Formulation, Rows, formulate
from estate.model.arrays import MONEY, arrays
from estate.problem import Bools, Floats, Ints, Problem, Solution
from estate.solve import highs
from estate.solve.answer import OPTIMAL_GAP, Status
from estate.solve.watch import NEVER, Clock


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What steps have cost a purse by the end of a year is at most what it has at hand; pence.

    ``pair`` (P, T) and ``site`` (J, T) are what each step adds when it is taken in each period, receipts below nothing;
    ``money`` what each column of :attr:`Orders.sums` adds for each of its pence.
    """

    name: str
    pair: Ints
    site: Ints
    at_hand: int
    money: tuple[tuple[int, float], ...] = ()
    purse: str = ""
    kind: str = ""
    year: int = 0
    """Whose, of which kind of money, and by the end of which year after the base year."""


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Everything that decides a programme; ``P`` host pairs, ``J`` sites, ``T`` periods.

    ``problem.today`` is where it starts.  A point's pair at home, which the last period may forbid, is always among the pairs.
    """

    problem: Problem
    pair_value: Ints
    """(P, T) pence gained by moving in each period, against staying at home."""
    site_value: Ints
    """(J, T) pence gained by letting go, or opening, in each period."""
    pair_may: Bools
    """(P, T) whether the move may be made in the period."""
    site_may: Bools
    site_open: Bools
    """(J, T) whether the building may be open in the period."""
    pair_last: Bools
    """(P,) whether the pair may stand at the end."""
    site_last: Bools
    """(J,) whether the building must be open at the end; ``problem.must_open`` says which are open all the time."""
    lines: tuple[Line, ...] = ()
    sums: tuple[int, ...] = ()
    """The most, in pence, of each sum of money that is free to be chosen: transfers and loans."""
    sum_price: tuple[int, ...] = ()
    """What each pence of each of them takes from the value, where that is not nothing."""
    most_moves: int | None = None
    before: tuple[tuple[tuple[bool, int], tuple[bool, int]], ...] = ()
    """(first, then): each whether it is a building, and its site or point."""

    @property
    def periods(self) -> int:
        """T."""
        return int(self.pair_value.shape[1])

    @property
    def today(self) -> Solution:
        """Where the programme starts."""
        if self.problem.today is None:
            raise ValueError("a programme starts from today's estate")
        return self.problem.today


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A programme decided, with its proof."""

    status: Status
    open: Bools
    """(T, J) the buildings open from each period on."""
    host: Ints
    """(T, S) the site of each point from each period on."""
    sums: Floats
    """Pence of each of :attr:`Orders.sums`."""
    value: int
    """Pence, worked out again from the steps."""
    bound: float
    gap: float
    stopped: str = "proven"
    """Why the search ended: ``proven``, ``gap``, ``time`` or ``interrupt``."""

    def state(self, period: int) -> Solution:
        """The plan that stands from a period on."""
        return Solution(self.open[period], self.host[period])


# ------------------------------------------------------------------------------------------------------ steps


def began(orders: Orders, course: Course) -> tuple[Ints, Ints]:
    """(P,) and (J,) the period in which each step is taken, or -1; a pair at home takes none."""
    problem, today = orders.problem, orders.today
    there = course.host[:, problem.pair_point] == problem.pair_site
    away = problem.pair_site != problem.point_home[problem.pair_point]
    changed = course.open != today.open
    return (
        np.where(there.any(axis=0) & away, there.argmax(axis=0), -1),
        np.where(changed.any(axis=0), changed.argmax(axis=0), -1),
    )


def total(by_pair: Ints, by_site: Ints, pair: Ints, site: Ints) -> int:
    """The sum over the steps taken of (P, T) and (J, T) amounts; ``pair`` and ``site`` as :func:`began` gives them."""
    p, j = np.flatnonzero(pair >= 0), np.flatnonzero(site >= 0)
    return int(by_pair[p, pair[p]].sum() + by_site[j, site[j]].sum())


# ------------------------------------------------------------------------------------------------------ the programme


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Which column stands for each step in one period, and its sign: ``begun = sign x column + (sign < 0)``."""

    pair: Ints
    site: Ints
    sign: Ints
    size: int

    def terms(self, pair: Ints, site: Ints) -> tuple[Ints, Floats, float]:
        """Columns, weights and constant of ``sum_t (amount_t x (begun_t - begun_t-1))`` for (P, T) and (J, T) pence."""
        T = pair.shape[1]
        both = np.concatenate([pair[self.pair], site]) * MONEY
        drop = both - np.concatenate([both[:, 1:], np.zeros((len(both), 1))], axis=1)
        sign = np.concatenate([np.ones(len(self.pair)), self.sign])
        column = np.concatenate([len(self.sign) + self.pair, self.site])[:, None] + self.size * np.arange(T)[None, :]
        return column.ravel(), (drop * sign[:, None]).ravel(), float(both[sign < 0, 0].sum())


def build(orders: Orders, *, every_row: bool = False) -> tuple[Formulation, float]:
    """The whole as a formulation whose objective is *minus* the value in :data:`~estate.model.arrays.MONEY`, and its constant.

    With ``every_row``, every row is asked of every year, as one would write it down: what benchmarks compare with.
    """
    problem, today, T = orders.problem, orders.today, orders.periods
    base = formulate(problem, None)
    now = base.values(today)
    size, J, P = base.n_columns, problem.n_sites, problem.n_pairs
    away = np.flatnonzero(problem.pair_site != problem.point_home[problem.pair_point])
    steps = _Steps(away, np.arange(J), np.where(today.open, -1, 1), size)
    f = Formulation(problem)
    for t in range(T):
        for block in base.blocks:
            lower, upper = block.lower, block.upper
            if block.name == "open":
                upper = np.where(orders.site_open[:, t], upper, 0)
                lower = np.where(orders.site_last & (t == T - 1), 1, lower)
            if block.name == "host" and t == T - 1:
                upper = np.where(orders.pair_last, upper, 0)
            f.add_columns(f"{block.name}_{t}", upper, block.implied, lower=lower, integer=block.integer)
    none = np.zeros(len(orders.sums))
    sums = f.add_columns("money", np.array(orders.sums, dtype=np.float64) * MONEY, lambda _: none)
    direction = np.zeros(size)
    direction[:J] = steps.sign
    direction[J : J + P] = np.where(problem.pair_site == problem.point_home[problem.pair_point], -1, 1)
    for rows in base.rows:
        _repeat(f, rows, orders, (now, direction), every_row=every_row)
    _once(f, orders, steps)
    for line in orders.lines:
        column, weight, constant = steps.terms(line.pair, line.site)
        extra = np.array([sums[n] for n, _ in line.money], dtype=np.int64)
        column, weight = np.append(column, extra), np.append(weight, [each for _, each in line.money])
        keep = weight != 0
        row = np.zeros(int(keep.sum()), dtype=np.int64)
        f.add_rows("cash", row, column[keep], weight[keep], n=1, upper=line.at_hand * MONEY - constant)
    column, weight, constant = steps.terms(orders.pair_value, orders.site_value)
    f.objective = np.zeros(f.n_columns)
    np.add.at(f.objective, column, -weight)
    if orders.sum_price:
        f.objective[sums] += orders.sum_price
    return f, constant


def _repeat(f: Formulation, rows: Rows, orders: Orders, today: tuple[Floats, Floats], *, every_row: bool) -> None:
    """A family of rows in the last period, and those that a part of a programme can break in the periods between."""
    now, direction = today
    size = len(now)
    n, T = len(rows), orders.periods
    row = np.repeat(np.arange(n), np.diff(rows.start))
    tend = rows.value * direction[rows.column]
    rises = np.bincount(row, weights=tend <= 0, minlength=n) == 0
    falls = np.bincount(row, weights=tend >= 0, minlength=n) == 0
    between = np.ones(n, dtype=bool) if every_row else ~(rises | falls)
    lower, upper = rows.lower, rows.upper
    activity = np.bincount(row, weights=rows.value * now[rows.column], minlength=n)
    f.add_rows(rows.family, row, rows.column + (T - 1) * size, rows.value, n=n, lower=lower, upper=upper)
    number = np.cumsum(between) - 1
    entry = between[row]
    for t in range(T - 1):
        f.add_rows(
            rows.family, number[row[entry]], rows.column[entry] + t * size, rows.value[entry], n=int(between.sum()),
            lower=np.minimum(lower, activity)[between], upper=np.maximum(upper, activity)[between],
        )  # fmt: skip


def _once(f: Formulation, orders: Orders, steps: _Steps) -> None:
    """Steps are taken once and when they may be, so many a year, and one after another where one waits."""
    problem, T, J, size = orders.problem, orders.periods, orders.problem.n_sites, steps.size
    column = np.concatenate([J + steps.pair, steps.site])
    sign = np.concatenate([np.ones(len(steps.pair), dtype=np.int64), steps.sign])
    may = np.concatenate([orders.pair_may[steps.pair], orders.site_may]).astype(np.float64)
    was = (sign < 0).astype(np.float64)  # begun = sign x column + was, and nothing has begun before the first period
    n = len(column)
    for t in range(T):
        row, at, weight = np.arange(n), column + t * size, sign.astype(np.float64)
        low, high = np.zeros(n), may[:, t]
        if t:
            row, at, weight = np.tile(row, 2), np.append(at, at - size), np.append(weight, -weight)
        else:
            low, high = low - was, high - was
        f.add_rows("once", row, at, weight, n=n, lower=low, upper=high)
        if orders.most_moves is not None:
            moves = J + steps.pair + t * size
            both, signs = (moves, np.ones(len(moves))) if not t else (
                np.append(moves, moves - size), np.repeat([1.0, -1.0], len(moves)))  # fmt: skip
            none = np.zeros(len(both), dtype=np.int64)
            f.add_rows("most_moves", none, both, signs, n=1, upper=float(orders.most_moves))
    for first, then in orders.before:
        for t in range(T):
            a, wa, ca = _begun(problem, steps, then, t)
            b, wb, cb = _begun(problem, steps, first, t - 1) if t else (a[:0], wa[:0], 0.0)
            none = np.zeros(len(a) + len(b), dtype=np.int64)
            f.add_rows("before", none, np.append(a, b), np.append(wa, -wb), n=1, upper=cb - ca)


def _begun(problem: Problem, steps: _Steps, thing: tuple[bool, int], t: int) -> tuple[Ints, Floats, float]:
    """Columns, weights and constant of whether a building's or a point's step has begun by a period."""
    is_site, at = thing
    if is_site:
        sign = int(steps.sign[at])
        return np.array([at + t * steps.size]), np.array([float(sign)]), float(sign < 0)
    pairs = steps.pair[problem.pair_point[steps.pair] == at]
    return problem.n_sites + pairs + t * steps.size, np.ones(len(pairs)), 0.0


# ------------------------------------------------------------------------------------------------------ solving


SMALL = 5_000
"""Moves times periods below which a programme is proven before a start would be found."""
NEAR = 1e-3
"""The gap at which a start is good enough."""


def solve(orders: Orders, *, gap: float = 0.0, clock: Clock = NEVER, seed: int = 0) -> Course | None:
    """The best programme; None where there is provably none.

    A large one begins from the plan that is best were money no matter, of which as much is done as can be, in its best order.

    Raises
    ------
    SolverError
        When the search ended with neither a programme nor a proof.
    """
    start = None
    if orders.pair_value.size > SMALL:
        chosen = _ordered(orders, clock, seed)
        start = None if chosen is None else _search(chosen, gap=NEAR, clock=clock.share(0.3), seed=seed)
    found = _search(orders, gap=gap, clock=clock, seed=seed, start=start)
    if isinstance(found, str):
        raise SolverError(f"the search for a programme ended ({found}) with none and no proof that there is none")
    return found


def _ordered(orders: Orders, clock: Clock, seed: int) -> Orders | None:
    """The same programme with the steps of one plan alone: the best of the last period without purses; None without one."""
    last = replace(
        orders, pair_value=orders.pair_value[:, -1:], site_value=orders.site_value[:, -1:], pair_may=orders.pair_may[:, -1:],
        site_may=orders.site_may[:, -1:], site_open=orders.site_open[:, -1:], lines=(), sums=(), most_moves=None, before=(),
    )  # fmt: skip
    whole = _search(last, gap=NEAR, clock=clock.share(0.2), seed=seed)
    if not isinstance(whole, Course):
        return None
    pair, site = began(last, whole)
    may = orders.pair_may & (pair >= 0)[:, None], orders.site_may & (site >= 0)[:, None]
    return replace(orders, pair_may=may[0], site_may=may[1])


def _search(orders: Orders, *, gap: float, clock: Clock, seed: int, start: Course | str | None = None) -> Course | str | None:
    """A programme with its proof, None where there is provably none, or why the search ended with neither."""
    f, constant = build(orders)
    base = formulate(orders.problem, None)
    known = start if isinstance(start, Course) else None
    states = [orders.today if known is None else known.state(t) for t in range(orders.periods)]
    sums = np.zeros(len(orders.sums)) if known is None else known.sums * MONEY
    values = np.concatenate([*(base.values(each) for each in states), sums])
    found = highs.run(arrays(f), gap=gap, clock=clock, seed=seed, start=values)
    if found.ended == "infeasible":
        return None
    if found.x is None:
        return found.ended
    size = base.n_columns
    states = [base.solution(found.x[t * size : (t + 1) * size]) for t in range(orders.periods)]
    opened, host = np.array([each.open for each in states]), np.array([each.host for each in states])
    course = Course(Status.FEASIBLE, opened, host, found.x[orders.periods * size :] / MONEY, 0, 0.0, 0.0)
    value = total(orders.pair_value, orders.site_value, *began(orders, course))
    value -= round(float(course.sums @ np.array(orders.sum_price))) if orders.sum_price else 0
    bound = max(float(np.floor((constant - found.bound) / MONEY)), float(value))  # a programme is worth whole pence
    left = (bound - value) / max(abs(value), 1)
    proven = found.ended == "proven" and left <= OPTIMAL_GAP
    status = Status.OPTIMAL if proven else Status.FEASIBLE
    return replace(course, status=status, value=value, bound=bound, gap=left, stopped=found.ended)
