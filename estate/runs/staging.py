"""Publication that is whole or not at all: a folder is filled aside and becomes the run in one step, under a lock."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from estate.errors import EstateError, WriteError
from estate.wording import brief

RUNS = ".runs"
_POLL_S = 0.05
_LONG_BYTES = 400
"""SQLite opens no file whose path has more than 512 bytes, and a run adds some to its folder's."""
_PROBE_MB = 4
"""More than any one file of a county's run."""


@contextmanager
def locked(out: Path, name: str, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the output folder's lock for one scenario; :class:`WriteError` when another has it for ``wait_s`` seconds."""
    runs = out / RUNS
    with writing(out):
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except RecursionError:  # a folder in a folder, a thousand deep
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)) from None
        lock = (runs / f"{name}.lock").open("a+")
    with lock:
        until = time.monotonic() + wait_s
        while not _taken(lock):
            if time.monotonic() >= until:
                holder = _holder(lock)
                raise WriteError(f"another run of '{name}' is writing to {out}{holder}: wait for it, or choose another --out")
            time.sleep(_POLL_S)
        with writing(out):
            lock.truncate(0)
            who = f"process {os.getpid()} on {platform.node()}, since {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
            os.write(lock.fileno(), who.encode())  # nothing is left to be flushed, and to fail, when the lock is let go
        yield


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(lock: IO[str]) -> str:
    """Who holds a lock and since when, as the holder wrote into it; empty where it has not yet."""
    lock.seek(0)
    said = lock.read(200)
    return f" ({said})" if said.isprintable() and said else ""


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn a failure to write into :class:`WriteError` with what to do."""
    try:
        yield
    except EstateError:
        raise
    except Exception as error:
        # A database or a spreadsheet that finds the disk full says so in errors of its own.
        number = (isinstance(error, OSError) and error.errno) or _refused(where)
        if not number and len(os.fsencode(where.absolute())) > _LONG_BYTES:
            number = errno.ENAMETOOLONG
        if not isinstance(error, OSError) and not number:
            raise
        hints = {
            errno.ENOSPC: "the disk is full: free some space",
            errno.EFBIG: "files may not grow so large here (ulimit -f): raise the limit",
            errno.EACCES: "the folder is read-only or the file is open elsewhere",
            errno.EDQUOT: "the quota is used up: free some space",
            errno.EROFS: "the folder is read-only",
            errno.ENAMETOOLONG: "the path is too long: choose a shorter one",
        }
        hint = hints.get(number, getattr(error, "strerror", None) or brief(str(error)))
        shown = brief(str(where), 200)
        raise WriteError(f"cannot write to {shown}: {hint}; what was published before is unharmed") from error


def _refused(where: Path) -> int:
    """The error number that writing a few megabytes into a folder meets (no space, a quota, a limit of size); 0 for none."""
    there = next((each for each in (where, *where.absolute().parents) if each.is_dir()), Path())
    probe = there / f".{os.getpid()}.probe"
    try:
        with probe.open("wb", buffering=0) as file:
            for _ in range(_PROBE_MB):
                file.write(bytes(2**20))
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        with suppress(OSError):
            probe.unlink()
    return 0


@contextmanager
def staged(out: Path, name: str, key: str) -> Iterator[Path]:
    """A folder to fill; when the block ends well it becomes ``<out>/<name>`` in one step, else it is removed.

    The scenario's lock is held throughout.  Runs of the same key are replaced; others stay.
    """
    with locked(out, name):
        repair(out, name)
        stage = out / RUNS / f".{key}.writing"
        with writing(out):
            shutil.rmtree(stage, ignore_errors=True)
            stage.mkdir()
        try:
            with writing(out):
                yield stage
                _publish(out, name, key, stage)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _publish(out: Path, name: str, key: str, stage: Path) -> None:
    _sync(stage)
    target = _fresh(out / RUNS, key)
    stage.rename(target)
    link = out / name
    new = out / f".{name}.new"
    with suppress(FileNotFoundError):
        new.unlink()
    try:
        new.symlink_to(target.relative_to(out), target_is_directory=True)
    except OSError:
        _swap(link, target)
    else:
        if link.is_dir() and not link.is_symlink():
            link.rename(_fresh(out / RUNS, f"{name}.before-links"))
        new.replace(link)
    for old in (out / RUNS).glob(f"{key}*"):
        if old != target and old.is_dir() and not old.name.startswith("."):
            shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Flush every file to disk, so that a power cut cannot leave a link to empty files."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def _swap(link: Path, target: Path) -> None:
    """Without links: the old folder is renamed aside and the new one in; :func:`repair` mends a crash in between."""
    aside = link.with_name(f".{link.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if link.exists():
        link.rename(aside)
    target.rename(link)
    shutil.rmtree(aside, ignore_errors=True)


def repair(out: Path, name: str) -> None:
    """Put back what a crash between two renames left aside, and clear what a killed run left half-written."""
    aside, link = out / f".{name}.old", out / name
    if aside.exists() and not link.exists():
        aside.rename(link)
    with suppress(FileNotFoundError):
        (out / f".{name}.new").unlink()
    for left in (out / RUNS).glob(f".{name}-*.writing"):
        # Only this scenario's, whose lock is held: its name, a dash and the digest of a run.
        if re.fullmatch(rf"\.{re.escape(name)}-[0-9a-f]{{12}}\.writing", left.name):
            shutil.rmtree(left, ignore_errors=True)


def _fresh(folder: Path, key: str) -> Path:
    """A name that nothing has: the key, or the key with the least free number."""
    path, n = folder / key, 2
    while path.exists():
        path, n = folder / f"{key}-{n}", n + 1
    return path
