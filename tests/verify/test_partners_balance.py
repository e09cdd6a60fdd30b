"""Balance as the referee judges it, against Kohlberg's criterion through a programme."""

import numpy as np
import pytest
from games import is_nucleolus as by_programme
from games import least_largest_gain, random_game
from hypothesis import given
from hypothesis import strategies as st

from estate.partners.coalitions import rows
from estate.partners.core import KnownGroups, least_core, whole_pence
from estate.partners.nucleolus import nucleolus
from estate.verify.balance import is_nucleolus, smallest_largest_gain


def judged(game, split):
    groups = rows(game.n)[1:-1]
    return groups, game.low[1:-1] - groups @ split


@pytest.mark.parametrize("seed", range(80))
def test_the_nucleolus_is_accepted_and_others_are_not(seed):
    game = random_game(int(np.random.default_rng(seed).integers(2, 7)), seed)
    found = whole_pence(nucleolus(game).pence, game.together)
    assert is_nucleolus(*judged(game, found))
    assert smallest_largest_gain(*judged(game, found))
    other = found.copy()
    other[0] += 300
    other[-1] -= 300
    assert not by_programme(game, other.astype(float))
    assert not is_nucleolus(*judged(game, other))


@given(st.integers(0, 10_000), st.integers(-5_000, 5_000))
def test_the_first_level_says_whether_the_largest_gain_is_smallest(seed, change):
    game = random_game(4, seed)
    split = least_core(KnownGroups(game), np.full(4, game.together / 4)).split
    split = split + np.array([change, -change, 0, 0])
    largest = (game.low[1:-1] - rows(4)[1:-1] @ split).max()
    if largest > least_largest_gain(game) + 100:
        assert not smallest_largest_gain(*judged(game, split))
    elif largest < least_largest_gain(game) + 0.5:
        assert smallest_largest_gain(*judged(game, split))
