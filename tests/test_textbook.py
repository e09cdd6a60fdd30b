"""The textbook models against looking at every choice of sites."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from estate.problem import near_distance, offered, violations
from estate.solve import arrays, direct, textbook


def solved(p, unit=1.0):
    a, columns = arrays.build(p)
    run = direct.run(a)
    plan = arrays.read(p, columns, run.x)
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
    value, _ = solved(textbook.lscp(distance, limit), arrays.MONEY)
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
    value, _ = solved(textbook.single_source(fixed, capacity, demand, assign), arrays.MONEY)
    assert value == best
