"""Standard output and error that bear what happens to them: a closed pipe, a full disk, a terminal without the letters."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from estate.errors import WriteError


class Patient:
    """A stream that a reader may leave: what is written after that goes nowhere, and the work goes on.

    With ``needed``, any other failure (a full disk under ``--json > file``) is a :class:`WriteError`.
    """

    def __init__(self, stream: Any, *, needed: bool) -> None:
        self._stream, self._needed = stream, needed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As the stream's own; nothing is raised for a reader that left."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._lost(error)
        return len(text)

    def flush(self) -> None:
        """As the stream's own; nothing is raised for a reader that left."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lost(error)

    def _lost(self, error: OSError) -> None:
        if self._needed and error.errno != errno.EPIPE:
            raise WriteError(f"cannot write to standard output: {error.strerror}; what was published is unharmed") from None
        self.divert()

    def divert(self) -> None:
        """From here on to nowhere: what is still in the buffer too, or Python complains of it at the end."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def patient() -> Iterator[None]:
    """Both streams patient, with ``?`` for letters that the terminal has not, and the three first descriptors in use.

    A descriptor that was closed when the program started would else be given to the next file that is opened, and what a
    library prints would end in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
    before = sys.stdout, sys.stderr
    # For a stream that is not there, where Python has None; closed below, after the streams that may be this one.
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for name, given in zip(("stdout", "stderr"), before, strict=True):
        stream = nowhere if given is None else given
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
        setattr(sys, name, Patient(stream, needed=name == "stdout"))
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, Patient):
                try:
                    stream.flush()
                except WriteError:
                    stream.divert()
        sys.stdout, sys.stderr = before
        nowhere.close()


def say_why_it_ends() -> None:
    """SIGTERM and SIGHUP end the program as ever, after a word on standard error."""

    def ended(number: int, frame: Any) -> None:
        del frame
        name = signal.Signals(number).name
        with suppress(OSError):
            os.write(2, f"\nestate: ended by {name}: nothing is half-published; run it again\n".encode())
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for each in (signal.SIGTERM, signal.SIGHUP):
        # nohup's wish, and any other that was made before, stands.
        if signal.getsignal(each) == signal.SIG_DFL:
            signal.signal(each, ended)


def deaf_to_interrupts() -> None:
    """From here on Ctrl-C changes nothing: how the command ended is decided and told, and what is left is Python's tidying.

    A second one would meet it there, and end as a traceback of a library or as a death by signal.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
