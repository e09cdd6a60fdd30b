"""Whether each standard is met as it was published, before and after, and which displaced counters need consultation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.appraise.access import offers
from estate.place import Place, Plan, todays_plan
from estate.problem import Ints
from estate.scenario import Measure, Scenario, Standard
from estate.standards.presets import rules
from estate.standards.reach import groups, people_needed, tested, within
from estate.standards.words import in_words
from estate.travel import Pairs, Travel


def standards_table(place: Place, scenario: Scenario, travel: Travel, plan: Plan) -> pd.DataFrame:
    """Each rule: whether it is met as written, before and after, and by how many people (``standards.csv``).

    "Met" is against the published limit and share themselves, not the easier ``no-worse`` form that the plan is held to.
    """
    rows = []
    for rule in rules(scenario):
        row = {
            "name": rule.name,
            "service": rule.service,
            "rule": in_words(rule, scenario),
            "source": rule.source,
            "status": rule.status,
        }
        if rule.service in place.services:
            for name, each in (("before", todays_plan(place)), ("after", plan)):
                row |= _met(rule, place, scenario, travel, each, name)
        rows.append(row)
    columns = ["name", "service", "rule", "before", "after", "detail_before", "detail_after", "source", "status"]
    return pd.DataFrame(rows, columns=columns)


def _met(rule: Standard, place: Place, scenario: Scenario, travel: Travel, plan: Plan, name: str) -> dict[str, str]:
    k = place.services.index(rule.service)
    there = offers(place, plan)[k]
    if rule.measure is Measure.SITE:
        status = displacement(rule, place, scenario, travel, plan)
        moved = status[status != ""]
        worst = next((each for each in ("consult", "not tested", "within") if (moved == each).any()), "within")
        words = {"consult": "consult", "not tested": "not tested", "within": "met"}[worst]
        return {name: words, f"detail_{name}": f"{len(moved)} displaced, {(moved == 'consult').sum()} to consult on"}
    if not all(has for _, has in tested(rule, scenario, travel.home)):
        return {name: "not tested", f"detail_{name}": "there is no travel data for this limit"}
    covered = np.asarray(within(rule, scenario, travel.home, len(place.zones), len(place.sites)) @ there.astype(np.int64))
    inside = covered >= rule.backup
    failing, total, reached = [], 0, 0
    for value, people in groups(rule, place):
        of, ok = int(people.sum()), int(people[inside].sum())
        total, reached = total + of, reached + ok
        if ok < people_needed(rule.share, of):
            failing.append(f"{value or 'all'} {ok / of:.1%}")
    share = f"{reached:,} of {total:,} people ({reached / total:.1%})" if total else "nobody is counted"
    detail = share + (f"; short in {', '.join(failing)}" if failing and rule.each else "")
    return {name: "not met" if failing else "met", f"detail_{name}": detail}


def displacement(rule: Standard, place: Place, scenario: Scenario, travel: Travel, plan: Plan) -> pd.Series[str]:
    """(S,) for each access point: blank where it is not displaced, else ``within``, ``consult`` or ``not tested``.

    A limb without data is not tested, never met.  With ``join = "all"`` one failed limb is enough to consult, and an untested
    limb leaves the rule not tested unless another fails; with ``"any"`` one limb that holds is enough.
    """
    k = place.services.index(rule.service)
    home = place.point_site
    there = offers(place, plan)[k]
    stays_near = there[home] if rule.test == "nearest" else plan.host == home
    displaced = (place.point_service == k) & ~stays_near & ~place.outside[home]
    known = [has for _, has in tested(rule, scenario, travel.between)]
    near = within(rule, scenario, travel.between, len(place.sites), len(place.sites)) if any(known) else None
    if near is None:
        holds = np.zeros(len(home), dtype=bool)
    elif rule.test == "nearest":
        # One office must pass the tested limbs together: near by one and quick to another is neither.
        holds = np.asarray(near @ there.astype(np.int64))[home] > 0
    else:
        holds = np.asarray(near[home, plan.host]).ravel().astype(bool)
    result = np.where(holds, "within", "consult").astype(object)
    if not any(known):
        result[:] = "not tested"
    elif not all(known):
        # With "all", limbs that hold so far leave the question open; with "any", limbs that fail do.
        result[holds if rule.join == "all" else ~holds] = "not tested"
    return pd.Series(np.where(displaced, result, "").astype(object), index=place.access_points.index)


def lookup(pairs: Pairs, value: Ints, from_: Ints, to: Ints, n_to: int) -> Ints:
    """(n,) the value of chosen pairs; -1 where a pair is missing (unreachable, or beyond every limit)."""
    if not len(pairs):
        return np.full(len(from_), -1, dtype=np.int64)
    key = pairs.from_ * n_to + pairs.to
    wanted = from_ * n_to + to
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, value[at], -1).astype(np.int64)
