"""One agency pays and another gains: the credits that settle it, and an account for each by year.

**Cash** of an agency is its ledger: what it spends once, what sales bring it, what its bill falls by, year by year; what neither
makes the plan happen nor recurs (repairs spared, fit-outs made again, values at the end) is in no account.  Its *worth* is the
present value at the Green Book's rates.  A **credit** is a level sum a year, in every year from the one in which the plan
is carried out to the end of the term; credits between agencies add up to nothing.

**Nobody worse off** is measured *against today* (worth of 0) and *against going alone* (the worth of its own cash under its own
best plan).  Who is short of that is made whole by those who gain, each in proportion to its gain, in the fewest payments
(:mod:`estate.appraise.transfers`).  Between one who invests and one who gains any credit from *break-even* (the investor's worth
is nothing) to the *ceiling* (the other's is) leaves neither worse off: that is the room for bargaining.

**The account** of an agency in a year: opening balance, interest on it at that year's discount rate, what it invests, what sales
bring, what it saves, what it is credited, closing balance.  A balance below nothing is what it is still out of pocket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.appraise.ledger import PROCEEDS, YEARLY, ledger
from estate.appraise.transfers import Transfers, transfers_by_gain
from estate.load.vest import holds_titles, members
from estate.money.present_value import discounting
from estate.money.vehicle import to_members
from estate.place import Plan
from estate.problem import Floats, Ints
from estate.standards.measured import Measured

CAUTION = 0.8
"""Savings that come in at this share of what was promised: who bears the shortfall."""


@dataclass(frozen=True, slots=True, eq=False)
class Cash:
    """Whole pence by agency and year of the horizon, (n, H) each, signed as the ledger: money received is positive."""

    invested: Ints
    receipts: Ints
    saved: Ints

    @property
    def net(self) -> Ints:
        """All three."""
        return self.invested + self.receipts + self.saved


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """The years of an account: a discount factor for each (H,), and the first in which credits are paid."""

    factor: Floats
    first: int

    @property
    def annuity(self) -> float:
        """Present value of a pound in every year in which credits are paid."""
        return float(self.factor[self.first :].sum())

    def worth(self, pence: Ints | Floats) -> Floats:
        """Present value of cash by year (n, H)."""
        found: Floats = np.asarray(pence, dtype=np.float64) @ self.factor
        return found

    def paid(self, credit: Ints) -> Ints:
        """(n, H) level credits by year."""
        years = np.zeros(len(self.factor), dtype=np.int64)
        years[self.first :] = 1
        return credit[:, None] * years[None, :]


def term_of(measured: Measured) -> Term:
    """The scenario's horizon, with credits from the year in which the plan is carried out."""
    return Term(
        discounting(measured.scenario).factor,
        min(measured.scenario.money.closing_year, measured.scenario.money.horizon_years - 1),
    )


def cash_of(measured: Measured, plan: Plan, players: Sequence[str]) -> Cash:
    """What a plan does to each player's cash; entries beyond the horizon are left out, as in the appraisal.

    What a property vehicle is left with each year is its members', by their shares.
    """
    place, scenario = measured.place, measured.scenario
    book = ledger(place, scenario, plan)
    entries = pd.concat([book.yearly, book.once], ignore_index=True)
    own = list(players)  # and the vehicle last
    at = pd.Index([*own, holds_titles(scenario)]).get_indexer(pd.Index(place.agencies.index.astype(str)[entries["agency"]]))
    year, line = entries["year"].to_numpy(dtype=np.int64), entries["line"].to_numpy(dtype=object)
    pence = entries["pence"].to_numpy(dtype=np.int64)
    counts = (at >= 0) & (year < scenario.money.horizon_years)
    joined = list(members(place, scenario))

    def table(chosen: np.ndarray) -> Ints:
        found = np.zeros((len(own) + 1, scenario.money.horizon_years), dtype=np.int64)
        use = counts & chosen
        np.add.at(found, (at[use], year[use]), pence[use])
        falls = pd.DataFrame(to_members(place, scenario, found[-1]), index=joined).reindex(own, fill_value=0)
        together: Ints = found[:-1] + falls.to_numpy(dtype=np.int64)
        return together

    running, proceeds = np.isin(line, YEARLY), np.isin(line, PROCEEDS)
    return Cash(table(~running & ~proceeds), table(proceeds), table(running))


