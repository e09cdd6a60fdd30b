"""Numbers and sentences in plain English: what a reader sees instead of column names, metres and solver words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from estate.scenario import Objective
from estate.wording import confirmed, not_repeatable, why_stopped

METRES_PER_MILE = 1609.344
LONGEST_NAME = 200

OUTCOMES = {
    "hub": "Hub",
    "retained": "Retained",
    "released": "Released",
    "closed to services": "Closed to services",
    "not in use": "Not in use",
    "outside": "Outside the area",
}
"""The words of the ``before`` and ``after`` columns, as a reader sees them."""

OUTCOME_NOTES = {
    "hub": "public services of two or more kinds share it",
    "retained": "stays in use, with services of one kind or other uses",
    "released": "no longer needed and let go",
    "closed to services": "stays for its other uses, but has no public counter",
    "not in use": "not paid for today and not needed",
    "outside": "serves people here, never changed by the plan",
}

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OVERRIDE = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What changes the direction of the words that follow it, and need not end with the name; marks of a single place stay."""
_SPACE = re.compile(r"\s+")


def clean(text: Any, most: int = LONGEST_NAME) -> str:
    """A name as it may be shown: no control characters, nothing that turns words round, one line, so many characters at most."""
    if text is None or (isinstance(text, float) and text != text):  # noqa: PLR0124 - NaN is not itself
        return ""
    line = _SPACE.sub(" ", _OVERRIDE.sub("", _CONTROL.sub("\ufffd", str(text)))).strip()
    return line if len(line) <= most else line[: most - 1] + "…"


def clean_long(text: Any) -> str:
    """A sentence that may name many, as :func:`clean` but at any length, each word of it safe."""
    line = _OVERRIDE.sub("", _CONTROL.sub("\ufffd", "" if text is None else str(text)))
    return _SPACE.sub(" ", line).strip()


def plain(text: Any) -> str:
    """A name for places where direction cannot be isolated with ``<bdi>``: titles, attributes, text of drawings."""
    return _BIDI.sub("", clean(text))


