"""The scenario against the tables: ids and words that do not exist, and decisions that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from estate.errors import Issue, Severity
from estate.load import rows_where
from estate.place import Place
from estate.scenario import ROOF, Method, Scenario, Standard
from estate.scenario.options import MAY_BEAR_VAT
from estate.tables import AGENCY_KINDS, SITE_KINDS
from estate.validate.finding import at, both, row_of, setting
from estate.wording import listed, suggestion


def check_ids(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Every id that a rule names exists."""
    rules = scenario.rules
    sites, points, agencies = place.sites.index, place.access_points.index, place.agencies.index
    named: tuple[tuple[str, Iterable[str], pd.Index, str], ...] = (
        ("rules.keep", rules.keep, sites, "site"),
        ("rules.close", rules.close, sites, "site"),
        ("rules.other_uses_move", rules.other_uses_move, sites, "site"),
        ("rules.fixed", rules.fixed.keys(), points, "access point"),
        ("rules.fixed", rules.fixed.values(), sites, "site"),
        ("rules.out", rules.out, agencies, "agency"),
        ("reorganisation.successors.of", _dissolved(scenario), agencies, "agency"),
        ("partners.groups", (each for group in scenario.partners.groups for each in group), agencies, "agency"),
        ("vehicle.members", scenario.vehicle.members if scenario.vehicle else (), agencies, "agency"),
        ("money.pfi_exit_gbp", scenario.money.pfi_exit_gbp, sites, "site"),
    )
    for path, ids, known, thing in named:
        for each in ids:
            if each not in known:
                remedy = suggestion(each, map(str, known))
                yield Issue("scenario.unknown-id", f"'{each}' is not a {thing}", remedy, setting(scenario, path, each))


def _dissolved(scenario: Scenario) -> tuple[str, ...]:
    """Agencies that pass to a successor, of those that are still there."""
    return (
        tuple(each for way in scenario.reorganisation if way.name != scenario.reorganised for each in way.dissolved)
        if not scenario.reorganised
        else ()
    )


