"""What a programme cannot do, what waiting costs, and how it stands where money turns out otherwise."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from places import tiny_place
from town import purse, town

from estate.cli.verbs.explain import command as explain
from estate.cli.verbs.programme import command
from estate.programme.delay import IMPOSSIBLE, LAST, delay_table
from estate.programme.explain import why_none
from estate.programme.orders import began
from estate.programme.regret import regret, under
from estate.programme.search import solve
from estate.programme.tables import over
from estate.programme.terms import terms_of
from estate.scenario import Case
from estate.verify.programme import referee_programme

CLOSES = {"station": {"status": "close"}}


def codes(terms):
    assert solve(terms.orders) is None
    return {each.code: each for each in why_none(terms)}


def test_the_least_money_that_would_do_is_named_and_does():
    """The purse is so much short by that year; with so much more there is a programme, and with a pound less there is none."""
    hand = purse(1_000, 1_000)
    found = codes(town({"years": 3}, place=tiny_place(sites=CLOSES), purses=[hand]))
    issue = found["programme.money"]
    assert "the purse 'one purse' is £" in issue.message
    gbp, year = int(issue.message.split("£")[1].split(" ")[0].replace(",", "")), int(issue.message.split("short in ")[1][:4])
    for more, exists in ((gbp, True), (gbp - 1, False)):
        budgets = [*hand["budgets"], {"gbp": more, "year": year}]
        again = town({"years": 3}, place=tiny_place(sites=CLOSES), purses=[{**hand, "budgets": budgets}])
        assert (solve(again.orders) is not None) == exists


def test_settings_that_contradict_each_other_are_named_and_no_others():
    """Each could be met without the other; the purse has nothing to do with it."""
    settings = {
        "years": 3, "most_moves_a_year": 5, "within_years": False, "before": [{"first": "library", "then": "station"}],
        "windows": [{"of": "station", "not_after": 2026}],
    }  # fmt: skip
    found = codes(town(settings, place=tiny_place(sites=CLOSES), purses=[purse(10_000_000)]))
    message = found["programme.conflict"].message
    assert "'station' not after 2026-27" in message
    assert "'library' comes before 'station'" in message
    assert "moves a year" not in message
    assert "programme.money" not in found


def test_a_lease_that_lets_go_too_late_is_named():
    place = tiny_place(sites={"library": {"tenure": "leasehold", "lease_end": "2040-03-31", "status": "close"}})
    found = codes(town({"years": 4}, place=place))
    assert "within 4 years" in found["programme.rule"].message


def test_the_command_says_why(tmp_path):
    settings = ["--set", "programme.years=2", "--set", 'rules.close=["W-NHS-VERTIS"]']
    result = CliRunner().invoke(
        command, ["inputs/worcestershire/programme.toml", "--out", str(tmp_path), *settings], standalone_mode=False
    )
    assert "short in" in " ".join(each.message for each in result.exception.issues)


# ------------------------------------------------------------------------------------------------------ waiting


def test_waiting_costs_what_choosing_again_says():
    """A window on the step gives the same; a step of the last year cannot wait where it must be done."""
    place = tiny_place(sites=CLOSES)
    terms = town({"years": 4}, place=place, purses=[purse(60_000, 60_000, 60_000, 60_000)])
    course = solve(terms.orders)
    table = delay_table(terms, course)
    assert (table["worth_less_gbp"].dropna() >= -0.01).all()
    assert table["worth_less_gbp"].max() > 1000
    row = table[(table["what"] == "let go") & (table["status"] != IMPOSSIBLE)].iloc[0]
    window = {"of": row["site_id"], "not_before": int(row["not_before"][:4])}
    again = solve(town({"years": 4, "windows": [window]}, place=place, purses=[purse(60_000, 60_000, 60_000, 60_000)]).orders)
    assert row["worth_less_gbp"] == pytest.approx((course.value - again.value) / 100, abs=0.01)
    assert {"move", "let go", "receipt"} <= set(table["what"])


def test_what_must_be_done_by_then_cannot_wait():
    """A building that must close, and may not after this year; a step of the last year has no later one."""
    window = {"of": "station", "not_after": 2027}
    terms = town({"years": 3, "windows": [window, {"of": "station", "not_before": 2027}]}, place=tiny_place(sites=CLOSES))
    table = delay_table(terms, solve(terms.orders)).set_index(["what", "site_id"])
    assert table.loc[("let go", "station"), "status"] == IMPOSSIBLE


def test_a_step_of_the_only_year_has_no_later_one():
    terms = town({"years": 1, "within_years": False}, place=tiny_place(sites=CLOSES))
    table = delay_table(terms, solve(terms.orders))
    assert set(table.loc[table["what"] != "receipt", "status"]) == {LAST}


# ------------------------------------------------------------------------------------------------------ cases

CASES = [
    {"name": "Receipts halved", "receipts": 0.5},
    {"name": "Receipts two years late", "receipts_late_years": 2},
    {"name": "Works up by half", "works": 1.5},
]


@pytest.fixture(scope="module")
def turned():
    terms = town({"years": 5, "cases": CASES}, purses=[purse(45_000, 45_000, 45_000, 45_000, 45_000)])
    course = solve(terms.orders)
    return terms, course, regret(terms, course)


def test_no_programme_is_better_in_a_case_than_its_best(turned):
    terms, course, found = turned
    table = found.table.set_index("case")
    assert (table["regret_gbp"].dropna() >= -0.01).all()
    assert table.loc["As planned", "regret_gbp"] == 0
    assert (table["regret_gbp"].isna() == (table["short_gbp"] > 0)).all()
    assert (table["its_regret_gbp"] >= -0.01).all()
    assert table.loc["As planned", "best_gbp"] == (course.value + terms.constant) / 100
    assert table["short_gbp"].max() > 0  # the programme counts on receipts that do not come


def test_the_least_regret_is_paid_for_in_every_case_and_no_larger_than_that_of_any_best(turned):
    """By hand: the best programme of each case, where it is paid for in all of them, is regretted no less."""
    terms, _, found = turned
    measured = [terms.measured, *(under(terms.measured, Case(**each)) for each in CASES)]
    made = [terms_of(each) for each in measured]
    least = found.course
    for each in made:
        pair, site = began(each.orders, least)
        assert max(over(line, pair, site, least) for line in each.orders.lines if not line.money) <= 1.0
    most = found.table["its_regret_gbp"].max()
    for each in made:
        course = solve(each.orders)
        pair, site = began(each.orders, course)
        if all(over(line, pair, site, course) <= 0.5 for other in made for line in other.orders.lines):
            worth = [
                (
                    other.orders.pair_value[pair >= 0, pair[pair >= 0]].sum()
                    + other.orders.site_value[site >= 0, site[site >= 0]].sum()
                )
                / 100
                for other in made
            ]
            assert most <= max(found.table["best_gbp"] - np.array(worth) - terms.constant / 100) + 0.05


def test_the_referee_reads_cases_and_delays(turned):
    from estate.programme.tables import programme_tables

    terms, course, found = turned
    measured, plan = terms.measured, terms.formulation.plan(terms.measured.place, course.state(-1))
    tables = {**programme_tables(terms, course), "cases": found.table, "delay": delay_table(terms, course)}
    tables["least_regret"] = programme_tables(terms, found.course)["programme"]

    def judged(**changed: pd.DataFrame):
        worth = (course.value + terms.constant) / 100
        issues, _ = referee_programme(measured.place, measured.scenario, measured.travel, plan, {**tables, **changed}, worth)
        return {each.code.removeprefix("referee.programme.") for each in issues}

    assert judged() == set()
    assert "cases" in judged(cases=found.table.assign(best_gbp=found.table["best_gbp"] - 1e6))
    assert "delay" in judged(delay=tables["delay"].assign(worth_less_gbp=-5000.0, status="optimal"))
    twice = pd.concat([tables["least_regret"]] * 2, ignore_index=True)
    assert "once" in judged(least_regret=twice)


# ------------------------------------------------------------------------------------------------------ a fixed end


def test_a_fixed_end_state_is_put_in_order(tmp_path):
    """Every decision of an earlier plan holds; who moves is fixed, when is not."""
    from estate.cli.verbs.run import command as run

    base, out = "inputs/worcestershire/programme.toml", ["--out", str(tmp_path), "--json"]
    assert CliRunner().invoke(run, [base, *out, "--set", "money.purses=[]"]).exit_code == 0
    free = pd.read_csv(tmp_path / "worcestershire-in-order" / "moves.csv", dtype=str)
    few = ["--set", "money.purses=[]", "--set", "programme.most_moves_a_year=4"]
    result = CliRunner().invoke(command, [base, *out, *few, "--locks-from", str(tmp_path / "worcestershire-in-order")])
    assert result.exit_code == 0, result.output
    moves = pd.read_csv(tmp_path / "worcestershire-in-order-programme" / "moves.csv", dtype=str)
    ids = ["access_point_id", "to_site_id"]
    pd.testing.assert_frame_equal(moves[ids], free[ids])
    assert moves["date"].value_counts().max() <= 4


# ------------------------------------------------------------------------------------------------------ explained


def explained(*more):
    """What ``estate explain`` answers of Worcestershire in order, with some settings."""
    settings = [word for each in ("programme.years=2", *more) for word in ("--set", each)]
    result = CliRunner().invoke(explain, ["inputs/worcestershire/programme.toml", "--json", *settings])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_explain_says_why_a_plan_cannot_be_put_in_order():
    found = explained('rules.close=["W-NHS-VERTIS"]')
    assert found["programme"]["feasible"] is False
    assert "short in" in " ".join(each["message"] for each in found["programme"]["issues"])
    assert "least change" in " ".join(each["remedy"] for each in found["programme"]["issues"])


def test_explain_finds_nothing_in_the_way_of_what_can_be_put_in_order():
    assert explained()["programme"] == {"feasible": True, "issues": []}
