"""Side rows as the engine takes them: of one size, cut to a part of a problem, or priced into its costs.

A side row is any linear row over the columns of :class:`estate.problem.SideRows`: sites open, points hosted, offers, hubs.  A new
family of rules that can be written so (a budget, a count, a payback, a limit of one year or of one partner) needs nothing here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from estate.problem import Floats, Ints, Problem, SideRows, Solution, column_values, offer_columns
from estate.solve.columns.core import Core


def of_one_size(problem: Problem) -> Problem:
    """The problem with each side row divided by a power of two, its largest coefficient then being about 1: nothing is rounded.

    A row's multiplier is then pence, like all others, and a linear programme sees rows of a like size.
    """
    return replace(problem, side=times(problem.side, 1.0 / sizes(problem.side)))


def sizes(side: SideRows) -> Floats:
    """(N,) a power of two near each row's largest coefficient."""
    largest = np.zeros(len(side))
    np.maximum.at(largest, np.repeat(np.arange(len(side)), np.diff(side.start)), np.abs(side.value))
    return np.asarray(np.exp2(np.round(np.log2(np.where(largest > 0, largest, 1.0)))))


def times(side: SideRows, factor: Floats) -> SideRows:
    """Each row multiplied by a factor above 0 (N,)."""
    row = np.repeat(np.arange(len(side)), np.diff(side.start))
    return replace(side, lower=side.lower * factor, upper=side.upper * factor, value=side.value * factor[row])


def renumbered(side: SideRows, column: Ints, keep: Ints | None = None) -> SideRows:
    """Side rows whose columns have other numbers, -1 where there is none any more; ``keep`` are the rows wanted (all)."""
    wanted = np.ones(len(side), dtype=bool)
    if keep is not None:
        wanted[:] = False
        wanted[keep] = True
    row = np.repeat(np.arange(len(side)), np.diff(side.start))
    new = column[side.column] if len(side.column) else side.column
    there = (new >= 0) & wanted[row]
    count = np.bincount(row[there], minlength=len(side))[wanted]
    return SideRows(
        tuple(np.array(side.name, dtype=object)[wanted].tolist()),
        side.lower[wanted],
        side.upper[wanted],
        np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        new[there].astype(np.int64),
        side.value[there],
    )


def multiplied(side: SideRows, keep: Ints) -> Ints:
    """Where the multipliers of the rows numbered in ``keep`` stand in a core's list of side rows: those of a part with these."""
    below, above = np.flatnonzero(np.isfinite(side.lower)), np.flatnonzero(np.isfinite(side.upper))
    return np.concatenate([np.flatnonzero(np.isin(below, keep)), len(below) + np.flatnonzero(np.isin(above, keep))])


def cut_to(problem: Problem, plan: Solution, part: Problem, sites: Ints, pairs: Ints) -> tuple[SideRows, Ints]:
    """The side rows of a part whose other decisions stay as in ``plan``, and their numbers in the whole.

    ``sites`` and ``pairs`` are what the part has, in its order.  Rows that look at nothing in the part are left out.
    """
    side, J, P = problem.side, problem.n_sites, problem.n_pairs
    if not len(side):
        return side, np.zeros(0, dtype=np.int64)
    offers, mine = offer_columns(problem), offer_columns(part)
    K = max(problem.n_services, 1)
    of = {int(site) * K + int(service): q for q, (service, site) in enumerate(zip(mine[:, 0], sites[mine[:, 1]], strict=True))}
    offer = np.array([of.get(key, -1) for key in (offers[:, 1] * K + offers[:, 0]).tolist()], dtype=np.int64)
    n, p = part.n_sites, part.n_pairs
    column = np.full(2 * J + P + len(offers), -1, dtype=np.int64)
    column[sites] = np.arange(n)
    column[J + pairs] = n + np.arange(p)
    column[J + P : J + P + len(offers)] = np.where(offer >= 0, n + p + offer, -1)
    column[J + P + len(offers) + sites] = n + p + len(mine) + np.arange(n)
    row = np.repeat(np.arange(len(side)), np.diff(side.start))
    inside = column[side.column] >= 0
    fixed = np.where(inside, 0.0, side.value * column_values(problem, plan)[side.column])
    done = np.bincount(row, fixed, len(side))
    keep = np.flatnonzero(np.bincount(row, inside, len(side)) > 0)
    rows = renumbered(replace(side, lower=side.lower - done, upper=side.upper - done), column, keep)
    return rows, keep


def worth(problem: Problem, plan: Solution, row: Floats) -> Floats:
    """(J,) pence that what a plan has at each site is worth to the side rows at these multipliers of the problem's core."""
    side, J = problem.side, problem.n_sites
    if not len(side):
        return np.zeros(J)
    below, above = np.isfinite(side.lower), np.isfinite(side.upper)
    price = np.zeros(len(side))
    first = len(row) - below.sum() - above.sum()
    price[below] += row[first : first + below.sum()]
    price[above] -= row[first + below.sum() :]
    site = np.concatenate([np.arange(J), problem.pair_site, offer_columns(problem)[:, 1], np.arange(J)])
    of_term = price[np.repeat(np.arange(len(side)), np.diff(side.start))] * side.value
    return np.bincount(site[side.column], of_term * column_values(problem, plan)[side.column], J)


def priced(problem: Problem, cut: Core, row: Floats) -> tuple[Problem, float]:
    """The problem with its side rows priced into the costs of sites and pairs at multipliers ``row`` of its core, and a constant.

    Its optimum and the constant are together no more than the optimum with the rows.  Costs are whole pence: what a plan may get
    back is rounded up.  Rows about offers or hubs have no cost to go into, and are left out.
    """
    if not len(cut.side_need):
        return problem, 0.0
    J, P = problem.n_sites, problem.n_pairs
    by_column = csr_array((cut.side_value, cut.side_row, cut.side_start), shape=(len(cut.side_start) - 1, len(cut.side_need)))
    price = np.maximum(row[len(cut.row_need) :], 0.0)
    price[np.unique(csr_array(by_column[J + P :]).indices)] = 0.0
    back = np.ceil(by_column[: J + P] @ price - 1e-9).astype(np.int64)
    pair = problem.pair_cost.copy()
    pair[cut.slot_pair] -= back[J:]
    constant = float(price @ cut.side_need)
    free = replace(problem, site_cost=problem.site_cost - back[:J], pair_cost=pair, side=SideRows())
    return free, constant
