"""Choose shared hubs for public services: least running cost, nobody left too far from a counter.

Public names are importable from here and do the same as the commands.  They are found on first use, so that
``import estate`` (and with it ``estate -h``) loads nothing but the standard library.

>>> outcome = estate.decide(estate.prepare(estate.load_scenario("inputs/worcestershire")))  # doctest: +SKIP
>>> outcome.tables["sites"].query("state == 'close'")                                       # doctest: +SKIP
>>> estate.publish(outcome, "maps")                                                         # doctest: +SKIP
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what a type checker and an editor see; tests/test_project.py holds it against the table below
    from estate.appraise import appraise as appraise
    from estate.errors import EstateError as EstateError
    from estate.formulate import formulate as formulate
    from estate.page import redraw as redraw
    from estate.page import render as render
    from estate.pipeline.decide import Outcome as Outcome
    from estate.pipeline.decide import decide as decide
    from estate.pipeline.job import publish as publish
    from estate.pipeline.job import run as run
    from estate.pipeline.prepare import prepare as prepare
    from estate.pipeline.prepare import problems as problems
    from estate.place import Place as Place
    from estate.place import Plan as Plan
    from estate.problem import Problem as Problem
    from estate.problem.textbook import capacitated_lscp as capacitated_lscp
    from estate.problem.textbook import capacitated_p_median as capacitated_p_median
    from estate.problem.textbook import lscp as lscp
    from estate.problem.textbook import mclp as mclp
    from estate.problem.textbook import p_center as p_center
    from estate.problem.textbook import p_median as p_median
    from estate.problem.textbook import single_source as single_source
    from estate.problem.textbook import uncapacitated as uncapacitated
    from estate.runs.compare import differences as differences
    from estate.runs.files import read_run as read_run
    from estate.scenario import Scenario as Scenario
    from estate.scenario import load_scenario as load_scenario
    from estate.solve import Answer as Answer
    from estate.solve import Limits as Limits
    from estate.solve import solve as solve
    from estate.standards.journeys import calibration as calibration
    from estate.standards.journeys import measure as measure
    from estate.standards.presets import presets as presets
    from estate.start.draft import draft_from_osm as draft_from_osm
    from estate.start.schema import json_schema as json_schema
    from estate.validate import check as check
    from estate.verify import referee as referee

__version__ = "0.1.0"

# Public name -> the module that defines it. A new public name is one line here and one above.
_PUBLIC: dict[str, str] = {
    "Answer": "estate.solve",
    "appraise": "estate.appraise",
    "calibration": "estate.standards.journeys",
    "capacitated_lscp": "estate.problem.textbook",
    "capacitated_p_median": "estate.problem.textbook",
    "check": "estate.validate",
    "decide": "estate.pipeline.decide",
    "differences": "estate.runs.compare",
    "draft_from_osm": "estate.start.draft",
    "EstateError": "estate.errors",
    "formulate": "estate.formulate",
    "json_schema": "estate.start.schema",
    "Limits": "estate.solve",
    "load_scenario": "estate.scenario",
    "lscp": "estate.problem.textbook",
    "mclp": "estate.problem.textbook",
    "measure": "estate.standards.journeys",
    "Outcome": "estate.pipeline.decide",
    "p_center": "estate.problem.textbook",
    "p_median": "estate.problem.textbook",
    "Place": "estate.place",
    "Plan": "estate.place",
    "prepare": "estate.pipeline.prepare",
    "presets": "estate.standards.presets",
    "Problem": "estate.problem",
    "problems": "estate.pipeline.prepare",
    "publish": "estate.pipeline.job",
    "read_run": "estate.runs.files",
    "redraw": "estate.page",
    "referee": "estate.verify",
    "render": "estate.page",
    "run": "estate.pipeline.job",
    "Scenario": "estate.scenario",
    "single_source": "estate.problem.textbook",
    "solve": "estate.solve",
    "uncapacitated": "estate.problem.textbook",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604  (the names are the keys of _PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Face(ModuleType):
    """The package, in which a public name means the same before and after a subpackage of that name is loaded.

    Importing ``estate.solve`` would otherwise put the package in the place of the function :func:`estate.solve.solve`.  Code
    reaches the packages by ``from estate.solve import ...``, which does not look here.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _PUBLIC or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
