"""The words of the page: the plan in a sentence, where journeys grow most, the sums, the rules, what the checks said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from estate.money.release import spoken_day
from estate.page import facts, words
from estate.page.decision import costs_assumed
from estate.page.facts import Point
from estate.wording import figure_words

if TYPE_CHECKING:
    from estate.runs.run import Run


MOST_NAMED_ZONES = 3000


def sentence(run: Run, points: list[Point]) -> str:
    """The plan in a sentence."""
    moved = [point for point in points if point.home != point.host]
    outcome = Counter(facts.table(run, "sites", ("after",))["after"])
    if not moved and not outcome["released"]:
        best = "the best that the rules allow" if run.manifest.get("status") == "optimal" else "the best found"
        return f"The plan changes nothing: today’s estate is already {best}."
    counters = [point for point in moved if run.scenario.is_public(point.service)]
    said = f"The plan moves {words.plural(len(counters), 'counter')}"
    said += _merges(run)
    if spaces := len(moved) - len(counters):
        staff = facts.number(run.manifest, "staff_moved_fte")
        said += f", {words.plural(spaces, 'space')} that nobody visits" + (f" ({words.count(staff)} staff)" if staff else "")
    said += f", lets {words.plural(outcome['released'], 'building')} go" if outcome["released"] else ""
    said += _saving(run)
    said += f", all by {spoken_day(run.manifest['complete_on'])}." if run.manifest.get("complete_on") else "."
    dated = run.scenario.base_date
    base = f" It starts from the estate as it stood on {dated.day} {dated:%B %Y}" if dated else ""
    prices = run.scenario.money.price_base
    if base:
        return said + base + (f", at {prices} prices." if prices else ".")
    return said + (f" All money is at {prices} prices." if prices else "")


def _saving(run: Run) -> str:
    """What is saved a year, as part of a sentence; rounded where it rests on assumed costs; empty where nothing is."""
    before, after = facts.number(run.manifest, "baseline_gbp_pa"), facts.after_cost(run)
    if before is None or after is None or before - after < 1:
        return ""
    return f", saves {words.about(before - after, assumed=bool(costs_assumed(run)))} a year"


def _merges(run: Run) -> str:
    """How many of the counters that move join another of their service, as part of a sentence; empty where none does."""
    merged = int((facts.table(run, "moves", ("kind",))["kind"] == "merge").sum())
    return f" and merges {words.count(merged)} of them with the same service elsewhere" if merged else ""


def hardest_hit(run: Run) -> list[str]:
    """The places whose journeys grow most, in words: one line for a place, at most three."""
    unit = facts.journeys(run).unit
    before, after = ("distance_before_m", "distance_after_m") if unit is words.MILES else ("time_before_s", "time_after_s")
    columns = ("zone_id", "name", "service", before, after)
    frame = facts.table(run, "affected", columns).drop_duplicates("zone_id").head(3)
    if run.tables.get("affected") is None or len(run.place.zones) > MOST_NAMED_ZONES:
        return []
    return [
        f"{words.plain(row['name'] or row['zone_id'])}: {words.plain(facts.service_label(run, row['service']))}, "
        f"{unit.say(row[before])} becomes {unit.say(row[after])}"
        for row in frame.to_dict("records")
    ]


def sums(run: Run) -> tuple[list[tuple[str, str, bool]], list[str]]:
    """The sums as lines of a small table (label, amount, whether a total), and notes to them."""
    manifest = run.manifest
    before, after = facts.number(manifest, "baseline_gbp_pa"), facts.after_cost(run)
    lines: list[tuple[str, str, bool]] = []
    if before is not None and after is not None:
        lines += [
            ("Running cost a year today", words.gbp(before), False),
            ("Running cost a year in the plan", words.gbp(after), False),
            ("Saved each year" if after <= before else "Extra each year", words.gbp(abs(before - after)), True),
        ]
    receipts, one_off = facts.number(manifest, "receipts_gbp"), facts.number(manifest, "one_off_gbp")
    if receipts is not None:
        lines.append(("Net receipts, once", words.gbp(receipts), False))
    if one_off is not None:
        lines.append(("One-off costs of moving and leaving", words.gbp(one_off), False))
    need, spare = facts.number(manifest, "need_gbp"), facts.number(manifest, "spare_receipts_gbp")
    if need is not None:
        lines.append(("Still to find, once, purse by purse", words.gbp(need), True))
    if spare:
        lines.append(("Left with those who sell, once", words.gbp(spare), False))
    worth = facts.number(manifest, "npv_gbp")
    if worth is not None:
        years = words.count(manifest.get("horizon_years"))
        lines.append((f"Worth over {years} years (present value)", words.gbp(worth), True))
    notes = ["Funds are not pooled unless the partners pool them: what one purse has left meets nothing that another needs."]
    notes += ["Receipts go to whoever holds the title; running savings go to the service that uses the building."]
    if receipts is not None and (year := manifest.get("pays_back_in")) and manifest.get("payback_years"):
        notes.insert(
            0, f"What is spent once is paid back in {words.clean(year)}, counting later money at what it is worth now."
        )
    return lines, notes


KEPT = {"yes": "Kept", "no": "Broken", "not tested": "Not tested", "not said": "Not said"}
MOVED = {"met": "Kept", "consult": "People to be asked", "not tested": "Not tested", "not met": "Broken"}


def standards(run: Run) -> list[dict[str, str]]:
    """The rules switched on: whether the plan keeps each, as it is held to it, and what that means for people."""
    columns = ("name", "service", "rule", "source", "before", "after", "detail_before", "detail_after")
    frame = facts.table(run, "standards", (*columns, "kept", "beyond_before", "newly_beyond"))
    tolerance = {rule.name: rule.tolerance.text for rule in run.scenario.standards if rule.tolerance}
    return [
        {
            "rule": words.clean_long(row["rule"]) or words.clean(row["name"]),
            "service": words.clean(facts.service_label(run, row["service"])) if row["service"] else "",
            "verdict": verdict,
            "tone": {"Kept": "good", "Broken": "warn"}.get(verdict, ""),
            "meaning": _meaning(row, verdict, tolerance.get(row["name"], "")),
            "source": words.clean_long(row["source"]),
        }
        for row in frame.to_dict("records")
        for verdict in [_verdict(row)]
    ]


def _verdict(row: Mapping[Any, Any]) -> str:
    kept, before, after = (words.clean(row[name]) for name in ("kept", "before", "after"))
    if kept in KEPT:
        return KEPT[kept]
    # A rule on moves; or a run stored before rules were judged by the form that they are kept in.
    return "Short today, and no shorter" if before == after == "not met" else MOVED.get(after, after.capitalize())


def _meaning(row: Mapping[Any, Any], verdict: str, tolerance: str) -> str:
    """What a rule means for people: who is beyond the limit already, who is added, how many are within it."""
    before, after = words.clean(row["detail_before"]), words.clean(row["detail_after"])
    beyond, added = (facts.cell(row[name]) for name in ("beyond_before", "newly_beyond"))
    if beyond is None or added is None:
        return after
    if not beyond and not added:
        return "Everybody is within it, today and in the plan."
    said = f"{words.count(beyond)} people are beyond it already" if beyond else "Nobody is beyond it today"
    if verdict == "Kept" and not added:
        said += "; nobody is added" + (f", and none of them goes more than {tolerance} farther" if tolerance and beyond else "")
    elif added:
        said += f"; {words.count(added)} more would be in the plan"
    within = f" Within it: {after}." if before == after else f" Within it: {before} today, {after} in the plan."
    return f"{said}.{within if before and after else ''}"


def issues(run: Run) -> list[str]:
    """What the checks of the inputs said, in words: a building by its name, a figure and a rule by what people call them."""
    found = []
    names = {str(key): str(name) for key, name in run.place.sites["name"].items() if name}
    rules = {rule.name: f"the rule for {facts.service_label(run, rule.service)}" for rule in run.scenario.standards}
    for issue in run.manifest.get("issues") or ():
        if not isinstance(issue, dict):
            found.append(words.clean(issue))
            continue
        column = str(issue.get("column") or "")
        what = names.get(str(issue.get("id") or ""), "")
        about = what if not column or "." in column else ", ".join(part for part in (what, figure_words(column)) if part)
        message = str(issue.get("message", ""))
        for name, label in rules.items():
            message = message.replace(f"'{name}'", label)
        for each in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", message):
            message = message.replace(each, figure_words(each))
        found.append(words.clean_long(f"{about}: {message}" if about else message[:1].upper() + message[1:]))
    return found[:200]


def _reach(run: Run) -> str:
    """How far counters may move, service by service where that differs."""
    scenario = run.scenario
    said = {service: each.text if (each := scenario.reach_of(service)) else "any distance" for service in run.place.services}
    if len(set(said.values())) == 1:
        return words.clean(next(iter(said.values())))
    return words.clean("; ".join(f"{scenario.service_label(service)} {each}" for service, each in said.items()))


def made(run: Run) -> list[tuple[str, str]]:
    """How the run was made: its name, versions and inputs."""
    manifest = run.manifest
    lines = [("Scenario", words.clean(manifest.get("name") or run.scenario.name))]
    bound, gap = facts.number(manifest, "bound_gbp_pa"), facts.number(manifest, "gap")
    if bound is not None:
        lines.append(("No plan can be below", f"{words.gbp(bound)} a year"))
    if gap is not None:
        lines.append(("Gap to that", words.percent(gap, 4)))
    lines.append(("Counters may move", _reach(run)))
    versions = manifest.get("versions")
    if isinstance(versions, dict):
        lines.append(("Versions", words.clean(", ".join(f"{name} {version}" for name, version in sorted(versions.items())))))
    inputs = manifest.get("inputs")
    if isinstance(inputs, dict) and inputs:
        # Their digests would make the page another with the order of their rows, which changes nothing that it says.
        lines.append(("Read from", words.clean(f"{', '.join(sorted(inputs)[:40])}; run.json has the SHA-256 of each")))
    return lines
