"""``estate explain``: why there is no plan and the least that must give way, or what one site costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from estate.cli.options import JSON, PATH, QUIET, SET, with_solver
from estate.cli.outcome import clean, emit_json, print_issues, say, say_to_stderr

if TYPE_CHECKING:
    from estate.pipeline.programme import Order


@click.command("explain", short_help="Why no plan, or what a site costs.")
@PATH
@SET
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Answer after this with what is known, and say what was not tried.",
)
@click.option("--site", metavar="ID", help="What keeping or losing this building costs a year.")
@QUIET
@JSON
def command(
    *, path: Path, changes: tuple[str, ...], time_limit: float | None, site: str | None, quiet: bool, as_json: bool
) -> None:
    """Explain PATH: every reason why no plan can exist, and the least that must give way; with a [programme], also of its order.

    With --site, on a place that has a plan: why a building is kept or let go, and the yearly price of the opposite.
    The exit code is 0 when the question is answered, whatever the answer; 'estate run' is what exits with 4.
    """
    from estate.diagnose import EXPLAIN_S, diagnose, in_words, site_price
    from estate.pipeline.decide import limits_of
    from estate.pipeline.prepare import prepare
    from estate.pipeline.programme import order_of, whatever_the_money
    from estate.scenario import load_scenario

    tell = say_to_stderr(quiet or as_json)
    scenario = load_scenario(path, with_solver(changes, {"time_limit": time_limit}))
    prepared = prepare(scenario, say=tell)
    place, travel = prepared.place, prepared.travel
    if site is not None:
        tell("pricing the site")
        price = site_price(place, scenario, travel, site, limits_of(scenario))
        if as_json:
            emit_json(price.as_json())
            return
        for line in in_words(place, scenario, price):
            say(clean(line))
        print_issues(price.reasons)
        return
    tell("looking for reasons")
    allowed = scenario.solver.time_limit_s or EXPLAIN_S
    found = diagnose(place, scenario if scenario.programme is None else whatever_the_money(scenario), travel, allowed)
    order: Order | None = None
    if scenario.programme is not None and found.feasible:
        tell("looking for what stands in the way of an order")
        order = order_of(prepared.measured, allowed)
    if as_json:
        emit_json({**found.as_json(), **({} if order is None else {"programme": order.as_json()})})
    elif found.feasible:
        say(f"There is a plan: nothing needs to give way.  'estate explain {path} --site ID' prices one building.")
        if order is not None:
            say(order.words)
            print_issues(order.issues)
    else:
        unknown = "Whether there is a plan was not settled in the time allowed."
        say(unknown if found.feasible is None else "There is no plan.")
        print_issues(found.issues)
