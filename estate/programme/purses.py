"""The purses of a programme as rows: what each has at hand by the end of each year, with what may be borrowed, drawn and given.

* **Loans**, their interest and repayment (minimum revenue provision); **funds**, which are paid back out of revenue and lend
  again what comes back, or are a grant; **transfers**: revenue may be spent as capital, never the reverse, but for **flexible
  use**: where a direction lets an authority meet the revenue cost of reform from receipts, and both fall in its years.
* **Vesting**: a purse that ends passes what it has and owes to its successor's (:mod:`estate.programme.succession`).

Money that is free to be chosen changes no present value.  Of all that would do, the least is borrowed, and the least given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from estate.appraise.flexible import REFORM
from estate.money.columns import Floats, Ints
from estate.money.entries import RECEIPTS
from estate.money.law import binding, year_label
from estate.money.purses import at_hand_pence, limited
from estate.place import Place
from estate.programme.cash import BANKED, SPENT, Ways, flow
from estate.programme.orders import Line
from estate.programme.succession import Succession, succession
from estate.scenario import Fund, Loan, Programme, Purse, Scenario


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A sum that may be drawn: the ``column`` of it, its terms, and the fund that it is of (blank: a loan)."""

    column: int
    terms: Loan
    fund: str = ""


@dataclass(frozen=True, eq=False)
class Account:
    """One purse's cash as rows of the programme: what each step adds to what it has spent, and what is free to be chosen.

    ``transfer`` are the years in which revenue may be given to capital (the column of each), ``borrowed`` what it may draw,
    ``flexible`` those of what receipts may give to the cost of reform, by agency (its position), year and instrument.
    ``passes_to`` is the purse that has it from vesting on, where it ends then.
    """

    purse: Purse
    share: float
    borrowed: tuple[Borrowed, ...]
    transfer: Mapping[int, int]
    flexible: Mapping[tuple[int, int, str], int]
    passes_to: str = ""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of money of which it has a limit."""
        return frozenset(each.kind for each in self.purse.budgets)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Every sum that is free to be chosen: ``most`` of each in pence, and how ``dear`` it is when sums are told apart."""

    most: tuple[int, ...] = ()
    dear: tuple[float, ...] = ()


MOST_MOVED = 10**13
"""Pence that revenue may give capital in a year: a column needs an end, and no purse has so much."""
GIVEN, GRANTED, LENT = 0.01, 0.25, 1.0
"""How dear a pound of each is when sums are told apart: a purse's own money first, then a grant, then what is paid back."""
LATER = 1e-3
"""By how much less for each year that it is needed later."""


def charges(loan: Loan, gbp: float) -> tuple[Floats, Floats]:
    """(n,) repayment and (n,) interest of a sum borrowed, GBP, in each year after it is drawn; of a grant none."""
    n, rate = loan.years, loan.rate
    if n == 0:
        return np.zeros(0), np.zeros(0)
    if loan.repaid == "straight-line":
        repaid = np.full(n, gbp / n)
        return repaid, rate * (gbp - np.arange(n, dtype=np.float64) * gbp / n)
    if rate == 0:
        return np.full(n, gbp / n), np.zeros(n)
    charge = gbp * rate / (1 - (1 + rate) ** -n)
    repaid = (charge - rate * gbp) * (1 + rate) ** np.arange(n, dtype=np.float64)
    return repaid, charge - repaid


def of_fund(fund: Fund, purse: str, year: int) -> Loan:
    """What one purse draws on a fund in one year, on the terms of a loan without interest."""
    return Loan.model_construct(
        purse=purse, most_gbp=fund.gbp, year=year, rate=0.0, years=fund.repaid_over_years, repaid="straight-line"
    )


def may_draw(fund: Fund, purse: Purse) -> bool:
    """Whether a purse may draw on a fund."""
    return purse.name in fund.purses if fund.purses else any(each.kind == "capital" for each in purse.budgets)


