"""Whether each standard is met as it was published, before and after, and which displaced counters need consultation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.place import Plan, offers
from estate.problem import Bools
from estate.scenario import Journey, Standard
from estate.standards.measured import Measured
from estate.standards.reach import nearest, people_needed
from estate.standards.words import in_words

COLUMNS = [
    "name", "service", "rule", "before", "after", "detail_before", "detail_after", "kept", "beyond_before", "newly_beyond",
    "source", "status",
]  # fmt: skip


def standards_table(measured: Measured, plan: Plan) -> pd.DataFrame:
    """Each rule: whether it is met as written, before and after, and by how many people (``standards.csv``).

    "Met" is against the published limit and share themselves, not the easier ``no-worse`` form that the plan is held to.  Whether
    the plan keeps to that form is ``kept`` (yes, no, not tested; blank for rules on moves): what it is to be judged by.
    ``beyond_before`` and ``newly_beyond`` are people: beyond the limit today, and only in the plan.
    """
    rows = []
    for rule in measured.rules:
        row: dict[str, str | int] = {
            "name": rule.name,
            "service": rule.service,
            "rule": in_words(rule, measured.scenario),
            "source": rule.source,
            "status": rule.status,
        }
        if measured.service(rule) is not None:
            for name, each in (("before", measured.place.today), ("after", plan)):
                row |= _met(rule, measured, each, name)
            row |= _kept(rule, measured, plan)
        rows.append(row)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype(dict.fromkeys(("beyond_before", "newly_beyond"), "Int64"))


def _kept(rule: Standard, measured: Measured, plan: Plan) -> dict[str, str | int]:
    """Whether the plan keeps to a home-to-site rule as the plan is held to it, and whom its limit leaves out."""
    if rule.measure is Journey.SITE:
        return {}
    if not measured.wholly_testable(rule):
        return {"kept": "not tested"}
    k, people = measured.service(rule), measured.people(rule)
    today, after = measured.offers_today[k], measured.offers(plan)[k]
    had, has = (measured.reached(rule, there) for there in (today, after))
    was, now = had >= rule.backup, has >= rule.backup
    lenient = rule.beyond == "no-worse"
    if rule.share < 1 or rule.each:
        kept = True
        for _, each in measured.groups(rule):
            wanted = people_needed(rule.share, int(each.sum()))
            kept &= int(each[now].sum()) >= (min(wanted, int(each[was].sum())) if lenient else wanted)
    else:
        asked = np.minimum(rule.backup, had) if lenient else rule.backup
        kept = not (people[has < asked].any() or (lenient and people[_farther(rule, measured, today, after, had == 0)].any()))
    return {
        "kept": "yes" if kept else "no",
        "beyond_before": int(people[~was].sum()),
        "newly_beyond": int(people[was & ~now].sum()),
    }


def _farther(rule: Standard, measured: Measured, today: Bools, after: Bools, beyond: Bools) -> Bools:
    """(N,) of the zones beyond a limit today, those that the plan sends farther than the rule's tolerance allows."""
    limb = measured.limbs(rule)[0]
    pairs = measured.travel.home[limb.mode]
    value = pairs.measure(limb.limit.metric.value)
    before, then = (nearest(pairs, value, there, len(beyond)) for there in (today, after))
    slack = rule.tolerance.value if rule.tolerance and rule.tolerance.metric is limb.limit.metric else 0.0
    return np.asarray(beyond & (before >= 0) & ((then < 0) | (then > before + slack)), dtype=bool)


def _met(rule: Standard, measured: Measured, plan: Plan, name: str) -> dict[str, str]:
    if rule.measure is Journey.SITE:
        status = displacement(rule, measured, plan)
        moved = status[status != ""]
        worst = next((each for each in ("consult", "not tested", "within") if (moved == each).any()), "within")
        words = {"consult": "consult", "not tested": "not tested", "within": "met"}[worst]
        return {name: words, f"detail_{name}": f"{len(moved)} displaced, {(moved == 'consult').sum()} to consult on"}
    if not measured.wholly_testable(rule):
        return {name: "not tested", f"detail_{name}": "there is no travel data for this limit"}
    there = measured.offers(plan)[measured.service(rule)]
    inside = measured.reached(rule, there) >= rule.backup
    failing, total, reached = [], 0, 0
    for value, people in measured.groups(rule):
        of, ok = int(people.sum()), int(people[inside].sum())
        total, reached = total + of, reached + ok
        if ok < people_needed(rule.share, of):
            failing.append(f"{value or 'all'} {ok / of:.1%}")
    share = f"{reached:,} of {total:,} people ({reached / total:.1%})" if total else "nobody is counted"
    detail = share + (f"; short in {', '.join(failing)}" if failing and rule.each else "")
    return {name: "not met" if failing else "met", f"detail_{name}": detail}


def displacement(rule: Standard, measured: Measured, plan: Plan) -> pd.Series[str]:
    """(S,) for each access point: blank where it is not displaced, else ``within``, ``consult`` or ``not tested``.

    A limb without data is not tested, never met.  With ``join = "all"`` one failed limb is enough to consult, and an untested
    limb leaves the rule not tested unless another fails; with ``"any"`` one limb that holds is enough.
    """
    place = measured.place
    k = place.services.index(rule.service)
    home = place.point_site
    there = offers(place, plan)[k]
    stays_near = there[home] if rule.test == "nearest" else plan.host == home
    displaced = (place.point_service == k) & ~stays_near & ~place.outside[home]
    known = [has for _, has in measured.tested(rule)]
    near = measured.within(rule) if any(known) else None
    if near is None:
        holds = np.zeros(len(home), dtype=bool)
    elif rule.test == "nearest":
        # One office must pass the tested limbs together: near by one and quick to another is neither.
        holds = measured.reached(rule, there)[home] > 0
    else:
        holds = np.asarray(near[home, plan.host]).ravel().astype(bool)
    result = np.where(holds, "within", "consult").astype(object)
    if not any(known):
        result[:] = "not tested"
    elif not all(known):
        # With "all", limbs that hold so far leave the question open; with "any", limbs that fail do.
        result[holds if rule.join == "all" else ~holds] = "not tested"
    return pd.Series(np.where(displaced, result, "").astype(object), index=place.access_points.index)
