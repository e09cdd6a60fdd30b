"""The ledger: who pays and who gains, exact to the penny."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import plan_of, tiny_place, tiny_plan, tiny_scenario

from estate.appraise.books import books
from estate.appraise.ledger import ONE_OFF, RUNNING, ledger, ledger_table
from estate.appraise.receipts import receipts_table
from estate.money.bearers import share_out
from estate.money.costs import hosting_gbp_pa, move_one_off_gbp, pence, running_gbp_pa
from estate.place import todays_plan


def cost_pence(place, plan):
    here = np.arange(len(place.access_points))
    return pence(running_gbp_pa(place))[plan.open].sum() + pence(hosting_gbp_pa(place, here, plan.host)).sum()


def table_of(place, scenario, plan):
    return ledger_table(place, scenario, ledger(place, scenario, plan))


def in_pence(series):
    return np.rint(series * 100).astype(int)


def test_columns_and_order():
    place = tiny_place()
    table = table_of(place, tiny_scenario(), tiny_plan(place))
    assert list(table.columns) == ["agency", "year", "line", "site_id", "access_point_id", "amount_gbp"]
    assert table["year"].is_monotonic_increasing
    assert (table["amount_gbp"] != 0).all()
    assert set(table["line"]) <= {*RUNNING, *ONE_OFF, "capital_receipt", "disposal_from_receipt", "revenue_sum"}


def test_todays_estate_against_itself_is_empty():
    place = tiny_place()
    assert len(table_of(place, tiny_scenario(), todays_plan(place))) == 0


@pytest.mark.parametrize("split", ["floor-area", "lead-agency"])
def test_a_complete_year_adds_up_to_the_plans_saving(split):
    place, scenario = tiny_place(), tiny_scenario(split=split)
    plan = tiny_plan(place)
    book = ledger(place, scenario, plan)
    assert book.before["pence"].sum() == cost_pence(place, todays_plan(place))
    assert book.after["pence"].sum() == cost_pence(place, plan)
    assert book.steady["pence"].sum() == cost_pence(place, todays_plan(place)) - cost_pence(place, plan)
    table = ledger_table(place, scenario, book)
    last = table[table["year"] == "2054-55"]
    assert in_pence(last["amount_gbp"]).sum() == book.steady["pence"].sum()


def test_what_moves_and_what_is_released_adds_up():
    place, scenario = tiny_place(), tiny_scenario()
    plan = tiny_plan(place)
    table = table_of(place, scenario, plan)
    total = in_pence(table["amount_gbp"]).groupby(table["line"]).sum()
    moved = np.flatnonzero(plan.host != place.point_site)
    moves = pence(move_one_off_gbp(place, scenario, moved, plan.host[moved]).total).sum()
    assert -total[["fitout", "removal", "optimism_bias"]].sum() == moves == 17_340_000
    receipts = receipts_table(place, scenario, plan)
    net = in_pence(receipts["net_receipt_gbp"]).sum()
    assert total["capital_receipt"] + total["disposal_from_receipt"] == net == 28_800_000
    assert total["disposal_to_revenue"] == -300_000  # the police too: 4% of 300,000 of the 15,000
    assert total["exit_cost"] == -2_500_000


def test_every_entry_is_traceable():
    place = tiny_place()
    table = table_of(place, tiny_scenario(), tiny_plan(place))
    assert set(table["agency"]) <= set(place.agencies.index)
    assert set(table["site_id"]) <= set(place.sites.index)
    moving = table[table["line"].isin(["fitout", "removal", "optimism_bias"])]
    assert set(moving["access_point_id"]) == {"p4", "p5"}


def test_by_hand_floor_area():
    # Town hall, 90,000 a year: county desk 200 m2 and other uses 200 m2, police desk 20 m2.  A police desk of 80 m2 moves in, and
    # costs 80 x 40 = 3,200 more: 93,200 over 500 m2, of which the police have 100.
    place = tiny_place()
    book = ledger(place, tiny_scenario(), tiny_plan(place))
    hall, county, police = 1, 0, 3
    before = book.before[book.before["site"] == hall].set_index("agency")["pence"]
    after = book.after[book.after["site"] == hall].set_index("agency")["pence"]
    assert before.to_dict() == {county: 8_571_429, police: 428_571}  # 90,000 x 400/420 and 20/420
    assert after.to_dict() == {county: 7_456_000, police: 1_864_000}


def test_by_hand_lead_agency():
    place = tiny_place()
    book = ledger(place, tiny_scenario(split="lead-agency"), tiny_plan(place))
    payer = book.after[book.after["pence"] > 0].set_index("site")["agency"].to_dict()
    assert payer == {0: 2, 1: 0, 3: 0, 5: 0}  # title holders, who all use their buildings


def test_lead_agency_of_a_landlords_building_is_its_largest_user():
    place = tiny_place(access_points={"p5": {"site_id": "clinic"}, "p6": {"agency": "dwp"}})
    book = ledger(place, tiny_scenario(split="lead-agency"), todays_plan(place))
    clinic = book.before[book.before["site"] == 0]
    assert clinic["agency"].tolist() == [1]
    assert clinic["pence"].tolist() == [3_000_000]


def test_space_charges_sum_to_nothing_in_every_building_and_year():
    place = tiny_place()
    table = table_of(place, tiny_scenario(), tiny_plan(place))
    charges = table[table["line"] == "space_charge"]
    assert len(charges)
    assert (in_pence(charges["amount_gbp"]).groupby([charges["site_id"], charges["year"]]).sum() == 0).all()


def test_savings_start_when_the_building_closes():
    # The Jobcentre's lease breaks half-way through 2027-28; the police station closes on 1 April 2026.
    place = tiny_place(sites={"jobcentre": {"lease_break": "2027-09-30", "exit_cost_gbp": 1.0}})
    table = table_of(place, tiny_scenario(), tiny_plan(place))
    given_up = table[table["line"] == "running_given_up"].set_index(["site_id", "year"])["amount_gbp"]
    assert "2025-26" not in given_up["station"].index
    assert given_up["station"]["2026-27"] == 45_000
    assert given_up["jobcentre"].index[0] == "2027-28"
    assert given_up["jobcentre"]["2027-28"] == pytest.approx(60_000 * 183 / 366, abs=0.01)
    assert given_up["jobcentre"]["2028-29"] == 60_000
    exits = table[table["line"] == "exit_cost"]
    assert exits["year"].tolist() == ["2027-28"]
    charges = table[(table["line"] == "running_taken_on") & (table["site_id"] == "library")].set_index("year")["amount_gbp"]
    assert charges.iloc[0] == pytest.approx(-7_500 * 183 / 366, abs=0.01)


def test_a_lease_beyond_the_horizon_saves_nothing_in_it():
    place = tiny_place(sites={"jobcentre": {"lease_break": None, "lease_end": "2070-03-31"}})
    host = place.access_points["site_id"].to_dict() | {"p4": "library"}
    plan = plan_of(place, host)
    found = books(place, tiny_scenario(), plan)
    assert found.summary["saving_gbp_pa"] > 0
    assert found.summary["npv_gbp"] == 0
    assert set(found.tables["ledger"]["year"]) == {"2069-70"}  # its one-off costs, in their own year


@pytest.mark.parametrize(
    ("clinic", "payers"),
    [
        # A landlord's building: its tenants, 280 m2 of the department's and 80 m2 of the police's.
        ({"agency": "landlord", "tenure": "private"}, {1: -77_777, 3: -22_222}),
        ({"agency": "landlord", "tenure": "leasehold"}, {1: -77_777, 3: -22_222}),
        ({"agency": "county", "tenure": "leasehold"}, {1: -77_777, 3: -22_222}),
        # The holder of the lease, where it has a counter there.
        ({"agency": "dwp", "tenure": "leasehold"}, {1: -99_999}),
        # A freehold: whoever holds it.
        ({"agency": "county", "tenure": "freehold"}, {0: -99_999}),
        ({"agency": "county", "tenure": "pfi"}, {0: -99_999}),
    ],
)
def test_who_pays_for_leaving(clinic, payers):
    place = tiny_place(
        sites={"clinic": {"exit_cost_gbp": 999.99, **clinic}},
        access_points={"p5": {"site_id": "clinic"}, "p6": {"agency": "dwp"}},
    )
    host = place.access_points["site_id"].to_dict() | {"p5": "hall", "p6": "hall"}
    book = ledger(place, tiny_scenario(pfi_exit_gbp={"clinic": 999.99}), plan_of(place, host))
    exits = book.once[book.once["line"] == "exit_cost"]
    assert exits.groupby("agency")["pence"].sum().to_dict() == payers


def test_a_building_newly_opened_is_paid_for_by_those_who_move_in():
    annexe = {**tiny_place().sites.loc["library"].to_dict(), "in_use": False, "running_cost_gbp_pa": 20_000.0}
    place = tiny_place(sites={"annexe": annexe})
    host = place.access_points["site_id"].to_dict() | {"p4": "annexe", "p5": "annexe"}
    book = ledger(place, tiny_scenario(), plan_of(place, host))
    opened = book.steady[book.steady["site"] == 0]
    assert set(opened["line"]) == {"running_taken_on"}
    assert opened["pence"].sum() == -(2_000_000 + 330 * 30 * 100)
    assert set(opened["agency"]) == {1, 3}


@given(
    amounts=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5),
    rows=st.lists(st.tuples(st.integers(0, 4), st.floats(0.01, 1e6)), min_size=1, max_size=20),
)
def test_shares_add_up_and_are_within_a_penny(amounts, rows):
    group = np.array([*range(len(amounts)), *(g % len(amounts) for g, _ in rows)])
    weight = np.array([*[1.0] * len(amounts), *(w for _, w in rows)])
    order = np.argsort(group, kind="stable")
    group, weight, amount = group[order], weight[order], np.array(amounts)
    shared = share_out(amount, group, weight)
    assert np.array_equal(np.bincount(group, weights=shared, minlength=len(amount)).astype(np.int64), amount)
    exact = amount[group] * (weight / np.bincount(group, weights=weight)[group])
    assert (np.abs(shared - exact) < 1.001).all()


def test_ties_of_a_penny_go_to_the_first():
    assert share_out(np.array([100]), np.array([0, 0, 0]), np.ones(3)).tolist() == [34, 33, 33]
    assert share_out(np.array([-100]), np.array([0, 0, 0]), np.ones(3)).tolist() == [-34, -33, -33]


plans = st.fixed_dictionaries({"p2": st.sampled_from(["library", "hall"]), "p3": st.sampled_from(["village", "library", "hall"]),
                               "p4": st.sampled_from(["jobcentre", "library", "hall"]),
                               "p5": st.sampled_from(["station", "hall", "library"]),
                               "p7": st.sampled_from(["hall", "station"])})  # fmt: skip


@settings(max_examples=25)
@given(moves=plans, split=st.sampled_from(["floor-area", "lead-agency"]), closing=st.integers(0, 3))
def test_books_add_up_for_any_plan(moves, split, closing):
    place = tiny_place(sites={"jobcentre": {"lease_break": "2026-08-14"}, "village": {"market_value_gbp": 9_000.0}})
    scenario = tiny_scenario(split=split, closing_year=closing, horizon_years=8)
    plan = plan_of(place, place.access_points["site_id"].to_dict() | moves)
    found = books(place, scenario, plan)
    agencies, summary, flow = found.tables["agencies"], found.summary, found.tables["cash_flow"]
    table = found.tables["ledger"]

    def pounds(series):
        return int(in_pence(series).sum())

    assert pounds(agencies["cost_before_gbp_pa"]) == cost_pence(place, todays_plan(place))
    assert pounds(agencies["cost_after_gbp_pa"]) == cost_pence(place, plan)
    assert pounds(agencies["gain_gbp_pa"]) == round(summary["saving_gbp_pa"] * 100)
    assert pounds(agencies["one_off_gbp"]) == round(summary["one_off_gbp"] * 100)
    assert pounds(agencies["receipts_gbp"]) == round(summary["receipts_gbp"] * 100)
    assert pounds(agencies["annual_equivalent_gain_gbp_pa"]) == round(summary["annual_equivalent_saving_gbp_pa"] * 100)
    assert pounds(agencies["transfer_gbp_pa"]) == pounds(agencies["annual_equivalent_transfer_gbp_pa"]) == 0
    by_year = in_pence(table["amount_gbp"]).groupby(table["year"]).sum()
    by_year = by_year.reindex(flow["financial_year"], fill_value=0)
    assert by_year.tolist() == in_pence(flow["net_gbp"]).tolist()
    # A whole year of running lines is the saving, once everything has closed.
    last = table[(table["year"] == flow["financial_year"].iloc[-1]) & table["line"].isin(RUNNING)]
    assert pounds(last["amount_gbp"]) == round(summary["saving_gbp_pa"] * 100)
    for column, transfer in (("gain_gbp_pa", "transfer_gbp_pa"),
                             ("annual_equivalent_gain_gbp_pa", "annual_equivalent_transfer_gbp_pa")):  # fmt: skip
        if agencies[column].sum() >= 0:
            assert (in_pence(agencies[column] + agencies[transfer]) >= 0).all()
