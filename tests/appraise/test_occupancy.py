"""Empty buildings, rents, repairs outstanding, refits and what stands at the end: by hand, and read again by the referee."""

import pytest
from places import tiny_place, tiny_plan, tiny_scenario

from estate.appraise.books import books
from estate.formulate import formulate
from estate.problem import Solution, cost
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.verify import Claim, referee, referee_tables

# In the tiny plan the police leave their station (45,000 a year) on 1 April 2026 and sell it two years later for 300,000; DWP
# leaves the Jobcentre (60,000 a year) when its lease lets go, on 1 April 2027.


def booked(lines, sites=None, **money):
    """The entries of some lines: (agency, year, line) to pounds; the referee has read every one again, and the objective."""
    place, plan = tiny_place(sites=sites), None
    plan = tiny_plan(place)
    scenario = tiny_scenario(objective="annual-equivalent", **money).model_copy(update={"standards": ()})
    found = books(place, scenario, plan)
    measured = Measured.of(place, scenario, measure(place, scenario))
    assert referee_tables(place, scenario, measured.travel, plan, found.tables) == ()
    made = formulate(measured)
    value = cost(made.problem, Solution(plan.open, plan.host[made.points])) + made.constant
    verdict = referee(place, scenario, measured.travel, plan, claim=Claim("feasible", value))
    assert "referee.claim.objective" not in {each.code for each in verdict.failures}
    assert value / 100 == pytest.approx(found.summary["annual_equivalent_cost_gbp_pa"], abs=0.1)
    table = found.tables["ledger"]
    chosen = table[table["line"].isin(lines)]
    return found, chosen.groupby(["agency", "year", "line"])["amount_gbp"].sum().to_dict()


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (2.0, {"2026-27": -18_000, "2027-28": -18_000}),
        (1.5, {"2026-27": -18_000, "2027-28": -9_000}),
        (0.0, {}),
    ],
)
def test_a_building_that_waits_for_its_sale_costs_a_share_of_what_it_did(years, expected):
    sites = {"station": {"years_to_sale": years}}
    found, entries = booked(["holding_cost"], sites, holding_share={"police": 0.4})
    assert entries == {("police", year, "holding_cost"): amount for year, amount in expected.items()}
    free, _ = booked([], sites)
    assert found.summary["one_off_gbp"] - free.summary["one_off_gbp"] == -sum(expected.values())
    police = found.tables["agencies"].set_index("agency").loc["police"]
    assert police["one_off_gbp"] == 57_600 + 800 + 3_000 - sum(expected.values())


def test_no_holding_cost_is_a_choice_that_is_printed():
    found, entries = booked(["holding_cost", "void_cost"])
    assert entries == {}
    table = found.tables["assumptions"]
    assert "nothing until it is sold" in table.loc[table["id"] == "holding share", "source"].item()


def test_rent_between_two_public_bodies_is_a_transfer():
    plain, _ = booked([])
    let = {"jobcentre": {"rent_gbp_pa": 48_000.0, "landlord": "county"}}
    found, entries = booked(["rent_paid", "rent_received"], let)
    assert entries[("dwp", "2027-28", "rent_paid")] == 48_000
    assert entries[("county", "2027-28", "rent_received")] == -48_000
    assert ("dwp", "2026-27", "rent_paid") not in entries  # the lease runs until the end of it
    for name in ("baseline_gbp_pa", "cost_gbp_pa", "saving_gbp_pa", "npv_gbp"):
        assert found.summary[name] == plain.summary[name]
    gain = (
        found.tables["agencies"].set_index("agency")["gain_gbp_pa"]
        - plain.tables["agencies"].set_index("agency")["gain_gbp_pa"]
    )
    assert gain.to_dict() == {"county": -48_000, "dwp": 48_000, "landlord": 0, "police": 0}


@pytest.mark.parametrize("landlord", ["", "landlord"])
def test_rent_that_leaves_the_agencies_is_saved(landlord):
    plain, _ = booked([])
    found, entries = booked(["rent_paid", "rent_received"], {"jobcentre": {"rent_gbp_pa": 48_000.0, "landlord": landlord}})
    assert found.summary["baseline_gbp_pa"] == plain.summary["baseline_gbp_pa"] + 48_000
    assert found.summary["saving_gbp_pa"] == plain.summary["saving_gbp_pa"] + 48_000
    assert {key[0] for key in entries} == {"dwp"}


def test_a_public_landlord_bears_what_a_void_costs():
    let = {"jobcentre": {"rent_gbp_pa": 48_000.0, "landlord": "county"}}
    _, entries = booked(["void_cost", "holding_cost"], let, holding_share={"office": 0.5}, void_years=1.5)
    assert entries == {("county", "2027-28", "void_cost"): -30_000, ("county", "2028-29", "void_cost"): -15_000}
    other = {"jobcentre": {"rent_gbp_pa": 48_000.0, "landlord": "landlord"}}
    assert booked(["void_cost"], other, holding_share={"office": 0.5}, void_years=1.5)[1] == {}


def test_a_tenant_of_the_title_holder_pays_rent_and_he_does_not():
    """The county lets the hall: the police, with a desk of 20 m2 there today and two of 100 m2 then, are its only tenants."""
    let = {"hall": {"rent_gbp_pa": 12_000.0, "landlord": "county"}}
    found, entries = booked(["rent_paid", "rent_received"], let)
    assert entries == {}  # the police alone pay it, before and after
    police = found.tables["agencies"].set_index("agency").loc["police"]
    plain = booked([])[0].tables["agencies"].set_index("agency").loc["police"]
    assert police["cost_before_gbp_pa"] - plain["cost_before_gbp_pa"] == 12_000


@pytest.mark.parametrize(("year", "spared"), [(0, 0), (1, 100_000), (5, 100_000)])
def test_repairs_are_spared_where_a_building_is_left_before_their_year_ends(year, spared):
    sites = {"station": {"condition_backlog_gbp": 100_000.0}, "hall": {"condition_backlog_gbp": 70_000.0}}
    found, entries = booked(["backlog_avoided"], sites, backlog_year=year)
    assert sum(entries.values()) == found.summary["backlog_avoided_gbp"] == spared
    assert found.summary["need_gbp"] == booked([], sites)[0].summary["need_gbp"]
    assert booked(["backlog_avoided"], sites)[1] == {}


def test_a_refit_comes_again_and_what_is_unworn_stands_at_the_end():
    found, entries = booked(["refit", "residual_value"], refit_years=10, residual_value=True)
    police = {key[1:]: amount for key, amount in entries.items() if key[0] == "police"}
    # Fitted out in 2025-26 for 57,600: again in 2035-36 and 2045-46, which has served 9 of its 10 years when 2054-55 ends; the
    # station, sold for 300,000, is missed then.
    assert police == {
        ("2035-36", "refit"): -57_600,
        ("2045-46", "refit"): -57_600,
        ("2054-55", "residual_value"): 5_760 - 300_000,
    }
    # DWP's of 2026-27 (110,000) again in 2036-37 and 2046-47: 8 of 10 years.
    assert entries[("dwp", "2054-55", "residual_value")] == 22_000
    assert found.summary["refit_gbp"] == -2 * (57_600 + 110_000)
    flow = found.tables["cash_flow"]
    assert flow["later_gbp"].sum() == found.summary["refit_gbp"] + found.summary["residual_value_gbp"]
