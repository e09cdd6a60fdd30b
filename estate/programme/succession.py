"""Who there is in which year: agencies that are dissolved, and the successors that decide, pay and are paid from vesting on.

A purse of agencies that are all dissolved into one successor ends with them: what it has left, what it owes and what it is still
to be paid passes to the purse that the successor is in.  Buildings and counters are where they were; the register names them by
the agency that has them today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from estate.place import Place
from estate.problem import Bools
from estate.scenario import Purse, Reorganisation, Scenario

NEVER = 10**6


@dataclass(frozen=True, slots=True)
class Succession:
    """``heir`` of each dissolved agency, from ``year`` (after the base year) on; nobody's where nothing is reorganised."""

    year: int = NEVER
    heir: Mapping[str, str] = field(default_factory=dict)
    way: Reorganisation | None = None

    def body(self, agency: str, year: int) -> str:
        """Who an agency of today is in a year."""
        return self.heir.get(agency, agency) if year >= self.year else agency

    def members(self, place: Place, purse: Purse, n_years: int) -> Bools:
        """(A, n) whether the money of each agency of today is a purse's in each year."""
        found = np.zeros((len(place.agencies), n_years), dtype=bool)
        for at, agency in enumerate(place.agencies.index.astype(str)):
            found[at] = agency in purse.agencies
            if self.year < n_years:
                found[at, self.year :] = self.heir.get(agency, agency) in purse.agencies
        return found

    def ends(self, purse: Purse) -> bool:
        """Whether a purse ends at vesting: all of its agencies are dissolved."""
        return all(self.heir.get(each, each) != each for each in purse.agencies)

    def passes_to(self, purse: Purse, purses: Sequence[Purse]) -> str:
        """The purse to which one that ends passes; blank where it does not, or nobody has it."""
        if not self.ends(purse):
            return ""
        heirs = {self.heir[each] for each in purse.agencies}
        return next((each.name for each in purses if heirs <= set(each.agencies)), "")


def succession(scenario: Scenario) -> Succession:
    """The reorganisation that the programme names: from the first financial year that its successors have whole."""
    name = "" if scenario.programme is None else scenario.programme.reorganised_as
    way = next((each for each in scenario.reorganisation if each.name == name), None) if name else None
    if way is None:
        return Succession()
    day = way.vesting_date
    first = day.year if (day.month, day.day) <= (4, 1) else day.year + 1
    return Succession(first - scenario.money.base_year, way.heir, way)


def wrong(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    """What cannot be of a programme's reorganisation: a code, what is wrong and what to do."""
    programme = scenario.programme
    if programme is None or not programme.reorganised_as:
        return
    then = succession(scenario)
    if then.way is None:
        names = ", ".join(each.name for each in scenario.reorganisation) or "none"
        yield "reorganisation", f"there is no reorganisation '{programme.reorganised_as}'", f"name one of: {names}"
        return
    if scenario.reorganised:
        words = "the place is reorganised already, from the first day on"
        yield "reorganisation", words, "take out 'reorganised', or programme.reorganised_as"
    if then.way.shared:
        words = f"{', '.join(sorted(then.way.shared))}: passes to several successors, and a purse passes whole to one"
        yield "reorganisation", words, "name one successor for each, or run the mapping by itself ('reorganised')"
    if programme.flexible_use:
        words = "whether a successor may meet reform from what its predecessors banked is for its own direction to say"
        yield "reorganisation", words, "set programme.flexible_use = false where councils are reorganised"
    if scenario.money.capital_budget_gbp is not None:
        words = "money.capital_budget_gbp is one sum of all agencies, of which some end"
        yield "reorganisation", words, "give each agency and each successor its own purse: money.purses"
    for purse in scenario.money.purses:
        yield from _wrong_purse(scenario, purse, then, then.way.vesting_date.isoformat())


def _wrong_purse(scenario: Scenario, purse: Purse, then: Succession, day: str) -> Iterator[tuple[str, str, str]]:
    """A purse that is half dissolved, passes to nobody, or has money of its own after its end."""
    gone = [each for each in purse.agencies if then.heir.get(each, each) != each]
    if gone and not then.ends(purse):
        words = f"the purse '{purse.name}' is of {', '.join(gone)}, dissolved on {day}, and of others that go on"
        yield "reorganisation", words, "give those that are dissolved a purse of their own"
    if not (then.ends(purse) and purse.budgets):
        return
    if not then.passes_to(purse, scenario.money.purses):
        heirs = ", ".join(sorted({then.heir[each] for each in gone}))
        words = f"the purse '{purse.name}' ends on {day}, and no one purse is that of {heirs}"
        yield "reorganisation", words, "add a purse whose agencies name the successor"
    base, loans = scenario.money.base_year, scenario.programme.loans if scenario.programme else ()
    late = [each.year for each in purse.budgets if each.year is not None and each.year - base >= then.year]
    late += [each.year for each in loans if each.purse == purse.name and each.year - base >= then.year]
    if late:
        words = f"the purse '{purse.name}' ends on {day}, and has a budget or a loan of {min(late)}"
        yield "reorganisation", words, "give it to the successor's purse"
