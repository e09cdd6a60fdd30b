"""From a :class:`~estate.problem.Problem` to the best plan, with its proof.

``solve`` searches (:mod:`estate.solve.engine` where the problem is large and of its kind, else
:mod:`estate.solve.exact`) and then tells plans of equal value apart (:mod:`estate.solve.ties`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from estate.problem import Problem
from estate.solve import engine, exact, ties
from estate.solve.answer import Answer, Limits, Progress, Status
from estate.solve.location import single_source

__all__ = ["Answer", "Limits", "Progress", "Status", "solve"]


def solve(
    problem: Problem,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Answer:
    """The best plan of a problem, and how good it is proven to be.

    ``progress`` is called from this thread, about ten times a second.  Setting ``stop`` (from a signal handler or
    another thread), or Ctrl-C here, ends the search within about a second with the best plan so far; a second Ctrl-C
    raises ``KeyboardInterrupt``.

    Raises
    ------
    estate.errors.SolverError
        When the solver is missing, refused, or breaks down.
    """
    watch = exact.Watch(limits, progress, stop or threading.Event())
    search = engine.search_watched if engine.wanted(problem, limits) else exact.search
    narrow = single_source.narrow if single_source.suits(problem) else None
    return ties.settle(problem, search(problem, watch), watch, narrow=narrow)
