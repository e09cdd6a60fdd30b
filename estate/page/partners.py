"""Would they sign?  The plan as its partners see it: what each gets by way of sharing, and who would rather go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from estate.page import facts, words
from estate.page.charts import WIDTH, Chart, compact, short

if TYPE_CHECKING:
    from estate.runs.run import Run

TABLES = ("ways", "shares", "partners")
WAYS: Mapping[str, tuple[str, str]] = {
    "as the plan falls": ("As the plan falls", "Each pays for the space it uses, and nobody settles up."),
    "by floor area": ("By floor area", "All that is saved is shared by the floor area of each agency’s counters today."),
    "by visits": ("By visits", "All that is saved is shared by visits a year."),
    "by what each brings on average (Shapley)": (
        "By what each brings", "Each gets what its joining adds to the saving, on average over every order of joining.",
    ),
    "least largest gain by leaving (nucleolus)": (
        "The fewest grounds to go", "The most that anybody, alone or with others, could gain by leaving is as small as can be.",
    ),
    "least change that keeps everybody": (
        "The plan, with the least money moved", "As the plan falls, with the least paid after which nobody gains by leaving.",
    ),
    "smallest reason to leave (least core)": (
        "Nearest to floor area", "Of the ways that leave the smallest reason to go, the one nearest to sharing by floor area.",
    ),
}  # fmt: skip
"""What each way to share is called, and how it works, in plain words."""
VERDICTS = {"stable": "All would sign", "somebody would leave": "Somebody would leave", "not proven either way": "Not proven"}
AFTER_YEARS = (1, 5, 10, 20)
MOST_CHARTED = 16


def section(run: Run) -> dict[str, Any] | None:
    """What the section shows, or None where the plan was not put to its partners (or may not be shown)."""
    if any(name not in run.tables for name in TABLES):
        return None
    ways, shares, partners = (facts.table(run, name) for name in TABLES)
    said = run.manifest.get("partners", {})
    return {
        "lead": _lead(run, said),
        "notes": [
            *_notes(said, ways, facts.table(run, "own_purses"), facts.table(run, "powers")),
            *vehicle_notes(facts.table(run, "unravelling")),
        ],
        "ways": [_way(row) for row in ways.to_dict("records")],
        "headings": ["Agency", "Alone", *(WAYS.get(way, (way, ""))[0] for way in ways["way"])],
        "rows": _matrix(partners, shares, list(ways["way"])),
        "charts": [chart for way in ways["way"] if (chart := _chart(way, ways, shares)) is not None],
        "groups": _groups(facts.table(run, "groups")),
        "letting_go": _letting_go(facts.table(run, "groups", ("why",)), facts.table(run, "group_plans", ("group", "what"))),
        "winning": _winning(facts.table(run, "inducements")),
        "payments": _payments(facts.table(run, "payments")),
        "account": _account(run),
    }


def vehicle_notes(steps: pd.DataFrame) -> list[str]:
    """Whether a property vehicle holds, by how its overhead is shared; nothing where there is none."""
    found = []
    for rule, rows in steps.groupby("overhead_shared", sort=False) if len(steps) else ():
        how = "equally" if rule == "equal" else "in proportion to what each would pay by itself"
        gone = [words.clean(name) for name in rows.loc[rows["leaves"] == "yes", "name"]]
        ends = (
            f"does not hold: {words.listed(gone)} would leave{', in that order' if len(gone) > 1 else ''}"
            if gone
            else "holds: no member is charged more than it would pay by itself"
        )
        found.append(f"A property vehicle whose overhead is shared {how} {ends}.")
    return found


def fair_note(run: Run) -> list[str]:
    """What holding every agency harmless costs, where the scenario asks for it; a sentence or none."""
    held = run.manifest.get("no_agency_worse_off")
    return [fair_words(held)] if held else []


def fair_words(held: Mapping[str, Any]) -> str:
    """What ``rules.no_agency_worse_off`` asks and what it costs, in words."""
    against = "today" if held["against"] == "today" else "going alone"
    if held["transfers"]:
        return f"No agency need be worse off than {against}: payments between them can see to that, so the rule asks nothing."
    price = held["price_gbp_pa"]
    cost = f"That costs {words.gbp(price)} a year of the saving." if price >= 0.5 else "That costs nothing."
    return f"No agency that takes part pays more than {against}, without payments between them. {cost}"


def _lead(run: Run, said: Mapping[str, Any]) -> str:
    spread = (
        "" if str(run.manifest.get("objective")) == "running-cost" else ", one-off costs and receipts spread over the years"
    )
    together, alone, worth = (words.gbp(said.get(f"{name}_gbp_pa")) for name in ("together", "alone", "pooling"))
    return (
        f"Together the {words.count(len(said.get('players', ())))} agencies save {together} a year{spread}. If each did only"
        f" what it can do by itself, they would save {alone}. So doing it together is worth {worth} a year, if all sign."
    )


def _notes(said: Mapping[str, Any], ways: pd.DataFrame, purses: pd.DataFrame, powers: pd.DataFrame) -> list[str]:
    found = []
    first = ways.iloc[0]
    if abs(first["to_others_gbp_pa"]) >= 1:
        found.append(
            f"As the plan falls, {words.gbp(first['to_others_gbp_pa'])} a year of the saving goes to others who share a building"
            " and are no partners. The other ways share it too: somebody has to ask them for it."
        )
    if said.get("least_subsidy_gbp_pa"):
        found.append(
            "No way to share keeps everybody: it would take"
            f" {words.gbp(said['least_subsidy_gbp_pa'])} a year from outside, such as a transformation fund."
        )
    if len(purses):
        common = purses.iloc[-1]
        found.append(
            f"Each paying its own one-off costs out of its own sales, the agencies must find"
            f" {words.gbp(said.get('must_find_gbp'))}; out of one purse, {words.gbp(common['must_find_gbp'])}."
            f" A common purse is worth {words.gbp(common['worth_of_pooling_gbp'])}, if the law lets them have one."
        )
    if len(powers):
        found.append(_powers(powers))
    if not said.get("groups_listed"):
        found.append("There are too many agencies to try every group of them: the worst group was looked for directly.")
    found.append(
        "“All would sign” means that no group of agencies, of all that there could be, is proven or left open to save a pound a"
        " year more by itself. Each group named has a plan of its own to show it, checked by a separate program."
    )
    return found


def _powers(powers: pd.DataFrame) -> str:
    """Who may pool under which power, as far as one was found."""
    pools = powers[powers["may_pool"] == "yes"].drop_duplicates("instrument")
    said = [
        f"{row['instrument']} lets {row['payer_kind']} and {row['payee_kind']} pool, {row['limits']}."
        for row in pools.to_dict("records")
    ]
    who = "the others" if said else "these agencies"
    rest = f"For {who} no power to pool was found in the law that was read; some may pay one another: see Legal powers."
    return words.clean_long(" ".join([*said, rest]))


def _way(row: Mapping[Any, Any]) -> dict[str, str]:
    title, how = WAYS.get(str(row["way"]), (words.clean(row["way"]), ""))
    text = words.clean_long(row["words"])
    subsidy = f" {words.gbp(row['subsidy_gbp_pa'])} a year from outside is shared as well." if row["subsidy_gbp_pa"] else ""
    if row.get("fund_gbp_pa"):
        text += f" A fund that pays {words.gbp(row['fund_gbp_pa'])} a year to the right agencies would keep them all."
    return {
        "title": title,
        "how": how + subsidy,
        "verdict": VERDICTS.get(str(row["verdict"]), words.clean(row["verdict"])),
        "tone": "good" if row["verdict"] == "stable" else "warn",
        "words": text,
    }


def _matrix(partners: pd.DataFrame, shares: pd.DataFrame, ways: list[str]) -> list[list[str]]:
    gain = shares.set_index(["agency", "way"])["gain_gbp_pa"]
    return [
        [
            words.clean(row["name"]),
            words.gbp(row["alone_gbp_pa"]),
            *(words.gbp(gain[(row["agency"], way)], signed=True) for way in ways),
        ]
        for row in partners.to_dict("records")
    ]


def _chart(way: str, ways: pd.DataFrame, shares: pd.DataFrame) -> Chart | None:
    """What each gets a year, beside what it would save alone: of those who get or save anything in any way."""
    some = shares[(shares["gain_gbp_pa"].abs() >= 0.5) | (shares["alone_gbp_pa"] >= 0.5)]["agency"].unique()
    mine = shares[(shares["way"] == way) & shares["agency"].isin(some)].head(MOST_CHARTED)
    if mine.empty:
        return None
    verdict = ways.set_index("way")["verdict"][way]
    title = WAYS.get(way, (words.plain(way), ""))[0]
    rows = [
        (words.plain(row["name"]), words.gbp(row["gain_gbp_pa"], signed=True), words.gbp(row["alone_gbp_pa"]))
        for row in mine.to_dict("records")
    ]
    fewer = mine[mine["better_than_alone_gbp_pa"] < -0.5]
    less = (
        "nobody gets less than alone"
        if fewer.empty
        else f"{words.plural(len(fewer), 'agency gets', 'agencies get')} less than alone"
    )
    chart = Chart(
        title, f"{VERDICTS.get(verdict, verdict)}; {less}.", 20 + 36 * len(mine), ("Agency", "Gets a year", "Alone"), rows
    )
    shown = shares[shares["agency"].isin(some)]
    low, high = min(float(shown["gain_gbp_pa"].min()), 0.0), max(float(shown[["gain_gbp_pa", "alone_gbp_pa"]].max().max()), 1.0)
    scale = (WIDTH - 90) / (high - low)
    zero = -low * scale
    chart.line(zero, 4, zero, 14 + 36 * len(mine), "axis")
    for i, row in enumerate(mine.to_dict("records")):
        y, gain, alone = 16 + 36 * i, float(row["gain_gbp_pa"]), float(row["alone_gbp_pa"])
        chart.label(zero + 3, y, "start small", short(words.plain(row["name"]), 40))
        kind = "plan" if gain >= alone - 0.5 else "farther"
        chart.bar(zero + min(gain, 0) * scale, y + 4, abs(gain) * scale, 10, kind)
        if alone >= 0.5:
            chart.dot(zero + alone * scale, y + 9, 4, "today")
        chart.label(
            zero + max(gain, alone, 0) * scale + 8, y + 13, "start small", compact(gain) if abs(gain) >= 1 else "nothing"
        )
    return chart


def _groups(groups: pd.DataFrame) -> list[list[str]]:
    """Who, what they save, the worth of acting together, counters that move, buildings let go; of those that do something."""
    return [
        [
            _who(row),
            words.gbp(row["saves_gbp_pa"]),
            words.gbp(row["pooling_gbp_pa"]) if row["members"] > 1 else "",
            str(row["counters_moved"]),
            str(row["buildings_let_go"]),
        ]
        for row in groups.to_dict("records")
        if row["why"] != "alone" or row["saves_gbp_pa"] >= 1
    ]


def _who(row: Mapping[Any, Any]) -> str:
    return "All together" if row["why"] == "everybody" else words.clean_long(row["names"])


def _letting_go(groups: pd.DataFrame, plans: pd.DataFrame) -> list[dict[str, str]]:
    """The buildings that each group would let go, by name; those of all together are the plan's."""
    found = []
    for row in groups[groups["why"] != "everybody"].to_dict("records"):
        closes = plans[(plans["group"] == row["group"]) & (plans["what"] == "closes")]["from_name"].tolist()
        if closes:
            found.append({"who": _who(row), "names": words.listed([words.clean(name) for name in closes])})
    return found


