"""Words in messages: lists, suggestions, and words evened out so that spelling does not matter."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

MOST_KNOWN = 30
"""Allowed words listed in full; more than these are a register, of which three are named."""


def plain(text: str) -> str:
    """A word with case, spaces, hyphens and punctuation evened out: ``Job-Centre Plus`` is ``job_centre_plus``."""
    return re.sub(r"[^\w+]+", "_", unicodedata.normalize("NFKC", text).casefold()).strip("_")


STOPPED = {
    "gap": ("The search ended within the gap that was asked for", "ask for a smaller gap: --gap 0"),
    "time": ("The search ended at its limit of time", "give it longer: --time-limit SECONDS"),
    "work": ("The search ended at its limit of work", "allow more: --work-limit NUMBER, or solver.work_limit in the scenario"),
    "interrupt": ("The search was stopped by hand", "let it run on"),
    "memory": ("The search ran out of memory", "use a machine with more, or a smaller reach"),
}
"""Why a search that proved no optimum ended, and what to do about it."""


FIGURES = {
    "capacity_m2": "floor area of the building",
    "area_m2": "floor area of the counter",
    "running_cost_gbp_pa": "running cost",
    "hosting_cost_gbp_m2_pa": "charge for hosting",
    "market_value_gbp": "value",
    "visits_pa": "visits a year",
    "exit_cost_gbp": "cost of leaving",
    "fitout_gbp_m2": "fit-out cost",
    "removal_gbp_m2": "removal cost",
    "agency": "holder of the title",
}
"""What people call a column where its name, without the unit, would not do."""
_UNIT = re.compile(r"(_gbp_m2_pa|_gbp_m2|_gbp_pa|_gbp|_m2|_pa|_m|_s|_fte)$")


def figure_words(column: str) -> str:
    """A column as people call it: ``value_low_gbp`` is ``value low``."""
    return FIGURES.get(column) or _UNIT.sub("", column).replace("_", " ")


def why_stopped(reason: str) -> tuple[str, str]:
    """A sentence and a remedy for a value of ``stopped``; empty where the optimum was proven."""
    return STOPPED.get(reason, ("", ""))


def not_repeatable(manifest: Mapping[str, Any]) -> str:
    """Why another run may end with another plan, as the end of a sentence; empty where it may not."""
    if manifest.get("repeatable", True):
        return ""
    if manifest.get("stopped") == "proven":
        return (
            "other plans may be just as good, and which of them costs least once and moves the fewest counters was not settled; "
            "another run may end with another of them"
        )
    return "another run may end with a different plan"


def confirmed(said: Mapping[str, Any] | None) -> list[str]:
    """How much of a proof anybody can work out again, a sentence each; none where there is no certificate."""
    if not said:
        return []
    least = f"£{said['bound_gbp_pa']:,.2f}".removesuffix(".00")
    if said["share"] >= 1.0:
        follows = f"that no plan costs less than {least} a year follows from the tables (certificate.json)"
        return [f"Anybody can check the proof: {follows}."]
    share, short = math.floor(said["share"] * 1000) / 10, math.ceil(said["gap"] * 1e4) / 100
    follows = f"that no plan costs less than {least} a year, {short:g}% below this one"
    rest = "The rest rests on the solver's branch and bound."
    return [f"Of the proof, {share:g}% can be worked out again from the tables (certificate.json): {follows}. {rest}"]


def closest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known word most like this one, or ``""``; ``cutoff`` is how alike they must be, 0 to 1."""
    by_form = {plain(each): each for each in known}
    found = difflib.get_close_matches(plain(word), list(by_form), n=1, cutoff=cutoff)
    return by_form[found[0]] if found else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` with the list of what is allowed."""
    allowed = sorted(each for each in known if each)
    near = closest(word, allowed)
    if len(allowed) > MOST_KNOWN:  # a register of ids, not a list to choose from
        some = f"{', '.join(allowed[:3])} and {len(allowed) - 3:,} more"
        return f"did you mean '{near}'?" if near else f"use one that is known, such as {some}"
    listed = ", ".join(allowed)
    return f"did you mean '{near}'? (known: {listed})" if near else f"use one of: {listed}"


def brief(text: str, most: int = 60) -> str:
    """A cell short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def counted(n: int, one: str, more: str) -> str:
    """``1 row is`` or ``1,200 rows are``: a number, and the words that agree with it."""
    return f"{n:,} {one if n == 1 else more}"


def listed(rows: Iterable[object], most: int = 5) -> str:
    """``3, 4, 7 and 12 more``."""
    every = [str(each) for each in rows]
    return ", ".join(every[:most]) + (f" and {len(every) - most:,} more" if len(every) > most else "")
