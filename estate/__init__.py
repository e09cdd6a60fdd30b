"""Choose shared hubs for public services: least running cost, nobody left too far from a counter.

Public names are importable from here and do the same as the commands. They are found on first use, so that
``import estate`` (and with it ``estate -h``) loads nothing but the standard library.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that defines it. A new public name is one line here.
_PUBLIC: dict[str, str] = {
    "calibration": "estate.standards.journeys",
    "check": "estate.validate",
    "decide": "estate.pipeline.decide",
    "differences": "estate.runs.compare",
    "draft_from_osm": "estate.start.draft",
    "EstateError": "estate.errors",
    "json_schema": "estate.start.schema",
    "load_scenario": "estate.scenario",
    "measure": "estate.standards.journeys",
    "prepare": "estate.pipeline.prepare",
    "presets": "estate.standards.presets",
    "problems": "estate.pipeline.prepare",
    "read_run": "estate.runs.files",
    "redraw": "estate.page",
    "referee": "estate.verify",
    "render": "estate.page",
    "run": "estate.pipeline.job",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604  (the names are the keys of _PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
