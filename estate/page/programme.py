"""In which order: what happens to each building in which year, the cash of every purse, and the map from year to year."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estate.appraise.access import reach
from estate.appraise.buildings import state_words
from estate.money.release import spoken_day
from estate.page import facts, words
from estate.page.charts import WIDTH, Chart, compact
from estate.page.data import grouped, spread
from estate.page.geography import Areas
from estate.place import Plan
from estate.standards.measured import Measured
from estate.wording import listed

if TYPE_CHECKING:
    from estate.runs.run import Run

COLUMNS = (
    "year", "date", "step", "access_point_id", "service", "agency", "decided_by", "site_id", "building", "to_site_id",
    "to_building", "cost_gbp", "receipt_gbp", "receipt_year",
)  # fmt: skip
MOST_YEARS = 30
"""A longer cash flow is cut here on the page: the file has every year."""


@dataclass(frozen=True, slots=True)
class YearCell:
    """One year of one row: how it is coloured, and what it says (``quiet``: to readers that do not see colours)."""

    name: str
    text: str = ""
    quiet: str = ""


def section(run: Run) -> dict[str, Any] | None:
    """What the section shows; None where the run is no programme, or its order may not be shown."""
    if "programme" not in run.tables:
        return None
    steps, cash = (
        facts.table(run, "programme", COLUMNS),
        facts.table(run, "cash", ("purse", "year", "kind", "line", "amount_gbp")),
    )
    said = run.manifest.get("programme", {})
    # Works are paid the year before a step, and money may come in before any of it.
    first = [str(cash["year"].min())] if len(cash) else []
    shown = _years([*first, *steps["year"], *_known(steps["receipt_year"]), *said.get("years", ())])
    return {
        "lead": _lead(run, said, steps),
        "years": shown,
        "buildings": _buildings(run, steps, shown),
        "purses": _purses(run, steps, cash, shown) if len(cash) else [],
        "charts": [chart for purse, rows in cash.groupby("purse", sort=False) for chart in _balances(str(purse), rows)],
        "stages": [label for label, _ in stages(run)],
    }


def _known(values: pd.Series) -> list[str]:
    return [str(each) for each in values if isinstance(each, str) and each]


def _years(labels: list[str]) -> list[str]:
    """Every financial year from the first named to the last, at most :data:`MOST_YEARS`."""
    found = sorted({int(each[:4]) for each in labels})
    whole = range(found[0], found[-1] + 1) if found else range(0)
    return [f"{year}-{(year + 1) % 100:02d}" for year in whole][:MOST_YEARS]


def _lead(run: Run, said: Mapping[str, Any], steps: pd.DataFrame) -> list[str]:
    if not len(steps):
        return ["Nothing changes in any year: no order of steps is worth more than today’s estate."]
    moves, let_go = (int((steps["step"] == each).sum()) for each in ("move", "let go"))
    first, last = steps["year"].min(), steps["year"].max()
    when = f"in {last}" if first == last else f"between {first} and {last}"
    done = f"; it is complete on {spoken_day(run.manifest['complete_on'])}" if run.manifest.get("complete_on") else ""
    steps_words = f"{words.plural(moves, 'counter')} moved and {words.plural(let_go, 'building')} let go {when}{done}"
    ready = "In every year the rules hold, and a building that takes others in is ready before they come."
    found = [f"Plan and order are chosen together: {steps_words}. {ready}"]
    if "worth_gbp" in said:
        left = said["at_most_gbp"] - said["worth_gbp"]
        proof = "no order is worth more" if said["status"] == "optimal" else f"no order is worth over {words.gbp(left)} more"
        found.append(f"It is worth {words.gbp(said['worth_gbp'])} ({words.plain(said['aim'])}): proven, {proof}.")
    for fund in said.get("funds", ()):
        back = f"the last of it is paid back in {fund['repaid_in']}" if fund["repaid_in"] else "a grant, not paid back"
        found.append(f"From the fund “{words.plain(fund['name'])}” {words.gbp(fund['drawn_gbp'])} is drawn: {back}.")
    if said.get("vesting_date"):
        names = sorted({str(each) for each in said["successors"].values()})
        passed = f"{words.plural(len(said['successors']), 'council')} pass to {words.plain(listed(names))}"
        found.append(
            f"On {spoken_day(said['vesting_date'])} {passed}, which from then on decides, pays and is paid in their place."
        )
    if said.get("leases_that_end") == "left":
        found.append("A building whose lease ends is left by then.")
    elif said:
        found.append("Where a building is kept, its lease is taken to be renewed: at today’s cost, or as the scenario states.")
    return found


# ------------------------------------------------------------------------------------------------------ by building


def _buildings(run: Run, steps: pd.DataFrame, years: list[str]) -> list[dict[str, Any]]:
    """One row for each building that is let go, opened, left or joined, in order of its first year."""
    rows: dict[str, dict[str, list[YearCell]]] = {}
    for step in steps.to_dict("records"):
        for site, cell in _events(run, step):
            rows.setdefault(site, defaultdict(list))[step["year"]].append(cell)
    for step in steps[steps["step"] == "let go"].to_dict("records"):
        if sold := step["receipt_year"]:
            rows[str(step["site_id"])][str(sold)].append(YearCell("sold", "sold"))
    for row in facts.table(run, "lease_diary").to_dict("records"):
        for year, cell in _lease(row):
            if str(row["site_id"]) in rows:
                rows[str(row["site_id"])][year].append(cell)
    at = {str(site): i for i, site in enumerate(run.place.sites.index)}
    names = run.place.sites["name"]
    outcome = facts.table(run, "sites", ("site_id", "before")).set_index("site_id")["before"].to_dict()
    found = []
    for site, events in rows.items():
        name = words.clean(names.get(site, ""))
        if name:
            cells = _filled(events, years, opened=outcome.get(site) == "not in use")
            found.append({"name": name, "site": at.get(site, -1), "cells": cells})
    return found


def _events(run: Run, step: Mapping[Any, Any]) -> Iterator[tuple[str, YearCell]]:
    if step["step"] == "move":
        service = words.plain(facts.service_label(run, str(step["service"])))
        yield str(step["to_site_id"]), YearCell("gain", f"{service} comes in")
        yield str(step["site_id"]), YearCell("lose", f"{service} leaves")
    elif step["step"] == "open":
        yield str(step["site_id"]), YearCell("gain", "opens")
    else:
        yield str(step["site_id"]), YearCell("gone", "closes")


def _lease(row: Mapping[Any, Any]) -> Iterator[tuple[str, YearCell]]:
    """The year of each date of a lease that matters."""
    for column, said in (("notice_by", "notice by"), ("lease_break", "lease may be broken"), ("lease_end", "lease ends")):
        if day := str(row.get(column) or ""):
            first = int(day[:4]) - (day[5:10] < "04-01")
            yield f"{first}-{(first + 1) % 100:02d}", YearCell("lease", f"{said} {spoken_day(day)}")


def _filled(events: Mapping[str, list[YearCell]], years: list[str], *, opened: bool) -> list[list[YearCell]]:
    """The cells of a row: its events, and between them what the building is."""
    state, found = ("shut", "not in use") if opened else ("use", "in use"), []
    # What is not sold is somebody else's from the day on which it is left.
    sold = any(cell.name == "sold" for cells in events.values() for cell in cells)
    for year in years:
        here = list(events.get(year, ()))
        names = {cell.name for cell in here}
        if "gone" in names:
            state = ("empty", "empty") if sold else ("shut", "left")
        elif opened and "gain" in names:
            state = ("use", "in use")
        if "sold" in names:
            state = ("shut", "sold")
        shown = [cell for cell in here if cell.name != "lose" or "gone" not in names]
        found.append([YearCell(state[0], "", state[1]), *dict.fromkeys(shown)])
    return found


# ------------------------------------------------------------------------------------------------------ by purse


def _purses(run: Run, steps: pd.DataFrame, cash: pd.DataFrame, years: list[str]) -> list[dict[str, Any]]:
    """For each purse with a limit: what it does in each year, and under it what comes in, is paid and is left."""
    members = {
        str(row["purse"]): set(str(row["agencies"]).split(";"))
        for row in facts.table(run, "purses", ("agencies",)).to_dict("records")
    }
    title = run.place.sites["agency"].to_dict()
    found = []
    for purse, rows in cash.groupby("purse", sort=False):
        mine = members.get(str(purse)) or set(map(str, run.place.agencies.index))
        does: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for step in steps.to_dict("records"):
            if str(step["decided_by"] or step["agency"] or title.get(step["site_id"], "")) in mine:
                does[step["year"]][step["step"]] += 1
        cells = [", ".join(_counted(does[year])) if does[year] else "" for year in years]
        money = [row for kind, each in rows.groupby("kind", sort=False) for row in _money(str(kind), each, years)]
        found.append({"name": words.clean(purse), "does": cells, "money": money})
    return found


def _counted(does: Counter[str]) -> Iterator[str]:
    said = {"move": ("move", "moves"), "let go": ("let go", "let go"), "open": ("opened", "opened")}
    for kind, (one, more) in said.items():
        if does[kind]:
            yield f"{does[kind]} {one if does[kind] == 1 else more}"


def _money(kind: str, rows: pd.DataFrame, years: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Comes in, is paid, and is left of one kind of money, by year."""
    into = rows[rows["amount_gbp"] > 0].groupby("year")["amount_gbp"].sum()
    out = rows[rows["amount_gbp"] < 0].groupby("year")["amount_gbp"].sum()
    yield f"{kind}: comes in", [words.gbp_short(into[year]) if year in into else "" for year in years]
    yield f"{kind}: is paid", [words.gbp_short(-out[year]) if year in out else "" for year in years]
    if "budget" in set(rows["line"]):
        first, last = rows["year"].min(), rows["year"].max()
        left = zip(years, _left(rows, years), strict=True)
        yield (
            f"{kind}: left at the end",
            [words.gbp_short(amount) if amount or first <= year <= last else "" for year, amount in left],
        )


