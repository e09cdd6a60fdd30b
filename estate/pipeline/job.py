"""The main job, one way through: load, check, travel, formulate, solve, verify, appraise, publish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from estate.pipeline.decide import Outcome, decide, stored
from estate.pipeline.prepare import Say, prepare, quiet
from estate.scenario import Alternative, Options, load_scenario
from estate.solve import Progress


def run(  # noqa: PLR0913  (one for each thing that is asked for)
    path: str | Path,
    *,
    changes: Sequence[str] = (),
    out: str | Path = "maps",
    public: bool = False,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    say: Say = quiet,
    partners: Mapping[str, Any] | None = None,
    options: tuple[Alternative, ...] | None = None,
    more: Callable[[Outcome], Outcome] | None = None,
) -> Outcome:
    """From files to a published run: the whole of ``estate run``.

    ``partners`` are the settings of :func:`~estate.pipeline.partners.with_partners`, where the plan is to be put to them.
    ``options`` are the plans to set beside this one (:func:`~estate.pipeline.options.with_options`); none of them: those that the
    scenario names; None: the plan stands alone.  ``more`` adds to a decided plan before it is published.

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
    started, out = time.time(), Path(out)
    scenario = load_scenario(path, changes)
    if options:
        own = scenario.options or Options()
        scenario = scenario.model_copy(update={"options": own.model_copy(update={"alternatives": options})})
    prepared = prepare(scenario, cache=out / ".cache", say=say)
    if options is not None:
        from estate.pipeline.options import check_alternatives  # noqa: PLC0415  (only where it is asked for)

        check_alternatives(prepared)
    outcome = decide(prepared, progress=progress, stop=stop, say=say)
    if partners is not None:
        from estate.pipeline.partners import with_partners  # noqa: PLC0415  (only where it is asked for)

        outcome = with_partners(outcome, **partners, say=say)
    if options is not None:
        from estate.pipeline.options import with_options  # noqa: PLC0415  (only where it is asked for)

        outcome = with_options(outcome, cache=out / ".cache", stop=stop, say=say)
    if more is not None:
        outcome = more(outcome)
    say("writing the results")
    return publish(outcome, out, public=public, started=started)


def publish(outcome: Outcome, out: str | Path = "maps", *, public: bool = False, started: float | None = None) -> Outcome:
    """Write an outcome as a run under ``out`` and list it there; the same outcome, which knows where it is.

    ``public`` writes what may be handed out besides.  ``started`` (seconds since 1970) is when the work began, for the run's
    record; now unless given.  Raises as :func:`estate.pipeline.publish.publish` does.
    """
    from estate.pipeline.publish import execution  # noqa: PLC0415  (folium is slow to import)
    from estate.pipeline.publish import publish as write  # noqa: PLC0415

    record = execution(time.time() if started is None else started, outcome.answer.seconds)
    return replace(outcome, out=write(stored(outcome), Path(out), record, public=public))