# ------------------------------------------------------------------------------------------------------ two parties


@dataclass(frozen=True, slots=True)
class Bargain:
    """What one who invests and one who gains may agree on: pence, and a credit in pence a year.

    ``least`` to ``most`` is the room for bargaining, empty where ``joint`` is below nothing; ``equal`` shares the joint worth in
    halves.  ``share`` is the least credit as a share of what the other saves in a year.
    """

    investor: float
    other: float
    joint: float
    least: float
    most: float
    equal: float
    share: float


def bargain(investor: Floats, other: Floats, term: Term) -> Bargain:
    """The room between an investor and who gains, from the cash of each by year (H,) in pence."""
    mine, theirs = (float(term.worth(each)) for each in (investor, other))
    least, most = -mine / term.annuity, theirs / term.annuity
    saves = float(np.median(other[term.first :]))
    return Bargain(mine, theirs, mine + theirs, least, most, (least + most) / 2, least / saves if saves > 0 else np.nan)


def in_a_shortfall(investor: Floats, other: Floats, term: Term, share: float, own: float, theirs: float) -> float:
    """The investor's worth where its credit is a share of the other's saving, and savings (cash above nothing) fall short.

    ``own`` and ``theirs`` are the shares of the investor's and the other's savings that come in.
    """
    credit = np.zeros(len(other))
    credit[term.first :] = share * theirs * np.maximum(other[term.first :], 0)
    return float(term.worth(np.where(investor > 0, own * investor, investor) + credit))


# ------------------------------------------------------------------------------------------------------ several parties

TODAY, ALONE = "against today", "against going alone"


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """The yearly payments under which nobody is worse off by a measure, and each player's net credit (n,) in pence a year."""

    measure: str
    transfers: Transfers
    credit: Ints
    worth_before: Floats
    """(n,) present value above what the measure asks for, in pence."""


def settlement(measure: str, players: Sequence[str], worth: Floats, floor: Floats, term: Term) -> Settlement:
    """Credits from the worth of each player's cash and what the measure asks for (present values, pence)."""
    above = worth - floor
    each = np.trunc(above / term.annuity).astype(np.int64)
    each = np.where(above < 0, np.floor(above / term.annuity).astype(np.int64), each)  # a need is rounded up
    answer = transfers_by_gain(dict(zip(players, each.tolist(), strict=True)))
    net = dict.fromkeys(players, 0)
    for payment in answer.payments:
        net[payment.payer] -= payment.pence
        net[payment.payee] += payment.pence
    return Settlement(measure, answer, np.array(list(net.values()), dtype=np.int64), above)


def accounts(cash: Cash, credit: Ints, term: Term) -> Mapping[str, Ints]:
    """Each player's account by year, (n, H) whole pence: ``opening, interest, invested, receipts, saved, credited, closing``."""
    n, years = cash.net.shape
    credited = term.paid(credit)
    rate = np.append(0.0, term.factor[:-1] / term.factor[1:] - 1)
    opening, interest, closing = (np.zeros((n, years), dtype=np.int64) for _ in range(3))
    before = np.zeros(n, dtype=np.int64)
    for year in range(years):
        opening[:, year] = before
        interest[:, year] = np.rint(before * rate[year]).astype(np.int64)
        before = before + interest[:, year] + cash.net[:, year] + credited[:, year]
        closing[:, year] = before
    return {
        "opening": opening, "interest": interest, "invested": cash.invested, "receipts": cash.receipts, "saved": cash.saved,
        "credited": credited, "closing": closing,
    }  # fmt: skip
