"""The engine against brute force, and its parts against each other."""

from __future__ import annotations

from dataclasses import replace

import brute
import numpy as np
import pytest
import second_model

from estate.problem import Goal, SideRows, Solution, cost, violations
from estate.problem.generate import Size, place
from estate.solve import engine, highs, reduce
from estate.solve.columns import enumeration, patterns
from estate.solve.columns.core import core, is_pure
from estate.solve.columns.lagrangian import ascend, coarsen, evaluate, first_prices
from estate.solve.decompose import blocks, greedy_drop
from estate.solve.watch import Clock

SMALL = Size(sites=24, zones=60, side_m=18_000)


def pure(seed):
    """A random problem that the core holds whole."""
    p = brute.random_problem(seed)
    none = np.zeros((0, 3), dtype=np.int64)
    p = replace(p, side=SideRows(), conflict=none, together=none)
    today = Solution(~p.must_close | np.isin(np.arange(p.n_sites), p.point_home), np.maximum(p.point_home, 0))
    return replace(p, today=None if violations(p, today) else today)


def optimum(p, **options):
    a, columns = second_model.build(p)
    run = highs.run(a, **options)
    return None if run.x is None else second_model.read(p, columns, run.x), run


@pytest.mark.parametrize("goal", list(Goal))
def test_arrays_have_the_optimum_of_looking_at_every_plan(goal):
    for seed in range(120):
        p = brute.random_problem(seed, goal=goal)
        value, _ = brute.best(p)
        if (p.must_open & p.must_close).any():
            continue
        plan, run = optimum(p)
        if value is None:
            assert run.complete
            assert plan is None, seed
            continue
        sign = -1 if goal is Goal.COVERED else 1
        unit = second_model.MONEY if goal is Goal.COST else 1.0
        assert round(run.value / unit) * sign == value, (goal, seed)
        assert not violations(p, plan), (goal, seed)


def test_columns_have_the_optimum_of_looking_at_every_plan():
    proven = 0
    for seed in range(400):
        p = brute.random_problem(seed)
        if (p.must_open & p.must_close).any():
            continue
        value, _ = brute.best(p)
        if value is None or not p.n_points:
            continue
        found = enumeration.solve(p, enumeration.Effort(iterations=(20, 20, 20)), plan=p.today)
        if found.plan is not None and np.isfinite(found.value):
            assert not violations(p, found.plan), seed
            assert found.value >= value, seed
        assert found.bound <= value + 1, seed
        if found.proven:
            assert found.value == value, seed
            proven += 1
    assert proven > 150


def test_every_multiplier_gives_a_bound():
    rng = np.random.default_rng(1)
    for seed in range(250):
        p = pure(seed)
        value, _ = brute.best(p)
        if value is None or (p.must_open & p.must_close).any() or p.must_close.any():
            continue
        c = core(p)
        u, v = first_prices(c)
        scale = float(p.site_cost.mean())
        for grain in (c, coarsen(c, 2, 1)):
            for _ in range(3):
                dual = evaluate(grain, u + rng.normal(0, scale, len(u)), np.abs(rng.normal(0, scale / 3, len(v))))
                assert dual.bound <= value + 1, seed
        assert ascend(c, float(value), iterations=(20, 20, 20)).bound <= value + 1, seed


def test_listed_sets_are_all_that_matter():
    """Nothing cheaper than a plan is lost by leaving out the sets that cost more than it."""
    for seed in range(120):
        p = pure(seed)
        value, best = brute.best(p)
        if value is None or p.must_close.any() or not p.n_points:
            continue
        c = core(p)
        dual = ascend(c, float(value), iterations=(15, 15, 15))
        found = patterns.worth_keeping(p, c, dual, float(value))
        whole = patterns.with_plan(p, c, found, best)
        assert len(whole.site) == len(found.site) or not is_tight(p, best), seed


def is_tight(p, plan):
    """Whether every open building is needed (an optimal plan may keep an empty one at no cost)."""
    return all(np.isin(j, plan.host) or p.must_open[j] for j in np.flatnonzero(plan.open))


def test_search_keeps_every_rule_and_never_gets_worse():
    for seed in range(200):
        p = pure(seed)
        if p.today is None or not is_pure(p):
            continue
        plan = greedy_drop.drop(p, core(p), p.today)
        assert not violations(p, plan), seed
        assert cost(p, plan) <= cost(p, p.today), seed


def test_a_part_put_back_is_a_plan_that_costs_what_it_says():
    p = reduce.without_implied(place(SMALL, 3).problem)
    near = blocks.links(p)
    for j in range(0, p.n_sites, 3):
        sites = blocks.ball(near, j, 9)
        part = blocks.inside(p, p.today, sites)
        found = enumeration.solve(part.problem, enumeration.Effort(iterations=(20, 20, 20)))
        assert found.plan is not None
        plan = blocks.merged(p.today, part, found.plan)
        assert not violations(p, plan)
        here = Solution(p.today.open[sites], np.searchsorted(sites, p.today.host[part.points]))
        assert cost(p, plan) - cost(p, p.today) == found.value - cost(part.problem, here)


@pytest.mark.parametrize("seed", range(4))
def test_parts_with_priced_borders_add_up_to_a_bound(seed):
    p = reduce.without_implied(place(SMALL, seed).problem)
    answer = engine.run(p)
    assert answer.close()
    rng = np.random.default_rng(seed)
    part_of = rng.integers(0, 3, p.n_sites)
    u, v = rng.integers(0, 40_000_00, p.n_points), rng.integers(0, 9_000_00, len(p.cover))
    points, rows = blocks.crossing(p, part_of)
    total = u[points].sum() + (v * p.cover.need)[rows].sum()
    for b in range(3):
        part = blocks.priced(p, np.flatnonzero(part_of == b), u, v)
        found = enumeration.solve(part.problem, enumeration.Effort(iterations=(30, 30, 30)), optional=part.optional)
        total += found.bound + part.offset
    assert total <= answer.value + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_small_place_is_solved_to_the_optimum_that_highs_finds(seed):
    p = place(SMALL, seed).problem
    answer = engine.run(p)
    _, run = optimum(p)
    assert answer.close()
    assert answer.value == round(run.value / second_model.MONEY)
    assert not violations(p, answer.plan)


def test_a_share_rule_is_kept_and_proven():
    p = place(SMALL, 1, share=0.9).problem
    answer = engine.run(p)
    _, run = optimum(p)
    assert answer.value == round(run.value / second_model.MONEY)


def test_a_work_limit_repeats_and_says_what_is_proven():
    p = place(Size(sites=60, zones=160, side_m=30_000), 2).problem
    one, two = (engine.run(p, work=6) for _ in range(2))
    assert (one.value, one.bound, one.over()) == (two.value, two.bound, two.over())
    assert np.array_equal(one.plan.host, two.plan.host)
    whole = engine.run(p)
    assert one.bound <= whole.value <= one.value


def test_a_stop_gives_the_plan_so_far():
    p = place(SMALL, 1).problem
    answer = engine.run(p, clock=Clock(stop=lambda: True))
    assert not answer.close()
    assert answer.over() == "interrupt"
    assert not violations(p, answer.plan)
