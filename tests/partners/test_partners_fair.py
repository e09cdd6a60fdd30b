"""No agency worse off, as a rule: against looking at every plan of a small town, and on the county."""

from dataclasses import replace

import brute
import numpy as np
import pytest
from places import scenario_with, tiny_place
from repository import WORCESTERSHIRE

from estate.errors import InfeasibleError, InputError
from estate.formulate import formulate
from estate.partners.fair import PENNIES, fair
from estate.partners.game import players_of
from estate.partners.partnership import gains
from estate.pipeline.decide import decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.prepare import prepare
from estate.problem import Solution
from estate.scenario import load_scenario
from estate.solve import Limits, solve
from estate.standards.journeys import measure
from estate.standards.measured import Measured

COUNTY = WORCESTERSHIRE


def town(seed, **rule):
    """The tiny town with costs drawn anew, under the rule."""
    rng = np.random.default_rng(seed)
    cost = {
        site: {
            "running_cost_gbp_pa": float(rng.integers(10, 90) * 1_000),
            "hosting_cost_gbp_m2_pa": float(rng.integers(0, 300)),
        }
        for site in ("hall", "jobcentre", "library", "station", "village", "clinic")
    }
    place = tiny_place(sites=cost)
    scenario = scenario_with(rules={"no_agency_worse_off": rule})
    return Measured.of(place, scenario, measure(place, scenario))


def by_looking(measured, formulation, by):
    """The least cost of all plans in which nobody who takes part is worse off than today."""
    every = brute.everything(replace(formulation.problem, near=type(formulation.problem.near)()))
    players = list(players_of(measured.place, measured.scenario))
    order = np.argsort(every.keys[:, 1], kind="stable")
    for i in order[every.feasible[order]]:
        plan = formulation.plan(measured.place, Solution(every.open[i], every.host[i]))
        if (gains(measured, plan, by)[players] >= -PENNIES).all():
            return int(every.keys[i, 1])
    return None


@pytest.mark.parametrize("by", ["running-cost", "annual-equivalent"])
def test_the_rule_agrees_with_looking_at_every_plan(by):
    priced = 0
    for seed in (0, 7, 13, 21, 31):
        measured = town(seed, measured=by)
        formulation = formulate(measured)
        first = solve(formulation.problem, Limits())
        found = fair(measured, formulation, first, Limits())
        assert found.answer.value == by_looking(measured, formulation, by), seed
        assert found.price == found.answer.value - first.value >= 0
        priced += found.price > 0
    assert priced


@pytest.fixture(scope="module")
def county():
    rule = 'rules.no_agency_worse_off={measured="annual-equivalent"}'
    return decide(prepare(load_scenario(COUNTY, (rule,))))


def test_the_county_s_price(county):
    """The hospital trust puts in 411,920 to save 7,888 a year: without payments it does not move."""
    said = county.manifest["no_agency_worse_off"]
    assert said["price_gbp_pa"] == 33_200
    agencies = county.appraisal.tables["agencies"].set_index("agency")
    assert (agencies["annual_equivalent_gain_gbp_pa"] >= -PENNIES / 100).all()
    assert county.verdict.checks["no-agency-worse-off"] == 13


def test_the_price_is_said(county):
    from estate.page.partners import fair_note, fair_words

    assert "That costs £33,200 a year of the saving." in fair_note(stored(county))[0]
    free = {**county.manifest["no_agency_worse_off"], "price_gbp_pa": 0.0}
    assert fair_words(free).endswith("That costs nothing.")
    assert "asks nothing" in fair_words({**free, "transfers": True})


def test_the_referee_finds_an_agency_that_is_worse_off(county):
    plain = decide(prepare(load_scenario(COUNTY)))
    run = replace(stored(plain), scenario=county.prepared.scenario)
    assert "referee.no-agency-worse-off" in {issue.code for issue in judge(run).failures}


def test_with_payments_against_today_it_asks_nothing():
    measured = town(1, transfers=True, measured="running-cost")
    formulation = formulate(measured)
    first = solve(formulation.problem, Limits())
    found = fair(measured, formulation, first, Limits())
    assert found.answer is first
    assert found.price == 0


def test_against_going_alone_asks_at_least_as_much_as_against_today():
    for seed in (7, 21):
        price = {}
        for against in ("today", "alone"):
            measured = town(seed, against=against)
            formulation = formulate(measured)
            first = solve(formulation.problem, Limits())
            try:
                price[against] = fair(measured, formulation, first, Limits()).price
            except InfeasibleError:
                price[against] = np.inf
        assert price["alone"] >= price["today"], seed


def test_a_batch_refuses_what_it_cannot_hold():
    from estate.whatif.reuse import _refuse_what_batches_cannot_hold

    with pytest.raises(InputError) as refused:
        _refuse_what_batches_cannot_hold(load_scenario(COUNTY, ("rules.no_agency_worse_off={}",)))
    assert "estate run" in refused.value.issues[0].remedy
    _refuse_what_batches_cannot_hold(load_scenario(COUNTY, ("rules.no_agency_worse_off={transfers=true}",)))
