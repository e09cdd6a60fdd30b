"""The rows of an elastic programme, each with the member it is there for.

The same mathematics as :mod:`estate.problem` says, written plainly: the strong forms of :mod:`estate.model` leave out what is
sure to hold, and here nothing is sure, since anything may be let go.  Beside the decisions there are columns of *give*, fixed
at 0 until a question frees them: floor area added to a site, people short of a share, and what a count or a budget is missed by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array, vstack

from estate.problem import Bools, CoverRows, Floats, Ints, Problem, no_pairs, offer_columns

type Entries = Sequence[tuple[Ints, Ints, Floats | Ints | float]]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """First column of each family; shapes as in :mod:`estate.problem`, Q offers, G share rules, R side rows."""

    offers: Ints
    """(Q, 2) service and site."""
    offer_at: Ints
    """(K, J) the offer's column, or -1."""
    host: int
    hall: int
    desk: int
    gain: int
    hub: int
    derived: int
    """Services that follow from others, at the sites where they could be."""
    extra: int
    """(J) floor area added, 0.1 m2."""
    covered: int
    short: int
    """(G) people that a share rule may fall short by."""
    over: int
    """(R) what a side row's upper bound may be passed by, in the row's units."""
    under: int
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class SheetRows:
    """``lower <= matrix x <= upper``; ``member`` is what each row is there for, or -1."""

    matrix: csr_array
    lower: Floats
    upper: Floats
    member: Ints

    def take(self, chosen: Bools) -> SheetRows:
        """Only the chosen rows, (R,) bools."""
        return SheetRows(self.matrix[chosen], self.lower[chosen], self.upper[chosen], self.member[chosen])


@dataclass(slots=True)
class _Sheet:
    """Rows while they are collected."""

    columns: int
    blocks: list[SheetRows] = field(default_factory=list)

    def add(self, n: int, entries: Entries, lower: Floats | float, upper: Floats | float, member: Ints | int = -1) -> None:
        """Add ``n`` rows from entries of (row, column, value); a column of -1 is left out."""
        row, column = (np.concatenate([np.zeros(0, np.int64), *(each[i] for each in entries)]) for i in (0, 1))
        value = np.concatenate([np.zeros(0), *(np.broadcast_to(np.asarray(v, float), r.shape) for r, _, v in entries)])
        there = column >= 0
        matrix = csr_array((value[there], (row[there], column[there])), shape=(n, self.columns))
        low, high = (np.broadcast_to(np.asarray(side, dtype=float), (n,)) for side in (lower, upper))
        self.blocks.append(SheetRows(matrix, low, high, np.broadcast_to(np.asarray(member, dtype=np.int64), (n,))))


def joined(*parts: SheetRows) -> SheetRows:
    """Rows one after another."""
    return SheetRows(
        csr_array(vstack([each.matrix for each in parts], format="csr")),
        np.concatenate([each.lower for each in parts]),
        np.concatenate([each.upper for each in parts]),
        np.concatenate([each.member for each in parts]),
    )


def layout_of(problem: Problem) -> Layout:
    """Where every column of a problem's elastic programme is."""
    J, P, R = problem.n_sites, problem.n_pairs, len(problem.side)
    offers = offer_columns(problem)
    Q, G = len(offers), len(problem.shares)
    items = sum(len(rule.weight) for rule in problem.shares)
    could = _could_be(problem)
    first = np.concatenate([[0], np.cumsum([J, P, Q, J, Q, J, J, len(could), J, items, G, R, R])]).tolist()
    _, host, offer, hall, desk, gain, hub, derived, extra, covered, short, over, under, total = first
    at = np.full((problem.n_services, J), -1, dtype=np.int64)
    at[offers[:, 0], offers[:, 1]] = offer + np.arange(Q)
    at[could[:, 0], could[:, 1]] = derived + np.arange(len(could))
    return Layout(offers, at, host, hall, desk, gain, hub, derived, extra, covered, short, over, under, total)


def _could_be(problem: Problem) -> Ints:
    """(n, 2) services that follow from others, and the sites where they could be without being inherent."""
    given = {(int(k), int(j)) for k, j in problem.inherent}
    found = [no_pairs()]
    for each in problem.derived:
        there = np.all([np.bincount(problem.pair_site[part], minlength=problem.n_sites) > 0 for part in each.parts], axis=0)
        sites = [j for j in np.flatnonzero(there).tolist() if (each.service, j) not in given]
        found.append(np.column_stack([np.full(len(sites), each.service), np.array(sites, dtype=np.int64)]).astype(np.int64))
    return np.concatenate(found)


