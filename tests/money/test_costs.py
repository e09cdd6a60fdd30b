"""What things cost, unrounded, and the one rounding."""

import numpy as np
import pytest
from places import RATE_ROWS, scenario_with, tiny_place, tiny_scenario

from estate.money.costs import gbp, hosting_gbp_pa, move_one_off_gbp, move_rates, pence, running_gbp_pa

HALL, LIBRARY, STATION = 1, 3, 4
P1, P4, P5 = 0, 3, 4


def at(*values):
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("amount", "whole"),
    [(0.005, 0), (0.015, 2), (0.025, 2), (1.1, 110), (2.675, 268), (-0.015, -2), (1e9 + 0.01, 100_000_000_001)],
)
def test_pence_are_rounded_half_to_even_once(amount, whole):
    # 2.675 is 2.67499... in binary; dust below a ten-thousandth of a penny does not decide.
    assert pence(np.array([amount]))[0] == whole


def test_pence_and_back():
    whole = at(0, 1, -1, 123_456_789_012)
    assert np.array_equal(pence(gbp(whole)), whole)


def test_running_cost_is_the_sites_own_and_nothing_outside():
    place = tiny_place(sites={"village": {"status": "outside"}})
    assert running_gbp_pa(place).tolist() == [30_000, 90_000, 60_000, 70_000, 45_000, 0]


def test_hosting_is_area_times_rate_and_nothing_at_home():
    place = tiny_place()
    found = hosting_gbp_pa(place, at(P4, P4, P5, P1), at(LIBRARY, 2, HALL, HALL))
    assert found.tolist() == [250 * 30, 0, 80 * 40, 0]


def test_the_hosting_table_says_otherwise_even_at_home_and_blank_keeps_the_rule():
    rows = (
        {"access_point_id": "p4", "site_id": "library", "cost_gbp_pa": 999.5},
        {"access_point_id": "p1", "site_id": "hall", "cost_gbp_pa": 10.0},
        {"access_point_id": "p5", "site_id": "hall", "allowed": False},
    )
    found = hosting_gbp_pa(tiny_place(hosting=rows), at(P4, P1, P5), at(LIBRARY, HALL, HALL))
    assert found.tolist() == [999.5, 10.0, 3_200.0]


def test_rates_by_kind_then_any_kind_then_the_service_then_nothing():
    rates = move_rates(tiny_place(), tiny_scenario())
    assert rates.loc[("jobcentre", "library")].tolist() == [400.0, 20.0, True]
    assert rates.loc[("jobcentre", "office")].tolist() == [500.0, 20.0, True]
    assert rates.loc[("council", "library")].tolist() == [450.0, 0.0, True]
    assert rates.loc[("clinic", "health")].tolist() == [0.0, 0.0, False]


def test_one_off_costs_of_a_move():
    costs = move_one_off_gbp(tiny_place(), tiny_scenario(), at(P4, P4, P5), at(LIBRARY, 2, HALL))
    assert costs.fitout.tolist() == [100_000, 0, 48_000]
    assert costs.removal.tolist() == [5_000, 0, 800]
    assert costs.bias.tolist() == pytest.approx([10_000, 0, 9_600])  # on fit-out: library 10%, office 20%
    assert costs.total.tolist() == pytest.approx([115_000, 0, 58_400])


def test_parts_in_pence_add_up_to_the_whole():
    rates = ({**RATE_ROWS[1], "fitout_gbp_m2": 333.333, "removal_gbp_m2": 11.117},)
    place = tiny_place(rates=rates, access_points={"p4": {"area_m2": 33.3}})
    costs = move_one_off_gbp(place, tiny_scenario(optimism_bias={"library": 0.137}), at(P4), at(LIBRARY))
    assert sum(part[0] for part in costs.parts_pence().values()) == pence(costs.total)[0]


def test_a_service_without_settings_costs_nothing_to_fit_out():
    scenario = scenario_with(services={"police": {}}, standards=[])
    costs = move_one_off_gbp(tiny_place(rates=()), scenario, at(P4, P5), at(LIBRARY, HALL))
    assert costs.total.tolist() == [0, 0]


def test_no_pairs_at_all():
    assert len(hosting_gbp_pa(tiny_place(), at(), at())) == 0
    assert len(move_one_off_gbp(tiny_place(), tiny_scenario(), at(), at()).total) == 0
