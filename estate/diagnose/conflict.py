"""Which members cannot hold together: every independent cause, each an irreducible set.

*Irreducible*: the set has no plan, and has one as soon as any of its members is let go.  Causes come in two sorts.

* *Dead rows*.  A zone whose every building is out of reach, or an access point with nowhere to go, is a cause by itself,
  together with the fewest members that bar what would serve it; this is read off the
  arrays, and zones with the same cause are told together.
* *The rest*.  What is left, if there is still no plan, is found by QuickXplain (Junker 2004, AAAI), which asks the programme
  about ``2 k log(n / k)`` sets for a cause of ``k`` among ``n`` members; rows implied by others are left out of the search.

When a cause is found, what it asks for is let go (its locks stay), and the search goes on until there is a plan: so two
independent causes are both found, even when they share a lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from estate.diagnose.elastic import Elastic, OutOfTimeError
from estate.diagnose.members import LOCKS, Kind, Member, merged
from estate.problem import Bools, CoverRows, Ints

MOST_CAUSES = 12
"""Causes of the second sort looked for; after these the rest are said to exist."""
MOST_QUESTIONS = 30
"""Questions asked to take one group of a cause apart."""
EFFORTS = (0, 20, 2_000)
"""Branch-and-bound nodes for one question: the linear relaxation first, then what that leaves, with more."""
FEW = 8
"""Groups up to this size are taken apart once more when the linear relaxation is done with them."""
MOST_COMPARED = 4_000
"""Rows of one service up to which every pair is compared for implication."""

BLAMED_LAST = (Kind.AREA, Kind.KEEP, Kind.OUT, Kind.BARRED, Kind.MOVED, Kind.REACH, Kind.CLOSE, Kind.FIXED)
"""Tried for leaving out in this order, so that decisions just taken are named rather than the buildings that stand."""

TOLD_FIRST = (Kind.POINT, Kind.AREA, *reversed(BLAMED_LAST[1:]))
"""Preferred in a cause, in this order: what is a matter of floor area alone is told as such, without rules for people."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Members that cannot hold together, and no fewer of them (an access rule counts once, with its zones)."""

    members: tuple[Member, ...]
    by_itself: bool = False
    """One zone or access point shows it: nothing that could serve it is left."""


@dataclass(frozen=True, slots=True)
class Causes:
    """All that was found.  ``complete``: with what they ask for let go, there is a plan."""

    found: tuple[Cause, ...]
    complete: bool = True
    impossible: bool | None = None
    """Whether the scenario has no plan: None where the clock ended before that was known."""
    untried: tuple[str, ...] = ()
    """What the clock left no time for, in words."""


def find_causes(e: Elastic) -> Causes:
    """Every independent cause; none where there is a plan."""
    active = e.everything()
    found: list[Cause] = []
    impossible: bool | None = None
    for cause, rows in [*_dead(e, active)]:
        found.append(cause)
        active[list(rows)] = False
        impossible = True
    untried: tuple[str, ...] = ("further causes",)
    try:
        if not found and e.plan(active) is not None:
            return Causes((), impossible=False)
        impossible = True
        telling = _telling(e)
        for _ in range(MOST_CAUSES):
            if e.plan(active & telling) is not None:
                return Causes(tuple(found), impossible=True)
            atoms, whole = _conflict(e, active & telling)
            found.append(Cause(merged(e.roster.atoms[m] for m in atoms)))
            if not whole:
                more = ("whether the last cause needs all that it names", *untried)
                return Causes(tuple(found), complete=False, impossible=True, untried=more)
            gone = [m for m in atoms if e.roster.atoms[m].kind not in LOCKS] or atoms
            active[gone] = False
        return Causes(tuple(found), complete=e.plan(active) is not None, impossible=True)
    except OutOfTimeError:
        return Causes(tuple(found), complete=False, impossible=impossible, untried=untried)


def holds(e: Elastic, members: Iterable[Member]) -> bool:
    """Whether some plan meets all of these members, whatever happens to the rest."""
    return e.plan(chosen(e, [e.roster.number[atom] for each in members for atom in each.atoms()])) is not None


def chosen(e: Elastic, atoms: Iterable[int]) -> Bools:
    """(M,) only these."""
    active = np.zeros(len(e.roster.atoms), dtype=bool)
    active[list(atoms)] = True
    return active


# -------------------------------------------------------------------------------------------------- dead rows


