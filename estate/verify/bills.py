"""What each agency pays and gains, worked out again from the plan: nothing of it is taken from a table that was published.

A sum that several share is not rounded here, so that a figure may be a penny off for each such sum: ``rounded`` counts them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from estate.verify.books import State, borne, expected_ledger, rents
from estate.verify.case import Case, Decision, Finding, finding, number
from estate.verify.money import factors, running_pence

ONE_OFF = (
    "fitout",
    "opening_capital",
    "optimism_bias",
    "removal",
    "exit_cost",
    "disposal_to_revenue",
    "holding_cost",
    "void_cost",
)
RECEIPTS = ("capital_receipt", "disposal_from_receipt")
ONCE = {"one_off_gbp": (ONE_OFF, -1), "receipts_gbp": (RECEIPTS, 1), "revenue_sums_gbp": (("revenue_sum",), 1)}
SPREAD = "annual_equivalent_gain_gbp_pa"
"""It is rounded so that the column adds up to the plan's, so that a figure may be the next penny."""
PAID = ("agency", "cost_before_gbp_pa", "cost_after_gbp_pa", "gain_gbp_pa", *ONCE, SPREAD)
"""Columns of ``agencies`` that are checked here."""


@dataclass(frozen=True, slots=True)
class Bills:
    """By agency: ``pence``, unrounded, and of how many sums it has a ``rounded`` share."""

    pence: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    rounded: Counter[str] = field(default_factory=Counter)

    def add(self, agency: str, amount: float, part: float = 1.0) -> None:
        """A sum, or what a part of it comes to."""
        self.pence[agency] += amount * part
        self.rounded[agency] += in_parts(amount)


def in_parts(pence: float) -> bool:
    """Whether a share is no whole pence, and so was rounded."""
    return abs(pence - round(pence)) > 1e-6


def paid_a_year(case: Case, decision: Decision) -> Bills:
    """What each agency pays in a year in which a plan is complete, rent less what it receives among it."""
    state = State({site: float(site in decision.open) for site in case.sites}, dict.fromkeys(case.moved(decision), 0.0))
    found = Bills()
    for (_, agency), amount in borne(case, decision, state).items():
        found.add(agency, amount)
    for (_, agency, _), amount in rents(case, decision, state).items():
        found.add(agency, amount)
    return found


def _agencies(case: Case, decision: Decision) -> dict[str, Bills]:
    """The columns of ``agencies`` that say what is paid and gained."""
    before, after = paid_a_year(case, case.today), paid_a_year(case, decision)
    base, want = case.scenario.money.base_year, expected_ledger(case, decision)
    worth = factors(base, case.scenario.money.horizon_years)
    found = {"cost_before_gbp_pa": before, "cost_after_gbp_pa": after, **{name: Bills() for name in ONCE}, SPREAD: Bills()}
    for (agency, label, line, *_), amount in (*want.exact.items(), *want.share.items()):
        year = int(label[:4]) - base
        for name, (lines, sign) in ONCE.items():
            if line in lines:
                found[name].add(agency, sign * amount)
        if year < len(worth):
            found[SPREAD].add(agency, amount, worth[year] / sum(worth))
    gain = Bills(rounded=before.rounded + after.rounded)
    for agency in case.agencies:
        gain.pence[agency] = before.pence[agency] - after.pence[agency]
    return {**found, "gain_gbp_pa": gain}


def check_agencies(case: Case, decision: Decision, table: pd.DataFrame) -> Iterator[Finding]:
    """What ``agencies`` prints of each agency's cost and gain, and that its running cost adds up to the plan's."""
    found = _agencies(case, decision)
    said = table.assign(agency=table["agency"].astype(str)).set_index("agency")
    wrong = [f"{each} is missing, or stands twice" for each in case.agencies if list(said.index).count(each) != 1]
    yield finding("agencies.rows", len(case.agencies), wrong, "agencies that do not stand once")
    if wrong:
        return
    wrong = [
        f"{agency}, {name}: {number(said[name][agency]):.2f}, not {bills.pence[agency] / 100:.2f}"
        for name, bills in found.items()
        for agency in case.agencies
        if not abs(number(said[name][agency]) * 100 - bills.pence[agency])
        <= (1.01 if name == SPREAD else 0.51) + bills.rounded[agency]
    ]
    yield finding("agencies.money", len(found) * len(case.agencies), wrong, "what agencies pay and gain")
    plans = {"cost_before_gbp_pa": case.today, "cost_after_gbp_pa": decision}
    sums = [name for name, plan in plans.items() if round(float(said[name].sum()) * 100) != running_pence(case, plan)]
    yield finding("agencies.sums", len(plans), sums, "columns of agencies that do not add up to the plan's running cost")


def gains(case: Case, decision: Decision) -> Mapping[str, Bills]:
    """What each agency gains a year, by the column of ``agencies`` that prints it."""
    found = _agencies(case, decision)
    return {name: found[name] for name in ("gain_gbp_pa", SPREAD)}
