"""A run: what was decided, on what, and every table of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from estate.place import Place, Plan
from estate.scenario import Scenario
from estate.travel import Travel

MANIFEST = "run.json"


DATA = "data"


TABLES = (
    "sites",
    "moves",
    "capital_receipts",
    "access",
    "zones",
    "ledger",
    "standards",
    "agencies",
    "affected",
    "consultation",
    "inequality",
    "unknowns",
    "cash_flow",
    "sensitivities",
    "switching",
    "transfers",
    "assumptions",
)
"""The published tables, in the order people read them; a table with no columns is left out."""


@dataclass(frozen=True, eq=False)
class Run:
    """A stored run: what was decided, on what, and every table of it."""

    scenario: Scenario
    place: Place
    plan: Plan
    travel: Travel
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]


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
