"""Set covering by our own tree against HiGHS on the model as it stands, and its parts against every choice of sites."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
import second_model

from estate.problem import textbook, violations
from estate.solve import Limits, Status, highs, solve
from estate.solve.siting import cover_search, cover_tree, covering
from estate.solve.siting.cover_search import CoverLists

BUDGET = covering.SearchLimit()


def made(seed, *, plane=False, rows=40, sites=25):
    """A covering problem: in the plane or at random, unit or general costs, sites that must be open or closed, empty rows."""
    rng = np.random.default_rng([seed, 5])
    if plane:
        at, of = rng.uniform(0, 1, (rows, 2)), rng.uniform(0, 1, (sites, 2))
        within = np.hypot(*(at[:, None] - of).transpose(2, 0, 1)) < rng.uniform(0.15, 0.4)
    else:
        within = rng.random((rows, sites)) < rng.uniform(0.05, 0.3)
    if rng.random() < 0.8:
        within[np.arange(rows), rng.integers(0, sites, rows)] = True
    p = textbook.lscp(np.where(within, 0, 1), 0)
    kind = rng.integers(0, 4)
    ones = np.ones(sites, dtype=np.int64)
    cost = [ones, rng.integers(1, 10, sites), 100 * rng.integers(0, 40, sites), rng.integers(0, 10**7, sites)][kind]
    must = rng.random((2, sites)) < rng.choice([0.0, 0.06])
    return replace(p, site_cost=cost, must_open=must[0], must_close=must[1] & ~must[0])


def by_highs(p):
    """The least cost by HiGHS, or None; every site's cost in whole numbers again."""
    a, columns = second_model.build(p)
    run = highs.run(a)
    return None if run.x is None else int(p.site_cost[second_model.read(p, columns, run.x).open].sum())


@pytest.mark.parametrize("plane", [True, False])
def test_two_hundred_covers_cost_what_highs_says(plane):
    plans = 0
    for seed in range(100):
        p = made(seed, plane=plane)
        value, answer = by_highs(p), solve(p)
        assert (answer.stopped, answer.value) == ("proven", value), seed
        if value is None:
            assert answer.status is Status.INFEASIBLE
            continue
        plans += 1
        assert answer.bound == value
        assert not violations(p, answer.solution)
    assert 40 < plans < 100


def larger(seed, rows=70, sites=50, each=5):
    """Random rows that take a tree: a gap between relaxation and optimum, and nothing to reduce."""
    rng = np.random.default_rng([seed, 6])
    site = np.concatenate([np.sort(rng.choice(sites, each, replace=False)) for _ in range(rows)])
    return CoverLists(np.arange(rows + 1) * each, site, sites)


def as_problem(rows, cost):
    within = np.zeros((len(rows), rows.J), dtype=bool)
    within[np.repeat(np.arange(len(rows)), np.diff(rows.start)), rows.site] = True
    return replace(textbook.lscp(np.where(within, 0, 1), 0), site_cost=cost)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [1, 4, 100])
def test_the_tree_agrees_without_a_good_start(seed, most):
    """From no cover at all, from the search's, and from the best; more than one node, so that every kind of branch is met."""
    rows = larger(seed)
    cost = np.random.default_rng(seed).integers(1, most + 1, rows.J)
    value = by_highs(as_problem(rows, cost))
    above = int(cost.sum()) + 1
    known = cover_search.search(rows, cost, 0, 1_000)
    for below, start in ((above, None), (int(cost[known].sum()), known), (value, None)):
        found = cover_tree.solve(rows, cost, below, start, BUDGET)
        assert found.complete
        assert found.nodes > 1 or most > 1
        assert found.bound == value
        if below > value or start is not None:
            assert cost[found.open].sum() == value
            assert (rows.sum(found.open * 1.0) > 0.5).all()
        else:
            assert found.open is None


@pytest.mark.parametrize("seed", range(6))
def test_whatever_covers_were_found_first(seed, monkeypatch):
    """Without any search for covers, and with most rows left out of the relaxation, the tree must find them itself."""
    monkeypatch.setattr(cover_tree, "STEPS", 0)
    monkeypatch.setattr(cover_tree, "CORE", 0.0)
    monkeypatch.setattr(cover_tree, "SPARE", 1.0 + 1e-9)
    rows = larger(seed, rows=50, sites=30)
    cost = np.ones(30, dtype=np.int64)
    found = cover_tree.solve(rows, cost, 31, None, BUDGET)
    assert (found.complete, found.bound, int(found.open.sum())) == (True, by_highs(as_problem(rows, cost)), found.bound)


