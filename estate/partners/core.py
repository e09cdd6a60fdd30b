"""Splits that nobody would leave: the least core, the least change into the core, and the least subsidy where it is empty.

For a split ``x`` of what all save together, the *excess* of a group is what it would gain by leaving: ``v(S) - x(S)``.  The core
is the splits in which no group gains.  Each question here is a small programme over ``x`` whose rows, one a group, are made as
they are needed: :meth:`~estate.partners.coalitions.Coalitions.worst` finds the group that a split breaks most, or that none does.

Splits that answer a question are tied as a rule; of them the one nearest to a reference split (least squares) is taken.  It is
unique, so neither names nor order can matter.

References
----------
Goemans and Skutella (2004), Cooperative facility location games, J. Algorithms 50.  Hallefjord, Helming and Jornsten (1995),
Computing the nucleolus when the characteristic function is given implicitly, Int. J. Game Theory 24 (rows as needed).
Maschler, Peleg and Shapley (1979), Math. Oper. Res. 4 (least core).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import nnls

from estate.errors import SolverError
from estate.model.arrays import Arrays
from estate.partners.coalitions import Coalitions
from estate.problem import Bools, Floats, Ints
from estate.solve.highs import continuous

POUND = 1e-2
"""A pound in pence: the unit of these programmes, so that the solver's tolerances are far below a penny."""
MOST_ROWS = 5_000
"""Rounds after which rows are no longer made."""


@dataclass(slots=True, eq=False)
class KnownGroups:
    """The groups met so far, with what each saves; every question adds to them."""

    coalitions: Coalitions
    group: list[Floats] = field(default_factory=list)
    saves: list[float] = field(default_factory=list)
    bound: tuple[Floats, float] | None = None
    """A split, and what no group can gain by leaving it more than, where one is known."""

    def __post_init__(self) -> None:
        """Begins with what the single players are known to save at least: nothing."""
        if not self.group:
            for i in range(self.coalitions.n):
                self.add(np.eye(self.coalitions.n)[i], 0.0)

    def add(self, group: Floats | Bools, saves: float) -> None:
        """One more row."""
        self.group.append(np.asarray(group, dtype=np.float64))
        self.saves.append(float(saves))

    def rows(self) -> tuple[Floats, Floats]:
        """The groups (r, n) and their worth (r,)."""
        return np.array(self.group), np.array(self.saves)


@dataclass(frozen=True, slots=True, eq=False)
class LeastCore:
    """The split in which the largest gain of any group by leaving is least; that gain is between ``low`` and ``high`` pence."""

    split: Floats
    low: float
    high: float

    @property
    def empty(self) -> bool | None:
        """Whether no split keeps everybody; None where the interval leaves it open (to a pound)."""
        return True if self.low > STABLE_PENCE else False if self.high <= STABLE_PENCE else None


STABLE_PENCE = 100
"""A split is stable when no group is proven or left open to gain more than a pound a year by leaving it."""


def least_core(known: KnownGroups, reference: Floats) -> LeastCore:
    """The least core, and of its splits the nearest to ``reference`` (n,) pence."""
    n, whole = known.coalitions.n, float(known.coalitions.together)
    low = -math.inf
    best, most = (np.full(n, whole / n), math.inf) if known.bound is None else known.bound
    if known.bound is not None and (worst := known.coalitions.worst(best)) is not None:
        most = min(most, worst.most)
        known.add(worst.group, worst.saves)
    for _ in range(MOST_ROWS):
        group, saves = known.rows()
        # columns x and e:  x(S) + e >= v(S),  x(N) = v(N)
        matrix = np.vstack([np.column_stack([group, np.ones(len(group))]), np.append(np.ones(n), 0.0)])
        found = _solve(
            np.append(np.zeros(n), 1.0), matrix, np.append(saves, whole), np.append(np.full(len(saves), np.inf), whole)
        )
        low = float(found[n])
        worst = known.coalitions.worst(found[:n])
        if worst is None:
            break
        if worst.most < most:
            most, best = float(worst.most), found[:n]
        if worst.gains <= low + known.coalitions.grain:
            # Where a search ran out of time an interval is left, and the split that it was least for.
            known_to_all = most <= low + 2 * known.coalitions.grain
            split = _nearest(known, reference, whole, low) if known_to_all else best
            return LeastCore(split, low, max(most, low))
        known.add(worst.group, worst.saves)
    raise SolverError("the least core has no end in sight")


