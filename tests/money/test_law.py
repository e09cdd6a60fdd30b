"""The dated table of law and rates: what holds when, for whom, and what lies outside it."""

import numpy as np
import pytest

from estate.errors import InputError
from estate.money.law import binding, check_year, discount_factors, in_force, law, rule, year_label
from estate.tables import AGENCY_KINDS

LA = "local_authority_england"


@pytest.mark.parametrize(("year", "factor"), [(0, 1.0), (1, 0.9662), (30, 0.3563), (31, 0.3459), (75, 0.0942), (76, 0.0919)])
def test_green_book_factors_step_where_the_rate_steps(year, factor):
    # HM Treasury, The Green Book: 3.5% to year 30, 3.0% to year 75, 2.5% after.
    assert round(discount_factors(2025, 80)[year], 4) == factor


def test_factors_are_products_of_yearly_rates():
    factors = discount_factors(2025, 125)
    rates = factors[:-1] / factors[1:] - 1
    assert np.allclose(rates[:30], 0.035)
    assert np.allclose(rates[30:75], 0.03)
    assert np.allclose(rates[75:], 0.025)


@pytest.mark.parametrize(
    ("name", "kind", "year", "holds"),
    [
        ("small-sum", LA, 2003, False),  # SI 2003/3146 came into force on 1 April 2004
        ("small-sum", LA, 2004, True),
        # Local Government Act 2003 s23(1): police and crime commissioners, fire, joint and waste authorities, functional bodies.
        *[
            (name, kind, 2025, True)
            for name in ("small-sum", "disposal-cost", "use-of-receipts")
            for kind in (
                "police",
                "fire",
                "joint_authority_england",
                "combined_authority_england",
                "london_functional_body",
                "national_park_england",
                "parish_england",
            )
        ],
        ("small-sum", "local_authority_wales", 2025, True),  # WSI 2003/3239 regulation 9: the line, and no 4% rule
        ("disposal-cost", "local_authority_wales", 2025, False),
        *[
            (name, kind, 2025, False)
            for name in ("small-sum", "disposal-cost", "use-of-receipts", "under-value", "flexible-use")
            for kind in ("local_authority_scotland", "nhs", "central_government", "private", "other")
        ],
        ("under-value", "parish_england", 2025, True),  # circular 06/2003 covers s127
        ("under-value", "police", 2025, False),  # s123(2C): commencement not verified
        ("disposal-cost", LA, 2025, True),
        ("disposal-cost", "nhs", 2025, False),
        ("under-value", LA, 2025, True),
        ("under-value", "central_government", 2025, False),
        # Directions under the Local Government Act 2003 ss16(2)(b), 20.
        ("flexible-use", LA, 2015, False),
        ("flexible-use", LA, 2016, True),
        ("flexible-use", LA, 2024, True),
        ("flexible-use", LA, 2025, True),
        ("flexible-use", LA, 2029, True),
        ("flexible-use", LA, 2030, False),
        ("flexible-use", "fire", 2016, True),
        ("flexible-use", "fire", 2022, False),
        ("flexible-use", "fire", 2025, True),
        ("flexible-use", "combined_authority_england", 2021, False),
        ("flexible-use", "combined_authority_england", 2025, True),
        ("flexible-use", "police", 2015, False),  # a direction of their own, 2016 to 2021
        ("flexible-use", "police", 2020, True),
        ("flexible-use", "police", 2021, False),
        ("flexible-use", "parish_england", 2026, False),
    ],
)
def test_rules_bind_the_kinds_they_name_in_the_years_they_hold(name, kind, year, holds):
    assert (binding(name, kind, year) is not None) == holds


@pytest.mark.parametrize(("year", "known"), [(2011, False), (2012, True), (2029, True), (2030, False)])
def test_a_base_year_outside_the_table_is_an_error(year, known):
    if known:
        check_year(year)
        return
    with pytest.raises(InputError, match="outside the table") as caught:
        check_year(year)
    assert caught.value.issues[0].remedy


def test_a_missing_row_is_an_error():
    with pytest.raises(InputError, match="no row"):
        rule("flexible-use", 2031)
    assert in_force("flexible-use", 2031) is None


def test_values_of_the_instruments():
    assert rule("small-sum", 2025).value == 10_000
    assert rule("disposal-cost", 2025).value == 0.04
    assert rule("under-value", 2025).value == 2_000_000


def test_every_row_is_dated_sure_and_names_its_instrument():
    for each in law().rules:
        assert each.instrument
        assert each.says
        assert each.sure in ("H", "M")
        assert set(each.binds) <= set(AGENCY_KINDS)
        assert each.from_year <= law().first_year or each.to_year is not None or each.id == "flexible-use"


@pytest.mark.parametrize("kind", [*AGENCY_KINDS, None])
def test_one_row_at_most_holds_for_a_kind_in_any_year(kind):
    for name in {each.id for each in law().rules}:
        for year in range(1990, 2060):
            rows = [each for each in law().rules if each.id == name and each.holds(year)]
            assert sum(kind in each.binds if each.binds else True for each in rows) <= 1


def test_every_kind_of_agency_is_told_of():
    assert tuple(law().kinds) == AGENCY_KINDS
    assert all(each.sure in ("H", "M") and each.says for each in law().kinds.values())
    assert {"local_authority_england", "police", "fire", "nhs", "central_government", "private", "other"} <= set(AGENCY_KINDS)


def test_the_rates_run_to_their_last_step():
    # The Green Book: 2.5% to year 125, 2.0% to 200, 1.5% to 300, 1.0% after.
    factors = discount_factors(2025, 320)
    rates = factors[:-1] / factors[1:] - 1
    for first, last, rate in ((75, 125, 0.025), (125, 200, 0.02), (200, 300, 0.015), (300, 319, 0.01)):
        assert np.allclose(rates[first:last], rate, rtol=0, atol=1e-12)


def test_the_lower_rates_of_2026_for_long_horizons():
    factors = discount_factors(2025, 126, "discount-rate-long")
    assert factors[30] == pytest.approx(1.03**-30)
    assert factors[76] == pytest.approx(1.03**-30 * 1.0257**-45 / 1.0214)
    with pytest.raises(InputError, match="end with year 125"):
        discount_factors(2025, 127, "discount-rate-long")


@pytest.mark.parametrize(("year", "label"), [(2025, "2025-26"), (1999, "1999-00"), (2009, "2009-10")])
def test_a_financial_year_as_people_write_it(year, label):
    assert year_label(year) == label
