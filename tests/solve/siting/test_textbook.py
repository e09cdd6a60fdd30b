"""The textbook models against looking at every choice of sites, the plain programme, and spopt."""

from __future__ import annotations

import itertools
import json
import sys
import threading
from dataclasses import replace

import brute
import numpy as np
import pytest
import second_model
from repository import ROOT

from estate.problem import CoverRows, Goal, NearRows, ShareRule, SideRows, near_distance, offered, textbook, violations
from estate.solve import Limits, Status, highs, solve
from estate.solve.siting import choose_sites, merge, p_median

sys.path.insert(0, str(ROOT / "scripts"))

from bench.spopt import shared


def solved(p, unit=1.0):
    a, columns = second_model.build(p)
    run = highs.run(a)
    plan = second_model.read(p, columns, run.x)
    assert not violations(p, plan)
    return round(run.value / unit), plan


@pytest.fixture(params=range(6))
def place(request):
    rng = np.random.default_rng(request.param)
    clients, sites = rng.uniform(0, 1000, (14, 2)), rng.uniform(0, 1000, (7, 2))
    distance = np.round(np.hypot(*(clients[:, None] - sites).transpose(2, 0, 1))).astype(np.int64)
    return distance, rng.integers(1, 50, 14)


def choices(n, p):
    return [list(c) for c in itertools.combinations(range(n), p)]


def test_lscp(place):
    distance, _ = place
    limit = int(distance.min(axis=1).max()) + 60
    value, _ = solved(textbook.lscp(distance, limit), second_model.MONEY)
    least = next(p for p in range(1, 8) if any((distance[:, c] <= limit).any(axis=1).all() for c in choices(7, p)))
    assert value == least


def test_mclp(place):
    distance, weight = place
    value, _ = solved(textbook.mclp(distance, weight, 250, 2))
    assert -value == max(weight[(distance[:, c] <= 250).any(axis=1)].sum() for c in choices(7, 2))


def test_p_median(place):
    distance, weight = place
    value, _ = solved(textbook.p_median(distance, weight, 3))
    assert value == min(weight @ distance[:, c].min(axis=1) for c in choices(7, 3))


def test_p_center(place):
    distance, _ = place
    p = textbook.p_center(distance, 3)
    value, plan = solved(p)
    assert value == min(distance[:, c].min(axis=1).max() for c in choices(7, 3))
    assert near_distance(p, offered(p, plan)).max() == value


def test_single_source():
    rng = np.random.default_rng(4)
    fixed, capacity = rng.integers(20, 60, 4) * 1000, rng.integers(12, 25, 4)
    demand, assign = rng.integers(2, 9, 6), rng.integers(1, 30, (4, 6)) * 1000
    best = None
    for host in itertools.product(range(4), repeat=6):
        load = np.bincount(host, demand, 4)
        if (load <= capacity).all():
            value = fixed[sorted(set(host))].sum() + assign[list(host), range(6)].sum()
            best = value if best is None else min(best, value)
    value, _ = solved(textbook.single_source(fixed, capacity, demand, assign), second_model.MONEY)
    assert value == best


# --- against spopt ---------------------------------------------------------------------------------------------------

EXPECTED = json.loads((ROOT / "tests" / "spopt_expected.json").read_text())
SHARED = {instance.name: instance for instance in shared()}


def test_spopt_was_asked_every_instance():
    assert set(EXPECTED["values"]) == set(SHARED)
    assert len(SHARED) == 30


@pytest.mark.parametrize("name", SHARED)
def test_spopt_finds_the_same_value(name):
    """Its values are kept, with the versions that gave them; `scripts/benchmark spopt` asks it again."""
    answer = solve(SHARED[name].problem())
    assert answer.stopped == "proven"
    assert answer.value == EXPECTED["values"][name]


# --- sites as the only decision --------------------------------------------------------------------------------------