def accounts(place: Place, scenario: Scenario, years: Ints) -> tuple[tuple[Account, ...], Sums]:
    """The purses with a limit, and every free sum, in the order of their columns."""
    programme, then = scenario.programme or Programme(), succession(scenario)
    purses, base = limited(place, scenario), scenario.money.base_year
    found: list[Account] = []
    most: list[int] = []
    dear: list[float] = []

    def column(pence: int, weight: float, year: int) -> int:
        most.append(pence)
        dear.append(weight * (1 - LATER * year))
        return len(most) - 1

    for purse in purses:
        share, heir = programme.recycled.get(purse.name, 0.0), then.passes_to(purse, purses)
        kinds = {each.kind for each in purse.budgets}
        own = years[years < then.year].tolist() if heir else years.tolist()
        borrowed = [
            Borrowed(column(round(loan.most_gbp * 100), LENT + loan.rate * loan.years, loan.year - base), loan)
            for loan in programme.loans
            if loan.purse == purse.name
        ]
        for fund in programme.funds:
            for year in range(fund.first_year, fund.last_year + 1) if may_draw(fund, purse) else ():
                if year - base in own:
                    weight = LENT if fund.repaid_over_years else GRANTED
                    at = column(round(fund.gbp * 100), weight, year - base)
                    borrowed.append(Borrowed(at, of_fund(fund, purse.name, year), fund.name))
        transfer = {}
        if "capital" in kinds and ("revenue" in kinds or share):
            transfer = {year: column(MOST_MOVED, GIVEN, year) for year in own}
        flexible = {}
        if programme.flexible_use and kinds == {"capital", "revenue"} and purse.basis == "net":
            flexible = {each: column(MOST_MOVED, 0.0, each[1]) for each in _directed(place, scenario, purse, years)}
        found.append(Account(purse, share, tuple(borrowed), transfer, flexible, heir))
    return tuple(found), Sums(tuple(most), tuple(dear))


def _directed(place: Place, scenario: Scenario, purse: Purse, years: Ints) -> Iterator[tuple[int, int, str]]:
    """The members of a purse and the years in which a direction names them, with its instrument."""
    for agency in np.flatnonzero(place.agencies.index.isin(purse.agencies)).tolist():
        kind = str(place.agencies["kind"].iloc[agency])
        for year in years.tolist():
            rule = binding("flexible-use", kind, scenario.money.base_year + year)
            if rule is not None:
                yield agency, year, rule.instrument


# ------------------------------------------------------------------------------------------------------ rows


type _Money = tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class _Pot:
    """One kind of a purse's money: (P, T, Y) and (J, T, Y) spent so far, (Y,) at hand, and by year what free sums add."""

    pair: Ints
    site: Ints
    hand: Ints
    money: tuple[_Money, ...]


def cash_lines(ways: Ways) -> tuple[tuple[Line, ...], Sums]:
    """The rows that keep every purse, and every fund, at nothing or above in every year, and the free sums."""
    place, scenario = ways.place, ways.scenario
    if not limited(place, scenario):
        return (), Sums()
    base, then = scenario.money.base_year, succession(scenario)
    last = max((int(frame["year"].max()) for frame in ways.entries if len(frame)), default=0)
    years = np.arange(last + 1)
    found, sums = accounts(place, scenario, years)
    pots = {account.purse.name: _pots(ways, account, then, last) for account in found}
    lines: list[Line] = []
    for account in found:
        name = account.purse.name
        before = [each.purse.name for each in found if each.passes_to == name]
        lines += _reform(ways, account, last)
        for kind, pot in pots[name].items():
            inherited = [_like(pots[each], kind) for each in before]
            for year in years.tolist():
                if account.passes_to and year >= then.year:
                    break
                whole = [pot, *(each for each in inherited if each is not None and year >= then.year)]
                money = tuple(term for each in whole for term in each.money[year])
                if kind == "" and not money:
                    continue
                line = Line(
                    f"{name}, {kind or 'savings'} to {year_label(base + year)}",
                    sum_of([each.pair[:, :, year] for each in whole]), sum_of([each.site[:, :, year] for each in whole]),
                    int(sum(each.hand[year] for each in whole)), money, name, kind, year,
                )  # fmt: skip
                lines.append(line)
    lines += _funds(ways, found)
    return tuple(_needed(lines)), sums


def sum_of(parts: list[Ints]) -> Ints:
    """Arrays of one shape, added up."""
    found: Ints = np.sum(parts, axis=0, dtype=np.int64)
    return found


def _like(pots: Mapping[str, _Pot], kind: str) -> _Pot | None:
    """What a purse that ends passes on to a kind of another's money: of revenue without a budget, the savings alone."""
    return pots.get(kind) if kind == "capital" else pots.get("revenue", pots.get(""))


