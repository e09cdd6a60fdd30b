"""Named changes laid on settings: ``--set key=value``, what-ifs, and a scenario on the one it extends."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from estate.errors import UsageError
from estate.wording import brief

type Patch = tuple[tuple[str, ...], Any]


LISTS = ("standards", "adjust", "purses", "reorganisation", "alternatives")
"""Settings that are lists of named tables."""
DEEPEST = 32
"""Tables and lists inside one another, at most: no setting needs a quarter of it."""


def read_toml(text: str) -> dict[str, Any]:
    """TOML as Python data; all that cannot be read is a ``TOMLDecodeError``, brackets by the thousand and endless numbers too."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError(f"lists or tables are nested more than {DEEPEST} deep") from None
    except ValueError:
        raise tomllib.TOMLDecodeError("a number has too many digits") from None
    level: list[Any] = [found]
    for _ in range(DEEPEST):
        level = [each for value in level for each in _inside(value)]
    if level:
        raise tomllib.TOMLDecodeError(f"lists or tables are nested more than {DEEPEST} deep")
    return found


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def parse_change(change: str) -> Patch:
    """``travel.detour=1.4`` as a path and a value; the value is TOML, or else plain text."""
    key, equals, text = change.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise UsageError(f"--set {change}: write it as key=value, for example travel.detour=1.4")
    try:
        return path, read_toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if "nested" in str(error) or "digits" in str(error):
            raise UsageError(f"--set {brief(change)}: {error}") from None
        return path, text


def patched(settings: Mapping[str, Any], patches: Iterable[Patch]) -> dict[str, Any]:
    """Settings with values replaced along dotted paths.  Items of a list of tables are addressed by their ``name``."""
    result = json.loads(json.dumps(settings, default=str))
    for path, value in patches:
        _put(result, path, value)
    return dict(result)


def _put(target: Any, path: Sequence[str], value: Any) -> None:
    head, *rest = path
    if isinstance(target, list):
        item = next((each for each in target if isinstance(each, dict) and each.get("name") == head), None)
        if item is None:
            item = {"name": head}
            target.append(item)
        if rest:
            _put(item, rest, value)
        else:
            item.update(value if isinstance(value, Mapping) else {"on": value})
        return
    if not isinstance(target, dict):
        raise UsageError(f"'{'.'.join(path)}' leads into a value that has no parts")
    if rest:
        _put(target.setdefault(head, [] if head in LISTS else {}), rest, value)
    else:
        target[head] = value


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``base``: tables merge by key, lists of named tables by name, anything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = merged(old, value)
        elif isinstance(old, list) and isinstance(value, list) and _all_named([*old, *value]):
            by_name = {each["name"]: each for each in old}
            for each in value:
                by_name[each["name"]] = merged(by_name.get(each["name"], {}), each)
            result[key] = list(by_name.values())
        else:
            result[key] = value
    return result


def _all_named(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(each, Mapping) and "name" in each for each in items)
