"""What a colleague would say on seeing the tables: nothing here stops a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.place import Place, area_used_m2
from estate.scenario import Scenario
from estate.validate.finding import at, both, name, row_of, rows, setting
from estate.wording import counted, listed

_FAR_Z = 4.5
"""Robust z-score, on a log scale, beyond which a cost per m2 is worth a look."""
_FEWEST = 6
"""Buildings of a kind needed to say what is usual."""
_PLAUSIBLE_GBP_M2 = (2.0, 2000.0)
"""Running cost per m2 a year, GBP, that a public building may well have: what is asked where too few stand beside it."""
_EDGE_M = 250.0
"""How far outside every outline a site may stand: outlines are simplified."""
_DATA = (".csv", ".xlsx", ".xls", ".gpkg", ".parquet", ".geojson", ".shp", ".zip")


def check_costs(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """A running cost per m2 far from that of other buildings of its kind."""
    del scenario
    sites = place.sites
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (sites["running_cost_gbp_pa"] / sites["capacity_m2"]).to_numpy(dtype=np.float64)
    usable = np.isfinite(rate) & (rate > 0) & ~place.outside
    for kind in sorted(sites["kind"].unique()):
        here = usable & (sites["kind"] == kind).to_numpy(dtype=bool)
        if here.sum() < _FEWEST:
            low, high = _PLAUSIBLE_GBP_M2
            odd = here & ((rate < low) | (rate > high))
            for position in np.flatnonzero(odd):
                value = f"{rate[position]:,.2f}"
                message = f"its running cost is £{value} a m2; hardly any building costs under £{low:g} or over £{high:,.0f}"
                where = row_of(place, "sites", int(position), "running_cost_gbp_pa", value)
                yield Issue("sites.cost-odd", message, "check the cost and the floor area", where, Severity.WARNING)
            continue
        z, usual = _robust_z(np.log(rate[here]))
        for position, score in zip(np.flatnonzero(here), z, strict=True):
            if abs(score) > _FAR_Z:
                value = f"{rate[position]:,.0f}"
                message = f"its running cost is £{value} a m2; most of kind {kind} cost about £{np.exp(usual):,.0f}"
                where = row_of(place, "sites", int(position), "running_cost_gbp_pa", value)
                yield Issue(
                    "sites.cost-odd", message, "check the cost and the floor area (square feet?)", where, Severity.WARNING
                )


def _robust_z(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Distance from the median in units of 1.4826 x the median absolute deviation, and the median.

    The unit is at least 0.2, so that on a log scale less than 2.4 times the usual is never odd.
    """
    middle = float(np.median(values))
    spread = max(1.4826 * float(np.median(np.abs(values - middle))), 0.2)
    return (values - middle) / spread, middle


