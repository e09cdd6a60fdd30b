"""Who is worse off than today, and the payments that leave nobody so.

A plan that is cheapest in total and bad for one partner loses that partner.  What the losers lose is paid by all who gain, each
**in proportion to its gain**, and not a penny more: who pays follows who gains, never the alphabet.  Shares are whole pence by
largest remainder, where the larger gain goes first.  Among the ways to pay those shares the one with the **fewest payments** is
given; it changes nobody's sum, only who writes to whom.  Nobody can be compensated when the plan as a whole loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from estate.money.bearers import share_out

MOST_PARTIES = 14
"""Who pay or are paid, for the fewest payments to be proven; beyond it a good answer is given, and said to be that."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Whole pence a year from one agency to another."""

    payer: str
    payee: str
    pence: int


@dataclass(frozen=True, slots=True)
class Transfers:
    """The answer: ``possible`` is False where the plan as a whole loses; ``fewest`` False where the search was cut short."""

    possible: bool
    payments: tuple[Payment, ...] = ()
    fewest: bool = True


type Balance = tuple[str, int]
"""An agency and the pence that it is to pay (above 0) or to be paid (below)."""


def transfers_by_gain(gain: Mapping[str, int]) -> Transfers:
    """The payments that leave nobody worse off, from what each agency gains (whole pence a year, by id)."""
    if sum(gain.values()) < 0:
        return Transfers(possible=False)
    return settled(_shares(gain))


def settled(balances: Sequence[Balance]) -> Transfers:
    """The fewest payments that settle balances which add up to nothing (above 0: pays)."""
    balances = sorted((each for each in balances if each[1]), key=lambda each: (-abs(each[1]), each[0]))
    proven = len(balances) <= MOST_PARTIES
    groups = _settling_alone(balances) if proven else [balances]
    payments = [payment for group in groups for payment in _settled(group)]
    return Transfers(True, tuple(sorted(payments, key=lambda each: (each.payer, each.payee))), proven)


def _shares(gain: Mapping[str, int]) -> list[Balance]:
    """What each is to pay or be paid, the largest first: those who gain bear the losses in proportion to their gains."""
    ranked = sorted(gain.items(), key=lambda each: (-abs(each[1]), each[0]))
    up = [(name, amount) for name, amount in ranked if amount > 0]
    down = [(name, amount) for name, amount in ranked if amount < 0]
    if not down:
        return []
    loss = np.array([-sum(amount for _, amount in down)], dtype=np.int64)
    paid = share_out(loss, np.zeros(len(up), dtype=np.int64), np.array([amount for _, amount in up], dtype=np.float64))
    return [(name, pence) for (name, _), pence in zip(up, paid.tolist(), strict=True) if pence] + down


def _settling_alone(balances: Sequence[Balance]) -> list[list[Balance]]:
    """The most groups whose balances each add up to nothing.

    A group of n settles in n - 1 payments, so the more groups, the fewer payments.  ``most[members]`` is the most groups that the
    members, taken one by one, can complete on the way: found for every set of parties from the sets with one party fewer.
    """
    n = len(balances)
    total, most, last = [0] * 2**n, [0] * 2**n, [0] * 2**n
    for members in range(1, 2**n):
        low = members & -members
        total[members] = total[members ^ low] + balances[low.bit_length() - 1][1]
        options = [(most[members ^ (1 << k)], -k) for k in range(n) if members >> k & 1]
        best, taken = max(options)
        most[members], last[members] = best + (total[members] == 0), -taken
    groups: list[list[Balance]] = []
    members = 2**n - 1
    while members:
        if total[members] == 0:
            groups.append([])
        groups[-1].append(balances[last[members]])
        members ^= 1 << last[members]
    return groups


def _settled(group: Sequence[Balance]) -> list[Payment]:
    """The payments of one group, at most one fewer than its members: the largest need from the largest purse, again and again."""
    spare = {name: pence for name, pence in group if pence > 0}
    need = {name: -pence for name, pence in group if pence < 0}
    found = []
    while any(need.values()):
        payee = min(need, key=lambda name: (-need[name], name))
        payer = min(spare, key=lambda name: (-spare[name], name))
        amount = min(spare[payer], need[payee])
        found.append(Payment(payer, payee, amount))
        spare[payer] -= amount
        need[payee] -= amount
    return found
