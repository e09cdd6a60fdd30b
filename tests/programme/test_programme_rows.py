"""Fewer rows in the years between: the same answer, and every bound of a relaxation holds."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT
from test_programme import drawn

from estate.problem.generate import Size, place
from estate.programme import search
from estate.programme.orders import began, total
from estate.programme.rows import Between, tight
from estate.solve.watch import NEVER

sys.path.insert(0, str(ROOT / "scripts"))
from bench.programme import generated


def town(seed, years=3, gbp=150_000):
    """A generated town of eight buildings with one purse, which binds."""
    return generated(place(Size(sites=8, zones=30, side_m=7_000), seed).problem, years, gbp)


def run(orders, asked):
    """One programme with these rows asked of the years between."""
    between = Between.of(orders)
    return search._run(search._Task(orders, between, asked(between)), 0.0, NEVER, 0, None)


@pytest.mark.parametrize("seed", [0, 1, 4, 5, 7, 9])
def test_the_answer_is_that_of_every_row_and_no_bound_is_below_it(seed):
    orders = town(seed)
    truth = run(orders, lambda between: between.breakable)
    first = run(orders, lambda between: between.core)
    course = search.solve(orders)
    assert truth.ended == "proven"
    assert course.value == truth.course.value
    assert first.bound >= course.value - 1
    between = Between.of(orders)
    assert not between.broken([course.state(t) for t in range(orders.periods)]).any()


def test_rows_that_a_course_breaks_are_asked_for_and_it_is_mended(monkeypatch):
    """Each of these breaks a row of the years between at first; none does in the end."""
    mended = []

    def watched(*given):
        mended.append(inner(*given))
        return mended[-1]

    inner = search._towards
    monkeypatch.setattr(search, "_towards", watched)
    for orders in [*(town(seed) for seed in (9, 26, 27, 28, 32, 38)), *(drawn(seed)[0] for seed in (71, 166))]:
        before = len(mended)
        course = search.solve(orders)
        between = Between.of(orders)
        assert len(mended) > before
        assert mended[-1].value <= course.value
        assert not between.broken([course.state(t) for t in range(orders.periods)]).any()


def test_a_limit_that_strikes_leaves_a_course_and_a_bound_that_holds():
    """The course in hand keeps every row; what is proven of it is no more than is true."""
    orders = town(7)
    best = search.solve(orders)
    near = search.solve(orders, gap=0.2)
    assert near.value <= best.value <= near.bound
    assert near.gap <= 0.2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 400), st.randoms(use_true_random=False))
def test_fewer_lines_forbid_the_same_courses(seed, hand, draw):
    """Whatever steps are taken: the lines that are left are kept exactly where all are."""
    orders, _, _ = drawn(seed % 50)
    lines = tuple(replace(each, money=(), at_hand=1000 * hand + n) for n, each in enumerate(orders.lines))
    orders = replace(orders, lines=lines, sums=())
    left = list(tight(orders))
    assert len(left) <= len(lines)
    p = orders.problem
    pair, site = np.full(p.n_pairs, -1), np.full(p.n_sites, -1)
    for s in range(p.n_points):
        step = draw.choice([None, *np.flatnonzero((p.pair_point == s) & (p.pair_site != p.point_home[s])).tolist()])
        if step is not None:
            pair[step] = draw.randrange(orders.periods)
    for j in range(p.n_sites):
        site[j] = draw.randrange(-1, orders.periods)

    def kept(these):
        return all(total(line.pair, line.site, pair, site) <= line.at_hand for line in these)

    assert kept(lines) == kept(left)


def test_today_may_break_a_row_as_far_as_it_does():
    """A row that today's estate breaks is held to what it is today, in the years between, and to itself in the last."""
    orders = town(1)
    problem = orders.problem
    cover = problem.cover
    need = cover.need.copy()
    need[0] = np.diff(cover.start)[0] + 1  # more than there is
    between = Between.of(replace(orders, problem=replace(problem, cover=replace(cover, need=need))))
    assert not between.broken([orders.today]).any()


def test_a_course_of_the_years_has_each_step_once():
    orders = town(2)
    pair, site = began(orders, search.solve(orders))
    assert (pair[pair >= 0] < orders.periods).all()
    assert np.bincount(orders.problem.pair_point[pair >= 0], minlength=orders.problem.n_points).max() <= 1
    assert (site[orders.problem.must_open] < 0).all()
