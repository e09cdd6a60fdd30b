"""Ways to share a game: published and hand-worked answers, an independent second reading, and laws."""

import itertools

import numpy as np
import pytest
from games import gains_in_order, is_nucleolus, least_largest_gain, random_game
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from estate.partners.coalitions import Listed, across, orthonormal, rows, spanned
from estate.partners.core import KnownGroups, least_change, least_core, least_subsidy, least_top_up, whole_pence
from estate.partners.nucleolus import nucleolus
from estate.partners.shapley import exactly, sampled
from estate.partners.shares import in_proportion, smallest_blocking


def listed(*pounds):
    """A game by the worth of its groups in pounds, in the order of their bits."""
    pence = np.array(pounds, dtype=np.int64) * 100
    return Listed(pence, pence)


THREE = listed(0, 0, 0, 100, 0, 100, 100, 120)
"""Any two of three save 100, all 120."""


def test_a_fund_keeps_a_split_that_somebody_would_leave():
    assert least_top_up(KnownGroups(THREE), np.full(3, 4_000.0)) == pytest.approx(3_000)
    assert least_top_up(KnownGroups(THREE), np.array([12_000.0, 0, 0])) == pytest.approx(10_000)  # the other two want 100
    alone = listed(0, 11, 0, 30)
    assert least_top_up(KnownGroups(alone), np.array([700.0, 2_300.0])) == pytest.approx(400)


def test_three_players_of_whom_any_two_save_nearly_all():
    equal = np.full(3, 4_000.0)
    found = least_core(KnownGroups(THREE), equal)
    assert (found.low, found.high) == (pytest.approx(2_000), pytest.approx(2_000))
    assert found.empty
    assert found.split == pytest.approx(equal, abs=0.1)
    assert least_subsidy(KnownGroups(THREE)) == pytest.approx(3_000)
    assert least_change(KnownGroups(THREE), equal, equal) is None
    assert least_change(KnownGroups(THREE), equal, equal, subsidy=3_000.0) == pytest.approx(np.full(3, 5_000), abs=0.1)
    assert nucleolus(THREE).pence == pytest.approx(equal)
    assert exactly(THREE).pence == pytest.approx(equal)


COSTS = {"a": 4, "b": 3, "c": 3, "ab": 6, "bc": 4, "ac": 7, "abc": 8}
"""Two facilities at 2 each, by the cost of each group, in thousands."""


@pytest.mark.parametrize(("costs", "stable"), [((4, 2, 2), True), ((4, 1, 3), True), ((5, 2, 1), False), ((3, 3, 2), False)])
def test_cost_shares_of_two_facilities(costs, stable):
    worth = [0] * 8
    for name, cost in COSTS.items():
        worth[sum(1 << "abc".index(x) for x in name)] = sum(COSTS[x] for x in name) - cost
    worth = [1_000 * each for each in worth]
    split = np.array([COSTS[x] - cost for x, cost in zip("abc", costs, strict=True)]) * 100_000
    groups, count = smallest_blocking(listed(*worth), split)
    assert (count == 0) == stable
    assert bool(groups) != stable


@pytest.mark.parametrize(("estate", "answer"), [(100, (100 / 3,) * 3), (200, (50, 75, 75)), (300, (50, 100, 150))])
def test_the_nucleolus_of_a_bankruptcy_is_the_talmud_s(estate, answer):
    """Claims of 100, 200 and 300 (Aumann and Maschler 1985)."""
    claims = (100, 200, 300)
    game = listed(*(max(0, estate - sum(c for i, c in enumerate(claims) if not m >> i & 1)) for m in range(8)))
    assert nucleolus(game).pence / 100 == pytest.approx(answer)


def test_shapley_of_an_airport_shares_each_step_among_those_who_need_it():
    """Littlechild and Owen 1973: runways of 12, 20 and 33; each step is paid by all who need it."""
    costs = np.array([12, 20, 33])
    worth = [int(costs[list(g)].sum() - costs[list(g)].max(initial=0)) for g in map(_bits, range(8))]
    paid = costs - exactly(listed(*worth)).pence / 100
    assert paid == pytest.approx([4, 4 + 4, 4 + 4 + 13])


def _bits(m):
    return np.flatnonzero([m >> i & 1 for i in range(3)])


def test_an_interval_of_worth_is_an_interval_of_shapley():
    low, high = np.array([0, 0, 0, 1_000]), np.array([0, 400, 0, 1_000])
    found = exactly(Listed(low, high))
    assert found.pence == pytest.approx([500, 500])
    assert found.low == pytest.approx([500, 300])
    assert found.high == pytest.approx([700, 500])


def test_drawn_orders_hold_the_exact_value_and_repeat():
    game = random_game(5, 3)
    saves = lambda group: int(game.low[(group * (1 << np.arange(5))).sum()])  # noqa: E731
    exact, drawn, again = exactly(game).pence, sampled(5, saves, 400), sampled(5, saves, 400)
    assert drawn.pence.sum() == pytest.approx(game.together)
    assert (drawn.low <= exact + 1e-6).all()
    assert (exact <= drawn.high + 1e-6).all()
    assert drawn.pence == pytest.approx(again.pence)


