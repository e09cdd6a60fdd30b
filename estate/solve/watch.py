"""One clock for every search, and the thread that waits for one.

A search is told when to stop by a :class:`Clock`: a moment, and whether somebody has had enough.  A :class:`Watch` is the whole
of one answer: its limits, its clock, what it has shown so far and whom to tell.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from estate.solve.answer import Limits, Progress, relative_gap

POLL_S = 0.1
"""How often the waiting thread looks up: the delay of Ctrl-C and of progress."""
GRACE_S = 1.0
"""How long a search that is over may take to notice, where it may be left behind."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Clock:
    """When to stop: at ``until`` (``time.monotonic()``; None: no limit), or when ``stop()`` says so."""

    until: float | None = None
    stop: Callable[[], bool] = _never

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self.until is None else max(self.until - time.monotonic(), 0.0)

    def over(self) -> str | None:
        """``interrupt`` or ``time`` when it is over."""
        if self.stop():
            return "interrupt"
        return "time" if self.until is not None and time.monotonic() >= self.until else None

    def share(self, part: float) -> Clock:
        """A clock with so much of the time that is left."""
        left = self.left()
        return self if left is None else Clock(time.monotonic() + part * left, self.stop)

    def also(self, stop: Callable[[], bool]) -> Clock:
        """A clock that stops for this reason too."""
        return Clock(self.until, lambda: self.stop() or stop())


NEVER = Clock()
"""The clock of a search that ends by itself or not at all."""


TIE_LOOKS = 1
"""Looks of HiGHS (see :func:`estate.solve.highs.run`) for each unit of a limit of work that telling ties apart may take."""


@dataclass(slots=True)
class Watch:
    """The clock, the wish to stop, and what a search has shown so far; shared by all the solves of one answer."""

    limits: Limits
    progress: Callable[[Progress], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    phase: str = "search"
    trace: list[tuple[float, int | None, float | None]] = field(default_factory=list)
    looks: int = 0
    """How often HiGHS has looked up while ties were told apart."""

    def looked_enough(self) -> bool:
        """Whether telling ties apart has had the work that it may have."""
        return self.phase == "ties" and self.limits.work is not None and self.looks >= TIE_LOOKS * self.limits.work

    @property
    def clock(self) -> Clock:
        """What a search is given."""
        limit = self.limits.time_s
        return Clock(None if limit is None else self.began + limit, self.stop.is_set)

    def seconds(self) -> float:
        """Wall-clock seconds since the answer was asked for."""
        return time.monotonic() - self.began

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return self.clock.left()

    def halted(self) -> str | None:
        """``interrupt`` or ``time`` when it is over."""
        return self.clock.over()

    def saw(self, best: float | None, bound: float | None) -> None:
        """Note the best value and bound, in the goal's units, when either has moved."""
        now = (None if best is None else round(best), bound)
        if self.phase == "search" and (not self.trace or self.trace[-1][1:] != now):
            self.trace.append((round(self.seconds(), 3), *now))

    def report(self) -> None:
        """Call ``progress`` with the latest figures."""
        if self.progress is not None:
            best, bound = self.trace[-1][1:] if self.trace else (None, None)
            self.progress(Progress(self.seconds(), best, bound, relative_gap(best, bound), self.phase))


_behind: list[threading.Thread] = []
LAST_S = 60.0
"""How long the end of the process waits for searches that were left behind."""


def left_behind(worker: threading.Thread) -> None:
    """Do not let the process end under a search: a solver's thread that is cut off in C++ takes it along."""
    if not _behind:
        atexit.register(_wait_for_the_last)
    _behind.append(worker)


def _wait_for_the_last() -> None:
    for worker in _behind:
        worker.join(LAST_S)


def aside[T](watch: Watch, name: str, search: Callable[[], T], *, may_leave: Callable[[], bool] | None = None) -> T | None:
    """What a search in a thread of its own returns, while this one takes Ctrl-C and shows progress.

    The first Ctrl-C asks the search for its best plan; a second one is the caller's.  A search that does not notice within
    :data:`GRACE_S` that it is over (it may be compiling) is left behind where it ``may_leave``: then the answer is None.
    """
    ended: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            ended.append(search())
        except BaseException as error:  # noqa: BLE001  (handed to the caller's thread below)
            failed.append(error)

    worker = threading.Thread(target=work, name=name, daemon=True)
    worker.start()
    over: float | None = None
    while worker.is_alive():
        try:
            worker.join(POLL_S)
            watch.report()
        except KeyboardInterrupt:
            if watch.stop.is_set():
                raise
            watch.stop.set()
        if over is None and watch.halted():
            over = watch.seconds()
        if over is not None and watch.seconds() > over + GRACE_S and may_leave is not None and may_leave():
            left_behind(worker)
            break
    if failed:
        raise failed[0]
    return ended[0] if ended else None
