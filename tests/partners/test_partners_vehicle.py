"""A single property vehicle: whether it holds together, by rule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import WORCESTERSHIRE
from starter import make

from estate.partners.vehicle import EQUAL, IN_PROPORTION, unravelling
from estate.pipeline.decide import decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.partners import with_partners
from estate.pipeline.prepare import prepare
from estate.scenario import load_scenario

COUNTY = WORCESTERSHIRE
SIX = 'vehicle={members=["WCC","WMP","RBC","WORCESTER","WDC","WFDC"],overhead_gbp_pa=300000,overhead="equal"}'

ALONE = np.array([200, 160, 120, 110, 105, 95]) * 100_000
NOTHING = np.zeros(6, dtype=np.int64)


def test_equal_shares_of_an_overhead_unravel():
    """600 shared by six who would pay 200 to 95 by themselves (thousands): the 95 leaves, then others, until nobody is left."""
    steps = unravelling(60_000_000, NOTHING, ALONE, EQUAL)
    assert [int(ALONE[step.leaves] / 100_000) for step in steps] == [95, 105, 110, 120, 160, 200]
    assert [int(step.charge[0] / 100_000) for step in steps] == [100, 120, 150, 200, 300, 600]


def test_shares_in_proportion_hold():
    steps = unravelling(60_000_000, NOTHING, ALONE, IN_PROPORTION)
    assert len(steps) == 1
    assert steps[0].leaves == -1
    assert steps[0].charge / 100_000 == pytest.approx([151.90, 121.52, 91.14, 83.54, 79.75, 72.15], abs=0.005)


@given(
    st.integers(0, 10**7), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=7),
    st.sampled_from([EQUAL, IN_PROPORTION]),
)  # fmt: skip
def test_charges_cover_costs_and_who_stays_pays_no_more_than_alone(overhead, members, rule):
    space, alone = (np.array(each, dtype=np.int64) for each in zip(*members, strict=True))
    steps = unravelling(overhead, space, alone, rule)
    for step in steps:
        assert step.charge.sum() == overhead + space[list(step.members)].sum()
    last = steps[-1]
    if last.leaves < 0:
        assert (last.charge <= alone[list(last.members)]).all()
    else:
        assert len(last.members) == 1


@pytest.fixture(scope="module")
def county():
    return with_partners(decide(prepare(load_scenario(COUNTY, (SIX,)))))


def test_six_equal_shareholders_of_the_county_would_not_stay(county):
    """An overhead of 300,000 shared equally is more than it brings the districts: as Place Partnership lost its partners."""
    tables = county.appraisal.tables
    assert tables["vehicle"]["charge_for_overhead_gbp_pa"].tolist() == [50_000.0] * 6
    assert tables["vehicle"]["equity_percent"].sum() == pytest.approx(100, abs=0.01)
    equal = tables["unravelling"].query("overhead_shared == 'equal' and leaves == 'yes'")
    assert len(equal) == 6
    assert equal["agency"].iloc[0] == "RBC"


@pytest.mark.parametrize(
    ("table", "column", "fault"),
    [
        ("vehicle", "charge_for_overhead_gbp_pa", "vehicle.members"), ("vehicle", "equity_percent", "vehicle.members"),
        ("unravelling", "charge_gbp_pa", "vehicle.unravelling"), ("vehicle_titles", "value_gbp", "vehicle.brought-in"),
        ("vehicle_books", "amount_gbp", "vehicle.books"), ("vehicle", "sales_by_equity_gbp", "vehicle.sums"),
    ],
)  # fmt: skip
def test_the_referee_reads_the_vehicle(county, table, column, fault):
    tables = dict(county.appraisal.tables)
    false = tables[table].copy()
    false.loc[0, column] += 10
    found = judge(replace(stored(county), tables={**tables, table: false}))
    assert fault in {issue.code.removeprefix("referee.") for issue in found.failures}


def test_an_unknown_member_is_refused_with_what_was_meant():
    from estate.errors import InputError

    with pytest.raises(InputError) as refused:
        prepare(load_scenario(COUNTY, (SIX.replace('"WDC"', '"WDCC"'),)))
    assert any("WDC" in issue.remedy for issue in refused.value.issues)


# ------------------------------------------------------------------------------------------------------ titles and books

LINES = ("capital_receipt", "disposal_from_receipt", "disposal_to_revenue", "revenue_sum", "holding_cost", "residual_value")
MEMBERS = {"WCC", "WMP", "RBC", "WORCESTER", "WDC", "WFDC"}


@pytest.fixture(scope="module")
def with_and_without():
    return [decide(prepare(load_scenario(COUNTY, changes))) for changes in ((SIX,), (), (SIX, "vehicle.holds_titles=false"))]


def test_titles_pass_and_nothing_else_changes_hands(with_and_without):
    """Freeholds of members are the vehicle's, others' stay; what each pays a year for its space is to the penny what it was."""
    vested, before, managed = (each.prepared.place for each in with_and_without)
    title, was = vested.sites["agency"].astype(str), before.sites["agency"].astype(str)
    passed = was.isin(MEMBERS) & (before.sites["tenure"] == "freehold")
    assert passed.sum() > 20
    assert (title[passed] == "VEHICLE").all()
    assert (title[~passed] == was[~passed]).all()
    assert vested.keeper.tolist() == was.tolist()
    assert managed.sites.equals(before.sites)
    books = [each.appraisal.tables["agencies"].set_index("agency") for each in with_and_without]
    columns = ["cost_before_gbp_pa", "cost_after_gbp_pa", "gain_gbp_pa"]
    assert books[0].loc[before.agencies.index, columns].equals(books[1][columns])
    assert not books[0].loc["VEHICLE", columns].any()
    assert books[2].equals(books[1])


def test_what_titles_bring_is_in_the_vehicles_books(with_and_without):
    """Sales and their cost are entered for the vehicle where a member had them, under the law of its own kind."""
    vested, before, _ = (each.appraisal.tables["ledger"] for each in with_and_without)
    of = before["agency"].where(~(before["agency"].isin(MEMBERS) & before["line"].isin(LINES)), "VEHICLE")
    keys = ["agency", "year", "line", "site_id", "access_point_id"]
    want = before.assign(agency=of).set_index(keys)["amount_gbp"].sort_index()
    assert vested.set_index(keys)["amount_gbp"].sort_index().equals(want)
    receipts = with_and_without[0].appraisal.tables["capital_receipts"].set_index("agency").loc["VEHICLE"]
    assert set(receipts["agency_kind"]) == {"other"}
    assert receipts["net_receipt_gbp"].sum() == 1_024_400


def test_a_title_in_the_wrong_hands_is_found(with_and_without):
    from estate.verify.case import case_of
    from estate.verify.vehicle import check_titles

    prepared = with_and_without[0].prepared
    case = case_of(prepared.place, prepared.scenario, prepared.travel)
    assert not next(check_titles(case)).broken
    site = next(site for site, row in case.sites.items() if row["agency"] == "VEHICLE")
    false = {**case.sites, site: {**case.sites[site], "agency": "WCC"}}
    assert next(check_titles(replace(case, sites=false))).broken == (site,)


def test_who_stays_out_keeps_its_titles():
    place = prepare(load_scenario(COUNTY, (SIX, 'rules.out=["WMP"]'))).place
    assert not (place.brought_in_by == "WMP").any()
    assert (place.sites["agency"] == "WMP").any()


@pytest.mark.parametrize(
    ("change", "column"), [('vehicle.agency="DWP"', "vehicle.agency"), ('vehicle.kind="company"', "vehicle.kind")]
)
def test_a_vehicle_that_does_not_fit_is_refused(change, column):
    from estate.errors import InputError

    with pytest.raises(InputError) as refused:
        prepare(load_scenario(COUNTY, (SIX, change)))
    assert any(issue.where is not None and issue.where.column == column and issue.remedy for issue in refused.value.issues)


def test_the_vehicles_books_add_up_to_nothing_and_hold_the_sales(county):
    books, titles = (county.appraisal.tables[name] for name in ("vehicle_books", "vehicle_titles"))
    assert (books.groupby("year")["amount_gbp"].sum().round(2) == 0).all()
    lines = books.groupby("line")["amount_gbp"].sum()
    assert lines["sales"] + lines["cost of sales"] == pytest.approx(titles["receipt_gbp"].sum())
    assert lines["shared out by equity"] == pytest.approx(-titles["receipt_gbp"].sum())
    assert lines["charged for overhead"] == -lines["overhead"]
    value = county.appraisal.tables["vehicle"].set_index("agency")["value_in_gbp"]
    assert titles.groupby("brought_in_by")["value_gbp"].sum().to_dict() == value.to_dict()


@pytest.mark.parametrize("equity", ["value", "equal"])
def test_annual_equivalents_of_members_have_their_share_of_the_vehicle(tmp_path, equity):
    """With every kind of entry in the books, the referee agrees; what all save is shared to the penny, none of it lost."""
    members = f'vehicle={{members=["council","police"],equity="{equity}"}}'
    changes = (
        members, "money.objective=annual-equivalent", "money.backlog_year=2", "money.residual_value=true",
        "money.holding_share={office=0.3,library=0.3,police=0.3}",
    )  # fmt: skip
    found = with_partners(decide(prepare(load_scenario(make(tmp_path), changes))))
    tables = found.appraisal.tables
    falls = tables["shares"].query("way == 'as the plan falls'").set_index("agency")["gain_gbp_pa"]
    together = found.manifest["partners"]["together_gbp_pa"]
    assert falls.sum() == pytest.approx(together, abs=0.02)
    own = tables["agencies"].set_index("agency")["annual_equivalent_gain_gbp_pa"]
    share = tables["vehicle"].set_index("agency")["equity_percent"] / 100
    for agency in ("council", "police"):
        assert falls[agency] == pytest.approx(own[agency] + own["VEHICLE"] * share[agency], abs=0.05)
    shares = {"value": 670_000 / 3_160_000, "equal": 0.5}
    assert share["police"] == pytest.approx(shares[equity], abs=1e-4)


def test_the_page_says_whether_the_vehicle_holds(county):
    from estate.page.partners import vehicle_notes

    equal, shared = vehicle_notes(county.appraisal.tables["unravelling"])
    assert equal.startswith("A property vehicle whose overhead is shared equally does not hold: Redditch Borough Council,")
    assert "in proportion" in shared
    assert vehicle_notes(county.appraisal.tables["unravelling"].iloc[:0]) == []
