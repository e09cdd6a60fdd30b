"""Bad nights on the starter: each trial tells what it counted, and what did not hold."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import resource
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trial.commands import WORDS, end, left, ran, started, starter, whole

type Found = tuple[str, list[str]]

SIZES_KB = (8, 64, 128, 256, 512, 640, 704, 736, 768, 800, 900, 2000)
"""Rooms for a run of the starter, three quarters of a megabyte: too little by more and by less, and enough."""


def _moments(times: int, seconds: float) -> Iterator[float]:
    """So many moments of a stretch of time, at random and the same every time."""
    rng = random.Random(16)
    for _ in range(times):
        yield rng.uniform(0.05, seconds)


def _said(code: int, said: str, allowed: tuple[int, ...]) -> list[str]:
    faults = [f"ended with {code}: {said.strip()[-300:]}"] if code not in allowed else []
    return faults + [f"said '{word}': {said.strip()[-300:]}" for word in WORDS if word in said]


def kills(folder: Path, times: int) -> Found:
    """A run is killed at random moments, over one that is published."""
    place, out = starter(folder), folder / "maps"
    began = time.monotonic()
    faults = _said(*ran("run", place, "--out", out, "--public", "-q"), (0,))
    took, first, states = time.monotonic() - began, (out / "town" / "run.json").read_bytes(), Counter[str]()
    for wait in _moments(times, 1.5 * took):
        process = started("run", place, "--out", out, "--public", "-q", "--set", "travel.detour=1.4")
        time.sleep(wait)
        end(process)
        now = (out / "town" / "run.json").read_bytes()
        states["the old run" if now == first else "the new run"] += 1
        if wrong := whole(out / "town"):
            faults.append(f"killed after {wait:.2f} s: {wrong}")
        if now != first:
            faults += _said(*ran("run", place, "--out", out, "--public", "-q"), (0,))
            first = (out / "town" / "run.json").read_bytes()
    faults += _said(*ran("run", place, "--out", out, "--public", "-q"), (0,))
    faults += [f"left behind: {each}" for each in left(out)]
    return f"{times} kills; found then: {dict(states)}", faults


def batch_kills(folder: Path, times: int) -> Found:
    """A batch is killed at random moments and taken up again: its answers are those of one that nobody disturbed."""
    place = starter(folder)
    began = time.monotonic()
    faults = _said(*ran("whatif", place / "whatif.toml", "--out", folder / "calm", "-q"), (0,))
    took = time.monotonic() - began
    for wait in _moments(times, 0.8 * took):
        process = started("whatif", place / "whatif.toml", "--out", folder / "maps", "-q")
        time.sleep(wait)
        end(process)
    faults += _said(*ran("whatif", place / "whatif.toml", "--out", folder / "maps", "-q"), (0,))
    calm, maps = (next((folder / name).glob("*/scenarios.csv")).read_bytes() for name in ("calm", "maps"))
    if calm != maps:
        faults.append("the answers differ from those of a batch that nobody disturbed")
    return f"{times} kills; {calm.count(b'\n') - 1} answers", faults


@contextmanager
def _small(folder: Path, kb: int) -> Iterator[bool]:
    """The folder as a disk of so many kilobytes; False where that may not be made."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kb}k", "tmpfs", str(folder)], capture_output=True, check=False)
    try:
        yield made.returncode == 0
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _largest(kb: int) -> None:
    """In the child: no file may be larger (as a quota or ``ulimit -f`` has it)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (kb * 1024, kb * 1024))


def disks(folder: Path, times: int) -> Found:
    """Commands on disks that fill, or where files may not grow: they end with 8 or are done, and what was there is whole."""
    del times
    place, disk, codes, faults = starter(folder), folder / "disk", Counter[str](), list[str]()
    commands = {
        "run": ("run", place, "--out", disk, "--public", "-q"),
        "again": ("run", place, "--out", disk, "-q", "--set", "travel.detour=1.4"),
        "whatif": ("whatif", place / "whatif.toml", "--out", disk, "-q"),
        "new": ("new", disk / "new"),
    }

    def tried(name: str, room: str, **child: int) -> None:
        before = (lambda: _largest(child["kb"])) if child else None
        code, said = ran(*commands[name], before=before, TMPDIR=str(disk))
        codes[f"{name} {code}"] += 1
        faults.extend(f"{name} in {room}: {each}" for each in _said(code, said, (0, 8)))
        if (disk / "town").exists() and (wrong := whole(disk / "town")):
            faults.append(f"{name} in {room}: {wrong}")

    mounted = 0
    for kb in SIZES_KB:
        with _small(disk, kb) as there:
            if there:
                mounted += 1
                for name in commands:
                    tried(name, f"{kb} kB")
    for filled in (False, True):
        with _small(disk, 4096) as there:
            if there and filled:
                faults += _said(*ran("run", place, "--out", disk, "-q"), (0,))
                _fill(disk / "fill")
                for name in commands:
                    tried(name, "a full disk with a run on it")
    for kb in (0, 4, 16, 64, 128, 200, 250):
        for name in commands:
            tried(name, f"files of {kb} kB", kb=kb)
    return f"{sum(codes.values())} commands, {mounted} small disks; ended (command code): {dict(sorted(codes.items()))}", faults


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def signals(folder: Path, times: int) -> Found:
    """Ctrl-C once, twice, to the whole group, SIGTERM and SIGHUP at random moments of a run and of a batch."""
    place, codes, faults = starter(folder), Counter[str](), list[str]()
    commands = {
        "run": (("run", place, "--out", folder / "maps", "-q"), (0, 130, -15, -1)),
        "whatif": (("whatif", place / "whatif.toml", "--out", folder / "maps", "--workers", "2"), (0, 130, -15, -1)),
    }
    for what, (command, allowed) in commands.items():
        began = time.monotonic()
        faults += _said(*ran(*command), (0,))
        took = time.monotonic() - began
        for n, wait in enumerate(_moments(times, took)):
            kind = ("once", "twice", "group", "term", "hup")[n % 5]
            process = started(*command, *(() if what == "run" else ("--out", folder / f"night{n}")))  # a batch anew
            time.sleep(wait)
            _send(process, kind)
            try:
                said = "".join(process.communicate(timeout=120))
            except subprocess.TimeoutExpired:
                faults.append(f"{what}, {kind} after {wait:.2f} s: it does not end")
                end(process)
                continue
            codes[f"{what} {kind} {process.returncode}"] += 1
            # Before Python has come as far as our own code, an interrupt is Python's to report.  One that comes while a library
            # writes code of its own (as pydantic does) Python remembers, and dies of after all is told: 130 to any shell.
            early = wait < 0.6 and process.returncode in (-2, 1, 130)
            early |= process.returncode == -2 and said.strip().endswith("estate: interrupted")
            faults += (
                []
                if early
                else [f"{what}, {kind} after {wait:.2f} s: {each}" for each in _said(process.returncode, said, allowed)]
            )
            if wrong := whole(folder / "maps" / "town"):
                faults.append(f"{what}, {kind} after {wait:.2f} s: {wrong}")
    return f"{sum(codes.values())} signals; ended (command, signal, code): {dict(sorted(codes.items()))}", faults


def _send(process: subprocess.Popen[str], kind: str) -> None:
    try:
        if kind in ("once", "twice"):
            os.kill(process.pid, signal.SIGINT)
        if kind == "twice":
            time.sleep(0.2)
            os.kill(process.pid, signal.SIGINT)
        if kind == "group":
            os.killpg(process.pid, signal.SIGINT)
        if kind in ("term", "hup"):
            os.kill(process.pid, signal.SIGTERM if kind == "term" else signal.SIGHUP)
    except ProcessLookupError:
        pass


def readers(folder: Path, times: int) -> Found:
    """Somebody reads the page all the while that runs replace it: every page is a whole one, of one of the runs."""
    place, out, reads, stop = starter(folder), folder / "maps", Counter[str](), threading.Event()
    faults = _said(*ran("run", place, "--out", out, "-q"), (0,))
    page, seen = out / "town" / "index.html", set[str]()

    def read() -> None:
        while not stop.is_set():
            try:
                data = page.read_bytes()
            except OSError as error:
                reads[f"errno {error.errno}"] += 1
                continue
            reads["page"] += 1
            seen.add(hashlib.sha256(data).hexdigest())

    known = {hashlib.sha256(page.read_bytes()).hexdigest()}
    readers_ = [threading.Thread(target=read) for _ in range(2)]
    for each in readers_:
        each.start()
    try:
        for n in range(times):
            faults += _said(*ran("run", place, "--out", out, "-q", "--set", f"travel.detour={1.2 + n % 3 / 10}"), (0,))
            known.add(hashlib.sha256(page.read_bytes()).hexdigest())
    finally:
        stop.set()
        for each in readers_:
            each.join()
    faults += [f"{count} reads failed: {kind}" for kind, count in reads.items() if kind != "page"]
    faults += [f"a page that no run published: {each}" for each in seen - known]
    return f"{reads['page']:,} reads under {times} replacements, {len(seen)} pages seen", faults


def hands(folder: Path, times: int) -> Found:
    """Closed and full streams, a terminal without letters, pipes that close early, paths that are too long."""
    del times
    place, out, faults = starter(folder), folder / "maps", list[str]()
    faults += _said(*ran("run", place, "--out", out, "-q"), (0,))
    full = os.open("/dev/full", os.O_WRONLY)
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    commands = {
        "run": ("run", place, "--out", out),
        "run --json": ("run", place, "--out", out, "--json"),
        "check": ("check", place),
        "check --json": ("check", place, "--json"),
        "check --csv": ("check", place, "--csv"),
        "compare": ("compare", out / "town", out / "town"),
        "verify": ("verify", out / "town"),
        "whatif": ("whatif", place / "whatif.toml", "--out", out, "--json"),
        "standards": ("standards",),
        "schema": ("schema", "--json"),
        "-h": ("-h",),
    }
    count = 0
    for name, command in commands.items():
        streams = {
            "closed": (lambda: [os.close(number) for number in (0, 1, 2)], (0,)),
            "output closed": (lambda: os.close(1), (0,)),
            "output full": (lambda: os.dup2(full, 1), (8,)),
            "both full": (lambda: [os.dup2(full, number) for number in (1, 2)], (8,)),
        }
        for what, (before, allowed) in streams.items():
            count += 1
            faults += [f"{name}, {what}: {each}" for each in _said(*ran(*command, before=before), allowed)]
        faults += [f"{name}, ASCII: {each}" for each in _said(*ran(*command, **ascii_only), (0,))]
        process = started(*command)
        if process.stdout is not None:
            process.stdout.read(3)
            process.stdout.close()
        said = process.stderr.read() if process.stderr is not None else ""
        faults += [f"{name}, a pipe that closes: {each}" for each in _said(process.wait(), said, (0,))]
        count += 2
    for long in ("x" * 3600, "x/" * 1800, "x" * 300, "/".join(["x" * 200] * 18)):
        for name, command in {
            "run": ("run", place, "--out", folder / "r" / long, "-q"),
            "whatif": ("whatif", place / "whatif.toml", "--out", folder / "w" / long, "-q"),
            "new": ("new", folder / "n" / long),
            "check": ("check", folder / "c" / long),
            "verify": ("verify", folder / "v" / long),
            "map": ("map", out / "town", "--file", folder / "m" / long),
        }.items():
            count += 1
            # Some of these are not too long for some of them.
            faults += [f"{name}, a path of {len(long):,}: {each}" for each in _said(*ran(*command), (0, 3, 8))]
    os.close(full)
    return f"{count} commands", faults


def parts(folder: Path, times: int) -> Found:
    """A stored part of a batch is cut short, or its bytes are changed: the next night asks again and says so."""
    place, out = starter(folder), folder / "maps"
    faults = _said(*ran("whatif", place / "whatif.toml", "--out", out, "-q"), (0,))
    part = next((out / ".whatif").glob("*/part-all.parquet"))
    good, rng = part.read_bytes(), random.Random(16)
    answers = next(out.glob("*/scenarios.csv")).read_bytes()
    for n in range(times):
        spoilt = bytearray(good)
        if n % 2:
            spoilt[rng.randrange(len(good))] ^= 255
        else:
            del spoilt[rng.randrange(len(good)) :]
        part.write_bytes(spoilt)
        faults += [f"part {n}: {each}" for each in _said(*ran("whatif", place / "whatif.toml", "--out", out, "-q"), (0,))]
        if next(out.glob("*/scenarios.csv")).read_bytes() != answers:
            faults.append(f"part {n}: the answers are others")
    return f"{times} parts cut short or changed", faults
