"""What a visitor would call one thing: hubs are buildings with public services of two or more kinds."""

from __future__ import annotations

import pytest
from places import SETTINGS, plan_of, scenario_with, tiny_place

from estate.appraise.buildings import hubs, state_words
from estate.scenario import KIND_OF
from estate.travel import TravelTables
from estate.verify.case import case_of, decision_of
from estate.verify.rules import check_counts

DESKS = {"p8": {"site_id": "library", "service": "desks", "agency": "county", "area_m2": 40.0}}
GP = {"p9": {"site_id": "clinic", "service": "gp_practice", "agency": "landlord", "area_m2": 10.0}}


def services(**changes):
    return {**SETTINGS["services"], "desks": {"public": False}, **changes}


def test_the_usual_kinds_hold_until_the_settings_say_otherwise():
    scenario = scenario_with(services=services(gp_practice={}, clinic={"kind": "therapy"}))
    assert KIND_OF["gp_practice"] == scenario.kind_of("gp_practice") == "health"
    assert scenario.kind_of("clinic") == "therapy"
    assert scenario.kind_of("library") == "library"
    assert scenario.is_public("library")
    assert not scenario.is_public("desks")


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, ["hall"]),  # council and police; a clinic and a GP practice are one kind; desks make no hub
        ({"clinic": {"kind": "clinic"}}, ["clinic", "hall"]),
        ({"desks": {}}, ["hall", "library"]),
        ({"police": {"kind": "council"}, "council": {"kind": "council"}}, []),
        ({"police": {"public": False}}, []),
    ],
)
def test_hubs_of_today_by_hand(settings, wanted):
    place, scenario = tiny_place(access_points=DESKS | GP), scenario_with(services=services(**settings))
    assert place.sites.index[hubs(place, scenario, place.today)].tolist() == wanted
    words = state_words(place, scenario, place.today, after=False)
    assert words.index[words == "hub"].tolist() == wanted
    case = case_of(
        place,
        scenario_with(services=services(**settings), rules={"counts": [{"what": "hubs", "at_most": 0}]}),
        TravelTables({}, {}),
    )
    decision, _ = decision_of(case, place.today)
    (found,) = check_counts(case, decision)
    assert found.broken == ((f"{len(wanted)}, not 0 to 0",) if wanted else ())


def test_a_building_left_with_desks_alone_is_closed_to_services():
    place, scenario = tiny_place(access_points=DESKS), scenario_with(services=services())
    host = place.access_points["site_id"].to_dict() | {"p2": "hall"}
    assert state_words(place, scenario, plan_of(place, host), after=True)["library"] == "closed to services"
