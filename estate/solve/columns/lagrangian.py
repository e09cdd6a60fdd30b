"""A bound from one knapsack for each building: the Lagrangian relaxation.

Price two families of rows: ``u_s`` (free) on "each point somewhere" and ``v_r >= 0`` on the cover rows.  What is left falls
apart by site.  With ``p_sj = u_s - cost_sj`` (plus ``v_r`` of a row that staying at ``j`` excuses) and
``V_kj = sum of v_r over the rows that service k at j helps``,

    L(u, v) = sum_s u_s + sum_r need_r v_r - sum_j max(0, K_j - C_j)
    K_j = max over sets S of points with area(S) <= A_j of  sum_{s in S} p_sj + sum_{k present in S} V_kj

``area(S)`` is exact, and the subproblem is :mod:`estate.solve.columns.pricing`'s.

Since the knapsack is convexified and a service's coverage is counted once, ``max L`` equals the linear bound of the
configuration (Dantzig-Wolfe) formulation: 0.9-1.0% below the optimum of a county where HiGHS's root is 2.8% below after its
own cuts.  See Geoffrion (1974) for the equality, Holmberg, Roennqvist and Yuan (1999) and Barcelo and Casanovas (1984) for
this relaxation of the single-source capacitated problem.

**Side rows** are priced like cover rows, all written ``>=``: a multiplier changes what a site, a point there, an offer or a hub
is worth, and the knapsack stays what it was.

**Share rules**: ``covered_i <= sum offer`` is priced by the item's ``v_i``; the rule itself stays inside, as a continuous
knapsack ``min sum v_i covered_i`` over ``sum weight_i covered_i >= required``, solved greedily by ``v_i / weight_i``.

**Ascent** is a deflected subgradient (direction 0.3 old + 0.7 new, Camerini et al. 1975; the step's scale shrinks by a third
after 15 iterations without a better bound).

Arithmetic is in doubles on whole pence up to 2**53; :func:`ascend` takes a relative :data:`SAFETY` off what it reports, many
times the rounding error of a sum of that length.
"""

# Compiled kernels: numba infers the types; one long function is faster than many, and seeds its own generator.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202, C901, PLR0912, PLR0913, PLR0917

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np

from estate.problem import Floats, Ints
from estate.solve.columns.core import Core
from estate.solve.columns.pricing import CELLS, Work, site_set, work_space

SAFETY = 1e-9
"""Taken off every bound, relative: 10**6 terms summed in doubles err by less than 10**6 x 2**-53 of their size."""


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """Multipliers and what they prove."""

    bound: float
    """Pence: no plan costs less."""
    point: Floats
    """(S,) ``u``."""
    row: Floats
    """(R + N,) ``v``: cover rows, items of share rules, side rows."""
    site_profit: Floats
    """(J,) ``K_j - C_j``: what the site's best set is worth beyond the site's cost."""


@numba.njit(cache=True, nogil=True)
def prices(core, u, v, profit, bonus, fixed, hub):
    """Fill ``profit`` by slot, ``bonus`` by group, ``fixed`` and ``hub`` by site from the multipliers.

    ``fixed`` is what the site costs open, less what it gives whenever it is; ``hub`` what it is worth that two kinds of service
    meet there.
    """
    J, P, R = len(core.site_cost), len(core.slot_point), len(core.row_need)
    Q = len(core.offer_start) - 1
    column, row, value = core.side_start, core.side_row, core.side_value
    for s in range(P):
        p = u[core.slot_point[s]] - core.slot_cost[s]
        for e in range(core.slot_excuse_start[s], core.slot_excuse_start[s + 1]):
            p += v[core.slot_excuse_row[e]]
        for e in range(column[J + s], column[J + s + 1]):
            p += v[R + row[e]] * value[e]
        profit[s] = p
    offer = np.zeros(Q)
    for q in range(Q):
        t = 0.0
        for e in range(core.offer_start[q], core.offer_start[q + 1]):
            t += v[core.offer_row[e]]
        for e in range(column[J + P + q], column[J + P + q + 1]):
            t += v[R + row[e]] * value[e]
        offer[q] = t
    for g in range(len(bonus)):
        bonus[g] = 0.0 if core.group_inherent[g] else offer[core.group_offer[g]]
    for j in range(J):
        t = float(core.site_cost[j])
        for e in range(core.inherent_start[j], core.inherent_start[j + 1]):
            t -= offer[core.inherent_offer[e]]
        for e in range(column[j], column[j + 1]):
            t -= v[R + row[e]] * value[e]
        fixed[j] = t
        t = 0.0
        for e in range(column[J + P + Q + j], column[J + P + Q + j + 1]):
            t += v[R + row[e]] * value[e]
        hub[j] = t


