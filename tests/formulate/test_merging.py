"""A move that is a merge: told apart, counted and forbidden, against every plan of small places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from brute import everything
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ACCESS_POINTS, SETTINGS, frame, plan_of, scenario_with, tiny_place
from straight import travel_of

from estate.appraise.places import merged, places_table
from estate.diagnose import diagnose
from estate.formulate import formulate
from estate.place import Place, Plan
from estate.problem import violations
from estate.scenario import Scenario
from estate.solve import Limits, Status, solve
from estate.standards.measured import Measured

ROOMY = {name: {"capacity_m2": 2000.0} for name in ("hall", "library", "station", "village")}
TWINS = {
    f"q{n}": {"site_id": site, "service": "library", "agency": "county", "area_m2": 30.0}
    for n, site in enumerate(("village", "station", "hall"))
}
"""Two libraries in the village (p3 and q0), one in each of three buildings of the town."""


def town(**cells) -> Place:
    return tiny_place(sites=ROOMY, access_points=TWINS, **cells)


def apart(*services: str, **sections) -> Scenario:
    """The town's scenario in which these services may not merge; a library may go anywhere."""
    own = {name: {**SETTINGS["services"][name], "may_merge": False} for name in services}
    own["library"] = {**own.get("library", SETTINGS["services"]["library"]), "hosts": []}
    return scenario_with(services={**SETTINGS["services"], **own}, standards=[], **sections)


def joined(place: Place, plan: Plan) -> set[str]:
    return set(place.access_points.index[merged(place, plan)])


def everywhere(place: Place, plan: Plan, service: str) -> list[int]:
    table = places_table(place, plan).set_index(["service", "group", "value"])
    return table.loc[(service, "everywhere", "")].tolist()


@pytest.mark.parametrize(
    ("moves", "merges", "row"),
    [
        ({}, set(), [4, 4, 0, 0, 0]),
        ({"q2": "library"}, {"q2"}, [4, 3, -1, 1, 1]),  # joins one that stays
        ({"q2": "clinic", "q1": "clinic"}, {"q1", "q2"}, [4, 3, -1, 2, 2]),  # meets another that comes
        ({"q2": "library", "p2": "hall"}, set(), [4, 4, 0, 2, 0]),  # they change places
        ({"q0": "clinic", "p3": "clinic"}, set(), [4, 4, 0, 2, 0]),  # they share today, and go on sharing
        ({"q0": "clinic"}, set(), [4, 5, 1, 1, 0]),  # they part
        ({"q0": "hall", "p3": "hall"}, {"p3", "q0"}, [4, 3, -1, 2, 2]),
    ],
)
def test_a_merge_is_known_and_the_places_are_counted(moves, merges, row):
    place = town()
    plan = plan_of(place, place.access_points["site_id"].to_dict() | moves)
    assert joined(place, plan) == merges
    assert everywhere(place, plan, "library") == row


def test_districts_are_those_of_the_buildings_and_add_up():
    place = town()
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p3": "hall", "q0": "hall", "p4": "village"})
    table = places_table(place, plan)
    figures = table.columns[3:]
    whole = table[table["group"] == "everywhere"].set_index("service")[figures]
    parts = table[table["group"] == "district"].groupby("service")[list(figures)].sum()
    assert (whole == parts.loc[whole.index]).all(axis=None)
    vale = table[(table["service"] == "library") & (table["value"] == "Vale")]
    assert vale[list(figures)].to_numpy().tolist() == [[1, 0, -1, 2, 2]]


def law(host: np.ndarray, home: np.ndarray) -> bool:
    """Nobody is where a counter from another building is, in words of its own."""
    return all(len({home[s] for s in range(len(host)) if host[s] == j}) < 2 for j in set(host.tolist()))


@given(
    homes=st.lists(st.integers(0, 2), min_size=2, max_size=4).filter(lambda homes: len(set(homes)) > 1),
    costs=st.lists(st.integers(1, 9), min_size=4, max_size=4),
)
@settings(max_examples=20, deadline=None)
def test_the_ban_forbids_exactly_the_plans_that_merge_and_the_best_of_the_others_is_found(homes, costs):
    sites = ["hall", "library", "station", "village"]
    roomy = {
        name: {"capacity_m2": 3000.0, "other_use_m2": 0.0, "running_cost_gbp_pa": cost * 10_000.0}
        for name, cost in zip(sites, costs, strict=True)
    }
    row = {"service": "library", "agency": "county", "area_m2": 50.0}
    whole = tiny_place(sites=roomy)
    counters = frame(ACCESS_POINTS, {f"c{n}": {**row, "site_id": sites[at]} for n, at in enumerate(homes)})
    place = replace(whole, access_points=counters, sites=whole.sites.loc[sites])
    travel = travel_of(place)
    banned, free = (formulate(Measured.of(place, each, travel)).problem for each in (apart("library"), apart()))
    every, wide = everything(banned), everything(free)
    assert np.array_equal(every.host, wide.host)
    assert np.array_equal(every.feasible, wide.feasible & [law(host, place.point_site) for host in wide.host])
    assert not np.array_equal(every.feasible, wide.feasible)
    answer = solve(banned, Limits())
    assert answer.status is Status.OPTIMAL
    assert answer.value == every.keys[every.feasible, 0].min()


def test_today_stands_where_counters_of_a_service_share_already():
    place = town()
    problem = formulate(Measured.of(place, apart("library"), travel_of(place))).problem
    assert problem.side.name.count("counters of library may not merge") > len(place.sites)  # a row for each of the two as well
    assert violations(problem, problem.today) == {}


def test_explain_names_the_ban_and_the_setting_that_lifts_it():
    place = tiny_place(sites=ROOMY)
    rules = {"close": ["village"], "fixed": {"p2": "library", "p3": "library"}}
    scenario = apart("library", rules=rules)
    found = diagnose(place, scenario, travel_of(place))
    said = " ".join(issue.message for issue in found.issues)
    assert "counters of library may not merge" in said
    assert ["services.library.may_merge=true"] in [each["set"] for each in found.as_json()["relax_alone"]]
