"""The main job on the real county: proven, verified, and true to what the scenarios say."""

import numpy as np
import pytest
from repository import WORCESTERSHIRE

from estate.pipeline.decide import decide
from estate.pipeline.prepare import prepare
from estate.scenario import load_scenario
from estate.solve import Limits, Status, solve

PLACE = WORCESTERSHIRE


@pytest.fixture(scope="module")
def main_job():
    return decide(prepare(load_scenario(PLACE)))


@pytest.fixture(scope="module")
def post_office():
    return decide(prepare(load_scenario(PLACE / "post-office.toml")))


def test_the_county_is_proven_and_verified(main_job):
    answer, manifest = main_job.answer, main_job.manifest
    assert answer.status is Status.OPTIMAL
    assert answer.value == answer.bound
    assert answer.settled
    assert answer.repeatable
    assert main_job.verdict.ok
    assert manifest["running_cost_gbp_pa"] <= manifest["baseline_gbp_pa"]
    assert not [issue for issue in main_job.formulation.notes if issue.code == "today.not-a-plan"]


def test_another_solver_agrees_on_the_county(main_job):
    problem = main_job.formulation.problem
    cbc = solve(problem, Limits(solver="cbc"))
    assert cbc.value == main_job.answer.value


def test_buildings_with_other_uses_stay(main_job):
    place, plan = main_job.prepared.place, main_job.plan
    used = (place.sites["other_use_m2"] > 0).to_numpy() & place.sites["in_use"].to_numpy()
    assert plan.open[used].all()
    assert used.sum() >= 10


def test_what_may_go_where_is_realistic(main_job):
    place, plan = main_job.prepared.place, main_job.plan
    kind = place.sites["kind"].to_numpy()[plan.host]
    service = place.access_points["service"].to_numpy()
    moved = plan.host != place.point_site
    assert set(kind[moved & (service == "clinic")]) <= {"health"}
    assert not (moved & (service == "gp_practice")).any()


def test_receipts_follow_title(main_job):
    receipts = main_job.appraisal.tables["capital_receipts"]
    leased = receipts[receipts["tenure"] != "freehold"]
    assert len(leased)
    assert (leased["net_receipt_gbp"] == 0).all()
    assert (leased["why_nil"] != "").all()


def test_every_assumed_figure_is_listed(main_job):
    place = main_job.prepared.place
    stated = sum(len(cell.split(";")) for cell in place.sites["illustrative"] if cell)
    listed = main_job.appraisal.tables["assumptions"]
    assert (listed["table"] == "sites").sum() == stated


def test_the_six_post_office_criteria_are_constraints_together(post_office):
    problem = post_office.formulation.problem
    names = {rule.name for rule in problem.shares}
    kinds = (
        "national-3-miles",
        "national-1-mile",
        "urban-1-mile",
        "deprived-urban-1-mile",
        "rural-3-miles",
        "postcode-district-6-miles",
    )
    for each in kinds:
        assert any(name.startswith(f"post-office-{each}") for name in names), each
    districts = post_office.prepared.place.zones["postcode_district"].nunique()
    assert sum(name.startswith("post-office-postcode-district") for name in names) == districts
    table = post_office.appraisal.tables["standards"].set_index("name")
    for each in kinds:
        assert table.loc[f"post-office-{each}", "before"] in ("met", "not met")
        assert table.loc[f"post-office-{each}", "after"] in ("met", "not met")
    assert post_office.verdict.ok
    assert post_office.verdict.checks


def test_a_rule_more_never_costs_less(main_job, post_office):
    assert post_office.answer.value >= main_job.answer.value


def test_post_office_shares_are_those_of_the_people(post_office):
    """The 1-mile national share, again from the zone table."""
    zones = post_office.appraisal.tables["zones"]
    library = zones[zones["service"] == "library"]
    inside = library["population"][(library["distance_after_m"] <= 1609.344).fillna(value=False)].sum()
    table = post_office.appraisal.tables["standards"].set_index("name")
    assert table.loc["post-office-national-1-mile", "detail_after"].startswith(
        f"{inside:,} of {library['population'].sum():,} people"
    )


def test_relaxing_the_limits_never_costs_more(main_job):
    wider = [f"standards.{name}.limit=9 miles" for name in ("library-3-miles", "clinic-6-miles", "police-desk-8-miles")]
    relaxed = decide(prepare(load_scenario(PLACE, wider)))
    assert relaxed.answer.value <= main_job.answer.value


def test_scaling_money_scales_the_answer(main_job):
    columns = ("running_cost_gbp_pa", "hosting_cost_gbp_m2_pa")
    changes = [f"adjust.twice-{i}={{table='sites', column='{name}', factor=2}}" for i, name in enumerate(columns)]
    doubled = decide(prepare(load_scenario(PLACE, changes)))
    assert doubled.answer.value == 2 * main_job.answer.value
    assert np.array_equal(doubled.plan.open, main_job.plan.open)
