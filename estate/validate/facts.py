"""Rules between the tables: what cannot be true of any estate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from estate.errors import Issue, Severity, Where
from estate.place import Place
from estate.scenario import Objective, Scenario
from estate.tables import TABLES
from estate.validate.finding import in_file_order, row_of, rows
from estate.wording import counted, listed, suggestion


def check_references(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Every id in a table that refers to another table stands there."""
    del scenario
    for table in TABLES.values():
        frame = getattr(place, table.name)
        flat = frame.reset_index()
        for column in table.columns:
            if not column.refers_to or not len(frame):
                continue
            known = getattr(place, column.refers_to).index
            if not len(known):
                continue  # a table that could not be read, or is empty, has been reported
            unknown = ~flat[column.name].isin(known).to_numpy(dtype=bool)
            if not column.required:
                unknown &= (flat[column.name] != "").to_numpy(dtype=bool)
            thing = column.refers_to.replace("_", " ").removesuffix("s").replace("agencie", "agency")
            # One issue for each different word that is not known, since one missing agency may stand in a hundred rows.
            for word in flat[column.name].iloc[in_file_order(place, table.name, unknown)].unique()[:20]:
                at = in_file_order(place, table.name, unknown & (flat[column.name] == word).to_numpy(dtype=bool))
                where = row_of(place, table.name, int(at[0]), column.name, word)
                more = f" ({len(at):,} rows)" if len(at) > 1 else ""
                remedy = f"{suggestion(str(word), map(str, known))}; or add it to {column.refers_to}"
                code = f"{table.name}.unknown-{thing.replace(' ', '-')}"
                yield Issue(code, f"'{word}' is not a known {thing}{more}", remedy, where)
            more_words = flat[column.name][unknown].nunique() - 20
            if more_words > 0:
                where = Where(row_of(place, table.name, 0).file, column=column.name)
                yield Issue(
                    f"{table.name}.unknown-id", f"{more_words:,} more ids are not known", "are these the same ids?", where
                )


