"""Floor area by counts of kinds says what the rows of areas say, and no cut costs a plan."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import round_places

from estate.model import Formulation, Measure, formulate, kinds
from estate.model.arrays import Arrays, arrays
from estate.problem import Floats, Problem, cost, violations
from estate.solve import highs
from estate.solve.columns import fillings

SEEDS = 8
WAYS = ((600, True), (600, False), (2, True), (2, False))
"""Most fillings of a building, so that some have those of fewer kinds; with links or without."""


def _place(seed: int, *, beyond: bool = False) -> Problem:
    """A place in which every other counter is a little smaller, so that services have counters of two sizes."""
    problem = round_places.place(seed, beyond_core=beyond)
    smaller = np.where(np.arange(problem.n_points) % 2, np.maximum(problem.point_own - 200, 0), problem.point_own)
    return replace(problem, point_own=smaller)


def _best(problem: Problem, f: Formulation, a: Arrays) -> int:
    found = highs.run(a)
    assert found.x is not None
    plan = f.solution(found.x)
    assert not violations(problem, plan)
    assert cost(problem, plan) == round(f.unit * found.value + f.constant)
    return cost(problem, plan)


def _keeps(a: Arrays, x: Floats) -> bool:
    row = np.repeat(np.arange(len(a.row_lower)), np.diff(a.start))
    activity = np.bincount(row, a.value * x[a.index], len(a.row_lower))
    sides = (activity >= a.row_lower - 1e-9).all() and (activity <= a.row_upper + 1e-9).all()
    return bool(sides and (x >= a.lower).all() and (x <= a.upper).all())


@pytest.mark.parametrize(("most", "links"), WAYS)
@pytest.mark.parametrize("beyond", [False, True])
def test_the_optimum_is_that_of_the_rows_of_areas(
    monkeypatch: pytest.MonkeyPatch, most: int, links: bool, beyond: bool
) -> None:
    monkeypatch.setattr(kinds, "MOST", most)
    monkeypatch.setattr(kinds, "FEWER", most)
    by_fewer = by_kinds = 0
    for seed in range(SEEDS):
        problem = _place(seed, beyond=beyond)
        f, plain = formulate(problem, Measure.COST, by_kinds=True, links=links), formulate(problem, Measure.COST)
        assert f.fillings is not None
        by_kinds += int(f.fillings.exact.sum())
        by_fewer += int((f.fillings.listed & ~f.fillings.exact).sum())
        assert _best(problem, f, arrays(f)) == _best(problem, plain, arrays(plain))
        assert problem.today is None or _keeps(arrays(f), f.values(problem.today))
    assert by_kinds
    assert by_fewer or most > 2


@pytest.mark.parametrize("most", [600, 2])
def test_cuts_raise_the_bound_and_keep_every_plan(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(kinds, "MOST", most)
    monkeypatch.setattr(kinds, "FEWER", most)
    cut = 0
    for seed in range(2 * SEEDS):
        problem = _place(seed)
        f = formulate(problem, Measure.COST, by_kinds=True, links=False)
        root = fillings.root(f)
        cut += len(root.arrays.row_lower) - len(arrays(f).row_lower)
        plain = highs.continuous(arrays(f))
        assert plain is not None
        assert root.bound >= float(f.objective @ plain[0]) - 1e-6 * abs(root.bound)
        best = _best(problem, f, root.arrays)
        assert best == _best(problem, f, arrays(f))
        assert f.unit * root.bound + f.constant <= best + 0.5
        assert problem.today is None or _keeps(root.arrays, f.values(problem.today))
    assert cut


@pytest.mark.parametrize("seed", range(8))
def test_fillings_are_the_largest_counts_that_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    kind = np.column_stack([rng.integers(0, 2, n), rng.integers(0, 5, n), rng.integers(0, 4, n), rng.integers(0, 4, n)])
    kind = np.unique(kind, axis=0)
    most, room = rng.integers(1, 4, len(kind)), int(rng.integers(0, 14))
    fits = [np.array(c) for c in product(*(range(m + 1) for m in most)) if kinds.area_of(kind, np.array([c]))[0] <= room]
    wanted = {tuple(c.tolist()) for c in fits if not any((d >= c).all() and (d > c).any() for d in fits)}
    found = kinds.largest(kind, most, room)
    assert found is not None
    assert {tuple(c.tolist()) for c in found} == (wanted or {(0,) * len(kind)})
    assert len(found) == max(len(wanted), 1)