def _dead(e: Elastic, active: Bools) -> Iterator[tuple[Cause, Sequence[int]]]:
    """Causes that one row shows by itself, each with the members that it asks for."""
    p = e.problem
    service = p.point_service[p.pair_point]
    bars = _bars_of(e, active)
    groups: dict[tuple[Kind, str, frozenset[int]], list[int]] = {}
    left = e.choices(active)
    homeless = np.flatnonzero(np.bincount(p.pair_point[left], minlength=p.n_points) == 0)
    needs = e.rows.member[: p.n_points]
    for s in homeless.tolist():
        blamed = _fewest(e, [[bars[q] for q in np.flatnonzero(p.pair_point == s).tolist()]], 1)
        yield Cause(merged(e.roster.atoms[m] for m in (needs[s], *blamed)), by_itself=True), (int(needs[s]),)
    always = np.zeros((p.n_services, p.n_sites), dtype=bool)
    always[p.inherent[:, 0], p.inherent[:, 1]] = True
    there = always.copy()
    there[service[left], p.pair_site[left]] = True
    row = np.repeat(np.arange(len(p.cover)), np.diff(p.cover.start))
    reached = np.bincount(row, weights=there[p.cover.service[row], p.cover.site], minlength=len(p.cover))
    for r in np.flatnonzero(reached < p.cover.need).tolist():
        sites, k = p.cover.site[p.cover.start[r] : p.cover.start[r + 1]], p.cover.service[r]
        need = int(p.cover.need[r]) - int(always[k, sites].sum())
        by_site = [
            [bars[q] for q in np.flatnonzero((service == k) & (p.pair_site == j)).tolist()] for j in sites[~always[k, sites]]
        ]
        member = e.roster.atoms[r]
        groups.setdefault((member.kind, member.name, _fewest(e, by_site, need)), []).append(r)
    for (_, _, blamed), rows in groups.items():
        for told in _told_together(e, rows, sorted(blamed)):
            yield Cause(merged(e.roster.atoms[m] for m in (*told, *sorted(blamed))), by_itself=True), told


def _told_together(e: Elastic, rows: list[int], blamed: list[int]) -> Iterator[list[int]]:
    """Rows with the same cause, in as few parts as keep it irreducible.

    Each by itself is served when one of the blamed is let go; all of them together may still not be, by one building.
    """
    if len(rows) == 1 or all(e.plan(chosen(e, [*rows, *(m for m in blamed if m != b)])) is not None for b in blamed):
        yield rows
    else:
        half = len(rows) // 2
        yield from _told_together(e, rows[:half], blamed)
        yield from _told_together(e, rows[half:], blamed)


def _bars_of(e: Elastic, active: Bools) -> list[frozenset[int]]:
    """For each choice, the active members that bar it (-1: barred for good)."""
    found: list[set[int]] = [set() for _ in range(e.problem.n_pairs)]
    taken = {pair for m, pair in e.taken.items() if active[m]}

    def bar(m: int, pairs: Ints) -> None:
        if m < 0 or active[m]:
            for q in pairs.tolist():
                found[q].add(m)

    for m, pairs in e.barring:
        bar(m, np.setdiff1d(pairs, list(taken)) if taken else pairs)
    for m, pair in e.taken.items():
        others = np.flatnonzero(e.problem.pair_point == e.problem.pair_point[pair])
        bar(m, others[others != pair])
    for m, pairs in e.hard:
        bar(m, pairs)
    return [frozenset(each) for each in found]


def _fewest(e: Elastic, by_site: Sequence[Sequence[frozenset[int]]], need: int) -> frozenset[int]:
    """Members, none of them idle, that leave fewer than ``need`` sites with a choice that nothing bars."""
    blamed = set().union(*(each for site in by_site for each in site)) - {-1}

    def dead(without: set[int]) -> bool:
        holding = without | {-1}
        return sum(any(not each & holding for each in site) for site in by_site) < need

    for m in sorted(blamed, key=lambda m: (BLAMED_LAST.index(e.roster.atoms[m].kind), m)):
        if dead(blamed - {m}):
            blamed.remove(m)
    return frozenset(blamed)


# -------------------------------------------------------------------------------------------------- QuickXplain


