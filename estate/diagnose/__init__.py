"""Why there is no plan, the least that must give way, and what one site costs.

* :func:`reasons` - every independent cause of infeasibility as an issue (:mod:`.conflict`, told by :mod:`.words`).
"""

from __future__ import annotations

from estate.diagnose.conflict import Cause, Causes, find_causes
from estate.diagnose.elastic import Elastic, elastic
from estate.diagnose.members import Kind, Member
from estate.diagnose.words import issue_of
from estate.errors import Issue
from estate.place import Place
from estate.scenario import Scenario
from estate.travel import Travel

__all__ = ["Cause", "Causes", "Elastic", "Kind", "Member", "elastic", "find_causes", "reasons"]


def reasons(place: Place, scenario: Scenario, travel: Travel) -> tuple[Issue, ...]:
    """Why no plan can meet a scenario: one issue for each independent cause, none where there is a plan.

    Raises
    ------
    InputError
        As :func:`estate.formulate.formulate` does.
    SolverError
        When the solver breaks down.
    """
    programme = elastic(place, scenario, travel)
    causes = find_causes(programme)
    found = [issue_of(programme, cause) for cause in causes.found]
    if not causes.complete:
        found.append(Issue("infeasible.more", "there are further causes after these", "settle these first, and run again"))
    return tuple(found)
