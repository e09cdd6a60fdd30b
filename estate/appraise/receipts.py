"""Capital receipts: what each building let go brings, to whom, under which rule (``capital_receipts.csv``).

Receipts follow title; savings follow occupation (:mod:`estate.appraise.ledger`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from estate.money.columns import Ints
from estate.money.costs import pence
from estate.money.entries import proceeds_pence
from estate.money.law import binding, called, year_label
from estate.money.release import release
from estate.place import Place, Plan
from estate.scenario import Scenario

REGULATION = "SI 2003/3146 regulation "
VALUED = (
    "market_value_gbp",
    "value_low_gbp",
    "value_high_gbp",
    "agreed_price_gbp",
    "disposal_cost_gbp",
    "years_to_sale",
    "tenure",
)
"""The columns of a site that its row of this table rests on."""


def released(place: Place, plan: Plan) -> Ints:
    """Positions of the sites that are paid for today and let go by the plan."""
    return np.flatnonzero(place.today.open & ~plan.open & ~place.outside).astype(np.int64)


def receipts_table(place: Place, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    """One row for each building let go, by site id; GBP to the penny.

    ``net_receipt_gbp`` = ``gross_gbp`` - ``disposal_met_from_receipt_gbp`` is the capital receipt left to use;
    ``revenue_sum_gbp`` is money too small to be one (SI 2003/3146 regulation 10); ``disposal_to_revenue_gbp`` is what
    regulation 23(h) leaves to revenue.  ``under_value_flag`` is set when the agreed price, which may be nothing, is more than
    2,000,000 below value (General Disposal Consent (England) 2003).  Whether a direction
    lets a receipt pay for reform is for :mod:`estate.appraise.flexible`.
    ``illustrative`` lists the assumed columns of the site that the row rests on.
    """
    here = released(place, plan)
    sites = place.sites.iloc[here]
    table = release(place, scenario).iloc[here]
    money = proceeds_pence(table)
    owner = place.agencies.reindex(sites["agency"])
    kind = owner["kind"].fillna("other").to_numpy(dtype=object)
    year = table["year_receipt"].to_numpy() + scenario.money.base_year
    sold = (money["gross"] > 0).to_numpy()
    low, high = _range(sites, money["gross"].to_numpy())
    under = _under_value(sites, kind, year, disposed=table["disposed"].to_numpy(dtype=bool))
    return pd.DataFrame(
        {
            "site_id": sites.index,
            "name": sites["name"].to_numpy(),
            "agency": sites["agency"].to_numpy(),
            "agency_name": owner["name"].to_numpy(),
            "agency_kind": kind,
            "tenure": sites["tenure"].to_numpy(),
            "gross_gbp": money["gross"].to_numpy() / 100,
            "low_gbp": low / 100,
            "high_gbp": high / 100,
            "disposal_cost_gbp": money["disposal"].to_numpy() / 100,
            "disposal_met_from_receipt_gbp": money["from_receipt"].to_numpy() / 100,
            "disposal_to_revenue_gbp": money["to_revenue"].to_numpy() / 100,
            "net_receipt_gbp": money["receipt"].to_numpy() / 100,
            "revenue_sum_gbp": money["revenue"].to_numpy() / 100,
            "years_to_sale": sites["years_to_sale"].to_numpy(dtype=np.float64),
            "receipt_year": _texts(year_label(int(y)) if s else "" for y, s in zip(year, sold, strict=True)),
            "under_value_flag": under["flag"].to_numpy(dtype=bool),
            "consent": under["consent"].to_numpy(),
            "rule": _texts(_rule(k, int(y), small=bool(r), sold=bool(s))
                           for k, y, r, s in zip(kind, year, money["revenue"], sold, strict=True)),
            "why_nil": np.where(money["receipt"] == 0, table["reason"], ""),
            "illustrative": _texts(_assumed(text) for text in sites["illustrative"]),
        }
    )  # fmt: skip


def _texts(words: Iterable[str]) -> np.ndarray:
    """A column of text, even where there are no rows."""
    return np.array(list(words), dtype=object)


def _range(sites: pd.DataFrame, gross: Ints) -> tuple[Ints, Ints]:
    """Low and high in pence: the valuation's where it gives them; an agreed price has no range."""
    agreed = sites["agreed_price_gbp"].notna().to_numpy()
    ends = []
    for column in ("value_low_gbp", "value_high_gbp"):
        stated = sites[column].to_numpy(dtype=np.float64)
        use = ~np.isnan(stated) & ~agreed & (gross > 0)
        ends.append(np.where(use, pence(np.nan_to_num(stated)), gross))
    return ends[0], ends[1]


def _under_value(sites: pd.DataFrame, kind: np.ndarray, year: Ints, *, disposed: np.ndarray) -> pd.DataFrame:
    """How each agreed price stands to best consideration: ``flag`` (beyond the general consent) and ``consent`` in words.

    A building given away is as far under value as it can be.
    """
    gap = pence(np.nan_to_num((sites["market_value_gbp"] - sites["agreed_price_gbp"]).to_numpy(dtype=np.float64)))
    rows = []
    for each, when, short, goes in zip(kind, year.tolist(), gap.tolist(), disposed, strict=True):
        line = binding("under-value", each, when)
        if not goes or short <= 0:
            rows.append((False, ""))
        elif line is None:
            rows.append((False, f"£{short / 100:,.0f} under value; no rule in this table applies to {called(each)}"))
        elif short > line.value * 100:
            words = f"£{short / 100:,.0f} under value: beyond the General Disposal Consent (£{line.value:,.0f}), so the "
            rows.append((True, words + "Secretary of State's consent is needed (LGA 1972 s123)"))
        else:
            words = (
                f"£{short / 100:,.0f} under value: within the General Disposal Consent 2003 (£{line.value:,.0f}) if the sale "
            )
            rows.append((False, words + "promotes well-being"))
    return pd.DataFrame(rows, columns=["flag", "consent"], index=sites.index)


def _rule(kind: str, year: int, *, small: bool, sold: bool) -> str:
    """The rules that a sale rests on: of a small sum, only the one that makes it revenue."""
    if not sold:
        return ""
    names = ("small-sum",) if small else ("small-sum", "disposal-cost", "use-of-receipts")
    found = [each.instrument for each in (binding(name, kind, year) for name in names) if each is not None]
    first, *rest = found or [f"no rule in this table applies to {called(kind)}"]
    return ", ".join([first, *(each.removeprefix(REGULATION) for each in rest)])


def _assumed(text: str) -> str:
    names = {part.strip() for part in str(text).replace(",", ";").split(";")}
    return ";".join(name for name in VALUED if name in names)
