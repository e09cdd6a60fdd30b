"""The linear programme over sets with the offers in the open: rules on access are rows over offers, not over sets.

    minimise   sum_S cost_S x_S
    point      sum_{S contains s} x_S = 1              site   sum_{S at j} x_S <= 1        (= 1: must be open)
    link       sum_{S at j with service k} x_S >= offer_kj
    cover      sum_{j in row} offer_kj (+ excuse) >= need
    item       miss_i + sum_{j in reach_i} offer_kj >= 1          share   sum_i weight_i miss_i <= spare
    odd cuts   over the ``x_S`` and ``miss_i``                    (:mod:`estate.solve.shares.rounding_cuts`)

The columns ``x_S`` are those of :mod:`estate.solve.columns.patterns`.  The link's price is all that listing and pricing sets
needs to know of the rules; a share rule's hundred items touch sixty offers here instead of 10**5 sets.  An excuse (a host pair
that meets a row by itself) is one more link.

Every set that can matter is listed; a few thousand are in the solver, and the rest are priced by one compiled pass over the
list.  Every bound is worked out from the row prices alone, over the whole list: prices are made right in sign, each site adds
its most negative reduced cost, and each link and item its own.  So it holds whatever state the solver is in.
"""

# Compiled kernels: numba infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, C901

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numba
import numpy as np
from scipy.sparse import csr_array

from estate.model.arrays import MONEY
from estate.problem import Bools, CoverRows, Floats, Ints, Problem, offer_columns
from estate.solve import highs
from estate.solve.columns.core import Core
from estate.solve.columns.patterns import Patterns
from estate.solve.highs import INF
from estate.solve.shares.rounding_cuts import Hits, OddCut, by_row, coefficients, reduced_costs

BATCH = 400
"""Most sets added to the solver at once."""
PRICED = 1e-9
"""Reduced cost below which a set is worth adding."""


def linked(problem: Problem) -> Problem:
    """The problem whose rows are the links alone, each asking for nothing: its core prices sets by link.

    Rows: the offers of services under a rule, in the order of :func:`estate.problem.offer_columns`, then the excuses.
    """
    offers = offer_columns(problem)
    ruled = np.zeros(problem.n_services, dtype=bool)
    ruled[problem.cover.service] = True
    ruled[[rule.service for rule in problem.shares]] = True
    offers = offers[ruled[offers[:, 0]]]
    excuse = np.unique(problem.cover.excuse[problem.cover.excuse >= 0])
    n, m = len(offers), len(excuse)
    links = CoverRows(
        np.concatenate([offers[:, 0], problem.point_service[problem.pair_point[excuse]]]).astype(np.int64),
        np.zeros(n + m, dtype=np.int64),
        np.minimum(np.arange(n + m + 1), n).astype(np.int64),
        offers[:, 1].astype(np.int64),
        np.concatenate([np.full(n, -1), excuse]).astype(np.int64),
    )
    return replace(problem, cover=links, shares=())


@numba.njit(cache=True, nogil=True)
def _entries(core, site, start, slot, slot_group, n_points, n_sites):
    """Rows that each set is in: its site, its points, its links (once each)."""
    first = np.zeros(len(site) + 1, np.int64)
    row = np.empty(3 * len(slot) + 2 * len(site) + 16, np.int64)
    seen = np.full(len(core.row_need), -1, np.int64)
    base = n_points + n_sites
    n = 0
    for i in range(len(site)):
        if n + len(seen) + n_points + 1 > len(row):
            bigger = np.empty(2 * len(row) + len(seen) + n_points, np.int64)
            bigger[:n] = row[:n]
            row = bigger
        row[n] = n_points + site[i]
        n += 1
        for t in range(start[i], start[i + 1]):
            s = slot[t]
            row[n] = core.slot_point[s]
            n += 1
            q = core.group_offer[slot_group[s]]
            for e in range(core.offer_start[q], core.offer_start[q + 1]):
                if seen[core.offer_row[e]] != i:
                    seen[core.offer_row[e]] = i
                    row[n] = base + core.offer_row[e]
                    n += 1
            for e in range(core.slot_excuse_start[s], core.slot_excuse_start[s + 1]):
                if seen[core.slot_excuse_row[e]] != i:
                    seen[core.slot_excuse_row[e]] = i
                    row[n] = base + core.slot_excuse_row[e]
                    n += 1
        for f in range(core.inherent_start[site[i]], core.inherent_start[site[i] + 1]):
            q = core.inherent_offer[f]
            for e in range(core.offer_start[q], core.offer_start[q + 1]):
                if seen[core.offer_row[e]] != i:
                    seen[core.offer_row[e]] = i
                    row[n] = base + core.offer_row[e]
                    n += 1
        first[i + 1] = n
    return first, row[:n].copy()


