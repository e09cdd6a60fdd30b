"""How unequal distances are, before and after: Gini, and the Kolm-Pollak equally-distributed equivalent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.appraise.access import Reach, far, unit_of
from estate.place import Place
from estate.problem import Floats


def inequality_table(place: Place, before: Reach, after: Reach) -> pd.DataFrame:
    """Gini and the Kolm-Pollak equally-distributed equivalent (EDE) of distance, by service, before and after.

    The EDE is the distance that, if everyone had it, would be as bad as the real spread:
    ``-ln(mean(exp(-kappa x))) / kappa`` with ``kappa = beta * sum(x) / sum(x^2)`` (Sheriff and Maguire 2020; Logan et al.
    2021, for a burden ``beta`` = -0.5).  ``kappa`` is fixed from the baseline, so that the two columns can be compared, and
    is printed.  Seconds stand for metres where the travel tables have no distances, in columns that end in ``_s``.
    """
    people = place.zones["population"].to_numpy(dtype=np.float64)
    rows = []
    for k, service in enumerate(place.services):
        unit = unit_of(before, k)
        was, now = (far(each, k, unit).astype(np.float64) for each in (before, after))
        reached = (was >= 0) & (now >= 0) & (people > 0)
        weight = people[reached]
        if not reached.any() or not was[reached].any():
            continue
        kappa = -0.5 * float((weight * was[reached]).sum() / (weight * was[reached] ** 2).sum())
        rows.append(
            {
                "service": service,
                f"aversion_kappa_per_{unit}": kappa,
                "gini_before": round(gini(was[reached], weight), 4),
                "gini_after": round(gini(now[reached], weight), 4),
                f"ede_before_{unit}": round(kolm_pollak(was[reached], weight, kappa)),
                f"ede_after_{unit}": round(kolm_pollak(now[reached], weight, kappa)),
            }
        )
    return pd.DataFrame(rows)


def gini(value: Floats, weight: Floats) -> float:
    """Gini coefficient of a weighted sample: 0 when all are equal; NaN when all are zero."""
    order = np.argsort(value, kind="stable")
    w, x = weight[order], value[order]
    total = float((w * x).sum())
    if not total:
        return float("nan")
    below = np.cumsum(w) - w / 2
    return float(2 * (w * x * below).sum() / (total * w.sum()) - 1)


def kolm_pollak(value: Floats, weight: Floats, kappa: float) -> float:
    """The Kolm-Pollak equally-distributed equivalent for an aversion ``kappa`` (negative for a burden)."""
    exponent = -kappa * value
    top = float(exponent.max())
    return -(top + float(np.log(np.average(np.exp(exponent - top), weights=weight)))) / kappa
