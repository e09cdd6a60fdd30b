"""One unitary or two: who plays, what passes on, and which consents may be asked for."""

from dataclasses import replace

import numpy as np
import pytest
from repository import WORCESTERSHIRE

from estate.errors import InputError, UsageError
from estate.load import load
from estate.load.reorganise import passed_on
from estate.pipeline.decide import decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.partners import with_partners
from estate.pipeline.prepare import prepare
from estate.scenario import load_scenario

COUNTY = WORCESTERSHIRE
ONE = (
    '{name="one",vesting_date=2016-04-01,'
    'successors=[{agency="W",name="One council",of=["WCC","BDC","RBC","WFDC","MHDC","WDC","WORCESTER"]}]}'
)
TWO = (
    '{name="two",vesting_date=2016-04-01,successors=[{agency="N",name="North",of=["BDC","RBC","WFDC"]},'
    '{agency="S",name="South",of=["MHDC","WORCESTER","WDC","WCC"]}]}'
)
BOTH = f"reorganisation=[{ONE},{TWO}]"


@pytest.fixture(scope="module")
def county():
    return with_partners(decide(prepare(load_scenario(COUNTY, (BOTH,)))))


def test_mappings_stand_beside_today(county):
    table = county.appraisal.tables["reorganisation"].set_index("reorganisation")
    assert table["partners"].to_dict() == {"as today": 13, "one": 7, "two": 8}
    # The same buildings and counters may change, so all together save the same; a council needs nobody's leave for its own.
    assert table["together_gbp_pa"].nunique() == 1
    assert table.loc["one", "alone_gbp_pa"] >= table.loc["two", "alone_gbp_pa"] >= table.loc["as today", "alone_gbp_pa"]


def test_offices_of_what_becomes_one_council_are_named(county):
    """Each district has a council office; the county's one-council mapping has them all, and the two nearest are said."""
    table = county.appraisal.tables["same_service"]
    one = table[(table["reorganisation"] == "one") & (table["service"] == "council_office")].iloc[0]
    points, sites = county.prepared.place.access_points, county.prepared.place.sites
    offices = points[(points["service"] == "council_office") & points["agency"].isin(one["councils"].split(";"))]
    assert one["counters"] == len(offices)
    assert one["buildings_today"] == offices["site_id"].nunique()
    at = sites.loc[offices["site_id"], ["easting_m", "northing_m"]].to_numpy()
    agency = offices["agency"].astype(str).to_numpy()
    apart = min(float(np.hypot(*(at[i] - at[j]))) for i in range(len(at)) for j in range(i) if agency[i] != agency[j])
    assert one["apart_m"] == pytest.approx(apart, abs=0.06)
    two = table[(table["reorganisation"] == "two") & (table["service"] == "council_office")]
    assert two["counters"].sum() <= one["counters"]
    assert not set(table["service"]) & {"jobcentre", "police_desk"}  # no council runs these


@pytest.mark.parametrize(("column", "change"), [("counters", 1), ("buildings_today", -1), ("councils", "WCC")])
def test_the_referee_counts_them_again(county, column, change, monkeypatch):
    monkeypatch.setattr("estate.verify.partners._check_witnesses", lambda *_: iter(()))
    tables = dict(county.appraisal.tables)
    false = tables["same_service"].copy()
    false.loc[0, column] = change if isinstance(change, str) else false.loc[0, column] + change
    failures = judge(replace(stored(county), tables={**tables, "same_service": false})).failures
    assert {issue.code for issue in failures} == {"referee.partners.same-service"}


def test_consents_are_those_of_dissolved_councils_before_vesting(county):
    consents = county.appraisal.tables["consents"]
    receipts = county.appraisal.tables["capital_receipts"]
    heirs = {"WCC", "BDC", "RBC", "WFDC", "MHDC", "WDC", "WORCESTER"}
    assert set(consents["agency"]) <= heirs
    assert (consents["amount_gbp"] > consents["over_gbp"]).all()
    large = receipts[
        (receipts["gross_gbp"] > 100_000) & receipts["agency"].isin(heirs) & (receipts["receipt_year"] <= "2015-16")
    ]
    assert len(consents.query("what == 'disposal of land' and reorganisation == 'one'")) == len(large)


