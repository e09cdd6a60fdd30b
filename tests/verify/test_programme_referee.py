"""The referee reads a programme a second time, and finds what has been altered."""

import dataclasses
import json

import pandas as pd
import pytest
from click.testing import CliRunner
from places import tiny_place
from town import broken, let, town

from estate.cli.verbs.programme import command
from estate.programme.invest import invest_table
from estate.programme.search import solve
from estate.programme.tables import programme_tables

PURSE = {"name": "one purse", "agencies": ["county", "dwp", "police"], "basis": "net", "power": "an agreement"}
BUDGETS = [{"gbp": 45_000, "year": 2025 + n} for n in range(4)] + [{"gbp": 30_000, "kind": "revenue"}]
LOAN = {"purse": "one purse", "most_gbp": 150_000, "year": 2026, "rate": 0.05, "years": 5}


BOOKS = {
    "holding_share": {"library": 0.25, "police": 0.4, "office": 0.25}, "void_years": 1.5, "backlog_year": 9, "refit_years": 7,
    "residual_value": True, "longest_payback_years": 20,
}  # fmt: skip
LET = {
    "jobcentre": {"landlord": "county", "rent_gbp_pa": 4000.5},
    "station": {"condition_backlog_gbp": 40_000},
}


@pytest.fixture(scope="module", params=["plain", "loan", "books"])
def made(request):
    whole = request.param == "books"
    more = {} if request.param == "plain" else {"loans": [LOAN], "recycled": {"one purse": 0.5}}
    place = tiny_place(sites=LET) if whole else None
    more |= {"windows": [{"of": "station", "not_before": 2029}]} if whole else {}
    terms = town({"years": 6, **more}, place=place, purses=[{**PURSE, "budgets": BUDGETS}], **(BOOKS if whole else {}))
    course = solve(terms.orders)
    return terms, course, programme_tables(terms, course)


def test_what_is_made_is_found_true(made):
    tables = made[2]
    assert len(tables["programme"]) >= 2
    assert len(set(tables["programme"]["decided_year"])) > 1
    assert broken(*made) == set()


def test_money_waits_and_says_so(made):
    _, _, tables = made
    assert tables["programme"]["waits_for"].str.startswith("money: one purse").any()


def test_another_worth_is_broken(made):
    assert broken(*made, value=1.0) == {"npv"}


def altered(made, table, change):
    terms, course, tables = made
    changed = tables[table].copy()
    changed = change(changed)
    return broken(terms, course, {**tables, table: changed})


def put(frame: pd.DataFrame, row, column, value):
    frame.loc[frame.index[row], column] = value
    return frame


def test_another_figure_of_the_cash_is_broken(made):
    spent = made[2]["cash"].index[made[2]["cash"]["line"] == "fitout"][0]
    assert "cash" in altered(
        made, "cash", lambda frame: frame.assign(amount_gbp=frame["amount_gbp"].where(frame.index != spent, -1.0))
    )


def test_a_budget_that_nobody_gave_is_broken(made):
    budget = made[2]["cash"].index[made[2]["cash"]["line"] == "budget"][0]
    assert "cash" in altered(
        made, "cash", lambda frame: frame.assign(amount_gbp=frame["amount_gbp"].mask(frame.index == budget, 9e6))
    )


def test_everything_in_the_first_year_is_broken(made):
    def early(frame):
        return frame.assign(decided_year="2026-27")

    codes = altered(made, "programme", early)
    assert {"cash", "npv", "date"} <= codes


def test_a_building_let_go_too_early_is_broken(made):
    terms, course, tables = made
    steps = tables["programme"]
    last = steps[(steps["step"] == "let go") & (steps["decided_year"] > "2026-27")]
    assert len(last)
    moved = steps.assign(decided_year=steps["decided_year"].mask(steps.index == last.index[-1], "2026-27"))
    inside = steps[(steps["step"] == "move") & (steps["site_id"] == last["site_id"].iloc[-1])]
    assert len(inside)
    assert "open" in broken(terms, course, {**tables, "programme": moved})


def test_a_step_taken_twice_is_broken(made):
    terms, course, tables = made
    twice = pd.concat([tables["programme"], tables["programme"].iloc[:1]], ignore_index=True)
    assert "once" in broken(terms, course, {**tables, "programme": twice})


def test_a_lease_that_binds_is_broken(made):
    terms, course, tables = made
    place = terms.measured.place
    sites = place.sites.assign(tenure="leasehold", lease_end=pd.Timestamp("2060-03-31"), lease_break=pd.NaT)
    bound = dataclasses.replace(terms.measured, place=dataclasses.replace(place, sites=sites))
    assert "lease" in broken(dataclasses.replace(terms, measured=bound), course, tables)


