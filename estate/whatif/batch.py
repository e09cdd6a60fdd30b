"""The job: a what-if file in, every scenario answered once, the morning page out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estate.errors import EstateError, InputError, Issue
from estate.partners.game import game_of, restriction
from estate.pipeline.decide import decide
from estate.pipeline.manifest import PACKAGES
from estate.pipeline.prepare import Prepared, prepare
from estate.scenario import digest
from estate.solve import Status
from estate.standards.measured import Measured
from estate.whatif.patches import Facts, Item, Players, WhatIf, identity, items, read
from estate.whatif.reuse import Evaluator, Reply, Shared
from estate.whatif.store import FAILED, Store
from estate.whatif.workers import Ask, Row, workers_here

FOLDER = ".whatif"
"""Under the output folder: one store for each batch."""

FEW = 8
"""Up to this many scenarios are answered without starting workers."""

START_S = 6.0
"""What starting the workers takes, for the estimate."""

type Say = Callable[[str], None]
type Shown = Callable[[int, int, int], None]


@dataclass(frozen=True, eq=False)
class Batch:
    """A what-if file ready to run: its scenarios with their hashes, and what is known of them already."""

    whatif: WhatIf
    prepared: Prepared
    shared: Shared
    evaluator: Evaluator
    base: Reply
    items: tuple[Item, ...]
    hashes: tuple[str, ...]
    """The hash of each item; items with the same settings share one."""
    asks: tuple[Ask, ...]
    """The scenarios that have no answer yet, each hash once, neighbours alike."""
    wrong: tuple[Row, ...]
    """Scenarios that cannot be asked: their settings are wrong."""
    store: Store
    world: str

    def estimate_s(self, workers: int = 0) -> float:
        """Seconds that the missing scenarios should take, from those that have been answered, or from the base."""
        if not self.asks:
            return 0.0
        known = self.store.read()["seconds"].dropna()
        each = float(known.mean()) if len(known) >= 20 else self.base_seconds
        return (0.0 if len(self.asks) <= FEW else START_S) + each * len(self.asks) / (workers or workers_here())

    base_seconds: float = 0.1


@dataclass(frozen=True, eq=False)
class Night:
    """A finished batch: its rows (one per item, in the order of the file), and what went wrong."""

    batch: Batch
    rows: pd.DataFrame
    audit: tuple[Mapping[str, Any], ...]
    seconds: float
    solved: int
    out: Path | None = None

    @property
    def failed(self) -> int:
        """Scenarios with no answer."""
        return int((self.rows["status"] == FAILED).sum())


def plan_batch(path: Path, out: Path, say: Say) -> Batch:
    """Read a what-if file, prepare its base, solve that, and list the scenarios.

    Raises
    ------
    InputError
        For a what-if file, a base scenario or tables that are wrong, and for a base that has no plan.
    """
    whatif, base = read(path)
    plain = base.model_copy(update={"adjust": ()})
    prepared = prepare(plain, cache=out / ".cache", say=say)
    shared = Shared(whatif, base, replace(prepared.place, context=None), prepared.travel)
    evaluator = Evaluator(shared)
    began = time.perf_counter()
    reply = evaluator.answer({}, time_s=whatif.timeout_s)
    seconds = time.perf_counter() - began
    if reply.anchor is None or reply.solution is None:
        message = "the base scenario has no plan, so there is nothing to compare with"
        raise InputError(issues=[Issue("whatif.base", message, "'estate explain' on the base says why")])
    world = _world(prepared)
    facts = _facts(reply, shared)
    if any(family.kind == "partners" for family in whatif.family):
        facts = replace(facts, partners=_partners(prepared.measured))
    found = tuple(items(whatif, facts))
    hashes, asks, wrong = _asked(found, evaluator, world)
    store = Store(out / FOLDER / whatif.name)
    for each in store.damaged():
        say(f"{each} cannot be read whole: its scenarios are asked again")
    known = store.known()
    missing = tuple(ask for ask in asks if ask.hash not in known)
    return Batch(whatif, prepared, shared, evaluator, reply, found, hashes, missing, wrong, store, world, seconds)


FORM = 2
"""Of an answer: since 2 its ties are told apart, so that what was stored before is asked again."""


def _world(prepared: Prepared) -> str:
    """Everything but settings that an answer depends on: inputs, travel, versions, and what an answer is."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    return json.dumps([dict(prepared.inputs), prepared.travel.digest, versions, FORM], sort_keys=True)