def test_buildings_and_counters_pass_to_successors():
    scenario = load_scenario(COUNTY, (BOTH, "reorganised=one"))
    place, before = load(scenario), load(load_scenario(COUNTY))
    gone = {"WCC", "BDC", "RBC", "WFDC", "MHDC", "WDC", "WORCESTER"}
    assert not gone & set(place.agencies.index)
    for name in ("sites", "access_points"):
        old, new = getattr(before, name)["agency"], getattr(place, name)["agency"]
        assert (new[old.isin(gone)] == "W").all()
        assert (new[~old.isin(gone)] == old[~old.isin(gone)]).all()
    assert place.agencies.loc["W", "kind"] == "local_authority_england"
    assert list(place.agencies.index) == sorted(place.agencies.index)


def test_a_run_under_a_mapping_is_verified_and_pays_its_receipts_to_the_successor():
    outcome = decide(prepare(load_scenario(COUNTY, (BOTH, "reorganised=one"))))
    assert outcome.verdict.ok
    agencies = outcome.appraisal.tables["agencies"].set_index("agency")
    assert agencies.loc["W", "receipts_gbp"] > 0
    assert outcome.manifest["saving_gbp_pa"] == 592_810


def test_what_does_not_fit_is_refused_with_what_was_meant():
    for change, words in (("reorganised=onee", "there is no reorganisation"), (BOTH.replace('"RBC"', '"RBCC"'), "is not a")):
        with pytest.raises(InputError) as refused:
            prepare(load_scenario(COUNTY, (BOTH, change) if change.startswith("reorganised") else (change,)))
        assert any(words in issue.message and issue.remedy for issue in refused.value.issues)


def test_passing_on_to_oneself_changes_nothing_but_the_record():
    place = load(load_scenario(COUNTY))
    from estate.scenario.partners import Reorganisation

    way = Reorganisation(name="same", vesting_date="2028-04-01", successors=({"agency": "WCC", "of": ("WCC",)},))
    again = passed_on(place, way)
    assert list(again.agencies.index) == list(place.agencies.index)
    assert (again.sites["agency"] == place.sites["agency"]).all()
    assert np.array_equal(again.point_site, place.point_site)


SHARED = (
    'reorganisation=[{name="two",vesting_date=2016-04-01,successors=['
    '{agency="N",name="North",of=["BDC","RBC","WFDC","WCC"],districts=["Bromsgrove","Redditch","Wyre Forest"]},'
    '{agency="S",name="South",of=["MHDC","WORCESTER","WDC","WCC"],districts=["Malvern Hills","Worcester","Wychavon"]}]}]'
)


def test_a_county_council_is_shared_between_two_by_district():
    place, before = load(load_scenario(COUNTY, (SHARED, "reorganised=two"))), load(load_scenario(COUNTY))
    mine = before.sites["agency"] == "WCC"
    north = before.sites["district"].isin(["Bromsgrove", "Redditch", "Wyre Forest"])
    assert (place.sites["agency"][mine & north] == "N").all()
    assert (place.sites["agency"][mine & ~north] == "S").all()
    assert (mine & north).sum() > 3
    assert (mine & ~north).sum() > 3
    points = before.access_points["agency"] == "WCC"
    there = north.reindex(before.access_points["site_id"]).to_numpy()
    assert (place.access_points["agency"][points & there] == "N").all()
    assert (place.access_points["agency"][points & ~there] == "S").all()
    assert not {"WCC", "BDC"} & set(place.agencies.index)


@pytest.mark.parametrize(
    ("was", "is_", "words"),
    [
        (',districts=["Malvern Hills","Worcester","Wychavon"]', "", "needs its districts"),
        ('"Wychavon"', '"Redditch"', "is one successor's"),
    ],
)
def test_a_share_without_districts_or_with_one_twice_is_refused(was, is_, words):
    with pytest.raises(UsageError) as refused:
        load_scenario(COUNTY, (SHARED.replace(was, is_),))
    assert any(words in issue.message for issue in refused.value.issues)