def check_areas(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """The shared parts of an access point are part of its floor area."""
    del scenario
    points = place.access_points
    parts = points["hall_area_m2"] + points["desk_area_m2"]
    over = (parts > points["area_m2"] + 1e-6).to_numpy(dtype=bool)
    message = "its hall and desk areas together are more than its area_m2"
    remedy = "area_m2 is the whole of it: raise it, or lower hall_area_m2 or desk_area_m2"
    yield from rows(place, "access_points", over, "access_points.parts", "area_m2", message, remedy)


def check_other_uses(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Other uses fit the building."""
    del scenario
    sites = place.sites
    over = (sites["other_use_m2"] > sites["capacity_m2"] + 1e-6).to_numpy(dtype=bool) & ~place.outside
    message = "its other uses take more floor area than the building has"
    yield from rows(place, "sites", over, "sites.other-use", "other_use_m2", message, "correct other_use_m2 or capacity_m2")


def check_values(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """The low end of a valuation is below its high end, and the value between them."""
    del scenario
    sites = place.sites
    low, value, high = (
        sites[each].to_numpy(dtype=np.float64) for each in ("value_low_gbp", "market_value_gbp", "value_high_gbp")
    )
    with np.errstate(invalid="ignore"):
        crossed, below, above = low > high, value < low, value > high
    yield from rows(
        place, "sites", crossed, "sites.valuation", "value_low_gbp", "the low value is above the high value", "swap them"
    )
    beyond = (below | above) & ~crossed
    message = "market_value_gbp is not between value_low_gbp and value_high_gbp"
    yield from rows(
        place, "sites", beyond, "sites.valuation", "market_value_gbp", message, "correct one of them", Severity.WARNING
    )


def check_leases(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Leases end after they can be broken; a leasehold says when it ends."""
    del scenario
    sites = place.sites
    end, first = sites["lease_end"], sites["lease_break"]
    late = (first > end).to_numpy(dtype=bool)
    yield from rows(
        place, "sites", late, "sites.lease", "lease_break", "the lease's break is after its end", "correct the dates"
    )
    held = (sites["tenure"] == "leasehold").to_numpy(dtype=bool) & ~place.outside
    undated = held & (end.isna() & first.isna()).to_numpy(dtype=bool)
    if undated.any():
        some = counted(int(undated.sum()), "leasehold has", "leaseholds have")
        message = f"{some} neither lease_end nor lease_break: taken to bind nobody"
        where = row_of(place, "sites", int(np.flatnonzero(undated)[0]), "lease_end")
        yield Issue("sites.lease", message, "fill in lease_end", where, Severity.WARNING)
    dated = ~held & ~place.outside & (end.notna() | first.notna()).to_numpy(dtype=bool)
    dated &= sites["tenure"].isin(["freehold", "pfi"]).to_numpy(dtype=bool)
    message = "a freehold or PFI building has a lease date, which is not used"
    yield from rows(
        place,
        "sites",
        dated,
        "sites.lease",
        "lease_end",
        message,
        "is a freehold let to others? then it is another use; a PFI contract is left at the price in money.pfi_exit_gbp",
        Severity.WARNING,
    )


def check_in_use(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """A building that holds an access point today is in use."""
    del scenario
    idle = _holds(place) & ~place.sites["in_use"].to_numpy(dtype=bool) & ~place.outside
    message = "in_use is 'no', and an access point is in it today"
    yield from rows(place, "sites", idle, "sites.in-use", "in_use", message, "set in_use to yes, or move the point")


def _holds(place: Place) -> NDArray[np.bool_]:
    """(J,) whether a site holds an access point today; a point whose site is unknown is in none."""
    holds = np.zeros(len(place.sites), dtype=bool)
    holds[place.point_site[place.point_site >= 0]] = True
    return holds


def check_candidates(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """What is said of building, buying or refurbishing is said of buildings that are not in use; their capital is weighed."""
    sites = place.sites
    idle = ~sites["in_use"].to_numpy(dtype=bool) & ~_holds(place) & ~place.outside
    said = {
        "candidate": (sites["candidate"] != "").to_numpy(dtype=bool),
        "capital_gbp": (sites["capital_gbp"] > 0).to_numpy(dtype=bool),
        "ready_year": sites["ready_year"].notna().to_numpy(dtype=bool),
        "life_years": sites["life_years"].notna().to_numpy(dtype=bool),
    }
    for column, there in said.items():
        message = f"{column} is given, and the building is in use today"
        remedy = "set in_use to no for a building that is still to be had; moving into one in use costs what rates says"
        yield from rows(place, "sites", there & ~idle, "sites.candidate", column, message, remedy)
    for column in ("ready_year", "life_years"):
        broken = said[column] & (np.nan_to_num(sites[column].to_numpy(dtype=np.float64)) % 1 != 0)
        yield from rows(
            place, "sites", broken, "sites.candidate", column, "'{value}' is not a whole year", "write a whole number"
        )
    free = (sites["candidate"] != "").to_numpy(dtype=bool) & idle & ~said["capital_gbp"]
    message = "a candidate without capital_gbp: opening it is taken to cost nothing once"
    yield from rows(place, "sites", free, "sites.candidate", "capital_gbp", message, "fill it in", Severity.WARNING)
    money, programme = scenario.money, scenario.programme
    late = idle & (sites["ready_year"] > money.base_year + money.closing_year).to_numpy(dtype=bool)
    if programme is None:
        message = f"it is not ready when everything closes, in {money.base_year + money.closing_year}: this plan cannot use it"
        remedy = "add a [programme], which may wait for it, or a later money.closing_year"
        yield from rows(place, "sites", late, "sites.candidate", "ready_year", message, remedy, Severity.WARNING)
    if (said["capital_gbp"] & idle).any() and money.objective is Objective.RUNNING_COST and programme is None:
        message = "candidates cost capital, which the objective running-cost does not weigh"
        where = Where(scenario.file.name, column="money.objective")
        yield Issue("sites.candidate", message, "set money.objective to annual-equivalent", where, Severity.WARNING)


def check_hosting(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """A pair that may not be is not today's."""
    del scenario
    if not len(place.hosting):
        return
    keys = place.hosting.index.to_frame(index=False)
    home = place.access_points["site_id"].reindex(keys["access_point_id"]).to_numpy()
    barred = (keys["site_id"].to_numpy() == home) & ~place.hosting["allowed"].to_numpy(dtype=bool)
    message = "allowed is 'no' for the building the point is in today"
    remedy = "today is always allowed; to move it, fix it elsewhere under [rules.fixed]"
    yield from rows(place, "hosting", barred, "hosting.home", "allowed", message, remedy, Severity.WARNING)


def check_rates(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Every service has a fit-out rate for the kinds of building it may move into."""
    stated = {(str(service), str(kind)) for service, kind in place.rates.index}
    kinds = sorted(place.sites.loc[~place.outside, "kind"].unique())
    for service in place.services:
        settings = scenario.services.get(service)
        if settings is None or settings.fitout_gbp_m2 is not None or (service, "") in stated:
            continue
        wanted = [kind for kind in kinds if not settings.hosts or kind in settings.hosts]
        without = [kind for kind in wanted if (service, kind) not in stated]
        if without:
            message = f"moving {service} into {listed(without, 9)} has no rate, and is costed at nothing"
            remedy = f"add rows to rates, or set services.{service}.fitout_gbp_m2"
            yield Issue("rates.missing", message, remedy, Where(scenario.file.name, column="tables.rates"), Severity.WARNING)


def check_zone_people(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Somebody lives somewhere."""
    del scenario
    people = place.zones["population"].to_numpy(dtype=np.float64)
    if len(people) and not people.sum() > 0:
        yield Issue("zones.nobody", "nobody lives in any zone", "fill in population", row_of(place, "zones", 0, "population"))
    empty = people == 0
    if empty.any() and people.sum() > 0:
        names = listed([str(each) for each in place.zones.index[empty]])
        where = row_of(place, "zones", int(np.flatnonzero(empty)[0]), "population", 0)
        message = f"{int(empty.sum()):,} zones have no population and put no demand on anything: {names}"
        yield Issue("zones.empty", message, "", where, Severity.NOTE)
