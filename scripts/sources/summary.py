"""A short account of a folder, for whoever chooses limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

Rows = Sequence[Mapping[str, object]]


def _number(value: object) -> float:
    return float(str(value or 0))


def summarise(sites: Rows, points: Rows, zones: Rows) -> None:
    """Print counts, totals and how far people are from each service today, as the crow flies."""
    print(f"{len(sites)} sites, {len(points)} access points, {len(zones)} zones")
    print(f"population {sum(_number(z['population']) for z in zones):,.0f}")
    print(f"running cost {sum(_number(s['running_cost_gbp_pa']) for s in sites if s['in_use'] == 'yes'):,.0f} GBP a year")
    print(f"floor area {sum(_number(s['capacity_m2']) for s in sites):,.0f} m2")
    for title, counts in (
        ("by kind", Counter(str(s["kind"]) for s in sites)),
        ("by tenure", Counter(str(s["tenure"]) for s in sites)),
        ("by service", Counter(str(p["service"]) for p in points)),
    ):
        print(f"{title}: " + ", ".join(f"{k} {n}" for k, n in sorted(counts.items())))
    print(f"approximate locations: {sum(s['location_approximate'] == 'yes' for s in sites)}")
    at = {s["site_id"]: (_number(s["easting"]), _number(s["northing"])) for s in sites}
    weight = [_number(z["population"]) for z in zones]
    print("straight-line distance to the nearest today, metres")
    print(f"  {'service':<16}{'mean':>8}{'median':>8}{'p95':>8}{'max':>8}")
    for service in sorted({str(p["service"]) for p in points}):
        where = [at[p["site_id"]] for p in points if p["service"] == service]
        near = [min(math.dist((_number(z["easting"]), _number(z["northing"])), w) for w in where) for z in zones]
        order = sorted(zip(near, weight, strict=True))
        mean = sum(d * w for d, w in order) / sum(weight)
        print(f"  {service:<16}{mean:>8.0f}{_share(order, 0.5):>8.0f}{_share(order, 0.95):>8.0f}{max(near):>8.0f}")


def _share(order: list[tuple[float, float]], share: float) -> float:
    """The distance within which ``share`` of the people are."""
    wanted, reached = share * sum(w for _, w in order), 0.0
    for distance, weight in order:
        reached += weight
        if reached >= wanted:
            return distance
    return order[-1][0]
