"""Libraries in England 2010-24: the closures that were made, and the same number chosen otherwise in the same years.

**The network.**  One entry for each public static library of the Arts Council's list.  Where a closed library was most likely
replaced by one within 2 km (the table of closures says which), the two are one library that moves, and that is no closure.  A
library with no opening year was there before 2010.  Openings and moves happen in every version alike; only *which* libraries
close is chosen.

**The ways.**  In each year each authority closes as many libraries as it did close, from those that are then open:

* ``as done``;
* ``least travel``: least distance from homes to the nearest library, summed over residents (a p-median, proven);
* ``within 2 miles``: fewest residents beyond two miles, then least travel (a resident beyond counts as 100 km);
* ``deprived first``: least travel of residents of the most deprived fifth of England's small areas; all others count a hundredth;
* ``smallest first``: the library that is nearest for the fewest residents (floor areas of closed libraries are not known);
* ``nearest neighbour``: the library with the closest other library of the authority; of the two, the one with fewer residents.

No way knows the years to come.  Neighbouring authorities' libraries serve as well, as they were in the year.

**What is measured**, at the end of 2024, for the residents of the small areas of 2011 at their population-weighted centres, in a
straight line: how much farther they go than if nothing had closed.  It is not known why a library closed (repairs, a lease, use,
volunteers unwilling); none of the ways knows it, so a difference is no judgement on who decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from estate.england.areas import districts
from estate.problem import textbook
from estate.solve import Limits, solve
from estate.solve.answer import Status

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FIRST, LAST = 2010, 2024
TWO_MILES_M = 3218.688
BEYOND_M = 100_000
"""What a resident beyond two miles counts in ``within 2 miles``: farther than anybody in England goes to a library."""
DEPRIVED_RANK = 6_569
"""The most deprived fifth of England's 32,844 small areas by the Index of Multiple Deprivation 2015."""
OTHERS_SHARE = 100
"""In ``deprived first`` a resident elsewhere counts a hundredth, so that ties are told apart."""
AS_DONE, CHANCE = "as done", "chance"
OURS = ("least travel", "within 2 miles", "deprived first")
THUMB = ("smallest first", "nearest neighbour")
WAYS = (AS_DONE, *OURS, *THUMB)
DRAWS = 200


@dataclass(frozen=True)
class Network:
    """Every library of England through the years.

    ``stages`` has a row for each place of a library: ``library`` (a number), ``since`` (year, 0: before 2010), ``x``, ``y`` in
    EPSG:27700 metres.  ``authority``, ``name`` and ``closed`` (year, 0: open) are by library.
    """

    stages: pd.DataFrame
    authority: pd.Series
    name: pd.Series
    closed: pd.Series
    left_out: dict[str, int]

    def places(self, year: int) -> pd.DataFrame:
        """Where each library is, or was last, at the end of a year; only those that had opened."""
        there = self.stages[self.stages["since"] <= year].sort_values("since", kind="stable")
        return there.drop_duplicates("library", keep="last").set_index("library").sort_index()


def network(libraries: pd.DataFrame, closures: pd.DataFrame) -> Network:
    """The network from the Arts Council's list and the table of closures, both as published, all cells text.

    ``row`` of the closures is the list's row, the first being 1.
    """
    frame = libraries.set_axis(np.arange(1, len(libraries) + 1), axis=0)
    kind, run = frame["type"].str.casefold(), frame["operation_23"].str.casefold()
    year = {name: pd.to_numeric(frame[name].str.strip(), errors="coerce") for name in ("closed", "opened")}
    public = kind == "static library"
    placed = public & (frame["easting"] != "")
    undated = placed & (run == "closed") & year["closed"].isna()
    before = placed & (year["closed"] < FIRST)
    frame = frame[placed & ~undated & ~before]
    pairs = closures.loc[closures["replacement_row"] != "", ["row", "replacement_row"]].astype(int)
    pairs = pairs[pairs["row"].isin(frame.index) & pairs["replacement_row"].isin(frame.index)]
    moved = pd.Series(pairs["replacement_row"].to_numpy(), index=pairs["row"].to_numpy())
    # Two old libraries may be followed by one: the first becomes it, the other has closed into it and is no choice either.
    followed = moved[~moved.duplicated()]
    merged = moved.index.difference(followed.index)
    whole = pd.Series(frame.index, index=frame.index)
    for old, new in sorted(zip(followed.index.tolist(), followed.tolist(), strict=True)):
        whole[whole == whole[old]] = whole[new]
    since = year["opened"].reindex(frame.index).where(lambda at: at >= FIRST, 0).fillna(0).astype(int)
    stages = pd.DataFrame(
        {
            "library": whole,
            "since": since,
            "x": frame["easting"].astype(float),
            "y": frame["northing"].astype(float),
            "row": frame.index,
        }
    )
    stages = stages[~stages["row"].isin(merged)]
    last = stages.sort_values(["since", "row"]).drop_duplicates("library", keep="last").set_index("library")["row"].sort_index()
    closed = year["closed"].reindex(last.to_numpy()).fillna(0).astype(int).set_axis(last.index)
    return Network(
        stages,
        frame["authority"].reindex(last.to_numpy()).set_axis(last.index),
        frame["name"].reindex(last.to_numpy()).set_axis(last.index),
        closed,
        {
            "not placed": int((public & ~placed).sum()),
            "closed in a year not known": int(undated.sum()),
            "closed before 2010": int(before.sum()),
            "followed by another within 2 km": len(moved),
        },
    )


