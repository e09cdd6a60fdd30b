"""Configuration columns: one binary for each site and set of points that could be together there.

    minimise  sum_S cost_S x_S
    each point in one set     sum_{S contains s} x_S  = 1
    each site has one set     sum_{S at j} x_S       <= 1            (= 1 where the site must be open)
    cover rows                sum_S a_rS x_S         >= need_r       (a_rS: S puts an offer that helps row r at its site)
    side rows                 sum_S b_rS x_S         >= need_r       (b_rS: what S opens, hosts, offers, and whether it is a hub)

Floor area, halls, desks, who may share with whom: all of it is inside "S could be there", so what remains is a set partition,
and its linear bound is that of :mod:`estate.solve.columns.lagrangian` (Dantzig and Wolfe 1960; Neebe and Rao 1983 for the
single-source plant problem).  A county has some hundreds of thousands of sets.  Few can matter: with the multipliers' bound
``L``, the site's profit ``g_j = max(0, K_j - C_j)`` and a plan of cost ``U``, every plan that uses ``S`` at ``j`` costs at least

    L + g_j - (value(S) - C_j)

so sets for which this exceeds ``U`` are left out, and no better plan is lost (Baldacci, Christofides and Mingozzi 2008 do the
same with routes).  At a gap of half a percent some thousands remain, and :mod:`estate.solve.columns.branch_and_bound` finishes.
"""

# Compiled kernels: numba infers the types; one long function is faster than many, and seeds its own generator.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0913, PLR0915, PLR0917

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np
from scipy.sparse import csr_array

from estate.model.arrays import MONEY, Arrays
from estate.problem import Bools, Floats, Ints, Problem, Solution
from estate.solve.columns.core import ALWAYS, Core
from estate.solve.columns.lagrangian import Dual, prices
from estate.solve.columns.pricing import GROW

CLOSE = 1e-4
"""Nearer the bound than this (relative) no shorter list is asked for, and :data:`FEW` sets of each building must do."""
FEW = 100
"""Sets of each building where some have too many to list."""
MANY = 100_000
"""Sets that tie at the best multipliers from which on no list of them is made."""
STEPS = 10_000_000
"""Steps of the listing of one site: a few seconds at most, and fifty times fewer where leaving sets out is allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Sets of slots: set ``i`` at ``site[i]`` holds ``slot[start[i]:start[i + 1]]`` (none: open with nobody)."""

    site: Ints
    start: Ints
    slot: Ints
    least: Floats
    """No plan with this set costs less (pence)."""
    shut: Bools
    """(J,) whether the site may be closed in a plan that is better."""
    dearest: Floats
    """(J,) reduced cost (pence) from which on a site's sets are not listed."""


@numba.njit(cache=True, nogil=True)
def _breaks(core, j, stack, depth, a, group, row, whole):
    """Whether a set breaks a rule that is the business of its building alone; if not ``whole``, so do all that hold it."""
    lo = core.site_group[j]
    there = np.zeros(core.site_group[j + 1] - lo, dtype=np.bool_)
    for t in range(depth):
        there[group[stack[t]] - lo] = True
    for c in range(core.clash_start[j], core.clash_start[j + 1]):
        x, y, kind = core.clash[c, 0], core.clash[c, 1], core.clash[c, 2]
        one = x == ALWAYS or (x >= 0 and there[x - lo])
        other = y == ALWAYS or (y >= 0 and there[y - lo])
        if (kind == 0 and one and other) or (whole and kind == 1 and one != other):
            return True
    J = len(core.site_cost)
    for e in range(core.local_start[j], core.local_start[j + 1]):
        row[core.local[e]] = -core.side_need[core.local[e]]
    for i in range(core.side_start[j], core.side_start[j + 1]):
        row[core.side_row[i]] += core.side_value[i]
    for t in range(depth):
        for i in range(core.side_start[J + a + stack[t]], core.side_start[J + a + stack[t] + 1]):
            row[core.side_row[i]] += core.side_value[i]
    broken = False
    for e in range(core.local_start[j], core.local_start[j + 1]):
        broken |= row[core.local[e]] < 0.0
    return broken