def _blank(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _signed(text: str, value: float, *, signed: bool) -> str:
    if value < 0:
        return "−" + text
    return "+" + text if signed and value > 0 else text


def count(value: Any, *, signed: bool = False) -> str:
    """``12,345``; a blank stays blank."""
    if _blank(value):
        return ""
    number = round(float(value))
    return _signed(f"{abs(number):,}", number, signed=signed)


def gbp(value: Any, *, signed: bool = False) -> str:
    """``£312,450``, to the pound."""
    if _blank(value):
        return ""
    number = round(float(value))
    return _signed(f"£{abs(number):,}", number, signed=signed)


def gbp_short(value: Any, *, signed: bool = False) -> str:
    """``£12.4 million`` or ``£312,000``: for a figure that is read from across the room."""
    if _blank(value):
        return "not known"
    number = float(value)
    size = abs(number)
    if size >= 999_500:
        text = f"£{size / 1e6:,.2f} million" if size < 10e6 else f"£{size / 1e6:,.1f} million"
    elif size >= 10_000:
        text = f"£{round(size, -3):,.0f}"
    else:
        text = f"£{size:,.0f}"
    return _signed(text, 0 if text == "£0" else number, signed=signed)


def area(value: Any) -> str:
    """``1,240 m²``."""
    return "" if _blank(value) else f"{count(value)} m²"


def miles(metres: Any, *, signed: bool = False) -> str:
    """``2.4 miles``; a blank distance means that there is no way there."""
    if _blank(metres):
        return "out of reach"
    number = float(metres) / METRES_PER_MILE
    size = abs(number)
    if size < 0.05:
        return "no change" if signed else "under 0.1 mile"
    text = f"{size:,.1f}"
    unit = "mile" if text == "1.0" else "miles"
    return _signed(f"{text} {unit}", number, signed=signed)


def minutes(seconds: Any, *, signed: bool = False) -> str:
    """``14 minutes``; a blank time means that there is no way there."""
    if _blank(seconds):
        return "out of reach"
    number = round(float(seconds) / 60)
    if not number:
        return "no change" if signed else "under 1 minute"
    return _signed(f"{abs(number)} minute{'' if abs(number) == 1 else 's'}", number, signed=signed)


@dataclass(frozen=True, slots=True)
class Unit:
    """What journeys are told in.  ``bands`` are in it; ``size`` is how many metres or seconds make one."""

    name: str
    size: float
    bands: tuple[float, ...]
    """Where the bands of distance end; the last is open."""
    much: float
    much_words: str
    say: Callable[..., str]


PARTS = {0.1: "a tenth of a mile", 0.25: "a quarter of a mile", 0.5: "half a mile", 1: "a mile", 1.5: "a mile and a half"}


def _length(unit: Unit, value: float) -> str:
    """A length of the page's unit as people say it: ``half a mile``, ``2 miles``, ``10 minutes``."""
    if unit is MILES:
        return PARTS.get(value, f"{value:g} miles")
    return "a minute" if value == 1 else f"{value:g} minutes"


def classes(unit: Unit, ends: Sequence[float]) -> list[str]:
    """The classes between ends, in words: ``under half a mile``, ``half a mile to a mile``, ``over a mile``."""
    said = [_length(unit, end) for end in ends]
    return [f"under {said[0]}", *(f"{low} to {high}" for low, high in pairwise(said)), f"over {said[-1]}"]


MILES = Unit("miles", METRES_PER_MILE, (0.5, 1, 2, 3, 5, 10), 1, "a mile", miles)
MINUTES = Unit("minutes", 60.0, (5, 10, 15, 20, 30, 45), 10, "ten minutes", minutes)


def about(value: Any, *, assumed: bool) -> str:
    """``about £590,000``: two figures of an amount that rests on assumptions; else :func:`gbp_short`."""
    if not assumed or _blank(value) or not float(value):
        return gbp_short(value)
    return f"about {_round(float(f'{float(value):.1e}'))}"


def rounded(text: str) -> str:
    """A sentence in which every amount is rounded as :func:`about` rounds it, and every percentage to a whole one."""
    said = re.sub(r"£([\d,]+)", lambda found: about(found[1].replace(",", ""), assumed=True), text)
    return re.sub(r"([\d,]+\.\d+)%", lambda found: f"{float(found[1].replace(',', '')):,.0f}%", said)


def _round(value: float) -> str:
    """Two figures of an amount, without more noughts than they need."""
    size = abs(value)
    text = f"£{size / 1e6:,.{int(size < 1e7)}f} million" if size >= 1e6 else f"£{size:,.0f}"
    return _signed(text, value, signed=False)


FRACTIONS = (
    (0.0, "a few"), (0.1, "a tenth"), (0.2, "a fifth"), (0.25, "a quarter"), (1 / 3, "a third"), (0.4, "two fifths"),
    (0.5, "half"), (0.6, "three fifths"), (2 / 3, "two thirds"), (0.75, "three quarters"), (0.8, "four fifths"),
    (0.9, "nine tenths"), (1.0, "nearly all"),
)  # fmt: skip


def fraction(part: float) -> str:
    """``about half``: the nearest plain fraction; all only where it is all."""
    if part >= 1:
        return "all"
    near = min(FRACTIONS, key=lambda each: abs(each[0] - part))[1]
    return near if near in ("a few", "nearly all") else f"about {near}"


def share(part: float, whole: float) -> str:
    """``98.2%``; never rounded to 100% or 0% unless it is so."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if part >= whole:
        return "100%"
    if part <= 0:
        return "0%"
    return f"{min(max(percent, 0.1), 99.9):.1f}%"


def percent(fraction: Any, digits: int = 1) -> str:
    """``2.1%`` from 0.021."""
    return "" if _blank(fraction) else f"{100 * float(fraction):.{digits}f}%"


GROUPS = {
    "everyone": "Everyone",
    "everywhere": "Everywhere",
    "district": "District",
    "ward": "Ward",
    "people": "People counted as",
    "imd_decile": "Deprivation tenth (1: most deprived)",
    "ruc11": "Rural-urban class",
    "rural_urban": "Town and country",
}


RUC_2011 = {
    "A1": "urban, major conurbation",
    "B1": "urban, minor conurbation",
    "C1": "urban, city and town",
    "C2": "urban, city and town, sparse",
    "D1": "rural, town and fringe",
    "D2": "rural, town and fringe, sparse",
    "E1": "rural, village and dispersed",
    "E2": "rural, village and dispersed, sparse",
}
"""The rural-urban classes of the small areas of 2011 in England and Wales (ONS)."""


def group_words(column: str) -> str:
    """What a column of zones tells people apart by."""
    return GROUPS.get(column) or clean(column).replace("_", " ").capitalize()


_REASON = re.compile(r"^(kept|released|not used)?: ", re.IGNORECASE)


def reason(text: Any) -> str:
    """Why a building stays or goes, as a sentence: the outcome itself is said beside it."""
    said = _REASON.sub("", clean(text))
    return said[:1].upper() + said[1:]


def rule_sentence(text: Any) -> str:
    """A rule as a sentence, without the name by which its scenario calls it: ``code: the sentence``."""
    said = re.sub(r"^[\w.-]+: ", "", clean_long(text))
    return said[:1].upper() + said[1:]


CONSULTATION = {
    "consult": "Needed",
    "not tested": "Not known: there is no travel data to test it",
    "within": "Not needed",
    "": "",
}


def consultation(value: Any) -> str:
    """Whether people have to be asked first, in words; blank where no rule asks."""
    if _blank(value):
        return ""
    text = str(value).strip()
    return CONSULTATION.get(text, {"true": "Needed", "yes": "Needed", "false": "", "no": ""}.get(text.lower(), clean(text)))


def plural(number: float, one: str, many: str = "") -> str:
    """``1 building``, ``12 buildings``."""
    return f"{count(number)} {one if round(number) == 1 else many or one + 's'}"


def listed(items: list[str]) -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


PENNY = 1e-9
"""A gap below this is none: the proof is to the penny."""


def proof(manifest: Mapping[str, Any], objective: str = Objective.RUNNING_COST) -> dict[str, str]:
    """The status of the answer: ``tone`` (good, warn), ``title``, ``text``; from the manifest's status and gap."""
    better = Objective(objective).better
    gap = manifest.get("gap")
    if manifest.get("status") == "optimal":
        if gap is not None and gap < PENNY:
            return {"tone": "good", "title": "Proven best", "text": f"No other plan that keeps to the rules {better}."}
        text = f"If another plan that keeps to the rules {better}, then by less than one part in ten thousand."
        return {"tone": "good", "title": "Proven best to within 0.01%", "text": text}
    if _blank(gap):
        text = "How far it is from the best possible is not known."
        return {"tone": "warn", "title": "Best found, not proven best", "text": text}
    text = (
        "The search stopped before it could rule out every other plan. "
        f"Its result cannot be more than {percent(gap)} from the best possible."
    )
    return {"tone": "warn", "title": f"Best found; at most {percent(gap)} from the best possible", "text": text}


def checks(manifest: Mapping[str, Any]) -> list[str]:
    """What else a careful reader wants to know about the answer, a sentence each."""
    lines = []
    if manifest.get("verified"):
        lines.append("Checked: a separate program recomputed its costs, floor areas and distances from the tables, and agrees.")
    lines += confirmed(manifest.get("certificate"))
    if manifest.get("repeatable"):
        lines.append("Repeatable: the same inputs and versions give the same plan again.")
    elif why := not_repeatable(manifest):
        lines.append(f"Not repeatable: {why}.")
    sentence, remedy = why_stopped(str(manifest.get("stopped", "")))
    if sentence:
        lines.append(f"{sentence}. To know more, {remedy}.")
    return lines
