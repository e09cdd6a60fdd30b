"""The words of the page: five figures, the plan in a sentence, what changes most, the sums, the rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.page import facts, words
from estate.page.facts import People, Point
from estate.page.words import Unit
from estate.runs.run import worth_knowing

if TYPE_CHECKING:
    from estate.runs.run import Run


MOST_NAMED_ZONES = 3000


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure to be read from across the room, with what it means below."""

    label: str
    value: str
    lines: list[str]
    assumed: str = ""


def figures(run: Run, who: People, unit: Unit) -> list[Figure]:
    """Running cost, buildings, receipts, people within the limits, people worse off."""
    manifest = run.manifest
    return [_cost(run), _buildings(run), _receipts(run), *_people(who, unit, int(facts.number(manifest, "moves") or 0))]


def _cost(run: Run) -> Figure:
    before, after = facts.number(run.manifest, "baseline_gbp_pa"), after_cost(run)
    if before is None or after is None:
        return Figure("Running cost a year", "not known", [])
    change = after - before
    share = f" ({words.percent(abs(change) / before)} {'less' if change < 0 else 'more'})" if before and change else ""
    value = words.gbp_short(change, signed=True) if round(change) else "No change"
    lines = [f"from {words.gbp_short(before)} to {words.gbp_short(after)}{share}"]
    assumed = facts.assumed(run, "running_cost_gbp_pa")
    note = f"assumed for {assumed} of {words.plural(len(run.place.sites), 'building')}" if assumed else ""
    return Figure("Running cost a year", value, lines, note)


def after_cost(run: Run) -> float | None:
    """Running cost a year of the plan: the objective is something else when the scenario says so, the saving is not."""
    before, saving = facts.number(run.manifest, "baseline_gbp_pa"), facts.number(run.manifest, "saving_gbp_pa")
    return facts.number(run.manifest, "objective_gbp_pa") if before is None or saving is None else before - saving


def _buildings(run: Run) -> Figure:
    manifest = run.manifest
    before, after = facts.number(manifest, "sites_before"), facts.number(manifest, "sites_after")
    lines = [f"from {words.count(before)} to {words.count(after)}"]
    hubs, hubs_before = facts.number(manifest, "hubs_after"), facts.number(manifest, "hubs_before")
    if hubs is not None:
        lines.append(f"{words.plural(hubs, 'shared hub')} (today {words.count(hubs_before)})")
    change = (after or 0) - (before or 0)
    return Figure("Buildings in use", words.count(change, signed=True) if change else "No change", lines)


def _receipts(run: Run) -> Figure:
    _, low, high, count = facts.receipts(run)
    count = int(run.manifest.get("receipt_buildings", count))
    stated = facts.number(run.manifest, "receipts_gbp")
    if stated is None:
        return Figure("Receipts, once", "Not shown", ["the total would give away the value of a single building"])
    lines = [f"net, from {words.plural(count, 'building')}"] if count else ["no building let go brings one in"]
    if low is not None and high is not None and count and high > low:
        lines.append(f"sale prices between {words.gbp_short(low)} and {words.gbp_short(high)}")
    if (one_off := facts.number(run.manifest, "one_off_gbp")) is not None:
        lines.append(f"one-off costs {words.gbp_short(one_off)}")
    assumed = run.manifest.get("receipts_assumed", facts.assumed(run, "market_value_gbp"))
    return Figure(
        "Receipts, once",
        words.gbp_short(stated),
        lines,
        "includes assumed values" if assumed and count else "",
    )


def _people(who: People, unit: Unit, moves: int) -> list[Figure]:
    farther = [
        f"{words.share(who.farther, who.everyone)} of {words.count(who.everyone)} people are farther from at least one service"
    ]
    if who.farther_mean is not None:
        much = f"; {words.count(who.much_farther)} of them by more than {unit.much_words}" if who.much_farther else ""
        farther.append(f"by {unit.say(who.farther_mean)} on average{much}")
    if not who.farther:
        farther = [f"though {words.plural(moves, 'counter')} move{'s' if moves == 1 else ''}"] if moves else []
    worse = Figure("People who travel farther", words.count(who.farther) if who.farther else "Nobody", farther)
    if not who.limited:
        return [Figure("People within every limit", "No limits set", []), worse]
    beyond = (
        f"{words.count(who.newly_beyond)} people are newly beyond one" if who.newly_beyond else "nobody is newly beyond one"
    )
    today = f"{words.count(who.within_before)} ({words.share(who.within_before, who.everyone)})"
    lines = [f"{words.count(who.within_after)} people; today {today}", beyond]
    return [Figure("People within every limit", words.share(who.within_after, who.everyone), lines), worse]


