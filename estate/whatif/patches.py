"""A what-if file: a base scenario and families of changes to it.

The file is TOML.  Paths are relative to it and stay in its folder or below::

    name = "nightly"                       # results go to maps/<name>/
    base = "estate.toml"
    expected_every_hours = 24              # the page says so when the last run is older than this and half as much again
    timeout_s = 120                        # a scenario that takes longer is given up, and marked

    [[adjust]]                             # a lever: which cells of which table; a family turns it
    name = "office-costs"
    table = "sites"
    column = "running_cost_gbp_pa"
    where = { kind = "office" }

    [[family]]
    name = "limits"
    kind = "grid"                          # every combination
    axes = { "standards.library-3-miles.limit" = ["2 miles", "3 miles"], "adjust.office-costs.factor" = [1.0, 1.1] }

A change is a setting's dotted name and its value, as in ``--set``; standards and levers are addressed by name.  The kinds:

``grid``          ``axes``: every combination of their values
``list``          ``scenarios``: tables of ``name`` and ``changes``
``sample``        ``count`` draws with ``seed`` from ``ranges`` (two numbers; factors in whole per cents) and ``choices`` (a list)
``ranges``        each of ``ranges`` at its low and its high end, one at a time: the tornado chart
``each-site``     every building that the base leaves free, kept and closed in turn
``each-agency``   every agency that takes part, out in turn
``partners``      what all agencies save together, each alone, all without each, and each of ``groups`` by themselves, as
                  ``estate partners`` counts it
``frontier``      ``points`` budgets from the least cost to today's: least travel for each
``alternatives``  the ``count`` best plans that differ from the best and from each other by at least ``differ_by`` buildings

``changes`` of a family hold for all its scenarios; ``regret = true`` lets its scenarios count towards the maximum regret.
Two scenarios with the same settings are one: they have the same hash, and it is solved once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from estate.errors import InputError, Issue, Where
from estate.scenario import Objective, Patch, Scenario, Settings, build, load_scenario, patched, resolved, settings_bytes
from estate.scenario.patches import read_toml
from estate.wording import suggestion

type Value = str | float | int | bool | list[Any] | dict[str, Any]
type Changes = Mapping[str, Value]

MOST = 100_000
"""Scenarios in one batch: a grid that multiplies to more is a mistake."""


class CellLever(Settings):
    """Which cells an adjustment changes; by how much is a family's business."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    table: Literal["agencies", "sites", "access_points", "zones", "rates"]
    column: str
    where: Mapping[str, str] = {}
    label: str = ""


class Named(Settings):
    """One scenario of a list."""

    name: str
    changes: Mapping[str, Any]


