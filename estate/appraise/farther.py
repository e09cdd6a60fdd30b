"""Counters that would move farther than the people they serve now travel to them."""

from __future__ import annotations

import numpy as np

from estate.appraise.access import Reach, weighted_quantile
from estate.place import Plan
from estate.scenario import Metric
from estate.standards.measured import Measured
from estate.standards.words import way
from estate.travel.pairs import lookup
from estate.wording import listed

NEARLY_ALL = 0.95
"""The share of a counter's people whose journey of today says how far they now travel: a lone farm does not speak for all."""

type Warned = tuple[str, str, str]


def farther_moves(measured: Measured, plan: Plan, before: Reach) -> tuple[Warned, ...]:
    """A warning that names the counters which move farther than 95% of their people now travel, the longest way first.

    A counter's people live where its building is the nearest with its service today; they are weighted by population.  Metres
    are compared where they are known of the way between buildings, else seconds; a counter that is nobody's nearest, or a way
    that is not known, is passed over.
    """
    place = measured.place
    pairs = measured.travel.between.get(measured.scenario.travel.mode)
    moved = np.flatnonzero((plan.host != place.point_site) & (plan.host >= 0))
    if pairs is None or not len(moved):
        return ()
    metric = Metric.DISTANCE if pairs.has_distance else Metric.TIME
    journey = before.distance_m if pairs.has_distance else before.time_s
    gone = lookup(pairs, pairs.measure(metric), place.point_site[moved], plan.host[moved], len(place.sites))
    people = place.zones["population"].to_numpy(dtype=np.float64)
    found = []
    for s, far in zip(moved.tolist(), gone.tolist(), strict=True):
        k, home = place.point_service[s], place.point_site[s]
        theirs = (before.site[k] == home) & (people > 0) & (journey[k] >= 0)
        if far >= 0 and theirs.any():
            now = weighted_quantile(journey[k][theirs].astype(np.float64), people[theirs], NEARLY_ALL)
            if far > now:
                found.append((-far, str(place.access_points.index[s]), now))
    if not found:
        return ()
    told = [f"{name} ({way(-far, metric)}; they go {way(now, metric)})" for far, name, now in sorted(found)]
    count = "1 counter moves" if len(told) == 1 else f"{len(told)} counters move"
    message = f"{count} farther than {NEARLY_ALL:.0%} of the people nearest to it now travel: {listed(told)}"
    message = message if len(told) == 1 else message.replace("to it", "to them", 1)
    remedy = "a smaller rules.reach, or services.SERVICE.reach, keeps them nearer; rules.fixed keeps one where it is"
    return (("plan.far-moves", message, remedy),)
