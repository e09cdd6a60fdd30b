"""Why a counter leaves its building, against plans in which the reason is plain."""

import numpy as np
import pytest
from places import plan_of, scenario_with, tiny_place

from estate.appraise.reasons import BEST, CLOSES, why_it_moves


def reasons(place, host):
    plan = plan_of(place, place.access_points["site_id"].to_dict() | host)
    moved = np.flatnonzero(plan.host != place.point_site)
    names = place.access_points.index[moved]
    return dict(zip(names, why_it_moves(place, plan, moved, scenario_with()), strict=True))


@pytest.mark.parametrize(("capacity", "short"), [(509.9, True), (510.0, False)])
def test_a_counter_makes_room_only_where_it_would_not_fit_with_those_that_come(capacity, short):
    """With the library (300 m2, hall 60) back beside the Jobcentre (250, hall 40) the larger hall is needed once: 510 m2."""
    place = tiny_place(sites={"library": {"capacity_m2": capacity}})
    said = reasons(place, {"p4": "library", "p2": "hall"})
    assert said["p4"] == CLOSES
    assert said["p2"] == ("makes room for the Jobcentre from Jobcentre" if short else BEST)


def test_an_overfull_building_that_gains_nobody_drives_nobody_out():
    place = tiny_place(sites={"hall": {"capacity_m2": 250.0}})
    assert reasons(place, {"p7": "station"}) == {"p7": BEST}
