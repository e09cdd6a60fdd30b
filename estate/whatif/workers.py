"""Many scenarios on Dask: a local cluster sized to the machine, or the team's own scheduler.

What all scenarios share (tables, travel, settings) goes to each worker once, as a plugin, and to any worker that joins later.
A task is a batch of scenarios, sorted so that neighbours share an anchor.  A worker that dies (a crash in native code, memory,
or a scenario that hangs: a watchdog ends the process) takes its tasks along; those are then asked again one scenario at a
time, so that only the guilty one is marked.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import dask
from distributed import Client, LocalCluster, WorkerPlugin, as_completed, get_worker

from estate.errors import BatchError, EstateError
from estate.solve import Status
from estate.whatif.figures import figures, moves_of, states_of, why_not
from estate.whatif.interrupt import kept_from_children
from estate.whatif.patches import Changes
from estate.whatif.reuse import Evaluator, Shared
from estate.whatif.store import FAILED
from estate.wording import brief

STDERR = 2
"""The descriptor, which is there though Python has no stream for it where the command was started without one."""

BATCH = 10
"""Scenarios in one task: a task costs Dask some milliseconds, whatever is in it."""

PART_S = 10.0
"""Answers are written at least this often."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One scenario to answer, by its hash."""

    hash: str
    changes: Changes
    special: Mapping[str, int] = field(default_factory=dict)


type Row = dict[str, Any]
type Progress = Callable[[int, int, int], None]
"""Called with the scenarios done, all of them, and those that failed."""


class Helper(WorkerPlugin):
    """What a worker keeps between tasks: the shared inputs and what was built from them."""

    def __init__(self, name: str, shared: Shared, *, reuse: bool = True) -> None:
        self.name, self.shared, self.reuse = name, shared, reuse
        self.evaluator: Evaluator | None = None

    def setup(self, worker: Any) -> None:
        """Called by Dask on each worker, once."""
        del worker
        self.evaluator = Evaluator(self.shared, reuse=self.reuse)


def work(name: str, batch: Sequence[Ask], timeout_s: float) -> list[Row]:
    """A task: the answers to a batch, on a worker that has the plugin ``name``."""
    evaluator = cast("Helper", get_worker().plugins[name]).evaluator
    if evaluator is None:
        raise RuntimeError("the worker was not set up")
    rows = []
    for ask in batch:
        # In C, and without the interpreter's lock: it also ends a process that is stuck in native code.
        faulthandler.dump_traceback_later(timeout_s, exit=True, file=sys.__stderr__ or STDERR)
        try:
            rows.append(row_of(evaluator, ask, timeout_s))
        finally:
            faulthandler.cancel_dump_traceback_later()
    return rows


def row_of(evaluator: Evaluator, ask: Ask, timeout_s: float) -> Row:
    """One scenario's row of the store; whatever goes wrong is in it."""
    began = time.perf_counter()
    row: Row = {"hash": ask.hash, "reason": ""}
    try:
        reply = evaluator.answer(ask.changes, ask.special, time_s=0.7 * timeout_s)
        row |= {"status": str(reply.status), "reason": reply.reason, "solved": reply.solved, "settled": reply.settled}
        row |= figures(reply)
        if reply.anchor is not None and reply.solution is not None:
            row["sites"] = _pairs(states_of(reply.anchor, reply.solution))
            row["moved"] = _pairs(moves_of(reply.anchor, reply.solution))
        elif reply.status is Status.INFEASIBLE:
            row["reason"] = why_not(reply)
        else:
            row["status"] = FAILED
    except EstateError as error:
        row |= {"status": FAILED, "reason": str(error) if not error.issues else "; ".join(map(str, error.issues[:3]))}
    except MemoryError:
        row |= {"status": FAILED, "reason": "out of memory"}
    except Exception as error:  # noqa: BLE001  (one scenario's bug is not the batch's)
        row |= {"status": FAILED, "reason": f"a bug: {type(error).__name__}: {error}"}
    row["seconds"] = time.perf_counter() - began
    return row


def _pairs(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"id": key, "value": value} for key, value in sorted(given.items())]


# -------------------------------------------------------------------------------------------------- running


def workers_here() -> int:
    """Workers for this machine: one for each processor this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def cluster(scheduler: str = "", workers: int = 0) -> Iterator[Client]:
    """A client of the named scheduler, or of a cluster of this machine's own (spawned, one thread each)."""
    if scheduler:
        with Client(scheduler, timeout="20s", set_as_default=False) as client:  # type: ignore[no-untyped-call]
            yield client
        return
    settings = {
        "distributed.scheduler.allowed-failures": 0,  # what dies is asked again one by one: see `answers`
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.worker.daemon": True,
    }
    with dask.config.set(settings), kept_from_children():
        local = _started(workers or workers_here())
    with dask.config.set(settings), local, Client(local, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        yield client


def _started(workers: int) -> LocalCluster:
    """Workers of this machine's own.

    One that is killed while it starts (memory is short just then) takes the others along, so all are started again, and where
    that fails too a half as many: :class:`BatchError` when not even one stays.
    """
    for wanted in (workers, workers, max(workers // 2, 1), 1):
        try:
            return LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=wanted,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
        except (RuntimeError, OSError, TimeoutError) as error:
            said = brief(f"{type(error).__name__}: {error}")
    message = f"no worker stays alive ({said}): is memory short? free some, or give it --workers 1; answers so far are kept"
    raise BatchError(message)


def answers(client: Client, helper: Helper, asks: Sequence[Ask], timeout_s: float) -> Iterator[list[Row]]:
    """The rows of all scenarios as they come, in batches; a scenario whose worker died has a row that says so."""
    client.register_plugin(helper)
    batches = [list(asks[i : i + BATCH]) for i in range(0, len(asks), BATCH)]
    futures = {client.submit(work, helper.name, batch, timeout_s, pure=False): batch for batch in batches}
    again: list[Ask] = []
    for future in as_completed(list(futures), loop=client.loop):  # type: ignore[no-untyped-call]
        batch = futures.pop(future)
        if future.status == "finished":
            yield future.result()
        else:
            again += batch
    for ask in again:  # alone, so that whoever dies is the one
        began = time.perf_counter()
        future = client.submit(work, helper.name, [ask], timeout_s, pure=False)
        try:
            yield future.result()
        except Exception as error:  # noqa: BLE001  (a dead worker, in whatever way Dask puts it)
            seconds = time.perf_counter() - began
            late = seconds >= timeout_s
            reason = f"gave no answer within {timeout_s:g} seconds" if late else "its worker died: a crash, or out of memory"
            named = type(error).__name__
            row = {"hash": ask.hash, "status": FAILED, "reason": f"{reason} ({named})", "seconds": seconds}
            yield [row]


def answers_here(helper: Helper, asks: Sequence[Ask], timeout_s: float) -> Iterator[list[Row]]:
    """As :func:`answers`, in this process: for a handful, where starting workers would take longer than the work."""
    helper.setup(None)
    if helper.evaluator is not None:
        for ask in asks:
            yield [row_of(helper.evaluator, ask, timeout_s)]
