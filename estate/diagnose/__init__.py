"""Why there is no plan, the least that must give way, and what one site costs.

* :func:`diagnose` - every independent cause of infeasibility (:mod:`.conflict`), told in words (:mod:`.words`), and the least
  relaxations (:mod:`.relax`), told with the changes that apply them (:mod:`.advice`); :func:`reasons` gives both as issues.
* :func:`site_price` - on a place with a plan, what keeping or losing one site costs a year (:mod:`.price`).

All of it is asked of one elastic programme (:mod:`.elastic`), in which anything can be let go.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from estate.diagnose.advice import as_row, changes, left_untried, told
from estate.diagnose.conflict import Cause, Causes, find_causes, holds
from estate.diagnose.elastic import Elastic, elastic
from estate.diagnose.members import Kind, Member, merged
from estate.diagnose.price import OnlyHere, SitePrice, in_words, site_price
from estate.diagnose.relax import WEIGHTS, Least, Relaxation, least_relaxations
from estate.diagnose.words import issue_of
from estate.errors import Issue, Severity
from estate.place import Place
from estate.scenario import Scenario
from estate.solve.watch import Clock
from estate.travel import TravelTables
from estate.wording import listed

__all__ = [
    "Cause",
    "Diagnosis",
    "Kind",
    "Least",
    "Member",
    "OnlyHere",
    "Relaxation",
    "SitePrice",
    "changes",
    "diagnose",
    "holds",
    "in_words",
    "reasons",
    "site_price",
    "told",
]


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """Why a scenario has no plan, and what would do; no causes: it has one."""

    programme: Elastic
    causes: Causes
    least: Least

    @property
    def feasible(self) -> bool | None:
        """Whether there is a plan; None where the clock ended before that was known."""
        return None if self.causes.impossible is None else not self.causes.impossible

    @property
    def untried(self) -> tuple[str, ...]:
        """What the clock left no time for, in words."""
        more = () if self.least.combined else ("changes of several rules together",)
        return (*self.causes.untried, *(left_untried(self.programme, each) for each in self.least.untried), *more)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """One error for each independent cause, then a note for each rule that may give way."""
        e = self.programme
        found = [issue_of(e, cause) for cause in self.causes.found]
        if self.untried:
            message = f"the time allowed ended; not tried: {listed(self.untried, MOST_UNTRIED)}"
            found.append(Issue("infeasible.time", message, "allow more: --time-limit SECONDS", severity=Severity.WARNING))
        elif not self.causes.complete:
            found.append(Issue("infeasible.more", "there are further causes after these", "settle these first, and run again"))
        for each in self.least.alone:
            message = f"least change, alone: {told(e, each)}"
            found.append(Issue("relax.alone", message, _how(changes(e, each)), severity=Severity.NOTE))
        if len(self.least.together) > 1:
            words = "; ".join(told(e, each) for each in self.least.together)
            message = f"least changes, together (weight {self.least.weight:,.0f}: {WEIGHED}): {words}"
            found.append(Issue("relax.together", message, _how(changes(e, *self.least.together)), severity=Severity.NOTE))
        return tuple(found)

    def as_json(self) -> Mapping[str, Any]:
        """Causes and relaxations as plain data."""
        e, causes = self.programme, self.causes
        told_causes = [
            {
                **issue_of(e, cause).as_row(),
                "members": [{"kind": str(m.kind), "name": m.name, "who": list(m.who)} for m in cause.members],
            }
            for cause in causes.found
        ]
        return {
            "feasible": self.feasible,
            "causes": told_causes,
            "all_causes": causes.complete,
            "not_tried": list(self.untried),
            "relax_alone": [as_row(e, each) for each in self.least.alone],
            "relax_together": [as_row(e, each) for each in self.least.together],
            "relax_together_set": list(changes(e, *self.least.together)),
            "relax_together_weight": self.least.weight,
            "weights": dict(WEIGHTS),
        }


CAUSES_SHARE = 0.5
"""Of the time allowed, what the search for causes may take."""
EXPLAIN_S = 60.0
"""Seconds for an explanation where no limit is set."""
MOST_UNTRIED = 12
"""Things not tried that are named; the others are counted."""


def _how(settings: tuple[str, ...]) -> str:
    return " ".join(["apply it with", *(f"--set '{each}'" for each in settings)]) if settings else ""


WEIGHED = f"{WEIGHTS['percent']:g} for each percent of change, {WEIGHTS['lift']:g} for each lock lifted"
"""The weights in words."""


def diagnose(place: Place, scenario: Scenario, travel: TravelTables, time_s: float | None = None) -> Diagnosis:
    """Every independent cause why a scenario has no plan, and the least relaxations.

    With ``time_s``, what was found in so many seconds, and what was not tried: the causes have half of them.  Where no cause
    was found in that time, every rule and lock is tried as if it were part of one.

    Raises
    ------
    InputError
        As :func:`estate.formulate.formulate` does.
    SolverError
        When the solver breaks down.
    """
    clock = Clock(None if time_s is None else time.monotonic() + time_s)
    programme = elastic(place, scenario, travel, clock)
    causes = find_causes(replace(programme, clock=clock.share(CAUSES_SHARE)))
    suspects = causes.found
    if not suspects and causes.untried:
        suspects = (Cause(merged(programme.roster.atoms)),)
    return Diagnosis(programme, causes, least_relaxations(programme, suspects))


def reasons(place: Place, scenario: Scenario, travel: TravelTables, time_s: float | None = None) -> tuple[Issue, ...]:
    """Why no plan can meet a scenario, and the least that must give way; nothing where there is a plan."""
    return diagnose(place, scenario, travel, time_s).issues
