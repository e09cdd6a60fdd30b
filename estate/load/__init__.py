"""From a scenario to a place: every file read, every cell typed, every problem found and told at once.

Reading goes in small steps, one module each: ``sniff`` opens a file and says by its content what it is, ``text`` and ``geo``
read it as text with the numbers of its rows, ``shape`` applies the scenario's column map, ``cells`` types it a column at a
time, ``points`` finds where each row is, ``merge`` lays several files together, ``change`` applies the
scenario's adjustments, and ``assemble`` runs them all.
"""

from estate.load.assemble import load, survey
from estate.load.change import rows_where
from estate.load.files import read_file

__all__ = ["load", "read_file", "rows_where", "survey"]
