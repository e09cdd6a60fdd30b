"""Branch and price: its bounds at every node, its plans and its proofs, against looking at every plan and against HiGHS."""

from __future__ import annotations

from dataclasses import replace

import brute
import numpy as np
import pytest
import round_places

from estate.model import Measure, formulate
from estate.model.arrays import arrays
from estate.problem import SideRows, cost, violations
from estate.solve import engine, highs, reduce
from estate.solve.columns import branch_and_price, diving, patterns
from estate.solve.columns.boxstep import climb
from estate.solve.columns.core import core
from estate.solve.columns.lagrangian import ascend, evaluate
from estate.solve.columns.node_master import NodeMaster


def pure(seed):
    """A random problem without share rules that the core holds whole, and all its plans; None without one."""
    p = brute.random_problem(seed)
    none = np.zeros((0, 3), dtype=np.int64)
    p = replace(p, side=SideRows(), conflict=none, together=none, shares=())
    if not p.n_points:
        return None
    found = brute.everything(p)
    if not found.feasible.any():
        return None
    value, plan = brute.best(replace(p, goal="cost"))
    assert value == found.keys[found.feasible, 1].min()
    return p, found, plan


def prices(p, c, rng):
    """Multipliers of some size, good or bad."""
    scale = float(np.abs(p.site_cost).mean()) + 1.0
    return evaluate(c, rng.normal(scale / 3, scale, c.n_points), np.abs(rng.normal(0, scale / 3, len(c.row_need))))


def somewhere(lp, groups, rng):
    """A node with some buildings, numbers and pairs decided, at random."""
    p = lp.problem
    J, G = p.n_sites, len(groups)
    node = lp.root(prices(p, lp.core, rng))
    lower, upper = node.lower.copy(), node.upper.copy()
    side = rng.integers(0, 5, J)
    lower[:J][(side == 0) & (upper[:J] > 0)] = 1.0
    upper[:J][(side == 1) & (lower[:J] < 1)] = 0.0
    for g in range(G):
        most = groups[g].sum()
        lower[J + g] = rng.integers(0, most + 1)
        upper[J + g] = rng.integers(lower[J + g], most + 1)
    barred = rng.random(len(lp.core.slot_point)) < 0.15
    return replace(node, lower=lower, upper=upper, barred=barred)


def test_whatever_the_prices_a_node_is_bounded_by_them():
    """No plan that keeps a node's decisions costs less than its bound, before or after sets are priced in."""
    met = tight = 0
    for seed in range(60):
        if (case := pure(seed)) is None:
            continue
        p, every, plan = case
        rng = np.random.default_rng(seed)
        c = core(p)
        groups = rng.random((2, p.n_sites)) < 0.6
        lp = NodeMaster(p, c, prices(p, c, rng), plan, groups)
        for _ in range(4):
            node = somewhere(lp, groups, rng)
            J = p.n_sites
            counted = np.concatenate([every.open, every.open.astype(int) @ groups.T], axis=1)
            keeps = every.feasible & (counted >= node.lower).all(axis=1) & (counted <= node.upper).all(axis=1)
            barred = np.flatnonzero(node.barred)
            keeps &= ~(every.host[:, c.slot_point[barred]] == c.slot_site[barred]).any(axis=1)
            least = every.keys[keeps, 1].min() if keeps.any() else np.inf
            count = rng.normal(0, float(np.abs(p.site_cost).mean()) + 1.0, len(groups))
            found, _ = lp.price(node, node.dual.point, node.dual.row, count)
            assert found.bound <= least + 1e-3, seed
            solved, look = lp.solve(replace(node, dual=replace(found, bound=-np.inf)), 40, np.inf)
            assert solved.dual.bound <= least + 1e-3, seed
            assert len(look.opened) == J + len(groups)
            met += keeps.any()
            tight += bool(keeps.any() and solved.dual.bound >= 0.98 * least)
    assert met > 30
    assert tight > 0.3 * met


