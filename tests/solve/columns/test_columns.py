"""Columns, their prices, their cuts, and the search of large places: each part against a second way to the same answer."""

from __future__ import annotations

import itertools
from dataclasses import replace

import brute
import numpy as np
import pytest
import round_places
import second_model
from scipy.sparse import csr_array

from estate.model import Measure, formulate
from estate.model.arrays import arrays
from estate.problem import SideRows, Solution, cost, textbook, violations
from estate.problem.generate import Size, place
from estate.solve import engine, highs, reduce
from estate.solve.columns import diving, enumeration, patterns, subset_row_cuts
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import core, is_pure
from estate.solve.columns.lagrangian import ascend, evaluate
from estate.solve.decompose import blocks, greedy_drop, neighbourhoods

SMALL = Size(sites=24, zones=60, side_m=18_000)
NOTHING = (1, 1, 1)


def pure(seed):
    """A random problem that the core holds whole, its optimum, and a best plan; None without one."""
    p = brute.random_problem(seed)
    none = np.zeros((0, 3), dtype=np.int64)
    p = replace(p, side=SideRows(), conflict=none, together=none)
    if p.must_close.any() or not p.n_points:
        return None
    value, plan = brute.best(p)
    return None if value is None else (p, value, plan)


def small(seed):
    return reduce.tighten(place(SMALL, seed).problem).problem


def prices(p, c, rng):
    """Multipliers of some size, good or bad."""
    scale = float(p.site_cost.mean())
    return evaluate(c, rng.normal(scale / 3, scale, c.n_points), np.abs(rng.normal(0, scale / 3, len(c.row_need))))


def linear_bound(p, c, dual):
    """The linear programme over every set there is."""
    every = patterns.listed(p, c, dual, np.full(p.n_sites, 1e15))
    a = patterns.programme(p, c, every)
    run = highs.run(replace(a, integer=np.zeros(len(a.cost), dtype=bool)))
    return np.inf if run.x is None else run.value / second_model.MONEY


def test_prices_climb_to_the_linear_bound_over_every_set():
    met = 0
    for seed in range(250):
        if (found := pure(seed)) is None:
            continue
        p, value, plan = found
        c = core(p)
        start = ascend(c, float(value), iterations=NOTHING)
        end = climb(p, c, start, plan=plan, close=1e-6)
        top = linear_bound(p, c, start)
        assert start.bound <= end.bound <= value + 1, seed
        assert end.bound <= top + 1 + 1e-6 * abs(top), seed
        met += top - end.bound <= 2e-3 * abs(value) + 2
    assert met > 60


def test_where_a_plan_is_above_the_bound_adds_up_to_how_much():
    rng = np.random.default_rng(7)
    seen = 0
    for seed in range(150):
        if (found := pure(seed)) is None or found[0].shares:
            continue
        p, value, plan = found
        c = core(p)
        dual = prices(p, c, rng)
        gap = neighbourhoods.by_site(p, dual, plan)
        slack = 1e-6 * (np.abs(dual.point).sum() + dual.row.sum() + value)
        assert abs(gap.sum() - (value - dual.bound)) <= slack, seed
        assert gap.min() >= -slack, seed
        seen += 1
    assert seen > 60


def test_a_short_list_is_the_best_of_each_site_and_says_where_it_stopped():
    for seed in range(8):
        p = small(seed)
        c = core(p)
        dual = ascend(c, float(cost(p, p.today)), iterations=(20, 20, 0))
        whole = patterns.listed(p, c, dual, np.full(p.n_sites, 3e6))
        short = patterns.listed(p, c, dual, np.full(p.n_sites, 3e6), each=5)
        assert len(short.site) < len(whole.site)
        for j in range(p.n_sites):
            all_least, few = np.sort(whole.least[whole.site == j]), np.sort(short.least[short.site == j])
            assert np.allclose(all_least[: len(few)], few)
            if len(few) < len(all_least):  # what is missing is dearer than it says
                base = dual.bound + (dual.site_profit[j] if p.must_open[j] else max(dual.site_profit[j], 0.0))
                assert all_least[len(few)] >= base + short.dearest[j] - 1


