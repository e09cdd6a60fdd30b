"""Identical access points taken as one: the optimum and every plan's cost survive."""

from __future__ import annotations

from dataclasses import replace

import brute
import numpy as np
import pytest
import second_model

from estate.problem import CoverRows, Goal, NearRows, SideRows, Solution, cost, violations
from estate.problem.generate import Size, place
from estate.solve import engine, highs
from estate.solve.reduce import twins


def with_twins(p, which, copies=1):
    """The problem with ``copies`` more of each point in ``which``, last in order, and of the rows that they excuse."""
    point, pair = [np.arange(p.n_points)], [np.arange(p.n_pairs)]
    number = [p.pair_point]
    row, excuse = [np.arange(len(p.cover))], [p.cover.excuse]
    new, pairs = p.n_points, p.n_pairs
    for s in np.repeat(which, copies).tolist():
        mine = np.flatnonzero(p.pair_point == s)
        rests = np.flatnonzero(np.isin(p.cover.excuse, mine))
        point.append([s])
        pair.append(mine)
        number.append(np.full(len(mine), new))
        row.append(rests)
        excuse.append(pairs + np.searchsorted(mine, p.cover.excuse[rests]))
        new, pairs = new + 1, pairs + len(mine)
    s, q, r = (np.concatenate(x).astype(np.int64) for x in (point, pair, row))
    c = p.cover
    lengths = np.diff(c.start)[r]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    take = np.repeat(c.start[r] - start[:-1], lengths) + np.arange(start[-1])
    return replace(
        p,
        point_service=p.point_service[s],
        point_own=p.point_own[s],
        point_hall=p.point_hall[s],
        point_desk=p.point_desk[s],
        point_home=p.point_home[s],
        pair_point=np.concatenate(number),
        pair_site=p.pair_site[q],
        pair_cost=p.pair_cost[q],
        pair_one_off=None if p.pair_one_off is None else p.pair_one_off[q],
        site_running=None,
        pair_running=None,
        pair_apart=None,
        cover=CoverRows(c.service[r], c.need[r], start, c.site[take], np.concatenate(excuse)),
        today=None if p.today is None else Solution(p.today.open, p.today.host[s]),
    )


def twinned(seed, *, room=0.6):
    """A small problem with twins or triplets in it; ``room`` is the share of buildings that hold everybody."""
    rng = np.random.default_rng(seed)
    p = replace(brute.random_problem(seed), side=SideRows())
    if seed % 2 and p.n_points < 5:
        p = with_twins(p, rng.choice(p.n_points, size=1), copies=2)
    else:
        p = with_twins(p, rng.choice(p.n_points, size=min(2, p.n_points), replace=False))
    wide = rng.random(p.n_sites) < room
    p = replace(p, site_capacity=np.where(wide, 2_000, p.site_capacity))
    return replace(p, today=None if p.today is None or violations(p, p.today) else p.today)


def key(plan):
    return tuple(plan.host.tolist()), tuple(plan.open.tolist())


@pytest.mark.parametrize("block", range(4))
def test_twins_as_one_have_the_same_optimum_and_the_same_plans_but_those_that_part_them(block):
    merged, apart, moved = 0, 0, 0
    for seed in range(block * 100, block * 100 + 100):
        p = twinned(seed)
        joint = twins.together(p)
        if joint is None:
            apart += 1
            continue
        merged += 1
        before, after = brute.plans(p), brute.plans(joint.problem)
        assert min(before.values(), default=None) == min(after.values(), default=None), seed
        for (host, is_open), value in after.items():
            plan = joint.out(Solution(np.array(is_open), np.array(host, dtype=np.int64)))
            assert before[key(plan)] == value, seed
        for (host, is_open), value in before.items():
            plan = joint.into(Solution(np.array(is_open), np.array(host, dtype=np.int64)))
            assert after[key(plan)] <= value, seed
            moved += key(joint.out(plan))[0] != host
        if joint.problem.today is not None:
            assert not violations(joint.problem, joint.problem.today), seed
    assert merged > 20
    assert apart > 5
    assert moved > 100


