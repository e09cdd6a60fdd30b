"""The command line as somebody else's process, and what is published as a reader finds it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from estate.start.new import new

ESTATE = [sys.executable, "-m", "estate"]
WORDS = ("Traceback", "a bug in estate")
"""What nobody is to read, however it ends."""


def started(*arguments: object, before: Callable[[], None] | None = None, **environment: str) -> subprocess.Popen[str]:
    """The command in a process group of its own; ``before`` is called in the child (its limits, its streams)."""
    return subprocess.Popen(
        [*ESTATE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **environment},
        preexec_fn=before,  # noqa: PLW1509  (this process has no threads of its own)
        start_new_session=True,
    )


def ran(*arguments: object, before: Callable[[], None] | None = None, **environment: str) -> tuple[int, str]:
    """How the command ended, and all that it said."""
    process = started(*arguments, before=before, **environment)
    said = process.communicate(timeout=600)
    return process.returncode, "".join(said)


def end(process: subprocess.Popen[str]) -> None:
    """Kill the command and every process that it started, and wait until they are gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def starter(folder: Path) -> Path:
    """The starter place, in a new folder."""
    new(folder / "town")
    return folder / "town"


def whole(run: Path) -> str:
    """What is wrong with a published run: a file that is missing, or is not the one that its manifest lists; else empty."""
    try:
        manifest: Mapping[str, Mapping[str, str]] = json.loads((run / "run.json").read_text())
        for name, digest in manifest["files"].items():
            if hashlib.sha256((run / name).read_bytes()).hexdigest() != digest:
                return f"{name} is not the one that run.json lists"
    except (OSError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def left(out: Path) -> list[str]:
    """What a run left half-written."""
    return [each.name for each in (*out.glob(".*.new"), *(out / ".runs").glob(".*.writing"), *out.glob(".*.old"))]