def check_capacity(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """An access point larger than its building, and buildings over their capacity today; today still stands as a plan."""
    del scenario
    points, sites = place.access_points, place.sites
    known = place.point_site >= 0
    room = (sites["capacity_m2"] - sites["other_use_m2"]).to_numpy(dtype=np.float64)
    size = points["area_m2"].to_numpy(dtype=np.float64)
    home = np.where(known, place.point_site, 0)
    inside = known & ~place.outside[home] if len(sites) else known
    bigger = inside & (size > sites["capacity_m2"].to_numpy(dtype=np.float64)[home] + 0.05) if len(sites) else known
    message = "it needs {value} m2, and its whole building has less"
    yield from rows(
        place, "access_points", bigger, "access_points.bigger", "area_m2", message, "check both areas", Severity.WARNING
    )
    used = area_used_m2(place, place.point_site)
    over = (used > np.maximum(room, 0) + 0.05) & ~place.outside
    over[home[bigger]] = False
    for position in np.flatnonzero(over):
        label = name(sites, int(position))
        share = f"{used[position]:,.1f} m2 of {max(room[position], 0):,.1f} m2"
        message = f"'{label}' uses {share} today: that may stay, and it gains nobody unless the result fits"
        where = row_of(place, "sites", int(position), "capacity_m2", f"{sites['capacity_m2'].iloc[position]:,.1f}")
        yield Issue("sites.over-capacity", message, "check capacity_m2 and other_use_m2", where, Severity.WARNING)


def check_sharing(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Services that may not share and do today; today still stands."""
    for pair in scenario.rules.may_not_share:
        there = [set(place.access_points.loc[place.access_points["service"] == service, "site_id"]) for service in pair]
        together = sorted(there[0] & there[1])
        if together and pair[0] != pair[1]:
            message = f"{both(pair)} may not share, and do today at {listed(together)}: that may stay as it is"
            where = setting(scenario, "rules.may_not_share", pair[0])
            yield Issue("scenario.shares-today", message, "fix one elsewhere to part them", where, Severity.WARNING)


def check_reach(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Counters that may move any distance: a plan may then send one to the other end of the county."""
    rules, points = scenario.rules, place.access_points
    held = {each.service for each in scenario.standards if each.on and each.test == "moved" and each.action == "forbid"}
    out = {*rules.out, *place.agencies.index[~place.agencies["takes_part"].to_numpy(dtype=bool)]}
    movable = points.loc[~points["agency"].isin(out) & ~points.index.isin(list(rules.fixed)), "service"]
    free = [each for each in sorted(set(movable)) if scenario.reach_of(each) is None and each not in held]
    if not free or len(place.sites) < _FEWEST:
        return
    whose = "" if len(free) == len(place.services) else f" of {both(free)}"
    message = f"no reach is set: a counter{whose} may move to any building of the place, at any distance"
    remedy = "set rules.reach, or services.SERVICE.reach, to what keeps a counter in or near its own town, such as '5 miles'"
    yield Issue("scenario.no-reach", message, remedy, Where(scenario.file.name, column="rules.reach"), Severity.WARNING)


def check_uprns(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Two sites with one UPRN may be one building counted twice."""
    del scenario
    uprn = place.sites["uprn"].str.lstrip("0")
    twice = uprn.duplicated(keep=False) & (uprn != "")
    for number, those in place.sites[twice].groupby(uprn[twice]):
        names = [str(each) for each in those.index]
        positions = [at(place.sites, each) for each in names]
        lines = f" (rows {listed(sorted(row_of(place, 'sites', each).row or 0 for each in positions))})"
        message = f"{listed(names)} have one UPRN, {number}"
        where = row_of(place, "sites", positions[1], "uprn", number)
        yield Issue("sites.same-uprn", message, "is this one building? then make it one site", where, Severity.WARNING, lines)


def check_outlines(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Sites that stand outside every outline of the map's background."""
    del scenario
    if place.context is None or not len(place.sites):
        return
    outlines = place.context[place.context["kind"] == "outline"].geometry.to_numpy()
    outlines = outlines[np.isin(shapely.get_type_id(outlines), (3, 6))]
    if not len(outlines):
        return
    whole = shapely.union_all(shapely.buffer(outlines, _EDGE_M))
    shapely.prepare(whole)
    inside = shapely.contains_xy(whole, place.sites["easting_m"].to_numpy(), place.sites["northing_m"].to_numpy())
    chosen = ~inside & ~place.outside
    message = "'{id}' stands outside every outline of the place"
    remedy = "check its location; if it serves people from outside, set status to outside"
    yield from rows(place, "sites", chosen, "sites.off-map", "easting", message, remedy, Severity.WARNING)


def check_population(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """A zone with far more people than the others."""
    del scenario
    people = place.zones["population"].to_numpy(dtype=np.float64)
    living = people > 0
    if living.sum() < 3 * _FEWEST:
        return
    usual = float(np.median(people[living]))
    # Census areas of one kind differ by a factor of three or four; ten times the median is a slip of a digit.
    chosen = people > 10 * usual
    message = f"{{id}} has {{value}} people, and most zones have about {usual:,.0f}"
    yield from rows(
        place,
        "zones",
        chosen,
        "zones.population-odd",
        "population",
        message,
        "is it a digit too many, or a total row?",
        Severity.WARNING,
    )


def check_idle_sites(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Sites without an access point today are information."""
    del scenario
    holds = np.zeros(len(place.sites), dtype=bool)
    holds[place.point_site[place.point_site >= 0]] = True
    idle = ~holds & ~place.outside
    if idle.any():
        some = counted(int(idle.sum()), "site holds", "sites hold")
        message = f"{some} no access point today: {listed(map(str, place.sites.index[idle]))}"
        yield Issue(
            "sites.idle",
            message,
            "they may receive points",
            row_of(place, "sites", int(np.flatnonzero(idle)[0])),
            Severity.NOTE,
        )


def check_crowds(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Many sites on one point are allowed, and worth a word."""
    del scenario
    spots = place.sites.groupby(["easting_m", "northing_m"]).size()
    crowded = spots[spots >= 5]
    if len(crowded):
        message = f"{int(crowded.sum()):,} sites stand on {len(crowded)} points, up to {int(crowded.max())} on one"
        where = Where(row_of(place, "sites", 0).file, column="easting, northing")
        yield Issue("sites.one-point", message, "are these the centre of a postcode or a street?", where, Severity.WARNING)


def check_unused_files(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Tables in the scenario's folder that nothing reads."""
    folder = scenario.folder
    if not scenario.file.name or not folder.is_dir():
        return
    there = [each.name for each in sorted(folder.iterdir()) if each.suffix.lower() in _DATA and each.is_file()]
    used = {name.replace("\\", "/").rsplit("/", 1)[-1] for name in place.digests}
    unused = [name for name in there if name not in used and name not in scenario.travel.streets]
    if unused:
        message = f"nothing reads {listed(unused, 9)}"
        where = Where(unused[0], column="tables")
        yield Issue("files.unused", message, "name it under [tables], or leave it", where, Severity.NOTE)


def check_assumptions(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """How many figures are illustrative, and what was filled in."""
    for table in ("agencies", "sites", "access_points", "zones", "rates"):
        frame = getattr(place, table)
        if "illustrative" not in frame or not len(frame):
            continue
        cells = frame["illustrative"].astype("str")
        marked = (cells.str.strip() != "").to_numpy(dtype=bool)
        named = cells[marked].str.split(";").explode().str.strip()
        unknown = sorted(
            set(named[named != ""]) - set(frame.columns) - set(map(str, frame.index.names)) - {"easting", "northing"}
        )
        if marked.any():
            common = named.value_counts().sort_index().sort_values(ascending=False, kind="stable")
            parts = [f"{column} in {count:,}" for column, count in common.head(6).items()]
            rows = f"of {len(frame):,} rows of {table}"
            message = f"{counted(int(marked.sum()), f'{rows} holds', f'{rows} hold')} assumed figures: {listed(parts, 6)}"
            files = set(place.origin[table]["file"].tolist()) if table in place.origin else set()
            where = Where(files.pop() if len(files) == 1 else table, column="illustrative")
            yield Issue(f"{table}.illustrative", message, "they are marked on everything that shows them", where, Severity.NOTE)
        if unknown:
            message = f"illustrative names {both(unknown[:5])}, which is not a column of {table}"
            first = int(np.flatnonzero(cells.str.contains(unknown[0], regex=False).to_numpy(dtype=bool))[0])
            where = row_of(place, table, first, "illustrative", unknown[0])
            yield Issue(f"{table}.illustrative", message, "name columns, separated by semicolons", where, Severity.WARNING)
    unvalued = place.sites["market_value_gbp"].isna() & (place.sites["tenure"] == "freehold") & ~place.outside
    if unvalued.any():
        first = int(np.flatnonzero(unvalued.to_numpy(dtype=bool))[0])
        message = f"{counted(int(unvalued.sum()), 'freehold has', 'freeholds have')} no market value, and so no receipt"
        where = row_of(place, "sites", first, "market_value_gbp")
        yield Issue("sites.no-value", message, "fill in market_value_gbp", where, Severity.WARNING)
    if scenario.base_date is None:
        message = "the scenario has no base_date, so nothing says when these tables were true"
        yield Issue("scenario.no-date", message, "set base_date", Where(scenario.file.name, column="base_date"), Severity.NOTE)


def stuck_beyond(rules: Mapping[str, int], *, file: str = "") -> Issue | None:
    """A warning of the rules under which nobody beyond the limit today may go any farther, and what that does.

    ``rules`` maps the name of each ``no-worse`` rule without a tolerance to the people who are beyond its limit today; None
    where there are none.
    """
    stuck = {name: people for name, people in rules.items() if people}
    if not stuck:
        return None
    told = [f"'{name}' ({people:,} people)" for name, people in stuck.items()]
    message = (
        f"whoever is beyond the limit today may go no farther at all, for there is no tolerance: {listed(told)}; so a counter may"
        " have to stay where it is, or another leave its own town, for the sake of a few who are far from any"
    )
    where = Where(file, column=f"standards.{next(iter(stuck))}.tolerance")
    remedy = "set a tolerance, such as '1 mile', or '0.5 miles' in town"
    return Issue("standards.no-tolerance", message, remedy, where, Severity.WARNING)


def missed_today(rule: str, share: float, *, file: str = "") -> Issue | None:
    """A warning when more than half of the people a rule is for are beyond its limit today.

    ``share`` (0 to 1) of the people are within the limit today; the rule's label is named.  None when half or more are.
    """
    if share >= 0.5:
        return None
    message = f"{1 - share:.0%} of the people '{rule}' is for are beyond its limit today"
    return Issue(
        "standards.missed-today",
        message,
        "is the limit what was meant?",
        Where(file, column=f"standards.{rule}"),
        Severity.WARNING,
    )