def odd_sums(members, x, rows):
    """The two sums of an odd set, by their definition."""
    met = members[list(rows)].toarray().sum(axis=0)
    return float(np.floor(met / 2) @ x), float(np.ceil(met / 2) @ x)


@pytest.mark.parametrize("seed", range(12))
def test_broken_odd_sets_are_those_that_every_triple_shows(seed):
    rng = np.random.default_rng(seed)
    columns = 30
    members = csr_array((rng.random((9, columns)) < 0.3).astype(float))
    x = rng.choice([0.25, 0.5, 0.5, 0.75], columns)
    x *= 1.0 / max(float((members @ x).max()), 1e-9)  # a point that keeps every packing row
    packing = {
        t for t in itertools.combinations(range(9), 3) if odd_sums(members, x, t)[0] > 1 + subset_row_cuts.VIOLATED + 1e-9
    }
    found = {tuple(t) for t in subset_row_cuts.separate(members, x, covering=False, at_most=1_000).tolist()}
    assert found <= packing
    assert bool(found) == bool(packing)
    x *= 1.0 / max(float((members @ x).min()), 1e-9)  # a point that keeps every covering row
    low = members @ x < 1.5
    covering = {
        t
        for t in itertools.combinations(range(9), 3)
        if low[list(t)].all() and odd_sums(members, x, t)[1] < 2 - subset_row_cuts.VIOLATED - 1e-9
    }
    found = {tuple(t) for t in subset_row_cuts.separate(members, x, covering=True, at_most=1_000).tolist()}
    assert found <= covering
    assert bool(found) == bool(covering)


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_blocks_and_parts_bound_whatever_the_prices(seed):
    p = small(seed)
    c, near = core(p), blocks.links(p)
    answer = engine.run(place(SMALL, seed).problem)
    assert answer.close()
    dual = ascend(c, float(answer.value), iterations=(15, 0, 0))
    rng = np.random.default_rng(seed)
    wild = evaluate(c, dual.point * rng.uniform(0.5, 1.5, c.n_points), dual.row * rng.uniform(0.5, 1.5, len(dual.row)))
    effort = enumeration.Effort(nodes=20, rounds=2)
    for known in (dual, wild):
        total, solved = neighbourhoods.bound(p, near, known, p.today, 9, effort)
        assert total <= answer.value + 1
        assert total >= known.bound - 1e-6 * answer.value
        assert solved > 1
        better = neighbourhoods.climb_in_parts(p, c, near, known, 12, effort)
        assert known.bound <= better.bound <= answer.value + 1


@pytest.mark.parametrize("seed", [0, 2])
def test_the_way_of_large_places_ends_between_bound_and_optimum(seed, monkeypatch):
    p = place(SMALL, seed).problem
    best = engine.run(p).value
    for name, value in (("WHOLE", 5), ("BALL", 8), ("BLOCK", 9), ("SIZES", (12,)), ("TOGETHER", 12)):
        monkeypatch.setattr(engine, name, value)
    answer = engine.run(p, work=40)
    assert not violations(p, answer.plan)
    assert answer.bound <= best <= answer.value <= cost(p, greedy_drop.drop(p, core(p), p.today))
    assert (answer.value - answer.bound) / best < 0.05
    again = engine.run(p, work=40)
    assert (again.value, again.bound) == (answer.value, answer.bound)
    assert np.array_equal(again.plan.host, answer.plan.host)


def test_two_places_side_by_side_are_solved_apart():
    one, two = small(1), small(2)
    both = side_by_side(one, two)
    answer = engine.run(both)
    assert answer.close()
    assert answer.value == engine.run(one).value + engine.run(two).value
    assert not violations(both, answer.plan)