@numba.njit(cache=True, nogil=True)
def _enumerate(core, profit, bonus, hub, threshold, most, most_slots, each, steps):
    """All sets worth at least ``threshold[j]``: (sites gone through, count, sites, starts, slots, values).

    Where there are too many it ends in the middle of a site: those before have been gone through, and the sets are some.

    Where a site has more than ``each``, its threshold is raised, in place, to the median of those found, and it is listed anew.
    A site that takes more than ``steps`` is left out (its threshold says so) if ``each`` allows, else there are too many.
    """
    site, value = np.empty(most, np.int64), np.empty(most)
    start, slot = np.zeros(most + 1, np.int64), np.empty(most_slots, np.int64)
    n = 0
    j = -1
    row = np.zeros(len(core.side_need))
    while j + 1 < len(core.site_cost):
        j += 1
        begun, step = n, 0
        ruled = core.clash_start[j] < core.clash_start[j + 1] or core.local_start[j] < core.local_start[j + 1]
        meeting = max(hub[j], 0.0)  # the most that a further service may bring by making the building a hub
        lo, hi = core.site_group[j], core.site_group[j + 1]
        a, b = core.group_slot[lo], core.group_slot[hi]
        m = b - a
        if m == 0:
            continue
        group = np.empty(m, np.int64)
        for g in range(lo, hi):
            group[core.group_slot[g] - a : core.group_slot[g + 1] - a] = g
        # after[i]: most that slots i.. can add while their group is absent so far; rate: most for a unit of area.
        after, rate = np.zeros(m + 1), np.zeros(m + 1)
        for i in range(m - 1, -1, -1):
            s, g = a + i, group[i]
            after[i] = after[i + 1] + max(profit[s], 0.0) + (max(bonus[g], 0.0) if i == m - 1 or group[i + 1] != g else 0.0)
            with_desk = (profit[s] + bonus[g]) / max(core.slot_own[s] + core.slot_desk[s], 1e-3)
            rate[i] = max(rate[i + 1], with_desk, profit[s] / max(core.slot_own[s], 1e-3))
        # Depth first: stack of chosen positions; at each step go on to the next position.
        stack = np.empty(m + 1, np.int64)
        worth, own, hall = np.zeros(m + 2), np.zeros(m + 2, np.int64), np.zeros(m + 2, np.int64)
        desks, desk, guest = np.zeros(m + 2, np.int64), np.zeros(m + 2, np.int64), np.zeros(m + 2, np.bool_)
        kind, several = np.full(m + 2, -1, np.int64), np.zeros(m + 2, np.bool_)
        depth, i = 0, 0
        floor = threshold[j]
        room = core.capacity[j]
        while True:
            step += 1
            if step > steps:
                if each > most:
                    return j, n, site, start, slot, value
                n, threshold[j] = begun, 1e300
                break
            advance = True
            if i < m:
                left = room + core.slack[j] - own[depth] - hall[depth] - desks[depth]
                # The group's bonus is in `after` once, though it may be present already: an upper bound all the same.
                if worth[depth] + meeting + min(after[i], rate[i] * GROW * left) >= floor:
                    advance = False
            if advance:
                if depth == 0:
                    break
                depth -= 1
                i = stack[depth] + 1
                continue
            s, g = a + i, group[i]
            same = depth > 0 and group[stack[depth - 1]] == g
            d = desk[depth] if same else np.int64(0)
            new_desk = max(d, core.slot_desk[s])
            new_desks = desks[depth] - d + new_desk
            new_own = own[depth] + core.slot_own[s]
            new_hall = max(hall[depth], core.slot_hall[s])
            new_guest = guest[depth] or not core.slot_home[s]
            limit = room if new_guest else room + core.slack[j]
            if new_own + new_hall + new_desks <= limit:
                new_worth = worth[depth] + profit[s] + (0.0 if same else bonus[g])
                stack[depth] = i
                if ruled and _breaks(core, j, stack, depth + 1, a, group, row, False):
                    i += 1
                    continue
                depth += 1
                worth[depth], own[depth], hall[depth] = new_worth, new_own, new_hall
                desks[depth], desk[depth], guest[depth] = new_desks, new_desk, new_guest
                mine, one = core.group_kind[g], kind[depth - 1]
                several[depth] = several[depth - 1] or (mine >= 0 and one >= 0 and mine != one)
                kind[depth] = one if mine < 0 else mine
                if several[depth]:
                    new_worth += hub[j]
                if new_worth >= floor and not (ruled and _breaks(core, j, stack, depth, a, group, row, True)):
                    if n - begun >= each:
                        threshold[j] = max(np.median(value[begun:n]), floor + 1.0)
                        n = begun
                        j -= 1
                        break
                    if n >= most or start[n] + depth > most_slots:
                        return j, n, site, start, slot, value
                    site[n], value[n] = j, new_worth
                    for t in range(depth):
                        slot[start[n] + t] = a + stack[t]
                    start[n + 1] = start[n] + depth
                    n += 1
            i += 1
    return j + 1, n, site, start, slot, value


