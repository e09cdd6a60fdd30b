"""Opening a file of streets: what it is goes by its content, and nothing but the forms below is ever opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyogrio

from estate.errors import InputError, Issue, Where
from estate.travel.graphml import read_graphml
from estate.travel.open_roads import read_open_roads
from estate.travel.osm import read_osm
from estate.travel.package import read_package
from estate.travel.streets import MODES, Drawn, Network, assemble

_WHERE_TO_GET_IT = (
    "get the county's OpenStreetMap extract (.osm.pbf) from an extract service, or OS Open Roads (GeoPackage) from the OS Data "
    "Hub, and name it with --set travel.streets=FILE"
)


def load_streets(path: Path | str, *, mode: str) -> Network:
    """The street network of a local file for one mode.

    Parameters
    ----------
    path
        An OpenStreetMap extract (``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``), a graph saved by OSMnx (``.graphml``, or
        a GeoPackage of nodes and edges), or OS Open Roads (``.gpkg``).
    mode
        ``walk`` or ``drive``.

    Raises
    ------
    InputError
        When the file is missing (with where to get one), is something else, is damaged, or has no usable streets.
    """
    if mode not in MODES:
        issue = Issue(
            "travel.no-mode",
            f"a rule is measured by '{mode}', and a street network gives only walk and drive",
            "give a travel table with that mode (for public transport, minutes from r5py)",
        )
        raise InputError(issues=[issue])
    form = _sniff(path)
    # Notes are published, so they carry the name only; a refusal of the path itself says all of it.
    place, file = Path(path), Path(path).name
    if form == "graphml":
        drawn = read_graphml(place, mode=mode, file=file)
    elif form == "gpkg":
        drawn = _package(place, file)(place, mode=mode, file=file)
    else:
        drawn = read_osm(place, form=form, mode=mode, file=file)
    return assemble(drawn, mode=mode, file=file)


def _package(path: Path, file: str) -> Callable[..., Drawn]:
    """What reads a GeoPackage: by its layers."""
    try:
        layers = [str(row[0]) for row in pyogrio.list_layers(path)]
    except pyogrio.errors.DataSourceError as error:
        raise InputError(issues=[Issue("travel.bad-package", f"the file is corrupt: {error}", "", Where(file))]) from error
    if {"nodes", "edges"} <= set(layers):
        return read_package
    if any(name.lower().replace("_", "") == "roadlink" for name in layers):
        return read_open_roads
    issue = Issue(
        "travel.bad-package",
        f"the layers are {', '.join(layers)}: neither a road_link of OS Open Roads nor the nodes and edges of OSMnx",
        "use the GeoPackage of OS Open Roads as Ordnance Survey publishes it, or osmnx.save_graph_geopackage",
        Where(file),
    )
    raise InputError(issues=[issue])


def _sniff(path: Path | str) -> str:
    """The form of a file by its first bytes; its name is not believed."""
    where = Where(str(path))
    # An address or a GDAL virtual path is never tried, whatever it would lead to.
    if not Path(path).is_file():
        what = "is a folder" if Path(path).is_dir() else "is not a local file, or is missing"
        raise InputError(issues=[Issue("travel.no-streets-file", f"the street network {what}", _WHERE_TO_GET_IT, where)])
    try:
        with Path(path).open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        issue = Issue("travel.unreadable", f"the street network cannot be read: {error.strerror}", _WHERE_TO_GET_IT, where)
        raise InputError(issues=[issue]) from error
    if b"OSMHeader" in head[:32]:
        return "pbf"
    if head.startswith(b"\x1f\x8b"):
        return "osm.gz"
    if head.startswith(b"BZh"):
        return "osm.bz2"
    if head.startswith(b"SQLite format 3\x00") and head[68:72] in (b"GPKG", b"GP10", b"GP11"):
        return "gpkg"
    if b"<graphml" in head:
        return "graphml"
    if b"<osm " in head or b"<osm>" in head:
        return "osm"
    issue = Issue("travel.unknown-streets", "this is not a street network that we read", _WHERE_TO_GET_IT, where)
    raise InputError(issues=[issue])