@numba.njit(cache=True, nogil=True)
def _used(core, column, grad_v):
    """A column of the side rows is in the plan: the subgradient knows."""
    for e in range(core.side_start[column], core.side_start[column + 1]):
        grad_v[len(core.row_need) + core.side_row[e]] -= core.side_value[e]


@numba.njit(cache=True, nogil=True)
def _given(core, q, grad_v):
    """So is an offer, to the cover rows, share items and side rows."""
    for e in range(core.offer_start[q], core.offer_start[q + 1]):
        grad_v[core.offer_row[e]] -= 1.0
    _used(core, len(core.site_cost) + len(core.slot_point) + q, grad_v)


@numba.njit(cache=True, nogil=True)
def relax(core, u, v, cells, worth, taken, gain, grad_u, grad_v, work):
    """The bound at ``(u, v)``; fills the slots taken, each site's profit, and the subgradient.

    ``worth`` is room for what :func:`prices` fills.
    """
    profit, bonus, fixed, hub = worth
    prices(core, u, v, profit, bonus, fixed, hub)
    total = 0.0
    for s in range(len(u)):
        total += u[s]
        grad_u[s] = 1.0
    rules, R = len(core.rule_required), len(core.row_need)
    for r in range(R):
        if core.row_rule[r] < 0:
            total += core.row_need[r] * v[r]
            grad_v[r] = core.row_need[r]
        else:
            grad_v[r] = 0.0
    for r in range(len(core.side_need)):
        total += core.side_need[r] * v[R + r]
        grad_v[R + r] = core.side_need[r]
    if rules:
        # Cheapest people first, until the rule is met: a continuous knapsack for each rule.
        ratio = np.empty(R)
        for r in range(R):
            ratio[r] = v[r] / core.row_weight[r] if core.row_rule[r] >= 0 and core.row_weight[r] > 0 else 1e300
        left = core.rule_required.astype(np.float64)
        for cheap in np.argsort(ratio):
            rule = core.row_rule[cheap]
            if rule >= 0 and core.row_weight[cheap] > 0 and left[rule] > 0:
                part = min(1.0, left[rule] / core.row_weight[cheap])
                total += part * v[cheap]
                grad_v[cheap] = part
                left[rule] -= part * core.row_weight[cheap]
    J, P, Q = len(core.site_cost), len(core.slot_point), len(core.offer_start) - 1
    for j in range(J):
        floor = 0.0 if core.must_open[j] else max(0.0, fixed[j])
        value = site_set(core, j, profit, bonus, hub[j], floor, cells, taken, work) - fixed[j]
        gain[j] = value
        if value <= 0.0 and not core.must_open[j]:
            continue
        total -= value
        _used(core, j, grad_v)
        first, several = np.int64(-1), False
        for g in range(core.site_group[j], core.site_group[j + 1]):
            there = False
            for s in range(core.group_slot[g], core.group_slot[g + 1]):
                if taken[s]:
                    there = True
                    grad_u[core.slot_point[s]] -= 1.0
                    for e in range(core.slot_excuse_start[s], core.slot_excuse_start[s + 1]):
                        grad_v[core.slot_excuse_row[e]] -= 1.0
                    _used(core, J + s, grad_v)
            if there and core.group_kind[g] >= 0:
                several = several or 0 <= first != core.group_kind[g]
                first = core.group_kind[g]
            if there and not core.group_inherent[g]:
                _given(core, core.group_offer[g], grad_v)
        for e in range(core.inherent_start[j], core.inherent_start[j + 1]):
            _given(core, core.inherent_offer[e], grad_v)
        if several:
            _used(core, J + P + Q + j, grad_v)
    return total


@numba.njit(cache=True, nogil=True)
def _ascend(core, u, v, target, iterations, scale, patience, cells, work):
    """Deflected subgradient from (u, v), improved in place to the best found; returns the bound."""
    J = len(core.site_cost)
    worth = (np.zeros(len(core.slot_point)), np.zeros(len(core.group_offer)), np.zeros(J), np.zeros(J))
    taken = np.zeros(len(core.slot_point), dtype=np.bool_)
    gain = np.zeros(len(core.site_cost))
    gu, gv = np.zeros(len(u)), np.zeros(len(v))
    du, dv = np.zeros(len(u)), np.zeros(len(v))
    best_u, best_v = u.copy(), v.copy()
    best, stall = -1e300, 0
    for it in range(iterations):
        value = relax(core, u, v, cells, worth, taken, gain, gu, gv, work)
        if value > best:
            if value - best > 1e-5 * abs(value):
                stall = 0
            best = value
            best_u[:], best_v[:] = u, v
        else:
            stall += 1
            if stall >= patience:
                scale *= 0.66
                stall = 0
        keep = 0.3 if it else 0.0
        norm = 0.0
        for s in range(len(u)):
            du[s] = keep * du[s] + (1.0 - keep) * gu[s]
            norm += du[s] * du[s]
        for r in range(len(v)):
            dv[r] = keep * dv[r] + (1.0 - keep) * gv[r]
            if v[r] <= 0.0 and dv[r] < 0.0:
                dv[r] = 0.0
            norm += dv[r] * dv[r]
        if norm < 1e-9 or scale < 1e-4:
            break
        step = scale * max(target - value, 1e-4 * abs(target)) / norm
        for s in range(len(u)):
            u[s] += step * du[s]
            if core.optional[s]:
                u[s] = min(u[s], 0.0)
        for r in range(len(v)):
            v[r] = max(0.0, v[r] + step * dv[r])
    u[:], v[:] = best_u, best_v
    return best


