"""An earlier plan as locks: every decision it took holds, so that one change is solved around the others."""

from __future__ import annotations

import json
from pathlib import Path

from estate.runs.files import read_run
from estate.scenario import load_scenario


def locks_from(run: Path, path: Path) -> tuple[str, ...]:
    """``--set`` changes that fix each access point of the scenario at ``path`` where a stored run put it.

    Points that the scenario itself fixes keep its word, and points that the run did not know stay free.  Buildings are not
    locked: one closes, or stays, with the points it holds.

    Raises
    ------
    InputError
        When the run or the scenario cannot be read.
    """
    stored, scenario = read_run(run), load_scenario(path)
    place = stored.place
    inside = ~place.outside[place.point_site]
    hosts = zip(place.access_points.index[inside], place.sites.index[stored.plan.host[inside]], strict=True)
    fixed = {str(point): str(site) for point, site in hosts} | dict(scenario.rules.fixed)
    awkward = {point for point in fixed if "." in point or "=" in point or point != point.strip()}
    whole = ", ".join(f"{json.dumps(p)} = {json.dumps(fixed[p])}" for p in sorted(awkward))
    # One change each, so that a further --set on one point replaces that lock alone; a name with a dot cannot be a key.
    first = (f"rules.fixed={{ {whole} }}",) if awkward else ()
    return first + tuple(f"rules.fixed.{p}={json.dumps(fixed[p])}" for p in sorted(set(fixed) - awkward))
