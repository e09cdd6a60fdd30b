"""A bound on the objective, derived again from the tables and a certificate: multipliers, for one case or several.

For any numbers ``u`` by counter and any ``v >= 0`` by row of an access rule, every plan that keeps the rules costs at least

    sum of u + sum of v x need + sum over buildings of the least that one can add

where a building that opens adds its cost less the most that guests who fit can be worth (:mod:`estate.verify.guests`): a counter
is worth its ``u`` less what it costs there, a service the ``v`` of all rows that it meets from there (Geoffrion 1974).  Rows by
share add the cheapest way to reach enough people.  So multipliers are hints: bad ones give a low bound, none gives a false one.

*Cases* are what is left when decisions are split in two again and again, a building open or shut, a counter in a building or
not: together they hold every plan, whatever the decisions are, and the bound is the least of theirs.  So a proof by branch and
bound can be followed as far as its cases are written down.

Everything is in whole parts of a penny (:data:`UNIT`), and every division is rounded so that it lowers the bound.  Where all
costs are in round figures, so is every plan's, and the bound is raised to the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estate.verify.case import Case, Finding, finding
from estate.verify.guests import Whole, most
from estate.verify.relaxed import Buildings, Rows, buildings, rows_of, supported

UNIT = 10_000
"""Multipliers are in so many parts of a penny: a thousand of them, each rounded, are out by no more than a twentieth of one."""
LARGEST = 1 << 53
"""No number of a certificate may be as large: it would not survive being read by other programs."""
MASS = 1 << 55
"""Nor may all that could be added up in a building, in the unit above: it must fit in 64 bits with room to spare."""
DEEPEST = 400
"""Most decisions of a case."""
FORM = 1


class Unfit(Exception):
    """What is said is no certificate of this place; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A case: its bound, and what each building adds to it where that is not nothing; parts of a penny a year (:data:`UNIT`)."""

    bound: int
    buildings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Bound:
    """What follows: ``pence`` a year that no plan costs less than, and the same with no multipliers at all."""

    pence: int
    at_sight_pence: int
    parts: tuple[Part, ...]


def derive(case: Case, certificate: Mapping[str, Any]) -> Bound:
    """The bound that a certificate's multipliers give; what it claims of them is not looked at.

    Raises
    ------
    Unfit
        Where it is not one: a number that is none, a row below nothing, a name that is not in the tables, cases that leave
        plans out.
    """
    if not supported(case):
        raise Unfit("there is none for this objective, or for a programme over years")
    if certificate.get("form") != FORM or certificate.get("unit") != UNIT:
        raise Unfit(f"its form is not {FORM}, or its unit not a {UNIT}th of a penny")
    key = "bound"
    if key not in case.memo:
        case.memo[key] = buildings(case)
    place: Buildings = case.memo[key]
    points, names = _names(certificate, "access_points", 1), _names(certificate, "rows", 2)
    at = {point: i for i, point in enumerate(place.points)}
    if strange := [point for (point,) in points if point not in at]:
        raise Unfit(f"no access points of the place: {strange[:5]}")
    rows, unknown = rows_of(case, [(name[0], name[1]) for name in names], place.sites)
    if unknown:
        raise Unfit(f"no rows of the rules: {unknown[:5]}")
    cases = [each for each in _list(certificate, "cases") if isinstance(each, Mapping)]
    if not cases or len(cases) < len(certificate["cases"]):
        raise Unfit("it has no cases, or some are none")
    decisions = [_decisions(each) for each in cases]
    _complete(decisions, 0)
    where = np.array([at[point] for (point,) in points], dtype=np.int64)
    parts, seen = [], dict[tuple[object, ...], int]()
    for each, decided in zip(cases, decisions, strict=True):
        u = np.zeros(len(place.points), dtype=np.int64)
        u[where] = _numbers(each, "points", len(points))
        v = _numbers(each, "rows", len(names))
        if (v < 0).any():
            raise Unfit("a row's multiplier is below nothing")
        parts.append(_case(place, rows, u, v, decided, seen))
    empty = np.zeros(0, dtype=np.int64)
    none = Rows(empty, empty, empty, empty, empty, empty, empty, ())
    sight = _case(place, none, np.zeros(len(place.points), dtype=np.int64), empty, (), {})
    return Bound(_whole(place, min(part.bound for part in parts)), _whole(place, sight.bound), tuple(parts))


def _whole(place: Buildings, bound: int) -> int:
    """Pence: the least cost a plan may have that is not below the bound."""
    pence = -(-bound // UNIT)
    return place.constant - (place.constant - pence) // place.step * place.step


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How much of a claimed bound follows from the tables; the rest rests on the solver's branch and bound."""

    bound_gbp_pa: float
    """No plan costs less: that follows."""
    at_sight_gbp_pa: float
    """That much needs no multipliers: it is what must stay open."""
    share: float
    """How much of the way from the bound at sight to the bound that is claimed."""
    gap: float
    """How far below the plan's cost it is, relative."""
    cases: int


