"""What is published of options side by side.

Tables ``options``, ``option_agencies``, ``option_access``, ``option_changes`` and ``financial_case``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from estate.appraise.access import SAME, Reach, access_table, far, reach, unit_of
from estate.appraise.books import rounded_together
from estate.appraise.buildings import hubs, public_services
from estate.appraise.ledger import ONE_OFF
from estate.appraise.places import merged
from estate.appraise.purses import needs_summary, needs_table
from estate.money.entries import RECEIPTS, REVENUE_SUMS
from estate.money.law import year_label
from estate.options.finance import COLUMNS, financial_case
from estate.options.option import KINDS, Option
from estate.options.upkeep import backlog_pence, repairs_year
from estate.place import Place, Plan
from estate.standards.measured import Measured


def option_tables(measured: Measured, options: Sequence[Option]) -> dict[str, pd.DataFrame]:
    """Every table of the options, which are in the order in which they are read: do nothing, do minimum, the plan, and others.

    ``options`` has one row for each:

    * ``net_present_cost_gbp``: all that the agencies pay less what they receive within the horizon, discounted; ``rank`` 1 is
      the least of those that keep their buildings fit.  ``less_than_nothing_gbp`` and ``less_than_minimum_gbp`` are by how much
      it is less than that of doing nothing, and of doing the minimum;
    * ``one_off_gbp``, ``receipts_gbp`` (net of the sale costs they meet), ``revenue_sums_gbp``: once, undiscounted, as in the
      run; ``repairs_met_gbp`` and ``repairs_left_gbp`` of what is outstanding, ``refits_gbp`` and ``renewed_leases_gbp`` within
      the horizon; ``need_gbp`` is what must be found purse by purse to make it happen, repairs and refits apart;
    * ``changes``: the settings under which an alternative was chosen, as JSON by dotted name;
    * ``pays_back_in``: as in the run, against today's estate; blank where nothing is paid to be paid back;
    * ``people_farther``: people whose nearest counter of at least one service goes farther off by more than
      :data:`~estate.appraise.access.SAME`, as in every table, and ``most_farther_m``
      (or ``most_longer_s``) how much for those who are worst off; ``worse_off_a_year`` and ``worse_off_in_all`` name the
      agencies whose running cost is more than today, and whose net present cost is more than under do minimum.
    """
    before = reach(measured, measured.place.today)
    after = {each.name: reach(measured, each.plan) for each in options}
    plans = [each for each in options if each.kind in KINDS[2:]]
    return {
        "options": _options(measured, options, before, after),
        "option_agencies": _agencies(options),
        "option_access": pd.concat(
            [_access(measured, each.name, before, after[each.name]) for each in options], ignore_index=True
        ),
        "option_changes": _changes(plans),
        "financial_case": pd.concat([financial_case(each) for each in options], ignore_index=True),
    }


def _minimum(options: Sequence[Option]) -> Option:
    return next(each for each in options if each.kind == KINDS[1])


def _options(measured: Measured, options: Sequence[Option], before: Reach, after: Mapping[str, Reach]) -> pd.DataFrame:
    nothing, minimum = options[0], _minimum(options)
    place, annuity = measured.place, nothing.cash.worth.annuity
    fit = sorted(round(each.cost_pence) for each in options if each is not nothing)
    rows = []
    for each in options:
        year, whole = each.cash.payback_year(), round(each.cost_pence)
        outstanding, met = (int(pence.sum()) for pence in backlog_pence(place, each.scenario, each.plan))
        row: dict[str, Any] = {
            "option": each.name,
            "kind": each.kind,
            "what": _what(each),
            "changes": json.dumps(dict(each.changes), ensure_ascii=False, sort_keys=True) if each.changes else "",
            "status": each.status,
            "gap": float("nan") if each.gap is None else each.gap,
            "rank": pd.NA if each is nothing else fit.index(whole) + 1,
            "net_present_cost_gbp": whole / 100,
            "less_than_nothing_gbp": (round(nothing.cost_pence) - whole) / 100,
            "less_than_minimum_gbp": (round(minimum.cost_pence) - whole) / 100,
            "annual_equivalent_cost_gbp_pa": round(each.cost_pence / annuity) / 100,
            "running_cost_gbp_pa": int(each.running_by_agency.sum()) / 100,
            "one_off_gbp": -each.total(*ONE_OFF) / 100,
            "receipts_gbp": each.total(*RECEIPTS) / 100,
            "revenue_sums_gbp": each.total(*REVENUE_SUMS) / 100,
            "repairs_met_gbp": 0.0 if each is nothing else met / 100,
            "repairs_left_gbp": outstanding / 100 if each is nothing else 0.0,
            "refits_gbp": -each.total("refit") / 100,
            "renewed_leases_gbp": -each.total("renewed_lease") / 100,
            "need_gbp": needs_summary(place, each.scenario, needs_table(place, each.book))["need_gbp"],
            "pays_back_in": _pays_back(each, year),
            "sites": int((each.plan.open & ~place.outside).sum()),
            "hubs": int(hubs(place, each.scenario, each.plan).sum()),
            "moves": int((each.plan.host != place.point_site).sum()),
            "merges": int((merged(place, each.plan) & public_services(place, each.scenario)[place.point_service]).sum()),
        }
        row |= farther(measured, before, after[each.name])
        row |= {
            "worse_off_a_year": _named(each, each.dearer_by_agency, " a year"),
            "worse_off_in_all": _worse_in_all(each, minimum),
        }
        rows.append(row)
    return pd.DataFrame(rows).astype({"rank": "Int64", "gap": "float64"})


def _pays_back(option: Option, year: int | None) -> str:
    if option.kind in KINDS[:2]:
        return ""
    return "never" if year is None else year_label(option.scenario.money.base_year + year)


def _what(option: Option) -> str:
    """What an option is, in a sentence."""
    money = option.scenario.money
    repairs = year_label(money.base_year + repairs_year(option.scenario))
    refits = f"fit-outs are made again every {money.refit_years} years" if money.refit_years else "fit-outs are not made again"
    match option.kind:
        case "do nothing":
            return "Today's estate as it is: nobody moves, repairs outstanding are left, and nothing is renewed."
        case "do minimum":
            return f"Nobody moves; repairs outstanding are met in {repairs}, {refits}, and leases are renewed as they end."
        case "plan":
            return "The plan of this run; what it keeps is kept fit as under do minimum."
    changed = "; ".join(f"{key} = {value}" for key, value in sorted(option.changes.items()))
    return f"The best plan with {changed}; what it keeps is kept fit as under do minimum."


def farther(measured: Measured, before: Reach, after: Reach) -> dict[str, int]:
    """People whose nearest counter of any service goes farther off, and by how much for the worst off, in metres and seconds."""
    people = measured.place.zones["population"].to_numpy(dtype=np.float64)
    farther, most = np.zeros(len(people), dtype=bool), {"m": 0, "s": 0}
    for k in range(len(measured.place.services)):
        unit = unit_of(before, k)
        was, now = far(before, k, unit), far(after, k, unit)
        change = np.where((was >= 0) & (now >= 0), now - was, 0)
        farther |= (change > SAME[unit]) | ((was >= 0) & (now < 0))
        most[unit] = max(most[unit], int(change.max(initial=0)))
    return {"people_farther": round(float(people[farther].sum())), "most_farther_m": most["m"], "most_longer_s": most["s"]}


def _worse_in_all(option: Option, minimum: Option) -> str:
    more = np.zeros(len(option.place.agencies)) if option.kind == KINDS[0] else option.cost_by_agency - minimum.cost_by_agency
    return _named(option, np.rint(more), "")


def _named(option: Option, more_pence: Any, suffix: str) -> str:
    """The agencies that pay more, the most first, with how much; a pound or less is nobody's loss."""
    names = option.place.agencies["name"].to_numpy(dtype=object)
    order = np.lexsort((np.arange(len(names)), -np.asarray(more_pence, dtype=np.float64)))
    return "; ".join(f"{names[a]} (£{more_pence[a] / 100:,.0f}{suffix})" for a in order.tolist() if more_pence[a] > 100)


