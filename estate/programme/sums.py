"""What is borrowed, drawn and given in a programme that is decided: as little as will do.

These sums change no present value, so that any that keep every purse above nothing would do for the search; what is published is
the least, the dearest first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estate.model import Formulation
from estate.model.arrays import MONEY, arrays
from estate.programme.orders import Course, Orders, began
from estate.solve import highs


def least(orders: Orders, course: Course) -> Course:
    """The same steps with the least of each free sum, by ``sum_dear``; the course itself where nothing tells sums apart."""
    if not orders.sum_dear or orders.sum_price:
        return course
    pair, site = began(orders, course)
    p, j = np.flatnonzero(pair >= 0), np.flatnonzero(site >= 0)
    f = Formulation(orders.problem)
    none = np.zeros(len(orders.sums))
    sums = f.add_columns("money", np.array(orders.sums, dtype=np.float64) * MONEY, lambda _: none)
    for line in orders.lines:
        if line.money:
            spent = line.pair[p, pair[p]].sum() + line.site[j, site[j]].sum()
            column, weight = sums[[n for n, _ in line.money]], np.array([part for _, part in line.money])
            row = np.zeros(len(column), dtype=np.int64)
            now = float(weight @ course.sums[[n for n, _ in line.money]])  # over by no more than the solver's tolerance
            f.add_rows("cash", row, column, weight, n=1, upper=max(float(line.at_hand - spent), now) * MONEY)
    f.objective = np.array(orders.sum_dear)
    found = highs.run(arrays(f), start=course.sums * MONEY)
    return course if found.x is None else replace(course, sums=found.x / MONEY)