def cover_rows(cover: CoverRows, at: Layout, member: Ints) -> SheetRows:
    """``sum_{j in row} offer_kj >= need``."""
    sheet = _Sheet(at.total)
    row = np.repeat(np.arange(len(cover)), np.diff(cover.start))
    sheet.add(len(cover), [(row, at.offer_at[cover.service[row], cover.site], 1.0)], cover.need.astype(float), np.inf, member)
    return sheet.blocks[0]


def other_rows(problem: Problem, at: Layout, member: Mapping[str, Ints], slack: tuple[Ints, Ints]) -> SheetRows:
    """Every row but the cover rows.

    ``member`` gives, by family (``point``, ``area``, ``share``, ``side``, ``conflict``, ``together``), the member of each row;
    ``slack`` is the true capacity and over-use of today of each site (J,), 0.1 m2.
    """
    sheet = _Sheet(at.total)
    P = problem.n_pairs
    s, j = problem.pair_point, problem.pair_site
    pair, host = np.arange(P), at.host + np.arange(P)
    offer = at.offer_at[problem.point_service[s], j]
    sheet.add(problem.n_points, [(s, host, 1.0)], 1.0, 1.0, member["point"])
    sheet.add(P, [(pair, host, 1.0), (pair, j, -1.0)], -np.inf, 0.0)
    sheet.add(P, [(pair, host, 1.0), (pair, offer, -1.0)], -np.inf, 0.0)
    Q = len(at.offers)
    q, column = np.arange(Q), at.offer_at[at.offers[:, 0], at.offers[:, 1]]
    sheet.add(Q, [(q, column, 1.0), (q, at.offers[:, 1], -1.0)], -np.inf, 0.0)
    inherent = at.offer_at[problem.inherent[:, 0], problem.inherent[:, 1]] - (at.hall - Q)
    given = [(offer - (at.hall - Q), host, -1.0), (inherent, problem.inherent[:, 1], -1.0)]
    sheet.add(Q, [(q, column, 1.0), *given], -np.inf, 0.0)
    for each in problem.derived:  # no more than each of its parts has there
        column = at.offer_at[each.service]
        for part in each.parts:
            of = np.flatnonzero(part)
            mine = np.flatnonzero(column >= at.derived)
            row = np.full(problem.n_sites, -1, dtype=np.int64)
            row[mine] = np.arange(len(mine))
            of = of[row[j[of]] >= 0]
            sheet.add(len(mine), [(np.arange(len(mine)), column[mine], 1.0), (row[j[of]], host[of], -1.0)], -np.inf, 0.0)
    _area(sheet, problem, at, member["area"], slack)
    _shares(sheet, problem, at, member["share"])
    for triples, sign, family in ((problem.conflict, 1.0, "conflict"), (problem.together, -1.0, "together")):
        t = np.arange(len(triples))
        both = [(t, at.offer_at[triples[:, c], triples[:, 2]], v) for c, v in ((0, 1.0), (1, sign))]
        sheet.add(len(t), both, -np.inf if sign > 0 else 0.0, 1.0 if sign > 0 else 0.0, member[family])
    _side(sheet, problem, at, member["side"])
    return joined(*(each for each in sheet.blocks if len(each.lower)))


def _area(sheet: _Sheet, problem: Problem, at: Layout, member: Ints, slack: tuple[Ints, Ints]) -> None:
    """Own parts added up, the hall and each desk once, within capacity (today's over-use kept while nobody comes)."""
    J, P, Q = problem.n_sites, problem.n_pairs, len(at.offers)
    capacity, over = slack
    s, j = problem.pair_point, problem.pair_site
    pair, host, site = np.arange(P), at.host + np.arange(P), np.arange(J)
    desk = at.offer_at[problem.point_service[s], j] + (at.desk - (at.hall - Q))
    sheet.add(P, [(pair, at.hall + j, 1.0), (pair, host, -problem.point_hall[s])], 0.0, np.inf)
    sheet.add(P, [(pair, desk, 1.0), (pair, host, -problem.point_desk[s])], 0.0, np.inf)
    guest = np.flatnonzero((problem.point_home[s] != j) & (over[j] > 0))
    g = np.arange(len(guest))
    sheet.add(len(guest), [(g, at.gain + j[guest], 1.0), (g, host[guest], -1.0)], 0.0, np.inf)
    entries: Entries = [
        (j, host, problem.point_own[s]),
        (site, at.hall + site, 1.0),
        (at.offers[:, 1], at.desk + np.arange(Q), 1.0),
        (site, site, -(capacity + over)),
        (site, at.gain + site, over),
        (site, at.extra + site, -1.0),
    ]
    sheet.add(J, entries, -np.inf, 0.0, member)


