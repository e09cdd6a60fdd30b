"""How far apart everything is: the straight line, a street network or the user's table, behind one interface.

Tables are long (:class:`Pairs`), by position in the caller's canonical order; distances are whole metres, times whole seconds,
coordinates EPSG:27700 metres; a missing pair is unreachable.
"""

from importlib import import_module
from typing import Any

from estate.travel.build import build_travel
from estate.travel.pairs import Pairs, Points, TravelTables, Wanted, keep, unreached
from estate.travel.straight import straight
from estate.travel.table import read_table
from estate.travel.ways import OwnTable, Straight, Streets, Way

# Streets need numba, pyosmium and shapely: they load when first asked for.
_LATE = {
    "Network": "estate.travel.streets",
    "calibrate": "estate.travel.calibrate",
    "download_streets": "estate.travel.download",
    "load_streets": "estate.travel.reading",
    "network_pairs": "estate.travel.network",
}

__all__ = [  # noqa: PLE0604  (the late names are the keys of _LATE)
    "Pairs",
    "Points",
    "Straight",
    "Streets",
    "OwnTable",
    "TravelTables",
    "Wanted",
    "Way",
    "build_travel",
    "keep",
    "read_table",
    "straight",
    "unreached",
    *_LATE,
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
