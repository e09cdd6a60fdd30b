"""What was found of a partnership as published tables: long, by id, money in pounds to the penny.

==============  =======================================================================================================
table           one row for
==============  =======================================================================================================
``partners``    each partner: what it saves alone, what it brings at the end, its own bill in each
``ways``        each way to share: stable, or who would leave; the money it moves, the subsidy it needs
``shares``      each way and partner: what it gets, against going alone
``blocking``    each way and group that would leave it
``coalitions``  each group, all of them where they are few: what it saves by itself, how well that is known, and by which plan
``witnesses``   each decision of each such plan: the counters that move, the buildings that close or open
==============  =======================================================================================================

A group is the ids of its agencies, sorted, with semicolons between.  A plan serves every group that has the agencies it needs;
plan 0 is today's estate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from estate.partners.coalitions import rows
from estate.partners.partnership import Partnership, gains
from estate.partners.shares import AS_IT_FALLS, STABLE, Way, blocking, listed_words
from estate.problem import Bools, Solution

NEEDED = {True: "yes", False: "no"}


def partner_tables(found: Partnership) -> dict[str, pd.DataFrame]:
    """All tables by name."""
    named = {way.name: blocking(found.coalitions, way) for way in found.ways}
    plans = _Plans(found)
    coalitions = _coalitions(found, plans, _named(found, named))
    return {
        "partners": _partners(found),
        "ways": _ways(found, named),
        "shares": _shares(found),
        "blocking": _blocking(found, named),
        "coalitions": coalitions,
        "witnesses": _witnesses(found, plans),
    }


def group_id(found: Partnership, group: Bools) -> str:
    """The ids of a group."""
    return ";".join(player for player, there in zip(found.game.players, group, strict=True) if there)


def _partners(found: Partnership) -> pd.DataFrame:
    made = []
    names, whole = found.names, found.whole
    own_together = gains(found.measured, found.formulation.plan(found.measured.place, whole.plan))
    for i, player in enumerate(found.game.players):
        alone, without = found.alone[i], found.without[i]
        own_alone = gains(found.measured, found.formulation.plan(found.measured.place, alone.plan))
        made.append(
            {
                "agency": player,
                "name": names[i],
                "alone_gbp_pa": alone.low / 100,
                "alone_at_most_gbp_pa": alone.high / 100,
                "own_bill_alone_gbp_pa": int(own_alone[player]) / 100,
                "brings_at_least_gbp_pa": (whole.low - without.high) / 100,
                "brings_gbp_pa": (whole.low - without.low) / 100,
                "brings_at_most_gbp_pa": (whole.high - without.low) / 100,
                "own_bill_together_gbp_pa": int(own_together[player]) / 100,
                "plan_needs_it": NEEDED[bool(whole.needed[i])],
            }
        )
    return pd.DataFrame(made)


def _ways(found: Partnership, named: Mapping[str, Any]) -> pd.DataFrame:
    made = []
    for way in found.ways:
        groups, count = named[way.name]
        worst = way.worst
        made.append(
            {
                "way": way.name,
                "verdict": way.verdict,
                "shared_gbp_pa": int(way.pence.sum()) / 100,
                "subsidy_gbp_pa": way.subsidy / 100,
                "to_others_gbp_pa": (found.whole.low + way.subsidy - int(way.pence.sum())) / 100,
                "moved_gbp_pa": 0.0 if way.name == AS_IT_FALLS else _moved(way, found) / 100,
                "worst_group": group_id(found, worst.group) if worst is not None and groups else "",
                "gains_gbp_pa": round(worst.gains) / 100 if worst is not None else np.nan,
                "gains_at_most_gbp_pa": round(worst.most) / 100 if worst is not None else np.nan,
                "groups_that_gain": np.nan if count is None else float(count),
                "orders_drawn": float(way.orders),
                "fund_gbp_pa": way.fund / 100,
                "words": _in_words(found, way, groups),
            }
        )
    return pd.DataFrame(made)


def _moved(way: Way, found: Partnership) -> int:
    """Pence a year that change hands against the way the plan itself falls."""
    change = way.pence - found.ways[0].pence
    return int(np.maximum(change, 0).sum())


MOST_NAMED = 3


def _in_words(found: Partnership, way: Way, groups: list[Any]) -> str:
    """Who would leave, for how much: a sentence or two without the words of the theory."""
    if not groups:
        proven = "Nobody, alone or with others, could save more than this gives."
        return proven if way.verdict == STABLE else "No group was found that gains by leaving, but none is ruled out."
    said = []
    small = sorted(groups, key=lambda each: (int(each.group.sum()), -each.gains))
    for each in small[:MOST_NAMED]:
        who, one = listed_words(found.names, each.group), int(each.group.sum()) == 1
        gain = f"would save £{each.gains / 100:,.0f} a year more than this gives {'it' if one else 'them'}"
        said.append(f"{who} {'alone' if one else 'together'} {gain}")
    more = len(groups) - MOST_NAMED
    tail = f"; and {more} more" if more > 0 else ""
    return "; ".join(said) + tail + "."


def _shares(found: Partnership) -> pd.DataFrame:
    made = []
    for way in found.ways:
        for i, player in enumerate(found.game.players):
            pence, alone = int(way.pence[i]), found.alone[i].low
            made.append(
                {
                    "way": way.name,
                    "agency": player,
                    "name": found.names[i],
                    "gain_gbp_pa": pence / 100,
                    "gain_low_gbp_pa": (pence if way.low is None else int(way.low[i])) / 100,
                    "gain_high_gbp_pa": (pence if way.high is None else int(way.high[i])) / 100,
                    "alone_gbp_pa": alone / 100,
                    "better_than_alone_gbp_pa": (pence - alone) / 100,
                }
            )
    return pd.DataFrame(made)


BLOCKING = ("way", "group", "names", "saves_gbp_pa", "given_gbp_pa", "gains_gbp_pa")


def _blocking(found: Partnership, named: Mapping[str, Any]) -> pd.DataFrame:
    made = []
    for way in found.ways:
        for each in named[way.name][0]:
            given = int(way.pence[each.group].sum())
            made.append(
                (
                    way.name, group_id(found, each.group), listed_words(found.names, each.group),
                    each.saves / 100, given / 100, (each.saves - given) / 100,
                )
            )  # fmt: skip
    numbers = {column: "float64" for column in BLOCKING if column.endswith("_gbp_pa")}
    return pd.DataFrame(made, columns=list(BLOCKING)).astype(numbers)


def _named(found: Partnership, named: Mapping[str, Any]) -> dict[str, str]:
    """Every group that is named anywhere, and why: everybody, each alone, each left out, those asked for, and who would leave."""
    n = found.game.n
    groups = {group_id(found, np.ones(n, dtype=bool)): "everybody"}
    for one in np.eye(n, dtype=bool):
        groups.setdefault(group_id(found, one), "alone")
        groups.setdefault(group_id(found, ~one), "all but one")
    for asked in found.asked:
        groups.setdefault(group_id(found, asked), "asked for")
    for way in found.ways:
        for each in named[way.name][0]:
            groups.setdefault(group_id(found, each.group), f"would leave: {way.name}")
    return groups


@dataclass(slots=True, eq=False)
class _Plans:
    """The plans of groups, each with a number of its own; 0 is today's estate."""

    found: Partnership
    number: dict[bytes, int] = field(default_factory=dict)
    plans: list[Solution] = field(default_factory=list)

    def of(self, plan: Solution) -> int:
        """The number of a plan, a new one where it was not met yet."""
        key = plan.host.tobytes() + plan.open.tobytes()
        if key not in self.number:
            self.number[key] = len(self.plans)
            self.plans.append(plan)
        return self.number[key]