def _left(rows: pd.DataFrame, years: list[str]) -> list[float]:
    """What is left by the end of each year."""
    return [round(float(rows.loc[rows["year"] <= year, "amount_gbp"].sum()), 2) for year in years]


def _balances(purse: str, rows: pd.DataFrame) -> Iterator[Chart]:
    """What each kind of a purse's money has left at the end of each year, where it has any of its own."""
    for kind, mine in rows.groupby("kind", sort=False):
        years = _years(list(mine["year"]))
        if "budget" not in set(mine["line"]) or not years:
            continue
        left = _left(mine, years)
        lowest = min(range(len(left)), key=left.__getitem__)
        chart = Chart(
            f"{words.plain(purse)}: {kind}",
            f"Left at the end of each year. Least in {years[lowest]}: {words.gbp(left[lowest])}.",
            150,
            ("Year", "Left at the end"),
            [(year, words.gbp(amount)) for year, amount in zip(years, left, strict=True)],
        )
        step, most = (WIDTH - 20) / len(years), max(*left, 1.0)
        chart.line(10, 120, WIDTH - 10, 120, "axis")
        for i, (year, amount) in enumerate(zip(years, left, strict=True)):
            height = 95 * max(amount, 0.0) / most
            chart.bar(10 + step * (i + 0.1), 120 - height, step * 0.8, height, "plan")
            if len(years) <= 8 or i % 4 == 0:
                chart.label(10 + step * (i + 0.5), 134, "middle small", year[2:])
        peak = left.index(max(left))
        chart.label(10 + step * (peak + 0.5), 20, "middle small", compact(left[peak]))
        yield chart


