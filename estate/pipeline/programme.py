"""From files to a programme that has passed the referee: decided, tabled, checked, and written whole."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estate.errors import InfeasibleError, Issue, VerificationError
from estate.money.law import year_label
from estate.pipeline.prepare import Say, prepare, quiet
from estate.programme.invest import invest_table
from estate.programme.orders import Course, solve
from estate.programme.tables import programme_tables
from estate.programme.terms import Terms, asked, terms_of
from estate.report.tables import write_tables
from estate.runs.staging import staged
from estate.scenario import load_scenario
from estate.solve.watch import Clock
from estate.verify.programme import referee_programme


@dataclass(frozen=True, slots=True, eq=False)
class Programmed:
    """A programme with its proof, its tables and what the referee looked at; ``out`` is where it is written."""

    terms: Terms
    course: Course
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]
    out: Path | None = None


def programmed(
    path: Path,
    *,
    changes: tuple[str, ...] = (),
    out: Path = Path("maps"),
    stop: threading.Event | None = None,
    say: Say = quiet,
    invest_gbp: float | None = None,
) -> Programmed:
    """Read a scenario, choose plan and order together, and write ``<scenario>-programme`` under ``out``.

    With ``invest_gbp``, it is chosen again with so much more capital in each purse and year.

    Raises
    ------
    InputError
        For a bad scenario, bad inputs, or a programme that names what is not there.
    InfeasibleError
        When it is proven that no programme exists.
    VerificationError
        When the referee disagrees: nothing is written.
    """
    scenario = load_scenario(path, changes)
    asked(scenario)
    prepared = prepare(scenario, cache=out / ".cache", say=say)
    terms = terms_of(prepared.measured)
    limit, stops = scenario.solver.time_limit_s, stop or threading.Event()
    clock = Clock(None if limit is None else time.monotonic() + limit, stops.is_set)
    say(f"choosing plan and order over {len(terms.years)} years")
    course = solve(terms.orders, gap=scenario.solver.gap, clock=clock, seed=scenario.solver.seed)
    if course is None:
        raise InfeasibleError("no programme can meet these rules", (_no_programme(terms),))
    tables = dict(programme_tables(terms, course))
    if invest_gbp is not None:
        say("choosing again with more capital in each year")
        tables["invest"] = invest_table(terms, course, invest_gbp, clock)
    found = summary(terms, course, tables)
    say("checking every year independently")
    issues, checks = referee_programme(prepared.place, scenario, prepared.travel, tables, (course.value + terms.constant) / 100)
    if issues:
        raise VerificationError("the programme did not pass the independent check: nothing is written", issues)
    found = {**found, "verified": True, "checks": checks, "issues": [str(each) for each in prepared.issues]}
    name = f"{scenario.name}-programme"
    with staged(out, name, name) as folder:
        write_tables(folder, tables)
        text = json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / "programme.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return Programmed(terms, course, tables, found, out / name)


def summary(terms: Terms, course: Course, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What is said of a programme: its proof, what it is worth, and when it is complete."""
    scenario = terms.measured.scenario
    steps = tables["programme"]
    aim = asked(scenario).least_cost_to
    return {
        "name": scenario.name,
        "title": scenario.label,
        "aim": "greatest net present value" if aim is None else f"least cost to {year_label(aim)}, not discounted",
        "status": str(course.status),
        "worth_gbp": (course.value + terms.constant) / 100,
        "at_most_gbp": (course.bound + terms.constant) / 100,
        "gap": course.gap,
        "years": [year_label(scenario.money.base_year + int(year)) for year in terms.years],
        "moves_by_year": _by_year(terms, steps, "move"),
        "let_go_by_year": _by_year(terms, steps, "let go"),
        "complete_on": str(steps["date"].max()) if len(steps) else "",
        "leases_that_end": asked(scenario).leases,
        "programme": scenario.programme.model_dump(mode="json") if scenario.programme else {},
    }


def _by_year(terms: Terms, steps: pd.DataFrame, kind: str) -> list[int]:
    base = terms.measured.scenario.money.base_year
    year = steps.loc[steps["step"] == kind, "decided_year"].str[:4].astype(int) - base
    return np.bincount(year - int(terms.years[0]), minlength=len(terms.years)).astype(int).tolist() if len(year) else []


def _no_programme(terms: Terms) -> Issue:
    """Why there is none: whether money and dates are to blame, or the rules of the plan itself."""
    from dataclasses import replace  # noqa: PLC0415

    free = replace(terms.orders, lines=(), sums=())
    if solve(free) is not None:
        words = "the purses cannot pay for what must be done within the years"
        return Issue(
            "programme.money", words, "give a purse more, or earlier; allow more years; or lift a building that must close"
        )
    return Issue(
        "programme.rules", "what must be done cannot be done within the years, whatever money there is",
        "run 'estate explain' for the plan itself; then look at windows, leases and the most moves in a year",
    )  # fmt: skip
