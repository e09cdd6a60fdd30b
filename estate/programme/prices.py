"""What no end state can cost less than, at the prices that the years put on it.

The linear programme over all years has a price for money in each year, and for each row that the years between are asked.  At
these prices every step has a best year, and what is left to choose is an end state: a problem of one year, which the engine
proves soon where HiGHS does not.  Two things come of it: an end state that is worth putting in order, and a
:class:`~estate.programme.rows.Floor` under all others.  The floor is a proof of the engine's about one vector of costs, so it
holds whatever the prices are, and good prices make it strong: on a generated county over ten years one floor takes the linear
programme's bound from 67.0 to 63.8 million, with the best programme known at 62.4.

**Costs.**  A building in use that stays costs what letting it go in its best year would bring; one that is opened, and a point
that moves, what the step costs at its best.  A building is let go no sooner than the last of its points leaves: what waiting for
them loses is taken from what it brings, each point taken to wait for the host for which it loses least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from estate.model.arrays import MONEY, arrays
from estate.problem import Bools, Floats, Problem, Solution
from estate.programme.orders import Orders
from estate.programme.rows import Between, Floor, build
from estate.solve import engine, highs
from estate.solve.watch import Clock

NEAR = 3e-4
"""The gap at which the engine's end state is good enough."""
WORK = 300
"""Nodes and neighbourhoods after which the engine gives what it has."""
DATES = frozenset({"somewhere", "once", "follow", "floor"})
"""Families of rows that are kept when others are priced: they are kept by what is chosen at the prices too."""


def floor_under(
    orders: Orders, between: Between, asked: Bools, floors: Sequence[Floor], clock: Clock, seed: int
) -> tuple[Floor, Solution] | None:
    """A floor under all end states, and the end state that is best at its prices; None where the engine finds neither.

    Nor where the engine does not solve whole: its proof of Greater Manchester takes longer than HiGHS needs for five years of it.
    """
    if orders.problem.n_sites > engine.WHOLE or not engine.suits(orders.problem):
        return None
    found = _values(orders, between, asked, floors)
    if found is None:
        return None
    end = _end(orders, *found)
    run = engine.run(end, gap=NEAR, clock=clock, work=WORK, seed=seed)
    if run.plan is None or not np.isfinite(run.bound):
        return None
    return Floor(end.site_cost, end.pair_cost, float(np.floor(run.bound)) - 1), run.plan


def _values(orders: Orders, between: Between, asked: Bools, floors: Sequence[Floor]) -> tuple[Floats, Floats] | None:
    """(P, T) and (J, T) pence that each step is worth in each period, with all that it uses at its price; None: no programme."""
    f, _ = build(orders, between, asked, floors)
    whole = arrays(f)
    solved = highs.continuous(whole)
    if solved is None:
        return None
    problem, T, size = orders.problem, orders.periods, between.base.n_columns
    J, P = problem.n_sites, problem.n_pairs
    last = (T - 1) * size  # columns of the last period from here on
    kept = np.repeat([rows.family in DATES for rows in f.rows], [len(rows) for rows in f.rows])
    states = np.concatenate([np.minimum.reduceat(rows.column, rows.start[:-1]) >= last for rows in f.rows])
    cash = np.repeat([rows.family == "cash" for rows in f.rows], [len(rows) for rows in f.rows])
    price = np.where(kept | states & ~cash, 0.0, solved[1])
    matrix = csr_array((whole.value, whole.index, whole.start), shape=(len(price), len(whole.cost)))
    stands = ((matrix.T @ price - whole.cost) / MONEY)[: T * size].reshape(T, size)
    opened, hosted = stands[:, :J].T, stands[:, J : J + P].T
    home = problem.pair_site == problem.point_home[problem.pair_point]
    stays = np.zeros((problem.n_points, T))
    stays[problem.pair_point[home]] = hosted[home]
    move = np.where(home[:, None], 0.0, hosted - stays[problem.pair_point])
    change = np.where(orders.today.open, -1.0, 1.0)[:, None] * opened
    return _from(move), _from(change)


def _from(each: Floats) -> Floats:
    """What standing in each period from one on comes to."""
    found: Floats = each[:, ::-1].cumsum(axis=1)[:, ::-1]
    return found


def _end(orders: Orders, pair: Floats, site: Floats) -> Problem:
    """The choice of an end state, as a problem of one year, at what each step is worth in each period."""
    problem, today = orders.problem, orders.today
    home = problem.pair_site == problem.point_home[problem.pair_point]
    away = np.flatnonzero(~home)
    moved = np.where(orders.pair_may, pair, -np.inf)
    best = moved.max(axis=1)
    with np.errstate(invalid="ignore"):
        lost = np.maximum.accumulate(moved, axis=1) - best[:, None]  # by leaving no later than a period
    wait = np.full((problem.n_points, orders.periods), -np.inf)
    np.maximum.at(wait, problem.pair_point[away], np.nan_to_num(lost[away], nan=-np.inf))
    waits = np.zeros(site.shape)
    housed = problem.point_home >= 0
    np.add.at(waits, problem.point_home[housed], wait[housed])
    changed = np.where(orders.site_may, site, -np.inf)
    brings = np.where(today.open, (changed + waits).max(axis=1), -changed.max(axis=1))
    never = 2.0 * max(float(np.abs(pair).max(initial=0)), float(np.abs(site).max(initial=0)))
    return replace(
        problem,
        site_cost=np.ceil(np.where(np.isfinite(brings), brings, np.where(today.open, 0.0, never))).astype(np.int64),
        pair_cost=np.where(home, 0, np.ceil(-np.where(np.isfinite(best), best, -never))).astype(np.int64),
        must_open=problem.must_open | orders.site_last,
        site_one_off=None, site_running=None, pair_running=None, pair_apart=None, pair_one_off=None,
    )  # fmt: skip
