"""A run: what was decided, on what, and every table of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from estate.place import Place, Plan
from estate.scenario import Scenario
from estate.travel import TravelTables

MANIFEST = "run.json"
DATA = "data"
CERTIFICATE = "certificate.json"

FORM = 8
"""The form of a stored run.  Whoever changes the columns of a table, or what the manifest says of a run, raises it by one.

1 (which no manifest says): the runs stored before the form was kept.  Runs of earlier forms are read where their settings still
can be, and refused by name where they cannot; of later forms, never.
"""


@dataclass(frozen=True, eq=False)
class Run:
    """A stored run: what was decided, on what, and every table of it."""

    scenario: Scenario
    place: Place
    plan: Plan
    travel: TravelTables
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    """Every published table by name, in the order people read them."""
    certificate: Mapping[str, Any] | None = None
    """Why no plan can cost much less, as published; what it says is nobody's word until it has been derived again."""

    def __repr__(self) -> str:
        return f"<Run {self.scenario.name}: {self.plan!r}, {len(self.tables)} tables>"


def form_of(manifest: Mapping[str, Any]) -> int:
    """The form in which a run was stored."""
    return int(manifest.get("form", 1))


def worth_knowing(issue: Mapping[str, Any]) -> str:
    """An issue of a manifest as a page or a workbook says it: by file, id and column, never by the number of a row.

    Numbers of rows change with the order in which the rows stand, and what is published does not.
    """
    where = ", ".join(str(issue[key]) for key in ("file", "id", "column") if issue.get(key) not in (None, ""))
    return f"{where}: {issue.get('message', '')}" if where else str(issue.get("message", ""))


def column_kinds(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """Whether each column of each table holds numbers or text: kept in the manifest, so that ``007`` is read back as text."""
    return {
        name: {
            str(column): "number" if pd.api.types.is_numeric_dtype(table[column].dtype) else "text"
            for column in table.columns
            if not pd.api.types.is_bool_dtype(table[column].dtype)
        }
        for name, table in tables.items()
    }
