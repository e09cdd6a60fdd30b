"""A scenario: every setting of a run, as frozen typed models read from TOML.

A scenario file may extend another (``extends``), and ``--set key=value`` or a what-if lays named changes on top, so a scenario
is always *base + patches*.  What is read here is only checked for shape, spelling and range; whether ids exist is checked
against the tables in :mod:`estate.validate`.
"""

from estate.scenario.access import KIND_OF, ROOF, Journey, Limb, Service, Standard, under_one_roof
from estate.scenario.files import Adjust, TableFile, Tables
from estate.scenario.limits import Limit, Metric, Settings
from estate.scenario.money import Objective, Sensitivity
from estate.scenario.options import Alternative, Options
from estate.scenario.partners import Partners, Reorganisation, Vehicle, WorseOff
from estate.scenario.patches import Patch, parse_change, patched
from estate.scenario.programme import Case, Fund, Loan, Programme
from estate.scenario.purses import Budget, Purse
from estate.scenario.reading import altered, build, digest, load_scenario, resolved, settings_bytes
from estate.scenario.rules import Decision, Rules
from estate.scenario.settings import Scenario
from estate.scenario.travel import Method, Travel

__all__ = [
    "KIND_OF",
    "ROOF",
    "Adjust",
    "Alternative",
    "Budget",
    "Case",
    "Decision",
    "Fund",
    "Journey",
    "Limb",
    "Limit",
    "Loan",
    "Method",
    "Metric",
    "Objective",
    "Options",
    "Partners",
    "Patch",
    "Programme",
    "Purse",
    "Reorganisation",
    "Rules",
    "Scenario",
    "Sensitivity",
    "Service",
    "Settings",
    "Standard",
    "TableFile",
    "Tables",
    "Travel",
    "Vehicle",
    "WorseOff",
    "altered",
    "build",
    "digest",
    "load_scenario",
    "parse_change",
    "patched",
    "resolved",
    "settings_bytes",
    "under_one_roof",
]
