"""Floor area by kinds of points: how many of each fit together, in place of how large each is.

Registers have floor areas by rate, so the points of a place are of few *kinds*: same service, own part, hall and desk.  What fits
into a building is then a short list of *fillings*, the largest counts by kind, with a binary column for each::

    filling   sum_n filling_jn <= open_j
    kind      sum_{s of kind c} host_sj <= sum_n count_nc filling_jn
    host      host_sj <= sum_{n with c} filling_jn          (s of kind c; implied for whole numbers)
    offer     offer_kj <= sum_{n with k} filling_jn         (the same)

No relaxation of areas, halls and desks is left: what remains between counts and points is a flow, whose corners are whole.  (Of
the two ways to say what a building holds, sets of points and counts by kind, see Vance 1998 on the second for cutting stock.)
On a conurbation of 506 buildings, 6,300 fillings, reach 5 miles, HiGHS leaves 0.11% after 30 s of CPU with the cuts of
:mod:`estate.solve.columns.kinds`; on the rows of :func:`estate.model.space.area` it leaves 19%.

A building with too many fillings has those of fewer, smaller kinds, and its area in rows as well
(:func:`_by_presence`); one that is overfull today has the rows of :func:`estate.model.space.area`, as all have in a place where
no two areas are the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from estate.model.formulation import Fillings, Formulation, SolutionFacts
from estate.problem import Bools, Floats, Ints, Problem, offer_columns

MOST, FEWER = 5_000, 600
"""Most fillings of one building, and the same where buildings have more than :data:`EACH` on average.  Conurbations have 12 to
16, and a building with 3,000; Leicestershire (reach 30 miles) 150 to 300: there HiGHS has no good plan with 2,000 after 20 s of
CPU, and with 600 or 300 one 2% above the bound."""
EACH = 40
STATES = 30_000
"""Most counts in hand while they are looked for: a building with more has too many."""
KINDS = 60
"""Most kinds of a place: conurbations have 11; where no two areas are the same every list is too long."""


def fillings(problem: Problem, alive: Bools) -> Fillings:
    """The fillings of every site that its candidates (``alive``, (P,)) could overfill and that is not overfull today.

    Where they are too many, kinds of one service that are nearly as large count as the smallest of them: more then seems to fit
    than does, and the site needs its area in rows as well.  A place of more than :data:`KINDS` kinds has none.
    """
    keys = np.column_stack([problem.point_service, problem.point_own, problem.point_hall, problem.point_desk])
    kind, of = np.unique(keys, axis=0, return_inverse=True)
    of = of.reshape(-1)
    J, C = problem.n_sites, len(kind)
    most = np.zeros((J, C), dtype=np.int64)
    np.add.at(most, (problem.pair_site[alive], of[problem.pair_point[alive]]), 1)
    overfull = np.zeros(J, dtype=bool)
    for j in np.flatnonzero(problem.site_slack <= 0).tolist() if C <= KINDS else []:
        here = np.flatnonzero(most[j])
        overfull[j] = len(here) and area_of(kind[here], most[j, here][None])[0] > problem.site_capacity[j]
    for limit in (MOST, FEWER):
        found = _of_sites(problem, np.flatnonzero(overfull), (kind, of, most), limit)
        if len(found.site) <= EACH * overfull.sum():
            break
    return found


def _of_sites(problem: Problem, sites: Ints, kinds: tuple[Ints, Ints, Ints], limit: int) -> Fillings:
    """The fillings of these sites, each of at most ``limit``; ``kinds`` are the kinds, each point's, and how many a site has."""
    kind, of, most = kinds
    J, C = most.shape
    listed, exact, taken_as = np.zeros(J, dtype=bool), np.zeros(J, dtype=bool), np.tile(np.arange(C), (J, 1))
    site, count = [np.zeros(0, dtype=np.int64)], [np.zeros((0, C), dtype=np.int64)]
    known: dict[bytes, tuple[Ints, Ints] | None] = {}
    for j in sites.tolist():
        here, room = np.flatnonzero(most[j]), int(problem.site_capacity[j])
        key = np.append(most[j], room).tobytes()
        if key not in known:
            known[key] = _listed(kind[here], most[j, here], room, limit)
        found = known[key]
        if found is not None:
            taken, fits = found
            listed[j], exact[j] = True, len(np.unique(taken)) == len(here)
            taken_as[j, here] = here[taken]
            site.append(np.full(len(fits), j, dtype=np.int64))
            count.append(np.zeros((len(fits), C), dtype=np.int64))
            count[-1][:, here] = fits
    return Fillings(of, kind[:, 0], taken_as, np.concatenate(site), np.concatenate(count), listed, exact)


