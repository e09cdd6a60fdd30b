"""What is decided: which buildings close, what becomes of their counters, what it saves and needs, who goes farther, how sure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.page import facts, geography, words
from estate.page.equality import by_place
from estate.page.facts import Journeys, People, Point

if TYPE_CHECKING:
    from estate.page.evidence import Evidence
    from estate.runs.run import Run

MOST_CLOSINGS = 60
"""Buildings that close are listed by name up to here; the table of buildings has them all."""
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure to be read from across the room, with what it means below, and what it rests on."""

    label: str
    value: str
    lines: list[str]
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """A building that is let go: its number on the map, its position in the place's sites, and what becomes of its counters."""

    number: int
    site: int
    name: str
    lines: list[str]


def figures(run: Run, who: People) -> list[Figure]:
    """Buildings that close, what is saved and from when, what it needs, when it is paid back (if said), who goes farther."""
    return [_buildings(run), _saving(run), _need(run), *_payback(run), _farther(run, who)]


def numbers(run: Run) -> dict[int, int]:
    """Position of each site that is let go and may be shown = its number: by district, then by name."""
    frame = facts.table(run, "sites", ("site_id", "name", "district", "after"))
    gone = frame[frame["after"] == "released"].fillna({"district": "", "name": ""}).astype({"district": str, "name": str})
    order = gone.sort_values(["district", "name", "site_id"], kind="stable")["site_id"].astype(str)
    at = run.place.sites.index.get_indexer(pd.Index(order))
    shown = geography.shown(run.place)
    return {int(site): n for n, site in enumerate((site for site in at if site >= 0 and shown[site]), start=1)}


def closings(run: Run, points: list[Point], evidence: Evidence | None = None) -> list[Closing]:
    """The buildings that close, in the order of their numbers: where counters go, and what keeping it would cost if known."""
    frame = facts.table(run, "sites", ("site_id", "name")).assign(site_id=lambda rows: rows["site_id"].astype(str))
    names = frame.set_index("site_id")["name"].reindex(run.place.sites.index)
    moves, found = _moves(run), []
    prices = evidence.price_of_keeping() if evidence else {}
    for site, number in list(numbers(run).items())[:MOST_CLOSINGS]:
        leaving = [point for point in points if point.home == site != point.host]
        lines = [_going(run, point, moves.get(point.point_id, {})) for point in leaving] or ["no public counter was in it"]
        if (price := prices.get(str(run.place.sites.index[site]))) is not None:
            lines.append(f"to keep it would cost {words.about(price, assumed=bool(costs_assumed(run)))} a year more")
        found.append(Closing(number, site, words.clean(names.iloc[site]), lines))
    return found


def _moves(run: Run) -> dict[str, dict[Any, Any]]:
    """The table of moves by access point."""
    frame = facts.table(run, "moves", ("access_point_id", "from_name", "to_name", "kind", "distance_m", "why"))
    return {str(row["access_point_id"]): row for row in frame.to_dict("records")}


def _going(run: Run, point: Point, row: dict[Any, Any]) -> str:
    label = words.plain(facts.service_label(run, point.service))
    to = words.plain(row.get("to_name")) or "a building not shown"
    distance = row.get("distance_m")
    far = "" if distance is None or pd.isna(distance) else f", {words.miles(distance) if distance else 'next door'}"
    joins = f"merges with the one at {to}" if row.get("kind") == "merge" else f"moves to {to}"
    return f"{label} {joins}{far}"


def others_moving(run: Run, points: list[Point]) -> list[str]:
    """Counters that leave a building which stays, in words."""
    gone = numbers(run)
    moves, found = _moves(run), []
    for point in points:
        if point.home != point.host and point.home not in gone:
            row = moves.get(point.point_id, {})
            why = words.plain(row.get("why"))
            said = f"{words.plain(row.get('from_name')) or 'A building not shown'}: {_going(run, point, row)}"
            found.append(f"{said}; it {why}" if why.startswith("makes room") else said)
    more = len(found) - MOST_CLOSINGS
    rest = [f"and {words.count(more)} more: the table of moves has them all"] if more > 0 else []
    return [*sorted(found)[:MOST_CLOSINGS], *rest]


def places(run: Run) -> list[list[str]]:
    """Each service of which a counter moves: places today, places in the plan, counters that move, those that merge."""
    columns = ("service", "group", "places_before", "places_after", "counters_moved", "counters_merged")
    frame = facts.table(run, "places", columns)
    changed = (frame["places_before"] != frame["places_after"]) | (pd.to_numeric(frame["counters_moved"]) > 0)
    rows = frame[(frame["group"] == "everywhere") & changed]
    return [
        [words.clean(facts.service_label(run, row["service"])), *(words.count(row[name]) for name in columns[2:])]
        for row in rows.to_dict("records")
    ]


