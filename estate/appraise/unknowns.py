"""What a run does not know: the limits of its own evidence, for an equality impact assessment and for whoever signs it.

Each line is computed from what the place lacks, so that filling a column or giving a table takes the line away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from estate.appraise.access import Reach, group_columns
from estate.place import Place
from estate.standards.measured import Measured
from estate.standards.words import by_mode
from estate.wording import figure_words, listed

COLUMNS = ["topic", "not_known", "why_it_matters", "what_would_help"]

CHARACTERISTICS = {
    "age": ("age", "aged", "over", "under", "pension", "child", "older", "elder"),
    "disability": ("disab", "limiting", "illness"),
    "gender reassignment": ("gender", "trans"),
    "pregnancy and maternity": ("pregnan", "matern", "birth", "births"),
    "race": ("ethnic", "race", "bame", "white", "black", "asian"),
    "religion or belief": ("relig", "belief", "faith"),
    "sex": ("female", "women", "male", "men", "sex"),
    "sexual orientation": ("sexual", "orient", "lgb"),
}
"""The protected characteristics of the Equality Act 2010, section 149(7), and words in the names of columns that count them."""
CARS = ("car", "cars", "carless", "nocar", "van")

type Line = tuple[str, str, str, str]


def unknowns_table(measured: Measured, after: Reach) -> pd.DataFrame:
    """What the place's tables cannot say, why that matters, and what would tell (``unknowns.csv``)."""
    place = measured.place
    parts = (_people(measured), _journeys(measured), _reached(measured, after), _buildings(place))
    return pd.DataFrame([line for part in parts for line in part], columns=COLUMNS)


def _people(measured: Measured) -> Iterator[Line]:
    """Who lives in the zones, as far as the columns go."""
    counted = group_columns(measured)
    lacking = [each for each, words in CHARACTERISTICS.items() if not any(_speaks_of(name, words) for name in counted)]
    if lacking:
        yield (
            "protected characteristics",
            f"the zones count nobody by {_words(lacking)}",
            "whether a change falls more on them than on others cannot be read from these tables",
            "a column of zones for each, with the number of people in it (census tables by small area)",
        )
    if not any(_speaks_of(name, CARS) for name in counted):
        yield (
            "car ownership",
            "the zones do not say how many people have no car",
            "a journey by car is no measure of theirs",
            "a column no_car in zones (census)",
        )
    for topic, beginnings, column in (
        ("deprivation", ("imd",), "imd_decile"),
        ("town and country", ("rural", "ruc"), "rural_urban"),
    ):
        if not any(str(name).casefold().startswith(beginnings) for name in measured.place.zones.columns):
            yield (
                topic,
                "the zones do not say it",
                "access cannot be shown by it",
                f"a column {column} in zones",
            )
    place = measured.place
    people, n = float(place.zones["population"].sum()), max(len(place.zones), 1)
    yield (
        "where people live",
        f"everyone in a zone is taken to live at its one point ({n:,} zones, {people / n:,.0f} people on average)",
        "those at a zone's edge may gain or lose more than it shows",
        "smaller zones, such as output areas",
    )
    yield (
        "what people choose",
        "everyone is taken to go to the nearest building with the service",
        "opening hours, language, trust and shopping trips are not in the tables",
        "counts of visits by home postcode",
    )


def _journeys(measured: Measured) -> Iterator[Line]:
    """How journeys are measured."""
    travel = measured.travel
    modes = sorted({*travel.home, *travel.between})
    if not set(modes) - {"walk", "drive"}:
        yield (
            "public transport",
            f"journeys are measured{_words([by_mode(each) for each in modes])}; no bus or train is timed",
            "people who rely on a bus may be cut off by a move that looks short",
            "a travel table with mode 'transit', for example one that r5py makes",
        )
    if "walk" not in modes:
        yield ("walking", "no journey on foot is measured", "not everyone can drive", "a standard with mode 'walk'")
    if "straight line" in travel.method:
        yield (
            "streets",
            f"distances are not along streets ({travel.method})",
            "rivers, railways and hills make some journeys longer than that",
            "a street network (travel.streets)",
        )
    for rule in measured.rules:
        gaps = [f"{each.limit.text}{by_mode(each.mode)}" for each, has_data in measured.tested(rule) if not has_data]
        if gaps and measured.service(rule) is not None:
            words = f"the rule for {measured.scenario.service_label(rule.service)} is not tested for {_words(gaps)}"
            yield ("a rule without data", words, "there it is neither met nor broken", "a travel table for that mode")


def _reached(measured: Measured, after: Reach) -> Iterator[Line]:
    """Zones with no way to a service, by name."""
    place = measured.place
    names = place.zones["name"].where(place.zones["name"] != "", place.zones.index.to_series()).to_numpy(dtype=object)
    people = place.zones["population"].to_numpy(dtype=np.float64)
    for k, service in measured.public:
        none = after.site[k] < 0
        if none.any():
            label = service.replace("_", " ")
            where = f"{int(people[none].sum()):,} people in {listed(names[none].tolist(), 9)}"
            yield ("out of reach", f"no way to a {label} is known for {where}", "they are in no average", "check their points")


def _buildings(place: Place) -> Iterator[Line]:
    """What is assumed or blank about buildings and counters."""
    inside = place.sites[~place.outside]
    for frame, thing, columns in (
        (inside, "buildings", ("capacity_m2", "running_cost_gbp_pa", "market_value_gbp")),
        (place.access_points, "counters", ("area_m2", "visits_pa")),
    ):
        marked = frame["illustrative"].astype(str).str.replace(" ", "").str.split(";")
        for column in columns:
            assumed = int(marked.map(lambda names, column=column: column in names).sum())
            if assumed:
                words = f"the {figure_words(column)} is assumed for {assumed:,} of {len(frame):,} {thing}"
                yield ("assumed figures", words, "other figures may change the plan", "the register's own figures")
    blank = int(place.access_points["visits_pa"].isna().sum())
    if blank:
        words = f"visits are not known for {blank:,} of {len(place.access_points):,} counters"
        yield ("use", words, "who loses most depends on who comes today", "visits_pa in access_points")
    unstated = int((inside["step_free"] == "").sum())
    if unstated:
        words = f"whether a building can be entered without steps is not known for {unstated:,} of {len(inside):,}"
        yield ("step-free access", words, "a nearer building may be no use to some", "step_free in sites")


def _speaks_of(column: str, words: tuple[str, ...]) -> bool:
    """Whether a column's name holds one of the words: short ones whole, so that ``men`` is not in ``mental``."""
    parts = re.findall(r"[a-z]+", column.casefold())
    return any(part == word or (len(word) > 4 and part.startswith(word)) for part in parts for word in words)


def _words(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
