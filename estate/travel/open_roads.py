"""OS Open Roads as Ordnance Survey publishes it: a GeoPackage with the layers ``road_link`` and ``road_node``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

from estate.errors import InputError, Issue, Severity, Where
from estate.travel.streets import Drawn, bend, classes

_COLUMNS = {"road_function": "function", "start_node": "startNode", "end_node": "endNode", "length": "length"}
"""Column names since 2019, and before."""


def read_open_roads(path: Path, *, mode: str, file: str) -> Drawn:
    """The links usable in a mode, with the product's own lengths (metres).

    Links that share a node identifier meet; links that only cross (a bridge) do not.  The product has no one-way streets and
    no footpaths, which the notes say.

    Raises
    ------
    InputError
        When the layer or one of its columns is missing, or the file is damaged.
    """
    try:
        layers = [str(row[0]) for row in pyogrio.list_layers(path)]
        layer = next(name for name in layers if name.lower().replace("_", "") == "roadlink")
        have = set(pyogrio.read_info(path, layer=layer)["fields"])
        names = {new: new if new in have else old for new, old in _COLUMNS.items()}
        missing = [new for new, name in names.items() if name not in have]
        if missing:
            raise _error(f"the layer {layer} has no column {', '.join(missing)}", file)
        meta, _, shapes, fields = pyogrio.raw.read(path, layer=layer, columns=list(names.values()), force_2d=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FieldError) as error:
        raise _error(f"the file is corrupt: {error}", file) from error
    if "27700" not in str(meta["crs"]):
        raise _error(f"its coordinates are {meta['crs'] or 'without a reference system'}, not EPSG:27700", file)
    values = dict(zip((str(name) for name in meta["fields"]), fields, strict=True))
    return _draw(values, names, shapely.from_wkb(shapes), mode, file)


def _draw(values: dict[str, Any], names: dict[str, str], lines: Any, mode: str, file: str) -> Drawn:
    table = classes("open_roads", mode)
    function = values[names["road_function"]].astype(str)
    different, kind = np.unique(function, return_inverse=True)
    speed = np.array([table.get(name, (0.0, False))[0] for name in different])[kind]
    join = np.array([table.get(name, (0.0, False))[1] for name in different])[kind]
    used = (speed > 0) & (shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING)
    lines = lines[used]
    vertices = shapely.get_coordinates(lines)
    count = shapely.get_num_coordinates(lines).astype(np.int64)
    last = np.cumsum(count) - 1
    ends = np.concatenate([values[names["start_node"]][used], values[names["end_node"]][used]]).astype(str)
    _, first, node = np.unique(ends, return_index=True, return_inverse=True)
    place = np.concatenate([vertices[last - count + 1], vertices[last]])[first]
    n = len(lines)
    drawn = Drawn(
        place[:, 0],
        place[:, 1],
        node[:n],
        node[n:],
        values[names["length"]][used].astype(np.float64),
        speed[used],
        np.ones(n, dtype=bool),
        join[used],
        [
            Issue(
                "travel.open-roads",
                "OS Open Roads has no footpaths: walks keep to roads"
                if mode == "walk"
                else "OS Open Roads has no one-way streets: every road is driven both ways",
                where=Where(file),
                severity=Severity.NOTE,
            )
        ],
    )
    return bend(drawn, np.arange(n), vertices, count)


def _error(message: str, file: str) -> InputError:
    remedy = "use the GeoPackage of OS Open Roads as Ordnance Survey publishes it"
    return InputError(issues=[Issue("travel.bad-open-roads", message, remedy, Where(file))])