def spaces(run: Run) -> tuple[list[str], list[list[str]]] | None:
    """Who sits behind the counters, by agency: headings and rows; None where no space is listed that nobody visits."""
    columns = ("service", "agency", "area_m2", "staff_fte", "spaces_moved", "staff_moved_fte", "mean_distance_m")
    frame = facts.table(run, "spaces", columns)
    if frame.empty:
        return None
    names, kinds = facts.agency_names(run), frame["service"].nunique()
    rows = []
    for row in frame.to_dict("records"):
        label = words.clean(facts.service_label(run, row["service"]))
        who = words.clean(names.get(str(row["agency"]), row["agency"]))
        far = row["mean_distance_m"]
        way = words.miles(far) if row["spaces_moved"] and not pd.isna(far) else ""
        rows.append([
            f"{who}: {label}" if kinds > 1 else who,
            words.count(row["staff_fte"]),
            words.count(row["staff_moved_fte"]),
            f"{words.count(row['area_m2'])} m²",
            way,
        ])  # fmt: skip
    return ["Whose", "Staff (full-time equivalents)", "Of these, move", "Floor area they need", "How far, on average"], rows


def roofs(run: Run) -> list[list[str]]:
    """What is met in one visit: the services, how near, and the buildings and people with all of them, today and in the plan."""
    columns = ("services", "rule", "limit", "buildings_before", "buildings_after", "people_before", "people_after")
    rows = []
    for row in facts.table(run, "one_roof", columns).to_dict("records"):
        first, *others = (facts.service_label(run, each) for each in str(row["services"]).split(";"))
        *middle, last = (each[:1].lower() + each[1:] for each in others)
        people = ["" if pd.isna(row[f"people_{when}"]) else words.count(row[f"people_{when}"]) for when in ("before", "after")]
        rows.append([
            words.clean(f"{', '.join([first, *middle])} and {last}"), words.clean(row["limit"]),
            words.count(row["buildings_before"]), words.count(row["buildings_after"]), *people,
        ])  # fmt: skip
    return rows


def farther_places(run: Run, trips: Journeys) -> list[str]:
    """Who goes farther, by place, the hardest hit first: ``About half of Redditch: 40,700 people, most of them for a Clinic``."""
    found = []
    rows = sorted(by_place(run, trips), key=lambda row: (-row.farther, row.name))
    for row in [row for row in rows if row.farther][:MOST_PLACES]:
        worst = words.plain(facts.service_label(run, row.worst))
        part = f"{words.fraction(row.farther / row.people).capitalize()} of {row.name}" if row.whole else f"Near {row.name}"
        most = row.worst_people < row.farther
        loss = (
            f"most often to the nearest {worst} ({words.count(row.worst_people)} of them, "
            if most
            else f"to the nearest {worst} ("
        )
        found.append(f"{part}: {words.count(row.farther)} people, {loss}{row.extra})")
    return found


# -------------------------------------------------------------------------------------------------- the five figures


def _buildings(run: Run) -> Figure:
    manifest = run.manifest
    before, after = facts.number(manifest, "sites_before"), facts.number(manifest, "sites_after")
    sites = facts.table(run, "sites", ("before", "after"))
    outcome = Counter(sites["after"])
    opened = int(((sites["before"] == "not in use") & ~sites["after"].isin(["not in use", "released"])).sum())
    said = words.plural(opened, "building that is not in use today opens", "buildings that are not in use today open")
    opens = [said] if opened else []
    if not outcome["released"]:
        return Figure("Buildings that close", "None", [f"of {words.count(before)} in use", *opens] if before else opens)
    lines = opens
    if before is not None and after is not None:
        lines = [f"{words.count(after - opened)} of {words.count(before)} stay in use", *opens]
    hubs, hubs_before = facts.number(manifest, "hubs_after"), facts.number(manifest, "hubs_before")
    if hubs is not None:
        lines.append(f"{words.plural(hubs, 'is a shared hub', 'are shared hubs')} (today {words.count(hubs_before)})")
    return Figure("Buildings that close", words.count(outcome["released"]), lines)


def _saving(run: Run) -> Figure:
    before, after = facts.number(run.manifest, "baseline_gbp_pa"), facts.after_cost(run)
    if before is None or after is None:
        return Figure("Saved a year", "not known", [])
    saving = before - after
    assumed = costs_assumed(run)
    share = (
        f"{words.percent(abs(saving) / before)} of {words.about(before, assumed=bool(assumed))}" if before and saving else ""
    )
    label = "Saved a year" if saving >= 0 else "Extra a year"
    value = words.about(abs(saving), assumed=bool(assumed)) if round(saving) else "Nothing"
    return Figure(
        label,
        value[:1].upper() + value[1:],
        [line for line in (_from_when(run, assumed=bool(assumed)), share) if line],
        assumed,
    )


def costs_assumed(run: Run) -> str:
    """How many running costs are assumed, in words; empty where none is."""
    count = facts.assumed(run, "running_cost_gbp_pa")
    return f"running costs are assumed for {count} of {words.plural(len(run.place.sites), 'building')}" if count else ""