def _agencies(options: Sequence[Option]) -> pd.DataFrame:
    """``option_agencies``: what each option costs each agency; each column adds up to the option's.

    ``more_than_minimum_gbp`` is by how much its net present cost is more than under do minimum: above nothing, it is worse off.
    """
    minimum = _minimum(options)
    least = rounded_together(minimum.cost_by_agency)
    return pd.concat([_of_agencies(each, rounded_together(each.cost_by_agency) - least) for each in options], ignore_index=True)


def _of_agencies(option: Option, more: Any) -> pd.DataFrame:
    place, needs = option.place, needs_table(option.place, option.book)
    upkeep = option.by_agency("backlog_met", "renewed_lease", "refit")
    found = pd.DataFrame(
        {
            "option": option.name,
            "agency": place.agencies.index,
            "name": place.agencies["name"].to_numpy(),
            "running_cost_gbp_pa": option.running_by_agency / 100,
            "one_off_gbp": -option.by_agency(*ONE_OFF) / 100,
            "receipts_gbp": option.by_agency(*RECEIPTS) / 100,
            "revenue_sums_gbp": option.by_agency(*REVENUE_SUMS) / 100,
            "upkeep_gbp": -upkeep / 100,
            "need_gbp": needs["need"].to_numpy() / 100,
            "net_present_cost_gbp": rounded_together(option.cost_by_agency) / 100,
            "more_than_minimum_gbp": more / 100,
        }
    )
    amounts = [name for name in found.columns if name.endswith(("_gbp", "_gbp_pa"))]
    return found[(found[amounts] != 0).any(axis=1)].reset_index(drop=True)


def _access(measured: Measured, name: str, before: Reach, after: Reach) -> pd.DataFrame:
    """``option_access``: each service for everyone, as ``access`` has it."""
    table = access_table(measured, before, after)
    everyone = table[table["group"] == "everyone"]
    return everyone.drop(columns=["group", "value"]).assign(option=name)[
        ["option", *(column for column in everyone.columns if column not in ("group", "value"))]
    ]


def _changes(options: Sequence[Option]) -> pd.DataFrame:
    """``option_changes``: each plan as what it changes: ``moves`` (to ``site_id``), ``closes`` and ``opens``."""
    columns = ["option", "what", "access_point_id", "site_id", "site_name"]
    rows = [(each.name, *step) for each in options for step in changes_of(each.place, each.plan)]
    return pd.DataFrame(rows, columns=columns).astype("str")


def changes_of(place: Place, plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """What a plan changes against today: ``moves``, ``closes`` or ``opens``, the counter, the building's id and name."""
    ids, names = place.sites.index, place.sites["name"]
    for point in np.flatnonzero(plan.host != place.point_site).tolist():
        site = ids[plan.host[point]]
        yield "moves", str(place.access_points.index[point]), str(site), names[site]
    for what, chosen in (("closes", place.today.open & ~plan.open), ("opens", plan.open & ~place.today.open)):
        for site in ids[chosen]:
            yield what, "", str(site), names[site]


def funding_totals(table: pd.DataFrame) -> pd.DataFrame:
    """The financial case of each option over all purses and years; what stands at the end of a year is left out."""
    amounts = [f"{name}_gbp" for name in COLUMNS if name not in ("receipts_left", "owed")]
    return table.groupby("option", sort=False)[amounts].sum().round(2).reset_index()