def test_it_proves_what_looking_at_every_plan_shows():
    met = proven = 0
    for seed in range(60):
        if (case := pure(seed)) is None:
            continue
        p, every, _ = case
        dearest = np.flatnonzero(every.feasible)[every.keys[every.feasible, 1].argmax()]
        start = brute.Solution(every.open[dearest], every.host[dearest])
        best = every.keys[every.feasible, 1].min()
        c = core(p)
        heard = []
        found = branch_and_price.search(
            p, c, ascend(c, float(cost(p, start)), iterations=(20, 0, 0)), start, nodes=300,
            told=lambda plan, bound, heard=heard: heard.append((plan, bound)),
        )  # fmt: skip
        assert found.bound <= best + 1e-3, seed
        assert all(bound <= best + 1e-3 for _, bound in heard), seed
        assert found.value >= best, seed
        if found.plan is not None:
            assert not violations(p, found.plan)
            assert cost(p, found.plan) == found.value
        if found.complete:
            assert found.value == best, seed
        met += 1
        proven += found.complete
    assert met > 30
    assert proven > 0.9 * met


def roomy(seed):
    """Twenty to thirty buildings in round figures, with the floor to host anybody anywhere for nothing."""
    p = round_places.place(seed, sites=(20, 30))
    p = replace(p, site_capacity=np.where(p.must_close, p.site_capacity, p.site_capacity + 40_000), pair_cost=p.pair_cost * 0)
    return reduce.tighten(replace(p, shares=())).problem


def test_where_sets_tie_without_end_it_agrees_with_highs():
    met = proven = 0
    for seed in range(16):
        p = roomy(seed)
        if p.today is None:
            continue
        c = core(p)
        dual = climb(p, c, ascend(c, float(cost(p, p.today)), iterations=(50, 0, 0)), plan=p.today)
        found = branch_and_price.search(p, c, dual, p.today, nodes=60)
        f = formulate(p, Measure.COST)
        best = cost(p, f.solution(highs.run(arrays(f), options={"mip_abs_gap": 0.5}).x))
        assert found.bound <= best + 0.5, seed
        assert found.value >= best, seed
        if found.complete:
            assert found.value == best, seed
        met += 1
        proven += found.complete
    assert met > 8
    assert proven >= 0.6 * met


@pytest.mark.parametrize("block", range(4))
def test_the_engine_is_true_where_it_takes_every_place_to_tie(block, monkeypatch):
    """Its dive, its neighbourhoods and its tree on places of the real type: negative costs, twins, excuses, locks."""
    monkeypatch.setattr(patterns, "endless", lambda *_: True)
    monkeypatch.setattr(engine, "TIED", (4, 7))
    monkeypatch.setattr(engine, "AT_ONCE", 8)
    if block % 2:
        monkeypatch.setattr(engine, "WHOLE", 3)
    proven = 0
    for seed in range(block, 60, 4):
        p = replace(round_places.place(seed), shares=())
        f = formulate(p, Measure.COST)
        best = cost(p, f.solution(highs.run(arrays(f), options={"mip_abs_gap": 0.5}).x))
        found = engine.run(p, work=60)
        assert not violations(p, found.plan)
        assert found.bound <= best + 0.5, seed
        assert found.value == cost(p, found.plan) >= best
        if found.close():
            assert found.value == best, seed
            proven += 1
    assert proven >= 10


def test_groups_are_buildings_that_may_take_one_anothers_place():
    p = round_places.place(3)
    p = replace(p, must_open=np.arange(p.n_sites) == 0)
    found = branch_and_price.groups(p)
    assert len(found)
    assert not found[:, 0].any()
    assert (found.sum(axis=1) > 1).all()
    assert len(np.unique(found, axis=0)) == len(found)


def test_a_dive_reads_a_plan_only_where_the_programme_is_one():
    p = roomy(0)
    c = core(p)
    dual = ascend(c, float(cost(p, p.today)), iterations=(5, 0, 0))
    lp = NodeMaster(p, c, dual, p.today)
    node, look = lp.solve(lp.root(dual), 40, np.inf)
    plan = diving.read(lp, replace(look, helped=1.0))
    assert plan is None
    fixed = replace(node, lower=np.where(p.today.open, 1.0, 0.0), upper=np.where(p.today.open, 1.0, 0.0))
    here = np.flatnonzero(p.today.host[c.slot_point] != c.slot_site)
    fixed.barred[here] = True
    _, look = lp.solve(fixed, 40, np.inf)
    plan = diving.read(lp, look)
    assert plan is not None
    assert (plan.host == p.today.host).all()
    assert (plan.open == p.today.open).all()
