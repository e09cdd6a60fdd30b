"""A decided plan put to its partners: the tables, what the manifest says of them, and the referee's verdict on the whole."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from estate.appraise import Appraisal
from estate.errors import VerificationError
from estate.partners import agreement
from estate.partners.agreement import agreement_tables
from estate.partners.groups import group_tables
from estate.partners.partnership import Partnership, partnership
from estate.partners.reorganisation import reorganisation_tables
from estate.partners.tables import partner_tables
from estate.partners.vehicle import vehicle_tables
from estate.pipeline.decide import Outcome, stored
from estate.pipeline.judge import judge
from estate.pipeline.prepare import Say, quiet
from estate.runs.run import column_kinds
from estate.solve.watch import NEVER, Clock


def with_partners(outcome: Outcome, *, time_s: float | None = None, orders: int = 20, say: Say = quiet) -> Outcome:
    """The outcome with the tables of its partners (:mod:`estate.partners.tables`), judged again.

    Parameters
    ----------
    time_s
        Seconds for all the questions together; what is then not proven is said to be an interval.
    orders
        Orders of joining that are drawn where there are too many partners to list every group.

    Raises
    ------
    InputError
        Where the scenario makes no game (another objective than money, today ruled out, nobody to share with).
    VerificationError
        When the referee disagrees with a table.
    """
    clock = NEVER if time_s is None else Clock(time.monotonic() + time_s)
    found = partnership(outcome.prepared.measured, outcome.plan, clock=clock, orders=orders, say=say)
    say("the account between them")
    agreed = agreement_tables(found)
    tables = {
        **outcome.appraisal.tables,
        **partner_tables(found),
        **group_tables(found),
        **agreed,
        **vehicle_tables(found),
        **reorganisation_tables(found),
    }
    said = {**summary(found, tables["ways"]), **agreement.summary(agreed)}
    manifest = {**outcome.manifest, "partners": said, "tables": column_kinds(tables)}
    more = replace(outcome, appraisal=Appraisal(tables, outcome.appraisal.summary), manifest=manifest)
    say("checking the partners' tables independently")
    verdict = judge(stored(more))
    if not verdict.ok:
        raise VerificationError(
            "the partners' tables did not pass the independent check: nothing is published", verdict.failures
        )
    manifest = {**manifest, "verification": {"checks": dict(verdict.checks)}}
    return replace(more, verdict=verdict, manifest=manifest)


def summary(found: Partnership, ways: pd.DataFrame) -> Mapping[str, Any]:
    """What ``run.json`` says of the partners."""
    alone = sum(each.low for each in found.alone)
    return {
        "players": list(found.game.players),
        "together_gbp_pa": found.whole.low / 100,
        "together_at_most_gbp_pa": found.whole.high / 100,
        "alone_gbp_pa": alone / 100,
        "pooling_gbp_pa": (found.whole.low - alone) / 100,
        "own_plan": found.own_plan,
        "groups_listed": 0 if found.found is None else 2**found.game.n - 1,
        "groups_solved": 0 if found.found is None else len(found.found.plans),
        "least_largest_gain_gbp_pa": [round(found.core.low) / 100, round(found.core.high) / 100],
        "least_subsidy_gbp_pa": found.subsidy / 100,
        "ways": [
            {
                "way": row.way, "verdict": row.verdict, "worst_group": row.worst_group,
                "gains_gbp_pa": row.gains_gbp_pa, "words": row.words,
            }
            for row in ways.itertuples()
        ],
    }  # fmt: skip
