"""A single property vehicle: whether it holds together, by rule."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estate.partners.vehicle import EQUAL, IN_PROPORTION, unravelling
from estate.pipeline.decide import decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.partners import with_partners
from estate.pipeline.prepare import prepare
from estate.scenario import load_scenario

COUNTY = Path(__file__).parents[1] / "inputs" / "worcestershire"
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
        ("vehicle", "charge_for_overhead_gbp_pa", "vehicle.members"), ("vehicle", "equity_percent", "vehicle.sums"),
        ("unravelling", "charge_gbp_pa", "vehicle.unravelling"),
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
