"""Why each counter leaves its building: the building closes, another counter needs the room, or it is part of the best plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.formulate.eligible import area_units
from estate.place import Place, Plan
from estate.problem import Ints
from estate.scenario import Scenario

CLOSES = "its building closes"
BEST = "part of the best plan within the rules"
MOST_NAMED = 3


def why_it_moves(place: Place, plan: Plan, moved: Ints, scenario: Scenario) -> list[str]:
    """In words, for each access point of ``moved`` (positions), why it leaves the building that it is in today.

    It *makes room* where its building stays and gains counters, and would be too small if this one came back and nothing else
    changed.  A building that gains nobody may stay as full as it is today, so that nobody has to leave it for room.
    """
    points, sites = place.access_points, place.sites
    room = area_units((sites["capacity_m2"] - sites["other_use_m2"]).to_numpy(), up=False)
    whole, hall, desk = (area_units(points[name].to_numpy()) for name in ("area_m2", "hall_area_m2", "desk_area_m2"))
    found = []
    for s in moved.tolist():
        home = int(place.point_site[s])
        there = np.flatnonzero(plan.host == home)
        arriving = there[place.point_site[there] != home]
        if not plan.open[home]:
            found.append(CLOSES)
            continue
        back = np.append(there, s)
        desks = pd.Series(desk[back]).groupby(place.point_service[back]).max().sum()
        needed = int((whole - hall - desk)[back].sum() + hall[back].max() + desks)
        short = len(arriving) > 0 and needed > max(int(room[home]), 0)
        named = {
            f"the {scenario.service_label(place.services[place.point_service[i]])} from {sites['name'].iloc[place.point_site[i]]}"
            for i in arriving.tolist()
        }
        found.append(f"makes room for {_listed(sorted(named))}" if short else BEST)
    return found


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = [*names[:MOST_NAMED], f"{more} more"] if more > 0 else names
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
