"""Everything a run says, before it is published and whenever it is read back, put to the referee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from estate.runs.run import Run
from estate.scenario import Objective
from estate.verify import Claim, Verdict, referee, referee_tables
from estate.verify.bound import check_bound
from estate.verify.case import case_of
from estate.verify.programme import chosen_for_value, referee_programme
from estate.verify.steps import without_budgets


def judge(run: Run) -> Verdict:
    """The referee's verdict on a run's plan, its manifest and its published tables.

    In a programme the purses are judged by its cash, year by year, and not by what the plan at its end would need.
    """
    claim, scenario, more = claim_of(run.manifest, run.tables), run.scenario, dict[str, int]()
    wrong = referee_tables(run.place, run.scenario, run.travel, run.plan, run.tables)
    if "programme" in run.tables:
        scenario = without_budgets(scenario)
        worth = run.manifest["programme"]["worth_gbp"]
        issues, more = referee_programme(run.place, run.scenario, run.travel, run.plan, run.tables, worth)
        wrong = (*wrong, *issues)
        claim = replace(claim, chosen_for_value=chosen_for_value(run.scenario))
    verdict = referee(run.place, scenario, run.travel, run.plan, claim=claim)
    cells = sum(table.size for table in run.tables.values())
    checks = {**verdict.checks, **more, "table-cells": cells}
    said, follows = run.manifest.get("certificate"), None
    if (said is not None or run.certificate is not None) and verdict.ok:
        case = case_of(run.place, scenario, run.travel)
        found, follows = check_bound(case, run.certificate, said, verdict.objective, claim.bound_pence or 0.0)
        wrong = (*wrong, found.issue()) if found.broken else wrong
        checks |= {found.rule: found.checked}
    ok = verdict.ok and not wrong
    return replace(verdict, ok=ok, failures=(*verdict.failures, *wrong), checks=checks, confirmed=follows)


def claim_of(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Claim:
    """What a manifest and the table of sites claim of a plan."""
    scale = 100 if Objective(manifest["objective"]).in_money else 1
    sites = tables["sites"]
    inside = sites[sites["after"] != "outside"]
    bound = manifest["bound_value"]
    return Claim(
        status=manifest["status"],
        objective_pence=None if manifest["objective_value"] is None else round(manifest["objective_value"] * scale),
        # A bound in pounds has lost its last digits: a thousandth of a penny either way says nothing.
        bound_pence=None if bound is None else round(bound * scale, 3),
        gap=manifest["gap"],
        today_is_a_plan=manifest["today_is_a_plan"],
        running_pence=round(manifest["running_cost_gbp_pa"] * 100),
        baseline_pence=round(manifest["baseline_gbp_pa"] * 100),
        area_m2=dict(zip(inside["site_id"], inside["area_used_after_m2"].astype(float), strict=True)),
    )