def listed(
    problem: Problem, core: Core, dual: Dual, dearest: Floats, *, most: int = 400_000, each: int | None = None
) -> Patterns | None:
    """Every set whose reduced cost at these multipliers is at most ``dearest`` (J,), or None when there are more than ``most``.

    With ``each``, no site lists more than so many, the best of it; :attr:`Patterns.dearest` says where it stopped.
    """
    found, through = _some(problem, core, dual, dearest, most, each)
    return found if through == problem.n_sites else None


def _some(problem: Problem, core: Core, dual: Dual, dearest: Floats, most: int, each: int | None) -> tuple[Patterns, int]:
    """What :func:`listed` found, and how many sites it went through: all of them where there were not too many sets."""
    J = problem.n_sites
    profit, bonus, fixed, hub = (np.zeros(n) for n in (len(core.slot_point), len(core.group_offer), J, J))
    prices(core, dual.point, dual.row, profit, bonus, fixed, hub)
    threshold = fixed - dearest
    through, n, site, start, slot, value = _enumerate(
        core, profit, bonus, hub, threshold, most, most * 6, each or most + 1, STEPS if each is None else STEPS // 50
    )
    site, start, value = site[:n], start[: n + 1], value[:n]
    nobody = np.flatnonzero((threshold <= 0.0) & ~problem.must_close & _may_be_empty(core))
    site = np.concatenate([site, nobody])
    start = np.concatenate([start, np.full(len(nobody), start[-1])])
    value = np.concatenate([value, np.zeros(len(nobody))])
    forced = np.where(core.must_open, dual.site_profit, np.maximum(dual.site_profit, 0.0))
    least = dual.bound + forced[site] + fixed[site] - value
    found = Patterns(site, start, slot[: start[-1]].copy(), least, ~core.must_open, fixed - threshold)
    return found, through


def endless(problem: Problem, core: Core, dual: Dual) -> bool:
    """Whether at these multipliers more sets are as good as the best ones than any list could hold (:data:`MANY`).

    So it is where floor is plentiful, hosting costs nothing and costs are round: most points have a price of nothing.
    """
    return worth_keeping(problem, core, dual, dual.bound, most=MANY) is None


def worth_keeping(
    problem: Problem, core: Core, dual: Dual, best: float, *, most: int = 400_000, each: int | None = None
) -> Patterns | None:
    """Every set that a plan cheaper than ``best`` could use, or None when there are more than ``most``."""
    found, through = _useful(problem, core, dual, best, most, each)
    return found if through == problem.n_sites else None


def _useful(problem: Problem, core: Core, dual: Dual, best: float, most: int, each: int | None) -> tuple[Patterns, int]:
    forced = np.where(core.must_open, dual.site_profit, np.maximum(dual.site_profit, 0.0))
    # Wider by the rounding of a float sum.
    dearest = best - dual.bound - forced + 1e-9 * abs(best)
    found, through = _some(problem, core, dual, dearest, most, each)
    return replace(found, shut=~core.must_open & (dual.bound + forced <= best)), through


