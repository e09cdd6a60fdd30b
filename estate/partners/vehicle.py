"""A single property vehicle: members pass it the titles of their buildings, and it charges them for the space they use.

**Value in** is what the members' freeholds are worth (agreed price, else market value); **equity** is by that value, or equal.
**Charges**: each pays the full cost of its space, split as the plan's books split it, and its share of the vehicle's overhead.
**Surplus**: what sales bring, less what selling and empty buildings cost, is the vehicle's, and falls to its members by equity
instead of following title.  Where the vehicle holds the titles (:mod:`estate.load.vest`) the ledger says so too.
A sale *to* a company that the seller owns or controls is no receipt for flexible use under the direction of 26 March 2025.

**Unravelling.**  A member is held by what it would pay by itself: today's bill less what it saves alone.  While any member's
charge is more than that, the one for whom it is most too dear leaves and the overhead is shared by fewer.  Place Partnership in
Worcestershire (2015, six equal shareholders) lost partners in 2018 and 2020 and was wound up in 2021.

===================  ====================================================================================================
table                one row for
===================  ====================================================================================================
``vehicle``          each member: what it brings, what it pays today, by itself and in the vehicle, what it gets on leaving
``unravelling``      each step of each rule by which the overhead may be shared, and member
``vehicle_titles``   each building whose title passes: who brings it, what it is worth, what becomes of it
``vehicle_books``    each year, line and agency: what the vehicle takes (above 0) and pays; every year adds up to nothing
===================  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estate.appraise.ledger import ONE_OFF, PROCEEDS, YEARLY, Ledger, ledger
from estate.load.vest import holds_titles, members
from estate.money.bearers import share_out
from estate.money.law import year_label
from estate.money.release import release
from estate.money.vehicle import equity, to_members, value_in
from estate.partners.partnership import Partnership
from estate.place import Place, Plan
from estate.problem import Bools, Ints
from estate.scenario import Scenario

EQUAL, IN_PROPORTION = "equal", "in-proportion"
FLEXIBLE_USE = "sales to a company that the seller owns or controls do not count for flexible use (direction of 26 March 2025)"


@dataclass(frozen=True, slots=True, eq=False)
class VehicleStep:
    """One look at a vehicle: who is in, what each is charged (pence), and who leaves next, or -1."""

    members: tuple[int, ...]
    charge: Ints
    leaves: int


def unravelling(overhead: int, space: Ints, alone: Ints, rule: str) -> list[VehicleStep]:
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
        steps.append(VehicleStep(tuple(left), charge, leaves))
        if leaves < 0:
            break
        left.remove(leaves)
    return steps


@dataclass(frozen=True, slots=True, eq=False)
class _Members:
    """Who is in a vehicle, and pence a year of each (m,): today, in the plan, by itself."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    before: Ints
    after: Ints
    alone: Ints


def vehicle_tables(found: Partnership) -> dict[str, pd.DataFrame]:
    """The module's tables by name; nothing where the scenario has no vehicle, and no titles or books where it only manages."""
    place, scenario = found.measured.place, found.measured.scenario
    vehicle = scenario.vehicle
    ids = members(place, scenario)
    if vehicle is None or not ids:
        return {}
    plan = found.formulation.plan(place, found.whole.plan)
    book = ledger(place, scenario, plan)
    before, after = (_bills(place, frame, ids) for frame in (book.before, book.after))
    saves = dict(zip(found.game.players, (each.low for each in found.alone), strict=True))
    alone = before - np.array([saves.get(each, 0) for each in ids], dtype=np.int64)
    who = _Members(ids, tuple(place.agencies.loc[list(ids), "name"].astype(str)), before, after, alone)
    cost = round(vehicle.overhead_gbp_pa * 100)
    steps = {rule: unravelling(cost, after, alone, rule) for rule in (EQUAL, IN_PROPORTION)}
    overhead = steps[vehicle.overhead][0].charge - after
    tables = {"vehicle": _table(place, scenario, who, book, overhead), "unravelling": _steps(who, steps)}
    if holds_titles(scenario):
        tables |= {
            "vehicle_titles": _titles(place, scenario, plan, book),
            "vehicle_books": _books(place, scenario, who, book, overhead),
        }
    return tables


def _bills(place: Place, frame: pd.DataFrame, ids: Sequence[str]) -> Ints:
    """(m,) pence a year that each member bears."""
    total = frame.groupby("agency")["pence"].sum()
    total.index = place.agencies.index.astype(str)[total.index]
    return total.reindex(list(ids), fill_value=0).to_numpy(dtype=np.int64)


def _table(place: Place, scenario: Scenario, who: _Members, book: Ledger, overhead: Ints) -> pd.DataFrame:
    value, share = value_in(place, scenario).to_numpy(), equity(place, scenario).to_numpy()
    brought = place.keeper[book.once["site"]]
    sold = book.once["line"].isin(PROCEEDS) & (_titles_of(place, scenario, who)[book.once["site"]])
    by_title = book.once[sold].groupby(brought[sold])["pence"].sum().reindex(list(who.ids), fill_value=0).to_numpy(np.int64)
    charge = who.after + overhead
    return pd.DataFrame(
        {
            "agency": list(who.ids),
            "name": list(who.names),
            "value_in_gbp": value / 100,
            "equity_percent": np.round(100 * share, 4),
            "bill_today_gbp_pa": who.before / 100,
            "bill_by_itself_gbp_pa": who.alone / 100,
            "charge_for_space_gbp_pa": who.after / 100,
            "charge_for_overhead_gbp_pa": overhead / 100,
            "charge_gbp_pa": charge / 100,
            "better_than_by_itself_gbp_pa": (who.alone - charge) / 100,
            "sales_by_title_gbp": by_title / 100,
            "sales_by_equity_gbp": to_members(place, scenario, by_title.sum(keepdims=True))[:, 0] / 100,
            "on_leaving_gbp": np.round(share * float(value.sum())) / 100,
            "note": FLEXIBLE_USE,
        }
    )