def _shares(sheet: _Sheet, problem: Problem, at: Layout, member: Ints) -> None:
    """``covered_i <= sum_{j in item} offer_kj ;  sum_i w_i covered_i + short >= required``."""
    first = at.covered
    for g, rule in enumerate(problem.shares):
        n = len(rule.weight)
        item = np.repeat(np.arange(n), np.diff(rule.start))
        covered = first + np.arange(n)
        sheet.add(n, [(np.arange(n), covered, 1.0), (item, at.offer_at[rule.service, rule.site], -1.0)], -np.inf, 0.0)
        none = np.zeros(n, dtype=np.int64)
        short = (none[:1], np.array([at.short + g]), 1.0)
        sheet.add(1, [(none, covered, rule.weight), short], float(rule.required), np.inf, member[g])
        first += n


def _side(sheet: _Sheet, problem: Problem, at: Layout, member: Ints) -> None:
    """``lower <= A (open, host, offer, hub) + under - over <= upper``, and what makes a hub."""
    side = problem.side
    if not len(side):
        return
    J, Q = problem.n_sites, len(at.offers)
    column = at.offer_at[at.offers[:, 0], at.offers[:, 1]]
    meaning = np.concatenate([np.arange(at.host + problem.n_pairs), column, at.hub + np.arange(J)])
    row = np.repeat(np.arange(len(side)), np.diff(side.start))
    r = np.arange(len(side))
    entries: Entries = [(row, meaning[side.column], side.value), (r, at.over + r, -1.0), (r, at.under + r, 1.0)]
    sheet.add(len(side), entries, side.lower, side.upper, member)
    # Hosted services only: what a site outside the place gives by itself makes it no hub.
    kind = problem.kinds[at.offers[:, 0]]
    kind[at.offer_at[problem.inherent[:, 0], problem.inherent[:, 1]] - (at.hall - Q)] = -1
    site = np.arange(J)
    for one in np.unique(kind[kind >= 0]).tolist():
        mine, others = np.flatnonzero(kind == one), np.flatnonzero((kind >= 0) & (kind != one))
        there, n = at.offers[others, 1], len(mine)
        sheet.add(J, [(site, at.hub + site, 1.0), (there, column[others], -1.0)], -np.inf, 0.0)
        # ``present_a + present_b <= 1 + hub`` for services of two kinds, all services of other kinds in one row of each of this.
        row = np.repeat(np.arange(n), len(others))
        same = np.tile(there, n) == np.repeat(at.offers[mine, 1], len(others))
        most = np.bincount(row[same], minlength=n).astype(float)
        entries = [
            (np.arange(n), column[mine], most),
            (np.arange(n), at.hub + at.offers[mine, 1], -most),
            (row[same], np.tile(column[others], n)[same], 1.0),
        ]
        sheet.add(n, entries, -np.inf, most)


def bounds(problem: Problem, at: Layout) -> tuple[Floats, Floats, Bools]:
    """Lower and upper bounds of every column, and which are whole; nothing gives."""
    lower, upper, integer = np.zeros(at.total), np.ones(at.total), np.zeros(at.total, dtype=bool)
    J = problem.n_sites
    upper[at.hall : at.gain] = np.inf
    upper[at.extra : at.extra + J] = 0.0
    upper[at.short :] = 0.0
    integer[: at.host + problem.n_pairs] = True
    integer[at.hub : at.hub + J] = True
    lower[:J] = problem.must_open
    return lower, upper, integer


__all__ = ["Layout", "SheetRows", "bounds", "cover_rows", "joined", "layout_of", "other_rows"]
