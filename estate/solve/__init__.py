"""From a :class:`~estate.problem.Problem` to the best plan, with its proof.

``solve`` looks up the search that suits a problem (:mod:`estate.solve.choose`) and then tells plans of equal value apart
(:mod:`estate.solve.ties`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from estate.errors import SolverError
from estate.problem import Problem
from estate.solve import choose, through_pulp, ties, whole
from estate.solve.answer import Answer, Limits, Progress, Status
from estate.solve.watch import Watch

__all__ = ["Answer", "Limits", "Progress", "Status", "solve", "told_apart"]


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

    A proof that the search for ties disproves, by a better plan, is worth nothing: the whole programme is then solved again from
    that plan.

    Raises
    ------
    estate.errors.SolverError
        When the solver is missing, refused, breaks down, or proves what is not so a second time.
    """
    watch = Watch(limits, progress, stop or threading.Event())
    way = choose.way(problem, limits)
    return told_apart(problem, way.search(problem, watch), watch, narrow=way.narrow)


def told_apart(
    problem: Problem,
    answer: Answer,
    watch: Watch,
    *,
    narrow: Callable[[Problem, int], Problem] | None = None,
    door: ties.Door = through_pulp.run,
) -> Answer:
    """The answer with its ties broken (:func:`estate.solve.ties.settle`); solved again where that disproves it.

    Raises
    ------
    estate.errors.SolverError
        When the solver proves what is not so a second time.
    """
    try:
        return ties.settle(problem, answer, watch, narrow=narrow, door=door)
    except ties.Disproved as disproof:
        watch.phase = "search"
        again = whole.search(problem, watch, start=disproof.plan)
    try:
        return ties.settle(problem, again, watch)
    except ties.Disproved as disproof:
        raise SolverError("a plan was proven to be best twice, and a better one found each time") from disproof