def only_sites(seed, goal):
    """Sites and nothing else: two services, forced and forbidden sites, a count, equal rows, dominated sites, ties."""
    rng = np.random.default_rng([seed, 7])
    J, R, K = int(rng.integers(1, 8)), int(rng.integers(1, 12)), int(rng.integers(1, 3))
    everywhere = goal is Goal.TRAVEL or rng.random() < 0.5
    inherent = np.argwhere((rng.random((K, J)) < 0.8) | everywhere)
    offers = np.zeros((K, J), dtype=bool)
    offers[tuple(inherent.T)] = True
    service = rng.integers(0, K, R)
    within = rng.random((R, J)) < rng.choice([0.4, 0.8])
    within[R // 2 :] = within[: R - R // 2]
    listed = offers[service] if goal is Goal.TRAVEL else rng.random((R, J)) < 0.9
    distance = rng.integers(0, rng.choice([4, 1000]), (R, J))
    order = np.argsort(distance, axis=1, kind="stable")
    take = np.take_along_axis(listed, order, axis=1)
    near = NearRows(
        service, rng.integers(0, 9, R), np.append(0, np.cumsum(listed.sum(axis=1))), order[take],
        np.take_along_axis(distance, order, axis=1)[take],
    )  # fmt: skip
    must = np.zeros((2, J), dtype=bool)
    must[rng.integers(0, 2, J), np.arange(J)] = rng.random(J) < 0.15
    low = int(rng.integers(0, J + 1))
    side = SideRows(
        ("sites",), np.array([low if rng.random() < 0.5 else -np.inf]), np.array([max(low, 1) + int(rng.integers(0, 2))]) * 1.0,
        np.array([0, J]), np.arange(J), np.ones(J),
    )  # fmt: skip
    start, site = textbook._lists(within)
    need = np.where(rng.random(R) < 0.2, 2, 1) if rng.random() < 0.4 else np.ones(R, dtype=np.int64)
    rules = []
    for k in range(K):
        of = np.flatnonzero(service == k)
        rules.append(ShareRule(f"rule {k}", k, rng.integers(0, 20, len(of)), *textbook._lists(within[of]), 0))
    fields = {
        Goal.COST: {"cover": CoverRows(service, need, start, site, np.full(R, -1))},
        Goal.COVERED: {"shares": tuple(rules), "side": side},
        Goal.TRAVEL: {"near": near, "side": side},
        Goal.FARTHEST: {"near": near, "side": side},
    }[goal]
    return textbook._facilities(
        J, n_services=K, inherent=inherent, must_open=must[0], must_close=must[1], goal=goal,
        site_cost=rng.integers(0, rng.choice([3, 500]), J), **fields,
    )  # fmt: skip


@pytest.mark.parametrize("goal", list(Goal))
def test_every_choice_of_sites(goal):
    """A hundred and fifty problems of each goal against looking at every choice."""
    plans = 0
    for seed in range(150):
        p = only_sites(seed, goal)
        assert choose_sites.wanted(p), seed
        value, _ = brute.best(p)
        answer = solve(p)
        assert (answer.stopped, answer.value) == ("proven", value), seed
        if value is None:
            assert answer.status is Status.INFEASIBLE
            continue
        plans += 1
        assert answer.bound == value
        assert not violations(p, answer.solution)
    assert 60 < plans < 150


@pytest.mark.parametrize("goal", [Goal.COVERED, Goal.TRAVEL, Goal.FARTHEST])
@pytest.mark.parametrize("seed", range(4))
def test_the_plain_programme_agrees(goal, seed):
    """On places too large to look at every choice, HiGHS on the model as it stands."""
    rng = np.random.default_rng([seed, 11])
    d = np.round(np.hypot(*(rng.uniform(0, 9, (70, 1, 2)) - rng.uniform(0, 9, (25, 2))).transpose(2, 0, 1)) * 50).astype(
        np.int64
    )
    w = rng.integers(0, 30, 70)
    p = {
        Goal.COVERED: lambda: textbook.mclp(d, w, 70, 5),
        Goal.TRAVEL: lambda: textbook.p_median(d, w, 5),
        Goal.FARTHEST: lambda: textbook.p_center(d[:40, :14], 5),
    }[goal]()
    value, _ = solved(p)
    answer = solve(p)
    assert answer.stopped == "proven"
    assert answer.value == (-value if goal is Goal.COVERED else value)


@pytest.mark.parametrize("seed", range(40))
def test_the_multipliers_exclude_no_better_plan(seed):
    """What is called closed, open or out of reach is so in every plan that beats the one in hand; the bound holds for all."""
    rng = np.random.default_rng([seed, 3])
    J, R, p = 8, 14, int(rng.integers(1, 5))
    d = rng.integers(0, 100, (R, J))
    lists = choose_sites._near_lists(textbook._near(d, rng.integers(0, 9, R)))
    none = np.zeros(J, dtype=bool)
    dual = p_median.solve(lists, none, ~none, p, rounds=1)
    worse = replace(dual, value=dual.value + 40)  # as if only a poor plan had been found
    cost = {c: lists.weight @ d[:, list(c)].min(axis=1) for c in itertools.combinations(range(J), p)}
    assert dual.bound <= min(cost.values()) <= dual.value
    for d2 in (dual, p_median.decide(lists, none, ~none, p, worse)):
        for choice, total in cost.items():
            if total <= d2.value - 1:
                assert not d2.closed[list(choice)].any()
                assert not d2.kept[np.setdiff1d(np.arange(J), choice)].any()
                assert (lists.weight * d[:, list(choice)].min(axis=1) <= d2.row + d2.room + 1e-6).all()


def test_a_row_for_two_sites_forbids_substitutes():
    p = textbook.lscp(np.zeros((1, 3), dtype=np.int64), 0)
    twice = replace(p, cover=replace(p.cover, need=p.cover.need + 1))
    assert solve(twice).value == 2
    with pytest.raises(ValueError, match="asks for two"):
        merge.dominated_sites(twice, twice.site_cost)


def test_equal_lists_are_found():
    rng = np.random.default_rng(5)
    within = rng.random((400, 6)) < 0.5
    start, site = textbook._lists(within)
    same = merge.equal_rows(start, site, 6)
    assert (within[same] == within).all()
    assert len(np.unique(same)) == len(np.unique(within, axis=0))


@pytest.mark.parametrize("goal", [Goal.COVERED, Goal.TRAVEL, Goal.FARTHEST])
def test_ctrl_c_and_the_clock_leave_a_plan(goal):
    rng = np.random.default_rng(1)
    d = rng.integers(0, 1000, (60, 30))
    w = np.ones(60, dtype=np.int64)
    p = {
        Goal.COVERED: lambda: textbook.mclp(d, w, 200, 4),
        Goal.TRAVEL: lambda: textbook.p_median(d, w, 6),
        Goal.FARTHEST: lambda: textbook.p_center(d, 6),
    }[goal]()
    stop = threading.Event()
    stop.set()
    for limits, halt, why in ((Limits(), stop, "interrupt"), (Limits(time_s=0.0), None, "time")):
        answer = solve(p, limits, stop=halt)
        assert answer.stopped == why
        assert answer.status is Status.FEASIBLE
        assert (answer.bound > answer.value) if goal is Goal.COVERED else (answer.bound < answer.value)
        assert not violations(p, answer.solution)
