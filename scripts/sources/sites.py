"""From what is known of a building to a row of the sites table: area, other uses, money, and what is assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .common import RATES_NOTE, Assumptions, money
from .nhs import Eric

SPLIT_SITE = "W-NHS-EVESHAM-MC"
"""The return covers the trust's part of this medical centre, not the practices' part."""

Points = Sequence[Mapping[str, object]]


def area_used(points: Points, site_id: object, service: str = "") -> float:
    """Floor area of a site's access points, or of those of one service, in m2."""
    mine = [p for p in points if p["site_id"] == site_id and service in ("", p["service"])]
    return sum(float(str(p["area_m2"])) for p in mine)


def finish(draft: dict[str, object], a: Assumptions, eric: Eric, points: Points) -> dict[str, object]:
    """A site from its draft.  Published figures are used where there are any; the rest are assumed, and say so."""
    other, rate = draft.pop("other_use") == "yes", str(draft.pop("rate"))
    used = area_used(points, draft["site_id"])
    assumed = [each for each in str(draft["illustrative"]).split(";") if each]
    cost = None
    if draft.get("eric_code"):
        capacity, cost = _returned(draft, eric, points, assumed)
        rate = rate or "health_trust_small"
    else:
        capacity = _capacity(draft, a, used, assumed)
    for key in ("size", "capacity", "published"):
        draft.pop(key, None)
    if used > capacity:
        raise SystemExit(f"{draft['site_id']}: {used} m2 used of {capacity}")
    free = capacity * a("spare", "other_use")
    draft |= {
        "capacity_m2": round(capacity),
        "other_use_m2": round(max(capacity - used - free, 1)) if other else 0,
        "in_use": draft.get("in_use", "yes"),
        "status": "free",
    }
    assumed += ["other_use_m2"] if other else []
    draft["illustrative"] = ";".join(assumed)
    return money(draft, a, rate, cost)


def _returned(draft: dict[str, object], eric: Eric, points: Points, assumed: list[str]) -> tuple[float, float | None]:
    """Floor area and running cost from the NHS returns."""
    code = str(draft["eric_code"])
    capacity, vintage = eric.area(code)
    draft["capacity_m2_source"] = f"NHS ERIC {vintage}, gross internal floor area"
    if draft["site_id"] == SPLIT_SITE:
        capacity += area_used(points, SPLIT_SITE, "gp_practice")
        draft["capacity_m2_source"] = f"{draft['capacity_m2_source']} of the trust's part; the practices' part assumed"
        assumed.append("capacity_m2")
    cost = eric.cost(code)
    if cost is not None:
        draft["running_cost_gbp_pa_source"] = "NHS ERIC 2015-16: hard FM plus soft FM costs"
    backlog = eric.backlog(code)
    if backlog is not None:
        draft["condition_backlog_gbp"] = backlog[0]
        draft["condition_backlog_gbp_source"] = f"NHS ERIC {backlog[1]}: cost to eradicate backlog, all risks"
    return capacity, cost


def _capacity(draft: dict[str, object], a: Assumptions, used: float, assumed: list[str]) -> float:
    """Floor area from the record, the mapped footprint, the size of such a building, or what its points use."""
    known, size = draft.get("capacity"), str(draft.get("size", ""))
    if draft.get("published"):
        draft["capacity_m2_source"] = str(draft["source"]).split(";")[0]
        return float(str(known))
    assumed.append("capacity_m2")
    if known is not None:
        return float(str(known))
    draft["capacity_m2_source"] = f"{RATES_NOTE}: size, {size}" if size else f"{RATES_NOTE}: area x spare"
    return a("size", size) if size else used * (1 + a("spare", "own"))
