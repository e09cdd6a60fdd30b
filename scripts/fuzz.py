"""Coverage-guided fuzzing of the readers with atheris, one process for each; good files are the seeds.

python scripts/fuzz.py [READER] [SECONDS]
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris
import geopandas as gpd
import pandas as pd

with atheris.instrument_imports(include=["estate"]):
    from estate.errors import EstateError
    from estate.load import survey
    from estate.load.files import read_file
    from estate.load.sniff import recognise
    from estate.scenario import TableFile, load_scenario
    from estate.start.draft import draft_from_osm
    from estate.start.new import new
    from estate.start.schema import excel_template
    from estate.validate import check

SECONDS = 60


def one_file(folder: Path, data: bytes) -> None:
    """Whatever the bytes are, reading them gives rows or one of our errors."""
    (folder / "any").write_bytes(data)
    read_file(TableFile(path="any", encoding="cp1252" if data[:1] == b"\xa3" else "utf-8"), folder, "tables.sites")


def table(name: str) -> Callable[[Path, bytes], None]:
    """The bytes as one table of a place that is otherwise good, read, typed and checked."""

    def target(folder: Path, data: bytes) -> None:
        place = folder / "place"
        if not place.exists():
            new(place)
        file = place / f"{name}.csv"
        before = file.read_bytes()
        file.write_bytes(data)
        try:
            scenario = load_scenario(place)
            check(scenario, survey(scenario))
        finally:
            file.write_bytes(before)

    return target


def settings(folder: Path, data: bytes) -> None:
    """The bytes as a scenario."""
    place = folder / "place"
    if not place.exists():
        new(place)
    (place / "estate.toml").write_bytes(data)
    scenario = load_scenario(place)
    check(scenario, survey(scenario))


def osm(folder: Path, data: bytes) -> None:
    """The bytes as an OpenStreetMap file."""
    (folder / "any.osm").write_bytes(data)
    draft_from_osm(folder / "any.osm")


def sniffed(_: Path, data: bytes) -> None:
    """What a file is."""
    recognise(data, "any")


READERS: dict[str, Callable[[Path, bytes], None]] = {
    "sniff": sniffed,
    "csv": one_file,
    "excel": one_file,
    "geojson": one_file,
    "geopackage": one_file,
    "parquet": one_file,
    "zip": one_file,
    "sites": table("sites"),
    "access_points": table("access_points"),
    "zones": table("zones"),
    "settings": settings,
    "osm": osm,
}


def seeds(reader: str, folder: Path) -> None:
    """Good files to start from."""
    new(folder.parent / "seed")
    frame = pd.read_csv(folder.parent / "seed" / "zones.csv")
    shapes = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["easting"], frame["northing"]), crs=27700)
    for name in ("sites", "access_points", "zones", "agencies"):
        (folder / name).write_bytes((folder.parent / "seed" / f"{name}.csv").read_bytes())
    if reader == "excel":
        (folder / "workbook").write_bytes(excel_template(["agencies"]))
    elif reader == "parquet":
        stream = io.BytesIO()
        shapes.to_parquet(stream)
        (folder / "parquet").write_bytes(stream.getvalue())
    elif reader == "geojson":
        (folder / "geojson").write_text(shapes.to_crs(4326).to_json())
    elif reader == "geopackage":
        shapes.head(3).to_file(folder.parent / "seed.gpkg", layer="zones", engine="pyogrio")
        (folder / "geopackage").write_bytes((folder.parent / "seed.gpkg").read_bytes())
    elif reader == "settings":
        (folder / "settings").write_bytes((folder.parent / "seed" / "estate.toml").read_bytes())
    elif reader == "osm":
        (folder / "osm").write_text(
            '<osm version="0.6"><node id="1" version="1" lat="52.1" lon="-2"><tag k="amenity" v="library"/></node></osm>'
        )


def fuzz(reader: str, seconds: int, corpus: Path) -> None:
    """Runs one reader; ends the process."""
    folder = Path(tempfile.mkdtemp())

    def target(data: bytes) -> None:
        try:
            READERS[reader](folder, data)
        except EstateError:
            return

    options = [f"-max_total_time={seconds}", "-max_len=65536", "-rss_limit_mb=4096", "-timeout=30", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


def main() -> int:
    """One reader here, or each in a process of its own."""
    reader = sys.argv[1] if len(sys.argv) > 1 else ""
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    if reader == "list":
        print(*READERS)
        return 0
    if reader:
        if reader not in READERS:
            print(f"no reader '{reader}'; there are: {', '.join(READERS)}", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as scratch:
            corpus = Path(scratch) / "corpus"
            corpus.mkdir()
            seeds(reader, corpus)
            fuzz(reader, seconds, corpus)
    again = [sys.executable, __file__]
    failed = [name for name in READERS if subprocess.call([*again, name, str(seconds)])]
    print("failed: " + ", ".join(failed) if failed else "no reader raised anything but our own errors")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