def sentence(run: Run, points: list[Point]) -> str:
    """The plan in a sentence."""
    moved = [point for point in points if point.home != point.host]
    outcome = Counter(facts.table(run, "sites", ("after",))["after"])
    if not moved and not outcome["released"]:
        best = "the best that the rules allow" if run.manifest.get("status") == "optimal" else "the best found"
        return f"The plan changes nothing: today’s estate is already {best}."
    services = listed_services(run, [point.service for point in moved])
    said = f"The plan moves {words.plural(len(moved), 'counter')}{f' ({services})' if services else ''}"
    said += _merges(run)
    said += f", lets {words.plural(outcome['released'], 'building')} go" if outcome["released"] else ""
    said += f" and leaves {words.plural(outcome['hub'], 'building')} shared by two or more services." if outcome["hub"] else "."
    said += places(run)
    dated = run.scenario.base_date
    base = f" It starts from the estate as it stood on {dated.day} {dated:%B %Y}" if dated else ""
    prices = run.scenario.money.price_base
    if base:
        return said + base + (f", at {prices} prices." if prices else ".")
    return said + (f" All money is at {prices} prices." if prices else "")


def _merges(run: Run) -> str:
    """How many of the counters that move join another of their service, as part of a sentence; empty where none does."""
    merged = int((facts.table(run, "moves", ("kind",))["kind"] == "merge").sum())
    return f" and merges {words.count(merged)} of them with the same service elsewhere" if merged else ""


def places(run: Run) -> str:
    """The services that more or fewer places have, each with how many, as a sentence; empty where there is none."""
    frame = facts.table(run, "places", ("service", "group", "places_before", "places_after"))
    everywhere = frame[(frame["group"] == "everywhere") & (frame["places_before"] != frame["places_after"])]
    counts = [
        f"{words.plain(facts.service_label(run, row['service']))} {words.count(row['places_before'])}"
        f" to {words.count(row['places_after'])}"
        for row in everywhere.to_dict("records")
    ]
    return f" The number of places with a service changes: {words.listed(counts)}." if counts else ""


def listed_services(run: Run, services: list[str]) -> str:
    """``12 Library, 3 Jobcentre``: the services that move, most first."""
    counted = sorted(Counter(services).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{words.plain(facts.service_label(run, service))} {count}" for service, count in counted)


def biggest(points: list[Point], names: dict[int, str]) -> list[dict[str, Any]]:
    """The buildings that gain most counters, to start reading from: position, name, words."""
    gained = Counter(point.host for point in points if point.home != point.host and point.host in names)
    stays = Counter(point.host for point in points)
    found = sorted(gained.items(), key=lambda item: (-item[1], -stays[item[0]], item[0]))[:6]
    return [{"site": site, "name": names[site], "text": f"gains {words.plural(count, 'counter')}"} for site, count in found]


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
    before, after = facts.number(manifest, "baseline_gbp_pa"), after_cost(run)
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


def standards(run: Run) -> list[dict[str, str]]:
    """The rules switched on, and how far each is met before and after."""
    columns = ("name", "service", "rule", "source", "before", "after", "detail_before", "detail_after")
    frame = facts.table(run, "standards", columns)
    return [
        {
            "rule": words.clean(row["rule"]) or words.clean(row["name"]),
            "service": facts.service_label(run, row["service"]) if row["service"] else "",
            "before": _met(row["before"], row["detail_before"]),
            "after": _met(row["after"], row["detail_after"]),
            "source": words.clean(row["source"]),
        }
        for row in frame.to_dict("records")
    ]


def _met(value: Any, detail: Any) -> str:
    more = "" if detail is None or pd.isna(detail) else words.clean(detail)
    if isinstance(value, str):
        return ": ".join(part for part in (words.clean(value).capitalize(), more) if part)
    if value is None or pd.isna(value):
        return more
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "met" if value else "not met"
    return words.percent(value) if 0 <= float(value) <= 1 else words.count(value)


def issues(run: Run) -> list[str]:
    """What the checks of the inputs said, for people who want to know."""
    found = []
    for issue in run.manifest.get("issues") or ():
        if isinstance(issue, dict):
            found.append(words.clean(worth_knowing(issue)))
        else:
            found.append(words.clean(issue))
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