def one_service(capacity, own=10, sites=2, **more):
    """Two twins of one service, at home in site 0, free to go to any; site costs 1, 2, 3... thousand."""
    point, site = np.divmod(np.arange(2 * sites), sites)
    zero = np.zeros(2, dtype=np.int64)
    p = brute.random_problem(0)
    bare = replace(
        p, n_services=1, site_cost=1_000 * np.arange(1, sites + 1), site_capacity=np.array(capacity), point_service=zero,
        point_own=zero + own, point_hall=zero, point_desk=zero, pair_point=point, pair_site=site,
        pair_cost=10 * site, point_home=zero, site_slack=np.zeros(sites, dtype=np.int64),
        must_open=np.zeros(sites, dtype=bool), must_close=np.zeros(sites, dtype=bool), cover=CoverRows(), shares=(),
        inherent=p.inherent[:0], conflict=p.conflict[:0], together=p.together[:0], side=SideRows(), near=NearRows(),
        site_one_off=None, pair_one_off=None, site_running=None, pair_running=None, pair_apart=None, today=None, goal=Goal.COST,
    )  # fmt: skip
    return replace(bare, **more)


def rows(*sites_of_row, need=1):
    start = np.concatenate([[0], np.cumsum([len(r) for r in sites_of_row])]).astype(np.int64)
    n = len(sites_of_row)
    return CoverRows(
        np.zeros(n, dtype=np.int64), np.full(n, need), start, np.concatenate(sites_of_row).astype(np.int64), np.full(n, -1)
    )


def test_twins_with_room_everywhere_are_one():
    joint = twins.together(one_service([20, 20]))
    assert joint.problem.n_points == 1
    assert joint.problem.point_own.tolist() == [20]
    assert joint.problem.pair_cost.tolist() == [0, 20]
    assert joint.speaker.tolist() == [0, 0]


def test_twins_that_fit_only_apart_stay_two():
    p = one_service([10, 10])
    assert twins.together(p) is None
    assert brute.best(p)[0] == 3_010


def test_twins_that_serve_different_people_stay_two():
    p = one_service([20, 20], cover=rows([0], [1]))
    assert twins.together(p) is None
    assert brute.best(p)[0] == 3_010


def test_a_row_that_asks_for_two_offers_keeps_twins_two():
    p = one_service([20, 20], cover=rows([0, 1], need=2))
    assert twins.together(p) is None
    assert brute.best(p)[0] == 3_010


def test_a_dearer_building_that_serves_more_keeps_twins_two():
    """One way there is no access, the other way it costs more."""
    assert twins.together(one_service([20, 20], cover=rows([1]))) is None
    assert twins.together(one_service([20, 20], cover=rows([0]))).problem.n_points == 1


def test_different_costs_or_areas_are_no_twins():
    p = one_service([20, 20])
    assert twins.together(replace(p, pair_cost=np.array([0, 10, 0, 11]))) is None
    assert twins.together(replace(p, point_desk=np.array([0, 1]))) is None
    assert twins.together(replace(p, point_home=np.array([0, 1]))) is None


@pytest.mark.parametrize("seed", range(3))
def test_the_engine_takes_twins_as_one_and_proves_the_same_value(seed, monkeypatch):
    """A fourth of the points of a generated place get a twin, in buildings with room for all."""
    p = place(Size(sites=40, zones=120, side_m=26_000), seed).problem
    p = with_twins(p, np.arange(0, p.n_points, 4))
    p = replace(p, site_capacity=np.maximum(p.site_capacity, 40_000), site_slack=np.zeros(p.n_sites, dtype=np.int64))
    p = replace(p, cover=CoverRows())  # nobody asks for access: where all cost differently, the cheapest host is best for both
    assert not violations(p, p.today)
    joined = []
    together = twins.together

    def seen(problem):
        joined.append(together(problem))
        return joined[-1]

    monkeypatch.setattr(twins, "together", seen)
    answer = engine.run(p)
    assert any(j is not None for j in joined)
    assert answer.close()
    assert cost(p, answer.plan) == answer.value
    built, columns = second_model.build(p)
    run = highs.run(built, gap=0.0)
    assert run.complete
    assert cost(p, second_model.read(p, columns, run.x)) == answer.value