def check_services(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Every service that a rule names exists; one without access points is worth a word."""
    known = scenario.services
    named = [
        (f"standards.{each.name}.service", service)
        for each in scenario.standards
        for service in filter(None, each.service.split(ROOF))
    ]
    pairs = (("rules.may_not_share", scenario.rules.may_not_share), ("rules.must_share", scenario.rules.must_share))
    for path, group in pairs:
        named += [(path, service) for pair in group for service in pair]
        for a, b in group:
            if a == b:
                yield Issue(
                    "scenario.same-service", f"'{a}' is paired with itself", "name two services", setting(scenario, path, a)
                )
    for path, service in named:
        if service not in known:
            where = setting(scenario, path, service)
            yield Issue("scenario.unknown-service", f"'{service}' is not a service", suggestion(service, known), where)
    for service in known:
        if service not in place.services:
            where = setting(scenario, f"services.{service}")
            message = f"there is no access point of '{service}' today, so no rule can hold for it"
            yield Issue("scenario.unused-service", message, "remove it, or add its access points", where, Severity.NOTE)


def check_whom(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Standards are about services that people come to, and those under one roof ask for something that can be kept."""
    del place
    known = scenario.services
    for standard in scenario.standards:
        for service in filter(None, standard.service.split(ROOF)):
            if service in known and not known[service].public:
                message = f"'{service}' is not public, so nobody has to be near it"
                where = setting(scenario, f"standards.{standard.name}.service", service)
                yield Issue("scenario.not-public", message, f"take the standard out, or services.{service}.public", where)
        if ROOF in standard.service:
            yield from _one_roof(scenario, standard)


def _one_roof(scenario: Scenario, standard: Standard) -> Iterator[Issue]:
    """Of a standard on services under one roof: whether it asks for anything, and whether it can be kept."""
    where = setting(scenario, f"standards.{standard.name}")
    if standard.beyond == "no-worse" and standard.on:
        message = f"'{standard.name}' asks for no more people to have its services under one roof than have them today"
        remedy = 'set beyond = "strict", with a share that can be met'
        yield Issue("scenario.one-roof-today", message, remedy, where, Severity.WARNING)
    if scenario.programme is not None and standard.on:
        message = f"'{standard.name}' is on services under one roof, which a programme cannot hold from year to year"
        yield Issue("scenario.one-roof-programme", message, "set on = false for it, or take the programme out", where)


def check_kinds(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Every kind of building that a setting names exists."""
    del place
    named = [(f"services.{name}.hosts", kind) for name, its in scenario.services.items() for kind in its.hosts]
    named += [("money.optimism_bias", kind) for kind in scenario.money.optimism_bias]
    named += [("money.holding_share", kind) for kind in scenario.money.holding_share]
    for path, kind in named:
        if kind not in SITE_KINDS:
            where = setting(scenario, path, kind)
            yield Issue("scenario.unknown-kind", f"'{kind}' is not a kind of building", suggestion(kind, SITE_KINDS), where)


def check_contradictions(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """No site is both to keep and to close, no point is fixed where nothing may stay, no pair both must and may not share."""
    rules, sites = scenario.rules, place.sites
    status = sites["status"]
    keeps = {site: setting(scenario, "rules.keep", site) for site in rules.keep if site in sites.index}
    closes = {site: setting(scenario, "rules.close", site) for site in rules.close if site in sites.index}
    for site in sites.index[(status == "keep").to_numpy(dtype=bool)]:
        keeps.setdefault(str(site), row_of(place, "sites", at(sites, str(site)), "status", "keep"))
    for site in sites.index[(status == "close").to_numpy(dtype=bool)]:
        closes.setdefault(str(site), row_of(place, "sites", at(sites, str(site)), "status", "close"))
    for site in sorted(set(keeps) & set(closes)):
        message = f"'{site}' is to be kept ({keeps[site]}) and to be closed ({closes[site]})"
        yield Issue("scenario.keep-and-close", message, "take it out of one of the two", closes[site])
    for point, site in rules.fixed.items():
        where = setting(scenario, "rules.fixed", point)
        if site in closes:
            message = f"'{point}' is fixed to '{site}', which is to be closed ({closes[site]})"
            yield Issue("scenario.fixed-closed", message, "fix it elsewhere, or let the site stay", where)
        if site in sites.index and status[site] == "outside" and place.access_points["site_id"].get(point) != site:
            message = f"'{point}' is fixed to '{site}', which is outside the place and is never changed"
            yield Issue("scenario.fixed-outside", message, "fix it to a site of the place", where)
        home = str(place.access_points["site_id"].get(point, ""))
        if home in sites.index and status[home] == "outside" and home != site:
            message = f"'{point}' is at '{home}', which is outside the place and is never changed"
            yield Issue("scenario.fixed-outside", message, "take it out of rules.fixed", where)
    unlike = {frozenset(pair) for pair in rules.may_not_share} & {frozenset(pair) for pair in rules.must_share}
    for pair in sorted(sorted(each) for each in unlike):
        message = f"{both(pair)} must share a building and may not"
        yield Issue(
            "scenario.share-and-not", message, "take the pair out of one list", setting(scenario, "rules.must_share", pair[0])
        )
    outside = [site for site in (*rules.keep, *rules.close) if site in sites.index and status[site] == "outside"]
    for site in outside:
        message = f"'{site}' is outside the place, so a rule cannot keep or close it"
        yield Issue(
            "scenario.outside", message, "take it out of the rule", setting(scenario, "rules.close", site), Severity.WARNING
        )


def check_decisions(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Each decision of the register is on a lock that the scenario or a table has, and each lock has one at most."""
    rules, status = scenario.rules, place.sites["status"]
    locked = {*rules.keep, *rules.close, *place.sites.index[status.isin(["keep", "close"]).to_numpy(dtype=bool)]}
    seen: set[str] = set()
    for each in rules.decisions:
        where = setting(scenario, "rules.decisions", each.by)
        for what, names, held in (("site", each.sites, locked), ("access point", each.access_points, set(rules.fixed))):
            for name in names:
                if name not in held:
                    where_to = "rules.keep or rules.close" if what == "site" else "rules.fixed"
                    message = f"the decision of {each.words} is on {what} '{name}', which nothing locks"
                    yield Issue("scenario.decision", message, f"add it to {where_to}, or take it out of the register", where)
                if f"{what} {name}" in seen:
                    message = f"{what} '{name}' has two decisions"
                    yield Issue("scenario.decision", message, "leave the one that stands", where)
                seen.add(f"{what} {name}")
        if not each.sites and not each.access_points:
            yield Issue("scenario.decision", f"the decision of {each.words} is on nothing", "name its sites", where)


def check_purses(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Each purse has a name of its own and agencies that exist, in no other purse; a pool says which power lets it pool."""
    agencies, seen = place.agencies.index, dict[str, str]()
    names = [each.name for each in scenario.money.purses]
    for purse in scenario.money.purses:
        where = setting(scenario, "money.purses", purse.name)
        if names.count(purse.name) > 1 or (purse.name in agencies and purse.agencies != (purse.name,)):
            message = f"'{purse.name}' names more than one purse, or an agency that is not all of it"
            yield Issue("scenario.purse", message, "give the purse a name of its own", where)
        for agency in purse.agencies:
            if agency not in agencies and agency not in _successors(scenario):
                remedy = suggestion(agency, map(str, agencies))
                yield Issue("scenario.unknown-id", f"'{agency}' is not an agency", remedy, where)
            elif agency in seen:
                message = f"the money of '{agency}' is in purse '{seen[agency]}' and in purse '{purse.name}'"
                yield Issue("scenario.purse", message, "leave it in one of them", where)
            seen[agency] = purse.name
        if len(purse.agencies) > 1 and not purse.power:
            message = f"purse '{purse.name}' pools {listed(purse.agencies)}, and does not say under which power"
            yield Issue("scenario.pool", message, "set its power, e.g. 'NHS Act 2006 s75'", where, Severity.WARNING)
    if scenario.money.capital_budget_gbp is not None and len(agencies) > 1:
        counted = " and their receipts" if scenario.money.budget_basis == "net" else ""
        message = f"money.capital_budget_gbp is one sum for all agencies{counted}, as if they pooled their capital"
        where = setting(scenario, "money.capital_budget_gbp")
        yield Issue("scenario.pool", message, "give each agency or pool its own budget: money.purses", where, Severity.WARNING)


def _successors(scenario: Scenario) -> frozenset[str]:
    """The successors of the reorganisation that takes place within a programme."""
    name = "" if scenario.programme is None else scenario.programme.reorganised_as
    return frozenset(heir for way in scenario.reorganisation if way.name == name for heir in way.heir.values())


def check_options(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """What is borrowed is a purse's; tax is on lines that exist, and each kind of agency says how much of it is recovered."""
    options = scenario.options
    if options is None:
        return
    known = {each.name for each in scenario.money.purses} | set(place.agencies.index.astype(str))
    for loan in options.loans:
        if loan.purse not in known:
            where = setting(scenario, "options.loans", loan.purse)
            yield Issue("scenario.unknown-id", f"'{loan.purse}' is not a purse", suggestion(loan.purse, known), where)
    for line in options.vat_on:
        if line not in MAY_BEAR_VAT:
            where = setting(scenario, "options.vat_on", line)
            yield Issue("scenario.vat", f"'{line}' is not a line that is paid", suggestion(line, MAY_BEAR_VAT), where)
    for kind in options.vat_recovered:
        if kind not in AGENCY_KINDS:
            where = setting(scenario, "options.vat_recovered", kind)
            yield Issue("scenario.unknown-kind", f"'{kind}' is not a kind of agency", suggestion(kind, AGENCY_KINDS), where)
    unsaid = sorted(set(place.agencies["kind"]) - set(options.vat_recovered)) if options.vat else []
    if unsaid:
        message = f"value added tax is counted, and nothing says how much of it is recovered by {listed(unsaid)}"
        remedy = f"set the share of each in options.vat_recovered, e.g. {{ {unsaid[0]} = 1.0 }} for all of it, 0.0 for none"
        yield Issue("scenario.vat", message, remedy, setting(scenario, "options.vat_recovered"))


def check_dates(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """What is decided for a year of its own exists, and no counter is decided for a later year than its building."""
    years, homes = scenario.money.decided_for, place.access_points["site_id"]
    for name, year in years.items():
        where = setting(scenario, "money.decided_for", name)
        if name not in place.sites.index and name not in homes.index:
            remedy = suggestion(name, [*place.sites.index, *homes.index])
            yield Issue("scenario.unknown-id", f"'{name}' is neither a building nor an access point", remedy, where)
        elif name in homes.index and years.get(str(homes[name]), year) < year:
            message = f"'{name}' is decided for {year}, and its building '{homes[name]}' for {years[str(homes[name])]}"
            yield Issue("scenario.later-than-building", message, "give the counter that year, or an earlier one", where)


def check_stuck(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """A building that is to close holds nobody who does not take part."""
    rules, sites = scenario.rules, place.sites
    out = set(rules.out) | set(place.agencies.index[~place.agencies["takes_part"].to_numpy(dtype=bool)])
    closing = set(rules.close) | set(sites.index[(sites["status"] == "close").to_numpy(dtype=bool)])
    points = place.access_points
    stuck = points["agency"].isin(out) & points["site_id"].isin(closing)
    for point, row in points[stuck].iterrows():
        message = f"'{row['site_id']}' is to close, and holds '{point}' of '{row['agency']}', which does not take part"
        yield Issue(
            "scenario.stuck",
            message,
            "let the agency take part, or keep the site",
            setting(scenario, "rules.close", row["site_id"]),
        )


def check_counts(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Counts can be met by the sites there are and the decisions taken."""
    status = place.sites["status"]
    for count in scenario.rules.counts:
        where = setting(scenario, "rules.counts")
        if count.at_least is None and count.at_most is None:
            yield Issue("scenario.count", "a count needs at_least or at_most", "add one of them", where)
            continue
        unknown = [name for name in count.where if name not in place.sites.columns]
        if unknown:
            remedy = suggestion(unknown[0], map(str, place.sites.columns))
            yield Issue("scenario.unknown-column", f"'{unknown[0]}' is not a column of sites", remedy, where)
            continue
        chosen = rows_where(place.sites, count.where) & ~place.outside
        label = f"{count.what}{''.join(f' where {k} is {v}' for k, v in count.where.items())}"
        least, most = count.at_least or 0, count.at_most
        if most is not None and least > most:
            message = f"at least {least} and at most {most} {label}: no number is both"
            yield Issue("scenario.count", message, "correct one of them", where)
        if least > int(chosen.sum()):
            message = f"at least {least} {label} are wanted, and there are {int(chosen.sum())} sites"
            yield Issue("scenario.count", message, "lower it, or add sites", where)
        kept = sorted(
            {str(each) for each in place.sites.index[chosen & (status == "keep").to_numpy(dtype=bool)]}
            | {each for each in scenario.rules.keep if each in place.sites.index and chosen[at(place.sites, each)]}
        )
        if count.what == "sites" and most is not None and len(kept) > most:
            lines = setting(scenario, "rules.keep", kept[0])
            message = f"at most {most} {label} may stay, and {len(kept)} are to be kept ({lines}): {listed(kept)}"
            yield Issue("scenario.keeps-over-count", message, "raise the count, or keep fewer", where)


def check_columns(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Every column that a rule names exists, and holds what the rule needs."""
    sites = place.sites
    for column, values in scenario.rules.barred.items():
        where = setting(scenario, "rules.barred", column)
        if column not in sites.columns:
            remedy = suggestion(column, map(str, sites.columns))
            yield Issue("scenario.unknown-column", f"'{column}' is not a column of sites", remedy, where)
        elif not sites[column].astype("str").isin(values).any():
            message = f"no site has {listed(values)} under '{column}', so nothing is barred by it"
            remedy = suggestion(values[0], sites[column].astype("str").unique()[:200]) if values else ""
            yield Issue("scenario.no-effect", message, remedy, where, Severity.WARNING)
    for column in scenario.rules.throughput:
        where = setting(scenario, "rules.throughput", column)
        if column not in sites.columns:
            remedy = suggestion(column, map(str, sites.columns))
            yield Issue("scenario.unknown-column", f"'{column}' is not a column of sites", remedy, where)
        elif not pd.api.types.is_numeric_dtype(sites[column]):
            yield Issue("scenario.not-numbers", f"'{column}' of sites does not hold numbers", "give visits a year", where)


def check_standards(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Groups are columns of numbers, conditions name zones that exist, and names are used once."""
    zones = place.zones
    columns = [str(each) for each in zones.columns if each not in ("easting_m", "northing_m")]
    seen: set[str] = set()
    for standard in scenario.standards:
        path = f"standards.{standard.name}"
        if standard.name in seen:
            message = f"two standards are called '{standard.name}'"
            yield Issue("scenario.twice", message, "give each its own name", setting(scenario, "name", standard.name))
        seen.add(standard.name)
        if standard.people != "everyone":
            yield from _group(scenario, place, path, standard.people, columns)
        if standard.each and standard.each not in columns:
            where = setting(scenario, f"{path}.each", standard.each)
            remedy = suggestion(standard.each, columns)
            yield Issue("scenario.unknown-column", f"'{standard.each}' is not a column of zones", remedy, where)
        for column, value in standard.where.items():
            where = setting(scenario, f"{path}.where", column)
            if column not in columns:
                remedy = suggestion(column, columns)
                yield Issue("scenario.unknown-column", f"'{column}' is not a column of zones", remedy, where)
                continue
            try:
                none = not rows_where(zones, {column: value}).any()
            except ValueError:
                message = f"'{value}' compares numbers, and '{column}' of zones holds text"
                yield Issue("scenario.not-numbers", message, "name a value of the column", where)
                continue
            if none:
                there = sorted(zones[column].astype("str").unique()[:50].tolist())
                message = f"no zone has {column} = '{value}'"
                yield Issue("scenario.no-zones", message, suggestion(str(value), there), where)


def _group(scenario: Scenario, place: Place, path: str, people: str, columns: list[str]) -> Iterator[Issue]:
    where = setting(scenario, f"{path}.people", people)
    zones = place.zones
    if people not in columns:
        remedy = suggestion(people, ["everyone", *columns])
        yield Issue("scenario.unknown-column", f"'{people}' is not a column of zones", remedy, where)
    elif not pd.api.types.is_numeric_dtype(zones[people]):
        odd = zones[people].astype("str").str.fullmatch(r"[0-9.,]+").to_numpy(dtype=bool)
        first = int(np.flatnonzero(~odd)[0]) if (~odd).any() else 0
        cell = row_of(place, "zones", first, people, zones[people].iloc[first])
        message = f"'{people}' is a group of people, and not every cell is a number"
        yield Issue("zones.group", message, f"correct it (a rule names it: {where})", cell)
    else:
        number = zones[people].to_numpy(dtype=np.float64)
        bad = ~(number >= 0)
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            cell = row_of(place, "zones", first, people, zones[people].iloc[first])
            message = f"{int(bad.sum()):,} zones have no number of people, or a negative one, under '{people}'"
            yield Issue("zones.group", message, "write 0 where there are none", cell)
        elif (number > zones["population"].to_numpy(dtype=np.float64)).any():
            first = int(np.flatnonzero(number > zones["population"].to_numpy(dtype=np.float64))[0])
            cell = row_of(place, "zones", first, people, number[first])
            message = f"'{people}' is larger than the population"
            yield Issue("zones.group", message, "is it a count, and of the same year?", cell, Severity.WARNING)


def check_streets(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """Streets that are named are used."""
    del place
    travel = scenario.travel
    named = "streets" if travel.streets else "place"
    if (travel.streets or travel.place) and travel.method is not Method.NETWORK:
        message = f"travel.{named} is given, and travel.method is '{travel.method}', so the streets are not used"
        remedy = "set travel.method to 'network' (or leave it out), or take the streets out"
        where = setting(scenario, f"travel.{named}", travel.streets or travel.place)
        yield Issue("scenario.streets-unused", message, remedy, where, Severity.WARNING)


def check_tenures(scenario: Scenario, place: Place) -> Iterator[Issue]:
    """An exit price is for a PFI building."""
    for site in scenario.money.pfi_exit_gbp:
        tenure = str(place.sites["tenure"].get(site, "pfi"))
        if tenure != "pfi":
            message = f"'{site}' has an exit price and is not a PFI building, but {tenure}"
            where = setting(scenario, "money.pfi_exit_gbp", site)
            yield Issue("scenario.pfi", message, "correct its tenure, or remove the price", where, Severity.WARNING)