def authorities(libraries: pd.DataFrame) -> dict[str, str]:
    """The list's name of an authority by the council that must provide libraries, from where its libraries stand."""
    later = {each.later: each for each in districts().values() if each.later}
    known = {**later, **districts()}
    duty = libraries["ladcd"].map(lambda code: known[code].library_authority if code in known else "")
    pairs = pd.DataFrame({"duty": duty, "name": libraries["authority"]})
    most = pairs[pairs["duty"] != ""].value_counts().reset_index().drop_duplicates("duty")
    return dict(zip(most["duty"], most["name"], strict=True))


@dataclass(frozen=True)
class Year:
    """An authority at the end of a year, as if none of its own libraries had closed since 2010.

    ``own`` has the place of each of its libraries; ``away_m`` (zones, libraries) and ``outside_m`` (zones), to the nearest open
    library of any other authority, are straight-line metres.  ``free`` marks what may be chosen to close: a library that opens
    in the very year may not, it was opened knowing of the closures.
    """

    own: pd.DataFrame
    away_m: Floats
    outside_m: Floats
    free: Bools


@dataclass(frozen=True)
class Case:
    """One authority, by zone: ``xy`` in EPSG:27700 metres, ``people``, and whether it is of England's most deprived fifth."""

    name: str
    xy: Floats
    people: Ints
    deprived: Bools
    closures: pd.Series
    """Closing year by library, as recorded."""
    library: pd.Series
    """Names."""
    years: dict[int, Year]
    """The years with a closure, and the last."""

    @property
    def counts(self) -> dict[int, int]:
        """How many libraries closed in each year that had any."""
        years, counts = np.unique(self.closures.to_numpy(), return_counts=True)
        return dict(zip(years.tolist(), counts.tolist(), strict=True))


def year_of(net: Network, authority: str, xy: Floats, year: int) -> Year:
    """One year of one authority, whose zones are at ``xy``."""
    places = net.places(year)
    closed = net.closed.reindex(places.index)
    mine = net.authority.reindex(places.index) == authority
    own = places[mine & ((closed == 0) | (closed >= FIRST))]
    others = places[~mine & ((closed == 0) | (closed > year))]
    away: Floats = np.hypot(*(xy[:, None, :] - own[["x", "y"]].to_numpy()[None]).transpose(2, 0, 1))
    outside, _ = cKDTree(others[["x", "y"]].to_numpy()).query(xy)
    return Year(own, away, np.asarray(outside, dtype=np.float64), (own["since"] < year).to_numpy())


def closed_by(case: Case, way: str, rng: np.random.Generator | None = None) -> dict[int, int]:
    """Library -> year in which ``way`` closes it; ``chance`` draws with ``rng``.

    Raises
    ------
    RuntimeError
        When the search for the best libraries to close is not proven.
    """
    if way == AS_DONE:
        return dict(zip(case.closures.index.tolist(), case.closures.tolist(), strict=True))
    gone: dict[int, int] = {}
    for year, count in case.counts.items():
        then = case.years[year]
        still = ~then.own.index.isin(list(gone))
        left = Year(then.own[still], then.away_m[:, still], then.outside_m, then.free[still])
        if way == CHANCE:
            if rng is None:
                raise ValueError("chance needs a generator")
            out = rng.choice(np.flatnonzero(left.free), size=count, replace=False)
        elif way in THUMB:
            out = _one_by_one(case, left, count, way)
        else:
            out = _best(case, left, count, way)
        gone |= dict.fromkeys(left.own.index[out].tolist(), year)
    return gone