class Family(Settings):
    """A set of scenarios of one kind; see the module for what each kind reads."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    kind: Literal["grid", "list", "sample", "ranges", "each-site", "each-agency", "partners", "frontier", "alternatives"]
    changes: Mapping[str, Any] = {}
    axes: Mapping[str, tuple[Any, ...]] = {}
    scenarios: tuple[Named, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = {}
    choices: Mapping[str, tuple[Any, ...]] = {}
    count: Annotated[int, Field(ge=1, le=MOST)] = 1
    seed: int = 0
    groups: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    points: Annotated[int, Field(ge=2, le=100)] = 10
    differ_by: Annotated[int, Field(ge=1)] = 2
    regret: bool = False


class WhatIf(Settings):
    """A what-if file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    title: str = ""
    base: str = "estate.toml"
    expected_every_hours: Annotated[float, Field(gt=0)] = 24.0
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    audit: Annotated[int, Field(ge=0, le=100)] = 3
    """Scenarios solved again from the files by the main job, the referee included: a check of the batch itself."""
    adjust: tuple[CellLever, ...] = ()
    family: tuple[Family, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Item:
    """One scenario of a batch: where it belongs, what it is called there, and its changes (canonical JSON)."""

    family: str
    kind: str
    label: str
    changes: Changes
    special: Mapping[str, int] = field(default_factory=dict)
    """What is not a setting: the rank and distance of an alternative."""


def read(path: Path) -> tuple[WhatIf, Scenario]:
    """A what-if file and the base scenario it names; raises :class:`InputError` with everything that is wrong."""
    try:
        given = read_toml(settings_bytes(path).decode("utf-8-sig"))
    except OSError as error:
        raise InputError(issues=[_issue(path, "cannot be read", str(error.strerror), "whatif.unreadable")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(issues=[_issue(path, "is not valid TOML", str(error), "whatif.toml")]) from None
    try:
        whatif = WhatIf.model_validate(given)
    except ValidationError as error:
        found = [
            _issue(path, f"'{'.'.join(map(str, each['loc']))}'", each["msg"].removeprefix("Value error, "), "whatif.value")
            for each in error.errors()
        ]
        raise InputError(issues=found) from None
    names = [family.name for family in whatif.family]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(issues=[_issue(path, f"two families are called '{twice[0]}'", "rename one", "whatif.twice")])
    return whatif, load_scenario(_beside(path, whatif.base))


def _beside(path: Path, base: str) -> Path:
    folder = path.parent.resolve()
    target = path.parent / base
    if Path(base).is_absolute() or ".." in Path(base).parts or not target.resolve().is_relative_to(folder):
        remedy = "name a scenario in the folder of the what-if file, or below it"
        raise InputError(issues=[Issue("whatif.base", f"base = '{base}' leaves the folder", remedy, Where(str(path)))])
    return target


def _issue(path: Path, what: str, why: str, code: str) -> Issue:
    return Issue(code, f"{what}: {why}", "the module estate.whatif.patches describes the format", Where(str(path)))


# -------------------------------------------------------------------------------------------------- scenarios


def patches(whatif: WhatIf, changes: Changes) -> list[Patch]:
    """Changes as patches in canonical order; a lever that is turned brings its table and column along."""
    levers = {lever.name: lever for lever in whatif.adjust}
    found: list[Patch] = []
    turned: set[str] = set()
    for key in sorted(changes):
        path = tuple(key.split("."))
        if path[0] == "adjust" and len(path) > 1 and path[1] in levers and path[1] not in turned:
            turned.add(path[1])
            lever = levers[path[1]].model_dump(mode="json", exclude={"label"})
            found.append((("adjust", path[1]), lever))
        found.append((path, changes[key]))
    return found


def scenario_of(whatif: WhatIf, base: Scenario, settings: Mapping[str, Any], changes: Changes) -> Scenario:
    """The scenario that changes make of the base's ``settings`` (:func:`estate.scenario.resolved`).

    Lists of sites are put in order, so that patches that do not touch the same setting commute.
    """
    result = patched(settings, patches(whatif, changes))
    rules = result.get("rules", {})
    for name in ("keep", "close", "out", "other_uses_move"):
        if isinstance(rules.get(name), list):
            rules[name] = sorted(set(rules[name]))
    return build(result, folder=base.folder, file=base.file)


def identity(scenario: Scenario, special: Mapping[str, int], world: str) -> str:
    """SHA-256 of everything an answer depends on: settings, inputs, travel and versions (``world``)."""
    settings = resolved(scenario)
    for name in ("name", "title", "description", "page"):
        settings.pop(name, None)
    text = json.dumps([settings, dict(special), world], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Players:
    """The players of the base, sorted, and the changes under which only some of them take part."""

    players: tuple[str, ...]
    changes: Callable[[Sequence[str]], Changes]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the families need to know of the base: its free sites, the agencies that take part, and two costs (GBP a year)."""

    keep: tuple[str, ...]
    close: tuple[str, ...]
    out: tuple[str, ...]
    free_sites: tuple[str, ...]
    agencies: tuple[str, ...]
    least_gbp: float
    today_gbp: float
    partners: Players | None = None
    """The partners of the base, where a family asks about them."""


def items(whatif: WhatIf, facts: Facts) -> list[Item]:
    """Every scenario of the file, the base first; two with the same label in one family are an error."""
    found = [Item("base", "list", "base", {})]
    for family in whatif.family:
        for each in itertools.islice(_expand(family, facts), MOST + 1):
            found.append(Item(each.family, each.kind, each.label, {**family.changes, **each.changes}, each.special))
            if len(found) > MOST:
                message = f"the families come to more than {MOST:,} scenarios"
                raise InputError(issues=[Issue("whatif.too-many", message, "make a grid or a sample smaller")])
    keys = [(item.family, item.label) for item in found]
    twice = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
    if twice:
        raise InputError(issues=[Issue("whatif.twice", f"family '{twice[0]}' has two scenarios '{twice[1]}'", "rename one")])
    return found


def _expand(family: Family, facts: Facts) -> Iterator[Item]:  # noqa: C901, PLR0912  (one branch for each kind)
    name, kind = family.name, family.kind

    def item(label: str, changes: Changes, **special: int) -> Item:
        return Item(name, kind, label, changes, special)

    match kind:
        case "grid":
            for values in itertools.product(*family.axes.values()):
                changes: dict[str, Any] = dict(zip(family.axes, values, strict=True))
                yield item(in_words(changes), changes)
        case "list":
            for each in family.scenarios:
                yield item(each.name, each.changes)
        case "sample":
            draw = random.Random(family.seed)  # noqa: S311  (a repeatable sample, not a secret)
            for n in range(family.count):
                changes = {key: _draw(draw, key, family.ranges[key]) for key in sorted(family.ranges)}
                changes |= {key: draw.choice(family.choices[key]) for key in sorted(family.choices)}
                yield item(f"draw {n + 1:04d}", changes)
        case "ranges":
            for key, (low, high) in family.ranges.items():
                yield item(f"{key} low", {key: low})
                yield item(f"{key} high", {key: high})
        case "each-site":
            for site in facts.free_sites:
                yield item(f"keep {site}", {"rules.keep": sorted({*facts.keep, site})})
                yield item(f"close {site}", {"rules.close": sorted({*facts.close, site})})
        case "each-agency":
            for agency in facts.agencies:
                yield item(f"without {agency}", {"rules.out": sorted({*facts.out, agency})})
        case "partners" if facts.partners is not None:
            yield from (item(label, facts.partners.changes(group)) for label, group in _groups(family, facts.partners.players))
        case "frontier":
            for n in range(family.points):
                budget = facts.least_gbp + (facts.today_gbp - facts.least_gbp) * n / (family.points - 1)
                goal: dict[str, Any] = {
                    "money.objective": str(Objective.LEAST_TRAVEL),
                    "money.running_budget_gbp_pa": round(budget, 2),
                }
                yield item(f"£{budget:,.0f} a year", goal)
        case "alternatives":
            for rank in range(1, family.count + 1):
                yield item(f"alternative {rank}", {}, rank=rank, differ_by=family.differ_by)


def _groups(family: Family, players: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The label of each group of a family of partners, and who is in it."""
    unknown = sorted({each for group in family.groups for each in group} - set(players))
    if unknown:
        words = f"family '{family.name}': '{unknown[0]}' is no partner: it runs no counter, or does not take part"
        raise InputError(issues=[Issue("whatif.partners", words, suggestion(unknown[0], players))])
    yield "all together", players
    yield from ((f"{each} alone", (each,)) for each in players)
    yield from ((f"without {each}", tuple(p for p in players if p != each)) for each in players)
    yield from ((" + ".join(sorted(group)), group) for group in family.groups)


def _draw(draw: random.Random, key: str, ends: tuple[float, float]) -> float:
    """A number between two; a factor to whole per cents, which keeps pounds exact (:mod:`estate.whatif.regions`)."""
    value = draw.uniform(*ends)
    return round(value, 2) if key.endswith(".factor") else float(f"{value:.6g}")


def in_words(changes: Changes) -> str:
    """Changes in one line: ``library-3-miles.limit = 2 miles; office-costs.factor = 1.1``."""
    short = {key: key.removeprefix("standards.").removeprefix("adjust.") for key in changes}
    return "; ".join(f"{short[key]} = {value}" for key, value in changes.items())
