"""Who a rule counts, in what groups, and which sites are within its limit of whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from estate.place import Place
from estate.problem import Bools, Ints
from estate.scenario import Standard
from estate.travel import Pairs

_COMPARE = re.compile(r"\s*(<=|>=|<|>)\s*(-?[0-9.]+(?:e[+-]?[0-9]+)?)\s*", re.IGNORECASE)

# -------------------------------------------------------------------------------------------------- zones and groups


def counted(rule: Standard, place: Place) -> Ints:
    """(N,) people of each zone whom the rule counts: its group column, where its conditions hold; whole people."""
    column = "population" if rule.people == "everyone" else rule.people
    people = np.floor(place.zones[column].to_numpy(dtype=np.float64) + 0.5)
    return np.where(holds_in(rule, place), np.nan_to_num(people), 0).astype(np.int64)


def holds_in(rule: Standard, place: Place) -> Bools:
    """(N,) the zones where a rule's conditions hold, whoever lives there."""
    chosen = np.ones(len(place.zones), dtype=bool)
    for name, wanted in rule.where.items():
        chosen &= matches(place.zones[name], wanted)
    return chosen


def matches(column: pd.Series[Any], wanted: str | float | bool) -> Bools:  # noqa: FBT001
    """(n,) whether each value is the wanted one; ``"<= 4926"`` compares numbers (a blank is never a match)."""
    comparison = _COMPARE.fullmatch(wanted) if isinstance(wanted, str) else None
    if comparison is None and isinstance(wanted, str | bool):
        return (column.astype(str).str.casefold() == str(wanted).casefold()).to_numpy(dtype=bool)
    number = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    if comparison is None:  # a number: 3 is 3, whether the column holds 3, 3.0 or "3"
        return np.asarray(number == wanted, dtype=bool)
    bound = float(comparison[2])
    compare = {"<=": np.less_equal, ">=": np.greater_equal, "<": np.less, ">": np.greater}[comparison[1]]
    return np.asarray(compare(number, bound) & ~np.isnan(number), dtype=bool)


def groups(rule: Standard, place: Place) -> Iterator[tuple[str, Ints]]:
    """The groups a rule holds for, each with its people (N,): the whole place, or each value of a column."""
    people = counted(rule, place)
    if not rule.each:
        yield "", people
        return
    label = place.zones[rule.each].astype(str)
    for value in sorted(label.unique()):
        yield value, np.where((label == value).to_numpy(), people, 0)


def people_needed(share: float, people: int) -> int:
    """The fewest whole people that make a share of ``people``, exactly; see :mod:`estate.formulate.rules` for the rule."""
    digits, tens = Decimal(repr(float(share))).as_tuple()[1:]
    top, bottom = int("".join(map(str, digits))), 10 ** -min(int(tens), 0)
    needed: int = -(-top * 10 ** max(int(tens), 0) * people // bottom)
    return needed


# -------------------------------------------------------------------------------------------------- reach


def nearest(pairs: Pairs, value: Ints, sites: Bools, n: int) -> Ints:
    """(n,) least value from each origin to a chosen site; -1 where none can be reached."""
    there = sites[pairs.to]
    origin, value = pairs.from_[there], value[there]
    best = np.full(n, -1, dtype=np.int64)
    if len(origin):
        first = np.flatnonzero(np.append(True, origin[1:] != origin[:-1]))  # pairs are sorted by origin
        best[origin[first]] = np.minimum.reduceat(value, first)
    return best


def reach_of(pairs: Pairs, chosen: Bools, n: int, m: int) -> Any:
    """Sparse (n, m) bool matrix (CSR) of the chosen pairs: they are sorted, so nothing is."""
    to = pairs.to[chosen]
    start = np.concatenate([[0], np.cumsum(np.bincount(pairs.from_[chosen], minlength=n))])
    return sparse.csr_matrix((np.ones(len(to), dtype=bool), to, start), shape=(n, m))