def within(
    problem: Problem, core: Core, dual: Dual, spare: float, most: int, *, each: int | None = None
) -> tuple[Patterns, float]:
    """Sets within ``spare`` (pence) of the bound, or within as much of it as ``most`` sets allow.

    Also returns how far that is: every plan that uses another set costs at least so much more than the bound (minus infinity
    where some building has too many sets to list however few are asked for: then the best few of each, and no promise).

    With ``each``, the best so many of every building instead: a promise of little, and better plans where the gap is wide, since
    a short list by distance alone holds many sets of a few buildings and one or two of the rest.
    """
    least = CLOSE * abs(dual.bound)
    while each is None:
        found, through = _useful(problem, core, dual, dual.bound + spare, most, None)
        if through == problem.n_sites:
            return found, spare
        if spare <= least:
            break
        spare = _shorter(core, found, dual, spare, through, most)
    few = worth_keeping(problem, core, dual, dual.bound + spare, most=most, each=each or FEW)
    few = nobody(problem, core) if few is None else few
    profit = np.where(core.must_open, dual.site_profit, np.maximum(dual.site_profit, 0.0))
    return few, float(np.min(profit + few.dearest))


def _shorter(core: Core, found: Patterns, dual: Dual, spare: float, through: int, most: int) -> float:
    """A distance from the bound at which the list should be of the right length, by what was found before it was too long.

    The sites gone through have a share of all slots; were the others like them, so many of the sets found may stay.  On a
    region's neighbourhoods that is 4 lists where cutting the distance by a fixed share took 7.
    """
    if len(found.site) < most:  # one site took too long, or the sets are large
        return 0.6 * spare
    share = core.group_slot[core.site_group[through + 1]] / len(core.slot_point)
    away = np.sort(found.least - dual.bound)
    return float(np.clip(away[int(0.8 * share * most)], 0.2 * spare, 0.8 * spare))


def of_slots(problem: Problem, core: Core, slots: Ints) -> Patterns:
    """One set for each site that has any of these slots (ascending: slots are in order of site)."""
    site, count = np.unique(core.slot_site[slots], return_counts=True)
    return _plainly(problem, site, np.concatenate([[0], np.cumsum(count)]).astype(np.int64), slots)


def nobody(problem: Problem, core: Core) -> Patterns:
    """The empty set of each site that a plan may keep open with nobody in it."""
    return bare(problem, np.flatnonzero(~problem.must_close & _may_be_empty(core)))


def bare(problem: Problem, site: Ints) -> Patterns:
    """The empty set of each of these sites."""
    none = np.zeros(0, dtype=np.int64)
    return _plainly(problem, site.astype(np.int64), np.zeros(len(site) + 1, dtype=np.int64), none)


def _plainly(problem: Problem, site: Ints, start: Ints, slot: Ints) -> Patterns:
    return Patterns(site, start, slot, np.full(len(site), -np.inf), ~problem.must_open, np.full(problem.n_sites, -np.inf))


def with_plan(problem: Problem, core: Core, patterns: Patterns, plan: Solution) -> Patterns:
    """The patterns and, where they lack one, those of a plan: so that the programme has that plan."""
    slot_of = core.slot_site * (problem.n_points + 1) + core.slot_point
    order = np.argsort(slot_of)
    points = np.flatnonzero(plan.host >= 0)
    slots = order[np.searchsorted(slot_of[order], plan.host[points] * (problem.n_points + 1) + points)]
    slots = slots[np.lexsort((slots, core.slot_site[slots]))].astype(np.int64)
    here, count = np.unique(core.slot_site[slots], return_counts=True)
    first = np.concatenate([[0], np.cumsum(count)])
    # Sets are told apart by a hash of their slots.  Were two to clash, the programme would lack a plan it may do without.
    size = np.diff(patterns.start)
    missing = np.flatnonzero(~np.isin(_hash(slots, count), _hash(patterns.slot, size)))
    empty = np.setdiff1d(np.flatnonzero(plan.open), here)
    bare = patterns.site[size == 0]
    empty = np.setdiff1d(empty, bare)
    if not len(missing) and not len(empty):
        return patterns
    sites = np.concatenate([here[missing], empty]).astype(np.int64)
    sizes = np.concatenate([count[missing], np.zeros(len(empty), dtype=np.int64)])
    more = [slots[first[i] : first[i + 1]] for i in missing]
    shut = patterns.shut.copy()
    shut[~plan.open] = True
    return Patterns(
        np.concatenate([patterns.site, sites]),
        np.concatenate([patterns.start, patterns.start[-1] + np.cumsum(sizes)]),
        np.concatenate([patterns.slot, *more]),
        np.concatenate([patterns.least, np.full(len(sites), np.inf)]),
        shut,
        patterns.dearest,
    )


