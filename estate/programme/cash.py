"""What each step costs each purse, and brings it, in which year: the cash of a programme, in whole pence.

Everything that is paid or banked once is an entry of :mod:`estate.money.entries` for the year in which the step is taken, so a
programme is held to what the books say.  To these comes what a programme alone has:

* **savings recycled**: a share of the running cost that a purse saves.  What a building costs today is saved by those who bear it
  today; a point that moves takes on its hosting.  How a shared building's own cost is split anew is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from estate.money.bearers import borne, positions, rents, share_out, use_today, users
from estate.money.columns import Floats, Ints
from estate.money.costs import hosting_gbp_pa, pence, running_gbp_pa
from estate.money.entries import (
    CAPITAL,
    LATER,
    RECEIPTS,
    REVENUE,
    REVENUE_SUMS,
    move_entries,
    move_payers,
    opening_entries,
    release_entries,
)
from estate.money.release import leaving_years
from estate.place import Place
from estate.problem import Bools
from estate.scenario import Scenario

RECYCLED = "savings_recycled"
SPENT = {"capital": CAPITAL, "revenue": REVENUE}
BANKED = {"capital": RECEIPTS, "revenue": REVENUE_SUMS}


@dataclass(frozen=True, eq=False)
class Ways:
    """Every way in which a step could be taken, and when: ``point, site, home`` (P,) of each pair, ``years`` (T,)."""

    place: Place
    scenario: Scenario
    point: Ints
    site: Ints
    home: Ints
    years: Ints

    @cached_property
    def entries(self) -> tuple[pd.DataFrame, ...]:
        """By period: ``pair, site, agency, year, line, pence`` of every step, signed as the ledger; pair or site is -1."""
        return tuple(self._of_period(int(year)) for year in self.years)

    def _of_period(self, year: int) -> pd.DataFrame:
        place = self.place
        then = self.scenario.model_copy(update={"money": self.scenario.money.model_copy(update={"closing_year": year})})
        payer, when = move_payers(place, then, self.point)
        away = np.flatnonzero(self.site != self.home)
        frames = [
            pd.DataFrame(
                {"pair": away, "site": -1, "agency": payer[away], "year": when[away], "line": line, "pence": amount[away]}
            )
            for line, amount in move_entries(place, then, self.point, self.site).items()
        ]
        frames += [each.assign(pair=-1) for each in (release_entries(place, then, self._before), opening_entries(place, then))]
        frames += self._recycled(leaving_years(place, then), year)
        found = pd.concat(frames, ignore_index=True)
        return found[(found["pence"] != 0) & ~found["line"].isin(LATER)].reset_index(drop=True)

    @cached_property
    def _before(self) -> pd.DataFrame:
        return borne(self.place, self.scenario, use_today(self.place))

    @property
    def _horizon(self) -> int:
        return self.scenario.money.horizon_years

    def _parts(self, start: Floats, stop: Floats) -> tuple[Ints, Ints, Floats]:
        """Row, year and the part of the year that lies between two dates, in years after the base date, within the horizon."""
        year = np.arange(self._horizon)
        part = np.clip(np.minimum(stop[:, None], year + 1) - np.maximum(start[:, None], year), 0, 1)
        row, at = np.nonzero(part)
        return row, at, part[row, at]

    def _recycled(self, leave: Floats, opens: int) -> list[pd.DataFrame]:
        """Running cost and rent saved in each year of the horizon, by who bears it today; whole: each purse takes its share."""
        place = self.place
        agency, title = positions(place)
        paid = place.today.open & ~place.outside
        running = running_gbp_pa(place)
        bears = users(place, self.scenario, use_today(place))
        row, year, part = self._parts(leave, np.full(len(leave), float(self._horizon)))
        keep = paid[row]
        row, year, part = row[keep], year[keep], part[keep]
        each = pd.DataFrame({"site": row, "year": year, "pence": pence(running[row] * part)}).merge(bears, on="site")
        group = each["site"].to_numpy() * self._horizon + each["year"].to_numpy()
        amount = np.zeros(len(place.sites) * self._horizon, dtype=np.int64)
        amount[group] = each["pence"].to_numpy()
        released = each.assign(pence=share_out(amount, group, each["weight"].to_numpy()), pair=-1, line=RECYCLED)
        change = hosting_gbp_pa(place, self.point, self.home) - hosting_gbp_pa(place, self.point, self.site)
        away = np.flatnonzero(self.site != self.home)
        row, year, part = self._parts(leave[self.home[away]], np.full(len(away), float(self._horizon)))
        hosted = pd.DataFrame(
            {
                "pair": away[row], "site": -1, "agency": agency[self.point[away[row]]], "year": year,
                "line": RECYCLED, "pence": pence(change[away[row]] * part),
            }
        )  # fmt: skip
        new = np.flatnonzero(~place.today.open)
        row, year, part = self._parts(np.full(len(new), float(opens)), np.full(len(new), float(self._horizon)))
        opened = pd.DataFrame(
            {
                "pair": -1, "site": new[row], "agency": title[new[row]], "year": year,
                "line": RECYCLED, "pence": -pence(running[new[row]] * part),
            }
        )  # fmt: skip
        found = [released[["pair", "site", "agency", "year", "line", "pence"]], hosted, opened]
        for rent, sign in zip(rents(place, self.scenario, use_today(place)), (1, -1), strict=True):
            at = rent["site"].to_numpy(dtype=np.int64)
            row, year, part = self._parts(leave[at], np.full(len(at), float(self._horizon)))
            amount = sign * pence(rent["pence"].to_numpy()[row] / 100 * part)
            who = rent["agency"].to_numpy()[row]
            columns = {"pair": -1, "site": at[row], "agency": who, "year": year, "line": RECYCLED, "pence": amount}
            found.append(pd.DataFrame(columns))
        return found


def flow(ways: Ways, member: Bools, lines: Sequence[str], share: float) -> tuple[Ints, Ints]:
    """(P, T, Y) and (J, T, Y) what a step has cost some agencies by the end of each year: some lines, less what is recycled.

    ``member`` (A, Y) says whose entries of which year count.
    """
    last = member.shape[1] - 1
    by_pair = np.zeros((len(ways.point), len(ways.years), last + 1), dtype=np.int64)
    by_site = np.zeros((len(ways.place.sites), len(ways.years), last + 1), dtype=np.int64)
    for t, frame in enumerate(ways.entries):
        mine = frame[member[frame["agency"].to_numpy(dtype=np.int64), frame["year"].to_numpy(dtype=np.int64)]]
        for chosen, part in ((mine[mine["line"].isin(lines)], 1.0), (mine[mine["line"] == RECYCLED], share)):
            if not part or not len(chosen):
                continue
            amount = -np.floor(chosen["pence"].to_numpy() * part).astype(np.int64)
            pair, site, year = (chosen[name].to_numpy(dtype=np.int64) for name in ("pair", "site", "year"))
            np.add.at(by_pair, (pair[pair >= 0], t, year[pair >= 0]), amount[pair >= 0])
            np.add.at(by_site, (site[pair < 0], t, year[pair < 0]), amount[pair < 0])
    return by_pair.cumsum(axis=2), by_site.cumsum(axis=2)
