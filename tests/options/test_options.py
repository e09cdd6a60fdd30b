"""Options side by side: what each costs in all by hand, what keeps them fit, the financial case, and the referee."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import plan_of, tiny_place, tiny_plan, tiny_scenario

from estate.appraise.books import books
from estate.errors import InputError, errors_of
from estate.options.finance import financial_case, funded
from estate.options.option import KINDS, Option
from estate.options.tables import funding_totals, option_tables
from estate.options.upkeep import upkeep
from estate.scenario import Alternative, build, patched, resolved
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.validate import check
from estate.verify import referee_tables
from estate.verify.case import case_of as case_of_place
from estate.verify.case import decision_of
from estate.verify.options import check_options

# The tiny plan: the Jobcentre goes into the library and the police desk into the hall; the station closes in year 1 and is sold
# for 300,000 in year 3, and the Jobcentre's lease lets go when year 2 begins.  Running cost falls by 41,800 in year 1, and by
# 94,300 a year from then on.


def tiny_options(place=None, scenario=None, plan=None):
    place, scenario = place or tiny_place(), scenario or tiny_scenario()
    kinds = zip(
        ("Do nothing", "Do minimum", "The plan"), KINDS, (place.today, place.today, plan or tiny_plan(place)), strict=False
    )
    return [Option(name, kind, each, place, scenario, {}) for name, kind, each in kinds]


def tabled(place, scenario, options):
    measured = Measured.of(place, scenario, measure(place, scenario))
    return measured, option_tables(measured, options)


def factor(year):
    return 1.035**-year  # to year 30


def test_each_option_costs_what_a_hand_finds():
    """Five years at 3.5%: 307,000 a year today; repairs of 50,000 at the station and 20,000 at the hall, met in year 2."""
    place = tiny_place(sites={"station": {"condition_backlog_gbp": 50_000.0}, "hall": {"condition_backlog_gbp": 20_000.0}})
    scenario = tiny_scenario(horizon_years=5, backlog_year=2)
    nothing, minimum, plan = tiny_options(place, scenario)
    annuity = sum(factor(n) for n in range(5))
    assert nothing.cost_pence / 100 == pytest.approx(307_000 * annuity)
    assert minimum.cost_pence / 100 == pytest.approx(307_000 * annuity + 70_000 * factor(2))
    saved = 41_800 * factor(1) + 94_300 * (factor(2) + factor(3) + factor(4))
    once = 57_600 + 800 + (110_000 + 5_000 + 25_000) * factor(1) + 3_000 * factor(3)
    sale = 288_000 * factor(3)
    hand = 307_000 * annuity - saved + once - sale + 20_000 * factor(2)  # the station's repairs are spared, the hall's are met
    assert plan.cost_pence / 100 == pytest.approx(hand)
    _, tables = tabled(place, scenario, [nothing, minimum, plan])
    row = tables["options"].set_index("option").loc["The plan"]
    assert row["net_present_cost_gbp"] == pytest.approx(hand, abs=0.005)
    assert row["less_than_minimum_gbp"] == pytest.approx(307_000 * annuity + 70_000 * factor(2) - hand, abs=0.01)
    assert (row["repairs_met_gbp"], row["repairs_left_gbp"]) == (20_000, 0)
    assert tables["options"].set_index("option").loc["Do nothing", ["repairs_met_gbp", "repairs_left_gbp"]].tolist() == [
        0,
        70_000,
    ]
    # One payback in the program: the run's own, spared repairs among it.
    assert row["pays_back_in"] == books(place, scenario, tiny_plan(place)).summary["pays_back_in"]


@pytest.mark.parametrize("year", [0, 1, 2])
def test_repairs_are_spared_where_a_building_is_left_by_the_end_of_their_year(year):
    """The station is left when year 1 begins: what is due in year 0 is met there, what is due in year 1 is not."""
    place = tiny_place(sites={"station": {"condition_backlog_gbp": 50_000.0}})
    found = upkeep(place, tiny_scenario(backlog_year=year), tiny_plan(place))
    assert -found["pence"].sum() == (5_000_000 if year == 0 else 0)
    kept = upkeep(place, tiny_scenario(backlog_year=year), place.today)
    assert kept[["year", "pence"]].to_numpy().tolist() == [[year, -5_000_000]]


def test_without_a_year_repairs_are_met_when_buildings_would_close():
    place = tiny_place(sites={"hall": {"condition_backlog_gbp": 20_000.0}})
    assert upkeep(place, tiny_scenario(closing_year=3), place.today)["year"].tolist() == [3]


def test_fit_outs_are_made_again_where_counters_are():
    """Every 2 years over 5: in years 2 and 4.  Library 350 a m2 and 10% bias, police 600 in the hall (20%) and the station."""
    place = tiny_place()
    scenario = tiny_scenario(horizon_years=5, refit_years=2, residual_value=True)
    today = upkeep(place, scenario, place.today)
    refit = today[today["line"] == "refit"]
    by_point = dict(zip(place.access_points.index[refit["point"]], refit["pence"] / -100, strict=True))
    assert by_point["p2"] == 115_500  # 300 x 350 x 1.1
    assert by_point["p7"] == 14_400  # 20 x 600 x 1.2
    assert by_point["p5"] == 80 * 600  # no bias is set for police stations
    assert "p6" not in by_point  # a private body's own affair
    assert sorted(set(refit["year"])) == [2, 4]
    # What is made in year 4 of five serves years 5 and 6: all of it is left.
    left = today[today["line"] == "residual_value"]
    assert left["pence"].sum() == -refit.loc[refit["year"] == 4, "pence"].sum()
    # The Jobcentre leaves when year 2 begins and the desk when year 1 does: nothing is made again where they were.
    plan = upkeep(place, scenario, tiny_plan(place))
    assert {"p4", "p5"}.isdisjoint(place.access_points.index[plan.loc[plan["point"] >= 0, "point"]])


def test_a_renewed_lease_costs_more_from_its_end():
    """The Jobcentre's lease ends on 31 March 2030; renewed at 66,000 it costs 6,000 more from year 5 on."""
    place = tiny_place()
    scenario = build(
        patched(resolved(tiny_scenario(horizon_years=8)), [(("programme",), {"renewed_gbp_pa": {"jobcentre": 66_000}})]),
        folder=tiny_scenario().folder, file=tiny_scenario().file,
    )  # fmt: skip
    found = upkeep(place, scenario, place.today)
    assert found[["year", "line", "pence"]].to_numpy().tolist() == [[y, "renewed_lease", -600_000] for y in (5, 6, 7)]
    assert upkeep(place, scenario, tiny_plan(place)).empty  # left at its break