@pytest.mark.parametrize("seed", range(8))
def test_branches_lose_no_cover(seed):
    """Each cover below the best is in a branch of the root, and no cover costs less than the bound of multipliers."""
    rows = larger(seed, rows=14, sites=10, each=3)
    cost = np.random.default_rng(seed).integers(1, 4, 10)
    lp = cover_tree._Relaxation(rows, cost / cost.max(), BUDGET)
    root = cover_tree._Node((), np.zeros(10, dtype=bool), highs.Basis())
    lp.solve(root, np.inf)
    best = cover_tree._Best(rows, cost, int(cost.sum()) + 1, None, 0.0, 0)
    branches = best.branches(root, rows)
    for n in range(1, 11):
        for choice in itertools.combinations(range(10), n):
            plan = np.isin(np.arange(10), choice)
            if (rows.sum(plan * 1.0) > 0.5).all():
                assert root.bound * cost.max() <= cost[plan].sum() + 1e-6
                inside = [not (plan & dead).any() and all(plan[row].any() for row in extra) for extra, dead in branches]
                assert any(inside) or cost[plan].sum() >= best.value


@pytest.mark.parametrize("seed", range(30))
def test_whether_so_many_are_enough(seed):
    p = made(seed, plane=seed % 2 == 0)
    p = replace(p, site_cost=np.ones(p.n_sites, dtype=np.int64))
    value = by_highs(p)
    for enough in range(12):
        found = covering.least(covering.merge.close(p, p.must_close), p.site_cost, BUDGET, enough=enough)
        if value is not None and value <= enough:
            assert found.value <= enough
        else:
            assert found.open is None or found.value > enough
            assert found.bound > enough


def test_it_stops_where_it_is_told_to_and_repeats():
    rows = larger(0, rows=120, sites=80, each=5)
    cost = np.ones(80, dtype=np.int64)
    known = cover_search.search(rows, cost, 0, 1_000)
    first, again = (cover_tree.solve(rows, cost, int(known.sum()), known, replace(BUDGET, nodes=20)) for _ in range(2))
    assert (first.nodes, first.complete) == (20, False)
    assert first.bound < first.open.sum()
    assert (first.bound, first.open.tolist()) == (again.bound, again.open.tolist())
    p = as_problem(rows, cost)
    stop = threading.Event()
    stop.set()
    for limits, halt, why in (
        (Limits(), stop, "interrupt"),
        (Limits(time_s=0.0), None, "time"),
        (Limits(work=5), None, "work"),
    ):
        answer = solve(p, limits, stop=halt)
        assert answer.stopped == why
        assert answer.bound < answer.value
        assert not violations(p, answer.solution)
    near = solve(p, Limits(gap=0.1))
    assert near.gap <= 0.1
    assert near.bound <= first.open.sum()


def test_rows_that_free_and_forced_sites_serve_leave_nothing_to_search():
    p = textbook.lscp(np.array([[0, 1, 0], [1, 0, 1]]), 0)
    assert solve(replace(p, site_cost=np.array([0, 0, 3]))).value == 0
    forced = replace(p, site_cost=np.array([2, 5, 3]), must_open=np.array([True, True, False]))
    assert (solve(forced).value, solve(forced).bound) == (7, 7)


def test_a_search_serves_every_row_and_stops_at_its_floor():
    for seed in range(20):
        rows = larger(seed, rows=60, sites=40)
        cost = np.random.default_rng(seed).integers(1, 9, 40)
        greedy, longer = (cover_search.search(rows, cost, 0, steps) for steps in (0, 2_000))
        for plan in (greedy, longer):
            assert (rows.sum(plan * 1.0) > 0.5).all()
        assert cost[longer].sum() <= cost[greedy].sum()
        floor = int(cost[greedy].sum())
        assert (cover_search.search(rows, cost, floor, 2_000) == greedy).all()


def test_a_row_that_asks_for_nothing_asks_for_nothing():
    for seed in range(20):
        p = made(seed)
        need = np.where(np.arange(len(p.cover)) % 3 == 0, 0, p.cover.need)
        some = replace(p, cover=replace(p.cover, need=need))
        assert solve(some).value == by_highs(some), seed


def test_multipliers_that_are_lost_close_no_site(monkeypatch):
    """Reduced costs prove something beside the bound of their own multipliers only, not beside that of the node above."""
    for seed in range(12):
        rows = larger(seed)
        cost = np.random.default_rng(seed).integers(1, 9, rows.J)
        truth = by_highs(as_problem(rows, cost))
        run, calls = cover_tree._Relaxation._run, itertools.count()

        def forgetful(self, node, limit, run=run, calls=calls):
            run(self, node, limit)
            if next(calls) in {1, 2, 3}:
                node.u[:] = 0.0
                node.reduced[:] = self.cost
                node.own = 0.0

        monkeypatch.setattr(cover_tree._Relaxation, "_run", forgetful)
        budget = covering.SearchLimit()
        found = cover_tree.solve(rows, cost, int(cost.sum()) + 1, None, budget)
        monkeypatch.undo()
        assert found.complete
        assert int(cost[found.open].sum()) == truth, seed