def _winning(frame: pd.DataFrame) -> list[list[str]]:
    """Agency, what is lost without it, its own bill if it joins, the least that would win it, whether the others can pay."""
    found = []
    for row in frame.to_dict("records"):
        if row["all_lose_without_it_gbp_pa"] < 1 and row["least_inducement_gbp_pa"] < 1:
            continue
        least = row["least_inducement_gbp_pa"]
        found.append(
            [
                words.clean(row["name"]),
                words.gbp(row["all_lose_without_it_gbp_pa"]),
                words.gbp(row["own_bill_falls_if_it_joins_gbp_pa"], signed=True),
                words.gbp(least) if least >= 1 else "nothing",
                "" if least < 1 else "Yes" if row["others_can_pay"] == "yes" else "No",
            ]
        )
    return found


def _payments(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The payments a year of each thing they are for."""
    found = []
    for what, rows in frame.groupby("what_for", sort=False) if len(frame) else ():
        title = WAYS.get(str(what), (words.clean(what)[:1].upper() + words.clean(what)[1:], ""))[0]
        said = [
            f"{words.clean(row['from_name'])} pays {words.clean(row['to_name'])} {words.gbp(row['amount_gbp_pa'])}"
            for row in rows.to_dict("records")
        ]
        found.append({"title": title, "lines": said})
    return found


def _account(run: Run) -> dict[str, Any] | None:
    """Each agency's balance after some years, where nobody is to be worse off than going alone."""
    frame = facts.table(run, "account", ("measure", "agency", "year", "closing_gbp", "credited_gbp", "invested_gbp"))
    frame = frame[frame["measure"] == "against going alone"]
    if frame.empty:
        return None
    names = facts.agency_names(run)
    years = list(dict.fromkeys(frame["year"]))
    at = [n for n in (*AFTER_YEARS, len(years) - 1) if n < len(years)]
    rows = []
    for agency, mine in frame.groupby("agency", sort=False):
        closing = mine["closing_gbp"].to_numpy()
        rows.append(
            [
                words.clean(names.get(str(agency), agency)),
                words.gbp(mine["invested_gbp"].sum()),
                words.gbp(mine["credited_gbp"].iloc[-1], signed=True),
                *(words.gbp(closing[n]) for n in dict.fromkeys(at)),
            ]
        )
    headings = ["Agency", "Puts in once", "Is paid a year", *(f"Balance, end of {years[n]}" for n in dict.fromkeys(at))]
    return {"headings": headings, "rows": rows}
