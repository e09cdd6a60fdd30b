"""Every assumed figure, with its source: nothing illustrative goes unmarked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estate.money.costs import move_rates
from estate.place import Place, Plan
from estate.scenario import KIND_OF, Scenario

COLUMNS = ["table", "id", "column", "value", "source"]


def assumptions_table(place: Place, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    """``table, id, column, value, source``: the columns that each row names as ``illustrative``, and the settings assumed.

    The source is the figure's own, ``<column>_source``.  A row without one is cited as what the assumption stands beside: its
    ``source`` vouches for the row (that the building is there), not for a figure that the row itself calls assumed.
    """
    tables = {
        "agencies": place.agencies,
        "sites": place.sites,
        "access_points": place.access_points,
        "zones": place.zones,
        "rates": place.rates,
    }
    rows = [row for name, frame in tables.items() for row in _marked(name, frame)]
    return pd.DataFrame(
        [*rows, *_services(place, scenario), *_settings(scenario), *_options(scenario), *_unrated(place, scenario, plan)],
        columns=COLUMNS,
    )


def _marked(name: str, frame: pd.DataFrame) -> list[tuple[str, str, str, object, str]]:
    if "illustrative" not in frame or frame.empty:
        return []
    rows = []
    for key, row in frame[frame["illustrative"] != ""].iterrows():
        identity = " / ".join(str(part) for part in key if part) if isinstance(key, tuple) else str(key)
        for column in (part.strip() for part in str(row["illustrative"]).replace(",", ";").split(";")):
            if column:
                own, of_row = (str(row.get(each, "") or "") for each in (f"{column}_source", "source"))
                source = own or (f"assumed; the row rests on: {of_row}" if of_row else "assumed; no source is given")
                rows.append((name, identity, column, _plain(row.get(column, "")), source))
    return rows


def _plain(value: object) -> object:
    """Numbers stay numbers, nothing is blank, the rest is text."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return "" if np.isnan(value) else float(value)
    return "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]


def _services(place: Place, scenario: Scenario) -> list[tuple[str, str, str, object, str]]:
    """The usual kinds that nobody confirmed, and what a desk takes."""
    usual = "what a visitor would call one thing: this program's reading, until the scenario says otherwise"
    rows: list[tuple[str, str, str, object, str]] = [
        ("scenario", f"services.{each}", "kind", KIND_OF[each], usual)
        for each in place.services
        if each in KIND_OF and not scenario.services[each].kind
    ]
    said = "a setting of the scenario"
    for name, each in sorted(scenario.services.items()):
        if each.desk_m2 is not None:
            rows += [
                ("scenario", f"services.{name}", "desk_m2", float(each.desk_m2), said),
                ("scenario", f"services.{name}", "desks_per_fte", float(each.desks_per_fte), said),
            ]
    return rows


def _settings(scenario: Scenario) -> list[tuple[str, str, str, object, str]]:
    money = scenario.money
    said = "a setting of the scenario"
    rows: list[tuple[str, str, str, object, str]] = [
        ("scenario", "money", "closing_year", float(money.closing_year), said),
        ("scenario", "money", "horizon_years", float(money.horizon_years), said),
        ("scenario", "money", "split", money.split, said),
    ]
    held = [("scenario", "holding share", kind, float(share), said) for kind, share in sorted(money.holding_share.items())]
    rows += held or [
        ("scenario", "holding share", "all kinds", 0.0, "none is set: an empty building costs nothing until it is sold")
    ]
    rows += [
        ("scenario", "money", "void_years", float(money.void_years), said),
        ("scenario", "money", "backlog_year", "never met" if money.backlog_year is None else float(money.backlog_year), said),
        ("scenario", "money", "refit_years", "never again" if money.refit_years is None else float(money.refit_years), said),
        ("scenario", "money", "residual_value", "counted" if money.residual_value else "not counted", said),
    ]
    if money.optimism_bias:
        guide = "a setting of the scenario; Green Book supplementary guidance gives 2% to 24% for standard buildings"
        rows += [
            ("scenario", "optimism bias", kind, float(share), guide) for kind, share in sorted(money.optimism_bias.items())
        ]
    else:
        rows.append(("scenario", "optimism bias", "all kinds", 0.0, "none is set: one-off costs stand as given"))
    return rows


def _options(scenario: Scenario) -> list[tuple[str, str, str, object, str]]:
    """The terms of the financial case, where the scenario states any."""
    asked, said = scenario.options, "a setting of the scenario"
    if asked is None:
        return []
    rows: list[tuple[str, str, str, object, str]] = [
        ("scenario", "options", "inflation", float(asked.inflation), said),
        ("scenario", "options", "vat", float(asked.vat), said),
    ]
    rows += [("scenario", "VAT recovered", kind, float(share), said) for kind, share in sorted(asked.vat_recovered.items())]
    terms = [(loan, f"at {loan.rate:.2%} over {loan.years} years from {loan.year}, {loan.repaid}") for loan in asked.loans]
    return [*rows, *(("scenario", f"loan to {loan.purse}", "most_gbp", float(loan.most_gbp), words) for loan, words in terms)]


def _unrated(place: Place, scenario: Scenario, plan: Plan) -> list[tuple[str, str, str, object, str]]:
    """Moves into a kind of building for which no fit-out rate is given: costed at nothing, and said so."""
    moved = np.flatnonzero(plan.host != place.point_site)
    services = place.access_points["service"].to_numpy(dtype=object)[moved]
    kinds = place.sites["kind"].to_numpy(dtype=object)[plan.host[moved]]
    stated = move_rates(place, scenario)["stated"]
    missing = sorted({(s, k) for s, k in zip(services, kinds, strict=True) if not stated[s, k]})
    return [("rates", f"{s} / {k}", "fitout_gbp_m2", 0.0, "no rate is given: taken as nothing") for s, k in missing]
