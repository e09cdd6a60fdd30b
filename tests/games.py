"""Random games between partners, and a second reading of their nucleolus."""

import numpy as np
from scipy.optimize import linprog

from estate.partners.coalitions import Listed, rows


def random_game(n, seed):
    """A game in whole pounds in which nobody's joining lowers the worth of a group."""
    rng = np.random.default_rng(seed)
    low = np.where(rng.random(2**n) < 0.6, rng.integers(0, 50, 2**n), 0) * 100
    low[0] = 0
    for m in range(2**n):
        for i in range(n):
            if m >> i & 1:
                low[m] = max(low[m], low[m ^ (1 << i)])
    return Listed(low, low)


def least_largest_gain(game):
    """The least core by all rows at once, in another solver's front end."""
    n = game.n
    proper = rows(n)[1:-1]
    left = np.column_stack([-proper, -np.ones(len(proper))])
    found = linprog(
        np.append(np.zeros(n), 1), left, -game.low[1:-1] / 100, np.append(np.ones(n), 0)[None, :], [game.together / 100],
        bounds=[(None, None)] * (n + 1),
    )  # fmt: skip
    return found.fun * 100


def gains_in_order(game, split):
    return np.sort((game.low - rows(game.n) @ split)[1:-1])[::-1]


def is_nucleolus(game, split, near=1e-3):
    """Kohlberg's criterion: at every level the groups that gain at least so much are balanced over the singles' plane.

    Equivalently: a change that adds up to nothing, and lowers none of those gains, changes none of them.
    """
    groups = rows(game.n)[1:-1]
    gain = (game.low - rows(game.n) @ split)[1:-1]
    for level in np.unique(np.round(gain, 3)):
        at = groups[gain >= level - near]
        found = linprog(-at.sum(axis=0), -at, np.zeros(len(at)), np.ones((1, game.n)), [0.0], bounds=[(-1, 1)] * game.n)
        if found.fun < -1e-6:
            return False
    return True