def _listed(kind: Ints, most: Ints, room: int, limit: int) -> tuple[Ints, Ints] | None:
    """(C,) the kind that each of ``kind`` counts as, and the fillings (n, C) then; None where even so there are too many."""
    taken, kind, most = np.arange(len(kind)), kind.copy(), most.copy()
    while True:
        there = np.unique(taken)
        found = largest(kind[there], most[there], room)
        if found is not None and len(found) <= limit:
            count = np.zeros((len(found), len(kind)), dtype=np.int64)
            count[:, there] = found
            return taken, count
        size = kind[there, 1:].sum(axis=1)
        order = np.lexsort((size, kind[there, 0]))
        one, next_ = there[order][:-1], there[order][1:]
        loss = np.where(kind[one, 0] == kind[next_, 0], (size[order][1:] - size[order][:-1]) * most[next_], np.inf)
        if not len(loss) or np.isinf(at := loss.min()):
            return None
        small, large = int(one[loss == at][0]), int(next_[loss == at][0])
        taken[taken == large] = small
        kind[small, 1:] = np.minimum(kind[small, 1:], kind[large, 1:])
        most[small] += most[large]


def area_of(kind: Ints, count: Ints) -> Ints:
    """(n,) the area of counts (n, C): own parts, the largest hall, the largest desk of each service."""
    there = count > 0
    total = count @ kind[:, 1] + (there * kind[:, 2]).max(axis=1, initial=0)
    for service in np.unique(kind[:, 0]):
        total += (there * np.where(kind[:, 0] == service, kind[:, 3], 0)).max(axis=1, initial=0)
    return total


