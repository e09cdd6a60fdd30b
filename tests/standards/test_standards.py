"""Access standards: presets with their papers, groups and conditions, and every rule in the problem."""

import numpy as np
import pandas as pd
import pytest
from places import scenario_with, tiny_place
from straight import EVERYTHING, points_of, straight_travel

from estate.appraise.met import displacement, standards_table
from estate.errors import InputError, Severity
from estate.formulate import formulate
from estate.formulate.rules import compile_rules
from estate.place import Plan, todays_plan
from estate.problem import covered_weight, offered, violations
from estate.scenario import Limit, Scenario
from estate.solve import Status, solve
from estate.standards.measured import Measured
from estate.standards.presets import presets, rules, warnings
from estate.standards.reach import counted, groups, matches
from estate.standards.words import in_words
from estate.travel import OwnTable, Pairs, TravelTables, build_travel


def with_standards(*standards: dict, **settings) -> Scenario:
    return scenario_with(standards=[{"name": f"rule-{i}", **each} for i, each in enumerate(standards)], **settings)


@pytest.mark.parametrize(
    ("text", "value"), [("3 miles", 4828.032), ("1200 m", 1200), ("4.8 km", 4800), ("20 min", 1200), ("1 mile", 1609.344)]
)
def test_limits_are_read_with_their_units(text, value):
    assert Limit.model_validate(text).value == pytest.approx(value)


def test_every_preset_has_its_paper_and_nothing_rests_on_memory():
    for preset in presets().values():
        assert preset.source
        assert preset.status
        assert preset.date
        assert preset.confidence.startswith(("high", "medium"))
        assert "memory" not in preset.confidence


def test_post_office_is_six_rules_on_one_service():
    scenario = scenario_with(standards=[{"name": "po", "preset": "post-office-2007", "service": "library"}])
    found = rules(scenario)
    assert [(r.limit.text, r.share, dict(r.where), r.each) for r in found] == [
        ("3 miles", 0.99, {}, ""),
        ("1 mile", 0.90, {}, ""),
        ("1 mile", 0.95, {"rural_urban": "urban"}, ""),
        ("1 mile", 0.99, {"rural_urban": "urban", "imd_rank": "<= 4926"}, ""),
        ("3 miles", 0.95, {"rural_urban": "rural"}, ""),
        ("6 miles", 0.95, {}, "postcode_district"),
    ]
    assert all(r.source and r.service == "library" for r in found)


def test_a_scenario_may_override_a_preset_and_must_give_a_service():
    scenario = scenario_with(standards=[{"name": "fca", "preset": "fca-cash-2024", "service": "library", "share": 0.5}])
    assert {r.share for r in rules(scenario)} == {0.5}
    with pytest.raises(InputError, match="needs a service"):
        rules(scenario_with(standards=[{"name": "fca", "preset": "fca-cash-2024"}]))
    with pytest.raises(InputError, match="no standard 'nothing'"):
        rules(scenario_with(standards=[{"name": "x", "preset": "nothing"}]))


def test_advocacy_warns_and_a_rule_in_force_does_not():
    warned = warnings(scenario_with(standards=[{"name": "a", "preset": "library-1200m"}]))
    assert [issue.severity for issue in warned] == [Severity.WARNING]
    assert "advocacy" in warned[0].message
    assert not warnings(scenario_with(standards=[{"name": "a", "preset": "fca-cash-2024", "service": "library"}]))


def test_conditions_compare_numbers_and_words():
    column = pd.Series([1.0, 4926.0, 4927.0, np.nan])
    assert matches(column, "<= 4926").tolist() == [True, True, False, False]
    assert matches(column, "> 4926").tolist() == [False, False, True, False]
    assert matches(pd.Series(["Urban", "rural"]), "urban").tolist() == [True, False]


def test_groups_count_the_people_they_name():
    place = tiny_place()
    rule = with_standards({"service": "library", "limit": "1 mile", "people": "age65", "each": "district"}).standards[0]
    found = dict(groups(rule, place))
    assert list(found) == ["Town", "Vale"]
    assert found["Town"].sum() + found["Vale"].sum() == counted(rule, place).sum() == place.zones["age65"].sum()


# ------------------------------------------------------------------------------------------ displacement, worked cases


def jobcentre_case(distance_miles: float, minutes: float | None) -> tuple:
    """A Jobcentre that closes, its nearest remaining one so far away, by road and by public transport."""
    place = tiny_place(
        access_points={"p8": {"site_id": "village", "service": "jobcentre", "agency": "dwp", "area_m2": 20.0}},
    )
    names = list(place.sites.index)
    old, new = names.index("jobcentre"), names.index("village")
    metres = np.array([0, round(distance_miles * 1609.344), round(distance_miles * 1609.344), 0])
    from_, to = np.array([old, old, new, new]), np.array([old, new, old, new])
    order = np.lexsort((to, from_))
    none = np.zeros(0, dtype=np.int64)
    drive = Pairs(from_[order], to[order], metres[order], none)
    tables = {"drive": drive}
    if minutes is not None:
        seconds = np.array([0, round(minutes * 60), round(minutes * 60), 0])
        tables["transit"] = Pairs(from_[order], to[order], none, seconds[order])
    host = place.point_site.copy()
    host[list(place.access_points.index).index("p4")] = names.index("hall")
    host[list(place.access_points.index).index("p4")] = new
    plan = Plan(todays_plan(place).open, host)
    return place, TravelTables(home={}, between=tables), plan