def side_by_side(a, b):
    """Two problems of the same services as one."""
    J, S, P = a.n_sites, a.n_points, a.n_pairs

    def rows(cover, sites, pairs):
        return cover.site + sites, np.where(cover.excuse >= 0, cover.excuse + pairs, -1)

    site_b, excuse_b = rows(b.cover, J, P)
    joined = {
        name: np.concatenate([getattr(a, name), getattr(b, name)])
        for name in (
            "site_cost", "site_capacity", "site_slack", "must_open", "must_close",
            "point_service", "point_own", "point_hall", "point_desk", "pair_cost",
        )
    }  # fmt: skip
    cover = replace(
        a.cover,
        service=np.concatenate([a.cover.service, b.cover.service]),
        need=np.concatenate([a.cover.need, b.cover.need]),
        start=np.concatenate([a.cover.start, a.cover.start[-1] + b.cover.start[1:]]),
        site=np.concatenate([a.cover.site, site_b]),
        excuse=np.concatenate([a.cover.excuse, excuse_b]),
    )
    return replace(
        a,
        **joined,
        cover=cover,
        pair_point=np.concatenate([a.pair_point, b.pair_point + S]),
        pair_site=np.concatenate([a.pair_site, b.pair_site + J]),
        point_home=np.concatenate([a.point_home, np.where(b.point_home >= 0, b.point_home + J, -1)]),
        inherent=np.concatenate([a.inherent, b.inherent + np.array([0, J])]),
        today=Solution(np.concatenate([a.today.open, b.today.open]), np.concatenate([a.today.host, b.today.host + J])),
    )


def test_a_building_with_too_many_sets_is_left_out_and_nothing_false_is_proven(monkeypatch):
    p = small(0)
    c = core(p)
    best = engine.run(place(SMALL, 0).problem).value
    monkeypatch.setattr(patterns, "STEPS", 60)
    dual = ascend(c, float(best), iterations=(20, 0, 0))
    assert patterns.listed(p, c, dual, np.full(p.n_sites, 1e12)) is None
    found = enumeration.solve(p, enumeration.Effort(), plan=p.today, dual=dual, cut=c)
    assert found.bound <= best <= found.value
    assert not found.proven or found.value == best


def roomy(seed):
    """A place of twenty to thirty buildings in round figures, with the floor to host anybody anywhere for nothing."""
    p = round_places.place(seed, sites=(20, 30))
    p = replace(p, site_capacity=np.where(p.must_close, p.site_capacity, p.site_capacity + 40_000), pair_cost=p.pair_cost * 0)
    return reduce.tighten(replace(p, shares=())).problem


def test_a_dive_ends_in_a_plan_no_worse_than_the_one_in_hand_and_most_often_in_the_best():
    better = best = met = 0
    for seed in range(25):
        p = roomy(seed)
        if p.today is None or not is_pure(p):
            continue
        c = core(p)
        dual = climb(p, c, ascend(c, float(cost(p, p.today)), iterations=(50, 0, 0)), plan=p.today)
        plan = diving.improve(p, c, dual, p.today)
        optimum = highs.run(arrays(formulate(p, Measure.COST)), gap=0.0)
        least = round(formulate(p, Measure.COST).unit * optimum.value + formulate(p, Measure.COST).constant)
        met += cost(p, p.today) > least
        if plan is not None:
            assert not violations(p, plan)
            assert least <= cost(p, plan) < cost(p, p.today)
            better += 1
            best += cost(p, plan) == least
    assert met > 15
    assert better >= 0.9 * met
    assert best >= 0.6 * met


def test_where_nothing_has_a_price_the_list_of_sets_is_without_end():
    for p in map(small, range(3)):
        c = core(p)
        assert not patterns.endless(p, c, ascend(c, float(p.site_cost.sum()), iterations=(50, 0, 0)))
    none = np.zeros(18, dtype=np.int64)
    p = textbook.single_source(none[:3], none[:3] + 1_000, none + 10, np.zeros((3, 18), dtype=np.int64))
    c = core(p)
    assert patterns.endless(p, c, evaluate(c, np.zeros(p.n_points), np.zeros(len(c.row_need))))
