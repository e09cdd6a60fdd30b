"""The mixed-integer programme of a :class:`~estate.problem.Problem`, row family by row family, and its PuLP form.

The problem is single-source capacitated facility location with shared space, joined to set covering.  Each function
of :mod:`estate.model.space` and :mod:`estate.model.access` adds one family of columns and rows; its docstring is the
formula.  Notation as in :mod:`estate.problem`: sites ``j``, points ``s`` of service ``k``, host pairs ``p = (s, j)``.
All columns are bounded.  :func:`~estate.model.formulation.to_pulp` writes the whole in PuLP.

What makes the relaxation strong, and what is left out because it adds nothing:

* **Coverage counts a service once per site.**  Rows add up ``offer_kj``, never ``host_sj``: two libraries in one
  building serve a zone once.  Where a service has one candidate at a site, ``offer`` *is* that ``host`` column; where
  the site gives the service by itself (*inherent*), ``offer`` is ``open``.
* ``host_sj <= open_j`` for every pair (Holmberg, Ronnqvist and Yuan 1999 for the strong single-source form); the
  links are implied for integers by floor area, but not for fractions.  None where ``open_j`` is fixed to 1.
* ``offer_kj >= host_sj`` only where something could gain from an offer denied (conflicts, pairs that go together,
  hubs, side rows); ``offer_kj <= sum host`` only where something gains from an offer claimed.
* One cover row of each kind, and none that every plan meets: a county's 2,500 become about 700.
* No area row where all candidates fit together; ``hall`` and ``desk`` columns only where two candidates could share one,
  and then by increments; a pair too large for its site by itself is fixed to 0.
* Distances use the *radius* form of the p-median problem (Cornuejols, Nemhauser and Wolsey 1980; Elloumi 2010): one
  column ``far_rm`` per row and distinct distance, so equal distances cost one column and the matrix stays sparse.

References
----------
Cornuejols, Nemhauser, Wolsey (1980), A canonical representation of simple plant location problems and its
applications, SIAM J. Alg. Disc. Meth. 1.  Church, ReVelle (1974), The maximal covering location problem, Papers of the
RSA 32.  Elloumi (2010), A tighter formulation of the p-median problem, J. Comb. Optim. 19.  Holmberg, Ronnqvist, Yuan
(1999), An exact algorithm for the capacitated facility location problems with single sourcing, EJOR 113.  Toregas,
Swain, ReVelle, Bergman (1971), The location of emergency service facilities, Oper. Res. 19.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from estate.model import access, kinds, space
from estate.model.formulation import Block, Formulation, Rows, SolutionFacts, to_pulp
from estate.model.measures import PLACED, LinearMeasure, Measure, beyond, measure, one_off, placed
from estate.model.space import offer_index
from estate.problem import Goal, Ints, Problem

__all__ = [
    "Block", "Formulation", "Measure", "Rows", "SolutionFacts", "beyond", "formulate", "measure", "offer_index",
    "one_off", "to_pulp",
]  # fmt: skip


def formulate(
    problem: Problem,
    what: Measure | None,
    *,
    at_most: Mapping[Measure, int] | None = None,
    within: int | None = None,
    prefer: tuple[Ints, Ints] | None = None,
    by_kinds: bool = False,
    links: bool = True,
) -> Formulation:
    """The programme that optimises ``what`` (None: any plan), with limits on other measures.

    ``at_most`` holds each of its measures to a value (at least, for ``COVERED``): the steps of a lexicographic
    optimum.  ``within`` asks that every near row has an offer within that distance (the p-center decision problem).
    ``prefer`` is an objective of its own, weights (J,) on ``open`` and (P,) on ``host``, in place of a measure.
    ``by_kinds`` and ``links``: floor area as in :func:`estate.model.kinds.area`, wherever it can be.
    """
    limits = dict(at_most or {})
    used = {what, *limits}
    f = Formulation(problem, uses_near=Measure.TRAVEL in used or within is not None)
    space.open_and_host(f)
    if by_kinds:
        f.fillings = kinds.fillings(problem, space.alive(f))
    space.offers(f)
    space.somewhere(f)
    space.area(f)
    kinds.area(f, links=links)
    access.cover(f)
    terms: dict[Measure, LinearMeasure] = {}
    covered = access.share(f, want_all=Measure.COVERED in used)
    terms[Measure.COVERED] = LinearMeasure(covered, -np.concatenate([np.zeros(0, dtype=np.int64), *_weights(problem)]))
    space.services_by_site(f)
    space.side(f)
    if within is not None:
        access.radius(f, within)
    if Measure.TRAVEL in used:
        terms[Measure.TRAVEL] = access.travel(f, must_be_served=problem.goal in {Goal.TRAVEL, Goal.FARTHEST})
    sites, pairs = np.arange(problem.n_sites), problem.n_sites + np.arange(problem.n_pairs)
    both = np.concatenate([sites, pairs])
    terms[Measure.COST] = LinearMeasure(both, np.concatenate([problem.site_cost, problem.pair_cost]))
    by_site, opening, by_pair = one_off(problem)
    terms[Measure.ONE_OFF] = LinearMeasure(both, np.concatenate([opening - by_site, by_pair]), int(by_site.sum()))
    for other in PLACED:
        terms[other] = LinearMeasure(both, np.concatenate(placed(problem, other)))
    for other, value in limits.items():
        limit(f, other, terms[other], value)
    f.objective = np.zeros(f.n_columns)
    chosen = terms[what] if what is not None else None if prefer is None else LinearMeasure(both, np.concatenate(prefer))
    if chosen is not None:
        f.unit = max(int(np.gcd.reduce(chosen.weight)), 1) if len(chosen.weight) else 1
        f.sign = -1 if what is Measure.COVERED else 1
        f.constant = chosen.constant
        np.add.at(f.objective, chosen.column, chosen.weight // f.unit)
    return f


def _weights(problem: Problem) -> list[Ints]:
    return [rule.weight for rule in problem.shares]


def limit(f: Formulation, what: Measure, terms: LinearMeasure, value: int) -> None:
    """``measure <= value`` (``covered >= value``), divided by the common unit of its coefficients."""
    room = (-value if what is Measure.COVERED else value) - terms.constant
    unit = max(int(np.gcd.reduce(terms.weight)), 1) if len(terms.weight) else 1
    row = np.zeros(len(terms.column), dtype=np.int64)
    f.add_rows(f"limit_{what}", row, terms.column, terms.weight // unit, n=1, upper=float(room // unit))
