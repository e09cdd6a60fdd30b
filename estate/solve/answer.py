"""What is asked of a solve and what comes back: limits, progress, and an answer that carries its proof."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from estate.model import Measure, measure
from estate.problem import Goal, Problem, Solution, near_distance, offered

OPTIMAL_GAP = 1e-4
"""The proven relative gap at and below which an answer may be called optimal, whatever gap was asked for."""


class Status(StrEnum):
    """What has been proven."""

    OPTIMAL = "optimal"
    """A plan, and a proof that none is better by more than 0.01%; never at a time, work or user's stop."""
    FEASIBLE = "feasible"
    """A plan, with its bound and gap."""
    INFEASIBLE = "infeasible"
    """Proven: there is no plan."""
    UNKNOWN = "unknown"
    """Neither a plan nor a proof."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop, and on what terms.

    ``work`` counts nodes, neighbourhoods and blocks of the main search: unlike seconds, the same on every machine, so a run
    stopped by it repeats exactly (for the same versions, threads and seed).  The root node is always finished.
    """

    gap: float = 0.0
    """Relative gap at which to stop; 0 proves the optimum to the penny."""
    time_s: float | None = None
    """Wall-clock seconds, tie-breaking included."""
    work: int | None = None
    threads: int = 1
    seed: int = 0
    solver: str = "highs"
    """``highs``, in process; ``cbc`` and ``scip`` as second opinions (no progress, no stop on request)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands: ``best`` and ``bound`` in pence (or the goal's own units)."""

    seconds: float
    best: int | None
    bound: float | None
    gap: float | None
    phase: str = "search"
    """``search``, or ``ties`` while plans of equal value are told apart."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan with its proof."""

    status: Status
    solution: Solution | None
    value: int | None
    """The goal's value, recomputed exactly from the plan: pence a year, people, person-metres or metres."""
    bound: float | None
    """The best proven bound on it, same units."""
    gap: float | None
    """``|value - bound| / max(|value|, 1)``."""
    repeatable: bool
    """The same problem, limits and versions give the same plan again."""
    stopped: str
    """Why the search ended: ``proven``, ``gap``, ``time``, ``work``, ``interrupt``, ``memory``."""
    seconds: float
    trace: tuple[tuple[float, int | None, float | None], ...] = ()
    """(seconds, best, bound) whenever either moved."""
    settled: bool = False
    """Plans of equal value have been told apart to the end (or no tie-break was asked for)."""

    def __repr__(self) -> str:
        return f"<Answer {self.status}: value {self.value}, bound {self.bound}, stopped by {self.stopped}>"


def value_of(problem: Problem, solution: Solution) -> int:
    """The exact value of a plan under the problem's own goal; the farthest of no rows is 0."""
    if problem.goal is Goal.FARTHEST:
        return int(near_distance(problem, offered(problem, solution)).max(initial=0))
    return measure(problem, solution, Measure(problem.goal))


def relative_gap(value: int | None, bound: float | None) -> float | None:
    """``|value - bound| / max(|value|, 1)``; None without a plan or a bound."""
    if value is None or bound is None or not math.isfinite(bound):
        return None
    return abs(value - bound) / max(abs(value), 1)