def some(patterns: Patterns, which: Ints) -> Patterns:
    """Those of the sets whose numbers are in ``which``, in that order."""
    size = np.diff(patterns.start)[which]
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    take = np.repeat(patterns.start[which] - start[:-1], size) + np.arange(start[-1])
    return replace(patterns, site=patterns.site[which], start=start, slot=patterns.slot[take], least=patterns.least[which])


def keys(patterns: Patterns) -> Ints:
    """(sets,) a number that tells sets apart: a hash of the slots, and of the site where there are none."""
    size = np.diff(patterns.start)
    return np.where(size > 0, _hash(patterns.slot, size), -1 - patterns.site)


def _hash(slots: Ints, size: Ints) -> Ints:
    """A number for each of these sets, in order: sums of scrambled slots, which tell the site too."""
    scrambled = (slots + 1) * 2_654_435_761 % 2_147_483_647 * 1_000_003 % 4_398_042_316_799
    return np.bincount(np.repeat(np.arange(len(size)), size), scrambled, len(size)).astype(np.int64)


def _may_be_empty(core: Core) -> Bools:
    """Sites that a best plan may keep open with nobody in them.

    They are forced, give an inherent offer, or are wanted open by a side row; or it costs *less than nothing* to keep them, as
    where leaving a lease costs more, spread over the years, than the building does.  Not where a rule on two services asks for
    one of them whenever the building is open.
    """
    J = len(core.site_cost)
    wanted = np.zeros(J, dtype=bool)
    term = np.arange(core.side_start[J])
    wanted[np.repeat(np.arange(J), np.diff(core.side_start[: J + 1]))[core.side_value[term] > 0]] = True
    one, other = (core.clash[:, :2] == ALWAYS).T
    bare = np.where(core.clash[:, 2] == 0, one & other, one != other)
    barred = np.zeros(J, dtype=bool)
    barred[np.repeat(np.arange(J), np.diff(core.clash_start))[bare]] = True
    return (core.must_open | (core.site_cost < 0) | (np.diff(core.inherent_start) > 0) | wanted) & ~barred


