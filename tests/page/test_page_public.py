"""What may be published, and the words of the page: no browser needed."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from page_fixture import county, town
from places import plan_of, scenario_with, tiny_place

from estate.page import render, render_comparison, render_site, words
from estate.page.public import left_out, redacted

SECRET = "Secret Bunker"  # pragma: allowlist secret
PRICES = ("123457", "234579", "345671", "51829")
"""Odd amounts that could come from nowhere else."""


def spelt(amount: str) -> set[str]:
    """An amount as a page could write it."""
    return {amount, f"{int(amount):,}"}


def priced_town(**tables):
    """The town with odd values on every building, and leases and prices in every text that could carry them."""
    sites = {
        "jobcentre": {"exit_cost_gbp": 51829.0, "lease_end": "2031-07-19", "lease_break": "2029-08-23"},
        "library": {"market_value_gbp": 234579.0},
        "station": {"market_value_gbp": 345671.0, "agreed_price_gbp": 123457.0, "illustrative": "market_value_gbp;capacity_m2"},
    }
    for key, cells in tables.pop("sites", {}).items():
        sites[key] = {**sites.get(key, {}), **cells}
    run = town(sites=sites, **tables)
    frames = {name: frame.copy() for name, frame in run.tables.items()}
    frames["sites"]["why"] = "released: it fits elsewhere. Its lease ends in 2031. It is worth £345,671."
    frames["assumptions"] = pd.DataFrame(
        {
            "table": ["sites", "sites", "sites", "rates"],
            "id": ["station", "station", "library", "library"],
            "column": ["market_value_gbp", "capacity_m2", "exit_cost_gbp", "fitout_gbp_m2"],
            "value": ["345671", "250", "51829", "123457"],
            "source": ["the agent's letter", "a plan", "the lease", "a quantity surveyor"],
        }
    )
    manifest = {**run.manifest, "issues": [{"message": "station: agreed price 123457 is below its value"}]}
    return replace(run, tables=frames, manifest=manifest)


def pages(run, other=None):
    """Every page of a run that can be published."""
    yield render(run, public=True)
    yield render_comparison(run, other or run, public=True)
    for site in run.place.sites.index:
        if not run.place.sites.loc[site, "confidential"]:
            yield render_site(run, site, public=True)


def test_public_pages_hold_no_values_prices_or_leases():
    for text in pages(priced_town()):
        for amount in PRICES:
            assert not any(each in text for each in spelt(amount)), amount
        assert not re.search(r"2031|2029-08|lease ends|agreed price", text)
        assert "INTERNAL" not in text


def test_internal_pages_say_so_and_show_them():
    run = priced_town()
    text = render(run)
    assert "INTERNAL" in text
    assert "capital_receipts.csv" in text
    assert "lease ends in 2031" in text


def test_public_pages_keep_what_is_harmless():
    text = render(priced_town(), public=True)
    assert "It fits elsewhere." in text
    assert "Running cost" in text
    assert 'href="sites.csv"' not in text, "the files beside the page hold more than may be published"


def test_a_total_over_few_buildings_is_left_out():
    run = priced_town()
    sold = (run.tables["capital_receipts"]["net_receipt_gbp"] != 0).sum()
    assert 0 < sold < 3
    public = redacted(run)
    assert "receipts_gbp" not in public.manifest
    assert "npv_gbp" not in public.manifest, "present value with and without receipts differs by them"
    assert "Not shown" in render(run, public=True)


def test_a_total_over_many_buildings_stays():
    run = county()
    assert (run.tables["capital_receipts"]["net_receipt_gbp"] != 0).sum() >= 3
    assert run.manifest["receipts_gbp"] == 671_300
    assert redacted(run).manifest["receipts_gbp"] == 670_000, "in round figures"
    assert "Not shown" not in render(run, public=True)


def test_what_the_public_version_leaves_out_is_listed():
    run = priced_town()
    said = " ".join(left_out(run))
    public = redacted(run)
    for name, table in run.tables.items():
        if name not in public.tables:
            assert f"{name}.csv" in said
        else:
            assert all((f"{name}.{column}" in said) == (column not in public.tables[name]) for column in table)
    assert "finance.xlsx" in said
    assert "confidential" not in said
    sites = run.place.sites.assign(confidential=[True, *[False] * (len(run.place.sites) - 1)])
    assert "1 confidential buildings" in " ".join(left_out(replace(run, place=replace(run.place, sites=sites))))


def test_two_public_totals_cannot_be_subtracted():
    first = county()
    receipts = first.tables["capital_receipts"]
    sold = receipts.index[receipts["net_receipt_gbp"] > 0]
    fewer = receipts.drop(index=sold[0])
    total = float(fewer["net_receipt_gbp"].sum())
    second = replace(
        first, tables={**first.tables, "capital_receipts": fewer}, manifest={**first.manifest, "receipts_gbp": total}
    )
    text = render_comparison(first, second, public=True)
    assert "Net receipts" not in text
    assert words.gbp(total) not in text
    assert "Net receipts" in render_comparison(first, second)


def test_confidential_rows_are_nowhere():
    run = priced_town(
        sites={"village": {"name": SECRET, "confidential": True}},
        agencies={"police": {"name": "Quiet Office", "confidential": True}},
        access_points={"p5": {"name": "Hidden Desk", "confidential": True}},
    )
    for text in pages(run):
        assert SECRET not in text
        assert "Quiet Office" not in text
        assert "Hidden Desk" not in text
        assert "406000" not in text
        assert '"village"' not in text
    internal = render(run)
    assert all(name in internal for name in (SECRET, "Quiet Office", "Hidden Desk", '"village"'))


def test_sums_are_of_what_is_shown():
    run = priced_town(sites={"village": {"confidential": True}})
    public = redacted(run)
    assert public.manifest["baseline_gbp_pa"] == run.manifest["baseline_gbp_pa"] - 12_000
    costs = public.tables["sites"]["running_cost_before_gbp_pa"].sum()
    assert public.tables["agencies"]["cost_before_gbp_pa"].sum() == costs == public.manifest["baseline_gbp_pa"]


def test_new_columns_are_private_until_listed():
    run = town()
    sites = run.tables["sites"].assign(reserve_price_gbp=777_123.0)
    public = redacted(replace(run, tables={**run.tables, "sites": sites, "bids": sites}))
    assert "reserve_price_gbp" not in public.tables["sites"]
    assert "bids" not in public.tables
    assert "market_value_gbp" not in public.place.sites


def test_data_of_the_page_is_json_that_cannot_end_its_element():
    text = render(town(sites={"hall": {"name": "</script><b>Hall"}}))
    found = re.search(r'<script type="application/json" id="estate-data">(.*?)</script>', text, re.DOTALL)[1]
    assert "</script><b>Hall" in json.loads(found)["sites"]["name"]


# ---------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1_234_567, "£1.23 million"),
        (-592_810, "−£593,000"),
        (999_700, "£1.00 million"),
        (0, "£0"),
        (4_321, "£4,321"),
        (None, "not known"),
    ],
)
def test_money_from_across_the_room(value, said):
    assert words.gbp_short(value) == said


@pytest.mark.parametrize(
    ("metres", "said"), [(0, "under 0.1 mile"), (1609.344, "1.0 mile"), (4000, "2.5 miles"), (np.nan, "out of reach")]
)
def test_distances(metres, said):
    assert words.miles(metres) == said


def test_shares_are_never_rounded_to_all_or_nothing():
    assert words.share(999_999, 1_000_000) == "99.9%"
    assert words.share(1, 1_000_000) == "0.1%"
    assert words.share(5, 5) == "100%"


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"status": "optimal", "gap": 0.0}, "Proven best"),
        ({"status": "optimal", "gap": 5e-5}, "Proven best to within 0.01%"),
        ({"status": "feasible", "gap": 0.021}, "Best found; at most 2.1% from the best possible"),
        ({"status": "feasible", "gap": None}, "Best found, not proven best"),
    ],
)
def test_proof_in_plain_words(manifest, said):
    assert words.proof(manifest)["title"] == said


def test_titles_carry_no_direction_marks():
    assert words.plain("a\u202eb\x00") == "ab\ufffd"
    assert words.clean("x" * 500) == "x" * 199 + "…"


def test_a_plan_that_loses_somebody_the_service_says_so():
    from page_fixture import run_of

    place = tiny_place()
    plan = plan_of(place, place.access_points["site_id"].to_dict())
    run = run_of(place, scenario_with(), plan)
    zones = run.tables["zones"].copy()
    zones.loc[0, "distance_after_m"] = pd.NA
    lost = int(zones.loc[0, "population"])
    text = render(replace(run, tables={**run.tables, "zones": zones}))
    assert f"{lost:,}" in text
