"""The books of a plan: every table about money, the figures of its summary, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estate.appraise.assumptions import assumptions_table
from estate.appraise.cashflow import Flows, cash_flow_table, flows, sensitivities_table, switching_table
from estate.appraise.flexible import flexible_use_table, flexible_words
from estate.appraise.ledger import ONE_OFF, Ledger, ledger, ledger_table
from estate.appraise.purses import needs_summary, needs_table, purses_table
from estate.appraise.receipts import receipts_table, released
from estate.appraise.transfers import Transfers, transfers_by_gain
from estate.money.columns import Floats, Ints
from estate.money.entries import LATER
from estate.money.law import year_label
from estate.money.release import day_of, leaving_years, moving_years, opening_years, spoken_day
from estate.place import Place, Plan
from estate.scenario import Scenario

LONG_PAYBACK_YEARS = 10.0
"""A longer payback than this is warned about."""
BASES = {"running cost": "gain_gbp_pa", "annual equivalent": "annual_equivalent_gain_gbp_pa"}
"""The two measures of who is worse off, and their columns of the agencies table."""

type Warned = tuple[str, str, str]
"""A warning: its code, what it says, and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Tables by name, and the summary: figures (``*_gbp`` to the penny), sentences (``in_words``) and ``warnings``."""

    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]


def books(place: Place, scenario: Scenario, plan: Plan) -> Books:
    """The money of a plan against today's estate.

    Tables ``capital_receipts, ledger, agencies, purses, cash_flow, sensitivities, switching, transfers, flexible_use,
    assumptions``.

    Raises
    ------
    InputError
        The base year is outside the table of rules and rates.
    """
    book = ledger(place, scenario, plan)
    cash = flows(scenario, book)
    receipts = receipts_table(place, scenario, plan)
    flexible = flexible_use_table(place, scenario, book)
    receipts = receipts.assign(flexible_use=np.array(flexible_words(receipts, flexible), dtype=object))
    agencies = agencies_table(place, book, cash)
    answers = {basis: transfers_by_gain(_pence_by_id(agencies, column)) for basis, column in BASES.items()}
    for basis, answer in answers.items():
        name = BASES[basis].replace("gain", "transfer")
        agencies[name] = _transfer_of(agencies, answer) / 100
    baseline = int(book.before["pence"].sum()) / 100
    summary = _summary(scenario, book, cash, receipts)
    summary["complete_on"] = complete_on(place, scenario, plan)
    summary |= needs_summary(place, scenario, needs_table(place, book))
    summary["flexible_use_gbp"] = round(float(flexible["eligible_gbp"].sum()), 2)
    tables = {
        "capital_receipts": receipts,
        "ledger": ledger_table(place, scenario, book),
        "agencies": agencies,
        "purses": purses_table(place, scenario, book),
        "cash_flow": cash_flow_table(scenario, cash, baseline),
        "sensitivities": sensitivities_table(scenario, cash),
        "switching": switching_table(cash),
        "transfers": transfers_table(place, answers),
        "flexible_use": flexible,
        "assumptions": assumptions_table(place, scenario, plan),
    }
    words = [*_headline(summary), *_who(agencies, answers)]
    return Books(tables, {**summary, "in_words": words, "warnings": _warnings(scenario, book, summary)})


def complete_on(place: Place, scenario: Scenario, plan: Plan) -> str:
    """The day from which everything is as the plan has it, as ``2028-04-01``; blank where it changes nothing."""
    new, moved = plan.open & ~place.today.open, plan.host != place.point_site
    when = np.concatenate(
        [
            leaving_years(place, scenario)[released(place, plan)],
            moving_years(place, scenario)[moved],
            opening_years(place, scenario)[new & ~place.outside],
        ]
    )
    return day_of(scenario.money.base_year, float(when.max())) if len(when) else ""


def agencies_table(place: Place, book: Ledger, cash: Flows) -> pd.DataFrame:
    """One row for each agency: yearly cost before and after, gain, one-off costs, receipts, and gain as an annual equivalent.

    ``need_gbp`` is what it must find itself, once, beyond what its own sales bring, and ``spare_gbp`` what they leave it;
    ``peak_need_gbp`` is the most that it is short by the end of any year, since a receipt helps only once it is banked.
    ``gain_gbp_pa`` is cost before less cost after.  ``annual_equivalent_gain_gbp_pa`` spreads one-off costs and receipts over
    the horizon: present value over annuity, rounded so that the column adds up to the plan's.
    """
    n, needs = len(place.agencies), needs_table(place, book)

    def total(frame: pd.DataFrame, *lines: str) -> Ints:
        chosen = frame[frame["line"].isin(lines)] if lines else frame
        result = np.zeros(n, dtype=np.int64)
        np.add.at(result, chosen["agency"].to_numpy(dtype=np.int64), chosen["pence"].to_numpy(dtype=np.int64))
        return result

    before, after = total(book.before), total(book.after)
    entries = pd.concat([book.yearly, book.once, book.later], ignore_index=True)
    entries = entries[entries["year"] < len(cash.net)]
    worth = np.zeros(n)
    value = entries["pence"].to_numpy() * cash.worth.factor[entries["year"].to_numpy(dtype=np.int64)]
    np.add.at(worth, entries["agency"].to_numpy(dtype=np.int64), value)
    return pd.DataFrame(
        {
            "agency": place.agencies.index,
            "name": place.agencies["name"].to_numpy(),
            "kind": place.agencies["kind"].to_numpy(),
            "cost_before_gbp_pa": before / 100,
            "cost_after_gbp_pa": after / 100,
            "gain_gbp_pa": (before - after) / 100,
            "one_off_gbp": -total(book.once, *ONE_OFF) / 100,
            "receipts_gbp": total(book.once, "capital_receipt", "disposal_from_receipt") / 100,
            "revenue_sums_gbp": total(book.once, "revenue_sum") / 100,
            "need_gbp": needs["need"].to_numpy() / 100,
            "spare_gbp": needs["spare"].to_numpy() / 100,
            "peak_need_gbp": needs["peak"].to_numpy() / 100,
            "annual_equivalent_gain_gbp_pa": rounded_together(worth / cash.worth.annuity) / 100,
        }
    )


def transfers_table(place: Place, answers: Mapping[str, Transfers]) -> pd.DataFrame:
    """The yearly payments that leave nobody worse off, on each basis; no rows where none are needed or none can."""
    names = place.agencies["name"]
    columns = ["basis", "from_agency", "from_name", "to_agency", "to_name", "amount_gbp_pa"]
    rows = [
        (basis, each.payer, names[each.payer], each.payee, names[each.payee], each.pence / 100)
        for basis, answer in answers.items()
        for each in answer.payments
    ]
    return pd.DataFrame(rows, columns=columns).astype({"amount_gbp_pa": "float64"})


def rounded_together(exact: Floats) -> Ints:
    """Whole numbers that add up to the rounded total: rounded down, then up where the fraction is largest."""
    whole = np.floor(exact).astype(np.int64)
    short = round(float(exact.sum())) - int(whole.sum())
    order = np.argsort(-np.round(exact - whole, 6), kind="stable")
    whole[order[:short]] += 1
    return whole


def _pence_by_id(agencies: pd.DataFrame, column: str) -> dict[str, int]:
    pence = np.rint(agencies[column].to_numpy() * 100).astype(np.int64)
    return dict(zip(agencies["agency"].astype(str), pence.tolist(), strict=True))


def _transfer_of(agencies: pd.DataFrame, answer: Transfers) -> Ints:
    """(A,) pence received less paid: adds up to nothing."""
    net = dict.fromkeys(agencies["agency"].astype(str), 0)
    for each in answer.payments:
        net[each.payer] -= each.pence
        net[each.payee] += each.pence
    return np.array(list(net.values()), dtype=np.int64)


# ------------------------------------------------------------------------------------------------------ in words


def _summary(scenario: Scenario, book: Ledger, cash: Flows, receipts: pd.DataFrame) -> dict[str, Any]:
    before, after = int(book.before["pence"].sum()), int(book.after["pence"].sum())
    one_off = -int(book.once.loc[book.once["line"].isin(ONE_OFF), "pence"].sum())
    later = book.later.groupby("line")["pence"].sum()
    net, revenue = (int(np.rint(receipts[name] * 100).sum()) for name in ("net_receipt_gbp", "revenue_sum_gbp"))
    year = cash.payback_year()
    npv, annuity = cash.npv(), cash.worth.annuity
    return {
        "baseline_gbp_pa": before / 100,
        "cost_gbp_pa": after / 100,
        "saving_gbp_pa": (before - after) / 100,
        "receipts_gbp": net / 100,
        "revenue_sums_gbp": revenue / 100,
        "one_off_gbp": one_off / 100,
        **{f"{line}_gbp": int(later.get(line, 0)) / 100 for line in LATER},
        "net_one_off_gbp": (one_off - net - revenue) / 100,
        "npv_gbp": round(npv, 2),
        "npc_before_gbp": round(before / 100 * annuity, 2),
        "npc_after_gbp": round(before / 100 * annuity - npv, 2),
        "annual_equivalent_cost_gbp_pa": round(before / 100 - npv / annuity, 2),
        "annual_equivalent_saving_gbp_pa": round(npv / annuity, 2),
        "payback_years": year + 1 if year else year,
        "pays_back_in": None if year is None else year_label(scenario.money.base_year + year),
        "price_base": scenario.money.price_base,
        "base_year": year_label(scenario.money.base_year),
        "horizon_years": scenario.money.horizon_years,
    }


def _pounds(amount: float) -> str:
    return f"{'-' if amount < 0 else ''}£{abs(amount):,.0f}"


def _headline(summary: Mapping[str, Any]) -> list[str]:
    said = {name: _pounds(value) for name, value in summary.items() if "_gbp" in name}
    verb = "saves" if summary["saving_gbp_pa"] >= 0 else "adds"
    yearly = _pounds(abs(summary["saving_gbp_pa"]))
    today, then = said["baseline_gbp_pa"], said["cost_gbp_pa"]
    on = f", on {spoken_day(summary['complete_on'])}" if summary["complete_on"] else ""
    spread = f"{said['annual_equivalent_saving_gbp_pa']} a year as an annual equivalent"
    years = f"Over {summary['horizon_years']} years from {summary['base_year']}"
    sentences = [
        f"The plan {verb} {yearly} a year of running cost: {today} today, {then} when it is complete{on}.",
        f"It costs {said['one_off_gbp']} once and brings {said['receipts_gbp']} of capital receipts to the title holders.",
        f"{years} its net present value is {said['npv_gbp']}: {spread}.",
    ]
    sentences.insert(2, _found(summary))
    if summary["revenue_sums_gbp"]:
        sentences.insert(2, f"Sales too small to be capital receipts bring {said['revenue_sums_gbp']} of revenue, once.")
    return sentences


def _found(summary: Mapping[str, Any]) -> str:
    """What must be found once, purse by purse, and what pooling would be worth."""
    said = {name: _pounds(value) for name, value in summary.items() if "_gbp" in name}
    need, pooled = summary["need_gbp"], summary["pooled_need_gbp"]
    sentence = f"Purse by purse, {said['need_gbp']} must be found, once"
    if summary["spare_receipts_gbp"]:
        sentence += f", and {said['spare_receipts_gbp']} of proceeds is left with those who sell"
    if need > pooled:
        sentence += (
            f": were every purse one, {said['pooled_need_gbp']} would do, so to pool them is worth {_pounds(need - pooled)}"
        )
    return f"{sentence}."


def _who(agencies: pd.DataFrame, answers: Mapping[str, Transfers]) -> list[str]:
    """Who gains, who pays more, and what would leave nobody worse off."""
    names = agencies.set_index("agency")["name"]
    result = []
    for basis, column in BASES.items():
        gain = agencies[column]
        up, down = ([f"{n} ({_pounds(abs(x))})" for n, x in zip(names, gain, strict=True) if x * way > 0] for way in (1, -1))
        said = [f"better off by so much a year: {', '.join(up)}"] if up else []
        said += [f"worse off than today by so much a year: {', '.join(down)}"] if down else []
        result.append(f"On {basis}, {'; '.join(said) or 'nobody gains or loses'}.")
        answer = answers[basis]
        if not answer.possible:
            result.append(f"On {basis} the plan as a whole loses, so no transfer can leave everybody as well off as today.")
        elif not answer.payments:
            result.append(f"On {basis} nobody is worse off than today.")
        else:
            paid = [f"{names[each.payer]} pays {names[each.payee]} £{each.pence / 100:,.2f}" for each in answer.payments]
            how = "in the fewest payments" if answer.fewest else "though fewer payments might do"
            least = f"Transfers a year that leave nobody worse off on {basis}, in proportion to what each gains, {how}"
            result.append(f"{least}: {'; '.join(paid)}.")
    return result


def _warnings(scenario: Scenario, book: Ledger, summary: Mapping[str, Any]) -> list[Warned]:
    """A payback that is long or never comes, and money that the present value does not see."""
    found = []
    years = summary["payback_years"]
    remedy = "set money.longest_payback_years, or the objective annual-equivalent"
    if years is None:
        found.append(("money.payback", "The plan never pays back: its discounted total ends below nothing.", remedy))
    elif years > LONG_PAYBACK_YEARS:
        words = (
            f"The plan pays back in {summary['pays_back_in']}, its {years}th year; money.longest_payback_years can limit that."
        )
        found.append(("money.payback", words, remedy))
    late = book.once.loc[book.once["year"] >= scenario.money.horizon_years, "pence"]
    if len(late):
        paid, received = (_pounds(abs(int(late[late * way > 0].sum())) / 100) for way in (-1, 1))
        words = f"{paid} of one-off costs and {received} of proceeds fall after the {scenario.money.horizon_years} years"
        words += ": they are in the totals, not in the present value."
        found.append(("money.horizon", words, "lengthen money.horizon_years"))
    return found