def programme(problem: Problem, core: Core, patterns: Patterns) -> Arrays:
    """The set partition over these sets as arrays; columns are the patterns, then the items of the share rules.

    Rows are the points, the sites, the core's rows, the share rules and the core's side rows.
    """
    J, S = problem.n_sites, problem.n_points
    site, slot, n = patterns.site, patterns.slot, len(patterns.site)
    col = np.repeat(np.arange(n), np.diff(patterns.start))
    cost = core.site_cost[site] + np.bincount(col, core.slot_cost[slot], n)
    group = np.repeat(np.arange(len(core.group_offer)), np.diff(core.group_slot))[slot]
    # Offers of each pattern: its groups, and what its site gives whenever it is open.
    given = np.repeat(np.arange(n), np.diff(core.inherent_start)[site])
    first = np.repeat(core.inherent_start[site] - np.searchsorted(given, np.arange(n)), np.diff(core.inherent_start)[site])
    at = core.inherent_offer[first + np.arange(len(given))]
    Q = len(core.offer_start) - 1
    key = np.unique(np.concatenate([col, given]) * Q + np.concatenate([core.group_offer[group], at]).astype(np.int64))
    pairs = np.column_stack(np.divmod(key, max(Q, 1)))
    per_offer = np.diff(core.offer_start)[pairs[:, 1]]
    c_row = np.repeat(pairs[:, 0], per_offer)
    shift = np.repeat(core.offer_start[pairs[:, 1]] - np.concatenate([[0], np.cumsum(per_offer)[:-1]]), per_offer)
    rows = core.offer_row[shift + np.arange(len(c_row))]
    per_excuse = np.diff(core.slot_excuse_start)[slot]
    e_col = np.repeat(col, per_excuse)
    e_shift = np.repeat(core.slot_excuse_start[slot] - np.concatenate([[0], np.cumsum(per_excuse)[:-1]]), per_excuse)
    e_row = core.slot_excuse_row[e_shift.astype(np.int64) + np.arange(len(e_col))]
    R = len(core.row_need)
    item = np.flatnonzero(core.row_rule >= 0)
    rules = len(core.rule_required)
    entries = [
        (core.slot_point[slot], col, np.ones(len(col))),
        (S + site, np.arange(n), np.ones(n)),
        (S + J + rows, c_row, np.ones(len(rows))),
        (S + J + e_row, e_col, np.ones(len(e_row))),
        (S + J + item, n + np.arange(len(item)), -np.ones(len(item))),
        (S + J + R + core.row_rule[item], n + np.arange(len(item)), core.row_weight[item].astype(float)),
    ]
    lower = [
        np.ones(S),
        np.where(patterns.shut, 0.0, 1.0),
        np.where(core.row_rule < 0, core.row_need, 0.0),
        core.rule_required.astype(float),
    ]
    upper = [np.ones(S), np.ones(J), np.full(R, np.inf), np.full(rules, np.inf)]
    base = S + J + R + rules
    if len(core.side_need):
        entries.append(_side(core, site, col, slot, group, pairs, base))
        lower.append(core.side_need)
        upper.append(np.full(len(core.side_need), np.inf))
    total = base + len(core.side_need)
    row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    matrix = csr_array((value, (row.astype(np.int64), column.astype(np.int64))), shape=(total, n + len(item)))
    matrix.sum_duplicates()
    width = n + len(item)
    return Arrays(
        cost=np.concatenate([cost * MONEY, np.zeros(len(item))]),
        offset=0.0,
        lower=np.zeros(width),
        upper=np.ones(width),
        integer=np.concatenate([np.ones(n, dtype=bool), np.zeros(len(item), dtype=bool)]),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
        start=matrix.indptr.astype(np.int64),
        index=matrix.indices.astype(np.int64),
        value=matrix.data,
        unit=MONEY,
    )


def _side(core: Core, site: Ints, col: Ints, slot: Ints, group: Ints, pairs: Ints, base: int) -> tuple[Ints, Ints, Floats]:
    """Side rows over patterns: a set says whether its site is open, whom it hosts, what it offers, whether it is a hub."""
    J, P, Q = len(core.site_cost), len(core.slot_point), len(core.offer_start) - 1
    n = len(site)
    kind, most = core.group_kind[group], int(core.group_kind.max(initial=0)) + 1
    kinds = np.unique((col * most + kind)[kind >= 0]) // most
    hub = np.flatnonzero(np.bincount(kinds, minlength=n) >= 2)
    x_row = np.concatenate([np.arange(n), col, pairs[:, 0], hub])
    x_col = np.concatenate([site, J + slot, J + P + pairs[:, 1], J + P + Q + site[hub]])
    x = csr_array((np.ones(len(x_row)), (x_row, x_col)), shape=(n, 2 * J + P + Q))
    by_column = csr_array((core.side_value, core.side_row, core.side_start), shape=(2 * J + P + Q, len(core.side_need)))
    product = csr_array(x @ by_column).tocoo()
    return base + product.coords[1].astype(np.int64), product.coords[0].astype(np.int64), product.data.astype(float)


def read(problem: Problem, core: Core, patterns: Patterns, x: Floats) -> Solution:
    """The plan that chosen sets make; ``x`` begins with a value for each set."""
    open_, host = np.zeros(problem.n_sites, dtype=bool), np.full(problem.n_points, -1, dtype=np.int64)
    for i in np.flatnonzero(x[: len(patterns.site)] > 0.5).tolist():
        open_[patterns.site[i]] = True
        host[core.slot_point[patterns.slot[patterns.start[i] : patterns.start[i + 1]]]] = patterns.site[i]
    return Solution(open_, host)
