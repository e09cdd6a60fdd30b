"""The mixed-integer programme of :class:`~estate.programme.orders.Orders`: the last year in full, the others as asked.

``begun_t`` of a step is 1 from the period in which it is taken, and never falls::

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

Of the rows that a part can break hardly any is broken by a programme worth having.  What every course needs is that each point is
somewhere (:attr:`Between.core`), that nobody is left in a building that is let go, and that nobody comes before it opens.  With
these alone the programme is the last year's, dated, and its proof is that of one year and not of ten copies of it.  It is a
relaxation, so its bound holds; :meth:`Between.broken` says which other rows a course of it breaks, and these are asked next.

**Cash rows that say the same.**  What is spent in a line is a multiple of what divides all its sums, so what is at hand is
rounded down to one; a line that the dearest steps of all cannot break, or another with less at hand implies, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from estate.model import Formulation, Rows, formulate
from estate.model.arrays import MONEY
from estate.problem import Bools, Floats, Ints, Problem, Solution
from estate.programme.orders import Line, Orders

BREAKS = 1e-6
"""By so much a row may be missed, as the solver has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Between:
    """The N rows of one year over its C columns, and what they ask of a year before the last."""

    base: Formulation
    matrix: csr_array
    family: Ints
    """(N,) the number of each row's family among ``base.rows``."""
    lower: Floats
    upper: Floats
    """(N,) the rows' sides, as wide as today's estate needs."""
    breakable: Bools
    """(N,) whether a part of a programme can break the row."""
    core: Bools
    """(N,) what is asked from the start: that each point is somewhere."""

    @classmethod
    def of(cls, orders: Orders) -> Between:
        """The rows of a programme's problem."""
        problem, today = orders.problem, orders.today
        base = formulate(problem, None)
        now = base.values(today)
        J, P = problem.n_sites, problem.n_pairs
        matrix = _matrix(base.rows, base.n_columns)
        direction = np.zeros(base.n_columns)
        direction[:J] = np.where(today.open, -1, 1)
        direction[J : J + P] = np.where(problem.pair_site == problem.point_home[problem.pair_point], -1, 1)
        tend = matrix.multiply(direction[None, :]).tocsr()
        whole = np.ones(base.n_columns)
        mixed = (abs(matrix) - abs(tend)) @ whole > 0  # a column that follows from others goes either way
        rises, falls = (tend < 0) @ whole == 0, (tend > 0) @ whole == 0
        none = np.zeros(0)
        activity = matrix @ now
        family = np.repeat(np.arange(len(base.rows)), [len(rows) for rows in base.rows])
        names = np.array([rows.family for rows in base.rows], dtype=object)
        return cls(
            base, matrix, family,
            lower=np.minimum(np.concatenate([none, *(rows.lower for rows in base.rows)]), activity),
            upper=np.maximum(np.concatenate([none, *(rows.upper for rows in base.rows)]), activity),
            breakable=mixed | ~(rises | falls), core=names[family] == "somewhere",
        )  # fmt: skip

    def broken(self, states: list[Solution]) -> Bools:
        """(N,) rows that some of these states of the years between miss."""
        found = np.zeros(len(self.family), dtype=bool)
        for state in states:
            activity = self.matrix @ self.base.values(state)
            slack = BREAKS * np.maximum(1.0, abs(activity))
            found |= (activity < self.lower - slack) | (activity > self.upper + slack)
        return found

    def and_helpers(self, rows: Bools) -> Bools:
        """Rows, with those of other families that say what their helping columns are: offers, and the largest hall."""
        first = self.base.problem.n_sites + self.base.problem.n_pairs
        held = abs(self.matrix)
        helping = rows.astype(np.float64) @ held > 0
        helping[:first] = False
        found: Bools = rows | (held @ helping.astype(np.float64) > 0) & ~np.isin(self.family, self.family[rows])
        return found


def _matrix(families: list[Rows], columns: int) -> csr_array:
    """All families of rows as one matrix."""
    size = np.concatenate([np.zeros(0, dtype=np.int64), *(np.diff(rows.start) for rows in families)])
    column = np.concatenate([np.zeros(0, dtype=np.int64), *(rows.column for rows in families)])
    value = np.concatenate([np.zeros(0), *(rows.value for rows in families)])
    return csr_array((value, column, np.append(0, np.cumsum(size))), shape=(len(size), columns))


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


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """What is proven of every end state: ``site_cost . open + pair_cost . host >= least``; (J,), (P,) and a number, pence."""

    site_cost: Ints
    pair_cost: Ints
    least: float


