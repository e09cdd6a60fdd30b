"""The published access standards, and the rules that a scenario makes of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from estate.errors import InputError, Issue, Severity, Where
from estate.scenario import Limb, Scenario, Standard

_WARN = ("withdrawn", "advocacy", "rule of thumb")


@dataclass(frozen=True, slots=True)
class Preset:
    """A published standard: its rules as settings, and the paper they come from."""

    name: str
    title: str
    body: str
    status: str
    date: str
    confidence: str
    source: str
    note: str
    service: str
    rules: tuple[Mapping[str, Any], ...]


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset by name, from the table that ships with the package."""
    text = resources.files("estate.standards").joinpath("presets.toml").read_text(encoding="utf-8")
    return {
        name: Preset(name, service=found.pop("service", ""), rules=tuple(found.pop("rules")), **found)
        for name, found in tomllib.loads(text).items()
    }


def rules(scenario: Scenario) -> tuple[Standard, ...]:
    """The scenario's standards with every preset expanded to its rules; those switched off are left out.

    A rule from a preset is named ``<standard>-<rule>``; what the scenario states overrides the preset.

    Raises
    ------
    InputError
        For presets that do not exist, and presets used without a service.
    """
    found: list[Standard] = []
    issues: list[Issue] = []
    for standard in scenario.standards:
        if not standard.on:
            continue
        if not standard.preset:
            found.append(standard)
            continue
        where = Where(scenario.file.name, column=f"standards.{standard.name}", value=standard.preset)
        preset = presets().get(standard.preset)
        if preset is None:
            remedy = f"the presets are: {', '.join(presets())}"
            issues.append(Issue("standards.preset", f"there is no standard '{standard.preset}'", remedy, where))
        elif not (standard.service or preset.service):
            issues.append(Issue("standards.service", f"'{standard.preset}' needs a service", "add service = ...", where))
        else:
            found.extend(_from_preset(standard, preset))
    if issues:
        raise InputError(issues=issues)
    return tuple(found)


def _from_preset(standard: Standard, preset: Preset) -> Iterator[Standard]:
    given = standard.model_dump(exclude_unset=True)
    given.pop("preset")
    for rule in preset.rules:
        base = {"service": preset.service, "source": preset.source, "status": preset.status, **rule}
        yield Standard.model_validate({**base, **given, "name": f"{standard.name}-{rule['name']}"})


def warnings(scenario: Scenario) -> tuple[Issue, ...]:
    """A warning for every preset in use that is not in force."""
    return tuple(
        Issue(
            "standards.status",
            f"'{each.preset}' is not in force: {presets()[each.preset].status}",
            "use it knowingly; the page says so too",
            Where(scenario.file.name, column=f"standards.{each.name}"),
            Severity.WARNING,
        )
        for each in scenario.standards
        if each.preset in presets() and each.on and presets()[each.preset].status.startswith(_WARN)
    )


def modes(scenario: Scenario, standards: Iterable[Standard]) -> tuple[str, ...]:
    """Every mode of travel that some rule measures, with the scenario's own first."""
    named = [limb.mode for rule in standards for limb in limbs(rule, scenario)]
    return tuple(dict.fromkeys([scenario.travel.mode, *named]))


def limbs(rule: Standard, scenario: Scenario) -> tuple[Limb, ...]:
    """The limits of a rule, each with its mode."""
    if rule.limit is None:
        raise InputError(issues=[Issue("standards.limit", f"'{rule.name}' has no limit")])
    return tuple(
        Limb(limit=each.limit, mode=each.mode or scenario.travel.mode)
        for each in (Limb(limit=rule.limit, mode=rule.mode), *rule.also)
    )
