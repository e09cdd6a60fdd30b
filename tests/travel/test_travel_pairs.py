"""Straight-line travel, the rule of which pairs are kept, and the user's own table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estate.errors import InputError
from estate.travel import OwnTable, Points, Straight, Wanted, build_travel, keep, read_table, straight, unreached
from estate.travel.pairs import make_pairs, whole


def points(xy, prefix="p"):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    return Points(xy[:, 0], xy[:, 1], tuple(f"{prefix}{k:03d}" for k in range(len(xy))))


def as_dict(pairs):
    return dict(zip(zip(pairs.from_.tolist(), pairs.to.tolist(), strict=True), pairs.distance_m.tolist(), strict=True))


def test_half_metres_round_up():
    assert whole([0.5, 1.5, 2.4999, 0.0]).tolist() == [1, 2, 2, 0]


def test_straight_is_detour_times_the_line_and_time_follows_the_speed():
    found = straight(points([(0, 0)]), points([(300, 400), (0, 0)]), detour=1.3, speed_kmh=36, wanted=Wanted(limit_m=1e6))
    assert found.distance_m.tolist() == [650, 0]
    assert found.time_s.tolist() == [65, 0]


def test_every_journey_takes_its_fixed_part_and_who_is_there_takes_none():
    found = straight(
        points([(0, 0)]), points([(300, 400), (0, 0)]), detour=1.3, speed_kmh=36, fixed_s=504, wanted=Wanted(limit_m=1e6)
    )
    assert found.distance_m.tolist() == [650, 0]
    assert found.time_s.tolist() == [65 + 504, 0]


def test_kept_are_the_limit_todays_nearest_and_what_is_no_farther():
    zones = points([(0, 0), (10_000, 0)])
    sites = points([(100, 0), (900, 0), (4_000, 0), (9_000, 0), (50_000, 0)])
    wanted = Wanted(limit_m=500, groups={"library": np.array([2]), "police": np.array([4])})
    found = straight(zones, sites, detour=1, speed_kmh=5, wanted=wanted)
    # The first zone's police desk is the farthest site, so all sites are kept; for the second it is 40 km away.
    assert as_dict(found)[0, 4] == 50_000
    assert [to for from_, to in as_dict(found) if from_ == 1] == [0, 1, 2, 3, 4]
    near = straight(zones, sites, detour=1, speed_kmh=5, wanted=Wanted(limit_m=500, groups={"library": np.array([2])}))
    assert as_dict(near) == {(0, 0): 100, (0, 1): 900, (0, 2): 4_000, (1, 2): 6_000, (1, 3): 1_000}


def test_the_nearest_site_is_kept_without_any_rule():
    found = straight(points([(0, 0)]), points([(7_000, 0), (8_000, 0)]), detour=1.2, speed_kmh=5, wanted=Wanted())
    assert as_dict(found) == {(0, 0): 8_400}


def test_a_tolerance_widens_todays_distance():
    zones, sites = points([(0, 0)]), points([(1_000, 0), (1_400, 0), (1_501, 0)])
    today = {"library": np.array([0])}
    found = straight(zones, sites, detour=1, speed_kmh=5, wanted=Wanted(limit_m=0, groups=today, slack_m=500))
    assert as_dict(found) == {(0, 0): 1_000, (0, 1): 1_400}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 4_000), st.floats(0, 2_000), st.floats(0, 900))
def test_straight_agrees_with_every_pair_filtered_and_ignores_row_order(seed, limit_m, limit_s, fixed_s):
    random = np.random.default_rng(seed)
    zones, sites = points(random.integers(0, 9_000, (17, 2))), points(random.integers(0, 9_000, (11, 2)))
    wanted = Wanted(limit_m, limit_s, {"a": np.array([1, 5]), "b": np.array([7])})
    found = straight(zones, sites, detour=1.3, speed_kmh=4.8, fixed_s=fixed_s, wanted=wanted)

    a, b = (each.ravel() for each in np.indices((17, 11)))
    metres = 1.3 * np.hypot(zones.x[a] - sites.x[b], zones.y[a] - sites.y[b])
    every = make_pairs(a, b, whole(metres), whole(metres / (4.8 / 3.6) + fixed_s * (whole(metres) > 0)))
    expected = keep(every, wanted, 17, 11)
    assert as_dict(found) == as_dict(expected)
    assert found.time_s.tolist() == expected.time_s.tolist()

    order, other = random.permutation(17), random.permutation(11)
    place = np.argsort(other)
    turned = straight(
        points(zones.xy[order]),
        points(sites.xy[other]),
        detour=1.3,
        speed_kmh=4.8,
        fixed_s=fixed_s,
        wanted=Wanted(limit_m, limit_s, {"a": place[[1, 5]], "b": place[[7]]}),
    )
    assert {(order[i], other[j]): d for (i, j), d in as_dict(turned).items()} == as_dict(found)


def test_an_empty_side_gives_no_pairs():
    assert len(straight(points([]), points([(1, 1)]), detour=1, speed_kmh=5, wanted=Wanted())) == 0


def frame(**columns):
    return pd.DataFrame({name: [str(value) for value in values] for name, values in columns.items()})


def test_a_table_reads_metres_and_seconds_by_mode():
    table = frame(
        from_id=["z2", "z1", "z1", "z9"],
        to_id=["s1", "s1", "s2", "s1"],
        mode=["bus", "bus", "walk", "bus"],
        distance_m=["1000.5", "20", "7", "1"],
        time_s=["60", "5", "7", "1"],
    )
    found = read_table(table, ["z1", "z2"], ["s1", "s2"], mode="bus")
    assert as_dict(found) == {(0, 0): 20, (1, 0): 1001}
    assert found.time_s.tolist() == [5, 60]


def test_an_r5py_matrix_gives_minutes_at_the_percentile_chosen_and_blank_is_unreachable():
    table = pd.DataFrame(
        {
            "from_id": ["z1", "z1", "z2"],
            "to_id": ["s1", "s2", "s1"],
            "travel_time_p25": [18, 30, np.nan],
            "travel_time_p50": [20, np.nan, np.nan],
        }
    )
    median = read_table(table, ["z1", "z2"], ["s1", "s2"], mode="transit")
    assert (median.from_.tolist(), median.to.tolist(), median.time_s.tolist()) == ([0], [0], [1200])
    assert not median.has_distance
    assert read_table(table, ["z1"], ["s1", "s2"], mode="transit", percentile=25).time_s.tolist() == [1080, 1800]
    with pytest.raises(InputError, match="the table has 25, 50"):
        read_table(table, ["z1"], ["s1"], mode="transit", percentile=75)
    with pytest.raises(InputError, match="no distances"):
        median.measure("distance_m")


def test_r5pys_plain_travel_time_is_the_median():
    table = frame(from_id=["z1"], to_id=["s1"], travel_time=["20.5"])
    assert read_table(table, ["z1"], ["s1"], mode="transit").time_s.tolist() == [1230]
    with pytest.raises(InputError, match="percentile 75"):
        read_table(table, ["z1"], ["s1"], mode="transit", percentile=75)


@pytest.mark.parametrize("figure", ["-1", "2147483647", "inf", "1e30", "twelve"])
def test_a_table_refuses_figures_that_stand_for_something_else(figure):
    table = frame(from_id=["z1", "z1"], to_id=["s1", "s2"], time_s=["10", figure])
    with pytest.raises(InputError) as caught:
        read_table(table, ["z1"], ["s1", "s2"], mode="bus", file="bus.csv")
    (issue,) = caught.value.issues
    assert (issue.where.file, issue.where.row, issue.where.column, issue.where.value) == ("bus.csv", 3, "time_s", figure)


def test_a_table_lists_repeats_halves_and_missing_columns():
    with pytest.raises(InputError, match="also in row 2"):
        read_table(frame(from_id=["z1", "z1"], to_id=["s1", "s1"], time_s=[1, 1]), ["z1"], ["s1"], mode="bus")
    half = frame(from_id=["z1", "z1"], to_id=["s1", "s2"], time_s=[1, 2], distance_m=[5, ""])
    with pytest.raises(InputError, match="distance_m is blank"):
        read_table(half, ["z1"], ["s1", "s2"], mode="bus")
    with pytest.raises(InputError, match="no from_id column"):
        read_table(frame(to_id=["s1"], time_s=[1]), ["z1"], ["s1"], mode="bus")
    with pytest.raises(InputError, match="neither a distance nor a time"):
        read_table(frame(from_id=["z1"], to_id=["s1"]), ["z1"], ["s1"], mode="bus")


def test_a_table_without_site_to_site_pairs_is_an_error_where_moves_are_allowed():
    zones, sites = points([(0, 0), (1, 1)], "z"), points([(0, 0), (1, 1)], "s")
    rows = {"from_id": ["z000", "z001"], "to_id": ["s000", "s001"], "time_s": ["1", "2"]}
    home, between = {"bus": Wanted()}, {"bus": Wanted()}
    with pytest.raises(InputError, match="no site-to-site rows for the mode 'bus'"):
        build_travel(zones, sites, OwnTable(pd.DataFrame(rows)), home=home, between=between)
    rows = {"from_id": [*rows["from_id"], "s000"], "to_id": [*rows["to_id"], "s001"], "time_s": ["1", "2", "3"]}
    travel = build_travel(zones, sites, OwnTable(pd.DataFrame(rows)), home=home, between=between)
    pairs = travel.between["bus"]
    assert list(zip(pairs.from_, pairs.to, pairs.time_s, strict=True)) == [(0, 0, 0), (0, 1, 3), (1, 1, 0)]


def test_unreachable_zones_are_named_and_unknown_ids_are_said():
    zones, sites = points([(0, 0), (1, 1)], "z"), points([(0, 0), (1, 1)], "s")
    table = frame(from_id=["z000", "x"], to_id=["s001", "s001"], time_s=[1, 2])
    wanted = Wanted(groups={"library": np.array([1])})
    travel = build_travel(zones, sites, OwnTable(table), home={"bus": wanted}, between={})
    assert [note.code for note in travel.notes] == ["travel.unknown-id", "travel.unreachable"]
    assert "z001" in travel.notes[1].message
    assert unreached(travel.home["bus"], wanted, 2, 2)["library"].tolist() == [1]


def test_build_by_straight_line_is_repeatable_and_knows_its_modes():
    zones, sites = points([(0, 0), (5_000, 1)], "z"), points([(0, 9), (1, 1)], "s")
    way = Straight(1.3, {"walk": 4.8, "drive": 40})
    wanted = {"walk": Wanted(limit_m=10_000)}
    first = build_travel(zones, sites, way, home=wanted, between=wanted)
    assert first.digest == build_travel(zones, sites, way, home=wanted, between=wanted).digest
    assert first.between["walk"].distance_m.tolist() == [0, 10, 10, 0]
    with pytest.raises(InputError, match="'bus'"):
        build_travel(zones, sites, way, home={"bus": Wanted()}, between={})


def test_each_mode_may_be_measured_in_its_own_way():
    zones, sites = points([(0, 0)], "z"), points([(300, 400)], "s")
    bus = OwnTable(frame(from_id=["z000"], to_id=["s000"], time_s=[60]))
    ways = {"drive": Straight(1.2, {"drive": 30}, {"drive": 90}), "bus": bus}
    travel = build_travel(zones, sites, ways, home={"drive": Wanted(), "bus": Wanted()}, between={"drive": Wanted()})
    assert travel.home["drive"].distance_m.tolist() == [600]
    assert travel.home["bus"].time_s.tolist() == [60]
    assert travel.method == "bus: the travel table travel; drive: straight line x 1.2, and 1.5 min a journey (drive)"
    assert travel.home["drive"].time_s.tolist() == [72 + 90]
    with pytest.raises(InputError, match="'walk', and nothing measures it"):
        build_travel(zones, sites, ways, home={"walk": Wanted()}, between={})


def test_twenty_minutes_by_public_transport_from_an_r5py_matrix():
    """The path that the README describes: r5py's table as saved, a rule in minutes, a percentile chosen."""
    zones, sites = points([(0, 0), (1, 1), (2, 2)], "z"), points([(0, 0), (9, 9)], "s")
    ends = [("z000", "s000"), ("z000", "s001"), ("z001", "s000"), ("z001", "s001"), ("s000", "s001"), ("s001", "s000")]
    matrix = pd.DataFrame(ends, columns=["from_id", "to_id"])
    matrix["travel_time_p50"] = [12, 20, 21, np.nan, 15, 16]
    matrix["travel_time_p85"] = [15, 26, 30, np.nan, 19, 22]
    ask = {"transit": Wanted(limit_s=20 * 60, groups={"library": np.array([0, 1])})}
    for percentile, within in ((50, {(0, 0), (0, 1)}), (85, {(0, 0)})):
        travel = build_travel(zones, sites, OwnTable(matrix, percentile), home=ask, between=ask)
        home = travel.home["transit"]
        near = home.measure("time_s") <= 1200
        assert set(zip(home.from_[near].tolist(), home.to[near].tolist(), strict=True)) == within
        assert [note.code for note in travel.notes] == ["travel.unreachable"]
        assert travel.notes[0].message == "1 zones cannot reach any library by transit today: z002"
        assert len(travel.between["transit"]) == 4
