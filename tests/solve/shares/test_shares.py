"""Share rules: the reduction against every plan, the proof against every plan and against HiGHS."""

from __future__ import annotations

from dataclasses import replace

import brute
import numpy as np
import pytest
import second_model

from estate.problem import CoverRows, ShareRule, SideRows, Solution, cost, offered, violations
from estate.problem.generate import Size, place
from estate.solve import highs, reduce
from estate.solve.columns import patterns
from estate.solve.columns.core import core
from estate.solve.columns.lagrangian import ascend, evaluate
from estate.solve.reduce import items
from estate.solve.shares import offers, separation
from estate.solve.shares import search as shares
from estate.solve.shares.rounding_cuts import OddCut
from estate.solve.watch import Clock

SMALL = Size(sites=16, zones=40, side_m=15_000)


def with_rules(seed):
    """A random problem of the core alone with share rules that bind, any of its plans, and its optimum."""
    p = brute.random_problem(seed)
    none = np.zeros((0, 3), dtype=np.int64)
    p = replace(p, side=SideRows(), conflict=none, together=none)
    rng = np.random.default_rng(seed)
    if not p.shares:
        start, site = brute._lists(rng, 6, p.n_sites, 0.4)
        p = replace(p, shares=(ShareRule("more", 0, rng.integers(1, 50, 6) * 2, start, site, 60),))
    every = brute.everything(p)
    at = np.flatnonzero(every.feasible)
    if not len(at) or not p.n_points or p.must_close.any():
        return None
    worst, best = (at[i] for i in (every.keys[at, 0].argmax(), every.keys[at, 0].argmin()))
    return p, Solution(every.open[worst], every.host[worst]), int(every.keys[best, 0])


def tightened(p):
    """The problem with its share rules reduced, and nothing else."""
    light = items.lighter(p, np.zeros(p.n_points, dtype=bool))
    return p if light is None else light.problem


def test_reduction_leaves_the_same_plans():
    fewer = 0
    for seed in range(600):
        p = brute.random_problem(seed)
        if p.shares:
            small = tightened(p)
            assert np.array_equal(brute.everything(p).feasible, brute.everything(small).feasible), seed
            fewer += sum(len(r.weight) for r in p.shares) - sum(len(r.weight) for r in small.shares)
    assert fewer > 500


def test_an_item_that_may_not_be_missed_becomes_a_row():
    p = place(SMALL, 1).problem
    reaches = ([3], [3, 5], [5, 8], [3, 5, 8, 9], [2])
    start = np.concatenate([[0], np.cumsum([len(i) for i in reaches])])
    k = int(p.point_service[0])
    given = np.column_stack([np.full(5, k), [2, 3, 5, 8, 9]])  # so that every site can offer it
    rule = ShareRule("r", k, np.array([40, 40, 40, 20, 60]), start, np.concatenate(reaches), 120)
    p = replace(p, cover=CoverRows(), shares=(rule,), inherent=given, must_open=np.zeros(p.n_sites, dtype=bool))
    small = tightened(p)
    # Missing {3, 5} loses 80 in all, which is spare; missing {3, 5, 8, 9} loses 140, which is not.
    rows = [tuple(small.cover.site[small.cover.start[r] : small.cover.start[r + 1]]) for r in range(len(small.cover))]
    assert (3, 5, 8, 9) in rows
    assert (3, 5) not in rows
    assert sorted(small.shares[0].weight.tolist()) == [2, 2, 2, 3]  # in twenties
    assert int(small.shares[0].weight.sum()) - small.shares[0].required == 4


def test_proofs_agree_with_looking_at_every_plan():
    proven = 0
    for seed in range(400):
        made = with_rules(seed)
        if made is None:
            continue
        p, start, value = made
        found = shares.solve(p, shares.ShareEffort(iterations=(15, 15, 15), climbs=3), plan=start)
        assert not violations(p, found.plan), seed
        assert cost(p, found.plan) == found.value, seed
        assert found.bound <= value, seed
        if found.proven:
            assert found.value == value, seed
            proven += 1
    assert proven > 200


@pytest.mark.parametrize("seed", range(6))
def test_a_small_place_is_solved_to_the_optimum_that_highs_finds(seed):
    p = place(SMALL, seed, share=0.9).problem
    found = shares.solve(p, shares.ShareEffort(), plan=p.today)
    a, _ = second_model.build(p)
    ran = highs.run(a)
    assert found.proven
    assert found.value == round(ran.value / second_model.MONEY)
    assert not violations(p, found.plan)


