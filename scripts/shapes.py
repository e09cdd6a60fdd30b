"""Hostile and impossible inputs of every shape that was ever met, each given to the command line in a child of its own.

    scripts/fuzz shapes            every shape, and 40 places with bytes changed at random
    scripts/fuzz shapes 400        more of these

A child has 2 GiB of memory and 60 seconds (more where the machine is busy).  It ends with 0, 2 or 3: never with 1, never by a
signal, never by the clock.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import xlsxwriter

from estate.start.new import new

MEMORY, SECONDS, RANDOM = 2 * 2**30, 60.0, 40
ALLOWED = (0, 2, 3)

type Spoil = Callable[[Path], object]
"""Spoils a place; a tuple that comes back is added to the command line, or names another scenario after an ``@``."""


def setting(old: str, new_: str) -> Spoil:
    """A scenario that says something else."""

    def spoil(place: Path) -> None:
        file = place / "estate.toml"
        text = file.read_text()
        if old not in text:
            raise ValueError(f"the starter does not say {old}")
        file.write_text(text.replace(old, new_, 1))

    return spoil


def sites(path: str) -> Spoil:
    """The sites are another file."""
    return setting('sites = "sites.csv"', f'sites = "{path}"')


def streets(path: str) -> Spoil:
    """The streets are this file."""
    return setting("# streets =", f'streets = "{path}" #')


def both(first: Callable[[Path], object], second: Spoil) -> Spoil:
    """One after the other."""

    def spoil(place: Path) -> tuple[object, ...] | None:
        first(place)
        return second(place)

    return spoil


def cells(table: str, **values: str) -> Spoil:
    """The same cells in every row of a table; a value of ``-`` takes the column out."""

    def spoil(place: Path) -> None:
        frame = pd.read_csv(place / f"{table}.csv", dtype=str).assign(**values)
        frame.drop(columns=[name for name, value in values.items() if value == "-"]).to_csv(place / f"{table}.csv", index=False)

    return spoil


def words(name: str, text: str) -> Callable[[Path], object]:
    """A file that says this."""
    return lambda place: (place / name).write_text(text, encoding="utf-8")


def package(*made: str, cell: int = 0) -> Spoil:
    """A GeoPackage whose layer ``evil`` is made by these statements, or holds a cell of so many characters."""

    def spoil(place: Path) -> None:
        frame = gpd.GeoDataFrame({"site_id": ["A"]}, geometry=gpd.points_from_xy([401_000], [249_000]), crs=27700)
        frame.to_file(place / "z.gpkg", layer="evil" if cell else "sites", engine="pyogrio")
        base = sqlite3.connect(place / "z.gpkg")
        if cell:
            for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                base.execute(f'DROP TRIGGER "{name}"')
            base.execute("UPDATE evil SET site_id = ?", ("x" * cell,))
        for each in made:
            base.execute(each)
        if made:
            base.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('evil', 'attributes', 'evil')")
        base.commit()
        base.close()
        setting('sites = "sites.csv"', 'sites = { path = "z.gpkg", layer = "evil" }')(place)

    return spoil


def workbook(count: int, length: int) -> Spoil:
    """One shared string of so many characters in so many cells."""

    def spoil(place: Path) -> None:
        with xlsxwriter.Workbook(str(place / "s.xlsx")) as book:
            sheet = book.add_worksheet()
            sheet.write(0, 0, "site_id")
            for row in range(1, count + 1):
                sheet.write_string(row, 0, "x" * min(length, 32_000))
        if length > 32_000:  # more than the writer allows: put in afterwards
            _replaced(place / "s.xlsx", "xl/sharedStrings.xml", b"x" * 32_000, b"x" * length)
        sites("s.xlsx")(place)

    return spoil


def _replaced(file: Path, member: str, old: bytes, new_: bytes) -> None:
    import zipfile

    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[member] = parts[member].replace(old, new_)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def many_zones(place: Path) -> None:
    """As many zones as there are in a country, and more."""
    n = 300_000
    frame = pd.DataFrame({"zone_id": [f"Z{k}" for k in range(n)], "population": "100", "age65": "20", "district": "North"})
    frame["easting"], frame["northing"] = [395_000 + k % 17_000 for k in range(n)], [246_000 + k % 9_000 for k in range(n)]
    frame.to_csv(place / "zones.csv", index=False)


def long_chain(place: Path) -> tuple[object, ...]:
    """A scenario that extends one that extends one, 1,200 long."""
    for k in range(1200):
        (place / f"s{k}.toml").write_text(f'name = "s"\nextends = "s{k + 1}.toml"\n')
    return ("@", place / "s0.toml")


def zones_geojson(coordinate: str) -> Spoil:
    """Zones at a coordinate that is no place."""

    def spoil(place: Path) -> None:
        with (place / "zones.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        shape = {"type": "Point", "coordinates": ["@", "@"]}
        features = [{"type": "Feature", "properties": each, "geometry": shape} for each in rows]
        text = json.dumps({"type": "FeatureCollection", "features": features}).replace('"@"', coordinate)
        (place / "zones.geojson").write_text(text)
        setting('zones = "zones.csv"', 'zones = "zones.geojson"')(place)

    return spoil


def pipe(name: str) -> Callable[[Path], object]:
    """A named pipe that nobody writes to."""
    return lambda place: os.mkfifo(place / name)


RECURSIVE = "CREATE VIEW evil AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS site_id FROM n"
CROSS = "CREATE VIEW evil AS SELECT a.name AS site_id FROM sqlite_master a, sqlite_master b, sqlite_master c, sqlite_master d"
NESTED = "[" * 900 + "]" * 900
BIG = "1" + "0" * 10_000

SHAPES: dict[str, Spoil] = {
    "streets that are a device": streets("/dev/zero"),
    "streets that are a pipe": both(pipe("s.osm"), streets("s.osm")),
    "a table that is the kernel's log": sites("/proc/kmsg"),
    "a table that is a device": sites("/dev/zero"),
    "a table that is a pipe": both(pipe("p.csv"), sites("p.csv")),
    "a base that is a pipe": both(pipe("p.toml"), setting('name = "', 'extends = "p.toml"\nname = "')),
    "a table of another folder": sites("../../../../../../../../etc/passwd"),
    "a link to another folder": both(lambda place: (place / "l.csv").symlink_to("/etc/passwd"), sites("l.csv")),
    "a view without end": package(RECURSIVE),
    "a view of everything by everything": package(*[f"CREATE TABLE t{n} (a)" for n in range(60)], CROSS),
    "a view of 900 MB": package("CREATE VIEW evil AS SELECT hex(zeroblob(450000000)) AS site_id"),
    "a column that is computed": package("CREATE TABLE evil (a INTEGER, site_id TEXT AS (hex(zeroblob(100000000))))"),
    "a virtual table": package("CREATE VIRTUAL TABLE evil USING rtree(id, a, b)"),
    "a database cell of 20 MB": package(cell=20_000_000),
    "a workbook with 0.9 MB in 3,000 cells": workbook(3_000, 900_000),
    "a workbook with 0.9 MB in 100,000 cells": workbook(100_000, 900_000),
    "a CSV cell of 20 MB": words("sites.csv", "site_id,name\nA," + "x" * 20_000_000 + "\n"),
    "300,000 zones": many_zones,
    "settings of 20 MB": setting('name = "', "list = [" + "1," * 10_000_000 + ']\nname = "'),
    "settings nested 900 deep": setting('name = "', f'x = {NESTED}\nname = "'),
    "--set nested 900 deep": lambda _: ("--set", f"page.tiles={NESTED}"),
    "a number of 10,000 digits": setting('name = "', f'x = {BIG}\nname = "'),
    "--set of 10,000 digits": lambda _: ("--set", f"travel.detour={BIG}"),
    "a cell of 10,000 digits": cells("sites", capacity_m2=BIG),
    "1,200 scenarios in a row": long_chain,
    "1e308 degrees": cells("zones", lat="1e308", lon="-1e308", easting="-", northing="-"),
    "1e308 metres": cells("sites", easting="1e308", northing="1e308"),
    "a point at 1e308": cells("sites", wkt="POINT (1e308 -1e308)", easting="-", northing="-"),
    "GeoJSON at 1e308": zones_geojson("1e308"),
    "GeoJSON at 1e999": zones_geojson("1e999"),
    "JSON nested 100,000 deep": both(words("s.json", "[" * 100_000), sites("s.json")),
    "a title that steers the terminal": setting('name = "', 'title = "\\u001b[2J\\u001b]0;x\\u0007\\u009b31m"\nname = "'),
    "names that are formulas": cells("sites", name="\uff1dcmd|' /C calc'!A0"),
    "names after a control character": cells("sites", name="\u0085=1+1"),
    "names from right to left": cells("sites", name="\u202egnp.elbmuls"),
    "names of 10,000 letters": cells("sites", name="A" * 10_000),
    "a file of no bytes": words("zones.csv", ""),
}


def at_random(seed: int) -> Spoil:
    """A few bytes of one file, changed, taken out or doubled."""

    def spoil(place: Path) -> None:
        rng = random.Random(seed)
        file = rng.choice(sorted(each for each in place.iterdir() if each.suffix in (".csv", ".toml")))
        data = bytearray(file.read_bytes())
        for _ in range(rng.randint(1, 6)):
            at, length = rng.randrange(len(data) + 1), rng.randint(1, 12)
            new_ = rng.choice(
                [b"", rng.randbytes(length), bytes(data[at : at + length]) * 2, b",", b'"', b"\n", b"\0", b"\xff", b"="]
            )
            data[at : at + rng.choice((0, length))] = new_
        file.write_bytes(data)

    return spoil


def _patience() -> float:
    """Seconds to wait: a machine with more to do than it has processors is that much slower."""
    return SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tried(name: str, spoil: Spoil, folder: Path) -> tuple[str, float]:
    """How a run of the place ends, in words that are empty when that is as it should be; and its seconds."""
    place = folder / "place"
    new(place)
    try:
        said_more = spoil(place)
        more = said_more if isinstance(said_more, tuple) else ()
        path, more = (more[1], more[2:]) if more[:1] == ("@",) else (place, more)
        command = [sys.executable, "-m", "estate", "check" if name == "300,000 zones" else "run", path, *more]
        command += [] if name == "300,000 zones" else ["--out", folder / "maps", "-q"]
        began = time.monotonic()
        try:
            done = subprocess.run(
                [*map(str, command)],
                capture_output=True,
                check=False,
                timeout=_patience(),
                preexec_fn=_limits,
            )
        except subprocess.TimeoutExpired as late:
            return f"no end after {late.timeout:.0f} s", late.timeout
        said, seconds = (done.stdout + done.stderr).decode("utf-8", "replace"), time.monotonic() - began
    finally:
        shutil.rmtree(place)
    if done.returncode not in ALLOWED:
        return f"ended with {done.returncode}: {said.strip()[-300:]!r}", seconds
    if "\x1b" in said or "Traceback" in said or "panicked" in said or len(said) > 200_000:
        return f"said what no terminal should show: {said.strip()[-300:]!r}", seconds
    return "", seconds


def main() -> int:
    """Try every shape and so many changed places; 1 where any ended otherwise."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RANDOM
    every = {**SHAPES, **{f"bytes changed, seed {seed}": at_random(seed) for seed in range(count)}}
    bad, slowest = Counter[str](), ("", 0.0)
    for name, spoil in every.items():
        with tempfile.TemporaryDirectory() as folder:
            fault, seconds = tried(name, spoil, Path(folder))
        slowest = max(slowest, (name, seconds), key=lambda each: each[1])
        if fault:
            bad[name] += 1
            print(f"{name}: {fault}", flush=True)
    print(f"{len(every)} shapes, {len(bad)} ended otherwise than with 0, 2 or 3; the slowest, {slowest[0]}: {slowest[1]:.0f} s")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
