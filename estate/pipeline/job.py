"""The main job, one way through: load, check, travel, formulate, solve, verify, appraise, publish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from estate.pipeline.decide import Outcome, decide, stored
from estate.pipeline.prepare import Say, prepare, quiet
from estate.scenario import load_scenario
from estate.solve import Progress


def run(
    path: Path,
    *,
    changes: tuple[str, ...] = (),
    out: Path = Path("maps"),
    public: bool = False,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    say: Say = quiet,
    partners: Mapping[str, Any] | None = None,
) -> Outcome:
    """From files to a published run: the whole of ``estate run``.

    ``partners`` are the settings of :func:`~estate.pipeline.partners.with_partners`, where the plan is to be put to them.

    Raises
    ------
    InputError
        For a bad scenario or bad inputs, or inputs that changed during the run.
    InfeasibleError
        When it is proven that no plan exists; its issues say why.
    NoPlanError
        When the search ended with neither a plan nor a proof.
    VerificationError
        When the referee disagrees: nothing is published.
    WriteError
        When the results cannot be written; what was there before is unharmed.
    """
    started = time.time()
    scenario = load_scenario(path, changes)
    prepared = prepare(scenario, cache=out / ".cache", say=say)
    outcome = decide(prepared, progress=progress, stop=stop, say=say)
    if partners is not None:
        from estate.pipeline.partners import with_partners  # noqa: PLC0415  (only where it is asked for)

        outcome = with_partners(outcome, **partners, say=say)
    say("writing the results")
    from estate.pipeline.publish import execution, publish  # noqa: PLC0415  (folium is slow to import)

    folder = publish(stored(outcome), out, execution(started, outcome.answer.seconds), public=public)
    return replace(outcome, out=folder)
