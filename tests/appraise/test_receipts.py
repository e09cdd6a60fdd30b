"""Capital receipts: each rule on both sides of its boundary."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import plan_of, tiny_place, tiny_plan, tiny_scenario

from estate.appraise.books import books
from estate.appraise.ledger import ledger, ledger_table
from estate.appraise.receipts import receipts_table
from estate.errors import InputError
from estate.money.costs import pence
from estate.money.release import leaving_years, net_release_gbp, release
from estate.place import todays_plan
from estate.travel import TravelTables
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


BOUND = ("police", "fire", "joint_authority_england", "combined_authority_england", "london_functional_body",
         "national_park_england", "parish_england", "local_authority_england")  # fmt: skip


def owned_by(kind, base_year=2025, **cells):
    """The row of a library sold by a body of that kind."""
    place = tiny_place(agencies={"county": {"kind": kind}}, sites={"library": {"years_to_sale": 1.0, **cells}})
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p2": "hall"})
    return receipts_table(place, tiny_scenario(base_year=base_year), plan).set_index("site_id").loc["library"]


def test_the_line_is_on_the_gross_sum():
    assert sale(market_value_gbp=10_200.0, disposal_cost_gbp=400.0).revenue_sum_gbp == 0


@pytest.mark.parametrize("kind", BOUND)
def test_the_line_and_the_share_bind_every_local_authority(kind):
    # LGA 2003 s23, SI 2003/3146 regs 1(3), 10, 23(h): 9,000 is revenue and its 400 of costs too; of 300,000, 12,000 meets costs.
    small = owned_by(kind, market_value_gbp=9_000.0, disposal_cost_gbp=400.0)
    assert (small.net_receipt_gbp, small.revenue_sum_gbp, small.disposal_to_revenue_gbp) == (0.0, 9_000.0, 400.0)
    large = owned_by(kind, market_value_gbp=300_000.0, disposal_cost_gbp=20_000.0)
    met = (large.disposal_met_from_receipt_gbp, large.disposal_to_revenue_gbp, large.net_receipt_gbp)
    assert met == (12_000.0, 8_000.0, 288_000.0)


@pytest.mark.parametrize("kind", ["nhs", "central_government", "other", "local_authority_scotland"])
def test_others_set_sale_costs_against_the_proceeds(kind):
    small = owned_by(kind, market_value_gbp=9_000.0, disposal_cost_gbp=400.0)
    assert (small.net_receipt_gbp, small.revenue_sum_gbp, small.disposal_to_revenue_gbp) == (8_600.0, 0.0, 0.0)
    assert small.rule.startswith("no rule in this table applies to ")


def test_wales_has_the_line_and_no_share():
    small = owned_by("local_authority_wales", market_value_gbp=10_000.0, disposal_cost_gbp=400.0)
    assert (small.revenue_sum_gbp, small.rule) == (10_000.0, "WSI 2003/3239 regulation 9")
    large = owned_by("local_authority_wales", market_value_gbp=300_000.0, disposal_cost_gbp=20_000.0)
    assert (large.disposal_to_revenue_gbp, large.net_receipt_gbp) == (0.0, 280_000.0)


def test_the_rules_of_a_sale_are_those_that_decide_it():
    assert sale(market_value_gbp=10_000.0).rule == "SI 2003/3146 regulation 10"
    assert sale(market_value_gbp=10_000.01).rule == "SI 2003/3146 regulation 10, 23(h), 23"
    assert owned_by("parish_england", market_value_gbp=9_000.0).rule == "SI 2003/3146 regulation 10(1)-(2)"
    assert owned_by("parish_england", market_value_gbp=90_000.0).rule == "SI 2003/3146 regulation 10(1)-(2), 23(h), 23(a)-(c)"


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
    assert referee_tables(place, scenario, TravelTables({}, {}), plan, tables) == ()


def test_no_consent_rule_for_others():
    row = sale(agency="dwp", market_value_gbp=5_000_000.0, agreed_price_gbp=1_000_000.0)
    assert not row.under_value_flag
    assert "no rule in this table applies" in row.consent


def reform(kind="local_authority_england", base_year=2025, closing_year=1, years_to_sale=0.0, leaving=30_000.0, **money):
    """The books of a library sold for 400,000 (10,000 of costs) and left for 30,000, in the year before it closes."""
    cells = {"years_to_sale": years_to_sale, "exit_cost_gbp": leaving, "market_value_gbp": 400_000.0, **money}
    place = tiny_place(agencies={"county": {"kind": kind}}, sites={"library": cells})
    scenario = tiny_scenario(base_year=base_year, closing_year=closing_year)
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p2": "hall"})
    tables = books(place, scenario, plan).tables
    assert referee_tables(place, scenario, TravelTables({}, {}), plan, {"flexible_use": tables["flexible_use"]}) == ()
    used = tables["flexible_use"].set_index("year")[["receipts_gbp", "unspent_gbp", "reform_cost_gbp", "eligible_gbp"]]
    words = tables["capital_receipts"].set_index("site_id").loc["library", "flexible_use"]
    return {year: tuple(row) for year, row in used.T.items()}, words


def test_flexible_use_needs_the_spend_as_well_as_the_receipt_in_the_directions_years():
    # Paid in 2014-15 and banked in 2016-17: the receipt is in the direction's years, the cost is not (Worcestershire's case).
    used, words = reform(base_year=2014, years_to_sale=1.0)
    cost = used["2014-15"][2]
    assert cost > 30_000
    assert used == {"2014-15": (0.0, 0.0, cost, 0.0), "2016-17": (390_000.0, 390_000.0, 0.0, 0.0)}
    assert words == "nothing to use it on: no removal or leaving cost of its owner falls between the receipt and 2021-22"


@pytest.mark.parametrize(
    ("kind", "base_year", "first"),
    [
        ("local_authority_england", 2014, "closed"),  # banked in 2015-16
        ("local_authority_england", 2025, "nothing to use it on"),
        ("local_authority_england", 2029, "closed"),  # banked in 2030-31
        ("police", 2019, "nothing to use it on"),
        ("police", 2020, "closed"),
        ("police", 2025, "closed"),  # no direction since is known to name them
        ("fire", 2025, "nothing to use it on"),
        ("fire", 2022, "closed"),
        ("parish_england", 2025, "closed"),
        ("nhs", 2025, "no rule in this table applies to an NHS body"),
    ],
)
def test_flexible_use_by_year_and_by_the_kinds_that_the_direction_names(kind, base_year, first):
    assert reform(kind, base_year)[1].startswith(first)


def sold_early(first, second, base_year=2025):
    """The county sells its village library in year 0 and leaves its library, at its own cost, in the year before ``closing``."""
    sites = {"library": {"exit_cost_gbp": first, "lease_end": "2028-03-31", "tenure": "leasehold"},
             "village": {"market_value_gbp": second, "disposal_cost_gbp": 0.0, "years_to_sale": 0.0}}  # fmt: skip
    place = tiny_place(sites=sites)
    scenario = tiny_scenario(base_year=base_year, closing_year=1)
    plan = plan_of(place, place.access_points["site_id"].to_dict() | {"p2": "hall", "p3": "hall"})
    tables = books(place, scenario, plan).tables
    assert referee_tables(place, scenario, TravelTables({}, {}), plan, {"flexible_use": tables["flexible_use"]}) == ()
    return tables


@pytest.mark.parametrize(("receipt", "eligible"), [(50_000.0, 50_000.0), (80_000.0, None), (10_000.0, 0.0)])
def test_what_may_be_used_is_the_smaller_of_unspent_receipts_and_the_cost_of_the_year(receipt, eligible):
    # Banked in 2026-27; the lease of the library lets go in 2028, so leaving it is paid in 2027-28.
    tables = sold_early(60_000.0, receipt)
    used = tables["flexible_use"].set_index("year")
    cost = used.loc["2027-28", "reform_cost_gbp"]
    assert 60_000 <= cost < 80_000
    assert used.loc["2027-28", "eligible_gbp"] == (cost if eligible is None else eligible)
    words = tables["capital_receipts"].set_index("site_id").loc["village", "flexible_use"]
    if receipt == 10_000:  # revenue already: regulation 10
        assert words == "not needed: the sum is revenue"
        return
    assert words.startswith(f"open to 2029-30, for up to £{used.loc['2027-28', 'eligible_gbp']:,.2f} of its owner's")
    assert words.endswith("a plan is sent first; not sales to a company that the authority owns or controls")


def test_a_receipt_of_one_direction_does_not_pay_for_a_year_of_another():
    # Banked in 2024-25 under the direction of 2022; paid in 2027-28 under that of 2025.
    used = sold_early(60_000.0, 80_000.0, base_year=2023)["flexible_use"].set_index("year")
    assert used.loc["2024-25", "unspent_gbp"] == 80_000
    assert (used.loc["2027-28", "unspent_gbp"], used["eligible_gbp"].sum()) == (0.0, 0.0)


def test_flexible_use_is_told_of_nobody_who_sells_nothing():
    place = tiny_place()
    table = books(place, tiny_scenario(), todays_plan(place)).tables["flexible_use"]
    assert len(table) == 0
    assert "eligible_gbp" in table


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
    assert row.receipt_year == row.rule == ""


def test_receipts_follow_title():
    place = tiny_place()
    table = receipts_table(place, tiny_scenario(), tiny_plan(place)).set_index("site_id")
    assert list(table.index) == ["jobcentre", "station"]
    assert table.loc["jobcentre", "net_receipt_gbp"] == 0  # a lease: closing a Jobcentre brings its occupier nothing
    assert (table.loc["station", "agency"], table.loc["station", "net_receipt_gbp"]) == ("police", 288_000.0)


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
@given(value=money, cost=money, agency=st.sampled_from(["county", "police", "dwp"]))
def test_every_penny_of_a_sale_is_somewhere(value, cost, agency):
    place = tiny_place(sites={"library": {"agency": agency, "market_value_gbp": value, "disposal_cost_gbp": cost}})
    host = place.access_points["site_id"].to_dict() | {"p2": "hall"}
    row = receipts_table(place, tiny_scenario(), plan_of(place, host)).iloc[0]
    in_pence = {name: pence(np.array([row[name]]))[0] for name in row.index if name.endswith("_gbp")}
    assert in_pence["disposal_met_from_receipt_gbp"] + in_pence["disposal_to_revenue_gbp"] == in_pence["disposal_cost_gbp"]
    whole = in_pence["net_receipt_gbp"] + in_pence["disposal_met_from_receipt_gbp"] + in_pence["revenue_sum_gbp"]
    assert whole == in_pence["gross_gbp"]
    if agency != "dwp":
        assert in_pence["disposal_met_from_receipt_gbp"] * 25 <= in_pence["gross_gbp"]


@settings(max_examples=15)
@given(factor=st.floats(0.5, 20))
def test_scaling_prices_scales_what_a_release_costs(factor):
    columns = ["market_value_gbp", "disposal_cost_gbp", "exit_cost_gbp"]
    sites = tiny_place().sites[columns]
    scaled = {site: (sites.loc[site] * factor).to_dict() for site in sites.index}
    before, after = (net_release_gbp(tiny_place(sites=each), tiny_scenario()) for each in (None, scaled))
    assert np.allclose(after, before * factor)


def test_release_is_by_site_in_order():
    table = release(tiny_place(), tiny_scenario())
    pd.testing.assert_index_equal(table.index, tiny_place().sites.index)
