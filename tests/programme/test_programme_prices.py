"""End states at the prices of the years: no end state lies under a floor, and with floors the answer is the same."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from test_programme import drawn
from test_programme_rows import run, town

from estate.problem import Solution, cost, violations
from estate.programme import search
from estate.programme.prices import _end, floor_under
from estate.programme.rows import Between, Floor, build
from estate.solve.watch import NEVER


def floor(orders, asked=None):
    between = Between.of(orders)
    return floor_under(orders, between, between.core if asked is None else asked, (), NEVER, 0)


def end_states(problem):
    """Every plan of a small problem."""
    hosts = [problem.pair_site[problem.pair_point == s] for s in range(problem.n_points)]
    for opened in product([False, True], repeat=problem.n_sites):
        for host in product(*hosts):
            plan = Solution(np.array(opened), np.array(host))
            if not violations(problem, plan):
                yield plan


def test_no_end_state_lies_under_a_floor():
    """By looking at every one of them; and the end state found lies on it, as near as was asked for."""
    seen = 0
    for seed in range(12):
        orders, _, _ = drawn(seed)
        found = floor(orders)
        if found is None:
            continue
        under, end = found
        for plan in end_states(orders.problem):
            opened = under.site_cost[plan.open].sum()
            hosted = under.pair_cost[plan.host[orders.problem.pair_point] == orders.problem.pair_site].sum()
            if (plan.open | ~orders.site_last).all():
                assert opened + hosted >= under.least
                seen += 1
        assert not violations(orders.problem, end)
    assert seen > 100


def test_without_prices_a_step_is_worth_its_best_year():
    """One year, no purse: the end state's cost falls by what the programme is worth."""
    orders = town(5, years=1, gbp=10**9)
    end = _end(orders, orders.pair_value.astype(float), orders.site_value.astype(float))
    course = search.solve(orders)
    today = cost(end, orders.today)
    assert today - cost(end, course.state(-1)) == pytest.approx(course.value, abs=10)


@pytest.mark.parametrize("seed", [1, 5, 7, 9, 26])
def test_with_floors_the_answer_is_the_same(seed, monkeypatch):
    orders = town(seed)
    truth = run(orders, lambda between: between.breakable)
    monkeypatch.setattr(search, "LARGE", 0)
    assert search.solve(orders).value == truth.course.value


def test_a_floor_raises_no_bound_below_the_best():
    """The row is in the programme, and a wrong one would be seen: with one that is too high there is no such course."""
    orders = town(7)
    best = search.solve(orders)
    under, _ = floor(orders)
    end = best.state(-1)
    p = orders.problem
    its = int(under.site_cost[end.open].sum() + under.pair_cost[end.host[p.pair_point] == p.pair_site].sum())
    between = Between.of(orders)
    for least, kept in ((under.least, True), (its + 1_000.0, False)):
        f, _ = build(orders, between, between.core, [Floor(under.site_cost, under.pair_cost, least)])
        row = next(rows for rows in f.rows if rows.family == "floor")
        size = between.base.n_columns
        values = np.concatenate([between.base.values(best.state(t)) for t in range(orders.periods)])
        assert row.column.min() >= (orders.periods - 1) * size
        assert (row.value @ values[row.column] >= row.lower[0] - 1e-6) == kept
