"""A copy of a place whose tables say the same in another order: rows, columns, and the features of maps."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

ABOVE = re.compile(r"""(["'])(\.\./[^"']*)\1""")
"""A file that a scenario names above its own folder: a copy names it where it is."""


def copied(source: Path, target: Path) -> Path:
    """A copy of a place's folder that reads the same files above it."""
    shutil.copytree(source, target)
    for file in target.glob("*.toml"):
        text = ABOVE.sub(lambda found: f'"{(source / found[2]).resolve()}"', file.read_text(encoding="utf-8"))
        file.unlink()  # a copy of what may only be read may only be read
        file.write_text(text, encoding="utf-8")
    return target


def shuffle(source: Path, target: Path, seed: int = 1) -> Path:
    """Copy a folder to ``target`` with the rows and columns of every CSV and GeoJSON in it shuffled.

    A CSV without a heading (postcodes as Ordnance Survey has them) keeps its columns, which are known by their place.
    """
    rng = random.Random(seed)
    copied(source, target)
    for file in sorted(target.glob("*.csv")):
        with file.open(newline="", encoding="utf-8-sig") as stream:
            head, *rows = csv.reader(stream)
        if any(cell.isdigit() for cell in head):
            rows, head, order = rng.sample([head, *rows], len(rows) + 1), [], list(range(len(head)))
        else:
            rows, order = rng.sample(rows, len(rows)), rng.sample(range(len(head)), len(head))
        file.unlink()
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([row[k] for k in order] for row in [*([head] if head else []), *rows])
    for file in sorted(target.glob("*.geojson")):
        found = json.loads(file.read_text(encoding="utf-8"))
        found["features"] = [_turned(each, rng) for each in rng.sample(found["features"], len(found["features"]))]
        file.unlink()
        file.write_text(json.dumps(found), encoding="utf-8")
    return target


def _turned(feature: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    properties = list((feature.get("properties") or {}).items())
    return {**feature, "properties": dict(rng.sample(properties, len(properties)))}


def published(folder: Path) -> dict[str, bytes]:
    """Every published file of a run with its bytes.

    Of ``run.json``, without what is of the files and not of what they say: their digests and the numbers of their rows; and
    without ``execution``, which is of the machine.
    """
    files = {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}
    manifest = json.loads(files["run.json"])
    for name in ("execution", "inputs"):
        del manifest[name]
    for issue in manifest["issues"]:
        del issue["row"], issue["rows"]
    return {**files, "run.json": json.dumps(manifest).encode()}
