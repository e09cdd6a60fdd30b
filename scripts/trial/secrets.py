"""What is tried on a place: its files in another order, and an attack on its public version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from attack import counted, four, hide, located, named, subtracted
from shuffled import copied, published, shuffle

from estate.appraise import appraise
from estate.formulate import site_state
from estate.pipeline.decide import decide, stored
from estate.pipeline.job import run
from estate.pipeline.prepare import prepare
from estate.pipeline.publish import write_public
from estate.place import shown
from estate.runs.run import Run
from estate.scenario import load_scenario
from estate.standards.journeys import measure
from estate.standards.measured import Measured

STRAIGHT = ("travel.method=straight-line",)
"""No place's answer is of interest here, and its streets may not be at hand."""


def order(folder: Path, place: Path) -> tuple[str, list[str]]:
    """The same bytes of every published file from the files as they are and with rows, columns and features shuffled."""
    one, two = (
        published(run(each, changes=STRAIGHT, out=folder / f"maps{n}", public=True).out or folder)
        for n, each in enumerate((copied(place, folder / "copied"), shuffle(place, folder / "shuffled")))
    )
    faults = [f"{name} differs" for name in sorted({*one, *two}) if one.get(name) != two.get(name)]
    return f"{len(one)} published files, {sum(map(len, one.values())):,} bytes", faults


def public(folder: Path, place: Path) -> tuple[str, list[str]]:
    """Sites of each service are made confidential, a plan is chosen, and its public version attacked.

    Least squares on distances, subtraction by agency, in all and by district, a search for ids, names and amounts in every
    byte; and the rule itself: whatever the hidden rows say, the same bytes are published.
    """
    scenario = load_scenario(place, STRAIGHT)
    prepared = prepare(scenario)
    plain = stored(decide(prepared))
    chosen = [*plain.place.sites.index[~shown(plain.place.sites)], *four(plain)]
    secret = hide(plain.place, chosen)
    measured = Measured.of(secret, scenario, prepared.travel)
    found = stored(decide(replace(prepared, measured=measured)))
    write_public(folder / "public", found)
    faults = [f"located {each}" for each in located(folder / "public", secret)]
    faults += [f"subtracted {each}" for each in subtracted(folder / "public", secret)]
    faults += [f"counted {each}" for each in counted(folder / "public", secret)]
    faults += [f"read {each}" for each in named(folder / "public", secret)]
    write_public(folder / "other", _said_otherwise(found, chosen))
    one, two = (
        {str(file.relative_to(folder / name)): file.read_bytes() for file in (folder / name).rglob("*") if file.is_file()}
        for name in ("public", "other")
    )
    faults += [f"{name} depends on a hidden row" for name in sorted({*one, *two}) if one.get(name) != two.get(name)]
    rows = sum(int((~shown(frame)).sum()) for frame in (secret.sites, secret.access_points, secret.agencies))
    return f"{rows} confidential rows, {len(one)} public files, {sum(map(len, one.values())):,} bytes", faults


def _said_otherwise(found: Run, chosen: list[str]) -> Run:
    """The same plan of a place whose hidden sites are called, cost and stand otherwise."""
    secret = hide(found.place, chosen, odd_gbp=40_513.0, called="Loud House", by_m=731.0)
    travel = measure(secret, found.scenario)
    state = site_state(secret, found.scenario).why
    books = appraise(Measured.of(secret, found.scenario, travel), found.plan, state)
    before, after = (float(np.round(books.tables["agencies"][f"cost_{when}_gbp_pa"].sum(), 2)) for when in ("before", "after"))
    manifest = {**found.manifest, **books.summary, "baseline_gbp_pa": before, "saving_gbp_pa": before - after}
    return replace(found, place=secret, travel=travel, tables=books.tables, manifest=manifest)
