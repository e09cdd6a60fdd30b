"""The tiny town as files, for tests that go through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import SETTINGS, tiny_place

from estate.cli import group
from estate.cli.outcome import guarded

TABLES = ("agencies", "sites", "access_points", "zones")


def write_tiny(folder: Path, **changes: Any) -> Path:
    """Write the town's tables and scenario into a folder; ``changes`` replace top-level settings or, by table, cells."""
    cells = {name: changes.pop(name) for name in TABLES if name in changes}
    place = tiny_place(**cells)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        frame = getattr(place, name).reset_index()
        frame = frame.rename(columns={"easting_m": "easting", "northing_m": "northing"})
        frame.to_csv(folder / f"{name}.csv", index=False)
    place.rates.reset_index().to_csv(folder / "rates.csv", index=False)
    settings = {**SETTINGS, "tables": {"rates": "rates.csv"}, **changes}
    (folder / "estate.toml").write_text(toml(settings), encoding="utf-8")
    return folder


def toml(settings: dict[str, Any]) -> str:
    """Settings as TOML: every value inline, which TOML allows."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in settings.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


type Ran = tuple[int, str, str]


@pytest.fixture
def estate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command line in this process: its exit code, standard output and standard error."""

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        code = guarded(group, [str(each) for each in arguments])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
