"""An access rule as a sentence."""

from __future__ import annotations

from decimal import Decimal

from estate.scenario import Journey, Metric, Scenario, Standard
from estate.scenario.limits import METRES, SECONDS
from estate.standards.presets import limbs


def in_words(rule: Standard, scenario: Scenario) -> str:
    """The rule as a sentence for people."""
    join = " and " if rule.join == "all" else " or "
    limit = join.join(f"{each.limit.text}{by_mode(each.mode)}" for each in limbs(rule, scenario))
    if rule.measure is Journey.SITE:
        what = "the nearest remaining counter" if rule.test == "nearest" else "the counter's own new building"
        then = {"forbid": "never farther", "flag": "else consult", "price": f"else £{rule.price_gbp:,.0f} a year"}[rule.action]
        return f"{what} within {limit} of a counter that leaves; {then}"
    where = "".join(_where(column, value) for column, value in rule.where.items())
    each = f", in each {rule.each.replace('_', ' ')}" if rule.each else ""
    more = f"more than {rule.tolerance.text} " if rule.tolerance else ""
    beyond = f"; nobody beyond it today goes {more}farther" if rule.beyond == "no-worse" and rule.share == 1 else ""
    backup = f" of {rule.backup} sites" if rule.backup > 1 else ""
    return f"{_who(rule)}{where} within {limit}{backup}{each}{beyond}"


def _who(rule: Standard) -> str:
    """How many of whom: ``everybody``, ``95% of people``, ``all people counted as no car``."""
    whole, counted = rule.share == 1, rule.people != "everyone"
    if whole and not counted:
        return "everybody"
    share = "all" if whole else f"{percent(rule.share)} of"
    return f"{share} people{f' counted as {rule.people.replace("_", " ")}' if counted else ''}"


PLACES = {("rural_urban", "urban"): " in town", ("rural_urban", "rural"): " in the country"}
COMPARED = {"<=": "at most", ">=": "at least", "<": "under", ">": "over"}


def _where(column: str, value: str | float | bool) -> str:  # noqa: FBT001
    """A condition on zones: `` in town``, `` where deprived urban is yes``, `` where imd rank is at most 4926``."""
    text = str(value).strip()
    if found := PLACES.get((column, text.casefold())):
        return found
    sign = next((each for each in COMPARED if text.startswith(each)), "")
    said = f"{COMPARED[sign]} {text[len(sign) :].strip()}" if sign else text
    return f" where {column.replace('_', ' ')} is {said}"


def percent(share: float) -> str:
    """A share as a percentage with every decimal it was written with: ``95%``, ``91.6380575%``."""
    return f"{(Decimal(repr(float(share))) * 100).normalize():f}%"


def way(value: float, metric: Metric) -> str:
    """Metres or seconds as people say them: ``2.4 miles``, ``12 minutes``."""
    return f"{value / METRES['mile']:.1f} miles" if metric is Metric.DISTANCE else f"{value / SECONDS['minute']:.0f} minutes"


def by_mode(mode: str) -> str:
    """How a mode is said after a limit: `` on foot``."""
    return {"walk": " on foot", "drive": " by road", "transit": " by public transport"}.get(mode, f" ({mode})")
