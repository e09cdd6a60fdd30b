"""The optimisation problem as plain arrays: no geography, no money rules, no solver.

A county, a seeded test estate and a published benchmark instance all go through this door.

Sets: sites ``j`` (0..J-1), access points ``s`` (0..S-1), services ``k`` (0..K-1).
Decisions: ``open_j`` and ``host_sj`` for each host pair that is allowed.  From them follow

* ``offer_kj`` - service ``k`` is present at ``j``: 1 exactly when some point of ``k`` is hosted there, or when ``(k, j)``
  is an *inherent* offer (a service that a site gives whenever it is open, with no access point behind it);
* ``hub_j`` - 1 exactly when points of services of two or more *kinds* are hosted at ``j`` (each service a kind of its own unless
  ``service_kind`` says otherwise; one of no kind makes no hub).

The mathematics (minimise; the row names are those of :mod:`estate.model`)::

    sum_j site_cost_j open_j + sum_p pair_cost_p host_p
    somewhere   sum_j host_sj = 1                                                      for all s
    open        host_sj <= open_j ;  offer_kj <= open_j
    offer       host_sj <= offer_kj <= sum_{s in k} host_sj
    area        sum_s own_s host_sj + hall_j + sum_k desk_kj <= capacity_j open_j + slack_j (1 - gain_j)
                hall_j >= hall_s host_sj ;  desk_kj >= desk_s host_sj
                gain_j >= host_sj for each s that is not at home in j       (only where slack_j > 0)
    derived     offer_dj = min over the parts of d of max over their pairs at j of host_p
    cover       sum_{j in row} offer_kj + host_excuse >= need                          for each cover row
    share       covered_i <= sum_{j in item i} offer_kj ;  sum_i weight_i covered_i >= required
    conflict    offer_aj + offer_bj <= 1                     together   offer_aj = offer_bj
    side        lower <= A (open, host, offer, hub) <= upper

Units: money in whole pence (a year), floor area in whole units of 0.1 m2, population in people.  Everything is an integer, so
that a plan's cost and its feasibility are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]
type Floats = NDArray[np.float64]

AREA_UNITS_PER_M2 = 10
"""Floor area is held in whole units of 0.1 m2."""


class Goal(StrEnum):
    """What is optimised; the constraints are the same for all."""

    COST = "cost"
    """Least ``site_cost . open + pair_cost . host`` (pence)."""
    COVERED = "covered"
    """Most weight over the items of ``shares`` (their ``required`` still binds)."""
    TRAVEL = "travel"
    """Least ``sum weight x distance`` over ``near`` (from each row to the nearest offer)."""
    FARTHEST = "farthest"
    """Least maximum distance over ``near``."""


def _ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class CoverRows:
    """Rows ``sum_{j in row} offer[service, j] (+ host[excuse]) >= need`` in compressed form.

    Row ``r`` holds the sites ``site[start[r]:start[r + 1]]`` (sorted, no repeats).  ``excuse`` is the index of a host pair
    that satisfies the row by itself (a point that stays at home displaces nobody), or -1.
    """

    service: Ints = field(default_factory=_ints)
    need: Ints = field(default_factory=_ints)
    start: Ints = field(default_factory=lambda: _ints(0))
    site: Ints = field(default_factory=_ints)
    excuse: Ints = field(default_factory=_ints)

    def __len__(self) -> int:
        return len(self.service)


@dataclass(frozen=True, slots=True, eq=False)
class ShareRule:
    """``sum of weight_i over the items with an offer in reach >= required`` for one service.

    Item ``i`` (a zone, or zones with the same reach) is reached by the sites ``site[start[i]:start[i + 1]]``.
    """

    name: str
    service: int
    weight: Ints
    start: Ints
    site: Ints
    required: int


@dataclass(frozen=True, slots=True, eq=False)
class NearRows:
    """Who travels how far: row ``r`` (a zone and a service) may go to ``site[start[r]:start[r+1]]``, nearest first.

    ``distance`` is in whole metres (or seconds); ``weight`` in people.
    """

    service: Ints = field(default_factory=_ints)
    weight: Ints = field(default_factory=_ints)
    start: Ints = field(default_factory=lambda: _ints(0))
    site: Ints = field(default_factory=_ints)
    distance: Ints = field(default_factory=_ints)

    def __len__(self) -> int:
        return len(self.service)


@dataclass(frozen=True, slots=True, eq=False)
class SideRows:
    """Any other linear rows, over the columns ``open (J) | host (P) | offer (Q) | hub (J)``, in compressed form.

    Budgets, paybacks, counts of sites or hubs, throughput.  ``lower`` and ``upper`` are floats (infinite where absent).
    ``name`` says what each is, in words for a planner.
    """

    name: tuple[str, ...] = ()
    lower: Floats = field(default_factory=lambda: np.zeros(0))
    upper: Floats = field(default_factory=lambda: np.zeros(0))
    start: Ints = field(default_factory=lambda: _ints(0))
    column: Ints = field(default_factory=_ints)
    value: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """A service that follows from others: there exactly where, for each of the ``parts``, some pair marked in it is chosen.

    ``parts`` are (P,) bools.  Several services met under one roof are a part for each; a counter of long hours is one part of the
    pairs that keep them.  ``service`` is its number, after those of the services that points have; it may be inherent to a site
    as any other.  Cover rows, share rules and nothing else may look at it.
    """

    service: int
    parts: tuple[Bools, ...]


def _no_triples() -> Ints:
    return np.zeros((0, 3), dtype=np.int64)


def no_pairs() -> Ints:
    """(0, 2) no pairs at all."""
    return np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A decision: which sites are open (J bools) and the site that hosts each point (S site indices)."""

    open: Bools
    host: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One instance; arrays are in canonical order (by id), never changed after they are made.

    Shapes: ``site_*`` (J,), ``point_*`` (S,), ``pair_*`` (P,) sorted by (point, site).  See the module for the mathematics.
    """

    n_services: int
    site_cost: Ints
    """Pence a year while open."""
    site_capacity: Ints
    """Floor area for hosts, 0.1 m2."""
    point_service: Ints
    point_own: Ints
    point_hall: Ints
    point_desk: Ints
    pair_point: Ints
    pair_site: Ints
    pair_cost: Ints
    """Pence a year for hosting the point there, above the site's own cost."""
    point_home: Ints
    """The site that hosts the point today, or -1."""
    site_slack: Ints
    """Area by which today's hosts exceed capacity: kept for as long as the site gains nobody."""
    must_open: Bools
    must_close: Bools
    cover: CoverRows = field(default_factory=CoverRows)
    shares: tuple[ShareRule, ...] = ()
    service_kind: Ints | None = None
    """(K,) the kind of each service, 0..K-1; -1 for one that makes no hub.  None: each its own."""
    inherent: Ints = field(default_factory=no_pairs)
    """(n, 2) rows of (service, site): offered whenever the site is open."""
    conflict: Ints = field(default_factory=_no_triples)
    """(n, 3) rows of (service a, service b, site) that may not both be hosted there."""
    together: Ints = field(default_factory=_no_triples)
    """(n, 3) rows of (service a, service b, site) that are hosted there both or neither."""
    derived: tuple[Derived, ...] = ()
    """Services that follow from others; :attr:`n_services` counts them, and no point is of them."""
    side: SideRows = field(default_factory=SideRows)
    near: NearRows = field(default_factory=NearRows)
    goal: Goal = Goal.COST
    site_one_off: Ints | None = None
    """Net one-off pence when the site is released (costs less receipts): the first tie-break.  None: no tie-break."""
    site_opening: Ints | None = None
    """One-off pence when the site is open: what a building that is not in use today costs to build, buy or refurbish."""
    site_running: Ints | None = None
    """Pence a year while open, where ``site_cost`` is another cost (an annual equivalent); with ``pair_running``, a tie-break."""
    pair_running: Ints | None = None
    pair_apart: Ints | None = None
    """How far the point would go, times how much goes: whole units of any kind, 0 at home.  A tie-break.  None: not told."""
    pair_one_off: Ints | None = None
    """One-off pence when the point is hosted there (fit-out, removal)."""
    today: Solution | None = None
    """Today's estate where it is a plan: the first incumbent."""

    def __repr__(self) -> str:
        return f"<Problem {self.goal}: {self.n_sites:,} sites, {self.n_points:,} points, {self.n_pairs:,} choices>"

    @property
    def kinds(self) -> Ints:
        """(K,) the kind of each service, -1 where it makes no hub."""
        return np.arange(self.n_services) if self.service_kind is None else self.service_kind

    @property
    def n_sites(self) -> int:
        """J."""
        return len(self.site_cost)

    @property
    def n_points(self) -> int:
        """S."""
        return len(self.point_service)

    @property
    def n_pairs(self) -> int:
        """P."""
        return len(self.pair_point)
