"""One county: its place written into a folder, run, and a row of figures; whatever goes wrong is in the row."""

from __future__ import annotations

import hashlib
import json
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from estate.errors import EstateError, InfeasibleError, NoPlanError
from estate.pipeline.job import run
from estate.pipeline.manifest import PACKAGES
from estate.runs.files import read_manifest

FAILED, NO_PLAN = "failed", "no plan"
FIGURES = (
    "objective", "status", "stopped", "repeatable", "settled", "gap", "people", "sites_before", "sites_after", "hubs_before",
    "hubs_after", "released", "moves", "merges", "baseline_gbp_pa", "running_cost_gbp_pa", "saving_gbp_pa", "objective_gbp_pa",
    "bound_gbp_pa", "one_off_gbp", "receipts_gbp", "need_gbp", "npv_gbp", "illustrative_figures",
)  # fmt: skip
"""What a row takes from the run's manifest as it stands there."""

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CountyAsk:
    """A county to run.  ``folder`` holds its place, ``out`` takes its run; workers elsewhere need both at the same path."""

    name: str
    title: str
    folder: Path
    out: Path
    changes: tuple[str, ...]
    key: str
    """What the answer depends on: the place's files, the changes and the versions."""


def key_of(texts: Mapping[str, str], changes: tuple[str, ...]) -> str:
    """Identity of an answer."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    parts = json.dumps([dict(texts), changes, versions], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def answer(ask: CountyAsk) -> Row:
    """Run one county and publish it; its row."""
    began, before = time.perf_counter(), _cpu_s()
    row: Row = {"name": ask.name, "title": ask.title, "key": ask.key, "reason": ""}
    try:
        outcome = run(ask.folder, changes=ask.changes, out=ask.out)
        manifest = read_manifest(outcome.out if outcome.out is not None else ask.out / ask.name)
        row |= {figure: manifest[figure] for figure in FIGURES}
    except (InfeasibleError, NoPlanError) as error:
        row |= {"status": NO_PLAN, "reason": _said(error)}
    except EstateError as error:
        row |= {"status": FAILED, "reason": _said(error)}
    except MemoryError:
        row |= {"status": FAILED, "reason": "out of memory"}
    except Exception as error:  # noqa: BLE001  (one county's bug is not the nation's)
        row |= {"status": FAILED, "reason": f"a bug: {type(error).__name__}: {error}"}
    return row | {"seconds": round(time.perf_counter() - began, 2), "cpu_s": round(_cpu_s() - before, 2)}


def _said(error: EstateError) -> str:
    return "; ".join(map(str, error.issues[:3])) or str(error)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
