"""Shapley's value: what each brings on average over all orders of joining (Shapley 1953).

Exact from a list of all groups; beyond that by drawing orders, with the interval that the draw leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial

import numpy as np

from estate.partners.coalitions import Listed, rows
from estate.problem import Bools, Floats, Ints

NORMAL_95 = 1.96
"""Standard errors either side that hold the mean of a large sample 95 times in a hundred."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapley:
    """Each player's value (n,) in pence, with the interval it is known to be in: by proof, or 95 times in a hundred."""

    pence: Floats
    low: Floats
    high: Floats
    orders: int = 0
    """Orders drawn; 0 where all were counted."""


def exactly(listed: Listed) -> Shapley:
    """By counting every group; where a worth is an interval, so is the value."""
    n = listed.n
    group = rows(n)
    number, size = np.arange(2**n), group.sum(axis=1).astype(np.int64)
    weight = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    pence, low, high = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        out = number[group[:, i] == 0]
        with_ = out | (1 << i)
        w = weight[size[out]]
        pence[i] = (w * (listed.low[with_] - listed.low[out])).sum()
        low[i] = (w * (listed.low[with_] - listed.high[out])).sum()
        high[i] = (w * (listed.high[with_] - listed.low[out])).sum()
    return Shapley(pence, low, high)


def sampled(n: int, saves: Callable[[Bools], int], orders: int, seed: int = 0) -> Shapley:
    """By drawing orders of joining, each with its reverse (which evens out who comes early): unbiased, and repeatable.

    ``saves`` says what a group (n,) saves a year.  The interval is 1.96 standard errors of the pairs' means either side.
    """
    draw = np.random.default_rng(seed)
    brought = []
    for _ in range(max(orders // 2, 2)):
        order = draw.permutation(n)
        both = [_brought(n, saves, each) for each in (order, order[::-1])]
        brought.append((both[0] + both[1]) / 2)
    found = np.array(brought)
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return Shapley(mean, mean - NORMAL_95 * error, mean + NORMAL_95 * error, 2 * len(found))


def _brought(n: int, saves: Callable[[Bools], int], order: Ints) -> Floats:
    """(n,) what each adds when it joins in this order; the last is asked about first, for what smaller groups save may follow."""
    group, found = np.ones(n, dtype=bool), np.zeros(n)
    with_ = saves(group)
    for i in order[::-1]:
        group[i] = False
        without = saves(group.copy())
        found[i], with_ = with_ - without, without
    return found
