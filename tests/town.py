"""A small town with a programme over years."""

from places import tiny_place, tiny_scenario

from estate.programme.terms import terms_of
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.verify.programme import referee_programme


def town(programme, place=None, **money):
    """The tiny town's programme; every option of :func:`tiny_scenario` is one of money."""
    scenario = tiny_scenario(objective="annual-equivalent", **money)
    scenario = type(scenario).model_validate({**scenario.model_dump(exclude={"folder", "file"}), "programme": programme})
    place = tiny_place() if place is None else place
    return terms_of(Measured.of(place, scenario, measure(place, scenario)))


PURSE = {"name": "one purse", "agencies": ["county", "dwp", "police"], "basis": "net", "power": "an agreement"}


def purse(*capital, **more):
    """One purse of everybody, with capital in 2025, 2026 ..."""
    return {**PURSE, "budgets": [{"gbp": gbp, "year": 2025 + n} for n, gbp in enumerate(capital)], **more}


def let(lease_break):
    """The town where the library, which the best plan leaves, is held on a lease."""
    return tiny_place(sites={"library": {"tenure": "leasehold", "lease_break": f"{lease_break}-03-31"}})


def broken(terms, course, tables, value=0.0):
    """What the referee finds broken in a programme, by code; empty where it agrees."""
    measured = terms.measured
    worth = (course.value + terms.constant) / 100 + value
    plan = terms.formulation.plan(measured.place, course.state(-1))
    issues, checks = referee_programme(measured.place, measured.scenario, measured.travel, plan, tables, worth)
    assert checks["programme.area"] > 0
    assert checks["programme.cash"] > 0 or not measured.scenario.money.purses
    return {each.code.removeprefix("referee.programme.") for each in issues}
