"""What changes for people: every figure against a plain recomputation, person by person."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import scenario_with, tiny_place, tiny_plan, tiny_scenario
from straight import straight_travel

from estate.appraise.access import (
    SAME,
    Reach,
    access_table,
    affected_table,
    group_columns,
    label_columns,
    reach,
    weighted_quantile,
    zone_table,
)
from estate.appraise.inequality import gini, inequality_table, kolm_pollak
from estate.appraise.unknowns import unknowns_table
from estate.place import todays_plan
from estate.standards.measured import Measured
from estate.travel import TravelTables


@pytest.fixture(scope="module")
def measured():
    place, scenario = tiny_place(), tiny_scenario()
    rules = straight(place, scenario)
    return place, scenario, reach(rules, todays_plan(place)), reach(rules, tiny_plan(place))


def straight(place, scenario):
    """The rules measured by straight line."""
    return Measured.of(place, scenario, straight_travel(place, scenario))


def nearest_by_hand(place, plan, service, zone, detour):
    points = [i for i, s in enumerate(place.access_points["service"]) if s == service]
    at = place.zones.loc[zone]
    return min(
        np.floor(detour * np.hypot(at["easting_m"] - site["easting_m"], at["northing_m"] - site["northing_m"]) + 0.5)
        for site in (place.sites.iloc[plan.host[i]] for i in points)
    )


def test_every_zone_and_service_by_hand(measured):
    place, scenario, before, after = measured
    table = zone_table(straight(place, scenario), before, after)
    assert len(table) == len(place.zones) * len(place.services)
    for row in table.itertuples():
        for name, plan in (("before", todays_plan(place)), ("after", tiny_plan(place))):
            expected = nearest_by_hand(place, plan, row.service, row.zone_id, scenario.travel.detour)
            assert getattr(row, f"distance_{name}_m") == expected


def test_access_by_group_counts_every_person_once(measured):
    place, scenario, before, after = measured
    table = access_table(straight(place, scenario), before, after)
    people = place.zones["population"].sum()
    for service in place.services:
        rows = table[table["service"] == service]
        for column in ("everyone", *label_columns(place)):
            assert rows.loc[rows["group"] == column, "people"].sum() == people
        everyone = rows[rows["group"] == "everyone"].iloc[0]
        districts = rows[rows["group"] == "district"]
        for figure in ("better_off", "worse_off"):
            assert districts[figure].sum() == everyone[figure]


def two_limits(place, **given):
    """Towns are held to 2 km of a library, the country to 30 km; ``given`` changes the second rule."""
    own = {"service": "library", "measure": "home-to-site"}
    return scenario_with(
        standards=[
            {"name": "town", "limit": "2 km", "where": {"rural_urban": "urban"}, **own},
            {"name": "country", "limit": "30 km", "where": {"rural_urban": "rural"}, **own, **given},
        ]
    )


def test_everybody_is_measured_by_their_own_limit(measured):
    place, *_ = measured
    measure = straight(place, two_limits(place))
    now = reach(measure, todays_plan(place))
    zones = zone_table(measure, now, now)
    mine = zones[zones["service"] == "library"].set_index("zone_id")
    own = place.zones["rural_urban"].map({"urban": 2_000, "rural": 30_000}).reindex(mine.index)
    assert (mine["limit_m"] == own).all()
    assert (mine["within_before"] == (mine["distance_before_m"] <= own).map({True: "yes", False: "no"})).all()
    table = access_table(measure, now, now).set_index(["service", "group", "value"])
    limits = {key: table.loc[("library", *key), "limit"] for key in (("everyone", ""), ("rural_urban", "rural"))}
    assert limits == {("everyone", ""): "2 km or 30 km", ("rural_urban", "rural"): "30 km"}
    inside = place.zones["population"][mine["within_before"].reindex(place.zones.index) == "yes"].sum()
    assert table.loc[("library", "everyone", ""), "within_before"] == inside


def test_who_is_under_no_limit_is_neither_within_nor_beyond_one(measured):
    place, *_ = measured
    measure = straight(place, two_limits(place, where={"rural_urban": "nowhere"}))
    now = reach(measure, todays_plan(place))
    zones = zone_table(measure, now, now).merge(place.zones["rural_urban"], left_on="zone_id", right_index=True)
    rural = zones[(zones["service"] == "library") & (zones["rural_urban"] == "rural")]
    assert len(rural) > 0
    assert (rural["within_before"] == "").all()
    assert rural["limit_m"].isna().all()
    table = access_table(measure, now, now).set_index(["service", "group", "value"])
    everyone, country = table.loc[("library", "everyone", "")], table.loc[("library", "rural_urban", "rural")]
    assert everyone["under_limit"] == everyone["people"] - country["people"]
    assert country["under_limit"] == 0
    assert country["limit"] == ""
    assert country[["within_before", "within_after"]].isna().all()


def test_a_limit_for_some_people_gives_way_to_the_limit_for_everyone(measured):
    place, *_ = measured
    own = {"service": "library", "measure": "home-to-site"}
    rules = [{"name": "old", "people": "age65", "limit": "1 km", **own}, {"name": "all", "limit": "5 km", **own}]
    measure = straight(place, scenario_with(standards=rules))
    assert [rule.name for rule, _ in measure.own_rules["library"]] == ["all"]
    alone = straight(place, scenario_with(standards=rules[:1]))
    assert [rule.name for rule, _ in alone.own_rules["library"]] == ["old"]


def test_better_and_worse_off_by_hand(measured):
    place, scenario, before, after = measured
    zones = zone_table(straight(place, scenario), before, after)
    table = access_table(straight(place, scenario), before, after)
    table = table[table["group"] == "everyone"].set_index("service")
    for service, rows in zones.groupby("service"):
        change = (rows["distance_after_m"] - rows["distance_before_m"]).astype(int)
        worse = rows["population"][change > SAME["m"]].sum()
        assert table.loc[service, "worse_off"] == worse
        assert table.loc[service, "better_off"] == rows["population"][change < -SAME["m"]].sum()


def test_groups_are_found_by_what_the_columns_hold():
    place = tiny_place()
    assert label_columns(place) == ("imd_decile", "district", "rural_urban") or set(label_columns(place)) == {
        "imd_decile",
        "district",
        "rural_urban",
    }
    assert set(group_columns(straight(place, scenario_with()))) == {"age65", "no_car"}


def test_a_table_of_minutes_tells_the_same_in_seconds(measured, monkeypatch):
    """Public transport has times and no distances: nobody may then seem unharmed because a column of metres is blank."""
    monkeypatch.setitem(SAME, "s", SAME["m"])
    place, scenario, before, after = measured
    timed = [Reach(each.site, np.full_like(each.distance_m, -1), each.distance_m, each.within) for each in (before, after)]
    metres, seconds = access_table(straight(place, scenario), before, after), access_table(straight(place, scenario), *timed)
    for column in ("worse_mean_m", "mean_after_m", "p95_before_m"):
        assert seconds[f"{column[:-2]}_s"].equals(metres[column])
        assert column not in seconds
    far, long = affected_table(place, before, after), affected_table(place, *timed)
    assert len(far) > 0
    assert long["longer_s"].tolist() == far["farther_m"].tolist()
    assert long["farther_m"].isna().all()
    assert "longer_s" not in far
    assert (
        inequality_table(place, *timed)["ede_after_s"].tolist()
        == inequality_table(place, before, after)["ede_after_m"].tolist()
    )


def test_unreachable_is_a_blank_and_is_counted(measured):
    place, scenario, *_ = measured
    travel = straight_travel(place, scenario)
    drive = travel.home["drive"]
    cut = TravelTables({"drive": drive.take(drive.from_ != 5)}, travel.between)
    now = reach(Measured.of(place, scenario, cut), todays_plan(place))
    zones = zone_table(straight(place, scenario), now, now)
    lost = zones[zones["zone_id"] == place.zones.index[5]]
    assert lost["distance_before_m"].isna().all()
    assert (lost["site_before"] == "").all()
    table = access_table(straight(place, scenario), now, now)
    assert (table.loc[table["group"] == "everyone", "unreached"] == place.zones["population"].iloc[5]).all()


def test_the_worst_affected_come_first(measured):
    place, _, before, after = measured
    table = affected_table(place, before, after)
    assert (table["farther_m"].diff().dropna() <= 0).all()
    assert (table["farther_m"] == table["distance_after_m"] - table["distance_before_m"]).all()


weights = st.lists(st.tuples(st.integers(0, 50_000), st.integers(1, 60)), min_size=1, max_size=30)


@given(weights, st.sampled_from([0.05, 0.5, 0.95]))
def test_quantiles_are_those_of_the_people_themselves(pairs, share):
    value, weight = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    everyone = np.repeat(value, weight.astype(int))
    assert weighted_quantile(value, weight, share) == np.quantile(everyone, share, method="inverted_cdf")


@given(weights)
def test_gini_is_the_mean_difference_of_the_people_themselves(pairs):
    value, weight = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    everyone = np.repeat(value, weight.astype(int))
    if everyone.sum():
        by_hand = np.abs(everyone[:, None] - everyone[None, :]).mean() / (2 * everyone.mean())
        assert gini(value, weight) == pytest.approx(by_hand, abs=1e-9)
    else:
        assert np.isnan(gini(value, weight))


@given(weights)
def test_kolm_pollak_penalises_spread_and_keeps_equality(pairs):
    value, weight = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    kappa = -0.0005
    found = kolm_pollak(value, weight, kappa)
    assert np.average(value, weights=weight) - 1e-6 <= found <= value.max() + 1e-6
    assert kolm_pollak(np.full(len(value), 750.0), weight, kappa) == pytest.approx(750)
    # Everybody a kilometre farther is exactly a kilometre worse: what Kolm-Pollak has and Atkinson has not.
    assert kolm_pollak(value + 1000, weight, kappa) == pytest.approx(found + 1000)


def test_the_aversion_comes_from_the_baseline_and_is_printed(measured):
    place, _, before, after = measured
    table = inequality_table(place, before, after)
    assert (table["aversion_kappa_per_m"] < 0).all()
    same = inequality_table(place, before, before)
    assert (same["ede_before_m"] == same["ede_after_m"]).all()
    assert isinstance(table, pd.DataFrame)


def test_what_is_not_known_follows_from_what_the_place_lacks(measured):
    """A column that is filled, or a table that is given, takes its line away."""
    place, scenario, _, after = measured
    travel = straight_travel(place, scenario)
    bare = replace(place, zones=place.zones.drop(columns=["no_car"], errors="ignore"))
    lines = unknowns_table(Measured.of(bare, scenario, travel), after)
    expected = {"public transport", "streets", "where people live", "car ownership", "protected characteristics"}
    assert expected <= set(lines["topic"])
    assert (lines != "").all().all()

    fuller = replace(place, zones=place.zones.assign(no_car=1, disabled=1, women=1, imd_decile=range(len(place.zones))))
    bus = replace(travel, home={**travel.home, "transit": travel.home["drive"]}, method="the travel table bus")
    found = unknowns_table(Measured.of(fuller, scenario, bus), after).set_index("topic")["not_known"]
    assert not {"public transport", "streets", "car ownership", "deprivation"} & set(found.index)
    ranked = replace(place, zones=place.zones.drop(columns=["imd_decile"], errors="ignore").assign(imd_rank=1))
    assert "deprivation" not in set(unknowns_table(Measured.of(ranked, scenario, travel), after)["topic"]), "the page shows it"
    assert "disability" not in found["protected characteristics"]
    assert "sex " not in found["protected characteristics"]
    assert "race" in found["protected characteristics"]


def test_people_who_cannot_get_there_are_named(measured):
    place, scenario, _, after = measured
    site = after.site.copy()
    site[0, 0] = -1
    lines = unknowns_table(straight(place, scenario), replace(after, site=site)).set_index("topic")
    assert str(place.zones["name"].iloc[0] or place.zones.index[0]) in lines.loc["out of reach", "not_known"]
