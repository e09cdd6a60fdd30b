"""The account between agencies: a worked case by hand, and laws of settlements and accounts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estate.partners.account import (
    ALONE,
    TODAY,
    Cash,
    Term,
    accounts,
    bargain,
    in_a_shortfall,
    settlement,
)

FACTOR = 1.035 ** -np.arange(11)
TERM = Term(FACTOR, 1)
COUNCIL = np.array([-600_000] + [10_000] * 10) * 100
DWP = np.array([0] + [90_000] * 10) * 100


def test_a_council_pays_and_dwp_gains():
    assert TERM.annuity == pytest.approx(8.316605, abs=1e-6)
    found = bargain(COUNCIL, DWP, TERM)
    pounds = [each / 100 for each in (found.investor, found.other, found.joint)]
    assert pounds == pytest.approx([-516_834, 748_494, 231_661], abs=1)
    assert found.least / 100 == pytest.approx(62_144.82, abs=0.005)
    assert found.most / 100 == pytest.approx(90_000)
    assert found.equal / 100 == pytest.approx(76_072.41, abs=0.005)
    assert found.share == pytest.approx(0.6905, abs=5e-5)
    short = [in_a_shortfall(COUNCIL, DWP, TERM, found.share, own, 0.8) / 100 for own in (1.0, 0.8)]
    assert short == pytest.approx([-103_367, -120_000], abs=1)


def cash(*rows):
    net = np.array(rows, dtype=np.int64)
    return Cash(np.minimum(net, 0), np.zeros_like(net), np.maximum(net, 0))


def test_break_even_brings_the_investor_s_balance_to_nothing():
    both = cash(COUNCIL, DWP)
    found = settlement(TODAY, ("council", "dwp"), TERM.worth(both.net), np.zeros(2), TERM)
    assert [(each.payer, each.payee) for each in found.transfers.payments] == [("dwp", "council")]
    assert found.credit[0] / 100 == pytest.approx(62_144.83, abs=0.005)  # a need is rounded up
    book = accounts(both, found.credit, TERM)
    assert 0 <= book["closing"][0, -1] <= 30
    assert (book["opening"][:, 1:] == book["closing"][:, :-1]).all()


def test_against_going_alone_asks_for_more_than_against_today():
    worth, alone = np.array([500_00.0, 90_000_00.0]), np.array([20_000_00.0, 0.0])
    players = ("a", "b")
    assert settlement(TODAY, players, worth, np.zeros(2), TERM).transfers.payments == ()
    found = settlement(ALONE, players, worth, alone, TERM)
    assert found.credit[0] * TERM.annuity >= alone[0] - worth[0]


def test_nobody_can_be_made_whole_where_all_lose():
    found = settlement(TODAY, ("a", "b"), np.array([-10_000.0, 100.0]), np.zeros(2), TERM)
    assert not found.transfers.possible
    assert not found.credit.any()


@given(st.lists(st.tuples(st.integers(-(10**7), 10**7), st.integers(0, 10**6)), min_size=2, max_size=6), st.integers(0, 10**6))
def test_settlements_and_accounts_add_up(parties, floor):
    rows = [[first] + [yearly] * 10 for first, yearly in parties]
    money = cash(*rows)
    names = [f"agency {i}" for i in range(len(rows))]
    worth = TERM.worth(money.net)
    at_least = np.minimum(worth, float(floor)) if floor % 2 else np.zeros(len(rows))
    found = settlement(TODAY, names, worth, at_least, TERM)
    assert found.credit.sum() == 0
    if found.transfers.possible:
        after = worth + found.credit * TERM.annuity
        assert (after >= np.minimum(at_least, after + 1) - 10 * len(rows)).all()
        assert (found.credit[worth - at_least < -TERM.annuity] > 0).all()
    book = accounts(money, found.credit, TERM)
    assert (book["credited"].sum(axis=0) == 0).all()
    parts = sum(book[name] for name in ("opening", "interest", "invested", "receipts", "saved", "credited"))
    assert (parts == book["closing"]).all()
    # The closing balance is the worth carried to the last year, but for a rounding of each year's interest.
    assert book["closing"][:, -1] * FACTOR[-1] == pytest.approx(worth + found.credit * TERM.annuity, abs=11)
