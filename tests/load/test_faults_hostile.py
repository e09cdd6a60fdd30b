"""Files that would hang, or unfold to more than there is: ordinary files are opened, and plain tables of a database read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import geopandas as gpd
import pytest
import starter
from starter import replace

from estate.cli import group
from estate.cli.outcome import guarded
from estate.errors import InputError
from estate.load import geo, read_file
from estate.load.sniff import read_bytes
from estate.scenario import TableFile


@pytest.fixture
def folder(tmp_path):
    return starter.make(tmp_path)


@pytest.fixture
def package(tmp_path):
    """A GeoPackage with one layer, and a connection to spoil it by."""
    frame = gpd.GeoDataFrame({"zone_id": ["A", "B"]}, geometry=gpd.points_from_xy([1, 2], [3, 4]), crs=27700)
    frame.to_file(tmp_path / "z.gpkg", layer="zones")
    base = sqlite3.connect(tmp_path / "z.gpkg")
    yield base
    base.close()


def said_of(base, tmp_path, layer="evil"):
    base.commit()
    with pytest.raises(InputError) as error:
        read_file(TableFile(path="z.gpkg", layer=layer), tmp_path, "t")
    return str(error.value)


NAMED = "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('evil', 'attributes', 'evil')"


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW evil AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS zone_id FROM n",
        "CREATE VIEW evil AS SELECT hex(zeroblob(450000000)) AS zone_id",
        "CREATE TABLE evil (a INTEGER, zone_id TEXT GENERATED ALWAYS AS (hex(zeroblob(1000000))) VIRTUAL)",
        "CREATE TABLE evil (a INTEGER, zone_id TEXT AS (hex(zeroblob(1000000))))",
        "CREATE VIRTUAL TABLE evil USING rtree(id, a, b)",
    ],
)
def test_only_plain_tables_of_a_database_are_read(package, tmp_path, made):
    package.execute(made)
    package.execute(NAMED)
    assert "'evil' is a view or is computed, and only plain tables are read" in said_of(package, tmp_path)


def test_the_databases_own_lists_are_plain_tables_too(package, tmp_path):
    package.execute("ALTER TABLE gpkg_contents RENAME TO other")
    package.execute("CREATE VIEW gpkg_contents AS SELECT * FROM other")
    assert "'gpkg_contents' is a view" in said_of(package, tmp_path, "zones")


def test_a_databases_cells_are_capped(package, tmp_path):
    for name in [row[0] for row in package.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
        package.execute(f'DROP TRIGGER "{name}"')
    package.execute("UPDATE zones SET zone_id = ? WHERE fid = 1", ("x" * 2_000_000,))
    said = said_of(package, tmp_path, "zones")
    assert "holds a cell longer than 1,000,000 characters" in said
    assert len(said) < 300


def test_a_database_has_a_clock(package, tmp_path, monkeypatch):
    monkeypatch.setattr(geo, "_MOST_S", -1.0)
    package.execute("CREATE TABLE evil (zone_id TEXT)")
    package.executemany("INSERT INTO evil VALUES (?)", [("x",)] * 60_000)
    package.execute(NAMED)
    assert "interrupted" in said_of(package, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no /proc here")
def test_a_file_without_a_size_is_not_opened(monkeypatch):
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(InputError, match="is empty"):
        read_bytes(Path("/proc/self/status"), "status", "tables.sites")


@pytest.mark.parametrize("kind", ["pipe", "device", "empty"])
def test_streets_are_an_ordinary_file(folder, tmp_path, kind, capsys):
    if kind == "pipe":
        os.mkfifo(folder / "s.osm")
    elif kind == "empty":
        (folder / "s.osm").write_bytes(b"")
    replace(folder, '# streets = "county.osm.pbf" ', f'streets = "{"/dev/zero" if kind == "device" else "s.osm"}" ')
    assert guarded(group, ["run", str(folder), "--out", str(tmp_path / "maps")]) == 3
    assert ("is empty" if kind == "empty" else "is not an ordinary file") in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "whatif"])
def test_settings_are_an_ordinary_file_of_a_few_megabytes(folder, command, capsys):
    os.mkfifo(folder / "p.toml")
    assert guarded(group, [command, str(folder / "p.toml")]) in (2, 3)
    (folder / "big.toml").write_text('name = "x"\nlist = [' + "1," * 2_100_000 + "]\n")
    assert guarded(group, [command, str(folder / "big.toml")]) == 3
    said = capsys.readouterr()
    assert "the most is 4 MB" in said.out + said.err
