"""What may be drawn and is paid back, what passes to successors at vesting, and when each step has paid for itself."""

import dataclasses

import numpy as np
import pytest
from places import tiny_place, tiny_scenario
from town import broken, town

from estate.errors import InputError
from estate.money.law import discount_factors
from estate.programme.invest import borrowing_table
from estate.programme.search import solve
from estate.programme.tables import programme_tables
from estate.programme.terms import terms_of
from estate.standards.journeys import measure
from estate.standards.measured import Measured

ALL = {"name": "one purse", "agencies": ["county", "dwp", "police"], "basis": "net", "power": "an agreement"}
POOR = [{**ALL, "budgets": [{"gbp": 1_000, "year": 2025}]}]
FUND = {"name": "the fund", "gbp": 90_000, "first_year": 2025, "last_year": 2030, "repaid_over_years": 3}


def programme(**settings):
    more = {"purses": settings.pop("purses", POOR), "place": settings.pop("place", None)}
    recycled = {"recycled": {"one purse": 1.0}} if more["purses"] else {}
    terms = town({"years": 6, **recycled, **settings}, **more)
    course = solve(terms.orders)
    return terms, course, programme_tables(terms, course)


def test_a_fund_is_drawn_paid_back_and_lent_again():
    terms, course, tables = programme(funds=[FUND])
    assert course.value > programme()[1].value
    funds = tables["funds"]
    assert funds["left_gbp"].min() >= 0
    assert funds["drawn_gbp"].sum() == pytest.approx(funds["repaid_gbp"].sum(), abs=0.005)
    assert funds["owed_gbp"].iloc[-1] == 0
    first = funds[funds["drawn_gbp"] > 0].iloc[0]
    after = funds[funds["year"] > first["year"]].iloc[0]
    assert after["repaid_gbp"] == pytest.approx(first["drawn_gbp"] / 3, abs=0.01)
    assert broken(terms, course, tables) == set()
    for column, more in (("repaid_gbp", 500.0), ("left_gbp", 500.0), ("drawn_gbp", 500.0)):
        assert "funds" in broken(terms, course, {**tables, "funds": funds.assign(**{column: funds[column] + more})})
    silent = tables["cash"][tables["cash"]["line"] != "fund_repaid"]
    assert "funds" in broken(terms, course, {**tables, "cash": silent})


def test_it_lends_no_more_than_it_has_had_back():
    """What is owed is never more than the fund; over the years more is drawn than was ever in it."""
    small = {**FUND, "gbp": 120_000, "repaid_over_years": 2, "last_year": 2031}
    worthless = tiny_place(sites={each: {"market_value_gbp": 0.0} for each in ("station", "library")})
    terms, course, tables = programme(funds=[small], place=worthless)
    funds = tables["funds"]
    assert funds["owed_gbp"].max() <= 120_000 + 0.01
    assert funds["drawn_gbp"].sum() > 150_000
    assert broken(terms, course, tables) == set()


def test_a_grant_is_not_paid_back_and_is_worth_no_less():
    grant = {**FUND, "repaid_over_years": 0}
    terms, course, tables = programme(funds=[grant])
    assert course.value >= programme(funds=[FUND])[1].value
    assert tables["funds"]["repaid_gbp"].sum() == 0
    assert tables["funds"]["drawn_gbp"].sum() <= 90_000
    assert "fund_repaid" not in set(tables["cash"]["line"])
    assert broken(terms, course, tables) == set()


def test_nobody_borrows_what_is_not_needed():
    rich = [{**ALL, "budgets": [{"gbp": 9e6, "year": 2025}]}]
    loan = {"purse": "one purse", "most_gbp": 150_000, "year": 2025, "rate": 0.05, "years": 5}
    _, _, tables = programme(funds=[FUND], loans=[loan], purses=rich)
    assert not {"fund_drawn", "loan_drawn", "given_to_capital"} & set(tables["cash"]["line"])
    assert "funds" not in tables