def build(
    orders: Orders, between: Between | None = None, asked: Bools | None = None, floors: Sequence[Floor] = ()
) -> tuple[Formulation, float]:
    """A formulation whose objective is *minus* the value in :data:`~estate.model.arrays.MONEY`, and its constant.

    ``asked`` (N,) are the rows that the years between are held to.  Without ``between``, every row is asked of every year and
    every line of cash is there, as one would write it down: what benchmarks compare with.
    """
    problem, today, T = orders.problem, orders.today, orders.periods
    plainly = between is None
    between = Between.of(orders) if between is None else between
    asked = np.ones(len(between.family), dtype=bool) if asked is None else asked
    base, size, J = between.base, between.base.n_columns, problem.n_sites
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
    unused = np.zeros(len(orders.sums))
    sums = f.add_columns("money", np.array(orders.sums, dtype=np.float64) * MONEY, lambda _: unused)
    for number, rows in enumerate(base.rows):
        _repeat(f, rows, between, asked, number, T)
    if not plainly:
        _follow(f, orders, size)
    _once(f, orders, steps)
    for floor in floors:
        cost = np.concatenate([floor.site_cost, floor.pair_cost])
        at = np.flatnonzero(cost)
        none = np.zeros(len(at), dtype=np.int64)
        f.add_rows("floor", none, (T - 1) * size + at, cost[at] * MONEY, n=1, lower=floor.least * MONEY)
    for line in orders.lines if plainly else tight(orders):
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


def _repeat(f: Formulation, rows: Rows, between: Between, asked: Bools, number: int, T: int) -> None:
    """A family of rows in the last period, and those of it that are asked for in the periods between."""
    size = between.base.n_columns
    n = len(rows)
    row = np.repeat(np.arange(n), np.diff(rows.start))
    f.add_rows(rows.family, row, rows.column + (T - 1) * size, rows.value, n=n, lower=rows.lower, upper=rows.upper)
    mine = between.family == number
    kept, lower, upper = (each[mine] for each in (asked, between.lower, between.upper))
    index = np.cumsum(kept) - 1
    entry = kept[row]
    for t in range(T - 1):
        f.add_rows(
            rows.family, index[row[entry]], rows.column[entry] + t * size, rows.value[entry], n=int(kept.sum()),
            lower=lower[kept], upper=upper[kept],
        )  # fmt: skip


def _follow(f: Formulation, orders: Orders, size: int) -> None:
    """In the years between nobody is at home in a building that is let go, or in one that is not open yet."""
    problem = orders.problem
    home = problem.pair_site == problem.point_home[problem.pair_point]
    pair = np.flatnonzero(home | ~orders.today.open[problem.pair_site])
    both = np.append(problem.n_sites + pair, problem.pair_site[pair])
    row, sign = np.tile(np.arange(len(pair)), 2), np.repeat([1.0, -1.0], len(pair))
    for t in range(orders.periods - 1):
        f.add_rows("follow", row, both + t * size, sign, n=len(pair), upper=0.0)


def tight(orders: Orders) -> Iterator[Line]:
    """The lines less those that cannot bind, with what is at hand rounded down to what can be spent of it."""
    problem = orders.problem
    least: dict[tuple[bytes, bytes], Line] = {}
    for line in orders.lines:
        if line.money:
            yield line
            continue
        dearest = np.zeros(problem.n_points, dtype=np.int64)
        np.maximum.at(dearest, problem.pair_point, line.pair.max(axis=1, initial=0))
        if dearest.sum() + line.site.max(axis=1, initial=0).sum() <= line.at_hand:
            continue
        same = line.pair.tobytes(), line.site.tobytes()
        if same not in least or line.at_hand < least[same].at_hand:
            least[same] = line
    for line in least.values():
        whole = int(np.gcd.reduce(np.append(line.pair.ravel(), line.site.ravel())))
        yield replace(line, at_hand=line.at_hand // whole * whole) if whole else line


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