def test_doing_nothing_is_what_the_run_calls_today_and_the_plan_what_it_calls_the_plan():
    place, scenario = tiny_place(), tiny_scenario()
    nothing, _, plan = tiny_options(place, scenario)
    said = books(place, scenario, tiny_plan(place)).summary
    assert nothing.cost_pence / 100 == pytest.approx(said["npc_before_gbp"], abs=0.01)
    assert plan.cost_pence / 100 == pytest.approx(said["npc_after_gbp"], abs=0.01)
    assert (plan.total("capital_receipt", "disposal_from_receipt")) == round(said["receipts_gbp"] * 100)


# ---------------------------------------------------------------------------------------------------- the financial case


def with_options(purses=(), money=None, **options):
    settings_ = resolved(tiny_scenario(purses=list(purses), **(money or {})))
    return build(patched(settings_, [(("options",), options)]), folder=tiny_scenario().folder, file=tiny_scenario().file)


def case_of(scenario, purse):
    table = financial_case(tiny_options(scenario=scenario)[2])
    return table[table["purse"] == purse].set_index("year")


def test_prices_rise_and_budgets_do_not():
    scenario = with_options(
        [{"name": "pot", "agencies": ["dwp"], "budgets": [{"gbp": 110_000}]}], {"horizon_years": 4}, inflation=0.1
    )
    found = case_of(scenario, "pot")
    assert found.loc["2026-27", "capital_gbp"] == 121_000  # 110,000 a year later
    assert found.loc["2026-27", "from_budget_gbp"] == 110_000
    assert found.loc["2026-27", "to_find_gbp"] == 11_000
    assert found.loc["2026-27", "one_off_revenue_gbp"] == 33_000
    assert found.loc["2025-26", "running_cost_gbp"] == 60_000
    assert found.loc["2026-27", "running_cost_gbp"] == 66_000