def _coalitions(found: Partnership, plans: _Plans, why: Mapping[str, str]) -> pd.DataFrame:
    """Every group that is listed, or that is named."""
    n = found.game.n
    if found.found is not None:
        every = [row.astype(bool) for row in rows(n)[1:]]
    else:
        player = {each: i for i, each in enumerate(found.game.players)}
        every = [np.isin(np.arange(n), [player[each] for each in name.split(";")]) for name in why]
    plans.of(found.game.today)
    listed = []
    for group in every:
        worth = found.whole if group.all() else found.worth(group)
        name = group_id(found, group)
        listed.append(
            (
                name, int(group.sum()), worth.low / 100, worth.high / 100, plans.of(worth.plan),
                group_id(found, found.game.needed(worth.plan)), why.get(name, ""),
            )
        )  # fmt: skip
    columns = ["group", "members", "saves_gbp_pa", "saves_at_most_gbp_pa", "plan", "plan_needs", "why"]
    table = pd.DataFrame(listed, columns=columns)
    return table.sort_values(["members", "group"], kind="stable", ignore_index=True)


WITNESS = ("plan", "what", "access_point_id", "site_id")


def _witnesses(found: Partnership, plans: _Plans) -> pd.DataFrame:
    """The decisions of each plan against today: ``moves`` (a counter, to a site), ``closes``, ``opens``."""
    place, made = found.measured.place, []
    sites, points = place.sites.index.astype(str), place.access_points.index.astype(str)
    today = place.today
    for number, solution in enumerate(plans.plans):
        plan = found.formulation.plan(place, solution)
        made += [(number, "moves", points[s], sites[plan.host[s]]) for s in np.flatnonzero(plan.host != today.host).tolist()]
        made += [(number, "closes", "", sites[j]) for j in np.flatnonzero(today.open & ~plan.open).tolist()]
        made += [(number, "opens", "", sites[j]) for j in np.flatnonzero(~today.open & plan.open).tolist()]
    return pd.DataFrame(made, columns=list(WITNESS)).astype({"plan": "int64", **dict.fromkeys(WITNESS[1:], "object")})