@pytest.mark.parametrize(
    ("town", "miles", "minutes", "expected"),
    [
        ("Whitstable", 5.3, 43, "consult"),
        ("Herne Bay", 8.1, 40, "consult"),
        ("Petersfield", 14, 20, "consult"),
        ("a town within both", 2.9, 19, "within"),
        ("on the line", 3.0, 20, "within"),
        ("near but slow", 2.0, 21, "consult"),
        ("near, no timetable", 2.0, None, "not tested"),
        ("far, no timetable", 5.0, None, "consult"),
    ],
)
def test_the_jobcentre_rule_on_the_worked_cases_of_2017(town, miles, minutes, expected):
    place, travel, plan = jobcentre_case(miles, minutes)
    scenario = scenario_with(standards=[{"name": "dwp", "preset": "dwp-jobcentre-2017"}])
    measured = Measured.of(place, scenario, travel)
    verdict = displacement(measured.rules[0], measured, plan)
    assert verdict["p4"] == expected, town
    assert (verdict.drop("p4") == "").all()


def test_join_any_is_the_other_reading():
    place, travel, plan = jobcentre_case(14, 20)
    scenario = scenario_with(standards=[{"name": "dwp", "preset": "dwp-jobcentre-2017", "join": "any"}])
    measured = Measured.of(place, scenario, travel)
    assert displacement(measured.rules[0], measured, plan)["p4"] == "within"


def test_a_limb_without_data_is_said_to_be_not_tested():
    place = tiny_place()
    scenario = scenario_with(standards=[{"name": "dwp", "preset": "dwp-jobcentre-2017"}])
    notes = compile_rules(Measured.of(place, scenario, straight_travel(place, scenario))).notes
    assert [issue.code for issue in notes] == ["standards.not-tested"]
    assert "20 min by public transport" in notes[0].message


# ------------------------------------------------------------------------------------------ rules in the problem


def best(place, scenario, travel=None):
    travel = travel or straight_travel(place, scenario)
    found = formulate(Measured.of(place, scenario, travel))
    answer = solve(found.problem)
    return found, answer


@pytest.mark.parametrize(
    "standard",
    [
        {"service": "library", "limit": "3 miles"},
        {"service": "library", "limit": "3 miles", "beyond": "no-worse", "tolerance": "1 km"},
        {"service": "library", "limit": "25 min", "mode": "walk"},
        {"service": "library", "limit": "1 mile", "share": 0.9},
        {"service": "library", "limit": "1 mile", "share": 0.9, "each": "district"},
        {"service": "police", "limit": "2 km", "share": 0.8, "people": "age65", "where": {"rural_urban": "urban"}},
        {"service": "police", "limit": "2 miles", "backup": 2},
        {"service": "jobcentre", "limit": "300 m", "measure": "site-to-site"},
        {"service": "jobcentre", "limit": "300 m", "measure": "site-to-site", "test": "moved"},
    ],
)
def test_today_meets_every_no_worse_rule_and_a_rule_never_saves_money(standard):
    place = tiny_place()
    free, without = best(place, with_standards())
    held, withit = best(place, with_standards(standard))
    assert not violations(held.problem, held.problem.today)
    assert withit.status is without.status is Status.OPTIMAL
    assert withit.value >= without.value
    del free


def test_a_strict_limit_that_nobody_can_meet_is_infeasible():
    _, answer = best(tiny_place(), with_standards({"service": "library", "limit": "1 m", "beyond": "strict"}))
    assert answer.status is Status.INFEASIBLE


def test_a_share_rule_holds_in_the_plan():
    place = tiny_place()
    scenario = with_standards({"service": "library", "limit": "1 mile", "share": 0.95, "each": "district"})
    found, answer = best(place, scenario)
    there = offered(found.problem, answer.solution)
    assert len(found.problem.shares) == 2
    for rule in found.problem.shares:
        assert covered_weight(rule, there) >= rule.required > 0


def test_a_priced_displacement_is_paid_for_or_avoided():
    place = tiny_place()
    base = {"service": "jobcentre", "limit": "100 m", "measure": "site-to-site", "action": "price"}
    for test in ("nearest", "moved"):
        _, free = best(place, with_standards())
        _, dear = best(place, with_standards({**base, "test": test, "price_gbp": 1_000_000}))
        _, cheap = best(place, with_standards({**base, "test": test, "price_gbp": 7}))
        _, forbidden = best(place, with_standards({**base, "test": test, "action": "forbid"}))
        assert cheap.value == free.value + 700, test
        assert dear.value == forbidden.value > cheap.value, test