def test_tax_that_is_not_recovered_is_a_cost_of_its_own():
    """At 20%: the police recover none, the department three quarters."""
    scenario = with_options(
        vat=0.2,
        vat_recovered={"police": 0.0, "central_government": 0.75, "local_authority_england": 1.0, "private": 0.0},
    )
    dwp, police = case_of(scenario, "dwp"), case_of(scenario, "police")
    assert dwp.loc["2026-27", "capital_vat_gbp"] == 110_000 * 0.05
    assert dwp.loc["2026-27", "revenue_vat_gbp"] == 5_000 * 0.05  # removal; leaving a lease is not on the list
    assert police.loc["2025-26", "capital_vat_gbp"] == 57_600 * 0.2
    assert police.loc["2028-29", "revenue_vat_gbp"] == 15_000 * 0.2  # sale costs, met from the receipt or not
    assert police.loc["2025-26", "to_find_gbp"] == 57_600 * 1.2


def test_a_receipt_pays_for_capital_once_it_is_banked_and_for_no_revenue():
    found = case_of(with_options(), "police")
    assert found.loc["2025-26", ["from_receipts_gbp", "to_find_gbp"]].tolist() == [0, 57_600]
    assert found.loc["2028-29", ["capital_receipts_gbp", "receipts_left_gbp"]].tolist() == [288_000, 288_000]
    assert found.loc["2028-29", "one_off_revenue_gbp"] == 3_000


def test_a_loan_is_repaid_by_equal_parts_with_interest_on_what_is_left():
    """100,000 at 5% over 4 years from 2026-27: 25,000 a year, and 5,000, 3,750, 2,500, 1,250 of interest."""
    loan = {"purse": "dwp", "most_gbp": 100_000, "year": 2026, "rate": 0.05, "years": 4}
    found = case_of(with_options(loans=[loan]), "dwp")
    assert found.loc["2026-27", ["capital_gbp", "from_loans_gbp", "to_find_gbp", "borrowed_gbp", "owed_gbp"]].tolist() == [
        110_000, 100_000, 10_000, 100_000, 100_000,
    ]  # fmt: skip
    years = ["2027-28", "2028-29", "2029-30", "2030-31"]
    assert found.loc[years, "repaid_gbp"].tolist() == [25_000] * 4
    assert found.loc[years, "interest_gbp"].tolist() == [5_000, 3_750, 2_500, 1_250]
    assert found.loc["2030-31", "owed_gbp"] == 0
    assert (found.loc[years, "revenue_gbp"] - found.loc[years, "running_cost_gbp"]).tolist() == [30_000, 28_750, 27_500, 26_250]


def test_no_more_is_borrowed_than_is_wanted():
    loan = {"purse": "dwp", "most_gbp": 900_000, "year": 2025, "rate": 0.05, "years": 4}
    found = case_of(with_options(loans=[loan]), "dwp")
    assert found["borrowed_gbp"].sum() == 110_000
    assert found.loc["2025-26", "borrowed_gbp"] == 110_000  # drawn in its year, spent in the next
    assert found.loc["2026-27", ["from_loans_gbp", "to_find_gbp"]].tolist() == [110_000, 0]


amounts = st.lists(st.integers(0, 1_000), min_size=5, max_size=5).map(np.array)


@settings(max_examples=100, deadline=None)
@given(
    need=amounts,
    banked=amounts,
    budget=amounts,
    loans=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2_000)), max_size=3),
)
def test_sources_meet_the_capital_and_none_gives_what_it_has_not(need, banked, budget, loans):
    found = funded(need, banked, budget, sorted(loans))
    parts = (found.receipts, found.budget, found.loans, found.to_find)
    assert (sum(parts) == need).all()
    assert all((part >= 0).all() for part in parts)
    assert (np.cumsum(found.receipts) <= np.cumsum(banked)).all()
    assert (np.cumsum(found.budget) <= np.cumsum(budget)).all()
    assert (found.receipts_left == np.cumsum(banked - found.receipts)).all()
    assert sum(found.drawn) == found.loans.sum()
    assert all(drawn <= most for drawn, (_, most) in zip(found.drawn, sorted(loans), strict=True))


