"""A scenario file read, checked and hashed."""

from __future__ import annotations

import difflib
import errno
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from estate.errors import InputError, Issue, UsageError, Where
from estate.scenario.limits import Settings
from estate.scenario.patches import merged, parse_change, patched, read_toml
from estate.scenario.settings import Scenario
from estate.wording import brief

FILE_NAME = "estate.toml"
LONGEST_CHAIN = 20
"""Scenarios that extend one another."""


def find(path: Path) -> Path:
    """The scenario file a path means: itself, or ``estate.toml`` in a folder."""
    try:
        file = path / FILE_NAME if path.is_dir() else path
        there = file.is_file()
    except OSError:  # a name too long for the system is no scenario either
        file, there = path, False
    if not there:
        remedy = "give a place folder that holds estate.toml, or a scenario file; 'estate new DIR' makes one"
        raise InputError(
            issues=[Issue("scenario.missing", f"no scenario at {brief(str(file), 200)}", remedy, Where(brief(str(path), 200)))]
        )
    return file


def load_scenario(path: str | Path, changes: Sequence[str] = ()) -> Scenario:
    """Read a scenario with what it extends, lay ``key=value`` changes on it, and check it.

    Raises :class:`InputError` with every problem at once, or :class:`UsageError` for a change that cannot be read.
    """
    file = find(Path(path))
    patches = [parse_change(change) for change in changes]
    settings = patched(_read_chain(file, ()), patches)
    try:
        return build(settings, folder=file.parent, file=file)
    except InputError as error:
        if not patches:
            raise
        try:
            build(_read_chain(file, ()), folder=file.parent, file=file)
        except InputError:
            raise error from None
        raise UsageError("a --set does not fit the settings", error.issues) from None


def build(settings: Mapping[str, Any], *, folder: Path, file: Path) -> Scenario:
    """Check raw settings and freeze them; raises :class:`InputError` listing everything that is wrong."""
    try:
        return Scenario.model_validate({**settings, "folder": folder, "file": file})
    except ValidationError as error:
        raise InputError(issues=[_issue(each, file) for each in error.errors()]) from None


def resolved(scenario: Scenario) -> dict[str, Any]:
    """The settings as plain JSON data, without paths of this machine: what is stored, hashed and patched."""
    return scenario.model_dump(mode="json", exclude_none=True)


def altered(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with changes by dotted name laid on it; raises :class:`InputError` where they do not fit."""
    patches = [(tuple(key.split(".")), changes[key]) for key in sorted(changes)]
    return build(patched(resolved(scenario), patches), folder=scenario.folder, file=scenario.file)


def digest(scenario: Scenario) -> str:
    """SHA-256 of the settings in canonical form: a scenario's identity."""
    text = json.dumps(resolved(scenario), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _read_chain(file: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    here = file.resolve()
    if here in seen:
        chain = " -> ".join(each.name for each in (*seen, here))
        raise InputError(issues=[Issue("scenario.loop", f"'extends' goes round in a circle: {chain}", where=Where(str(file)))])
    if len(seen) >= LONGEST_CHAIN:
        message = f"'extends' goes on for more than {LONGEST_CHAIN} scenarios"
        raise InputError(issues=[Issue("scenario.chain", message, "extend a scenario nearer to the base", Where(str(file)))])
    settings = _read(file)
    base = settings.pop("extends", None)
    if base is None:
        return settings
    return merged(_read_chain(_base_of(file, base), (*seen, here)), settings)


def _base_of(file: Path, base: Any) -> Path:
    where = Where(str(file), column="extends", value=str(base))
    if not isinstance(base, str) or not base or "\\" in base or Path(base).is_absolute() or ".." in Path(base).parts:
        remedy = "name a scenario in this folder or below it"
        raise InputError(issues=[Issue("scenario.extends", f"'extends = {base!r}' leaves the folder", remedy, where)])
    path = file.parent / base
    if path.is_symlink() or not path.resolve().is_relative_to(file.parent.resolve()):
        raise InputError(issues=[Issue("scenario.extends", "'extends' follows a link out of the folder", where=where)])
    return find(path)


MAX_BYTES = 4 * 1024 * 1024
"""The most that a file of settings may hold: tables belong in files of their own, and a list of 20 MB takes a minute to read."""


def settings_bytes(file: Path) -> bytes:
    """A file of settings; a pipe or a device is not opened, since it may never end.

    Raises
    ------
    OSError
        When it cannot be read, or is no ordinary file of at most :data:`MAX_BYTES`.
    """
    if file.exists() and not file.is_dir():
        size = file.stat().st_size
        if not file.is_file():
            raise OSError(errno.EINVAL, "it is not an ordinary file")
        if size > MAX_BYTES:
            raise OSError(errno.EFBIG, f"it is {size / 2**20:,.0f} MB of settings; the most is {MAX_BYTES // 2**20} MB")
        if not size:
            return b""
    return file.read_bytes()


def _read(file: Path) -> dict[str, Any]:
    try:
        text = settings_bytes(file).decode("utf-8-sig")
        return read_toml(text)
    except UnicodeDecodeError as error:
        issue = Issue("scenario.encoding", f"is not UTF-8 text: {error.reason}", "save it as UTF-8", Where(str(file)))
        raise InputError(issues=[issue]) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(issues=[Issue("scenario.toml", f"is not valid TOML: {error}", where=Where(str(file)))]) from None
    except OSError as error:
        raise InputError(
            issues=[Issue("scenario.unreadable", f"cannot be read: {error.strerror or error}", where=Where(str(file)))]
        ) from None


def _issue(found: Any, file: Path) -> Issue:
    path = ".".join(str(part) for part in found["loc"])
    where = Where(file.name, column=path, value=str(found.get("input", ""))[:80])
    if found["type"] == "extra_forbidden":
        last = str(found["loc"][-1])
        known = _keys_at(found["loc"][:-1])
        close = difflib.get_close_matches(last, known, n=1)
        remedy = f"did you mean '{close[0]}'?" if close else f"the settings here are: {', '.join(sorted(known))}"
        return Issue("scenario.unknown-key", f"'{path}' is not a setting", remedy, where)
    if found["type"] == "missing":
        return Issue("scenario.missing-key", f"'{path}' is missing", "add it; 'estate schema' lists every setting", where)
    message = found["msg"].removeprefix("Value error, ")
    remedy = "write 0.95 for 95%" if path.endswith("share") else "'estate schema' lists every setting and its range"
    return Issue("scenario.value", f"'{path}': {message}", remedy, where)


def _keys_at(path: Sequence[Any]) -> list[str]:
    """The setting names allowed at a path of the model, for suggestions."""
    model: Any = Scenario
    for part in path:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, Settings)):
            continue
        named = model.model_fields.get(str(part))
        model = _model_in(named.annotation) if named else model
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, Settings) else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    inner = [_model_in(each) for each in get_args(annotation)]
    return next((each for each in inner if each is not None), None)