def confirmed(found: Bound, objective: int, claimed: float) -> Confirmed:
    """What a bound confirms of the one that is claimed for a plan of so many pence."""
    way = claimed - found.at_sight_pence
    share = 1.0 if found.pence >= claimed - 0.5 else max(found.pence - found.at_sight_pence, 0) / way if way > 0 else 0.0
    gap = (objective - found.pence) / max(abs(objective), 1)
    return Confirmed(found.pence / 100, found.at_sight_pence / 100, share, gap, len(found.parts))


def check_bound(
    case: Case, certificate: Any, said: Mapping[str, Any] | None, objective: int, claimed: float
) -> tuple[Finding, Confirmed | None]:
    """Whether what a certificate claims follows, and what is said of it elsewhere; ``objective`` and ``claimed`` are in pence."""
    says = "the bound does not follow from its certificate"
    if not isinstance(certificate, Mapping) or said is None:
        return finding("certificate", 1, ["it is missing, or nothing is said of it"], says), None
    try:
        found = derive(case, certificate)
    except Unfit as why:
        return finding("certificate", 1, [str(why)], says), None
    if (broken := disproof(found, objective)) is not None:
        return broken, None
    follows = confirmed(found, objective, claimed)
    wrong = list(_overstated(certificate, found))
    for name, figure in asdict(follows).items():
        if not isinstance(told := said.get(name), int | float) or not isclose(told, figure, rel_tol=1e-9, abs_tol=1e-9):
            wrong.append(f"{name}: {told}, and {figure} follows")
    return finding("certificate", 1 + sum(len(part.buildings) for part in found.parts), wrong, says), follows


def disproof(found: Bound, objective: int) -> Finding | None:
    """What is wrong where no plan can cost so little as one does that keeps every rule."""
    if found.pence <= objective:
        return None
    return finding(
        "certificate", 1, [f"a plan of {objective} pence, and none below {found.pence}"], "the bound is above a plan"
    )


def _overstated(certificate: Mapping[str, Any], found: Bound) -> Iterator[str]:
    """Claims that are no whole number, or more than what follows: of all, of each case, of each building in it."""
    claims: list[tuple[str, Any, int]] = [("the bound", certificate.get("bound_pence"), found.pence)]
    for n, (case, part) in enumerate(zip(certificate["cases"], found.parts, strict=True), start=1):
        claims.append((f"case {n}", case.get("bound"), part.bound))
        adds = case.get("buildings")
        if not isinstance(adds, Mapping):
            yield f"case {n} does not say what its buildings add"
            continue
        claims += [(f"case {n}, {site}", said, part.buildings.get(site, 0)) for site, said in adds.items()]
    for what, said, follows in claims:
        if type(said) is not int:
            yield f"{what}: no whole number"
        elif said > follows:
            yield f"{what}: {said}, and {follows} follows"


# -------------------------------------------------------------------------------------------------- one case


def _case(
    place: Buildings, rows: Rows, u: Whole, v: Whole, decided: Sequence[tuple[str, ...]], seen: dict[tuple[object, ...], int]
) -> Part:
    """The bound of one case; ``seen`` keeps what a building's guests are worth, for cases in which it is the same."""
    v = np.where(rows.price >= 0, np.minimum(v, rows.price * UNIT), v)
    costs = np.abs(place.open_cost)
    np.add.at(costs, np.repeat(np.arange(len(costs)), np.diff(place.start)), np.abs(place.cost))
    mass = sum(np.abs(u).tolist()) + sum(v.tolist()) + UNIT * int(costs.max(initial=0))
    if mass >= MASS:
        raise Unfit("its numbers are too large to be added up")
    kept, shut, may = place.kept.copy(), place.shut.copy(), np.ones(len(place.point), dtype=bool)
    for decision in decided:
        _take(place, decision, kept, shut, may)
    K = len(place.services)
    bonus = np.zeros((len(place.sites), K), dtype=np.int64)
    np.add.at(bonus, (rows.entry_site, rows.service[rows.entry_row]), v[rows.entry_row])
    worth = u[place.point] - UNIT * place.cost
    worth[~may] = -MASS  # more than anything could make up for
    total = int(u.sum()) + int((v.astype(object) * rows.need).sum()) + UNIT * place.constant + _shared(rows, v)
    adds: dict[str, int] = {}
    for j in np.flatnonzero(~shut).tolist():
        mine = slice(int(place.start[j]), int(place.start[j + 1]))
        key = (j, worth[mine].tobytes(), bonus[j].tobytes())
        if key not in seen:
            seen[key] = most(place.guests[j], worth[mine], bonus[j])
        least = UNIT * int(place.open_cost[j]) - seen[key]
        if kept[j] or least < 0:
            adds[place.sites[j]] = least
    return Part(total + sum(adds.values()), {site: least for site, least in adds.items() if least})