def largest(kind: Ints, most: Ints, room: int) -> Ints | None:
    """(n, C) the largest counts of kinds (C, 4), up to ``most`` of each, that fit into ``room``; None where too many.

    Kind by kind, the largest first; of the last as many as fit.
    """
    count = np.zeros((1, len(kind)), dtype=np.int64)
    order = np.argsort(-kind[:, 1:].sum(axis=1), kind="stable").tolist()
    for c in order:
        one = count.copy()
        one[:, c] = 1
        left = room - area_of(kind, one)
        top = np.where(left < 0, 0, np.minimum(1 + left // max(int(kind[c, 1]), 1), most[c]) if kind[c, 1] else most[c])
        if c == order[-1]:
            count[:, c] = top
            break
        if (top + 1).sum() > STATES:
            return None
        at = np.repeat(np.arange(len(count)), top + 1)
        count = count[at]
        count[:, c] = np.arange(len(at)) - np.repeat(np.cumsum(top + 1) - top - 1, top + 1)
    full = np.ones(len(count), dtype=bool)
    for c in order:
        one = count.copy()
        one[:, c] += 1
        full &= (count[:, c] == most[c]) | (area_of(kind, one) > room)
    return count[full]


def area(f: Formulation, *, links: bool = True) -> None:
    """The columns and rows of :mod:`estate.model.kinds` for the sites that list their fillings.

    ``links``: with the rows ``host``, which bind in few places: a search that finds those itself does without.
    """
    found = f.fillings
    if found is None or not found.listed.any():
        return
    problem, J, C = f.problem, f.problem.n_sites, len(found.service)
    z = f.add_columns("filling", np.ones(len(found.site)), found.chosen, integer=True)
    sites = np.flatnonzero(found.listed)
    rank = np.full(J, -1, dtype=np.int64)
    rank[sites] = np.arange(len(sites))
    n = len(sites)
    f.add_rows("filling_open", np.concatenate([rank[found.site], np.arange(n)]), np.concatenate([z, sites]),
               np.repeat([1, -1], [len(z), n]), n=n, upper=0)  # fmt: skip

    pair = np.flatnonzero((f.blocks[1].upper > 0) & found.listed[problem.pair_site])
    site, point = problem.pair_site[pair], problem.pair_point[pair]
    group, of_pair = np.unique(site * C + found.taken_as[site, found.of[point]], return_inverse=True)
    which, c = np.nonzero(found.count)
    value = found.count[which, c]
    of_count = np.searchsorted(group, found.site[which] * C + c)
    f.add_rows("kind", np.concatenate([of_pair, of_count]), np.concatenate([J + pair, z[which]]),
               np.concatenate([np.ones(len(pair)), -value]), n=len(group), upper=0)  # fmt: skip
    if links:
        several = np.flatnonzero(np.bincount(of_pair, minlength=len(group))[of_pair] > 1)  # of one the row above says it
        start = np.searchsorted(of_count, np.arange(len(group) + 1), sorter=(order := np.argsort(of_count, kind="stable")))
        many = np.diff(start)[of_pair[several]]
        n, row = len(several), np.repeat(np.arange(len(several)), many)
        at = order[np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(start[of_pair[several]], many)]
        f.add_rows("host_filling", np.concatenate([np.arange(n), row]), np.concatenate([J + pair[several], z[which[at]]]),
                   np.repeat([1, -1], [n, len(row)]), n=n, upper=0)  # fmt: skip

    _by_presence(f, found, pair)

    offers = offer_columns(problem)
    own = np.flatnonzero((f.offer >= J + problem.n_pairs) & found.listed[offers[:, 1]])
    of_offer = np.full((problem.n_services, J), -1, dtype=np.int64)
    of_offer[offers[own, 0], offers[own, 1]] = np.arange(len(own))
    held = np.unique(of_offer[found.service[c], found.site[which]] * len(z) + which)
    held = held[held >= 0]
    row, at = np.divmod(held, max(len(z), 1))
    f.add_rows("offer_filling", np.concatenate([np.arange(len(own)), row]), np.concatenate([f.offer[own], z[at]]),
               np.repeat([1, -1], [len(own), len(row)]), n=len(own), upper=0)  # fmt: skip


def _by_presence(f: Formulation, found: Fillings, pair: Ints) -> None:
    """Exact floor area of sites whose fillings are of fewer kinds, by whether each kind is there: few rows, and weak ones.

    ``sum_{s of c} host_sj <= most_c there_cj ;  hall_j >= hall_c there_cj ;  desk_kj >= desk_c there_cj ;
    sum own_s host_sj + hall_j + sum_k desk_kj <= capacity_j open_j``
    """
    problem, J, K, C = f.problem, f.problem.n_sites, f.problem.n_services, len(found.service)
    rough = found.listed & ~found.exact
    pair = pair[rough[problem.pair_site[pair]]]
    site, point = problem.pair_site[pair], problem.pair_point[pair]
    group, first, of, most = np.unique(site * C + found.of[point], return_index=True, return_inverse=True, return_counts=True)
    n, at, kind = len(group), site[first], point[first]
    sites = np.flatnonzero(rough)
    rank = np.full(J, -1, dtype=np.int64)
    rank[sites] = np.arange(len(sites))

    def there(plan: SolutionFacts) -> Bools:
        return np.isin(group, plan.solution.host * C + found.of)

    def widest(size: Ints, label: Ints, labels: Ints) -> Callable[[SolutionFacts], Floats]:
        def value(plan: SolutionFacts) -> Floats:
            largest_there = np.zeros(int(labels.max(initial=-1)) + 1)
            np.maximum.at(largest_there, label, np.where(there(plan), size, 0))
            return largest_there[labels]

        return value

    w = f.add_columns("there", np.ones(n), there, integer=True)
    f.add_rows("there", np.concatenate([of, np.arange(n)]), np.concatenate([J + pair, w]),
               np.concatenate([np.ones(len(pair)), -most]), n=n, upper=0)  # fmt: skip
    row, column, value = [rank[site]], [J + pair], [problem.point_own[point]]
    for name, size, label in (
        ("hall", problem.point_hall[kind], at),
        ("desk", problem.point_desk[kind], at * K + problem.point_service[kind]),
    ):
        labels, to = np.unique(label, return_inverse=True)
        room = problem.site_capacity[labels if name == "hall" else labels // K]
        wide = f.add_columns(f"{name}_there", room.astype(np.float64), widest(size, label, labels))
        f.add_rows(f"{name}_there", np.tile(np.arange(n), 2), np.concatenate([wide[to], w]),
                   np.concatenate([np.ones(n), -size]), n=n, lower=0)  # fmt: skip
        row.append(rank[labels if name == "hall" else labels // K])
        column.append(wide)
        value.append(np.ones(len(labels), dtype=np.int64))
    f.add_rows("area", np.concatenate([*row, np.arange(len(sites))]), np.concatenate([*column, sites]),
               np.concatenate([*value, -problem.site_capacity[sites]]), n=len(sites), upper=0)  # fmt: skip
