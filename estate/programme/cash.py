"""What each step costs each purse, and brings it, in which year: the cash of a programme, in whole pence.

Everything that is paid or banked once is an entry of :mod:`estate.money.entries` for the year in which the step is taken, so a
programme is held to what the books say.  To these come what a programme alone has:

* **savings recycled**: a share of the running cost that a purse saves.  What a building costs today is saved by those who bear it
  today; a point that moves takes on its hosting.  How a shared building's own cost is split anew is not counted;
* **loans**, their interest and repayment; and **transfers**: revenue may be spent as capital, never the reverse, but for
  **flexible use**: where a direction lets an authority meet the revenue cost of reform from receipts, and both fall in its years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from estate.appraise.flexible import REFORM
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
from estate.money.law import binding, year_label
from estate.money.purses import at_hand_pence, limited
from estate.money.release import leaving_years
from estate.place import Place
from estate.problem import Bools
from estate.programme.orders import Line
from estate.scenario import Loan, Purse, Scenario

RECYCLED = "savings_recycled"
SPENT = {"capital": CAPITAL, "revenue": REVENUE}
BANKED = {"capital": RECEIPTS, "revenue": REVENUE_SUMS}


def charges(loan: Loan, gbp: float) -> tuple[Floats, Floats]:
    """(n,) repayment and (n,) interest of a sum borrowed, GBP, in each year after it is drawn."""
    n, rate = loan.years, loan.rate
    if loan.repaid == "straight-line":
        repaid = np.full(n, gbp / n)
        return repaid, rate * (gbp - np.arange(n, dtype=np.float64) * gbp / n)
    if rate == 0:
        return np.full(n, gbp / n), np.zeros(n)
    charge = gbp * rate / (1 - (1 + rate) ** -n)
    repaid = (charge - rate * gbp) * (1 + rate) ** np.arange(n, dtype=np.float64)
    return repaid, charge - repaid


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


@dataclass(frozen=True, eq=False)
class Account:
    """One purse's cash as rows of the programme: what each step adds to what it has spent, and what is free to be chosen.

    ``transfer`` are the years in which revenue may be given to capital (the column of each), ``loans`` the columns of its loans,
    ``flexible`` those of what receipts may give to the cost of reform, by agency (its position), year and instrument.
    """

    purse: Purse
    share: float
    loans: tuple[tuple[int, Loan], ...]
    transfer: Mapping[int, int]
    flexible: Mapping[tuple[int, int, str], int]


def accounts(place: Place, scenario: Scenario, years: Ints) -> tuple[tuple[Account, ...], tuple[int, ...]]:
    """The purses with a limit, and the most that each free sum may be, pence, in the order of their columns."""
    programme = scenario.programme
    found: list[Account] = []
    sums: list[int] = []
    for purse in limited(place, scenario):
        share = 0.0 if programme is None else programme.recycled.get(purse.name, 0.0)
        loans = []
        for loan in () if programme is None else programme.loans:
            if loan.purse == purse.name:
                loans.append((len(sums), loan))
                sums.append(round(loan.most_gbp * 100))
        kinds = {each.kind for each in purse.budgets}
        transfer = {}
        if "capital" in kinds and ("revenue" in kinds or share):
            for year in years.tolist():
                transfer[year] = len(sums)
                sums.append(MOST_MOVED)
        flexible = {}
        if programme is not None and programme.flexible_use and kinds == {"capital", "revenue"} and purse.basis == "net":
            for each in _directed(place, scenario, purse, years):
                flexible[each] = len(sums)
                sums.append(MOST_MOVED)
        found.append(Account(purse, share, tuple(loans), transfer, flexible))
    return tuple(found), tuple(sums)


def _directed(place: Place, scenario: Scenario, purse: Purse, years: Ints) -> Iterator[tuple[int, int, str]]:
    """The members of a purse and the years in which a direction names them, with its instrument."""
    for agency in np.flatnonzero(place.agencies.index.isin(purse.agencies)).tolist():
        kind = str(place.agencies["kind"].iloc[agency])
        for year in years.tolist():
            rule = binding("flexible-use", kind, scenario.money.base_year + year)
            if rule is not None:
                yield agency, year, rule.instrument


MOST_MOVED = 10**13
"""Pence that revenue may give capital in a year: a column needs an end, and no purse has so much."""


def cash_lines(ways: Ways) -> tuple[tuple[Line, ...], tuple[int, ...]]:
    """The rows that keep every purse at nothing or above in every year, and the most of each free sum."""
    place, scenario = ways.place, ways.scenario
    if not limited(place, scenario):
        return (), ()
    base = scenario.money.base_year
    last = max((int(frame["year"].max()) for frame in ways.entries if len(frame)), default=0)
    years = np.arange(last + 1)
    found, sums = accounts(place, scenario, years)
    lines: list[Line] = []
    for account in found:
        purse = account.purse
        capital = _of_purse(ways, purse, "capital", 0.0, last)
        revenue = _of_purse(ways, purse, "revenue", account.share, last)
        saved = _of_purse(ways, purse, "", account.share, last)
        lines += _reform(ways, account, last)
        kinds = {each.kind for each in purse.budgets}
        hand = {kind: at_hand_pence(purse, kind, base, years) for kind in ("capital", "revenue")}
        for year in years.tolist():
            label = year_label(base + year)
            moved = [(column, 1.0) for when, column in account.transfer.items() if when <= year]
            moved += [(column, -1.0) for (_, when, _), column in account.flexible.items() if when <= year]
            if "capital" in kinds:
                drawn = [(column, -1.0) for column, loan in account.loans if loan.year - base <= year]
                money = (*((column, -part) for column, part in moved), *drawn)
                lines.append(_line((purse.name, "capital", year), label, capital, hand["capital"][year], money))
            owed = [(column, _owed(loan, year - (loan.year - base))) for column, loan in account.loans]
            money = (*moved, *((column, part) for column, part in owed if part))
            if "revenue" in kinds:
                lines.append(_line((purse.name, "revenue", year), label, revenue, hand["revenue"][year], money))
            elif money:
                lines.append(_line((purse.name, "", year), label, saved, 0, money))
    return tuple(_needed(lines)), sums


def _owed(loan: Loan, after: int) -> float:
    """What has been charged for each pound of a loan, so many years after it was drawn."""
    repaid, interest = charges(loan, 1.0)
    return float((repaid + interest)[: max(after, 0)].sum())


def _line(
    of: tuple[str, str, int], label: str, flow: tuple[Ints, Ints], hand: int, money: tuple[tuple[int, float], ...]
) -> Line:
    purse, kind, year = of
    name = f"{purse}, {kind or 'savings'} to {label}"
    return Line(name, flow[0][:, :, year], flow[1][:, :, year], int(hand), money, purse, kind, year)


def _needed(lines: list[Line]) -> list[Line]:
    """The rows less those that say nothing: no step costs or brings anything, and no money is to be chosen."""
    return [each for each in lines if each.money or each.pair.any() or each.site.any()]


def _reform(ways: Ways, account: Account, last: int) -> Iterator[Line]:
    """What receipts give to reform: no more in a year than reform costs in it, and in all than is banked under the direction."""
    base, names = ways.scenario.money.base_year, ways.place.agencies.index
    for (agency, year, instrument), column in account.flexible.items():
        mine = np.arange(len(names)) == agency
        spent, banked = (_flow(ways, mine, lines, 0.0, last) for lines in (REFORM, RECEIPTS))
        label = f"{names[agency]} in {year_label(base + year)}"
        pair, site = (-_between(each, year, year) for each in spent)
        yield Line(f"reform of {label}", pair, site, 0, ((column, 1.0),))
        same = [(when, n) for (who, when, under), n in account.flexible.items() if (who, under) == (agency, instrument)]
        first = min(when for when, _ in same)
        money = tuple((n, 1.0) for when, n in same if when <= year)
        pair, site = (_between(each, first, year) for each in banked)
        yield Line(f"receipts for reform of {label}", pair, site, 0, money)


def _between(flow: Ints, first: int, last: int) -> Ints:
    """What falls in some years of a running total by year."""
    found: Ints = flow[:, :, last] - (flow[:, :, first - 1] if first else 0)
    return found


def _of_purse(ways: Ways, purse: Purse, kind: str, share: float, last: int) -> tuple[Ints, Ints]:
    """What a step has cost a purse by the end of each year, of one kind of money: spent, less banked, less recycled."""
    lines = [*SPENT.get(kind, ()), *(BANKED.get(kind, ()) if purse.basis == "net" else ())]
    return _flow(ways, ways.place.agencies.index.isin(purse.agencies), lines, share, last)


def _flow(ways: Ways, member: Bools, lines: Sequence[str], share: float, last: int) -> tuple[Ints, Ints]:
    """(P, T, Y) and (J, T, Y) what a step has cost some agencies by the end of each year: some lines, less what is recycled."""
    by_pair = np.zeros((len(ways.point), len(ways.years), last + 1), dtype=np.int64)
    by_site = np.zeros((len(ways.place.sites), len(ways.years), last + 1), dtype=np.int64)
    for t, frame in enumerate(ways.entries):
        mine = frame[member[frame["agency"].to_numpy(dtype=np.int64)]]
        for chosen, part in ((mine[mine["line"].isin(lines)], 1.0), (mine[mine["line"] == RECYCLED], share)):
            if not part or not len(chosen):
                continue
            amount = -np.floor(chosen["pence"].to_numpy() * part).astype(np.int64)
            pair, site, year = (chosen[name].to_numpy(dtype=np.int64) for name in ("pair", "site", "year"))
            np.add.at(by_pair, (pair[pair >= 0], t, year[pair >= 0]), amount[pair >= 0])
            np.add.at(by_site, (site[pair < 0], t, year[pair < 0]), amount[pair < 0])
    return by_pair.cumsum(axis=2), by_site.cumsum(axis=2)