def first_prices(core: Core) -> tuple[Floats, Floats]:
    """Multipliers to begin with: each point is worth its part of the building it is in today."""
    u = np.zeros(core.n_points)
    home = np.flatnonzero(core.slot_home)
    site = core.slot_site[home]
    guests = np.maximum(np.bincount(site, minlength=len(core.site_cost)), 1)
    u[core.slot_point[home]] = core.site_cost[site] / guests[site] * 0.5 + core.slot_cost[home]
    u[core.optional] = 0.0
    return u, np.zeros(len(core.row_need) + len(core.side_need))


def coarsen(core: Core, halls: int, desks: int) -> Core:
    """The core with at most so many hall sizes a site and desk sizes a group, the others floored to the next below.

    Smaller parts let more points together, so the bound stays valid; the dynamic programme runs once for each size.
    """
    group = np.repeat(np.arange(len(core.group_offer)), np.diff(core.group_slot))
    return core._replace(
        slot_hall=_floored(core.slot_hall, core.slot_site, halls), slot_desk=_floored(core.slot_desk, group, desks)
    )


def _floored(size: Ints, group: Ints, most: int) -> Ints:
    out = size.copy()
    order = np.lexsort((size, group))
    edges: list[int] = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0, True]).tolist() if len(size) else []
    for lo, hi in pairwise(edges):
        levels = np.unique(size[order[lo:hi]])
        if len(levels) > most:
            levels = levels[(np.arange(most) * len(levels)) // most]
            at = np.searchsorted(levels, size[order[lo:hi]], side="right") - 1
            out[order[lo:hi]] = levels[at]
    return out


def ascend(
    core: Core, target: float, *, iterations: tuple[int, int, int] = (100, 150, 150), start: tuple[Floats, Floats] | None = None
) -> Dual:
    """The best bound of so many iterations at three grains of hall and desk; ``target`` is a plan's cost (it sets the step).

    At region size an iteration takes 9 ms with 3 hall sizes a site, 20 ms with 6 and 130 ms with all, and what the coarse
    ones learn holds for the fine: 100 + 150 + 150 give what 240 fine iterations gave in a quarter of the time.
    """
    u, v = (a.copy() for a in (start or first_prices(core)))
    work = work_space()
    grains = (coarsen(core, 3, 1), coarsen(core, 6, 2), core)
    for grain, turns, scale in zip(grains, iterations, (1.0, 0.8, 0.6), strict=True):
        _ascend(grain, u, v, target, turns, scale, 15, CELLS, work)
    return evaluate(core, u, v, work)


def evaluate(core: Core, u: Floats, v: Floats, work: Work | None = None) -> Dual:
    """The bound that these multipliers prove."""
    return evaluate_with_sets(core, u, v, work or work_space())[0]


def evaluate_with_sets(core: Core, u: Floats, v: Floats, work: Work, start: Ints | None = None) -> tuple[Dual, Ints]:
    """The bound that these multipliers prove, and the slots of each site's best set.

    ``start`` are the slots of a set of each site that fits, if any are known: better sets are then found sooner.
    """
    P, J = len(core.slot_point), len(core.site_cost)
    gain, taken = np.zeros(J), np.zeros(P, dtype=bool)
    if start is not None:
        taken[start] = True
    u, v = np.where(core.optional, np.minimum(u, 0.0), u), np.maximum(v, 0.0)
    worth = (np.zeros(P), np.zeros(len(core.group_offer)), np.zeros(J), np.zeros(J))
    value = relax(core, u, v, CELLS, worth, taken, gain, np.zeros(len(u)), np.zeros(len(v)), work)
    rhs = float(v[len(core.row_need) :] @ np.abs(core.side_need))
    mass = float(np.abs(u).sum() + v.sum() + np.abs(gain[core.must_open | (gain > 0.0)]).sum()) + rhs  # all that was added up
    return Dual(float(value) - SAFETY * mass, u, v, gain), np.flatnonzero(taken).astype(np.int64)
