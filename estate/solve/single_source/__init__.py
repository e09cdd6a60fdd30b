"""Single-source location: which site for each client, whole, within the room of each site.

:mod:`instance` holds its arrays, :mod:`knapsack` and :mod:`lagrangian` its bound, :mod:`fixing` what the bound decides,
:mod:`rounding` its plans, and :mod:`branch_and_bound` is the search from plan to proof.
"""

from estate.solve.single_source.branch_and_bound import Pace, SingleSourceResult, narrow, solve, suits

__all__ = ["Pace", "SingleSourceResult", "narrow", "solve", "suits"]
