"""One door for all travel: the three ways to measure it, and :func:`build_travel`, which makes a place's tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from estate.errors import InputError, Issue, Severity, Where
from estate.travel.pairs import Pairs, Points, TravelTables, Wanted, unreached
from estate.travel.straight import straight
from estate.travel.table import read_table, told_apart, unknown_names, with_selves
from estate.travel.ways import OwnTable, Straight, Way


def build_travel(
    zones: Points,
    sites: Points,
    way: Way | Mapping[str, Way],
    *,
    home: Mapping[str, Wanted],
    between: Mapping[str, Wanted],
    cache: Path | None = None,
) -> TravelTables:
    """The travel tables of a place.

    Parameters
    ----------
    zones, sites
        In canonical order, EPSG:27700 metres.
    way
        How travel is measured: one way for all modes, or a way for each (streets for driving, a table for the bus).
    home, between
        For each mode in use, which zone-to-site and which site-to-site pairs to keep.  A mode left out of ``between`` has
        no displacement rule and gets no site-to-site table.
    cache
        A folder for finished tables, by content; None: no cache.  Only street networks are worth one.

    Raises
    ------
    InputError
        When a mode has no way, or the streets or the table cannot give what the rules need.
    """
    modes = sorted({*home, *between})
    ways = way if isinstance(way, Mapping) else dict.fromkeys(modes, way)
    homes: dict[str, Pairs] = {}
    rest: dict[str, Pairs] = {}
    notes: list[Issue] = []
    methods: list[str] = []
    for each in {id(ways[mode]): ways[mode] for mode in modes if mode in ways}.values():
        mine = [mode for mode in modes if ways.get(mode) is each]
        asks = [{mode: part[mode] for mode in mine if mode in part} for part in (home, between)]
        tables, said, method = _by_one_way(zones, sites, each, asks[0], asks[1], cache)
        homes |= tables[0]
        rest |= tables[1]
        notes += said
        methods.append(method if len(mine) == len(modes) else f"{', '.join(mine)}: {method}")
    if lacking := [mode for mode in modes if mode not in ways]:
        raise _no_mode(lacking[0], "nothing measures it")
    for mode, pairs in homes.items():
        notes += _unreached_notes(zones, sites, mode, pairs, home[mode])
    return TravelTables(homes, rest, notes=tuple(notes), method="; ".join(methods), digest=_digest(homes, rest))


type _Tables = tuple[dict[str, Pairs], dict[str, Pairs]]


def _by_one_way(
    zones: Points,
    sites: Points,
    way: Way,
    home: Mapping[str, Wanted],
    between: Mapping[str, Wanted],
    cache: Path | None,
) -> tuple[_Tables, list[Issue], str]:
    if isinstance(way, Straight):
        fixed = {mode: each / 60 for mode, each in way.fixed_s.items() if each and mode in {*home, *between}}
        more = "".join(f", and {each:g} min a journey ({mode})" for mode, each in sorted(fixed.items()))
        return _by_straight(zones, sites, way, home, between), [], f"straight line x {way.detour:g}{more}"
    if isinstance(way, OwnTable):
        notes = unknown_names(way.frame, [*zones.names, *sites.names], file=way.file)
        return _by_table(zones, sites, way, home, between), list(notes), f"the travel table {way.file}"
    from estate.travel.routes import streets_travel  # noqa: PLC0415  (numba loads only when there are streets)

    return streets_travel(zones, sites, way, home, between, cache)


def _no_mode(mode: str, why: str) -> InputError:
    issue = Issue(
        "travel.no-mode",
        f"a rule is measured by '{mode}', and {why}",
        "use walk or drive, or give a travel table with that mode",
    )
    return InputError(issues=[issue])


def _by_straight(
    zones: Points, sites: Points, way: Straight, home: Mapping[str, Wanted], between: Mapping[str, Wanted]
) -> _Tables:
    for mode in sorted({*home, *between} - set(way.speed_kmh)):
        raise _no_mode(mode, "the straight-line model has no speed for it")

    def pairs(from_: Points, mode: str, wanted: Wanted) -> Pairs:
        fixed = way.fixed_s.get(mode, 0.0)
        return straight(from_, sites, detour=way.detour, speed_kmh=way.speed_kmh[mode], fixed_s=fixed, wanted=wanted)

    return (
        {mode: pairs(zones, mode, wanted) for mode, wanted in home.items()},
        {mode: pairs(sites, mode, wanted) for mode, wanted in between.items()},
    )


def _by_table(
    zones: Points, sites: Points, way: OwnTable, home: Mapping[str, Wanted], between: Mapping[str, Wanted]
) -> _Tables:
    issues: list[Issue] = []

    def pairs(from_: Points, mode: str, what: str) -> Pairs:
        frame = told_apart(way.frame, zones.names, sites.names, kind=what.partition("-")[0], file=way.file)
        found = read_table(frame, from_.names, sites.names, mode=mode, percentile=way.percentile, file=way.file)
        if not (found.from_ != found.to).any() if what == "site-to-site" else not len(found):
            # Without them nothing could move, or nobody could reach anything: an error, not a frozen or an empty plan.
            issues.append(
                Issue(
                    f"travel.no-{what}",
                    f"the travel table has no {what} rows for the mode '{mode}', and the rules need them",
                    f"add the {what} pairs, or choose another mode",
                    Where(way.file),
                )
            )
        return found

    homes = {mode: pairs(zones, mode, "zone-to-site") for mode in home}
    rest = {mode: with_selves(pairs(sites, mode, "site-to-site"), len(sites)) for mode in between}
    if issues:
        raise InputError(issues=issues)
    return homes, rest


def _unreached_notes(zones: Points, sites: Points, mode: str, pairs: Pairs, wanted: Wanted) -> list[Issue]:
    notes = []
    for service, missing in unreached(pairs, wanted, len(zones), len(sites)).items():
        some = ", ".join(str(zones.names[i]) for i in missing[:10]) + (" ..." if len(missing) > 10 else "")
        notes.append(
            Issue(
                "travel.unreachable",
                f"{len(missing)} zones cannot reach any {service} by {mode} today: {some}",
                "check the zone's point and the network or table around it",
                severity=Severity.WARNING,
            )
        )
    return notes


def _digest(home: Mapping[str, Pairs], between: Mapping[str, Pairs]) -> str:
    sums = hashlib.sha256()
    for part in (home, between):
        for mode in sorted(part):
            pairs = part[mode]
            sums.update(f"{mode} {len(pairs)} {pairs.has_distance} {pairs.has_time};".encode())
            for column in (pairs.from_, pairs.to, pairs.distance_m, pairs.time_s):
                sums.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
    return sums.hexdigest()
