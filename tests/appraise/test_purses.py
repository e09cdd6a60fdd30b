"""Purses: funds are apart unless pooled, receipts count once banked, capital and revenue are told apart."""

import numpy as np
import pytest
from places import tiny_place, tiny_plan, tiny_scenario

from estate.appraise.books import books
from estate.diagnose import diagnose
from estate.errors import errors_of
from estate.formulate import formulate
from estate.place import todays_plan
from estate.problem import Solution, violations
from estate.scenario import build, parse_change, patched, resolved
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.validate import check
from estate.verify import Claim, referee, referee_tables

# In the tiny plan the Jobcentre moves into the library (250 m2: fit-out 100,000, bias 10%, removal 5,000; leaving its lease
# 25,000, all in 2026-27) and the police desk into the hall (80 m2: fit-out 48,000, bias 20%, removal 800, in 2025-26).  The
# police station closes in 2026-27 and is sold two years later for 300,000; of 15,000 of sale costs the receipt meets 12,000.
DWP_CAPITAL, DWP_REVENUE = 110_000, 30_000
POLICE_CAPITAL, POLICE_REVENUE, RECEIPT = 57_600, 800, 288_000


def kept(place, scenario, plan):
    """Whether the plan keeps every rule, to the formulation and to the referee, who must agree."""
    scenario = scenario.model_copy(update={"standards": ()})
    measured = Measured.of(place, scenario, measure(place, scenario))
    made = formulate(measured)
    ours = not violations(made.problem, Solution(plan.open, plan.host[made.points]))
    verdict = referee(place, scenario, measured.travel, plan, claim=Claim("feasible", None))
    failures = {each.code for each in verdict.failures} - {"referee.no-worse-than-today"}
    assert failures <= {"referee.budget"}
    assert (not failures) == ours
    return ours


def one(agencies, basis="gross", **budgets):
    """A purse, with budgets of ``kind_year=gbp``; no year: at hand from the start."""
    rows = []
    for name, amount in budgets.items():
        kind, _, year = name.partition("_")
        rows.append({"kind": kind, "gbp": amount} | ({"year": int(year)} if year else {}))
    return {"name": "purse", "agencies": agencies, "basis": basis, "power": "an agreement", "budgets": rows}


@pytest.mark.parametrize(
    ("purse", "enough"),
    [
        (one(["dwp"], capital=DWP_CAPITAL), True),
        (one(["dwp"], capital=DWP_CAPITAL - 0.01), False),
        (one(["dwp"], revenue=DWP_REVENUE), True),  # removal and leaving are revenue, and no capital
        (one(["dwp"], revenue=DWP_REVENUE - 0.01), False),
        (one(["dwp"], capital_2026=DWP_CAPITAL), True),
        (one(["dwp"], capital_2027=DWP_CAPITAL), False),  # a year too late
        (one(["dwp"], capital_2025=DWP_CAPITAL), True),  # what a year leaves is at hand in the next
        (one(["county"], capital=0, revenue=0), True),  # it pays for nothing here
        (one(["police"], capital=0), False),
        (one(["police"], basis="net", capital=0), False),  # its receipt is banked three years after it pays
        (one(["police"], capital=POLICE_CAPITAL, revenue=POLICE_REVENUE), False),  # 3,000 of sale costs in 2028-29
        (one(["police"], capital=POLICE_CAPITAL, revenue=POLICE_REVENUE, revenue_2028=3_000), True),
        (one(["police", "dwp"], capital=POLICE_CAPITAL + DWP_CAPITAL), True),
        (one(["police", "dwp"], capital=POLICE_CAPITAL + DWP_CAPITAL - 0.01), False),
        (one(["police", "dwp"], basis="net", capital=POLICE_CAPITAL), False),
    ],
)
def test_a_budget_holds_to_the_penny_and_the_year(purse, enough):
    place = tiny_place()
    assert kept(place, tiny_scenario(purses=[purse]), tiny_plan(place)) == enough


def test_a_receipt_counts_from_the_year_in_which_it_is_banked():
    """The lease binds until the end of 2029-30, so the Jobcentre pays in 2029-30; the police bank their receipt in 2028-29."""
    place = tiny_place(sites={"jobcentre": {"lease_break": np.nan, "lease_end": "2030-03-31"}})
    pool = ["police", "dwp"]
    plan = tiny_plan(place)
    assert kept(place, tiny_scenario(purses=[one(pool, basis="net", capital=POLICE_CAPITAL)]), plan)
    assert not kept(place, tiny_scenario(purses=[one(pool, basis="gross", capital=POLICE_CAPITAL)]), plan)
    sooner = tiny_place(sites={"jobcentre": {"lease_break": np.nan, "lease_end": "2028-03-31"}})
    assert not kept(sooner, tiny_scenario(purses=[one(pool, basis="net", capital=POLICE_CAPITAL)]), tiny_plan(sooner))


def test_one_budget_for_all_counts_capital_alone():
    place = tiny_place()
    assert kept(place, tiny_scenario(capital_budget_gbp=DWP_CAPITAL + POLICE_CAPITAL), tiny_plan(place))
    assert not kept(place, tiny_scenario(capital_budget_gbp=DWP_CAPITAL + POLICE_CAPITAL - 0.01), tiny_plan(place))


