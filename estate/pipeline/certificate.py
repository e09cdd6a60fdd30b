"""``certificate.json``: why no plan can cost much less, so that it can be worked out again from the tables.

The solver gives multipliers, in numbers of its own; here they get the names of the tables, in whole parts of a penny.  What they
prove is then worked out by the referee (:mod:`estate.verify.bound`), and only that is claimed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from estate.errors import VerificationError
from estate.formulate import Formulated
from estate.place import Place
from estate.problem import Floats
from estate.scenario import Scenario
from estate.solve import Answer
from estate.solve.certificate import SPLIT, Leaf, cases
from estate.travel import TravelTables
from estate.verify import bound as referee
from estate.verify.case import case_of
from estate.verify.relaxed import supported

ABOUT = (
    "For each case: no plan costs less than its bound, in parts of a penny a year (unit). It is the sum of the numbers of the "
    "access points, of the numbers of the rows times what each asks for, and of what each building adds. The cases hold every "
    "plan between them. 'estate verify' works it all out again from the tables."
)  # fmt: skip


def certified(
    place: Place, scenario: Scenario, travel: TravelTables, formulation: Formulated, answer: Answer
) -> tuple[dict[str, Any], referee.Confirmed] | None:
    """The certificate of an answer's bound and what it confirms; None where there is none.

    Raises
    ------
    VerificationError
        When more follows than a plan can cost that keeps every rule: then one of the two is false.
    """
    case = case_of(place, scenario, travel)
    if answer.value is None or answer.bound is None or not supported(case):
        return None
    if formulation.problem.n_pairs > SPLIT and answer.stopped in ("time", "interrupt"):
        return None  # whoever is waiting has waited for as long as was asked for
    lists = cases(formulation.problem, answer.value, sites=len(place.sites))
    certificates = [_named(place, formulation, each) for each in lists]
    if not certificates:
        return None
    bounds, value = [referee.derive(case, each) for each in certificates], answer.value + formulation.constant
    best = max(range(len(bounds)), key=lambda n: bounds[n].pence)
    certificate, follows = certificates[best], bounds[best]
    if (broken := referee.disproof(follows, value)) is not None:
        raise VerificationError("the proof and the plan cannot both be right: nothing is published", [broken.issue()])
    said = [{**each, "buildings": dict(part.buildings), "bound": part.bound}
            for each, part in zip(certificate["cases"], follows.parts, strict=True)]  # fmt: skip
    confirmed = referee.confirmed(follows, value, answer.bound + formulation.constant)
    return {**certificate, "cases": said, "bound_pence": follows.pence}, confirmed


def _named(place: Place, formulation: Formulated, found: tuple[Leaf, ...]) -> dict[str, Any]:
    """Multipliers by name; rows that have none in any case are left out."""
    names = formulation.row_names(place)
    point = _whole(np.array([case.point for case in found]))
    row = _whole(np.array([case.row for case in found]))
    mass = np.abs(point).sum(axis=1, dtype=float) + row.sum(axis=1, dtype=float)
    few = np.minimum(1.0, referee.MASS / 2 / np.maximum(mass, 1.0))[:, None]  # a case with no plan in it may have any
    point, row = (point * few).astype(np.int64), (row * few).astype(np.int64)
    used = np.flatnonzero(row.any(axis=0))
    return {
        "about": ABOUT,
        "form": referee.FORM,
        "unit": referee.UNIT,
        "access_points": [str(each) for each in place.access_points.index[formulation.points]],
        "rows": [list(names[r]) for r in used.tolist()],
        "cases": [
            {"if": _decisions(place, formulation, case), "points": u.tolist(), "rows": v[used].tolist()}
            for case, u, v in zip(found, point, row, strict=True)
        ],
    }


def _whole(pence: Floats) -> np.ndarray:
    """Pence as whole parts of a penny, none too large for a certificate."""
    most = float(referee.LARGEST - 1)
    return np.clip(np.rint(pence * referee.UNIT), -most, most).astype(np.int64)


def _decisions(place: Place, formulation: Formulated, case: Leaf) -> list[list[str]]:
    """What is decided in a case, as the referee reads it."""
    problem, sites, points = formulation.problem, place.sites.index, place.access_points.index[formulation.points]
    found = []
    for column, yes in case.decided:
        if column < problem.n_sites:
            found.append(["open" if yes else "shut", str(sites[column])])
        else:
            pair = column - problem.n_sites
            who, where = points[problem.pair_point[pair]], sites[problem.pair_site[pair]]
            found.append(["at" if yes else "not at", str(who), str(where)])
    return found