def test_only_those_who_may_draw():
    terms, course, tables = programme(funds=[{**FUND, "purses": ["one purse"], "last_year": 2026}])
    drawn = tables["funds"].query("drawn_gbp > 0")
    assert drawn["year"].max() <= "2026-27"
    with pytest.raises(InputError, match="not a purse"):
        programme(funds=[{**FUND, "purses": ["nobody's"]}])
    late = terms.measured.scenario
    early = late.programme.model_copy(
        update={"funds": (late.programme.funds[0].model_copy(update={"first_year": 2026, "last_year": 2026}),)}
    )
    other = dataclasses.replace(terms.measured, scenario=late.model_copy(update={"programme": early}))
    if drawn["year"].min() < "2026-27":
        assert "funds" in broken(dataclasses.replace(terms, measured=other), course, tables)


# ------------------------------------------------------------------------------------------------------ vesting

MAPPING = {
    "name": "unitary", "vesting_date": "2028-04-01",
    "successors": [{"agency": "westshire", "name": "Westshire Council", "of": ["county", "police"]}],
}  # fmt: skip


def reorganised(purses, **settings):
    scenario = tiny_scenario(objective="annual-equivalent", purses=purses)
    plain = scenario.model_dump(exclude={"folder", "file"})
    asked = {"years": 6, "reorganised_as": "unitary", "recycled": {"old": 1.0, "new": 1.0}, **settings}
    scenario = type(scenario).model_validate({**plain, "programme": asked, "reorganisation": [MAPPING]})
    place = tiny_place()
    return terms_of(Measured.of(place, scenario, measure(place, scenario)))


OLD = {"name": "old", "agencies": ["county", "police"], "basis": "net", "power": "an agreement"}
NEW = {"name": "new", "agencies": ["westshire"], "basis": "net"}


def budgets(*years):
    return [{"gbp": 30_000, "year": year} for year in years] + [
        {"gbp": 9_000, "year": year, "kind": "revenue"} for year in years
    ]


def test_what_is_left_passes_to_the_successor():
    """The same money in one purse all along, or in one that passes it on at vesting: the same programme, of the same worth."""
    terms = reorganised([{**OLD, "budgets": budgets(2025, 2026, 2027)}, {**NEW, "budgets": budgets(2028, 2029)}])
    course = solve(terms.orders)
    tables = programme_tables(terms, course)
    whole = [{**OLD, "budgets": budgets(2025, 2026, 2027, 2028, 2029)}]
    alone = town({"years": 6, "recycled": {"old": 1.0}}, purses=whole)
    assert course.value == solve(alone.orders).value
    assert broken(terms, course, tables) == set()
    cash = tables["cash"]
    passed = cash[cash["line"] == "passed_from_predecessor"]
    assert set(passed["year"]) == {"2028-29"}
    assert (passed["amount_gbp"] >= 0).all()
    assert cash.query("purse == 'old'").groupby("kind")["amount_gbp"].sum().abs().max() < 0.005
    assert cash.query("purse == 'old' and year > '2028-29'").empty
    more = cash.assign(amount_gbp=cash["amount_gbp"].mask(cash["line"] == "passed_from_predecessor", cash["amount_gbp"] + 500))
    assert "cash" in broken(terms, course, {**tables, "cash": more})


def test_who_decides_and_who_is_paid_changes_at_vesting():
    terms = reorganised([{**OLD, "budgets": budgets(2026)}, {**NEW, "budgets": budgets(2029, 2030)}])
    course = solve(terms.orders)
    tables = programme_tables(terms, course)
    steps = tables["programme"]
    mine = steps[steps["agency"].isin(["county", "police"])]
    assert len(mine) >= 2
    assert (mine["decided_by"] == np.where(mine["works_year"] >= "2028-29", "westshire", mine["agency"])).all()
    paid = mine[mine["receipt_year"] != ""]
    assert len(paid)
    assert (paid["receipt_to"] == np.where(paid["receipt_year"] >= "2028-29", "westshire", paid["agency"])).all()
    assert broken(terms, course, tables) == set()
    other = steps.assign(decided_by="county")
    assert "bodies" in broken(terms, course, {**tables, "programme": other})


