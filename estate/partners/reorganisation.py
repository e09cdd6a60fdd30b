"""One unitary or two: the game under each mapping beside the others, and the consents that may be asked for meanwhile.

Between the direction and vesting, disposals of land over 100,000, capital contracts over 1,000,000 and other contracts over
100,000 pounds by a council to be dissolved may need the written consent of its successor (Local Government and Public Involvement
in Health Act 2007, section 24).  Sums are of the plan's own entries, building by building: what is let as one contract is not
known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from estate.appraise.ledger import ledger
from estate.load.reorganise import passed_on
from estate.money.law import year_label
from estate.partners.partnership import Partnership, partnership
from estate.partners.shares import AS_IT_FALLS
from estate.place import Place, Plan
from estate.scenario import Partners, Reorganisation
from estate.standards.measured import Measured

LAND, CAPITAL, OTHER = 100_000, 1_000_000, 100_000
"""Pounds above which consent may be asked for."""
SECTION_24 = "Local Government and Public Involvement in Health Act 2007, section 24"
AS_TODAY = "as today"


def reorganisation_tables(found: Partnership) -> dict[str, pd.DataFrame]:
    """``reorganisation`` (today and each mapping), ``consents`` and ``same_service``; nothing where there is no mapping."""
    measured = found.measured
    ways = measured.scenario.reorganisation
    if not ways or measured.scenario.reorganised:
        return {}
    plan = found.formulation.plan(measured.place, found.whole.plan)
    rows, same = [_row(AS_TODAY, "", found)], []
    scenario = measured.scenario.model_copy(update={"partners": Partners()})  # its groups are of agencies as they stand
    for way in ways:
        place = passed_on(measured.place, way)
        moved = Measured.of(place, scenario, measured.travel)
        then = partnership(moved, plan)
        rows.append(_row(way.name, way.vesting_date.isoformat(), then))
        same.append(_same_service(measured.place, then.formulation.plan(place, then.whole.plan), way))
    consents = pd.concat([consents_table(measured, plan, way) for way in ways], ignore_index=True)
    return {"reorganisation": pd.DataFrame(rows), "consents": consents, "same_service": pd.concat(same, ignore_index=True)}


def _row(name: str, vesting: str, found: Partnership) -> dict[str, Any]:
    alone = sum(each.low for each in found.alone)
    falls = next(way for way in found.ways if way.name == AS_IT_FALLS)
    return {
        "reorganisation": name,
        "vesting_date": vesting,
        "partners": found.game.n,
        "together_gbp_pa": found.whole.low / 100,
        "together_at_most_gbp_pa": found.whole.high / 100,
        "alone_gbp_pa": alone / 100,
        "pooling_gbp_pa": (found.whole.low - alone) / 100,
        "as_the_plan_falls": falls.verdict,
        "most_that_leaving_gains_gbp_pa": round(falls.worst.gains) / 100 if falls.worst is not None else 0.0,
        "least_subsidy_gbp_pa": found.subsidy / 100,
    }


CONSENTS = ("reorganisation", "agency", "successor", "what", "site_id", "year", "amount_gbp", "over_gbp", "law")
WHAT = {
    "capital_receipt": ("disposal of land", LAND),
    "fitout": ("capital contract", CAPITAL),
    "removal": ("other contract", OTHER),
    "exit_cost": ("other contract", OTHER),
}


def consents_table(measured: Measured, plan: Plan, way: Reorganisation) -> pd.DataFrame:
    """Entries of dissolved agencies that are over a threshold and fall before vesting."""
    place, base = measured.place, measured.scenario.money.base_year
    entries = ledger(place, measured.scenario, plan).once
    ids, district = place.agencies.index.astype(str), place.sites["district"].to_numpy(dtype=object)
    over_all = entries[entries["line"].isin(WHAT)].groupby(["agency", "line", "site", "year"], sort=True)["pence"].sum()
    sums = over_all.reset_index()
    last = way.vesting_date.year - (1 if (way.vesting_date.month, way.vesting_date.day) <= (4, 1) else 0)
    first = base if way.direction_date is None else way.direction_date.year - (way.direction_date.month < 4)
    made = []
    for row in sums.to_dict("records"):
        agency, year, amount = ids[row["agency"]], base + int(row["year"]), abs(int(row["pence"])) / 100
        what, over = WHAT[row["line"]]
        heir = way.heir_in(agency, str(district[row["site"]]))
        if agency in way.dissolved and first <= year <= last and amount > over:
            made.append((way.name, agency, heir, what, str(place.sites.index[row["site"]]), year_label(year), amount,
                         float(over), SECTION_24))  # fmt: skip
    kinds = {**dict.fromkeys(CONSENTS, "object"), "amount_gbp": "float64", "over_gbp": "float64"}
    return pd.DataFrame(made, columns=list(CONSENTS)).astype(kinds)


SAME = (
    "reorganisation", "successor", "service", "councils", "counters", "buildings_today", "buildings_in_plan", "merged_in_plan",
    "nearest_counter", "nearest_other", "apart_m",
)  # fmt: skip


def _same_service(place: Place, plan: Plan, way: Reorganisation) -> pd.DataFrame:
    """Counters of one service that several councils run and one would: how many, which the plan merges, the two nearest.

    ``apart_m`` is the straight line between the two nearest that are of different councils today.  Councils with an office each
    become one council with several: whether it needs them all is its to decide, and no counter is closed here.
    """
    points = place.access_points.assign(home=place.point_site, host=plan.host)[~place.outside[place.point_site]]
    points = points.assign(old=points["agency"].astype(str))
    points = points[points["old"].isin(way.dissolved)]
    district = place.sites["district"].to_numpy(dtype=object)[points["home"]]
    heirs = [way.heir_in(old, str(there)) for old, there in zip(points["old"], district, strict=True)]
    points = points.assign(heir=pd.Series(heirs, index=points.index, dtype=object))
    at = place.sites[["easting_m", "northing_m"]].to_numpy(dtype=np.float64)
    made = []
    for (heir, service), mine in points.groupby(["heir", "service"], sort=True):
        old, home, host = (mine[column].to_numpy() for column in ("old", "home", "host"))
        other = old[:, None] != old[None, :]
        if not other.any():
            continue
        names = mine["name"].where(mine["name"] != "", mine.index.astype(str)).to_numpy(dtype=object)
        merged = (home != host) & ((host[:, None] == host[None, :]) & other).any(axis=1)
        apart = np.where(other, np.hypot(*(at[home][:, None] - at[home][None, :]).transpose(2, 0, 1)), np.inf)
        a, b = divmod(int(apart.argmin()), len(mine))
        made.append(
            (
                way.name, heir, service, ";".join(sorted(set(old))), len(mine), len(set(home)), len(set(host)),
                "; ".join(names[merged]), names[a], names[b], round(float(apart[a, b]), 1),
            )
        )  # fmt: skip
    numbers = {"counters": "int64", "buildings_today": "int64", "buildings_in_plan": "int64", "apart_m": "float64"}
    return pd.DataFrame(made, columns=list(SAME)).astype({**dict.fromkeys(SAME, "object"), **numbers})
