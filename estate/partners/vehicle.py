"""A single property vehicle: members pass it the titles of their buildings, and it charges them for the space they use.

**Value in** is what the members' freeholds are worth (agreed price, else market value); **equity** is by that value, or equal.
**Charges**: each pays the full cost of its space, split as the plan's books split it, and its share of the vehicle's overhead.
**Surplus**: what sales bring, less the cost of selling, is the vehicle's, and is shared by equity instead of following title.
A sale *to* a company that the seller owns or controls is no receipt for flexible use under the direction of 26 March 2025.

**Unravelling.**  A member is held by what it would pay by itself: today's bill less what it saves alone.  While any member's
charge is more than that, the one for whom it is most too dear leaves and the overhead is shared by fewer.  Place Partnership in
Worcestershire (2015, six equal shareholders) lost partners in 2018 and 2020 and was wound up in 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.appraise.ledger import ledger
from estate.money.bearers import share_out
from estate.money.release import release
from estate.partners.account import cash_of
from estate.partners.partnership import Partnership
from estate.place import Place
from estate.problem import Floats, Ints
from estate.scenario import Scenario, Vehicle

EQUAL, IN_PROPORTION = "equal", "in-proportion"
FLEXIBLE_USE = "sales to a company that the seller owns or controls do not count for flexible use (direction of 26 March 2025)"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One look at a vehicle: who is in, what each is charged (pence), and who leaves next, or -1."""

    members: tuple[int, ...]
    charge: Ints
    leaves: int


def unravelling(overhead: int, space: Ints, alone: Ints, rule: str) -> list[Step]:
    """Who leaves a vehicle, one after the other, until those left all pay no more than by themselves, or nobody is left.

    Parameters
    ----------
    overhead
        Pence a year.
    space, alone
        (n,) pence a year: what each pays for its space in the vehicle, and what it would pay in all by itself.
    rule
        ``equal``: the same share of the overhead to each; ``in-proportion`` to ``alone``.
    """
    left, steps = list(range(len(alone))), []
    while left:
        weight = np.ones(len(left)) if rule == EQUAL else np.maximum(alone[left], 0).astype(np.float64)
        weight = weight if weight.sum() > 0 else np.ones(len(left))
        share = share_out(np.array([overhead]), np.zeros(len(left), dtype=np.int64), weight)
        charge = space[left] + share
        over = charge - alone[left]
        worst = int(np.argmax(over))
        leaves = left[worst] if over[worst] > 0 else -1
        steps.append(Step(tuple(left), charge, leaves))
        if leaves < 0:
            break
        left.remove(leaves)
    return steps


def vehicle_tables(found: Partnership) -> dict[str, pd.DataFrame]:
    """``vehicle`` (each member before and after) and ``unravelling`` (each step, by both rules); nothing where none is set."""
    scenario = found.measured.scenario
    if scenario.vehicle is None:
        return {}
    vehicle, place = scenario.vehicle, found.measured.place
    members = [each for each in found.game.players if each in vehicle.members]
    member = np.array([found.game.players.index(each) for each in members], dtype=np.int64)
    plan = found.formulation.plan(place, found.whole.plan)
    book = ledger(place, scenario, plan)
    before, after = (_bills(place, frame, members) for frame in (book.before, book.after))
    alone = before - np.array([found.alone[i].low for i in member], dtype=np.int64)
    overhead = round(vehicle.overhead_gbp_pa * 100)
    steps = {rule: unravelling(overhead, after, alone, rule) for rule in (EQUAL, IN_PROPORTION)}
    first = steps[vehicle.overhead][0].charge - after
    return {
        "vehicle": _members(found, vehicle, members, before, after, alone, first),
        "unravelling": _steps(members, found, steps, alone),
    }


def _bills(place: Place, frame: pd.DataFrame, members: Sequence[str]) -> Ints:
    """(m,) pence a year that each member bears."""
    total = frame.groupby("agency")["pence"].sum()
    total.index = place.agencies.index.astype(str)[total.index]
    return total.reindex(list(members), fill_value=0).to_numpy(dtype=np.int64)


def _value_in(place: Place, scenario: Scenario, members: Sequence[str]) -> Ints:
    """(m,) pence that the freeholds of each are worth."""
    gross = release(place, scenario)["gross_gbp"].to_numpy(dtype=np.float64)
    owner = place.sites["agency"].astype(str).to_numpy()
    return np.array([round(float(gross[owner == each].sum()) * 100) for each in members], dtype=np.int64)


def _equity(vehicle: Vehicle, value: Ints) -> Floats:
    """(m,) shares that add up to 1."""
    weight = value.astype(np.float64) if vehicle.equity == "value" and value.sum() > 0 else np.ones(len(value))
    return weight / weight.sum()


def _members(
    found: Partnership, vehicle: Vehicle, members: Sequence[str], before: Ints, after: Ints, alone: Ints, overhead: Ints
) -> pd.DataFrame:
    measured = found.measured
    plan = found.formulation.plan(measured.place, found.whole.plan)
    value = _value_in(measured.place, measured.scenario, members)
    equity = _equity(vehicle, value)
    receipts = cash_of(measured, plan, members).receipts.sum(axis=1)
    pot = np.array([int(receipts.sum())], dtype=np.int64)
    shared = (
        share_out(pot, np.zeros(len(members), dtype=np.int64), equity) if pot[0] else np.zeros(len(members), dtype=np.int64)
    )
    names = dict(zip(found.game.players, found.names, strict=True))
    charge = after + overhead
    return pd.DataFrame(
        {
            "agency": list(members),
            "name": [names[each] for each in members],
            "value_in_gbp": value / 100,
            "equity_percent": np.round(100 * equity, 4),
            "bill_today_gbp_pa": before / 100,
            "bill_by_itself_gbp_pa": alone / 100,
            "charge_for_space_gbp_pa": after / 100,
            "charge_for_overhead_gbp_pa": overhead / 100,
            "charge_gbp_pa": charge / 100,
            "better_than_by_itself_gbp_pa": (alone - charge) / 100,
            "sales_by_title_gbp": receipts / 100,
            "sales_by_equity_gbp": shared / 100,
            "on_leaving_gbp": np.round(equity * float(value.sum())) / 100,
            "note": FLEXIBLE_USE,
        }
    )


STEPS = ("overhead_shared", "step", "members", "agency", "name", "charge_gbp_pa", "by_itself_gbp_pa", "leaves")


def _steps(members: Sequence[str], found: Partnership, steps: dict[str, list[Step]], alone: Ints) -> pd.DataFrame:
    names = dict(zip(found.game.players, found.names, strict=True))
    made = [
        (
            rule, number, len(step.members), members[i], names[members[i]], int(charge) / 100, int(alone[i]) / 100,
            "yes" if i == step.leaves else "no",
        )
        for rule, each in steps.items()
        for number, step in enumerate(each, 1)
        for i, charge in zip(step.members, step.charge.tolist(), strict=True)
    ]  # fmt: skip
    return pd.DataFrame(made, columns=list(STEPS))
