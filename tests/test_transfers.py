"""The smallest payments that leave nobody worse off, against every other way of paying."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estate.appraise import transfers
from estate.appraise.transfers import Payment, smallest_transfers


def paid(*rows):
    return tuple(Payment(*row) for row in rows)


@pytest.mark.parametrize(
    ("gain", "payments"),
    [
        ({}, ()),
        ({"a": 5, "b": 0}, ()),
        ({"a": 10, "b": -10}, paid(("a", "b", 10))),
        # One payment each where one purse will do, though two purses would too.
        ({"a": 5, "b": -6, "c": 9}, paid(("c", "b", 6))),
        # First by ids where two could pay.
        ({"a": 9, "b": -6, "c": 9}, paid(("a", "b", 6))),
        # Nobody alone can pay: the first pays as much as it can.
        ({"a": 7, "b": -10, "c": 7}, paid(("a", "b", 7), ("c", "b", 3))),
        # The first may not take so much that the others cannot do the rest in two payments.
        ({"a": 6, "b": -5, "c": 8, "d": -6}, paid(("a", "b", 5), ("c", "d", 6))),
    ],
)
def test_worked_cases(gain, payments):
    answer = smallest_transfers(gain)
    assert answer.possible
    assert answer.fewest
    assert answer.payments == payments


def test_a_plan_that_loses_cannot_be_mended():
    assert not smallest_transfers({"a": 4, "b": -5}).possible
    assert smallest_transfers({"a": 5, "b": -5}).possible


def after(gain, payments):
    left = dict(gain)
    for each in payments:
        left[each.payer] -= each.pence
        left[each.payee] += each.pence
    return left


gains = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-(10**12), 10**12), max_size=8)


@settings(max_examples=60)
@given(gain=gains)
def test_transfers_sum_to_zero_and_leave_nobody_worse_off(gain):
    answer = smallest_transfers(gain)
    assert answer.possible == (sum(gain.values()) >= 0)
    if not answer.possible:
        assert answer.payments == ()
        return
    left = after(gain, answer.payments)
    assert sum(left.values()) == sum(gain.values())
    assert all(amount >= 0 for amount in left.values())
    assert all(each.pence > 0 for each in answer.payments)
    # Least total: what the losers lose, and not a penny more.
    assert sum(each.pence for each in answer.payments) == -sum(min(amount, 0) for amount in gain.values())


def brute_force(gain):
    """Every way of paying what the losers lose: fewest payments, then first links by id, then most from the first on."""
    payers = sorted(name for name, amount in gain.items() if amount > 0)
    payees = sorted(name for name, amount in gain.items() if amount < 0)
    links = list(product(payers, payees))
    for size in range(len(links) + 1):
        for chosen in combinations(links, size):
            ways = [[]]
            for link in chosen:
                most = min(gain[link[0]], -gain[link[1]])
                ways = [[*way, amount] for way in ways for amount in range(1, most + 1)]
            good = [way for way in ways if settles(gain, chosen, way)]
            if good:
                return tuple(Payment(*link, amount) for link, amount in zip(chosen, max(good), strict=True))
    return None


def settles(gain, links, amounts):
    left = after(gain, [Payment(*link, amount) for link, amount in zip(links, amounts, strict=True)])
    return all(left[name] == 0 if amount < 0 else left[name] >= 0 for name, amount in gain.items())


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from("abcde"), st.integers(-5, 6), min_size=2, max_size=5))
def test_agrees_with_brute_force(gain):
    if sum(gain.values()) < 0 or -sum(min(each, 0) for each in gain.values()) > 9:
        return
    assert smallest_transfers(gain).payments == brute_force(gain)


def test_a_search_that_is_cut_short_says_so_and_still_leaves_nobody_worse_off(monkeypatch):
    monkeypatch.setattr(transfers, "MOST_STEPS", 3)
    gain = {f"a{n}": 7 + n for n in range(6)} | {f"b{n}": -9 for n in range(6)}
    answer = smallest_transfers(gain)
    assert answer.possible
    assert not answer.fewest
    assert all(amount >= 0 for amount in after(gain, answer.payments).values())


def test_the_order_of_agencies_does_not_matter():
    gain = {"d": 70, "b": -30, "a": 20, "c": -45}
    assert smallest_transfers(gain) == smallest_transfers(dict(reversed(gain.items())))
