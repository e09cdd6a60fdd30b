"""The optimisation problem as plain arrays: no geography, no money rules, no solver."""

from estate.problem.arrays import (
    AREA_UNITS_PER_M2,
    Bools,
    CoverRows,
    Floats,
    Goal,
    Ints,
    NearRows,
    Problem,
    ShareRule,
    SideRows,
    Solution,
)
from estate.problem.plans import (
    BROKEN,
    area_used,
    cost,
    covered_weight,
    near_distance,
    offer_columns,
    offered,
    step,
    violations,
)

__all__ = [
    "AREA_UNITS_PER_M2",
    "BROKEN",
    "Bools",
    "CoverRows",
    "Floats",
    "Goal",
    "Ints",
    "NearRows",
    "Problem",
    "ShareRule",
    "SideRows",
    "Solution",
    "area_used",
    "cost",
    "covered_weight",
    "near_distance",
    "offer_columns",
    "offered",
    "step",
    "violations",
]
