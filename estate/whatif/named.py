"""Scenarios of a what-if file by their labels, as options to set beside a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from estate.errors import InputError, Issue, Where
from estate.scenario import Alternative, Scenario
from estate.whatif.patches import Facts, Item, WhatIf, items, read
from estate.wording import suggestion

KINDS = ("list", "grid", "each-site", "each-agency")
"""Families whose scenarios are decisions, each known by its label alone."""


def alternatives_of(file: Path, labels: Sequence[str]) -> tuple[Alternative, ...]:
    """The scenarios that are called so, in the order asked for: ``police stay out of libraries``, ``close W-LIB-EVESHAM``.

    Raises
    ------
    InputError
        For a file that is wrong, a label that no family of decisions has, and a scenario that changes figures.
    """
    whatif, base = read(file)
    whatif = whatif.model_copy(update={"family": tuple(family for family in whatif.family if family.kind in KINDS)})
    found, issues = [], []
    for label in labels:
        item = _called(label, whatif, base)
        if item is None:
            issues.append(_unknown(file, label, whatif))
            continue
        try:
            found.append(Alternative(name=label.replace(".", " ").replace("=", "is"), changes=item.changes))
        except ValidationError as error:
            words = error.errors()[0]["msg"].removeprefix("Value error, ")
            remedy = "choose a scenario that decides otherwise and leaves every figure as it is"
            issues.append(Issue("whatif.no-option", words, remedy, Where(str(file), value=label)))
    if issues:
        raise InputError(issues=issues)
    return tuple(found)


def _called(label: str, whatif: WhatIf, base: Scenario) -> Item | None:
    """The scenario with a label.  Those of each site or agency are made for the one that the label names: no plan is needed."""
    rules, one = base.rules, label.partition(" ")[2]
    facts = Facts(rules.keep, rules.close, rules.out, (one,), (one,), least_gbp=0.0, today_gbp=0.0)
    return next((each for each in items(whatif, facts)[1:] if each.label == label), None)


def _unknown(file: Path, label: str, whatif: WhatIf) -> Issue:
    names = [each.name for family in whatif.family for each in family.scenarios]
    message = f"'{label}' is none of its scenarios that decide something"
    return Issue("whatif.no-option", message, suggestion(label, names), Where(str(file), value=label))