def test_sites_outside_serve_people_and_cost_nothing():
    place = tiny_place(sites={"village": {"status": "outside"}})
    scenario = with_standards({"service": "library", "limit": "3 miles"})
    found, answer = best(place, scenario)
    plan = found.plan(place, answer.solution)
    village = list(place.sites.index).index("village")
    assert plan.open[village]
    assert plan.host[list(place.access_points.index).index("p3")] == village
    assert found.problem.site_cost[village] == 0


def test_the_table_of_standards_says_met_not_met_and_not_tested():
    place = tiny_place()
    scenario = with_standards(
        {"service": "library", "limit": "9 miles"},
        {"service": "library", "limit": "100 m"},
        {"service": "library", "limit": "10 min", "mode": "transit"},
    )
    table = standards_table(Measured.of(place, scenario, straight_travel(place, scenario)), todays_plan(place)).set_index(
        "name"
    )
    assert table["before"].to_dict() == {"rule-0": "met", "rule-1": "not met", "rule-2": "not tested"}
    assert table.loc["rule-1", "detail_before"] == "0 of 7,050 people (0.0%)"


def test_rules_read_as_sentences():
    scenario = with_standards(
        {"service": "library", "limit": "3 miles", "tolerance": "1 mile"},
        {"service": "library", "limit": "1 mile", "share": 0.95, "people": "age65", "each": "postcode_district"},
    )
    words = [in_words(rule, scenario) for rule in rules(scenario)]
    assert words[0] == "everybody within 3 miles by road; nobody beyond it today goes more than 1 mile farther"
    assert words[1] == "95% of people counted as age65 within 1 mile by road, in each postcode district"


def test_conditions_read_as_people_say_them():
    conditions = ({"rural_urban": "urban"}, {"rural_urban": "rural"}, {"imd_rank": "<= 4926"}, {"deprived_urban": "yes"})
    scenario = with_standards(
        *({"service": "library", "limit": "2 miles", "where": each, "beyond": "strict"} for each in conditions)
    )
    assert [in_words(rule, scenario) for rule in rules(scenario)] == [
        "everybody in town within 2 miles by road",
        "everybody in the country within 2 miles by road",
        "everybody where imd rank is at most 4926 within 2 miles by road",
        "everybody where deprived urban is yes within 2 miles by road",
    ]


def test_public_transport_minutes_from_a_table():
    """A travel matrix in minutes, as r5py gives it, holds a 20-minute rule."""
    place = tiny_place()
    scenario = with_standards(
        {"service": "jobcentre", "limit": "20 min", "mode": "transit", "beyond": "strict"}, travel={"mode": "transit"}
    )
    rows = [
        (zone, site, "transit", 15.0 if site in ("hall", "jobcentre") else 30.0)
        for zone in place.zones.index
        for site in place.sites.index
    ]
    rows += [(a, b, "transit", 10.0) for a in place.sites.index for b in place.sites.index if a != b]
    frame = pd.DataFrame(rows, columns=["from_id", "to_id", "mode", "travel_time_p50"])
    wanted = {"transit": EVERYTHING}
    travel = build_travel(points_of(place.zones), points_of(place.sites), OwnTable(frame), home=wanted, between=wanted)
    found, answer = best(place, scenario, travel)
    assert answer.status is Status.OPTIMAL
    host = found.plan(place, answer.solution).host[list(place.access_points.index).index("p4")]
    assert place.sites.index[host] in ("hall", "jobcentre")


def test_a_rule_is_kept_by_the_form_the_plan_is_held_to():
    """Beyond a limit today is no fault of the plan's; a person more beyond it, or sent farther than the tolerance, is."""
    place = tiny_place()
    near, far = "library-near", "library-far"
    scenario = with_standards(
        {"name": near, "service": "library", "limit": "100 m", "tolerance": "5 miles"},
        {"name": far, "service": "library", "limit": "9 miles"},
        {"name": "bus", "service": "library", "limit": "10 min", "mode": "transit"},
        {"name": "all", "service": "library", "limit": "100 m", "beyond": "strict"},
    )
    measured = Measured.of(place, scenario, straight_travel(place, scenario))
    today = standards_table(measured, todays_plan(place)).set_index("name")
    assert today["kept"].to_dict() == {near: "yes", far: "yes", "bus": "not tested", "all": "no"}
    assert today.loc[near, "beyond_before"] == 7_050
    assert (today["newly_beyond"].dropna() == 0).all()
    plan = todays_plan(place)
    moved = place.access_points["service"].eq("library").to_numpy()
    others = [j for j in range(len(place.sites)) if j not in plan.host[moved]]
    xy, zones = (frame[["easting_m", "northing_m"]].to_numpy() for frame in (place.sites, place.zones))
    away = max(others, key=lambda j: np.hypot(*(zones - xy[j]).T).mean())
    worse = Plan(plan.open, np.where(moved, away, plan.host))
    tight = with_standards({"name": near, "service": "library", "limit": "100 m"})
    assert standards_table(Measured.of(place, tight, measured.travel), worse)["kept"].tolist() == ["no"]
