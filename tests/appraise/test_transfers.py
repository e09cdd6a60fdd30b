"""The payments that leave nobody worse off: in proportion to gain, and the fewest that do it."""

from fractions import Fraction
from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import tiny_place, tiny_plan, tiny_scenario

from estate.appraise import transfers
from estate.appraise.books import books
from estate.appraise.transfers import Payment, transfers_by_gain
from estate.travel import TravelTables
from estate.verify.bills import check_agencies
from estate.verify.case import case_of, decision_of
from estate.verify.transfers import check_transfers


def paid(*rows):
    return tuple(Payment(*row) for row in rows)


@pytest.mark.parametrize(
    ("gain", "payments"),
    [
        ({}, ()),
        ({"a": 5, "b": 0}, ()),
        ({"a": 10, "b": -10}, paid(("a", "b", 10))),
        # Twice the gain, twice the payment; whoever comes first in the alphabet.
        ({"a": 20, "b": -6, "c": 10}, paid(("a", "b", 4), ("c", "b", 2))),
        ({"a": 10, "b": -6, "c": 20}, paid(("a", "b", 2), ("c", "b", 4))),
        # 3 of 30 are shared 2.5 to 0.5: the penny that cannot be halved falls on the larger gain.
        ({"a": 5, "b": 25, "c": -3}, paid(("b", "c", 3))),
        # The shares settle in two payments where a careless order takes three.
        ({"a": 60, "b": 40, "c": -40, "d": -60}, paid(("a", "d", 60), ("b", "c", 40))),
    ],
)
def test_worked_cases(gain, payments):
    answer = transfers_by_gain(gain)
    assert answer.possible
    assert answer.fewest
    assert answer.payments == payments


def test_a_small_gain_does_not_pay_for_what_large_ones_could():
    # Worcestershire: a charity paid 14,165.56 of its own 14,264.21, while the county and the department gained far more.
    gain = {"CAB": 1_426_421, "DWP": 8_738_200, "ROH": -1_416_556, "WCC": 15_772_300}
    pence = {each.payer: each.pence for each in transfers_by_gain(gain).payments}
    # 14,165.56 x 14,264.21 / 259,369.21 = 779.05; x 87,382 = 4,772.40; x 157,723 = 8,614.11.
    assert pence == {"CAB": 77_905, "DWP": 477_240, "WCC": 861_411}


def test_a_plan_that_loses_cannot_be_mended():
    assert not transfers_by_gain({"a": 4, "b": -5}).possible
    assert transfers_by_gain({"a": 5, "b": -5}).possible


def after(gain, payments):
    left = dict(gain)
    for each in payments:
        left[each.payer] -= each.pence
        left[each.payee] += each.pence
    return left


gains = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-(10**12), 10**12), max_size=8)


@settings(max_examples=60)
@given(gain=gains)
def test_shares_are_in_proportion_and_leave_nobody_worse_off(gain):
    answer = transfers_by_gain(gain)
    assert answer.possible == (sum(gain.values()) >= 0)
    if not answer.possible:
        assert answer.payments == ()
        return
    left = after(gain, answer.payments)
    up = sum(amount for amount in gain.values() if amount > 0)
    loss = -sum(amount for amount in gain.values() if amount < 0)
    assert all(left[name] == 0 for name, amount in gain.items() if amount < 0)
    for name, amount in gain.items():
        if amount > 0:
            assert left[name] >= 0
            assert abs(amount - left[name] - Fraction(loss * amount, up)) <= 1
    assert all(each.pence > 0 for each in answer.payments)


def least_payments(balances):
    """By every way to give each party to a group: parties less the groups that settle alone."""
    names = list(balances)
    best = 0
    for put in product(range(len(names)), repeat=len(names)):
        sums = {group: sum(balances[n] for n, g in zip(names, put, strict=True) if g == group) for group in set(put)}
        if not any(sums.values()):
            best = max(best, len(sums))
    return len(names) - best


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(-4, 4).filter(bool), max_size=6))
def test_the_fewest_payments_by_brute_force(gain):
    if sum(gain.values()) < 0:
        return
    payments = transfers_by_gain(gain).payments
    balances = {name: amount - after(gain, payments)[name] for name, amount in gain.items()}
    assert len(payments) == least_payments({name: amount for name, amount in balances.items() if amount})