def test_a_loan_is_drawn_charged_and_held_to():
    terms = town({"years": 6, "loans": [LOAN], "recycled": {"one purse": 0.5}}, purses=[{**PURSE, "budgets": BUDGETS}])
    course = solve(terms.orders)
    tables = programme_tables(terms, course)
    lines = tables["cash"].groupby("line")["amount_gbp"].sum()
    assert lines["loan_drawn"] > 1000
    assert lines["loan_repaid"] == pytest.approx(-lines["loan_drawn"], abs=0.05)
    free = tables["cash"].assign(amount_gbp=tables["cash"]["amount_gbp"].mask(tables["cash"]["line"] == "loan_interest", 0.0))
    assert "cash" in broken(terms, course, {**tables, "cash": free})
    alone = solve(town({"years": 6, "recycled": {"one purse": 0.5}}, purses=[{**PURSE, "budgets": BUDGETS}]).orders)
    assert course.value > alone.value


DEPOT = {
    "name": "Depot", "agency": "county", "kind": "office", "tenure": "freehold", "capacity_m2": 100.0, "in_use": "yes",
    "running_cost_gbp_pa": 5_000.0, "market_value_gbp": 90_000.0, "easting_m": 400_100.0, "northing_m": 250_100.0,
}  # fmt: skip


def test_receipts_pay_for_reform_only_under_a_direction():
    """Revenue is short; what an empty depot brings may pay for a removal, in the years of the direction and only if asked."""
    poor = [{"gbp": 400_000}, {"gbp": 100, "kind": "revenue"}]
    county = {"name": "the county", "agencies": ["county"], "basis": "net", "budgets": poor}
    removal = {"site_kind": "", "fitout_gbp_m2": 100.0, "removal_gbp_m2": 30.0}
    place = tiny_place(sites={"depot": DEPOT}, rates=tuple({"service": each, **removal} for each in ("library", "council")))
    strict, able = (town({"years": 4, "flexible_use": each}, place=place, purses=[county]) for each in (False, True))
    before, course = solve(strict.orders), solve(able.orders)
    assert course.value > before.value
    tables = programme_tables(able, course)
    lines = tables["cash"].groupby("line")["amount_gbp"].sum()
    assert lines["met_from_receipts"] == -lines["used_for_reform"] > 1000
    assert broken(able, course, tables) == set()
    assert "cash" in broken(dataclasses.replace(able, measured=strict.measured), course, tables)
    cash = tables["cash"]
    both = cash["line"].isin(["met_from_receipts", "used_for_reform"])
    assert "cash" in broken(
        able, course, {**tables, "cash": cash.assign(amount_gbp=cash["amount_gbp"].where(~both, cash["amount_gbp"] * 50))}
    )


def test_the_command_writes_what_it_says(tmp_path):
    result = CliRunner().invoke(
        command, ["inputs/worcestershire", "--set", "programme.years=2", "--out", str(tmp_path), "--json"]
    )
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["status"] == "optimal"
    assert said["verified"]
    folder = tmp_path / "worcestershire-programme"
    steps = pd.read_csv(folder / "programme.csv", dtype=str, keep_default_na=False)
    assert sum(said["moves_by_year"]) == (steps["step"] == "move").sum() > 5
    assert {path.name for path in folder.iterdir()} >= {"cash.csv", "access_by_year.csv", "lease_diary.csv", "index.html"}


def test_a_lease_is_waited_for_and_stands_in_the_diary():
    terms = town({"years": 6, "notice_months": 12}, place=let(2028))
    tables = programme_tables(terms, solve(terms.orders))
    step = tables["programme"].set_index("site_id").loc["library"]
    assert set(step["waits_for"]) == {"its lease, or a date that is set"}
    assert set(step["date"]) == {"2028-04-01"}
    lease = tables["lease_diary"].set_index("site_id").loc["library"]
    assert (lease["notice_by"], lease["left_on"], lease["becomes"]) == ("2027-03-31", "2028-04-01", "left")


def test_what_more_capital_would_buy():
    """By choosing again: as much as the same programme with that much more in the scenario; earlier money is worth no less."""
    terms = town({"years": 4}, purses=[{**PURSE, "budgets": BUDGETS}])
    course = solve(terms.orders)
    table = invest_table(terms, course, 60_000)
    budgets = [*BUDGETS, {"gbp": 60_000, "year": 2027}]
    again = solve(town({"years": 4}, purses=[{**PURSE, "budgets": budgets}]).orders)
    worth = table.set_index("year")["worth_more_gbp"]
    assert worth["2027-28"] == pytest.approx((again.value - course.value) / 100, abs=0.02)
    assert worth.max() > 1000
    assert worth.is_monotonic_decreasing
    tables = programme_tables(terms, course)
    assert broken(terms, course, {**tables, "invest": table}) == set()
    assert broken(terms, course, {**tables, "invest": table.assign(worth_more_gbp=-2000.0)}) == {"invest"}
