"""The plan as an investment: discounting, payback, sensitivities and switching values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import plan_of, tiny_place, tiny_plan, tiny_scenario

from estate.appraise.books import books
from estate.appraise.cashflow import Flows, flows, sensitivities_table, switching_table
from estate.appraise.ledger import ledger
from estate.errors import InputError
from estate.formulate import formulate
from estate.money.law import year_label
from estate.money.present_value import Discounting, annual_equivalent_gbp, annual_equivalent_pence, discounting, opening_pence
from estate.money.release import release, works_year
from estate.place import todays_plan
from estate.problem import Solution, violations
from estate.scenario import Sensitivity
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.verify import Claim, referee


def tiny_flows(place=None, plan=None, **money):
    place = place or tiny_place()
    scenario = tiny_scenario(**money)
    return flows(scenario, ledger(place, scenario, plan or tiny_plan(place)))


def test_npv_by_hand():
    # One building worth 1,000 a year closes at the start of year 1; 500 once in year 0; sold for 300 in year 2.
    worth = Discounting(np.array([1.0, 1 / 1.035, 1 / 1.035**2]))
    cash = Flows(
        np.array([0.0, 1000, 1000]), np.array([-500.0, 0, 0]), np.zeros(3), np.array([0.0, 0, 300]), np.zeros(3), worth
    )
    assert cash.npv() == pytest.approx(-500 + 1000 / 1.035 + 1300 / 1.035**2)
    assert cash.payback_year() == 1


def test_receipts_once_and_savings_every_year_from_closing():
    cash = tiny_flows()
    assert cash.saving[:3].tolist() == [0.0, 41_800.0, 94_300.0]
    assert (cash.saving[2:] == 94_300).all()
    assert cash.sales.nonzero()[0].tolist() == [3]  # closed in year 1, sold two years later
    assert cash.one_off[:4].tolist() == [-58_400.0, -140_000.0, 0.0, -3_000.0]
    assert cash.sale_costs[:4].tolist() == [0.0, 0.0, 0.0, -12_000.0]  # 4% of 300,000; the rest is revenue


def test_every_year_of_the_horizon_is_there():
    assert len(tiny_flows(horizon_years=80).net) == 80
    assert len(tiny_flows(horizon_years=1).net) == 1


@pytest.mark.parametrize(("leave", "year"), [(0.0, 0), (1.0, 0), (1.01, 1), (1.5, 1), (2.0, 1), (2.001, 2)])
def test_works_are_paid_in_the_year_before_the_move_is_complete(leave, year):
    assert works_year(np.array([leave]))[0] == year


@pytest.mark.parametrize(
    ("net", "year"), [([1.0, 1.0], 0), ([-1.0, 1.0], 1), ([-2.0, 1.0], None), ([-1.0, 2.0, -2.0, 2.0], 3), ([0.0, 0.0], 0)]
)
def test_discounted_payback_is_the_first_year_that_stays_paid(net, year):
    cash = Flows(np.array(net), *[np.zeros(len(net))] * 4, Discounting(np.ones(len(net))))
    assert cash.payback_year() == year


TEN_YEARS_PAY = 52_500 * sum(1.035**-n for n in range(1, 9)) - 105_000
"""What leaving the Jobcentre may cost to be paid back in ten years: it is paid in year 1, and 52,500 is saved in years 2 to 9."""


@pytest.mark.parametrize(("beyond", "years", "warned"), [(-1.0, 10, False), (1.0, 11, True)])
def test_one_payback_is_reported_warned_about_and_held_to(beyond, years, warned):
    # The Jobcentre saves 60,000 - 7,500 a year, and its fit-out and removal cost 105,000.
    place = tiny_place(sites={"jobcentre": {"exit_cost_gbp": TEN_YEARS_PAY + beyond}})
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p4": "library"})
    scenario = tiny_scenario(optimism_bias={}).model_copy(update={"standards": ()})
    found = books(place, scenario, plan)
    assert found.summary["payback_years"] == years
    assert found.summary["pays_back_in"] == year_label(2025 + years - 1)
    assert found.tables["sensitivities"].set_index("name").loc["As planned", "pays_back_in"] == found.summary["pays_back_in"]
    assert bool(found.summary["warnings"]) is warned
    for longest in (9, 10, 11):
        money = scenario.money.model_copy(update={"longest_payback_years": float(longest)})
        held = scenario.model_copy(update={"money": money})
        measured = Measured.of(place, held, measure(place, held))
        made = formulate(measured)
        assert bool(violations(made.problem, Solution(plan.open, plan.host[made.points]))) is (longest < years)
        verdict = referee(place, held, measured.travel, plan, claim=Claim("feasible", None))
        assert ("referee.payback" in {each.code for each in verdict.failures}) is (longest < years)


def test_a_plan_that_saves_nothing_never_pays_back():
    place = tiny_place(sites={"library": {"hosting_cost_gbp_m2_pa": 240.0}})
    found = books(place, tiny_scenario(), plan_of(place, place.access_points["site_id"].to_dict() | {"p4": "library"})).summary
    assert found["saving_gbp_pa"] == 0
    assert found["payback_years"] is None
    assert "never pays back" in found["warnings"][0][1]


@pytest.mark.parametrize(("years", "shown"), [(50, False), (51, True), (126, True), (127, False), (350, False)])
def test_long_horizons_are_tested_at_the_lower_rates(years, shown):
    # The Green Book, February 2026: 3.00% to year 30, 2.57% to 75, 2.14% to 125, where more than 50 years are appraised.
    scenario = tiny_scenario(horizon_years=years)
    cash = flows(scenario, ledger(tiny_place(), scenario, tiny_plan(tiny_place())))
    table = sensitivities_table(scenario, cash).set_index("name")
    rows = [name for name in table.index if "2026" in name]
    assert bool(rows) is shown
    if shown:
        rates = [0.0, *[0.03] * 30, *[0.0257] * 45, *[0.0214] * 50][:years]
        by_hand = sum(net / np.prod([1 + rate for rate in rates[: n + 1]]) for n, net in enumerate(cash.net))
        assert table.loc[rows[0], "npv_gbp"] == pytest.approx(by_hand, abs=0.01)


def test_no_number_of_years_stands_beside_never():
    # The station is sold after the three years appraised: its receipt covers the costs, and comes too late to be seen.
    place = tiny_place(sites={"station": {"market_value_gbp": 900_000.0, "running_cost_gbp_pa": 14_000.0}})
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p5": "hall"})
    early, late = (books(place, tiny_scenario(horizon_years=years), plan).summary for years in (4, 3))
    assert (early["payback_years"], early["pays_back_in"]) == (4, "2028-29")
    assert (late["payback_years"], late["pays_back_in"]) == (None, None)
    assert late["net_one_off_gbp"] < 0


@pytest.mark.parametrize(("horizon", "warned"), [(3, True), (4, False)])
def test_money_that_falls_after_the_horizon_is_warned_about(horizon, warned):
    # The station closes in year 1 and is sold in year 3: 300,000 less 15,000.
    place = tiny_place()
    found = books(place, tiny_scenario(horizon_years=horizon), tiny_plan(place)).summary
    late = [words for code, words, remedy in found["warnings"] if code == "money.horizon" and remedy]
    assert bool(late) is warned
    assert all("£15,000 of one-off costs and £300,000 of proceeds" in words for words in late)
    assert found["receipts_gbp"] == 288_000


def test_the_cash_flow_reconciles_with_the_summary():
    place = tiny_place(sites={"station": {"agency": "county", "disposal_cost_gbp": 15_000.0},
                              "village": {"market_value_gbp": 9_000.0}})  # fmt: skip
    host = place.access_points["site_id"].to_dict() | {"p3": "library", "p4": "library", "p5": "hall"}
    found = books(place, tiny_scenario(), plan_of(place, host))
    totals = found.tables["cash_flow"].sum(numeric_only=True)
    assert totals["one_off_gbp"] == -found.summary["one_off_gbp"]
    assert totals["sale_costs_met_gbp"] == -12_000  # 4% of 300,000; the other 3,000 is revenue
    assert found.summary["revenue_sums_gbp"] == 9_000
    assert totals["sales_gbp"] + totals["sale_costs_met_gbp"] == found.summary["receipts_gbp"] + 9_000


def test_todays_estate_is_worth_nothing_and_pays_nobody():
    place = tiny_place()
    found = books(place, tiny_scenario(), todays_plan(place))
    assert found.summary["npv_gbp"] == found.summary["saving_gbp_pa"] == found.summary["one_off_gbp"] == 0
    assert found.summary["payback_years"] == 0
    assert found.summary["npc_before_gbp"] == found.summary["npc_after_gbp"]
    assert found.summary["warnings"] == []


plans = st.fixed_dictionaries({"p2": st.sampled_from(["library", "hall"]), "p3": st.sampled_from(["village", "library", "hall"]),
                               "p4": st.sampled_from(["jobcentre", "library", "annexe"]),
                               "p5": st.sampled_from(["station", "hall", "library"])})  # fmt: skip


@settings(max_examples=25)
@given(moves=plans, closing=st.integers(0, 4), horizon=st.integers(1, 40), home=st.booleans())
def test_the_objective_and_the_appraisal_are_one(moves, closing, horizon, home):
    annexe = {**tiny_place().sites.loc["library"].to_dict(), "in_use": False, "running_cost_gbp_pa": 21_234.56}
    hosting = ({"access_point_id": "p4", "site_id": "jobcentre", "cost_gbp_pa": 1_234.0, "allowed": True},) if home else ()
    place = tiny_place(sites={"annexe": annexe, "jobcentre": {"lease_break": "2027-11-05"}}, hosting=hosting)
    scenario = tiny_scenario(closing_year=closing, horizon_years=horizon)
    plan = plan_of(place, place.access_points["site_id"].to_dict() | moves)
    found = books(place, scenario, plan).summary
    here = np.arange(len(place.access_points))
    move, leave, opening = annual_equivalent_gbp(place, scenario, here, plan.host)
    gone = todays_plan(place).open & ~plan.open
    value = found["cost_gbp_pa"] + move.sum() + leave[gone].sum() - opening[plan.open].sum()
    assert value == pytest.approx(found["annual_equivalent_cost_gbp_pa"], abs=0.02)
    pairs, releases = annual_equivalent_pence(place, scenario, here, plan.host)
    whole = pairs.sum() + releases[gone].sum() - opening_pence(place, scenario)[plan.open].sum()
    assert found["cost_gbp_pa"] + whole / 100 == pytest.approx(found["annual_equivalent_cost_gbp_pa"], abs=0.2)


def test_present_values_of_a_stream_that_starts_in_mid_year():
    worth = discounting(tiny_scenario(horizon_years=3))
    assert worth.yearly_from(np.array([0.0]))[0] == worth.annuity
    assert worth.yearly_from(np.array([1.5]))[0] == pytest.approx(0.5 * worth.factor[1] + worth.factor[2])
    assert worth.yearly_from(np.array([3.0, 99.0])).tolist() == [0.0, 0.0]
    assert worth.once(np.array([0, 2, 3, 50])).tolist() == [1.0, worth.factor[2], 0.0, 0.0]


def test_a_base_year_outside_the_table_is_an_error():
    for year in (2011, 2030):
        with pytest.raises(InputError, match="outside the table"):
            discounting(tiny_scenario(base_year=year))


def test_sensitivities_change_what_they_say():
    cash = tiny_flows()
    every = cash.one_off + cash.sale_costs
    sales, one_off, saving = (float(cash.worth.factor @ part) for part in (cash.sales, every, cash.saving))
    table = sensitivities_table(tiny_scenario(), cash).set_index("name")
    assert table.loc["As planned", "npv_gbp"] == round(cash.npv(), 2)
    assert table.loc["Receipts halved", "change_gbp"] == pytest.approx(-sales / 2, abs=0.01)
    assert table.loc["One-off costs up 24%", "change_gbp"] == pytest.approx(0.24 * one_off, abs=0.01)
    assert table.loc["Savings down 10%", "change_gbp"] == pytest.approx(-0.1 * saving, abs=0.01)
    slow = np.append([0.0, 0.0], (cash.sales + cash.sale_costs)[:-2])
    receipts = float(cash.worth.factor @ (cash.sales + cash.sale_costs))
    change = table.loc["Receipts two years late", "change_gbp"]
    assert change == pytest.approx(float(cash.worth.factor @ slow) - receipts, abs=0.01)
    assert change < 0
    late = np.append(0.0, cash.saving[:-1])
    assert table.loc["Savings a year late", "change_gbp"] == pytest.approx(float(cash.worth.factor @ late) - saving, abs=0.01)


def test_savings_later_than_the_horizon_are_none():
    cash = tiny_flows(horizon_years=3).changed(Sensitivity(name="late", delay_years=10))
    assert (cash.saving == 0).all()


@settings(max_examples=20)
@given(exit_cost=st.integers(0, 3_000_000), value=st.integers(0, 3_000_000))
def test_switching_values_bring_the_plan_to_nothing(exit_cost, value):
    place = tiny_place(sites={"jobcentre": {"exit_cost_gbp": float(exit_cost)}, "station": {"market_value_gbp": float(value)}})
    cash = tiny_flows(place)
    table = switching_table(cash).set_index("what")
    settled = table["npv_there_gbp"].dropna()
    assert (settled.abs() < 1).all()
    for what, field in (("Receipts", "receipts"), ("One-off costs", "one_off"), ("Running-cost savings", "savings")):
        change = table.loc[what, "change_percent"]
        if np.isnan(change):
            none = cash.changed(Sensitivity.model_validate({"name": "none", field: 0.0})).npv()
            assert np.sign(round(none, 2)) == np.sign(round(cash.npv(), 2)) or not table.loc[what, "present_value_gbp"]
        else:
            # Re-evaluated from the published figure, six decimals of a per cent.
            factor = max(1 + round(change, 6) / 100, 0.0)
            assert abs(cash.changed(Sensitivity.model_validate({"name": "at", field: factor})).npv()) < 1
    assert len(settled) >= 1


def test_switching_in_words():
    words = switching_table(tiny_flows())["words"].tolist()
    assert words[0].startswith("Receipts alone do not decide it: with none at all, the plan is still worth £")
    assert words[1].startswith("One-off costs would have to rise by")


@given(factor=st.integers(2, 9))
@settings(max_examples=5)
def test_scaling_money_scales_its_value(factor):
    columns = [c for c in tiny_place().sites.columns if "_gbp" in c]
    sites = tiny_place().sites[columns]
    scaled = {site: (sites.loc[site] * factor).to_dict() for site in sites.index}
    rates = tuple(
        {**row, "fitout_gbp_m2": row["fitout_gbp_m2"] * factor, "removal_gbp_m2": row["removal_gbp_m2"] * factor}
        for row in tiny_place().rates.reset_index().to_dict("records")
    )
    assert tiny_flows(tiny_place(sites=scaled, rates=rates)).npv() == pytest.approx(factor * tiny_flows().npv(), abs=1.0)


def test_releases_in_time_order():
    table = release(tiny_place(), tiny_scenario(closing_year=2))
    assert (table["year_closed"] >= 2).all()
