"""Relaxations as sentences, and as the ``--set`` changes that apply them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from estate.diagnose.elastic import Elastic
from estate.diagnose.levers import Lever
from estate.diagnose.members import Kind, Member, both, reaches
from estate.diagnose.relax import Relaxation, size_of
from estate.diagnose.words import measured, phrase, rule_named, site_name, square
from estate.formulate.side import may_not_merge
from estate.money.purses import EVERYBODY, of_row
from estate.problem import AREA_UNITS_PER_M2
from estate.scenario import Limit, Metric, Purse
from estate.standards.presets import limbs
from estate.standards.words import percent

PENCE = 100


def told(e: Elastic, relaxation: Relaxation) -> str:
    """One relaxation as a sentence."""
    lever, amount = relaxation.lever, relaxation.amount
    kind, name = lever.key
    if amount is None:
        return f"{_subject(e, relaxation)}: not by this rule alone"
    match lever.what:
        case "limit" | "tolerance":
            rule = rule_named(e, name)
            limit = limbs(rule, e.scenario)[0].limit
            old = limit.text if lever.what == "limit" else rule.tolerance.text if rule.tolerance else "none"
            words = f"'{name}': a {lever.what} of {measured(amount, limit, up=True)} instead of {old}"
        case "beyond":
            words = f"'{name}': no farther than today for those beyond the limit today (beyond = \"no-worse\")"
        case "share":
            asked = percent(rule_named(e, name).share)
            words = f"'{name}': {_share_met(float(amount), asked)} of people instead of {asked}"
        case "reach":
            words = f"{_subject(e, relaxation)}: {measured(amount, _reach_limit(e, kind, name), up=True)} instead"
        case "floor area":
            words = f"floor area: {', '.join(_more_room(e, column, units) for column, units in amount.items())}"
        case "give":
            words = f"{phrase(e, Member(kind, name))}: {_given(e, name, amount)}"
        case _:
            words = f"let go: {_subject(e, relaxation)}"
    return words


def left_untried(e: Elastic, lever: Lever) -> str:
    """A lever that there was no time for, in a few words."""
    return _subject(e, Relaxation(lever, None))


def _share_met(amount: float, asked: str) -> str:
    """A share that can be met, rounded down, with two decimals or as many as what is asked has."""
    places = max(2, len(asked.removesuffix("%").partition(".")[2]))
    return f"{math.floor(amount * 10 ** (places + 2)) / 10**places:.{places}f}%"


def _more_room(e: Elastic, column: int, units: float) -> str:
    return f"{square(units / AREA_UNITS_PER_M2)} more at {site_name(e, str(e.place.sites.index[column - e.at.extra]))}"


def _subject(e: Elastic, relaxation: Relaxation) -> str:
    kind, name = relaxation.lever.key
    if kind is Kind.ACCESS or kind is Kind.SHARE:
        return f"the {relaxation.lever.what} of '{name}'"
    if kind is Kind.AREA:
        return "floor area"
    atoms = [atom for atom in e.roster.atoms if (atom.kind, atom.name) == (kind, name)]
    who = tuple(sorted(each for atom in atoms for each in atom.who))
    return phrase(e, Member(kind, name, who))


def _reach_limit(e: Elastic, kind: Kind, name: str) -> Limit:
    return reaches(e.place, e.scenario)[name][0] if kind is Kind.REACH else limbs(rule_named(e, name), e.scenario)[0].limit


def _given(e: Elastic, name: str, amount: Mapping[int, float]) -> str:
    parts = []
    for column, units in amount.items():
        over = column < e.at.under
        side = (e.problem.side.upper if over else e.problem.side.lower)[column - (e.at.over if over else e.at.under)]
        new = side + units if over else side - units
        if name.startswith("number of"):
            parts.append(f"at {'most' if over else 'least'} {new:,.0f} instead")
        elif name.startswith("visits"):
            parts.append(f"room for {units:,.0f} more")
        else:
            parts.append(f"£{math.ceil(units / PENCE):,} more")
    return " and ".join(parts)


# -------------------------------------------------------------------------------------------------- as settings


def changes(e: Elastic, *relaxations: Relaxation) -> tuple[str, ...]:
    """The ``--set`` changes that apply relaxations together; none where one is no setting (a preset's rule, say)."""
    found: list[str] = []
    lifted: dict[Kind, list[str]] = {}
    lacking: dict[str, tuple[Purse, list[Lack]]] = {}
    own = {each.name for each in e.scenario.standards if not each.preset}
    for each in relaxations:
        (kind, name), what, amount = each.lever.key, each.lever.what, each.amount
        if amount is None:
            continue
        if kind in (Kind.ACCESS, Kind.SHARE, Kind.MOVED):
            found += [f"standards.{name}.{_standard(e, each)}"] if name in own else []
        elif what == "reach":
            found.append(f"{name}={_toml(_text(amount, _reach_limit(e, kind, name).metric))}")
        elif what == "floor area":
            found += [_room(e, column - e.at.extra, units) for column, units in amount.items()]
        elif what == "give" and (budget := of_row(e.place, e.scenario, name)) is not None:
            purse, budget_kind, year = budget
            lacking.setdefault(purse.name, (purse, []))[1].append((budget_kind, year, math.ceil(sum(amount.values()))))
        elif what == "give":
            found += _bound(e, name, amount)
        else:
            lifted.setdefault(kind, []).append(name)
    found += [_more_money(purse, lacks) for purse, lacks in lacking.values()]
    return (*found, *(change for kind, names in lifted.items() for change in _lifted(e, kind, names)))


def _standard(e: Elastic, relaxation: Relaxation) -> str:
    what, amount = relaxation.lever.what, float(relaxation.amount or 0)
    match what:
        case "share":  # rounded down by less than a person, so that what can be met is asked for
            return f"share={math.floor(amount * 1e9) / 1e9:.9f}"
        case "beyond":
            return 'beyond="no-worse"'
        case "lift":
            return "on=false"
        case _:
            metric = limbs(rule_named(e, relaxation.lever.key[1]), e.scenario)[0].limit.metric
            return f"{'limit' if what == 'reach' else what}={_toml(_text(amount, metric))}"


def _text(value: float, metric: Metric) -> str:
    return f"{value:.0f} {'m' if metric is Metric.DISTANCE else 's'}"


def _room(e: Elastic, j: int, units: float) -> str:
    where = {"site_id": str(e.place.sites.index[j])}
    change = {"table": "sites", "column": "capacity_m2", "add": units / AREA_UNITS_PER_M2, "where": where}
    return f"adjust.more-room-{j}={_toml(change)}"


def _bound(e: Elastic, name: str, amount: Mapping[int, float]) -> list[str]:
    """A count or budget with its new bound."""
    side = e.problem.side
    if name.startswith("number of"):
        counts = [each.model_dump(exclude_none=True, exclude_defaults=True) for each in e.scenario.rules.counts]
        for column, units in amount.items():
            over = column < e.at.under
            which = "at_most" if over else "at_least"
            r = column - (e.at.over if over else e.at.under)  # counts come first among the rows, in the scenario's order
            counts[r][which] += round(units) if over else -round(units)
        return [f"rules.counts={_toml(counts)}"]
    units = sum(amount.values())
    if name.startswith("running cost"):
        return [f"money.running_budget_gbp_pa={(side.upper[side.name.index(name)] + units) / PENCE:.2f}"]
    return []


type Lack = tuple[str, int, int]
"""A kind of budget, the calendar year by whose end it is short, and by how many pence."""


def _more_money(purse: Purse, lacks: Sequence[Lack]) -> str:
    """A purse with the least that ends what it lacks: each year's lack less what is added for an earlier one."""
    more: list[dict[str, Any]] = []
    for kind, year, pence in sorted(lacks):
        short = pence - round(sum(each["gbp"] * PENCE for each in more if each["kind"] == kind))
        more += [{"gbp": short / PENCE, "kind": kind, "year": year}] if short > 0 else []
    if purse.name == EVERYBODY:
        return (
            f"money.capital_budget_gbp={sum((each.gbp for each in purse.budgets), start=0) + sum(m['gbp'] for m in more):.2f}"
        )
    budgets = [each.model_dump(exclude_none=True) for each in purse.budgets]
    return f"money.purses.{purse.name}.budgets={_toml([*budgets, *more])}"


def _lifted(e: Elastic, kind: Kind, names: Sequence[str]) -> list[str]:
    """Locks taken out of the scenario's rules, where that is what holds them."""
    rules = e.scenario.rules
    held = {atom.who[0] for atom in e.roster.atoms if atom.kind is kind and atom.name in names and atom.who}
    left: dict[str, object] = {}
    match kind:
        case Kind.CLOSE if set(names) <= set(rules.close):
            left["close"] = [each for each in rules.close if each not in names]
        case Kind.KEEP if held <= set(rules.keep):
            left["keep"] = [each for each in rules.keep if each not in held]
        case Kind.KEEP if all(name.endswith("it has other uses") for name in names):
            left["other_uses_move"] = sorted({*rules.other_uses_move, *held})
        case Kind.FIXED:
            left["fixed"] = {s: j for s, j in rules.fixed.items() if s not in names}
        case Kind.APART:
            left["may_not_share"] = [pair for pair in rules.may_not_share if both(pair) not in names]
        case Kind.TOGETHER:
            left["must_share"] = [pair for pair in rules.must_share if both(pair) not in names]
        case Kind.BARRED:
            left["barred"] = {column: values for column, values in rules.barred.items() if column not in names}
        case Kind.OUT if set(names) <= set(rules.out):
            left["out"] = [each for each in rules.out if each not in names]
        case Kind.SIDE:
            apart = [each for each in e.place.services if may_not_merge(each) in names]
            return [f"services.{service}.may_merge=true" for service in apart]
    return [f"rules.{setting}={_toml(value)}" for setting, value in left.items()]


def _toml(value: Any) -> str:
    """A value in TOML, on one line."""
    if isinstance(value, Mapping):
        names = {key: key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key) for key in value}
        return "{" + ", ".join(f"{names[key]} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def as_row(e: Elastic, relaxation: Relaxation) -> dict[str, Any]:
    """A relaxation for JSON: ``rule``, ``what``, ``enough``, ``from`` and ``to`` (m or s, a share, m2, a count or GBP), words."""
    kind, name = relaxation.lever.key
    row: dict[str, Any] = {"rule": name, "kind": str(kind), "what": relaxation.lever.what, "enough": relaxation.enough}
    if relaxation.enough and relaxation.lever.what not in ("lift", "beyond"):
        unit = {"floor area": AREA_UNITS_PER_M2, "give": 1 if name.startswith(("number of", "visits")) else PENCE}
        scale = unit.get(relaxation.lever.what, 1)
        before, after = (round(size / scale, 9) for size in size_of(e, relaxation.lever, relaxation.amount))
        row |= {"from": before, "to": after}
    return {**row, "words": told(e, relaxation), "set": list(changes(e, relaxation))}
