"""Share rules with fewer items: the same plans meet them.

A rule asks for ``sum of w_i over the covered items >= b``.  In this order:

* *entries* of offers that can never be go; an item with none left can never be covered, and goes;
* an item covered in *every* plan (a point that has nowhere else, an inherent offer of a building that must open, a point all of
  whose buildings are in its reach: :func:`estate.solve.reduce.cover_rows.met_wherever`) goes, and its weight comes off ``b``;
* items with *equal reach* are one item with their weights added up;
* with ``t`` the weight of all items left, ``t - b`` may be missed.  If item ``i`` is missed, so is every item whose reach lies
  inside its own; where those together weigh more than ``t - b``, item ``i`` cannot be missed (the closure of a knapsack with
  precedence, Park and Park 1997): it becomes a *cover row*, and its weight comes off ``b`` (``t - b`` stays, so one look finds
  all of them);
* an item that reaches all the sites of a cover row is covered by whatever meets the row, and goes as one that is sure;
* weights are divided by their greatest common divisor, and what may be missed rounded down;
* a weight above ``b`` does as well at ``b`` (coefficient reduction, Savelsbergh 1994); nothing is left of a rule with ``b <= 0``.

On a generated county where 95% of people must be within each limit 2,000 items become 270 in all, on a region 25,000 become
6,000.
The goal ``covered`` counts the weight itself, so its rules are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csr_array

from estate.problem import Bools, CoverRows, Goal, Ints, Problem, ShareRule
from estate.solve.reduce.cover_rows import met_wherever


@dataclass(frozen=True, slots=True, eq=False)
class Lighter:
    """The problem with lighter rules, and what became of its rows (cover rows, then items): new numbers, or -1."""

    problem: Problem
    becomes: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """A lighter rule, the item or row that each old item became (-1: none), and the reach of those that are rows."""

    rule: ShareRule
    item: Ints
    row: Ints
    reach: list[Ints]
    same: bool
    """Nothing changed."""


def lighter(problem: Problem, free: Bools) -> Lighter | None:
    """The problem with its share rules made lighter, None where nothing changes; ``free`` (S,) points may be nowhere."""
    p, K = problem, problem.n_services
    if p.goal is Goal.COVERED or not p.shares:
        return None
    offer = p.pair_site * K + p.point_service[p.pair_point]
    inherent = np.zeros(p.n_sites * K, dtype=bool)
    inherent[p.inherent[:, 1] * K + p.inherent[:, 0]] = True
    can = inherent & np.repeat(~p.must_close, K)
    can[offer[~p.must_close[p.pair_site]]] = True
    sure = inherent & np.repeat(p.must_open, K)
    alone = np.bincount(p.pair_point, minlength=p.n_points) == 1
    sure[offer[(alone & ~free)[p.pair_point]]] = True
    rules = [_lighter(p, rule, can, sure, free) for rule in p.shares]

    if all(r.same for r in rules):
        return None

    rows, held = len(p.cover), [c for r in rules for c in r.reach]
    place, first = rows, rows + len(held)
    becomes = [np.arange(rows)]
    for r in rules:
        becomes.append(np.where(r.item >= 0, first + r.item, np.where(r.row >= 0, place + r.row, -1)))
        place, first = place + len(r.reach), first + len(r.rule.weight)
    length = np.array([len(c) for c in held], dtype=np.int64)
    service = np.repeat([r.rule.service for r in rules], [len(r.reach) for r in rules]).astype(np.int64)
    c = p.cover
    cover = CoverRows(
        np.concatenate([c.service, service]),
        np.concatenate([c.need, np.ones(len(held), dtype=np.int64)]),
        np.concatenate([c.start, c.start[-1] + np.cumsum(length)]),
        np.concatenate([c.site, *held]),
        np.concatenate([c.excuse, np.full(len(held), -1)]),
    )
    shares = tuple(r.rule for r in rules if len(r.rule.weight) or r.rule.required > 0)
    return Lighter(replace(p, cover=cover, shares=shares), np.concatenate(becomes).astype(np.int64))


def _inside(inner: list[Ints], outer: list[Ints]) -> tuple[Ints, Ints]:
    """Pairs (list, outer list), of lists with no repeats, of which the first lies wholly inside the second."""
    none = np.zeros(0, dtype=np.int64)
    site, wider = (np.concatenate([none, *lists]) for lists in (inner, outer))
    width = int(max(site.max(initial=0), wider.max(initial=0))) + 1
    a, b = (
        csr_array((np.ones(len(at)), at, np.cumsum([0, *(len(x) for x in lists)])), shape=(len(lists), width))
        for at, lists in ((site, inner), (wider, outer))
    )
    common = coo_array(a @ b.T)
    whole = common.data >= np.array([len(x) for x in inner], dtype=np.int64)[common.coords[0]]
    return common.coords[0][whole].astype(np.int64), common.coords[1][whole].astype(np.int64)


def _asked(p: Problem, service: int, can: Bools) -> list[Ints]:
    """The sites of each cover row of a service that nothing but an offer meets, offers that can never be left out."""
    c = p.cover
    which = np.flatnonzero((c.service == service) & (c.need >= 1) & (c.excuse < 0))
    lists = [c.site[c.start[r] : c.start[r + 1]] for r in which.tolist()]
    return [sites[can[sites * p.n_services + service]] for sites in lists]


def _lighter(p: Problem, rule: ShareRule, can: Bools, sure: Bools, free: Bools) -> _Rule:
    n = len(rule.weight)
    at = rule.site * p.n_services + rule.service
    item = np.repeat(np.arange(n), np.diff(rule.start))
    keep = can[at]
    covered = np.bincount(item[sure[at]], minlength=n) > 0
    left = np.bincount(item[keep], minlength=n)
    start = np.concatenate([[0], np.cumsum(left)]).astype(np.int64)
    site = rule.site[keep]
    one = np.ones(n, dtype=np.int64)
    covered |= met_wherever(replace(p, cover=CoverRows(one * rule.service, one, start, site, -one)), free)
    required = rule.required - int(rule.weight[covered].sum())

    # Equal reach: the first of its kind stands for all.
    number: dict[bytes, int] = {}
    group = np.full(n, -1)
    for i in np.flatnonzero(~covered & (left > 0) & (required > 0)).tolist():
        group[i] = number.setdefault(np.sort(site[start[i] : start[i + 1]]).tobytes(), len(number))
    weight = np.zeros(len(number), dtype=np.int64)
    np.add.at(weight, group[group >= 0], rule.weight[group >= 0])
    reach = [np.frombuffer(key, dtype=np.int64) for key in number]

    inside, outer = _inside(reach, reach)
    must = np.bincount(outer, weight[inside], len(reach)) > int(weight.sum()) - required
    asked = [reach[i] for i in np.flatnonzero(must).tolist()] + _asked(p, rule.service, can)
    met = np.zeros(len(reach), dtype=bool)
    met[_inside(asked, reach)[1]] = True
    required -= int(weight[must | met].sum())
    rest = ~must & ~met & (required > 0)
    as_row, as_item = (np.where(m, np.cumsum(m) - 1, -1) for m in (must, rest))
    kept = [reach[i] for i in np.flatnonzero(rest).tolist()]
    unit = max(int(np.gcd.reduce(weight[rest], initial=0)), 1)
    spare = int(weight[rest].sum()) - required
    left_over = weight[rest] // unit
    required = int(left_over.sum()) - spare // unit if kept else required
    new = ShareRule(
        rule.name,
        rule.service,
        np.minimum(left_over, max(required, 0)),
        np.concatenate([[0], np.cumsum([len(r) for r in kept])]).astype(np.int64),
        np.concatenate([np.zeros(0, dtype=np.int64), *kept]),
        required,
    )
    same = len(new.weight) == n and len(new.site) == len(rule.site) and new.required == rule.required
    return _Rule(
        new,
        np.where(group >= 0, as_item[group], -1) if number else group,
        np.where(group >= 0, as_row[group], -1) if number else group,
        [reach[i] for i in np.flatnonzero(must).tolist()],
        same=same and bool((new.weight == rule.weight).all()),
    )
