"""The tables against each other and against the scenario: one ``check_...`` function for each rule, run in one place.

``facts`` holds what cannot be true of any estate, ``rules`` what a scenario asks for that is not there or contradicts itself,
``judgement`` what a colleague would say.  Each check takes the scenario and the place and yields issues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from estate.errors import Issue, Severity
from estate.place import Place
from estate.scenario import Scenario
from estate.validate import facts, judgement, rules
from estate.validate.judgement import missed_today, stuck_beyond

__all__ = ["CHECKS", "check", "missed_today", "stuck_beyond"]

type Check = Callable[[Scenario, Place], Iterator[Issue]]

CHECKS: tuple[Check, ...] = (
    facts.check_references,
    facts.check_areas,
    facts.check_other_uses,
    facts.check_values,
    facts.check_leases,
    facts.check_in_use,
    facts.check_candidates,
    facts.check_hosting,
    facts.check_rates,
    facts.check_zone_people,
    rules.check_ids,
    rules.check_services,
    rules.check_whom,
    rules.check_kinds,
    rules.check_contradictions,
    rules.check_decisions,
    rules.check_purses,
    rules.check_options,
    rules.check_dates,
    rules.check_stuck,
    rules.check_counts,
    rules.check_columns,
    rules.check_standards,
    rules.check_streets,
    rules.check_tenures,
    judgement.check_costs,
    judgement.check_capacity,
    judgement.check_sharing,
    judgement.check_reach,
    judgement.check_uprns,
    judgement.check_outlines,
    judgement.check_population,
    judgement.check_idle_sites,
    judgement.check_crowds,
    judgement.check_unused_files,
    judgement.check_assumptions,
)

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(scenario: Scenario, place: Place) -> tuple[Issue, ...]:
    """Everything that is wrong, odd or assumed; errors first, then warnings, then notes.

    Nothing is raised: :func:`estate.errors.raise_for` does that with the complete list.
    """
    found = [issue for each in CHECKS for issue in each(scenario, place)]
    return tuple(sorted(found, key=lambda issue: _ORDER[issue.severity]))
