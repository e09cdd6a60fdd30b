"""The one dated table of law and rates (``law.toml``), and how to look a rule up by year and by kind of agency.

Years are financial years by the calendar year in which they begin.  A scenario's base year must lie within the table
(:func:`check_year`): better an error than last decade's rule.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estate.errors import InputError, Issue, Where

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what it says, whom it binds, when, and how sure we are (H read in the instrument, M one indirect source)."""

    id: str
    title: str
    unit: str
    binds: tuple[str, ...]
    """Kinds of agency (:attr:`Law.kinds`); empty: an appraisal rule for anybody."""
    instrument: str
    says: str
    from_year: int
    sure: str
    to_year: int | None = None
    value: float = float("nan")
    bands: tuple[tuple[int | None, float], ...] = ()
    """(last year after the base year, rate); None: no last year."""
    range: tuple[float, ...] = ()
    conditions: tuple[str, ...] = ()
    """What else must be so for it to be used: nothing in the inputs tells, so it is said beside the figure."""

    def holds(self, year: int) -> bool:
        """Whether the row covers the financial year that begins in ``year``."""
        return self.from_year <= year and (self.to_year is None or year <= self.to_year)

    def reaches(self, years: int) -> bool:
        """Whether its bands say something of so many years, the base year among them."""
        last = self.bands[-1][0]
        return last is None or years - 1 <= last


@dataclass(frozen=True, slots=True)
class AgencyKind:
    """A kind of agency: what it is ``called`` in a sentence, and what the law is known to say of it."""

    id: str
    called: str
    says: str
    sure: str


@dataclass(frozen=True, slots=True)
class Law:
    """The table: the years it answers for, the date of its latest instrument, the kinds of agency, and its rows."""

    first_year: int
    last_year: int
    latest: str
    kinds: Mapping[str, AgencyKind]
    """By id: those of :data:`estate.tables.AGENCY_KINDS`."""
    rules: tuple[Rule, ...]


@cache
def law() -> Law:
    """The table as shipped."""
    raw = tomllib.loads(files("estate.money").joinpath("law.toml").read_text(encoding="utf-8"))
    kinds = {row["id"]: AgencyKind(**row) for row in raw["kind"]}
    return Law(raw["first_year"], raw["last_year"], raw["latest"], kinds, tuple(_rule(row) for row in raw["rule"]))


def _rule(row: dict[str, Any]) -> Rule:
    bands = tuple((each.get("to"), each["rate"]) for each in row.get("bands", ()))
    lists = {name: tuple(row.get(name, ())) for name in ("binds", "range", "conditions")} | {"bands": bands}
    return Rule(**(row | lists))


def year_label(year: int) -> str:
    """A financial year as people write it: 2025 is ``2025-26``."""
    return f"{year}-{(year + 1) % 100:02d}"


def check_year(year: int) -> None:
    """Refuse a base year that the table does not answer for, with an :class:`InputError`."""
    table = law()
    if not table.first_year <= year <= table.last_year:
        span = f"{year_label(table.first_year)} to {year_label(table.last_year)}"
        message = f"base year {year_label(year)} is outside the table of rules and rates, which covers {span}"
        where = Where(column="money.base_year", value=str(year))
        raise InputError(
            issues=[Issue("law.year", message, "choose a base year in the table, or extend estate/money/law.toml", where)]
        )


def in_force(name: str, year: int) -> Rule | None:
    """The first row of a rule that covers a year, or None."""
    return next((each for each in law().rules if each.id == name and each.holds(year)), None)


def rule(name: str, year: int) -> Rule:
    """The row of a rule that covers a year; :class:`InputError` when the table has none."""
    found = in_force(name, year)
    if found is None:
        message = f"the table of rules and rates has no row '{name}' for {year_label(year)}"
        raise InputError(issues=[Issue("law.year", message, "choose another base year, or extend estate/money/law.toml")])
    return found


def binding(name: str, kind: str, year: int) -> Rule | None:
    """The row that binds a kind of agency in a year; None where no rule in this table applies."""
    return next((each for each in law().rules if each.id == name and kind in each.binds and each.holds(year)), None)


def called(kind: str) -> str:
    """A kind of agency as a sentence says it: ``a fire and rescue authority``."""
    return law().kinds[kind].called


def discount_factors(base_year: int, years: int, rates: str = "discount-rate") -> Floats:
    """(years,) present value of a pound in year 0, 1, ... after the base year, at the Green Book's stepped real rates.

    ``factor[n] = factor[n - 1] / (1 + rate(n))`` with ``factor[0] = 1``: 0.3563 at year 30, 0.3459 at 31, 0.0942 at 75 and
    0.0919 at 76.  ``rates`` names the row of the table; :class:`InputError` for years beyond its last band.
    """
    found = rule(rates, base_year)
    if not found.reaches(years):
        message = f"{found.title}: the rates end with year {found.bands[-1][0]}, and {years} years are asked for"
        raise InputError(issues=[Issue("law.year", message, "appraise fewer years, or extend estate/money/law.toml")])
    after = np.arange(years)
    rate = np.zeros(years)
    first = 1
    for last, each in found.bands:
        rate[(after >= first) & (after <= (years if last is None else last))] = each
        first = years if last is None else last + 1
    return np.cumprod(1 / (1 + rate))
