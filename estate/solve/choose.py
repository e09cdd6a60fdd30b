"""Which search a problem goes to: one table, read from the top.

| search | for |
|---|---|
| another solver | where the settings name CBC or SCIP: the whole programme through PuLP |
| derived | services that follow from others: several under one roof, counters of long hours: HiGHS through PuLP |
| sites | nothing to decide but which sites are open (:mod:`estate.solve.siting.choose_sites`) |
| single source | each client whole to one site, and no other rule (:mod:`estate.solve.single_source`) |
| whole | fewer than :data:`FEWEST` choices, or another goal than cost, or no plan to begin with: HiGHS through PuLP |
| beside | all others: the engine, with HiGHS on the whole programme beside it (:mod:`estate.solve.portfolio`) |

HiGHS is beside the engine up to :data:`estate.solve.portfolio.RACED` choices; it is not raced against the first two, which are
proven faster on everything that was tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from estate.problem import Problem, Solution
from estate.solve import engine, portfolio, single_source, whole
from estate.solve.answer import Answer, Limits, value_of
from estate.solve.columns import tied
from estate.solve.siting import choose_sites, covering
from estate.solve.through_pulp import check_solver
from estate.solve.watch import Watch, aside
from estate.solve.whole import checked, conclude, start_of

FEWEST = 300
"""Host pairs below which HiGHS is as fast on the model as it stands, and nothing need be compiled."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search, what it is called, and what it is for."""

    name: str
    suits: Callable[[Problem, Limits], bool]
    search: Callable[[Problem, Watch], Answer]
    narrow: Callable[[Problem, int], Problem] | None = None
    """The problem less what no plan of the least cost has: so that ties are told apart soon."""


def way(problem: Problem, limits: Limits) -> Search:
    """The first of the table's searches that suits a problem."""
    return next(each for each in WAYS if each.suits(problem, limits))


def _only_sites(problem: Problem, watch: Watch) -> Answer:
    """A problem that :mod:`estate.solve.siting.choose_sites` solves by its structure."""
    limits = watch.limits
    budget = covering.SearchLimit(watch.clock, limits.work, limits.gap, limits.seed)
    end = _aside(watch, "sites", lambda: choose_sites.search(problem, budget))
    return conclude(problem, watch, end.ended, checked(problem, end.solution), end.bound)


def _single_source(problem: Problem, watch: Watch) -> Answer:
    """Single-source location, by :mod:`estate.solve.single_source`."""
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
    Search("another solver", lambda _, limits: limits.solver != "highs", whole.search),
    Search("derived", lambda problem, _: bool(problem.derived), whole.search),
    Search("sites", lambda problem, _: choose_sites.wanted(problem), _only_sites),
    Search(
        "single source",
        lambda problem, _: problem.n_pairs >= FEWEST and single_source.suits(problem),
        _single_source,
        single_source.narrow,
    ),
    Search("beside", lambda problem, _: problem.n_pairs >= FEWEST and engine.suits(problem), portfolio.search, tied.narrow),
    Search("whole", lambda *_: True, whole.search),
)
