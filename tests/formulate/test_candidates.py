"""Buildings to build, buy or refurbish: nothing until they are opened, their capital once, and never before they are ready."""

import numpy as np
import pytest
from places import tiny_place, tiny_scenario
from town import broken, town

from estate.appraise.books import books
from estate.appraise.buildings import sites_table
from estate.appraise.receipts import receipts_table
from estate.formulate import formulate
from estate.money.entries import opening_entries, release_entries
from estate.money.present_value import discounting
from estate.money.release import release
from estate.place import Plan
from estate.programme.search import solve
from estate.programme.tables import READY, programme_tables
from estate.scenario import Scenario
from estate.solve import solve as solve_once
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.validate import check

DEPOT = {
    "name": "Depot", "agency": "county", "kind": "office", "tenure": "freehold", "capacity_m2": 1500.0,
    "running_cost_gbp_pa": 20_000.0, "in_use": False, "easting_m": 400_200.0, "northing_m": 250_200.0, "candidate": "buy",
    "capital_gbp": 100_000.0, "market_value_gbp": 90_000.0, "disposal_cost_gbp": 5_000.0, "exit_cost_gbp": 7_000.0,
}  # fmt: skip


FULL = {"hall": {"may_host": "none"}}
"""Nobody may move into the hall, so that a building beside it is worth having."""


def with_depot(**cells):
    return tiny_place(sites={**FULL, "depot": DEPOT | cells})


DEPOT_AT = tiny_place(sites={"depot": DEPOT}).sites.index.get_loc("depot")


def answered(place, **money):
    """The plan, its value in pence a year, and the scenario."""
    scenario = tiny_scenario(objective="annual-equivalent", **money)
    made = formulate(Measured.of(place, scenario, measure(place, scenario)))
    answer = solve_once(made.problem)
    return made.plan(place, answer.solution), answer.value + made.constant, scenario


def test_nothing_is_paid_for_a_candidate_that_stays_shut():
    place = with_depot(capital_gbp=9e7)
    plan, value, scenario = answered(place)
    _, without, _ = answered(tiny_place(sites=FULL))
    depot = place.sites.index.get_loc("depot")
    assert not plan.open[depot]
    assert value == without
    book = books(place, scenario, plan)
    assert "depot" not in set(book.tables["ledger"]["site_id"])
    why = formulate(Measured.of(place, scenario, measure(place, scenario))).state.why
    table = sites_table(place, plan, receipts_table(place, scenario, plan), why, scenario).set_index("site_id")
    row = table.loc["depot"]
    assert (row["before"], row["after"], row["opening_gbp"]) == ("not in use", "not in use", 0.0)
    assert depot not in set(release_entries(place, scenario)["site"])
    money = release(place, scenario).loc["depot", ["exit_gbp", "disposal_gbp", "gross_gbp", "receipt_gbp"]]
    assert not money.any()


def test_it_is_opened_exactly_when_it_is_worth_its_capital():
    """With free capital it saves so much; for nine tenths of that it is bought, for eleven tenths it is not."""
    _, without, scenario = answered(tiny_place(sites=FULL))
    plan, value, _ = answered(with_depot(capital_gbp=0.0))
    assert plan.open[DEPOT_AT]
    worth = discounting(scenario).annuity * (without - value) / 100 / 1.2  # a fifth of optimism bias on offices
    assert worth > 10_000
    for part in (0.9, 1.1):
        plan, value, _ = answered(with_depot(capital_gbp=worth * part))
        assert plan.open[DEPOT_AT] == (part < 1)
        assert value <= without


