"""Ctrl-C in a batch: whatever it meets on the way, the batch ends as interrupted and publishes nothing.

A solver takes Ctrl-C as "give me your best plan", Dask may meet it while it packs a message: left alone, an interrupt ends as a
plan that is not the best, or as a bug.  So the signal is remembered as well as raised, and whoever is about to believe an
answer asks first (:meth:`Interrupt.check`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any


class Interrupt:
    """Whether Ctrl-C has come, and whether it is held back for now."""

    def __init__(self) -> None:
        self.come = threading.Event()
        self._held = False

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` where Ctrl-C has come."""
        if self.come.is_set():
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Ctrl-C is only remembered: for steps that end with a switch, which :meth:`check` just before it may still call off."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def receive(self, number: int, frame: Any) -> None:
        """The signal handler.  The first one is raised; a second would meet Dask while it puts its workers away."""
        del number, frame
        again = self.come.is_set()
        self.come.set()
        if not self._held and not again:
            raise KeyboardInterrupt


@contextmanager
def remembered() -> Iterator[Interrupt]:
    """Remember Ctrl-C; an error that follows one is the interrupt's doing, and ends as it."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt.receive)
    try:
        yield interrupt
    except Exception:
        interrupt.check()
        raise
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes and threads started in here never see Ctrl-C, which a terminal sends to all of them: the parent ends them.

    A signal that comes meanwhile is delivered afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let the signal through again in the thread that starts it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
