"""Space that is not public: floor area and hosts, no journeys, and staff that are moved."""

from __future__ import annotations

import numpy as np
import pytest
import starter
from places import SETTINGS, plan_of, scenario_with, tiny_place
from straight import travel_of

from estate.appraise import appraise
from estate.formulate import formulate
from estate.load.change import BY_STAFF, furnished
from estate.solve import Limits, Status, solve
from estate.standards.measured import Measured
from estate.validate import check
from estate.verify.case import case_of, decision_of
from estate.verify.spaces import spaces_again

DESKS = {
    "d1": {"site_id": "hall", "service": "desks", "agency": "county", "area_m2": 120.0, "staff_fte": 12.0},
    "d2": {"site_id": "station", "service": "desks", "agency": "police", "area_m2": 100.0, "staff_fte": 9.0},
}


def town(**desks):
    place = tiny_place(access_points=DESKS, sites={"hall": {"other_use_m2": 0.0}})
    services = {**SETTINGS["services"], "desks": {"public": False, **desks}}
    scenario = scenario_with(services=services)
    return Measured.of(place, scenario, travel_of(place))


def test_nobody_travels_to_desks():
    """Every figure about people is the same with desks that move as without them."""
    with_desks, bare = town(), Measured.of(tiny_place(), scenario_with(), travel_of(tiny_place()))
    host = with_desks.place.access_points["site_id"].to_dict() | {"d1": "library", "d2": "hall", "p4": "library"}
    why = with_desks.place.sites["name"].map(lambda _: "")
    found = appraise(with_desks, plan_of(with_desks.place, host), why)
    without = {point: site for point, site in host.items() if not point.startswith("d")}
    other = appraise(bare, plan_of(bare.place, without), why)
    for table in ("access", "zones", "affected", "inequality", "places", "standards"):
        assert found.tables[table].equals(other.tables[table]), table
    assert (found.summary["spaces_moved"], found.summary["staff_moved_fte"]) == (2, 21.0)
    assert "spaces_moved" not in other.summary
    assert other.tables["spaces"].empty
    kinds = found.tables["moves"].set_index("access_point_id")["kind"]
    assert kinds.to_dict() == {"d1": "space", "d2": "space", "p4": "move"}


def test_what_staff_are_moved_is_what_the_referee_counts():
    measured = town()
    host = measured.place.access_points["site_id"].to_dict() | {"d1": "library"}
    plan = plan_of(measured.place, host)
    table = appraise(measured, plan, measured.place.sites["name"].map(lambda _: "")).tables["spaces"].set_index("agency")
    # By hand: (400000, 250000) to (400300, 250400) is 500 m, with the detour 650.
    assert table.loc["county", ["spaces", "spaces_moved", "staff_moved_fte", "mean_distance_m"]].tolist() == [1, 1, 12.0, 650]
    assert table.loc["police", "spaces_moved"] == 0
    case = case_of(measured.place, measured.scenario, measured.travel)
    decision, _ = decision_of(case, plan)
    again = spaces_again(case, decision).set_index("agency")
    for column in table.columns:
        ours, theirs = table[column], again[column].reindex(table.index)
        assert np.array_equal(ours.isna(), theirs.isna()), column
        assert (ours.dropna() == theirs.dropna()).all(), column


def test_an_office_empties_only_when_its_desks_have_somewhere_to_go():
    """The police station costs 45,000 a year; its desk fits in the town hall, its 100 m2 of staff only where there is room."""
    measured = town(hosts=["police"])
    formulation = formulate(measured)
    answer = solve(formulation.problem, Limits())
    assert answer.status is Status.OPTIMAL
    plan = formulation.plan(measured.place, answer.solution)
    opened = dict(zip(measured.place.sites.index, plan.open.tolist(), strict=True))
    assert opened["station"], "no other police building has room for its staff"
    free = town()
    formulation = formulate(free)
    plan = formulation.plan(free.place, solve(formulation.problem, Limits()).solution)
    opened = dict(zip(free.place.sites.index, plan.open.tolist(), strict=True))
    assert not opened["station"]


def test_near_rows_leave_desks_out():
    measured = town()
    k = measured.place.services.index("desks")
    near = formulate(measured).problem.near
    assert k not in set(near.service.tolist())
    assert len(near)


def test_floor_area_by_staff_follows_staff_and_ratio():
    points = tiny_place(access_points={"d1": {**DESKS["d1"], "area_m2": float("nan")}}).access_points
    for ratio, area in ((1.0, 110.4), (0.7, 77.3)):  # 12 x 9.2, and 12 x 0.7 x 9.2 = 77.28, rounded up
        services = {**SETTINGS["services"], "desks": {"public": False, "desk_m2": 9.2, "desks_per_fte": ratio}}
        points = furnished(points, scenario_with(services=services))  # worked out anew from what it made before
        assert points.loc["d1", "area_m2"] == pytest.approx(area)
        assert points.loc["d1", "area_m2_source"].startswith(BY_STAFF)
        assert points.loc["p1", "area_m2"] == 200.0
    stated = tiny_place(access_points=DESKS).access_points
    assert furnished(stated, scenario_with(services=services)).loc["d1", "area_m2"] == 120.0


def test_a_blank_floor_area_that_nothing_gives_is_refused(tmp_path):
    folder = starter.make(tmp_path)
    records = starter.rows(folder, "access_points")
    starter.write(
        folder, "access_points", [*records, {**records[0], "access_point_id": "desk-1", "area_m2": "", "staff_fte": "10"}]
    )
    said = starter.refused(folder)
    assert "access_points.csv" in said
    assert "area_m2 is blank" in said
    assert "desk_m2" in said
    place = starter.place_of(folder, f"services.{records[0]['service']}.desk_m2=9.2")
    assert place.access_points.loc["desk-1", "area_m2"] == 92.0


def test_a_standard_on_desks_is_refused():
    place = tiny_place(access_points=DESKS)
    services = {**SETTINGS["services"], "desks": {"public": False}}
    standards = [{"name": "desks-near", "service": "desks", "limit": "1 mile"}]
    codes = [each.code for each in check(scenario_with(services=services, standards=standards), place)]
    assert "scenario.not-public" in codes
