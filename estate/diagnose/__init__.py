"""Why there is no plan, the least that must give way, and what one site costs.

* :func:`diagnose` - every independent cause of infeasibility (:mod:`.conflict`), told in words (:mod:`.words`), and the least
  relaxations (:mod:`.relax`), told with the changes that apply them (:mod:`.advice`); :func:`reasons` gives both as issues.
* :func:`site_price` - on a place with a plan, what keeping or losing one site costs a year (:mod:`.price`).

All of it is asked of one elastic programme (:mod:`.elastic`), in which anything can be let go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from estate.diagnose.advice import as_row, changes, told
from estate.diagnose.conflict import Cause, Causes, find_causes, holds
from estate.diagnose.elastic import Elastic, elastic
from estate.diagnose.members import Kind, Member
from estate.diagnose.price import OnlyHere, SitePrice, in_words, site_price
from estate.diagnose.relax import WEIGHTS, Least, Relaxation, least_relaxations
from estate.diagnose.words import issue_of
from estate.errors import Issue, Severity
from estate.place import Place
from estate.scenario import Scenario
from estate.travel import Travel

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
    def feasible(self) -> bool:
        """Whether there is a plan."""
        return not self.causes.found and self.causes.complete

    @property
    def issues(self) -> tuple[Issue, ...]:
        """One error for each independent cause, then a note for each rule that may give way."""
        e = self.programme
        found = [issue_of(e, cause) for cause in self.causes.found]
        if not self.causes.complete:
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
            "relax_alone": [as_row(e, each) for each in self.least.alone],
            "relax_together": [as_row(e, each) for each in self.least.together],
            "relax_together_set": list(changes(e, *self.least.together)),
            "relax_together_weight": self.least.weight,
            "weights": dict(WEIGHTS),
        }


def _how(settings: tuple[str, ...]) -> str:
    return " ".join(["apply it with", *(f"--set '{each}'" for each in settings)]) if settings else ""


WEIGHED = f"{WEIGHTS['percent']:g} for each percent of change, {WEIGHTS['lift']:g} for each lock lifted"
"""The weights in words."""


def diagnose(place: Place, scenario: Scenario, travel: Travel) -> Diagnosis:
    """Every independent cause why a scenario has no plan, and the least relaxations.

    Raises
    ------
    InputError
        As :func:`estate.formulate.formulate` does.
    SolverError
        When the solver breaks down.
    """
    programme = elastic(place, scenario, travel)
    causes = find_causes(programme)
    return Diagnosis(programme, causes, least_relaxations(programme, causes.found))


def reasons(place: Place, scenario: Scenario, travel: Travel) -> tuple[Issue, ...]:
    """Why no plan can meet a scenario, and the least that must give way; nothing where there is a plan."""
    return diagnose(place, scenario, travel).issues
