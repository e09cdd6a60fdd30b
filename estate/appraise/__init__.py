"""What a plan means: for buildings, for agencies and for people, against today's estate.

Nothing here decides anything; every table is recomputed from the place, the travel tables and the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from estate.appraise.access import access_table, affected_table, reach, zone_table
from estate.appraise.books import books
from estate.appraise.buildings import hubs, moves_table, public_services, sites_table
from estate.appraise.decisions import decisions_table
from estate.appraise.farther import farther_moves
from estate.appraise.inequality import inequality_table
from estate.appraise.met import standards_table
from estate.appraise.one_roof import one_roof_table
from estate.appraise.places import places_table
from estate.appraise.spaces import moved_staff, spaces_table
from estate.appraise.unknowns import unknowns_table
from estate.place import Plan
from estate.standards.measured import Measured


@dataclass(frozen=True, slots=True, eq=False)
class Appraisal:
    """Every table of a run by name, and the figures of its summary (``*_gbp`` are pounds to the penny)."""

    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<Appraisal {len(self.tables)} tables: {', '.join(self.tables)}>"


def appraise(measured: Measured, plan: Plan, why: pd.Series[str] | None = None) -> Appraisal:
    """The tables and figures of a plan.

    ``why`` (J,) says in words why a site stays (:func:`estate.diagnose.binding.why_kept`); blank where nothing more than the plan
    itself explains it, and everywhere unless given.
    """
    place, scenario, today = measured.place, measured.scenario, measured.place.today
    why = pd.Series("", index=place.sites.index, dtype="str") if why is None else why
    before, after = reach(measured, today), reach(measured, plan)
    money = books(place, scenario, plan)
    sites = sites_table(place, plan, money.tables["capital_receipts"], why, scenario)
    moves = moves_table(measured, plan)
    access = access_table(measured, before, after)
    tables = {
        "sites": sites,
        "moves": moves,
        "places": places_table(place, plan, public_services(place, scenario)),
        "spaces": spaces_table(measured, plan),
        "one_roof": one_roof_table(measured, plan),
        "capital_receipts": money.tables["capital_receipts"],
        "access": access,
        "zones": zone_table(measured, before, after),
        "ledger": money.tables["ledger"],
        "standards": standards_table(measured, plan),
        "affected": affected_table(place, before, after),
        "consultation": moves[moves["consultation"].isin(["consult", "not tested"])].reset_index(drop=True),
        "inequality": inequality_table(place, before, after),
        "decisions": decisions_table(place, scenario),
        "unknowns": unknowns_table(measured, after),
        **{name: table for name, table in money.tables.items() if name not in ("capital_receipts", "ledger")},
    }
    summary = {
        **money.summary,
        "warnings": (*money.summary["warnings"], *farther_moves(measured, plan, before)),
        "sites_before": int((today.open & ~place.outside).sum()),
        "sites_after": int((plan.open & ~place.outside).sum()),
        "hubs_before": int(hubs(place, scenario, today).sum()),
        "hubs_after": int(hubs(place, scenario, plan).sum()),
        "released": int((sites["after"] == "released").sum()),
        "moves": len(moves),
        "merges": int((moves["kind"] == "merge").sum()),
        **moved_staff(tables["spaces"]),
        "people": int(place.zones["population"].sum()),
    }
    return Appraisal(tables, summary)
