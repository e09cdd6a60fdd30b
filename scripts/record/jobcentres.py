"""Jobcentres 2017-18: which offices closed into others, and which would have under the department's own rule.

**The rule** (the Department for Work and Pensions, consultation responses of July 2017): a move is reasonable within 3 miles, or
20 minutes by public transport, of the old office; beyond that it could consult.  Minutes by public transport are not at hand, so
only the miles are used here, in a straight line from office to office.

**Where.**  Areas in which every office that closed is on record: Greater London, the city of Liverpool, and Worcestershire (whose
three went into council buildings and libraries, not into one another: see :mod:`record.worcestershire`).

**The ways.**  As many offices close as did.  Costs and floor areas of the offices are not public, so each is taken to cost the
same and to hold what comes: every choice that keeps the rule is then equally cheap, and the ways differ in which they take:

* ``least travel``: residents' distance to the nearest office is least, under the rule (proven);
* ``nearest neighbour``: the two offices closest to each other become one, the one with fewer residents going, again and again;
* ``chance``: any offices, 2,000 draws.  A way's chance is the share of draws that agree with the record as often as it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from estate.england.areas import area_of
from estate.problem import textbook
from estate.problem.arrays import CoverRows
from estate.solve import Limits, solve
from estate.solve.answer import Status
from record.libraries import Bools, Floats, Ints

THREE_MILES_M = 4828.032
AREAS = ("Greater London", "Liverpool")
CLOSED = ("merged", "closed, type not seen")
NOT_CARRIED_OUT = "still open"
DRAWS = 2_000


@dataclass(frozen=True)
class Offices:
    """The Jobcentres of one area as of 2016.

    ``table`` has ``name``, ``closed``, ``consulted`` (bool) and ``announced`` (the record has the announcement only).
    ``apart_m`` (offices, offices) and ``away_m`` (zones, offices) are straight-line metres; ``people`` is by zone.
    """

    area: str
    table: pd.DataFrame
    apart_m: Floats
    away_m: Floats
    people: Ints

    @property
    def count(self) -> int:
        """How many closed."""
        return int(self.table["closed"].sum())

    def receiver_m(self, gone: Bools) -> Floats:
        """Metres from each office to the nearest one that stays (itself, where it stays)."""
        nearest: Floats = self.apart_m[:, ~gone].min(axis=1)
        return nearest


def offices(folder: Path, area: str) -> Offices:
    """The offices of an area from a folder that holds ``england`` and ``evidence``."""
    listed = pd.read_csv(next((folder / "england").glob("jobcentres*")), dtype=str, keep_default_na=False)
    record = pd.read_csv(folder / "evidence" / "jobcentre_outcomes_2017-18.csv", dtype=str, keep_default_na=False)
    zones = pd.read_csv(next((folder / "england").glob("lsoa*")))
    codes = area_of(area).codes
    here = listed.set_axis(np.arange(1, len(listed) + 1), axis=0)
    here = here[here["ladcd"].isin(codes)]
    done = record["outcome"].isin(CLOSED) & ~record["status"].str.contains(NOT_CARRIED_OUT)
    record = record[done & (record["match_row_2016"] != "")].astype({"match_row_2016": int}).set_index("match_row_2016")
    mine = record.reindex(here.index)
    table = pd.DataFrame(
        {
            "name": here["JC Name"].str.removesuffix(" Jobcentre"),
            "closed": mine["outcome"].notna(),
            "consulted": mine["public_consultation_2017"] == "Y",
            "announced": mine["status"] == "announced",
        }
    )
    zones = zones[zones["ladcd"].isin(codes)]
    at, homes = here[["easting", "northing"]].astype(float).to_numpy(), zones[["easting", "northing"]].to_numpy(dtype=float)
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    away = np.hypot(*(homes[:, None] - at[None]).transpose(2, 0, 1))
    return Offices(area, table, apart, away, zones["pop2011"].to_numpy(dtype=np.int64))


def least_travel(place: Offices) -> Bools | None:
    """Which offices close when residents' travel is least and every one that closes has another within three miles that stays.

    None where so many cannot close under the rule.

    Raises
    ------
    RuntimeError
        When the search is not proven.
    """
    n = len(place.table)
    problem = textbook.p_median(place.away_m.round().astype(np.int64), place.people, n - place.count)
    near = place.apart_m <= THREE_MILES_M
    zero = np.zeros(n, dtype=np.int64)
    start = np.concatenate([[0], near.sum(axis=1).cumsum()]).astype(np.int64)
    rule = CoverRows(zero, zero + 1, start, np.nonzero(near)[1].astype(np.int64), zero - 1)
    answer = solve(replace(problem, cover=rule), Limits())
    if answer.status is Status.INFEASIBLE:
        return None
    if answer.status is not Status.OPTIMAL or answer.solution is None:
        raise RuntimeError(f"{place.area}: ended {answer.status}")
    gone: Bools = ~answer.solution.open
    return gone


def nearest_neighbour(place: Offices) -> Bools:
    """Which offices close when the two closest become one, again and again."""
    gone = np.zeros(len(place.table), dtype=bool)
    for _ in range(place.count):
        stay = np.flatnonzero(~gone)
        users = np.bincount(place.away_m[:, stay].argmin(axis=1), weights=place.people, minlength=len(stay))
        between = np.where(np.eye(len(stay), dtype=bool), np.inf, place.apart_m[np.ix_(stay, stay)]).min(axis=1)
        gone[stay[(between + users / (users.sum() + 1.0)).argmin()]] = True
    return gone


def most(place: Offices) -> int:
    """How many offices could close at most under the three miles alone: all but a least dominating set, proven.

    Raises
    ------
    RuntimeError
        When the search is not proven.
    """
    answer = solve(textbook.lscp(place.apart_m.round().astype(np.int64), int(THREE_MILES_M)), Limits())
    if answer.status is not Status.OPTIMAL or answer.solution is None:
        raise RuntimeError(f"{place.area}: ended {answer.status}")
    return int((~answer.solution.open).sum())


def outcome(place: Offices) -> tuple[pd.DataFrame, pd.DataFrame]:
    """By way: agreement with the record, its chance, travel and moves beyond three miles; and which offices each way closes."""
    done = place.table["closed"].to_numpy()
    ways: dict[str, Bools] = {"as done": done, "nearest neighbour": nearest_neighbour(place)}
    best = least_travel(place)
    if best is not None:
        ways["least travel"] = best
    rng = np.random.default_rng(0)
    draws = np.array([rng.permutation(done) for _ in range(DRAWS)])
    agree = (draws & done).sum(axis=1)
    before = place.away_m.min(axis=1)
    rows = []
    for way, gone in ways.items():
        extra = (place.away_m[:, ~gone].min(axis=1) - before) * place.people
        same = int((gone & done).sum())
        rows.append(
            {
                "area": place.area,
                "way": way,
                "offices": len(done),
                "closed": place.count,
                "same": same,
                "by_chance": float(agree.mean()),
                "chance_of_as_many": float((agree >= same).mean()),
                "extra_km": float(extra.sum() / place.people.sum() / 1000),
                "beyond_3_miles": int((place.receiver_m(gone)[gone] > THREE_MILES_M).sum()),
            }
        )
    chosen = place.table.assign(**dict(ways.items()), receiver_km=place.receiver_m(done) / 1000)
    return pd.DataFrame(rows), chosen
