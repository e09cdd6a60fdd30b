"""Shares in a property vehicle: what each member brought in, and how what the vehicle is left with falls to its members."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.load.vest import members
from estate.money.bearers import share_out
from estate.money.columns import Ints
from estate.money.release import release
from estate.place import Place
from estate.scenario import Scenario


def value_in(place: Place, scenario: Scenario) -> pd.Series[int]:
    """By member, sorted: pence that its freeholds are worth, by agreed price or market value, less nothing."""
    gross = pd.Series(release(place, scenario)["gross_gbp"].to_numpy(dtype=np.float64)).groupby(place.keeper).sum()
    mine = gross.reindex(list(members(place, scenario)), fill_value=0.0)
    return (100 * mine).round().astype(np.int64)


def equity(place: Place, scenario: Scenario) -> pd.Series[float]:
    """By member, sorted: shares that add up to 1, by the value brought in or equal; empty without a vehicle."""
    value = value_in(place, scenario).astype(np.float64)
    if scenario.vehicle is None or scenario.vehicle.equity == "equal" or not value.sum():
        value[:] = 1.0
    return value / max(value.sum(), 1.0)


def to_members(place: Place, scenario: Scenario, amount: Ints) -> Ints:
    """(m, Y) pence of each year's amount (Y,) that fall to each member by its share: every year adds up exactly."""
    share = equity(place, scenario).to_numpy()
    years = np.tile(np.arange(len(amount)), (len(share), 1))
    found: Ints = share_out(amount, years.ravel(), np.repeat(share, len(amount))).reshape(years.shape)
    return found