def test_what_must_be_found_is_never_netted_between_purses():
    place = tiny_place()
    alone = books(place, tiny_scenario(), tiny_plan(place))
    agencies = alone.tables["agencies"].set_index("agency")
    assert agencies.loc["dwp", ["need_gbp", "spare_gbp", "peak_need_gbp"]].tolist() == [140_000, 0, 140_000]
    spare = RECEIPT - POLICE_CAPITAL - POLICE_REVENUE - 3_000
    assert agencies.loc["police", ["need_gbp", "spare_gbp", "peak_need_gbp"]].tolist() == [0, spare, 58_400]
    summary = alone.summary
    assert (summary["need_gbp"], summary["own_need_gbp"], summary["spare_receipts_gbp"]) == (140_000, 140_000, spare)
    assert summary["pooled_need_gbp"] == 0
    said = " ".join(summary["in_words"])
    assert "Purse by purse, £140,000 must be found" in said
    assert "£0 would do, so to pool them is worth £140,000" in said
    pool = {"name": "joint", "agencies": ["dwp", "police"], "power": "LGA 1972 s111"}
    pooled = books(place, tiny_scenario(purses=[pool]), tiny_plan(place))
    assert (pooled.summary["need_gbp"], pooled.summary["own_need_gbp"]) == (0, 140_000)
    rows = pooled.tables["purses"].set_index(["purse", "year"])
    assert rows.loc[("joint", "2025-26"), "need_gbp"] == 58_400
    assert rows.loc[("joint", "2026-27"), "need_gbp"] == 58_400 + 140_000
    assert rows.loc[("joint", "2028-29"), ["receipts_gbp", "revenue_spent_gbp", "need_gbp"]].tolist() == [RECEIPT, 3_000, 0]
    assert set(rows["power"]) == {"LGA 1972 s111"}


def test_the_table_adds_up_to_the_ledger_and_the_referee_reads_it_again():
    place = tiny_place()
    purse = one(["police"], basis="net", capital_2025=60_000, capital_2027=5_000, revenue=4_000)
    scenario = tiny_scenario(purses=[purse])
    plan = tiny_plan(place)
    found = books(place, scenario, plan)
    table, ledger = found.tables["purses"], found.tables["ledger"]
    once = ledger[~ledger["line"].isin(["running_given_up", "running_taken_on", "space_charge"])]
    net = table["receipts_gbp"] + table["revenue_sums_gbp"] - table["capital_spent_gbp"] - table["revenue_spent_gbp"]
    assert net.sum() == pytest.approx(once["amount_gbp"].sum(), abs=1e-9)
    rows = table[table["purse"] == "purse"].set_index("year")
    assert rows["capital_left_gbp"].to_dict() == {"2025-26": 2_400, "2027-28": 7_400, "2028-29": 7_400 + RECEIPT}
    assert rows["revenue_left_gbp"].to_dict() == {"2025-26": 3_200, "2027-28": 3_200, "2028-29": 200}
    travel = measure(place, scenario)
    tables = {"purses": table, "agencies": found.tables["agencies"]}
    assert referee_tables(place, scenario, travel, plan, tables) == ()
    for name, column in (("purses", "capital_left_gbp"), ("purses", "need_gbp"), ("agencies", "peak_need_gbp")):
        wrong = tables[name].copy()
        wrong.loc[wrong[column].notna().idxmax(), column] += 1
        assert referee_tables(place, scenario, travel, plan, {**tables, name: wrong})


def test_today_spends_nothing():
    place = tiny_place()
    found = books(place, tiny_scenario(), todays_plan(place))
    assert not len(found.tables["purses"])
    assert found.summary["need_gbp"] == found.summary["spare_receipts_gbp"] == 0


def test_a_purse_that_cannot_be_is_refused():
    place = tiny_place()
    both = [one(["police"], capital=1), {**one(["police", "nobody"], capital=1), "name": "county", "power": ""}]
    found = check(tiny_scenario(purses=both), place)
    assert {each.code for each in errors_of(found)} == {"scenario.purse", "scenario.unknown-id"}
    assert sum(each.code == "scenario.purse" for each in found) == 2  # the agency's own name, and one agency in two purses
    assert any(each.code == "scenario.pool" for each in found)


def test_a_budget_that_is_too_small_is_named_with_what_would_do():
    place, scenario = tiny_place(), tiny_scenario(purses=[one(["dwp"], capital=1_000)])
    settings = {**resolved(scenario), "standards": [], "rules": {"close": ["jobcentre"]}}
    scenario = build(settings, folder=scenario.folder, file=scenario.file)
    found = diagnose(place, scenario, measure(place, scenario))
    assert any("the capital budget of purse: £1,000 to 2026-27 (gross)" in issue.message for issue in found.issues)
    ways = [change for each in found.as_json()["relax_alone"] for change in each["set"]]
    change = next(each for each in ways if each.startswith("money.purses.purse.budgets="))
    mended = build(patched(settings, [parse_change(change)]), folder=scenario.folder, file=scenario.file)
    assert mended.money.purses[0].budgets[1].year == 2026
    assert diagnose(place, mended, measure(place, mended)).feasible
    assert mended.money.purses[0].budgets[1].gbp <= DWP_CAPITAL + 40_000  # the dearest of its homes: 20% on 125,000
