"""The best plan of each agency alone, of each group asked for, and of all: what each does, and what acting together is worth.

================  =====================================================================================================
table             one row for
================  =====================================================================================================
``groups``        each agency alone, each group of ``partners.groups``, and everybody
``group_plans``   each decision of the best plan of each of these: a counter that moves, a building that closes or opens
================  =====================================================================================================

The worth of acting together is what a group saves less what its members save each alone; for a group of one it is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from estate.partners.partnership import Partnership
from estate.partners.shares import listed_words
from estate.partners.tables import group_id
from estate.problem import Bools

ALONE, ASKED, EVERYBODY = "alone", "asked for", "everybody"


def group_tables(found: Partnership) -> dict[str, pd.DataFrame]:
    """Both tables by name."""
    rows, decisions = [], []
    for why, group in _groups(found):
        worth = found.whole if group.all() else found.worth(group)
        made = _decisions(found, group)
        decisions.append(made)
        alone = sum(each.low for each, there in zip(found.alone, group, strict=True) if there)
        count = made["what"].value_counts()
        rows.append(
            {
                "group": group_id(found, group),
                "names": listed_words(found.names, group),
                "why": why,
                "members": int(group.sum()),
                "saves_gbp_pa": worth.low / 100,
                "saves_at_most_gbp_pa": worth.high / 100,
                "alone_gbp_pa": alone / 100,
                "pooling_gbp_pa": (worth.low - alone) / 100,
                "counters_moved": int(count.get("moves", 0)),
                "buildings_let_go": int(count.get("closes", 0)),
            }
        )
    return {"groups": pd.DataFrame(rows), "group_plans": pd.concat(decisions, ignore_index=True)}


def _groups(found: Partnership) -> Iterator[tuple[str, Bools]]:
    """Each group once, with why it is listed."""
    for one in np.eye(found.game.n, dtype=bool):
        yield ALONE, one
    for group in found.asked:
        if 1 < group.sum() < found.game.n:
            yield ASKED, group
    yield EVERYBODY, np.ones(found.game.n, dtype=bool)


PLANS = ("group", "what", "access_point_id", "agency", "from_site_id", "from_name", "to_site_id", "to_name")


def _decisions(found: Partnership, group: Bools) -> pd.DataFrame:
    """What the best plan of a group does: ``moves`` from a building to another, ``closes`` (from) and ``opens`` (to)."""
    place, name = found.measured.place, group_id(found, group)
    worth = found.whole if group.all() else found.worth(group)
    plan, today = found.formulation.plan(place, worth.plan), place.today
    moved = np.flatnonzero(plan.host != today.host)
    closed, opened = np.flatnonzero(today.open & ~plan.open), np.flatnonzero(~today.open & plan.open)
    points, none = place.access_points, np.full(len(place.access_points), -1)
    parts = [
        ("moves", points.index[moved], points["agency"].to_numpy()[moved], today.host[moved], plan.host[moved]),
        ("closes", [""] * len(closed), place.sites["agency"].to_numpy()[closed], closed, none[: len(closed)]),
        ("opens", [""] * len(opened), place.sites["agency"].to_numpy()[opened], none[: len(opened)], opened),
    ]
    ids = np.append(place.sites.index.astype(str).to_numpy(dtype=object), "")  # the last is no building
    names = np.append(place.sites["name"].astype(str).to_numpy(dtype=object), "")
    made = [
        pd.DataFrame(
            {
                "what": what, "access_point_id": point, "agency": agency, "from_site_id": ids[from_], "from_name": names[from_],
                "to_site_id": ids[to], "to_name": names[to],
            }
        )
        for what, point, agency, from_, to in parts
    ]  # fmt: skip
    return pd.concat(made, ignore_index=True).assign(group=name)[list(PLANS)].astype("object")
