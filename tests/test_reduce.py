"""Reductions leave the optimum as it was."""

from __future__ import annotations

from dataclasses import replace

import brute
import numpy as np
import pytest

from estate.generate import COUNTY, Size, place
from estate.problem import CoverRows, violations
from estate.solve import reduce


@pytest.mark.parametrize("block", range(4))
def test_implied_cover_rows_change_nothing(block):
    dropped = 0
    for seed in range(block * 100, block * 100 + 100):
        p = brute.random_problem(seed)
        small = reduce.cover_rows(p)
        dropped += len(p.cover) - len(small.cover)
        assert (brute.everything(p).feasible == brute.everything(small).feasible).all(), seed
    assert dropped > 3


def test_a_county_keeps_one_row_in_ten():
    p = place(COUNTY, 0).problem
    small = reduce.cover_rows(p)
    assert len(small.cover) < len(p.cover) / 10
    assert not violations(small, p.today)


def test_the_same_seed_is_the_same_place():
    size = Size(sites=40, zones=80, side_m=20_000)
    one, two = place(size, 5).problem, place(size, 5).problem
    assert (one.pair_cost == two.pair_cost).all()
    assert (one.cover.site == two.cover.site).all()
    assert not violations(one, one.today)


def test_a_row_with_an_excuse_implies_no_other():
    """The longer row must be met by an offer even where the shorter one is excused."""
    base = place(Size(sites=40, zones=80, side_m=20_000), 5).problem
    home = int(np.flatnonzero(base.pair_site == base.point_home[base.pair_point])[0])
    ints = [np.array(a) for a in ([0, 0], [1, 1], [0, 1, 3], [4, 4, 9], [home, -1])]
    small = reduce.cover_rows(replace(base, cover=CoverRows(*ints)))
    assert len(small.cover) == 2
