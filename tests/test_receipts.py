"""Capital receipts: each rule on both sides of its boundary."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import plan_of, tiny_place, tiny_plan, tiny_scenario

from estate.appraise.ledger import ledger, ledger_table
from estate.appraise.receipts import receipts_table
from estate.errors import InputError
from estate.money.costs import pence
from estate.money.release import gross_release_gbp, leaving_years, net_release_gbp, release
from estate.place import todays_plan
from estate.travel import Travel
from estate.verify import referee_tables


def sale(base_year=2025, agency="county", **cells):
    """The row of a library sold by the county, with some of its cells replaced."""
    site = {"agency": agency, "years_to_sale": 1.0, **cells}
    place = tiny_place(sites={"library": site})
    host = place.access_points["site_id"].to_dict() | {"p2": "hall"}
    table = receipts_table(place, tiny_scenario(base_year=base_year), plan_of(place, host))
    return table.set_index("site_id").loc["library"]


@pytest.mark.parametrize(
    ("price", "receipt", "revenue"),
    [(10_000.00, 0.0, 10_000.00), (10_000.01, 10_000.01, 0.0), (9_999.99, 0.0, 9_999.99), (1.0, 0.0, 1.0)],
)
def test_ten_thousand_pounds_or_less_is_revenue_not_nil(price, receipt, revenue):
    # SI 2003/3146 regulation 10: a capital receipt must exceed 10,000 pounds.
    row = sale(market_value_gbp=price, disposal_cost_gbp=0.0)
    assert (row.net_receipt_gbp, row.revenue_sum_gbp) == (receipt, revenue)
    assert "regulation 10" in row.rule
    assert ("revenue" in row.why_nil) == (revenue > 0)


def test_the_line_is_on_the_gross_sum_and_binds_only_the_kinds_it_names():
    assert sale(market_value_gbp=10_200.0, disposal_cost_gbp=400.0).revenue_sum_gbp == 0
    police = sale(agency="police", market_value_gbp=9_000.0, disposal_cost_gbp=500.0)
    assert (police.net_receipt_gbp, police.revenue_sum_gbp, police.disposal_to_revenue_gbp) == (8_500.0, 0.0, 0.0)
    assert police.rule == "no rule in this table applies to a police body"


@pytest.mark.parametrize(
    ("cost", "met", "to_revenue"),
    [(3_999.99, 3_999.99, 0.0), (4_000.00, 4_000.00, 0.0), (4_000.01, 4_000.00, 0.01), (9_000.0, 4_000.0, 5_000.0)],
)
def test_a_receipt_meets_sale_costs_up_to_four_per_cent(cost, met, to_revenue):
    # SI 2003/3146 regulation 23(h).
    row = sale(market_value_gbp=100_000.0, disposal_cost_gbp=cost)
    assert row.disposal_met_from_receipt_gbp == met
    assert row.disposal_to_revenue_gbp == to_revenue
    assert row.net_receipt_gbp == pytest.approx(100_000 - met, abs=1e-9)
    assert row.rule == "SI 2003/3146 regulation 10, 23(h), 23"


def test_four_per_cent_is_never_exceeded_by_rounding():
    row = sale(market_value_gbp=10_000.37, disposal_cost_gbp=9_000.0)  # 4% is 400.0148
    assert row.disposal_met_from_receipt_gbp == 400.01


def test_costs_of_a_small_sum_are_revenue():
    row = sale(market_value_gbp=8_000.0, disposal_cost_gbp=300.0)
    assert (row.disposal_met_from_receipt_gbp, row.disposal_to_revenue_gbp, row.revenue_sum_gbp) == (0.0, 300.0, 8_000.0)


@pytest.mark.parametrize(
    ("price", "flag", "words"),
    [
        (3_000_000.00, False, "within the General Disposal Consent"),
        (2_999_999.99, True, "Secretary of State's consent"),
        (5_000_000.00, False, ""),
        (5_500_000.00, False, ""),
    ],
)
def test_under_value_beyond_two_million_needs_consent(price, flag, words):
    # LGA 1972 s123; General Disposal Consent (England) 2003: the difference may not exceed 2,000,000 pounds.
    row = sale(market_value_gbp=5_000_000.0, agreed_price_gbp=price)
    assert bool(row.under_value_flag) is flag
    assert words in row.consent
    assert bool(row.consent) == bool(words)
    assert row.gross_gbp == price
    assert row.low_gbp == row.high_gbp == price


@pytest.mark.parametrize(
    ("value", "flag", "words"),
    [
        (5_000_000.0, True, "Secretary of State's consent"),
        (2_000_000.0, False, "within the General Disposal"),
        (0.0, False, ""),
    ],
)
def test_a_building_given_away_is_under_value_by_all_of_it(value, flag, words):
    # LGA 1972 s123 and the 2003 consent: a transfer for nothing is a disposal too.
    row = sale(market_value_gbp=value, agreed_price_gbp=0.0, disposal_cost_gbp=400.0)
    assert bool(row.under_value_flag) is flag
    assert words in row.consent
    assert bool(row.consent) == bool(words)
    assert (row.net_receipt_gbp, row.revenue_sum_gbp, row.disposal_to_revenue_gbp) == (0.0, 0.0, 400.0)
    assert row.why_nil == "agreed to go for nothing"


@pytest.mark.parametrize("cells", [{"tenure": "leasehold"}, {"agency": "landlord"}, {"tenure": "pfi"}])
def test_what_is_not_a_public_freehold_needs_no_consent(cells):
    row = sale(market_value_gbp=5_000_000.0, agreed_price_gbp=0.0, **cells)
    assert (bool(row.under_value_flag), row.consent) == (False, "")


@pytest.mark.parametrize(
    ("site", "money"),
    [
        ({"market_value_gbp": 5_000_000.0, "agreed_price_gbp": 0.0}, {}),
        ({"market_value_gbp": 5_000_000.0, "agreed_price_gbp": 2_999_999.99}, {}),
        ({"market_value_gbp": 10_000.0}, {}),
        ({"tenure": "pfi", "lease_end": "2040-03-31"}, {"pfi_exit_gbp": {"library": 70_000}}),
    ],
)
def test_the_referee_says_the_same(site, money):
    place, scenario = tiny_place(sites={"library": site}), tiny_scenario(**money)
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p2": "hall"})
    tables = {"capital_receipts": receipts_table(place, scenario, plan),
              "ledger": ledger_table(place, scenario, ledger(place, scenario, plan))}  # fmt: skip
    assert referee_tables(place, scenario, Travel({}, {}), plan, tables) == ()


def test_no_consent_rule_for_others():
    row = sale(agency="police", market_value_gbp=5_000_000.0, agreed_price_gbp=1_000_000.0)
    assert not row.under_value_flag
    assert "no rule in this table applies" in row.consent


@pytest.mark.parametrize(
    ("base_year", "words"),
    [
        (2013, "closed: no direction in this table names 2015-16"),
        (2014, "open in 2016-17"),
        (2023, "open in 2025-26"),
        (2027, "open in 2029-30"),
        (2028, "closed: no direction in this table names 2030-31"),
    ],
)
def test_flexible_use_by_the_year_of_the_receipt(base_year, words):
    # Directions under the Local Government Act 2003 ss16(2)(b), 20: the receipt falls two years after the base year.
    row = sale(base_year=base_year)
    assert row.flexible_use.startswith(words)


def test_flexible_use_is_not_said_of_other_bodies_or_of_revenue():
    assert sale(agency="police").flexible_use == "no rule in this table applies to a police body"
    assert sale(market_value_gbp=5_000.0).flexible_use == "not needed: the sum is revenue"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"tenure": "leasehold"}, "leasehold: the landlord keeps the building"),
        ({"tenure": "pfi"}, "PFI contract with no exit price"),
        ({"tenure": "private"}, "private landlord: no public receipt"),
        ({"agency": "landlord"}, "private owner: no public receipt"),
        ({"market_value_gbp": None}, "no valuation is given"),
        ({"market_value_gbp": 0.0}, "valued at nothing"),
    ],
)
def test_why_nothing_comes_in(cells, why):
    row = sale(**cells)
    assert (row.gross_gbp, row.net_receipt_gbp, row.revenue_sum_gbp) == (0.0, 0.0, 0.0)
    assert row.why_nil == why
    assert row.receipt_year == row.flexible_use == row.rule == ""


def test_receipts_follow_title():
    place = tiny_place()
    table = receipts_table(place, tiny_scenario(), tiny_plan(place)).set_index("site_id")
    assert list(table.index) == ["jobcentre", "station"]
    assert table.loc["jobcentre", "net_receipt_gbp"] == 0  # a lease: closing a Jobcentre brings its occupier nothing
    assert (table.loc["station", "agency"], table.loc["station", "net_receipt_gbp"]) == ("police", 285_000.0)


def test_range_and_assumptions_are_carried():
    cells = {"value_low_gbp": 300_000.0, "value_high_gbp": 450_000.0}
    row = sale(**cells, illustrative="market_value_gbp; running_cost_gbp_pa,disposal_cost_gbp")
    assert (row.low_gbp, row.gross_gbp, row.high_gbp) == (300_000.0, 400_000.0, 450_000.0)
    assert row.illustrative == "market_value_gbp;disposal_cost_gbp"


def test_a_year_outside_the_table_is_an_error():
    place = tiny_place()
    for year in (2011, 2030):
        with pytest.raises(InputError, match="outside the table"):
            receipts_table(place, tiny_scenario(base_year=year), tiny_plan(place))


def test_a_plan_that_closes_nothing_has_no_rows_but_all_columns():
    place = tiny_place()
    table = receipts_table(place, tiny_scenario(), todays_plan(place))
    assert len(table) == 0
    full = receipts_table(place, tiny_scenario(), tiny_plan(place))
    assert [str(kind).replace("str", "object") for kind in table.dtypes] == [
        str(kind).replace("str", "object") for kind in full.dtypes
    ]


@pytest.mark.parametrize(
    ("cells", "leave"),
    [
        ({}, 1.0),
        ({"lease_end": "2026-03-31"}, 1.0),  # ends on the last day of year 0: free on the first of year 1
        ({"lease_end": "2026-04-01"}, 1 + 1 / 365),
        ({"lease_end": "2020-12-31"}, 1.0),  # holding over
        ({"lease_end": "2030-03-31"}, 5.0),
        ({"lease_end": "2030-03-31", "lease_break": "2027-03-31"}, 2.0),
        ({"lease_end": "2030-03-31", "lease_break": "2024-09-29"}, 1.0),  # could be broken already
        ({"lease_end": "2027-09-30"}, 2 + 183 / 366),  # 2027-28 holds 29 February 2028
    ],
)
def test_a_lease_binds_until_its_break_or_end(cells, leave):
    blank = {"lease_end": None, "lease_break": None, **cells}
    place = tiny_place(sites={"jobcentre": blank})
    assert leaving_years(place, tiny_scenario())[2] == pytest.approx(leave, abs=1e-12)


def test_a_freehold_has_no_lease_and_nothing_is_sold_before_it_is_empty():
    place = tiny_place(sites={"station": {"lease_end": "2040-01-01", "years_to_sale": 0.0}})
    table = release(place, tiny_scenario(closing_year=3))
    assert table.loc["station", "leave"] == 3.0
    assert (table["year_receipt"] >= table["year_closed"]).all()


def test_a_pfi_building_is_released_only_at_a_price():
    place = tiny_place(sites={"station": {"tenure": "pfi", "exit_cost_gbp": 5.0}})
    assert not release(place, tiny_scenario()).loc["station", "allowed"]
    priced = release(place, tiny_scenario(pfi_exit_gbp={"station": 70_000})).loc["station"]
    assert bool(priced.allowed)
    assert priced.exit_gbp == 70_000
    assert priced.gross_gbp == 0


def test_a_pfi_contract_bought_out_does_not_wait_for_its_end():
    # Its price ends it: to go on paying until 2040 as well would be to pay twice.
    place = tiny_place(sites={"station": {"tenure": "pfi", "lease_end": "2040-03-31"}})
    row = release(place, tiny_scenario(pfi_exit_gbp={"station": 70_000})).loc["station"]
    assert (row.leave, row.year_closed) == (1.0, 1)


def test_sites_not_paid_for_bring_nothing():
    place = tiny_place(sites={"annexe": {**tiny_place().sites.loc["station"].to_dict(), "in_use": False}})
    row = release(place, tiny_scenario()).loc["annexe"]
    assert not row.allowed
    assert row.gross_gbp == row.disposal_gbp == row.exit_gbp == 0


money = st.integers(0, 10**9).map(lambda p: p / 100)


@settings(max_examples=30)
@given(value=money, cost=money, agency=st.sampled_from(["county", "police"]))
def test_every_penny_of_a_sale_is_somewhere(value, cost, agency):
    place = tiny_place(sites={"library": {"agency": agency, "market_value_gbp": value, "disposal_cost_gbp": cost}})
    host = place.access_points["site_id"].to_dict() | {"p2": "hall"}
    row = receipts_table(place, tiny_scenario(), plan_of(place, host)).iloc[0]
    in_pence = {name: pence(np.array([row[name]]))[0] for name in row.index if name.endswith("_gbp")}
    assert in_pence["disposal_met_from_receipt_gbp"] + in_pence["disposal_to_revenue_gbp"] == in_pence["disposal_cost_gbp"]
    whole = in_pence["net_receipt_gbp"] + in_pence["disposal_met_from_receipt_gbp"] + in_pence["revenue_sum_gbp"]
    assert whole == in_pence["gross_gbp"]
    if agency == "county":
        assert in_pence["disposal_met_from_receipt_gbp"] * 25 <= in_pence["gross_gbp"]


@settings(max_examples=15)
@given(factor=st.floats(0.5, 20))
def test_scaling_prices_scales_what_a_release_costs(factor):
    columns = ["market_value_gbp", "disposal_cost_gbp", "exit_cost_gbp"]
    sites = tiny_place().sites[columns]
    scaled = {site: (sites.loc[site] * factor).to_dict() for site in sites.index}
    for amount in (net_release_gbp, gross_release_gbp):
        before, after = amount(tiny_place(), tiny_scenario()), amount(tiny_place(sites=scaled), tiny_scenario())
        assert np.allclose(after, before * factor)


def test_release_is_by_site_in_order():
    table = release(tiny_place(), tiny_scenario())
    pd.testing.assert_index_equal(table.index, tiny_place().sites.index)