# ------------------------------------------------------------------------------------------------------ the map, year by year


def stages(run: Run) -> list[tuple[str, Plan]]:
    """The estate as it stands from each year in which something changes; the last is the plan."""
    steps = facts.table(run, "programme", COLUMNS)
    place = run.place
    point_at = {str(each): i for i, each in enumerate(place.access_points.index)}
    site_at = {str(each): i for i, each in enumerate(place.sites.index)}
    before = facts.table(run, "sites", ("site_id", "before")).set_index("site_id")["before"].reindex(place.sites.index)
    opened, host = (before != "not in use").to_numpy(dtype=bool), place.point_site.copy()
    found = []
    for year, rows in steps.sort_values("year", kind="stable").groupby("year"):
        opened, host = opened.copy(), host.copy()
        for step in rows.to_dict("records"):
            if step["step"] == "move":
                host[point_at[str(step["access_point_id"])]] = site_at[str(step["to_site_id"])]
            else:
                opened[site_at[str(step["site_id"])]] = step["step"] == "open"
        found.append((str(year), Plan(opened, host)))
    return found


def over_years(run: Run, areas: Areas, trips: facts.Journeys) -> dict[str, Any] | None:
    """What the map's script needs to step through the years; None where there is no order, or only one year.

    ``outcomes`` are the buildings that are not yet what the plan makes of them, ``moves`` the first stage in which each counter
    has moved, ``zones`` the journeys of each stage against today's, as short lists; nothing for the last, which is the plan.
    """
    found = stages(run) if "programme" in run.tables else []
    if len(found) < 2:
        return None
    place, measured = run.place, Measured.of(run.place, run.scenario, run.travel)
    table = facts.table(run, "sites", ("site_id", "before", "after")).set_index("site_id").reindex(place.sites.index)
    final = table["after"].tolist()
    moves = {
        int(p): next(t for t, (_, plan) in enumerate(found) if plan.host[p] != place.point_site[p])
        for p in np.flatnonzero(found[-1][1].host != place.point_site)
    }
    order = [place.services.index(service) for service in trips.services]
    journeys: dict[str, list[Any]] = {service: [] for service in trips.services}
    before = grouped(trips.before, areas, trips.people)
    for _, plan in found[:-1]:
        far = reach(measured, plan)
        value = (far.distance_m if trips.unit is words.MILES else far.time_s)[order].T.astype(float)
        after = grouped(np.where(value < 0, np.nan, value), areas, trips.people)
        for k, service in enumerate(trips.services):
            journeys[service].append(spread(before[:, k], after[:, k]))
    return {
        "years": [label for label, _ in found],
        "outcomes": [_outcomes(run, plan, final) for _, plan in found],
        "moves": moves,
        "zones": journeys,
    }


def _outcomes(run: Run, plan: Plan, final: list[str]) -> dict[int, str]:
    """The state of each building under a plan, where it is not what it will be."""
    now = state_words(run.place, run.scenario, plan, after=True).tolist()
    return {i: state for i, (state, end) in enumerate(zip(now, final, strict=True)) if state != end}