def test_few_sets_and_few_nodes_give_bounds_that_hold():
    """Lists cut short, no nodes to speak of, multipliers hardly moved: the bound is lower, never wrong."""
    open_ = 0
    for seed in range(4):
        p = place(SMALL, seed, share=0.9).problem
        value = shares.solve(p, shares.ShareEffort(), plan=p.today).value
        for sets, nodes, iterations in ((40, 50, (5, 0, 0)), (200, 1, (20, 10, 0)), (2_000_000, 2, (1, 0, 0))):
            effort = shares.ShareEffort(sets=sets, nodes=nodes, iterations=iterations, dives=(), sweeps=0)
            found = shares.solve(p, effort, plan=p.today)
            assert found.bound <= value, (seed, sets)
            assert found.value >= value, (seed, sets)
            open_ += not found.proven
    assert open_ > 3


def kept(p, links, lp, cut, plan, there):
    """Whether a plan keeps an odd cut, worked out from the plan's buildings one by one."""
    S, J = p.n_points, p.n_sites
    weight = np.zeros(S + J + lp.n_links, dtype=np.int64)
    np.add.at(weight, cut.row, cut.weight)
    by_site = np.zeros(J, dtype=np.int64)
    np.add.at(by_site, plan.host, weight[:S])
    by_site[plan.open] += weight[S : S + J][plan.open]
    offers = links.cover.excuse < 0
    service, site = links.cover.service[offers], links.cover.site[offers]
    np.add.at(by_site, site, np.where(there[service, site], weight[S + J :][offers], 0))
    missed = np.concatenate([
        [not there[rule.service, rule.site[rule.start[i] : rule.start[i + 1]]].any() for i in range(len(rule.weight))]
        for rule in p.shares
    ])  # fmt: skip
    return (-(-by_site // cut.divisor)).sum() + missed[cut.missed - lp.n_links].sum() >= cut.lower


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_breaks_an_odd_cut(seed):
    p = reduce.tighten(place(SMALL, seed, share=0.9).problem).problem
    links = offers.linked(p)
    c = core(links)
    dual = ascend(core(p), float(cost(p, p.today)), iterations=(30, 30, 0))
    dual = replace(evaluate(c, dual.point, np.zeros(len(links.cover))), bound=0.0)
    plan = shares.solve(p, shares.ShareEffort(), plan=p.today).plan
    found = patterns.with_plan(links, c, patterns.worth_keeping(links, c, dual, 1.2 * cost(p, p.today), most=200_000), plan)
    lp = offers.OfferMaster(p, links, c, found)
    lp.solve(lambda: False)
    cuts: list[OddCut] = []
    for _ in range(4):
        more = separation.odd_cuts(lp)
        for cut in more:
            lp.cut(cut)
        cuts += more
        # A cut is a row over sets and misses: the plan must keep it, whatever the programme says.
        there = offered(p, plan)
        for cut in more:
            assert kept(p, links, lp, cut, plan, there), (seed, cut)
        before = lp.bound
        lp.solve(lambda: False)
        assert lp.bound >= before - 1e-6
        assert lp.bound / second_model.MONEY <= cost(p, plan) + 1
    # What a programme made anew with the cuts is worth is what it was worth when they came one by one.
    again = offers.OfferMaster(p, links, c, found, cuts)
    again.solve(lambda: False)
    assert again.bound == pytest.approx(lp.bound, rel=1e-6)


def test_a_work_limit_repeats():
    p = place(Size(sites=36, zones=80, side_m=22_000), 1, share=0.95).problem
    one, two = (shares.solve(p, shares.ShareEffort(nodes=5, sweeps=1), plan=p.today) for _ in range(2))
    assert (one.value, one.bound, one.nodes) == (two.value, two.bound, two.nodes)
    assert np.array_equal(one.plan.host, two.plan.host)


def test_a_stop_gives_the_plan_so_far():
    p = place(SMALL, 1, share=0.9).problem
    found = shares.solve(p, shares.ShareEffort(clock=Clock(stop=lambda: True)), plan=p.today)
    assert not found.proven
    assert not violations(p, found.plan)


def test_a_problem_that_the_core_leaves_out_is_refused():
    p = place(SMALL, 1, share=0.9).problem
    with pytest.raises(ValueError, match="cover rows only"):
        shares.solve(replace(p, conflict=np.array([[0, 1, 2]])), shares.ShareEffort(), plan=p.today)


def test_a_plan_that_earns_more_than_it_costs():
    """Values below 0: what is free to be dearer is still above them."""
    proven = 0
    for seed in range(40):
        made = with_rules(seed)
        if made is None:
            continue
        p, start, value = made
        less = 2 * cost(p, start) // p.n_points + 1
        found = shares.solve(replace(p, pair_cost=p.pair_cost - less), shares.ShareEffort(), plan=start)
        value -= less * p.n_points
        assert found.bound <= value + 1e-3 <= found.value + 1e-3, seed
        proven += found.proven
        assert not found.proven or found.value == value, seed
    assert proven > 15
