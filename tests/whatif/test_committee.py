"""Committee mode: every answer is that of a run with the building kept or closed, the referee reads each, the page asks them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import starter

from estate.errors import InfeasibleError, InputError, VerificationError
from estate.page import render
from estate.page.committee import section
from estate.pipeline.decide import decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.prepare import prepare
from estate.whatif.committee import CLOSE, KEEP, other_fates, with_committee
from estate.whatif.committee import evaluator_of as evaluator


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The starter's plan with every question answered; pairs of four buildings."""
    folder = starter.make(tmp_path_factory.mktemp("committee"))
    return folder, with_committee(decide(prepare(starter.scenario_of(folder))), likeliest=4)


def test_every_answer_is_a_fresh_runs(asked):
    """Cost to the penny, and the plan counter by counter; who has no plan has none there either."""
    folder, outcome = asked
    tables = outcome.appraisal.tables
    best = outcome.manifest["objective_gbp_pa"]
    assert len(tables["committee"]) > 5
    assert (tables["committee"]["also"] != "").any()
    for row in tables["committee"].to_dict("records"):
        wanted = {KEEP: [], CLOSE: []}
        wanted[row["asked"]].append(row["site_id"])
        if row["also"]:
            wanted[row["also"]].append(row["also_site_id"])
        changes = [f"rules.{fate}={json.dumps(sites)}" for fate, sites in wanted.items() if sites]
        try:
            fresh = decide(prepare(starter.scenario_of(folder, *changes)))
        except InfeasibleError:
            assert row["status"] == "infeasible"
            assert row["why_not"]
            continue
        assert row["more_gbp_pa"] == pytest.approx(fresh.manifest["objective_gbp_pa"] - best, abs=0.005)
        assert row["running_cost_gbp_pa"] == pytest.approx(fresh.manifest["running_cost_gbp_pa"], abs=0.005)
        assert row["net_one_off_gbp"] == pytest.approx(fresh.manifest["net_one_off_gbp"], abs=0.005)
        mine = tables["committee_changes"].query(f"question == {row['question']} and what == 'moves'")
        moves = fresh.appraisal.tables["moves"]
        assert dict(zip(mine["access_point_id"], mine["site_id"], strict=True)) == dict(
            zip(moves["access_point_id"], moves["to_site_id"], strict=True)
        )


def test_only_what_is_free_is_asked(tmp_path):
    folder = starter.make(tmp_path)
    free = dict(other_fates(*_outcome(folder)))
    held = min(free)
    assert held not in dict(other_fates(*_outcome(folder, f'rules.keep=["{held}"]')))
    outcome, _ = _outcome(folder)
    kept = {site: fate for site, fate in free.items() if fate == CLOSE}
    after = outcome.appraisal.tables["sites"].set_index("site_id")["after"]
    assert all(after[site] != "released" for site in kept)
    assert all(after[site] == "released" for site, fate in free.items() if fate == KEEP)


def _outcome(folder, *changes):
    outcome = decide(prepare(starter.scenario_of(folder, *changes)))
    return outcome, evaluator(outcome)


TAMPERED = {
    "figures": lambda t: t["committee"].assign(more_gbp_pa=t["committee"]["more_gbp_pa"] - 1.0),
    "asked": lambda t: t["committee"].assign(asked=t["committee"]["asked"].map({KEEP: CLOSE, CLOSE: KEEP})),
    "known": lambda t: t["committee_changes"].assign(site_id="NOWHERE"),
    "questions": lambda t: t["committee_changes"].assign(question=t["committee_changes"]["question"] + 1_000),
    # Everything that moves goes to one building, which has no room for it.
    "rules": lambda t: t["committee_changes"].assign(
        site_id=t["committee_changes"]["site_id"].where(t["committee_changes"]["what"] != "moves", _smallest(t))
    ),
}


def _smallest(tables):
    sites = tables["sites"]
    return sites.loc[sites["after"] != "released"].sort_values("capacity_m2")["site_id"].iloc[0]


@pytest.mark.parametrize("check", TAMPERED)
def test_the_referee_refuses_an_answer_that_does_not_follow(asked, check):
    _, outcome = asked
    changed = TAMPERED[check](outcome.appraisal.tables)
    name = "committee" if "asked" in changed else "committee_changes"
    verdict = judge(replace(stored(outcome), tables={**outcome.appraisal.tables, name: changed}))
    assert f"referee.committee.{check}" in {issue.code for issue in verdict.failures}


def test_the_page_asks_and_the_public_page_does_not(asked, open_page, tmp_path):
    _, outcome = asked
    run = stored(outcome)
    shown = section(run)
    assert shown is not None
    assert section(replace(run, tables={})) is None
    assert 'id="ask-form"' not in render(run, public=True)
    file = tmp_path / "index.html"
    file.write_text(render(run), encoding="utf-8")
    page = open_page(file)
    names = page.locator("#ask-one option").all_inner_texts()[1:]
    assert names == [f"{name} {fate}" for name, fate in shown["buildings"]]
    page.select_option("#ask-one", "0")
    assert page.locator("#ask-answer p").all_inner_texts() == shown["answers"]["0"]
    one, two = shown["paired"][:2]
    page.select_option("#ask-one", str(two))
    page.select_option("#ask-two", str(one))
    assert page.locator("#ask-answer p").all_inner_texts() == shown["answers"][f"{one},{two}"]


def test_a_plan_that_is_not_of_least_cost_is_refused_kindly(tmp_path):
    folder = starter.make(tmp_path)
    outcome = decide(prepare(starter.scenario_of(folder, "money.objective='least-travel'")))
    with pytest.raises(InputError, match="answered in money"):
        with_committee(outcome)


def test_an_answer_that_the_referee_refuses_is_not_published(asked, monkeypatch):
    _, outcome = asked
    from estate.whatif import committee

    true = committee.committee_tables
    monkeypatch.setattr(
        committee, "committee_tables", lambda *a: {**(t := true(*a)), "committee": t["committee"].assign(moves=99)}
    )
    with pytest.raises(VerificationError):
        with_committee(replace(outcome, appraisal=outcome.appraisal))
