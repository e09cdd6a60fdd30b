"""A copy of a place whose tables say the same in another order: rows, columns, and the features of maps."""

from __future__ import annotations

import csv
import json
import random
import shutil
from pathlib import Path
from typing import Any


def shuffle(source: Path, target: Path, seed: int = 1) -> Path:
    """Copy a folder to ``target`` with the rows and columns of every CSV and GeoJSON in it shuffled."""
    rng = random.Random(seed)
    shutil.copytree(source, target)
    for file in sorted(target.glob("*.csv")):
        with file.open(newline="", encoding="utf-8-sig") as stream:
            head, *rows = csv.reader(stream)
        order = rng.sample(range(len(head)), len(head))
        rows = rng.sample(rows, len(rows))
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([row[k] for k in order] for row in [head, *rows])
    for file in sorted(target.glob("*.geojson")):
        found = json.loads(file.read_text(encoding="utf-8"))
        found["features"] = [_turned(each, rng) for each in rng.sample(found["features"], len(found["features"]))]
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