def least_change(known: KnownGroups, start: Floats, reference: Floats, *, subsidy: float = 0.0) -> Floats | None:
    """The split that nobody leaves to which least money need move from ``start`` (n,); None where none is.

    ``subsidy`` pence a year are added to what is shared.  Of equal ones the nearest to ``reference`` (least squares).
    """
    n, whole = known.coalitions.n, float(known.coalitions.together) + subsidy
    cost = np.repeat([0.0, 1.0, 1.0], n)
    for _ in range(MOST_ROWS):
        group, saves = known.rows()
        k = len(group)
        # columns x, up, down:  x - up + down = start,  x(S) >= v(S),  x(N) = v(N)
        matrix = np.zeros((n + k + 1, 3 * n))
        matrix[:n] = np.hstack([np.eye(n), -np.eye(n), np.eye(n)])
        matrix[n : n + k, :n] = group
        matrix[-1, :n] = 1.0
        low = np.concatenate([start, saves, [whole]])
        high = np.concatenate([start, np.full(k, np.inf), [whole]])
        answer = continuous(programme(cost, matrix, low, high, least=np.repeat([-np.inf, 0.0, 0.0], n)))
        if answer is None:
            return None
        split = answer[0][:n] / POUND
        worst = known.coalitions.worst(split)
        if worst is None or worst.gains <= known.coalitions.grain:
            # All splits as good: what has a price stays as it is (complementary slackness).
            dear = cost - matrix.T @ answer[1]
            no_more, no_less = (dear[first : first + n] > PRICED for first in (n, 2 * n))
            tight = answer[1][n : n + k] > PRICED
            also = np.vstack([-np.eye(n)[no_more], np.eye(n)[no_less], -group[tight]])
            at_least = np.concatenate([-start[no_more], start[no_less], -saves[tight]])
            return _nearest(known, reference, whole, 0.0, (also, at_least))
        known.add(worst.group, worst.saves)
    raise SolverError("the least change has no end in sight")


PRICED = 1e-7
"""A row with a larger dual value, or a column with a larger reduced cost, is the same in every best answer."""


def least_subsidy(known: KnownGroups) -> float:
    """Pence a year that must be added to what all save together so that some split keeps everybody; 0 where none must."""
    n, whole = known.coalitions.n, float(known.coalitions.together)
    for _ in range(MOST_ROWS):
        group, saves = known.rows()
        matrix = np.vstack([group, np.ones(n)])
        found = _solve(np.ones(n), matrix, np.append(saves, whole), np.full(len(saves) + 1, np.inf))
        worst = known.coalitions.worst(found)
        if worst is None or worst.gains <= known.coalitions.grain:
            return max(float(found.sum()) - whole, 0.0)
        known.add(worst.group, worst.saves)
    raise SolverError("the least subsidy has no end in sight")


def least_top_up(known: KnownGroups, split: Floats) -> float:
    """Pence a year from outside, none taken from anybody, that make a split one that nobody leaves: a fund's worth."""
    n = known.coalitions.n
    for _ in range(MOST_ROWS):
        group, saves = known.rows()
        short = saves - group @ split
        needed = short > known.coalitions.grain
        if not needed.any():
            more = np.zeros(n)
        else:
            answer = continuous(
                programme(np.ones(n), group[needed], short[needed], np.full(int(needed.sum()), np.inf), least=np.zeros(n))
            )
            if answer is None:
                raise SolverError("a programme over top-ups has no answer, and it has one")
            more = answer[0] / POUND
        worst = known.coalitions.worst(split + more)
        if worst is None or worst.gains <= known.coalitions.grain:
            return float(more.sum())
        known.add(worst.group, worst.saves)
    raise SolverError("the least top-up has no end in sight")


