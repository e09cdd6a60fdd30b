"""Which search a problem goes to: one table, read from the top.

| search | for |
|---|---|
| another solver | where the settings name CBC or SCIP: the whole programme through PuLP |
| sites | nothing to decide but which sites are open (:mod:`estate.solve.location.sites`) |
| single source | each client whole to one site, and no other rule (:mod:`estate.solve.location.single_source`) |
| whole | fewer than :data:`FEWEST` choices, or another goal than cost, or no plan to begin with: HiGHS through PuLP |
| beside | all others: the engine, with HiGHS on the whole programme beside it (:mod:`estate.solve.beside`) |

HiGHS is beside the engine up to :data:`estate.solve.beside.RACED` choices; it is not raced against the first two, which are
proven faster on everything that was tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from estate.problem import Problem, Solution
from estate.solve import beside, engine, whole
from estate.solve.answer import Answer, Limits, value_of
from estate.solve.columns import tied
from estate.solve.location import covering, single_source, sites
from estate.solve.through_pulp import check_solver
from estate.solve.watch import Watch, aside
from estate.solve.whole import checked, conclude, start_of

FEWEST = 300
"""Host pairs below which HiGHS is as fast on the model as it stands, and nothing need be compiled."""


@dataclass(frozen=True, slots=True)
class Way:
    """A search, what it is called, and what it is for."""

    name: str
    suits: Callable[[Problem, Limits], bool]
    search: Callable[[Problem, Watch], Answer]
    narrow: Callable[[Problem, int], Problem] | None = None
    """The problem less what no plan of the least cost has: so that ties are told apart soon."""


def way(problem: Problem, limits: Limits) -> Way:
    """The first of the table's searches that suits a problem."""
    return next(each for each in WAYS if each.suits(problem, limits))


def _only_sites(problem: Problem, watch: Watch) -> Answer:
    """A problem that :mod:`estate.solve.location.sites` solves by its structure."""
    limits = watch.limits
    budget = covering.Budget(watch.clock, limits.work, limits.gap, limits.seed)
    end = _aside(watch, "sites", lambda: sites.search(problem, budget))
    return conclude(problem, watch, end.ended, checked(problem, end.solution), end.bound)


def _single_source(problem: Problem, watch: Watch) -> Answer:
    """Single-source location, by :mod:`estate.solve.location.single_source`."""
    limits = watch.limits

    def saw(best: Solution | None, bound: float) -> None:
        watch.saw(None if best is None else value_of(problem, best), bound if math.isfinite(bound) else None)

    end = _aside(
        watch,
        "single-source",
        lambda: single_source.solve(
            problem, gap=limits.gap, clock=watch.clock, nodes=limits.work, start=start_of(problem), saw=saw
        ),
    )
    bound = end.bound if math.isfinite(end.bound) else None
    return conclude(problem, watch, end.ended, checked(problem, end.solution), bound)


def _aside[T](watch: Watch, name: str, search: Callable[[], T]) -> T:
    check_solver(watch.limits.solver)
    found = aside(watch, name, search)
    if found is None:
        raise RuntimeError("a search that may not be left behind was")
    return found


WAYS = (
    Way("another solver", lambda _, limits: limits.solver != "highs", whole.search),
    Way("sites", lambda problem, _: sites.wanted(problem), _only_sites),
    Way(
        "single source",
        lambda problem, _: problem.n_pairs >= FEWEST and single_source.suits(problem),
        _single_source,
        single_source.narrow,
    ),
    Way("beside", lambda problem, _: problem.n_pairs >= FEWEST and engine.suits(problem), beside.search, tied.narrow),
    Way("whole", lambda *_: True, whole.search),
)
