"""The account between agencies, who must be won, purses, and heads of terms: tables with every figure traced to a row.

================  =====================================================================================================
table             one row for
================  =====================================================================================================
``inducements``   each partner that might stay out: what the others lose, the least that would win it, whether they can pay
``winning``       each step of an order in which partners can be won
``settlements``   each measure of "nobody worse off" and partner: worth before and after, and if savings fall to 80%
``payments``      each payment a year, by what it is for
``account``       each measure, partner and year: opening, interest, invested, sales, saved, credited, closing
``own_purses``    each agency: what it must find itself, and what it has over
``powers``        each power by which partners of two kinds may pool or pay, or that none was found
``agreement``     each term: parties, space, moves, buildings let go, money put in, credits, leaving
================  =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estate.appraise.ledger import ledger
from estate.appraise.transfers import Transfers, settled
from estate.money.law import year_label
from estate.money.release import leaving_years
from estate.partners.account import (
    ALONE,
    CAUTION,
    TODAY,
    Cash,
    Settlement,
    Term,
    accounts,
    cash_of,
    settlement,
    term_of,
)
from estate.partners.partnership import Partnership, gains
from estate.partners.powers import NONE, powers_between, powers_table
from estate.partners.shares import AS_IT_FALLS, STABLE, Way
from estate.partners.winning import Inducement, order

OTHERS = "(others)"
"""Whoever gains and is no partner."""


@dataclass(frozen=True, slots=True, eq=False)
class AgreementTerms:
    """What settles a plan between its partners: cash, the years, and a settlement for each measure."""

    cash: Cash
    term: Term
    settlements: tuple[Settlement, ...]


def terms(found: Partnership) -> AgreementTerms:
    """The cash of the plan and what leaves nobody worse off than today, and than going alone."""
    measured, players = found.measured, found.game.players
    place, term = measured.place, term_of(measured)
    cash = cash_of(measured, found.formulation.plan(place, found.whole.plan), players)
    worth = term.worth(cash.net)
    alone = np.zeros(found.game.n)
    for i, each in enumerate(found.alone):
        if each.low:
            own = cash_of(measured, found.formulation.plan(place, each.plan), players)
            alone[i] = term.worth(own.net)[i]
    measures = ((TODAY, np.zeros(found.game.n)), (ALONE, np.maximum(alone, 0.0)))
    return AgreementTerms(cash, term, tuple(settlement(name, players, worth, floor, term) for name, floor in measures))


def agreement_tables(found: Partnership) -> dict[str, pd.DataFrame]:
    """All tables by name."""
    settled_ = terms(found)
    payments = _payments(found, settled_)
    return {
        "inducements": _inducements(found),
        "winning": _winning(found),
        "settlements": _settlements(found, settled_),
        "payments": payments,
        "account": _account(found, settled_),
        "own_purses": purses(found, settled_.cash),
        "powers": powers_table(found.measured.place, found.game.players),
        "agreement": _agreement(found, settled_, payments),
    }


# ------------------------------------------------------------------------------------------------------ winning


def _inducements(found: Partnership) -> pd.DataFrame:
    measured, players = found.measured, list(found.game.players)
    place = measured.place
    together = gains(measured, found.formulation.plan(place, found.whole.plan)).loc[players].to_numpy()
    annuity = term_of(measured).annuity
    made = []
    for i, player in enumerate(players):
        without = gains(measured, found.formulation.plan(place, found.without[i].plan)).loc[players].to_numpy()
        others = int(np.delete(together - without, i).sum())
        each = Inducement(found.whole.low - found.without[i].low, int(together[i]), int(without[i]), others)
        made.append(
            {
                "agency": player,
                "name": found.names[i],
                "all_lose_without_it_gbp_pa": each.others_lose / 100,
                "own_bill_falls_if_it_joins_gbp_pa": each.joins / 100,
                "own_bill_falls_if_it_stays_out_gbp_pa": each.stays_out / 100,
                "least_inducement_gbp_pa": each.least / 100,
                "least_inducement_once_gbp": round(each.least * annuity) / 100,
                "others_gain_by_it_gbp_pa": each.others_gain / 100,
                "others_can_pay": "yes" if each.payable else "no",
            }
        )
    return pd.DataFrame(made)


WINNING = ("step", "agency", "name", "saves_then_gbp_pa", "adds_gbp_pa")


def _winning(found: Partnership) -> pd.DataFrame:
    """The order, where groups are listed and there is one in which each step is stable; else no rows."""
    steps = (order(found.found.listed) if found.found is not None else None) or []
    before, made = 0, []
    for number, (i, saves) in enumerate(steps, 1):
        made.append((number, found.game.players[i], found.names[i], saves / 100, (saves - before) / 100))
        before = saves
    return pd.DataFrame(made, columns=list(WINNING)).astype(
        {"step": "int64", "agency": "object", "name": "object", "saves_then_gbp_pa": "float64", "adds_gbp_pa": "float64"}
    )


# ------------------------------------------------------------------------------------------------------ the account


def _settlements(found: Partnership, terms_: AgreementTerms) -> pd.DataFrame:
    cash, term = terms_.cash, terms_.term
    worth = term.worth(cash.net)
    invested, received = cash.invested.sum(axis=1), cash.receipts.sum(axis=1)
    cautious = term.worth(cash.invested + cash.receipts + np.where(cash.saved > 0, CAUTION * cash.saved, cash.saved))
    made = []
    for each in terms_.settlements:
        credit = each.credit * term.annuity
        by_share = np.where(each.credit > 0, CAUTION, 1.0) if (each.credit < 0).any() else np.ones(found.game.n)
        by_share = np.where(each.credit < 0, CAUTION, by_share)
        for i, player in enumerate(found.game.players):
            made.append(
                {
                    "measure": each.measure,
                    "agency": player,
                    "name": found.names[i],
                    "invested_gbp": -int(invested[i]) / 100,
                    "receipts_gbp": int(received[i]) / 100,
                    "worth_gbp": round(worth[i]) / 100,
                    "asked_gbp": round(worth[i] - each.worth_before[i]) / 100,
                    "credit_gbp_pa": int(each.credit[i]) / 100,
                    "most_it_could_pay_gbp_pa": max(round(each.worth_before[i] / term.annuity), 0) / 100,
                    "worth_after_gbp": round(worth[i] + credit[i]) / 100,
                    "worth_after_if_savings_80_gbp": round(cautious[i] + credit[i]) / 100,
                    "worth_after_if_credits_fall_too_gbp": round(cautious[i] + credit[i] * by_share[i]) / 100,
                    "possible": "yes" if each.transfers.possible else "no",
                }
            )
    return pd.DataFrame(made)


PAYMENTS = ("what_for", "from_agency", "from_name", "to_agency", "to_name", "amount_gbp_pa", "from_year", "to_year", "fewest")


def _payments(found: Partnership, terms_: AgreementTerms) -> pd.DataFrame:
    """What realises each way to share that nobody would leave, and what leaves nobody worse off."""
    years = [found.measured.scenario.money.base_year + each for each in (terms_.term.first, len(terms_.term.factor) - 1)]
    names = {**dict(zip(found.game.players, found.names, strict=True)), OTHERS: "others who gain and are no partners"}
    made: list[tuple[Any, ...]] = []

    def add(what_for: str, answer: Transfers) -> None:
        for each in answer.payments:
            parties = (each.payer, names[each.payer], each.payee, names[each.payee])
            made.append(
                (what_for, *parties, each.pence / 100, *map(year_label, years), "yes" if answer.fewest else "not proven")
            )

    for each in terms_.settlements:
        add(f"nobody worse off, {each.measure}", each.transfers)
    for way in found.ways:
        if way.verdict == STABLE and way.name != AS_IT_FALLS and not way.subsidy:
            add(way.name, settled(_balances(found, way)))
    kinds = {**dict.fromkeys(PAYMENTS, "object"), "amount_gbp_pa": "float64"}
    return pd.DataFrame(made, columns=list(PAYMENTS)).astype(kinds)


def _balances(found: Partnership, way: Way) -> Sequence[tuple[str, int]]:
    """What each must pay (above 0) or be paid so that a way to share comes true, from what falls to it."""
    change = found.ways[0].pence - way.pence
    pays = list(zip(found.game.players, change.tolist(), strict=True))
    return [*pays, (OTHERS, -int(change.sum()))]


def _account(found: Partnership, terms_: AgreementTerms) -> pd.DataFrame:
    """Accounts of those whom a measure makes pay or be paid, or who put money in."""
    base, frames = found.measured.scenario.money.base_year, []
    years = [year_label(base + n) for n in range(len(terms_.term.factor))]
    for each in terms_.settlements:
        book = accounts(terms_.cash, each.credit, terms_.term)
        for i, player in enumerate(found.game.players):
            if not (each.credit[i] or terms_.cash.net[i].any()):
                continue
            figures = {f"{name}_gbp": amount[i] / 100 for name, amount in book.items()}
            frames.append(pd.DataFrame({"measure": each.measure, "agency": player, "year": years, **figures}))
    names = ("opening", "interest", "invested", "receipts", "saved", "credited", "closing")
    empty = pd.DataFrame(columns=["measure", "agency", "year", *(f"{name}_gbp" for name in names)])
    return pd.concat(frames, ignore_index=True) if frames else empty


# ------------------------------------------------------------------------------------------------------ purses


def purses(found: Partnership, cash: Cash) -> pd.DataFrame:
    """What each partner must find itself: one-off costs less its own sales; funds are not pooled unless the partners pool them.

    The last row is a common purse: what is left to find when everybody's sales meet everybody's costs.  The needs less that are
    the worth of pooling.
    """
    needs, has = -cash.invested.sum(axis=1), cash.receipts.sum(axis=1)
    short, over = np.maximum(needs - has, 0), np.maximum(has - needs, 0)
    common = max(int((needs - has).sum()), 0)
    table = pd.DataFrame(
        {
            "agency": [*found.game.players, ""],
            "name": [*found.names, "a common purse of all partners"],
            "one_off_gbp": np.append(needs, needs.sum()) / 100,
            "receipts_gbp": np.append(has, has.sum()) / 100,
            "must_find_gbp": np.append(short, common) / 100,
            "has_over_gbp": np.append(over, max(int((has - needs).sum()), 0)) / 100,
        }
    )
    return table.assign(worth_of_pooling_gbp=[*([0.0] * found.game.n), (int(short.sum()) - common) / 100])


# ------------------------------------------------------------------------------------------------------ heads of terms

AGREEMENT = ("part", "agency", "other_agency", "site_id", "access_point_id", "year", "amount_gbp", "area_m2", "words", "source")
PARTY = {True: "a party; the plan needs it", False: "a party, if it signs; the plan does not need it"}


def _agreement(found: Partnership, terms_: AgreementTerms, payments: pd.DataFrame) -> pd.DataFrame:
    """Parties, space, charges, buildings let go, money put in, credits and leaving, each with the table its figure is from."""
    heads = _Heads(found)
    for i, player in enumerate(found.game.players):
        heads.add("1 parties", player, PARTY[bool(found.whole.needed[i])], "partners.csv")
    heads.space()
    heads.charges()
    heads.let_go()
    heads.money_once()
    for row in payments[payments["what_for"] == f"nobody worse off, {ALONE}"].to_dict("records"):
        says = f"pays {row['to_name']} every year to {row['to_year']}, so that nobody is worse off than alone"
        heads.add(
            "6 credits", row["from_agency"], says, "payments.csv", other_agency=row["to_agency"], year=row["from_year"],
            amount_gbp=-row["amount_gbp_pa"],
        )  # fmt: skip
    heads.powers(payments)
    base = found.measured.scenario.money.base_year
    credit = next(each.credit for each in terms_.settlements if each.measure == ALONE)
    closing = accounts(terms_.cash, credit, terms_.term)["closing"]
    for i in np.flatnonzero(closing.min(axis=1) < 0).tolist():
        worst = int(closing[i].argmin())
        says = "the most it is out of pocket: who makes it leave before then makes that good"
        heads.add(
            "8 leaving", found.game.players[i], says, "account.csv", year=year_label(base + worst),
            amount_gbp=int(closing[i, worst]) / 100,
        )  # fmt: skip
    return heads.table()


class _Heads:
    """The terms while they are collected."""

    def __init__(self, found: Partnership) -> None:
        place, scenario = found.measured.place, found.measured.scenario
        self._place = place
        self._plan = found.formulation.plan(place, found.whole.plan)
        self._book = ledger(place, scenario, self._plan)
        self._agencies, self._sites = place.agencies.index.astype(str), place.sites.index.astype(str)
        self._owner = place.sites["agency"].astype(str).to_numpy()
        self._names = place.sites["name"].astype(str).to_numpy()
        self._base = scenario.money.base_year
        self._leaves = np.floor(leaving_years(place, scenario) + 1e-9).astype(np.int64)
        self._moved = np.flatnonzero(self._plan.host != place.today.host)
        self._made: list[dict[str, Any]] = []

    def add(self, part: str, agency: str, words: str, source: str, **more: Any) -> None:
        """One term."""
        self._made.append({"part": part, "agency": agency, "words": words, "source": source, **more})

    def _year(self, site: int) -> str:
        return year_label(self._base + int(self._leaves[site]))

    def space(self) -> None:
        """Who comes into whose building, with how much floor, from when."""
        for s in self._moved.tolist():
            row, j, home = self._place.access_points.iloc[s], int(self._plan.host[s]), int(self._place.today.host[s])
            self.add(
                "2 space", str(row["agency"]), f"comes into {self._names[j]} from {self._names[home]}", "moves.csv",
                other_agency=self._owner[j], site_id=self._sites[j], access_point_id=str(row.name),
                area_m2=float(row["area_m2"]), year=self._year(home),
            )  # fmt: skip

    def charges(self) -> None:
        """What each then bears of the yearly cost of the buildings that take somebody in."""
        after = self._book.after[self._book.after["site"].isin(self._plan.host[self._moved])]
        for site, agency, pence in zip(after["site"].tolist(), after["agency"].tolist(), after["pence"].tolist(), strict=True):
            says = "bears so much a year of the building when the plan is complete"
            self.add(
                "3 charges", self._agencies[agency], says, "ledger.csv",
                other_agency=self._owner[site], site_id=self._sites[site], amount_gbp=pence / 100,
            )  # fmt: skip

    def let_go(self) -> None:
        """The buildings that are given up, by whom, from when."""
        for j in np.flatnonzero(self._place.today.open & ~self._plan.open).tolist():
            says = f"{self._names[j]} is given up"
            self.add("4 buildings let go", self._owner[j], says, "sites.csv", site_id=self._sites[j], year=self._year(j))

    def money_once(self) -> None:
        """What each pays and receives once, and when."""
        once = self._book.once.groupby(["agency", "year", "line", "site"], sort=True)["pence"].sum().reset_index()
        for row in once.to_dict("records"):
            self.add(
                "5 money once", self._agencies[row["agency"]], str(row["line"]).replace("_", " "), "ledger.csv",
                site_id=self._sites[row["site"]], year=year_label(self._base + row["year"]), amount_gbp=row["pence"] / 100,
            )  # fmt: skip

    def powers(self, payments: pd.DataFrame) -> None:
        """By which power each payment of the credits may be made, as far as is known."""
        kind = self._place.agencies["kind"].astype(str)
        for row in payments[payments["what_for"] == f"nobody worse off, {ALONE}"].to_dict("records"):
            payer, payee = (str(kind[row[name]]) for name in ("from_agency", "to_agency"))
            found = [f"{each.instrument}: {each.says}; {each.limits}" for each in powers_between(payer, payee)]
            for says in found or [f"a power for this payment: {NONE}"]:
                self.add("7 powers", row["from_agency"], says, "powers.csv", other_agency=row["to_agency"])

    def table(self) -> pd.DataFrame:
        """The terms as a table."""
        table = pd.DataFrame(self._made).reindex(columns=list(AGREEMENT))
        text = [column for column in AGREEMENT if column not in ("amount_gbp", "area_m2")]
        table[text] = table[text].fillna("")
        return table.astype({"amount_gbp": "float64", "area_m2": "float64"})


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The figures of these tables that the manifest says."""
    purse = tables["own_purses"]
    return {
        "must_find_gbp": round(float(purse["must_find_gbp"].iloc[:-1].sum()), 2),
        "common_purse_must_find_gbp": float(purse["must_find_gbp"].iloc[-1]),
        "worth_of_pooling_purses_gbp": float(purse["worth_of_pooling_gbp"].iloc[-1]),
        "order": tables["winning"]["agency"].tolist(),
    }