def test_what_cannot_pass_is_refused_at_once():
    stray = {"name": "mixed", "agencies": ["police", "dwp"], "basis": "net", "power": "x", "budgets": budgets(2025)}
    county = {"name": "c", "agencies": ["county"], "budgets": budgets(2025, 2029)}
    with pytest.raises(InputError) as refused:
        reorganised([stray, county], flexible_use=True)
    said = " ".join(each.message for each in refused.value.issues)
    for words in (
        "of others that go on",
        "no one purse is that of westshire",
        "a budget or a loan of 2029",
        "its own direction",
    ):
        assert words in said
    with pytest.raises(InputError, match="there is no reorganisation"):
        reorganised([], reorganised_as="two-councils")


# ------------------------------------------------------------------------------------------------------ payback


def test_each_step_is_paid_back_with_its_building():
    terms, course, tables = programme(purses=[])
    steps = tables["programme"]
    assert broken(terms, course, tables) == set()
    let_go = steps[(steps["step"] == "let go")]
    assert len(let_go)
    for row in let_go.to_dict("records"):
        inside = steps[(steps["step"] == "move") & (steps["site_id"] == row["site_id"])]
        assert set(inside["pays_back_in"]) <= {row["pays_back_in"]}
    wrong = steps.assign(pays_back_in="2054-55")
    assert "payback" in broken(terms, course, {**tables, "programme": wrong})
    never = steps.assign(pays_back_in="never")
    assert "payback" in broken(terms, course, {**tables, "programme": never})


def test_payback_by_hand():
    """The police station alone: its works the year before, 45,000 a year from then, 300,000 two years later less its sale."""
    late = [{"of": each, "not_before": 2031} for each in ("library", "jobcentre", "village", "hall")]
    _, _, tables = programme(purses=[], windows=late, place=tiny_place(sites={"station": {"market_value_gbp": 20_000.0}}))
    row = tables["programme"].query("step == 'let go' and site_id == 'station'").iloc[0]
    moved = tables["programme"].query("step == 'move' and site_id == 'station'")
    year = int(row["decided_year"][:4]) - 2025
    flow = np.zeros(30)
    flow[year - 1] -= moved["cost_gbp"].sum()
    flow[year:] += 45_000
    flow[year + 2] += 20_000 - 15_000
    total = np.cumsum(flow * discount_factors(2025, 30))
    assert total.min() < 0
    first = next(n for n in range(30) if (total[n:] >= 0).all())
    assert row["pays_back_in"][:4] == str(2025 + first)


# ------------------------------------------------------------------------------------------------------ what it earns


def test_what_a_loan_earns_is_what_choosing_without_it_loses_less_its_cost():
    loan = {"purse": "one purse", "most_gbp": 150_000, "year": 2026, "rate": 0.05, "years": 5}
    terms, course, tables = programme(loans=[loan], funds=[{**FUND, "gbp": 10_000}])
    table = borrowing_table(terms, course)
    row = table.iloc[0]
    without = programme(funds=[{**FUND, "gbp": 10_000}])[1]
    assert row["worth_more_gbp"] == (course.value - without.value) / 100 > 0
    drawn, factor = row["drawn_gbp"], discount_factors(2025, 30)
    assert drawn > 1_000
    owed = [drawn * (1 - n / 5) for n in range(5)]
    assert row["interest_gbp"] == pytest.approx(0.05 * sum(owed), abs=0.01)
    paid = sum(factor[2 + n] * (drawn / 5 + 0.05 * owed[n]) for n in range(5))
    assert row["costs_more_gbp"] == pytest.approx(paid - factor[1] * drawn, abs=0.01)
    assert row["earns_gbp"] == pytest.approx(row["worth_more_gbp"] - row["costs_more_gbp"], abs=0.01)
    assert row["repaid_in"] == "2031-32"
    assert broken(terms, course, {**tables, "borrowing": table}) == set()
    wrong = table.assign(earns_gbp=table["earns_gbp"] + 5)
    assert "borrowing" in broken(terms, course, {**tables, "borrowing": wrong})
