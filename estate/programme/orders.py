"""A programme in arrays: what may be done when, what it is worth and costs, and a course of it with its proof.

A *step* is a point that leaves home for another building, a building in use that is let go, or one not in use that is opened.
Each is taken once or never, and stands from then on.  :mod:`estate.programme.rows` has the mathematics and
:mod:`estate.programme.search` the way to the best course.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.problem import Bools, Floats, Ints, Problem, Solution
from estate.solve.answer import Status


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
    sum_dear: tuple[float, ...] = ()
    """How dear a penny of each is when programmes of one value are told apart by what is borrowed and given."""
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
    """Why the search ended: ``proven``, ``time`` or ``interrupt``."""

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