def test_capital_is_paid_by_its_holder_in_the_year_before_and_again_when_its_life_ends():
    place = with_depot(life_years=10.0)
    scenario = tiny_scenario(horizon_years=30, closing_year=3, residual_value=True)
    entries = opening_entries(place, scenario)
    said = [(e["line"], e["year"], e["pence"]) for e in entries.sort_values(["year", "line"]).to_dict("records")]
    left = round(12_000_000 * (1 - (29 - 22) / 10))
    assert said == [
        ("opening_capital", 2, -10_000_000), ("optimism_bias", 2, -2_000_000), ("refit", 12, -12_000_000),
        ("refit", 22, -12_000_000), ("residual_value", 29, left),
    ]  # fmt: skip
    assert set(place.agencies.index[entries["agency"]]) == {"county"}


def test_a_plan_of_one_date_does_not_use_what_is_not_ready():
    place = with_depot(ready_year=2027.0, capital_gbp=0.0)
    plan, _, _ = answered(place)
    assert not plan.open[place.sites.index.get_loc("depot")]
    plan, _, _ = answered(place, closing_year=2)
    assert plan.open[place.sites.index.get_loc("depot")]
    codes = {(each.code, each.where.column) for each in check(tiny_scenario(), place)}
    assert ("sites.candidate", "ready_year") in codes


def test_only_what_is_not_in_use_has_a_price_and_a_first_year():
    place = tiny_place(sites={"hall": {"capital_gbp": 5.0, "candidate": "refurbish", "ready_year": 2027.5}})
    said = [(each.where.column, each.message) for each in check(tiny_scenario(), place) if each.code == "sites.candidate"]
    assert {column for column, words in said if "in use today" in words} == {"candidate", "capital_gbp", "ready_year"}
    assert any("whole year" in words for _, words in said)


@pytest.fixture(scope="module")
def programme():
    place = with_depot(ready_year=2028.0, life_years=15.0)
    terms = town({"years": 6}, place=place, residual_value=True)
    course = solve(terms.orders)
    return terms, course, programme_tables(terms, course)


def test_a_programme_opens_it_when_it_is_ready_and_says_so(programme):
    steps = programme[2]["programme"]
    opened = steps[steps["step"] == "open"].iloc[0]
    assert (opened["site_id"], opened["date"], opened["works_year"]) == ("depot", "2028-04-01", "2027-28")
    assert opened["cost_gbp"] == 120_000
    assert opened["waits_for"] == READY
    into = steps[steps["to_site_id"] == "depot"]
    assert len(into) >= 1
    assert (into["decided_year"] >= "2028-29").all()
    assert not ((steps["step"] == "let go") & (steps["site_id"] == "depot")).any()


def test_the_referee_reads_the_opening_again(programme):
    terms, course, tables = programme
    assert broken(terms, course, tables) == set()
    early = tables["programme"].replace({"decided_year": {"2028-29": "2027-28"}})
    assert "ready" in broken(terms, course, dict(tables) | {"programme": early})
    assert "npv" in broken(terms, course, tables, value=100.0)


def test_capital_waits_for_its_purse():
    """The county has nothing to buy with until 2029-30."""
    purse = {"name": "county", "agencies": ["county"], "budgets": [{"gbp": 200_000, "year": 2029}]}
    place = with_depot(capital_gbp=60_000.0)
    terms = town({"years": 6}, place=place, purses=[purse])
    course = solve(terms.orders)
    tables = programme_tables(terms, course)
    opened = tables["programme"].query("step == 'open'")
    assert opened["works_year"].tolist() == ["2029-30"]
    assert broken(terms, course, tables) == set()
    paid = tables["cash"].query("line == 'opening_capital'")
    assert paid["amount_gbp"].tolist() == [-60_000]


def test_a_plan_with_an_opening_is_a_plan_by_the_books(programme):
    """The present value of the run's own books is the programme's worth."""
    from estate.pipeline.programme import in_its_years

    terms, course, tables = programme
    scenario: Scenario = in_its_years(terms.measured.scenario, tables["programme"])
    place = terms.measured.place
    plan: Plan = terms.formulation.plan(place, course.state(-1))
    assert books(place, scenario, plan).summary["npv_gbp"] == pytest.approx(course.value / 100, abs=5)
    assert np.isfinite(course.value)
