"""How far a counter may move, service by service, and what is said where that is not limited or people are held too tightly."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from places import SETTINGS, plan_of, scenario_with, tiny_place
from straight import travel_of

from estate.appraise import appraise
from estate.diagnose import diagnose
from estate.formulate.eligible import host_pairs, site_state
from estate.formulate.rules import compile_rules
from estate.pipeline.prepare import _missed
from estate.scenario import Limit
from estate.standards import journeys
from estate.standards.measured import Measured
from estate.validate.judgement import check_reach
from estate.verify.case import case_of, decision_of
from estate.verify.rules import check_moves


def reaching(own: dict[str, str], everywhere: str | None = None, **sections):
    services = {name: {**each, **({"reach": own[name]} if name in own else {})} for name, each in SETTINGS["services"].items()}
    rules = {} if everywhere is None else {"reach": everywhere}
    return scenario_with(services=services, rules=rules, standards=sections.pop("standards", []), **sections)


def moving(place, moves: dict[str, str]):
    return plan_of(place, {**place.access_points["site_id"].to_dict(), **moves})


def allowed(place, scenario):
    travel = travel_of(place)
    measured = Measured.of(place, scenario, travel)
    point, site = host_pairs(place, scenario, travel, compile_rules(measured), site_state(place, scenario))
    return set(zip(point.tolist(), site.tolist(), strict=True))


KM = st.one_of(st.none(), st.integers(1, 15).map(lambda km: f"{km} km"))


@settings(max_examples=30, deadline=None)
@given(own=st.dictionaries(st.sampled_from(sorted(SETTINGS["services"])), KM.filter(bool), max_size=3), everywhere=KM)
def test_a_service_s_own_reach_stands_instead_of_that_of_all(own, everywhere):
    place = tiny_place()
    pairs = travel_of(place).between["drive"]
    far = dict(zip(zip(pairs.from_.tolist(), pairs.to.tolist(), strict=True), pairs.distance_m.tolist(), strict=True))

    def within(point: int, site: int) -> bool:
        service, home = place.access_points["service"].iloc[point], int(place.point_site[point])
        limit = own.get(service, everywhere)
        return home == site or limit is None or far.get((home, site), np.inf) <= Limit.model_validate(limit).value

    anywhere = allowed(place, reaching({}))
    assert allowed(place, reaching(own, everywhere)) == {each for each in anywhere if within(*each)}


def test_the_referee_reads_each_reach_by_itself():
    place = tiny_place()
    plan = moving(place, {"p3": "library", "p5": "library"})

    def refused(scenario):
        case = case_of(place, scenario, travel_of(place))
        decision, _ = decision_of(case, plan)
        return {name for each in check_moves(case, decision) if each.rule == "reach" for name in each.broken}

    services = place.access_points["service"]
    assert services["p3"] != services["p5"]
    assert refused(reaching({})) == set()
    assert refused(reaching({}, "1 m")) == {"p3 at library", "p5 at library"}
    assert refused(reaching({services["p3"]: "50 km"}, "1 m")) == {"p5 at library"}
    assert refused(reaching({services["p3"]: "1 m"}, "50 km")) == {"p3 at library"}


def test_a_wider_reach_of_one_service_keeps_the_pairs_it_needs(monkeypatch):
    monkeypatch.setattr(journeys, "ALL_PAIRS", 0)
    place = tiny_place()
    narrow, wide = (len(journeys.measure(place, reaching(own, "1 km")).between["drive"]) for own in ({}, {"library": "30 km"}))
    assert narrow < wide


def test_explain_names_the_reach_of_the_service_and_the_setting():
    place = tiny_place()
    services = {name: dict(each) for name, each in SETTINGS["services"].items()}
    services["library"]["reach"] = "2 km"
    scenario = scenario_with(services=services, standards=[], rules={"close": ["village"], "reach": "50 km"})
    found = diagnose(place, scenario, travel_of(place))
    assert "no access point of library moves farther than 2 km" in " ".join(issue.message for issue in found.issues)
    sets = [change for each in found.as_json()["relax_alone"] for change in each["set"]]
    assert any(each.startswith("services.library.reach=") for each in sets), sets
    assert not any(each.startswith("rules.reach") for each in sets), sets


def test_no_reach_at_all_is_told_once_and_names_the_services_without_one():
    place = tiny_place()
    assert [each.code for each in check_reach(reaching({}), place)] == ["scenario.no-reach"]
    assert not list(check_reach(reaching({}, "5 km"), place))
    everything = dict.fromkeys(place.services, "5 km")
    assert not list(check_reach(reaching(everything), place))
    (one,) = check_reach(reaching({name: "5 km" for name in place.services if name != "library"}), place)
    assert "a counter of library may move" in one.message
    held = {"name": "kept", "service": "library", "limit": "3 km", "measure": "site-to-site", "test": "moved"}
    assert not list(check_reach(reaching({n: "5 km" for n in place.services if n != "library"}, standards=[held]), place))


def test_a_limit_without_tolerance_says_whom_it_holds():
    place = tiny_place()

    def told(**rule):
        standard = {"name": "near", "service": "library", "limit": "1 km", **rule}
        measured = Measured.of(place, scenario_with(standards=[standard]), travel_of(place))
        people = measured.people(measured.rules[0])
        beyond = int(
            people[measured.reached(measured.rules[0], place.offers_today[place.services.index("library")]) == 0].sum()
        )
        assert beyond > 0
        return [
            each.message for each in _missed(measured) if each.code == "standards.no-tolerance"
        ], f"'near' ({beyond:,} people)"

    (message,), who = told()
    assert who in message
    for harmless in ({"tolerance": "500 m"}, {"beyond": "strict"}, {"share": 0.5}, {"limit": "1 km", "on": True, "share": 0.9}):
        assert told(**harmless)[0] == []
    assert told(tolerance="5 min")[0], "a tolerance in another unit is none"


def test_counters_that_move_farther_than_their_people_travel_are_named():
    place = tiny_place()
    travel = travel_of(place)
    measured = Measured.of(place, reaching({}), travel)
    why = pd.Series("", index=place.sites.index)

    def told(moves):
        found = appraise(measured, moving(place, moves), why).summary["warnings"]
        return [message for code, message, _ in found if code == "plan.far-moves"]

    assert told({}) == []
    pairs = travel.between["drive"]
    home, to = (place.sites.index.get_loc(each) for each in ("village", "library"))
    far = int(pairs.distance_m[(pairs.from_ == home) & (pairs.to == to)][0])
    (message,) = told({"p3": "library"})
    assert f"p3 ({far / 1609.344:.1f} miles; they go" in message