def _nearest(
    known: KnownGroups, reference: Floats, whole: float, slack: float, also: tuple[Floats, Floats] | None = None
) -> Floats:
    """The split nearest to ``reference`` in which no group gains more than ``slack``; ``also`` are more rows and lower sides."""
    n = known.coalitions.n
    more, at_least = (np.zeros((0, n)), np.zeros(0)) if also is None else also
    for _ in range(MOST_ROWS):
        group, saves = known.rows()
        split = nearest(reference, whole, np.vstack([group, more]), np.concatenate([saves - slack, at_least]))
        worst = known.coalitions.worst(split)
        if worst is None or worst.gains <= slack + known.coalitions.grain:
            return split
        known.add(worst.group, worst.saves)
    raise SolverError("the nearest split has no end in sight")


HAIR_PENCE = 1e-4
"""By so much may the nearest split miss a row: two rows that hold each other tight are then no contradiction."""


def nearest(reference: Floats, total: float, matrix: Floats, low: Floats) -> Floats:
    """The point nearest to ``reference`` that adds up to ``total`` and has ``matrix @ x >= low``.

    Least distance programming by non-negative least squares (Lawson and Hanson 1974, chapter 23), in the plane of the total.
    """
    n = len(reference)
    foot = reference + (total - reference.sum()) / n
    plane = np.linalg.svd(np.ones((1, n)))[2][1:].T  # (n, n - 1) orthonormal
    rows, short = matrix @ plane, low - HAIR_PENCE - matrix @ foot
    if (short <= 0).all():
        return foot
    scale = float(np.abs(short).max())
    table = np.vstack([rows.T, short / scale])
    wanted = np.append(np.zeros(n - 1), 1.0)
    rest = table @ nnls(table, wanted, maxiter=100 * len(low))[0] - wanted
    if -rest[-1] < NOTHING:
        raise SolverError("no split keeps every row, and one that was found does")
    found: Floats = foot - plane @ (rest[:-1] / rest[-1] * scale)
    return found


NOTHING = 1e-15
"""A residual below this is none: the rows contradict each other."""


def whole_pence(split: Floats, total: int) -> Ints:
    """A split in whole pence that adds up to ``total``: rounded down, then up where the fraction is largest (first of equals)."""
    down = np.floor(np.round(split, 6)).astype(np.int64)
    short = total - int(down.sum())
    order = np.argsort(-np.round(split - down, 4), kind="stable")
    down[order[: max(short, 0)]] += 1
    return down


# ------------------------------------------------------------------------------------------------------ programmes


def _solve(cost: Floats, matrix: Floats, low: Floats, high: Floats) -> Floats:
    """The best columns, free, in pence; solved in pounds."""
    answer = continuous(programme(cost, matrix, low, high))
    if answer is None:
        raise SolverError("a programme over splits has no answer, and it has one")
    return answer[0] / POUND


def programme(cost: Floats, matrix: Floats, low: Floats, high: Floats, *, least: Floats | None = None) -> Arrays:
    """A dense programme over pence as arrays in pounds."""
    n = len(cost)
    there = matrix != 0
    return Arrays(
        cost=cost,
        offset=0.0,
        lower=np.full(n, -np.inf) if least is None else least * POUND,
        upper=np.full(n, np.inf),
        integer=np.zeros(n, dtype=bool),
        row_lower=low * POUND,
        row_upper=high * POUND,
        start=np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64),
        index=np.nonzero(there)[1].astype(np.int64),
        value=matrix[there],
        unit=POUND,
    )