# ---------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "key", ["adjust.costs.factor", "money.horizon_years", "travel.detour", "services.library.fitout_gbp_m2", "tables.sites"]
)
def test_an_alternative_may_not_change_figures(key):
    with pytest.raises(ValueError, match="decides otherwise on the same figures"):
        Alternative(name="other", changes={key: 1})


def test_what_the_financial_case_needs_is_asked_for_at_once():
    loan = {"purse": "nobody", "most_gbp": 1, "year": 2025, "rate": 0.0, "years": 1}
    scenario = with_options(vat=0.2, vat_on=["fitouts"], vat_recovered={"polise": 1.0}, loans=[loan])
    said = [str(each) for each in errors_of(check(scenario, tiny_place()))]
    for part in (
        "'nobody' is not a purse",
        "'fitouts' is not a line",
        "'polise' is not a kind of agency",
        "central_government, ",
    ):
        assert any(part in line for line in said), part
    with pytest.raises(InputError, match="two alternatives"):
        with_options(alternatives=[{"name": "a", "changes": {"rules.reach": "1 mile"}}] * 2)


# ---------------------------------------------------------------------------------------------------- the referee


@pytest.fixture(scope="module")
def judged():
    """A place with everything in it: repairs, refits, a lease renewed, rent, tax, loans, rising prices, an alternative."""
    place = tiny_place(
        sites={
            "station": {"condition_backlog_gbp": 50_000.0},
            "hall": {"condition_backlog_gbp": 20_001.01},
            "jobcentre": {"rent_gbp_pa": 20_000.0, "landlord": "county"},
        }
    )
    scenario = with_options(
        [
            {"name": "pot", "agencies": ["dwp", "police"], "power": "agreed", "basis": "net", "budgets": [{"gbp": 20_000}]},
        ],
        {"horizon_years": 12, "refit_years": 5, "residual_value": True, "backlog_year": 0, "holding_share": {"police": 0.3}},
        inflation=0.02, vat=0.2,
        vat_recovered={"police": 0.0, "central_government": 0.75, "local_authority_england": 1.0, "private": 0.0},
        loans=[
            {"purse": "pot", "most_gbp": 30_000, "year": 2025, "rate": 0.05, "years": 6},
            {"purse": "pot", "most_gbp": 60_000, "year": 2026, "rate": 0.04, "years": 9, "repaid": "annuity"},
        ],
    )  # fmt: skip
    scenario = build(
        patched(resolved(scenario), [(("programme",), {"renewed_gbp_pa": {"jobcentre": 66_000}})]),
        folder=scenario.folder, file=scenario.file,
    )  # fmt: skip
    plan = tiny_plan(place)
    options = tiny_options(place, scenario, plan)
    other = plan_of(place, place.access_points["site_id"].to_dict() | {"p5": "hall"})
    changes = {"rules.keep": ["jobcentre"], "money.purses": [], "standards.police-5-miles.on": False}
    options.append(Option("The Jobcentre stays", KINDS[3], other, place, scenario, changes, "optimal", 0.0))
    measured, tables = tabled(place, scenario, options)
    return place, scenario, measured.travel, plan, tables


def test_the_referee_agrees(judged):
    assert referee_tables(*judged) == ()


WRONG = (
    ("options", "net_present_cost_gbp", 2, 0.05, "figures"),
    ("options", "less_than_minimum_gbp", 3, -0.05, "figures"),
    ("options", "annual_equivalent_cost_gbp_pa", 1, 0.05, "figures"),
    ("options", "running_cost_gbp_pa", 2, 0.01, "figures"),
    ("options", "one_off_gbp", 2, 0.01, "figures"),
    ("options", "receipts_gbp", 2, 1.0, "figures"),
    ("options", "repairs_met_gbp", 1, 0.01, "figures"),
    ("options", "repairs_left_gbp", 0, -1.0, "figures"),
    ("options", "refits_gbp", 2, 0.01, "figures"),
    ("options", "renewed_leases_gbp", 1, 6_000.0, "figures"),
    ("options", "need_gbp", 2, 5.0, "figures"),
    ("options", "rank", 2, 1, "figures"),
    ("options", "moves", 2, 1, "figures"),
    ("options", "people_farther", 2, 1, "people"),
    ("options", "most_farther_m", 2, 1, "people"),
    ("option_agencies", "running_cost_gbp_pa", 4, 0.05, "agencies"),
    ("option_agencies", "need_gbp", 7, 5.0, "agencies"),
    ("option_agencies", "net_present_cost_gbp", 5, 20.0, "agencies"),
    ("option_agencies", "more_than_minimum_gbp", 6, 20.0, "agencies"),
    ("financial_case", "running_cost_gbp", 40, 1.0, "sums"),
    ("financial_case", "capital_vat_gbp", 40, 1.0, "sums"),
)