class OfferMaster:
    """The linear programme over a list of sets; see the module.  Money is in the solver's unit (:data:`MONEY`).

    Rows: points (S), sites (J), links (R), then the rules and, after them, the odd cuts.  Columns: links, items, helpers, then
    sets (``order`` says which) with the helpers of cuts among them.
    """

    def __init__(self, problem: Problem, links: Problem, core: Core, found: Patterns, odd: list[OddCut] | None = None) -> None:
        """``links`` is :func:`linked` of ``problem``, ``core`` its core, ``found`` the sets listed by it."""
        S, J, R = problem.n_points, problem.n_sites, len(links.cover)
        self.n_points, self.n_sites, self.n_links = S, J, R
        self.found = found
        n = len(found.site)
        group = np.repeat(np.arange(len(core.group_offer)), np.diff(core.group_slot))
        self.site = found.site
        self.start, self.row = _entries(core, found.site, found.start, found.slot, group, S, J)
        owner = np.repeat(np.arange(n), np.diff(found.start))
        self.cost = (core.site_cost[found.site] + np.bincount(owner, core.slot_cost[found.slot], n)) * MONEY
        self.shut = found.shut
        self.odd: list[OddCut] = []
        self.odd_row: list[int] = []
        self.banned: Bools = np.zeros(n, dtype=bool)
        """Sets left out: too dear for any better plan, or forbidden by the branch."""
        self.y: Floats = np.zeros(0)
        self.bound = -np.inf
        """Of the programme last solved."""
        self._rules(problem, links)
        self._begin(found)
        for cut in odd or []:
            self.cut(cut)
        self.add(self._first)

    def _rules(self, problem: Problem, links: Problem) -> None:
        """Rows over links and items, as (lower, upper, columns, values)."""
        cover, R = problem.cover, self.n_links
        offers = links.cover.excuse < 0
        n = int(offers.sum())
        place = np.full((problem.n_services, problem.n_sites), -1)
        place[links.cover.service[offers], links.cover.site] = np.arange(n)
        self.rules: list[tuple[float, float, Ints, Floats]] = []
        for r in range(len(cover)):
            at = place[cover.service[r], cover.site[cover.start[r] : cover.start[r + 1]]]
            at = at[at >= 0]
            if cover.excuse[r] >= 0:
                at = np.append(at, n + np.searchsorted(links.cover.excuse[n:], cover.excuse[r]))
            self.rules.append((float(cover.need[r]), INF, at, np.ones(len(at))))
        self.ones: list[int] = [r for r in range(len(cover)) if cover.need[r] == 1 and cover.excuse[r] < 0]
        """Rules that ask for one of some links and items."""
        column = R
        for rule in problem.shares:
            m = len(rule.weight)
            self.ones.extend(range(len(self.rules), len(self.rules) + m))
            for i in range(m):
                at = place[rule.service, rule.site[rule.start[i] : rule.start[i + 1]]]
                at = np.append(at[at >= 0], column + i)
                self.rules.append((1.0, INF, at, np.ones(len(at))))
            scale = float(rule.weight.max(initial=1))
            spare = float(rule.weight.sum() - rule.required) / scale
            self.rules.append((-INF, spare, np.arange(column, column + m), rule.weight / scale))
            column += m
        self.n_fixed = column
        """Links and items."""
        at = np.concatenate([np.arange(R), *(rule[2] for rule in self.rules)])
        value = np.concatenate([np.full(R, -1.0), *(rule[3] for rule in self.rules)])
        size = np.concatenate([np.ones(R, dtype=np.int64), [len(rule[2]) for rule in self.rules]]).astype(np.int64)
        start = np.concatenate([[0], np.cumsum(size)])
        self.fixed = csr_array((value, at, start), shape=(len(size), self.n_fixed))
        """(links + rules, links + items) coefficients."""

    def _begin(self, found: Patterns) -> None:
        S, J, R, m = self.n_points, self.n_sites, self.n_links, self.n_fixed
        h = self.lp = highs.linear()
        n = S + J
        self.row_lower = np.concatenate([np.ones(S), np.where(found.shut, 0.0, 1.0), np.zeros(R), [r[0] for r in self.rules]])
        self.row_upper = np.concatenate([np.ones(n), np.full(R, INF), [r[1] for r in self.rules]])
        rows = len(self.row_lower)
        none = np.zeros(0, dtype=np.int32)
        h.addVars(m, np.zeros(m), np.ones(m))
        h.addRows(n, self.row_lower[:n], self.row_upper[:n], 0, np.zeros(n, np.int32), none, np.zeros(0))
        h.addRows(
            rows - n, self.row_lower[n:], self.row_upper[n:], self.fixed.nnz,
            self.fixed.indptr[:-1].astype(np.int32), self.fixed.indices.astype(np.int32), self.fixed.data,
        )  # fmt: skip
        # Dear helpers keep the programme feasible while sets are missing, or when a branch asks for too much.
        need = np.union1d(np.flatnonzero(self.row_lower > 0), S + np.arange(J)).astype(np.int32)
        self.dear = 10.0 * max(float(np.abs(self.cost).max(initial=1.0)), 1.0)
        k = len(need)
        h.addCols(k, np.full(k, self.dear), np.zeros(k), np.full(k, INF), k, np.arange(k, dtype=np.int32), need, np.ones(k))
        self.first = m + k
        self.order: list[int] = []
        """The set of each column from ``first`` on; -1 for a helper."""
        self.inside = np.zeros(len(self.cost), dtype=bool)
        self.hits = by_row([], n + R)
        least = np.argsort(found.least, kind="stable")[: max(600, 3 * J)]
        self._first = np.union1d(least, np.flatnonzero(np.isinf(found.least))).astype(np.int64)

    def add(self, sets: Ints) -> None:
        """Put sets in the solver."""
        n = len(sets)
        size = self.start[sets + 1] - self.start[sets]
        start = np.concatenate([[0], np.cumsum(size)])
        take = np.repeat(self.start[sets] - start[:-1], size) + np.arange(start[-1])
        row, value = self.row[take], np.ones(int(start[-1]))
        if self.odd:
            odd_start, cut, amount = self._odd_of(sets)
            owner = np.concatenate([np.repeat(np.arange(n), size), np.repeat(np.arange(n), np.diff(odd_start))])
            by = np.argsort(owner, kind="stable")
            row = np.concatenate([row, np.array(self.odd_row, dtype=np.int64)[cut]])[by]
            value = np.concatenate([value, amount])[by]
            start = start + odd_start
        upper = np.where(self.banned[sets], 0.0, INF)
        self.lp.addCols(
            n, self.cost[sets], np.zeros(n), upper, len(row), start[:-1].astype(np.int32), row.astype(np.int32), value
        )
        self.inside[sets] = True
        self.order.extend(sets.tolist())

    def _odd_of(self, sets: Ints) -> tuple[Ints, Ints, Floats]:
        """The odd cuts that each of some sets is in, and its coefficients."""
        room = 64 * len(sets) + 64
        while True:
            start, cut, value = np.zeros(len(sets) + 1, np.int64), np.empty(room, np.int64), np.empty(room)
            n = coefficients(self.start, self.row, sets, self.hits, start, cut, value)
            if n >= 0:
                return start, cut[:n], value[:n]
            room *= 4

    def cut(self, cut: OddCut) -> None:
        """Add an odd cut."""
        rows = self.n_points + self.n_sites + self.n_links
        alone = by_row([cut], rows)
        columns = np.array(self.order, dtype=np.int64)
        live = np.flatnonzero(columns >= 0)
        count, which = np.zeros(len(live) + 1, np.int64), np.empty(len(live), np.int64)
        value = np.empty(len(live))
        n = coefficients(self.start, self.row, columns[live], alone, count, which, value)
        at = self.first + live[np.flatnonzero(np.diff(count))]
        where = np.concatenate([cut.missed, at]).astype(np.int32)
        amount = np.concatenate([np.ones(len(cut.missed)), value[:n]])
        lower, upper = float(cut.lower), INF
        self.lp.addRow(lower, upper, len(where), where, amount)
        row = len(self.row_lower)
        self.row_lower, self.row_upper = np.append(self.row_lower, lower), np.append(self.row_upper, upper)
        self.odd.append(cut)
        self.odd_row.append(row)
        self.hits = by_row(self.odd, rows)
        if lower > 0:
            self.lp.addCol(self.dear, 0.0, INF, 1, np.array([row], dtype=np.int32), np.ones(1))
            self.order.append(-1)

    def price(self) -> Ints:
        """The sets missing at the solver's prices, worst first; keeps the best bound of the solve and its prices."""
        y = np.array(self.lp.getSolution().row_dual)
        y = np.where((y > 0) & np.isinf(self.row_lower), 0.0, np.where((y < 0) & np.isinf(self.row_upper), 0.0, y))
        reduced = self._reduced(y, self.banned, exact=False)
        n = self.n_points + self.n_sites
        d = -(self.fixed.T @ y[n : n + self.fixed.shape[0]])
        for cut, r in zip(self.odd, self.odd_row, strict=True):
            d[cut.missed] -= y[r]
        side = np.where(y > 0, self.row_lower, np.where(y < 0, self.row_upper, 0.0))
        bound = float(side @ y) + float(self._worst(reduced).sum()) + float(np.minimum(d, 0.0).sum())
        if bound > self.bound:
            self.bound, self.y = bound, y
        missing = np.flatnonzero(~self.inside & (reduced < -PRICED))
        return missing[np.argsort(reduced[missing], kind="stable")]

    def _reduced(self, y: Floats, banned: Bools, *, exact: bool) -> Floats:
        rows = self.n_points + self.n_sites + self.n_links
        price = y[np.array(self.odd_row, dtype=np.int64)]
        used = price != 0.0
        hits = self.hits
        of = np.repeat(np.arange(rows), np.diff(hits.start))
        keep = used[hits.cut]
        start = np.concatenate([[0], np.cumsum(np.bincount(of[keep], minlength=rows))]).astype(np.int64)
        most = np.maximum(-(-hits.weight // hits.divisor[hits.cut]), 0) * price[hits.cut]  # roundings add up to no less
        gain = np.full(rows, np.inf) if exact else np.bincount(of, most, rows)
        out = np.empty(len(self.cost))
        some = Hits(start, hits.cut[keep], hits.weight[keep], hits.divisor)
        reduced_costs(self.cost, self.start, self.row, y, gain, some, price, banned, out)
        return out

    def _worst(self, reduced: Floats) -> Floats:
        worst = np.zeros(self.n_sites)
        below = np.flatnonzero(reduced < 0)
        np.minimum.at(worst, self.site[below], reduced[below])
        return worst

    def excess(self) -> Floats:
        """No plan with a set costs less than ``bound`` and this."""
        reduced = self._reduced(self.y, np.zeros(len(self.cost), dtype=bool), exact=True)
        return reduced - self._worst(reduced)[self.site]

    def solve(self, over: Callable[[], bool], *, enough: float = np.inf, turns: int = 200) -> None:
        """Price sets in until none is missing, the bound is ``enough``, or so many turns were taken."""
        self.bound = -np.inf
        for turn in range(turns):
            self.lp.run()
            missing = self.price()
            if not len(missing) or self.bound >= enough or turn + 1 == turns or over():
                break
            self.add(missing[:BATCH])

    def values(self) -> tuple[Ints, Floats, Floats]:
        """The sets in use, how much of each, and the links and items."""
        x = np.array(self.lp.getSolution().col_value)
        columns = np.array(self.order, dtype=np.int64)
        sets = x[self.first :]
        use = np.flatnonzero((sets > 1e-7) & (columns >= 0))
        return columns[use], sets[use], x[: self.n_fixed]

    def members(self, sets: Ints) -> tuple[Ints, Ints]:
        """Entries of some sets: which of them, and the row."""
        size = self.start[sets + 1] - self.start[sets]
        first = np.concatenate([[0], np.cumsum(size)])
        take = np.repeat(self.start[sets] - first[:-1], size) + np.arange(first[-1])
        return np.repeat(np.arange(len(sets)), size), self.row[take]

    def short(self) -> bool:
        """Whether the programme as it stands leans on the helpers: it has no solution, or not yet."""
        x = np.array(self.lp.getSolution().col_value)
        late = x[self.first :][np.array(self.order, dtype=np.int64) < 0]
        return bool(max(x[self.n_fixed : self.first].max(initial=0.0), late.max(initial=0.0)) > 1e-7)

    def restrict(self, banned: Bools, site_lower: Floats) -> None:
        """Bounds of a branch: sets left out, and sites that must have a set."""
        S, J = self.n_points, self.n_sites
        columns = np.array(self.order, dtype=np.int64)
        change = np.flatnonzero((columns >= 0) & (banned[columns] != self.banned[columns]))
        upper = np.where(banned[columns[change]], 0.0, INF)
        self.lp.changeColsBounds(len(change), (self.first + change).astype(np.int32), np.zeros(len(change)), upper)
        for j in np.flatnonzero(site_lower != self.row_lower[S : S + J]).tolist():
            self.lp.changeRowBounds(S + j, site_lower[j], 1.0)
        self.row_lower[S : S + J] = site_lower
        self.banned = banned