def _from_when(run: Run, *, assumed: bool) -> str:
    """From which year the whole saving comes in, and what comes before it."""
    frame = facts.table(run, "cash_flow", ("financial_year", "saving_gbp"))
    saving = pd.to_numeric(frame["saving_gbp"], errors="coerce")
    if frame.empty or saving.max() <= 0:
        return ""
    whole = int(saving.to_numpy().argmax())
    first = int((saving > 0).to_numpy().argmax())
    said = f"from {words.clean(frame['financial_year'].iloc[whole])}"
    if first < whole:
        year = words.clean(frame["financial_year"].iloc[first])
        said += f"; {words.about(saving.iloc[first], assumed=assumed)} from {year}"
    return said


def _need(run: Run) -> Figure:
    """What is spent once, what sales bring, and what the agencies have still to find."""
    _, low, high, count = facts.receipts(run)
    count = int(run.manifest.get("receipt_buildings", count))
    one_off, receipts, need = (facts.number(run.manifest, f"{name}_gbp") for name in ("one_off", "receipts", "need"))
    values = int(run.manifest.get("receipts_assumed", facts.assumed(run, "market_value_gbp")))
    marked = bool(values or costs_assumed(run))
    lines = []
    if receipts is None:
        lines.append("Receipts: Not shown, for the total would give away the value of a single building")
    elif count:
        spread = (
            f", sale prices between {words.about(low, assumed=marked)} and {words.about(high, assumed=marked)}"
            if low is not None and high is not None and high > low
            else ""
        )
        lines.append(
            f"sales bring {words.about(receipts, assumed=bool(values))} from {words.plural(count, 'building')}{spread}"
        )
    else:
        lines.append("no building let go brings a receipt")
    if need:
        lines.append(f"{words.about(need, assumed=marked)} for the agencies to find, each from its own purse")
    value = "not known" if one_off is None else words.about(one_off, assumed=marked) if one_off else "Nothing"
    value = value[:1].upper() + value[1:]
    note = "fit-out rates and values are assumed" if marked and one_off else ""
    return Figure("Spent once", value, lines, note)


def _payback(run: Run) -> list[Figure]:
    year, horizon = run.manifest.get("pays_back_in"), run.manifest.get("horizon_years")
    if facts.number(run.manifest, "need_gbp") is None:
        return []
    rests = "rests on assumed costs" if costs_assumed(run) else ""
    worth = facts.number(run.manifest, "npv_gbp")
    lines = ["counting later money at what it is worth now"]
    if worth is not None and horizon:
        lines.append(f"worth {words.about(worth, assumed=bool(rests))} over {words.count(horizon)} years")
    if year is None or str(year) == "never":
        return [Figure("Paid back", "Never", [f"within {words.count(horizon)} years", *lines[1:]], rests)]
    return [Figure("Paid back", f"in {words.clean(year)}", lines, rests)]


def _farther(run: Run, who: People) -> Figure:
    unit = who.unit
    lines = [f"{words.share(who.farther, who.everyone)} of {words.count(who.everyone)}, to one service or more"]
    if who.much_farther:
        lines.append(f"{words.count(who.much_farther)} of them by more than {unit.much_words}")
    if who.nearer:
        lines.append(f"{words.count(who.nearer)} come nearer to one, and lose none")
    if not who.farther:
        moves = int((facts.number(run.manifest, "moves") or 0) - (facts.number(run.manifest, "spaces_moved") or 0))
        lines = [f"though {words.plural(moves, 'counter')} move{'s' if moves == 1 else ''}"] if moves else []
    return Figure("People who go farther", words.count(who.farther) if who.farther else "Nobody", lines)


# -------------------------------------------------------------------------------------------------- how sure


def how_sure(run: Run) -> list[tuple[str, str]]:
    """What the decision rests on, a heading and a sentence each: what is assumed comes before what is proven."""
    found = []
    frame = facts.table(run, "sites", ("running_cost_before_gbp_pa", "illustrative"))
    cost = pd.to_numeric(frame["running_cost_before_gbp_pa"], errors="coerce").fillna(0.0)
    marked = frame["illustrative"].map(lambda text: "running_cost_gbp_pa" in facts.assumed_columns(words.clean_long(text)))
    if marked.any() and cost.sum():
        share = float(cost[marked.astype(bool)].sum() / cost.sum())
        found.append(
            (
                "Mostly assumed costs" if share > 0.5 else "Partly assumed costs",
                (
                    f"{words.percent(share, 0)} of today’s running cost, in {words.count(marked.sum())} of"
                    f" {words.plural(len(frame), 'building')}, is assumed and not taken from a record. The saving is no surer"
                    " than that: it is rounded wherever it rests on them."
                ),
            )
        )
    if len(switching := facts.table(run, "switching", ("what", "words"))):
        said = " ".join(words.clean_long(each) for each in switching["words"] if each)
        found.append(("How far it could be wrong", words.rounded(said) if marked.any() else said))
    proof = words.proof(run.manifest, run.scenario.money.objective)
    on = "On these figures: " if found else ""
    found.append((proof["title"], f"{on}{proof['text'][:1].lower() if on else proof['text'][:1]}{proof['text'][1:]}"))
    return found
