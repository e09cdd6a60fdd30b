"""Whether a way to share is what it is called, by balance and without a programme: Kohlberg's criterion.

Call a set of groups *balanced* when weights above nothing can be put on them so that every partner is in groups of the same
weight.  Then no change to the split can make all of them better off.  A split has the smallest largest gain by leaving when the
groups that gain most have a balanced part (Bondareva 1963, Shapley 1967); it is the nucleolus when, at every level, the groups
that gain at least so much are balanced (Kohlberg 1971).  A group in the span of a balanced set keeps it balanced, so each level
asks only about what the levels above leave open, and once they leave nothing open the rest follows.

Shares are whole pence, so gains that are one may print a few pence apart: gains are taken as one level until there is a gap that
rounding cannot explain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

type Floats = NDArray[np.float64]

NOTHING = 1e-7
"""A residual below this is none: the figures are noughts and ones."""


def smallest_largest_gain(groups: Floats, gain: Floats) -> bool:
    """Whether some groups of the first level are balanced: no split has a smaller largest gain.

    ``groups`` (g, n) are noughts and ones, neither empty nor whole; ``gain`` (g,) pence that each gains by leaving.
    """
    first = np.unique(groups[_levels(gain, groups.shape[1]) == 0], axis=0)
    return nnls(first.T, np.ones(groups.shape[1]))[1] < NOTHING


def is_nucleolus(groups: Floats, gain: Floats) -> bool:
    """Whether every level is balanced; see :func:`smallest_largest_gain` for what is given."""
    n = groups.shape[1]
    level = _levels(gain, n)
    open_ = _complement(np.ones((1, n)))  # (n, d) what the levels so far leave open
    for at in range(int(level.max()) + 1):
        if not open_.shape[1]:
            return True
        left = groups[level == at] @ open_
        left = np.unique(np.round(left[np.abs(left).max(axis=1) > NOTHING], 9), axis=0)
        if not len(left):
            continue
        # Weights of one and more on all of them whose sum leaves nothing open: any such weights may be made larger together.
        if nnls(left.T, -left.sum(axis=0))[1] > NOTHING * len(left):
            return False
        open_ = open_ @ _complement(left)
    return True


def _levels(gain: Floats, n: int) -> NDArray[np.int64]:
    """(g,) the level of each group, 0 the largest gain; a new one begins where the gap is more than rounding to the penny."""
    order = np.argsort(-gain, kind="stable")
    found = np.empty(len(gain), dtype=np.int64)
    found[order] = np.concatenate([[0], np.cumsum(-np.diff(gain[order]) > 2 * n)])
    return found


def _complement(rows: Floats) -> Floats:
    """(d, k) an orthonormal basis of what is at right angles to rows (r, d)."""
    _, size, across = np.linalg.svd(rows, full_matrices=True)
    rank = int((size > NOTHING).sum())
    found: Floats = across[rank:].T
    return found