def test_many_parties_are_said_to_be_settled_well_and_not_in_the_fewest(monkeypatch):
    monkeypatch.setattr(transfers, "MOST_PARTIES", 3)
    gain = {f"a{n}": 9 + n for n in range(6)} | {f"b{n}": -9 for n in range(6)}
    answer = transfers_by_gain(gain)
    assert answer.possible
    assert not answer.fewest
    assert all(amount >= 0 for amount in after(gain, answer.payments).values())


def test_the_order_of_agencies_does_not_matter():
    gain = {"d": 70, "b": -30, "a": 20, "c": -45}
    assert transfers_by_gain(gain) == transfers_by_gain(dict(reversed(gain.items())))


def test_the_referee_judges_payments_by_what_they_must_be():
    place = tiny_place(sites={"library": {"hosting_cost_gbp_m2_pa": 240.0}})
    plan, scenario = tiny_plan(place), tiny_scenario()
    tables = books(place, scenario, plan).tables
    case = case_of(place, scenario, TravelTables({}, {}))
    decision, _ = decision_of(case, plan)

    def broken(**changed):
        return {each.rule for each in check_transfers(case, decision, {**tables, **changed}) if each.broken}

    assert not broken()
    assert len(tables["transfers"])
    more = tables["transfers"]["amount_gbp_pa"] + 0.02
    for column, value in (("amount_gbp_pa", more), ("to_agency", "nobody"), ("from_agency", "nobody")):
        assert "transfers" in broken(transfers=tables["transfers"].assign(**{column: value})), column
    assert {"transfers", "transfers.gains"} <= broken(transfers=tables["transfers"].iloc[:0])


@pytest.mark.parametrize(
    ("basis", "column", "agency", "change"),
    [
        ("running cost", "gain_gbp_pa", "police", -40_000.0),  # a loss that is none, and is made good
        ("annual equivalent", "annual_equivalent_gain_gbp_pa", "county", -1e6),  # the whole plan loses, so nobody is paid
    ],
)
def test_the_referee_takes_no_printed_gain_for_granted(basis, column, agency, change):
    """Gains and payments that agree with each other, and not with the plan."""
    place = tiny_place(sites={"library": {"hosting_cost_gbp_m2_pa": 240.0}})
    plan, scenario = tiny_plan(place), tiny_scenario()
    tables = books(place, scenario, plan).tables
    case = case_of(place, scenario, TravelTables({}, {}))
    decision, _ = decision_of(case, plan)
    agencies = tables["agencies"].copy()
    agencies.loc[agencies["agency"] == agency, column] += change
    answer = transfers_by_gain({name: round(gbp * 100) for name, gbp in zip(agencies["agency"], agencies[column], strict=True)})
    net = dict.fromkeys(agencies["agency"], 0)
    for each in answer.payments:
        net[each.payer] -= each.pence
        net[each.payee] += each.pence
    agencies[column.replace("gain", "transfer")] = [pence / 100 for pence in net.values()]
    rows = [(basis, each.payer, "", each.payee, "", each.pence / 100) for each in answer.payments]
    other = tables["transfers"][tables["transfers"]["basis"] != basis]
    said = pd.concat([pd.DataFrame(rows, columns=list(other.columns)), other], ignore_index=True)
    found = list(check_transfers(case, decision, {"agencies": agencies, "transfers": said}))
    assert {each.rule for each in found if each.broken} == {"transfers.gains"}
    assert {each.rule for each in check_agencies(case, decision, agencies) if each.broken} == {"agencies.money"}
    assert not [each for each in check_agencies(case, decision, tables["agencies"]) if each.broken]
