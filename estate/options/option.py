"""One option: a plan with its books, and what it costs in all, from the base year to the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from estate.appraise.cashflow import Flows, flows
from estate.appraise.ledger import Ledger, ledger
from estate.money.columns import Floats, Ints
from estate.options.upkeep import upkeep
from estate.place import Place, Plan
from estate.scenario import Scenario

RUNNING = "running_cost"
"""The line of what an agency pays a year for the buildings it uses, rent less what it receives among it."""
KINDS = ("do nothing", "do minimum", "plan", "alternative")


@dataclass(frozen=True, eq=False)
class Option:
    """A plan to be set beside others, on the figures of one scenario.

    ``changes`` are the settings under which an alternative was chosen; ``status`` and ``gap`` the proof that it is the best of
    them.
    """

    name: str
    kind: str
    plan: Plan
    place: Place
    scenario: Scenario
    changes: Mapping[str, object]
    status: str = ""
    gap: float | None = None

    @cached_property
    def book(self) -> Ledger:
        """Its ledger against today's estate."""
        return ledger(self.place, self.scenario, self.plan)

    @cached_property
    def cash(self) -> Flows:
        """Its cash by year against today's estate: where payback is read."""
        return flows(self.scenario, self.book)

    @cached_property
    def upkeep(self) -> pd.DataFrame:
        """What keeping fit what it keeps costs; nothing where nothing is done."""
        found = upkeep(self.place, self.scenario, self.plan)
        return found.iloc[:0] if self.kind == KINDS[0] else found

    @cached_property
    def entries(self) -> pd.DataFrame:
        """All that is paid and received, not only what differs from today: ``year, agency, line, pence``, signed as the ledger.

        Repairs are here as they are met, so the ledger's ``backlog_avoided`` is not.
        """
        horizon, agencies = self.scenario.money.horizon_years, len(self.place.agencies)
        running = pd.DataFrame(
            {
                "year": np.repeat(np.arange(horizon), agencies),
                "agency": np.tile(np.arange(agencies), horizon),
                "line": RUNNING,
                "pence": -np.tile(self._added_up(self.book.before), horizon),
            }
        )
        changed = self.book.yearly.assign(line=RUNNING)
        later = self.book.later[self.book.later["line"] != "backlog_avoided"]
        columns = ["year", "agency", "line", "pence"]
        frames = [running, changed[columns], self.book.once[columns], later[columns], self.upkeep[columns]]
        whole = pd.concat(frames, ignore_index=True).groupby(columns[:3])["pence"].sum().reset_index()
        return whole[whole["pence"] != 0].reset_index(drop=True)

    @cached_property
    def cost_by_agency(self) -> Floats:
        """(A,) net present cost, unrounded pence: what each agency pays less what it receives, within the horizon."""
        within = self.entries[self.entries["year"] < self.scenario.money.horizon_years]
        found = np.zeros(len(self.place.agencies))
        worth = within["pence"].to_numpy() * self.cash.worth.factor[within["year"].to_numpy(dtype=np.int64)]
        np.add.at(found, within["agency"].to_numpy(dtype=np.int64), -worth)
        return found

    @property
    def cost_pence(self) -> float:
        """Net present cost to all agencies, unrounded pence."""
        return float(self.cost_by_agency.sum())

    def total(self, *lines: str) -> int:
        """Pence of some lines, whenever they fall, signed as the ledger."""
        return int(self.by_agency(*lines).sum())

    def by_agency(self, *lines: str) -> Ints:
        """(A,) the same by agency."""
        return self._added_up(self.entries[self.entries["line"].isin(lines)])

    @property
    def running_by_agency(self) -> Ints:
        """(A,) pence of running cost in a year in which it is complete."""
        return self._added_up(self.book.after)

    @property
    def dearer_by_agency(self) -> Ints:
        """(A,) by how many pence that is more than today."""
        return self.running_by_agency - self._added_up(self.book.before)

    def _added_up(self, rows: pd.DataFrame) -> Ints:
        """(A,) the ``pence`` of some rows by their ``agency``."""
        found = np.zeros(len(self.place.agencies), dtype=np.int64)
        np.add.at(found, rows["agency"].to_numpy(dtype=np.int64), rows["pence"].to_numpy(dtype=np.int64))
        return found
