"""``estate verify``: the referee again, on a stored run."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click

from estate.cli.options import JSON, RUN
from estate.cli.outcome import emit_json, say


@click.command("verify", short_help="Check a stored run again.")
@RUN
@JSON
def command(*, run: Path, as_json: bool) -> None:
    """Check the plan, the figures and every table of RUN again from the data stored with it.  Exit 7 when anything disagrees."""
    from estate.errors import VerificationError
    from estate.pipeline.judge import judge
    from estate.runs.files import read_run
    from estate.runs.run import FORM, form_of
    from estate.wording import confirmed

    stored = read_run(run)
    verdict = judge(stored)
    if not verdict.ok:
        earlier = form_of(stored.manifest) < FORM
        why = f": it is of an earlier form ({form_of(stored.manifest)}, now {FORM}), so run it again first" if earlier else ""
        remedy = "run its scenario again with 'estate run'"
        failures = [replace(issue, remedy=remedy) for issue in verdict.failures] if earlier else verdict.failures
        raise VerificationError(f"the stored run does not pass the independent check{why}", failures)
    checks = sum(verdict.checks.values())
    if as_json:
        bound = None if verdict.confirmed is None else asdict(verdict.confirmed)
        emit_json({"ok": True, "checks": dict(verdict.checks), "cost_gbp_pa": verdict.cost_pence / 100, "bound": bound})
    else:
        none = ["There is no certificate of its bound: how far it is from the best rests on the solver's word."]
        lines = none if verdict.confirmed is None else confirmed(asdict(verdict.confirmed))
        say(f"{run}: verified. {checks:,} checks hold; running cost £{verdict.cost_pence / 100:,.2f} a year.")
        for line in lines:
            say(line)
