"""The edges of a street graph that OSMnx made, whatever file it was saved in: which are usable in a mode, and which way."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estate.errors import InputError, Issue, Severity, Where
from estate.load.crs import as_crs
from estate.problem import Bools, Floats, Ints
from estate.travel.osm import allowed
from estate.travel.streets import classes

TAGS = ("highway", "access", "foot", "motor_vehicle", "motorcar", "vehicle")
"""The tags that decide whether an edge is usable."""
_QUOTED = re.compile(r"'([^']*)'")
_UNSAID = ("", "none", "null", "nan")

type Values = tuple[Ints, NDArray[Any]]
"""The edges that have a tag, and what it says."""


def usable(tags: Mapping[str, Values], n: int, mode: str) -> tuple[Floats, Bools]:
    """For each of ``n`` edges its speed in km/h (0: not usable) and whether points may be joined to it.

    An edge is used when its ``highway`` is a class of the mode (of several, the first that is); a graph with no ``highway`` at
    all is taken to be streets of class ``road``.  Tags are judged once for each combination that occurs, of which a county has
    some dozens.
    """
    codes, words = [], []
    for name in TAGS:
        code = np.zeros(n, dtype=np.int64)
        different: list[str] = [""]
        row, value = tags.get(name, (code[:0], code[:0]))
        if len(row):
            unique, inverse = np.unique(value, return_inverse=True)
            code[row] = inverse + 1
            different += [unescape(each.decode("utf-8") if isinstance(each, bytes) else str(each)) for each in unique]
        codes.append(code)
        words.append(different)
    combined = np.ravel_multi_index(codes, [len(each) for each in words])
    _, first, kind = np.unique(combined, return_index=True, return_inverse=True)
    table = classes("osm", mode)
    speed, join = np.zeros(len(first)), np.zeros(len(first), dtype=bool)
    for k, at in enumerate(first):
        held = {name: each[code[at]] for name, each, code in zip(TAGS, words, codes, strict=True) if code[at]}
        highway = held.get("highway", "") if "highway" in tags else "road"
        found = [name for name in _QUOTED.findall(highway) or [highway] if name in table]
        if found and allowed(held, mode):
            speed[k], join[k] = table[found[0]]
    return speed[kind], join[kind]


def both_ways(tail: Ints, head: Ints, length: Floats, kmh: Floats) -> tuple[Ints, Bools]:
    """One edge for each street, and whether it may be used against its direction: OSMnx writes one edge a direction."""
    up = tail < head
    ends = np.minimum(tail, head), np.maximum(tail, head)
    length = np.nan_to_num(length, nan=-1.0)
    order = np.lexsort((~up, kmh, length.round(3), *ends))
    columns = np.column_stack([ends[0], ends[1], (length * 1000).round(), kmh])[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (columns[1:] != columns[:-1]).any(axis=1)
    street = np.cumsum(new) - 1
    ups, downs = (np.bincount(street, weights=each) > 0 for each in (up[order], ~up[order]))
    return order[new], ups & downs


def crs_of(text: str, x: Floats, y: Floats, file: str, notes: list[Issue]) -> str:
    """The coordinate reference system that a graph states, in any of the forms that OSMnx has written it.

    ``epsg:4326``, ``{'init': 'epsg:4326'}``, WKT; where it states none, degrees are WGS 84 as everything from OpenStreetMap
    is, which is noted.

    Raises
    ------
    InputError
        When it is none that is read, or states none and its coordinates are not degrees.
    """
    said = unescape(text).strip()
    if said.startswith("{"):
        said = _initial(said)
    if said.casefold() not in _UNSAID:
        as_crs(said, file)
        return said
    if len(x) and (np.abs(x).max() > 180 or np.abs(y).max() > 90):
        message = f"the graph states no coordinate reference system (crs is '{said}'), and its coordinates are not degrees"
        remedy = "set graph.graph['crs'] and save it again"
        raise InputError(issues=[Issue("geo.crs", message, remedy, Where(file, column="crs"))])
    message = "the graph states no coordinate reference system; its coordinates are read as degrees, EPSG:4326"
    notes.append(Issue("travel.no-crs", message, where=Where(file, column="crs"), severity=Severity.NOTE))
    return "EPSG:4326"


def _initial(text: str) -> str:
    """A dictionary's ``init``; the dictionary itself where it has none, which nothing reads."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return str(found.get("init", text)) if isinstance(found, dict) else text