def found_in(judged, changed):
    place, scenario, travel, plan, tables = judged
    case = case_of_place(place, scenario, travel)
    decision, _ = decision_of(case, plan)
    found = {}
    for each in check_options(case, decision, {**tables, **changed}):
        found.setdefault(each.rule.partition(".")[2], []).extend(each.broken)
    return found


def test_the_referee_sees_every_wrong_figure(judged):
    tables, changed = judged[-1], {}
    for table, column, row, change, _ in WRONG:
        frame = changed.setdefault(table, tables[table].copy())
        at = frame.columns.get_loc(column)
        frame.iloc[row, at] = frame.iloc[row, at] + change
    found = found_in(judged, changed)
    for table, column, row, _, rule in WRONG:
        name = column.removesuffix("_gbp") if table == "financial_case" else column
        who = tables[table].iloc[row]["purse" if table == "financial_case" else "option"]
        assert any(who in line and name in line for line in found[rule]), (table, column)


@pytest.mark.parametrize(
    ("column", "change", "says"),
    [
        ("to_find_gbp", 0.01, "do not come to the capital"),
        ("from_budget_gbp", 0.01, "budgets"),
        ("from_loans_gbp", 0.01, "loans"),
        ("receipts_left_gbp", 0.01, "receipts"),
        ("interest_gbp", 1.0, "what loans cost"),
        ("borrowed_gbp", 50_000.0, "more is borrowed than may be"),
        ("owed_gbp", 0.01, "what is owed"),
        ("revenue_gbp", 0.01, "revenue does not add up"),
    ],
)
def test_no_source_gives_what_it_has_not(judged, column, change, says):
    frame = judged[-1]["financial_case"].copy()
    at = frame.index[(frame["option"] == "The plan") & (frame["purse"] == "pot")][1]
    frame.loc[at, column] += change
    assert any(line.endswith(says) for line in found_in(judged, {"financial_case": frame})["funds"])


def test_the_referee_holds_an_alternative_to_its_own_rules(judged):
    tables = judged[-1]
    options = tables["options"].copy()
    options.loc[3, "changes"] = json.dumps({"rules.keep": ["station"], "money.purses": []})
    assert any("station" in line for lines in found_in(judged, {"options": options}).values() for line in lines)
    changes = tables["option_changes"]
    fewer = changes[~((changes["option"] == "The plan") & (changes["what"] == "closes"))]
    assert found_in(judged, {"option_changes": fewer})["plans"] == ["plan"]
    nobody = tables["options"].assign(worse_off_a_year="Acme Estates Ltd (£5 a year)", worse_off_in_all="")
    said = found_in(judged, {"options": nobody})["agencies"]
    assert "The plan, worse_off_a_year: landlord" in said
    assert any("worse_off_in_all" in line for line in said) == bool(tables["options"]["worse_off_in_all"].any())
    never = tables["options"].assign(pays_back_in=["", "", "never", ""])
    assert "The plan, pays_back_in" in found_in(judged, {"options": never})["figures"]


def test_totals_of_funds_are_those_of_the_case(judged):
    case = judged[-1]["financial_case"]
    totals = funding_totals(case).set_index("option")
    assert list(totals.index) == list(judged[-1]["options"]["option"])
    for name in ("capital_gbp", "to_find_gbp", "interest_gbp"):
        assert totals.loc["The plan", name] == pytest.approx(case.loc[case["option"] == "The plan", name].sum(), abs=0.005)
