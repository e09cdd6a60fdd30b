"""What a plan is judged by: whole-number measures, exact for any plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from estate.problem import Ints, Problem, Solution, cost, covered_weight, near_distance, offered


class Measure(StrEnum):
    """A whole number that a plan is judged by; less is better for all but ``COVERED``."""

    COST = "cost"
    """Pence a year."""
    ONE_OFF = "one_off"
    """Net one-off pence: of the sites not open, and of the points hosted away from home."""
    RUNNING = "running"
    """Running cost, pence a year, where the cost is something else."""
    MOVES = "moves"
    """Points hosted away from home (one without a home does not move)."""
    APART = "apart"
    """How far they go, weighted: the sum of ``pair_apart``."""
    COVERED = "covered"
    """People (weight) within reach, over the items of ``shares``."""
    TRAVEL = "travel"
    """Person-metres from home to the nearest offer, over ``near``."""


def measure(problem: Problem, solution: Solution, what: Measure) -> int:
    """The exact value of a plan, in the units of ``what``, by integer arithmetic on the arrays."""
    if what is Measure.COST:
        return cost(problem, solution)
    if what is Measure.ONE_OFF:
        site, opening, pair = one_off(problem)
        chosen = solution.host[problem.pair_point] == problem.pair_site
        return int(site[~solution.open].sum() + opening[solution.open].sum() + pair[chosen].sum())
    if what in PLACED:
        site, pair = placed(problem, what)
        chosen = solution.host[problem.pair_point] == problem.pair_site
        return int(site[solution.open].sum() + pair[chosen].sum())
    there = offered(problem, solution)
    if what is Measure.COVERED:
        return sum(covered_weight(rule, there) for rule in problem.shares)
    distance = near_distance(problem, there)
    return int((problem.near.weight * np.where(distance < 0, beyond(problem), distance)).sum())


PLACED = (Measure.RUNNING, Measure.MOVES, Measure.APART)
"""Measures that are a sum over open sites and chosen pairs."""


def placed(problem: Problem, what: Measure) -> tuple[Ints, Ints]:
    """A measure of :data:`PLACED` by site when it is open (J,), and by pair when it is chosen (P,)."""
    site, pair = np.zeros(problem.n_sites, dtype=np.int64), np.zeros(problem.n_pairs, dtype=np.int64)
    home = problem.point_home[problem.pair_point]
    if what is Measure.MOVES:
        return site, ((home >= 0) & (problem.pair_site != home)).astype(np.int64)
    if what is Measure.APART:
        return site, pair if problem.pair_apart is None else problem.pair_apart
    return (
        site if problem.site_running is None else problem.site_running,
        pair if problem.pair_running is None else problem.pair_running,
    )


def one_off(problem: Problem) -> tuple[Ints, Ints, Ints]:
    """One-off pence by site when it is not open (J,), when it is (J,), and by pair when it is chosen (P,): nothing at home."""
    none = np.zeros(problem.n_sites, dtype=np.int64)
    site = none if problem.site_one_off is None else problem.site_one_off
    opening = none if problem.site_opening is None else problem.site_opening
    pair = np.zeros(problem.n_pairs, dtype=np.int64) if problem.pair_one_off is None else problem.pair_one_off
    return site, opening, np.where(problem.pair_site == problem.point_home[problem.pair_point], 0, pair)


def beyond(problem: Problem) -> int:
    """The distance that a near row counts when none of its sites offers the service: one more than any listed.

    Only comparisons between plans use it; where travel is the goal such a plan is not feasible.
    """
    return int(problem.near.distance.max(initial=0)) + 1


@dataclass(frozen=True, slots=True, eq=False)
class LinearMeasure:
    """A linear measure over the columns of a programme: ``constant + sum weight x column`` in whole units."""

    column: Ints
    weight: Ints
    constant: int = 0