def _titles_of(place: Place, scenario: Scenario, who: _Members) -> Bools:
    """(J,) the buildings whose sales are shared: those that the vehicle holds, or its members where it only manages."""
    held: Bools = np.isin(place.sites["agency"].astype(str), [holds_titles(scenario)] if holds_titles(scenario) else who.ids)
    return held


STEPS = ("overhead_shared", "step", "members", "agency", "name", "charge_gbp_pa", "by_itself_gbp_pa", "leaves")


def _steps(who: _Members, steps: dict[str, list[VehicleStep]]) -> pd.DataFrame:
    made = [
        (
            rule, number, len(step.members), who.ids[i], who.names[i], int(charge) / 100, int(who.alone[i]) / 100,
            "yes" if i == step.leaves else "no",
        )
        for rule, each in steps.items()
        for number, step in enumerate(each, 1)
        for i, charge in zip(step.members, step.charge.tolist(), strict=True)
    ]  # fmt: skip
    return pd.DataFrame(made, columns=list(STEPS))


# ------------------------------------------------------------------------------------------------------ titles and books


def _titles(place: Place, scenario: Scenario, plan: Plan, book: Ledger) -> pd.DataFrame:
    at = np.flatnonzero(place.brought_in_by != "")
    sold = book.once[book.once["line"].isin(PROCEEDS)].groupby("site")["pence"].sum().reindex(at, fill_value=0)
    return pd.DataFrame(
        {
            "site_id": place.sites.index[at],
            "name": place.sites["name"].to_numpy()[at],
            "brought_in_by": place.brought_in_by[at],
            "value_gbp": (100 * release(place, scenario)["gross_gbp"].to_numpy()[at]).round() / 100,
            "in_plan": np.where(plan.open[at], "kept", np.where(place.today.open[at], "let go", "not in use")),
            "receipt_gbp": sold.to_numpy() / 100,
        }
    )


BOOKS = ("year", "line", "agency", "amount_gbp")
LINES = {
    "capital_receipt": "sales", "revenue_sum": "sales", "disposal_from_receipt": "cost of sales",
    "disposal_to_revenue": "cost of sales", "holding_cost": "empty buildings", "exit_cost": "leaving buildings",
}  # fmt: skip
"""What the vehicle's own entries of the ledger are called in its books."""


def _books(place: Place, scenario: Scenario, who: _Members, book: Ledger, overhead: Ints) -> pd.DataFrame:
    """Charges for space cover what its buildings cost, those for overhead the overhead; the rest is its members' by equity."""
    ids = place.agencies.index.astype(str)
    own, own_id = ids.get_loc(holds_titles(scenario)), holds_titles(scenario)
    years = range(scenario.money.horizon_years)
    held = np.flatnonzero(place.brought_in_by != "")
    now = book.before[book.before["site"].isin(held)].groupby("agency")["pence"].sum()
    change = book.yearly[book.yearly["site"].isin(held) & book.yearly["line"].isin(YEARLY)]
    less = change.groupby(["year", "agency"])["pence"].sum()
    once = book.once[(book.once["agency"] == own) & book.once["line"].isin([*PROCEEDS, *ONE_OFF])]
    named = once.assign(line=once["line"].map(LINES).fillna(once["line"])).groupby(["year", "line"])["pence"].sum()
    made: list[tuple[int, str, str, int]] = []
    for year in years:
        bill = now.sub(less.get(year, pd.Series(dtype=np.int64)), fill_value=0).astype(np.int64)
        made += [(year, "charged for space", each, pence) for each, pence in zip(ids[bill.index], bill.tolist(), strict=True)]
        made.append((year, "cost of its buildings", own_id, -int(bill.sum())))
        made += [(year, "charged for overhead", each, int(p)) for each, p in zip(who.ids, overhead, strict=True)]
        made.append((year, "overhead", own_id, -int(overhead.sum())))
        made += _shared(place, scenario, who, year, named.get(year, pd.Series(dtype=np.int64)))
    table = pd.DataFrame(made, columns=["year", "line", "agency", "pence"])
    table = table[table["pence"] != 0]
    base = scenario.money.base_year
    return pd.DataFrame(
        {
            "year": [year_label(base + each) for each in table["year"]],
            "line": table["line"].to_numpy(dtype=object),
            "agency": table["agency"].to_numpy(dtype=object),
            "amount_gbp": table["pence"].to_numpy(dtype=np.float64) / 100,
        },
        columns=list(BOOKS),
    )


def _shared(
    place: Place, scenario: Scenario, who: _Members, year: int, own: pd.Series[int]
) -> Iterator[tuple[int, str, str, int]]:
    """The vehicle's own entries of a year, and what of them is shared out to its members, or called up from them."""
    for line, pence in own.items():
        yield year, str(line), holds_titles(scenario), int(pence)
    left = int(own.sum())
    falls = to_members(place, scenario, np.array([left], dtype=np.int64))[:, 0]
    for each, pence in zip(who.ids, falls.tolist(), strict=True):
        yield year, "shared out by equity" if left > 0 else "called up by equity", each, -pence