def _take(
    place: Buildings, decision: tuple[str, ...], kept: NDArray[np.bool_], shut: NDArray[np.bool_], may: NDArray[np.bool_]
) -> None:
    """What a decision leaves of what may be; of what is not in the place it says nothing."""
    what, *names = decision
    if what in ("open", "shut"):
        (kept if what == "open" else shut)[[site == names[0] for site in place.sites]] = True
        return
    point, site = names
    mine = place.point == (place.points.index(point) if point in place.points else -1)
    here = np.zeros(len(mine), dtype=bool)
    if site in place.sites:
        j = place.sites.index(site)
        here[place.start[j] : place.start[j + 1]] = True
    may &= ~(mine & ~here) if what == "at" else ~(mine & here)


def _shared(rows: Rows, v: Whole) -> int:
    """The cheapest way to reach enough people of each share, in parts of zones if need be: never more than in whole ones."""
    total = 0
    for g, (wanted, unnamed) in enumerate(rows.shares):
        mine = np.flatnonzero(rows.share == g)
        left = wanted - unnamed
        for weight, price in sorted(zip(rows.weight[mine].tolist(), v[mine].tolist(), strict=True), key=_dear):
            if left <= 0:
                break
            part = min(left, weight)
            total += price * part // weight
            left -= part
    return total


def _dear(row: tuple[int, int]) -> Fraction:
    return Fraction(row[1], row[0])


# -------------------------------------------------------------------------------------------------- cases


OTHER = {"open": "shut", "shut": "open", "at": "not at", "not at": "at"}
"""What is so where a decision is not."""


def _decisions(each: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The decisions of a case, in the order in which they were split."""
    found = []
    for decision in _list(each, "if"):
        fit = isinstance(decision, list) and all(isinstance(part, str) for part in decision) and decision[:1] != []
        if not fit or decision[0] not in OTHER or len(decision) != (2 if decision[0] in ("open", "shut") else 3):
            raise Unfit(f"no decision: {decision!r}")
        found.append(tuple(decision))
    if len(found) > DEEPEST:
        raise Unfit(f"a case of more than {DEEPEST} decisions")
    return tuple(found)


def _complete(cases: Sequence[tuple[tuple[str, ...], ...]], depth: int) -> None:
    """Refuse cases, the same up to ``depth``, that do not hold every plan together."""
    if len(cases) == 1 and len(cases[0]) == depth:
        return
    if any(len(case) <= depth for case in cases):
        raise Unfit("a case that is within another")
    first = cases[0][depth]
    yes = [case for case in cases if case[depth] == first]
    no = [case for case in cases if case[depth] == (OTHER[first[0]], *first[1:])]
    if not no or len(yes) + len(no) < len(cases):
        raise Unfit(f"the cases leave plans out: what if not {' '.join(first)}?")
    _complete(yes, depth + 1)
    _complete(no, depth + 1)


# -------------------------------------------------------------------------------------------------- reading


def _list(of: Mapping[str, Any], name: str) -> list[Any]:
    found = of.get(name)
    if not isinstance(found, list):
        raise Unfit(f"'{name}' is no list")
    return found


def _names(certificate: Mapping[str, Any], name: str, size: int) -> list[tuple[str, ...]]:
    """Names of one part or of two, each once."""
    found = [tuple(each) if isinstance(each, list) else (each,) for each in _list(certificate, name)]
    if any(len(each) != size or not all(isinstance(part, str) for part in each) for each in found):
        raise Unfit(f"'{name}' has what is no name")
    if len(set(found)) < len(found):
        raise Unfit(f"'{name}' names something twice")
    return found


def _numbers(each: Mapping[str, Any], name: str, n: int) -> Whole:
    """(n,) whole numbers."""
    found = _list(each, name)
    if len(found) != n:
        raise Unfit(f"'{name}' has {len(found)} numbers for {n} names")
    if any(type(number) is not int or abs(number) >= LARGEST for number in found):
        raise Unfit(f"'{name}' has what is no whole number below 2**53")
    return np.array(found, dtype=np.int64)