def _pots(ways: Ways, account: Account, then: Succession, last: int) -> dict[str, _Pot]:
    """The kinds of a purse's money: capital and revenue where it has a budget; else savings alone, for what they must pay."""
    scenario, purse, kinds = ways.scenario, account.purse, account.kinds
    base, years = scenario.money.base_year, np.arange(last + 1)
    member = then.members(ways.place, purse, last + 1)
    found = {}
    if "capital" in kinds:
        hand = at_hand_pence(purse, "capital", base, years)
        money = tuple(_capital(account, base, year) for year in years.tolist())
        found["capital"] = _Pot(*flow(ways, member, _lines(purse, "capital"), 0.0), hand, money)
    kind = "revenue" if "revenue" in kinds else ""
    hand = at_hand_pence(purse, "revenue", base, years) if kind else np.zeros(last + 1, dtype=np.int64)
    money = tuple(_revenue(account, base, year) for year in years.tolist())
    found[kind] = _Pot(*flow(ways, member, _lines(purse, kind), account.share), hand, money)
    return found


def _lines(purse: Purse, kind: str) -> list[str]:
    return [*SPENT.get(kind, ()), *(BANKED.get(kind, ()) if purse.basis == "net" else ())]


def _moved(account: Account, year: int) -> list[tuple[int, float]]:
    """What revenue has given to capital by the end of a year, less what receipts have given to reform."""
    found = [(column, 1.0) for when, column in account.transfer.items() if when <= year]
    return found + [(column, -1.0) for (_, when, _), column in account.flexible.items() if when <= year]


def _capital(account: Account, base: int, year: int) -> _Money:
    drawn = [(each.column, -1.0) for each in account.borrowed if each.terms.year - base <= year]
    return (*((column, -part) for column, part in _moved(account, year)), *drawn)


def _revenue(account: Account, base: int, year: int) -> _Money:
    owed = [(each.column, _owed(each.terms, year - (each.terms.year - base))) for each in account.borrowed]
    return (*_moved(account, year), *((column, part) for column, part in owed if part))


def _owed(loan: Loan, after: int) -> float:
    """What has been charged for each pound of a loan, so many years after it was drawn."""
    repaid, interest = charges(loan, 1.0)
    return float((repaid + interest)[: max(after, 0)].sum())


def _needed(lines: list[Line]) -> list[Line]:
    """The rows less those that say nothing: no step costs or brings anything, and no money is to be chosen."""
    return [each for each in lines if each.money or each.pair.any() or each.site.any()]


def _funds(ways: Ways, found: tuple[Account, ...]) -> Iterator[Line]:
    """A fund lends no more, by the end of any year in which it may be drawn, than it has and has had back."""
    scenario, base = ways.scenario, ways.scenario.money.base_year
    none = np.zeros((len(ways.point), len(ways.years)), dtype=np.int64), np.zeros((len(ways.place.sites), len(ways.years)))
    for fund in scenario.programme.funds if scenario.programme else ():
        mine = [each for account in found for each in account.borrowed if each.fund == fund.name]
        for year in range(fund.first_year, fund.last_year + 1) if mine else ():
            money = []
            for each in mine:
                owed = 1.0 - _owed(each.terms, year - each.terms.year)
                if each.terms.year <= year and owed > 0:
                    money.append((each.column, owed))
            name = f"fund '{fund.name}' to {year_label(year)}"
            yield Line(name, none[0], none[1].astype(np.int64), round(fund.gbp * 100), tuple(money), year=year - base)


def _reform(ways: Ways, account: Account, last: int) -> Iterator[Line]:
    """What receipts give to reform: no more in a year than reform costs in it, and in all than is banked under the direction."""
    base, names = ways.scenario.money.base_year, ways.place.agencies.index
    for (agency, year, instrument), column in account.flexible.items():
        mine = np.repeat((np.arange(len(names)) == agency)[:, None], last + 1, axis=1)
        spent, banked = (flow(ways, mine, lines, 0.0) for lines in (REFORM, RECEIPTS))
        label = f"{names[agency]} in {year_label(base + year)}"
        pair, site = (-_between(each, year, year) for each in spent)
        yield Line(f"reform of {label}", pair, site, 0, ((column, 1.0),))
        same = [(when, n) for (who, when, under), n in account.flexible.items() if (who, under) == (agency, instrument)]
        first = min(when for when, _ in same)
        money = tuple((n, 1.0) for when, n in same if when <= year)
        pair, site = (_between(each, first, year) for each in banked)
        yield Line(f"receipts for reform of {label}", pair, site, 0, money)


def _between(flow_: Ints, first: int, last: int) -> Ints:
    """What falls in some years of a running total by year."""
    found: Ints = flow_[:, :, last] - (flow_[:, :, first - 1] if first else 0)
    return found
