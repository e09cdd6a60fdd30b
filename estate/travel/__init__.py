"""How far apart everything is: the straight line, a street network or the user's table, behind one interface.

Tables are long (:class:`Pairs`), by position in the caller's canonical order; distances are whole metres, times whole seconds,
coordinates EPSG:27700 metres; a missing pair is unreachable.
"""

from estate.travel.build import Straight, Streets, Table, Way, build_travel
from estate.travel.pairs import Pairs, Points, Travel, Wanted, keep, unreached
from estate.travel.straight import straight
from estate.travel.table import read_table

__all__ = [
    "Pairs",
    "Points",
    "Straight",
    "Streets",
    "Table",
    "Travel",
    "Wanted",
    "Way",
    "build_travel",
    "keep",
    "read_table",
    "straight",
    "unreached",
]