def _facts(reply: Reply, shared: Shared) -> Facts:
    from estate.whatif.figures import figures  # noqa: PLC0415

    anchor = reply.anchor
    if anchor is None:  # the caller has checked
        raise ValueError("no base plan")
    problem, base, agencies = anchor.problem, shared.base, anchor.place.agencies
    n = len(anchor.place.sites)
    free = ~problem.must_open[:n] & ~problem.must_close[:n] & ~anchor.place.outside
    hosts = np.zeros(problem.n_sites, dtype=bool)
    hosts[problem.pair_site] = True
    row = figures(reply)
    part = agencies.index[agencies["takes_part"].to_numpy(dtype=bool) & ~agencies.index.isin(base.rules.out)]
    return Facts(
        keep=base.rules.keep,
        close=base.rules.close,
        out=base.rules.out,
        free_sites=tuple(map(str, anchor.place.sites.index[free & hosts[:n]])),
        agencies=tuple(map(str, part)),
        least_gbp=row["running_cost_gbp_pa"],
        today_gbp=row["baseline_gbp_pa"],
    )


def _partners(measured: Measured) -> Players:
    """The players of the base, and each group's problem as settings.

    A building that somebody who is out would have to open to newcomers is marked in its table as taking nobody.
    """
    game, formulation = game_of(measured)
    rules = measured.scenario.rules

    def changes(group: Sequence[str]) -> dict[str, Any]:
        held = restriction(game, formulation, measured.place, np.isin(game.players, group))
        found: dict[str, Any] = {"rules.out": sorted({*rules.out, *held.out}), "rules.keep": sorted({*rules.keep, *held.keep})}
        for n, site in enumerate(held.receives_nobody):
            found[f"adjust.takes-nobody-{n:03}"] = {
                "table": "sites", "column": "may_host", "set": "none", "where": {"site_id": site},
            }  # fmt: skip
        return found

    return Players(game.players, changes)


def _asked(found: tuple[Item, ...], evaluator: Evaluator, world: str) -> tuple[tuple[str, ...], list[Ask], tuple[Row, ...]]:
    """The hash of each item, and each distinct one once; in the order of anchors, so that a worker builds few."""
    hashes: list[str] = []
    asks: dict[str, tuple[str, Ask]] = {}
    wrong: dict[str, Row] = {}
    for item in found:
        try:
            scenario = evaluator.scenario(item.changes)
        except EstateError as error:
            key = hashlib.sha256(json.dumps([item.changes, world], sort_keys=True, default=str).encode()).hexdigest()
            wrong[key] = {"hash": key, "status": FAILED, "reason": "; ".join(map(str, error.issues)) or str(error)}
        else:
            key = identity(scenario, item.special, world)
            if key not in asks:
                asks[key] = (digest(evaluator.plain(scenario)), Ask(key, item.changes, item.special))
        hashes.append(key)
    ordered = [ask for _, ask in sorted(asks.values(), key=lambda each: (each[0], each[1].hash))]
    return tuple(hashes), ordered, tuple(wrong.values())


def rows_of(batch: Batch) -> pd.DataFrame:
    """One row per item, in the order of the file: ``family, kind, label, changes, regret, hash`` and the answer."""
    regret = {family.name: family.regret for family in batch.whatif.family}
    about = pd.DataFrame(
        {
            "family": [item.family for item in batch.items],
            "kind": [item.kind for item in batch.items],
            "label": [item.label for item in batch.items],
            "changes": [json.dumps(item.changes, ensure_ascii=False, sort_keys=True) for item in batch.items],
            "regret": [regret.get(item.family, True) for item in batch.items],
            "hash": list(batch.hashes),
        }
    )
    return about.join(batch.store.read(batch.hashes), on="hash")


def audited(batch: Batch, rows: pd.DataFrame, check: Callable[[], None] = lambda: None) -> tuple[Mapping[str, Any], ...]:
    """A few scenarios decided by the main job, referee included: ``label, expected, found, agrees``.

    Those are taken whose hashes come first: any of them may be, and a rerun takes the same.  ``check`` raises where the
    batch was interrupted: the main job then ends with its best plan so far, which is no finding.
    """
    able = rows[(rows["status"] == Status.OPTIMAL) & ~rows["kind"].isin(["alternatives", "frontier"])]
    chosen = able.drop_duplicates("hash").sort_values("hash").head(batch.whatif.audit)
    found = []
    for row in chosen.to_dict("records"):
        scenario = batch.evaluator.scenario(json.loads(row["changes"]))
        told = {"label": row["label"], "expected": row["objective"]}
        try:
            place = batch.evaluator.place(scenario)
            travel = batch.evaluator.travel(scenario, place)
            manifest = decide(replace(batch.prepared, measured=Measured.of(place, scenario, travel))).manifest
        except EstateError as error:
            check()
            found.append({**told, "found": str(error), "agrees": False})
            continue
        check()
        value = float(manifest["objective_value"])
        agrees = abs(value - row["objective"]) < 0.005
        if agrees and row["settled"] and manifest["settled"] and row["moves"] != manifest["moves"]:
            other = f"another plan of the same value, in which {manifest['moves']} counters move"
            found.append({**told, "found": other, "agrees": False})
            continue
        found.append({**told, "found": value, "agrees": agrees})
    return tuple(found)
