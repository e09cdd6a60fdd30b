"""A programme as the sparse arrays that a solver takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estate.model.formulation import Formulation
from estate.problem import Bools, Floats, Ints, Problem

MONEY = 1e-5
"""A solver's unit of money in pence: GBP 1,000, so that costs are near 1 and the solver's tolerances mean what they say."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """Minimise ``cost x + offset`` with ``row_lower <= A x <= row_upper``, ``lower <= x <= upper`` (``A`` by rows)."""

    cost: Floats
    offset: float
    lower: Floats
    upper: Floats
    integer: Bools
    row_lower: Floats
    row_upper: Floats
    start: Ints
    index: Ints
    value: Floats
    unit: float
    """One unit of the problem's own objective in the solver's."""


def arrays(f: Formulation) -> Arrays:
    """A formulation's columns and rows, in its own order and units: the objective is a whole number at every plan."""
    none = np.zeros(0)
    first = np.cumsum([0, *(int(rows.start[-1]) for rows in f.rows)])
    starts = [rows.start[:-1] + begin for rows, begin in zip(f.rows, first, strict=False)]
    return Arrays(
        cost=f.objective,
        offset=0.0,
        lower=np.concatenate([none, *(block.lower for block in f.blocks)]),
        upper=np.concatenate([none, *(block.upper for block in f.blocks)]),
        integer=np.concatenate([none.astype(bool), *(np.full(len(block), block.integer) for block in f.blocks)]),
        row_lower=np.concatenate([none, *(rows.lower for rows in f.rows)]),
        row_upper=np.concatenate([none, *(rows.upper for rows in f.rows)]),
        start=np.append(np.concatenate([none.astype(np.int64), *starts]), first[-1]).astype(np.int64),
        index=np.concatenate([none.astype(np.int64), *(rows.column for rows in f.rows)]),
        value=np.concatenate([none, *(rows.value for rows in f.rows)]),
        unit=1.0 / f.unit,
    )


def fits_alone(problem: Problem) -> Bools:
    """(P,) whether the pair's point fits in its site with nobody else there."""
    point, site = problem.pair_point, problem.pair_site
    area = problem.point_own[point] + problem.point_hall[point] + problem.point_desk[point]
    room = problem.site_capacity[site] + np.where(problem.point_home[point] == site, problem.site_slack[site], 0)
    fits: Bools = area <= room
    return fits
