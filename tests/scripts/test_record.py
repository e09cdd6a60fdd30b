"""What would have closed: each choice against looking at every other, and a network whose libraries move as the record says."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pandas as pd
import pytest
from repository import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from record import jobcentres, libraries
from record import page as record_page


def town(seed: int) -> libraries.Case:
    """An authority of 9 libraries, of which one closes in 2012 and two in 2015; one opened in 2015 and is no choice."""
    rng = np.random.default_rng(seed)
    xy, at = rng.uniform(0, 12_000, (25, 2)), rng.uniform(0, 12_000, (9, 2))
    people = rng.integers(1, 2_000, 25)
    away = np.hypot(*(xy[:, None] - at[None]).transpose(2, 0, 1))
    since = np.array([0] * 8 + [2015])
    years = {}
    for year in (2012, 2015, 2024):
        there = since <= year
        own = pd.DataFrame({"since": since, "x": at[:, 0], "y": at[:, 1]}, index=range(1, 10))[there]
        years[year] = libraries.Year(own, away[:, there], rng.uniform(2_000, 15_000, 25), (own["since"] < year).to_numpy())
    closures = pd.Series({3: 2012, 1: 2015, 7: 2015})
    names = pd.Series({n: f"Library {n}" for n in range(1, 10)})
    return libraries.Case("Town", xy, people, rng.random(25) < 0.3, closures, names, years)


def toll(case: libraries.Case, way: str, year: int, gone: set[int]) -> int:
    """What one way counts, in whole metres, with these libraries closed."""
    then = case.years[year]
    stay = [n not in gone for n in then.own.index]
    metres = np.minimum(then.away_m[:, stay].round().min(axis=1, initial=np.inf), then.outside_m.round())
    if way == "within 2 miles":
        metres = metres + libraries.BEYOND_M * (metres > libraries.TWO_MILES_M)
    weight = case.people * np.where(case.deprived, libraries.OTHERS_SHARE, 1) if way == "deprived first" else case.people
    return int((metres * weight).sum())


@pytest.mark.parametrize("way", libraries.OURS)
@pytest.mark.parametrize("seed", range(8))
def test_each_year_closes_what_does_least_harm(seed, way):
    case = town(seed)
    chosen = libraries.closed_by(case, way)
    gone: set[int] = set()
    for year, count in case.counts.items():
        left = [n for n, free in zip(case.years[year].own.index, case.years[year].free, strict=True) if free and n not in gone]
        least = min(toll(case, way, year, gone | set(out)) for out in itertools.combinations(left, count))
        now = {n for n, when in chosen.items() if when == year}
        assert len(now) == count
        assert now <= set(left)
        gone |= now
        assert toll(case, way, year, gone) == least


@pytest.mark.parametrize("way", [*libraries.WAYS, libraries.CHANCE])
def test_every_way_closes_as_many_in_the_same_years(way):
    case = town(3)
    gone = libraries.closed_by(case, way, np.random.default_rng(1))
    assert sorted(gone.values()) == sorted(case.closures)
    assert libraries.harm(case, gone)["extra_km"] >= 0


def test_the_rules_of_thumb_do_what_they_say():
    """Three libraries in a row, the middle one near the first: its pair loses the one with fewer residents."""
    xy = np.array([[0.0, 0.0], [1_000.0, 0.0], [9_000.0, 0.0]])
    own = pd.DataFrame({"since": 0, "x": xy[:, 0], "y": xy[:, 1]}, index=[1, 2, 3])
    away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    year = libraries.Year(own, away, np.full(3, 50_000.0), np.ones(3, dtype=bool))
    names = pd.Series({1: "a", 2: "b", 3: "c"})
    years = {2011: year, 2024: year}
    case = libraries.Case("Row", xy, np.array([50, 90, 10]), np.array([True, False, False]), pd.Series({3: 2011}), names, years)
    assert libraries.closed_by(case, "nearest neighbour") == {1: 2011}
    assert libraries.closed_by(case, "smallest first") == {3: 2011}
    harm = libraries.harm(case, {1: 2011})
    assert harm == {"extra_km": pytest.approx(50 / 150), "beyond": 0.0, "deprived_km": pytest.approx(1.0)}
    assert libraries.harm(case, {3: 2011})["beyond"] == 10
    table, chosen = libraries.outcome(case)
    assert table.set_index("way").loc[libraries.AS_DONE, "same"] == 1
    assert table.set_index("way").loc[libraries.CHANCE, "same"] == pytest.approx(1 / 3, abs=0.12)
    said = record_page.summary(table).set_index("way")
    assert said.loc["nearest neighbour", "extra_km_better"] == 1, "50 people a kilometre farther, not 10 people eight"
    assert len(chosen) == len(libraries.WAYS)


def test_a_library_that_is_replaced_close_by_moves_and_does_not_close():
    listed = pd.DataFrame(
        [
            ("Old", "Static Library", "Closed", "2012", "", "0", "0"),
            ("New", "static library", "LA", "", "2013", "900", "0"),
            ("Gone", "Static Library", "Closed", "2014", "", "5000", "0"),
            ("Kept", "Static Library", "C", "", "1970", "9000", "0"),
            ("Van", "Mobile Library", "Closed", "2014", "", "1", "1"),
            ("When", "Static Library", "Closed", "", "", "1", "1"),
            ("Before", "Static Library", "Closed", "2009", "", "1", "1"),
        ],
        columns=["name", "type", "operation_23", "closed", "opened", "easting", "northing"],
    ).assign(authority="Town")
    closures = pd.DataFrame({"row": ["1", "3"], "replacement_row": ["2", ""]})
    net = libraries.network(listed, closures)
    assert net.left_out == {
        "not placed": 0,
        "closed in a year not known": 1,
        "closed before 2010": 1,
        "followed by another within 2 km": 1,
    }
    assert net.closed.to_dict() == {2: 0, 3: 2014, 4: 0}
    assert net.places(2012).loc[2, "x"] == 0, "until the new one opens it is where it was"
    assert net.places(2013).loc[2, "x"] == 900


def test_offices_close_under_the_rule_with_least_travel():
    rng = np.random.default_rng(5)
    for _ in range(12):
        at, homes = rng.uniform(0, 14_000, (7, 2)), rng.uniform(0, 14_000, (20, 2))
        table = pd.DataFrame(
            {"name": list("abcdefg"), "closed": [True, True] + [False] * 5, "consulted": False, "announced": False}
        )
        apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
        away = np.hypot(*(homes[:, None] - at[None]).transpose(2, 0, 1))
        place = jobcentres.Offices("Town", table, apart, away, rng.integers(1, 900, 20))

        def toll(gone, place=place):
            return int((place.away_m.round()[:, ~gone].min(axis=1) * place.people).sum())

        choices = [np.isin(np.arange(7), out) for out in itertools.combinations(range(7), 2)]
        allowed = [gone for gone in choices if (place.receiver_m(gone) <= jobcentres.THREE_MILES_M).all()]
        best = jobcentres.least_travel(place)
        assert (best is None) == (not allowed)
        if best is not None:
            assert toll(best) == min(map(toll, allowed))
            assert (place.receiver_m(best) <= jobcentres.THREE_MILES_M).all()
        every = [np.isin(np.arange(7), out) for k in range(7) for out in itertools.combinations(range(7), k)]
        assert jobcentres.most(place) == max(
            int(gone.sum()) for gone in every if (place.receiver_m(gone) <= jobcentres.THREE_MILES_M).all()
        )
