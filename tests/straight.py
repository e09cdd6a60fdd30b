"""Travel by straight lines for the small places of the tests."""

import numpy as np
import pandas as pd

from estate.place import Place
from estate.scenario import Scenario
from estate.travel import Points, Straight, TravelTables, Wanted, build_travel

EVERYTHING = Wanted(limit_m=np.inf, limit_s=np.inf)


def points_of(frame: pd.DataFrame) -> Points:
    return Points(frame["easting_m"].to_numpy(), frame["northing_m"].to_numpy(), tuple(frame.index))


def travel_of(place: Place, modes: tuple[str, ...] = ("drive", "walk"), *, detour: float = 1.3) -> TravelTables:
    """Every pair of the place by straight line."""
    wanted = dict.fromkeys(modes, EVERYTHING)
    way = Straight(detour, {"drive": 40.0, "walk": 4.8})
    return build_travel(points_of(place.zones), points_of(place.sites), way, home=wanted, between=wanted)


def straight_travel(place: Place, scenario: Scenario, modes: tuple[str, ...] = ("drive", "walk")) -> TravelTables:
    """The same with the detour of a scenario."""
    return travel_of(place, modes, detour=scenario.travel.detour)
