"""A round of odd cuts: the rows of the programme that its solution meets in parts, and the sums of them that it breaks."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from estate.problem import Ints
from estate.solve.shares import rounding_cuts
from estate.solve.shares.offers import OfferMaster
from estate.solve.shares.rounding_cuts import OddCut


def odd_cuts(lp: OfferMaster, divisors: tuple[int, ...] = (2, 3)) -> list[OddCut]:
    """The most violated odd cuts at the programme's solution."""
    S, J, R = lp.n_points, lp.n_sites, lp.n_links
    use, x, fixed = lp.values()
    if not ((x > 1e-6) & (x < 1 - 1e-6)).any():
        return []
    of, row = lp.members(use)
    by_row = csr_array((np.ones(len(row)), (row, of)), shape=(S + J + R, len(use)))
    # Points, sites, then rules that ask for one: only those that the solution meets in parts.
    ones = np.array(lp.ones, dtype=np.int64)
    links = lp.fixed[R + ones]
    missed = R + np.flatnonzero(fixed[R:] > 1e-7)
    met = links[:, :R] @ by_row[S + J :]
    met.data[:] = 1.0
    alone = csr_array((S + J, len(missed)))
    rows = csr_array(vstack([hstack([by_row[: S + J], alone]), hstack([met, links[:, missed]])]))
    value = np.concatenate([x, fixed[missed]])
    open_ = np.flatnonzero(rows @ (value > 1 - 1e-6).astype(float) < 0.5)
    packing = (open_ >= S) & (open_ < S + J)
    part = csr_array(rows[open_])
    cuts = []
    for divisor in divisors:
        for members, weights in rounding_cuts.separate(part, value, packing, divisor):
            parts: list[tuple[Ints, Ints]] = []
            for r in open_[members].tolist():
                columns = lp.rules[ones[r - S - J]][2] if r >= S + J else np.zeros(0, dtype=np.int64)
                at = S + J + columns[columns < R] if r >= S + J else np.array([r])
                parts.append((at, columns[columns >= R]))
            cuts.append(
                OddCut(
                    np.concatenate([at for at, _ in parts]),
                    np.repeat(weights, [len(at) for at, _ in parts]),
                    divisor,
                    -(-int(weights.sum()) // divisor),
                    np.concatenate([m for _, m in parts]),
                )
            )
    return cuts
