"""The register of decisions: printed wherever a lock is, refused where it is on nothing."""

from places import scenario_with, tiny_place, tiny_plan

from estate.appraise import appraise
from estate.errors import errors_of
from estate.formulate import formulate
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.validate import check
from estate.verify import referee_tables

CABINET = {"by": "Cabinet", "on": "2026-11-12", "minute": "minute 41", "status": "final", "sites": ["hall"]}
POLICE = {"by": "Police and Crime Panel", "on": "2026-10-01", "sites": ["station"], "access_points": ["p5"]}
RULES = {"keep": ["hall"], "close": ["station"], "fixed": {"p5": "hall"}, "decisions": [CABINET, POLICE]}


def test_who_decided_stands_where_the_scenario_said_so():
    place, scenario = tiny_place(), scenario_with(rules=RULES)
    assert not [each for each in check(scenario, place) if each.code == "scenario.decision"]
    measured = Measured.of(place, scenario, measure(place, scenario))
    plan = tiny_plan(place)
    tables = appraise(measured, plan, formulate(measured).state.why).tables
    why = tables["sites"].set_index("site_id")["why"]
    assert why["hall"].startswith("kept: Cabinet, 12 November 2026, minute 41")
    assert "provisional" not in why["hall"]
    assert why["station"].startswith("released: Police and Crime Panel, 1 October 2026 (provisional)")
    moves = tables["moves"].set_index("access_point_id")["decision"]
    assert moves.to_dict() == {"p4": "", "p5": "Police and Crime Panel, 1 October 2026 (provisional)"}
    found = tables["decisions"]
    assert found[["lock", "site_id", "access_point_id"]].to_numpy().tolist() == [
        ["keep", "hall", ""],
        ["close", "station", ""],
        ["fixed", "hall", "p5"],
    ]
    assert referee_tables(place, scenario, measured.travel, plan, {"decisions": found}) == ()
    wrong = found.assign(minute="minute 42")
    assert referee_tables(place, scenario, measured.travel, plan, {"decisions": wrong})


def test_a_decision_on_nothing_or_twice_on_one_is_refused():
    twice = {**CABINET, "by": "Council"}
    loose = {"by": "Board", "on": "2026-01-01", "sites": ["library"], "access_points": ["p1"]}
    scenario = scenario_with(
        rules={"keep": ["hall"], "decisions": [CABINET, twice, loose, {"by": "Nobody", "on": "2026-01-01"}]}
    )
    found = [each for each in errors_of(check(scenario, tiny_place())) if each.code == "scenario.decision"]
    assert len(found) == 4
