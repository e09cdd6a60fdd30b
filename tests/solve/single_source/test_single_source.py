"""Single-source location and p-median: the search, and each bound it rests on, against looking at every plan and HiGHS."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import second_model

from estate.problem import Goal, SideRows, Solution, cost, textbook, violations
from estate.solve import highs, single_source
from estate.solve.answer import value_of
from estate.solve.single_source.fixing import fix, force
from estate.solve.single_source.instance import GREATEST, NEVER, first_state, location, suits
from estate.solve.single_source.knapsack import GRAIN, best_set, dantzig, labels, sort_by_rate
from estate.solve.single_source.lagrangian import ascend, list_pairs, relax, scratch
from estate.solve.single_source.rounding import round_off
from estate.solve.watch import Clock

SPACE = labels()


def instance(seed, *, sites=(2, 5), clients=(2, 6), scale=1):
    """A small problem: capacities from far too little to plenty, sites decided, pairs missing, numbers of sites asked for."""
    rng = np.random.default_rng(seed)
    J, S = int(rng.integers(*sites)), int(rng.integers(*clients))
    demand = rng.integers(0 if seed % 5 == 0 else 1, 9, S)
    room = rng.choice([0.9, 1.1, 1.4, 2.5, 9.0]) * demand.sum() / J
    capacity = np.maximum(1, np.round(room * rng.uniform(0.7, 1.4, J))).astype(np.int64)
    fixed, assign = rng.integers(0, rng.choice([2, 40]), J) * scale, rng.integers(-3, 30, (J, S)) * scale
    p = textbook.single_source(fixed, capacity, demand, assign)
    if seed % 3 == 0:
        decided = rng.random(J)
        p = replace(p, must_open=decided < 0.2, must_close=decided > 0.85)
    if seed % 4 == 0:
        keep = rng.random(p.n_pairs) < 0.8
        p = replace(p, pair_point=p.pair_point[keep], pair_site=p.pair_site[keep], pair_cost=p.pair_cost[keep])
    if seed % 7 == 0:
        p = replace(p, side=counted(J, *sorted(rng.integers(0, J + 1, 2))))
    return p


def counted(J, least, most):
    """A row that asks for a number of open sites."""
    return SideRows(("sites",), np.array([float(least)]), np.array([float(most)]), np.array([0, J]), np.arange(J), np.ones(J))


def every_plan(p):
    """Open sites (N, J), hosts (N, S) and cost (N,) of every plan; only what is feasible."""
    J, S = p.n_sites, p.n_points
    least, most = (0, J) if not len(p.side) else (p.side.lower[0], p.side.upper[0])
    table = np.full((S, J), -1)
    table[p.pair_point, p.pair_site] = np.arange(p.n_pairs)
    hosts = np.array(list(itertools.product(*(p.pair_site[p.pair_point == s] for s in range(S)))), dtype=np.int64).reshape(
        -1, S
    )
    pair = table[np.arange(S), hosts]
    load = np.zeros((len(hosts), J), dtype=np.int64)
    np.add.at(load, (np.arange(len(hosts))[:, None], hosts), p.point_own)
    fits = (load <= p.site_capacity).all(axis=1)
    hosts, worth = hosts[fits], p.pair_cost[pair[fits]].sum(axis=1)
    used = (hosts[:, :, None] == np.arange(J)).any(axis=1)
    found = []
    for mask in itertools.product([False, True], repeat=J):
        is_open = np.array(mask)
        if (p.must_open & ~is_open).any() or (p.must_close & is_open).any() or not least <= is_open.sum() <= most:
            continue
        ok = ~(used & ~is_open).any(axis=1)
        found.append((np.tile(is_open, (ok.sum(), 1)), hosts[ok], worth[ok] + p.site_cost[is_open].sum()))
    if not found:
        return np.zeros((0, J), dtype=bool), np.zeros((0, S), dtype=np.int64), np.zeros(0, dtype=np.int64)
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def check_answer(p, found, best, seed):
    """The plan is feasible, worth what it says and best; or there is none, and that is proven."""
    assert found.ended == ("infeasible" if best is None else "proven"), seed
    if best is None:
        assert found.solution is None, seed
        assert found.bound == np.inf, seed
        return
    assert not violations(p, found.solution), seed
    assert value_of(p, found.solution) == found.value == found.bound == best, seed


def test_search_has_the_optimum_of_looking_at_every_plan():
    feasible = 0
    for seed in range(600):
        p = instance(seed)
        assert suits(p)
        worth = every_plan(p)[2]
        best = int(worth.min()) if len(worth) else None
        feasible += best is not None
        check_answer(p, single_source.solve(p), best, seed)
    assert 250 < feasible < 550  # both kinds are well met


@pytest.mark.parametrize("scale", [7, 4 * 10**9])
def test_costs_of_any_size(scale):
    """Values come in steps of the scale; the greatest plans cost nearly what :func:`suits` allows."""
    for seed in range(40):
        p = instance(seed, scale=scale)
        worth = every_plan(p)[2]
        check_answer(p, single_source.solve(p), int(worth.min()) if len(worth) else None, seed)


def test_every_forced_bound_is_below_the_best_plan_so_forced():
    """At multipliers good and bad: of the whole, of each site open and closed, of each pair."""
    tight = 0
    for seed in range(250):
        p = instance(seed)
        is_open, host, worth = every_plan(p)
        place, state = location(p), first_state(p)
        lists = list_pairs((place.cost < NEVER) & (state >= 0)[:, None])
        J, S = place.cost.shape
        work = scratch(J, S, SPACE)
        u = np.round(np.random.default_rng(seed).uniform(-10, 40, S) / GRAIN) * GRAIN
        for turns, exact in ((0, True), (3, False), (40, True), (0, False)):
            if turns:
                ascend(place, lists, state, u, np.inf, turns, 1.0, 5, np.inf, work)
            if_open, if_closed, if_there = np.zeros(J), np.zeros(J), np.zeros(len(lists.who))
            bound = force(place, lists, state, u, exact, work, if_open, if_closed, if_there)

            def least(which, worth=worth):
                return worth[which].min() if which.any() else np.inf

            assert bound <= least(np.ones(len(worth), dtype=bool)), seed
            for j in range(J):
                assert if_open[j] <= least(is_open[:, j]), (seed, j)
                assert if_closed[j] <= least(~is_open[:, j]), (seed, j)
            site = np.repeat(np.arange(J), np.diff(lists.first))
            for e, s in enumerate(lists.who):
                assert if_there[e] <= least(host[:, s] == site[e]), (seed, site[e], s)
            tight += turns == 40 and len(worth) > 0 and bound > 0.98 * worth.min()
    assert tight > 80  # bounds that hold and say something


def test_what_is_fixed_holds_in_every_better_plan():
    fixed = 0
    for seed in range(250):
        p = instance(seed)
        is_open, host, worth = every_plan(p)
        if not len(worth):
            continue
        place, state = location(p), first_state(p)
        alive = (place.cost < NEVER) & (state >= 0)[:, None]
        lists = list_pairs(alive)
        J, S = place.cost.shape
        work, u = scratch(J, S, SPACE), np.zeros(S)
        ascend(place, lists, state, u, float(worth.min()), 40, 1.0, 5, np.inf, work)
        better = worth <= worth.min()
        # No plan is cheaper than the best, so what is fixed at the best itself keeps every best plan.
        bound, sites, pairs = fix(place, lists, state, alive, u, float(worth.min()), work)
        assert bound <= worth.min(), seed
        assert not (is_open[better][:, state < 0]).any(), seed
        assert alive[host[better], np.arange(S)].all(), seed
        for j in np.flatnonzero(state > 0):  # open, or closed for nothing: a site of no cost may be either
            assert is_open[better][:, j].all() or place.site_cost[j] == 0, (seed, j)
        fixed += sites + pairs
    assert fixed > 1_000


def test_narrowing_keeps_every_plan_as_good():
    dropped = 0
    for seed in range(250):
        p = instance(seed)
        is_open, host, worth = every_plan(p)
        if not len(worth):
            continue
        value = int(np.sort(worth)[min(len(worth) - 1, seed % 3)])  # the best, or nearly
        left = single_source.narrow(p, value)
        still = np.zeros((p.n_points, p.n_sites), dtype=bool)
        still[left.pair_point, left.pair_site] = True
        good = worth <= value
        assert still[np.arange(p.n_points), host[good]].all(), seed
        assert not (left.must_open & ~is_open[good]).any(), seed
        assert not (left.must_close & is_open[good]).any(), seed
        dropped += p.n_pairs - left.n_pairs
    assert dropped > 500


def test_knapsack_has_the_best_of_all_sets():
    rng = np.random.default_rng(1)
    for _ in range(400):
        n, room = int(rng.integers(1, 11)), int(rng.integers(0, 60))
        area = rng.integers(0, 20, n)
        profit = np.round(rng.uniform(0.1, 30, n) / GRAIN) * GRAIN
        skip = int(rng.integers(-1, n))
        order = sort_by_rate(profit, area, np.arange(n), np.zeros(n))
        chosen = np.zeros(n, dtype=np.int64)
        value, size = best_set(profit, area, order, room, skip, chosen, SPACE)
        sets = np.array(list(itertools.product([0, 1], repeat=n)))
        sets = sets[(sets @ area <= room) & ((sets[:, skip] == 0) | (skip < 0))]
        assert value == (sets @ profit).max()
        picked = chosen[:size]
        assert len(set(picked.tolist())) == size
        assert skip not in picked
        assert area[picked].sum() <= room
        assert profit[picked].sum() == value
        assert dantzig(profit, area, order, room, skip) >= value


def test_a_knapsack_out_of_room_for_labels_gives_a_bound():
    rng = np.random.default_rng(2)
    area = rng.integers(50, 99, 30)
    profit = np.round((area + rng.uniform(0, 3, 30)) / GRAIN) * GRAIN
    order = sort_by_rate(profit, area, np.arange(30), np.zeros(30))
    chosen = np.zeros(30, dtype=np.int64)
    exact, _ = best_set(profit, area, order, 700, -1, chosen, SPACE)
    bound, size = best_set(profit, area, order, 700, -1, chosen, labels(60))
    assert profit[chosen[:size]].sum() <= exact <= bound
    assert area[chosen[:size]].sum() <= 700


def test_rounding_gives_plans():
    """From any multipliers: feasible, and worth what it says."""
    found = 0
    for seed in range(300):
        p = instance(seed, sites=(3, 8), clients=(4, 20))
        place, state = location(p), first_state(p)
        lists = list_pairs((place.cost < NEVER) & (state >= 0)[:, None])
        J, S = place.cost.shape
        work = scratch(J, S, SPACE)
        u = np.round(np.random.default_rng(seed).uniform(0, 40, S) / GRAIN) * GRAIN
        if relax(place, lists, state, u, work) == np.inf:
            continue
        is_open, host = np.zeros(J, dtype=bool), np.zeros(S, dtype=np.int64)
        value = round_off(place, lists, state, work, is_open, host, seed % 2 == 0)
        if value < np.inf:
            plan = Solution(is_open, host)
            assert not violations(p, plan), seed
            assert cost(p, plan) == value, seed
            found += 1
    assert found > 150


def test_larger_ones_have_the_optimum_that_highs_proves():
    for seed in range(1000, 1030):  # 1029: the sites that may be open together have no room for all
        p = instance(seed, sites=(4, 11), clients=(8, 26))
        built, _ = second_model.build(p)
        run = highs.run(built)
        assert run.complete
        best = None if run.x is None else round(run.value / second_model.MONEY)
        check_answer(p, single_source.solve(p), best, seed)


def test_uncapacitated_and_medians_have_the_best_choice_of_sites():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        J, S = int(rng.integers(2, 9)), int(rng.integers(2, 15))
        fixed, assign = rng.integers(0, 60, J), rng.integers(0, 50, (J, S))
        choices = [list(c) for n in range(1, J + 1) for c in itertools.combinations(range(J), n)]
        best = min(fixed[c].sum() + assign[c].min(axis=0).sum() for c in choices)
        p = textbook.uncapacitated(fixed, assign)
        check_answer(p, single_source.solve(p), best, seed)
        count, weight = int(rng.integers(1, J + 1)), rng.integers(1, 9, S)
        best = min((weight * assign[c].min(axis=0)).sum() for c in choices if len(c) == count)
        p = textbook.p_median(assign.T, weight, count)
        check_answer(p, single_source.solve(p), best, seed)


def hard():
    """One that takes some nodes: clients about town, demands by which they pay to travel."""
    rng = np.random.default_rng(6)
    here, there = rng.uniform(0, 100, (14, 2)), rng.uniform(0, 100, (40, 2))
    demand = rng.integers(5, 36, 40)
    capacity = np.full(14, demand.sum() * 2 // 14)
    assign = np.round(np.hypot(*(here[:, None] - there).transpose(2, 0, 1)) * demand / 10).astype(np.int64)
    return textbook.single_source(rng.integers(200, 400, 14), capacity, demand, assign)


def test_limits_leave_a_plan_and_a_bound_that_hold():
    p = hard()
    best = single_source.solve(p)
    assert best.nodes > 8
    cut = single_source.solve(p, nodes=2)
    assert cut.ended == "work"
    assert cut.nodes == 2
    assert cut.bound <= best.value <= cut.value
    assert not violations(p, cut.solution)
    for limit in (Clock(until=0.0), Clock(stop=lambda: True)):
        first = single_source.solve(p, clock=limit)
        assert first.ended in {"time", "interrupt"}
        assert first.nodes == 1
        assert first.bound <= best.value <= first.value
    near = single_source.solve(p, gap=0.02)
    assert near.ended == "gap"
    assert near.nodes < best.nodes
    assert near.value - near.bound <= 0.02 * near.value
    assert near.bound <= best.value <= near.value


def test_a_search_repeats_starts_from_a_plan_and_tells_what_it_sees():
    p = hard()
    seen = []
    a = single_source.solve(p, saw=lambda plan, bound: seen.append((None if plan is None else cost(p, plan), bound)))
    b = single_source.solve(p)
    assert a.nodes == b.nodes
    assert (a.solution.host == b.solution.host).all()
    assert all(x >= y for (x, _), (y, _) in itertools.pairwise(seen))
    assert all(x <= y for (_, x), (_, y) in itertools.pairwise(seen))
    assert seen[-1] == (a.value, a.value)
    again = single_source.solve(p, start=a.solution, nodes=1)
    assert again.value == a.value
    nonsense = Solution(np.zeros(p.n_sites, dtype=bool), np.zeros(p.n_points, dtype=np.int64))
    assert single_source.solve(p, start=nonsense).value == a.value


def test_a_decision_both_ways_is_no_plan():
    p = hard()
    both = np.arange(p.n_sites) == 2
    found = single_source.solve(replace(p, must_open=both, must_close=both))
    assert found.ended == "infeasible"
    assert found.solution is None


def test_only_location_suits():
    p = hard()
    assert suits(p)
    J, S = p.n_sites, p.n_points
    weighed = SideRows(("budget",), np.array([-np.inf]), np.array([9.0]), np.array([0, J]), np.arange(J), np.arange(J) + 1.0)
    for change in (
        {"point_hall": np.ones(S, dtype=np.int64)},
        {"point_desk": np.ones(S, dtype=np.int64)},
        {"site_slack": np.ones(J, dtype=np.int64)},
        {"goal": Goal.FARTHEST},
        {"inherent": np.array([[0, 1]])},
        {"conflict": np.array([[0, 0, 1]])},
        {"side": weighed},
        {"site_cost": -p.site_cost},
        {"site_cost": np.full(J, int(GREATEST))},
    ):
        other = replace(p, **change)
        assert not suits(other), change
        with pytest.raises(ValueError, match="not single-source location"):
            single_source.solve(other)