def _best(case: Case, then: Year, count: int, way: str) -> Ints:
    """The ``count`` libraries whose closing does least harm by one measure: a p-median over those that stay."""
    distance = np.column_stack([then.away_m, then.outside_m]).round().astype(np.int64)
    weight = case.people
    if way == "within 2 miles":
        distance = distance + BEYOND_M * (distance > TWO_MILES_M)
    if way == "deprived first":
        weight = weight * np.where(case.deprived, OTHERS_SHARE, 1)
    problem = textbook.p_median(distance, weight, distance.shape[1] - count)
    answer = solve(replace(problem, must_open=np.append(~then.free, True)), Limits())
    if answer.status is not Status.OPTIMAL or answer.solution is None:
        raise RuntimeError(f"{case.name}: {way} ended {answer.status}")
    return np.flatnonzero(~answer.solution.open[:-1])


def _one_by_one(case: Case, then: Year, count: int, way: str) -> Ints:
    """Close by a rule of thumb, one library after the other."""
    stay = np.arange(len(then.own))
    xy = then.own[["x", "y"]].to_numpy()
    for _ in range(count):
        away = then.away_m[:, stay]
        theirs = away.min(axis=1) <= then.outside_m
        score = np.bincount(away.argmin(axis=1)[theirs], weights=case.people[theirs], minlength=len(stay))
        if way == "nearest neighbour":
            between, _ = cKDTree(xy[stay]).query(xy[stay], k=2)
            score = between[:, 1] + score / (score.sum() + 1.0)  # a metre at most: tells the two of a pair apart
        stay = np.delete(stay, np.where(then.free[stay], score, np.inf).argmin())
    return np.setdiff1d(np.arange(len(then.own)), stay)


def harm(case: Case, gone: dict[int, int]) -> dict[str, float]:
    """What the closures of one way mean at the end of 2024, against none of them having been made.

    ``extra_km`` is a resident's mean extra distance; ``beyond`` how many more are beyond two miles; ``deprived_km`` as
    ``extra_km``, of the residents of the most deprived fifth of England (not a number where there are none).
    """
    then = case.years[LAST]
    stay = ~then.own.index.isin(list(gone))
    before = np.minimum(then.away_m.min(axis=1), then.outside_m)
    after = np.minimum(then.away_m[:, stay].min(axis=1, initial=np.inf), then.outside_m)
    poor = np.where(case.deprived, case.people, 0)
    return {
        "extra_km": float(((after - before) * case.people).sum() / case.people.sum() / 1000),
        "beyond": float(case.people[(after > TWO_MILES_M) & (before <= TWO_MILES_M)].sum()),
        "deprived_km": float(((after - before) * poor).sum() / poor.sum() / 1000) if poor.any() else float("nan"),
    }


def cases(folder: Path) -> list[Case]:
    """Every authority with a closure, from a folder that holds ``england`` and ``evidence``."""
    lists = pd.read_csv(next((folder / "england").glob("libraries*")), dtype=str, keep_default_na=False)
    closures = pd.read_csv(folder / "evidence" / "library_closures_2010_2024.csv", dtype=str, keep_default_na=False)
    zones = pd.read_csv(next((folder / "england").glob("lsoa*")))
    zones = zones[zones["ladcd"].isin(list(districts()))]
    net, duty = network(lists, closures), authorities(lists)
    named = zones["ladcd"].map(lambda code: duty.get(districts()[code].library_authority, ""))
    made = []
    for name in sorted(net.authority[net.closed.between(FIRST, LAST)].unique()):
        here = zones[named == name]
        xy = here[["easting", "northing"]].to_numpy(dtype=np.float64)
        mine = net.closed[(net.authority == name) & net.closed.between(FIRST, LAST)]
        years = {int(year): year_of(net, name, xy, int(year)) for year in sorted({*mine, LAST})}
        people, rank = here["pop2011"].to_numpy(dtype=np.int64), here["imd15_rank"].to_numpy()
        made.append(Case(name, xy, people, rank <= DEPRIVED_RANK, mine, net.name, years))
    return made


def outcome(case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    """By way what it does, and how many of its closures are the record's; and which libraries each way closes, and when.

    The row ``chance`` has the mean of ``DRAWS`` draws.
    """
    done = closed_by(case, AS_DONE)
    ways = {way: closed_by(case, way) for way in WAYS}
    rows = [{"way": way, **harm(case, gone), "same": float(len(set(gone) & set(done)))} for way, gone in ways.items()]
    rng = np.random.default_rng(0)
    draws = [closed_by(case, CHANCE, rng) for _ in range(DRAWS)]
    means = pd.DataFrame([{**harm(case, gone), "same": len(set(gone) & set(done))} for gone in draws]).mean()
    table = pd.DataFrame([*rows, {"way": CHANCE, **means.to_dict()}])
    table.insert(0, "authority", case.name)
    table["closed"], table["libraries"] = len(done), len(case.years[min(case.years)].own)
    chosen = [
        (case.name, way, library, case.library[library], year) for way, gone in ways.items() for library, year in gone.items()
    ]
    return table, pd.DataFrame(chosen, columns=["authority", "way", "library", "name", "year"])
