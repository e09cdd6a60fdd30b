"""Why no programme exists: rules of which each could be met without the others, and the least money that would do.

Asked of the scenario's own settings, one at a time, so that what is named is what somebody wrote: a set of settings that cannot
all be met while any one less can.  Where purses are among them, the least more money by which they can is looked for as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from estate.errors import Issue
from estate.money.law import year_label
from estate.programme.orders import Line, Orders
from estate.programme.search import solve
from estate.programme.terms import Terms, asked, terms_of
from estate.scenario import Scenario
from estate.solve.watch import NEVER, Clock
from estate.standards.measured import Measured


@dataclass(frozen=True, slots=True)
class Demand:
    """A setting of a programme: what it asks, what would lift it, and the scenario without it."""

    words: str
    remedy: str
    without: Callable[[Scenario], Scenario]
    purse: str = ""


def why_none(terms: Terms, clock: Clock = NEVER) -> tuple[Issue, ...]:
    """What stands in the way of every programme; of the plan itself, where nothing of the programme does."""
    measured = terms.measured
    asked_for = list(members(measured.scenario))
    if not _exists(measured, asked_for, clock):
        words = "what must be done cannot be done at all, whatever the years and the money"
        return (Issue("programme.rules", words, "run 'estate explain' for the plan itself"),)
    lifted, needed = list[Demand](), list[Demand]()
    for member in asked_for:  # what may be lifted with nothing gained is no reason
        (needed if _exists(measured, [*lifted, member], clock) else lifted).append(member)
    found, remedy = "; ".join(each.words for each in needed), "; or ".join(dict.fromkeys(each.remedy for each in needed))
    issues = []
    if len(needed) > 1:
        issues.append(Issue("programme.conflict", f"these cannot all be met: {found}", f"lift one of them: {remedy}"))
    if any(each.purse for each in needed):
        issues += _shortfalls(terms, clock)
    return tuple(issues) or (Issue("programme.rule", f"this cannot be met: {found}", remedy),)


def stands_in_the_way(terms: Terms, clock: Clock = NEVER) -> tuple[Issue, ...]:
    """:func:`why_none` where there is no programme; nothing where there is one.

    Raises
    ------
    SolverError
        When the clock ended before that was known.
    """
    return () if solve(_worthless(terms.orders), clock=clock) is not None else why_none(terms, clock)


def members(scenario: Scenario) -> Iterator[Demand]:
    """Every setting that can stand in the way of a programme."""
    programme = asked(scenario)
    for window in programme.windows:
        when = [f"not before {year_label(window.not_before)}"] if window.not_before else []
        when += [f"not after {year_label(window.not_after)}"] if window.not_after else []
        yield Demand(f"'{window.of}' {' and '.join(when)}", "change programme.windows", _less("windows", window))
    for each in programme.before:
        yield Demand(f"'{each.first}' comes before '{each.then}'", "change programme.before", _less("before", each))
    if programme.most_moves_a_year is not None:
        words = f"at most {programme.most_moves_a_year} moves a year"
        remedy = "allow more programme.most_moves_a_year, or more programme.years"
        yield Demand(words, remedy, _lift(most_moves_a_year=None))
    if programme.within_years:
        words = f"everything is done within {programme.years} years, and not before its lease lets go"
        yield Demand(words, "allow more programme.years, or set programme.within_years = false", _lift(within_years=False))
    if programme.leases == "left":
        yield Demand("every lease that ends is left", "set programme.leases = 'renewed'", _lift(leases="renewed"))
    for purse in scenario.money.purses:
        if purse.budgets:
            yield Demand(f"the purse '{purse.name}' is never below nothing", "give it more", _unlimited(purse.name), purse.name)
    if scenario.money.capital_budget_gbp is not None:
        yield Demand("the capital of all agencies", "raise money.capital_budget_gbp", _without_cap, "all agencies")


def _less(name: str, entry: object) -> Callable[[Scenario], Scenario]:
    """A programme without one entry of one of its lists."""

    def lifted(scenario: Scenario) -> Scenario:
        return _lift(**{name: tuple(each for each in getattr(asked(scenario), name) if each != entry)})(scenario)

    return lifted


def _lift(**settings: object) -> Callable[[Scenario], Scenario]:
    """A programme with other settings."""
    return lambda scenario: scenario.model_copy(update={"programme": asked(scenario).model_copy(update=settings)})


def _unlimited(name: str) -> Callable[[Scenario], Scenario]:
    def lifted(scenario: Scenario) -> Scenario:
        purses = tuple(each.model_copy(update={"budgets": ()}) if each.name == name else each for each in scenario.money.purses)
        return scenario.model_copy(update={"money": scenario.money.model_copy(update={"purses": purses})})

    return lifted


def _without_cap(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"money": scenario.money.model_copy(update={"capital_budget_gbp": None})})


def _exists(measured: Measured, lifted: list[Demand], clock: Clock) -> bool:
    """Whether there is a programme without some settings."""
    scenario = measured.scenario
    for each in lifted:
        scenario = each.without(scenario)
    orders = terms_of(Measured.of(measured.place, scenario, measured.travel)).orders
    return solve(_worthless(orders), clock=clock) is not None


def _worthless(orders: Orders) -> Orders:
    """The same programme where every order is as good as another."""
    return replace(orders, pair_value=np.zeros_like(orders.pair_value), site_value=np.zeros_like(orders.site_value))


# ------------------------------------------------------------------------------------------------------ money


def _shortfalls(terms: Terms, clock: Clock) -> list[Issue]:
    """The least more money, purse by purse and year by year, with which there is a programme."""
    orders, base = terms.orders, terms.measured.scenario.money.base_year
    lines, columns = with_more(orders)
    more = replace(
        _worthless(orders), lines=lines, sums=(*orders.sums, *(MOST_SHORT for _ in columns)),
        sum_price=(*(0 for _ in orders.sums), *(1 for _ in columns)),
    )  # fmt: skip
    course = solve(more, clock=clock)
    if course is None:
        return []
    found = []
    for n, (purse, kind, year) in enumerate(columns, start=len(orders.sums)):
        gbp = float(np.ceil(course.sums[n] / 100))
        if gbp >= 1:
            when = year_label(base + year)
            words = f"the purse '{purse}' is £{gbp:,.0f} short in {when}"
            found.append(
                Issue("programme.money", words, f"least change: £{gbp:,.0f} more {kind or 'revenue'} for it by {when}")
            )
    return found


MOST_SHORT = 10**13
"""Pence by which a purse could be short."""


def with_more(orders: Orders) -> tuple[tuple[Line, ...], tuple[tuple[str, str, int], ...]]:
    """The cash rows with a further sum at hand from each year on, and whose each sum is: purse, kind and year."""
    columns = tuple(dict.fromkeys((line.purse, line.kind, line.year) for line in orders.lines if line.purse))
    number = {each: len(orders.sums) + n for n, each in enumerate(columns)}
    lines = []
    for line in orders.lines:
        mine = [
            number[purse, kind, year]
            for purse, kind, year in columns
            if (purse, kind) == (line.purse, line.kind) and year <= line.year
        ]
        lines.append(replace(line, money=(*line.money, *((column, -1.0) for column in mine))))
    return tuple(lines), columns
