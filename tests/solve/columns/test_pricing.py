"""The best set of points for one building: the compiled knapsack against looking at every set."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import brute
import numpy as np
import pytest
import round_places

from estate.solve.columns.core import ALWAYS, core
from estate.solve.columns.pricing import CELLS, site_set, work_space


def worth_of_all(c, j, worth):
    """What every set of points that may be at a building is worth."""
    profit, bonus, hub = worth
    lo, hi = c.site_group[j], c.site_group[j + 1]
    slots = np.arange(c.group_slot[lo], c.group_slot[hi])
    group = np.repeat(np.arange(len(c.group_offer)), np.diff(c.group_slot))
    for size in range(len(slots) + 1):
        for chosen in map(list, combinations(slots.tolist(), size)):
            here = sorted({int(group[s]) for s in chosen})
            room = c.capacity[j] + (c.slack[j] if all(c.slot_home[chosen]) else 0)
            desks = sum(max(c.slot_desk[s] for s in chosen if group[s] == g) for g in here)
            if chosen and c.slot_own[chosen].sum() + c.slot_hall[chosen].max() + desks > room:
                continue
            there = {*here, ALWAYS}
            rules = c.clash[c.clash_start[j] : c.clash_start[j + 1]].tolist()
            if any((a in there and b in there) if kind == 0 else (a in there) != (b in there) for a, b, kind in rules):
                continue
            several = len({int(c.group_kind[g]) for g in here} - {-1}) > 1
            yield profit[chosen].sum() + sum(bonus[g] for g in here) + (hub if several else 0.0), chosen


@pytest.mark.parametrize("hub", [0.0, -30.0, 30.0])
def test_the_best_set_is_the_best_of_all(hub):
    """With offers that cost (a bonus below nothing), and rules on two services."""
    work, seen, ruled, mixed = work_space(), 0, 0, 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        p = brute.random_problem(seed) if seed % 2 else round_places.place(seed, sites=(4, 8), beyond_core=True)
        if seed % 4 > 1:  # services of one kind, and one that makes no hub
            p = replace(p, service_kind=np.random.default_rng(seed + 1).integers(-1, 2, p.n_services))
        c = core(p)
        profit = rng.integers(-40, 60, len(c.slot_point)).astype(float)
        bonus = np.where(c.group_inherent, 0.0, rng.integers(-60, 60, len(c.group_offer)))
        for j in range(p.n_sites):
            if c.group_slot[c.site_group[j + 1]] - c.group_slot[c.site_group[j]] > 9:
                continue
            every = list(worth_of_all(c, j, (profit, bonus, hub)))
            if not every:
                continue
            taken = np.zeros(len(profit), dtype=bool)
            before = profit.copy(), bonus.copy()
            best = max(0.0, *(value for value, _ in every))
            found = site_set(c, j, profit, bonus, hub, 0.0, CELLS, taken, work)
            assert (profit == before[0]).all()
            assert (bonus == before[1]).all()
            assert found >= best - 1e-6, (seed, j)
            if hub <= 0.0:
                assert found <= best + 1e-6, (seed, j)
                if best > 0.0:
                    assert any(value == pytest.approx(best) and set(s) == set(np.flatnonzero(taken)) for value, s in every)
            seen += 1
            kinds = c.group_kind[c.site_group[j] : c.site_group[j + 1]]
            mixed += 1 < len(np.unique(kinds)) < len(kinds)
            ruled += c.clash_start[j] < c.clash_start[j + 1]
    assert seen > 200
    assert mixed > 15
    assert ruled > 25
