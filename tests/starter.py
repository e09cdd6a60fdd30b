"""A valid place on disk, made by ``estate new``, and small ways to spoil it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from estate.errors import InputError, Issue
from estate.load import load, survey
from estate.place import Place
from estate.scenario import Scenario, load_scenario
from estate.start.new import new
from estate.validate import check


def make(tmp_path: Path, name: str = "example") -> Path:
    """The starter place in a new folder."""
    new(tmp_path / name)
    return tmp_path / name


def scenario_of(folder: Path, *changes: str) -> Scenario:
    return load_scenario(folder, changes)


def place_of(folder: Path, *changes: str) -> Place:
    return load(load_scenario(folder, changes))


def found(folder: Path, *changes: str) -> tuple[Issue, ...]:
    """All that reading and checking have to say."""
    scenario = load_scenario(folder, changes)
    place = survey(scenario)
    return (*place.issues, *check(scenario, place))


def refused(folder: Path, *changes: str) -> str:
    """What is said when the place is refused, an issue a line; fails when it loads."""
    try:
        place_of(folder, *changes)
    except InputError as error:
        return "\n".join(map(str, error.issues))
    raise AssertionError("it loaded")


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"{table}.csv").read_text())))


def write(folder: Path, table: str, records: Iterable[Mapping[str, Any]], path: str = "") -> Path:
    records = list(records)
    names = list(dict.fromkeys(name for each in records for name in each))
    file = folder / (path or f"{table}.csv")
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(records)
    return file


def spoil(folder: Path, table: str, row: int, **cells: Any) -> None:
    """Change cells of one row; ``row`` counts as a spreadsheet does (2 is the first)."""
    records = rows(folder, table)
    records[row - 2].update({name: str(value) for name, value in cells.items()})
    write(folder, table, records)


def settings(folder: Path, text: str) -> None:
    """Further settings at the end of the scenario."""
    file = folder / "estate.toml"
    file.write_text(file.read_text() + "\n" + text + "\n")


def replace(folder: Path, old: str, new_: str) -> None:
    """Other words in the scenario."""
    file = folder / "estate.toml"
    text = file.read_text()
    assert old in text, old
    file.write_text(text.replace(old, new_))


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """Everything under a folder, links as what they point to."""
    return {
        str(each.relative_to(folder)): str(each.readlink()) if each.is_symlink() else each.read_bytes()
        for each in sorted(folder.rglob("*"))
        if each.is_symlink() or each.is_file()
    }
