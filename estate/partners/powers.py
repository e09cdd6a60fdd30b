"""By which legal power partners may pool their money or pay one another, as far as the instruments that were read say.

The powers are data (``powers.toml``), each read in the instrument itself.  For two kinds of agency of which none is known the
table says that none was found, which is no proof that there is none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

import pandas as pd

from estate.money.law import law
from estate.place import Place


@dataclass(frozen=True, slots=True)
class Power:
    """One power: between which kinds of agency (payer, payee), whether both may put into one fund, its words and limits."""

    id: str
    instrument: str
    between: tuple[tuple[str, str], ...]
    pools: bool
    pays: str
    """``yes``, or by whom of that kind it is not."""
    says: str
    limits: str
    sure: str
    """H: read in the instrument."""


@cache
def powers() -> tuple[Power, ...]:
    """The table as shipped."""
    raw = tomllib.loads(files("estate.partners").joinpath("powers.toml").read_text(encoding="utf-8"))
    return tuple(Power(**{**row, "between": tuple((a, b) for a, b in row["between"])}) for row in raw["power"])


def powers_between(payer: str, payee: str) -> tuple[Power, ...]:
    """Those by which an agency of one kind may pay one of another, or pool with it, whichever is named first."""
    return tuple(each for each in powers() if (payer, payee) in each.between or (each.pools and (payee, payer) in each.between))


POWERS = ("payer_kind", "payee_kind", "payers", "payees", "may_pool", "may_pay", "instrument", "says", "limits", "sure")
NONE = "none was found in the instruments that were read: ask a lawyer"


def powers_table(place: Place, players: Sequence[str]) -> pd.DataFrame:
    """Each power between two kinds of the partners, and each two kinds between which none was found."""
    kind = place.agencies.loc[list(players), "kind"].astype(str)
    of = {each: ";".join(kind.index[kind == each]) for each in sorted(kind.unique())}
    called = {each: "another body" if each == "other" else law().kinds[each].called for each in of}
    made: list[tuple[str, ...]] = []
    for (payer, payers), (payee, payees) in product(of.items(), repeat=2):
        if payer == payee and ";" not in payers:
            continue  # one agency of a kind pays nobody of its kind
        found = powers_between(payer, payee)
        said = [("yes" if p.pools else "no", p.pays, p.instrument, p.says, p.limits, p.sure) for p in found]
        row = (called[payer], called[payee], payers, payees)
        made += [(*row, *each) for each in said or [("not known", "not known", "", NONE, "", "")]]
    return pd.DataFrame(made, columns=list(POWERS)).astype("object")
