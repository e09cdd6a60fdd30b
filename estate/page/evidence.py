"""What a night of what-ifs says of a plan: how often it stays best, what each building's other fate costs, near-best plans.

Published batches lie beside runs, in folders of their own with ``batch.json``.  One speaks of a run where it starts from the same
scenario on the same inputs and found the same answer; its tables are read as they were published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from estate.page import words
from estate.runs.run import Run

BATCH = "batch.json"
PENNY = 0.005


@dataclass(frozen=True, eq=False)
class Evidence:
    """The tables of a batch that a page may show, and the way to its own page."""

    title: str
    href: str
    scenarios: int
    regret: pd.DataFrame
    alternatives: pd.DataFrame
    prices: pd.DataFrame

    def price_of_keeping(self) -> Mapping[str, float]:
        """Site id = what keeping a building that closes would cost more, GBP a year; those that are proven."""
        frame = self.prices[self.prices["in_the_plan"] == "released"].dropna(subset=["price_of_keeping_gbp_pa"])
        return dict(zip(frame["site_id"].astype(str), frame["price_of_keeping_gbp_pa"].astype(float), strict=True))

    def lines(self) -> list[tuple[str, str, str]]:
        """A heading, a sentence and the place on the night's page for each thing that the night knows."""
        found = (("robust", self._robust()), ("robust", self._near_best()), ("buildings", self._close_calls()))
        return [(*each, f"{self.href}#{part}") for part, each in found if each]

    def _robust(self) -> tuple[str, str] | None:
        mine = self.regret[self.regret["is_base"].astype(str).str.lower() == "true"]
        if mine.empty:
            return None
        row = mine.iloc[0]
        often = (
            f"It is the best plan in {words.count(row['best_in'])} of {words.count(row['scenarios'])} trials of other figures"
        )
        if pd.notna(row["max_regret_gbp_pa"]):
            return (
                "Tried with other figures",
                f"{often}; at worst another would cost {words.gbp(row['max_regret_gbp_pa'])} a year less.",
            )
        return "Tried with other figures", f"{often}, and breaks a rule in {words.count(row['breaks'])}."

    def _near_best(self) -> tuple[str, str] | None:
        proven = self.alternatives.dropna(subset=["more_than_the_best_gbp_pa"])
        if proven.empty:
            return None
        row = proven.iloc[0]
        parts = [
            f"{way} {words.clean_long(row[name])}"
            for way, name in (("keeps", "keeps"), ("closes", "loses"))
            if _said(row[name])
        ]
        other = f": it {' and '.join(parts)}" if parts else ""
        differ = words.plural(row["buildings_that_differ"], "building")
        more = words.gbp(row["more_than_the_best_gbp_pa"])
        return "The nearest other plan", f"The best plan that differs by {differ} or more costs {more} a year more{other}."

    def _close_calls(self) -> tuple[str, str] | None:
        known = self.prices.dropna(subset=["margin_gbp_pa"])
        if known.empty:
            return None
        row = known.iloc[0]
        fate = "keep" if row["in_the_plan"] == "released" else "close"
        name, more = words.clean(row["name"]), words.gbp(row["margin_gbp_pa"])
        return (
            "The closest call",
            f"To {fate} {name} after all would cost {more} a year; of no other building would it cost less.",
        )


def _said(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def beside(folder: Path, run: Run) -> Evidence | None:
    """The batch beside a run's folder that speaks of it; of several the one with most scenarios, then the first by name."""
    found = [(-int(each["scenarios"]), where, each) for where, each in _batches(folder) if _speaks_of(each, run.manifest)]
    if not found:
        return None
    _, where, manifest = min(found, key=lambda each: each[:2])
    tables = {name: pd.read_csv(where / f"{name}.csv") for name in ("regret", "alternatives", "prices")}
    return Evidence(_title(manifest), _href(where, folder), int(manifest["scenarios"]), **tables)


def others(folder: Path, run: Run) -> list[tuple[str, str]]:
    """The title and the address of every batch beside a run's folder that does not speak of it."""
    return [(_title(each), _href(where, folder)) for where, each in _batches(folder) if not _speaks_of(each, run.manifest)]


def _batches(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folders of the batches published beside a run's, by name, and their manifests."""
    for file in sorted(folder.parent.glob(f"*/{BATCH}")):
        yield file.parent, json.loads(file.read_text(encoding="utf-8"))


def _title(manifest: Mapping[str, Any]) -> str:
    return words.clean(manifest["title"] or manifest["name"])


def _href(where: Path, folder: Path) -> str:
    return f"{quote(os.path.relpath(where, folder))}/index.html"


def _speaks_of(batch: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    """The same scenario by name, the same files, and the same best value for them."""
    if batch.get("base") != run.get("name") or batch.get("inputs") != run.get("inputs"):
        return False
    status, value, _ = next((answer for label, answer in batch["answers"].items() if label.startswith("base")), ("", None, ""))
    mine = run.get("objective_value")
    return status == run.get("status") and value is not None and mine is not None and abs(value - mine) <= PENNY
