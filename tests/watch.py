"""What is opened while something runs: by Python, and below it by the libraries in C, C++ and Rust that Python does not see."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

_EVENTS: list[tuple[str, str]] = []
_STATE = {"on": False, "hooked": False}
_WATCHED = ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")
_IN_OPEN, _IN_ISDIR = 0x20, 0x40000000


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _STATE["on"] and event in _WATCHED:
        _EVENTS.append((event, str(arguments[0])))


def opened(folder: Path, do: Callable[[], object]) -> set[str]:
    """The names of the files of a folder that are opened meanwhile; fails where a connection or a process is begun.

    Python's own are told by an audit hook.  On Linux the kernel tells of all (inotify), whoever opened them.
    """
    if not _STATE["hooked"]:
        sys.addaudithook(_hook)
        _STATE["hooked"] = True
    kernel = _listen(folder)
    _EVENTS.clear()
    _STATE["on"] = True
    try:
        do()
    finally:
        _STATE["on"] = False
        names = set() if kernel is None else _told(kernel)
    assert {event for event, _ in _EVENTS} <= {"open"}
    return names | {Path(name).name for _, name in _EVENTS if Path(name).is_relative_to(folder)}


def _listen(folder: Path) -> int | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    handle = library.inotify_init1(os.O_NONBLOCK)
    assert handle >= 0
    assert library.inotify_add_watch(handle, os.fsencode(folder), _IN_OPEN) >= 0
    return int(handle)


def _told(handle: int) -> set[str]:
    names: set[str] = set()
    try:
        while data := os.read(handle, 1 << 16):
            at = 0
            while at < len(data):
                _, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
                if name and not mask & _IN_ISDIR:
                    names.add(name)
                at += 16 + length
    except BlockingIOError:
        pass
    finally:
        os.close(handle)
    return names