def _conflict(e: Elastic, active: Bools) -> tuple[list[int], bool]:
    """An irreducible set among the active atoms, and True; or what the clock left of one, which may name too much, and False.

    First by group (a rule with all its zones, all buildings kept for one reason), then within each group as far as
    :data:`MOST_QUESTIONS` goes: where a count or a budget meets a whole county, the parts that matter are the whole county.
    Most conflicts show in the linear relaxation, which is quick; what it leaves is then tried with more effort.
    """
    groups: dict[tuple[Kind, str], list[int]] = {}
    for m in np.flatnonzero(active).tolist():
        groups.setdefault((e.roster.atoms[m].kind, e.roster.atoms[m].name), []).append(m)
    order = sorted(groups, key=lambda key: (TOLD_FIRST.index(key[0]) if key[0] in TOLD_FIRST else len(TOLD_FIRST), *key))
    effort = next((each for each in EFFORTS if e.impossible(active, each)), EFFORTS[-1])
    kept = {key: groups[key] for key in quick_explain(e, {key: groups[key] for key in order}, effort)}
    try:
        for key in sorted(kept, key=lambda key: len(kept[key])):
            rest = [m for other in kept if other != key for m in kept[other]]
            kept[key] = _within(e, kept[key], rest, effort)
        if effort == 0:  # what is needed for fractions may be idle for whole plans
            kept = {key: kept[key] for key in quick_explain(e, kept, EFFORTS[1])}
            small = {m: [m] for each in kept.values() if len(each) <= FEW for m in each}
            rest = [m for each in kept.values() if len(each) > FEW for m in each]
            return (sorted([*rest, *quick_explain(e, small, EFFORTS[1], rest)]) if small else sorted(rest)), True
    except OutOfTimeError:
        return sorted(m for each in kept.values() for m in each), False
    return sorted(m for each in kept.values() for m in each), True


def _within(e: Elastic, group: list[int], rest: list[int], effort: int) -> list[int]:
    """The part of a group that is needed beside the rest; all of it where that is too long to find."""
    if len(group) == 1:
        return group
    try:
        return quick_explain(e, {m: [m] for m in group}, effort, rest, MOST_QUESTIONS)
    except _TooManyError:
        return group


class _TooManyError(Exception):
    """More questions than were allowed."""


def quick_explain[Key](
    e: Elastic, among: Mapping[Key, Sequence[int]], effort: int, rest: Sequence[int] = (), most: int | None = None
) -> list[Key]:
    """Keys of an irreducible set among groups of atoms that have no plan together, beside the ``rest``.

    Those given first are preferred; what cannot be proven with the ``effort`` counts as possible.

    Raises
    ------
    _TooManyError
        When it takes more than ``most`` questions.
    """
    asked = 0

    def impossible(keys: Sequence[Key]) -> bool:
        nonlocal asked
        asked += 1
        if most is not None and asked > most:
            raise _TooManyError
        return e.impossible(chosen(e, [*rest, *(m for key in keys for m in among[key])]), effort)

    def explain(known: list[Key], *, fresh: bool, keys: list[Key]) -> list[Key]:
        if fresh and impossible(known):
            return []
        if len(keys) == 1:
            return keys
        half = len(keys) // 2
        first, second = keys[:half], keys[half:]
        from_second = explain(known + first, fresh=True, keys=second)
        return explain(known + from_second, fresh=bool(from_second), keys=first) + from_second

    return explain([], fresh=False, keys=[*among])


def _telling(e: Elastic) -> Bools:
    """(M,) all members but the access rows that another row of the same service implies."""
    result = e.everything()
    cover = e.problem.cover
    for k in np.unique(cover.service).tolist():
        rows = np.flatnonzero(cover.service == k)
        result[rows] = _minimal(cover, rows, e.problem.n_sites)
    return result


def _minimal(cover: CoverRows, rows: Ints, n_sites: int) -> Bools:
    """Which of the rows no other implies: one with no more sites that asks for as much; of equal rows the first."""
    reach = np.zeros((len(rows), n_sites), dtype=np.float32)
    for i, r in enumerate(rows.tolist()):
        reach[i, cover.site[cover.start[r] : cover.start[r + 1]]] = 1
    need = cover.need[rows]
    key = np.column_stack([reach, need]).astype(np.int8)
    _, first = np.unique(key, axis=0, return_index=True)
    result = np.zeros(len(rows), dtype=bool)
    result[first] = True
    if len(first) <= MOST_COMPARED:
        one, size = reach[first], reach[first].sum(axis=1)
        inside = (one @ one.T >= size[None, :]) & (need[first][None, :] >= need[first][:, None])  # column within row
        np.fill_diagonal(inside, val=False)
        result[first] = ~inside.any(axis=1)
    return result
