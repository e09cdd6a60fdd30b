"""Streets by place name, through OSMnx: the only part of the program that uses the network connection, and only when asked."""

from __future__ import annotations

import hashlib
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from estate.errors import DownloadError, Issue, Where

_TAGS = ("highway", "oneway", "access", "foot", "motor_vehicle", "motorcar", "vehicle", "junction", "area", "name")


def download_streets(place: str, folder: Path, *, servers: Mapping[str, Any] | None = None) -> Path:
    """The streets of a place as a graph saved by OSMnx, in ``folder``; one that is there already is used again.

    All public highways are fetched, so that the same file serves walking and driving.  To have newer streets, delete the file.

    Parameters
    ----------
    place
        A name as OpenStreetMap knows it: ``"Rutland, England"``.
    folder
        Where the file is kept; made when it is missing.
    servers
        OSMnx settings to use instead of its own, for example ``overpass_url`` and ``nominatim_url`` of a local server.

    Raises
    ------
    DownloadError
        When there is no connection, no such place, or no answer that makes sense.
    """
    target = folder / f"streets-{hashlib.sha256(place.casefold().encode()).hexdigest()[:16]}.graphml"
    if target.is_file():
        return target
    import osmnx  # noqa: PLC0415  (seconds to import, and seldom needed)

    options: dict[str, Any] = {"use_cache": False, "useful_tags_way": list(_TAGS), **(servers or {})}
    try:
        with _settings(osmnx.settings, options):
            graph = osmnx.graph_from_place(place, network_type="all", retain_all=True)
    except Exception as error:  # whatever goes wrong out there is one thing here: it did not come
        issue = Issue(
            "travel.download",
            f"the streets of '{place}' could not be downloaded: {type(error).__name__}: {str(error)[:300]}",
            "check the name and the connection, or give a file with travel.streets",
            Where(column="travel.place", value=place),
        )
        raise DownloadError(issues=[issue]) from error
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        whole = Path(beside) / "streets.graphml"
        osmnx.save_graphml(graph, whole)
        whole.replace(target)
    return target


@contextmanager
def _settings(module: Any, options: Mapping[str, Any]) -> Iterator[None]:
    """OSMnx's settings, changed for a while; it also redirects name look-ups, which is undone."""
    before = {name: getattr(module, name) for name in options}
    lookup = socket.getaddrinfo
    try:
        for name, value in options.items():
            setattr(module, name, value)
        yield
    finally:
        socket.getaddrinfo = lookup
        for name, value in before.items():
            setattr(module, name, value)