@pytest.mark.parametrize("seed", range(60))
def test_random_games_agree_with_a_second_reading(seed):
    game = random_game(int(np.random.default_rng(seed).integers(2, 6)), seed)
    reference = np.full(game.n, game.together / game.n)
    core = least_core(KnownGroups(game), reference)
    assert core.low == pytest.approx(least_largest_gain(game), abs=0.1)
    assert gains_in_order(game, core.split)[0] == pytest.approx(core.low, abs=0.2)
    found = nucleolus(game).pence
    assert found.sum() == pytest.approx(game.together)
    assert is_nucleolus(game, found)
    assert gains_in_order(game, found)[0] == pytest.approx(core.low, abs=0.2)
    moved = least_change(KnownGroups(game), reference, reference)
    assert (moved is None) == (core.low > 0.05)
    if moved is not None:
        assert gains_in_order(game, moved)[0] <= 0.1
        assert least_subsidy(KnownGroups(game)) == pytest.approx(0, abs=0.1)
        assert np.abs(moved - reference).sum() == pytest.approx(least_moved(game, reference), abs=0.5)


def least_moved(game, start):
    n, proper = game.n, rows(game.n)[1:-1]
    one, none = np.eye(n), np.zeros((len(proper), 2 * n))
    found = linprog(
        np.repeat([0, 1, 1], n), np.hstack([-proper, none]), -game.low[1:-1] / 100,
        np.vstack([np.hstack([one, -one, one]), np.repeat([1, 0, 0], n)]), np.append(start, game.together) / 100,
        bounds=[(None, None)] * n + [(0, None)] * (2 * n),
    )  # fmt: skip
    return found.fun * 100


@pytest.mark.parametrize("seed", range(12))
def test_of_equal_splits_the_nearest_is_taken(seed):
    """No split of the least core on a fine grid around it is nearer to the reference."""
    game = random_game(3, 100 + seed)
    reference = np.array([0.5, 0.3, 0.2]) * game.together
    core = least_core(KnownGroups(game), reference)
    here = ((core.split - reference) ** 2).sum()
    for a, b in itertools.product(np.linspace(-50, 50, 21), repeat=2):
        other = core.split + np.array([a, b, -a - b])
        if gains_in_order(game, other)[0] <= core.low:
            assert ((other - reference) ** 2).sum() >= here - 1


# ------------------------------------------------------------------------------------------------------ laws


@given(st.integers(0, 10_000), st.permutations(range(4)))
def test_names_and_order_never_matter(seed, order):
    game = random_game(4, seed)
    order = np.array(order)
    number = (rows(4)[:, order].astype(np.int64) << np.arange(4)).sum(axis=1)
    low = np.empty_like(game.low)
    low[number] = game.low
    other = Listed(low, low)
    assert exactly(other).pence == pytest.approx(exactly(game).pence[order])
    assert nucleolus(other).pence == pytest.approx(nucleolus(game).pence[order], abs=0.1)
    reference = np.array([4.0, 3, 2, 1]) / 10 * game.together
    first, second = least_core(KnownGroups(game), reference), least_core(KnownGroups(other), reference[order])
    assert second.split == pytest.approx(first.split[order], abs=1)


@given(st.integers(0, 10_000))
def test_who_adds_nothing_gets_nothing(seed):
    small = random_game(3, seed)
    low = np.concatenate([small.low, small.low])  # a fourth who never adds anything
    game = Listed(low, low)
    assert exactly(game).pence[3] == pytest.approx(0, abs=1e-6)
    assert exactly(game).pence[:3] == pytest.approx(exactly(small).pence)
    assert nucleolus(game).pence[3] == pytest.approx(0, abs=0.1)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12), st.integers(0, 10**10))
def test_whole_pence_add_up(weight, total):
    found = in_proportion(total, np.array(weight, dtype=float))
    assert found.sum() == total
    exact = total * np.array(weight) / sum(weight) if sum(weight) else np.full(len(weight), total / len(weight))
    assert np.abs(found - exact).max() < 1.001
    assert (whole_pence(found.astype(float), total) == found).all()


# ------------------------------------------------------------------------------------------------------ known in part


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_groups_at_right_angles_to_all_rows_are_those_in_the_span(n, seed):
    draw = np.random.default_rng(seed)
    groups = np.ones((1, n))
    for group in draw.permutation(rows(n)[1:-1])[: draw.integers(0, n)]:
        if not spanned(group[None, :], orthonormal(groups))[0]:
            groups = np.vstack([groups, group])
    apart = across(groups)
    assert len(apart) == n - len(groups)
    assert not (apart @ groups.T).any()
    assert ((rows(n) @ apart.T == 0).all(axis=1) == spanned(rows(n), orthonormal(groups))).all()


@pytest.mark.parametrize("seed", range(40))
def test_the_interval_of_a_game_known_in_part_holds_the_nucleolus_of_each_that_it_may_be(seed):
    draw = np.random.default_rng(seed)
    game = random_game(int(draw.integers(2, 6)), seed)
    slack = draw.integers(0, 3_000, len(game.low)) * (draw.random(len(game.low)) < 0.4)
    slack[[0, -1]] = 0
    partly = nucleolus(Listed(game.low, game.low + slack))
    assert (partly.low <= partly.pence + 0.1).all()
    assert (partly.pence <= partly.high + 0.1).all()
    for _ in range(5):
        true = game.low + np.rint(slack * draw.random(len(slack))).astype(np.int64)
        found = nucleolus(Listed(true, true)).pence
        assert (partly.low - 1 <= found).all()
        assert (found <= partly.high + 1).all()
